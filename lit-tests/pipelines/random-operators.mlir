// PyTorch's random operators get a state, wherever they stand; those that draw nothing get none.
// RUN: %pygraph-opt %s --decompose-fx --assign-bindings --thread-random-state --split-input-file | FileCheck %s

// Dropout that does not train, or drops nothing, draws nothing.
// CHECK-LABEL: func.func @eval(%x: tensor<4xf32> {pyg.bind = "step", pyg.name = "arg0"}) -> (tensor<4xf32> {fx.device = "cuda:0"}, tensor<4xf32> {fx.device = "cuda:0"}, tensor<4xf32> {fx.device = "cuda:0"})
// CHECK-NOT: stablehlo.map
func.func @eval(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %0:2 = "fx.call"(%x) {target = "aten.native_dropout.default", args = ["%0", 0.5 : f64, false], device = "cuda:0"} : (tensor<4xf32>) -> (tensor<4xf32>, tensor<4xi1>)
  %1 = "fx.call"(%x) {target = "aten.dropout.default", args = ["%0", 0.0 : f64, true], device = "cuda:0"} : (tensor<4xf32>) -> tensor<4xf32>
  %2 = "fx.call"(%x) {target = "aten.dropout.default", args = ["%0", 0.5 : f64, false], device = "cuda:0"} : (tensor<4xf32>) -> tensor<4xf32>
  return %0#0, %1, %2 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// -----

// Dropout that trains draws; so does an operator that stores into its operand, whose new contents come first among results.
// CHECK-LABEL: func.func @train(
// CHECK-SAME: %rng_state: tensor<2xui64> {pyg.bind = "state", pyg.initial = "random_state", pyg.name = "rng_state", pyg.updated_by = 2 : i64})
// CHECK-SAME: -> (tensor<4xf32> {{{.*}}fx.target = "y"}, tensor<4xf32> {{{.*}}}, tensor<2xui64> {pyg.name = "rng_state"})
// CHECK-COUNT-2: stablehlo.map
// CHECK: stablehlo.constant dense<[0, 8]> : tensor<2xui64>
func.func @train(%x: tensor<4xf32> {fx.name = "x", fx.kind = "user_input", fx.device = "cuda:0"}, %y: tensor<4xf32> {fx.name = "y", fx.kind = "user_input", fx.device = "cuda:0"}) -> (tensor<4xf32> {fx.kind = "user_output"}) {
  %0:2 = "fx.call"(%x) {target = "aten.native_dropout.default", args = ["%0", 0.5 : f64, true], device = "cuda:0"} : (tensor<4xf32>) -> (tensor<4xf32>, tensor<4xi1>)
  %1 = "fx.call"(%y) {target = "aten.exponential_.default", args = ["%0", 1.0 : f64], device = "cuda:0"} : (tensor<4xf32>) -> tensor<4xf32>
  return %0#0 : tensor<4xf32>
}

// -----

// In a loop and in one branch of a choice.
func.func private @main.more(%i: tensor<si64>, %x: tensor<3xf32>) -> tensor<i1> {
  %c = "fx.call"(%i) {target = "aten.lt.Scalar", args = ["%0", 3 : i64], device = "cuda:0"} : (tensor<si64>) -> tensor<i1>
  return %c : tensor<i1>
}
func.func private @main.turn(%i: tensor<si64>, %x: tensor<3xf32>) -> (tensor<si64>, tensor<3xf32>) {
  %j = "fx.call"(%i) {target = "aten.add.Tensor", args = ["%0", 1 : i64], device = "cuda:0"} : (tensor<si64>) -> tensor<si64>
  %r = "fx.call"(%x) {target = "aten.rand_like.default", args = ["%0"], device = "cuda:0"} : (tensor<3xf32>) -> tensor<3xf32>
  return %j, %r : tensor<si64>, tensor<3xf32>
}
func.func private @main.noisy(%x: tensor<3xf32>) -> tensor<3xf32> {
  %r = "fx.call"(%x) {target = "aten.randn_like.default", args = ["%0"], device = "cuda:0"} : (tensor<3xf32>) -> tensor<3xf32>
  return %r : tensor<3xf32>
}
func.func private @main.plain(%x: tensor<3xf32>) -> tensor<3xf32> {
  %r = "fx.call"(%x) {target = "aten.neg.default", args = ["%0"], device = "cuda:0"} : (tensor<3xf32>) -> tensor<3xf32>
  return %r : tensor<3xf32>
}
// CHECK-LABEL: func.func @main(
// CHECK: %[[LOOP:.*]]:3 = stablehlo.while({{.*}}, %[[CARRIED:.*]] = %rng_state)
// CHECK: stablehlo.slice %[[CARRIED]] [0:1]
// CHECK: %[[CHOICE:.*]]:2 = "stablehlo.if"
// CHECK: stablehlo.slice %[[LOOP]]#2 [0:1]
// CHECK: stablehlo.return %{{.*}}, %[[LOOP]]#2
// CHECK: return %[[CHOICE]]#0, %[[CHOICE]]#1
func.func @main(%i: tensor<si64>, %x: tensor<3xf32>, %p: tensor<i1>) -> tensor<3xf32> {
  %w:2 = "fx.call"(%i, %x) {target = "while_loop", args = [@main.more, @main.turn, ["%0", "%1"], []], device = "cuda:0"} : (tensor<si64>, tensor<3xf32>) -> (tensor<si64>, tensor<3xf32>)
  %c = "fx.call"(%p, %w#1) {target = "cond", args = ["%0", @main.noisy, @main.plain, ["%1"]], device = "cuda:0"} : (tensor<i1>, tensor<3xf32>) -> tensor<3xf32>
  return %c : tensor<3xf32>
}
