// RUN: %pygraph-opt %s --lower-to-launches --split-input-file | FileCheck %s --implicit-check-not=stablehlo

// An elementwise operation is one nest; a constant that is one value everywhere is a literal in its body, and goes.
// CHECK-LABEL: @elementwise(%x: tensor<2x3xf32>)
// CHECK-NEXT: %[[INIT:.*]] = pyg.empty : () -> tensor<2x3xf32>
// CHECK-NEXT: %[[R:.*]] = "pyg.nest"(%x, %[[INIT]])
// CHECK-NEXT: ^bb0(%[[A:.*]]: f32):
// CHECK-NEXT: %[[ONE:.*]] = "scalar.constant"() {value = dense<1.0> : tensor<f32>}
// CHECK-NEXT: %[[S:.*]] = scalar.add %[[A]], %[[ONE]] : f32
// CHECK-NEXT: scalar.yield %[[S]] : f32
// CHECK-NEXT: extents = array<i64: 2, 3>, input_count = 1
// CHECK-NEXT: return %[[R]]
func.func @elementwise(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %one = stablehlo.constant dense<1.0> : tensor<2x3xf32>
  %0 = stablehlo.add %x, %one : tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----
// What only moves elements is a copy through maps; what does not even move them is a view.
// CHECK-LABEL: @movement
// CHECK: "pyg.nest"(%x
// CHECK: maps = [affine_map<(d0, d1) -> (d1, d0)>, affine_map<(d0, d1) -> (d0, d1)>]
// CHECK: "pyg.nest"
// CHECK: maps = [affine_map<(d0, d1) -> (d0 * 2 + 1, d1)>, affine_map<(d0, d1) -> (d0, d1)>]
// CHECK: %[[V:.*]] = pyg.view %{{.*}} : (tensor<1x2xf32>) -> tensor<2xf32>
// CHECK-NEXT: return %[[V]]
func.func @movement(%x: tensor<2x3xf32>) -> tensor<2xf32> {
  %0 = stablehlo.transpose %x, dims = [1, 0] : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %1 = stablehlo.slice %0 [1:3:2, 0:2] : (tensor<3x2xf32>) -> tensor<1x2xf32>
  %2 = stablehlo.reshape %1 : (tensor<1x2xf32>) -> tensor<2xf32>
  return %2 : tensor<2xf32>
}

// -----
// A reduction folds onto what a nest before it filled in.
// CHECK-LABEL: @reduce
// CHECK: %[[FILLED:.*]] = "pyg.nest"(%{{[^,]*}})
// CHECK: %[[R:.*]] = "pyg.nest"(%x, %[[FILLED]])
// CHECK: scalar.max
// CHECK: maps = [affine_map<(d0, d1) -> (d1, d0)>, affine_map<(d0, d1) -> (d0)>], reduction_dims = 1
func.func @reduce(%x: tensor<4x3xf32>) -> tensor<3xf32> {
  %low = stablehlo.constant dense<0xFF800000> : tensor<f32>
  %0 = stablehlo.reduce(%x init: %low) applies stablehlo.maximum across dimensions = [0] : (tensor<4x3xf32>, tensor<f32>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----
// Parts are written into one tensor, each nest onto what the one before left.
// CHECK-LABEL: @concatenate
// CHECK: %[[FIRST:.*]] = "pyg.nest"(%a
// CHECK: maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>]
// CHECK: %[[SECOND:.*]] = "pyg.nest"(%b, %[[FIRST]])
// CHECK: maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0 + 2)>]
// CHECK-NEXT: return %[[SECOND]]
func.func @concatenate(%a: tensor<2xi32>, %b: tensor<3xi32>) -> tensor<5xi32> {
  %0 = stablehlo.concatenate %a, %b, dim = 0 : (tensor<2xi32>, tensor<3xi32>) -> tensor<5xi32>
  return %0 : tensor<5xi32>
}

// -----
// Negative padding drops elements; no fill is needed where nothing is added.
// CHECK-LABEL: @crop
// CHECK-COUNT-1: "pyg.nest"(%x
// CHECK: maps = [affine_map<(d0) -> (d0 + 1)>, affine_map<(d0) -> (d0)>]
// CHECK-NEXT: return
func.func @crop(%x: tensor<5xf32>, %v: tensor<f32>) -> tensor<3xf32> {
  %0 = stablehlo.pad %x, %v, low = [-1], high = [-1], interior = [0] : (tensor<5xf32>, tensor<f32>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----
// Products are a named kernel; a private function that nobody calls any more goes.
// CHECK-LABEL: @product
// CHECK: "pyg.kernel"(%a, %b)
// CHECK-SAME: kernel = "contract"
// CHECK-NOT: @unused
func.func @product(%a: tensor<2x3xf32>, %b: tensor<3x4xf32>) -> tensor<2x4xf32> {
  %0 = stablehlo.dot_general %a, %b, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}
func.func private @unused(%a: tensor<2xf32>) -> tensor<2xf32> {
  return %a : tensor<2xf32>
}

// -----
// An `if` is a choice whose first branch is the true one; what is in the branches is lowered too.
// CHECK-LABEL: @choice
// CHECK: %[[NOT:.*]] = scalar.not %{{.*}} : i1
// CHECK: %[[INDEX:.*]] = scalar.convert %[[NOT]] : (i1) -> i32
// CHECK: "pyg.switch"
// CHECK: scalar.neg
// CHECK: pyg.yield
// CHECK: pyg.yield %x
func.func @choice(%p: tensor<i1>, %x: tensor<f32>) -> tensor<f32> {
  %0 = "stablehlo.if"(%p) ({
    %1 = stablehlo.negate %x : tensor<f32>
    stablehlo.return %1 : tensor<f32>
  }, {
    stablehlo.return %x : tensor<f32>
  }) : (tensor<i1>) -> tensor<f32>
  return %0 : tensor<f32>
}

// -----
// A cumulative sum is a scan in steps of doubled distance, not one sum a result: 7 for 100 elements.
// CHECK-LABEL: @cumulative
// CHECK-COUNT-7: maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0 + {{[0-9]+}})>, affine_map<(d0) -> (d0 + {{[0-9]+}})>]
// CHECK-NOT: affine_map<(d0) -> (d0 + 128)>
// CHECK-NOT: reduction_dims = 1
func.func @cumulative(%x: tensor<100xf32>) -> tensor<100xf32> {
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %0 = "stablehlo.reduce_window"(%x, %zero) ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %1 = stablehlo.add %a, %b : tensor<f32>
    stablehlo.return %1 : tensor<f32>
  }) {window_dimensions = array<i64: 100>, padding = dense<[[99, 0]]> : tensor<1x2xi64>} : (tensor<100xf32>, tensor<f32>) -> tensor<100xf32>
  return %0 : tensor<100xf32>
}
