//! Calls of what is not a function of the module.

use std::sync::Arc;

use super::{func::parse_signature_of, operand_types, result_types};
use crate::ir::{
    Attribute, OpId, Opcode,
    module::OpParts,
    parse::{ParseResult, Parser},
    print::Printer,
};

/// `stablehlo.custom_call @target(%x) {…} : (types) -> types`
pub(super) fn parse_custom_call(parser: &mut Parser<'_>, _: Opcode, parts: &mut OpParts) -> ParseResult<()> {
    let target = parser.parse_symbol_name()?;
    parts.attrs.set("call_target_name", Attribute::String(target));
    parser.expect(b'(')?;
    let operands = parser.parse_list(b')', Parser::parse_operand)?;
    parser.parse_optional_attributes(&mut parts.attrs)?;
    parse_signature_of(parser, operands, parts)
}

pub(super) fn print_custom_call(printer: &mut Printer<'_>, op: OpId) -> Option<()> {
    let module = printer.module;
    let target = module.op(op).attr("call_target_name")?.as_str()?;
    if !module.op(op).regions.is_empty() {
        return None;
    }
    printer.name(op);
    printer.text(" ");
    printer.symbol(target);
    printer.text("(");
    printer.operands(op);
    printer.text(")");
    printer.attributes(op, &["call_target_name"]);
    printer.text(" : ");
    printer.function_type(&operand_types(module, op), &result_types(module, op));
    Some(())
}

/// `stablehlo.composite "name" %x {…} : (types) -> types`
pub(super) fn parse_composite(parser: &mut Parser<'_>, _: Opcode, parts: &mut OpParts) -> ParseResult<()> {
    let name = parser.parse_string()?;
    parts.attrs.set("name", Attribute::String(Arc::from(name)));
    let operands = if parser.at_value() { parser.parse_operands()? } else { Vec::new() };
    parser.parse_optional_attributes(&mut parts.attrs)?;
    parse_signature_of(parser, operands, parts)
}

pub(super) fn print_composite(printer: &mut Printer<'_>, op: OpId) -> Option<()> {
    let module = printer.module;
    let name @ Attribute::String(_) = module.op(op).attr("name")? else { return None };
    if !module.op(op).regions.is_empty() {
        return None;
    }
    printer.name(op);
    printer.text(" ");
    printer.attribute(name);
    printer.text(" ");
    printer.operands(op);
    printer.attributes(op, &["name"]);
    printer.text(" : ");
    printer.function_type(&operand_types(module, op), &result_types(module, op));
    Some(())
}
