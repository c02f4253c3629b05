// A value read before it is computed.
// RUN: sh -c '%pygraph-opt %s --pipeline=; test $? = 1' 2>&1 | FileCheck %s

// CHECK: use-before-definition.mlir:[[@LINE+2]]:25: error: `%1` is not defined before this use
func.func @main(%x: tensor<2xf32>, %y: tensor<3xf32>) -> tensor<2xf32> {
  %0 = stablehlo.negate %1 : tensor<2xf32>
  %1 = stablehlo.abs %x : tensor<2xf32>
  return %x : tensor<2xf32>
}
