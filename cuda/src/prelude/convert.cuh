// Conversions between element types, rounded once.

// Integers wrap around; what fills its storage and what is no integer stays.
template <class To, int BITS>
inline To wrapped(To value) {
  if constexpr (Traits<To>::family == SIGNED && BITS < 8) {
    return wrap_signed<BITS>(value);
  } else if constexpr (Traits<To>::family == UNSIGNED && BITS < 8) {
    return wrap_unsigned<BITS>(value);
  } else {
    return value;
  }
}

// A float to an integer truncates and saturates; NaN gives 0.
template <class To, int BITS, class From>
inline To saturated(From value) {
  if (is_nan(value)) return To(0);
  constexpr bool is_signed = Traits<To>::family == SIGNED;
  const From high = is_signed ? From(1ull << (BITS - 1)) : From(1ull << (BITS - 1)) * 2;
  const From low = is_signed ? -high : From(0);
  constexpr u64 largest = ~0ull >> (64 - BITS + is_signed);
  if (value >= high) return To(largest);
  if (value <= low) return is_signed ? To(-i64(largest) - 1) : To(0);
  return is_signed ? To(i64(value)) : To(u64(value));
}

// An f64 that rounds on to narrower floats as the integer would: large ones keep 53 bits, the last of which tells whether anything
// was cut off.
inline f64 sticky(u64 value) {
  return value >> 53 == 0 ? f64(value) : f64((value >> 11 | ((value & 0x7ff) != 0)) << 11);
}
inline f64 sticky(i64 value) {
  const f64 magnitude = sticky(value < 0 ? 0 - u64(value) : u64(value));
  return value < 0 ? -magnitude : magnitude;
}

// The nearest float to an integer or to a wider float.
template <class To, class From>
inline To float_of(From value) {
  if constexpr (sizeof(To) >= 4) {
    return To(value);
  } else if constexpr (sizeof(From) < 4 || Traits<From>::family == FLOAT) {
    if constexpr (sizeof(From) == 8) return from_f64<To>(value);
    return narrow<To>(f32(value));
  } else if constexpr (sizeof(From) == 4) {
    return from_f64<To>(f64(value));
  } else {
    return from_f64<To>(sticky(value));
  }
}

// A complex number with parts of another type.
template <class To, class Re, class Im>
inline To complex_of(Re re, Im im) {
  typedef decltype(To::re) Part;
  return To{Part(re), Part(im)};
}

template <class To, int BITS, Family TO, class From, Family FROM>
struct Convert;
#define PYGRAPH_CONVERT(TO, FROM, ...)            \
  template <class To, int BITS, class From>       \
  struct Convert<To, BITS, TO, From, FROM> {      \
    static To of(From value) { __VA_ARGS__ }      \
  };
PYGRAPH_CONVERT(BOOL, BOOL, return value;)
PYGRAPH_CONVERT(BOOL, SIGNED, return value != 0;)
PYGRAPH_CONVERT(BOOL, UNSIGNED, return value != 0;)
PYGRAPH_CONVERT(BOOL, FLOAT, return widen(value) != 0;)
PYGRAPH_CONVERT(BOOL, COMPLEX, return value.re != 0;)
PYGRAPH_CONVERT(SIGNED, BOOL, return wrapped<To, BITS>(To(value));)
PYGRAPH_CONVERT(SIGNED, SIGNED, return wrapped<To, BITS>(To(value));)
PYGRAPH_CONVERT(SIGNED, UNSIGNED, return wrapped<To, BITS>(To(value));)
PYGRAPH_CONVERT(SIGNED, FLOAT, return saturated<To, BITS>(widen(value));)
PYGRAPH_CONVERT(SIGNED, COMPLEX, return saturated<To, BITS>(value.re);)
PYGRAPH_CONVERT(UNSIGNED, BOOL, return To(value);)
PYGRAPH_CONVERT(UNSIGNED, SIGNED, return wrapped<To, BITS>(To(value));)
PYGRAPH_CONVERT(UNSIGNED, UNSIGNED, return wrapped<To, BITS>(To(value));)
PYGRAPH_CONVERT(UNSIGNED, FLOAT, return saturated<To, BITS>(widen(value));)
PYGRAPH_CONVERT(UNSIGNED, COMPLEX, return saturated<To, BITS>(value.re);)
PYGRAPH_CONVERT(FLOAT, BOOL, return float_of<To>(f32(value));)
PYGRAPH_CONVERT(FLOAT, SIGNED, return float_of<To>(value);)
PYGRAPH_CONVERT(FLOAT, UNSIGNED, return float_of<To>(value);)
PYGRAPH_CONVERT(FLOAT, FLOAT, return float_of<To>(widen(value));)
PYGRAPH_CONVERT(FLOAT, COMPLEX, return float_of<To>(value.re);)
PYGRAPH_CONVERT(FLOAT, MINIFLOAT, return Format<From>::decode(value.bits);)
PYGRAPH_CONVERT(COMPLEX, BOOL, return complex_of<To>(value, 0);)
PYGRAPH_CONVERT(COMPLEX, SIGNED, return complex_of<To>(value, 0);)
PYGRAPH_CONVERT(COMPLEX, UNSIGNED, return complex_of<To>(value, 0);)
PYGRAPH_CONVERT(COMPLEX, FLOAT, return complex_of<To>(widen(value), 0);)
PYGRAPH_CONVERT(COMPLEX, COMPLEX, return complex_of<To>(value.re, value.im);)
PYGRAPH_CONVERT(MINIFLOAT, FLOAT, return To{Format<To>::encode(value)};)
PYGRAPH_CONVERT(MINIFLOAT, MINIFLOAT, return value;)

// A value in another type, of so many bits.
template <class To, int BITS, class From>
inline To convert(From value) {
  return Convert<To, BITS, Traits<To>::family, From, Traits<From>::family>::of(value);
}

// The same bits as another type of the same width.
template <class To, int BITS, class From>
inline To bitcast(From value) {
  return wrapped<To, BITS>(reinterpret<To>(value));
}
