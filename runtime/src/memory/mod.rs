//! Virtual memory of the devices: addresses are reserved once and for all, memory is put behind them as it is needed.
//!
//! [`PhysicalMemory`] makes pages in [`Handle`]s of one size; a [`Reservation`] is a range of addresses into which handles
//! are mapped; a [`GrowingArena`] is a reservation in slots, each of which grows from its start, ahead of need, by a
//! thread of its own. On the host an access where nothing is mapped ends the process with SIGSEGV: a stray read is no wrong number.
//!
//! What a device does itself is a `backing::Backing`: memory files and `mmap` here, CUDA's calls in [`crate::cuda`]. The shape is that
//! of CUDA's virtual memory:
//!
//! | here | CUDA |
//! | --- | --- |
//! | [`Reservation::reserve`], its drop | `cuMemAddressReserve`, `cuMemAddressFree` |
//! | [`PhysicalMemory::create`], dropping the [`Handle`] | `cuMemCreate`, `cuMemRelease` |
//! | [`Reservation::map`] | `cuMemMap`, then `cuMemSetAccess` |
//! | [`Reservation::unmap`] | `cuMemUnmap` |
//!
//! As there, memory is given back when its handle is dropped and it is mapped nowhere. Running out is
//! [`MemoryError::Limit`] and leaves everything as it was.

mod arena;
pub(crate) mod backing;
mod error;
mod events;
#[cfg(test)]
mod faults;
mod ffi;
mod guarded;
mod host;
mod physical;
mod reservation;
mod slots;
#[cfg(test)]
mod tests;
mod thread;

pub use arena::{ArenaOptions, GrowingArena};
pub use error::MemoryError;
pub use events::{Actor, Change, Event, EventLog};
pub use guarded::{ClosedBuffer, GuardedBuffer};
pub use physical::{Handle, HandleCounts, PhysicalMemory, granularity};
pub use reservation::Reservation;
