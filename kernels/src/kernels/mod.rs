//! The named kernels, one file each: what it is called, its check, its reference.

pub mod attention;
mod attention_cuda;
mod call;
pub mod check_almost_equal;
pub mod check_close;
pub mod check_equal;
pub mod cholesky;
mod compare;
pub mod contract;
mod contract_cuda;
pub mod convolution;
mod convolution_cuda;
pub mod dynamic_slice;
pub mod dynamic_update_slice;
pub mod fft;
mod fft_cuda;
pub mod gather;
mod layout;
mod linear;
mod matrix;
mod order;
pub mod random_bits;
pub mod scan;
pub mod scatter;
mod scatter_cuda;
pub mod select_and_scatter;
pub mod sort;
pub mod top_k;
pub mod triangular_solve;
mod windows;

pub(crate) use layout::strides as dense_strides;

#[cfg(test)]
mod tests;
