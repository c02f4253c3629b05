//! The CUDA device: runs a plan on a GPU with the code that the artifact holds for it.
//!
//! A model loads code and constants once ([`program::CudaProgram`]); a session has memory on the GPU, and records each segment as one
//! graph of explicit nodes ([`lists`]), instantiated and uploaded before the first step. What changes from step to step is in parameter blocks,
//! sent with one transfer a step; no node of a graph is ever patched.

pub mod addresses;
pub mod driver;
mod gate;
pub mod gpu;
pub mod libraries;
pub mod lists;
pub(crate) mod measure;
pub(crate) mod memory;
pub mod options;
pub mod program;
mod recorded;
pub(crate) mod session;
mod state;
mod streams;
pub mod tensor;
mod transfer;
pub mod tuning;
mod turn;
