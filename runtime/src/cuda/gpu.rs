//! A GPU as the runtime uses it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, Weak},
};

use super::driver::{Context, CudaError, Stream};

/// A GPU and the one stream that its models run on: sessions that share caches then need no events between them.
#[derive(Debug)]
pub struct Gpu {
    context: Arc<Context>,
    stream: Stream,
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
        let gpu = Arc::new(Gpu { stream: Stream::new(&context)?, context });
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

    /// Its number.
    pub fn ordinal(&self) -> u32 {
        self.context.properties().ordinal
    }
}
