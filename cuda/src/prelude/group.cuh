// Threads that work on one row together: a warp, or a whole block.

// Dynamic shared memory of a block, as bytes.
#ifdef PYGRAPH_EMULATOR
#define PYGRAPH_DYNAMIC_SHARED(NAME) u8* const NAME = emulator::dynamic_shared
#else
#define PYGRAPH_DYNAMIC_SHARED(NAME) extern __shared__ __align__(16) u8 NAME[]
#endif

// Programmatic dependent launches: the kernels that a graph runs after this one may come to the card as soon as all blocks of this one
// have said so; and this one touches nothing that kernels before it write until they have ended.
inline void let_later_start() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;");
#endif
}
inline void wait_for_earlier() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

// What this thread, and by a barrier its block, has written before is there for whoever finds what it writes after; and the other way round.
inline void publish_and_see() {
#ifdef __CUDA_ARCH__
  asm volatile("fence.acq_rel.gpu;" ::: "memory");
#endif
}

// True in all threads of the block that comes last of `count` blocks, which all come once: it sees what the others have written. The
// counter is zero before the first comes and after the last. `is_last` is a word of shared memory that nobody else uses now.
inline bool comes_last(u32* counter, u32 count, u32& is_last) {
  __syncthreads();
  if (threadIdx.x == 0) {
    // One thread's fences are enough: they order what the barriers have put before and behind them (as in CUDA's own barrier of a grid).
    publish_and_see();
    is_last = atomicAdd(counter, 1u) == count - 1;
    if (is_last) *counter = 0;
    publish_and_see();
  }
  __syncthreads();
  const bool found = is_last;
  // Another call may follow.
  __syncthreads();
  return found;
}

template <int GROUP>
inline int group_lane() {
  return int(threadIdx.x) % GROUP;
}

// Waits until every thread of the group has come here and sees what the others have written.
template <int GROUP>
inline void group_sync() {
  if (GROUP <= 32) {
    __syncwarp();
  } else {
    __syncthreads();
  }
}

// A value of any type, word by word.
template <class T, class Move>
inline T moved(const T& value, Move move) {
  union Words {
    T value;
    u32 words[(sizeof(T) + 3) / 4];
    Words() {}
  } both;
  both.value = value;
  for (int word = 0; word < int((sizeof(T) + 3) / 4); ++word) both.words[word] = move(both.words[word]);
  return both.value;
}
// That of the lane that is `distance` above, and of a lane.
template <class T>
inline T shuffle_down(const T& value, int distance) {
  return moved(value, [=](u32 word) { return __shfl_down_sync(0xffffffffu, word, distance); });
}
template <class T>
inline T shuffle_from(const T& value, int lane) {
  return moved(value, [=](u32 word) { return __shfl_sync(0xffffffffu, word, lane); });
}

// Folds a value of each of the first `ACTIVE` threads of a group, a warp or a whole block, in order of their lanes: those of a warp as a tree,
// and then the warps'. Every thread gets the result. `shared` has room for one value a warp of the group, and nobody else uses it before the
// group's next barrier.
template <int GROUP, int ACTIVE, class T, class Combine>
inline T group_fold_all(T own, Combine combine, T* shared) {
  const int lane = group_lane<GROUP>();
#pragma unroll
  for (int distance = 1; distance < 32 && distance < ACTIVE; distance *= 2) {
    const T other = shuffle_down(own, distance);
    // Beyond the last lane of a warp there is its own value, which no lane that counts takes.
    if (ACTIVE % 32 == 0 || lane + distance < ACTIVE) own = combine(own, other);
  }
  if (GROUP == 32) return shuffle_from(own, 0);
  if (lane % 32 == 0) shared[lane / 32] = own;
  group_sync<GROUP>();
  T all = shared[0];
#pragma unroll
  for (int warp = 1; warp < (ACTIVE + 31) / 32; ++warp) all = combine(all, shared[warp]);
  return all;
}

// A value, if there is one.
template <class T>
struct Maybe {
  T value;
  bool has;
};

template <class T, class Combine>
inline Maybe<T> combined(const Maybe<T>& one, const Maybe<T>& other, Combine combine) {
  if (!other.has) return one;
  if (!one.has) return other;
  return Maybe<T>{combine(one.value, other.value), true};
}

// Folds what the threads of a group have, in order of their lanes, as a tree. The first lane gets the result. Every thread of the block
// must come here; `shared` has room for one value a warp of the block.
template <int GROUP, class T, class Combine>
inline Maybe<T> group_fold(Maybe<T> own, Combine combine, Maybe<T>* shared) {
  const int lane = int(threadIdx.x) % 32;
  for (int distance = 1; distance < 32 && distance < GROUP; distance *= 2) {
    const Maybe<T> other = shuffle_down(own, distance);
    if (lane + distance < 32) own = combined(own, other, combine);
  }
  if (GROUP <= 32) return own;
  const int warp = int(threadIdx.x) / 32;
  __syncthreads();
  if (lane == 0) shared[warp] = own;
  __syncthreads();
  if (warp == 0) {
    if (lane < GROUP / 32) own = shared[lane];
    for (int distance = 1; distance < GROUP / 32; distance *= 2) {
      const Maybe<T> other = shuffle_down(own, distance);
      if (lane + distance < GROUP / 32) own = combined(own, other, combine);
    }
  }
  return own;
}
