// A value that nothing defines.
// RUN: sh -c '%pygraph-opt %s --pipeline=; test $? = 1' 2>&1 | FileCheck %s

// CHECK: undefined-value.mlir:[[@LINE+2]]:25: error: `%z` is not defined before this use
func.func @main(%x: tensor<2xf32>, %y: tensor<3xf32>) -> tensor<2xf32> {
  %0 = stablehlo.negate %z : tensor<2xf32>
  return %x : tensor<2xf32>
}
