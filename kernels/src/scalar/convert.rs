//! Conversion between any two element types, rounded once.

use half::{bf16, f16};
use num_complex::Complex;
use pygraph_artifact::dtype::DType;

use super::{LaneFn, bits, minifloat, real::Real, unary};

/// The function from one type to another. Results of two or four bits are still to be narrowed.
pub(super) fn convert(from: DType, to: DType) -> Option<LaneFn> {
    macro_rules! from_type {
        ($storage:ty, $load:expr, $number:ty) => {
            match to {
                DType::I1 => |operands, out| unary(operands, out, |x: $storage| u8::from($load(x) != (0 as $number))),
                DType::I2 | DType::I4 | DType::I8 => |operands, out| unary(operands, out, |x: $storage| $load(x) as i8),
                DType::U2 | DType::U4 | DType::U8 => |operands, out| unary(operands, out, |x: $storage| $load(x) as u8),
                DType::I16 => |operands, out| unary(operands, out, |x: $storage| $load(x) as i16),
                DType::I32 => |operands, out| unary(operands, out, |x: $storage| $load(x) as i32),
                DType::I64 => |operands, out| unary(operands, out, |x: $storage| $load(x) as i64),
                DType::U16 => |operands, out| unary(operands, out, |x: $storage| $load(x) as u16),
                DType::U32 => |operands, out| unary(operands, out, |x: $storage| $load(x) as u32),
                DType::U64 => |operands, out| unary(operands, out, |x: $storage| $load(x) as u64),
                DType::Bf16 => {
                    |operands, out| unary(operands, out, |x: $storage| <bf16 as Real>::from_f64($load(x).sticky()))
                }
                DType::F16 => {
                    |operands, out| unary(operands, out, |x: $storage| <f16 as Real>::from_f64($load(x).sticky()))
                }
                DType::F32 => |operands, out| unary(operands, out, |x: $storage| $load(x) as f32),
                DType::F64 => |operands, out| unary(operands, out, |x: $storage| $load(x) as f64),
                DType::C64 => {
                    |operands, out| unary(operands, out, |x: $storage| Complex { re: $load(x) as f32, im: 0.0 })
                }
                DType::C128 => {
                    |operands, out| unary(operands, out, |x: $storage| Complex { re: $load(x) as f64, im: 0.0 })
                }
                _ => return minifloat::convert(from, to),
            }
        };
    }
    macro_rules! same {
        ($t:ty) => {
            |x: $t| x
        };
    }
    if from == to {
        return Some(bits::copy(from.size_bytes()));
    }
    match (from, to) {
        (DType::F32, DType::Bf16) => return Some(|operands, out| unary(operands, out, |x: f32| bf16::down(x))),
        (DType::F32, DType::F16) => return Some(|operands, out| unary(operands, out, |x: f32| f16::down(x))),
        (DType::C64, DType::C128) => {
            return Some(|operands, out| {
                unary(operands, out, |x: Complex<f32>| Complex { re: f64::from(x.re), im: f64::from(x.im) });
            });
        }
        (DType::C128, DType::C64) => {
            return Some(|operands, out| {
                unary(operands, out, |x: Complex<f64>| Complex { re: x.re as f32, im: x.im as f32 });
            });
        }
        _ => {}
    }
    let function: LaneFn = match from {
        DType::I1 | DType::U2 | DType::U4 | DType::U8 => from_type!(u8, same!(u8), u8),
        DType::I2 | DType::I4 | DType::I8 => from_type!(i8, same!(i8), i8),
        DType::I16 => from_type!(i16, same!(i16), i16),
        DType::I32 => from_type!(i32, same!(i32), i32),
        DType::I64 => from_type!(i64, same!(i64), i64),
        DType::U16 => from_type!(u16, same!(u16), u16),
        DType::U32 => from_type!(u32, same!(u32), u32),
        DType::U64 => from_type!(u64, same!(u64), u64),
        DType::Bf16 => from_type!(bf16, |x: bf16| x.up(), f32),
        DType::F16 => from_type!(f16, |x: f16| x.up(), f32),
        DType::F32 => from_type!(f32, same!(f32), f32),
        DType::F64 => from_type!(f64, same!(f64), f64),
        DType::C64 => from_type!(Complex<f32>, |x: Complex<f32>| x.re, f32),
        DType::C128 => from_type!(Complex<f64>, |x: Complex<f64>| x.re, f64),
        _ => return minifloat::convert(from, to),
    };
    Some(function)
}

/// To an `f64` that rounds on to the half types as the number itself would.
trait Sticky {
    fn sticky(self) -> f64;
}

macro_rules! exact {
    ($($t:ty)*) => {
        $(impl Sticky for $t {
            #[inline(always)]
            fn sticky(self) -> f64 {
                self as f64
            }
        })*
    };
}
exact!(i8 i16 i32 u8 u16 u32 f32 f64);

impl Sticky for u64 {
    /// Large numbers keep 53 bits, the last of which tells whether anything was cut off.
    #[inline(always)]
    fn sticky(self) -> f64 {
        let cut = (self >> 11 | u64::from(self & 0x7ff != 0)) << 11;
        (if self >> 53 == 0 { self } else { cut }) as f64
    }
}

impl Sticky for i64 {
    #[inline(always)]
    fn sticky(self) -> f64 {
        let magnitude = self.unsigned_abs().sticky();
        if self < 0 { -magnitude } else { magnitude }
    }
}
