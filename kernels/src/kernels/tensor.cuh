// Tiles of a product on tensor cores: `TILE_ROWS` by `TILE_COLUMNS` sums of `WARP_ROWS` by `WARP_COLUMNS` warps times `TERM_WARPS` that share the
// terms, `STAGE_TERMS` terms at a time in each of `STAGES` buffers, which are filled ahead. Products of bf16 or f16 accumulate in f32.
//
// A side lies in shared memory as it does in the array: `[row][term]` if its terms lie together or nothing does, else `[term][row]`.
// Pieces of 16 bytes are moved about within a line, so that eight lines are read without bank conflicts.

constexpr int STEP_TERMS = int(STAGE_TERMS), PIECE = 8, TENSOR_THREADS = 32 * int(WARP_ROWS * WARP_COLUMNS * TERM_WARPS);

// One side's part of a stage: `EXTENT` rows of `STEP_TERMS` terms.
template <int EXTENT, bool IS_ACROSS>
struct Stage {
  static constexpr int LINE = IS_ACROSS ? EXTENT : STEP_TERMS, LINES = IS_ACROSS ? STEP_TERMS : EXTENT, PIECES = LINE / PIECE;
  // Where a piece of a line lies.
  static inline int at(int line, int piece) { return line * LINE + mixed_piece<PIECES>(line, piece) * PIECE; }
};

// The sums of a thread: where they belong in the tile. Groups of warps have sums of the same places, over terms of their own.
struct Fragments {
  static constexpr int WARPS = int(WARP_ROWS * WARP_COLUMNS), OWN_ROWS = int(TILE_ROWS / WARP_ROWS), OWN_COLUMNS = int(TILE_COLUMNS / WARP_COLUMNS);
  static constexpr int ROW_PARTS = OWN_ROWS / 16, COLUMN_PARTS = OWN_COLUMNS / 8, COUNT = ROW_PARTS * COLUMN_PARTS * 4;
  static_assert(OWN_ROWS % 16 == 0 && OWN_COLUMNS % 16 == 0 && STEP_TERMS / 16 % TERM_WARPS == 0 && STAGES >= 2, "the launch rule should choose whole parts");
  static inline int warp() { return int(threadIdx.x) / 32 % WARPS; }
  static inline int group() { return int(threadIdx.x) / 32 / WARPS; }
  static inline int first_row() { return warp() % int(WARP_ROWS) * OWN_ROWS; }
  static inline int first_column() { return warp() / int(WARP_ROWS) * OWN_COLUMNS; }
  static inline int row(int at) { return first_row() + at / 4 / COLUMN_PARTS * 16 + int(threadIdx.x) % 32 / 4 + at % 4 / 2 * 8; }
  static inline int column(int at) { return first_column() + at / 4 % COLUMN_PARTS * 8 + int(threadIdx.x) % 4 * 2 + at % 2; }
};

// Fills a stage element by element. `address(row, term)` is an element's.
template <class Of, bool IS_ACROSS, class Address>
inline void fill_stage(u16* stage, i64 first_row, i64 rows, i64 first_term, i64 terms, Address address) {
  for (int number = int(threadIdx.x); number < Of::LINES * Of::PIECES; number += TENSOR_THREADS) {
    const int line = number / Of::PIECES, piece = number % Of::PIECES;
    u16* const to = stage + Of::at(line, piece);
    for (int of = 0; of < PIECE; ++of) {
      const i64 row = first_row + (IS_ACROSS ? piece * PIECE + of : line), term = first_term + (IS_ACROSS ? line : piece * PIECE + of);
      to[of] = row < rows && term < terms ? reinterpret<u16>(*address(row, term)) : u16(0);
    }
  }
}

// A side that is copied in whole pieces: `ROWS_OF` rows of `TERMS`, `LINE_STRIDE` elements from line to line. A thread has the same piece of all its
// lines, so that its addresses are one and constants.
template <int EXTENT, bool IS_ACROSS, i64 ROWS_OF, i64 LINE_STRIDE, class T>
struct WholeSide {
  typedef Stage<EXTENT, IS_ACROSS> Of;
  static constexpr int ALL = Of::LINES * Of::PIECES, ITEMS = (ALL + TENSOR_THREADS - 1) / TENSOR_THREADS, APART = TENSOR_THREADS / Of::PIECES;
  static_assert(TENSOR_THREADS % Of::PIECES == 0, "a thread should have one piece of all its lines");
  // Elements from step to step.
  static constexpr i64 ADVANCE = IS_ACROSS ? STEP_TERMS * LINE_STRIDE : STEP_TERMS;
  const T* side;
  const T* own;
  i64 row, term;
  inline WholeSide(const T* side, i64 first_row, i64 first_term) : side(side) {
    const int line = int(threadIdx.x) / Of::PIECES, piece = int(threadIdx.x) % Of::PIECES * PIECE;
    row = first_row + (IS_ACROSS ? piece : line);
    term = first_term + (IS_ACROSS ? line : piece);
    own = side + (IS_ACROSS ? term * LINE_STRIDE + row : row * LINE_STRIDE + term);
  }
  inline void fill(int step, u16* stage, i64 terms) const {
    const int line = int(threadIdx.x) / Of::PIECES, piece = int(threadIdx.x) % Of::PIECES;
    const T* const from = own + step * ADVANCE;
#pragma unroll
    for (int item = 0; item < ITEMS; ++item) {
      if (ALL % TENSOR_THREADS != 0 && line + item * APART >= Of::LINES) continue;
      const bool is_row = ROWS_OF % EXTENT == 0 || row + (IS_ACROSS ? 0 : item * APART) < ROWS_OF;
      const bool is_term = TERMS % STEP_TERMS == 0 || term + step * STEP_TERMS + (IS_ACROSS ? item * APART : 0) < terms;
      copy_ahead(stage + Of::at(line + item * APART, piece), is_row && is_term ? from + item * (APART * LINE_STRIDE) : side, is_row && is_term);
    }
  }
};

// Multiplies and adds what one stage holds.
template <class Lefts, bool LEFT_ACROSS, class Rights, bool RIGHT_ACROSS, class T, class Value>
inline void multiply_stage(const u16* left_stage, const u16* right_stage, Value (&sums)[Fragments::COUNT]) {
  constexpr int ROW_PARTS = Fragments::ROW_PARTS, COLUMN_PARTS = Fragments::COLUMN_PARTS;
  const int lane = int(threadIdx.x) % 32;
#pragma unroll
  for (int of = 0; of < STEP_TERMS / 16; of += int(TERM_WARPS)) {
    const int part_of = of + Fragments::group();
    u32 lefts[ROW_PARTS][4], rights[COLUMN_PARTS / 2][4];
#pragma unroll
    for (int part = 0; part < ROW_PARTS; ++part) {
      const int row = Fragments::first_row() + part * 16;
      const int line = LEFT_ACROSS ? part_of * 16 + lane % 8 + lane / 16 * 8 : row + lane % 16;
      const int piece = LEFT_ACROSS ? row / PIECE + lane / 8 % 2 : part_of * 2 + lane / 16;
      load_matrices<LEFT_ACROSS>(lefts[part], left_stage + Lefts::at(line, piece));
    }
#pragma unroll
    for (int part = 0; part < COLUMN_PARTS / 2; ++part) {
      const int column = Fragments::first_column() + part * 16;
      const int line = RIGHT_ACROSS ? part_of * 16 + lane % 16 : column + lane % 8 + lane / 16 * 8;
      const int piece = RIGHT_ACROSS ? column / PIECE + lane / 16 : part_of * 2 + lane / 8 % 2;
      load_matrices<RIGHT_ACROSS>(rights[part], right_stage + Rights::at(line, piece));
    }
#pragma unroll
    for (int at = 0; at < ROW_PARTS * COLUMN_PARTS; ++at) {
      const int row = at / COLUMN_PARTS, column = at % COLUMN_PARTS;
      multiply_matrices<T>(sums + 4 * at, lefts[row], rights[column / 2][column % 2 * 2], rights[column / 2][column % 2 * 2 + 1]);
    }
  }
}

// The product of a tile over `steps` stages. A source fills them:
//
// - `fill_left(step, stage)` and `fill_right(step, stage)` start copies, or fill a stage element by element;
// - `load(step, slot)` loads what is not into registers, and `put(step, slot, stages...)` moves it from there `SLOTS` steps later: `slot` is
//   `step % SLOTS`, known when this is compiled. A source without such sides says 0;
// - `begin_right()` is called between the first lefts and the first right.
//
// There is one copy of each in the code, but for the slots: kernels of some microseconds wait for their instructions too. All has been copied in
// the end, and shared memory is free.
template <bool LEFT_ACROSS, bool RIGHT_ACROSS, class T, class Source, class Value>
inline void multiply_tensors(u16* shared, int steps, Source& source, Value (&sums)[Fragments::COUNT]) {
  constexpr int COUNT = int(STAGES), SLOTS = Source::SLOTS, LEFT_SIZE = int(TILE_ROWS) * STEP_TERMS;
  constexpr int SIZE = LEFT_SIZE + int(TILE_COLUMNS) * STEP_TERMS;
  // Steps from where one is loaded to where it is multiplied: what was put is there behind the next barrier.
  constexpr int LAG = SLOTS == 0 ? 0 : SLOTS + 1;
  typedef Stage<int(TILE_ROWS), LEFT_ACROSS> Lefts;
  typedef Stage<int(TILE_COLUMNS), RIGHT_ACROSS> Rights;
#pragma unroll
  for (int at = 0; at < Fragments::COUNT; ++at) sums[at] = 0;
  auto stage_of = [=](int step) { return shared + step % COUNT * SIZE; };
#pragma unroll 1
  for (int step = 0; step < COUNT - 1 && step < steps; ++step) source.fill_left(step, stage_of(step));
  source.begin_right();
#pragma unroll 1
  for (int step = 0; step < COUNT - 1; ++step) {
    if (step < steps) source.fill_right(step, stage_of(step) + LEFT_SIZE);
    end_of_copies();
  }
#pragma unroll 1
  for (int first = 0; first < steps + LAG; first += SLOTS > 0 ? SLOTS : 1) {
#pragma unroll
    for (int slot = 0; slot < (SLOTS > 0 ? SLOTS : 1); ++slot) {
      const int loaded = first + slot, step = loaded - LAG, next = step + COUNT - 1;
      if (step >= 0 && step < steps) {
        wait_for_copies<COUNT - 2>();
        __syncthreads();
        if (next < steps) {
          source.fill_left(next, stage_of(next));
          source.fill_right(next, stage_of(next) + LEFT_SIZE);
        }
        end_of_copies();
      }
      if constexpr (SLOTS > 0) {
        const int ready = loaded - SLOTS;
        if (ready >= 0 && ready < steps) source.put(ready, slot, stage_of(ready), stage_of(ready) + LEFT_SIZE);
        if (loaded < steps) source.load(loaded, slot);
      }
      if (step >= 0 && step < steps) {
        const u16* const stage = stage_of(step);
        multiply_stage<Lefts, LEFT_ACROSS, Rights, RIGHT_ACROSS, T>(stage, stage + LEFT_SIZE, sums);
      }
    }
  }
  wait_for_copies<0>();
  __syncthreads();
}
