// A thread an element.

// Floats: rounding may reach the upper bound, which does not belong to the range.
template <class T, Family FAMILY>
struct Uniform {
  static T of(T low, T high, u64 bits) {
    const f64 fraction = f64(bits >> 11) / f64(1ull << 53), from = f64(widen(low)), to = f64(widen(high));
    const T drawn = from_f64<T>(from + (to - from) * fraction);
    return f64(widen(drawn)) < to ? drawn : low;
  }
};

template <class T>
inline T uniform_integer(T low, T high, u64 bits) {
  const u64 span = low < high ? u64(high) - u64(low) : 0;
  return T(u64(low) + (span > 0 ? bits % span : 0));
}
template <class T>
struct Uniform<T, BOOL> {
  static T of(T low, T high, u64 bits) { return uniform_integer(low, high, bits); }
};
template <class T>
struct Uniform<T, SIGNED> {
  static T of(T low, T high, u64 bits) { return uniform_integer(low, high, bits); }
};
template <class T>
struct Uniform<T, UNSIGNED> {
  static T of(T low, T high, u64 bits) { return uniform_integer(low, high, bits); }
};

inline void draw(const In0* low, const In1* high, Out0* output) {
  for (i64 position = blockIdx.x * i64(blockDim.x) + threadIdx.x; position < OUT0_COUNT; position += i64(gridDim.x) * blockDim.x) {
    output[position] = Uniform<Out0, Traits<Out0>::family>::of(*low, *high, fixed_stream(u64(position)));
  }
}
