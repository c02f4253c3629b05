//! Arrays that lie in a GPU's memory.

use std::sync::Arc;

use pygraph_artifact::{bytes::AlignedBytes, dtype::DType, validate::array_bytes};

use super::{
    driver::{CudaError, DeviceBytes},
    gpu::Gpu,
};
use crate::tensor::{Tensor, TensorError};

/// A dense row-major array in a GPU's memory. A clone shares the bytes.
#[derive(Debug, Clone)]
pub struct DeviceTensor {
    dtype: DType,
    shape: Vec<u64>,
    gpu: Arc<Gpu>,
    bytes: Arc<DeviceBytes>,
}

impl DeviceTensor {
    /// An array of zeros.
    pub fn zeros(gpu: &Arc<Gpu>, dtype: DType, shape: &[u64]) -> Result<DeviceTensor, TensorError> {
        let tensor = DeviceTensor::new(gpu, "an array", dtype, shape)?;
        // SAFETY: the array has so many bytes, and waits for the GPU when it is dropped.
        unsafe { gpu.stream().fill(tensor.address(), 0, tensor.size_bytes()) }?;
        Ok(tensor)
    }

    /// A copy of an array of the host.
    pub fn copy_of(gpu: &Arc<Gpu>, tensor: &Tensor) -> Result<DeviceTensor, TensorError> {
        let copy = DeviceTensor::new(gpu, "an array", tensor.dtype(), tensor.shape())?;
        // SAFETY: both have as many bytes as their type says.
        unsafe { gpu.stream().upload_now(tensor.bytes(), copy.address()) }?;
        Ok(copy)
    }

    /// An array whose elements are not said.
    pub(super) fn new(
        gpu: &Arc<Gpu>,
        what: &'static str,
        dtype: DType,
        shape: &[u64],
    ) -> Result<DeviceTensor, TensorError> {
        let bytes = array_bytes(dtype, shape).ok_or_else(|| TensorError::TooLarge { dtype, shape: shape.to_vec() })?;
        let bytes = Arc::new(DeviceBytes::new(gpu.context(), what, bytes)?);
        Ok(DeviceTensor { dtype, shape: shape.to_vec(), gpu: gpu.clone(), bytes })
    }

    /// A copy on the host, once everything that the GPU was given before is done.
    pub fn to_host(&self) -> Result<Tensor, TensorError> {
        let mut bytes = AlignedBytes::zeroed(self.size_bytes())?;
        self.read_into(&mut bytes)?;
        Tensor::new(self.dtype, &self.shape, bytes)
    }

    /// Copies the elements, of which there are as many bytes, once everything that the GPU was given before is done.
    pub(crate) fn read_into(&self, bytes: &mut [u8]) -> Result<(), CudaError> {
        assert_eq!(bytes.len() as u64, self.size_bytes(), "the bytes should be those of the array");
        // SAFETY: there are as many bytes on both sides.
        unsafe { self.gpu.stream().download_now(self.address(), bytes) }
    }

    /// The same bytes as another type of the same size.
    pub fn reinterpreted(&self, dtype: DType, shape: &[u64]) -> Result<DeviceTensor, TensorError> {
        if array_bytes(dtype, shape) != Some(self.size_bytes()) {
            return Err(TensorError::Size { dtype, shape: shape.to_vec(), bytes: self.size_bytes() });
        }
        Ok(DeviceTensor { dtype, shape: shape.to_vec(), gpu: self.gpu.clone(), bytes: self.bytes.clone() })
    }

    /// Element type.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Extents, outermost first.
    pub fn shape(&self) -> &[u64] {
        &self.shape
    }

    /// The GPU.
    pub fn gpu(&self) -> &Arc<Gpu> {
        &self.gpu
    }

    /// Where the elements lie on the GPU.
    pub fn address(&self) -> u64 {
        self.bytes.address()
    }

    /// Size in bytes.
    pub fn size_bytes(&self) -> u64 {
        self.bytes.len()
    }

    pub(super) fn device_bytes(&self) -> &DeviceBytes {
        &self.bytes
    }

    /// True if no clone of it lives.
    pub fn is_unshared(&self) -> bool {
        Arc::strong_count(&self.bytes) == 1
    }
}
