// A program that draws has its generator's state as an argument: each step draws other numbers, which follow from the state alone.
//
// RUN: %npz %t.in.npz arg0=f4:2x2:0
// RUN: %npz %t.steps.npz step1_arg0=f4:2x2:0 step2_arg0=f4:2x2:0
// RUN: %pygraph-compile %s -o %t.pyg --remarks 2>&1 | FileCheck %s --check-prefix=REMARK
// REMARK: random-steps.mlir:[[#]]:{{[0-9]+}}: remark: rescue: argument `rng_state`: 7 random operations draw from it: it was added as argument 1, the generator's seed and offset, with result 1 to replace it
// REMARK-NOT: state `rng_state`
// RUN: %pygraph-run %t.pyg --describe | FileCheck %s --check-prefix=DESCRIBE
// DESCRIBE: arg1 `rng_state`: 2xui64, state, updated by out1, seed and offset that random numbers are drawn from; offset 0 if not given
// It lies where it is updated, so that a graph that is launched again draws on.
// DESCRIBE: out1 `rng_state`: 2xui64 = b{{[0-9]+}}: 2xui64 = arg1
// DESCRIBE: segment `s0`: graph
//
// Without a value it begins with seed 0, and that is said; with that seed, in any order of launches, with plain launches, the numbers are the same.
// RUN: %pygraph-run %t.pyg --inputs %t.in.npz --steps %t.steps.npz --outputs %t.out.npz 2>&1 | FileCheck %s --check-prefix=BEGINS
// BEGINS: note: arg1 `rng_state`, the state of random numbers, begins with seed 0 and offset 0; --seed gives another
// RUN: %pygraph-run %t.pyg --seed 0 --inputs %t.in.npz --steps %t.steps.npz --expect %t.out.npz --tolerance 0 | FileCheck %s --check-prefix=SAME
// RUN: %pygraph-run %t.pyg --order=plan --inputs %t.in.npz --steps %t.steps.npz --expect %t.out.npz --tolerance 0 | FileCheck %s --check-prefix=SAME
// RUN: %pygraph-compile %s --no-fuse -o %t.plain.pyg
// RUN: %pygraph-run %t.plain.pyg --interpret --inputs %t.in.npz --steps %t.steps.npz --expect %t.out.npz --tolerance 0 | FileCheck %s --check-prefix=SAME
// SAME: 6 results are as expected
//
// With another seed they are others.
// RUN: not %pygraph-run %t.pyg --seed 1 --inputs %t.in.npz --steps %t.steps.npz --expect %t.out.npz --tolerance 0 2>&1 | FileCheck %s --check-prefix=OTHER
// OTHER: note: arg1 `rng_state`, the state of random numbers, begins with seed 1 and offset 0
// OTHER-NEXT: error: 6 of 6 results differ
//
// A step advances the offset by 4 for each operation that ran, 16 of them here: two before the loop, four turns of three, two in a branch.
// RUN: %npz %t.offsets.npz out1=u8:2:0,64 step1_out1=u8:2:0,128 step2_out1=u8:2:0,192
// RUN: %pygraph-run %t.pyg --inputs %t.in.npz --steps %t.steps.npz --expect %t.offsets.npz --tolerance 0
//
// Steps draw other numbers; a state that was handed back, and is handed in again, goes on where it was. It wins over --init.
// RUN: %npz %t.one.npz step1_arg0=f4:2x2:0
// RUN: %pygraph-run %t.pyg --inputs %t.in.npz > %t.step0
// RUN: %pygraph-run %t.pyg --inputs %t.in.npz --steps %t.one.npz > %t.step1
// RUN: not diff %t.step0 %t.step1
// RUN: %npz %t.resumed.npz arg0=f4:2x2:0 arg1=u8:2:0,64
// RUN: %pygraph-run %t.pyg --inputs %t.resumed.npz --seed 7 --init random:3 > %t.resumed 2> %t.notes
// RUN: diff %t.step1 %t.resumed
// RUN: FileCheck --allow-empty --check-prefix=QUIET %s < %t.notes
// QUIET-NOT: begins with
// RUN: %pygraph-run %t.pyg --inputs %t.in.npz --init random:3 > %t.init
// RUN: diff %t.step0 %t.init
// Repeated steps go on, too: one, and two more.
// RUN: %pygraph-run %t.pyg --inputs %t.in.npz --repeat 2 | FileCheck %s --check-prefix=REPEAT
// REPEAT: out1 `rng_state`: 2xui64 = [0, 64]
//
// A seed for a program that draws nothing is said to be for nothing.
// RUN: %pygraph-run %s --entry nothing --seed 3 2>&1 | FileCheck %s --check-prefix=NOTHING
// NOTHING: note: `nothing` draws no random numbers, so --seed changes nothing
//
// No two operations draw the same part: a loop draws what operations one after the other do, and all numbers differ.
// RUN: %pygraph-run %s --entry loop > %t.loop
// RUN: %pygraph-run %s --entry straight > %t.straight
// RUN: diff %t.loop %t.straight
// RUN: %pygraph-run %s --entry differ | FileCheck %s --check-prefix=DIFFER
// DIFFER: out0 `out0`: 1xi64 = [0]
//
// The state that was added says nothing of what else is carried from step to step.
// RUN: %npz %t.y.npz arg0=f4:2:0 arg1=f4:2:0
// RUN: %npz %t.ysteps.npz step1_arg1=f4:2:0
// RUN: not %pygraph-run %s --entry carried --inputs %t.y.npz --steps %t.ysteps.npz 2>&1 | FileCheck %s --check-prefix=UNDECIDED
// UNDECIDED: error: no argument is state, and --steps does not give arg0 `arg0` (2xf32), which has the type of result 0

func.func @main(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %a = stablehlo.constant dense<0.0> : tensor<f32>
  %b = stablehlo.constant dense<1.0> : tensor<f32>
  %s = stablehlo.constant dense<2> : tensor<2xi64>
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %one = stablehlo.constant dense<1> : tensor<i32>
  %n = stablehlo.constant dense<4> : tensor<i32>
  %0 = stablehlo.rng %a, %b, %s, distribution = UNIFORM : (tensor<f32>, tensor<f32>, tensor<2xi64>) -> tensor<2x2xf32>
  %1 = stablehlo.rng %a, %b, %s, distribution = NORMAL : (tensor<f32>, tensor<f32>, tensor<2xi64>) -> tensor<2x2xf32>
  %2 = stablehlo.add %x, %0 : tensor<2x2xf32>
  %3 = stablehlo.add %2, %1 : tensor<2x2xf32>
  %4:2 = stablehlo.while(%i = %zero, %y = %3) : tensor<i32>, tensor<2x2xf32>
  cond {
    %c = stablehlo.compare LT, %i, %n, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %c : tensor<i1>
  } do {
    %d = stablehlo.rng %a, %b, %s, distribution = UNIFORM : (tensor<f32>, tensor<f32>, tensor<2xi64>) -> tensor<2x2xf32>
    %e = stablehlo.rng %a, %b, %s, distribution = NORMAL : (tensor<f32>, tensor<f32>, tensor<2xi64>) -> tensor<2x2xf32>
    %f = stablehlo.rng %a, %b, %s, distribution = UNIFORM : (tensor<f32>, tensor<f32>, tensor<2xi64>) -> tensor<2x2xf32>
    %g = stablehlo.multiply %d, %e : tensor<2x2xf32>
    %h = stablehlo.multiply %f, %y : tensor<2x2xf32>
    %k = stablehlo.add %g, %h : tensor<2x2xf32>
    %j = stablehlo.add %i, %one : tensor<i32>
    stablehlo.return %j, %k : tensor<i32>, tensor<2x2xf32>
  }
  %m = stablehlo.slice %0 [0:1, 0:1] : (tensor<2x2xf32>) -> tensor<1x1xf32>
  %o = stablehlo.reshape %m : (tensor<1x1xf32>) -> tensor<f32>
  %p = stablehlo.compare GE, %o, %a, FLOAT : (tensor<f32>, tensor<f32>) -> tensor<i1>
  %5 = "stablehlo.if"(%p) ({
    %d = stablehlo.rng %a, %b, %s, distribution = UNIFORM : (tensor<f32>, tensor<f32>, tensor<2xi64>) -> tensor<2x2xf32>
    %e = stablehlo.rng %a, %b, %s, distribution = UNIFORM : (tensor<f32>, tensor<f32>, tensor<2xi64>) -> tensor<2x2xf32>
    %f = stablehlo.subtract %d, %e : tensor<2x2xf32>
    stablehlo.return %f : tensor<2x2xf32>
  }, {
    stablehlo.return %x : tensor<2x2xf32>
  }) : (tensor<i1>) -> tensor<2x2xf32>
  %6 = stablehlo.add %4#1, %5 : tensor<2x2xf32>
  return %6 : tensor<2x2xf32>
}

func.func @nothing() -> tensor<2xf32> {
  %a = stablehlo.constant dense<1.0> : tensor<2xf32>
  return %a : tensor<2xf32>
}

func.func @loop() -> tensor<3x2xf32> {
  %a = stablehlo.constant dense<0.0> : tensor<f32>
  %b = stablehlo.constant dense<1.0> : tensor<f32>
  %s = stablehlo.constant dense<[1, 2]> : tensor<2xi64>
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %one = stablehlo.constant dense<1> : tensor<i32>
  %n = stablehlo.constant dense<3> : tensor<i32>
  %empty = stablehlo.constant dense<0.0> : tensor<3x2xf32>
  %0:2 = stablehlo.while(%i = %zero, %y = %empty) : tensor<i32>, tensor<3x2xf32>
  cond {
    %c = stablehlo.compare LT, %i, %n, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %c : tensor<i1>
  } do {
    %d = stablehlo.rng %a, %b, %s, distribution = UNIFORM : (tensor<f32>, tensor<f32>, tensor<2xi64>) -> tensor<1x2xf32>
    %e = stablehlo.dynamic_update_slice %y, %d, %i, %zero : (tensor<3x2xf32>, tensor<1x2xf32>, tensor<i32>, tensor<i32>) -> tensor<3x2xf32>
    %j = stablehlo.add %i, %one : tensor<i32>
    stablehlo.return %j, %e : tensor<i32>, tensor<3x2xf32>
  }
  return %0#1 : tensor<3x2xf32>
}

func.func @straight() -> tensor<3x2xf32> {
  %a = stablehlo.constant dense<0.0> : tensor<f32>
  %b = stablehlo.constant dense<1.0> : tensor<f32>
  %s = stablehlo.constant dense<[1, 2]> : tensor<2xi64>
  %0 = stablehlo.rng %a, %b, %s, distribution = UNIFORM : (tensor<f32>, tensor<f32>, tensor<2xi64>) -> tensor<1x2xf32>
  %1 = stablehlo.rng %a, %b, %s, distribution = UNIFORM : (tensor<f32>, tensor<f32>, tensor<2xi64>) -> tensor<1x2xf32>
  %2 = stablehlo.rng %a, %b, %s, distribution = UNIFORM : (tensor<f32>, tensor<f32>, tensor<2xi64>) -> tensor<1x2xf32>
  %3 = stablehlo.concatenate %0, %1, %2, dim = 0 : (tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<3x2xf32>
  return %3 : tensor<3x2xf32>
}

func.func @carried(%x: tensor<2xf32>, %y: tensor<2xf32>) -> tensor<2xf32> {
  %a = stablehlo.constant dense<0.0> : tensor<f32>
  %b = stablehlo.constant dense<1.0> : tensor<f32>
  %s = stablehlo.constant dense<2> : tensor<1xi64>
  %0 = stablehlo.rng %a, %b, %s, distribution = UNIFORM : (tensor<f32>, tensor<f32>, tensor<1xi64>) -> tensor<2xf32>
  %1 = stablehlo.add %x, %y : tensor<2xf32>
  %2 = stablehlo.add %1, %0 : tensor<2xf32>
  return %2 : tensor<2xf32>
}

// How many pairs are equal of 1280 numbers of 53 bits: 256 before a loop, 256 in each of three turns, 256 after it.
func.func @differ() -> tensor<1xi64> {
  %a = stablehlo.constant dense<0.0> : tensor<f64>
  %b = stablehlo.constant dense<1.0> : tensor<f64>
  %s = stablehlo.constant dense<256> : tensor<1xi64>
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %one = stablehlo.constant dense<1> : tensor<i32>
  %n = stablehlo.constant dense<3> : tensor<i32>
  %width = stablehlo.constant dense<256> : tensor<i32>
  %empty = stablehlo.constant dense<0.0> : tensor<768xf64>
  %before = stablehlo.rng %a, %b, %s, distribution = UNIFORM : (tensor<f64>, tensor<f64>, tensor<1xi64>) -> tensor<256xf64>
  %0:2 = stablehlo.while(%i = %zero, %y = %empty) : tensor<i32>, tensor<768xf64>
  cond {
    %c = stablehlo.compare LT, %i, %n, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %c : tensor<i1>
  } do {
    %d = stablehlo.rng %a, %b, %s, distribution = UNIFORM : (tensor<f64>, tensor<f64>, tensor<1xi64>) -> tensor<256xf64>
    %at = stablehlo.multiply %i, %width : tensor<i32>
    %e = stablehlo.dynamic_update_slice %y, %d, %at : (tensor<768xf64>, tensor<256xf64>, tensor<i32>) -> tensor<768xf64>
    %j = stablehlo.add %i, %one : tensor<i32>
    stablehlo.return %j, %e : tensor<i32>, tensor<768xf64>
  }
  %after = stablehlo.rng %a, %b, %s, distribution = UNIFORM : (tensor<f64>, tensor<f64>, tensor<1xi64>) -> tensor<256xf64>
  %all = stablehlo.concatenate %before, %0#1, %after, dim = 0 : (tensor<256xf64>, tensor<768xf64>, tensor<256xf64>) -> tensor<1280xf64>
  %rows = stablehlo.broadcast_in_dim %all, dims = [0] : (tensor<1280xf64>) -> tensor<1280x1280xf64>
  %columns = stablehlo.broadcast_in_dim %all, dims = [1] : (tensor<1280xf64>) -> tensor<1280x1280xf64>
  %equal = stablehlo.compare EQ, %rows, %columns, FLOAT : (tensor<1280x1280xf64>, tensor<1280x1280xf64>) -> tensor<1280x1280xi1>
  %counted = stablehlo.convert %equal : (tensor<1280x1280xi1>) -> tensor<1280x1280xi64>
  %none = stablehlo.constant dense<0> : tensor<i64>
  %sum = stablehlo.reduce(%counted init: %none) applies stablehlo.add across dimensions = [0, 1] : (tensor<1280x1280xi64>, tensor<i64>) -> tensor<i64>
  %own = stablehlo.constant dense<1280> : tensor<i64>
  %pairs = stablehlo.subtract %sum, %own : tensor<i64>
  %r = stablehlo.reshape %pairs : (tensor<i64>) -> tensor<1xi64>
  return %r : tensor<1xi64>
}
