//! Loops on a GPU that wait for rows of caches: which can, and the lists that have gates in them.

use pygraph_artifact::{
    device_code::{Argument, DeviceLaunch},
    plan::{Node, PositionSource, SlotRows, Step},
};

use super::{CudaList, CudaNode, Lowering, NodeWork, push};
use crate::cuda::libraries::LibraryProduct;

/// What goes on when a loop of a segment was stopped.
#[derive(Debug, Clone, PartialEq)]
pub struct LoopParts {
    /// The loop, from the iteration that did not run, and what is behind it.
    pub resumed: CudaList,
    /// What is behind it alone.
    pub behind: CudaList,
}

/// What a loop that can be stopped goes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateAddresses {
    /// Where its gates say that they have stopped it.
    pub stopped: u64,
    /// Where their descriptions lie, one for each rows that the loop ensures.
    pub gates: Vec<u64>,
}

/// A loop whose iterations can wait for rows before anything of them has run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatedLoop {
    /// Its position in its segment.
    pub node: usize,
    /// What each iteration ensures.
    pub rows: Vec<SlotRows>,
}

/// How many loops of a segment can wait: each lies in a conditional node within those of the loops before it.
const GATED_LOOPS_MAX: usize = 8;

/// Why something in a graph cannot wait for rows: all of its caches are mapped before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ungated {
    /// Not a loop.
    NoLoop,
    /// A loop whose condition reads what it maps.
    Condition,
    /// A loop with steps in loops or choices within.
    Nested,
    /// A loop whose iterations do not begin with their positions.
    Computed,
    /// A loop behind many that can wait.
    Many,
}

impl Ungated {
    /// For people.
    pub fn reason(self) -> &'static str {
        match self {
            Ungated::NoLoop => "what grows it is not a loop of its own on the GPU",
            Ungated::Condition => "the condition of a loop on the GPU grows it",
            Ungated::Nested => "a loop or a choice inside of a loop on the GPU grows it",
            Ungated::Computed => "a loop on the GPU grows it at positions that each iteration computes",
            Ungated::Many => "a loop on the GPU grows it behind eight others of its segment",
        }
    }
}

impl GatedLoop {
    /// The loops of a segment that ensure rows and can wait for all of them at once: each iteration knows its positions when it begins.
    pub fn all(nodes: &[Node]) -> Vec<GatedLoop> {
        GatedLoop::of_segment(nodes).0
    }

    /// These, and what else of a segment ensures rows, with the reason why it cannot wait.
    pub fn of_segment(nodes: &[Node]) -> (Vec<GatedLoop>, Vec<(usize, Ungated)>) {
        let (mut gated, mut ungated) = (Vec::new(), Vec::new());
        for (number, node) in nodes.iter().enumerate() {
            match GatedLoop::rows_of(&node.step) {
                Ok(rows) if rows.is_empty() => {}
                Ok(_) if gated.len() == GATED_LOOPS_MAX => ungated.push((number, Ungated::Many)),
                Ok(rows) => gated.push(GatedLoop { node: number, rows }),
                Err(why) => ungated.push((number, why)),
            }
        }
        (gated, ungated)
    }

    /// What each iteration of a loop ensures, which is nothing if the step ensures nothing; or why it cannot wait for that.
    pub fn rows_of(step: &Step) -> Result<Vec<SlotRows>, Ungated> {
        let Step::While { body, condition, .. } = step else {
            let inside: usize = step.inside().into_iter().map(ensures).sum();
            let is_still = inside == 0 && !matches!(step, Step::Ensure(_));
            return if is_still { Ok(Vec::new()) } else { Err(Ungated::NoLoop) };
        };
        if ensures(condition) > 0 {
            return Err(Ungated::Condition);
        }
        let mut rows = Vec::new();
        for node in body {
            match &node.step {
                Step::Ensure(own)
                    if node.after.is_empty() && !matches!(own.source, Some(PositionSource::Param { .. })) =>
                {
                    rows.push(own.clone());
                }
                Step::Ensure(_) => return Err(Ungated::Computed),
                step if step.inside().into_iter().any(|nodes| ensures(nodes) > 0) => return Err(Ungated::Nested),
                _ => {}
            }
        }
        Ok(rows)
    }
}

/// How often rows are ensured, here and inside.
fn ensures(nodes: &[Node]) -> usize {
    let of = |node: &Node| match &node.step {
        Step::Ensure(_) => 1,
        step => step.inside().into_iter().map(ensures).sum(),
    };
    nodes.iter().map(of).sum()
}

impl CudaList {
    /// The same with gates in loops: the whole list, and for each loop the parts of it that go on when it was stopped.
    ///
    /// An iteration is `gate … gate, choice {the iteration, the condition | nothing}, set`. A gate that waits in vain stops the loop before
    /// anything of its iteration has run, and what the loop goes by stays as the last iteration left it; the kernel at the end, which alone sets the loop's
    /// condition, then ends it. What is behind the loop is in a choice too, which runs if the loop was not stopped.
    pub fn gated(
        nodes: &[Node],
        loops: &[(GatedLoop, GateAddresses)],
        device: &[DeviceLaunch],
        products: &[Option<LibraryProduct>],
        resolve: &dyn Fn(Argument) -> u64,
    ) -> (CudaList, Vec<LoopParts>) {
        let mut lowering = Lowering::new(device, products, resolve);
        let mut list = Vec::new();
        let positions: Vec<(usize, &GateAddresses)> =
            loops.iter().map(|(gated, addresses)| (gated.node, addresses)).collect();
        let mut parts = lowering.add_gated(nodes, &positions, &mut list);
        let conditionals = lowering.conditionals;
        for part in parts.iter_mut().flat_map(|parts| [&mut parts.resumed, &mut parts.behind]) {
            part.conditionals = conditionals;
        }
        (CudaList { nodes: list, conditionals }, parts)
    }
}

impl Lowering<'_> {
    /// Adds nodes of which some, in order, are loops with gates. Returns what goes on when each was stopped. Recurses once a loop.
    pub(super) fn add_gated(
        &mut self,
        nodes: &[Node],
        loops: &[(usize, &GateAddresses)],
        list: &mut Vec<CudaNode>,
    ) -> Vec<LoopParts> {
        let Some(((number, addresses), later)) = loops.split_first() else {
            self.add_nodes(nodes, list, &[]);
            return Vec::new();
        };
        let Step::While { condition, predicate, body } = &nodes[*number].step else {
            unreachable!("a loop with gates should be a loop")
        };
        let (conditional, predicate, stopped) = (self.new_conditional(), self.address(*predicate), addresses.stopped);
        let after = self.add_nodes(&nodes[..*number], list, &[]);
        let first = self.next_launch;
        let after = self.add_nodes(condition, list, &after);
        let set = push(list, after, NodeWork::SetWhile { conditional, predicate });

        let mut iteration = Vec::new();
        let ends = self.add_nodes(body, &mut iteration, &[]);
        let behind = std::mem::replace(&mut self.next_launch, first);
        self.add_nodes(condition, &mut iteration, &ends);
        self.next_launch = behind;
        let mut inside = Vec::new();
        let choice = self.new_conditional();
        let gates = addresses.gates.iter().fold(Vec::new(), |after, gate| {
            vec![push(&mut inside, after, NodeWork::Gate { conditional: choice, gate: *gate })]
        });
        let branches = vec![iteration, Vec::new()];
        let ran = push(&mut inside, gates, NodeWork::Switch { conditional: choice, index: stopped, branches });
        push(&mut inside, vec![ran], NodeWork::SetGatedWhile { conditional, predicate, stopped });
        let looped = push(list, vec![set], NodeWork::While { conditional, predicate, body: inside });

        let behind_loop = nodes[number + 1..].iter().map(|node| Node {
            after: node.after.iter().filter_map(|earlier| earlier.checked_sub(*number as u32 + 1)).collect(),
            step: node.step.clone(),
        });
        let later: Vec<(usize, &GateAddresses)> =
            later.iter().map(|(later, addresses)| (later - number - 1, *addresses)).collect();
        let mut rest = Vec::new();
        let mut parts = self.add_gated(&behind_loop.collect::<Vec<Node>>(), &later, &mut rest);
        if !rest.is_empty() {
            let choice = self.new_conditional();
            let decided = NodeWork::SetSwitch { conditional: choice, index: stopped, branches: 2 };
            let decided = push(list, vec![looped], decided);
            let branches = vec![rest.clone(), Vec::new()];
            push(list, vec![decided], NodeWork::Switch { conditional: choice, index: stopped, branches });
        }
        let resumed = list[set..].iter().map(|node| CudaNode {
            after: node.after.iter().filter_map(|earlier| earlier.checked_sub(set)).collect(),
            work: node.work.clone(),
        });
        // How many numbers of conditional nodes there are is known when all nodes are there.
        let part = |nodes: Vec<CudaNode>| CudaList { nodes, conditionals: 0 };
        parts.insert(0, LoopParts { resumed: part(resumed.collect()), behind: part(rest) });
        parts
    }
}
