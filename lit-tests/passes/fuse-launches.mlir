// RUN: %pygraph-opt %s --lower-to-launches --fuse-launches --split-input-file | FileCheck %s
// What is fused reads back as it is, and stays as it is.
// RUN: %pygraph-opt %s --lower-to-launches --fuse-launches --split-input-file > %t.once
// RUN: %pygraph-opt %t.once --fuse-launches --split-input-file | diff %t.once -
// RUN: %pygraph-opt %s --lower-to-launches --fuse-launches --split-input-file --remarks 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK
// RUN: %pygraph-opt %s --stop-after=kernel --no-fuse --split-input-file | FileCheck %s --check-prefix=SINGLE
// SINGLE-NOT: pyg.fused

// Elementwise work, a broadcast and a transpose become one body; each operation keeps its type.
// CHECK-LABEL: @chain
// CHECK: "pyg.nest"(%x, %b, %{{.*}}) ({
// CHECK-NEXT: ^bb0(%[[X:.*]]: bf16, %[[B:.*]]: bf16):
// CHECK: %[[S:.*]] = scalar.add %[[X]], %[[B]] : bf16
// CHECK: %[[E:.*]] = scalar.exp %[[S]] : bf16
// CHECK: scalar.convert %[[E]]
// CHECK: affine_map<(d0, d1) -> (d1, d0)>, affine_map<(d0, d1) -> (d0)>
// CHECK-NOT: pyg.nest
// REMARK: remark: `@chain` has 1 launches, 5 before fusion
func.func @chain(%x: tensor<4x8xbf16>, %b: tensor<8xbf16>) -> tensor<8x4xf32> {
  %0 = stablehlo.broadcast_in_dim %b, dims = [1] : (tensor<8xbf16>) -> tensor<4x8xbf16>
  %1 = stablehlo.add %x, %0 : tensor<4x8xbf16>
  %2 = stablehlo.exponential %1 : tensor<4x8xbf16>
  %3 = stablehlo.convert %2 : (tensor<4x8xbf16>) -> tensor<4x8xf32>
  %4 = stablehlo.transpose %3, dims = [1, 0] : (tensor<4x8xf32>) -> tensor<8x4xf32>
  return %4 : tensor<8x4xf32>
}

// -----
// Slices and reverses are read through, and so are reshapes that split, insert and remove dimensions.
// CHECK-LABEL: @movement
// CHECK-NOT: pyg.view
// CHECK: "pyg.nest"(%x, %{{.*}}) ({
// CHECK: scalar.neg
// CHECK: affine_map<(d0, d1, d2) -> (0, d0 * 2 + d2 + 4)>
// CHECK-NOT: pyg.nest
func.func @movement(%x: tensor<1x8xf32>) -> tensor<2x1x2xf32> {
  %0 = stablehlo.negate %x : tensor<1x8xf32>
  %1 = stablehlo.slice %0 [0:1, 4:8] : (tensor<1x8xf32>) -> tensor<1x4xf32>
  %2 = stablehlo.reshape %1 : (tensor<1x4xf32>) -> tensor<2x1x2xf32>
  %3 = stablehlo.abs %2 : tensor<2x1x2xf32>
  return %3 : tensor<2x1x2xf32>
}

// -----
// A reshape that merges what the reader goes through in one: the view stays, and both nests are stages of a launch.
// CHECK-LABEL: @merged
// CHECK: scalar.cos
// CHECK: pyg.view
// CHECK: scalar.sin
func.func @merged(%x: tensor<300x300xf32>, %y: tensor<90000xf32>) -> tensor<90000xf32> {
  %0 = stablehlo.transpose %x, dims = [1, 0] : (tensor<300x300xf32>) -> tensor<300x300xf32>
  %1 = stablehlo.cosine %0 : tensor<300x300xf32>
  %2 = stablehlo.reshape %1 : (tensor<300x300xf32>) -> tensor<90000xf32>
  %3 = stablehlo.sine %2 : tensor<90000xf32>
  return %3 : tensor<90000xf32>
}

// -----
// A position is computed where it is read.
// CHECK-LABEL: @iota
// CHECK: %[[I:.*]] = "scalar.index"() {dimension = 1 : i64}
// CHECK: scalar.convert %[[I]]
// CHECK: scalar.add
// CHECK-NOT: pyg.nest
func.func @iota(%x: tensor<4x8xi32>) -> tensor<4x8xi32> {
  %0 = stablehlo.iota dim = 0 : tensor<8xi32>
  %1 = stablehlo.broadcast_in_dim %0, dims = [1] : (tensor<8xi32>) -> tensor<4x8xi32>
  %2 = stablehlo.add %x, %1 : tensor<4x8xi32>
  return %2 : tensor<4x8xi32>
}

// -----
// Softmax is one launch: `exp` is computed once for each element, and read by the sum and the quotient.
// CHECK-LABEL: @softmax
// CHECK-NEXT: %[[F:.*]] = "pyg.fused"(%x) ({
// CHECK: scalar.max
// CHECK: scalar.exp
// CHECK-NOT: scalar.exp
// CHECK: scalar.div
// CHECK: pyg.yield %{{[^,]*}} : tensor<4x8xf32>
// CHECK-NEXT: }) {name = "softmax", rows = 4 : i64} : (tensor<4x8xf32>) -> tensor<4x8xf32>
// CHECK-NEXT: return %[[F]]
func.func @softmax(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %ninf = stablehlo.constant dense<0xFF800000> : tensor<f32>
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %m = stablehlo.reduce(%x init: %ninf) applies stablehlo.maximum across dimensions = [1] : (tensor<4x8xf32>, tensor<f32>) -> tensor<4xf32>
  %mb = stablehlo.broadcast_in_dim %m, dims = [0] : (tensor<4xf32>) -> tensor<4x8xf32>
  %d = stablehlo.subtract %x, %mb : tensor<4x8xf32>
  %e = stablehlo.exponential %d : tensor<4x8xf32>
  %s = stablehlo.reduce(%e init: %zero) applies stablehlo.add across dimensions = [1] : (tensor<4x8xf32>, tensor<f32>) -> tensor<4xf32>
  %sb = stablehlo.broadcast_in_dim %s, dims = [0] : (tensor<4xf32>) -> tensor<4x8xf32>
  %r = stablehlo.divide %e, %sb : tensor<4x8xf32>
  return %r : tensor<4x8xf32>
}

// -----
// What is read outside too is a result; the sum of squares is folded from the product itself.
// CHECK-LABEL: @rms_norm
// CHECK: %[[F:.*]]:2 = "pyg.fused"(%x, %y) ({
// CHECK: }) {name = "rms_norm", rows = 4 : i64}
// CHECK: return %[[F]]#0, %[[F]]#1
func.func @rms_norm(%x: tensor<4x8xf32>, %y: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %eps = stablehlo.constant dense<1.0> : tensor<4xf32>
  %h = stablehlo.add %x, %y : tensor<4x8xf32>
  %q = stablehlo.multiply %h, %h : tensor<4x8xf32>
  %s = stablehlo.reduce(%q init: %zero) applies stablehlo.add across dimensions = [1] : (tensor<4x8xf32>, tensor<f32>) -> tensor<4xf32>
  %t = stablehlo.add %s, %eps : tensor<4xf32>
  %i = stablehlo.rsqrt %t : tensor<4xf32>
  %b = stablehlo.broadcast_in_dim %i, dims = [0] : (tensor<4xf32>) -> tensor<4x8xf32>
  %n = stablehlo.multiply %h, %b : tensor<4x8xf32>
  return %h, %n : tensor<4x8xf32>, tensor<4x8xf32>
}

// -----
// `exp` of a row is not computed again for every element of a table that it is broadcast to.
// CHECK-LABEL: @dear
// CHECK: "pyg.fused"
// CHECK: extents = array<i64: 8>
// CHECK: extents = array<i64: 64, 8>
// CHECK: rows = 1 : i64
func.func @dear(%x: tensor<8xf32>, %y: tensor<64x8xf32>) -> tensor<64x8xf32> {
  %0 = stablehlo.exponential %x : tensor<8xf32>
  %1 = stablehlo.broadcast_in_dim %0, dims = [1] : (tensor<8xf32>) -> tensor<64x8xf32>
  %2 = stablehlo.add %1, %y : tensor<64x8xf32>
  return %2 : tensor<64x8xf32>
}

// -----
// What a product reads is made before it, and what comes behind it does not go to a launch before it.
// CHECK-LABEL: @product
// CHECK: %[[A:.*]] = "pyg.nest"(%x
// CHECK: scalar.exp
// CHECK: %[[D:.*]] = "pyg.kernel"(%[[A]], %x)
// CHECK: "pyg.nest"(%[[A]], %[[D]],
func.func @product(%x: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %0 = stablehlo.exponential %x : tensor<8x8xf32>
  %1 = stablehlo.dot_general %0, %x, contracting_dims = [1] x [0] : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  %2 = stablehlo.add %0, %1 : tensor<8x8xf32>
  return %2 : tensor<8x8xf32>
}

// -----
// Nothing goes into a loop or a choice.
// CHECK-LABEL: @choice
// CHECK: scalar.neg
// CHECK: "pyg.switch"
// CHECK: scalar.abs
func.func @choice(%p: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = stablehlo.negate %x : tensor<4xf32>
  %1 = "stablehlo.if"(%p) ({
    %2 = stablehlo.abs %0 : tensor<4xf32>
    stablehlo.return %2 : tensor<4xf32>
  }, {
    stablehlo.return %x : tensor<4xf32>
  }) : (tensor<i1>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// -----
// A check has its place: launches do not move from before it to behind it.
// CHECK-LABEL: @check
// CHECK: "pyg.nest"
// CHECK: scalar.exp
// CHECK: kernel = "check_almost_equal"
// CHECK: "pyg.nest"
// CHECK-NOT: pyg.fused
func.func @check(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = stablehlo.exponential %x : tensor<4xf32>
  check.expect_almost_eq %x, %x : tensor<4xf32>
  %1 = stablehlo.abs %0 : tensor<4xf32>
  return %1 : tensor<4xf32>
}

// -----
// Parts of one tensor are written in one launch.
// CHECK-LABEL: @concatenate
// CHECK: "pyg.fused"(%x) ({
// CHECK: scalar.neg
// CHECK: }) {name = "fused_neg", rows = 2 : i64}
func.func @concatenate(%x: tensor<2x8xf32>) -> tensor<2x8xf32> {
  %0 = stablehlo.slice %x [0:2, 4:8] : (tensor<2x8xf32>) -> tensor<2x4xf32>
  %1 = stablehlo.negate %0 : tensor<2x4xf32>
  %2 = stablehlo.slice %x [0:2, 0:4] : (tensor<2x8xf32>) -> tensor<2x4xf32>
  %3 = stablehlo.concatenate %1, %2, dim = 1 : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x8xf32>
  return %3 : tensor<2x8xf32>
}
