// Operands that do not fit each other.
// RUN: sh -c '%pygraph-opt %s --pipeline=; test $? = 1' 2>&1 | FileCheck %s

// CHECK: operand-types.mlir:[[@LINE+2]]:8: error: add takes tensors of one shape, but has [2] and [3]
func.func @main(%x: tensor<2xf32>, %y: tensor<3xf32>) -> tensor<2xf32> {
  %0 = stablehlo.add %x, %y : (tensor<2xf32>, tensor<3xf32>) -> tensor<2xf32>
  return %x : tensor<2xf32>
}
