//! Named ranges for profilers (NVTX): what the host gives to the GPU within one is shown under its name.

use std::{env, sync::OnceLock};

use cudarc::nvtx::{result, sys};

/// A range of this thread, which ends when it is dropped. Ranges lie within each other.
#[derive(Debug)]
pub struct Range {
    is_seen: bool,
}

impl Range {
    /// Begins a range, if a profiler is attached that wants to hear of it.
    pub fn begin(name: &str) -> Range {
        let is_seen = has_profiler();
        if is_seen {
            result::range_push(name.replace('\0', " "));
        }
        Range { is_seen }
    }
}

impl Drop for Range {
    fn drop(&mut self) {
        if self.is_seen {
            result::range_pop();
        }
    }
}

/// True if a profiler has told NVIDIA's library of ranges where it is, and that library, `libnvToolsExt`, is there. It is not part of the driver.
fn has_profiler() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    *FOUND.get_or_init(|| {
        // SAFETY: loading the library runs its constructors, which is what it is for.
        env::var_os("NVTX_INJECTION64_PATH").is_some() && unsafe { sys::is_culib_present() }
    })
}
