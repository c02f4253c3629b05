//! The four float types: storage, exact widening and correctly rounded narrowing.
//!
//! The conversions are free of branches so that loops over them vectorise.

use std::ops::{Add, Div, Mul, Neg, Sub};

use bytemuck::Pod;
use half::{bf16, f16};

/// A float type that elements have.
pub(crate) trait Real: Pod + PartialOrd + Send + Sync {
    /// Bits of the stored mantissa.
    const MANTISSA_BITS: u32;
    /// Bits of the exponent.
    const EXPONENT_BITS: u32;
    /// What its sums, products and square roots are computed in: rounding those once more gives the right result.
    type Arith: Arith;

    /// The same value, wider.
    fn up(self) -> Self::Arith;
    /// The nearest value, ties to even.
    fn down(value: Self::Arith) -> Self;
    /// The same value.
    fn to_f64(self) -> f64;
    /// The nearest value, ties to even.
    fn from_f64(value: f64) -> Self;
    /// The element's bits.
    fn to_bits64(self) -> u64;
    /// The element of those bits.
    fn from_bits64(bits: u64) -> Self;

    /// Larger is larger in the total order -NaN < -inf < … < +inf < +NaN.
    fn total_key(self) -> i64 {
        let width = Self::MANTISSA_BITS + Self::EXPONENT_BITS + 1;
        let bits = (self.to_bits64() << (64 - width)) as i64;
        bits ^ (((bits >> 63) as u64) >> 1) as i64
    }
}

/// `f32` and `f64`, the types that hardware computes in.
pub(crate) trait Arith:
    Pod
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// Minus infinity.
    const LOWEST: Self;
    /// Infinity.
    const HIGHEST: Self;

    /// Without the sign.
    fn magnitude(self) -> Self;
    /// The larger, NaN if either is, +0 above -0.
    fn maximum(self, other: Self) -> Self;
    /// The smaller, NaN if either is, -0 below +0.
    fn minimum(self, other: Self) -> Self;
    /// Remainder with the sign of the dividend.
    fn remainder(self, other: Self) -> Self;
    /// -1, 0, 1, or the operand where it is a zero or NaN.
    fn sign(self) -> Self;
    /// Nearest integer below.
    fn round_down(self) -> Self;
    /// Nearest integer above.
    fn round_up(self) -> Self;
    /// Nearest integer, halves away from zero.
    fn round_away(self) -> Self;
    /// Nearest integer, halves to even.
    fn round_even(self) -> Self;
    /// Correctly rounded.
    fn square_root(self) -> Self;
}

macro_rules! arith {
    ($t:ty) => {
        impl Arith for $t {
            const LOWEST: $t = <$t>::NEG_INFINITY;
            const HIGHEST: $t = <$t>::INFINITY;
            #[inline(always)]
            fn magnitude(self) -> $t {
                self.abs()
            }
            #[inline(always)]
            fn maximum(self, other: $t) -> $t {
                let equal = <$t>::from_bits(self.to_bits() & other.to_bits());
                let larger = if self > other {
                    self
                } else if self < other {
                    other
                } else {
                    equal
                };
                if self.is_nan() {
                    self
                } else if other.is_nan() {
                    other
                } else {
                    larger
                }
            }
            #[inline(always)]
            fn minimum(self, other: $t) -> $t {
                let equal = <$t>::from_bits(self.to_bits() | other.to_bits());
                let smaller = if self < other {
                    self
                } else if self > other {
                    other
                } else {
                    equal
                };
                if self.is_nan() {
                    self
                } else if other.is_nan() {
                    other
                } else {
                    smaller
                }
            }
            #[inline(always)]
            fn remainder(self, other: $t) -> $t {
                self % other
            }
            #[inline(always)]
            fn sign(self) -> $t {
                if self == 0.0 || self.is_nan() { self } else { (1.0 as $t).copysign(self) }
            }
            #[inline(always)]
            fn round_down(self) -> $t {
                self.floor()
            }
            #[inline(always)]
            fn round_up(self) -> $t {
                self.ceil()
            }
            #[inline(always)]
            fn round_away(self) -> $t {
                self.round()
            }
            #[inline(always)]
            fn round_even(self) -> $t {
                self.round_ties_even()
            }
            #[inline(always)]
            fn square_root(self) -> $t {
                self.sqrt()
            }
        }
    };
}
arith!(f32);
arith!(f64);

impl Real for f64 {
    const MANTISSA_BITS: u32 = 52;
    const EXPONENT_BITS: u32 = 11;
    type Arith = f64;
    #[inline(always)]
    fn up(self) -> f64 {
        self
    }
    #[inline(always)]
    fn down(value: f64) -> f64 {
        value
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }
    #[inline(always)]
    fn from_f64(value: f64) -> f64 {
        value
    }
    fn to_bits64(self) -> u64 {
        self.to_bits()
    }
    fn from_bits64(bits: u64) -> f64 {
        f64::from_bits(bits)
    }
}

impl Real for f32 {
    const MANTISSA_BITS: u32 = 23;
    const EXPONENT_BITS: u32 = 8;
    type Arith = f32;
    #[inline(always)]
    fn up(self) -> f32 {
        self
    }
    #[inline(always)]
    fn down(value: f32) -> f32 {
        value
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
    #[inline(always)]
    fn from_f64(value: f64) -> f32 {
        value as f32
    }
    fn to_bits64(self) -> u64 {
        u64::from(self.to_bits())
    }
    fn from_bits64(bits: u64) -> f32 {
        f32::from_bits(bits as u32)
    }
}

macro_rules! half_type {
    ($t:ty, $mantissa:literal, $exponent:literal, $widen:path, $narrow:path) => {
        impl Real for $t {
            const MANTISSA_BITS: u32 = $mantissa;
            const EXPONENT_BITS: u32 = $exponent;
            type Arith = f32;
            #[inline(always)]
            fn up(self) -> f32 {
                $widen(self.to_bits())
            }
            #[inline(always)]
            fn down(value: f32) -> $t {
                <$t>::from_bits($narrow(value))
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from($widen(self.to_bits()))
            }
            #[inline(always)]
            fn from_f64(value: f64) -> $t {
                <$t>::from_bits($narrow(round_to_odd(value)))
            }
            fn to_bits64(self) -> u64 {
                u64::from(self.to_bits())
            }
            fn from_bits64(bits: u64) -> $t {
                <$t>::from_bits(bits as u16)
            }
        }
    };
}
half_type!(bf16, 7, 8, bf16_to_f32, f32_to_bf16);
half_type!(f16, 10, 5, f16_to_f32, f32_to_f16);

#[inline(always)]
pub(crate) fn bf16_to_f32(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

#[inline(always)]
pub(crate) fn f32_to_bf16(value: f32) -> u16 {
    let bits = value.to_bits();
    let rounded = bits.wrapping_add(0x7fff + ((bits >> 16) & 1)) >> 16;
    (if value.is_nan() { (bits >> 16) | 0x40 } else { rounded }) as u16
}

/// The exponent is rebased by a multiplication, which gets subnormals right.
#[inline(always)]
pub(crate) fn f16_to_f32(bits: u16) -> f32 {
    let magnitude = u32::from(bits & 0x7fff) << 13;
    let rebased = (f32::from_bits(magnitude) * f32::from_bits(0x7780_0000)).to_bits();
    let special = magnitude | 0x7f80_0000;
    let magnitude = if bits & 0x7c00 == 0x7c00 { special } else { rebased };
    f32::from_bits(magnitude | (u32::from(bits & 0x8000) << 16))
}

/// Giesen's float_to_half_fast3_rtne: subnormal results are rounded by an addition that aligns their last bit.
#[inline(always)]
pub(crate) fn f32_to_f16(value: f32) -> u16 {
    let sign = (value.to_bits() >> 16) & 0x8000;
    let magnitude = value.to_bits() & 0x7fff_ffff;
    let special = if magnitude > 0x7f80_0000 { 0x7e00 } else { 0x7c00 };
    let subnormal = (f32::from_bits(magnitude) + 0.5).to_bits().wrapping_sub(0x3f00_0000);
    let normal = magnitude.wrapping_sub(112 << 23).wrapping_add(0xfff + ((magnitude >> 13) & 1)) >> 13;
    let rounded = if magnitude < 113 << 23 { subnormal } else { normal };
    ((if magnitude >= 143 << 23 { special } else { rounded }) | sign) as u16
}

/// An `f32` that rounds on to fewer bits as the operand itself would: inexact values get an odd last bit.
#[inline(always)]
fn round_to_odd(value: f64) -> f32 {
    let nearest = value as f32;
    let back = f64::from(nearest);
    let towards_zero = nearest.to_bits() - u32::from(back.abs() > value.abs());
    if back == value || value.is_nan() { nearest } else { f32::from_bits(towards_zero | 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_float_survives_the_way_there_and_back() {
        for bits in 0..=u16::MAX {
            let (half, brain) = (f16::from_bits(bits), bf16::from_bits(bits));
            assert!(half.is_nan() || f16::down(half.up()) == half && <f16 as Real>::from_f64(half.to_f64()) == half);
            assert!(
                brain.is_nan() || bf16::down(brain.up()) == brain && <bf16 as Real>::from_f64(brain.to_f64()) == brain
            );
            assert!(half.is_nan() || half.up().to_bits() == half.to_f32().to_bits(), "{bits:#x}");
        }
    }

    #[test]
    fn narrowing_rounds_once() {
        // Just above the middle between 1 and the next f16; the nearest f32 is the middle itself.
        let above = 1.0 + 2f64.powi(-11) + 2f64.powi(-40);
        assert_eq!(<f16 as Real>::from_f64(above).to_bits(), 0x3c01);
        assert_eq!(<f16 as Real>::from_f64(1.0 + 2f64.powi(-11)).to_bits(), 0x3c00);
        assert_eq!(<bf16 as Real>::from_f64(1.0 + 2f64.powi(-8) + 2f64.powi(-40)).to_bits(), 0x3f81);
        assert_eq!(<f16 as Real>::from_f64(65519.99999).to_bits(), 0x7bff);
        assert_eq!(<f16 as Real>::from_f64(65520.0).to_bits(), 0x7c00);
        assert_eq!(<f16 as Real>::from_f64(2f64.powi(-25)).to_bits(), 0);
        assert_eq!(<f16 as Real>::from_f64(2f64.powi(-25) * 1.0001).to_bits(), 1);
        assert_eq!(<bf16 as Real>::from_f64(f64::MAX).to_bits(), 0x7f80);
        assert!(<f16 as Real>::from_f64(f64::NAN).is_nan() && <bf16 as Real>::from_f64(-f64::NAN).is_nan());
    }

    #[test]
    fn the_total_order_puts_every_nan_outside() {
        let ordered = [-f32::NAN, f32::NEG_INFINITY, -1.0, -0.0, 0.0, 1e-45, f32::INFINITY, f32::NAN];
        assert!(ordered.windows(2).all(|pair| pair[0].total_key() < pair[1].total_key()));
    }
}
