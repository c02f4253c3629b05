//! What the host writes for a step and reads of it. There are two by turns, so that it may run ahead.

use std::collections::BTreeMap;

use pygraph_artifact::device_code::STATUS_BYTES;

use super::{
    driver::{CudaError, Event, PinnedBytes},
    program::CudaProgram,
    tensor::DeviceTensor,
};

/// What the host writes for a step, and how it learns that the GPU has read it.
#[derive(Debug)]
pub(super) struct Turn {
    /// All parameter blocks.
    pub(super) blocks: PinnedBytes,
    /// Copies of small arguments.
    pub(super) staging: BTreeMap<usize, PinnedBytes>,
    /// What the step has left in the status.
    pub(super) status: PinnedBytes,
    /// Arrays of callers that the step reads.
    pub(super) kept: Vec<DeviceTensor>,
    /// The GPU has read what the host wrote.
    pub(super) sent: Event,
    /// The step has ended.
    pub(super) done: Event,
    /// Nobody has looked whether the step went well.
    pub(super) is_unchecked: bool,
    /// Beginning and end, if steps are timed, and whether they were recorded.
    pub(super) timers: Option<([Event; 2], bool)>,
}

impl Turn {
    /// A turn that was never used.
    pub(super) fn new(program: &CudaProgram, blocks_bytes: u64) -> Result<Turn, CudaError> {
        let context = program.gpu().context();
        Ok(Turn {
            blocks: PinnedBytes::zeroed(context, blocks_bytes)?,
            staging: BTreeMap::new(),
            status: PinnedBytes::zeroed(context, STATUS_BYTES)?,
            kept: Vec::new(),
            sent: Event::new(context)?,
            done: Event::new(context)?,
            is_unchecked: false,
            timers: None,
        })
    }
}

/// The number of the launch whose comparison does not hold, and at which element.
pub(super) fn failed_comparison(status: &[u8]) -> Option<(usize, u64)> {
    let code = u32::from_le_bytes(status[..4].try_into().expect("a status should have its bytes"));
    let element = u64::from_le_bytes(status[8..16].try_into().expect("a status should have its bytes"));
    Some((code.checked_sub(1)? as usize, element))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_says_which_comparison_does_not_hold_and_where() {
        assert_eq!(failed_comparison(&[0; 16]), None);
        assert_eq!(failed_comparison(&[3, 0, 0, 0, 9, 9, 9, 9, 0, 1, 0, 0, 0, 0, 0, 0]), Some((2, 256)));
    }
}
