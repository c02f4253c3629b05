// A valid instance of every operation of the table, for tests/table.rs to break. Operations of `scalar` are made there,
// from the scalar language's own table. The comment names the operations that the text below it is an instance of.

// -----
// builtin.module
module @name {
}

// -----
// builtin.unrealized_conversion_cast
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "builtin.unrealized_conversion_cast"(%a0) : (tensor<2x3xf32>) -> f32
  return
}

// -----
// func.func, func.return
func.func private @main(%x: tensor<2xf32> {pyg.bind = "step"}) -> (tensor<2xf32> {pyg.name = "y"}) {
  return %x : tensor<2xf32>
}

// -----
// func.call
func.func private @callee(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  return %x : tensor<2x3xf32>
}
func.func @main(%x: tensor<2x3xf32>) {
  %0 = "func.call"(%x) {callee = @callee} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.abs
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.abs"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.add
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2x3xf32>) {
  %0 = "stablehlo.add"(%a0, %a1) : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.after_all
func.func @main(%a0: !stablehlo.token, %a1: !stablehlo.token) {
  %0 = "stablehlo.after_all"(%a0, %a1) : (!stablehlo.token, !stablehlo.token) -> !stablehlo.token
  return
}

// -----
// stablehlo.all_gather
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.all_gather"(%a0) {all_gather_dim = 0 : i64, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, channel_handle = #stablehlo.channel_handle<handle = 1, type = 1>} : (tensor<2x3xf32>) -> tensor<4x3xf32>
  return
}

// -----
// stablehlo.all_reduce
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.all_reduce"(%a0) ({
  ^bb0(%x: tensor<f32>, %y: tensor<f32>):
    %s = "stablehlo.add"(%x, %y) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    "stablehlo.return"(%s) : (tensor<f32>) -> ()
  }) {replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.all_to_all
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.all_to_all"(%a0) {split_dimension = 0 : i64, concat_dimension = 1 : i64, split_count = 2 : i64, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>} : (tensor<2x3xf32>) -> tensor<1x6xf32>
  return
}

// -----
// stablehlo.and
func.func @main(%a0: tensor<2x3xi32>, %a1: tensor<2x3xi32>) {
  %0 = "stablehlo.and"(%a0, %a1) : (tensor<2x3xi32>, tensor<2x3xi32>) -> tensor<2x3xi32>
  return
}

// -----
// stablehlo.atan2
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2x3xf32>) {
  %0 = "stablehlo.atan2"(%a0, %a1) : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.batch_norm_grad
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<3xf32>, %a2: tensor<3xf32>, %a3: tensor<3xf32>, %a4: tensor<2x3xf32>) {
  %0:3 = "stablehlo.batch_norm_grad"(%a0, %a1, %a2, %a3, %a4) {epsilon = 1.0e-03 : f32, feature_index = 1 : i64} : (tensor<2x3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<3xf32>, tensor<3xf32>)
  return
}

// -----
// stablehlo.batch_norm_inference
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<3xf32>, %a2: tensor<3xf32>, %a3: tensor<3xf32>, %a4: tensor<3xf32>) {
  %0 = "stablehlo.batch_norm_inference"(%a0, %a1, %a2, %a3, %a4) {epsilon = 1.0e-03 : f32, feature_index = 1 : i64} : (tensor<2x3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.batch_norm_training
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<3xf32>, %a2: tensor<3xf32>) {
  %0:3 = "stablehlo.batch_norm_training"(%a0, %a1, %a2) {epsilon = 1.0e-03 : f32, feature_index = 1 : i64} : (tensor<2x3xf32>, tensor<3xf32>, tensor<3xf32>) -> (tensor<2x3xf32>, tensor<3xf32>, tensor<3xf32>)
  return
}

// -----
// stablehlo.bitcast_convert
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.bitcast_convert"(%a0) : (tensor<2x3xf32>) -> tensor<2x3x4xi8>
  return
}

// -----
// stablehlo.broadcast
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.broadcast"(%a0) {broadcast_sizes = array<i64: 4>} : (tensor<2x3xf32>) -> tensor<4x2x3xf32>
  return
}

// -----
// stablehlo.broadcast_in_dim
func.func @main(%a0: tensor<1x3xf32>) {
  %0 = "stablehlo.broadcast_in_dim"(%a0) {broadcast_dimensions = array<i64: 0, 2>} : (tensor<1x3xf32>) -> tensor<2x4x3xf32>
  return
}

// -----
// stablehlo.case
func.func @main(%a0: tensor<i32>) {
  %0 = "stablehlo.case"(%a0) ({
    %c = "stablehlo.constant"() {value = dense<1.0> : tensor<2xf32>} : () -> tensor<2xf32>
    "stablehlo.return"(%c) : (tensor<2xf32>) -> ()
  }, {
    %c = "stablehlo.constant"() {value = dense<1.0> : tensor<2xf32>} : () -> tensor<2xf32>
    "stablehlo.return"(%c) : (tensor<2xf32>) -> ()
  }) : (tensor<i32>) -> tensor<2xf32>
  return
}

// -----
// stablehlo.cbrt
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.cbrt"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.ceil
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.ceil"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.cholesky
func.func @main(%a0: tensor<2x3x3xf32>) {
  %0 = "stablehlo.cholesky"(%a0) {lower = true} : (tensor<2x3x3xf32>) -> tensor<2x3x3xf32>
  return
}

// -----
// stablehlo.clamp
func.func @main(%a0: tensor<f32>, %a1: tensor<2x3xf32>, %a2: tensor<f32>) {
  %0 = "stablehlo.clamp"(%a0, %a1, %a2) : (tensor<f32>, tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.collective_broadcast
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.collective_broadcast"(%a0) {replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.collective_permute
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.collective_permute"(%a0) {source_target_pairs = dense<[[0, 1], [1, 0]]> : tensor<2x2xi64>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.collective_reduce
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.collective_reduce"(%a0) ({
  ^bb0(%x: tensor<f32>, %y: tensor<f32>):
    %s = "stablehlo.add"(%x, %y) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    "stablehlo.return"(%s) : (tensor<f32>) -> ()
  }) {replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.compare
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2x3xf32>) {
  %0 = "stablehlo.compare"(%a0, %a1) {comparison_direction = #stablehlo<comparison_direction LT>, compare_type = #stablehlo<comparison_type FLOAT>} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>
  return
}

// -----
// stablehlo.complex
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2x3xf32>) {
  %0 = "stablehlo.complex"(%a0, %a1) : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xcomplex<f32>>
  return
}

// -----
// stablehlo.composite
func.func private @callee(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  return %x : tensor<2x3xf32>
}
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.composite"(%a0) {name = "my.op", decomposition = @callee} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.concatenate
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<4x3xf32>) {
  %0 = "stablehlo.concatenate"(%a0, %a1) {dimension = 0 : i64} : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<6x3xf32>
  return
}

// -----
// stablehlo.constant
func.func @main() {
  %0 = "stablehlo.constant"() {value = dense<[1.0, 2.0]> : tensor<2xf32>} : () -> tensor<2xf32>
  return
}

// -----
// stablehlo.convert
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.convert"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xi32>
  return
}

// -----
// stablehlo.convolution
func.func @main(%a0: tensor<1x8x8x3xf32>, %a1: tensor<3x3x3x16xf32>) {
  %0 = "stablehlo.convolution"(%a0, %a1) {dimension_numbers = #stablehlo.conv<[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]>, feature_group_count = 1 : i64, batch_group_count = 1 : i64, padding = dense<1> : tensor<2x2xi64>, window_strides = array<i64: 2, 2>} : (tensor<1x8x8x3xf32>, tensor<3x3x3x16xf32>) -> tensor<1x4x4x16xf32>
  return
}

// -----
// stablehlo.cosine
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.cosine"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.count_leading_zeros
func.func @main(%a0: tensor<2x3xi32>) {
  %0 = "stablehlo.count_leading_zeros"(%a0) : (tensor<2x3xi32>) -> tensor<2x3xi32>
  return
}

// -----
// stablehlo.create_token
func.func @main() {
  %0 = "stablehlo.create_token"() : () -> !stablehlo.token
  return
}

// -----
// stablehlo.custom_call
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.custom_call"(%a0) {call_target_name = "target", has_side_effect = false, api_version = 4 : i32} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.divide
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2x3xf32>) {
  %0 = "stablehlo.divide"(%a0, %a1) : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.dot
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<3x4xf32>) {
  %0 = "stablehlo.dot"(%a0, %a1) : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return
}

// -----
// stablehlo.dot_general
func.func @main(%a0: tensor<5x2x3xf32>, %a1: tensor<5x3x4xf32>) {
  %0 = "stablehlo.dot_general"(%a0, %a1) {dot_dimension_numbers = #stablehlo.dot<lhs_batching_dimensions = [0], rhs_batching_dimensions = [0], lhs_contracting_dimensions = [2], rhs_contracting_dimensions = [1]>, precision_config = [#stablehlo<precision DEFAULT>, #stablehlo<precision DEFAULT>]} : (tensor<5x2x3xf32>, tensor<5x3x4xf32>) -> tensor<5x2x4xf32>
  return
}

// -----
// stablehlo.dynamic_broadcast_in_dim
func.func @main(%a0: tensor<1x3xf32>, %a1: tensor<3xi32>) {
  %0 = "stablehlo.dynamic_broadcast_in_dim"(%a0, %a1) {broadcast_dimensions = array<i64: 1, 2>} : (tensor<1x3xf32>, tensor<3xi32>) -> tensor<?x?x3xf32>
  return
}

// -----
// stablehlo.dynamic_conv
func.func @main(%a0: tensor<1x8x8x3xf32>, %a1: tensor<3x3x3x16xf32>, %a2: tensor<2x2xi32>) {
  %0 = "stablehlo.dynamic_conv"(%a0, %a1, %a2) {dimension_numbers = #stablehlo.conv<[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]>, feature_group_count = 1 : i64, batch_group_count = 1 : i64} : (tensor<1x8x8x3xf32>, tensor<3x3x3x16xf32>, tensor<2x2xi32>) -> tensor<1x?x?x16xf32>
  return
}

// -----
// stablehlo.dynamic_gather
func.func @main(%a0: tensor<10x4xf32>, %a1: tensor<5x1xi32>, %a2: tensor<2xi32>) {
  %0 = "stablehlo.dynamic_gather"(%a0, %a1, %a2) {dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>} : (tensor<10x4xf32>, tensor<5x1xi32>, tensor<2xi32>) -> tensor<5x?xf32>
  return
}

// -----
// stablehlo.dynamic_iota
func.func @main(%a0: tensor<2xi32>) {
  %0 = "stablehlo.dynamic_iota"(%a0) {iota_dimension = 0 : i64} : (tensor<2xi32>) -> tensor<?x?xf32>
  return
}

// -----
// stablehlo.dynamic_pad
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<f32>, %a2: tensor<2xi32>, %a3: tensor<2xi32>, %a4: tensor<2xi32>) {
  %0 = "stablehlo.dynamic_pad"(%a0, %a1, %a2, %a3, %a4) : (tensor<2x3xf32>, tensor<f32>, tensor<2xi32>, tensor<2xi32>, tensor<2xi32>) -> tensor<?x?xf32>
  return
}

// -----
// stablehlo.dynamic_reshape
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2xi32>) {
  %0 = "stablehlo.dynamic_reshape"(%a0, %a1) : (tensor<2x3xf32>, tensor<2xi32>) -> tensor<3x2xf32>
  return
}

// -----
// stablehlo.dynamic_slice
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<i32>, %a2: tensor<i32>) {
  %0 = "stablehlo.dynamic_slice"(%a0, %a1, %a2) {slice_sizes = array<i64: 1, 2>} : (tensor<2x3xf32>, tensor<i32>, tensor<i32>) -> tensor<1x2xf32>
  return
}

// -----
// stablehlo.dynamic_update_slice
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<1x2xf32>, %a2: tensor<i32>, %a3: tensor<i32>) {
  %0 = "stablehlo.dynamic_update_slice"(%a0, %a1, %a2, %a3) : (tensor<2x3xf32>, tensor<1x2xf32>, tensor<i32>, tensor<i32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.einsum
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<3x4xf32>) {
  %0 = "stablehlo.einsum"(%a0, %a1) {einsum_config = "ab,bc->ac"} : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return
}

// -----
// stablehlo.exponential
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.exponential"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.exponential_minus_one
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.exponential_minus_one"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.fft
func.func @main(%a0: tensor<2x3xcomplex<f32>>) {
  %0 = "stablehlo.fft"(%a0) {fft_type = #stablehlo<fft_type FFT>, fft_length = array<i64: 3>} : (tensor<2x3xcomplex<f32>>) -> tensor<2x3xcomplex<f32>>
  return
}

// -----
// stablehlo.floor
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.floor"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.gather
func.func @main(%a0: tensor<10x4xf32>, %a1: tensor<5x1xi32>) {
  %0 = "stablehlo.gather"(%a0, %a1) {dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, slice_sizes = array<i64: 1, 4>} : (tensor<10x4xf32>, tensor<5x1xi32>) -> tensor<5x4xf32>
  return
}

// -----
// stablehlo.get_dimension_size
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.get_dimension_size"(%a0) {dimension = 1 : i64} : (tensor<2x3xf32>) -> tensor<i32>
  return
}

// -----
// stablehlo.get_tuple_element
func.func @main(%a0: tuple<tensor<2xf32>, tensor<i32>>) {
  %0 = "stablehlo.get_tuple_element"(%a0) {index = 1 : i32} : (tuple<tensor<2xf32>, tensor<i32>>) -> tensor<i32>
  return
}

// -----
// stablehlo.if
func.func @main(%a0: tensor<i1>) {
  %0 = "stablehlo.if"(%a0) ({
    %c = "stablehlo.constant"() {value = dense<1.0> : tensor<2xf32>} : () -> tensor<2xf32>
    "stablehlo.return"(%c) : (tensor<2xf32>) -> ()
  }, {
    %c = "stablehlo.constant"() {value = dense<1.0> : tensor<2xf32>} : () -> tensor<2xf32>
    "stablehlo.return"(%c) : (tensor<2xf32>) -> ()
  }) : (tensor<i1>) -> tensor<2xf32>
  return
}

// -----
// stablehlo.imag
func.func @main(%a0: tensor<2x3xcomplex<f32>>) {
  %0 = "stablehlo.imag"(%a0) : (tensor<2x3xcomplex<f32>>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.infeed
func.func @main(%a0: !stablehlo.token) {
  %0:2 = "stablehlo.infeed"(%a0) {infeed_config = ""} : (!stablehlo.token) -> (tensor<2x3xf32>, !stablehlo.token)
  return
}

// -----
// stablehlo.iota
func.func @main() {
  %0 = "stablehlo.iota"() {iota_dimension = 1 : i64} : () -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.is_finite
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.is_finite"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xi1>
  return
}

// -----
// stablehlo.log
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.log"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.log_plus_one
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.log_plus_one"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.logistic
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.logistic"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.map
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2x3xf32>) {
  %0 = "stablehlo.map"(%a0, %a1) ({
  ^bb0(%x: tensor<f32>, %y: tensor<f32>):
    %s = "stablehlo.add"(%x, %y) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    "stablehlo.return"(%s) : (tensor<f32>) -> ()
  }) {dimensions = array<i64: 0, 1>} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.maximum
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2x3xf32>) {
  %0 = "stablehlo.maximum"(%a0, %a1) : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.minimum
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2x3xf32>) {
  %0 = "stablehlo.minimum"(%a0, %a1) : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.multiply
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2x3xf32>) {
  %0 = "stablehlo.multiply"(%a0, %a1) : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.negate
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.negate"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.not
func.func @main(%a0: tensor<2x3xi32>) {
  %0 = "stablehlo.not"(%a0) : (tensor<2x3xi32>) -> tensor<2x3xi32>
  return
}

// -----
// stablehlo.optimization_barrier
func.func @main(%a0: tensor<2x3xf32>, %a1: !stablehlo.token) {
  %0:2 = "stablehlo.optimization_barrier"(%a0, %a1) : (tensor<2x3xf32>, !stablehlo.token) -> (tensor<2x3xf32>, !stablehlo.token)
  return
}

// -----
// stablehlo.or
func.func @main(%a0: tensor<2x3xi32>, %a1: tensor<2x3xi32>) {
  %0 = "stablehlo.or"(%a0, %a1) : (tensor<2x3xi32>, tensor<2x3xi32>) -> tensor<2x3xi32>
  return
}

// -----
// stablehlo.outfeed
func.func @main(%a0: tensor<2x3xf32>, %a1: !stablehlo.token) {
  %0 = "stablehlo.outfeed"(%a0, %a1) {outfeed_config = ""} : (tensor<2x3xf32>, !stablehlo.token) -> !stablehlo.token
  return
}

// -----
// stablehlo.pad
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<f32>) {
  %0 = "stablehlo.pad"(%a0, %a1) {edge_padding_low = array<i64: 1, 0>, edge_padding_high = array<i64: 0, -1>, interior_padding = array<i64: 1, 0>} : (tensor<2x3xf32>, tensor<f32>) -> tensor<4x2xf32>
  return
}

// -----
// stablehlo.partition_id
func.func @main() {
  %0 = "stablehlo.partition_id"() : () -> tensor<ui32>
  return
}

// -----
// stablehlo.popcnt
func.func @main(%a0: tensor<2x3xi32>) {
  %0 = "stablehlo.popcnt"(%a0) : (tensor<2x3xi32>) -> tensor<2x3xi32>
  return
}

// -----
// stablehlo.power
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2x3xf32>) {
  %0 = "stablehlo.power"(%a0, %a1) : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.real
func.func @main(%a0: tensor<2x3xcomplex<f32>>) {
  %0 = "stablehlo.real"(%a0) : (tensor<2x3xcomplex<f32>>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.real_dynamic_slice
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2xi32>, %a2: tensor<2xi32>, %a3: tensor<2xi32>) {
  %0 = "stablehlo.real_dynamic_slice"(%a0, %a1, %a2, %a3) : (tensor<2x3xf32>, tensor<2xi32>, tensor<2xi32>, tensor<2xi32>) -> tensor<?x?xf32>
  return
}

// -----
// stablehlo.recv
func.func @main(%a0: !stablehlo.token) {
  %0:2 = "stablehlo.recv"(%a0) {channel_handle = #stablehlo.channel_handle<handle = 1, type = 1>, is_host_transfer = true} : (!stablehlo.token) -> (tensor<2x3xf32>, !stablehlo.token)
  return
}

// -----
// stablehlo.reduce, stablehlo.return
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<f32>) {
  %0 = "stablehlo.reduce"(%a0, %a1) ({
  ^bb0(%x: tensor<f32>, %y: tensor<f32>):
    %s = "stablehlo.add"(%x, %y) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    "stablehlo.return"(%s) : (tensor<f32>) -> ()
  }) {dimensions = array<i64: 1>} : (tensor<2x3xf32>, tensor<f32>) -> tensor<2xf32>
  return
}

// -----
// stablehlo.reduce_precision
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.reduce_precision"(%a0) {exponent_bits = 5 : i32, mantissa_bits = 10 : i32} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.reduce_scatter
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.reduce_scatter"(%a0) ({
  ^bb0(%x: tensor<f32>, %y: tensor<f32>):
    %s = "stablehlo.add"(%x, %y) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    "stablehlo.return"(%s) : (tensor<f32>) -> ()
  }) {scatter_dimension = 0 : i64, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>} : (tensor<2x3xf32>) -> tensor<1x3xf32>
  return
}

// -----
// stablehlo.reduce_window
func.func @main(%a0: tensor<4x6xf32>, %a1: tensor<f32>) {
  %0 = "stablehlo.reduce_window"(%a0, %a1) ({
  ^bb0(%x: tensor<f32>, %y: tensor<f32>):
    %s = "stablehlo.add"(%x, %y) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    "stablehlo.return"(%s) : (tensor<f32>) -> ()
  }) {window_dimensions = array<i64: 2, 3>, window_strides = array<i64: 2, 1>, padding = dense<0> : tensor<2x2xi64>} : (tensor<4x6xf32>, tensor<f32>) -> tensor<2x4xf32>
  return
}

// -----
// stablehlo.remainder
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2x3xf32>) {
  %0 = "stablehlo.remainder"(%a0, %a1) : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.replica_id
func.func @main() {
  %0 = "stablehlo.replica_id"() : () -> tensor<ui32>
  return
}

// -----
// stablehlo.reshape
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.reshape"(%a0) : (tensor<2x3xf32>) -> tensor<3x2xf32>
  return
}

// -----
// stablehlo.reverse
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.reverse"(%a0) {dimensions = array<i64: 1>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.rng
func.func @main(%a0: tensor<f32>, %a1: tensor<f32>, %a2: tensor<2xi64>) {
  %0 = "stablehlo.rng"(%a0, %a1, %a2) {rng_distribution = #stablehlo<rng_distribution UNIFORM>} : (tensor<f32>, tensor<f32>, tensor<2xi64>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.rng_bit_generator
func.func @main(%a0: tensor<2xui64>) {
  %0:2 = "stablehlo.rng_bit_generator"(%a0) {rng_algorithm = #stablehlo<rng_algorithm THREE_FRY>} : (tensor<2xui64>) -> (tensor<2xui64>, tensor<2x3xui32>)
  return
}

// -----
// stablehlo.round_nearest_afz
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.round_nearest_afz"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.round_nearest_even
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.round_nearest_even"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.rsqrt
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.rsqrt"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.scatter
func.func @main(%a0: tensor<10x4xf32>, %a1: tensor<5x1xi32>, %a2: tensor<5x4xf32>) {
  %0 = "stablehlo.scatter"(%a0, %a1, %a2) ({
  ^bb0(%x: tensor<f32>, %y: tensor<f32>):
    %s = "stablehlo.add"(%x, %y) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    "stablehlo.return"(%s) : (tensor<f32>) -> ()
  }) {scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [1], inserted_window_dims = [0], scatter_dims_to_operand_dims = [0], index_vector_dim = 1>} : (tensor<10x4xf32>, tensor<5x1xi32>, tensor<5x4xf32>) -> tensor<10x4xf32>
  return
}

// -----
// stablehlo.select
func.func @main(%a0: tensor<2x3xi1>, %a1: tensor<2x3xf32>, %a2: tensor<2x3xf32>) {
  %0 = "stablehlo.select"(%a0, %a1, %a2) : (tensor<2x3xi1>, tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.select_and_scatter
func.func @main(%a0: tensor<4x6xf32>, %a1: tensor<2x3xf32>, %a2: tensor<f32>) {
  %0 = "stablehlo.select_and_scatter"(%a0, %a1, %a2) ({
  ^bb0(%x: tensor<f32>, %y: tensor<f32>):
    %s = "stablehlo.compare"(%x, %y) {comparison_direction = #stablehlo<comparison_direction GE>} : (tensor<f32>, tensor<f32>) -> tensor<i1>
    "stablehlo.return"(%s) : (tensor<i1>) -> ()
  }, {
  ^bb0(%x: tensor<f32>, %y: tensor<f32>):
    %s = "stablehlo.add"(%x, %y) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    "stablehlo.return"(%s) : (tensor<f32>) -> ()
  }) {window_dimensions = array<i64: 2, 2>, window_strides = array<i64: 2, 2>} : (tensor<4x6xf32>, tensor<2x3xf32>, tensor<f32>) -> tensor<4x6xf32>
  return
}

// -----
// stablehlo.send
func.func @main(%a0: tensor<2x3xf32>, %a1: !stablehlo.token) {
  %0 = "stablehlo.send"(%a0, %a1) {channel_handle = #stablehlo.channel_handle<handle = 1, type = 1>, is_host_transfer = true} : (tensor<2x3xf32>, !stablehlo.token) -> !stablehlo.token
  return
}

// -----
// stablehlo.set_dimension_size
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<i32>) {
  %0 = "stablehlo.set_dimension_size"(%a0, %a1) {dimension = 1 : i64} : (tensor<2x3xf32>, tensor<i32>) -> tensor<2x?xf32>
  return
}

// -----
// stablehlo.shift_left
func.func @main(%a0: tensor<2x3xi32>, %a1: tensor<2x3xi32>) {
  %0 = "stablehlo.shift_left"(%a0, %a1) : (tensor<2x3xi32>, tensor<2x3xi32>) -> tensor<2x3xi32>
  return
}

// -----
// stablehlo.shift_right_arithmetic
func.func @main(%a0: tensor<2x3xi32>, %a1: tensor<2x3xi32>) {
  %0 = "stablehlo.shift_right_arithmetic"(%a0, %a1) : (tensor<2x3xi32>, tensor<2x3xi32>) -> tensor<2x3xi32>
  return
}

// -----
// stablehlo.shift_right_logical
func.func @main(%a0: tensor<2x3xi32>, %a1: tensor<2x3xi32>) {
  %0 = "stablehlo.shift_right_logical"(%a0, %a1) : (tensor<2x3xi32>, tensor<2x3xi32>) -> tensor<2x3xi32>
  return
}

// -----
// stablehlo.sign
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.sign"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.sine
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.sine"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.slice
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.slice"(%a0) {start_indices = array<i64: 0, 1>, limit_indices = array<i64: 2, 3>, strides = array<i64: 1, 2>} : (tensor<2x3xf32>) -> tensor<2x1xf32>
  return
}

// -----
// stablehlo.sort
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.sort"(%a0) ({
  ^bb0(%x: tensor<f32>, %y: tensor<f32>):
    %s = "stablehlo.compare"(%x, %y) {comparison_direction = #stablehlo<comparison_direction GE>} : (tensor<f32>, tensor<f32>) -> tensor<i1>
    "stablehlo.return"(%s) : (tensor<i1>) -> ()
  }) {dimension = 1 : i64, is_stable = true} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.sqrt
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.sqrt"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.subtract
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2x3xf32>) {
  %0 = "stablehlo.subtract"(%a0, %a1) : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.tan
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.tan"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.tanh
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.tanh"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.torch_index_select
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<5xi32>) {
  %0 = "stablehlo.torch_index_select"(%a0, %a1) {dim = 0 : i64, batch_dims = 0 : i64} : (tensor<2x3xf32>, tensor<5xi32>) -> tensor<5x3xf32>
  return
}

// -----
// stablehlo.transpose
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.transpose"(%a0) {permutation = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  return
}

// -----
// stablehlo.triangular_solve
func.func @main(%a0: tensor<3x3xf32>, %a1: tensor<3x4xf32>) {
  %0 = "stablehlo.triangular_solve"(%a0, %a1) {left_side = true, lower = true, unit_diagonal = false, transpose_a = #stablehlo<transpose NO_TRANSPOSE>} : (tensor<3x3xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return
}

// -----
// stablehlo.tuple
func.func @main(%a0: tensor<2x3xf32>, %a1: !stablehlo.token) {
  %0 = "stablehlo.tuple"(%a0, %a1) : (tensor<2x3xf32>, !stablehlo.token) -> tuple<tensor<2x3xf32>, !stablehlo.token>
  return
}

// -----
// stablehlo.unary_einsum
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.unary_einsum"(%a0) {einsum_config = "ab->a"} : (tensor<2x3xf32>) -> tensor<2xf32>
  return
}

// -----
// stablehlo.uniform_dequantize
func.func @main(%a0: tensor<2x3x!quant.uniform<i8:f32, 1.0:0>>) {
  %0 = "stablehlo.uniform_dequantize"(%a0) : (tensor<2x3x!quant.uniform<i8:f32, 1.0:0>>) -> tensor<2x3xf32>
  return
}

// -----
// stablehlo.uniform_quantize
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "stablehlo.uniform_quantize"(%a0) : (tensor<2x3xf32>) -> tensor<2x3x!quant.uniform<i8:f32, 1.0:0>>
  return
}

// -----
// stablehlo.while
func.func @main(%a0: tensor<i32>, %a1: tensor<2x3xf32>) {
  %0:2 = "stablehlo.while"(%a0, %a1) ({
  ^bb0(%i: tensor<i32>, %x: tensor<2x3xf32>):
    %p = "stablehlo.compare"(%i, %i) {comparison_direction = #stablehlo<comparison_direction LT>} : (tensor<i32>, tensor<i32>) -> tensor<i1>
    "stablehlo.return"(%p) : (tensor<i1>) -> ()
  }, {
  ^bb0(%i: tensor<i32>, %x: tensor<2x3xf32>):
    "stablehlo.return"(%i, %x) : (tensor<i32>, tensor<2x3xf32>) -> ()
  }) : (tensor<i32>, tensor<2x3xf32>) -> (tensor<i32>, tensor<2x3xf32>)
  return
}

// -----
// stablehlo.xor
func.func @main(%a0: tensor<2x3xi32>, %a1: tensor<2x3xi32>) {
  %0 = "stablehlo.xor"(%a0, %a1) : (tensor<2x3xi32>, tensor<2x3xi32>) -> tensor<2x3xi32>
  return
}

// -----
// chlo.acos
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "chlo.acos"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// chlo.acosh
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "chlo.acosh"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// chlo.asin
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "chlo.asin"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// chlo.asin_acos_kernel
func.func @main(%a0: tensor<2x3xcomplex<f32>>) {
  %0 = "chlo.asin_acos_kernel"(%a0) : (tensor<2x3xcomplex<f32>>) -> tensor<2x3xcomplex<f32>>
  return
}

// -----
// chlo.asinh
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "chlo.asinh"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// chlo.atan
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "chlo.atan"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// chlo.atanh
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "chlo.atanh"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// chlo.bessel_i1e
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "chlo.bessel_i1e"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// chlo.broadcast_add
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<3xf32>) {
  %0 = "chlo.broadcast_add"(%a0, %a1) {broadcast_dimensions = array<i64: 1>} : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// chlo.broadcast_and
func.func @main(%a0: tensor<2x3xi32>, %a1: tensor<3xi32>) {
  %0 = "chlo.broadcast_and"(%a0, %a1) : (tensor<2x3xi32>, tensor<3xi32>) -> tensor<2x3xi32>
  return
}

// -----
// chlo.broadcast_atan2
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<3xf32>) {
  %0 = "chlo.broadcast_atan2"(%a0, %a1) {broadcast_dimensions = array<i64: 1>} : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// chlo.broadcast_compare
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<3xf32>) {
  %0 = "chlo.broadcast_compare"(%a0, %a1) {comparison_direction = #chlo<comparison_direction LT>} : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xi1>
  return
}

// -----
// chlo.broadcast_complex
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<3xf32>) {
  %0 = "chlo.broadcast_complex"(%a0, %a1) : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xcomplex<f32>>
  return
}

// -----
// chlo.broadcast_divide
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<3xf32>) {
  %0 = "chlo.broadcast_divide"(%a0, %a1) {broadcast_dimensions = array<i64: 1>} : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// chlo.broadcast_maximum
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<3xf32>) {
  %0 = "chlo.broadcast_maximum"(%a0, %a1) {broadcast_dimensions = array<i64: 1>} : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// chlo.broadcast_minimum
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<3xf32>) {
  %0 = "chlo.broadcast_minimum"(%a0, %a1) {broadcast_dimensions = array<i64: 1>} : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// chlo.broadcast_multiply
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<3xf32>) {
  %0 = "chlo.broadcast_multiply"(%a0, %a1) {broadcast_dimensions = array<i64: 1>} : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// chlo.broadcast_next_after
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<3xf32>) {
  %0 = "chlo.broadcast_next_after"(%a0, %a1) {broadcast_dimensions = array<i64: 1>} : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// chlo.broadcast_or
func.func @main(%a0: tensor<2x3xi32>, %a1: tensor<3xi32>) {
  %0 = "chlo.broadcast_or"(%a0, %a1) : (tensor<2x3xi32>, tensor<3xi32>) -> tensor<2x3xi32>
  return
}

// -----
// chlo.broadcast_polygamma
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<3xf32>) {
  %0 = "chlo.broadcast_polygamma"(%a0, %a1) {broadcast_dimensions = array<i64: 1>} : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// chlo.broadcast_power
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<3xf32>) {
  %0 = "chlo.broadcast_power"(%a0, %a1) {broadcast_dimensions = array<i64: 1>} : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// chlo.broadcast_remainder
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<3xf32>) {
  %0 = "chlo.broadcast_remainder"(%a0, %a1) {broadcast_dimensions = array<i64: 1>} : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// chlo.broadcast_select
func.func @main(%a0: tensor<2x3xi1>, %a1: tensor<f32>, %a2: tensor<2x3xf32>) {
  %0 = "chlo.broadcast_select"(%a0, %a1, %a2) : (tensor<2x3xi1>, tensor<f32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// chlo.broadcast_shift_left
func.func @main(%a0: tensor<2x3xi32>, %a1: tensor<3xi32>) {
  %0 = "chlo.broadcast_shift_left"(%a0, %a1) : (tensor<2x3xi32>, tensor<3xi32>) -> tensor<2x3xi32>
  return
}

// -----
// chlo.broadcast_shift_right_arithmetic
func.func @main(%a0: tensor<2x3xi32>, %a1: tensor<3xi32>) {
  %0 = "chlo.broadcast_shift_right_arithmetic"(%a0, %a1) : (tensor<2x3xi32>, tensor<3xi32>) -> tensor<2x3xi32>
  return
}

// -----
// chlo.broadcast_shift_right_logical
func.func @main(%a0: tensor<2x3xi32>, %a1: tensor<3xi32>) {
  %0 = "chlo.broadcast_shift_right_logical"(%a0, %a1) : (tensor<2x3xi32>, tensor<3xi32>) -> tensor<2x3xi32>
  return
}

// -----
// chlo.broadcast_subtract
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<3xf32>) {
  %0 = "chlo.broadcast_subtract"(%a0, %a1) {broadcast_dimensions = array<i64: 1>} : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// chlo.broadcast_xor
func.func @main(%a0: tensor<2x3xi32>, %a1: tensor<3xi32>) {
  %0 = "chlo.broadcast_xor"(%a0, %a1) : (tensor<2x3xi32>, tensor<3xi32>) -> tensor<2x3xi32>
  return
}

// -----
// chlo.broadcast_zeta
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<3xf32>) {
  %0 = "chlo.broadcast_zeta"(%a0, %a1) {broadcast_dimensions = array<i64: 1>} : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// chlo.conj
func.func @main(%a0: tensor<2x3xcomplex<f32>>) {
  %0 = "chlo.conj"(%a0) : (tensor<2x3xcomplex<f32>>) -> tensor<2x3xcomplex<f32>>
  return
}

// -----
// chlo.constant
func.func @main() {
  %0 = "chlo.constant"() {value = dense<1.0> : tensor<2xf32>} : () -> tensor<2xf32>
  return
}

// -----
// chlo.constant_like
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "chlo.constant_like"(%a0) {value = 1.0 : f32} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// chlo.cosh
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "chlo.cosh"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// chlo.digamma
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "chlo.digamma"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// chlo.erf
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "chlo.erf"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// chlo.erf_inv
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "chlo.erf_inv"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// chlo.erfc
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "chlo.erfc"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// chlo.is_inf
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "chlo.is_inf"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xi1>
  return
}

// -----
// chlo.is_neg_inf
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "chlo.is_neg_inf"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xi1>
  return
}

// -----
// chlo.is_pos_inf
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "chlo.is_pos_inf"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xi1>
  return
}

// -----
// chlo.lgamma
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "chlo.lgamma"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// chlo.minimum_broadcast_shapes
func.func @main(%a0: tensor<3xindex>, %a1: tensor<2xindex>) {
  %0:2 = "chlo.minimum_broadcast_shapes"(%a0, %a1) : (tensor<3xindex>, tensor<2xindex>) -> (tensor<?xindex>, tensor<?xindex>)
  return
}

// -----
// chlo.mulhi
func.func @main(%a0: tensor<2x3xi32>, %a1: tensor<2x3xi32>) {
  %0 = "chlo.mulhi"(%a0, %a1) : (tensor<2x3xi32>, tensor<2x3xi32>) -> tensor<2x3xi32>
  return
}

// -----
// chlo.next_after
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2x3xf32>) {
  %0 = "chlo.next_after"(%a0, %a1) : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// chlo.polygamma
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2x3xf32>) {
  %0 = "chlo.polygamma"(%a0, %a1) : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// chlo.ragged_dot
func.func @main(%a0: tensor<11x5xf32>, %a1: tensor<3x5x7xf32>, %a2: tensor<3xi64>) {
  %0 = "chlo.ragged_dot"(%a0, %a1, %a2) {ragged_dot_dimension_numbers = #chlo.ragged_dot<lhs_batching_dimensions = [], rhs_batching_dimensions = [], lhs_contracting_dimensions = [1], rhs_contracting_dimensions = [1], lhs_ragged_dimensions = [0], rhs_group_dimensions = [0]>} : (tensor<11x5xf32>, tensor<3x5x7xf32>, tensor<3xi64>) -> tensor<11x7xf32>
  return
}

// -----
// chlo.scan
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<3xf32>) {
  %0:2 = "chlo.scan"(%a0, %a1) ({
  ^bb0(%x: tensor<3xf32>, %c: tensor<3xf32>):
    %s = "stablehlo.add"(%x, %c) : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    "stablehlo.return"(%s, %s) : (tensor<3xf32>, tensor<3xf32>) -> ()
  }) {dimension = 0 : i64, is_reverse = false} : (tensor<2x3xf32>, tensor<3xf32>) -> (tensor<2x3xf32>, tensor<3xf32>)
  return
}

// -----
// chlo.sinh
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "chlo.sinh"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// chlo.square
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "chlo.square"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// chlo.tan
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "chlo.tan"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// chlo.top_k
func.func @main(%a0: tensor<2x3xf32>) {
  %0:2 = "chlo.top_k"(%a0) {k = 2 : i64} : (tensor<2x3xf32>) -> (tensor<2x2xf32>, tensor<2x2xi32>)
  return
}

// -----
// chlo.zeta
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2x3xf32>) {
  %0 = "chlo.zeta"(%a0, %a1) : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// check.expect_almost_eq
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2x3xf32>) {
  "check.expect_almost_eq"(%a0, %a1) : (tensor<2x3xf32>, tensor<2x3xf32>) -> ()
  return
}

// -----
// check.expect_almost_eq_const
func.func @main(%a0: tensor<2x3xf32>) {
  "check.expect_almost_eq_const"(%a0) {value = dense<1.0> : tensor<2x3xf32>} : (tensor<2x3xf32>) -> ()
  return
}

// -----
// check.expect_close
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2x3xf32>) {
  "check.expect_close"(%a0, %a1) {max_ulp_difference = 3 : i64} : (tensor<2x3xf32>, tensor<2x3xf32>) -> ()
  return
}

// -----
// check.expect_eq
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2x3xf32>) {
  "check.expect_eq"(%a0, %a1) : (tensor<2x3xf32>, tensor<2x3xf32>) -> ()
  return
}

// -----
// check.expect_eq_const
func.func @main(%a0: tensor<2x3xf32>) {
  "check.expect_eq_const"(%a0) {value = dense<1.0> : tensor<2x3xf32>} : (tensor<2x3xf32>) -> ()
  return
}

// -----
// check.expect_serialized_eq
func.func @main(%a0: tensor<2x3xf32>) {
  "check.expect_serialized_eq"(%a0) {probe_id = "p"} : (tensor<2x3xf32>) -> ()
  return
}

// -----
// arith.addf
func.func @main(%a0: f32, %a1: f32) {
  %0 = "arith.addf"(%a0, %a1) : (f32, f32) -> f32
  return
}

// -----
// arith.addi
func.func @main(%a0: i32, %a1: i32) {
  %0 = "arith.addi"(%a0, %a1) : (i32, i32) -> i32
  return
}

// -----
// arith.andi
func.func @main(%a0: i32, %a1: i32) {
  %0 = "arith.andi"(%a0, %a1) : (i32, i32) -> i32
  return
}

// -----
// arith.cmpf
func.func @main(%a0: f32, %a1: f32) {
  %0 = "arith.cmpf"(%a0, %a1) {predicate = 4 : i64} : (f32, f32) -> i1
  return
}

// -----
// arith.cmpi
func.func @main(%a0: i32, %a1: i32) {
  %0 = "arith.cmpi"(%a0, %a1) {predicate = 2 : i64} : (i32, i32) -> i1
  return
}

// -----
// arith.constant
func.func @main() {
  %0 = "arith.constant"() {value = dense<[1, 2]> : tensor<2xi32>} : () -> tensor<2xi32>
  return
}

// -----
// arith.divf
func.func @main(%a0: f32, %a1: f32) {
  %0 = "arith.divf"(%a0, %a1) : (f32, f32) -> f32
  return
}

// -----
// arith.divsi
func.func @main(%a0: i32, %a1: i32) {
  %0 = "arith.divsi"(%a0, %a1) : (i32, i32) -> i32
  return
}

// -----
// arith.divui
func.func @main(%a0: i32, %a1: i32) {
  %0 = "arith.divui"(%a0, %a1) : (i32, i32) -> i32
  return
}

// -----
// arith.extf
func.func @main(%a0: tensor<2xf16>) {
  %0 = "arith.extf"(%a0) : (tensor<2xf16>) -> tensor<2xf32>
  return
}

// -----
// arith.extsi
func.func @main(%a0: tensor<2xi32>) {
  %0 = "arith.extsi"(%a0) : (tensor<2xi32>) -> tensor<2xi64>
  return
}

// -----
// arith.fptosi
func.func @main(%a0: tensor<2xf32>) {
  %0 = "arith.fptosi"(%a0) : (tensor<2xf32>) -> tensor<2xi32>
  return
}

// -----
// arith.index_cast
func.func @main(%a0: tensor<2xi64>) {
  %0 = "arith.index_cast"(%a0) : (tensor<2xi64>) -> tensor<2xindex>
  return
}

// -----
// arith.maxsi
func.func @main(%a0: i32, %a1: i32) {
  %0 = "arith.maxsi"(%a0, %a1) : (i32, i32) -> i32
  return
}

// -----
// arith.minsi
func.func @main(%a0: i32, %a1: i32) {
  %0 = "arith.minsi"(%a0, %a1) : (i32, i32) -> i32
  return
}

// -----
// arith.mulf
func.func @main(%a0: f32, %a1: f32) {
  %0 = "arith.mulf"(%a0, %a1) : (f32, f32) -> f32
  return
}

// -----
// arith.muli
func.func @main(%a0: i32, %a1: i32) {
  %0 = "arith.muli"(%a0, %a1) : (i32, i32) -> i32
  return
}

// -----
// arith.negf
func.func @main(%a0: f32) {
  %0 = "arith.negf"(%a0) : (f32) -> f32
  return
}

// -----
// arith.ori
func.func @main(%a0: i32, %a1: i32) {
  %0 = "arith.ori"(%a0, %a1) : (i32, i32) -> i32
  return
}

// -----
// arith.remsi
func.func @main(%a0: i32, %a1: i32) {
  %0 = "arith.remsi"(%a0, %a1) : (i32, i32) -> i32
  return
}

// -----
// arith.select
func.func @main(%a0: i1, %a1: f32, %a2: f32) {
  %0 = "arith.select"(%a0, %a1, %a2) : (i1, f32, f32) -> f32
  return
}

// -----
// arith.sitofp
func.func @main(%a0: tensor<2xi32>) {
  %0 = "arith.sitofp"(%a0) : (tensor<2xi32>) -> tensor<2xf32>
  return
}

// -----
// arith.subf
func.func @main(%a0: f32, %a1: f32) {
  %0 = "arith.subf"(%a0, %a1) : (f32, f32) -> f32
  return
}

// -----
// arith.subi
func.func @main(%a0: i32, %a1: i32) {
  %0 = "arith.subi"(%a0, %a1) : (i32, i32) -> i32
  return
}

// -----
// arith.trunci
func.func @main(%a0: tensor<2xi64>) {
  %0 = "arith.trunci"(%a0) : (tensor<2xi64>) -> tensor<2xi32>
  return
}

// -----
// arith.truncf
func.func @main(%a0: tensor<2xf32>) {
  %0 = "arith.truncf"(%a0) : (tensor<2xf32>) -> tensor<2xf16>
  return
}

// -----
// arith.uitofp
func.func @main(%a0: tensor<2xi32>) {
  %0 = "arith.uitofp"(%a0) : (tensor<2xi32>) -> tensor<2xf32>
  return
}

// -----
// arith.xori
func.func @main(%a0: i32, %a1: i32) {
  %0 = "arith.xori"(%a0, %a1) : (i32, i32) -> i32
  return
}

// -----
// cf.assert
func.func @main(%a0: i1) {
  "cf.assert"(%a0) {msg = "it does not hold"} : (i1) -> ()
  return
}

// -----
// interpreter.print
func.func @main(%a0: tensor<2x3xf32>) {
  "interpreter.print"(%a0) : (tensor<2x3xf32>) -> ()
  return
}

// -----
// interpreter.probe
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "interpreter.probe"(%a0) {probe_id = "p"} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// interpreter.run_parallel
func.func private @callee(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  return %x : tensor<2x3xf32>
}
func.func @main(%x: tensor<2x3xf32>) {
  %0 = "interpreter.run_parallel"(%x) {programs = [[@callee]]} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// tensor.cast
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "tensor.cast"(%a0) : (tensor<2x3xf32>) -> tensor<?x3xf32>
  return
}

// -----
// tensor.collapse_shape
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "tensor.collapse_shape"(%a0) {reassociation = [[0 : i64, 1 : i64]]} : (tensor<2x3xf32>) -> tensor<6xf32>
  return
}

// -----
// tensor.dim
func.func @main(%a0: tensor<2x3xf32>, %a1: index) {
  %0 = "tensor.dim"(%a0, %a1) : (tensor<2x3xf32>, index) -> index
  return
}

// -----
// tensor.expand_shape
func.func @main(%a0: tensor<6xf32>) {
  %0 = "tensor.expand_shape"(%a0) {reassociation = [[0 : i64, 1 : i64]], static_output_shape = array<i64: 2, 3>} : (tensor<6xf32>) -> tensor<2x3xf32>
  return
}

// -----
// tensor.extract
func.func @main(%a0: tensor<2x3xf32>, %a1: index, %a2: index) {
  %0 = "tensor.extract"(%a0, %a1, %a2) : (tensor<2x3xf32>, index, index) -> f32
  return
}

// -----
// tensor.from_elements
func.func @main(%a0: f32, %a1: f32) {
  %0 = "tensor.from_elements"(%a0, %a1) : (f32, f32) -> tensor<2xf32>
  return
}

// -----
// shape.assuming, shape.assuming_yield
func.func @main(%a0: !shape.witness) {
  %0 = "shape.assuming"(%a0) ({
    %c = "stablehlo.constant"() {value = dense<1.0> : tensor<2xf32>} : () -> tensor<2xf32>
    "shape.assuming_yield"(%c) : (tensor<2xf32>) -> ()
  }) : (!shape.witness) -> tensor<2xf32>
  return
}

// -----
// shape.broadcast
func.func @main(%a0: tensor<?xindex>, %a1: tensor<?xindex>) {
  %0 = "shape.broadcast"(%a0, %a1) : (tensor<?xindex>, tensor<?xindex>) -> tensor<?xindex>
  return
}

// -----
// shape.concat
func.func @main(%a0: !shape.shape, %a1: !shape.shape) {
  %0 = "shape.concat"(%a0, %a1) : (!shape.shape, !shape.shape) -> !shape.shape
  return
}

// -----
// shape.cstr_broadcastable
func.func @main(%a0: tensor<?xindex>, %a1: tensor<?xindex>) {
  %0 = "shape.cstr_broadcastable"(%a0, %a1) : (tensor<?xindex>, tensor<?xindex>) -> !shape.witness
  return
}

// -----
// shape.const_witness
func.func @main() {
  %0 = "shape.const_witness"() {passing = true} : () -> !shape.witness
  return
}

// -----
// shape.num_elements
func.func @main(%a0: tensor<?xindex>) {
  %0 = "shape.num_elements"(%a0) : (tensor<?xindex>) -> index
  return
}

// -----
// shape.shape_of
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "shape.shape_of"(%a0) : (tensor<2x3xf32>) -> tensor<2xindex>
  return
}

// -----
// shape.split_at
func.func @main(%a0: !shape.shape, %a1: index) {
  %0:2 = "shape.split_at"(%a0, %a1) : (!shape.shape, index) -> (!shape.shape, !shape.shape)
  return
}

// -----
// shape.to_extent_tensor
func.func @main(%a0: !shape.shape) {
  %0 = "shape.to_extent_tensor"(%a0) : (!shape.shape) -> tensor<?xindex>
  return
}

// -----
// sdy.mesh
sdy.mesh @mesh = <["x"=2]>
func.func @main() {
  return
}

// -----
// sdy.return, sdy.manual_computation
sdy.mesh @mesh = <["x"=2]>
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "sdy.manual_computation"(%a0) ({
  ^bb0(%x: tensor<1x3xf32>):
    "sdy.return"(%x) : (tensor<1x3xf32>) -> ()
  }) {in_shardings = #sdy.sharding_per_value<[<@mesh, [{"x"}, {}]>]>, out_shardings = #sdy.sharding_per_value<[<@mesh, [{"x"}, {}]>]>, manual_axes = #sdy<manual_axes{"x"}>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// sdy.sharding_constraint
sdy.mesh @mesh = <["x"=2]>
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "sdy.sharding_constraint"(%a0) {sharding = #sdy.sharding<@mesh, [{}, {}]>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// fx.call
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2x3xf32>) {
  %0 = "fx.call"(%a0, %a1) {target = "aten.add.Tensor", args = ["%0", "%1"], kwargs = {alpha = 1 : i64}, device = "cpu", stride = [3 : i64, 1 : i64]} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// fx.get_attr
func.func @main() {
  %0 = "fx.get_attr"() {target = "weight"} : () -> tensor<2x3xf32>
  return
}

// -----
// pyg.boundary
func.func @main(%a0: tensor<2xf32>) {
  %0 = "pyg.boundary"(%a0) {what = "custom_call @log", reason = "it is a host callback", remedy = "drop it"} : (tensor<2xf32>) -> tensor<3xf32>
  return
}

// -----
// pyg.attention
func.func @main(%a0: tensor<2x1x4x3xf32>, %a1: tensor<2x8x2x3xf32>, %a2: tensor<2x8x2x5xf32>, %a3: tensor<1x1x1x8xi1>, %a4: tensor<2x4x1x8xf32>, %a5: tensor<1x1xi32>, %a6: tensor<2xi32>) {
  %0 = "pyg.attention"(%a0, %a1, %a2, %a3, %a4, %a5, %a6) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32, key_scale = 0.5 : f64, scale = 0.5 : f64, divisor = 2.0 : f64, fill = -1.0e9 : f64, mask_adds = false, diagonal = 0 : i64, window = 4 : i64, safe = true, skips_below = true} : (tensor<2x1x4x3xf32>, tensor<2x8x2x3xf32>, tensor<2x8x2x5xf32>, tensor<1x1x1x8xi1>, tensor<2x4x1x8xf32>, tensor<1x1xi32>, tensor<2xi32>) -> tensor<2x1x4x5xf32>
  return
}

// -----
// pyg.kv.arena, pyg.kv.ensure, pyg.kv.retire
"pyg.kv.arena"() {sym_name = "kv", slots = 2 : i64, tokens_max = 8 : i64, layers = 1 : i64, heads = 2 : i64, features = array<i64: 3, 5>, element = f32, token_bytes = 64 : i64, handle_bytes = 2097152 : i64, bounded = true} : () -> ()
func.func @main(%a0: tensor<1x1xi32>) {
  "pyg.kv.ensure"(%a0) {arena = @kv, spread = "one", offsets = array<i64: 0, 0>} : (tensor<1x1xi32>) -> ()
  "pyg.kv.retire"(%a0) {arena = @kv, spread = "one", offsets = array<i64: 0, 0>, window = 4 : i64} : (tensor<1x1xi32>) -> ()
  return
}

// -----
// pyg.param_block, pyg.block.write, pyg.block.field
"pyg.param_block"() {sym_name = "b", bytes = 16 : i64, fields = [{name = "n", kind = "value", offset = 0 : i64, argument = 1 : i64, type = tensor<2xi32>}, {name = "x", kind = "address", offset = 8 : i64, argument = 0 : i64, type = tensor<2x3xf32>}]} : () -> ()
func.func @main(%a0: tensor<2xi32>, %a1: tensor<2x3xf32>) {
  "pyg.block.write"(%a0, %a1) {block = @b} : (tensor<2xi32>, tensor<2x3xf32>) -> ()
  %0 = "pyg.block.field"() {block = @b, field = "x"} : () -> tensor<2x3xf32>
  return
}

// -----
// pyg.empty
func.func @main() {
  %0 = "pyg.empty"() : () -> tensor<2x3xf32>
  return
}

// -----
// pyg.nest
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2x3xf32>) {
  %0 = "pyg.nest"(%a0, %a1) ({
  ^bb0(%x: f32):
    %s = "scalar.neg"(%x) : (f32) -> f32
    "scalar.yield"(%s) : (f32) -> ()
  }) {extents = array<i64: 2, 3>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>]} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
// pyg.fused
func.func @main(%a0: tensor<4xf32>) {
  %0 = "pyg.fused"(%a0) ({
  ^bb0(%x: tensor<4xf32>):
    %e = "pyg.empty"() : () -> tensor<4xf32>
    %n = "pyg.nest"(%x, %e) ({
    ^bb0(%v: f32):
      "scalar.yield"(%v) : (f32) -> ()
    }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    "pyg.yield"(%n) : (tensor<4xf32>) -> ()
  }) {name = "fused", rows = 4 : i64} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----
// pyg.kernel
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<3x4xf32>) {
  %0 = "pyg.kernel"(%a0, %a1) {kernel = "contract", attributes = {lhs_batch = array<i64>, rhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_contract = array<i64: 0>}} : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return
}

// -----
// pyg.view
func.func @main(%a0: tensor<2x3xf32>) {
  %0 = "pyg.view"(%a0) : (tensor<2x3xf32>) -> tensor<3x2xi32>
  return
}

// -----
// pyg.constant
func.func @main() {
  %0 = "pyg.constant"() {value = dense<1.0> : tensor<2xf32>} : () -> tensor<2xf32>
  return
}

// -----
// pyg.while, pyg.yield
func.func @main(%a0: tensor<i1>) {
  %0 = "pyg.while"(%a0) ({
  ^bb0(%p: tensor<i1>):
    "pyg.yield"(%p) : (tensor<i1>) -> ()
  }, {
  ^bb0(%p: tensor<i1>):
    "pyg.yield"(%p) : (tensor<i1>) -> ()
  }) : (tensor<i1>) -> tensor<i1>
  return
}

// -----
// pyg.switch
func.func @main(%a0: tensor<i32>) {
  %0 = "pyg.switch"(%a0) ({
    %c = "pyg.empty"() : () -> tensor<2xf32>
    "pyg.yield"(%c) : (tensor<2xf32>) -> ()
  }) : (tensor<i32>) -> tensor<2xf32>
  return
}

// -----
// pyg.segment
func.func @main() {
  %0 = "pyg.segment"() ({
    %c = "pyg.empty"() : () -> tensor<2xf32>
    "pyg.yield"(%c) : (tensor<2xf32>) -> ()
  }) {sym_name = "s0"} : () -> tensor<2xf32>
  return
}

// -----
// pyg.return
"func.func"() ({
^bb0(%x: tensor<2xf32>):
  "pyg.return"(%x) : (tensor<2xf32>) -> ()
}) {sym_name = "main", function_type = (tensor<2xf32>) -> tensor<2xf32>} : () -> ()
