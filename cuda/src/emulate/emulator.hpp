// CUDA C++ on a processor: enough of the language to run generated kernels where there is no GPU, and to find what is wrong with them.
//
// Blocks run one after another. The threads of a block are fibers that run until they meet a barrier or an exchange of their warp.

#include <setjmp.h>
#include <ucontext.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __shared__ static
#define __align__(bytes) __attribute__((aligned(bytes)))
#define __restrict__

namespace emulator {
struct Dim {
  unsigned x, y, z;
};
struct Barrier {
  unsigned arrived = 0;
  unsigned long generation = 0;
};
struct Warp {
  unsigned live = 0;
  Barrier barrier;
  unsigned long long slots[32];
};
// A context is made once; from then on jumps switch, which need no call of the system.
struct Fiber {
  ucontext_t context;
  jmp_buf place;
  bool is_started, is_done;
};
constexpr unsigned long STACK_BYTES = 256 << 10;

inline Dim thread_index, block_index, block_extent, grid_extent;
inline std::vector<Fiber> fibers;
inline std::vector<Warp> warps;
inline Barrier block_barrier;
inline unsigned live, current, progress;
inline jmp_buf scheduler;
inline unsigned char* stacks;
inline unsigned stack_count;
inline void (*kernel)(void**);
inline void** kernel_arguments;
inline unsigned char* dynamic_shared;

inline void yield() {
  if (!_setjmp(fibers[current].place)) _longjmp(scheduler, 1);
}

inline void resume() {
  if (_setjmp(scheduler)) return;
  Fiber& fiber = fibers[current];
  if (fiber.is_started) _longjmp(fiber.place, 1);
  fiber.is_started = true;
  setcontext(&fiber.context);
}

// Waits until as many as are alive have come.
inline void wait(Barrier& barrier, const unsigned& participants) {
  const unsigned long generation = barrier.generation;
  ++barrier.arrived;
  ++progress;
  while (barrier.generation == generation) {
    if (barrier.arrived >= participants) {
      barrier.arrived = 0;
      ++barrier.generation;
      return;
    }
    yield();
  }
}

inline Warp& own_warp() { return warps[current / 32]; }
inline void wait_warp() { wait(own_warp().barrier, own_warp().live); }

// What another lane of the warp has; every lane that is alive must come.
template <class T>
T exchange(T value, int from) {
  static_assert(sizeof(T) <= 8, "lanes exchange up to 8 bytes");
  Warp& warp = own_warp();
  std::memcpy(&warp.slots[current % 32], &value, sizeof(T));
  wait_warp();
  T other = value;
  if (from >= 0 && from < 32) std::memcpy(&other, &warp.slots[from], sizeof(T));
  wait_warp();
  return other;
}

inline unsigned ballot(bool vote) {
  Warp& warp = own_warp();
  warp.slots[current % 32] = vote;
  wait_warp();
  unsigned votes = 0;
  const unsigned first = current / 32 * 32;
  for (unsigned lane = 0; lane < 32 && first + lane < fibers.size(); ++lane) {
    if (!fibers[first + lane].is_done && warp.slots[lane]) votes |= 1u << lane;
  }
  wait_warp();
  return votes;
}

inline void run_thread() {
  kernel(kernel_arguments);
  fibers[current].is_done = true;
  ++progress;
  --live;
  --own_warp().live;
  // Others may have waited for this one alone.
  if (block_barrier.arrived && block_barrier.arrived >= live) block_barrier.arrived = 0, ++block_barrier.generation;
  Barrier& barrier = own_warp().barrier;
  if (barrier.arrived && barrier.arrived >= own_warp().live) barrier.arrived = 0, ++barrier.generation;
  yield();
}

inline void run_block() {
  const unsigned threads = fibers.size();
  live = threads;
  block_barrier = Barrier();
  for (unsigned warp = 0; warp < warps.size(); ++warp) {
    warps[warp] = Warp();
    warps[warp].live = threads - warp * 32 < 32 ? threads - warp * 32 : 32;
  }
  for (unsigned thread = 0; thread < threads; ++thread) {
    Fiber& fiber = fibers[thread];
    fiber.is_started = fiber.is_done = false;
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = stacks + thread * STACK_BYTES;
    fiber.context.uc_stack.ss_size = STACK_BYTES;
    fiber.context.uc_link = nullptr;
    makecontext(&fiber.context, run_thread, 0);
  }
  while (live) {
    progress = 0;
    for (current = 0; current < threads; ++current) {
      if (fibers[current].is_done) continue;
      thread_index = Dim{current % block_extent.x, current / block_extent.x % block_extent.y,
                         current / block_extent.x / block_extent.y};
      const unsigned long before = block_barrier.generation;
      resume();
      progress += block_barrier.generation != before;
    }
    if (!progress && live) {
      // One more round lets those go on whose barrier opened at the end of this one.
      static unsigned idle = 0;
      if (++idle > 4) std::fprintf(stderr, "emulator: %u threads wait for each other\n", live), std::abort();
      continue;
    }
  }
}
}  // namespace emulator

#define threadIdx emulator::thread_index
#define blockIdx emulator::block_index
#define blockDim emulator::block_extent
#define gridDim emulator::grid_extent

inline void __syncthreads() { emulator::wait(emulator::block_barrier, emulator::live); }
inline void __syncwarp(unsigned = ~0u) { emulator::wait_warp(); }
inline void __threadfence() {}
inline void __threadfence_block() {}
template <class T>
T __shfl_sync(unsigned, T value, int lane, int width = 32) {
  const int own = emulator::current % 32;
  return emulator::exchange(value, own / width * width + (lane & (width - 1)));
}
template <class T>
T __shfl_down_sync(unsigned, T value, unsigned distance, int width = 32) {
  const int own = emulator::current % 32, from = own + int(distance);
  return emulator::exchange(value, from / width == own / width ? from : own);
}
template <class T>
T __shfl_up_sync(unsigned, T value, unsigned distance, int width = 32) {
  const int own = emulator::current % 32, from = own - int(distance);
  return emulator::exchange(value, from >= own / width * width ? from : own);
}
template <class T>
T __shfl_xor_sync(unsigned, T value, int bits, int = 32) {
  return emulator::exchange(value, int(emulator::current % 32) ^ bits);
}
inline unsigned __ballot_sync(unsigned, int vote) { return emulator::ballot(vote); }
inline int __any_sync(unsigned, int vote) { return emulator::ballot(vote) != 0; }
inline int __all_sync(unsigned, int vote) { return emulator::ballot(!vote) == 0; }
inline int __syncthreads_or(int vote) {
  static int any;
  __syncthreads();
  any = 0;
  __syncthreads();
  any |= vote != 0;
  __syncthreads();
  return any;
}

template <class T>
T __ldg(const T* address) { return *address; }
template <class T>
T atomicAdd(T* address, T value) { T old = *address; *address = T(old + value); return old; }
template <class T>
T atomicExch(T* address, T value) { T old = *address; *address = value; return old; }
template <class T>
T atomicMax(T* address, T value) { T old = *address; if (value > old) *address = value; return old; }
template <class T>
T atomicMin(T* address, T value) { T old = *address; if (value < old) *address = value; return old; }
template <class T>
T atomicOr(T* address, T value) { T old = *address; *address = T(old | value); return old; }
template <class T>
T atomicCAS(T* address, T expected, T value) { T old = *address; if (old == expected) *address = value; return old; }
inline int __popc(unsigned value) { return __builtin_popcount(value); }
inline int __popcll(unsigned long long value) { return __builtin_popcountll(value); }
inline int __clz(int value) { return value ? __builtin_clz(value) : 32; }
inline int __clzll(long long value) { return value ? __builtin_clzll(value) : 64; }
inline int __ffs(int value) { return __builtin_ffs(value); }
inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned long long)a * b >> 32; }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) { return (unsigned __int128)a * b >> 64; }

// Runs a kernel on a grid. Grid and block are extents in x, y and z.
extern "C" void emulate(void (*kernel)(void**), const unsigned* grid, const unsigned* block, unsigned shared_bytes, void** arguments) {
  using namespace emulator;
  emulator::kernel = kernel;
  kernel_arguments = arguments;
  grid_extent = Dim{grid[0], grid[1], grid[2]};
  block_extent = Dim{block[0], block[1], block[2]};
  const unsigned threads = block[0] * block[1] * block[2];
  fibers = std::vector<Fiber>(threads);
  warps = std::vector<Warp>((threads + 31) / 32);
  std::vector<unsigned char> shared(shared_bytes + 16);
  dynamic_shared = (unsigned char*)(((unsigned long)shared.data() + 15) / 16 * 16);
  if (threads > stack_count) {
    stacks = (unsigned char*)std::realloc(stacks, threads * STACK_BYTES);
    stack_count = threads;
  }
  for (block_index.z = 0; block_index.z < grid[2]; ++block_index.z) {
    for (block_index.y = 0; block_index.y < grid[1]; ++block_index.y) {
      for (block_index.x = 0; block_index.x < grid[0]; ++block_index.x) run_block();
    }
  }
}
