// Sorting networks over the numbers of a line's elements: whatever the comparison says, the result is a permutation, and numbers
// themselves decide between equals, so that it is stable. Lines are padded to `PADDED` numbers, a power of two; those that stand for no
// element come last. `CHUNK` numbers at a time are sorted in shared memory.

constexpr int ORDER_THREADS = 256;

template <class IsBefore>
inline bool precedes(i64 line, u32 a, u32 b, IsBefore is_before) {
  if (a >= LENGTH || b >= LENGTH) return a < b;
  if (is_before(line, a, b)) return true;
  return !is_before(line, b, a) && a < b;
}

// One step of the network: `number` is that of a pair which lies `2^distance_bits` apart, in runs of `2^run_bits`.
template <class IsBefore>
inline void compare_exchange(u32* numbers, i64 first, i64 line, i64 number, int run_bits, int distance_bits, IsBefore is_before) {
  const i64 distance = 1ll << distance_bits;
  const i64 at = (number >> distance_bits << (distance_bits + 1)) + (number & (distance - 1));
  const u32 a = numbers[at], b = numbers[at + distance];
  const bool is_up = ((first + at) >> run_bits & 1) == 0;
  if (precedes(line, a, b, is_before) == is_up) return;
  numbers[at] = b;
  numbers[at + distance] = a;
}

// Sorts runs of up to `CHUNK` from scratch, or goes on with runs of `2^RUN_BITS` from where their pairs lie within a chunk.
template <int RUN_BITS, class IsBefore>
inline void order_chunks(u32* numbers, IsBefore is_before) {
  __shared__ u32 own[CHUNK];
  for (i64 chunk = blockIdx.x; chunk < LINES * (PADDED / CHUNK); chunk += gridDim.x) {
    const i64 line = chunk / (PADDED / CHUNK), first = chunk % (PADDED / CHUNK) * CHUNK;
    u32* const line_numbers = numbers + line * PADDED + first;
    for (int at = int(threadIdx.x); at < CHUNK; at += ORDER_THREADS) own[at] = RUN_BITS == 0 ? u32(first + at) : line_numbers[at];
    for (int run_bits = RUN_BITS == 0 ? 1 : RUN_BITS; RUN_BITS == 0 ? 1 << run_bits <= CHUNK : run_bits == RUN_BITS; ++run_bits) {
      for (int distance_bits = RUN_BITS == 0 ? run_bits - 1 : CHUNK_BITS - 1; distance_bits >= 0; --distance_bits) {
        __syncthreads();
        for (int number = int(threadIdx.x); number < CHUNK / 2; number += ORDER_THREADS) {
          compare_exchange(own, first, line, number, run_bits, distance_bits, is_before);
        }
      }
    }
    __syncthreads();
    for (int at = int(threadIdx.x); at < CHUNK; at += ORDER_THREADS) line_numbers[at] = own[at];
    __syncthreads();
  }
}

template <int RUN_BITS, int DISTANCE_BITS, class IsBefore>
inline void order_pairs(u32* numbers, IsBefore is_before) {
  for (i64 pair = thread_number(); pair < LINES * (PADDED / 2); pair += thread_count()) {
    const i64 line = pair / (PADDED / 2);
    compare_exchange(numbers + line * PADDED, 0, line, pair % (PADDED / 2), RUN_BITS, DISTANCE_BITS, is_before);
  }
}
