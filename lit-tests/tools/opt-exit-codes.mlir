// 0 when all is well, 1 when the input is wrong, 2 when the call is wrong. Nothing is written to a file unless all is well.
// RUN: %pygraph-opt --stop-after=tensor %s -o %t.mlir
// RUN: FileCheck %s --check-prefix=OUTPUT < %t.mlir
// RUN: sh -c '%pygraph-opt %t.missing.mlir; test $? = 1' 2>&1 | FileCheck %s --check-prefix=MISSING
// RUN: sh -c '%pygraph-opt; test $? = 2' 2>&1 | FileCheck %s --check-prefix=NO-INPUT
// RUN: sh -c '%pygraph-opt --no-such-option %s; test $? = 2' 2>&1 | FileCheck %s --check-prefix=OPTION
// RUN: sh -c '%pygraph-opt --pipeline=no-such-pass %s; test $? = 2' 2>&1 | FileCheck %s --check-prefix=PASS
// RUN: sh -c '%pygraph-opt --stop-after=no-such-phase %s; test $? = 2' 2>&1 | FileCheck %s --check-prefix=PHASE
// RUN: sh -c '%pygraph-opt --pipeline= --drop-dead-ops %s; test $? = 2' 2>&1 | FileCheck %s --check-prefix=TWO
// RUN: sh -c '%pygraph-opt --verify-each=maybe %s; test $? = 2' 2>&1 | FileCheck %s --check-prefix=VERIFY-EACH
// RUN: sh -c '%pygraph-opt --bind=x %s; test $? = 2' 2>&1 | FileCheck %s --check-prefix=BIND
// RUN: echo "before" > %t.kept
// RUN: sh -c 'echo "func.func @f(" | %pygraph-opt - -o %t.kept; test $? = 1' 2>&1 | FileCheck %s --check-prefix=INVALID
// RUN: FileCheck %s --check-prefix=KEPT < %t.kept
// RUN: sh -c '%pygraph-opt %s -o %t.no-such-folder/out.mlir; test $? = 1' 2>&1 | FileCheck %s --check-prefix=UNWRITABLE

// OUTPUT: stablehlo.negate
// MISSING: error: cannot read {{.*}}.missing.mlir: No such file
// NO-INPUT: required arguments
// OPTION: unexpected argument '--no-such-option'
// PASS: error: no pass is named `no-such-pass`; did you mean `{{[a-z-]+}}`? --list-passes shows all
// PHASE: error: no phase is named `no-such-phase`; there are import, tensor, kernel, plan
// TWO: error: --pipeline and --drop-dead-ops both say which passes to run; give one of them
// VERIFY-EACH: error: --verify-each: `maybe` is neither true nor false
// BIND: error: --bind: `x` is not ARGUMENT=CLASS
// INVALID: <stdin>:{{[12]:[0-9]+}}: error:
// KEPT: before
// UNWRITABLE: error: cannot write {{.*}}out.mlir
func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = stablehlo.negate %x : tensor<2xf32>
  return %0 : tensor<2xf32>
}
