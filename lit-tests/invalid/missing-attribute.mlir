// A required attribute that is not there.
// RUN: sh -c '%pygraph-opt %s --pipeline=; test $? = 1' 2>&1 | FileCheck %s

// CHECK: missing-attribute.mlir:[[@LINE+2]]:8: error: stablehlo.transpose needs the attribute `permutation`: a list of integers (array<i64: …>)
func.func @main(%x: tensor<2xf32>, %y: tensor<3xf32>) -> tensor<2xf32> {
  %0 = "stablehlo.transpose"(%x) : (tensor<2xf32>) -> tensor<2xf32>
  return %x : tensor<2xf32>
}
