//! What the assertion kernels share: walking two arrays, and saying where they differ.

use half::{bf16, f16};
use num_complex::Complex;
use pygraph_artifact::dtype::DType;

use super::call::{check_counts, check_type, elements};
use crate::{
    cuda::{CudaOperand, CudaPlan, over_elements},
    manifest::{Call, CallType, KernelError},
    scalar::real::Real,
    tensor::TensorRef,
};

/// Two inputs of one type, no outputs.
pub fn check(call: &CallType<'_>) -> Result<(), String> {
    check_counts(call, 2, 0)?;
    check_type("input 1", call.inputs[1], call.inputs[0].dtype, call.inputs[0].shape)
}

/// A thread an element, with the status to write to.
pub fn plan(call: &CallType<'_>) -> CudaPlan {
    let operands = vec![CudaOperand::Input(0), CudaOperand::Input(1), CudaOperand::Status];
    let step = over_elements("check", call.inputs[0].element_count() as u64, operands);
    CudaPlan { steps: step.into_iter().collect(), ..CudaPlan::default() }
}

/// How one float compares with another.
pub trait FloatRule {
    /// True if the difference is allowed.
    fn holds<T: Real>(&self, got: T, want: T) -> bool;
    /// What was asked for, after "is not" (`equal to`).
    fn relation(&self) -> String;
}

/// Units in the last place between two floats; none between a NaN or infinity and something else.
pub fn ulps<T: Real>(got: T, want: T) -> Option<u64> {
    let (a, b) = (got.to_f64(), want.to_f64());
    if a.is_nan() || b.is_nan() {
        return (a.is_nan() && b.is_nan()).then_some(0);
    }
    if a.is_infinite() || b.is_infinite() {
        return (a == b).then_some(0);
    }
    let sign = 1u64 << (T::MANTISSA_BITS + T::EXPONENT_BITS);
    let position = |value: T| {
        let magnitude = (value.to_bits64() & (sign - 1)) as i64;
        if value.to_bits64() & sign == 0 { magnitude } else { -magnitude }
    };
    Some(position(got).abs_diff(position(want)))
}

/// Fails at the first element that differs: integers must be equal, floats and parts of complex numbers hold the rule.
pub fn compare(call: &Call<'_>, rule: &impl FloatRule) -> Result<(), KernelError> {
    let (got, want) = (&call.inputs[0], &call.inputs[1]);
    macro_rules! exact {
        ($t:ty) => {
            first(elements::<$t>(got), elements::<$t>(want), |a, b| a == b)
                .map(|(at, a, b)| (at, a.to_string(), b.to_string()))
        };
    }
    macro_rules! float {
        ($t:ty) => {
            first(elements::<$t>(got), elements::<$t>(want), |a, b| rule.holds(a, b))
                .map(|(at, a, b)| (at, format!("{a:?}"), format!("{b:?}")))
        };
    }
    macro_rules! complex {
        ($t:ty) => {{
            let holds = |a: Complex<$t>, b: Complex<$t>| rule.holds(a.re, b.re) && rule.holds(a.im, b.im);
            first(elements::<Complex<$t>>(got), elements::<Complex<$t>>(want), holds)
                .map(|(at, a, b)| (at, format!("({:?}, {:?})", a.re, a.im), format!("({:?}, {:?})", b.re, b.im)))
        }};
    }
    let difference = match got.ty.dtype {
        DType::I1 | DType::U2 | DType::U4 | DType::U8 => exact!(u8),
        DType::I2 | DType::I4 | DType::I8 => exact!(i8),
        DType::I16 => exact!(i16),
        DType::I32 => exact!(i32),
        DType::I64 => exact!(i64),
        DType::U16 => exact!(u16),
        DType::U32 => exact!(u32),
        DType::U64 => exact!(u64),
        DType::Bf16 => float!(bf16),
        DType::F16 => float!(f16),
        DType::F32 => float!(f32),
        DType::F64 => float!(f64),
        DType::C64 => complex!(f32),
        DType::C128 => complex!(f64),
        // Small floats are compared by their patterns.
        _ => exact!(u8),
    };
    match difference {
        None => Ok(()),
        Some((at, a, b)) => {
            let index = position(at, got);
            Err(KernelError::Assertion { message: format!("at {index:?}, {a} is not {} {b}", rule.relation()) })
        }
    }
}

fn first<T: Copy>(got: &[T], want: &[T], holds: impl Fn(T, T) -> bool) -> Option<(usize, T, T)> {
    let mut pairs = got.iter().zip(want).enumerate();
    pairs.find(|(_, (a, b))| !holds(**a, **b)).map(|(at, (a, b))| (at, *a, *b))
}

fn position(mut at: usize, tensor: &TensorRef<'_>) -> Vec<usize> {
    let mut index = Vec::new();
    for extent in tensor.ty.shape.iter().rev() {
        index.push(at % *extent as usize);
        at /= *extent as usize;
    }
    index.reverse();
    index
}
