//! Every message of the parser, provoked.

use super::{DEPTH_MAX, parse, parse_at, source_text};
use crate::diagnostic::Diagnostic;

/// The one error of a text, as `line:column: message`, notes on lines of their own.
fn error_of(source: &str) -> String {
    let errors = parse(source, "f").expect_err(source).0;
    assert_eq!(errors.len(), 1, "{source}");
    show(&errors[0])
}

fn show(error: &Diagnostic) -> String {
    let mut text = format!("{}:{}: {}", error.position.line, error.position.column, error.message);
    for (position, note) in &error.notes {
        text += &format!("\n{}:{}: note: {note}", position.line, position.column);
    }
    text
}

/// Each text with its error.
fn check(cases: &[(&str, &str)]) {
    for (source, expected) in cases {
        assert_eq!(error_of(source), *expected, "{source}");
    }
}

#[test]
fn what_is_no_operation_is_refused() {
    check(&[
        ("module {", "1:9: expected `}` or an operation, found the end of the file"),
        ("}", "1:1: expected an operation, found `}`"),
        (
            "func.func @f(%x: tensor<2xf32>) {
  %y = stablehlo.abs %x tensor<2xf32>
}",
            "2:25: expected `:`, found `tensor`",
        ),
        ("%0 = 5", "1:6: expected an operation, found `5`"),
        ("%0, 5 = stablehlo.abs", "1:5: expected the name of a value, found `5`"),
        (r#"%0:0 = "stablehlo.abs"() : () -> ()"#, "1:4: 0 results can't share a name: expected 1 or more"),
        (
            "%0:2 = stablehlo.constant dense<1> : tensor<i32>",
            "1:8: `stablehlo.constant` has 1 results, but 2 are named",
        ),
        ("%0 = foo.bar : i32", "1:6: unknown operation `foo.bar`"),
        (
            "%0 = vhlo.add_v1 %x : i32",
            "1:6: unknown operation `vhlo.add_v1`; VHLO is StableHLO's serialised form: convert it with `stablehlo-translate --deserialize`",
        ),
        (
            "%0 = torch.aten.add %x : i32",
            "1:6: unknown operation `torch.aten.add`; lower it to StableHLO with torch-mlir, or export the FX graph",
        ),
        (
            "%0 = mhlo.add %x : i32",
            "1:6: unknown operation `mhlo.add`; convert it to StableHLO with `mlir-hlo-opt --hlo-legalize-to-stablehlo`",
        ),
        (
            "%0 = stablehlo.sort %x : i32",
            r#"1:6: `stablehlo.sort` has no short form that is known: write it as `"stablehlo.sort"(…)`"#,
        ),
        (r#""cf.br"()[^bb1] : () -> ()"#, "1:1: unknown operation `cf.br`"),
        (
            r#""stablehlo.abs"()[^bb1] : () -> ()"#,
            "1:18: control flow between blocks is not supported: use `stablehlo.if`, `case` or `while`",
        ),
        (
            r#"%c = stablehlo.constant dense<1> : tensor<i32>
%d = "stablehlo.abs"(%c) : (tensor<i32>, tensor<i32>) -> tensor<i32>"#,
            "2:28: 1 operands, but 2 operand types",
        ),
        (
            r#"%c = stablehlo.constant dense<1> : tensor<i32>
%d = "stablehlo.abs"(%c) : (tensor<f32>) -> tensor<f32>"#,
            "2:28: `%c` has type `tensor<i32>`, but `tensor<f32>` is written here",
        ),
        (r#"%d = "stablehlo.abs"(3) : () -> ()"#, "1:22: expected a value such as `%0`, found `3`"),
        (
            "%c = stablehlo.constant dense<1> : tensor<i32>
%d = stablehlo.abs %c#x : tensor<i32>",
            "2:22: expected the number of a result after `#`, found `#x`",
        ),
        (
            "%c = stablehlo.constant dense<1> : tensor<i32>
%d = stablehlo.abs %c#1 : tensor<i32>",
            "2:20: `%c#1` does not exist: `%c` stands for 1 values",
        ),
        (
            "%d = stablehlo.abs %c : tensor<i32>
%c = stablehlo.constant dense<1> : tensor<i32>",
            "1:20: `%c` is not defined before this use",
        ),
        (
            "%c = stablehlo.constant dense<1> : tensor<i32>
%c = stablehlo.constant dense<1> : tensor<i32>",
            "2:1: `%c` is defined twice
1:1: note: first defined here",
        ),
        (
            "%0 = stablehlo.constant dense<1> : tensor<i32>
%1 = stablehlo.abs %0 : tensor<f32>",
            "2:25: `%0` has type `tensor<i32>`, but `tensor<f32>` is written here",
        ),
        (
            "func.func @f() {
^bb0:
  return
^bb1:
  return
}",
            "4:1: a second block: control flow between blocks is not supported",
        ),
        (
            "func.func @f() {
  return",
            "2:9: expected `}` or an operation, found the end of the file",
        ),
        (
            "func.func @f(%x: tensor<2xf32>, tensor<2xf32>) {
  return
}",
            "1:33: an argument of a function with a body has a name such as `%arg0`",
        ),
        (
            "func.func @f() {
}",
            "1:16: the body of the function is empty: it ends with `return`",
        ),
        (
            "func.func f() {
}",
            "1:11: expected a name that begins with `@`, found `f`",
        ),
        (
            "func.func @f(%x: tensor<i32>) {
  return
}
func.func @g() {
  return %x : tensor<i32>
}",
            "5:10: `%x` is not defined before this use",
        ),
        (
            "module {
}
module {
}",
            "3:1: a file holds one module and nothing beside it; cut others off with lines of `// -----` and `--split-input-file`",
        ),
        (
            "module attributes {a = 1 : i64, a = 2 : i64} {
}",
            "1:33: the attribute `a` is given twice",
        ),
        (
            "module attributes {1 = 2} {
}",
            "1:20: expected the name of an attribute, found `1`",
        ),
        (
            r#"module attributes {"a" 2} {
}"#,
            "1:24: expected `,` or `}`, found `2`",
        ),
        (
            r#"module @"\x" {
}"#,
            "1:8: unknown escape in a name",
        ),
        (
            r#"%0 = "stablehlo.abs"() {a = 1 : i64} : 5"#,
            "1:40: expected a function type such as `(tensor<2xf32>) -> tensor<2xf32>`, found `5`",
        ),
        (
            "%c = stablehlo.constant dense<1> : tensor<i32>
%d:2 = stablehlo.optimization_barrier %c, %c : tensor<i32>, tensor<i64>",
            "2:48: `%c` has type `tensor<i32>`, but `tensor<i64>` is written here",
        ),
    ]);
}

#[test]
fn bad_strings_are_refused() {
    check(&[
        (
            r#"module attributes {a = "\x"} {
}"#,
            r#"1:25: unknown escape in a string: known are \", \\, \n, \t and two hexadecimal digits"#,
        ),
        (
            r#"module attributes {a = "b
} {
}"#,
            "1:24: expected an attribute, found a string without a closing quote",
        ),
        (
            r#"module attributes {a = "b" : i32} {
}"#,
            "1:28: strings with a type are not read",
        ),
    ]);
}

#[test]
fn bad_attributes_are_refused() {
    check(&[
        (
            "module attributes {a = } {
}",
            "1:24: expected an attribute, found `}`",
        ),
        (
            "module attributes {a = sparse<0>} {
}",
            "1:24: `sparse` attributes are not read",
        ),
        (
            "module attributes {a = -x} {
}",
            "1:25: expected a number, found `x`",
        ),
        (
            "module attributes {a = 1.5 : i32} {
}",
            "1:24: `1.5` is no value of type `i32`",
        ),
        (
            "module attributes {a = 1 : f32} {
}",
            "1:24: `1` is an integer, expected a value of type `f32` such as `1.0`",
        ),
        (
            "module attributes {a = -0x1 : f32} {
}",
            "1:24: a hexadecimal float has its sign in its bits",
        ),
        (
            "module attributes {a = 0x123456789 : f32} {
}",
            "1:24: `0x123456789` has more bits than `f32`",
        ),
        (
            "module attributes {a = 300 : i8} {
}",
            "1:24: 300 does not fit in `i8`",
        ),
        (
            "module attributes {a = -1 : ui8} {
}",
            "1:24: -1 does not fit in `ui8`",
        ),
        (
            "module attributes {a = 999999999999999999999999999999999999999999 : i64} {
}",
            "1:24: 999999999999999999999999999999999999999999 does not fit in `i64`",
        ),
        (
            "module attributes {a = array<f32: x>} {
}",
            "1:35: expected a number, found `x`",
        ),
        (
            "module attributes {a = array<complex<f32>: 1>} {
}",
            "1:42: `array<complex<f32>…>` is not read: its elements are integers or floats",
        ),
        (
            "module attributes {a = array<i32: x>} {
}",
            "1:35: expected an integer, found `x`",
        ),
        (
            "module attributes {a = array<ui64: 18446744073709551615>} {
}",
            "1:36: 18446744073709551615 is more than an array can hold",
        ),
        (
            "module attributes {a = array<i32 1>} {
}",
            "1:34: expected `:`, found `1`",
        ),
        (
            "module attributes {a = #b} {
}",
            "1:24: the attribute alias `#b` is not defined before this use",
        ),
        (
            "module attributes {a = #stablehlo<precision BEST>} {
}",
            "1:24: `BEST` is no precision: known are DEFAULT, HIGH, HIGHEST",
        ),
        (
            "module attributes {a = #stablehlo.dot<lhs = [0]>} {
}",
            "1:39: the attribute has no parameter `lhs`",
        ),
        (
            "module attributes {a = #stablehlo.gather<index_vector_dim = 99999999999999999999>} {
}",
            "1:61: 99999999999999999999 does not fit in 64 bits",
        ),
        (
            "module attributes {a = #stablehlo.conv<raw input_batch = 1>} {
}",
            "1:40: `raw` convolution dimensions are not read: write them as `[b, 0, f]x[0, i, o]->[b, 0, f]`",
        ),
        (
            "module attributes {a = #stablehlo.conv<[b, q]x[i, o]->[b, f]>} {
}",
            "1:44: expected `b`, `f` or a spatial dimension, found `q`",
        ),
        (
            "module attributes {a = #stablehlo.conv<[b, 1, f]x[0, i, o]->[b, 0, f]>} {
}",
            "1:40: each of `b`, `f` and the spatial dimensions from 0 stands once",
        ),
        (
            "module attributes {a = #foo.bar<[>} {
}",
            "1:32: the bracket opened here is not closed",
        ),
        ("#a = [#a]", "1:7: the attribute alias `#a` is not defined before this use"),
        (
            "module attributes {a = affine_map<(d0)[s0] -> (d0)>} {
}",
            "1:39: affine maps with symbols are not read",
        ),
        (
            "module attributes {a = affine_map<(d0) -> (d1)>} {
}",
            "1:44: expected one of the map's dimensions, found `d1`",
        ),
        (
            "module attributes {a = affine_map<(d0) -> (d0 * d0)>} {
}",
            "1:49: a product of two dimensions is not affine",
        ),
        (
            "module attributes {a = affine_map<(d0) -> (d0 mod 2)>} {
}",
            "1:47: `mod` in affine maps is not read: only linear results are",
        ),
        (
            "module attributes {a = affine_map<(d0) -> (d0 * 9223372036854775807 * 2)>} {
}",
            "1:71: a coefficient overflows 64 bits",
        ),
        (
            "module attributes {a = affine_map<(d0) -> (9223372036854775807 + 1)>} {
}",
            "1:66: a coefficient overflows 64 bits",
        ),
        (
            "module attributes {a = affine_map<(d0) -> (+)>} {
}",
            "1:44: expected a dimension or an integer, found `+`",
        ),
    ]);
}

#[test]
fn bad_types_are_refused() {
    check(&[
        (
            "module attributes {a = tensor<2f32>} {
}",
            "1:32: expected `x` after an extent, found `f32`",
        ),
        (
            "module attributes {a = tensor<*xf32>} {
}",
            "1:31: unranked tensors are not supported: give the tensor a shape, with `?` for unknown extents",
        ),
        (
            "module attributes {a = tensor<2x>} {
}",
            "1:33: expected an element type, found `>`",
        ),
        (
            "module attributes {a = tensor f32} {
}",
            "1:31: expected `<` right after `tensor`, found `f32`",
        ),
        (
            "module attributes {a = tensor<99999999999999999999xf32>} {
}",
            "1:31: the extent 99999999999999999999 is too large: at most 9223372036854775807",
        ),
        (
            "module attributes {a = tensor<4294967296x4294967296xf32>} {
}",
            "1:24: the type has more elements than 63 bits can count",
        ),
        (
            "module attributes {a = vector<2xf32>} {
}",
            "1:24: `vector` types are not read: a model graph holds tensors and scalars",
        ),
        (
            "module attributes {a = i999} {
}",
            "1:24: `i999` is no integer type: widths are 1 to 128 bits",
        ),
        (
            "module attributes {a = tensor<2xcomplex<i32>>} {
}",
            "1:41: expected a float type (the parts of a complex number are floats), found `i32`",
        ),
        (
            "module attributes {a = tensor<2x!foo.bar>} {
}",
            "1:33: expected an element type: of the dialects' types only `!quant.…` can be one",
        ),
        (
            "module attributes {a = !foo} {
}",
            "1:24: the type alias `!foo` is not defined before this use",
        ),
        (
            "module attributes {a = (i32)} {
}",
            "1:29: expected `->`, found `}`",
        ),
        (
            r#"module attributes {a = tuple<"x">} {
}"#,
            r#"1:30: expected a type, found `"x"`"#,
        ),
        (
            "module attributes {a = tensor<?xf32, #pyg.dims<s0, s1>>} {
}",
            "1:38: #pyg.dims names 2 dimensions, but 1 are `?`",
        ),
        (
            "module attributes {a = tensor<?xf32, #pyg.dims<s0 in [0, 4]>>, b = tensor<?xf32, #pyg.dims<s0>>} {
}",
            "1:92: the dimension `s0` has other bounds elsewhere in the file",
        ),
        (
            "module attributes {a = tensor<?xf32, #pyg.dims<s0 in [-1, 4]>>} {
}",
            "1:55: an extent is not negative",
        ),
        (
            r#"module attributes {a = tensor<?xf32, #pyg.dims<"s">>} {
}"#,
            r#"1:48: expected the name of a dimension such as `s0`, found `"s"`"#,
        ),
        (
            "module attributes {a = tensor<?xf32, #stablehlo.bounds<4, 5>>} {
}",
            "1:38: 2 bounds for a tensor of rank 1",
        ),
        (
            "module attributes {a = tensor<2xf32, #stablehlo.type_extensions<bounds = [4]>>} {
}",
            "1:38: dimension 0 has an extent, so it can't have a bound",
        ),
        (
            r#"%0 = "pyg.empty"() {pyg.dims = "s0"} : () -> tensor<?xf32>"#,
            r#"1:6: `pyg.dims` is a list such as ["s0", "s1 in [0, 8]"], found "s0""#,
        ),
        (
            r#"%0 = "pyg.empty"() {pyg.dims = ["s0", "s1"]} : () -> tensor<?xf32>"#,
            "1:6: `pyg.dims` names 2 extents, but 1 are `?`",
        ),
        (
            r#"%0 = "pyg.empty"() : tensor<?xf32>"#,
            "1:22: expected a function type such as `(tensor<2xf32>) -> tensor<2xf32>`, found `tensor`",
        ),
    ]);
}

#[test]
fn bad_constants_are_refused() {
    check(&[
        ("%c = stablehlo.constant dense 1", "1:31: expected `<`, found `1`"),
        ("%c = stablehlo.constant dense<[1, 2] : tensor<2xi32>", "1:53: expected `:`, found the end of the file"),
        ("%c = stablehlo.constant dense<1", "1:25: the elements of the constant have no end: expected `>`"),
        ("%c = stablehlo.constant dense<1> : i32", "1:36: expected a tensor type"),
        (
            "%c = stablehlo.constant dense<1> : tensor<?xi32>",
            "1:36: the shape of a constant is known: `tensor<?xi32, #pyg.dims<s0>>` has a `?`",
        ),
        (
            "%c = stablehlo.constant dense<1> : tensor<2x!quant.uniform<i8:f32, 0.5:-20>>",
            "1:25: constants of type `!quant.uniform<i8:f32, 0.5:-20>` are not read",
        ),
        (
            "%c = stablehlo.constant dense<> : tensor<2xi32>",
            "1:25: the constant has no elements, but its type has some",
        ),
        (
            "%c = stablehlo.constant dense<[[1], [2]]> : tensor<2xi32>",
            "1:32: expected an element of type `i32`, found `[`",
        ),
        ("%c = stablehlo.constant dense<[1, 2]> : tensor<2x1xi32>", "1:32: expected `[`, found `1`"),
        (
            "%c = stablehlo.constant dense<[1, 2, 3]> : tensor<2xi32>",
            "1:31: 3 elements along dimension 0, but its extent is 2",
        ),
        ("%c = stablehlo.constant dense<1.5> : tensor<2xi32>", "1:31: expected an element of type `i32`, found `1.5`"),
        ("%c = stablehlo.constant dense<x> : tensor<2xf32>", "1:31: expected an element of type `f32`, found `x`"),
        (
            "%c = stablehlo.constant dense<1> : tensor<2xf32>",
            "1:31: `1` is an integer, expected a value of type `f32` such as `1.0`",
        ),
        ("%c = stablehlo.constant dense<1 2> : tensor<2xi32>", "1:33: expected `>`, found `2`"),
        (
            r#"%c = stablehlo.constant dense<"0x0"> : tensor<2xi32>"#,
            r#"1:31: expected a string of hexadecimal digits such as "0x00FF""#,
        ),
        (
            r#"%c = stablehlo.constant dense<"0x000000"> : tensor<2xi32>"#,
            "1:31: 3 bytes of data for 2 elements of 4 bytes",
        ),
        (
            r#"%c = stablehlo.constant dense<"0x000000"> : tensor<2xi1>"#,
            "1:31: 3 bytes of data for 2 truth values: expected 2, or 1 packed",
        ),
        (
            "%c = stablehlo.constant dense_resource<w> : tensor<2xi32>",
            "1:25: the resource `w` has no bytes: the file has no `dialect_resources` section that defines it",
        ),
        (
            "%c = stablehlo.constant dense_resource<__elided__> : tensor<2xi32>",
            "1:25: the resource `__elided__` has no bytes: the constant's elements were left out when the file was printed; print it without elision",
        ),
        (
            r#"%c = stablehlo.constant dense_resource<w> : tensor<2xi32>
{-#
  dialect_resources: {builtin: {w: "0x0"}}
#-}"#,
            "3:36: the resource `w` is no string of hexadecimal digits",
        ),
        (
            r#"%c = stablehlo.constant dense_resource<w> : tensor<2xi32>
{-#
  dialect_resources: {builtin: {w: "0x00"}}
#-}"#,
            "3:36: the resource `w` has no 4 bytes of alignment",
        ),
        (
            "%c = stablehlo.constant dense_resource<w> : tensor<2xi32>
{-#
  dialect_resources: {builtin: {w: 5}}
#-}",
            "3:36: expected a string, found `5`",
        ),
        (
            "{-#
  dialect_resources: {builtin: {5: 5}}
#-}",
            "2:33: expected the name of a resource, found `5`",
        ),
        (
            "{-#
  dialect_resources: {} 5",
            "2:25: expected `#-}`, found `5`",
        ),
        (
            "%c = stablehlo.constant dense_resource<5> : tensor<2xi32>",
            "1:40: expected the name of a resource, found `5`",
        ),
        (
            "%c = stablehlo.constant dense_resource<w> : tensor<2x!quant.uniform<i8:f32, 0.5:-20>>",
            "1:25: constants of type `!quant.uniform<i8:f32, 0.5:-20>` are not read",
        ),
        (r#"%c = stablehlo.constant "x""#, r#"1:25: `stablehlo.constant` holds a tensor or a number, found `"x"`"#),
        (
            "%c = stablehlo.constant dense<[1]> : tensor<i32>",
            "1:31: the constant's elements nest deeper than its rank 0",
        ),
        ("%c = stablehlo.constant dense<0xFFFFFFFFF> : tensor<f32>", "1:31: `0xFFFFFFFFF` has more bits than `f32`"),
    ]);
}

#[test]
fn bad_locations_are_refused() {
    check(&[
        (
            "%c = stablehlo.constant dense<1> : tensor<i32> loc(#loc3)",
            "1:52: the location `#loc3` is not defined in the file",
        ),
        (r#"#loc1 = loc("x"(#loc2))"#, "1:17: the location `#loc2` is not defined before this use"),
        ("%c = stablehlo.constant dense<1> : tensor<i32> loc(5)", "1:52: expected a location, found `5`"),
        ("%c = stablehlo.constant dense<1> : tensor<i32> loc(nowhere)", "1:52: expected a location, found `nowhere`"),
        (r#"%c = stablehlo.constant dense<1> : tensor<i32> loc("a":-1:2)"#, "1:56: -1 does not fit in 32 bits"),
    ]);
}

#[test]
fn bad_short_forms_are_refused() {
    check(&[
        (
            "func.func @f(%x: tensor<2xf32>) {
  %y = stablehlo.transpose %x : (tensor<2xf32>) -> tensor<2xf32>
}",
            "2:31: expected `dims = …`, found `:`",
        ),
        (
            "func.func @f(%x: tensor<2xf32>) {
  %y = stablehlo.transpose %x, perm = [0] : (tensor<2xf32>) -> tensor<2xf32>
}",
            "2:32: expected `dims = …`, found `perm`",
        ),
        (
            "func.func @f(%x: tensor<2xf32>) {
  %y = stablehlo.abs %x, 5 : tensor<2xf32>
}",
            "2:26: expected a value such as `%0`, found `5`",
        ),
        (
            "func.func @f(%x: tensor<2xf32>) {
  %y = stablehlo.transpose %x, dims = [0], dims = [0] : (tensor<2xf32>) -> tensor<2xf32>
}",
            "2:44: the attribute `permutation` is given twice",
        ),
        (
            "func.func @f(%x: tensor<2xf32>) {
  %y = stablehlo.cholesky %x, lower = 1 : tensor<2xf32>
}",
            "2:39: expected `true` or `false`, found `1`",
        ),
        (
            "func.func @f(%x: tensor<2xf32>) {
  %y = stablehlo.abs %x : tensor<2xf32>, tensor<2xf32>
}",
            "2:27: 2 types, expected 1",
        ),
        (
            "func.func @f(%x: tensor<2xf32>) {
  %y = stablehlo.reshape %x : tensor<2xf32>
}",
            "2:31: expected `(types of operands) -> types of results`, found `tensor<2xf32>`",
        ),
        (
            "func.func @f(%x: tensor<2xf32>) {
  %y = stablehlo.tuple %x : tensor<2xf32>
}",
            "2:29: expected a tuple type, found `tensor<2xf32>`",
        ),
        (
            "func.func @f(%x: tensor<2xi1>) {
  %y = stablehlo.select %x, %x, %x : tensor<2xi1>, tensor<2xi1>, tensor<2xi1>
}",
            "2:38: 3 types, expected the condition's and the result's",
        ),
        (
            "func.func @f(%x: tensor<2xui64>) {
  %y:2 = stablehlo.rng_bit_generator %x, algorithm = BEST : (tensor<2xui64>) -> (tensor<2xui64>, tensor<2xui64>)
}",
            "2:54: `BEST` is no rng_algorithm: known are DEFAULT, THREE_FRY, PHILOX",
        ),
        (
            "func.func @f(%x: tensor<2xf32>) {
  %y = stablehlo.reduce_precision %x, format = m5 : tensor<2xf32>
}",
            "2:48: expected a format such as `e5m10`, found `m5`",
        ),
        (
            "func.func @f(%x: i32) {
  %y = tensor.extract %x[] : i32
}",
            "2:30: expected a tensor type, found `i32`",
        ),
        (
            "func.func @f(%x: i32) {
  %y = arith.cmpi less, %x, %x : i32
}",
            "2:19: `less` is no predicate: known are eq, ne, slt, sle, sgt, sge, ult, ule, ugt, uge",
        ),
        (
            "func.func @f(%x: i32) {
  %y = arith.cmpi 5, %x, %x : i32
}",
            "2:19: expected a predicate such as `slt`, found `5`",
        ),
        (
            "func.func @f(%x: tensor<2xf32>) {
  %y = stablehlo.dot %x, %x, contract = [0] : (tensor<2xf32>, tensor<2xf32>) -> tensor<f32>
}",
            "2:30: `stablehlo.dot` has no `contract`",
        ),
        (
            "func.func @f(%x: tensor<2x2x2xf32>) {
  %y = stablehlo.convolution(%x, %x) dim_numbers = [b, 0, f]x[0, i, o]->[b, 0, f], window = {size = [2]} : (tensor<2x2x2xf32>, tensor<2x2x2xf32>) -> tensor<2x2x2xf32>
}",
            "2:94: a window has no `size`",
        ),
        (
            "func.func @f(%x: tensor<2x2x2xf32>) {
  %y = stablehlo.convolution(%x, %x) dim_numbers = [b, 0, f]x[0, i, o]->[b, 0, f], window = {pad = [[2]]} : (tensor<2x2x2xf32>, tensor<2x2x2xf32>) -> tensor<2x2x2xf32>
}",
            "2:101: expected two numbers: the padding below and above",
        ),
        (
            "func.func @f(%x: tensor<2x2x2xf32>) {
  %y = stablehlo.convolution(%x, %x) dim_numbers = [b, 0, f]x[0, i, o]->[b, 0, f], window = {reverse = [2]} : (tensor<2x2x2xf32>, tensor<2x2x2xf32>) -> tensor<2x2x2xf32>
}",
            "2:105: expected `true` or `false`",
        ),
        (
            "func.func @f(%x: tensor<2xf32>, %i: tensor<f32>) {
  %y = stablehlo.reduce(%x init: %i) applies stablehlo.plus across dimensions = [0] : (tensor<2xf32>, tensor<f32>) -> tensor<f32>
}",
            "2:46: unknown operation `stablehlo.plus`",
        ),
        (
            "func.func @f(%x: tensor<2xf32>, %i: tensor<f32>) {
  %y:2 = stablehlo.reduce(%x init: %i), (%x init: %i) applies stablehlo.add across dimensions = [0] : (tensor<2xf32>, tensor<2xf32>, tensor<f32>, tensor<f32>) -> (tensor<f32>, tensor<f32>)
}",
            "2:55: `applies` reduces one tensor, found 2",
        ),
        (
            "func.func @f(%x: f32, %i: f32) {
  %y = stablehlo.reduce(%x init: %i) applies stablehlo.add across dimensions = [0] : (f32, f32) -> tensor<f32>
}",
            "2:38: `applies` reduces tensors",
        ),
        (
            "func.func @f(%x: tensor<i32>) {
  %y = stablehlo.while(5 = %x) : tensor<i32>
}",
            "2:24: expected an argument such as `%iterArg`, found `5`",
        ),
        (
            "func.func @f(%x: tensor<i32>) {
  check.expect_eq_const %x, 5 : i32
}",
            "2:29: expected a constant tensor, found `5 : i32`",
        ),
        (
            "func.func @f(%x: tensor<i32>) {
  %y = stablehlo.case %x : tensor<i32>
}",
            r#"2:8: `stablehlo.case` has no short form that is known: write it as `"stablehlo.case"(…)`"#,
        ),
        (
            r#"func.func @f(%x: tensor<i32>) {
  %y = "stablehlo.case"(%x) ({
  ^bb0(5):
    stablehlo.return %x : tensor<i32>
  }) : (tensor<i32>) -> tensor<i32>
}"#,
            "3:8: expected an argument such as `%arg0`, found `5`",
        ),
        (
            "sdy.mesh @m = 5",
            "1:15: expected `<`, found `5`",
        ),
        (
            "module {
  func.func @f() { return }
}
£",
            "4:1: expected an operation, found `£`",
        ),
    ]);
}

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    let deep = DEPTH_MAX as usize * 100;
    let too_deep = format!("nested more than {DEPTH_MAX} levels deep");
    let texts = [
        format!("module attributes {{a = {}", "[".repeat(deep)),
        format!("module attributes {{a = {}", "{a = ".repeat(deep)),
        format!("module attributes {{a = {}", "(".repeat(deep)),
        format!("module attributes {{a = {}", "tuple<".repeat(deep)),
        format!("module attributes {{a = affine_map<() -> ({}", "(".repeat(deep)),
        "module {".repeat(deep),
        r#""stablehlo.case"() ({"#.repeat(deep),
        format!("#loc = loc({}", r#""a"("#.repeat(deep)),
        format!("%c = stablehlo.constant dense<{}> : tensor<{}i32>", "[".repeat(deep), "1x".repeat(deep)),
    ];
    for text in texts {
        let error = error_of(&text);
        assert!(error.ends_with(&too_deep), "{error}");
    }
}

#[test]
fn aliases_of_aliases_are_bounded() {
    let mut chain = String::from("#a0 = 1 : i64\n");
    let mut doubled = chain.clone();
    let mut types = String::from("!a0 = i32\n");
    for level in 1..200 {
        chain += &format!("#a{level} = [#a{}]\n", level - 1);
        doubled += &format!("#a{level} = [#a{0}, #a{0}]\n", level - 1);
        types += &format!("!a{level} = tuple<!a{0}, !a{0}>\n", level - 1);
    }
    assert_eq!(error_of(&chain), "130:10: the alias nests more than 128 levels deep");
    let many = "the aliases used up to here stand for more than 10000000 attributes";
    assert_eq!(error_of(&doubled), format!("23:9: {many}"));
    assert_eq!(error_of(&types), format!("23:14: {many}"));
}

#[test]
fn endless_locations_are_cut_off() {
    let mut text = String::from("#loc0 = loc(\"x\")\n");
    for level in 1..300 {
        text += &format!("#loc{level} = loc(callsite(#loc{0} at #loc{0}))\n", level - 1);
    }
    text += "%c = stablehlo.constant dense<1> : tensor<i32> loc(#loc299)\n";
    assert!(parse(&text, "f").is_ok());
}

#[test]
fn positions_are_those_of_the_whole_file() {
    let error = parse_at("\n  ?", "model.mlir", 41).expect_err("`?` is no operation");
    assert_eq!(error.0[0].position.to_string(), "model.mlir:42:3");
    // Columns count characters, not bytes.
    assert_eq!(error_of("module attributes {\"ä\" = \"ä\", ?"), "1:31: expected the name of an attribute, found `?`");
}

#[test]
fn bytecode_and_what_is_no_text_are_refused() {
    let message = |bytes: &[u8]| show(&source_text(bytes, "m.mlirbc").expect_err("no text").0[0]);
    assert_eq!(
        message(b"ML\xefR\x06StableHLO"),
        "0:0: the file holds MLIR bytecode, not text; convert it with `stablehlo-translate --deserialize m.mlirbc -o \
         model.mlir`"
    );
    assert_eq!(message(b"module {\n  \xc3\xa4\xff"), "2:4: byte 0xFF is not UTF-8: an MLIR file is text");
    assert_eq!(source_text(b"module {}", "m.mlir").expect("it is text"), "module {}");
}
