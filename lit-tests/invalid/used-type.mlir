// A value used with another type than it has.
// RUN: sh -c '%pygraph-opt %s --pipeline=; test $? = 1' 2>&1 | FileCheck %s

// CHECK: used-type.mlir:[[@LINE+2]]:30: error: `%y` has type `tensor<3xf32>`, but `tensor<2xf32>` is written here
func.func @main(%x: tensor<2xf32>, %y: tensor<3xf32>) -> tensor<2xf32> {
  %0 = stablehlo.negate %y : tensor<2xf32>
  return %x : tensor<2xf32>
}
