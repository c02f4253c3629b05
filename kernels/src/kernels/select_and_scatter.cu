// A thread an element of the output: it goes through the windows that hold the element, in order, and takes the sources of those that
// select it.

constexpr int RANK = IN0_RANK;

inline i64 floor_divided(i64 a, i64 b) { return a / b - (a % b != 0 && a < 0); }

// The element that a window selects, or -1.
inline i64 selected_in(const In0* operand, const i64* window) {
  i64 selected = -1, count = 1;
#pragma unroll
  for (int dimension = 0; dimension < RANK; ++dimension) count *= A_window_dimensions[dimension];
  for (i64 number = 0; number < count; ++number) {
    i64 at[RANK + 1], element = 0;
    split<false>(number, A_window_dimensions, RANK, at);
    bool is_inside = true;
#pragma unroll
    for (int dimension = 0; dimension < RANK; ++dimension) {
      const i64 position = window[dimension] * A_window_strides[dimension] + at[dimension] - A_padding_low[dimension];
      is_inside = is_inside && position >= 0 && position < IN0_SHAPE[dimension];
      element += position * IN0_STRIDES[dimension];
    }
    if (!is_inside) continue;
    bool stays = false;
    if (selected >= 0) Body0::apply(operand[selected], operand[element], stays);
    if (!stays) selected = element;
  }
  return selected;
}

inline void select_and_scatter(const In0* operand, const In1* source, const In2* initial, Out0* output) {
  for (i64 element = thread_number(); element < OUT0_COUNT; element += thread_count()) {
    i64 position[RANK + 1], from[RANK + 1], extents[RANK + 1], count = 1;
    split<false>(element, IN0_SHAPE, RANK, position);
#pragma unroll
    for (int dimension = 0; dimension < RANK; ++dimension) {
      const i64 at = position[dimension] + A_padding_low[dimension], stride = A_window_strides[dimension];
      i64 first = floor_divided(at - A_window_dimensions[dimension], stride) + 1, last = floor_divided(at, stride);
      first = first < 0 ? 0 : first;
      last = last < IN1_SHAPE[dimension] ? last : IN1_SHAPE[dimension] - 1;
      from[dimension] = first;
      extents[dimension] = first <= last ? last - first + 1 : 0;
      count *= extents[dimension];
    }
    Out0 folded = *initial;
    for (i64 number = 0; number < count; ++number) {
      i64 window[RANK + 1], at = 0;
      split<false>(number, extents, RANK, window);
#pragma unroll
      for (int dimension = 0; dimension < RANK; ++dimension) {
        window[dimension] += from[dimension];
        at += window[dimension] * IN1_STRIDES[dimension];
      }
      if (selected_in(operand, window) != element) continue;
      Out0 result;
      Body1::apply(folded, source[at], result);
      folded = result;
    }
    output[element] = folded;
  }
}
