//! Complex operations, computed in `f64` and rounded once for `complex<f32>`.
//!
//! The formulas are Kahan's ("Branch cuts for complex elementary functions") where the plain ones lose digits.

use bytemuck::Pod;
use num_complex::Complex;
use pygraph_artifact::scalar::ScalarOp;

use super::{LaneFn, binary, unary};

type C = Complex<f64>;

/// A complex type that elements have.
pub(super) trait ComplexElement: Pod {
    /// Its parts' type.
    type Part: Pod;
    fn wide(self) -> C;
    fn narrow(value: C) -> Self;
    fn part(value: f64) -> Self::Part;
    /// Real and imaginary part, ordered lexicographically.
    fn parts(self) -> (f64, f64) {
        let wide = self.wide();
        (wide.re, wide.im)
    }
}

impl ComplexElement for Complex<f32> {
    type Part = f32;
    fn wide(self) -> C {
        C { re: f64::from(self.re), im: f64::from(self.im) }
    }
    fn narrow(value: C) -> Complex<f32> {
        Complex { re: value.re as f32, im: value.im as f32 }
    }
    fn part(value: f64) -> f32 {
        value as f32
    }
}

impl ComplexElement for Complex<f64> {
    type Part = f64;
    fn wide(self) -> C {
        self
    }
    fn narrow(value: C) -> C {
        value
    }
    fn part(value: f64) -> f64 {
        value
    }
}

pub(super) fn complex<T: ComplexElement>(op: ScalarOp) -> Option<LaneFn> {
    macro_rules! of_one {
        ($f:expr) => {
            |operands, out| unary(operands, out, |x: T| T::narrow($f(x.wide())))
        };
    }
    macro_rules! of_two {
        ($f:expr) => {
            |operands, out| binary(operands, out, |x: T, y: T| T::narrow($f(x.wide(), y.wide())))
        };
    }
    Some(match op {
        ScalarOp::Add => of_two!(|a: C, b: C| a + b),
        ScalarOp::Sub => of_two!(|a: C, b: C| a - b),
        ScalarOp::Mul => of_two!(|a: C, b: C| a * b),
        ScalarOp::Div => of_two!(divide),
        ScalarOp::Max => of_two!(|a: C, b: C| if (a.re, a.im) >= (b.re, b.im) || is_nan(a) { a } else { b }),
        ScalarOp::Min => of_two!(|a: C, b: C| if (a.re, a.im) <= (b.re, b.im) || is_nan(a) { a } else { b }),
        ScalarOp::Pow => of_two!(power),
        ScalarOp::Atan2 => of_two!(atan2),
        ScalarOp::Neg => of_one!(|a: C| -a),
        ScalarOp::Abs => |operands, out| unary(operands, out, |x: T| T::part(x.wide().re.hypot(x.wide().im))),
        ScalarOp::Real => |operands, out| unary(operands, out, |x: T| T::part(x.wide().re)),
        ScalarOp::Imag => |operands, out| unary(operands, out, |x: T| T::part(x.wide().im)),
        ScalarOp::Sign => of_one!(sign),
        ScalarOp::Exp => of_one!(exp),
        ScalarOp::Expm1 => of_one!(expm1),
        ScalarOp::Log => of_one!(log),
        ScalarOp::Log1p => of_one!(log1p),
        ScalarOp::Sqrt => of_one!(sqrt),
        ScalarOp::Rsqrt => of_one!(|a: C| divide(C::new(1.0, 0.0), sqrt(a))),
        ScalarOp::Cbrt => of_one!(|a: C| power(a, C::new(1.0 / 3.0, 0.0))),
        ScalarOp::Sin => of_one!(|a: C| times_minus_i(sinh(times_i(a)))),
        ScalarOp::Cos => of_one!(|a: C| cosh(times_i(a))),
        ScalarOp::Tan => of_one!(|a: C| times_minus_i(tanh(times_i(a)))),
        ScalarOp::Sinh => of_one!(sinh),
        ScalarOp::Cosh => of_one!(cosh),
        ScalarOp::Tanh => of_one!(tanh),
        ScalarOp::Asin => of_one!(asin),
        ScalarOp::Acos => of_one!(acos),
        ScalarOp::Atan => of_one!(|a: C| times_minus_i(atanh(times_i(a)))),
        ScalarOp::Asinh => of_one!(|a: C| times_minus_i(asin(times_i(a)))),
        ScalarOp::Acosh => of_one!(acosh),
        ScalarOp::Atanh => of_one!(atanh),
        ScalarOp::Logistic => of_one!(|a: C| divide(C::new(1.0, 0.0), C::new(1.0, 0.0) + exp(-a))),
        _ => return None,
    })
}

fn is_nan(z: C) -> bool {
    z.re.is_nan() || z.im.is_nan()
}

fn times_i(z: C) -> C {
    C::new(-z.im, z.re)
}

fn times_minus_i(z: C) -> C {
    C::new(z.im, -z.re)
}

/// As C99's annex G: scaled so that the denominator neither overflows nor underflows; infinities and zeros divide
/// as they do on the sphere.
fn divide(a: C, b: C) -> C {
    let largest = b.re.abs().max(b.im.abs());
    let scale = if largest.is_finite() && largest > 0.0 { 2f64.powi(-(largest.log2().floor() as i32)) } else { 1.0 };
    let (re, im) = (b.re * scale, b.im * scale);
    let denominator = re * re + im * im;
    let result = C::new((a.re * re + a.im * im) / denominator * scale, (a.im * re - a.re * im) / denominator * scale);
    if !(result.re.is_nan() && result.im.is_nan()) {
        return result;
    }
    let unit = |x: f64| f64::from(u8::from(x.is_infinite())).copysign(x);
    if denominator == 0.0 && (!a.re.is_nan() || !a.im.is_nan()) {
        let infinity = f64::INFINITY.copysign(b.re);
        C::new(infinity * a.re, infinity * a.im)
    } else if (a.re.is_infinite() || a.im.is_infinite()) && b.re.is_finite() && b.im.is_finite() {
        let (x, y) = (unit(a.re), unit(a.im));
        C::new(f64::INFINITY * (x * b.re + y * b.im), f64::INFINITY * (y * b.re - x * b.im))
    } else if (b.re.is_infinite() || b.im.is_infinite()) && a.re.is_finite() && a.im.is_finite() {
        let (x, y) = (unit(b.re), unit(b.im));
        C::new(0.0 * (a.re * x + a.im * y), 0.0 * (a.im * x - a.re * y))
    } else {
        result
    }
}

fn sign(z: C) -> C {
    let magnitude = z.re.hypot(z.im);
    if magnitude.is_nan() {
        return C::new(f64::NAN, f64::NAN);
    }
    if magnitude == 0.0 { C::new(0.0, 0.0) } else { C::new(z.re / magnitude, z.im / magnitude) }
}

fn exp(z: C) -> C {
    if z.im == 0.0 {
        return C::new(z.re.exp(), z.im);
    }
    if z.re == f64::NEG_INFINITY && !z.im.is_finite() {
        return C::new(0.0, 0.0);
    }
    if z.re == f64::INFINITY && !z.im.is_finite() {
        return C::new(f64::INFINITY, f64::NAN);
    }
    // Halves keep a finite product finite where exp(re) alone overflows.
    let (half, (sin, cos)) = ((z.re / 2.0).exp(), z.im.sin_cos());
    if z.re > 700.0 { C::new(half * cos * half, half * sin * half) } else { C::new(z.re.exp() * cos, z.re.exp() * sin) }
}

fn expm1(z: C) -> C {
    let half_sin = (z.im / 2.0).sin();
    let im = exp(z).im;
    C::new(z.re.exp_m1() * z.im.cos() - 2.0 * half_sin * half_sin, im)
}

/// Logarithm of the modulus, accurate around 1.
fn log_modulus(re: f64, im: f64) -> f64 {
    let (large, small) = (re.abs().max(im.abs()), re.abs().min(im.abs()));
    if large > 0.5 && large < 2.0 {
        0.5 * ((large - 1.0) * (large + 1.0) + small * small).ln_1p()
    } else if large > 1e150 && large.is_finite() || large < 1e-150 && large > 0.0 {
        large.ln() + 0.5 * ((small / large) * (small / large)).ln_1p()
    } else {
        re.hypot(im).ln()
    }
}

fn log(z: C) -> C {
    C::new(log_modulus(z.re, z.im), z.im.atan2(z.re))
}

fn log1p(z: C) -> C {
    let re = if z.re.abs() < 1.0 && z.im.abs() < 1.0 {
        0.5 * (z.re * (2.0 + z.re) + z.im * z.im).ln_1p()
    } else {
        log_modulus(1.0 + z.re, z.im)
    };
    C::new(re, z.im.atan2(1.0 + z.re))
}

fn sqrt(z: C) -> C {
    if z.re == 0.0 && z.im == 0.0 {
        return C::new(0.0, z.im);
    }
    if z.im.is_infinite() {
        return C::new(f64::INFINITY, z.im);
    }
    if z.re.is_infinite() {
        let small = if z.im.is_nan() { z.im } else { 0.0 };
        let large = f64::INFINITY;
        return if z.re > 0.0 { C::new(large, small.copysign(z.im)) } else { C::new(small, large.copysign(z.im)) };
    }
    // Scaled by a power of four so that the modulus neither overflows nor loses digits.
    let largest = z.re.abs().max(z.im.abs());
    let (scale, root) = if largest > 1e300 {
        (2f64.powi(-4), 2f64.powi(2))
    } else if largest < 1e-290 {
        (2f64.powi(108), 2f64.powi(-54))
    } else {
        (1.0, 1.0)
    };
    let (re, im) = (z.re * scale, z.im * scale);
    let t = ((re.abs() + re.hypot(im)) / 2.0).sqrt();
    let other = im / (2.0 * t);
    if re >= 0.0 { C::new(t * root, other * root) } else { C::new(other.abs() * root, t.copysign(im) * root) }
}

fn power(base: C, exponent: C) -> C {
    if exponent.re == 0.0 && exponent.im == 0.0 {
        return C::new(1.0, 0.0);
    }
    if base.re == 0.0 && base.im == 0.0 {
        return if exponent.re > 0.0 { C::new(0.0, 0.0) } else { C::new(f64::NAN, f64::NAN) };
    }
    exp(exponent * log(base))
}

/// `-i log((x + iy) / sqrt(x² + y²))`.
fn atan2(y: C, x: C) -> C {
    times_minus_i(log(divide(x + times_i(y), sqrt(x * x + y * y))))
}

fn sinh(z: C) -> C {
    if z.im == 0.0 {
        return C::new(z.re.sinh(), z.im);
    }
    C::new(z.re.sinh() * z.im.cos(), z.re.cosh() * z.im.sin())
}

fn cosh(z: C) -> C {
    if z.im == 0.0 {
        return C::new(z.re.cosh(), z.im * z.re.signum());
    }
    if z.re == 0.0 {
        return C::new(z.im.cos(), z.re * z.im.sin());
    }
    C::new(z.re.cosh() * z.im.cos(), z.re.sinh() * z.im.sin())
}

fn tanh(z: C) -> C {
    if z.re.abs() > 20.0 {
        let small = if z.im.is_finite() { 4.0 * z.im.sin() * z.im.cos() * (-2.0 * z.re.abs()).exp() } else { 0.0 };
        return C::new(1f64.copysign(z.re), small);
    }
    let t = z.im.tan();
    let beta = 1.0 + t * t;
    let s = z.re.sinh();
    let rho = (1.0 + s * s).sqrt();
    if t.is_infinite() {
        return C::new(rho / s, 1.0 / t);
    }
    let denominator = 1.0 + beta * s * s;
    C::new(beta * rho * s / denominator, t / denominator)
}

fn asin(z: C) -> C {
    let (minus, plus) = (sqrt(C::new(1.0 - z.re, -z.im)), sqrt(C::new(1.0 + z.re, z.im)));
    let re = z.re.atan2(minus.re * plus.re - minus.im * plus.im);
    C::new(re, libm::asinh(minus.re * plus.im - minus.im * plus.re))
}

fn acos(z: C) -> C {
    let (minus, plus) = (sqrt(C::new(1.0 - z.re, -z.im)), sqrt(C::new(1.0 + z.re, z.im)));
    C::new(2.0 * minus.re.atan2(plus.re), libm::asinh(plus.re * minus.im - plus.im * minus.re))
}

fn acosh(z: C) -> C {
    let (minus, plus) = (sqrt(C::new(z.re - 1.0, z.im)), sqrt(C::new(z.re + 1.0, z.im)));
    C::new(libm::asinh(minus.re * plus.re + minus.im * plus.im), 2.0 * minus.im.atan2(plus.re))
}

fn atanh(z: C) -> C {
    if z.re.abs() > 1e150 || z.im.abs() > 1e150 {
        return C::new(0f64.copysign(z.re), std::f64::consts::FRAC_PI_2.copysign(z.im));
    }
    let (x, y) = (z.re, z.im);
    let re = 0.25 * (4.0 * x / ((1.0 - x) * (1.0 - x) + y * y)).ln_1p();
    C::new(re, 0.5 * (2.0 * y).atan2((1.0 - x) * (1.0 + x) - y * y))
}
