// A thread copies `UNIT` elements, which lie together in the operand and in the output.

template <class... Starts>
inline void slice(Out0* output, const In0* operand, const Starts*... starts) {
  const i64 given[] = {0, index_value(*starts)...};
  i64 start = 0;
#pragma unroll
  for (int dimension = 0; dimension < OUT0_RANK; ++dimension) {
    const i64 latest = IN0_SHAPE[dimension] - OUT0_SHAPE[dimension];
    start += clamped(given[1 + dimension], 0, latest) * IN0_STRIDES[dimension];
  }
  for (i64 unit = thread_number(); unit < OUT0_COUNT / UNIT; unit += thread_count()) {
    i64 position[OUT0_RANK + 1], source = start;
    split<(OUT0_COUNT <= SMALL_MAX)>(unit * UNIT, OUT0_SHAPE, OUT0_RANK, position);
#pragma unroll
    for (int dimension = 0; dimension < OUT0_RANK; ++dimension) source += position[dimension] * IN0_STRIDES[dimension];
    copy_run<int(UNIT)>(output + unit * UNIT, operand + source);
  }
}
