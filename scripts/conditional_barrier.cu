// A graph whose loop on the device runs kernels with one barrier that all threads reach: nothing of this project. It shows that compute-sanitizer takes
// offence at such loops itself (docs/architecture.md, "compute-sanitizer"):
//
//     nvcc -arch=sm_90 -o conditional_barrier scripts/conditional_barrier.cu
//     compute-sanitizer --tool synccheck ./conditional_barrier 1 1     # "Divergent thread(s) in warp"; with `1 0`, without the barrier, nothing
//     compute-sanitizer --tool memcheck ./conditional_barrier 10 1     # "illegal memory access", most times, where several run at once
//     compute-sanitizer --tool racecheck ./conditional_barrier 10 1    # the process does not end well; with `10 0`, or without the tool, it does
#include <cuda_runtime.h>

#include <cstdio>
#include <cstdlib>

static void check(cudaError_t result) {
  if (result == cudaSuccess) return;
  fprintf(stderr, "%s: %s\n", cudaGetErrorName(result), cudaGetErrorString(result));
  exit(1);
}

__global__ void turn_round(int* numbers, int has_barrier) {
  __shared__ int shared[128];
  shared[threadIdx.x] = numbers[threadIdx.x];
  if (has_barrier) __syncthreads();
  numbers[threadIdx.x] = shared[has_barrier ? 127 - threadIdx.x : threadIdx.x] + 1;
}

__global__ void go_on(cudaGraphConditionalHandle condition, int* done, int iterations) {
  cudaGraphSetConditional(condition, ++*done < iterations);
}

static cudaGraphNode_t add(cudaGraph_t graph, cudaGraphNode_t* after, void* kernel, int threads, void** arguments) {
  cudaKernelNodeParams params = {};
  params.func = kernel;
  params.gridDim = dim3(1);
  params.blockDim = dim3(threads);
  params.kernelParams = arguments;
  cudaGraphNode_t node;
  check(cudaGraphAddKernelNode(&node, graph, after, after ? 1 : 0, &params));
  return node;
}

int main(int count, char** words) {
  const int kernels = count > 1 ? atoi(words[1]) : 1;
  int has_barrier = count > 2 ? atoi(words[2]) : 1, iterations = 10;
  int *numbers, *done;
  check(cudaMalloc(&numbers, 128 * sizeof(int)));
  check(cudaMalloc(&done, sizeof(int)));
  check(cudaMemset(numbers, 0, 128 * sizeof(int)));
  cudaGraph_t graph;
  check(cudaGraphCreate(&graph, 0));
  cudaGraphNodeParams loop = {};
  loop.type = cudaGraphNodeTypeConditional;
  loop.conditional.type = cudaGraphCondTypeWhile;
  loop.conditional.size = 1;
  check(cudaGraphConditionalHandleCreate(&loop.conditional.handle, graph, 1, cudaGraphCondAssignDefault));
  cudaGraphNode_t node, last;
  check(cudaGraphAddNode(&node, graph, nullptr, nullptr, 0, &loop));
  const cudaGraph_t body = loop.conditional.phGraph_out[0];
  for (int kernel = 0; kernel < kernels; ++kernel) {
    void* arguments[] = {&numbers, &has_barrier};
    last = add(body, kernel ? &last : nullptr, (void*)turn_round, 128, arguments);
  }
  void* arguments[] = {&loop.conditional.handle, &done, &iterations};
  add(body, kernels ? &last : nullptr, (void*)go_on, 1, arguments);
  cudaGraphExec_t exec;
  check(cudaGraphInstantiate(&exec, graph, 0));
  for (int launch = 0; launch < 3; ++launch) {
    check(cudaMemset(done, 0, sizeof(int)));
    check(cudaGraphLaunch(exec, 0));
    check(cudaDeviceSynchronize());
  }
  int made;
  check(cudaMemcpy(&made, done, sizeof(int), cudaMemcpyDeviceToHost));
  printf("%d kernels, barrier %d: %d iterations\n", kernels, has_barrier, made);
}
