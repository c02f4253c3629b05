//! Fuses loop nests, so that fewer launches move fewer bytes.
//!
//! Before: `%1 = pyg.nest(%x, …) { scalar.exp }`, `%2 = pyg.nest(%1, %y, …) { scalar.add }` and nobody else reads `%1`.
//! After: `%2 = pyg.nest(%x, %y, …) { scalar.exp; scalar.add }`.
//! Before: a nest that reads `pyg.view %1`.   After: it reads `%1` itself, where an affine map can say which element.
//! A nest that folds takes what makes its elements into its body in the same way; only its order of folding must not change.
//! Before: a product, and nests that add a bias to it, apply an activation, round it.
//! After: one `pyg.fused` with the product as its first stage, and one nest behind it: the product's result is not stored.
//! Before: a nest that widens and scales a weight, and a product of few rows that alone reads it.
//! After: one `pyg.fused` with the nest before the product: what is multiplied is not stored.
//! Before: nests that copy queries, keys and values out of one tensor, for attention.   After: attention reads the tensor, and `heads` says which of its heads are which.
//! Before: nests that find the maximum of each row, subtract it, take `exp`, and sum it up.
//! After: one `pyg.fused {rows = …}` with these nests as stages, which a device may run row by row.
//! Leaves alone: other kernels, and what they read; what products of many rows read; nests that fold, as producers; nests that write only a part of a tensor, as
//! producers; values that a loop or a choice reads from outside; rows with more work than one thread should do; functions
//! whose memory is planned.
//! Relies on: launches ([`super::lower_to_launches`]).
//! Guarantees: the same bits. Every scalar operation keeps its type, so a bf16 value between two nests is still rounded. A
//! nest moves only into nests of its own block that read it, so no order of launches is turned round. Linear time.
//!
//! A producer goes into all its readers or into none. What that saves is a launch and the bytes of the tensor between; what it
//! costs is the work that is done again where readers ask for an element more than once. Operations dearer than a few
//! additions (`exp`, `div`, …) are never done again, but for roots behind products (of the variances of a batch normalization). A nest behind a product that would move into several readers stays there if
//! that moves fewer bytes. What is left stays in nests of its own, and those of them that read each
//! other's results, each only in its own row, become stages of one launch.

mod access;
mod epilogue;
mod heads;
mod inline;
mod name;
mod prologue;
mod rows;

use super::{Changed, PassContext, PassDef, Phase, drop_dead_ops, plan_memory::ARENA_BYTES};
use crate::{
    diagnostic::Diagnostics,
    ir::{Attribute, BlockId, Module, OpId, Opcode},
    lower::launches,
};

/// See the module.
pub static PASS: PassDef =
    PassDef { name: "fuse-launches", summary: "Fuse loop nests into fewer launches", phase: Phase::Kernel, run };

fn run(module: &mut Module, context: &PassContext) -> Result<Changed, Diagnostics> {
    let is_planned = |function: &OpId| module.op(*function).attr(ARENA_BYTES).is_some();
    let functions: Vec<OpId> = module.functions().filter(|function| !is_planned(function)).collect();
    let before: Vec<usize> = functions.iter().map(|function| launches(module, *function).len()).collect();
    // What nobody reads would be a reader, or a launch without results.
    let mut changed = (drop_dead_ops::PASS.run)(module, &PassContext::default())? == Changed::Yes;
    // Fusion moves operations, but makes and takes away no block that holds steps.
    let blocks: Vec<Vec<BlockId>> = functions.iter().map(|function| step_blocks(module, *function)).collect();
    let uses = module.uses();
    for blocks in &blocks {
        changed |= inline::inline(module, blocks, &uses, context);
    }
    if changed {
        (drop_dead_ops::PASS.run)(module, &PassContext::default())?;
    }
    let uses = module.uses();
    let mut in_place = false;
    for blocks in &blocks {
        in_place |= heads::read_in_place(module, blocks, &uses, context);
    }
    let uses = if in_place {
        (drop_dead_ops::PASS.run)(module, &PassContext::default())?;
        module.uses()
    } else {
        uses
    };
    let mut attached = false;
    for blocks in &blocks {
        attached |= epilogue::attach(module, blocks, &uses, context);
    }
    let uses = if attached { module.uses() } else { uses };
    let mut grouped = false;
    for blocks in &blocks {
        grouped |= rows::group(module, blocks, &uses, context);
    }
    changed |= in_place || attached || grouped;
    for (function, before) in functions.into_iter().zip(before) {
        let after = launches(module, function).len();
        if after < before {
            let name = module.op(function).attr("sym_name").and_then(Attribute::as_str).unwrap_or_default();
            context.remark(module.remark(function, format!("`@{name}` has {after} launches, {before} before fusion")));
        }
    }
    Ok(changed.into())
}

/// The blocks of a function that hold steps, those of loops and choices too.
fn step_blocks(module: &Module, function: OpId) -> Vec<BlockId> {
    let mut found: Vec<BlockId> = module.region_block(function, 0).into_iter().collect();
    let mut next = 0;
    while let Some(block) = found.get(next).copied() {
        for op in module.block_ops(block) {
            if matches!(module.op(op).opcode, Opcode::PygWhile | Opcode::PygSwitch | Opcode::PygSegment) {
                found.extend(module.op(op).regions.iter().flat_map(|region| module.region(*region).blocks.iter()));
            }
        }
        next += 1;
    }
    found
}
