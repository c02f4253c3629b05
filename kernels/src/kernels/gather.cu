// A thread copies `UNIT` elements, which lie together in a slice of the operand and in the output.

inline void gather(const In0* operand, const In1* indices, Out0* output) {
  constexpr int VECTOR = int(A_index_vector_dim);
  constexpr i64 COMPONENT_STRIDE = VECTOR < IN1_RANK ? IN1_STRIDES[VECTOR < IN1_RANK ? VECTOR : 0] : 0;
  for (i64 unit = thread_number(); unit < OUT0_COUNT / UNIT; unit += thread_count()) {
    i64 position[OUT0_RANK + 1], batch[IN1_RANK + 1], start[IN0_RANK + 1];
    split<(OUT0_COUNT <= SMALL_MAX)>(unit * UNIT, OUT0_SHAPE, OUT0_RANK, position);
    i64 first = 0;
    int dimensions = 0;
#pragma unroll
    for (int dimension = 0; dimension < OUT0_RANK; ++dimension) {
      if (contains(A_offset_dims, A_offset_dims_COUNT, dimension)) continue;
      first += position[dimension] * IN1_STRIDES[dimensions + (dimensions >= VECTOR)];
      batch[dimensions++] = position[dimension];
    }
#pragma unroll
    for (int dimension = 0; dimension < IN0_RANK; ++dimension) start[dimension] = 0;
#pragma unroll
    for (int component = 0; component < A_start_index_map_COUNT; ++component) {
      start[A_start_index_map[component]] = index_value(indices[first + component * COMPONENT_STRIDE]);
    }
#pragma unroll
    for (int at = 0; at < A_operand_batching_dims_COUNT; ++at) {
      const i64 with = A_start_indices_batching_dims[at];
      start[A_operand_batching_dims[at]] = batch[with - (with > VECTOR)];
    }
    i64 source = 0;
    int kept = 0;
#pragma unroll
    for (int dimension = 0; dimension < IN0_RANK; ++dimension) {
      i64 at = clamped(start[dimension], 0, IN0_SHAPE[dimension] - A_slice_sizes[dimension]);
      const bool is_dropped = contains(A_collapsed_slice_dims, A_collapsed_slice_dims_COUNT, dimension) ||
                              contains(A_operand_batching_dims, A_operand_batching_dims_COUNT, dimension);
      if (!is_dropped) at += position[A_offset_dims[kept++]];
      source += at * IN0_STRIDES[dimension];
    }
    copy_run<int(UNIT)>(output + unit * UNIT, operand + source);
  }
}
