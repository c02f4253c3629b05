//! The module with `unsafe` code: addresses without access, and pages at some of them.

use std::{ffi::c_void, os::fd::BorrowedFd, ptr};

use rustix::mm::{MapFlags, ProtFlags, mmap, mmap_anonymous, munmap};

use super::MemoryError;

/// The unit of mapping, in bytes.
pub fn granularity() -> u64 {
    rustix::param::page_size() as u64
}

/// Reserved addresses. Nothing can be read or written there but where pages are mapped.
#[derive(Debug)]
pub struct Reservation {
    start: *mut c_void,
    bytes: usize,
}

// SAFETY: the addresses belong to this value alone; what is read and written through them is up to whoever holds them.
unsafe impl Send for Reservation {}
// SAFETY: mapping and unmapping are atomic in the system.
unsafe impl Sync for Reservation {}

impl Reservation {
    /// Reserves that many bytes of addresses, without memory behind them.
    pub fn new(bytes: u64) -> Result<Reservation, MemoryError> {
        let failed = |source| MemoryError::System { operation: "reserve", bytes, source };
        let size = usize::try_from(bytes.max(granularity())).map_err(|_| failed(rustix::io::Errno::NOMEM))?;
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
        // SAFETY: the system chooses fresh addresses.
        let start = unsafe { mmap_anonymous(ptr::null_mut(), size, ProtFlags::empty(), flags) }.map_err(failed)?;
        Ok(Reservation { start, bytes: size })
    }

    /// Where it begins.
    pub fn address(&self) -> u64 {
        self.start as usize as u64
    }

    /// Maps `bytes` of a file from `file_offset` on, to read and write; all at multiples of [`granularity`].
    pub fn map(&self, offset: u64, bytes: u64, file: BorrowedFd<'_>, file_offset: u64) -> Result<(), MemoryError> {
        let (at, size) = self.checked(offset, bytes);
        let (access, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED | MapFlags::FIXED);
        // SAFETY: the range lies in the reservation, which belongs to this value, so that nothing else is mapped over.
        let mapped = unsafe { mmap(at, size, access, flags, file, file_offset) };
        mapped.map(|_| ()).map_err(|source| MemoryError::System { operation: "map", bytes, source })
    }

    /// Takes access to a range away again.
    pub fn unmap(&self, offset: u64, bytes: u64) -> Result<(), MemoryError> {
        let (at, size) = self.checked(offset, bytes);
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE | MapFlags::FIXED;
        // SAFETY: as for `map`.
        let unmapped = unsafe { mmap_anonymous(at, size, ProtFlags::empty(), flags) };
        unmapped.map(|_| ()).map_err(|source| MemoryError::System { operation: "unmap", bytes, source })
    }

    fn checked(&self, offset: u64, bytes: u64) -> (*mut c_void, usize) {
        let end = offset.checked_add(bytes).expect("a range should have an end");
        assert!(end <= self.bytes as u64, "a mapping should lie in its reservation");
        (self.start.cast::<u8>().wrapping_add(offset as usize).cast(), bytes as usize)
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        // SAFETY: the range was mapped by `new` and is given back once.
        let _ = unsafe { munmap(self.start, self.bytes) };
    }
}
