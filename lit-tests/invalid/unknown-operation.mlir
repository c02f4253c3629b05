// An operation of a known dialect that does not exist.
// RUN: sh -c '%pygraph-opt %s --pipeline=; test $? = 1' 2>&1 | FileCheck %s

// CHECK: unknown-operation.mlir:[[@LINE+2]]:8: error: unknown operation `stablehlo.frobnicate`
func.func @main(%x: tensor<2xf32>, %y: tensor<3xf32>) -> tensor<2xf32> {
  %0 = stablehlo.frobnicate %x : tensor<2xf32>
  return %x : tensor<2xf32>
}
