//! Loops and other operations with regions.

use super::{func::parse_signature_of, operand_types, plain::witness, result_types};
use crate::ir::{
    Attribute, OpId, Opcode,
    module::OpParts,
    parse::{ParseResult, Parser},
    print::Printer,
    types::ElementType,
};

/// `stablehlo.while(%a = %x, %b = %y) : types attributes {…} cond {…} do {…}`
pub(super) fn parse_while(parser: &mut Parser<'_>, _: Opcode, parts: &mut OpParts) -> ParseResult<()> {
    parser.expect(b'(')?;
    let mut names = Vec::new();
    let operands = parser.parse_list(b')', |parser| {
        let offset = parser.offset();
        if !parser.at_value() {
            return parser.unexpected("an argument such as `%iterArg`");
        }
        names.push((parser.take_value_name(), offset));
        parser.expect(b'=')?;
        parser.parse_operand()
    })?;
    if !operands.is_empty() {
        parser.expect(b':')?;
        let offset = parser.offset();
        let types = parser.parse_type_list()?;
        parser.check_operand_types(&operands, &types, offset)?;
    }
    parser.parse_attributes_keyword(&mut parts.attrs)?;
    let types: Vec<_> = operands.iter().map(|operand| parser.module.ty(*operand).clone()).collect();
    let arguments: Vec<_> = names.iter().zip(&types).map(|((name, offset), ty)| (*name, *offset, ty.clone())).collect();
    for keyword in ["cond", "do"] {
        parser.expect_word(keyword)?;
        let region = parser.parse_region(arguments.clone())?;
        parts.regions.push(region);
    }
    parts.operands = operands.into();
    parts.result_types = types;
    Ok(())
}

pub(super) fn print_while(printer: &mut Printer<'_>, op: OpId) -> Option<()> {
    let module = printer.module;
    let operation = module.op(op);
    let types = operand_types(module, op);
    let [cond, body] = operation.regions[..] else { return None };
    let [cond_block] = module.region(cond).blocks[..] else { return None };
    let [body_block] = module.region(body).blocks[..] else { return None };
    let types_of = |block| -> Vec<_> {
        module.block(block).arguments.iter().map(|argument| module.ty(*argument).clone()).collect()
    };
    if types != result_types(module, op) || types_of(cond_block) != types || types_of(body_block) != types {
        return None;
    }
    let (cond_arguments, body_arguments) = (&module.block(cond_block).arguments, &module.block(body_block).arguments);
    printer.name(op);
    printer.text("(");
    printer.enter();
    printer.name_arguments(cond_arguments);
    for (position, operand) in operation.operands.iter().enumerate() {
        printer.text(if position > 0 { ", " } else { "" });
        printer.value(cond_arguments[position]);
        printer.text(" = ");
        printer.value(*operand);
        printer.share_name(cond_arguments[position], body_arguments[position]);
    }
    printer.text(")");
    if !types.is_empty() {
        printer.text(" : ");
        printer.types(&types);
    }
    printer.attributes_keyword(op, &[]);
    printer.new_line();
    printer.text("cond ");
    printer.region_without_header(cond);
    printer.text(" do ");
    printer.region_without_header(body);
    printer.leave();
    Some(())
}

/// `shape.assuming %witness -> (types) {…}`
pub(super) fn parse_assuming(parser: &mut Parser<'_>, _: Opcode, parts: &mut OpParts) -> ParseResult<()> {
    parts.operands.push(parser.parse_operand()?);
    if parser.take_arrow() {
        parts.result_types = parser.parse_result_types()?;
    }
    let region = parser.parse_region(Vec::new())?;
    parts.regions.push(region);
    parser.parse_optional_attributes(&mut parts.attrs)
}

pub(super) fn print_assuming(printer: &mut Printer<'_>, op: OpId) -> Option<()> {
    let module = printer.module;
    let operation = module.op(op);
    let [region] = operation.regions[..] else { return None };
    let block = module.region_block(op, 0)?;
    if operation.operands.len() != 1 || !module.block(block).arguments.is_empty() || !operation.attrs.is_empty() {
        return None;
    }
    let types = result_types(module, op);
    printer.name(op);
    printer.text(" ");
    printer.operands(op);
    if !types.is_empty() {
        printer.text(" -> (");
        printer.types(&types);
        printer.text(")");
    }
    printer.text(" ");
    printer.region(region);
    Some(())
}

/// `shape.const_witness true`
pub(super) fn parse_const_witness(parser: &mut Parser<'_>, _: Opcode, parts: &mut OpParts) -> ParseResult<()> {
    let passing = parser.parse_attribute()?;
    parts.attrs.set("passing", passing);
    parts.result_types = vec![witness()];
    parser.parse_optional_attributes(&mut parts.attrs)
}

pub(super) fn print_const_witness(printer: &mut Printer<'_>, op: OpId) -> Option<()> {
    let module = printer.module;
    let passing @ Attribute::Bool(_) = module.op(op).attr("passing")? else { return None };
    if result_types(module, op) != [witness()] || !module.op(op).operands.is_empty() {
        return None;
    }
    printer.name(op);
    printer.text(" ");
    printer.attribute(passing);
    printer.attributes(op, &["passing"]);
    Some(())
}

/// `chlo.scan(%x) inits(%i) dimension=0 attributes {…} {…} : (types) -> types`
pub(super) fn parse_scan(parser: &mut Parser<'_>, _: Opcode, parts: &mut OpParts) -> ParseResult<()> {
    parser.expect(b'(')?;
    let mut operands = parser.parse_list(b')', Parser::parse_operand)?;
    parser.expect_word("inits")?;
    parser.expect(b'(')?;
    let inits = parser.parse_list(b')', Parser::parse_operand)?;
    let sizes = [operands.len(), inits.len()].map(|count| i64::try_from(count).unwrap_or(i64::MAX));
    operands.extend(inits);
    parser.expect_word("dimension")?;
    parser.expect(b'=')?;
    parts.attrs.set("dimension", Attribute::i64(parser.parse_i64()?));
    let segments = Attribute::DenseArray { element: ElementType::I32, values: sizes.into() };
    parts.attrs.set("operandSegmentSizes", segments);
    parser.parse_attributes_keyword(&mut parts.attrs)?;
    let region = parser.parse_region(Vec::new())?;
    parts.regions.push(region);
    parse_signature_of(parser, operands, parts)
}

pub(super) fn print_scan(printer: &mut Printer<'_>, op: OpId) -> Option<()> {
    let module = printer.module;
    let operation = module.op(op);
    let Some(Attribute::Integer { value: dimension, ty: ElementType::I64 }) = operation.attr("dimension") else {
        return None;
    };
    let Some(Attribute::DenseArray { element: ElementType::I32, values }) = operation.attr("operandSegmentSizes")
    else {
        return None;
    };
    let [inputs, inits] = values[..] else { return None };
    let (inputs, inits) = (usize::try_from(inputs).ok()?, usize::try_from(inits).ok()?);
    let [region] = operation.regions[..] else { return None };
    if inputs.checked_add(inits)? != operation.operands.len() {
        return None;
    }
    printer.name(op);
    printer.text("(");
    printer.values(&operation.operands[..inputs]);
    printer.text(") inits(");
    printer.values(&operation.operands[inputs..]);
    printer.text(&format!(") dimension={dimension}"));
    printer.attributes_keyword(op, &["dimension", "operandSegmentSizes"]);
    printer.text(" ");
    printer.region(region);
    printer.text(" : ");
    printer.function_type(&operand_types(module, op), &result_types(module, op));
    Some(())
}
