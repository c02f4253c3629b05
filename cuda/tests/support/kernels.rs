//! Calls of kernels of the manifest as cases, and comparison of what they give.

use half::{bf16, f16};
use pygraph_artifact::{
    dtype::{DType, Family},
    plan::{BufferId, KernelAttr, KernelCall, Work},
    scalar::ScalarBody,
};

use super::{Case, emulated};

/// An array: its type, extents and bytes.
pub type Array = (DType, Vec<u64>, Vec<u8>);

/// The little-endian bytes of a number in a type.
pub fn element(dtype: DType, value: f64) -> Vec<u8> {
    let complex = |part: DType| [element(part, value), element(part, value * 0.5 - 1.0)].concat();
    match dtype {
        DType::Bf16 => bf16::from_f64(value).to_le_bytes().to_vec(),
        DType::F16 => f16::from_f64(value).to_le_bytes().to_vec(),
        DType::F32 => (value as f32).to_le_bytes().to_vec(),
        DType::F64 => value.to_le_bytes().to_vec(),
        DType::C64 => complex(DType::F32),
        DType::C128 => complex(DType::F64),
        DType::I1 => vec![u8::from(value != 0.0)],
        DType::I2 | DType::U2 => vec![(value as i64 & 1) as u8],
        DType::I4 | DType::U4 => vec![(value as i64 & 7) as u8],
        _ => (value as i64).to_le_bytes()[..dtype.size_bytes()].to_vec(),
    }
}

/// An array of these numbers.
pub fn array(dtype: DType, shape: &[u64], values: impl IntoIterator<Item = f64>) -> Array {
    let bytes: Vec<u8> = values.into_iter().flat_map(|value| element(dtype, value)).collect();
    assert_eq!(bytes.len() as u64, shape.iter().product::<u64>() * dtype.size_bytes() as u64);
    (dtype, shape.to_vec(), bytes)
}

/// Numbers in -1 to 1, or integers from -100 to 100; the same for the same seed.
pub fn random(dtype: DType, shape: &[u64], seed: u64) -> Array {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1);
    let values = (0..shape.iter().product::<u64>()).map(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let unit = (state >> 40) as f64 / f64::from(1 << 23) - 1.0;
        match dtype.family() {
            Family::Bool => f64::from(u8::from(unit > 0.0)),
            Family::Signed => (unit * 100.0).trunc(),
            Family::Unsigned => (unit.abs() * 100.0).trunc(),
            _ => unit,
        }
    });
    array(dtype, shape, values)
}

/// An array that a kernel writes; what it held before is no zero.
pub fn output(dtype: DType, shape: &[u64]) -> Array {
    let bytes = shape.iter().product::<u64>() as usize * dtype.size_bytes();
    (dtype, shape.to_vec(), vec![if dtype == DType::I1 { 1 } else { 0x2b }; bytes])
}

/// A list of integers as an attribute.
pub fn ints(values: &[i64]) -> KernelAttr {
    KernelAttr::Ints(values.to_vec())
}

/// A call of a kernel.
pub fn call(
    name: &str,
    kernel: &str,
    attributes: &[(&str, KernelAttr)],
    bodies: &[ScalarBody],
    inputs: Vec<Array>,
    outputs: Vec<Array>,
) -> Case {
    let count = inputs.len() as u32;
    let mut attributes: Vec<(String, KernelAttr)> =
        attributes.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
    attributes.sort_by(|a, b| a.0.cmp(&b.0));
    let work = Work::Kernel(KernelCall {
        kernel: kernel.to_string(),
        inputs: (0..count).map(BufferId).collect(),
        outputs: (count..count + outputs.len() as u32).map(BufferId).collect(),
        attributes,
        bodies: bodies.to_vec(),
    });
    Case { shift: 0, name: name.to_string(), work, arrays: inputs.into_iter().chain(outputs).collect() }
}

/// Every part of every element as a number.
fn numbers(dtype: DType, bytes: &[u8]) -> Vec<f64> {
    let of = |read: &dyn Fn(&[u8]) -> f64, size: usize| bytes.chunks_exact(size).map(read).collect();
    match dtype {
        DType::Bf16 => of(&|b| bf16::from_le_bytes([b[0], b[1]]).to_f64(), 2),
        DType::F16 => of(&|b| f16::from_le_bytes([b[0], b[1]]).to_f64(), 2),
        DType::F32 | DType::C64 => of(&|b| f32::from_le_bytes(b.try_into().expect("a chunk has its size")).into(), 4),
        DType::F64 | DType::C128 => of(&|b| f64::from_le_bytes(b.try_into().expect("a chunk has its size")), 8),
        _ => of(&|b| b.iter().rev().fold(0.0, |sum, byte| sum * 256.0 + f64::from(*byte)), dtype.size_bytes()),
    }
}

/// Runs all cases in the emulator. Integers must be equal to the reference's; floats within `tolerance` of the larger of 1 and them.
pub fn check(cases: &[Case], tolerance: f64) {
    let folder = tempfile::tempdir().expect("a temporary folder should be made");
    for (case, got) in cases.iter().zip(emulated(cases, folder.path())) {
        let want = case.expected();
        for (number, (dtype, shape, _)) in case.arrays.iter().enumerate() {
            let (got, want) = (numbers(*dtype, &got[number]), numbers(*dtype, &want[number]));
            let exact = !dtype.is_float() && !dtype.is_complex();
            for (at, (got, want)) in got.iter().zip(&want).enumerate() {
                let same = got == want || (got.is_nan() && want.is_nan());
                let near = !exact && (got - want).abs() <= tolerance * want.abs().max(1.0);
                let negative_zero = *want == 0.0 && !exact && got.is_sign_negative() != want.is_sign_negative();
                assert!(
                    (same && !(negative_zero && tolerance == 0.0)) || near,
                    "{}: array {number} of {shape:?} of {dtype}, element {at}: {got:?} is not {want:?}",
                    case.name
                );
            }
        }
    }
}
