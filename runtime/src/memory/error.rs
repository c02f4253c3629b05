//! What can go wrong with memory.

use std::time::Duration;

use rustix::io::Errno;

use crate::cuda::driver::CudaError;

/// Why memory was not created, mapped or unmapped. Sizes and offsets are in bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MemoryError {
    /// The limit does not allow so much. Nothing was changed.
    #[error("cannot create {asked} bytes of memory: {live} of at most {limit} bytes are in use")]
    Limit {
        /// What was asked for.
        asked: u64,
        /// What is in use.
        live: u64,
        /// The most that may be in use.
        limit: u64,
    },
    /// The size of handles does not suit this system.
    #[error("handles cannot have {handle_bytes} bytes: take a multiple of {granularity}")]
    HandleSize {
        /// What was asked for.
        handle_bytes: u64,
        /// What this system maps at least.
        granularity: u64,
    },
    /// The handle is not of the size that the reservation is made for.
    #[error("a handle of {handle_bytes} bytes does not fit a reservation for handles of {expected} bytes")]
    OtherHandle {
        /// The handle's size.
        handle_bytes: u64,
        /// The size that the reservation is made for.
        expected: u64,
    },
    /// The size of a reservation is not a number of handles.
    #[error("cannot reserve {bytes} bytes: take a multiple of the {handle_bytes} bytes of a handle, and not 0")]
    ReservationSize {
        /// What was asked for.
        bytes: u64,
        /// The size of a handle.
        handle_bytes: u64,
    },
    /// The slots of an arena need more addresses than there are.
    #[error("cannot reserve {slots} slots of {slot_bytes} bytes: there are not so many addresses")]
    ArenaSize {
        /// How many slots.
        slots: usize,
        /// The size of each.
        slot_bytes: u64,
    },
    /// An offset is between two handles' places.
    #[error("offset {offset} is not a multiple of the {handle_bytes} bytes of a handle")]
    Unaligned {
        /// What was given.
        offset: u64,
        /// The size of a handle.
        handle_bytes: u64,
    },
    /// An offset is outside the reservation.
    #[error("offset {offset} is outside the {reserved_bytes} bytes reserved")]
    Outside {
        /// What was given.
        offset: u64,
        /// The reservation's size.
        reserved_bytes: u64,
    },
    /// A handle is mapped there already.
    #[error("a handle is mapped at offset {offset} already")]
    Mapped {
        /// What was given.
        offset: u64,
    },
    /// No handle is mapped there.
    #[error("no handle is mapped at offset {offset}")]
    NotMapped {
        /// What was given.
        offset: u64,
    },
    /// The arena has no such slot.
    #[error("there is no slot {slot} in an arena of {slots}")]
    NoSlot {
        /// What was given.
        slot: usize,
        /// How many there are.
        slots: usize,
    },
    /// The slot is not so large.
    #[error("slot {slot} cannot have {bytes} bytes: it has addresses for {slot_bytes}")]
    SlotFull {
        /// The slot.
        slot: usize,
        /// What was asked for.
        bytes: u64,
        /// The most it can have.
        slot_bytes: u64,
    },
    /// What was waited for was not mapped in time.
    #[error("slot {slot} had {watermark} of {bytes} bytes mapped after waiting {timeout:?}")]
    Timeout {
        /// The slot.
        slot: usize,
        /// What was waited for.
        bytes: u64,
        /// What was mapped.
        watermark: u64,
        /// How long it was waited for.
        timeout: Duration,
    },
    /// The operating system refused.
    #[error("cannot {action}")]
    System {
        /// What was tried.
        action: &'static str,
        /// What the system said.
        source: Errno,
    },
    /// The GPU's driver refused.
    #[error(transparent)]
    Cuda(#[from] CudaError),
}

impl MemoryError {
    /// True if there would be enough memory, had others less of it.
    pub(crate) fn is_shortage(&self) -> bool {
        use CudaError::{Limit, OutOfMemory};
        matches!(self, MemoryError::Limit { .. } | MemoryError::Cuda(Limit { .. } | OutOfMemory { .. }))
    }

    /// Gives what the system said its context.
    pub(super) fn system(action: &'static str) -> impl Fn(Errno) -> MemoryError {
        move |source| MemoryError::System { action, source }
    }
}
