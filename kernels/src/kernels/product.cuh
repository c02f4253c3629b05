// What products share: the type that they accumulate in (`ACC`: 0 f32, 1 f64, 2 c64, 3 c128, 4 and 5 integers of 32 and 64 bits), how
// elements become numbers of it, and how sums become elements of the output (`OUT_BITS` wide).

template <int KIND>
struct SumOf;
template <>
struct SumOf<0> {
  typedef f32 Type;
};
template <>
struct SumOf<1> {
  typedef f64 Type;
};
template <>
struct SumOf<2> {
  typedef c64 Type;
};
template <>
struct SumOf<3> {
  typedef c128 Type;
};
// Unsigned numbers wrap around.
template <>
struct SumOf<4> {
  typedef u32 Type;
};
template <>
struct SumOf<5> {
  typedef u64 Type;
};

template <class To>
struct Number {
  static To of_integer(i64 value) { return To(value); }
  template <class T>
  static To of_real(T value) {
    return To(value);
  }
  static To zero() { return To(0); }
};
template <class Part>
struct Number<complex<Part>> {
  static complex<Part> of_integer(i64 value) { return complex<Part>{Part(value), Part(0)}; }
  template <class T>
  static complex<Part> of_real(T value) {
    return complex<Part>{Part(value), Part(0)};
  }
  static complex<Part> zero() { return complex<Part>{Part(0), Part(0)}; }
};

template <class To, class From, Family FAMILY>
struct Numbered {
  static To of(From value) { return Number<To>::of_integer(i64(value)); }
};
template <class To, class From>
struct Numbered<To, From, FLOAT> {
  static To of(From value) { return Number<To>::of_real(widen(value)); }
};
template <class Part, class From>
struct Numbered<complex<Part>, From, COMPLEX> {
  static complex<Part> of(From value) { return complex<Part>{Part(value.re), Part(value.im)}; }
};
// Only where the real part is all there is.
template <class From>
struct Numbered<f32, From, COMPLEX> {
  static f32 of(From value) { return f32(value.re); }
};
template <class To, class From>
inline To number(From value) {
  return Numbered<To, From, Traits<From>::family>::of(value);
}

inline void multiply_add(f32& sum, f32 a, f32 b) { sum = fmaf(a, b, sum); }
inline void multiply_add(f64& sum, f64 a, f64 b) { sum = fma(a, b, sum); }
inline void multiply_add(u32& sum, u32 a, u32 b) { sum += a * b; }
inline void multiply_add(u64& sum, u64 a, u64 b) { sum += a * b; }
template <class Part>
inline void multiply_add(complex<Part>& sum, complex<Part> a, complex<Part> b) {
  sum.re += a.re * b.re - a.im * b.im;
  sum.im += a.re * b.im + a.im * b.re;
}
template <class T>
inline T plus(T a, T b) {
  return a + b;
}
template <class Part>
inline complex<Part> plus(complex<Part> a, complex<Part> b) {
  return complex<Part>{a.re + b.re, a.im + b.im};
}

// A sum as an element of the output. A sum of floats begins at zero, so it is never -0, however it was computed.
template <class To, class Sum, Family FAMILY>
struct Finished {
  static To of(Sum sum) {
    if (OUT_BITS >= 8) return To(sum);
    return FAMILY == SIGNED ? To(wrap_signed<(OUT_BITS < 8 ? int(OUT_BITS) : 8)>(i8(sum)))
                            : To(wrap_unsigned<(OUT_BITS < 8 ? int(OUT_BITS) : 8)>(u8(sum)));
  }
};
template <class To, class Sum>
struct Finished<To, Sum, BOOL> {
  static To of(Sum sum) { return sum != 0; }
};
template <class To>
struct Finished<To, f32, FLOAT> {
  static To of(f32 sum) { return narrow<To>(sum + 0.0f); }
};
template <class To>
struct Finished<To, f64, FLOAT> {
  static To of(f64 sum) { return narrow<To>(narrowed_to_odd(sum + 0.0)); }
};
template <>
struct Finished<f32, f64, FLOAT> {
  static f32 of(f64 sum) { return f32(sum + 0.0); }
};
template <>
struct Finished<f64, f64, FLOAT> {
  static f64 of(f64 sum) { return sum + 0.0; }
};
template <class PartTo, class PartFrom>
struct Finished<complex<PartTo>, complex<PartFrom>, COMPLEX> {
  static complex<PartTo> of(complex<PartFrom> sum) { return complex<PartTo>{PartTo(sum.re), PartTo(sum.im)}; }
};

typedef SumOf<int(ACC)>::Type Sum;
inline Out0 finished(Sum sum) { return Finished<Out0, Sum, Traits<Out0>::family>::of(sum); }


// Tiles of 64 rows and 64 columns of a product, in any type: 256 threads with 4 by 4 sums each, 16 terms at a time in shared memory.
constexpr int TILE = 64, TILE_TERMS = 16, TILE_THREADS = 256;

// Fills `to[term][row]`. `load(row, term)` gives a number, zero outside; neighbouring threads take neighbouring terms or rows.
template <bool ALONG_TERMS, class Load>
inline void load_tile(Sum (*to)[TILE + 1], i64 first_row, i64 first_term, Load load) {
#pragma unroll
  for (int at = int(threadIdx.x); at < TILE * TILE_TERMS; at += TILE_THREADS) {
    const int term = ALONG_TERMS ? at % TILE_TERMS : at / TILE, row = ALONG_TERMS ? at / TILE_TERMS : at % TILE;
    to[term][row] = load(first_row + row, first_term + term);
  }
}

// The sums of a thread: where they belong in the tile.
struct TileSums {
  static constexpr int COUNT = 16;
  static inline int row(int at) { return int(threadIdx.x) / 16 + 16 * (at / 4); }
  static inline int column(int at) { return int(threadIdx.x) % 16 + 16 * (at % 4); }
};

// The tile from these on, over terms `from` to `to`.
template <bool LEFT_ALONG, bool RIGHT_ALONG, class Left, class Right>
inline void multiply_tile(i64 first_row, i64 first_column, i64 from, i64 to, Left left, Right right, Sum (&sums)[TileSums::COUNT]) {
  __shared__ Sum lefts[TILE_TERMS][TILE + 1];
  __shared__ Sum rights[TILE_TERMS][TILE + 1];
#pragma unroll
  for (int at = 0; at < TileSums::COUNT; ++at) sums[at] = Number<Sum>::zero();
  for (i64 term = from; term < to; term += TILE_TERMS) {
    load_tile<LEFT_ALONG>(lefts, first_row, term, left);
    load_tile<RIGHT_ALONG>(rights, first_column, term, right);
    __syncthreads();
#pragma unroll
    for (int of = 0; of < TILE_TERMS; ++of) {
      Sum a[4], b[4];
#pragma unroll
      for (int at = 0; at < 4; ++at) {
        a[at] = lefts[of][TileSums::row(4 * at)];
        b[at] = rights[of][TileSums::column(at)];
      }
#pragma unroll
      for (int at = 0; at < TileSums::COUNT; ++at) multiply_add(sums[at], a[at / 4], b[at % 4]);
    }
    __syncthreads();
  }
}

// Sums of a thread, 16 bytes at once.
struct alignas(16) Sums {
  static constexpr int COUNT = 16 / sizeof(Sum);
  Sum of[COUNT];
};

// What the blocks that share a tile have summed, of the threads of one place: `COUNT` vectors each, in each of `tiles` tiles.
template <int COUNT>
struct Parts {
  Sums* first;
  i64 split_size;
  inline Parts(u8* parts, i64 tile, i64 tiles) : first((Sums*)parts + tile * COUNT * blockDim.x + threadIdx.x), split_size(tiles * COUNT * blockDim.x) {}
  inline void put(int vector, const Sums& own) const { first[blockIdx.z * split_size + vector * i64(blockDim.x)] = own; }
  // Those of all splits together, in their order.
  inline Sums joined(int vector) const {
    Sums sums = first[vector * i64(blockDim.x)];
#pragma unroll 8
    for (i64 split = 1; split < SPLITS; ++split) {
      const Sums part = first[split * split_size + vector * i64(blockDim.x)];
#pragma unroll
      for (int at = 0; at < Sums::COUNT; ++at) sums.of[at] = plus(sums.of[at], part.of[at]);
    }
    return sums;
  }
};

// Adds up what all blocks of a tile have summed. True in the block that then has it, the one that comes last. Each of `tiles` tiles has a counter;
// `word` is one of shared memory that the block needs no more.
template <int COUNT>
inline bool join_splits(Sum (&sums)[COUNT], u8* parts, u32* counters, i64 tile, i64 tiles, u32& word) {
  if (SPLITS == 1) return true;
  constexpr int VECTORS = COUNT / Sums::COUNT;
  static_assert(COUNT % Sums::COUNT == 0, "sums should be whole vectors");
  const Parts<VECTORS> own(parts, tile, tiles);
#pragma unroll
  for (int vector = 0; vector < VECTORS; ++vector) {
    Sums some;
#pragma unroll
    for (int at = 0; at < Sums::COUNT; ++at) some.of[at] = sums[vector * Sums::COUNT + at];
    own.put(vector, some);
  }
  if (!comes_last(counters + tile, u32(SPLITS), word)) return false;
#pragma unroll
  for (int vector = 0; vector < VECTORS; ++vector) {
    const Sums all = own.joined(vector);
#pragma unroll
    for (int at = 0; at < Sums::COUNT; ++at) sums[vector * Sums::COUNT + at] = all.of[at];
  }
  return true;
}
