// RUN: %pygraph-opt %s --drop-dead-ops --split-input-file | FileCheck %s

// A chain that ends nowhere goes; what is returned stays.
// CHECK-LABEL: @chain
// CHECK-NEXT: %[[N:.*]] = stablehlo.negate
// CHECK-NEXT: return %[[N]]
func.func @chain(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = stablehlo.add %x, %x : tensor<2xf32>
  %1 = stablehlo.abs %0 : tensor<2xf32>
  %2 = stablehlo.negate %x : tensor<2xf32>
  return %2 : tensor<2xf32>
}

// -----
// What checks or calls with an effect stays, with what it needs.
// CHECK-LABEL: @effects
// CHECK: %[[A:.*]] = stablehlo.add
// CHECK: check.expect_eq %[[A]]
// CHECK: custom_call @write
// CHECK-NOT: custom_call @read
func.func @effects(%x: tensor<2xf32>) {
  %0 = stablehlo.add %x, %x : tensor<2xf32>
  check.expect_eq %0, %x : tensor<2xf32>
  %1 = stablehlo.custom_call @write(%x) {has_side_effect = true} : (tensor<2xf32>) -> tensor<2xf32>
  %2 = stablehlo.custom_call @read(%x) : (tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----
// A value that a loop carries for nobody goes, with what makes it; one that the condition reads does not.
// CHECK-LABEL: @loop
// CHECK: stablehlo.while(%[[I:[^ ]+]] = %{{[^ ]+}}, %[[S:[^ ]+]] = %{{[^ ]+}}) : tensor<i32>, tensor<f32>
// CHECK-NOT: stablehlo.multiply
// CHECK: stablehlo.return %{{.*}}, %{{.*}} : tensor<i32>, tensor<f32>
// CHECK: return %{{.*}}#1 : tensor<f32>
func.func @loop(%n: tensor<i32>, %x: tensor<f32>) -> tensor<f32> {
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %0:3 = stablehlo.while(%i = %zero, %unread = %x, %sum = %x) : tensor<i32>, tensor<f32>, tensor<f32>
    cond {
      %c = stablehlo.compare LT, %i, %n : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %c : tensor<i1>
    } do {
      %one = stablehlo.constant dense<1> : tensor<i32>
      %1 = stablehlo.add %i, %one : tensor<i32>
      %2 = stablehlo.multiply %unread, %unread : tensor<f32>
      %3 = stablehlo.add %sum, %x : tensor<f32>
      stablehlo.return %1, %2, %3 : tensor<i32>, tensor<f32>, tensor<f32>
    }
  return %0#2 : tensor<f32>
}

// -----
// A loop that nobody reads goes whole; a branch keeps only the results that are read.
// CHECK-LABEL: @branch
// CHECK-NOT: stablehlo.while
// CHECK: %[[R:.*]] = "stablehlo.if"
// CHECK-NOT: stablehlo.sine
// CHECK: stablehlo.return %{{[^,]+}} : tensor<f32>
// CHECK: }) : (tensor<i1>) -> tensor<f32>
func.func @branch(%p: tensor<i1>, %x: tensor<f32>) -> tensor<f32> {
  %0 = stablehlo.while(%i = %p) : tensor<i1>
    cond {
      stablehlo.return %i : tensor<i1>
    } do {
      %n = stablehlo.not %i : tensor<i1>
      stablehlo.return %n : tensor<i1>
    }
  %1:2 = "stablehlo.if"(%p) ({
    %s = stablehlo.sine %x : tensor<f32>
    stablehlo.return %s, %x : tensor<f32>, tensor<f32>
  }, {
    %n = stablehlo.negate %x : tensor<f32>
    stablehlo.return %x, %n : tensor<f32>, tensor<f32>
  }) : (tensor<i1>) -> (tensor<f32>, tensor<f32>)
  return %1#1 : tensor<f32>
}
