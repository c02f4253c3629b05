//! Virtual memory of the host: pages of a memory file, and addresses of this process.

use std::any::Any;

use rustix::{
    fd::{AsFd, OwnedFd},
    fs::{FallocateFlags, MemfdFlags, fallocate, fstat, memfd_create},
    io::{Errno, pwrite, retry_on_intr},
};

use super::{
    MemoryError,
    backing::{Addresses, Backing},
    ffi::Region,
    granularity,
};

/// A memory file: piece `index` is at `index * piece_bytes`.
#[derive(Debug)]
pub(super) struct MemoryFile {
    file: OwnedFd,
    piece_bytes: u64,
}

impl MemoryFile {
    /// An empty one.
    pub(super) fn new(piece_bytes: u64) -> Result<MemoryFile, MemoryError> {
        let file = memfd_create("pygraph-memory", MemfdFlags::CLOEXEC);
        Ok(MemoryFile::of(file.map_err(MemoryError::system("create a memory file"))?, piece_bytes))
    }

    /// One over a file that is there.
    pub(super) fn of(file: OwnedFd, piece_bytes: u64) -> MemoryFile {
        MemoryFile { file, piece_bytes }
    }

    fn offset(&self, index: u64) -> u64 {
        // Saturated, it is beyond what a file can have, and the system says so.
        index.saturating_mul(self.piece_bytes)
    }

    /// Writes zeros: the system then has pages for them, or says now that it has not.
    fn zero(&self, index: u64) -> Result<(), Errno> {
        const ZEROS: &[u8] = &[0; 1 << 18];
        let start = self.offset(index);
        let mut done = 0;
        while done < self.piece_bytes {
            let bytes = (self.piece_bytes - done).min(ZEROS.len() as u64) as usize;
            match retry_on_intr(|| pwrite(&self.file, &ZEROS[..bytes], start.saturating_add(done)))? {
                0 => return Err(Errno::NOSPC),
                written => done += written as u64,
            }
        }
        Ok(())
    }
}

impl Backing for MemoryFile {
    fn granularity(&self) -> u64 {
        granularity()
    }

    fn create(&self, index: u64) -> Result<(), MemoryError> {
        self.zero(index).map_err(MemoryError::system("create memory"))
    }

    fn release(&self, index: u64) -> Result<(), MemoryError> {
        let how = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        let punched = retry_on_intr(|| fallocate(&self.file, how, self.offset(index), self.piece_bytes));
        punched.map_err(MemoryError::system("give memory back"))
    }

    fn map(&self, index: u64, addresses: &dyn Addresses, offset: u64) -> Result<(), MemoryError> {
        let region: &Region = addresses.as_any().downcast_ref().expect("memory of the host should get its addresses");
        let mapped = region.map(offset as usize, self.piece_bytes as usize, self.file.as_fd(), self.offset(index));
        mapped.map_err(MemoryError::system("map memory"))
    }

    fn resident_bytes(&self) -> Result<u64, MemoryError> {
        // A block of `stat` has 512 bytes whatever the file system.
        let stat = fstat(&self.file).map_err(MemoryError::system("ask for the size of a memory file"))?;
        Ok(stat.st_blocks as u64 * 512)
    }

    fn reserve(&self, bytes: u64) -> Result<Box<dyn Addresses>, MemoryError> {
        Ok(Box::new(Region::reserve(bytes as usize).map_err(MemoryError::system("reserve addresses"))?))
    }
}

impl Addresses for Region {
    fn start(&self) -> u64 {
        self.as_ptr().expose_provenance() as u64
    }

    fn bytes(&self) -> u64 {
        Region::bytes(self) as u64
    }

    fn unmap(&self, offset: u64, bytes: u64) -> Result<(), MemoryError> {
        Region::unmap(self, offset as usize, bytes as usize).map_err(MemoryError::system("unmap memory"))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
