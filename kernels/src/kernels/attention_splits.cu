// Blocks that share the tokens of some rows, and the end of what they do.

template <int COUNT>
struct alignas(4 * COUNT) Wide {
  f32 of[COUNT];
};

// Adds up the shares of a block's rows, in order. A thread has some neighbouring features of a row, and loads all that it needs of several shares before
// it uses the first: threads wait for memory then, not for each other.
template <class Output>
inline void merge(Output output, const Unit& unit, bool has_rows, i64 count, const f32* parts) {
  constexpr i64 STEP = ROWS * PART;
  constexpr int THREADS = int(WARPS) * 32;
  constexpr int WIDE = VALUE_FEATURES % 4 != 0 || ROWS * VALUE_FEATURES <= THREADS ? 1 : ROWS * VALUE_FEATURES <= 2 * THREADS ? 2 : 4;
  constexpr int PER_ROW = int(VALUE_FEATURES) / WIDE, AT = SPLITS <= 8 || WIDE == 4 ? 8 : 16;
  for (int at = int(threadIdx.x); at < ROWS * PER_ROW; at += THREADS) {
    const int row = at / PER_ROW, feature = at % PER_ROW * WIDE;
    const i64 of = unit.first + row;
    const f32* const part = parts + row * PART;
    f32 largest = -infinity(), exponentials = 0, sums[WIDE];
#pragma unroll
    for (int wide = 0; wide < WIDE; ++wide) sums[wide] = 0;
#pragma unroll 1
    for (i64 first = 0; first < count; first += AT) {
      f32 largest_of[AT], exponentials_of[AT];
      Wide<WIDE> loaded[AT];
#pragma unroll
      for (int split = 0; split < AT; ++split) {
        // Beyond the last there is the last again, which then counts for nothing.
        const f32* const own = part + (first + split < count ? first + split : count - 1) * STEP;
        largest_of[split] = own[0];
        exponentials_of[split] = own[1];
        loaded[split] = *(const Wide<WIDE>*)(own + PART_HEAD + feature);
      }
      f32 now = largest;
#pragma unroll
      for (int split = 0; split < AT; ++split) now = larger(now, largest_of[split]);
      const f32 scaled = correction(largest, now);
      largest = now;
      exponentials *= scaled;
#pragma unroll
      for (int wide = 0; wide < WIDE; ++wide) sums[wide] *= scaled;
#pragma unroll
      for (int split = 0; split < AT; ++split) {
        if (first + split >= count) continue;
        const f32 weight = correction(largest_of[split], now);
        exponentials += exponentials_of[split] * weight;
#pragma unroll
        for (int wide = 0; wide < WIDE; ++wide) sums[wide] += loaded[split].of[wide] * weight;
      }
    }
    if (of >= ROWS_ALL) continue;
#pragma unroll
    for (int wide = 0; wide < WIDE; ++wide) {
      const Out0 result = result_of(sums[wide], exponentials, largest, has_rows);
      store(output, output_at(unit.batch, of % QUERIES, head_of(unit, of)) + (feature + wide) * O_FEATURE, result);
    }
  }
}

// True if which tokens are read is known before kernels before this one have ended: no kernel writes what says it.
constexpr bool IS_RANGE_KNOWN = (HAS_POSITIONS == 0 || INPUTS_ARE_FIXED[POSITIONS_INPUT]) && (HAS_LENGTH == 0 || INPUTS_ARE_FIXED[LENGTH_INPUT]) &&
                                (HAS_LAYER == 0 || INPUTS_ARE_FIXED[LAYER_INPUT]);

// Asks for the first rows of a block's share while kernels before this one end. They may still write some of them: what is in the second cache is always what was
// written last.
template <i64 TOKEN, i64 COUNT, i64 FEATURE, class T>
inline void fetch_rows(const T* rows, i64 from, i64 to) {
  constexpr int LINE = 128 / sizeof(T), LINES = int((COUNT + LINE - 1) / LINE);
  for (int at = int(threadIdx.x); FEATURE == 1 && at < WARPS * TOKENS_AT * LINES; at += int(WARPS) * 32) {
    if (from + at / LINES < to) fetch_ahead(rows + (from + at / LINES) * TOKEN + at % LINES * LINE);
  }
}

// Whether warps use tensor cores is `ON_TENSOR_CORES`; a template, since other types than those of two bytes have no code for it.
template <bool ON_TENSOR_CORES, class Output, class Q, class K, class V, class Mask, class Bias, class Positions, class Length, class Layer>
inline void attend(Output output, const Q* all_queries, const K* all_keys, const V* all_values, const Mask* mask, const Bias* bias,
                   Positions positions, Length lengths, const Layer* layer, u8* parts, u32* counters) {
  if (!IS_RANGE_KNOWN) wait_for_earlier();
  bool is_waiting = IS_RANGE_KNOWN;
  const Q* const q = all_queries + Q_FIRST;
  const K* const k = layer_of<K_LAYER>(all_keys, layer) + K_FIRST;
  const V* const v = layer_of<V_LAYER>(all_values, layer) + V_FIRST;
  __shared__ f32 logits[WARPS][ROWS][TOKENS_AT];
  __shared__ f32 shared[WARPS][ROWS][PART];
  const int warp = int(threadIdx.x) / 32;
  for (i64 number = blockIdx.y; number < UNITS; number += gridDim.y) {
    const Unit unit = unit_of(number);
    const i64 length = length_of(lengths, unit.batch);
    const Range range = range_of(unit, ROWS, length, positions);
    const i64 from = range.from + blockIdx.x * range.share;
    const i64 to = from + range.share < range.to ? from + range.share : range.to;
    // Nobody looks at a split without tokens, unless there is none with any; then its block need not wait for anything.
    const i64 count = range.parts() > 0 ? range.parts() : 1;
    if (SPLITS > 1 && blockIdx.x >= count) continue;
    if (is_waiting) {
      fetch_rows<K_TOKEN, FEATURES, K_FEATURE>(k + unit.batch * K_BATCH + unit.group * K_HEAD, from, to);
      fetch_rows<V_TOKEN, VALUE_FEATURES, V_FEATURE>(v + unit.batch * V_BATCH + unit.group * V_HEAD, from, to);
      wait_for_earlier();
      is_waiting = false;
    }
    if constexpr (ON_TENSOR_CORES) {
      sum_range_of_matrices(unit, from, to, q, k, v, mask, bias, positions, shared[warp]);
    } else {
      sum_range(unit, from, to, q, k, v, mask, bias, positions, logits[warp], shared[warp]);
    }
    __syncthreads();
    for (int at = int(threadIdx.x); at < ROWS * PART; at += WARPS * 32) {
      const int row = at / PART, feature = at % PART - int(PART_HEAD);
      const i64 of = unit.first + row;
      f32 largest = shared[0][row][0], exponentials = 0, sum = 0;
#pragma unroll
      for (int other = 1; other < WARPS; ++other) largest = larger(largest, shared[other][row][0]);
#pragma unroll
      for (int other = 0; other < WARPS; ++other) {
        const f32 scaled = correction(shared[other][row][0], largest);
        exponentials += shared[other][row][1] * scaled;
        sum += shared[other][row][PART_HEAD + (feature < 0 ? 0 : feature)] * scaled;
      }
      if (SPLITS > 1) {
        const f32 found = feature == -PART_HEAD ? largest : feature == 1 - PART_HEAD ? exponentials : sum;
        ((f32*)parts)[((number * SPLITS + blockIdx.x) * ROWS + row) * PART + PART_HEAD + feature] = found;
      } else if (feature >= 0 && of < ROWS_ALL) {
        const Out0 result = result_of(sum, exponentials, largest, length > 0);
        store(output, output_at(unit.batch, of % QUERIES, head_of(unit, of)) + feature * O_FEATURE, result);
      }
    }
    __shared__ u32 is_last;
    if (SPLITS > 1 && comes_last(counters + number, u32(count), is_last)) {
      merge(output, unit, length > 0, count, (const f32*)parts + number * SPLITS * ROWS * PART);
    }
    __syncthreads();
  }
}
