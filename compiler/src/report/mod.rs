//! The coverage report: what became of a program, for a person or a program to read.
//!
//! [`gather`] reads a planned module and the remarks of its passes into a [`Report`]; [`json`], [`mod@text`] and [`html`] show it.
//! Nothing here decides anything: every number comes from the IR, and every reason from a remark.

pub mod html;
pub mod json;
pub mod kv;
pub mod text;

use std::collections::HashMap;

use pygraph_artifact::plan::{Bind, BufferId};

use crate::{
    cost::Costs,
    diagnostic::{DecisionKind, Diagnostic},
    emit::{launch::name_of, work_of},
    ir::{Attribute, Module, OpId, Opcode, ValueId},
    lower::{
        block::block_of,
        launches,
        place::{Place, places_of},
        site::size_bytes,
        size,
    },
    passes::{
        choose_deployment::{DEPLOY, ESTIMATES},
        lower_to_launches::LAUNCHES_LOWERED,
        make_graphable::PLACE,
        plan_memory::{ARENA_BYTES, ARENA_BYTES_LOWER_BOUND},
        signature::{Binding, bindings, dictionaries, text},
    },
};

/// What became of an input.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The file.
    pub file: String,
    /// Whose costs the times are.
    pub device: String,
    /// Entry points; the first is the default.
    pub programs: Vec<Program>,
    /// Everything that was decided, in order of the passes.
    pub decisions: Vec<Decided>,
}

/// What became of an entry point.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    /// Its name.
    pub name: String,
    /// Launches when every operation was its own.
    pub launches_before_fusion: u64,
    /// Segments, in order.
    pub segments: Vec<Segment>,
    /// Operations that cut.
    pub boundaries: u64,
    /// Bytes of inputs that are copied each step.
    pub input_bytes_copied: u64,
    /// Bytes of inputs that a scheme with static buffers copies each step.
    pub input_bytes_static_scheme: u64,
    /// Bytes of weights.
    pub weight_bytes: u64,
    /// Bytes of state.
    pub state_bytes: u64,
    /// Size of the arena.
    pub arena_bytes_peak: u64,
    /// The least size that any arena could have: the most bytes needed at one time.
    pub arena_bytes_lower_bound: u64,
    /// What lies in the arena, and when.
    pub arena: Vec<Tenant>,
    /// Caches, and state that is none.
    pub kv: kv::Kv,
}

/// A segment.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Its name.
    pub name: String,
    /// The form that was chosen.
    pub deployment: String,
    /// Microseconds a step of every form it has, by name.
    pub estimates_us: Vec<(String, f64)>,
    /// Its parameter block, in order of offsets.
    pub block: Vec<Field>,
    /// Its launches, those in loops and branches too, in order of the text.
    pub launches: Vec<Launch>,
}

impl Segment {
    /// The time of the form that was chosen.
    pub fn estimate_us(&self) -> f64 {
        self.estimates_us.iter().find(|(form, _)| *form == self.deployment).map_or(0.0, |(_, us)| *us)
    }

    /// True if it runs as a graph.
    pub fn is_graph(&self) -> bool {
        self.deployment != "stream"
    }
}

/// A launch.
#[derive(Debug, Clone, PartialEq)]
pub struct Launch {
    /// What it computes, in a word.
    pub name: String,
    /// Where it comes from.
    pub location: String,
    /// Time of its own work.
    pub work_us: f64,
    /// Bytes that it moves.
    pub bytes: u64,
    /// How many loops it is in.
    pub depth: usize,
}

/// A field of the parameter block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The argument's or result's name.
    pub name: String,
    /// `address`, or the type of a value.
    pub kind: String,
    /// Where it lies in the block.
    pub offset: u64,
    /// Its size.
    pub bytes: u64,
}

/// A range of the arena, and when it is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tenant {
    /// Where it begins.
    pub offset: u64,
    /// Its size.
    pub bytes: u64,
    /// The launch that writes it first, by position.
    pub start: u32,
    /// The launch that reads it last.
    pub end: u32,
}

/// A decision of a pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// Which sort.
    pub kind: DecisionKind,
    /// What it is about.
    pub op: String,
    /// Where it stands.
    pub location: String,
    /// Why.
    pub reason: String,
    /// What would change it.
    pub remedy: Option<String>,
}

impl Report {
    /// Decisions of one sort.
    pub fn decided(&self, kind: DecisionKind) -> impl Iterator<Item = &Decided> {
        self.decisions.iter().filter(move |decision| decision.kind == kind)
    }
}

impl Program {
    /// Launches in all segments.
    pub fn launches(&self) -> u64 {
        self.segments.iter().map(|segment| segment.launches.len() as u64).sum()
    }

    /// Launches in segments that run as graphs.
    pub fn launches_in_graphs(&self) -> u64 {
        self.segments.iter().filter(|segment| segment.is_graph()).map(|segment| segment.launches.len() as u64).sum()
    }

    /// Operations of the device: launches, and what cuts.
    pub fn device_ops(&self) -> u64 {
        self.launches() + self.boundaries
    }

    /// Fields of the parameter blocks of all segments, with the segment's name.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &Field)> {
        self.segments.iter().flat_map(|segment| segment.block.iter().map(|field| (segment.name.as_str(), field)))
    }

    /// Size of the parameter blocks of all segments.
    pub fn block_bytes(&self) -> u64 {
        let sizes = self.segments.iter().filter_map(|segment| segment.block.last());
        sizes.map(|field| field.offset + field.bytes).sum()
    }

    /// Microseconds a step, by the forms that were chosen.
    pub fn step_us(&self) -> f64 {
        self.segments.iter().map(Segment::estimate_us).sum()
    }
}

/// Reads a module whose memory is planned, and what its passes said.
pub fn gather(module: &Module, remarks: &[Diagnostic], costs: &Costs) -> Report {
    let file = module.location(module.op(module.root()).loc).position.file.to_string();
    let mut functions: Vec<OpId> =
        module.functions().filter(|function| module.region_block(*function, 0).is_some()).collect();
    functions.sort_by_key(|function| symbol(module, *function) != "main");
    let decisions = remarks.iter().filter_map(|remark| {
        let decision = remark.decision.as_ref()?;
        Some(Decided {
            kind: decision.kind,
            op: decision.op.clone(),
            location: remark.position.to_string(),
            reason: decision.reason.clone(),
            remedy: decision.remedy.clone(),
        })
    });
    let decisions: Vec<Decided> = decisions.collect();
    let programs = functions.into_iter().map(|function| program(module, function, costs, &decisions)).collect();
    Report { file, device: costs.device.clone(), programs, decisions }
}

fn symbol(module: &Module, op: OpId) -> &str {
    module.op(op).attr("sym_name").and_then(Attribute::as_str).unwrap_or_default()
}

fn number(module: &Module, op: OpId, name: &str) -> u64 {
    let value = module.op(op).attr(name).and_then(Attribute::as_i64);
    value.and_then(|value| u64::try_from(value).ok()).unwrap_or(0)
}

fn bytes_of(module: &Module, value: ValueId) -> u64 {
    size_bytes(module.ty(value)).unwrap_or(0)
}

fn program(module: &Module, function: OpId, costs: &Costs, decisions: &[Decided]) -> Program {
    let ops = module.walk(function);
    let of = |wanted: Opcode| ops.iter().copied().filter(move |op| module.op(*op).opcode == wanted);
    let mut program = Program {
        name: symbol(module, function).to_string(),
        launches_before_fusion: number(module, function, LAUNCHES_LOWERED),
        segments: of(Opcode::PygSegment).map(|op| segment(module, op, costs)).collect(),
        boundaries: of(Opcode::PygBoundary).count() as u64,
        input_bytes_copied: 0,
        input_bytes_static_scheme: 0,
        weight_bytes: 0,
        state_bytes: 0,
        arena_bytes_peak: number(module, function, ARENA_BYTES),
        arena_bytes_lower_bound: number(module, function, ARENA_BYTES_LOWER_BOUND),
        arena: tenants(module, &ops),
        kv: kv::gather(module, function, decisions),
    };
    arguments(module, function, &mut program);
    program
}

fn segment(module: &Module, op: OpId, costs: &Costs) -> Segment {
    let operation = module.op(op);
    let estimates_us = match operation.attr(ESTIMATES) {
        Some(Attribute::Dictionary(times)) => times
            .iter()
            .filter_map(|(form, time)| match time {
                Attribute::Float { bits, .. } => Some((form.to_string(), f64::from_bits(*bits))),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    let launches = launches(module, op).into_iter().filter_map(|launch| {
        let work = size::work_size(module, launch)?;
        let name =
            work_of(module, launch, &mut |_| Ok(BufferId(0))).map_or("launch".to_string(), |work| name_of(&work));
        let location = module.location(module.op(launch).loc).position.to_string();
        let depth = std::iter::successors(module.parent_op(launch), |op| module.parent_op(*op))
            .filter(|op| module.op(*op).opcode == Opcode::PygWhile)
            .count();
        Some(Launch { name, location, work_us: costs.work_us(&work), bytes: work.bytes, depth })
    });
    Segment {
        name: symbol(module, op).to_string(),
        deployment: operation.attr(DEPLOY).and_then(Attribute::as_str).unwrap_or("stream").to_string(),
        estimates_us,
        block: fields(module, op),
        launches: launches.collect(),
    }
}

/// What is written to the arena, from its first writer to its last reader. A tensor written in place of another is one
/// with it.
fn tenants(module: &Module, ops: &[OpId]) -> Vec<Tenant> {
    let mut found: Vec<Tenant> = Vec::new();
    let mut tenant_of: HashMap<ValueId, usize> = HashMap::new();
    let mut position = 0u32;
    for op in ops {
        let operation = module.op(*op);
        for operand in &operation.operands {
            if let Some(tenant) = tenant_of.get(operand) {
                found[*tenant].end = position;
            }
        }
        match (operation.opcode, places_of(module, *op)) {
            (Opcode::PygView, _) => {
                if let Some(tenant) = tenant_of.get(&operation.operands[0]).copied() {
                    tenant_of.insert(operation.results[0], tenant);
                }
            }
            (_, Some(places)) => {
                position += 1;
                for (value, place) in operation.results.iter().zip(places) {
                    let (Place::Arena(offset), bytes) = (place, bytes_of(module, *value)) else { continue };
                    let in_place = operation.operands.iter().filter_map(|operand| tenant_of.get(operand).copied());
                    let in_place =
                        in_place.into_iter().find(|at| found[*at].offset == offset && found[*at].end + 1 == position);
                    let tenant = in_place.unwrap_or_else(|| {
                        found.push(Tenant { offset, bytes, start: position, end: position });
                        found.len() - 1
                    });
                    found[tenant].end = position;
                    tenant_of.insert(*value, tenant);
                }
            }
            _ => {}
        }
    }
    found.retain(|tenant| tenant.bytes > 0);
    found
}

/// Fills in what follows from the arguments and results: the blocks and the bytes of a step.
fn arguments(module: &Module, function: OpId, program: &mut Program) {
    let Some(block) = module.region_block(function, 0) else { return };
    let arguments = &module.block(block).arguments;
    let attrs = dictionaries(module, function, "arg_attrs", arguments.len());
    for ((value, attrs), Binding { bind, .. }) in arguments.iter().zip(&attrs).zip(bindings(module, function)) {
        let bytes = bytes_of(module, *value);
        match bind {
            Bind::Once => program.weight_bytes += bytes,
            Bind::State => program.state_bytes += bytes,
            Bind::Step | Bind::Host => program.input_bytes_static_scheme += bytes,
        }
        if text(attrs, PLACE).is_some() {
            program.input_bytes_copied += bytes;
        }
    }
}

/// The fields of a segment's parameter block.
fn fields(module: &Module, segment: OpId) -> Vec<Field> {
    let fields = block_of(module, segment).map(|(_, fields)| fields).unwrap_or_default();
    let shown = fields.iter().map(|field| Field {
        name: field.name.clone(),
        kind: field.kind(),
        offset: field.offset,
        bytes: field.bytes(),
    });
    shown.collect()
}
