// What the report says of caches: arenas, how they grow by handles of two tokens, and state that is no cache.
// RUN: %pygraph-compile %s --kv-handle-bytes=128 --report %t.json --report %t.html --report - | FileCheck %s --check-prefix=TABLE
// RUN: FileCheck %s --check-prefix=JSON < %t.json
// RUN: FileCheck %s --check-prefix=PAGE < %t.html
// RUN: %pygraph-compile %s --kv-handle-bytes=128 --remarks=json -o %t.pyg 2>&1 | FileCheck %s --check-prefix=REMARKS

// TABLE: arena @kv      2 slots of 8 tokens, 1 layers, 32 B a token; 512 B reserved, mapped as it grows: 256 B at 1 token, 512 B at 8
// TABLE-NEXT: k:k0 v:v0
// TABLE-NEXT: no caches      whole, count: see what was refused
// TABLE: refused ({{[0-9]+}})
// TABLE: state `whole` of @main: it is no cache, since it is replaced by something other than an update at a position; write whole rows to it at a position, if it is a cache
// TABLE: state `count` of @main: it is no cache, since it is a tensor<i32>, which has no rows of features

// JSON: "kv": {
// JSON-NEXT: "arenas": [
// JSON-NEXT: {
// JSON-NEXT: "arguments": [
// JSON: "argument": "k",
// JSON-NEXT: "bytes": 256,
// JSON-NEXT: "layer": 0,
// JSON-NEXT: "role": "k"
// JSON: "bounded": true,
// JSON: "features": [
// JSON: "growth": [
// JSON-NEXT: {
// JSON-NEXT: "mapped_bytes": 0,
// JSON-NEXT: "tokens": 0
// JSON-NEXT: },
// JSON-NEXT: {
// JSON-NEXT: "mapped_bytes": 256,
// JSON-NEXT: "tokens": 1
// JSON-NEXT: },
// JSON-NEXT: {
// JSON-NEXT: "mapped_bytes": 512,
// JSON-NEXT: "tokens": 5
// JSON: "handle_bytes": 128,
// JSON-NEXT: "layers": 1,
// JSON-NEXT: "name": "kv",
// JSON-NEXT: "reservation_bytes": 512,
// JSON-NEXT: "slots": 2,
// JSON-NEXT: "token_bytes": 32,
// JSON-NEXT: "tokens_max": 8,
// JSON-NEXT: "window": null
// JSON: "refusals": [
// JSON-NEXT: {
// JSON-NEXT: "argument": "whole",
// JSON-NEXT: "bytes": 256,
// JSON-NEXT: "location": "{{.*}}compile-report-caches.mlir:[[#]]:[[#]]",
// JSON-NEXT: "reason": "it is no cache, since it is replaced by something other than an update at a position",
// JSON-NEXT: "remedy": "write whole rows to it at a position, if it is a cache"
// JSON: "argument": "count",

// PAGE: <h2>Caches</h2>
// PAGE: arena @kv · 2 slots of 8 tokens
// PAGE: aria-label="a token in the arena"
// PAGE: aria-label="bytes mapped as the cache grows"
// PAGE: state that lies in no arena

// REMARKS-DAG: "op":"state `whole` of @main"
// REMARKS-DAG: "op":"@kv"
// REMARKS-DAG: "op":"argument `pos`"

func.func @main(%k: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "k", pyg.updated_by = 0 : i64}, %v: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "v", pyg.updated_by = 1 : i64}, %whole: tensor<2x8x1x4xf32> {pyg.bind = "state", pyg.name = "whole", pyg.updated_by = 2 : i64}, %count: tensor<i32> {pyg.bind = "state", pyg.name = "count", pyg.updated_by = 3 : i64}, %q: tensor<2x1x2x4xf32>, %new: tensor<2x1x1x4xf32>, %pos: tensor<i32> {pyg.bind = "step", pyg.name = "pos"}) -> (tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<i32>, tensor<2x1x2x4xf32>) {
  %c = stablehlo.constant dense<0> : tensor<i32>
  %one = stablehlo.constant dense<1> : tensor<i32>
  %nk = stablehlo.dynamic_update_slice %k, %new, %c, %pos, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %nv = stablehlo.dynamic_update_slice %v, %new, %c, %pos, %c, %c : (tensor<2x8x1x4xf32>, tensor<2x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x8x1x4xf32>
  %nw = stablehlo.negate %whole : tensor<2x8x1x4xf32>
  %nc = stablehlo.add %count, %one : tensor<i32>
  %at = stablehlo.reshape %pos : (tensor<i32>) -> tensor<1x1xi32>
  %a = "pyg.attention"(%q, %nk, %nv, %at) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0>, q_dims = array<i64: 0, 1, 2, 3>, k_dims = array<i64: 0, 1, 2, 3>, v_dims = array<i64: 0, 1, 2, 3>, output_dims = array<i64: 0, 1, 2, 3>, key_type = f32, value_type = f32, score_type = f32, logit_type = f32, softmax_type = f32, probability_type = f32} : (tensor<2x1x2x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<1x1xi32>) -> tensor<2x1x2x4xf32>
  return %nk, %nv, %nw, %nc, %a : tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<2x8x1x4xf32>, tensor<i32>, tensor<2x1x2x4xf32>
}
