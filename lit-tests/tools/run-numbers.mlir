// Inputs by key, results into a file, and a comparison that passes, one that fails, and what tolerances change.
// RUN: %npz %t.in.npz arg0=f4:2:1,2 arg1=f4:2:10,20
// RUN: %npz %t.right.npz out0=f4:2:11,22
// RUN: %npz %t.near.npz out0=f4:2:11,22.1
// RUN: %pygraph-run %s --inputs %t.in.npz --outputs %t.out.npz
// RUN: %pygraph-run %s --inputs %t.in.npz --expect %t.out.npz --expect %t.right.npz | FileCheck %s --check-prefix=RIGHT
// RUN: sh -c '%pygraph-run %s --inputs %t.in.npz --expect %t.near.npz; test $? = 1' 2>&1 | FileCheck %s --check-prefix=NEAR
// RUN: %pygraph-run %s --inputs %t.in.npz --expect %t.near.npz --tolerance 0.01
// RUN: %pygraph-run %s --inputs %t.in.npz --expect %t.near.npz --rtol 0.01
// RUN: not %pygraph-run %s --inputs %t.in.npz --expect %t.near.npz --rtol 0.01 --atol 0.01 --tolerance 0.01

// Without a file to write or to compare with, the results are shown.
// RUN: %pygraph-run %s --inputs %t.in.npz | FileCheck %s --check-prefix=SHOWN
// RUN: %pygraph-run - --inputs %t.in.npz < %s | FileCheck %s --check-prefix=SHOWN
// RUN: %pygraph-run %s --init random:7 --repeat 3 | FileCheck %s --check-prefix=REPEAT

// RIGHT: 2 results are as expected
// NEAR: error: 1 of 1 results differ:
// NEAR-NEXT: out0 {{.*}}22
// SHOWN: out0 {{.*}}2xf32 = {{.*}}11{{.*}}22
// REPEAT: step time: median {{.*}}, of 3 steps
func.func @main(%x: tensor<2xf32>, %y: tensor<2xf32>) -> tensor<2xf32> {
  %0 = stablehlo.add %x, %y : tensor<2xf32>
  return %0 : tensor<2xf32>
}
