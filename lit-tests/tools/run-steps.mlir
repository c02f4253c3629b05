// An argument that a result replaces is state: later steps find it there, whatever the file of inputs says.
// RUN: %npz %t.in.npz arg0=i4::100 arg1=i4::1
// RUN: %npz %t.steps.npz step1_arg1=i4::2 step2_arg1=i4::3
// RUN: %npz %t.expect.npz out0=i4::101 step1_out0=i4::103 step2_out0=i4::106
// RUN: %pygraph-run %s --inputs %t.in.npz --steps %t.steps.npz --expect %t.expect.npz | FileCheck %s
// RUN: not %pygraph-run %s --inputs %t.in.npz --expect %t.expect.npz 2>&1 | FileCheck %s --check-prefix=TOO-MANY
// Where nothing says what is carried, it is asked for; --bind says it.
// RUN: sed 's/ {tf.aliasing_output = 0 : i32}//' %s > %t.silent.mlir
// RUN: not %pygraph-run %t.silent.mlir --inputs %t.in.npz --steps %t.steps.npz 2>&1 | FileCheck %s --check-prefix=UNDECIDED
// RUN: %pygraph-run %t.silent.mlir --bind arg0=state:0 --inputs %t.in.npz --steps %t.steps.npz --expect %t.expect.npz | FileCheck %s
// RUN: %npz %t.fixed.npz out0=i4::101 step1_out0=i4::102 step2_out0=i4::103
// RUN: %pygraph-run %t.silent.mlir --bind arg0=once --inputs %t.in.npz --steps %t.steps.npz --expect %t.fixed.npz | FileCheck %s

// UNDECIDED: error: no argument is state, and --steps does not give arg0 `arg0` (i32), which has the type of result 0: is that its value in the next step? then --bind arg0=state:0, else --bind arg0=once
// CHECK: 3 results are as expected
// TOO-MANY: error: {{.*}}expect.npz expects step{{[12]}}_out0, but the run ends at step 0 with 1 results a step
func.func @main(%sum: tensor<i32> {tf.aliasing_output = 0 : i32}, %x: tensor<i32>) -> tensor<i32> {
  %0 = stablehlo.add %sum, %x : tensor<i32>
  return %0 : tensor<i32>
}
