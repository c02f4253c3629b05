//! Generated kernels on this machine's processor, to prove them where there is no GPU: clang compiles their text behind a header that
//! defines what CUDA C++ adds to the language.
//!
//! It is slow, and it cannot show races between threads: it shows what a kernel computes.

use std::{
    ffi::c_void,
    fmt::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use pygraph_artifact::device_code::{Argument, DeviceCall, STATUS_BYTES};

use crate::{Source, prelude::PRELUDE};

const HEADER: &str = include_str!("emulate/emulator.hpp");

/// Runs a kernel on a grid: `(kernel, grid, block, shared_bytes, arguments)`.
type Emulate = unsafe extern "C" fn(*const c_void, *const u32, *const u32, u32, *mut *mut c_void);

/// Kernels compiled for this machine.
#[derive(Debug)]
pub struct Emulator {
    library: libloading::Library,
    names: Vec<String>,
}

impl Emulator {
    /// Compiles a source; files lie in `folder` meanwhile. `clang` is the C++ compiler.
    pub fn compile(source: &Source, clang: &Path, folder: &Path) -> Result<Emulator, String> {
        let (text_path, library_path) = (folder.join("kernels.cpp"), folder.join("kernels.so"));
        std::fs::write(&text_path, translation_unit(source)).map_err(|error| error.to_string())?;
        let output = Command::new(clang)
            .args(["-std=c++17", "-O1", "-shared", "-fPIC", "-ffp-contract=off", "-w", "-DPYGRAPH_EMULATOR"])
            .arg(&text_path)
            .arg("-o")
            .arg(&library_path)
            .output()
            .map_err(|error| format!("{}: {error}", clang.display()))?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        // SAFETY: the library is what was just compiled; it has no initialisers.
        let library = unsafe { libloading::Library::new(&library_path) }.map_err(|error| error.to_string())?;
        Ok(Emulator { library, names: source.kernels.iter().map(|kernel| kernel.name.clone()).collect() })
    }

    /// Runs a call. `buffer` finds the address that [`Argument::Buffer`] stands for.
    ///
    /// # Safety
    /// All addresses are those of what the kernel reads and writes.
    pub unsafe fn run(
        &self,
        call: &DeviceCall,
        buffer: &dyn Fn(pygraph_artifact::plan::BufferId) -> *mut u8,
        scratch: &mut [u8],
        status: &mut [u8; STATUS_BYTES as usize],
    ) {
        let address = |argument: &Argument| match *argument {
            Argument::Buffer(id) => buffer(id),
            Argument::Scratch { offset } => scratch.as_mut_ptr().wrapping_add(offset as usize),
            Argument::Status => status.as_mut_ptr(),
        };
        // The closure above borrows mutably: it is called for one argument after the other.
        let mut address = address;
        let mut arguments: Vec<*mut c_void> = call.arguments.iter().map(|argument| address(argument).cast()).collect();
        let name = format!("run_{}", self.names[call.kernel as usize]);
        // SAFETY: the library defines both with these types.
        let (emulate, kernel) = unsafe {
            let emulate = self.library.get::<Emulate>(b"emulate").expect("the header should define it");
            let kernel = self.library.get::<*const c_void>(name.as_bytes()).expect("each kernel should have one");
            (*emulate, kernel.try_as_raw_ptr().expect("a function should have an address"))
        };
        // SAFETY: the caller's promise.
        unsafe {
            emulate(
                kernel.cast_const(),
                call.grid.as_ptr(),
                call.block.as_ptr(),
                call.shared_bytes,
                arguments.as_mut_ptr(),
            );
        }
    }
}

/// All kernels, and for each a function that takes its arguments as an array.
fn translation_unit(source: &Source) -> String {
    let mut text = [HEADER, PRELUDE].concat();
    for kernel in &source.kernels {
        let arguments: Vec<String> = (0..kernel.arguments).map(|number| format!("a[{number}]")).collect();
        write!(
            text,
            "{}\nextern \"C\" void run_{}(void** a) {{ {}({}); }}\n",
            kernel.text,
            kernel.name,
            kernel.name,
            arguments.join(", ")
        )
        .expect("writing to a text should not fail");
    }
    text
}

/// The C++ compiler of LLVM, where the project's other tools of LLVM lie.
pub fn clang() -> PathBuf {
    let prefix = std::env::var_os("LLVM_PREFIX").map_or_else(|| PathBuf::from("/usr/lib/llvm-22"), PathBuf::from);
    prefix.join("bin/clang++")
}
