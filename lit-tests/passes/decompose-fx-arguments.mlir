// Calls that decompositions refuse, each with its reason: nothing that a graph says of its arguments is trusted.
// RUN: %pygraph-opt %s --decompose-fx --split-input-file --verify-diagnostics

func.func @main(%a0: tensor<4xf32>) {
  // expected-error @below {{aten.gelu.default: there is no approximation `cubic`}}
  %r = "fx.call"(%a0) {target = "aten.gelu.default", args = ["%0"], kwargs = {approximate = "str:cubic"}, device = "cpu"} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----
func.func @main(%a0: tensor<f32>) {
  // expected-error @below {{aten.glu.default: its operand has no dimension}}
  %r = "fx.call"(%a0) {target = "aten.glu.default", args = ["%0", 0 : i64], device = "cpu"} : (tensor<f32>) -> tensor<f32>
  return
}

// -----
func.func @main(%a0: tensor<1x4x2x8xf32>, %a1: tensor<1x4x2x8xf32>, %a2: tensor<1x4x2x8xf32>) {
  // expected-error @below {{aten.scaled_dot_product_attention.default: dropout in attention is not supported: export the model in eval mode}}
  %r = "fx.call"(%a0, %a1, %a2) {target = "aten.scaled_dot_product_attention.default", args = ["%0","%1","%2", unit, 0x3FB999999999999A : f64], device = "cpu"} : (tensor<1x4x2x8xf32>, tensor<1x4x2x8xf32>, tensor<1x4x2x8xf32>) -> tensor<1x4x2x8xf32>
  return
}

// -----
func.func @main(%a0: tensor<4xf32>, %a1: tensor<4xf32>, %a2: tensor<4xf32>) {
  // expected-error @below {{aten.scaled_dot_product_attention.default: an operand has fewer than two dimensions}}
  %r = "fx.call"(%a0, %a1, %a2) {target = "aten.scaled_dot_product_attention.default", args = ["%0","%1","%2"], device = "cpu"} : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----
func.func @main(%a0: tensor<1x4x2x8xf32>, %a1: tensor<1x3x2x8xf32>, %a2: tensor<1x3x2x8xf32>) {
  // expected-error @below {{aten.scaled_dot_product_attention.default: 3 heads do not divide 4}}
  %r = "fx.call"(%a0, %a1, %a2) {target = "aten.scaled_dot_product_attention.default", args = ["%0","%1","%2"], kwargs = {enable_gqa = true}, device = "cpu"} : (tensor<1x4x2x8xf32>, tensor<1x3x2x8xf32>, tensor<1x3x2x8xf32>) -> tensor<1x4x2x8xf32>
  return
}

// -----
func.func @main(%a0: tensor<4xf32>) {
  // expected-error @below {{aten.view_as_real.default: its operand is not complex}}
  %r = "fx.call"(%a0) {target = "aten.view_as_real.default", args = ["%0"], device = "cpu"} : (tensor<4xf32>) -> tensor<4x2xf32>
  return
}

// -----
func.func @main(%a0: tensor<4xf32>) {
  // expected-error @below {{aten.imag.default: its operand is not complex}}
  %r = "fx.call"(%a0) {target = "aten.imag.default", args = ["%0"], device = "cpu"} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----
func.func @main(%a0: tensor<4xf16>, %a1: tensor<4xf16>) {
  // expected-error @below {{aten.complex.default: parts of a complex number are f32 or f64}}
  %r = "fx.call"(%a0, %a1) {target = "aten.complex.default", args = ["%0","%1"], device = "cpu"} : (tensor<4xf16>, tensor<4xf16>) -> tensor<4xcomplex<f32>>
  return
}

// -----
func.func @main(%a0: tensor<4xf32>) {
  // expected-error @below {{aten._fft_r2c.default: only the one-sided transform is supported}}
  %r = "fx.call"(%a0) {target = "aten._fft_r2c.default", args = ["%0", [0 : i64], 0 : i64, false], device = "cpu"} : (tensor<4xf32>) -> tensor<4xcomplex<f32>>
  return
}

// -----
func.func @main(%a0: tensor<f32>) {
  // expected-error @below {{aten._fft_r2c.default: its operand has no dimension}}
  %r = "fx.call"(%a0) {target = "aten._fft_r2c.default", args = ["%0", [], 0 : i64, true], device = "cpu"} : (tensor<f32>) -> tensor<complex<f32>>
  return
}

// -----
func.func @main(%a0: tensor<3x3xcomplex<f32>>) {
  // expected-error @below {{aten._fft_c2r.default: only a transform of one dimension is supported}}
  %r = "fx.call"(%a0) {target = "aten._fft_c2r.default", args = ["%0", [0 : i64, 1 : i64], 0 : i64, 4 : i64], device = "cpu"} : (tensor<3x3xcomplex<f32>>) -> tensor<3x4xf32>
  return
}

// -----
func.func @main(%a0: tensor<1x2xf32>, %a1: tensor<2x2xf32>) {
  // expected-error @below {{aten.convolution.default: a weight of 2 dimensions is not of 1 to 3 spatial dimensions}}
  %r = "fx.call"(%a0, %a1) {target = "aten.convolution.default", args = ["%0","%1", unit, [1 : i64], [0 : i64], [1 : i64], false, [0 : i64], 1 : i64], device = "cpu"} : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return
}

// -----
func.func @main(%a0: tensor<1x3x8xf32>, %a1: tensor<3x2x3xf32>) {
  // expected-error @below {{aten.convolution.default: 3 channels do not divide into 2 groups}}
  %r = "fx.call"(%a0, %a1) {target = "aten.convolution.default", args = ["%0","%1", unit, [1 : i64], [0 : i64], [1 : i64], true, [0 : i64], 2 : i64], device = "cpu"} : (tensor<1x3x8xf32>, tensor<3x2x3xf32>) -> tensor<1x2x10xf32>
  return
}

// -----
func.func @main(%a0: tensor<1x4x8xf32>, %a1: tensor<2x3x3xf32>) {
  // expected-error @below {{aten.convolution.default: shapes [1, 4, 8] and [2, 3, 3] in 1 groups do not convolve}}
  %r = "fx.call"(%a0, %a1) {target = "aten.convolution.default", args = ["%0","%1", unit, [1 : i64], [0 : i64], [1 : i64], false, [0 : i64], 1 : i64], device = "cpu"} : (tensor<1x4x8xf32>, tensor<2x3x3xf32>) -> tensor<1x2x6xf32>
  return
}

// -----
func.func @main(%a0: tensor<1x2x3xf32>, %a1: tensor<2x2x5xf32>) {
  // expected-error @below {{aten.convolution.default: a kernel of [2, 2, 5] does not fit an input of [1, 2, 3]}}
  %r = "fx.call"(%a0, %a1) {target = "aten.convolution.default", args = ["%0","%1", unit, [1 : i64], [0 : i64], [1 : i64], false, [0 : i64], 1 : i64], device = "cpu"} : (tensor<1x2x3xf32>, tensor<2x2x5xf32>) -> tensor<1x2x1xf32>
  return
}

// -----
func.func @main(%a0: tensor<1x2x8xf32>, %a1: tensor<2x2x3xf32>) {
  // expected-error @below {{aten.conv1d.padding: argument `padding` should be a list of integers}}
  %r = "fx.call"(%a0, %a1) {target = "aten.conv1d.padding", args = ["%0","%1", unit, [1 : i64], "str:around"], device = "cpu"} : (tensor<1x2x8xf32>, tensor<2x2x3xf32>) -> tensor<1x2x8xf32>
  return
}

// -----
func.func @main() {
  // expected-error @below {{aten.arange.start_step: its result should have one dimension}}
  %r = "fx.call"() {target = "aten.arange.start_step", args = [0 : i64, 4 : i64], device = "cpu"} : () -> tensor<2x3xf32>
  return
}

// -----
func.func @main() {
  // expected-error @below {{aten.linspace.default: its result should have one dimension}}
  %r = "fx.call"() {target = "aten.linspace.default", args = [0 : i64, 4 : i64, 6 : i64], device = "cpu"} : () -> tensor<2x3xf32>
  return
}

// -----
func.func @main() {
  // expected-error @below {{aten.linspace.default: 99999999 steps are more than 16777216}}
  %r = "fx.call"() {target = "aten.linspace.default", args = [0 : i64, 4 : i64, 99999999 : i64], device = "cpu"} : () -> tensor<99999999xf32>
  return
}

// -----
func.func @main() {
  // expected-error @below {{aten.eye.m: its result should have two dimensions}}
  %r = "fx.call"() {target = "aten.eye.m", args = [2 : i64, 2 : i64], device = "cpu"} : () -> tensor<4xf32>
  return
}

// -----
func.func @main(%a0: tensor<f32>) {
  // expected-error @below {{aten.sym_size.int: its operand has no dimension}}
  %r = "fx.call"(%a0) {target = "aten.sym_size.int", args = ["%0", 0 : i64], device = "cpu"} : (tensor<f32>) -> i64
  return
}

// -----
func.func @main() {
  // expected-error @below {{aten._assert_scalar.default: it always fails: never mind}}
  "fx.call"() {target = "aten._assert_scalar.default", args = [false, "str:never mind"], device = "cpu"} : () -> ()
  return
}

// -----
func.func @main() {
  // expected-error @below {{aten.tril_indices.default: 99999 by 99999 elements are too many to list}}
  %r = "fx.call"() {target = "aten.tril_indices.default", args = [99999 : i64, 99999 : i64], device = "cpu"} : () -> tensor<2x9xsi64>
  return
}

// -----
func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{aten.index.Tensor: the indices should be a list}}
  %r = "fx.call"(%a0) {target = "aten.index.Tensor", args = ["%0", 1 : i64], device = "cpu"} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2x3xi1>, %a2: tensor<4xf32>) {
  // expected-error @below {{aten.index_put.default: it indexes by a mask, so its size depends on the data, and pygraph runs static shapes}}
  %r = "fx.call"(%a0, %a1, %a2) {target = "aten.index_put.default", args = ["%0", ["%1"], "%2"], device = "cpu"} : (tensor<2x3xf32>, tensor<2x3xi1>, tensor<4xf32>) -> tensor<2x3xf32>
  return
}

// -----
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2x3xi1>) {
  // expected-error @below {{aten.index.Tensor: it indexes by a mask, so its size depends on the data, and pygraph runs static shapes}}
  %r = "fx.call"(%a0, %a1) {target = "aten.index.Tensor", args = ["%0", ["%1"]], device = "cpu"} : (tensor<2x3xf32>, tensor<2x3xi1>) -> tensor<4xf32>
  return
}

// -----
func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{aten.index.Tensor: an index should be a tensor or None}}
  %r = "fx.call"(%a0) {target = "aten.index.Tensor", args = ["%0", ["str:all"]], device = "cpu"} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
func.func @main(%a0: tensor<f32>, %a1: tensor<3xsi64>, %a2: tensor<4xf32>) {
  // expected-error @below {{aten.index_copy.default: its operand has no dimension}}
  %r = "fx.call"(%a0, %a1, %a2) {target = "aten.index_copy.default", args = ["%0", 0 : i64, "%1", "%2"], device = "cpu"} : (tensor<f32>, tensor<3xsi64>, tensor<4xf32>) -> tensor<f32>
  return
}

// -----
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<3xsi64>) {
  // expected-error @below {{aten.take_along_dim.default: its operands have different numbers of dimensions}}
  %r = "fx.call"(%a0, %a1) {target = "aten.take_along_dim.default", args = ["%0", "%1", 1 : i64], device = "cpu"} : (tensor<2x3xf32>, tensor<3xsi64>) -> tensor<2x3xf32>
  return
}

// -----
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2x3xsi64>, %a2: tensor<2x3xf32>) {
  // expected-error @below {{aten.scatter_reduce.two: there is no reduction `median`}}
  %r = "fx.call"(%a0, %a1, %a2) {target = "aten.scatter_reduce.two", args = ["%0", 1 : i64, "%1", "%2", "str:median"], device = "cpu"} : (tensor<2x3xf32>, tensor<2x3xsi64>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
func.func @main(%a0: tensor<si64>) {
  // expected-error @below {{aten.one_hot.default: its result has no dimension}}
  %r = "fx.call"(%a0) {target = "aten.one_hot.default", args = ["%0", 3 : i64], device = "cpu"} : (tensor<si64>) -> tensor<si64>
  return
}

// -----
func.func @main(%a0: tensor<4xf32>) {
  // expected-error @below {{aten.bucketize.Tensor: argument `boundaries` should be a tensor or a number}}
  %r = "fx.call"(%a0) {target = "aten.bucketize.Tensor", args = ["%0", unit], device = "cpu"} : (tensor<4xf32>) -> tensor<4xsi64>
  return
}

// -----
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2x3xf32>) {
  // expected-error @below {{aten.searchsorted.Tensor: boundaries of more than one dimension are not supported}}
  %r = "fx.call"(%a0, %a1) {target = "aten.searchsorted.Tensor", args = ["%0", "%1"], device = "cpu"} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xsi64>
  return
}

// -----
func.func @main(%a0: tensor<5x4xf32>, %a1: tensor<3xsi64>, %a2: tensor<2xsi64>) {
  // expected-error @below {{aten._embedding_bag.default: weights of samples and maxima are not supported}}
  %r = "fx.call"(%a0, %a1, %a2) {target = "aten._embedding_bag.default", args = ["%0","%1","%2", false, 2 : i64], device = "cpu"} : (tensor<5x4xf32>, tensor<3xsi64>, tensor<2xsi64>) -> tensor<2x4xf32>
  return
}

// -----
func.func @main(%a0: tensor<5x4xf32>, %a1: tensor<3x1xsi64>, %a2: tensor<2xsi64>) {
  // expected-error @below {{aten._embedding_bag.default: its indices should have one dimension}}
  %r = "fx.call"(%a0, %a1, %a2) {target = "aten._embedding_bag.default", args = ["%0","%1","%2", false, 0 : i64], device = "cpu"} : (tensor<5x4xf32>, tensor<3x1xsi64>, tensor<2xsi64>) -> tensor<2x4xf32>
  return
}

// -----
func.func @main(%a0: tensor<f32>, %a1: tensor<4xf32>) {
  // expected-error @below {{aten.matmul.default: an operand has no dimension}}
  %r = "fx.call"(%a0, %a1) {target = "aten.matmul.default", args = ["%0","%1"], device = "cpu"} : (tensor<f32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----
func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{aten.einsum.default: the equation is missing}}
  %r = "fx.call"(%a0) {target = "aten.einsum.default", args = [unit, ["%0"]], device = "cpu"} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
func.func @main(%a0: tensor<4xf32>, %a1: tensor<4xf32>) {
  // expected-error @below {{aten.cdist.default: its operands are no matrices}}
  %r = "fx.call"(%a0, %a1) {target = "aten.cdist.default", args = ["%0","%1"], device = "cpu"} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2xsi64>, %a2: tensor<3xf32>) {
  // expected-error @below {{aten.nll_loss_forward.default: class weights are not supported}}
  %r = "fx.call"(%a0, %a1, %a2) {target = "aten.nll_loss_forward.default", args = ["%0","%1","%2", 1 : i64, -100 : i64], device = "cpu"} : (tensor<2x3xf32>, tensor<2xsi64>, tensor<3xf32>) -> tensor<f32>
  return
}

// -----
func.func @main(%a0: tensor<4xf32>, %a1: tensor<si64>) {
  // expected-error @below {{aten.nll_loss_forward.default: only a batch of rows is supported}}
  %r = "fx.call"(%a0, %a1) {target = "aten.nll_loss_forward.default", args = ["%0","%1", unit, 1 : i64, -100 : i64], device = "cpu"} : (tensor<4xf32>, tensor<si64>) -> tensor<f32>
  return
}

// -----
func.func @main(%a0: tensor<4xf32>, %a1: tensor<4xf32>, %a2: tensor<4xf32>) {
  // expected-error @below {{aten.binary_cross_entropy_with_logits.default: weights are not supported}}
  %r = "fx.call"(%a0, %a1, %a2) {target = "aten.binary_cross_entropy_with_logits.default", args = ["%0","%1","%2"], device = "cpu"} : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<f32>
  return
}

// -----
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2xsi64>, %a2: tensor<3xf32>) {
  // expected-error @below {{aten.cross_entropy_loss.default: weights and smoothed labels are not supported}}
  %r = "fx.call"(%a0, %a1, %a2) {target = "aten.cross_entropy_loss.default", args = ["%0","%1","%2"], device = "cpu"} : (tensor<2x3xf32>, tensor<2xsi64>, tensor<3xf32>) -> tensor<f32>
  return
}

// -----
func.func @main(%a0: tensor<4xf32>) {
  // expected-error @below {{aten.layer_norm.default: it normalises more dimensions than there are}}
  %r = "fx.call"(%a0) {target = "aten.layer_norm.default", args = ["%0", [2 : i64, 4 : i64]], device = "cpu"} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----
func.func @main(%a0: tensor<4xf32>) {
  // expected-error @below {{aten.rms_norm.default: it normalises more dimensions than there are}}
  %r = "fx.call"(%a0) {target = "aten.rms_norm.default", args = ["%0", [2 : i64, 4 : i64]], device = "cpu"} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----
func.func @main(%a0: tensor<4xf32>) {
  // expected-error @below {{aten.group_norm.default: its operand has no channels}}
  %r = "fx.call"(%a0) {target = "aten.group_norm.default", args = ["%0", 1 : i64], device = "cpu"} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----
func.func @main(%a0: tensor<2x3x4xf32>) {
  // expected-error @below {{aten.group_norm.default: 3 channels do not divide into 2 groups}}
  %r = "fx.call"(%a0) {target = "aten.group_norm.default", args = ["%0", 2 : i64], device = "cpu"} : (tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
  return
}

// -----
func.func @main(%a0: tensor<2x3x4xf32>, %a1: tensor<3xf32>, %a2: tensor<3xf32>, %a3: tensor<3xf32>, %a4: tensor<3xf32>) {
  // expected-error @below {{aten.instance_norm.default: running statistics are not supported}}
  %r = "fx.call"(%a0, %a1, %a2, %a3, %a4) {target = "aten.instance_norm.default", args = ["%0", "%1","%2","%3","%4", false, 0x3FB999999999999A : f64, 0x3FB999999999999A : f64, false], device = "cpu"} : (tensor<2x3x4xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<2x3x4xf32>
  return
}

// -----
func.func @main(%a0: tensor<4xf32>, %a1: tensor<4xf32>, %a2: tensor<4xf32>, %a3: tensor<4xf32>, %a4: tensor<4xf32>) {
  // expected-error @below {{aten._native_batch_norm_legit_no_training.default: its operand has no channels}}
  %r = "fx.call"(%a0, %a1, %a2, %a3, %a4) {target = "aten._native_batch_norm_legit_no_training.default", args = ["%0","%1","%2","%3","%4", 0x3FB999999999999A : f64, 0x3FB999999999999A : f64], device = "cpu"} : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----
func.func @main(%a0: tensor<4xf32>, %a1: tensor<4xf32>) {
  // expected-error @below {{aten.div.Tensor_mode: there is no rounding mode `up`}}
  %r = "fx.call"(%a0, %a1) {target = "aten.div.Tensor_mode", args = ["%0","%1"], kwargs = {rounding_mode = "str:up"}, device = "cpu"} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----
func.func @main(%a0: tensor<4xf32>) {
  // expected-error @below {{aten.max_pool2d.default: its operand has too few dimensions}}
  %r = "fx.call"(%a0) {target = "aten.max_pool2d.default", args = ["%0", [2 : i64, 2 : i64]], device = "cpu"} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----
func.func @main(%a0: tensor<2x3x4x4xf32>) {
  // expected-error @below {{aten.adaptive_avg_pool2d.default: its result has another number of dimensions than its operand}}
  %r = "fx.call"(%a0) {target = "aten.adaptive_avg_pool2d.default", args = ["%0", [2 : i64, 2 : i64]], device = "cpu"} : (tensor<2x3x4x4xf32>) -> tensor<2x3x4xf32>
  return
}

// -----
func.func @main(%a0: tensor<2x3x5xf32>) {
  // expected-error @below {{aten.adaptive_max_pool1d.default: windows from [2, 3, 5] to [2, 3, 3] have different sizes}}
  %r = "fx.call"(%a0) {target = "aten.adaptive_max_pool1d.default", args = ["%0", [3 : i64]], device = "cpu"} : (tensor<2x3x5xf32>) -> tensor<2x3x3xf32>
  return
}

// -----
func.func @main(%a0: tensor<f32>) {
  // expected-error @below {{aten.multinomial.default: its operand has no dimension}}
  %r = "fx.call"(%a0) {target = "aten.multinomial.default", args = ["%0", 1 : i64], device = "cpu"} : (tensor<f32>) -> tensor<1xsi64>
  return
}

// -----
func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{aten.repeat.default: its result has too few dimensions}}
  %r = "fx.call"(%a0) {target = "aten.repeat.default", args = ["%0", [2 : i64]], device = "cpu"} : (tensor<2x3xf32>) -> tensor<6xf32>
  return
}

// -----
func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{aten.repeat_interleave.self_int: no dimension 0 can be repeated -2 times}}
  %r = "fx.call"(%a0) {target = "aten.repeat_interleave.self_int", args = ["%0", -2 : i64, 0 : i64], device = "cpu"} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
func.func @main(%a0: tensor<4xf32>) {
  // expected-error @below {{aten.tril.default: its operand is no matrix}}
  %r = "fx.call"(%a0) {target = "aten.tril.default", args = ["%0"], device = "cpu"} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----
func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{aten.diagonal.default: a diagonal needs two dimensions}}
  %r = "fx.call"(%a0) {target = "aten.diagonal.default", args = ["%0", 0 : i64, 1 : i64, 1 : i64], device = "cpu"} : (tensor<2x3xf32>) -> tensor<4xf32>
  return
}

// -----
func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{aten.diagonal.default: its result has no dimension}}
  %r = "fx.call"(%a0) {target = "aten.diagonal.default", args = ["%0"], device = "cpu"} : (tensor<2x3xf32>) -> tensor<f32>
  return
}

// -----
func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{aten.unfold.default: its result has too few dimensions}}
  %r = "fx.call"(%a0) {target = "aten.unfold.default", args = ["%0", 0 : i64, 1 : i64, 1 : i64], device = "cpu"} : (tensor<2x3xf32>) -> tensor<f32>
  return
}

// -----
func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{aten.pixel_shuffle.default: its operand has fewer than 3 dimensions}}
  %r = "fx.call"(%a0) {target = "aten.pixel_shuffle.default", args = ["%0", 2 : i64], device = "cpu"} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
func.func @main(%a0: tensor<2x3x4x4xf32>) {
  // expected-error @below {{aten.pixel_shuffle.default: 3 channels do not divide by 2 squared}}
  %r = "fx.call"(%a0) {target = "aten.pixel_shuffle.default", args = ["%0", 2 : i64], device = "cpu"} : (tensor<2x3x4x4xf32>) -> tensor<2x3x4x4xf32>
  return
}

// -----
func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{aten.pixel_unshuffle.default: its operand has fewer than 3 dimensions}}
  %r = "fx.call"(%a0) {target = "aten.pixel_unshuffle.default", args = ["%0", 2 : i64], device = "cpu"} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
func.func @main(%a0: tensor<2x3x4x4xf32>) {
  // expected-error @below {{aten.pixel_unshuffle.default: 4 by 4 do not divide by 3}}
  %r = "fx.call"(%a0) {target = "aten.pixel_unshuffle.default", args = ["%0", 3 : i64], device = "cpu"} : (tensor<2x3x4x4xf32>) -> tensor<2x3x4x4xf32>
  return
}

// -----
func.func @main(%a0: tensor<4xf32>) {
  // expected-error @below {{aten.channel_shuffle.default: its operand has no channels}}
  %r = "fx.call"(%a0) {target = "aten.channel_shuffle.default", args = ["%0", 2 : i64], device = "cpu"} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----
func.func @main(%a0: tensor<2x3x4x4xf32>) {
  // expected-error @below {{aten.channel_shuffle.default: 3 channels do not divide into 2 groups}}
  %r = "fx.call"(%a0) {target = "aten.channel_shuffle.default", args = ["%0", 2 : i64], device = "cpu"} : (tensor<2x3x4x4xf32>) -> tensor<2x3x4x4xf32>
  return
}

// -----
func.func @main(%a0: tensor<4xf32>) {
  // expected-error @below {{aten.constant_pad_nd.default: 4 amounts of padding for 1 dimensions}}
  %r = "fx.call"(%a0) {target = "aten.constant_pad_nd.default", args = ["%0", [1 : i64, 1 : i64, 1 : i64, 1 : i64], 0 : i64], device = "cpu"} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----
func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{aten.rot90.default: it turns two dimensions}}
  %r = "fx.call"(%a0) {target = "aten.rot90.default", args = ["%0", 1 : i64, [0 : i64]], device = "cpu"} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
func.func @main(%a0: tensor<4xf32>) {
  // expected-error @below {{aten.trace.default: its operand is no matrix}}
  %r = "fx.call"(%a0) {target = "aten.trace.default", args = ["%0"], device = "cpu"} : (tensor<4xf32>) -> tensor<f32>
  return
}

// -----
func.func @main(%a0: tensor<4xf32>) {
  // expected-error @below {{aten.as_strided.default: it reads outside its operand}}
  %r = "fx.call"(%a0) {target = "aten.as_strided.default", args = ["%0", [4 : i64], [2 : i64]], device = "cpu"} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----
func.func @main(%a0: tensor<4xf32>) {
  // expected-error @below {{aten.im2col.default: its operand is no batch of images}}
  %r = "fx.call"(%a0) {target = "aten.im2col.default", args = ["%0", [2 : i64, 2 : i64], [1 : i64, 1 : i64], [0 : i64, 0 : i64], [1 : i64, 1 : i64]], device = "cpu"} : (tensor<4xf32>) -> tensor<2x3xf32>
  return
}

// -----
func.func @main(%a0: tensor<5x2x4xf32>, %a1: tensor<1x2x4xf32>, %a2: tensor<12xf32>, %a3: tensor<12xf32>) {
  // expected-error @below {{aten.gru.input: shapes [2, 4] and [12] do not multiply}}
  %r = "fx.call"(%a0, %a1, %a2, %a3) {target = "aten.gru.input", args = ["%0","%1", ["%2","%3"], false, 1 : i64, 0 : i64, false, false, false], device = "cpu"} : (tensor<5x2x4xf32>, tensor<1x2x4xf32>, tensor<12xf32>, tensor<12xf32>) -> tensor<5x2x4xf32>
  return
}

// -----
func.func @main(%a0: tensor<5x2x4xf32>, %a1: tensor<1x2x4xf32>, %a2: tensor<12x4xf32>, %a3: tensor<12x4xf32>) {
  // expected-error @below {{aten.gru.input: only batches of dense sequences without dropout are supported}}
  %r = "fx.call"(%a0, %a1, %a2, %a3) {target = "aten.gru.input", args = ["%0","%1", ["%2","%3"], false, 1 : i64, 0x3FB999999999999A : f64, true, false, false], device = "cpu"} : (tensor<5x2x4xf32>, tensor<1x2x4xf32>, tensor<12x4xf32>, tensor<12x4xf32>) -> tensor<5x2x4xf32>
  return
}

// -----
func.func @main(%a0: tensor<5x2x4xf32>, %a1: tensor<1x2x4xf32>, %a2: tensor<12x4xf32>, %a3: tensor<12x4xf32>) {
  // expected-error @below {{aten.gru.input: 1 weights do not make 1 layers (projections are not supported)}}
  %r = "fx.call"(%a0, %a1, %a2, %a3) {target = "aten.gru.input", args = ["%0","%1", ["%2"], false, 1 : i64, 0 : i64, false, false, false], device = "cpu"} : (tensor<5x2x4xf32>, tensor<1x2x4xf32>, tensor<12x4xf32>, tensor<12x4xf32>) -> tensor<5x2x4xf32>
  return
}

// -----
func.func @main(%a0: tensor<5000x2x4xf32>, %a1: tensor<1x2x4xf32>, %a2: tensor<12x4xf32>, %a3: tensor<12x4xf32>) {
  // expected-error @below {{aten.gru.input: a sequence of 5000 steps can't be written out (1 to 4096 can)}}
  %r = "fx.call"(%a0, %a1, %a2, %a3) {target = "aten.gru.input", args = ["%0","%1", ["%2","%3"], false, 1 : i64, 0 : i64, false, false, false], device = "cpu"} : (tensor<5000x2x4xf32>, tensor<1x2x4xf32>, tensor<12x4xf32>, tensor<12x4xf32>) -> tensor<5000x2x4xf32>
  return
}

// -----
func.func @main(%a0: tensor<1x2x0xf32>) {
  // expected-error @below {{aten.upsample_nearest1d.default: shape [1, 2, 0] does not become [1, 2, 4]}}
  %r = "fx.call"(%a0) {target = "aten.upsample_nearest1d.default", args = ["%0", [4 : i64]], device = "cpu"} : (tensor<1x2x0xf32>) -> tensor<1x2x4xf32>
  return
}

// -----
func.func @main(%a0: tensor<2x3x4x4xf32>) {
  // expected-error @below {{aten.upsample_nearest2d.vec: the factors should be numbers}}
  %r = "fx.call"(%a0) {target = "aten.upsample_nearest2d.vec", args = ["%0", unit, ["str:twice", "str:twice"]], device = "cpu"} : (tensor<2x3x4x4xf32>) -> tensor<2x3x4x4xf32>
  return
}

// -----
func.func @main(%a0: tensor<2x3x4xf32>) {
  // expected-error @below {{aten.reflection_pad1d.default: padding of 7 and 7 is too large for 4 elements}}
  %r = "fx.call"(%a0) {target = "aten.reflection_pad1d.default", args = ["%0", [7 : i64, 7 : i64]], device = "cpu"} : (tensor<2x3x4xf32>) -> tensor<2x3x18xf32>
  return
}

// -----
func.func @main(%a0: tensor<1x1x2x2x2xf32>, %a1: tensor<1x2x2x2x3xf32>) {
  // expected-error @below {{aten.grid_sampler.default: only images of two dimensions are supported}}
  %r = "fx.call"(%a0, %a1) {target = "aten.grid_sampler.default", args = ["%0","%1", 0 : i64, 0 : i64, false], device = "cpu"} : (tensor<1x1x2x2x2xf32>, tensor<1x2x2x2x3xf32>) -> tensor<1x1x2x2x2xf32>
  return
}

// -----
func.func @main(%a0: tensor<1x1x2x2xf32>, %a1: tensor<1x2x2x2xf32>) {
  // expected-error @below {{aten.grid_sampler_2d.default: only bilinear and nearest interpolation with zeros or the border around are supported}}
  %r = "fx.call"(%a0, %a1) {target = "aten.grid_sampler_2d.default", args = ["%0","%1", 2 : i64, 0 : i64, false], device = "cpu"} : (tensor<1x1x2x2xf32>, tensor<1x2x2x2xf32>) -> tensor<1x1x2x2xf32>
  return
}

// -----
func.func @main(%a0: tensor<4xf32>) {
  // expected-error @below {{aten.view.dtype: the element types have different widths}}
  %r = "fx.call"(%a0) {target = "aten.view.dtype", args = ["%0", "dtype:float16"], device = "cpu"} : (tensor<4xf32>) -> tensor<8xf16>
  return
}

// -----
func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{aten.movedim.int: [0, 0] is no permutation of 2 dimensions}}
  %r = "fx.call"(%a0) {target = "aten.movedim.int", args = ["%0", [0 : i64, 0 : i64], [0 : i64, 1 : i64]], device = "cpu"} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
func.func @main(%a0: tensor<4xf32>) {
  // expected-error @below {{aten.slice.Tensor: a step of 0 is not above 0}}
  %r = "fx.call"(%a0) {target = "aten.slice.Tensor", args = ["%0", 0 : i64, 0 : i64, 4 : i64, 0 : i64], device = "cpu"} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----
func.func @main(%a0: tensor<f32>) {
  // expected-error @below {{aten.slice.Tensor: a tensor of no dimensions has no slice}}
  %r = "fx.call"(%a0) {target = "aten.slice.Tensor", args = ["%0"], device = "cpu"} : (tensor<f32>) -> tensor<f32>
  return
}

// -----
func.func @main(%a0: tensor<4xf32>) {
  // expected-error @below {{aten.narrow.default: its result has too few dimensions}}
  %r = "fx.call"(%a0) {target = "aten.narrow.default", args = ["%0", 0 : i64, 1 : i64, 2 : i64], device = "cpu"} : (tensor<4xf32>) -> tensor<f32>
  return
}

// -----
func.func @main(%a0: tensor<f32>) {
  // expected-error @below {{aten.narrow.default: its operand has no dimension}}
  %r = "fx.call"(%a0) {target = "aten.narrow.default", args = ["%0", 0 : i64, 0 : i64, 1 : i64], device = "cpu"} : (tensor<f32>) -> tensor<4xf32>
  return
}

// -----
func.func @main(%a0: tensor<4xf32>, %a1: tensor<4xf32>) {
  // expected-error @below {{aten.stack.default: its result has no dimension}}
  %r = "fx.call"(%a0, %a1) {target = "aten.stack.default", args = [["%0","%1"]], device = "cpu"} : (tensor<4xf32>, tensor<4xf32>) -> tensor<f32>
  return
}

// -----
func.func @main(%a0: tensor<f32>, %a1: tensor<f32>) {
  // expected-error @below {{aten.select_scatter.default: its operand has no dimension}}
  %r = "fx.call"(%a0, %a1) {target = "aten.select_scatter.default", args = ["%0","%1", 0 : i64, 0 : i64], device = "cpu"} : (tensor<f32>, tensor<f32>) -> tensor<f32>
  return
}

// -----
func.func @main() {
  // expected-error @below {{aten.relu.default: argument `self` should be a tensor or a number}}
  %r = "fx.call"() {target = "aten.relu.default", args = [unit], device = "cpu"} : () -> tensor<4xf32>
  return
}

// -----
func.func @main(%a0: tensor<4xf32>) {
  // expected-error @below {{aten.cat.default: argument `tensors` should be a list of tensors}}
  %r = "fx.call"(%a0) {target = "aten.cat.default", args = ["%0"], device = "cpu"} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----
func.func @main(%a0: tensor<4xf32>) {
  // expected-error @below {{aten.cat.default: argument `tensors` should be a list of tensors}}
  %r = "fx.call"(%a0) {target = "aten.cat.default", args = [["%0", 1 : i64]], device = "cpu"} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----
func.func @main(%a0: tensor<4xf32>) {
  // expected-error @below {{aten.add.Tensor: argument `other` should be a tensor or a number}}
  %r = "fx.call"(%a0) {target = "aten.add.Tensor", args = ["%0", "str:one"], device = "cpu"} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----
func.func @main(%a0: tensor<2x3xf32>, %a1: i64) {
  // expected-error @below {{aten.select.int: argument `dim` is known only at run time, and has to be known now}}
  %r = "fx.call"(%a0, %a1) {target = "aten.select.int", args = ["%0", "%1", 0 : i64], device = "cpu"} : (tensor<2x3xf32>, i64) -> tensor<3xf32>
  return
}

// -----
func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{aten.select.int: argument `dim` should be a number}}
  %r = "fx.call"(%a0) {target = "aten.select.int", args = ["%0", "str:rows", 0 : i64], device = "cpu"} : (tensor<2x3xf32>) -> tensor<3xf32>
  return
}

// -----
func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{aten.permute.default: [] is no permutation of 2 dimensions}}
  %r = "fx.call"(%a0) {target = "aten.permute.default", args = ["%0"], device = "cpu"} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{aten.permute.default: argument `dims` should be a list of integers}}
  %r = "fx.call"(%a0) {target = "aten.permute.default", args = ["%0", "str:all"], device = "cpu"} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
func.func @main(%a0: tensor<2x3x4x4xf32>) {
  // expected-error @below {{aten.max_pool2d.default: argument `kernel_size` has 5 numbers for 2 dimensions}}
  %r = "fx.call"(%a0) {target = "aten.max_pool2d.default", args = ["%0", [2 : i64, 2 : i64, 2 : i64, 2 : i64, 2 : i64]], device = "cpu"} : (tensor<2x3x4x4xf32>) -> tensor<2x3x4x4xf32>
  return
}

// -----
func.func @main(%a0: tensor<4xf32>) {
  // expected-error @below {{aten.relu.default: an argument is of a kind that no operator takes}}
  %r = "fx.call"(%a0) {target = "aten.relu.default", args = [{a = 1 : i64}], device = "cpu"} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----
func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{aten.permute.default: [0, 0] is no permutation of 2 dimensions}}
  %r = "fx.call"(%a0) {target = "aten.permute.default", args = ["%0", [0 : i64, 0 : i64]], device = "cpu"} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----
func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{aten.view.default: shape [2, 3] does not have as many elements as [7]}}
  %r = "fx.call"(%a0) {target = "aten.view.default", args = ["%0", [7 : i64]], device = "cpu"} : (tensor<2x3xf32>) -> tensor<7xf32>
  return
}

// -----
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<4xf32>) {
  // expected-error @below {{aten.add.Tensor: shape [4] does not broadcast to [2, 3]}}
  %r = "fx.call"(%a0, %a1) {target = "aten.add.Tensor", args = ["%0", "%1"], device = "cpu"} : (tensor<2x3xf32>, tensor<4xf32>) -> tensor<2x3xf32>
  return
}

// -----
func.func @main(%a0: tensor<7xi1>, %a1: tensor<4xf32>, %a2: tensor<4xf32>) {
  // expected-error @below {{aten.where.self: shape [7] does not broadcast to [4]}}
  %r = "fx.call"(%a0, %a1, %a2) {target = "aten.where.self", args = ["%0","%1","%2"], device = "cpu"} : (tensor<7xi1>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----
func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<4x4xf32>) {
  // expected-error @below {{aten.cat.default: shapes [2, 3] and [4, 4] do not concatenate along 0}}
  %r = "fx.call"(%a0, %a1) {target = "aten.cat.default", args = [["%0","%1"], 0 : i64], device = "cpu"} : (tensor<2x3xf32>, tensor<4x4xf32>) -> tensor<6x4xf32>
  return
}

// -----
func.func @main(%a0: tensor<i1>) {
  // expected-error @below {{cond: a sub-graph is missing}}
  %r = "fx.call"(%a0) {target = "cond", args = ["%0"], device = "cpu"} : (tensor<i1>) -> tensor<4xf32>
  return
}

// -----
func.func @main(%a0: tensor<i1>) {
  // expected-error @below {{no symbol is named @nobody}}
  %r = "fx.call"(%a0) {target = "cond", args = ["%0", @nobody, @nobody, []], device = "cpu"} : (tensor<i1>) -> tensor<4xf32>
  return
}

// -----
func.func @main(%a0: tensor<i1>) {
  // expected-error @below {{no symbol is named @nobody}}
  %r = "fx.call"(%a0) {target = "cond", args = ["%0", @nobody, @nobody, 1 : i64], device = "cpu"} : (tensor<i1>) -> tensor<4xf32>
  return
}

// -----
func.func @main(%p: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{cond: the operands of a sub-graph should be a list}}
  %0 = "fx.call"(%p, %x) {target = "cond", args = ["%0", @t, @t, "%1"], device = "cpu"} : (tensor<i1>, tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
func.func private @t(%a: tensor<4xf32>) -> tensor<4xf32> {
  %r = "fx.call"(%a) {target = "aten.relu.default", args = ["%0"], device = "cpu"} : (tensor<4xf32>) -> tensor<4xf32>
  return %a : tensor<4xf32>
}

// -----
func.func @main(%p: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{cond: sub-graph @t takes 1 operands, not 0}}
  %0 = "fx.call"(%p, %x) {target = "cond", args = ["%0", @t, @t, []], device = "cpu"} : (tensor<i1>, tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
func.func private @t(%a: tensor<4xf32>) -> tensor<4xf32> {
  %r = "fx.call"(%a) {target = "aten.relu.default", args = ["%0"], device = "cpu"} : (tensor<4xf32>) -> tensor<4xf32>
  return %a : tensor<4xf32>
}

// -----
func.func @main(%p: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{cond: sub-graph @t stores into its operands}}
  %0 = "fx.call"(%p, %x) {target = "cond", args = ["%0", @t, @t, ["%1"]], device = "cpu"} : (tensor<i1>, tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
func.func private @t(%a: tensor<4xf32>) -> tensor<4xf32> {
  %r = "fx.call"(%a) {target = "aten.relu_.default", args = ["%0"], device = "cpu"} : (tensor<4xf32>) -> tensor<4xf32>
  return %a : tensor<4xf32>
}

// -----
func.func @main(%p: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = "fx.call"(%p, %x) {target = "cond", args = ["%0", @t, @t, ["%1"]], device = "cpu"} : (tensor<i1>, tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
func.func private @t(%a: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{no decomposition for mine.op}}
  %r = "fx.call"(%a) {target = "mine.op", args = ["%0"], device = "cpu"} : (tensor<4xf32>) -> tensor<4xf32>
  return %a : tensor<4xf32>
}

// -----
func.func @main(%p: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{cond: an operand of a sub-graph should be a tensor or a number}}
  %0 = "fx.call"(%p, %x) {target = "cond", args = ["%0", @t, @t, ["str:x"]], device = "cpu"} : (tensor<i1>, tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
func.func private @t(%a: tensor<4xf32>) -> tensor<4xf32> {
  %r = "fx.call"(%a) {target = "aten.relu.default", args = ["%0"], device = "cpu"} : (tensor<4xf32>) -> tensor<4xf32>
  return %a : tensor<4xf32>
}

// -----
func.func @main(%x: tensor<4xf32>) {
  // expected-error @below {{aten.add.Tensor: 99999999999999999999999999 does not fit 64 bits}}
  %0 = "fx.call"(%x) {target = "aten.add.Tensor", args = ["%0", 99999999999999999999999999 : i128], device = "cpu"} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----
func.func @main(%x: tensor<2x4x4xf32>) {
  // expected-error @below {{aten.max_pool2d.default: windows of [2, 2] every [0, 0] do not fit shape [2, 4, 4]}}
  %0 = "fx.call"(%x) {target = "aten.max_pool2d.default", args = ["%0", [2 : i64, 2 : i64], [0 : i64, 0 : i64]], device = "cpu"} : (tensor<2x4x4xf32>) -> tensor<2x4x4xf32>
  return
}

// -----
func.func @main(%x: tensor<4xf32>) {
  // expected-error @below {{aten.add.Tensor: argument `other` should be a tensor or a number}}
  %0 = "fx.call"(%x) {target = "aten.add.Tensor", args = ["%0"], device = "cpu"} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----
func.func @main(%x: tensor<2x2xf32>, %y: tensor<2x2xf32>) {
  %0 = "fx.call"(%x) {target = "aten.as_strided.default", args = ["%0", [2 : i64], [1 : i64]], device = "cpu"} : (tensor<2x2xf32>) -> tensor<2xf32>
  // expected-error @below {{aten.relu_.default: it is stored into, and stores through this view are not followed: clone it first}}
  %1 = "fx.call"(%0) {target = "aten.relu_.default", args = ["%0"], device = "cpu"} : (tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----
func.func @main(%x: i64) {
  // expected-error @below {{sub: -9223372036854775807 and 9 have no such result in 64 bits}}
  %0 = "fx.call"(%x) {target = "sub", args = [-9223372036854775807 : i64, 9 : i64], device = "cpu"} : (i64) -> i64
  return
}

// -----
func.func @main() {
  // expected-error @below {{aten.randint.low: no integer is at least 4 and below 4}}
  %r = "fx.call"() {target = "aten.randint.low", args = [4 : i64, 4 : i64, [2 : i64]], device = "cpu"} : () -> tensor<2xsi64>
  return
}

// -----
func.func @main() {
  // expected-error @below {{aten.randn.default: only real floats are drawn: of complex numbers draw the parts, and convert for others}}
  %r = "fx.call"() {target = "aten.randn.default", args = [[2 : i64]], device = "cpu"} : () -> tensor<2xcomplex<f32>>
  return
}

// -----
func.func @main(%x: tensor<2xf32>) {
  // expected-error @below {{aten.alpha_dropout.default: in training it is not supported: export the model in eval mode}}
  %r = "fx.call"(%x) {target = "aten.alpha_dropout.default", args = ["%0", 0.5 : f64, true], device = "cpu"} : (tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----
func.func @main(%x: tensor<2x4xsi64>) {
  // expected-error @below {{aten.multinomial.default: only real floats are drawn}}
  %r = "fx.call"(%x) {target = "aten.multinomial.default", args = ["%0", 1 : i64], device = "cpu"} : (tensor<2x4xsi64>) -> tensor<2x1xsi64>
  return
}

// -----
func.func @main(%x: tensor<4xf32>) {
  // expected-error @below {{aten.threshold.default: argument `value` is missing}}
  %r = "fx.call"(%x) {target = "aten.threshold.default", args = ["%0", 1.0 : f64], device = "cpu"} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----
func.func @main(%x: tensor<1x1x8x8xf32>) {
  // expected-error @below {{aten.max_pool2d.default: argument `kernel_size` has 4294967296, which is too large}}
  %r = "fx.call"(%x) {target = "aten.max_pool2d.default", args = ["%0", [4294967296 : i64, 2 : i64]], device = "cpu"} : (tensor<1x1x8x8xf32>) -> tensor<1x1x4x4xf32>
  return
}

// -----
func.func @main(%x: tensor<4xf32>, %n: si64) {
  // expected-error @below {{aten.permute.default: argument `dims` has a number known only at run time}}
  %r = "fx.call"(%x, %n) {target = "aten.permute.default", args = ["%0", ["%1"]], device = "cpu"} : (tensor<4xf32>, si64) -> tensor<4xf32>
  return
}

// -----
func.func @main(%x: tensor<4xf32>) {
  // expected-error @below {{aten.bucketize.Tensor: the boundaries should be a tensor}}
  %r = "fx.call"(%x) {target = "aten.bucketize.Tensor", args = ["%0", 1.0 : f64], device = "cpu"} : (tensor<4xf32>) -> tensor<4xsi64>
  return
}

// -----
func.func @main(%x: tensor<4x5xf32>) {
  // expected-error @below {{aten.movedim.intlist: a dimension is moved twice}}
  %r = "fx.call"(%x) {target = "aten.movedim.intlist", args = ["%0", [0 : i64, 1 : i64], [0 : i64, 0 : i64]], device = "cpu"} : (tensor<4x5xf32>) -> tensor<4x5xf32>
  return
}

// -----
func.func @main(%x: tensor<4xf32>) {
  // expected-error @below {{aten.add_.Tensor: its first argument should be a tensor}}
  %r = "fx.call"(%x) {target = "aten.add_.Tensor", args = [1.0 : f64, "%0"], device = "cpu"} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----
func.func @main(%x: tensor<f32>) {
  // expected-error @below {{aten.split.Tensor: a part has too few dimensions}}
  %r = "fx.call"(%x) {target = "aten.split.Tensor", args = ["%0", 1 : i64], device = "cpu"} : (tensor<f32>) -> tensor<f32>
  return
}

// -----
func.func @main(%x: tensor<1x1x4x4xf32>) {
  // expected-error @below {{aten.upsample_bilinear2d.vec: 4 elements do not become 0}}
  %r = "fx.call"(%x) {target = "aten.upsample_bilinear2d.vec", args = ["%0", [0 : i64, 4 : i64], false, unit], device = "cpu"} : (tensor<1x1x4x4xf32>) -> tensor<1x1x0x4xf32>
  return
}
