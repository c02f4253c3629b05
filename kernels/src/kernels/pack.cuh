// Values and arrays of several types, for kernels of any number of operands.

template <int... NUMBERS>
struct Numbers {};
template <int COUNT, int... NUMBERS>
struct CountTo : CountTo<COUNT - 1, COUNT - 1, NUMBERS...> {};
template <int... NUMBERS>
struct CountTo<0, NUMBERS...> {
  typedef Numbers<NUMBERS...> Type;
};

template <class... T>
struct Pack {};
template <class Head, class... Tail>
struct Pack<Head, Tail...> {
  Head head;
  Pack<Tail...> tail;
};
inline Pack<> packed() { return Pack<>{}; }
template <class Head, class... Tail>
inline Pack<Head, Tail...> packed(Head head, Tail... tail) {
  return Pack<Head, Tail...>{head, packed(tail...)};
}
template <int NUMBER>
struct At {
  template <class Of>
  static auto& of(Of& pack) {
    return At<NUMBER - 1>::of(pack.tail);
  }
};
template <>
struct At<0> {
  template <class Of>
  static auto& of(Of& pack) {
    return pack.head;
  }
};

// Reads or writes an element of each array from number `FIRST` on.
template <int FIRST, int... NUMBERS, class Arrays>
inline auto read(Numbers<NUMBERS...>, Arrays& arrays, i64 element) {
  return packed(At<FIRST + NUMBERS>::of(arrays)[element]...);
}
template <int FIRST, int... NUMBERS, class Arrays, class Of>
inline void write(Numbers<NUMBERS...>, Arrays& arrays, i64 element, Of& values) {
  const int done[] = {0, (At<FIRST + NUMBERS>::of(arrays)[element] = At<NUMBERS>::of(values), 0)...};
  (void)done;
}
