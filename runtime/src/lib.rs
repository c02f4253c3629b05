//! Loads an artifact and runs it. Knows no MLIR.
//!
//! An artifact (immutable, shared) becomes a [`model::Model`] (prepared for a device, with weights), and that any number
//! of [`session::Session`]s (state and outputs). `pygraph-run` is [`run`], `pygraph-bench` is [`mod@bench`].

pub mod bench;
pub mod caches;
pub mod compare;
pub mod cuda;
pub mod describe;
pub mod device;
pub mod host;
pub mod init;
pub mod knobs;
pub mod memory;
pub mod model;
pub mod npz;
pub mod random_state;
pub mod run;
pub mod session;
pub mod tensor;
pub mod weights;
