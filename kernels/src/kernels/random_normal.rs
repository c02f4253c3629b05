//! `random_normal`: normally distributed numbers, the same in every run.
//!
//! Inputs: two scalars, the mean and the standard deviation. What the operation it stands for draws is not specified;
//! this is a fixed stream.

use half::{bf16, f16};
use pygraph_artifact::dtype::DType;

use super::{
    call::{check_counts, check_type},
    random_uniform::{draw, plan as draw_plan},
};
use crate::{
    cuda::CudaDef,
    manifest::{Call, CallType, InPlace, KernelDef, KernelError},
    scalar::{erf_inv, real::Real},
    tensor::TensorMut,
};

/// The definition.
pub static KERNEL: KernelDef = KernelDef {
    name: "random_normal",
    summary: "Draws normally distributed numbers of a mean and a deviation, the same in every run",
    attributes: &[],
    body_count: 0,
    in_place: InPlace::Never,
    strided: &[],
    takes_stages: false,
    check,
    reference,
    cuda: CudaDef { source: concat!(include_str!("three_fry.cuh"), include_str!("random_normal.cu")), plan: draw_plan },
};

fn check(call: &CallType<'_>) -> Result<(), String> {
    check_counts(call, 2, 1)?;
    let dtype = call.outputs[0].dtype;
    if !dtype.is_float() {
        return Err(format!("cannot draw {dtype} normally"));
    }
    check_type("the mean", call.inputs[0], dtype, &[])?;
    check_type("the deviation", call.inputs[1], dtype, &[])
}

fn reference(call: &Call<'_>, outputs: &mut [TensorMut<'_>]) -> Result<(), KernelError> {
    let output = &mut outputs[0];
    match output.ty.dtype {
        DType::Bf16 => draw(call, output, normal::<bf16>),
        DType::F16 => draw(call, output, normal::<f16>),
        DType::F32 => draw(call, output, normal::<f32>),
        _ => draw(call, output, normal::<f64>),
    }
    Ok(())
}

/// The inverse of the distribution, at a point that is strictly inside (-1, 1).
fn normal<T: Real>(mean: T, deviation: T, bits: u64) -> T {
    let centred = ((bits >> 11) as f64 + 0.5) / (1u64 << 52) as f64 - 1.0;
    T::from_f64(mean.to_f64() + deviation.to_f64() * std::f64::consts::SQRT_2 * erf_inv(centred))
}
