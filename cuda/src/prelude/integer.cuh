// Operations on truth values and integers. All are total; integers wrap around.

// Keeps the low bits, extended to the storage's width.
template <int BITS, class T>
inline T wrap_signed(T value) {
  return T(T(u8(value) << (8 - BITS)) >> (8 - BITS));
}
template <int BITS, class T>
inline T wrap_unsigned(T value) {
  return T(value & ((1 << BITS) - 1));
}

inline bool op_add(bool a, bool b) { return a || b; }
inline bool op_mul(bool a, bool b) { return a && b; }
inline bool op_max(bool a, bool b) { return a || b; }
inline bool op_min(bool a, bool b) { return a && b; }
inline bool op_and(bool a, bool b) { return a && b; }
inline bool op_or(bool a, bool b) { return a || b; }
inline bool op_xor(bool a, bool b) { return a != b; }
inline bool op_not(bool a) { return !a; }

// Sums and products run in the unsigned type of the width, which wraps around.
#define PYGRAPH_INTEGER(T, U, S)                                                      \
  inline T op_add(T a, T b) { return T(U(a) + U(b)); }                                \
  inline T op_sub(T a, T b) { return T(U(a) - U(b)); }                                \
  inline T op_mul(T a, T b) { return T(u64(U(a)) * u64(U(b))); }                      \
  inline T op_neg(T a) { return T(U(0) - U(a)); }                                     \
  inline T op_max(T a, T b) { return a > b ? a : b; }                                 \
  inline T op_min(T a, T b) { return a < b ? a : b; }                                 \
  inline T op_and(T a, T b) { return T(a & b); }                                      \
  inline T op_or(T a, T b) { return T(a | b); }                                       \
  inline T op_xor(T a, T b) { return T(a ^ b); }                                      \
  inline T op_not(T a) { return T(~a); }                                              \
  inline T op_div(T a, T b) {                                                         \
    if (b == 0) return T(~U(0));                                                      \
    if (b == T(~U(0)) && T(-1) < T(0)) return op_neg(a);                              \
    return T(a / b);                                                                  \
  }                                                                                   \
  inline T op_rem(T a, T b) {                                                         \
    if (b == 0) return a;                                                             \
    if (b == T(~U(0)) && T(-1) < T(0)) return T(0);                                   \
    return T(a % b);                                                                  \
  }                                                                                   \
  inline T op_shl(T a, T b) { return U(b) < 8 * sizeof(T) ? T(U(a) << U(b)) : T(0); } \
  inline T op_shr_arith(T a, T b) { return T(S(a) >> (U(b) < 8 * sizeof(T) ? U(b) : U(8 * sizeof(T) - 1))); } \
  inline T op_pow(T a, T b) {                                                         \
    if (T(-1) < T(0) && b < T(0)) {                                                   \
      if (a == T(1)) return a;                                                        \
      return a == T(-1) ? (b & 1 ? a : T(1)) : T(0);                                  \
    }                                                                                 \
    u64 result = 1, power = U(a);                                                     \
    for (U left = U(b); left != 0; left = U(left >> 1)) {                             \
      if (left & 1) result *= power;                                                  \
      power *= power;                                                                 \
    }                                                                                 \
    return T(result);                                                                 \
  }
PYGRAPH_INTEGER(i8, u8, i8)
PYGRAPH_INTEGER(i16, u16, i16)
PYGRAPH_INTEGER(i32, u32, i32)
PYGRAPH_INTEGER(i64, u64, i64)
PYGRAPH_INTEGER(u8, u8, i8)
PYGRAPH_INTEGER(u16, u16, i16)
PYGRAPH_INTEGER(u32, u32, i32)
PYGRAPH_INTEGER(u64, u64, i64)

#define PYGRAPH_SIGNED(T)                                       \
  inline T op_abs(T a) { return a < 0 ? op_neg(a) : a; }        \
  inline T op_sign(T a) { return a < 0 ? T(-1) : T(a > 0); }
PYGRAPH_SIGNED(i8)
PYGRAPH_SIGNED(i16)
PYGRAPH_SIGNED(i32)
PYGRAPH_SIGNED(i64)

// What these give depends on the width of the value, which its storage may exceed.
template <int BITS, class T>
inline u64 low_bits(T value) {
  return u64(value) & (~0ull >> (64 - BITS));
}
template <int BITS, class T>
inline T op_popcnt(T value) {
#ifdef __CUDA_ARCH__
  return T(__popcll(low_bits<BITS>(value)));
#else
  return T(__builtin_popcountll(low_bits<BITS>(value)));
#endif
}
template <int BITS, class T>
inline T op_clz(T value) {
  const u64 bits = low_bits<BITS>(value);
#ifdef __CUDA_ARCH__
  return T(__clzll(bits) - (64 - BITS));
#else
  return T((bits == 0 ? 64 : __builtin_clzll(bits)) - (64 - BITS));
#endif
}
template <int BITS, class T>
inline T op_shr_logical(T value, T count) {
  const u64 by = low_bits<8 * int(sizeof(T))>(count);
  return by < 8 * sizeof(T) ? T(low_bits<BITS>(value) >> by) : T(0);
}

#define PYGRAPH_COMPARE(T)                           \
  inline bool op_eq(T a, T b) { return a == b; }     \
  inline bool op_ne(T a, T b) { return a != b; }     \
  inline bool op_lt(T a, T b) { return a < b; }      \
  inline bool op_le(T a, T b) { return a <= b; }     \
  inline bool op_gt(T a, T b) { return a > b; }      \
  inline bool op_ge(T a, T b) { return a >= b; }
PYGRAPH_COMPARE(bool)
PYGRAPH_COMPARE(i8)
PYGRAPH_COMPARE(i16)
PYGRAPH_COMPARE(i32)
PYGRAPH_COMPARE(i64)
PYGRAPH_COMPARE(u8)
PYGRAPH_COMPARE(u16)
PYGRAPH_COMPARE(u32)
PYGRAPH_COMPARE(u64)
PYGRAPH_COMPARE(f32)
PYGRAPH_COMPARE(f64)

template <class T>
inline T op_select(bool choice, T on_true, T on_false) {
  return choice ? on_true : on_false;
}
