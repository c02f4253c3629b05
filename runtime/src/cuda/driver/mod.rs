//! The CUDA driver, and NVIDIA's library of products: the one module that calls `cudarc`'s `sys`.
//!
//! `cudarc`'s own safe layer has neither graphs of explicit nodes nor virtual memory, and its functions panic where a symbol is
//! missing. So nothing is called before [`load`] has seen a library and asked for its version.
//!
//! The driver's calls on memory are made safe by its owners: [`DeviceBytes`], [`PinnedBytes`] and what maps memory wait, when they
//! are dropped, until the GPU has done what it was given. Whoever cannot wait keeps them.

mod blas;
mod context;
mod error;
mod graph;
mod memory;
mod module;
mod ranges;
mod stream;
mod virtual_memory;

pub use blas::{ALIGNMENT, Algorithm, Blas, Matrices};
pub use context::{Context, Current, DeviceProperties, devices, load};
pub use error::{CudaError, DriverVersion};
pub use graph::{Conditional, Graph, GraphExec, GraphNode};
pub use memory::{DeviceBytes, MemoryCounts, PinnedBytes};
pub use module::{Function, Grid, Module};
pub use ranges::Range;
pub use stream::{Event, ForeignStream, Rows, Stream};
pub use virtual_memory::{AddressRange, PhysicalHandle, granularity};
