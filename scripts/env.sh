# Where the tools of the tests lie. Sourced by the Makefile's recipes and by the scripts beside it.

export LLVM_PREFIX="${LLVM_PREFIX:-/usr/lib/llvm-22}"

# melior and its generator of bindings look for MLIR 22 under these names.
export MLIR_SYS_220_PREFIX="${MLIR_SYS_220_PREFIX:-$LLVM_PREFIX}"
export TABLEGEN_220_PREFIX="${TABLEGEN_220_PREFIX:-$LLVM_PREFIX}"
export LIBCLANG_PATH="${LIBCLANG_PATH:-$LLVM_PREFIX/lib}"

if ! command -v cargo >/dev/null 2>&1 && [ -x "$HOME/.cargo/bin/cargo" ]; then
  export PATH="$HOME/.cargo/bin:$PATH"
fi

# The compiler of kernels for GPUs, where scripts/setup has put it.
nvrtc="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/target/tools/nvrtc/nvidia/cu13/lib/libnvrtc.so.13"
if [ -z "${PYGRAPH_NVRTC:-}" ] && [ -e "$nvrtc" ]; then
  export PYGRAPH_NVRTC="$nvrtc"
fi
unset nvrtc
