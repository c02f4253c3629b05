//! What a session moves to and on its GPU beside the work of kernels: every copy of arrays is made and counted here.

use super::{
    driver::{CudaError, PinnedBytes, Stream},
    tensor::DeviceTensor,
};
use crate::host::Copies;

/// Copies an array of the host to one of the GPU, of as many bytes, and waits for it.
pub(super) fn import(stream: &Stream, from: &[u8], to: &DeviceTensor, copies: &mut Copies) -> Result<(), CudaError> {
    assert_eq!(from.len() as u64, to.size_bytes(), "both arrays should have as many bytes");
    copies.imported_bytes += to.size_bytes();
    // SAFETY: both arrays have as many bytes.
    unsafe { stream.upload_now(from, to.address()) }
}

/// The same through pinned memory, which the GPU must have done with, and without waiting.
pub(super) fn import_staged(
    stream: &Stream,
    from: &[u8],
    pinned: &mut PinnedBytes,
    to: &DeviceTensor,
    copies: &mut Copies,
) -> Result<(), CudaError> {
    copies.imported_bytes += to.size_bytes();
    // SAFETY: the caller has waited until the GPU has read what was there.
    unsafe { pinned.bytes_mut() }.copy_from_slice(from);
    stream.upload(pinned, 0, to.device_bytes(), 0, to.size_bytes())
}

/// Copies an array of a caller that lies on the GPU. The caller of this keeps it until the step has ended.
pub(super) fn import_on_gpu(
    stream: &Stream,
    from: &DeviceTensor,
    to: &DeviceTensor,
    copies: &mut Copies,
) -> Result<(), CudaError> {
    assert_eq!(from.size_bytes(), to.size_bytes(), "both arrays should have as many bytes");
    copies.imported_bytes += to.size_bytes();
    // SAFETY: both arrays have as many bytes, and live until the step has ended.
    unsafe { stream.copy(from.address(), to.address(), to.size_bytes()) }
}

/// Where a value lies that is carried to the next step.
pub(super) enum Carried<'a> {
    Gpu(u64),
    Host(&'a [u8]),
}

/// Copies what is carried to state.
///
/// # Safety
/// An address is that of as many bytes as the state has, until the step has ended.
pub(super) unsafe fn carry(
    stream: &Stream,
    from: Carried<'_>,
    to: &DeviceTensor,
    copies: &mut Copies,
) -> Result<(), CudaError> {
    copies.count += 1;
    copies.bytes += to.size_bytes();
    match from {
        // SAFETY: the caller's promise.
        Carried::Gpu(address) => unsafe { stream.copy(address, to.address(), to.size_bytes()) },
        Carried::Host(bytes) => {
            assert_eq!(bytes.len() as u64, to.size_bytes(), "both arrays should have as many bytes");
            // SAFETY: as just checked.
            unsafe { stream.upload_now(bytes, to.address()) }
        }
    }
}
