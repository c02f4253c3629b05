// RUN: %pygraph-opt %s --lower-to-launches --form-segments --plan-memory --split-input-file | FileCheck %s
// RUN: %pygraph-opt %s --lower-to-launches --form-segments --plan-memory --split-input-file > %t.plan
// A plan reads back as it is, and is not planned again.
// RUN: %pygraph-opt %t.plan --pipeline= --split-input-file | diff %t.plan -
// RUN: %pygraph-opt %t.plan --plan-memory --split-input-file | diff %t.plan -

// A tensor that nobody reads any more gives its bytes to the next: three products, two buffers.
// CHECK-LABEL: @chain
// CHECK-SAME: pyg.arena_bytes = 128
// CHECK-COUNT-3: kernel = "contract", offsets = array<i64: {{0|64}}>
func.func @chain(%a: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %0 = stablehlo.dot_general %a, %a, contracting_dims = [1] x [0] : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %1 = stablehlo.dot_general %0, %a, contracting_dims = [1] x [0] : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %2 = stablehlo.dot_general %1, %a, contracting_dims = [1] x [0] : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  return %2 : tensor<4x4xf32>
}

// -----
// A nest writes over an input that ends there and is walked alike, but not over one that is still read.
// CHECK-LABEL: @in_place
// CHECK-SAME: pyg.arena_bytes = 128
// CHECK: %[[A:.*]] = "pyg.nest"(%x
// CHECK: offsets = array<i64: 0>
// CHECK: %[[B:.*]] = "pyg.nest"(%[[A]], %{{.*}}) ({
// CHECK: scalar.exp
// CHECK: offsets = array<i64: 64>
// CHECK: "pyg.nest"(%[[A]], %[[B]], %[[A]]) ({
// CHECK: offsets = array<i64: 0>
func.func @in_place(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = stablehlo.negate %x : tensor<4xf32>
  %1 = stablehlo.exponential %0 : tensor<4xf32>
  %2 = stablehlo.add %0, %1 : tensor<4xf32>
  return %2 : tensor<4xf32>
}

// -----
// Results that are arguments, constants or each other are copies with places of their own.
// CHECK-LABEL: @results
// CHECK-SAME: pyg.arena_bytes = 256
// CHECK-DAG: "pyg.nest"(%x, %{{.*}})
// CHECK-DAG: offsets = array<i64: 0>
// CHECK-DAG: offsets = array<i64: 64>
// CHECK-DAG: offsets = array<i64: 128>
// CHECK-DAG: offsets = array<i64: 192>
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
// CHECK: offsets = array<i64: [[COUNT:[0-9]+]]>
// CHECK: %[[ASIDE_V:.*]] = "pyg.nest"(%[[V2]],
// CHECK: %[[ASIDE_U:.*]] = "pyg.nest"(%[[U2]],
// CHECK: %[[TO_U:.*]] = "pyg.nest"(%[[ASIDE_V]],
// CHECK: offsets = array<i64: [[FIRST:[0-9]+]]>
// CHECK: %[[TO_V:.*]] = "pyg.nest"(%[[ASIDE_U]],
// CHECK: offsets = array<i64: [[SECOND:[0-9]+]]>
// CHECK: pyg.yield %[[NEXT]], %[[TO_U]], %[[TO_V]]
// CHECK-NEXT: }) {offsets = array<i64: [[COUNT]], [[FIRST]], [[SECOND]]>}
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
// CHECK: offsets = array<i64: [[PLACE:[0-9]+]]>
// CHECK: "pyg.nest"(%x
// CHECK-NEXT: ^bb0(%[[E:.*]]: f32):
// CHECK-NEXT: scalar.yield %[[E]]
// CHECK: offsets = array<i64: [[PLACE]]>
// CHECK: }) {offsets = array<i64: [[PLACE]]>}
func.func @choice(%p: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = "stablehlo.if"(%p) ({
    %1 = stablehlo.negate %x : tensor<4xf32>
    stablehlo.return %1 : tensor<4xf32>
  }, {
    stablehlo.return %x : tensor<4xf32>
  }) : (tensor<i1>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
