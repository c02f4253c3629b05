//! Chooses for every segment the form in which it runs: the cheapest by the cost model, or by a profile.
//!
//! Before: `pyg.segment @s0`.   After: the same with `deploy = "graph"` and `estimates_us = {graph = …, stream = …}`.
//! Forms of a segment without loops: a stream, or a graph whose launches read what changes from the parameter block. A
//! library call takes addresses by value: a graph patches it, or copies what it reads (`graph-copies`). Forms of a segment
//! with loops: a stream, `host-loop` and `device-loop`. `--deploy` forces one where the segment has it, and the nearest
//! where not: `graph` for a form with loops, and the other way round.
//! Leaves alone: segments that have been decided.   Relies on: `write-blocks`, which shows which addresses change.
//! Guarantees: no segment takes longer than on a stream, by the numbers that were used; each choice is a remark with its
//! rivals. The model is [`crate::cost`]; a time in a profile stands for the estimate of that form.

use pygraph_artifact::deployment::Deployment;

use super::{Changed, PassContext, PassDef, PassOptions, Phase};
use crate::{
    cost::Costs,
    diagnostic::{Decision, DecisionKind, Diagnostics},
    ir::{AttrMap, Attribute, BlockId, ElementType, Module, OpId, Opcode, ValueId},
    lower::{
        place::{Place, places_of},
        site::size_bytes,
        size,
    },
};

/// See the module.
pub static PASS: PassDef = PassDef {
    name: "choose-deployment",
    summary: "Choose for every segment whether it runs as a graph, on a stream, or as a loop on the device or the host",
    phase: Phase::Plan,
    run,
};

/// The attribute of a segment that holds the form's name.
pub const DEPLOY: &str = "deploy";

/// The attribute of a segment that holds the time of every form it has.
pub const ESTIMATES: &str = "estimates_us";

/// Matrix products of more rows than these are a library's.
const OWN_PRODUCT_ROWS_MAX: u64 = 16;

fn run(module: &mut Module, context: &PassContext) -> Result<Changed, Diagnostics> {
    let mut changed = false;
    for function in module.functions().collect::<Vec<OpId>>() {
        for op in module.walk(function) {
            if module.op(op).opcode == Opcode::PygSegment && module.op(op).attr(DEPLOY).is_none() {
                choose(module, function, op, context);
                changed = true;
            }
        }
    }
    Ok(changed.into())
}

fn choose(module: &mut Module, function: OpId, segment: OpId, context: &PassContext) {
    let Some(body) = module.region_block(segment, 0) else { return };
    let shape = Shape::of(module, body, &context.options.costs);
    let mut estimates = shape.estimates(&context.options.costs);
    let symbol = |op: OpId| module.op(op).attr("sym_name").and_then(Attribute::as_str).unwrap_or_default().to_string();
    let (program, name) = (symbol(function), symbol(segment));
    let measured = context.options.profile.segments.get(&format!("{program}/{name}"));
    for (form, us) in &mut estimates {
        *us = measured.and_then(|times| times.get(form.name())).copied().unwrap_or(*us);
    }
    let (form, why) = decide(&estimates, &context.options);
    let listed = |wanted: bool| {
        let listed = estimates.iter().filter(|(own, _)| (*own == form) == wanted);
        listed.map(|(form, us)| format!("{} {us:.1} us", form.name())).collect::<Vec<_>>().join(", ")
    };
    let source = if measured.is_some() { "measured" } else { "estimated" };
    let rivals = if estimates.len() > 1 { format!("; rivals: {}", listed(false)) } else { String::new() };
    let reason = format!("{why}: {} a step, {source}{rivals}", listed(true));
    let decision = Decision { kind: DecisionKind::Choice, op: format!("segment @{name}"), reason, remedy: None };
    context.remark(module.decision(segment, decision));
    let times = estimates.iter().map(|(form, us)| {
        (form.name(), Attribute::Float { bits: us.to_bits(), ty: ElementType::F64 })
    });
    let times = Attribute::Dictionary(AttrMap::from_iter(times).into());
    let attrs = &mut module.op_mut(segment).attrs;
    attrs.set(DEPLOY, Attribute::string(form.name()));
    attrs.set(ESTIMATES, times);
}

/// The form, and why it is that one.
fn decide(estimates: &[(Deployment, f64)], options: &PassOptions) -> (Deployment, &'static str) {
    let has = |form: &Deployment| estimates.iter().any(|(own, _)| own == form);
    if let Some(wanted) = options.deploy {
        let nearest = match wanted {
            Deployment::Graph => [Deployment::Graph, Deployment::DeviceLoop],
            other => [other, Deployment::Graph],
        };
        let found = nearest.into_iter().find(has).unwrap_or(Deployment::DeviceLoop);
        return (found, if found == wanted { "asked for" } else { "the nearest to what was asked for" });
    }
    let cheapest = estimates.iter().min_by(|a, b| a.1.total_cmp(&b.1));
    (cheapest.map_or(Deployment::Stream, |(form, _)| *form), "the cheapest")
}

/// What the forms' times follow from.
#[derive(Debug, Default)]
struct Shape {
    /// Own time of each launch outside loops.
    launches_us: Vec<f64>,
    /// For each operand of a library call whose address changes, its bytes.
    library_operands: Vec<u64>,
    /// Condition and body of each loop.
    loops: Vec<Shape>,
}

impl Shape {
    fn of(module: &Module, block: BlockId, costs: &Costs) -> Shape {
        let mut shape = Shape::default();
        for op in module.block_ops(block) {
            let operation = module.op(op);
            let regions = (0..operation.regions.len()).filter_map(|region| module.region_block(op, region));
            let inner = regions.map(|block| Shape::of(module, block, costs));
            match operation.opcode {
                Opcode::PygWhile => {
                    let mut whole = Shape::default();
                    inner.for_each(|part| whole.append(part));
                    shape.loops.push(whole);
                }
                Opcode::PygSwitch => {
                    let longest = inner.max_by(|a, b| a.on_stream(costs).total_cmp(&b.on_stream(costs)));
                    shape.append(longest.unwrap_or_default());
                }
                _ => {
                    if let Some(work) = size::work_size(module, op) {
                        shape.launches_us.push(costs.work_us(&work));
                        shape.library_operands.extend(library_operands(module, op));
                    }
                }
            }
        }
        shape
    }

    fn append(&mut self, other: Shape) {
        self.launches_us.extend(other.launches_us);
        self.library_operands.extend(other.library_operands);
        self.loops.extend(other.loops);
    }

    fn estimates(&self, costs: &Costs) -> Vec<(Deployment, f64)> {
        let patches = self.library_operand_count() as f64 * costs.patch_node_us;
        if !self.loops.is_empty() {
            return vec![
                (Deployment::Stream, self.on_stream(costs)),
                (Deployment::DeviceLoop, self.as_device_loop(costs) + patches),
                (Deployment::HostLoop, self.as_host_loop(costs) + patches),
            ];
        }
        let graph = self.as_graph(costs);
        let mut estimates = vec![(Deployment::Stream, self.on_stream(costs)), (Deployment::Graph, graph + patches)];
        if !self.library_operands.is_empty() {
            let copies: f64 = self.library_operands.iter().map(|bytes| costs.copy_us(*bytes)).sum();
            estimates.push((Deployment::GraphCopies, graph + copies));
        }
        estimates
    }

    fn library_operand_count(&self) -> usize {
        self.library_operands.len() + self.loops.iter().map(Shape::library_operand_count).sum::<usize>()
    }

    fn node_count(&self) -> usize {
        self.launches_us.len() + self.loops.iter().map(|inner| 1 + inner.node_count()).sum::<usize>()
    }

    fn on_stream(&self, costs: &Costs) -> f64 {
        let launches: f64 = self.launches_us.iter().map(|us| us.max(costs.stream_launch_us)).sum();
        let iteration = |inner: &Shape| inner.on_stream(costs) + costs.synchronise_us;
        launches + costs.loop_trips as f64 * self.loops.iter().map(iteration).sum::<f64>()
    }

    /// Launches outside loops, as one graph.
    fn as_graph(&self, costs: &Costs) -> f64 {
        if self.launches_us.is_empty() {
            return 0.0;
        }
        let nodes: f64 = self.launches_us.iter().map(|us| us + costs.graph_node_us).sum();
        costs.graph_launch_us(self.launches_us.len()) + nodes
    }

    fn as_device_loop(&self, costs: &Costs) -> f64 {
        let nodes: f64 = self.launches_us.iter().map(|us| us + costs.graph_node_us).sum();
        costs.graph_launch_us(self.node_count()) + nodes + self.loops_on_device(costs)
    }

    fn loops_on_device(&self, costs: &Costs) -> f64 {
        let iteration = |inner: &Shape| {
            let nodes: f64 = inner.launches_us.iter().map(|us| us + costs.loop_node_us).sum();
            costs.loop_iteration_us.max(nodes) + inner.loops_on_device(costs)
        };
        costs.loop_trips as f64 * self.loops.iter().map(iteration).sum::<f64>()
    }

    fn as_host_loop(&self, costs: &Costs) -> f64 {
        let iteration = |inner: &Shape| inner.as_host_loop(costs) + costs.synchronise_us;
        self.as_graph(costs) + costs.loop_trips as f64 * self.loops.iter().map(iteration).sum::<f64>()
    }
}

/// Bytes of the operands and results of a library call whose address is another each step.
fn library_operands(module: &Module, op: OpId) -> Vec<u64> {
    let kernel = module.op(op).attr("kernel").and_then(Attribute::as_str);
    let is_library = kernel == Some("convolution") || (kernel == Some("contract") && size::product_rows(module, op).is_some_and(|rows| rows > OWN_PRODUCT_ROWS_MAX));
    if !is_library {
        return Vec::new();
    }
    let results = places_of(module, op).unwrap_or_default();
    let written = module.op(op).results.iter().zip(results).filter(|(_, place)| matches!(place, Place::Result(_)));
    let read = module.op(op).operands.iter().filter(|value| changes(module, **value));
    let changing = read.chain(written.map(|(value, _)| value));
    changing.filter_map(|value| size_bytes(module.ty(*value))).collect()
}

/// True if a value lies at an address of the parameter block, or is a view of one that does.
fn changes(module: &Module, value: ValueId) -> bool {
    let mut value = value;
    loop {
        match module.defining_op(value).map(|op| module.op(op)) {
            Some(view) if view.opcode == Opcode::PygView => value = view.operands[0],
            maker => return maker.is_some_and(|maker| maker.opcode == Opcode::PygBlockField),
        }
    }
}
