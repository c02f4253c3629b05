//! What a device does for a session. What changes from step to step, whose turn a buffer is, what is carried to the next step and what an
//! error takes with it is the same for all devices, and is in [`super`].

use std::{fmt, time::Duration};

use pygraph_artifact::plan::{Param, Program, ResultSlot};

use crate::{
    caches::Caches,
    cuda::libraries::LibraryReport,
    host::{Copies, RunError},
    knobs::DebugLevel,
    tensor::{Array, TensorError},
};

/// A device's part of a session.
pub(crate) trait Backend: fmt::Debug + Send + Sync {
    /// Begins a step: waits until the blocks may be written again. Says what went wrong in a step for which nobody has waited.
    fn begin(&mut self) -> Result<(), RunError>;

    /// Puts argument `index` where launches reach it, if it does not lie there: what a session writes is its own.
    fn take_in(&mut self, index: usize, value: &mut Array, copies: &mut Copies) -> Result<(), TensorError>;

    /// A parameter block, to be written.
    fn block_mut(&mut self, block: usize) -> &mut [u8];

    /// A new buffer for a result.
    fn new_result(&self, result: &ResultSlot) -> Result<Array, TensorError>;

    /// Arenas whose rows must all be mapped, since the device's loops cannot wait for them.
    fn whole_arenas(&self) -> &[u32];

    /// Runs all segments, or gives them to the device.
    ///
    /// # Safety
    /// Every address in the blocks is that of the bytes that its field stands for, as many as the parameter or result has. They stay there
    /// until the step has ended; a result's are touched by nobody else.
    unsafe fn run(&mut self, step: StepMemory<'_>) -> Result<(), RunError>;

    /// Copies what lies somewhere to an array of argument `index` that the session owns.
    fn carry(
        &mut self,
        param: &Param,
        from: Location<'_>,
        to: &mut Array,
        copies: &mut Copies,
    ) -> Result<(), TensorError>;

    /// Says that all of a step was given to the device.
    fn end(&mut self) -> Result<(), RunError>;

    /// Waits until the last step has ended.
    fn finish(&mut self) -> Result<(), RunError>;

    /// The bytes that lie somewhere, if the host can read them in place.
    fn in_place<'a>(&'a self, location: Location<'a>, size: usize) -> Option<&'a [u8]>;

    /// Copies the bytes that lie somewhere, once all steps have ended.
    fn read_into(&self, location: Location<'_>, bytes: &mut [u8]) -> Result<(), TensorError>;

    /// From now on every step is timed by the device, if it has a clock of its own.
    fn time_steps(&mut self) -> Result<(), TensorError>;

    /// How long the last step took on the device, if it was timed and has ended.
    fn step_time(&self) -> Result<Option<Duration>, TensorError>;

    /// What libraries compute of it, if the device has libraries and graphs are made.
    fn libraries(&self) -> Option<&LibraryReport> {
        None
    }

    /// What a step gives to the device.
    fn step_counts(&self) -> StepCounts;
}

/// What a step gives to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StepCounts {
    /// Graphs that are launched.
    pub graphs: usize,
    /// Nodes of those, each counted once.
    pub nodes: usize,
    /// Segments that run launch by launch.
    pub streams: usize,
}

/// What a step reads and writes, beside what the backend has itself.
pub(crate) struct StepMemory<'a> {
    pub program: &'a Program,
    pub params: &'a mut [Option<Array>],
    pub caches: Option<&'a Caches>,
    pub debug: DebugLevel,
}

/// Where the bytes of a result lie.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Location<'a> {
    /// In the arena.
    Arena { offset: u64 },
    /// Among the constants.
    Constant { offset: u64 },
    /// In an array.
    Array(&'a Array),
}
