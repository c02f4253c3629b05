// What changes from step to step is in one block: values of `host` arguments, then addresses of `step` arguments and of results.
// RUN: %pygraph-opt %s --lower-to-launches --form-segments --plan-memory --write-blocks --split-input-file | FileCheck %s
// RUN: %pygraph-opt %s --lower-to-launches --form-segments --plan-memory --write-blocks --split-input-file > %t.blocks
// It reads back as it is, and no block is written twice.
// RUN: %pygraph-opt %t.blocks --write-blocks --split-input-file | diff %t.blocks -
// RUN: %pygraph-opt %s --lower-to-launches --form-segments --plan-memory --write-blocks --split-input-file --remarks 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// CHECK: pyg.param_block
// CHECK-SAME: bytes = 32 : i64
// CHECK-SAME: {argument = 2 : i64, kind = "value", name = "pos", offset = 0 : i64, type = tensor<i32>}
// CHECK-SAME: {argument = 1 : i64, kind = "address", name = "row", offset = 8 : i64, type = tensor<1x4xf32>}
// CHECK-SAME: {argument = 4 : i64, kind = "address", name = "arg4", offset = 16 : i64, type = tensor<8x4xf32>}
// CHECK-SAME: {kind = "address", name = "out1", offset = 24 : i64, result = 1 : i64, type = tensor<8x4xf32>}
// CHECK-SAME: sym_name = "main_s0"
// CHECK-LABEL: @main
// CHECK: "pyg.block.write"(%pos, %row, %arg4)
// CHECK-SAME: block = @main_s0
// CHECK: "pyg.segment"
// CHECK-DAG: %[[POS:.*]] = "pyg.block.field"() {block = @main_s0, field = "pos"
// CHECK-DAG: %[[ROW:.*]] = "pyg.block.field"() {block = @main_s0, field = "row"
// CHECK: "pyg.kernel"(%k, %[[ROW]], %[[POS]], %{{.*}}places = ["argument 0"]
// The weight and the state have addresses that stay.
// CHECK: "pyg.nest"(%{{.*}}, %w
// CHECK: {block = @main_s0, sym_name = "s0"}
// REMARK: write-blocks.mlir:[[@LINE+1]]:1: remark: parameter block @main_s0 has 32 bytes: pos : i32 at 0, row : address at 8, arg4 : address at 16, out1 : address at 24
func.func @main(
    %k: tensor<8x4xf32> {pyg.bind = "state", pyg.updated_by = 0 : i64},
    %row: tensor<1x4xf32> {pyg.bind = "step", pyg.name = "row"},
    %pos: tensor<i32> {pyg.bind = "host", pyg.name = "pos"},
    %w: tensor<8x4xf32> {pyg.bind = "once"},
    %arg4: tensor<8x4xf32> {pyg.bind = "step"}) -> (tensor<8x4xf32>, tensor<8x4xf32>) {
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %new = stablehlo.dynamic_update_slice %k, %row, %pos, %zero : (tensor<8x4xf32>, tensor<1x4xf32>, tensor<i32>, tensor<i32>) -> tensor<8x4xf32>
  %sum = stablehlo.add %new, %w : tensor<8x4xf32>
  %out = stablehlo.multiply %sum, %arg4 : tensor<8x4xf32>
  return %new, %out : tensor<8x4xf32>, tensor<8x4xf32>
}

// -----
// A value of more than eight bytes is aligned to 16; one name for two things is made two.
// CHECK: {argument = 0 : i64, kind = "value", name = "x", offset = 0 : i64, type = tensor<i32>}
// CHECK-SAME: {argument = 1 : i64, kind = "value", name = "lengths", offset = 16 : i64, type = tensor<4xi32>}
// CHECK-SAME: {kind = "address", name = "x.2", offset = 32 : i64, result = 0 : i64, type = tensor<4xi32>}
func.func @main(%x: tensor<i32> {pyg.bind = "host", pyg.name = "x"}, %lengths: tensor<4xi32> {pyg.bind = "host", pyg.name = "lengths"})
    -> (tensor<4xi32> {pyg.name = "x"}) {
  %0 = stablehlo.broadcast_in_dim %x, dims = [] : (tensor<i32>) -> tensor<4xi32>
  %1 = stablehlo.add %0, %lengths : tensor<4xi32>
  return %1 : tensor<4xi32>
}

// -----
// Nothing changes, and there is no block.
// CHECK-NOT: pyg.param_block
func.func @main(%w: tensor<4xf32> {pyg.bind = "once"}, %s: tensor<4xf32> {pyg.bind = "state", pyg.updated_by = 0 : i64}) -> tensor<4xf32> {
  %0 = stablehlo.add %w, %s : tensor<4xf32>
  return %0 : tensor<4xf32>
}
