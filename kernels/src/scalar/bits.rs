//! Operations on an element's bits: choosing, reinterpreting, truth values, reduced precision.

use pygraph_artifact::{dtype::DType, scalar::ScalarOp};

use super::{LaneFn, Operands, binary, lanes_mut, real::Real, unary};

/// Truth values are bytes 0 and 1.
pub(super) fn boolean(op: ScalarOp) -> Option<LaneFn> {
    Some(match op {
        ScalarOp::Add | ScalarOp::Or | ScalarOp::Max => |operands, out| binary(operands, out, |a: u8, b: u8| a | b),
        ScalarOp::Mul | ScalarOp::And | ScalarOp::Min => |operands, out| binary(operands, out, |a: u8, b: u8| a & b),
        ScalarOp::Xor => |operands, out| binary(operands, out, |a: u8, b: u8| a ^ b),
        ScalarOp::Not => |operands, out| unary(operands, out, |a: u8| a ^ 1),
        _ => return None,
    })
}

/// The second operand where the first is true, else the third.
pub(super) fn select(size_bytes: usize) -> LaneFn {
    fn of<T: bytemuck::Pod>(operands: Operands<'_>, out: &mut [u128]) {
        let (predicate, yes, no) = (operands.lanes::<u8>(0), operands.lanes::<T>(1), operands.lanes::<T>(2));
        let lanes = lanes_mut::<T>(out)[..yes.len()].iter_mut().zip(predicate).zip(yes.iter().zip(no));
        for ((result, predicate), (yes, no)) in lanes {
            *result = if *predicate != 0 { *yes } else { *no };
        }
    }
    match size_bytes {
        1 => of::<u8>,
        2 => of::<u16>,
        4 => of::<u32>,
        8 => of::<u64>,
        _ => of::<u128>,
    }
}

/// The same bytes.
pub(super) fn copy(size_bytes: usize) -> LaneFn {
    match size_bytes {
        1 => |operands, out| unary(operands, out, |value: u8| value),
        2 => |operands, out| unary(operands, out, |value: u16| value),
        4 => |operands, out| unary(operands, out, |value: u32| value),
        8 => |operands, out| unary(operands, out, |value: u64| value),
        _ => |operands, out| unary(operands, out, |value: u128| value),
    }
}

/// Rounds to fewer exponent and mantissa bits, as XLA's `ReducePrecision`: what overflows becomes infinite, what
/// underflows a zero of its sign.
pub(super) fn reduce_precision<T: Real>(operands: Operands<'_>, out: &mut [u128]) {
    let exponent_bits = operands.immediates[0].clamp(1, i64::from(T::EXPONENT_BITS)) as u32;
    let mantissa_bits = operands.immediates[1].clamp(0, i64::from(T::MANTISSA_BITS)) as u32;
    let exponent_mask = ((1u64 << T::EXPONENT_BITS) - 1) << T::MANTISSA_BITS;
    let sign_mask = 1u64 << (T::MANTISSA_BITS + T::EXPONENT_BITS);
    let last_bit = 1u64 << (T::MANTISSA_BITS - mantissa_bits);
    let bias = (1u64 << (T::EXPONENT_BITS - 1)) - 1;
    let reduced_bias = (1u64 << (exponent_bits - 1)) - 1;
    unary(operands, out, |value: T| {
        let mut bits = value.to_bits64();
        if bits & !sign_mask > exponent_mask {
            // Without a mantissa there is no NaN: the pattern that is left means infinity.
            return if mantissa_bits == 0 { T::from_bits64(bits & sign_mask | exponent_mask) } else { value };
        }
        if mantissa_bits < T::MANTISSA_BITS {
            let odd = u64::from(bits & last_bit != 0);
            bits = (bits + (last_bit >> 1) - 1 + odd) & !(last_bit - 1);
        }
        if exponent_bits < T::EXPONENT_BITS {
            let exponent = bits & exponent_mask;
            if exponent > (bias + reduced_bias) << T::MANTISSA_BITS {
                bits = bits & sign_mask | exponent_mask;
            } else if exponent <= (bias - reduced_bias) << T::MANTISSA_BITS {
                bits &= sign_mask;
            }
        }
        T::from_bits64(bits)
    });
}

/// What is left to do on the byte of a two- or four-bit integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Narrow {
    /// Nothing: the type fills its storage.
    Whole,
    /// Keep the low bits.
    Wrap(DType),
    /// Go to the nearest value.
    Saturate(DType),
}

impl Narrow {
    /// What operations on that type need.
    pub(super) fn wrap(dtype: DType) -> Narrow {
        if dtype.is_integer() && dtype.bits() < 8 { Narrow::Wrap(dtype) } else { Narrow::Whole }
    }

    /// What a conversion from a float to that type needs.
    pub(super) fn saturate(dtype: DType) -> Narrow {
        if dtype.is_integer() && dtype.bits() < 8 { Narrow::Saturate(dtype) } else { Narrow::Whole }
    }

    pub(super) fn apply(self, register: &mut [u128], count: usize) {
        let (dtype, wraps) = match self {
            Narrow::Whole => return,
            Narrow::Wrap(dtype) => (dtype, true),
            Narrow::Saturate(dtype) => (dtype, false),
        };
        let unused = 8 - dtype.bits();
        if matches!(dtype, DType::I2 | DType::I4) {
            let (low, high) = (i8::MIN >> unused, i8::MAX >> unused);
            for value in &mut lanes_mut::<i8>(register)[..count] {
                *value = if wraps { (*value << unused) >> unused } else { (*value).clamp(low, high) };
            }
        } else {
            let high = u8::MAX >> unused;
            for value in &mut lanes_mut::<u8>(register)[..count] {
                *value = if wraps { *value & high } else { (*value).min(high) };
            }
        }
    }
}
