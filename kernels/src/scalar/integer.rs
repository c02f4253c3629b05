//! Integer operations. Two- and four-bit integers are computed in bytes; the caller wraps the result.

use bytemuck::Pod;
use pygraph_artifact::scalar::ScalarOp;

use super::{LaneFn, binary, unary};

/// An integer type that elements are stored as.
pub(crate) trait Integer: Pod + Ord + Send + Sync {
    /// 1.
    const ONE: Self;
    /// The smallest value.
    const LOWEST: Self;
    /// The largest value.
    const HIGHEST: Self;

    // Everything below is the scalar language's definition of the operation.
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    fn div(self, other: Self) -> Self;
    fn rem(self, other: Self) -> Self;
    fn pow(self, exponent: Self) -> Self;
    fn neg(self) -> Self;
    fn abs(self) -> Self;
    fn sign(self) -> Self;
    fn and(self, other: Self) -> Self;
    fn or(self, other: Self) -> Self;
    fn xor(self, other: Self) -> Self;
    fn not(self) -> Self;
    fn shl(self, count: Self) -> Self;
    fn shr_arith(self, count: Self) -> Self;
    fn shr_logical(self, count: Self, width: u32) -> Self;
    fn popcnt(self, width: u32) -> Self;
    fn clz(self, width: u32) -> Self;
}

macro_rules! integer {
    ($t:ident, $unsigned:ident, $signed:ident) => {
        impl Integer for $t {
            const ONE: $t = 1;
            const LOWEST: $t = $t::MIN;
            const HIGHEST: $t = $t::MAX;
            #[inline(always)]
            fn add(self, other: $t) -> $t {
                self.wrapping_add(other)
            }
            #[inline(always)]
            fn sub(self, other: $t) -> $t {
                self.wrapping_sub(other)
            }
            #[inline(always)]
            fn mul(self, other: $t) -> $t {
                self.wrapping_mul(other)
            }
            #[inline(always)]
            fn div(self, other: $t) -> $t {
                if other == 0 { !0 } else { self.wrapping_div(other) }
            }
            #[inline(always)]
            fn rem(self, other: $t) -> $t {
                if other == 0 { self } else { self.wrapping_rem(other) }
            }
            #[allow(unused_comparisons, reason = "unsigned exponents are never negative")]
            fn pow(self, exponent: $t) -> $t {
                if exponent < 0 {
                    let odd = exponent & 1 == 1;
                    return if self == 1 || self == !0 && !odd {
                        1
                    } else if self == !0 {
                        !0
                    } else {
                        0
                    };
                }
                let (mut result, mut power, mut left): ($t, $t, $t) = (1, self, exponent);
                while left > 0 {
                    if left & 1 == 1 {
                        result = result.wrapping_mul(power);
                    }
                    power = power.wrapping_mul(power);
                    left >>= 1;
                }
                result
            }
            #[inline(always)]
            fn neg(self) -> $t {
                self.wrapping_neg()
            }
            #[inline(always)]
            #[allow(unused_comparisons, reason = "unsigned values are never negative")]
            fn abs(self) -> $t {
                if self < 0 { self.wrapping_neg() } else { self }
            }
            #[inline(always)]
            #[allow(unused_comparisons, reason = "unsigned values are never negative")]
            fn sign(self) -> $t {
                if self < 0 { !0 } else { (self > 0) as $t }
            }
            #[inline(always)]
            fn and(self, other: $t) -> $t {
                self & other
            }
            #[inline(always)]
            fn or(self, other: $t) -> $t {
                self | other
            }
            #[inline(always)]
            fn xor(self, other: $t) -> $t {
                self ^ other
            }
            #[inline(always)]
            fn not(self) -> $t {
                !self
            }
            #[inline(always)]
            fn shl(self, count: $t) -> $t {
                let count = count as $unsigned;
                if count >= $t::BITS as $unsigned { 0 } else { self << count }
            }
            #[inline(always)]
            fn shr_arith(self, count: $t) -> $t {
                let count = (count as $unsigned).min($t::BITS as $unsigned - 1);
                (self as $signed >> count) as $t
            }
            #[inline(always)]
            fn shr_logical(self, count: $t, width: u32) -> $t {
                let value = self as $unsigned & ($unsigned::MAX >> ($t::BITS - width));
                let count = count as $unsigned;
                if count >= $t::BITS as $unsigned { 0 } else { (value >> count) as $t }
            }
            #[inline(always)]
            fn popcnt(self, width: u32) -> $t {
                (self as $unsigned & ($unsigned::MAX >> ($t::BITS - width))).count_ones() as $t
            }
            #[inline(always)]
            fn clz(self, width: u32) -> $t {
                let unused = $t::BITS - width;
                ((self as $unsigned & ($unsigned::MAX >> unused)).leading_zeros() - unused) as $t
            }
        }
    };
}
integer!(i8, u8, i8);
integer!(i16, u16, i16);
integer!(i32, u32, i32);
integer!(i64, u64, i64);
integer!(u8, u8, i8);
integer!(u16, u16, i16);
integer!(u32, u32, i32);
integer!(u64, u64, i64);

/// Arithmetic and bits on integers of `T`'s width, or of 2 or 4 bits stored in `T`.
///
/// Shifting a sign-extended or zero-extended narrow value in its byte and wrapping gives the narrow result, whatever
/// the count; only operations that look at the unused high bits need the width.
pub(super) fn integer<T: Integer>(op: ScalarOp, width: u32) -> Option<LaneFn> {
    Some(match op {
        ScalarOp::Add => |operands, out| binary(operands, out, T::add),
        ScalarOp::Sub => |operands, out| binary(operands, out, T::sub),
        ScalarOp::Mul => |operands, out| binary(operands, out, T::mul),
        ScalarOp::Div => |operands, out| binary(operands, out, T::div),
        ScalarOp::Rem => |operands, out| binary(operands, out, T::rem),
        ScalarOp::Max => |operands, out| binary(operands, out, <T as Ord>::max),
        ScalarOp::Min => |operands, out| binary(operands, out, <T as Ord>::min),
        ScalarOp::Pow => |operands, out| binary(operands, out, T::pow),
        ScalarOp::Neg => |operands, out| unary(operands, out, T::neg),
        ScalarOp::Abs => |operands, out| unary(operands, out, T::abs),
        ScalarOp::Sign => |operands, out| unary(operands, out, T::sign),
        ScalarOp::And => |operands, out| binary(operands, out, T::and),
        ScalarOp::Or => |operands, out| binary(operands, out, T::or),
        ScalarOp::Xor => |operands, out| binary(operands, out, T::xor),
        ScalarOp::Not => |operands, out| unary(operands, out, T::not),
        ScalarOp::Shl => |operands, out| binary(operands, out, T::shl),
        ScalarOp::ShrArith => |operands, out| binary(operands, out, T::shr_arith),
        ScalarOp::ShrLogical | ScalarOp::Popcnt | ScalarOp::Clz => return Some(with_width::<T>(op, width)),
        _ => return None,
    })
}

fn with_width<T: Integer>(op: ScalarOp, width: u32) -> LaneFn {
    fn fixed<T: Integer, const WIDTH: u32>(op: ScalarOp) -> LaneFn {
        match op {
            ScalarOp::ShrLogical => {
                |operands, out| binary(operands, out, |value: T, count| value.shr_logical(count, WIDTH))
            }
            ScalarOp::Popcnt => |operands, out| unary(operands, out, |value: T| value.popcnt(WIDTH)),
            _ => |operands, out| unary(operands, out, |value: T| value.clz(WIDTH)),
        }
    }
    match width {
        2 => fixed::<T, 2>(op),
        4 => fixed::<T, 4>(op),
        8 => fixed::<T, 8>(op),
        16 => fixed::<T, 16>(op),
        32 => fixed::<T, 32>(op),
        _ => fixed::<T, 64>(op),
    }
}
