//! A program's steps with every launch prepared, and their execution.

use std::time::Instant;

use pygraph_artifact::{
    bytes::AlignedBytes,
    plan::{BufferId, Place, Program, Step},
    validate::array_bytes,
};
use pygraph_kernels::{
    memory::{Arena, Buffer},
    tensor::TensorType,
};

use super::launch::{LaunchError, PreparedLaunch, RunError};
use crate::{
    compare::element_text,
    knobs::{DebugLevel, time_text},
    tensor::TensorView,
};

/// Elements of a buffer that [`DebugLevel::VALUES`] shows.
const SHOWN_MAX: usize = 8;

/// A program whose launches were all checked and prepared.
#[derive(Debug)]
pub struct HostProgram {
    segments: Vec<Vec<HostStep>>,
}

/// A step of a plan with its launch prepared.
#[derive(Debug)]
enum HostStep {
    Launch(Box<PreparedLaunch>),
    While { condition: Vec<HostStep>, predicate: BufferId, body: Vec<HostStep> },
    Switch { index: BufferId, branches: Vec<Vec<HostStep>> },
}

/// The bytes that a step of a program reads and writes.
#[derive(Debug)]
pub struct Memory<'a> {
    /// The program's arena.
    pub arena: &'a mut AlignedBytes,
    /// One a parameter, of its size.
    pub arguments: Vec<&'a [u8]>,
    /// The artifact's constants.
    pub constants: &'a [u8],
}

impl HostProgram {
    /// Prepares every launch. The program must have been validated; nests and kernel calls are checked here.
    pub fn prepare(program: &Program) -> Result<HostProgram, LaunchError> {
        let types: Vec<TensorType> =
            program.buffers.iter().map(|buffer| TensorType { dtype: buffer.dtype, shape: &buffer.shape }).collect();
        let segments =
            program.segments.iter().map(|segment| prepare_steps(&segment.steps, &types)).collect::<Result<_, _>>()?;
        Ok(HostProgram { segments })
    }

    /// Runs all segments in order. `program` must be the one that was prepared.
    pub fn run(&self, program: &Program, memory: Memory, debug: DebugLevel) -> Result<(), RunError> {
        let buffers = place_buffers(program, memory);
        let execution = Execution { program, buffers: &buffers, debug };
        self.segments.iter().try_for_each(|steps| execution.run_steps(steps))
    }
}

fn prepare_steps(steps: &[Step], types: &[TensorType]) -> Result<Vec<HostStep>, LaunchError> {
    steps
        .iter()
        .map(|step| {
            Ok(match step {
                Step::Launch(launch) => HostStep::Launch(Box::new(PreparedLaunch::prepare(launch, types)?)),
                Step::While { condition, predicate, body } => HostStep::While {
                    condition: prepare_steps(condition, types)?,
                    predicate: *predicate,
                    body: prepare_steps(body, types)?,
                },
                Step::Switch { index, branches } => HostStep::Switch {
                    index: *index,
                    branches: branches.iter().map(|steps| prepare_steps(steps, types)).collect::<Result<_, _>>()?,
                },
            })
        })
        .collect()
}

/// Finds the bytes of every buffer of a validated program.
fn place_buffers<'a>(program: &Program, memory: Memory<'a>) -> Vec<Buffer<'a>> {
    let arena = Arena::new(memory.arena);
    let place = |buffer: &pygraph_artifact::plan::Buffer| {
        let size = array_bytes(buffer.dtype, &buffer.shape).expect("a validated buffer should have a size") as usize;
        match buffer.place {
            Place::Arena { offset } => arena.buffer(offset, size).expect("a validated buffer should lie in the arena"),
            Place::Param { index } => Buffer::read_only(memory.arguments[index as usize]),
            Place::Constant { offset } => Buffer::read_only(&memory.constants[offset as usize..offset as usize + size]),
        }
    };
    program.buffers.iter().map(place).collect()
}

/// One run of a program.
struct Execution<'a> {
    program: &'a Program,
    buffers: &'a [Buffer<'a>],
    debug: DebugLevel,
}

impl Execution<'_> {
    /// Recurses as deep as steps nest, which validation limits.
    fn run_steps(&self, steps: &[HostStep]) -> Result<(), RunError> {
        for step in steps {
            match step {
                HostStep::Launch(launch) => self.run_launch(launch)?,
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
