// Every error is reported, in the order of the lines.
// RUN: sh -c '%pygraph-opt %s --pipeline=; test $? = 1' 2>&1 | FileCheck %s

// CHECK: several-errors.mlir:[[@LINE+4]]:8: error: stablehlo.negate has 2 operands, but takes 1 (operand)
// CHECK: several-errors.mlir:[[@LINE+4]]:8: error: `permutation` names dimension 1 of a tensor that has 1
// CHECK: several-errors.mlir:[[@LINE+4]]:8: error: result 0 of stablehlo.add should be tensor<2xf32>, but is tensor<2xf64>
func.func @main(%x: tensor<2xf32>, %y: tensor<3xf32>) -> tensor<2xf32> {
  %0 = "stablehlo.negate"(%x, %x) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %1 = stablehlo.transpose %x, dims = [1] : (tensor<2xf32>) -> tensor<2xf32>
  %2 = "stablehlo.add"(%x, %x) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf64>
  return %x : tensor<2xf32>
}
