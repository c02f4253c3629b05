// RUN: %pygraph-opt %s --split-input-file --pipeline=find-caches | FileCheck %s
// RUN: %pygraph-opt %s --split-input-file --pipeline=find-caches --remarks 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK
// JAX's scan over layers.
// RUN: %pygraph-opt %models/stablehlo/small/llama_decode_scan.mlir --remarks 2>&1 >/dev/null | FileCheck %s --check-prefix=SCAN
// SCAN: rescue: state `arg12` of @main: the loop reads each of its 2 layers before it writes it, and writes each once: it carries the state itself, and no second one
// SCAN: rescue: state `arg13` of @main: the loop reads each of its 2 layers

// Every layer is read, then written, once.
// CHECK-LABEL: @in_place
// CHECK-NOT: dense<0.000000e+00>
// CHECK: stablehlo.while({{.*}}, %[[C:.*]] = %s)
// CHECK: stablehlo.dynamic_slice %[[C]], %
// CHECK: stablehlo.dynamic_update_slice %[[C]], %
// REMARK: rescue: state `s` of @in_place: the loop reads each of its 3 layers before it writes it
// REMARK: refusal: state `s` of @in_place: it is no cache, since it holds several layers in one tensor, and an arena takes one layer an argument; give every layer
func.func @in_place(%s: tensor<3x2xf32> {pyg.bind = "state", pyg.name = "s", pyg.updated_by = 0 : i64}) -> tensor<3x2xf32> {
  %zeros = stablehlo.constant dense<0.0> : tensor<3x2xf32>
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %one = stablehlo.constant dense<1> : tensor<i32>
  %end = stablehlo.constant dense<3> : tensor<i32>
  %last = stablehlo.constant dense<2> : tensor<i32>
  %start = stablehlo.constant dense<0> : tensor<i32>
  %r:2 = stablehlo.while(%i = %start, %c = %zeros) : tensor<i32>, tensor<3x2xf32>
  cond {
    %p = stablehlo.compare LT, %i, %end, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %p : tensor<i1>
  } do {
    %back = stablehlo.subtract %last, %i : tensor<i32>
    %before = stablehlo.subtract %i, %one : tensor<i32>
    %row = stablehlo.dynamic_slice %s, %i, %zero, sizes = [1, 2] : (tensor<3x2xf32>, tensor<i32>, tensor<i32>) -> tensor<1x2xf32>
    %new = stablehlo.add %row, %row : tensor<1x2xf32>
    %next = stablehlo.dynamic_update_slice %c, %new, %i, %zero : (tensor<3x2xf32>, tensor<1x2xf32>, tensor<i32>, tensor<i32>) -> tensor<3x2xf32>
    %j = stablehlo.add %i, %one : tensor<i32>
    stablehlo.return %j, %next : tensor<i32>, tensor<3x2xf32>
  }
  return %r#1 : tensor<3x2xf32>
}

// -----

// The first layer stays zeros.
// CHECK-LABEL: @first_skipped
// CHECK: stablehlo.while({{.*}} = %zeros)
// CHECK: stablehlo.dynamic_slice %s
// REMARK: refusal: state `s` of @first_skipped: it is no cache, since it is replaced by a loop, and it does not count 0, 1, … up to a constant; loop over all layers in order, read each of the state before its new value is written, and nothing else of either; until then the state is copied each step
func.func @first_skipped(%s: tensor<3x2xf32> {pyg.bind = "state", pyg.name = "s", pyg.updated_by = 0 : i64}) -> tensor<3x2xf32> {
  %zeros = stablehlo.constant dense<0.0> : tensor<3x2xf32>
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %one = stablehlo.constant dense<1> : tensor<i32>
  %end = stablehlo.constant dense<3> : tensor<i32>
  %last = stablehlo.constant dense<2> : tensor<i32>
  %start = stablehlo.constant dense<1> : tensor<i32>
  %r:2 = stablehlo.while(%i = %start, %c = %zeros) : tensor<i32>, tensor<3x2xf32>
  cond {
    %p = stablehlo.compare LT, %i, %end, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %p : tensor<i1>
  } do {
    %back = stablehlo.subtract %last, %i : tensor<i32>
    %before = stablehlo.subtract %i, %one : tensor<i32>
    %row = stablehlo.dynamic_slice %s, %i, %zero, sizes = [1, 2] : (tensor<3x2xf32>, tensor<i32>, tensor<i32>) -> tensor<1x2xf32>
    %new = stablehlo.add %row, %row : tensor<1x2xf32>
    %next = stablehlo.dynamic_update_slice %c, %new, %i, %zero : (tensor<3x2xf32>, tensor<1x2xf32>, tensor<i32>, tensor<i32>) -> tensor<3x2xf32>
    %j = stablehlo.add %i, %one : tensor<i32>
    stablehlo.return %j, %next : tensor<i32>, tensor<3x2xf32>
  }
  return %r#1 : tensor<3x2xf32>
}

// -----

// Every second layer is skipped.
// CHECK-LABEL: @every_second
// CHECK: stablehlo.while({{.*}} = %zeros)
// CHECK: stablehlo.dynamic_slice %s
// REMARK: refusal: state `s` of @every_second: it is no cache, since it is replaced by a loop, and it does not count 0, 1, … up to a constant
func.func @every_second(%s: tensor<3x2xf32> {pyg.bind = "state", pyg.name = "s", pyg.updated_by = 0 : i64}) -> tensor<3x2xf32> {
  %zeros = stablehlo.constant dense<0.0> : tensor<3x2xf32>
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %one = stablehlo.constant dense<2> : tensor<i32>
  %end = stablehlo.constant dense<3> : tensor<i32>
  %last = stablehlo.constant dense<2> : tensor<i32>
  %start = stablehlo.constant dense<0> : tensor<i32>
  %r:2 = stablehlo.while(%i = %start, %c = %zeros) : tensor<i32>, tensor<3x2xf32>
  cond {
    %p = stablehlo.compare LT, %i, %end, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %p : tensor<i1>
  } do {
    %back = stablehlo.subtract %last, %i : tensor<i32>
    %before = stablehlo.subtract %i, %one : tensor<i32>
    %row = stablehlo.dynamic_slice %s, %i, %zero, sizes = [1, 2] : (tensor<3x2xf32>, tensor<i32>, tensor<i32>) -> tensor<1x2xf32>
    %new = stablehlo.add %row, %row : tensor<1x2xf32>
    %next = stablehlo.dynamic_update_slice %c, %new, %i, %zero : (tensor<3x2xf32>, tensor<1x2xf32>, tensor<i32>, tensor<i32>) -> tensor<3x2xf32>
    %j = stablehlo.add %i, %one : tensor<i32>
    stablehlo.return %j, %next : tensor<i32>, tensor<3x2xf32>
  }
  return %r#1 : tensor<3x2xf32>
}

// -----

// One iteration more writes the last layer twice.
// CHECK-LABEL: @last_too
// CHECK: stablehlo.while({{.*}} = %zeros)
// CHECK: stablehlo.dynamic_slice %s
// REMARK: refusal: state `s` of @last_too: it is no cache, since it is replaced by a loop, and it counts to 4, but there are 3 layers
func.func @last_too(%s: tensor<3x2xf32> {pyg.bind = "state", pyg.name = "s", pyg.updated_by = 0 : i64}) -> tensor<3x2xf32> {
  %zeros = stablehlo.constant dense<0.0> : tensor<3x2xf32>
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %one = stablehlo.constant dense<1> : tensor<i32>
  %end = stablehlo.constant dense<4> : tensor<i32>
  %last = stablehlo.constant dense<2> : tensor<i32>
  %start = stablehlo.constant dense<0> : tensor<i32>
  %r:2 = stablehlo.while(%i = %start, %c = %zeros) : tensor<i32>, tensor<3x2xf32>
  cond {
    %p = stablehlo.compare LT, %i, %end, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %p : tensor<i1>
  } do {
    %back = stablehlo.subtract %last, %i : tensor<i32>
    %before = stablehlo.subtract %i, %one : tensor<i32>
    %row = stablehlo.dynamic_slice %s, %i, %zero, sizes = [1, 2] : (tensor<3x2xf32>, tensor<i32>, tensor<i32>) -> tensor<1x2xf32>
    %new = stablehlo.add %row, %row : tensor<1x2xf32>
    %next = stablehlo.dynamic_update_slice %c, %new, %i, %zero : (tensor<3x2xf32>, tensor<1x2xf32>, tensor<i32>, tensor<i32>) -> tensor<3x2xf32>
    %j = stablehlo.add %i, %one : tensor<i32>
    stablehlo.return %j, %next : tensor<i32>, tensor<3x2xf32>
  }
  return %r#1 : tensor<3x2xf32>
}

// -----

// Zeros stay in the last layer.
// CHECK-LABEL: @zeros_stay
// CHECK: stablehlo.while({{.*}} = %zeros)
// CHECK: stablehlo.dynamic_slice %s
// REMARK: refusal: state `s` of @zeros_stay: it is no cache, since it is replaced by a loop, and it counts to 2, but there are 3 layers
func.func @zeros_stay(%s: tensor<3x2xf32> {pyg.bind = "state", pyg.name = "s", pyg.updated_by = 0 : i64}) -> tensor<3x2xf32> {
  %zeros = stablehlo.constant dense<0.0> : tensor<3x2xf32>
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %one = stablehlo.constant dense<1> : tensor<i32>
  %end = stablehlo.constant dense<2> : tensor<i32>
  %last = stablehlo.constant dense<2> : tensor<i32>
  %start = stablehlo.constant dense<0> : tensor<i32>
  %r:2 = stablehlo.while(%i = %start, %c = %zeros) : tensor<i32>, tensor<3x2xf32>
  cond {
    %p = stablehlo.compare LT, %i, %end, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %p : tensor<i1>
  } do {
    %back = stablehlo.subtract %last, %i : tensor<i32>
    %before = stablehlo.subtract %i, %one : tensor<i32>
    %row = stablehlo.dynamic_slice %s, %i, %zero, sizes = [1, 2] : (tensor<3x2xf32>, tensor<i32>, tensor<i32>) -> tensor<1x2xf32>
    %new = stablehlo.add %row, %row : tensor<1x2xf32>
    %next = stablehlo.dynamic_update_slice %c, %new, %i, %zero : (tensor<3x2xf32>, tensor<1x2xf32>, tensor<i32>, tensor<i32>) -> tensor<3x2xf32>
    %j = stablehlo.add %i, %one : tensor<i32>
    stablehlo.return %j, %next : tensor<i32>, tensor<3x2xf32>
  }
  return %r#1 : tensor<3x2xf32>
}

// -----

// The layer before was written already.
// CHECK-LABEL: @read_after
// CHECK: stablehlo.while({{.*}} = %zeros)
// CHECK: stablehlo.dynamic_slice %s
// REMARK: refusal: state `s` of @read_after: it is no cache, since it is replaced by a loop, and its old value is read by `stablehlo.dynamic_slice`
func.func @read_after(%s: tensor<3x2xf32> {pyg.bind = "state", pyg.name = "s", pyg.updated_by = 0 : i64}) -> tensor<3x2xf32> {
  %zeros = stablehlo.constant dense<0.0> : tensor<3x2xf32>
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %one = stablehlo.constant dense<1> : tensor<i32>
  %end = stablehlo.constant dense<3> : tensor<i32>
  %last = stablehlo.constant dense<2> : tensor<i32>
  %start = stablehlo.constant dense<0> : tensor<i32>
  %r:2 = stablehlo.while(%i = %start, %c = %zeros) : tensor<i32>, tensor<3x2xf32>
  cond {
    %p = stablehlo.compare LT, %i, %end, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %p : tensor<i1>
  } do {
    %back = stablehlo.subtract %last, %i : tensor<i32>
    %before = stablehlo.subtract %i, %one : tensor<i32>
    %row = stablehlo.dynamic_slice %s, %before, %zero, sizes = [1, 2] : (tensor<3x2xf32>, tensor<i32>, tensor<i32>) -> tensor<1x2xf32>
    %new = stablehlo.add %row, %row : tensor<1x2xf32>
    %next = stablehlo.dynamic_update_slice %c, %new, %i, %zero : (tensor<3x2xf32>, tensor<1x2xf32>, tensor<i32>, tensor<i32>) -> tensor<3x2xf32>
    %j = stablehlo.add %i, %one : tensor<i32>
    stablehlo.return %j, %next : tensor<i32>, tensor<3x2xf32>
  }
  return %r#1 : tensor<3x2xf32>
}

// -----

// Written from the last to the first.
// CHECK-LABEL: @backwards
// CHECK: stablehlo.while({{.*}} = %zeros)
// CHECK: stablehlo.dynamic_slice %s
// REMARK: refusal: state `s` of @backwards: it is no cache, since it is replaced by a loop, and what is written in an iteration is not the layer that it counts
func.func @backwards(%s: tensor<3x2xf32> {pyg.bind = "state", pyg.name = "s", pyg.updated_by = 0 : i64}) -> tensor<3x2xf32> {
  %zeros = stablehlo.constant dense<0.0> : tensor<3x2xf32>
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %one = stablehlo.constant dense<1> : tensor<i32>
  %end = stablehlo.constant dense<3> : tensor<i32>
  %last = stablehlo.constant dense<2> : tensor<i32>
  %start = stablehlo.constant dense<0> : tensor<i32>
  %r:2 = stablehlo.while(%i = %start, %c = %zeros) : tensor<i32>, tensor<3x2xf32>
  cond {
    %p = stablehlo.compare LT, %i, %end, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %p : tensor<i1>
  } do {
    %back = stablehlo.subtract %last, %i : tensor<i32>
    %before = stablehlo.subtract %i, %one : tensor<i32>
    %row = stablehlo.dynamic_slice %s, %i, %zero, sizes = [1, 2] : (tensor<3x2xf32>, tensor<i32>, tensor<i32>) -> tensor<1x2xf32>
    %new = stablehlo.add %row, %row : tensor<1x2xf32>
    %next = stablehlo.dynamic_update_slice %c, %new, %back, %zero : (tensor<3x2xf32>, tensor<1x2xf32>, tensor<i32>, tensor<i32>) -> tensor<3x2xf32>
    %j = stablehlo.add %i, %one : tensor<i32>
    stablehlo.return %j, %next : tensor<i32>, tensor<3x2xf32>
  }
  return %r#1 : tensor<3x2xf32>
}

// -----

// Read from the last to the first.
// CHECK-LABEL: @read_backwards
// CHECK: stablehlo.while({{.*}} = %zeros)
// CHECK: stablehlo.dynamic_slice %s
// REMARK: refusal: state `s` of @read_backwards: it is no cache, since it is replaced by a loop, and its old value is read by `stablehlo.dynamic_slice`
func.func @read_backwards(%s: tensor<3x2xf32> {pyg.bind = "state", pyg.name = "s", pyg.updated_by = 0 : i64}) -> tensor<3x2xf32> {
  %zeros = stablehlo.constant dense<0.0> : tensor<3x2xf32>
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %one = stablehlo.constant dense<1> : tensor<i32>
  %end = stablehlo.constant dense<3> : tensor<i32>
  %last = stablehlo.constant dense<2> : tensor<i32>
  %start = stablehlo.constant dense<0> : tensor<i32>
  %r:2 = stablehlo.while(%i = %start, %c = %zeros) : tensor<i32>, tensor<3x2xf32>
  cond {
    %p = stablehlo.compare LT, %i, %end, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %p : tensor<i1>
  } do {
    %back = stablehlo.subtract %last, %i : tensor<i32>
    %before = stablehlo.subtract %i, %one : tensor<i32>
    %row = stablehlo.dynamic_slice %s, %back, %zero, sizes = [1, 2] : (tensor<3x2xf32>, tensor<i32>, tensor<i32>) -> tensor<1x2xf32>
    %new = stablehlo.add %row, %row : tensor<1x2xf32>
    %next = stablehlo.dynamic_update_slice %c, %new, %i, %zero : (tensor<3x2xf32>, tensor<1x2xf32>, tensor<i32>, tensor<i32>) -> tensor<3x2xf32>
    %j = stablehlo.add %i, %one : tensor<i32>
    stablehlo.return %j, %next : tensor<i32>, tensor<3x2xf32>
  }
  return %r#1 : tensor<3x2xf32>
}

// -----

// One more than it looks like.
// CHECK-LABEL: @up_to_and_with
// CHECK: stablehlo.while({{.*}} = %zeros)
// CHECK: stablehlo.dynamic_slice %s
// REMARK: refusal: state `s` of @up_to_and_with: it is no cache, since it is replaced by a loop, and it does not count 0, 1, … up to a constant
func.func @up_to_and_with(%s: tensor<3x2xf32> {pyg.bind = "state", pyg.name = "s", pyg.updated_by = 0 : i64}) -> tensor<3x2xf32> {
  %zeros = stablehlo.constant dense<0.0> : tensor<3x2xf32>
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %one = stablehlo.constant dense<1> : tensor<i32>
  %end = stablehlo.constant dense<2> : tensor<i32>
  %last = stablehlo.constant dense<2> : tensor<i32>
  %start = stablehlo.constant dense<0> : tensor<i32>
  %r:2 = stablehlo.while(%i = %start, %c = %zeros) : tensor<i32>, tensor<3x2xf32>
  cond {
    %p = stablehlo.compare LE, %i, %end, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %p : tensor<i1>
  } do {
    %back = stablehlo.subtract %last, %i : tensor<i32>
    %before = stablehlo.subtract %i, %one : tensor<i32>
    %row = stablehlo.dynamic_slice %s, %i, %zero, sizes = [1, 2] : (tensor<3x2xf32>, tensor<i32>, tensor<i32>) -> tensor<1x2xf32>
    %new = stablehlo.add %row, %row : tensor<1x2xf32>
    %next = stablehlo.dynamic_update_slice %c, %new, %i, %zero : (tensor<3x2xf32>, tensor<1x2xf32>, tensor<i32>, tensor<i32>) -> tensor<3x2xf32>
    %j = stablehlo.add %i, %one : tensor<i32>
    stablehlo.return %j, %next : tensor<i32>, tensor<3x2xf32>
  }
  return %r#1 : tensor<3x2xf32>
}

// -----

// Zeros are read.
// CHECK-LABEL: @zeros_read
// CHECK: stablehlo.while({{.*}} = %zeros)
// REMARK: refusal: state `s` of @zeros_read: it is no cache, since it is replaced by a loop, and what it carries is read before all of it is written
func.func @zeros_read(%s: tensor<3x2xf32> {pyg.bind = "state", pyg.name = "s", pyg.updated_by = 0 : i64}) -> tensor<3x2xf32> {
  %zeros = stablehlo.constant dense<0.0> : tensor<3x2xf32>
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %one = stablehlo.constant dense<1> : tensor<i32>
  %end = stablehlo.constant dense<3> : tensor<i32>
  %last = stablehlo.constant dense<2> : tensor<i32>
  %start = stablehlo.constant dense<0> : tensor<i32>
  %r:2 = stablehlo.while(%i = %start, %c = %zeros) : tensor<i32>, tensor<3x2xf32>
  cond {
    %p = stablehlo.compare LT, %i, %end, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %p : tensor<i1>
  } do {
    %back = stablehlo.subtract %last, %i : tensor<i32>
    %before = stablehlo.subtract %i, %one : tensor<i32>
    %row = stablehlo.dynamic_slice %c, %i, %zero, sizes = [1, 2] : (tensor<3x2xf32>, tensor<i32>, tensor<i32>) -> tensor<1x2xf32>
    %new = stablehlo.add %row, %row : tensor<1x2xf32>
    %next = stablehlo.dynamic_update_slice %c, %new, %i, %zero : (tensor<3x2xf32>, tensor<1x2xf32>, tensor<i32>, tensor<i32>) -> tensor<3x2xf32>
    %j = stablehlo.add %i, %one : tensor<i32>
    stablehlo.return %j, %next : tensor<i32>, tensor<3x2xf32>
  }
  return %r#1 : tensor<3x2xf32>
}

// -----

// What is carried is written whole.
// CHECK-LABEL: @whole
// CHECK: stablehlo.while({{.*}} = %zeros)
// CHECK: stablehlo.add {{.*}}, %s
// REMARK: refusal: state `s` of @whole: it is no cache, since it is replaced by a loop, and what it carries is not written a layer at a time
func.func @whole(%s: tensor<3x2xf32> {pyg.bind = "state", pyg.name = "s", pyg.updated_by = 0 : i64}) -> tensor<3x2xf32> {
  %zeros = stablehlo.constant dense<0.0> : tensor<3x2xf32>
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %one = stablehlo.constant dense<1> : tensor<i32>
  %end = stablehlo.constant dense<3> : tensor<i32>
  %last = stablehlo.constant dense<2> : tensor<i32>
  %start = stablehlo.constant dense<0> : tensor<i32>
  %r:2 = stablehlo.while(%i = %start, %c = %zeros) : tensor<i32>, tensor<3x2xf32>
  cond {
    %p = stablehlo.compare LT, %i, %end, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %p : tensor<i1>
  } do {
    %back = stablehlo.subtract %last, %i : tensor<i32>
    %before = stablehlo.subtract %i, %one : tensor<i32>
    %next = stablehlo.add %c, %s : tensor<3x2xf32>
    %j = stablehlo.add %i, %one : tensor<i32>
    stablehlo.return %j, %next : tensor<i32>, tensor<3x2xf32>
  }
  return %r#1 : tensor<3x2xf32>
}
