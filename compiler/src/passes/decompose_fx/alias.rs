//! What shares memory with what, so that a store through one value is seen by every later reader of another.
//!
//! A storage is an argument or the result of an operator that makes a new tensor. A view remembers what it is a view
//! of; it is expanded again where its storage was stored into since. A store into a view goes down the chain of views,
//! each of which knows how its part of the whole is replaced.

use super::{Importer, Slot, call::Call, table};
use crate::{
    ir::{Attribute, OpId, Type, ValueId},
    passes::emit::{Out, Refusal},
};

/// Memory of one tensor.
pub struct Storage {
    /// Its contents now.
    pub value: ValueId,
    /// How often it was stored into.
    pub generation: u32,
    /// The function's argument that it is.
    pub argument: Option<usize>,
}

/// A tensor of the FX graph.
#[derive(Clone)]
pub struct Tracked {
    /// Index of its storage.
    storage: usize,
    /// What it is a view of, by which call, as which result; none if it is all of its storage.
    view: Option<(ValueId, OpId, usize)>,
    /// Its contents at `generation`.
    value: ValueId,
    generation: u32,
}

impl Importer<'_> {
    /// A tensor with a storage of its own.
    pub(super) fn bind_fresh(&mut self, name: ValueId, value: ValueId, argument: Option<usize>) {
        let storage = self.storages.len();
        self.storages.push(Storage { value, generation: 0, argument });
        self.slots.insert(name, Slot::Tensor(Tracked { storage, view: None, value, generation: 0 }));
    }

    /// Records the results of a call: views, in-place results, or tensors of their own.
    pub(super) fn bind_results(&mut self, call: &Call, values: &[ValueId]) {
        let operation = self.emit.module.op(call.op);
        let (names, first) = (operation.results.clone(), operation.operands.first().copied());
        // Results of type `none` have no value, and do not count.
        let mut values = values.iter().enumerate();
        for name in names {
            if *self.emit.module.ty(name) == Type::None {
                self.slots.insert(name, Slot::Nothing);
                continue;
            }
            let Some((index, value)) = values.next() else { continue };
            let parent = first.filter(|_| table::is_view(self.emit.module, call));
            match (parent, first) {
                (Some(parent), _) => self.bind_view(name, *value, parent, call.op, index),
                (None, Some(operand)) if index == 0 && table::is_in_place(&call.target) => {
                    self.bind_same(name, operand)
                }
                _ => self.bind_fresh(name, *value, None),
            }
            self.note_layout(call.op, *value);
        }
    }

    fn bind_view(&mut self, name: ValueId, value: ValueId, parent: ValueId, op: OpId, result: usize) {
        if let Some(Slot::Tensor(of)) = self.slots.get(&parent) {
            let (storage, generation) = (of.storage, self.storages[of.storage].generation);
            let view = Some((parent, op, result));
            self.slots.insert(name, Slot::Tensor(Tracked { storage, view, value, generation }));
        }
    }

    /// Another name of the same tensor.
    fn bind_same(&mut self, name: ValueId, of: ValueId) {
        if let Some(Slot::Tensor(tracked)) = self.slots.get(&of) {
            let tracked = tracked.clone();
            self.slots.insert(name, Slot::Tensor(tracked));
        }
    }

    /// Notes a layout that is not row-major on the operation that this call made for a result.
    fn note_layout(&mut self, call: OpId, value: ValueId) {
        let Some(stride) = self.emit.module.op(call).attr("stride").cloned() else { return };
        let Some(op) = self.emit.module.defining_op(value) else { return };
        let Ok(shape) = self.emit.shape(value) else { return };
        if self.emit.module.op(op).loc == self.emit.loc && !table::is_row_major(&shape, &stride_list(&stride)) {
            self.emit.module.op_mut(op).attrs.set("fx.stride", stride);
        }
    }

    /// The present contents of all operands of an operation, none if one could not be computed.
    pub(super) fn read_all(&mut self, op: OpId, operands: &[ValueId]) -> Option<Vec<ValueId>> {
        let mut values = Vec::new();
        for operand in operands {
            if !matches!(self.slots.get(operand), Some(Slot::Tensor(_))) {
                return None;
            }
            match self.read(*operand) {
                Ok(value) => values.push(value),
                Err(Refusal(reason)) => {
                    self.errors.push(self.emit.module.error(op, reason));
                    return None;
                }
            }
        }
        Some(values)
    }

    /// The present contents of a tensor. Views of a storage that was stored into are taken again.
    pub(super) fn read(&mut self, name: ValueId) -> Out {
        let mut stale = Vec::new();
        let mut at = name;
        let mut value = loop {
            let Some(Slot::Tensor(tracked)) = self.slots.get(&at) else {
                return Err(Refusal::from("an operand is no tensor"));
            };
            let storage = &self.storages[tracked.storage];
            match tracked.view {
                _ if tracked.generation == storage.generation => break tracked.value,
                None => break storage.value,
                Some((parent, op, result)) => {
                    stale.push((at, op, result));
                    at = parent;
                }
            }
        };
        for (name, op, result) in stale.into_iter().rev() {
            let call = self.call_on(op, value)?;
            self.enter(op);
            let results = self.results_of(&call)?;
            value = results[result];
            self.store(name, value);
        }
        Ok(value)
    }

    /// Replaces the contents of a tensor, and with it those of the storage that it is a view of.
    pub(super) fn write(&mut self, name: ValueId, contents: ValueId) -> Result<(), Refusal> {
        let mut new = self.fit(name, contents)?;
        let mut chain = Vec::new();
        let mut at = name;
        let storage = loop {
            chain.push((at, new));
            let Some(Slot::Tensor(tracked)) = self.slots.get(&at) else {
                unreachable!("what a call stores into should have been read before");
            };
            let Some((parent, op, result)) = tracked.view else { break tracked.storage };
            let whole = self.read(parent)?;
            let call = self.call_on(op, whole)?;
            new = table::replace_part(&mut self.emit, &call, whole, result, new)?;
            at = parent;
        };
        self.storages[storage].value = new;
        self.storages[storage].generation += 1;
        for (name, value) in chain {
            self.store(name, value);
        }
        Ok(())
    }

    /// New contents in the element type and shape that the tensor has.
    fn fit(&mut self, name: ValueId, contents: ValueId) -> Out {
        let ty = super::signless(self.emit.module.ty(name));
        let tensor = ty.as_tensor().ok_or_else(|| Refusal::from("it stores into something that is no tensor"))?.clone();
        let converted = self.emit.convert(contents, &tensor.element)?;
        let shape = crate::passes::emit::static_shape(&tensor)?;
        self.emit.broadcast(converted, &shape)
    }

    /// A call whose first operand now has these contents.
    fn call_on(&mut self, op: OpId, first: ValueId) -> Result<Call, Refusal> {
        let operands = self.emit.module.op(op).operands.clone();
        let mut values = vec![first];
        for operand in operands.iter().skip(1) {
            values.push(match self.slots.get(operand) {
                Some(Slot::Tensor(tracked)) => tracked.value,
                _ => unreachable!("the operands of a view should have been read when it was taken"),
            });
        }
        Call::read(self.emit.module, op, &values)
    }

    /// True if the storage of a tensor was stored into.
    pub(super) fn is_changed(&self, tracked: &Tracked) -> bool {
        self.storages[tracked.storage].generation > 0
    }

    fn store(&mut self, name: ValueId, new: ValueId) {
        if let Some(Slot::Tensor(tracked)) = self.slots.get_mut(&name) {
            tracked.generation = self.storages[tracked.storage].generation;
            tracked.value = new;
        }
    }
}

/// The numbers of a stride attribute, however the parser holds them.
pub fn stride_list(stride: &Attribute) -> Vec<i64> {
    match stride {
        Attribute::Array(list) => list.iter().filter_map(Attribute::as_i64).collect(),
        other => other.as_i64_slice().map(<[i64]>::to_vec).unwrap_or_default(),
    }
}
