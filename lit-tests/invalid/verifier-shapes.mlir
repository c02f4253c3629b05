// RUN: %pygraph-opt %s --pipeline= --split-input-file --verify-diagnostics

// Shapes, positions and element types that the rules of operations refuse.

func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<3x2xf32>) {
  // expected-error @below {{add takes tensors of one shape, but has [2, 3] and [3, 2]}}
  %0 = "stablehlo.add"(%a0, %a1) : (tensor<2x3xf32>, tensor<3x2xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2x3xi32>) {
  // expected-error @below {{add takes operands of one element type, but has f32 and i32}}
  %0 = "stablehlo.add"(%a0, %a1) : (tensor<2x3xf32>, tensor<2x3xi32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2x3xf32>) {
  // expected-error @below {{result 0 of stablehlo.add should be tensor<2x3xf32>, but is tensor<2x4xf32>}}
  %0 = "stablehlo.add"(%a0, %a1) : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2x3xf32>) {
  // expected-error @below {{compare in order SIGNED does not suit f32}}
  %0 = "stablehlo.compare"(%a0, %a1) {comparison_direction = #stablehlo<comparison_direction LT>, compare_type = #stablehlo<comparison_type SIGNED>} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>
  return
}

// -----

func.func @main(%a0: tensor<2xcomplex<f32>>, %a1: tensor<2xcomplex<f32>>) {
  // expected-error @below {{compare LT does not suit complex<f32>}}
  %0 = "stablehlo.compare"(%a0, %a1) {comparison_direction = #stablehlo<comparison_direction LT>} : (tensor<2xcomplex<f32>>, tensor<2xcomplex<f32>>) -> tensor<2xi1>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{`exponent_bits` should be at least 1, but is 0}}
  %0 = "stablehlo.reduce_precision"(%a0) {exponent_bits = 0 : i32, mantissa_bits = 10 : i32} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{`mantissa_bits` should be at least 0, but is -1}}
  %0 = "stablehlo.reduce_precision"(%a0) {exponent_bits = 5 : i32, mantissa_bits = -1 : i32} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{convert gives a tensor of the operand's shape [2, 3], but the result has [3, 2]}}
  %0 = "stablehlo.convert"(%a0) : (tensor<2x3xf32>) -> tensor<3x2xi32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{bitcast_convert of f32 to i8 needs an innermost dimension of 4 on the narrower side, but goes from [2, 3] to [2, 3, 2]}}
  %0 = "stablehlo.bitcast_convert"(%a0) : (tensor<2x3xf32>) -> tensor<2x3x2xi8>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{bitcast_convert is not between complex and real types}}
  %0 = "stablehlo.bitcast_convert"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xcomplex<f32>>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{`broadcast_dimensions` has 1 values, but should have one for each of 2 dimensions}}
  %0 = "stablehlo.broadcast_in_dim"(%a0) {broadcast_dimensions = array<i64: 0>} : (tensor<2x3xf32>) -> tensor<2x3x4xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{`broadcast_dimensions` names dimension 3 of a tensor that has 3}}
  %0 = "stablehlo.broadcast_in_dim"(%a0) {broadcast_dimensions = array<i64: 0, 3>} : (tensor<2x3xf32>) -> tensor<2x3x4xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{`broadcast_dimensions` names dimension 1 twice}}
  %0 = "stablehlo.broadcast_in_dim"(%a0) {broadcast_dimensions = array<i64: 1, 1>} : (tensor<2x3xf32>) -> tensor<2x3x4xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{broadcast_in_dim maps dimension 1 of extent 3 to dimension 2 of extent 4}}
  %0 = "stablehlo.broadcast_in_dim"(%a0) {broadcast_dimensions = array<i64: 0, 2>} : (tensor<2x3xf32>) -> tensor<2x3x4xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{broadcast_in_dim keeps the element type, but goes from f32 to i32}}
  %0 = "stablehlo.broadcast_in_dim"(%a0) {broadcast_dimensions = array<i64: 0, 1>} : (tensor<2x3xf32>) -> tensor<2x3x4xi32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{`broadcast_sizes` should not be negative}}
  %0 = "stablehlo.broadcast"(%a0) {broadcast_sizes = array<i64: -1>} : (tensor<2x3xf32>) -> tensor<1x2x3xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2x4xf32>) {
  // expected-error @below {{concatenate along dimension 0 does not fit [2, 3] and [2, 4]}}
  %0 = "stablehlo.concatenate"(%a0, %a1) {dimension = 0 : i64} : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<4x3xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2x3xf32>) {
  // expected-error @below {{`dimension` names dimension 2 of a tensor that has 2}}
  %0 = "stablehlo.concatenate"(%a0, %a1) {dimension = 2 : i64} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<4x3xf32>
  return
}

// -----

func.func @main() {
  // expected-error @below {{`iota_dimension` names dimension 2 of a tensor that has 2}}
  %0 = "stablehlo.iota"() {iota_dimension = 2 : i64} : () -> tensor<2x3xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<f32>) {
  // expected-error @below {{pad by -4 and 0 makes dimension 1 of extent 3 negative}}
  %0 = "stablehlo.pad"(%a0, %a1) {edge_padding_low = array<i64: 0, -4>, edge_padding_high = array<i64: 0, 0>, interior_padding = array<i64: 0, 0>} : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<f32>) {
  // expected-error @below {{`interior_padding` of dimension 1 is -1}}
  %0 = "stablehlo.pad"(%a0, %a1) {edge_padding_low = array<i64: 0, 0>, edge_padding_high = array<i64: 0, 0>, interior_padding = array<i64: 0, -1>} : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<f32>) {
  // expected-error @below {{`edge_padding_low` has 1 values, but should have one for each of 2 dimensions}}
  %0 = "stablehlo.pad"(%a0, %a1) {edge_padding_low = array<i64: 0>, edge_padding_high = array<i64: 0, 0>, interior_padding = array<i64: 0, 0>} : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{reshape from [2, 3] (6 elements) to [2, 4] (8 elements)}}
  %0 = "stablehlo.reshape"(%a0) : (tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{slice takes 2 to 4 of dimension 1, which has extent 3}}
  %0 = "stablehlo.slice"(%a0) {start_indices = array<i64: 0, 2>, limit_indices = array<i64: 2, 4>, strides = array<i64: 1, 1>} : (tensor<2x3xf32>) -> tensor<2x2xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{slice has stride 0 in dimension 1}}
  %0 = "stablehlo.slice"(%a0) {start_indices = array<i64: 0, 0>, limit_indices = array<i64: 2, 3>, strides = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{`permutation` names dimension 0 twice}}
  %0 = "stablehlo.transpose"(%a0) {permutation = array<i64: 0, 0>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{`dimension` names dimension 2 of a tensor that has 2}}
  %0 = "stablehlo.get_dimension_size"(%a0) {dimension = 2 : i64} : (tensor<2x3xf32>) -> tensor<i32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<i32>) {
  // expected-error @below {{set_dimension_size takes tensors of one shape, but has [2] and [3]}}
  %0 = "stablehlo.set_dimension_size"(%a0, %a1) {dimension = 1 : i64} : (tensor<2x3xf32>, tensor<i32>) -> tensor<3x?xf32>
  return
}

// -----

func.func @main(%a0: tensor<8x64xf32>, %a1: tensor<128x8xf32>) {
  // expected-error @below {{dot_general contracts 64 with 128}}
  %0 = "stablehlo.dot_general"(%a0, %a1) {dot_dimension_numbers = #stablehlo.dot<lhs_contracting_dimensions = [1], rhs_contracting_dimensions = [0]>} : (tensor<8x64xf32>, tensor<128x8xf32>) -> tensor<8x8xf32>
  return
}

// -----

func.func @main(%a0: tensor<8x64xf32>, %a1: tensor<64x8xf32>) {
  // expected-error @below {{dot_general contracts 2 dimensions of lhs and 1 of rhs}}
  %0 = "stablehlo.dot_general"(%a0, %a1) {dot_dimension_numbers = #stablehlo.dot<lhs_contracting_dimensions = [0, 1], rhs_contracting_dimensions = [0]>} : (tensor<8x64xf32>, tensor<64x8xf32>) -> tensor<8xf32>
  return
}

// -----

func.func @main(%a0: tensor<8x64xf32>, %a1: tensor<64x8xf32>) {
  // expected-error @below {{`lhs_contracting_dimensions` names dimension 2 of a tensor that has 2}}
  %0 = "stablehlo.dot_general"(%a0, %a1) {dot_dimension_numbers = #stablehlo.dot<lhs_contracting_dimensions = [2], rhs_contracting_dimensions = [0]>} : (tensor<8x64xf32>, tensor<64x8xf32>) -> tensor<8x8xf32>
  return
}

// -----

func.func @main(%a0: tensor<4x8x64xf32>, %a1: tensor<5x64x8xf32>) {
  // expected-error @below {{dot_general has batches of 4 with 5}}
  %0 = "stablehlo.dot_general"(%a0, %a1) {dot_dimension_numbers = #stablehlo.dot<lhs_batching_dimensions = [0], rhs_batching_dimensions = [0], lhs_contracting_dimensions = [2], rhs_contracting_dimensions = [1]>} : (tensor<4x8x64xf32>, tensor<5x64x8xf32>) -> tensor<4x8x8xf32>
  return
}

// -----

func.func @main(%a0: tensor<8x64xf32>, %a1: tensor<64x8xf32>) {
  // expected-error @below {{dot_general has dimension 0 of lhs as a batch and contracts it}}
  %0 = "stablehlo.dot_general"(%a0, %a1) {dot_dimension_numbers = #stablehlo.dot<lhs_batching_dimensions = [0], rhs_batching_dimensions = [0], lhs_contracting_dimensions = [0], rhs_contracting_dimensions = [1]>} : (tensor<8x64xf32>, tensor<64x8xf32>) -> tensor<8x8xf32>
  return
}

// -----

func.func @main(%a0: tensor<8x64xf32>, %a1: tensor<128x8xf32>) {
  // expected-error @below {{dot contracts 64 with 128}}
  %0 = "stablehlo.dot"(%a0, %a1) : (tensor<8x64xf32>, tensor<128x8xf32>) -> tensor<8x8xf32>
  return
}

// -----

func.func @main(%a0: tensor<8x64x2xf32>, %a1: tensor<64x8xf32>) {
  // expected-error @below {{dot takes vectors and matrices, but has [8, 64, 2] and [64, 8]}}
  %0 = "stablehlo.dot"(%a0, %a1) : (tensor<8x64x2xf32>, tensor<64x8xf32>) -> tensor<8x8xf32>
  return
}

// -----

func.func @main(%a0: tensor<3x4xf32>) {
  // expected-error @below {{cholesky takes square matrices, but has [3, 4]}}
  %0 = "stablehlo.cholesky"(%a0) : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return
}

// -----

func.func @main(%a0: tensor<3x3xf32>, %a1: tensor<4x3xf32>) {
  // expected-error @below {{triangular_solve has matrices of 3 for a side of 4}}
  %0 = "stablehlo.triangular_solve"(%a0, %a1) {left_side = true, lower = true, unit_diagonal = false, transpose_a = #stablehlo<transpose NO_TRANSPOSE>} : (tensor<3x3xf32>, tensor<4x3xf32>) -> tensor<4x3xf32>
  return
}

// -----

func.func @main(%a0: tensor<3x3xf32>, %a1: tensor<3x3xf32>) {
  // expected-error @below {{`transpose_a` is TRANSPOSE_INVALID}}
  %0 = "stablehlo.triangular_solve"(%a0, %a1) {left_side = true, lower = true, unit_diagonal = false, transpose_a = #stablehlo<transpose TRANSPOSE_INVALID>} : (tensor<3x3xf32>, tensor<3x3xf32>) -> tensor<3x3xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3x3xf32>, %a1: tensor<3x3xf32>) {
  // expected-error @below {{triangular_solve has [2, 3, 3] and [3, 3]}}
  %0 = "stablehlo.triangular_solve"(%a0, %a1) {left_side = true, lower = true, unit_diagonal = false, transpose_a = #stablehlo<transpose TRANSPOSE>} : (tensor<2x3x3xf32>, tensor<3x3xf32>) -> tensor<3x3xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{fft FFT does not suit f32}}
  %0 = "stablehlo.fft"(%a0) {fft_type = #stablehlo<fft_type FFT>, fft_length = array<i64: 3>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @main(%a0: tensor<8xcomplex<f32>>) {
  // expected-error @below {{fft FFT of length 6 needs extent 6, but has 8}}
  %0 = "stablehlo.fft"(%a0) {fft_type = #stablehlo<fft_type FFT>, fft_length = array<i64: 6>} : (tensor<8xcomplex<f32>>) -> tensor<8xcomplex<f32>>
  return
}

// -----

func.func @main(%a0: tensor<8xcomplex<f32>>) {
  // expected-error @below {{`fft_length` has 2 values for a tensor of 1 dimensions}}
  %0 = "stablehlo.fft"(%a0) {fft_type = #stablehlo<fft_type FFT>, fft_length = array<i64: 8, 8>} : (tensor<8xcomplex<f32>>) -> tensor<8xcomplex<f32>>
  return
}

// -----

func.func @main(%a0: tensor<4x8x8x6xf32>, %a1: tensor<3x3x4x16xf32>) {
  // expected-error @below {{convolution has 6 input features in 1 groups, but its kernel takes 4}}
  %0 = "stablehlo.convolution"(%a0, %a1) {dimension_numbers = #stablehlo.conv<[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]>, feature_group_count = 1 : i64, batch_group_count = 1 : i64} : (tensor<4x8x8x6xf32>, tensor<3x3x4x16xf32>) -> tensor<4x6x6x16xf32>
  return
}

// -----

func.func @main(%a0: tensor<4x8x8x6xf32>, %a1: tensor<3x3x6x16xf32>) {
  // expected-error @below {{convolution cannot divide input features 6 into 4 groups}}
  %0 = "stablehlo.convolution"(%a0, %a1) {dimension_numbers = #stablehlo.conv<[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]>, feature_group_count = 4 : i64, batch_group_count = 1 : i64} : (tensor<4x8x8x6xf32>, tensor<3x3x6x16xf32>) -> tensor<4x6x6x16xf32>
  return
}

// -----

func.func @main(%a0: tensor<4x8x8x6xf32>, %a1: tensor<3x3x6x16xf32>) {
  // expected-error @below {{convolution has 2 feature groups and 2 batch groups, but one must be 1}}
  %0 = "stablehlo.convolution"(%a0, %a1) {dimension_numbers = #stablehlo.conv<[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]>, feature_group_count = 2 : i64, batch_group_count = 2 : i64} : (tensor<4x8x8x6xf32>, tensor<3x3x6x16xf32>) -> tensor<4x6x6x16xf32>
  return
}

// -----

func.func @main(%a0: tensor<4x8x8x6xf32>, %a1: tensor<3x3x6x16xf32>) {
  // expected-error @below {{`feature_group_count` should be at least 1, but is 0}}
  %0 = "stablehlo.convolution"(%a0, %a1) {dimension_numbers = #stablehlo.conv<[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]>, feature_group_count = 0 : i64, batch_group_count = 1 : i64} : (tensor<4x8x8x6xf32>, tensor<3x3x6x16xf32>) -> tensor<4x6x6x16xf32>
  return
}

// -----

func.func @main(%a0: tensor<4x8x8x6xf32>, %a1: tensor<3x6x16xf32>) {
  // expected-error @below {{convolution has [4, 8, 8, 6] and [3, 6, 16]}}
  %0 = "stablehlo.convolution"(%a0, %a1) {dimension_numbers = #stablehlo.conv<[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]>, feature_group_count = 1 : i64, batch_group_count = 1 : i64} : (tensor<4x8x8x6xf32>, tensor<3x6x16xf32>) -> tensor<4x6x6x16xf32>
  return
}

// -----

func.func @main(%a0: tensor<4x8x8x6xf32>, %a1: tensor<3x3x6x16xf32>) {
  // expected-error @below {{the window has stride 0 in dimension 2}}
  %0 = "stablehlo.convolution"(%a0, %a1) {dimension_numbers = #stablehlo.conv<[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]>, feature_group_count = 1 : i64, batch_group_count = 1 : i64, window_strides = array<i64: 2, 0>} : (tensor<4x8x8x6xf32>, tensor<3x3x6x16xf32>) -> tensor<4x3x3x16xf32>
  return
}

// -----

func.func @main(%a0: tensor<4x8x8x6xf32>, %a1: tensor<3x3x6x16xf32>) {
  // expected-error @below {{`window_strides` has 1, but should have one for each of 2 dimensions}}
  %0 = "stablehlo.convolution"(%a0, %a1) {dimension_numbers = #stablehlo.conv<[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]>, feature_group_count = 1 : i64, batch_group_count = 1 : i64, window_strides = array<i64: 2>} : (tensor<4x8x8x6xf32>, tensor<3x3x6x16xf32>) -> tensor<4x3x3x16xf32>
  return
}

// -----

func.func @main(%a0: tensor<4x8x8x6xf32>, %a1: tensor<3x3x6x16xf32>) {
  // expected-error @below {{`padding` should be 2x2, but is tensor<3x2xi64>}}
  %0 = "stablehlo.convolution"(%a0, %a1) {dimension_numbers = #stablehlo.conv<[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]>, feature_group_count = 1 : i64, batch_group_count = 1 : i64, padding = dense<1> : tensor<3x2xi64>} : (tensor<4x8x8x6xf32>, tensor<3x3x6x16xf32>) -> tensor<4x8x8x16xf32>
  return
}

// -----

func.func @main(%a0: tensor<10x4xf32>, %a1: tensor<5x1xi32>) {
  // expected-error @below {{gather takes slices of 5 in dimension 1, which has extent 4}}
  %0 = "stablehlo.gather"(%a0, %a1) {dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, slice_sizes = array<i64: 1, 5>} : (tensor<10x4xf32>, tensor<5x1xi32>) -> tensor<5x5xf32>
  return
}

// -----

func.func @main(%a0: tensor<10x4xf32>, %a1: tensor<5x1xi32>) {
  // expected-error @below {{gather leaves out dimension 0, so slices there have extent 1 and not 2}}
  %0 = "stablehlo.gather"(%a0, %a1) {dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, slice_sizes = array<i64: 2, 4>} : (tensor<10x4xf32>, tensor<5x1xi32>) -> tensor<5x4xf32>
  return
}

// -----

func.func @main(%a0: tensor<10x4xf32>, %a1: tensor<5x1xi32>) {
  // expected-error @below {{`index_vector_dim` is 3, but the indices have 2 dimensions}}
  %0 = "stablehlo.gather"(%a0, %a1) {dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 3>, slice_sizes = array<i64: 1, 4>} : (tensor<10x4xf32>, tensor<5x1xi32>) -> tensor<5x4xf32>
  return
}

// -----

func.func @main(%a0: tensor<10x4xf32>, %a1: tensor<5x1xi32>) {
  // expected-error @below {{`start_index_map` names 2 dimensions, but index vectors have 1}}
  %0 = "stablehlo.gather"(%a0, %a1) {dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0, 1], index_vector_dim = 1>, slice_sizes = array<i64: 1, 4>} : (tensor<10x4xf32>, tensor<5x1xi32>) -> tensor<5x4xf32>
  return
}

// -----

func.func @main(%a0: tensor<10x4xf32>, %a1: tensor<5x1xi32>) {
  // expected-error @below {{`offset_dims` names 2 dimensions, but slices have 1}}
  %0 = "stablehlo.gather"(%a0, %a1) {dimension_numbers = #stablehlo.gather<offset_dims = [0, 1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, slice_sizes = array<i64: 1, 4>} : (tensor<10x4xf32>, tensor<5x1xi32>) -> tensor<5x4xf32>
  return
}

// -----

func.func @main(%a0: tensor<5x4xf32>, %a1: tensor<5x1xi32>) {
  // expected-error @below {{`start_index_map` names dimension 0, which is a batching dimension}}
  %0 = "stablehlo.gather"(%a0, %a1) {dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [], operand_batching_dims = [0], start_indices_batching_dims = [0], start_index_map = [0], index_vector_dim = 1>, slice_sizes = array<i64: 1, 4>} : (tensor<5x4xf32>, tensor<5x1xi32>) -> tensor<5x4xf32>
  return
}

// -----

func.func @main(%a0: tensor<4x8x8x6xf32>, %a1: tensor<3x3x6x16xf32>) {
  // expected-error @below {{result 0 of stablehlo.convolution should be tensor<4x6x6x16xf32>, but is tensor<4x6x6x8xf32>}}
  %0 = "stablehlo.convolution"(%a0, %a1) {dimension_numbers = #stablehlo.conv<[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]>, feature_group_count = 1 : i64, batch_group_count = 1 : i64} : (tensor<4x8x8x6xf32>, tensor<3x3x6x16xf32>) -> tensor<4x6x6x8xf32>
  return
}

// -----

func.func @main(%a0: tensor<10x4xf32>, %a1: tensor<5x1xi32>, %a2: tensor<6x4xf32>) {
  // expected-error @below {{scatter takes updates of shape [5, ?], but has [6, 4]}}
  %0 = "stablehlo.scatter"(%a0, %a1, %a2) ({
  ^bb0(%x0: tensor<f32>, %x1: tensor<f32>):
    %s = "stablehlo.add"(%x0, %x1) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    "stablehlo.return"(%s) : (tensor<f32>) -> ()
  }) {scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [1], inserted_window_dims = [0], scatter_dims_to_operand_dims = [0], index_vector_dim = 1>} : (tensor<10x4xf32>, tensor<5x1xi32>, tensor<6x4xf32>) -> tensor<10x4xf32>
  return
}

// -----

func.func @main(%a0: tensor<10x4xf32>, %a1: tensor<5x1xi32>, %a2: tensor<5x5xf32>) {
  // expected-error @below {{scatter updates slices of 5 in dimension 1, which has extent 4}}
  %0 = "stablehlo.scatter"(%a0, %a1, %a2) ({
  ^bb0(%x0: tensor<f32>, %x1: tensor<f32>):
    %s = "stablehlo.add"(%x0, %x1) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    "stablehlo.return"(%s) : (tensor<f32>) -> ()
  }) {scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [1], inserted_window_dims = [0], scatter_dims_to_operand_dims = [0], index_vector_dim = 1>} : (tensor<10x4xf32>, tensor<5x1xi32>, tensor<5x5xf32>) -> tensor<10x4xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<i32>) {
  // expected-error @below {{dynamic_slice has 1 indices for 2 dimensions}}
  %0 = "stablehlo.dynamic_slice"(%a0, %a1) {slice_sizes = array<i64: 1, 2>} : (tensor<2x3xf32>, tensor<i32>) -> tensor<1x2xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<i32>, %a2: tensor<i64>) {
  // expected-error @below {{dynamic_slice has indices of several types}}
  %0 = "stablehlo.dynamic_slice"(%a0, %a1, %a2) {slice_sizes = array<i64: 1, 2>} : (tensor<2x3xf32>, tensor<i32>, tensor<i64>) -> tensor<1x2xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<i32>, %a2: tensor<i32>) {
  // expected-error @below {{dynamic_slice takes 4 of dimension 1, which has extent 3}}
  %0 = "stablehlo.dynamic_slice"(%a0, %a1, %a2) {slice_sizes = array<i64: 1, 4>} : (tensor<2x3xf32>, tensor<i32>, tensor<i32>) -> tensor<1x4xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<3x1xf32>, %a2: tensor<i32>, %a3: tensor<i32>) {
  // expected-error @below {{dynamic_update_slice puts 3 into dimension 0, which has extent 2}}
  %0 = "stablehlo.dynamic_update_slice"(%a0, %a1, %a2, %a3) : (tensor<2x3xf32>, tensor<3x1xf32>, tensor<i32>, tensor<i32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<3xf32>, %a2: tensor<i32>, %a3: tensor<i32>) {
  // expected-error @below {{dynamic_update_slice puts [3] into [2, 3]}}
  %0 = "stablehlo.dynamic_update_slice"(%a0, %a1, %a2, %a3) : (tensor<2x3xf32>, tensor<3xf32>, tensor<i32>, tensor<i32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<5xi32>) {
  // expected-error @below {{`batch_dims` should be at most `dim` and the index's number of dimensions}}
  %0 = "stablehlo.torch_index_select"(%a0, %a1) {dim = 0 : i64, batch_dims = 1 : i64} : (tensor<2x3xf32>, tensor<5xi32>) -> tensor<5x3xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<3xi32>) {
  // expected-error @below {{`output_shape` has 3 values, but should have one for each of 2 dimensions}}
  %0 = "stablehlo.dynamic_reshape"(%a0, %a1) : (tensor<2x3xf32>, tensor<3xi32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<f32>, %a2: tensor<2xi32>, %a3: tensor<2xi32>, %a4: tensor<2xi32>) {
  // expected-error @below {{dynamic_pad goes from 2 to 1 dimensions}}
  %0 = "stablehlo.dynamic_pad"(%a0, %a1, %a2, %a3, %a4) : (tensor<2x3xf32>, tensor<f32>, tensor<2xi32>, tensor<2xi32>, tensor<2xi32>) -> tensor<?xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2xi32>, %a2: tensor<2xi32>, %a3: tensor<2xi32>) {
  // expected-error @below {{real_dynamic_slice goes from 2 to 1 dimensions}}
  %0 = "stablehlo.real_dynamic_slice"(%a0, %a1, %a2, %a3) : (tensor<2x3xf32>, tensor<2xi32>, tensor<2xi32>, tensor<2xi32>) -> tensor<?xf32>
  return
}

// -----

func.func @main(%a0: tensor<10x4xf32>, %a1: tensor<5x1xi32>, %a2: tensor<3xi32>) {
  // expected-error @below {{`slice_sizes` has 3 values for 2 dimensions}}
  %0 = "stablehlo.dynamic_gather"(%a0, %a1, %a2) {dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>} : (tensor<10x4xf32>, tensor<5x1xi32>, tensor<3xi32>) -> tensor<5x?xf32>
  return
}

// -----

func.func @main(%a0: tensor<f32>, %a1: tensor<f64>, %a2: tensor<2xi64>) {
  // expected-error @below {{rng takes and gives one element type, but has f32, f64 and f32}}
  %0 = "stablehlo.rng"(%a0, %a1, %a2) {rng_distribution = #stablehlo<rng_distribution UNIFORM>} : (tensor<f32>, tensor<f64>, tensor<2xi64>) -> tensor<2x3xf32>
  return
}

// -----

func.func @main(%a0: tensor<f32>, %a1: tensor<f32>, %a2: tensor<3xi64>) {
  // expected-error @below {{`shape` has 3 values for 2 dimensions}}
  %0 = "stablehlo.rng"(%a0, %a1, %a2) {rng_distribution = #stablehlo<rng_distribution UNIFORM>} : (tensor<f32>, tensor<f32>, tensor<3xi64>) -> tensor<2x3xf32>
  return
}

// -----

func.func @main(%a0: tensor<i32>, %a1: tensor<i32>, %a2: tensor<2xi64>) {
  // expected-error @below {{rng NORMAL does not suit i32}}
  %0 = "stablehlo.rng"(%a0, %a1, %a2) {rng_distribution = #stablehlo<rng_distribution NORMAL>} : (tensor<i32>, tensor<i32>, tensor<2xi64>) -> tensor<2x3xi32>
  return
}

// -----

func.func @main(%a0: tensor<3xui64>) {
  // expected-error @below {{rng_bit_generator THREE_FRY does not suit a state of tensor<3xui64>}}
  %0:2 = "stablehlo.rng_bit_generator"(%a0) {rng_algorithm = #stablehlo<rng_algorithm THREE_FRY>} : (tensor<3xui64>) -> (tensor<3xui64>, tensor<2x3xui32>)
  return
}

// -----

func.func @main(%a0: tensor<2xui64>) {
  // expected-error @below {{rng_bit_generator keeps the state's type tensor<2xui64>, but gives tensor<3xui64>}}
  %0:2 = "stablehlo.rng_bit_generator"(%a0) {rng_algorithm = #stablehlo<rng_algorithm PHILOX>} : (tensor<2xui64>) -> (tensor<3xui64>, tensor<2x3xui32>)
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2xf32>, %a2: tensor<3xf32>) {
  // expected-error @below {{batch_norm_training has 3 features, but operand 1 has 2}}
  %0:3 = "stablehlo.batch_norm_training"(%a0, %a1, %a2) {epsilon = 1.0e-03 : f32, feature_index = 1 : i64} : (tensor<2x3xf32>, tensor<2xf32>, tensor<3xf32>) -> (tensor<2x3xf32>, tensor<3xf32>, tensor<3xf32>)
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<3xf32>, %a2: tensor<3xf32>) {
  // expected-error @below {{`feature_index` names dimension 2 of a tensor that has 2}}
  %0:3 = "stablehlo.batch_norm_training"(%a0, %a1, %a2) {epsilon = 1.0e-03 : f32, feature_index = 2 : i64} : (tensor<2x3xf32>, tensor<3xf32>, tensor<3xf32>) -> (tensor<2x3xf32>, tensor<3xf32>, tensor<3xf32>)
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{`operand_layouts` and `result_layouts` come together}}
  %0 = "stablehlo.custom_call"(%a0) {call_target_name = "f", operand_layouts = [dense<[0, 1]> : tensor<2xindex>]} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{`operand_layouts` has 0 layouts for 1 values}}
  %0 = "stablehlo.custom_call"(%a0) {call_target_name = "f", operand_layouts = [], result_layouts = [dense<[0, 1]> : tensor<2xindex>]} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{`output_operand_aliases` names operand 1 of 1}}
  %0 = "stablehlo.custom_call"(%a0) {call_target_name = "f", output_operand_aliases = [#stablehlo.output_operand_alias<output_tuple_indices = [], operand_index = 1, operand_tuple_indices = []>]} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @main(%a0: tuple<tensor<2xf32>, tensor<i32>>) {
  // expected-error @below {{get_tuple_element takes element 2 of a tuple of 2: (tensor<2xf32>, tensor<i32>)}}
  %0 = "stablehlo.get_tuple_element"(%a0) {index = 2 : i32} : (tuple<tensor<2xf32>, tensor<i32>>) -> tensor<i32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{all_gather along dimension 0 goes from 2 to 5 in dimension 0}}
  %0 = "stablehlo.all_gather"(%a0) {all_gather_dim = 0 : i64, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>} : (tensor<2x3xf32>) -> tensor<5x3xf32>
  return
}

// -----

func.func @main(%a0: tensor<3x4xf32>) {
  // expected-error @below {{all_to_all cannot split 3 by 2}}
  %0 = "stablehlo.all_to_all"(%a0) {split_dimension = 0 : i64, concat_dimension = 1 : i64, split_count = 2 : i64, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{`source_target_pairs` names process 0 twice}}
  %0 = "stablehlo.collective_permute"(%a0) {source_target_pairs = dense<[[0, 1], [0, 2]]> : tensor<2x2xi64>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2x3xi32>) {
  // expected-error @below {{expect_eq compares f32 with i32}}
  "check.expect_eq"(%a0, %a1) : (tensor<2x3xf32>, tensor<2x3xi32>) -> ()
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{expect_eq_const takes tensors of one shape, but has [2, 3] and [3, 2]}}
  "check.expect_eq_const"(%a0) {value = dense<1.0> : tensor<3x2xf32>} : (tensor<2x3xf32>) -> ()
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2xf32>) {
  // expected-error @below {{broadcast_add can't broadcast [2, 3] and [2] to one shape}}
  %0 = "chlo.broadcast_add"(%a0, %a1) : (tensor<2x3xf32>, tensor<2xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{top_k takes 4 of 3}}
  %0:2 = "chlo.top_k"(%a0) {k = 4 : i64} : (tensor<2x3xf32>) -> (tensor<2x4xf32>, tensor<2x4xi32>)
  return
}

// -----

func.func @main(%a0: i32, %a1: i64) {
  // expected-error @below {{addi takes operands of one type, but has i32 and i64}}
  %0 = "arith.addi"(%a0, %a1) : (i32, i64) -> i32
  return
}

// -----

func.func @main(%a0: i32, %a1: i32) {
  // expected-error @below {{`predicate` should be 0 to 9, but is 10}}
  %0 = "arith.cmpi"(%a0, %a1) {predicate = 10 : i64} : (i32, i32) -> i1
  return
}

// -----

func.func @main(%a0: f32) {
  // expected-error @below {{extf goes from f32 to f16, which is not wider}}
  %0 = "arith.extf"(%a0) : (f32) -> f16
  return
}

// -----

func.func @main(%a0: f16) {
  // expected-error @below {{truncf goes from f16 to f32, which is not narrower}}
  %0 = "arith.truncf"(%a0) : (f16) -> f32
  return
}

// -----

func.func @main(%a0: i64) {
  // expected-error @below {{index_cast does not go from i64 to i32}}
  %0 = "arith.index_cast"(%a0) : (i64) -> i32
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{cast does not go from tensor<2x3xf32> to tensor<?x4xf32>}}
  %0 = "tensor.cast"(%a0) : (tensor<2x3xf32>) -> tensor<?x4xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>, %a1: index) {
  // expected-error @below {{extract has 1 indices for 2 dimensions}}
  %0 = "tensor.extract"(%a0, %a1) : (tensor<2x3xf32>, index) -> f32
  return
}

// -----

func.func @main(%a0: f32, %a1: f32) {
  // expected-error @below {{from_elements has 2 elements for tensor<3xf32>}}
  %0 = "tensor.from_elements"(%a0, %a1) : (f32, f32) -> tensor<3xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{`reassociation` makes 6 of a group, but the dimension is 5}}
  %0 = "tensor.collapse_shape"(%a0) {reassociation = [[0 : i64, 1 : i64]]} : (tensor<2x3xf32>) -> tensor<5xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{`reassociation` names 1 dimensions of [2, 3]}}
  %0 = "tensor.collapse_shape"(%a0) {reassociation = [[0 : i64]]} : (tensor<2x3xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{shape_of gives tensor<3xindex> for 2 dimensions}}
  %0 = "shape.shape_of"(%a0) : (tensor<2x3xf32>) -> tensor<3xindex>
  return
}
