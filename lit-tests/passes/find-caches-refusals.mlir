// RUN: %pygraph-opt %s --split-input-file --pipeline=find-caches --remarks 2>&1 >/dev/null | FileCheck %s

// Positions that the device computes.
// CHECK: state `k` of @{{.*}}: it is in @kv, which is mapped in full: its positions are computed on the device; pass them as an argument
func.func @computed(%k: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "k", pyg.updated_by = 0 : i64}, %v: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "v", pyg.updated_by = 1 : i64}, %q: tensor<2x1x2x4xf32>, %new: tensor<2x1x1x4xf32>, %pos: tensor<i32> {pyg.bind = "step", pyg.name = "pos"}) -> (tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x1x2x4xf32>) {
  %c = stablehlo.constant dense<0> : tensor<i32>
  %p = stablehlo.multiply %pos, %pos : tensor<i32>
  %nk = stablehlo.dynamic_update_slice %k, %new, %c, %p, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %nv = stablehlo.dynamic_update_slice %v, %new, %c, %p, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %at = stablehlo.reshape %p : (tensor<i32>) -> tensor<1x1xi32>
  %a = "pyg.attention"(%q, %nk, %nv, %at) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32} : (tensor<2x1x2x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<1x1xi32>) -> tensor<2x1x2x4xf32>
  return %nk, %nv, %a : tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x1x2x4xf32>
}

// -----

// Positions that are one element of several.
// CHECK: state `k` of @{{.*}}: it is in @kv, which is mapped in full: its positions are spread over `pos` in no plain order
func.func @one_of_several(%k: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "k", pyg.updated_by = 0 : i64}, %v: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "v", pyg.updated_by = 1 : i64}, %q: tensor<2x1x2x4xf32>, %new: tensor<2x1x1x4xf32>, %pos: tensor<3xi32> {pyg.bind = "step", pyg.name = "pos"}) -> (tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x1x2x4xf32>) {
  %c = stablehlo.constant dense<0> : tensor<i32>
  %s = stablehlo.slice %pos [1:2] : (tensor<3xi32>) -> tensor<1xi32>
  %p = stablehlo.reshape %s : (tensor<1xi32>) -> tensor<i32>
  %nk = stablehlo.dynamic_update_slice %k, %new, %c, %p, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %nv = stablehlo.dynamic_update_slice %v, %new, %c, %p, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %at = stablehlo.reshape %p : (tensor<i32>) -> tensor<1x1xi32>
  %a = "pyg.attention"(%q, %nk, %nv, %at) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32} : (tensor<2x1x2x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<1x1xi32>) -> tensor<2x1x2x4xf32>
  return %nk, %nv, %a : tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x1x2x4xf32>
}

// -----

// Keys that are the values too.
// CHECK: state `k` of @{{.*}}: it is in @kv, which is mapped in full: `pyg.attention` at {{.*}} reads it as more than keys or values
func.func @keys_are_values(%k: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "k", pyg.updated_by = 0 : i64}, %v: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "v", pyg.updated_by = 1 : i64}, %q: tensor<2x1x2x4xf32>, %new: tensor<2x1x1x4xf32>, %pos: tensor<i32> {pyg.bind = "step", pyg.name = "pos"}) -> (tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x1x2x4xf32>) {
  %c = stablehlo.constant dense<0> : tensor<i32>
  %nk = stablehlo.dynamic_update_slice %k, %new, %c, %pos, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %nv = stablehlo.dynamic_update_slice %v, %new, %c, %pos, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %at = stablehlo.reshape %pos : (tensor<i32>) -> tensor<1x1xi32>
  %a = "pyg.attention"(%q, %nk, %nk, %at) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32} : (tensor<2x1x2x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<1x1xi32>) -> tensor<2x1x2x4xf32>
  return %nk, %nv, %a : tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x1x2x4xf32>
}

// -----

// A copy of the cache in another order.
// CHECK: state `k` of @{{.*}}: it is in @kv, which is mapped in full: its new value is read by `stablehlo.transpose` at {{.*}}, which is no attention
// CHECK: state `v` of @{{.*}}: it is in @kv, which is mapped in full: it is read together with `k`
func.func @copied(%k: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "k", pyg.updated_by = 0 : i64}, %v: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "v", pyg.updated_by = 1 : i64}, %q: tensor<2x1x2x4xf32>, %new: tensor<2x1x1x4xf32>, %pos: tensor<i32> {pyg.bind = "step", pyg.name = "pos"}) -> (tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x1x2x4xf32>, tensor<2x1x8x4xf32>) {
  %c = stablehlo.constant dense<0> : tensor<i32>
  %nk = stablehlo.dynamic_update_slice %k, %new, %c, %pos, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %nv = stablehlo.dynamic_update_slice %v, %new, %c, %pos, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %t = stablehlo.transpose %nk, dims = [0, 2, 1, 3] : (tensor<2x8x1x4xf32>) -> tensor<2x1x8x4xf32>
  %at = stablehlo.reshape %pos : (tensor<i32>) -> tensor<1x1xi32>
  %a = "pyg.attention"(%q, %nk, %nv, %at) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32} : (tensor<2x1x2x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<1x1xi32>) -> tensor<2x1x2x4xf32>
  return %nk, %nv, %a, %t : tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x1x2x4xf32>, tensor<2x1x8x4xf32>
}

// -----

// Layers stacked in one cache, written one at a time.
// CHECK: state `stacked` of @{{.*}}: it is no cache, since it is replaced whole, or updated along more than one dimension
// CHECK: state `deep` of @{{.*}}: it is no cache, since it has 4 dimensions beside its tokens
func.func @stacked(%s: tensor<3x2x8x1x4xf32> {pyg.bind = "state", pyg.name = "stacked", pyg.updated_by = 0 : i64}, %d: tensor<3x2x8x1x4xf32> {pyg.bind = "state", pyg.name = "deep", pyg.updated_by = 1 : i64}, %new: tensor<1x2x1x1x4xf32>, %newd: tensor<3x2x1x1x4xf32>, %pos: tensor<i32> {pyg.bind = "step"}) -> (tensor<3x2x8x1x4xf32>, tensor<3x2x8x1x4xf32>) {
  %c = stablehlo.constant dense<0> : tensor<i32>
  %0 = stablehlo.dynamic_update_slice %s, %new, %c, %c, %pos, %c, %c : (tensor<3x2x8x1x4xf32>, tensor<1x2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<3x2x8x1x4xf32>
  %1 = stablehlo.dynamic_update_slice %d, %newd, %c, %c, %pos, %c, %c : (tensor<3x2x8x1x4xf32>, tensor<3x2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<3x2x8x1x4xf32>
  return %0, %1 : tensor<3x2x8x1x4xf32>, tensor<3x2x8x1x4xf32>
}

// -----

// Several rows at once: the mask may show each query the rows up to its own.
// CHECK: choice: @kv: `k`, `v` lie in it, and only rows up to the position are read of its 8, provided: rows that are not read are finite
func.func @prefill(%k: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "k", pyg.updated_by = 0 : i64}, %v: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "v", pyg.updated_by = 1 : i64}, %q: tensor<2x3x2x4xf32>, %new: tensor<2x3x1x4xf32>, %pos: tensor<i32> {pyg.bind = "step", pyg.name = "pos"}) -> (tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x3x2x4xf32>) {
  %c = stablehlo.constant dense<0> : tensor<i32>
  %nk = stablehlo.dynamic_update_slice %k, %new, %c, %pos, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x3x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %nv = stablehlo.dynamic_update_slice %v, %new, %c, %pos, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x3x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %p = stablehlo.broadcast_in_dim %pos, dims = [] : (tensor<i32>) -> tensor<1x3xi32>
  %i = stablehlo.iota dim = 1 : tensor<1x3xi32>
  %at = stablehlo.add %p, %i : tensor<1x3xi32>
  %a = "pyg.attention"(%q, %nk, %nv, %at) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32, fill = -1.0e30 : f32} : (tensor<2x3x2x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<1x3xi32>) -> tensor<2x3x2x4xf32>
  return %nk, %nv, %a : tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x3x2x4xf32>
}

// -----

// Scatters that write no whole rows at positions.
// CHECK: refusal: state `windows` of @scatters: it is no cache, since it is updated by windows that may leave it; write whole rows, with indices in the dimension of tokens alone
// CHECK: refusal: state `square` of @scatters: it is no cache, since it is updated along more than one dimension; write whole rows at a position, and give every layer an argument of its own
// CHECK: refusal: state `part` of @scatters: it is no cache, since it is replaced whole, or updated in part of each row; write whole rows at a position
// CHECK: refusal: state `flat` of @scatters: it is no cache, since it has positions for other rows than those of the batch; put the batch first
func.func @scatters(%windows: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "windows", pyg.updated_by = 0 : i64}, %square: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "square", pyg.updated_by = 1 : i64}, %part: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "part", pyg.updated_by = 2 : i64}, %flat: tensor<2x8xf32> {pyg.bind = "state", pyg.name = "flat", pyg.updated_by = 3 : i64}, %new: tensor<2x1x4xf32>, %halves: tensor<2x1x2xf32>, %points: tensor<2x1xf32>, %two: tensor<2xf32>, %pos: tensor<1x1xi32> {pyg.bind = "step"}, %both: tensor<1x2xi32> {pyg.bind = "step"}, %each: tensor<2x1xi32> {pyg.bind = "step"}) -> (tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8xf32>) {
  %rows = stablehlo.constant dense<[[0], [1]]> : tensor<2x1xi32>
  %at = stablehlo.concatenate %rows, %each, dim = 1 : (tensor<2x1xi32>, tensor<2x1xi32>) -> tensor<2x2xi32>
  %whole = stablehlo.reshape %new : (tensor<2x1x4xf32>) -> tensor<1x2x1x4xf32>
  %half = stablehlo.reshape %halves : (tensor<2x1x2xf32>) -> tensor<1x2x1x2xf32>
  %point = stablehlo.reshape %points : (tensor<2x1xf32>) -> tensor<1x2x1xf32>
  %0 = "stablehlo.scatter"(%windows, %both, %whole) ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    stablehlo.return %b : tensor<f32>
  }) {scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [1, 2, 3], inserted_window_dims = [1], scatter_dims_to_operand_dims = [1, 2], index_vector_dim = 1>} : (tensor<2x8x1x4xf32>, tensor<1x2xi32>, tensor<1x2x1x4xf32>) -> tensor<2x8x1x4xf32>
  %1 = "stablehlo.scatter"(%square, %both, %point) ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    stablehlo.return %b : tensor<f32>
  }) {scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [1, 2], inserted_window_dims = [1, 3], scatter_dims_to_operand_dims = [1, 3], index_vector_dim = 1>} : (tensor<2x8x1x4xf32>, tensor<1x2xi32>, tensor<1x2x1xf32>) -> tensor<2x8x1x4xf32>
  %2 = "stablehlo.scatter"(%part, %pos, %half) ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    stablehlo.return %b : tensor<f32>
  }) {scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [1, 2, 3], inserted_window_dims = [1], scatter_dims_to_operand_dims = [1], index_vector_dim = 1>} : (tensor<2x8x1x4xf32>, tensor<1x1xi32>, tensor<1x2x1x2xf32>) -> tensor<2x8x1x4xf32>
  %3 = "stablehlo.scatter"(%flat, %at, %two) ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    stablehlo.return %b : tensor<f32>
  }) {scatter_dimension_numbers = #stablehlo.scatter<inserted_window_dims = [0, 1], scatter_dims_to_operand_dims = [0, 1], index_vector_dim = 1>} : (tensor<2x8xf32>, tensor<2x2xi32>, tensor<2xf32>) -> tensor<2x8xf32>
  return %0, %1, %2, %3 : tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8xf32>
}

// -----

// Two caches in one scatter, and positions without a sign.
// CHECK: refusal: state `first` of @together: it is no cache, since it is updated together with another; update each in an operation of its own
// CHECK: refusal: state `unsigned` of @together: it is no cache, since it is updated at positions that are no signed integers, or too many to look at; make the positions i32 or i64
func.func @together(%first: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "first", pyg.updated_by = 0 : i64}, %unsigned: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "unsigned", pyg.updated_by = 2 : i64}, %second: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "second", pyg.updated_by = 1 : i64}, %new: tensor<1x2x1x4xf32>, %row: tensor<2x1x1x4xf32>, %pos: tensor<1x1xi32> {pyg.bind = "step"}, %bare: tensor<ui32> {pyg.bind = "step"}) -> (tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>) {
  %c = stablehlo.constant dense<0> : tensor<ui32>
  %0:2 = "stablehlo.scatter"(%first, %second, %pos, %new, %new) ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>, %x: tensor<f32>, %y: tensor<f32>):
    stablehlo.return %x, %y : tensor<f32>, tensor<f32>
  }) {scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [1, 2, 3], inserted_window_dims = [1], scatter_dims_to_operand_dims = [1], index_vector_dim = 1>} : (tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<1x1xi32>, tensor<1x2x1x4xf32>, tensor<1x2x1x4xf32>) -> (tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>)
  %1 = stablehlo.dynamic_update_slice %unsigned, %row, %c, %bare, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x4xf32>, tensor<ui32>, tensor<ui32>, tensor<ui32>, tensor<ui32>) -> tensor<2x8x1x4xf32>
  return %0#0, %0#1, %1 : tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>
}

// -----

// Nothing replaces it, or an argument does.
// CHECK: refusal: state `fixed` of @unwritten: it is no cache, since it is not replaced by a result; return its new value, and name that result
// CHECK: refusal: state `given` of @unwritten: it is no cache, since it is replaced by an argument; write to it at a position, or bind what it holds as `once`
func.func @unwritten(%fixed: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "fixed"}, %given: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "given", pyg.updated_by = 0 : i64}, %new: tensor<2x8x1x4xf32>) -> tensor<2x8x1x4xf32> {
  return %new : tensor<2x8x1x4xf32>
}

// -----

// What is written is the cache itself; positions of two arguments.
// CHECK: refusal: state `own` of @sources: it is in @{{.*}}, which is mapped in full: its old value is also what `stablehlo.scatter` at {{.*}} writes; write rows that are not the cache's own
// CHECK: refusal: state `several` of @sources: it is in @{{.*}}, which is mapped in full: its positions come from several values; write all its rows at positions of one argument
func.func @sources(%own: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "own", pyg.updated_by = 0 : i64}, %several: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "several", pyg.updated_by = 1 : i64}, %v: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "v", pyg.updated_by = 2 : i64}, %q: tensor<2x1x2x4xf32>, %new: tensor<2x2x1x4xf32>, %all: tensor<8x1xi32> {pyg.bind = "step"}, %one: tensor<1x1xi32> {pyg.bind = "step"}, %other: tensor<1x1xi32> {pyg.bind = "step"}) -> (tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x1x2x4xf32>) {
  %at = stablehlo.concatenate %one, %other, dim = 0 : (tensor<1x1xi32>, tensor<1x1xi32>) -> tensor<2x1xi32>
  %0 = "stablehlo.scatter"(%own, %all, %own) ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    stablehlo.return %b : tensor<f32>
  }) {scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [0, 2, 3], inserted_window_dims = [1], scatter_dims_to_operand_dims = [1], index_vector_dim = 1>} : (tensor<2x8x1x4xf32>, tensor<8x1xi32>, tensor<2x8x1x4xf32>) -> tensor<2x8x1x4xf32>
  %1 = "stablehlo.scatter"(%several, %at, %new) ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    stablehlo.return %b : tensor<f32>
  }) {scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [0, 2, 3], inserted_window_dims = [1], scatter_dims_to_operand_dims = [1], index_vector_dim = 1>} : (tensor<2x8x1x4xf32>, tensor<2x1xi32>, tensor<2x2x1x4xf32>) -> tensor<2x8x1x4xf32>
  %2 = "stablehlo.scatter"(%v, %at, %new) ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    stablehlo.return %b : tensor<f32>
  }) {scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [0, 2, 3], inserted_window_dims = [1], scatter_dims_to_operand_dims = [1], index_vector_dim = 1>} : (tensor<2x8x1x4xf32>, tensor<2x1xi32>, tensor<2x2x1x4xf32>) -> tensor<2x8x1x4xf32>
  %r = "pyg.attention"(%q, %1, %2, %one) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32} : (tensor<2x1x2x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<1x1xi32>) -> tensor<2x1x2x4xf32>
  return %0, %1, %2, %r : tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x1x2x4xf32>
}

// -----

// Batch and tokens in each other's place.
// CHECK: refusal: state `k` of @other_tokens: it is in @{{.*}}, which is mapped in full: the tokens of the cache are not the keys in `pyg.attention` at {{.*}}; mask with `key <= position` of the row that is written, filled with -inf
func.func @other_tokens(%k: tensor<8x8x1x4xf32> {pyg.bind = "state", pyg.name = "k", pyg.updated_by = 0 : i64}, %v: tensor<8x8x1x4xf32> {pyg.bind = "state", pyg.name = "v", pyg.updated_by = 1 : i64}, %q: tensor<8x1x2x4xf32>, %new: tensor<8x1x1x4xf32>, %pos: tensor<i32> {pyg.bind = "step", pyg.name = "pos"}, %bare: tensor<1x1xui32> {pyg.bind = "step"}) -> (tensor<8x8x1x4xf32>, tensor<8x8x1x4xf32>, tensor<8x1x2x4xf32>) {
  %c = stablehlo.constant dense<0> : tensor<i32>
  %nk = stablehlo.dynamic_update_slice %k, %new, %c, %pos, %c, %c : (tensor<8x8x1x4xf32>, tensor<8x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<8x8x1x4xf32>
  %nv = stablehlo.dynamic_update_slice %v, %new, %c, %pos, %c, %c : (tensor<8x8x1x4xf32>, tensor<8x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<8x8x1x4xf32>
  %at = stablehlo.reshape %pos : (tensor<i32>) -> tensor<1x1xi32>
  %r = "pyg.attention"(%q, %nk, %nv, %at) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 1, 0, 2, 3>, v_dims = array<i64: 1, 0, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32} : (tensor<8x1x2x4xf32>, tensor<8x8x1x4xf32>, tensor<8x8x1x4xf32>, tensor<1x1xi32>) -> tensor<8x1x2x4xf32>
  return %nk, %nv, %r : tensor<8x8x1x4xf32>, tensor<8x8x1x4xf32>, tensor<8x1x2x4xf32>
}

// -----

// A diagonal as far as it goes.
// CHECK: refusal: state `k` of @out_of_range: it is in @{{.*}}, which is mapped in full: the mask's limit is out of range in `pyg.attention` at {{.*}}; mask with `key <= position` of the row that is written, filled with -inf
func.func @out_of_range(%k: tensor<8x8x1x4xf32> {pyg.bind = "state", pyg.name = "k", pyg.updated_by = 0 : i64}, %v: tensor<8x8x1x4xf32> {pyg.bind = "state", pyg.name = "v", pyg.updated_by = 1 : i64}, %q: tensor<8x1x2x4xf32>, %new: tensor<8x1x1x4xf32>, %pos: tensor<i32> {pyg.bind = "step", pyg.name = "pos"}, %bare: tensor<1x1xui32> {pyg.bind = "step"}) -> (tensor<8x8x1x4xf32>, tensor<8x8x1x4xf32>, tensor<8x1x2x4xf32>) {
  %c = stablehlo.constant dense<0> : tensor<i32>
  %nk = stablehlo.dynamic_update_slice %k, %new, %c, %pos, %c, %c : (tensor<8x8x1x4xf32>, tensor<8x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<8x8x1x4xf32>
  %nv = stablehlo.dynamic_update_slice %v, %new, %c, %pos, %c, %c : (tensor<8x8x1x4xf32>, tensor<8x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<8x8x1x4xf32>
  %at = stablehlo.reshape %pos : (tensor<i32>) -> tensor<1x1xi32>
  %one = stablehlo.constant dense<1> : tensor<1x1xi32>
  %next = stablehlo.add %at, %one : tensor<1x1xi32>
  %r = "pyg.attention"(%q, %nk, %nv, %next) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32, diagonal = 9223372036854775807 : i64} : (tensor<8x1x2x4xf32>, tensor<8x8x1x4xf32>, tensor<8x8x1x4xf32>, tensor<1x1xi32>) -> tensor<8x1x2x4xf32>
  return %nk, %nv, %r : tensor<8x8x1x4xf32>, tensor<8x8x1x4xf32>, tensor<8x1x2x4xf32>
}

// -----

// Positions of the mask without a sign.
// CHECK: refusal: state `k` of @unsigned_mask: it is in @{{.*}}, which is mapped in full: positions of the mask are no signed integers, or too many to look at in `pyg.attention` at {{.*}}; mask with `key <= position` of the row that is written, filled with -inf
func.func @unsigned_mask(%k: tensor<8x8x1x4xf32> {pyg.bind = "state", pyg.name = "k", pyg.updated_by = 0 : i64}, %v: tensor<8x8x1x4xf32> {pyg.bind = "state", pyg.name = "v", pyg.updated_by = 1 : i64}, %q: tensor<8x1x2x4xf32>, %new: tensor<8x1x1x4xf32>, %pos: tensor<i32> {pyg.bind = "step", pyg.name = "pos"}, %bare: tensor<1x1xui32> {pyg.bind = "step"}) -> (tensor<8x8x1x4xf32>, tensor<8x8x1x4xf32>, tensor<8x1x2x4xf32>) {
  %c = stablehlo.constant dense<0> : tensor<i32>
  %nk = stablehlo.dynamic_update_slice %k, %new, %c, %pos, %c, %c : (tensor<8x8x1x4xf32>, tensor<8x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<8x8x1x4xf32>
  %nv = stablehlo.dynamic_update_slice %v, %new, %c, %pos, %c, %c : (tensor<8x8x1x4xf32>, tensor<8x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<8x8x1x4xf32>
  %at = stablehlo.reshape %pos : (tensor<i32>) -> tensor<1x1xi32>
  %r = "pyg.attention"(%q, %nk, %nv, %bare) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32} : (tensor<8x1x2x4xf32>, tensor<8x8x1x4xf32>, tensor<8x8x1x4xf32>, tensor<1x1xui32>) -> tensor<8x1x2x4xf32>
  return %nk, %nv, %r : tensor<8x8x1x4xf32>, tensor<8x8x1x4xf32>, tensor<8x1x2x4xf32>
}

// -----

// A loop carries it, and something else reads its old value.
// CHECK: refusal: state `s` of @looped: it is no cache, since it is updated in a loop, whose positions the device computes; let nothing but the loop read it; until then it is copied each step
func.func @looped(%s: tensor<3x2xf32> {pyg.bind = "state", pyg.name = "s", pyg.updated_by = 0 : i64}) -> (tensor<3x2xf32>, tensor<3x2xf32>) {
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %one = stablehlo.constant dense<1> : tensor<i32>
  %end = stablehlo.constant dense<3> : tensor<i32>
  %r:2 = stablehlo.while(%i = %zero, %c = %s) : tensor<i32>, tensor<3x2xf32>
  cond {
    %p = stablehlo.compare LT, %i, %end, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %p : tensor<i1>
  } do {
    %row = stablehlo.dynamic_slice %c, %i, %zero, sizes = [1, 2] : (tensor<3x2xf32>, tensor<i32>, tensor<i32>) -> tensor<1x2xf32>
    %next = stablehlo.dynamic_update_slice %c, %row, %zero, %zero : (tensor<3x2xf32>, tensor<1x2xf32>, tensor<i32>, tensor<i32>) -> tensor<3x2xf32>
    %j = stablehlo.add %i, %one : tensor<i32>
    stablehlo.return %j, %next : tensor<i32>, tensor<3x2xf32>
  }
  %other = stablehlo.negate %s : tensor<3x2xf32>
  return %r#1, %other : tensor<3x2xf32>, tensor<3x2xf32>
}
