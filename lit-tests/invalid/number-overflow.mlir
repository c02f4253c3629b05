// A dimension that is no number of 64 bits.
// RUN: sh -c '%pygraph-opt %s --pipeline=; test $? = 1' 2>&1 | FileCheck %s

// CHECK: number-overflow.mlir:[[@LINE+1]]:28: error: the extent 99999999999999999999 is too large: at most 9223372036854775807
func.func @main(%x: tensor<99999999999999999999xf32>) {
  return
}
