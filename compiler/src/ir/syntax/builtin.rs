//! Modules, assertions, and operations that hold a constant.

use std::sync::Arc;

use super::result_types;
use crate::ir::{
    Attribute, OpId, Opcode, Type,
    module::OpParts,
    parse::{ParseResult, Parser},
    print::Printer,
    types::{ElementType, type_of_attribute},
};

/// `module @name attributes {…} {…}`
pub(super) fn parse_module(parser: &mut Parser<'_>, _: Opcode, parts: &mut OpParts) -> ParseResult<()> {
    if parser.at_symbol() {
        let name = parser.parse_symbol_name()?;
        parts.attrs.set("sym_name", Attribute::String(name));
    }
    parser.parse_attributes_keyword(&mut parts.attrs)?;
    let region = parser.parse_isolated_region(Vec::new())?;
    // A module has a block even where it is empty.
    if parser.module.region(region).blocks.is_empty() {
        parser.module.create_block(region);
    }
    parts.regions.push(region);
    Ok(())
}

pub(super) fn print_module(printer: &mut Printer<'_>, op: OpId) -> Option<()> {
    let module = printer.module;
    let operation = module.op(op);
    let [region] = operation.regions[..] else { return None };
    let [block] = module.region(region).blocks[..] else { return None };
    if !operation.operands.is_empty() || !operation.results.is_empty() || !module.block(block).arguments.is_empty() {
        return None;
    }
    printer.text("module");
    let mut hidden = Vec::new();
    if let Some(Attribute::String(name)) = operation.attr("sym_name") {
        printer.text(" ");
        printer.symbol(name);
        hidden.push("sym_name");
    }
    printer.attributes_keyword(op, &hidden);
    printer.text(" ");
    printer.enter_isolated();
    printer.region_without_header(region);
    printer.leave_isolated();
    Some(())
}

/// `stablehlo.constant dense<1> : tensor<i32>`, also `stablehlo.constant() <{value = …}> : () -> tensor<…>`.
pub(super) fn parse_constant(parser: &mut Parser<'_>, opcode: Opcode, parts: &mut OpParts) -> ParseResult<()> {
    if parser.take(b'(') {
        parser.expect(b')')?;
        let braced = parser.take(b'<');
        parser.parse_attributes_into(&mut parts.attrs)?;
        if braced {
            parser.expect(b'>')?;
        }
        parser.expect(b':')?;
        parts.result_types = parser.parse_function_signature()?.results;
        return Ok(());
    }
    parser.parse_optional_attributes(&mut parts.attrs)?;
    let offset = parser.offset();
    let value = parser.parse_attribute()?;
    let Some(ty) = type_of_attribute(&value) else {
        return parser.fail_at(offset, format!("`{}` holds a tensor or a number, found `{value}`", opcode.name()));
    };
    parts.result_types = vec![ty];
    parser.set_attribute(&mut parts.attrs, "value", value, offset)
}

pub(super) fn print_constant(printer: &mut Printer<'_>, op: OpId) -> Option<()> {
    let module = printer.module;
    let operation = module.op(op);
    let value = operation.attr("value")?;
    let fits = result_types(module, op) == [type_of_attribute(value)?];
    if !fits || !operation.operands.is_empty() || !operation.regions.is_empty() {
        return None;
    }
    printer.name(op);
    printer.attributes(op, &["value"]);
    printer.text(" ");
    printer.attribute(value);
    Some(())
}

/// `check.expect_eq_const %x, dense<1> : tensor<i32> {…}`
pub(super) fn parse_expect_const(parser: &mut Parser<'_>, _: Opcode, parts: &mut OpParts) -> ParseResult<()> {
    let operand = parser.parse_operand()?;
    parser.expect(b',')?;
    let offset = parser.offset();
    let value = parser.parse_attribute()?;
    match type_of_attribute(&value) {
        Some(ty @ Type::Tensor(_)) => parser.check_type(operand, &ty, offset)?,
        _ => return parser.fail_at(offset, format!("expected a constant tensor, found `{value}`")),
    }
    parts.operands.push(operand);
    parser.parse_optional_attributes(&mut parts.attrs)?;
    parser.set_attribute(&mut parts.attrs, "value", value, offset)
}

pub(super) fn print_expect_const(printer: &mut Printer<'_>, op: OpId) -> Option<()> {
    let module = printer.module;
    let operation = module.op(op);
    let value = operation.attr("value")?;
    let [operand] = operation.operands[..] else { return None };
    if type_of_attribute(value)? != *module.ty(operand) || !operation.results.is_empty() {
        return None;
    }
    printer.name(op);
    printer.text(" ");
    printer.operands(op);
    printer.text(", ");
    printer.attribute(value);
    printer.attributes(op, &["value"]);
    Some(())
}

/// `cf.assert %x, "message" {…}`
pub(super) fn parse_assert(parser: &mut Parser<'_>, _: Opcode, parts: &mut OpParts) -> ParseResult<()> {
    parts.operands.push(parser.parse_operand()?);
    parser.expect(b',')?;
    let offset = parser.offset();
    let message = Attribute::String(Arc::from(parser.parse_string()?));
    parser.parse_optional_attributes(&mut parts.attrs)?;
    parser.set_attribute(&mut parts.attrs, "msg", message, offset)
}

pub(super) fn print_assert(printer: &mut Printer<'_>, op: OpId) -> Option<()> {
    let module = printer.module;
    let message @ Attribute::String(_) = module.op(op).attr("msg")? else { return None };
    let [operand] = module.op(op).operands[..] else { return None };
    if *module.ty(operand) != Type::Scalar(ElementType::BOOL) {
        return None;
    }
    printer.name(op);
    printer.text(" ");
    printer.operands(op);
    printer.text(", ");
    printer.attribute(message);
    printer.attributes(op, &["msg"]);
    Some(())
}
