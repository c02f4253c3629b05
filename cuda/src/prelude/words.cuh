// So many neighbouring bytes, moved at once.
template <int BYTES>
struct Word;
template <>
struct Word<1> {
  typedef u8 Type;
};
template <>
struct Word<2> {
  typedef u16 Type;
};
template <>
struct Word<4> {
  typedef u32 Type;
};
template <>
struct Word<8> {
  typedef u64 Type;
};
struct alignas(16) Quad {
  u32 words[4];
};
template <>
struct Word<16> {
  typedef Quad Type;
};

// Neighbouring elements, at once where they lie at a multiple of all their bytes.
template <int COUNT, class T>
struct Run {
  typedef typename Word<(COUNT * sizeof(T) <= 16 ? int(COUNT * sizeof(T)) : 1)>::Type Whole;
  static constexpr bool FITS = sizeof(Whole) == COUNT * sizeof(T);
  union {
    Whole whole;
    T of[COUNT];
  };
};
template <bool IS_ALIGNED, int COUNT, class T>
inline void read_run(const T* from, T (&to)[COUNT]) {
  Run<COUNT, T> run;
  if constexpr (IS_ALIGNED && Run<COUNT, T>::FITS) run.whole = *(const typename Run<COUNT, T>::Whole*)from;
#pragma unroll
  for (int at = 0; at < COUNT; ++at) to[at] = IS_ALIGNED && Run<COUNT, T>::FITS ? run.of[at] : from[at];
}
template <bool IS_ALIGNED, int COUNT, class T>
inline void write_run(T* to, const T (&from)[COUNT]) {
  if constexpr (IS_ALIGNED && Run<COUNT, T>::FITS) {
    Run<COUNT, T> run;
#pragma unroll
    for (int at = 0; at < COUNT; ++at) run.of[at] = from[at];
    *(typename Run<COUNT, T>::Whole*)to = run.whole;
  } else {
#pragma unroll
    for (int at = 0; at < COUNT; ++at) to[at] = from[at];
  }
}

// Copies neighbouring elements, at once where both lie at a multiple of all their bytes.
template <int COUNT, class T>
inline void copy_run(T* to, const T* from) {
  typedef typename Word<int(COUNT * sizeof(T))>::Type Whole;
  if (COUNT == 1 || ((u64)to | (u64)from) % sizeof(Whole) == 0) {
    *(Whole*)to = *(const Whole*)from;
    return;
  }
#pragma unroll
  for (int at = 0; at < COUNT; ++at) to[at] = from[at];
}

// Asks for what lies there, so that it is in the second cache when it is read.
inline void fetch_ahead(const void* address) {
#ifdef __CUDA_ARCH__
  asm volatile("prefetch.global.L2 [%0];" ::"l"(address));
#endif
}
