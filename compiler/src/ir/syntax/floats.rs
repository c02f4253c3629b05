//! Floats of every format as bits and as text that reads back as the same bits.
//!
//! Decimals are rounded once, from `f64` to the format, as upstream does. NaN keeps its payload.

use pygraph_artifact::minifloat::MiniFloat;

use crate::ir::types::{ElementType, FloatKind};

/// Widths of the exponent and the mantissa of an IEEE format.
struct Format {
    exponent_bits: u32,
    mantissa_bits: u32,
}

impl Format {
    fn bias(&self) -> i64 {
        (1 << (self.exponent_bits - 1)) - 1
    }

    fn sign(&self) -> u64 {
        1 << (self.exponent_bits + self.mantissa_bits)
    }

    fn infinity(&self) -> u64 {
        ((1 << self.exponent_bits) - 1) << self.mantissa_bits
    }
}

/// The IEEE format of a kind; the floats of eight bits and fewer are the artifact's to describe.
fn format_of(kind: FloatKind) -> Result<Format, MiniFloat> {
    let (exponent_bits, mantissa_bits) = match kind {
        FloatKind::Bf16 => (8, 7),
        FloatKind::F16 => (5, 10),
        FloatKind::Tf32 => (8, 10),
        FloatKind::F32 => (8, 23),
        FloatKind::F64 => (11, 52),
        _ => {
            let dtype = ElementType::Float(kind).dtype();
            return Err(dtype.and_then(|dtype| dtype.minifloat()).expect("every other float should be a small one"));
        }
    };
    Ok(Format { exponent_bits, mantissa_bits })
}

/// The bits of a value rounded to nearest even in a format.
pub fn encode(value: f64, kind: FloatKind) -> u64 {
    let bits = value.to_bits();
    match kind {
        FloatKind::F64 => return bits,
        // The hardware's conversion rounds the same, but does not keep the payload of NaN.
        FloatKind::F32 if !value.is_nan() => return u64::from((value as f32).to_bits()),
        _ => {}
    }
    let format = match format_of(kind) {
        Ok(format) => format,
        Err(small) => return u64::from(small.encode(value)),
    };
    let sign = if value.is_sign_negative() { format.sign() } else { 0 };
    let magnitude = if value.is_nan() {
        let payload = (bits & MANTISSA) >> (52 - format.mantissa_bits);
        format.infinity() | if payload == 0 { 1 << (format.mantissa_bits - 1) } else { payload }
    } else if value.is_infinite() {
        format.infinity()
    } else {
        round_magnitude(value.abs(), &format)
    };
    sign | magnitude
}

/// The mantissa of an `f64`.
const MANTISSA: u64 = (1 << 52) - 1;

fn round_magnitude(value: f64, format: &Format) -> u64 {
    let bits = value.to_bits();
    let exponent = (bits >> 52) as i64 - 1023 + format.bias();
    // The subnormals of f64 are 0 in every smaller format.
    if bits >> 52 == 0 {
        return 0;
    }
    let significand = bits & MANTISSA | 1 << 52;
    // Subnormals lack the leading bit, so their exponent field counts as 1.
    let field = exponent.max(1);
    let shift = i64::from(52 - format.mantissa_bits) + (field - exponent);
    if shift >= 64 {
        return 0;
    }
    let (kept, rest, half) = (significand >> shift, significand & ((1 << shift) - 1), 1 << (shift - 1));
    let rounded = kept + u64::from(rest > half || (rest == half && kept & 1 == 1));
    // A carry out of the mantissa moves into the exponent field by itself.
    ((((field - 1) as u64) << format.mantissa_bits) + rounded).min(format.infinity())
}

/// The value of the bits of a format.
pub fn decode(bits: u64, kind: FloatKind) -> f64 {
    match kind {
        FloatKind::F64 => return f64::from_bits(bits),
        FloatKind::F32 if !f32::from_bits(bits as u32).is_nan() => return f64::from(f32::from_bits(bits as u32)),
        _ => {}
    }
    let format = match format_of(kind) {
        Ok(format) => format,
        Err(small) => return small.decode(bits as u8),
    };
    let sign = u64::from(bits & format.sign() != 0) << 63;
    let (field, mantissa) =
        ((bits & format.infinity()) >> format.mantissa_bits, bits & ((1 << format.mantissa_bits) - 1));
    if bits & format.infinity() == format.infinity() {
        return f64::from_bits(sign | 0x7ff << 52 | mantissa << (52 - format.mantissa_bits));
    }
    let significand = if field == 0 { mantissa } else { mantissa | 1 << format.mantissa_bits };
    let exponent = field.max(1) as i64 - format.bias() - i64::from(format.mantissa_bits);
    // Both factors are exact and so is the product: the format's range lies within that of f64.
    f64::from_bits((significand as f64 * 2f64.powi(exponent as i32)).to_bits() | sign)
}

/// Writes bits of a format: the shortest decimal that reads back as them, or hexadecimal where there is none.
pub fn write_float(out: &mut String, bits: u64, kind: FloatKind) {
    let value = decode(bits, kind);
    if value.is_finite() {
        let text = decimal(value, kind);
        if text.parse::<f64>().is_ok_and(|read| encode(read, kind) == bits) {
            out.push_str(&text);
            return;
        }
    }
    let digits = usize::try_from(kind.bits().div_ceil(8) * 2).expect("a width should fit");
    out.push_str(&format!("0x{bits:0digits$X}"));
}

/// A decimal with a point, as MLIR wants it.
fn decimal(value: f64, kind: FloatKind) -> String {
    let plain = value == 0.0 || (1e-4..1e16).contains(&value.abs());
    // The shortest decimal of an f32 is shorter than that of the f64 with the same value.
    let text = match (kind.bits() <= 32, plain) {
        (true, true) => return format!("{:?}", value as f32),
        (false, true) => return format!("{value:?}"),
        (true, false) => format!("{:e}", value as f32),
        (false, false) => format!("{value:e}"),
    };
    match text.split_once('e') {
        Some((mantissa, exponent)) if !mantissa.contains('.') => format!("{mantissa}.0e{exponent}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: FloatKind, bits: u64) {
        let mut text = String::new();
        write_float(&mut text, bits, kind);
        let read = match text.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).expect("hexadecimal digits should read"),
            None => encode(text.parse().expect("a decimal should read"), kind),
        };
        assert_eq!(read, bits, "{} {text}", kind.name());
    }

    #[test]
    fn every_value_of_the_narrow_formats_reads_back() {
        for (kind, _, width) in FloatKind::ALL.iter().filter(|entry| entry.2 <= 16) {
            (0..1u64 << width).for_each(|bits| check(*kind, bits));
        }
    }

    #[test]
    fn values_of_the_wide_formats_read_back() {
        for step in 0..20_000u64 {
            check(FloatKind::F32, step.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32);
            check(FloatKind::F64, step.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        }
        for bits in [0, 1, 0x8000_0000, 0x7f80_0000, 0xff80_0000, 0x7fc0_0000, 0x7f80_0001, 0x7f7f_ffff] {
            check(FloatKind::F32, bits);
        }
    }

    #[test]
    fn decimals_are_rounded_once() {
        // Just above the middle of two values of f16: by way of f32 it would become the middle and go to the even one.
        assert_eq!(encode(1.0 + 2f64.powi(-11) + 2f64.powi(-40), FloatKind::F16), 0x3c01);
        assert_eq!(encode(1.0 + 2f64.powi(-11), FloatKind::F16), 0x3c00);
        assert_eq!(encode(65520.0, FloatKind::F16), 0x7c00);
        assert_eq!(encode(65519.9, FloatKind::F16), 0x7bff);
        assert_eq!(encode(2f64.powi(-25), FloatKind::F16), 0);
        assert_eq!(encode(2f64.powi(-25) * 1.5, FloatKind::F16), 1);
    }
}
