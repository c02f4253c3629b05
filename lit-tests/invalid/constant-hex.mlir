// A constant whose bytes do not fill its type.
// RUN: sh -c '%pygraph-opt %s --pipeline=; test $? = 1' 2>&1 | FileCheck %s

// CHECK: constant-hex.mlir:[[@LINE+2]]:33: error: 3 bytes of data for 2 elements of 4 bytes
func.func @main() -> tensor<2xi32> {
  %0 = stablehlo.constant dense<"0x010000"> : tensor<2xi32>
  return %0 : tensor<2xi32>
}
