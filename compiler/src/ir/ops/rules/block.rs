//! Plan level: parameter blocks, and that nothing which changes reaches a launch in another way.

use std::collections::HashSet;

use pygraph_artifact::plan::{Bind, FieldSource, field_alignment};

use super::ensure;
use crate::{
    ir::{
        Attribute, Module, OpId, Opcode,
        ops::view::{View, show, show_tensor},
    },
    lower::{
        block::{BlockField, block_named, field_named, fields_of},
        place::{Place, places_of},
    },
    passes::signature::{argument_index, bindings},
};

/// Fields in order of their offsets, apart and aligned, each name once.
pub fn param_block(view: &View) -> Result<(), String> {
    let bytes = u64::try_from(view.int("bytes")?).map_err(|_| "`bytes` is negative".to_string())?;
    let fields = view.attr("fields").and_then(fields_of).ok_or(
        "each of `fields` should have `name`, `kind` (`value` or `address`), `offset`, `type`, and `argument` or `result`",
    )?;
    let mut names = HashSet::new();
    let mut free = 0;
    for field in &fields {
        let BlockField { name, offset, .. } = field;
        ensure(names.insert(name), || format!("two fields are named `{name}`"))?;
        let alignment = field_alignment(field.bytes());
        let end = offset.checked_add(field.bytes()).filter(|end| *end <= bytes);
        let end = end.ok_or_else(|| format!("field `{name}` at {offset} leaves the block of {bytes} bytes"))?;
        ensure(*offset >= free && offset.is_multiple_of(alignment), || {
            format!("field `{name}` at {offset} should lie at a multiple of {alignment}, not below {free}")
        })?;
        free = end;
    }
    Ok(())
}

const NO_SYMBOL: &str = "attribute `block` is missing";
const NO_BLOCK: &str = "`block` names no parameter block";

fn block<'a>(view: &View<'a>) -> Result<Vec<BlockField>, String> {
    let symbol = view.attr("block").ok_or(NO_SYMBOL)?;
    let found = block_named(view.module, symbol);
    found.map(|(_, fields)| fields).ok_or_else(|| NO_BLOCK.to_string())
}

/// One operand for each field that an argument fills, of its type.
pub fn write(view: &View) -> Result<(), String> {
    let fields = block(view)?;
    let filled: Vec<&BlockField> =
        fields.iter().filter(|field| !matches!(field.source, FieldSource::ResultAddress { .. })).collect();
    ensure(filled.len() == view.operands.len(), || {
        format!("{} arguments fill {} fields of the block", view.operands.len(), filled.len())
    })?;
    for (field, value) in filled.into_iter().zip(view.operands) {
        let ty = view.module.ty(*value);
        ensure(*ty == field.ty, || {
            format!("field `{}` is {}, but is filled with {}", field.name, show(&field.ty), show(ty))
        })?;
    }
    Ok(())
}

/// The type of the field.
pub fn field(view: &View) -> Result<(), String> {
    let name = view.attr("field").and_then(Attribute::as_str).unwrap_or_default();
    let symbol = view.attr("block").ok_or(NO_SYMBOL)?;
    let field = field_named(view.module, symbol, name).ok_or(NO_BLOCK)?;
    let field = field.ok_or_else(|| format!("the block has no field `{name}`"))?;
    let own = view.result_tensor(0)?;
    ensure(field.ty.as_tensor() == Some(own), || {
        format!("field `{name}` is {}, but is read as {}", show(&field.ty), show_tensor(own))
    })
}

/// No launch of a segment that has a block reads an argument which changes between steps, but through the block; and the address of
/// every result that is written there is in the block.
pub fn changes_come_from_block(view: &View) -> Result<(), String> {
    let Some(symbol) = view.attr("block") else { return Ok(()) };
    let fields = block(view)?;
    let Some(region) = view.regions.first() else { return Ok(()) };
    let module = view.module;
    let Some(function) = module.region(*region).parent().and_then(|segment| enclosing_function(module, segment)) else {
        return Ok(());
    };
    let bound = bindings(module, function);
    let blocks = &module.region(*region).blocks;
    let inside = blocks.iter().flat_map(|block| module.block_ops(*block)).flat_map(|op| module.walk(op));
    for op in inside {
        let operation = module.op(op);
        ensure(operation.opcode != Opcode::PygBlockField || operation.attr("block") == Some(symbol), || {
            "a field of another block than the segment's is read".to_string()
        })?;
        for index in operation.operands.iter().filter_map(|value| argument_index(module, function, *value)) {
            let changes = bound.get(index).is_some_and(|binding| matches!(binding.bind, Bind::Step | Bind::Host));
            ensure(!changes, || {
                format!(
                    "`{}` reads argument {index}, which changes between steps, and not through the block",
                    operation.opcode.name()
                )
            })?;
        }
        for place in places_of(module, op).into_iter().flatten() {
            let Place::Result(number) = place else { continue };
            let has_field = fields.iter().any(|field| field.source == FieldSource::ResultAddress { result: number });
            ensure(has_field, || format!("result {number} is written, and its address is in no field of the block"))?;
        }
    }
    Ok(())
}

fn enclosing_function(module: &Module, op: OpId) -> Option<OpId> {
    let mut op = op;
    while !matches!(module.op(op).opcode, Opcode::FuncFunc) {
        op = module.parent_op(op)?;
    }
    Some(op)
}
