//! Where arguments and results lie, which are missing, and which a step has to look at.

use pygraph_artifact::{
    plan::{FieldSource, Param, Place, PositionSource, Program, ResultSlot},
    validate::is_updated_in_place,
};
use pygraph_kernels::memory::Buffer;

use super::{StepError, backend::Location, ring::Ring};
use crate::{
    caches::Caches,
    tensor::{Array, type_text},
};

/// Where a result of the last step lies, but for a cache.
pub(super) fn locate<'a>(
    program: &Program,
    params: &'a [Option<Array>],
    rings: &'a [Ring],
    result: &ResultSlot,
) -> Option<Location<'a>> {
    let array = match program.buffers[result.buffer.0 as usize].place {
        Place::Arena { offset } => return Some(Location::Arena { offset }),
        Place::Constant { offset } => return Some(Location::Constant { offset }),
        Place::Param { index } => params[index as usize].as_ref(),
        Place::Field { block, field } => match program.blocks[block as usize].fields[field as usize].source {
            FieldSource::Value { param } | FieldSource::ParamAddress { param } => params[param as usize].as_ref(),
            FieldSource::ResultAddress { result } => rings[result as usize].current(),
        },
    };
    array.map(Location::Array)
}

/// What every step of a program has to look at. A step costs the host by these, and by what was set, not by how many arguments there are.
#[derive(Debug)]
pub(super) struct Outline {
    /// One an argument: whether the host needs its value, for a block or to say which rows are mapped.
    pub(super) is_read_by_host: Vec<bool>,
    /// Arguments that are caches, and the arenas that they lie in.
    pub(super) caches: Vec<usize>,
    pub(super) arenas: Vec<u32>,
    /// State beside caches that launches write where it lies.
    pub(super) in_place: Vec<usize>,
    /// State beside that, with the result that replaces it: a copy.
    pub(super) carried: Vec<(usize, usize)>,
    /// The results whose address is in a block.
    pub(super) by_address: Vec<usize>,
}

impl Outline {
    pub(super) fn of(program: &Program) -> Outline {
        let mut outline = Outline {
            is_read_by_host: vec![false; program.params.len()],
            caches: Vec::new(),
            arenas: Vec::new(),
            in_place: Vec::new(),
            carried: Vec::new(),
            by_address: Vec::new(),
        };
        for (index, param) in program.params.iter().enumerate() {
            let is_in_place = is_updated_in_place(program, index as u32);
            if let Some(layout) = &param.cache {
                outline.caches.push(index);
                outline.arenas.push(layout.arena);
            } else if is_in_place {
                outline.in_place.push(index);
            }
            if let Some(result) = param.updated_by.filter(|_| !is_in_place) {
                outline.carried.push((index, result as usize));
            }
        }
        for field in program.blocks.iter().flat_map(|block| &block.fields) {
            match field.source {
                FieldSource::Value { param } => outline.is_read_by_host[param as usize] = true,
                FieldSource::ResultAddress { result } => outline.by_address.push(result as usize),
                FieldSource::ParamAddress { .. } => {}
            }
        }
        for rows in program.ensures.iter().chain(&program.retires) {
            if let Some(PositionSource::Param { index }) = rows.source {
                outline.is_read_by_host[index as usize] = true;
            }
        }
        outline.by_address.sort_unstable();
        outline.by_address.dedup();
        outline.arenas.sort_unstable();
        outline.arenas.dedup();
        outline
    }
}

/// Where launches write an array, which must be nobody else's.
pub(super) fn address_to_write(array: &mut Array) -> u64 {
    match array {
        Array::Host(tensor) => {
            Buffer::writable(tensor.bytes_mut().expect("a buffer of a result should be unshared")).address()
        }
        Array::Device(tensor) => tensor.address(),
    }
}

/// The result whose address a field holds.
pub(super) fn result_of(source: FieldSource) -> Option<usize> {
    match source {
        FieldSource::ResultAddress { result } => Some(result as usize),
        FieldSource::Value { .. } | FieldSource::ParamAddress { .. } => None,
    }
}

/// An error that names all arguments that have no value.
pub(super) fn check_arguments(
    program: &Program,
    params: &[Option<Array>],
    caches: Option<&Caches>,
) -> Result<(), StepError> {
    let is_there = |param: &Param, value: &Option<Array>| {
        let arena = param.cache.as_ref().zip(caches);
        value.is_some() || arena.is_some_and(|(layout, caches)| caches.has_content(layout.arena))
    };
    let missing: Vec<String> = program
        .params
        .iter()
        .zip(params)
        .enumerate()
        .filter(|(_, (param, value))| !is_there(param, value))
        .map(|(index, (param, _))| {
            format!("arg{index} `{}` ({}, {})", param.name, type_text(param.dtype, &param.shape), param.bind.name())
        })
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(StepError::Missing { arguments: missing.join(", ") }) }
}
