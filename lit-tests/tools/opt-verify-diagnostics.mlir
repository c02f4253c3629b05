// Expected errors make the run succeed; those that do not come, and those that nobody expects, make it fail.
// RUN: %pygraph-opt %s --pipeline= --split-input-file --verify-diagnostics
// RUN: sh -c 'echo "// expe""cted-error @+1 {{never said}}" | %pygraph-opt - --verify-diagnostics; test $? = 1' 2>&1 | FileCheck %s --check-prefix=UNMET
// RUN: sh -c 'echo "func.func @f(" | %pygraph-opt - --verify-diagnostics; test $? = 1' 2>&1 | FileCheck %s --check-prefix=UNEXPECTED

// UNMET: <stdin>:1: error: expected error "never said" was not produced
// UNEXPECTED: <stdin>:{{[12]}}: error: unexpected error:
func.func @main(%x: tensor<2xf32>, %y: tensor<3xf32>) -> tensor<2xf32> {
  // expected-error @+1 {{tensor<3xf32>}}
  %0 = stablehlo.add %x, %y : tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----
func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  return %x : tensor<2xf32>
}
