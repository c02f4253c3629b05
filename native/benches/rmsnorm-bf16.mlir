// One of the programs of scripts/compare-loops.
func.func @main(%x: tensor<512x4096xbf16>, %w: tensor<4096xbf16>) -> tensor<512x4096xbf16> {
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %n = stablehlo.constant dense<4096.0> : tensor<512xf32>
  %eps = stablehlo.constant dense<1.0e-5> : tensor<512xf32>
  %f = stablehlo.convert %x : (tensor<512x4096xbf16>) -> tensor<512x4096xf32>
  %sq = stablehlo.multiply %f, %f : tensor<512x4096xf32>
  %sum = stablehlo.reduce(%sq init: %zero) applies stablehlo.add across dimensions = [1] : (tensor<512x4096xf32>, tensor<f32>) -> tensor<512xf32>
  %mean = stablehlo.divide %sum, %n : tensor<512xf32>
  %a = stablehlo.add %mean, %eps : tensor<512xf32>
  %r = stablehlo.rsqrt %a : tensor<512xf32>
  %b = stablehlo.broadcast_in_dim %r, dims = [0] : (tensor<512xf32>) -> tensor<512x4096xf32>
  %y = stablehlo.multiply %f, %b : tensor<512x4096xf32>
  %wf = stablehlo.convert %w : (tensor<4096xbf16>) -> tensor<4096xf32>
  %wb = stablehlo.broadcast_in_dim %wf, dims = [1] : (tensor<4096xf32>) -> tensor<512x4096xf32>
  %z = stablehlo.multiply %y, %wb : tensor<512x4096xf32>
  %o = stablehlo.convert %z : (tensor<512x4096xf32>) -> tensor<512x4096xbf16>
  return %o : tensor<512x4096xbf16>
}
