//! Where on the GPU the arguments of kernels lie.

use pygraph_artifact::{
    device_code::Argument,
    plan::{FieldSource, Place, Program},
};

/// Where the memory of a session and its model lies.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Addresses {
    /// The arena.
    pub arena: u64,
    /// The artifact's constants.
    pub constants: u64,
    /// One a parameter: its array, or the first element of its cache. 0 for those that no kernel is given.
    pub params: Vec<u64>,
    /// One a parameter block.
    pub blocks: Vec<u64>,
    /// What kernels use while they run.
    pub scratch: u64,
    /// Where comparisons say that they do not hold.
    pub status: u64,
}

impl Addresses {
    /// Where an argument of a validated program lies: for a buffer behind an address of a block, where that address lies.
    pub fn resolve(&self, program: &Program, argument: Argument) -> u64 {
        let id = match argument {
            Argument::Scratch { offset } => return self.scratch + offset,
            Argument::Status => return self.status,
            Argument::Buffer(id) => id,
        };
        match program.buffers[id.0 as usize].place {
            Place::Arena { offset } => self.arena + offset,
            Place::Param { index } => self.params[index as usize],
            Place::Constant { offset } => self.constants + offset,
            Place::Field { block, field } => {
                self.blocks[block as usize] + program.blocks[block as usize].fields[field as usize].offset
            }
        }
    }
}

/// How an argument reaches kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Not at all, or by value, in a block: the host writes it there.
    ByValue,
    /// By its address in a block: it can lie anywhere on the GPU.
    ByAddress,
    /// By an address that is fixed when graphs are made.
    Fixed,
    /// As rows of an arena.
    Cache,
}

/// How each argument of a program reaches its kernels.
pub fn reaches(program: &Program) -> Vec<Reach> {
    let mut reaches = vec![Reach::ByValue; program.params.len()];
    for field in program.blocks.iter().flat_map(|block| &block.fields) {
        if let FieldSource::ParamAddress { param } = field.source {
            reaches[param as usize] = Reach::ByAddress;
        }
    }
    for buffer in &program.buffers {
        if let Place::Param { index } = buffer.place {
            reaches[index as usize] = Reach::Fixed;
        }
    }
    for (param, reach) in program.params.iter().zip(&mut reaches) {
        if param.cache.is_some() {
            *reach = Reach::Cache;
        } else if param.updated_by.is_some() {
            // The session writes it: it must be the session's own.
            *reach = Reach::Fixed;
        }
    }
    reaches
}

#[cfg(test)]
mod tests {
    use pygraph_artifact::{
        dtype::DType,
        plan::{Bind, Buffer, BufferId, Field, Param, ParamBlock},
    };

    use super::*;

    fn program() -> Program {
        let param = |name: &str, bind, updated_by| Param {
            name: name.to_string(),
            dtype: DType::F32,
            shape: vec![2],
            bind,
            updated_by,
            cache: None,
            initial: None,
        };
        let field = |offset, source| Field { name: String::new(), offset, source };
        let places = [
            Place::Arena { offset: 64 },
            Place::Param { index: 1 },
            Place::Constant { offset: 128 },
            Place::Field { block: 1, field: 0 },
            Place::Field { block: 1, field: 1 },
        ];
        let fields = vec![field(8, FieldSource::ParamAddress { param: 0 }), field(16, FieldSource::Value { param: 2 })];
        Program {
            name: "main".to_string(),
            params: vec![
                param("x", Bind::Step, None),
                param("w", Bind::Once, None),
                param("p", Bind::Host, None),
                param("s", Bind::State, Some(0)),
            ],
            results: vec![],
            buffers: places.map(|place| Buffer { dtype: DType::F32, shape: vec![2], place }).to_vec(),
            arena_bytes: 128,
            blocks: vec![
                ParamBlock { name: "a".into(), bytes: 8, fields: vec![] },
                ParamBlock { name: "b".into(), bytes: 24, fields },
            ],
            device: 0,
            ensures: vec![],
            retires: vec![],
            segments: vec![],
        }
    }

    #[test]
    fn arguments_lie_where_their_buffers_do_or_where_a_field_says() {
        let addresses = Addresses {
            arena: 0x1000,
            constants: 0x2000,
            params: vec![0, 0x3000, 0, 0],
            blocks: vec![0x4000, 0x4100],
            scratch: 0x5000,
            status: 0x6000,
        };
        let program = program();
        let buffers: Vec<u64> = (0..5).map(|id| addresses.resolve(&program, Argument::Buffer(BufferId(id)))).collect();
        assert_eq!(buffers, [0x1040, 0x3000, 0x2080, 0x4108, 0x4110]);
        assert_eq!(addresses.resolve(&program, Argument::Scratch { offset: 256 }), 0x5100);
        assert_eq!(addresses.resolve(&program, Argument::Status), 0x6000);
    }

    #[test]
    fn what_a_session_writes_is_its_own() {
        assert_eq!(reaches(&program()), [Reach::ByAddress, Reach::Fixed, Reach::ByValue, Reach::Fixed]);
    }
}
