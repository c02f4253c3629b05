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
// What a product reads is made before it, and what comes behind it goes on in its launch: the product itself is not stored.
// CHECK-LABEL: @product
// CHECK: %[[A:.*]] = "pyg.nest"(%x
// CHECK: scalar.exp
// CHECK: %[[F:.*]] = "pyg.fused"(%[[A]], %x) ({
// CHECK-NEXT: ^bb0(%[[L:.*]]: tensor<8x8xf32>, %[[R:.*]]: tensor<8x8xf32>):
// CHECK-NEXT: %[[D:.*]] = "pyg.kernel"(%[[L]], %[[R]])
// CHECK: "pyg.nest"(%[[L]], %[[D]],
// CHECK: scalar.add
// CHECK: }) {name = "contract_add", rows = 64 : i64}
// CHECK: return %[[F]]
// REMARK: `@product` has 2 launches, 3 before fusion
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

// -----
// A chain goes behind the product whole: bias, activation, and the rounding to bf16 that the program asks for. Reshapes do not
// matter.
// CHECK-LABEL: @layer
// CHECK-NEXT: %[[F:.*]] = "pyg.fused"(%x, %w, %b) ({
// CHECK: kernel = "contract"
// CHECK: "pyg.nest"
// CHECK: scalar.convert %{{.*}} : (f32) -> bf16
// CHECK: scalar.add %{{.*}} : bf16
// CHECK: scalar.tanh %{{.*}} : bf16
// CHECK: }) {name = "contract_tanh", rows = 48 : i64} : (tensor<6x4xbf16>, tensor<4x8xbf16>, tensor<8xbf16>) -> tensor<2x3x8xbf16>
// CHECK-NEXT: return %[[F]]
// REMARK: `@layer` has 1 launches, 5 before fusion
func.func @layer(%x: tensor<6x4xbf16>, %w: tensor<4x8xbf16>, %b: tensor<8xbf16>) -> tensor<2x3x8xbf16> {
  %0 = stablehlo.dot_general %x, %w, contracting_dims = [1] x [0] : (tensor<6x4xbf16>, tensor<4x8xbf16>) -> tensor<6x8xf32>
  %1 = stablehlo.convert %0 : (tensor<6x8xf32>) -> tensor<6x8xbf16>
  %2 = stablehlo.reshape %1 : (tensor<6x8xbf16>) -> tensor<2x3x8xbf16>
  %3 = stablehlo.broadcast_in_dim %b, dims = [2] : (tensor<8xbf16>) -> tensor<2x3x8xbf16>
  %4 = stablehlo.add %2, %3 : tensor<2x3x8xbf16>
  %5 = stablehlo.tanh %4 : tensor<2x3x8xbf16>
  return %5 : tensor<2x3x8xbf16>
}

// -----
// Two products and one nest that reads both: it goes behind the second, and reads what the first has made.
// CHECK-LABEL: @gated
// CHECK-NEXT: %[[G:.*]] = "pyg.kernel"(%x, %g)
// CHECK-NEXT: %[[F:.*]] = "pyg.fused"(%x, %u, %[[G]]) ({
// CHECK: scalar.logistic
// CHECK: }) {name = "contract_mul", rows = 32 : i64}
// CHECK-NEXT: return %[[F]]
// REMARK: refusal: contract: no work behind it is done in its launch: what reads its result is done in the launch of a later one
func.func @gated(%x: tensor<4x8xf32>, %g: tensor<8x8xf32>, %u: tensor<8x8xf32>) -> tensor<4x8xf32> {
  %0 = stablehlo.dot_general %x, %g, contracting_dims = [1] x [0] : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32>
  %1 = stablehlo.logistic %0 : tensor<4x8xf32>
  %2 = stablehlo.dot_general %x, %u, contracting_dims = [1] x [0] : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32>
  %3 = stablehlo.multiply %1, %2 : tensor<4x8xf32>
  return %3 : tensor<4x8xf32>
}

// -----
// The sum with what came before a layer is read three times behind it. It is computed once, where the product is, and not
// again by each reader.
// CHECK-LABEL: @residual
// CHECK-NEXT: %[[H:.*]] = "pyg.fused"(%x, %w, %r) ({
// CHECK: }) {name = "contract_add", rows = 32 : i64}
// CHECK-NEXT: %[[N:.*]] = "pyg.fused"(%[[H]]) ({
// CHECK: }) {name = "l2_norm", rows = 4 : i64}
// CHECK-NEXT: return %[[H]], %[[N]]
func.func @residual(%x: tensor<4x8xf32>, %w: tensor<8x8xf32>, %r: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %0 = stablehlo.dot_general %x, %w, contracting_dims = [1] x [0] : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32>
  %h = stablehlo.add %0, %r : tensor<4x8xf32>
  %q = stablehlo.multiply %h, %h : tensor<4x8xf32>
  %s = stablehlo.reduce(%q init: %zero) applies stablehlo.add across dimensions = [1] : (tensor<4x8xf32>, tensor<f32>) -> tensor<4xf32>
  %i = stablehlo.rsqrt %s : tensor<4xf32>
  %b = stablehlo.broadcast_in_dim %i, dims = [0] : (tensor<4xf32>) -> tensor<4x8xf32>
  %n = stablehlo.multiply %h, %b : tensor<4x8xf32>
  return %h, %n : tensor<4x8xf32>, tensor<4x8xf32>
}

// -----
// A conversion to a wider type is done again by each reader rather than behind the product: fewer bytes are stored.
// CHECK-LABEL: @widened
// CHECK-NEXT: %[[D:.*]] = "pyg.kernel"(%x, %w)
// CHECK-NEXT: "pyg.fused"(%[[D]])
// CHECK: "pyg.nest"(%[[D]], %y,
func.func @widened(%x: tensor<4x8xbf16>, %w: tensor<8x8xbf16>, %y: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4xf32>) {
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %0 = stablehlo.dot_general %x, %w, contracting_dims = [1] x [0] : (tensor<4x8xbf16>, tensor<8x8xbf16>) -> tensor<4x8xbf16>
  %h = stablehlo.convert %0 : (tensor<4x8xbf16>) -> tensor<4x8xf32>
  %s = stablehlo.reduce(%h init: %zero) applies stablehlo.add across dimensions = [1] : (tensor<4x8xf32>, tensor<f32>) -> tensor<4xf32>
  %n = stablehlo.add %h, %y : tensor<4x8xf32>
  return %n, %s : tensor<4x8xf32>, tensor<4xf32>
}

// -----
// Heads change places with rows on the way out: rows are what both agree on.
// CHECK-LABEL: @heads
// CHECK-NEXT: "pyg.fused"(%x, %w) ({
// CHECK: }) {name = "contract_mul", rows = 2 : i64} : (tensor<6x8xf32>, tensor<8x8xf32>) -> tensor<2x2x3x4xf32>
func.func @heads(%x: tensor<6x8xf32>, %w: tensor<8x8xf32>) -> tensor<2x2x3x4xf32> {
  %0 = stablehlo.dot_general %x, %w, contracting_dims = [1] x [0] : (tensor<6x8xf32>, tensor<8x8xf32>) -> tensor<6x8xf32>
  %1 = stablehlo.reshape %0 : (tensor<6x8xf32>) -> tensor<2x3x2x4xf32>
  %2 = stablehlo.transpose %1, dims = [0, 2, 1, 3] : (tensor<2x3x2x4xf32>) -> tensor<2x2x3x4xf32>
  %3 = stablehlo.multiply %2, %2 : tensor<2x2x3x4xf32>
  return %3 : tensor<2x2x3x4xf32>
}

// -----
// What folds a product's result, reads it twice, or reads a part of it is a launch of its own; and so is
// what reads a result that something else reads too.
// CHECK-LABEL: @apart
// CHECK-NOT: name = "contract_
// REMARK: refusal: contract: no work behind it is done in its launch: what reads its result folds it
// REMARK: refusal: contract: no work behind it is done in its launch: what reads its result does not read each element once
// REMARK: refusal: contract: no work behind it is done in its launch: what reads its result does not read each element once
// REMARK: refusal: contract: no work behind it is done in its launch: 2 operations read its result
func.func @apart(%x: tensor<4x4xf32>) -> (tensor<4xf32>, tensor<4x4xf32>, tensor<2x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) {
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %a = stablehlo.dot_general %x, %x, contracting_dims = [1] x [0] : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %0 = stablehlo.reduce(%a init: %zero) applies stablehlo.add across dimensions = [1] : (tensor<4x4xf32>, tensor<f32>) -> tensor<4xf32>
  %b = stablehlo.dot_general %x, %x, contracting_dims = [0] x [0] : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %t = stablehlo.transpose %b, dims = [1, 0] : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %1 = stablehlo.add %b, %t : tensor<4x4xf32>
  %c = stablehlo.dot_general %x, %x, contracting_dims = [1] x [1] : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %h = stablehlo.slice %c [0:2, 0:4] : (tensor<4x4xf32>) -> tensor<2x4xf32>
  %2 = stablehlo.negate %h : tensor<2x4xf32>
  %d = stablehlo.dot_general %x, %x, contracting_dims = [0] x [1] : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %3 = stablehlo.negate %d : tensor<4x4xf32>
  return %0, %1, %2, %3, %d : tensor<4xf32>, tensor<4x4xf32>, tensor<2x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>
}

// -----
// An activation that reads its argument more than once becomes one nest first, and then goes behind the product whole.
// CHECK-LABEL: @activation
// CHECK-NEXT: %[[F:.*]] = "pyg.fused"(%x, %w, %b) ({
// CHECK: }) {name = "contract_mul", rows = 32 : i64}
// CHECK-NEXT: return %[[F]]
func.func @activation(%x: tensor<4x8xf32>, %w: tensor<8x8xf32>, %b: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = stablehlo.dot_general %x, %w, contracting_dims = [1] x [0] : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32>
  %1 = stablehlo.add %0, %b : tensor<4x8xf32>
  %2 = stablehlo.multiply %1, %1 : tensor<4x8xf32>
  %3 = stablehlo.tanh %2 : tensor<4x8xf32>
  %4 = stablehlo.multiply %1, %3 : tensor<4x8xf32>
  return %4 : tensor<4x8xf32>
}

// -----
// What a reader reads anyway is not read again: whether a row's number is positive is found where the number is added.
// CHECK-LABEL: @flag
// CHECK: "pyg.nest"(%r, %x, %{{.*}}) ({
// CHECK: scalar.gt
// CHECK: scalar.select
// CHECK-NOT: pyg.nest
func.func @flag(%x: tensor<16384x4096xf32>, %r: tensor<16384xf32>) -> tensor<16384x4096xf32> {
  %zero = stablehlo.constant dense<0.0> : tensor<16384xf32>
  %0 = stablehlo.compare GT, %r, %zero : (tensor<16384xf32>, tensor<16384xf32>) -> tensor<16384xi1>
  %1 = stablehlo.broadcast_in_dim %0, dims = [0] : (tensor<16384xi1>) -> tensor<16384x4096xi1>
  %2 = stablehlo.broadcast_in_dim %r, dims = [0] : (tensor<16384xf32>) -> tensor<16384x4096xf32>
  %3 = stablehlo.add %x, %2 : tensor<16384x4096xf32>
  %4 = stablehlo.select %1, %3, %x : tensor<16384x4096xi1>, tensor<16384x4096xf32>
  return %4 : tensor<16384x4096xf32>
}

// -----
// What it does not is: a flag of one byte is read instead of the number of four that it comes from.
// CHECK-LABEL: @flag_of_others
// CHECK: scalar.gt
// CHECK: "pyg.nest"
// CHECK: scalar.select
func.func @flag_of_others(%x: tensor<16384x4096xf32>, %r: tensor<16384xf32>) -> tensor<16384x4096xf32> {
  %zero = stablehlo.constant dense<0.0> : tensor<16384xf32>
  %0 = stablehlo.compare GT, %r, %zero : (tensor<16384xf32>, tensor<16384xf32>) -> tensor<16384xi1>
  %1 = stablehlo.broadcast_in_dim %0, dims = [0] : (tensor<16384xi1>) -> tensor<16384x4096xi1>
  %2 = stablehlo.negate %x : tensor<16384x4096xf32>
  %3 = stablehlo.select %1, %2, %x : tensor<16384x4096xi1>, tensor<16384x4096xf32>
  return %3 : tensor<16384x4096xf32>
}

// -----
// The root of a feature's variance goes behind the convolution with what scales by it, and is computed for each element: its sum takes longer.
// CHECK-LABEL: @normalised
// CHECK: pyg.fused
// CHECK: pyg.kernel
// CHECK: "pyg.nest"
// CHECK: scalar.rsqrt
// CHECK: scalar.max
// CHECK-NOT: pyg.nest
// REMARK: remark: `@normalised` has 1 launches, 8 before fusion
func.func @normalised(%x: tensor<1x4x5x5xf32>, %w: tensor<8x4x3x3xf32>, %variance: tensor<8xf32>, %shift: tensor<8xf32>) -> tensor<1x8x3x3xf32> {
  %0 = stablehlo.convolution(%x, %w) dim_numbers = [b, f, 0, 1]x[o, i, 0, 1]->[b, f, 0, 1], window = {} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<1x4x5x5xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x3x3xf32>
  %e = stablehlo.constant dense<1.0e-5> : tensor<8xf32>
  %1 = stablehlo.add %variance, %e : tensor<8xf32>
  %2 = stablehlo.rsqrt %1 : tensor<8xf32>
  %3 = stablehlo.broadcast_in_dim %2, dims = [1] : (tensor<8xf32>) -> tensor<1x8x3x3xf32>
  %4 = stablehlo.multiply %0, %3 : tensor<1x8x3x3xf32>
  %5 = stablehlo.broadcast_in_dim %shift, dims = [1] : (tensor<8xf32>) -> tensor<1x8x3x3xf32>
  %6 = stablehlo.add %4, %5 : tensor<1x8x3x3xf32>
  %z = stablehlo.constant dense<0.0> : tensor<1x8x3x3xf32>
  %7 = stablehlo.maximum %6, %z : tensor<1x8x3x3xf32>
  return %7 : tensor<1x8x3x3xf32>
}

// -----
// An exponential stays a launch: it is dearer than that.
// CHECK-LABEL: @scaled_by_exponentials
// CHECK: scalar.exp
// CHECK: pyg.fused
// CHECK: pyg.kernel
// CHECK-NOT: scalar.exp
func.func @scaled_by_exponentials(%x: tensor<1x4x5x5xf32>, %w: tensor<8x4x3x3xf32>, %scale: tensor<8xf32>) -> tensor<1x8x3x3xf32> {
  %0 = stablehlo.convolution(%x, %w) dim_numbers = [b, f, 0, 1]x[o, i, 0, 1]->[b, f, 0, 1], window = {} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<1x4x5x5xf32>, tensor<8x4x3x3xf32>) -> tensor<1x8x3x3xf32>
  %1 = stablehlo.exponential %scale : tensor<8xf32>
  %2 = stablehlo.broadcast_in_dim %1, dims = [1] : (tensor<8xf32>) -> tensor<1x8x3x3xf32>
  %3 = stablehlo.multiply %0, %2 : tensor<1x8x3x3xf32>
  return %3 : tensor<1x8x3x3xf32>
}
