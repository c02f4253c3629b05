// A decode step as PyTorch decomposes it, with an added mask of minus infinity and a softmax that gives zeros where all is hidden,
// and its near misses: the numbers are those of the operations, whatever the position. Every miss changes one thing.
// RUN: env SHAPE=1 %near-miss %s | FileCheck %s --check-prefix=BOUND
// BOUND: choice: @kv: `k`, `v` lie in it, and only rows up to the position are read of its 8, provided: rows that are not read are finite; scores of hidden keys, which the fill is added to, are finite
// BOUND: choice: argument `pos`: it is bound as `host`, not `step`: it sets how much of @kv is mapped

// `<` for `<=`: at position 0 everything is hidden, and the result is zero, however many rows are read.
// RUN: sed 's/compare LE/compare LT/' %s > %t.less.mlir
// RUN: env SHAPE=1 %near-miss %t.less.mlir | FileCheck %s --check-prefix=BOUND
// Without the guard the result is no number there, however many rows are read.
// RUN: sed 's/dot_general %%safe/dot_general %%p/' %s > %t.unsafe.mlir
// RUN: env SHAPE=1 %near-miss %t.unsafe.mlir | FileCheck %s --check-prefix=BOUND
// RUN: sed 's/dot_general %%safe/dot_general %%p/; s/compare LE/compare LT/' %s > %t.unsafe-less.mlir
// RUN: env SHAPE=1 %near-miss %t.unsafe-less.mlir | FileCheck %s --check-prefix=BOUND

// A guard that gives zeros to the rows that are visible: no attention, and no bound.
// RUN: sed 's/select %%empty, %%zeros, %%p/select %%empty, %%p, %%zeros/' %s > %t.inverse.mlir
// RUN: env SHAPE=1 %near-miss %t.inverse.mlir | FileCheck %s --check-prefix=INVERSE
// INVERSE: state `k` of @{{.*}}: it is in @kv, which is mapped in full: its new value is read by `stablehlo.

// A finite fill, and `<`.
// RUN: sed 's/dense<0xFF800000> : tensor<1x8xf32>/dense<-65504.0> : tensor<1x8xf32>/' %s > %t.finite.mlir
// RUN: env SHAPE=1 %near-miss %t.finite.mlir | FileCheck %s --check-prefix=FINITE
// FINITE: choice: @kv: `k`, `v` lie in it, and only rows up to the position are read of its 8, provided: rows that are not read are finite; scores are well above the fill of the mask; scores of hidden keys, which the fill is added to, are finite
// RUN: sed 's/dense<0xFF800000> : tensor<1x8xf32>/dense<-65504.0> : tensor<1x8xf32>/; s/compare LE/compare LT/' %s > %t.finite-less.mlir
// RUN: env SHAPE=1 %near-miss %t.finite-less.mlir | FileCheck %s --check-prefix=FINITE-LESS
// FINITE-LESS: state `k` of @{{.*}}: it is in @kv, which is mapped in full: the mask shows 1 rows fewer than those up to the position that is written

// A window of three keys, with the guard and without: overlong positions see no key then, and the result is zero, or no number.
// RUN: sed 's/select %%visible,/select %%windowed,/' %s > %t.window.mlir
// RUN: env SHAPE=1 %near-miss %t.window.mlir | FileCheck %s --check-prefix=LAST
// RUN: sed 's/select %%visible,/select %%windowed,/; s/dot_general %%safe/dot_general %%p/' %s > %t.window-unsafe.mlir
// RUN: env SHAPE=1 %near-miss %t.window-unsafe.mlir | FileCheck %s --check-prefix=LAST
// LAST: choice: @kv: `k`, `v` lie in it, and only the last 3 rows up to the position are read of its 8 (those below the last 3 are unmapped, and handed back as zeros, unless the caches were handed in), provided: rows that are not read are finite; scores of hidden keys, which the fill is added to, are finite

// Another scalar in the mask.
// RUN: sed 's/slice %%pos/slice %%other/' %s > %t.other.mlir
// RUN: env SHAPE=1 %near-miss %t.other.mlir | FileCheck %s --check-prefix=OTHER
// OTHER: state `k` of @{{.*}}: it is in @kv, which is mapped in full: the mask goes by another position than the update in `pyg.attention` at
func.func @main(%k: tensor<1x2x8x4xf32> {pyg.name = "k", pyg.updated_by = 1 : i64}, %v: tensor<1x2x8x4xf32> {pyg.name = "v", pyg.updated_by = 2 : i64}, %q: tensor<1x4x1x4xf32>, %new: tensor<1x2x1x4xf32>, %other: tensor<1xi32>, %pos: tensor<1xi32> {pyg.name = "pos"}) -> (tensor<1x4x1x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>) {
  %c0 = stablehlo.constant dense<0> : tensor<1xi32>
  %c8 = stablehlo.constant dense<8> : tensor<1xi32>
  %negative = stablehlo.compare LT, %pos, %c0, SIGNED : (tensor<1xi32>, tensor<1xi32>) -> tensor<1xi1>
  %around = stablehlo.add %pos, %c8 : tensor<1xi32>
  %wrapped = stablehlo.select %negative, %around, %pos : tensor<1xi1>, tensor<1xi32>
  %index = stablehlo.reshape %wrapped : (tensor<1xi32>) -> tensor<1x1xi32>
  %k1 = "stablehlo.scatter"(%k, %index, %new) ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    stablehlo.return %b : tensor<f32>
  }) {scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [0, 1, 3], inserted_window_dims = [2], scatter_dims_to_operand_dims = [2], index_vector_dim = 1>} : (tensor<1x2x8x4xf32>, tensor<1x1xi32>, tensor<1x2x1x4xf32>) -> tensor<1x2x8x4xf32>
  %v1 = "stablehlo.scatter"(%v, %index, %new) ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    stablehlo.return %b : tensor<f32>
  }) {scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [0, 1, 3], inserted_window_dims = [2], scatter_dims_to_operand_dims = [2], index_vector_dim = 1>} : (tensor<1x2x8x4xf32>, tensor<1x1xi32>, tensor<1x2x1x4xf32>) -> tensor<1x2x8x4xf32>
  %kr = stablehlo.reshape %k1 : (tensor<1x2x8x4xf32>) -> tensor<1x2x1x8x4xf32>
  %kb = stablehlo.broadcast_in_dim %kr, dims = [0, 1, 2, 3, 4] : (tensor<1x2x1x8x4xf32>) -> tensor<1x2x2x8x4xf32>
  %kh = stablehlo.reshape %kb : (tensor<1x2x2x8x4xf32>) -> tensor<1x4x8x4xf32>
  %vr = stablehlo.reshape %v1 : (tensor<1x2x8x4xf32>) -> tensor<1x2x1x8x4xf32>
  %vb = stablehlo.broadcast_in_dim %vr, dims = [0, 1, 2, 3, 4] : (tensor<1x2x1x8x4xf32>) -> tensor<1x2x2x8x4xf32>
  %vh2 = stablehlo.reshape %vb : (tensor<1x2x2x8x4xf32>) -> tensor<1x4x8x4xf32>
  %root = stablehlo.constant dense<0.7> : tensor<1x4x1x4xf32>
  %qs = stablehlo.multiply %q, %root : tensor<1x4x1x4xf32>
  %kt = stablehlo.transpose %kh, dims = [0, 1, 3, 2] : (tensor<1x4x8x4xf32>) -> tensor<1x4x4x8xf32>
  %rootk = stablehlo.constant dense<0.7> : tensor<1x4x4x8xf32>
  %ks = stablehlo.multiply %kt, %rootk : tensor<1x4x4x8xf32>
  %q3 = stablehlo.reshape %qs : (tensor<1x4x1x4xf32>) -> tensor<4x1x4xf32>
  %k3 = stablehlo.reshape %ks : (tensor<1x4x4x8xf32>) -> tensor<4x4x8xf32>
  %dot = stablehlo.dot_general %q3, %k3, batching_dims = [0] x [0], contracting_dims = [2] x [1] : (tensor<4x1x4xf32>, tensor<4x4x8xf32>) -> tensor<4x1x8xf32>
  %scores = stablehlo.reshape %dot : (tensor<4x1x8xf32>) -> tensor<1x4x1x8xf32>
  %keys = stablehlo.iota dim = 1 : tensor<1x8xi32>
  %p0 = stablehlo.slice %pos [0:1] : (tensor<1xi32>) -> tensor<1xi32>
  %position = stablehlo.broadcast_in_dim %p0, dims = [0] : (tensor<1xi32>) -> tensor<1x8xi32>
  %visible = stablehlo.compare LE, %keys, %position, SIGNED : (tensor<1x8xi32>, tensor<1x8xi32>) -> tensor<1x8xi1>
  %three = stablehlo.constant dense<3> : tensor<1xi32>
  %before = stablehlo.subtract %p0, %three : tensor<1xi32>
  %edge = stablehlo.broadcast_in_dim %before, dims = [0] : (tensor<1xi32>) -> tensor<1x8xi32>
  %near = stablehlo.compare GT, %keys, %edge, SIGNED : (tensor<1x8xi32>, tensor<1x8xi32>) -> tensor<1x8xi1>
  %windowed = stablehlo.and %visible, %near : tensor<1x8xi1>
  %nothing = stablehlo.constant dense<0.0> : tensor<1x8xf32>
  %fill = stablehlo.constant dense<0xFF800000> : tensor<1x8xf32>
  %added = stablehlo.select %visible, %nothing, %fill : tensor<1x8xi1>, tensor<1x8xf32>
  %mask = stablehlo.broadcast_in_dim %added, dims = [2, 3] : (tensor<1x8xf32>) -> tensor<1x4x1x8xf32>
  %logits = stablehlo.add %scores, %mask : tensor<1x4x1x8xf32>
  %lowest = stablehlo.constant dense<0xFF800000> : tensor<f32>
  %largest = stablehlo.reduce(%logits init: %lowest) applies stablehlo.maximum across dimensions = [3] : (tensor<1x4x1x8xf32>, tensor<f32>) -> tensor<1x4x1xf32>
  %spread = stablehlo.broadcast_in_dim %largest, dims = [0, 1, 2] : (tensor<1x4x1xf32>) -> tensor<1x4x1x8xf32>
  %shifted = stablehlo.subtract %logits, %spread : tensor<1x4x1x8xf32>
  %exp = stablehlo.exponential %shifted : tensor<1x4x1x8xf32>
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %sum = stablehlo.reduce(%exp init: %zero) applies stablehlo.add across dimensions = [3] : (tensor<1x4x1x8xf32>, tensor<f32>) -> tensor<1x4x1xf32>
  %sums = stablehlo.broadcast_in_dim %sum, dims = [0, 1, 2] : (tensor<1x4x1xf32>) -> tensor<1x4x1x8xf32>
  %p = stablehlo.divide %exp, %sums : tensor<1x4x1x8xf32>
  %infinite = stablehlo.constant dense<0xFF800000> : tensor<1x4x1x8xf32>
  %hidden = stablehlo.compare EQ, %logits, %infinite, FLOAT : (tensor<1x4x1x8xf32>, tensor<1x4x1x8xf32>) -> tensor<1x4x1x8xi1>
  %seen = stablehlo.not %hidden : tensor<1x4x1x8xi1>
  %false = stablehlo.constant dense<false> : tensor<i1>
  %any = stablehlo.reduce(%seen init: %false) applies stablehlo.or across dimensions = [3] : (tensor<1x4x1x8xi1>, tensor<i1>) -> tensor<1x4x1xi1>
  %none = stablehlo.not %any : tensor<1x4x1xi1>
  %empty = stablehlo.broadcast_in_dim %none, dims = [0, 1, 2] : (tensor<1x4x1xi1>) -> tensor<1x4x1x8xi1>
  %zeros = stablehlo.constant dense<0.0> : tensor<1x4x1x8xf32>
  %safe = stablehlo.select %empty, %zeros, %p : tensor<1x4x1x8xi1>, tensor<1x4x1x8xf32>
  %out = stablehlo.dot_general %safe, %vh2, batching_dims = [0, 1] x [0, 1], contracting_dims = [3] x [2] : (tensor<1x4x1x8xf32>, tensor<1x4x8x4xf32>) -> tensor<1x4x1x4xf32>
  return %out, %k1, %v1 : tensor<1x4x1x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
}
