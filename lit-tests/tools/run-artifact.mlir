// An artifact is described, run, and refused when a byte of it changed, wherever that byte is.
// RUN: %pygraph-compile %s -o %t.pyg
// RUN: %pygraph-run %t.pyg --describe | FileCheck %s --check-prefix=DESCRIBE
// RUN: %pygraph-run %t.pyg --describe | not grep -iE 'stablehlo|aten'
// RUN: %npz %t.in.npz arg0=f4:2:3,4 arg1=f4:2:5
// RUN: %npz %t.expect.npz out0=f4:2:15,20
// RUN: %pygraph-run %t.pyg --inputs %t.in.npz --expect %t.expect.npz
// RUN: %flip-byte %t.pyg %t.magic.pyg 0
// RUN: sh -c '%pygraph-run %t.magic.pyg --describe; test $? = 1' 2>&1 | FileCheck %s --check-prefix=MAGIC
// RUN: %flip-byte %t.pyg %t.flipped.pyg -1
// RUN: sh -c '%pygraph-run %t.flipped.pyg --describe; test $? = 1' 2>&1 | FileCheck %s --check-prefix=FLIPPED
// RUN: sh -c 'head -c 200 %t.pyg > %t.cut.pyg; %pygraph-run %t.cut.pyg; test $? = 1' 2>&1 | FileCheck %s --check-prefix=CUT
// RUN: sh -c '%pygraph-run %t.absent.pyg; test $? = 1' 2>&1 | FileCheck %s --check-prefix=ABSENT
// RUN: sh -c '%pygraph-run %t.pyg --entry nobody --init random:1; test $? = 1' 2>&1 | FileCheck %s --check-prefix=ENTRY

// DESCRIBE: program `main`
// DESCRIBE-NEXT: arg0 `{{.*}}`: 2xf32, step
// DESCRIBE: out0 `{{.*}}`: 2xf32 =
// DESCRIBE: arena: {{[0-9]+}} bytes
// DESCRIBE: parameter block `main_s0`: 24 bytes
// DESCRIBE-NEXT: 0 `arg0`: address of arg0
// DESCRIBE: 16 `out0`: address for out0
// DESCRIBE: segment `s0`: graph, 1 launches, 0 edges
// DESCRIBE-NEXT: 0: mul_0
// DESCRIBE-SAME: run-artifact.mlir:[[@LINE+7]]:
// MAGIC: error: cannot load {{.*}}magic.pyg: not a pygraph artifact
// FLIPPED: error: cannot load {{.*}}flipped.pyg: {{.*}}damaged
// CUT: error: cannot load {{.*}}cut.pyg:
// ABSENT: error: cannot read {{.*}}absent.pyg: No such file
// ENTRY: error: there is no program `nobody`; there is: main
func.func @main(%x: tensor<2xf32>, %y: tensor<2xf32>) -> tensor<2xf32> {
  %0 = stablehlo.multiply %x, %y : tensor<2xf32>
  return %0 : tensor<2xf32>
}
