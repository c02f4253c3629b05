//! `dynamic_slice`: a part of the first input, at an offset that the other inputs hold.
//!
//! Inputs: operand, then one integer scalar a dimension. Offsets are clamped so that the part fits.

use super::{
    call::{self, check_counts, check_index_type, check_ints, check_type, ints_attr},
    layout::{Patch, strides},
};
use crate::{
    manifest::{Call, CallType, InPlace, KernelDef, KernelError},
    tensor::{TensorMut, TensorRef, TensorType},
};

/// The definition.
pub static KERNEL: KernelDef = KernelDef {
    name: "dynamic_slice",
    summary: "Copies a part whose offset is computed; offsets are clamped",
    attributes: &[ints_attr("sizes", "extents of the part, one a dimension")],
    body_count: 0,
    in_place: InPlace::Never,
    strided: &[],
    takes_stages: false,
    check,
    reference,
    cuda: None,
};

fn check(call: &CallType<'_>) -> Result<(), String> {
    let rank = call.inputs.first().map_or(0, |operand| operand.shape.len());
    check_counts(call, rank + 1, 1)?;
    let operand = call.inputs[0];
    let sizes = check_ints(call.attributes, "sizes", rank, 0..=i64::MAX)?;
    if let Some(dimension) = (0..rank).find(|dimension| sizes[*dimension] as u64 > operand.shape[*dimension]) {
        return Err(format!("sizes {sizes:?} exceed {:?} in dimension {dimension}", operand.shape));
    }
    check_offsets(call, 1)?;
    let shape: Vec<u64> = sizes.iter().map(|size| *size as u64).collect();
    check_type("the output", call.outputs[0], operand.dtype, &shape)
}

/// The inputs from `first` on are integer scalars.
pub(super) fn check_offsets(call: &CallType<'_>, first: usize) -> Result<(), String> {
    for (idx, input) in call.inputs.iter().enumerate().skip(first) {
        check_index_type(&format!("input {idx}"), input.dtype)?;
        check_type(&format!("input {idx}"), *input, input.dtype, &[])?;
    }
    Ok(())
}

/// The element at which a part starts, clamped so that it fits.
pub(super) fn clamped_offset(offsets: &[TensorRef<'_>], whole: TensorType<'_>, sizes: &[u64]) -> usize {
    let mut offset = 0;
    for (dimension, stride) in whole.strides().into_iter().enumerate() {
        let latest = (whole.shape[dimension] - sizes[dimension]) as i64;
        offset += call::index_values(&offsets[dimension])[0].clamp(0, latest) as usize * stride;
    }
    offset
}

fn reference(call: &Call<'_>, outputs: &mut [TensorMut<'_>]) -> Result<(), KernelError> {
    let (operand, output) = (&call.inputs[0], &mut outputs[0]);
    if output.bytes.is_empty() {
        return Ok(());
    }
    let offset = clamped_offset(&call.inputs[1..], operand.ty, output.ty.shape);
    let extents: Vec<usize> = output.ty.shape.iter().map(|extent| *extent as usize).collect();
    let (source, target) = (strides(operand.ty.shape), strides(output.ty.shape));
    Patch::new(operand.ty.dtype.size_bytes(), &extents, &source, &target).copy(operand.bytes, offset, output.bytes, 0);
    Ok(())
}
