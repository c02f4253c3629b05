// What random operators draw from a state is what PyTorch 2.11 drew from it on an H100: the values below are its own, set by
// torch.cuda.set_rng_state, whose 16 bytes are the state's.
//
// Bit for bit: uniform numbers of every type, integers, choices.
// RUN: %npz %t.in.npz arg0=f4:2x16:1,2,3,4,5,6,7,8,1,2,3,4,5,6,7,8,1,2,3,4,5,6,7,8,1,2,3,4,5,6,7,8 arg1=f4:4:0 rng_state=u8:2:42,8
// RUN: %npz %t.exact.npz out0=f4:2x3:0.82586681842803955,0.21278765797615051,0.72919976711273193,0.32094964385032654,0.75497913360595703,0.21322599053382874 out2=f8:4:0.83904529584207621,0.578383232302359,0.99288106259867148,0.18362426629741152 out3=i8:4:8,8,6,8 out4=f4:4:0.2255859375,0.58203125,0.435546875,0.56640625 out5=f4:4:0.3583984375,0.298828125,0.329345703125,0.39697265625 out6=i8:3:670546008108,648112465253,401127003395 out8=i8:2x1:7,7 out9=i8:2x4:12,5,13,6,5,2,3,7 out11=f4:4:-0.56066340208053589,-0.8751792311668396,0.49868786334991455,0.06318509578704834 out13=u8:2:42,60
// To within the rounding of sine and logarithm: normal and exponential numbers.
// RUN: %npz %t.close.npz out1=f4:5:-0.69736588001251221,-1.8688257932662964,-0.88318741321563721,-1.6627042293548584,-0.43243223428726196 out10=f4:4:0.48293939232826233,0.11967965215444565,0.11268241703510284,0.059542592614889145 out12=f4:4:1.1854456663131714,2.6602897644042969,2.7674694061279297,2.6359567642211914
// RUN: %npz %t.double.npz out7=f8:3:0.03076685093840022,1.1979943904601988,0.069036969513484675
// RUN: %pygraph-compile %s -o %t.pyg
// RUN: %pygraph-run %t.pyg --inputs %t.in.npz --expect %t.exact.npz --tolerance 0
// RUN: %pygraph-run %t.pyg --inputs %t.in.npz --expect %t.close.npz --atol 1e-6
// RUN: %pygraph-run %t.pyg --inputs %t.in.npz --expect %t.double.npz --atol 1e-14
//
// Each operation on its own, loop nests interpreted: the same.
// RUN: %pygraph-run %t.pyg --inputs %t.in.npz --outputs %t.out.npz
// RUN: %pygraph-compile %s --no-fuse -o %t.plain.pyg
// RUN: %pygraph-run %t.plain.pyg --interpret --inputs %t.in.npz --expect %t.out.npz --tolerance 0
//
// Seeds and offsets of more than 32 bits count whole.
// RUN: %npz %t.far.npz arg0=f4:2x16:1 arg1=f4:4:0 rng_state=u8:2:9223372036854775813,17179869188
// RUN: %npz %t.far-expect.npz out13=u8:2:9223372036854775813,17179869240
// RUN: %pygraph-run %t.pyg --inputs %t.far.npz --expect %t.far-expect.npz --tolerance 0
// RUN: %pygraph-run %t.pyg --inputs %t.far.npz | FileCheck %s
// CHECK: out0 `out0`: 2x3xf32 = [0.4353571832180023, 0.26283779740333557, 0.6102116107940674,
func.func @main(%w: tensor<2x16xf32>, %x: tensor<4xf32>) -> (tensor<2x3xf32>, tensor<5xf32>, tensor<4xf64>, tensor<4xsi64>, tensor<4xf32>, tensor<4xf32>, tensor<3xsi64>, tensor<3xf64>, tensor<2x1xsi64>, tensor<2x4xsi64>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %a = "fx.call"() {target = "aten.rand.default", args = [[2 : i64, 3 : i64]], device = "cuda:0"} : () -> tensor<2x3xf32>
  %b = "fx.call"() {target = "aten.randn.default", args = [[5 : i64]], device = "cuda:0"} : () -> tensor<5xf32>
  %c = "fx.call"() {target = "aten.rand.default", args = [[4 : i64]], device = "cuda:0"} : () -> tensor<4xf64>
  %d = "fx.call"() {target = "aten.randint.default", args = [9 : i64, [4 : i64]], device = "cuda:0"} : () -> tensor<4xsi64>
  %e = "fx.call"() {target = "aten.rand.default", args = [[4 : i64]], device = "cuda:0"} : () -> tensor<4xbf16>
  %e32 = "fx.call"(%e) {target = "aten._to_copy.default", args = ["%0"], kwargs = {dtype = "dtype:float32"}, device = "cuda:0"} : (tensor<4xbf16>) -> tensor<4xf32>
  %f = "fx.call"() {target = "aten.rand.default", args = [[4 : i64]], device = "cuda:0"} : () -> tensor<4xf16>
  %f32 = "fx.call"(%f) {target = "aten._to_copy.default", args = ["%0"], kwargs = {dtype = "dtype:float32"}, device = "cuda:0"} : (tensor<4xf16>) -> tensor<4xf32>
  %g = "fx.call"() {target = "aten.randint.low", args = [-5 : i64, 1099511627776 : i64, [3 : i64]], device = "cuda:0"} : () -> tensor<3xsi64>
  %h = "fx.call"() {target = "aten.randn.default", args = [[3 : i64]], device = "cuda:0"} : () -> tensor<3xf64>
  %i = "fx.call"(%w) {target = "aten.multinomial.default", args = ["%0", 1 : i64], device = "cuda:0"} : (tensor<2x16xf32>) -> tensor<2x1xsi64>
  %j = "fx.call"(%w) {target = "aten.multinomial.default", args = ["%0", 4 : i64], device = "cuda:0"} : (tensor<2x16xf32>) -> tensor<2x4xsi64>
  %k = "fx.call"(%x) {target = "aten.exponential.default", args = ["%0", 2.0 : f64], device = "cuda:0"} : (tensor<4xf32>) -> tensor<4xf32>
  %l = "fx.call"(%x) {target = "aten.uniform.default", args = ["%0", -1.0 : f64, 1.0 : f64], device = "cuda:0"} : (tensor<4xf32>) -> tensor<4xf32>
  %m = "fx.call"(%x) {target = "aten.normal_functional.default", args = ["%0", 2.0 : f64, 0.5 : f64], device = "cuda:0"} : (tensor<4xf32>) -> tensor<4xf32>
  return %a, %b, %c, %d, %e32, %f32, %g, %h, %i, %j, %k, %l, %m : tensor<2x3xf32>, tensor<5xf32>, tensor<4xf64>, tensor<4xsi64>, tensor<4xf32>, tensor<4xf32>, tensor<3xsi64>, tensor<3xf64>, tensor<2x1xsi64>, tensor<2x4xsi64>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}
