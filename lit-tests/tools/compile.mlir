// pygraph-compile writes an artifact or nothing, and tells a wrong call from a wrong input.
// RUN: %pygraph-compile %s -o %t.pyg --remarks --timing 2>&1 | FileCheck %s --check-prefix=SEEN
// RUN: %pygraph-run %t.pyg --init random:3
// RUN: sh -c 'echo "func.func @f(" > %t.bad.mlir; rm -f %t.none.pyg; %pygraph-compile %t.bad.mlir -o %t.none.pyg; test $? = 1 -a ! -e %t.none.pyg' 2>&1 | FileCheck %s --check-prefix=INVALID
// RUN: sh -c '%pygraph-compile %s --no-such-option; test $? = 2' 2>&1 | FileCheck %s --check-prefix=OPTION
// RUN: sh -c '%pygraph-compile %t.absent.mlir -o %t.none.pyg; test $? = 1' 2>&1 | FileCheck %s --check-prefix=ABSENT

// The same input gives the same bytes.
// RUN: %pygraph-compile %s -o %t.again.pyg
// RUN: cmp %t.pyg %t.again.pyg

// SEEN: lower-to-launches
// INVALID: bad.mlir:2:{{[0-9]+}}: error:
// OPTION: unexpected argument '--no-such-option'
// ABSENT: error: cannot read {{.*}}absent.mlir: No such file
func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = stablehlo.negate %x : tensor<2xf32>
  return %0 : tensor<2xf32>
}
