// RUN: %pygraph-opt %s --split-input-file --pipeline=recognize-attention,drop-dead-ops | FileCheck %s

// One query on keys up to a position: heads of queries share heads of keys, and nothing is moved.
// CHECK-LABEL: @decode
// CHECK-SAME: %[[Q:.*]]: tensor<2x1x4x8xf32>, %[[K:.*]]: tensor<2x16x2x8xf32>, %[[V:.*]]: tensor<2x16x2x8xf32>, %[[POS:.*]]: tensor<i32>
// CHECK-NEXT: %[[P:.*]] = stablehlo.reshape %[[POS]] : (tensor<i32>) -> tensor<1x1xi32>
// CHECK-NEXT: %[[A:.*]] = "pyg.attention"(%[[Q]], %[[K]], %[[V]], %[[P]]) {fill = -1.0e30 : f32, k_dims = array<i64: 0, 1, 2, 3>,
// CHECK-SAME: output_dims = array<i64: 0, 1, 2, 3>, {{.*}} scale = 0.25 : f32
// CHECK-NEXT: %[[R:.*]] = stablehlo.reshape %[[A]]
// CHECK-NEXT: return %[[R]]
func.func @decode(%q: tensor<2x1x4x8xf32>, %k: tensor<2x16x2x8xf32>, %v: tensor<2x16x2x8xf32>, %pos: tensor<i32>) -> tensor<2x1x32xf32> {
  %grouped = stablehlo.reshape %q : (tensor<2x1x4x8xf32>) -> tensor<2x1x2x2x8xf32>
  %dot = stablehlo.dot_general %k, %grouped, batching_dims = [0, 2] x [0, 2], contracting_dims = [3] x [4] : (tensor<2x16x2x8xf32>, tensor<2x1x2x2x8xf32>) -> tensor<2x2x16x1x2xf32>
  %scores = stablehlo.transpose %dot, dims = [0, 1, 4, 3, 2] : (tensor<2x2x16x1x2xf32>) -> tensor<2x2x2x1x16xf32>
  %scale = stablehlo.constant dense<0.25> : tensor<2x2x2x1x16xf32>
  %scaled = stablehlo.multiply %scores, %scale : tensor<2x2x2x1x16xf32>
  %keys = stablehlo.iota dim = 0 : tensor<16xi32>
  %position = stablehlo.broadcast_in_dim %pos, dims = [] : (tensor<i32>) -> tensor<16xi32>
  %visible = stablehlo.compare LE, %keys, %position, SIGNED : (tensor<16xi32>, tensor<16xi32>) -> tensor<16xi1>
  %mask = stablehlo.broadcast_in_dim %visible, dims = [4] : (tensor<16xi1>) -> tensor<2x2x2x1x16xi1>
  %fill = stablehlo.constant dense<-1.0e30> : tensor<2x2x2x1x16xf32>
  %logits = stablehlo.select %mask, %scaled, %fill : tensor<2x2x2x1x16xi1>, tensor<2x2x2x1x16xf32>
  %lowest = stablehlo.constant dense<0xFF800000> : tensor<f32>
  %largest = stablehlo.reduce(%logits init: %lowest) applies stablehlo.maximum across dimensions = [4] : (tensor<2x2x2x1x16xf32>, tensor<f32>) -> tensor<2x2x2x1xf32>
  %spread = stablehlo.broadcast_in_dim %largest, dims = [0, 1, 2, 3] : (tensor<2x2x2x1xf32>) -> tensor<2x2x2x1x16xf32>
  %shifted = stablehlo.subtract %logits, %spread : tensor<2x2x2x1x16xf32>
  %exp = stablehlo.exponential %shifted : tensor<2x2x2x1x16xf32>
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %sum = stablehlo.reduce(%exp init: %zero) applies stablehlo.add across dimensions = [4] : (tensor<2x2x2x1x16xf32>, tensor<f32>) -> tensor<2x2x2x1xf32>
  %sums = stablehlo.broadcast_in_dim %sum, dims = [0, 1, 2, 3] : (tensor<2x2x2x1xf32>) -> tensor<2x2x2x1x16xf32>
  %p = stablehlo.divide %exp, %sums : tensor<2x2x2x1x16xf32>
  %out = stablehlo.dot_general %v, %p, batching_dims = [0, 2] x [0, 1], contracting_dims = [1] x [4] : (tensor<2x16x2x8xf32>, tensor<2x2x2x1x16xf32>) -> tensor<2x2x8x2x1xf32>
  %turned = stablehlo.transpose %out, dims = [0, 4, 1, 3, 2] : (tensor<2x2x8x2x1xf32>) -> tensor<2x1x2x2x8xf32>
  %r = stablehlo.reshape %turned : (tensor<2x1x2x2x8xf32>) -> tensor<2x1x32xf32>
  return %r : tensor<2x1x32xf32>
}

// -----

// Batch and heads in one dimension, a known mask that is causal, and a guard for rows that are hidden whole.
// CHECK-LABEL: @causal
// CHECK: %[[P:.*]] = stablehlo.constant dense<[0, 1]> : tensor<2xi32>
// CHECK: "pyg.attention"({{.*}}) {fill = 0xFF800000 : f32, k_dims = array<i64: 0, 1, 2, 3>, {{.*}}safe = true
// CHECK-NOT: stablehlo.exponential
func.func @causal(%q: tensor<6x2x4xf32>, %k: tensor<6x3x4xf32>, %v: tensor<6x3x4xf32>) -> tensor<6x2x4xf32> {
  %kt = stablehlo.transpose %k, dims = [0, 2, 1] : (tensor<6x3x4xf32>) -> tensor<6x4x3xf32>
  %scores = stablehlo.dot_general %q, %kt, batching_dims = [0] x [0], contracting_dims = [2] x [1] : (tensor<6x2x4xf32>, tensor<6x4x3xf32>) -> tensor<6x2x3xf32>
  %known = stablehlo.constant dense<[[true, false, false], [true, true, false]]> : tensor<2x3xi1>
  %mask = stablehlo.broadcast_in_dim %known, dims = [1, 2] : (tensor<2x3xi1>) -> tensor<6x2x3xi1>
  %fill = stablehlo.constant dense<0xFF800000> : tensor<6x2x3xf32>
  %logits = stablehlo.select %mask, %scores, %fill : tensor<6x2x3xi1>, tensor<6x2x3xf32>
  %lowest = stablehlo.constant dense<0xFF800000> : tensor<f32>
  %largest = stablehlo.reduce(%logits init: %lowest) applies stablehlo.maximum across dimensions = [2] : (tensor<6x2x3xf32>, tensor<f32>) -> tensor<6x2xf32>
  %spread = stablehlo.broadcast_in_dim %largest, dims = [0, 1] : (tensor<6x2xf32>) -> tensor<6x2x3xf32>
  %shifted = stablehlo.subtract %logits, %spread : tensor<6x2x3xf32>
  %exp = stablehlo.exponential %shifted : tensor<6x2x3xf32>
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %sum = stablehlo.reduce(%exp init: %zero) applies stablehlo.add across dimensions = [2] : (tensor<6x2x3xf32>, tensor<f32>) -> tensor<6x2xf32>
  %sums = stablehlo.broadcast_in_dim %sum, dims = [0, 1] : (tensor<6x2xf32>) -> tensor<6x2x3xf32>
  %p = stablehlo.divide %exp, %sums : tensor<6x2x3xf32>
  %is_lowest = stablehlo.compare EQ, %logits, %fill, FLOAT : (tensor<6x2x3xf32>, tensor<6x2x3xf32>) -> tensor<6x2x3xi1>
  %true = stablehlo.constant dense<true> : tensor<i1>
  %all = stablehlo.reduce(%is_lowest init: %true) applies stablehlo.and across dimensions = [2] : (tensor<6x2x3xi1>, tensor<i1>) -> tensor<6x2xi1>
  %empty = stablehlo.broadcast_in_dim %all, dims = [0, 1] : (tensor<6x2xi1>) -> tensor<6x2x3xi1>
  %zeros = stablehlo.constant dense<0.0> : tensor<6x2x3xf32>
  %safe = stablehlo.select %empty, %zeros, %p : tensor<6x2x3xi1>, tensor<6x2x3xf32>
  %out = stablehlo.dot_general %safe, %v, batching_dims = [0] x [0], contracting_dims = [2] x [1] : (tensor<6x2x3xf32>, tensor<6x3x4xf32>) -> tensor<6x2x4xf32>
  return %out : tensor<6x2x4xf32>
}

// -----

// The sum goes along queries instead of keys: no softmax of attention.
// CHECK-LABEL: @wrong_dimension
// CHECK-NOT: pyg.attention
func.func @wrong_dimension(%q: tensor<3x4xf32>, %k: tensor<3x4xf32>, %v: tensor<3x4xf32>) -> tensor<3x4xf32> {
  %scores = stablehlo.dot_general %q, %k, contracting_dims = [1] x [1] : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x3xf32>
  %lowest = stablehlo.constant dense<0xFF800000> : tensor<f32>
  %largest = stablehlo.reduce(%scores init: %lowest) applies stablehlo.maximum across dimensions = [1] : (tensor<3x3xf32>, tensor<f32>) -> tensor<3xf32>
  %spread = stablehlo.broadcast_in_dim %largest, dims = [0] : (tensor<3xf32>) -> tensor<3x3xf32>
  %shifted = stablehlo.subtract %scores, %spread : tensor<3x3xf32>
  %exp = stablehlo.exponential %shifted : tensor<3x3xf32>
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %sum = stablehlo.reduce(%exp init: %zero) applies stablehlo.add across dimensions = [0] : (tensor<3x3xf32>, tensor<f32>) -> tensor<3xf32>
  %sums = stablehlo.broadcast_in_dim %sum, dims = [1] : (tensor<3xf32>) -> tensor<3x3xf32>
  %p = stablehlo.divide %exp, %sums : tensor<3x3xf32>
  %out = stablehlo.dot_general %p, %v, contracting_dims = [1] x [0] : (tensor<3x3xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %out : tensor<3x4xf32>
}

// -----

// Somebody else reads the probabilities too.
// CHECK-LABEL: @probabilities_read
// CHECK-NOT: pyg.attention
func.func @probabilities_read(%q: tensor<3x4xf32>, %k: tensor<3x4xf32>, %v: tensor<3x4xf32>) -> (tensor<3x4xf32>, tensor<3x3xf32>) {
  %scores = stablehlo.dot_general %q, %k, contracting_dims = [1] x [1] : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x3xf32>
  %lowest = stablehlo.constant dense<0xFF800000> : tensor<f32>
  %largest = stablehlo.reduce(%scores init: %lowest) applies stablehlo.maximum across dimensions = [1] : (tensor<3x3xf32>, tensor<f32>) -> tensor<3xf32>
  %spread = stablehlo.broadcast_in_dim %largest, dims = [0] : (tensor<3xf32>) -> tensor<3x3xf32>
  %shifted = stablehlo.subtract %scores, %spread : tensor<3x3xf32>
  %exp = stablehlo.exponential %shifted : tensor<3x3xf32>
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %sum = stablehlo.reduce(%exp init: %zero) applies stablehlo.add across dimensions = [1] : (tensor<3x3xf32>, tensor<f32>) -> tensor<3xf32>
  %sums = stablehlo.broadcast_in_dim %sum, dims = [0] : (tensor<3xf32>) -> tensor<3x3xf32>
  %p = stablehlo.divide %exp, %sums : tensor<3x3xf32>
  %out = stablehlo.dot_general %p, %v, contracting_dims = [1] x [0] : (tensor<3x3xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %out, %p : tensor<3x4xf32>, tensor<3x3xf32>
}

// -----

// A rounding of the result is attention's own: it accumulates in f32, and rounds once.
// CHECK-LABEL: @rounded
// CHECK: %[[A:.*]] = "pyg.attention"({{.*}} -> tensor<2x1x4x8xbf16>
// CHECK-NEXT: %[[R:.*]] = stablehlo.reshape %[[A]]
// CHECK-NEXT: return %[[R]]
func.func @rounded(%q: tensor<2x1x4x8xf32>, %k: tensor<2x16x2x8xf32>, %v: tensor<2x16x2x8xf32>, %pos: tensor<i32>) -> tensor<2x1x32xbf16> {
  %grouped = stablehlo.reshape %q : (tensor<2x1x4x8xf32>) -> tensor<2x1x2x2x8xf32>
  %dot = stablehlo.dot_general %k, %grouped, batching_dims = [0, 2] x [0, 2], contracting_dims = [3] x [4] : (tensor<2x16x2x8xf32>, tensor<2x1x2x2x8xf32>) -> tensor<2x2x16x1x2xf32>
  %scores = stablehlo.transpose %dot, dims = [0, 1, 4, 3, 2] : (tensor<2x2x16x1x2xf32>) -> tensor<2x2x2x1x16xf32>
  %scale = stablehlo.constant dense<0.25> : tensor<2x2x2x1x16xf32>
  %scaled = stablehlo.multiply %scores, %scale : tensor<2x2x2x1x16xf32>
  %keys = stablehlo.iota dim = 0 : tensor<16xi32>
  %position = stablehlo.broadcast_in_dim %pos, dims = [] : (tensor<i32>) -> tensor<16xi32>
  %visible = stablehlo.compare LE, %keys, %position, SIGNED : (tensor<16xi32>, tensor<16xi32>) -> tensor<16xi1>
  %mask = stablehlo.broadcast_in_dim %visible, dims = [4] : (tensor<16xi1>) -> tensor<2x2x2x1x16xi1>
  %fill = stablehlo.constant dense<-1.0e30> : tensor<2x2x2x1x16xf32>
  %logits = stablehlo.select %mask, %scaled, %fill : tensor<2x2x2x1x16xi1>, tensor<2x2x2x1x16xf32>
  %lowest = stablehlo.constant dense<0xFF800000> : tensor<f32>
  %largest = stablehlo.reduce(%logits init: %lowest) applies stablehlo.maximum across dimensions = [4] : (tensor<2x2x2x1x16xf32>, tensor<f32>) -> tensor<2x2x2x1xf32>
  %spread = stablehlo.broadcast_in_dim %largest, dims = [0, 1, 2, 3] : (tensor<2x2x2x1xf32>) -> tensor<2x2x2x1x16xf32>
  %shifted = stablehlo.subtract %logits, %spread : tensor<2x2x2x1x16xf32>
  %exp = stablehlo.exponential %shifted : tensor<2x2x2x1x16xf32>
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %sum = stablehlo.reduce(%exp init: %zero) applies stablehlo.add across dimensions = [4] : (tensor<2x2x2x1x16xf32>, tensor<f32>) -> tensor<2x2x2x1xf32>
  %sums = stablehlo.broadcast_in_dim %sum, dims = [0, 1, 2, 3] : (tensor<2x2x2x1xf32>) -> tensor<2x2x2x1x16xf32>
  %p = stablehlo.divide %exp, %sums : tensor<2x2x2x1x16xf32>
  %out = stablehlo.dot_general %v, %p, batching_dims = [0, 2] x [0, 1], contracting_dims = [1] x [4] : (tensor<2x16x2x8xf32>, tensor<2x2x2x1x16xf32>) -> tensor<2x2x8x2x1xf32>
  %rounded = stablehlo.convert %out : (tensor<2x2x8x2x1xf32>) -> tensor<2x2x8x2x1xbf16>
  %turned = stablehlo.transpose %rounded, dims = [0, 4, 1, 3, 2] : (tensor<2x2x8x2x1xbf16>) -> tensor<2x1x2x2x8xbf16>
  %r = stablehlo.reshape %turned : (tensor<2x1x2x2x8xbf16>) -> tensor<2x1x32xbf16>
  return %r : tensor<2x1x32xbf16>
}

// -----

// Not where something reads what is not rounded.
// CHECK-LABEL: @read_unrounded
// CHECK: "pyg.attention"({{.*}} -> tensor<{{[0-9x]*}}xf32>
// CHECK: stablehlo.convert
func.func @read_unrounded(%q: tensor<2x1x4x8xf32>, %k: tensor<2x16x2x8xf32>, %v: tensor<2x16x2x8xf32>, %pos: tensor<i32>) -> (tensor<2x1x32xbf16>, tensor<2x2x8x2x1xf32>) {
  %grouped = stablehlo.reshape %q : (tensor<2x1x4x8xf32>) -> tensor<2x1x2x2x8xf32>
  %dot = stablehlo.dot_general %k, %grouped, batching_dims = [0, 2] x [0, 2], contracting_dims = [3] x [4] : (tensor<2x16x2x8xf32>, tensor<2x1x2x2x8xf32>) -> tensor<2x2x16x1x2xf32>
  %scores = stablehlo.transpose %dot, dims = [0, 1, 4, 3, 2] : (tensor<2x2x16x1x2xf32>) -> tensor<2x2x2x1x16xf32>
  %scale = stablehlo.constant dense<0.25> : tensor<2x2x2x1x16xf32>
  %scaled = stablehlo.multiply %scores, %scale : tensor<2x2x2x1x16xf32>
  %keys = stablehlo.iota dim = 0 : tensor<16xi32>
  %position = stablehlo.broadcast_in_dim %pos, dims = [] : (tensor<i32>) -> tensor<16xi32>
  %visible = stablehlo.compare LE, %keys, %position, SIGNED : (tensor<16xi32>, tensor<16xi32>) -> tensor<16xi1>
  %mask = stablehlo.broadcast_in_dim %visible, dims = [4] : (tensor<16xi1>) -> tensor<2x2x2x1x16xi1>
  %fill = stablehlo.constant dense<-1.0e30> : tensor<2x2x2x1x16xf32>
  %logits = stablehlo.select %mask, %scaled, %fill : tensor<2x2x2x1x16xi1>, tensor<2x2x2x1x16xf32>
  %lowest = stablehlo.constant dense<0xFF800000> : tensor<f32>
  %largest = stablehlo.reduce(%logits init: %lowest) applies stablehlo.maximum across dimensions = [4] : (tensor<2x2x2x1x16xf32>, tensor<f32>) -> tensor<2x2x2x1xf32>
  %spread = stablehlo.broadcast_in_dim %largest, dims = [0, 1, 2, 3] : (tensor<2x2x2x1xf32>) -> tensor<2x2x2x1x16xf32>
  %shifted = stablehlo.subtract %logits, %spread : tensor<2x2x2x1x16xf32>
  %exp = stablehlo.exponential %shifted : tensor<2x2x2x1x16xf32>
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %sum = stablehlo.reduce(%exp init: %zero) applies stablehlo.add across dimensions = [4] : (tensor<2x2x2x1x16xf32>, tensor<f32>) -> tensor<2x2x2x1xf32>
  %sums = stablehlo.broadcast_in_dim %sum, dims = [0, 1, 2, 3] : (tensor<2x2x2x1xf32>) -> tensor<2x2x2x1x16xf32>
  %p = stablehlo.divide %exp, %sums : tensor<2x2x2x1x16xf32>
  %out = stablehlo.dot_general %v, %p, batching_dims = [0, 2] x [0, 1], contracting_dims = [1] x [4] : (tensor<2x16x2x8xf32>, tensor<2x2x2x1x16xf32>) -> tensor<2x2x8x2x1xf32>
  %rounded = stablehlo.convert %out : (tensor<2x2x8x2x1xf32>) -> tensor<2x2x8x2x1xbf16>
  %turned = stablehlo.transpose %rounded, dims = [0, 4, 1, 3, 2] : (tensor<2x2x8x2x1xbf16>) -> tensor<2x1x2x2x8xbf16>
  %r = stablehlo.reshape %turned : (tensor<2x1x2x2x8xbf16>) -> tensor<2x1x32xbf16>
  return %r, %out : tensor<2x1x32xbf16>, tensor<2x2x8x2x1xf32>
}

// -----

// PyTorch's decomposition: both sides are widened and multiplied by a number, and the mask is a difference of indices against zero. The
// numbers move to the products, both sides are read as they lie, and the mask is known by its positions.
// CHECK-LABEL: @scaled_sides
// CHECK-SAME: %[[Q:.*]]: tensor<2x3x4xbf16>, %[[K:.*]]: tensor<2x3x4xbf16>, %[[V:.*]]: tensor<2x3x4xbf16>
// CHECK: %[[P:.*]] = stablehlo.constant dense<[0, 1, 2]> : tensor<3xi32>
// CHECK: "pyg.attention"(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) {fill = 0xFF800000 : f32, k_dims = array<i64: 0, 1, 2, 3>, key_type = f32,
// CHECK-SAME: mask_adds = true, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0>, {{.*}} scale = 0.5 : f32
// CHECK-SAME: (tensor<2x3x1x4xbf16>, tensor<2x3x1x4xbf16>, tensor<2x3x1x4xbf16>, tensor<1x3xi32>) -> tensor<2x3x1x4xf32>
func.func @scaled_sides(%q: tensor<2x3x4xbf16>, %k: tensor<2x3x4xbf16>, %v: tensor<2x3x4xbf16>) -> tensor<2x3x4xf32> {
  %qf = stablehlo.convert %q : (tensor<2x3x4xbf16>) -> tensor<2x3x4xf32>
  %kf = stablehlo.convert %k : (tensor<2x3x4xbf16>) -> tensor<2x3x4xf32>
  %vf = stablehlo.convert %v : (tensor<2x3x4xbf16>) -> tensor<2x3x4xf32>
  %qn = stablehlo.constant dense<2.0> : tensor<2x3x4xf32>
  %kn = stablehlo.constant dense<0.25> : tensor<2x3x4xf32>
  %qs = stablehlo.multiply %qf, %qn : tensor<2x3x4xf32>
  %ks = stablehlo.multiply %kf, %kn : tensor<2x3x4xf32>
  %scores = stablehlo.dot_general %qs, %ks, batching_dims = [0] x [0], contracting_dims = [2] x [2] : (tensor<2x3x4xf32>, tensor<2x3x4xf32>) -> tensor<2x3x3xf32>
  %keys = stablehlo.iota dim = 1 : tensor<3x3xi64>
  %queries = stablehlo.iota dim = 0 : tensor<3x3xi64>
  %difference = stablehlo.subtract %keys, %queries : tensor<3x3xi64>
  %nothing = stablehlo.constant dense<0> : tensor<3x3xi64>
  %visible = stablehlo.compare LE, %difference, %nothing, SIGNED : (tensor<3x3xi64>, tensor<3x3xi64>) -> tensor<3x3xi1>
  %zeros = stablehlo.constant dense<0.0> : tensor<3x3xf32>
  %hidden = stablehlo.constant dense<0xFF800000> : tensor<3x3xf32>
  %added = stablehlo.select %visible, %zeros, %hidden : tensor<3x3xi1>, tensor<3x3xf32>
  %mask = stablehlo.broadcast_in_dim %added, dims = [1, 2] : (tensor<3x3xf32>) -> tensor<2x3x3xf32>
  %logits = stablehlo.add %scores, %mask : tensor<2x3x3xf32>
  %lowest = stablehlo.constant dense<0xFF800000> : tensor<f32>
  %largest = stablehlo.reduce(%logits init: %lowest) applies stablehlo.maximum across dimensions = [2] : (tensor<2x3x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %spread = stablehlo.broadcast_in_dim %largest, dims = [0, 1] : (tensor<2x3xf32>) -> tensor<2x3x3xf32>
  %shifted = stablehlo.subtract %logits, %spread : tensor<2x3x3xf32>
  %exp = stablehlo.exponential %shifted : tensor<2x3x3xf32>
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %sum = stablehlo.reduce(%exp init: %zero) applies stablehlo.add across dimensions = [2] : (tensor<2x3x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %sums = stablehlo.broadcast_in_dim %sum, dims = [0, 1] : (tensor<2x3xf32>) -> tensor<2x3x3xf32>
  %p = stablehlo.divide %exp, %sums : tensor<2x3x3xf32>
  %out = stablehlo.dot_general %p, %vf, batching_dims = [0] x [0], contracting_dims = [2] x [1] : (tensor<2x3x3xf32>, tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
  return %out : tensor<2x3x4xf32>
}
