//! Ranges of addresses: the one file of this module with `unsafe` code.

use std::{
    ffi::c_void,
    ptr::{self, NonNull},
};

use rustix::{
    fd::BorrowedFd,
    io::Errno,
    mm::{MapFlags, MprotectFlags, ProtFlags, mmap, mmap_anonymous, mprotect, munmap},
};

/// A range of addresses that is reserved until this is dropped. At first nothing in it can be read or written.
///
/// No reference into it is ever made here, and every change is within it: what is accessible is for whoever
/// dereferences its pointer to know.
#[derive(Debug)]
pub(super) struct Region {
    start: NonNull<c_void>,
    bytes: usize,
}

// SAFETY: a region owns its addresses, and they are the same in every thread.
unsafe impl Send for Region {}
// SAFETY: methods that take `&self` make system calls alone, which the system orders.
unsafe impl Sync for Region {}

impl Region {
    /// Reserves addresses; `bytes` is a multiple of the page size and not 0.
    pub(super) fn reserve(bytes: usize) -> Result<Region, Errno> {
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
        // SAFETY: without `MAP_FIXED` the system chooses addresses that nobody uses.
        let start = unsafe { mmap_anonymous(ptr::null_mut(), bytes, ProtFlags::empty(), flags) }?;
        let start = NonNull::new(start).expect("the system should not reserve the null address");
        Ok(Region { start, bytes })
    }

    /// The first address.
    pub(super) fn as_ptr(&self) -> *mut u8 {
        self.start.as_ptr().cast()
    }

    /// Its size in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Puts a range of a file behind a range of addresses, readable and writable, with its entries in the page table.
    pub(super) fn map(&self, offset: usize, bytes: usize, file: BorrowedFd<'_>, file_offset: u64) -> Result<(), Errno> {
        let (access, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED | MapFlags::POPULATE);
        // SAFETY: the range is within the region, so that the fixed mapping replaces nothing of anybody else.
        unsafe { mmap(self.at(offset, bytes), bytes, access, flags | MapFlags::FIXED, file, file_offset) }?;
        Ok(())
    }

    /// Takes away what is behind a range of addresses. They stay reserved.
    pub(super) fn unmap(&self, offset: usize, bytes: usize) -> Result<(), Errno> {
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE | MapFlags::FIXED;
        // SAFETY: the range is within the region, so that the fixed mapping replaces nothing of anybody else.
        unsafe { mmap_anonymous(self.at(offset, bytes), bytes, ProtFlags::empty(), flags) }?;
        Ok(())
    }

    /// Makes a range of addresses readable and writable; what is behind it stays.
    pub(super) fn open(&self, offset: usize, bytes: usize) -> Result<(), Errno> {
        // SAFETY: the range is within the region.
        unsafe { mprotect(self.at(offset, bytes), bytes, MprotectFlags::READ | MprotectFlags::WRITE) }
    }

    /// Makes a range of addresses inaccessible; what is behind it stays.
    pub(super) fn close(&self, offset: usize, bytes: usize) -> Result<(), Errno> {
        // SAFETY: the range is within the region; whoever holds a reference into it borrows what owns the region.
        unsafe { mprotect(self.at(offset, bytes), bytes, MprotectFlags::empty()) }
    }

    /// Writes bytes. The range must be open, or the process ends.
    pub(super) fn write(&mut self, offset: usize, bytes: &[u8]) {
        let to = self.at(offset, bytes.len()).cast();
        // SAFETY: the range is within the region, which is borrowed mutably, and `bytes` is elsewhere. A part that is
        // not open is no wrong access: the system ends the process.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) }
    }

    /// Bytes of a range that must be open as long as they are borrowed.
    ///
    /// # Safety
    /// Nothing in the range is closed, unmapped or written while the slice lives.
    pub(super) unsafe fn slice(&self, offset: usize, bytes: usize) -> &[u8] {
        // SAFETY: the range is within the region; the caller promises the rest.
        unsafe { std::slice::from_raw_parts(self.at(offset, bytes).cast(), bytes) }
    }

    /// The address of a range, which must be within the region.
    fn at(&self, offset: usize, bytes: usize) -> *mut c_void {
        let within = offset.checked_add(bytes).is_some_and(|end| end <= self.bytes);
        assert!(within, "{bytes} bytes at {offset} should lie within a region of {} bytes", self.bytes);
        // SAFETY: the offset is within the region, as just checked.
        unsafe { self.start.as_ptr().byte_add(offset) }
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: the region owns these addresses, and nothing borrows from it any more.
        let unmapped = unsafe { munmap(self.start.as_ptr(), self.bytes) };
        debug_assert_eq!(unmapped, Ok(()), "a whole region should be given back");
    }
}

/// Reads one byte in a test. Where nothing is mapped the process ends, which is what such a test is for.
#[cfg(test)]
pub(super) fn peek(address: *const u8) -> u8 {
    // SAFETY: tests give addresses of reservations that they hold; an inaccessible one ends the process.
    unsafe { address.read_volatile() }
}

/// Writes one byte in a test, as [`peek`] reads one.
#[cfg(test)]
pub(super) fn poke(address: *mut u8, byte: u8) {
    // SAFETY: as in `peek`.
    unsafe { address.write_volatile(byte) }
}
