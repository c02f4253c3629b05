// Where no state can come back from, random numbers are refused by name.
// RUN: %pygraph-opt %s --thread-random-state --split-input-file --verify-diagnostics

func.func @condition(%x: tensor<f32>) -> tensor<f32> {
  %a = stablehlo.constant dense<0.0> : tensor<f32>
  %b = stablehlo.constant dense<1.0> : tensor<f32>
  %s = stablehlo.constant dense<> : tensor<0xi64>
  %l = stablehlo.while(%i = %x) : tensor<f32>
  cond {
    // expected-error @below {{random numbers in the condition of `stablehlo.while`: a condition gives nothing back but its predicate, so the state of the generator would be lost; draw them in the body, or before the loop, and carry them}}
    %u = stablehlo.rng %a, %b, %s, distribution = UNIFORM : (tensor<f32>, tensor<f32>, tensor<0xi64>) -> tensor<f32>
    %c = stablehlo.compare LT, %i, %u : (tensor<f32>, tensor<f32>) -> tensor<i1>
    stablehlo.return %c : tensor<i1>
  } do {
    %j = stablehlo.add %i, %b : tensor<f32>
    stablehlo.return %j : tensor<f32>
  }
  return %l : tensor<f32>
}

// -----

// However deep: a loop in a condition could carry the state, and the condition could not give it back. All are reported.
func.func @inside_condition(%x: tensor<f32>, %p: tensor<i1>) -> tensor<f32> {
  %a = stablehlo.constant dense<0.0> : tensor<f32>
  %b = stablehlo.constant dense<1.0> : tensor<f32>
  %s = stablehlo.constant dense<> : tensor<0xi64>
  %l = stablehlo.while(%i = %x) : tensor<f32>
  cond {
    %u = "stablehlo.if"(%p) ({
      // expected-error @below {{random numbers in the condition of `stablehlo.while`}}
      %1 = stablehlo.rng %a, %b, %s, distribution = UNIFORM : (tensor<f32>, tensor<f32>, tensor<0xi64>) -> tensor<f32>
      stablehlo.return %1 : tensor<f32>
    }, {
      // expected-error @below {{random numbers in the condition of `stablehlo.while`}}
      %2 = stablehlo.rng %a, %b, %s, distribution = NORMAL : (tensor<f32>, tensor<f32>, tensor<0xi64>) -> tensor<f32>
      stablehlo.return %2 : tensor<f32>
    }) : (tensor<i1>) -> tensor<f32>
    %c = stablehlo.compare LT, %i, %u : (tensor<f32>, tensor<f32>) -> tensor<i1>
    stablehlo.return %c : tensor<i1>
  } do {
    %j = stablehlo.add %i, %b : tensor<f32>
    stablehlo.return %j : tensor<f32>
  }
  return %l : tensor<f32>
}

// -----

func.func @fold(%x: tensor<4xf32>) -> tensor<f32> {
  %a = stablehlo.constant dense<0.0> : tensor<f32>
  %b = stablehlo.constant dense<1.0> : tensor<f32>
  %s = stablehlo.constant dense<> : tensor<0xi64>
  %0 = stablehlo.reduce(%x init: %a) across dimensions = [0] : (tensor<4xf32>, tensor<f32>) -> tensor<f32>
   reducer(%l: tensor<f32>, %r: tensor<f32>) {
    // expected-error @below {{random numbers in the body of `stablehlo.reduce`, which computes on elements and has no place for the state of the generator; draw them before it, and make them an operand}}
    %u = stablehlo.rng %a, %b, %s, distribution = UNIFORM : (tensor<f32>, tensor<f32>, tensor<0xi64>) -> tensor<f32>
    %1 = stablehlo.add %l, %u : tensor<f32>
    stablehlo.return %1 : tensor<f32>
  }
  return %0 : tensor<f32>
}
