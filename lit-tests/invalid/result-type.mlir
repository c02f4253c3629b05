// A result type that is not what the operation computes.
// RUN: sh -c '%pygraph-opt %s --pipeline=; test $? = 1' 2>&1 | FileCheck %s

// CHECK: result-type.mlir:[[@LINE+2]]:8: error: result 0 of stablehlo.add should be tensor<2xf32>, but is tensor<2xf64>
func.func @main(%x: tensor<2xf32>, %y: tensor<3xf32>) -> tensor<2xf32> {
  %0 = "stablehlo.add"(%x, %x) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf64>
  return %x : tensor<2xf32>
}
