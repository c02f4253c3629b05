//! A GPU as the runtime uses it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, Weak},
};

use super::{
    driver::{Context, CudaError, Stream},
    libraries::Libraries,
};

/// A GPU and the one stream that its models run on: sessions that share caches then need no events between them.
#[derive(Debug)]
pub struct Gpu {
    context: Arc<Context>,
    stream: Stream,
    programmatic_launches: Mutex<ProgrammaticLaunches>,
    libraries: Libraries,
}

/// Which kernels of a graph may come to the card before the one that they wait for has ended, where the GPU can do that (capability 9.0 and
/// later). Only those that wait for one alone: with more, nothing is gained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum ProgrammaticLaunches {
    /// None.
    Off,
    /// Those whose blocks have little shared memory, and wait for a kernel of such blocks.
    #[default]
    Light,
    /// All.
    All,
}

/// Shared memory up to which a block is light, in bytes. Blocks with more are tiles of products, as many as make each multiprocessor busy: of those that come early,
/// multiprocessors that have room get more than others, which then wait for them.
const LIGHT_BYTES: u32 = 16 << 10;

/// Those that are open: a process has one context a GPU anyhow, and whoever shares memory must share the stream.
static OPEN: Mutex<BTreeMap<u32, Weak<Gpu>>> = Mutex::new(BTreeMap::new());

impl Gpu {
    /// Opens GPU `ordinal`, or gives the one that is open.
    pub fn open(ordinal: u32) -> Result<Arc<Gpu>, CudaError> {
        let mut open = OPEN.lock().expect("nothing should panic while it opens a GPU");
        if let Some(gpu) = open.get(&ordinal).and_then(Weak::upgrade) {
            return Ok(gpu);
        }
        let context = Context::open(ordinal)?;
        let gpu = Arc::new(Gpu {
            stream: Stream::new(&context)?,
            context,
            programmatic_launches: Mutex::default(),
            libraries: Libraries::default(),
        });
        open.insert(ordinal, Arc::downgrade(&gpu));
        Ok(gpu)
    }

    /// Its context.
    pub fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// The stream that models run on.
    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    /// Which kernels of graphs that are made from now on start early.
    pub fn set_programmatic_launches(&self, which: ProgrammaticLaunches) {
        *self.programmatic_launches.lock().expect("nothing should panic while it chooses") = which;
    }

    /// True if a kernel may start before another one has ended, where blocks of both have at most so much shared memory, in bytes.
    pub fn starts_early(&self, shared_bytes: u32) -> bool {
        let which = *self.programmatic_launches.lock().expect("nothing should panic while it chooses");
        self.context.properties().capability.0 >= 9
            && match which {
                ProgrammaticLaunches::Off => false,
                ProgrammaticLaunches::Light => shared_bytes <= LIGHT_BYTES,
                ProgrammaticLaunches::All => true,
            }
    }

    /// Whether libraries compute products, and how.
    pub fn libraries(&self) -> &Libraries {
        &self.libraries
    }

    /// Its number.
    pub fn ordinal(&self) -> u32 {
        self.context.properties().ordinal
    }
}
