//! `stablehlo.reduce`: the short form for one operation, and the one with a body.

use super::{func::parse_signature_of, operand_types, result_types};
use crate::ir::{
    OpId, Opcode, RegionId, Type, ValueId,
    module::OpParts,
    parse::{ParseResult, Parser},
    print::Printer,
    types::TensorType,
};

/// `stablehlo.reduce(%x init: %i) applies stablehlo.add across dimensions = [1] : (types) -> type`, or
/// `stablehlo.reduce(%x init: %i), (%y init: %j) across dimensions = [1] : (types) -> (types)
///  reducer(%a: type, %b: type) (%c: type, %d: type) {…}`
pub(super) fn parse_reduce(parser: &mut Parser<'_>, _: Opcode, parts: &mut OpParts) -> ParseResult<()> {
    let (mut inputs, mut inits) = (Vec::new(), Vec::new());
    loop {
        parser.expect(b'(')?;
        inputs.push(parser.parse_operand()?);
        parser.expect_word("init")?;
        parser.expect(b':')?;
        inits.push(parser.parse_operand()?);
        parser.expect(b')')?;
        if !parser.take(b',') {
            break;
        }
    }
    let count = inputs.len();
    let mut applied = None;
    let applied_offset = parser.offset();
    if parser.take_word("applies") {
        let offset = parser.offset();
        let name = parser.expect_any_word("the name of an operation")?;
        applied = Opcode::from_name(name);
        if applied.is_none() {
            return parser.fail_at(offset, format!("unknown operation `{name}`"));
        }
    }
    parser.expect_word("across")?;
    parser.expect_word("dimensions")?;
    parser.expect(b'=')?;
    parts.attrs.set("dimensions", parser.parse_i64_array()?);
    parser.parse_optional_attributes(&mut parts.attrs)?;
    inputs.extend(inits);
    parse_signature_of(parser, inputs, parts)?;
    let region = match applied {
        Some(opcode) if count == 1 => applied_region(parser, opcode, parts.operands[1], applied_offset)?,
        Some(_) => return parser.fail_at(applied_offset, format!("`applies` reduces one tensor, found {count}")),
        None => parse_reducer(parser, count)?,
    };
    parts.regions.push(region);
    Ok(())
}

/// `reducer(%a: type, %b: type) (%c: type, %d: type) {…}`: the two arguments of each tensor stand together, but in the
/// block all first ones come first.
fn parse_reducer(parser: &mut Parser<'_>, count: usize) -> ParseResult<RegionId> {
    parser.expect_word("reducer")?;
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for _ in 0..count {
        parser.expect(b'(')?;
        first.push(parser.parse_argument()?);
        parser.expect(b',')?;
        second.push(parser.parse_argument()?);
        parser.expect(b')')?;
    }
    first.extend(second);
    parser.parse_region(first)
}

/// The body that `applies` stands for.
fn applied_region(parser: &mut Parser<'_>, opcode: Opcode, init: ValueId, offset: usize) -> ParseResult<RegionId> {
    let Some(tensor) = parser.module.ty(init).as_tensor() else {
        return parser.fail_at(offset, "`applies` reduces tensors");
    };
    let element: Type = TensorType::new(&[], tensor.element.clone()).into();
    let loc = parser.location_at(offset);
    let module = &mut parser.module;
    let region = module.create_region();
    let block = module.create_block(region);
    let operands = [element.clone(), element.clone()].map(|ty| module.add_argument(block, ty));
    let parts = OpParts { operands: operands.into_iter().collect(), result_types: vec![element], ..OpParts::default() };
    let op = module.create_op(opcode, parts, loc);
    module.append(block, op);
    let parts = OpParts { operands: module.op(op).results.iter().copied().collect(), ..OpParts::default() };
    let end = module.create_op(Opcode::StablehloReturn, parts, loc);
    module.append(block, end);
    Ok(region)
}

pub(super) fn print_reduce(printer: &mut Printer<'_>, op: OpId) -> Option<()> {
    let module = printer.module;
    let operation = module.op(op);
    let dimensions = operation.attr("dimensions")?.as_i64_slice()?;
    let [region] = operation.regions[..] else { return None };
    let [block] = module.region(region).blocks[..] else { return None };
    let arguments = &module.block(block).arguments;
    let count = operation.operands.len() / 2;
    if count == 0 || operation.operands.len() != 2 * count || arguments.len() != 2 * count {
        return None;
    }
    printer.name(op);
    for tensor in 0..count {
        printer.text(if tensor > 0 { ", (" } else { "(" });
        printer.value(operation.operands[tensor]);
        printer.text(" init: ");
        printer.value(operation.operands[count + tensor]);
        printer.text(")");
    }
    let applied = applied_opcode(printer, op);
    if let Some(opcode) = applied {
        printer.text(" applies ");
        printer.text(opcode.name());
    }
    printer.text(" across dimensions = ");
    printer.i64_list(dimensions);
    printer.attributes(op, &["dimensions"]);
    printer.text(" : ");
    printer.function_type(&operand_types(module, op), &result_types(module, op));
    if applied.is_none() {
        printer.new_line();
        printer.text(" reducer");
        printer.enter();
        for tensor in 0..count {
            printer.text(if tensor > 0 { " (" } else { "(" });
            printer.argument(arguments[tensor]);
            printer.text(", ");
            printer.argument(arguments[count + tensor]);
            printer.text(")");
        }
        printer.text(" ");
        printer.region_without_header(region);
        printer.leave();
    }
    Some(())
}

/// The operation that a body only applies to its two arguments in order.
fn applied_opcode(printer: &Printer<'_>, op: OpId) -> Option<Opcode> {
    let module = printer.module;
    let operation = module.op(op);
    let block = module.region_block(op, 0)?;
    let [a, b] = module.block(block).arguments[..] else { return None };
    let [_, init] = operation.operands[..] else { return None };
    let element: Type = TensorType::new(&[], module.ty(init).as_tensor()?.element.clone()).into();
    let body = module.block_op_ids(block);
    let [applied, end] = body[..] else { return None };
    let (applied, end) = (module.op(applied), module.op(end));
    let [result] = applied.results[..] else { return None };
    let fits = applied.operands[..] == [a, b]
        && applied.attrs.is_empty()
        && applied.regions.is_empty()
        && end.opcode == Opcode::StablehloReturn
        && end.attrs.is_empty()
        && end.operands[..] == [result]
        && [a, b, result].iter().all(|value| *module.ty(*value) == element)
        && applied.opcode.name().starts_with("stablehlo.");
    fits.then_some(applied.opcode)
}
