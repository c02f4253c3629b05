// Floats of eight bits and fewer: between their bit patterns and f64. The sign is the highest bit, then the exponent, then the fraction.

// What the bit patterns at the ends of a format mean: infinities and NaN; all ones are NaN; the pattern of the negative zero is NaN;
// numbers alone; powers of two without sign or zero, all ones NaN.
enum Specials { IEEE, NAN_ALL_ONES, NAN_NEGATIVE_ZERO, FINITE, UNSIGNED_POWERS };

template <int EXPONENT_BITS, int FRACTION_BITS, int BIAS, Specials SPECIALS>
struct MiniFloat {
  static constexpr int sign = 1 << (EXPONENT_BITS + FRACTION_BITS), exponent_max = (1 << EXPONENT_BITS) - 1;
  static constexpr int infinite = exponent_max << FRACTION_BITS;
  static constexpr int largest = SPECIALS == IEEE ? infinite - 1 : SPECIALS == NAN_ALL_ONES ? sign - 2 : sign - 1;

  static f64 decode(u8 bits) {
    if (SPECIALS == UNSIGNED_POWERS) return bits == 255 ? not_a_number() : ldexp(1.0, bits - BIAS);
    const int magnitude = bits & (sign - 1), exponent = magnitude >> FRACTION_BITS;
    const bool is_negative = bits & sign;
    if (SPECIALS == NAN_NEGATIVE_ZERO && magnitude == 0 && is_negative) return not_a_number();
    if (SPECIALS == IEEE && magnitude > infinite) return not_a_number();
    if (SPECIALS == NAN_ALL_ONES && magnitude == sign - 1) return not_a_number();
    const int fraction = magnitude & ((1 << FRACTION_BITS) - 1);
    const f64 value = SPECIALS == IEEE && magnitude == infinite ? infinity()
                      : exponent == 0 ? ldexp(f64(fraction), 1 - BIAS - FRACTION_BITS)
                                      : ldexp(f64(fraction | 1 << FRACTION_BITS), exponent - BIAS - FRACTION_BITS);
    return is_negative ? -value : value;
  }

  // The nearest pattern, halves to even. What is too large becomes infinity, else NaN, else the largest number, whichever there is.
  static u8 encode(f64 value) {
    if (SPECIALS == UNSIGNED_POWERS) return encode_power(value);
    const int negative = reinterpret<u64>(value) >> 63 ? sign : 0;
    if (is_nan(value)) return u8(nan(negative));
    const f64 magnitude = fabs(value);
    if (magnitude == 0) return u8(SPECIALS == NAN_NEGATIVE_ZERO ? 0 : negative);
    if (magnitude == infinity()) return u8(overflow(negative));
    const int own = int(reinterpret<u64>(magnitude) >> 52) - 1023, exponent = own > 1 - BIAS ? own : 1 - BIAS;
    // A number that rounds up to the next power of two carries into the exponent by itself.
    const i64 pattern = i64(rint(ldexp(magnitude, FRACTION_BITS - exponent))) + (i64(exponent + BIAS - 1) << FRACTION_BITS);
    if (pattern > largest) return u8(overflow(negative));
    return u8(pattern == 0 && SPECIALS == NAN_NEGATIVE_ZERO ? 0 : negative | int(pattern));
  }

 private:
  static int nan(int negative) {
    if (SPECIALS == IEEE) return negative | infinite | 1 << (FRACTION_BITS - 1);
    if (SPECIALS == NAN_ALL_ONES) return negative | (sign - 1);
    // There may be no NaN to give: then what a negative zero would be.
    return sign;
  }

  static int overflow(int negative) {
    if (SPECIALS == IEEE) return negative | infinite;
    return SPECIALS == FINITE ? negative | largest : nan(negative);
  }

  static u8 encode_power(f64 value) {
    if (is_nan(value) || value < 0) return 255;
    if (value == 0) return 0;
    int exponent = int(reinterpret<u64>(value) >> 52) - 1023;
    if (exponent > -1022 && ldexp(value, -exponent) >= 1.5) ++exponent;
    const int biased = exponent + BIAS;
    return u8(biased < 0 ? 0 : biased > 255 ? 255 : biased);
  }
};

template <class T>
struct Format;
#define PYGRAPH_FORMAT(TYPE, ...)                      \
  template <>                                          \
  struct Format<TYPE> : MiniFloat<__VA_ARGS__> {};
PYGRAPH_FORMAT(f4E2M1FN, 2, 1, 1, FINITE)
PYGRAPH_FORMAT(f6E2M3FN, 2, 3, 1, FINITE)
PYGRAPH_FORMAT(f6E3M2FN, 3, 2, 3, FINITE)
PYGRAPH_FORMAT(f8E3M4, 3, 4, 3, IEEE)
PYGRAPH_FORMAT(f8E4M3, 4, 3, 7, IEEE)
PYGRAPH_FORMAT(f8E4M3FN, 4, 3, 7, NAN_ALL_ONES)
PYGRAPH_FORMAT(f8E4M3FNUZ, 4, 3, 8, NAN_NEGATIVE_ZERO)
PYGRAPH_FORMAT(f8E4M3B11FNUZ, 4, 3, 11, NAN_NEGATIVE_ZERO)
PYGRAPH_FORMAT(f8E5M2, 5, 2, 15, IEEE)
PYGRAPH_FORMAT(f8E5M2FNUZ, 5, 2, 16, NAN_NEGATIVE_ZERO)
PYGRAPH_FORMAT(f8E8M0FNU, 8, 0, 127, UNSIGNED_POWERS)
