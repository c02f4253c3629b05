//! Small arrays that kernels compute again where they need them: positions, say, which a loop nest makes of the number that the host gives.
//!
//! Such a number is the same throughout a step, so a kernel that computes it itself need not wait for the nest, and knows before earlier kernels have ended
//! what it will read. The nest stays for those that read its result.

use std::collections::HashMap;

use pygraph_artifact::plan::{BufferId, Nest, Place, Program, Work, launches};
use pygraph_kernels::nest::walks_in_order;

use crate::address::is_fixed;

/// The most operations that an element may take.
const OPERATIONS_MAX: usize = 16;

/// Buffers that can be made again, and the nests that make them.
#[derive(Debug, Default)]
pub struct Makers<'p>(HashMap<BufferId, &'p Nest>);

impl<'p> Makers<'p> {
    /// Those of a program: buffers of its arena which one launch alone writes, a nest that computes each element from what no kernel writes.
    pub fn of(program: &'p Program) -> Makers<'p> {
        let mut writers: HashMap<BufferId, Option<&'p Nest>> = HashMap::new();
        for launch in program.segments.iter().flat_map(|segment| launches(&segment.nodes)) {
            for buffer in launch.work.writes() {
                let nest = match &launch.work {
                    Work::Nest(nest) => Some(nest),
                    Work::Kernel(_) | Work::Fused(_) => None,
                };
                writers.entry(buffer).and_modify(|writer| *writer = None).or_insert(nest);
            }
        }
        let is_remade = |(buffer, nest): (BufferId, Option<&'p Nest>)| {
            nest.filter(|nest| can_be_remade(program, buffer, nest)).map(|nest| (buffer, nest))
        };
        Makers(writers.into_iter().filter_map(is_remade).collect())
    }

    /// The nest that makes a buffer.
    pub fn get(&self, buffer: BufferId) -> Option<&'p Nest> {
        self.0.get(&buffer).copied()
    }
}

fn can_be_remade(program: &Program, buffer: BufferId, nest: &Nest) -> bool {
    let [output] = &nest.outputs[..] else { return false };
    let made = &program.buffers[buffer.0 as usize];
    nest.combine.is_none()
        && nest.map.instructions.len() <= OPERATIONS_MAX
        && matches!(made.place, Place::Arena { .. })
        && walks_in_order(output, &nest.extents, made.shape.iter().product())
        && nest.inputs.iter().all(|input| is_fixed(program, input.buffer))
}

#[cfg(test)]
mod tests {
    use pygraph_artifact::{
        deployment::Deployment,
        dtype::DType,
        plan::{Access, Bind, Buffer, Launch, Node, Param, Segment, Step},
        scalar::{ScalarBody, ScalarInst, ScalarOp},
    };

    use super::*;

    /// A program whose launches add two buffers each: buffer 0 is an argument, all others lie in the arena.
    fn program(launches: &[([u32; 2], u32)]) -> Program {
        let access = |buffer| Access { buffer: BufferId(buffer), offset: 0, strides: vec![1] };
        let add = ScalarInst::Op { op: ScalarOp::Add, operands: vec![0, 1], dtype: DType::I32, immediates: Vec::new() };
        let step = |([a, b], output): &([u32; 2], u32)| {
            let map = ScalarBody { inputs: vec![DType::I32; 2], instructions: vec![add.clone()], outputs: vec![2] };
            let (inputs, outputs) = (vec![access(*a), access(*b)], vec![access(*output)]);
            let nest = Nest { extents: vec![4], reduction_dims: 0, inputs, outputs, map, combine: None };
            let (name, location) = ("add".to_string(), "test:1:1".to_string());
            let step = Step::Launch(Launch { name, location, work: Work::Nest(nest), functions: Vec::new() });
            Node { after: Vec::new(), step }
        };
        let nodes = launches.iter().map(step).collect();
        let buffer = |number: u64| {
            let place = if number == 0 { Place::Param { index: 0 } } else { Place::Arena { offset: 64 * number } };
            Buffer { dtype: DType::I32, shape: vec![4], place }
        };
        let param = Param {
            name: "x".to_string(),
            dtype: DType::I32,
            shape: vec![4],
            bind: Bind::Once,
            updated_by: None,
            cache: None,
            initial: None,
        };
        Program {
            name: "main".to_string(),
            params: vec![param],
            results: Vec::new(),
            buffers: (0..8).map(buffer).collect(),
            arena_bytes: 512,
            blocks: Vec::new(),
            device: 0,
            ensures: Vec::new(),
            retires: Vec::new(),
            segments: vec![Segment { name: "s0".to_string(), deploy: Deployment::Graph, block: None, nodes }],
        }
    }

    fn remade(launches: &[([u32; 2], u32)]) -> Vec<u32> {
        let program = program(launches);
        let makers = Makers::of(&program);
        (0..8).filter(|buffer| makers.get(BufferId(*buffer)).is_some()).collect()
    }

    #[test]
    fn what_is_made_of_arguments_once_is_made_again() {
        assert_eq!(remade(&[([0, 0], 1), ([0, 0], 2)]), [1, 2]);
    }

    #[test]
    fn what_is_made_of_other_results_or_twice_is_not() {
        assert_eq!(remade(&[([0, 0], 1), ([0, 1], 2), ([0, 0], 3), ([0, 0], 3)]), [1]);
    }

    #[test]
    fn an_argument_is_not_made() {
        assert_eq!(remade(&[([1, 1], 0)]), [] as [u32; 0]);
    }
}
