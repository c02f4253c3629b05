//! Launches, computed by generated kernels in the emulator and by the plain executor.

// Each test program uses a part of this.
#![allow(dead_code)]

pub mod kernels;

use std::path::Path;

use pygraph_artifact::{
    deployment::Deployment,
    device_code::STATUS_BYTES,
    dtype::DType,
    plan::{Buffer, Launch, Node, Place, Plan, Program, Segment, Step, Work, launches},
};
use pygraph_cuda::{Options, Source, emulate::Emulator, source};
use pygraph_kernels::{memory::Bytes, tensor::TensorType, work};

/// A launch with the arrays that it reads and writes, by number.
pub struct Case {
    /// How many bytes arrays lie behind a multiple of 64.
    pub shift: u64,
    /// For messages.
    pub name: String,
    /// What is launched.
    pub work: Work,
    /// Type and extents of each array, and its bytes before the launch.
    pub arrays: Vec<(DType, Vec<u64>, Vec<u8>)>,
}

impl Case {
    /// A program of this launch alone, whose arrays lie in its arena.
    pub fn program(&self) -> Program {
        let mut arena_bytes = 0;
        let buffers = self.arrays.iter().map(|(dtype, shape, bytes)| {
            let offset = arena_bytes + self.shift;
            arena_bytes += (bytes.len() as u64 + self.shift).max(1).next_multiple_of(64);
            Buffer { dtype: *dtype, shape: shape.clone(), place: Place::Arena { offset } }
        });
        let buffers = buffers.collect();
        let launch = Launch {
            name: self.name.clone(),
            location: "test:1:1".to_string(),
            work: self.work.clone(),
            functions: Vec::new(),
        };
        let nodes = vec![Node { after: Vec::new(), step: Step::Launch(launch) }];
        let segment = Segment { name: "s0".to_string(), deploy: Deployment::Graph, block: None, nodes };
        Program {
            name: self.name.clone(),
            params: Vec::new(),
            results: Vec::new(),
            buffers,
            arena_bytes,
            blocks: Vec::new(),
            device: 0,
            ensures: Vec::new(),
            retires: Vec::new(),
            segments: vec![segment],
        }
    }

    /// The arrays after the plain executor has run.
    pub fn expected(&self) -> Vec<Vec<u8>> {
        let types: Vec<TensorType<'_>> =
            self.arrays.iter().map(|(dtype, shape, _)| TensorType::dense(*dtype, shape)).collect();
        let mut contents: Vec<Bytes> = self.arrays.iter().map(|(_, _, bytes)| Bytes::copy_of(bytes)).collect();
        work::execute(&self.work, &types, &mut contents).unwrap_or_else(|error| panic!("{}: {error}", self.name));
        contents.iter().map(|bytes| bytes.as_slice().to_vec()).collect()
    }
}

/// The code of all cases, one program each.
pub fn source_of(cases: &[Case]) -> Source {
    let plan = Plan { programs: cases.iter().map(Case::program).collect(), arenas: Vec::new() };
    source(&plan, &Options::default()).unwrap_or_else(|refused| panic!("{}", refused[0]))
}

/// The arrays of each case after its kernels have run in the emulator.
pub fn emulated(cases: &[Case], folder: &Path) -> Vec<Vec<Vec<u8>>> {
    emulated_with_status(cases, folder).into_iter().map(|(arrays, _)| arrays).collect()
}

/// The arrays and the status of each case after its kernels have run in the emulator.
pub fn emulated_with_status(cases: &[Case], folder: &Path) -> Vec<(Vec<Vec<u8>>, [u8; STATUS_BYTES as usize])> {
    let source = source_of(cases);
    let emulator =
        Emulator::compile(&source, &pygraph_cuda::emulate::clang(), folder).unwrap_or_else(|log| panic!("{log}"));
    let run = |(number, case): (usize, &Case)| {
        let program = case.program();
        let mut arena = vec![0u64; (program.arena_bytes as usize).div_ceil(8) + 8];
        let base = arena.as_mut_ptr().cast::<u8>();
        let base = base.wrapping_add(base.align_offset(64));
        let offset = |number: usize| match program.buffers[number].place {
            Place::Arena { offset } => offset as usize,
            _ => unreachable!("arrays of a case lie in its arena"),
        };
        for (number, (_, _, bytes)) in case.arrays.iter().enumerate() {
            // SAFETY: the arena has room for all arrays.
            unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), base.add(offset(number)), bytes.len()) };
        }
        let device = &source.programs[number];
        // Whatever kernels take as given in scratch memory shows.
        let mut scratch = vec![0xa5; device.scratch_bytes as usize];
        let zeroed = device.zeroed_bytes as usize;
        scratch[..zeroed].fill(0);
        let mut status = [0; STATUS_BYTES as usize];
        assert_eq!(device.launches.len(), launches(&program.segments[0].nodes).len());
        for call in device.launches.iter().flat_map(|launch| &launch.calls) {
            let buffer = |id: pygraph_artifact::plan::BufferId| base.wrapping_add(offset(id.0 as usize));
            // SAFETY: buffers lie in the arena, which is as large as the program says.
            unsafe { emulator.run(call, &buffer, &mut scratch, &mut status) };
        }
        assert!(scratch[..zeroed].iter().all(|byte| *byte == 0), "{}: counters are left as they were", case.name);
        let array = |(number, (_, _, bytes)): (usize, &(DType, Vec<u64>, Vec<u8>))| {
            // SAFETY: the arena has it.
            unsafe { std::slice::from_raw_parts(base.add(offset(number)), bytes.len()) }.to_vec()
        };
        (case.arrays.iter().enumerate().map(array).collect(), status)
    };
    cases.iter().enumerate().map(run).collect()
}

/// Little-endian bytes of numbers.
pub fn bytes_of<T: Copy, const N: usize>(values: &[T], bytes: fn(T) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(|value| bytes(*value)).collect()
}
