//! What can go wrong with the driver, and what to do about it.

use std::{ffi::CStr, fmt, ptr};

use cudarc::driver::sys::{CUresult, cuGetErrorName};

/// A version of the driver, as CUDA counts them: `13.0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DriverVersion(pub i32);

impl DriverVersion {
    /// The first that has everything that is used here, and loads what CUDA 13 compiles.
    pub const MIN: DriverVersion = DriverVersion(13000);
}

impl fmt::Display for DriverVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 / 1000, self.0 % 1000 / 10)
    }
}

/// Why the driver or a GPU did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CudaError {
    /// No library of the driver.
    #[error(
        "there is no CUDA driver here: install NVIDIA's driver for CUDA {} or later, or take --device=host",
        DriverVersion::MIN
    )]
    NoDriver,
    /// A driver that lacks what is used here.
    #[error(
        "the driver is for CUDA {found}, and {} is needed: update NVIDIA's driver, or take --device=host",
        DriverVersion::MIN
    )]
    OldDriver {
        /// What it says of itself.
        found: DriverVersion,
    },
    /// The driver does not start, or has no such GPU.
    #[error(
        "there is no GPU {ordinal}: the driver has {count}; `--devices` lists them, and CUDA_VISIBLE_DEVICES hides some"
    )]
    NoDevice {
        /// What was asked for.
        ordinal: u32,
        /// How many there are.
        count: u32,
    },
    /// A GPU without something that is used here.
    #[error("GPU {ordinal} has no {feature}: take another with --device=cuda:N, or --device=host")]
    Lacks {
        /// Which.
        ordinal: u32,
        /// What it lacks.
        feature: &'static str,
    },
    /// A library that cannot compute what is wanted, or is not there.
    #[error("cuBLASLt: {reason}")]
    NoLibrary {
        /// Why.
        reason: Box<str>,
    },
    /// Code for another GPU.
    #[error(
        "the code is for {target}, and GPU {ordinal} ({name}) is {found}: compile with --target={found}, or take --device=host"
    )]
    OtherCard {
        /// What the code is for.
        target: Box<str>,
        /// The GPU.
        ordinal: u32,
        /// Its name.
        name: Box<str>,
        /// What it is.
        found: Box<str>,
    },
    /// The GPU's memory is full.
    #[error(
        "no device memory for {what}: {asked} bytes ({operation}: CUDA_ERROR_OUT_OF_MEMORY), {live} are in use by this process: \
         close what else uses the GPU, or take a smaller model or context"
    )]
    OutOfMemory {
        /// What was called.
        operation: &'static str,
        /// What the memory is for.
        what: &'static str,
        /// How many bytes.
        asked: u64,
        /// Bytes that this process has.
        live: u64,
    },
    /// The limit does not allow so much.
    #[error("no device memory for {what}: {asked} bytes, {live} of at most {limit} are in use: raise the limit")]
    Limit {
        /// What the memory is for.
        what: &'static str,
        /// How many bytes.
        asked: u64,
        /// Bytes in use.
        live: u64,
        /// The most that may be.
        limit: u64,
    },
    /// A kernel went wrong while it ran. The GPU takes no more work from this process.
    #[error(
        "{operation}: {name}: a kernel went wrong, and the GPU takes no more work from this process: start it again; compute-sanitizer says which kernel"
    )]
    Fault {
        /// What noticed it.
        operation: &'static str,
        /// CUDA's name of it.
        name: Box<str>,
    },
    /// Anything else that the driver refuses.
    #[error("{operation}: {name}: {advice}")]
    Call {
        /// What was called.
        operation: &'static str,
        /// CUDA's name of the error.
        name: Box<str>,
        /// What to do.
        advice: &'static str,
    },
}

/// An error for what a call returned, unless it went well.
pub(super) fn check(operation: &'static str, result: CUresult) -> Result<(), CudaError> {
    if result == CUresult::CUDA_SUCCESS {
        return Ok(());
    }
    let name = name_of(result);
    Err(match result {
        CUresult::CUDA_ERROR_OUT_OF_MEMORY => {
            CudaError::OutOfMemory { operation, what: "the driver's own needs", asked: 0, live: 0 }
        }
        CUresult::CUDA_ERROR_ILLEGAL_ADDRESS
        | CUresult::CUDA_ERROR_LAUNCH_FAILED
        | CUresult::CUDA_ERROR_LAUNCH_TIMEOUT
        | CUresult::CUDA_ERROR_HARDWARE_STACK_ERROR
        | CUresult::CUDA_ERROR_ILLEGAL_INSTRUCTION
        | CUresult::CUDA_ERROR_MISALIGNED_ADDRESS
        | CUresult::CUDA_ERROR_INVALID_ADDRESS_SPACE
        | CUresult::CUDA_ERROR_INVALID_PC
        | CUresult::CUDA_ERROR_ASSERT => CudaError::Fault { operation, name },
        _ => CudaError::Call { operation, name, advice: advice(result) },
    })
}

fn advice(result: CUresult) -> &'static str {
    match result {
        CUresult::CUDA_ERROR_NO_DEVICE => {
            "no GPU is visible to this process: look at nvidia-smi and CUDA_VISIBLE_DEVICES"
        }
        CUresult::CUDA_ERROR_STUB_LIBRARY => {
            "the library that was found is a stub: take the build folder out of LD_LIBRARY_PATH"
        }
        CUresult::CUDA_ERROR_NO_BINARY_FOR_GPU | CUresult::CUDA_ERROR_INVALID_IMAGE => {
            "the code is not for this GPU: compile with its --target"
        }
        CUresult::CUDA_ERROR_UNSUPPORTED_PTX_VERSION => "the code is newer than the driver: update NVIDIA's driver",
        CUresult::CUDA_ERROR_NOT_FOUND => "the artifact names something that its code does not have: compile it again",
        CUresult::CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES => {
            "a kernel needs more registers or shared memory than the GPU has: compile with its --target"
        }
        CUresult::CUDA_ERROR_SYSTEM_DRIVER_MISMATCH | CUresult::CUDA_ERROR_SYSTEM_NOT_READY => {
            "the driver's parts are of several versions, or not started: restart the machine"
        }
        CUresult::CUDA_ERROR_DEVICE_UNAVAILABLE => {
            "another process has the GPU for itself: wait for it, or take another GPU"
        }
        _ => "the driver refused: NVIDIA's documentation of CUresult says what it means",
    }
}

fn name_of(result: CUresult) -> Box<str> {
    let mut text = ptr::null();
    // SAFETY: the place for the pointer is valid; the driver is there, since it returned this result.
    let found = unsafe { cuGetErrorName(result, &mut text) };
    if found != CUresult::CUDA_SUCCESS || text.is_null() {
        return format!("CUDA error {}", result as u32).into();
    }
    // SAFETY: the driver gives a text that ends with a null byte and lives as long as it.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_read_as_cuda_writes_them() {
        let text = |version| DriverVersion(version).to_string();
        assert_eq!([text(13000), text(12080), text(12090)], ["13.0", "12.8", "12.9"]);
        assert!(DriverVersion(12090) < DriverVersion::MIN);
    }

    #[test]
    fn messages_name_values_and_say_what_to_do() {
        let text = |error: CudaError| error.to_string();
        assert_eq!(
            text(CudaError::NoDriver),
            "there is no CUDA driver here: install NVIDIA's driver for CUDA 13.0 or later, or take --device=host"
        );
        assert_eq!(
            text(CudaError::OldDriver { found: DriverVersion(12040) }),
            "the driver is for CUDA 12.4, and 13.0 is needed: update NVIDIA's driver, or take --device=host"
        );
        let other =
            CudaError::OtherCard { target: "sm_90".into(), ordinal: 0, name: "A100".into(), found: "sm_80".into() };
        assert_eq!(
            text(other),
            "the code is for sm_90, and GPU 0 (A100) is sm_80: compile with --target=sm_80, or take --device=host"
        );
        assert_eq!(
            text(CudaError::Limit { what: "the arena", asked: 64, live: 32, limit: 80 }),
            "no device memory for the arena: 64 bytes, 32 of at most 80 are in use: raise the limit"
        );
    }
}
