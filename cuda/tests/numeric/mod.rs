//! Calls of kernels, and how far apart arrays are.

mod checks;
mod linear;
mod random;

use half::{bf16, f16};
use pygraph_artifact::{
    dtype::{DType, Family},
    plan::{BufferId, KernelAttr, KernelCall, Work},
};

pub use self::{checks::check_cases, linear::linear_cases, random::random_cases};
use crate::support::Case;

/// Type, extents and bytes of an array.
type Array = (DType, Vec<u64>, Vec<u8>);

/// A call of a kernel. Attributes are sorted by name.
fn call(
    name: String,
    kernel: &str,
    inputs: Vec<Array>,
    outputs: Vec<Array>,
    attributes: Vec<(&str, KernelAttr)>,
) -> Case {
    let numbers = |from: usize, count: usize| (from..from + count).map(|number| BufferId(number as u32)).collect();
    let call = KernelCall {
        kernel: kernel.to_string(),
        inputs: numbers(0, inputs.len()),
        outputs: numbers(inputs.len(), outputs.len()),
        attributes: attributes.into_iter().map(|(name, value)| (name.to_string(), value)).collect(),
        bodies: Vec::new(),
    };
    Case { shift: 0, name, work: Work::Kernel(call), arrays: inputs.into_iter().chain(outputs).collect() }
}

/// An array of bytes that a kernel should write over.
fn unwritten(dtype: DType, shape: &[u64]) -> Array {
    let count: u64 = shape.iter().product();
    (dtype, shape.to_vec(), vec![0xa5; count as usize * dtype.size_bytes()])
}

fn text(value: &str) -> KernelAttr {
    KernelAttr::Text(value.to_string())
}

/// The bytes of a number as an element; a complex one has it as both parts.
fn element(dtype: DType, value: f64) -> Vec<u8> {
    match dtype {
        DType::Bf16 => bf16::from_f64(value).to_le_bytes().to_vec(),
        DType::F16 => f16::from_f64(value).to_le_bytes().to_vec(),
        DType::F32 => (value as f32).to_le_bytes().to_vec(),
        DType::F64 => value.to_le_bytes().to_vec(),
        DType::C64 | DType::C128 => {
            let part = dtype.complex_part().expect("a complex type should have parts");
            [element(part, value), element(part, value)].concat()
        }
        _ => (value as i64 as u64).to_le_bytes()[..dtype.size_bytes()].to_vec(),
    }
}

/// The parts of an element as numbers.
fn numbers(dtype: DType, bytes: &[u8]) -> Vec<f64> {
    let part = dtype.complex_part().unwrap_or(dtype);
    let number = |bytes: &[u8]| match part {
        DType::Bf16 => bf16::from_le_bytes([bytes[0], bytes[1]]).to_f64(),
        DType::F16 => f16::from_le_bytes([bytes[0], bytes[1]]).to_f64(),
        DType::F32 => f64::from(f32::from_le_bytes(bytes.try_into().expect("four bytes"))),
        _ => f64::from_le_bytes(bytes.try_into().expect("eight bytes")),
    };
    bytes.chunks_exact(part.size_bytes()).map(number).collect()
}

/// The largest difference between two arrays, by the largest number of the second; infinite between a number and what is none.
pub fn distance(dtype: DType, found: &[u8], expected: &[u8]) -> f64 {
    if found == expected {
        return 0.0;
    }
    if !matches!(dtype.family(), Family::Float | Family::Complex) {
        return f64::INFINITY;
    }
    let (found, expected) = (numbers(dtype, found), numbers(dtype, expected));
    let largest =
        expected.iter().filter(|value| value.is_finite()).fold(f64::MIN_POSITIVE, |most, value| most.max(value.abs()));
    let apart = |(found, expected): (&f64, &f64)| match (found.is_nan(), expected.is_nan()) {
        (true, true) => 0.0,
        (false, false) if found == expected => 0.0,
        (false, false) => (found - expected).abs() / largest,
        _ => f64::INFINITY,
    };
    found.iter().zip(&expected).map(apart).fold(0.0, f64::max)
}

/// The last digit of 1 in the type of a case's last array.
pub fn unit(case: &Case) -> f64 {
    let dtype = case.arrays[case.arrays.len() - 1].0;
    match dtype.complex_part().unwrap_or(dtype) {
        DType::Bf16 => 2f64.powi(-7),
        DType::F16 => 2f64.powi(-10),
        DType::F32 => f64::from(f32::EPSILON),
        DType::F64 => f64::EPSILON,
        _ => 0.0,
    }
}

/// Where an element lies.
pub fn position(element: u64, shape: &[u64]) -> Vec<u64> {
    let mut rest = element;
    let mut position: Vec<u64> = (shape.iter().rev())
        .map(|extent| {
            let at = rest % extent;
            rest /= extent;
            at
        })
        .collect();
    position.reverse();
    position
}

/// Numbers in (-1, 1), the same in every run.
fn noise(seed: u64, at: u64) -> f64 {
    let mixed = (seed.wrapping_mul(0x9E37_79B9) ^ at).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((mixed >> 11) as f64 + 0.5) / (1u64 << 52) as f64 - 1.0
}
