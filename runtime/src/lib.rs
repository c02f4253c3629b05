//! Loads an artifact and runs it. Knows no MLIR.

pub mod compare;
pub mod describe;
pub mod device;
pub mod host;
pub mod init;
pub mod knobs;
pub mod model;
pub mod npz;
pub mod run;
pub mod session;
pub mod tensor;
pub mod weights;
