// All operations of a function that do not run are reported at once, each with its name and what it would need.
// RUN: %pygraph-opt %s --lower-to-launches --split-input-file --verify-diagnostics

func.func @two(%x: tensor<4xf32>, %n: tensor<1xi32>) -> tensor<4xf32> {
  // expected-error @+1 {{custom call `@somebody_else` is not known: it needs a kernel of that name}}
  %0 = stablehlo.custom_call @somebody_else(%x) : (tensor<4xf32>) -> tensor<4xf32>
  // expected-error @+1 {{`stablehlo.all_reduce` does not run: programs of several processes need a communicator}}
  %1 = "stablehlo.all_reduce"(%0) ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %2 = stablehlo.add %a, %b : tensor<f32>
    stablehlo.return %2 : tensor<f32>
  }) {replica_groups = dense<[[0]]> : tensor<1x1xi64>} : (tensor<4xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// -----
func.func @dynamic(%x: tensor<?xf32>) -> tensor<?xf32> {
  // expected-error @+1 {{`stablehlo.negate` does not run yet: a shape known only when the model runs needs dynamic dimensions: export with fixed shapes}}
  %0 = stablehlo.negate %x : tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----
func.func @quantized(%x: tensor<2x!quant.uniform<i8:f32, 1.0:17>>) -> tensor<2x!quant.uniform<i8:f32, 1.0:17>> {
  // expected-error @+1 {{need quantized kernels}}
  %0 = stablehlo.reshape %x : (tensor<2x!quant.uniform<i8:f32, 1.0:17>>) -> tensor<2x!quant.uniform<i8:f32, 1.0:17>>
  return %0 : tensor<2x!quant.uniform<i8:f32, 1.0:17>>
}

// -----
func.func @body(%x: tensor<4xf32>, %y: tensor<f32>) -> tensor<f32> {
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %0 = stablehlo.reduce(%x init: %zero) across dimensions = [0] : (tensor<4xf32>, tensor<f32>) -> tensor<f32>
   reducer(%a: tensor<f32>, %b: tensor<f32>) {
    // expected-error @+1 {{the body of a launch reads a value from outside, which does not run unless it is a constant}}
    %1 = stablehlo.add %a, %y : tensor<f32>
    stablehlo.return %1 : tensor<f32>
  }
  return %0 : tensor<f32>
}

// -----
func.func @calls(%x: tensor<f32>) -> tensor<f32> {
  // expected-error @+1 {{`func.call` does not run: the call is not inlined: run `inline-calls` first}}
  %0 = func.call @called(%x) : (tensor<f32>) -> tensor<f32>
  return %0 : tensor<f32>
}
func.func @called(%x: tensor<f32>) -> tensor<f32> {
  return %x : tensor<f32>
}

// -----
func.func @main() -> !stablehlo.token {
  // expected-error @+1 {{`stablehlo.create_token` does not run: tokens need an order of side effects}}
  %t = stablehlo.create_token : !stablehlo.token
  return %t : !stablehlo.token
}

// -----
func.func @main(%t: !stablehlo.token) {
  // expected-error @+1 {{`stablehlo.optimization_barrier` does not run yet: tokens need an order of side effects}}
  %0 = stablehlo.optimization_barrier %t : !stablehlo.token
  return
}

// -----
func.func @main(%t: !shape.witness) {
  // expected-error @+1 {{`stablehlo.optimization_barrier` does not run yet: values of type `!shape.witness` have no place in memory}}
  %0 = stablehlo.optimization_barrier %t : !shape.witness
  return
}

// -----
func.func @main(%t: tuple<tensor<2xf32>>) {
  // expected-error @+1 {{`stablehlo.optimization_barrier` does not run yet: a tuple is used as a whole: use its elements}}
  %0 = stablehlo.optimization_barrier %t : tuple<tensor<2xf32>>
  return
}

// -----
func.func @main(%x: tensor<2xtf32>) {
  // expected-error @+1 {{`stablehlo.negate` does not run yet: elements of type tf32 need conversions and kernels}}
  %0 = stablehlo.negate %x : tensor<2xtf32>
  return
}

// -----
func.func @main(%x: tensor<2xi128>) {
  // expected-error @+1 {{`stablehlo.negate` does not run yet: integers of 128 bits need kernels}}
  %0 = stablehlo.negate %x : tensor<2xi128>
  return
}

// -----
func.func @main(%x: tensor<2xi5>) {
  // expected-error @+1 {{`stablehlo.negate` does not run yet: integers of 5 bits need kernels}}
  %0 = stablehlo.negate %x : tensor<2xi5>
  return
}

// -----
func.func @main(%x: tensor<1099511627776x8xf32>) {
  // expected-error @+1 {{`stablehlo.negate` does not run yet: a tensor of shape [1099511627776, 8] and type f32 is too large}}
  %0 = stablehlo.negate %x : tensor<1099511627776x8xf32>
  return
}

// -----
func.func @main(%t: tuple<tensor<2xf32>>) -> tensor<2xf32> {
  // expected-error @+1 {{`stablehlo.get_tuple_element` does not run: the tuple is an argument, which does not run yet}}
  %0 = stablehlo.get_tuple_element %t[0] : (tuple<tensor<2xf32>>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----
func.func @main(%t: tuple<tuple<tensor<2xf32>>>) -> tensor<2xf32> {
  // expected-error @+1 {{`stablehlo.get_tuple_element` does not run: the tuple is an argument, which does not run yet}}
  %0 = stablehlo.get_tuple_element %t[0] : (tuple<tuple<tensor<2xf32>>>) -> tuple<tensor<2xf32>>
  // expected-error @+1 {{`stablehlo.get_tuple_element` does not run: the tuple is an argument, which does not run yet}}
  %1 = stablehlo.get_tuple_element %0[0] : (tuple<tensor<2xf32>>) -> tensor<2xf32>
  return %1 : tensor<2xf32>
}

// -----
func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  // expected-error @+1 {{custom call `@pair` is not known: it needs a kernel of that name}}
  %0 = stablehlo.custom_call @pair(%x) : (tensor<2xf32>) -> tuple<tensor<2xf32>>
  // expected-error @+1 {{`stablehlo.get_tuple_element` does not run: the tuple is made by another operation than `stablehlo.tuple`, which does not run yet}}
  %1 = stablehlo.get_tuple_element %0[0] : (tuple<tensor<2xf32>>) -> tensor<2xf32>
  return %1 : tensor<2xf32>
}

// -----
func.func @main(%x: tensor<4xf32>, %s: tensor<1xi64>) -> tensor<4xf32> {
  // expected-error @+1 {{`stablehlo.dynamic_reshape` does not run: its shape is known when the model runs, which needs dynamic dimensions: export with fixed shapes}}
  %0 = stablehlo.dynamic_reshape %x, %s : (tensor<4xf32>, tensor<1xi64>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----
func.func @main(%x: tensor<2xf32>) {
  // expected-error @+1 {{`fx.call` does not run: it has no decomposition}}
  %0 = "fx.call"(%x) {target = "aten.relu.default", args = ["%0"], device = "cpu"} : (tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----
func.func @main(%x: tensor<2xf32>) {
  // expected-error @+1 {{`stablehlo.custom_call` does not run: `check.eq` compares two operands, here are 1}}
  stablehlo.custom_call @check.eq(%x) : (tensor<2xf32>) -> ()
  return
}

// -----
func.func @main(%x: tensor<2xf32>) {
  // expected-error @+1 {{`stablehlo.custom_call` does not run: `check.expect_close` compares two operands, here are 1}}
  stablehlo.custom_call @check.expect_close(%x) : (tensor<2xf32>) -> ()
  return
}

// -----
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = "stablehlo.map"(%x) ({
  ^bb0(%a: tensor<f32>):
    // expected-error @+1 {{`stablehlo.custom_call` does not run in the body of `stablehlo.map`: it needs elementwise operations on single elements}}
    %d = stablehlo.custom_call @mine(%a) : (tensor<f32>) -> tensor<f32>
    stablehlo.return %d : tensor<f32>
  }) {dimensions = array<i64: 0>} : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----
func.func @main(%x: tensor<4xf32>, %i: tensor<f32>) -> tensor<6xf32> {
  // expected-error @+1 {{`stablehlo.reduce_window` does not run: the padded operand is too large}}
  %0 = "stablehlo.reduce_window"(%x, %i) ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %d = stablehlo.add %a, %b : tensor<f32>
    stablehlo.return %d : tensor<f32>
  }) {window_dimensions = array<i64: 4611686018427387904>, window_strides = array<i64: 1>, padding = dense<[[4611686018427387904, 1]]> : tensor<1x2xi64>} : (tensor<4xf32>, tensor<f32>) -> tensor<6xf32>
  return %0 : tensor<6xf32>
}

// -----
func.func @random(%a: tensor<f32>) -> tensor<2xf32> {
  %s = stablehlo.constant dense<2> : tensor<1xi64>
  // expected-error @+1 {{`stablehlo.rng` does not run: it has no state to draw from: run `thread-random-state` first}}
  %0 = stablehlo.rng %a, %a, %s, distribution = UNIFORM : (tensor<f32>, tensor<f32>, tensor<1xi64>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----
func.func @main(%x: tensor<2xcomplex<f16>>) {
  // expected-error @+1 {{`stablehlo.optimization_barrier` does not run yet: elements of type complex<f16> need kernels}}
  %0 = stablehlo.optimization_barrier %x : tensor<2xcomplex<f16>>
  return
}

// -----
func.func @main(%x: f32) {
  // expected-error @+1 {{`stablehlo.optimization_barrier` does not run yet: values that are no tensors have no place in memory}}
  %0 = stablehlo.optimization_barrier %x : f32
  return
}

// -----
func.func @main() -> tensor<2xf32> {
  // expected-error @+1 {{`stablehlo.create_token` does not run: tokens need an order of side effects}}
  %t = stablehlo.create_token : !stablehlo.token
  // expected-error @+1 {{`stablehlo.infeed` does not run: exchange with the host in the middle of a program needs a host callback}}
  %0:2 = "stablehlo.infeed"(%t) {infeed_config = ""} : (!stablehlo.token) -> (tensor<2xf32>, !stablehlo.token)
  return %0#0 : tensor<2xf32>
}

// -----
func.func @main(%x: tensor<2xf32>) -> tensor<2x!quant.uniform<i8:f32, 1.0:17>> {
  // expected-error @+1 {{`stablehlo.uniform_quantize` does not run: quantized types need kernels of their own}}
  %0 = stablehlo.uniform_quantize %x : (tensor<2xf32>) -> tensor<2x!quant.uniform<i8:f32, 1.0:17>>
  return %0 : tensor<2x!quant.uniform<i8:f32, 1.0:17>>
}

// -----
func.func @main(%x: tensor<2x3xf32>, %y: tensor<3x4xf32>) -> tensor<2x4xf32> {
  // expected-error @+1 {{`stablehlo.einsum` does not run: there is no launch for it on (f32, f32)}}
  %0 = "stablehlo.einsum"(%x, %y) {einsum_config = "ab,bc->ac"} : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// -----
func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  // expected-error @+1 {{`chlo.constant_like` does not run: `value` is no number of its type}}
  %0 = "chlo.constant_like"(%x) {value = dense<[1.0, 2.0]> : tensor<2xf32>} : (tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----
func.func @main(%x: tensor<4xi32>, %i: tensor<i32>) -> tensor<i32> {
  // expected-error @+1 {{arguments of the region have to be single elements of types that run}}
  %0 = "stablehlo.reduce"(%x, %i) ({
  ^bb0(%a: tensor<i32>, %b: tensor<i5>):
    stablehlo.return %a : tensor<i32>
  }) {dimensions = array<i64: 0>} : (tensor<4xi32>, tensor<i32>) -> tensor<i32>
  return %0 : tensor<i32>
}

// -----
func.func @main(%x: tensor<4xi32>, %i: tensor<i32>) -> tensor<i32> {
  // expected-error @+1 {{`stablehlo.reduce` does not run: the types in its body differ from those of its results}}
  %0 = "stablehlo.reduce"(%x, %i) ({
  ^bb0(%a: tensor<i32>, %b: tensor<i64>):
    stablehlo.return %a : tensor<i32>
  }) {dimensions = array<i64: 0>} : (tensor<4xi32>, tensor<i32>) -> tensor<i32>
  return %0 : tensor<i32>
}

// -----
func.func @main(%x: tensor<4xf6E2M3FN>) -> tensor<4x3xi2> {
  // expected-error @+1 {{`stablehlo.bitcast_convert` does not run: bits of f6E2M3FN as i2 do not run yet}}
  %0 = stablehlo.bitcast_convert %x : (tensor<4xf6E2M3FN>) -> tensor<4x3xi2>
  return %0 : tensor<4x3xi2>
}
