//! Nests into the products whose results they read.
//!
//! A nest that is the only reader of a product's result, and reads each of its elements once, goes on where the product has
//! summed up an element: the result itself is never stored. While nests move into each other, [`Products`] says which of them
//! may become epilogues, so that no move destroys one that would save more. A nest that reads several products goes to the last.

use std::collections::{HashMap, HashSet};

use pygraph_kernels::manifest;
use smallvec::smallvec;

use super::{
    PassContext,
    access::is_identity,
    inline::{Uses, read},
    name::{Computed, last_operation},
    prologue,
    rows::{Plan, build_all, keep_in_row, row_counts},
};
use crate::{
    diagnostic::{Decision, DecisionKind},
    emit::launch::walk_of,
    ir::{Attribute, BlockId, Module, OpId, Opcode, ValueId, attribute::AffineMap, ops::is_pure_op},
    lower::site::{NestParts, tensor_of},
};

/// A call of a kernel that stages may follow.
#[derive(Debug, Clone, Copy)]
struct Product {
    op: OpId,
    /// Its place in its block.
    position: usize,
    /// How many effects come before it in its block: work does not move past one.
    epoch: u32,
}

/// The results of products, and who alone reads them.
#[derive(Default)]
pub struct Products {
    made: HashMap<ValueId, Product>,
    /// The one nest that reads a result, itself or through views; it stands in the block of the product, with no effect
    /// between them.
    readers: HashMap<ValueId, OpId>,
}

impl Products {
    /// Those of a function's blocks as they are now.
    pub fn of(module: &Module, blocks: &[BlockId], uses: &Uses) -> Products {
        let mut products = Products::default();
        for block in blocks {
            let mut epoch = 0;
            for (position, op) in module.block_ops(*block).enumerate() {
                let operation = module.op(op);
                match operation.opcode {
                    Opcode::PygKernel if takes_stages(module, op) => {
                        let result = operation.results[0];
                        products.made.insert(result, Product { op, position, epoch });
                        products.readers.extend(only_reader(module, result, uses).map(|reader| (result, reader)));
                    }
                    Opcode::PygNest => products.check_readers(module, op, epoch),
                    opcode => epoch += u32::from(!opcode.def().is_terminator() && !is_pure_op(module, op)),
                }
            }
        }
        products.readers.retain(|_, reader| module.op(*reader).opcode == Opcode::PygNest);
        products
    }

    /// A nest behind an effect, or in a loop that its product is not in, is no epilogue.
    fn check_readers(&mut self, module: &Module, nest: OpId, epoch: u32) {
        for operand in &module.op(nest).operands {
            let result = source_of(module, *operand);
            if let Some(product) = self.made.get(&result)
                && (product.epoch != epoch || module.op(product.op).parent() != module.op(nest).parent())
            {
                self.readers.remove(&result);
            }
        }
    }

    /// The results whose epilogue this nest may be.
    pub fn claimed(&self, module: &Module, nest: OpId, parts: &NestParts) -> Vec<ValueId> {
        let mut claimed: Vec<ValueId> = parts.inputs.iter().map(|(value, _)| source_of(module, *value)).collect();
        claimed.retain(|result| self.readers.get(result) == Some(&nest) && fits(module, parts, *result));
        claimed.dedup();
        claimed
    }

    /// Takes note that a nest has moved into others.
    pub fn moved(&mut self, module: &Module, nest: OpId, parts: &NestParts, into: &[OpId]) {
        for (value, _) in &parts.inputs {
            let result = source_of(module, *value);
            if self.readers.get(&result) == Some(&nest) {
                match into {
                    [reader] => self.readers.insert(result, *reader),
                    _ => self.readers.remove(&result),
                };
            }
        }
    }
}

fn takes_stages(module: &Module, op: OpId) -> bool {
    let kernel = module.op(op).attr("kernel").and_then(Attribute::as_str).and_then(manifest::find);
    kernel.is_some_and(|kernel| kernel.takes_stages) && module.op(op).results.len() == 1
}

/// The one operation that reads a value, itself or through views of it.
pub fn only_reader(module: &Module, value: ValueId, uses: &Uses) -> Option<OpId> {
    let mut value = value;
    loop {
        let (reader, others) = uses[value.index()].split_first()?;
        if others.iter().any(|other| other != reader) {
            return None;
        }
        if module.op(*reader).opcode != Opcode::PygView {
            return Some(*reader);
        }
        value = module.op(*reader).results[0];
    }
}

/// The value that this one shows in another shape, element by element.
pub fn source_of(module: &Module, value: ValueId) -> ValueId {
    let mut value = value;
    while let Some(op) = module.defining_op(value)
        && module.op(op).opcode == Opcode::PygView
    {
        let source = module.op(op).operands[0];
        let [from, to] = [source, value].map(|value| tensor_of(module.ty(value)).map(|tensor| tensor.dtype));
        if from != to {
            break;
        }
        value = source;
    }
    value
}

/// True if a nest makes new tensors element by element, from one element each of a product's result.
pub fn fits(module: &Module, parts: &NestParts, result: ValueId) -> bool {
    let makes_new = |(init, map): &(ValueId, AffineMap)| {
        let is_new = module.defining_op(*init).is_some_and(|op| module.op(op).opcode == Opcode::PygEmpty);
        is_new && tensor_of(module.ty(*init)).is_some_and(|tensor| is_identity(map, &parts.extents, &tensor.shape))
    };
    let mut reads = parts.inputs.iter().filter(|(value, _)| source_of(module, *value) == result);
    let Some(read) = reads.next() else { return false };
    parts.combine.is_none()
        && parts.outputs.iter().all(makes_new)
        && reads.all(|other| other == read)
        && reads_each_once(module, parts, read)
}

/// True if the points of a nest and the elements that it reads stand for each other: strides that fill the tensor, in any order.
fn reads_each_once(module: &Module, parts: &NestParts, (value, map): &(ValueId, AffineMap)) -> bool {
    let Some((0, strides)) = walk_of(module, *value, map, parts.extents.len()) else { return false };
    let mut steps: Vec<(i64, u64)> = strides.into_iter().zip(parts.extents.iter().copied()).collect();
    steps.retain(|(_, extent)| *extent > 1);
    steps.sort_unstable();
    let mut filled = 1u64;
    for (stride, extent) in steps {
        if u64::try_from(stride) != Ok(filled) {
            return false;
        }
        filled = filled.saturating_mul(extent);
    }
    tensor_of(module.ty(*value)).is_some_and(|tensor| tensor.shape.iter().product::<u64>() == filled)
}

/// Makes launches of products and their epilogues. True if anything changed.
pub fn attach(module: &mut Module, blocks: &[BlockId], uses: &Uses, context: &PassContext) -> bool {
    let products = Products::of(module, blocks, uses);
    let mut plans: Vec<Plan> = Vec::new();
    let mut open = products.made.clone();
    let claimants: HashSet<OpId> = products.readers.values().copied().collect();
    for block in blocks {
        for nest in module.block_ops(*block).filter(|op| claimants.contains(op)) {
            let Some(parts) = read(module, nest) else { continue };
            let claimed = products.claimed(module, nest, &parts);
            let last = claimed.into_iter().max_by_key(|result| products.made[result].position);
            if let Some((result, product)) = last.and_then(|result| Some((result, open.remove(&result)?))) {
                plans.push(plan(module, product.op, nest, &parts, result));
            }
        }
    }
    let taken: HashSet<OpId> = plans.iter().filter_map(|plan| plan.members.last().copied()).collect();
    context.count("epilogues", plans.len() as u64);
    let prologues = prologue::find(module, blocks, uses, &taken, context);
    context.count("prologues", prologues.len() as u64);
    put_before(module, prologues, &mut plans);
    let mut left: Vec<(ValueId, Product)> = open.into_iter().collect();
    left.sort_unstable_by_key(|(result, _)| *result);
    for (result, product) in left {
        let goes_elsewhere = products.readers.get(&result).is_some_and(|reader| taken.contains(reader));
        explain(module, product.op, result, uses, goes_elsewhere, context);
    }
    build_all(module, &plans, uses);
    !plans.is_empty()
}

fn plan(module: &Module, product: OpId, nest: OpId, parts: &NestParts, result: ValueId) -> Plan {
    let mut rows = row_counts(parts).unwrap_or_else(|| smallvec![1]);
    let own = parts.inputs.iter().filter(|(value, _)| source_of(module, *value) == result);
    for (value, map) in own.chain(&parts.outputs) {
        keep_in_row(module, parts, *value, map, &mut rows);
    }
    let kernel = module.op(product).attr("kernel").and_then(Attribute::as_str).unwrap_or_default();
    let name = format!("{kernel}_{}", last_operation(&[Computed::of(parts)]));
    Plan { rows: rows.last().copied().unwrap_or(1), name, members: vec![product, nest] }
}

/// Puts nests before their products, in the launch that the product is in, or a new one.
fn put_before(module: &Module, prologues: Vec<(OpId, Vec<OpId>)>, plans: &mut Vec<Plan>) {
    let by_product: HashMap<OpId, usize> =
        plans.iter().enumerate().map(|(number, plan)| (plan.members[0], number)).collect();
    for (product, nests) in prologues {
        let parts = nests.iter().filter_map(|nest| read(module, *nest));
        let first = last_operation(&parts.map(|parts| Computed::of(&parts)).collect::<Vec<_>>());
        if let Some(number) = by_product.get(&product) {
            let plan = &mut plans[*number];
            plan.name = format!("{first}_{}", plan.name);
            plan.members.splice(0..0, nests);
        } else {
            let kernel = module.op(product).attr("kernel").and_then(Attribute::as_str).unwrap_or_default();
            let members = [nests, vec![product]].concat();
            plans.push(Plan { rows: 1, name: format!("{first}_{kernel}"), members });
        }
    }
}

/// Says why what reads a product's result is no epilogue of it, if it is a nest at all.
fn explain(module: &Module, product: OpId, result: ValueId, uses: &Uses, goes_elsewhere: bool, context: &PassContext) {
    let (mut pending, mut readers) = (vec![result], Vec::new());
    while let Some(value) = pending.pop() {
        for user in &uses[value.index()] {
            match module.op(*user).opcode {
                Opcode::PygView => pending.push(module.op(*user).results[0]),
                _ if readers.contains(user) => {}
                _ => readers.push(*user),
            }
        }
    }
    if !readers.iter().any(|reader| module.op(*reader).opcode == Opcode::PygNest) {
        return;
    }
    let reason = match readers[..] {
        [reader] if read(module, reader).is_some_and(|parts| parts.combine.is_some()) => {
            "what reads its result folds it".to_string()
        }
        [_] if goes_elsewhere => "what reads its result is done in the launch of a later one".to_string(),
        [_] => "what reads its result does not read each element once".to_string(),
        _ => format!("{} operations read its result", readers.len()),
    };
    let kernel = module.op(product).attr("kernel").and_then(Attribute::as_str).unwrap_or_default();
    let reason = format!("no work behind it is done in its launch: {reason}");
    let decision = Decision { kind: DecisionKind::Refusal, op: kernel.to_string(), reason, remedy: None };
    context.remark(module.decision(product, decision));
}
