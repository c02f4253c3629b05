//! Rewrites algebra by rules, searching with an e-graph for what moves the fewest bytes in the fewest launches.
//!
//! Before: `%0 = stablehlo.broadcast_in_dim %x`, `%1 = stablehlo.broadcast_in_dim %y`, `%2 = stablehlo.add %0, %1`.
//! After: `%0 = stablehlo.add %x, %y`, `%1 = stablehlo.broadcast_in_dim %0`.
//! Before: `stablehlo.dot_general` of a transposed weight.   After: of the weight, along its own dimensions.
//! Leaves alone: operations with effects, regions that read values from outside, and marks such as a placement; whatever
//! no rule knows only gets other operands. What the rules may not do stands in `simplify/rules.rs`.
//! Relies on: nothing beyond the verifier; `canonicalize` and `eliminate-common-subexpressions` before it save it work.
//! Guarantees: a window of operations is replaced only by a cheaper one (shared work counted once). The search is bounded in
//! nodes and iterations, not in time, so its result is always the same; windows have a fixed size and are laid twice,
//! shifted by half, so long programs are rewritten like short ones, in linear time. A remark says why searches stopped;
//! `--timing` counts the rules that fired in windows that became cheaper.

mod extract;
mod graph;
mod movement;
mod rules;

use std::collections::{BTreeMap, HashMap};

use egg::Id;

use self::graph::{Graph, Head, Node, Tables};
use super::{Changed, PassContext, PassDef, Phase, build::constant_of};
use crate::{
    diagnostic::Diagnostics,
    ir::{
        AttrMap, Attribute, BlockId, Module, OpId, Opcode, Type, ValueId,
        module::OpParts,
        ops::is_pure_op,
    },
};

/// The pass.
pub static PASS: PassDef = PassDef {
    name: "simplify",
    summary: "Rewrite algebra by rules to what moves fewer bytes in fewer launches",
    phase: Phase::Tensor,
    run,
};

/// Operations in a window.
const WINDOW: usize = 64;
/// A search stops beyond so many nodes, …
const NODES_MAX: usize = 2048;
/// … or after so many rounds.
const ITERATIONS_MAX: usize = 8;

/// Why a search stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stop {
    Saturated,
    Nodes,
    Iterations,
}

fn run(module: &mut Module, context: &PassContext) -> Result<Changed, Diagnostics> {
    let mut search = Search { rewrites: rules::rewrites(), fired: BTreeMap::new(), stops: BTreeMap::new(), improved: 0 };
    for shift in [0, WINDOW / 2] {
        sweep(module, &mut search, shift);
    }
    for (name, count) in &search.fired {
        context.count(&format!("rule {name}"), *count as u64);
    }
    let count = |stop: Stop| search.stops.get(&stop).copied().unwrap_or(0);
    let windows: u64 = search.stops.values().sum();
    context.count("windows searched", windows);
    context.count("windows improved", search.improved);
    if windows > 0 {
        let message = format!(
            "searched {windows} windows and improved {}: {} searches found all there is, {} stopped at {NODES_MAX} nodes, \
             {} after {ITERATIONS_MAX} rounds",
            search.improved,
            count(Stop::Saturated),
            count(Stop::Nodes),
            count(Stop::Iterations),
        );
        context.remark(module.remark(module.root(), message));
    }
    Ok(Changed::from(search.improved > 0))
}

struct Search {
    rewrites: Vec<rules::Rewrite>,
    fired: BTreeMap<&'static str, usize>,
    stops: BTreeMap<Stop, u64>,
    improved: u64,
}

/// Lays windows over every block once, the first of each run shortened by `shift`.
fn sweep(module: &mut Module, search: &mut Search, shift: usize) {
    let windows = windows(module, shift);
    let is_root = read_outside(module, &windows);
    let mut replaced: HashMap<ValueId, ValueId> = HashMap::new();
    for window in windows {
        simplify_window(module, search, &window, &is_root, &mut replaced);
    }
    let root = module.root();
    module.replace_values(root, &replaced);
}

/// Runs of operations that may be moved among each other, cut to size.
fn windows(module: &Module, shift: usize) -> Vec<Vec<OpId>> {
    let mut windows = Vec::new();
    for block in blocks(module) {
        let mut window = Vec::new();
        let mut room = if shift == 0 { WINDOW } else { shift };
        for op in module.block_ops(block) {
            if takes_part(module, op) {
                window.push(op);
                if window.len() == room {
                    windows.push(std::mem::take(&mut window));
                    room = WINDOW;
                }
            } else if !window.is_empty() {
                windows.push(std::mem::take(&mut window));
            }
        }
        windows.push(window);
    }
    windows.retain(|window| window.len() > 1);
    windows
}

/// The bodies of functions, loops and branches; not those of launches, which compute on scalars.
fn blocks(module: &Module) -> Vec<BlockId> {
    let holds_program = |op: &OpId| {
        matches!(
            module.op(*op).opcode,
            Opcode::FuncFunc | Opcode::StablehloWhile | Opcode::StablehloIf | Opcode::StablehloCase
        )
    };
    let owners = module.walk(module.root()).into_iter().filter(holds_program);
    owners
        .flat_map(|op| module.op(op).regions.iter().flat_map(|region| module.region(*region).blocks.iter().copied()))
        .collect()
}

/// True for pure operations with one result whose regions read nothing from outside.
fn takes_part(module: &Module, op: OpId) -> bool {
    let operation = module.op(op);
    let is_launch = operation.regions.is_empty()
        || matches!(
            operation.opcode,
            Opcode::StablehloReduce | Opcode::StablehloReduceWindow | Opcode::StablehloScatter | Opcode::StablehloMap
        ) && !captures(module, op);
    is_launch && operation.results.len() == 1 && !operation.opcode.def().is_terminator() && is_pure_op(module, op)
}

/// True if an operation inside reads a value from outside.
fn captures(module: &Module, op: OpId) -> bool {
    let inside = module.walk(op);
    let mut known: Vec<ValueId> = Vec::new();
    for nested in &inside {
        for region in &module.op(*nested).regions {
            for block in &module.region(*region).blocks {
                known.extend(&module.block(*block).arguments);
            }
        }
        known.extend(&module.op(*nested).results);
    }
    known.sort_unstable();
    inside[1..].iter().any(|nested| module.op(*nested).operands.iter().any(|value| known.binary_search(value).is_err()))
}

/// For every value, whether something outside its window reads it.
fn read_outside(module: &Module, windows: &[Vec<OpId>]) -> Vec<bool> {
    let (op_count, value_count) = module.arena_sizes();
    let mut window_of = vec![usize::MAX; op_count];
    for (at, window) in windows.iter().enumerate() {
        window.iter().for_each(|op| window_of[op.index()] = at);
    }
    let mut outside = vec![false; value_count];
    for op in module.walk(module.root()) {
        for operand in &module.op(op).operands {
            let maker = module.defining_op(*operand).map_or(usize::MAX, |maker| window_of[maker.index()]);
            if maker == usize::MAX || maker != window_of[op.index()] {
                outside[operand.index()] = true;
            }
        }
    }
    outside
}

fn simplify_window(
    module: &mut Module,
    search: &mut Search,
    window: &[OpId],
    is_root: &[bool],
    replaced: &mut HashMap<ValueId, ValueId>,
) {
    for op in window {
        for operand in &mut module.op_mut(*op).operands {
            *operand = replaced.get(operand).copied().unwrap_or(*operand);
        }
    }
    let mut built = Window::build(module, window, is_root);
    let cost_before = built.cost();
    let (stop, fired) = saturate(&mut built.graph, &search.rewrites);
    *search.stops.entry(stop).or_default() += 1;
    if fired.is_empty() {
        return;
    }
    built.rename();
    let choices = extract::choose(&built.graph, &built.made_by);
    let Some(order) = built.order(&choices) else { return };
    let cost_after: u64 = order.iter().map(|id| extract::cost(&built.graph, *id, &choices[id])).sum();
    if cost_after >= cost_before {
        return;
    }
    built.put_back(module, window, &choices, &order, replaced);
    search.improved += 1;
    for (name, count) in fired {
        *search.fired.entry(name).or_default() += count;
    }
}

/// Applies all rules until nothing new is found or a limit is reached. Returns how often each united two classes; those
/// that only swap operands are not counted.
fn saturate(graph: &mut Graph, rewrites: &[rules::Rewrite]) -> (Stop, BTreeMap<&'static str, usize>) {
    let mut fired = BTreeMap::new();
    let mut any = false;
    for _ in 0..ITERATIONS_MAX {
        let mut changed = false;
        let matches: Vec<_> = rewrites.iter().map(|rule| rule.search(graph)).collect();
        let nodes: Vec<(Id, Node)> =
            graph.classes().flat_map(|class| class.nodes.iter().map(|node| (class.id, node.clone()))).collect();
        for (rule, matches) in rewrites.iter().zip(&matches) {
            let united = rule.apply(graph, matches).len();
            changed |= united > 0;
            if united > 0 && !rule.name.as_str().starts_with("commute") {
                *fired.entry(rule.name.as_str()).or_default() += united;
            }
            if graph.total_number_of_nodes() > NODES_MAX {
                graph.rebuild();
                return (Stop::Nodes, fired);
            }
        }
        for rule in rules::NATIVE {
            for (id, node) in &nodes {
                let Head::Op(opcode) = node.head else { continue };
                if !(rule.looks_at)(opcode) {
                    continue;
                }
                if let Some(equal) = (rule.apply)(graph, node)
                    && graph.union_trusted(*id, equal, rule.name)
                {
                    changed = true;
                    *fired.entry(rule.name).or_default() += 1;
                }
            }
        }
        graph.rebuild();
        any |= changed;
        if !changed {
            return (Stop::Saturated, fired);
        }
        if graph.total_number_of_nodes() > NODES_MAX {
            return (Stop::Nodes, fired);
        }
    }
    debug_assert!(any, "a search that finds nothing should end in the first round");
    (Stop::Iterations, fired)
}

/// The e-graph of a window, and what it came from.
struct Window {
    graph: Graph,
    /// The operation that was there for a node.
    made_by: HashMap<Node, OpId>,
    /// Values read outside, in order, with their classes.
    roots: Vec<(ValueId, Id)>,
}

impl Window {
    fn build(module: &Module, window: &[OpId], is_root: &[bool]) -> Window {
        let mut built = Window { graph: Graph::new(Tables::default()), made_by: HashMap::new(), roots: Vec::new() };
        let mut class_of: HashMap<ValueId, Id> = HashMap::new();
        for op in window {
            let operation = module.op(*op);
            let mut operands = Vec::new();
            for value in &operation.operands {
                let class = *class_of.entry(*value).or_insert_with(|| {
                    let leaf = graph::leaf_node(&mut built.graph, *value, module.ty(*value).clone());
                    built.graph.add(leaf)
                });
                operands.push(class);
            }
            let result = operation.results[0];
            let node = node_of(module, *op, &operands, &mut built.graph);
            let class = built.graph.add(node.clone());
            built.made_by.entry(node).or_insert(*op);
            class_of.insert(result, class);
            if is_root.get(result.index()).copied().unwrap_or(true) {
                built.roots.push((result, class));
            }
        }
        built.graph.rebuild();
        built
    }

    /// What all that is read outside costs as it is.
    fn cost(&self) -> u64 {
        let mut pending: Vec<Id> = self.roots.iter().map(|(_, class)| *class).collect();
        let mut seen = std::collections::HashSet::new();
        let mut total = 0u64;
        while let Some(id) = pending.pop() {
            if seen.insert(id) {
                let node = &self.graph[id].nodes[0];
                total = total.saturating_add(extract::cost(&self.graph, id, node));
                pending.extend(node.children.iter().copied());
            }
        }
        total
    }

    /// Brings what is known of nodes and classes up to the unions since.
    fn rename(&mut self) {
        let mut made_by: Vec<(Node, OpId)> =
            self.made_by.drain().map(|(node, op)| (extract::canonical(&self.graph, &node), op)).collect();
        made_by.sort_unstable_by_key(|(_, op)| std::cmp::Reverse(*op));
        self.made_by = made_by.into_iter().collect();
        for (_, class) in &mut self.roots {
            *class = self.graph.find(*class);
        }
    }

    /// The classes that the roots need, each after those it needs itself.
    fn order(&self, choices: &extract::Choices) -> Option<Vec<Id>> {
        let mut order = Vec::new();
        // False while its operands are not placed.
        let mut placed: HashMap<Id, bool> = HashMap::new();
        for (_, root) in &self.roots {
            let mut pending = vec![(*root, false)];
            while let Some((id, is_ready)) = pending.pop() {
                if is_ready {
                    if !std::mem::replace(placed.get_mut(&id)?, true) {
                        order.push(id);
                    }
                    continue;
                }
                match placed.get(&id) {
                    Some(true) => continue,
                    // The choices of two roots can go round in a circle: then the window stays as it is.
                    Some(false) => return None,
                    None => placed.insert(id, false),
                };
                pending.push((id, true));
                let children = choices.get(&id)?.children.iter().rev();
                let children: Vec<Id> = children.map(|child| self.graph.find(*child)).collect();
                pending.extend(children.into_iter().filter(|child| placed.get(child) != Some(&true)).map(|id| (id, false)));
            }
        }
        Some(order)
    }

    /// Puts the chosen operations where the window was.
    fn put_back(
        &self,
        module: &mut Module,
        window: &[OpId],
        choices: &extract::Choices,
        order: &[Id],
        replaced: &mut HashMap<ValueId, ValueId>,
    ) {
        let last = *window.last().expect("a window should have operations");
        let anchor = module.op(last).next().expect("the verifier should reject a block without a terminator");
        window.iter().for_each(|op| module.detach(*op));
        let mut value_of: HashMap<Id, ValueId> = HashMap::new();
        let mut kept = std::collections::HashSet::new();
        let mut loc = module.op(last).loc;
        for id in order {
            let node = &choices[id];
            let operands: Vec<ValueId> =
                node.children.iter().filter_map(|child| value_of.get(&self.graph.find(*child)).copied()).collect();
            let node = extract::canonical(&self.graph, node);
            if let Some(op) = self.made_by.get(&node) {
                loc = module.op(*op).loc;
            }
            let value = match node.head {
                Head::Payload(_) => continue,
                Head::Leaf(at) => self.graph.analysis.leaves.get(at).0,
                _ => {
                    let op = match (self.made_by.get(&node), node.head) {
                        (Some(op), _) => *op,
                        (None, Head::Opaque(at)) => self.graph.analysis.opaques.get(at).0,
                        (None, _) => self.create(module, *id, &node, loc),
                    };
                    kept.insert(op);
                    module.op_mut(op).operands = operands.into();
                    module.insert_before(anchor, op);
                    module.op(op).results[0]
                }
            };
            value_of.insert(*id, value);
        }
        for (value, class) in &self.roots {
            let now = value_of[class];
            if now != *value {
                replaced.insert(*value, now);
                if module.value(now).name.is_none() {
                    module.value_mut(now).name = module.value(*value).name.clone();
                }
            }
        }
        window.iter().filter(|op| !kept.contains(op)).for_each(|op| module.erase(*op));
    }

    fn create(&self, module: &mut Module, id: Id, node: &Node, loc: crate::ir::Loc) -> OpId {
        let (opcode, attrs) = match node.head {
            Head::Constant(at) => {
                let elements = self.graph.analysis.constants.get(at).clone();
                (Opcode::StablehloConstant, AttrMap::from_iter([("value", Attribute::Dense(elements))]))
            }
            Head::Op(opcode) => {
                (opcode, graph::parts(&self.graph, node).0.map(|payload| payload.attrs.clone()).unwrap_or_default())
            }
            Head::Payload(_) | Head::Leaf(_) | Head::Opaque(_) => unreachable!("only operations are made"),
        };
        let ty: Type = graph::ty_of(&self.graph, id).clone();
        module.create_op(opcode, OpParts { result_types: vec![ty], attrs, ..OpParts::default() }, loc)
    }
}

/// What an operation is in the e-graph.
fn node_of(module: &Module, op: OpId, operands: &[Id], graph: &mut Graph) -> Node {
    let operation = module.op(op);
    let result = operation.results[0];
    let ty = module.ty(result).clone();
    if let Some(elements) = constant_of(module, result)
        && operation.attrs.iter().len() == 1
        && operation.opcode == Opcode::StablehloConstant
        && ty.as_tensor() == Some(&*elements.ty)
    {
        return graph::constant_node(graph, elements.clone());
    }
    if is_known(module, op) {
        graph::op_node(graph, operation.opcode, operation.attrs.clone(), operands, ty)
    } else {
        graph::opaque_node(graph, op, operands, ty)
    }
}

/// Operations that rules may rewrite. A mark (`mhlo.frontend_attributes`, …) keeps them from it.
fn is_known(module: &Module, op: OpId) -> bool {
    let operation = module.op(op);
    let is_movement = matches!(
        operation.opcode,
        Opcode::StablehloTranspose
            | Opcode::StablehloReshape
            | Opcode::StablehloBroadcastInDim
            | Opcode::StablehloDotGeneral
    );
    let has_mark = || operation.attrs.iter().any(|(name, _)| name.starts_with('_') || name.contains('.'));
    // Quantized types carry scales: an operation on them is not what its name says.
    let is_stored = |value: &ValueId| module.ty(*value).as_tensor().is_some_and(|tensor| tensor.element.dtype().is_some());
    let is_stablehlo = operation.opcode.name().starts_with("stablehlo.");
    (is_movement || operation.opcode.def().is_elementwise())
        && is_stablehlo
        && operation.regions.is_empty()
        && !operation.operands.is_empty()
        && operation.operands.iter().chain(&operation.results).all(is_stored)
        && !has_mark()
}

