// A CUDA driver without a GPU, for the tests in cuda.rs, cuda_caches.rs and cuda_fault.rs: `scripts/fake-driver` builds it as libcuda.so, and
// `scripts/test driver` runs them.
//
// Memory of the device is memory of the host, filled with junk; streams do everything at once, but for graphs with a gate, which run beside the
// host until somebody waits for them; kernels are those of kernels.ptx, by name.
// A graph runs, of the nodes that are ready, the last first, so that a missing edge shows. A condition that no kernel has set, and an
// edge between graphs, abort. Results and struct layouts are those of NVIDIA's documentation of the driver API, 13.0.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

typedef int Result;
typedef uint64_t Address;

enum {
  SUCCESS = 0,
  INVALID_VALUE = 1,
  OUT_OF_MEMORY = 2,
  INVALID_CONTEXT = 201,
  ALREADY_MAPPED = 208,
  NOT_MAPPED = 211,
  INVALID_PTX = 218,
  NOT_FOUND = 500,
  NOT_READY = 600,
  ILLEGAL_ADDRESS = 700,
};

static const size_t MEMORY_BYTES = 80ull << 30;
static const size_t GRANULARITY = 2 << 20;

// Set by a kernel that goes wrong; from then on every call returns it.
static Result fault = SUCCESS;
// Each thread must make a context its own before it does anything.
static __thread void *current;

#define CHECK_CONTEXT()      \
  do {                       \
    if (!current)            \
      return INVALID_CONTEXT; \
    if (fault)               \
      return fault;          \
  } while (0)

// What this thread calls, by name, from when it asks for that: `-finstrument-functions` has every function say that it begins. Calls of each other do
// not count.
static __thread struct Calls {
  int are_noted;
  size_t bytes;
  char names[1 << 16];
} calls;

#define SILENT __attribute__((no_instrument_function))

SILENT void fake_driver_note_calls(void) {
  calls.are_noted = 1;
  calls.bytes = 0;
}

SILENT const char *fake_driver_noted_calls(void) {
  calls.are_noted = 0;
  calls.names[calls.bytes] = 0;
  return calls.names;
}

// Hidden, since the C library has functions of these names.
#define HIDDEN __attribute__((visibility("hidden")))

SILENT HIDDEN void __cyg_profile_func_enter(void *function, void *caller) {
  Dl_info called, from;
  if (!calls.are_noted || !dladdr(function, &called) || called.dli_saddr != function || !called.dli_sname)
    return;
  if (dladdr(caller, &from) && from.dli_fbase == called.dli_fbase)
    return;
  size_t room = sizeof calls.names - calls.bytes - 1;
  calls.bytes += snprintf(calls.names + calls.bytes, room, "%s\n", called.dli_sname);
  if (calls.bytes > sizeof calls.names - 100)
    abort();
}

SILENT HIDDEN void __cyg_profile_func_exit(void *function, void *caller) {}

// The graph that runs beside the host, if one does: runs are counted.
static pthread_mutex_t running_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t running_ended = PTHREAD_COND_INITIALIZER;
static void *running_stream;
static uint64_t runs_begun, runs_ended;

// Waits for what a stream runs, or for all if it is null.
static void wait_for(void *stream) {
  pthread_mutex_lock(&running_lock);
  while (runs_ended < runs_begun && (!stream || stream == running_stream))
    pthread_cond_wait(&running_ended, &running_lock);
  pthread_mutex_unlock(&running_lock);
}

static Result give_something(void **place) {
  CHECK_CONTEXT();
  *place = malloc(1);
  return SUCCESS;
}

static Result take_back(void *place) {
  CHECK_CONTEXT();
  free(place);
  return SUCCESS;
}

static Result nothing(void) {
  CHECK_CONTEXT();
  return SUCCESS;
}

static Result wait_and_do_nothing(void *stream) {
  CHECK_CONTEXT();
  wait_for(stream);
  return nothing();
}

// The driver and its device.

Result cuDriverGetVersion(int *version) { return *version = 13000, SUCCESS; }
Result cuInit(unsigned flags) { return SUCCESS; }
Result cuDeviceGetCount(int *count) { return *count = 1, SUCCESS; }
Result cuDeviceGet(int *device, int ordinal) { return *device = ordinal, SUCCESS; }
Result cuDeviceGetName(char *name, int bytes, int device) { return snprintf(name, bytes, "no GPU, but a fake"), SUCCESS; }
Result cuDeviceTotalMem_v2(size_t *bytes, int device) { return *bytes = MEMORY_BYTES, SUCCESS; }

Result cuDeviceGetAttribute(int *value, int attribute, int device) {
  enum { MAJOR = 75, MINOR = 76, SHARED_BYTES = 97 };
  *value = attribute == MAJOR ? 9 : attribute == MINOR ? 0 : attribute == SHARED_BYTES ? 232448 : 1;
  return SUCCESS;
}

Result cuDevicePrimaryCtxRetain(void **context, int device) { return *context = &fault, SUCCESS; }
Result cuDevicePrimaryCtxRelease_v2(int device) { return SUCCESS; }
Result cuCtxSetCurrent(void *context) { return current = context, SUCCESS; }
Result cuCtxSynchronize(void) { return wait_and_do_nothing(NULL); }

Result cuGetErrorName(Result error, const char **name) {
  switch (error) {
  case INVALID_VALUE: *name = "CUDA_ERROR_INVALID_VALUE"; break;
  case OUT_OF_MEMORY: *name = "CUDA_ERROR_OUT_OF_MEMORY"; break;
  case INVALID_CONTEXT: *name = "CUDA_ERROR_INVALID_CONTEXT"; break;
  case ALREADY_MAPPED: *name = "CUDA_ERROR_ALREADY_MAPPED"; break;
  case NOT_MAPPED: *name = "CUDA_ERROR_NOT_MAPPED"; break;
  case INVALID_PTX: *name = "CUDA_ERROR_INVALID_PTX"; break;
  case NOT_FOUND: *name = "CUDA_ERROR_NOT_FOUND"; break;
  case ILLEGAL_ADDRESS: *name = "CUDA_ERROR_ILLEGAL_ADDRESS"; break;
  default: return INVALID_VALUE;
  }
  return SUCCESS;
}

// Streams and events.

Result cuStreamCreate(void **stream, unsigned flags) { return give_something(stream); }
Result cuStreamDestroy_v2(void *stream) { return take_back(stream); }
Result cuStreamSynchronize(void *stream) { return wait_and_do_nothing(stream); }
Result cuStreamWaitValue32_v2(void *stream, Address address, uint32_t value, unsigned flags) { return nothing(); }

// The run that an event is behind.
struct Event {
  uint64_t run;
  int is_recorded;
};

// The default stream is somebody else's here: its calls are noted as such.
static void note_stream(void *stream) {
  if (calls.are_noted && !stream)
    calls.bytes += snprintf(calls.names + calls.bytes, 32, "(on the default stream)\n");
}

Result cuStreamWaitEvent(void *stream, struct Event *event, unsigned flags) {
  CHECK_CONTEXT();
  note_stream(stream);
  return event->is_recorded ? SUCCESS : INVALID_VALUE;
}

Result cuEventCreate(struct Event **event, unsigned flags) {
  CHECK_CONTEXT();
  *event = calloc(1, sizeof **event);
  return SUCCESS;
}
Result cuEventDestroy_v2(struct Event *event) { return take_back(event); }
Result cuEventRecord(struct Event *event, void *stream) {
  CHECK_CONTEXT();
  pthread_mutex_lock(&running_lock);
  event->run = stream == running_stream ? runs_begun : 0;
  event->is_recorded = 1;
  note_stream(stream);
  pthread_mutex_unlock(&running_lock);
  return SUCCESS;
}
Result cuEventQuery(struct Event *event) {
  CHECK_CONTEXT();
  pthread_mutex_lock(&running_lock);
  int is_reached = event->run <= runs_ended;
  pthread_mutex_unlock(&running_lock);
  return is_reached ? SUCCESS : NOT_READY;
}
Result cuEventSynchronize(struct Event *event) {
  CHECK_CONTEXT();
  if (cuEventQuery(event) == NOT_READY)
    wait_for(NULL);
  return nothing();
}

Result cuEventElapsedTime_v2(float *milliseconds, void *start, void *end) {
  CHECK_CONTEXT();
  *milliseconds = 0.5;
  return SUCCESS;
}

// Memory.

Result cuMemAlloc_v2(Address *address, size_t bytes) {
  CHECK_CONTEXT();
  void *start;
  if (bytes == 0)
    return INVALID_VALUE;
  if (bytes > MEMORY_BYTES || posix_memalign(&start, 256, bytes))
    return OUT_OF_MEMORY;
  memset(start, 0xcd, bytes);
  *address = (Address)start;
  return SUCCESS;
}

Result cuMemFree_v2(Address address) { return take_back((void *)address); }

Result cuMemHostAlloc(void **start, size_t bytes, unsigned flags) {
  CHECK_CONTEXT();
  *start = malloc(bytes);
  return *start ? SUCCESS : OUT_OF_MEMORY;
}

Result cuMemFreeHost(void *start) { return take_back(start); }

static Result copy(void *to, const void *from, size_t bytes, void *stream) {
  CHECK_CONTEXT();
  wait_for(stream);
  memcpy(to, from, bytes);
  return SUCCESS;
}

Result cuMemcpyHtoDAsync_v2(Address to, const void *from, size_t bytes, void *stream) {
  return copy((void *)to, from, bytes, stream);
}
Result cuMemcpyDtoHAsync_v2(void *to, Address from, size_t bytes, void *stream) {
  return copy(to, (void *)from, bytes, stream);
}
Result cuMemcpyDtoDAsync_v2(Address to, Address from, size_t bytes, void *stream) {
  return copy((void *)to, (void *)from, bytes, stream);
}

Result cuMemsetD8Async(Address address, unsigned char value, size_t bytes, void *stream) {
  CHECK_CONTEXT();
  wait_for(stream);
  memset((void *)address, value, bytes);
  return SUCCESS;
}

struct Side {
  size_t x, y;
  unsigned type; // 1 is the host
  void *host;
  Address device;
  void *array;
  size_t pitch;
};

struct Copy2D {
  struct Side from, to;
  size_t width, height;
};

static char *row(const struct Side *side, size_t number) {
  char *start = side->type == 1 ? side->host : (char *)side->device;
  return start + number * side->pitch;
}

Result cuMemcpy2DAsync_v2(const struct Copy2D *rows, void *stream) {
  CHECK_CONTEXT();
  wait_for(stream);
  for (size_t number = 0; number < rows->height; number++)
    memcpy(row(&rows->to, number), row(&rows->from, number), rows->width);
  return SUCCESS;
}

// Virtual memory: a handle is a memory file. Where nothing is mapped an access ends the process.

static Address mapped[4096];
static int mapped_count;

static int find_mapped(Address address) {
  for (int number = 0; number < mapped_count; number++)
    if (mapped[number] == address)
      return number;
  return -1;
}

Result cuMemGetAllocationGranularity(size_t *bytes, const void *properties, int option) {
  return *bytes = GRANULARITY, SUCCESS;
}

Result cuMemAddressReserve(Address *start, size_t bytes, size_t alignment, Address wanted, uint64_t flags) {
  CHECK_CONTEXT();
  *start = (Address)mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return SUCCESS;
}

Result cuMemAddressFree(Address start, size_t bytes) {
  CHECK_CONTEXT();
  for (int number = 0; number < mapped_count; number++)
    if (mapped[number] >= start && mapped[number] < start + bytes)
      return INVALID_VALUE;
  munmap((void *)start, bytes);
  return SUCCESS;
}

Result cuMemCreate(uint64_t *handle, size_t bytes, const void *properties, uint64_t flags) {
  CHECK_CONTEXT();
  int file = memfd_create("fake-handle", 0);
  if (file < 0 || ftruncate(file, bytes))
    return OUT_OF_MEMORY;
  void *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  memset(start, 0xcd, bytes);
  munmap(start, bytes);
  *handle = file;
  return SUCCESS;
}

Result cuMemRelease(uint64_t handle) {
  CHECK_CONTEXT();
  close(handle);
  return SUCCESS;
}

Result cuMemMap(Address address, size_t bytes, size_t offset, uint64_t handle, uint64_t flags) {
  CHECK_CONTEXT();
  if (find_mapped(address) >= 0)
    return ALREADY_MAPPED;
  mapped[mapped_count++] = address;
  mmap((void *)address, bytes, PROT_NONE, MAP_SHARED | MAP_FIXED, handle, offset);
  return SUCCESS;
}

Result cuMemSetAccess(Address address, size_t bytes, const void *description, size_t count) {
  CHECK_CONTEXT();
  mprotect((void *)address, bytes, PROT_READ | PROT_WRITE);
  return SUCCESS;
}

Result cuMemUnmap(Address address, size_t bytes) {
  CHECK_CONTEXT();
  int number = find_mapped(address);
  if (number < 0)
    return NOT_MAPPED;
  mapped[number] = mapped[--mapped_count];
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE;
  mmap((void *)address, bytes, PROT_NONE, flags, -1, 0);
  return SUCCESS;
}

// Kernels.

enum { ARGUMENTS_MAX = 4, CONDITIONS_MAX = 1000 };

static const uint64_t UNSET = ~0ull;
static uint64_t conditions[CONDITIONS_MAX];
static uint64_t conditions_count;

#define INT(address) (*(int32_t *)(address))
#define POINTED(address) (*(Address *)(address))

static void add_one(const uint64_t *a, unsigned threads) {
  for (unsigned thread = 0; thread < threads; thread++)
    ((int32_t *)a[0])[thread]++;
}
static void sum_of(const uint64_t *a, unsigned threads) { INT(a[2]) = INT(a[0]) + INT(a[1]); }
static void add_through(const uint64_t *a, unsigned threads) { INT(a[2]) = INT(a[0]) + INT(POINTED(a[1])); }
static void move(const uint64_t *a, unsigned threads) { INT(a[1]) = INT(a[0]); }
static void store(const uint64_t *a, unsigned threads) { INT(POINTED(a[1])) = INT(a[0]); }
static void less(const uint64_t *a, unsigned threads) { *(char *)a[2] = INT(a[0]) < INT(a[1]); }
static void check(const uint64_t *a, unsigned threads) {
  if (INT(a[0]) < 0) {
    INT(a[1]) = 2;
    POINTED(a[1] + 8) = 3;
  }
}
static void stray(const uint64_t *a, unsigned threads) { fault = ILLEGAL_ADDRESS; }
static void add_to_row(const uint64_t *a, unsigned threads) {
  for (unsigned thread = 0; thread < threads; thread++)
    ((int32_t *)a[0])[INT(a[1]) * 64 + thread]++;
}
static void sum_rows(const uint64_t *a, unsigned threads) {
  int low = INT(a[1]) + 1 - INT(a[2]);
  for (int row = low < 0 ? 0 : low; row <= INT(a[1]); row++)
    INT(a[3]) += ((int32_t *)a[0])[row * 64];
}
static void set_while(const uint64_t *a, unsigned threads) { conditions[a[0]] = *(char *)a[1] != 0; }
static void set_switch(const uint64_t *a, unsigned threads) {
  uint32_t branches = a[2], index = INT(a[1]);
  conditions[a[0]] = index < branches ? index : branches - 1;
}

static void set_gated_while(const uint64_t *a, unsigned threads) {
  int has_run = !INT(a[2]);
  INT(a[2] + 4) += has_run;
  conditions[a[0]] = *(char *)a[1] != 0 && has_run;
}

// As in control.cu, for positions that are one i32 for all, and one token a slot.
static void gate(const uint64_t *a, unsigned threads) {
  enum { POSITIONS, OFFSETS, BYTES, SIGNED, SPREAD, SLOTS, TOKENS, TOKENS_MAX, PATIENCE, STOPPED, SEEN, REACHED, GRANTED, WANTED, HOPELESS };
  const uint64_t *g = (const uint64_t *)a[1];
  uint64_t *seen = (uint64_t *)g[SEEN], *reached = (uint64_t *)g[REACHED];
  if (g[BYTES] != 4 || !g[SIGNED] || g[SPREAD] != 0 || g[TOKENS] != 1)
    abort();
  struct timespec start, now;
  clock_gettime(CLOCK_MONOTONIC, &start);
  for (uint64_t slot = 0; slot < g[SLOTS]; slot++) {
    int64_t position = INT(g[POSITIONS]) + ((int64_t *)g[OFFSETS])[slot];
    uint64_t rows = position < 0 || position >= (int64_t)g[TOKENS_MAX] ? g[TOKENS_MAX] : position + 1;
    if (rows > reached[slot])
      reached[slot] = rows;
    if (reached[slot] > seen[slot])
      __atomic_store_n((uint64_t *)g[WANTED] + slot, reached[slot], __ATOMIC_RELEASE);
    while (!INT(g[STOPPED]) && reached[slot] > seen[slot]) {
      seen[slot] = __atomic_load_n((uint64_t *)g[GRANTED] + slot, __ATOMIC_ACQUIRE);
      clock_gettime(CLOCK_MONOTONIC, &now);
      uint64_t waited = (now.tv_sec - start.tv_sec) * 1000000000ull + now.tv_nsec - start.tv_nsec;
      if (reached[slot] > seen[slot] && (waited > g[PATIENCE] || __atomic_load_n((uint64_t *)g[HOPELESS], __ATOMIC_ACQUIRE)))
        INT(g[STOPPED]) = 1;
    }
  }
  conditions[a[0]] = INT(g[STOPPED]) != 0;
}

struct Kernel {
  const char *name;
  int arguments;
  void (*run)(const uint64_t *arguments, unsigned threads);
};

static const struct Kernel KERNELS[] = {
    {"add_one", 1, add_one}, {"sum_of", 3, sum_of},        {"add_through", 3, add_through},
    {"move", 2, move},       {"store", 2, store},          {"less", 3, less},
    {"check", 2, check},     {"stray", 1, stray},          {"add_to_row", 2, add_to_row}, {"sum_rows", 4, sum_rows},
    {"pygraph_while", 2, set_while}, {"pygraph_switch", 3, set_switch},
    {"pygraph_gated_while", 3, set_gated_while}, {"pygraph_gate", 2, gate},
};

Result cuModuleLoadData(void **module, const char *image) {
  CHECK_CONTEXT();
  return strstr(image, ".version") ? give_something(module) : INVALID_PTX;
}

Result cuModuleUnload(void *module) { return take_back(module); }

Result cuModuleGetFunction(const struct Kernel **function, void *module, const char *name) {
  CHECK_CONTEXT();
  for (size_t number = 0; number < sizeof KERNELS / sizeof *KERNELS; number++)
    if (!strcmp(KERNELS[number].name, name))
      return *function = &KERNELS[number], SUCCESS;
  return NOT_FOUND;
}

Result cuFuncSetAttribute(void *function, int attribute, int value) { return nothing(); }

Result cuLaunchKernel(const struct Kernel *kernel, unsigned blocks, unsigned y, unsigned z, unsigned threads,
                      unsigned threads_y, unsigned threads_z, unsigned shared, void *stream, void **arguments,
                      void **extra) {
  CHECK_CONTEXT();
  uint64_t values[ARGUMENTS_MAX];
  if (threads > 1024)
    return INVALID_VALUE;
  wait_for(stream);
  for (int number = 0; number < kernel->arguments; number++)
    values[number] = *(uint64_t *)arguments[number];
  kernel->run(values, blocks * threads);
  return SUCCESS;
}

// Graphs.

enum { NODES_MAX = 256, KERNEL = 0, EMPTY = 5, CONDITIONAL = 13, WHILE = 1 };

struct Graph;

struct Node {
  struct Graph *graph;
  struct Node *after[NODES_MAX];
  size_t after_count;
  int type;
  int is_done;
  // Of a kernel.
  const struct Kernel *kernel;
  unsigned threads;
  uint64_t arguments[ARGUMENTS_MAX];
  // Of a conditional node.
  uint64_t condition;
  int kind;
  unsigned size;
  struct Graph **bodies;
};

struct Graph {
  struct Node *nodes[NODES_MAX];
  int count;
};

struct KernelParams {
  const struct Kernel *kernel;
  unsigned blocks[3], threads[3], shared;
  void **arguments, **extra;
  void *kern, *context;
};

struct EdgeData {
  unsigned char from_port, to_port, type, reserved[5];
};
enum { PROGRAMMATIC = 1 };

struct NodeParams {
  int type;
  int reserved[3];
  union {
    int64_t words[29];
    struct {
      uint64_t condition;
      int kind;
      unsigned size;
      struct Graph **bodies;
      void *context;
    } conditional;
  };
  int64_t reserved_too;
};

static struct Node *add_node(struct Graph *graph, struct Node **after, size_t count, int type) {
  struct Node *node = calloc(1, sizeof *node);
  node->graph = graph;
  node->type = type;
  node->after_count = count;
  for (size_t number = 0; number < count; number++) {
    if (after[number]->graph != graph)
      abort();
    node->after[number] = after[number];
  }
  return graph->nodes[graph->count++] = node;
}

Result cuGraphCreate(struct Graph **graph, unsigned flags) {
  CHECK_CONTEXT();
  *graph = calloc(1, sizeof **graph);
  return SUCCESS;
}

// What is instantiated is the graph itself: it stays.
Result cuGraphDestroy(struct Graph *graph) { return nothing(); }
Result cuGraphInstantiateWithFlags(struct Graph **exec, struct Graph *graph, uint64_t flags) {
  CHECK_CONTEXT();
  *exec = graph;
  return SUCCESS;
}
Result cuGraphUpload(struct Graph *exec, void *stream) { return nothing(); }
Result cuGraphExecDestroy(struct Graph *exec) { return nothing(); }

Result cuGraphAddKernelNode_v2(struct Node **node, struct Graph *graph, struct Node **after, size_t count,
                               const struct KernelParams *params) {
  CHECK_CONTEXT();
  *node = add_node(graph, after, count, KERNEL);
  (*node)->kernel = params->kernel;
  (*node)->threads = params->blocks[0] * params->threads[0];
  for (int number = 0; number < params->kernel->arguments; number++)
    (*node)->arguments[number] = *(uint64_t *)params->arguments[number];
  return SUCCESS;
}

// An edge that lets a kernel start early is one all the same: kernels wait.
Result cuGraphAddDependencies_v2(struct Graph *graph, struct Node **from, struct Node **to, const struct EdgeData *edges,
                                 size_t count) {
  CHECK_CONTEXT();
  for (size_t number = 0; number < count; number++) {
    struct Node *node = to[number];
    if (edges[number].type != PROGRAMMATIC || node->type != KERNEL || from[number]->type != KERNEL)
      return INVALID_VALUE;
    if (node->graph != graph || from[number]->graph != graph)
      abort();
    node->after[node->after_count++] = from[number];
  }
  return SUCCESS;
}

Result cuGraphAddEmptyNode(struct Node **node, struct Graph *graph, struct Node **after, size_t count) {
  CHECK_CONTEXT();
  *node = add_node(graph, after, count, EMPTY);
  return SUCCESS;
}

Result cuGraphConditionalHandleCreate(uint64_t *handle, struct Graph *graph, void *context, unsigned value,
                                      unsigned flags) {
  CHECK_CONTEXT();
  if (conditions_count == CONDITIONS_MAX)
    return OUT_OF_MEMORY;
  *handle = conditions_count++;
  conditions[*handle] = UNSET;
  return SUCCESS;
}

Result cuGraphAddNode_v2(struct Node **node, struct Graph *graph, struct Node **after, const void *edges, size_t count,
                         struct NodeParams *params) {
  CHECK_CONTEXT();
  if (params->type != CONDITIONAL)
    return INVALID_VALUE;
  *node = add_node(graph, after, count, CONDITIONAL);
  (*node)->condition = params->conditional.condition;
  (*node)->kind = params->conditional.kind;
  (*node)->size = params->conditional.size;
  (*node)->bodies = calloc((*node)->size, sizeof(struct Graph *));
  for (unsigned number = 0; number < (*node)->size; number++)
    (*node)->bodies[number] = calloc(1, sizeof(struct Graph));
  params->conditional.bodies = (*node)->bodies;
  return SUCCESS;
}

static void run_graph(struct Graph *graph);

static void run_conditional(struct Node *node) {
  uint64_t *condition = &conditions[node->condition];
  if (*condition == UNSET)
    abort();
  if (node->kind == WHILE) {
    while (*condition)
      run_graph(node->bodies[0]);
  } else if (*condition < node->size) {
    run_graph(node->bodies[*condition]);
  }
  *condition = UNSET;
}

static int is_ready(const struct Node *node) {
  for (size_t number = 0; number < node->after_count; number++)
    if (!node->after[number]->is_done)
      return 0;
  return !node->is_done;
}

static void run_graph(struct Graph *graph) {
  for (int number = 0; number < graph->count; number++)
    graph->nodes[number]->is_done = 0;
  for (int left = graph->count; left > 0; left--) {
    int last = graph->count - 1;
    while (!is_ready(graph->nodes[last]))
      last--;
    struct Node *node = graph->nodes[last];
    if (node->type == KERNEL)
      node->kernel->run(node->arguments, node->threads);
    if (node->type == CONDITIONAL)
      run_conditional(node);
    node->is_done = 1;
  }
}

static int has_gate(const struct Graph *graph) {
  for (int number = 0; number < graph->count; number++) {
    const struct Node *node = graph->nodes[number];
    if (node->type == KERNEL && node->kernel->run == gate)
      return 1;
    for (unsigned body = 0; node->type == CONDITIONAL && body < node->size; body++)
      if (has_gate(node->bodies[body]))
        return 1;
  }
  return 0;
}

static void *run_beside(void *graph) {
  run_graph(graph);
  pthread_mutex_lock(&running_lock);
  runs_ended++;
  pthread_cond_broadcast(&running_ended);
  pthread_mutex_unlock(&running_lock);
  return NULL;
}

Result cuGraphLaunch(struct Graph *exec, void *stream) {
  CHECK_CONTEXT();
  wait_for(NULL);
  if (!has_gate(exec)) {
    run_graph(exec);
    return SUCCESS;
  }
  pthread_mutex_lock(&running_lock);
  runs_begun++;
  running_stream = stream;
  pthread_mutex_unlock(&running_lock);
  pthread_t thread;
  pthread_create(&thread, NULL, run_beside, exec);
  pthread_detach(thread);
  return SUCCESS;
}
