// RUN: %pygraph-opt --pipeline= - < %s | FileCheck %s
// RUN: not %pygraph-opt --pipeline=no-such-pass - < %s 2>&1 | FileCheck %s --check-prefix=CALL

// An error in standard input names it.
// RUN: sh -c 'echo "func.func @f(" | %pygraph-opt - 2>&1 || true' | FileCheck %s --check-prefix=STDIN

// CHECK: func.func @main
// CHECK: stablehlo.negate
// CALL: no pass is named `no-such-pass`
// STDIN: <stdin>:{{[12]:[0-9]+}}: error:
func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = stablehlo.negate %x : tensor<2xf32>
  return %0 : tensor<2xf32>
}
