// RUN: %pygraph-opt %s --pipeline= --split-input-file --verify-diagnostics

// Attention and arenas that the verifier refuses.

func.func @main(%q: tensor<2x1x4x3xf32>, %k: tensor<3x8x2x3xf32>, %v: tensor<3x8x2x5xf32>, %mask: tensor<1x1x1x8xi1>, %bias: tensor<2x4x1x8xf32>, %positions: tensor<1x1xi32>, %length: tensor<2xi32>) {
  // expected-error @below {{batches of queries and keys are 2 and 3}}
  %r = "pyg.attention"(%q, %k, %v, %mask, %bias, %positions, %length) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32} : (tensor<2x1x4x3xf32>, tensor<3x8x2x3xf32>, tensor<3x8x2x5xf32>, tensor<1x1x1x8xi1>, tensor<2x4x1x8xf32>, tensor<1x1xi32>, tensor<2xi32>) -> tensor<2x1x4x5xf32>
  return
}

// -----

func.func @main(%q: tensor<2x1x4x3xf32>, %k: tensor<2x8x2x4xf32>, %v: tensor<2x8x2x5xf32>, %mask: tensor<1x1x1x8xi1>, %bias: tensor<2x4x1x8xf32>, %positions: tensor<1x1xi32>, %length: tensor<2xi32>) {
  // expected-error @below {{features of queries and keys are 3 and 4}}
  %r = "pyg.attention"(%q, %k, %v, %mask, %bias, %positions, %length) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32} : (tensor<2x1x4x3xf32>, tensor<2x8x2x4xf32>, tensor<2x8x2x5xf32>, tensor<1x1x1x8xi1>, tensor<2x4x1x8xf32>, tensor<1x1xi32>, tensor<2xi32>) -> tensor<2x1x4x5xf32>
  return
}

// -----

func.func @main(%q: tensor<2x1x4x3xf32>, %k: tensor<2x8x2x3xf32>, %v: tensor<1x8x2x5xf32>, %mask: tensor<1x1x1x8xi1>, %bias: tensor<2x4x1x8xf32>, %positions: tensor<1x1xi32>, %length: tensor<2xi32>) {
  // expected-error @below {{batches of keys and values are 2 and 1}}
  %r = "pyg.attention"(%q, %k, %v, %mask, %bias, %positions, %length) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32} : (tensor<2x1x4x3xf32>, tensor<2x8x2x3xf32>, tensor<1x8x2x5xf32>, tensor<1x1x1x8xi1>, tensor<2x4x1x8xf32>, tensor<1x1xi32>, tensor<2xi32>) -> tensor<2x1x4x5xf32>
  return
}

// -----

func.func @main(%q: tensor<2x1x4x3xf32>, %k: tensor<2x8x2x3xf32>, %v: tensor<2x7x2x5xf32>, %mask: tensor<1x1x1x8xi1>, %bias: tensor<2x4x1x8xf32>, %positions: tensor<1x1xi32>, %length: tensor<2xi32>) {
  // expected-error @below {{tokens of keys and values are 8 and 7}}
  %r = "pyg.attention"(%q, %k, %v, %mask, %bias, %positions, %length) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32} : (tensor<2x1x4x3xf32>, tensor<2x8x2x3xf32>, tensor<2x7x2x5xf32>, tensor<1x1x1x8xi1>, tensor<2x4x1x8xf32>, tensor<1x1xi32>, tensor<2xi32>) -> tensor<2x1x4x5xf32>
  return
}

// -----

func.func @main(%q: tensor<2x1x4x3xf32>, %k: tensor<2x8x2x3xf32>, %v: tensor<2x8x1x5xf32>, %mask: tensor<1x1x1x8xi1>, %bias: tensor<2x4x1x8xf32>, %positions: tensor<1x1xi32>, %length: tensor<2xi32>) {
  // expected-error @below {{heads of keys and values are 2 and 1}}
  %r = "pyg.attention"(%q, %k, %v, %mask, %bias, %positions, %length) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32} : (tensor<2x1x4x3xf32>, tensor<2x8x2x3xf32>, tensor<2x8x1x5xf32>, tensor<1x1x1x8xi1>, tensor<2x4x1x8xf32>, tensor<1x1xi32>, tensor<2xi32>) -> tensor<2x1x4x5xf32>
  return
}

// -----

func.func @main(%q: tensor<2x1x4x3xf32>, %k: tensor<2x8x2x3xf32>, %v: tensor<2x8x2x5xf32>, %mask: tensor<1x1x1x8xi1>, %bias: tensor<2x4x1x8xf32>, %positions: tensor<1x1xi32>, %length: tensor<2xi32>) {
  // expected-error @below {{features of the result and of what it comes from are 3 and 5}}
  %r = "pyg.attention"(%q, %k, %v, %mask, %bias, %positions, %length) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32} : (tensor<2x1x4x3xf32>, tensor<2x8x2x3xf32>, tensor<2x8x2x5xf32>, tensor<1x1x1x8xi1>, tensor<2x4x1x8xf32>, tensor<1x1xi32>, tensor<2xi32>) -> tensor<2x1x4x3xf32>
  return
}

// -----

func.func @main(%q: tensor<2x1x4x3xf32>, %k: tensor<2x8x3x3xf32>, %v: tensor<2x8x3x5xf32>, %mask: tensor<1x1x1x8xi1>, %bias: tensor<2x4x1x8xf32>, %positions: tensor<1x1xi32>, %length: tensor<2xi32>) {
  // expected-error @below {{4 heads do not share 3}}
  %r = "pyg.attention"(%q, %k, %v, %mask, %bias, %positions, %length) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32} : (tensor<2x1x4x3xf32>, tensor<2x8x3x3xf32>, tensor<2x8x3x5xf32>, tensor<1x1x1x8xi1>, tensor<2x4x1x8xf32>, tensor<1x1xi32>, tensor<2xi32>) -> tensor<2x1x4x5xf32>
  return
}

// -----

func.func @main(%q: tensor<2x1x4x3xf32>, %k: tensor<2x8x2x3xf32>, %v: tensor<2x8x2x5xf32>, %mask: tensor<1x1x1x8xi1>, %bias: tensor<2x4x1x8xf32>, %positions: tensor<1x1xi32>, %length: tensor<2xi32>) {
  // expected-error @below {{`q_dims` names 3 of 4 dimensions, but should name 4 of 4}}
  %r = "pyg.attention"(%q, %k, %v, %mask, %bias, %positions, %length) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 0>, q_dims = array<i64: 0, 1, 2>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32} : (tensor<2x1x4x3xf32>, tensor<2x8x2x3xf32>, tensor<2x8x2x5xf32>, tensor<1x1x1x8xi1>, tensor<2x4x1x8xf32>, tensor<1x1xi32>, tensor<2xi32>) -> tensor<2x1x4x5xf32>
  return
}

// -----

func.func @main(%q: tensor<2x1x4x3xf32>, %k: tensor<2x8x2x3xf32>, %v: tensor<2x8x2x5xf32>, %mask: tensor<1x1x1x8xi1>, %bias: tensor<2x4x1x8xf32>, %positions: tensor<1x1xi32>, %length: tensor<2xi32>) {
  // expected-error @below {{`v_dims` names dimension 2 twice}}
  %r = "pyg.attention"(%q, %k, %v, %mask, %bias, %positions, %length) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 2>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32} : (tensor<2x1x4x3xf32>, tensor<2x8x2x3xf32>, tensor<2x8x2x5xf32>, tensor<1x1x1x8xi1>, tensor<2x4x1x8xf32>, tensor<1x1xi32>, tensor<2xi32>) -> tensor<2x1x4x5xf32>
  return
}

// -----

func.func @main(%q: tensor<2x1x4x3xf32>, %k: tensor<2x8x2x3xf32>, %v: tensor<2x8x2x5xf32>, %mask: tensor<1x1x1x8xi1>, %bias: tensor<2x4x1x8xf32>, %positions: tensor<1x1xi32>, %length: tensor<2xi32>) {
  // expected-error @below {{`k_dims` names dimension 4 of a tensor that has 4}}
  %r = "pyg.attention"(%q, %k, %v, %mask, %bias, %positions, %length) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 4>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32} : (tensor<2x1x4x3xf32>, tensor<2x8x2x3xf32>, tensor<2x8x2x5xf32>, tensor<1x1x1x8xi1>, tensor<2x4x1x8xf32>, tensor<1x1xi32>, tensor<2xi32>) -> tensor<2x1x4x5xf32>
  return
}

// -----

func.func @main(%q: tensor<2x1x4x3xf32>, %k: tensor<2x8x2x3xf32>, %v: tensor<2x8x2x5xf32>, %mask: tensor<1x1x1x7xi1>, %bias: tensor<2x4x1x8xf32>, %positions: tensor<1x1xi32>, %length: tensor<2xi32>) {
  // expected-error @below {{the mask is [1, 1, 1, 7], which does not go with [2, 4, 1, 8]}}
  %r = "pyg.attention"(%q, %k, %v, %mask, %bias, %positions, %length) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32} : (tensor<2x1x4x3xf32>, tensor<2x8x2x3xf32>, tensor<2x8x2x5xf32>, tensor<1x1x1x7xi1>, tensor<2x4x1x8xf32>, tensor<1x1xi32>, tensor<2xi32>) -> tensor<2x1x4x5xf32>
  return
}

// -----

func.func @main(%q: tensor<2x1x4x3xf32>, %k: tensor<2x8x2x3xf32>, %v: tensor<2x8x2x5xf32>, %mask: tensor<1x1x1x8xi1>, %bias: tensor<3x4x1x8xf32>, %positions: tensor<1x1xi32>, %length: tensor<2xi32>) {
  // expected-error @below {{the bias is [3, 4, 1, 8], which does not go with [2, 4, 1, 8]}}
  %r = "pyg.attention"(%q, %k, %v, %mask, %bias, %positions, %length) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32} : (tensor<2x1x4x3xf32>, tensor<2x8x2x3xf32>, tensor<2x8x2x5xf32>, tensor<1x1x1x8xi1>, tensor<3x4x1x8xf32>, tensor<1x1xi32>, tensor<2xi32>) -> tensor<2x1x4x5xf32>
  return
}

// -----

func.func @main(%q: tensor<2x1x4x3xf32>, %k: tensor<2x8x2x3xf32>, %v: tensor<2x8x2x5xf32>, %mask: tensor<1x1x1x8xi1>, %bias: tensor<2x4x1x8xf32>, %positions: tensor<1x2xi32>, %length: tensor<2xi32>) {
  // expected-error @below {{the positions is [1, 2], which does not go with [2, 1]}}
  %r = "pyg.attention"(%q, %k, %v, %mask, %bias, %positions, %length) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32} : (tensor<2x1x4x3xf32>, tensor<2x8x2x3xf32>, tensor<2x8x2x5xf32>, tensor<1x1x1x8xi1>, tensor<2x4x1x8xf32>, tensor<1x2xi32>, tensor<2xi32>) -> tensor<2x1x4x5xf32>
  return
}

// -----

func.func @main(%q: tensor<2x1x4x3xf32>, %k: tensor<2x8x2x3xf32>, %v: tensor<2x8x2x5xf32>, %mask: tensor<1x1x1x8xi1>, %bias: tensor<2x4x1x8xf32>, %positions: tensor<1x1xi32>, %length: tensor<3xi32>) {
  // expected-error @below {{the length is [3], which does not go with [2]}}
  %r = "pyg.attention"(%q, %k, %v, %mask, %bias, %positions, %length) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32} : (tensor<2x1x4x3xf32>, tensor<2x8x2x3xf32>, tensor<2x8x2x5xf32>, tensor<1x1x1x8xi1>, tensor<2x4x1x8xf32>, tensor<1x1xi32>, tensor<3xi32>) -> tensor<2x1x4x5xf32>
  return
}

// -----

func.func @main(%q: tensor<2x1x4x3xf32>, %k: tensor<2x8x2x3xf32>, %v: tensor<2x8x2x5xf32>, %length: tensor<2xi32>) {
  // expected-error @below {{there are 2 of length}}
  %r = "pyg.attention"(%q, %k, %v, %length, %length) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 2, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32} : (tensor<2x1x4x3xf32>, tensor<2x8x2x3xf32>, tensor<2x8x2x5xf32>, tensor<2xi32>, tensor<2xi32>) -> tensor<2x1x4x5xf32>
  return
}

// -----

func.func @main(%q: tensor<2x1x4x3xf32>, %k: tensor<2x8x2x3xf32>, %v: tensor<2x8x2x5xf32>, %mask: tensor<1x1x1x8xi1>, %bias: tensor<2x4x1x8xf32>, %positions: tensor<1x1xi32>, %length: tensor<2xi32>) {
  // expected-error @below {{`window` is 0, but should be positive}}
  %r = "pyg.attention"(%q, %k, %v, %mask, %bias, %positions, %length) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32, window = 0 : i64} : (tensor<2x1x4x3xf32>, tensor<2x8x2x3xf32>, tensor<2x8x2x5xf32>, tensor<1x1x1x8xi1>, tensor<2x4x1x8xf32>, tensor<1x1xi32>, tensor<2xi32>) -> tensor<2x1x4x5xf32>
  return
}

// -----

func.func @main(%q: tensor<2x1x4x3xf32>, %k: tensor<2x8x2x3xf32>, %v: tensor<2x8x2x5xf32>, %mask: tensor<1x1x1x8xi1>, %bias: tensor<2x4x1x8xf32>, %positions: tensor<1x1xi32>, %length: tensor<2xi32>) {
  // expected-error @below {{`skips_below` goes with `window` and positions}}
  %r = "pyg.attention"(%q, %k, %v, %mask, %bias, %positions, %length) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32, skips_below = true} : (tensor<2x1x4x3xf32>, tensor<2x8x2x3xf32>, tensor<2x8x2x5xf32>, tensor<1x1x1x8xi1>, tensor<2x4x1x8xf32>, tensor<1x1xi32>, tensor<2xi32>) -> tensor<2x1x4x5xf32>
  return
}

// -----

// expected-error @below {{`slots` is 0, but should be positive}}
"pyg.kv.arena"() {sym_name = "kv", slots = 0 : i64, tokens_max = 8 : i64, layers = 1 : i64, heads = 2 : i64, features = array<i64: 3, 5>, element = f32, token_bytes = 64 : i64, handle_bytes = 2097152 : i64, bounded = true} : () -> ()

// -----

// expected-error @below {{`window` is -1, but should be positive}}
"pyg.kv.arena"() {sym_name = "kv", slots = 2 : i64, tokens_max = 8 : i64, layers = 1 : i64, heads = 2 : i64, features = array<i64: 3, 5>, element = f32, token_bytes = 64 : i64, handle_bytes = 2097152 : i64, bounded = true, window = -1 : i64} : () -> ()

// -----

// expected-error @below {{`features` is [3, 0], but should be those of a key, of a value, or of both}}
"pyg.kv.arena"() {sym_name = "kv", slots = 2 : i64, tokens_max = 8 : i64, layers = 1 : i64, heads = 2 : i64, features = array<i64: 3, 0>, element = f32, token_bytes = 64 : i64, handle_bytes = 2097152 : i64, bounded = true} : () -> ()

// -----

// expected-error @below {{`element` should be an element type}}
"pyg.kv.arena"() {sym_name = "kv", slots = 2 : i64, tokens_max = 8 : i64, layers = 1 : i64, heads = 2 : i64, features = array<i64: 3, 5>, element = tensor<f32>, token_bytes = 64 : i64, handle_bytes = 2097152 : i64, bounded = true} : () -> ()

// -----

// expected-error @below {{no device stores i3}}
"pyg.kv.arena"() {sym_name = "kv", slots = 2 : i64, tokens_max = 8 : i64, layers = 1 : i64, heads = 2 : i64, features = array<i64: 3, 5>, element = i3, token_bytes = 64 : i64, handle_bytes = 2097152 : i64, bounded = true} : () -> ()

// -----

// expected-error @below {{`token_bytes` is 63, but a token of all layers has 64}}
"pyg.kv.arena"() {sym_name = "kv", slots = 2 : i64, tokens_max = 8 : i64, layers = 1 : i64, heads = 2 : i64, features = array<i64: 3, 5>, element = f32, token_bytes = 63 : i64, handle_bytes = 2097152 : i64, bounded = true} : () -> ()

// -----

func.func @main(%p: tensor<1x1xi32>) {
  // expected-error @below {{@kv is no arena}}
  "pyg.kv.ensure"(%p) {arena = @kv, spread = "one", offsets = array<i64: 0>} : (tensor<1x1xi32>) -> ()
  return
}

// -----

"pyg.kv.arena"() {sym_name = "kv", slots = 2 : i64, tokens_max = 8 : i64, layers = 1 : i64, heads = 2 : i64, features = array<i64: 3, 5>, element = f32, token_bytes = 64 : i64, handle_bytes = 2097152 : i64, bounded = true} : () -> ()
func.func @main(%p: tensor<3x1xi32>) {
  // expected-error @below {{positions are [3, 1], but should be 2}}
  "pyg.kv.retire"(%p) {arena = @kv, spread = "slots", offsets = array<i64: 0, 0>, window = 4 : i64} : (tensor<3x1xi32>) -> ()
  return
}

// -----

"pyg.kv.arena"() {sym_name = "kv", slots = 2 : i64, tokens_max = 8 : i64, layers = 1 : i64, heads = 2 : i64, features = array<i64: 3, 5>, element = f32, token_bytes = 64 : i64, handle_bytes = 2097152 : i64, bounded = true} : () -> ()
func.func @main(%p: tensor<i32>) {
  // expected-error @below {{3 offsets are not as many for each of the 2 slots of @kv}}
  "pyg.kv.ensure"(%p) {arena = @kv, spread = "one", offsets = array<i64: 0, 0, 0>} : (tensor<i32>) -> ()
  return
}

// -----

"pyg.kv.arena"() {sym_name = "kv", slots = 2 : i64, tokens_max = 8 : i64, layers = 1 : i64, heads = 2 : i64, features = array<i64: 3, 5>, element = f32, token_bytes = 64 : i64, handle_bytes = 2097152 : i64, bounded = true} : () -> ()
func.func @main(%p: tensor<i32>) {
  // expected-error @below {{`spread` is `all`, which is none of one, slots, tokens}}
  "pyg.kv.ensure"(%p) {arena = @kv, spread = "all", offsets = array<i64: 0, 0>} : (tensor<i32>) -> ()
  return
}

// -----

"pyg.kv.arena"() {sym_name = "kv", slots = 2 : i64, tokens_max = 8 : i64, layers = 1 : i64, heads = 2 : i64, features = array<i64: 3, 5>, element = f32, token_bytes = 64 : i64, handle_bytes = 2097152 : i64, bounded = true} : () -> ()
func.func @main(%p: tensor<i32>) {
  // expected-error @below {{positions come from one source}}
  "pyg.kv.ensure"(%p, %p) {arena = @kv, spread = "one", offsets = array<i64: 0, 0>} : (tensor<i32>, tensor<i32>) -> ()
  return
}

// -----

// Where it rounds, and what it reads, is of three types.
func.func @main(%q: tensor<2x1x4x3xf32>, %k: tensor<2x8x2x3xf32>, %v: tensor<2x8x2x5xf32>, %mask: tensor<1x1x1x8xi1>, %bias: tensor<2x4x1x8xf32>, %positions: tensor<1x1xi32>, %length: tensor<2xi32>) {
  // expected-error @below {{`score_type` should be f32, f16 or bf16}}
  %r = "pyg.attention"(%q, %k, %v, %mask, %bias, %positions, %length) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f64, logit_type = f32, softmax_type = f32, probability_type = f32} : (tensor<2x1x4x3xf32>, tensor<2x8x2x3xf32>, tensor<2x8x2x5xf32>, tensor<1x1x1x8xi1>, tensor<2x4x1x8xf32>, tensor<1x1xi32>, tensor<2xi32>) -> tensor<2x1x4x5xf32>
  return
}

// -----

func.func @main(%q: tensor<2x1x4x3xf32>, %k: tensor<2x8x2x3xf32>, %v: tensor<2x8x2x5xf32>, %mask: tensor<1x1x1x8xi1>, %bias: tensor<2x4x1x8xf32>, %positions: tensor<1x1xi32>, %length: tensor<2xi32>) {
  // expected-error @below {{`key_type` should be f32, f16 or bf16}}
  %r = "pyg.attention"(%q, %k, %v, %mask, %bias, %positions, %length) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = tensor<f32>, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32} : (tensor<2x1x4x3xf32>, tensor<2x8x2x3xf32>, tensor<2x8x2x5xf32>, tensor<1x1x1x8xi1>, tensor<2x4x1x8xf32>, tensor<1x1xi32>, tensor<2xi32>) -> tensor<2x1x4x5xf32>
  return
}

// -----

func.func @main(%q: tensor<2x1x4x3xf64>, %k: tensor<2x8x2x3xf32>, %v: tensor<2x8x2x5xf32>, %mask: tensor<1x1x1x8xi1>, %bias: tensor<2x4x1x8xf32>, %positions: tensor<1x1xi32>, %length: tensor<2xi32>) {
  // expected-error @below {{attention computes on f32, f16 and bf16, not f64}}
  %r = "pyg.attention"(%q, %k, %v, %mask, %bias, %positions, %length) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32} : (tensor<2x1x4x3xf64>, tensor<2x8x2x3xf32>, tensor<2x8x2x5xf32>, tensor<1x1x1x8xi1>, tensor<2x4x1x8xf32>, tensor<1x1xi32>, tensor<2xi32>) -> tensor<2x1x4x5xf32>
  return
}

// -----

"pyg.kv.arena"() {sym_name = "kv", slots = 2 : i64, tokens_max = 8 : i64, layers = 1 : i64, heads = 2 : i64, features = array<i64: 3, 5>, element = f32, token_bytes = 64 : i64, handle_bytes = 2097152 : i64, bounded = true} : () -> ()
func.func @main(%p: tensor<i5>) {
  // expected-error @below {{no device stores i5}}
  "pyg.kv.ensure"(%p) {arena = @kv, spread = "one", offsets = array<i64: 0, 0>} : (tensor<i5>) -> ()
  return
}

// -----

// Layers of keys and values are as many, and named in both.
func.func @main(%q: tensor<2x1x4x3xf32>, %k: tensor<5x2x8x2x3xf32>, %v: tensor<6x2x8x2x5xf32>, %layer: tensor<i32>) {
  // expected-error @below {{layers of keys and values are 5 and 6}}
  %r = "pyg.attention"(%q, %k, %v, %layer) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 1>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 1, 2, 3, 4, 0>, v_dims = array<i64: 1, 2, 3, 4, 0>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32} : (tensor<2x1x4x3xf32>, tensor<5x2x8x2x3xf32>, tensor<6x2x8x2x5xf32>, tensor<i32>) -> tensor<2x1x4x5xf32>
  return
}

// -----

func.func @main(%q: tensor<2x1x4x3xf32>, %k: tensor<5x2x8x2x3xf32>, %v: tensor<5x2x8x2x5xf32>) {
  // expected-error @below {{`k_dims` names 4 of 5 dimensions, but should name 4 of 4}}
  %r = "pyg.attention"(%q, %k, %v) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 1, 2, 3, 4>, v_dims = array<i64: 1, 2, 3, 4>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32} : (tensor<2x1x4x3xf32>, tensor<5x2x8x2x3xf32>, tensor<5x2x8x2x5xf32>) -> tensor<2x1x4x5xf32>
  return
}
