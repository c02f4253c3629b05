// A file that ends in the middle of a type.
// RUN: sh -c '%pygraph-opt %s --pipeline=; test $? = 1' 2>&1 | FileCheck %s

// CHECK: truncated-type.mlir:[[@LINE+1]]:30: error: expected an element type, found the end of the file
func.func @main(%x: tensor<2x