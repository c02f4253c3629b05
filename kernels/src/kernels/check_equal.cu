// Equal, bit for bit; NaN equals NaN.
struct Equal {
  template <class T>
  static bool holds(T got, T want) {
    return bits_of(got) == bits_of(want) || (is_nan(widen(got)) && is_nan(widen(want)));
  }
};

inline void check(const In0* got, const In1* want, u32* status) { compare<Equal>(got, want, status); }
