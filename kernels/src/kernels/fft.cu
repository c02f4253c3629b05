// Stockham's transform, a kernel a factor of a length: it sorts as it goes, so that each reads one array in scratch memory and writes the
// other. What is transformed is there whole and complex, in double precision.

// cos and sin of 2π · part / whole. Quarters of a turn are exact.
inline c128 turn(u64 part, u64 whole) {
  const u64 quarter = part * 4 / whole, rest = part * 4 % whole;
  const f64 angle = f64(rest) / f64(whole) * (PI / 2);
  const f64 c = rest == 0 ? 1 : cos(angle), s = rest == 0 ? 0 : sin(angle);
  return quarter == 0 ? c128{c, s} : quarter == 1 ? c128{-s, c} : quarter == 2 ? c128{-c, -s} : c128{s, -c};
}

inline c128 whole(c64 value) { return widen(value); }
inline c128 whole(c128 value) { return value; }
template <class T>
inline c128 whole(T value) {
  return c128{f64(value), 0};
}

inline void load(const In0* input, u8* to) {
  for (i64 element = blockIdx.x * i64(blockDim.x) + threadIdx.x; element < IN0_COUNT; element += i64(gridDim.x) * blockDim.x) {
    ((c128*)to)[element] = whole(input[element]);
  }
}

// One factor of the transform of lines of `LENGTH` numbers that lie `INNER` apart; the factors before it have the product `DONE`.
template <i64 COUNT, i64 LENGTH, i64 INNER, i64 FACTOR, i64 DONE>
inline void pass(u8* from_bytes, u8* to_bytes) {
  const c128* const from = (const c128*)from_bytes;
  c128* const to = (c128*)to_bytes;
  constexpr i64 LEFT = LENGTH / DONE, PARTS = LEFT / FACTOR;
  for (i64 element = blockIdx.x * i64(blockDim.x) + threadIdx.x; element < COUNT; element += i64(gridDim.x) * blockDim.x) {
    const i64 line = element / (LENGTH * INNER) * (LENGTH * INNER) + element % INNER, at = element / INNER % LENGTH;
    const i64 q = at % DONE, k = at / DONE % FACTOR, p = at / DONE / FACTOR;
    c128 sum = {0, 0};
    for (i64 j = 0; j < FACTOR; ++j) {
      const i64 source = p + PARTS * j;
      const c128 factor = turn(u64(k * source % LEFT), u64(LEFT));
      const c128 value = from[line + (q + DONE * source) * INNER];
      sum = complex_add(sum, complex_mul(value, IS_INVERSE ? factor : c128{factor.re, -factor.im}));
    }
    to[element] = sum;
  }
}

// The whole spectrum of real lines, of which halves are given. What must be real is taken to be.
inline void mirror(u8* from_bytes, u8* to_bytes) {
  const c128* const from = (const c128*)from_bytes;
  c128* const to = (c128*)to_bytes;
  constexpr i64 HALF = LAST / 2 + 1;
  for (i64 element = blockIdx.x * i64(blockDim.x) + threadIdx.x; element < OUT0_COUNT; element += i64(gridDim.x) * blockDim.x) {
    const i64 line = element / LAST * HALF, at = element % LAST;
    c128 value = from[line + (at < HALF ? at : LAST - at)];
    if (at >= HALF) value.im = -value.im;
    if (at == 0 || 2 * at == LAST) value.im = 0;
    to[element] = value;
  }
}

inline void put(c128 value, c64* to) { *to = narrow_complex<c64>(value); }
inline void put(c128 value, c128* to) { *to = value; }
inline void put(c128 value, f32* to) { *to = f32(value.re); }
inline void put(c128 value, f64* to) { *to = value.re; }

// Writes the first `KEPT` numbers of each line.
inline void store(Out0* output, u8* from_bytes) {
  const c128* const from = (const c128*)from_bytes;
  for (i64 element = blockIdx.x * i64(blockDim.x) + threadIdx.x; element < OUT0_COUNT; element += i64(gridDim.x) * blockDim.x) {
    c128 value = from[element / KEPT * LAST + element % KEPT];
    if (IS_INVERSE) value = c128{value.re / f64(POINTS), value.im / f64(POINTS)};
    put(value, output + element);
  }
}
