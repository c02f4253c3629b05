// `chunks` and `pairs` order the numbers of each row's elements, `place` copies the first ones.

// A number for each element that orders them totally.
template <class T, Family FAMILY, int SIZE>
struct Key {
  static i64 of(T value) { return i64(value); }
};
template <>
struct Key<u64, UNSIGNED, 8> {
  static i64 of(u64 value) { return i64(value ^ 1ull << 63); }
};
template <class T>
struct Key<T, MINIFLOAT, 1> {
  static i64 of(T value) { return i64(value.bits); }
};
template <class T>
struct Key<T, FLOAT, 2> {
  static i64 of(T value) {
    const i16 bits = reinterpret<i16>(value);
    return bits < 0 ? bits ^ 0x7fff : bits;
  }
};
template <>
struct Key<f32, FLOAT, 4> {
  static i64 of(f32 value) {
    const i32 bits = reinterpret<i32>(value);
    return bits < 0 ? bits ^ 0x7fffffff : bits;
  }
};
template <>
struct Key<f64, FLOAT, 8> {
  static i64 of(f64 value) {
    const i64 bits = reinterpret<i64>(value);
    return bits < 0 ? bits ^ 0x7fffffffffffffffll : bits;
  }
};

struct Larger {
  const In0* input;
  bool operator()(i64 line, u32 a, u32 b) const { return key(line, a) > key(line, b); }
  i64 key(i64 line, u32 at) const { return Key<In0, Traits<In0>::family, int(sizeof(In0))>::of(input[line * LENGTH + at]); }
};

template <int RUN_BITS>
inline void chunks(u8* numbers, const In0* input) {
  order_chunks<RUN_BITS>((u32*)numbers, Larger{input});
}
template <int RUN_BITS, int DISTANCE_BITS>
inline void pairs(u8* numbers, const In0* input) {
  order_pairs<RUN_BITS, DISTANCE_BITS>((u32*)numbers, Larger{input});
}
inline void place(u8* numbers, const In0* input, Out0* values, Out1* positions) {
  for (i64 element = thread_number(); element < OUT0_COUNT; element += thread_count()) {
    const u32 from = ((const u32*)numbers)[element / A_k * PADDED + element % A_k];
    values[element] = input[element / A_k * LENGTH + from];
    positions[element] = i32(from);
  }
}
