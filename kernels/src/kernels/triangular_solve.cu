// A block a few systems of one matrix: `LANES` systems side by side, and as many threads for each as the block has. An unknown that is
// solved is taken out of the equations of all later ones. Unknowns lie in scratch memory, those of neighbouring systems side by side.

typedef WideOf<Traits<Out0>::family>::Type Wide;

inline Wide coefficient(const In0* a, i64 row, i64 column) {
  const Wide value = load(SWAPS ? a[column * N + row] : a[row * N + column]);
  return IS_ADJOINT ? conjugate(value) : value;
}

inline void solve(const In0* a, const In1* b, Out0* output, u8* scratch) {
  constexpr i64 TILES = (SYSTEMS + LANES - 1) / LANES;
  const int lane = threadIdx.x % LANES, first = threadIdx.x / LANES, step = blockDim.x / LANES;
  for (i64 part = blockIdx.x; part < BATCH * TILES; part += gridDim.x) {
    const i64 batch = part / TILES, system = part % TILES * LANES + lane;
    const bool is_there = system < SYSTEMS;
    const In0* const matrix = a + batch * N * N;
    const i64 start = batch * N * SYSTEMS;
    Wide* const x = (Wide*)scratch + start + system;
    // From an unknown to the next, and from a system to the next.
    const i64 along = A_left_side ? SYSTEMS : 1, across = A_left_side ? 1 : N;
    for (i64 row = first; row < N; row += step) {
      if (is_there) x[row * SYSTEMS] = load(b[start + row * along + system * across]);
    }
    __syncthreads();
    for (i64 number = 0; number < N; ++number) {
      const i64 row = IS_LOWER ? number : N - 1 - number;
      if (!A_unit_diagonal && is_there && first == 0) {
        x[row * SYSTEMS] = quotient(x[row * SYSTEMS], coefficient(matrix, row, row));
      }
      __syncthreads();
      for (i64 later = number + 1 + first; later < N && is_there; later += step) {
        const i64 other = IS_LOWER ? later : N - 1 - later;
        x[other * SYSTEMS] = difference(x[other * SYSTEMS], product(coefficient(matrix, other, row), x[row * SYSTEMS]));
      }
      __syncthreads();
    }
    for (i64 row = first; row < N; row += step) {
      if (is_there) output[start + row * along + system * across] = rounded<Out0>(x[row * SYSTEMS]);
    }
  }
}
