//! What a device does for virtual memory; everything else is the same for all.

use std::fmt;

use super::MemoryError;

/// Memory of a device in pieces of one size, each by its number. A number that was released can be created again.
pub(crate) trait Backing: fmt::Debug + Send + Sync {
    /// What the size of a piece is a multiple of, in bytes.
    fn granularity(&self) -> u64;

    /// Takes memory for a piece. It is full of zeros by the time that it is mapped.
    fn create(&self, index: u64) -> Result<(), MemoryError>;

    /// Gives the memory of a piece back, which is mapped nowhere; or does nothing, if there is none.
    fn release(&self, index: u64) -> Result<(), MemoryError>;

    /// Puts a piece behind addresses of this device from `offset` on, to be read and written.
    fn map(&self, index: u64, addresses: &dyn Addresses, offset: u64) -> Result<(), MemoryError>;

    /// The bytes that the system holds for all pieces.
    fn resident_bytes(&self) -> Result<u64, MemoryError>;

    /// Reserves addresses, as many as a multiple of a piece has.
    fn reserve(&self, bytes: u64) -> Result<Box<dyn Addresses>, MemoryError>;
}

/// Addresses of a device that stay reserved until this is dropped, by when nothing on the device uses what is mapped there.
pub(crate) trait Addresses: fmt::Debug + Send + Sync {
    /// The first.
    fn start(&self) -> u64;

    /// How many.
    fn bytes(&self) -> u64;

    /// Takes away the piece at `offset`, of so many bytes, once nothing on the device uses it.
    fn unmap(&self, offset: u64, bytes: u64) -> Result<(), MemoryError>;

    /// The same where nothing uses the piece any more, for certain: nothing is waited for.
    fn unmap_unused(&self, offset: u64, bytes: u64) -> Result<(), MemoryError> {
        self.unmap(offset, bytes)
    }

    /// The same as the device knows it.
    fn as_any(&self) -> &dyn std::any::Any;
}
