// Plans written by hand whose memory does not fit: nothing is emitted that a loader would refuse.
// RUN: not %pygraph-compile %s --split-input-file -o %t.pyg 2>&1 | FileCheck %s
// RUN: not ls %t.0.pyg

// CHECK: error: `places` is missing: run `plan-memory`
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {pyg.arena_bytes = 64 : i64} {
  %0 = "pyg.segment"() ({
    %e = "pyg.empty"() : () -> tensor<4xf32>
    %1 = "pyg.nest"(%x, %e) ({
    ^bb0(%a: f32):
      "scalar.yield"(%a) : (f32) -> ()
    }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    "pyg.yield"(%1) : (tensor<4xf32>) -> ()
  }) {sym_name = "s0"} : () -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----
// CHECK: error: the memory of a value that it names is not planned: run `plan-memory` first
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {pyg.arena_bytes = 64 : i64} {
  %0 = "pyg.segment"() ({
    %e = "pyg.empty"() : () -> tensor<4xf32>
    "pyg.yield"(%e) : (tensor<4xf32>) -> ()
  }) {sym_name = "s0"} : () -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----
// CHECK: error: the plan is not valid: program `main`: buffer 1 of 16 bytes at offset 640 leaves the arena of 64 bytes
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {pyg.arena_bytes = 64 : i64} {
  %0 = "pyg.segment"() ({
    %e = "pyg.empty"() : () -> tensor<4xf32>
    %1 = "pyg.nest"(%x, %e) ({
    ^bb0(%a: f32):
      "scalar.yield"(%a) : (f32) -> ()
    }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], places = ["arena 640"]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    "pyg.yield"(%1) : (tensor<4xf32>) -> ()
  }) {sym_name = "s0"} : () -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----
// CHECK: error: a value handed on at Arena { offset: 0 } is read at Arena { offset: 64 }: plan memory again
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {pyg.arena_bytes = 256 : i64} {
  %0 = "pyg.segment"() ({
    %e = "pyg.empty"() : () -> tensor<4xf32>
    %1 = "pyg.nest"(%x, %e) ({
    ^bb0(%a: f32):
      "scalar.yield"(%a) : (f32) -> ()
    }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], places = ["arena 0"]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    %2 = "pyg.nest"(%x, %1) ({
    ^bb0(%a: f32):
      "scalar.yield"(%a) : (f32) -> ()
    }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], places = ["arena 64"]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    "pyg.yield"(%2) : (tensor<4xf32>) -> ()
  }) {sym_name = "s0"} : () -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----
// CHECK: error: a launch works on tensors that run
func.func @main(%x: tensor<?xf32>) -> tensor<?xf32> {
  return %x : tensor<?xf32>
}

// -----
// CHECK: error: the function has no body
func.func @main(%x: tensor<4xf32>)

// -----
// CHECK: error: `pyg.empty` is in no segment: run `form-segments`
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {pyg.arena_bytes = 64 : i64} {
  "pyg.segment"() ({
    "pyg.yield"() : () -> ()
  }) {sym_name = "s0"} : () -> ()
  %e = "pyg.empty"() : () -> tensor<4xf32>
  %1 = "pyg.nest"(%x, %e) ({
  ^bb0(%a: f32):
    "scalar.yield"(%a) : (f32) -> ()
  }) {extents = array<i64: 4>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], places = ["arena 0"]} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// -----
// CHECK: error: `pyg.segment` is no step of a segment
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {pyg.arena_bytes = 64 : i64} {
  "pyg.segment"() ({
    "pyg.segment"() ({
      "pyg.yield"() : () -> ()
    }) {sym_name = "s1"} : () -> ()
    "pyg.yield"() : () -> ()
  }) {sym_name = "s0"} : () -> ()
  return %x : tensor<4xf32>
}

// -----
// CHECK: error: argument 1 of the function has a type that does not run yet
func.func @main(%x: tensor<4xf32> {pyg.bind = "once"}, %y: tensor<4xi5>) -> tensor<4xf32> attributes {pyg.arena_bytes = 64 : i64} {
  "pyg.segment"() ({
    "pyg.yield"() : () -> ()
  }) {sym_name = "s0"} : () -> ()
  return %x : tensor<4xf32>
}

// -----
// CHECK: error: operand 0 is walked in steps beyond 64 bits
func.func @main(%x: tensor<4x4xf32>) -> tensor<1xf32> {
  %e = "pyg.empty"() : () -> tensor<1xf32>
  %1 = "pyg.nest"(%x, %e) ({
  ^bb0(%a: f32):
    "scalar.yield"(%a) : (f32) -> ()
  }) {extents = array<i64: 1>, input_count = 1 : i64, reduction_dims = 0 : i64, maps = [affine_map<(d0) -> (d0 * 9223372036854775807, 0)>, affine_map<(d0) -> (d0)>]} : (tensor<4x4xf32>, tensor<1xf32>) -> tensor<1xf32>
  return %1 : tensor<1xf32>
}

// -----
// CHECK: error: the constant is too large
func.func @main() -> tensor<4611686018427387904xi64> attributes {pyg.arena_bytes = 64 : i64} {
  %0 = "pyg.segment"() ({
    %c = "pyg.constant"() {value = dense<0> : tensor<4611686018427387904xi64>} : () -> tensor<4611686018427387904xi64>
    "pyg.yield"(%c) : (tensor<4611686018427387904xi64>) -> ()
  }) {sym_name = "s0"} : () -> tensor<4611686018427387904xi64>
  return %0 : tensor<4611686018427387904xi64>
}
