//! Copies that attention does not need.
//!
//! Queries, keys and values are often parts of what one product makes, side by side in its rows or one behind the other, and a nest copies each of them. Where such a
//! part is whole heads or batches of a dense tensor, attention reads it where it lies: the operand is the tensor, seen as rows of heads, and `heads` and `batches`
//! say which of them.
//! Only what a launch makes is read so: what a caller gives may lie in other ways. A copy that somebody else reads too stays. A remark says of each that stays why.

use std::sync::Arc;

use super::{
    PassContext,
    epilogue::{only_reader, source_of},
    inline::{Uses, read},
    prologue::{calls, makes_new},
};
use crate::{
    diagnostic::{Decision, DecisionKind},
    emit::launch::walk_of,
    ir::{
        Attribute, BlockId, Module, OpId, Opcode, ValueId,
        types::{TensorType, Type},
    },
    lower::{
        site::{NestParts, Site, tensor_of},
        size::list_of,
    },
    passes::view::{Digit, regroup},
};

/// Queries, keys and values: the attributes that say which dimensions they have.
const DIMS: [&str; 3] = ["q_dims", "k_dims", "v_dims"];
/// Where the first ones of these begin in `heads` and in `batches`.
const FIRST: [(&str, usize); 2] = [("heads", 2), ("batches", 1)];

/// Has attention read heads where they lie. True if anything changed.
pub fn read_in_place(module: &mut Module, blocks: &[BlockId], uses: &Uses, context: &PassContext) -> bool {
    let mut changed = false;
    for block in blocks {
        let attentions: Vec<OpId> = module.block_ops(*block).filter(|op| calls(module, *op, "attention")).collect();
        for attention in attentions {
            for (operand, dims) in DIMS.into_iter().enumerate() {
                let value = module.op(attention).operands[operand];
                let Some(nest) = copy_of(module, value) else { continue };
                let place = match why_it_stays(module, &nest, value, attention, uses) {
                    Some(reason) => Err(reason.to_string()),
                    None => place_of(module, attention, value, &nest, dims),
                };
                match place {
                    Ok(place) => {
                        put(module, attention, operand, &place);
                        context.count("operands read in place", 1);
                        changed = true;
                    }
                    Err(reason) => {
                        let reason = format!("operand {operand} is a copy: {reason}");
                        let decision = Decision { kind: DecisionKind::Refusal, op: "attention".to_string(), reason, remedy: None };
                        context.remark(module.decision(attention, decision));
                    }
                }
            }
        }
    }
    changed
}

/// The nest that makes a value as a copy.
fn copy_of(module: &Module, value: ValueId) -> Option<NestParts> {
    let nest = module.defining_op(source_of(module, value)).filter(|op| module.op(*op).opcode == Opcode::PygNest)?;
    let parts = read(module, nest)?;
    let is_copy = parts.map.instructions.is_empty() && parts.map.outputs == [0] && parts.inputs.len() == 1;
    (is_copy && makes_new(module, &parts)).then_some(parts)
}

/// Why a copy stays whatever it copies.
fn why_it_stays(module: &Module, nest: &NestParts, value: ValueId, reader: OpId, uses: &Uses) -> Option<&'static str> {
    let from = module.defining_op(source_of(module, nest.inputs[0].0)).map(|op| module.op(op).opcode);
    if !matches!(from, Some(Opcode::PygNest | Opcode::PygKernel | Opcode::PygFused)) {
        return Some("what it copies is made by no launch, and may lie anywhere");
    }
    let is_alone = only_reader(module, source_of(module, value), uses) == Some(reader);
    (!is_alone).then_some("something else reads it too")
}

/// Heads and batches of a tensor.
struct Place {
    tensor: ValueId,
    /// Batches, tokens, heads and features of all of it.
    shape: [u64; 4],
    first_head: u64,
    first_batch: u64,
}

/// Where an operand of attention lies in what its copy reads.
fn place_of(module: &Module, attention: OpId, value: ValueId, nest: &NestParts, dims: &str) -> Result<Place, String> {
    let (tensor, map) = &nest.inputs[0];
    let unsteady = || "what it reads is not walked in even steps".to_string();
    let (offset, strides) = walk_of(module, *tensor, map, nest.extents.len()).ok_or_else(unsteady)?;
    let digit = |(extent, stride): (&u64, &i64)| {
        Some(Digit { extent: *extent, stride: if *extent == 1 { 0 } else { u64::try_from(*stride).ok()? } })
    };
    let digits: Option<Vec<Digit>> = nest.extents.iter().zip(&strides).map(digit).collect();
    let digits = digits.ok_or_else(unsteady)?.into_iter().filter(|digit| digit.extent > 1).collect();
    let shape = tensor_of(module.ty(value)).ok_or_else(unsteady)?.shape;
    let steps = regroup(digits, &shape).ok_or_else(unsteady)?;
    let order = list_of(module, attention, dims);
    if order.len() != 4 {
        return Err("it is one of several layers".to_string());
    }
    let role = |role: usize| -> Result<(u64, u64), String> {
        match &steps[order[role] as usize][..] {
            [] => Ok((1, 0)),
            [Digit { extent, stride }] => Ok((*extent, *stride)),
            _ => Err(unsteady()),
        }
    };
    let [(batches, batch_stride), (tokens, token_stride), (heads, head_stride), (features, feature_stride)] =
        [role(0)?, role(1)?, role(2)?, role(3)?];
    let offset = u64::try_from(offset).map_err(|_| unsteady())?;
    let all: u64 = tensor_of(module.ty(*tensor)).ok_or_else(unsteady)?.shape.iter().product();
    // Elements from token to token, and from batch to batch.
    let row = match (tokens, batches) {
        (2.., _) => token_stride,
        (_, 2..) => batch_stride,
        _ => heads * features,
    };
    let batch = tokens.saturating_mul(row);
    let is_dense = (features == 1 || feature_stride == 1)
        && (heads == 1 || head_stride == features)
        && (batches == 1 || batch_stride == batch);
    if !is_dense || batch == 0 || !all.is_multiple_of(batch) {
        return Err("its heads are not side by side in rows of a dense tensor".to_string());
    }
    let (first_batch, first) = (offset / batch, offset % batch);
    if !row.is_multiple_of(features) || !first.is_multiple_of(features) || first + heads * features > row {
        return Err(format!(
            "from element {first} of a batch on there are no {heads} whole heads of {features} in a row of {row}"
        ));
    }
    let shape = [all / batch, tokens, row / features, features];
    Ok(Place { tensor: *tensor, shape, first_head: first / features, first_batch })
}

/// Has an operand of attention be all of a tensor, of which a part is read.
fn put(module: &mut Module, attention: OpId, operand: usize, place: &Place) {
    let Type::Tensor(tensor) = module.ty(place.tensor) else { unreachable!("a nest should read tensors") };
    let ty = Type::Tensor(TensorType::new(&place.shape, tensor.element.clone()).into());
    let seen = Site { module, op: attention }.view(place.tensor, ty);
    let operation = module.op_mut(attention);
    operation.operands[operand] = seen;
    let Some(Attribute::Dictionary(attributes)) = operation.attrs.get("attributes") else {
        unreachable!("a kernel should have attributes")
    };
    let mut attributes = (**attributes).clone();
    attributes.set(DIMS[operand], Attribute::i64_array(0..4));
    for ((name, at), first) in FIRST.into_iter().zip([place.first_head, place.first_batch]) {
        let numbers = attributes.get(name).and_then(Attribute::as_i64_slice);
        let mut numbers = numbers.expect("the verifier should have seen what attention reads").to_vec();
        numbers[at + operand] = first as i64;
        attributes.set(name, Attribute::i64_array(numbers));
    }
    operation.attrs.set("attributes", Attribute::Dictionary(Arc::new(attributes)));
}
