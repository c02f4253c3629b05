//! The driver's library, its GPUs, and the context of one.

use std::{
    cell::Cell,
    fmt, ptr,
    sync::{Arc, Mutex, MutexGuard, OnceLock},
};

use cudarc::driver::sys::{self, CUcontext, CUdevice, CUdevice_attribute as Attribute};

use super::{
    error::{CudaError, DriverVersion, check},
    memory::MemoryCounts,
};

/// Looks for the driver, once: its version if it is there and has what is used here.
pub fn load() -> Result<DriverVersion, CudaError> {
    static LOADED: OnceLock<Result<DriverVersion, CudaError>> = OnceLock::new();
    LOADED.get_or_init(find_driver).clone()
}

fn find_driver() -> Result<DriverVersion, CudaError> {
    // SAFETY: loading the driver's library runs its constructors, which is what it is for.
    if !unsafe { sys::is_culib_present() } {
        return Err(CudaError::NoDriver);
    }
    let mut version = 0;
    // SAFETY: every driver has this function, and it may be called before `cuInit`.
    check("cuDriverGetVersion", unsafe { sys::cuDriverGetVersion(&mut version) })?;
    let found = DriverVersion(version);
    if found < DriverVersion::MIN {
        return Err(CudaError::OldDriver { found });
    }
    // SAFETY: the only flags that there are.
    check("cuInit", unsafe { sys::cuInit(0) })?;
    Ok(found)
}

/// What a GPU is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceProperties {
    /// Its number.
    pub ordinal: u32,
    /// Its name.
    pub name: String,
    /// Compute capability: major, minor.
    pub capability: (u32, u32),
    /// Its memory, in bytes.
    pub memory_bytes: u64,
    /// The driver.
    pub driver: DriverVersion,
}

impl DeviceProperties {
    /// What compilers call it: `sm_90`.
    pub fn target(&self) -> String {
        format!("sm_{}{}", self.capability.0, self.capability.1)
    }

    /// True if code for `target` runs here: that of the same capability, or of a smaller minor one.
    pub fn runs(&self, target: &str) -> bool {
        let own = self.capability.0 * 10 + self.capability.1;
        let number = target.strip_prefix("sm_").unwrap_or_default();
        // Code for one capability alone has a letter at its end.
        let (digits, is_exact) = match number.strip_suffix(['a', 'f']) {
            Some(digits) => (digits, true),
            None => (number, false),
        };
        let found: Option<u32> = digits.parse().ok();
        found.is_some_and(|found| found == own || (!is_exact && found / 10 == own / 10 && found < own))
    }
}

impl fmt::Display for DeviceProperties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DeviceProperties { ordinal, name, memory_bytes, driver, .. } = self;
        let memory_mib = memory_bytes >> 20;
        write!(f, "cuda:{ordinal}: {name}, {}, {memory_mib} MiB, driver for CUDA {driver}", self.target())
    }
}

/// All GPUs that the driver shows.
pub fn devices() -> Result<Vec<DeviceProperties>, CudaError> {
    let driver = load()?;
    (0..device_count()?).map(|ordinal| properties(ordinal, device(ordinal)?, driver)).collect()
}

fn device_count() -> Result<u32, CudaError> {
    let mut count = 0;
    // SAFETY: the place is valid.
    check("cuDeviceGetCount", unsafe { sys::cuDeviceGetCount(&mut count) })?;
    Ok(u32::try_from(count).unwrap_or(0))
}

fn device(ordinal: u32) -> Result<CUdevice, CudaError> {
    let mut device = 0;
    // SAFETY: the place is valid.
    check("cuDeviceGet", unsafe { sys::cuDeviceGet(&mut device, ordinal as i32) })?;
    Ok(device)
}

fn attribute(device: CUdevice, attribute: Attribute) -> Result<i32, CudaError> {
    let mut value = 0;
    // SAFETY: the place is valid, and the device is one of the driver's.
    check("cuDeviceGetAttribute", unsafe { sys::cuDeviceGetAttribute(&mut value, attribute, device) })?;
    Ok(value)
}

fn properties(ordinal: u32, device: CUdevice, driver: DriverVersion) -> Result<DeviceProperties, CudaError> {
    let mut name = [0_u8; 128];
    // SAFETY: the place has as many bytes as is said.
    let named = unsafe { sys::cuDeviceGetName(name.as_mut_ptr().cast(), name.len() as i32, device) };
    check("cuDeviceGetName", named)?;
    let mut memory = 0;
    // SAFETY: the place is valid.
    check("cuDeviceTotalMem", unsafe { sys::cuDeviceTotalMem_v2(&mut memory, device) })?;
    let major = attribute(device, Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?;
    let minor = attribute(device, Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?;
    let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
    Ok(DeviceProperties {
        ordinal,
        name: String::from_utf8_lossy(&name[..end]).into_owned(),
        capability: (major as u32, minor as u32),
        memory_bytes: memory as u64,
        driver,
    })
}

thread_local! {
    /// The context that this thread is known to have, while there is a [`Current`]; else null.
    static CURRENT: Cell<CUcontext> = const { Cell::new(ptr::null_mut()) };
}

/// As long as this lives, the driver knows which GPU this thread works with, and is not told at every call.
#[derive(Debug)]
pub struct Current<'a> {
    /// What was known before. A pointer: the type stays on its thread.
    before: CUcontext,
    _context: &'a Context,
}

impl Drop for Current<'_> {
    fn drop(&mut self) {
        CURRENT.set(self.before);
    }
}

/// The primary context of a GPU, which all of a process shares.
pub struct Context {
    raw: CUcontext,
    device: CUdevice,
    properties: DeviceProperties,
    counts: Mutex<MemoryCounts>,
}

// SAFETY: a context may be used from any thread, once it is made current there, which `bind` does.
unsafe impl Send for Context {}
// SAFETY: the driver orders calls of several threads.
unsafe impl Sync for Context {}

impl Context {
    /// Opens GPU `ordinal`.
    pub fn open(ordinal: u32) -> Result<Arc<Context>, CudaError> {
        let driver = load()?;
        let count = device_count()?;
        if ordinal >= count {
            return Err(CudaError::NoDevice { ordinal, count });
        }
        let device = device(ordinal)?;
        let properties = properties(ordinal, device, driver)?;
        if attribute(device, Attribute::CU_DEVICE_ATTRIBUTE_VIRTUAL_MEMORY_MANAGEMENT_SUPPORTED)? == 0 {
            return Err(CudaError::Lacks { ordinal, feature: "virtual memory management" });
        }
        let mut raw = std::ptr::null_mut();
        // SAFETY: the place is valid, and the device is one of the driver's.
        check("cuDevicePrimaryCtxRetain", unsafe { sys::cuDevicePrimaryCtxRetain(&mut raw, device) })?;
        let context = Context { raw, device, properties, counts: Mutex::default() };
        context.bind()?;
        Ok(Arc::new(context))
    }

    /// The GPU.
    pub fn properties(&self) -> &DeviceProperties {
        &self.properties
    }

    /// The most shared memory that a block may have, if its kernel asks for it, in bytes.
    pub fn shared_bytes_max(&self) -> Result<u32, CudaError> {
        let most = attribute(self.device, Attribute::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN)?;
        Ok(most as u32)
    }

    /// Waits until the GPU has done everything that this process gave it.
    pub fn synchronize(&self) -> Result<(), CudaError> {
        self.bind()?;
        // SAFETY: the context is current.
        check("cuCtxSynchronize", unsafe { sys::cuCtxSynchronize() })
    }

    /// Makes the context that of this thread, for all calls until what is returned is dropped. Nothing else may choose another meanwhile.
    pub fn make_current(&self) -> Result<Current<'_>, CudaError> {
        self.bind()?;
        Ok(Current { before: CURRENT.replace(self.raw), _context: self })
    }

    /// Makes the context that of this thread. Takes tens of nanoseconds, or nothing where it is known to be.
    pub(super) fn bind(&self) -> Result<(), CudaError> {
        let known = CURRENT.get();
        if known == self.raw {
            return Ok(());
        }
        // SAFETY: the context is retained until `self` is dropped.
        check("cuCtxSetCurrent", unsafe { sys::cuCtxSetCurrent(self.raw) })?;
        if !known.is_null() {
            CURRENT.set(self.raw);
        }
        Ok(())
    }

    pub(super) fn raw(&self) -> CUcontext {
        self.raw
    }

    pub(super) fn device(&self) -> CUdevice {
        self.device
    }

    pub(super) fn counts_mut(&self) -> MutexGuard<'_, MemoryCounts> {
        self.counts.lock().expect("nothing should panic while it counts memory")
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: it was retained once. What the driver says at the end is of no use to anybody.
        let _ = unsafe { sys::cuDevicePrimaryCtxRelease_v2(self.device) };
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Context({})", self.properties)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_runs_on_its_own_capability_and_later_minor_ones() {
        let properties = DeviceProperties {
            ordinal: 1,
            name: "NVIDIA X".to_string(),
            capability: (8, 6),
            memory_bytes: 80 << 30,
            driver: DriverVersion(13000),
        };
        let runs = |target| properties.runs(target);
        assert_eq!(["sm_80", "sm_86", "sm_86a"].map(runs), [true; 3]);
        assert_eq!(["sm_80a", "sm_89", "sm_90", "sm_75", "", "x"].map(runs), [false; 6]);
        assert_eq!(properties.to_string(), "cuda:1: NVIDIA X, sm_86, 81920 MiB, driver for CUDA 13.0");
    }
}
