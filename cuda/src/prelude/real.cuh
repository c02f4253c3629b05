// Operations on real numbers. Those in f16 and bf16 compute in f32 and round once.

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
PYGRAPH_FUNCTION_2(pow, pow)
PYGRAPH_FUNCTION_2(atan2, atan2)

inline f32 op_rsqrt(f32 a) { return 1 / sqrtf(a); }
inline f64 op_rsqrt(f64 a) { return 1 / sqrt(a); }
inline f32 op_logistic(f32 a) { return 1 / (1 + expf(-a)); }
inline f64 op_logistic(f64 a) { return 1 / (1 + exp(-a)); }

// The narrow types, through f32.
#define PYGRAPH_NARROW_1(T, OP) \
  inline T op_##OP(T a) { return narrow<T>(op_##OP(widen(a))); }
#define PYGRAPH_NARROW_2(T, OP) \
  inline T op_##OP(T a, T b) { return narrow<T>(op_##OP(widen(a), widen(b))); }
#define PYGRAPH_NARROW_PREDICATE(T, OP) \
  inline bool op_##OP(T a, T b) { return op_##OP(widen(a), widen(b)); }
#define PYGRAPH_NARROW(T)         \
  PYGRAPH_NARROW_2(T, add)        \
  PYGRAPH_NARROW_2(T, sub)        \
  PYGRAPH_NARROW_2(T, mul)        \
  PYGRAPH_NARROW_2(T, div)        \
  PYGRAPH_NARROW_2(T, rem)        \
  PYGRAPH_NARROW_2(T, max)        \
  PYGRAPH_NARROW_2(T, min)        \
  PYGRAPH_NARROW_2(T, pow)        \
  PYGRAPH_NARROW_2(T, atan2)      \
  PYGRAPH_NARROW_1(T, sign)       \
  PYGRAPH_NARROW_1(T, floor)      \
  PYGRAPH_NARROW_1(T, ceil)       \
  PYGRAPH_NARROW_1(T, round_away) \
  PYGRAPH_NARROW_1(T, round_even) \
  PYGRAPH_NARROW_1(T, exp)        \
  PYGRAPH_NARROW_1(T, expm1)      \
  PYGRAPH_NARROW_1(T, log)        \
  PYGRAPH_NARROW_1(T, log1p)      \
  PYGRAPH_NARROW_1(T, sqrt)       \
  PYGRAPH_NARROW_1(T, rsqrt)      \
  PYGRAPH_NARROW_1(T, cbrt)       \
  PYGRAPH_NARROW_1(T, sin)        \
  PYGRAPH_NARROW_1(T, cos)        \
  PYGRAPH_NARROW_1(T, tan)        \
  PYGRAPH_NARROW_1(T, asin)       \
  PYGRAPH_NARROW_1(T, acos)       \
  PYGRAPH_NARROW_1(T, atan)       \
  PYGRAPH_NARROW_1(T, sinh)       \
  PYGRAPH_NARROW_1(T, cosh)       \
  PYGRAPH_NARROW_1(T, tanh)       \
  PYGRAPH_NARROW_1(T, asinh)      \
  PYGRAPH_NARROW_1(T, acosh)      \
  PYGRAPH_NARROW_1(T, atanh)      \
  PYGRAPH_NARROW_1(T, erf)        \
  PYGRAPH_NARROW_1(T, erfc)       \
  PYGRAPH_NARROW_1(T, logistic)   \
  PYGRAPH_NARROW_PREDICATE(T, eq) \
  PYGRAPH_NARROW_PREDICATE(T, ne) \
  PYGRAPH_NARROW_PREDICATE(T, lt) \
  PYGRAPH_NARROW_PREDICATE(T, le) \
  PYGRAPH_NARROW_PREDICATE(T, gt) \
  PYGRAPH_NARROW_PREDICATE(T, ge)
PYGRAPH_NARROW(bf16)
PYGRAPH_NARROW(f16)

// Signs are bits.
inline bf16 op_neg(bf16 a) { return bf16{u16(a.bits ^ 0x8000)}; }
inline f16 op_neg(f16 a) { return f16{u16(a.bits ^ 0x8000)}; }
inline bf16 op_abs(bf16 a) { return bf16{u16(a.bits & 0x7fff)}; }
inline f16 op_abs(f16 a) { return f16{u16(a.bits & 0x7fff)}; }
inline bool op_is_finite(bf16 a) { return op_is_finite(widen(a)); }
inline bool op_is_finite(f16 a) { return op_is_finite(widen(a)); }
