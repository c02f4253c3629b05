// One of the programs of scripts/compare-loops.
func.func @main(%x: tensor<1024x4096xf32>, %y: tensor<1024x4096xf32>) -> tensor<1024x4096xf32> {
  %0 = stablehlo.multiply %x, %y : tensor<1024x4096xf32>
  %1 = stablehlo.add %0, %x : tensor<1024x4096xf32>
  %2 = stablehlo.maximum %1, %y : tensor<1024x4096xf32>
  %3 = stablehlo.subtract %2, %x : tensor<1024x4096xf32>
  return %3 : tensor<1024x4096xf32>
}
