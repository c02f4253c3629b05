// RUN: %pygraph-opt %s --eliminate-common-subexpressions --split-input-file | FileCheck %s

// Equal operations, and sums with swapped operands, are one; differences with swapped operands are not.
// CHECK-LABEL: @equal
// CHECK-NEXT: %[[A:.*]] = stablehlo.add %[[X:.*]], %[[Y:.*]] :
// CHECK-NEXT: %[[S:.*]] = stablehlo.subtract %[[X]], %[[Y]]
// CHECK-NEXT: %[[T:.*]] = stablehlo.subtract %[[Y]], %[[X]]
// CHECK-NEXT: return %[[A]], %[[A]], %[[S]], %[[T]]
func.func @equal(%x: tensor<2xf32>, %y: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) {
  %0 = stablehlo.add %x, %y : tensor<2xf32>
  %1 = stablehlo.add %y, %x : tensor<2xf32>
  %2 = stablehlo.subtract %x, %y : tensor<2xf32>
  %3 = stablehlo.subtract %y, %x : tensor<2xf32>
  return %0, %1, %2, %3 : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}

// -----
// Another placement is another operation; so is one that draws random numbers.
// CHECK-LABEL: @different
// CHECK-COUNT-2: stablehlo.negate
// CHECK-COUNT-2: stablehlo.rng
func.func @different(%x: tensor<2xf32>, %a: tensor<f32>, %b: tensor<f32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) {
  %s = stablehlo.constant dense<2> : tensor<1xi64>
  %0 = stablehlo.negate %x : tensor<2xf32>
  %1 = stablehlo.negate %x {mhlo.frontend_attributes = {_xla_compute_type = "host"}} : tensor<2xf32>
  %2 = stablehlo.rng %a, %b, %s, distribution = UNIFORM : (tensor<f32>, tensor<f32>, tensor<1xi64>) -> tensor<2xf32>
  %3 = stablehlo.rng %a, %b, %s, distribution = UNIFORM : (tensor<f32>, tensor<f32>, tensor<1xi64>) -> tensor<2xf32>
  return %0, %1, %2, %3 : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}

// -----
// Reductions are equal if their bodies are.
// CHECK-LABEL: @regions
// CHECK-COUNT-1: applies stablehlo.add
// CHECK-COUNT-1: applies stablehlo.maximum
// CHECK-NOT: stablehlo.reduce
// CHECK: return
func.func @regions(%x: tensor<2x3xf32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) {
  %z = stablehlo.constant dense<0.0> : tensor<f32>
  %0 = stablehlo.reduce(%x init: %z) applies stablehlo.add across dimensions = [1] : (tensor<2x3xf32>, tensor<f32>) -> tensor<2xf32>
  %1 = stablehlo.reduce(%x init: %z) applies stablehlo.add across dimensions = [1] : (tensor<2x3xf32>, tensor<f32>) -> tensor<2xf32>
  %2 = stablehlo.reduce(%x init: %z) applies stablehlo.maximum across dimensions = [1] : (tensor<2x3xf32>, tensor<f32>) -> tensor<2xf32>
  return %0, %1, %2 : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}

// -----
// A branch can use what was computed before it, but not what another branch computed.
// CHECK-LABEL: @scopes
// CHECK: %[[N:.*]] = stablehlo.negate
// CHECK: "stablehlo.if"
// CHECK-NEXT: %[[A:.*]] = stablehlo.abs
// CHECK: stablehlo.add %[[N]], %[[A]]
// CHECK: }, {
// CHECK-NEXT: stablehlo.abs
func.func @scopes(%p: tensor<i1>, %x: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
  %0 = stablehlo.negate %x : tensor<f32>
  %1 = "stablehlo.if"(%p) ({
    %2 = stablehlo.negate %x : tensor<f32>
    %3 = stablehlo.abs %x : tensor<f32>
    %4 = stablehlo.add %2, %3 : tensor<f32>
    stablehlo.return %4 : tensor<f32>
  }, {
    %5 = stablehlo.abs %x : tensor<f32>
    stablehlo.return %5 : tensor<f32>
  }) : (tensor<i1>) -> tensor<f32>
  return %0, %1 : tensor<f32>, tensor<f32>
}
