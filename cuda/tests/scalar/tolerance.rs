//! How far apart two elements are, and how far they may be.

use half::{bf16, f16};
use pygraph_artifact::{
    dtype::{DType, Family},
    scalar::{ScalarOp, Signature},
};

/// The most units in the last place between the results of an operation on `operand`.
pub fn units_max(op: ScalarOp, operand: DType) -> f64 {
    use ScalarOp::*;
    let is_exact =
        matches!(op.signature(), Signature::Predicate | Signature::Select | Signature::Convert | Signature::Bitcast)
            || matches!(op, Add | Sub | Mul | Div | Rem | Max | Min | NextAfter | Neg | Sign | Sqrt)
            || matches!(op, Floor | Ceil | RoundAway | RoundEven | ReducePrecision | Real | Imag | Complex)
            || (op == Abs && !operand.is_complex());
    if !(operand.is_float() || operand.is_complex())
        || (is_exact && !(operand.is_complex() && matches!(op, Sqrt | Sign)))
    {
        return 0.0;
    }
    match operand {
        DType::Bf16 | DType::F16 => 1.0,
        // Computed in f64 and rounded once, or by functions that are a few units off.
        DType::F32 => 4.0,
        DType::C64 => 1.0,
        // The quotient in it is near 1, and its logarithm is taken.
        DType::C128 if op == Atan2 => 4096.0,
        DType::C128 => 64.0,
        // Terms of both signs cancel at negative arguments; near its roots little is left of the logarithm.
        _ if op == Polygamma => 2f64.powi(26),
        _ if op == Lgamma => 512.0,
        _ if matches!(op, ErfInv | Digamma | Zeta | BesselI1e) => 64.0,
        _ => 4.0,
    }
}

/// False where the result hangs on the last digits of an intermediate one, however it is computed: angles and powers of complex
/// numbers that are very large or small.
pub fn is_settled(name: &str, operands: &[(DType, &[u8])]) -> bool {
    let is_moderate = |(dtype, bytes): &(DType, &[u8])| {
        let Some(part) = dtype.complex_part() else { return true };
        let parts = bytes.chunks_exact(part.size_bytes()).map(|bytes| number(part, bytes).abs());
        parts.into_iter().all(|part| part == 0.0 || !part.is_finite() || (1e-30..1e30).contains(&part))
    };
    !["pow", "atan2"].contains(&name) || operands.iter().all(is_moderate)
}

/// Units in the last place between two elements. NaN is like NaN, complex numbers are as far apart as their parts, measured
/// by the larger part; what is no float is the same or infinitely far.
pub fn difference(dtype: DType, found: &[u8], expected: &[u8]) -> f64 {
    if found == expected {
        return 0.0;
    }
    match dtype.family() {
        Family::Float => units(dtype, number(dtype, found), number(dtype, expected), number(dtype, expected).abs()),
        Family::Complex => {
            let part = dtype.complex_part().expect("a complex type should have parts");
            let parts = |bytes: &[u8]| {
                let (re, im) = bytes.split_at(part.size_bytes());
                [number(part, re), number(part, im)]
            };
            let (found, expected) = (parts(found), parts(expected));
            let scale = expected[0].abs().max(expected[1].abs());
            units(part, found[0], expected[0], scale).max(units(part, found[1], expected[1], scale))
        }
        _ => f64::INFINITY,
    }
}

fn units(dtype: DType, found: f64, expected: f64, scale: f64) -> f64 {
    if found.is_nan() || expected.is_nan() {
        return if found.is_nan() && expected.is_nan() { 0.0 } else { f64::INFINITY };
    }
    if found == expected {
        // Zeros of different signs are different results.
        return if found.is_sign_negative() == expected.is_sign_negative() { 0.0 } else { 0.5 };
    }
    // Beyond the largest number is one unit further.
    let (largest, mantissa_bits, exponent_min) = match dtype {
        DType::Bf16 => (f64::from(bf16::MAX), 7, -126),
        DType::F16 => (f64::from(f16::MAX), 10, -14),
        DType::F32 => (f64::from(f32::MAX), 23, -126),
        _ => (f64::MAX, 52, -1022),
    };
    let exponent = |value: f64| (value.clamp(f64::MIN_POSITIVE, largest).log2().floor() as i32).max(exponent_min);
    let scale = if scale.is_finite() { scale } else { largest };
    // In two steps: the power alone may be below what f64 holds.
    let unit = (2f64.powi(exponent(scale)) * 2f64.powi(-mantissa_bits)).max(f64::from_bits(1));
    let within = |value: f64| if value.is_infinite() { (largest + unit).copysign(value) } else { value };
    if found.is_infinite() && expected.is_infinite()
        || found.is_infinite() != expected.is_infinite() && dtype == DType::F64
    {
        return f64::INFINITY;
    }
    (within(found) - within(expected)).abs() / unit
}

/// An element, for messages.
pub fn element(dtype: DType, bytes: &[u8]) -> String {
    match dtype.family() {
        Family::Float => format!("{:?}", number(dtype, bytes)),
        Family::Complex => {
            let part = dtype.complex_part().expect("a complex type should have parts");
            let (re, im) = bytes.split_at(part.size_bytes());
            format!("{:?} + {:?}i", number(part, re), number(part, im))
        }
        _ => format!("0x{}", bytes.iter().rev().map(|byte| format!("{byte:02x}")).collect::<String>()),
    }
}

fn number(dtype: DType, bytes: &[u8]) -> f64 {
    let half = || u16::from_le_bytes([bytes[0], bytes[1]]);
    match dtype {
        DType::Bf16 => bf16::from_bits(half()).to_f64(),
        DType::F16 => f16::from_bits(half()).to_f64(),
        DType::F32 => f64::from(f32::from_le_bytes(bytes.try_into().expect("four bytes"))),
        _ => f64::from_le_bytes(bytes.try_into().expect("eight bytes")),
    }
}
