//! Buffers for tests whose bytes can be made inaccessible.

use super::{MemoryError, ffi::Region, granularity};

/// Bytes with addresses of their own. After [`GuardedBuffer::close`] an access to them ends the process with SIGSEGV, and
/// so does at all times one that is 64 bytes or more beyond their end.
///
/// A test hands over each input in a new one and closes the one before: what kept an old address is found out.
#[derive(Debug)]
pub struct GuardedBuffer {
    region: Region,
    offset: usize,
    len: usize,
}

/// The addresses of a closed buffer: inaccessible, and not used for anything else until this is dropped.
#[derive(Debug)]
pub struct ClosedBuffer {
    region: Region,
    offset: usize,
}

/// What the start of a buffer is aligned to, in bytes.
const ALIGNMENT: usize = 64;

impl GuardedBuffer {
    /// A copy of `bytes`, at addresses aligned to 64 bytes.
    pub fn new(bytes: &[u8]) -> Result<GuardedBuffer, MemoryError> {
        let page_bytes = granularity() as usize;
        let open_bytes = bytes.len().max(1).next_multiple_of(page_bytes);
        // One page more, which stays inaccessible. The bytes lie as close to it as their alignment allows.
        let mut region = Region::reserve(open_bytes + page_bytes).map_err(MemoryError::system("reserve addresses"))?;
        region.open(0, open_bytes).map_err(MemoryError::system("open memory"))?;
        let offset = open_bytes - bytes.len().next_multiple_of(ALIGNMENT);
        region.write(offset, bytes);
        Ok(GuardedBuffer { region, offset, len: bytes.len() })
    }

    /// The address of the first byte.
    pub fn as_ptr(&self) -> *const u8 {
        self.region.as_ptr().wrapping_byte_add(self.offset)
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: the range was opened when it was made, is written by nobody, and closing takes the buffer itself.
        unsafe { self.region.slice(self.offset, self.len) }
    }

    /// Makes the bytes inaccessible.
    pub fn close(self) -> Result<ClosedBuffer, MemoryError> {
        self.region.close(0, self.region.bytes()).map_err(MemoryError::system("close memory"))?;
        Ok(ClosedBuffer { region: self.region, offset: self.offset })
    }
}

impl ClosedBuffer {
    /// The address that the first byte had.
    pub fn as_ptr(&self) -> *const u8 {
        self.region.as_ptr().wrapping_byte_add(self.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_holds_a_copy_at_an_address_of_its_own() -> Result<(), MemoryError> {
        for len in [0, 1, 63, 64, 65, 4096, 5000] {
            let bytes: Vec<u8> = (0..len).map(|byte| byte as u8).collect();
            let buffer = GuardedBuffer::new(&bytes)?;
            assert_eq!(buffer.as_slice(), bytes);
            assert_eq!(buffer.as_ptr().addr() % ALIGNMENT, 0);
            let address = buffer.as_ptr();
            let closed = buffer.close()?;
            assert_eq!(closed.as_ptr(), address);
            assert_ne!(GuardedBuffer::new(&bytes)?.as_ptr(), address, "a closed address is not used again");
        }
        Ok(())
    }
}
