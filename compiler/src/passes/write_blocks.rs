//! Puts everything that changes from step to step into one parameter block a segment.
//!
//! Before: launches that read the arguments `%tok` and `%pos`, and write results.   After: `pyg.param_block @main_s0` with the value of
//! `%pos` and the addresses of `%tok` and of the results; `pyg.block.write @main_s0 (%pos, %tok)` before the segment; and
//! `pyg.block.field` in it, where the arguments were read.
//! What is `host` is there by its value, since the host has it; what is `step` by its address, since its bytes stay where the
//! caller has them. Weights and state have addresses that stay, and are in no block.
//! Leaves alone: segments that read nothing which changes; what the host reads outside of segments.
//! Relies on: `plan-memory`, which says which results are written where their callers want them.
//! Guarantees: no launch has an operand or a result whose address or value changes between steps but through the block, as
//! the verifier checks. So a recorded graph is never patched, and no input is copied.

use std::collections::{BTreeSet, HashMap};

use pygraph_artifact::plan::{Bind, FieldSource};

use super::{
    Changed, PassContext, PassDef, Phase,
    signature::{argument_index, bindings, dictionaries, text},
};
use crate::{
    diagnostic::Diagnostics,
    ir::{AttrMap, Attribute, Module, OpId, Opcode, Type, ValueId, module::OpParts},
    lower::{
        block::{BlockField, fields_attribute, lay_out},
        place::{Place, places_of},
    },
};

/// See the module.
pub static PASS: PassDef = PassDef {
    name: "write-blocks",
    summary: "Put what changes from step to step into one parameter block a segment",
    phase: Phase::Plan,
    run,
};

fn run(module: &mut Module, context: &PassContext) -> Result<Changed, Diagnostics> {
    let mut changed = false;
    for function in module.functions().collect::<Vec<OpId>>() {
        for segment in module.walk(function) {
            let operation = module.op(segment);
            if operation.opcode == Opcode::PygSegment && operation.attr("block").is_none() {
                changed |= write_block(module, context, function, segment);
            }
        }
    }
    Ok(changed.into())
}

/// What a segment touches that changes.
#[derive(Debug, Default)]
struct Changing {
    /// Arguments, by number.
    arguments: BTreeSet<usize>,
    /// Results, by number.
    results: BTreeSet<u32>,
}

fn write_block(module: &mut Module, context: &PassContext, function: OpId, segment: OpId) -> bool {
    let Some(entry) = module.region_block(function, 0) else { return false };
    let arguments = module.block(entry).arguments.to_vec();
    let changing = changing(module, function, segment);
    if changing.arguments.is_empty() && changing.results.is_empty() {
        return false;
    }
    let symbol = |op: OpId| module.op(op).attr("sym_name").and_then(Attribute::as_str).unwrap_or_default();
    let name = module.free_symbol(&format!("{}_{}", symbol(function), symbol(segment)));
    let (fields, bytes) = lay_out(fields(module, function, &arguments, &changing));
    context.remark(module.remark(segment, layout_text(&name, &fields, bytes)));
    let loc = module.op(segment).loc;
    let attrs = AttrMap::from_iter([
        ("sym_name", Attribute::string(&name)),
        ("bytes", Attribute::i64(bytes as i64)),
        ("fields", fields_attribute(&fields)),
    ]);
    let block = module.create_op(Opcode::PygParamBlock, OpParts { attrs, ..OpParts::default() }, loc);
    module.insert_before(function, block);
    let reference = Attribute::Symbol([name.as_str().into()].into());
    let attrs = AttrMap::from_iter([("block", reference.clone())]);
    let operands = fields.iter().filter_map(|field| source_argument(field).map(|index| arguments[index])).collect();
    let write = module.create_op(Opcode::PygBlockWrite, OpParts { operands, attrs, ..OpParts::default() }, loc);
    module.insert_before(segment, write);
    read_fields(module, segment, &reference, &fields, &arguments);
    module.op_mut(segment).attrs.set("block", reference);
    true
}

fn changing(module: &Module, function: OpId, segment: OpId) -> Changing {
    let bound = bindings(module, function);
    let mut changing = Changing::default();
    for op in module.walk(segment) {
        let read = module.op(op).operands.iter().filter_map(|value| argument_index(module, function, *value));
        changing.arguments.extend(read.filter(|index| matches!(bound[*index].bind, Bind::Step | Bind::Host)));
        changing.results.extend(places_of(module, op).into_iter().flatten().filter_map(|place| match place {
            Place::Result(number) => Some(number),
            Place::Arena(_) | Place::Argument(_) => None,
        }));
    }
    changing
}

/// Names, sources and types of the fields: values first, as a reader of the layout looks for them.
fn fields(
    module: &Module,
    function: OpId,
    arguments: &[ValueId],
    changing: &Changing,
) -> Vec<(String, FieldSource, Type)> {
    let bound = bindings(module, function);
    let (_, result_types) = super::signature::function_type(module, function);
    let [of_arguments, of_results] = [("arg_attrs", arguments.len()), ("res_attrs", result_types.len())]
        .map(|(list, count)| dictionaries(module, function, list, count));
    let named = |attrs: Option<&AttrMap>, default: String| {
        attrs.and_then(|attrs| text(attrs, "pyg.name")).map_or(default, |name| name.to_string())
    };
    let mut fields = Vec::new();
    for wanted in [Bind::Host, Bind::Step] {
        for index in changing.arguments.iter().copied().filter(|index| bound[*index].bind == wanted) {
            let name = named(of_arguments.get(index), format!("arg{index}"));
            let param = index as u32;
            let source = match wanted {
                Bind::Host => FieldSource::Value { param },
                _ => FieldSource::ParamAddress { param },
            };
            fields.push((name, source, module.ty(arguments[index]).clone()));
        }
    }
    for number in &changing.results {
        let name = named(of_results.get(*number as usize), format!("out{number}"));
        let ty = result_types[*number as usize].clone();
        fields.push((name, FieldSource::ResultAddress { result: *number }, ty));
    }
    // An argument and a result may have one name.
    let mut seen = BTreeSet::new();
    for (at, (name, _, _)) in fields.iter_mut().enumerate() {
        if !seen.insert(name.clone()) {
            *name = format!("{name}.{at}");
            seen.insert(name.clone());
        }
    }
    fields
}

fn source_argument(field: &BlockField) -> Option<usize> {
    match field.source {
        FieldSource::Value { param } | FieldSource::ParamAddress { param } => Some(param as usize),
        FieldSource::ResultAddress { .. } => None,
    }
}

/// Replaces arguments in a segment by fields of its block, read where the segment begins.
fn read_fields(module: &mut Module, segment: OpId, block: &Attribute, fields: &[BlockField], arguments: &[ValueId]) {
    let Some(first) = module.region_block(segment, 0).and_then(|body| module.block(body).first()) else { return };
    let loc = module.op(segment).loc;
    let mut fresh: HashMap<ValueId, ValueId> = HashMap::new();
    for field in fields {
        let Some(argument) = source_argument(field) else { continue };
        let attrs = AttrMap::from_iter([("block", block.clone()), ("field", Attribute::string(&field.name))]);
        let parts = OpParts { result_types: vec![field.ty.clone()], attrs, ..OpParts::default() };
        let read = module.create_op(Opcode::PygBlockField, parts, loc);
        module.insert_before(first, read);
        fresh.insert(arguments[argument], module.op(read).results[0]);
    }
    module.replace_values(segment, &fresh);
}

fn layout_text(name: &str, fields: &[BlockField], bytes: u64) -> String {
    let listed: Vec<String> =
        fields.iter().map(|field| format!("{} : {} at {}", field.name, field.kind(), field.offset)).collect();
    format!("parameter block @{name} has {bytes} bytes: {}", listed.join(", "))
}
