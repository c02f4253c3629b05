// RUN: %pygraph-opt %s --decompose-compound-ops --split-input-file | FileCheck %s

// CHECK-LABEL: @broadcast
// CHECK: %[[Y:.*]] = stablehlo.broadcast_in_dim %y, dims = [1] : (tensor<3xf32>) -> tensor<2x3xf32>
// CHECK: stablehlo.add %x, %[[Y]]
func.func @broadcast(%x: tensor<2x3xf32>, %y: tensor<3xf32>) -> tensor<2x3xf32> {
  %0 = chlo.broadcast_add %x, %y : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----
// The operand of fewer dimensions lies where the operation says, whichever it is.
// CHECK-LABEL: @placed
// CHECK: %[[X:.*]] = stablehlo.broadcast_in_dim %x, dims = [0] : (tensor<2xf32>) -> tensor<2x3xf32>
// CHECK: %[[SUM:.*]] = stablehlo.add %[[X]], %y
// CHECK: %[[Z:.*]] = stablehlo.broadcast_in_dim %x, dims = [0] : (tensor<2xf32>) -> tensor<2x3xf32>
// CHECK: stablehlo.multiply %[[SUM]], %[[Z]]
func.func @placed(%x: tensor<2xf32>, %y: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = chlo.broadcast_add %x, %y {broadcast_dimensions = array<i64: 0>} : (tensor<2xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %1 = chlo.broadcast_multiply %0, %x {broadcast_dimensions = array<i64: 0>} : (tensor<2x3xf32>, tensor<2xf32>) -> tensor<2x3xf32>
  return %1 : tensor<2x3xf32>
}

// -----
// CHECK-LABEL: @einsum
// CHECK: stablehlo.dot_general %x, %y, contracting_dims = [1] x [0]
func.func @einsum(%x: tensor<2x3xf32>, %y: tensor<3x4xf32>) -> tensor<2x4xf32> {
  %0 = "stablehlo.einsum"(%x, %y) {einsum_config = "ab,bc->ac"} : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// -----
// CHECK-LABEL: @normalise
// CHECK-NOT: batch_norm
// CHECK: stablehlo.sqrt
// CHECK: return
func.func @normalise(%x: tensor<2x3xf32>, %s: tensor<3xf32>, %o: tensor<3xf32>, %m: tensor<3xf32>, %v: tensor<3xf32>) -> tensor<2x3xf32> {
  %0 = "stablehlo.batch_norm_inference"(%x, %s, %o, %m, %v) {epsilon = 1.0e-3 : f32, feature_index = 1 : i64} : (tensor<2x3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----
// A composite is a call; what a kernel computes as it is stays.
// CHECK-LABEL: @composite
// CHECK: call @parts(%x)
// CHECK: chlo.erf
func.func @composite(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = stablehlo.composite "mine.op" %x {decomposition = @parts} : (tensor<2xf32>) -> tensor<2xf32>
  %1 = chlo.erf %0 : tensor<2xf32> -> tensor<2xf32>
  return %1 : tensor<2xf32>
}
func.func private @parts(%x: tensor<2xf32>) -> tensor<2xf32> {
  return %x : tensor<2xf32>
}
