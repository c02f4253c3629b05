//! The host device: runs a plan on this machine's processors.
//!
//! A segment is recorded when a model is loaded and replayed each step. A session has one arena; weights, state and constants are
//! read where they are, and what changes from step to step is reached through a parameter block, by value or by address.

mod launch;
mod program;
mod session;

pub use launch::{LaunchError, RunError};
pub use program::{HostProgram, Loops, Memory, Order, first_elements};
pub(crate) use session::HostSession;

/// Bytes that a device moved beside what launches do: the one type whose functions make copies, and count them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Copies {
    /// Copies of arrays.
    pub count: u64,
    /// Bytes of those.
    pub bytes: u64,
    /// Bytes of state that a caller handed in and that could not be taken over where it lay.
    pub imported_bytes: u64,
    /// Bytes of parameter blocks.
    pub block_bytes: u64,
}

impl Copies {
    /// Copies and counts. Both must be of one length.
    pub fn copy(&mut self, from: &[u8], to: &mut [u8]) {
        to.copy_from_slice(from);
        self.count += 1;
        self.bytes += from.len() as u64;
    }

    /// The same for what a caller hands in.
    pub fn import(&mut self, from: &[u8], to: &mut [u8]) {
        to.copy_from_slice(from);
        self.imported_bytes += from.len() as u64;
    }

    /// Counts parameter blocks, which a step sends whole.
    pub fn count_blocks(&mut self, bytes: u64) {
        self.block_bytes += bytes;
    }

    /// What was moved since `before`.
    pub fn since(self, before: Copies) -> Copies {
        Copies {
            count: self.count - before.count,
            bytes: self.bytes - before.bytes,
            imported_bytes: self.imported_bytes - before.imported_bytes,
            block_bytes: self.block_bytes - before.block_bytes,
        }
    }
}
