// The ways in which windows are lowered agree: unrolled, scanned and folded; and padding of every kind.
// RUN: %pygraph-run --split-input-file %s

func.func @cumulative_both_ways() {
  %x = stablehlo.iota dim = 0 : tensor<100xi32>
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %forward = "stablehlo.reduce_window"(%x, %zero) ({
  ^bb0(%a: tensor<i32>, %b: tensor<i32>):
    %1 = stablehlo.add %a, %b : tensor<i32>
    stablehlo.return %1 : tensor<i32>
  }) {window_dimensions = array<i64: 100>, padding = dense<[[99, 0]]> : tensor<1x2xi64>} : (tensor<100xi32>, tensor<i32>) -> tensor<100xi32>
  %backward = "stablehlo.reduce_window"(%x, %zero) ({
  ^bb0(%a: tensor<i32>, %b: tensor<i32>):
    %1 = stablehlo.add %a, %b : tensor<i32>
    stablehlo.return %1 : tensor<i32>
  }) {window_dimensions = array<i64: 100>, padding = dense<[[0, 99]]> : tensor<1x2xi64>} : (tensor<100xi32>, tensor<i32>) -> tensor<100xi32>
  // n (n + 1) / 2, and what is left of 4950.
  %one = stablehlo.constant dense<1> : tensor<100xi32>
  %two = stablehlo.constant dense<2> : tensor<100xi32>
  %all = stablehlo.constant dense<4950> : tensor<100xi32>
  %next = stablehlo.add %x, %one : tensor<100xi32>
  %twice = stablehlo.multiply %x, %next : tensor<100xi32>
  %expected = stablehlo.divide %twice, %two : tensor<100xi32>
  check.expect_eq %forward, %expected : tensor<100xi32>
  %before = stablehlo.subtract %expected, %x : tensor<100xi32>
  %rest = stablehlo.subtract %all, %before : tensor<100xi32>
  check.expect_eq %backward, %rest : tensor<100xi32>
  return
}

// -----
// A window of 81 elements is folded, one of 9 unrolled; both sum ones.
func.func @counts() {
  %x = stablehlo.constant dense<1> : tensor<12x12xi32>
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %large = "stablehlo.reduce_window"(%x, %zero) ({
  ^bb0(%a: tensor<i32>, %b: tensor<i32>):
    %1 = stablehlo.add %a, %b : tensor<i32>
    stablehlo.return %1 : tensor<i32>
  }) {window_dimensions = array<i64: 9, 9>, window_strides = array<i64: 3, 3>} : (tensor<12x12xi32>, tensor<i32>) -> tensor<2x2xi32>
  check.expect_eq_const %large, dense<81> : tensor<2x2xi32>
  %small = "stablehlo.reduce_window"(%x, %zero) ({
  ^bb0(%a: tensor<i32>, %b: tensor<i32>):
    %1 = stablehlo.add %a, %b : tensor<i32>
    stablehlo.return %1 : tensor<i32>
  }) {window_dimensions = array<i64: 3, 3>, window_strides = array<i64: 6, 6>, padding = dense<[[1, 0], [1, 0]]> : tensor<2x2xi64>} : (tensor<12x12xi32>, tensor<i32>) -> tensor<2x2xi32>
  check.expect_eq_const %small, dense<[[4, 6], [6, 9]]> : tensor<2x2xi32>
  return
}

// -----
func.func @pads() {
  %x = stablehlo.iota dim = 0 : tensor<4xi32>
  %v = stablehlo.constant dense<9> : tensor<i32>
  %0 = stablehlo.pad %x, %v, low = [1], high = [2], interior = [1] : (tensor<4xi32>, tensor<i32>) -> tensor<10xi32>
  check.expect_eq_const %0, dense<[9, 0, 9, 1, 9, 2, 9, 3, 9, 9]> : tensor<10xi32>
  %1 = stablehlo.pad %x, %v, low = [-1], high = [-1], interior = [1] : (tensor<4xi32>, tensor<i32>) -> tensor<5xi32>
  check.expect_eq_const %1, dense<[9, 1, 9, 2, 9]> : tensor<5xi32>
  %2 = stablehlo.pad %x, %v, low = [-5], high = [5], interior = [0] : (tensor<4xi32>, tensor<i32>) -> tensor<4xi32>
  check.expect_eq_const %2, dense<9> : tensor<4xi32>
  return
}
