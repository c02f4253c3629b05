// Operations that are made of others, and cannot be written as those.
// RUN: %pygraph-opt %s --decompose-compound-ops --split-input-file --verify-diagnostics

func.func @long(%x: tensor<5000xf32>, %i: tensor<f32>) -> (tensor<5000xf32>, tensor<f32>) {
  // expected-error @below {{chlo.scan: 5000 positions can't be written out (1 to 4096 can)}}
  %0:2 = "chlo.scan"(%x, %i) ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %s = stablehlo.add %a, %b : tensor<f32>
    stablehlo.return %s, %s : tensor<f32>, tensor<f32>
  }) {dimension = 0 : i64} : (tensor<5000xf32>, tensor<f32>) -> (tensor<5000xf32>, tensor<f32>)
  return %0#0, %0#1 : tensor<5000xf32>, tensor<f32>
}

// -----
func.func @without_output(%x: tensor<2x3xf32>, %y: tensor<3x4xf32>) -> tensor<2x4xf32> {
  // expected-error @below {{stablehlo.einsum: equation ab,bc has no `->`, or an ellipsis}}
  %0 = "stablehlo.einsum"(%x, %y) {einsum_config = "ab,bc"} : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// -----
func.func @twice(%x: tensor<3x3xf32>) -> tensor<3xf32> {
  // expected-error @below {{stablehlo.unary_einsum: a term names a dimension twice, or not each}}
  %0 = "stablehlo.unary_einsum"(%x) {einsum_config = "aa->a"} : (tensor<3x3xf32>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----
func.func @unknown(%x: tensor<3xf32>) -> tensor<2xf32> {
  // expected-error @below {{stablehlo.unary_einsum: the output names a dimension that no term has}}
  %0 = "stablehlo.unary_einsum"(%x) {einsum_config = "a->b"} : (tensor<3xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----
func.func @small(%x: tensor<2x3xf8E4M3FN>, %s: tensor<3xf8E4M3FN>) -> tensor<2x3xf8E4M3FN> {
  // expected-error @below {{stablehlo.batch_norm_inference: a constant of this element type does not run yet}}
  %0 = "stablehlo.batch_norm_inference"(%x, %s, %s, %s, %s) {epsilon = 1.0e-3 : f32, feature_index = 1 : i64} : (tensor<2x3xf8E4M3FN>, tensor<3xf8E4M3FN>, tensor<3xf8E4M3FN>, tensor<3xf8E4M3FN>, tensor<3xf8E4M3FN>) -> tensor<2x3xf8E4M3FN>
  return %0 : tensor<2x3xf8E4M3FN>
}
