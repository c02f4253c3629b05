// A block a matrix. Columns one after another; a thread a row, which sees the columns before. The factor of the lower triangle lies in
// scratch memory, column by column, so that neighbouring threads read neighbouring numbers; an upper factor is its adjoint.

typedef WideOf<Traits<Out0>::family>::Type Wide;

inline void factor(const In0* a, Out0* output, u8* scratch) {
  constexpr i64 N = OUT0_SHAPE[OUT0_RANK - 1], COUNT = OUT0_COUNT / (N * N);
  __shared__ bool is_bad;
  for (i64 matrix = blockIdx.x; matrix < COUNT; matrix += gridDim.x) {
    const In0* const from = a + matrix * N * N;
    Out0* const to = output + matrix * N * N;
    Wide* const l = (Wide*)scratch + matrix * N * N;
    if (threadIdx.x == 0) is_bad = false;
    for (i64 column = 0; column < N; ++column) {
      for (i64 row = column + threadIdx.x; row < N; row += blockDim.x) {
        Wide value = A_lower ? load(from[row * N + column]) : conjugate(load(from[column * N + row]));
        for (i64 k = 0; k < column; ++k) value = difference(value, product(l[k * N + row], conjugate(l[k * N + column])));
        l[column * N + row] = value;
      }
      __syncthreads();
      const Wide corner = of_real<Wide>(sqrt(real_part(l[column * N + column])));
      __syncthreads();
      for (i64 row = column + threadIdx.x; row < N; row += blockDim.x) {
        l[column * N + row] = row == column ? corner : quotient(l[column * N + row], corner);
      }
      if (threadIdx.x == 0 && is_nan(corner)) is_bad = true;
      __syncthreads();
    }
    for (i64 element = threadIdx.x; element < N * N; element += blockDim.x) {
      const i64 row = A_lower ? element / N : element % N, column = A_lower ? element % N : element / N;
      Wide value = of_real<Wide>(0);
      if (is_bad) {
        value = of_real<Wide>(not_a_number());
      } else if (row >= column) {
        value = A_lower ? l[column * N + row] : conjugate(l[column * N + row]);
      }
      to[element] = rounded<Out0>(value);
    }
    __syncthreads();
  }
}
