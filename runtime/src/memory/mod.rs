//! Virtual memory of the host device: addresses that are reserved, and pages that are mapped as caches grow.
//!
//! It stands for what CUDA's driver does (`cuMemAddressReserve`, `cuMemCreate`, `cuMemMap`, `cuMemSetAccess`): a [`Reservation`] of
//! addresses without access; physical memory in handles of one size, from a memory file; and an [`Arena`] that maps them row by
//! row, ahead of need. An access where nothing is mapped is a fault, and not a wrong number.

mod arena;
mod ffi;
mod pages;

use std::time::Duration;

pub use arena::{Arena, Event, Geometry, Growth};
pub use ffi::{Reservation, granularity};
pub use pages::{Budget, Pages};

/// Why memory is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MemoryError {
    /// More than a limit allows. Nothing has changed.
    #[error("{asked} more bytes of cache do not fit: {live} of {limit} bytes are in use")]
    Limit {
        /// What was asked for, in bytes.
        asked: u64,
        /// What is in use, in bytes.
        live: u64,
        /// The limit, in bytes.
        limit: u64,
    },
    /// The system refused.
    #[error("the system does not {operation} {bytes} bytes: {source}")]
    System {
        /// What was tried.
        operation: &'static str,
        /// For how many bytes.
        bytes: u64,
        /// What the system says.
        source: rustix::io::Errno,
    },
    /// A handle size that the system cannot map.
    #[error("handles of {bytes} bytes are no multiple of the system's {granularity}")]
    Granularity {
        /// Size of a handle.
        bytes: u64,
        /// The system's unit.
        granularity: u64,
    },
    /// Rows beyond the end of an arena.
    #[error("slot {slot} has no byte {bytes}: there are {slots} slots of {slot_bytes} bytes")]
    Range {
        /// The slot.
        slot: usize,
        /// Up to where rows were asked for.
        bytes: u64,
        /// How many slots there are.
        slots: usize,
        /// Size of a slot.
        slot_bytes: u64,
    },
    /// The mapping thread took longer than a step may wait.
    #[error("slot {slot} is mapped up to byte {mapped} of {bytes} after {} ms", waited.as_millis())]
    Late {
        /// The slot.
        slot: usize,
        /// Up to where it is mapped.
        mapped: u64,
        /// Up to where it should be.
        bytes: u64,
        /// How long the step waited.
        waited: Duration,
    },
}
