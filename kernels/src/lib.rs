//! Everything that a plan can launch, executed plainly: loop nests, and one manifest of named kernels.
//!
//! Two callers: the runtime's host device prepares work at load and runs it many times; the compiler's constant folder
//! runs it once.
//!
//! ```
//! use pygraph_artifact::{dtype::DType, plan::{Access, BufferId, Nest, Work}, scalar::*};
//! use pygraph_kernels::{memory::{Buffer, Bytes}, tensor::TensorType, work};
//!
//! let negate = ScalarInst::Op { op: ScalarOp::Neg, dtype: DType::I32, operands: vec![0], immediates: vec![] };
//! let access = |buffer| Access { buffer: BufferId(buffer), offset: 0, strides: vec![1] };
//! let nest = Nest {
//!     extents: vec![3],
//!     reduction_dims: 0,
//!     inputs: vec![access(0)],
//!     outputs: vec![access(1)],
//!     map: ScalarBody { inputs: vec![DType::I32], instructions: vec![negate], outputs: vec![1] },
//!     combine: None,
//! };
//! let ty = TensorType::dense(DType::I32, &[3]);
//! let prepared = work::prepare(&Work::Nest(nest), &[ty, ty])?;
//!
//! let input = Bytes::copy_of(&[1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0]);
//! let mut output = Bytes::zeroed(12);
//! prepared.run(&[Buffer::read_only(input.as_slice()), Buffer::writable(output.as_mut_slice())])?;
//! assert_eq!(output.as_slice()[..4], (-1i32).to_le_bytes());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - [`work`]: the entry point: check, then run.
//! - [`nest`]: the executor of loop nests.
//! - [`scalar`]: the scalar language on lanes.
//! - [`manifest`]: what a kernel is called, its attributes, its check and its reference.
//! - [`cuda`]: how a kernel runs on a GPU.
//! - [`memory`]: the bytes that launches read and write; [`tensor`]: the views that kernels get of them.

pub mod cuda;
pub mod kernels;
pub mod manifest;
pub mod memory;
pub mod native;
pub mod nest;
pub mod scalar;
pub mod tensor;
pub mod work;
