//! Kernels: one manifest entry each, with the plain Rust reference beside it.
//!
//! - [`manifest`]: what a kernel is called, its attributes, its check and its reference.
//! - [`tensor`]: the views that kernels read and write.

pub mod manifest;
pub mod tensor;
