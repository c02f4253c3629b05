// Operations that look at the bits of a float.

// Widths of the parts of a float, and the integer that holds its bits.
template <class T>
struct Layout;
#define PYGRAPH_LAYOUT(TYPE, BITS, EXPONENT, MANTISSA)                  \
  template <>                                                           \
  struct Layout<TYPE> {                                                 \
    typedef BITS Bits;                                                  \
    static constexpr int exponent = EXPONENT, mantissa = MANTISSA;      \
  };
PYGRAPH_LAYOUT(bf16, u16, 8, 7)
PYGRAPH_LAYOUT(f16, u16, 5, 10)
PYGRAPH_LAYOUT(f32, u32, 8, 23)
PYGRAPH_LAYOUT(f64, u64, 11, 52)

template <class T>
inline u64 bits_of(T value) {
  return u64(reinterpret<typename Layout<T>::Bits>(value));
}

// Larger is larger in the total order -NaN < -inf < … < +inf < +NaN.
template <class T>
inline i64 total_key(T value) {
  const i64 bits = i64(bits_of(value) << (64 - 8 * sizeof(T)));
  return bits ^ i64(u64(bits >> 63) >> 1);
}

template <class T>
inline T op_next_after(T from, T towards) {
  const auto a = widen(from), b = widen(towards);
  if (is_nan(a)) return from;
  if (is_nan(b) || a == b) return towards;
  const u64 bits = bits_of(from), sign = 1ull << (8 * sizeof(T) - 1);
  if (a == 0) return from_bits<T>(1 | (b < 0 ? sign : 0));
  return from_bits<T>((a < b) == (a > 0) ? bits + 1 : bits - 1);
}

// Rounds to fewer bits of exponent and mantissa: what overflows becomes infinite, what underflows a zero of its sign.
template <i64 EXPONENT, i64 MANTISSA, class T>
inline T op_reduce_precision(T value) {
  typedef Layout<T> L;
  constexpr int exponent_bits = EXPONENT < 1 ? 1 : EXPONENT > L::exponent ? L::exponent : int(EXPONENT);
  constexpr int mantissa_bits = MANTISSA < 0 ? 0 : MANTISSA > L::mantissa ? L::mantissa : int(MANTISSA);
  constexpr u64 exponent_mask = ((1ull << L::exponent) - 1) << L::mantissa;
  constexpr u64 sign_mask = 1ull << (L::mantissa + L::exponent);
  constexpr u64 last_bit = 1ull << (L::mantissa - mantissa_bits);
  constexpr u64 bias = (1ull << (L::exponent - 1)) - 1, reduced_bias = (1ull << (exponent_bits - 1)) - 1;
  u64 bits = bits_of(value);
  if ((bits & ~sign_mask) > exponent_mask) {
    // Without a mantissa there is no NaN: the pattern that is left means infinity.
    return mantissa_bits == 0 ? from_bits<T>((bits & sign_mask) | exponent_mask) : value;
  }
  if (mantissa_bits < L::mantissa) {
    bits = (bits + (last_bit >> 1) - 1 + ((bits & last_bit) != 0)) & ~(last_bit - 1);
  }
  if (exponent_bits < L::exponent) {
    const u64 exponent = bits & exponent_mask;
    if (exponent > (bias + reduced_bias) << L::mantissa) {
      bits = (bits & sign_mask) | exponent_mask;
    } else if (exponent <= (bias - reduced_bias) << L::mantissa) {
      bits &= sign_mask;
    }
  }
  return from_bits<T>(bits);
}

#define PYGRAPH_TOTAL(OP, SIGN)                      \
  template <class T>                                 \
  inline bool op_##OP##_total(T a, T b) {            \
    return total_key(a) SIGN total_key(b);           \
  }
PYGRAPH_TOTAL(eq, ==)
PYGRAPH_TOTAL(ne, !=)
PYGRAPH_TOTAL(lt, <)
PYGRAPH_TOTAL(le, <=)
PYGRAPH_TOTAL(gt, >)
PYGRAPH_TOTAL(ge, >=)

// An f32 that rounds on to fewer bits as the value itself would: inexact values get an odd last bit.
inline f32 round_to_odd(f64 value) {
  const f32 nearest = f32(value);
  const f64 back = f64(nearest);
  if (back == value || is_nan(value)) return nearest;
  const u32 towards_zero = reinterpret<u32>(nearest) - (fabs(back) > fabs(value));
  return reinterpret<f32>(towards_zero | 1);
}

// The nearest value to one in f64, ties to even, rounded once.
template <class T>
inline T from_f64(f64 value) {
  if constexpr (sizeof(T) >= 4) {
    return T(value);
  } else {
    return narrow<T>(round_to_odd(value));
  }
}
