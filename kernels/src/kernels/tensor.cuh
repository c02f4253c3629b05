// Tiles of a product on tensor cores: `TILE_ROWS` by `TILE_COLUMNS` sums of `WARP_ROWS` warps along the rows times `WARP_COLUMNS`,
// `STEP_TERMS` terms at a time in each of `STAGES` buffers, which are filled ahead. Products of bf16 or f16 accumulate in f32.
//
// A side lies in shared memory as it does in the array: `[row][term]` if its terms lie together or nothing does, else `[term][row]`.
// Pieces of 16 bytes are moved about within a line, so that eight lines are read without bank conflicts.

constexpr int PIECE = 8, TENSOR_THREADS = 32 * int(WARP_ROWS * WARP_COLUMNS);

// One side's part of a stage: `EXTENT` rows of `STEP_TERMS` terms.
template <int EXTENT, bool IS_ACROSS>
struct Stage {
  static constexpr int LINE = IS_ACROSS ? EXTENT : int(STEP_TERMS), LINES = IS_ACROSS ? int(STEP_TERMS) : EXTENT, PIECES = LINE / PIECE;
  // Where a piece of a line lies.
  static inline int at(int line, int piece) {
    const int mixed = PIECES >= 8 ? line & 7 : PIECES == 4 ? line >> 1 & 3 : line >> 2 & 1;
    return line * LINE + (piece ^ mixed) * PIECE;
  }
};

// Fills a stage. `address(row, term)` is an element's; pieces are whole if `IS_WHOLE`.
template <class Of, bool IS_ACROSS, bool IS_WHOLE, class Element, class Address>
inline void fill_stage(u16* stage, i64 first_row, i64 rows, i64 first_term, i64 terms, Address address) {
  for (int number = int(threadIdx.x); number < Of::LINES * Of::PIECES; number += TENSOR_THREADS) {
    const int line = number / Of::PIECES, piece = number % Of::PIECES;
    const i64 row = first_row + (IS_ACROSS ? piece * PIECE : line), term = first_term + (IS_ACROSS ? line : piece * PIECE);
    u16* const to = stage + Of::at(line, piece);
    if constexpr (IS_WHOLE) {
      const bool is_there = row < rows && term < terms;
      copy_ahead(to, address(is_there ? row : 0, is_there ? term : 0), is_there);
      continue;
    }
    for (int of = 0; of < PIECE; ++of) {
      const i64 own_row = IS_ACROSS ? row + of : row, own_term = IS_ACROSS ? term : term + of;
      to[of] = own_row < rows && own_term < terms ? reinterpret<u16>(*address(own_row, own_term)) : u16(0);
    }
  }
}

// The product of the rows and columns from these on, over terms `from` to `to`. `left(row, term)` and `right(column, term)` are addresses.
template <bool LEFT_ACROSS, bool RIGHT_ACROSS, bool LEFT_WHOLE, bool RIGHT_WHOLE, class T, class Left, class Right, class Store>
inline void multiply_tensors(u16* shared, i64 first_row, i64 rows, i64 first_column, i64 columns, i64 from, i64 to, Left left, Right right, Store store) {
  constexpr int ROWS_OF = int(TILE_ROWS), COLUMNS_OF = int(TILE_COLUMNS), COUNT = int(STAGES);
  typedef Stage<ROWS_OF, LEFT_ACROSS> Lefts;
  typedef Stage<COLUMNS_OF, RIGHT_ACROSS> Rights;
  constexpr int LEFT_SIZE = ROWS_OF * int(STEP_TERMS), SIZE = LEFT_SIZE + COLUMNS_OF * int(STEP_TERMS);
  constexpr int OWN_ROWS = ROWS_OF / int(WARP_ROWS), OWN_COLUMNS = COLUMNS_OF / int(WARP_COLUMNS);
  constexpr int ROW_PARTS = OWN_ROWS / 16, COLUMN_PARTS = OWN_COLUMNS / 8;
  const int lane = int(threadIdx.x) % 32, warp = int(threadIdx.x) / 32;
  const int own_row = warp % int(WARP_ROWS) * OWN_ROWS, own_column = warp / int(WARP_ROWS) * OWN_COLUMNS;
  f32 sums[ROW_PARTS][COLUMN_PARTS][4];
#pragma unroll
  for (int at = 0; at < ROW_PARTS * COLUMN_PARTS * 4; ++at) sums[at / 4 / COLUMN_PARTS][at / 4 % COLUMN_PARTS][at % 4] = 0;
  const i64 steps = (to - from + STEP_TERMS - 1) / STEP_TERMS;
  auto fill = [&](i64 step) {
    if (step < steps) {
      u16* const stage = shared + step % COUNT * SIZE;
      fill_stage<Lefts, LEFT_ACROSS, LEFT_WHOLE, T>(stage, first_row, rows, from + step * STEP_TERMS, to, left);
      fill_stage<Rights, RIGHT_ACROSS, RIGHT_WHOLE, T>(stage + LEFT_SIZE, first_column, columns, from + step * STEP_TERMS, to, right);
    }
    end_of_copies();
  };
  for (int step = 0; step < COUNT - 1; ++step) fill(step);
  for (i64 step = 0; step < steps; ++step) {
    wait_for_copies<COUNT - 2>();
    __syncthreads();
    fill(step + COUNT - 1);
    const u16* const stage = shared + step % COUNT * SIZE;
#pragma unroll
    for (int half = 0; half < STEP_TERMS / 16; ++half) {
      u32 lefts[ROW_PARTS][4], rights[COLUMN_PARTS / 2][4];
#pragma unroll
      for (int part = 0; part < ROW_PARTS; ++part) {
        const int row = own_row + part * 16;
        const int line = LEFT_ACROSS ? half * 16 + lane % 8 + lane / 16 * 8 : row + lane % 16;
        const int piece = LEFT_ACROSS ? row / PIECE + lane / 8 % 2 : half * 2 + lane / 16;
        load_matrices<LEFT_ACROSS>(lefts[part], stage + Lefts::at(line, piece));
      }
#pragma unroll
      for (int part = 0; part < COLUMN_PARTS / 2; ++part) {
        const int column = own_column + part * 16;
        const int line = RIGHT_ACROSS ? half * 16 + lane % 16 : column + lane % 8 + lane / 16 * 8;
        const int piece = RIGHT_ACROSS ? column / PIECE + lane / 16 : half * 2 + lane / 8 % 2;
        load_matrices<RIGHT_ACROSS>(rights[part], stage + LEFT_SIZE + Rights::at(line, piece));
      }
#pragma unroll
      for (int row = 0; row < ROW_PARTS; ++row) {
#pragma unroll
        for (int column = 0; column < COLUMN_PARTS; ++column) {
          multiply_matrices<T>(sums[row][column], lefts[row], rights[column / 2][column % 2 * 2], rights[column / 2][column % 2 * 2 + 1]);
        }
      }
    }
  }
  wait_for_copies<0>();
  __syncthreads();
#pragma unroll
  for (int at = 0; at < ROW_PARTS * COLUMN_PARTS * 4; ++at) {
    const int of = at % 4, column = at / 4 % COLUMN_PARTS, row = at / 4 / COLUMN_PARTS;
    store(first_row + own_row + row * 16 + lane / 4 + of / 2 * 8, first_column + own_column + column * 8 + lane % 4 * 2 + of % 2,
          sums[row][column][of]);
  }
}
