//! The arrays of elementwise work that is done inside of another launch's kernels: fields of a struct that they are given.

use pygraph_artifact::plan::{Access, BufferId, Fused, FusedOperand, Program};

use crate::{
    kernel::{Operand, Parameter},
    nest::Source,
};

/// Each array once, in order.
#[derive(Debug)]
pub struct Arrays(Vec<(Parameter, BufferId)>);

impl Arrays {
    /// What these accesses of a launch touch; none if something of it is a temporary.
    pub fn of<'a>(program: &Program, fused: &Fused, accesses: impl Iterator<Item = &'a Access>) -> Option<Arrays> {
        let buffer = |access: &Access| match fused.operands[access.buffer.0 as usize] {
            FusedOperand::Buffer(buffer) => Some(buffer),
            FusedOperand::Temporary { .. } => None,
        };
        let buffers: Option<Vec<BufferId>> = accesses.map(buffer).collect();
        Some(Arrays::of_buffers(program, buffers?))
    }

    /// These buffers.
    pub fn of_buffers(program: &Program, buffers: impl IntoIterator<Item = BufferId>) -> Arrays {
        let mut arrays: Vec<(Parameter, BufferId)> = Vec::new();
        for buffer in buffers {
            if arrays.iter().all(|(_, other)| *other != buffer) {
                // Not the number of the buffer: launches that differ in nothing else share a kernel.
                let name = format!("e{}", arrays.len());
                arrays.push((Parameter::of_buffer(name, program, buffer), buffer));
            }
        }
        Arrays(arrays)
    }

    /// True if no kernel of the program writes any of them.
    pub fn are_fixed(&self) -> bool {
        self.0.iter().all(|(parameter, _)| parameter.is_fixed)
    }

    /// The field of a buffer that is among them.
    pub fn name(&self, buffer: BufferId) -> &str {
        let found = self.0.iter().find(|(_, other)| *other == buffer);
        &found.expect("every buffer of the nest should be listed").0.name
    }

    /// The same as a nest reads it.
    pub fn source(&self, buffer: BufferId) -> Source {
        Source::Array { name: self.name(buffer).to_string(), is_aligned: false, is_fixed: false }
    }

    /// The fields, as C++.
    pub fn fields(&self) -> String {
        self.0.iter().map(|(Parameter { name, element, .. }, _)| format!("{element}* {name};\n")).collect()
    }

    /// What kernels take for them, of which the first is parameter number `first`.
    pub fn parameters(&self, first: usize) -> impl Iterator<Item = Parameter> {
        let named = move |(number, (parameter, _)): (usize, &(Parameter, BufferId))| Parameter {
            name: format!("p{}", first + number),
            ..parameter.clone()
        };
        self.0.iter().enumerate().map(named)
    }

    /// What is given for each parameter.
    pub fn operands(&self) -> impl Iterator<Item = Operand> {
        self.0.iter().map(|(_, buffer)| Operand::Buffer(*buffer))
    }
}
