//! One run of a model over time: its arena, its state and the outputs of its last step.

use std::{ops::Range, sync::Arc, time::Instant};

use pygraph_artifact::{
    bytes::{AlignedBytes, OutOfMemory},
    plan::{Place, Program, ResultSlot},
    validate::array_bytes,
};

use crate::{
    host::{Copies, Memory, RunError},
    knobs::{DebugLevel, time_text},
    model::{ArgumentError, Model, check_argument},
    tensor::{Tensor, TensorError, TensorView, type_text},
};

/// A session allows one step at a time. Nothing is allocated in a step but new state that somebody still holds.
#[derive(Debug)]
pub struct Session {
    model: Arc<Model>,
    arena: AlignedBytes,
    params: Vec<Option<Tensor>>,
    outputs: Vec<Output>,
    copies: Copies,
    step_count: u64,
    debug: DebugLevel,
}

/// Where a result of the last step is. None is copied for being a result.
#[derive(Debug)]
enum Output {
    /// In the arena, until the next step.
    Arena(Range<usize>),
    /// In the artifact's constants.
    Constant(Range<usize>),
    /// The value that an argument had in the step.
    Argument(Tensor),
}

impl Session {
    /// Begins a session: allocates its arena; state is what [`Session::set`] says before the first step.
    pub fn new(model: Arc<Model>) -> Result<Session, OutOfMemory> {
        let debug = DebugLevel::from_environment();
        let arena_bytes = model.program().arena_bytes;
        debug.say(DebugLevel::DEVICES, || format!("session of `{}`: arena {arena_bytes} bytes", model.program().name));
        let arena = AlignedBytes::zeroed(arena_bytes)?;
        let params = model.weights().to_vec();
        Ok(Session { model, arena, params, outputs: Vec::new(), copies: Copies::default(), step_count: 0, debug })
    }

    /// The model that runs.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// Copies that were made since the session began.
    pub fn copies(&self) -> Copies {
        self.copies
    }

    /// Sets the value of argument `index` from the next step on. Its bytes are shared, not copied.
    pub fn set(&mut self, index: usize, value: Tensor) -> Result<(), ArgumentError> {
        check_argument(self.model.program(), index, &value)?;
        self.params[index] = Some(value);
        Ok(())
    }

    /// Runs the program once, then replaces state by the results that update it.
    ///
    /// On the host device the step has ended when this returns.
    pub fn step(&mut self) -> Result<Ticket<'_>, StepError> {
        let start = Instant::now();
        let copied_before = self.copies;
        let model = self.model.clone();
        let program = model.program();
        let arguments = arguments(program, &self.params)?;
        self.outputs.clear();
        let memory = Memory { arena: &mut self.arena, arguments, constants: model.artifact().constants() };
        model.host().run(program, memory, self.debug)?;
        self.outputs = program.results.iter().map(|result| self.output_of(program, result)).collect();
        self.carry_state(program)?;
        self.step_count += 1;
        self.debug.say(DebugLevel::TIMINGS, || {
            let (count, bytes) = (self.copies.count - copied_before.count, self.copies.bytes - copied_before.bytes);
            let time = time_text(start.elapsed());
            format!("step {}: {time}, {count} copies of {bytes} bytes", self.step_count - 1)
        });
        Ok(Ticket { session: self })
    }

    /// The results of the last step; empty before the first.
    pub fn outputs(&self) -> Outputs<'_> {
        Outputs { session: self }
    }

    fn output_of(&self, program: &Program, result: &ResultSlot) -> Output {
        let range = |offset: u64| {
            let bytes = array_bytes(result.dtype, &result.shape).expect("a validated result should have a size");
            offset as usize..(offset + bytes) as usize
        };
        match program.buffers[result.buffer.0 as usize].place {
            Place::Arena { offset } => Output::Arena(range(offset)),
            Place::Constant { offset } => Output::Constant(range(offset)),
            Place::Param { index } => {
                Output::Argument(self.params[index as usize].clone().expect("a step should run with all arguments"))
            }
        }
    }

    /// Gives every argument that a result updates that result's value.
    fn carry_state(&mut self, program: &Program) -> Result<(), StepError> {
        for (index, param) in program.params.iter().enumerate() {
            let Some(updated_by) = param.updated_by else { continue };
            let from = match &self.outputs[updated_by as usize] {
                Output::Argument(value) => {
                    // A validated plan has equal types here, but the buffer may see the argument under another shape.
                    self.params[index] = Some(value.reinterpreted(param.dtype, &param.shape)?);
                    continue;
                }
                Output::Arena(range) => &self.arena[range.clone()],
                Output::Constant(range) => &self.model.artifact().constants()[range.clone()],
            };
            let state = self.params[index].as_mut().expect("a step should run with all arguments");
            // State that somebody else holds (a caller, an output of this step) is left to them.
            if state.bytes_mut().is_none() {
                *state = Tensor::zeros(param.dtype, &param.shape)?;
            }
            self.copies.copy(from, state.bytes_mut().expect("a new array should be unshared"));
        }
        Ok(())
    }
}

/// The bytes of every argument; an error names all that have no value.
fn arguments<'a>(program: &Program, params: &'a [Option<Tensor>]) -> Result<Vec<&'a [u8]>, StepError> {
    let missing: Vec<String> = program
        .params
        .iter()
        .zip(params)
        .enumerate()
        .filter(|(_, (_, value))| value.is_none())
        .map(|(index, (param, _))| {
            format!("arg{index} `{}` ({}, {})", param.name, type_text(param.dtype, &param.shape), param.bind.name())
        })
        .collect();
    if !missing.is_empty() {
        return Err(StepError::Missing { arguments: missing.join(", ") });
    }
    Ok(params.iter().flatten().map(Tensor::bytes).collect())
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
        self.session.outputs.len()
    }

    /// Result `index`; none if there is no such result.
    pub fn get(&self, index: usize) -> Option<TensorView<'session>> {
        let slot = self.session.model.program().results.get(index)?;
        let bytes = match self.session.outputs.get(index)? {
            Output::Arena(range) => &self.session.arena[range.clone()],
            Output::Constant(range) => &self.session.model.artifact().constants()[range.clone()],
            Output::Argument(value) => value.bytes(),
        };
        Some(TensorView { dtype: slot.dtype, shape: &slot.shape, bytes })
    }

    /// All results, in order.
    pub fn iter(&self) -> impl Iterator<Item = TensorView<'session>> {
        (0..self.count()).filter_map(|index| self.get(index))
    }
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
    /// No memory for new state.
    #[error(transparent)]
    Tensor(#[from] TensorError),
}
