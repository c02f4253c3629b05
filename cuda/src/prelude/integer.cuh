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
#define PYGRAPH_INTEGER(T, U)                                                         \
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
  inline T op_shr_arith(T a, T b) { return T(a >> (U(b) < 8 * sizeof(T) ? U(b) : U(8 * sizeof(T) - 1))); }
PYGRAPH_INTEGER(i8, u8)
PYGRAPH_INTEGER(i16, u16)
PYGRAPH_INTEGER(i32, u32)
PYGRAPH_INTEGER(i64, u64)
PYGRAPH_INTEGER(u8, u8)
PYGRAPH_INTEGER(u16, u16)
PYGRAPH_INTEGER(u32, u32)
PYGRAPH_INTEGER(u64, u64)

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
