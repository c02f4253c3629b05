//! Puts launches into segments.
//!
//! Before: launches in a function.   After: `pyg.segment @s0` holds those that can be one graph and yields what others read;
//! between two segments stand the operations that no device runs (`pyg.boundary`), and loops and choices that hold some.
//! Leaves alone: a function that has a segment already.
//! Relies on: the kernel level.
//! What is mapped of caches is mapped before the first segment (`pyg.kv.ensure`), and given up after the last (`pyg.kv.retire`).
//! Guarantees: segments are convex, and as few as the order of dependences allows: each takes every launch that is ready,
//! so independent work never stands on the wrong side of a boundary. Constants, views and empty tensors are made where they
//! are read. Each boundary is a remark that says what cuts there, why, and what would remove the cut. Time is linear.

use std::collections::{HashMap, HashSet};

use petgraph::{
    Direction,
    graph::{DiGraph, NodeIndex},
};
use smallvec::SmallVec;

use super::{Changed, PassContext, PassDef, Phase};
use crate::{
    diagnostic::{Decision, DecisionKind, Diagnostic, Diagnostics},
    ir::{AttrMap, Attribute, BlockId, Module, OpId, Opcode, ValueId, module::OpParts, ops::effects::is_pure_op},
};

/// See the module.
pub static PASS: PassDef = PassDef {
    name: "form-segments",
    summary: "Put launches into segments, between the points where the host takes part",
    phase: Phase::Plan,
    run,
};

fn run(module: &mut Module, context: &PassContext) -> Result<Changed, Diagnostics> {
    let mut changed = false;
    for function in module.functions().collect::<Vec<OpId>>() {
        let Some(block) = module.region_block(function, 0) else { continue };
        if module.block_ops(block).any(|op| module.op(op).opcode == Opcode::PygSegment) {
            continue;
        }
        for op in module.walk(function) {
            if let Some(remark) = cut(module, op) {
                context.remark(remark);
            }
        }
        let (ensures, retires) = set_aside_mapping(module, block);
        let mut next = 0;
        partition(module, block, &mut next);
        let (first, end) = (module.block(block).first(), module.block(block).last());
        if let (Some(first), Some(end)) = (first, end) {
            ensures.into_iter().for_each(|op| module.insert_before(first, op));
            retires.into_iter().for_each(|op| module.insert_before(end, op));
        }
        changed = true;
    }
    Ok(changed.into())
}

/// Takes what the host does to arenas out of a function's block, in order. It reads arguments alone.
fn set_aside_mapping(module: &mut Module, block: BlockId) -> (Vec<OpId>, Vec<OpId>) {
    let mut aside = (Vec::new(), Vec::new());
    for op in module.block_op_ids(block) {
        match module.op(op).opcode {
            Opcode::PygKvEnsure => aside.0.push(op),
            Opcode::PygKvRetire => aside.1.push(op),
            _ => continue,
        }
        module.detach(op);
    }
    aside
}

/// What is said of an operation that ends a segment.
fn cut(module: &Module, op: OpId) -> Option<Diagnostic> {
    let operation = module.op(op);
    let text = |name: &str| operation.attr(name).and_then(Attribute::as_str).map(str::to_string);
    let (op_name, reason, remedy) = match operation.opcode {
        Opcode::PygBoundary => {
            let (what, reason) = (text("what").unwrap_or_default(), text("reason").unwrap_or_default());
            let reason = reason.strip_prefix(&format!("{what}: ")).map(str::to_string).unwrap_or(reason);
            (what, reason, text("remedy"))
        }
        Opcode::PygWhile | Opcode::PygSwitch if class_of(module, op) == Class::Host => (
            operation.opcode.name().to_string(),
            "the host steps through it, since a cut is inside".to_string(),
            Some("remove the cuts inside".to_string()),
        ),
        _ => return None,
    };
    let decision = Decision { kind: DecisionKind::Cut, op: op_name, reason, remedy };
    Some(module.decision(op, decision))
}

/// Who an operation belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Class {
    /// Nobody: no work is done. It is made wherever it is read.
    Free,
    /// The device: it can be in a segment.
    Device,
    /// The host.
    Host,
}

fn class_of(module: &Module, op: OpId) -> Class {
    match module.op(op).opcode {
        Opcode::PygConstant | Opcode::PygEmpty | Opcode::PygView => Class::Free,
        Opcode::PygBoundary => Class::Host,
        Opcode::PygWhile | Opcode::PygSwitch => {
            let inside = module.walk(op);
            let is_cut = inside.into_iter().any(|op| module.op(op).opcode == Opcode::PygBoundary);
            if is_cut { Class::Host } else { Class::Device }
        }
        _ => Class::Device,
    }
}

/// Puts the launches of a block into segments, and those in loops and choices that the host steps through.
fn partition(module: &mut Module, block: BlockId, next: &mut usize) {
    let ops = module.block_op_ids(block);
    let Some((end, body)) = ops.split_last() else { return };
    let classes: HashMap<OpId, Class> = body.iter().map(|op| (*op, class_of(module, *op))).collect();
    if classes.values().all(|class| *class != Class::Host) {
        let yielded = module.op(*end).operands.to_vec();
        let segment = segment(module, *end, body, &yielded, next);
        let results = module.op(segment).results.iter().copied().collect();
        module.op_mut(*end).operands = results;
        return;
    }
    let graph = dependences(module, body, &classes);
    let groups = fewest(&graph, &classes);
    let mut rebuild = Rebuild::new(module, body, *end, &classes, &groups);
    for group in &groups {
        match group.class {
            Class::Device => rebuild.segment(&group.ops, next),
            _ => rebuild.host_steps(&group.ops),
        }
    }
    rebuild.finish();
    let host_ops = groups.iter().filter(|group| group.class == Class::Host).flat_map(|group| &group.ops);
    for op in host_ops {
        for region in 0..module.op(*op).regions.len() {
            if let Some(block) = module.region_block(*op, region) {
                partition(module, block, next);
            }
        }
    }
}

/// Makes a segment of operations before `anchor`; its results are what it yields.
fn segment(module: &mut Module, anchor: OpId, ops: &[OpId], yielded: &[ValueId], next: &mut usize) -> OpId {
    let region = module.create_region();
    let body = module.create_block(region);
    for op in ops {
        module.detach(*op);
        module.append(body, *op);
    }
    let loc = module.op(anchor).loc;
    let parts = OpParts { operands: yielded.iter().copied().collect(), ..OpParts::default() };
    let terminator = module.create_op(Opcode::PygYield, parts, loc);
    module.append(body, terminator);
    let result_types = yielded.iter().map(|value| module.ty(*value).clone()).collect();
    let attrs = AttrMap::from_iter([("sym_name", Attribute::string(&format!("s{next}")))]);
    *next += 1;
    let loc = module.parent_op(anchor).map_or(loc, |owner| module.op(owner).loc);
    let parts = OpParts { result_types, attrs, regions: [region].into_iter().collect(), ..OpParts::default() };
    let segment = module.create_op(Opcode::PygSegment, parts, loc);
    module.insert_before(anchor, segment);
    segment
}

/// Operations of one class that run one after another.
#[derive(Debug)]
struct Group {
    class: Class,
    ops: Vec<OpId>,
}

/// An edge for every value that one operation makes and another reads, perhaps through views, and between operations
/// that do more than compute.
fn dependences(module: &Module, body: &[OpId], classes: &HashMap<OpId, Class>) -> DiGraph<OpId, ()> {
    let mut graph = DiGraph::new();
    let mut nodes: HashMap<OpId, NodeIndex> = HashMap::new();
    let mut last_effect = None;
    for op in body.iter().filter(|op| classes[*op] != Class::Free) {
        let node = graph.add_node(*op);
        nodes.insert(*op, node);
        let mut sources: HashSet<NodeIndex> = HashSet::new();
        for value in values_read(module, *op) {
            let maker = source(module, value, classes).and_then(|value| module.defining_op(value));
            sources.extend(maker.and_then(|maker| nodes.get(&maker)));
        }
        if !is_pure_op(module, *op) {
            sources.extend(last_effect.replace(node));
        }
        for source in sources {
            graph.add_edge(source, node, ());
        }
    }
    graph
}

/// What an operation reads, in its regions too.
fn values_read(module: &Module, op: OpId) -> Vec<ValueId> {
    module.walk(op).into_iter().flat_map(|op| module.op(op).operands.to_vec()).collect()
}

/// The value of a launch or an argument that a value is a view of; none for a constant.
fn source(module: &Module, value: ValueId, classes: &HashMap<OpId, Class>) -> Option<ValueId> {
    let mut value = value;
    loop {
        match module.defining_op(value) {
            Some(op) if classes.get(&op) == Some(&Class::Free) => value = *module.op(op).operands.first()?,
            _ => return Some(value),
        }
    }
}

/// The order with the fewest segments: from either class, everything that is ready, by turns.
fn fewest(graph: &DiGraph<OpId, ()>, classes: &HashMap<OpId, Class>) -> Vec<Group> {
    let count = |groups: &[Group]| groups.iter().filter(|group| group.class == Class::Device).count();
    let (device_first, host_first) =
        (by_turns(graph, classes, Class::Device), by_turns(graph, classes, Class::Host));
    if count(&host_first) < count(&device_first) { host_first } else { device_first }
}

fn by_turns(graph: &DiGraph<OpId, ()>, classes: &HashMap<OpId, Class>, first: Class) -> Vec<Group> {
    let mut missing: Vec<usize> =
        graph.node_indices().map(|node| graph.neighbors_directed(node, Direction::Incoming).count()).collect();
    let mut ready: HashMap<Class, Vec<NodeIndex>> = HashMap::new();
    for node in graph.node_indices().filter(|node| missing[node.index()] == 0) {
        ready.entry(classes[&graph[node]]).or_default().push(node);
    }
    let (mut groups, mut class) = (Vec::new(), first);
    while ready.values().any(|nodes| !nodes.is_empty()) {
        let mut taken: Vec<NodeIndex> = Vec::new();
        while let Some(node) = ready.get_mut(&class).and_then(Vec::pop) {
            taken.push(node);
            for reader in graph.neighbors(node) {
                missing[reader.index()] -= 1;
                if missing[reader.index()] == 0 {
                    ready.entry(classes[&graph[reader]]).or_default().push(reader);
                }
            }
        }
        // Nodes are numbered in order of the text, which is an order of dependences.
        taken.sort();
        if !taken.is_empty() {
            groups.push(Group { class, ops: taken.into_iter().map(|node| graph[node]).collect() });
        }
        class = if class == Class::Device { Class::Host } else { Class::Device };
    }
    groups
}

/// A block in the making: its operations move into segments, or to the block's end.
struct Rebuild<'m> {
    module: &'m mut Module,
    /// The block's terminator; everything is put before it.
    end: OpId,
    classes: HashMap<OpId, Class>,
    /// Free operations of the block, which are copied to where they are read and then go.
    free: Vec<OpId>,
    /// The group of every operation, by position.
    group_of: HashMap<OpId, usize>,
    /// For each value of a launch the groups that read it; the block's end counts as one after the last.
    readers: HashMap<ValueId, SmallVec<[usize; 2]>>,
    /// What stands outside of segments for a value.
    outside: HashMap<ValueId, ValueId>,
}

impl Rebuild<'_> {
    fn new<'m>(
        module: &'m mut Module,
        body: &[OpId],
        end: OpId,
        classes: &HashMap<OpId, Class>,
        groups: &[Group],
    ) -> Rebuild<'m> {
        let numbered = groups.iter().enumerate();
        let group_of: HashMap<OpId, usize> = numbered.flat_map(|(at, group)| group.ops.iter().map(move |op| (*op, at))).collect();
        let mut readers: HashMap<ValueId, SmallVec<[usize; 2]>> = HashMap::new();
        let reading = body.iter().chain([&end]).filter(|op| classes.get(*op) != Some(&Class::Free));
        for op in reading {
            let group = group_of.get(op).copied().unwrap_or(groups.len());
            for value in values_read(module, *op) {
                if let Some(source) = source(module, value, classes) {
                    readers.entry(source).or_default().push(group);
                }
            }
        }
        let free = body.iter().copied().filter(|op| classes[op] == Class::Free).collect();
        Rebuild { module, end, classes: classes.clone(), free, group_of, readers, outside: HashMap::new() }
    }

    /// A segment of these launches, which yields what other groups read.
    fn segment(&mut self, ops: &[OpId], next: &mut usize) {
        let group = self.group_of[&ops[0]];
        let mut local: HashMap<ValueId, ValueId> = HashMap::new();
        let mut placed = Vec::new();
        for op in ops {
            self.module.detach(*op);
            for value in values_read(self.module, *op) {
                self.bring(value, group, &mut local, &mut placed);
            }
            self.module.replace_values(*op, &local);
            placed.push(*op);
        }
        let results = ops.iter().flat_map(|op| self.module.op(*op).results.to_vec());
        let is_read = |value: &ValueId| self.readers.get(value).is_some_and(|by| by.iter().any(|at| *at != group));
        let yielded: Vec<ValueId> = results.filter(is_read).collect();
        let segment = segment(self.module, self.end, &placed, &yielded, next);
        let results = self.module.op(segment).results.to_vec();
        self.outside.extend(yielded.into_iter().zip(results));
    }

    /// Puts what a value needs to be read in a group into `placed`, and its name there into `local`.
    fn bring(
        &mut self,
        value: ValueId,
        group: usize,
        local: &mut HashMap<ValueId, ValueId>,
        placed: &mut Vec<OpId>,
    ) {
        let mut chain = Vec::new();
        let mut at = value;
        while !local.contains_key(&at)
            && let Some(op) = self.module.defining_op(at)
            && self.classes.get(&op) == Some(&Class::Free)
        {
            chain.push(op);
            let Some(operand) = self.module.op(op).operands.first() else { break };
            at = *operand;
        }
        let is_elsewhere = self.module.defining_op(at).and_then(|op| self.group_of.get(&op)).is_some_and(|own| *own != group);
        if is_elsewhere && let Some(result) = self.outside.get(&at) {
            local.insert(at, *result);
        }
        for op in chain.into_iter().rev() {
            let operands = self.module.op(op).operands.iter();
            let mut mapping = operands.filter_map(|value| Some((*value, *local.get(value)?))).collect();
            let copy = self.module.clone_op(op, &mut mapping);
            local.insert(self.module.op(op).results[0], self.module.op(copy).results[0]);
            placed.push(copy);
        }
    }

    /// Moves operations of the host to where the block has got to.
    fn host_steps(&mut self, ops: &[OpId]) {
        for op in ops {
            self.module.detach(*op);
            self.read_outside(*op);
            self.module.insert_before(self.end, *op);
        }
    }

    /// Gives an operation outside of segments its operands.
    fn read_outside(&mut self, op: OpId) {
        let mut local = HashMap::new();
        let mut placed = Vec::new();
        for value in values_read(self.module, op) {
            self.bring(value, usize::MAX, &mut local, &mut placed);
        }
        for made in placed {
            self.module.insert_before(self.end, made);
        }
        self.module.replace_values(op, &local);
    }

    fn finish(mut self) {
        self.read_outside(self.end);
        for op in self.free.iter().rev() {
            self.module.erase(*op);
        }
    }
}

#[cfg(test)]
mod tests {
    use petgraph::algo::has_path_connecting;
    use proptest::prelude::*;

    use super::*;
    use crate::ir::Loc;

    /// A graph of operations with a class each and edges from lower to higher numbers.
    fn graph_of(classes: &[bool], edges: &[(usize, usize)]) -> (DiGraph<OpId, ()>, HashMap<OpId, Class>) {
        let mut module = Module::new("t.mlir");
        let ops: Vec<OpId> =
            classes.iter().map(|_| module.create_op(Opcode::PygBoundary, OpParts::default(), Loc::UNKNOWN)).collect();
        let mut graph = DiGraph::new();
        let nodes: Vec<NodeIndex> = ops.iter().map(|op| graph.add_node(*op)).collect();
        for (a, b) in edges {
            graph.update_edge(nodes[*a], nodes[*b], ());
        }
        let class = |is_host: &bool| if *is_host { Class::Host } else { Class::Device };
        (graph, ops.into_iter().zip(classes.iter().map(class)).collect())
    }

    /// The fewest segments of any order, by trying all.
    fn fewest_by_search(graph: &DiGraph<OpId, ()>, classes: &HashMap<OpId, Class>) -> usize {
        let count = graph.node_count();
        let mut best: HashMap<(usize, Option<Class>), usize> = HashMap::from([((0, None), 0)]);
        for done in 0..1usize << count {
            for last in [None, Some(Class::Device), Some(Class::Host)] {
                let Some(segments) = best.get(&(done, last)).copied() else { continue };
                for node in graph.node_indices().filter(|node| done & (1 << node.index()) == 0) {
                    let mut needed = graph.neighbors_directed(node, Direction::Incoming);
                    if needed.any(|other| done & (1 << other.index()) == 0) {
                        continue;
                    }
                    let class = classes[&graph[node]];
                    let opens = class == Class::Device && last != Some(Class::Device);
                    let found = best.entry((done | 1 << node.index(), Some(class))).or_insert(usize::MAX);
                    *found = (*found).min(segments + usize::from(opens));
                }
            }
        }
        let whole = (1 << count) - 1;
        [None, Some(Class::Device), Some(Class::Host)].iter().filter_map(|last| best.get(&(whole, *last))).copied().min().unwrap_or(0)
    }

    proptest! {
        #[test]
        fn segments_are_convex_and_the_fewest_there_are(
            classes in prop::collection::vec(any::<bool>(), 1..9),
            pairs in prop::collection::vec((0usize..9, 0usize..9), 0..16),
        ) {
            let count = classes.len();
            let edges: Vec<_> =
                pairs.into_iter().filter(|(a, b)| a < b && *b < count).collect();
            let (graph, classes) = graph_of(&classes, &edges);
            let groups = fewest(&graph, &classes);
            let group_of: HashMap<OpId, usize> =
                groups.iter().enumerate().flat_map(|(at, group)| group.ops.iter().map(move |op| (*op, at))).collect();
            prop_assert_eq!(group_of.len(), count);
            for edge in graph.edge_indices() {
                let (a, b) = graph.edge_endpoints(edge).expect("an edge should have ends");
                prop_assert!(group_of[&graph[a]] <= group_of[&graph[b]]);
            }
            // Convex: no path leaves a group and comes back.
            for a in graph.node_indices() {
                for b in graph.node_indices().filter(|b| group_of[&graph[a]] == group_of[&graph[*b]]) {
                    let leaves = graph.node_indices().any(|c| {
                        group_of[&graph[c]] != group_of[&graph[a]]
                            && has_path_connecting(&graph, a, c, None)
                            && has_path_connecting(&graph, c, b, None)
                    });
                    prop_assert!(!leaves);
                }
            }
            let segments = groups.iter().filter(|group| group.class == Class::Device).count();
            prop_assert_eq!(segments, fewest_by_search(&graph, &classes));
        }
    }
}
