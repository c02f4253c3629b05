// Attention reads queries, keys and values where they lie in what one launch makes.
// RUN: %pygraph-opt %s --lower-to-launches --fuse-launches --split-input-file | FileCheck %s
// RUN: %pygraph-opt %s --lower-to-launches --fuse-launches --split-input-file > %t.once
// RUN: %pygraph-opt %t.once --fuse-launches --split-input-file | diff %t.once -
// RUN: %pygraph-opt %s --lower-to-launches --fuse-launches --split-input-file --remarks 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// Side by side in rows: four heads of queries, two of keys, two of values.
// CHECK-LABEL: @side_by_side
// CHECK-NEXT: %[[P:.*]] = "pyg.kernel"(%x, %w)
// CHECK-NEXT: %[[Q:.*]] = pyg.view %[[P]] : (tensor<6x32xf32>) -> tensor<1x6x8x4xf32>
// CHECK-NEXT: %[[K:.*]] = pyg.view %[[P]] : (tensor<6x32xf32>) -> tensor<1x6x8x4xf32>
// CHECK-NEXT: %[[V:.*]] = pyg.view %[[P]] : (tensor<6x32xf32>) -> tensor<1x6x8x4xf32>
// CHECK-NEXT: %[[A:.*]] = "pyg.kernel"(%[[Q]], %[[K]], %[[V]])
// CHECK-SAME: batches = array<i64: 1, 0, 0, 0>
// CHECK-SAME: heads = array<i64: 4, 2, 0, 4, 6>
// CHECK-NEXT: return %[[A]]
func.func @side_by_side(%x: tensor<6x8xf32>, %w: tensor<8x32xf32>) -> tensor<1x6x4x4xf32> {
  %0 = stablehlo.dot_general %x, %w, contracting_dims = [1] x [0] : (tensor<6x8xf32>, tensor<8x32xf32>) -> tensor<6x32xf32>
  %1 = stablehlo.slice %0 [0:6, 0:16] : (tensor<6x32xf32>) -> tensor<6x16xf32>
  %2 = stablehlo.slice %0 [0:6, 16:24] : (tensor<6x32xf32>) -> tensor<6x8xf32>
  %3 = stablehlo.slice %0 [0:6, 24:32] : (tensor<6x32xf32>) -> tensor<6x8xf32>
  %q = stablehlo.reshape %1 : (tensor<6x16xf32>) -> tensor<1x6x4x4xf32>
  %k = stablehlo.reshape %2 : (tensor<6x8xf32>) -> tensor<1x6x2x4xf32>
  %v = stablehlo.reshape %3 : (tensor<6x8xf32>) -> tensor<1x6x2x4xf32>
  %4 = "pyg.attention"(%q, %k, %v) {k_dims = array<i64: 0, 1, 2, 3>, key_type = f32, logit_type = f32, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0>, output_dims = array<i64: 0, 1, 2, 3>, probability_type = f32, q_dims = array<i64: 0, 1, 2, 3>, score_type = f32, softmax_type = f32, v_dims = array<i64: 0, 1, 2, 3>, value_type = f32} : (tensor<1x6x4x4xf32>, tensor<1x6x2x4xf32>, tensor<1x6x2x4xf32>) -> tensor<1x6x4x4xf32>
  return %4 : tensor<1x6x4x4xf32>
}

// -----

// One behind the other, two batches of each.
// CHECK-LABEL: @behind_each_other
// CHECK-NEXT: %[[P:.*]] = "pyg.kernel"(%x, %w)
// CHECK-NEXT: pyg.view %[[P]] : (tensor<6x3x8xf32>) -> tensor<6x3x2x4xf32>
// CHECK: "pyg.kernel"
// CHECK-SAME: batches = array<i64: 2, 0, 2, 4>
// CHECK-SAME: heads = array<i64: 2, 2, 0, 0, 0>
func.func @behind_each_other(%x: tensor<6x3x5xf32>, %w: tensor<5x8xf32>) -> tensor<2x3x2x4xf32> {
  %0 = stablehlo.dot_general %x, %w, contracting_dims = [2] x [0] : (tensor<6x3x5xf32>, tensor<5x8xf32>) -> tensor<6x3x8xf32>
  %1 = stablehlo.slice %0 [0:2, 0:3, 0:8] : (tensor<6x3x8xf32>) -> tensor<2x3x8xf32>
  %2 = stablehlo.slice %0 [2:4, 0:3, 0:8] : (tensor<6x3x8xf32>) -> tensor<2x3x8xf32>
  %3 = stablehlo.slice %0 [4:6, 0:3, 0:8] : (tensor<6x3x8xf32>) -> tensor<2x3x8xf32>
  %q = stablehlo.reshape %1 : (tensor<2x3x8xf32>) -> tensor<2x3x2x4xf32>
  %k = stablehlo.reshape %2 : (tensor<2x3x8xf32>) -> tensor<2x3x2x4xf32>
  %v = stablehlo.reshape %3 : (tensor<2x3x8xf32>) -> tensor<2x3x2x4xf32>
  %4 = "pyg.attention"(%q, %k, %v) {k_dims = array<i64: 0, 1, 2, 3>, key_type = f32, logit_type = f32, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0>, output_dims = array<i64: 0, 1, 2, 3>, probability_type = f32, q_dims = array<i64: 0, 1, 2, 3>, score_type = f32, softmax_type = f32, v_dims = array<i64: 0, 1, 2, 3>, value_type = f32} : (tensor<2x3x2x4xf32>, tensor<2x3x2x4xf32>, tensor<2x3x2x4xf32>) -> tensor<2x3x2x4xf32>
  return %4 : tensor<2x3x2x4xf32>
}

// -----

// Queries begin within a head, keys have a second reader, and values are the caller's: all three are copies.
// CHECK-LABEL: @copies
// CHECK-NEXT: %[[P:.*]] = "pyg.kernel"(%x, %w)
// CHECK-COUNT-3: "pyg.nest"
// CHECK: "pyg.kernel"
// CHECK-SAME: heads = array<i64: 2, 2, 0, 0, 0>
// REMARK: refusal: attention: operand 0 is a copy: from element 2 of a batch on there are no 2 whole heads of 4 in a row of 24
// REMARK: refusal: attention: operand 1 is a copy: something else reads it too
// REMARK: refusal: attention: operand 2 is a copy: what it copies is made by no launch, and may lie anywhere
func.func @copies(%x: tensor<6x8xf32>, %w: tensor<8x24xf32>, %all: tensor<6x16xf32>) -> (tensor<1x6x2x4xf32>, tensor<1x6x2x4xf32>) {
  %0 = stablehlo.dot_general %x, %w, contracting_dims = [1] x [0] : (tensor<6x8xf32>, tensor<8x24xf32>) -> tensor<6x24xf32>
  %1 = stablehlo.slice %0 [0:6, 2:10] : (tensor<6x24xf32>) -> tensor<6x8xf32>
  %2 = stablehlo.slice %0 [0:6, 16:24] : (tensor<6x24xf32>) -> tensor<6x8xf32>
  %3 = stablehlo.slice %all [0:6, 8:16] : (tensor<6x16xf32>) -> tensor<6x8xf32>
  %q = stablehlo.reshape %1 : (tensor<6x8xf32>) -> tensor<1x6x2x4xf32>
  %k = stablehlo.reshape %2 : (tensor<6x8xf32>) -> tensor<1x6x2x4xf32>
  %v = stablehlo.reshape %3 : (tensor<6x8xf32>) -> tensor<1x6x2x4xf32>
  %4 = "pyg.attention"(%q, %k, %v) {k_dims = array<i64: 0, 1, 2, 3>, key_type = f32, logit_type = f32, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0>, output_dims = array<i64: 0, 1, 2, 3>, probability_type = f32, q_dims = array<i64: 0, 1, 2, 3>, score_type = f32, softmax_type = f32, v_dims = array<i64: 0, 1, 2, 3>, value_type = f32} : (tensor<1x6x2x4xf32>, tensor<1x6x2x4xf32>, tensor<1x6x2x4xf32>) -> tensor<1x6x2x4xf32>
  return %4, %k : tensor<1x6x2x4xf32>, tensor<1x6x2x4xf32>
}

// -----

// Features of a head lie apart, or tokens begin within a batch; every other token is as good as every one.
// CHECK-LABEL: @features_apart
// CHECK: "pyg.nest"
// REMARK: refusal: attention: operand 0 is a copy: its heads are not side by side in rows of a dense tensor
func.func @features_apart(%x: tensor<6x8xf32>, %w: tensor<8x8xf32>, %k: tensor<1x6x2x4xf32>, %v: tensor<1x6x2x4xf32>) -> tensor<1x6x2x4xf32> {
  %0 = stablehlo.dot_general %x, %w, contracting_dims = [1] x [0] : (tensor<6x8xf32>, tensor<8x8xf32>) -> tensor<6x8xf32>
  %1 = stablehlo.reshape %0 : (tensor<6x8xf32>) -> tensor<1x6x4x2xf32>
  %q = stablehlo.transpose %1, dims = [0, 1, 3, 2] : (tensor<1x6x4x2xf32>) -> tensor<1x6x2x4xf32>
  %2 = "pyg.attention"(%q, %k, %v) {k_dims = array<i64: 0, 1, 2, 3>, key_type = f32, logit_type = f32, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0>, output_dims = array<i64: 0, 1, 2, 3>, probability_type = f32, q_dims = array<i64: 0, 1, 2, 3>, score_type = f32, softmax_type = f32, v_dims = array<i64: 0, 1, 2, 3>, value_type = f32} : (tensor<1x6x2x4xf32>, tensor<1x6x2x4xf32>, tensor<1x6x2x4xf32>) -> tensor<1x6x2x4xf32>
  return %2 : tensor<1x6x2x4xf32>
}

// -----

// REMARK: refusal: attention: operand 0 is a copy: from element 8 of a batch on there are no 1 whole heads of 4 in a row of 4
func.func @tokens_within(%x: tensor<12x8xf32>, %w: tensor<8x4xf32>, %k: tensor<1x6x1x4xf32>, %v: tensor<1x6x1x4xf32>) -> tensor<1x6x1x4xf32> {
  %0 = stablehlo.dot_general %x, %w, contracting_dims = [1] x [0] : (tensor<12x8xf32>, tensor<8x4xf32>) -> tensor<12x4xf32>
  %1 = stablehlo.slice %0 [2:8, 0:4] : (tensor<12x4xf32>) -> tensor<6x4xf32>
  %q = stablehlo.reshape %1 : (tensor<6x4xf32>) -> tensor<1x6x1x4xf32>
  %2 = "pyg.attention"(%q, %k, %v) {k_dims = array<i64: 0, 1, 2, 3>, key_type = f32, logit_type = f32, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0>, output_dims = array<i64: 0, 1, 2, 3>, probability_type = f32, q_dims = array<i64: 0, 1, 2, 3>, score_type = f32, softmax_type = f32, v_dims = array<i64: 0, 1, 2, 3>, value_type = f32} : (tensor<1x6x1x4xf32>, tensor<1x6x1x4xf32>, tensor<1x6x1x4xf32>) -> tensor<1x6x1x4xf32>
  return %2 : tensor<1x6x1x4xf32>
}

// -----

// CHECK-LABEL: @every_other
// CHECK: pyg.view %{{.*}} : (tensor<12x4xf32>) -> tensor<1x6x2x4xf32>
// CHECK-NEXT: "pyg.kernel"
// CHECK-SAME: heads = array<i64: 1, 1, 1, 0, 0>
func.func @every_other(%x: tensor<12x8xf32>, %w: tensor<8x4xf32>, %k: tensor<1x6x1x4xf32>, %v: tensor<1x6x1x4xf32>) -> tensor<1x6x1x4xf32> {
  %0 = stablehlo.dot_general %x, %w, contracting_dims = [1] x [0] : (tensor<12x8xf32>, tensor<8x4xf32>) -> tensor<12x4xf32>
  %1 = stablehlo.slice %0 [1:12:2, 0:4] : (tensor<12x4xf32>) -> tensor<6x4xf32>
  %q = stablehlo.reshape %1 : (tensor<6x4xf32>) -> tensor<1x6x1x4xf32>
  %2 = "pyg.attention"(%q, %k, %v) {k_dims = array<i64: 0, 1, 2, 3>, key_type = f32, logit_type = f32, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0>, output_dims = array<i64: 0, 1, 2, 3>, probability_type = f32, q_dims = array<i64: 0, 1, 2, 3>, score_type = f32, softmax_type = f32, v_dims = array<i64: 0, 1, 2, 3>, value_type = f32} : (tensor<1x6x1x4xf32>, tensor<1x6x1x4xf32>, tensor<1x6x1x4xf32>) -> tensor<1x6x1x4xf32>
  return %2 : tensor<1x6x1x4xf32>
}
