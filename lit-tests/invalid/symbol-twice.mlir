// Two functions of one name.
// RUN: sh -c '%pygraph-opt %s --pipeline=; test $? = 1' 2>&1 | FileCheck %s

// CHECK: symbol-twice.mlir:[[@LINE+5]]:1: error: @main is defined twice
// CHECK: symbol-twice.mlir:[[@LINE+1]]:1: note: first here
func.func @main() {
  return
}
func.func @main() {
  return
}
