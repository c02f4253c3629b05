//! Puts launches into segments.
//!
//! Before: launches in a function.   After: one `pyg.segment @s0` that holds them and yields what the function returns.
//! Leaves alone: a function that has a segment already.
//! Relies on: the kernel level. Nothing there needs the host yet, so that a function is one segment.
//! Guarantees: a function is its segment and its return, and returns what the segment yields.

use super::{Changed, PassContext, PassDef, Phase};
use crate::{
    diagnostic::Diagnostics,
    ir::{AttrMap, Attribute, Module, OpId, Opcode, module::OpParts},
};

/// See the module.
pub static PASS: PassDef = PassDef {
    name: "form-segments",
    summary: "Put launches into segments, between the points where the host takes part",
    phase: Phase::Plan,
    run,
};

fn run(module: &mut Module, _: &PassContext) -> Result<Changed, Diagnostics> {
    let mut changed = false;
    for function in module.functions().collect::<Vec<OpId>>() {
        changed |= form_segment(module, function);
    }
    Ok(changed.into())
}

fn form_segment(module: &mut Module, function: OpId) -> bool {
    let Some(block) = module.region_block(function, 0) else { return false };
    let ops = module.block_op_ids(block);
    let Some((end, launches)) = ops.split_last() else { return false };
    if launches.iter().any(|op| module.op(*op).opcode == Opcode::PygSegment) {
        return false;
    }
    let region = module.create_region();
    let body = module.create_block(region);
    for op in launches {
        module.detach(*op);
        module.append(body, *op);
    }
    let returned = module.op(*end).operands.clone();
    let result_types = returned.iter().map(|value| module.ty(*value).clone()).collect();
    let loc = module.op(*end).loc;
    let parts = OpParts { operands: returned.iter().copied().collect(), ..OpParts::default() };
    let terminator = module.create_op(Opcode::PygYield, parts, loc);
    module.append(body, terminator);

    let attrs = AttrMap::from_iter([("sym_name", Attribute::string("s0"))]);
    let regions = [region].into_iter().collect();
    let loc = module.op(function).loc;
    let segment =
        module.create_op(Opcode::PygSegment, OpParts { result_types, attrs, regions, ..OpParts::default() }, loc);
    module.insert_before(*end, segment);
    let results = module.op(segment).results.iter().copied().collect();
    module.op_mut(*end).operands = results;
    true
}
