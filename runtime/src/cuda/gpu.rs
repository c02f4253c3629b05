//! A GPU as the runtime uses it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use super::driver::{Context, CudaError, Stream};

/// A GPU and the one stream that its models run on: sessions that share caches then need no events between them.
#[derive(Debug)]
pub struct Gpu {
    context: Arc<Context>,
    stream: Stream,
    has_programmatic_launches: AtomicBool,
}

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
        let has_programmatic_launches = AtomicBool::new(true);
        let gpu = Arc::new(Gpu { stream: Stream::new(&context)?, context, has_programmatic_launches });
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

    /// Whether kernels of graphs that are made from now on may come to the card before those that they wait for have ended, where the GPU
    /// can do that.
    pub fn set_programmatic_launches(&self, are_on: bool) {
        self.has_programmatic_launches.store(are_on, Ordering::Relaxed);
    }

    /// True if kernels start so.
    pub fn starts_early(&self) -> bool {
        self.context.properties().capability.0 >= 9 && self.has_programmatic_launches.load(Ordering::Relaxed)
    }

    /// Its number.
    pub fn ordinal(&self) -> u32 {
        self.context.properties().ordinal
    }
}
