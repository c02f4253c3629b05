//! Runs operations of the kernel level at compile time, on the plain executors of `pygraph-kernels`.
//!
//! Two callers: `fold-constants` evaluates the launches of one operation, and tests evaluate a whole function before and
//! after a pass.

use std::collections::HashMap;

use pygraph_artifact::plan::{BufferId, Work};
use pygraph_kernels::{
    memory::Bytes,
    tensor::TensorType,
    work::{ExecuteError, execute},
};

use crate::{
    diagnostic::{Diagnostic, Diagnostics},
    emit::work_of,
    ir::{Attribute, BlockId, Module, OpId, Opcode, ValueId, attribute::DenseElements},
    lower::site::{size_bytes, tensor_of},
};

/// Why something can't be evaluated.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// Something at its location does not fit.
    #[error("{}: {}", .0.position, .0.message)]
    Diagnosed(Box<Diagnostic>),
    /// A launch failed.
    #[error("{0}")]
    Execute(#[from] ExecuteError),
    /// It would take too much memory or time.
    #[error("{0}")]
    Limit(String),
}

impl From<Diagnostic> for EvaluateError {
    fn from(diagnostic: Diagnostic) -> EvaluateError {
        EvaluateError::Diagnosed(Box::new(diagnostic))
    }
}

impl From<Diagnostics> for EvaluateError {
    fn from(diagnostics: Diagnostics) -> EvaluateError {
        let first = diagnostics.0.into_iter().next();
        first.map_or_else(|| EvaluateError::Limit("refused without a reason".into()), EvaluateError::from)
    }
}

/// The bytes of values.
#[derive(Debug, Default)]
pub struct Values(HashMap<ValueId, Bytes>);

/// No value evaluated here is larger.
const VALUE_BYTES_MAX: u64 = 1 << 30;
/// No loop evaluated here runs longer.
const ITERATIONS_MAX: u64 = 1 << 20;

/// Evaluates the function of that name, which is at the kernel level, and returns its results.
pub fn evaluate_function(module: &Module, name: &str, inputs: &[Bytes]) -> Result<Vec<Bytes>, EvaluateError> {
    let body = module.symbol(name).and_then(|function| module.region_block(function, 0));
    let Some(body) = body else {
        return Err(module.error(module.root(), format!("there is no function @{name}")).into());
    };
    let arguments = &module.block(body).arguments;
    let mut values = Values::default();
    for (argument, input) in arguments.iter().zip(inputs) {
        values.0.insert(*argument, input.clone());
    }
    evaluate_block(module, body, &mut values)
}

/// Evaluates the operations of a block and returns what its terminator hands on.
fn evaluate_block(module: &Module, block: BlockId, values: &mut Values) -> Result<Vec<Bytes>, EvaluateError> {
    for op in module.block_ops(block) {
        let operation = module.op(op);
        if operation.opcode.def().is_terminator() {
            return operation.operands.iter().map(|value| values.get(module, *value)).collect();
        }
        evaluate_op(module, op, values)?;
    }
    Ok(Vec::new())
}

/// Evaluates one operation whose operands are known.
pub fn evaluate_op(module: &Module, op: OpId, values: &mut Values) -> Result<(), EvaluateError> {
    let operation = module.op(op);
    match operation.opcode {
        Opcode::PygEmpty => {
            let bytes = Bytes::zeroed(size_of(module, operation.results[0])?);
            values.0.insert(operation.results[0], bytes);
        }
        Opcode::PygConstant | Opcode::StablehloConstant => {
            let Some(Attribute::Dense(elements)) = operation.attr("value") else {
                return Err(module.error(op, "`value` is missing").into());
            };
            values.0.insert(operation.results[0], storage_of(module, operation.results[0], elements)?);
        }
        Opcode::PygView => {
            let bytes = values.get(module, operation.operands[0])?;
            values.0.insert(operation.results[0], bytes);
        }
        Opcode::PygNest | Opcode::PygKernel | Opcode::PygFused => launch(module, op, values)?,
        Opcode::PygWhile => run_loop(module, op, values)?,
        Opcode::PygSwitch => {
            let index = values.get(module, operation.operands[0])?;
            let index = i32::from_le_bytes(index.as_slice().try_into().unwrap_or([0xff; 4]));
            let last = operation.regions.len().saturating_sub(1);
            let branch = usize::try_from(index).ok().filter(|at| *at <= last).unwrap_or(last);
            let results = run_region(module, op, branch, Vec::new(), values)?;
            values.0.extend(operation.results.iter().copied().zip(results));
        }
        other => return Err(module.error(op, format!("`{}` is not evaluated at compile time", other.name())).into()),
    }
    Ok(())
}

impl Values {
    /// Says what a value holds.
    pub fn set(&mut self, value: ValueId, bytes: Bytes) {
        self.0.insert(value, bytes);
    }

    /// What a value holds; constants know it themselves.
    pub fn get(&self, module: &Module, value: ValueId) -> Result<Bytes, EvaluateError> {
        if let Some(bytes) = self.0.get(&value) {
            return Ok(bytes.clone());
        }
        match module.defining_op(value).and_then(|op| module.op(op).attr("value")) {
            Some(Attribute::Dense(elements)) => storage_of(module, value, elements),
            _ => Err(EvaluateError::Limit("a value is read that was not evaluated".into())),
        }
    }
}

fn size_of(module: &Module, value: ValueId) -> Result<usize, EvaluateError> {
    let size = size_bytes(module.ty(value));
    let size = size.filter(|size| *size <= VALUE_BYTES_MAX).and_then(|size| usize::try_from(size).ok());
    size.ok_or_else(|| EvaluateError::Limit("a value is too large to evaluate".into()))
}

/// The elements of a constant, each in its place.
fn storage_of(module: &Module, value: ValueId, elements: &DenseElements) -> Result<Bytes, EvaluateError> {
    let size = size_of(module, value)?;
    if !elements.is_splat && elements.bytes.len() == size {
        return Ok(Bytes::copy_of(&elements.bytes));
    }
    let mut bytes = Bytes::zeroed(size);
    let element = &elements.bytes[..];
    if element.is_empty() || !size.is_multiple_of(element.len()) {
        return Err(EvaluateError::Limit("a constant does not fit its type".into()));
    }
    bytes.as_mut_slice().chunks_exact_mut(element.len()).for_each(|place| place.copy_from_slice(element));
    Ok(bytes)
}

fn launch(module: &Module, op: OpId, values: &mut Values) -> Result<(), EvaluateError> {
    let mut buffers: Vec<ValueId> = Vec::new();
    let work = work_of(module, op, &mut |value| {
        let known = buffers.iter().position(|buffer| *buffer == value);
        let at = known.unwrap_or_else(|| {
            buffers.push(value);
            buffers.len() - 1
        });
        Ok(BufferId(at as u32))
    })?;
    let operation = module.op(op);
    // The results of a nest start as what its inits hold.
    let inits = match work {
        Work::Nest(_) => &operation.operands[operation.operands.len() - operation.results.len()..],
        Work::Kernel(_) | Work::Fused(_) => &[],
    };
    let (mut tensors, mut contents) = (Vec::new(), Vec::new());
    for value in &buffers {
        let tensor = tensor_of(module.ty(*value));
        tensors.push(tensor.ok_or_else(|| module.error(op, "a launch takes only tensors"))?);
        contents.push(match operation.results.iter().position(|result| result == value) {
            Some(at) if at < inits.len() => values.get(module, inits[at])?,
            Some(_) => Bytes::zeroed(size_of(module, *value)?),
            None => values.get(module, *value)?,
        });
    }
    let types: Vec<TensorType<'_>> =
        tensors.iter().map(|tensor| TensorType::dense(tensor.dtype, &tensor.shape)).collect();
    execute(&work, &types, &mut contents)?;
    let contents = buffers.into_iter().zip(contents);
    values.0.extend(contents.filter(|(value, _)| operation.results.contains(value)));
    Ok(())
}

fn run_loop(module: &Module, op: OpId, values: &mut Values) -> Result<(), EvaluateError> {
    let operation = module.op(op);
    let mut carried =
        operation.operands.iter().map(|value| values.get(module, *value)).collect::<Result<Vec<_>, _>>()?;
    for _ in 0..ITERATIONS_MAX {
        let predicate = run_region(module, op, 0, carried.clone(), values)?;
        if predicate.first().is_none_or(|bytes| bytes.as_slice().iter().all(|byte| *byte == 0)) {
            values.0.extend(operation.results.iter().copied().zip(carried));
            return Ok(());
        }
        carried = run_region(module, op, 1, carried, values)?;
    }
    Err(EvaluateError::Limit(format!("a loop ran more than {ITERATIONS_MAX} times")))
}

fn run_region(
    module: &Module,
    op: OpId,
    region: usize,
    arguments: Vec<Bytes>,
    values: &mut Values,
) -> Result<Vec<Bytes>, EvaluateError> {
    let block = module.region_block(op, region).ok_or_else(|| module.error(op, "a region is missing"))?;
    values.0.extend(module.block(block).arguments.iter().copied().zip(arguments));
    evaluate_block(module, block, values)
}
