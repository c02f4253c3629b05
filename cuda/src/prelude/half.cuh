// Operations in f16 and bf16: computed in f32, and rounded once.

#define PYGRAPH_HALF_1(T, OP) \
  inline T op_##OP(T a) { return narrow<T>(op_##OP(widen(a))); }
#define PYGRAPH_HALF_2(T, OP) \
  inline T op_##OP(T a, T b) { return narrow<T>(op_##OP(widen(a), widen(b))); }
#define PYGRAPH_HALF_PREDICATE(T, OP) \
  inline bool op_##OP(T a, T b) { return op_##OP(widen(a), widen(b)); }
#define PYGRAPH_HALF(T)         \
  PYGRAPH_HALF_2(T, add)        \
  PYGRAPH_HALF_2(T, sub)        \
  PYGRAPH_HALF_2(T, mul)        \
  PYGRAPH_HALF_2(T, div)        \
  PYGRAPH_HALF_2(T, rem)        \
  PYGRAPH_HALF_2(T, max)        \
  PYGRAPH_HALF_2(T, min)        \
  PYGRAPH_HALF_2(T, pow)        \
  PYGRAPH_HALF_2(T, atan2)      \
  PYGRAPH_HALF_1(T, sign)       \
  PYGRAPH_HALF_1(T, floor)      \
  PYGRAPH_HALF_1(T, ceil)       \
  PYGRAPH_HALF_1(T, round_away) \
  PYGRAPH_HALF_1(T, round_even) \
  PYGRAPH_HALF_1(T, exp)        \
  PYGRAPH_HALF_1(T, expm1)      \
  PYGRAPH_HALF_1(T, log)        \
  PYGRAPH_HALF_1(T, log1p)      \
  PYGRAPH_HALF_1(T, sqrt)       \
  PYGRAPH_HALF_1(T, rsqrt)      \
  PYGRAPH_HALF_1(T, cbrt)       \
  PYGRAPH_HALF_1(T, sin)        \
  PYGRAPH_HALF_1(T, cos)        \
  PYGRAPH_HALF_1(T, tan)        \
  PYGRAPH_HALF_1(T, asin)       \
  PYGRAPH_HALF_1(T, acos)       \
  PYGRAPH_HALF_1(T, atan)       \
  PYGRAPH_HALF_1(T, sinh)       \
  PYGRAPH_HALF_1(T, cosh)       \
  PYGRAPH_HALF_1(T, tanh)       \
  PYGRAPH_HALF_1(T, asinh)      \
  PYGRAPH_HALF_1(T, acosh)      \
  PYGRAPH_HALF_1(T, atanh)      \
  PYGRAPH_HALF_1(T, erf)        \
  PYGRAPH_HALF_1(T, erfc)       \
  PYGRAPH_HALF_1(T, logistic)   \
  PYGRAPH_HALF_PREDICATE(T, eq) \
  PYGRAPH_HALF_PREDICATE(T, ne) \
  PYGRAPH_HALF_PREDICATE(T, lt) \
  PYGRAPH_HALF_PREDICATE(T, le) \
  PYGRAPH_HALF_PREDICATE(T, gt) \
  PYGRAPH_HALF_PREDICATE(T, ge)
PYGRAPH_HALF(bf16)
PYGRAPH_HALF(f16)

// Signs are bits.
inline bf16 op_neg(bf16 a) { return bf16{u16(a.bits ^ 0x8000)}; }
inline f16 op_neg(f16 a) { return f16{u16(a.bits ^ 0x8000)}; }
inline bf16 op_abs(bf16 a) { return bf16{u16(a.bits & 0x7fff)}; }
inline f16 op_abs(f16 a) { return f16{u16(a.bits & 0x7fff)}; }
inline bool op_is_finite(bf16 a) { return op_is_finite(widen(a)); }
inline bool op_is_finite(f16 a) { return op_is_finite(widen(a)); }
