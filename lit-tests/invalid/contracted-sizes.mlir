// A product that contracts dimensions of different sizes.
// RUN: sh -c '%pygraph-opt %s --pipeline=; test $? = 1' 2>&1 | FileCheck %s

// CHECK: contracted-sizes.mlir:[[@LINE+2]]:8: error: dot_general contracts 64 with 128
func.func @main(%x: tensor<4x64xf32>, %y: tensor<128x8xf32>) -> tensor<4x8xf32> {
  %0 = stablehlo.dot_general %x, %y, contracting_dims = [1] x [0] : (tensor<4x64xf32>, tensor<128x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}
