//! Arguments that change from step to step.

use std::sync::Arc;

use pygraph_artifact::{
    bytes::AlignedBytes,
    plan::{Bind, Param, Program},
};

use super::{Advance, BenchError, Options};
use crate::{
    cuda::{gpu::Gpu, tensor::DeviceTensor},
    session::{Session, Ticket},
    tensor::{Array, Tensor, TensorError},
};

/// Integers that grow by 1 a step, and inputs that lie elsewhere in every step.
pub(super) struct Changing {
    /// Arguments, and their values in the next step.
    advancing: Vec<(usize, i64)>,
    /// Arguments, and arrays of one content that take turns.
    sets: Vec<(usize, Vec<Array>)>,
    /// Steps so far.
    step: usize,
}

impl Changing {
    /// What the options say of a session whose arguments have values.
    pub(super) fn new(options: &Options, session: &Session) -> Result<Changing, BenchError> {
        let program = session.model().program();
        let advancing = options.advance.iter().map(|advance| find(program, advance)).collect::<Result<_, _>>()?;
        let count = options.input_sets as usize;
        let sets = if count > 1 { input_sets(session, count)? } else { Vec::new() };
        Ok(Changing { advancing, sets, step: 0 })
    }

    /// Sets the values of the next step, and starts it.
    pub(super) fn step<'a>(&mut self, session: &'a mut Session) -> Result<Ticket<'a>, BenchError> {
        self.set(session)?;
        Ok(session.step()?)
    }

    /// Sets the values of the next step.
    pub(super) fn set(&mut self, session: &mut Session) -> Result<(), BenchError> {
        for (index, value) in &mut self.advancing {
            let filled = filled(&session.model().program().params[*index], *value)?;
            session.set(*index, filled)?;
            *value += 1;
        }
        self.repeat(session)
    }

    /// Sets the values of the last step again; inputs lie elsewhere.
    pub(super) fn repeat(&mut self, session: &mut Session) -> Result<(), BenchError> {
        for (index, arrays) in &self.sets {
            session.set(*index, arrays[self.step % arrays.len()].clone())?;
        }
        self.step += 1;
        Ok(())
    }
}

fn find(program: &Program, Advance { argument, start }: &Advance) -> Result<(usize, i64), BenchError> {
    let is_it = |(index, name): (usize, &String)| *name == *argument || format!("arg{index}") == *argument;
    let index = program.params.iter().map(|param| &param.name).enumerate().position(is_it);
    let index = index.ok_or_else(|| BenchError::NoSuchArgument { argument: argument.clone() })?;
    if !program.params[index].dtype.is_integer() {
        return Err(BenchError::NotAnInteger { argument: argument.clone() });
    }
    Ok((index, *start))
}

/// An array of the argument's type whose elements are all `value`.
fn filled(param: &Param, value: i64) -> Result<Tensor, TensorError> {
    let elements = param.shape.iter().product::<u64>() as usize;
    let element = &value.to_le_bytes()[..param.dtype.size_bytes()];
    let bytes = AlignedBytes::copy_of(&element.repeat(elements)).map_err(TensorError::OutOfMemory)?;
    Tensor::new(param.dtype, &param.shape, bytes)
}

/// Copies of every `step` argument, on the model's device, each at an address of its own.
fn input_sets(session: &Session, count: usize) -> Result<Vec<(usize, Vec<Array>)>, TensorError> {
    let gpu = session.model().gpu();
    let params = session.model().program().params.iter().enumerate();
    let inputs = params
        .filter(|(_, param)| param.bind == Bind::Step)
        .filter_map(|(index, _)| Some((index, session.value(index)?)));
    let copies = |value: &Array| (0..count).map(|_| copy_of(value, gpu)).collect::<Result<Vec<_>, _>>();
    inputs.map(|(index, value)| Ok((index, copies(value)?))).collect()
}

fn copy_of(value: &Array, gpu: Option<&Arc<Gpu>>) -> Result<Array, TensorError> {
    let tensor = value.to_host()?;
    Ok(match gpu {
        Some(gpu) => Array::Device(DeviceTensor::copy_of(gpu, &tensor)?),
        None => {
            let bytes = AlignedBytes::copy_of(tensor.bytes()).map_err(TensorError::OutOfMemory)?;
            Array::Host(Tensor::new(tensor.dtype(), tensor.shape(), bytes)?)
        }
    })
}
