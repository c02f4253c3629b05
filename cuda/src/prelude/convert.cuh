// Conversions between element types.

template <class To, int BITS, Family TO, class From, Family FROM>
struct Convert;

// Integers wrap around.
template <class To, int BITS>
inline To wrapped(To value) {
  if (BITS >= 8 * int(sizeof(To))) return value;
  return Traits<To>::family == SIGNED ? To(wrap_signed<(BITS < 8 ? BITS : 8)>(i8(value)))
                                      : To(value & To((1ull << (BITS & 63)) - 1));
}

// A float to an integer truncates and saturates; NaN gives 0.
template <class To, int BITS, class From>
inline To saturated(From value) {
  if (is_nan(value)) return To(0);
  const bool is_signed = Traits<To>::family == SIGNED;
  const From high = is_signed ? From(1ull << (BITS - 1)) : From(1ull << (BITS - 1)) * 2;
  const From low = is_signed ? -high : From(0);
  const u64 largest = ~0ull >> (64 - BITS + is_signed);
  if (value >= high) return To(largest);
  if (value <= low) return is_signed ? To(i64(-i64(largest) - 1)) : To(0);
  return is_signed ? To(i64(value)) : To(u64(value));
}

template <class To, int BITS, class From>
struct Convert<To, BITS, BOOL, From, BOOL> {
  static To of(From value) { return value; }
};
#define PYGRAPH_CONVERT(TO, FROM, ...)            \
  template <class To, int BITS, class From>       \
  struct Convert<To, BITS, TO, From, FROM> {      \
    static To of(From value) { __VA_ARGS__ }      \
  };
PYGRAPH_CONVERT(BOOL, SIGNED, return value != 0;)
PYGRAPH_CONVERT(BOOL, UNSIGNED, return value != 0;)
PYGRAPH_CONVERT(BOOL, FLOAT, return widen(value) != 0;)
PYGRAPH_CONVERT(SIGNED, BOOL, return wrapped<To, BITS>(To(value));)
PYGRAPH_CONVERT(SIGNED, SIGNED, return wrapped<To, BITS>(To(value));)
PYGRAPH_CONVERT(SIGNED, UNSIGNED, return wrapped<To, BITS>(To(value));)
PYGRAPH_CONVERT(SIGNED, FLOAT, return saturated<To, BITS>(widen(value));)
PYGRAPH_CONVERT(UNSIGNED, BOOL, return To(value);)
PYGRAPH_CONVERT(UNSIGNED, SIGNED, return wrapped<To, BITS>(To(value));)
PYGRAPH_CONVERT(UNSIGNED, UNSIGNED, return wrapped<To, BITS>(To(value));)
PYGRAPH_CONVERT(UNSIGNED, FLOAT, return saturated<To, BITS>(widen(value));)
PYGRAPH_CONVERT(FLOAT, BOOL, return narrow<To>(value ? 1 : 0);)
PYGRAPH_CONVERT(FLOAT, SIGNED, return narrow<To>(typename Traits<To>::Wide(value));)
PYGRAPH_CONVERT(FLOAT, UNSIGNED, return narrow<To>(typename Traits<To>::Wide(value));)
PYGRAPH_CONVERT(FLOAT, FLOAT, return narrow<To>(typename Traits<To>::Wide(widen(value)));)

// A value in another type, of so many bits.
template <class To, int BITS, class From>
inline To convert(From value) {
  return Convert<To, BITS, Traits<To>::family, From, Traits<From>::family>::of(value);
}

// The same bits as another type of the same width.
template <class To, int BITS, class From>
inline To bitcast(From value) {
  return reinterpret<To>(value);
}
