//! Element types in CUDA C++.

use pygraph_artifact::dtype::{DType, Family};

/// The C++ type of an element in memory and in registers.
///
/// Integers of two and four bits lie in eight, sign- or zero-extended.
pub fn name(dtype: DType) -> &'static str {
    match dtype {
        DType::I1 => "bool",
        DType::I2 | DType::I4 | DType::I8 => "i8",
        DType::I16 => "i16",
        DType::I32 => "i32",
        DType::I64 => "i64",
        DType::U2 | DType::U4 | DType::U8 => "u8",
        DType::U16 => "u16",
        DType::U32 => "u32",
        DType::U64 => "u64",
        DType::Bf16 => "bf16",
        DType::F16 => "f16",
        DType::F32 => "f32",
        DType::F64 => "f64",
        DType::C64 => "c64",
        DType::C128 => "c128",
        minifloat => minifloat.name(),
    }
}

/// True for integers that are narrower than their storage.
pub fn is_narrow(dtype: DType) -> bool {
    dtype.family() != Family::MiniFloat && dtype != DType::I1 && (dtype.bits() as usize) < 8 * dtype.size_bytes()
}

/// An expression for the element of these bytes, first byte lowest.
pub fn literal(dtype: DType, bits: u128) -> String {
    let type_name = name(dtype);
    match dtype.family() {
        Family::Bool => (if bits & 1 == 1 { "true" } else { "false" }).to_string(),
        Family::Signed | Family::Unsigned => {
            format!("{type_name}(0x{:x}ull)", bits & (u128::MAX >> (128 - 8 * dtype.size_bytes())))
        }
        Family::Float | Family::MiniFloat => format!("from_bits<{type_name}>(0x{:x}ull)", bits as u64),
        Family::Complex => {
            let part = dtype.complex_part().map_or(DType::F64, |part| part);
            let width = part.bits();
            let (re, im) = (bits & (u128::MAX >> (128 - width)), bits >> width);
            format!("{type_name}{{{}, {}}}", literal(part, re), literal(part, im & (u128::MAX >> (128 - width))))
        }
    }
}
