// RUN: %pygraph-opt %s --assign-bindings --split-input-file --verify-diagnostics

// expected-error @below {{argument 0 (`arg0`) is bound as `always`, which is none of once, step, state, host}}
func.func @class(%a: tensor<2xf32> {pyg.bind = "always"}) -> tensor<2xf32> {
  return %a : tensor<2xf32>
}

// -----
// expected-error @below {{argument 0 (`arg0`) is bound as `once`, but result 0 replaces it in the next step: bind it as `state`}}
func.func @once(%a: tensor<2xf32> {pyg.bind = "once", tf.aliasing_output = 0 : i32}) -> tensor<2xf32> {
  return %a : tensor<2xf32>
}

// -----
// expected-error @below {{argument 0 is replaced by result 3, but there are 1}}
func.func @range(%a: tensor<2xf32> {tf.aliasing_output = 3 : i32}) -> tensor<2xf32> {
  return %a : tensor<2xf32>
}

// -----
// expected-error @below {{argument 0 is replaced by result 0, which has another type}}
func.func @type(%a: tensor<2xf32> {pyg.updated_by = 0 : i64}, %b: tensor<3xf32>) -> tensor<3xf32> {
  return %b : tensor<3xf32>
}

// -----
// expected-error @below {{arguments 0 and 1 are both replaced by result 0}}
func.func @twice(%a: tensor<2xf32> {tf.aliasing_output = 0 : i32}, %b: tensor<2xf32> {tf.aliasing_output = 0 : i32}) -> tensor<2xf32> {
  return %b : tensor<2xf32>
}

// -----
// expected-error @below {{arguments 0 and 1 are both named `x`: give one another `pyg.name`}}
func.func @names(%a: tensor<2xf32> {pyg.name = "x"}, %b: tensor<2xf32> {pyg.name = "x"}) -> tensor<2xf32> {
  return %b : tensor<2xf32>
}
