//! Why a session, a step or a result is not there.

use pygraph_artifact::bytes::OutOfMemory;

use crate::{caches::CacheError, cuda::driver::CudaError, host::RunError, memory::MemoryError, tensor::TensorError};

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// No memory for the arena.
    #[error(transparent)]
    OutOfMemory(#[from] OutOfMemory),
    /// No addresses for caches.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// The GPU refused.
    #[error(transparent)]
    Cuda(#[from] CudaError),
    /// No memory for state.
    #[error(transparent)]
    Tensor(#[from] TensorError),
    /// Caches of something else.
    #[error("the caches are those of another artifact")]
    OtherCaches,
    /// Caches in another memory.
    #[error("the caches lie on another device than the model: make them with `Caches::for_model`")]
    OtherDevice,
}

/// Why steps are not ordered with a stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// The host device ends each step before it returns.
    #[error("the model runs on the host device, which has no streams")]
    OnHost,
    /// The GPU refused.
    #[error(transparent)]
    Cuda(#[from] CudaError),
}

/// Where a loop on a GPU stopped since there was no memory for rows of caches. All that it has computed is there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{source}; a loop of segment `{segment}` was stopped after {iterations} iterations, and their work is kept: make room and call \
     `resume`, call `leave_loop` for the results so far, or `abandon` it"
)]
pub struct LoopStop {
    /// The segment.
    pub segment: String,
    /// How many iterations the loop has made in this step.
    pub iterations: u64,
    /// Why there is no memory.
    pub source: CacheError,
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
    /// There is no memory for the next iteration of a loop. Everything is there to go on, with [`Session::resume`](super::Session::resume), when there is.
    #[error(transparent)]
    LoopStopped(#[from] LoopStop),
    /// A step began before the last was over.
    #[error("a loop of the last step was stopped: call `resume`, `leave_loop` or `abandon` first")]
    Stopped,
    /// Nothing is there to go on with.
    #[error("no step was stopped: there is nothing to resume or to leave")]
    NotStopped,
    /// Another session has emptied caches that a stopped step goes by.
    #[error(
        "caches were emptied since the loop was stopped: its step cannot go on, and state that it was updating is lost"
    )]
    CachesEmptied,
    /// Rows of a cache could not be mapped, or are gone; the step did not begin, and everything is as it was.
    #[error(transparent)]
    Caches(#[from] CacheError),
    /// Rows of caches could not be mapped for what was handed in: as above. Or they could not be unmapped, when the step had ended.
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

/// Why a result cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// No such result.
    #[error("there is no result {index}: the program has {count}")]
    NoSuchResult {
        /// The index.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// No step has ended since the session began, or since one failed.
    #[error("there are no results: no step has run, or the last one failed")]
    NoStep,
    /// It lies in a cache that has nothing in it.
    #[error("result {index} is a cache without content")]
    NoContent {
        /// The index.
        index: usize,
    },
    /// No memory for a copy on the host, or the GPU refused.
    #[error(transparent)]
    Tensor(#[from] TensorError),
}
