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
