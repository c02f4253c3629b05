// Kernels that decide what a graph does next. A conditional handle is set anew at every replay.

extern "C" __device__ __cudart_builtin__ void cudaGraphSetConditional(unsigned long long handle, unsigned int value);

// A loop goes on if the predicate is not 0.
extern "C" __global__ void pygraph_while(unsigned long long handle, const unsigned char* predicate) {
  cudaGraphSetConditional(handle, *predicate != 0);
}

// The same for a loop with gates: one that was stopped ends, whatever its predicate, which nobody has computed since. Behind `stopped` the
// iterations are counted that have run.
extern "C" __global__ void pygraph_gated_while(unsigned long long handle, const unsigned char* predicate,
                                               unsigned int* stopped) {
  const bool has_run = stopped[0] == 0;
  if (has_run) stopped[1]++;
  cudaGraphSetConditional(handle, *predicate != 0 && has_run);
}

// Runs the branch of that index; out of range the last.
extern "C" __global__ void pygraph_switch(unsigned long long handle, const int* index, unsigned int branches) {
  const unsigned int number = (unsigned int)*index;
  cudaGraphSetConditional(handle, number < branches ? number : branches - 1);
}

// What a gate goes by; all are 64-bit words, which the host fills in.
struct PygraphGate {
  // Integers of `position_bytes`, as many as `spread` says: 0 one for all, 1 one a slot, 2 one a token. Null if positions are the offsets.
  const unsigned char* positions;
  const long long* offsets;  // one a token of each slot, slots outermost
  unsigned long long position_bytes, is_signed, spread, slots, tokens, tokens_max;
  unsigned long long patience_ns;
  unsigned int* stopped;        // of the loop
  unsigned long long* seen;     // a slot: rows that are known to be mapped
  unsigned long long* reached;  // a slot: the most rows that were needed
  // In memory of the host: what is mapped a slot, what is needed a slot, and whether waiting is of no use.
  const unsigned long long* granted;
  unsigned long long* wanted;
  const unsigned long long* hopeless;
};

__device__ long long pygraph_position(const PygraphGate& gate, unsigned long long slot, unsigned long long token) {
  const long long offset = gate.offsets[slot * gate.tokens + token];
  if (gate.positions == nullptr) return offset;
  const unsigned long long at = gate.spread == 0 ? 0 : gate.spread == 1 ? slot : token;
  unsigned long long bits = 0;
  for (unsigned long long byte = 0; byte < gate.position_bytes; byte++)
    bits |= (unsigned long long)gate.positions[at * gate.position_bytes + byte] << (8 * byte);
  const unsigned int unused = 64 - 8 * (unsigned int)gate.position_bytes;
  long long base = gate.is_signed ? (long long)(bits << unused) >> unused : (long long)bits;
  const long long most = 0x7fffffffffffffffll;
  if (!gate.is_signed && base < 0) base = most;
  const long long sum = (long long)((unsigned long long)base + (unsigned long long)offset);
  const bool overflows = ((base ^ sum) & (offset ^ sum)) < 0;
  return overflows ? (base < 0 ? -most - 1 : most) : sum;
}

// The rows that a slot needs, as `SlotRows::ranges` says.
__device__ unsigned long long pygraph_rows(const PygraphGate& gate, unsigned long long slot) {
  long long most = 0;
  for (unsigned long long token = 0; token < gate.tokens; token++) {
    const long long position = pygraph_position(gate, slot, token);
    if (position < 0 || (unsigned long long)position >= gate.tokens_max) return gate.tokens_max;
    if (position > most) most = position;
  }
  return (unsigned long long)most + 1;
}

// True if the host has mapped what a slot needs. What was zeroed before it said so is then seen as zero.
__device__ bool pygraph_is_granted(const PygraphGate& gate, unsigned long long slot) {
  if (gate.reached[slot] <= gate.seen[slot]) return true;
  unsigned long long granted;
  asm volatile("ld.acquire.sys.u64 %0, [%1];" : "=l"(granted) : "l"(gate.granted + slot) : "memory");
  gate.seen[slot] = granted;
  return gate.reached[slot] <= granted;
}

__device__ unsigned long long pygraph_clock_ns() {
  unsigned long long now;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
  return now;
}

// Lets an iteration of a loop begin, with branch 0, when all rows that it needs are mapped. If they are not after some time, or the host says that
// they will not be, it runs branch 1 and the loop is stopped: nothing of the iteration has run, and it can be begun again. One thread.
extern "C" __global__ void pygraph_gate(unsigned long long handle, const PygraphGate* description) {
  const PygraphGate gate = *description;
  for (unsigned long long slot = 0; slot < gate.slots; slot++) {
    const unsigned long long rows = pygraph_rows(gate, slot);
    if (rows > gate.reached[slot]) gate.reached[slot] = rows;
    if (gate.reached[slot] > gate.seen[slot])
      asm volatile("st.release.sys.u64 [%0], %1;" ::"l"(gate.wanted + slot), "l"(gate.reached[slot]) : "memory");
  }
  const unsigned long long start = pygraph_clock_ns();
  for (unsigned long long slot = 0; slot < gate.slots && *gate.stopped == 0; slot++) {
    while (!pygraph_is_granted(gate, slot)) {
      unsigned long long hopeless;
      asm volatile("ld.acquire.sys.u64 %0, [%1];" : "=l"(hopeless) : "l"(gate.hopeless) : "memory");
      if (hopeless != 0 || pygraph_clock_ns() - start > gate.patience_ns) {
        *gate.stopped = 1;
        break;
      }
      __nanosleep(500);
    }
  }
  cudaGraphSetConditional(handle, *gate.stopped != 0);
}
