//! Decides which arenas hold their caches, and which caches stay ordinary state.
//!
//! Before: `pyg.kv = {arena = @kv, …}` on arguments, as `find-caches` found them.   After: the same on those whose every launch can work
//! on rows that lie apart; the arenas of others are gone, with what maps them, and a remark says which launch it was.
//! A cache lies in an arena if it is updated where it lies, and is only touched by kernels that take strides.
//! Leaves alone: the bound of attention, which holds wherever the cache lies.
//! Relies on: `plan-memory`, which says what is updated in place.
//! Guarantees: every launch that touches a cache with `pyg.kv` reads or writes rows of it alone, so that rows which are not mapped are
//! not touched.

use std::collections::{BTreeMap, HashSet};

use pygraph_kernels::manifest;

use super::{
    Changed, PassContext, PassDef, Phase,
    signature::{bindings, dictionaries, set_dictionaries},
};
use crate::{
    diagnostic::{Decision, DecisionKind, Diagnostics},
    ir::{AttrMap, Attribute, Module, OpId, Opcode, ValueId},
    lower::place::{Place, places_of},
};

/// See the module.
pub static PASS: PassDef = PassDef {
    name: "place-caches",
    summary: "Decide which caches lie in arenas that grow, and which stay ordinary state",
    phase: Phase::Plan,
    run,
};

fn run(module: &mut Module, context: &PassContext) -> Result<Changed, Diagnostics> {
    let functions: Vec<OpId> = module.functions().collect();
    // Several functions may share an arena: it is for all of them, or for none.
    let mut refused: BTreeMap<String, (OpId, String)> = BTreeMap::new();
    for function in &functions {
        refuse(module, *function, &mut refused);
    }
    for (arena, (op, why)) in &refused {
        let decision = Decision {
            kind: DecisionKind::Refusal,
            op: format!("cache arena @{arena}"),
            reason: format!("its caches stay ordinary state, mapped in full: {why}"),
            remedy: Some("update caches at a position, and read them in attention only".to_string()),
        };
        context.remark(module.decision(*op, decision));
    }
    if !refused.is_empty() {
        functions.into_iter().for_each(|function| remove(module, function, &refused));
        for arena in refused.keys() {
            if let Some(op) = module.symbol(arena) {
                module.erase(op);
            }
        }
    }
    Ok((!refused.is_empty()).into())
}

/// The arena that an argument's attributes name.
pub fn arena_of(attrs: &AttrMap) -> Option<String> {
    let Some(Attribute::Dictionary(cache)) = attrs.get("pyg.kv") else { return None };
    let Some(Attribute::Symbol(path)) = cache.get("arena") else { return None };
    path.last().map(|name| name.to_string())
}

/// Finds the arenas that cannot hold all their caches.
fn refuse(module: &Module, function: OpId, refused: &mut BTreeMap<String, (OpId, String)>) {
    let Some(block) = module.region_block(function, 0) else { return };
    let arguments = &module.block(block).arguments;
    let attrs = dictionaries(module, function, "arg_attrs", arguments.len());
    for (index, (value, attrs)) in arguments.iter().zip(&attrs).enumerate() {
        let Some(arena) = arena_of(attrs) else { continue };
        if let Err(why) = check(module, function, index, *value) {
            refused.entry(arena).or_insert(why);
        }
    }
}

/// Takes arenas out of a function.
fn remove(module: &mut Module, function: OpId, refused: &BTreeMap<String, (OpId, String)>) {
    let count = module.region_block(function, 0).map_or(0, |block| module.block(block).arguments.len());
    let mut attrs = dictionaries(module, function, "arg_attrs", count);
    for attrs in attrs.iter_mut().filter(|attrs| arena_of(attrs).is_some_and(|arena| refused.contains_key(&arena))) {
        attrs.remove("pyg.kv");
    }
    set_dictionaries(module, function, "arg_attrs", attrs);
    let names_refused = |op: OpId| match module.op(op).attr("arena") {
        Some(Attribute::Symbol(path)) => path.last().is_some_and(|name| refused.contains_key(&**name)),
        _ => false,
    };
    let mapping = |op: &OpId| matches!(module.op(*op).opcode, Opcode::PygKvEnsure | Opcode::PygKvRetire);
    let gone: Vec<OpId> = module.walk(function).into_iter().filter(mapping).filter(|op| names_refused(*op)).collect();
    gone.into_iter().for_each(|op| module.erase(op));
}

/// Follows a cache through everything that touches it; else what does not take rows that lie apart, and why.
fn check(module: &Module, function: OpId, index: usize, argument: ValueId) -> Result<(), (OpId, String)> {
    if bindings(module, function)[index].updated_by.is_none() {
        return Err((function, format!("argument {index} is replaced by no result")));
    }
    let own = Place::Argument(index as u32);
    let mut held: HashSet<ValueId> = HashSet::from([argument]);
    for op in module.walk(function) {
        let operation = module.op(op);
        let places = places_of(module, op).unwrap_or_default();
        let touched: Vec<usize> =
            (0..operation.operands.len()).filter(|at| held.contains(&operation.operands[*at])).collect();
        let refuse = |what: &str| Err((op, format!("argument {index} is {what} by {}", described(module, op))));
        match operation.opcode {
            Opcode::PygSegment | Opcode::PygYield | Opcode::FuncReturn | Opcode::PygReturn => {}
            Opcode::PygWhile => {
                for at in &touched {
                    for region in 0..operation.regions.len() {
                        if let Some(block) = module.region_block(op, region) {
                            held.insert(module.block(block).arguments[*at]);
                        }
                    }
                    held.insert(operation.results[*at]);
                }
            }
            Opcode::PygKernel => {
                let kernel = operation.attr("kernel").and_then(Attribute::as_str).and_then(manifest::find);
                let strided = kernel.map_or(&[][..], |kernel| kernel.strided);
                if touched.iter().any(|at| !strided.contains(at)) {
                    return refuse("read as a dense array");
                }
                for (result, place) in operation.results.iter().zip(&places) {
                    let is_update = touched.contains(&0);
                    match (*place == own, is_update) {
                        (true, true) => drop(held.insert(*result)),
                        (true, false) => return refuse("written whole"),
                        (false, true) => return refuse("copied when it is updated"),
                        (false, false) => {}
                    }
                }
            }
            _ if !touched.is_empty() => return refuse("read as a dense array"),
            _ if places.contains(&own) => return refuse("written whole"),
            _ => {}
        }
    }
    Ok(())
}

fn described(module: &Module, op: OpId) -> String {
    let operation = module.op(op);
    let name = ["kernel", "name"].into_iter().find_map(|name| operation.attr(name).and_then(Attribute::as_str));
    let name = name.map(|name| format!(" `{name}`")).unwrap_or_default();
    format!("`{}`{name}", operation.opcode.name())
}
