// RUN: %pygraph-opt %s --assign-bindings --split-input-file --verify-diagnostics

// expected-error @below {{argument 0 (`arg0`) is bound as `once`, but result 0 replaces it in the next step: bind it as `state`}}
func.func @once(%a: tensor<2xf32> {pyg.bind = "once", tf.aliasing_output = 0 : i32}) -> tensor<2xf32> {
  return %a : tensor<2xf32>
}

// -----
// expected-error @below {{arguments 0 and 1 are both named `x`: give one another `pyg.name`}}
func.func @names(%a: tensor<2xf32> {pyg.name = "x"}, %b: tensor<2xf32> {pyg.name = "x"}) -> tensor<2xf32> {
  return %b : tensor<2xf32>
}

// -----
// expected-error @below {{result 0 is the new contents of argument 0, but has another type}}
func.func @type(%a: tensor<2xf32> {fx.kind = "buffer", fx.target = "c"}, %b: tensor<3xf32>) -> (tensor<3xf32> {fx.kind = "buffer_mutation", fx.target = "c"}) {
  return %b : tensor<3xf32>
}
