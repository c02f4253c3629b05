// RUN: %pygraph-opt %s --pipeline= --split-input-file --verify-diagnostics

// Counts, types, attributes, regions and terminators that the operation table refuses.

func.func @main(%x: tensor<i1>) -> tensor<2xf32> {
  // expected-error @below {{region `true_branch` of stablehlo.if should end in stablehlo.return, but ends in stablehlo.constant}}
  %0 = "stablehlo.if"(%x) ({
    %c = stablehlo.constant dense<1.0> : tensor<2xf32>
  }, {
    %c = stablehlo.constant dense<1.0> : tensor<2xf32>
    stablehlo.return %c : tensor<2xf32>
  }) : (tensor<i1>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  // expected-error @below {{func.return stands before the end of its block}}
  "func.return"(%x) : (tensor<2xf32>) -> ()
  %0 = stablehlo.negate %x : tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

// expected-error @below {{region `body` of func.func should end in func.return, but ends in stablehlo.return}}
func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  "stablehlo.return"(%x) : (tensor<2xf32>) -> ()
}

// -----

func.func @main(%x: tensor<2xf32>) -> tensor<3xf32> {
  // expected-error @below {{the function gives (tensor<3xf32>), but returns (tensor<2xf32>)}}
  return %x : tensor<2xf32>
}

// -----

func.func @main(%x: f32) {
  // expected-error @below {{scalar.neg stands outside of the body of a launch}}
  %0 = "scalar.neg"(%x) : (f32) -> f32
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{stablehlo.add has 1 operands, but takes 2 (lhs, rhs)}}
  %0 = "stablehlo.add"(%a0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>, %a1: tensor<2x3xf32>) {
  // expected-error @below {{stablehlo.add has 2 results, but takes 1 (result)}}
  %0:2 = "stablehlo.add"(%a0, %a1) : (tensor<2x3xf32>, tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>)
  return
}

// -----

func.func @main(%a0: tensor<2xf32>, %a1: tensor<2xf32>) {
  // expected-error @+3 {{result 0 (`result`) of stablehlo.and should be a tensor of i1, signed integer or unsigned integer, but is tensor<2xf32>}}
  // expected-error @+2 {{operand 1 (`rhs`) of stablehlo.and should be a tensor of i1, signed integer or unsigned integer, but is tensor<2xf32>}}
  // expected-error @below {{operand 0 (`lhs`) of stablehlo.and should be a tensor of i1, signed integer or unsigned integer, but is tensor<2xf32>}}
  %0 = "stablehlo.and"(%a0, %a1) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xi32>) {
  // expected-error @+2 {{result 0 (`result`) of stablehlo.cholesky should be a tensor of float or complex, but is tensor<2x3xi32>}}
  // expected-error @below {{operand 0 (`a`) of stablehlo.cholesky should be a tensor of float or complex, but is tensor<2x3xi32>}}
  %0 = "stablehlo.cholesky"(%a0) : (tensor<2x3xi32>) -> tensor<2x3xi32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{stablehlo.transpose needs the attribute `permutation`: a list of integers (array<i64: …>)}}
  %0 = "stablehlo.transpose"(%a0) : (tensor<2x3xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{`permutation` of stablehlo.transpose should be a list of integers (array<i64: …>)}}
  %0 = "stablehlo.transpose"(%a0) {permutation = "swap"} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{stablehlo.negate has no attribute `negated`; its own have a dialect's prefix}}
  %0 = "stablehlo.negate"(%a0) {negated = true} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @main(%a0: tensor<2x3xf32>) {
  // expected-error @below {{stablehlo.transpose has no attribute `permutatoin`; it has permutation}}
  %0 = "stablehlo.transpose"(%a0) {permutation = array<i64: 1, 0>, permutatoin = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @main(%a0: tensor<i1>) {
  // expected-error @below {{stablehlo.if has 1 regions, but takes 2}}
  %0 = "stablehlo.if"(%a0) ({
    %c = stablehlo.constant dense<1.0> : tensor<2xf32>
    stablehlo.return %c : tensor<2xf32>
  }) : (tensor<i1>) -> tensor<2xf32>
  return
}

// -----

func.func @main(%x: tensor<i1>) {
  "stablehlo.if"(%x) ({
    // expected-error @below {{func.func stands inside of another operation than the module}}
    func.func @inner() {
      return
    }
    "stablehlo.return"() : () -> ()
  }, {
    "stablehlo.return"() : () -> ()
  }) : (tensor<i1>) -> ()
  return
}

// -----

func.func @main(%x: tensor<2xf32>) {
  // expected-error @below {{pyg.while has 0 results, but gives 1}}
  "pyg.while"(%x) ({
  ^bb0(%a: tensor<2xf32>):
    %t = "pyg.constant"() {value = dense<true> : tensor<i1>} : () -> tensor<i1>
    "pyg.yield"(%t) : (tensor<i1>) -> ()
  }, {
  ^bb0(%a: tensor<2xf32>):
    "pyg.yield"(%a) : (tensor<2xf32>) -> ()
  }) : (tensor<2xf32>) -> ()
  return
}

// -----

func.func @main(%x: tensor<i1>) {
  // expected-error @below {{region `true_branch` of stablehlo.if has 0 blocks, but takes one}}
  "stablehlo.if"(%x) ({
  }, {
    "stablehlo.return"() : () -> ()
  }) : (tensor<i1>) -> ()
  return
}
