// Windows are rows of a matrix that is never laid out (a row is an image's window, a term a spatial element of the kernel and an input
// feature), the kernel is the other; `groups` of features or images have products of their own.
//
// - `tensor`: tiles on tensor cores, for bf16 and f16. There output features are rows and windows columns.
// - `tile`: tiles in shared memory, for any type.
// - `direct`: a thread an element of the output, in order of terms: for few terms or few features a group.
//
// With `SPLITS` > 1 each block of a tile sums a part of the terms (`join_splits`).

constexpr int AXES = IN0_RANK - 2;
constexpr i64 KERNEL_IN = IN1_SHAPE[A_kernel_dims[0]], FEATURES = IN1_SHAPE[A_kernel_dims[1]];
constexpr i64 IMAGES = OUT0_SHAPE[A_output_dims[0]], GROUP_COUNT = A_feature_group_count * A_batch_group_count;
constexpr i64 GROUP_FEATURES = FEATURES / GROUP_COUNT;

// Extents and strides in the order of axes.
struct Axes {
  i64 outputs[AXES + 1], kernels[AXES + 1];
};
constexpr Axes axes() {
  Axes all = {};
  for (int axis = 0; axis < AXES; ++axis) {
    all.outputs[axis] = OUT0_SHAPE[A_output_dims[axis + 2]];
    all.kernels[axis] = IN1_SHAPE[A_kernel_dims[axis + 2]];
  }
  return all;
}
constexpr Axes EXTENTS = axes();

// Where a row's window begins, and where its image lies in the input.
struct Window {
  i64 at[AXES + 1], image;
};
inline Window window_of(i64 row) {
  Window window;
  split<(ROWS <= SMALL_MAX)>(row % WINDOWS, EXTENTS.outputs, AXES, window.at);
  window.image = row / WINDOWS;
  return window;
}

// Where a group begins: its first element of the input and of the kernel.
inline i64 input_of(i64 group) {
  return A_batch_group_count > 1 ? group * IMAGES * IN0_STRIDES[A_input_dims[0]] : group * KERNEL_IN * IN0_STRIDES[A_input_dims[1]];
}
inline i64 kernel_of(i64 group) { return group * GROUP_FEATURES * IN1_STRIDES[A_kernel_dims[1]]; }

// The elements that a row and a term meet in, if they do: of a group's input, and of its kernel but for the output feature.
inline bool meet(const Window& window, i64 term, i64* input, i64* kernel) {
  i64 at[AXES + 1];
  const i64 feature = term % KERNEL_IN;
  split<(TERMS <= SMALL_MAX)>(term / KERNEL_IN, EXTENTS.kernels, AXES, at);
  *input = window.image * IN0_STRIDES[A_input_dims[0]] + feature * IN0_STRIDES[A_input_dims[1]];
  *kernel = feature * IN1_STRIDES[A_kernel_dims[0]];
  bool do_meet = true;
#pragma unroll
  for (int axis = 0; axis < AXES; ++axis) {
    const i64 element = A_window_reversal[axis] ? EXTENTS.kernels[axis] - 1 - at[axis] : at[axis];
    const i64 position = window.at[axis] * A_window_strides[axis] - A_padding_low[axis] + element * A_rhs_dilation[axis];
    const i64 index = position / A_lhs_dilation[axis];
    do_meet = do_meet && position >= 0 && position % A_lhs_dilation[axis] == 0 && index < IN0_SHAPE[A_input_dims[axis + 2]];
    *input += index * IN0_STRIDES[A_input_dims[axis + 2]];
    *kernel += at[axis] * IN1_STRIDES[A_kernel_dims[axis + 2]];
  }
  return do_meet;
}

inline i64 output_at(const Window& window, i64 group, i64 feature) {
  i64 element = window.image * OUT0_STRIDES[A_output_dims[0]] + (group * GROUP_FEATURES + feature) * OUT0_STRIDES[A_output_dims[1]];
#pragma unroll
  for (int axis = 0; axis < AXES; ++axis) element += window.at[axis] * OUT0_STRIDES[A_output_dims[axis + 2]];
  return element;
}

// The number of a group's tile among all.
inline i64 tile_of(i64 group) { return group * gridDim.x + blockIdx.x; }
inline i64 tile_count() { return i64(gridDim.x) * gridDim.y; }

template <class Output>
inline void tile(Output output, const In0* input, const In1* kernel, u8* parts, u32* counters) {
  __shared__ u32 word;
  constexpr i64 TILES = (GROUP_FEATURES + TILE - 1) / TILE, PART = (TERMS + SPLITS - 1) / SPLITS;
  const i64 first_row = blockIdx.x / TILES * TILE, first_column = blockIdx.x % TILES * TILE;
  const i64 from = blockIdx.z * PART, to = from + PART < TERMS ? from + PART : TERMS;
  for (i64 group = blockIdx.y; group < GROUP_COUNT; group += gridDim.y) {
    const In0* const own_input = input + input_of(group);
    const In1* const own_kernel = kernel + kernel_of(group);
    Sum sums[TileSums::COUNT];
    multiply_tile<IN0_STRIDES[A_input_dims[1]] == 1, IN1_STRIDES[A_kernel_dims[0]] == 1>(
        first_row, first_column, from, to,
        [=](i64 row, i64 term) {
          i64 at, with;
          if (row >= ROWS || term >= to || !meet(window_of(row), term, &at, &with)) return Number<Sum>::zero();
          return number<Sum>(own_input[at]);
        },
        [=](i64 column, i64 term) {
          if (column >= GROUP_FEATURES || term >= to) return Number<Sum>::zero();
          i64 at, with;
          meet(Window(), term, &at, &with);
          return number<Sum>(own_kernel[with + column * IN1_STRIDES[A_kernel_dims[1]]]);
        },
        sums);
    if (!join_splits(sums, parts, counters, tile_of(group), tile_count(), word)) continue;
#pragma unroll
    for (int at = 0; at < TileSums::COUNT; ++at) {
      const i64 row = first_row + TileSums::row(at), column = first_column + TileSums::column(at);
      if (row < ROWS && column < GROUP_FEATURES) store(output, output_at(window_of(row), group, column), finished(sums[at]));
    }
  }
}

template <class T>
inline T times(T a, T b) {
  return a * b;
}
template <class Part>
inline complex<Part> times(complex<Part> a, complex<Part> b) {
  complex<Part> product{Part(0), Part(0)};
  multiply_add(product, a, b);
  return product;
}
// A sum as it is, -0 too.
template <class To, class From>
struct Exactly {
  static To of(From sum) { return finished(sum); }
};
template <>
struct Exactly<f32, f32> {
  static f32 of(f32 sum) { return sum; }
};

template <class Output>
inline void direct(Output output, const In0* input, const In1* kernel) {
  for (i64 number_of = thread_number(); number_of < ROWS * GROUP_FEATURES * GROUP_COUNT; number_of += thread_count()) {
    const i64 column = number_of % GROUP_FEATURES, group = number_of / GROUP_FEATURES % GROUP_COUNT;
    const Window window = window_of(number_of / (GROUP_FEATURES * GROUP_COUNT));
    const In0* const own_input = input + input_of(group);
    const In1* const own_kernel = kernel + kernel_of(group);
    Sum sum = Number<Sum>::zero();
    for (i64 term = 0; term < TERMS; ++term) {
      i64 from, with;
      const bool do_meet = meet(window, term, &from, &with);
      const Sum element = do_meet ? number<Sum>(own_input[from]) : Number<Sum>::zero();
      const Sum weight = number<Sum>(own_kernel[with + column * IN1_STRIDES[A_kernel_dims[1]]]);
      if (IS_IN_ORDER) {
        // Each product is rounded, and the first is where the sum begins.
        Sum product = times(element, weight);
        sum = term == 0 ? product : plus(sum, product);
      } else {
        multiply_add(sum, element, weight);
      }
    }
    store(output, output_at(window, group, column), IS_IN_ORDER ? Exactly<Out0, Sum>::of(sum) : finished(sum));
  }
}

// Nothing is summed.
template <class Output>
inline void clear(Output output) {
  for (i64 element = thread_number(); element < OUT0_COUNT; element += thread_count()) store(output, element, finished(Number<Sum>::zero()));
}
