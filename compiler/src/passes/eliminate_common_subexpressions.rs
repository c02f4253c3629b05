//! Keeps one of several operations that compute the same.
//!
//! Before: `%0 = stablehlo.add %x, %y`, `%1 = stablehlo.add %y, %x`, both read.   After: `%0` alone, read twice.
//! Leaves alone: whatever has an effect or draws random numbers; operations whose attributes differ, marks for placement
//! included; loops. Operations with small regions (`reduce`, `sort`) count as equal when their regions are.
//! Relies on: nothing beyond the verifier.   Guarantees: one call reaches a fixed point in linear time: operations are
//! hashed in textual order, and what a region defines is forgotten where it ends, so the one that is kept dominates.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use super::{Changed, PassContext, PassDef, Phase};
use crate::{
    diagnostic::Diagnostics,
    ir::{BlockId, Module, OpId, Opcode, ValueId, ops::is_pure_op},
};

/// The pass.
pub static PASS: PassDef = PassDef {
    name: "eliminate-common-subexpressions",
    summary: "Keep one of several operations that compute the same",
    phase: Phase::Tensor,
    run,
};

fn run(module: &mut Module, context: &PassContext) -> Result<Changed, Diagnostics> {
    let mut scopes = Scopes { seen: HashMap::new(), log: Vec::new(), replaced: HashMap::new(), merged: 0 };
    let body = module.body();
    scopes.block(module, body);
    context.count("operations merged", scopes.merged);
    Ok(Changed::from(scopes.merged > 0))
}

/// Operations that can be reused at the place reached.
struct Scopes {
    /// By hash.
    seen: HashMap<u64, Vec<OpId>>,
    /// Hashes in the order they were added, to forget them.
    log: Vec<u64>,
    replaced: HashMap<ValueId, ValueId>,
    merged: u64,
}

impl Scopes {
    /// Regions nest only as deep as the parser lets them.
    fn block(&mut self, module: &mut Module, block: BlockId) {
        let start = self.log.len();
        for op in module.block_op_ids(block) {
            self.op(module, op);
        }
        for hash in self.log.drain(start..) {
            if let Some(ops) = self.seen.get_mut(&hash) {
                ops.pop();
            }
        }
    }

    fn op(&mut self, module: &mut Module, op: OpId) {
        for operand in &mut module.op_mut(op).operands {
            *operand = self.replaced.get(operand).copied().unwrap_or(*operand);
        }
        let blocks: Vec<BlockId> =
            module.op(op).regions.iter().flat_map(|region| module.region(*region).blocks.iter().copied()).collect();
        if captures_freely(module.op(op).opcode) {
            blocks.into_iter().for_each(|block| self.block(module, block));
        } else {
            // The body of a launch can't read values from outside: it starts with nothing seen.
            let outer = (std::mem::take(&mut self.seen), std::mem::take(&mut self.log));
            blocks.into_iter().for_each(|block| self.block(module, block));
            (self.seen, self.log) = outer;
        }
        if is_candidate(module, op) {
            self.merge_or_remember(module, op);
        }
    }

    fn merge_or_remember(&mut self, module: &mut Module, op: OpId) {
        let mut hasher = DefaultHasher::new();
        hash_op(module, op, &mut Locals::default(), &mut hasher);
        let hash = hasher.finish();
        let seen = self.seen.entry(hash).or_default();
        let equal = seen.iter().copied().find(|other| same_op(module, *other, op, &mut HashMap::new()));
        match equal {
            Some(kept) => {
                let (old, new) = (module.op(op).results.clone(), module.op(kept).results.clone());
                self.replaced.extend(old.into_iter().zip(new));
                module.erase(op);
                self.merged += 1;
            }
            None => {
                seen.push(op);
                self.log.push(hash);
            }
        }
    }
}

/// True for operations whose regions may read any value from outside.
fn captures_freely(opcode: Opcode) -> bool {
    matches!(opcode, Opcode::BuiltinModule | Opcode::StablehloWhile | Opcode::StablehloIf | Opcode::StablehloCase)
}

/// Larger regions are not compared: they are loops and branches, and those are rarely equal.
const REGION_OPS_MAX: usize = 32;

fn is_candidate(module: &Module, op: OpId) -> bool {
    let operation = module.op(op);
    if operation.results.is_empty() || matches!(operation.opcode, Opcode::StablehloWhile | Opcode::PygEmpty) {
        return false;
    }
    let small = operation.regions.is_empty() || module.walk(op).len() <= REGION_OPS_MAX;
    small && is_pure_op(module, op)
}

/// Values defined inside the operation that is hashed, numbered in order.
#[derive(Default)]
struct Locals(HashMap<ValueId, u32>);

impl Locals {
    fn define(&mut self, value: ValueId) {
        let number = self.0.len() as u32;
        self.0.insert(value, number);
    }
}

fn hash_op(module: &Module, op: OpId, locals: &mut Locals, hasher: &mut DefaultHasher) {
    let operation = module.op(op);
    operation.opcode.hash(hasher);
    operation.attrs.hash(hasher);
    let mut operands: Vec<(bool, usize)> = operation
        .operands
        .iter()
        .map(|value| match locals.0.get(value) {
            Some(number) => (true, *number as usize),
            None => (false, value.index()),
        })
        .collect();
    if operation.opcode.def().is_commutative() {
        operands.sort_unstable();
    }
    operands.hash(hasher);
    for region in &operation.regions {
        for block in &module.region(*region).blocks {
            module.block(*block).arguments.iter().for_each(|argument| locals.define(*argument));
            for nested in module.block_ops(*block) {
                hash_op(module, nested, locals, hasher);
                module.op(nested).results.iter().for_each(|result| locals.define(*result));
            }
        }
    }
}

/// True if both compute the same; `matched` maps values inside the second to those inside the first.
fn same_op(module: &Module, first: OpId, second: OpId, matched: &mut HashMap<ValueId, ValueId>) -> bool {
    let (a, b) = (module.op(first), module.op(second));
    let types_agree = || a.results.iter().zip(&b.results).all(|(a, b)| module.ty(*a) == module.ty(*b));
    if a.opcode != b.opcode
        || a.attrs != b.attrs
        || a.results.len() != b.results.len()
        || a.operands.len() != b.operands.len()
        || a.regions.len() != b.regions.len()
        || !types_agree()
    {
        return false;
    }
    let image = |value: &ValueId| matched.get(value).copied().unwrap_or(*value);
    let in_order = a.operands.iter().zip(&b.operands).all(|(a, b)| *a == image(b));
    let swapped = || {
        let is_pair = a.opcode.def().is_commutative() && a.operands.len() == 2;
        is_pair && a.operands[0] == image(&b.operands[1]) && a.operands[1] == image(&b.operands[0])
    };
    if !in_order && !swapped() {
        return false;
    }
    let blocks = |op: OpId| -> Vec<BlockId> {
        module.op(op).regions.iter().flat_map(|region| module.region(*region).blocks.iter().copied()).collect()
    };
    let (blocks_a, blocks_b) = (blocks(first), blocks(second));
    blocks_a.len() == blocks_b.len()
        && blocks_a.into_iter().zip(blocks_b).all(|(a, b)| same_block(module, a, b, matched))
}

fn same_block(module: &Module, first: BlockId, second: BlockId, matched: &mut HashMap<ValueId, ValueId>) -> bool {
    let (a, b) = (&module.block(first).arguments, &module.block(second).arguments);
    if a.len() != b.len() || a.iter().zip(b).any(|(a, b)| module.ty(*a) != module.ty(*b)) {
        return false;
    }
    matched.extend(b.iter().copied().zip(a.iter().copied()));
    let mut others = module.block_ops(second);
    for op in module.block_ops(first) {
        let Some(other) = others.next() else { return false };
        if !same_op(module, op, other, matched) {
            return false;
        }
        let results = module.op(other).results.iter().copied().zip(module.op(op).results.iter().copied());
        matched.extend(results);
    }
    others.next().is_none()
}
