//! The elements of constants, one by one.

use std::sync::Arc;

use pygraph_artifact::dtype::{DType, Family};

use super::{TensorType, attribute::DenseElements};

impl DenseElements {
    /// A constant with one value everywhere.
    pub fn splat(ty: Arc<TensorType>, element: &[u8]) -> DenseElements {
        DenseElements { ty, bytes: element.into(), is_splat: true }
    }

    /// The storage of the only value, if there is only one.
    pub fn splat_bytes(&self) -> Option<&[u8]> {
        let size = self.ty.element.dtype()?.size_bytes();
        ((self.is_splat || self.ty.element_count() == Some(1)) && self.bytes.len() == size).then_some(&self.bytes[..])
    }

    /// All elements in order, as numbers. Only for integers and booleans.
    pub fn integers(&self) -> Option<Vec<i64>> {
        let dtype = self.ty.element.dtype()?;
        let stored: Option<Vec<i64>> =
            self.bytes.chunks_exact(dtype.size_bytes()).map(|bytes| integer(dtype, bytes)).collect();
        match (stored?, self.is_splat) {
            (values, true) => {
                let count = usize::try_from(self.ty.element_count()?).ok()?;
                Some(vec![*values.first()?; count])
            }
            (values, false) => Some(values),
        }
    }

    /// The only value as a number, if there is only one and it is an integer or a boolean.
    pub fn splat_integer(&self) -> Option<i64> {
        integer(self.ty.element.dtype()?, self.splat_bytes()?)
    }

    /// The only value as a number, if there is only one and it is a float.
    pub fn splat_float(&self) -> Option<f64> {
        let bytes = self.splat_bytes()?;
        Some(match self.ty.element.dtype()? {
            DType::F64 => f64::from_le_bytes(bytes.try_into().ok()?),
            DType::F32 => f64::from(f32::from_le_bytes(bytes.try_into().ok()?)),
            DType::F16 => half::f16::from_le_bytes(bytes.try_into().ok()?).to_f64(),
            DType::Bf16 => half::bf16::from_le_bytes(bytes.try_into().ok()?).to_f64(),
            _ => return None,
        })
    }

    /// The same elements under another type of as many elements of the same sort.
    pub fn with_type(&self, ty: Arc<TensorType>) -> DenseElements {
        DenseElements { ty, bytes: self.bytes.clone(), is_splat: self.is_splat }
    }
}

/// The number that an element's storage holds.
fn integer(dtype: DType, bytes: &[u8]) -> Option<i64> {
    let mut storage = [0u8; 8];
    storage.get_mut(..bytes.len())?.copy_from_slice(bytes);
    let bits = u64::from_le_bytes(storage);
    let unused = 64 - 8 * bytes.len() as u32;
    match dtype.family() {
        Family::Bool | Family::Unsigned => i64::try_from(bits).ok(),
        Family::Signed => Some(((bits << unused) as i64) >> unused),
        Family::Float | Family::MiniFloat | Family::Complex => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::ElementType;

    #[test]
    fn equal_elements_are_kept_once() {
        let ty = Arc::new(TensorType::new(&[3], ElementType::I32));
        let same = DenseElements::new(ty.clone(), [7i32; 3].iter().flat_map(|v| v.to_le_bytes()).collect());
        assert!(same.is_splat);
        assert_eq!(same.integers(), Some(vec![7, 7, 7]));
        assert_eq!(same.splat_integer(), Some(7));
        let other = DenseElements::new(ty, [1i32, -2, 3].iter().flat_map(|v| v.to_le_bytes()).collect());
        assert!(!other.is_splat);
        assert_eq!(other.integers(), Some(vec![1, -2, 3]));
        assert_eq!(other.splat_integer(), None);
    }

    #[test]
    fn floats_are_no_integers() {
        let ty = Arc::new(TensorType::new(&[], ElementType::F32));
        let one = DenseElements::splat(ty, &1.5f32.to_le_bytes());
        assert_eq!((one.integers(), one.splat_float()), (None, Some(1.5)));
    }
}
