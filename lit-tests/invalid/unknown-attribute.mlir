// An attribute that the operation does not have.
// RUN: sh -c '%pygraph-opt %s --pipeline=; test $? = 1' 2>&1 | FileCheck %s

// CHECK: unknown-attribute.mlir:[[@LINE+2]]:8: error: stablehlo.negate has no attribute `colour`; its own have a dialect's prefix
func.func @main(%x: tensor<2xf32>, %y: tensor<3xf32>) -> tensor<2xf32> {
  %0 = "stablehlo.negate"(%x) <{colour = "red"}> : (tensor<2xf32>) -> tensor<2xf32>
  return %x : tensor<2xf32>
}
