// RUN: %pygraph-opt %s --split-input-file --pipeline=find-caches | FileCheck %s
// RUN: %pygraph-opt %s --split-input-file --pipeline=find-caches --kv-grouping=layer --kv-handle-bytes=4194304 | FileCheck %s --check-prefix=LAYER
// RUN: %pygraph-opt %s --split-input-file --pipeline=find-caches --kv-grouping=none | FileCheck %s --check-prefix=NONE
// RUN: %pygraph-opt %s --split-input-file --pipeline=find-caches --remarks 2>&1 >%t.out | FileCheck %s --check-prefix=REMARK
// RUN: %pygraph-opt %s --split-input-file --pipeline=find-caches --kv-rows-kept=2 | FileCheck %s --check-prefix=KEPT
// RUN: not %pygraph-opt %s --kv-rows-kept=-1 2>&1 | FileCheck %s --check-prefix=NO-ROWS
// NO-ROWS: error: --kv-rows-kept: `-1` is no number of rows
// RUN: not %pygraph-opt %s --kv-handle-bytes=0 2>&1 | FileCheck %s --check-prefix=NO-BYTES
// RUN: not %pygraph-opt %s --kv-grouping=some 2>&1 | FileCheck %s --check-prefix=NO-GROUPING
// NO-BYTES: error: --kv-handle-bytes: `0` is no number of bytes above 0
// NO-GROUPING: error: --kv-grouping: `some` is none of all, layer, none

// A loop that carries the caches and the position: its body says what must be mapped.
// RUN: %pygraph-opt %models/stablehlo/small/llama_greedy_loop.mlir --stop-after=tensor --elide-constants | FileCheck %s --check-prefix=LOOP
// LOOP: "pyg.kv.arena"() {bounded = true, {{.*}} layers = 2 : i64
// LOOP: %arg26: tensor<i32> {pyg.bind = "host"
// LOOP: stablehlo.while
// LOOP: do {
// LOOP: "pyg.kv.ensure"(%[[P:iterArg[^)]*]]) {arena = @kv, offsets = array<i64: 0, 0>, spread = "one"}
// LOOP-COUNT-2: "pyg.attention"({{.*}}tensor<1xi32>) -> tensor<2x1x4x16xf32>
// LOOP-NOT: pyg.kv.retire
// LOOP: stablehlo.return

// Two layers that go together, and a third cache that nobody attends to.
// CHECK: "pyg.kv.arena"() {bounded = true, element = f32, features = array<i64: 4, 4>, handle_bytes = 2097152 : i64, heads = 1 : i64, layers = 2 : i64, slots = 2 : i64, sym_name = "kv", token_bytes = 64 : i64, tokens_max = 8 : i64}
// CHECK-NEXT: "pyg.kv.arena"() {bounded = false, element = f32, features = array<i64: 4>, {{.*}} layers = 1 : i64, {{.*}} sym_name = "kv_1", token_bytes = 16 : i64
// CHECK-LABEL: @two_layers
// CHECK-SAME: %k0: {{[^{]*}}{pyg.bind = "state", pyg.kv = {arena = @kv, layer = 0 : i64, offset = {{[0-9]+}} : i64, role = "k"
// CHECK-SAME: %v0: {{[^{]*}}{pyg.bind = "state", pyg.kv = {arena = @kv, layer = 0 : i64, offset = {{[0-9]+}} : i64, role = "v"
// CHECK-SAME: %k1: {{[^{]*}}{pyg.bind = "state", pyg.kv = {arena = @kv, layer = 1 : i64, offset = {{[0-9]+}} : i64, role = "k"
// CHECK-SAME: %v1: {{[^{]*}}{pyg.bind = "state", pyg.kv = {arena = @kv, layer = 1 : i64, offset = {{[0-9]+}} : i64, role = "v"
// CHECK-SAME: %x: {{[^{]*}}{pyg.bind = "state", pyg.kv = {arena = @kv_1, layer = 0 : i64, offset = {{[0-9]+}} : i64, role = "k"
// CHECK-SAME: %pos: tensor<i32> {pyg.bind = "host"
// CHECK: %[[LENGTH:.*]] = stablehlo.select
// CHECK-NEXT: "pyg.kv.ensure"(%pos) {arena = @kv, offsets = array<i64: 0, 0>, spread = "one"}
// CHECK: "pyg.attention"({{.*}}, %[[LENGTH]]) {{.*}} operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 1, 0>
// CHECK: "pyg.attention"({{.*}}, %[[LENGTH]])
// CHECK-NOT: pyg.kv.retire
// CHECK: return
// LAYER: handle_bytes = 4194304 : i64, {{.*}} layers = 1 : i64, {{.*}} sym_name = "kv"
// LAYER: layers = 1 : i64, {{.*}} sym_name = "kv_1"
// LAYER: layers = 1 : i64, {{.*}} sym_name = "kv_2"
// LAYER-LABEL: @two_layers
// LAYER-SAME: %v1: {{[^{]*}}{pyg.bind = "state", pyg.kv = {arena = @kv_1, layer = 0 : i64, offset = {{[0-9]+}} : i64, role = "v"
// LAYER: "pyg.kv.ensure"({{.*}}) {arena = @kv,
// LAYER: "pyg.kv.ensure"({{.*}}) {arena = @kv_1,
// NONE-COUNT-5: "pyg.kv.arena"
// NONE-LABEL: @two_layers
// NONE-SAME: %v1: {{[^{]*}}{pyg.bind = "state", pyg.kv = {arena = @kv_3, layer = 0 : i64, offset = {{[0-9]+}} : i64, role = "v"
// REMARK: choice: @kv: `k0`, `v0`, `k1`, `v1` lie in it, and only rows up to the position are read of its 8, provided: rows that are not read are finite
// REMARK: choice: argument `pos`: it is bound as `host`, not `step`: it sets how much of @kv is mapped
// REMARK: state `x` of @{{.*}}: it is in @kv_1, which is mapped in full: no attention reads it
func.func @two_layers(%k0: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "k0", pyg.updated_by = 0 : i64}, %v0: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "v0", pyg.updated_by = 1 : i64}, %k1: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "k1", pyg.updated_by = 2 : i64}, %v1: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "v1", pyg.updated_by = 3 : i64}, %x: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "x", pyg.updated_by = 4 : i64}, %q: tensor<2x1x2x4xf32>, %new: tensor<2x1x1x4xf32>, %pos: tensor<i32> {pyg.bind = "step", pyg.name = "pos"}) -> (tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x1x2x4xf32>, tensor<2x1x2x4xf32>) {
  %c = stablehlo.constant dense<0> : tensor<i32>
  %at = stablehlo.reshape %pos : (tensor<i32>) -> tensor<1x1xi32>
  %nk0 = stablehlo.dynamic_update_slice %k0, %new, %c, %pos, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %nv0 = stablehlo.dynamic_update_slice %v0, %new, %c, %pos, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %nk1 = stablehlo.dynamic_update_slice %k1, %new, %c, %pos, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %nv1 = stablehlo.dynamic_update_slice %v1, %new, %c, %pos, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %nx = stablehlo.dynamic_update_slice %x, %new, %c, %pos, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %a0 = "pyg.attention"(%q, %nk0, %nv0, %at) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32} : (tensor<2x1x2x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<1x1xi32>) -> tensor<2x1x2x4xf32>
  %a1 = "pyg.attention"(%q, %nk1, %nv1, %at) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32} : (tensor<2x1x2x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<1x1xi32>) -> tensor<2x1x2x4xf32>
  return %nk0, %nv0, %nk1, %nv1, %nx, %a0, %a1 : tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x1x2x4xf32>, tensor<2x1x2x4xf32>
}

// -----

// A position for each row of the batch, wrapped and clamped; keys with heads before tokens, values after.
// CHECK: "pyg.kv.arena"() {bounded = true, {{.*}}slots = 2 : i64
// CHECK-LABEL: @by_row
// CHECK: "pyg.kv.ensure"(%pos) {arena = @kv, offsets = array<i64: 0, 0>, spread = "slots"} : (tensor<2xi32>) -> ()
// CHECK: "pyg.attention"({{.*}}tensor<2xi32>) -> tensor<2x1x2x4xf32>
func.func @by_row(%k: tensor<2x1x8x4xf32> {pyg.bind = "state", pyg.updated_by = 0 : i64}, %v: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.updated_by = 1 : i64}, %q: tensor<2x1x2x4xf32>, %new: tensor<2x1x1x4xf32>, %newk: tensor<2x1x4xf32>, %pos: tensor<2xi32> {pyg.bind = "step"}) -> (tensor<2x1x8x4xf32>, tensor<2x8x1x4xf32>, tensor<2x1x2x4xf32>) {
  %zero = stablehlo.constant dense<0> : tensor<2xi32>
  %eight = stablehlo.constant dense<8> : tensor<2xi32>
  %negative = stablehlo.compare LT, %pos, %zero, SIGNED : (tensor<2xi32>, tensor<2xi32>) -> tensor<2xi1>
  %around = stablehlo.add %pos, %eight : tensor<2xi32>
  %wrapped = stablehlo.select %negative, %around, %pos : tensor<2xi1>, tensor<2xi32>
  %column = stablehlo.reshape %wrapped : (tensor<2xi32>) -> tensor<2x1xi32>
  %rows = stablehlo.constant dense<[[0], [1]]> : tensor<2x1xi32>
  %index = stablehlo.concatenate %rows, %column, dim = 1 : (tensor<2x1xi32>, tensor<2x1xi32>) -> tensor<2x2xi32>
  %nk = "stablehlo.scatter"(%k, %index, %newk) ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    stablehlo.return %b : tensor<f32>
  }) {scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [1, 2], inserted_window_dims = [0, 2], scatter_dims_to_operand_dims = [0, 2], index_vector_dim = 1>} : (tensor<2x1x8x4xf32>, tensor<2x2xi32>, tensor<2x1x4xf32>) -> tensor<2x1x8x4xf32>
  %none = stablehlo.constant dense<0> : tensor<2x1xi32>
  %starts = stablehlo.concatenate %column, %none, %none, dim = 1 : (tensor<2x1xi32>, tensor<2x1xi32>, tensor<2x1xi32>) -> tensor<2x3xi32>
  %low = stablehlo.constant dense<0> : tensor<2x3xi32>
  %high = stablehlo.constant dense<[[7, 0, 0], [7, 0, 0]]> : tensor<2x3xi32>
  %clamped = stablehlo.clamp %low, %starts, %high : tensor<2x3xi32>
  %nv = "stablehlo.scatter"(%v, %clamped, %new) ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    stablehlo.return %b : tensor<f32>
  }) {scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [1, 2, 3], input_batching_dims = [0], scatter_indices_batching_dims = [0], scatter_dims_to_operand_dims = [1, 2, 3], index_vector_dim = 1>} : (tensor<2x8x1x4xf32>, tensor<2x3xi32>, tensor<2x1x1x4xf32>) -> tensor<2x8x1x4xf32>
  %at = stablehlo.reshape %pos : (tensor<2xi32>) -> tensor<2x1xi32>
  %a = "pyg.attention"(%q, %nk, %nv, %at) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 2, 1, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32} : (tensor<2x1x2x4xf32>, tensor<2x1x8x4xf32>, tensor<2x8x1x4xf32>, tensor<2x1xi32>) -> tensor<2x1x2x4xf32>
  return %nk, %nv, %a : tensor<2x1x8x4xf32>, tensor<2x8x1x4xf32>, tensor<2x1x2x4xf32>
}

// -----

// A window that all readers have: rows below it are skipped, and retired when the readers are behind.
// CHECK: "pyg.kv.arena"() {bounded = true, {{.*}} window = 3 : i64}
// CHECK-LABEL: @windowed
// CHECK: "pyg.kv.ensure"(%pos) {arena = @kv, offsets = array<i64: 0, 0>, spread = "one", window = 3 : i64}
// CHECK: "pyg.attention"({{.*}} skips_below = true, {{.*}} window = 2 : i64}
// CHECK: "pyg.attention"({{.*}} skips_below = true, {{.*}} window = 3 : i64}
// CHECK-NEXT: "pyg.kv.retire"(%pos) {arena = @kv, offsets = array<i64: 0, 0>, spread = "one", window = 3 : i64}
// REMARK: choice: @kv: `k`, `v` lie in it, and only the last 3 rows up to the position are read of its 8 (those below the last 3 are unmapped, and handed back as zeros, unless the caches were handed in), provided: rows that are not read are finite{{$}}
// Two more stay for callers who go back by two.
// KEPT: "pyg.kv.arena"() {bounded = true, {{.*}} window = 5 : i64}
// KEPT-LABEL: @windowed
// KEPT: "pyg.kv.ensure"({{.*}} window = 3 : i64}
// KEPT: "pyg.kv.retire"({{.*}} window = 5 : i64}
func.func @windowed(%k: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "k", pyg.updated_by = 0 : i64}, %v: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "v", pyg.updated_by = 1 : i64}, %q: tensor<2x1x2x4xf32>, %new: tensor<2x1x1x4xf32>, %pos: tensor<i32> {pyg.bind = "step", pyg.name = "pos"}) -> (tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x1x2x4xf32>, tensor<2x1x2x4xf32>) {
  %c = stablehlo.constant dense<0> : tensor<i32>
  %at = stablehlo.reshape %pos : (tensor<i32>) -> tensor<1x1xi32>
  %nk = stablehlo.dynamic_update_slice %k, %new, %c, %pos, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %nv = stablehlo.dynamic_update_slice %v, %new, %c, %pos, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %a0 = "pyg.attention"(%q, %nk, %nv, %at) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32, window = 2 : i64} : (tensor<2x1x2x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<1x1xi32>) -> tensor<2x1x2x4xf32>
  %a1 = "pyg.attention"(%q, %nk, %nv, %at) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32, window = 3 : i64} : (tensor<2x1x2x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<1x1xi32>) -> tensor<2x1x2x4xf32>
  return %nk, %nv, %a0, %a1 : tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x1x2x4xf32>, tensor<2x1x2x4xf32>
}

// -----

// A mask that stays a row behind the position looks a row further down.
// CHECK: "pyg.kv.arena"() {bounded = true, {{.*}} window = 4 : i64}
// CHECK-LABEL: @behind
// CHECK: "pyg.attention"({{.*}} skips_below = true, {{.*}} window = 3 : i64}
// CHECK-NEXT: "pyg.kv.retire"({{.*}} window = 4 : i64}
func.func @behind(%k: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "k", pyg.updated_by = 0 : i64}, %v: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "v", pyg.updated_by = 1 : i64}, %q: tensor<2x1x2x4xf32>, %new: tensor<2x1x1x4xf32>, %pos: tensor<i32> {pyg.bind = "step", pyg.name = "pos"}) -> (tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x1x2x4xf32>) {
  %c = stablehlo.constant dense<0> : tensor<i32>
  %at = stablehlo.reshape %pos : (tensor<i32>) -> tensor<1x1xi32>
  %nk = stablehlo.dynamic_update_slice %k, %new, %c, %pos, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %nv = stablehlo.dynamic_update_slice %v, %new, %c, %pos, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %a0 = "pyg.attention"(%q, %nk, %nv, %at) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32, diagonal = -1 : i64, window = 3 : i64} : (tensor<2x1x2x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<1x1xi32>) -> tensor<2x1x2x4xf32>
  return %nk, %nv, %a0 : tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x1x2x4xf32>
}

// -----

// A reader without a window: nothing is skipped, and nothing retired.
// CHECK: "pyg.kv.arena"() {bounded = true, {{.*}} tokens_max = 8 : i64}
// CHECK-LABEL: @half_windowed
// CHECK-NOT: skips_below
// CHECK-NOT: pyg.kv.retire
// CHECK: return
// REMARK: choice: @kv: `k`, `v` lie in it, and only rows up to the position are read of its 8, provided: rows that are not read are finite{{$}}
// REMARK: refusal: state `k` of @half_windowed: rows below the window stay mapped, and are read: `pyg.attention` at {{.*}} reads it too, and has no window; give all who read the cache a window
// REMARK: refusal: state `v` of @half_windowed: rows below the window stay mapped, and are read:
func.func @half_windowed(%k: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "k", pyg.updated_by = 0 : i64}, %v: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "v", pyg.updated_by = 1 : i64}, %q: tensor<2x1x2x4xf32>, %new: tensor<2x1x1x4xf32>, %pos: tensor<i32> {pyg.bind = "step", pyg.name = "pos"}) -> (tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x1x2x4xf32>, tensor<2x1x2x4xf32>) {
  %c = stablehlo.constant dense<0> : tensor<i32>
  %at = stablehlo.reshape %pos : (tensor<i32>) -> tensor<1x1xi32>
  %nk = stablehlo.dynamic_update_slice %k, %new, %c, %pos, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %nv = stablehlo.dynamic_update_slice %v, %new, %c, %pos, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %a0 = "pyg.attention"(%q, %nk, %nv, %at) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32, window = 3 : i64} : (tensor<2x1x2x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<1x1xi32>) -> tensor<2x1x2x4xf32>
  %a1 = "pyg.attention"(%q, %nk, %nv, %at) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32} : (tensor<2x1x2x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<1x1xi32>) -> tensor<2x1x2x4xf32>
  return %nk, %nv, %a0, %a1 : tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x1x2x4xf32>, tensor<2x1x2x4xf32>
}

// -----

// A window as long as the cache, or with what is kept: nothing is ever below it.
// CHECK-LABEL: @wide
// CHECK-NOT: skips_below
// CHECK-NOT: pyg.kv.retire
// CHECK: return
func.func @wide(%k: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "k", pyg.updated_by = 0 : i64}, %v: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "v", pyg.updated_by = 1 : i64}, %q: tensor<2x1x2x4xf32>, %new: tensor<2x1x1x4xf32>, %pos: tensor<i32> {pyg.bind = "step", pyg.name = "pos"}) -> (tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x1x2x4xf32>) {
  %c = stablehlo.constant dense<0> : tensor<i32>
  %at = stablehlo.reshape %pos : (tensor<i32>) -> tensor<1x1xi32>
  %nk = stablehlo.dynamic_update_slice %k, %new, %c, %pos, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %nv = stablehlo.dynamic_update_slice %v, %new, %c, %pos, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %a0 = "pyg.attention"(%q, %nk, %nv, %at) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32, window = 8 : i64} : (tensor<2x1x2x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<1x1xi32>) -> tensor<2x1x2x4xf32>
  return %nk, %nv, %a0 : tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x1x2x4xf32>
}

// -----

// CHECK-LABEL: @nearly_wide
// CHECK: "pyg.kv.retire"({{.*}} window = 6 : i64}
// KEPT-LABEL: @nearly_wide
// KEPT: "pyg.kv.ensure"(%pos) {arena = @kv, offsets = array<i64: 0, 0>, spread = "one"}
// KEPT: skips_below = true
// KEPT-NOT: pyg.kv.retire
// KEPT: return
func.func @nearly_wide(%k: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "k", pyg.updated_by = 0 : i64}, %v: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "v", pyg.updated_by = 1 : i64}, %q: tensor<2x1x2x4xf32>, %new: tensor<2x1x1x4xf32>, %pos: tensor<i32> {pyg.bind = "step", pyg.name = "pos"}) -> (tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x1x2x4xf32>) {
  %c = stablehlo.constant dense<0> : tensor<i32>
  %at = stablehlo.reshape %pos : (tensor<i32>) -> tensor<1x1xi32>
  %nk = stablehlo.dynamic_update_slice %k, %new, %c, %pos, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %nv = stablehlo.dynamic_update_slice %v, %new, %c, %pos, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %a0 = "pyg.attention"(%q, %nk, %nv, %at) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32, window = 6 : i64} : (tensor<2x1x2x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<1x1xi32>) -> tensor<2x1x2x4xf32>
  return %nk, %nv, %a0 : tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x1x2x4xf32>
}

// -----

// Not at a position.
// CHECK-LABEL: @no_caches
// CHECK-NOT: pyg.kv
// REMARK: state `whole` of @{{.*}}: it is no cache, since it is replaced by something other than an update at a position
// REMARK: state `grown` of @{{.*}}: it is no cache, since it grows by concatenation; write to a cache of full length at a position
// REMARK: state `summed` of @{{.*}}: it is no cache, since it is combined with what is written, not replaced
// REMARK: state `square` of @{{.*}}: it is no cache, since it is replaced whole, or updated along more than one dimension
// REMARK: state `moved` of @{{.*}}: it is no cache, since it is not what the update that makes its new value writes to
func.func @no_caches(%whole: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "whole", pyg.updated_by = 0 : i64}, %grown: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "grown", pyg.updated_by = 1 : i64}, %summed: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "summed", pyg.updated_by = 2 : i64}, %square: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "square", pyg.updated_by = 3 : i64}, %moved: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "moved", pyg.updated_by = 4 : i64}, %new: tensor<2x1x1x4xf32>, %pos: tensor<i32> {pyg.bind = "step"}) -> (tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>) {
  %c = stablehlo.constant dense<0> : tensor<i32>
  %0 = stablehlo.negate %whole : tensor<2x8x1x4xf32>
  %tail = stablehlo.slice %grown [0:2, 1:8, 0:1, 0:4] : (tensor<2x8x1x4xf32>) -> tensor<2x7x1x4xf32>
  %1 = stablehlo.concatenate %tail, %new, dim = 1 : (tensor<2x7x1x4xf32>, tensor<2x1x1x4xf32>) -> tensor<2x8x1x4xf32>
  %at = stablehlo.reshape %pos : (tensor<i32>) -> tensor<1x1xi32>
  %2 = "stablehlo.scatter"(%summed, %at, %new) ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %s = stablehlo.add %a, %b : tensor<f32>
    stablehlo.return %s : tensor<f32>
  }) {scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [0, 2, 3], inserted_window_dims = [1], scatter_dims_to_operand_dims = [1], index_vector_dim = 1>} : (tensor<2x8x1x4xf32>, tensor<1x1xi32>, tensor<2x1x1x4xf32>) -> tensor<2x8x1x4xf32>
  %part = stablehlo.slice %new [0:2, 0:1, 0:1, 0:2] : (tensor<2x1x1x4xf32>) -> tensor<2x1x1x2xf32>
  %3 = stablehlo.dynamic_update_slice %square, %part, %c, %pos, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x2xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %4 = stablehlo.dynamic_update_slice %0, %new, %c, %pos, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  return %0, %1, %2, %3, %4 : tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>
}
