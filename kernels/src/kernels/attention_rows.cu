// A warp's share of the rows of a unit on tensor cores: for up to eight rows, with queries, keys and values of one type of two bytes.
//
// Nothing passes through shared memory. In the product of queries and keys the order of features is free, in that with values the order
// of features is that of the result's rows: so each lane loads 16 bytes of a key or of a value and has what the instructions ask of it.
// With lanes numbered `4 * group + own`, a lane has of 16 tokens
//
// - of keys `first + 8 * half + group` the features `32 * chunk + 8 * own` to the seventh behind;
// - logits of row `group` and tokens `first + 8 * half + 2 * own` and the next;
// - of values of the same tokens the features `64 * part + 8 * group` to the seventh behind;
// - sums of rows `2 * own` and the next, of features `64 * part + 8 * group + 2 * pair` and the next.
//
// Weights are rounded for the product with the values; where `probability_type` is another type, as the sum of two parts.

constexpr int MATRIX_TOKENS = 16, CHUNKS = int(FEATURES / 32), VALUE_PARTS = int(VALUE_FEATURES / 64);

template <class A, class B>
struct IsSame {
  static constexpr bool value = false;
};
template <class A>
struct IsSame<A, A> {
  static constexpr bool value = true;
};

// Eight elements, zeros if they are not there.
template <i64 STRIDE, bool IS_WHOLE, class T>
inline Quad load_eight(const T* from, bool is_there) {
  if (IS_WHOLE) return is_there ? *(const Quad*)from : Quad{{0, 0, 0, 0}};
  Quad quad{{0, 0, 0, 0}};
#pragma unroll
  for (int at = 0; at < 8; ++at) {
    if (is_there) quad.words[at / 2] |= u32(reinterpret<u16>(from[at * STRIDE])) << (at % 2 * 16);
  }
  return quad;
}

// The lower or the upper halves of two words.
inline u32 lower_halves(u32 first, u32 second) { return (first & 0xffffu) | second << 16; }
inline u32 upper_halves(u32 first, u32 second) { return first >> 16 | (second & 0xffff0000u); }

template <bool IS_WHOLE, class T, class Mask, class Bias, class Positions>
inline void multiply_range(const Unit& unit, i64 from, i64 to, const T* q, const T* k, const T* v, const Mask* mask, const Bias* bias,
                           Positions positions, f32 (*shared)[PART]) {
  constexpr bool IS_SPLIT = !IsSame<A_probability_type, T>::value;
  const int lane = int(threadIdx.x) % 32, warp = int(threadIdx.x) / 32, group = lane / 4, own = lane % 4;
  const bool is_row = group < ROWS && unit.first + group < ROWS_ALL;
  const i64 number = is_row ? unit.first + group : unit.first, query = number % QUERIES, head = head_of(unit, number);
  const i64 last = last_of(positions, unit.batch, query);
  const T* const keys = k + unit.batch * K_BATCH + unit.group * K_HEAD;
  const T* const values = v + unit.batch * V_BATCH + unit.group * V_HEAD;
  Quad queries[CHUNKS];
#pragma unroll
  for (int chunk = 0; chunk < CHUNKS; ++chunk) {
    queries[chunk] = load_eight<Q_FEATURE, false>(q + unit.batch * Q_BATCH + query * Q_TOKEN + head * Q_HEAD + (chunk * 32 + own * 8) * Q_FEATURE, is_row);
  }
  f32 sums[VALUE_PARTS * 4][4], largest = -infinity(), exponentials = 0;
#pragma unroll
  for (int at = 0; at < VALUE_PARTS * 16; ++at) sums[at / 4][at % 4] = 0;
  for (i64 first = from + warp * MATRIX_TOKENS; first < to; first += WARPS * MATRIX_TOKENS) {
    Quad key_parts[2][CHUNKS], value_parts[VALUE_PARTS][4];
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const i64 token = first + half * 8 + group;
#pragma unroll
      for (int chunk = 0; chunk < CHUNKS; ++chunk) {
        key_parts[half][chunk] = load_eight<K_FEATURE, IS_WHOLE>(keys + token * K_TOKEN + (chunk * 32 + own * 8) * K_FEATURE, token < to);
      }
    }
#pragma unroll
    for (int of = 0; of < 4; ++of) {
      const i64 token = first + own * 2 + of % 2 + of / 2 * 8;
#pragma unroll
      for (int part = 0; part < VALUE_PARTS; ++part) {
        value_parts[part][of] = load_eight<V_FEATURE, IS_WHOLE>(values + token * V_TOKEN + (part * 64 + group * 8) * V_FEATURE, token < to);
      }
    }
    f32 weights[2][4];
    f32 now = largest;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
#pragma unroll
      for (int at = 0; at < 4; ++at) weights[half][at] = 0;
#pragma unroll
      for (int chunk = 0; chunk < CHUNKS; ++chunk) {
        const Quad &of_query = queries[chunk], &of_key = key_parts[half][chunk];
        const u32 low[4] = {of_query.words[0], 0, of_query.words[1], 0}, high[4] = {of_query.words[2], 0, of_query.words[3], 0};
        multiply_matrices<T>(weights[half], low, of_key.words[0], of_key.words[1]);
        multiply_matrices<T>(weights[half], high, of_key.words[2], of_key.words[3]);
      }
#pragma unroll
      for (int at = 0; at < 2; ++at) {
        const i64 token = first + half * 8 + own * 2 + at;
        f32 logit = -infinity();
        if (is_row && token < to) {
          const bool is_visible = is_visible_to(unit.batch, head, query, token, last, mask);
          logit = logit_of(weights[half][at], is_visible, unit.batch, head, query, token, bias);
        }
        weights[half][at] = logit;
        now = larger(now, logit);
      }
    }
    now = larger(now, __shfl_xor_sync(0xffffffffu, now, 1));
    now = larger(now, __shfl_xor_sync(0xffffffffu, now, 2));
    const f32 scaled = correction(largest, now);
    largest = now;
    exponentials *= scaled;
    u32 rights[2], rests[2];
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const f32 low = exponential(weights[half][0], largest), high = exponential(weights[half][1], largest);
      exponentials += low + high;
      rights[half] = pack_pair<T>(low, high);
      rests[half] = pack_pair<T>(low - lower_of<T>(rights[half]), high - upper_of<T>(rights[half]));
    }
    const f32 scales[2] = {__shfl_sync(0xffffffffu, scaled, own * 8), __shfl_sync(0xffffffffu, scaled, own * 8 + 4)};
#pragma unroll
    for (int part = 0; part < VALUE_PARTS; ++part) {
#pragma unroll
      for (int pair = 0; pair < 4; ++pair) {
        const Quad(&parts)[4] = value_parts[part];
        const u32 lefts[4] = {lower_halves(parts[0].words[pair], parts[1].words[pair]), upper_halves(parts[0].words[pair], parts[1].words[pair]),
                              lower_halves(parts[2].words[pair], parts[3].words[pair]), upper_halves(parts[2].words[pair], parts[3].words[pair])};
        f32(&of)[4] = sums[part * 4 + pair];
#pragma unroll
        for (int at = 0; at < 4; ++at) of[at] *= scales[at % 2];
        multiply_matrices<T>(of, lefts, rights[0], rights[1]);
        if (IS_SPLIT) multiply_matrices<T>(of, lefts, rests[0], rests[1]);
      }
    }
  }
  exponentials += __shfl_xor_sync(0xffffffffu, exponentials, 1);
  exponentials += __shfl_xor_sync(0xffffffffu, exponentials, 2);
  if (own == 0 && group < ROWS) {
    shared[group][0] = largest;
    shared[group][1] = exponentials;
  }
#pragma unroll
  for (int at = 0; at < VALUE_PARTS * 16; ++at) {
    const int of = at % 4, row = own * 2 + of % 2, feature = at / 16 * 64 + group * 8 + at / 4 % 4 * 2 + of / 2;
    if (row < ROWS) shared[row][PART_HEAD + feature] = sums[at / 4][of];
  }
}

template <class T, class Mask, class Bias, class Positions>
inline void sum_range_of_matrices(const Unit& unit, i64 from, i64 to, const T* q, const T* k, const T* v, const Mask* mask, const Bias* bias,
                                  Positions positions, f32 (*shared)[PART]) {
  constexpr bool FITS = K_FEATURE == 1 && V_FEATURE == 1 && K_TOKEN % 8 == 0 && K_HEAD % 8 == 0 && K_BATCH % 8 == 0 && V_TOKEN % 8 == 0 &&
                        V_HEAD % 8 == 0 && V_BATCH % 8 == 0;
  if (FITS && is_aligned(k) && is_aligned(v)) {
    multiply_range<FITS>(unit, from, to, q, k, v, mask, bias, positions, shared);
  } else {
    multiply_range<false>(unit, from, to, q, k, v, mask, bias, positions, shared);
  }
}
