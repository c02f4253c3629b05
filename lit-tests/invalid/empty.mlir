// A file without a function has nothing to compile.
// RUN: sh -c '%pygraph-compile %s -o %t.pyg; test $? = 1' 2>&1 | FileCheck %s

// CHECK: {{.*}}empty.mlir: error: there is no public function to compile

