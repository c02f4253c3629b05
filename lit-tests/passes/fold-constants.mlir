// RUN: %pygraph-opt %s --fold-constants --drop-dead-ops --split-input-file | FileCheck %s

// CHECK-LABEL: @folds
// CHECK-NEXT: %[[C:.*]] = stablehlo.constant dense<[11, 22, 33]> : tensor<3xi32>
// CHECK-NEXT: return %[[C]]
func.func @folds() -> tensor<3xi32> {
  %a = stablehlo.constant dense<[1, 2, 3]> : tensor<3xi32>
  %b = stablehlo.constant dense<[10, 20, 30]> : tensor<3xi32>
  %0 = stablehlo.add %a, %b : tensor<3xi32>
  return %0 : tensor<3xi32>
}

// -----
// A constant that is one value everywhere stays one, however large.
// CHECK-LABEL: @splat
// CHECK-NEXT: stablehlo.constant dense<6.0> : tensor<4096x4096xf32>
// CHECK-NEXT: return
func.func @splat() -> tensor<4096x4096xf32> {
  %a = stablehlo.constant dense<2.0> : tensor<4096x4096xf32>
  %b = stablehlo.constant dense<3.0> : tensor<4096x4096xf32>
  %0 = stablehlo.multiply %a, %b : tensor<4096x4096xf32>
  return %0 : tensor<4096x4096xf32>
}

// -----
// Sums over dimensions, and movement.
// CHECK-LABEL: @reduces
// CHECK-DAG: stablehlo.constant dense<[6, 15]> : tensor<2xi32>
// CHECK-DAG: stablehlo.constant dense<{{\[}}[1, 4], [2, 5], [3, 6]]> : tensor<3x2xi32>
// CHECK-NOT: stablehlo.reduce
func.func @reduces() -> (tensor<2xi32>, tensor<3x2xi32>) {
  %a = stablehlo.constant dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi32>
  %z = stablehlo.constant dense<0> : tensor<i32>
  %0 = stablehlo.reduce(%a init: %z) applies stablehlo.add across dimensions = [1] : (tensor<2x3xi32>, tensor<i32>) -> tensor<2xi32>
  %1 = stablehlo.transpose %a, dims = [1, 0] : (tensor<2x3xi32>) -> tensor<3x2xi32>
  return %0, %1 : tensor<2xi32>, tensor<3x2xi32>
}

// -----
// What would be large, is random or depends on an argument stays.
// CHECK-LABEL: @stays
// CHECK: stablehlo.iota
// CHECK: stablehlo.broadcast_in_dim
// CHECK: stablehlo.rng
// CHECK: stablehlo.add %{{.*}}, %arg0
func.func @stays(%arg0: tensor<2xf32>) -> (tensor<65536xi32>, tensor<65536x2xi32>, tensor<2xf32>, tensor<2xf32>) {
  %a = stablehlo.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %i = stablehlo.constant dense<[1, 2]> : tensor<2xi32>
  %l = stablehlo.constant dense<0.0> : tensor<f32>
  %h = stablehlo.constant dense<1.0> : tensor<f32>
  %s = stablehlo.constant dense<2> : tensor<1xi64>
  %0 = stablehlo.iota dim = 0 : tensor<65536xi32>
  %1 = stablehlo.broadcast_in_dim %i, dims = [1] : (tensor<2xi32>) -> tensor<65536x2xi32>
  %2 = stablehlo.rng %l, %h, %s, distribution = UNIFORM : (tensor<f32>, tensor<f32>, tensor<1xi64>) -> tensor<2xf32>
  %3 = stablehlo.add %a, %arg0 : tensor<2xf32>
  return %0, %1, %2, %3 : tensor<65536xi32>, tensor<65536x2xi32>, tensor<2xf32>, tensor<2xf32>
}
