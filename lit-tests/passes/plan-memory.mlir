// RUN: %pygraph-opt %s --lower-to-launches --form-segments --plan-memory --split-input-file | FileCheck %s

// A tensor that is not needed any more gives its bytes to a later one: two places serve five tensors.
// CHECK-LABEL: @chain
// CHECK-SAME: pyg.arena_bytes = {{[1-9][0-9]*}}
// CHECK: offsets = array<i64: [[A:[0-9]+]]>
// CHECK-NOT: pyg.arena_bytes = 5120
// CHECK: return
func.func @chain(%x: tensor<256xf32>) -> tensor<256xf32> {
  %0 = stablehlo.exponential %x : tensor<256xf32>
  %1 = stablehlo.negate %0 : tensor<256xf32>
  %2 = stablehlo.abs %1 : tensor<256xf32>
  %3 = stablehlo.floor %2 : tensor<256xf32>
  %4 = stablehlo.ceil %3 : tensor<256xf32>
  return %4 : tensor<256xf32>
}

// -----
// Two tensors that are read together do not share.
// CHECK-LABEL: @together
// CHECK: scalar.exp
// CHECK: offsets = array<i64: [[E:[0-9]+]]>
// CHECK: scalar.neg
// CHECK-NOT: offsets = array<i64: [[E]]>
// CHECK: offsets
// CHECK: scalar.add
func.func @together(%x: tensor<256xf32>) -> (tensor<256xf32>, tensor<256xf32>) {
  %0 = stablehlo.exponential %x : tensor<256xf32>
  %1 = stablehlo.negate %x : tensor<256xf32>
  %2 = stablehlo.add %0, %1 : tensor<256xf32>
  return %2, %0 : tensor<256xf32>, tensor<256xf32>
}
