//! From an operation and its types to the function that computes it on lanes.

use bytemuck::Pod;
use half::{bf16, f16};
use num_complex::Complex;
use pygraph_artifact::{
    dtype::{DType, Family},
    scalar::{ScalarOp, Signature},
};

pub(crate) use super::bits::Narrow;
use super::{
    LaneFn, binary, bits,
    complex::{ComplexElement, complex},
    convert::convert,
    functions,
    integer::{Integer, integer},
    real::{Arith, Real},
    unary,
};

/// The function of an operation that the scalar language accepts, and what narrow integers still need.
pub(super) fn resolve(op: ScalarOp, operands: &[DType], result: DType) -> Option<(LaneFn, Narrow)> {
    let value = *operands.last()?;
    match op {
        ScalarOp::Convert => {
            let is_float = value.is_float() || value.is_complex();
            let narrow = if is_float { Narrow::saturate(result) } else { Narrow::wrap(result) };
            return Some((convert(value, result)?, narrow));
        }
        ScalarOp::Bitcast => return Some((bits::copy(value.size_bytes()), Narrow::wrap(result))),
        ScalarOp::Select => return Some((bits::select(value.size_bytes()), Narrow::Whole)),
        ScalarOp::Abs if value.family() == Family::Unsigned => {
            return Some((bits::copy(value.size_bytes()), Narrow::Whole));
        }
        _ => {}
    }
    if op.signature() == Signature::Predicate {
        return Some((compare(op, value)?, Narrow::Whole));
    }
    let function = match value {
        DType::I1 => bits::boolean(op),
        DType::I2 | DType::I4 | DType::I8 => integer::<i8>(op, value.bits()),
        DType::U2 | DType::U4 | DType::U8 => integer::<u8>(op, value.bits()),
        DType::I16 => integer::<i16>(op, 16),
        DType::I32 => integer::<i32>(op, 32),
        DType::I64 => integer::<i64>(op, 64),
        DType::U16 => integer::<u16>(op, 16),
        DType::U32 => integer::<u32>(op, 32),
        DType::U64 => integer::<u64>(op, 64),
        DType::Bf16 => float::<bf16>(op),
        DType::F16 => float::<f16>(op),
        DType::F32 => combine::<f32>(op).or_else(|| float::<f32>(op)),
        DType::F64 => combine::<f64>(op).or_else(|| float::<f64>(op)),
        DType::C64 => complex::<Complex<f32>>(op),
        DType::C128 => complex::<Complex<f64>>(op),
        // Small floats are stored and converted, never computed in.
        _ => return None,
    };
    Some((function?, Narrow::wrap(result)))
}

fn compare(op: ScalarOp, dtype: DType) -> Option<LaneFn> {
    match dtype {
        DType::I1 | DType::U2 | DType::U4 | DType::U8 => compare_integers::<u8>(op),
        DType::I2 | DType::I4 | DType::I8 => compare_integers::<i8>(op),
        DType::I16 => compare_integers::<i16>(op),
        DType::I32 => compare_integers::<i32>(op),
        DType::I64 => compare_integers::<i64>(op),
        DType::U16 => compare_integers::<u16>(op),
        DType::U32 => compare_integers::<u32>(op),
        DType::U64 => compare_integers::<u64>(op),
        DType::Bf16 => compare_reals::<bf16>(op),
        DType::F16 => compare_reals::<f16>(op),
        DType::F32 => compare_reals::<f32>(op),
        DType::F64 => compare_reals::<f64>(op),
        DType::C64 => compare_complex::<Complex<f32>>(op),
        DType::C128 => compare_complex::<Complex<f64>>(op),
        _ => None,
    }
}

macro_rules! comparisons {
    ($op:expr, $t:ty, $key:expr, $eq:ident $ne:ident $lt:ident $le:ident $gt:ident $ge:ident) => {
        match $op {
            ScalarOp::$eq => Some(|operands, out| binary(operands, out, |a: $t, b: $t| u8::from($key(a) == $key(b)))),
            ScalarOp::$ne => Some(|operands, out| binary(operands, out, |a: $t, b: $t| u8::from($key(a) != $key(b)))),
            ScalarOp::$lt => Some(|operands, out| binary(operands, out, |a: $t, b: $t| u8::from($key(a) < $key(b)))),
            ScalarOp::$le => Some(|operands, out| binary(operands, out, |a: $t, b: $t| u8::from($key(a) <= $key(b)))),
            ScalarOp::$gt => Some(|operands, out| binary(operands, out, |a: $t, b: $t| u8::from($key(a) > $key(b)))),
            ScalarOp::$ge => Some(|operands, out| binary(operands, out, |a: $t, b: $t| u8::from($key(a) >= $key(b)))),
            _ => None,
        }
    };
}

fn compare_integers<T: Integer>(op: ScalarOp) -> Option<LaneFn> {
    comparisons!(op, T, |x: T| x, Eq Ne Lt Le Gt Ge)
}

fn compare_reals<T: Real>(op: ScalarOp) -> Option<LaneFn> {
    if op == ScalarOp::IsFinite {
        return Some(|operands, out| unary(operands, out, |x: T| u8::from(x.to_f64().is_finite())));
    }
    let plain: Option<LaneFn> = comparisons!(op, T, |x: T| x.up(), Eq Ne Lt Le Gt Ge);
    plain.or(comparisons!(op, T, |x: T| x.total_key(), EqTotal NeTotal LtTotal LeTotal GtTotal GeTotal))
}

fn compare_complex<T: ComplexElement>(op: ScalarOp) -> Option<LaneFn> {
    comparisons!(op, T, |x: T| x.parts(), Eq Ne Lt Le Gt Ge)
}

/// The one operation from parts to complex numbers.
fn combine<T: Real>(op: ScalarOp) -> Option<LaneFn>
where
    Complex<T>: Pod,
{
    (op == ScalarOp::Complex).then_some(|operands, out| binary(operands, out, |re: T, im: T| Complex { re, im }))
}

/// Operations on floats: arithmetic rounds once from `T::Arith`, the others once from `f64`.
fn float<T: Real>(op: ScalarOp) -> Option<LaneFn> {
    macro_rules! in_arith {
        (|$a:ident| $value:expr) => {
            |operands, out| {
                unary(operands, out, |x: T| {
                    let $a = x.up();
                    T::down($value)
                })
            }
        };
        (|$a:ident, $b:ident| $value:expr) => {
            |operands, out| {
                binary(operands, out, |x: T, y: T| {
                    let ($a, $b) = (x.up(), y.up());
                    T::down($value)
                })
            }
        };
    }
    Some(match op {
        ScalarOp::Add => in_arith!(|a, b| a + b),
        ScalarOp::Sub => in_arith!(|a, b| a - b),
        ScalarOp::Mul => in_arith!(|a, b| a * b),
        ScalarOp::Div => in_arith!(|a, b| a / b),
        ScalarOp::Rem => in_arith!(|a, b| a.remainder(b)),
        ScalarOp::Max => in_arith!(|a, b| a.maximum(b)),
        ScalarOp::Min => in_arith!(|a, b| a.minimum(b)),
        ScalarOp::Neg => in_arith!(|a| -a),
        ScalarOp::Abs => in_arith!(|a| a.magnitude()),
        ScalarOp::Sign => in_arith!(|a| a.sign()),
        ScalarOp::Floor => in_arith!(|a| a.round_down()),
        ScalarOp::Ceil => in_arith!(|a| a.round_up()),
        ScalarOp::RoundAway => in_arith!(|a| a.round_away()),
        ScalarOp::RoundEven => in_arith!(|a| a.round_even()),
        ScalarOp::Sqrt => in_arith!(|a| a.square_root()),
        ScalarOp::NextAfter => |operands, out| binary(operands, out, next_after::<T>),
        ScalarOp::ReducePrecision => bits::reduce_precision::<T>,
        _ => return functions::in_f64::<T>(op),
    })
}

fn next_after<T: Real>(from: T, towards: T) -> T {
    let (a, b) = (from.to_f64(), towards.to_f64());
    if a.is_nan() {
        return from;
    }
    if b.is_nan() || a == b {
        return towards;
    }
    let bits = from.to_bits64();
    let sign = 1 << (T::MANTISSA_BITS + T::EXPONENT_BITS);
    if a == 0.0 {
        return T::from_bits64(1 | if b < 0.0 { sign } else { 0 });
    }
    let grows = (a < b) == (a > 0.0);
    T::from_bits64(if grows { bits + 1 } else { bits - 1 })
}
