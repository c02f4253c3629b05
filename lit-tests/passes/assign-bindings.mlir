// RUN: %pygraph-opt %s --assign-bindings --split-input-file | FileCheck %s

// FX: parameters once, mutated buffers state, inputs step; names are targets or FX's names.
// CHECK-LABEL: @fx
// CHECK-SAME: %w: tensor<2xf32> {fx.kind = "parameter", fx.target = "fc.weight", pyg.bind = "once", pyg.name = "fc.weight"}
// CHECK-SAME: %c: tensor<4xf32> {fx.kind = "buffer", fx.target = "cache", pyg.bind = "state", pyg.name = "cache", pyg.updated_by = 0 : i64}
// CHECK-SAME: %x: tensor<2xf32> {fx.kind = "user_input", fx.name = "x", pyg.bind = "step", pyg.name = "x"}
func.func @fx(%w: tensor<2xf32> {fx.kind = "parameter", fx.target = "fc.weight"}, %c: tensor<4xf32> {fx.kind = "buffer", fx.target = "cache"}, %x: tensor<2xf32> {fx.kind = "user_input", fx.name = "x"}) -> (tensor<4xf32> {fx.kind = "buffer_mutation", fx.target = "cache"}, tensor<2xf32> {fx.kind = "user_output"}) {
  return %c, %x : tensor<4xf32>, tensor<2xf32>
}

// -----
// JAX: an aliased or donated argument is state; what pyg.bind says wins; the rest is step.
// CHECK-LABEL: @jax
// CHECK-SAME: %a: tensor<4xf32> {pyg.bind = "state", pyg.name = "arg0", pyg.updated_by = 1 : i64, tf.aliasing_output = 1 : i32}
// CHECK-SAME: %b: tensor<2xf32> {jax.buffer_donor = true, pyg.bind = "state", pyg.name = "arg1", pyg.updated_by = 0 : i64}
// CHECK-SAME: %c: tensor<3xf32> {pyg.bind = "once", pyg.name = "weights"}
// CHECK-SAME: %d: tensor<i32> {pyg.bind = "host", pyg.name = "arg3"}
func.func @jax(%a: tensor<4xf32> {tf.aliasing_output = 1 : i32}, %b: tensor<2xf32> {jax.buffer_donor = true}, %c: tensor<3xf32> {pyg.bind = "once", pyg.name = "weights"}, %d: tensor<i32> {pyg.bind = "host"}) -> (tensor<2xf32>, tensor<4xf32>) {
  return %b, %a : tensor<2xf32>, tensor<4xf32>
}

// CHECK-LABEL: func.func private @helper(%{{.*}}: tensor<2xf32>) ->
func.func private @helper(%a: tensor<2xf32>) -> tensor<2xf32> {
  return %a : tensor<2xf32>
}
