//! The one entry point: checks a launch once, then runs it as often as wanted.

use std::sync::Arc;

use pygraph_artifact::{
    plan::{BufferId, KernelAttr, KernelCall, Work},
    scalar::ScalarBody,
};

use crate::{
    manifest::{self, AttrKind, Call, CallType, InPlace, KernelDef, KernelError},
    memory::{Buffer, Bytes},
    native::NativeCode,
    nest::{PreparedFused, PreparedNest},
    scalar::PreparedBody,
    tensor::{TensorMut, TensorRef, TensorType},
};

/// Work that was checked, ready to run.
#[derive(Debug)]
pub struct PreparedWork(Form);

#[derive(Debug)]
enum Form {
    Nest(Box<PreparedNest>),
    Kernel(PreparedCall),
    Fused(PreparedFused),
}

/// Checks work against the types of the program's buffers, by number, and says what does not fit.
///
/// Running what was prepared neither panics nor leaves a buffer, whatever the buffers hold.
pub fn prepare(work: &Work, buffers: &[TensorType<'_>]) -> Result<PreparedWork, String> {
    Ok(PreparedWork(match work {
        Work::Nest(nest) => Form::Nest(Box::new(PreparedNest::new(nest, buffers)?)),
        Work::Kernel(call) => Form::Kernel(PreparedCall::new(call, buffers)?),
        Work::Fused(fused) => Form::Fused(PreparedFused::new(fused, buffers)?),
    }))
}

impl PreparedWork {
    /// Computes its loop nests with these functions of `code`, where they have one.
    ///
    /// # Safety
    /// Each function computes, bit for bit, the nest that it is given for.
    pub unsafe fn use_native(&mut self, code: &Arc<NativeCode>, functions: &[Option<u32>]) {
        let nests: Vec<&mut PreparedNest> = match &mut self.0 {
            Form::Nest(nest) => vec![nest],
            Form::Kernel(_) => Vec::new(),
            Form::Fused(fused) => fused.nests_mut().collect(),
        };
        for (nest, function) in nests.into_iter().zip(functions) {
            nest.use_native(function.map(|number| code.function(number)));
        }
    }

    /// Runs it on the program's buffers, by number.
    ///
    /// Buffers may overlap where the plan allows it: a nest's output and input that walk the same elements in the
    /// same way, and what [`InPlace`] says of a kernel; nothing of fused nests. Any other overlap within the work is an error.
    pub fn run(&self, buffers: &[Buffer<'_>]) -> Result<(), KernelError> {
        match &self.0 {
            Form::Nest(nest) => nest.run(buffers),
            Form::Kernel(call) => call.run(buffers),
            Form::Fused(fused) => fused.run(buffers),
        }
    }
}

/// Prepares and runs work on buffers of its own: `contents[i]` has type `types[i]`. For callers that run it once.
pub fn execute(work: &Work, types: &[TensorType<'_>], contents: &mut [Bytes]) -> Result<(), ExecuteError> {
    let prepared = prepare(work, types).map_err(ExecuteError::Check)?;
    let buffers: Vec<Buffer<'_>> = contents.iter_mut().map(|bytes| Buffer::writable(bytes.as_mut_slice())).collect();
    Ok(prepared.run(&buffers)?)
}

/// Why [`execute`] failed.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// The work does not fit the buffers.
    #[error("{0}")]
    Check(String),
    /// The work fits, but failed.
    #[error(transparent)]
    Run(#[from] KernelError),
}

/// Type and extents that outlive the plan.
#[derive(Debug)]
struct OwnedType {
    dtype: pygraph_artifact::dtype::DType,
    shape: Vec<u64>,
    strides: Option<Vec<u64>>,
}

impl OwnedType {
    fn borrow(&self) -> TensorType<'_> {
        TensorType { dtype: self.dtype, shape: &self.shape, strides: self.strides.as_deref() }
    }
}

/// A kernel call that was checked.
#[derive(Debug)]
pub(crate) struct PreparedCall {
    kernel: &'static KernelDef,
    inputs: Vec<(usize, OwnedType)>,
    outputs: Vec<(usize, OwnedType)>,
    attributes: Vec<(String, KernelAttr)>,
    bodies: Vec<ScalarBody>,
}

impl PreparedCall {
    /// Checks a call against the types of the buffers that it names by number.
    pub(crate) fn new(call: &KernelCall, buffers: &[TensorType<'_>]) -> Result<PreparedCall, String> {
        let kernel =
            manifest::find(&call.kernel).ok_or_else(|| format!("there is no kernel named `{}`", call.kernel))?;
        let owned = |buffer: &BufferId| {
            let number = buffer.0 as usize;
            let ty =
                buffers.get(number).ok_or_else(|| format!("buffer {number} of {} does not exist", buffers.len()))?;
            ty.checked_size_bytes().ok_or_else(|| format!("buffer {number} of shape {:?} is too large", ty.shape))?;
            let strides = ty.strides.map(<[u64]>::to_vec);
            Ok((number, OwnedType { dtype: ty.dtype, shape: ty.shape.to_vec(), strides }))
        };
        let inputs: Vec<_> = call.inputs.iter().map(owned).collect::<Result<_, String>>()?;
        let outputs: Vec<_> = call.outputs.iter().map(owned).collect::<Result<_, String>>()?;
        if let Some(at) = (0..inputs.len()).find(|at| inputs[*at].1.strides.is_some() && !kernel.strided.contains(at)) {
            return Err(format!("{}: input {at} has strides, and should be dense", kernel.name));
        }
        // Between the elements of an array with strides lies something else, which a copy of the whole would touch.
        let moves = |at: usize, number: usize| {
            let from = match kernel.in_place {
                InPlace::Never => None,
                InPlace::First => inputs.first().filter(|_| at == 0),
                InPlace::Each => inputs.get(at),
            };
            from.is_none_or(|(from, _)| *from != number)
        };
        if let Some(number) =
            (0..outputs.len()).find(|at| outputs[*at].1.strides.is_some() && moves(*at, outputs[*at].0))
        {
            return Err(format!("{}: output {number} has strides, and does not lie where its input does", kernel.name));
        }
        check_attributes(kernel, &call.attributes)?;
        if call.bodies.len() != kernel.body_count {
            return Err(format!("{} takes {} bodies, not {}", kernel.name, kernel.body_count, call.bodies.len()));
        }
        for body in &call.bodies {
            let prepared = PreparedBody::new(body).map_err(|error| format!("{}: {error}", kernel.name))?;
            if prepared.index_dimensions().next().is_some() {
                return Err(format!("{}: its body reads a position, and has none", kernel.name));
            }
        }
        let input_types: Vec<_> = inputs.iter().map(|(_, ty)| ty.borrow()).collect();
        let output_types: Vec<_> = outputs.iter().map(|(_, ty)| ty.borrow()).collect();
        let call_type = CallType {
            inputs: &input_types,
            outputs: &output_types,
            attributes: &call.attributes,
            bodies: &call.bodies,
            in_place: &[],
        };
        (kernel.check)(&call_type).map_err(|error| format!("{}: {error}", kernel.name))?;
        let (attributes, bodies) = (call.attributes.clone(), call.bodies.clone());
        Ok(PreparedCall { kernel, inputs, outputs, attributes, bodies })
    }

    /// Runs it on these buffers.
    pub(crate) fn run(&self, buffers: &[Buffer<'_>]) -> Result<(), KernelError> {
        for (number, ty) in self.inputs.iter().chain(&self.outputs) {
            let (expected, found) = (ty.borrow().size_bytes(), buffers.get(*number).map(Buffer::size_bytes));
            if found != Some(expected) {
                return Err(KernelError::BufferSize { buffer: *number, expected, found: found.unwrap_or(0) });
            }
        }
        let in_place = self.overlaps(buffers)?;
        let copies = self.aligned_copies(buffers, &in_place);
        let inputs: Vec<TensorRef<'_>> = self
            .inputs
            .iter()
            .enumerate()
            .map(|(idx, (number, ty))| {
                let bytes = match &copies[idx] {
                    Some(copy) => copy.as_slice(),
                    None if in_place.contains(&idx) => &[],
                    // SAFETY: `overlaps` made sure that no output of the call overlaps this input.
                    None => unsafe { buffers[*number].as_slice() },
                };
                TensorRef { ty: ty.borrow(), bytes }
            })
            .collect();
        let mut bounced: Vec<(usize, Bytes)> = Vec::new();
        for (number, ty) in &self.outputs {
            if !is_aligned(&buffers[*number], ty) {
                bounced.push((*number, buffers[*number].to_bytes()));
            }
        }
        let mut bounce = bounced.iter_mut();
        let mut outputs: Vec<TensorMut<'_>> = Vec::new();
        for (number, ty) in &self.outputs {
            let bytes = if is_aligned(&buffers[*number], ty) {
                // SAFETY: `overlaps` made sure that it is writable and that nothing else of the call overlaps it.
                unsafe { buffers[*number].as_mut_slice() }
            } else {
                bounce.next().expect("an unaligned output should have its copy").1.as_mut_slice()
            };
            outputs.push(TensorMut { ty: ty.borrow(), bytes });
        }
        let call = Call { inputs: &inputs, attributes: &self.attributes, bodies: &self.bodies };
        let result = (self.kernel.reference)(&call, &mut outputs);
        for (number, bytes) in &bounced {
            buffers[*number].write_from(bytes.as_slice());
        }
        result
    }

    /// Refuses outputs that overlap anything else; gives the inputs that lie where their output does.
    fn overlaps(&self, buffers: &[Buffer<'_>]) -> Result<Vec<usize>, KernelError> {
        let mut in_place = Vec::new();
        for (idx, (output, _)) in self.outputs.iter().enumerate() {
            if !buffers[*output].is_writable() {
                return Err(KernelError::ReadOnly { buffer: *output });
            }
            let range = buffers[*output].addresses();
            let overlaps = |other: usize| {
                let other = buffers[other].addresses();
                range.start < other.end && other.start < range.end
            };
            if let Some((other, _)) = self.outputs[..idx].iter().find(|(other, _)| overlaps(*other)) {
                return Err(KernelError::Overlap { written: *output, other: *other });
            }
            for (input_idx, (input, _)) in self.inputs.iter().enumerate() {
                if !overlaps(*input) {
                    continue;
                }
                let may = match self.kernel.in_place {
                    InPlace::Never => false,
                    InPlace::First => input_idx == 0 && idx == 0,
                    InPlace::Each => input_idx == idx,
                };
                if !may || buffers[*input].addresses() != range {
                    return Err(KernelError::Overlap { written: *output, other: *input });
                }
                in_place.push(input_idx);
            }
        }
        Ok(in_place)
    }

    /// Copies of the inputs that are not aligned as references expect.
    fn aligned_copies(&self, buffers: &[Buffer<'_>], in_place: &[usize]) -> Vec<Option<Bytes>> {
        let copy = |(idx, (number, ty)): (usize, &(usize, OwnedType))| {
            let needed = !in_place.contains(&idx) && !is_aligned(&buffers[*number], ty);
            needed.then(|| buffers[*number].to_bytes())
        };
        self.inputs.iter().enumerate().map(copy).collect()
    }
}

/// One with strides is never copied, so its elements are enough to be aligned.
fn is_aligned(buffer: &Buffer<'_>, ty: &OwnedType) -> bool {
    let alignment = if ty.strides.is_some() { ty.dtype.size_bytes() } else { 16 };
    buffer.addresses().start.is_multiple_of(alignment)
}

fn check_attributes(kernel: &KernelDef, attributes: &[(String, KernelAttr)]) -> Result<(), String> {
    if !attributes.windows(2).all(|pair| pair[0].0 < pair[1].0) {
        return Err(format!("{}: its attributes are not sorted by name, each once", kernel.name));
    }
    for (name, value) in attributes {
        let Some(def) = kernel.attributes.iter().find(|def| def.name == name) else {
            return Err(format!("{} has no attribute `{name}`", kernel.name));
        };
        let kind = match value {
            KernelAttr::Bool(_) => AttrKind::Bool,
            KernelAttr::Int(_) => AttrKind::Int,
            KernelAttr::Ints(_) => AttrKind::Ints,
            KernelAttr::Float(_) => AttrKind::Float,
            KernelAttr::Text(_) => AttrKind::Text,
        };
        if kind != def.kind {
            return Err(format!("{}: attribute `{name}` is {kind:?}, not {:?}", kernel.name, def.kind));
        }
    }
    match kernel.attributes.iter().find(|def| !attributes.iter().any(|(name, _)| name == def.name)) {
        Some(missing) => Err(format!("{} lacks the attribute `{}`", kernel.name, missing.name)),
        None => Ok(()),
    }
}
