//! The buffers of a result, which take turns.

use pygraph_artifact::plan::ResultSlot;

use super::{StepError, backend::Backend};
use crate::tensor::Array;

/// How many buffers a result has by turns. With two, those of a step can be held while the next one runs.
const RING_SLOTS: usize = 2;

/// Buffers that are made as they are first needed.
#[derive(Debug, Default)]
pub(super) struct Ring {
    slots: [Option<Array>; RING_SLOTS],
    /// The one that the last step wrote.
    current: usize,
}

impl Ring {
    /// Makes the next buffer that nobody holds the current one.
    pub(super) fn turn(&mut self, result: &ResultSlot, backend: &dyn Backend) -> Result<(), StepError> {
        for turn in 1..=RING_SLOTS {
            let next = (self.current + turn) % RING_SLOTS;
            let slot = &mut self.slots[next];
            if slot.is_none() {
                *slot = Some(backend.new_result(result)?);
            }
            if slot.as_mut().is_some_and(Array::is_unshared) {
                self.current = next;
                return Ok(());
            }
        }
        Err(StepError::OutputsHeld { name: result.name.clone(), slots: RING_SLOTS })
    }

    /// Takes a buffer of the caller for the next turn.
    pub(super) fn set_next(&mut self, buffer: Array) {
        self.slots[(self.current + 1) % RING_SLOTS] = Some(buffer);
    }

    pub(super) fn current(&self) -> Option<&Array> {
        self.slots[self.current].as_ref()
    }

    pub(super) fn current_mut(&mut self) -> Option<&mut Array> {
        self.slots[self.current].as_mut()
    }
}
