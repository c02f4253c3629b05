//! Element types that an artifact can hold.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::minifloat::{MiniFloat, Specials};

/// What sort of number an element is; decides which scalar operations apply to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// `i1`.
    Bool,
    /// Two's complement, `i2` to `i64`.
    Signed,
    /// `ui2` to `ui64`.
    Unsigned,
    /// IEEE binary formats and bfloat16.
    Float,
    /// Formats of eight bits and fewer: stored and converted, never computed in.
    MiniFloat,
    /// Pairs of floats, real part first.
    Complex,
}

macro_rules! dtypes {
    ($($variant:ident, $name:literal, $family:ident, $bits:literal, $bytes:literal;)*) => {
        /// An element type with its storage: little-endian, one element at least one byte.
        ///
        /// `i1` is 0 or 1 in a byte. Two- and four-bit integers lie unpacked, sign- or zero-extended in a byte;
        /// four- and six-bit floats lie in the low bits of one.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum DType { $(#[doc = concat!("`", $name, "`")] $variant),* }

        impl DType {
            /// Every element type, in order of declaration.
            pub const ALL: &[DType] = &[$(DType::$variant),*];

            /// The MLIR spelling (`f32`, `ui8`, `complex<f32>`).
            pub fn name(self) -> &'static str { match self { $(DType::$variant => $name),* } }

            /// What sort of number it is.
            pub fn family(self) -> Family { match self { $(DType::$variant => Family::$family),* } }

            /// Width of the value in bits (an `i4` has 4).
            pub fn bits(self) -> u32 { match self { $(DType::$variant => $bits),* } }

            /// Width of the storage of one element in bytes (an `i4` has 1).
            pub fn size_bytes(self) -> usize { match self { $(DType::$variant => $bytes),* } }
        }
    };
}

dtypes! {
    I1, "i1", Bool, 1, 1;
    I2, "i2", Signed, 2, 1;
    I4, "i4", Signed, 4, 1;
    I8, "i8", Signed, 8, 1;
    I16, "i16", Signed, 16, 2;
    I32, "i32", Signed, 32, 4;
    I64, "i64", Signed, 64, 8;
    U2, "ui2", Unsigned, 2, 1;
    U4, "ui4", Unsigned, 4, 1;
    U8, "ui8", Unsigned, 8, 1;
    U16, "ui16", Unsigned, 16, 2;
    U32, "ui32", Unsigned, 32, 4;
    U64, "ui64", Unsigned, 64, 8;
    Bf16, "bf16", Float, 16, 2;
    F16, "f16", Float, 16, 2;
    F32, "f32", Float, 32, 4;
    F64, "f64", Float, 64, 8;
    C64, "complex<f32>", Complex, 64, 8;
    C128, "complex<f64>", Complex, 128, 16;
    F4E2M1Fn, "f4E2M1FN", MiniFloat, 4, 1;
    F6E2M3Fn, "f6E2M3FN", MiniFloat, 6, 1;
    F6E3M2Fn, "f6E3M2FN", MiniFloat, 6, 1;
    F8E3M4, "f8E3M4", MiniFloat, 8, 1;
    F8E4M3, "f8E4M3", MiniFloat, 8, 1;
    F8E4M3Fn, "f8E4M3FN", MiniFloat, 8, 1;
    F8E4M3Fnuz, "f8E4M3FNUZ", MiniFloat, 8, 1;
    F8E4M3B11Fnuz, "f8E4M3B11FNUZ", MiniFloat, 8, 1;
    F8E5M2, "f8E5M2", MiniFloat, 8, 1;
    F8E5M2Fnuz, "f8E5M2FNUZ", MiniFloat, 8, 1;
    F8E8M0Fnu, "f8E8M0FNU", MiniFloat, 8, 1;
}

impl DType {
    /// True for signed and unsigned integers, false for `i1`.
    pub fn is_integer(self) -> bool {
        matches!(self.family(), Family::Signed | Family::Unsigned)
    }

    /// True for `bf16`, `f16`, `f32` and `f64`.
    pub fn is_float(self) -> bool {
        self.family() == Family::Float
    }

    /// True for the two complex types.
    pub fn is_complex(self) -> bool {
        self.family() == Family::Complex
    }

    /// The format of a type of [`Family::MiniFloat`]; none for any other.
    pub fn minifloat(self) -> Option<MiniFloat> {
        Some(match self {
            DType::F4E2M1Fn => MiniFloat::new(2, 1, 1, Specials::Finite),
            DType::F6E2M3Fn => MiniFloat::new(2, 3, 1, Specials::Finite),
            DType::F6E3M2Fn => MiniFloat::new(3, 2, 3, Specials::Finite),
            DType::F8E3M4 => MiniFloat::new(3, 4, 3, Specials::Ieee),
            DType::F8E4M3 => MiniFloat::new(4, 3, 7, Specials::Ieee),
            DType::F8E4M3Fn => MiniFloat::new(4, 3, 7, Specials::NanAllOnes),
            DType::F8E4M3Fnuz => MiniFloat::new(4, 3, 8, Specials::NanNegativeZero),
            DType::F8E4M3B11Fnuz => MiniFloat::new(4, 3, 11, Specials::NanNegativeZero),
            DType::F8E5M2 => MiniFloat::new(5, 2, 15, Specials::Ieee),
            DType::F8E5M2Fnuz => MiniFloat::new(5, 2, 16, Specials::NanNegativeZero),
            DType::F8E8M0Fnu => MiniFloat::new(8, 0, 127, Specials::UnsignedPowers),
            _ => return None,
        })
    }

    /// The type of the real and imaginary parts; none for a type that is not complex.
    pub fn complex_part(self) -> Option<DType> {
        match self {
            DType::C64 => Some(DType::F32),
            DType::C128 => Some(DType::F64),
            _ => None,
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that no element type has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no element type is named `{0}`")]
pub struct UnknownDType(pub String);

impl FromStr for DType {
    type Err = UnknownDType;

    fn from_str(text: &str) -> Result<DType, UnknownDType> {
        DType::ALL.iter().copied().find(|d| d.name() == text).ok_or_else(|| UnknownDType(text.to_string()))
    }
}
