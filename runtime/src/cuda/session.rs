//! A GPU's part of a session: its memory there, its graphs, and the two turns by which the host may run ahead.

use std::{collections::btree_map::Entry, sync::Arc, time::Duration};

use pygraph_artifact::{
    device_code::STATUS_BYTES,
    plan::{Launch, Param, ResultSlot, Segment, launches},
};
use pygraph_kernels::manifest::KernelError;

use super::{
    addresses::{Addresses, Reach, reaches},
    driver::{CudaError, DeviceBytes, Event, ForeignStream, PinnedBytes, Range, Stream},
    libraries::LibraryReport,
    lists::{Ungated, of_segments},
    measure::{Measuring, begin_segment, end_segment, forms},
    program::CudaProgram,
    recorded::{Recorded, Recording, SegmentRun},
    state::{ensured_in_graphs, ensured_whole, place_params},
    tensor::DeviceTensor,
    transfer::{self, Carried},
    turn::{Progress, Turn, failed_comparison},
};
use crate::{
    caches::Caches,
    host::{Copies, RunError},
    knobs::DebugLevel,
    session::{Backend, LaunchTime, Location, Measure, Resume, SegmentTime, StepCounts, StepMemory, StreamError},
    tensor::{Array, Tensor, TensorError},
};

/// What the offsets of parameter blocks in their memory are multiples of, in bytes.
const BLOCK_ALIGNMENT: u64 = 256;

/// Arguments of the host up to this size are copied to the GPU while the caller goes on; the caller waits for larger ones, since
/// what they would be staged in has to be pinned twice. In bytes.
const STAGED_BYTES_MAX: u64 = 1 << 20;

/// Room behind the parameter blocks for small arrays that the host gives again and again, which then need no copy of their own. In bytes.
const INLINE_BYTES: u64 = 4 << 10;

#[derive(Debug)]
pub(crate) struct CudaSession {
    // First: graphs go before the memory that they name.
    recorded: Option<Vec<Recorded>>,
    /// What became of products when graphs were made last.
    libraries: Option<LibraryReport>,
    program: Arc<CudaProgram>,
    arena: DeviceBytes,
    _scratch: DeviceBytes,
    /// None for a program that compares nothing.
    status: Option<DeviceBytes>,
    /// All parameter blocks, sent together.
    blocks: DeviceBytes,
    /// Where each lies, and its size.
    block_parts: Vec<(u64, u64)>,
    /// Where arguments lie behind them that the host gives again and again and that are small.
    inlined: Vec<Option<u64>>,
    /// Where the last of all that ends: so much is sent in a step.
    sent_bytes: u64,
    reaches: Vec<Reach>,
    /// Arrays of arguments that are the session's: state, and copies of what the host has.
    own: Vec<Option<DeviceTensor>>,
    addresses: Addresses,
    turns: [Turn; 2],
    /// The turn of the last step.
    turn: usize,
    /// The segment of the last step whose loop was stopped.
    stopped: usize,
    /// The stream that steps are ordered with, and an event behind what it had when the last began.
    caller: Option<(ForeignStream, Event)>,
    looped_arenas: Vec<u32>,
    whole_arenas: Vec<u32>,
    /// Why these are mapped whole.
    ungated: Vec<(u32, Ungated)>,
    measuring: Option<Measuring>,
    /// How long gates of loops wait, if somebody said so.
    patience: Option<Duration>,
    debug: DebugLevel,
}

impl CudaSession {
    /// Takes memory for a session. Graphs are made now if all weights are there.
    pub(crate) fn new(
        program: Arc<CudaProgram>,
        weights: &[Option<Array>],
        caches: Option<&Caches>,
        debug: DebugLevel,
    ) -> Result<CudaSession, TensorError> {
        let (plan, gpu) = (program.program(), program.gpu().clone());
        let context = gpu.context();
        let mut block_parts = Vec::new();
        let mut blocks_bytes = 0_u64;
        for block in &plan.blocks {
            block_parts.push((blocks_bytes, block.bytes));
            blocks_bytes = (blocks_bytes + block.bytes).next_multiple_of(BLOCK_ALIGNMENT);
        }
        let arena = DeviceBytes::new(context, "the arena", plan.arena_bytes)?;
        // SAFETY: the arena has so many bytes, and waits for the GPU when it is dropped.
        unsafe { gpu.stream().fill(arena.address(), 0, arena.len()) }?;
        let scratch = DeviceBytes::new(context, "scratch memory", program.device().scratch_bytes)?;
        // SAFETY: it is as large, and waits for the GPU when it is dropped.
        unsafe { gpu.stream().fill(scratch.address(), 0, program.device().zeroed_bytes) }?;
        let room = blocks_bytes + INLINE_BYTES;
        let blocks = DeviceBytes::new(context, "parameter blocks", room)?;
        let status = program.uses_status().then(|| DeviceBytes::new(context, "a status", STATUS_BYTES)).transpose()?;
        let reaches = reaches(plan);
        let (own, params) = place_params(&program, &reaches, weights, caches)?;
        let addresses = Addresses {
            arena: arena.address(),
            constants: program.constants_address(),
            params,
            blocks: block_parts.iter().map(|(offset, _)| blocks.address() + offset).collect(),
            scratch: scratch.address(),
            status: status.as_ref().map_or(0, DeviceBytes::address),
        };
        let turns = [Turn::new(&program, room)?, Turn::new(&program, room)?];
        let (looped_arenas, ungated) = (ensured_in_graphs(plan), ensured_whole(plan));
        let mut whole_arenas: Vec<u32> = ungated.iter().map(|(arena, _)| *arena).collect();
        whole_arenas.dedup();
        let mut session = CudaSession {
            recorded: None,
            libraries: None,
            arena,
            _scratch: scratch,
            status,
            blocks,
            block_parts,
            inlined: vec![None; plan.params.len()],
            sent_bytes: blocks_bytes,
            reaches,
            own,
            addresses,
            turns,
            turn: 0,
            stopped: 0,
            caller: None,
            looped_arenas,
            whole_arenas,
            ungated,
            measuring: None,
            patience: caches.and_then(Caches::patience),
            debug,
            program,
        };
        if session.has_all_addresses() {
            session.record()?;
        }
        Ok(session)
    }

    /// False as long as a weight is missing.
    fn has_all_addresses(&self) -> bool {
        self.reaches.iter().zip(&self.addresses.params).all(|(reach, address)| *reach != Reach::Fixed || *address != 0)
    }

    /// Makes graphs of all segments that are to be graphs.
    fn record(&mut self) -> Result<(), CudaError> {
        let recording = Recording {
            program: &self.program,
            addresses: &self.addresses,
            measuring: self.measuring.as_ref(),
            patience: self.patience,
            debug: self.debug,
        };
        // SAFETY: the addresses are those of memory that this session, its model and its caches have as long as its graphs.
        let (recorded, report) = unsafe { recording.record() }?;
        self.recorded = Some(recorded);
        self.libraries = Some(report);
        Ok(())
    }

    fn stream(&self) -> &Stream {
        self.program.gpu().stream()
    }

    /// Notes where an argument lies; graphs that name another address are made anew.
    fn set_fixed_address(&mut self, index: usize, address: u64) {
        if self.addresses.params[index] != address {
            self.addresses.params[index] = address;
            self.recorded = None;
        }
    }

    /// An array for an argument that is the session's own.
    fn own(&mut self, index: usize, tensor: &Tensor) -> Result<DeviceTensor, TensorError> {
        if self.own[index].is_none() {
            let new = DeviceTensor::new(self.program.gpu(), "an argument", tensor.dtype(), tensor.shape())?;
            self.own[index] = Some(new);
        }
        Ok(self.own[index].clone().expect("it was just made"))
    }

    /// Copies an argument of the host behind an address of a block. Steps before this one have read what was there.
    fn stage(
        &mut self,
        index: usize,
        tensor: &Tensor,
        to: &DeviceTensor,
        copies: &mut Copies,
    ) -> Result<(), CudaError> {
        let (bytes, gpu) = (tensor.bytes(), self.program.gpu().clone());
        if to.size_bytes() > STAGED_BYTES_MAX {
            return transfer::import(gpu.stream(), bytes, to, copies);
        }
        let pinned = match self.turns[self.turn].staging.entry(index) {
            Entry::Occupied(pinned) => pinned.into_mut(),
            Entry::Vacant(place) => place.insert(PinnedBytes::zeroed(gpu.context(), to.size_bytes())?),
        };
        transfer::import_staged(gpu.stream(), bytes, pinned, to, copies)
    }

    /// A place behind the blocks for an argument that the host has, if there is room for it. Only one that is given again gets one: it may change in
    /// every step.
    fn inline(&mut self, index: usize, bytes: u64) -> Option<u64> {
        let is_new = self.inlined[index].is_none() && self.own[index].is_some();
        if is_new && bytes <= self.blocks.len() - self.sent_bytes {
            self.inlined[index] = Some(self.sent_bytes);
            let end = (self.sent_bytes + bytes).next_multiple_of(Tensor::ALIGNMENT_MIN as u64);
            self.sent_bytes = end.min(self.blocks.len());
        }
        self.inlined[index]
    }

    /// Waits until a turn's step has ended; its error, if a comparison did not hold.
    fn wait_and_check(&mut self, turn: usize) -> Result<(), RunError> {
        let turn = &mut self.turns[turn];
        turn.wait(self.program.gpu().stream())?;
        if !std::mem::take(&mut turn.is_unchecked) || self.status.is_none() {
            return Ok(());
        }
        // SAFETY: the step has ended, and so has the copy to here.
        let found = failed_comparison(unsafe { turn.status.bytes() });
        let Some((number, element)) = found else { return Ok(()) };
        let plan = self.program.program();
        let all: Vec<&Launch> = plan.segments.iter().flat_map(|segment| launches(&segment.nodes)).collect();
        let (name, location) = all.get(number).map_or_else(
            || (format!("launch {number}"), plan.name.clone()),
            |launch| (launch.name.clone(), launch.location.clone()),
        );
        let message = format!("the comparison does not hold at element {element}");
        Err(RunError::Launch { name, location, source: KernelError::Assertion { message } })
    }
}

impl Backend for CudaSession {
    fn begin(&mut self) -> Result<(), RunError> {
        self.turn = 1 - self.turn;
        self.wait_and_check(self.turn)?;
        let turn = &mut self.turns[self.turn];
        turn.kept.clear();
        // A step that fails before it runs may have given the GPU copies.
        turn.progress = Progress::Begun;
        Ok(())
    }

    fn take_in(&mut self, index: usize, value: &mut Array, copies: &mut Copies) -> Result<(), TensorError> {
        let reach = self.reaches[index];
        match (reach, &*value) {
            (Reach::ByValue | Reach::Cache, _) => {}
            (Reach::ByAddress, Array::Host(tensor)) => {
                if self.inline(index, tensor.bytes().len() as u64).is_some() {
                    copies.imported_bytes += tensor.bytes().len() as u64;
                } else {
                    let own = self.own(index, tensor)?;
                    self.stage(index, tensor, &own, copies)?;
                    *value = own.into();
                }
            }
            (Reach::ByAddress, Array::Device(_)) => {}
            (Reach::Fixed, Array::Device(tensor)) if self.own[index].is_none() => {
                self.set_fixed_address(index, tensor.address());
            }
            (Reach::Fixed, Array::Device(tensor)) => {
                if !self.is_own(index, tensor) {
                    let own = self.own[index].clone().expect("state should be the session's own");
                    transfer::import_on_gpu(self.stream(), tensor, &own, copies)?;
                    self.turns[self.turn].kept.push(tensor.clone());
                    *value = own.into();
                }
            }
            (Reach::Fixed, Array::Host(tensor)) => {
                let own = match &self.own[index] {
                    Some(own) => own.clone(),
                    // A weight that this session has for itself.
                    None => DeviceTensor::new(self.program.gpu(), "a weight", tensor.dtype(), tensor.shape())?,
                };
                transfer::import(self.stream(), tensor.bytes(), &own, copies)?;
                self.set_fixed_address(index, own.address());
                *value = own.into();
            }
        }
        Ok(())
    }

    fn release(&mut self, old: Array) {
        if let Array::Device(tensor) = old {
            self.turns[self.turn].kept.push(tensor);
        }
    }

    fn block_copies(&self) -> usize {
        self.turns.len()
    }

    fn block_copy(&self) -> usize {
        self.turn
    }

    fn address_to_read(&mut self, index: usize, value: &Array) -> u64 {
        match value {
            Array::Device(tensor) => tensor.address(),
            Array::Host(tensor) => {
                let at = self.inlined[index].expect("an array of the host should have its place behind the blocks");
                let bytes = tensor.bytes();
                // SAFETY: `begin` has waited until the GPU has read what was there.
                let all = unsafe { self.turns[self.turn].blocks.bytes_mut() };
                all[at as usize..at as usize + bytes.len()].copy_from_slice(bytes);
                self.blocks.address() + at
            }
        }
    }

    fn block_mut(&mut self, block: usize) -> &mut [u8] {
        let (offset, bytes) = self.block_parts[block];
        // SAFETY: `begin` has waited until the GPU has read what was there.
        let all = unsafe { self.turns[self.turn].blocks.bytes_mut() };
        &mut all[offset as usize..(offset + bytes) as usize]
    }

    fn new_result(&self, result: &ResultSlot) -> Result<Array, TensorError> {
        DeviceTensor::zeros(self.program.gpu(), result.dtype, &result.shape).map(Array::Device)
    }

    fn looped_arenas(&self) -> &[u32] {
        &self.looped_arenas
    }

    fn whole_arenas(&self) -> &[u32] {
        &self.whole_arenas
    }

    fn remarks(&self) -> Vec<String> {
        let of = |(arena, why): &(u32, Ungated)| {
            let name = &self.program.arenas()[*arena as usize].name;
            format!(
                "all rows of @{name} are mapped before each step of `{}`: {}",
                self.program.program().name,
                why.reason()
            )
        };
        self.ungated.iter().map(of).collect()
    }

    unsafe fn run(&mut self, step: StepMemory<'_>) -> Result<(), RunError> {
        if self.recorded.is_none() {
            self.record()?;
        }
        let stream = self.program.gpu().stream();
        let turn = &mut self.turns[self.turn];
        turn.begin(stream)?;
        stream.upload(&turn.blocks, 0, &self.blocks, 0, self.sent_bytes)?;
        if let Some(status) = &self.status {
            // SAFETY: the status has so many bytes, and waits for the GPU when it is dropped.
            unsafe { stream.fill(status.address(), 0, status.len()) }?;
        }
        // SAFETY: the caller's promise.
        unsafe { self.run_segments(0, None, step) }
    }

    unsafe fn resume(&mut self, step: StepMemory<'_>, from: Resume) -> Result<(), RunError> {
        // SAFETY: the caller's promise.
        unsafe { self.run_segments(self.stopped, Some(from), step) }
    }

    fn carry(&mut self, _: &Param, from: Location<'_>, to: &mut Array, copies: &mut Copies) -> Result<(), TensorError> {
        let Array::Device(to) = to else { unreachable!("what a session carries should lie on its GPU") };
        let from = match from {
            Location::Arena { offset } => Carried::Gpu(self.arena.address() + offset),
            Location::Constant { offset } => Carried::Gpu(self.program.constants_address() + offset),
            Location::Array(Array::Device(tensor)) => Carried::Gpu(tensor.address()),
            Location::Array(Array::Host(tensor)) => Carried::Host(tensor.bytes()),
        };
        // SAFETY: the type of what is carried is that of the state.
        Ok(unsafe { transfer::carry(self.stream(), from, to, copies) }?)
    }

    fn set_stream(&mut self, stream: Option<ForeignStream>) -> Result<(), StreamError> {
        let with_event = |stream| Ok((stream, Event::new(self.program.gpu().context())?));
        self.caller = stream.map(with_event).transpose().map_err(StreamError::Cuda)?;
        Ok(())
    }

    fn wait_for_caller(&mut self) -> Result<(), CudaError> {
        let Some((caller, given)) = &self.caller else { return Ok(()) };
        given.record_on(*caller)?;
        self.stream().wait_for(given)
    }

    fn end(&mut self) -> Result<(), RunError> {
        let turn = &mut self.turns[self.turn];
        turn.end(self.program.gpu().stream())?;
        self.caller.as_ref().map_or(Ok(()), |(caller, _)| Ok(caller.wait_for(turn.done())?))
    }

    fn finish(&mut self) -> Result<(), RunError> {
        self.wait_and_check(self.turn)?;
        // The GPU has done what it was given before, too.
        self.turns[1 - self.turn].progress = Progress::Over;
        Ok(())
    }

    fn in_place<'a>(&'a self, location: Location<'a>, size: usize) -> Option<&'a [u8]> {
        match location {
            Location::Constant { offset } => self.program.constants().get(offset as usize..offset as usize + size),
            Location::Array(array) => array.host().map(Tensor::bytes),
            Location::Arena { .. } => None,
        }
    }

    fn read_into(&self, location: Location<'_>, bytes: &mut [u8]) -> Result<(), TensorError> {
        match location {
            Location::Array(Array::Device(tensor)) => tensor.read_into(bytes)?,
            // SAFETY: a validated result lies in the arena.
            Location::Arena { offset } => unsafe { self.stream().download_now(self.arena.address() + offset, bytes) }?,
            location => bytes.copy_from_slice(self.in_place(location, bytes.len()).expect("the host should have it")),
        }
        Ok(())
    }

    fn time_steps(&mut self) -> Result<(), TensorError> {
        let gpu = self.program.gpu().clone();
        for turn in &mut self.turns {
            turn.wait(gpu.stream())?;
            turn.time(gpu.context())?;
        }
        Ok(())
    }

    fn step_time(&self) -> Result<Option<Duration>, TensorError> {
        Ok(self.turns[self.turn].step_time()?)
    }

    fn libraries(&self) -> Option<&LibraryReport> {
        self.libraries.as_ref()
    }

    fn measure(&mut self, what: Measure) -> Result<(), TensorError> {
        self.measuring = Some(Measuring::new(self.stream(), &self.program.program().segments, what)?);
        self.recorded = None;
        Ok(())
    }

    fn segment_times(&self) -> Result<Vec<SegmentTime>, TensorError> {
        let Some(Measuring::Segments { form, events }) = &self.measuring else { return Ok(Vec::new()) };
        let segments = self.program.program().segments.iter().zip(events);
        let measured = segments.filter(|(segment, _)| forms(segment).contains(form));
        let time = |(segment, [start, end]): (&Segment, &[Event; 2])| {
            Ok(SegmentTime { segment: segment.name.clone(), form: *form, time: end.since(start)? })
        };
        measured.map(time).collect()
    }

    fn launch_times(&self) -> Vec<LaunchTime> {
        let Some(Measuring::Launches(probes)) = &self.measuring else { return Vec::new() };
        let plan = self.program.program();
        let parts = of_segments(&plan.segments, &self.program.device().launches);
        let mut times: Vec<LaunchTime> = Vec::new();
        for ((segment, part), probe) in plan.segments.iter().zip(parts).zip(probes) {
            let mut first_of = Vec::new();
            for ((launch, device), (kernels, time)) in launches(&segment.nodes).iter().zip(part).zip(&probe.launches) {
                if let Some(before) = device.joins {
                    let first: usize = first_of[first_of.len() - before as usize];
                    times[first].name += &format!(" + {}", launch.name);
                    first_of.push(first);
                    continue;
                }
                first_of.push(times.len());
                times.push(LaunchTime {
                    segment: segment.name.clone(),
                    name: launch.name.clone(),
                    location: launch.location.clone(),
                    code: device.calls.iter().map(|call| call.kernel).collect(),
                    kernels: *kernels,
                    time: *time,
                    empty: probe.empty,
                });
            }
        }
        times
    }

    fn step_counts(&self) -> StepCounts {
        let mut counts = StepCounts::default();
        self.recorded.iter().flatten().for_each(|segment| segment.count(&mut counts));
        counts
    }
}

impl CudaSession {
    /// Runs segments from one on, which may be taken up where its loop was stopped.
    ///
    /// # Safety
    /// As for [`Backend::run`].
    unsafe fn run_segments(
        &mut self,
        first: usize,
        mut from: Option<Resume>,
        step: StepMemory<'_>,
    ) -> Result<(), RunError> {
        let program = self.program.clone();
        let stream = program.gpu().stream();
        for (number, segment) in self.recorded.iter_mut().flatten().enumerate().skip(first) {
            let _range = Range::begin(&program.program().segments[number].name);
            self.stopped = number;
            let probe = begin_segment(&program, number, &mut self.measuring)?;
            let run =
                SegmentRun { program: &program, addresses: &self.addresses, caches: step.caches, debug: self.debug };
            // SAFETY: as in `record`; what is in the blocks is the caller's promise.
            unsafe { segment.run(&run, from.take(), probe) }?;
            end_segment(stream, number, &mut self.measuring)?;
        }
        let turn = &mut self.turns[self.turn];
        if let Some(status) = &self.status {
            stream.download(status, 0, &turn.status, 0, STATUS_BYTES)?;
        }
        turn.is_unchecked = true;
        Ok(())
    }

    fn is_own(&self, index: usize, tensor: &DeviceTensor) -> bool {
        self.own[index].as_ref().is_some_and(|own| own.address() == tensor.address())
    }
}
