//! Floating-point formats of eight bits and fewer: between their bit patterns and `f64`.
//!
//! Formats and special values follow the definitions that MLIR's element types refer to: "FP8 Formats for Deep
//! Learning" (arXiv 2209.05433), "8-bit Numerical Formats for Deep Neural Networks" (arXiv 2206.02915) for the
//! FNUZ forms, and the OCP Microscaling Formats specification 1.0 for `f4`, `f6` and `f8E8M0FNU`.

/// What the bit patterns at the ends of a format mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Specials {
    /// Infinities and NaN, as in IEEE 754.
    Ieee,
    /// No infinity; all ones are NaN (`FN`).
    NanAllOnes,
    /// No infinity and no negative zero; its pattern is NaN (`FNUZ`).
    NanNegativeZero,
    /// Neither infinity nor NaN (`f4`, `f6`).
    Finite,
    /// Powers of two without sign or zero; all ones are NaN (`f8E8M0FNU`).
    UnsignedPowers,
}

/// A small floating-point format. The sign is the highest bit, then the exponent, then the fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MiniFloat {
    /// Width of the exponent in bits.
    pub exponent_bits: u32,
    /// Width of the stored fraction in bits.
    pub fraction_bits: u32,
    /// What is subtracted from a stored exponent.
    pub bias: i32,
    /// Special values.
    pub specials: Specials,
}

impl MiniFloat {
    /// The format of a bias and special values, by the widths of its fields.
    pub const fn new(exponent_bits: u32, fraction_bits: u32, bias: i32, specials: Specials) -> MiniFloat {
        MiniFloat { exponent_bits, fraction_bits, bias, specials }
    }

    /// The number that a bit pattern means. Bits above the format's width are ignored.
    pub fn decode(self, pattern: u8) -> f64 {
        if self.specials == Specials::UnsignedPowers {
            return if pattern == u8::MAX { f64::NAN } else { exp2(i32::from(pattern) - self.bias) };
        }
        let magnitude = pattern & self.magnitude_mask();
        let negative = pattern & self.sign_mask() != 0;
        let exponent = i32::from(magnitude >> self.fraction_bits);
        let fraction = magnitude & self.fraction_mask();
        if self.specials == Specials::NanNegativeZero && magnitude == 0 && negative {
            return f64::NAN;
        }
        let value = if self.is_nan(magnitude) {
            f64::NAN
        } else if self.specials == Specials::Ieee && exponent == self.exponent_max() {
            f64::INFINITY
        } else if exponent == 0 {
            f64::from(fraction) * exp2(1 - self.bias - self.fraction_bits as i32)
        } else {
            f64::from(fraction | 1 << self.fraction_bits) * exp2(exponent - self.bias - self.fraction_bits as i32)
        };
        if negative { -value } else { value }
    }

    /// The bit pattern nearest to a number, halves to even. What is too large becomes infinity, else NaN, else the
    /// largest number, whichever the format has.
    pub fn encode(self, value: f64) -> u8 {
        if self.specials == Specials::UnsignedPowers {
            return self.encode_power(value);
        }
        let sign = if value.is_sign_negative() { self.sign_mask() } else { 0 };
        if value.is_nan() {
            return self.nan(sign);
        }
        let Some(magnitude) = self.round_magnitude(value.abs()) else { return self.overflow(sign) };
        if magnitude == 0 && self.specials == Specials::NanNegativeZero { 0 } else { sign | magnitude }
    }

    /// The pattern of a number that is not negative; none where it is too large.
    fn round_magnitude(self, value: f64) -> Option<u8> {
        if value == 0.0 {
            return Some(0);
        }
        if value.is_infinite() {
            return None;
        }
        let exponent = (exponent_of(value)).max(1 - self.bias);
        let units = (value * exp2(self.fraction_bits as i32 - exponent)).round_ties_even();
        // A number that rounds up to the next power of two carries into the exponent field by itself.
        let pattern = units as i64 + (i64::from(exponent + self.bias - 1) << self.fraction_bits);
        (pattern <= i64::from(self.largest())).then_some(pattern as u8)
    }

    fn encode_power(self, value: f64) -> u8 {
        if value.is_nan() || value < 0.0 {
            return u8::MAX;
        }
        let exponent = if value == 0.0 { i32::MIN } else { exponent_of(value) };
        let exponent = if exponent > -1022 && value / exp2(exponent) >= 1.5 { exponent + 1 } else { exponent };
        exponent.saturating_add(self.bias).clamp(0, 255) as u8
    }

    fn overflow(self, sign: u8) -> u8 {
        match self.specials {
            Specials::Ieee => sign | ((self.exponent_max() as u8) << self.fraction_bits),
            Specials::Finite => sign | self.largest(),
            Specials::NanAllOnes | Specials::NanNegativeZero | Specials::UnsignedPowers => self.nan(sign),
        }
    }

    fn nan(self, sign: u8) -> u8 {
        match self.specials {
            Specials::Ieee => {
                sign | ((self.exponent_max() as u8) << self.fraction_bits) | 1 << (self.fraction_bits - 1)
            }
            Specials::NanAllOnes => sign | self.magnitude_mask(),
            Specials::NanNegativeZero => self.sign_mask(),
            // There is no NaN to give: what a negative zero would be.
            Specials::Finite => self.sign_mask(),
            Specials::UnsignedPowers => u8::MAX,
        }
    }

    fn is_nan(self, magnitude: u8) -> bool {
        match self.specials {
            Specials::Ieee => magnitude > (self.exponent_max() as u8) << self.fraction_bits,
            Specials::NanAllOnes => magnitude == self.magnitude_mask(),
            Specials::NanNegativeZero | Specials::Finite | Specials::UnsignedPowers => false,
        }
    }

    /// Pattern of the largest finite number.
    fn largest(self) -> u8 {
        match self.specials {
            Specials::Ieee => ((self.exponent_max() as u8) << self.fraction_bits) - 1,
            Specials::NanAllOnes => self.magnitude_mask() - 1,
            _ => self.magnitude_mask(),
        }
    }

    fn exponent_max(self) -> i32 {
        (1 << self.exponent_bits) - 1
    }

    fn fraction_mask(self) -> u8 {
        (1 << self.fraction_bits) - 1
    }

    fn magnitude_mask(self) -> u8 {
        self.sign_mask() - 1
    }

    fn sign_mask(self) -> u8 {
        1 << (self.exponent_bits + self.fraction_bits)
    }
}

/// Two to an exponent of the normal range of `f64`.
fn exp2(exponent: i32) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

/// The exponent of a positive number; -1023 for a subnormal one.
fn exponent_of(value: f64) -> i32 {
    ((value.to_bits() >> 52) & 0x7ff) as i32 - 1023
}

#[cfg(test)]
mod tests {
    use super::*;

    const E4M3FN: MiniFloat = MiniFloat::new(4, 3, 7, Specials::NanAllOnes);
    const E5M2: MiniFloat = MiniFloat::new(5, 2, 15, Specials::Ieee);
    const E4M3FNUZ: MiniFloat = MiniFloat::new(4, 3, 8, Specials::NanNegativeZero);
    const E2M1: MiniFloat = MiniFloat::new(2, 1, 1, Specials::Finite);
    const E8M0: MiniFloat = MiniFloat::new(8, 0, 127, Specials::UnsignedPowers);

    fn check(format: MiniFloat, pairs: &[(f64, u8, f64)]) {
        for (value, pattern, back) in pairs {
            assert_eq!(format.encode(*value), *pattern, "encode({value})");
            let decoded = format.decode(*pattern);
            assert!(decoded == *back || decoded.is_nan() && back.is_nan(), "decode({pattern:#x}) is {decoded}");
        }
    }

    #[test]
    fn numbers_round_to_the_nearest_pattern() {
        check(
            E4M3FN,
            &[(0.1, 0x1d, 0.1015625), (448.0, 0x7e, 448.0), (-3.2, 0xc5, -3.25), (0.001953125, 1, 0.001953125)],
        );
        check(E5M2, &[(0.1, 0x2e, 0.09375), (57344.0, 0x7b, 57344.0), (f64::INFINITY, 0x7c, f64::INFINITY)]);
        check(E2M1, &[(3.2, 5, 3.0), (0.125, 0, 0.0), (100.0, 7, 6.0), (-0.5, 9, -0.5)]);
        check(E8M0, &[(3.2, 129, 4.0), (0.1, 124, 0.125), (0.0, 0, exp2(-127)), (2.0, 0x80, 2.0)]);
    }

    #[test]
    fn what_is_too_large_becomes_what_the_format_has() {
        check(E4M3FN, &[(1000.0, 0x7f, f64::NAN)]);
        check(E5M2, &[(1e9, 0x7c, f64::INFINITY), (f64::NAN, 0x7e, f64::NAN)]);
        check(E4M3FNUZ, &[(1000.0, 0x80, f64::NAN), (-0.0, 0, 0.0), (240.0, 0x7f, 240.0)]);
        check(E8M0, &[(f64::INFINITY, 0xff, f64::NAN), (-1.0, 0xff, f64::NAN)]);
    }

    #[test]
    fn every_pattern_survives_both_ways() {
        for format in [E4M3FN, E5M2, E4M3FNUZ, E8M0] {
            for pattern in 0..=u8::MAX {
                let value = format.decode(pattern);
                assert!(value.is_nan() || format.encode(value) == pattern, "{format:?} {pattern:#x} is {value}");
            }
        }
    }
}
