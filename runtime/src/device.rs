//! The devices that a model can run on.

use std::{num::NonZero, str::FromStr, thread};

use pygraph_artifact::device_code::DeviceCode;

use crate::cuda::driver::{CudaError, devices};

/// A device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// This machine's processors.
    Host,
    /// The GPU of that number.
    Cuda(u32),
}

/// What a caller asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceChoice {
    /// A GPU that the artifact has code for, else the host.
    Auto,
    /// This device.
    Only(Device),
}

impl FromStr for DeviceChoice {
    type Err = DeviceError;

    fn from_str(name: &str) -> Result<DeviceChoice, DeviceError> {
        let number = name.strip_prefix("cuda:").map(str::parse);
        match (name, number) {
            ("auto", _) => Ok(DeviceChoice::Auto),
            ("host", _) => Ok(DeviceChoice::Only(Device::Host)),
            ("cuda", _) => Ok(DeviceChoice::Only(Device::Cuda(0))),
            (_, Some(Ok(ordinal))) => Ok(DeviceChoice::Only(Device::Cuda(ordinal))),
            _ => Err(DeviceError::Unknown { name: name.to_string() }),
        }
    }
}

impl DeviceChoice {
    /// Refuses a device that is not there, whatever it is to run; else says for which GPU a model must be compiled, if for one.
    pub fn target(self) -> Result<Option<String>, DeviceError> {
        let DeviceChoice::Only(Device::Cuda(ordinal)) = self else { return Ok(None) };
        let gpus = devices()?;
        let count = gpus.len() as u32;
        let gpu = gpus.get(ordinal as usize).ok_or(CudaError::NoDevice { ordinal, count })?;
        Ok(Some(gpu.target()))
    }

    /// The device for an artifact with that code, and why.
    pub fn resolve(self, code: Option<&DeviceCode>) -> (Device, String) {
        match self {
            DeviceChoice::Only(device) => (device, "as asked".to_string()),
            DeviceChoice::Auto => match find_gpu(code) {
                Ok(ordinal) => (Device::Cuda(ordinal), "the artifact has code for it".to_string()),
                Err(reason) => (Device::Host, reason),
            },
        }
    }
}

/// The first GPU that runs the code; or why there is none.
fn find_gpu(code: Option<&DeviceCode>) -> Result<u32, String> {
    let target = &code.ok_or("the artifact has no code for a GPU")?.target;
    let all = devices().map_err(|error| error.to_string())?;
    let gpu = all.iter().find(|gpu| gpu.runs(target));
    gpu.map(|gpu| gpu.ordinal).ok_or_else(|| format!("no GPU here runs code for {target}"))
}

impl Device {
    /// Every device there is, described in a line; a last line says why there is no GPU.
    pub fn describe_all() -> Vec<String> {
        let mut lines = vec![Device::Host.describe()];
        match devices() {
            Ok(gpus) if gpus.is_empty() => lines.push("cuda: the driver shows no GPU".to_string()),
            Ok(gpus) => lines.extend(gpus.iter().map(ToString::to_string)),
            Err(error) => lines.push(format!("cuda: {error}")),
        }
        lines
    }

    /// One line: name and size.
    pub fn describe(self) -> String {
        match self {
            Device::Host => {
                let threads = thread::available_parallelism().map_or(1, NonZero::get);
                format!("host: {threads} threads, {}", std::env::consts::ARCH)
            }
            Device::Cuda(ordinal) => match devices() {
                Ok(gpus) => {
                    gpus.get(ordinal as usize).map_or(format!("cuda:{ordinal}: not there"), ToString::to_string)
                }
                Err(error) => format!("cuda:{ordinal}: {error}"),
            },
        }
    }
}

/// Why there is no such device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// Never heard of.
    #[error("there is no device `{name}`: use `host`, `cuda`, `cuda:N` or `auto`")]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// No driver, or no such GPU.
    #[error("device `cuda`: {0}")]
    Cuda(#[from] CudaError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_by_name() {
        let choice = |name: &str| DeviceChoice::from_str(name).map_err(|error| error.to_string());
        assert_eq!(choice("host"), Ok(DeviceChoice::Only(Device::Host)));
        assert_eq!(choice("auto"), Ok(DeviceChoice::Auto));
        assert_eq!(choice("cuda"), Ok(DeviceChoice::Only(Device::Cuda(0))));
        assert_eq!(choice("cuda:3"), Ok(DeviceChoice::Only(Device::Cuda(3))));
        for name in ["tpu", "cuda:", "cuda:x", "cuda:-1", ""] {
            let message = format!("there is no device `{name}`: use `host`, `cuda`, `cuda:N` or `auto`");
            assert_eq!(choice(name), Err(message));
        }
    }

    #[test]
    fn auto_is_the_host_without_code() {
        assert_eq!(DeviceChoice::Auto.target(), Ok(None));
        let (device, why) = DeviceChoice::Auto.resolve(None);
        assert_eq!((device, why.as_str()), (Device::Host, "the artifact has no code for a GPU"));
    }
}
