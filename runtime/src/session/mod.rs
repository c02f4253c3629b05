//! One run of a model over time: its arena, its state and the outputs of its last step.

mod backend;
mod blocks;
mod error;
mod outputs;
mod places;
mod ring;

pub(crate) use backend::{Backend, Location, Resume, StepMemory};
pub use backend::{LaunchTime, Measure, SegmentTime, StepCounts};
pub use error::{LoopStop, OutputError, SessionError, StepError, StreamError};
pub use outputs::{Outputs, Ticket};

use std::{
    collections::BTreeSet,
    sync::{Arc, MutexGuard, OnceLock},
    time::{Duration, Instant},
};

use pygraph_artifact::{
    bytes::AlignedBytes,
    plan::{CacheLayout, Param, Place, PositionSource, Program, SlotRows},
    validate::{array_bytes, is_updated_in_place},
};

use self::{
    blocks::Fields,
    places::{Outline, check_arguments, locate},
    ring::Ring,
};
use crate::{
    caches::{CacheError, CacheOptions, Caches, read_integers},
    cuda::{driver::ForeignStream, libraries::LibraryReport},
    host::{Copies, RunError},
    knobs::{DebugLevel, time_text},
    memory::MemoryError,
    model::{ArgumentError, Model, check_argument},
    random_state::initial_value,
    tensor::{Array, TensorError, type_text},
};

/// A session allows one step at a time. No array is allocated in a step once every buffer of the results has been used.
///
/// What changes from step to step is written into parameter blocks: values of `host` arguments, addresses of `step` arguments, which
/// are read where they are, and of the buffers that results are written to. State that launches update in place stays
/// where it is.
#[derive(Debug)]
pub struct Session {
    model: Arc<Model>,
    /// What is on the device.
    backend: Box<dyn Backend>,
    params: Vec<Option<Array>>,
    outline: Outline,
    /// Arguments that were set, and that the device has not taken in.
    changed: Vec<usize>,
    /// No argument has lost its value since all were seen to have one.
    is_complete: bool,
    fields: Fields,
    /// The positions that rows go by, while they are looked at.
    positions: Vec<i64>,
    /// One a result; unused for those that lie elsewhere than behind an address of a block.
    rings: Vec<Ring>,
    has_outputs: bool,
    /// A loop of the last step was stopped, and the step has not gone on: how often each arena of caches had been emptied then.
    stopped: Option<Vec<u64>>,
    /// Arguments that were set since: the step goes on with those that it began with.
    set_meanwhile: Vec<(usize, Array)>,
    copies: Copies,
    step_count: u64,
    /// The arenas that caches lie in; none for a program without caches.
    caches: Option<Arc<Caches>>,
    /// Copies of results that the host cannot read in place, and dense arrays of caches, made when somebody asks.
    collected: Vec<OnceLock<AlignedBytes>>,
    debug: DebugLevel,
}

impl Session {
    /// Begins a session: allocates its arena, and reserves the addresses of its caches; state is what [`Session::set`] says before
    /// the first step.
    pub fn new(model: Arc<Model>) -> Result<Session, SessionError> {
        let caches = Caches::for_model(&model, CacheOptions::default())?;
        Session::with_caches(model, Arc::new(caches))
    }

    /// The same with caches that several sessions share, or that grow in another way. They must be of the model's artifact.
    pub fn with_caches(model: Arc<Model>, caches: Arc<Caches>) -> Result<Session, SessionError> {
        if !caches.are_of(model.artifact().plan()) {
            return Err(SessionError::OtherCaches);
        }
        if caches.gpu() != model.gpu().map(|gpu| gpu.ordinal()) {
            return Err(SessionError::OtherDevice);
        }
        let has_caches = model.program().params.iter().any(|param| param.cache.is_some());
        let caches = has_caches.then_some(caches);
        let debug = DebugLevel::from_environment();
        let program = model.program();
        let arena_bytes = program.arena_bytes;
        debug.say(DebugLevel::DEVICES, || format!("session of `{}`: arena {arena_bytes} bytes", program.name));
        let backend = model.new_backend(caches.as_deref(), debug)?;
        let rings = program.results.iter().map(|_| Ring::default()).collect();
        let params = model.weights().to_vec();
        let collected = program.results.iter().map(|_| OnceLock::new()).collect();
        let copies = Copies::default();
        Ok(Session {
            outline: Outline::of(program),
            changed: (0..params.len()).filter(|index| params[*index].is_some()).collect(),
            is_complete: false,
            fields: Fields::of(program, backend.block_copies()),
            positions: Vec::new(),
            model,
            backend,
            params,
            rings,
            has_outputs: false,
            stopped: None,
            set_meanwhile: Vec::new(),
            copies,
            step_count: 0,
            caches,
            collected,
            debug,
        })
    }

    /// The arenas that the program's caches lie in; none if it has no caches.
    pub fn caches(&self) -> Option<&Arc<Caches>> {
        self.caches.as_ref()
    }

    /// Begins a request with empty caches: nothing is mapped, and every row is zero. What was set for them before does not count, and a step
    /// whose loop was stopped is given up.
    pub fn begin_fresh(&mut self) -> Result<(), MemoryError> {
        self.abandon();
        let Some(caches) = self.caches.clone() else { return Ok(()) };
        for arena in &self.outline.arenas {
            caches.begin(*arena)?;
        }
        for index in &self.outline.caches {
            self.params[*index] = None;
        }
        Ok(())
    }

    /// The model that runs.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// What was moved since the session began, beside the work of launches.
    pub fn copies(&self) -> Copies {
        self.copies
    }

    /// Sets the value of argument `index` from the next step on. On the host device and for arrays that lie on the model's GPU its bytes are
    /// shared, not copied; those of state that launches update in place are copied once if somebody else holds them too. A
    /// large array of the host is copied to the GPU once, a small one that is given again and again with the parameter blocks of each step.
    pub fn set(&mut self, index: usize, value: impl Into<Array>) -> Result<(), ArgumentError> {
        let mut value = value.into();
        let param = check_argument(self.model.program(), index, &value)?;
        self.model.check_device(index, &param.name, &value)?;
        if self.outline.is_read_by_host[index] {
            if matches!(value, Array::Device(_)) {
                self.backend.wait_for_caller().map_err(TensorError::Cuda)?;
            }
            value = value.to_host()?.into();
        }
        self.replace(index, value);
        Ok(())
    }

    fn replace(&mut self, index: usize, value: Array) {
        if self.stopped.is_some() {
            self.set_meanwhile.retain(|(other, _)| *other != index);
            self.set_meanwhile.push((index, value));
            return;
        }
        if let Some(old) = self.params[index].replace(value) {
            self.backend.release(old);
        }
        if !self.changed.contains(&index) {
            self.changed.push(index);
        }
        self.fields.touch(index);
    }

    /// Gives every state of a random generator that the program draws from this seed, and the offset 0. [`Session::set`] gives one any state
    /// ([`random_state`](crate::random_state::random_state)), such as that which an earlier session ended with.
    pub fn seed(&mut self, seed: u64) -> Result<(), TensorError> {
        let model = self.model.clone();
        for (index, param) in model.program().params.iter().enumerate() {
            if let Some(initial) = param.initial {
                self.replace(index, initial_value(initial, seed)?.into());
            }
        }
        Ok(())
    }

    /// The value of argument `index`: what was set, or for state what the last step left. None if there is none, and for a cache, whose
    /// rows lie apart: ask for the result that updates it.
    pub fn value(&self, index: usize) -> Option<&Array> {
        let meanwhile = self.set_meanwhile.iter().find(|(other, _)| *other == index).map(|(_, value)| value);
        meanwhile.or(self.params.get(index)?.as_ref())
    }

    /// Writes the next results to `buffer`, which must have the result's type and lie on the model's device; once, if the caller goes on
    /// holding it.
    pub fn set_output(&mut self, index: usize, buffer: impl Into<Array>) -> Result<(), ArgumentError> {
        let buffer = buffer.into();
        let program = self.model.program();
        let count = program.results.len();
        let result = program.results.get(index).ok_or(ArgumentError::NoSuchResult { index, count })?;
        if (buffer.dtype(), buffer.shape()) != (result.dtype, &result.shape) {
            return Err(ArgumentError::Type {
                index,
                name: result.name.clone(),
                found: type_text(buffer.dtype(), buffer.shape()),
                expected: type_text(result.dtype, &result.shape),
            });
        }
        self.model.check_device(index, &result.name, &buffer)?;
        if matches!((&buffer, self.model.gpu()), (Array::Host(_), Some(_))) {
            return Err(ArgumentError::OutputOnHost { index, name: result.name.clone() });
        }
        self.rings[index].set_next(buffer);
        Ok(())
    }

    /// Runs the program once, then replaces state by the results that update it.
    ///
    /// On the host device the step has ended when this returns. On a GPU it may still run: an argument or buffer of the caller that lies
    /// there may be dropped, and must not be written until the step has ended. If a launch fails, state that the step was
    /// updating in place is lost and must be set again; all else is as it was. A step that needs rows of caches that are gone, since
    /// a window has left them, does not begin. A loop on a GPU for whose next iteration there is no memory stops before that
    /// ([`StepError::LoopStopped`]): nothing is lost, and the step goes on with [`Session::resume`] or [`Session::leave_loop`].
    pub fn step(&mut self) -> Result<Ticket<'_>, StepError> {
        if self.stopped.is_some() {
            return Err(StepError::Stopped);
        }
        let start = Instant::now();
        let before = self.copies;
        let model = self.model.clone();
        let program = model.program();
        let _current = model.make_current().map_err(RunError::Cuda)?;
        self.check_complete(program)?;
        // Nothing has begun: what goes wrong with a caller's stream takes nothing with it.
        self.backend.wait_for_caller().map_err(RunError::Cuda)?;
        if let Err(source) = self.backend.begin() {
            return Err(self.lose_state(program, source));
        }
        self.take_in_arguments(program)?;
        let caches = self.caches.clone();
        // Sessions that share caches step one after another.
        let turn = caches.as_ref().map(|caches| caches.take_turn());
        self.check_rows(program)?;
        self.import_caches(program)?;
        self.ensure_rows(program)?;
        for result in &self.outline.by_address {
            self.rings[*result].turn(&program.results[*result], self.backend.as_ref())?;
        }
        self.has_outputs = false;
        self.collected.iter_mut().for_each(|collected| drop(collected.take()));
        self.fields.write(self.backend.as_mut(), &self.params, &mut self.rings, &mut self.copies);
        let memory = StepMemory { program, params: &mut self.params, caches: caches.as_deref(), debug: self.debug };
        // SAFETY: the blocks hold the addresses of this session's arguments, which stay where they are while the
        // step runs, and of buffers of results that nobody else holds; each was checked to have its type.
        let ran = unsafe { self.backend.run(memory) };
        self.complete(program, ran, turn)?;
        self.debug.say(DebugLevel::TIMINGS, || {
            let moved = self.copies.since(before);
            let time = time_text(start.elapsed());
            format!(
                "step {}: {time}, block {} bytes, {} copies of {} bytes",
                self.step_count - 1,
                moved.block_bytes,
                moved.count,
                moved.bytes
            )
        });
        Ok(Ticket { session: self })
    }

    /// Goes on with a step whose loop was stopped, from the iteration that had no memory. If there still is none, all stays as it is.
    pub fn resume(&mut self) -> Result<Ticket<'_>, StepError> {
        self.go_on(Resume::Loop)
    }

    /// Ends a loop that was stopped where it stands, and runs the rest of its step: its results are those of the iterations that were made.
    pub fn leave_loop(&mut self) -> Result<Ticket<'_>, StepError> {
        self.go_on(Resume::Behind)
    }

    /// Gives up a step whose loop was stopped, if there is one. State that it was updating where it lies is lost.
    pub fn abandon(&mut self) {
        if self.stopped.take().is_some() {
            let model = self.model.clone();
            self.forget_state(model.program());
            self.take_up_meanwhile();
        }
    }

    /// Arguments that were set while the step was stopped count from the next one on.
    fn take_up_meanwhile(&mut self) {
        for (index, value) in std::mem::take(&mut self.set_meanwhile) {
            self.replace(index, value);
        }
    }

    /// How often each arena of caches was emptied.
    fn times_emptied(&self) -> Vec<u64> {
        let caches = self.caches.iter();
        caches.flat_map(|caches| self.outline.arenas.iter().map(|arena| caches.times_emptied(*arena))).collect()
    }

    fn go_on(&mut self, from: Resume) -> Result<Ticket<'_>, StepError> {
        let Some(emptied) = self.stopped.clone() else { return Err(StepError::NotStopped) };
        let model = self.model.clone();
        let program = model.program();
        let _current = model.make_current().map_err(RunError::Cuda)?;
        let caches = self.caches.clone();
        let turn = caches.as_ref().map(|caches| caches.take_turn());
        if self.times_emptied() != emptied {
            self.abandon();
            return Err(StepError::CachesEmptied);
        }
        if let Some(caches) = &caches {
            self.backend.looped_arenas().iter().try_for_each(|arena| caches.check_whole(*arena))?;
        }
        self.stopped = None;
        let memory = StepMemory { program, params: &mut self.params, caches: caches.as_deref(), debug: self.debug };
        // SAFETY: the blocks are as `step` has sent them. What they point to is there: arguments are those of then, nobody can hold a
        // buffer of a result, state lies where it did, and nobody has emptied a cache.
        let ran = unsafe { self.backend.resume(memory, from) };
        self.complete(program, ran, turn)?;
        Ok(Ticket { session: self })
    }

    /// What follows when all of a step was given to the device; or what is left when that went wrong.
    fn complete(
        &mut self,
        program: &Program,
        ran: Result<(), RunError>,
        turn: Option<MutexGuard<'_, ()>>,
    ) -> Result<(), StepError> {
        match ran {
            Ok(()) => {}
            Err(RunError::LoopStopped(stop)) => {
                self.stopped = Some(self.times_emptied());
                return Err(StepError::LoopStopped(stop));
            }
            Err(source) => {
                let lost = self.lose_state(program, source);
                self.take_up_meanwhile();
                return Err(lost);
            }
        }
        // Nobody reads these rows any more: the step has ended, and others that share the caches have not begun.
        let retired = self.retire_rows(program);
        drop(turn);
        self.has_outputs = true;
        let carried = self.carry_state(program);
        let ended = carried.and_then(|()| self.backend.end().map_err(|source| self.lose_state(program, source)));
        self.take_up_meanwhile();
        ended?;
        self.step_count += 1;
        Ok(retired?)
    }

    /// Waits until the last step has ended.
    fn finish(&mut self) -> Result<(), StepError> {
        let Err(source) = self.backend.finish() else { return Ok(()) };
        self.has_outputs = false;
        let model = self.model.clone();
        Err(self.lose_state(model.program(), source))
    }

    /// Orders the next steps with a stream of the caller's on the model's GPU: a step begins when the stream has done what it was given before the
    /// call, and what the stream is given after the call begins when the step has ended. The host waits for neither. So inputs that
    /// the stream writes need no other care, nor do results that it reads, until the second step after it writes to the same
    /// buffer, unless the result is held. Steps still run on the stream that all models of the GPU share; that stream waits too. If a step
    /// fails, or its loop stops, the caller's stream does not wait for it.
    pub fn set_stream(&mut self, stream: Option<ForeignStream>) -> Result<(), StreamError> {
        self.backend.set_stream(stream)
    }

    /// From now on a GPU times every step ([`Session::device_time`]).
    pub fn time_steps(&mut self) -> Result<(), TensorError> {
        self.backend.time_steps()
    }

    /// How long the last step took on the GPU, once it has ended. None on the host device, and if steps are not timed.
    pub fn device_time(&self) -> Result<Option<Duration>, TensorError> {
        self.backend.step_time()
    }

    /// From now on a GPU measures this in every step. Steps give the same results; they take longer. A step whose loop was stopped is given up.
    pub fn measure(&mut self, what: Measure) -> Result<(), TensorError> {
        self.abandon();
        self.backend.measure(what)
    }

    /// What [`Measure::Segments`] measured in the last step, which must have been waited for. Empty on the host device.
    pub fn segment_times(&self) -> Result<Vec<SegmentTime>, TensorError> {
        self.backend.segment_times()
    }

    /// What [`Measure::Launches`] measured in the last step. Empty on the host device.
    pub fn launch_times(&self) -> Vec<LaunchTime> {
        self.backend.launch_times()
    }

    /// What libraries compute of a step, on a GPU and once it is known.
    pub fn libraries(&self) -> Option<&LibraryReport> {
        self.backend.libraries()
    }

    /// What a user should know of how the program runs on its device: which caches have all of their rows mapped, and why.
    pub fn remarks(&self) -> Vec<String> {
        self.backend.remarks()
    }

    /// What a step gives to the device, once one has run.
    pub fn step_counts(&self) -> StepCounts {
        self.backend.step_counts()
    }

    /// The results of the last step; empty before the first.
    pub fn outputs(&self) -> Outputs<'_> {
        Outputs { session: self }
    }

    /// That every argument has a value. Once that is known, only caches can lose theirs without this session.
    fn check_complete(&mut self, program: &Program) -> Result<(), StepError> {
        let caches = self.caches.as_deref();
        let are_filled = caches.is_none_or(|caches| self.outline.arenas.iter().all(|arena| caches.has_content(*arena)));
        if !(self.is_complete && are_filled) {
            check_arguments(program, &self.params, caches)?;
            self.is_complete = true;
        }
        Ok(())
    }

    /// Arguments that were set must lie where launches reach them, and state that launches write must be the session's alone.
    fn take_in_arguments(&mut self, program: &Program) -> Result<(), StepError> {
        let is_cache = |index: &usize| program.params[*index].cache.is_some();
        for index in self.changed.iter().filter(|index| !is_cache(index)).chain(&self.outline.in_place) {
            let value = self.params[*index].as_mut().expect("a step should run with all arguments");
            self.backend.take_in(*index, value, &mut self.copies)?;
            self.fields.touch(*index);
        }
        // Caches are taken in when their rows are there.
        self.changed.retain(is_cache);
        Ok(())
    }

    /// That every row which the step needs is there, before anything changes.
    fn check_rows(&mut self, program: &Program) -> Result<(), StepError> {
        let Some(caches) = &self.caches else { return Ok(()) };
        let handed_in = self.handed_in(program);
        handed_in.iter().try_for_each(|arena| caches.check_hand_in(*arena))?;
        self.backend.looped_arenas().iter().try_for_each(|arena| caches.check_whole(*arena))?;
        for rows in program.ensures.iter().filter(|rows| !handed_in.contains(&rows.arena)) {
            read_positions(&self.params, rows, &mut self.positions);
            caches.check_kept(rows, &self.positions)?;
        }
        Ok(())
    }

    /// The arenas in which caches lie that a caller has set since the last step.
    fn handed_in(&self, program: &Program) -> BTreeSet<u32> {
        let given = self.changed.iter().filter(|index| self.params[**index].is_some());
        given.filter_map(|index| Some(program.params[*index].cache.as_ref()?.arena)).collect()
    }

    /// Lays out the caches that a caller has set. They stay mapped whole.
    fn import_caches(&mut self, program: &Program) -> Result<(), StepError> {
        let Some(caches) = self.caches.clone().filter(|_| !self.changed.is_empty()) else { return Ok(()) };
        let arenas = self.handed_in(program);
        for arena in &arenas {
            caches.open_whole(*arena)?;
        }
        if let Err(error) = self.import_each(program, &caches) {
            // Some may be there, and others not.
            arenas.iter().for_each(|arena| caches.forget(*arena));
            return Err(error);
        }
        arenas.iter().for_each(|arena| caches.fill_in(*arena));
        self.changed.clear();
        Ok(())
    }

    fn import_each(&mut self, program: &Program, caches: &Caches) -> Result<(), StepError> {
        for index in &self.changed {
            let param = &program.params[*index];
            if let (Some(layout), Some(value)) = (&param.cache, self.params[*index].take()) {
                let value = value.to_host()?;
                caches.import(param, layout, value.bytes()).map_err(TensorError::Cuda)?;
                self.copies.imported_bytes += value.bytes().len() as u64;
            }
        }
        Ok(())
    }

    /// Maps what the step needs before it begins.
    fn ensure_rows(&mut self, program: &Program) -> Result<(), CacheError> {
        let Some(caches) = &self.caches else { return Ok(()) };
        for rows in &program.ensures {
            read_positions(&self.params, rows, &mut self.positions);
            caches.ensure(rows, &self.positions)?;
        }
        Ok(self.backend.whole_arenas().iter().try_for_each(|arena| caches.ensure_all(*arena))?)
    }

    /// Gives up what no later step needs, when the step is over.
    fn retire_rows(&mut self, program: &Program) -> Result<(), MemoryError> {
        let Some(caches) = &self.caches else { return Ok(()) };
        for rows in &program.retires {
            read_positions(&self.params, rows, &mut self.positions);
            caches.retire(rows, &self.positions)?;
        }
        Ok(())
    }

    /// The bytes of a result of the last step. On the host device none is copied for being a result.
    ///
    /// A cache lies in rows: a dense array of it is collected when it is asked for.
    fn output(&self, index: usize) -> Result<&[u8], OutputError> {
        let program = self.model.program();
        let result = &program.results[index];
        let size = array_bytes(result.dtype, &result.shape).expect("a validated result should have a size") as usize;
        if let Place::Param { index: param } = program.buffers[result.buffer.0 as usize].place
            && let Some(layout) = &program.params[param as usize].cache
        {
            return self.collect(index, &program.params[param as usize], layout);
        }
        let location = locate(program, &self.params, &self.rings, result).ok_or(OutputError::NoStep)?;
        if let Some(bytes) = self.backend.in_place(location, size) {
            return Ok(bytes);
        }
        self.copy_once(index, size as u64, |bytes| self.backend.read_into(location, bytes))
    }

    fn collect(&self, index: usize, param: &Param, layout: &CacheLayout) -> Result<&[u8], OutputError> {
        let caches = self.caches.as_ref().ok_or(OutputError::NoContent { index })?;
        let size = array_bytes(param.dtype, &param.shape).expect("a validated parameter should have a size");
        self.copy_once(index, size, |dense| Ok(caches.export(param, layout, dense)?))
    }

    /// The bytes of a result that `fill` writes over zeros the first time.
    fn copy_once(
        &self,
        index: usize,
        size: u64,
        fill: impl FnOnce(&mut [u8]) -> Result<(), TensorError>,
    ) -> Result<&[u8], OutputError> {
        let collected = &self.collected[index];
        if let Some(bytes) = collected.get() {
            return Ok(bytes);
        }
        let mut bytes = AlignedBytes::zeroed(size).map_err(TensorError::OutOfMemory)?;
        fill(&mut bytes)?;
        Ok(collected.get_or_init(|| bytes))
    }

    /// Gives every argument that a result updates that result's value, unless launches have written it there.
    fn carry_state(&mut self, program: &Program) -> Result<(), StepError> {
        for (index, updated_by) in &self.outline.carried {
            // Taken out, so that it can be written while results are read.
            let mut next = self.params[*index].take().expect("a step should run with all arguments");
            // None is a result that lies in this very argument, and leaves it as it is.
            let from = locate(program, &self.params, &self.rings, &program.results[*updated_by]);
            let carried =
                from.map(|from| self.backend.carry(&program.params[*index], from, &mut next, &mut self.copies));
            self.params[*index] = Some(next);
            self.fields.touch(*index);
            carried.transpose()?;
        }
        Ok(())
    }

    /// Forgets state that a failed step may have left half updated.
    fn lose_state(&mut self, program: &Program, source: RunError) -> StepError {
        let lost = self.forget_state(program);
        if lost.is_empty() {
            StepError::Run(source)
        } else {
            StepError::StateLost { source, arguments: lost.join(", ") }
        }
    }

    /// Forgets the state that launches update where it lies; says which arguments it was.
    fn forget_state(&mut self, program: &Program) -> Vec<String> {
        let mut lost = Vec::new();
        for (index, value) in self.params.iter_mut().enumerate() {
            if is_updated_in_place(program, index as u32) {
                *value = None;
                if let (Some(layout), Some(caches)) = (&program.params[index].cache, &self.caches) {
                    caches.forget(layout.arena);
                }
                lost.push(format!("arg{index} `{}`", program.params[index].name));
            }
        }
        self.is_complete = false;
        self.changed.retain(|index| self.params[*index].is_some());
        lost
    }
}

/// The positions that rows go by, as the caller gave them.
fn read_positions(params: &[Option<Array>], rows: &SlotRows, into: &mut Vec<i64>) {
    into.clear();
    if let Some(PositionSource::Param { index }) = rows.source {
        let value = params[index as usize].as_ref().and_then(Array::host);
        let value = value.expect("the host should have the arguments that it reads");
        read_integers(value.dtype(), value.bytes(), into);
    }
}
