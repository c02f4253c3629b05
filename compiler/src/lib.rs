//! Reads a model graph as MLIR text and compiles it into an artifact. Never opens a device.
//!
//! - [`ir`]: the one IR of every level, its operation table, printer, parser and verifier.
//! - [`passes`]: one file a pass, and the pipelines.
//! - [`diagnostic`]: what is said about the user's input, at its location.

pub mod diagnostic;
pub mod emit;
pub mod ir;
pub mod lower;
pub mod passes;
