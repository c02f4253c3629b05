//! State of several layers in one tensor, of which a loop over layers reads and writes one an iteration.
//!
//! Before: iteration `i` slices layer `i` of the argument, and writes layer `i` of a tensor that it carries and that begins as
//! zeros; the state is replaced by what is carried in the end.
//! After: what is carried begins as the argument, and layer `i` is sliced from it. The zeros are gone, and the argument is
//! read by nobody else, so that it can be written in place.
//! Before: rows are written at a position into layer `i`, which is written back.   After: rows are written at layer `i` and that
//! position, and what read the new layer slices it from the new state.   Last, attention takes the state and `i`.
//! Why it is the same: the loop counts 0, 1, … up to the number of layers, so every layer is written once and nothing of the
//! beginning is left. Layer `i` is written in iteration `i` alone, so that until then it is the argument's. An update moves its start
//! inside in each dimension by itself, and `i` is inside.

use std::collections::HashMap;

use pygraph_artifact::dtype::Family;
use smallvec::SmallVec;

use super::Obstacle;
use crate::{
    ir::{
        Attribute, BlockId, Definition, ElementType, Module, OpId, Opcode, ValueId, enums::ComparisonDirection,
        ops::effects::is_pure_op,
    },
    passes::{
        build::{constant_of, defined_by, direction_of, integers_attr, static_tensor},
        emit::{Emit, Number, Refusal, tensor_type},
        positions::{Lookup, Position},
    },
};

/// State of which a loop replaces a layer an iteration.
#[derive(Debug)]
pub struct Stacked {
    /// The loop.
    pub carrier: OpId,
    /// How many layers there are.
    pub layers: u64,
    /// Which of the values that it carries is the new state.
    slot: usize,
    /// That value in its body.
    carried: ValueId,
    /// The number of the iteration.
    pub counter: ValueId,
    /// What writes a layer of the new state.
    write: OpId,
    /// What slices layers of the old state.
    readers: Vec<OpId>,
}

/// The loop that replaces state layer by layer; none where it is replaced otherwise, or why it is not proved.
pub fn find(
    module: &Module,
    uses: &[SmallVec<[OpId; 2]>],
    old: ValueId,
    new: ValueId,
) -> Option<Result<Stacked, (OpId, Obstacle)>> {
    let Definition::Result { op: carrier, index } = module.value(new).definition else { return None };
    let slot = index as usize;
    let begins_as = *module.op(carrier).operands.get(slot)?;
    let is_other = module.op(carrier).opcode == Opcode::StablehloWhile && begins_as != old;
    is_other.then(|| prove(module, uses, (old, new), carrier, slot).map_err(|obstacle| (carrier, obstacle)))
}

/// Carries the state itself.
pub fn rewrite(module: &mut Module, old: ValueId, stacked: &Stacked) {
    let mut unread = std::mem::replace(&mut module.op_mut(stacked.carrier).operands[stacked.slot], old);
    // The zeros, and what they are made of.
    while let Some(op) = module.defining_op(unread) {
        if !is_pure_op(module, op) || module.op(op).results.iter().any(|result| !module.uses()[result.index()].is_empty()) {
            break;
        }
        let next = module.op(op).operands.first().copied();
        module.erase(op);
        let Some(next) = next else { break };
        unread = next;
    }
    for reader in &stacked.readers {
        module.op_mut(*reader).operands[0] = stacked.carried;
    }
}

/// Writes rows into the state itself where an iteration writes them into the layer that it has sliced, and that layer back. False where it
/// makes its layer in another way.
pub fn write_rows(module: &mut Module, stacked: &Stacked) -> bool {
    let Some(update) = update_of_layer(module, stacked) else { return false };
    let operands = module.op(update).operands.to_vec();
    let (old, written) = (module.op(update).results[0], module.op(stacked.write).results[0]);
    let (rows, starts) = (operands[1], &operands[2..]);
    let state = module.ty(stacked.carried).clone();
    let mut e = Emit::before(module, update);
    let made = (|| {
        let (layer, stack, element) = (e.shape(old)?, e.shape(stacked.carried)?, e.element(stacked.carried)?);
        let rows_shape = [&[1], &e.shape(rows)?[..]].concat();
        let rows = e.reshape(rows, &rows_shape)?;
        let all = [&[stacked.carried, rows, stacked.counter], starts].concat();
        let new = e.op(Opcode::StablehloDynamicUpdateSlice, &all, state, &[]);
        let counts = e.element(stacked.counter)?;
        let zero = e.scalar(Number::Int(0), &counts)?;
        let sizes = [&[1], &layer[..]].concat();
        let from = [vec![new, stacked.counter], vec![zero; stack.len() - 1]].concat();
        let attrs = [("slice_sizes", Attribute::i64_array(sizes.iter().copied()))];
        let sliced = e.op(Opcode::StablehloDynamicSlice, &from, tensor_type(&sizes, &element), &attrs);
        Ok::<_, Refusal>((new, e.reshape(sliced, &layer)?))
    })();
    // Rows of a shape that is not known, or a counter of a type that has no constants: nothing reads what was made so far.
    let Ok((new, layer)) = made else { return false };
    module.replace_values(stacked.carrier, &HashMap::from([(old, layer), (written, new)]));
    erase_unread(module, stacked.carrier, stacked.write);
    erase_unread(module, stacked.carrier, update);
    true
}

/// The update of rows that makes the layer which is written: of a layer that is sliced at the same place.
fn update_of_layer(module: &Module, stacked: &Stacked) -> Option<OpId> {
    let made = behind_reshapes(module, module.op(stacked.write).operands[1]);
    let update = defined_by(module, made, Opcode::StablehloDynamicUpdateSlice)?;
    let operands = &module.op(update).operands;
    let sliced = module.defining_op(behind_reshapes(module, operands[0]))?;
    let is_layer = static_tensor(module, made)?.0[..] == static_tensor(module, stacked.carried)?.0[1..];
    let counts_alike = operands[2..].iter().all(|start| module.ty(*start) == module.ty(stacked.counter));
    (is_layer && counts_alike && stacked.readers.contains(&sliced)).then_some(update)
}

fn behind_reshapes(module: &Module, value: ValueId) -> ValueId {
    let mut value = value;
    while let Some(reshape) = defined_by(module, value, Opcode::StablehloReshape) {
        value = module.op(reshape).operands[0];
    }
    value
}

/// Erases an operation under another one that nobody reads, and what is unread then.
fn erase_unread(module: &mut Module, under: OpId, op: OpId) {
    let mut pending = vec![op];
    while let Some(op) = pending.pop() {
        let results = module.op(op).results.clone();
        let is_read = module.walk(under).iter().any(|user| module.op(*user).operands.iter().any(|of| results.contains(of)));
        let is_inside = module.parent_op(op) == Some(under);
        if is_inside && !is_read && is_pure_op(module, op) {
            pending.extend(module.op(op).operands.iter().filter_map(|value| module.defining_op(*value)));
            module.erase(op);
            pending.retain(|op| !module.is_erased(*op));
        }
    }
}

/// One layer of stacked state, as a tensor without the dimension of layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerRead {
    /// The state.
    pub state: ValueId,
    /// Which layer.
    pub layer: ValueId,
}

/// What a value is, if it is one layer of another.
pub fn layer_read(module: &Module, value: ValueId) -> Option<LayerRead> {
    let reshape = defined_by(module, value, Opcode::StablehloReshape)?;
    let slice = defined_by(module, module.op(reshape).operands[0], Opcode::StablehloDynamicSlice)?;
    let read = slice_of_layer(module, slice)?;
    let is_layer = static_tensor(module, value)?.0[..] == static_tensor(module, read.state)?.0[1..];
    is_layer.then_some(read)
}

/// What a slice takes, if it is one layer.
pub fn slice_of_layer(module: &Module, slice: OpId) -> Option<LayerRead> {
    let &[state, layer, ..] = &module.op(slice).operands[..] else { return None };
    let (shape, _) = static_tensor(module, state)?;
    let sizes = integers_attr(module, slice, "slice_sizes")?;
    let sizes: Vec<u64> = sizes.iter().map(|size| size.unsigned_abs()).collect();
    is_layer(&sizes, &shape).then_some(LayerRead { state, layer })
}

/// Has an attention whose keys and values are one layer of two states take these, and the layer's number.
pub fn read_layer(module: &mut Module, attention: OpId) {
    let reads = [1, 2].map(|role| layer_read(module, module.op(attention).operands[role]));
    let [Some(keys), Some(values)] = reads else { return };
    let (element, mut sizes) = match module.op(attention).attr("operandSegmentSizes") {
        Some(Attribute::DenseArray { element, values }) => (element.clone(), values.to_vec()),
        _ => (ElementType::I32, vec![1, 1, 1, 0, 0, 0, 0, 0]),
    };
    sizes[7] = 1;
    let segments = Attribute::DenseArray { element, values: sizes.into() };
    let dims = |name: &str| {
        let dims = integers_attr(module, attention, name).expect("the verifier should have seen the dimensions of an attention");
        Attribute::i64_array(dims.iter().map(|dim| dim + 1).chain([0]))
    };
    let (k_dims, v_dims) = (dims("k_dims"), dims("v_dims"));
    let before: Vec<OpId> = module.op(attention).operands[1..3].iter().filter_map(|value| module.defining_op(*value)).collect();
    let operation = module.op_mut(attention);
    (operation.operands[1], operation.operands[2]) = (keys.state, values.state);
    operation.operands.push(keys.layer);
    operation.attrs.set("operandSegmentSizes", segments);
    operation.attrs.set("k_dims", k_dims);
    operation.attrs.set("v_dims", v_dims);
    for read in before {
        if !module.is_erased(read)
            && let Some(carrier) = module.parent_op(read)
        {
            erase_unread(module, carrier, read);
        }
    }
}

const REMEDY: &str = "loop over all layers in order, read each of the state before its new value is written, and nothing else of either; \
                      until then the state is copied each step";

fn unproved(reason: &str) -> Obstacle {
    Obstacle::new(format!("is replaced by a loop, and {reason}"), REMEDY)
}

fn prove(
    module: &Module,
    uses: &[SmallVec<[OpId; 2]>],
    (old, new): (ValueId, ValueId),
    carrier: OpId,
    slot: usize,
) -> Result<Stacked, Obstacle> {
    let [condition, body] = [0, 1].map(|region| {
        module.region_block(carrier, region).expect("the verifier should have seen a loop's condition and body")
    });
    let (counter, count) =
        counted(module, carrier, condition, body).ok_or_else(|| unproved("it does not count 0, 1, … up to a constant"))?;
    let carried = module.block(body).arguments[slot];
    let shapes = [old, carried].map(|value| static_tensor(module, value));
    let [Some((shape, ty)), Some((_, carried_type))] = shapes else { return Err(unproved("its shape is not known yet")) };
    let end = module.block(body).last().expect("the verifier should have seen the end of a loop's body");
    let written = module.op(end).operands[slot];
    let write = defined_by(module, written, Opcode::StablehloDynamicUpdateSlice)
        .filter(|write| module.op(*write).operands[0] == carried && ty == carried_type)
        .ok_or_else(|| unproved("what it carries is not written a layer at a time"))?;
    let layers = shape.first().copied().unwrap_or(0);
    if layers != count {
        return Err(unproved(&format!("it counts to {count}, but there are {layers} layers")));
    }
    let mut at_counter = AtCounter { lookup: Lookup::default(), counter, layers };
    let update = static_tensor(module, module.op(write).operands[1]).map(|(shape, _)| shape);
    if !update.is_some_and(|update| is_layer(&update, &shape)) || !at_counter.holds(module, module.op(write).operands[2]) {
        return Err(unproved("what is written in an iteration is not the layer that it counts"));
    }
    let others = [module.block(condition).arguments[slot], carried, written].map(|value| uses[value.index()].len());
    if others != [0, 1, 1] {
        return Err(unproved("what it carries is read before all of it is written"));
    }
    let mut readers = Vec::new();
    for reader in &uses[old.index()] {
        let operation = module.op(*reader);
        let is_slice = operation.opcode == Opcode::StablehloDynamicSlice && operation.parent() == Some(body);
        let sizes: Vec<u64> = integers_attr(module, *reader, "slice_sizes")
            .unwrap_or_default()
            .iter()
            .map(|size| size.unsigned_abs())
            .collect();
        if !is_slice || !is_layer(&sizes, &shape) || !at_counter.holds(module, operation.operands[1]) {
            return Err(unproved(&format!("its old value is read by {}", super::proof::named(module, *reader))));
        }
        readers.push(*reader);
    }
    debug_assert_eq!(module.ty(old), module.ty(new), "the verifier should see that a loop returns what it carries");
    Ok(Stacked { carrier, layers, slot, carried, counter, write, readers })
}

/// The value that counts iterations in a loop's body from 0 in steps of 1, and up to which number.
fn counted(module: &Module, carrier: OpId, condition: BlockId, body: BlockId) -> Option<(ValueId, u64)> {
    let compare = defined_by(module, *module.op(module.block(condition).last()?).operands.first()?, Opcode::StablehloCompare)?;
    let &[left, right] = &module.op(compare).operands[..] else { return None };
    let slot = module.block(condition).arguments.iter().position(|argument| *argument == left)?;
    let (counter, end) = (module.block(body).arguments[slot], module.block(body).last()?);
    let add = defined_by(module, module.op(end).operands[slot], Opcode::StablehloAdd)?;
    let &[a, b] = &module.op(add).operands[..] else { return None };
    let step = if a == counter { b } else { a };
    let is = |value: ValueId, wanted: i128| constant_of(module, value)?.splat_integer().map(|found| i128::from(found) == wanted);
    let is_signed = static_tensor(module, counter)?.1.element.dtype().is_some_and(|dtype| dtype.family() == Family::Signed);
    let counts = is_signed
        && direction_of(module, compare)? == ComparisonDirection::Lt
        && [a, b].contains(&counter)
        && is(step, 1)?
        && is(module.op(carrier).operands[slot], 0)?;
    let count = u64::try_from(constant_of(module, right)?.splat_integer()?).ok()?;
    counts.then_some((counter, count))
}

/// True if these are the extents of one layer: slices of whole extents begin at 0 wherever they are asked to.
fn is_layer(extents: &[u64], shape: &[u64]) -> bool {
    extents.len() == shape.len() && extents.first() == Some(&1) && extents[1..] == shape[1..]
}

/// Tells whether a value is the number of the iteration.
struct AtCounter {
    lookup: Lookup,
    counter: ValueId,
    layers: u64,
}

impl AtCounter {
    /// Wraps and clamps do nothing to a counter that stays inside.
    fn holds(&mut self, module: &Module, value: ValueId) -> bool {
        let found = self.lookup.of(module, value, self.layers as i64);
        found.is_some_and(|found| found[..] == [Position { root: Some((self.counter, 0)), offset: 0 }])
    }
}
