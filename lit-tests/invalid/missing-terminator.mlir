// A function without a return.
// RUN: sh -c '%pygraph-opt %s --pipeline=; test $? = 1' 2>&1 | FileCheck %s

// CHECK: missing-terminator.mlir:[[@LINE+1]]:1: error: region `body` of func.func should end in func.return, but ends in stablehlo.negate
func.func @main(%x: tensor<2xf32>, %y: tensor<3xf32>) -> tensor<2xf32> {
  %0 = stablehlo.negate %x : tensor<2xf32>
}
