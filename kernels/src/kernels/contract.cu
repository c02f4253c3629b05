// Products of `ROWS` rows of the left matrix with `COLUMNS` rows of the right one, summed over `TERMS`, for each of `BATCHES`.
//
// - `along` and `across`: few rows against a big matrix that is read once, 16 bytes a thread, in as many rows of the small one as fit in
//   registers; `along` where the big matrix' terms lie together (warps fold a row), `across` where its rows do (threads own columns).
// - `tile`: tiles in shared memory, for any type and layout.
// - `tensor`: tiles on tensor cores, for bf16 and f16.
//
// With `SPLITS` > 1 each block sums a part of the terms to scratch memory, and the block of a tile that comes last adds the parts in order. No
// result depends on the order in which blocks run.

#define PYGRAPH_SIDE(NAME, ARRAY, FREE_STRIDE, TERM_STRIDE, BATCH, CONTRACT)                                       \
  inline i64 NAME##_row(i64 row) {                                                                                \
    if (FREE_STRIDE >= 0) return row * FREE_STRIDE;                                                               \
    i64 offset = 0;                                                                                               \
    for (int dimension = ARRAY##_RANK - 1; dimension >= 0; --dimension) {                                         \
      if (contains(BATCH, BATCH##_COUNT, dimension) || contains(CONTRACT, CONTRACT##_COUNT, dimension)) continue; \
      offset += row % ARRAY##_SHAPE[dimension] * ARRAY##_STRIDES[dimension];                                      \
      row /= ARRAY##_SHAPE[dimension];                                                                            \
    }                                                                                                             \
    return offset;                                                                                                \
  }                                                                                                               \
  inline i64 NAME##_listed(const i64* list, int count, i64 number) {                                              \
    i64 offset = 0;                                                                                               \
    for (int at = count - 1; at >= 0; --at) {                                                                     \
      offset += number % ARRAY##_SHAPE[list[at]] * ARRAY##_STRIDES[list[at]];                                     \
      number /= ARRAY##_SHAPE[list[at]];                                                                          \
    }                                                                                                             \
    return offset;                                                                                                \
  }                                                                                                               \
  inline i64 NAME##_term(i64 term) {                                                                              \
    return TERM_STRIDE >= 0 ? term * TERM_STRIDE : NAME##_listed(CONTRACT, CONTRACT##_COUNT, term);               \
  }                                                                                                               \
  inline i64 NAME##_batch(i64 batch) { return BATCHES == 1 ? 0 : NAME##_listed(BATCH, BATCH##_COUNT, batch); }
PYGRAPH_SIDE(lhs, IN0, LHS_ROW_STRIDE, LHS_TERM_STRIDE, A_lhs_batch, A_lhs_contract)
PYGRAPH_SIDE(rhs, IN1, RHS_ROW_STRIDE, RHS_TERM_STRIDE, A_rhs_batch, A_rhs_contract)

// A result in the making: where its elements go, and parts of sums on the way there.
template <class Output>
struct Result {
  Output output;
  u8* parts;
  u32* counters;

  // Puts a sum where it belongs: in the output, or among the parts of this split.
  inline void put(i64 batch, i64 row, i64 column, Sum sum) const {
    const i64 element = (batch * ROWS + row) * COLUMNS + column;
    if (SPLITS == 1) {
      store(output, element, finished(sum));
    } else {
      ((Sum*)parts)[blockIdx.z * (BATCHES * ROWS * COLUMNS) + element] = sum;
    }
  }
  // Adds up the parts of the tile from these on, in the block that has to finish it; `word` is one of shared memory that the block needs no
  // more. A thread has the parts of several elements on their way at a time.
  inline void finish_tile(u32& word, i64 batch, i64 first_row, i64 rows, i64 first_column, i64 columns) const {
    if (SPLITS == 1 || !comes_last(counters + blockIdx.y * gridDim.x + blockIdx.x, u32(SPLITS), word)) return;
    constexpr i64 COUNT = BATCHES * ROWS * COLUMNS;
    constexpr int ELEMENTS = 4;
    const Sum* const sums_of = (const Sum*)parts;
    for (i64 first = threadIdx.x; first < rows * columns; first += ELEMENTS * i64(blockDim.x)) {
      i64 elements[ELEMENTS];
      bool is_there[ELEMENTS];
      Sum sums[ELEMENTS];
#pragma unroll
      for (int at = 0; at < ELEMENTS; ++at) {
        const i64 number = first + at * i64(blockDim.x), row = first_row + number / columns, column = first_column + number % columns;
        is_there[at] = number < rows * columns && row < ROWS && column < COLUMNS;
        elements[at] = (batch * ROWS + (is_there[at] ? row : first_row)) * COLUMNS + (is_there[at] ? column : first_column);
        sums[at] = sums_of[elements[at]];
      }
#pragma unroll 4
      for (i64 split = 1; split < SPLITS; ++split) {
#pragma unroll
        for (int at = 0; at < ELEMENTS; ++at) sums[at] = plus(sums[at], sums_of[split * COUNT + elements[at]]);
      }
#pragma unroll
      for (int at = 0; at < ELEMENTS; ++at) {
        if (is_there[at]) store(output, elements[at], finished(sums[at]));
      }
    }
  }
};
template <class Output>
inline Result<Output> result_of(Output output, u8* parts, u32* counters) {
  return Result<Output>{output, parts, counters};
}

// Nothing is summed.
template <class Output>
inline void clear(Output output) {
  for (i64 element = thread_number(); element < OUT0_COUNT; element += thread_count()) store(output, element, finished(Number<Sum>::zero()));
}

// Hands the sums of a tile on, in the block that has them. `Of` says where the sums of a thread belong.
template <class Of, class Output>
inline void end_tile(const Result<Output>& result, u32& word, Sum (&sums)[Of::COUNT], i64 batch, i64 first_row, i64 first_column) {
  const i64 tile = blockIdx.y * gridDim.x + blockIdx.x, tiles = i64(gridDim.x) * gridDim.y;
  if (!join_splits(sums, result.parts, result.counters, tile, tiles, word)) return;
#pragma unroll
  for (int at = 0; at < Of::COUNT; ++at) {
    const i64 row = first_row + Of::row(at), column = first_column + Of::column(at);
    if (row < ROWS && column < COLUMNS) store(result.output, (batch * ROWS + row) * COLUMNS + column, finished(sums[at]));
  }
}

template <class Output, class Left, class Right>
inline void tile(Output output, Left lhs, Right rhs, u8* parts, u32* counters) {
  const auto result = result_of(output, parts, counters);
  constexpr i64 TILES = (COLUMNS + TILE - 1) / TILE, PART = (TERMS + SPLITS - 1) / SPLITS;
  const i64 first_row = blockIdx.x / TILES * TILE, first_column = blockIdx.x % TILES * TILE;
  const i64 from = blockIdx.z * PART, to = from + PART < TERMS ? from + PART : TERMS;
  for (i64 batch = blockIdx.y; batch < BATCHES; batch += gridDim.y) {
    const Left left = lhs + lhs_batch(batch);
    const Right right = rhs + rhs_batch(batch);
    Sum sums[TileSums::COUNT];
    multiply_tile<(LHS_TERM_STRIDE == 1), (RHS_TERM_STRIDE == 1)>(
        first_row, first_column, from, to,
        [=](i64 row, i64 term) {
          return row < ROWS && term < to ? number<Sum>(left[lhs_row(row) + lhs_term(term)]) : Number<Sum>::zero();
        },
        [=](i64 row, i64 term) {
          return row < COLUMNS && term < to ? number<Sum>(right[rhs_row(row) + rhs_term(term)]) : Number<Sum>::zero();
        },
        sums);
    __shared__ u32 word;
    end_tile<TileSums>(result, word, sums, batch, first_row, first_column);
  }
}

// 16 bytes of elements, in any alignment that the element has.
template <class T>
struct alignas(16) Vector {
  T of[16 / sizeof(T)];
};
template <bool IS_FIXED, class T>
inline Vector<T> load_once(const T* address) {
#ifdef __CUDA_ARCH__
  union {
    u32 words[4];
    Vector<T> vector;
  } both;
  // A kernel that starts early can find what an earlier one has written since: only what nobody writes may come from caches that are not coherent.
  if constexpr (IS_FIXED) {
    asm volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(both.words[0]), "=r"(both.words[1]), "=r"(both.words[2]), "=r"(both.words[3])
                 : "l"(address));
  } else {
    asm volatile("ld.global.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(both.words[0]), "=r"(both.words[1]), "=r"(both.words[2]), "=r"(both.words[3])
                 : "l"(address)
                 : "memory");
  }
  return both.vector;
#else
  return *(const Vector<T>*)address;
#endif
}

// True if both sides are known to begin at a multiple of 16 bytes, in every batch that is read in vectors.
constexpr bool IS_ALIGNED = IN0_IS_ALIGNED && IN1_IS_ALIGNED && BATCHES == 1;
// True if a side lies nowhere: then nothing is read in vectors.
constexpr bool IS_MADE = IN0_IS_MADE || IN1_IS_MADE;

// Which side is small, and its rows at a time.
template <bool IS_LEFT>
struct Few {
  typedef In0 Small;
  typedef In1 Big;
  static i64 small_at(i64 row, i64 term) { return lhs_row(row) + lhs_term(term); }
  static i64 big_at(i64 row) { return row * RHS_ROW_STRIDE; }
  static constexpr i64 BIG_ROWS = COLUMNS, TERM_STRIDE = RHS_TERM_STRIDE, SMALL_ROWS = ROWS;
  static constexpr i64 SMALL_STRIDE = LHS_ROW_STRIDE, SMALL_TERM = LHS_TERM_STRIDE, BIG_STRIDE = RHS_ROW_STRIDE;
  static constexpr bool IS_BIG_FIXED = IN1_IS_FIXED;
};
template <>
struct Few<false> {
  typedef In1 Small;
  typedef In0 Big;
  static i64 small_at(i64 row, i64 term) { return rhs_row(row) + rhs_term(term); }
  static i64 big_at(i64 row) { return row * LHS_ROW_STRIDE; }
  static constexpr i64 BIG_ROWS = ROWS, TERM_STRIDE = LHS_TERM_STRIDE, SMALL_ROWS = COLUMNS;
  static constexpr i64 SMALL_STRIDE = RHS_ROW_STRIDE, SMALL_TERM = RHS_TERM_STRIDE, BIG_STRIDE = LHS_ROW_STRIDE;
  static constexpr bool IS_BIG_FIXED = IN0_IS_FIXED;
};
typedef Few<(IS_LEFT_SMALL != 0)> Sides;
typedef Sides::Small Small;
typedef Sides::Big Big;
constexpr int VECTOR = 16 / sizeof(Big), WARPS = 8;
// Of `along`: warps of a block, and steps whose vectors a thread loads before it uses the first. Measured on an H100: blocks that share one
// row read faster than warps with rows of their own, and more loads ahead are slower.
constexpr int ALONG_WARPS = 4, STEPS_AT = 2;
// Steps of a thread that are fetched ahead, and blocks that do it: those of later waves find the card busy when they come.
constexpr int STEPS_AHEAD = 4, BLOCKS_AHEAD = 132 * 4;

template <class Output>
inline void put_few(const Result<Output>& result, i64 batch, i64 small, i64 big, f32 sum) {
  if (IS_LEFT_SMALL) {
    result.put(batch, small, big, number<Sum>(sum));
  } else {
    result.put(batch, big, small, number<Sum>(sum));
  }
}
template <class Output>
inline void finish_few(const Result<Output>& result, i64 batch, i64 first_small, i64 first_big, i64 bigs) {
  __shared__ u32 word;
  if (IS_LEFT_SMALL) {
    result.finish_tile(word, batch, first_small, FEW_ROWS, first_big, bigs);
  } else {
    result.finish_tile(word, batch, first_big, bigs, first_small, FEW_ROWS);
  }
}

// Some terms of a row of the small side, widened.
template <bool IS_WHOLE, class SmallArray>
inline void load_small(SmallArray small, i64 row, i64 term, f32* values) {
  constexpr bool ARE_ROWS_ALIGNED = Sides::SMALL_ROWS == 1 || Sides::SMALL_STRIDE % (16 / sizeof(Small)) == 0;
  constexpr bool IS_VECTOR = Sides::SMALL_TERM == 1 && ARE_ROWS_ALIGNED && sizeof(Small) <= sizeof(Big);
  if constexpr (IS_WHOLE && IS_VECTOR) {
    constexpr int OWN = 16 / sizeof(Small), COUNT = VECTOR < OWN ? VECTOR : OWN;
    typedef typename Word<int(COUNT * sizeof(Small))>::Type Loaded;
    const Loaded loaded = *(const Loaded*)(small + Sides::small_at(row, term));
    union {
      Loaded word;
      u8 bytes[sizeof(Loaded)];
    } both;
    both.word = loaded;
#pragma unroll
    for (int at = 0; at < COUNT; ++at) values[at] = number<f32>(((const Small*)both.bytes)[at]);
    return;
  }
#pragma unroll
  for (int at = 0; at < VECTOR; ++at) {
    values[at] = IS_WHOLE || term + at < TERMS ? number<f32>(small[Sides::small_at(row, term + at)]) : 0.0f;
  }
}

template <bool IS_WHOLE, class BigArray>
inline Vector<Big> load_big(BigArray row, i64 term) {
  if constexpr (IS_WHOLE) return load_once<Sides::IS_BIG_FIXED>(row + term);
  Vector<Big> vector;
#pragma unroll
  for (int at = 0; at < VECTOR; ++at) vector.of[at] = term + at < TERMS ? row[term + at] : Big();
  return vector;
}

// Numbers of terms, some steps past the last too.
typedef typename IndexOf<(TERMS < SMALL_MAX / 2)>::Type Term;

// Weights are on their way while kernels before this one end.
template <class BigArray>
inline void fetch_along(BigArray big, i64 first_big) {
  if (!Sides::IS_BIG_FIXED || blockIdx.y > 0 || blockIdx.x >= BLOCKS_AHEAD) return;
  const int lane = int(threadIdx.x) % 32, member = int(threadIdx.x) / 32 % int(TEAM);
  constexpr Term STEP = Term(TEAM * 32 * VECTOR * SPLITS);
  const Term first = (Term(blockIdx.z * TEAM + member) * 32 + lane) * VECTOR;
#pragma unroll
  for (int of = 0; of < PER_WARP; ++of) {
#pragma unroll
    for (int step = 0; step < STEPS_AHEAD; ++step) {
      const Term term = first + step * STEP;
      if (lane % 8 == 0 && first_big + of < Sides::BIG_ROWS && term < TERMS) fetch_ahead(big + Sides::big_at(first_big + of) + term);
    }
  }
}

// `TEAM` warps fold `PER_WARP` rows of the big matrix, whose terms lie together.
template <bool IS_WHOLE, class SmallArray, class BigArray>
inline void along_sums(SmallArray small, BigArray big, i64 first_small, i64 first_big, f32 (&sums)[FEW_ROWS][PER_WARP]) {
  const int lane = int(threadIdx.x) % 32, member = int(threadIdx.x) / 32 % int(TEAM);
  BigArray rows[PER_WARP];
#pragma unroll
  for (int of = 0; of < PER_WARP; ++of) {
    const i64 row = first_big + of < Sides::BIG_ROWS ? first_big + of : Sides::BIG_ROWS - 1;
    rows[of] = big + Sides::big_at(row);
  }
  constexpr Term STEP = Term(TEAM * 32 * VECTOR * SPLITS);
#pragma unroll 1
  for (Term first = (Term(blockIdx.z * TEAM + member) * 32 + lane) * VECTOR; first < TERMS; first += STEP * STEPS_AT) {
    Vector<Big> loaded[STEPS_AT][PER_WARP];
#pragma unroll
    for (int step = 0; step < STEPS_AT; ++step) {
#pragma unroll
      for (int of = 0; of < PER_WARP; ++of) {
        if (first + step * STEP < TERMS) loaded[step][of] = load_big<IS_WHOLE>(rows[of], first + step * STEP);
      }
    }
#pragma unroll
    for (int step = 0; step < STEPS_AT; ++step) {
      const Term term = first + step * STEP;
#pragma unroll
      for (int row = 0; row < FEW_ROWS; ++row) {
        if (term >= TERMS || first_small + row >= Sides::SMALL_ROWS) continue;
        f32 values[VECTOR];
        load_small<IS_WHOLE>(small, first_small + row, term, values);
#pragma unroll
        for (int of = 0; of < PER_WARP; ++of) {
#pragma unroll
          for (int at = 0; at < VECTOR; ++at) sums[row][of] = fmaf(values[at], number<f32>(loaded[step][of].of[at]), sums[row][of]);
        }
      }
    }
  }
}

template <class Output, class SmallArray, class BigArray>
inline void along(Output output, SmallArray small, BigArray big, u8* parts, u32* counters) {
  const auto result = result_of(output, parts, counters);
  constexpr bool FITS = TERMS % VECTOR == 0 && Sides::BIG_STRIDE % VECTOR == 0;
  constexpr i64 CHUNKS = (Sides::SMALL_ROWS + FEW_ROWS - 1) / FEW_ROWS;
  __shared__ f32 shared[ALONG_WARPS][FEW_ROWS * PER_WARP];
  const int lane = int(threadIdx.x) % 32, warp = int(threadIdx.x) / 32;
  const i64 first_big = (blockIdx.x / CHUNKS * (ALONG_WARPS / TEAM) + warp / TEAM) * PER_WARP, first_small = blockIdx.x % CHUNKS * FEW_ROWS;
  if constexpr (!IS_MADE) fetch_along(big, first_big);
  wait_for_earlier();
  for (i64 batch = blockIdx.y; batch < BATCHES; batch += gridDim.y) {
    const SmallArray own = small + (IS_LEFT_SMALL ? lhs_batch(batch) : rhs_batch(batch));
    const BigArray matrix = big + (IS_LEFT_SMALL ? rhs_batch(batch) : lhs_batch(batch));
    f32 sums[FEW_ROWS][PER_WARP];
#pragma unroll
    for (int at = 0; at < FEW_ROWS * PER_WARP; ++at) sums[at / PER_WARP][at % PER_WARP] = 0;
    if (first_big < Sides::BIG_ROWS) {
      if constexpr (FITS && !IS_MADE) {
        if (IS_ALIGNED || (is_aligned(matrix) && is_aligned(own))) {
          along_sums<true>(own, matrix, first_small, first_big, sums);
        } else {
          along_sums<false>(own, matrix, first_small, first_big, sums);
        }
      } else {
        along_sums<false>(own, matrix, first_small, first_big, sums);
      }
    }
#pragma unroll
    for (int at = 0; at < FEW_ROWS * PER_WARP; ++at) {
      f32& sum = sums[at / PER_WARP][at % PER_WARP];
#pragma unroll
      for (int bits = 16; bits > 0; bits /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, bits);
      if (lane == 0) shared[warp][at] = sum;
    }
    __syncthreads();
    for (int at = int(threadIdx.x) % int(TEAM * 32); at < FEW_ROWS * PER_WARP; at += int(TEAM) * 32) {
      f32 sum = 0;
      for (int member = 0; member < TEAM; ++member) sum += shared[warp / int(TEAM) * int(TEAM) + member][at];
      const i64 row = first_small + at / PER_WARP, of = first_big + at % PER_WARP;
      if (row < Sides::SMALL_ROWS && of < Sides::BIG_ROWS) put_few(result, batch, row, of, sum);
    }
    finish_few(result, batch, first_small, blockIdx.x / CHUNKS * (ALONG_WARPS / TEAM) * PER_WARP, ALONG_WARPS / TEAM * PER_WARP);
    __syncthreads();
  }
}

// 8 threads own `8 * VECTOR` rows of the big matrix, which lie together, and the 32 such groups of a block go through its terms.
constexpr int OWNERS = 8, GROUPS = 32;

template <bool IS_WHOLE, class SmallArray, class BigArray>
inline void across_sums(SmallArray small, BigArray big, i64 first_small, i64 first_big, i64 from, i64 to, f32 (&sums)[FEW_ROWS][VECTOR]) {
#pragma unroll 8
  for (i64 term = from + int(threadIdx.x) / OWNERS; term < to; term += GROUPS) {
    const BigArray address = big + term * Sides::TERM_STRIDE + first_big;
    Vector<Big> loaded;
    if constexpr (IS_WHOLE) {
      loaded = load_once<Sides::IS_BIG_FIXED>(address);
    } else {
#pragma unroll
      for (int at = 0; at < VECTOR; ++at) loaded.of[at] = first_big + at < Sides::BIG_ROWS ? address[at] : Big();
    }
#pragma unroll
    for (int row = 0; row < FEW_ROWS; ++row) {
      if (first_small + row >= Sides::SMALL_ROWS) continue;
      const f32 value = number<f32>(small[Sides::small_at(first_small + row, term)]);
#pragma unroll
      for (int at = 0; at < VECTOR; ++at) sums[row][at] = fmaf(value, number<f32>(loaded.of[at]), sums[row][at]);
    }
  }
}

template <class Output, class SmallArray, class BigArray>
inline void across(Output output, SmallArray small, BigArray big, u8* parts, u32* counters) {
  const auto result = result_of(output, parts, counters);
  constexpr bool FITS = Sides::BIG_ROWS % VECTOR == 0 && Sides::TERM_STRIDE % VECTOR == 0;
  constexpr i64 CHUNKS = (Sides::SMALL_ROWS + FEW_ROWS - 1) / FEW_ROWS, PART = (TERMS + SPLITS - 1) / SPLITS;
  __shared__ f32 shared[WARPS][OWNERS * FEW_ROWS * VECTOR];
  const int owner = int(threadIdx.x) % OWNERS, warp = int(threadIdx.x) / 32;
  const i64 block_big = blockIdx.x / CHUNKS * (OWNERS * VECTOR), first_small = blockIdx.x % CHUNKS * FEW_ROWS;
  const i64 first_big = block_big + owner * VECTOR;
  const i64 from = blockIdx.z * PART, to = from + PART < TERMS ? from + PART : TERMS;
  if constexpr (!IS_MADE) {
    if (Sides::IS_BIG_FIXED && owner == 0 && first_big < Sides::BIG_ROWS && blockIdx.y == 0) {
#pragma unroll
      for (int step = 0; step < 2 * STEPS_AHEAD; ++step) {
        const i64 term = from + int(threadIdx.x) / OWNERS + step * GROUPS;
        if (term < to) fetch_ahead(big + term * Sides::TERM_STRIDE + first_big);
      }
    }
  }
  wait_for_earlier();
  for (i64 batch = blockIdx.y; batch < BATCHES; batch += gridDim.y) {
    const SmallArray own = small + (IS_LEFT_SMALL ? lhs_batch(batch) : rhs_batch(batch));
    const BigArray matrix = big + (IS_LEFT_SMALL ? rhs_batch(batch) : lhs_batch(batch));
    f32 sums[FEW_ROWS][VECTOR];
#pragma unroll
    for (int at = 0; at < FEW_ROWS * VECTOR; ++at) sums[at / VECTOR][at % VECTOR] = 0;
    if (first_big < Sides::BIG_ROWS) {
      if constexpr (FITS && !IS_MADE) {
        if (IS_ALIGNED || is_aligned(matrix)) {
          across_sums<true>(own, matrix, first_small, first_big, from, to, sums);
        } else {
          across_sums<false>(own, matrix, first_small, first_big, from, to, sums);
        }
      } else {
        across_sums<false>(own, matrix, first_small, first_big, from, to, sums);
      }
    }
#pragma unroll
    for (int at = 0; at < FEW_ROWS * VECTOR; ++at) {
      f32& sum = sums[at / VECTOR][at % VECTOR];
      sum += __shfl_xor_sync(0xffffffffu, sum, 8);
      sum += __shfl_xor_sync(0xffffffffu, sum, 16);
      if (threadIdx.x % 32 < OWNERS) shared[warp][(at / VECTOR * OWNERS + owner) * VECTOR + at % VECTOR] = sum;
    }
    __syncthreads();
    for (int at = int(threadIdx.x); at < FEW_ROWS * OWNERS * VECTOR; at += WARPS * 32) {
      f32 sum = 0;
#pragma unroll
      for (int of = 0; of < WARPS; ++of) sum += shared[of][at];
      const i64 row = first_small + at / (OWNERS * VECTOR), of = block_big + at % (OWNERS * VECTOR);
      if (row < Sides::SMALL_ROWS && of < Sides::BIG_ROWS) put_few(result, batch, row, of, sum);
    }
    finish_few(result, batch, first_small, block_big, OWNERS * VECTOR);
    __syncthreads();
  }
}

template <bool VALUE>
struct Flag {
  static constexpr bool value = VALUE;
};
// Both sides of a product, as they go into stages: in whole pieces, or element by element.
template <bool LEFT_ACROSS, bool RIGHT_ACROSS, bool IS_WHOLE, class Left, class Right>
struct Matrices {
  static constexpr int SLOTS = 0;
  Left left;
  Right right;
  i64 first_row, first_column, from, to;
  inline Matrices(Left left, Right right, i64 first_row, i64 first_column, i64 from, i64 to)
      : left(left), right(right), first_row(first_row), first_column(first_column), from(from), to(to) {}
  inline void fill_left(int step, u16* stage) const {
    const Left left = this->left;
    auto address = [=](i64 row, i64 term) { return left + lhs_row(row) + lhs_term(term); };
    fill_stage<Stage<int(TILE_ROWS), LEFT_ACROSS>, LEFT_ACROSS>(stage, first_row, ROWS, from + i64(step) * STEP_TERMS, to, address);
  }
  inline void begin_right() const {}
  inline void fill_right(int step, u16* stage) const {
    const Right right = this->right;
    auto address = [=](i64 row, i64 term) { return right + rhs_row(row) + rhs_term(term); };
    fill_stage<Stage<int(TILE_COLUMNS), RIGHT_ACROSS>, RIGHT_ACROSS>(stage, first_column, COLUMNS, from + i64(step) * STEP_TERMS, to, address);
  }
};
template <bool LEFT_ACROSS, bool RIGHT_ACROSS, class Left, class Right>
struct Matrices<LEFT_ACROSS, RIGHT_ACROSS, true, Left, Right> {
  static constexpr int SLOTS = 0;
  WholeSide<int(TILE_ROWS), LEFT_ACROSS, ROWS, (LEFT_ACROSS ? LHS_TERM_STRIDE : LHS_ROW_STRIDE), In0> left;
  WholeSide<int(TILE_COLUMNS), RIGHT_ACROSS, COLUMNS, (RIGHT_ACROSS ? RHS_TERM_STRIDE : RHS_ROW_STRIDE), In1> right;
  i64 to;
  inline Matrices(Left left, Right right, i64 first_row, i64 first_column, i64 from, i64 to)
      : left(left, first_row, from), right(right, first_column, from), to(to) {}
  inline void fill_left(int step, u16* stage) const { left.fill(step, stage, to); }
  inline void begin_right() const {}
  inline void fill_right(int step, u16* stage) const { right.fill(step, stage, to); }
};

// Tiles on tensor cores. A template, since other types than those of two bytes have no code for it.
template <class Output, class Left, class Right>
inline void tensor(Output output, Left lhs, Right rhs, u8* parts, u32* counters) {
  const auto result = result_of(output, parts, counters);
  constexpr bool LEFT_ACROSS = LHS_TERM_STRIDE != 1 && LHS_ROW_STRIDE == 1, RIGHT_ACROSS = RHS_TERM_STRIDE != 1 && RHS_ROW_STRIDE == 1;
  constexpr bool LEFT_FITS = LEFT_ACROSS ? ROWS % PIECE == 0 && LHS_TERM_STRIDE >= 0 && LHS_TERM_STRIDE % PIECE == 0
                                         : LHS_TERM_STRIDE == 1 && TERMS % PIECE == 0 && LHS_ROW_STRIDE >= 0 && LHS_ROW_STRIDE % PIECE == 0;
  constexpr bool RIGHT_FITS = RIGHT_ACROSS ? COLUMNS % PIECE == 0 && RHS_TERM_STRIDE >= 0 && RHS_TERM_STRIDE % PIECE == 0
                                           : RHS_TERM_STRIDE == 1 && TERMS % PIECE == 0 && RHS_ROW_STRIDE >= 0 && RHS_ROW_STRIDE % PIECE == 0;
  constexpr i64 ACROSS = (COLUMNS + TILE_COLUMNS - 1) / TILE_COLUMNS;
  constexpr i64 PART = ((TERMS + SPLITS - 1) / SPLITS + STEP_TERMS - 1) / STEP_TERMS * STEP_TERMS;
  PYGRAPH_DYNAMIC_SHARED(room);
  u16* const shared = (u16*)room;
  const i64 first_row = blockIdx.x / ACROSS * TILE_ROWS, first_column = blockIdx.x % ACROSS * TILE_COLUMNS;
  const i64 from = blockIdx.z * PART, to = from + PART < TERMS ? from + PART : TERMS;
  for (i64 batch = blockIdx.y; batch < BATCHES; batch += gridDim.y) {
    const Left left = lhs + lhs_batch(batch);
    const Right right = rhs + rhs_batch(batch);
    Sum sums[Fragments::COUNT];
    auto multiply = [&](auto is_whole) {
      Matrices<LEFT_ACROSS, RIGHT_ACROSS, decltype(is_whole)::value, Left, Right> source(left, right, first_row, first_column, from, to);
      multiply_tensors<LEFT_ACROSS, RIGHT_ACROSS, In0>(shared, int((to - from + STEP_TERMS - 1) / STEP_TERMS), source, sums);
    };
    if constexpr (LEFT_FITS && RIGHT_FITS && !IS_MADE) {
      if (is_aligned(left) && is_aligned(right)) {
        multiply(Flag<true>());
      } else {
        multiply(Flag<false>());
      }
    } else {
      multiply(Flag<false>());
    }
    end_tile<Fragments>(result, *(u32*)shared, sums, batch, first_row, first_column);
  }
}
