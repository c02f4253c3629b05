//! Views of dense row-major arrays.

use pygraph_artifact::dtype::DType;

/// Type and extents of a buffer, without its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TensorType<'a> {
    /// Element type.
    pub dtype: DType,
    /// Extents, outermost first.
    pub shape: &'a [u64],
}

impl TensorType<'_> {
    /// Number of elements: the product of the extents.
    pub fn element_count(&self) -> usize {
        if self.shape.contains(&0) {
            return 0;
        }
        self.shape.iter().map(|extent| *extent as usize).product()
    }

    /// Storage size in bytes; none where it exceeds what an address can hold.
    pub fn checked_size_bytes(&self) -> Option<usize> {
        if self.shape.contains(&0) {
            return Some(0);
        }
        let start = u64::try_from(self.dtype.size_bytes()).ok()?;
        let bytes = self.shape.iter().try_fold(start, |bytes, extent| bytes.checked_mul(*extent))?;
        usize::try_from(isize::try_from(bytes).ok()?).ok()
    }

    /// Storage size in bytes.
    pub fn size_bytes(&self) -> usize {
        self.element_count() * self.dtype.size_bytes()
    }
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
