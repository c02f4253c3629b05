// RUN: %pygraph-compile %s --no-native --emit-cuda %t.cu -o %t.pyg
// RUN: FileCheck %s < %t.cu
// RUN: %pygraph-compile %s --no-native --no-join --emit-cuda %t.apart.cu -o %t.pyg
// RUN: FileCheck %s --check-prefix=APART < %t.apart.cu
// Small launches behind one product are one kernel; one block rotates the keys, and puts them into the cache.
// CHECK: k0_contract_0(
// CHECK: k1_{{.*}}_and_{{.*}}dynamic_update_slice
// APART: k0_contract_0(
// APART-NOT: _and_
// APART: dynamic_update_slice
func.func @main(%x: tensor<1x64xf32>, %w: tensor<128x64xf32> {pyg.bind = "once"}, %cache: tensor<16x64xf32> {pyg.bind = "state", pyg.updated_by = 1 : i64},
                %position: tensor<i32> {pyg.bind = "host"}) -> (tensor<64xf32>, tensor<16x64xf32>) {
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %0 = stablehlo.dot_general %x, %w, contracting_dims = [1] x [1] : (tensor<1x64xf32>, tensor<128x64xf32>) -> tensor<1x128xf32>
  %1 = stablehlo.slice %0 [0:1, 0:64] : (tensor<1x128xf32>) -> tensor<1x64xf32>
  %2 = stablehlo.tanh %1 : tensor<1x64xf32>
  %3 = stablehlo.reshape %2 : (tensor<1x64xf32>) -> tensor<64xf32>
  %4 = stablehlo.slice %0 [0:1, 64:128] : (tensor<1x128xf32>) -> tensor<1x64xf32>
  %5 = stablehlo.negate %4 : tensor<1x64xf32>
  %6 = stablehlo.dynamic_update_slice %cache, %5, %position, %zero : (tensor<16x64xf32>, tensor<1x64xf32>, tensor<i32>, tensor<i32>) -> tensor<16x64xf32>
  return %3, %6 : tensor<64xf32>, tensor<16x64xf32>
}
