// RUN: %pygraph-opt %s --pipeline=assign-bindings,find-caches,lower-to-launches,form-segments,plan-memory,place-caches --split-input-file --remarks 2>%t.remarks | FileCheck %s
// RUN: FileCheck %s --check-prefix=REMARK < %t.remarks
// Prefill and decode of one model have one arena between them where they are asked to.
// RUN: %pygraph-opt %s --pipeline=find-caches --split-input-file --kv-share | FileCheck %s --check-prefix=SHARE

// A cache that is only updated and attended to lies in the arena: rows are mapped before the segment, and given up after it.
// CHECK: "pyg.kv.arena"
// CHECK-LABEL: @attended
// CHECK-SAME: pyg.kv = {arena = @kv
// CHECK: "pyg.kv.ensure"(%pos)
// CHECK-NEXT: "pyg.segment"
// CHECK: places = ["argument 0"]
// CHECK: "pyg.kv.retire"(%pos)
// CHECK-NEXT: return
func.func @attended(%k: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.updated_by = 0 : i64}, %v: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.updated_by = 1 : i64}, %new: tensor<2x1x1x4xf32>, %q: tensor<2x1x2x4xf32>, %pos: tensor<i32>) -> (tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x1x2x4xf32>) {
  %c = stablehlo.constant dense<0> : tensor<i32>
  %at = stablehlo.reshape %pos : (tensor<i32>) -> tensor<1x1xi32>
  %nk = stablehlo.dynamic_update_slice %k, %new, %c, %pos, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %nv = stablehlo.dynamic_update_slice %v, %new, %c, %pos, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %a = "pyg.attention"(%q, %nk, %nv, %at) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32, window = 3 : i64} : (tensor<2x1x2x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<1x1xi32>) -> tensor<2x1x2x4xf32>
  return %nk, %nv, %a : tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x1x2x4xf32>
}

// -----

// One that something else reads stays ordinary state, and nothing is mapped for it.
// CHECK-NOT: pyg.kv
// CHECK: @summed
// CHECK-NOT: pyg.kv
// REMARK: place-caches.mlir:[[@LINE+5]]:{{.*}} remark: refusal: cache arena @kv: its caches stay ordinary state, mapped in full: argument 0 is read as a dense array by `pyg.nest`; update caches at a position, and read them in attention only
func.func @summed(%x: tensor<8x4xf32> {pyg.bind = "state", pyg.updated_by = 0 : i64}, %new: tensor<1x4xf32>, %pos: tensor<i32>) -> (tensor<8x4xf32>, tensor<4xf32>) {
  %c = stablehlo.constant dense<0> : tensor<i32>
  %f = stablehlo.constant dense<0.0> : tensor<f32>
  %nx = stablehlo.dynamic_update_slice %x, %new, %pos, %c : (tensor<8x4xf32>, tensor<1x4xf32>, tensor<i32>, tensor<i32>) -> tensor<8x4xf32>
  %0 = stablehlo.reduce(%nx init: %f) applies stablehlo.add across dimensions = [0] : (tensor<8x4xf32>, tensor<f32>) -> tensor<4xf32>
  return %nx, %0 : tensor<8x4xf32>, tensor<4xf32>
}

// -----

// The old value is still read after the update, which is therefore made elsewhere.
// CHECK: @read_late
// REMARK: remark: refusal: cache arena @kv: its caches stay ordinary state, mapped in full: argument 0 is copied when it is updated by `pyg.kernel` `dynamic_update_slice`
func.func @read_late(%x: tensor<8x4xf32> {pyg.bind = "state", pyg.updated_by = 0 : i64}, %new: tensor<1x4xf32>, %pos: tensor<i32>) -> (tensor<8x4xf32>, tensor<8x4xf32>) {
  %c = stablehlo.constant dense<0> : tensor<i32>
  %nx = stablehlo.dynamic_update_slice %x, %new, %pos, %c : (tensor<8x4xf32>, tensor<1x4xf32>, tensor<i32>, tensor<i32>) -> tensor<8x4xf32>
  %0 = stablehlo.negate %x : tensor<8x4xf32>
  return %nx, %0 : tensor<8x4xf32>, tensor<8x4xf32>
}

// -----

// SHARE-LABEL: @attended
// SHARE: "pyg.kv.arena"() {{.*}}token_bytes = 48
// SHARE-NOT: "pyg.kv.arena"
// SHARE: @prefill({{.*}}pyg.kv = {arena = @kv,
// SHARE: @decode({{.*}}pyg.kv = {arena = @kv,
func.func @prefill(%x: tensor<2x8x3x2xf32> {pyg.bind = "state", pyg.updated_by = 0 : i64}, %y: tensor<2x8x3x2xf32> {pyg.bind = "state", pyg.updated_by = 1 : i64}, %new: tensor<2x4x3x2xf32>, %pos: tensor<i32>) -> (tensor<2x8x3x2xf32>, tensor<2x8x3x2xf32>) {
  %c = stablehlo.constant dense<0> : tensor<i32>
  %nx = stablehlo.dynamic_update_slice %x, %new, %c, %pos, %c, %c : (tensor<2x8x3x2xf32>, tensor<2x4x3x2xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x3x2xf32>
  %ny = stablehlo.dynamic_update_slice %y, %new, %c, %pos, %c, %c : (tensor<2x8x3x2xf32>, tensor<2x4x3x2xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x3x2xf32>
  return %nx, %ny : tensor<2x8x3x2xf32>, tensor<2x8x3x2xf32>
}
func.func @decode(%x: tensor<2x8x3x2xf32> {pyg.bind = "state", pyg.updated_by = 0 : i64}, %y: tensor<2x8x3x2xf32> {pyg.bind = "state", pyg.updated_by = 1 : i64}, %new: tensor<2x1x3x2xf32>, %pos: tensor<i32>) -> (tensor<2x8x3x2xf32>, tensor<2x8x3x2xf32>) {
  %c = stablehlo.constant dense<0> : tensor<i32>
  %nx = stablehlo.dynamic_update_slice %x, %new, %c, %pos, %c, %c : (tensor<2x8x3x2xf32>, tensor<2x1x3x2xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x3x2xf32>
  %ny = stablehlo.dynamic_update_slice %y, %new, %c, %pos, %c, %c : (tensor<2x8x3x2xf32>, tensor<2x1x3x2xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x3x2xf32>
  return %nx, %ny : tensor<2x8x3x2xf32>, tensor<2x8x3x2xf32>
}
