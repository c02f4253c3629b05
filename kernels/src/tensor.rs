//! Views of arrays.

use pygraph_artifact::{dtype::DType, plan::Program};

/// Type, extents and layout of a buffer, without its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TensorType<'a> {
    /// Element type.
    pub dtype: DType,
    /// Extents, outermost first.
    pub shape: &'a [u64],
    /// From an element to the next along each dimension, in elements; none if it is dense and row-major.
    pub strides: Option<&'a [u64]>,
}

impl<'a> TensorType<'a> {
    /// A dense row-major array.
    pub const fn dense(dtype: DType, shape: &'a [u64]) -> TensorType<'a> {
        TensorType { dtype, shape, strides: None }
    }

    /// Number of elements: the product of the extents.
    pub fn element_count(&self) -> usize {
        if self.shape.contains(&0) {
            return 0;
        }
        self.shape.iter().map(|extent| *extent as usize).product()
    }

    /// From the first element to the end of the last, in bytes; none where it exceeds what an address can hold.
    pub fn checked_size_bytes(&self) -> Option<usize> {
        if self.shape.contains(&0) {
            return Some(0);
        }
        let size = u64::try_from(self.dtype.size_bytes()).ok()?;
        let elements = match self.strides {
            None => self.shape.iter().try_fold(1, |count: u64, extent| count.checked_mul(*extent))?,
            Some(strides) => self
                .shape
                .iter()
                .zip(strides)
                .try_fold(1, |end: u64, (extent, stride)| end.checked_add((extent - 1).checked_mul(*stride)?))?,
        };
        usize::try_from(isize::try_from(elements.checked_mul(size)?).ok()?).ok()
    }

    /// From the first element to the end of the last, in bytes.
    pub fn size_bytes(&self) -> usize {
        self.checked_size_bytes().expect("a size should be checked before it is asked for")
    }

    /// The same in elements.
    pub fn span_elements(&self) -> usize {
        self.size_bytes() / self.dtype.size_bytes()
    }

    /// From an element to the next along each dimension, in elements.
    pub fn strides(&self) -> Vec<usize> {
        match self.strides {
            Some(strides) => strides.iter().map(|stride| *stride as usize).collect(),
            None => crate::kernels::dense_strides(self.shape),
        }
    }
}

/// The types of all buffers of a program, by number.
pub fn buffer_types(program: &Program) -> Vec<TensorType<'_>> {
    program
        .buffers
        .iter()
        .map(|buffer| TensorType { dtype: buffer.dtype, shape: &buffer.shape, strides: program.strides(buffer) })
        .collect()
}

/// A buffer that is read.
#[derive(Debug, Clone, Copy)]
pub struct TensorRef<'a> {
    /// Type and extents.
    pub ty: TensorType<'a>,
    /// [`TensorType::size_bytes`] bytes, aligned to at least 16.
    pub bytes: &'a [u8],
}

/// A buffer that is written.
#[derive(Debug)]
pub struct TensorMut<'a> {
    /// Type and extents.
    pub ty: TensorType<'a>,
    /// [`TensorType::size_bytes`] bytes, aligned to at least 16.
    pub bytes: &'a mut [u8],
}
