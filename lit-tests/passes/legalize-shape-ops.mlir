// RUN: %pygraph-opt %s --legalize-shape-ops --split-input-file | FileCheck %s

// Shapes that are known become attributes, and result types are refined.
// CHECK-LABEL: @static(
// CHECK-SAME: -> tensor<2x3xf32>
// CHECK-NEXT: %[[B:.*]] = stablehlo.broadcast_in_dim %x, dims = [1] : (tensor<3xf32>) -> tensor<2x3xf32>
// CHECK-NEXT: stablehlo.abs %[[B]] : tensor<2x3xf32>
func.func @static(%x: tensor<3xf32>) -> tensor<?x3xf32> {
  %c2 = arith.constant 2 : index
  %c0 = arith.constant 0 : index
  %d = tensor.dim %x, %c0 : tensor<3xf32>
  %s = tensor.from_elements %c2, %d : tensor<2xindex>
  %b = stablehlo.dynamic_broadcast_in_dim %x, %s, dims = [1] : (tensor<3xf32>, tensor<2xindex>) -> tensor<?x3xf32>
  %a = stablehlo.abs %b : tensor<?x3xf32>
  return %a : tensor<?x3xf32>
}

// -----
// A static result type says the shape, whatever computes it.
// CHECK-LABEL: @typed
// CHECK: stablehlo.iota dim = 0 : tensor<4xi64>
// CHECK: stablehlo.constant dense<3> : tensor<i32>
// CHECK-NOT: dynamic_iota
func.func @typed(%n: tensor<1xi64>, %x: tensor<3xf32>) -> (tensor<4xi64>, tensor<i32>) {
  %0 = stablehlo.dynamic_iota %n, dim = 0 : (tensor<1xi64>) -> tensor<4xi64>
  %1 = stablehlo.get_dimension_size %x, dim = 0 : (tensor<3xf32>) -> tensor<i32>
  return %0, %1 : tensor<4xi64>, tensor<i32>
}

// -----
// Numbers outside tensors become tensors of no dimensions.
// CHECK-LABEL: @numbers
// CHECK: %[[WIDE:.*]] = stablehlo.convert %x : (tensor<f32>) -> tensor<f64>
// CHECK: %[[SUM:.*]] = stablehlo.add %[[WIDE]], %{{.*}} : tensor<f64>
// CHECK: stablehlo.reshape %[[SUM]] : (tensor<f64>) -> tensor<1xf64>
// CHECK-NOT: arith
func.func @numbers(%x: tensor<f32>) -> tensor<1xf64> {
  %c = arith.constant 1.0 : f64
  %0 = tensor.extract %x[] : tensor<f32>
  %1 = arith.extf %0 : f32 to f64
  %2 = arith.addf %1, %c : f64
  %3 = tensor.from_elements %2 : tensor<1xf64>
  return %3 : tensor<1xf64>
}

// -----
// A shape that an argument's unknown dimension decides stays.
// CHECK-LABEL: @dynamic
// CHECK: stablehlo.dynamic_broadcast_in_dim
func.func @dynamic(%x: tensor<?xf32>) -> tensor<2x?xf32> {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %d = tensor.dim %x, %c0 : tensor<?xf32>
  %s = tensor.from_elements %c2, %d : tensor<2xindex>
  %b = stablehlo.dynamic_broadcast_in_dim %x, %s, dims = [1] : (tensor<?xf32>, tensor<2xindex>) -> tensor<2x?xf32>
  return %b : tensor<2x?xf32>
}

// -----
// Numbers outside tensors that a function takes and gives are tensors of no dimensions.
// CHECK-LABEL: @numbers
// CHECK-SAME: (%x: tensor<f32>) -> (tensor<f32>, tensor<f32>)
// CHECK: %[[S:.*]] = stablehlo.add %x, %x : tensor<f32>
// CHECK: return %[[S]], %x : tensor<f32>, tensor<f32>
func.func @numbers(%x: f32) -> (f32, f32) {
  %0 = arith.addf %x, %x : f32
  return %0, %x : f32, f32
}

// -----
// CHECK-LABEL: @handed_on
// CHECK-SAME: (%x: tensor<f32>) -> tensor<f32>
func.func @handed_on(%x: f32) -> f32 {
  return %x : f32
}
