// A thread writes `UNIT` elements at a time, which lie together in the update and in the output: where the operand lies in the output
// those of the update alone, else all.

template <class... Starts>
inline void update(Out0* output, const In0* operand, const In1* part, const Starts*... starts) {
  const i64 given[] = {0, index_value(*starts)...};
  i64 start[OUT0_RANK + 1];
#pragma unroll
  for (int dimension = 0; dimension < OUT0_RANK; ++dimension) {
    start[dimension] = clamped(given[1 + dimension], 0, OUT0_SHAPE[dimension] - IN1_SHAPE[dimension]);
  }
  if (IN0_IN_PLACE) {
    for (i64 unit = thread_number(); unit < IN1_COUNT / UNIT; unit += thread_count()) {
      i64 position[OUT0_RANK + 1], source = 0, target = 0;
      split<(IN1_COUNT <= SMALL_MAX)>(unit * UNIT, IN1_SHAPE, OUT0_RANK, position);
#pragma unroll
      for (int dimension = 0; dimension < OUT0_RANK; ++dimension) {
        source += position[dimension] * IN1_STRIDES[dimension];
        target += (position[dimension] + start[dimension]) * OUT0_STRIDES[dimension];
      }
      copy_run<int(UNIT)>(output + target, part + source);
    }
    return;
  }
  for (i64 unit = thread_number(); unit < OUT0_COUNT / UNIT; unit += thread_count()) {
    i64 position[OUT0_RANK + 1], source = 0, from = 0, target = 0;
    split<(OUT0_COUNT <= SMALL_MAX)>(unit * UNIT, OUT0_SHAPE, OUT0_RANK, position);
    bool is_updated = true;
#pragma unroll
    for (int dimension = 0; dimension < OUT0_RANK; ++dimension) {
      const i64 within = position[dimension] - start[dimension];
      is_updated = is_updated && within >= 0 && within < IN1_SHAPE[dimension];
      source += within * IN1_STRIDES[dimension];
      from += position[dimension] * IN0_STRIDES[dimension];
      target += position[dimension] * OUT0_STRIDES[dimension];
    }
    copy_run<int(UNIT)>(output + target, is_updated ? part + source : operand + from);
  }
}
