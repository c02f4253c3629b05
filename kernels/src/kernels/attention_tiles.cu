// Attention for many queries on tensor cores, for queries, keys and values of one type of two bytes. A block takes `TILE_QUERIES` queries
// of a head, 16 a warp, and goes through the keys in sight `TILE_TOKENS` at a time: products stay in registers, where the softmax turns
// them into the left side of the product with the values. The next tiles of keys and of values are copied while one is worked on.
// Where there are few blocks, `TOKEN_WARPS` warps have the same queries: each takes its share of every tile, and what they have found is joined in the end.
//
// Weights are rounded for the product with the values; where `probability_type` is another type, as the sum of two parts. Tiles that
// every query of the block has hidden come last, and not at all where their weights would be zero in every row (`fill` far below).

constexpr int TILE_TOKENS = int(TILE_TOKEN_COUNT), QUERY_TILES = int((QUERIES + TILE_QUERIES - 1) / TILE_QUERIES);
// Warps along the queries, and a warp's tokens of a tile.
constexpr int QUERY_WARPS = int(TILE_QUERIES) / 16, OWN_TOKENS = TILE_TOKENS / int(TOKEN_WARPS);
constexpr int TILE_THREADS = 32 * QUERY_WARPS * int(TOKEN_WARPS);
// A warp's first query of the block's, and its first token of a tile's.
inline int own_query() { return TOKEN_WARPS == 1 ? int(threadIdx.x) / 32 * 16 : int(threadIdx.x) / 32 % QUERY_WARPS * 16; }
inline int own_token() { return TOKEN_WARPS == 1 ? 0 : int(threadIdx.x) / 32 / QUERY_WARPS * OWN_TOKENS; }
constexpr i64 TILES_OF_HEADS = BATCHES * HEADS;

// Rows of so many features in shared memory: lines of a power of two of pieces of 16 bytes, which are moved about within a line so that
// eight lines are read without bank conflicts.
template <i64 COUNT>
struct Line {
  static constexpr int STEPS = int((COUNT + 15) / 16);
  static constexpr int PIECES = STEPS <= 1 ? 2 : STEPS <= 2 ? 4 : STEPS <= 4 ? 8 : 16, SIZE = PIECES * 8;
  static inline int at(int line, int piece) { return line * SIZE + mixed_piece<PIECES>(line, piece) * 8; }
  static_assert(TILE_THREADS / PIECES % 8 == 0, "a thread's piece should be moved alike in all its lines");
};
typedef Line<FEATURES> KeyLine;
typedef Line<VALUE_FEATURES> ValueLine;

// Copies `LINES` rows of a head, from `first` on; zeros for those that are not among `from` to `to`, which may not even be there. Where pieces are copied whole, a
// thread has the same one of all its lines, so that addresses differ by constants.
template <class Of, i64 COUNT, i64 TOKEN, i64 FEATURE, int LINES, bool IS_WHOLE, class T>
inline void copy_lines(u16* lines, const T* rows, i64 first, i64 from, i64 to) {
  if constexpr (IS_WHOLE) {
    constexpr int APART = TILE_THREADS / Of::PIECES;
    const int line = int(threadIdx.x) / Of::PIECES, piece = int(threadIdx.x) % Of::PIECES;
    const i32 low = i32(clamped(from - first, 0, LINES)), count = piece * 8 < COUNT ? i32(clamped(to - first, 0, LINES)) - low : 0;
    const T* const source = rows + (first + line) * TOKEN + piece * 8;
    u16* const target = lines + Of::at(line, piece);
#pragma unroll
    for (int at = 0; at < LINES; at += APART) {
      if (LINES % APART != 0 && line + at >= LINES) continue;
      copy_ahead(target + at * Of::SIZE, source + at * TOKEN, u32(line + at - low) < u32(count));
    }
    return;
  }
  for (int number = int(threadIdx.x); number < LINES * Of::PIECES; number += TILE_THREADS) {
    const int line = number / Of::PIECES, piece = number % Of::PIECES;
    u16* const target = lines + Of::at(line, piece);
    for (int of = 0; of < 8; ++of) {
      const bool is_there = first + line >= from && first + line < to && piece * 8 + of < COUNT;
      target[of] = is_there ? reinterpret<u16>(rows[(first + line) * TOKEN + (piece * 8 + of) * FEATURE]) : u16(0);
    }
  }
}

// The least and the last of the last keys that some queries can see, and whether all are keys.
struct Sight {
  i64 least, most;
  bool is_inside;
};
template <class Positions>
inline Sight sight_of(Positions positions, i64 batch, i64 first, i64 count) {
  const int lane = int(threadIdx.x) % 32;
  Sight sight{0x7fffffffffffffffll, -0x7fffffffffffffffll - 1, true};
  for (i64 query = first + lane; query < first + count && query < QUERIES; query += 32) {
    const i64 last = last_of(positions, batch, query);
    sight.least = last < sight.least ? last : sight.least;
    sight.most = last > sight.most ? last : sight.most;
    sight.is_inside = sight.is_inside && last >= 0 && last < TOKENS;
  }
#pragma unroll
  for (int bits = 16; bits > 0; bits /= 2) {
    const i64 least = __shfl_xor_sync(0xffffffffu, sight.least, bits), most = __shfl_xor_sync(0xffffffffu, sight.most, bits);
    sight.least = least < sight.least ? least : sight.least;
    sight.most = most > sight.most ? most : sight.most;
  }
  sight.is_inside = __all_sync(0xffffffffu, sight.is_inside);
  return sight;
}

// Which tiles of keys a block goes through, and in which order: those that a query can see, then the others.
struct Route {
  // Rows that are read.
  i64 from, to;
  // Tiles of them; those from `seen_first` to `seen_end` may be seen.
  i64 first, seen_first, seen_end, end;
  inline i64 seen() const { return seen_end - seen_first; }
  inline i64 count() const { return end - first; }
  inline i64 tile(i64 number) const {
    if (number < seen()) return seen_first + number;
    const i64 other = first + number - seen();
    return other < seen_first ? other : other + seen();
  }
};
template <class Positions>
inline Route route_of(Positions positions, i64 batch, i64 first_query, i64 length) {
  i64 from = 0, to = length, seen_from = 0, seen_to = length;
  if (HAS_POSITIONS) {
    const Sight sight = sight_of(positions, batch, first_query, TILE_QUERIES);
    seen_to = clamped(saturating_add(sight.most, 1), 0, length);
    if (A_window != 0) seen_from = clamped(saturating_add(saturating_add(sight.least, 1), -A_window), 0, length);
    if (HIDES_WHOLLY) to = seen_to;
    if (HIDES_WHOLLY || (SKIPS_BELOW && sight.is_inside)) from = seen_from;
    // Where `fill` is added, what is hidden has logits of its own.
    if (A_mask_adds) seen_from = from, seen_to = to;
  }
  from = from < to ? from : to;
  seen_from = seen_from < seen_to ? seen_from : seen_to;
  const i64 first = from / TILE_TOKENS, end = (to + TILE_TOKENS - 1) / TILE_TOKENS;
  const i64 seen_first = clamped(seen_from / TILE_TOKENS, first, end);
  const i64 seen_end = clamped((seen_to + TILE_TOKENS - 1) / TILE_TOKENS, seen_first, end);
  return Route{from, to, first, seen_first, seen_end, end};
}

// What a warp has of its 16 queries; a thread has two of them, and of each two neighbouring columns of every eight.
struct Rows {
  u32 queries[KeyLine::STEPS][4];
  f32 sums[ValueLine::STEPS * 2][4];
  f32 largest[2];
  // A thread's part.
  f32 exponentials[2];
  i64 lasts[2];
  // Keys that positions show to all of them.
  i64 shown_from, shown_to;
};
typedef f32 Products[OWN_TOKENS / 8][4];

template <class T>
inline void multiply_tile_of_keys(Products& products, const Rows& rows, const u16* keys) {
  const int lane = int(threadIdx.x) % 32;
#pragma unroll
  for (int at = 0; at < OWN_TOKENS / 2; ++at) products[at / 4][at % 4] = 0;
#pragma unroll
  for (int step = 0; step < KeyLine::STEPS; ++step) {
#pragma unroll
    for (int part = 0; part < OWN_TOKENS / 16; ++part) {
      u32 rights[4];
      load_matrices<false>(rights, keys + KeyLine::at(own_token() + part * 16 + lane % 8 + lane / 16 * 8, step * 2 + lane / 8 % 2));
      multiply_matrices<T>(products[part * 2], rows.queries[step], rights[0], rights[1]);
      multiply_matrices<T>(products[part * 2 + 1], rows.queries[step], rights[2], rights[3]);
    }
  }
}

// The same as `exponential`, by the card's own function: to some 20 bits, where a weight is rounded to fewer.
inline f32 weight_of(f32 logit, f32 largest) {
#ifdef __CUDA_ARCH__
  f32 weight;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(weight) : "f"(rounded<A_softmax_type>(logit - origin_of(largest)) * 1.44269504f));
  return rounded<A_softmax_type>(weight);
#else
  return exponential(logit, largest);
#endif
}

// Turns products into weights, and scales sums so far. All of the warp's keys, from `first` on, are read and shown if `IS_SHOWN`.
template <bool IS_SHOWN, class Mask, class Bias>
inline void weigh_tile(Products& products, Rows& rows, i64 batch, i64 head, i64 first_query, i64 first, const Route& route, const Mask* mask,
                       const Bias* bias) {
  const int lane = int(threadIdx.x) % 32;
#pragma unroll
  for (int row = 0; row < 2; ++row) {
    const i64 own = first_query + lane / 4 + row * 8, query = own < QUERIES ? own : QUERIES - 1;
    f32 largest = rows.largest[row];
#pragma unroll
    for (int at = 0; at < OWN_TOKENS / 4; ++at) {
      f32& product = products[at / 2][row * 2 + at % 2];
      const i64 token = first + at / 2 * 8 + lane % 4 * 2 + at % 2;
      if (IS_SHOWN) {
        product = logit_of(product, true, batch, head, query, token, bias);
      } else if (token >= route.from && token < route.to) {
        product = logit_of(product, is_visible_to(batch, head, query, token, rows.lasts[row], mask), batch, head, query, token, bias);
      } else {
        product = -infinity();
      }
      largest = larger(largest, product);
    }
    largest = larger(largest, __shfl_xor_sync(0xffffffffu, largest, 1));
    largest = larger(largest, __shfl_xor_sync(0xffffffffu, largest, 2));
    const f32 scaled = correction(rows.largest[row], largest);
    f32 sum = 0;
#pragma unroll
    for (int at = 0; at < OWN_TOKENS / 4; ++at) {
      f32& product = products[at / 2][row * 2 + at % 2];
      product = weight_of(product, largest);
      sum += product;
    }
    rows.largest[row] = largest;
    rows.exponentials[row] = rows.exponentials[row] * scaled + sum;
#pragma unroll
    for (int at = 0; at < ValueLine::STEPS * 4; ++at) rows.sums[at / 2][row * 2 + at % 2] *= scaled;
  }
}

// Adds the values' products with the weights, as the left side of the instruction has them; and those with what rounding takes off if
// `IS_SPLIT`.
template <class T, bool IS_SPLIT>
inline void add_tile_of_values(Rows& rows, const Products& weights, const u16* values) {
  const int lane = int(threadIdx.x) % 32;
#pragma unroll
  for (int step = 0; step < OWN_TOKENS / 16; ++step) {
    u32 lefts[4], rests[4];
#pragma unroll
    for (int of = 0; of < 4; ++of) {
      const f32 low = weights[step * 2 + of / 2][of % 2 * 2], high = weights[step * 2 + of / 2][of % 2 * 2 + 1];
      lefts[of] = pack_pair<T>(low, high);
      if (IS_SPLIT) rests[of] = pack_pair<T>(low - lower_of<T>(lefts[of]), high - upper_of<T>(lefts[of]));
    }
#pragma unroll
    for (int part = 0; part < ValueLine::STEPS; ++part) {
      u32 rights[4];
      load_matrices<true>(rights, values + ValueLine::at(own_token() + step * 16 + lane % 16, part * 2 + lane / 16));
      multiply_matrices<T>(rows.sums[part * 2], lefts, rights[0], rights[1]);
      multiply_matrices<T>(rows.sums[part * 2 + 1], lefts, rights[2], rights[3]);
      if (IS_SPLIT) {
        multiply_matrices<T>(rows.sums[part * 2], rests, rights[0], rights[1]);
        multiply_matrices<T>(rows.sums[part * 2 + 1], rests, rights[2], rights[3]);
      }
    }
  }
}

// True in every thread if a hidden key has weight in a row of the block.
inline bool hidden_keys_weigh(const Rows& rows, i64 first_query) {
  const f32 hidden = rounded<A_softmax_type>(number_of(A_fill_BITS));
  bool weighs = false;
#pragma unroll
  for (int row = 0; row < 2; ++row) {
    const bool is_there = first_query + int(threadIdx.x) % 32 / 4 + row * 8 < QUERIES;
    const bool has_zero = rows.largest[row] != -infinity() && exponential(hidden, rows.largest[row]) == 0.0f;
    weighs = weighs || (is_there && !has_zero);
  }
  return __syncthreads_or(weighs) != 0;
}

// Shared memory of a block: its queries, and two tiles each of keys and values.
constexpr int QUERY_SIZE = int(TILE_QUERIES) * KeyLine::SIZE, KEY_SIZE = TILE_TOKENS * KeyLine::SIZE, VALUE_SIZE = TILE_TOKENS * ValueLine::SIZE;

template <bool IS_WHOLE, class T, class Mask, class Bias, class Positions>
inline void attend_tile(Rows& rows, u16* room, const Route& route, i64 batch, i64 head, i64 first_query, const T* q, const T* k, const T* v,
                        const Mask* mask, const Bias* bias, Positions positions) {
  constexpr bool IS_SPLIT = !IsSame<A_probability_type, T>::value;
  const int lane = int(threadIdx.x) % 32, own_row = own_query();
  const T* const own_keys = k + batch * K_BATCH + head / (HEADS / GROUPS) * K_HEAD;
  const T* const own_values = v + batch * V_BATCH + head / (HEADS / GROUPS) * V_HEAD;
  u16* const keys = room + QUERY_SIZE;
  u16* const values = keys + 2 * KEY_SIZE;
  const int count = int(route.count());
  // Keys and values of a tile, a group of copies each.
  auto copy_tile = [&](int number) {
    const i64 first = number < count ? route.tile(number) * TILE_TOKENS : 0;
    if (number < count) copy_lines<KeyLine, FEATURES, K_TOKEN, K_FEATURE, TILE_TOKENS, IS_WHOLE>(keys + number % 2 * KEY_SIZE, own_keys, first, route.from, route.to);
    end_of_copies();
    if (number < count) copy_lines<ValueLine, VALUE_FEATURES, V_TOKEN, V_FEATURE, TILE_TOKENS, IS_WHOLE>(values + number % 2 * VALUE_SIZE, own_values, first, route.from, route.to);
    end_of_copies();
  };
  copy_lines<KeyLine, FEATURES, Q_TOKEN, Q_FEATURE, int(TILE_QUERIES), IS_WHOLE>(room, q + batch * Q_BATCH + head * Q_HEAD, first_query, 0, QUERIES);
  copy_tile(0);
#pragma unroll
  for (int row = 0; row < 2; ++row) {
    const i64 own = first_query + own_row + lane / 4 + row * 8;
    rows.lasts[row] = last_of(positions, batch, own < QUERIES ? own : QUERIES - 1);
  }
  rows.shown_from = route.from;
  rows.shown_to = route.to;
  if (HAS_POSITIONS) {
    const Sight sight = sight_of(positions, batch, first_query + own_row, 16);
    const i64 window_from = saturating_add(saturating_add(sight.most, 1), -A_window), seen_to = saturating_add(sight.least, 1);
    if (A_window != 0 && window_from > rows.shown_from) rows.shown_from = window_from;
    if (seen_to < rows.shown_to) rows.shown_to = seen_to;
  }
  // Queries came with the first keys.
  wait_for_copies<1>();
  __syncthreads();
#pragma unroll
  for (int step = 0; step < KeyLine::STEPS; ++step) {
    load_matrices<false>(rows.queries[step], room + KeyLine::at(own_row + lane % 16, step * 2 + lane / 16));
  }
  for (int number = 0; number < count; ++number) {
    if (number == route.seen() && !hidden_keys_weigh(rows, first_query + own_row)) break;
    const i64 first = route.tile(number) * TILE_TOKENS + own_token();
    // All but the values of this tile; and everyone is done with the tile before.
    wait_for_copies<1>();
    __syncthreads();
    copy_tile(number + 1);
    Products products;
    multiply_tile_of_keys<T>(products, rows, keys + number % 2 * KEY_SIZE);
    if (HAS_MASK == 0 && first >= rows.shown_from && first + OWN_TOKENS <= rows.shown_to) {
      weigh_tile<true>(products, rows, batch, head, first_query + own_row, first, route, mask, bias);
    } else {
      weigh_tile<false>(products, rows, batch, head, first_query + own_row, first, route, mask, bias);
    }
    wait_for_copies<2>();
    __syncthreads();
    add_tile_of_values<T, IS_SPLIT>(rows, products, values + number % 2 * VALUE_SIZE);
  }
  wait_for_copies<0>();
  __syncthreads();
}

// Joins what warps with the same queries have found, in the order of their tokens, in the first of them. `room` is shared memory that the block needs no more.
inline void join_tokens(Rows& rows, f32* room) {
  constexpr int SUMS = ValueLine::STEPS * 8, COUNT = SUMS + 4;
  const int lane = int(threadIdx.x) % 32, warp = int(threadIdx.x) / 32;
  auto place_of = [=](int warp) { return room + (warp - QUERY_WARPS) * COUNT * 32 + lane; };
  if (warp >= QUERY_WARPS) {
    f32* const own = place_of(warp);
#pragma unroll
    for (int at = 0; at < SUMS; ++at) own[at * 32] = rows.sums[at / 4][at % 4];
#pragma unroll
    for (int row = 0; row < 2; ++row) {
      own[(SUMS + row) * 32] = rows.largest[row];
      own[(SUMS + 2 + row) * 32] = rows.exponentials[row];
    }
  }
  __syncthreads();
  if (warp < QUERY_WARPS) {
    for (int other = 1; other < TOKEN_WARPS; ++other) {
      const f32* const found = place_of(warp + other * QUERY_WARPS);
      f32 scales[2][2];
#pragma unroll
      for (int row = 0; row < 2; ++row) {
        const f32 before = rows.largest[row], its = found[(SUMS + row) * 32];
        rows.largest[row] = larger(before, its);
        scales[row][0] = correction(before, rows.largest[row]);
        scales[row][1] = correction(its, rows.largest[row]);
        rows.exponentials[row] = rows.exponentials[row] * scales[row][0] + found[(SUMS + 2 + row) * 32] * scales[row][1];
      }
#pragma unroll
      for (int at = 0; at < SUMS; ++at) {
        f32& sum = rows.sums[at / 4][at % 4];
        sum = sum * scales[at % 4 / 2][0] + found[at * 32] * scales[at % 4 / 2][1];
      }
    }
  }
  __syncthreads();
}

// A template, since other types than those of two bytes have no code for it.
template <class Output, class T, class Mask, class Bias, class Positions, class Length, class Layer>
inline void attend_tiles(Output output, const T* all_queries, const T* all_keys, const T* all_values, const Mask* mask, const Bias* bias,
                         Positions positions, Length lengths, const Layer* layer) {
  const T* const q = all_queries + Q_FIRST;
  const T* const k = layer_of<K_LAYER>(all_keys, layer) + K_FIRST;
  const T* const v = layer_of<V_LAYER>(all_values, layer) + V_FIRST;
  constexpr bool FITS = Q_FEATURE == 1 && K_FEATURE == 1 && V_FEATURE == 1 && FEATURES % 8 == 0 && VALUE_FEATURES % 8 == 0 &&
                        Q_TOKEN % 8 == 0 && Q_HEAD % 8 == 0 && Q_BATCH % 8 == 0 && K_TOKEN % 8 == 0 && K_HEAD % 8 == 0 &&
                        K_BATCH % 8 == 0 && V_TOKEN % 8 == 0 && V_HEAD % 8 == 0 && V_BATCH % 8 == 0;
  PYGRAPH_DYNAMIC_SHARED(bytes);
  u16* const room = (u16*)bytes;
  const int lane = int(threadIdx.x) % 32, own_row = own_query();
  // The last queries see most: they begin first.
  const i64 first_query = (QUERY_TILES - 1 - i64(blockIdx.y)) * TILE_QUERIES;
  for (i64 number = blockIdx.x; number < TILES_OF_HEADS; number += gridDim.x) {
    const i64 batch = number / HEADS, head = number % HEADS, length = length_of(lengths, batch);
    const Route route = route_of(positions, batch, first_query, length);
    Rows rows;
#pragma unroll
    for (int row = 0; row < 2; ++row) {
      rows.largest[row] = -infinity();
      rows.exponentials[row] = 0;
    }
#pragma unroll
    for (int at = 0; at < ValueLine::STEPS * 8; ++at) rows.sums[at / 4][at % 4] = 0;
    if (FITS && is_aligned(q) && is_aligned(k) && is_aligned(v)) {
      attend_tile<FITS>(rows, room, route, batch, head, first_query, q, k, v, mask, bias, positions);
    } else {
      attend_tile<false>(rows, room, route, batch, head, first_query, q, k, v, mask, bias, positions);
    }
    if constexpr (TOKEN_WARPS > 1) {
      join_tokens(rows, (f32*)room);
      if (own_token() > 0) continue;
    }
#pragma unroll
    for (int row = 0; row < 2; ++row) {
      f32 exponentials = rows.exponentials[row];
      exponentials += __shfl_xor_sync(0xffffffffu, exponentials, 1);
      exponentials += __shfl_xor_sync(0xffffffffu, exponentials, 2);
      const i64 query = first_query + own_row + lane / 4 + row * 8;
      if (query >= QUERIES) continue;
#pragma unroll
      for (int at = 0; at < ValueLine::STEPS * 4; ++at) {
        const int feature = at / 2 * 8 + lane % 4 * 2 + at % 2;
        if (feature >= VALUE_FEATURES) continue;
        const Out0 result = result_of(rows.sums[at / 2][row * 2 + at % 2], exponentials, rows.largest[row], length > 0);
        store(output, output_at(batch, query, head) + feature * O_FEATURE, result);
      }
    }
  }
}
