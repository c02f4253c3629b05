// Custom calls that are known, and do not say what they should.
// RUN: %pygraph-opt %s --legalize-custom-calls --split-input-file --verify-diagnostics

func.func @operands(%x: tensor<2xf32>) -> tensor<2xf32> {
  // expected-error @below {{custom call @Sharding: it should have 1 operands, not 2}}
  %0 = stablehlo.custom_call @Sharding(%x, %x) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----
func.func @results(%x: tensor<2xf32>) {
  // expected-error @below {{custom call @Sharding: it has no result 0}}
  stablehlo.custom_call @Sharding(%x) : (tensor<2xf32>) -> ()
  return
}

// -----
func.func @shards(%x: tensor<4xf32>) -> tensor<2xf32> {
  // expected-error @below {{custom call @SPMDFullToShardShape: its result has another type than its operand: programs over several devices do not run yet}}
  %0 = stablehlo.custom_call @SPMDFullToShardShape(%x) : (tensor<4xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----
func.func @without_k(%x: tensor<4xf32>) -> (tensor<2xf32>, tensor<2xi32>) {
  // expected-error @below {{custom call @mhlo.topk: `k` is missing}}
  %0:2 = stablehlo.custom_call @mhlo.topk(%x) : (tensor<4xf32>) -> (tensor<2xf32>, tensor<2xi32>)
  return %0#0, %0#1 : tensor<2xf32>, tensor<2xi32>
}

// -----
func.func @k_of_text(%x: tensor<4xf32>) -> (tensor<2xf32>, tensor<2xi32>) {
  // expected-error @below {{custom call @mhlo.topk: `k` is no number}}
  %0:2 = stablehlo.custom_call @mhlo.topk(%x) {mhlo.attributes = {k = "two", largest = true}} : (tensor<4xf32>) -> (tensor<2xf32>, tensor<2xi32>)
  return %0#0, %0#1 : tensor<2xf32>, tensor<2xi32>
}

// -----
func.func @smallest(%x: tensor<4xf32>) -> (tensor<2xf32>, tensor<2xi32>) {
  // expected-error @below {{custom call @mhlo.topk: the smallest elements are not supported}}
  %0:2 = stablehlo.custom_call @mhlo.topk(%x) {mhlo.attributes = {k = 2 : i64, largest = false}} : (tensor<4xf32>) -> (tensor<2xf32>, tensor<2xi32>)
  return %0#0, %0#1 : tensor<2xf32>, tensor<2xi32>
}

// -----
func.func @threefry(%k: tensor<ui32>, %x: tensor<2xui32>) -> (tensor<2xui32>, tensor<2xui32>) {
  // expected-error @below {{custom call @threefry2x32: keys and counters of different shapes are not supported}}
  %0:2 = stablehlo.custom_call @threefry2x32(%k, %k, %x, %x) : (tensor<ui32>, tensor<ui32>, tensor<2xui32>, tensor<2xui32>) -> (tensor<2xui32>, tensor<2xui32>)
  return %0#0, %0#1 : tensor<2xui32>, tensor<2xui32>
}
