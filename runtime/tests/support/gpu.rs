//! Programs on a GPU whose kernels are a small text of PTX, which the driver compiles.

use std::{
    ffi::{CStr, c_char},
    sync::{Arc, Mutex, MutexGuard},
};

use pygraph_artifact::{
    container::{Artifact, Code, encode},
    device_code::{Argument, DeviceCall, DeviceCode, DeviceKernel, DeviceLaunch, DeviceProgram},
    plan::{BufferId, KvArena, Plan, Program},
};
use pygraph_runtime::{
    caches::{CacheOptions, Caches},
    cuda::{driver::devices, gpu::Gpu},
    device::Device,
    model::Model,
    session::Session,
};

/// Kernels on `i32`, of one thread but for `add_one`, and those of control flow.
pub const PTX: &str = include_str!("kernels.ptx");

/// One test at a time: counts of memory are the process's. None, and a line that says so, where there is no GPU.
pub fn gpu(test: &str) -> Option<(Arc<Gpu>, MutexGuard<'static, ()>)> {
    static ONE: Mutex<()> = Mutex::new(());
    let guard = ONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    match devices() {
        Ok(gpus) if !gpus.is_empty() => Some((Gpu::open(0).expect("the GPU should open"), guard)),
        Ok(_) => {
            eprintln!("skipped {test}: the driver shows no GPU");
            None
        }
        Err(error) => {
            eprintln!("skipped {test}: {error}");
            None
        }
    }
}

/// Does `work`, and says what this thread calls of the driver in it, in order; a real driver does not say.
pub fn driver_calls(work: impl FnOnce()) -> Option<Vec<String>> {
    let Some((begin, end)) = notes_of_calls() else {
        work();
        return None;
    };
    // SAFETY: the functions are those of fake_driver.c.
    unsafe { begin() };
    work();
    // SAFETY: as above; the text is there until this thread asks again.
    let names = unsafe { CStr::from_ptr(end()) };
    Some(names.to_string_lossy().lines().map(str::to_string).collect())
}

type Begin = unsafe extern "C" fn();
type End = unsafe extern "C" fn() -> *const c_char;

/// The functions of the driver of these tests that note calls, and give them.
fn notes_of_calls() -> Option<(Begin, End)> {
    // SAFETY: the library is loaded already, and the two functions, if it has them, are those of fake_driver.c.
    unsafe {
        let library = libloading::Library::new("libcuda.so").ok()?;
        let begin = *library.get::<Begin>(b"fake_driver_note_calls").ok()?;
        let end = *library.get::<End>(b"fake_driver_noted_calls").ok()?;
        // The driver stays: the runtime has it too.
        std::mem::forget(library);
        Some((begin, end))
    }
}

/// Kernels of the text, by the number that calls name them by.
const KERNELS: [(&str, u32); 9] = [
    ("sum_of", 3),
    ("less", 3),
    ("move", 2),
    ("store", 2),
    ("check", 2),
    ("add_through", 3),
    ("stray", 1),
    ("add_to_row", 2),
    ("sum_rows", 4),
];

/// A launch of one call of a kernel with one thread.
pub fn call(name: &str, arguments: &[BufferId]) -> DeviceLaunch {
    let kernel = KERNELS.iter().position(|kernel| kernel.0 == name).expect("a kernel of the text") as u32;
    let arguments = arguments.iter().map(|id| Argument::Buffer(*id)).collect();
    let calls = vec![DeviceCall { kernel, grid: [1; 3], block: [1; 3], shared_bytes: 0, arguments }];
    DeviceLaunch { calls, ..DeviceLaunch::default() }
}

/// A program, and what its launches are on the GPU.
pub struct OnGpu {
    pub program: Program,
    pub constants: Vec<u8>,
    /// One a launch of the program, in order.
    pub launches: Vec<DeviceLaunch>,
    pub arenas: Vec<KvArena>,
}

impl OnGpu {
    /// A program without arenas.
    pub fn new((program, constants): (Program, Vec<u8>), launches: Vec<DeviceLaunch>) -> OnGpu {
        OnGpu { program, constants, launches, arenas: Vec::new() }
    }

    /// The artifact, with code for `target`. Needs no GPU.
    pub fn artifact(self, target: &str) -> Arc<Artifact> {
        let kernel =
            |(name, arguments): &(&str, u32)| DeviceKernel { module: 0, name: name.to_string(), arguments: *arguments };
        let code = DeviceCode {
            target: target.to_string(),
            modules: vec![PTX.as_bytes().to_vec()],
            kernels: KERNELS.iter().map(kernel).collect(),
            control: Some(0),
            programs: vec![DeviceProgram { scratch_bytes: 0, zeroed_bytes: 0, launches: self.launches }],
        };
        let plan = Plan { programs: vec![self.program], arenas: self.arenas };
        let bytes = encode(&plan, &self.constants, Code { host: None, device: Some(&code) }).expect("valid");
        Arc::new(Artifact::from_bytes(&bytes).expect("loads"))
    }

    /// A session on the GPU.
    pub fn session(self) -> Session {
        self.session_with(CacheOptions::default())
    }

    /// The same with caches that grow in another way.
    pub fn session_with(self, options: CacheOptions) -> Session {
        let target = Gpu::open(0).expect("the GPU should open").context().properties().target();
        let model = Model::load(self.artifact(&target), None, Device::Cuda(0)).expect("loads");
        let caches = Caches::for_model(&model, options).expect("addresses");
        Session::with_caches(Arc::new(model), Arc::new(caches)).expect("memory")
    }
}
