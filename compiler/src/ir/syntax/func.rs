//! Functions and calls.

use std::sync::Arc;

use super::{operand_types, result_types};
use crate::ir::{
    AttrMap, Attribute, OpId, Opcode, Type,
    module::OpParts,
    parse::{ParseResult, Parser},
    print::Printer,
    types::FunctionType,
};

/// A function's signature while it is read.
#[derive(Default)]
struct Signature<'s> {
    arguments: Vec<(&'s str, usize, Type)>,
    argument_attrs: Vec<AttrMap>,
    results: Vec<Type>,
    result_attrs: Vec<AttrMap>,
}

/// `func.func public @main(%x: type {…}) -> (type {…}) attributes {…} {…}`
pub(super) fn parse_func(parser: &mut Parser<'_>, _: Opcode, parts: &mut OpParts) -> ParseResult<()> {
    for visibility in ["public", "private", "nested"] {
        if parser.take_word(visibility) {
            parts.attrs.set("sym_visibility", Attribute::string(visibility));
            break;
        }
    }
    let name = parser.parse_symbol_name()?;
    parts.attrs.set("sym_name", Attribute::String(name));
    let signature = parse_signature(parser)?;
    parser.parse_attributes_keyword(&mut parts.attrs)?;
    let inputs = signature.arguments.iter().map(|argument| argument.2.clone()).collect();
    let function_type = FunctionType { inputs, results: signature.results };
    parts.attrs.set("function_type", Attribute::Type(Type::Function(Arc::new(function_type))));
    set_attribute_lists(&mut parts.attrs, "arg_attrs", signature.argument_attrs);
    set_attribute_lists(&mut parts.attrs, "res_attrs", signature.result_attrs);
    let region = if parser.at_punct(b'{') {
        let offset = parser.offset();
        if let Some(unnamed) = signature.arguments.iter().find(|argument| argument.0.is_empty()) {
            return parser.fail_at(unnamed.1, "an argument of a function with a body has a name such as `%arg0`");
        }
        let region = parser.parse_isolated_region(signature.arguments)?;
        if parser.module.region(region).blocks.is_empty() {
            return parser.fail_at(offset, "the body of the function is empty: it ends with `return`");
        }
        region
    } else {
        parser.module.create_region()
    };
    parts.regions.push(region);
    Ok(())
}

fn parse_signature<'s>(parser: &mut Parser<'s>) -> ParseResult<Signature<'s>> {
    let mut signature = Signature::default();
    parser.expect(b'(')?;
    parser.parse_list(b')', |parser| {
        let mut argument = ("", parser.offset(), Type::None);
        if parser.at_value() {
            argument.0 = parser.take_value_name();
            parser.expect(b':')?;
        }
        argument.2 = parser.parse_type()?;
        let mut attrs = AttrMap::default();
        parser.parse_optional_attributes(&mut attrs)?;
        parser.skip_location()?;
        signature.arguments.push(argument);
        signature.argument_attrs.push(attrs);
        Ok(())
    })?;
    if !parser.take_arrow() {
        return Ok(signature);
    }
    if !parser.take(b'(') {
        signature.results.push(parser.parse_type()?);
        signature.result_attrs.push(AttrMap::default());
        return Ok(signature);
    }
    parser.parse_list(b')', |parser| {
        signature.results.push(parser.parse_type()?);
        let mut attrs = AttrMap::default();
        parser.parse_optional_attributes(&mut attrs)?;
        signature.result_attrs.push(attrs);
        Ok(())
    })?;
    Ok(signature)
}

/// The attributes of arguments or results are kept only where one has some, as upstream does.
fn set_attribute_lists(attrs: &mut AttrMap, name: &str, lists: Vec<AttrMap>) {
    if lists.iter().any(|list| !list.is_empty()) {
        let list = lists.into_iter().map(|attrs| Attribute::Dictionary(Arc::new(attrs))).collect();
        attrs.set(name, Attribute::Array(list));
    }
}

/// Gives a function read in generic form the argument types of its block, whose unknown extents have the names that the
/// body uses, and drops lists of empty argument attributes.
pub(crate) fn adopt_argument_types(parser: &Parser<'_>, parts: &mut OpParts) {
    for name in ["arg_attrs", "res_attrs"] {
        let is_empty = |attr: &Attribute| matches!(attr, Attribute::Dictionary(attrs) if attrs.is_empty());
        if matches!(parts.attrs.get(name), Some(Attribute::Array(lists)) if lists.iter().all(is_empty)) {
            parts.attrs.remove(name);
        }
    }
    let block = parts.regions.first().and_then(|region| parser.module.region(*region).blocks.first().copied());
    let (Some(block), Some(Attribute::Type(Type::Function(function)))) = (block, parts.attrs.get("function_type"))
    else {
        return;
    };
    let arguments = &parser.module.block(block).arguments;
    if arguments.len() != function.inputs.len() {
        return;
    }
    let known = arguments.iter().map(|argument| parser.module.ty(*argument));
    let inputs =
        function.inputs.iter().zip(known).map(|(written, known)| parser.adopt_symbols(written, known)).collect();
    let function = FunctionType { inputs, results: function.results.clone() };
    parts.attrs.set("function_type", Attribute::Type(Type::Function(Arc::new(function))));
}

pub(super) fn print_func(printer: &mut Printer<'_>, op: OpId) -> Option<()> {
    let module = printer.module;
    let operation = module.op(op);
    let name = operation.attr("sym_name")?.as_str()?;
    let Some(Attribute::Type(Type::Function(function))) = operation.attr("function_type") else { return None };
    let [region] = operation.regions[..] else { return None };
    let argument_attrs = attribute_lists(operation.attr("arg_attrs"), function.inputs.len())?;
    let result_attrs = attribute_lists(operation.attr("res_attrs"), function.results.len())?;
    let block = match module.region(region).blocks[..] {
        [] => None,
        [block] => Some(block),
        _ => return None,
    };
    let arguments = block.map(|block| &module.block(block).arguments[..]).unwrap_or_default();
    let argument_types: Vec<&Type> = arguments.iter().map(|argument| module.ty(*argument)).collect();
    if block.is_some() && !argument_types.into_iter().eq(&function.inputs) {
        return None;
    }
    if block.is_some_and(|block| module.block(block).first().is_none()) || !operation.results.is_empty() {
        return None;
    }
    printer.text("func.func ");
    match operation.attr("sym_visibility").map(Attribute::as_str) {
        None => {}
        Some(Some(visibility @ ("public" | "private" | "nested"))) => {
            printer.text(visibility);
            printer.text(" ");
        }
        Some(_) => return None,
    }
    printer.symbol(name);
    printer.enter_isolated();
    printer.text("(");
    for (position, ty) in function.inputs.iter().enumerate() {
        printer.text(if position > 0 { ", " } else { "" });
        match arguments.get(position) {
            Some(argument) => printer.argument(*argument),
            None => printer.ty(ty),
        }
        printer.optional_dictionary(argument_attrs.get(position).copied().flatten());
    }
    printer.text(")");
    print_results(printer, &function.results, &result_attrs);
    printer.attributes_keyword(op, &["sym_name", "sym_visibility", "function_type", "arg_attrs", "res_attrs"]);
    if block.is_some() {
        printer.text(" ");
        printer.region_without_header(region);
    }
    printer.leave_isolated();
    Some(())
}

fn print_results(printer: &mut Printer<'_>, results: &[Type], attrs: &[Option<&AttrMap>]) {
    if results.is_empty() {
        return;
    }
    printer.text(" -> ");
    if attrs.iter().all(Option::is_none) {
        return printer.result_types(results);
    }
    printer.text("(");
    for (position, ty) in results.iter().enumerate() {
        printer.text(if position > 0 { ", " } else { "" });
        printer.ty(ty);
        printer.optional_dictionary(attrs.get(position).copied().flatten());
    }
    printer.text(")");
}

/// The attributes of each argument or result; none where the list is not one of as many dictionaries.
fn attribute_lists(attr: Option<&Attribute>, count: usize) -> Option<Vec<Option<&AttrMap>>> {
    match attr {
        None => Some(vec![None; count]),
        Some(Attribute::Array(lists)) if lists.len() == count => lists
            .iter()
            .map(|list| match list {
                Attribute::Dictionary(attrs) => Some(Some(attrs.as_ref()).filter(|attrs| !attrs.is_empty())),
                _ => None,
            })
            .collect(),
        Some(_) => None,
    }
}

/// `call @name(%x) {…} : (types) -> types`
pub(super) fn parse_call(parser: &mut Parser<'_>, _: Opcode, parts: &mut OpParts) -> ParseResult<()> {
    let callee = parser.parse_attribute()?;
    parts.attrs.set("callee", callee);
    parser.expect(b'(')?;
    let operands = parser.parse_list(b')', Parser::parse_operand)?;
    parser.parse_optional_attributes(&mut parts.attrs)?;
    parse_signature_of(parser, operands, parts)
}

/// `: (types) -> types` behind operands.
pub(super) fn parse_signature_of(
    parser: &mut Parser<'_>,
    operands: Vec<crate::ir::ValueId>,
    parts: &mut OpParts,
) -> ParseResult<()> {
    parser.expect(b':')?;
    parts.result_types = parser.parse_operation_types(&operands)?;
    parts.operands = operands.into();
    Ok(())
}

pub(super) fn print_call(printer: &mut Printer<'_>, op: OpId) -> Option<()> {
    let module = printer.module;
    let callee @ Attribute::Symbol(_) = module.op(op).attr("callee")? else { return None };
    if !module.op(op).regions.is_empty() {
        return None;
    }
    printer.name(op);
    printer.text(" ");
    printer.attribute(callee);
    printer.text("(");
    printer.operands(op);
    printer.text(")");
    printer.attributes(op, &["callee"]);
    printer.text(" : ");
    printer.function_type(&operand_types(module, op), &result_types(module, op));
    Some(())
}
