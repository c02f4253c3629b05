// A name given twice.
// RUN: sh -c '%pygraph-opt %s --pipeline=; test $? = 1' 2>&1 | FileCheck %s

// CHECK: redefined-value.mlir:[[@LINE+4]]:3: error: `%0` is defined twice
// CHECK: redefined-value.mlir:[[@LINE+2]]:3: note: first defined here
func.func @main(%x: tensor<2xf32>, %y: tensor<3xf32>) -> tensor<2xf32> {
  %0 = stablehlo.negate %x : tensor<2xf32>
  %0 = stablehlo.abs %x : tensor<2xf32>
  return %x : tensor<2xf32>
}
