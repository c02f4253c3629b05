// Convolutions as products on tensor cores: output features by windows, summed over the elements of a window. What a window holds is gathered
// into shared memory.
//
// Terms are in the order in which the kernel's lie nearest to each other: input features last (`FEATURES_LAST`), or first. All numbers of
// elements fit into 32 bits, and the input has no gaps (`A_lhs_dilation`); the launch rule asks for that.
//
// - `KERNEL_TERM_STRIDE`: from one term of the kernel to the next, -1 where that is no one stride. Pieces are copied whole if
//   `KERNEL_IS_WHOLE`, else loaded by element.
// - `INPUT_PIECE_BYTES`: 16 if eight features of a window's element lie together (`INPUT_IS_ALONG`), or eight neighbouring windows of one element
//   each; 8 if four of those; 0 if elements are loaded one by one.
// - `OUTPUT_WINDOW_STRIDE`: from one window of an image to the next in the output, or -1. Runs of `OUTPUT_RUN` are stored, along features if
//   `FEATURES_TOGETHER`, else along windows.

constexpr bool KERNEL_ACROSS = KERNEL_TERM_STRIDE != 1 && IN1_STRIDES[A_kernel_dims[1]] == 1, INPUT_ACROSS = !INPUT_IS_ALONG;
constexpr i32 TERM_COUNT = i32(TERMS), COLUMNS = i32(ROWS), WINDOW = KERNEL_IN > 0 ? TERM_COUNT / i32(KERNEL_IN) : 1;
// True where stages end with a split, and tiles with a group's features.
constexpr bool TERMS_FILL = TERM_COUNT % STEP_TERMS == 0, ROWS_FILL = GROUP_FEATURES % TILE_ROWS == 0;
// Terms of a split.
constexpr i64 PART = ((TERMS + SPLITS - 1) / SPLITS + STEP_TERMS - 1) / STEP_TERMS * STEP_TERMS;

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
  i32 input, kernel, at[AXES + 1], element[AXES + 1];
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
    term.element[axis] = i32(element[axis]);
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
  inline bool is_weight(i32 row, i32 term) const { return (ROWS_FILL || row < i32(GROUP_FEATURES)) && (TERMS_FILL || term < to); }
  // Asks for what is copied later than the first stages.
  inline void fetch() const {
    constexpr int LINE = 64, ALONG = KERNEL_ACROSS ? int(TILE_ROWS) : int(PART), LINES = (ALONG + LINE - 1) / LINE;
    constexpr int FIRST = int(STAGES - 1) * STEP_TERMS, ALL = KERNEL_ACROSS ? (int(PART) - FIRST) * LINES : int(TILE_ROWS) * LINES;
#pragma unroll 1
    for (int number = int(threadIdx.x); number < ALL; number += TENSOR_THREADS) {
      const int line = number % LINES * LINE, of = number / LINES;
      const i32 row = first_row + (KERNEL_ACROSS ? line : of), term = from + (KERNEL_ACROSS ? FIRST + of : line);
      if (row < i32(GROUP_FEATURES) && term < to && (KERNEL_ACROSS || line >= FIRST)) fetch_ahead(kernel + element(row, term));
    }
  }
  inline void load(int line, int piece, int, i32 step, u32 (&held)[PIECE]) const {
#pragma unroll
    for (int of = 0; of < PIECE; ++of) {
      const i32 row = first_row + (KERNEL_ACROSS ? piece * PIECE + of : line);
      const i32 term = from + step * STEP_TERMS + (KERNEL_ACROSS ? line : piece * PIECE + of);
      held[of] = is_weight(row, term) ? u32(reinterpret<u16>(kernel[element(row, term)])) : 0;
    }
  }
};

// True if eight bits say which elements of an axis of the kernel meet elements of the input.
constexpr bool has_masks() {
  for (int axis = 0; axis < AXES; ++axis) {
    if (EXTENTS.kernels[axis] > 8) return false;
  }
  return true;
}

// The input's elements, of the group's windows from `first_column` on and terms `from` to `to`. A thread's windows stay the same.
template <class T>
struct Inputs {
  typedef Stage<int(TILE_COLUMNS), INPUT_ACROSS> Of;
  static constexpr int ITEMS = (Of::LINES * Of::PIECES + TENSOR_THREADS - 1) / TENSOR_THREADS, PLACES = INPUT_ACROSS ? PIECE : ITEMS;
  static_assert(TENSOR_THREADS % Of::PIECES == 0, "a thread should have one piece of all its lines");
  static constexpr bool HAS_MASKS = INPUT_ACROSS && has_masks();
  const T* input;
  i32 first_column, from, to;
  Place places[PLACES];
  // For each axis and element of the kernel, the windows that are inside of the input there, as bits.
  u64 masks[AXES + 1];

  inline void find_places() {
#pragma unroll
    for (int of = 0; of < PLACES; ++of) {
      const int column = INPUT_ACROSS ? int(threadIdx.x) % Of::PIECES * PIECE + of : (int(threadIdx.x) + TENSOR_THREADS * of) / Of::PIECES;
      places[of] = place_of(first_column + column);
    }
    if constexpr (HAS_MASKS) find_masks();
  }
  inline void find_masks() {
#pragma unroll
    for (int axis = 0; axis < AXES; ++axis) {
      masks[axis] = 0;
      if (is_inside(axis)) continue;
#pragma unroll
      for (int element = 0; element < 8; ++element) {
        if (element >= EXTENTS.kernels[axis]) continue;
        const i32 at = i32((A_window_reversal[axis] ? EXTENTS.kernels[axis] - 1 - element : element) * A_rhs_dilation[axis]);
#pragma unroll
        for (int of = 0; of < PIECE; ++of) {
          const bool is_there = u32(places[of % PLACES].at[axis] + at) < u32(IN0_SHAPE[A_input_dims[axis + 2]]);
          masks[axis] |= u64(is_there) << (8 * element + of);
        }
      }
    }
  }
  inline u32 mask_of(const Term& term) const {
    u32 mask = 0xff;
#pragma unroll
    for (int axis = 0; axis < AXES; ++axis) {
      if (!is_inside(axis)) mask &= u32(masks[axis] >> (8 * term.element[axis]));
    }
    return mask;
  }
  inline void load(int line, int piece, int item, i32 step, u32 (&held)[PIECE]) const {
    const i32 number = from + step * STEP_TERMS + (INPUT_ACROSS ? line : piece * PIECE);
    const Term term = term_of(number);
    const u32 mask = !TERMS_FILL && number >= to ? 0 : HAS_MASKS ? mask_of(term) : 0xff;
#pragma unroll
    for (int of = 0; of < PIECE; ++of) {
      const Place& place = places[INPUT_ACROSS ? of : item];
      // Features of one element of a window lie together if pieces are along terms.
      const bool is_read = (mask >> of & 1) != 0 && (HAS_MASKS || is_there(place, term));
      // Unsigned, since the compiler would add signed numbers in 64 bits.
      const i32 element = i32(u32(place.first) + u32(term.input)) + (INPUT_ACROSS ? 0 : of);
      held[of] = is_read ? u32(reinterpret<u16>(input[element])) : 0;
    }
  }
  template <int BYTES>
  inline void copy(u16* stage, int line, int piece, int item, i32 step) const {
    const i32 number = from + step * STEP_TERMS + (INPUT_ACROSS ? line : piece * PIECE);
    const Term term = term_of(number);
#pragma unroll
    for (int of = 0; of < PIECE; of += BYTES / 2) {
      const Place& place = places[INPUT_ACROSS ? of : item];
      const bool is_column = !INPUT_ACROSS || COLUMNS % TILE_COLUMNS == 0 || first_column + piece * PIECE + of < COLUMNS;
      const bool is_read = is_column && (TERMS_FILL || number < to) && is_there(place, term);
      copy_ahead<BYTES>(stage + of, input + (is_read ? place.first + term.input : 0), is_read);
    }
  }
};

// A side on its way into stages: copied if `BYTES` are copied at once, else loaded into registers `SLOTS` steps before.
template <class Side, int BYTES, int SLOTS>
struct Filling {
  typedef typename Side::Of Of;
  static constexpr int ALL = Of::LINES * Of::PIECES, ITEMS = (ALL + TENSOR_THREADS - 1) / TENSOR_THREADS;
  Side side;
  u32 held[BYTES > 0 ? 1 : SLOTS][ITEMS][PIECE];

  // Calls `each(item, line, piece)` for the pieces of this thread.
  template <class Each>
  static inline void over_pieces(Each each) {
#pragma unroll
    for (int item = 0; item < ITEMS; ++item) {
      const int number = int(threadIdx.x) + TENSOR_THREADS * item;
      if (ALL % TENSOR_THREADS == 0 || number < ALL) each(item, number / Of::PIECES, number % Of::PIECES);
    }
  }
  inline void fill(i32 step, u16* stage) {
    if constexpr (BYTES > 0) {
      over_pieces([&](int item, int line, int piece) { side.template copy<BYTES>(stage + Of::at(line, piece), line, piece, item, step); });
    }
  }
  inline void load(i32 step, int slot) {
    if constexpr (BYTES == 0) {
      over_pieces([&](int item, int line, int piece) { side.load(line, piece, item, step, held[slot][item]); });
    }
  }
  inline void put(int slot, u16* stage) {
    if constexpr (BYTES == 0) {
      over_pieces([&](int item, int line, int piece) {
        Quad quad;
#pragma unroll
        for (int word = 0; word < 4; ++word) quad.words[word] = held[slot][item][2 * word] | held[slot][item][2 * word + 1] << 16;
        *(Quad*)(stage + Of::at(line, piece)) = quad;
      });
    }
  }
};

// Both sides. What of the kernel is there already may be on its way while kernels before this one end.
template <bool IS_KERNEL_WHOLE, int INPUT_BYTES>
struct Windows {
  static constexpr int SLOTS = !IS_KERNEL_WHOLE || INPUT_BYTES == 0 ? int(LOADS_AHEAD) : 0;
  WholeSide<int(TILE_ROWS), KERNEL_ACROSS, GROUP_FEATURES, (KERNEL_ACROSS ? KERNEL_TERM_STRIDE : IN1_STRIDES[A_kernel_dims[1]]), In1> kernel;
  Filling<Weights<In1>, (IS_KERNEL_WHOLE ? 16 : 0), SLOTS> weights;
  Filling<Inputs<In0>, INPUT_BYTES, SLOTS> inputs;

  inline Windows(const In0* input, const In1* kernel, i32 first_row, i32 first_column, i32 from, i32 to) : kernel(kernel, first_row, from) {
    weights.side = Weights<In1>{kernel, first_row, from, to};
    inputs.side.input = input;
    inputs.side.first_column = first_column;
    inputs.side.from = from;
    inputs.side.to = to;
    inputs.side.find_places();
  }
  inline void fill_left(int step, u16* stage) {
    if constexpr (IS_KERNEL_WHOLE) kernel.fill(step, stage, weights.side.to);
  }
  inline void begin_right() {
    if constexpr (IN1_IS_FIXED && IS_KERNEL_WHOLE) weights.side.fetch();
    if (IN1_IS_FIXED) wait_for_earlier();
  }
  inline void fill_right(int step, u16* stage) { inputs.fill(step, stage); }
  inline void load(int step, int slot) {
    weights.load(step, slot);
    inputs.load(step, slot);
  }
  inline void put(int, int slot, u16* left_stage, u16* right_stage) {
    weights.put(slot, left_stage);
    inputs.put(slot, right_stage);
  }
};

// The sums of a tile in shared memory, in the order in which the output lies, of each group of warps.
struct Sorted {
  static constexpr int INNER = int(FEATURES_TOGETHER ? TILE_ROWS : TILE_COLUMNS), OUTER = int(FEATURES_TOGETHER ? TILE_COLUMNS : TILE_ROWS);
  // Lines begin at other banks.
  static constexpr int LINE = INNER + 8, SIZE = OUTER * LINE;
  static inline int at(int row, int column) { return FEATURES_TOGETHER ? column * LINE + row : row * LINE + column; }
};

// The elements of a tile that a thread stores: `COUNT` runs of `RUN`.
template <int RUN>
struct Stored {
  static constexpr int LINE_RUNS = Sorted::INNER / RUN, COUNT = LINE_RUNS * Sorted::OUTER / TENSOR_THREADS;
  static inline int inner(int run) { return (run * TENSOR_THREADS + int(threadIdx.x)) % LINE_RUNS * RUN; }
  static inline int outer(int run) { return (run * TENSOR_THREADS + int(threadIdx.x)) / LINE_RUNS; }
  static inline int row(int run) { return FEATURES_TOGETHER ? inner(run) : outer(run); }
  static inline int column(int run) { return FEATURES_TOGETHER ? outer(run) : inner(run); }
  // Element number `element` of all, summed over the groups of warps.
  static inline Sum sum(const Sum* sums, int element) {
    const Sum* const own = sums + outer(element / RUN) * Sorted::LINE + inner(element / RUN) + element % RUN;
    Sum sum = own[0];
#pragma unroll
    for (int group = 1; group < TERM_WARPS; ++group) sum = plus(sum, own[group * Sorted::SIZE]);
    return sum;
  }
};

inline i32 element_at(i32 group, i32 row, i32 column) {
  if (OUTPUT_WINDOW_STRIDE < 0) return i32(output_at(window_of(column), group, row));
  const i32 image = IMAGES == 1 ? 0 : i32(u32(column) / u32(WINDOWS)), window = column - image * i32(WINDOWS);
  const i32 feature = group * i32(GROUP_FEATURES) + row;
  return image * i32(OUT0_STRIDES[A_output_dims[0]]) + window * i32(OUTPUT_WINDOW_STRIDE) + feature * i32(OUT0_STRIDES[A_output_dims[1]]);
}

// Stores what the groups of warps have summed, in the block of the tile that comes last.
template <class Output>
inline void store_tile(Output output, Sum* sums, u8* parts, u32* counters, i32 group, i32 first_row, i32 first_column) {
  constexpr int RUN = Longest<Output>::run < OUTPUT_RUN ? Longest<Output>::run : int(OUTPUT_RUN);
  typedef Stored<RUN> Own;
  constexpr int VECTOR = Sums::COUNT, VECTORS = Own::COUNT * RUN / VECTOR, MOST = RUN > 1 ? 4 : 8, AT_ONCE = Own::COUNT > MOST ? MOST : Own::COUNT;
  const Parts<VECTORS> shares(parts, tile_of(group), tile_count());
  if constexpr (SPLITS > 1) {
#pragma unroll
    for (int vector = 0; vector < VECTORS; ++vector) {
      Sums own;
#pragma unroll
      for (int at = 0; at < VECTOR; ++at) own.of[at] = Own::sum(sums, vector * VECTOR + at);
      shares.put(vector, own);
    }
    if (!comes_last(counters + tile_of(group), u32(SPLITS), *(u32*)sums)) return;
  }
#pragma unroll 1
  for (int first = 0; first < Own::COUNT; first += AT_ONCE) {
    bool is_there[AT_ONCE];
    i64 elements[AT_ONCE];
    Prepared<Output, RUN> prepared[AT_ONCE];
#pragma unroll
    for (int of = 0; of < AT_ONCE; ++of) {
      const i32 row = first_row + Own::row(first + of), column = first_column + Own::column(first + of);
      is_there[of] = (ROWS_FILL || row < i32(GROUP_FEATURES)) && (COLUMNS % TILE_COLUMNS == 0 || column < COLUMNS);
      if (!is_there[of]) continue;
      elements[of] = element_at(group, row, column);
      prepared[of] = prepare<RUN>(output, elements[of]);
    }
    Sums own[AT_ONCE * RUN / VECTOR];
#pragma unroll
    for (int vector = 0; vector < AT_ONCE * RUN / VECTOR; ++vector) {
      if constexpr (SPLITS > 1) {
        own[vector] = shares.joined(first * RUN / VECTOR + vector);
      } else {
#pragma unroll
        for (int at = 0; at < VECTOR; ++at) own[vector].of[at] = Own::sum(sums, first * RUN + vector * VECTOR + at);
      }
    }
#pragma unroll
    for (int of = 0; of < AT_ONCE; ++of) {
      if (!is_there[of]) continue;
      Out0 values[RUN];
#pragma unroll
      for (int at = 0; at < RUN; ++at) values[at] = finished(own[(of * RUN + at) / VECTOR].of[(of * RUN + at) % VECTOR]);
      store_run(output, elements[of], values, prepared[of]);
    }
  }
}

// A block a tile and a split, and a grid's row a group. A template, since other types than those of two bytes have no code for it.
template <class Output>
inline void tensor(Output output, const In0* input, const In1* kernel, u8* parts, u32* counters) {
  constexpr i32 ACROSS = (COLUMNS + i32(TILE_COLUMNS) - 1) / i32(TILE_COLUMNS);
  PYGRAPH_DYNAMIC_SHARED(shared);
  const i32 group = GROUP_COUNT == 1 ? 0 : i32(blockIdx.y), tile = i32(blockIdx.x);
  const i32 first_row = tile / ACROSS * i32(TILE_ROWS), first_column = tile % ACROSS * i32(TILE_COLUMNS);
  const i32 from = SPLITS == 1 ? 0 : i32(blockIdx.z * PART), to = from + i32(PART) < TERM_COUNT ? from + i32(PART) : TERM_COUNT;
  Sum sums[Fragments::COUNT];
  const In0* const own_input = input + input_of(group);
  const In1* const own_kernel = kernel + kernel_of(group);
  if (!IN1_IS_FIXED) wait_for_earlier();
  auto multiply = [&](auto windows) {
    multiply_tensors<KERNEL_ACROSS, INPUT_ACROSS, In0>((u16*)shared, (to - from + STEP_TERMS - 1) / STEP_TERMS, windows, sums);
  };
  typedef Windows<KERNEL_IS_WHOLE != 0, int(INPUT_PIECE_BYTES)> Whole;
  if constexpr ((IN0_IS_ALIGNED || INPUT_PIECE_BYTES == 0) && (IN1_IS_ALIGNED || KERNEL_IS_WHOLE == 0)) {
    multiply(Whole(own_input, own_kernel, first_row, first_column, from, to));
  } else if (is_aligned(input) && is_aligned(kernel)) {
    multiply(Whole(own_input, own_kernel, first_row, first_column, from, to));
  } else {
    multiply(Windows<false, 0>(own_input, own_kernel, first_row, first_column, from, to));
  }
  Sum* const sorted = (Sum*)shared;
#pragma unroll
  for (int at = 0; at < Fragments::COUNT; ++at) {
    sorted[Fragments::group() * Sorted::SIZE + Sorted::at(Fragments::row(at), Fragments::column(at))] = sums[at];
  }
  __syncthreads();
  store_tile(output, sorted, parts, counters, group, first_row, first_column);
}
