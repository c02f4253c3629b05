// A class of an argument from the command line, by name and by position, and calls that cannot be met.
// RUN: %pygraph-opt %s --pipeline= --bind=weight=once --bind=1=state | FileCheck %s
// RUN: not %pygraph-opt %s --pipeline= --bind=nobody=once 2>&1 | FileCheck %s --check-prefix=NOBODY
// RUN: not %pygraph-opt %s --pipeline= --bind=weight=often 2>&1 | FileCheck %s --check-prefix=OFTEN
// A result that replaces an argument.
// RUN: %pygraph-opt %s --pipeline= --bind=1=state:0 | FileCheck %s --check-prefix=RESULT
// RUN: not %pygraph-opt %s --pipeline= --bind=1=state:7 2>&1 | FileCheck %s --check-prefix=NO-RESULT
// RUN: not %pygraph-opt %s --pipeline= --bind=1=once:0 2>&1 | FileCheck %s --check-prefix=NOT-STATE
// RUN: not %pygraph-opt %s --pipeline= --bind=1=state:first 2>&1 | FileCheck %s --check-prefix=NO-NUMBER
// All arguments from one to another.
// RUN: %pygraph-opt %s --pipeline= --bind=weight..1=once | FileCheck %s --check-prefix=RANGE
// RUN: not %pygraph-opt %s --pipeline= --bind=1..weight=once 2>&1 | FileCheck %s --check-prefix=BACKWARDS
// RUN: not %pygraph-opt %s --pipeline= --bind=0..2=once 2>&1 | FileCheck %s --check-prefix=BEYOND
// RUN: not %pygraph-opt %s --pipeline= --bind=0..1=state:0 2>&1 | FileCheck %s --check-prefix=SEVERAL
// A file without functions has no arguments.
// RUN: echo "" > %t.empty.mlir
// RUN: not %pygraph-opt %t.empty.mlir --pipeline= --bind=0=once 2>&1 | FileCheck %s --check-prefix=NO-FUNCTION
// NO-FUNCTION: error: there is no function whose arguments --bind could mean
// RANGE: %x: tensor<2xf32> {pyg.bind = "once", pyg.name = "weight"}, %y: tensor<2xf32> {pyg.bind = "once"}
// BACKWARDS: error: argument `1` comes after `weight`: `1..weight` is none
// BEYOND: error: no argument is named `2`; write its name or a position below 2
// SEVERAL: error: --bind: `0..1=state:0` gives one result to several arguments

// RESULT: %y: tensor<2xf32> {pyg.bind = "state", pyg.updated_by = 0 : i64}
// NO-RESULT: error: `pyg.updated_by` of argument 1 is 7, but the function has 1 results
// NOT-STATE: error: --bind: `1=once:0` names a result, which only replaces what is bound as `state`
// NO-NUMBER: error: --bind: `1=state:first` should name a result by its position, like `state:0`
// CHECK: pyg.bind = "once"
// CHECK-SAME: pyg.bind = "state"
// NOBODY: opt-bind.mlir:[[@LINE+2]]:{{[0-9]+}}: error: no argument is named `nobody`; write its name or a position below 2
// OFTEN: error: --bind: no binding class is named `often`; there are once, step, state, host
func.func @main(%x: tensor<2xf32> {pyg.name = "weight"}, %y: tensor<2xf32>) -> tensor<2xf32> {
  %0 = stablehlo.add %x, %y : tensor<2xf32>
  return %0 : tensor<2xf32>
}
