// RUN: %pygraph-opt %s --lower-to-launches --form-segments --split-input-file | FileCheck %s
// A function that has its segment is left alone.
// RUN: %pygraph-opt %s --lower-to-launches --form-segments --split-input-file > %t.once
// RUN: %pygraph-opt %t.once --form-segments --split-input-file | diff %t.once -

// A whole function is one segment, which yields what the function returns.
// CHECK-LABEL: @main
// CHECK-NEXT: %[[S:.*]]:2 = "pyg.segment"() ({
// CHECK: %[[N:.*]] = "pyg.nest"
// CHECK: pyg.yield %[[N]], %x : tensor<4xf32>, tensor<4xf32>
// CHECK-NEXT: }) {sym_name = "s0"}
// CHECK-NEXT: return %[[S]]#0, %[[S]]#1
func.func @main(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %0 = stablehlo.negate %x : tensor<4xf32>
  return %0, %x : tensor<4xf32>, tensor<4xf32>
}
