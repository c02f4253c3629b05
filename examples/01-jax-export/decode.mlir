module @jit_decode attributes {mhlo.num_partitions = 1 : i32, mhlo.num_replicas = 1 : i32} {
  func.func public @main(%arg0: tensor<64x32xf32> {pyg.bind = "once", pyg.name = "w.embedding"}, %arg1: tensor<32x32xf32> {pyg.bind = "once", pyg.name = "w.key"}, %arg2: tensor<32x32xf32> {pyg.bind = "once", pyg.name = "w.out"}, %arg3: tensor<32x32xf32> {pyg.bind = "once", pyg.name = "w.query"}, %arg4: tensor<32x32xf32> {pyg.bind = "once", pyg.name = "w.value"}, %arg5: tensor<16x4x8xf32> {pyg.bind = "state", pyg.name = "cache.k", tf.aliasing_output = 0 : i32}, %arg6: tensor<16x4x8xf32> {pyg.bind = "state", pyg.name = "cache.v", tf.aliasing_output = 1 : i32}, %arg7: tensor<1xi32> {pyg.bind = "step", pyg.name = "token"}, %arg8: tensor<i32> {pyg.bind = "host", pyg.name = "position"}) -> (tensor<16x4x8xf32> {jax.result_info = "result[0]['k']"}, tensor<16x4x8xf32> {jax.result_info = "result[0]['v']"}, tensor<1x64xf32> {jax.result_info = "result[1]"}) {
    %c = stablehlo.constant dense<0> : tensor<i32>
    %0 = stablehlo.broadcast_in_dim %c, dims = [] : (tensor<i32>) -> tensor<1xi32>
    %1 = stablehlo.compare LT, %arg7, %0, SIGNED : (tensor<1xi32>, tensor<1xi32>) -> tensor<1xi1>
    %c_0 = stablehlo.constant dense<64> : tensor<i32>
    %2 = stablehlo.broadcast_in_dim %c_0, dims = [] : (tensor<i32>) -> tensor<1xi32>
    %3 = stablehlo.add %arg7, %2 : tensor<1xi32>
    %4 = stablehlo.select %1, %3, %arg7 : tensor<1xi1>, tensor<1xi32>
    %5 = stablehlo.broadcast_in_dim %4, dims = [0] : (tensor<1xi32>) -> tensor<1x1xi32>
    %6 = "stablehlo.gather"(%arg0, %5) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1, 32>}> : (tensor<64x32xf32>, tensor<1x1xi32>) -> tensor<1x32xf32>
    %7 = stablehlo.dot_general %6, %arg1, contracting_dims = [1] x [0], precision = [DEFAULT, DEFAULT] : (tensor<1x32xf32>, tensor<32x32xf32>) -> tensor<1x32xf32>
    %8 = stablehlo.reshape %7 : (tensor<1x32xf32>) -> tensor<1x4x8xf32>
    %c_1 = stablehlo.constant dense<0> : tensor<i32>
    %9 = stablehlo.compare LT, %arg8, %c_1, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    %c_2 = stablehlo.constant dense<16> : tensor<i32>
    %10 = stablehlo.add %arg8, %c_2 : tensor<i32>
    %11 = stablehlo.select %9, %10, %arg8 : tensor<i1>, tensor<i32>
    %c_3 = stablehlo.constant dense<0> : tensor<i32>
    %c_4 = stablehlo.constant dense<0> : tensor<i32>
    %12 = stablehlo.dynamic_update_slice %arg5, %8, %11, %c_3, %c_4 : (tensor<16x4x8xf32>, tensor<1x4x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<16x4x8xf32>
    %13 = stablehlo.dot_general %6, %arg4, contracting_dims = [1] x [0], precision = [DEFAULT, DEFAULT] : (tensor<1x32xf32>, tensor<32x32xf32>) -> tensor<1x32xf32>
    %14 = stablehlo.reshape %13 : (tensor<1x32xf32>) -> tensor<1x4x8xf32>
    %c_5 = stablehlo.constant dense<0> : tensor<i32>
    %15 = stablehlo.compare LT, %arg8, %c_5, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    %c_6 = stablehlo.constant dense<16> : tensor<i32>
    %16 = stablehlo.add %arg8, %c_6 : tensor<i32>
    %17 = stablehlo.select %15, %16, %arg8 : tensor<i1>, tensor<i32>
    %c_7 = stablehlo.constant dense<0> : tensor<i32>
    %c_8 = stablehlo.constant dense<0> : tensor<i32>
    %18 = stablehlo.dynamic_update_slice %arg6, %14, %17, %c_7, %c_8 : (tensor<16x4x8xf32>, tensor<1x4x8xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<16x4x8xf32>
    %19 = stablehlo.dot_general %6, %arg3, contracting_dims = [1] x [0], precision = [DEFAULT, DEFAULT] : (tensor<1x32xf32>, tensor<32x32xf32>) -> tensor<1x32xf32>
    %20 = stablehlo.reshape %19 : (tensor<1x32xf32>) -> tensor<1x4x8xf32>
    %21 = stablehlo.dot_general %20, %12, batching_dims = [1] x [1], contracting_dims = [2] x [2], precision = [DEFAULT, DEFAULT] : (tensor<1x4x8xf32>, tensor<16x4x8xf32>) -> tensor<4x1x16xf32>
    %cst = stablehlo.constant dense<2.82842708> : tensor<f32>
    %22 = stablehlo.broadcast_in_dim %cst, dims = [] : (tensor<f32>) -> tensor<4x1x16xf32>
    %23 = stablehlo.divide %21, %22 : tensor<4x1x16xf32>
    %24 = stablehlo.iota dim = 0 : tensor<16xi32>
    %25 = stablehlo.broadcast_in_dim %arg8, dims = [] : (tensor<i32>) -> tensor<16xi32>
    %26 = stablehlo.compare LE, %24, %25, SIGNED : (tensor<16xi32>, tensor<16xi32>) -> tensor<16xi1>
    %cst_9 = stablehlo.constant dense<-1.000000e+30> : tensor<f32>
    %27 = call @_where(%26, %23, %cst_9) : (tensor<16xi1>, tensor<4x1x16xf32>, tensor<f32>) -> tensor<4x1x16xf32>
    %cst_10 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %28 = stablehlo.reduce(%27 init: %cst_10) applies stablehlo.maximum across dimensions = [2] : (tensor<4x1x16xf32>, tensor<f32>) -> tensor<4x1xf32>
    %cst_11 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %29 = stablehlo.broadcast_in_dim %cst_11, dims = [] : (tensor<f32>) -> tensor<4x1xf32>
    %30 = stablehlo.maximum %29, %28 : tensor<4x1xf32>
    %31 = stablehlo.broadcast_in_dim %30, dims = [0, 1] : (tensor<4x1xf32>) -> tensor<4x1x1xf32>
    %32 = stablehlo.broadcast_in_dim %31, dims = [0, 1, 2] : (tensor<4x1x1xf32>) -> tensor<4x1x16xf32>
    %33 = stablehlo.subtract %27, %32 : tensor<4x1x16xf32>
    %34 = stablehlo.exponential %33 : tensor<4x1x16xf32>
    %cst_12 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %35 = stablehlo.reduce(%34 init: %cst_12) applies stablehlo.add across dimensions = [2] : (tensor<4x1x16xf32>, tensor<f32>) -> tensor<4x1xf32>
    %36 = stablehlo.broadcast_in_dim %35, dims = [0, 1] : (tensor<4x1xf32>) -> tensor<4x1x1xf32>
    %37 = stablehlo.broadcast_in_dim %36, dims = [0, 1, 2] : (tensor<4x1x1xf32>) -> tensor<4x1x16xf32>
    %38 = stablehlo.divide %34, %37 : tensor<4x1x16xf32>
    %39 = stablehlo.dot_general %18, %38, batching_dims = [1] x [0], contracting_dims = [0] x [2], precision = [DEFAULT, DEFAULT] : (tensor<16x4x8xf32>, tensor<4x1x16xf32>) -> tensor<4x8x1xf32>
    %40 = stablehlo.transpose %39, dims = [2, 0, 1] : (tensor<4x8x1xf32>) -> tensor<1x4x8xf32>
    %41 = stablehlo.reshape %40 : (tensor<1x4x8xf32>) -> tensor<1x32xf32>
    %42 = stablehlo.dot_general %41, %arg2, contracting_dims = [1] x [0], precision = [DEFAULT, DEFAULT] : (tensor<1x32xf32>, tensor<32x32xf32>) -> tensor<1x32xf32>
    %43 = stablehlo.add %6, %42 : tensor<1x32xf32>
    %44 = stablehlo.transpose %arg0, dims = [1, 0] : (tensor<64x32xf32>) -> tensor<32x64xf32>
    %45 = stablehlo.dot_general %43, %44, contracting_dims = [1] x [0], precision = [DEFAULT, DEFAULT] : (tensor<1x32xf32>, tensor<32x64xf32>) -> tensor<1x64xf32>
    return %12, %18, %45 : tensor<16x4x8xf32>, tensor<16x4x8xf32>, tensor<1x64xf32>
  }
  func.func private @_where(%arg0: tensor<16xi1>, %arg1: tensor<4x1x16xf32>, %arg2: tensor<f32>) -> tensor<4x1x16xf32> {
    %0 = stablehlo.convert %arg2 : tensor<f32>
    %1 = stablehlo.broadcast_in_dim %arg0, dims = [2] : (tensor<16xi1>) -> tensor<4x1x16xi1>
    %2 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<f32>) -> tensor<4x1x16xf32>
    %3 = stablehlo.select %1, %arg1, %2 : tensor<4x1x16xi1>, tensor<4x1x16xf32>
    return %3 : tensor<4x1x16xf32>
  }
}

