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

// -----
module {
  func.func @main(%x: tensor<2x4x5xf32>, %y: tensor<3x5x6xf32>) -> tensor<3x4x6xf32> {
    // expected-error @below {{aten.matmul.default: shapes [2] and [3] do not broadcast}}
    %a = "fx.call"(%x, %y) {target = "aten.matmul.default", args = ["%0", "%1"], device = "cpu"} : (tensor<2x4x5xf32>, tensor<3x5x6xf32>) -> tensor<3x4x6xf32>
    return %a : tensor<3x4x6xf32>
  }
}

// -----
module {
  func.func @main(%x: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
    // expected-error @below {{aten.stack.default: there is nothing to concatenate}}
    %a = "fx.call"() {target = "aten.stack.default", args = [[]], device = "cpu"} : () -> tensor<1xf32>
    // expected-error @below {{aten.im2col.default: the padding has another number of dimensions than the operand}}
    %b = "fx.call"(%x) {target = "aten.im2col.default", args = ["%0", [1 : i64, 1 : i64], [1 : i64, 1 : i64], [0 : i64, 0 : i64], [1 : i64, 1 : i64]], device = "cpu"} : (tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
    return %b : tensor<2x3x4xf32>
  }
}

// -----
module {
  func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
    %none = "fx.call"(%x) {target = "aten._assert_async.msg", args = ["%0", "str:no"], device = "cpu"} : (tensor<2xf32>) -> none
    // expected-error @below {{aten.relu.default: an operand is no tensor}}
    %a = "fx.call"(%none) {target = "aten.relu.default", args = ["%0"], device = "cpu"} : (none) -> tensor<2xf32>
    return %a : tensor<2xf32>
  }
}

// -----
module {
  func.func private @branch(%x: tensor<2xf32>) -> tensor<2xf32>
  func.func @main(%p: tensor<i1>, %x: tensor<2xf32>) -> tensor<2xf32> {
    // expected-error @below {{cond: there is no sub-graph @branch}}
    %a = "fx.call"(%p, %x) {target = "cond", args = ["%0", @branch, @branch, ["%1"]], device = "cpu"} : (tensor<i1>, tensor<2xf32>) -> tensor<2xf32>
    return %a : tensor<2xf32>
  }
}

// -----
module {
  func.func private @branch(%x: tensor<2xf32>) -> tensor<2xf32> {
    // expected-error @below {{aten.sum.dim_IntList: there is no dimension 7 in a tensor of 1}}
    %a = "fx.call"(%x) {target = "aten.sum.dim_IntList", args = ["%0", [7 : i64]], device = "cpu"} : (tensor<2xf32>) -> tensor<2xf32>
    return %a : tensor<2xf32>
  }
  func.func @main(%p: tensor<i1>, %x: tensor<2xf32>) -> tensor<2xf32> {
    // expected-error @below {{cond: sub-graph @branch can't be rewritten}}
    %a = "fx.call"(%p, %x) {target = "cond", args = ["%0", @branch, @branch, ["%1"]], device = "cpu"} : (tensor<i1>, tensor<2xf32>) -> tensor<2xf32>
    return %a : tensor<2xf32>
  }
}

// -----
// A cell whose state has rows of its own, and one whose weights have one dimension.
module {
  func.func @main(%x: tensor<5x2x3xf32>, %h: tensor<1x4x6xf32>, %w: tensor<6x3xf32>, %v: tensor<6x6xf32>) -> (tensor<5x2x6xf32>, tensor<1x2x6xf32>) {
    // expected-error @below {{aten.rnn_tanh.input: operands of shapes [2, 6] and [4, 6] do not go together}}
    %a:2 = "fx.call"(%x, %h, %w, %v) {target = "aten.rnn_tanh.input", args = ["%0", "%1", ["%2", "%3"], false, 1 : i64, 0.0 : f64, false, false, false], device = "cpu"} : (tensor<5x2x3xf32>, tensor<1x4x6xf32>, tensor<6x3xf32>, tensor<6x6xf32>) -> (tensor<5x2x6xf32>, tensor<1x2x6xf32>)
    return %a#0, %a#1 : tensor<5x2x6xf32>, tensor<1x2x6xf32>
  }
}

// -----
module {
  func.func @main(%x: tensor<8xf32>) -> tensor<8xf32> {
    // expected-error @below {{aten.as_strided.default: shape [8, 4611686018427387904] has too many elements}}
    %a = "fx.call"(%x) {target = "aten.as_strided.default", args = ["%0", [8 : i64, 4611686018427387904 : i64], [1 : i64, 0 : i64]], device = "cpu"} : (tensor<8xf32>) -> tensor<8xf32>
    return %a : tensor<8xf32>
  }
}

// -----
module {
  func.func @main(%x: tensor<5x2x3xf32>, %h: tensor<1x2x6xf32>, %w: tensor<3xf32>, %v: tensor<18x6xf32>) -> (tensor<5x2x6xf32>, tensor<1x2x6xf32>) {
    // expected-error @below {{aten.gru.input: its weights are no matrices}}
    %a:2 = "fx.call"(%x, %h, %w, %v) {target = "aten.gru.input", args = ["%0", "%1", ["%2", "%3"], false, 1 : i64, 0.0 : f64, false, false, false], device = "cpu"} : (tensor<5x2x3xf32>, tensor<1x2x6xf32>, tensor<3xf32>, tensor<18x6xf32>) -> (tensor<5x2x6xf32>, tensor<1x2x6xf32>)
    return %a#0, %a#1 : tensor<5x2x6xf32>, tensor<1x2x6xf32>
  }
}

// -----
module {
  func.func @main(%x: !stablehlo.token) -> tensor<2xf32> {
    // expected-error @below {{aten.relu.default: an operand is not a tensor}}
    %a = "fx.call"(%x) {target = "aten.relu.default", args = ["%0"], device = "cpu"} : (!stablehlo.token) -> tensor<2xf32>
    return %a : tensor<2xf32>
  }
}

// -----
module {
  func.func @main(%t: tuple<tensor<4xf32>>) -> tensor<4xf32> {
    // expected-error @below {{it stores into something that is no tensor}}
    %a = "fx.call"(%t) {target = "aten.zero_.default", args = ["%0"], device = "cpu"} : (tuple<tensor<4xf32>>) -> tensor<4xf32>
    return %a : tensor<4xf32>
  }
}
