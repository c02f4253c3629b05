// A block takes `ROWS` rows (queries of heads that share a head of keys) of one head of keys, and a share of the tokens in sight; each of
// its warps goes through `TOKENS_AT` tokens at a time. Without tensor cores lanes share the features of a row of keys or values, 16 bytes each, and between the
// two products each lane, of the first `TOKENS_AT`, has a token's logits. The block that comes last of those with the same
// rows adds up their shares, in order.
//
// Beside the reference: exponentials are taken of the distance to the largest logit so far and rounded to `softmax_type`; sums are of
// f32 and scaled when a larger logit comes; values are added up before they are divided by the sum, so that `probability_type` rounds
// nothing. That stays within the precision of these types. Rows that no query of the block can see are not read where they count for
// nothing: with a fill of minus infinity, added or not, or where the launch says so (`SKIPS_BELOW`). Hidden rows that hold no numbers are
// therefore not seen, where the operations that this replaces would give no number either.

constexpr i64 ROWS_ALL = HEADS / GROUPS * QUERIES, ROW_TILES = (ROWS_ALL + ROWS - 1) / ROWS, UNITS = BATCHES * GROUPS * ROW_TILES;
// Of a row: the largest logit, the sum of exponentials, two numbers that keep the rest aligned, and the sums of values.
constexpr i64 PART_HEAD = 4, PART = VALUE_FEATURES + PART_HEAD;

// How lanes share a row of so many features: `LANES` with `VECTOR` elements each, `CHUNKS` times.
template <class T, i64 FEATURES>
struct Spread {
  static constexpr int VECTOR = 16 / sizeof(T);
  static constexpr i64 VECTORS = (FEATURES + VECTOR - 1) / VECTOR;
  static constexpr int LANES = VECTORS <= 1 ? 1 : VECTORS <= 2 ? 2 : VECTORS <= 4 ? 4 : VECTORS <= 8 ? 8 : VECTORS <= 16 ? 16 : 32;
  static constexpr int CHUNKS = int((VECTORS + LANES - 1) / LANES) > 0 ? int((VECTORS + LANES - 1) / LANES) : 1;
};
typedef Spread<In1, FEATURES> Keys;
typedef Spread<In2, VALUE_FEATURES> Values;

template <class T>
inline f32 rounded(f32 value) {
  return widen(narrow<T>(value));
}
inline f32 number_of(u64 bits) { return f32(from_bits<f64>(bits)); }
inline f32 infinity() { return from_bits<f32>(0x7f800000u); }
// The larger of two, or not a number if one of them is none.
inline f32 larger(f32 a, f32 b) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  f32 found;
  asm("max.NaN.f32 %0, %1, %2;" : "=f"(found) : "f"(a), "f"(b));
  return found;
#else
  return op_max(a, b);
#endif
}

// An element of 16 bytes. Parts stay packed until they are used, since elements of two bytes would take a register each.
template <class T, int SIZE>
struct Packed {
  static T of(const Quad& part, int at) { return reinterpret<T>(u16(part.words[at / 2] >> (at % 2 * 16))); }
};
template <class T>
struct Packed<T, 4> {
  static T of(const Quad& part, int at) { return reinterpret<T>(part.words[at]); }
};
template <class T>
inline T element_of(const Quad& part, int at) {
  return Packed<T, int(sizeof(T))>::of(part, at);
}

// One lane's part of a row that starts at `row`: whole vectors, or elements one by one, zero behind the end.
template <class Shape, i64 FEATURES, i64 STRIDE, bool IS_WHOLE, class T>
inline Quad load_part(const T* row, i64 feature) {
  if (IS_WHOLE) {
    if (FEATURES % (Shape::LANES * Shape::VECTOR) == 0 || feature < FEATURES) return *(const Quad*)(row + feature);
    return Quad{{0, 0, 0, 0}};
  }
  union {
    Quad part;
    u8 bytes[16];
  } both;
  T* const elements = (T*)both.bytes;
#pragma unroll
  for (int at = 0; at < Shape::VECTOR; ++at) elements[at] = feature + at < FEATURES ? row[(feature + at) * STRIDE] : T();
  return both.part;
}

// The rows of a block: which batch, group and first row.
struct Unit {
  i64 batch, group, first;
};
inline Unit unit_of(i64 number) { return Unit{number / (GROUPS * ROW_TILES), number / ROW_TILES % GROUPS, number % ROW_TILES * ROWS}; }
inline i64 head_of(const Unit& unit, i64 row) { return unit.group * (HEADS / GROUPS) + row / QUERIES; }

// The last token that a query can see, if positions say so.
template <class Positions>
inline i64 last_of(Positions positions, i64 batch, i64 query) {
  if constexpr (HAS_POSITIONS != 0) {
    return saturating_add(index_value(positions[batch * POSITIONS_BATCH + query * POSITIONS_QUERY]), A_diagonal);
  }
  return 0;
}

template <class Length>
inline i64 length_of(Length length, i64 batch) {
  if constexpr (HAS_LENGTH != 0) return clamped(index_value(length[batch * LENGTH_BATCH]), 0, TOKENS);
  return TOKENS;
}

// Where the layer that is read begins, in an array of so many elements a layer.
template <i64 STRIDE, class T, class Layer>
inline const T* layer_of(const T* array, const Layer* layer) {
  if constexpr (HAS_LAYER != 0) return array + clamped(index_value(layer[0]), 0, LAYERS - 1) * STRIDE;
  return array;
}

// Tokens that are read for some rows, and each split's share of them.
typedef typename IndexOf<(TOKENS < SMALL_MAX / 2)>::Type Count;
struct Range {
  i64 from, to, share;
  inline i64 parts() const { return i64(Count(to - from + share - 1) / Count(share)); }
};
inline Range shared_range(i64 from, i64 to) {
  from = from < to ? from : to;
  const i64 even = (to - from + SPLITS - 1) / SPLITS;
  return Range{from, to, even < SHARE_MIN ? SHARE_MIN : (even + TOKENS_AT - 1) / TOKENS_AT * TOKENS_AT};
}
template <class Positions>
inline Range range_of(const Unit& unit, i64 rows, i64 length, Positions positions) {
  i64 from = 0, to = length;
  if (HAS_POSITIONS && (HIDES_WHOLLY || SKIPS_BELOW)) {
    i64 least = 0x7fffffffffffffffll, most = -least - 1;
    bool is_inside = true;
    for (i64 row = unit.first; row < unit.first + rows && row < ROWS_ALL; ++row) {
      const i64 last = last_of(positions, unit.batch, row % QUERIES);
      least = last < least ? last : least;
      most = last > most ? last : most;
      is_inside = is_inside && last >= 0 && last < TOKENS;
    }
    if (HIDES_WHOLLY) to = clamped(saturating_add(most, 1), 0, length);
    if (A_window != 0 && (HIDES_WHOLLY || is_inside)) from = clamped(saturating_add(saturating_add(least, 1), -A_window), 0, length);
  }
  return shared_range(from, to);
}

// Whether mask and positions show a token to a query.
template <class Mask>
inline bool is_visible_to(i64 batch, i64 head, i64 query, i64 token, i64 last, const Mask* mask) {
  bool is_visible = true;
  if constexpr (HAS_MASK != 0) {
    is_visible = mask[batch * MASK_BATCH + head * MASK_HEAD + query * MASK_QUERY + token * MASK_TOKEN];
  }
  if (HAS_POSITIONS) is_visible = is_visible && token <= last && (A_window == 0 || token > saturating_add(last, -A_window));
  return is_visible;
}

// A product, scaled, biased and masked.
template <class Bias>
inline f32 logit_of(f32 product, bool is_visible, i64 batch, i64 head, i64 query, i64 token, const Bias* bias) {
  typedef A_logit_type Logit;
  f32 logit = rounded<Logit>(rounded<A_score_type>(product));
  if (A_scale_BITS != 0x3ff0000000000000ull) logit = rounded<Logit>(logit * number_of(A_scale_BITS));
  if (A_divisor_BITS != 0x3ff0000000000000ull) logit = rounded<Logit>(logit / number_of(A_divisor_BITS));
  if constexpr (HAS_BIAS != 0) {
    logit = rounded<Logit>(logit + widen(bias[batch * BIAS_BATCH + head * BIAS_HEAD + query * BIAS_QUERY + token * BIAS_TOKEN]));
  }
  const f32 fill = number_of(A_fill_BITS);
  const f32 masked = A_mask_adds ? rounded<Logit>(logit + (is_visible ? 0.0f : fill)) : is_visible ? logit : fill;
  return rounded<A_softmax_type>(masked);
}

// The distance is to zero while every logit is minus infinity; then all exponentials are zero.
inline f32 origin_of(f32 largest) { return largest == -infinity() ? 0.0f : largest; }
inline f32 exponential(f32 logit, f32 largest) {
  return rounded<A_softmax_type>(expf(rounded<A_softmax_type>(logit - origin_of(largest))));
}
// What sums so far are multiplied by when the largest logit changes.
inline f32 correction(f32 before, f32 now) { return before == -infinity() ? 0.0f : expf(before - origin_of(now)); }

// What a row gives: its sum of values, of those exponentials.
inline Out0 result_of(f32 sum, f32 exponentials, f32 largest, bool has_rows) {
  if (!has_rows) return narrow<Out0>(0);
  if (largest == -infinity()) return narrow<Out0>(A_safe ? 0.0f : from_bits<f32>(0x7fc00000u));
  return narrow<Out0>(sum / exponentials);
}

inline i64 output_at(i64 batch, i64 query, i64 head) { return batch * O_BATCH + query * O_TOKEN + head * O_HEAD; }

// What a warp has of its rows so far.
struct State {
  f32 largest[ROWS];
  // Each lane's part.
  f32 exponentials[ROWS];
  f32 sums[ROWS][Values::CHUNKS][Values::VECTOR];
};

// Steps through `TOKENS_AT` tokens, and how many of them a lane loads before it uses the first.
template <class Shape>
struct Batch {
  static constexpr int ALL = int(TOKENS_AT) * Shape::LANES / 32, WANTED = int(BATCH_PARTS) / Shape::CHUNKS;
  static constexpr int STEPS = WANTED < 1 ? 1 : WANTED < ALL ? WANTED : ALL;
};

// A lane's parts of so many rows of keys or values.
template <class T, class Shape>
struct Parts {
  Quad of[Batch<Shape>::STEPS][Shape::CHUNKS];
};
template <class Shape, i64 COUNT, i64 TOKEN, i64 FEATURE, bool IS_WHOLE, class T>
inline void load_parts(Parts<T, Shape>& parts, const T* rows, int first_step, i64 first, i64 to) {
  const int lane = int(threadIdx.x) % 32;
#pragma unroll
  for (int step = 0; step < Batch<Shape>::STEPS; ++step) {
    const i64 token = first + (first_step + step) * (32 / Shape::LANES) + lane / Shape::LANES;
#pragma unroll
    for (int chunk = 0; chunk < Shape::CHUNKS; ++chunk) {
      Quad& part = parts.of[step][chunk];
      part = Quad{{0, 0, 0, 0}};
      if (token < to) part = load_part<Shape, COUNT, FEATURE, IS_WHOLE>(rows + token * TOKEN, (chunk * Shape::LANES + lane % Shape::LANES) * Shape::VECTOR);
    }
  }
}

// Adds up each row's sums over `LANES` neighbouring lanes. Lanes halve the rows among them while they halve, so that each row costs less
// than a shuffle a level: then the first sum of a lane is that of row `row_of`. With fewer lanes than rows each lane gets all sums.
constexpr int PADDED = ROWS <= 1 ? 1 : ROWS <= 2 ? 2 : ROWS <= 4 ? 4 : 8;
template <int LANES>
inline void fold_rows(f32 (&sums)[PADDED]) {
  const int lane = int(threadIdx.x) % 32;
#pragma unroll
  for (int level = 0, bits = LANES / 2; bits > 0; ++level, bits /= 2) {
    const int half = LANES < PADDED ? 0 : PADDED >> (level + 1);
    if (half > 0) {
      const bool is_upper = lane & bits;
#pragma unroll
      for (int row = 0; row < half; ++row) {
        const f32 given = is_upper ? sums[row] : sums[row + half], kept = is_upper ? sums[row + half] : sums[row];
        sums[row] = kept + __shfl_xor_sync(0xffffffffu, given, bits);
      }
    } else {
#pragma unroll
      for (int row = 0; row < (LANES < PADDED ? PADDED : 1); ++row) sums[row] += __shfl_xor_sync(0xffffffffu, sums[row], bits);
    }
  }
}
template <int LANES>
inline int row_of(int own) {
  int row = 0;
  for (int half = PADDED / 2, bits = LANES / 2; half > 0; half /= 2, bits /= 2) row += own & bits ? half : 0;
  return row;
}

inline void multiply_keys(const f32 (&queries)[ROWS][Keys::CHUNKS][Keys::VECTOR], const Parts<In1, Keys>& parts, int first_step, f32 (*products)[TOKENS_AT]) {
  const int lane = int(threadIdx.x) % 32, own = lane % Keys::LANES;
#pragma unroll
  for (int step = 0; step < Batch<Keys>::STEPS; ++step) {
    const int at = (first_step + step) * (32 / Keys::LANES) + lane / Keys::LANES;
    f32 sums[PADDED];
#pragma unroll
    for (int row = 0; row < PADDED; ++row) sums[row] = 0;
#pragma unroll
    for (int chunk = 0; chunk < Keys::CHUNKS; ++chunk) {
#pragma unroll
      for (int of = 0; of < Keys::VECTOR; ++of) {
        f32 key = rounded<A_key_type>(widen(element_of<In1>(parts.of[step][chunk], of)));
        if (A_key_scale_BITS != 0x3ff0000000000000ull) key = rounded<A_key_type>(key * number_of(A_key_scale_BITS));
#pragma unroll
        for (int row = 0; row < ROWS; ++row) sums[row] = fmaf(queries[row][chunk][of], key, sums[row]);
      }
    }
    fold_rows<Keys::LANES>(sums);
#pragma unroll
    for (int row = 0; row < (Keys::LANES < PADDED ? ROWS : 1); ++row) {
      const int of = Keys::LANES < PADDED ? row : row_of<Keys::LANES>(own);
      if (of < ROWS && (Keys::LANES < PADDED ? own == 0 : own % (Keys::LANES / PADDED) == 0)) products[of][at] = sums[row];
    }
  }
}

inline void add_values(State& state, const Parts<In2, Values>& parts, int first_step, const f32 (*weights)[TOKENS_AT]) {
  const int lane = int(threadIdx.x) % 32;
#pragma unroll
  for (int step = 0; step < Batch<Values>::STEPS; ++step) {
    const int at = (first_step + step) * (32 / Values::LANES) + lane / Values::LANES;
#pragma unroll
    for (int chunk = 0; chunk < Values::CHUNKS; ++chunk) {
#pragma unroll
      for (int of = 0; of < Values::VECTOR; ++of) {
        const f32 value = rounded<A_value_type>(widen(element_of<In2>(parts.of[step][chunk], of)));
#pragma unroll
        for (int row = 0; row < ROWS; ++row) state.sums[row][chunk][of] = fmaf(weights[row][at], value, state.sums[row][chunk][of]);
      }
    }
  }
}

// Each lane turns its token's products into weights, and sums so far are scaled.
template <class Mask, class Bias>
inline void weigh(State& state, const Unit& unit, i64 token, i64 to, const i64 (&lasts)[ROWS], const Mask* mask, const Bias* bias, f32 (*logits)[TOKENS_AT]) {
  const int lane = int(threadIdx.x) % 32;
#pragma unroll
  for (int row = 0; row < ROWS; ++row) {
    const i64 number = unit.first + row < ROWS_ALL ? unit.first + row : ROWS_ALL - 1;
    f32 logit = -infinity();
    if (lane < TOKENS_AT && token < to) {
      const i64 head = head_of(unit, number), query = number % QUERIES;
      const bool is_visible = is_visible_to(unit.batch, head, query, token, lasts[row], mask);
      logit = logit_of(logits[row][lane], is_visible, unit.batch, head, query, token, bias);
    }
    f32 largest = logit;
#pragma unroll
    for (int bits = 16; bits > 0; bits /= 2) largest = larger(largest, __shfl_xor_sync(0xffffffffu, largest, bits));
    largest = larger(largest, state.largest[row]);
    const f32 scaled = correction(state.largest[row], largest), weight = lane < TOKENS_AT && token < to ? exponential(logit, largest) : 0.0f;
    state.largest[row] = largest;
    state.exponentials[row] = state.exponentials[row] * scaled + weight;
#pragma unroll
    for (int at = 0; at < Values::CHUNKS * Values::VECTOR; ++at) state.sums[row][at / Values::VECTOR][at % Values::VECTOR] *= scaled;
    if (lane < TOKENS_AT) logits[row][lane] = weight;
  }
}

template <bool IS_WHOLE, class Mask, class Bias, class Positions>
inline void attend_range(State& state, const Unit& unit, i64 from, i64 to, const In0* q, const In1* k, const In2* v, const Mask* mask,
                         const Bias* bias, Positions positions, f32 (*logits)[TOKENS_AT]) {
  const int lane = int(threadIdx.x) % 32, warp = int(threadIdx.x) / 32;
  const In1* const keys = k + unit.batch * K_BATCH + unit.group * K_HEAD;
  const In2* const values = v + unit.batch * V_BATCH + unit.group * V_HEAD;
  f32 queries[ROWS][Keys::CHUNKS][Keys::VECTOR];
  i64 lasts[ROWS];
#pragma unroll
  for (int row = 0; row < ROWS; ++row) {
    const i64 number = unit.first + row < ROWS_ALL ? unit.first + row : ROWS_ALL - 1;
    const In0* const query = q + unit.batch * Q_BATCH + number % QUERIES * Q_TOKEN + head_of(unit, number) * Q_HEAD;
    lasts[row] = last_of(positions, unit.batch, number % QUERIES);
#pragma unroll
    for (int at = 0; at < Keys::CHUNKS * Keys::VECTOR; ++at) {
      const int feature = (at / Keys::VECTOR * Keys::LANES + lane % Keys::LANES) * Keys::VECTOR + at % Keys::VECTOR;
      queries[row][at / Keys::VECTOR][at % Keys::VECTOR] = feature < FEATURES ? widen(query[feature * Q_FEATURE]) : 0.0f;
    }
  }
  for (i64 first = from + warp * TOKENS_AT; first < to; first += WARPS * TOKENS_AT) {
#pragma unroll 1
    for (int step = 0; step < Batch<Keys>::ALL; step += Batch<Keys>::STEPS) {
      Parts<In1, Keys> key_parts;
      load_parts<Keys, FEATURES, K_TOKEN, K_FEATURE, IS_WHOLE>(key_parts, keys, step, first, to);
      multiply_keys(queries, key_parts, step, logits);
    }
    // Values are on their way while the logits are computed.
    Parts<In2, Values> value_parts;
    load_parts<Values, VALUE_FEATURES, V_TOKEN, V_FEATURE, IS_WHOLE>(value_parts, values, 0, first, to);
    __syncwarp();
    weigh(state, unit, first + lane, to, lasts, mask, bias, logits);
    __syncwarp();
#pragma unroll 1
    for (int step = 0; step < Batch<Values>::ALL; step += Batch<Values>::STEPS) {
      if (step > 0) load_parts<Values, VALUE_FEATURES, V_TOKEN, V_FEATURE, IS_WHOLE>(value_parts, values, step, first, to);
      add_values(state, value_parts, step, logits);
    }
    __syncwarp();
  }
}

// Adds up what the lanes of a warp have, and puts it into shared memory: of each row the largest logit, the sum of exponentials, and the
// sums of values.
inline void fold_lanes(State& state, f32 (*shared)[PART]) {
  const int lane = int(threadIdx.x) % 32;
#pragma unroll
  for (int row = 0; row < ROWS; ++row) {
#pragma unroll
    for (int bits = 16; bits > 0; bits /= 2) state.exponentials[row] += __shfl_xor_sync(0xffffffffu, state.exponentials[row], bits);
    if (lane == 0) {
      shared[row][0] = state.largest[row];
      shared[row][1] = state.exponentials[row];
    }
#pragma unroll
    for (int at = 0; at < Values::CHUNKS * Values::VECTOR; ++at) {
      f32& sum = state.sums[row][at / Values::VECTOR][at % Values::VECTOR];
#pragma unroll
      for (int bits = 16; bits >= Values::LANES; bits /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, bits);
      const int feature = (at / Values::VECTOR * Values::LANES + lane) * Values::VECTOR + at % Values::VECTOR;
      if (lane < Values::LANES && feature < VALUE_FEATURES) shared[row][PART_HEAD + feature] = sum;
    }
  }
}

// A warp's share of the rows of a unit, with what lanes can do.
template <class Mask, class Bias, class Positions>
inline void sum_range(const Unit& unit, i64 from, i64 to, const In0* q, const In1* k, const In2* v, const Mask* mask, const Bias* bias,
                      Positions positions, f32 (*logits)[TOKENS_AT], f32 (*shared)[PART]) {
  constexpr bool FITS = K_FEATURE == 1 && V_FEATURE == 1 && FEATURES % Keys::VECTOR == 0 && VALUE_FEATURES % Values::VECTOR == 0 &&
                        K_TOKEN % Keys::VECTOR == 0 && K_HEAD % Keys::VECTOR == 0 && K_BATCH % Keys::VECTOR == 0 &&
                        V_TOKEN % Values::VECTOR == 0 && V_HEAD % Values::VECTOR == 0 && V_BATCH % Values::VECTOR == 0;
  State state;
#pragma unroll
  for (int row = 0; row < ROWS; ++row) {
    state.largest[row] = -infinity();
    state.exponentials[row] = 0;
#pragma unroll
    for (int at = 0; at < Values::CHUNKS * Values::VECTOR; ++at) state.sums[row][at / Values::VECTOR][at % Values::VECTOR] = 0;
  }
  if (FITS && is_aligned(k) && is_aligned(v)) {
    attend_range<FITS>(state, unit, from, to, q, k, v, mask, bias, positions, logits);
  } else {
    attend_range<false>(state, unit, from, to, q, k, v, mask, bias, positions, logits);
  }
  fold_lanes(state, shared);
}
