// Operations on complex numbers: computed in f64 and rounded once for c64. The formulas are Kahan's ("Branch cuts for complex
// elementary functions") where the plain ones lose digits.

inline c128 widen(c64 z) { return c128{z.re, z.im}; }
inline c128 widen(c128 z) { return z; }
template <class T>
inline T narrow_complex(c128 z);
template <>
inline c64 narrow_complex<c64>(c128 z) {
  return c64{f32(z.re), f32(z.im)};
}
template <>
inline c128 narrow_complex<c128>(c128 z) {
  return z;
}

inline bool is_nan(c128 z) { return is_nan(z.re) || is_nan(z.im); }
inline bool is_infinite(f64 a) { return fabs(a) == infinity(); }
inline c128 times_i(c128 z) { return c128{-z.im, z.re}; }
inline c128 times_minus_i(c128 z) { return c128{z.im, -z.re}; }
inline bool complex_lt(c128 a, c128 b) { return a.re == b.re ? a.im < b.im : a.re < b.re; }
inline bool complex_le(c128 a, c128 b) { return a.re == b.re ? a.im <= b.im : a.re < b.re; }

inline c128 complex_add(c128 a, c128 b) { return c128{a.re + b.re, a.im + b.im}; }
inline c128 complex_sub(c128 a, c128 b) { return c128{a.re - b.re, a.im - b.im}; }
inline c128 complex_mul(c128 a, c128 b) { return c128{a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }
inline c128 complex_neg(c128 a) { return c128{-a.re, -a.im}; }
inline c128 complex_max(c128 a, c128 b) { return complex_le(b, a) || is_nan(a) ? a : b; }
inline c128 complex_min(c128 a, c128 b) { return complex_le(a, b) || is_nan(a) ? a : b; }

// As C99's annex G: scaled so that the denominator neither overflows nor underflows; infinities and zeros divide as they do on the sphere.
inline c128 complex_div(c128 a, c128 b) {
  const f64 largest = fmax(fabs(b.re), fabs(b.im));
  const f64 scale = op_is_finite(largest) && largest > 0 ? ldexp(1.0, -ilogb(largest)) : 1;
  const f64 re = b.re * scale, im = b.im * scale;
  const f64 denominator = re * re + im * im;
  const c128 result = {(a.re * re + a.im * im) / denominator * scale, (a.im * re - a.re * im) / denominator * scale};
  if (!is_nan(result.re) || !is_nan(result.im)) return result;
  if (denominator == 0 && !(is_nan(a.re) && is_nan(a.im))) {
    const f64 large = copysign(infinity(), b.re);
    return c128{large * a.re, large * a.im};
  }
  const bool is_a_finite = op_is_finite(a.re) && op_is_finite(a.im), is_b_finite = op_is_finite(b.re) && op_is_finite(b.im);
  if ((is_infinite(a.re) || is_infinite(a.im)) && is_b_finite) {
    const f64 x = copysign(f64(is_infinite(a.re)), a.re), y = copysign(f64(is_infinite(a.im)), a.im);
    return c128{infinity() * (x * b.re + y * b.im), infinity() * (y * b.re - x * b.im)};
  }
  if ((is_infinite(b.re) || is_infinite(b.im)) && is_a_finite) {
    const f64 x = copysign(f64(is_infinite(b.re)), b.re), y = copysign(f64(is_infinite(b.im)), b.im);
    return c128{0 * (a.re * x + a.im * y), 0 * (a.im * x - a.re * y)};
  }
  return result;
}

inline c128 complex_sign(c128 z) {
  const f64 magnitude = hypot(z.re, z.im);
  if (is_nan(magnitude)) return c128{magnitude, magnitude};
  if (magnitude == 0) return c128{0, 0};
  return c128{z.re / magnitude, z.im / magnitude};
}

inline c128 complex_exp(c128 z) {
  if (z.im == 0) return c128{exp(z.re), z.im};
  if (is_infinite(z.re) && !op_is_finite(z.im)) return z.re < 0 ? c128{0, 0} : c128{infinity(), not_a_number()};
  const f64 cosine = cos(z.im), sine = sin(z.im);
  // Halves keep a finite product finite where exp(re) alone overflows.
  if (z.re > 700) {
    const f64 half = exp(z.re / 2);
    return c128{half * cosine * half, half * sine * half};
  }
  return c128{exp(z.re) * cosine, exp(z.re) * sine};
}

inline c128 complex_expm1(c128 z) {
  const f64 half_sine = sin(z.im / 2);
  return c128{expm1(z.re) * cos(z.im) - 2 * half_sine * half_sine, complex_exp(z).im};
}

// Logarithm of the modulus, accurate around 1.
inline f64 log_modulus(f64 re, f64 im) {
  const f64 large = fmax(fabs(re), fabs(im)), small = fmin(fabs(re), fabs(im));
  if (large > 0.5 && large < 2) return 0.5 * log1p((large - 1) * (large + 1) + small * small);
  if ((large > 1e150 && op_is_finite(large)) || (large < 1e-150 && large > 0)) {
    return log(large) + 0.5 * log1p((small / large) * (small / large));
  }
  return log(hypot(re, im));
}

inline c128 complex_log(c128 z) { return c128{log_modulus(z.re, z.im), atan2(z.im, z.re)}; }

inline c128 complex_log1p(c128 z) {
  const bool is_small = fabs(z.re) < 1 && fabs(z.im) < 1;
  const f64 re = is_small ? 0.5 * log1p(z.re * (2 + z.re) + z.im * z.im) : log_modulus(1 + z.re, z.im);
  return c128{re, atan2(z.im, 1 + z.re)};
}

inline c128 complex_sqrt(c128 z) {
  if (z.re == 0 && z.im == 0) return c128{0, z.im};
  if (is_infinite(z.im)) return c128{infinity(), z.im};
  if (is_infinite(z.re)) {
    const f64 small = is_nan(z.im) ? z.im : 0;
    return z.re > 0 ? c128{infinity(), copysign(small, z.im)} : c128{small, copysign(infinity(), z.im)};
  }
  // Scaled by a power of four so that the modulus neither overflows nor loses digits.
  const f64 largest = fmax(fabs(z.re), fabs(z.im));
  const int power = largest > 1e300 ? -2 : largest < 1e-290 ? 54 : 0;
  const f64 scale = ldexp(1.0, 2 * power), root = ldexp(1.0, -power);
  const f64 re = z.re * scale, im = z.im * scale;
  const f64 t = sqrt((fabs(re) + hypot(re, im)) / 2), other = im / (2 * t);
  return re >= 0 ? c128{t * root, other * root} : c128{fabs(other) * root, copysign(t, im) * root};
}

inline c128 complex_rsqrt(c128 z) { return complex_div(c128{1, 0}, complex_sqrt(z)); }

inline c128 complex_pow(c128 base, c128 exponent) {
  if (exponent.re == 0 && exponent.im == 0) return c128{1, 0};
  if (base.re == 0 && base.im == 0) {
    return exponent.re > 0 ? c128{0, 0} : c128{not_a_number(), not_a_number()};
  }
  return complex_exp(complex_mul(exponent, complex_log(base)));
}

inline c128 complex_cbrt(c128 z) { return complex_pow(z, c128{1.0 / 3.0, 0}); }

// -i log((x + iy) / sqrt(x² + y²)).
inline c128 complex_atan2(c128 y, c128 x) {
  const c128 root = complex_sqrt(complex_add(complex_mul(x, x), complex_mul(y, y)));
  return times_minus_i(complex_log(complex_div(complex_add(x, times_i(y)), root)));
}

inline c128 complex_sinh(c128 z) {
  if (z.im == 0) return c128{sinh(z.re), z.im};
  return c128{sinh(z.re) * cos(z.im), cosh(z.re) * sin(z.im)};
}

inline c128 complex_cosh(c128 z) {
  if (z.im == 0) return c128{cosh(z.re), is_nan(z.re) ? z.re : z.im * copysign(1.0, z.re)};
  if (z.re == 0) return c128{cos(z.im), z.re * sin(z.im)};
  return c128{cosh(z.re) * cos(z.im), sinh(z.re) * sin(z.im)};
}

inline c128 complex_tanh(c128 z) {
  if (fabs(z.re) > 20) {
    const f64 small = op_is_finite(z.im) ? 4 * sin(z.im) * cos(z.im) * exp(-2 * fabs(z.re)) : 0;
    return c128{copysign(1.0, z.re), small};
  }
  const f64 t = tan(z.im), beta = 1 + t * t, s = sinh(z.re), rho = sqrt(1 + s * s);
  if (is_infinite(t)) return c128{rho / s, 1 / t};
  const f64 denominator = 1 + beta * s * s;
  return c128{beta * rho * s / denominator, t / denominator};
}

inline c128 complex_asin(c128 z) {
  const c128 minus = complex_sqrt(c128{1 - z.re, -z.im}), plus = complex_sqrt(c128{1 + z.re, z.im});
  return c128{atan2(z.re, minus.re * plus.re - minus.im * plus.im), asinh(minus.re * plus.im - minus.im * plus.re)};
}

inline c128 complex_acos(c128 z) {
  const c128 minus = complex_sqrt(c128{1 - z.re, -z.im}), plus = complex_sqrt(c128{1 + z.re, z.im});
  return c128{2 * atan2(minus.re, plus.re), asinh(plus.re * minus.im - plus.im * minus.re)};
}

inline c128 complex_acosh(c128 z) {
  const c128 minus = complex_sqrt(c128{z.re - 1, z.im}), plus = complex_sqrt(c128{z.re + 1, z.im});
  return c128{asinh(minus.re * plus.re + minus.im * plus.im), 2 * atan2(minus.im, plus.re)};
}

inline c128 complex_atanh(c128 z) {
  if (fabs(z.re) > 1e150 || fabs(z.im) > 1e150) return c128{copysign(0.0, z.re), copysign(PI / 2, z.im)};
  const f64 x = z.re, y = z.im;
  const f64 re = 0.25 * log1p(4 * x / ((1 - x) * (1 - x) + y * y));
  return c128{re, 0.5 * atan2(2 * y, (1 - x) * (1 + x) - y * y)};
}

inline c128 complex_sin(c128 z) { return times_minus_i(complex_sinh(times_i(z))); }
inline c128 complex_cos(c128 z) { return complex_cosh(times_i(z)); }
inline c128 complex_tan(c128 z) { return times_minus_i(complex_tanh(times_i(z))); }
inline c128 complex_atan(c128 z) { return times_minus_i(complex_atanh(times_i(z))); }
inline c128 complex_asinh(c128 z) { return times_minus_i(complex_asin(times_i(z))); }
inline c128 complex_logistic(c128 z) {
  return complex_div(c128{1, 0}, complex_add(c128{1, 0}, complex_exp(complex_neg(z))));
}

#define PYGRAPH_COMPLEX_1(T, OP) \
  inline T op_##OP(T a) { return narrow_complex<T>(complex_##OP(widen(a))); }
#define PYGRAPH_COMPLEX_2(T, OP) \
  inline T op_##OP(T a, T b) { return narrow_complex<T>(complex_##OP(widen(a), widen(b))); }
#define PYGRAPH_COMPLEX(T, PART)                                                              \
  PYGRAPH_COMPLEX_2(T, add)                                                                   \
  PYGRAPH_COMPLEX_2(T, sub)                                                                   \
  PYGRAPH_COMPLEX_2(T, mul)                                                                   \
  PYGRAPH_COMPLEX_2(T, div)                                                                   \
  PYGRAPH_COMPLEX_2(T, max)                                                                   \
  PYGRAPH_COMPLEX_2(T, min)                                                                   \
  PYGRAPH_COMPLEX_2(T, pow)                                                                   \
  PYGRAPH_COMPLEX_2(T, atan2)                                                                 \
  PYGRAPH_COMPLEX_1(T, neg)                                                                   \
  PYGRAPH_COMPLEX_1(T, sign)                                                                  \
  PYGRAPH_COMPLEX_1(T, exp)                                                                   \
  PYGRAPH_COMPLEX_1(T, expm1)                                                                 \
  PYGRAPH_COMPLEX_1(T, log)                                                                   \
  PYGRAPH_COMPLEX_1(T, log1p)                                                                 \
  PYGRAPH_COMPLEX_1(T, sqrt)                                                                  \
  PYGRAPH_COMPLEX_1(T, rsqrt)                                                                 \
  PYGRAPH_COMPLEX_1(T, cbrt)                                                                  \
  PYGRAPH_COMPLEX_1(T, sin)                                                                   \
  PYGRAPH_COMPLEX_1(T, cos)                                                                   \
  PYGRAPH_COMPLEX_1(T, tan)                                                                   \
  PYGRAPH_COMPLEX_1(T, asin)                                                                  \
  PYGRAPH_COMPLEX_1(T, acos)                                                                  \
  PYGRAPH_COMPLEX_1(T, atan)                                                                  \
  PYGRAPH_COMPLEX_1(T, sinh)                                                                  \
  PYGRAPH_COMPLEX_1(T, cosh)                                                                  \
  PYGRAPH_COMPLEX_1(T, tanh)                                                                  \
  PYGRAPH_COMPLEX_1(T, asinh)                                                                 \
  PYGRAPH_COMPLEX_1(T, acosh)                                                                 \
  PYGRAPH_COMPLEX_1(T, atanh)                                                                 \
  PYGRAPH_COMPLEX_1(T, logistic)                                                              \
  inline PART op_abs(T a) { return PART(hypot(f64(a.re), f64(a.im))); }                       \
  inline PART op_real(T a) { return a.re; }                                                   \
  inline PART op_imag(T a) { return a.im; }                                                   \
  inline T op_complex(PART a, PART b) { return T{a, b}; }                                     \
  inline bool op_eq(T a, T b) { return a.re == b.re && a.im == b.im; }                        \
  inline bool op_ne(T a, T b) { return !op_eq(a, b); }                                        \
  inline bool op_lt(T a, T b) { return complex_lt(widen(a), widen(b)); }                      \
  inline bool op_le(T a, T b) { return complex_le(widen(a), widen(b)); }                      \
  inline bool op_gt(T a, T b) { return complex_lt(widen(b), widen(a)); }                      \
  inline bool op_ge(T a, T b) { return complex_le(widen(b), widen(a)); }
PYGRAPH_COMPLEX(c64, f32)
PYGRAPH_COMPLEX(c128, f64)
