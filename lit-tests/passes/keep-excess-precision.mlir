// RUN: %pygraph-opt --keep-excess-precision --drop-dead-ops --split-input-file %s | FileCheck %s

module attributes {mhlo.num_partitions = 1 : i32} {
// A sum that is widened at once is not rounded in between; its operands are as they were.
// CHECK-LABEL: @widened_at_once
// CHECK-SAME: (%[[A:.*]]: tensor<4xbf16>, %[[B:.*]]: tensor<4xbf16>)
func.func @widened_at_once(%a: tensor<4xbf16>, %b: tensor<4xbf16>) -> (tensor<4xf32>, tensor<4xbf16>) {
  // CHECK: %[[NARROW:.*]] = stablehlo.add %[[A]], %[[B]] : tensor<4xbf16>
  // CHECK: %[[A32:.*]] = stablehlo.convert %[[A]] : (tensor<4xbf16>) -> tensor<4xf32>
  // CHECK: %[[B32:.*]] = stablehlo.convert %[[B]] : (tensor<4xbf16>) -> tensor<4xf32>
  // CHECK: %[[WIDE:.*]] = stablehlo.add %[[A32]], %[[B32]] : tensor<4xf32>
  // CHECK: return %[[WIDE]], %[[NARROW]]
  %0 = stablehlo.add %a, %b : tensor<4xbf16>
  %1 = stablehlo.convert %0 : (tensor<4xbf16>) -> tensor<4xf32>
  return %1, %0 : tensor<4xf32>, tensor<4xbf16>
}

// A rounding that the program writes stays; so does f16.
// CHECK-LABEL: @there_and_back
func.func @there_and_back(%x: tensor<4xf32>, %y: tensor<4xf16>) -> (tensor<4xf32>, tensor<4xf32>) {
  // CHECK: %[[NARROW:.*]] = stablehlo.convert %{{.*}} -> tensor<4xbf16>
  // CHECK: stablehlo.convert %[[NARROW]]
  // CHECK: stablehlo.add %{{.*}} : tensor<4xf16>
  %0 = stablehlo.convert %x : (tensor<4xf32>) -> tensor<4xbf16>
  %1 = stablehlo.convert %0 : (tensor<4xbf16>) -> tensor<4xf32>
  %2 = stablehlo.add %y, %y : tensor<4xf16>
  %3 = stablehlo.convert %2 : (tensor<4xf16>) -> tensor<4xf32>
  return %1, %3 : tensor<4xf32>, tensor<4xf32>
}

// A product of matrices, and a rounding that is not undone at once, stay.
// CHECK-LABEL: @rounds
func.func @rounds(%x: tensor<2x2xbf16>) -> (tensor<2x2xf32>, tensor<4xf32>) {
  // CHECK: %[[DOT:.*]] = stablehlo.dot_general {{.*}} -> tensor<2x2xbf16>
  // CHECK: stablehlo.convert %[[DOT]]
  // CHECK: %[[SUM:.*]] = stablehlo.add {{.*}} : tensor<2x2xbf16>
  // CHECK: %[[FLAT:.*]] = stablehlo.reshape %[[SUM]]
  // CHECK: stablehlo.convert %[[FLAT]]
  %0 = stablehlo.dot_general %x, %x, contracting_dims = [1] x [0] : (tensor<2x2xbf16>, tensor<2x2xbf16>) -> tensor<2x2xbf16>
  %1 = stablehlo.convert %0 : (tensor<2x2xbf16>) -> tensor<2x2xf32>
  %2 = stablehlo.add %x, %x : tensor<2x2xbf16>
  %3 = stablehlo.reshape %2 : (tensor<2x2xbf16>) -> tensor<4xbf16>
  %4 = stablehlo.convert %3 : (tensor<4xbf16>) -> tensor<4xf32>
  return %1, %4 : tensor<2x2xf32>, tensor<4xf32>
}
}

// -----

// Attributes of JAX tell too.
// CHECK-LABEL: @result_of_jax
func.func @result_of_jax(%a: tensor<4xbf16>) -> (tensor<4xf32> {jax.result_info = "result"}) {
  // CHECK: stablehlo.add %{{.*}} : tensor<4xf32>
  %0 = stablehlo.add %a, %a : tensor<4xbf16>
  %1 = stablehlo.convert %0 : (tensor<4xbf16>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// -----

// Who did not write it in JAX rounds every result: PyTorch does.
// CHECK-LABEL: @of_pytorch
func.func @of_pytorch(%a: tensor<4xbf16> {fx.name = "a"}) -> tensor<4xf32> {
  // CHECK: stablehlo.add %{{.*}} : tensor<4xbf16>
  %0 = stablehlo.add %a, %a : tensor<4xbf16>
  %1 = stablehlo.convert %0 : (tensor<4xbf16>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}
