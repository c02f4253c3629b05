// Some units in the last place apart; NaN equals NaN, an infinity equals itself.
template <class T>
inline i64 place(T value) {
  const u64 sign = 1ull << (8 * sizeof(T) - 1);
  const i64 magnitude = i64(bits_of(value) & (sign - 1));
  return bits_of(value) & sign ? -magnitude : magnitude;
}

struct Close {
  template <class T>
  static bool holds(T got, T want) {
    const f64 a = f64(widen(got)), b = f64(widen(want));
    if (is_nan(a) || is_nan(b)) return is_nan(a) && is_nan(b) && A_min_ulp_difference == 0;
    if (is_infinite(a) || is_infinite(b)) return a == b && A_min_ulp_difference == 0;
    const i64 from = place(got), to = place(want);
    const u64 units = from > to ? u64(from) - u64(to) : u64(to) - u64(from);
    return units >= u64(A_min_ulp_difference) && units <= u64(A_max_ulp_difference);
  }
};

inline void check(const In0* got, const In1* want, u32* status) { compare<Close>(got, want, status); }
