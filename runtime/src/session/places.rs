//! Where arguments and results lie, and which are missing.

use std::collections::BTreeSet;

use pygraph_artifact::plan::{FieldSource, Param, Place, PositionSource, Program, ResultSlot};
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

/// The arguments whose values the host needs: those that are in blocks by value, and those that say which rows are mapped.
pub(super) fn read_by_host(program: &Program) -> BTreeSet<usize> {
    let fields = program.blocks.iter().flat_map(|block| &block.fields);
    let values = fields.filter_map(|field| match field.source {
        FieldSource::Value { param } => Some(param as usize),
        _ => None,
    });
    let positions = program.ensures.iter().filter_map(|ensure| match ensure.source {
        Some(PositionSource::Param { index }) => Some(index as usize),
        _ => None,
    });
    values.chain(positions).collect()
}

/// Where launches read an array.
pub(super) fn address_to_read(array: &Array) -> u64 {
    match array {
        Array::Host(tensor) => Buffer::read_only(tensor.bytes()).address(),
        Array::Device(tensor) => tensor.address(),
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
