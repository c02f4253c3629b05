// RUN: %pygraph-opt %s --decompose-fx --split-input-file --verify-diagnostics

// All operators without a decomposition are reported at once.
module {
  func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
    // expected-error @below {{no decomposition for mine.first.default}}
    %a = "fx.call"(%x) {target = "mine.first.default", args = ["%0"], device = "cpu"} : (tensor<2xf32>) -> tensor<2xf32>
    %b = "fx.call"(%a) {target = "aten.relu.default", args = ["%0"], device = "cpu"} : (tensor<2xf32>) -> tensor<2xf32>
    // expected-error @below {{no decomposition for auto_functionalized_v2 of mine.second.default}}
    %c:2 = "fx.call"(%b) {target = "auto_functionalized_v2", args = ["str:mine.second.default"], kwargs = {_all_bases = ["%0"]}} : (tensor<2xf32>) -> (none, tensor<2xf32>)
    return %c#1 : tensor<2xf32>
  }
}

// -----
module {
  // expected-error @below {{argument %x has a dimension known only at run time: pygraph runs static shapes, export the model without dynamic_shapes}}
  func.func @main(%x: tensor<?xf32>) -> tensor<?xf32> {
    %a = "fx.call"(%x) {target = "aten.relu.default", args = ["%0"], device = "cpu"} : (tensor<?xf32>) -> tensor<?xf32>
    return %a : tensor<?xf32>
  }
}

// -----
module {
  func.func @main(%x: tensor<6x8xf32>, %m: tensor<6xi1>) -> tensor<?x8xf32> {
    // expected-error @below {{aten.index.Tensor: a dimension of its result is known only at run time (it depends on the data), and pygraph runs static shapes}}
    %a = "fx.call"(%x, %m) {target = "aten.index.Tensor", args = ["%0", ["%1"]], device = "cpu"} : (tensor<6x8xf32>, tensor<6xi1>) -> tensor<?x8xf32>
    return %a : tensor<?x8xf32>
  }
}

// -----
// A store through an expanded view would be to one element many times.
module {
  func.func @main(%x: tensor<1xf32>, %y: tensor<4xf32>) -> tensor<1xf32> {
    %e = "fx.call"(%x) {target = "aten.expand.default", args = ["%0", [4 : i64]], device = "cpu"} : (tensor<1xf32>) -> tensor<4xf32>
    // expected-error @below {{aten.add_.Tensor: it is stored into, and elements that are repeated can't be: clone it first}}
    %a = "fx.call"(%e, %y) {target = "aten.add_.Tensor", args = ["%0", "%1"], device = "cpu"} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    return %x : tensor<1xf32>
  }
}

// -----
// Arguments are checked, not trusted.
module {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
    // expected-error @below {{aten.sum.dim_IntList: there is no dimension 7 in a tensor of 2}}
    %a = "fx.call"(%x) {target = "aten.sum.dim_IntList", args = ["%0", [7 : i64]], device = "cpu"} : (tensor<2x3xf32>) -> tensor<2x3xf32>
    return %a : tensor<2x3xf32>
  }
}

// -----
module {
  func.func @main(%x: tensor<2x3xf32>, %y: tensor<3x4xf32>) -> tensor<3x3xf32> {
    // expected-error @below {{aten.tanh.default: shape [2, 3] does not broadcast to [3, 3]}}
    %a = "fx.call"(%x) {target = "aten.tanh.default", args = ["%0"], device = "cpu"} : (tensor<2x3xf32>) -> tensor<3x3xf32>
    // expected-error @below {{aten.flip.default: result 0 would have shape [2, 3], but the graph says [3, 3]}}
    %b = "fx.call"(%x, %y) {target = "aten.flip.default", args = ["%0", [0 : i64]], device = "cpu"} : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<3x3xf32>
    return %b : tensor<3x3xf32>
  }
}

// -----
module {
  func.func @main() -> tensor<2xf32> {
    // expected-error @below {{the value of `weight` is not in this file: export it as a constant input (torch.export lifts constants)}}
    %a = "fx.get_attr"() {target = "weight"} : () -> tensor<2xf32>
    return %a : tensor<2xf32>
  }
}
