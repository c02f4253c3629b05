// Every chunk is compiled and run by itself; one that fails does not keep the others from running.
// RUN: sh -c '%pygraph-run --split-input-file %s; test $? = 1' 2>&1 | FileCheck %s

// CHECK: error: chunk 1:
// CHECK-NOT: chunk 0
// CHECK-NOT: chunk 2
// CHECK: error: chunk 3: {{.*}}run-split-input-file.mlir:40:3
// CHECK: error: 2 of 4 chunks failed
func.func @right() {
  %0 = stablehlo.constant dense<[1, 2]> : tensor<2xi32>
  %1 = stablehlo.add %0, %0 : tensor<2xi32>
  check.expect_eq_const %1, dense<[2, 4]> : tensor<2xi32>
  return
}

// -----
func.func @wrong() {
  %0 = stablehlo.constant dense<[1, 2]> : tensor<2xi32>
  %1 = stablehlo.add %0, %0 : tensor<2xi32>
  check.expect_eq_const %1, dense<[2, 5]> : tensor<2xi32>
  return
}

// -----
func.func @right_again() {
  %0 = stablehlo.constant dense<1.5> : tensor<f32>
  check.expect_almost_eq_const %0, dense<1.5> : tensor<f32>
  return
}

// -----
// A chunk may hold several tests: each takes no arguments, and all are run.
func.func @first_of_two() {
  %0 = stablehlo.constant dense<1.5> : tensor<f32>
  check.expect_almost_eq_const %0, dense<1.5> : tensor<f32>
  return
}
func.func @second_of_two() {
  %0 = stablehlo.constant dense<2.5> : tensor<f32>
  check.expect_almost_eq_const %0, dense<1.5> : tensor<f32>
  return
}
