//! Operations whose short form has a mark of its own: comparisons, slices, elements.

use std::sync::Arc;

use super::{func::parse_signature_of, operand_types, result_types};
use crate::ir::{
    Attribute, OpId, Opcode, Type,
    enums::EnumAttr,
    module::OpParts,
    parse::{ParseResult, Parser},
    print::Printer,
    types::ElementType,
};

/// `stablehlo.compare LT, %a, %b, SIGNED : (types) -> type`
pub(super) fn parse_compare(parser: &mut Parser<'_>, _: Opcode, parts: &mut OpParts) -> ParseResult<()> {
    let direction = parser.parse_enum_case("comparison_direction")?;
    parts.attrs.set("comparison_direction", Attribute::Enum(direction));
    parser.expect(b',')?;
    let mut operands = vec![parser.parse_operand()?];
    parser.expect(b',')?;
    operands.push(parser.parse_operand()?);
    if parser.take(b',') {
        let order = parser.parse_enum_case("comparison_type")?;
        parts.attrs.set("compare_type", Attribute::Enum(order));
    }
    parser.parse_optional_attributes(&mut parts.attrs)?;
    parse_signature_of(parser, operands, parts)
}

pub(super) fn print_compare(printer: &mut Printer<'_>, op: OpId) -> Option<()> {
    let module = printer.module;
    let operation = module.op(op);
    let Some(Attribute::Enum(EnumAttr::ComparisonDirection(direction))) = operation.attr("comparison_direction") else {
        return None;
    };
    if operation.operands.len() != 2 {
        return None;
    }
    printer.name(op);
    printer.text(&format!(" {}, ", direction.name()));
    printer.operands(op);
    match operation.attr("compare_type") {
        None => {}
        Some(Attribute::Enum(EnumAttr::ComparisonType(order))) => printer.text(&format!(", {}", order.name())),
        Some(_) => return None,
    }
    printer.attributes(op, &["comparison_direction", "compare_type"]);
    printer.text(" : ");
    printer.function_type(&operand_types(module, op), &result_types(module, op));
    Some(())
}

/// `stablehlo.slice %x [0:2, 1:8:2] : (type) -> type`
pub(super) fn parse_slice(parser: &mut Parser<'_>, _: Opcode, parts: &mut OpParts) -> ParseResult<()> {
    let operands = vec![parser.parse_operand()?];
    parser.expect(b'[')?;
    let (mut starts, mut limits, mut strides) = (Vec::new(), Vec::new(), Vec::new());
    parser.parse_list(b']', |parser| {
        starts.push(parser.parse_i64()?);
        parser.expect(b':')?;
        limits.push(parser.parse_i64()?);
        strides.push(if parser.take(b':') { parser.parse_i64()? } else { 1 });
        Ok(())
    })?;
    parts.attrs.set("start_indices", Attribute::i64_array(starts));
    parts.attrs.set("limit_indices", Attribute::i64_array(limits));
    parts.attrs.set("strides", Attribute::i64_array(strides));
    parser.parse_optional_attributes(&mut parts.attrs)?;
    parse_signature_of(parser, operands, parts)
}

pub(super) fn print_slice(printer: &mut Printer<'_>, op: OpId) -> Option<()> {
    let module = printer.module;
    let operation = module.op(op);
    let list = |name| operation.attr(name).and_then(Attribute::as_i64_slice);
    let (starts, limits, strides) = (list("start_indices")?, list("limit_indices")?, list("strides")?);
    if starts.len() != limits.len() || starts.len() != strides.len() || operation.operands.len() != 1 {
        return None;
    }
    printer.name(op);
    printer.text(" ");
    printer.operands(op);
    let ranges: Vec<String> = starts
        .iter()
        .zip(limits)
        .zip(strides)
        .map(|((start, limit), stride)| match stride {
            1 => format!("{start}:{limit}"),
            _ => format!("{start}:{limit}:{stride}"),
        })
        .collect();
    printer.text(&format!(" [{}]", ranges.join(", ")));
    printer.attributes(op, &["start_indices", "limit_indices", "strides"]);
    printer.text(" : ");
    printer.function_type(&operand_types(module, op), &result_types(module, op));
    Some(())
}

/// `stablehlo.get_tuple_element %x[0] : (tuple<…>) -> type`
pub(super) fn parse_get_tuple_element(parser: &mut Parser<'_>, _: Opcode, parts: &mut OpParts) -> ParseResult<()> {
    let operands = vec![parser.parse_operand()?];
    parser.expect(b'[')?;
    let index = i128::from(parser.parse_i64()?);
    parser.expect(b']')?;
    parts.attrs.set("index", Attribute::Integer { value: index, ty: ElementType::I32 });
    parser.parse_optional_attributes(&mut parts.attrs)?;
    parse_signature_of(parser, operands, parts)
}

pub(super) fn print_get_tuple_element(printer: &mut Printer<'_>, op: OpId) -> Option<()> {
    let module = printer.module;
    let operation = module.op(op);
    let Some(Attribute::Integer { value, ty: ElementType::I32 }) = operation.attr("index") else { return None };
    if operation.operands.len() != 1 {
        return None;
    }
    printer.name(op);
    printer.text(" ");
    printer.operands(op);
    printer.text(&format!("[{value}]"));
    printer.attributes(op, &["index"]);
    printer.text(" : ");
    printer.function_type(&operand_types(module, op), &result_types(module, op));
    Some(())
}

/// `stablehlo.reduce_precision %x, format = e5m10 : type`
pub(super) fn parse_reduce_precision(parser: &mut Parser<'_>, _: Opcode, parts: &mut OpParts) -> ParseResult<()> {
    let operand = parser.parse_operand()?;
    parser.expect(b',')?;
    parser.expect_word("format")?;
    parser.expect(b'=')?;
    let offset = parser.offset();
    let format = parser.expect_any_word("a format such as `e5m10`")?;
    let bits = format.strip_prefix('e').and_then(|bits| bits.split_once('m'));
    let parsed =
        bits.and_then(|(exponent, mantissa)| Some((exponent.parse::<i32>().ok()?, mantissa.parse::<i32>().ok()?)));
    let Some((exponent, mantissa)) = parsed else {
        return parser.fail_at(offset, format!("expected a format such as `e5m10`, found `{format}`"));
    };
    for (name, bits) in [("exponent_bits", exponent), ("mantissa_bits", mantissa)] {
        parts.attrs.set(name, Attribute::Integer { value: i128::from(bits), ty: ElementType::I32 });
    }
    parser.parse_optional_attributes(&mut parts.attrs)?;
    parser.expect(b':')?;
    let offset = parser.offset();
    if parser.at_punct(b'(') {
        let signature = parser.parse_function_signature()?;
        parser.check_operand_types(&[operand], &signature.inputs, offset)?;
        parts.result_types = signature.results;
    } else {
        let ty = parser.parse_type()?;
        parser.check_type(operand, &ty, offset)?;
        parts.result_types = vec![parser.adopt_symbols(&ty, &parser.module.ty(operand).clone())];
    }
    parts.operands.push(operand);
    Ok(())
}

pub(super) fn print_reduce_precision(printer: &mut Printer<'_>, op: OpId) -> Option<()> {
    let module = printer.module;
    let operation = module.op(op);
    let bits = |name| match operation.attr(name) {
        Some(Attribute::Integer { value, ty: ElementType::I32 }) if *value >= 0 => Some(*value),
        _ => None,
    };
    let (exponent, mantissa) = (bits("exponent_bits")?, bits("mantissa_bits")?);
    let (operands, results) = (operand_types(module, op), result_types(module, op));
    if operands.len() != 1 {
        return None;
    }
    printer.name(op);
    printer.text(" ");
    printer.operands(op);
    printer.text(&format!(", format = e{exponent}m{mantissa}"));
    printer.attributes(op, &["exponent_bits", "mantissa_bits"]);
    printer.text(" : ");
    if operands == results {
        printer.ty(&operands[0])
    } else {
        printer.function_type(&operands, &results)
    }
    Some(())
}

/// `chlo.top_k(%x, k = 8) {…} : type -> (type, type)`
pub(super) fn parse_top_k(parser: &mut Parser<'_>, _: Opcode, parts: &mut OpParts) -> ParseResult<()> {
    parser.expect(b'(')?;
    let operand = parser.parse_operand()?;
    parser.expect(b',')?;
    parser.expect_word("k")?;
    parser.expect(b'=')?;
    parts.attrs.set("k", Attribute::i64(parser.parse_i64()?));
    parser.expect(b')')?;
    parser.parse_optional_attributes(&mut parts.attrs)?;
    parser.expect(b':')?;
    let offset = parser.offset();
    let ty = parser.parse_type()?;
    parser.check_type(operand, &ty, offset)?;
    parser.expect_arrow()?;
    parts.result_types = parser.parse_result_types()?;
    parts.operands.push(operand);
    Ok(())
}

pub(super) fn print_top_k(printer: &mut Printer<'_>, op: OpId) -> Option<()> {
    let module = printer.module;
    let operation = module.op(op);
    let Some(Attribute::Integer { value: k, ty: ElementType::I64 }) = operation.attr("k") else { return None };
    let [operand] = operation.operands[..] else { return None };
    printer.name(op);
    printer.text("(");
    printer.operands(op);
    printer.text(&format!(", k = {k})"));
    printer.attributes(op, &["k"]);
    printer.text(" : ");
    printer.ty(module.ty(operand));
    printer.text(" -> ");
    printer.result_types(&result_types(module, op));
    Some(())
}

/// The predicates of `arith.cmpi`, in the order of their numbers.
const PREDICATES: &[&str] = &["eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge"];

/// `arith.cmpi slt, %a, %b : type`
pub(super) fn parse_cmpi(parser: &mut Parser<'_>, _: Opcode, parts: &mut OpParts) -> ParseResult<()> {
    let offset = parser.offset();
    let name = parser.expect_any_word("a predicate such as `slt`")?;
    let Some(predicate) = PREDICATES.iter().position(|known| *known == name) else {
        return parser.fail_at(offset, format!("`{name}` is no predicate: known are {}", PREDICATES.join(", ")));
    };
    parts.attrs.set("predicate", Attribute::i64(predicate as i64));
    parser.expect(b',')?;
    let operands = parser.parse_operands()?;
    parser.parse_optional_attributes(&mut parts.attrs)?;
    parser.expect(b':')?;
    let offset = parser.offset();
    let ty = parser.parse_type()?;
    operands.iter().try_for_each(|operand| parser.check_type(*operand, &ty, offset))?;
    let result = match &ty {
        Type::Tensor(tensor) => Type::Tensor(Arc::new(tensor.with_element(ElementType::BOOL))),
        _ => Type::Scalar(ElementType::BOOL),
    };
    parts.result_types = vec![result];
    parts.operands = operands.into();
    Ok(())
}

pub(super) fn print_cmpi(printer: &mut Printer<'_>, op: OpId) -> Option<()> {
    let module = printer.module;
    let operation = module.op(op);
    let predicate = usize::try_from(operation.attr("predicate")?.as_i64()?).ok()?;
    let ([a, b], [result]) = (&operation.operands[..], &operation.results[..]) else { return None };
    let fits = *module.ty(*result) == Type::Scalar(ElementType::BOOL) && matches!(module.ty(*a), Type::Scalar(_));
    if !fits || module.ty(*a) != module.ty(*b) {
        return None;
    }
    printer.name(op);
    printer.text(&format!(" {}, ", PREDICATES.get(predicate)?));
    printer.operands(op);
    printer.attributes(op, &["predicate"]);
    printer.text(" : ");
    printer.ty(module.ty(*a));
    Some(())
}
