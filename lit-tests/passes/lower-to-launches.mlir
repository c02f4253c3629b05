// RUN: %pygraph-opt %s --lower-to-launches --split-input-file --verify-diagnostics | FileCheck %s

// An elementwise operation is one loop nest; a sum starts from its initial value.
// CHECK-LABEL: @launches
// CHECK: "pyg.nest"(%x, %{{.*}}) ({
// CHECK: scalar.exp
// CHECK: }) {extents = array<i64: 4, 8>{{.*}}reduction_dims = 0
// CHECK: scalar.constant"() {value = dense<0.0>
// CHECK: scalar.add
// CHECK: reduction_dims = 1
// CHECK-NOT: stablehlo
// CHECK: return
func.func @launches(%x: tensor<4x8xf32>) -> tensor<4xf32> {
  %z = stablehlo.constant dense<0.0> : tensor<f32>
  %0 = stablehlo.exponential %x : tensor<4x8xf32>
  %1 = stablehlo.reduce(%0 init: %z) applies stablehlo.add across dimensions = [1] : (tensor<4x8xf32>, tensor<f32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// -----
// A product is a kernel; a reshape is no launch.
// CHECK-LABEL: @kernels
// CHECK-NEXT: %[[V:.*]] = pyg.view %x
// CHECK-NEXT: "pyg.kernel"(%[[V]], %y) {{.*}}kernel = "contract"
// CHECK-NOT: pyg.nest
func.func @kernels(%x: tensor<12xf32>, %y: tensor<3x2xf32>) -> tensor<4x2xf32> {
  %0 = stablehlo.reshape %x : (tensor<12xf32>) -> tensor<4x3xf32>
  %1 = stablehlo.dot_general %0, %y, contracting_dims = [1] x [0] : (tensor<4x3xf32>, tensor<3x2xf32>) -> tensor<4x2xf32>
  return %1 : tensor<4x2xf32>
}

// -----
// All operations that do not run are reported at once.
func.func @refused(%x: tensor<2xf32>) -> tensor<2xf32> {
  // expected-error @+1 {{custom call `@one` is not known}}
  %0 = stablehlo.custom_call @one(%x) : (tensor<2xf32>) -> tensor<2xf32>
  // expected-error @+1 {{custom call `@two` is not known}}
  %1 = stablehlo.custom_call @two(%0) : (tensor<2xf32>) -> tensor<2xf32>
  return %1 : tensor<2xf32>
}
