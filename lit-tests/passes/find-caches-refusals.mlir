// RUN: %pygraph-opt %s --split-input-file --pipeline=find-caches --remarks 2>&1 >/dev/null | FileCheck %s
// RUN: %pygraph-opt %models/stablehlo/small/llama_decode_scan.mlir --remarks 2>&1 >/dev/null | FileCheck %s --check-prefix=LOOP
// LOOP: `arg12` is no cache: it is updated in a loop, whose positions the device computes

// Positions that the device computes.
// CHECK: `k` is in @kv, which is mapped in full: its positions are computed on the device: pass them as an argument
func.func @computed(%k: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "k", pyg.updated_by = 0 : i64}, %v: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "v", pyg.updated_by = 1 : i64}, %q: tensor<2x1x2x4xf32>, %new: tensor<2x1x1x4xf32>, %pos: tensor<i32> {pyg.bind = "step", pyg.name = "pos"}) -> (tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x1x2x4xf32>) {
  %c = stablehlo.constant dense<0> : tensor<i32>
  %p = stablehlo.multiply %pos, %pos : tensor<i32>
  %nk = stablehlo.dynamic_update_slice %k, %new, %c, %p, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %nv = stablehlo.dynamic_update_slice %v, %new, %c, %p, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %at = stablehlo.reshape %p : (tensor<i32>) -> tensor<1x1xi32>
  %a = "pyg.attention"(%q, %nk, %nv, %at) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32} : (tensor<2x1x2x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<1x1xi32>) -> tensor<2x1x2x4xf32>
  return %nk, %nv, %a : tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x1x2x4xf32>
}

// -----

// Positions that are one element of several.
// CHECK: `k` is in @kv, which is mapped in full: its positions are spread over `pos` in no plain order
func.func @one_of_several(%k: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "k", pyg.updated_by = 0 : i64}, %v: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "v", pyg.updated_by = 1 : i64}, %q: tensor<2x1x2x4xf32>, %new: tensor<2x1x1x4xf32>, %pos: tensor<3xi32> {pyg.bind = "step", pyg.name = "pos"}) -> (tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x1x2x4xf32>) {
  %c = stablehlo.constant dense<0> : tensor<i32>
  %s = stablehlo.slice %pos [1:2] : (tensor<3xi32>) -> tensor<1xi32>
  %p = stablehlo.reshape %s : (tensor<1xi32>) -> tensor<i32>
  %nk = stablehlo.dynamic_update_slice %k, %new, %c, %p, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %nv = stablehlo.dynamic_update_slice %v, %new, %c, %p, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %at = stablehlo.reshape %p : (tensor<i32>) -> tensor<1x1xi32>
  %a = "pyg.attention"(%q, %nk, %nv, %at) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32} : (tensor<2x1x2x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<1x1xi32>) -> tensor<2x1x2x4xf32>
  return %nk, %nv, %a : tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x1x2x4xf32>
}

// -----

// Keys that are the values too.
// CHECK: `k` is in @kv, which is mapped in full: `pyg.attention` at {{.*}} reads it as more than keys or values
func.func @keys_are_values(%k: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "k", pyg.updated_by = 0 : i64}, %v: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "v", pyg.updated_by = 1 : i64}, %q: tensor<2x1x2x4xf32>, %new: tensor<2x1x1x4xf32>, %pos: tensor<i32> {pyg.bind = "step", pyg.name = "pos"}) -> (tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x1x2x4xf32>) {
  %c = stablehlo.constant dense<0> : tensor<i32>
  %nk = stablehlo.dynamic_update_slice %k, %new, %c, %pos, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %nv = stablehlo.dynamic_update_slice %v, %new, %c, %pos, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %at = stablehlo.reshape %pos : (tensor<i32>) -> tensor<1x1xi32>
  %a = "pyg.attention"(%q, %nk, %nk, %at) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32} : (tensor<2x1x2x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<1x1xi32>) -> tensor<2x1x2x4xf32>
  return %nk, %nv, %a : tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x1x2x4xf32>
}

// -----

// A copy of the cache in another order.
// CHECK: `k` is in @kv, which is mapped in full: its new value is read by `stablehlo.transpose` at {{.*}}, which is no attention
// CHECK: `v` is in @kv, which is mapped in full: it is read together with `k`
func.func @copied(%k: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "k", pyg.updated_by = 0 : i64}, %v: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "v", pyg.updated_by = 1 : i64}, %q: tensor<2x1x2x4xf32>, %new: tensor<2x1x1x4xf32>, %pos: tensor<i32> {pyg.bind = "step", pyg.name = "pos"}) -> (tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x1x2x4xf32>, tensor<2x1x8x4xf32>) {
  %c = stablehlo.constant dense<0> : tensor<i32>
  %nk = stablehlo.dynamic_update_slice %k, %new, %c, %pos, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %nv = stablehlo.dynamic_update_slice %v, %new, %c, %pos, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %t = stablehlo.transpose %nk, dims = [0, 2, 1, 3] : (tensor<2x8x1x4xf32>) -> tensor<2x1x8x4xf32>
  %at = stablehlo.reshape %pos : (tensor<i32>) -> tensor<1x1xi32>
  %a = "pyg.attention"(%q, %nk, %nv, %at) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32} : (tensor<2x1x2x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<1x1xi32>) -> tensor<2x1x2x4xf32>
  return %nk, %nv, %a, %t : tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x1x2x4xf32>, tensor<2x1x8x4xf32>
}

// -----

// Layers stacked in one cache, written one at a time.
// CHECK: `stacked` is no cache: it is replaced whole, or updated along more than one dimension
// CHECK: `deep` is no cache: it has 4 dimensions beside its tokens
func.func @stacked(%s: tensor<3x2x8x1x4xf32> {pyg.bind = "state", pyg.name = "stacked", pyg.updated_by = 0 : i64}, %d: tensor<3x2x8x1x4xf32> {pyg.bind = "state", pyg.name = "deep", pyg.updated_by = 1 : i64}, %new: tensor<1x2x1x1x4xf32>, %newd: tensor<3x2x1x1x4xf32>, %pos: tensor<i32> {pyg.bind = "step"}) -> (tensor<3x2x8x1x4xf32>, tensor<3x2x8x1x4xf32>) {
  %c = stablehlo.constant dense<0> : tensor<i32>
  %0 = stablehlo.dynamic_update_slice %s, %new, %c, %c, %pos, %c, %c : (tensor<3x2x8x1x4xf32>, tensor<1x2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<3x2x8x1x4xf32>
  %1 = stablehlo.dynamic_update_slice %d, %newd, %c, %c, %pos, %c, %c : (tensor<3x2x8x1x4xf32>, tensor<3x2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<3x2x8x1x4xf32>
  return %0, %1 : tensor<3x2x8x1x4xf32>, tensor<3x2x8x1x4xf32>
}

// -----

// Several rows at once: the mask may show each query the rows up to its own.
// CHECK: `k`, `v` are in @kv, and only rows up to the position are read of its 8, provided: rows that are not read are finite
func.func @prefill(%k: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "k", pyg.updated_by = 0 : i64}, %v: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "v", pyg.updated_by = 1 : i64}, %q: tensor<2x3x2x4xf32>, %new: tensor<2x3x1x4xf32>, %pos: tensor<i32> {pyg.bind = "step", pyg.name = "pos"}) -> (tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x3x2x4xf32>) {
  %c = stablehlo.constant dense<0> : tensor<i32>
  %nk = stablehlo.dynamic_update_slice %k, %new, %c, %pos, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x3x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %nv = stablehlo.dynamic_update_slice %v, %new, %c, %pos, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x3x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %p = stablehlo.broadcast_in_dim %pos, dims = [] : (tensor<i32>) -> tensor<1x3xi32>
  %i = stablehlo.iota dim = 1 : tensor<1x3xi32>
  %at = stablehlo.add %p, %i : tensor<1x3xi32>
  %a = "pyg.attention"(%q, %nk, %nv, %at) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32, fill = -1.0e30 : f32} : (tensor<2x3x2x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<1x3xi32>) -> tensor<2x3x2x4xf32>
  return %nk, %nv, %a : tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x3x2x4xf32>
}
