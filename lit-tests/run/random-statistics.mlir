// Random numbers have the moments that they should: means of 4096 each, from a fixed seed, less what is expected, in standard errors (the
// deviation of one number over 64). Four of these are allowed, which chance exceeds once in 16,000 means.
// In order: rand; its square; rand times another rand; randn; its square; its cube; randn times rand; bernoulli; bernoulli of a tensor; dropout of ones; exponential; randint; multinomial of 1, 2, 3, 4; the same, with replacement.
//
// RUN: %npz %t.in.npz arg0=f4:4096:1 arg1=f4:4:1,2,3,4 arg2=f4:14:0.5,0.333333,0.25,0,1,0,0,0.3,0.3,1,0.5,2.5,2,2 arg3=f4:14:0.00451055,0.00465847,0.00344499,0.015625,0.0220971,0.0605154,0.0090211,0.00716027,0.00716027,0.0090211,0.0078125,0.0266848,0.015625,0.015625
// RUN: %npz %t.expect.npz out0=f4:14:0
// RUN: %pygraph-compile %s -o %t.pyg
// RUN: %pygraph-run %t.pyg --inputs %t.in.npz --expect %t.expect.npz --atol 4
// RUN: %pygraph-run %t.pyg --inputs %t.in.npz --seed 1 --expect %t.expect.npz --atol 4
// RUN: %pygraph-run %t.pyg --inputs %t.in.npz --seed 18446744073709551615 --expect %t.expect.npz --atol 4
//
// A permutation has every number once, and a choice without replacement every place.
// RUN: %pygraph-run %t.pyg --inputs %t.in.npz | FileCheck %s
// CHECK: out1 `out1`: 4096xi64 = [0, 1, 2, 3, 4, 5, 6, 7
// CHECK: out2 `out2`: 4096x4xi64 = [0, 1, 2, 3, 0, 1, 2, 3
func.func @main(%ones: tensor<4096xf32>, %v: tensor<4xf32>, %mean: tensor<14xf32>, %error: tensor<14xf32>) -> (tensor<14xf32>, tensor<4096xsi64>, tensor<4096x4xsi64>) {
  %w = "fx.call"(%v) {target = "aten.expand.default", args = ["%0", [4096 : i64, 4 : i64]], device = "cuda:0"} : (tensor<4xf32>) -> tensor<4096x4xf32>
  %u = "fx.call"() {target = "aten.rand.default", args = [[4096 : i64]], device = "cuda:0"} : () -> tensor<4096xf32>
  %m0 = "fx.call"(%u) {target = "aten.mean.default", args = ["%0"], device = "cuda:0"} : (tensor<4096xf32>) -> tensor<f32>
  %u2 = "fx.call"(%u, %u) {target = "aten.mul.Tensor", args = ["%0", "%1"], device = "cuda:0"} : (tensor<4096xf32>, tensor<4096xf32>) -> tensor<4096xf32>
  %m1 = "fx.call"(%u2) {target = "aten.mean.default", args = ["%0"], device = "cuda:0"} : (tensor<4096xf32>) -> tensor<f32>
  %t = "fx.call"() {target = "aten.rand.default", args = [[4096 : i64]], device = "cuda:0"} : () -> tensor<4096xf32>
  %ut = "fx.call"(%u, %t) {target = "aten.mul.Tensor", args = ["%0", "%1"], device = "cuda:0"} : (tensor<4096xf32>, tensor<4096xf32>) -> tensor<4096xf32>
  %m2 = "fx.call"(%ut) {target = "aten.mean.default", args = ["%0"], device = "cuda:0"} : (tensor<4096xf32>) -> tensor<f32>
  %z = "fx.call"() {target = "aten.randn.default", args = [[4096 : i64]], device = "cuda:0"} : () -> tensor<4096xf32>
  %m3 = "fx.call"(%z) {target = "aten.mean.default", args = ["%0"], device = "cuda:0"} : (tensor<4096xf32>) -> tensor<f32>
  %z2 = "fx.call"(%z, %z) {target = "aten.mul.Tensor", args = ["%0", "%1"], device = "cuda:0"} : (tensor<4096xf32>, tensor<4096xf32>) -> tensor<4096xf32>
  %m4 = "fx.call"(%z2) {target = "aten.mean.default", args = ["%0"], device = "cuda:0"} : (tensor<4096xf32>) -> tensor<f32>
  %z3 = "fx.call"(%z2, %z) {target = "aten.mul.Tensor", args = ["%0", "%1"], device = "cuda:0"} : (tensor<4096xf32>, tensor<4096xf32>) -> tensor<4096xf32>
  %m5 = "fx.call"(%z3) {target = "aten.mean.default", args = ["%0"], device = "cuda:0"} : (tensor<4096xf32>) -> tensor<f32>
  %zu = "fx.call"(%z, %u) {target = "aten.mul.Tensor", args = ["%0", "%1"], device = "cuda:0"} : (tensor<4096xf32>, tensor<4096xf32>) -> tensor<4096xf32>
  %m6 = "fx.call"(%zu) {target = "aten.mean.default", args = ["%0"], device = "cuda:0"} : (tensor<4096xf32>) -> tensor<f32>
  %b = "fx.call"(%ones) {target = "aten.bernoulli.p", args = ["%0", 0.3 : f64], device = "cuda:0"} : (tensor<4096xf32>) -> tensor<4096xf32>
  %m7 = "fx.call"(%b) {target = "aten.mean.default", args = ["%0"], device = "cuda:0"} : (tensor<4096xf32>) -> tensor<f32>
  %p = "fx.call"(%ones) {target = "aten.mul.Scalar", args = ["%0", 0.3 : f64], device = "cuda:0"} : (tensor<4096xf32>) -> tensor<4096xf32>
  %c = "fx.call"(%p) {target = "aten.bernoulli.default", args = ["%0"], device = "cuda:0"} : (tensor<4096xf32>) -> tensor<4096xf32>
  %m8 = "fx.call"(%c) {target = "aten.mean.default", args = ["%0"], device = "cuda:0"} : (tensor<4096xf32>) -> tensor<f32>
  %d:2 = "fx.call"(%ones) {target = "aten.native_dropout.default", args = ["%0", 0.25 : f64, true], device = "cuda:0"} : (tensor<4096xf32>) -> (tensor<4096xf32>, tensor<4096xi1>)
  %m9 = "fx.call"(%d#0) {target = "aten.mean.default", args = ["%0"], device = "cuda:0"} : (tensor<4096xf32>) -> tensor<f32>
  %e = "fx.call"(%ones) {target = "aten.exponential.default", args = ["%0", 2.0 : f64], device = "cuda:0"} : (tensor<4096xf32>) -> tensor<4096xf32>
  %m10 = "fx.call"(%e) {target = "aten.mean.default", args = ["%0"], device = "cuda:0"} : (tensor<4096xf32>) -> tensor<f32>
  %i = "fx.call"() {target = "aten.randint.default", args = [6 : i64, [4096 : i64]], device = "cuda:0"} : () -> tensor<4096xsi64>
  %if = "fx.call"(%i) {target = "aten._to_copy.default", args = ["%0"], kwargs = {dtype = "dtype:float32"}, device = "cuda:0"} : (tensor<4096xsi64>) -> tensor<4096xf32>
  %m11 = "fx.call"(%if) {target = "aten.mean.default", args = ["%0"], device = "cuda:0"} : (tensor<4096xf32>) -> tensor<f32>
  %k = "fx.call"(%w) {target = "aten.multinomial.default", args = ["%0", 1 : i64], device = "cuda:0"} : (tensor<4096x4xf32>) -> tensor<4096x1xsi64>
  %kf = "fx.call"(%k) {target = "aten._to_copy.default", args = ["%0"], kwargs = {dtype = "dtype:float32"}, device = "cuda:0"} : (tensor<4096x1xsi64>) -> tensor<4096x1xf32>
  %m12 = "fx.call"(%kf) {target = "aten.mean.default", args = ["%0"], device = "cuda:0"} : (tensor<4096x1xf32>) -> tensor<f32>
  %r = "fx.call"(%v) {target = "aten.multinomial.default", args = ["%0", 4096 : i64, true], device = "cuda:0"} : (tensor<4xf32>) -> tensor<4096xsi64>
  %rf = "fx.call"(%r) {target = "aten._to_copy.default", args = ["%0"], kwargs = {dtype = "dtype:float32"}, device = "cuda:0"} : (tensor<4096xsi64>) -> tensor<4096xf32>
  %m13 = "fx.call"(%rf) {target = "aten.mean.default", args = ["%0"], device = "cuda:0"} : (tensor<4096xf32>) -> tensor<f32>
  %q = "fx.call"() {target = "aten.randperm.default", args = [4096 : i64], device = "cuda:0"} : () -> tensor<4096xsi64>
  %s:2 = "fx.call"(%q) {target = "aten.sort.default", args = ["%0"], device = "cuda:0"} : (tensor<4096xsi64>) -> (tensor<4096xsi64>, tensor<4096xsi64>)
  %x = "fx.call"(%w) {target = "aten.multinomial.default", args = ["%0", 4 : i64], device = "cuda:0"} : (tensor<4096x4xf32>) -> tensor<4096x4xsi64>
  %y:2 = "fx.call"(%x) {target = "aten.sort.default", args = ["%0"], device = "cuda:0"} : (tensor<4096x4xsi64>) -> (tensor<4096x4xsi64>, tensor<4096x4xsi64>)
  %all = "fx.call"(%m0, %m1, %m2, %m3, %m4, %m5, %m6, %m7, %m8, %m9, %m10, %m11, %m12, %m13) {target = "aten.stack.default", args = [["%0", "%1", "%2", "%3", "%4", "%5", "%6", "%7", "%8", "%9", "%10", "%11", "%12", "%13"]], device = "cuda:0"} : (tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>) -> tensor<14xf32>
  %off = "fx.call"(%all, %mean) {target = "aten.sub.Tensor", args = ["%0", "%1"], device = "cuda:0"} : (tensor<14xf32>, tensor<14xf32>) -> tensor<14xf32>
  %errors = "fx.call"(%off, %error) {target = "aten.div.Tensor", args = ["%0", "%1"], device = "cuda:0"} : (tensor<14xf32>, tensor<14xf32>) -> tensor<14xf32>
  return %errors, %s#0, %y#0 : tensor<14xf32>, tensor<4096xsi64>, tensor<4096x4xsi64>
}
