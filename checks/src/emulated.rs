//! Generated kernels for GPUs, whole plans of them, in the emulator: so that what they compute can be compared.
//!
//! A plan is executed as plainly as can be: launches one after the other, those that are done together at once, every array in memory of its own kind,
//! caches mapped whole. What a GPU adds (graphs, streams, virtual memory) is not here.

use pygraph_artifact::{
    device_code::{DeviceProgram, STATUS_BYTES},
    join,
    plan::{ADDRESS_BYTES, BufferId, CacheLayout, FieldSource, KvArena, Node, Param, Place, Program, Step, launches},
    validate::{array_bytes, is_updated_in_place},
};
use pygraph_cuda::emulate::Emulator;

/// Bytes at an address that is a multiple of 256, as a GPU's allocator gives it.
#[derive(Debug, Clone)]
struct Memory {
    words: Vec<u64>,
    bytes: usize,
}

const ALIGNMENT: usize = 256;

impl Memory {
    fn of(content: &[u8]) -> Memory {
        let mut memory = Memory::zeroed(content.len());
        memory.as_mut_slice().copy_from_slice(content);
        memory
    }

    fn zeroed(bytes: usize) -> Memory {
        Memory { words: vec![0; (bytes + ALIGNMENT).div_ceil(8)], bytes }
    }

    fn address(&mut self) -> *mut u8 {
        let start = self.words.as_mut_ptr().cast::<u8>();
        start.wrapping_add(start.align_offset(ALIGNMENT))
    }

    fn as_mut_slice(&mut self) -> &mut [u8] {
        let bytes = self.bytes;
        // SAFETY: the words have room for so many bytes behind the aligned address.
        unsafe { std::slice::from_raw_parts_mut(self.address(), bytes) }
    }
}

/// A program in the emulator, with its state.
pub struct Emulation<'a> {
    program: &'a Program,
    device: &'a DeviceProgram,
    emulator: &'a Emulator,
    constants: Memory,
    arena: Memory,
    scratch: Memory,
    params: Vec<Memory>,
    caches: Vec<Memory>,
    results: Vec<Memory>,
    blocks: Vec<Memory>,
    status: [u8; STATUS_BYTES as usize],
}

impl<'a> Emulation<'a> {
    /// Begins with these arguments, dense, in order.
    pub fn new(
        program: &'a Program,
        arenas: &[KvArena],
        device: &'a DeviceProgram,
        emulator: &'a Emulator,
        constants: &[u8],
        arguments: &[Vec<u8>],
    ) -> Emulation<'a> {
        let mut caches: Vec<Memory> =
            arenas.iter().map(|arena| Memory::zeroed((arena.slots * arena.slot_bytes()) as usize)).collect();
        for (param, dense) in program.params.iter().zip(arguments) {
            if let Some(layout) = &param.cache {
                let memory = caches[layout.arena as usize].as_mut_slice();
                each_element(param, layout, |in_arena, in_dense| memory[in_arena].copy_from_slice(&dense[in_dense]));
            }
        }
        let size =
            |shape: &[u64], dtype| array_bytes(dtype, shape).expect("a valid program should have sizes") as usize;
        Emulation {
            program,
            device,
            emulator,
            constants: Memory::of(constants),
            arena: Memory::zeroed(program.arena_bytes as usize),
            scratch: Memory::zeroed(device.scratch_bytes as usize),
            params: arguments.iter().map(|bytes| Memory::of(bytes)).collect(),
            caches,
            results: program.results.iter().map(|result| Memory::zeroed(size(&result.shape, result.dtype))).collect(),
            blocks: program.blocks.iter().map(|block| Memory::zeroed(block.bytes as usize)).collect(),
            status: [0; STATUS_BYTES as usize],
        }
    }

    /// Runs a step; returns the results, dense, in order.
    pub fn step(&mut self) -> Result<Vec<Vec<u8>>, String> {
        self.write_blocks();
        let program = self.program;
        let mut number = 0;
        for segment in &program.segments {
            self.run(&segment.nodes, number);
            number += launches(&segment.nodes).len();
        }
        let [a, b, c, d, ..] = self.status;
        if let Some(launch) = u32::from_le_bytes([a, b, c, d]).checked_sub(1) {
            return Err(format!("launch {launch} says that its comparison does not hold"));
        }
        let results: Vec<Vec<u8>> = (0..program.results.len()).map(|index| self.result(index)).collect();
        for (index, param) in program.params.iter().enumerate() {
            if let Some(result) = param.updated_by
                && !is_updated_in_place(program, index as u32)
            {
                self.params[index].as_mut_slice().copy_from_slice(&results[result as usize]);
            }
        }
        Ok(results)
    }

    fn write_blocks(&mut self) {
        for (number, block) in self.program.blocks.iter().enumerate() {
            for field in &block.fields {
                let content = match field.source {
                    FieldSource::Value { param } => self.params[param as usize].as_mut_slice().to_vec(),
                    FieldSource::ParamAddress { param } => address_bytes(self.params[param as usize].address()),
                    FieldSource::ResultAddress { result } => address_bytes(self.results[result as usize].address()),
                };
                self.blocks[number].as_mut_slice()[field.offset as usize..][..content.len()].copy_from_slice(&content);
            }
        }
    }

    /// Runs nodes, whose first launch has this number.
    fn run(&mut self, nodes: &[Node], first: usize) {
        let numbers = join::first_launches(nodes, first);
        let sets = join::sets(nodes, &self.device.launches[first..]).expect("a program's own code should be valid");
        for node in sets.into_iter().map(|set| set[0]) {
            let number = numbers[node];
            match &nodes[node].step {
                Step::Launch(_) => self.launch(number),
                Step::Ensure(_) | Step::Retire(_) => {}
                Step::While { condition, predicate, body } => loop {
                    self.run(condition, number);
                    if self.bytes(*predicate, 1) == [0] {
                        break;
                    }
                    self.run(body, number + launches(condition).len());
                },
                Step::Switch { index, branches } => {
                    let chosen = self.bytes(*index, 4).try_into().map(i32::from_le_bytes).unwrap_or(-1);
                    let last = branches.len() - 1;
                    let branch = usize::try_from(chosen).map_or(last, |index| index.min(last));
                    let before: usize = branches[..branch].iter().map(|nodes| launches(nodes).len()).sum();
                    self.run(&branches[branch], number + before);
                }
            }
        }
    }

    fn launch(&mut self, number: usize) {
        let device = self.device;
        let given: Vec<*mut u8> = (0..self.program.buffers.len()).map(|id| self.given(BufferId(id as u32))).collect();
        for call in &device.launches[number].calls {
            let buffer = |id: BufferId| given[id.0 as usize];
            let scratch = self.scratch.as_mut_slice();
            // SAFETY: every buffer has its bytes, as validation of the program says, and nothing else runs.
            unsafe { self.emulator.run(call, &buffer, scratch, &mut self.status) };
        }
    }

    /// What a kernel is given for a buffer.
    fn given(&mut self, id: BufferId) -> *mut u8 {
        match self.program.buffers[id.0 as usize].place {
            Place::Arena { offset } => self.arena.address().wrapping_add(offset as usize),
            Place::Constant { offset } => self.constants.address().wrapping_add(offset as usize),
            Place::Param { index } => match &self.program.params[index as usize].cache {
                Some(layout) => self.caches[layout.arena as usize].address().wrapping_add(layout.offset as usize),
                None => self.params[index as usize].address(),
            },
            Place::Field { block, field } => {
                let offset = self.program.blocks[block as usize].fields[field as usize].offset;
                self.blocks[block as usize].address().wrapping_add(offset as usize)
            }
        }
    }

    /// The first bytes of a buffer's array.
    fn bytes(&mut self, id: BufferId, count: usize) -> Vec<u8> {
        let mut address = self.given(id);
        if let Place::Field { block, field } = self.program.buffers[id.0 as usize].place
            && !matches!(self.program.blocks[block as usize].fields[field as usize].source, FieldSource::Value { .. })
        {
            // SAFETY: such a field holds an address.
            address = unsafe { *address.cast::<*mut u8>() };
        }
        // SAFETY: the array has so many bytes.
        unsafe { std::slice::from_raw_parts(address, count) }.to_vec()
    }

    fn result(&mut self, index: usize) -> Vec<u8> {
        let result = &self.program.results[index];
        let count = array_bytes(result.dtype, &result.shape).expect("a valid program should have sizes") as usize;
        if let Place::Param { index } = self.program.buffers[result.buffer.0 as usize].place
            && let Some(layout) = &self.program.params[index as usize].cache
        {
            let mut dense = vec![0; count];
            let memory = self.caches[layout.arena as usize].as_mut_slice();
            each_element(&self.program.params[index as usize], layout, |in_arena, in_dense| {
                dense[in_dense].copy_from_slice(&memory[in_arena]);
            });
            return dense;
        }
        self.bytes(result.buffer, count)
    }
}

fn address_bytes(address: *mut u8) -> Vec<u8> {
    debug_assert_eq!(size_of::<*mut u8>() as u64, ADDRESS_BYTES);
    (address as usize as u64).to_le_bytes().to_vec()
}

/// Visits the elements of a cache: their bytes in the arena and in a dense array.
fn each_element(
    param: &Param,
    layout: &CacheLayout,
    mut visit: impl FnMut(std::ops::Range<usize>, std::ops::Range<usize>),
) {
    let size = param.dtype.size_bytes();
    let count: u64 = param.shape.iter().product();
    for number in 0..count {
        let (mut rest, mut at) = (number, 0);
        for (extent, stride) in param.shape.iter().zip(&layout.strides).rev() {
            at += rest % extent * stride;
            rest /= extent;
        }
        let (in_arena, in_dense) = (layout.offset as usize + at as usize * size, number as usize * size);
        visit(in_arena..in_arena + size, in_dense..in_dense + size);
    }
}
