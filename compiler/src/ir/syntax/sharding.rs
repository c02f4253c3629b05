//! The operations of Shardy that JAX leaves in a graph for one device.

use std::sync::Arc;

use super::{operand_types, result_types};
use crate::ir::{
    Attribute, OpId, Opcode,
    module::OpParts,
    parse::{ParseResult, Parser},
    print::Printer,
};

/// `sdy.mesh @name = <["x"=2]> {…}`
pub(super) fn parse_mesh(parser: &mut Parser<'_>, _: Opcode, parts: &mut OpParts) -> ParseResult<()> {
    let name = parser.parse_symbol_name()?;
    parts.attrs.set("sym_name", Attribute::String(name));
    parser.expect(b'=')?;
    let body = parser.parse_bracketed()?;
    parts.attrs.set("mesh", Attribute::Foreign(Arc::from(format!("sdy.mesh{body}"))));
    parser.parse_optional_attributes(&mut parts.attrs)
}

pub(super) fn print_mesh(printer: &mut Printer<'_>, op: OpId) -> Option<()> {
    let module = printer.module;
    let operation = module.op(op);
    let name = operation.attr("sym_name")?.as_str()?;
    let body = foreign_body(operation.attr("mesh")?, "sdy.mesh")?;
    if !operation.operands.is_empty() || !operation.results.is_empty() || !operation.regions.is_empty() {
        return None;
    }
    printer.name(op);
    printer.text(" ");
    printer.symbol(name);
    printer.text(" = ");
    printer.text(body);
    printer.attributes(op, &["sym_name", "mesh"]);
    Some(())
}

/// `sdy.sharding_constraint %x <@mesh, [{"x"}]> {…} : type`
pub(super) fn parse_sharding_constraint(parser: &mut Parser<'_>, _: Opcode, parts: &mut OpParts) -> ParseResult<()> {
    let operand = parser.parse_operand()?;
    let body = parser.parse_bracketed()?;
    parts.attrs.set("sharding", Attribute::Foreign(Arc::from(format!("sdy.sharding{body}"))));
    parser.parse_optional_attributes(&mut parts.attrs)?;
    parser.expect(b':')?;
    let offset = parser.offset();
    let ty = parser.parse_type()?;
    parser.check_type(operand, &ty, offset)?;
    parts.result_types = vec![parser.module.ty(operand).clone()];
    parts.operands.push(operand);
    Ok(())
}

pub(super) fn print_sharding_constraint(printer: &mut Printer<'_>, op: OpId) -> Option<()> {
    let module = printer.module;
    let body = foreign_body(module.op(op).attr("sharding")?, "sdy.sharding")?;
    let types = operand_types(module, op);
    if types.len() != 1 || types != result_types(module, op) {
        return None;
    }
    printer.name(op);
    printer.text(" ");
    printer.operands(op);
    printer.text(" ");
    printer.text(body);
    printer.attributes(op, &["sharding"]);
    printer.text(" : ");
    printer.ty(&types[0]);
    Some(())
}

/// What stands in brackets behind the name of a foreign attribute, brackets included.
fn foreign_body<'a>(attr: &'a Attribute, name: &str) -> Option<&'a str> {
    let Attribute::Foreign(text) = attr else { return None };
    text.strip_prefix(name).filter(|body| body.starts_with('<'))
}
