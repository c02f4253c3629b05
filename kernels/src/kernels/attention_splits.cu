// Blocks that share the tokens of some rows, and the end of what they do.

template <int COUNT>
struct alignas(4 * COUNT) Wide {
  f32 of[COUNT];
};

// Adds up the shares of a block's rows, in order.
template <class Output>
inline void merge(Output output, const Unit& unit, bool has_rows, i64 count, const f32* parts, f32 (*weights)[SPLITS]) {
  constexpr i64 STEP = ROWS * PART;
  constexpr int WIDE = VALUE_FEATURES % 4 == 0 ? 4 : 1, PER_ROW = int(VALUE_FEATURES) / WIDE;
  __shared__ f32 largest_of[ROWS], exponentials_of[ROWS];
  const int lane = int(threadIdx.x) % 32;
  for (int row = int(threadIdx.x) / 32; row < ROWS; row += WARPS) {
    const f32* const part = parts + row * PART;
    f32 largest = -infinity(), exponentials = 0;
    for (i64 split = lane; split < count; split += 32) largest = larger(largest, part[split * STEP]);
#pragma unroll
    for (int bits = 16; bits > 0; bits /= 2) largest = larger(largest, __shfl_xor_sync(0xffffffffu, largest, bits));
    for (i64 split = lane; split < count; split += 32) {
      weights[row][split] = correction(part[split * STEP], largest);
      exponentials += part[split * STEP + 1] * weights[row][split];
    }
#pragma unroll
    for (int bits = 16; bits > 0; bits /= 2) exponentials += __shfl_xor_sync(0xffffffffu, exponentials, bits);
    if (lane == 0) {
      largest_of[row] = largest;
      exponentials_of[row] = exponentials;
    }
  }
  __syncthreads();
  for (int at = int(threadIdx.x); at < ROWS * PER_ROW; at += WARPS * 32) {
    const int row = at / PER_ROW, feature = at % PER_ROW * WIDE;
    const i64 of = unit.first + row;
    const f32* const part = parts + row * PART + PART_HEAD + feature;
    f32 sums[WIDE];
#pragma unroll
    for (int wide = 0; wide < WIDE; ++wide) sums[wide] = 0;
#pragma unroll 8
    for (i64 split = 0; split < count; ++split) {
      const Wide<WIDE> loaded = *(const Wide<WIDE>*)(part + split * STEP);
#pragma unroll
      for (int wide = 0; wide < WIDE; ++wide) sums[wide] += loaded.of[wide] * weights[row][split];
    }
    if (of >= ROWS_ALL) continue;
#pragma unroll
    for (int wide = 0; wide < WIDE; ++wide) {
      const Out0 result = result_of(sums[wide], exponentials_of[row], largest_of[row], has_rows);
      store(output, output_at(unit.batch, of % QUERIES, head_of(unit, of)) + (feature + wide) * O_FEATURE, result);
    }
  }
}

// Whether warps use tensor cores is `ON_TENSOR_CORES`; a template, since other types than those of two bytes have no code for it.
template <bool ON_TENSOR_CORES, class Output, class Q, class K, class V, class Mask, class Bias, class Positions, class Length, class Layer>
inline void attend(Output output, const Q* all_queries, const K* all_keys, const V* all_values, const Mask* mask, const Bias* bias,
                   const Positions* positions, const Length* lengths, const Layer* layer, u8* parts, u32* counters) {
  const Q* const q = all_queries + Q_FIRST;
  const K* const k = layer_of<K_LAYER>(all_keys, layer) + K_FIRST;
  const V* const v = layer_of<V_LAYER>(all_values, layer) + V_FIRST;
  __shared__ f32 logits[WARPS][ROWS][TOKENS_AT];
  __shared__ union {
    f32 sums[WARPS][ROWS][PART];
    f32 weights[ROWS][SPLITS];
  } room;
  auto& shared = room.sums;
  const int warp = int(threadIdx.x) / 32;
  for (i64 number = blockIdx.y; number < UNITS; number += gridDim.y) {
    const Unit unit = unit_of(number);
    const i64 length = length_of(lengths, unit.batch);
    const Range range = range_of(unit, ROWS, length, positions);
    const i64 from = range.from + blockIdx.x * range.share;
    const i64 to = from + range.share < range.to ? from + range.share : range.to;
    // Nobody looks at a split without tokens, unless there is none with any.
    const i64 count = range.parts() > 0 ? range.parts() : 1;
    if (SPLITS > 1 && blockIdx.x >= count) continue;
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
      merge(output, unit, length > 0, count, (const f32*)parts + number * SPLITS * ROWS * PART, room.weights);
    }
    __syncthreads();
  }
}
