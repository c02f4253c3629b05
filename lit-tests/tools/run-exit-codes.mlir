// 2 when the call is wrong, 1 when the input is, and the compiler's own messages for a model that does not compile.
// RUN: sh -c '%pygraph-run; test $? = 2' 2>&1 | FileCheck %s --check-prefix=NO-MODEL
// RUN: sh -c '%pygraph-run %s --no-such-option; test $? = 2' 2>&1 | FileCheck %s --check-prefix=OPTION
// RUN: sh -c '%pygraph-run %s --device toaster; test $? = 2' 2>&1 | FileCheck %s --check-prefix=DEVICE
// RUN: sh -c '%pygraph-run %s --init zeros; test $? = 2' 2>&1 | FileCheck %s --check-prefix=INIT
// RUN: sh -c '%pygraph-run %t.absent.mlir; test $? = 1' 2>&1 | FileCheck %s --check-prefix=ABSENT
// RUN: sh -c 'echo "func.func @f(" | %pygraph-run -; test $? = 1' 2>&1 | FileCheck %s --check-prefix=INVALID
// RUN: %pygraph-run --devices | FileCheck %s --check-prefix=DEVICES

// NO-MODEL: required arguments
// OPTION: unexpected argument '--no-such-option'
// DEVICE: error: there is no device `toaster`: use `host`, `cuda`, `cuda:N` or `auto`
// INIT: `zeros` is not `random:SEED`, like random:7
// ABSENT: error: cannot read {{.*}}absent.mlir: No such file
// INVALID: <stdin>:2:{{[0-9]+}}: error:
// DEVICES: host
func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = stablehlo.negate %x : tensor<2xf32>
  return %0 : tensor<2xf32>
}
