// Loops and choices give the values that their text says, whatever shares memory.
// RUN: %pygraph-run --split-input-file %s

// Values that change places in a loop: an odd number of times, and through a third.
func.func @swap() {
  %a = stablehlo.constant dense<[1, 2]> : tensor<2xi32>
  %b = stablehlo.constant dense<[3, 4]> : tensor<2xi32>
  %c = stablehlo.constant dense<[5, 6]> : tensor<2xi32>
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %one = stablehlo.constant dense<1> : tensor<i32>
  %n = stablehlo.constant dense<4> : tensor<i32>
  %0:4 = stablehlo.while(%i = %zero, %u = %a, %v = %b, %w = %c) : tensor<i32>, tensor<2xi32>, tensor<2xi32>, tensor<2xi32>
    cond {
      %p = stablehlo.compare LT, %i, %n : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %p : tensor<i1>
    } do {
      %j = stablehlo.add %i, %one : tensor<i32>
      stablehlo.return %j, %v, %w, %u : tensor<i32>, tensor<2xi32>, tensor<2xi32>, tensor<2xi32>
    }
  check.expect_eq_const %0#1, dense<[3, 4]> : tensor<2xi32>
  check.expect_eq_const %0#2, dense<[5, 6]> : tensor<2xi32>
  check.expect_eq_const %0#3, dense<[1, 2]> : tensor<2xi32>
  check.expect_eq_const %a, dense<[1, 2]> : tensor<2xi32>
  return
}

// -----
// One value carried twice, and one that the loop leaves alone; what is carried in is read again afterwards.
func.func @shared() {
  %a = stablehlo.iota dim = 0 : tensor<3xi32>
  %start = stablehlo.negate %a : tensor<3xi32>
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %one = stablehlo.constant dense<1> : tensor<i32>
  %n = stablehlo.constant dense<3> : tensor<i32>
  %0:4 = stablehlo.while(%i = %zero, %u = %start, %v = %start, %w = %start) : tensor<i32>, tensor<3xi32>, tensor<3xi32>, tensor<3xi32>
    cond {
      %p = stablehlo.compare LT, %i, %n : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %p : tensor<i1>
    } do {
      %j = stablehlo.add %i, %one : tensor<i32>
      %sum = stablehlo.add %u, %v : tensor<3xi32>
      stablehlo.return %j, %sum, %sum, %w : tensor<i32>, tensor<3xi32>, tensor<3xi32>, tensor<3xi32>
    }
  check.expect_eq_const %0#1, dense<[0, -8, -16]> : tensor<3xi32>
  check.expect_eq_const %0#2, dense<[0, -8, -16]> : tensor<3xi32>
  check.expect_eq_const %0#3, dense<[0, -1, -2]> : tensor<3xi32>
  check.expect_eq_const %start, dense<[0, -1, -2]> : tensor<3xi32>
  return
}

// -----
// A loop that does not run once hands on what it was given.
func.func @never() {
  %a = stablehlo.constant dense<[7, 8]> : tensor<2xi32>
  %no = stablehlo.constant dense<false> : tensor<i1>
  %0 = stablehlo.while(%u = %a) : tensor<2xi32>
    cond {
      stablehlo.return %no : tensor<i1>
    } do {
      %1 = stablehlo.add %u, %u : tensor<2xi32>
      stablehlo.return %1 : tensor<2xi32>
    }
  check.expect_eq_const %0, dense<[7, 8]> : tensor<2xi32>
  return
}

// -----
// Loops in loops: 3 times (add 1, then double twice).
func.func @nested() {
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %one = stablehlo.constant dense<1> : tensor<i32>
  %two = stablehlo.constant dense<2> : tensor<i32>
  %three = stablehlo.constant dense<3> : tensor<i32>
  %x = stablehlo.constant dense<[0, 1]> : tensor<2xi32>
  %ones = stablehlo.constant dense<1> : tensor<2xi32>
  %0:2 = stablehlo.while(%i = %zero, %u = %x) : tensor<i32>, tensor<2xi32>
    cond {
      %p = stablehlo.compare LT, %i, %three : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %p : tensor<i1>
    } do {
      %v = stablehlo.add %u, %ones : tensor<2xi32>
      %1:2 = stablehlo.while(%k = %zero, %w = %v) : tensor<i32>, tensor<2xi32>
        cond {
          %p = stablehlo.compare LT, %k, %two : (tensor<i32>, tensor<i32>) -> tensor<i1>
          stablehlo.return %p : tensor<i1>
        } do {
          %d = stablehlo.add %w, %w : tensor<2xi32>
          %l = stablehlo.add %k, %one : tensor<i32>
          stablehlo.return %l, %d : tensor<i32>, tensor<2xi32>
        }
      %j = stablehlo.add %i, %one : tensor<i32>
      stablehlo.return %j, %1#1 : tensor<i32>, tensor<2xi32>
    }
  check.expect_eq_const %0#1, dense<[84, 148]> : tensor<2xi32>
  return
}

// -----
// An index out of range runs the last branch; a branch may hand on what is outside, or one value twice.
func.func @choices() {
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %one = stablehlo.constant dense<1> : tensor<i32>
  %four = stablehlo.constant dense<4> : tensor<i32>
  %minus = stablehlo.constant dense<-2> : tensor<i32>
  %0:2 = "stablehlo.while"(%minus, %zero) ({
  ^bb0(%i: tensor<i32>, %s: tensor<i32>):
    %p = stablehlo.compare LT, %i, %four : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %p : tensor<i1>
  }, {
  ^bb0(%i: tensor<i32>, %s: tensor<i32>):
    %1:2 = "stablehlo.case"(%i) ({
      %a = stablehlo.add %s, %one : tensor<i32>
      stablehlo.return %a, %a : tensor<i32>, tensor<i32>
    }, {
      stablehlo.return %s, %i : tensor<i32>, tensor<i32>
    }, {
      %b = stablehlo.add %s, %four : tensor<i32>
      stablehlo.return %b, %one : tensor<i32>, tensor<i32>
    }) : (tensor<i32>) -> (tensor<i32>, tensor<i32>)
    %next = stablehlo.add %i, %one : tensor<i32>
    stablehlo.return %next, %1#0 : tensor<i32>, tensor<i32>
  }) : (tensor<i32>, tensor<i32>) -> (tensor<i32>, tensor<i32>)
  // -2, -1, 2 and 3 add 4 each, 0 adds 1, 1 nothing.
  check.expect_eq_const %0#1, dense<17> : tensor<i32>
  return
}
