//! From nodes of a plan to nodes of CUDA graphs: which kernels run, after which others, and with which addresses.
//!
//! A launch is its calls in a chain, or nothing. A loop computes its condition, sets it, and then is a conditional node whose body
//! ends with the condition computed and set again. A choice sets its index, and then is a conditional node with its branches.
//!
//! What is said of rows of caches inside of segments becomes nothing in a graph, steps of the host in a list that is run kernel by kernel, and gates in a
//! loop that can be stopped ([`CudaList::gated`]).

mod gated;

use std::collections::BTreeSet;

use pygraph_artifact::{
    device_code::{Argument, DeviceCall, DeviceLaunch},
    join,
    library::Library,
    plan::{BufferId, Node, SlotRows, Step, launches},
};

pub use self::gated::{GateAddresses, GatedLoop, LoopParts, Ungated};
use super::{driver::Grid, libraries::LibraryProduct};

/// A node, and the earlier ones of its list that it runs after.
#[derive(Debug, Clone, PartialEq)]
pub struct CudaNode {
    /// Their positions, ascending.
    pub after: Vec<usize>,
    /// What it does.
    pub work: NodeWork,
}

/// What a node does.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeWork {
    /// Runs a kernel.
    Call {
        /// Number of the launch in its segment.
        launch: usize,
        /// Index into the code's kernels.
        kernel: u32,
        /// How many blocks of how many threads.
        grid: Grid,
        /// What it is given.
        addresses: Vec<u64>,
    },
    /// Has a library compute a product.
    Product {
        /// The launch's number in its segment.
        launch: usize,
        /// Which.
        product: LibraryProduct,
    },
    /// Says whether a loop goes on.
    SetWhile {
        /// The loop's number.
        conditional: usize,
        /// Where its predicate lies.
        predicate: u64,
    },
    /// Says which branch of a choice runs.
    SetSwitch {
        /// The choice's number.
        conditional: usize,
        /// Where its index lies.
        index: u64,
        /// How many branches it has.
        branches: u32,
    },
    /// Says whether a loop with gates goes on.
    SetGatedWhile {
        /// The loop's number.
        conditional: usize,
        /// Where its predicate lies.
        predicate: u64,
        /// Where its gates say that they have stopped it.
        stopped: u64,
    },
    /// Waits until an iteration has its rows; says whether it begins.
    Gate {
        /// The number of the choice between the iteration and nothing.
        conditional: usize,
        /// Where its description lies.
        gate: u64,
    },
    /// The host maps rows.
    Ensure {
        /// Which.
        rows: SlotRows,
    },
    /// The host gives up rows.
    Retire {
        /// Those below these.
        rows: SlotRows,
    },
    /// Runs a list while the condition holds.
    While {
        /// Its number.
        conditional: usize,
        /// Where its predicate lies.
        predicate: u64,
        /// The list.
        body: Vec<CudaNode>,
    },
    /// Runs one of several lists.
    Switch {
        /// Its number.
        conditional: usize,
        /// Where its index lies.
        index: u64,
        /// The lists.
        branches: Vec<Vec<CudaNode>>,
    },
}

/// The list of a segment, and how many loops and choices it has.
#[derive(Debug, Clone, PartialEq)]
pub struct CudaList {
    /// Its nodes.
    pub nodes: Vec<CudaNode>,
    /// How many numbers of conditional nodes there are.
    pub conditionals: usize,
}

impl CudaList {
    /// The nodes of a segment, whose launches are `device`, one each in order; `products` says which of them a library computes. `resolve`
    /// says where arguments lie.
    pub fn new(
        nodes: &[Node],
        device: &[DeviceLaunch],
        products: &[Option<LibraryProduct>],
        resolve: &dyn Fn(Argument) -> u64,
    ) -> CudaList {
        CudaList::lower(nodes, Lowering::new(device, products, resolve))
    }

    /// The same, to be run kernel by kernel with steps of the host between.
    pub fn stepped(
        nodes: &[Node],
        device: &[DeviceLaunch],
        products: &[Option<LibraryProduct>],
        resolve: &dyn Fn(Argument) -> u64,
    ) -> CudaList {
        CudaList::lower(nodes, Lowering { has_host_steps: true, ..Lowering::new(device, products, resolve) })
    }

    fn lower(nodes: &[Node], mut lowering: Lowering) -> CudaList {
        let mut list = Vec::new();
        lowering.add_nodes(nodes, &mut list, &[]);
        CudaList { nodes: list, conditionals: lowering.conditionals }
    }

    /// How many nodes there are, those inside of others too.
    pub fn count(&self) -> usize {
        count(&self.nodes)
    }
}

fn count(nodes: &[CudaNode]) -> usize {
    let inside = |node: &CudaNode| match &node.work {
        NodeWork::While { body, .. } => count(body),
        NodeWork::Switch { branches, .. } => branches.iter().map(|branch| count(branch)).sum(),
        _ => 0,
    };
    nodes.iter().map(|node| 1 + inside(node)).sum()
}

struct Lowering<'a> {
    device: &'a [DeviceLaunch],
    products: &'a [Option<LibraryProduct>],
    resolve: &'a dyn Fn(Argument) -> u64,
    next_launch: usize,
    conditionals: usize,
    has_host_steps: bool,
}

impl<'a> Lowering<'a> {
    fn new(
        device: &'a [DeviceLaunch],
        products: &'a [Option<LibraryProduct>],
        resolve: &'a dyn Fn(Argument) -> u64,
    ) -> Lowering<'a> {
        Lowering { device, products, resolve, next_launch: 0, conditionals: 0, has_host_steps: false }
    }
}

impl Lowering<'_> {
    /// Adds nodes that run after `roots`; returns those that have ended when all have. Recurses as deep as steps nest, which
    /// validation limits.
    fn add_nodes(&mut self, nodes: &[Node], list: &mut Vec<CudaNode>, roots: &[usize]) -> Vec<usize> {
        let sets = join::sets(nodes, &self.device[self.next_launch..]);
        let sets = sets.expect("a valid program should do together what can be");
        let numbers = join::first_launches(nodes, self.next_launch);
        let end = self.next_launch + launches(nodes).len();
        let mut ends: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
        let mut is_waited_for = vec![false; nodes.len()];
        for set in sets {
            let earlier = || set.iter().flat_map(|node| &nodes[*node].after).map(|earlier| *earlier as usize);
            earlier().for_each(|earlier| is_waited_for[earlier] = true);
            let after: Vec<usize> = match earlier().next() {
                Some(_) => earlier().flat_map(|earlier| ends[earlier].iter().copied()).collect(),
                None => roots.to_vec(),
            };
            // Those that are done with the first have no calls.
            self.next_launch = numbers[set[0]];
            let end = self.add_step(&nodes[set[0]].step, list, sorted(after));
            for node in set {
                ends[node] = end.clone();
            }
        }
        self.next_launch = end;
        let last = ends.into_iter().zip(is_waited_for).filter(|(_, is_waited_for)| !is_waited_for);
        let last: Vec<usize> = last.flat_map(|(end, _)| end).collect();
        if nodes.is_empty() { roots.to_vec() } else { sorted(last) }
    }

    fn add_step(&mut self, step: &Step, list: &mut Vec<CudaNode>, after: Vec<usize>) -> Vec<usize> {
        match step {
            Step::Launch(_) => {
                let number = self.next_launch;
                self.next_launch += 1;
                let launch = &self.device[number];
                let (after, calls) = match (&launch.library, &self.products[number]) {
                    (Library::Offer(offer), Some(product)) => (
                        vec![push(list, after, NodeWork::Product { launch: number, product: product.clone() })],
                        &offer.after,
                    ),
                    _ => (after, &launch.calls),
                };
                calls.iter().fold(after, |after, call| vec![push(list, after, self.call(number, call))])
            }
            Step::Ensure(rows) if self.has_host_steps => {
                vec![push(list, after, NodeWork::Ensure { rows: rows.clone() })]
            }
            Step::Retire(rows) if self.has_host_steps => {
                vec![push(list, after, NodeWork::Retire { rows: rows.clone() })]
            }
            Step::Ensure(_) | Step::Retire(_) => after,
            Step::While { condition, predicate, body } => {
                let (conditional, predicate) = (self.new_conditional(), self.address(*predicate));
                let set = || NodeWork::SetWhile { conditional, predicate };
                let first = self.next_launch;
                let after = self.add_nodes(condition, list, &after);
                let after = push(list, after, set());
                let mut inside = Vec::new();
                let ends = self.add_nodes(body, &mut inside, &[]);
                let behind = std::mem::replace(&mut self.next_launch, first);
                let ends = self.add_nodes(condition, &mut inside, &ends);
                push(&mut inside, ends, set());
                self.next_launch = behind;
                vec![push(list, vec![after], NodeWork::While { conditional, predicate, body: inside })]
            }
            Step::Switch { index, branches } => {
                let (conditional, index) = (self.new_conditional(), self.address(*index));
                let count = branches.len() as u32;
                let after = push(list, after, NodeWork::SetSwitch { conditional, index, branches: count });
                let branches = branches.iter().map(|nodes| {
                    let mut inside = Vec::new();
                    self.add_nodes(nodes, &mut inside, &[]);
                    inside
                });
                let branches = branches.collect();
                vec![push(list, vec![after], NodeWork::Switch { conditional, index, branches })]
            }
        }
    }

    fn call(&self, launch: usize, call: &DeviceCall) -> NodeWork {
        NodeWork::Call {
            launch,
            kernel: call.kernel,
            grid: Grid { blocks: call.grid, threads: call.block, shared_bytes: call.shared_bytes },
            addresses: call.arguments.iter().map(|argument| (self.resolve)(*argument)).collect(),
        }
    }

    fn address(&self, buffer: BufferId) -> u64 {
        (self.resolve)(Argument::Buffer(buffer))
    }

    fn new_conditional(&mut self) -> usize {
        self.conditionals += 1;
        self.conditionals - 1
    }
}

fn push(list: &mut Vec<CudaNode>, after: Vec<usize>, work: NodeWork) -> usize {
    let after = without_waited_for(list, after);
    list.push(CudaNode { after, work });
    list.len() - 1
}

/// How many nodes are looked at for each edge that could be left out: one too many is no error.
const LOOK_MAX: usize = 256;

/// Leaves out nodes that others of `after`, which is ascending, run after anyway: a kernel starts the sooner, the fewer it waits for.
fn without_waited_for(list: &[CudaNode], after: Vec<usize>) -> Vec<usize> {
    let is_needed = |earlier: &usize| {
        let mut open: Vec<usize> = after.iter().copied().filter(|other| other > earlier).collect();
        let mut seen = BTreeSet::new();
        while let Some(node) = open.pop() {
            if node == *earlier {
                return false;
            }
            if seen.len() < LOOK_MAX && seen.insert(node) {
                open.extend(list[node].after.iter().filter(|before| *before >= earlier));
            }
        }
        true
    };
    after.iter().copied().filter(is_needed).collect()
}

fn sorted(mut numbers: Vec<usize>) -> Vec<usize> {
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// The launches of each segment, of all of a program's in order.
pub fn of_segments<'a, T>(segments: &[pygraph_artifact::plan::Segment], all: &'a [T]) -> Vec<&'a [T]> {
    let mut rest = all;
    let part = |segment: &pygraph_artifact::plan::Segment| {
        let (own, others) = rest.split_at(launches(&segment.nodes).len());
        rest = others;
        own
    };
    segments.iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use pygraph_artifact::plan::{Launch, Nest, PositionSource, Work};
    use pygraph_artifact::scalar::ScalarBody;

    use super::*;

    fn launch() -> Step {
        let map = ScalarBody { inputs: vec![], instructions: vec![], outputs: vec![] };
        let nest = Nest { extents: vec![], reduction_dims: 0, inputs: vec![], outputs: vec![], map, combine: None };
        Step::Launch(Launch { name: String::new(), location: String::new(), work: Work::Nest(nest), functions: vec![] })
    }

    fn node(after: &[u32], step: Step) -> Node {
        Node { after: after.to_vec(), step }
    }

    /// A launch of so many calls of a kernel.
    fn calls(kernel: u32, count: usize) -> DeviceLaunch {
        let call = DeviceCall {
            kernel,
            grid: [1; 3],
            block: [1; 3],
            shared_bytes: 0,
            arguments: vec![Argument::Buffer(BufferId(kernel))],
        };
        DeviceLaunch { calls: vec![call; count], ..DeviceLaunch::default() }
    }

    /// A list as text: each node with what it runs after.
    fn text(nodes: &[CudaNode]) -> String {
        let one = |node: &CudaNode| {
            let after: Vec<String> = node.after.iter().map(ToString::to_string).collect();
            let work = match &node.work {
                NodeWork::Call { kernel, addresses, .. } => format!("k{kernel}{addresses:?}"),
                NodeWork::Product { product, .. } => format!("product{:?}", product.addresses),
                NodeWork::SetWhile { conditional, predicate } => format!("set{conditional}[{predicate}]"),
                NodeWork::SetSwitch { conditional, index, branches } => format!("set{conditional}[{index}]/{branches}"),
                NodeWork::SetGatedWhile { conditional, predicate, stopped } => {
                    format!("set{conditional}[{predicate}]unless[{stopped}]")
                }
                NodeWork::Gate { conditional, gate } => format!("gate{conditional}[{gate}]"),
                NodeWork::Ensure { rows } => format!("ensure{}", rows.arena),
                NodeWork::Retire { rows } => format!("retire{}", rows.arena),
                NodeWork::While { conditional, body, .. } => format!("while{conditional}{{{}}}", text(body)),
                NodeWork::Switch { conditional, branches, .. } => {
                    let branches: Vec<String> = branches.iter().map(|branch| format!("{{{}}}", text(branch))).collect();
                    format!("switch{conditional}{}", branches.concat())
                }
            };
            format!("{work}<{}>", after.join(","))
        };
        nodes.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    fn check(nodes: &[Node], device: &[DeviceLaunch], expected: &str) {
        let resolve = |argument| match argument {
            Argument::Buffer(buffer) => 100 + u64::from(buffer.0),
            Argument::Scratch { offset } => 1000 + offset,
            Argument::Status => 5,
        };
        assert_eq!(text(&CudaList::new(nodes, device, &vec![None; device.len()], &resolve).nodes), expected);
    }

    #[test]
    fn a_launch_is_a_chain_of_its_calls_or_nothing() {
        let nodes = [node(&[], launch()), node(&[], launch()), node(&[0, 1], launch()), node(&[2], launch())];
        let device = [calls(0, 2), calls(1, 1), calls(2, 0), calls(3, 1)];
        check(&nodes, &device, "k0[100]<> k0[100]<0> k1[101]<> k3[103]<1,2>");
    }

    #[test]
    fn nobody_waits_twice_for_one_node() {
        let nodes = [
            node(&[], launch()),
            node(&[0], launch()),
            node(&[], launch()),
            node(&[0, 1], launch()),
            node(&[0, 2, 3], launch()),
        ];
        let device = [calls(0, 1), calls(1, 1), calls(2, 1), calls(3, 1), calls(4, 1)];
        check(&nodes, &device, "k0[100]<> k1[101]<0> k2[102]<> k3[103]<1> k4[104]<2,3>");
    }

    #[test]
    fn launches_that_are_done_together_are_one_node() {
        let nodes = [
            node(&[], launch()),
            node(&[0], launch()),
            node(&[], launch()),
            node(&[0, 2], launch()),
            node(&[1], launch()),
            node(&[3], launch()),
        ];
        let with = DeviceLaunch { joins: Some(2), ..DeviceLaunch::default() };
        let device = [calls(0, 1), calls(1, 1), calls(2, 1), with, calls(4, 1), calls(5, 1)];
        check(&nodes, &device, "k0[100]<> k2[102]<> k1[101]<0,1> k4[104]<2> k5[105]<2>");
    }

    #[test]
    fn a_loop_sets_its_condition_before_it_and_at_the_end_of_its_body() {
        let condition = vec![node(&[], launch()), node(&[0], launch())];
        let body = vec![node(&[], launch()), node(&[], launch())];
        let nodes = [
            node(&[], launch()),
            node(&[0], Step::While { condition, predicate: BufferId(7), body }),
            node(&[1], launch()),
        ];
        let device = [calls(0, 1), calls(1, 1), calls(2, 1), calls(3, 1), calls(4, 1), calls(5, 1)];
        let expected = "k0[100]<> k1[101]<0> k2[102]<1> set0[107]<2> \
                        while0{k3[103]<> k4[104]<> k1[101]<0,1> k2[102]<2> set0[107]<3>}<3> k5[105]<4>";
        check(&nodes, &device, expected);
    }

    #[test]
    fn a_choice_sets_its_index_and_branches_may_be_empty_or_choices_again() {
        let inner = Step::Switch { index: BufferId(2), branches: vec![vec![node(&[], launch())]] };
        let branches = vec![vec![], vec![node(&[], launch()), node(&[0], inner)]];
        let nodes = [node(&[], Step::Switch { index: BufferId(1), branches }), node(&[0], launch())];
        let device = [calls(0, 1), calls(1, 1), calls(2, 1)];
        let expected = "set0[101]/2<> switch0{}{k0[100]<> set1[102]/1<0> switch1{k1[101]<>}<1>}<0> k2[102]<1>";
        check(&nodes, &device, expected);
    }

    /// Rows at positions that the loop carries, or that are computed after `after`.
    fn ensure(after: &[u32]) -> Node {
        let source = Some(PositionSource::Buffer(BufferId(9)));
        let rows =
            SlotRows { arena: 4, source, spread: pygraph_artifact::plan::Spread::One, offsets: vec![0], window: None };
        node(after, Step::Ensure(rows))
    }

    fn growing_loop(ensure: Node) -> Vec<Node> {
        let body = vec![node(&[], launch()), ensure, node(&[0, 1], launch())];
        let condition = vec![node(&[], launch())];
        let looped = Step::While { condition, predicate: BufferId(7), body };
        vec![node(&[], launch()), node(&[0], looped), node(&[0], launch()), node(&[1, 2], launch())]
    }

    fn six_calls() -> Vec<DeviceLaunch> {
        (0..6).map(|kernel| calls(kernel, 1)).collect()
    }

    #[test]
    fn a_loop_that_grows_caches_has_gates_and_can_be_taken_up_again() {
        let nodes = growing_loop(ensure(&[]));
        let gated = GatedLoop::all(&nodes);
        assert_eq!(gated.iter().map(|gated| (gated.node, gated.rows.len())).collect::<Vec<_>>(), [(1, 1)]);
        let resolve = |argument| if let Argument::Buffer(buffer) = argument { 100 + u64::from(buffer.0) } else { 0 };
        let addresses = GateAddresses { stopped: 8, gates: vec![50] };
        let loops: Vec<_> = gated.into_iter().map(|gated| (gated, addresses.clone())).collect();
        let (list, parts) = CudaList::gated(&nodes, &loops, &six_calls(), &vec![None; 6], &resolve);
        let looped = "while0{gate1[50]<> switch1{k2[102]<> k3[103]<0> k1[101]<1>}{}<0> set0[107]unless[8]<1>}";
        let behind = "k4[104]<> k5[105]<0>";
        let choice = format!("switch2{{{behind}}}{{}}");
        let whole = format!("k0[100]<> k1[101]<0> set0[107]<1> {looped}<2> set2[8]/2<3> {choice}<4>");
        assert_eq!(text(&list.nodes), whole);
        let [parts] = &parts[..] else { panic!("one loop has gates") };
        assert_eq!(text(&parts.resumed.nodes), format!("set0[107]<> {looped}<0> set2[8]/2<1> {choice}<2>"));
        assert_eq!(text(&parts.behind.nodes), behind);
        assert_eq!([&list, &parts.resumed, &parts.behind].map(|list| list.conditionals), [3; 3]);
    }

    #[test]
    fn each_of_several_loops_has_gates_and_begins_unless_one_before_it_was_stopped() {
        let looped = |after: &[u32]| {
            let body = vec![ensure(&[]), node(&[0], launch())];
            node(after, Step::While { condition: vec![], predicate: BufferId(7), body })
        };
        let nodes = [looped(&[]), node(&[0], launch()), looped(&[1]), node(&[2], launch())];
        let addresses = [8, 9].map(|stopped| GateAddresses { stopped, gates: vec![stopped * 10] });
        let loops: Vec<_> = GatedLoop::all(&nodes).into_iter().zip(addresses).collect();
        let device: Vec<DeviceLaunch> = (0..4).map(|kernel| calls(kernel, 1)).collect();
        let resolve = |argument| if let Argument::Buffer(buffer) = argument { 100 + u64::from(buffer.0) } else { 0 };
        let (list, parts) = CudaList::gated(&nodes, &loops, &device, &vec![None; 4], &resolve);
        let body = |conditional: usize, kernel: u64, stopped: u64| {
            let choice = conditional + 1;
            format!(
                "while{conditional}{{gate{choice}[{stopped}0]<> switch{choice}{{k{kernel}[10{kernel}]<>}}{{}}<0> \
                 set{conditional}[107]unless[{stopped}]<1>}}"
            )
        };
        let second = format!("set2[107]<> {}<0> set4[9]/2<1> switch4{{k3[103]<>}}{{}}<2>", body(2, 2, 9));
        let between = format!("k1[101]<> set2[107]<0> {}<1> set4[9]/2<2> switch4{{k3[103]<>}}{{}}<3>", body(2, 2, 9));
        let first = format!("set0[107]<> {}<0> set5[8]/2<1> switch5{{{between}}}{{}}<2>", body(0, 0, 8));
        assert_eq!(text(&list.nodes), first);
        let found: Vec<[String; 2]> =
            parts.iter().map(|parts| [&parts.resumed, &parts.behind].map(|list| text(&list.nodes))).collect();
        assert_eq!(found, [[first, between], [second, "k3[103]<>".to_string()]]);
    }

    #[test]
    fn a_loop_that_computes_its_positions_has_no_gates() {
        let nodes = growing_loop(ensure(&[0]));
        assert_eq!(GatedLoop::all(&nodes), []);
        assert_eq!(GatedLoop::rows_of(&nodes[1].step), Err(Ungated::Computed));
        let resolve = |_| 0;
        let list = CudaList::stepped(&nodes, &six_calls(), &vec![None; 6], &resolve);
        let stepped = "while0{k2[0]<> ensure4<0> k3[0]<1> k1[0]<2> set0[0]<3>}";
        assert_eq!(text(&list.nodes), format!("k0[0]<> k1[0]<0> set0[0]<1> {stepped}<2> k4[0]<0> k5[0]<3,4>"));
    }

    #[test]
    fn what_cannot_wait_for_rows_says_why() {
        let looped = |condition, body| Step::While { condition, predicate: BufferId(7), body };
        let choice = Step::Switch { index: BufferId(1), branches: vec![vec![ensure(&[])], vec![]] };
        let why = |step: &Step| GatedLoop::rows_of(step).expect_err("it cannot wait");
        assert_eq!(why(&ensure(&[]).step), Ungated::NoLoop);
        assert_eq!(why(&choice), Ungated::NoLoop);
        assert_eq!(why(&looped(vec![ensure(&[])], vec![])), Ungated::Condition);
        assert_eq!(why(&looped(vec![], vec![node(&[], choice)])), Ungated::Nested);
        assert_eq!(GatedLoop::rows_of(&looped(vec![], vec![node(&[], launch())])), Ok(vec![]));
    }

    #[test]
    fn a_loop_without_launches_in_its_condition_goes_by_its_body() {
        let nodes =
            [node(&[], Step::While { condition: vec![], predicate: BufferId(0), body: vec![node(&[], launch())] })];
        check(&nodes, &[calls(0, 1)], "set0[100]<> while0{k0[100]<> set0[100]<0>}<0>");
    }
}
