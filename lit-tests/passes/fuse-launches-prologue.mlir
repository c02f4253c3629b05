// What a product alone reads goes before it, into its launch, where the product reads it once or nearly so.
// RUN: %pygraph-opt %s --lower-to-launches --fuse-launches --split-input-file | FileCheck %s
// RUN: %pygraph-opt %s --lower-to-launches --fuse-launches --split-input-file > %t.once
// RUN: %pygraph-opt %t.once --fuse-launches --split-input-file | diff %t.once -
// RUN: %pygraph-opt %s --lower-to-launches --fuse-launches --split-input-file --remarks 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// A weight in eight bits with a scale for each column, read through a reshape; and an epilogue too.
// CHECK-LABEL: @weight
// CHECK-NEXT: %[[F:.*]] = "pyg.fused"(%w, %s, %x, %b) ({
// CHECK: %[[E:.*]] = pyg.empty : () -> tensor<2x8x8xf32>
// CHECK-NEXT: %[[N:.*]] = "pyg.nest"(%{{.*}}, %{{.*}}, %[[E]])
// CHECK: scalar.convert
// CHECK: scalar.mul
// CHECK: %[[V:.*]] = pyg.view %[[N]] : (tensor<2x8x8xf32>) -> tensor<16x8xf32>
// CHECK: %[[P:.*]] = "pyg.kernel"(%{{.*}}, %[[V]])
// CHECK: "pyg.nest"(%{{.*}}
// CHECK: scalar.add
// CHECK: }) {name = "mul_contract_add", rows = 32 : i64}
// CHECK-NEXT: return %[[F]]
// REMARK: `@weight` has 1 launches
func.func @weight(%x: tensor<4x16xf32>, %w: tensor<2x8x8xi8>, %s: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<4x8xf32> {
  %0 = stablehlo.convert %w : (tensor<2x8x8xi8>) -> tensor<2x8x8xf32>
  %1 = stablehlo.broadcast_in_dim %s, dims = [2] : (tensor<8xf32>) -> tensor<2x8x8xf32>
  %2 = stablehlo.multiply %0, %1 : tensor<2x8x8xf32>
  %3 = stablehlo.reshape %2 : (tensor<2x8x8xf32>) -> tensor<16x8xf32>
  %4 = stablehlo.dot_general %x, %3, contracting_dims = [1] x [0] : (tensor<4x16xf32>, tensor<16x8xf32>) -> tensor<4x8xf32>
  %5 = stablehlo.broadcast_in_dim %b, dims = [1] : (tensor<8xf32>) -> tensor<4x8xf32>
  %6 = stablehlo.add %4, %5 : tensor<4x8xf32>
  return %6 : tensor<4x8xf32>
}

// -----
// Both sides of a product, and no epilogue.
// CHECK-LABEL: @sides
// CHECK: "pyg.fused"
// CHECK: "pyg.nest"
// CHECK: "pyg.nest"
// CHECK: "pyg.kernel"
// CHECK: }) {name = "abs_contract", rows = 1 : i64}
// CHECK-NEXT: return
func.func @sides(%x: tensor<4x16xf32>, %w: tensor<16x8xf32>) -> tensor<4x8xf32> {
  %0 = stablehlo.negate %x : tensor<4x16xf32>
  %1 = stablehlo.abs %w : tensor<16x8xf32>
  %2 = stablehlo.dot_general %0, %1, contracting_dims = [1] x [0] : (tensor<4x16xf32>, tensor<16x8xf32>) -> tensor<4x8xf32>
  return %2 : tensor<4x8xf32>
}

// -----
// With many rows the weight would be made again for each tile of them.
// CHECK-LABEL: @rows
// CHECK: "pyg.nest"
// CHECK: "pyg.kernel"
// CHECK-NOT: pyg.fused
// REMARK: refusal: contract: what makes operand 1 is not done in its launch: with 17 rows on the other side, its elements would be computed 3 times
func.func @rows(%x: tensor<17x16xf32>, %w: tensor<16x8xi8>) -> tensor<17x8xf32> {
  %0 = stablehlo.convert %w : (tensor<16x8xi8>) -> tensor<16x8xf32>
  %1 = stablehlo.negate %0 : tensor<16x8xf32>
  %2 = stablehlo.dot_general %x, %1, contracting_dims = [1] x [0] : (tensor<17x16xf32>, tensor<16x8xf32>) -> tensor<17x8xf32>
  return %2 : tensor<17x8xf32>
}

// -----
// Twice is often enough for an exponential not to be taken, and no hindrance for a sum.
// CHECK-LABEL: @twice
// CHECK: "pyg.nest"(%w
// CHECK: "pyg.fused"
// CHECK: }) {name = "add_contract", rows = 1 : i64}
// REMARK: refusal: contract: what makes operand 1 is not done in its launch: with 16 rows on the other side, its elements would be computed 2 times
func.func @twice(%x: tensor<16x16xf32>, %w: tensor<16x8xf32>, %u: tensor<16x8xi8>) -> (tensor<16x8xf32>, tensor<16x8xf32>) {
  %0 = stablehlo.exponential %w : tensor<16x8xf32>
  %1 = stablehlo.dot_general %x, %0, contracting_dims = [1] x [0] : (tensor<16x16xf32>, tensor<16x8xf32>) -> tensor<16x8xf32>
  %2 = stablehlo.convert %u : (tensor<16x8xi8>) -> tensor<16x8xf32>
  %3 = stablehlo.add %2, %2 : tensor<16x8xf32>
  %4 = stablehlo.dot_general %x, %3, contracting_dims = [1] x [0] : (tensor<16x16xf32>, tensor<16x8xf32>) -> tensor<16x8xf32>
  return %1, %4 : tensor<16x8xf32>, tensor<16x8xf32>
}

// -----
// What something else reads too, what folds, and what goes on with what another nest folded stay apart, silently.
// CHECK-LABEL: @others
// CHECK-NOT: _contract"
// REMARK-NOT: refusal: contract: what makes
func.func @others(%x: tensor<4x16xf32>, %w: tensor<16x8xf32>) -> (tensor<4x8xf32>, tensor<16x8xf32>, tensor<4x8xf32>) {
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %0 = stablehlo.abs %w : tensor<16x8xf32>
  %1 = stablehlo.dot_general %x, %0, contracting_dims = [1] x [0] : (tensor<4x16xf32>, tensor<16x8xf32>) -> tensor<4x8xf32>
  %2 = stablehlo.reduce(%x init: %zero) applies stablehlo.add across dimensions = [1] : (tensor<4x16xf32>, tensor<f32>) -> tensor<4xf32>
  %3 = stablehlo.broadcast_in_dim %2, dims = [0] : (tensor<4xf32>) -> tensor<4x16xf32>
  %4 = stablehlo.divide %x, %3 : tensor<4x16xf32>
  %5 = stablehlo.dot_general %4, %w, contracting_dims = [1] x [0] : (tensor<4x16xf32>, tensor<16x8xf32>) -> tensor<4x8xf32>
  return %1, %0, %5 : tensor<4x8xf32>, tensor<16x8xf32>, tensor<4x8xf32>
}

// -----
// A nest before an effect does not move past it.
// CHECK-LABEL: @effect
// CHECK: "pyg.nest"(%w
// CHECK: "check_equal"
// CHECK: "pyg.kernel"
// CHECK-NOT: pyg.fused
func.func @effect(%x: tensor<4x16xf32>, %w: tensor<16x8xf32>) -> tensor<4x8xf32> {
  %0 = stablehlo.abs %w : tensor<16x8xf32>
  check.expect_eq %x, %x : tensor<4x16xf32>
  %1 = stablehlo.dot_general %x, %0, contracting_dims = [1] x [0] : (tensor<4x16xf32>, tensor<16x8xf32>) -> tensor<4x8xf32>
  return %1 : tensor<4x8xf32>
}
