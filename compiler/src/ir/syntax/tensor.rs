//! Elements of tensors and dimensions split or merged, as torch-mlir leaves them.

use super::result_types;
use crate::ir::{
    Attribute, OpId, Opcode, Type, ValueId,
    module::OpParts,
    parse::{ParseResult, Parser},
    print::Printer,
};

/// `tensor.extract %x[%i, %j] : type`
pub(super) fn parse_extract(parser: &mut Parser<'_>, _: Opcode, parts: &mut OpParts) -> ParseResult<()> {
    let tensor = parser.parse_operand()?;
    parser.expect(b'[')?;
    let indices = parser.parse_list(b']', Parser::parse_operand)?;
    parser.parse_optional_attributes(&mut parts.attrs)?;
    parser.expect(b':')?;
    let offset = parser.offset();
    let ty = parser.parse_type()?;
    parser.check_type(tensor, &ty, offset)?;
    let Some(tensor_type) = ty.as_tensor() else {
        return parser.fail_at(offset, format!("expected a tensor type, found `{ty}`"));
    };
    parts.result_types = vec![Type::Scalar(tensor_type.element.clone())];
    parts.operands.push(tensor);
    parts.operands.extend(indices);
    Ok(())
}

pub(super) fn print_extract(printer: &mut Printer<'_>, op: OpId) -> Option<()> {
    let module = printer.module;
    let (tensor, indices) = module.op(op).operands.split_first()?;
    let ty = module.ty(*tensor);
    if result_types(module, op) != [Type::Scalar(ty.as_tensor()?.element.clone())] {
        return None;
    }
    printer.name(op);
    printer.text(" ");
    printer.value(*tensor);
    printer.text("[");
    printer.values(indices);
    printer.text("]");
    printer.attributes(op, &[]);
    printer.text(" : ");
    printer.ty(ty);
    Some(())
}

/// `tensor.collapse_shape %x [[0, 1], [2]] : type into type`
pub(super) fn parse_collapse_shape(parser: &mut Parser<'_>, _: Opcode, parts: &mut OpParts) -> ParseResult<()> {
    let operand = parser.parse_operand()?;
    parts.attrs.set("reassociation", parse_groups(parser)?);
    parse_into(parser, operand, parts)
}

pub(super) fn print_collapse_shape(printer: &mut Printer<'_>, op: OpId) -> Option<()> {
    let operation = printer.module.op(op);
    let ([operand], [result]) = (&operation.operands[..], &operation.results[..]) else { return None };
    let groups = groups_of(operation.attr("reassociation")?)?;
    printer.name(op);
    printer.text(" ");
    printer.value(*operand);
    print_groups(printer, &groups);
    printer.attributes(op, &["reassociation"]);
    print_into(printer, *operand, *result);
    Some(())
}

/// What stands in `static_output_shape` for an extent that is an operand.
const DYNAMIC: i64 = i64::MIN;

/// `tensor.expand_shape %x [[0, 1], [2]] output_shape [%n, 3, 4] : type into type`
pub(super) fn parse_expand_shape(parser: &mut Parser<'_>, _: Opcode, parts: &mut OpParts) -> ParseResult<()> {
    let operand = parser.parse_operand()?;
    parts.attrs.set("reassociation", parse_groups(parser)?);
    let mut extents = Vec::new();
    if parser.take_word("output_shape") {
        parser.expect(b'[')?;
        let shape = parser.parse_list(b']', |parser| {
            if !parser.at_value() {
                return parser.parse_i64();
            }
            extents.push(parser.parse_operand()?);
            Ok(DYNAMIC)
        })?;
        parts.attrs.set("static_output_shape", Attribute::i64_array(shape));
    }
    parse_into(parser, operand, parts)?;
    parts.operands.extend(extents);
    Ok(())
}

pub(super) fn print_expand_shape(printer: &mut Printer<'_>, op: OpId) -> Option<()> {
    let operation = printer.module.op(op);
    let (operand, extents) = operation.operands.split_first()?;
    let [result] = operation.results[..] else { return None };
    let groups = groups_of(operation.attr("reassociation")?)?;
    let shape = operation.attr("static_output_shape").map(Attribute::as_i64_slice);
    if shape.flatten().unwrap_or_default().iter().filter(|extent| **extent == DYNAMIC).count() != extents.len() {
        return None;
    }
    printer.name(op);
    printer.text(" ");
    printer.value(*operand);
    print_groups(printer, &groups);
    if let Some(shape) = shape {
        let mut extents = extents.iter();
        printer.text(" output_shape [");
        for (position, extent) in shape?.iter().enumerate() {
            printer.text(if position > 0 { ", " } else { "" });
            match extent {
                &DYNAMIC => printer.value(*extents.next()?),
                _ => printer.text(&extent.to_string()),
            }
        }
        printer.text("]");
    }
    printer.attributes(op, &["reassociation", "static_output_shape"]);
    print_into(printer, *operand, result);
    Some(())
}

/// `[[0, 1], [2]]`
fn parse_groups(parser: &mut Parser<'_>) -> ParseResult<Attribute> {
    parser.expect(b'[')?;
    let groups = parser.parse_list(b']', |parser| {
        let dims = parser.parse_i64_list()?;
        Ok(Attribute::Array(dims.into_iter().map(Attribute::i64).collect()))
    })?;
    Ok(Attribute::Array(groups.into()))
}

fn groups_of(attr: &Attribute) -> Option<Vec<Vec<i64>>> {
    let Attribute::Array(groups) = attr else { return None };
    let group = |group: &Attribute| match group {
        Attribute::Array(dims) => dims
            .iter()
            .map(|dim| dim.as_i64().filter(|value| *dim == Attribute::i64(*value)))
            .collect::<Option<Vec<i64>>>(),
        _ => None,
    };
    groups.iter().map(group).collect()
}

fn print_groups(printer: &mut Printer<'_>, groups: &[Vec<i64>]) {
    printer.text(" [");
    for (position, group) in groups.iter().enumerate() {
        printer.text(if position > 0 { ", " } else { "" });
        printer.i64_list(group);
    }
    printer.text("]");
}

/// `{…} : type into type`
fn parse_into(parser: &mut Parser<'_>, operand: ValueId, parts: &mut OpParts) -> ParseResult<()> {
    parser.parse_optional_attributes(&mut parts.attrs)?;
    parser.expect(b':')?;
    let offset = parser.offset();
    let ty = parser.parse_type()?;
    parser.check_type(operand, &ty, offset)?;
    parser.expect_word("into")?;
    parts.result_types = vec![parser.parse_type()?];
    parts.operands.push(operand);
    Ok(())
}

fn print_into(printer: &mut Printer<'_>, operand: ValueId, result: ValueId) {
    let module = printer.module;
    printer.text(" : ");
    printer.ty(module.ty(operand));
    printer.text(" into ");
    printer.ty(module.ty(result));
}
