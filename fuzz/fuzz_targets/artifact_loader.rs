//! Loads bytes as an artifact; what is accepted is described, prepared and, if it is small, run.
//!
//! Built with `--cfg fuzzing`, the loader does not compare checksums, which no mutation would get past. Bytes without
//! an artifact's magic are taken for its plan, and a container is put around them, so that a plan can grow and shrink.

#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use pygraph_artifact::{
    container::{Artifact, FORMAT_VERSION, MAGIC, is_artifact},
    plan::{KvArena, Nest, Node, Program, Step, Work},
    validate::array_bytes,
};
use pygraph_runtime::{
    describe::describe,
    device::Device,
    host::{Loops, Order},
    init,
    model::Model,
    session::{Session, Ticket},
};

/// Bytes of arena and arguments up to which a program is run.
const MEMORY_BYTES_MAX: u64 = 1 << 16;

/// Points of all nests together up to which a program is run.
const POINTS_MAX: u64 = 1 << 18;

fuzz_target!(|bytes: &[u8]| {
    let accepted = if is_artifact(bytes) { Artifact::from_bytes(bytes) } else { Artifact::from_bytes(&around(bytes)) };
    let Ok(artifact) = accepted else { return };
    let artifact = Arc::new(artifact);
    let _ = describe(&artifact);
    for program in &artifact.plan().programs {
        // Code is never run: what it does is its maker's affair.
        let (name, order) = (Some(program.name.as_str()), Order::default());
        let loaded = Model::load_in_order(artifact.clone(), name, Device::Host, order, Loops::Interpreted);
        let Ok(model) = loaded else { continue };
        if is_small(program) && artifact.plan().arenas.iter().all(is_small_arena) {
            run(model);
        }
    }
});

/// A container of this plan, some constants and no checksums.
fn around(plan: &[u8]) -> Vec<u8> {
    let constants: Vec<u8> = (0..=255).collect();
    let plan_start = 192;
    let constants_start = (plan_start + plan.len()).next_multiple_of(64);
    let mut bytes = MAGIC.to_vec();
    bytes.extend(FORMAT_VERSION.to_le_bytes());
    bytes.extend(3_u32.to_le_bytes());
    let code_start = (constants_start + constants.len()).next_multiple_of(64);
    bytes.extend((code_start as u64).to_le_bytes());
    bytes.extend([0; 8]);
    let sections = [
        ("plan", plan_start, plan.len()),
        ("constants", constants_start, constants.len()),
        ("host code", code_start, 0),
    ];
    for (name, start, length) in sections {
        let entry = bytes.len();
        bytes.extend(name.as_bytes());
        bytes.resize(entry + 16, 0);
        bytes.extend((start as u64).to_le_bytes());
        bytes.extend((length as u64).to_le_bytes());
        bytes.extend([0; 8]);
    }
    bytes.resize(plan_start, 0);
    bytes.extend(plan);
    bytes.resize(constants_start, 0);
    bytes.extend(constants);
    bytes.resize(code_start, 0);
    bytes
}

fn run(model: Model) {
    // Caches may have handles that this system does not map.
    let Ok(mut session) = Session::new(Arc::new(model)) else { return };
    let params = session.model().program().params.clone();
    for (index, param) in params.iter().enumerate() {
        let value = init::random(param.dtype, &param.shape, 1, index as u64).expect("a small argument should fit");
        session.set(index, value).expect("the value should have the argument's type");
    }
    for _ in 0..2 {
        if let Ok(outputs) = session.step().and_then(Ticket::wait) {
            let _ = outputs.iter().count();
        }
    }
}

/// True if an arena can be mapped whole, as it is for caches that are handed in.
fn is_small_arena(arena: &KvArena) -> bool {
    arena.slots.saturating_mul(arena.slot_bytes()) <= 64 * MEMORY_BYTES_MAX
}

/// True if the program ends soon and needs little memory. Loops may not end, so there are none.
fn is_small(program: &Program) -> bool {
    let arguments = program.params.iter().map(|param| array_bytes(param.dtype, &param.shape).unwrap_or(u64::MAX));
    let memory = arguments.fold(program.arena_bytes, u64::saturating_add);
    let buffers = program.buffers.iter().map(|buffer| array_bytes(buffer.dtype, &buffer.shape).unwrap_or(u64::MAX));
    let points = program.segments.iter().map(|segment| points(&segment.nodes)).fold(0, u64::saturating_add);
    memory <= MEMORY_BYTES_MAX && buffers.max().unwrap_or(0) <= MEMORY_BYTES_MAX && points <= POINTS_MAX
}

fn nest_points(nest: &Nest) -> u64 {
    nest.extents.iter().fold(1, |points: u64, extent| points.saturating_mul(*extent))
}

fn points(nodes: &[Node]) -> u64 {
    let cost = |node: &Node| match &node.step {
        Step::Launch(launch) => match &launch.work {
            Work::Nest(nest) => nest_points(nest),
            Work::Kernel(_) => 1 << 12,
            Work::Fused(fused) => fused.nests().map(nest_points).fold(1 << 12, u64::saturating_add),
        },
        Step::Ensure(_) | Step::Retire(_) => 1 << 12,
        Step::While { .. } => u64::MAX,
        Step::Switch { branches, .. } => branches.iter().map(|nodes| points(nodes)).fold(1, u64::saturating_add),
    };
    nodes.iter().map(cost).fold(0, u64::saturating_add)
}
