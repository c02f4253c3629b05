//! The results of a step.

use pygraph_artifact::plan::Place;

use super::{OutputError, Session, StepError, places::result_of};
use crate::tensor::{Array, TensorView};

/// A step that was started. On a GPU it may still run: steps after it wait for it, and so does whoever reads its results.
#[derive(Debug)]
pub struct Ticket<'session> {
    pub(super) session: &'session mut Session,
}

impl<'session> Ticket<'session> {
    /// Waits for the step's end. On the host device it has ended.
    ///
    /// What goes wrong in a step for which nobody waits is an error of one of the next two.
    pub fn wait(self) -> Result<Outputs<'session>, StepError> {
        self.session.finish()?;
        Ok(Outputs { session: self.session })
    }
}

/// The results of a step, in place until the next one.
#[derive(Debug, Clone, Copy)]
pub struct Outputs<'session> {
    pub(super) session: &'session Session,
}

impl<'session> Outputs<'session> {
    /// How many there are.
    pub fn count(&self) -> usize {
        if self.session.has_outputs { self.session.model.program().results.len() } else { 0 }
    }

    /// Result `index`. One on a GPU is copied to the host the first time that somebody asks.
    pub fn get(&self, index: usize) -> Result<TensorView<'session>, OutputError> {
        let results = &self.session.model.program().results;
        let slot = results.get(index).ok_or(OutputError::NoSuchResult { index, count: results.len() })?;
        if !self.session.has_outputs {
            return Err(OutputError::NoStep);
        }
        Ok(TensorView { dtype: slot.dtype, shape: &slot.shape, bytes: self.session.output(index)? })
    }

    /// Result `index` where it lies, to hold while later steps run: the session writes to another buffer as long as this lives. None if
    /// there is no such result, or if it lies in memory that stays with the session: state, for one.
    pub fn hold(&self, index: usize) -> Option<Array> {
        let program = self.session.model.program();
        let slot = program.results.get(index).filter(|_| self.session.has_outputs)?;
        let Place::Field { block, field } = program.buffers[slot.buffer.0 as usize].place else { return None };
        let result = result_of(program.blocks[block as usize].fields[field as usize].source)?;
        match self.session.rings[result].current()? {
            Array::Host(tensor) => tensor.reinterpreted(slot.dtype, &slot.shape).ok().map(Array::Host),
            Array::Device(tensor) => tensor.reinterpreted(slot.dtype, &slot.shape).ok().map(Array::Device),
        }
    }

    /// All results, in order.
    pub fn iter(&self) -> impl Iterator<Item = Result<TensorView<'session>, OutputError>> {
        (0..self.count()).map(|index| self.get(index))
    }
}
