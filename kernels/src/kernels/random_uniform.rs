//! `random_uniform`: numbers drawn evenly from `[low, high)`, the same in every run.
//!
//! Inputs: two scalars. What the operation it stands for draws is not specified; this is a fixed stream.

use half::{bf16, f16};
use pygraph_artifact::dtype::{DType, Family};

use super::{
    call::{check_counts, check_type, elements},
    random_bits::fixed_stream,
};
use crate::{
    cuda::{CudaDef, CudaPlan, all_operands, over_elements},
    manifest::{Call, CallType, InPlace, KernelDef, KernelError},
    scalar::real::Real,
    tensor::TensorMut,
};

/// The definition.
pub static KERNEL: KernelDef = KernelDef {
    name: "random_uniform",
    summary: "Draws numbers evenly from [first input, second input), the same in every run",
    attributes: &[],
    body_count: 0,
    in_place: InPlace::Never,
    strided: &[],
    takes_stages: false,
    check,
    reference,
    cuda: CudaDef { source: concat!(include_str!("three_fry.cuh"), include_str!("random_uniform.cu")), plan },
};

fn check(call: &CallType<'_>) -> Result<(), String> {
    check_counts(call, 2, 1)?;
    let dtype = call.outputs[0].dtype;
    if matches!(dtype.family(), Family::Complex | Family::MiniFloat) {
        return Err(format!("cannot draw {dtype} evenly"));
    }
    check_type("the lower bound", call.inputs[0], dtype, &[])?;
    check_type("the upper bound", call.inputs[1], dtype, &[])
}

/// A thread an element.
pub(super) fn plan(call: &CallType<'_>) -> CudaPlan {
    let step = over_elements("draw", call.outputs[0].element_count() as u64, all_operands(call));
    CudaPlan { steps: step.into_iter().collect(), ..CudaPlan::default() }
}

fn reference(call: &Call<'_>, outputs: &mut [TensorMut<'_>]) -> Result<(), KernelError> {
    let output = &mut outputs[0];
    macro_rules! floats {
        ($t:ty) => {
            draw(call, output, |low: $t, high: $t, bits| uniform(low, high, bits))
        };
    }
    macro_rules! integers {
        ($t:ty) => {
            draw(call, output, |low: $t, high: $t, bits| {
                let span = i128::from(high) - i128::from(low);
                let above = if span > 0 { i128::from(bits) % span } else { 0 };
                (i128::from(low) + above) as $t
            })
        };
    }
    match output.ty.dtype {
        DType::Bf16 => floats!(bf16),
        DType::F16 => floats!(f16),
        DType::F32 => floats!(f32),
        DType::F64 => floats!(f64),
        DType::I2 | DType::I4 | DType::I8 => integers!(i8),
        DType::I16 => integers!(i16),
        DType::I32 => integers!(i32),
        DType::I64 => integers!(i64),
        DType::U16 => integers!(u16),
        DType::U32 => integers!(u32),
        DType::U64 => integers!(u64),
        _ => integers!(u8),
    }
    Ok(())
}

fn uniform<T: Real>(low: T, high: T, bits: u64) -> T {
    let fraction = (bits >> 11) as f64 / (1u64 << 53) as f64;
    let (low, high) = (low.to_f64(), high.to_f64());
    let drawn = T::from_f64(low + (high - low) * fraction);
    // Rounding may reach the upper bound, which does not belong to the range.
    if drawn.to_f64() < high { drawn } else { T::from_f64(low) }
}

/// Fills the output by the two scalars and a random word each.
pub(super) fn draw<T: bytemuck::Pod>(call: &Call<'_>, output: &mut TensorMut<'_>, of: impl Fn(T, T, u64) -> T) {
    let (first, second) = (elements::<T>(&call.inputs[0])[0], elements::<T>(&call.inputs[1])[0]);
    let elements: &mut [T] = bytemuck::cast_slice_mut(output.bytes);
    elements.iter_mut().zip(0..).for_each(|(element, position)| *element = of(first, second, fixed_stream(position)));
}
