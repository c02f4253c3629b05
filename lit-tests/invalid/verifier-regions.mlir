// RUN: %pygraph-opt %s --pipeline= --split-input-file --verify-diagnostics

// Regions that the rules of operations refuse.

func.func @main(%a0: tensor<i1>) {
  // expected-error @below {{region `false_branch` of if gives (tensor<3xf32>), but should give (tensor<2xf32>)}}
  %0 = "stablehlo.if"(%a0) ({
    %c = stablehlo.constant dense<1.0> : tensor<2xf32>
    stablehlo.return %c : tensor<2xf32>
  }, {
    %c = stablehlo.constant dense<1.0> : tensor<3xf32>
    stablehlo.return %c : tensor<3xf32>
  }) : (tensor<i1>) -> tensor<2xf32>
  return
}

// -----

func.func @main(%a0: tensor<i32>) {
  // expected-error @below {{region `cond` of while gives (tensor<i32>), but should give (tensor<i1>)}}
  %0 = "stablehlo.while"(%a0) ({
  ^bb0(%x0: tensor<i32>):
    "stablehlo.return"(%x0) : (tensor<i32>) -> ()
  }, {
  ^bb0(%x0: tensor<i32>):
    "stablehlo.return"(%x0) : (tensor<i32>) -> ()
  }) : (tensor<i32>) -> tensor<i32>
  return
}

// -----

func.func @main(%a0: tensor<i32>) {
  // expected-error @below {{region `body` of while takes (tensor<i64>), but should take (tensor<i32>)}}
  %0 = "stablehlo.while"(%a0) ({
  ^bb0(%x0: tensor<i32>):
    %p = "stablehlo.compare"(%x0, %x0) {comparison_direction = #stablehlo<comparison_direction LT>} : (tensor<i32>, tensor<i32>) -> tensor<i1>
    "stablehlo.return"(%p) : (tensor<i1>) -> ()
  }, {
  ^bb0(%x0: tensor<i64>):
    "stablehlo.return"(%x0) : (tensor<i64>) -> ()
  }) : (tensor<i32>) -> tensor<i32>
  return
}

// -----

func.func @main(%a0: tensor<i32>) {
  // expected-error @below {{result 0 of stablehlo.while should be tensor<i32>, but is tensor<i64>}}
  %0 = "stablehlo.while"(%a0) ({
  ^bb0(%x0: tensor<i32>):
    %p = "stablehlo.compare"(%x0, %x0) {comparison_direction = #stablehlo<comparison_direction LT>} : (tensor<i32>, tensor<i32>) -> tensor<i1>
    "stablehlo.return"(%p) : (tensor<i1>) -> ()
  }, {
  ^bb0(%x0: tensor<i32>):
    "stablehlo.return"(%x0) : (tensor<i32>) -> ()
  }) : (tensor<i32>) -> tensor<i64>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<f32>) {
  // expected-error @below {{the body of reduce takes 1 arguments, but should take 2}}
  %0 = "stablehlo.reduce"(%a0, %a1) ({
  ^bb0(%x0: tensor<f32>):
    "stablehlo.return"(%x0) : (tensor<f32>) -> ()
  }) {dimensions = array<i64: 1>} : (tensor<2x3xf32>, tensor<f32>) -> tensor<2xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<f32>) {
  // expected-error @below {{argument 1 of the body of reduce should be tensor<f32>, but is tensor<i32>}}
  %0 = "stablehlo.reduce"(%a0, %a1) ({
  ^bb0(%x0: tensor<f32>, %x1: tensor<i32>):
    "stablehlo.return"(%x0) : (tensor<f32>) -> ()
  }) {dimensions = array<i64: 1>} : (tensor<2x3xf32>, tensor<f32>) -> tensor<2xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<f32>) {
  // expected-error @below {{the body of reduce gives 2 values, but should give 1}}
  %0 = "stablehlo.reduce"(%a0, %a1) ({
  ^bb0(%x0: tensor<f32>, %x1: tensor<f32>):
    "stablehlo.return"(%x0, %x1) : (tensor<f32>, tensor<f32>) -> ()
  }) {dimensions = array<i64: 1>} : (tensor<2x3xf32>, tensor<f32>) -> tensor<2xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<f32>) {
  // expected-error @below {{`dimensions` names dimension 2 of a tensor that has 2}}
  %0 = "stablehlo.reduce"(%a0, %a1) ({
  ^bb0(%x0: tensor<f32>, %x1: tensor<f32>):
    %s = "stablehlo.add"(%x0, %x1) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    "stablehlo.return"(%s) : (tensor<f32>) -> ()
  }) {dimensions = array<i64: 2>} : (tensor<2x3xf32>, tensor<f32>) -> tensor<2xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<f32>) {
  // expected-error @below {{result 0 of stablehlo.reduce should be tensor<2xf32>, but is tensor<3xf32>}}
  %0 = "stablehlo.reduce"(%a0, %a1) ({
  ^bb0(%x0: tensor<f32>, %x1: tensor<f32>):
    %s = "stablehlo.add"(%x0, %x1) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    "stablehlo.return"(%s) : (tensor<f32>) -> ()
  }) {dimensions = array<i64: 1>} : (tensor<2x3xf32>, tensor<f32>) -> tensor<3xf32>
  return
}

// -----

func.func @main(%a0: tensor<4x6xf32>, %a1: tensor<f32>) {
  // expected-error @below {{the window has extent 0 in dimension 1}}
  %0 = "stablehlo.reduce_window"(%a0, %a1) ({
  ^bb0(%x0: tensor<f32>, %x1: tensor<f32>):
    %s = "stablehlo.add"(%x0, %x1) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    "stablehlo.return"(%s) : (tensor<f32>) -> ()
  }) {window_dimensions = array<i64: 2, 0>} : (tensor<4x6xf32>, tensor<f32>) -> tensor<3x6xf32>
  return
}

// -----

func.func @main(%a0: tensor<4x6xf32>, %a1: tensor<f32>) {
  // expected-error @below {{`window_dimensions` has 1, but should have one for each of 2 dimensions}}
  %0 = "stablehlo.reduce_window"(%a0, %a1) ({
  ^bb0(%x0: tensor<f32>, %x1: tensor<f32>):
    %s = "stablehlo.add"(%x0, %x1) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    "stablehlo.return"(%s) : (tensor<f32>) -> ()
  }) {window_dimensions = array<i64: 2>} : (tensor<4x6xf32>, tensor<f32>) -> tensor<3x6xf32>
  return
}

// -----

func.func @main(%a0: tensor<4x6xf32>, %a1: tensor<f32>) {
  // expected-error @below {{result 0 of stablehlo.reduce_window should be tensor<3x5xf32>, but is tensor<4x6xf32>}}
  %0 = "stablehlo.reduce_window"(%a0, %a1) ({
  ^bb0(%x0: tensor<f32>, %x1: tensor<f32>):
    %s = "stablehlo.add"(%x0, %x1) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    "stablehlo.return"(%s) : (tensor<f32>) -> ()
  }) {window_dimensions = array<i64: 2, 2>} : (tensor<4x6xf32>, tensor<f32>) -> tensor<4x6xf32>
  return
}

// -----

func.func @main(%a0: tensor<4x6xf32>, %a1: tensor<2x2xf32>, %a2: tensor<f32>) {
  // expected-error @below {{select_and_scatter takes tensors of one shape, but has [2, 3] and [2, 2]}}
  %0 = "stablehlo.select_and_scatter"(%a0, %a1, %a2) ({
  ^bb0(%x0: tensor<f32>, %x1: tensor<f32>):
    %p = "stablehlo.compare"(%x0, %x1) {comparison_direction = #stablehlo<comparison_direction GE>} : (tensor<f32>, tensor<f32>) -> tensor<i1>
    "stablehlo.return"(%p) : (tensor<i1>) -> ()
  }, {
  ^bb0(%x0: tensor<f32>, %x1: tensor<f32>):
    %s = "stablehlo.add"(%x0, %x1) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    "stablehlo.return"(%s) : (tensor<f32>) -> ()
  }) {window_dimensions = array<i64: 2, 2>, window_strides = array<i64: 2, 2>} : (tensor<4x6xf32>, tensor<2x2xf32>, tensor<f32>) -> tensor<4x6xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{`dimension` names dimension 2 of a tensor that has 2}}
  %0 = "stablehlo.sort"(%a0) ({
  ^bb0(%x0: tensor<f32>, %x1: tensor<f32>):
    %p = "stablehlo.compare"(%x0, %x1) {comparison_direction = #stablehlo<comparison_direction GE>} : (tensor<f32>, tensor<f32>) -> tensor<i1>
    "stablehlo.return"(%p) : (tensor<i1>) -> ()
  }) {dimension = 2 : i64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{region `comparator` of sort gives (tensor<f32>), but should give (tensor<i1>)}}
  %0 = "stablehlo.sort"(%a0) ({
  ^bb0(%x0: tensor<f32>, %x1: tensor<f32>):
    %s = "stablehlo.add"(%x0, %x1) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    "stablehlo.return"(%s) : (tensor<f32>) -> ()
  }) {dimension = 1 : i64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2x3xf32>) {
  // expected-error @below {{region `comparator` of sort takes (tensor<f32>, tensor<f32>), but should take (tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>)}}
  %0:2 = "stablehlo.sort"(%a0, %a1) ({
  ^bb0(%x0: tensor<f32>, %x1: tensor<f32>):
    %p = "stablehlo.compare"(%x0, %x1) {comparison_direction = #stablehlo<comparison_direction GE>} : (tensor<f32>, tensor<f32>) -> tensor<i1>
    "stablehlo.return"(%p) : (tensor<i1>) -> ()
  }) {dimension = 1 : i64} : (tensor<2x3xf32>, tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>)
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2x3xf32>) {
  // expected-error @below {{`dimensions` should name all dimensions of [2, 3] in order, but is [1, 0]}}
  %0 = "stablehlo.map"(%a0, %a1) ({
  ^bb0(%x0: tensor<f32>, %x1: tensor<f32>):
    %s = "stablehlo.add"(%x0, %x1) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    "stablehlo.return"(%s) : (tensor<f32>) -> ()
  }) {dimensions = array<i64: 1, 0>} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

// Groups of operands have the sizes that the table gives them, and go in pairs, whatever their sizes are said to be.
func.func @main(%x: tensor<4xf32>, %i: tensor<f32>) {
  // expected-error @below {{reduce has 2 inputs, but 1 init_values}}
  %0 = "stablehlo.reduce"(%x, %x, %i) ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>, %c: tensor<f32>):
    stablehlo.return %a : tensor<f32>
  }) {dimensions = array<i64: 0>, operandSegmentSizes = array<i32: 2, 1>} : (tensor<4xf32>, tensor<4xf32>, tensor<f32>) -> tensor<f32>
  return
}

// -----

func.func @main(%x: tensor<4xf32>, %i: tensor<f32>) {
  // expected-error @below {{stablehlo.reduce has 1 operands, but takes at least 2 (inputs…, init_values…)}}
  %0 = "stablehlo.reduce"(%i) ({
  ^bb0(%a: tensor<f32>):
    stablehlo.return %a : tensor<f32>
  }) {dimensions = array<i64>, operandSegmentSizes = array<i32: 0, 1>} : (tensor<f32>) -> tensor<f32>
  return
}

// -----

func.func @main(%x: tensor<4xf32>, %at: tensor<1xi32>, %u: tensor<f32>) {
  // expected-error @below {{scatter has 2 inputs, but 1 updates}}
  %0:2 = "stablehlo.scatter"(%x, %x, %at, %u) ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>, %c: tensor<f32>):
    stablehlo.return %a, %b : tensor<f32>, tensor<f32>
  }) {scatter_dimension_numbers = #stablehlo.scatter<inserted_window_dims = [0], scatter_dims_to_operand_dims = [0]>, operandSegmentSizes = array<i32: 2, 1, 1>} : (tensor<4xf32>, tensor<4xf32>, tensor<1xi32>, tensor<f32>) -> (tensor<4xf32>, tensor<4xf32>)
  return
}
