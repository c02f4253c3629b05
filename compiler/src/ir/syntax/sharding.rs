//! The operations of Shardy that JAX leaves in a graph for one device.

use std::sync::Arc;

use super::{func::parse_signature_of, operand_types, result_types};
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
    let body = parser.parse_in_brackets(b'<')?;
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
    let body = parser.parse_in_brackets(b'<')?;
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

/// `sdy.manual_computation(%x) in_shardings=[…] out_shardings=[…] manual_axes={…} (%y: type) {…} {…} : (types) -> types`
pub(super) fn parse_manual_computation(parser: &mut Parser<'_>, _: Opcode, parts: &mut OpParts) -> ParseResult<()> {
    parser.expect(b'(')?;
    let operands = parser.parse_list(b')', Parser::parse_operand)?;
    for name in ["in_shardings", "out_shardings"] {
        parser.expect_word(name)?;
        parser.expect(b'=')?;
        let body = parser.parse_in_brackets(b'[')?;
        parts.attrs.set(name, Attribute::Foreign(Arc::from(format!("sdy.sharding_per_value<{body}>"))));
    }
    parser.expect_word("manual_axes")?;
    parser.expect(b'=')?;
    let body = parser.parse_in_brackets(b'{')?;
    parts.attrs.set("manual_axes", Attribute::Foreign(Arc::from(format!("sdy<manual_axes{body}>"))));
    parser.expect(b'(')?;
    let arguments = parser.parse_list(b')', Parser::parse_argument)?;
    let region = parser.parse_region(arguments)?;
    parts.regions.push(region);
    parser.parse_optional_attributes(&mut parts.attrs)?;
    parse_signature_of(parser, operands, parts)
}

pub(super) fn print_manual_computation(printer: &mut Printer<'_>, op: OpId) -> Option<()> {
    let module = printer.module;
    let operation = module.op(op);
    let [region] = operation.regions[..] else { return None };
    let block = module.region_block(op, 0)?;
    let shardings = |name| {
        let body = foreign_body(operation.attr(name)?, "sdy.sharding_per_value")?;
        body.strip_prefix('<')?.strip_suffix('>').filter(|body| body.starts_with('['))
    };
    let (in_shardings, out_shardings) = (shardings("in_shardings")?, shardings("out_shardings")?);
    let Attribute::Foreign(axes) = operation.attr("manual_axes")? else { return None };
    let axes = axes.strip_prefix("sdy<manual_axes")?.strip_suffix('>').filter(|axes| axes.starts_with('{'))?;
    printer.name(op);
    printer.text("(");
    printer.operands(op);
    printer.text(&format!(") in_shardings={in_shardings} out_shardings={out_shardings} manual_axes={axes} ("));
    printer.enter();
    for (position, argument) in module.block(block).arguments.iter().enumerate() {
        printer.text(if position > 0 { ", " } else { "" });
        printer.argument(*argument);
    }
    printer.text(") ");
    printer.region_without_header(region);
    printer.leave();
    printer.attributes(op, &["in_shardings", "out_shardings", "manual_axes"]);
    printer.text(" : ");
    printer.function_type(&operand_types(module, op), &result_types(module, op));
    Some(())
}

/// What stands in brackets behind the name of a foreign attribute, brackets included.
fn foreign_body<'a>(attr: &'a Attribute, name: &str) -> Option<&'a str> {
    let Attribute::Foreign(text) = attr else { return None };
    text.strip_prefix(name).filter(|body| body.starts_with('<'))
}
