//! `dynamic_slice`: a part of the first input, at an offset that the other inputs hold.
//!
//! Inputs: operand, then one integer scalar a dimension. Offsets are clamped so that the part fits.

use pygraph_artifact::dtype::DType;

use super::{
    call::{self, check_counts, check_index_type, check_ints, check_type, ints_attr},
    layout::{Patch, strides},
};
use crate::{
    cuda::{CudaDef, CudaOperand, CudaPlan, over_elements},
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
    cuda: CudaDef::light(concat!(include_str!("layout.cuh"), include_str!("dynamic_slice.cu")), plan),
};

/// A thread a word that both arrays hold in one piece.
fn plan(call: &CallType<'_>) -> CudaPlan {
    let (operand, output) = (call.inputs[0], call.outputs[0]);
    let unit = unit_elements(operand.dtype, together(operand, output.shape));
    let starts = (1..call.inputs.len()).map(CudaOperand::Input);
    let operands = [CudaOperand::Output(0), CudaOperand::Input(0)].into_iter().chain(starts).collect();
    let step = over_elements("slice", output.element_count() as u64 / unit, operands);
    CudaPlan { constants: vec![("UNIT", unit as i64)], steps: step.into_iter().collect(), ..CudaPlan::default() }
}

/// How many elements at a multiple of their number lie together in an array and in a part of these extents, wherever it starts.
pub(super) fn together(whole: TensorType<'_>, part: &[u64]) -> u64 {
    let strides = whole.strides();
    let (mut count, mut dimension) = (1, part.len());
    while let Some(inner) = dimension.checked_sub(1)
        && part[inner] == whole.shape[inner]
        && (whole.shape[inner] == 1 || strides[inner] as u64 == count)
    {
        count *= part[inner].max(1);
        dimension = inner;
    }
    // What lies further apart has to be at a multiple of that number.
    let apart = (0..dimension).filter(|dimension| whole.shape[*dimension] > 1);
    apart.fold(count, |count, dimension| common_divisor(count, strides[dimension] as u64))
}

/// The greatest common divisor of a number and another, which may be 0.
fn common_divisor(mut number: u64, mut other: u64) -> u64 {
    while other > 0 {
        (number, other) = (other, number % other);
    }
    number
}

/// Elements that a thread moves at once: as many as fit in 16 bytes and divide those that lie together.
pub(super) fn unit_elements(dtype: DType, together: u64) -> u64 {
    let most = 16 / dtype.size_bytes() as u64;
    [16, 8, 4, 2].into_iter().find(|unit| *unit <= most && together.is_multiple_of(*unit)).unwrap_or(1)
}

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
