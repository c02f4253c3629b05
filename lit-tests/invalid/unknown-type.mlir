// An element type that does not exist.
// RUN: sh -c '%pygraph-opt %s --pipeline=; test $? = 1' 2>&1 | FileCheck %s

// CHECK: unknown-type.mlir:[[@LINE+1]]:30: error: expected a type, found `f33`
func.func @main(%x: tensor<2xf33>) {
  return
}
