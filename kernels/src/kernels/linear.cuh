// What the solvers share: numbers in double precision, real or complex.

template <Family FAMILY>
struct WideOf {
  typedef f64 Type;
};
template <>
struct WideOf<COMPLEX> {
  typedef c128 Type;
};

template <class T>
inline f64 load(T value) {
  return f64(widen(value));
}
inline c128 load(c64 value) { return widen(value); }
inline c128 load(c128 value) { return value; }

template <class T>
inline T rounded(f64 value) {
  return from_f64<T>(value);
}
template <class T>
inline T rounded(c128 value) {
  return narrow_complex<T>(value);
}

inline f64 conjugate(f64 a) { return a; }
inline c128 conjugate(c128 a) { return c128{a.re, -a.im}; }
inline f64 difference(f64 a, f64 b) { return a - b; }
inline c128 difference(c128 a, c128 b) { return complex_sub(a, b); }
inline f64 product(f64 a, f64 b) { return a * b; }
inline c128 product(c128 a, c128 b) { return complex_mul(a, b); }
inline f64 quotient(f64 a, f64 b) { return a / b; }
inline c128 quotient(c128 a, c128 b) {
  const f64 norm = b.re * b.re + b.im * b.im;
  return c128{(a.re * b.re + a.im * b.im) / norm, (a.im * b.re - a.re * b.im) / norm};
}
inline f64 real_part(f64 a) { return a; }
inline f64 real_part(c128 a) { return a.re; }

// A real number as one that may be complex.
template <class T>
inline T of_real(f64 value);
template <>
inline f64 of_real<f64>(f64 value) {
  return value;
}
template <>
inline c128 of_real<c128>(f64 value) {
  return c128{value, 0};
}
