//! Arrays that cross the runtime's border: inputs, weights, state and outputs.

use std::{fmt, ops::Range, sync::Arc};

use pygraph_artifact::{
    bytes::{AlignedBytes, FileBytes, OutOfMemory},
    dtype::{DType, Family},
    validate::array_bytes,
};

use crate::cuda::{driver::CudaError, tensor::DeviceTensor};

/// An array on any device.
#[derive(Debug, Clone)]
pub enum Array {
    /// In the host's memory.
    Host(Tensor),
    /// In a GPU's memory.
    Device(DeviceTensor),
}

impl Array {
    /// Element type.
    pub fn dtype(&self) -> DType {
        match self {
            Array::Host(tensor) => tensor.dtype(),
            Array::Device(tensor) => tensor.dtype(),
        }
    }

    /// Extents, outermost first.
    pub fn shape(&self) -> &[u64] {
        match self {
            Array::Host(tensor) => tensor.shape(),
            Array::Device(tensor) => tensor.shape(),
        }
    }

    /// The same array if the host has it, else a copy, once everything that the GPU was given before is done.
    pub fn to_host(&self) -> Result<Tensor, TensorError> {
        match self {
            Array::Host(tensor) => Ok(tensor.clone()),
            Array::Device(tensor) => tensor.to_host(),
        }
    }

    /// The array if the host has it.
    pub fn host(&self) -> Option<&Tensor> {
        match self {
            Array::Host(tensor) => Some(tensor),
            Array::Device(_) => None,
        }
    }

    /// True if it can be written: nobody else has it, and it is no file.
    pub(crate) fn is_unshared(&mut self) -> bool {
        match self {
            Array::Host(tensor) => tensor.bytes_mut().is_some(),
            Array::Device(tensor) => tensor.is_unshared(),
        }
    }
}

impl From<Tensor> for Array {
    fn from(tensor: Tensor) -> Array {
        Array::Host(tensor)
    }
}

impl From<DeviceTensor> for Array {
    fn from(tensor: DeviceTensor) -> Array {
        Array::Device(tensor)
    }
}

/// A dense row-major array, aligned to at least [`Tensor::ALIGNMENT_MIN`]. A clone shares the bytes.
#[derive(Debug, Clone)]
pub struct Tensor {
    dtype: DType,
    shape: Vec<u64>,
    bytes: TensorBytes,
}

#[derive(Debug, Clone)]
enum TensorBytes {
    Owned(Arc<AlignedBytes>),
    /// A part of a mapped file, read in place.
    Mapped {
        file: Arc<FileBytes>,
        range: Range<usize>,
    },
    /// Memory of somebody else, read in place.
    Foreign(Arc<dyn ForeignBytes>),
}

/// Memory that a caller keeps alive, for an array that is read where it lies. Its bytes stay where they are, and as they are while the
/// array is an argument's value: a session may have read them before a step, or read them in a later one.
pub trait ForeignBytes: fmt::Debug + Send + Sync {
    /// All of them; every call gives the same.
    fn bytes(&self) -> &[u8];
}

impl Tensor {
    /// What a device expects of the address of an array, in bytes.
    pub const ALIGNMENT_MIN: usize = 16;

    /// An array over `bytes`, which must have the size that the type and shape say.
    pub fn new(dtype: DType, shape: &[u64], bytes: AlignedBytes) -> Result<Tensor, TensorError> {
        check_size(dtype, shape, bytes.len())?;
        Ok(Tensor { dtype, shape: shape.to_vec(), bytes: TensorBytes::Owned(Arc::new(bytes)) })
    }

    /// An array of zeros.
    pub fn zeros(dtype: DType, shape: &[u64]) -> Result<Tensor, TensorError> {
        let bytes = array_bytes(dtype, shape).ok_or_else(|| TensorError::TooLarge { dtype, shape: shape.to_vec() })?;
        Tensor::new(dtype, shape, AlignedBytes::zeroed(bytes)?)
    }

    /// An array over a part of a file, in place where its address allows it, else copied.
    pub fn in_file(
        dtype: DType,
        shape: &[u64],
        file: &Arc<FileBytes>,
        range: Range<usize>,
    ) -> Result<Tensor, TensorError> {
        check_size(dtype, shape, range.len())?;
        let part = file.get(range.clone()).ok_or(TensorError::Size {
            dtype,
            shape: shape.to_vec(),
            bytes: file.len() as u64,
        })?;
        if !(part.as_ptr() as usize).is_multiple_of(Tensor::ALIGNMENT_MIN) {
            return Tensor::new(dtype, shape, AlignedBytes::copy_of(part)?);
        }
        let bytes = TensorBytes::Mapped { file: file.clone(), range };
        Ok(Tensor { dtype, shape: shape.to_vec(), bytes })
    }

    /// An array over memory of somebody else, in place where its address allows it, else copied.
    pub fn of_foreign(dtype: DType, shape: &[u64], memory: Arc<dyn ForeignBytes>) -> Result<Tensor, TensorError> {
        let bytes = memory.bytes();
        check_size(dtype, shape, bytes.len())?;
        if !(bytes.as_ptr() as usize).is_multiple_of(Tensor::ALIGNMENT_MIN) {
            return Tensor::new(dtype, shape, AlignedBytes::copy_of(bytes)?);
        }
        Ok(Tensor { dtype, shape: shape.to_vec(), bytes: TensorBytes::Foreign(memory) })
    }

    /// The same bytes as another type of the same size.
    pub fn reinterpreted(&self, dtype: DType, shape: &[u64]) -> Result<Tensor, TensorError> {
        check_size(dtype, shape, self.bytes().len())?;
        Ok(Tensor { dtype, shape: shape.to_vec(), bytes: self.bytes.clone() })
    }

    /// Element type.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Extents, outermost first.
    pub fn shape(&self) -> &[u64] {
        &self.shape
    }

    /// The elements, little-endian.
    pub fn bytes(&self) -> &[u8] {
        match &self.bytes {
            TensorBytes::Owned(bytes) => bytes,
            TensorBytes::Mapped { file, range } => &file[range.clone()],
            TensorBytes::Foreign(memory) => memory.bytes(),
        }
    }

    /// The elements, to write; none if they are shared or mapped.
    pub fn bytes_mut(&mut self) -> Option<&mut [u8]> {
        match &mut self.bytes {
            TensorBytes::Owned(bytes) => Arc::get_mut(bytes).map(|bytes| &mut **bytes),
            TensorBytes::Mapped { .. } | TensorBytes::Foreign(_) => None,
        }
    }

    /// This array borrowed.
    pub fn view(&self) -> TensorView<'_> {
        TensorView { dtype: self.dtype, shape: &self.shape, bytes: self.bytes() }
    }
}

/// A dense row-major array that belongs to somebody else.
#[derive(Debug, Clone, Copy)]
pub struct TensorView<'a> {
    /// Element type.
    pub dtype: DType,
    /// Extents, outermost first.
    pub shape: &'a [u64],
    /// The elements, little-endian.
    pub bytes: &'a [u8],
}

fn check_size(dtype: DType, shape: &[u64], bytes: usize) -> Result<(), TensorError> {
    match array_bytes(dtype, shape) {
        None => Err(TensorError::TooLarge { dtype, shape: shape.to_vec() }),
        Some(expected) if expected != bytes as u64 => {
            Err(TensorError::Size { dtype, shape: shape.to_vec(), bytes: bytes as u64 })
        }
        Some(_) => Ok(()),
    }
}

/// Refuses bytes that are no value of a type narrower than its storage.
pub fn check_elements(dtype: DType, bytes: &[u8]) -> Result<(), TensorError> {
    let shift = 8_u32.saturating_sub(dtype.bits());
    if shift == 0 {
        return Ok(());
    }
    let is_value = |byte: u8| match dtype.family() {
        Family::Signed => ((byte as i8) << shift) >> shift == byte as i8,
        _ => (byte << shift) >> shift == byte,
    };
    match bytes.iter().position(|byte| !is_value(*byte)) {
        Some(element) => Err(TensorError::Element { element, byte: bytes[element], dtype }),
        None => Ok(()),
    }
}

/// A type and shape as errors show them: `4x8xf32`.
pub fn type_text(dtype: DType, shape: &[u64]) -> String {
    shape.iter().map(|extent| format!("{extent}x")).collect::<String>() + dtype.name()
}

/// Why there is no such array.
#[derive(Debug, thiserror::Error)]
pub enum TensorError {
    /// Bytes and type do not fit together.
    #[error("{bytes} bytes are not a {}", type_text(*dtype, shape))]
    Size {
        /// Element type.
        dtype: DType,
        /// Extents.
        shape: Vec<u64>,
        /// What there is.
        bytes: u64,
    },
    /// Beyond every cap.
    #[error("a {} is larger than any array may be", type_text(*dtype, shape))]
    TooLarge {
        /// Element type.
        dtype: DType,
        /// Extents.
        shape: Vec<u64>,
    },
    /// A byte that is no value of the type.
    #[error("element {element} is {byte:#04x}, which is no {dtype}")]
    Element {
        /// Which.
        element: usize,
        /// Its byte.
        byte: u8,
        /// The model's type.
        dtype: DType,
    },
    /// No memory for it.
    #[error(transparent)]
    OutOfMemory(#[from] OutOfMemory),
    /// The GPU's driver refused.
    #[error(transparent)]
    Cuda(#[from] CudaError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_types_hold_their_values_only() {
        let check = |dtype, bytes: &[u8]| check_elements(dtype, bytes).map_err(|error| error.to_string());
        assert_eq!(check(DType::I1, &[0, 1]), Ok(()));
        assert_eq!(check(DType::I1, &[0, 2]), Err("element 1 is 0x02, which is no i1".to_string()));
        assert_eq!(check(DType::I4, &[7, 0xf8]), Ok(()));
        assert_eq!(check(DType::I4, &[8]), Err("element 0 is 0x08, which is no i4".to_string()));
        assert_eq!(check(DType::U4, &[15]), Ok(()));
        assert_eq!(check(DType::U4, &[16]), Err("element 0 is 0x10, which is no ui4".to_string()));
        assert_eq!(check(DType::I8, &[0x80]), Ok(()));
    }

    #[test]
    fn sizes_fit_types() {
        let check = |dtype, shape: &[u64], bytes: &[u8]| {
            let bytes = AlignedBytes::copy_of(bytes).expect("memory");
            Tensor::new(dtype, shape, bytes).map(|_| ()).map_err(|error| error.to_string())
        };
        assert_eq!(check(DType::F32, &[2], &[0; 8]), Ok(()));
        assert_eq!(check(DType::F32, &[], &[0; 4]), Ok(()));
        assert_eq!(check(DType::F32, &[2], &[0; 7]), Err("7 bytes are not a 2xf32".to_string()));
        let huge = Err("a 1099511627776xf32 is larger than any array may be".to_string());
        assert_eq!(check(DType::F32, &[1 << 40], &[]), huge);
        let vast = Tensor::zeros(DType::I8, &[1 << 40]).map(|_| ()).map_err(|error| error.to_string());
        assert!(vast.is_ok() || vast == Err("cannot allocate 1099511627776 bytes of host memory".to_string()));
    }

    #[test]
    fn a_clone_shares_and_does_not_write() {
        let mut tensor = Tensor::zeros(DType::I8, &[4]).expect("memory");
        assert!(tensor.bytes_mut().is_some());
        let clone = tensor.clone();
        assert!(tensor.bytes_mut().is_none());
        assert_eq!(clone.bytes().as_ptr(), tensor.bytes().as_ptr());
    }
}
