// A thread a counter. Philox-4x32-10 makes four words of each, Threefry two.

inline void philox(u64 key, u64 low, u64 high, u32* x) {
  u32 key0 = u32(key), key1 = u32(key >> 32);
  x[0] = u32(low), x[1] = u32(low >> 32), x[2] = u32(high), x[3] = u32(high >> 32);
#pragma unroll
  for (int round = 0; round < 10; ++round) {
    const u64 first = u64(x[0]) * 0xd2511f53u, second = u64(x[2]) * 0xcd9e8d57u;
    x[0] = u32(second >> 32) ^ x[1] ^ key0;
    x[1] = u32(second);
    x[2] = u32(first >> 32) ^ x[3] ^ key1;
    x[3] = u32(first);
    key0 += 0x9e3779b9u;
    key1 += 0xbb67ae85u;
  }
}

// Words of 64 bits take a counter each. Otherwise a counter's two halves lie side by side along the dimension `SPLIT`.
inline void store_pair(u64 counter, Pair pair, Out1* bits) {
  if (sizeof(Out1) == 8) {
    bits[counter] = Out1(joined(pair));
    return;
  }
  i64 rest = i64(counter), element = 0, first = 0;
  for (int dimension = OUT1_RANK - 1; dimension >= 0; --dimension) {
    const i64 extent = dimension == SPLIT ? (OUT1_SHAPE[dimension] + 1) / 2 : OUT1_SHAPE[dimension];
    const i64 index = rest % extent;
    rest /= extent;
    if (dimension == SPLIT) first = 2 * index;
    element += (dimension == SPLIT ? 2 * index : index) * OUT1_STRIDES[dimension];
  }
  const i64 extent = OUT1_RANK > 0 ? OUT1_SHAPE[SPLIT] : 1, stride = OUT1_RANK > 0 ? OUT1_STRIDES[SPLIT] : 0;
  bits[element] = Out1(pair.words[0]);
  if (first + 1 < extent) bits[element + stride] = Out1(pair.words[1]);
}

inline void store_block(i64 counter, const u32* words, Out1* bits) {
  constexpr int WORDS = sizeof(Out1) == 8 ? 2 : 1;
  for (int at = 0; at < 4 / WORDS; ++at) {
    const i64 element = counter * (4 / WORDS) + at;
    if (element >= OUT1_COUNT) return;
    bits[element] = WORDS == 2 ? Out1(u64(words[2 * at]) | u64(words[(2 * at + 1) % 4]) << 32) : Out1(words[at]);
  }
}

inline void draw(const In0* state, Out0* next, Out1* bits) {
  const u64 key = state[0], low = state[1];
  // With a state of two words, the key is the upper half of the counter, too.
  const u64 high = state[IN0_SHAPE[0] == 3 ? 2 : 0];
  for (i64 counter = blockIdx.x * i64(blockDim.x) + threadIdx.x; counter < COUNTERS; counter += i64(gridDim.x) * blockDim.x) {
    const u64 sum = low + u64(counter);
    if (IS_THREE_FRY) {
      store_pair(u64(counter), three_fry(key, sum), bits);
    } else {
      u32 words[4];
      philox(key, sum, high + (sum < low), words);
      store_block(counter, words, bits);
    }
  }
  if (blockIdx.x == 0 && threadIdx.x == 0) {
    const u64 after = low + u64(COUNTERS);
    next[0] = key;
    next[1] = after;
    if (IN0_SHAPE[0] == 3) next[2] = IS_THREE_FRY ? high : high + (after < low);
  }
}
