//! Positions along the text of a function, and up to which of them a value is needed.

use crate::ir::{BlockId, Definition, Module, OpId, Opcode, ValueId};

/// A number for each operation: where its text begins and where it ends.
///
/// Steps run in the order of the text, but for a loop's, which run again. So a value from outside that a loop reads is
/// needed to the loop's end.
#[derive(Debug)]
pub struct Order {
    enter: Vec<u32>,
    leave: Vec<u32>,
}

/// The beginning or the end of an operation's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visit {
    /// Before its regions.
    Enter(OpId),
    /// After its regions.
    Leave(OpId),
}

/// The steps of a function in order of the text; bodies and stages of launches are not entered.
pub fn visits(module: &Module, function: OpId) -> Vec<Visit> {
    let mut found = Vec::new();
    let mut pending = vec![Visit::Enter(function)];
    while let Some(visit) = pending.pop() {
        found.push(visit);
        let Visit::Enter(op) = visit else { continue };
        pending.push(Visit::Leave(op));
        let operation = module.op(op);
        if matches!(operation.opcode, Opcode::PygNest | Opcode::PygKernel | Opcode::PygFused) {
            continue;
        }
        let blocks = operation.regions.iter().flat_map(|region| module.region(*region).blocks.iter());
        let nested: Vec<OpId> = blocks.flat_map(|block| module.block_ops(*block)).collect();
        pending.extend(nested.into_iter().rev().map(Visit::Enter));
    }
    found
}

impl Order {
    /// The order of a function as it is now.
    pub fn of(module: &Module, function: OpId) -> Order {
        let count = module.arena_sizes().0;
        let mut order = Order { enter: vec![0; count], leave: vec![0; count] };
        for (position, visit) in (0u32..).zip(visits(module, function)) {
            match visit {
                Visit::Enter(op) => order.enter[op.index()] = position,
                Visit::Leave(op) => order.leave[op.index()] = position,
            }
        }
        // A launch reads and writes at one position.
        for op in 0..count {
            if order.leave[op] == order.enter[op] + 1 {
                order.leave[op] = order.enter[op];
            }
        }
        order
    }

    /// Where an operation begins: it reads its operands there.
    pub fn enter(&self, op: OpId) -> u32 {
        self.enter[op.index()]
    }

    /// The same; none for an operation made after the order was taken.
    pub fn known(&self, op: OpId) -> Option<u32> {
        self.enter.get(op.index()).copied()
    }

    /// Where an operation has written its results.
    pub fn leave(&self, op: OpId) -> u32 {
        self.leave[op.index()]
    }

    /// Up to where `user` needs a value that it reads.
    pub fn use_position(&self, module: &Module, user: OpId, value: ValueId) -> u32 {
        let home = definition_block(module, value);
        let mut position = self.enter(user);
        let mut block = module.op(user).parent();
        while block != home {
            let Some(owner) = block.and_then(|block| owner_of(module, block)) else { break };
            if module.op(owner).opcode == Opcode::PygWhile {
                position = self.leave(owner);
            }
            block = module.op(owner).parent();
        }
        position
    }
}

fn definition_block(module: &Module, value: ValueId) -> Option<BlockId> {
    match module.value(value).definition {
        Definition::Result { op, .. } => module.op(op).parent(),
        Definition::Argument { block, .. } => Some(block),
    }
}

fn owner_of(module: &Module, block: BlockId) -> Option<OpId> {
    module.region(module.block(block).parent()?).parent()
}
