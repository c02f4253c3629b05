//! Addresses without memory, into which handles are mapped.

use std::{collections::BTreeMap, sync::Arc};

use super::{Handle, MemoryError, PhysicalMemory, backing::Addresses, physical::Pages};

/// A range of addresses that stays where it is until this is dropped. Where no handle is mapped, an access on the host ends
/// the process with SIGSEGV, and one on a GPU is a fault.
#[derive(Debug)]
pub struct Reservation {
    // Before `mapped`: addresses go before the memory behind them is given back.
    addresses: Box<dyn Addresses>,
    handle_bytes: u64,
    mapped: BTreeMap<u64, Arc<Pages>>,
}

impl Reservation {
    /// Reserves `bytes`, a positive multiple of the size of `memory`'s handles. Takes no memory.
    pub fn reserve(memory: &PhysicalMemory, bytes: u64) -> Result<Reservation, MemoryError> {
        let handle_bytes = memory.handle_bytes();
        if bytes == 0 || !bytes.is_multiple_of(handle_bytes) {
            return Err(MemoryError::ReservationSize { bytes, handle_bytes });
        }
        Ok(Reservation { addresses: memory.reserve(bytes)?, handle_bytes, mapped: BTreeMap::new() })
    }

    /// The first address. It never changes; which bytes behind it are accessible does.
    pub fn address(&self) -> u64 {
        self.addresses.start()
    }

    /// The same as a pointer, of which the host can use that of its own memory.
    pub fn as_ptr(&self) -> *mut u8 {
        std::ptr::with_exposed_provenance_mut(self.address() as usize)
    }

    /// The size in bytes of all addresses.
    pub fn bytes(&self) -> u64 {
        self.addresses.bytes()
    }

    /// The bytes behind which there is memory.
    pub fn mapped_bytes(&self) -> u64 {
        self.mapped.len() as u64 * self.handle_bytes
    }

    /// Maps a handle at a byte offset, a multiple of its size, to be read and written. The memory stays alive while it
    /// is mapped, whatever becomes of the handle; one handle may be mapped in several places.
    pub fn map(&mut self, offset: u64, handle: &Handle) -> Result<(), MemoryError> {
        self.check(offset)?;
        let pages = handle.pages();
        if pages.bytes() != self.handle_bytes {
            return Err(MemoryError::OtherHandle { handle_bytes: pages.bytes(), expected: self.handle_bytes });
        }
        if self.mapped.contains_key(&offset) {
            return Err(MemoryError::Mapped { offset });
        }
        pages.map_at(self.addresses.as_ref(), offset)?;
        self.mapped.insert(offset, pages.clone());
        Ok(())
    }

    /// Unmaps the handle at a byte offset. Nobody may read or write there any more.
    pub fn unmap(&mut self, offset: u64) -> Result<(), MemoryError> {
        self.check_mapped(offset)?;
        self.addresses.unmap(offset, self.handle_bytes)?;
        self.mapped.remove(&offset);
        Ok(())
    }

    /// The same where nothing on the device uses it any more, for certain: other work of the device is not waited for.
    pub fn unmap_unused(&mut self, offset: u64) -> Result<(), MemoryError> {
        self.check_mapped(offset)?;
        self.addresses.unmap_unused(offset, self.handle_bytes)?;
        self.mapped.remove(&offset);
        Ok(())
    }

    fn check_mapped(&self, offset: u64) -> Result<(), MemoryError> {
        self.check(offset)?;
        if self.mapped.contains_key(&offset) { Ok(()) } else { Err(MemoryError::NotMapped { offset }) }
    }

    fn check(&self, offset: u64) -> Result<(), MemoryError> {
        let (handle_bytes, reserved_bytes) = (self.handle_bytes, self.bytes());
        if !offset.is_multiple_of(handle_bytes) {
            return Err(MemoryError::Unaligned { offset, handle_bytes });
        }
        if offset >= reserved_bytes {
            return Err(MemoryError::Outside { offset, reserved_bytes });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;
    use crate::memory::{ffi, granularity};

    fn check(result: Result<(), MemoryError>, message: &str) {
        assert_eq!(result.expect_err(message).to_string(), message);
    }

    #[test]
    fn what_is_not_a_whole_handle_in_a_free_place_is_refused() -> Result<(), MemoryError> {
        let bytes = granularity();
        let memory = PhysicalMemory::new(bytes, None)?;
        let mut reservation = Reservation::reserve(&memory, 4 * bytes)?;
        let handle = memory.create()?;
        reservation.map(bytes, &handle)?;
        check(reservation.map(bytes, &handle), &format!("a handle is mapped at offset {bytes} already"));
        check(reservation.map(1, &handle), &format!("offset 1 is not a multiple of the {bytes} bytes of a handle"));
        let outside = format!("offset {} is outside the {} bytes reserved", 4 * bytes, 4 * bytes);
        check(reservation.map(4 * bytes, &handle), &outside);
        check(reservation.unmap(4 * bytes), &outside);
        check(reservation.unmap(0), "no handle is mapped at offset 0");
        let other = PhysicalMemory::new(2 * bytes, None)?.create()?;
        let message =
            format!("a handle of {} bytes does not fit a reservation for handles of {bytes} bytes", 2 * bytes);
        check(reservation.map(0, &other), &message);
        assert_eq!(reservation.mapped_bytes(), bytes);
        Ok(())
    }

    #[test]
    fn sizes_that_cannot_be_reserved_are_refused() -> Result<(), MemoryError> {
        let bytes = granularity();
        let memory = PhysicalMemory::new(bytes, None)?;
        for size in [0, bytes + 1] {
            let message =
                format!("cannot reserve {size} bytes: take a multiple of the {bytes} bytes of a handle, and not 0");
            check(Reservation::reserve(&memory, size).map(|_| ()), &message);
        }
        let error = Reservation::reserve(&memory, 1 << 62).expect_err("there should not be so many addresses");
        assert_eq!(error.to_string(), "cannot reserve addresses");
        assert_eq!(error.source().map(ToString::to_string), Some("Cannot allocate memory (os error 12)".into()));
        Ok(())
    }

    #[test]
    fn memory_lives_while_it_is_mapped_and_is_zero_when_it_comes_again() -> Result<(), MemoryError> {
        let bytes = granularity();
        let memory = PhysicalMemory::new(bytes, Some(2 * bytes))?;
        let mut reservation = Reservation::reserve(&memory, 4 * bytes)?;
        let start = reservation.as_ptr();
        let at = |handle: u64, byte: u64| start.wrapping_byte_add((handle * bytes + byte) as usize);
        let handle = memory.create()?;
        reservation.map(0, &handle)?;
        reservation.map(2 * bytes, &handle)?;
        drop(handle);
        ffi::poke(at(0, bytes - 1), 7);
        assert_eq!(ffi::peek(at(2, bytes - 1)), 7, "one handle in two places is one memory");
        reservation.unmap(0)?;
        assert_eq!((memory.counts().live, ffi::peek(at(2, bytes - 1))), (1, 7));
        reservation.unmap(2 * bytes)?;
        assert_eq!((memory.counts().live, memory.resident_bytes()?), (0, 0));
        reservation.map(0, &memory.create()?)?;
        assert!((0..bytes).all(|byte| ffi::peek(at(0, byte)) == 0));
        drop(reservation);
        assert_eq!((memory.counts().live, memory.resident_bytes()?), (0, 0));
        Ok(())
    }
}
