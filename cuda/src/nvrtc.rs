//! NVRTC, NVIDIA's compiler as a library, found when it is needed.

use std::{
    ffi::{CStr, CString, c_char},
    path::{Path, PathBuf},
};

use cudarc::nvrtc::sys;

/// NVRTC, loaded.
#[derive(Debug)]
pub struct Nvrtc {
    /// Keep the libraries of that path loaded, so that they are found by their names.
    _libraries: Vec<libloading::Library>,
    version: (i32, i32),
}

/// The least version that knows what kernels use.
const VERSION_MIN: (i32, i32) = (13, 0);

impl Nvrtc {
    /// Loads the library: the file at `path`, or what the system finds.
    pub fn load(path: Option<&Path>) -> Result<Nvrtc, NvrtcError> {
        let libraries = path.map(load_libraries).transpose()?.unwrap_or_default();
        // SAFETY: looking for a library runs its initialisers alone.
        if !unsafe { sys::is_culib_present() } {
            return Err(NvrtcError::Missing);
        }
        let (mut major, mut minor) = (0, 0);
        // SAFETY: both numbers can be written.
        let result = unsafe { sys::nvrtcVersion(&mut major, &mut minor) };
        if result != sys::nvrtcResult::NVRTC_SUCCESS || (major, minor) < VERSION_MIN {
            return Err(NvrtcError::TooOld { major, minor });
        }
        Ok(Nvrtc { _libraries: libraries, version: (major, minor) })
    }

    /// Its version: major and minor.
    pub fn version(&self) -> (i32, i32) {
        self.version
    }

    /// Compiles a text to an image for a target (`sm_90`).
    pub fn compile(&self, text: &str, target: &str) -> Result<Vec<u8>, CompileError> {
        let failed = |log: String| CompileError { target: target.to_string(), log };
        let source = CString::new(text).map_err(|_| failed("the text holds a zero byte".to_string()))?;
        let options = [
            format!("--gpu-architecture={target}"),
            "--std=c++17".to_string(),
            // Functions without a mark run on the device, like everything here.
            "--device-as-default-execution-space".to_string(),
            // A product and a sum are rounded one after the other, as on the host; products that may not be say fma.
            "--fmad=false".to_string(),
            // Generated text has names that a kernel does not use; errors would be lost among those.
            "--disable-warnings".to_string(),
        ];
        let options: Vec<CString> = options
            .iter()
            .map(|option| CString::new(option.as_str()).expect("an option should have no zero"))
            .collect();
        let pointers: Vec<*const c_char> = options.iter().map(|option| option.as_ptr()).collect();
        let mut program = Program(std::ptr::null_mut());
        // SAFETY: the text ends with a zero; there are no headers.
        let created = unsafe {
            sys::nvrtcCreateProgram(
                &mut program.0,
                source.as_ptr(),
                c"pygraph.cu".as_ptr(),
                0,
                std::ptr::null(),
                std::ptr::null(),
            )
        };
        check(created).map_err(failed)?;
        // SAFETY: the program exists, and the options live.
        let result = unsafe { sys::nvrtcCompileProgram(program.0, pointers.len() as i32, pointers.as_ptr()) };
        if let Err(name) = check(result) {
            return Err(failed(format!("{name}\n{}", program.log())));
        }
        program.image().map_err(failed)
    }
}

/// A program that is given back when it is dropped.
struct Program(sys::nvrtcProgram);

impl Program {
    fn log(&self) -> String {
        let mut size = 0;
        // SAFETY: the program exists.
        if unsafe { sys::nvrtcGetProgramLogSize(self.0, &mut size) } != sys::nvrtcResult::NVRTC_SUCCESS {
            return String::new();
        }
        let mut log = vec![0u8; size.max(1)];
        // SAFETY: the log has room for what was asked.
        unsafe { sys::nvrtcGetProgramLog(self.0, log.as_mut_ptr().cast()) };
        CStr::from_bytes_until_nul(&log).map(|text| text.to_string_lossy().into_owned()).unwrap_or_default()
    }

    fn image(&self) -> Result<Vec<u8>, String> {
        let mut size = 0;
        // SAFETY: the program was compiled.
        check(unsafe { sys::nvrtcGetCUBINSize(self.0, &mut size) })?;
        let mut image = vec![0u8; size];
        // SAFETY: the image has room for what was asked.
        check(unsafe { sys::nvrtcGetCUBIN(self.0, image.as_mut_ptr().cast()) })?;
        Ok(image)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: nobody uses the program any more.
            unsafe { sys::nvrtcDestroyProgram(&mut self.0) };
        }
    }
}

fn check(result: sys::nvrtcResult) -> Result<(), String> {
    if result == sys::nvrtcResult::NVRTC_SUCCESS { Ok(()) } else { Err(format!("{result:?}")) }
}

/// The library at a path, and the one of its own functions for kernels, which it looks for by its name.
fn load_libraries(path: &Path) -> Result<Vec<libloading::Library>, NvrtcError> {
    const BUILTINS: &str = "libnvrtc-builtins.so";
    let beside = path.parent().and_then(|folder| std::fs::read_dir(folder).ok());
    let is_builtins =
        |file: &PathBuf| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with(BUILTINS));
    let mut files: Vec<PathBuf> = beside.into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    files.retain(is_builtins);
    files.sort();
    files.push(path.to_path_buf());
    files.iter().map(|file| load_library(file)).collect()
}

fn load_library(path: &Path) -> Result<libloading::Library, NvrtcError> {
    use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
    // SAFETY: the user says that this is NVRTC, whose initialisers may run.
    let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_GLOBAL) };
    let failed = |source: libloading::Error| NvrtcError::Load { path: path.to_path_buf(), reason: source.to_string() };
    library.map(Into::into).map_err(failed)
}

/// Why NVRTC cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NvrtcError {
    /// Nowhere to be found.
    #[error(
        "NVRTC, the compiler of code for GPUs, is not there: install the CUDA toolkit 13, or the Python package nvidia-cuda-nvrtc, and name \
         libnvrtc.so.13 with --nvrtc or PYGRAPH_NVRTC"
    )]
    Missing,
    /// Not at the path that was given.
    #[error("cannot load NVRTC from {}: {reason}", path.display())]
    Load {
        /// The path.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// Too old.
    #[error("NVRTC is version {major}.{minor}, code for GPUs needs {}.{}", VERSION_MIN.0, VERSION_MIN.1)]
    TooOld {
        /// Major version.
        major: i32,
        /// Minor version.
        minor: i32,
    },
}

/// NVRTC refused a text or a target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("NVRTC compiles no code for {target}: {log}")]
pub struct CompileError {
    /// The target.
    pub target: String,
    /// What it says.
    pub log: String,
}
