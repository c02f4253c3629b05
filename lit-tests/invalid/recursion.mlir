// A function that leads back to itself can't be inlined.
// RUN: %pygraph-opt %s --split-input-file --verify-diagnostics

func.func @alone(%x: tensor<f32>) -> tensor<f32> {
  // expected-error @+1 {{@alone calls itself (through @alone), which can't be inlined}}
  %0 = call @alone(%x) : (tensor<f32>) -> tensor<f32>
  return %0 : tensor<f32>
}

// -----
func.func @first(%x: tensor<f32>) -> tensor<f32> {
  %0 = call @second(%x) : (tensor<f32>) -> tensor<f32>
  return %0 : tensor<f32>
}
func.func private @second(%x: tensor<f32>) -> tensor<f32> {
  // expected-error @+1 {{@first calls itself (through @first, @second), which can't be inlined}}
  %0 = call @first(%x) : (tensor<f32>) -> tensor<f32>
  return %0 : tensor<f32>
}
