//! The fields of parameter blocks: which of them a step has to write.
//!
//! The address of a result changes in every step, since buffers take turns. What is known of an argument changes when somebody sets it: its fields
//! are written once for each copy that the device has of the blocks, and stay.

use pygraph_artifact::{
    plan::{ADDRESS_BYTES, FieldSource, Program},
    validate::array_bytes,
};

use super::{
    backend::Backend,
    places::{address_to_write, result_of},
    ring::Ring,
};
use crate::{host::Copies, tensor::Array};

/// Where a field lies, and what belongs there.
#[derive(Debug)]
struct Field {
    block: usize,
    offset: usize,
    source: FieldSource,
}

/// The fields of all blocks.
#[derive(Debug)]
pub(super) struct Fields {
    /// For each argument, those that hold it or its address.
    of_params: Vec<Vec<Field>>,
    /// Those that hold addresses of results.
    of_results: Vec<Field>,
    /// For each copy of the blocks, the arguments that it does not show as they are.
    stale: Vec<Vec<usize>>,
    /// How many bytes all have.
    bytes: u64,
}

impl Fields {
    /// Those of a program, on a device that has so many copies of the blocks. None is written yet.
    pub(super) fn of(program: &Program, copies: usize) -> Fields {
        let mut fields = Fields {
            of_params: program.params.iter().map(|_| Vec::new()).collect(),
            of_results: Vec::new(),
            stale: vec![Vec::new(); copies],
            bytes: 0,
        };
        for (block, plan) in program.blocks.iter().enumerate() {
            for field in &plan.fields {
                let (offset, source) = (field.offset as usize, field.source);
                let (list, bytes) = match source {
                    FieldSource::Value { param } => {
                        let value = &program.params[param as usize];
                        let bytes = array_bytes(value.dtype, &value.shape);
                        (&mut fields.of_params[param as usize], bytes.expect("a validated field should have a size"))
                    }
                    FieldSource::ParamAddress { param } => (&mut fields.of_params[param as usize], ADDRESS_BYTES),
                    FieldSource::ResultAddress { .. } => (&mut fields.of_results, ADDRESS_BYTES),
                };
                list.push(Field { block, offset, source });
                fields.bytes += bytes;
            }
        }
        (0..program.params.len()).for_each(|param| fields.touch(param));
        fields
    }

    /// Says that an argument has another value, or lies elsewhere.
    pub(super) fn touch(&mut self, param: usize) {
        if self.of_params[param].is_empty() {
            return;
        }
        for stale in self.stale.iter_mut().filter(|stale| !stale.contains(&param)) {
            stale.push(param);
        }
    }

    /// Brings the copy of the blocks that the next step reads up to date.
    pub(super) fn write(
        &mut self,
        backend: &mut dyn Backend,
        params: &[Option<Array>],
        rings: &mut [Ring],
        copies: &mut Copies,
    ) {
        for param in self.stale[backend.block_copy()].drain(..) {
            let value = params[param].as_ref().expect("a step should run with all arguments");
            for field in &self.of_params[param] {
                if matches!(field.source, FieldSource::Value { .. }) {
                    let value = value.host().expect("the host should have the arguments that it reads");
                    field.write(backend, value.bytes());
                } else {
                    let address = backend.address_to_read(param, value);
                    field.write(backend, &address.to_le_bytes());
                }
            }
        }
        for field in &self.of_results {
            let result = result_of(field.source).expect("the field should be that of a result");
            let buffer = rings[result].current_mut().expect("a result that is in a block should have its buffer");
            field.write(backend, &address_to_write(buffer).to_le_bytes());
        }
        copies.count_blocks(self.bytes);
    }
}

impl Field {
    fn write(&self, backend: &mut dyn Backend, content: &[u8]) {
        backend.block_mut(self.block)[self.offset..self.offset + content.len()].copy_from_slice(content);
    }
}
