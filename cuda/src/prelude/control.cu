// Kernels that decide what a graph does next. A conditional handle is set anew at every replay.

extern "C" __device__ __cudart_builtin__ void cudaGraphSetConditional(unsigned long long handle, unsigned int value);

// A loop goes on if the predicate is not 0.
extern "C" __global__ void pygraph_while(unsigned long long handle, const unsigned char* predicate) {
  cudaGraphSetConditional(handle, *predicate != 0);
}

// Runs the branch of that index; out of range the last.
extern "C" __global__ void pygraph_switch(unsigned long long handle, const int* index, unsigned int branches) {
  const unsigned int number = (unsigned int)*index;
  cudaGraphSetConditional(handle, number < branches ? number : branches - 1);
}
