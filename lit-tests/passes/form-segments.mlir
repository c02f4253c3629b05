// RUN: %pygraph-opt %s --lower-to-launches --form-segments --split-input-file | FileCheck %s
// A function that has its segment is left alone.
// RUN: %pygraph-opt %s --lower-to-launches --form-segments --split-input-file > %t.once
// RUN: %pygraph-opt %t.once --form-segments --split-input-file | diff %t.once -
// RUN: %pygraph-opt %s --lower-to-launches --form-segments --split-input-file --remarks 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

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

// -----

// Two steps of the host that nothing orders cut once, not twice, and a constant and a view are made where they are read.
// REMARK: [[#@LINE+16]]:8: remark: cut: host_a: it is a callback; drop it
// REMARK: [[#@LINE+17]]:8: remark: cut: host_b: it is a callback{{$}}
// CHECK-LABEL: @two_boundaries
// CHECK-NEXT: %[[S0:.*]]:2 = "pyg.segment"
// CHECK: scalar.neg
// CHECK: scalar.abs
// CHECK: sym_name = "s0"
// CHECK-NEXT: %[[A:.*]] = "pyg.boundary"(%[[S0]]#0) {{.*}}what = "host_a"
// CHECK-NEXT: %[[B:.*]] = "pyg.boundary"(%[[S0]]#1) {{.*}}what = "host_b"
// CHECK-NEXT: %[[S1:.*]]:2 = "pyg.segment"
// CHECK: "pyg.nest"(%[[A]], %[[S0]]#1,
// CHECK: sym_name = "s1"
// CHECK-NEXT: %[[V:.*]] = pyg.view %[[S1]]#0
// CHECK-NEXT: return %[[S1]]#1, %[[V]], %[[S0]]#1
func.func @two_boundaries(%x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<2x2xf32>, tensor<4xf32>) {
  %0 = stablehlo.negate %x : tensor<4xf32>
  %1 = "pyg.boundary"(%0) {what = "host_a", reason = "it is a callback", remedy = "drop it"} : (tensor<4xf32>) -> tensor<4xf32>
  %2 = stablehlo.abs %y : tensor<4xf32>
  %3 = "pyg.boundary"(%2) {what = "host_b", reason = "it is a callback"} : (tensor<4xf32>) -> tensor<4xf32>
  %4 = stablehlo.add %1, %2 : tensor<4xf32>
  %r = stablehlo.reshape %4 : (tensor<4xf32>) -> tensor<2x2xf32>
  %5 = stablehlo.add %3, %4 : tensor<4xf32>
  return %5, %r, %2 : tensor<4xf32>, tensor<2x2xf32>, tensor<4xf32>
}

// -----

// The host comes first where that takes fewer segments.
// CHECK-LABEL: @host_first
// CHECK-NEXT: "pyg.boundary"(%x)
// CHECK-NEXT: "pyg.segment"
// CHECK-NOT: "pyg.segment"
func.func @host_first(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %0 = stablehlo.negate %x : tensor<4xf32>
  %1 = "pyg.boundary"(%x) {what = "host", reason = "it is a callback"} : (tensor<4xf32>) -> tensor<4xf32>
  %2 = stablehlo.abs %1 : tensor<4xf32>
  return %0, %2 : tensor<4xf32>, tensor<4xf32>
}

// -----

// A loop with a cut inside is stepped through by the host, with segments inside.
// REMARK: remark: cut: pyg.while: the host steps through it, since a cut is inside; remove the cuts inside
// CHECK-LABEL: @loop
// CHECK: "pyg.segment"
// CHECK: sym_name = "s0"
// CHECK-NEXT: "pyg.while"
// CHECK: "pyg.segment"
// CHECK: sym_name = "s1"
// CHECK: pyg.yield %{{.*}} : tensor<i1>
// CHECK: "pyg.boundary"
// CHECK: "pyg.segment"
func.func @loop(%x: tensor<4xf32>, %p: tensor<i1>) -> tensor<4xf32> {
  %0 = stablehlo.negate %x : tensor<4xf32>
  %1 = "pyg.while"(%0) ({
  ^bb0(%c: tensor<4xf32>):
    %q = stablehlo.not %p : tensor<i1>
    "pyg.yield"(%q) : (tensor<i1>) -> ()
  }, {
  ^bb0(%c: tensor<4xf32>):
    %b = "pyg.boundary"(%c) {what = "host", reason = "it is a callback"} : (tensor<4xf32>) -> tensor<4xf32>
    %d = stablehlo.abs %b : tensor<4xf32>
    "pyg.yield"(%d) : (tensor<4xf32>) -> ()
  }) : (tensor<4xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}
