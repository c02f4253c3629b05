// Shapes that turn out to be wrong once they are known.
// RUN: %pygraph-opt %s --legalize-shape-ops --split-input-file --verify-diagnostics

func.func @negative() -> tensor<?xi32> {
  %s = stablehlo.constant dense<-1> : tensor<1xi64>
  // expected-error @below {{its shape [-1] has a negative extent}}
  %0 = stablehlo.dynamic_iota %s, dim = 0 : (tensor<1xi64>) -> tensor<?xi32>
  return %0 : tensor<?xi32>
}

// -----
func.func @fails(%x: tensor<2xf32>) -> tensor<2xf32> {
  %false = arith.constant false
  // expected-error @below {{this check always fails: the batch is too large}}
  cf.assert %false, "the batch is too large"
  return %x : tensor<2xf32>
}

// -----
func.func @wide() -> tensor<i128> {
  // expected-error @below {{its value has more than 64 bits}}
  %0 = arith.constant 100000000000000000000 : i128
  %1 = tensor.from_elements %0 : tensor<i128>
  return %1 : tensor<i128>
}

// -----
func.func @outside(%x: tensor<4xf32>) -> tensor<?xf32> {
  %start = stablehlo.constant dense<2> : tensor<1xi64>
  %limit = stablehlo.constant dense<9> : tensor<1xi64>
  %stride = stablehlo.constant dense<1> : tensor<1xi64>
  // expected-error @below {{no slice from [2] to [9] of shape [4]}}
  %0 = stablehlo.real_dynamic_slice %x, %start, %limit, %stride : (tensor<4xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----
func.func @removes_too_much(%x: tensor<4xf32>, %v: tensor<f32>) -> tensor<?xf32> {
  %low = stablehlo.constant dense<-3> : tensor<1xi64>
  %high = stablehlo.constant dense<-2> : tensor<1xi64>
  %none = stablehlo.constant dense<0> : tensor<1xi64>
  // expected-error @below {{padding [-3] and [-2] does not fit shape [4]}}
  %0 = stablehlo.dynamic_pad %x, %v, %low, %high, %none : (tensor<4xf32>, tensor<f32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----
func.func @unknown(%x: tensor<?xi32>, %y: tensor<4xi32>) -> tensor<?xi32> {
  // expected-error @below {{a dimension is known only at run time}}
  %0 = "arith.addi"(%x, %y) : (tensor<?xi32>, tensor<4xi32>) -> tensor<?xi32>
  return %0 : tensor<?xi32>
}

// -----
func.func @condition(%c: tensor<1xi32>, %x: tensor<4xi32>) -> tensor<4xi32> {
  %zero = arith.constant dense<0> : tensor<1xi32>
  %p = arith.cmpi sgt, %c, %zero : tensor<1xi32>
  // expected-error @below {{the condition has another shape than the values}}
  %0 = arith.select %p, %x, %x : tensor<1xi1>, tensor<4xi32>
  return %0 : tensor<4xi32>
}
