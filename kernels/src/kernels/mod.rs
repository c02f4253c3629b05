//! The named kernels, one file each: what it is called, its check, its reference.

mod call;
pub mod check_almost_equal;
pub mod check_close;
pub mod check_equal;
mod compare;
pub mod contract;
pub mod convolution;
pub mod dynamic_slice;
pub mod dynamic_update_slice;
pub mod gather;
mod layout;
mod matrix;
pub mod scatter;
pub mod sort;
pub mod top_k;

#[cfg(test)]
mod tests;
