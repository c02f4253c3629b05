// An FX argument that stands for an operand which is not there.
// RUN: sh -c '%pygraph-opt %s; test $? = 1' 2>&1 | FileCheck %s

// CHECK: fx-operand.mlir:[[@LINE+2]]:8: error: aten.neg.default: the call has no operand %1
func.func @main(%a: tensor<2xf32>) -> tensor<2xf32> {
  %0 = "fx.call"(%a) {target = "aten.neg.default", args = ["%1"]} : (tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}
