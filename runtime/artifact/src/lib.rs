//! The compiled model: the types that the compiler writes and the runtime reads.
//!
//! Nothing else is shared between the two. An artifact is untrusted input: what this crate reads is validated
//! before it is handed out.

pub mod dtype;
pub mod plan;
pub mod scalar;
