// Finds the first element of two arrays that does not hold a rule, and writes it into the program's status: one more than the launch's
// number, and the element's. Of several launches that fail, the first stays.

// The status is taken for a moment by its second word.
inline void report(u32* status, u64 element) {
  while (atomicCAS(&status[1], 0u, 1u) != 0) {
  }
  __threadfence();
  volatile u32* const launch = status;
  volatile u64* const at = (u64*)(status + 2);
  constexpr u32 OWN = u32(LAUNCH_NUMBER) + 1;
  if (*launch == 0 || OWN < *launch || (OWN == *launch && element < *at)) {
    *launch = OWN;
    *at = element;
  }
  __threadfence();
  atomicExch(&status[1], 0u);
}

// Integers must be equal, and so must the patterns of small floats; parts of complex numbers hold the rule of floats.
template <class Rule, class T, Family FAMILY>
struct Compare {
  static bool holds(T got, T want) { return got == want; }
};
template <class Rule, class T>
struct Compare<Rule, T, FLOAT> {
  static bool holds(T got, T want) { return Rule::holds(got, want); }
};
template <class Rule, class T>
struct Compare<Rule, T, MINIFLOAT> {
  static bool holds(T got, T want) { return got.bits == want.bits; }
};
template <class Rule, class T>
struct Compare<Rule, T, COMPLEX> {
  static bool holds(T got, T want) { return Rule::holds(got.re, want.re) && Rule::holds(got.im, want.im); }
};

template <class Rule>
inline void compare(const In0* got, const In1* want, u32* status) {
  __shared__ u64 first;
  if (threadIdx.x == 0) first = ~0ull;
  __syncthreads();
  for (i64 element = blockIdx.x * i64(blockDim.x) + threadIdx.x; element < IN0_COUNT; element += i64(gridDim.x) * blockDim.x) {
    if (!Compare<Rule, In0, Traits<In0>::family>::holds(got[element], want[element])) {
      atomicMin(&first, u64(element));
      break;
    }
  }
  __syncthreads();
  if (threadIdx.x == 0 && first != ~0ull) report(status, first);
}
