// Operators without a decomposition are reported all at once.
// RUN: sh -c '%pygraph-opt %s; test $? = 1' 2>&1 | FileCheck %s

// CHECK: unknown-aten-operator.mlir:[[@LINE+3]]:8: error: no decomposition for aten.frobnicate.default
// CHECK: unknown-aten-operator.mlir:[[@LINE+3]]:8: error: no decomposition for mylib.scale.default
func.func @main(%a: tensor<2xf32> {fx.name = "a", fx.kind = "user_input"}) -> tensor<2xf32> {
  %0 = "fx.call"(%a) {target = "aten.frobnicate.default", args = ["%0"]} : (tensor<2xf32>) -> tensor<2xf32>
  %1 = "fx.call"(%0) {target = "mylib.scale.default", args = ["%0"]} : (tensor<2xf32>) -> tensor<2xf32>
  return %1 : tensor<2xf32>
}
