//! Recorded graphs: a program's segments with every launch prepared and the order fixed, and their replay.

use std::{sync::Arc, time::Instant};

use pygraph_artifact::{
    bytes::AlignedBytes,
    plan::{ADDRESS_BYTES, BufferId, FieldSource, Node, Place, PositionSource, Program, SlotRows, Step},
    validate::array_bytes,
};
use pygraph_kernels::{
    memory::{Arena, Buffer},
    native::NativeCode,
    tensor::{TensorType, buffer_types},
};

use super::launch::{LaunchError, PreparedLaunch, RunError};
use crate::{
    caches::{CacheError, Caches, integers},
    compare::element_text,
    knobs::{DebugLevel, time_text},
    session::StepCounts,
    tensor::TensorView,
};

/// Elements of a buffer that [`DebugLevel::VALUES`] shows.
const SHOWN_MAX: usize = 8;

/// In which order the nodes of a graph run. Every order that its edges allow gives the same results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// That of the plan.
    Plan,
    /// One of all that the edges allow, so that a missing edge shows.
    Random {
        /// The same seed gives the same order.
        seed: u64,
    },
}

/// How loop nests run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Loops {
    /// By the artifact's native code, where it has some. That is trusting whoever made it.
    #[default]
    Native,
    /// Interpreted, whatever code there is.
    Interpreted,
}

impl Default for Order {
    fn default() -> Order {
        Order::Random { seed: 0 }
    }
}

/// A program whose segments are recorded: every launch was checked and prepared, and the order is fixed.
#[derive(Debug)]
pub struct HostProgram {
    segments: Vec<Vec<HostStep>>,
}

/// A node of a recorded graph.
#[derive(Debug)]
enum HostStep {
    Launch(Box<PreparedLaunch>),
    Ensure(SlotRows),
    Retire(SlotRows),
    While { condition: Vec<HostStep>, predicate: BufferId, body: Vec<HostStep> },
    Switch { index: BufferId, branches: Vec<Vec<HostStep>> },
}

/// The bytes that a step of a program reads and writes.
#[derive(Debug)]
pub struct Memory<'a> {
    /// The program's arena.
    pub arena: &'a mut AlignedBytes,
    /// Weights and state, one a parameter. State that is updated in place is writable.
    pub params: Vec<Buffer<'a>>,
    /// The artifact's constants.
    pub constants: &'a [u8],
    /// The parameter blocks, filled in.
    pub blocks: &'a [AlignedBytes],
    /// The arenas that caches lie in; none for a program without caches.
    pub caches: Option<&'a Caches>,
}

impl HostProgram {
    /// Records every segment. The program must have been validated; nests and kernel calls are checked here.
    ///
    /// Loop nests that have a function in `code`, which must be that of the program's artifact, run it; others are interpreted.
    pub fn record(program: &Program, order: Order, code: Option<Arc<NativeCode>>) -> Result<HostProgram, LaunchError> {
        let types = buffer_types(program);
        let mut recorder = Recorder { types, order, random: SmallRng::new(order), code };
        let segments = program.segments.iter().map(|segment| {
            // On a stream, launches run in the order in which they are given.
            recorder.order = if segment.deploy.is_graph() { order } else { Order::Plan };
            recorder.record(&segment.nodes)
        });
        Ok(HostProgram { segments: segments.collect::<Result<_, _>>()? })
    }

    /// What a run of it is, in numbers: every segment counts as a graph.
    pub(crate) fn counts(&self) -> StepCounts {
        let nodes = self.segments.iter().map(|steps| count(steps)).sum();
        StepCounts { graphs: self.segments.len(), nodes, streams: 0 }
    }

    /// Runs all segments in order. `program` must be the one that was recorded.
    ///
    /// # Safety
    /// Every address in the blocks is that of the bytes that its field stands for: as many as the parameter or result has, alive
    /// while this runs, written by nobody else, and read by nobody else if they are a result's.
    pub unsafe fn run(&self, program: &Program, memory: Memory, debug: DebugLevel) -> Result<(), RunError> {
        let caches = memory.caches;
        // SAFETY: the caller's promise.
        let buffers = unsafe { place_buffers(program, memory) };
        let execution = Execution { program, buffers: &buffers, caches, debug };
        self.segments.iter().try_for_each(|steps| execution.run_steps(steps))
    }
}

fn count(steps: &[HostStep]) -> usize {
    let inside = |step: &HostStep| match step {
        HostStep::Launch(_) | HostStep::Ensure(_) | HostStep::Retire(_) => 0,
        HostStep::While { condition, body, .. } => count(condition) + count(body),
        HostStep::Switch { branches, .. } => branches.iter().map(|branch| count(branch)).sum(),
    };
    steps.iter().map(|step| 1 + inside(step)).sum()
}

/// Records lists of nodes.
struct Recorder<'p> {
    types: Vec<TensorType<'p>>,
    order: Order,
    random: SmallRng,
    code: Option<Arc<NativeCode>>,
}

impl Recorder<'_> {
    /// Recurses as deep as steps nest, which validation limits.
    fn record(&mut self, nodes: &[Node]) -> Result<Vec<HostStep>, LaunchError> {
        let order = match self.order {
            Order::Plan => (0..nodes.len()).collect(),
            Order::Random { .. } => self.random.order(nodes),
        };
        order.into_iter().map(|number| self.record_step(&nodes[number].step)).collect()
    }

    fn record_step(&mut self, step: &Step) -> Result<HostStep, LaunchError> {
        Ok(match step {
            Step::Launch(launch) => {
                HostStep::Launch(Box::new(PreparedLaunch::prepare(launch, &self.types, self.code.as_ref())?))
            }
            Step::Ensure(rows) => HostStep::Ensure(rows.clone()),
            Step::Retire(rows) => HostStep::Retire(rows.clone()),
            Step::While { condition, predicate, body } => {
                HostStep::While { condition: self.record(condition)?, predicate: *predicate, body: self.record(body)? }
            }
            Step::Switch { index, branches } => HostStep::Switch {
                index: *index,
                branches: branches.iter().map(|nodes| self.record(nodes)).collect::<Result<_, _>>()?,
            },
        })
    }
}

/// xorshift64*, Vigna 2014: which of the nodes that are ready runs next is no matter of quality.
struct SmallRng(u64);

impl SmallRng {
    fn new(order: Order) -> SmallRng {
        let seed = if let Order::Random { seed } = order { seed } else { 0 };
        SmallRng(seed.wrapping_add(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }

    /// An order of nodes that their edges allow.
    fn order(&mut self, nodes: &[Node]) -> Vec<usize> {
        let mut missing: Vec<usize> = nodes.iter().map(|node| node.after.len()).collect();
        let mut readers: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
        for (number, node) in nodes.iter().enumerate() {
            node.after.iter().for_each(|earlier| readers[*earlier as usize].push(number));
        }
        let mut ready: Vec<usize> = (0..nodes.len()).filter(|number| missing[*number] == 0).collect();
        let mut order = Vec::with_capacity(nodes.len());
        while !ready.is_empty() {
            let number = ready.swap_remove(self.below(ready.len()));
            order.push(number);
            for reader in &readers[number] {
                missing[*reader] -= 1;
                if missing[*reader] == 0 {
                    ready.push(*reader);
                }
            }
        }
        order
    }
}

/// Finds the bytes of every buffer of a validated program.
///
/// # Safety
/// As for [`HostProgram::run`].
unsafe fn place_buffers<'a>(program: &Program, memory: Memory<'a>) -> Vec<Buffer<'a>> {
    let arena = Arena::new(memory.arena);
    let place = |buffer: &pygraph_artifact::plan::Buffer| {
        let size = array_bytes(buffer.dtype, &buffer.shape).expect("a validated buffer should have a size") as usize;
        match buffer.place {
            Place::Arena { offset } => arena.buffer(offset, size).expect("a validated buffer should lie in the arena"),
            Place::Param { index } => memory.params[index as usize],
            Place::Constant { offset } => Buffer::read_only(&memory.constants[offset as usize..offset as usize + size]),
            Place::Field { block, field } => {
                let field = &program.blocks[block as usize].fields[field as usize];
                let bytes = &memory.blocks[block as usize];
                let offset = field.offset as usize;
                let is_result = match field.source {
                    FieldSource::Value { .. } => return Buffer::read_only(&bytes[offset..offset + size]),
                    FieldSource::ParamAddress { .. } => false,
                    FieldSource::ResultAddress { .. } => true,
                };
                let address = bytes[offset..offset + ADDRESS_BYTES as usize].try_into();
                let address = u64::from_le_bytes(address.expect("an address should have its bytes"));
                // SAFETY: the caller promises that so many bytes lie there, and that results are written by this program alone.
                unsafe { Buffer::at_address(address, size, is_result) }
            }
        }
    };
    program.buffers.iter().map(place).collect()
}

/// One run of a program.
struct Execution<'a> {
    program: &'a Program,
    buffers: &'a [Buffer<'a>],
    caches: Option<&'a Caches>,
    debug: DebugLevel,
}

impl Execution<'_> {
    /// Recurses as deep as steps nest, which validation limits.
    fn run_steps(&self, steps: &[HostStep]) -> Result<(), RunError> {
        for step in steps {
            match step {
                HostStep::Launch(launch) => self.run_launch(launch)?,
                HostStep::Ensure(rows) => self.caches().wait_for(rows, &self.positions(rows))?,
                HostStep::Retire(rows) => {
                    self.caches().retire(rows, &self.positions(rows)).map_err(CacheError::Memory)?
                }
                HostStep::While { condition, predicate, body } => loop {
                    self.run_steps(condition)?;
                    if self.read::<1>(*predicate) == [0] {
                        break;
                    }
                    self.run_steps(body)?;
                },
                HostStep::Switch { index, branches } => {
                    let last = branches.len() - 1;
                    let index = i32::from_le_bytes(self.read(*index));
                    let branch = usize::try_from(index).map_or(last, |index| index.min(last));
                    self.run_steps(&branches[branch])?;
                }
            }
        }
        Ok(())
    }

    fn caches(&self) -> &Caches {
        self.caches.expect("a program with arenas should have them")
    }

    /// The positions that rows go by, as launches have computed them.
    fn positions(&self, rows: &SlotRows) -> Vec<i64> {
        match rows.source {
            Some(PositionSource::Buffer(id)) => {
                let dtype = self.program.buffers[id.0 as usize].dtype;
                integers(dtype, self.buffers[id.0 as usize].to_bytes().as_slice()).unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }

    /// The bytes of a buffer of `N` bytes.
    fn read<const N: usize>(&self, id: BufferId) -> [u8; N] {
        let mut bytes = [0; N];
        self.buffers[id.0 as usize].read_into(&mut bytes);
        bytes
    }

    fn run_launch(&self, launch: &PreparedLaunch) -> Result<(), RunError> {
        if self.debug < DebugLevel::LAUNCHES {
            return launch.run(self.buffers);
        }
        let start = Instant::now();
        let result = launch.run(self.buffers);
        let time = time_text(start.elapsed());
        self.debug.say(DebugLevel::LAUNCHES, || format!("{}: {} {time}", launch.location(), launch.name()));
        for id in launch.outputs() {
            self.debug.say(DebugLevel::VALUES, || self.value_text(*id));
        }
        result
    }

    /// The first elements of a buffer.
    fn value_text(&self, id: BufferId) -> String {
        let buffer = &self.program.buffers[id.0 as usize];
        if self.program.strides(buffer).is_some() {
            return format!("  buffer {} = rows of a cache", id.0);
        }
        let bytes = self.buffers[id.0 as usize].to_bytes();
        let view = TensorView { dtype: buffer.dtype, shape: &buffer.shape, bytes: bytes.as_slice() };
        format!("  buffer {} = {}", id.0, first_elements(view))
    }
}

/// The first elements of an array as text.
pub fn first_elements(array: TensorView) -> String {
    let count = array.bytes.len() / array.dtype.size_bytes();
    let shown: Vec<String> = (0..count.min(SHOWN_MAX)).map(|element| element_text(array, element)).collect();
    let rest = if count > SHOWN_MAX { ", …" } else { "" };
    format!("[{}{rest}]", shown.join(", "))
}
