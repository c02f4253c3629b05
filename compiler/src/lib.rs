//! Reads a model graph as MLIR text and compiles it into an artifact. Never opens a device.
//!
//! - [`ir`]: the one IR of every level, its operation table, printer, parser and verifier.
//! - [`passes`]: one file a pass, and the pipelines.
//! - [`driver`]: from a file to IR that went through a pipeline; what the tools share.
//! - [`evaluate`]: runs the kernel level at compile time.
//! - [`knobs`]: every command-line option.
//! - [`cost`]: what launches cost on a device, by a model whose constants are a file.
//! - [`report`]: what became of a program, as JSON, a table or a page.
//! - [`diagnostic`]: what is said about the user's input, at its location.

pub mod cost;
pub mod diagnostic;
pub mod driver;
pub mod emit;
pub mod evaluate;
pub mod ir;
pub mod knobs;
pub mod lower;
pub mod passes;
pub mod report;
