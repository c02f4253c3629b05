//! Literals: numbers as an element's storage.

use half::{bf16, f16};
use pygraph_artifact::dtype::{DType, Family};

use crate::ir::{Attribute, attribute::DenseElements};

/// The storage of a number, rounded to the type; first byte lowest.
pub fn encode(dtype: DType, number: f64) -> u128 {
    match dtype {
        DType::F64 => u128::from(number.to_bits()),
        DType::F32 => u128::from((number as f32).to_bits()),
        DType::F16 => u128::from(f16::from_f64(number).to_bits()),
        DType::Bf16 => u128::from(bf16::from_f64(number).to_bits()),
        DType::C64 => encode(DType::F32, number),
        DType::C128 => encode(DType::F64, number),
        DType::I1 => u128::from(number != 0.0),
        _ => match dtype.minifloat() {
            Some(format) => u128::from(format.encode(number)),
            None => truncate(dtype, number as i128 as u128),
        },
    }
}

/// The storage of an integer in an integer type: as many low bytes as it has.
fn truncate(dtype: DType, value: u128) -> u128 {
    let unused = 128 - 8 * dtype.size_bytes() as u32;
    (value << unused) >> unused
}

/// The storage of the one value that a constant holds everywhere, if it does.
pub fn splat_bits(elements: &DenseElements) -> Option<u128> {
    let dtype = elements.ty.element.dtype()?;
    let is_single = elements.is_splat || elements.ty.element_count() == Some(1);
    (is_single && elements.bytes.len() == dtype.size_bytes()).then(|| bits_of(&elements.bytes))
}

/// The storage of a literal that an attribute gives, if it has the type.
pub fn attribute_bits(attribute: &Attribute, dtype: DType) -> Option<u128> {
    match attribute {
        Attribute::Dense(elements) if elements.ty.element.dtype() == Some(dtype) => splat_bits(elements),
        Attribute::Bool(value) if dtype == DType::I1 => Some(u128::from(*value)),
        Attribute::Integer { value, ty } if ty.dtype() == Some(dtype) && dtype.family() != Family::Float => {
            Some(truncate(dtype, *value as u128))
        }
        Attribute::Float { bits, ty } if ty.dtype() == Some(dtype) => Some(encode(dtype, f64::from_bits(*bits))),
        _ => None,
    }
}

fn bits_of(bytes: &[u8]) -> u128 {
    let mut storage = [0; 16];
    storage[..bytes.len()].copy_from_slice(bytes);
    u128::from_le_bytes(storage)
}

/// The elements of a constant of `count` integers, in order.
pub fn integers(elements: &DenseElements, count: usize) -> Option<Vec<i64>> {
    if elements.ty.element_count() != Some(count as u64) {
        return None;
    }
    let dtype = elements.ty.element.dtype().filter(|dtype| dtype.is_integer())?;
    let unused = 128 - 8 * dtype.size_bytes() as u32;
    let number = |bytes: &[u8]| match dtype.family() {
        Family::Signed => ((bits_of(bytes) << unused) as i128 >> unused) as i64,
        _ => bits_of(bytes) as i64,
    };
    let numbers: Vec<i64> = elements.bytes.chunks_exact(dtype.size_bytes()).map(number).collect();
    match numbers[..] {
        [value] if elements.is_splat => Some(vec![value; count]),
        _ => (numbers.len() == count).then_some(numbers),
    }
}
