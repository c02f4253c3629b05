//! One run of a model over time: its arena, its state and the outputs of its last step.

use std::{
    collections::BTreeSet,
    sync::{Arc, OnceLock},
    time::Instant,
};

use pygraph_artifact::{
    bytes::{AlignedBytes, OutOfMemory},
    plan::{ADDRESS_BYTES, CacheLayout, FieldSource, Param, Place, PositionSource, Program, ResultSlot},
    validate::{array_bytes, is_updated_in_place},
};
use pygraph_kernels::memory::Buffer;

use crate::{
    caches::{CacheOptions, Caches, integers},
    host::{Copies, Memory, RunError},
    knobs::{DebugLevel, time_text},
    memory::MemoryError,
    model::{ArgumentError, Model, check_argument},
    random_state::initial_value,
    tensor::{Tensor, TensorError, TensorView, type_text},
};

/// How many buffers a result has by turns. With two, those of a step can be held while the next one runs.
const RING_SLOTS: usize = 2;

/// A session allows one step at a time. No array is allocated in a step once every buffer of the results has been used.
///
/// What changes from step to step is written into parameter blocks: values of `host` arguments, addresses of `step` arguments, which
/// are read where they are, and of the buffers that results are written to. State that launches update in place stays
/// where it is.
#[derive(Debug)]
pub struct Session {
    model: Arc<Model>,
    arena: AlignedBytes,
    params: Vec<Option<Tensor>>,
    blocks: Vec<AlignedBytes>,
    /// One a result; unused for those that lie elsewhere than behind an address of a block.
    rings: Vec<Ring>,
    /// The results whose address is in a block.
    by_address: BTreeSet<usize>,
    has_outputs: bool,
    copies: Copies,
    step_count: u64,
    /// The arenas that caches lie in; none for a program without caches.
    caches: Option<Arc<Caches>>,
    /// Dense arrays of results that are caches, collected when somebody asks.
    collected: Vec<OnceLock<Option<AlignedBytes>>>,
    debug: DebugLevel,
}

/// The buffers of a result, which take turns.
#[derive(Debug, Default)]
struct Ring {
    slots: [Option<Tensor>; RING_SLOTS],
    /// The one that the last step wrote.
    current: usize,
}

impl Ring {
    /// Makes the next buffer that nobody holds the current one.
    fn turn(&mut self, result: &ResultSlot) -> Result<(), StepError> {
        for turn in 1..=RING_SLOTS {
            let next = (self.current + turn) % RING_SLOTS;
            let slot = &mut self.slots[next];
            if slot.is_none() {
                *slot = Some(Tensor::zeros(result.dtype, &result.shape)?);
            }
            if slot.as_mut().is_some_and(|tensor| tensor.bytes_mut().is_some()) {
                self.current = next;
                return Ok(());
            }
        }
        Err(StepError::OutputsHeld { name: result.name.clone(), slots: RING_SLOTS })
    }

    fn current(&self) -> Option<&Tensor> {
        self.slots[self.current].as_ref()
    }

    fn current_mut(&mut self) -> Option<&mut [u8]> {
        self.slots[self.current].as_mut()?.bytes_mut()
    }
}

impl Session {
    /// Begins a session: allocates its arena, and reserves the addresses of its caches; state is what [`Session::set`] says before
    /// the first step.
    pub fn new(model: Arc<Model>) -> Result<Session, SessionError> {
        let caches = Caches::new(model.artifact().plan(), CacheOptions::default())?;
        Session::with_caches(model, Arc::new(caches))
    }

    /// The same with caches that several sessions share, or that grow in another way. They must be of the model's artifact.
    pub fn with_caches(model: Arc<Model>, caches: Arc<Caches>) -> Result<Session, SessionError> {
        if !caches.are_of(model.artifact().plan()) {
            return Err(SessionError::OtherCaches);
        }
        let has_caches = model.program().params.iter().any(|param| param.cache.is_some());
        let caches = has_caches.then_some(caches);
        let debug = DebugLevel::from_environment();
        let program = model.program();
        let arena_bytes = program.arena_bytes;
        debug.say(DebugLevel::DEVICES, || format!("session of `{}`: arena {arena_bytes} bytes", program.name));
        let arena = AlignedBytes::zeroed(arena_bytes)?;
        let blocks = program.blocks.iter().map(|block| AlignedBytes::zeroed(block.bytes)).collect::<Result<_, _>>()?;
        let fields = program.blocks.iter().flat_map(|block| &block.fields);
        let by_address = fields.filter_map(|field| result_of(field.source)).collect();
        let rings = program.results.iter().map(|_| Ring::default()).collect();
        let params = model.weights().to_vec();
        let collected = program.results.iter().map(|_| OnceLock::new()).collect();
        let copies = Copies::default();
        Ok(Session {
            model,
            arena,
            params,
            blocks,
            rings,
            by_address,
            has_outputs: false,
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

    /// Begins a request with empty caches: nothing is mapped, and every row is zero. What was set for them before does not count.
    pub fn begin_fresh(&mut self) -> Result<(), MemoryError> {
        let model = self.model.clone();
        for (param, value) in model.program().params.iter().zip(&mut self.params) {
            if let (Some(layout), Some(caches)) = (&param.cache, &self.caches) {
                caches.begin(layout.arena)?;
                *value = None;
            }
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

    /// Sets the value of argument `index` from the next step on. Its bytes are shared, not copied; those of state that launches
    /// update in place are copied once if somebody else holds them too.
    pub fn set(&mut self, index: usize, value: Tensor) -> Result<(), ArgumentError> {
        check_argument(self.model.program(), index, &value)?;
        self.params[index] = Some(value);
        Ok(())
    }

    /// Gives every state of a random generator that the program draws from this seed, and the offset 0. [`Session::set`] gives one any state
    /// ([`random_state`](crate::random_state::random_state)), such as that which an earlier session ended with.
    pub fn seed(&mut self, seed: u64) -> Result<(), TensorError> {
        for (param, value) in self.model.program().params.iter().zip(&mut self.params) {
            if let Some(initial) = param.initial {
                *value = Some(initial_value(initial, seed)?);
            }
        }
        Ok(())
    }

    /// The value of argument `index`: what was set, or for state what the last step left. None if there is none, and for a cache, whose
    /// rows lie apart: ask for the result that updates it.
    pub fn value(&self, index: usize) -> Option<TensorView<'_>> {
        self.params.get(index)?.as_ref().map(Tensor::view)
    }

    /// Writes the next results to `buffer`, which must have the result's type; once, if the caller goes on holding it.
    pub fn set_output(&mut self, index: usize, buffer: Tensor) -> Result<(), ArgumentError> {
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
        let ring = &mut self.rings[index];
        ring.slots[(ring.current + 1) % RING_SLOTS] = Some(buffer);
        Ok(())
    }

    /// Runs the program once, then replaces state by the results that update it.
    ///
    /// On the host device the step has ended when this returns. If a launch fails, state that the step was updating in place is lost
    /// and must be set again; all else is as it was.
    pub fn step(&mut self) -> Result<Ticket<'_>, StepError> {
        let start = Instant::now();
        let before = self.copies;
        let model = self.model.clone();
        let program = model.program();
        check_arguments(program, &self.params, self.caches.as_deref())?;
        self.own_state(program)?;
        let caches = self.caches.clone();
        // Sessions that share caches step one after another.
        let turn = caches.as_ref().map(|caches| caches.take_turn());
        self.import_caches(program)?;
        self.ensure_rows(program)?;
        for result in &self.by_address {
            self.rings[*result].turn(&program.results[*result])?;
        }
        self.has_outputs = false;
        self.collected.iter_mut().for_each(|collected| drop(collected.take()));
        self.write_blocks(program);
        let params = self.params.iter_mut().zip(0u32..).map(|(value, index)| {
            let param = &program.params[index as usize];
            if let (Some(layout), Some(caches)) = (&param.cache, &caches) {
                // SAFETY: launches touch rows that `ensure_rows` and the graph's own steps ensure, one launch at a time.
                return unsafe { caches.buffer(param, layout) };
            }
            let value = value.as_mut().expect("a step should run with all arguments");
            if is_updated_in_place(program, index) {
                Buffer::writable(value.bytes_mut().expect("state should be the session's alone"))
            } else {
                Buffer::read_only(value.bytes())
            }
        });
        let memory = Memory {
            arena: &mut self.arena,
            params: params.collect(),
            constants: model.artifact().constants(),
            blocks: &self.blocks,
            caches: caches.as_deref(),
        };
        // SAFETY: `write_blocks` has just written the addresses of this session's arguments, which stay where they are while the
        // step runs, and of buffers of results that nobody else holds; each was checked to have its type.
        let ran = unsafe { model.host().run(program, memory, self.debug) };
        drop(turn);
        if let Err(source) = ran {
            return Err(self.lose_state(program, source));
        }
        self.has_outputs = true;
        self.carry_state(program)?;
        self.step_count += 1;
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

    /// The results of the last step; empty before the first.
    pub fn outputs(&self) -> Outputs<'_> {
        Outputs { session: self }
    }

    /// Lays out the caches that a caller has set. They stay mapped whole.
    fn import_caches(&mut self, program: &Program) -> Result<(), StepError> {
        let Some(caches) = self.caches.clone() else { return Ok(()) };
        let given = program.params.iter().zip(&self.params).filter(|(_, value)| value.is_some());
        let arenas: BTreeSet<u32> = given.filter_map(|(param, _)| Some(param.cache.as_ref()?.arena)).collect();
        for arena in &arenas {
            caches.ensure_all(*arena)?;
        }
        for (param, value) in program.params.iter().zip(&mut self.params) {
            let Some(layout) = &param.cache else { continue };
            if let Some(value) = value.take() {
                caches.import(param, layout, value.bytes());
                self.copies.imported_bytes += value.bytes().len() as u64;
            }
        }
        arenas.iter().for_each(|arena| caches.fill_in(*arena));
        Ok(())
    }

    /// Maps what the step needs before it begins.
    fn ensure_rows(&mut self, program: &Program) -> Result<(), StepError> {
        let Some(caches) = &self.caches else { return Ok(()) };
        for ensure in &program.ensures {
            let positions = match ensure.source {
                Some(PositionSource::Param { index }) => {
                    let value = self.params[index as usize].as_ref().expect("a step should run with all arguments");
                    integers(value.dtype(), value.bytes()).unwrap_or_default()
                }
                _ => Vec::new(),
            };
            caches.ensure(ensure, &positions)?;
        }
        Ok(())
    }

    /// State that launches write must be the session's alone.
    fn own_state(&mut self, program: &Program) -> Result<(), StepError> {
        for (index, value) in (0u32..).zip(&mut self.params) {
            if !is_updated_in_place(program, index) || program.params[index as usize].cache.is_some() {
                continue;
            }
            let value = value.as_mut().expect("a step should run with all arguments");
            if value.bytes_mut().is_none() {
                let mut own = Tensor::zeros(value.dtype(), value.shape())?;
                self.copies.import(value.bytes(), own.bytes_mut().expect("a new array should be unshared"));
                *value = own;
            }
        }
        Ok(())
    }

    /// Fills in what changes.
    fn write_blocks(&mut self, program: &Program) {
        for (block, bytes) in program.blocks.iter().zip(&mut self.blocks) {
            for field in &block.fields {
                let argument = |param: u32| {
                    self.params[param as usize].as_ref().expect("a step should run with all arguments").bytes()
                };
                let address: [u8; ADDRESS_BYTES as usize];
                let content = match field.source {
                    FieldSource::Value { param } => argument(param),
                    FieldSource::ParamAddress { param } => {
                        address = Buffer::read_only(argument(param)).address().to_le_bytes();
                        &address
                    }
                    FieldSource::ResultAddress { result } => {
                        let buffer = self.rings[result as usize].current_mut();
                        let buffer = buffer.expect("a result that is in a block should have its buffer");
                        address = Buffer::writable(buffer).address().to_le_bytes();
                        &address
                    }
                };
                let offset = field.offset as usize;
                self.copies.write_field(content, &mut bytes[offset..offset + content.len()]);
            }
        }
    }

    /// The bytes of a result of the last step, where they are. None is copied for being a result.
    ///
    /// A cache lies in rows: a dense array of it is collected when it is asked for.
    fn output(&self, result: &ResultSlot) -> Option<&[u8]> {
        let program = self.model.program();
        let size = array_bytes(result.dtype, &result.shape)? as usize;
        match program.buffers[result.buffer.0 as usize].place {
            Place::Arena { offset } => self.arena.get(offset as usize..offset as usize + size),
            Place::Constant { offset } => {
                self.model.artifact().constants().get(offset as usize..offset as usize + size)
            }
            Place::Param { index } => match &program.params[index as usize].cache {
                None => self.params[index as usize].as_ref().map(Tensor::bytes),
                Some(layout) => self.collect(program, result, index as usize, layout),
            },
            Place::Field { block, field } => match program.blocks[block as usize].fields[field as usize].source {
                FieldSource::Value { param } | FieldSource::ParamAddress { param } => {
                    self.params[param as usize].as_ref().map(Tensor::bytes)
                }
                FieldSource::ResultAddress { result } => self.rings[result as usize].current().map(Tensor::bytes),
            },
        }
    }

    fn collect(&self, program: &Program, result: &ResultSlot, index: usize, layout: &CacheLayout) -> Option<&[u8]> {
        let number = program.results.iter().position(|other| std::ptr::eq(other, result))?;
        let (param, caches) = (&program.params[index], self.caches.as_ref()?);
        let collected = self.collected[number].get_or_init(|| {
            let mut dense = AlignedBytes::zeroed(array_bytes(param.dtype, &param.shape)?).ok()?;
            caches.export(param, layout, &mut dense);
            Some(dense)
        });
        collected.as_deref()
    }

    /// Gives every argument that a result updates that result's value, unless launches have written it there.
    fn carry_state(&mut self, program: &Program) -> Result<(), StepError> {
        for (index, param) in program.params.iter().enumerate() {
            let Some(updated_by) = param.updated_by else { continue };
            if is_updated_in_place(program, index as u32) {
                continue;
            }
            // Taken out, so that it can be written while results are read.
            let mut next = self.params[index].take().expect("a step should run with all arguments");
            let mut copies = self.copies;
            // None is a result that lies in this very argument, and leaves it as it is.
            if let Some(from) = self.output(&program.results[updated_by as usize]) {
                if next.bytes_mut().is_none() {
                    next = Tensor::zeros(param.dtype, &param.shape)?; // somebody else holds the old one
                }
                copies.copy(from, next.bytes_mut().expect("a new array should be unshared"));
            }
            self.copies = copies;
            self.params[index] = Some(next);
        }
        Ok(())
    }

    /// Forgets state that a failed step may have left half updated.
    fn lose_state(&mut self, program: &Program, source: RunError) -> StepError {
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
        if lost.is_empty() {
            StepError::Run(source)
        } else {
            StepError::StateLost { source, arguments: lost.join(", ") }
        }
    }
}

/// The result whose address a field holds.
fn result_of(source: FieldSource) -> Option<usize> {
    match source {
        FieldSource::ResultAddress { result } => Some(result as usize),
        FieldSource::Value { .. } | FieldSource::ParamAddress { .. } => None,
    }
}

/// An error that names all arguments that have no value.
fn check_arguments(program: &Program, params: &[Option<Tensor>], caches: Option<&Caches>) -> Result<(), StepError> {
    let is_there = |param: &Param, value: &Option<Tensor>| {
        let arena = param.cache.as_ref().zip(caches);
        value.is_some() || arena.is_some_and(|(layout, caches)| caches.has_content(layout.arena))
    };
    let missing: Vec<String> = program
        .params
        .iter()
        .zip(params)
        .enumerate()
        .filter(|(_, (param, value))| !is_there(param, value))
        .map(|(index, (param, _))| {
            format!("arg{index} `{}` ({}, {})", param.name, type_text(param.dtype, &param.shape), param.bind.name())
        })
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(StepError::Missing { arguments: missing.join(", ") }) }
}

/// A step that was started.
#[derive(Debug)]
pub struct Ticket<'session> {
    session: &'session Session,
}

impl<'session> Ticket<'session> {
    /// Waits for the step's end. On the host device it has ended.
    pub fn wait(self) -> Outputs<'session> {
        Outputs { session: self.session }
    }
}

/// The results of a step, in place until the next one.
#[derive(Debug, Clone, Copy)]
pub struct Outputs<'session> {
    session: &'session Session,
}

impl<'session> Outputs<'session> {
    /// How many there are.
    pub fn count(&self) -> usize {
        if self.session.has_outputs { self.session.model.program().results.len() } else { 0 }
    }

    /// Result `index`; none if there is no such result.
    pub fn get(&self, index: usize) -> Option<TensorView<'session>> {
        let slot = self.session.model.program().results.get(index)?;
        if !self.session.has_outputs {
            return None;
        }
        Some(TensorView { dtype: slot.dtype, shape: &slot.shape, bytes: self.session.output(slot)? })
    }

    /// Result `index`, to hold while later steps run: the session writes to another buffer as long as this lives. None if there is no such
    /// result, or if it lies in memory that stays with the session: state, for one.
    pub fn hold(&self, index: usize) -> Option<Tensor> {
        let program = self.session.model.program();
        let slot = program.results.get(index).filter(|_| self.session.has_outputs)?;
        let Place::Field { block, field } = program.buffers[slot.buffer.0 as usize].place else { return None };
        let result = result_of(program.blocks[block as usize].fields[field as usize].source)?;
        self.session.rings[result].current()?.reinterpreted(slot.dtype, &slot.shape).ok()
    }

    /// All results, in order.
    pub fn iter(&self) -> impl Iterator<Item = TensorView<'session>> {
        (0..self.count()).filter_map(|index| self.get(index))
    }
}

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// No memory for the arena.
    #[error(transparent)]
    OutOfMemory(#[from] OutOfMemory),
    /// No addresses for caches.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// Caches of something else.
    #[error("the caches are those of another artifact")]
    OtherCaches,
}

/// Why a step did not run to its end.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// Arguments without a value.
    #[error("no value for {arguments}: give --inputs, --weights or --init random:SEED")]
    Missing {
        /// All of them.
        arguments: String,
    },
    /// A launch failed.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A launch failed while it and others were updating state.
    #[error("{source}; state that was being updated is lost: set {arguments} before the next step")]
    StateLost {
        /// What went wrong.
        source: RunError,
        /// The arguments.
        arguments: String,
    },
    /// Rows of a cache could not be mapped; the step did not begin, and everything is as it was.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// Every buffer of a result is held.
    #[error("result `{name}` has {slots} buffers, and all are held: drop one, or give another with `set_output`")]
    OutputsHeld {
        /// The result's name.
        name: String,
        /// How many it has.
        slots: usize,
    },
    /// No memory for a new array.
    #[error(transparent)]
    Tensor(#[from] TensorError),
}
