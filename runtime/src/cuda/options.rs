//! What the programs let people choose about a GPU.

use std::{path::PathBuf, sync::Arc};

use clap::Args;

use super::{
    gpu::{Gpu, ProgrammaticLaunches},
    libraries::LibraryChoice,
    tuning::{TuningCache, TuningError},
};
use crate::{device::Device, model::ModelError};

/// Options of every program that runs artifacts.
#[derive(Debug, Clone, Args)]
pub struct GpuOptions {
    /// The most memory of a GPU that everything may have, caches too, in bytes
    #[arg(long, value_name = "BYTES")]
    pub device_limit_bytes: Option<u64>,

    /// Which kernels of a graph on a GPU come to the card before the one that they wait for has ended
    #[arg(long, value_name = "WHICH", value_enum, default_value_t)]
    pub programmatic_launches: ProgrammaticLaunches,

    /// Whether libraries compute long products on a GPU: auto (where there is one), off, or require (all they are offered)
    #[arg(long, value_name = "auto|off|require", default_value = "auto")]
    pub libraries: LibraryChoice,

    /// Tuning cache that says how libraries compute products; in the user's cache folder (pygraph/tuning.json) if not given
    #[arg(long, value_name = "FILE.json")]
    pub tuning: Option<PathBuf>,
}

impl GpuOptions {
    /// Opens the GPU that is chosen, with these settings, which last as long as it is open; nothing for the host device.
    pub fn open<E: From<ModelError> + From<TuningError>>(&self, device: Device) -> Result<Option<Arc<Gpu>>, E> {
        let Device::Cuda(ordinal) = device else { return Ok(None) };
        let gpu = Gpu::open(ordinal).map_err(ModelError::Cuda)?;
        gpu.context().set_memory_limit(self.device_limit_bytes);
        gpu.set_programmatic_launches(self.programmatic_launches);
        gpu.libraries().set(self.libraries, TuningCache::open(self.tuning.as_deref())?);
        Ok(Some(gpu))
    }
}
