//! How kernels reach the arrays of a program.

use pygraph_artifact::{
    plan::{Buffer, BufferId, FieldSource, Place, Program},
    validate::is_updated_in_place,
};

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

/// True if no kernel of the program writes the array, whenever it is read: weights, inputs and constants.
pub fn is_fixed(program: &Program, id: BufferId) -> bool {
    match program.buffers[id.0 as usize].place {
        Place::Constant { .. } => true,
        Place::Param { index } => {
            let param = &program.params[index as usize];
            param.cache.is_none() && !is_updated_in_place(program, index)
        }
        Place::Field { block, field } => {
            let source = program.blocks[block as usize].fields[field as usize].source;
            !matches!(source, FieldSource::ResultAddress { .. })
        }
        Place::Arena { .. } => false,
    }
}

/// True if the array is known to begin at a multiple of 16 bytes, wherever a kernel finds it: what is allocated alone does, and offsets may. A
/// caller's array lies anywhere.
pub fn is_aligned(program: &Program, id: BufferId) -> bool {
    match program.buffers[id.0 as usize].place {
        Place::Arena { offset } | Place::Constant { offset } => offset % 16 == 0,
        Place::Param { .. } => is_fixed(program, id),
        Place::Field { .. } => false,
    }
}

/// False if two buffers are known to lie apart.
pub fn may_overlap(program: &Program, a: BufferId, b: BufferId) -> bool {
    let [a, b] = [a, b].map(|id| &program.buffers[id.0 as usize]);
    let bytes = |buffer: &Buffer| buffer.shape.iter().product::<u64>() * buffer.dtype.size_bytes() as u64;
    match (a.place, b.place) {
        (Place::Arena { offset }, Place::Arena { offset: other }) => {
            offset < other + bytes(b) && other < offset + bytes(a)
        }
        (Place::Param { index }, Place::Param { index: other }) => index == other,
        // What a caller gives may lie where state or something else of his does.
        (Place::Field { .. }, Place::Param { .. } | Place::Field { .. })
        | (Place::Param { .. }, Place::Field { .. }) => true,
        _ => false,
    }
}
