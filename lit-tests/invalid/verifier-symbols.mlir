// RUN: %pygraph-opt %s --pipeline= --split-input-file --verify-diagnostics

// Symbols, calls, function types and bindings that the verifier refuses.

func.func @f() {
  return
}
// expected-error @below {{@f is defined twice}}
func.func @f() {
  return
}

// -----

func.func @main() {
  // expected-error @below {{no symbol is named @missing}}
  "func.call"() {callee = @missing} : () -> ()
  return
}

// -----

func.func private @callee(%x: tensor<2xf32>) -> tensor<2xf32> {
  return %x : tensor<2xf32>
}
func.func @main(%x: tensor<3xf32>) {
  // expected-error @below {{@callee takes (tensor<2xf32>), but is called with (tensor<3xf32>)}}
  %0 = "func.call"(%x) {callee = @callee} : (tensor<3xf32>) -> tensor<2xf32>
  return
}

// -----

func.func private @callee(%x: tensor<2xf32>) -> tensor<2xf32> {
  return %x : tensor<2xf32>
}
func.func @main(%x: tensor<2xf32>) {
  // expected-error @below {{@callee gives (tensor<2xf32>), but the call has results (tensor<2xi32>)}}
  %0 = "func.call"(%x) {callee = @callee} : (tensor<2xf32>) -> tensor<2xi32>
  return
}

// -----

func.func @main() {
  // expected-error @below {{@main calls itself (through @main), which can't be inlined}}
  call @main() : () -> ()
  return
}

// -----

func.func @a() {
  call @b() : () -> ()
  return
}
func.func @b() {
  call @c() : () -> ()
  return
}
func.func @c() {
  // expected-error @below {{@b calls itself (through @b, @c), which can't be inlined}}
  call @b() : () -> ()
  return
}

// -----

sdy.mesh @mesh = <["x"=2]>
func.func @main() {
  // expected-error @below {{@mesh is not a function}}
  "func.call"() {callee = @mesh} : () -> ()
  return
}

// -----

// expected-error @below {{argument 0 is bound as `sometimes`, which is none of once, step, state, host}}
func.func @main(%x: tensor<2xf32> {pyg.bind = "sometimes"}) {
  return
}

// -----

// expected-error @below {{argument 0 begins as `zeros`, which is none of random_state}}
func.func @main(%x: tensor<2xui64> {pyg.bind = "state", pyg.initial = "zeros"}) {
  return
}

// -----

// expected-error @below {{argument 0 begins as the state of a random generator, so it should be a tensor<2xui64> that is bound as `state`, not tensor<2xi32>}}
func.func @main(%x: tensor<2xi32> {pyg.bind = "state", pyg.initial = "random_state"}) {
  return
}

// -----

// expected-error @below {{argument 0 begins as the state of a random generator}}
func.func @main(%x: tensor<2xui64> {pyg.bind = "step", pyg.initial = "random_state"}) {
  return
}

// -----

// expected-error @below {{`pyg.updated_by` of argument 0 is 1, but the function has 1 results}}
func.func @main(%x: tensor<2xf32> {pyg.bind = "state", pyg.updated_by = 1 : i64}) -> tensor<2xf32> {
  return %x : tensor<2xf32>
}

// -----

// expected-error @below {{`tf.aliasing_output` of argument 0 names result 0 of type tensor<3xf32>, but the argument is tensor<2xf32>}}
func.func @main(%x: tensor<2xf32> {tf.aliasing_output = 0 : i32}) -> tensor<3xf32> {
  %0 = stablehlo.constant dense<1.0> : tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----

// expected-error @below {{result 0 replaces both argument 0 and argument 1}}
func.func @main(%x: tensor<2xf32> {tf.aliasing_output = 0 : i32}, %y: tensor<2xf32> {tf.aliasing_output = 0 : i32}) -> tensor<2xf32> {
  return %x : tensor<2xf32>
}

// -----

// expected-error @below {{`pyg.name` of argument 0 should be a string}}
func.func @main(%x: tensor<2xf32> {pyg.name = 1 : i64}) {
  return
}

// -----

// expected-error @below {{the function takes (tensor<3xf32>), but its block has arguments (tensor<2xf32>)}}
"func.func"() ({
^bb0(%x: tensor<2xf32>):
  "func.return"() : () -> ()
}) {sym_name = "main", function_type = (tensor<3xf32>) -> ()} : () -> ()

// -----

// expected-error @below {{`arg_attrs` has 2 dictionaries for 1 values}}
"func.func"() ({
^bb0(%x: tensor<2xf32>):
  "func.return"() : () -> ()
}) {sym_name = "main", function_type = (tensor<2xf32>) -> (), arg_attrs = [{pyg.bind = "step"}, {pyg.bind = "step"}]} : () -> ()
