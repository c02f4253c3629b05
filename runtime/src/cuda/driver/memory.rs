//! Memory of the GPU, and memory of the host that it reads and writes by itself.

use std::{
    fmt,
    sync::{Arc, atomic::AtomicU64},
};

use cudarc::driver::sys;

use super::{
    context::Context,
    error::{CudaError, check},
};

/// Memory of a GPU that this process has, in bytes: arrays, and what is mapped for caches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MemoryCounts {
    /// Now.
    pub live: u64,
    /// The most at once.
    pub peak: u64,
    /// How often memory was taken.
    pub allocations: u64,
    /// The most that may be live.
    pub limit: Option<u64>,
}

impl MemoryCounts {
    fn take(&mut self, what: &'static str, bytes: u64) -> Result<(), CudaError> {
        if let Some(limit) = self.limit.filter(|limit| self.live.saturating_add(bytes) > *limit) {
            return Err(CudaError::Limit { what, asked: bytes, live: self.live, limit });
        }
        self.live += bytes;
        self.peak = self.peak.max(self.live);
        self.allocations += 1;
        Ok(())
    }
}

impl Context {
    /// Memory in use.
    pub fn memory(&self) -> MemoryCounts {
        *self.counts_mut()
    }

    /// Takes memory as `take` does, and counts it.
    pub(super) fn take_memory(
        &self,
        what: &'static str,
        bytes: u64,
        take: impl FnOnce() -> Result<(), CudaError>,
    ) -> Result<(), CudaError> {
        self.counts_mut().take(what, bytes)?;
        take().map_err(|error| {
            let mut counts = self.counts_mut();
            counts.live -= bytes;
            match error {
                CudaError::OutOfMemory { operation, .. } => {
                    CudaError::OutOfMemory { operation, what, asked: bytes, live: counts.live }
                }
                error => error,
            }
        })
    }

    /// Counts memory that was given back.
    pub(super) fn give_memory(&self, bytes: u64) {
        self.counts_mut().live -= bytes;
    }

    /// Sets the most memory that may be in use.
    pub fn set_memory_limit(&self, limit: Option<u64>) {
        self.counts_mut().limit = limit;
    }
}

/// Memory of a GPU. Dropped, it waits until the GPU has done what it was given.
pub struct DeviceBytes {
    context: Arc<Context>,
    address: u64,
    len: u64,
}

impl DeviceBytes {
    /// Takes `len` bytes; what is in them is not said. Their address is a multiple of 256.
    pub fn new(context: &Arc<Context>, what: &'static str, len: u64) -> Result<DeviceBytes, CudaError> {
        context.bind()?;
        let mut address = 0;
        context.take_memory(what, len, || {
            // SAFETY: the place is valid. The driver refuses to give nothing.
            check("cuMemAlloc", unsafe { sys::cuMemAlloc_v2(&mut address, len.max(1) as usize) })
        })?;
        Ok(DeviceBytes { context: context.clone(), address, len })
    }

    /// Their address.
    pub fn address(&self) -> u64 {
        self.address
    }

    /// How many.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The address of a part, which must be within.
    pub(super) fn part(&self, at: u64, bytes: u64) -> u64 {
        assert!(
            at.checked_add(bytes).is_some_and(|end| end <= self.len),
            "{bytes} bytes at {at} should lie within {self:?}"
        );
        self.address + at
    }
}

impl fmt::Debug for DeviceBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceBytes({} bytes)", self.len)
    }
}

impl Drop for DeviceBytes {
    fn drop(&mut self) {
        // After a fault both say so again, and the memory is gone with the context.
        if self.context.synchronize().is_ok() {
            // SAFETY: it was given once, and nothing that the GPU has to do touches it.
            let _ = unsafe { sys::cuMemFree_v2(self.address) };
        }
        self.context.give_memory(self.len);
    }
}

/// Memory of the host that the GPU reaches by itself. Dropped, it waits until the GPU has done what it was given.
pub struct PinnedBytes {
    context: Arc<Context>,
    start: *mut u8,
    len: usize,
}

// SAFETY: the memory is owned, and reached only as this type's methods say.
unsafe impl Send for PinnedBytes {}
// SAFETY: as above; a shared reference only reads.
unsafe impl Sync for PinnedBytes {}

impl PinnedBytes {
    /// Takes `len` zeroed bytes.
    pub fn zeroed(context: &Arc<Context>, len: u64) -> Result<PinnedBytes, CudaError> {
        context.bind()?;
        let mut start = std::ptr::null_mut();
        let size = len.max(1) as usize;
        // SAFETY: the place is valid.
        check("cuMemHostAlloc", unsafe { sys::cuMemHostAlloc(&mut start, size, 0) })?;
        let start: *mut u8 = start.cast();
        // SAFETY: the driver gave so many bytes.
        unsafe { start.write_bytes(0, size) };
        Ok(PinnedBytes { context: context.clone(), start, len: len as usize })
    }

    /// How many.
    pub fn len(&self) -> u64 {
        self.len as u64
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bytes.
    ///
    /// # Safety
    /// An event after everything that the GPU writes there is reached.
    pub unsafe fn bytes(&self) -> &[u8] {
        // SAFETY: so many bytes lie there, and nobody writes them by the caller's promise.
        unsafe { std::slice::from_raw_parts(self.start, self.len) }
    }

    /// The bytes, to write.
    ///
    /// # Safety
    /// An event after everything that the GPU reads or writes there is reached.
    pub unsafe fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: so many bytes lie there, and nobody else touches them by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.len) }
    }

    /// Word number `at`, which both the host and the GPU may read and write at any time.
    pub fn word(&self, at: u64) -> &AtomicU64 {
        let place = self.part(at * 8, 8);
        // SAFETY: the word lies within, pinned memory is aligned to pages, and what the GPU touches at the same time it touches as a word.
        unsafe { AtomicU64::from_ptr(place.cast()) }
    }

    /// Where the GPU finds the first byte: where the host does.
    pub fn address(&self) -> u64 {
        self.start as u64
    }

    /// The address of a part, which must be within.
    pub(super) fn part(&self, at: u64, bytes: u64) -> *mut u8 {
        let within = at.checked_add(bytes).is_some_and(|end| end <= self.len as u64);
        assert!(within, "{bytes} bytes at {at} should lie within {self:?}");
        self.start.wrapping_add(at as usize)
    }
}

impl fmt::Debug for PinnedBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PinnedBytes({} bytes)", self.len)
    }
}

impl Drop for PinnedBytes {
    fn drop(&mut self) {
        if self.context.synchronize().is_ok() {
            // SAFETY: it was given once, and nothing that the GPU has to do touches it.
            let _ = unsafe { sys::cuMemFreeHost(self.start.cast()) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_an_error_and_changes_nothing() {
        let mut counts = MemoryCounts { limit: Some(100), ..MemoryCounts::default() };
        counts.take("a", 60).expect("within the limit");
        let before = counts;
        let error = counts.take("b", 41).expect_err("beyond the limit");
        assert_eq!(error, CudaError::Limit { what: "b", asked: 41, live: 60, limit: 100 });
        assert_eq!(counts, before);
        counts.take("b", 40).expect("up to the limit");
        assert_eq!((counts.live, counts.peak, counts.allocations), (100, 100, 2));
    }
}
