//! What is printed reads back as the same module, in short and in generic form.

use super::{PrintOptions, print};
use crate::ir::parse::parse;

fn short(source: &str) -> String {
    print(&parse(source, "f").unwrap_or_else(|errors| panic!("{errors:?}\n{source}")), &PrintOptions::default())
}

/// The text is what the printer prints for it, also by way of generic form.
fn check(text: &str) {
    assert_eq!(short(text), text);
    let generic = PrintOptions { generic: true, ..PrintOptions::default() };
    let module = parse(text, "f").expect("it was read before");
    let generic_text = print(&module, &generic);
    assert_eq!(short(&generic_text), text);
    let again = parse(&generic_text, "f").expect("it was read before");
    assert_eq!(print(&again, &generic), generic_text);
}

/// What stands in a module prints as that.
fn check_prints(source: &str, expected: &str) {
    let text = short(source);
    let lines: Vec<&str> = text.lines().collect();
    let inner: Vec<&str> =
        lines[1..lines.len() - 1].iter().map(|line| line.strip_prefix("  ").unwrap_or(line)).collect();
    assert_eq!(inner.join("\n"), expected);
    check(&text);
}

#[test]
fn attributes_and_functions_read_back() {
    check(
        r#"module @m attributes {a = affine_map<(d0, d1) -> (d1 * 2 + 1, -d0, 0)>, "b c" = [1 : i8, 2.5 : f64, "x\22\0A\FFé", unit, true, @f::@g, i32, tuple<i1, none>, (i32) -> (f32, f32), () -> ()], c, d = {x = 1 : i64, y}, e = array<i64>, f = array<i1: true, false>, g = array<f32: 1.5, 0x7FC00000>, h = #foo.bar<[a, ">"], b -> c>, i = 0x7FF0000000000000 : f64, j = -1.0e-30 : f32, k = #stablehlo.dot_algorithm<lhs_precision_type = tf32>, l = -1 : i8, m = #sdy.mesh<["x"=2]>, n = !stablehlo.token, o = array<i32: -1>, p = 18446744073709551615 : ui64, q = tensor<2xf32>, r = #foo.baz} {
  func.func private @"odd name"(tensor<?x2xf32, #pyg.dims<s0>>, i32) -> (tensor<2xf32> {jax.result_info = "r"}, i32)
  func.func public @f(%arg0: tensor<2xf32> {tf.aliasing_output = 0 : i32}, %x: tensor<2xf32>) -> tensor<2xf32> attributes {llvm.hot} {
    %0 = call @g(%arg0) {mhlo.x} : (tensor<2xf32>) -> tensor<2xf32>
    %x_0 = stablehlo.add %x, %0 {mhlo.frontend_attributes = {_xla_compute_type = "host"}} : tensor<2xf32>
    return %x_0 : tensor<2xf32>
  }
  func.func @g(%arg0: tensor<2xf32>) -> tensor<2xf32> {
    return %arg0 : tensor<2xf32>
  }
  func.func @nothing() {
    return
  }
}
"#,
    );
}

#[test]
fn constants_read_back() {
    check(
        r#"module {
  func.func @constants() {
    %c = stablehlo.constant dense<[[1, 2], [3, 4]]> : tensor<2x2xi32>
    %c_1 = stablehlo.constant {a = 1 : i64} dense<-1> : tensor<99999999999xi64>
    %0 = stablehlo.constant dense<> : tensor<0x3xf32>
    %1 = stablehlo.constant dense<> : tensor<0xf32>
    %2 = stablehlo.constant dense<[(1.0, -2.5), (0x7FC00000, 0.0)]> : tensor<2xcomplex<f32>>
    %3 = stablehlo.constant dense<[true, false]> : tensor<2xi1>
    %4 = stablehlo.constant dense<[513, 1027]> : tensor<2xi16>
    %5 = stablehlo.constant dense<[true, false, true]> : tensor<3xi1>
    %6 = stablehlo.constant dense<[1.0, 0.1, -0.0, 1.0e-8, 0x7FC00001, 0xFF800000, 65504.0]> : tensor<7xf32>
    %7 = stablehlo.constant dense<[7, -8]> : tensor<2xi4>
    %8 = stablehlo.constant dense<[255, 0]> : tensor<2xui8>
    %9 = stablehlo.constant dense<[448.0, 0x7F]> : tensor<2xf8E4M3FN>
    %10 = stablehlo.constant dense<3> : tensor<index>
    %11 = stablehlo.constant dense<[[[1], [2]], [[3], [4]]]> : tensor<2x2x1xsi8>
    %12 = stablehlo.constant dense<[1.0, 2.0]> : tensor<2xf32>
    %13 = arith.constant 8 : i64
    %14 = arith.constant true
    %15 = arith.constant 1.5 : f64
    %16 = "stablehlo.constant"() {value = dense<1> : tensor<i8>} : () -> tensor<!quant.uniform<i8:f32, 0.5:-20>>
    %17 = stablehlo.constant dense<[1.0, 2.0]> : tensor<2xbf16>
    return
  }
}
"#,
    );
}

#[test]
fn short_forms_read_back() {
    check(
        r#"module {
  func.func @f(%a: tensor<2x4xf32>, %p: tensor<2x4xi1>, %s: tensor<f32>, %i: tensor<i32>, %z: tensor<2xcomplex<f32>>, %u: tensor<2xui64>, %t: !stablehlo.token, %q: tensor<2x4x!quant.uniform<i8:f32, 0.5:-20>>) {
    %0 = stablehlo.iota dim = 0 : tensor<2x4xf32>
    %1 = stablehlo.transpose %a, dims = [1, 0] : (tensor<2x4xf32>) -> tensor<4x2xf32>
    %2 = stablehlo.broadcast_in_dim %s, dims = [] : (tensor<f32>) -> tensor<2x4xf32>
    %3 = stablehlo.pad %a, %s, low = [0, -1], high = [1, 0], interior = [0, 1] : (tensor<2x4xf32>, tensor<f32>) -> tensor<3x6xf32>
    %4 = stablehlo.select %p, %a, %a : tensor<2x4xi1>, tensor<2x4xf32>
    %5 = stablehlo.compare LT, %a, %a, FLOAT {x.y} : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xi1>
    %6 = stablehlo.compare EQ, %a, %a : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xi1>
    %7 = stablehlo.slice %a [0:2, 1:4:2] : (tensor<2x4xf32>) -> tensor<2x2xf32>
    %8 = stablehlo.concatenate %a, %a, dim = 1 : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x8xf32>
    %9 = stablehlo.dynamic_slice %a, %i, %i, sizes = [1, 1] : (tensor<2x4xf32>, tensor<i32>, tensor<i32>) -> tensor<1x1xf32>
    %10 = stablehlo.real %z : (tensor<2xcomplex<f32>>) -> tensor<2xf32>
    %11 = stablehlo.complex %10, %10 : tensor<2xcomplex<f32>>
    %12:2 = stablehlo.rng_bit_generator %u, algorithm = PHILOX : (tensor<2xui64>) -> (tensor<2xui64>, tensor<8xui32>)
    %13 = stablehlo.reduce_precision %a, format = e5m10 : tensor<2x4xf32>
    %14 = stablehlo.tuple %a, %i : tuple<tensor<2x4xf32>, tensor<i32>>
    %15 = stablehlo.get_tuple_element %14[1] : (tuple<tensor<2x4xf32>, tensor<i32>>) -> tensor<i32>
    %16 = stablehlo.after_all %t, %t : !stablehlo.token
    %17 = stablehlo.create_token : !stablehlo.token
    %18:2 = stablehlo.optimization_barrier %a, %i : tensor<2x4xf32>, tensor<i32>
    %values, %indices = chlo.top_k(%a, k = 2) : tensor<2x4xf32> -> (tensor<2x2xf32>, tensor<2x2xi32>)
    %19 = chlo.erf %a : tensor<2x4xf32> -> tensor<2x4xf32>
    %20 = chlo.broadcast_add %a, %s {broadcast_dimensions = array<i64>} : (tensor<2x4xf32>, tensor<f32>) -> tensor<2x4xf32>
    %21 = stablehlo.custom_call @"odd target"(%a) {api_version = 4 : i32, backend_config = "", operand_layouts = [dense<[1, 0]> : tensor<2xindex>], output_operand_aliases = [#stablehlo.output_operand_alias<output_tuple_indices = [], operand_index = 0, operand_tuple_indices = []>]} : (tensor<2x4xf32>) -> tensor<2x4xf32>
    stablehlo.custom_call @check(%a, %i) {has_side_effect = true} : (tensor<2x4xf32>, tensor<i32>) -> ()
    %22 = stablehlo.fft %z, type = FFT, length = [2] : (tensor<2xcomplex<f32>>) -> tensor<2xcomplex<f32>>
    %23 = stablehlo.cholesky %a, lower = true : tensor<2x4xf32>
    %24 = stablehlo.einsum %a, %a, config = "ab,ab->a" : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2xf32>
    %25 = stablehlo.uniform_dequantize %q : (tensor<2x4x!quant.uniform<i8:f32, 0.5:-20>>) -> tensor<2x4xf32>
    %26 = stablehlo.add %q, %q : (tensor<2x4x!quant.uniform<i8:f32, 0.5:-20>>, tensor<2x4x!quant.uniform<i8:f32, 0.5:-20>>) -> tensor<2x4x!quant.uniform<i8:f32, 0.25:-20>>
    %27 = stablehlo.get_dimension_size %a, dim = 1 : (tensor<2x4xf32>) -> tensor<i32>
    %28 = stablehlo.rng %s, %s, %u, distribution = UNIFORM : (tensor<f32>, tensor<f32>, tensor<2xui64>) -> tensor<2x4xf32>
    %29 = stablehlo.reverse %a, dims = [0] : tensor<2x4xf32>
    %30 = stablehlo.composite "my.op" %a {composite_attributes = {n = 2 : i64}, decomposition = @f, version = 1 : i32} : (tensor<2x4xf32>) -> tensor<2x4xf32>
    check.expect_eq %a, %a : tensor<2x4xf32>
    check.expect_close %a, %a, max_ulp_difference = 3 : tensor<2x4xf32>, tensor<2x4xf32>
    check.expect_almost_eq %a, %a, tolerance = 0.1 : tensor<2x4xf32>
    check.expect_almost_eq_const %s, dense<1.0> : tensor<f32> {tolerance = 0.5 : f64}
    %31 = stablehlo.dot %a, %1, precision = [HIGHEST, DEFAULT] : (tensor<2x4xf32>, tensor<4x2xf32>) -> tensor<2x2xf32>
    %32 = stablehlo.dot_general %a, %a, batching_dims = [0] x [0], contracting_dims = [1] x [1], precision = [DEFAULT, DEFAULT], algorithm = <lhs_precision_type = bf16, rhs_precision_type = bf16> : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2xf32>
    %33 = stablehlo.dot_general %a, %1, contracting_dims = [1] x [0] : (tensor<2x4xf32>, tensor<4x2xf32>) -> tensor<2x2xf32>
    return
  }
  func.func @conv(%x: tensor<1x8x8x3xf32>, %w: tensor<3x3x3x4xf32>) -> tensor<1x8x8x4xf32> {
    %0 = stablehlo.convolution(%x, %w) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {stride = [1, 1], pad = [[1, 1], [1, 1]], lhs_dilate = [1, 1], rhs_dilate = [1, 1], reverse = [false, true]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision DEFAULT>, #stablehlo<precision DEFAULT>]} : (tensor<1x8x8x3xf32>, tensor<3x3x3x4xf32>) -> tensor<1x8x8x4xf32>
    return %0 : tensor<1x8x8x4xf32>
  }
}
"#,
    );
}

#[test]
fn regions_read_back() {
    check(
        r#"module {
  func.func @f(%x: tensor<4x8xf32>, %k: tensor<4x8xi32>, %zero: tensor<f32>, %i: tensor<i32>, %n: tensor<i32>) -> tensor<4xf32> {
    %0 = stablehlo.reduce(%x init: %zero) applies stablehlo.add across dimensions = [1] : (tensor<4x8xf32>, tensor<f32>) -> tensor<4xf32>
    %1:2 = stablehlo.reduce(%x init: %zero), (%k init: %i) across dimensions = [1] : (tensor<4x8xf32>, tensor<4x8xi32>, tensor<f32>, tensor<i32>) -> (tensor<4xf32>, tensor<4xi32>)
     reducer(%a: tensor<f32>, %b: tensor<f32>) (%c: tensor<i32>, %d: tensor<i32>) {
      stablehlo.return %a, %d : tensor<f32>, tensor<i32>
    }
    %2:2 = stablehlo.while(%iterArg = %i, %iterArg_0 = %1#0) : tensor<i32>, tensor<4xf32> attributes {x.y}
    cond {
      %3 = stablehlo.compare LT, %iterArg, %n, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %3 : tensor<i1>
    } do {
      %4 = func.call @g(%iterArg_0) : (tensor<4xf32>) -> tensor<4xf32>
      %one = stablehlo.constant dense<1> : tensor<i32>
      %5 = stablehlo.add %iterArg, %one : tensor<i32>
      stablehlo.return %5, %4 : tensor<i32>, tensor<4xf32>
    }
    %res:2 = "stablehlo.sort"(%x, %k) ({
    ^bb0(%a: tensor<f32>, %b: tensor<f32>, %c: tensor<i32>, %d: tensor<i32>):
      %p = stablehlo.compare LT, %a, %b : (tensor<f32>, tensor<f32>) -> tensor<i1>
      stablehlo.return %p : tensor<i1>
    }) {dimension = 1 : i64, is_stable = true} : (tensor<4x8xf32>, tensor<4x8xi32>) -> (tensor<4x8xf32>, tensor<4x8xi32>)
    %6 = "stablehlo.case"(%i) ({
      stablehlo.return %0 : tensor<4xf32>
    }, {
      stablehlo.return %2#1 : tensor<4xf32>
    }) : (tensor<i32>) -> tensor<4xf32>
    %7 = "stablehlo.gather"(%x, %k) {dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, slice_sizes = array<i64: 1, 8>} : (tensor<4x8xf32>, tensor<4x8xi32>) -> tensor<4x8xf32>
    %8:2 = chlo.scan(%x) inits(%zero) dimension=0 attributes {is_reverse = true} {
    ^bb0(%a: tensor<f32>, %b: tensor<f32>):
      stablehlo.return %a, %b : tensor<f32>, tensor<f32>
    } : (tensor<4x8xf32>, tensor<f32>) -> (tensor<4x8xf32>, tensor<f32>)
    return %6 : tensor<4xf32>
  }
  func.func @g(%x: tensor<4xf32>) -> tensor<4xf32> {
    return %x : tensor<4xf32>
  }
}
"#,
    );
}

#[test]
fn unknown_extents_read_back() {
    check(
        r#"module {
  sdy.mesh @mesh = <["x"=2]> {y.z = 1 : i64}
  func.func @f(%x: tensor<?x4xf32, #pyg.dims<s0>> {sdy.sharding = #sdy.sharding<@mesh, [{"x"}, {}]>}, %y: tensor<?x4xf32, #pyg.dims<s1 in [0, 8]>>, %i: index, %j: i64) -> tensor<?x4xf32, #pyg.dims<s2>> {
    %0 = stablehlo.abs %x : tensor<?x4xf32, #pyg.dims<s0>>
    %1 = stablehlo.transpose %y, dims = [1, 0] : (tensor<?x4xf32, #pyg.dims<s1 in [0, 8]>>) -> tensor<4x?xf32, #pyg.dims<s1 in [0, 8]>>
    %2 = sdy.sharding_constraint %x <@mesh, [{"x"}, {}]> : tensor<?x4xf32, #pyg.dims<s0>>
    %dim = tensor.dim %x, %i : tensor<?x4xf32, #pyg.dims<s0>>
    %3 = shape.shape_of %x : tensor<?x4xf32, #pyg.dims<s0>> -> tensor<2xindex>
    %4 = tensor.from_elements %dim, %i : tensor<2xindex>
    %5 = shape.cstr_broadcastable %3, %4 : tensor<2xindex>, tensor<2xindex>
    %6 = shape.assuming %5 -> (tensor<?x4xf32, #pyg.dims<s9>>) {
      %7 = shape.broadcast %3, %4 : tensor<2xindex>, tensor<2xindex> -> tensor<2xindex>
      %8 = stablehlo.dynamic_broadcast_in_dim %x, %7, dims = [0, 1] : (tensor<?x4xf32, #pyg.dims<s0>>, tensor<2xindex>) -> tensor<?x4xf32, #pyg.dims<s9>>
      shape.assuming_yield %8 : tensor<?x4xf32, #pyg.dims<s9>>
    }
    %w = shape.const_witness true
    %9 = arith.index_cast %i : index to i64
    %10 = "arith.addi"(%9, %j) {overflowFlags = #arith.overflow<nsw>} : (i64, i64) -> i64
    %11 = arith.cmpi slt, %10, %j : i64
    %12 = arith.select %11, %10, %j : i64
    %13 = tensor.extract %x[%i, %i] : tensor<?x4xf32, #pyg.dims<s0>>
    %14 = arith.extf %13 : f32 to f64
    %15 = tensor.collapse_shape %x [[0, 1]] : tensor<?x4xf32, #pyg.dims<s0>> into tensor<?xf32, #pyg.dims<s13>>
    %16 = tensor.cast %x : tensor<?x4xf32, #pyg.dims<s0>> to tensor<2x4xf32>
    %out = "fx.call"(%x, %j) {args = ["%0", "%1"], device = "cuda:0", kwargs = {alpha = 2 : i64}, stride = [4 : i64, 1 : i64], target = "aten.add.Tensor"} : (tensor<?x4xf32, #pyg.dims<s0>>, i64) -> tensor<?x4xf32, #pyg.dims<s15>>
    %buf = "fx.get_attr"() {target = "b"} : () -> tensor<1xsi64>
    %17 = tensor.expand_shape %x [[0, 1], [2]] output_shape [1, %dim, 4] : tensor<?x4xf32, #pyg.dims<s0>> into tensor<1x?x4xf32, #pyg.dims<s0>>
    %18 = sdy.manual_computation(%16) in_shardings=[<@mesh, [{"x"}, {}]>] out_shardings=[<@mesh, [{"x"}, {}]>] manual_axes={"x"} (%part: tensor<1x4xf32>) {
      sdy.return %part : tensor<1x4xf32>
    } : (tensor<2x4xf32>) -> tensor<2x4xf32>
    cf.assert %11, "no"
    return %out : tensor<?x4xf32, #pyg.dims<s15>>
  }
}
"#,
    );
}

#[test]
fn other_spellings_print_as_one() {
    check_prints(
        r##"#list = array<i64: 1, 0>
!matrix = tensor<2x2xi64>
%0 = stablehlo.constant dense<"0x01000000000000000200000000000000FFFFFFFFFFFFFFFF0000000000000000"> : !matrix
%1 = "stablehlo.transpose"(%0) {permutation = dense<[1, 0]> : tensor<2xi64>} : (!matrix) -> !matrix
%2 = "stablehlo.transpose"(%1) <{permutation = #list}> : (!matrix) -> !matrix
%3 = stablehlo.constant dense<[[7, 7], [7, 7]]> : !matrix
%4:2 = "stablehlo.optimization_barrier"(%2, %3) : (!matrix, !matrix) -> (!matrix, !matrix)
%5 = stablehlo.add %4#0, %4#1 : (!matrix, !matrix) -> !matrix
%6 = stablehlo.constant dense_resource<blob> : tensor<2xi1>
%7 = stablehlo.constant dense<"0x02"> : tensor<2xi1>
%8 = stablehlo.constant dense_resource<blob> : tensor<2xi1>
{-# dialect_resources: {builtin: {blob: "0x010000000100"}}, external_resources: {x: {y: true}} #-}
"##,
        "%0 = stablehlo.constant dense<[[1, 2], [-1, 0]]> : tensor<2x2xi64>
%1 = stablehlo.transpose %0, dims = [1, 0] : (tensor<2x2xi64>) -> tensor<2x2xi64>
%2 = stablehlo.transpose %1, dims = [1, 0] : (tensor<2x2xi64>) -> tensor<2x2xi64>
%3 = stablehlo.constant dense<7> : tensor<2x2xi64>
%4:2 = stablehlo.optimization_barrier %2, %3 : tensor<2x2xi64>, tensor<2x2xi64>
%5 = stablehlo.add %4#0, %4#1 : tensor<2x2xi64>
%6 = stablehlo.constant dense<[true, false]> : tensor<2xi1>
%7 = stablehlo.constant dense<[false, true]> : tensor<2xi1>
%8 = stablehlo.constant dense<[true, false]> : tensor<2xi1>",
    );
}

#[test]
fn names_are_kept_and_made_unique() {
    check_prints(
        "%x = stablehlo.constant dense<1> : tensor<i32>
%7 = stablehlo.add %x, %x : tensor<i32>
%r:2 = stablehlo.optimization_barrier %x, %7 : tensor<i32>, tensor<i32>
%y = \"stablehlo.case\"(%x) ({
  %y = stablehlo.add %r#1, %r : tensor<i32>
  stablehlo.return %y : tensor<i32>
}, {
  %y = stablehlo.add %r#0, %7 : tensor<i32>
  stablehlo.return %y : tensor<i32>
}) : (tensor<i32>) -> tensor<i32>",
        "%x = stablehlo.constant dense<1> : tensor<i32>
%0 = stablehlo.add %x, %x : tensor<i32>
%r:2 = stablehlo.optimization_barrier %x, %0 : tensor<i32>, tensor<i32>
%y = \"stablehlo.case\"(%x) ({
  %y_0 = stablehlo.add %r#1, %r#0 : tensor<i32>
  stablehlo.return %y_0 : tensor<i32>
}, {
  %y_0 = stablehlo.add %r#0, %0 : tensor<i32>
  stablehlo.return %y_0 : tensor<i32>
}) : (tensor<i32>) -> tensor<i32>",
    );
}

#[test]
fn locations_print_where_asked_for() {
    let source = r#"#loc1 = loc("x.py":3:4 to 5:6)
func.func @f(%x: tensor<i32> loc("arg")) -> tensor<i32> {
  %0 = stablehlo.abs %x : tensor<i32> loc(#loc2)
  %1 = stablehlo.abs %0 : tensor<i32> loc(fused<"m">["a", unknown])
  %2 = stablehlo.abs %1 : tensor<i32> loc(callsite("b"(#loc1) at "c.py":1:1))
  return %2 : tensor<i32>
} loc(unknown)
#loc2 = loc("late"(#loc1))
"#;
    let options = PrintOptions { locations: true, ..PrintOptions::default() };
    let expected = r#"module {
  func.func @f(%x: tensor<i32>) -> tensor<i32> {
    %0 = stablehlo.abs %x : tensor<i32> loc("late"("x.py":3:4 to 5:6))
    %1 = stablehlo.abs %0 : tensor<i32> loc(fused<"m">["a", unknown])
    %2 = stablehlo.abs %1 : tensor<i32> loc(callsite("b"("x.py":3:4 to 5:6) at "c.py":1:1))
    return %2 : tensor<i32> loc("m.mlir":6:3)
  } loc(unknown)
} loc(unknown)
"#;
    let text = print(&parse(source, "m.mlir").expect("it reads"), &options);
    assert_eq!(text, expected);
    assert_eq!(print(&parse(&text, "m.mlir").expect("it reads"), &options), expected);
}

#[test]
fn large_constants_are_left_out_where_asked_for() {
    let source =
        "%c = stablehlo.constant dense<[1, 2, 3]> : tensor<3xi32>\n%d = stablehlo.constant dense<1> : tensor<9xi32>";
    let options = PrintOptions { elide_elements_above: Some(2), ..PrintOptions::default() };
    let expected = "module {
  %c = stablehlo.constant dense_resource<__elided__> : tensor<3xi32>
  %d = stablehlo.constant dense<1> : tensor<9xi32>
}
";
    assert_eq!(print(&parse(source, "f").expect("it reads"), &options), expected);
}

#[test]
fn long_constants_are_hexadecimal_but_for_booleans() {
    let list = |item: fn(usize) -> String| (0..200).map(item).collect::<Vec<_>>().join(", ");
    let integers = list(|position| format!("{}", position as i64 % 16 - 8));
    let booleans = list(|position| format!("{}", position % 3 == 0));
    let text = short(&format!(
        "%a = stablehlo.constant dense<[{integers}]> : tensor<200xi4>
         %b = stablehlo.constant dense<[{booleans}]> : tensor<200xi1>"
    ));
    assert!(text.contains("dense<\"0x08090A0B0C0D0E0F0001020304050607"), "{text}");
    assert!(text.contains("dense<[true, false, false, true"), "{text}");
    check(&text);
}
