// The drawing has a frame for every layer that locations name and for every region; constants and the bodies of reductions
// stand in the nodes that read them, types on the edges.
// RUN: %pygraph-opt %s --pipeline= --dot | FileCheck %s

// CHECK: digraph model {
// CHECK: subgraph cluster_f{{[0-9]+}} { label="main"
// CHECK: [shape=ellipse, {{.*}}label="x\n4x8xf32"]
// CHECK-NOT: label="constant
// CHECK: { label="while"
// CHECK: label="compare LT\n3"
// CHECK: { label="do"
// CHECK: { label="layer0"
// CHECK: label="multiply\n2"
// CHECK: label="reduce (add)\n0"
// CHECK: { label="layer1"
// CHECK: label="negate"
// CHECK: -> o{{[0-9]+}} [label="4xf32"];
func.func @main(%x: tensor<4x8xf32>) -> (tensor<4xf32>, tensor<i32>) {
  %z = stablehlo.constant dense<0.0> : tensor<f32>
  %c = stablehlo.constant dense<2.0> : tensor<4x8xf32>
  %i0 = stablehlo.constant dense<0> : tensor<i32>
  %0 = stablehlo.multiply %x, %c : tensor<4x8xf32> loc("jit(main)/layer0/mul")
  %1 = stablehlo.reduce(%0 init: %z) applies stablehlo.add across dimensions = [1] : (tensor<4x8xf32>, tensor<f32>) -> tensor<4xf32> loc("jit(main)/layer0/sum")
  %2 = stablehlo.negate %1 : tensor<4xf32> loc("jit(main)/layer1/neg")
  %3 = stablehlo.while(%i = %i0) : tensor<i32>
    cond {
      %n = stablehlo.constant dense<3> : tensor<i32>
      %p = stablehlo.compare LT, %i, %n : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %p : tensor<i1>
    } do {
      %one = stablehlo.constant dense<1> : tensor<i32>
      %s = stablehlo.add %i, %one : tensor<i32>
      stablehlo.return %s : tensor<i32>
    }
  return %2, %3 : tensor<4xf32>, tensor<i32>
}
