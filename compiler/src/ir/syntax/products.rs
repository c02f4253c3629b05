//! Dot products and convolutions.

use std::sync::Arc;

use super::{func::parse_signature_of, operand_types, result_types};
use crate::ir::{
    Attribute, OpId, Opcode,
    attribute::{ConvDimensions, DenseElements, DotDimensions},
    enums::EnumAttr,
    module::OpParts,
    parse::{ParseResult, Parser},
    print::Printer,
    syntax::elements::read_integer,
    types::{ElementType, TensorType},
};

/// `stablehlo.dot_general %a, %b, batching_dims = [0] x [0], contracting_dims = [2] x [1], precision = [DEFAULT, DEFAULT],
/// algorithm = <…> : (types) -> type`; `stablehlo.dot` has the precision only.
pub(super) fn parse_dot(parser: &mut Parser<'_>, opcode: Opcode, parts: &mut OpParts) -> ParseResult<()> {
    let mut operands = vec![parser.parse_operand()?];
    parser.expect(b',')?;
    operands.push(parser.parse_operand()?);
    let mut dims = DotDimensions::default();
    while parser.take(b',') {
        let offset = parser.offset();
        let keyword = parser.expect_any_word("`contracting_dims`, `batching_dims`, `precision` or `algorithm`")?;
        parser.expect(b'=')?;
        match keyword {
            "batching_dims" => (dims.lhs_batching, dims.rhs_batching) = parse_dim_pair(parser)?,
            "contracting_dims" => (dims.lhs_contracting, dims.rhs_contracting) = parse_dim_pair(parser)?,
            "precision" => {
                let value = parse_precision(parser)?;
                parser.set_attribute(&mut parts.attrs, "precision_config", value, offset)?;
            }
            "algorithm" => {
                let body = parser.parse_in_brackets(b'<')?;
                let value = Attribute::Foreign(Arc::from(format!("stablehlo.dot_algorithm{body}")));
                parser.set_attribute(&mut parts.attrs, "algorithm", value, offset)?;
            }
            _ => return parser.fail_at(offset, format!("`{}` has no `{keyword}`", opcode.name())),
        }
    }
    if opcode == Opcode::StablehloDotGeneral {
        parts.attrs.set("dot_dimension_numbers", Attribute::DotDimensions(Arc::new(dims)));
    }
    parser.parse_optional_attributes(&mut parts.attrs)?;
    parse_signature_of(parser, operands, parts)
}

fn parse_dim_pair(parser: &mut Parser<'_>) -> ParseResult<(Vec<i64>, Vec<i64>)> {
    let lhs = parser.parse_i64_list()?;
    parser.expect_word("x")?;
    Ok((lhs, parser.parse_i64_list()?))
}

fn parse_precision(parser: &mut Parser<'_>) -> ParseResult<Attribute> {
    parser.expect(b'[')?;
    let cases = parser.parse_list(b']', |parser| Ok(Attribute::Enum(parser.parse_enum_case("precision")?)))?;
    Ok(Attribute::Array(cases.into()))
}

pub(super) fn print_dot(printer: &mut Printer<'_>, op: OpId) -> Option<()> {
    let module = printer.module;
    let operation = module.op(op);
    if operation.operands.len() != 2 {
        return None;
    }
    printer.name(op);
    printer.text(" ");
    printer.operands(op);
    if operation.opcode == Opcode::StablehloDotGeneral {
        let Some(Attribute::DotDimensions(dims)) = operation.attr("dot_dimension_numbers") else { return None };
        if !dims.lhs_batching.is_empty() || !dims.rhs_batching.is_empty() {
            print_dim_pair(printer, ", batching_dims = ", &dims.lhs_batching, &dims.rhs_batching);
        }
        print_dim_pair(printer, ", contracting_dims = ", &dims.lhs_contracting, &dims.rhs_contracting);
    }
    match operation.attr("precision_config") {
        None => {}
        Some(Attribute::Array(cases)) => {
            let names: Option<Vec<&str>> = cases
                .iter()
                .map(|case| match case {
                    Attribute::Enum(EnumAttr::Precision(precision)) => Some(precision.name()),
                    _ => None,
                })
                .collect();
            printer.text(&format!(", precision = [{}]", names?.join(", ")));
        }
        Some(_) => return None,
    }
    let mut hidden = vec!["dot_dimension_numbers", "precision_config"];
    if let Some(Attribute::Foreign(algorithm)) = operation.attr("algorithm")
        && let Some(body) = algorithm.strip_prefix("stablehlo.dot_algorithm")
        && body.starts_with('<')
        && operation.opcode == Opcode::StablehloDotGeneral
    {
        printer.text(&format!(", algorithm = {body}"));
        hidden.push("algorithm");
    }
    printer.attributes(op, &hidden);
    printer.text(" : ");
    printer.function_type(&operand_types(module, op), &result_types(module, op));
    Some(())
}

fn print_dim_pair(printer: &mut Printer<'_>, label: &str, lhs: &[i64], rhs: &[i64]) {
    printer.text(label);
    printer.i64_list(lhs);
    printer.text(" x ");
    printer.i64_list(rhs);
}

/// `stablehlo.convolution(%x, %w) dim_numbers = […]x[…]->[…], window = {stride = [1], pad = [[0, 0]], lhs_dilate = [1],
/// rhs_dilate = [1], reverse = [false]} {…} : (types) -> type`
pub(super) fn parse_convolution(parser: &mut Parser<'_>, _: Opcode, parts: &mut OpParts) -> ParseResult<()> {
    parser.expect(b'(')?;
    let operands = parser.parse_list(b')', Parser::parse_operand)?;
    parser.expect_word("dim_numbers")?;
    parser.expect(b'=')?;
    let dims = parser.parse_conv_dimensions()?;
    parts.attrs.set("dimension_numbers", Attribute::ConvDimensions(Arc::new(dims)));
    parser.expect(b',')?;
    parser.expect_word("window")?;
    parser.expect(b'=')?;
    parser.expect(b'{')?;
    parser.parse_list(b'}', |parser| parse_window_field(parser, parts))?;
    parser.parse_optional_attributes(&mut parts.attrs)?;
    parse_signature_of(parser, operands, parts)
}

fn parse_window_field(parser: &mut Parser<'_>, parts: &mut OpParts) -> ParseResult<()> {
    let offset = parser.offset();
    let keyword = parser.expect_any_word("`stride`, `pad`, `lhs_dilate`, `rhs_dilate` or `reverse`")?;
    parser.expect(b'=')?;
    let (name, value) = match keyword {
        "stride" => ("window_strides", parser.parse_i64_array()?),
        "lhs_dilate" => ("lhs_dilation", parser.parse_i64_array()?),
        "rhs_dilate" => ("rhs_dilation", parser.parse_i64_array()?),
        "pad" => ("padding", parse_padding(parser)?),
        "reverse" => ("window_reversal", parse_reversal(parser)?),
        _ => return parser.fail_at(offset, format!("a window has no `{keyword}`")),
    };
    parser.set_attribute(&mut parts.attrs, name, value, offset)
}

/// `[[1, 1], [0, 2]]` as a constant.
fn parse_padding(parser: &mut Parser<'_>) -> ParseResult<Attribute> {
    parser.expect(b'[')?;
    let pairs = parser.parse_list(b']', |parser| {
        let offset = parser.offset();
        match parser.parse_i64_list()?[..] {
            [low, high] => Ok([low, high]),
            _ => parser.fail_at(offset, "expected two numbers: the padding below and above"),
        }
    })?;
    let ty = Arc::new(TensorType::new(&[pairs.len() as u64, 2], ElementType::I64));
    let bytes = pairs.iter().flatten().flat_map(|value| value.to_le_bytes()).collect();
    Ok(Attribute::Dense(DenseElements::new(ty, bytes)))
}

/// `[false, true]`; older text has `[0, 1]`.
fn parse_reversal(parser: &mut Parser<'_>) -> ParseResult<Attribute> {
    parser.expect(b'[')?;
    let values = parser.parse_list(b']', |parser| {
        if parser.take_word("true") {
            return Ok(1);
        }
        if parser.take_word("false") {
            return Ok(0);
        }
        let offset = parser.offset();
        match parser.parse_i64() {
            Ok(value @ (0 | 1)) => Ok(value),
            _ => parser.fail_at(offset, "expected `true` or `false`"),
        }
    })?;
    Ok(Attribute::DenseArray { element: ElementType::BOOL, values: values.into() })
}

pub(super) fn print_convolution(printer: &mut Printer<'_>, op: OpId) -> Option<()> {
    let module = printer.module;
    let operation = module.op(op);
    let Some(Attribute::ConvDimensions(dims)) = operation.attr("dimension_numbers") else { return None };
    let mut fields = Vec::new();
    let mut hidden = vec!["dimension_numbers"];
    for (keyword, name) in [
        ("stride", "window_strides"),
        ("pad", "padding"),
        ("lhs_dilate", "lhs_dilation"),
        ("rhs_dilate", "rhs_dilation"),
        ("reverse", "window_reversal"),
    ] {
        if let Some(value) = operation.attr(name) {
            fields.push(format!("{keyword} = {}", window_field(keyword, value)?));
            hidden.push(name);
        }
    }
    printer.name(op);
    printer.text("(");
    printer.operands(op);
    printer.text(&format!(") dim_numbers = {}, window = {{{}}}", conv_dimensions(dims)?, fields.join(", ")));
    printer.attributes(op, &hidden);
    printer.text(" : ");
    printer.function_type(&operand_types(module, op), &result_types(module, op));
    Some(())
}

fn window_field(keyword: &str, value: &Attribute) -> Option<String> {
    match (keyword, value) {
        ("pad", Attribute::Dense(elements)) => {
            let pairs = padding_pairs(elements)?;
            let pairs: Vec<String> = pairs.iter().map(|[low, high]| format!("[{low}, {high}]")).collect();
            Some(format!("[{}]", pairs.join(", ")))
        }
        ("reverse", Attribute::DenseArray { element: ElementType::BOOL, values }) => {
            let values: Vec<&str> = values.iter().map(|value| if *value == 0 { "false" } else { "true" }).collect();
            Some(format!("[{}]", values.join(", ")))
        }
        ("stride" | "lhs_dilate" | "rhs_dilate", Attribute::DenseArray { element: ElementType::I64, values }) => {
            let values: Vec<String> = values.iter().map(i64::to_string).collect();
            Some(format!("[{}]", values.join(", ")))
        }
        _ => None,
    }
}

/// The rows of an Nx2 constant of `i64`.
fn padding_pairs(elements: &DenseElements) -> Option<Vec<[i64; 2]>> {
    /// More dimensions than any convolution has; a splat's type alone says nothing about memory.
    const DIMS_MAX: u64 = 1024;
    let shape = elements.ty.static_shape()?;
    if shape.len() != 2 || shape[1] != 2 || shape[0] > DIMS_MAX || elements.ty.element != ElementType::I64 {
        return None;
    }
    let values: Vec<i64> =
        elements.bytes.chunks_exact(8).map(|bytes| read_integer(bytes, &ElementType::I64) as i64).collect();
    match values[..] {
        [splat] if elements.is_splat => Some(vec![[splat; 2]; usize::try_from(shape[0]).ok()?]),
        _ => Some(values.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect()),
    }
}

/// `[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]`; none where the positions are not each taken once.
pub(crate) fn conv_dimensions(dims: &ConvDimensions) -> Option<String> {
    let input = conv_side(dims.input_batch, "b", dims.input_feature, "f", &dims.input_spatial)?;
    let kernel = conv_side(dims.kernel_input_feature, "i", dims.kernel_output_feature, "o", &dims.kernel_spatial)?;
    let output = conv_side(dims.output_batch, "b", dims.output_feature, "f", &dims.output_spatial)?;
    Some(format!("[{input}]x[{kernel}]->[{output}]"))
}

fn conv_side(first: i64, first_name: &str, second: i64, second_name: &str, spatial: &[i64]) -> Option<String> {
    let mut names = vec![String::new(); spatial.len() + 2];
    let mut place = |position: i64, name: String| {
        let slot = names.get_mut(usize::try_from(position).ok()?)?;
        slot.is_empty().then(|| *slot = name)
    };
    place(first, first_name.into())?;
    place(second, second_name.into())?;
    for (index, position) in spatial.iter().enumerate() {
        place(*position, index.to_string())?;
    }
    Some(names.join(", "))
}
