//! Small arrays that kernels compute again where they need them: positions, say, which a loop nest makes of the number that the host gives.
//!
//! Such a number is the same throughout a step, so a kernel that computes it itself need not wait for the nest, and knows before earlier kernels have ended
//! what it will read. The nest stays for those that read its result.

use std::collections::BTreeMap;

use pygraph_artifact::plan::{BufferId, Launch, Nest, Place, Program, Work};
use pygraph_kernels::nest::walks_in_order;

use crate::address::is_fixed;

/// The most operations that an element may take.
const OPERATIONS_MAX: usize = 16;

/// What lies in a program's arena, at some place in the order of its launches, that can be made again. Buffers of one type at one place are one buffer, whatever lies there, and others may share its bytes: so
/// what counts is who has written there last.
#[derive(Debug)]
pub struct Makers<'p> {
    program: &'p Program,
    /// By offset, without overlaps: where a buffer ends, which it is, and the nest that has made it.
    made: BTreeMap<u64, (u64, BufferId, &'p Nest)>,
}

impl<'p> Makers<'p> {
    /// Before the first launch.
    pub fn new(program: &'p Program) -> Makers<'p> {
        Makers { program, made: BTreeMap::new() }
    }

    /// Takes note of a launch. What one within a loop or a choice makes is not made again.
    pub fn note(&mut self, launch: &'p Launch, is_inside: bool) {
        let written = launch.work.writes();
        let ranges: Vec<(u64, u64)> = written.iter().filter_map(|buffer| self.range_of(*buffer)).collect();
        for (start, end) in ranges {
            while let Some((first, (last, ..))) = self.made.range(..end).next_back()
                && *last > start
            {
                let first = *first;
                self.made.remove(&first);
            }
        }
        if let (Work::Nest(nest), [buffer], false) = (&launch.work, &written[..], is_inside)
            && can_be_remade(self.program, *buffer, nest)
            && let Some((start, end)) = self.range_of(*buffer)
        {
            self.made.insert(start, (end, *buffer, nest));
        }
    }

    /// The nest that has made what lies in a buffer.
    pub fn get(&self, buffer: BufferId) -> Option<&'p Nest> {
        let (_, found, nest) = self.made.get(&self.range_of(buffer)?.0)?;
        (*found == buffer).then_some(nest)
    }

    /// The bytes of the arena that a buffer covers; none if it lies elsewhere, or has none.
    fn range_of(&self, buffer: BufferId) -> Option<(u64, u64)> {
        let buffer = &self.program.buffers[buffer.0 as usize];
        let Place::Arena { offset } = buffer.place else { return None };
        let bytes = buffer.shape.iter().product::<u64>() * buffer.dtype.size_bytes() as u64;
        (bytes > 0).then_some((offset, offset + bytes))
    }
}

fn can_be_remade(program: &Program, buffer: BufferId, nest: &Nest) -> bool {
    let [output] = &nest.outputs[..] else { return false };
    let made = &program.buffers[buffer.0 as usize];
    nest.combine.is_none()
        && nest.map.instructions.len() <= OPERATIONS_MAX
        && walks_in_order(output, &nest.extents, made.shape.iter().product())
        && nest.inputs.iter().all(|input| is_fixed(program, input.buffer))
}

#[cfg(test)]
mod tests {
    use pygraph_artifact::{
        deployment::Deployment,
        dtype::DType,
        plan::{Access, Bind, Buffer, Node, Param, Segment, Step, launches},
        scalar::{ScalarBody, ScalarInst, ScalarOp},
    };

    use super::*;

    /// A program whose launches add two buffers each: buffer 0 is an argument, all others lie in the arena, 7 where the second half of 6 does.
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
            let place = match number {
                0 => Place::Param { index: 0 },
                7 => Place::Arena { offset: 64 * 6 + 8 },
                _ => Place::Arena { offset: 64 * number },
            };
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

    /// Which buffers can be made again after launches, of which the last is in a loop if `is_inside`.
    fn remade(added: &[([u32; 2], u32)], is_inside: bool) -> Vec<u32> {
        let program = program(added);
        let mut makers = Makers::new(&program);
        let all = launches(&program.segments[0].nodes);
        for (number, launch) in all.iter().enumerate() {
            makers.note(launch, is_inside && number + 1 == all.len());
        }
        (0..8).filter(|buffer| makers.get(BufferId(*buffer)).is_some()).collect()
    }

    #[test]
    fn what_is_made_of_arguments_is_made_again_and_nothing_else() {
        assert_eq!(remade(&[([0, 0], 1), ([0, 0], 2), ([0, 1], 3)], false), [1, 2]);
        assert_eq!(remade(&[([1, 1], 0)], false), [] as [u32; 0]);
    }

    #[test]
    fn who_has_written_last_counts_also_by_another_buffer() {
        assert_eq!(remade(&[([0, 1], 2), ([0, 0], 2)], false), [2]);
        assert_eq!(remade(&[([0, 0], 2), ([0, 1], 2)], false), [] as [u32; 0]);
        assert_eq!(remade(&[([0, 0], 6), ([0, 1], 7)], false), [] as [u32; 0]);
        assert_eq!(remade(&[([0, 0], 6), ([0, 0], 7)], false), [7]);
    }

    #[test]
    fn what_a_loop_makes_is_not_made_again_and_hides_what_was_there() {
        assert_eq!(remade(&[([0, 0], 1), ([0, 0], 2)], true), [1]);
        assert_eq!(remade(&[([0, 0], 1), ([0, 0], 1)], true), [] as [u32; 0]);
    }
}
