// A dimension that the operand does not have.
// RUN: sh -c '%pygraph-opt %s --pipeline=; test $? = 1' 2>&1 | FileCheck %s

// CHECK: dimension-out-of-range.mlir:[[@LINE+2]]:8: error: `permutation` names dimension 1 of a tensor that has 1
func.func @main(%x: tensor<2xf32>, %y: tensor<3xf32>) -> tensor<2xf32> {
  %0 = stablehlo.transpose %x, dims = [1] : (tensor<2xf32>) -> tensor<2xf32>
  return %x : tensor<2xf32>
}
