//! Virtual memory of a GPU, for caches that grow.

use std::{
    any::Any,
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use super::driver::{AddressRange, Context, PhysicalHandle, Stream, granularity};
use crate::memory::{
    MemoryError, PhysicalMemory,
    backing::{Addresses, Backing},
};

/// Memory of a GPU in handles of `handle_bytes`; see [`PhysicalMemory::new`].
pub fn physical_memory(
    context: &Arc<Context>,
    handle_bytes: u64,
    limit_bytes: Option<u64>,
) -> Result<PhysicalMemory, MemoryError> {
    let memory = GpuMemory {
        granularity: granularity(context)?,
        // Of its own: clearing a page must not wait for steps, and steps not for it.
        stream: Stream::new(context)?,
        context: context.clone(),
        handle_bytes,
        handles: Mutex::default(),
    };
    PhysicalMemory::of(Box::new(memory), handle_bytes, limit_bytes)
}

#[derive(Debug)]
struct GpuMemory {
    context: Arc<Context>,
    stream: Stream,
    granularity: u64,
    handle_bytes: u64,
    handles: Mutex<BTreeMap<u64, Piece>>,
}

#[derive(Debug)]
struct Piece {
    handle: PhysicalHandle,
    /// The driver does not say what new memory holds; it can be written once it has addresses.
    is_zeroed: bool,
}

impl GpuMemory {
    fn handles(&self) -> MutexGuard<'_, BTreeMap<u64, Piece>> {
        self.handles.lock().expect("nothing should panic while it holds the handles of a GPU")
    }

    fn zero(&self, address: u64) -> Result<(), MemoryError> {
        // SAFETY: the handle was just mapped there, whole, and nobody else knows.
        unsafe { self.stream.fill(address, 0, self.handle_bytes) }?;
        Ok(self.stream.synchronize()?)
    }
}

impl Backing for GpuMemory {
    fn granularity(&self) -> u64 {
        self.granularity
    }

    fn create(&self, index: u64) -> Result<(), MemoryError> {
        let handle = PhysicalHandle::create(&self.context, self.handle_bytes)?;
        self.handles().insert(index, Piece { handle, is_zeroed: false });
        Ok(())
    }

    fn release(&self, index: u64) -> Result<(), MemoryError> {
        self.handles().remove(&index);
        Ok(())
    }

    fn map(&self, index: u64, addresses: &dyn Addresses, offset: u64) -> Result<(), MemoryError> {
        let range: &AddressRange = addresses.as_any().downcast_ref().expect("memory of a GPU should get its addresses");
        let mut handles = self.handles();
        let piece = handles.get_mut(&index).expect("a handle should be created before it is mapped");
        range.map(offset, &piece.handle)?;
        if !piece.is_zeroed {
            if let Err(error) = self.zero(range.start() + offset) {
                range.unmap(offset, self.handle_bytes)?;
                return Err(error);
            }
            piece.is_zeroed = true;
        }
        Ok(())
    }

    fn resident_bytes(&self) -> Result<u64, MemoryError> {
        Ok(self.handles().len() as u64 * self.handle_bytes)
    }

    fn reserve(&self, bytes: u64) -> Result<Box<dyn Addresses>, MemoryError> {
        Ok(Box::new(AddressRange::reserve(&self.context, bytes)?))
    }
}

impl Addresses for AddressRange {
    fn start(&self) -> u64 {
        AddressRange::start(self)
    }

    fn bytes(&self) -> u64 {
        AddressRange::bytes(self)
    }

    fn unmap(&self, offset: u64, bytes: u64) -> Result<(), MemoryError> {
        Ok(AddressRange::unmap(self, offset, bytes)?)
    }

    fn unmap_unused(&self, offset: u64, bytes: u64) -> Result<(), MemoryError> {
        Ok(AddressRange::unmap_unused(self, offset, bytes)?)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
