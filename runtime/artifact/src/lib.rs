//! The compiled model: the types that the compiler writes and the runtime reads.
//!
//! Nothing else is shared between the two. An artifact is untrusted input: what this crate reads is validated
//! before it is handed out.
//!
//! - [`plan`]: what a device executes, in the order it executes it.
//! - [`scalar`], [`dtype`]: the scalar language and its element types.
//! - [`deployment`]: the forms in which a segment can run.
//! - [`order`]: which steps must wait for which.
//! - [`join`]: launches that one kernel of a device does together.
//! - [`host_code`]: native code for the host device.
//! - [`library`]: products that a library of the device may compute.
//! - [`container`]: the file around a plan, its constants and its code.
//! - [`validate`]: what must hold of a plan.

pub mod atomic;
pub mod bytes;
pub mod container;
pub mod deployment;
pub mod device_code;
pub mod dtype;
pub mod host_code;
pub mod join;
pub mod library;
pub mod minifloat;
pub mod order;
pub mod plan;
pub mod scalar;
pub mod steps;
pub mod validate;
