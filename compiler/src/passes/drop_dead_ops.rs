//! Removes operations whose results nobody reads, in regions too, and values that a loop carries for nobody.
//!
//! Before: `%0 = stablehlo.negate %x`, `return %x`.   After: `return %x`.
//! Before: `%0:2 = stablehlo.while(%i = %a, %j = %b) …` where `%j` only makes the next `%j` and `%0#1` is not read.
//! After: `%0 = stablehlo.while(%i = %a) …`. Results of `if` and `case` go in the same way.
//! Leaves alone: anything with a side effect, with what it needs; arguments of functions.
//! Relies on: nothing beyond the verifier.   Guarantees: one call reaches a fixed point, in linear time: it marks what is
//! needed from the effects backwards, and sweeps the rest.

use super::{Changed, PassContext, PassDef, Phase};
use crate::{
    diagnostic::Diagnostics,
    ir::{
        BlockId, Definition, Module, OpId, Opcode, ValueId,
        ops::{Effect, is_pure_op},
    },
};

/// The pass.
pub static PASS: PassDef = PassDef {
    name: "drop-dead-ops",
    summary: "Remove pure operations whose results have no use",
    phase: Phase::Tensor,
    run,
};

fn run(module: &mut Module, context: &PassContext) -> Result<Changed, Diagnostics> {
    let ops = module.walk(module.root());
    let live = mark(module, &ops);
    let (mut dropped, mut narrowed) = (0, 0);
    for op in ops {
        if module.is_erased(op) {
            continue;
        }
        if !live.op(module, op) {
            module.erase(op);
            dropped += 1;
        } else if let Some(kind) = Carrying::of(module.op(op).opcode)
            && module.op(op).results.iter().any(|value| !live.values[value.index()])
        {
            narrow(module, op, kind, &live);
            narrowed += 1;
        }
    }
    context.count("operations dropped", dropped);
    context.count("loops and branches narrowed", narrowed);
    Ok(Changed::from(dropped + narrowed > 0))
}

/// Operations whose results are needed one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carrying {
    /// Operand, result, arguments and yielded value of one position go together.
    Loop,
    /// Result and yielded values of one position go together.
    Branch,
}

impl Carrying {
    fn of(opcode: Opcode) -> Option<Carrying> {
        match opcode {
            Opcode::StablehloWhile => Some(Carrying::Loop),
            Opcode::StablehloIf | Opcode::StablehloCase => Some(Carrying::Branch),
            _ => None,
        }
    }
}

/// What is needed.
struct Live {
    ops: Vec<bool>,
    values: Vec<bool>,
    pending: Vec<ValueId>,
}

fn mark(module: &Module, ops: &[OpId]) -> Live {
    let (op_count, value_count) = module.arena_sizes();
    let mut live = Live { ops: vec![false; op_count], values: vec![false; value_count], pending: Vec::new() };
    for op in ops {
        if is_root(module, *op) {
            live.need_op(module, *op);
        }
    }
    while let Some(value) = live.pending.pop() {
        match module.value(value).definition {
            Definition::Result { op, index } => {
                live.need_op(module, op);
                live.need_position(module, op, index as usize);
            }
            Definition::Argument { block, index } => {
                if let Some(op) = block_parent(module, block) {
                    live.need_position(module, op, index as usize);
                }
            }
        }
    }
    live
}

/// True for operations that are needed for what they do. What is done in their regions counts for itself.
fn is_root(module: &Module, op: OpId) -> bool {
    let def = module.op(op).opcode.def();
    !def.is_terminator() && def.effect != Effect::Regions && !is_pure_op(module, op)
}

fn block_parent(module: &Module, block: BlockId) -> Option<OpId> {
    module.region(module.block(block).parent()?).parent()
}

impl Live {
    /// Terminators go with the operation around them.
    fn op(&self, module: &Module, op: OpId) -> bool {
        self.ops[op.index()] || module.op(op).opcode.def().is_terminator()
    }

    fn need_value(&mut self, value: ValueId) {
        if !std::mem::replace(&mut self.values[value.index()], true) {
            self.pending.push(value);
        }
    }

    /// Marks the operation and those around it, with the values they need whichever of their results are read.
    fn need_op(&mut self, module: &Module, op: OpId) {
        let mut next = Some(op);
        while let Some(op) = next {
            if std::mem::replace(&mut self.ops[op.index()], true) {
                return;
            }
            let operation = module.op(op);
            match Carrying::of(operation.opcode) {
                Some(Carrying::Loop) => yielded(module, op, 0).iter().for_each(|value| self.need_value(*value)),
                Some(Carrying::Branch) => operation.operands.iter().for_each(|value| self.need_value(*value)),
                None => {
                    operation.operands.iter().for_each(|value| self.need_value(*value));
                    for region in 0..operation.regions.len() {
                        yielded(module, op, region).iter().for_each(|value| self.need_value(*value));
                    }
                }
            }
            next = module.parent_op(op);
        }
    }

    /// Marks what one position of a loop or branch needs.
    fn need_position(&mut self, module: &Module, op: OpId, index: usize) {
        let operation = module.op(op);
        match Carrying::of(operation.opcode) {
            Some(Carrying::Loop) => {
                self.need_value(operation.results[index]);
                self.need_value(operation.operands[index]);
                self.need_value(yielded(module, op, 1)[index]);
            }
            Some(Carrying::Branch) => {
                for region in 0..operation.regions.len() {
                    self.need_value(yielded(module, op, region)[index]);
                }
            }
            None => {}
        }
    }
}

/// The operands of the terminator of a region; nothing where there is no terminator.
fn yielded(module: &Module, op: OpId, region: usize) -> &[ValueId] {
    let last = module.region_block(op, region).and_then(|block| module.block(block).last());
    match last {
        Some(last) if module.op(last).opcode.def().is_terminator() => &module.op(last).operands,
        _ => &[],
    }
}

/// Takes the positions that nobody needs out of a loop or branch.
fn narrow(module: &mut Module, op: OpId, kind: Carrying, live: &Live) {
    let needed: Vec<bool> = module.op(op).results.iter().map(|value| live.values[value.index()]).collect();
    let keep = |at: usize| needed[at];
    module.retain_results(op, keep);
    for region in 0..module.op(op).regions.len() {
        let block = module.region_block(op, region).expect("the verifier should reject a branch or loop without a body");
        if kind == Carrying::Loop {
            module.retain_arguments(block, keep);
        }
        // The condition of a loop yields its predicate.
        if kind == Carrying::Branch || region == 1 {
            let last = module.block(block).last().expect("the verifier should reject a block without a terminator");
            retain_operands(module, last, keep);
        }
    }
    if kind == Carrying::Loop {
        retain_operands(module, op, keep);
    }
}

fn retain_operands(module: &mut Module, op: OpId, keep: impl Fn(usize) -> bool) {
    let mut at = 0..;
    module.op_mut(op).operands.retain(|_| at.next().is_some_and(&keep));
}
