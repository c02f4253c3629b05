//! What the host writes for a step and reads of it. There are two by turns, so that it may run ahead.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use pygraph_artifact::device_code::STATUS_BYTES;

use super::{
    driver::{Context, CudaError, Event, PinnedBytes, Stream},
    program::CudaProgram,
    tensor::DeviceTensor,
};

/// What the host writes for a step, and how it learns that the GPU has read it.
#[derive(Debug)]
pub(super) struct Turn {
    /// All parameter blocks, and small arrays of the host.
    pub(super) blocks: PinnedBytes,
    /// Copies of larger arguments.
    pub(super) staging: BTreeMap<usize, PinnedBytes>,
    /// What the step has left in the status.
    pub(super) status: PinnedBytes,
    /// Arrays of callers that the step may read, and that the session has no longer.
    pub(super) kept: Vec<DeviceTensor>,
    pub(super) progress: Progress,
    /// The step has ended.
    done: Event,
    /// Nobody has looked whether the step went well.
    pub(super) is_unchecked: bool,
    /// The step's beginning, if steps are timed.
    timer: Option<(Event, Timing)>,
}

/// What is known of a step's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Timing {
    Nothing,
    Beginning,
    BeginningAndEnd,
}

/// How far the step of a turn has got, as far as the host knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// It has ended.
    Over,
    /// The GPU has all of it; `done` is behind it.
    Given,
    /// The GPU has some of it, and nothing is behind that.
    Begun,
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
            progress: Progress::Over,
            done: Event::new(context)?,
            is_unchecked: false,
            timer: None,
        })
    }

    /// Waits until the GPU has done all that it was given of the step. Calls the driver only where that is not known.
    pub(super) fn wait(&mut self, stream: &Stream) -> Result<(), CudaError> {
        match self.progress {
            Progress::Over => {}
            Progress::Given => self.done.synchronize()?,
            Progress::Begun => stream.synchronize()?,
        }
        self.progress = Progress::Over;
        Ok(())
    }

    /// Says that the GPU is about to be given the step.
    pub(super) fn begin(&mut self, stream: &Stream) -> Result<(), CudaError> {
        self.progress = Progress::Begun;
        if let Some((start, timing)) = &mut self.timer {
            *timing = Timing::Nothing;
            start.record(stream)?;
            *timing = Timing::Beginning;
        }
        Ok(())
    }

    /// Says that the GPU has all of the step.
    pub(super) fn end(&mut self, stream: &Stream) -> Result<(), CudaError> {
        self.done.record(stream)?;
        self.progress = Progress::Given;
        // A step that was stopped when somebody asked for times has no beginning.
        if let Some((_, timing @ Timing::Beginning)) = &mut self.timer {
            *timing = Timing::BeginningAndEnd;
        }
        Ok(())
    }

    /// The end of the step that was given last.
    pub(super) fn done(&self) -> &Event {
        &self.done
    }

    /// From the next step on the GPU notes when steps begin and end. It has done what it was given of the last.
    pub(super) fn time(&mut self, context: &Arc<Context>) -> Result<(), CudaError> {
        self.done = Event::timed(context)?;
        self.timer = Some((Event::timed(context)?, Timing::Nothing));
        Ok(())
    }

    /// How long the step took, if it was timed and has ended.
    pub(super) fn step_time(&self) -> Result<Option<Duration>, CudaError> {
        let Some((start, Timing::BeginningAndEnd)) = &self.timer else { return Ok(None) };
        Ok(if self.done.is_reached()? { Some(self.done.since(start)?) } else { None })
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
