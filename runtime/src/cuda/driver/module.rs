//! Code that the GPU runs.

use std::{ffi::CString, sync::Arc};

use cudarc::driver::sys::{self, CUfunction, CUfunction_attribute, CUmodule};

use super::{
    context::Context,
    error::{CudaError, check},
    stream::Stream,
};

/// An image that the driver has loaded.
#[derive(Debug)]
pub struct Module {
    context: Arc<Context>,
    raw: CUmodule,
}

// SAFETY: a module may be used from any thread.
unsafe impl Send for Module {}
// SAFETY: it is only read.
unsafe impl Sync for Module {}

impl Module {
    /// Loads an image: a cubin, or text of PTX that the driver compiles.
    pub fn load(context: &Arc<Context>, image: &[u8]) -> Result<Arc<Module>, CudaError> {
        context.bind()?;
        // PTX ends with a null byte; behind a cubin it does no harm. The driver wants cubins aligned.
        let mut copy: Vec<u64> = vec![0; image.len() / 8 + 1];
        // SAFETY: the copy has more bytes than the image, and does not overlap it.
        unsafe { std::ptr::copy_nonoverlapping(image.as_ptr(), copy.as_mut_ptr().cast(), image.len()) };
        let mut raw = std::ptr::null_mut();
        // SAFETY: the place is valid, and the image is whole: what it holds is for the driver to check.
        check("cuModuleLoadData", unsafe { sys::cuModuleLoadData(&mut raw, copy.as_ptr().cast()) })?;
        Ok(Arc::new(Module { context: context.clone(), raw }))
    }

    /// The kernel of that name.
    pub fn function(self: &Arc<Module>, name: &str) -> Result<Function, CudaError> {
        self.context.bind()?;
        let missing = |_| CudaError::Call {
            operation: "cuModuleGetFunction",
            name: "CUDA_ERROR_NOT_FOUND".into(),
            advice: "the kernel's name has a null byte: compile the artifact again",
        };
        let name = CString::new(name).map_err(missing)?;
        let mut raw = std::ptr::null_mut();
        // SAFETY: the place and the name are valid.
        let found = unsafe { sys::cuModuleGetFunction(&mut raw, self.raw, name.as_ptr()) };
        check("cuModuleGetFunction", found)?;
        Ok(Function { module: self.clone(), raw })
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        if self.context.synchronize().is_ok() {
            // SAFETY: its functions keep it alive, and nothing that the GPU has to do runs them.
            let _ = unsafe { sys::cuModuleUnload(self.raw) };
        }
    }
}

/// A kernel.
#[derive(Debug, Clone)]
pub struct Function {
    module: Arc<Module>,
    raw: CUfunction,
}

// SAFETY: a function may be used from any thread.
unsafe impl Send for Function {}
// SAFETY: as above.
unsafe impl Sync for Function {}

impl Function {
    /// Lets its blocks have so much shared memory beside what it declares; the driver's limit without asking is 48 KiB.
    pub fn allow_shared_bytes(&self, bytes: u32) -> Result<(), CudaError> {
        self.module.context.bind()?;
        let attribute = CUfunction_attribute::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
        // SAFETY: the function is alive.
        check("cuFuncSetAttribute", unsafe { sys::cuFuncSetAttribute(self.raw, attribute, bytes as i32) })
    }

    /// Runs it on a stream, now.
    ///
    /// # Safety
    /// The kernel takes these arguments, and what it does with them is right while it runs.
    pub unsafe fn launch(&self, stream: &Stream, grid: Grid, arguments: &[u64]) -> Result<(), CudaError> {
        self.module.context.bind()?;
        let mut values = arguments.to_vec();
        let mut places: Vec<*mut std::ffi::c_void> =
            values.iter_mut().map(|value| std::ptr::from_mut(value).cast()).collect();
        let Grid { blocks, threads, shared_bytes } = grid;
        // SAFETY: the driver reads the arguments before it returns; the rest is the caller's promise.
        let launched = unsafe {
            sys::cuLaunchKernel(
                self.raw,
                blocks[0],
                blocks[1],
                blocks[2],
                threads[0],
                threads[1],
                threads[2],
                shared_bytes,
                stream.raw(),
                places.as_mut_ptr(),
                std::ptr::null_mut(),
            )
        };
        check("cuLaunchKernel", launched)
    }

    pub(super) fn raw(&self) -> CUfunction {
        self.raw
    }
}

/// How many blocks of how many threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// Blocks, in x, y and z.
    pub blocks: [u32; 3],
    /// Threads of a block, in x, y and z.
    pub threads: [u32; 3],
    /// Shared memory of a block beside what the kernel declares, in bytes.
    pub shared_bytes: u32,
}

impl Grid {
    /// One thread.
    pub const ONE: Grid = Grid { blocks: [1; 3], threads: [1; 3], shared_bytes: 0 };
}
