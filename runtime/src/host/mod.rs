//! The host device: runs a plan on this machine's processors, one launch after the other.
//!
//! A session has one arena; parameters and constants are read where they are.

mod launch;
mod program;

pub use launch::{LaunchError, RunError};
pub use program::{HostProgram, Memory, first_elements};

/// Copies that the device made: the one function that makes them, and their count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Copies {
    /// How many.
    pub count: u64,
    /// Bytes in all.
    pub bytes: u64,
}

impl Copies {
    /// Copies and counts. Both must be of one length.
    pub fn copy(&mut self, from: &[u8], to: &mut [u8]) {
        to.copy_from_slice(from);
        self.count += 1;
        self.bytes += from.len() as u64;
    }
}
