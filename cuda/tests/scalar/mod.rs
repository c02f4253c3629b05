//! What is compared of the scalar language, and how.

pub mod cases;
pub mod tolerance;
pub mod values;
