// A call of a function that is not there.
// RUN: sh -c '%pygraph-opt %s --pipeline=; test $? = 1' 2>&1 | FileCheck %s

// CHECK: unknown-callee.mlir:[[@LINE+2]]:8: error: no symbol is named @nobody
func.func @main(%x: tensor<2xf32>, %y: tensor<3xf32>) -> tensor<2xf32> {
  %0 = call @nobody(%x) : (tensor<2xf32>) -> tensor<2xf32>
  return %x : tensor<2xf32>
}
