// Plans written by hand whose memory does not fit: nothing is emitted that a loader would refuse.
// RUN: not %pygraph-compile %s --split-input-file -o %t.pyg 2>&1 | FileCheck %s
// RUN: not ls %t.0.pyg

// CHECK: error: `places` has not one place a result: run `plan-memory`
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
