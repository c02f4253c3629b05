// RUN: %pygraph-opt %s --canonicalize --drop-dead-ops --split-input-file | FileCheck %s

// Movement that moves nothing goes.
// CHECK-LABEL: @identities
// CHECK-NEXT: return %arg0, %arg0, %arg0, %arg0, %arg0
func.func @identities(%arg0: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>) {
  %f = stablehlo.constant dense<0.0> : tensor<f32>
  %0 = stablehlo.reshape %arg0 : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %1 = stablehlo.slice %arg0 [0:2, 0:3] : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %2 = stablehlo.pad %arg0, %f, low = [0, 0], high = [0, 0], interior = [0, 0] : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %3 = stablehlo.transpose %arg0, dims = [0, 1] : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %4 = stablehlo.concatenate %arg0, dim = 0 : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0, %1, %2, %3, %4 : tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>
}

// -----
// Movement after movement is one movement.
// CHECK-LABEL: @twice
// CHECK-NEXT: %[[T:.*]] = stablehlo.transpose %arg0, dims = [2, 0, 1] : (tensor<2x3x4xf32>) -> tensor<4x2x3xf32>
// CHECK-NEXT: %[[S:.*]] = stablehlo.slice %arg0 [1:2, 0:3:2, 1:3] :
// CHECK-NEXT: return %[[T]], %[[S]], %arg0
func.func @twice(%arg0: tensor<2x3x4xf32>) -> (tensor<4x2x3xf32>, tensor<1x2x2xf32>, tensor<2x3x4xf32>) {
  %0 = stablehlo.transpose %arg0, dims = [1, 2, 0] : (tensor<2x3x4xf32>) -> tensor<3x4x2xf32>
  %1 = stablehlo.transpose %0, dims = [1, 2, 0] : (tensor<3x4x2xf32>) -> tensor<4x2x3xf32>
  %2 = stablehlo.slice %arg0 [1:2, 0:3, 1:4] : (tensor<2x3x4xf32>) -> tensor<1x3x3xf32>
  %3 = stablehlo.slice %2 [0:1, 0:3:2, 0:2] : (tensor<1x3x3xf32>) -> tensor<1x2x2xf32>
  %4 = stablehlo.reshape %arg0 : (tensor<2x3x4xf32>) -> tensor<24xf32>
  %5 = stablehlo.reshape %4 : (tensor<24xf32>) -> tensor<2x3x4xf32>
  return %1, %3, %5 : tensor<4x2x3xf32>, tensor<1x2x2xf32>, tensor<2x3x4xf32>
}

// -----
// A conversion that loses nothing goes before another; one that rounds does not.
// CHECK-LABEL: @converts
// CHECK-NEXT: %[[R:.*]] = stablehlo.convert %arg1 : (tensor<2xf32>) -> tensor<2xbf16>
// CHECK-NEXT: %[[W:.*]] = stablehlo.convert %[[R]] : (tensor<2xbf16>) -> tensor<2xf32>
// CHECK-NEXT: return %arg0, %[[W]]
func.func @converts(%arg0: tensor<2xbf16>, %arg1: tensor<2xf32>) -> (tensor<2xbf16>, tensor<2xf32>) {
  %0 = stablehlo.convert %arg0 : (tensor<2xbf16>) -> tensor<2xf32>
  %1 = stablehlo.convert %0 : (tensor<2xf32>) -> tensor<2xbf16>
  %2 = stablehlo.convert %arg1 : (tensor<2xf32>) -> tensor<2xbf16>
  %3 = stablehlo.convert %2 : (tensor<2xbf16>) -> tensor<2xf32>
  return %1, %3 : tensor<2xbf16>, tensor<2xf32>
}

// -----
// Known choices are made; a comparison of a float with itself is not known.
// CHECK-LABEL: @choices
// CHECK-NEXT: %[[C:.*]] = stablehlo.compare EQ, %arg1, %arg1
// CHECK-NEXT: %[[N:.*]] = stablehlo.negate %arg1
// CHECK-NEXT: return %arg1, %[[C]], %[[N]], %arg0
func.func @choices(%arg0: tensor<i32>, %arg1: tensor<f32>, %arg2: tensor<f32>) -> (tensor<f32>, tensor<i1>, tensor<f32>, tensor<i32>) {
  %same = stablehlo.compare EQ, %arg0, %arg0 : (tensor<i32>, tensor<i32>) -> tensor<i1>
  %0 = stablehlo.select %same, %arg1, %arg2 : tensor<i1>, tensor<f32>
  %maybe = stablehlo.compare EQ, %arg1, %arg1 : (tensor<f32>, tensor<f32>) -> tensor<i1>
  %1 = "stablehlo.if"(%same) ({
    %n = stablehlo.negate %arg1 : tensor<f32>
    stablehlo.return %n : tensor<f32>
  }, {
    stablehlo.return %arg2 : tensor<f32>
  }) : (tensor<i1>) -> tensor<f32>
  %never = stablehlo.constant dense<false> : tensor<i1>
  %2 = stablehlo.while(%i = %arg0) : tensor<i32>
    cond {
      stablehlo.return %never : tensor<i1>
    } do {
      stablehlo.return %i : tensor<i32>
    }
  return %0, %maybe, %1, %2 : tensor<f32>, tensor<i1>, tensor<f32>, tensor<i32>
}

// -----
// A slice at a known place is static, clamped as StableHLO says; at an unknown place it stays.
// CHECK-LABEL: @positions
// CHECK-NEXT: %[[S:.*]] = stablehlo.slice %arg0 [3:5] :
// CHECK-NEXT: %[[D:.*]] = stablehlo.dynamic_slice %arg0, %arg1, sizes = [2]
// CHECK-NEXT: return %[[S]], %[[D]]
func.func @positions(%arg0: tensor<5xf32>, %arg1: tensor<i32>) -> (tensor<2xf32>, tensor<2xf32>) {
  %c = stablehlo.constant dense<9> : tensor<i32>
  %0 = stablehlo.dynamic_slice %arg0, %c, sizes = [2] : (tensor<5xf32>, tensor<i32>) -> tensor<2xf32>
  %1 = stablehlo.dynamic_slice %arg0, %arg1, sizes = [2] : (tensor<5xf32>, tensor<i32>) -> tensor<2xf32>
  return %0, %1 : tensor<2xf32>, tensor<2xf32>
}

// -----
// Constants that are one value everywhere move for nothing; moving unit dimensions is a reshape.
// CHECK-LABEL: @units
// CHECK-NEXT: %[[C:.*]] = stablehlo.constant dense<1.0> : tensor<512x512xf32>
// CHECK-NEXT: %[[A:.*]] = stablehlo.reshape %arg0 : (tensor<1x4xf32>) -> tensor<4x1xf32>
// CHECK-NEXT: %[[B:.*]] = stablehlo.reshape %arg0 : (tensor<1x4xf32>) -> tensor<1x1x4xf32>
// CHECK-NEXT: return %[[C]], %[[A]], %[[B]]
func.func @units(%arg0: tensor<1x4xf32>) -> (tensor<512x512xf32>, tensor<4x1xf32>, tensor<1x1x4xf32>) {
  %one = stablehlo.constant dense<1.0> : tensor<f32>
  %0 = stablehlo.broadcast_in_dim %one, dims = [] : (tensor<f32>) -> tensor<512x512xf32>
  %1 = stablehlo.transpose %arg0, dims = [1, 0] : (tensor<1x4xf32>) -> tensor<4x1xf32>
  %2 = stablehlo.broadcast_in_dim %arg0, dims = [0, 2] : (tensor<1x4xf32>) -> tensor<1x1x4xf32>
  return %0, %1, %2 : tensor<512x512xf32>, tensor<4x1xf32>, tensor<1x1x4xf32>
}

// -----
// A product reads what is transposed where that lies, unless its result would change.
// CHECK-LABEL: @products
// CHECK-NEXT: stablehlo.dot_general %arg0, %arg1, contracting_dims = [1] x [1] : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
// CHECK-NEXT: %[[T:.*]] = stablehlo.transpose %arg2
// CHECK-NEXT: stablehlo.dot_general %arg0, %[[T]]
func.func @products(%arg0: tensor<2x3xf32>, %arg1: tensor<4x3xf32>, %arg2: tensor<5x4x3xf32>) -> (tensor<2x4xf32>, tensor<2x4x5xf32>) {
  %0 = stablehlo.transpose %arg1, dims = [1, 0] : (tensor<4x3xf32>) -> tensor<3x4xf32>
  %1 = stablehlo.dot_general %arg0, %0, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  %2 = stablehlo.transpose %arg2, dims = [2, 1, 0] : (tensor<5x4x3xf32>) -> tensor<3x4x5xf32>
  %3 = stablehlo.dot_general %arg0, %2, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x4x5xf32>) -> tensor<2x4x5xf32>
  return %1, %3 : tensor<2x4xf32>, tensor<2x4x5xf32>
}
// -----
// What a loop hands on unchanged is not carried: its readers inside and outside read what the loop was given. A value that
// changes places with another is carried.
// CHECK-LABEL: @invariant
// CHECK-NEXT: %[[L:.*]]:3 = stablehlo.while(%[[I:.*]] = %arg0, %[[A:.*]] = %arg2, %[[B:.*]] = %arg3) : tensor<i32>, tensor<f32>, tensor<f32>
// CHECK: stablehlo.compare GT, %[[I]], %arg1
// CHECK: %[[J:.*]] = stablehlo.subtract %[[I]], %arg1
// CHECK-NEXT: stablehlo.return %[[J]], %[[B]], %[[A]]
// CHECK: return %[[L]]#0, %arg1, %[[L]]#1
func.func @invariant(%arg0: tensor<i32>, %arg1: tensor<i32>, %arg2: tensor<f32>, %arg3: tensor<f32>) -> (tensor<i32>, tensor<i32>, tensor<f32>) {
  %0:4 = stablehlo.while(%i = %arg0, %w = %arg1, %a = %arg2, %b = %arg3) : tensor<i32>, tensor<i32>, tensor<f32>, tensor<f32>
    cond {
      %p = stablehlo.compare GT, %i, %w : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %p : tensor<i1>
    } do {
      %j = stablehlo.subtract %i, %w : tensor<i32>
      stablehlo.return %j, %w, %b, %a : tensor<i32>, tensor<i32>, tensor<f32>, tensor<f32>
    }
  return %0#0, %0#1, %0#2 : tensor<i32>, tensor<i32>, tensor<f32>
}
