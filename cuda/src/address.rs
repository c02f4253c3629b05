//! How kernels reach the arrays of a program.

use pygraph_artifact::plan::{BufferId, FieldSource, Place, Program};

/// True if a kernel is given the address of a field that holds the array's address, and not the array's own.
pub fn is_indirect(program: &Program, id: BufferId) -> bool {
    match program.buffers[id.0 as usize].place {
        Place::Field { block, field } => match program.blocks[block as usize].fields[field as usize].source {
            FieldSource::Value { .. } => false,
            FieldSource::ParamAddress { .. } | FieldSource::ResultAddress { .. } => true,
        },
        Place::Arena { .. } | Place::Param { .. } | Place::Constant { .. } => false,
    }
}
