// RUN: %pygraph-opt %s --simplify --split-input-file | FileCheck %s
// RUN: %pygraph-opt %s --simplify --split-input-file --remarks -o %t.mlir 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: %pygraph-opt %s --simplify --split-input-file --timing -o %t.mlir 2>&1 | FileCheck %s --check-prefix=TIMING

// REMARK: remark: searched 2 windows and improved 1: 2 searches found all there is, 0 stopped at 2048 nodes, 0 after 8 rounds
// TIMING: rule elementwise-of-broadcasts

// Broadcasts come after arithmetic.
// CHECK-LABEL: @broadcasts
// CHECK-NEXT: %[[S:.*]] = stablehlo.add %{{.*}}, %{{.*}} : tensor<4xf32>
// CHECK-NEXT: %[[B:.*]] = stablehlo.broadcast_in_dim %[[S]], dims = [1]
// CHECK-NEXT: return %[[B]]
func.func @broadcasts(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<8x4xf32> {
  %0 = stablehlo.broadcast_in_dim %x, dims = [1] : (tensor<4xf32>) -> tensor<8x4xf32>
  %1 = stablehlo.broadcast_in_dim %y, dims = [1] : (tensor<4xf32>) -> tensor<8x4xf32>
  %2 = stablehlo.add %0, %1 : tensor<8x4xf32>
  return %2 : tensor<8x4xf32>
}

// -----
// A product reads a transposed weight along its own dimensions.
// CHECK-LABEL: @weights
// CHECK-NEXT: stablehlo.dot_general %{{.*}}, %{{.*}}, contracting_dims = [1] x [1]
// CHECK-NEXT: return
func.func @weights(%x: tensor<2x8xf32>, %w: tensor<16x8xf32>) -> tensor<2x16xf32> {
  %0 = stablehlo.transpose %w, dims = [1, 0] : (tensor<16x8xf32>) -> tensor<8x16xf32>
  %1 = stablehlo.dot_general %x, %0, contracting_dims = [1] x [0] : (tensor<2x8xf32>, tensor<8x16xf32>) -> tensor<2x16xf32>
  return %1 : tensor<2x16xf32>
}

// -----
// Two transposes meet across arithmetic and cancel.
// CHECK-LABEL: @transposes
// CHECK-NEXT: stablehlo.exponential %{{.*}} : tensor<2x3xf32>
// CHECK-NEXT: return
func.func @transposes(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = stablehlo.transpose %x, dims = [1, 0] : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %1 = stablehlo.exponential %0 : tensor<3x2xf32>
  %2 = stablehlo.transpose %1, dims = [1, 0] : (tensor<3x2xf32>) -> tensor<2x3xf32>
  return %2 : tensor<2x3xf32>
}

// -----
// What does nothing goes: x * 1, x - 0.0, --x; and x / 4 is x * 0.25, exactly.
// CHECK-LABEL: @identities
// CHECK-NEXT: %[[Q:.*]] = stablehlo.constant dense<0.25>
// CHECK-NEXT: %[[R:.*]] = stablehlo.multiply %{{.*}}, %[[Q]]
// CHECK-NEXT: return %[[R]]
func.func @identities(%x: tensor<2xf32>) -> tensor<2xf32> {
  %one = stablehlo.constant dense<1.0> : tensor<2xf32>
  %zero = stablehlo.constant dense<0.0> : tensor<2xf32>
  %four = stablehlo.constant dense<4.0> : tensor<2xf32>
  %0 = stablehlo.multiply %one, %x : tensor<2xf32>
  %1 = stablehlo.subtract %0, %zero : tensor<2xf32>
  %2 = stablehlo.negate %1 : tensor<2xf32>
  %3 = stablehlo.negate %2 : tensor<2xf32>
  %4 = stablehlo.divide %3, %four : tensor<2xf32>
  return %4 : tensor<2xf32>
}

// -----
// What would change a float stays: -0.0 + 0.0 is 0.0, x * 0.0 may be NaN, x - x too, x / 3 rounds once; and a mark
// keeps an operation as it is.
// CHECK-LABEL: @floats
// CHECK: stablehlo.add %arg0
// CHECK: stablehlo.multiply %arg0
// CHECK: stablehlo.subtract %arg0, %arg0
// CHECK: stablehlo.divide %arg0
// CHECK: stablehlo.multiply %arg0, {{.*}}_xla_compute_type
func.func @floats(%arg0: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) {
  %zero = stablehlo.constant dense<0.0> : tensor<2xf32>
  %one = stablehlo.constant dense<1.0> : tensor<2xf32>
  %three = stablehlo.constant dense<3.0> : tensor<2xf32>
  %0 = stablehlo.add %arg0, %zero : tensor<2xf32>
  %1 = stablehlo.multiply %arg0, %zero : tensor<2xf32>
  %2 = stablehlo.subtract %arg0, %arg0 : tensor<2xf32>
  %3 = stablehlo.divide %arg0, %three : tensor<2xf32>
  %4 = stablehlo.multiply %arg0, %one {mhlo.frontend_attributes = {_xla_compute_type = "host"}} : tensor<2xf32>
  return %0, %1, %2, %3, %4 : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}

// -----
// Integers wrap, so more holds.
// CHECK-LABEL: @integers
// CHECK-NEXT: %[[Z:.*]] = stablehlo.constant dense<0> : tensor<2xi32>
// CHECK-NEXT: return %[[Z]], %arg0
func.func @integers(%arg0: tensor<2xi32>, %y: tensor<2xi32>) -> (tensor<2xi32>, tensor<2xi32>) {
  %0 = stablehlo.subtract %arg0, %arg0 : tensor<2xi32>
  %1 = stablehlo.add %arg0, %y : tensor<2xi32>
  %2 = stablehlo.subtract %1, %y : tensor<2xi32>
  return %0, %2 : tensor<2xi32>, tensor<2xi32>
}
