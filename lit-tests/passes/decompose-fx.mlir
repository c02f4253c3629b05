// RUN: %pygraph-opt %s --decompose-fx --split-input-file | FileCheck %s

// The device stays on the operations, names and kinds in the signature; signed integers lose their sign.
// CHECK-LABEL: func.func @main
// CHECK-SAME: %x: tensor<2x3xf32> {fx.device = "cuda:0", fx.kind = "user_input", fx.name = "x"}
// CHECK-SAME: %i: tensor<i64>
// CHECK-SAME: -> (tensor<2x3xf32> {fx.device = "cuda:0", fx.kind = "user_output"})
// CHECK: stablehlo.maximum %x, %{{.*}} {fx.device = "cuda:0"} : tensor<2x3xf32>
// CHECK-NOT: fx.call
module {
  func.func @main(%x: tensor<2x3xf32> {fx.name = "x", fx.kind = "user_input", fx.device = "cuda:0"}, %i: tensor<si64>) -> (tensor<2x3xf32> {fx.kind = "user_output"}) {
    %relu = "fx.call"(%x) {target = "aten.relu.default", args = ["%0"], device = "cuda:0", stride = [3, 1]} : (tensor<2x3xf32>) -> tensor<2x3xf32>
    return %relu : tensor<2x3xf32>
  }
}

// -----
// A Python number does not lose digits in a 16-bit product, and does not raise its type.
// CHECK-LABEL: @promotion
// CHECK: %[[WIDE:.*]] = stablehlo.convert %x {fx.device = "cpu"} : (tensor<2xbf16>) -> tensor<2xf32>
// CHECK: %[[PRODUCT:.*]] = stablehlo.multiply %[[WIDE]], %{{.*}} : tensor<2xf32>
// CHECK: stablehlo.convert %[[PRODUCT]] {fx.device = "cpu"} : (tensor<2xf32>) -> tensor<2xbf16>
module {
  func.func @promotion(%x: tensor<2xbf16>) -> tensor<2xbf16> {
    %mul = "fx.call"(%x) {target = "aten.mul.Tensor", args = ["%0", 0x3FB999999999999A : f64], device = "cpu", stride = [1]} : (tensor<2xbf16>) -> tensor<2xbf16>
    return %mul : tensor<2xbf16>
  }
}

// -----
// A store through views of a buffer becomes a leading result, and later readers of the buffer see it.
// CHECK-LABEL: @mutation
// CHECK-SAME: -> (tensor<4x8xf32> {fx.device = "cpu", fx.kind = "buffer_mutation", fx.target = "cache"}, tensor<4x8xf32>
// CHECK: %[[NEW:.*]] = stablehlo.dynamic_update_slice %cache
// CHECK: %[[SUM:.*]] = stablehlo.add %[[NEW]], %[[NEW]]
// CHECK: return %[[NEW]], %[[SUM]]
module {
  func.func @mutation(%cache: tensor<4x8xf32> {fx.name = "b_cache", fx.kind = "buffer", fx.target = "cache", fx.device = "cpu"}, %x: tensor<8xf32>) -> (tensor<4x8xf32>) {
    %select = "fx.call"(%cache) {target = "aten.select.int", args = ["%0", 0 : i64, -1 : i64], device = "cpu", stride = [1]} : (tensor<4x8xf32>) -> tensor<8xf32>
    %copy_ = "fx.call"(%select, %x) {target = "aten.copy_.default", args = ["%0", "%1"], device = "cpu", stride = [1]} : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
    %add = "fx.call"(%cache, %cache) {target = "aten.add.Tensor", args = ["%0", "%1"], device = "cpu", stride = [8, 1]} : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
    return %add : tensor<4x8xf32>
  }
}

// -----
// A store into a tensor that the graph made changes no argument.
// CHECK-LABEL: @local_mutation
// CHECK-SAME: -> (tensor<2xf32> {fx.device = "cpu"}) {
module {
  func.func @local_mutation(%x: tensor<2xf32>) -> tensor<2xf32> {
    %clone = "fx.call"(%x) {target = "aten.clone.default", args = ["%0"], device = "cpu", stride = [1]} : (tensor<2xf32>) -> tensor<2xf32>
    %relu_ = "fx.call"(%clone) {target = "aten.relu_.default", args = ["%0"], device = "cpu", stride = [1]} : (tensor<2xf32>) -> tensor<2xf32>
    return %relu_ : tensor<2xf32>
  }
}

// -----
// Sub-graphs become regions, and their functions go.
// CHECK-LABEL: @choice
// CHECK: "stablehlo.if"(%p) ({
// CHECK: stablehlo.sine %x
// CHECK: stablehlo.cosine %x
// CHECK-NOT: func.func private
module {
  func.func @choice(%p: tensor<i1>, %x: tensor<2xf32>) -> tensor<2xf32> {
    %cond = "fx.call"(%p, %x) {target = "cond", args = ["%0", @choice.true_graph_0, @choice.false_graph_0, ["%1"]], device = "cpu", stride = [1]} : (tensor<i1>, tensor<2xf32>) -> (tensor<2xf32>)
    return %cond : tensor<2xf32>
  }
  func.func private @choice.true_graph_0(%x: tensor<2xf32>) -> tensor<2xf32> {
    %sin = "fx.call"(%x) {target = "aten.sin.default", args = ["%0"], device = "cpu", stride = [1]} : (tensor<2xf32>) -> tensor<2xf32>
    return %sin : tensor<2xf32>
  }
  func.func private @choice.false_graph_0(%x: tensor<2xf32>) -> tensor<2xf32> {
    %cos = "fx.call"(%x) {target = "aten.cos.default", args = ["%0"], device = "cpu", stride = [1]} : (tensor<2xf32>) -> tensor<2xf32>
    return %cos : tensor<2xf32>
  }
}

// -----
// StableHLO is left alone.
// CHECK-LABEL: @untouched
// CHECK-NEXT: stablehlo.abs
module {
  func.func @untouched(%x: tensor<2xf32>) -> tensor<2xf32> {
    %0 = stablehlo.abs %x : tensor<2xf32>
    return %0 : tensor<2xf32>
  }
}

// -----

// A result of type `none` does not count: the view is taken again of what was stored.
// CHECK-LABEL: func.func @main
// CHECK: %[[ZERO:.*]] = stablehlo.constant {{.*}}dense<0.0> : tensor<2x3xf32>
// CHECK: %[[VIEW:.*]] = stablehlo.transpose %[[ZERO]]
// CHECK: return %[[ZERO]], %[[VIEW]]
func.func @main(%x: tensor<2x3xf32>) -> tensor<3x2xf32> {
  %v:2 = "fx.call"(%x) {target = "aten.t.default", args = ["%0"], device = "cpu"} : (tensor<2x3xf32>) -> (none, tensor<3x2xf32>)
  %z = "fx.call"(%x) {target = "aten.zero_.default", args = ["%0"], device = "cpu"} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %v#1 : tensor<3x2xf32>
}
