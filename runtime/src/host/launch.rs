//! One launch on the host device: checked at load, run many times.

use std::sync::Arc;

use pygraph_artifact::plan::{BufferId, Launch};
use pygraph_kernels::{
    manifest::KernelError,
    memory::Buffer,
    native::NativeCode,
    tensor::TensorType,
    work::{PreparedWork, prepare},
};

use crate::{caches::CacheError, cuda::driver::CudaError, session::LoopStop};

/// A launch that was checked against the types of its program's buffers.
#[derive(Debug)]
pub struct PreparedLaunch {
    name: String,
    location: String,
    outputs: Vec<BufferId>,
    work: PreparedWork,
}

impl PreparedLaunch {
    /// Checks a launch; `types` are those of all buffers of the program. Loop nests that have a function in `code` run it.
    pub fn prepare(
        launch: &Launch,
        types: &[TensorType],
        code: Option<&Arc<NativeCode>>,
    ) -> Result<PreparedLaunch, LaunchError> {
        let (name, location) = (launch.name.clone(), launch.location.clone());
        let outputs = launch.work.writes();
        match prepare(&launch.work, types) {
            Ok(mut work) => {
                if let Some(code) = code {
                    // SAFETY: the launch and the code come from one artifact, whose maker promises that each of its loop nests
                    // names the function that computes it.
                    unsafe { work.use_native(code, &launch.functions) };
                }
                Ok(PreparedLaunch { name, location, outputs, work })
            }
            Err(reason) => Err(LaunchError { name, location, reason }),
        }
    }

    /// Runs it on the program's buffers.
    pub fn run(&self, buffers: &[Buffer]) -> Result<(), RunError> {
        self.work.run(buffers).map_err(|source| RunError::Launch {
            name: self.name.clone(),
            location: self.location.clone(),
            source,
        })
    }

    /// Name for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where in the user's file it comes from.
    pub fn location(&self) -> &str {
        &self.location
    }

    /// What it writes.
    pub fn outputs(&self) -> &[BufferId] {
        &self.outputs
    }
}

/// A launch that this device refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{location}: launch `{name}`: {reason}")]
pub struct LaunchError {
    /// The launch.
    pub name: String,
    /// Where it comes from.
    pub location: String,
    /// What does not fit.
    pub reason: String,
}

/// Why a step ended early.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A launch that failed.
    #[error("{location}: {name}: {source}")]
    Launch {
        /// The launch.
        name: String,
        /// Where it comes from.
        location: String,
        /// What went wrong.
        source: KernelError,
    },
    /// Rows of a cache that could not be mapped, or are gone.
    #[error(transparent)]
    Caches(#[from] CacheError),
    /// A loop stopped where it can go on.
    #[error(transparent)]
    LoopStopped(#[from] LoopStop),
    /// The GPU or its driver failed.
    #[error(transparent)]
    Cuda(#[from] CudaError),
}
