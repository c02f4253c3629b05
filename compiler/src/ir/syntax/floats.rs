//! Floats of every format as bits and as text that reads back as the same bits.

use crate::ir::types::FloatKind;

/// What a format does with the bit patterns that IEEE uses for infinities and NaN.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Specials {
    /// Infinities and NaN, as IEEE.
    Ieee,
    /// NaN where all bits but the sign are set, no infinity.
    NanOnly,
    /// NaN where only the sign is set, no infinity, no negative zero.
    UnsignedZero,
    /// Neither.
    Finite,
    /// No sign, no zero, NaN where all bits are set.
    ExponentOnly,
}

struct Format {
    exponent_bits: u32,
    mantissa_bits: u32,
    bias: i64,
    specials: Specials,
}

fn format_of(kind: FloatKind) -> Format {
    use Specials::{ExponentOnly, Finite, Ieee, NanOnly, UnsignedZero};
    let (exponent_bits, mantissa_bits, bias, specials) = match kind {
        FloatKind::F4E2M1FN => (2, 1, 1, Finite),
        FloatKind::F6E2M3FN => (2, 3, 1, Finite),
        FloatKind::F6E3M2FN => (3, 2, 3, Finite),
        FloatKind::F8E3M4 => (3, 4, 3, Ieee),
        FloatKind::F8E4M3 => (4, 3, 7, Ieee),
        FloatKind::F8E4M3FN => (4, 3, 7, NanOnly),
        FloatKind::F8E4M3FNUZ => (4, 3, 8, UnsignedZero),
        FloatKind::F8E4M3B11FNUZ => (4, 3, 11, UnsignedZero),
        FloatKind::F8E5M2 => (5, 2, 15, Ieee),
        FloatKind::F8E5M2FNUZ => (5, 2, 16, UnsignedZero),
        FloatKind::F8E8M0FNU => (8, 0, 127, ExponentOnly),
        FloatKind::Bf16 => (8, 7, 127, Ieee),
        FloatKind::F16 => (5, 10, 15, Ieee),
        FloatKind::Tf32 => (8, 10, 127, Ieee),
        FloatKind::F32 => (8, 23, 127, Ieee),
        FloatKind::F64 => (11, 52, 1023, Ieee),
    };
    Format { exponent_bits, mantissa_bits, bias, specials }
}

impl Format {
    fn sign(&self) -> u64 {
        if self.specials == Specials::ExponentOnly { 0 } else { 1 << (self.exponent_bits + self.mantissa_bits) }
    }

    /// The magnitude bits of NaN with a payload in the top of its mantissa.
    fn nan(&self, mantissa: u64) -> u64 {
        let all = (1 << (self.exponent_bits + self.mantissa_bits)) - 1;
        match self.specials {
            Specials::Ieee => {
                let payload = mantissa >> (52 - self.mantissa_bits);
                let quiet = 1u64.checked_shl(self.mantissa_bits.saturating_sub(1)).unwrap_or(1);
                (all >> self.mantissa_bits << self.mantissa_bits) | if payload == 0 { quiet } else { payload }
            }
            Specials::NanOnly | Specials::ExponentOnly => all,
            Specials::UnsignedZero | Specials::Finite => 0,
        }
    }

    /// The magnitude bits of the largest finite value.
    fn largest(&self) -> u64 {
        let all = (1u64 << (self.exponent_bits + self.mantissa_bits)) - 1;
        match self.specials {
            Specials::Ieee => (all >> self.mantissa_bits << self.mantissa_bits) - 1,
            Specials::NanOnly | Specials::ExponentOnly => all - 1,
            Specials::UnsignedZero | Specials::Finite => all,
        }
    }
}

/// The bits of a value rounded to nearest even in a format. Too large a value becomes infinity, else NaN, else the largest.
pub fn encode(value: f64, kind: FloatKind) -> u64 {
    let bits = value.to_bits();
    match kind {
        FloatKind::F64 => return bits,
        // The hardware's conversion rounds the same, but does not keep the payload of NaN.
        FloatKind::F32 if !value.is_nan() => return u64::from((value as f32).to_bits()),
        _ => {}
    }
    let format = format_of(kind);
    let mantissa = bits & ((1 << 52) - 1);
    let sign = if value.is_sign_negative() { format.sign() } else { 0 };
    if value.is_nan() {
        return match format.specials {
            Specials::UnsignedZero => format.sign(),
            _ => sign | format.nan(mantissa),
        };
    }
    if value.is_infinite() {
        return sign | overflow(&format);
    }
    let magnitude = round_magnitude(value.abs(), &format);
    match format.specials {
        Specials::UnsignedZero if magnitude == 0 => 0,
        _ => sign | magnitude,
    }
}

fn overflow(format: &Format) -> u64 {
    match format.specials {
        Specials::Ieee => format.largest() + 1,
        Specials::NanOnly | Specials::ExponentOnly => format.nan(0),
        Specials::UnsignedZero => format.sign(),
        Specials::Finite => format.largest(),
    }
}

fn round_magnitude(value: f64, format: &Format) -> u64 {
    let bits = value.to_bits();
    let exponent = (bits >> 52) as i64 - 1023;
    let significand = if bits >> 52 == 0 { bits & ((1 << 52) - 1) } else { bits & ((1 << 52) - 1) | 1 << 52 };
    if significand == 0 {
        return 0;
    }
    // The exponent field, at least that of subnormals (which lack the leading bit, so theirs counts as 1).
    let smallest = if format.specials == Specials::ExponentOnly { 0 } else { 1 };
    let field = (exponent + format.bias).max(smallest);
    let shift = i64::from(52 - format.mantissa_bits) + (field - (exponent + format.bias));
    let rounded = if shift >= 64 {
        0
    } else {
        let kept = significand >> shift;
        let rest = significand & ((1u64 << shift) - 1);
        let half = 1u64 << (shift - 1);
        kept + u64::from(rest > half || (rest == half && kept & 1 == 1))
    };
    // A carry out of the mantissa moves into the exponent field by itself.
    let magnitude = if format.specials == Specials::ExponentOnly {
        (field as u64).saturating_add(rounded.saturating_sub(1))
    } else {
        (((field - 1) as u64) << format.mantissa_bits) + rounded
    };
    if magnitude > format.largest() { overflow(format) } else { magnitude }
}

/// The value of the bits of a format; NaN keeps as much of its payload as fits.
pub fn decode(bits: u64, kind: FloatKind) -> f64 {
    if kind == FloatKind::F64 {
        return f64::from_bits(bits);
    }
    if kind == FloatKind::F32 && !f32::from_bits(bits as u32).is_nan() {
        return f64::from(f32::from_bits(bits as u32));
    }
    let format = format_of(kind);
    let negative = bits & format.sign() != 0;
    let magnitude = bits & ((1 << (format.exponent_bits + format.mantissa_bits)) - 1);
    let sign_bit = u64::from(negative) << 63;
    if format.specials == Specials::UnsignedZero && negative && magnitude == 0 {
        return f64::NAN;
    }
    if magnitude > format.largest() {
        let mantissa = magnitude & ((1 << format.mantissa_bits) - 1);
        return match format.specials {
            Specials::Ieee if mantissa == 0 => f64::from_bits(sign_bit | f64::INFINITY.to_bits()),
            Specials::Ieee => f64::from_bits(sign_bit | 0x7ff << 52 | mantissa << (52 - format.mantissa_bits)),
            _ => f64::from_bits(sign_bit | f64::NAN.to_bits()),
        };
    }
    let field = (magnitude >> format.mantissa_bits) as i64;
    let mantissa = magnitude & ((1 << format.mantissa_bits) - 1);
    let (significand, exponent) = match (field, format.specials) {
        (0, specials) if specials != Specials::ExponentOnly => (mantissa, 1 - format.bias),
        _ => (mantissa | 1 << format.mantissa_bits, field - format.bias),
    };
    // Both factors are exact and so is the product: every format's range lies within that of f64.
    let scale = 2f64.powi((exponent - i64::from(format.mantissa_bits)) as i32);
    let value = significand as f64 * scale;
    if negative { -value } else { value }
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
