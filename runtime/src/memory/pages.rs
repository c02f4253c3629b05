//! Physical memory in handles of one size, and how much there may be.

use std::{
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::Mutex,
};

use rustix::fs::{FallocateFlags, MemfdFlags, fallocate, ftruncate, memfd_create};

use super::{MemoryError, granularity};

/// How many bytes may be in use, by everything that shares it.
#[derive(Debug, Default)]
pub struct Budget {
    limit: Option<u64>,
    used: Mutex<Used>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Used {
    live: u64,
    peak: u64,
}

impl Budget {
    /// At most that many bytes; none is as many as the system has.
    pub fn new(limit: Option<u64>) -> Budget {
        Budget { limit, used: Mutex::default() }
    }

    /// Bytes in use.
    pub fn live(&self) -> u64 {
        self.used.lock().expect("no holder should panic").live
    }

    /// The most bytes that were in use.
    pub fn peak(&self) -> u64 {
        self.used.lock().expect("no holder should panic").peak
    }

    fn take(&self, bytes: u64) -> Result<(), MemoryError> {
        let mut used = self.used.lock().expect("no holder should panic");
        let live = used.live + bytes;
        if let Some(limit) = self.limit.filter(|limit| live > *limit) {
            return Err(MemoryError::Limit { asked: bytes, live: used.live, limit });
        }
        *used = Used { live, peak: used.peak.max(live) };
        Ok(())
    }

    fn give_back(&self, bytes: u64) {
        self.used.lock().expect("no holder should panic").live -= bytes;
    }
}

/// Handles from a memory file. A handle is its number in the file; a fresh one holds zeros.
#[derive(Debug)]
pub struct Pages {
    file: OwnedFd,
    handle_bytes: u64,
    /// How many the file has room for.
    count: u64,
    free: Vec<u64>,
}

impl Pages {
    /// A file without a handle. Their size is a multiple of [`granularity`].
    pub fn new(handle_bytes: u64) -> Result<Pages, MemoryError> {
        if handle_bytes == 0 || !handle_bytes.is_multiple_of(granularity()) {
            return Err(MemoryError::Granularity { bytes: handle_bytes, granularity: granularity() });
        }
        let file = memfd_create("pygraph-kv", MemfdFlags::CLOEXEC);
        let file = file.map_err(|source| MemoryError::System { operation: "make a file for", bytes: 0, source })?;
        Ok(Pages { file, handle_bytes, count: 0, free: Vec::new() })
    }

    /// Size of a handle, in bytes.
    pub fn handle_bytes(&self) -> u64 {
        self.handle_bytes
    }

    /// The file, and where in it a handle lies.
    pub fn location(&self, handle: u64) -> (BorrowedFd<'_>, u64) {
        (self.file.as_fd(), handle * self.handle_bytes)
    }

    /// Makes `count` handles, or none.
    pub fn create(&mut self, count: u64, budget: &Budget) -> Result<Vec<u64>, MemoryError> {
        let bytes = count * self.handle_bytes;
        budget.take(bytes)?;
        let reused = self.free.len().min(count as usize);
        let fresh = count - reused as u64;
        let end = self.count + fresh;
        if let Err(source) = ftruncate(&self.file, end * self.handle_bytes) {
            budget.give_back(bytes);
            return Err(MemoryError::System { operation: "provide", bytes, source });
        }
        let mut handles = self.free.split_off(self.free.len() - reused);
        handles.extend(self.count..end);
        self.count = end;
        Ok(handles)
    }

    /// Gives handles back, and their memory to the system: the next one to get them finds zeros.
    pub fn release(&mut self, handles: &[u64], budget: &Budget) {
        for handle in handles {
            let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            let offset = handle * self.handle_bytes;
            // What could not be emptied is not used again.
            if fallocate(&self.file, flags, offset, self.handle_bytes).is_ok() {
                self.free.push(*handle);
            }
        }
        budget.give_back(handles.len() as u64 * self.handle_bytes);
    }
}
