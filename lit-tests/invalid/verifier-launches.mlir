// RUN: %pygraph-opt %s --pipeline= --split-input-file --verify-diagnostics

// Launches and scalar bodies that the verifier refuses.

func.func @main(%a0: tensor<4xf32>, %a1: tensor<4xf32>) {
  // expected-error @below {{nest reads or writes 0 to 4 of dimension 0 of operand 0, which has extent 4}}
  %0 = "pyg.nest"(%a0, %a1) ({
  ^bb0(%x: f32):
    "scalar.yield"(%x) : (f32) -> ()
  }) {extents = array<i64: 5>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @main(%a0: tensor<4xf32>, %a1: tensor<4xf32>) {
  // expected-error @below {{nest reads or writes -1 to 2 of dimension 0 of operand 0, which has extent 4}}
  %0 = "pyg.nest"(%a0, %a1) ({
  ^bb0(%x: f32):
    "scalar.yield"(%x) : (f32) -> ()
  }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0) -> (d0 - 1)>, affine_map<(d0) -> (d0)>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @main(%a0: tensor<4xf32>, %a1: tensor<4xf32>) {
  // expected-error @below {{nest has 1 maps for 2 operands}}
  %0 = "pyg.nest"(%a0, %a1) ({
  ^bb0(%x: f32):
    "scalar.yield"(%x) : (f32) -> ()
  }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0) -> (d0)>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @main(%a0: tensor<4xf32>, %a1: tensor<4xf32>) {
  // expected-error @below {{`input_count` should be at most the 2 operands}}
  %0 = "pyg.nest"(%a0, %a1) ({
  ^bb0(%x: f32):
    "scalar.yield"(%x) : (f32) -> ()
  }) {extents = array<i64: 4>, input_count = 3 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @main(%a0: tensor<4xf32>, %a1: tensor<4xf32>) {
  // expected-error @below {{`reduction_dims` should be at most 1}}
  %0 = "pyg.nest"(%a0, %a1) ({
  ^bb0(%x: f32):
    "scalar.yield"(%x) : (f32) -> ()
  }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 2 : i64, maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @main(%a0: tensor<4xf32>, %a1: tensor<4xf32>) {
  // expected-error @below {{the map of operand 0 takes 2 dimensions of 1}}
  %0 = "pyg.nest"(%a0, %a1) ({
  ^bb0(%x: f32):
    "scalar.yield"(%x) : (f32) -> ()
  }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0, d1) -> (d0)>, affine_map<(d0) -> (d0)>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @main(%a0: tensor<4xf32>, %a1: tensor<4xf32>) {
  // expected-error @below {{the map of operand 0 gives 2 positions for 1 dimensions}}
  %0 = "pyg.nest"(%a0, %a1) ({
  ^bb0(%x: f32):
    "scalar.yield"(%x) : (f32) -> ()
  }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0) -> (d0, d0)>, affine_map<(d0) -> (d0)>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @main(%a0: tensor<4xf32>, %a1: tensor<4xf32>) {
  // expected-error @below {{region `map` of nest takes (i32), but should take (f32)}}
  %0 = "pyg.nest"(%a0, %a1) ({
  ^bb0(%x: i32):
    "scalar.yield"(%x) : (i32) -> ()
  }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @main(%a0: tensor<4xf32>, %a1: tensor<4xf32>) {
  // expected-error @below {{result 0 of pyg.nest should be tensor<4xf32>, but is tensor<5xf32>}}
  %0 = "pyg.nest"(%a0, %a1) ({
  ^bb0(%x: f32):
    "scalar.yield"(%x) : (f32) -> ()
  }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<5xf32>
  return
}

// -----

func.func @main(%a0: tensor<4xf32>, %a1: tensor<4xf32>) {
  // expected-error @below {{the map of operand 1, which is written, depends on a folded dimension}}
  %0 = "pyg.nest"(%a0, %a1) ({
  ^bb0(%x: f32):
    "scalar.yield"(%x) : (f32) -> ()
  }, {
  ^bb0(%x: f32, %y: f32):
    "scalar.yield"(%x) : (f32) -> ()
  }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 1 : i64, maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @main(%a0: tensor<4x!quant.uniform<i8:f32, 1.0:0>>, %a1: tensor<4xf32>) {
  // expected-error @below {{tensor<4x!quant.uniform<i8:f32, 1.0:0>> does not run yet}}
  %0 = "pyg.nest"(%a0, %a1) ({
  ^bb0(%x: f32):
    "scalar.yield"(%x) : (f32) -> ()
  }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>]} : (tensor<4x!quant.uniform<i8:f32, 1.0:0>>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @main(%a0: tensor<?xf32>, %a1: tensor<4xf32>) {
  // expected-error @below {{tensor<?xf32> has a shape that is not known yet}}
  %0 = "pyg.nest"(%a0, %a1) ({
  ^bb0(%x: f32):
    "scalar.yield"(%x) : (f32) -> ()
  }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>]} : (tensor<?xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @main(%a0: tensor<4xf32>, %a1: tensor<4xf32>) {
  %0 = "pyg.nest"(%a0, %a1) ({
  ^bb0(%x: f32):
    // expected-error @below {{scalar.index names dimension 1 of a launch that has 1}}
    %i = "scalar.index"() {dimension = 1 : i64} : () -> i64
    "scalar.yield"(%x) : (f32) -> ()
  }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @main(%a0: tensor<4xf32>, %a1: tensor<4xf32>) {
  %0 = "pyg.nest"(%a0, %a1) ({
  ^bb0(%x: f32):
    // expected-error @below {{scalar.and has no meaning from (f32, f32) to f32}}
    %i = "scalar.and"(%x, %x) : (f32, f32) -> f32
    "scalar.yield"(%x) : (f32) -> ()
  }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @main(%a0: tensor<4xf32>, %a1: tensor<4xf32>) {
  %0 = "pyg.nest"(%a0, %a1) ({
  ^bb0(%x: f32):
    // expected-error @below {{`immediates` has 1 values, but should have one for each of 2 dimensions}}
    %i = "scalar.reduce_precision"(%x) {immediates = array<i64: 5>} : (f32) -> f32
    "scalar.yield"(%x) : (f32) -> ()
  }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @main(%a0: tensor<4xf32>, %a1: tensor<4xf32>) {
  %0 = "pyg.nest"(%a0, %a1) ({
  ^bb0(%x: f32):
    // expected-error @below {{stablehlo.constant stands in the body of a launch, which is of scalar operations}}
    %c = "stablehlo.constant"() {value = dense<1.0> : tensor<f32>} : () -> tensor<f32>
    "scalar.yield"(%x) : (f32) -> ()
  }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @main(%o: tensor<4xf32>, %s: f32) {
  %0 = "pyg.nest"(%o) ({
    // expected-error @below {{scalar.yield reads %s, which is outside of the function or scalar body that it is in}}
    "scalar.yield"(%s) : (f32) -> ()
  }) {extents = array<i64: 4>, input_count = 0 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0) -> (d0)>]} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{no kernel is named `unheard_of`}}
  %0 = "pyg.kernel"(%a0) {kernel = "unheard_of", attributes = {}} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<3x4xf32>) {
  // expected-error @below {{kernel `contract` needs `lhs_batch`}}
  %0 = "pyg.kernel"(%a0, %a1) {kernel = "contract", attributes = {}} : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<3x4xf32>) {
  // expected-error @below {{`rhs_contract` of kernel `contract` should be of kind Ints}}
  %0 = "pyg.kernel"(%a0, %a1) {kernel = "contract", attributes = {lhs_batch = array<i64>, rhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_contract = "x"}} : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<3x4xf32>) {
  // expected-error @below {{kernel `contract` has no attribute `more`}}
  %0 = "pyg.kernel"(%a0, %a1) {kernel = "contract", attributes = {lhs_batch = array<i64>, rhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_contract = array<i64: 0>, more = true}} : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<4x4xf32>) {
  // expected-error @below {{kernel `contract`: contracted extents [3] and [4] differ}}
  %0 = "pyg.kernel"(%a0, %a1) {kernel = "contract", attributes = {lhs_batch = array<i64>, rhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_contract = array<i64: 0>}} : (tensor<2x3xf32>, tensor<4x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{view of tensor<2x3xf32> (24 bytes) as tensor<2x4xf32> (32 bytes)}}
  %0 = "pyg.view"(%a0) : (tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @main(%a0: tensor<2xi32>) {
  // expected-error @below {{the index should be one element, but is [2]}}
  %0 = "pyg.switch"(%a0) ({
    %c = "pyg.empty"() : () -> tensor<2xf32>
    "pyg.yield"(%c) : (tensor<2xf32>) -> ()
  }) : (tensor<2xi32>) -> tensor<2xf32>
  return
}

// -----

func.func @main() {
  // expected-error @below {{tensor<?xf32> has a shape that is not known yet}}
  %0 = "pyg.empty"() : () -> tensor<?xf32>
  return
}

// -----

func.func @main(%a0: tensor<4xf32>) {
  // expected-error @below {{`rows` should be at least 1}}
  %0 = "pyg.fused"(%a0) ({
  ^bb0(%x: tensor<4xf32>):
    %e = "pyg.empty"() : () -> tensor<4xf32>
    %n = "pyg.nest"(%x, %e) ({
    ^bb0(%v: f32):
      "scalar.yield"(%v) : (f32) -> ()
    }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    "pyg.yield"(%n) : (tensor<4xf32>) -> ()
  }) {name = "fused", rows = 0 : i64} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @main(%a0: tensor<4xf32>) {
  // expected-error @below {{the first of a stage's extents [4] do not count 2 rows}}
  %0 = "pyg.fused"(%a0) ({
  ^bb0(%x: tensor<4xf32>):
    %e = "pyg.empty"() : () -> tensor<4xf32>
    %n = "pyg.nest"(%x, %e) ({
    ^bb0(%v: f32):
      "scalar.yield"(%v) : (f32) -> ()
    }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    "pyg.yield"(%n) : (tensor<4xf32>) -> ()
  }) {name = "fused", rows = 2 : i64} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @main(%a0: tensor<4xf32>) {
  // expected-error @below {{a stage writes into operand 1, which comes from outside}}
  %0 = "pyg.fused"(%a0) ({
  ^bb0(%x: tensor<4xf32>):
    %e = "pyg.empty"() : () -> tensor<4xf32>
    %n = "pyg.nest"(%x, %x) ({
    ^bb0(%v: f32):
      "scalar.yield"(%v) : (f32) -> ()
    }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    "pyg.yield"(%n) : (tensor<4xf32>) -> ()
  }) {name = "fused", rows = 4 : i64} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @main(%a0: tensor<4xf32>) {
  // expected-error @below {{pyg.fused yields as result 0 what is no result of a stage, or yielded twice}}
  %0 = "pyg.fused"(%a0) ({
  ^bb0(%x: tensor<4xf32>):
    %e = "pyg.empty"() : () -> tensor<4xf32>
    %n = "pyg.nest"(%x, %e) ({
    ^bb0(%v: f32):
      "scalar.yield"(%v) : (f32) -> ()
    }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    "pyg.yield"(%e) : (tensor<4xf32>) -> ()
  }) {name = "fused", rows = 4 : i64} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @main(%a0: tensor<4xf32>) {
  // expected-error @below {{a stage touches operand 0, tensor<4xf32>, in other rows than its own}}
  %0 = "pyg.fused"(%a0) ({
  ^bb0(%x: tensor<4xf32>):
    %e = "pyg.empty"() : () -> tensor<4xf32>
    %n = "pyg.nest"(%x, %e) ({
    ^bb0(%v: f32):
      "scalar.yield"(%v) : (f32) -> ()
    }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    %f = "pyg.empty"() : () -> tensor<4xf32>
    %m = "pyg.nest"(%n, %f) ({
    ^bb0(%v: f32):
      "scalar.yield"(%v) : (f32) -> ()
    }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0) -> (-d0 + 3)>, affine_map<(d0) -> (d0)>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    "pyg.yield"(%m) : (tensor<4xf32>) -> ()
  }) {name = "fused", rows = 4 : i64} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @main(%a0: tensor<4xf32>) {
  // expected-error @below {{pyg.fused reads what a nest writes over}}
  %0 = "pyg.fused"(%a0) ({
  ^bb0(%x: tensor<4xf32>):
    %e = "pyg.empty"() : () -> tensor<4xf32>
    %n = "pyg.nest"(%x, %e) ({
    ^bb0(%v: f32):
      "scalar.yield"(%v) : (f32) -> ()
    }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    %m = "pyg.nest"(%n, %n) ({
    ^bb0(%v: f32):
      "scalar.yield"(%v) : (f32) -> ()
    }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    "pyg.yield"(%m) : (tensor<4xf32>) -> ()
  }) {name = "fused", rows = 4 : i64} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @main(%a0: tensor<4xf32>) {
  // expected-error @below {{pyg.fused holds the kernel `check_equal`, which no stages can follow}}
  %0 = "pyg.fused"(%a0) ({
  ^bb0(%x: tensor<4xf32>):
    "pyg.kernel"(%x, %x) {kernel = "check_equal", attributes = {}} : (tensor<4xf32>, tensor<4xf32>) -> ()
    %e = "pyg.empty"() : () -> tensor<4xf32>
    %n = "pyg.nest"(%x, %e) ({
    ^bb0(%v: f32):
      "scalar.yield"(%v) : (f32) -> ()
    }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    "pyg.yield"(%n) : (tensor<4xf32>) -> ()
  }) {name = "fused", rows = 4 : i64} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @main(%a0: tensor<4xf32>) {
  // expected-error @below {{pyg.fused holds a view of tensor<4xf32> as tensor<4xi32>}}
  %0 = "pyg.fused"(%a0) ({
  ^bb0(%x: tensor<4xf32>):
    %w = "pyg.view"(%x) : (tensor<4xf32>) -> tensor<4xi32>
    %e = "pyg.empty"() : () -> tensor<4xf32>
    %n = "pyg.nest"(%x, %e) ({
    ^bb0(%v: f32):
      "scalar.yield"(%v) : (f32) -> ()
    }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    "pyg.yield"(%n) : (tensor<4xf32>) -> ()
  }) {name = "fused", rows = 4 : i64} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @main(%a0: tensor<4xf32>) {
  // expected-error @below {{a stage writes into operand 1, which is a view}}
  %0 = "pyg.fused"(%a0) ({
  ^bb0(%x: tensor<4xf32>):
    %b = "pyg.empty"() : () -> tensor<4xf32>
    %w = "pyg.view"(%b) : (tensor<4xf32>) -> tensor<4xf32>
    %e = "pyg.empty"() : () -> tensor<4xf32>
    %n = "pyg.nest"(%x, %w) ({
    ^bb0(%v: f32):
      "scalar.yield"(%v) : (f32) -> ()
    }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    "pyg.yield"(%n) : (tensor<4xf32>) -> ()
  }) {name = "fused", rows = 4 : i64} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @main(%a0: tensor<f32>) {
  // expected-error @below {{temporaries of a row take 16777220 bytes, at most 16777216 are allowed}}
  %0 = "pyg.fused"(%a0) ({
  ^bb0(%x: tensor<f32>):
    %e = "pyg.empty"() : () -> tensor<4194305xf32>
    %n = "pyg.nest"(%x, %e) ({
    ^bb0(%v: f32):
      "scalar.yield"(%v) : (f32) -> ()
    }) {extents = array<i64: 4194305>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0) -> ()>, affine_map<(d0) -> (d0)>]} : (tensor<f32>, tensor<4194305xf32>) -> tensor<4194305xf32>
    "pyg.yield"(%n) : (tensor<4194305xf32>) -> ()
  }) {name = "fused", rows = 1 : i64} : (tensor<f32>) -> tensor<4194305xf32>
  return
}

// -----

func.func @main(%a0: tensor<4x4xf32>) {
  // expected-error @below {{pyg.fused yields as result 0 what is no result of a stage, or yielded twice}}
  %0 = "pyg.fused"(%a0) ({
  ^bb0(%x: tensor<4x4xf32>):
    %e = "pyg.empty"() : () -> tensor<4x4xf32>
    %n = "pyg.nest"(%x, %e) ({
    ^bb0(%v: f32):
      "scalar.yield"(%v) : (f32) -> ()
    }) {extents = array<i64: 4, 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>]} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    %p = "pyg.kernel"(%x, %x) {kernel = "contract", attributes = {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>}} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    "pyg.yield"(%n) : (tensor<4x4xf32>) -> ()
  }) {name = "fused", rows = 16 : i64} : (tensor<4x4xf32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @main(%a0: tensor<4x4xf32>) {
  // expected-error @below {{pyg.fused holds the kernel `contract` behind another one}}
  %0 = "pyg.fused"(%a0) ({
  ^bb0(%x: tensor<4x4xf32>):
    %p = "pyg.kernel"(%x, %x) {kernel = "contract", attributes = {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>}} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    %q = "pyg.kernel"(%x, %x) {kernel = "contract", attributes = {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>}} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    %e = "pyg.empty"() : () -> tensor<4x4xf32>
    %n = "pyg.nest"(%p, %e) ({
    ^bb0(%v: f32):
      "scalar.yield"(%v) : (f32) -> ()
    }) {extents = array<i64: 4, 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>]} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    "pyg.yield"(%n) : (tensor<4x4xf32>) -> ()
  }) {name = "fused", rows = 16 : i64} : (tensor<4x4xf32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @main(%a0: tensor<4x4xf32>) {
  // expected-error @below {{kernel `contract` reads as operand 0 what is made in its own launch}}
  %0 = "pyg.fused"(%a0) ({
  ^bb0(%x: tensor<4x4xf32>):
    %h = "pyg.empty"() : () -> tensor<4x4xf32>
    %p = "pyg.kernel"(%h, %x) {kernel = "contract", attributes = {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>}} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    %e = "pyg.empty"() : () -> tensor<4x4xf32>
    %n = "pyg.nest"(%p, %e) ({
    ^bb0(%v: f32):
      "scalar.yield"(%v) : (f32) -> ()
    }) {extents = array<i64: 4, 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>]} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    "pyg.yield"(%n) : (tensor<4x4xf32>) -> ()
  }) {name = "fused", rows = 16 : i64} : (tensor<4x4xf32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @main(%a0: tensor<4x4xf32>) {
  // expected-error @below {{kernel `contract` makes 16 elements for 3 rows}}
  %0 = "pyg.fused"(%a0) ({
  ^bb0(%x: tensor<4x4xf32>):
    %p = "pyg.kernel"(%x, %x) {kernel = "contract", attributes = {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>}} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    %e = "pyg.empty"() : () -> tensor<4x4xf32>
    %n = "pyg.nest"(%p, %e) ({
    ^bb0(%v: f32):
      "scalar.yield"(%v) : (f32) -> ()
    }) {extents = array<i64: 4, 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>]} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    "pyg.yield"(%n) : (tensor<4x4xf32>) -> ()
  }) {name = "fused", rows = 3 : i64} : (tensor<4x4xf32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @main(%a0: tensor<4x4xf32>) {
  // expected-error @below {{pyg.fused holds no nest}}
  %0 = "pyg.fused"(%a0) ({
  ^bb0(%x: tensor<4x4xf32>):
    %p = "pyg.kernel"(%x, %x) {kernel = "contract", attributes = {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>}} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    "pyg.yield"(%p) : (tensor<4x4xf32>) -> ()
  }) {name = "fused", rows = 16 : i64} : (tensor<4x4xf32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @main(%a0: tensor<4x4xf32>) {
  // expected-error @below {{a stage touches operand 0, tensor<4x4xf32>, in other rows than its own}}
  %0 = "pyg.fused"(%a0) ({
  ^bb0(%x: tensor<4x4xf32>):
    %p = "pyg.kernel"(%x, %x) {kernel = "contract", attributes = {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>}} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    %e = "pyg.empty"() : () -> tensor<4x4xf32>
    %n = "pyg.nest"(%p, %e) ({
    ^bb0(%v: f32):
      "scalar.yield"(%v) : (f32) -> ()
    }) {extents = array<i64: 4, 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0, d1) -> (d1, d0)>, affine_map<(d0, d1) -> (d0, d1)>]} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    "pyg.yield"(%n) : (tensor<4x4xf32>) -> ()
  }) {name = "fused", rows = 4 : i64} : (tensor<4x4xf32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @main(%a0: tensor<4x4xf32>) {
  // expected-error @below {{a nest before a kernel folds}}
  %0 = "pyg.fused"(%a0) ({
  ^bb0(%x: tensor<4x4xf32>):
    %e = "pyg.empty"() : () -> tensor<4x4xf32>
    %n = "pyg.nest"(%x, %e) ({
    ^bb0(%v: f32):
      "scalar.yield"(%v) : (f32) -> ()
    }, {
    ^bb0(%a: f32, %b: f32):
      %s = "scalar.add"(%a, %b) : (f32, f32) -> f32
      "scalar.yield"(%s) : (f32) -> ()
    }) {extents = array<i64: 4, 4, 1>, input_count = 1 : i64, reduction_dims = 1 : i64, maps = [affine_map<(d0, d1, d2) -> (d0, d1)>, affine_map<(d0, d1, d2) -> (d0, d1)>]} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    %p = "pyg.kernel"(%x, %n) {kernel = "contract", attributes = {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>}} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    "pyg.yield"(%p) : (tensor<4x4xf32>) -> ()
  }) {name = "fused", rows = 1 : i64} : (tensor<4x4xf32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @main(%a0: tensor<4x4xf32>) {
  // expected-error @below {{a nest before a kernel writes into what is no empty tensor of its own}}
  %0 = "pyg.fused"(%a0) ({
  ^bb0(%x: tensor<4x4xf32>):
    %n = "pyg.nest"(%x, %x) ({
    ^bb0(%v0: f32):
      "scalar.yield"(%v0) : (f32) -> ()
    }) {extents = array<i64: 4, 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>]} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    %p = "pyg.kernel"(%x, %n) {kernel = "contract", attributes = {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>}} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    "pyg.yield"(%p) : (tensor<4x4xf32>) -> ()
  }) {name = "fused", rows = 1 : i64} : (tensor<4x4xf32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @main(%a0: tensor<4x4xf32>) {
  // expected-error @below {{a nest before a kernel reads as operand 0 what is made in its own launch}}
  %0 = "pyg.fused"(%a0) ({
  ^bb0(%x: tensor<4x4xf32>):
    %e = "pyg.empty"() : () -> tensor<4x4xf32>
    %f = "pyg.empty"() : () -> tensor<4x4xf32>
    %m = "pyg.nest"(%x, %f) ({
    ^bb0(%v0: f32):
      "scalar.yield"(%v0) : (f32) -> ()
    }) {extents = array<i64: 4, 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>]} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    %n = "pyg.nest"(%m, %e) ({
    ^bb0(%v0: f32):
      "scalar.yield"(%v0) : (f32) -> ()
    }) {extents = array<i64: 4, 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>]} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    %p = "pyg.kernel"(%x, %n) {kernel = "contract", attributes = {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>}} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    "pyg.yield"(%p) : (tensor<4x4xf32>) -> ()
  }) {name = "fused", rows = 1 : i64} : (tensor<4x4xf32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @main(%a0: tensor<4x4xf32>) {
  // expected-error @below {{a nest before a kernel does not make its tensor element by element, in order}}
  %0 = "pyg.fused"(%a0) ({
  ^bb0(%x: tensor<4x4xf32>):
    %e = "pyg.empty"() : () -> tensor<4x4xf32>
    %n = "pyg.nest"(%x, %e) ({
    ^bb0(%v0: f32):
      "scalar.yield"(%v0) : (f32) -> ()
    }) {extents = array<i64: 4, 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d1, d0)>]} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    %p = "pyg.kernel"(%x, %n) {kernel = "contract", attributes = {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>}} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    "pyg.yield"(%p) : (tensor<4x4xf32>) -> ()
  }) {name = "fused", rows = 1 : i64} : (tensor<4x4xf32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @main(%a0: tensor<4x4xf32>) {
  // expected-error @below {{a stage touches operand 0, which is made for the kernel alone}}
  %0 = "pyg.fused"(%a0) ({
  ^bb0(%x: tensor<4x4xf32>):
    %e = "pyg.empty"() : () -> tensor<4x4xf32>
    %n = "pyg.nest"(%x, %e) ({
    ^bb0(%v0: f32):
      "scalar.yield"(%v0) : (f32) -> ()
    }) {extents = array<i64: 4, 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>]} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    %p = "pyg.kernel"(%x, %n) {kernel = "contract", attributes = {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>}} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    %g = "pyg.empty"() : () -> tensor<4x4xf32>
    %o = "pyg.nest"(%n, %p, %g) ({
    ^bb0(%v0: f32, %v1: f32):
      "scalar.yield"(%v0) : (f32) -> ()
    }) {extents = array<i64: 4, 4>, input_count = 2 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>]} : (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    "pyg.yield"(%o) : (tensor<4x4xf32>) -> ()
  }) {name = "fused", rows = 1 : i64} : (tensor<4x4xf32>) -> tensor<4x4xf32>
  return
}

// -----

// A scalar constant is of a type that a device has.
func.func @main(%a0: tensor<4xf32>, %a1: tensor<4xf32>) {
  %0 = "pyg.nest"(%a0, %a1) ({
  ^bb0(%x: f32):
    // expected-error @below {{i5 does not run yet}}
    %c = "scalar.constant"() {value = 1 : i5} : () -> i5
    "scalar.yield"(%x) : (f32) -> ()
  }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

// So is what a body takes.
func.func @main(%x: tensor<4xf32>) {
  // expected-error @below {{body 0 of the launch takes i5, which is no scalar that a device has}}
  %0 = "pyg.kernel"(%x) ({
  ^bb0(%a: i5, %b: i5):
    %t = "scalar.constant"() {value = true} : () -> i1
    "scalar.yield"(%t) : (i1) -> ()
  }) {kernel = "sort", attributes = {dimension = 0 : i64, stable = false}} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

// What is wrong in a body is said there, once.
func.func @main(%x: tensor<4xf32>) {
  %0 = "pyg.kernel"(%x) ({
  ^bb0(%a: f32, %b: f32):
    // expected-error @below {{scalar.index names dimension 0 of a launch that has 0}}
    %i = "scalar.index"() {dimension = 0 : i64} : () -> i64
    %t = "scalar.lt"(%a, %b) : (f32, f32) -> i1
    "scalar.yield"(%t) : (i1) -> ()
  }) {kernel = "sort", attributes = {dimension = 0 : i64, stable = false}} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @main(%i: tensor<i5>) {
  // expected-error @below {{tensor<i5> does not run yet}}
  "pyg.switch"(%i) ({
    "pyg.yield"() : () -> ()
  }) : (tensor<i5>) -> ()
  return
}

// -----

// Places are planned for all results, and are those of arguments and results that there are.
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {pyg.arena_bytes = 64 : i64} {
  %e = "pyg.empty"() : () -> tensor<4xf32>
  // expected-error @below {{`places` names result 5 of a function that has 1}}
  %1 = "pyg.nest"(%x, %e) ({
  ^bb0(%a: f32):
    "scalar.yield"(%a) : (f32) -> ()
  }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], places = ["result 5"]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  // expected-error @below {{`places` names argument 1 of a function that has 1}}
  %2 = "pyg.nest"(%x, %1) ({
  ^bb0(%a: f32):
    "scalar.yield"(%a) : (f32) -> ()
  }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], places = ["argument 1"]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  // expected-error @below {{`places` has 2 places for 1 results}}
  %3 = "pyg.nest"(%x, %2) ({
  ^bb0(%a: f32):
    "scalar.yield"(%a) : (f32) -> ()
  }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], places = ["arena 0", "arena 64"]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %3 : tensor<4xf32>
}

// -----

// expected-error @below {{`pyg.arena_bytes` should be a number of bytes}}
func.func @main() attributes {pyg.arena_bytes = -64 : i64} {
  return
}
