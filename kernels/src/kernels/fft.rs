//! `fft`: discrete Fourier transforms over the last dimensions, in double precision.

use num_complex::Complex;
use pygraph_artifact::dtype::DType;
use rustfft::{FftDirection, FftPlanner};

use super::{
    call::{check_counts, check_ints, check_type, ints, ints_attr, text},
    fft_cuda,
    linear::{load, store},
};
use crate::{
    cuda::CudaDef,
    manifest::{AttrDef, AttrKind, Call, CallType, InPlace, KernelDef, KernelError},
    tensor::{TensorMut, TensorType},
};

/// The definition.
pub static KERNEL: KernelDef = KernelDef {
    name: "fft",
    summary: "Transforms the last dimensions between space and frequency",
    attributes: &[
        ints_attr("length", "extents of the transformed dimensions, on the real side for rfft and irfft"),
        AttrDef { name: "type", kind: AttrKind::Text, doc: "`fft`, `ifft`, `rfft` or `irfft`" },
    ],
    body_count: 0,
    in_place: InPlace::Never,
    strided: &[],
    takes_stages: false,
    check,
    reference,
    cuda: CudaDef::new(include_str!("fft.cu"), fft_cuda::plan),
};

fn check(call: &CallType<'_>) -> Result<(), String> {
    check_counts(call, 1, 1)?;
    let (input, output) = (call.inputs[0], call.outputs[0]);
    let length = check_ints(call.attributes, "length", ints(call.attributes, "length").len(), 0..=i64::MAX)?;
    let complex_of = |dtype: DType| if dtype == DType::F64 { DType::C128 } else { DType::C64 };
    let (real, complex, is_inverse): (Option<TensorType<'_>>, TensorType<'_>, bool) =
        match text(call.attributes, "type") {
            "fft" => (None, input, false),
            "ifft" => (None, input, true),
            "rfft" => (Some(input), output, false),
            "irfft" => (Some(output), input, true),
            other => return Err(format!("there is no transform `{other}`, only fft, ifft, rfft and irfft")),
        };
    let Some(split) = input.shape.len().checked_sub(length.len()).filter(|_| !length.is_empty()) else {
        return Err(format!("cannot transform {} of {} dimensions", length.len(), input.shape.len()));
    };
    let length: Vec<u64> = length.iter().map(|extent| *extent as u64).collect();
    let mut full = input.shape[..split].to_vec();
    full.extend(&length);
    match real {
        None if complex.dtype.is_complex() => {
            check_type("the input", input, complex.dtype, &full)?;
            check_type("the output", output, complex.dtype, &full)
        }
        Some(real) if matches!(real.dtype, DType::F32 | DType::F64) => {
            let mut halved = full.clone();
            if let Some(last) = halved.last_mut()
                && *last > 0
            {
                *last = *last / 2 + 1;
            }
            let names = if is_inverse { ["the output", "the input"] } else { ["the input", "the output"] };
            check_type(names[0], real, real.dtype, &full)?;
            check_type(names[1], complex, complex_of(real.dtype), &halved)
        }
        _ => Err(format!("cannot transform {} to {}", input.dtype, output.dtype)),
    }
}

fn reference(call: &Call<'_>, outputs: &mut [TensorMut<'_>]) -> Result<(), KernelError> {
    let (input, output) = (&call.inputs[0], &mut outputs[0]);
    if output.bytes.is_empty() || input.bytes.is_empty() {
        output.bytes.fill(0);
        return Ok(());
    }
    let kind = text(call.attributes, "type");
    let length: Vec<usize> = ints(call.attributes, "length").iter().map(|extent| *extent as usize).collect();
    let values = load::<Complex<f64>>(input);
    let last = length[length.len() - 1];
    let halved = last / 2 + 1;
    let direction = if kind.starts_with('i') { FftDirection::Inverse } else { FftDirection::Forward };
    match kind {
        "rfft" => {
            let mut all = values;
            transform(&mut all, &length, length.len(), direction);
            let kept: Vec<_> = all.chunks_exact(last).flat_map(|line| &line[..halved]).copied().collect();
            store(&kept, output);
        }
        "irfft" => {
            // The other dimensions first: they are whole, and the last one's symmetry holds for what they leave.
            let mut extents = length.clone();
            extents[length.len() - 1] = halved;
            let mut half = values;
            transform(&mut half, &extents, length.len() - 1, direction);
            let mut all: Vec<Complex<f64>> = half.chunks_exact(halved).flat_map(|line| mirrored(line, last)).collect();
            transform(&mut all, &[last], 1, direction);
            scale(&mut all, &length);
            store(&all, output);
        }
        _ => {
            let mut all = values;
            transform(&mut all, &length, length.len(), direction);
            if direction == FftDirection::Inverse {
                scale(&mut all, &length);
            }
            store(&all, output);
        }
    }
    Ok(())
}

fn scale(values: &mut [Complex<f64>], length: &[usize]) {
    let count: usize = length.iter().product();
    values.iter_mut().for_each(|value| *value /= count as f64);
}

/// The whole spectrum of a real line, of which half is given. What must be real is taken to be.
fn mirrored(half: &[Complex<f64>], length: usize) -> Vec<Complex<f64>> {
    let at = |idx: usize| {
        let value = if idx < half.len() { half[idx] } else { half[length - idx].conj() };
        if idx == 0 || 2 * idx == length { Complex::new(value.re, 0.0) } else { value }
    };
    (0..length).map(at).collect()
}

/// Transforms the first `count` of these innermost dimensions.
fn transform(values: &mut [Complex<f64>], extents: &[usize], count: usize, direction: FftDirection) {
    let mut planner = FftPlanner::new();
    for dimension in 0..count {
        let length = extents[dimension];
        let stride: usize = extents[dimension + 1..].iter().product();
        let plan = planner.plan_fft(length, direction);
        let mut line = vec![Complex::new(0.0, 0.0); length];
        for block in values.chunks_exact_mut(length * stride) {
            for start in 0..stride {
                line.iter_mut().enumerate().for_each(|(idx, value)| *value = block[start + idx * stride]);
                plan.process(&mut line);
                line.iter().enumerate().for_each(|(idx, value)| block[start + idx * stride] = *value);
            }
        }
    }
}
