// A thread an element: the inverse of the distribution, at a point that is strictly inside (-1, 1).

inline void draw(const In0* mean, const In1* deviation, Out0* output) {
  for (i64 position = blockIdx.x * i64(blockDim.x) + threadIdx.x; position < OUT0_COUNT; position += i64(gridDim.x) * blockDim.x) {
    const f64 centred = (f64(fixed_stream(u64(position)) >> 11) + 0.5) / f64(1ull << 52) - 1;
    const f64 drawn = f64(widen(*mean)) + f64(widen(*deviation)) * SQRT_2 * erf_inv(centred);
    output[position] = from_f64<Out0>(drawn);
  }
}
