//! The devices that a model can run on.

use std::{num::NonZero, thread};

/// A device that this release can run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// This machine's processors.
    Host,
}

impl Device {
    /// The device of that name; `auto` takes the fastest there is.
    pub fn select(name: &str) -> Result<Device, DeviceError> {
        match name {
            "host" | "auto" => Ok(Device::Host),
            "cuda" => Err(DeviceError::NotYet { name: name.to_string() }),
            _ => Err(DeviceError::Unknown { name: name.to_string() }),
        }
    }

    /// Every device there is.
    pub fn all() -> Vec<Device> {
        vec![Device::Host]
    }

    /// One line: name and size.
    pub fn describe(self) -> String {
        match self {
            Device::Host => {
                let threads = thread::available_parallelism().map_or(1, NonZero::get);
                format!("host: {threads} threads, {}", std::env::consts::ARCH)
            }
        }
    }
}

/// Why there is no such device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// Planned.
    #[error("device `{name}` is not there yet: use `host`")]
    NotYet {
        /// What was asked for.
        name: String,
    },
    /// Never heard of.
    #[error("there is no device `{name}`: use `host` or `auto`")]
    Unknown {
        /// What was asked for.
        name: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_by_name() {
        assert_eq!(Device::select("host"), Ok(Device::Host));
        assert_eq!(Device::select("auto"), Ok(Device::Host));
        let message = |name| Device::select(name).map_err(|error| error.to_string());
        assert_eq!(message("cuda"), Err("device `cuda` is not there yet: use `host`".to_string()));
        assert_eq!(message("tpu"), Err("there is no device `tpu`: use `host` or `auto`".to_string()));
    }
}
