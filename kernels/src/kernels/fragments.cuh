// Matrix instructions of a warp on elements of two bytes, and copies to shared memory that threads do not wait for.

// Reads four matrices of 8 by 8 elements of two bytes; lane `i` gives the address of line `i % 8` of matrix `i / 8`.
template <bool IS_TRANSPOSED>
inline void load_matrices(u32 (&matrices)[4], const u16* line) {
#ifdef __CUDA_ARCH__
  u32 address;
  asm("{ .reg .u64 shared; cvta.to.shared.u64 shared, %1; cvt.u32.u64 %0, shared; }" : "=r"(address) : "l"(line));
  if (IS_TRANSPOSED) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(matrices[0]), "=r"(matrices[1]), "=r"(matrices[2]), "=r"(matrices[3])
                 : "r"(address)
                 : "memory");
  } else {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(matrices[0]), "=r"(matrices[1]), "=r"(matrices[2]), "=r"(matrices[3])
                 : "r"(address)
                 : "memory");
  }
#else
  const int lane = int(threadIdx.x) % 32, row = lane / 4, column = lane % 4 * 2;
  for (int matrix = 0; matrix < 4; ++matrix) {
    const int first = matrix * 8 + (IS_TRANSPOSED ? column : row), second = matrix * 8 + (IS_TRANSPOSED ? column + 1 : row);
    const u16* const low = (const u16*)__shfl_sync(0xffffffffu, (u64)line, first);
    const u16* const high = (const u16*)__shfl_sync(0xffffffffu, (u64)line, second);
    matrices[matrix] = low[IS_TRANSPOSED ? row : column] | u32(high[IS_TRANSPOSED ? row : column + 1]) << 16;
  }
#endif
}

template <class T>
struct IsBf16 {
  static constexpr bool value = false;
};
template <>
struct IsBf16<bf16> {
  static constexpr bool value = true;
};

// Adds the product of 16 rows and 8 columns over 16 terms, spread over the lanes of a warp as `mma.m16n8k16` has them.
template <class T>
inline void multiply_matrices(f32* sums, const u32 (&left)[4], u32 right_low, u32 right_high) {
#ifdef __CUDA_ARCH__
  if (IsBf16<T>::value) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
                 : "r"(left[0]), "r"(left[1]), "r"(left[2]), "r"(left[3]), "r"(right_low), "r"(right_high));
  } else {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
                 : "r"(left[0]), "r"(left[1]), "r"(left[2]), "r"(left[3]), "r"(right_low), "r"(right_high));
  }
#else
  const int lane = int(threadIdx.x) % 32;
  for (int at = 0; at < 4; ++at) {
    u32 lefts[4];
    for (int of = 0; of < 4; ++of) lefts[of] = __shfl_sync(0xffffffffu, left[of], lane / 4 * 4 + at);
    for (int column = 0; column < 2; ++column) {
      const int from = (lane % 4 * 2 + column) * 4 + at;
      const u32 rights[2] = {__shfl_sync(0xffffffffu, right_low, from), __shfl_sync(0xffffffffu, right_high, from)};
      for (int row = 0; row < 2; ++row) {
        for (int of = 0; of < 4; ++of) {
          const u16 a = u16(lefts[row + of / 2 * 2] >> (of % 2 * 16)), b = u16(rights[of / 2] >> (of % 2 * 16));
          f32& sum = sums[row * 2 + column];
          sum = fmaf(widen(reinterpret<T>(a)), widen(reinterpret<T>(b)), sum);
        }
      }
    }
  }
#endif
}

// Where a piece of 16 bytes stands in its line of `PIECES`: moved about, so that eight lines are read without bank conflicts.
template <int PIECES>
inline int mixed_piece(int line, int piece) {
  return piece ^ (PIECES >= 8 ? line & 7 : PIECES == 4 ? line >> 1 & 3 : line >> 2 & 1);
}

// Copies 8 or 16 bytes to shared memory while the thread goes on; zeros if there is nothing to copy.
template <int BYTES = 16>
inline void copy_ahead(u16* to, const void* from, bool is_there) {
#ifdef __CUDA_ARCH__
  u32 address;
  asm("{ .reg .u64 shared; cvta.to.shared.u64 shared, %1; cvt.u32.u64 %0, shared; }" : "=r"(address) : "l"(to));
  if (BYTES == 16) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(address), "l"(from), "r"(is_there ? 16 : 0) : "memory");
  } else {
    asm volatile("cp.async.ca.shared.global [%0], [%1], 8, %2;" ::"r"(address), "l"(from), "r"(is_there ? 8 : 0) : "memory");
  }
#else
  typedef typename Word<BYTES>::Type Whole;
  *(Whole*)to = is_there ? *(const Whole*)from : Whole();
#endif
}
inline void end_of_copies() {
#ifdef __CUDA_ARCH__
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}
template <int LEFT>
inline void wait_for_copies() {
#ifdef __CUDA_ARCH__
  asm volatile("cp.async.wait_group %0;" ::"n"(LEFT) : "memory");
#endif
}

// Two numbers in neighbouring elements, the first in the lower half.
template <class T>
inline u32 pack_pair(f32 low, f32 high) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  u32 pair;
  if (IsBf16<T>::value) {
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  } else {
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  }
  return pair;
#else
  return u32(reinterpret<u16>(narrow<T>(low))) | u32(reinterpret<u16>(narrow<T>(high))) << 16;
#endif
}
// Half of a pair, widened.
template <class T>
inline f32 lower_of(u32 pair) {
  return widen(reinterpret<T>(u16(pair)));
}
template <class T>
inline f32 upper_of(u32 pair) {
  return IsBf16<T>::value ? reinterpret<f32>(pair & 0xffff0000u) : widen(reinterpret<T>(u16(pair >> 16)));
}
