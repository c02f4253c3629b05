// RUN: %pygraph-opt %s --legalize-custom-calls --split-input-file | FileCheck %s

// CHECK-LABEL: @known
// CHECK: chlo.erf %x
// CHECK: stablehlo.optimization_barrier {{.*}}mhlo.frontend_attributes = {_xla_buffer_placement = "pinned_host"}
func.func @known(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = stablehlo.custom_call @mhlo.erf(%x) : (tensor<2xf32>) -> tensor<2xf32>
  %1 = stablehlo.custom_call @annotate_device_placement(%0) {has_side_effect = true, mhlo.frontend_attributes = {_xla_buffer_placement = "pinned_host"}} : (tensor<2xf32>) -> tensor<2xf32>
  return %1 : tensor<2xf32>
}

// -----
// A call without an entry is not this pass's to judge, nor is an assertion.
// CHECK-LABEL: @unknown
// CHECK: stablehlo.custom_call @mine(%x)
// CHECK: stablehlo.custom_call @check.expect_eq
func.func @unknown(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = stablehlo.custom_call @mine(%x) : (tensor<2xf32>) -> tensor<2xf32>
  stablehlo.custom_call @check.expect_eq(%x, %0) {has_side_effect = true} : (tensor<2xf32>, tensor<2xf32>) -> ()
  return %0 : tensor<2xf32>
}
