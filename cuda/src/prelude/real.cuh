// Operations in f32 and f64.

inline bool is_nan(f32 a) { return a != a; }
inline bool is_nan(f64 a) { return a != a; }

#define PYGRAPH_REAL(T, BITS)                                                                           \
  inline T op_add(T a, T b) { return a + b; }                                                           \
  inline T op_sub(T a, T b) { return a - b; }                                                           \
  inline T op_mul(T a, T b) { return a * b; }                                                           \
  inline T op_div(T a, T b) { return a / b; }                                                           \
  inline T op_neg(T a) { return -a; }                                                                   \
  inline T op_max(T a, T b) {                                                                           \
    if (is_nan(a)) return a;                                                                            \
    if (is_nan(b)) return b;                                                                            \
    return a > b ? a : a < b ? b : reinterpret<T>(reinterpret<BITS>(a) & reinterpret<BITS>(b));         \
  }                                                                                                     \
  inline T op_min(T a, T b) {                                                                           \
    if (is_nan(a)) return a;                                                                            \
    if (is_nan(b)) return b;                                                                            \
    return a < b ? a : a > b ? b : reinterpret<T>(reinterpret<BITS>(a) | reinterpret<BITS>(b));         \
  }                                                                                                     \
  inline T op_sign(T a) { return a > 0 ? T(1) : a < 0 ? T(-1) : a; }                                    \
  inline bool op_is_finite(T a) { return a - a == T(0); }
PYGRAPH_REAL(f32, u32)
PYGRAPH_REAL(f64, u64)

// Functions of the standard library, in both widths.
#define PYGRAPH_FUNCTION(OP, FUNCTION)                    \
  inline f32 op_##OP(f32 a) { return FUNCTION##f(a); }    \
  inline f64 op_##OP(f64 a) { return FUNCTION(a); }
#define PYGRAPH_FUNCTION_2(OP, FUNCTION)                            \
  inline f32 op_##OP(f32 a, f32 b) { return FUNCTION##f(a, b); }    \
  inline f64 op_##OP(f64 a, f64 b) { return FUNCTION(a, b); }
PYGRAPH_FUNCTION(abs, fabs)
PYGRAPH_FUNCTION(floor, floor)
PYGRAPH_FUNCTION(ceil, ceil)
PYGRAPH_FUNCTION(round_away, round)
PYGRAPH_FUNCTION(round_even, rint)
PYGRAPH_FUNCTION(exp, exp)
PYGRAPH_FUNCTION(expm1, expm1)
PYGRAPH_FUNCTION(log, log)
PYGRAPH_FUNCTION(log1p, log1p)
PYGRAPH_FUNCTION(sqrt, sqrt)
PYGRAPH_FUNCTION(cbrt, cbrt)
PYGRAPH_FUNCTION(sin, sin)
PYGRAPH_FUNCTION(cos, cos)
PYGRAPH_FUNCTION(tan, tan)
PYGRAPH_FUNCTION(asin, asin)
PYGRAPH_FUNCTION(acos, acos)
PYGRAPH_FUNCTION(atan, atan)
PYGRAPH_FUNCTION(sinh, sinh)
PYGRAPH_FUNCTION(cosh, cosh)
PYGRAPH_FUNCTION(tanh, tanh)
PYGRAPH_FUNCTION(asinh, asinh)
PYGRAPH_FUNCTION(acosh, acosh)
PYGRAPH_FUNCTION(atanh, atanh)
PYGRAPH_FUNCTION(erf, erf)
PYGRAPH_FUNCTION(erfc, erfc)
PYGRAPH_FUNCTION_2(rem, fmod)
PYGRAPH_FUNCTION_2(atan2, atan2)

// Not every library takes any NaN for a number to which it does not matter.
inline f32 op_pow(f32 a, f32 b) { return a == 1 || b == 0 ? 1 : powf(a, b); }
inline f64 op_pow(f64 a, f64 b) { return a == 1 || b == 0 ? 1 : pow(a, b); }
inline f32 op_rsqrt(f32 a) { return 1 / sqrtf(a); }
inline f64 op_rsqrt(f64 a) { return 1 / sqrt(a); }
// The nearest quotient where `over` is from 1 to 2, and 1 if `value` is below 2^-24: the steps of a division, without the branch for quotients
// whose remainders are too small for f32, since those by 1 have none.
inline f32 divided_by_one_to_two(f32 value, f32 over) {
#ifdef __CUDA_ARCH__
  f32 inverse;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(inverse) : "f"(over));
  inverse = fmaf(fmaf(-over, inverse, 1), inverse, inverse);
  const f32 quotient = value * inverse;
  return fmaf(fmaf(-over, quotient, value), inverse, quotient);
#else
  return value / over;
#endif
}
// Far below zero exp(-a) is beyond what f32 holds, while the quotient is not yet zero.
inline f32 op_logistic(f32 a) {
  const f32 e = expf(-fabsf(a));
  return divided_by_one_to_two(a < 0 ? e : 1, 1 + e);
}
inline f64 op_logistic(f64 a) { return 1 / (1 + exp(-a)); }
