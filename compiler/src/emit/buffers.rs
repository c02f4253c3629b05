//! Buffers of a program, and the constants of a plan.

use std::{collections::HashMap, sync::Arc};

use pygraph_artifact::{
    bytes::ALIGNMENT,
    plan::{Buffer, BufferId, Place},
};

use crate::{
    diagnostic::Diagnostic,
    ir::{Module, OpId, ValueId, attribute::DenseElements},
    lower::site::tensor_of,
};

/// The bytes of all constants, each content once.
#[derive(Debug, Default)]
pub struct Constants {
    bytes: Vec<u8>,
    /// From content (of one element where all are equal) and size to the offset.
    offsets: HashMap<(Arc<[u8]>, usize), u64>,
}

impl Constants {
    /// Where the elements are; adds them if they are new. None if they are too many.
    pub fn place(&mut self, elements: &DenseElements) -> Option<Place> {
        let dtype = elements.ty.element.dtype()?;
        let count = usize::try_from(elements.ty.element_count()?).ok()?;
        let size = count.checked_mul(dtype.size_bytes())?;
        let is_whole = elements.bytes.len() == size;
        let is_one = elements.is_splat && elements.bytes.len() == dtype.size_bytes();
        assert!(is_whole || is_one, "the verifier should have seen as many bytes as a constant's type needs");
        if let Some(offset) = self.offsets.get(&(elements.bytes.clone(), size)) {
            return Some(Place::Constant { offset: *offset });
        }
        let offset = self.bytes.len().next_multiple_of(ALIGNMENT);
        self.bytes.resize(offset, 0);
        if is_whole {
            self.bytes.extend_from_slice(&elements.bytes);
        } else {
            self.bytes.extend(elements.bytes.iter().copied().cycle().take(size));
        }
        self.offsets.insert((elements.bytes.clone(), size), offset as u64);
        Some(Place::Constant { offset: offset as u64 })
    }

    /// All of them.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// The places of a program's values, and its list of buffers.
#[derive(Debug)]
pub struct Buffers {
    /// By value.
    places: Vec<Option<Place>>,
    /// By value, once it is asked for.
    ids: Vec<Option<BufferId>>,
    /// For [`pygraph_artifact::plan::Program`].
    pub list: Vec<Buffer>,
    known: HashMap<Buffer, BufferId>,
}

impl Buffers {
    /// No place is known.
    pub fn new(module: &Module) -> Buffers {
        let count = module.arena_sizes().1;
        Buffers { places: vec![None; count], ids: vec![None; count], list: Vec::new(), known: HashMap::new() }
    }

    /// Says where a value is.
    pub fn set_place(&mut self, value: ValueId, place: Option<Place>) {
        self.places[value.index()] = place;
    }

    /// Where a value is.
    pub fn place(&self, value: ValueId) -> Option<Place> {
        self.places[value.index()]
    }

    /// The buffer that a value is; `op` reads or writes it.
    pub fn id(&mut self, module: &Module, op: OpId, value: ValueId) -> Result<BufferId, Diagnostic> {
        if let Some(id) = self.ids[value.index()] {
            return Ok(id);
        }
        let place = self.place(value).ok_or_else(|| {
            module.error(op, "the memory of a value that it names is not planned: run `plan-memory` first")
        })?;
        let tensor = tensor_of(module.ty(value));
        let tensor = tensor.expect("the verifier should have seen that what has a place is a tensor that runs");
        let buffer = Buffer { dtype: tensor.dtype, shape: tensor.shape, place };
        let next = BufferId(self.list.len() as u32);
        let id = *self.known.entry(buffer.clone()).or_insert(next);
        if id == next {
            self.list.push(buffer);
        }
        self.ids[value.index()] = Some(id);
        Ok(id)
    }
}
