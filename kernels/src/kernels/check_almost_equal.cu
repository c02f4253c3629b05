// Equal up to an absolute tolerance; NaN equals NaN.
struct AlmostEqual {
  template <class T>
  static bool holds(T got, T want) {
    const f64 a = f64(widen(got)), b = f64(widen(want));
    return a == b || (is_nan(a) && is_nan(b)) || fabs(a - b) <= reinterpret<f64>(A_tolerance_BITS);
  }
};

inline void check(const In0* got, const In1* want, u32* status) { compare<AlmostEqual>(got, want, status); }
