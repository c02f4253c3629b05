//! What the solvers share: reading matrices in double precision, and writing them back rounded once.

use half::{bf16, f16};
use num_complex::{Complex, ComplexFloat};
use pygraph_artifact::dtype::DType;

use super::matrix::{Number, elements_as, narrow_complex};
use crate::{
    scalar::real::Real,
    tensor::{TensorMut, TensorRef},
};

/// What solvers compute in: `f64` or complex pairs of it.
pub trait Wide: Number + ComplexFloat<Real = f64> {
    /// Of a real number.
    fn of_real(value: f64) -> Self;
    /// Real and imaginary part.
    fn parts(self) -> Complex<f64>;
}

impl Wide for f64 {
    fn of_real(value: f64) -> f64 {
        value
    }
    fn parts(self) -> Complex<f64> {
        Complex::new(self, 0.0)
    }
}

impl Wide for Complex<f64> {
    fn of_real(value: f64) -> Complex<f64> {
        Complex::new(value, 0.0)
    }
    fn parts(self) -> Complex<f64> {
        self
    }
}

/// Size of what a solver computes in for a type, in bytes.
pub fn wide_bytes(dtype: DType) -> u64 {
    if dtype.is_complex() { 16 } else { 8 }
}

/// The elements, wide.
pub fn load<T: Wide>(tensor: &TensorRef<'_>) -> Vec<T> {
    elements_as::<T>(tensor).into_owned()
}

/// Writes numbers as a float or complex type, rounded once.
pub fn store<T: Wide>(values: &[T], output: &mut TensorMut<'_>) {
    macro_rules! store {
        ($t:ty, $narrow:expr) => {{
            let out: &mut [$t] = bytemuck::cast_slice_mut(output.bytes);
            out.iter_mut().zip(values).for_each(|(out, value)| *out = $narrow(value.parts()));
        }};
    }
    match output.ty.dtype {
        DType::Bf16 => store!(bf16, |x: Complex<f64>| <bf16 as Real>::from_f64(x.re)),
        DType::F16 => store!(f16, |x: Complex<f64>| <f16 as Real>::from_f64(x.re)),
        DType::F32 => store!(f32, |x: Complex<f64>| x.re as f32),
        DType::F64 => store!(f64, |x: Complex<f64>| x.re),
        DType::C64 => store!(Complex<f32>, narrow_complex),
        _ => store!(Complex<f64>, |x| x),
    }
}

/// Extents of a batch of matrices, at least 2 dimensions: how many, rows, columns.
pub fn matrices(shape: &[u64]) -> Option<[usize; 3]> {
    let [batch @ .., rows, columns] = shape else { return None };
    Some([batch.iter().product::<u64>() as usize, *rows as usize, *columns as usize])
}
