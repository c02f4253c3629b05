// RUN: %pygraph-compile %s --no-native --emit-cuda %t.cu -o %t.pyg
// RUN: FileCheck %s < %t.cu
// RUN: not %pygraph-compile %s --target=h100 -o %t.pyg 2>&1 | FileCheck %s --check-prefix=TARGET
// TARGET: error: --target: `h100` is no name of a GPU such as sm_90
// Launches that differ in their arrays alone share a kernel, also those of products with elementwise work behind them.
// CHECK: k0_contract_0(
// CHECK: k1_contract_add_1(
// CHECK-NOT: contract_add_2(
// CHECK: k2_contract_3(
func.func @main(%x: tensor<1x64xf32>, %v: tensor<64x64xf32> {pyg.bind = "once"}, %a: tensor<64xf32> {pyg.bind = "once"},
                %w: tensor<64x64xf32> {pyg.bind = "once"}, %b: tensor<64xf32> {pyg.bind = "once"}, %u: tensor<64x64xf32> {pyg.bind = "once"}) -> tensor<1x64xf32> {
  %0 = stablehlo.dot_general %x, %u, contracting_dims = [1] x [1] : (tensor<1x64xf32>, tensor<64x64xf32>) -> tensor<1x64xf32>
  %1 = stablehlo.dot_general %0, %v, contracting_dims = [1] x [1] : (tensor<1x64xf32>, tensor<64x64xf32>) -> tensor<1x64xf32>
  %2 = stablehlo.reshape %a : (tensor<64xf32>) -> tensor<1x64xf32>
  %3 = stablehlo.add %1, %2 : tensor<1x64xf32>
  %4 = stablehlo.dot_general %3, %w, contracting_dims = [1] x [1] : (tensor<1x64xf32>, tensor<64x64xf32>) -> tensor<1x64xf32>
  %5 = stablehlo.reshape %b : (tensor<64xf32>) -> tensor<1x64xf32>
  %6 = stablehlo.add %4, %5 : tensor<1x64xf32>
  %7 = stablehlo.dot_general %6, %u, contracting_dims = [1] x [1] : (tensor<1x64xf32>, tensor<64x64xf32>) -> tensor<1x64xf32>
  return %7 : tensor<1x64xf32>
}
