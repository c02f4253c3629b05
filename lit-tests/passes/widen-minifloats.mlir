// RUN: %pygraph-opt --widen-minifloats %s | FileCheck %s

// A sum is computed in f64 and rounded once.
// CHECK-LABEL: @computes
// CHECK-SAME: (%[[X:.*]]: tensor<4xf8E4M3FN>)
func.func @computes(%x: tensor<4xf8E4M3FN>) -> tensor<4xf8E4M3FN> {
  // CHECK: %[[A:.*]] = stablehlo.convert %[[X]] : (tensor<4xf8E4M3FN>) -> tensor<4xf64>
  // CHECK: %[[B:.*]] = stablehlo.convert %[[X]] : (tensor<4xf8E4M3FN>) -> tensor<4xf64>
  // CHECK: %[[SUM:.*]] = stablehlo.add %[[A]], %[[B]] : tensor<4xf64>
  // CHECK: %[[NARROW:.*]] = stablehlo.convert %[[SUM]] : (tensor<4xf64>) -> tensor<4xf8E4M3FN>
  // CHECK: return %[[NARROW]]
  %0 = stablehlo.add %x, %x : tensor<4xf8E4M3FN>
  return %0 : tensor<4xf8E4M3FN>
}

// A conversion from another type than f64 goes through it.
// CHECK-LABEL: @converts
func.func @converts(%x: tensor<4xf8E5M2>) -> tensor<4xf32> {
  // CHECK: %[[WIDE:.*]] = stablehlo.convert %{{.*}} : (tensor<4xf8E5M2>) -> tensor<4xf64>
  // CHECK: stablehlo.convert %[[WIDE]] : (tensor<4xf64>) -> tensor<4xf32>
  %0 = stablehlo.convert %x : (tensor<4xf8E5M2>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// What only moves elements stays narrow; other types are left alone.
// CHECK-LABEL: @moves
func.func @moves(%x: tensor<4xf8E5M2>, %y: tensor<4xf16>) -> (tensor<2xf8E5M2>, tensor<4xf16>) {
  // CHECK-NOT: convert
  // CHECK: stablehlo.slice %{{.*}} [0:2] : (tensor<4xf8E5M2>) -> tensor<2xf8E5M2>
  // CHECK: stablehlo.add %{{.*}} : tensor<4xf16>
  %0 = stablehlo.slice %x [0:2] : (tensor<4xf8E5M2>) -> tensor<2xf8E5M2>
  %1 = stablehlo.add %y, %y : tensor<4xf16>
  return %0, %1 : tensor<2xf8E5M2>, tensor<4xf16>
}
