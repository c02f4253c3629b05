//! Operations that are computed in `f64` whatever the float type, and rounded once: one table, from which the interpreter's
//! loops and the functions that native code calls are made, so that both give the same bits.

use std::ffi::c_void;

use pygraph_artifact::scalar::ScalarOp;

use super::{LaneFn, binary, real::Real, special, unary};

macro_rules! functions {
    (one: { $($op:ident = $f:path;)* } two: { $($op_of_two:ident = $f_of_two:path;)* }) => {
        /// The operation on lanes of `T`; none if it is not computed in `f64`.
        pub(super) fn in_f64<T: Real>(op: ScalarOp) -> Option<LaneFn> {
            Some(match op {
                $(ScalarOp::$op => |operands, out| unary(operands, out, |x: T| T::from_f64($f(x.to_f64()))),)*
                $(ScalarOp::$op_of_two => {
                    |operands, out| binary(operands, out, |x: T, y: T| T::from_f64($f_of_two(x.to_f64(), y.to_f64())))
                })*
                _ => return None,
            })
        }

        /// The address of the operation on one `f64` each, with C's calling convention; none if native code computes it itself.
        pub(crate) fn f64_function(op: ScalarOp) -> Option<*const c_void> {
            type One = extern "C" fn(f64) -> f64;
            type Two = extern "C" fn(f64, f64) -> f64;
            Some(match op {
                $(ScalarOp::$op => {
                    extern "C" fn function(x: f64) -> f64 {
                        $f(x)
                    }
                    function as One as *const c_void
                })*
                $(ScalarOp::$op_of_two => {
                    extern "C" fn function(x: f64, y: f64) -> f64 {
                        $f_of_two(x, y)
                    }
                    function as Two as *const c_void
                })*
                // The remainder of two narrower floats is exact, and so the same in f64.
                ScalarOp::Rem => {
                    extern "C" fn function(x: f64, y: f64) -> f64 {
                        x % y
                    }
                    function as Two as *const c_void
                }
                _ => return None,
            })
        }
    };
}

functions! {
    one: {
        Exp = f64::exp;
        Expm1 = f64::exp_m1;
        Log = f64::ln;
        Log1p = f64::ln_1p;
        Rsqrt = special::rsqrt;
        Cbrt = f64::cbrt;
        Sin = f64::sin;
        Cos = f64::cos;
        Tan = f64::tan;
        Asin = f64::asin;
        Acos = f64::acos;
        Atan = f64::atan;
        Sinh = f64::sinh;
        Cosh = f64::cosh;
        Tanh = f64::tanh;
        Asinh = libm::asinh;
        Acosh = special::acosh;
        Atanh = libm::atanh;
        Logistic = special::logistic;
        Erf = libm::erf;
        Erfc = libm::erfc;
        ErfInv = special::erf_inv;
        Lgamma = libm::lgamma;
        Digamma = special::digamma;
        BesselI1e = special::bessel_i1e;
    }
    two: {
        Pow = f64::powf;
        Atan2 = f64::atan2;
        Polygamma = special::polygamma;
        Zeta = special::zeta;
    }
}

/// True if native code can call the operation on `f64`.
pub fn is_f64_function(op: ScalarOp) -> bool {
    f64_function(op).is_some()
}
