// What skeletons share: integers as indices, positions in arrays, and where results go.

// An integer of any type as an index; what is larger goes to the largest.
template <class T>
inline i64 index_value(T value) {
  return i64(value);
}
inline i64 index_value(u64 value) { return value > 0x7fffffffffffffffull ? 0x7fffffffffffffffll : i64(value); }

// Where an element of the result goes. Behind a kernel may stand elementwise work, which has a `store` of its own.
inline void store(Out0* output, i64 element, Out0 value) { output[element] = value; }

// A run: `RUN` neighbouring elements of the result, from a multiple of `RUN` on. What work behind the kernel reads beside them is loaded by
// `prepare`, which a kernel calls for several runs before it stores the first: as far as a compiler knows, a store could change what is
// loaded behind it.
template <class Output, int RUN>
struct Prepared {};
// The longest run that an output takes.
template <class Output>
struct Longest {
  static constexpr int run = Output::LONGEST_RUN;
};
template <>
struct Longest<Out0*> {
  static constexpr int run = 4;
};
template <int RUN>
inline Prepared<Out0*, RUN> prepare(Out0*, i64) {
  return {};
}

inline i64 clamped(i64 value, i64 low, i64 high) { return value < low ? low : value > high ? high : value; }

// Sums that stay at the ends instead of wrapping around.
inline i64 saturating_add(i64 a, i64 b) {
  const i64 sum = i64(u64(a) + u64(b));
  if (b >= 0 && sum < a) return 0x7fffffffffffffffll;
  if (b < 0 && sum > a) return -0x7fffffffffffffffll - 1;
  return sum;
}

inline bool contains(const i64* list, int count, i64 value) {
  for (int at = 0; at < count; ++at) {
    if (list[at] == value) return true;
  }
  return false;
}

// Divisions of 32 bits are much cheaper.
template <bool IS_SMALL>
struct IndexOf {
  typedef i64 Type;
};
template <>
struct IndexOf<true> {
  typedef u32 Type;
};
constexpr i64 SMALL_MAX = 0x7fffffff;

// Splits a number into a position, innermost dimension last.
template <bool IS_SMALL>
inline void split(i64 number, const i64* extents, int rank, i64* position) {
  typedef typename IndexOf<IS_SMALL>::Type Index;
  Index rest = Index(number);
#pragma unroll
  for (int dimension = rank - 1; dimension >= 0; --dimension) {
    const Index extent = Index(extents[dimension]);
    position[dimension] = i64(rest % extent);
    rest /= extent;
  }
}

template <int RUN>
inline void store_run(Out0* output, i64 element, const Out0 (&values)[RUN], const Prepared<Out0*, RUN>&) {
  write_run<OUT0_IS_ALIGNED>(output + element, values);
}

// Rounds to odd, so that the next rounding sees what was cut off.
inline f32 narrowed_to_odd(f64 value) {
  const f32 nearest = f32(value);
  if (f64(nearest) == value || value != value) return nearest;
  const u32 bits = reinterpret<u32>(nearest) - (fabs(f64(nearest)) > fabs(value));
  return reinterpret<f32>(bits | 1);
}

inline bool is_aligned(const void* address) { return (u64)address % 16 == 0; }

inline i64 thread_number() { return i64(blockIdx.x) * blockDim.x + threadIdx.x; }
inline i64 thread_count() { return i64(gridDim.x) * blockDim.x; }
