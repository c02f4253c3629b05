//! What a device does for a session. What changes from step to step, whose turn a buffer is, what is carried to the next step and what an
//! error takes with it is the same for all devices, and is in [`super`].

use std::{fmt, time::Duration};

use pygraph_artifact::{
    deployment::Deployment,
    plan::{Param, Program, ResultSlot},
};

use crate::{
    caches::Caches,
    cuda::{
        driver::{CudaError, ForeignStream},
        libraries::LibraryReport,
    },
    host::{Copies, RunError},
    knobs::DebugLevel,
    session::StreamError,
    tensor::{Array, TensorError},
};

/// A device's part of a session.
pub(crate) trait Backend: fmt::Debug + Send + Sync {
    /// Begins a step: waits until the blocks may be written again. Says what went wrong in a step for which nobody has waited.
    fn begin(&mut self) -> Result<(), RunError>;

    /// Puts argument `index` where launches reach it, if it does not lie there: what a session writes is its own.
    fn take_in(&mut self, index: usize, value: &mut Array, copies: &mut Copies) -> Result<(), TensorError>;

    /// Keeps an array that a step may still read, or drops it.
    fn release(&mut self, _: Array) {}

    /// How many copies of the parameter blocks there are, which steps use by turns.
    fn block_copies(&self) -> usize {
        1
    }

    /// The copy that the step uses which has begun.
    fn block_copy(&self) -> usize {
        0
    }

    /// A parameter block of that copy, to be written. What was written stays.
    fn block_mut(&mut self, block: usize) -> &mut [u8];

    /// Where launches read argument `index` once it was taken in.
    fn address_to_read(&mut self, index: usize, value: &Array) -> u64;

    /// A new buffer for a result.
    fn new_result(&self, result: &ResultSlot) -> Result<Array, TensorError>;

    /// Arenas of which no row may be gone, since the device's loops reach rows at positions that the host learns too late.
    fn looped_arenas(&self) -> &[u32];

    /// Those of them whose rows must all be mapped before, since the loops cannot wait for them.
    fn whole_arenas(&self) -> &[u32];

    /// What a user should know of how the program runs here.
    fn remarks(&self) -> Vec<String> {
        Vec::new()
    }

    /// Runs all segments, or gives them to the device.
    ///
    /// # Safety
    /// Every address in the blocks is that of the bytes that its field stands for, as many as the parameter or result has. They stay there
    /// until the step has ended; a result's are touched by nobody else.
    unsafe fn run(&mut self, step: StepMemory<'_>) -> Result<(), RunError>;

    /// Goes on with a step of which [`Backend::run`] or this has said that a loop was stopped.
    ///
    /// # Safety
    /// As for [`Backend::run`].
    unsafe fn resume(&mut self, _: StepMemory<'_>, _: Resume) -> Result<(), RunError> {
        unreachable!("only a device that stops loops should be asked to go on with one")
    }

    /// Copies what lies somewhere to an array of argument `index` that the session owns.
    fn carry(
        &mut self,
        param: &Param,
        from: Location<'_>,
        to: &mut Array,
        copies: &mut Copies,
    ) -> Result<(), TensorError>;

    /// From now on steps are ordered with a stream of the caller's, if there is one.
    fn set_stream(&mut self, _: Option<ForeignStream>) -> Result<(), StreamError> {
        Err(StreamError::OnHost)
    }

    /// What the device is given from now on waits for what the caller's stream has now.
    fn wait_for_caller(&mut self) -> Result<(), CudaError> {
        Ok(())
    }

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

    /// From now on every step is measured so, if the device has a clock of its own.
    fn measure(&mut self, what: Measure) -> Result<(), TensorError>;

    /// The times of segments in the last step, which has ended.
    fn segment_times(&self) -> Result<Vec<SegmentTime>, TensorError>;

    /// The times of launches in the last step.
    fn launch_times(&self) -> Vec<LaunchTime>;

    /// What libraries compute of it, if the device has libraries and graphs are made.
    fn libraries(&self) -> Option<&LibraryReport> {
        None
    }

    /// What a step gives to the device.
    fn step_counts(&self) -> StepCounts;
}

/// What steps are measured for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Each launch by itself: kernels run on the stream one by one, whatever the plan says.
    Launches,
    /// Each segment that has this form, in this form.
    Segments(Deployment),
}

/// How long a segment took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentTime {
    /// Its name.
    pub segment: String,
    /// In which form.
    pub form: Deployment,
    /// From when the GPU came to it to its end. What the host takes to start it is part of that where the GPU waits for it.
    pub time: Duration,
}

/// How long a launch took in a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaunchTime {
    /// The segment's name.
    pub segment: String,
    /// What it computes.
    pub name: String,
    /// Where in the user's file it comes from.
    pub location: String,
    /// Numbers of its kernels in the artifact's code: launches with the same ones run the same code.
    pub code: Vec<u32>,
    /// How many kernels ran.
    pub kernels: u32,
    /// How long all of them took.
    pub time: Duration,
    /// What the same measurement says of no kernel at all.
    pub empty: Duration,
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

/// Where a step goes on whose loop was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resume {
    /// With the iteration that had no memory.
    Loop,
    /// Behind the loop.
    Behind,
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
