//! Nests into the products that read what they make.
//!
//! A nest whose only reader is one matrix product becomes the product's prologue: a weight that is kept in eight bits goes to the
//! product as it is kept, and what is multiplied lies in no memory of the program. A device may compute an element wherever it
//! multiplies with it, so what counts is how often that is: once for each [`ROWS_AT_ONCE`] rows of the other side. With few rows
//! the bytes of the tensor between are saved; with many, the same elements are computed again and again in loops that have no
//! time for it, and the nest stays a launch. A nest that reads what other nests make goes with those, in rows.

use std::collections::{HashMap, HashSet};

use super::{
    PassContext,
    access::is_identity,
    epilogue::{only_reader, source_of},
    inline::{Uses, element_bytes, is_dear, read},
};
use crate::{
    diagnostic::{Decision, DecisionKind},
    ir::{Attribute, BlockId, Module, OpId, Opcode, ValueId, ops::is_pure_op},
    lower::{
        site::{NestParts, tensor_of},
        size::contracted,
    },
};

/// Rows of the other side that a device multiplies an element with when it has it.
const ROWS_AT_ONCE: u64 = 8;
/// Rows of the other side up to which a product waits for memory, and has time to compute elements again.
const ROWS_MAX: u64 = 16;

/// Products, in order of the text, and the nests that become their prologues. `taken` are nests that go elsewhere.
pub fn find(
    module: &Module,
    blocks: &[BlockId],
    uses: &Uses,
    taken: &HashSet<OpId>,
    context: &PassContext,
) -> Vec<(OpId, Vec<OpId>)> {
    let mut found = Vec::new();
    for block in blocks {
        // Nests of the block, and how many effects come before each: work does not move past one.
        let (mut nests, mut epoch): (HashMap<OpId, u32>, u32) = (HashMap::new(), 0);
        for op in module.block_ops(*block) {
            let opcode = module.op(op).opcode;
            if opcode == Opcode::PygNest {
                nests.insert(op, epoch);
            } else if calls(module, op, "contract") {
                let is_near = |nest: &OpId| nests.get(nest) == Some(&epoch) && !taken.contains(nest);
                let own = of_product(module, op, uses, &is_near, context);
                if !own.is_empty() {
                    found.push((op, own));
                }
            } else {
                epoch += u32::from(!opcode.def().is_terminator() && !is_pure_op(module, op));
            }
        }
    }
    found
}

/// True if an operation calls the kernel of this name.
pub fn calls(module: &Module, op: OpId, kernel: &str) -> bool {
    module.op(op).opcode == Opcode::PygKernel
        && module.op(op).attr("kernel").and_then(Attribute::as_str) == Some(kernel)
}

fn of_product(
    module: &Module,
    product: OpId,
    uses: &Uses,
    is_near: &dyn Fn(&OpId) -> bool,
    context: &PassContext,
) -> Vec<OpId> {
    let mut own: Vec<OpId> = Vec::new();
    for side in 0..module.op(product).operands.len() {
        let result = source_of(module, module.op(product).operands[side]);
        let Some(nest) = module.defining_op(result).filter(|nest| is_near(nest) && !own.contains(nest)) else {
            continue;
        };
        let Some(parts) = read(module, nest) else { continue };
        let is_alone = only_reader(module, result, uses) == Some(product) && !reads_nests(module, &parts);
        if !is_alone || !makes_new(module, &parts) {
            continue;
        }
        match refusal(module, product, side, result, &parts) {
            None => own.push(nest),
            Some(reason) => {
                let reason = format!("what makes operand {side} is not done in its launch: {reason}");
                let decision =
                    Decision { kind: DecisionKind::Refusal, op: "contract".to_string(), reason, remedy: None };
                context.remark(module.decision(product, decision));
            }
        }
    }
    own
}

/// True if a nest makes one new tensor, element by element.
pub fn makes_new(module: &Module, parts: &NestParts) -> bool {
    let [(init, map)] = &parts.outputs[..] else { return false };
    let is_new = module.defining_op(*init).is_some_and(|op| module.op(op).opcode == Opcode::PygEmpty);
    let is_whole = tensor_of(module.ty(*init)).is_some_and(|tensor| is_identity(map, &parts.extents, &tensor.shape));
    parts.combine.is_none() && is_new && is_whole
}

fn reads_nests(module: &Module, parts: &NestParts) -> bool {
    let mut makers = parts.inputs.iter().filter_map(|(value, _)| module.defining_op(source_of(module, *value)));
    makers.any(|maker| module.op(maker).opcode == Opcode::PygNest)
}

/// Why a nest that could be a prologue is none.
fn refusal(module: &Module, product: OpId, side: usize, result: ValueId, parts: &NestParts) -> Option<String> {
    let rows = rows_of_the_other(module, product, side)?;
    let times = rows.div_ceil(ROWS_AT_ONCE);
    let read: u64 = parts.inputs.iter().map(|(value, _)| element_bytes(module, *value)).sum();
    // Against the same bytes once, and the result stored and read.
    let costs_more = read.saturating_mul(times - 1) > element_bytes(module, result).saturating_mul(times + 1);
    let is_dear_again = times > 1 && parts.map.instructions.iter().any(is_dear);
    (rows > ROWS_MAX || costs_more || is_dear_again)
        .then(|| format!("with {rows} rows on the other side, its elements would be computed {times} times"))
}

/// How many rows the side that an operand is not has, for each batch; none if there is nothing to multiply.
fn rows_of_the_other(module: &Module, product: OpId, side: usize) -> Option<u64> {
    let operation = module.op(product);
    let tensor = |value: ValueId| tensor_of(module.ty(value));
    let count = |value| Some(tensor(value)?.shape.iter().fold(1u64, |count, extent| count.saturating_mul(*extent)));
    let terms = contracted(module, product, &tensor(operation.operands[0])?);
    let all = count(operation.results[0])?.saturating_mul(terms);
    all.checked_div(count(operation.operands[side])?).filter(|rows| *rows > 0)
}
