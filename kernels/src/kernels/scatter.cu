// `copy` puts the operands where the outputs are, unless they lie there. `scatter` goes through the updates in order: windows never meet
// in dimensions that starts do not move them along (`FREE` elements of a window, with `BOUND` of which the same operand element may be
// met again), so each thread takes some free elements; and `CLASSES` threads go through the same updates, each for its part of the
// operand's elements. `replace` is for updates that need not go one after the other.

template <class... Arrays>
inline void copy(Arrays*... arrays) {
  auto all = packed(arrays...);
  copy_all(typename CountTo<int(COUNT)>::Type(), all);
}
template <class T>
inline void copy_one(T* output, const T* operand) {
  if (output == operand) return;
  for (i64 element = thread_number(); element < OUT0_COUNT; element += thread_count()) {
    i64 position[OUT0_RANK + 1], from = 0, to = 0;
    split<(OUT0_COUNT <= SMALL_MAX)>(element, OUT0_SHAPE, OUT0_RANK, position);
#pragma unroll
    for (int dimension = 0; dimension < OUT0_RANK; ++dimension) {
      from += position[dimension] * IN0_STRIDES[dimension];
      to += position[dimension] * OUT0_STRIDES[dimension];
    }
    output[to] = operand[from];
  }
}
template <int... NUMBERS, class Arrays>
inline void copy_all(Numbers<NUMBERS...>, Arrays& all) {
  const int done[] = {0, (copy_one(At<NUMBERS>::of(all), At<int(COUNT) + NUMBERS>::of(all)), 0)...};
  (void)done;
}

// Where the window of an update begins, by dimension of the operand, and in `source` where the update's own elements do.
template <class Indices>
inline void find_start(i64 number, const Indices* indices, i64 (&start)[OUT0_RANK + 1], i64* source) {
  constexpr int VECTOR = int(A_index_vector_dim);
  i64 batch[BATCH_RANK + 1], first = 0;
  split<false>(number, BATCH_EXTENTS, int(BATCH_RANK), batch);
#pragma unroll
  for (int dimension = 0; dimension < OUT0_RANK; ++dimension) start[dimension] = 0;
  *source = 0;
#pragma unroll
  for (int at = 0; at < BATCH_RANK; ++at) {
    first += batch[at] * INDEX_STRIDES[at];
    *source += batch[at] * BATCH_STRIDES[at];
  }
#pragma unroll
  for (int component = 0; component < A_scatter_dims_to_operand_dims_COUNT; ++component) {
    start[A_scatter_dims_to_operand_dims[component]] = index_value(indices[first + component * COMPONENT_STRIDE]);
  }
#pragma unroll
  for (int at = 0; at < A_input_batching_dims_COUNT; ++at) {
    const i64 with = A_scatter_indices_batching_dims[at];
    start[A_input_batching_dims[at]] = batch[with - (with > VECTOR)];
  }
}

template <int... NUMBERS, class Arrays, class Indices>
inline void scatter_all(Numbers<NUMBERS...> numbers, Arrays& arrays, const Indices* indices) {
  const i64 free_number = thread_number() / CLASSES, own_class = thread_number() % CLASSES;
  if (free_number >= FREE) return;
  i64 window[OUT0_RANK + 1], start[OUT0_RANK + 1];
  // Positions in windows, by dimension of the operand: first those that this thread keeps.
  i64 rest = free_number;
#pragma unroll
  for (int dimension = OUT0_RANK - 1; dimension >= 0; --dimension) {
    window[dimension] = 0;
    if (IS_BOUND[dimension]) continue;
    window[dimension] = rest % WINDOW_EXTENTS[dimension];
    rest /= WINDOW_EXTENTS[dimension];
  }
  for (i64 number = 0; number < BATCH_COUNT * BOUND; ++number) {
    rest = number % BOUND;
    i64 source = 0, target = 0;
    bool is_inside = true;
#pragma unroll
    for (int dimension = OUT0_RANK - 1; dimension >= 0; --dimension) {
      if (!IS_BOUND[dimension]) continue;
      window[dimension] = rest % WINDOW_EXTENTS[dimension];
      rest /= WINDOW_EXTENTS[dimension];
    }
    find_start(number / BOUND, indices, start, &source);
#pragma unroll
    for (int dimension = 0; dimension < OUT0_RANK; ++dimension) {
      const i64 position = saturating_add(start[dimension], window[dimension]);
      is_inside = is_inside && position >= 0 && position < OUT0_SHAPE[dimension];
      source += window[dimension] * WINDOW_STRIDES[dimension];
      target += i64(u64(position) * u64(OUT0_STRIDES[dimension]));
    }
    if (!is_inside || (CLASSES > 1 && u64(target) % CLASSES != u64(own_class))) continue;
    auto current = read<0>(numbers, arrays, target);
    auto updates = read<int(COUNT)>(numbers, arrays, source);
    auto results = current;
    Body0::apply(At<NUMBERS>::of(current)..., At<NUMBERS>::of(updates)..., At<NUMBERS>::of(results)...);
    write<0>(numbers, arrays, target, results);
  }
}
// Where an update of one operand element in all dimensions that starts move it along goes, and where its window begins.
struct Update {
  bool is_inside;
  i64 source, target;
};
template <class Indices>
inline Update update_of(i64 number, const Indices* indices) {
  i64 start[OUT0_RANK + 1];
  Update update{true, 0, 0};
  find_start(number, indices, start, &update.source);
#pragma unroll
  for (int dimension = 0; dimension < OUT0_RANK; ++dimension) {
    update.is_inside = update.is_inside && start[dimension] >= 0 && start[dimension] < OUT0_SHAPE[dimension];
    update.target += i64(u64(start[dimension]) * u64(OUT0_STRIDES[dimension]));
  }
  return update;
}

// Few updates of many elements each, which replace what is there: a block puts one, unless a later one goes to the same place.
template <class T, class Indices>
inline void replace(const Indices* indices, T* output, const T* updates) {
  const i64 number = blockIdx.x;
  const Update own = update_of(number, indices);
  bool is_replaced = !own.is_inside;
  for (i64 other = number + 1 + threadIdx.x; own.is_inside && other < BATCH_COUNT; other += blockDim.x) {
    const Update later = update_of(other, indices);
    is_replaced = is_replaced || (later.is_inside && later.target == own.target);
  }
  if (__syncthreads_or(is_replaced)) return;
  for (i64 element = threadIdx.x; element < FREE; element += blockDim.x) {
    i64 rest = element, source = own.source, target = own.target;
#pragma unroll
    for (int dimension = OUT0_RANK - 1; dimension >= 0; --dimension) {
      if (IS_BOUND[dimension]) continue;
      source += rest % WINDOW_EXTENTS[dimension] * WINDOW_STRIDES[dimension];
      target += rest % WINDOW_EXTENTS[dimension] * OUT0_STRIDES[dimension];
      rest /= WINDOW_EXTENTS[dimension];
    }
    output[target] = updates[source];
  }
}

template <class Indices, class... Arrays>
inline void scatter(const Indices* indices, Arrays*... arrays) {
  auto all = packed(arrays...);
  scatter_all(typename CountTo<int(COUNT)>::Type(), all, indices);
}
