//! The host device's part of a session: its arena, its parameter blocks, and arrays that lie where the caller has them.

use std::{sync::Arc, time::Duration};

use pygraph_artifact::{
    bytes::{AlignedBytes, OutOfMemory},
    container::Artifact,
    plan::{Param, Program, ResultSlot},
    validate::is_updated_in_place,
};
use pygraph_kernels::memory::Buffer;

use super::{Copies, HostProgram, Memory, RunError};
use crate::{
    session::{Backend, LaunchTime, Location, Measure, SegmentTime, StepCounts, StepMemory},
    tensor::{Array, Tensor, TensorError},
};

#[derive(Debug)]
pub(crate) struct HostSession {
    host: Arc<HostProgram>,
    artifact: Arc<Artifact>,
    arena: AlignedBytes,
    blocks: Vec<AlignedBytes>,
    /// One a parameter.
    is_updated_in_place: Vec<bool>,
}

impl HostSession {
    pub(crate) fn new(
        host: Arc<HostProgram>,
        artifact: Arc<Artifact>,
        program: &Program,
    ) -> Result<HostSession, OutOfMemory> {
        Ok(HostSession {
            host,
            artifact,
            arena: AlignedBytes::zeroed(program.arena_bytes)?,
            blocks: program.blocks.iter().map(|block| AlignedBytes::zeroed(block.bytes)).collect::<Result<_, _>>()?,
            is_updated_in_place: (0..program.params.len() as u32)
                .map(|index| is_updated_in_place(program, index))
                .collect(),
        })
    }
}

impl Backend for HostSession {
    fn begin(&mut self) -> Result<(), RunError> {
        Ok(())
    }

    fn take_in(&mut self, index: usize, value: &mut Array, copies: &mut Copies) -> Result<(), TensorError> {
        if !self.is_updated_in_place[index] {
            return Ok(());
        }
        let value = host_mut(value);
        if value.bytes_mut().is_none() {
            let mut own = Tensor::zeros(value.dtype(), value.shape())?;
            copies.import(value.bytes(), own.bytes_mut().expect("a new array should be unshared"));
            *value = own;
        }
        Ok(())
    }

    fn block_mut(&mut self, block: usize) -> &mut [u8] {
        &mut self.blocks[block]
    }

    fn address_to_read(&mut self, _: usize, value: &Array) -> u64 {
        Buffer::read_only(value.host().expect("an array of the host device should be the host's").bytes()).address()
    }

    fn new_result(&self, result: &ResultSlot) -> Result<Array, TensorError> {
        Tensor::zeros(result.dtype, &result.shape).map(Array::Host)
    }

    fn looped_arenas(&self) -> &[u32] {
        &[]
    }

    fn whole_arenas(&self) -> &[u32] {
        &[]
    }

    unsafe fn run(&mut self, step: StepMemory<'_>) -> Result<(), RunError> {
        let StepMemory { program, params, caches, debug } = step;
        let params = params.iter_mut().zip(&self.is_updated_in_place).zip(&program.params);
        let params = params.map(|((value, is_updated_in_place), param)| {
            if let (Some(layout), Some(caches)) = (&param.cache, caches) {
                // SAFETY: launches touch rows that the session and the graph's own steps ensure, one launch at a time.
                return unsafe { caches.buffer(param, layout) };
            }
            let value = host_mut(value.as_mut().expect("a step should run with all arguments"));
            if *is_updated_in_place {
                Buffer::writable(value.bytes_mut().expect("state should be the session's alone"))
            } else {
                Buffer::read_only(value.bytes())
            }
        });
        let memory = Memory {
            arena: &mut self.arena,
            params: params.collect(),
            constants: self.artifact.constants(),
            blocks: &self.blocks,
            caches,
        };
        // SAFETY: the caller's promise.
        unsafe { self.host.run(program, memory, debug) }
    }

    fn carry(&mut self, _: &Param, from: Location<'_>, to: &mut Array, copies: &mut Copies) -> Result<(), TensorError> {
        let to = host_mut(to);
        if to.bytes_mut().is_none() {
            *to = Tensor::zeros(to.dtype(), to.shape())?; // somebody else holds the old one
        }
        let size = to.bytes().len();
        let from = self.in_place(from, size).expect("the host should read its own memory");
        copies.copy(from, to.bytes_mut().expect("a new array should be unshared"));
        Ok(())
    }

    fn end(&mut self) -> Result<(), RunError> {
        Ok(())
    }

    fn finish(&mut self) -> Result<(), RunError> {
        Ok(())
    }

    fn in_place<'a>(&'a self, location: Location<'a>, size: usize) -> Option<&'a [u8]> {
        match location {
            Location::Arena { offset } => self.arena.get(offset as usize..offset as usize + size),
            Location::Constant { offset } => self.artifact.constants().get(offset as usize..offset as usize + size),
            Location::Array(array) => array.host().map(Tensor::bytes),
        }
    }

    fn read_into(&self, location: Location<'_>, bytes: &mut [u8]) -> Result<(), TensorError> {
        bytes.copy_from_slice(self.in_place(location, bytes.len()).expect("the host should read its own memory"));
        Ok(())
    }

    fn time_steps(&mut self) -> Result<(), TensorError> {
        Ok(())
    }

    fn step_time(&self) -> Result<Option<Duration>, TensorError> {
        Ok(None)
    }

    fn measure(&mut self, _: Measure) -> Result<(), TensorError> {
        Ok(())
    }

    fn segment_times(&self) -> Result<Vec<SegmentTime>, TensorError> {
        Ok(Vec::new())
    }

    fn launch_times(&self) -> Vec<LaunchTime> {
        Vec::new()
    }

    fn step_counts(&self) -> StepCounts {
        self.host.counts()
    }
}

fn host_mut(array: &mut Array) -> &mut Tensor {
    match array {
        Array::Host(tensor) => tensor,
        Array::Device(_) => unreachable!("a session of the host device should refuse arrays of GPUs"),
    }
}
