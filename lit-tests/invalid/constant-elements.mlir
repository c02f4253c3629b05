// A constant with more elements than its type.
// RUN: sh -c '%pygraph-opt %s --pipeline=; test $? = 1' 2>&1 | FileCheck %s

// CHECK: constant-elements.mlir:[[@LINE+2]]:33: error: 3 elements along dimension 0, but its extent is 2
func.func @main() -> tensor<2xi32> {
  %0 = stablehlo.constant dense<[1, 2, 3]> : tensor<2xi32>
  return %0 : tensor<2xi32>
}
