// RUN: %pygraph-opt %s --lower-to-launches --form-segments | FileCheck %s
// RUN: %pygraph-opt %s --lower-to-launches --form-segments --form-segments | FileCheck %s

// All launches of a function are one segment, which yields what the function returns; a second time changes nothing.
// CHECK: %[[R:.*]] = "pyg.segment"() ({
// CHECK: scalar.exp
// CHECK: scalar.neg
// CHECK: pyg.yield
// CHECK: sym_name = "s0"
// CHECK-NOT: pyg.segment
// CHECK: return %[[R]]
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = stablehlo.exponential %x : tensor<4xf32>
  %1 = stablehlo.negate %0 : tensor<4xf32>
  return %1 : tensor<4xf32>
}
