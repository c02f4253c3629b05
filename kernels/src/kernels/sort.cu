// `chunks` and `pairs` order the numbers of each line's elements, `place` copies the elements.

inline i64 first_of(i64 line) { return line / LINE_STRIDE * LINE_STRIDE * LENGTH + line % LINE_STRIDE; }

template <int... NUMBERS>
struct Comparator {
  // The body takes each operand's two elements one after the other.
  template <class First, class Second>
  static bool is_before(First& first, Second& second) {
    bool result;
    Body0::apply(pick<NUMBERS % 2>(At<NUMBERS / 2>::of(first), At<NUMBERS / 2>::of(second))..., result);
    return result;
  }
  template <int IS_SECOND, class T>
  static T pick(T first, T second) {
    return IS_SECOND ? second : first;
  }
};
template <int... NUMBERS, class First>
inline bool is_before(Numbers<NUMBERS...>, First& first, First& second) {
  return Comparator<NUMBERS...>::is_before(first, second);
}

// Compares two elements of a line.
template <class Inputs>
struct Lines {
  Inputs* inputs;
  bool operator()(i64 line, u32 a, u32 b) const {
    typename CountTo<int(COUNT)>::Type numbers;
    auto first = read<0>(numbers, *inputs, first_of(line) + a * LINE_STRIDE);
    auto second = read<0>(numbers, *inputs, first_of(line) + b * LINE_STRIDE);
    return is_before(typename CountTo<2 * int(COUNT)>::Type(), first, second);
  }
};
template <class Inputs>
inline Lines<Inputs> lines_of(Inputs& inputs) {
  return Lines<Inputs>{&inputs};
}

template <int RUN_BITS, class... Inputs>
inline void chunks(u8* numbers, Inputs*... inputs) {
  auto all = packed(inputs...);
  order_chunks<RUN_BITS>((u32*)numbers, lines_of(all));
}
template <int RUN_BITS, int DISTANCE_BITS, class... Inputs>
inline void pairs(u8* numbers, Inputs*... inputs) {
  auto all = packed(inputs...);
  order_pairs<RUN_BITS, DISTANCE_BITS>((u32*)numbers, lines_of(all));
}

template <class... Arrays>
inline void place(u8* numbers, Arrays*... arrays) {
  auto all = packed(arrays...);
  typename CountTo<int(COUNT)>::Type operands;
  for (i64 element = thread_number(); element < LINES * LENGTH; element += thread_count()) {
    const i64 line = element / (LINE_STRIDE * LENGTH) * LINE_STRIDE + element % LINE_STRIDE, position = element / LINE_STRIDE % LENGTH;
    const i64 from = ((const u32*)numbers)[line * PADDED + position];
    auto values = read<0>(operands, all, first_of(line) + from * LINE_STRIDE);
    write<int(COUNT)>(operands, all, element, values);
  }
}
