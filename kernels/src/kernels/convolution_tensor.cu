// Convolutions as products on tensor cores: output features by windows, summed over the elements of a window. What a window holds is gathered
// into shared memory.
//
// Terms are in the order in which the kernel's lie nearest to each other: input features last (`FEATURES_LAST`), or first. All numbers of
// elements fit into 32 bits, and the input has no gaps (`A_lhs_dilation`); the launch rule asks for that.
//
// - `KERNEL_TERM_STRIDE`: from one term of the kernel to the next, -1 where that is no one stride. Pieces are copied whole if
//   `KERNEL_PIECE_BYTES` is 16, else loaded by element.
// - `INPUT_PIECE_BYTES`: 16 if eight features of a window's element lie together (`INPUT_IS_ALONG`), or eight neighbouring windows of one element
//   each; 8 if four of those; 0 if elements are loaded one by one.
// - `OUTPUT_WINDOW_STRIDE`: from one window of an image to the next in the output, or -1. Runs of `OUTPUT_RUN` are stored, along features if
//   `FEATURES_TOGETHER`, else along windows.

constexpr bool KERNEL_ACROSS = KERNEL_TERM_STRIDE != 1 && IN1_STRIDES[A_kernel_dims[1]] == 1, INPUT_ACROSS = !INPUT_IS_ALONG;
constexpr i32 TERM_COUNT = i32(TERMS), COLUMNS = i32(ROWS), WINDOW = KERNEL_IN > 0 ? TERM_COUNT / i32(KERNEL_IN) : 1;

// Where a column's window begins: its element of the input, before the first of a row too, and its place along each axis.
struct Place {
  i32 first, at[AXES + 1];
};
// Behind the last column stands the last: what is computed there goes nowhere.
inline Place place_of(i32 column) {
  const u32 number = u32(column < COLUMNS ? column : COLUMNS - 1), image = IMAGES == 1 ? 0 : number / u32(WINDOWS);
  i64 window[AXES + 1];
  split<true>(number - image * u32(WINDOWS), EXTENTS.outputs, AXES, window);
  Place place;
  place.first = i32(image) * i32(IN0_STRIDES[A_input_dims[0]]);
#pragma unroll
  for (int axis = 0; axis < AXES; ++axis) {
    place.at[axis] = i32(window[axis]) * i32(A_window_strides[axis]) - i32(A_padding_low[axis]);
    place.first += place.at[axis] * i32(IN0_STRIDES[A_input_dims[axis + 2]]);
  }
  return place;
}

// What a term is: from the beginning of a window on, and of the kernel.
struct Term {
  i32 input, kernel, at[AXES + 1];
};
inline Term term_of(i32 number) {
  const u32 feature = FEATURES_LAST ? u32(number) % u32(KERNEL_IN) : u32(number) / u32(WINDOW);
  i64 element[AXES + 1];
  split<true>(FEATURES_LAST ? u32(number) / u32(KERNEL_IN) : u32(number) % u32(WINDOW), EXTENTS.kernels, AXES, element);
  Term term;
  term.input = i32(feature) * i32(IN0_STRIDES[A_input_dims[1]]);
  term.kernel = i32(feature) * i32(IN1_STRIDES[A_kernel_dims[0]]);
#pragma unroll
  for (int axis = 0; axis < AXES; ++axis) {
    const i32 own = A_window_reversal[axis] ? i32(EXTENTS.kernels[axis] - 1 - element[axis]) : i32(element[axis]);
    term.at[axis] = own * i32(A_rhs_dilation[axis]);
    term.input += term.at[axis] * i32(IN0_STRIDES[A_input_dims[axis + 2]]);
    term.kernel += i32(element[axis]) * i32(IN1_STRIDES[A_kernel_dims[axis + 2]]);
  }
  return term;
}

// True where no window goes beyond the input.
constexpr bool is_inside(int axis) {
  const i64 last = (EXTENTS.outputs[axis] - 1) * A_window_strides[axis] - A_padding_low[axis] + (EXTENTS.kernels[axis] - 1) * A_rhs_dilation[axis];
  return A_padding_low[axis] <= 0 && last < IN0_SHAPE[A_input_dims[axis + 2]];
}
inline bool is_there(const Place& place, const Term& term) {
  bool is_there = true;
#pragma unroll
  for (int axis = 0; axis < AXES; ++axis) {
    if (!is_inside(axis)) is_there = is_there && u32(place.at[axis] + term.at[axis]) < u32(IN0_SHAPE[A_input_dims[axis + 2]]);
  }
  return is_there;
}

// The kernel's elements, of the group's features from `first_row` on and terms `from` to `to`.
template <class T>
struct Weights {
  typedef Stage<int(TILE_ROWS), KERNEL_ACROSS> Of;
  const T* kernel;
  i32 first_row, from, to;

  static inline i32 element(i32 row, i32 term) {
    const i32 of_row = row * i32(IN1_STRIDES[A_kernel_dims[1]]);
    return of_row + (KERNEL_TERM_STRIDE >= 0 ? term * i32(KERNEL_TERM_STRIDE) : term_of(term).kernel);
  }
  inline void load(int line, int piece, int, i32 step, u16 (&held)[PIECE]) const {
#pragma unroll
    for (int of = 0; of < PIECE; ++of) {
      const i32 row = first_row + (KERNEL_ACROSS ? piece * PIECE + of : line);
      const i32 term = from + step * STEP_TERMS + (KERNEL_ACROSS ? line : piece * PIECE + of);
      held[of] = row < i32(GROUP_FEATURES) && term < to ? reinterpret<u16>(kernel[element(row, term)]) : u16(0);
    }
  }
  template <int BYTES>
  inline void copy(u16* stage, int line, int piece, int, i32 step) const {
    const i32 row = first_row + (KERNEL_ACROSS ? piece * PIECE : line), term = from + step * STEP_TERMS + (KERNEL_ACROSS ? line : piece * PIECE);
    const bool is_there = row < i32(GROUP_FEATURES) && term < to;
    copy_ahead<BYTES>(stage, kernel + (is_there ? element(row, term) : 0), is_there);
  }
};

// The input's elements, of the group's windows from `first_column` on and terms `from` to `to`. A thread's windows stay the same.
template <class T>
struct Inputs {
  typedef Stage<int(TILE_COLUMNS), INPUT_ACROSS> Of;
  static constexpr int ITEMS = (Of::LINES * Of::PIECES + 255) / 256;
  static_assert(256 % Of::PIECES == 0, "a thread should have one piece of all its lines");
  static constexpr int PLACES = INPUT_ACROSS ? PIECE : ITEMS;
  const T* input;
  i32 first_column, from, to;
  Place places[PLACES];

  inline void find_places() {
#pragma unroll
    for (int of = 0; of < PLACES; ++of) {
      const int column = INPUT_ACROSS ? int(threadIdx.x) % Of::PIECES * PIECE + of : (int(threadIdx.x) + 256 * of) / Of::PIECES;
      places[of] = place_of(first_column + column);
    }
  }
  inline void load(int line, int piece, int item, i32 step, u16 (&held)[PIECE]) const {
    const i32 number = from + step * STEP_TERMS + (INPUT_ACROSS ? line : piece * PIECE);
    const Term term = term_of(number);
#pragma unroll
    for (int of = 0; of < PIECE; ++of) {
      const Place& place = places[INPUT_ACROSS ? of : item];
      // Features of one element of a window lie together if pieces are along terms.
      const bool is_read = number < to && is_there(place, term);
      held[of] = is_read ? reinterpret<u16>(input[place.first + term.input + (INPUT_ACROSS ? 0 : of)]) : u16(0);
    }
  }
  template <int BYTES>
  inline void copy(u16* stage, int line, int piece, int item, i32 step) const {
    const i32 number = from + step * STEP_TERMS + (INPUT_ACROSS ? line : piece * PIECE);
    const Term term = term_of(number);
#pragma unroll
    for (int of = 0; of < PIECE; of += BYTES / 2) {
      const Place& place = places[INPUT_ACROSS ? of : item];
      const bool is_column = !INPUT_ACROSS || first_column + piece * PIECE + of < COLUMNS;
      const bool is_read = is_column && number < to && is_there(place, term);
      copy_ahead<BYTES>(stage + of, input + (is_read ? place.first + term.input : 0), is_read);
    }
  }
};

// A side on its way into stages: copied if `BYTES` are copied at once, else loaded into registers `SLOTS` steps before.
template <class Side, int BYTES, int SLOTS>
struct Filling {
  typedef typename Side::Of Of;
  static constexpr int ALL = Of::LINES * Of::PIECES, ITEMS = (ALL + 255) / 256;
  Side side;
  u16 held[BYTES > 0 ? 1 : SLOTS][ITEMS][PIECE];

  // Calls `each(item, line, piece)` for the pieces of this thread.
  template <class Each>
  static inline void over_pieces(Each each) {
#pragma unroll
    for (int item = 0; item < ITEMS; ++item) {
      const int number = int(threadIdx.x) + 256 * item;
      if (ALL % 256 == 0 || number < ALL) each(item, number / Of::PIECES, number % Of::PIECES);
    }
  }
  inline void load(i32 step, int slot) {
    over_pieces([&](int item, int line, int piece) { side.load(line, piece, item, step, held[slot][item]); });
  }
  inline void begin() {
    if constexpr (BYTES == 0) {
#pragma unroll
      for (int slot = 0; slot < SLOTS; ++slot) load(slot, slot);
    }
  }
  inline void fill(i32 step, int slot, u16* stage) {
    over_pieces([&](int item, int line, int piece) {
      u16* const to = stage + Of::at(line, piece);
      if constexpr (BYTES > 0) {
        side.template copy<BYTES>(to, line, piece, item, step);
      } else {
        Quad quad;
#pragma unroll
        for (int word = 0; word < 4; ++word) quad.words[word] = held[slot][item][2 * word] | u32(held[slot][item][2 * word + 1]) << 16;
        *(Quad*)to = quad;
      }
    });
    if constexpr (BYTES == 0) load(step + SLOTS, slot);
  }
};

// Both sides. What of the kernel is there already may be on its way while kernels before this one end.
template <int KERNEL_BYTES, int INPUT_BYTES>
struct Windows {
  static constexpr bool IS_LATE = INPUT_BYTES == 0;
  static constexpr int SLOTS = KERNEL_BYTES == 0 || INPUT_BYTES == 0 ? int(LOADS_AHEAD) : 1;
  Filling<Weights<In1>, KERNEL_BYTES, SLOTS> weights;
  Filling<Inputs<In0>, INPUT_BYTES, SLOTS> inputs;

  inline void begin() {
    if (!IN1_IS_FIXED) wait_for_earlier();
    weights.begin();
    inputs.side.find_places();
  }
  inline void fill_left(i64 step, int slot, u16* stage) { weights.fill(i32(step), slot, stage); }
  inline void begin_right() {
    if (IN1_IS_FIXED) wait_for_earlier();
    inputs.begin();
  }
  inline void fill_right(i64 step, int slot, u16* stage) { inputs.fill(i32(step), slot, stage); }
};

// The sums of a tile in shared memory, in the order in which the output lies.
struct Sorted {
  static constexpr int INNER = int(FEATURES_TOGETHER ? TILE_ROWS : TILE_COLUMNS), OUTER = int(FEATURES_TOGETHER ? TILE_COLUMNS : TILE_ROWS);
  // Lines begin at other banks.
  static constexpr int LINE = INNER + 8, BYTES = OUTER * LINE * int(sizeof(Sum));
  static inline int at(int row, int column) { return FEATURES_TOGETHER ? column * LINE + row : row * LINE + column; }
};
template <class Output>
inline void store_tile(Output output, const Sum* sums, i64 group, i64 first_row, i64 first_column) {
  constexpr int RUN = Longest<Output>::run < OUTPUT_RUN ? Longest<Output>::run : int(OUTPUT_RUN);
  constexpr int LINE_RUNS = Sorted::INNER / RUN, ALL = LINE_RUNS * Sorted::OUTER / 256, AT_ONCE = ALL * RUN > 16 ? 16 / RUN : ALL;
#pragma unroll 1
  for (int first = 0; first < ALL; first += AT_ONCE) {
    bool is_there[AT_ONCE];
    i64 elements[AT_ONCE];
    Prepared<Output, RUN> prepared[AT_ONCE];
#pragma unroll
    for (int of = 0; of < AT_ONCE; ++of) {
      const int number = (first + of) * 256 + int(threadIdx.x), inner = number % LINE_RUNS * RUN, outer = number / LINE_RUNS;
      const i64 row = first_row + (FEATURES_TOGETHER ? inner : outer), column = first_column + (FEATURES_TOGETHER ? outer : inner);
      is_there[of] = row < GROUP_FEATURES && column < COLUMNS;
      if (!is_there[of]) continue;
      if (OUTPUT_WINDOW_STRIDE >= 0) {
        elements[of] = i64(u32(column) / u32(WINDOWS)) * OUT0_STRIDES[A_output_dims[0]] + i64(u32(column) % u32(WINDOWS)) * OUTPUT_WINDOW_STRIDE +
                       (group * GROUP_FEATURES + row) * OUT0_STRIDES[A_output_dims[1]];
      } else {
        elements[of] = output_at(window_of(column), group, row);
      }
      prepared[of] = prepare<RUN>(output, elements[of]);
    }
#pragma unroll
    for (int of = 0; of < AT_ONCE; ++of) {
      const int number = (first + of) * 256 + int(threadIdx.x), inner = number % LINE_RUNS * RUN, outer = number / LINE_RUNS;
      if (!is_there[of]) continue;
      Out0 values[RUN];
#pragma unroll
      for (int at = 0; at < RUN; ++at) values[at] = finished(sums[outer * Sorted::LINE + inner + at]);
      store_run(output, elements[of], values, prepared[of]);
    }
  }
}

// A block a tile and a split, and a grid's row a group. A template, since other types than those of two bytes have no code for it.
template <class Output>
inline void tensor(Output output, const In0* input, const In1* kernel, u8* parts, u32* counters) {
  constexpr i64 ACROSS = (COLUMNS + TILE_COLUMNS - 1) / TILE_COLUMNS;
  constexpr i64 PART = ((TERMS + SPLITS - 1) / SPLITS + STEP_TERMS - 1) / STEP_TERMS * STEP_TERMS;
  constexpr int STAGES_BYTES = int(STAGES * (TILE_ROWS + TILE_COLUMNS)) * STEP_TERMS * int(sizeof(u16));
  __shared__ __align__(16) u8 shared[STAGES_BYTES > Sorted::BYTES ? STAGES_BYTES : Sorted::BYTES];
  const i64 group = blockIdx.y, first_row = blockIdx.x / ACROSS * TILE_ROWS, first_column = blockIdx.x % ACROSS * TILE_COLUMNS;
  const i64 from = blockIdx.z * PART, to = from + PART < TERMS ? from + PART : TERMS;
  const In0* const own_input = input + input_of(group);
  const In1* const own_kernel = kernel + kernel_of(group);
  Sum sums[Fragments::COUNT];
  auto multiply = [&](auto windows) {
    windows.weights.side = Weights<In1>{own_kernel, i32(first_row), i32(from), i32(to)};
    windows.inputs.side.input = own_input;
    windows.inputs.side.first_column = i32(first_column);
    windows.inputs.side.from = i32(from);
    windows.inputs.side.to = i32(to);
    windows.begin();
    multiply_tensors<KERNEL_ACROSS, INPUT_ACROSS, In0>((u16*)shared, (to - from + STEP_TERMS - 1) / STEP_TERMS, windows, sums);
  };
  typedef Windows<int(KERNEL_PIECE_BYTES), int(INPUT_PIECE_BYTES)> Whole;
  if constexpr ((IN0_IS_ALIGNED || INPUT_PIECE_BYTES == 0) && (IN1_IS_ALIGNED || KERNEL_PIECE_BYTES == 0)) {
    multiply(Whole());
  } else if (is_aligned(input) && is_aligned(kernel)) {
    multiply(Whole());
  } else {
    multiply(Windows<0, 0>());
  }
  if (!join_splits(sums, parts, counters, tile_of(group), tile_count(), *(u32*)shared)) return;
  Sum* const sorted = (Sum*)shared;
#pragma unroll
  for (int at = 0; at < Fragments::COUNT; ++at) sorted[Sorted::at(Fragments::row(at), Fragments::column(at))] = sums[at];
  __syncthreads();
  store_tile(output, sorted, group, first_row, first_column);
}
