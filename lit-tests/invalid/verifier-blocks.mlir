// RUN: %pygraph-opt %s --pipeline= --split-input-file --verify-diagnostics

// Parameter blocks that the verifier refuses, and launches that something which changes reaches in another way.

"pyg.param_block"() {sym_name = "b", bytes = 16 : i64, fields = [{name = "x", kind = "address", offset = 0 : i64, argument = 0 : i64, type = tensor<4xf32>}]} : () -> ()
func.func @main(%x: tensor<4xf32> {pyg.bind = "step"}) -> tensor<4xf32> {
  // expected-error @below {{`pyg.nest` reads argument 0, which changes between steps, and not through the block}}
  %0 = "pyg.segment"() ({
    %e = "pyg.empty"() : () -> tensor<4xf32>
    %1 = "pyg.nest"(%x, %e) ({
    ^bb0(%a: f32):
      "scalar.yield"(%a) : (f32) -> ()
    }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, places = ["arena 0"], maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    "pyg.yield"(%1) : (tensor<4xf32>) -> ()
  }) {sym_name = "s0", block = @b} : () -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

"pyg.param_block"() {sym_name = "b", bytes = 16 : i64, fields = [{name = "x", kind = "address", offset = 0 : i64, argument = 0 : i64, type = tensor<4xf32>}]} : () -> ()
func.func @main(%x: tensor<4xf32> {pyg.bind = "step"}) -> tensor<4xf32> {
  // expected-error @below {{result 0 is written, and its address is in no field of the block}}
  %0 = "pyg.segment"() ({
    %e = "pyg.empty"() : () -> tensor<4xf32>
    %f = "pyg.block.field"() {block = @b, field = "x"} : () -> tensor<4xf32>
    %1 = "pyg.nest"(%f, %e) ({
    ^bb0(%a: f32):
      "scalar.yield"(%a) : (f32) -> ()
    }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, places = ["result 0"], maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    "pyg.yield"(%1) : (tensor<4xf32>) -> ()
  }) {sym_name = "s0", block = @b} : () -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

"pyg.param_block"() {sym_name = "b", bytes = 16 : i64, fields = [{name = "x", kind = "address", offset = 0 : i64, argument = 0 : i64, type = tensor<4xf32>}]} : () -> ()
"pyg.param_block"() {sym_name = "c", bytes = 16 : i64, fields = [{name = "x", kind = "address", offset = 0 : i64, argument = 0 : i64, type = tensor<4xf32>}]} : () -> ()
func.func @main(%x: tensor<4xf32> {pyg.bind = "step"}) -> tensor<4xf32> {
  // expected-error @below {{a field of another block than the segment's is read}}
  %0 = "pyg.segment"() ({
    %e = "pyg.empty"() : () -> tensor<4xf32>
    %f = "pyg.block.field"() {block = @c, field = "x"} : () -> tensor<4xf32>
    %1 = "pyg.nest"(%f, %e) ({
    ^bb0(%a: f32):
      "scalar.yield"(%a) : (f32) -> ()
    }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, places = ["arena 0"], maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    "pyg.yield"(%1) : (tensor<4xf32>) -> ()
  }) {sym_name = "s0", block = @b} : () -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @main(%x: tensor<4xf32> {pyg.bind = "step"}) -> tensor<4xf32> {
  // expected-error @below {{`block` names no parameter block}}
  %0 = "pyg.segment"() ({
    %e = "pyg.empty"() : () -> tensor<4xf32>
    %f = "pyg.empty"() : () -> tensor<4xf32>
    %1 = "pyg.nest"(%f, %e) ({
    ^bb0(%a: f32):
      "scalar.yield"(%a) : (f32) -> ()
    }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, places = ["arena 0"], maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    "pyg.yield"(%1) : (tensor<4xf32>) -> ()
  }) {sym_name = "s0", block = @b} : () -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// expected-error @below {{field `x` at 0 leaves the block of 4 bytes}}
"pyg.param_block"() {sym_name = "b", bytes = 4 : i64, fields = [{name = "x", kind = "address", offset = 0 : i64, argument = 0 : i64, type = tensor<4xf32>}]} : () -> ()

// -----

// expected-error @below {{field `y` at 4 should lie at a multiple of 8, not below 8}}
"pyg.param_block"() {sym_name = "b", bytes = 16 : i64, fields = [{name = "x", kind = "address", offset = 0 : i64, argument = 0 : i64, type = tensor<4xf32>}, {name = "y", kind = "address", offset = 4 : i64, argument = 0 : i64, type = tensor<4xf32>}]} : () -> ()

// -----

// expected-error @below {{two fields are named `x`}}
"pyg.param_block"() {sym_name = "b", bytes = 16 : i64, fields = [{name = "x", kind = "address", offset = 0 : i64, argument = 0 : i64, type = tensor<4xf32>}, {name = "x", kind = "address", offset = 0 : i64, argument = 0 : i64, type = tensor<4xf32>}]} : () -> ()

// -----

// expected-error @below {{`bytes` is negative}}
"pyg.param_block"() {sym_name = "b", bytes = -8 : i64, fields = [{name = "x", kind = "address", offset = 0 : i64, argument = 0 : i64, type = tensor<4xf32>}]} : () -> ()

// -----

// expected-error @below {{each of `fields` should have `name`, `kind` (`value` or `address`), `offset`, `type`, and `argument` or `result`}}
"pyg.param_block"() {sym_name = "b", bytes = 16 : i64, fields = [{name = "x", kind = "pointer", offset = 0 : i64, argument = 0 : i64, type = tensor<4xf32>}]} : () -> ()

// -----

"pyg.param_block"() {sym_name = "b", bytes = 16 : i64, fields = [{name = "x", kind = "address", offset = 0 : i64, argument = 0 : i64, type = tensor<4xf32>}]} : () -> ()
func.func @main(%x: tensor<4xf32>) {
  // expected-error @below {{0 arguments fill 1 fields of the block}}
  "pyg.block.write"() {block = @b} : () -> ()
  return
}

// -----

"pyg.param_block"() {sym_name = "b", bytes = 16 : i64, fields = [{name = "x", kind = "address", offset = 0 : i64, argument = 0 : i64, type = tensor<4xf32>}]} : () -> ()
func.func @main(%x: tensor<2xf32>) {
  // expected-error @below {{field `x` is tensor<4xf32>, but is filled with tensor<2xf32>}}
  "pyg.block.write"(%x) {block = @b} : (tensor<2xf32>) -> ()
  return
}

// -----

"pyg.param_block"() {sym_name = "b", bytes = 16 : i64, fields = [{name = "x", kind = "address", offset = 0 : i64, argument = 0 : i64, type = tensor<4xf32>}]} : () -> ()
func.func @main() {
  // expected-error @below {{the block has no field `y`}}
  %0 = "pyg.block.field"() {block = @b, field = "y"} : () -> tensor<4xf32>
  return
}

// -----

"pyg.param_block"() {sym_name = "b", bytes = 16 : i64, fields = [{name = "x", kind = "address", offset = 0 : i64, argument = 0 : i64, type = tensor<4xf32>}]} : () -> ()
func.func @main() {
  // expected-error @below {{field `x` is tensor<4xf32>, but is read as tensor<2xf32>}}
  %0 = "pyg.block.field"() {block = @b, field = "x"} : () -> tensor<2xf32>
  return
}

// -----

func.func @main(%x: tensor<4xf32> {pyg.bind = "step"}) -> tensor<4xf32> {
  %0 = "pyg.segment"() ({
    %e = "pyg.empty"() : () -> tensor<4xf32>
    // expected-error @below {{a list of places (`arena OFFSET`, `argument N` or `result N`)}}
    %1 = "pyg.nest"(%x, %e) ({
    ^bb0(%a: f32):
      "scalar.yield"(%a) : (f32) -> ()
    }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, places = ["heap 0"], maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    "pyg.yield"(%1) : (tensor<4xf32>) -> ()
  }) {sym_name = "s0"} : () -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
