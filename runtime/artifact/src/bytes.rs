//! Memory for arrays: aligned, owned or mapped from a file.

use std::{
    alloc::{Layout, alloc_zeroed, dealloc},
    fmt,
    fs::File,
    io,
    ops::{Deref, DerefMut},
    path::Path,
    ptr::NonNull,
};

/// Alignment of every owned allocation, of offsets in an arena and of constants, in bytes.
pub const ALIGNMENT: usize = 64;

/// An allocation that the machine did not grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cannot allocate {bytes} bytes of host memory")]
pub struct OutOfMemory {
    /// How many were asked for.
    pub bytes: u64,
}

/// Zeroed bytes on the heap, aligned to [`ALIGNMENT`].
pub struct AlignedBytes {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: the allocation is owned and reached only through `&self` and `&mut self`, as with `Box<[u8]>`.
unsafe impl Send for AlignedBytes {}
// SAFETY: as above; a shared reference only reads.
unsafe impl Sync for AlignedBytes {}

impl AlignedBytes {
    /// Allocates `len` zeroed bytes. The system hands out pages when they are first touched.
    pub fn zeroed(len: u64) -> Result<AlignedBytes, OutOfMemory> {
        let failed = OutOfMemory { bytes: len };
        let size = usize::try_from(len).map_err(|_| failed)?;
        if size == 0 {
            return Ok(AlignedBytes { start: NonNull::<Block>::dangling().cast(), len: 0 });
        }
        let layout = Layout::from_size_align(size, ALIGNMENT).map_err(|_| failed)?;
        // SAFETY: the layout's size is not zero.
        let start = unsafe { alloc_zeroed(layout) };
        Ok(AlignedBytes { start: NonNull::new(start).ok_or(failed)?, len: size })
    }

    /// Allocates and copies `bytes`.
    pub fn copy_of(bytes: &[u8]) -> Result<AlignedBytes, OutOfMemory> {
        let mut copy = AlignedBytes::zeroed(bytes.len() as u64)?;
        copy.copy_from_slice(bytes);
        Ok(copy)
    }
}

/// A type of the alignment that we promise, for the address of an empty allocation.
#[repr(align(64))]
struct Block;

impl Drop for AlignedBytes {
    fn drop(&mut self) {
        if self.len != 0 {
            let layout = Layout::from_size_align(self.len, ALIGNMENT).expect("the layout should be the one allocated");
            // SAFETY: `start` came from `alloc_zeroed` with this layout and is freed once.
            unsafe { dealloc(self.start.as_ptr(), layout) }
        }
    }
}

impl Deref for AlignedBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: `start` is valid for `len` initialised bytes for as long as `self` lives.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl DerefMut for AlignedBytes {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `deref`, and `&mut self` makes this the only reference.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl fmt::Debug for AlignedBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AlignedBytes({} bytes)", self.len)
    }
}

/// Bytes that are only read: a whole file, mapped, or an owned copy.
#[derive(Debug)]
pub enum FileBytes {
    /// The file's pages.
    Mapped(memmap2::Mmap),
    /// A copy.
    Owned(AlignedBytes),
}

impl FileBytes {
    /// Maps the file at `path`; one that cannot be mapped (a pipe, an empty file) is read.
    pub fn open(path: &Path) -> io::Result<FileBytes> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() || metadata.len() == 0 {
            let read = std::fs::read(path)?;
            return AlignedBytes::copy_of(&read).map(FileBytes::Owned).map_err(io::Error::other);
        }
        // SAFETY: the mapping is private and read-only. A file that somebody else writes into while it is mapped can
        // change under us; what this project writes is replaced by renaming, never written into.
        unsafe { memmap2::Mmap::map(&file) }.map(FileBytes::Mapped)
    }
}

impl Deref for FileBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            FileBytes::Mapped(map) => map,
            FileBytes::Owned(bytes) => bytes,
        }
    }
}
