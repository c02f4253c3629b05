//! Turns every operation of the tensor level into launches.
//!
//! Before: `%1 = stablehlo.exponential %0 : tensor<4xf32>`.
//! After: `%1 = pyg.empty`, `%2 = pyg.nest(%0, %1) …` with `scalar.exp` in its body; see [`crate::lower`].
//! An operation that does not run is an error, or with `--keep-boundaries` a `pyg.boundary` that says why.
//! Leaves alone: what is at the kernel level already; signatures of functions.
//! Relies on: calls inlined; no operation of FX. Private functions have no caller any more and go.
//! Guarantees: nothing of the tensor level is left; all operations that do not run are reported at once.

use std::collections::HashMap;

use super::{Boundaries, Changed, PassContext, PassDef, Phase};
use crate::{
    diagnostic::Diagnostics,
    ir::{AttrMap, Attribute, BlockId, Module, OpId, Opcode, ValueId, module::OpParts},
    lower::{launches, lower_op},
};

/// See the module.
pub static PASS: PassDef = PassDef {
    name: "lower-to-launches",
    summary: "Turn operations on tensors into loop nests and calls of kernels",
    phase: Phase::Kernel,
    run,
};

/// The attribute of a function that says how many launches it had when every operation was its own.
pub const LAUNCHES_LOWERED: &str = "pyg.launches_lowered";

fn run(module: &mut Module, context: &PassContext) -> Result<Changed, Diagnostics> {
    let mut lowering = Lowering { boundaries: context.options.boundaries, ..Lowering::default() };
    for function in module.functions().collect::<Vec<OpId>>() {
        if is_private(module, function) {
            module.erase(function);
            lowering.changed = true;
            continue;
        }
        lowering.pending.extend(module.region_block(function, 0));
        while let Some(block) = lowering.pending.pop() {
            lower_block(module, block, &mut lowering);
        }
        module.replace_values(function, &std::mem::take(&mut lowering.replacements));
    }
    if !lowering.errors.is_empty() {
        return Err(Diagnostics(lowering.errors));
    }
    for op in lowering.lowered.into_iter().rev() {
        module.erase(op);
    }
    erase_unused_constants(module);
    if lowering.changed {
        count_launches(module);
    }
    Ok(lowering.changed.into())
}

fn count_launches(module: &mut Module) {
    for function in module.functions().collect::<Vec<OpId>>() {
        let count = launches(module, function).len() as i64;
        module.op_mut(function).attrs.set(LAUNCHES_LOWERED, Attribute::i64(count));
    }
}

#[derive(Default)]
struct Lowering {
    pending: Vec<BlockId>,
    /// From results to the values that stand for them.
    replacements: HashMap<ValueId, ValueId>,
    /// Operations that have been replaced; they stay until nobody looks at them, such as for a constant's elements.
    lowered: Vec<OpId>,
    errors: Vec<crate::diagnostic::Diagnostic>,
    boundaries: Boundaries,
    changed: bool,
}

fn is_private(module: &Module, function: OpId) -> bool {
    module.op(function).attr("sym_visibility").and_then(Attribute::as_str) == Some("private")
}

fn lower_block(module: &mut Module, block: BlockId, lowering: &mut Lowering) {
    for op in module.block_op_ids(block) {
        match module.op(op).opcode {
            Opcode::FuncReturn
            | Opcode::PygKvEnsure
            | Opcode::PygKvRetire
            | Opcode::PygBoundary
            | Opcode::PygEmpty
            | Opcode::PygNest
            | Opcode::PygKernel
            | Opcode::PygFused
            | Opcode::PygView
            | Opcode::PygConstant
            | Opcode::PygYield => continue,
            Opcode::PygWhile | Opcode::PygSwitch | Opcode::PygSegment => {
                lowering.pending.extend(region_blocks(module, op));
                continue;
            }
            Opcode::StablehloWhile | Opcode::StablehloIf | Opcode::StablehloCase => {
                lowering.pending.extend(region_blocks(module, op));
            }
            _ => {}
        }
        lowering.changed = true;
        let values = match (lower_op(module, op), lowering.boundaries) {
            (Ok(values), _) => values,
            (Err(errors), Boundaries::Keep) => boundary(module, op, &errors),
            (Err(errors), Boundaries::Refuse) => {
                lowering.errors.extend(errors.0);
                continue;
            }
        };
        let results = module.op(op).results.clone();
        lowering.replacements.extend(results.into_iter().zip(values));
        lowering.lowered.push(op);
    }
}

/// Puts a `pyg.boundary` before an operation that does not run; its results.
fn boundary(module: &mut Module, op: OpId, errors: &Diagnostics) -> Vec<ValueId> {
    let operation = module.op(op);
    let callee = operation.attr("call_target_name").and_then(Attribute::as_str);
    let (what, remedy) = match callee {
        Some(callee) => (
            format!("{} @{callee}", operation.opcode.name()),
            "leave the call out of the exported function, or give it a kernel of that name",
        ),
        None => (operation.opcode.name().to_string(), "export the model without it"),
    };
    let reason: Vec<&str> = errors.0.iter().map(|error| error.message.as_str()).collect();
    let attrs = AttrMap::from_iter([
        ("what", Attribute::string(&what)),
        ("reason", Attribute::string(&reason.join("; "))),
        ("remedy", Attribute::string(remedy)),
    ]);
    let (operands, loc) = (operation.operands.clone(), operation.loc);
    let result_types = operation.results.iter().map(|value| module.ty(*value).clone()).collect();
    let parts = OpParts { operands, result_types, attrs, ..OpParts::default() };
    let boundary = module.create_op(Opcode::PygBoundary, parts, loc);
    module.insert_before(op, boundary);
    module.op(boundary).results.to_vec()
}

fn region_blocks(module: &Module, op: OpId) -> Vec<BlockId> {
    (0..module.op(op).regions.len()).filter_map(|region| module.region_block(op, region)).collect()
}

/// Constants that became literals have no reader left.
fn erase_unused_constants(module: &mut Module) {
    let uses = module.uses();
    for op in module.walk(module.root()) {
        let operation = module.op(op);
        if operation.opcode == Opcode::PygConstant && uses[operation.results[0].index()].is_empty() {
            module.erase(op);
        }
    }
}
