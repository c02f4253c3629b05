// A call whose types are not those of the function.
// RUN: sh -c '%pygraph-opt %s --pipeline=; test $? = 1' 2>&1 | FileCheck %s

// CHECK: call-types.mlir:[[@LINE+2]]:8: error: @one takes (tensor<2xf32>), but is called with (tensor<3xf32>)
func.func @main(%x: tensor<2xf32>, %y: tensor<3xf32>) -> tensor<2xf32> {
  %0 = call @one(%y) : (tensor<3xf32>) -> tensor<2xf32>
  return %x : tensor<2xf32>
}
func.func private @one(%x: tensor<2xf32>) -> tensor<2xf32> {
  return %x : tensor<2xf32>
}
