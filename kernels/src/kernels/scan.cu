// `lines`: a thread a line, by the body. `chains`: a block a line, for a fold of one operand that may be regrouped; each thread folds a
// piece of the line, and then goes through it again behind the pieces before. Float sums and products (`WIDE` 1 and 2) are folded in f64.

constexpr i64 LINE_STRIDE = IN0_STRIDES[A_dimension], LENGTH = IN0_SHAPE[A_dimension], LINES = IN0_COUNT / LENGTH;
inline i64 first_of(i64 line) { return line / LINE_STRIDE * LINE_STRIDE * LENGTH + line % LINE_STRIDE; }
inline i64 element_at(i64 line, i64 step) { return first_of(line) + (A_reverse ? LENGTH - 1 - step : step) * LINE_STRIDE; }

template <int... NUMBERS, class Arrays>
inline void scan_lines(Numbers<NUMBERS...> numbers, Arrays& arrays) {
  constexpr int COUNT = sizeof...(NUMBERS);
  for (i64 line = thread_number(); line < LINES; line += thread_count()) {
    auto folded = read<2 * COUNT>(numbers, arrays, 0);
    for (i64 step = 0; step < LENGTH; ++step) {
      const i64 element = element_at(line, step);
      if (!A_inclusive) write<0>(numbers, arrays, element, folded);
      auto values = read<COUNT>(numbers, arrays, element);
      auto results = folded;
      Body0::apply(At<NUMBERS>::of(folded)..., At<NUMBERS>::of(values)..., At<NUMBERS>::of(results)...);
      folded = results;
      if (A_inclusive) write<0>(numbers, arrays, element, folded);
    }
  }
}
template <class... Arrays>
inline void lines(Arrays*... arrays) {
  auto all = packed(arrays...);
  scan_lines(typename CountTo<int(sizeof...(Arrays)) / 3>::Type(), all);
}

template <class T, i64 KIND>
struct Folding {
  typedef T Wide;
  static T lift(T value) { return value; }
  static T fold(T a, T b) {
    T folded;
    Body0::apply(a, b, folded);
    return folded;
  }
  static T lower(T value) { return value; }
};
template <class T, i64 KIND>
struct WideFolding {
  typedef f64 Wide;
  static f64 lift(T value) { return f64(widen(value)); }
  static f64 fold(f64 a, f64 b) { return KIND == 1 ? a + b : a * b; }
  static T lower(f64 value) { return narrow<T>(narrowed_to_odd(value)); }
};
template <i64 KIND>
struct WideFolding<f32, KIND> : WideFolding<bf16, KIND> {
  static f64 lift(f32 value) { return f64(value); }
  static f32 lower(f64 value) { return f32(value); }
};
template <i64 KIND>
struct WideFolding<f64, KIND> : WideFolding<bf16, KIND> {
  static f64 lift(f64 value) { return value; }
  static f64 lower(f64 value) { return value; }
};
template <class T>
struct Folding<T, 1> : WideFolding<T, 1> {};
template <class T>
struct Folding<T, 2> : WideFolding<T, 2> {};

template <class T>
inline void chains(T* output, const T* input, const T* initial) {
  typedef Folding<T, WIDE> Fold;
  typedef typename Fold::Wide Wide;
  constexpr i64 PIECE = (LENGTH + 255) / 256;
  __shared__ Wide folded[256];
  __shared__ bool is_folded[256];
  const i64 first = i64(threadIdx.x) * PIECE, last = first + PIECE < LENGTH ? first + PIECE : LENGTH;
  for (i64 line = blockIdx.x; line < LINES; line += gridDim.x) {
    Wide own = Wide();
    for (i64 step = first; step < last; ++step) {
      const Wide value = Fold::lift(input[element_at(line, step)]);
      own = step == first ? value : Fold::fold(own, value);
    }
    __syncthreads();
    folded[threadIdx.x] = own;
    is_folded[threadIdx.x] = first < last;
    __syncthreads();
    if (threadIdx.x == 0) {
      // Each thread gets what the pieces before its own come to, behind the initial value.
      Wide before = Fold::lift(*initial);
      for (int thread = 0; thread < 256; ++thread) {
        const Wide piece = folded[thread];
        folded[thread] = before;
        if (is_folded[thread]) before = Fold::fold(before, piece);
      }
    }
    __syncthreads();
    own = folded[threadIdx.x];
    for (i64 step = first; step < last; ++step) {
      const i64 element = element_at(line, step);
      if (!A_inclusive) output[element] = Fold::lower(own);
      own = Fold::fold(own, Fold::lift(input[element]));
      if (A_inclusive) output[element] = Fold::lower(own);
    }
  }
}
