// RUN: %pygraph-opt %s --lower-to-launches --form-segments --plan-memory --split-input-file | FileCheck %s
// RUN: %pygraph-opt %s --lower-to-launches --form-segments --plan-memory --split-input-file > %t.plan
// RUN: %pygraph-opt %s --lower-to-launches --form-segments --plan-memory --split-input-file --remarks 2>&1 >/dev/null | FileCheck %s --check-prefix=COPY
// A plan reads back as it is, and is not planned again.
// RUN: %pygraph-opt %t.plan --pipeline= --split-input-file | diff %t.plan -
// RUN: %pygraph-opt %t.plan --plan-memory --split-input-file | diff %t.plan -

// A tensor that nobody reads any more gives its bytes to the next: four products, two buffers, and the buffer of the result.
// CHECK-LABEL: @chain
// CHECK-SAME: pyg.arena_bytes = 128
// CHECK-COUNT-3: kernel = "contract", places = ["arena {{0|64}}"]
// CHECK: kernel = "contract", places = ["result 0"]
func.func @chain(%a: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %0 = stablehlo.dot_general %a, %a, contracting_dims = [1] x [0] : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %1 = stablehlo.dot_general %0, %a, contracting_dims = [1] x [0] : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %2 = stablehlo.dot_general %1, %a, contracting_dims = [1] x [0] : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %3 = stablehlo.dot_general %2, %a, contracting_dims = [1] x [0] : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  return %3 : tensor<4x4xf32>
}

// -----
// A nest writes over an input that ends there and is walked alike, but not over one that is still read.
// CHECK-LABEL: @in_place
// CHECK-SAME: pyg.arena_bytes = 64
// CHECK: %[[A:.*]] = "pyg.nest"(%x
// CHECK: places = ["result 0"]
// CHECK: %[[B:.*]] = "pyg.nest"(%[[A]], %{{.*}}) ({
// CHECK: scalar.exp
// CHECK: places = ["arena 0"]
// CHECK: "pyg.nest"(%[[A]], %[[B]], %[[A]]) ({
// CHECK: places = ["result 0"]
func.func @in_place(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = stablehlo.negate %x : tensor<4xf32>
  %1 = stablehlo.exponential %0 : tensor<4xf32>
  %2 = stablehlo.add %0, %1 : tensor<4xf32>
  return %2 : tensor<4xf32>
}

// -----
// Results that are arguments, constants or each other are copies with places of their own.
// CHECK-LABEL: @results
// CHECK-SAME: pyg.arena_bytes = 0
// CHECK-DAG: "pyg.nest"(%x, %{{.*}})
// CHECK-DAG: places = ["result 0"]
// CHECK-DAG: places = ["result 1"]
// CHECK-DAG: places = ["result 2"]
// CHECK-DAG: places = ["result 3"]
func.func @results(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %0 = stablehlo.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %1 = stablehlo.negate %x : tensor<4xf32>
  return %x, %0, %1, %1 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// -----
// What a loop carries stays in one place: the counter is counted up in place, and values that change places go through
// copies that are all made before the first place is written.
// CHECK-LABEL: @swap
// CHECK: %[[LOOP:.*]]:3 = "pyg.while"
// CHECK: ^bb0(%[[I:.*]]: tensor<i32>, %[[U:.*]]: tensor<4xf32>, %[[V:.*]]: tensor<4xf32>)
// CHECK: ^bb0(%[[I2:.*]]: tensor<i32>, %[[U2:.*]]: tensor<4xf32>, %[[V2:.*]]: tensor<4xf32>)
// CHECK: %[[NEXT:.*]] = "pyg.nest"(%[[I2]], %[[I2]])
// CHECK: places = ["[[COUNT:arena [0-9]+]]"]
// CHECK: %[[ASIDE_V:.*]] = "pyg.nest"(%[[V2]],
// CHECK: %[[ASIDE_U:.*]] = "pyg.nest"(%[[U2]],
// CHECK: %[[TO_U:.*]] = "pyg.nest"(%[[ASIDE_V]],
// CHECK: places = ["[[FIRST:result 0]]"]
// CHECK: %[[TO_V:.*]] = "pyg.nest"(%[[ASIDE_U]],
// CHECK: places = ["[[SECOND:result 1]]"]
// CHECK: pyg.yield %[[NEXT]], %[[TO_U]], %[[TO_V]]
// CHECK-NEXT: }) {places = ["[[COUNT]]", "[[FIRST]]", "[[SECOND]]"]}
func.func @swap(%a: tensor<4xf32>, %b: tensor<4xf32>, %n: tensor<i32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %one = stablehlo.constant dense<1> : tensor<i32>
  %0:3 = stablehlo.while(%i = %zero, %u = %a, %v = %b) : tensor<i32>, tensor<4xf32>, tensor<4xf32>
    cond {
      %c = stablehlo.compare LT, %i, %n : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %c : tensor<i1>
    } do {
      %j = stablehlo.add %i, %one : tensor<i32>
      stablehlo.return %j, %v, %u : tensor<i32>, tensor<4xf32>, tensor<4xf32>
    }
  return %0#1, %0#2 : tensor<4xf32>, tensor<4xf32>
}

// -----
// A branch makes its value where the choice's result lies; an argument is copied there.
// CHECK-LABEL: @choice
// CHECK: "pyg.switch"
// CHECK: scalar.neg
// CHECK: places = ["[[PLACE:result 0]]"]
// CHECK: "pyg.nest"(%x
// CHECK-NEXT: ^bb0(%[[E:.*]]: f32):
// CHECK-NEXT: scalar.yield %[[E]]
// CHECK: places = ["[[PLACE]]"]
// CHECK: }) {places = ["[[PLACE]]"]}
func.func @choice(%p: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = "stablehlo.if"(%p) ({
    %1 = stablehlo.negate %x : tensor<4xf32>
    stablehlo.return %1 : tensor<4xf32>
  }, {
    stablehlo.return %x : tensor<4xf32>
  }) : (tensor<i1>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----
// State is written where it lies once every reader of the old value is behind: here the sum is read before the update.
// CHECK-LABEL: @update
// CHECK: kernel = "dynamic_update_slice", places = ["argument 0"]
func.func @update(%k: tensor<8x4xf32> {pyg.updated_by = 1 : i64}, %row: tensor<1x4xf32>, %pos: tensor<i32>) -> (tensor<8x4xf32>, tensor<8x4xf32>) {
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %old = stablehlo.negate %k : tensor<8x4xf32>
  %new = stablehlo.dynamic_update_slice %k, %row, %pos, %zero : (tensor<8x4xf32>, tensor<1x4xf32>, tensor<i32>, tensor<i32>) -> tensor<8x4xf32>
  return %old, %new : tensor<8x4xf32>, tensor<8x4xf32>
}

// -----
// The old value is read after the update: the update is made elsewhere, and copied in the end, with a remark.
// CHECK-LABEL: @late_reader
// CHECK: kernel = "dynamic_update_slice", places = ["arena 0"]
// CHECK: places = ["result 0"]
// CHECK: "pyg.nest"(%{{.*}}, %k)
// CHECK: places = ["argument 0"]
// COPY: plan-memory.mlir:[[@LINE+4]]:{{.*}} remark: choice: argument 0: 128 bytes of state are copied each step: its new value is made while the old one is still needed; read the old value before it is updated, or update it at a position
func.func @late_reader(%k: tensor<8x4xf32> {pyg.updated_by = 1 : i64}, %row: tensor<1x4xf32>, %pos: tensor<i32>) -> (tensor<8x4xf32>, tensor<8x4xf32>) {
  %zero = stablehlo.constant dense<0> : tensor<i32>
  // The update is what makes the new value.
  %new = stablehlo.dynamic_update_slice %k, %row, %pos, %zero : (tensor<8x4xf32>, tensor<1x4xf32>, tensor<i32>, tensor<i32>) -> tensor<8x4xf32>
  %old = stablehlo.negate %k : tensor<8x4xf32>
  return %old, %new : tensor<8x4xf32>, tensor<8x4xf32>
}

// -----
// State whose value is made anew is made in its place after the last reader; state that is not changed stays.
// CHECK-LABEL: @anew
// CHECK-SAME: pyg.arena_bytes = 0
// CHECK: scalar.exp
// CHECK: places = ["argument 0"]
// CHECK-NEXT: pyg.yield %{{.*}}, %kept
func.func @anew(%k: tensor<4xf32> {pyg.updated_by = 0 : i64}, %kept: tensor<4xf32> {pyg.updated_by = 1 : i64}) -> (tensor<4xf32>, tensor<4xf32>) {
  %0 = stablehlo.exponential %k : tensor<4xf32>
  return %0, %kept : tensor<4xf32>, tensor<4xf32>
}

// -----
// Two states that change places are both put aside before either is written.
// CHECK-LABEL: @exchange
// CHECK: "pyg.nest"(%b, %{{.*}})
// CHECK: places = ["arena [[B:[0-9]+]]"]
// CHECK: "pyg.nest"(%a, %{{.*}})
// CHECK: places = ["arena [[A:[0-9]+]]"]
// CHECK: places = ["argument 0"]
// CHECK: places = ["argument 1"]
// COPY: remark: choice: argument 0: 16 bytes of state are copied each step: its new value is what another argument was, or is returned twice
func.func @exchange(%a: tensor<4xf32> {pyg.updated_by = 0 : i64}, %b: tensor<4xf32> {pyg.updated_by = 1 : i64}) -> (tensor<4xf32>, tensor<4xf32>) {
  return %b, %a : tensor<4xf32>, tensor<4xf32>
}

// -----
// A constant as the new value is copied.
// COPY: remark: choice: argument 0: 16 bytes of state are copied each step: its new value is a constant; leave it out of the results
func.func @reset(%a: tensor<4xf32> {pyg.updated_by = 0 : i64}) -> tensor<4xf32> {
  %0 = stablehlo.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  return %0 : tensor<4xf32>
}
