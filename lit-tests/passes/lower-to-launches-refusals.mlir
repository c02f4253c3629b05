// All operations of a function that do not run are reported at once, each with its name and what it would need.
// RUN: %pygraph-opt %s --lower-to-launches --split-input-file --verify-diagnostics

func.func @two(%x: tensor<4xf32>, %n: tensor<1xi32>) -> tensor<4xf32> {
  // expected-error @+1 {{custom call `@somebody_else` is not known: it needs a kernel of that name}}
  %0 = stablehlo.custom_call @somebody_else(%x) : (tensor<4xf32>) -> tensor<4xf32>
  // expected-error @+1 {{`stablehlo.all_reduce` does not run: programs of several processes need a communicator}}
  %1 = "stablehlo.all_reduce"(%0) ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %2 = stablehlo.add %a, %b : tensor<f32>
    stablehlo.return %2 : tensor<f32>
  }) {replica_groups = dense<[[0]]> : tensor<1x1xi64>} : (tensor<4xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// -----
func.func @dynamic(%x: tensor<?xf32>) -> tensor<?xf32> {
  // expected-error @+1 {{`stablehlo.negate` does not run yet: a shape known only when the model runs needs dynamic dimensions: export with fixed shapes}}
  %0 = stablehlo.negate %x : tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----
func.func @quantized(%x: tensor<2x!quant.uniform<i8:f32, 1.0:17>>) -> tensor<2x!quant.uniform<i8:f32, 1.0:17>> {
  // expected-error @+1 {{`stablehlo.reshape` does not run yet: elements of type}}
  %0 = stablehlo.reshape %x : (tensor<2x!quant.uniform<i8:f32, 1.0:17>>) -> tensor<2x!quant.uniform<i8:f32, 1.0:17>>
  return %0 : tensor<2x!quant.uniform<i8:f32, 1.0:17>>
}

// -----
func.func @body(%x: tensor<4xf32>, %y: tensor<f32>) -> tensor<f32> {
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %0 = stablehlo.reduce(%x init: %zero) across dimensions = [0] : (tensor<4xf32>, tensor<f32>) -> tensor<f32>
   reducer(%a: tensor<f32>, %b: tensor<f32>) {
    // expected-error @+1 {{the body of a launch reads a value from outside, which does not run unless it is a constant}}
    %1 = stablehlo.add %a, %y : tensor<f32>
    stablehlo.return %1 : tensor<f32>
  }
  return %0 : tensor<f32>
}

// -----
func.func @calls(%x: tensor<f32>) -> tensor<f32> {
  // expected-error @+1 {{`func.call` does not run: the call is not inlined: run `inline-calls` first}}
  %0 = func.call @called(%x) : (tensor<f32>) -> tensor<f32>
  return %0 : tensor<f32>
}
func.func @called(%x: tensor<f32>) -> tensor<f32> {
  return %x : tensor<f32>
}
