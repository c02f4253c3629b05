//! `dynamic_update_slice`: the first input with a part replaced, at an offset that further inputs hold.
//!
//! Inputs: operand, update, then one integer scalar a dimension. Offsets are clamped so that the update fits.
//! Where the operand lies in the output already, only the update is written.

use super::{
    call::check_type,
    dynamic_slice::{check_offsets, clamped_offset, together, unit_elements},
    layout::Patch,
};
use crate::{
    cuda::{CudaDef, CudaOperand, CudaPlan, over_elements},
    manifest::{Call, CallType, InPlace, KernelDef, KernelError},
    tensor::TensorMut,
};

/// The definition.
pub static KERNEL: KernelDef = KernelDef {
    name: "dynamic_update_slice",
    summary: "Replaces a part whose offset is computed; offsets are clamped",
    attributes: &[],
    body_count: 0,
    in_place: InPlace::First,
    strided: &[0],
    takes_stages: false,
    check,
    reference,
    cuda: CudaDef::light(concat!(include_str!("layout.cuh"), include_str!("dynamic_update_slice.cu")), plan),
};

/// A thread a word that all arrays hold in one piece.
fn plan(call: &CallType<'_>) -> CudaPlan {
    let (operand, update, output) = (call.inputs[0], call.inputs[1], call.outputs[0]);
    let [of_operand, of_output] = [operand, output].map(|ty| unit_elements(ty.dtype, together(ty, update.shape)));
    let unit = of_operand.min(of_output);
    let starts = (2..call.inputs.len()).map(CudaOperand::Input);
    let operands = [CudaOperand::Output(0), CudaOperand::Input(0), CudaOperand::Input(1)];
    let operands = operands.into_iter().chain(starts).collect();
    let written = if call.in_place[0] { update } else { output };
    let step = over_elements("update", written.element_count() as u64 / unit, operands);
    CudaPlan { constants: vec![("UNIT", unit as i64)], steps: step.into_iter().collect(), ..CudaPlan::default() }
}

fn check(call: &CallType<'_>) -> Result<(), String> {
    let rank = call.inputs.first().map_or(0, |operand| operand.shape.len());
    super::call::check_counts(call, rank + 2, 1)?;
    let (operand, update) = (call.inputs[0], call.inputs[1]);
    let fits = update.shape.len() == rank && update.shape.iter().zip(operand.shape).all(|(part, whole)| part <= whole);
    if !fits || update.dtype != operand.dtype {
        return Err(format!(
            "an update of {:?} of {} does not fit in {:?} of {}",
            update.shape, update.dtype, operand.shape, operand.dtype
        ));
    }
    check_offsets(call, 2)?;
    check_type("the output", call.outputs[0], operand.dtype, operand.shape)
}

fn reference(call: &Call<'_>, outputs: &mut [TensorMut<'_>]) -> Result<(), KernelError> {
    let (operand, update, output) = (&call.inputs[0], &call.inputs[1], &mut outputs[0]);
    if !operand.bytes.is_empty() {
        output.bytes.copy_from_slice(operand.bytes);
    }
    if update.bytes.is_empty() {
        return Ok(());
    }
    let offset = clamped_offset(&call.inputs[2..], output.ty, update.ty.shape);
    let extents: Vec<usize> = update.ty.shape.iter().map(|extent| *extent as usize).collect();
    let (source, target) = (update.ty.strides(), output.ty.strides());
    Patch::new(update.ty.dtype.size_bytes(), &extents, &source, &target).copy(update.bytes, 0, output.bytes, offset);
    Ok(())
}
