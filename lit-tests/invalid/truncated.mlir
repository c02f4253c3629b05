// A file that ends in the middle of a function.
// RUN: sh -c '%pygraph-opt %s --pipeline=; test $? = 1' 2>&1 | FileCheck %s

// CHECK: truncated.mlir:[[@LINE+3]]:1: error: expected `}` or an operation, found the end of the file
func.func @main(%x: tensor<2xf32>, %y: tensor<3xf32>) -> tensor<2xf32> {
  %0 = stablehlo.negate %x : tensor<2xf32>
