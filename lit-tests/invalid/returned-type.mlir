// A function that returns what it does not promise.
// RUN: sh -c '%pygraph-opt %s --pipeline=; test $? = 1' 2>&1 | FileCheck %s

// CHECK: returned-type.mlir:[[@LINE+2]]:3: error: the function gives (tensor<3xf32>), but returns (tensor<2xf32>)
func.func @main(%x: tensor<2xf32>) -> tensor<3xf32> {
  return %x : tensor<2xf32>
}
