// A decode step as JAX writes it, bounded, and its near misses: the numbers are those of the operations, whatever the position, and
// reading is bounded only where that is so. Every miss changes one thing.
// RUN: %near-miss %s | FileCheck %s --check-prefix=BOUND
// BOUND: choice: @kv: `k`, `v` lie in it, and only rows up to the position are read of its 8, provided: rows that are not read are finite; scores are well above the fill of the mask
// BOUND: choice: argument `pos`: it is bound as `host`, not `step`: it sets how much of @kv is mapped

// `<` for `<=`: at position 0 nothing is visible, and all rows are averaged.
// RUN: sed 's/compare LE/compare LT/' %s > %t.less.mlir
// RUN: %near-miss %t.less.mlir | FileCheck %s --check-prefix=LESS
// LESS: state `k` of @{{.*}}: it is in @kv, which is mapped in full: the mask shows 1 rows fewer than those up to the position that is written: where it shows none, all rows count alike, filled with -1e30 in `pyg.attention` at
// With a fill of minus infinity nothing is averaged.
// RUN: sed 's/compare LE/compare LT/; s/-1.0e30/0xFF800000/' %s > %t.less-infinite.mlir
// RUN: %near-miss %t.less-infinite.mlir | FileCheck %s --check-prefix=INFINITE
// INFINITE: choice: @kv: `k`, `v` lie in it, and only rows up to the position are read of its 8, provided: rows that are not read are finite{{$}}

// One row more than was written.
// RUN: sed 's/broadcast_in_dim %%pos/broadcast_in_dim %%next/' %s > %t.next.mlir
// RUN: %near-miss %t.next.mlir | FileCheck %s --check-prefix=NEXT
// NEXT: state `k` of @{{.*}}: it is in @kv, which is mapped in full: the mask shows 1 more rows than those up to the position that is written in `pyg.attention` at
// The same row, spelled `< pos + 1`.
// RUN: sed 's/broadcast_in_dim %%pos/broadcast_in_dim %%next/; s/compare LE/compare LT/' %s > %t.same.mlir
// RUN: %near-miss %t.same.mlir | FileCheck %s --check-prefix=BOUND

// Another scalar in the mask.
// RUN: sed 's/broadcast_in_dim %%pos/broadcast_in_dim %%other/' %s > %t.other.mlir
// RUN: %near-miss %t.other.mlir | FileCheck %s --check-prefix=OTHER
// OTHER: state `k` of @{{.*}}: it is in @kv, which is mapped in full: the mask goes by another position than the update in `pyg.attention` at

// A fill that counts.
// RUN: sed 's/-1.0e30/-5.0/' %s > %t.fill.mlir
// RUN: %near-miss %t.fill.mlir | FileCheck %s --check-prefix=FILL
// FILL: state `k` of @{{.*}}: it is in @kv, which is mapped in full: hidden scores get -5.0, which is not far below others: hidden rows count in `pyg.attention` at

// Another mask beside it.
// RUN: sed 's/select %%mask,/select %%both,/' %s > %t.both.mlir
// RUN: %near-miss %t.both.mlir | FileCheck %s --check-prefix=BOTH
// BOTH: state `k` of @{{.*}}: it is in @kv, which is mapped in full: a second mask may hide every key, and then all rows count alike, filled with -1e30 in `pyg.attention` at

// A window of three keys, and one that begins elsewhere.
// RUN: sed 's/select %%mask,/select %%windowed,/' %s > %t.window.mlir
// RUN: %near-miss %t.window.mlir | FileCheck %s --check-prefix=LAST
// LAST: choice: @kv: `k`, `v` lie in it, and only the last 3 rows up to the position are read of its 8 (those below the last 3 are unmapped, and handed back as zeros, unless the caches were handed in), provided: rows that are not read are finite; scores are well above the fill of the mask
// RUN: %pygraph-opt %t.window.mlir --stop-after=tensor | FileCheck %s --check-prefix=WINDOW
// WINDOW: "pyg.kv.arena"() {bounded = true, {{.*}} window = 3 : i64}
// WINDOW: "pyg.attention"({{.*}} skips_below = true, {{.*}} window = 3 : i64} : ({{.*}}, tensor<1x1xi32>, tensor<1xi32>)
// The same edge, computed for each head.
// RUN: sed 's/select %%mask,/select %%windowed5,/' %s > %t.spread.mlir
// RUN: %near-miss %t.spread.mlir | FileCheck %s --check-prefix=LAST
// The same edge, with the constant subtracted after spreading over the keys, and as a difference against a constant, both ways round.
// RUN: sed 's/select %%mask,/select %%windowed_late,/' %s > %t.late.mlir
// RUN: %near-miss %t.late.mlir | FileCheck %s --check-prefix=LAST
// RUN: sed 's/select %%mask,/select %%windowed_ahead,/' %s > %t.ahead.mlir
// RUN: %near-miss %t.ahead.mlir | FileCheck %s --check-prefix=LAST
// RUN: sed 's/select %%mask,/select %%windowed_behind,/' %s > %t.behind.mlir
// RUN: %near-miss %t.behind.mlir | FileCheck %s --check-prefix=LAST
// What is subtracted differs from key to key, the difference is that of another scalar, or is not against one number: other masks.
// RUN: sed 's/select %%mask,/select %%windowed_late,/; s/subtract %%position, %%threes8/subtract %%position, %%steps8/' %s > %t.steps.mlir
// RUN: %near-miss %t.steps.mlir | FileCheck %s --check-prefix=BOTH
// RUN: sed 's/select %%mask,/select %%windowed_ahead,/; s/subtract %%keys, %%position/subtract %%keys, %%elsewhere/' %s > %t.elsewhere.mlir
// RUN: %near-miss %t.elsewhere.mlir | FileCheck %s --check-prefix=BOTH
// RUN: sed 's/select %%mask,/select %%windowed_ahead,/; s/compare GT, %%ahead, %%minus3/compare GT, %%ahead, %%steps8/' %s > %t.ahead-steps.mlir
// RUN: %near-miss %t.ahead-steps.mlir | FileCheck %s --check-prefix=BOTH
// An upper edge as a difference is none: it wraps where no key is visible.
// RUN: sed 's/select %%mask,/select %%wraps,/' %s > %t.wraps.mlir
// RUN: %near-miss %t.wraps.mlir | FileCheck %s --check-prefix=WRAPS
// WRAPS: state `k` of @{{.*}}: it is in @kv, which is mapped in full
// With `<` the window begins a row further down; with a fill of minus infinity no key at all is seen at position 0.
// RUN: sed 's/select %%mask,/select %%windowed,/; s/compare LE/compare LT/; s/-1.0e30/0xFF800000/' %s > %t.window-less.mlir
// RUN: %near-miss %t.window-less.mlir | FileCheck %s --check-prefix=LAST-LESS
// LAST-LESS: and only the last 3 rows up to the position are read of its 8 (those below the last 3 are unmapped
// RUN: %pygraph-opt %t.window-less.mlir --stop-after=tensor | FileCheck %s --check-prefix=WINDOW-LESS
// WINDOW-LESS: "pyg.attention"({{.*}}{diagonal = -1 : i64, {{.*}} skips_below = true, {{.*}} window = 2 : i64}
// RUN: sed 's/select %%mask,/select %%windowed,/; s/subtract %%pos, %%c3/subtract %%other, %%c3/' %s > %t.windows.mlir
// RUN: %near-miss %t.windows.mlir | FileCheck %s --check-prefix=BOTH

// A mask the other way round.
// RUN: sed 's/compare LE/compare GE/' %s > %t.suffix.mlir
// RUN: %near-miss %t.suffix.mlir | FileCheck %s --check-prefix=SUFFIX
// SUFFIX: state `k` of @{{.*}}: it is in @kv, which is mapped in full: the mask is not proved to be `key <= position` in `pyg.attention` at

// The new value read by something else, the old one read, and the new one returned twice.
// RUN: sed 's/%%sumof = stablehlo.reduce(%%q/%%sumof = stablehlo.reduce(%%k1/; s/tensor<1x1x2x4xf32>, tensor<f32>/tensor<1x8x1x4xf32>, tensor<f32>/' %s > %t.read.mlir
// RUN: %near-miss %t.read.mlir | FileCheck %s --check-prefix=READ
// READ: state `k` of @{{.*}}: it is in @kv, which is mapped in full: its new value is read by `stablehlo.reduce` at {{.*}}, which is no attention
// READ: state `v` of @{{.*}}: it is in @kv, which is mapped in full: it is read together with `k`
// RUN: sed 's/%%sumof = stablehlo.reduce(%%q/%%sumof = stablehlo.reduce(%%k/; s/tensor<1x1x2x4xf32>, tensor<f32>/tensor<1x8x1x4xf32>, tensor<f32>/' %s > %t.old.mlir
// RUN: %near-miss %t.old.mlir | FileCheck %s --check-prefix=OLD
// OLD: state `k` of @{{.*}}: it is in @kv, which is mapped in full: its old value is read by `stablehlo.reduce` at
// RUN: sed 's/return %%r, %%k1, %%v1, %%sumof : \(.*\), tensor<f32>/return %%r, %%k1, %%v1, %%k1 : \1, tensor<1x8x1x4xf32>/; s/tensor<f32>) {/tensor<1x8x1x4xf32>) {/' %s > %t.twice.mlir
// RUN: %near-miss %t.twice.mlir | FileCheck %s --check-prefix=TWICE
// TWICE: state `k` of @{{.*}}: it is in @kv, which is mapped in full: its new value is given out as another result too

// The old value attended to.
// RUN: sed 's/dot_general %%k1/dot_general %%k/' %s > %t.attended.mlir
// RUN: %near-miss %t.attended.mlir | FileCheck %s --check-prefix=ATTENDED
// ATTENDED: state `k` of @{{.*}}: it is in @kv, which is mapped in full: its old value is read by `pyg.attention` at

// Positions that the device computes, and those that are state.
// RUN: sed 's/slice %%v, %%new, %%c0, %%wrapped/slice %%v, %%new, %%c0, %%odd/' %s > %t.odd.mlir
// RUN: %near-miss %t.odd.mlir | FileCheck %s --check-prefix=ODD
// ODD: state `v` of @{{.*}}: it is in @kv{{(_1)?}}, which is mapped in full: the mask goes by another position than the update in `pyg.attention` at
// RUN: sed 's/%%pos: tensor<i32> {pyg.name = "pos"}/%%pos: tensor<i32> {pyg.name = "pos", pyg.bind = "state"}/' %s > %t.state.mlir
// RUN: %near-miss %t.state.mlir | FileCheck %s --check-prefix=STATE
// STATE: state `k` of @{{.*}}: it is in @kv, which is mapped in full: its positions are state (`pos`), which the host does not see; pass them as an argument

// RUN: %pygraph-opt --strict --stop-after=tensor --remarks %s 2>&1 >%t.out | FileCheck %s --check-prefix=STRICT
// STRICT: state `k` of @{{.*}}: it is in @kv, which is mapped in full: it rests on premises, which --strict does not take: rows that are not read are finite; scores are well above the fill of the mask
// RUN: FileCheck %s --check-prefix=UNBOUND < %t.out
// UNBOUND: "pyg.kv.arena"() {bounded = false
// UNBOUND-NOT: pyg.kv.ensure
func.func @main(%k: tensor<1x8x1x4xf32> {pyg.name = "k", pyg.updated_by = 1 : i64}, %v: tensor<1x8x1x4xf32> {pyg.name = "v", pyg.updated_by = 2 : i64}, %q: tensor<1x1x2x4xf32>, %new: tensor<1x1x1x4xf32>, %hides: tensor<8xi1>, %other: tensor<i32>, %pos: tensor<i32> {pyg.name = "pos"}) -> (tensor<1x1x8xf32>, tensor<1x8x1x4xf32>, tensor<1x8x1x4xf32>, tensor<f32>) {
  %c0 = stablehlo.constant dense<0> : tensor<i32>
  %c1 = stablehlo.constant dense<1> : tensor<i32>
  %c8 = stablehlo.constant dense<8> : tensor<i32>
  %negative = stablehlo.compare LT, %pos, %c0, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
  %around = stablehlo.add %pos, %c8 : tensor<i32>
  %wrapped = stablehlo.select %negative, %around, %pos : tensor<i1>, tensor<i32>
  %next = stablehlo.add %pos, %c1 : tensor<i32>
  %odd = stablehlo.multiply %pos, %other : tensor<i32>
  %k1 = stablehlo.dynamic_update_slice %k, %new, %c0, %wrapped, %c0, %c0 : (tensor<1x8x1x4xf32>, tensor<1x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x8x1x4xf32>
  %v1 = stablehlo.dynamic_update_slice %v, %new, %c0, %wrapped, %c0, %c0 : (tensor<1x8x1x4xf32>, tensor<1x1x1x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x8x1x4xf32>
  %grouped = stablehlo.reshape %q : (tensor<1x1x2x4xf32>) -> tensor<1x1x1x2x4xf32>
  %dot = stablehlo.dot_general %k1, %grouped, batching_dims = [0, 2] x [0, 2], contracting_dims = [3] x [4] : (tensor<1x8x1x4xf32>, tensor<1x1x1x2x4xf32>) -> tensor<1x1x8x1x2xf32>
  %scores = stablehlo.transpose %dot, dims = [0, 1, 4, 3, 2] : (tensor<1x1x8x1x2xf32>) -> tensor<1x1x2x1x8xf32>
  %scale = stablehlo.constant dense<0.5> : tensor<1x1x2x1x8xf32>
  %scaled = stablehlo.multiply %scores, %scale : tensor<1x1x2x1x8xf32>
  %keys = stablehlo.iota dim = 0 : tensor<8xi32>
  %position = stablehlo.broadcast_in_dim %pos, dims = [] : (tensor<i32>) -> tensor<8xi32>
  %visible = stablehlo.compare LE, %keys, %position, SIGNED : (tensor<8xi32>, tensor<8xi32>) -> tensor<8xi1>
  %shown = stablehlo.not %hides : tensor<8xi1>
  %visible2 = stablehlo.and %visible, %shown : tensor<8xi1>
  %mask = stablehlo.broadcast_in_dim %visible, dims = [4] : (tensor<8xi1>) -> tensor<1x1x2x1x8xi1>
  %both = stablehlo.broadcast_in_dim %visible2, dims = [4] : (tensor<8xi1>) -> tensor<1x1x2x1x8xi1>
  %c3 = stablehlo.constant dense<3> : tensor<i32>
  %before = stablehlo.subtract %pos, %c3 : tensor<i32>
  %first = stablehlo.broadcast_in_dim %before, dims = [] : (tensor<i32>) -> tensor<8xi32>
  %near = stablehlo.compare GT, %keys, %first, SIGNED : (tensor<8xi32>, tensor<8xi32>) -> tensor<8xi1>
  %visible3 = stablehlo.and %near, %visible : tensor<8xi1>
  %windowed = stablehlo.broadcast_in_dim %visible3, dims = [4] : (tensor<8xi1>) -> tensor<1x1x2x1x8xi1>
  %pair = stablehlo.broadcast_in_dim %pos, dims = [] : (tensor<i32>) -> tensor<2xi32>
  %threes = stablehlo.constant dense<3> : tensor<2xi32>
  %edge = stablehlo.subtract %pair, %threes : tensor<2xi32>
  %edge5 = stablehlo.broadcast_in_dim %edge, dims = [2] : (tensor<2xi32>) -> tensor<1x1x2x1x8xi32>
  %keys5 = stablehlo.broadcast_in_dim %keys, dims = [4] : (tensor<8xi32>) -> tensor<1x1x2x1x8xi32>
  %near5 = stablehlo.compare GT, %keys5, %edge5, SIGNED : (tensor<1x1x2x1x8xi32>, tensor<1x1x2x1x8xi32>) -> tensor<1x1x2x1x8xi1>
  %windowed5 = stablehlo.and %near5, %mask : tensor<1x1x2x1x8xi1>
  %threes8 = stablehlo.constant dense<3> : tensor<8xi32>
  %steps8 = stablehlo.constant dense<[-3, -3, -3, -2, -3, -3, -3, -3]> : tensor<8xi32>
  %late = stablehlo.subtract %position, %threes8 : tensor<8xi32>
  %near_late = stablehlo.compare GT, %keys, %late, SIGNED : (tensor<8xi32>, tensor<8xi32>) -> tensor<8xi1>
  %visible_late = stablehlo.and %near_late, %visible : tensor<8xi1>
  %windowed_late = stablehlo.broadcast_in_dim %visible_late, dims = [4] : (tensor<8xi1>) -> tensor<1x1x2x1x8xi1>
  %elsewhere = stablehlo.broadcast_in_dim %other, dims = [] : (tensor<i32>) -> tensor<8xi32>
  %minus3 = stablehlo.constant dense<-3> : tensor<8xi32>
  %ahead = stablehlo.subtract %keys, %position : tensor<8xi32>
  %near_ahead = stablehlo.compare GT, %ahead, %minus3, SIGNED : (tensor<8xi32>, tensor<8xi32>) -> tensor<8xi1>
  %visible_ahead = stablehlo.and %near_ahead, %visible : tensor<8xi1>
  %windowed_ahead = stablehlo.broadcast_in_dim %visible_ahead, dims = [4] : (tensor<8xi1>) -> tensor<1x1x2x1x8xi1>
  %behind = stablehlo.subtract %position, %keys : tensor<8xi32>
  %near_behind = stablehlo.compare LT, %behind, %threes8, SIGNED : (tensor<8xi32>, tensor<8xi32>) -> tensor<8xi1>
  %visible_behind = stablehlo.and %near_behind, %visible : tensor<8xi1>
  %windowed_behind = stablehlo.broadcast_in_dim %visible_behind, dims = [4] : (tensor<8xi1>) -> tensor<1x1x2x1x8xi1>
  %zeros8 = stablehlo.constant dense<0> : tensor<8xi32>
  %up = stablehlo.compare LE, %ahead, %zeros8, SIGNED : (tensor<8xi32>, tensor<8xi32>) -> tensor<8xi1>
  %wraps = stablehlo.broadcast_in_dim %up, dims = [4] : (tensor<8xi1>) -> tensor<1x1x2x1x8xi1>
  %fill = stablehlo.constant dense<-1.0e30> : tensor<1x1x2x1x8xf32>
  %logits = stablehlo.select %mask, %scaled, %fill : tensor<1x1x2x1x8xi1>, tensor<1x1x2x1x8xf32>
  %lowest = stablehlo.constant dense<0xFF800000> : tensor<f32>
  %largest = stablehlo.reduce(%logits init: %lowest) applies stablehlo.maximum across dimensions = [4] : (tensor<1x1x2x1x8xf32>, tensor<f32>) -> tensor<1x1x2x1xf32>
  %spread = stablehlo.broadcast_in_dim %largest, dims = [0, 1, 2, 3] : (tensor<1x1x2x1xf32>) -> tensor<1x1x2x1x8xf32>
  %shifted = stablehlo.subtract %logits, %spread : tensor<1x1x2x1x8xf32>
  %exp = stablehlo.exponential %shifted : tensor<1x1x2x1x8xf32>
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %sum = stablehlo.reduce(%exp init: %zero) applies stablehlo.add across dimensions = [4] : (tensor<1x1x2x1x8xf32>, tensor<f32>) -> tensor<1x1x2x1xf32>
  %sums = stablehlo.broadcast_in_dim %sum, dims = [0, 1, 2, 3] : (tensor<1x1x2x1xf32>) -> tensor<1x1x2x1x8xf32>
  %p = stablehlo.divide %exp, %sums : tensor<1x1x2x1x8xf32>
  %out = stablehlo.dot_general %v1, %p, batching_dims = [0, 2] x [0, 1], contracting_dims = [1] x [4] : (tensor<1x8x1x4xf32>, tensor<1x1x2x1x8xf32>) -> tensor<1x1x4x2x1xf32>
  %turned = stablehlo.transpose %out, dims = [0, 4, 1, 3, 2] : (tensor<1x1x4x2x1xf32>) -> tensor<1x1x1x2x4xf32>
  %r = stablehlo.reshape %turned : (tensor<1x1x1x2x4xf32>) -> tensor<1x1x8xf32>
  %sumof = stablehlo.reduce(%q init: %zero) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<1x1x2x4xf32>, tensor<f32>) -> tensor<f32>
  return %r, %k1, %v1, %sumof : tensor<1x1x8xf32>, tensor<1x8x1x4xf32>, tensor<1x8x1x4xf32>, tensor<f32>
}
