// A type whose size no machine can count.
// RUN: sh -c '%pygraph-opt %s --pipeline=; test $? = 1' 2>&1 | FileCheck %s

// CHECK: size-overflow.mlir:[[@LINE+1]]:21: error: the type has more elements than 63 bits can count
func.func @main(%x: tensor<9223372036854775807x9223372036854775807xf32>) {
  return
}
