// A decoder of 2 requests and 64 tokens, 512 bytes a token and layer. Its first layer looks at the last 12 keys, its second at all.
// @main is a step, @generate a loop of them.
func.func @main(%wq: tensor<128x128xf32> {pyg.name = "wq"}, %wk: tensor<128x64xf32> {pyg.name = "wk"}, %wv: tensor<128x64xf32> {pyg.name = "wv"}, %k0: tensor<2x64x2x32xf32> {pyg.name = "k0", pyg.updated_by = 1 : i64}, %v0: tensor<2x64x2x32xf32> {pyg.name = "v0", pyg.updated_by = 2 : i64}, %k1: tensor<2x64x2x32xf32> {pyg.name = "k1", pyg.updated_by = 3 : i64}, %v1: tensor<2x64x2x32xf32> {pyg.name = "v1", pyg.updated_by = 4 : i64}, %tok: tensor<2x1xi32> {pyg.name = "tok"}, %pos: tensor<2xi32> {pyg.name = "pos"}) -> (tensor<2x128xf32>, tensor<2x64x2x32xf32>, tensor<2x64x2x32xf32>, tensor<2x64x2x32xf32>, tensor<2x64x2x32xf32>) {
  %r:6 = func.call @step(%wq, %wk, %wv, %k0, %v0, %k1, %v1, %tok, %pos) : (tensor<128x128xf32>, tensor<128x64xf32>, tensor<128x64xf32>, tensor<2x64x2x32xf32>, tensor<2x64x2x32xf32>, tensor<2x64x2x32xf32>, tensor<2x64x2x32xf32>, tensor<2x1xi32>, tensor<2xi32>) -> (tensor<2x128xf32>, tensor<2x1xi32>, tensor<2x64x2x32xf32>, tensor<2x64x2x32xf32>, tensor<2x64x2x32xf32>, tensor<2x64x2x32xf32>)
  return %r#0, %r#2, %r#3, %r#4, %r#5 : tensor<2x128xf32>, tensor<2x64x2x32xf32>, tensor<2x64x2x32xf32>, tensor<2x64x2x32xf32>, tensor<2x64x2x32xf32>
}

func.func @generate(%wq: tensor<128x128xf32> {pyg.name = "wq"}, %wk: tensor<128x64xf32> {pyg.name = "wk"}, %wv: tensor<128x64xf32> {pyg.name = "wv"}, %k0: tensor<2x64x2x32xf32> {pyg.name = "k0", pyg.updated_by = 1 : i64}, %v0: tensor<2x64x2x32xf32> {pyg.name = "v0", pyg.updated_by = 2 : i64}, %k1: tensor<2x64x2x32xf32> {pyg.name = "k1", pyg.updated_by = 3 : i64}, %v1: tensor<2x64x2x32xf32> {pyg.name = "v1", pyg.updated_by = 4 : i64}, %tok: tensor<2x1xi32> {pyg.name = "tok"}, %pos: tensor<2xi32> {pyg.name = "pos"}, %steps: tensor<i32> {pyg.name = "steps"}) -> (tensor<2x1xi32>, tensor<2x64x2x32xf32>, tensor<2x64x2x32xf32>, tensor<2x64x2x32xf32>, tensor<2x64x2x32xf32>) {
  %c0 = stablehlo.constant dense<0> : tensor<i32>
  %r:8 = stablehlo.while(%i = %c0, %n = %steps, %a = %k0, %b = %v0, %c = %k1, %d = %v1, %t = %tok, %p = %pos) : tensor<i32>, tensor<i32>, tensor<2x64x2x32xf32>, tensor<2x64x2x32xf32>, tensor<2x64x2x32xf32>, tensor<2x64x2x32xf32>, tensor<2x1xi32>, tensor<2xi32>
  cond {
    %go = stablehlo.compare LT, %i, %n, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %go : tensor<i1>
  } do {
    %s:6 = func.call @step(%wq, %wk, %wv, %a, %b, %c, %d, %t, %p) : (tensor<128x128xf32>, tensor<128x64xf32>, tensor<128x64xf32>, tensor<2x64x2x32xf32>, tensor<2x64x2x32xf32>, tensor<2x64x2x32xf32>, tensor<2x64x2x32xf32>, tensor<2x1xi32>, tensor<2xi32>) -> (tensor<2x128xf32>, tensor<2x1xi32>, tensor<2x64x2x32xf32>, tensor<2x64x2x32xf32>, tensor<2x64x2x32xf32>, tensor<2x64x2x32xf32>)
    %one = stablehlo.constant dense<1> : tensor<i32>
    %j = stablehlo.add %i, %one : tensor<i32>
    %ones = stablehlo.constant dense<1> : tensor<2xi32>
    %q = stablehlo.add %p, %ones : tensor<2xi32>
    stablehlo.return %j, %n, %s#2, %s#3, %s#4, %s#5, %s#1, %q : tensor<i32>, tensor<i32>, tensor<2x64x2x32xf32>, tensor<2x64x2x32xf32>, tensor<2x64x2x32xf32>, tensor<2x64x2x32xf32>, tensor<2x1xi32>, tensor<2xi32>
  }
  return %r#6, %r#2, %r#3, %r#4, %r#5 : tensor<2x1xi32>, tensor<2x64x2x32xf32>, tensor<2x64x2x32xf32>, tensor<2x64x2x32xf32>, tensor<2x64x2x32xf32>
}

func.func private @step(%wq: tensor<128x128xf32>, %wk: tensor<128x64xf32>, %wv: tensor<128x64xf32>, %k0: tensor<2x64x2x32xf32>, %v0: tensor<2x64x2x32xf32>, %k1: tensor<2x64x2x32xf32>, %v1: tensor<2x64x2x32xf32>, %tok: tensor<2x1xi32>, %pos: tensor<2xi32>) -> (tensor<2x128xf32>, tensor<2x1xi32>, tensor<2x64x2x32xf32>, tensor<2x64x2x32xf32>, tensor<2x64x2x32xf32>, tensor<2x64x2x32xf32>) {
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %lowest = stablehlo.constant dense<0xFF800000> : tensor<f32>
  %scale = stablehlo.constant dense<0.25> : tensor<2x2x2x1x64xf32>
  %fill = stablehlo.constant dense<-1.0e30> : tensor<2x2x2x1x64xf32>
  // What a token is: a wave of its own.
  %count = stablehlo.convert %tok : (tensor<2x1xi32>) -> tensor<2x1xf32>
  %counts = stablehlo.broadcast_in_dim %count, dims = [0, 1] : (tensor<2x1xf32>) -> tensor<2x128xf32>
  %feature = stablehlo.iota dim = 1 : tensor<2x128xf32>
  %angle = stablehlo.multiply %counts, %feature : tensor<2x128xf32>
  %wave = stablehlo.sine %angle : tensor<2x128xf32>
  %three = stablehlo.constant dense<3.0> : tensor<2x128xf32>
  %x = stablehlo.multiply %wave, %three : tensor<2x128xf32>
  // Rows are written at the position of each row of the batch, and seen up to there.
  %starts = stablehlo.reshape %pos : (tensor<2xi32>) -> tensor<2x1xi32>
  %keys = stablehlo.iota dim = 1 : tensor<2x64xi32>
  %positions = stablehlo.broadcast_in_dim %pos, dims = [0] : (tensor<2xi32>) -> tensor<2x64xi32>
  %visible = stablehlo.compare LE, %keys, %positions, SIGNED : (tensor<2x64xi32>, tensor<2x64xi32>) -> tensor<2x64xi1>
  %window = stablehlo.constant dense<12> : tensor<2xi32>
  %edge = stablehlo.subtract %pos, %window : tensor<2xi32>
  %edges = stablehlo.broadcast_in_dim %edge, dims = [0] : (tensor<2xi32>) -> tensor<2x64xi32>
  %near = stablehlo.compare GT, %keys, %edges, SIGNED : (tensor<2x64xi32>, tensor<2x64xi32>) -> tensor<2x64xi1>
  %both = stablehlo.and %visible, %near : tensor<2x64xi1>
  %causal = stablehlo.broadcast_in_dim %visible, dims = [0, 4] : (tensor<2x64xi1>) -> tensor<2x2x2x1x64xi1>
  %windowed = stablehlo.broadcast_in_dim %both, dims = [0, 4] : (tensor<2x64xi1>) -> tensor<2x2x2x1x64xi1>
  // Layer 0: the last 12 keys only.
  %q0m = stablehlo.dot_general %x, %wq, contracting_dims = [1] x [0] : (tensor<2x128xf32>, tensor<128x128xf32>) -> tensor<2x128xf32>
  %k0m = stablehlo.dot_general %x, %wk, contracting_dims = [1] x [0] : (tensor<2x128xf32>, tensor<128x64xf32>) -> tensor<2x64xf32>
  %v0m = stablehlo.dot_general %x, %wv, contracting_dims = [1] x [0] : (tensor<2x128xf32>, tensor<128x64xf32>) -> tensor<2x64xf32>
  %q0 = stablehlo.reshape %q0m : (tensor<2x128xf32>) -> tensor<2x1x2x2x32xf32>
  %k0row = stablehlo.reshape %k0m : (tensor<2x64xf32>) -> tensor<2x1x2x32xf32>
  %k0new = "stablehlo.scatter"(%k0, %starts, %k0row) ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    stablehlo.return %b : tensor<f32>
  }) {scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [1, 2, 3], input_batching_dims = [0], scatter_indices_batching_dims = [0], scatter_dims_to_operand_dims = [1], index_vector_dim = 1>} : (tensor<2x64x2x32xf32>, tensor<2x1xi32>, tensor<2x1x2x32xf32>) -> tensor<2x64x2x32xf32>
  %v0row = stablehlo.reshape %v0m : (tensor<2x64xf32>) -> tensor<2x1x2x32xf32>
  %v0new = "stablehlo.scatter"(%v0, %starts, %v0row) ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    stablehlo.return %b : tensor<f32>
  }) {scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [1, 2, 3], input_batching_dims = [0], scatter_indices_batching_dims = [0], scatter_dims_to_operand_dims = [1], index_vector_dim = 1>} : (tensor<2x64x2x32xf32>, tensor<2x1xi32>, tensor<2x1x2x32xf32>) -> tensor<2x64x2x32xf32>
  %dot0 = stablehlo.dot_general %k0new, %q0, batching_dims = [0, 2] x [0, 2], contracting_dims = [3] x [4] : (tensor<2x64x2x32xf32>, tensor<2x1x2x2x32xf32>) -> tensor<2x2x64x1x2xf32>
  %scores0 = stablehlo.transpose %dot0, dims = [0, 1, 4, 3, 2] : (tensor<2x2x64x1x2xf32>) -> tensor<2x2x2x1x64xf32>
  %scaled0 = stablehlo.multiply %scores0, %scale : tensor<2x2x2x1x64xf32>
  %logits0 = stablehlo.select %windowed, %scaled0, %fill : tensor<2x2x2x1x64xi1>, tensor<2x2x2x1x64xf32>
  %largest0 = stablehlo.reduce(%logits0 init: %lowest) applies stablehlo.maximum across dimensions = [4] : (tensor<2x2x2x1x64xf32>, tensor<f32>) -> tensor<2x2x2x1xf32>
  %spread0 = stablehlo.broadcast_in_dim %largest0, dims = [0, 1, 2, 3] : (tensor<2x2x2x1xf32>) -> tensor<2x2x2x1x64xf32>
  %shifted0 = stablehlo.subtract %logits0, %spread0 : tensor<2x2x2x1x64xf32>
  %exp0 = stablehlo.exponential %shifted0 : tensor<2x2x2x1x64xf32>
  %sum0 = stablehlo.reduce(%exp0 init: %zero) applies stablehlo.add across dimensions = [4] : (tensor<2x2x2x1x64xf32>, tensor<f32>) -> tensor<2x2x2x1xf32>
  %sums0 = stablehlo.broadcast_in_dim %sum0, dims = [0, 1, 2, 3] : (tensor<2x2x2x1xf32>) -> tensor<2x2x2x1x64xf32>
  %p0 = stablehlo.divide %exp0, %sums0 : tensor<2x2x2x1x64xf32>
  %out0 = stablehlo.dot_general %v0new, %p0, batching_dims = [0, 2] x [0, 1], contracting_dims = [1] x [4] : (tensor<2x64x2x32xf32>, tensor<2x2x2x1x64xf32>) -> tensor<2x2x32x2x1xf32>
  %turned0 = stablehlo.transpose %out0, dims = [0, 4, 1, 3, 2] : (tensor<2x2x32x2x1xf32>) -> tensor<2x1x2x2x32xf32>
  %attended0 = stablehlo.reshape %turned0 : (tensor<2x1x2x2x32xf32>) -> tensor<2x128xf32>
  %x0 = stablehlo.add %x, %attended0 : tensor<2x128xf32>
  // Layer 1: all keys up to the position.
  %q1m = stablehlo.dot_general %x0, %wq, contracting_dims = [1] x [0] : (tensor<2x128xf32>, tensor<128x128xf32>) -> tensor<2x128xf32>
  %k1m = stablehlo.dot_general %x0, %wk, contracting_dims = [1] x [0] : (tensor<2x128xf32>, tensor<128x64xf32>) -> tensor<2x64xf32>
  %v1m = stablehlo.dot_general %x0, %wv, contracting_dims = [1] x [0] : (tensor<2x128xf32>, tensor<128x64xf32>) -> tensor<2x64xf32>
  %q1 = stablehlo.reshape %q1m : (tensor<2x128xf32>) -> tensor<2x1x2x2x32xf32>
  %k1row = stablehlo.reshape %k1m : (tensor<2x64xf32>) -> tensor<2x1x2x32xf32>
  %k1new = "stablehlo.scatter"(%k1, %starts, %k1row) ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    stablehlo.return %b : tensor<f32>
  }) {scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [1, 2, 3], input_batching_dims = [0], scatter_indices_batching_dims = [0], scatter_dims_to_operand_dims = [1], index_vector_dim = 1>} : (tensor<2x64x2x32xf32>, tensor<2x1xi32>, tensor<2x1x2x32xf32>) -> tensor<2x64x2x32xf32>
  %v1row = stablehlo.reshape %v1m : (tensor<2x64xf32>) -> tensor<2x1x2x32xf32>
  %v1new = "stablehlo.scatter"(%v1, %starts, %v1row) ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    stablehlo.return %b : tensor<f32>
  }) {scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [1, 2, 3], input_batching_dims = [0], scatter_indices_batching_dims = [0], scatter_dims_to_operand_dims = [1], index_vector_dim = 1>} : (tensor<2x64x2x32xf32>, tensor<2x1xi32>, tensor<2x1x2x32xf32>) -> tensor<2x64x2x32xf32>
  %dot1 = stablehlo.dot_general %k1new, %q1, batching_dims = [0, 2] x [0, 2], contracting_dims = [3] x [4] : (tensor<2x64x2x32xf32>, tensor<2x1x2x2x32xf32>) -> tensor<2x2x64x1x2xf32>
  %scores1 = stablehlo.transpose %dot1, dims = [0, 1, 4, 3, 2] : (tensor<2x2x64x1x2xf32>) -> tensor<2x2x2x1x64xf32>
  %scaled1 = stablehlo.multiply %scores1, %scale : tensor<2x2x2x1x64xf32>
  %logits1 = stablehlo.select %causal, %scaled1, %fill : tensor<2x2x2x1x64xi1>, tensor<2x2x2x1x64xf32>
  %largest1 = stablehlo.reduce(%logits1 init: %lowest) applies stablehlo.maximum across dimensions = [4] : (tensor<2x2x2x1x64xf32>, tensor<f32>) -> tensor<2x2x2x1xf32>
  %spread1 = stablehlo.broadcast_in_dim %largest1, dims = [0, 1, 2, 3] : (tensor<2x2x2x1xf32>) -> tensor<2x2x2x1x64xf32>
  %shifted1 = stablehlo.subtract %logits1, %spread1 : tensor<2x2x2x1x64xf32>
  %exp1 = stablehlo.exponential %shifted1 : tensor<2x2x2x1x64xf32>
  %sum1 = stablehlo.reduce(%exp1 init: %zero) applies stablehlo.add across dimensions = [4] : (tensor<2x2x2x1x64xf32>, tensor<f32>) -> tensor<2x2x2x1xf32>
  %sums1 = stablehlo.broadcast_in_dim %sum1, dims = [0, 1, 2, 3] : (tensor<2x2x2x1xf32>) -> tensor<2x2x2x1x64xf32>
  %p1 = stablehlo.divide %exp1, %sums1 : tensor<2x2x2x1x64xf32>
  %out1 = stablehlo.dot_general %v1new, %p1, batching_dims = [0, 2] x [0, 1], contracting_dims = [1] x [4] : (tensor<2x64x2x32xf32>, tensor<2x2x2x1x64xf32>) -> tensor<2x2x32x2x1xf32>
  %turned1 = stablehlo.transpose %out1, dims = [0, 4, 1, 3, 2] : (tensor<2x2x32x2x1xf32>) -> tensor<2x1x2x2x32xf32>
  %attended1 = stablehlo.reshape %turned1 : (tensor<2x1x2x2x32xf32>) -> tensor<2x128xf32>
  %x1 = stablehlo.add %x0, %attended1 : tensor<2x128xf32>
  // The next token.
  %all = stablehlo.reduce(%x1 init: %zero) applies stablehlo.add across dimensions = [1] : (tensor<2x128xf32>, tensor<f32>) -> tensor<2xf32>
  %size = stablehlo.abs %all : tensor<2xf32>
  %whole = stablehlo.convert %size : (tensor<2xf32>) -> tensor<2xi32>
  %column = stablehlo.reshape %whole : (tensor<2xi32>) -> tensor<2x1xi32>
  %many = stablehlo.constant dense<128> : tensor<2x1xi32>
  %next = stablehlo.remainder %column, %many : tensor<2x1xi32>
  return %x1, %next, %k0new, %v0new, %k1new, %v1new : tensor<2x128xf32>, tensor<2x1xi32>, tensor<2x64x2x32xf32>, tensor<2x64x2x32xf32>, tensor<2x64x2x32xf32>, tensor<2x64x2x32xf32>
}
