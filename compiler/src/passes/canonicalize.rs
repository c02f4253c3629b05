//! Writes operations in their plainest form, by local rules that need no search.
//!
//! Before: `%0 = stablehlo.transpose %x, dims = [1, 0]`, `%1 = stablehlo.transpose %0, dims = [1, 0]`.   After: `%x`.
//! Before: `stablehlo.dynamic_slice` at constant indices.   After: `stablehlo.slice`.
//! Leaves alone: arithmetic (that is `simplify`'s); anything that would round differently; types: a rule whose result has
//! another type does not apply.
//! Relies on: nothing beyond the verifier.   Guarantees: operations are visited once, in textual order, and again only where
//! a rule made them; every rule makes fewer, smaller or plainer operations, so this ends. What became unused is left for
//! `drop-dead-ops`.

mod control;
mod dynamic;
mod movement;
mod selection;

use std::collections::HashMap;

use super::{Changed, PassContext, PassDef, Phase};
use crate::{
    diagnostic::Diagnostics,
    ir::{Module, OpId, Opcode, ValueId, ops::is_pure_op},
};

/// The pass.
pub static PASS: PassDef = PassDef {
    name: "canonicalize",
    summary: "Write operations in their plainest form by local rules",
    phase: Phase::Tensor,
    run,
};

/// A local rule.
///
/// `apply` gets an operation of the rule's kind and returns the values that stand for its results, with new operations
/// inserted before it; none, with nothing changed, where the rule does not apply. Rules that would change a rounding, the
/// sign of a zero or a NaN are not allowed here.
struct Rule {
    name: &'static str,
    opcode: Opcode,
    apply: fn(&mut Module, OpId) -> Option<Vec<ValueId>>,
}

macro_rules! rules {
    ($($name:literal: $opcode:ident => $apply:path;)*) => {
        &[$(Rule { name: $name, opcode: Opcode::$opcode, apply: $apply }),*]
    };
}

/// All rules; for one kind of operation, those that delete come first.
static RULES: &[Rule] = rules! {
    // Movement that moves nothing.
    "reshape-identity": StablehloReshape => movement::same_type;
    "convert-identity": StablehloConvert => movement::same_type;
    "slice-full": StablehloSlice => movement::same_type;
    "pad-nothing": StablehloPad => movement::pad_nothing;
    "transpose-identity": StablehloTranspose => movement::transpose_identity;
    "broadcast-identity": StablehloBroadcastInDim => movement::broadcast_identity;
    "reverse-unit-dimensions": StablehloReverse => movement::reverse_unit;
    "concatenate-one": StablehloConcatenate => movement::concatenate_one;
    "cast-identity": TensorCast => movement::same_type;
    // Movement of a constant that is the same everywhere.
    "reshape-constant": StablehloReshape => movement::reshape_constant;
    "transpose-splat": StablehloTranspose => movement::splat;
    "broadcast-splat": StablehloBroadcastInDim => movement::splat;
    "slice-splat": StablehloSlice => movement::splat;
    "reverse-splat": StablehloReverse => movement::splat;
    // Movement after movement.
    "reshape-twice": StablehloReshape => movement::reshape_twice;
    "transpose-twice": StablehloTranspose => movement::transpose_twice;
    "broadcast-twice": StablehloBroadcastInDim => movement::broadcast_twice;
    "dot-of-transposed": StablehloDotGeneral => movement::dot_of_transposed;
    "transpose-broadcast": StablehloTranspose => movement::transpose_broadcast;
    "slice-twice": StablehloSlice => movement::slice_twice;
    "reverse-twice": StablehloReverse => movement::reverse_twice;
    "convert-twice": StablehloConvert => movement::convert_twice;
    "concatenate-empty": StablehloConcatenate => movement::concatenate_empty;
    // Movement of unit dimensions only.
    "transpose-to-reshape": StablehloTranspose => movement::transpose_to_reshape;
    "broadcast-to-reshape": StablehloBroadcastInDim => movement::broadcast_to_reshape;
    // Choices that are known.
    "select-known": StablehloSelect => selection::select_known;
    "select-same": StablehloSelect => selection::select_same;
    "select-not": StablehloSelect => selection::select_not;
    "compare-self": StablehloCompare => selection::compare_self;
    "element-of-tuple": StablehloGetTupleElement => selection::element_of_tuple;
    "real-of-complex": StablehloReal => selection::part_of_complex;
    "imag-of-complex": StablehloImag => selection::part_of_complex;
    "if-known": StablehloIf => control::branch_known;
    "case-known": StablehloCase => control::branch_known;
    "while-never": StablehloWhile => control::while_never;
    "while-invariant": StablehloWhile => control::while_invariant;
    // Positions and shapes that are known after all.
    "dynamic-slice-known": StablehloDynamicSlice => dynamic::slice_known;
    "dynamic-update-all": StablehloDynamicUpdateSlice => dynamic::update_all;
    "dynamic-reshape-known": StablehloDynamicReshape => dynamic::reshape_known;
    "dynamic-broadcast-known": StablehloDynamicBroadcastInDim => dynamic::broadcast_known;
    "dynamic-iota-known": StablehloDynamicIota => dynamic::iota_known;
    "dynamic-pad-known": StablehloDynamicPad => dynamic::pad_known;
    "real-dynamic-slice-known": StablehloRealDynamicSlice => dynamic::real_slice_known;
    "dimension-size-known": StablehloGetDimensionSize => dynamic::dimension_size;
    "iota-unit": StablehloIota => dynamic::iota_unit;
};

fn run(module: &mut Module, context: &PassContext) -> Result<Changed, Diagnostics> {
    let mut by_opcode: HashMap<Opcode, Vec<&Rule>> = HashMap::new();
    for rule in RULES {
        by_opcode.entry(rule.opcode).or_default().push(rule);
    }
    let mut replaced: HashMap<ValueId, ValueId> = HashMap::new();
    let mut fired: HashMap<&'static str, u64> = HashMap::new();
    for op in module.walk(module.root()) {
        let mut pending = vec![op];
        while let Some(op) = pending.pop() {
            if module.is_erased(op) {
                continue;
            }
            for operand in &mut module.op_mut(op).operands {
                *operand = resolve(&replaced, *operand);
            }
            let (made_from, _) = module.arena_sizes();
            let rules = by_opcode.get(&module.op(op).opcode).into_iter().flatten();
            let Some((rule, values)) = rules.into_iter().find_map(|rule| Some((rule, apply(rule, module, op)?))) else {
                continue;
            };
            *fired.entry(rule.name).or_default() += 1;
            replace(module, op, &values, &mut replaced);
            // What the rule made is looked at at once: its readers come later.
            let made = values.iter().filter_map(|value| module.defining_op(*value));
            pending.extend(made.filter(|made| made.index() >= made_from));
        }
    }
    for (name, count) in &fired {
        context.count(name, *count);
    }
    Ok(Changed::from(!fired.is_empty()))
}

/// Applies a rule, unless the types it would put in do not fit.
fn apply(rule: &Rule, module: &mut Module, op: OpId) -> Option<Vec<ValueId>> {
    let has_region = !module.op(op).regions.is_empty();
    if !has_region && !is_pure_op(module, op) {
        return None;
    }
    let values = (rule.apply)(module, op)?;
    let fits = |(value, result): (&ValueId, &ValueId)| module.ty(*value) == module.ty(*result);
    let results = &module.op(op).results;
    debug_assert!(results.len() == values.len() && values.iter().zip(results).all(fits), "{} gives another type", rule.name);
    Some(values)
}

/// Lets the values stand for the results of the operation, which goes.
fn replace(module: &mut Module, op: OpId, values: &[ValueId], replaced: &mut HashMap<ValueId, ValueId>) {
    for (result, value) in module.op(op).results.clone().into_iter().zip(values) {
        replaced.insert(result, *value);
        if module.value(*value).name.is_none() {
            module.value_mut(*value).name = module.value(result).name.clone();
        }
    }
    module.erase(op);
}

/// What stands for a value now. What stands for another is itself never replaced before its readers are reached, except
/// where a rule's own result is rewritten at once: hence the loop.
fn resolve(replaced: &HashMap<ValueId, ValueId>, mut value: ValueId) -> ValueId {
    while let Some(next) = replaced.get(&value) {
        value = *next;
    }
    value
}
