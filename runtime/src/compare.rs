//! Compares what a model computed with what was expected.

use half::{bf16, f16};
use num_complex::Complex64;
use pygraph_artifact::dtype::{DType, Family};

use crate::tensor::TensorView;

/// How far a float may lie from what was expected. Integers and truth values must be equal, NaN equals NaN, and
/// infinities must be the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Tolerance {
    /// The element type's own: [`default_tolerance`] of the largest expected magnitude in the array.
    PerType,
    /// This much of the largest expected magnitude in the array.
    OfLargest(f64),
    /// numpy's `allclose`: `|got - expected| <= absolute + relative * |expected|`, element by element.
    PerElement {
        /// Added whatever the magnitude.
        absolute: f64,
        /// Of the expected element's magnitude.
        relative: f64,
    },
}

/// What [`Tolerance::PerType`] allows, as a part of the largest magnitude.
pub fn default_tolerance(dtype: DType) -> f64 {
    match dtype {
        DType::F64 | DType::C128 => 1e-7,
        DType::F32 | DType::C64 => 1e-5,
        DType::F16 => 2e-2,
        DType::Bf16 => 5e-2,
        _ => 0.0,
    }
}

/// Below this, the largest magnitude counts as this much.
const MAGNITUDE_MIN: f64 = 1e-6;

/// Says how `got` differs from `expected`, an array of the same type; none if it is within the tolerance.
pub fn difference(got: TensorView, expected: TensorView, tolerance: Tolerance) -> Option<Difference> {
    assert_eq!((got.dtype, got.shape), (expected.dtype, expected.shape), "arrays should be of one type");
    let size = got.dtype.size_bytes();
    let pairs = || got.bytes.chunks_exact(size).zip(expected.bytes.chunks_exact(size)).enumerate();
    if matches!(got.dtype.family(), Family::Bool | Family::Signed | Family::Unsigned) {
        let unequal = pairs().filter(|(_, (g, e))| g != e);
        return worst_of(got, expected, unequal.map(|(element, _)| (element, f64::INFINITY)), 0.0);
    }

    let decoded = || pairs().map(|(element, (g, e))| (element, decode(got.dtype, g), decode(got.dtype, e)));
    let (allowed, scale) = match tolerance {
        Tolerance::PerElement { absolute, relative } => {
            let beyond = decoded().filter_map(|(element, g, e)| {
                let error = distance(g, e);
                let excess = error - (absolute + relative * e.norm());
                (error.is_infinite() || excess > 0.0).then_some((element, error))
            });
            return worst_of(got, expected, beyond, absolute);
        }
        Tolerance::OfLargest(allowed) => (allowed, largest(decoded().map(|(_, _, e)| e))),
        Tolerance::PerType => (default_tolerance(got.dtype), largest(decoded().map(|(_, _, e)| e))),
    };
    let beyond = decoded().filter_map(|(element, g, e)| {
        let error = distance(g, e) / scale;
        (error > allowed).then_some((element, error))
    });
    worst_of(got, expected, beyond, allowed)
}

/// The largest finite magnitude, at least [`MAGNITUDE_MIN`].
fn largest(values: impl Iterator<Item = Complex64>) -> f64 {
    values.filter(|v| v.is_finite()).map(|v| v.norm()).fold(MAGNITUDE_MIN, f64::max)
}

/// Zero if equal or both NaN, infinite if only one of them is NaN or infinite.
fn distance(got: Complex64, expected: Complex64) -> f64 {
    if got == expected || (got.is_nan() && expected.is_nan()) {
        0.0
    } else if got.is_finite() && expected.is_finite() {
        (got - expected).norm()
    } else {
        f64::INFINITY
    }
}

fn worst_of(
    got: TensorView,
    expected: TensorView,
    beyond: impl Iterator<Item = (usize, f64)>,
    allowed: f64,
) -> Option<Difference> {
    let mut count = 0;
    let mut worst: Option<(usize, f64)> = None;
    for (element, error) in beyond {
        count += 1;
        if worst.is_none_or(|(_, largest)| error > largest) {
            worst = Some((element, error));
        }
    }
    let (element, error) = worst?;
    Some(Difference {
        count,
        elements: got.bytes.len() / got.dtype.size_bytes(),
        index: index_of(element, got.shape),
        got: element_text(got, element),
        expected: element_text(expected, element),
        error,
        allowed,
    })
}

/// The index of an element in row-major order.
fn index_of(element: usize, shape: &[u64]) -> Vec<u64> {
    let mut rest = element as u64;
    let mut index: Vec<u64> = shape
        .iter()
        .rev()
        .map(|extent| {
            let position = rest % extent;
            rest /= extent;
            position
        })
        .collect();
    index.reverse();
    index
}

/// One element as text.
pub fn element_text(array: TensorView, element: usize) -> String {
    let size = array.dtype.size_bytes();
    let bytes = &array.bytes[element * size..(element + 1) * size];
    let mut wide = [0; 16];
    wide[..size].copy_from_slice(bytes);
    match array.dtype.family() {
        Family::Bool => (bytes[0] != 0).to_string(),
        Family::Unsigned => u128::from_le_bytes(wide).to_string(),
        Family::Signed => {
            let unused = 128 - 8 * size as u32;
            ((i128::from_le_bytes(wide) << unused) >> unused).to_string()
        }
        Family::Float | Family::MiniFloat => decode(array.dtype, bytes).re.to_string(),
        Family::Complex => decode(array.dtype, bytes).to_string(),
    }
}

fn decode(dtype: DType, bytes: &[u8]) -> Complex64 {
    if let Some(part) = dtype.complex_part() {
        let (re, im) = bytes.split_at(bytes.len() / 2);
        return Complex64::new(decode(part, re).re, decode(part, im).re);
    }
    if let Some(format) = dtype.minifloat() {
        return Complex64::new(format.decode(bytes[0]), 0.0);
    }
    let real = match (dtype, bytes) {
        (DType::Bf16, [a, b]) => bf16::from_le_bytes([*a, *b]).to_f64(),
        (DType::F16, [a, b]) => f16::from_le_bytes([*a, *b]).to_f64(),
        (DType::F32, [a, b, c, d]) => f64::from(f32::from_le_bytes([*a, *b, *c, *d])),
        (DType::F64, [a, b, c, d, e, f, g, h]) => f64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]),
        _ => f64::NAN,
    };
    Complex64::new(real, 0.0)
}

/// How an array differs.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "{count} of {elements} elements differ; the worst is {index:?}: {got}, expected {expected}{}",
    if error.is_finite() { format!(" (error {error:.2e}, allowed {allowed:.0e})") } else { String::new() }
)]
pub struct Difference {
    /// Elements beyond the tolerance.
    pub count: usize,
    /// Elements in all.
    pub elements: usize,
    /// The worst one's index.
    pub index: Vec<u64>,
    /// Its value.
    pub got: String,
    /// What it should be.
    pub expected: String,
    /// By how much, in the tolerance's measure; infinite where no distance makes sense.
    pub error: f64,
    /// What was allowed.
    pub allowed: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(dtype: DType, got: &[u8], expected: &[u8], tolerance: Tolerance, message: Option<&str>) {
        let shape = [(got.len() / dtype.size_bytes()) as u64];
        let view = |bytes| TensorView { dtype, shape: &shape, bytes };
        let text = difference(view(got), view(expected), tolerance).map(|difference| difference.to_string());
        assert_eq!(text.as_deref(), message);
    }

    fn floats(values: &[f32]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    fn check_floats(got: &[f32], expected: &[f32], tolerance: Tolerance, message: Option<&str>) {
        check(DType::F32, &floats(got), &floats(expected), tolerance, message);
    }

    #[test]
    fn integers_are_equal_or_not() {
        check(DType::I8, &[1, 0xff], &[1, 0xff], Tolerance::PerType, None);
        let message = "1 of 2 elements differ; the worst is [1]: -1, expected -2";
        check(DType::I8, &[1, 0xff], &[1, 0xfe], Tolerance::OfLargest(10.0), Some(message));
        let message = "1 of 1 elements differ; the worst is [0]: 255, expected 0";
        check(DType::U8, &[0xff], &[0], Tolerance::PerType, Some(message));
        let message = "1 of 1 elements differ; the worst is [0]: true, expected false";
        check(DType::I1, &[1], &[0], Tolerance::PerType, Some(message));
    }

    #[test]
    fn floats_are_measured_by_the_largest() {
        check_floats(&[1000.0, 0.001], &[1000.0, 0.002], Tolerance::PerType, None);
        check_floats(
            &[1.0, 2.5, 3.25],
            &[1.0, 2.0, 4.0],
            Tolerance::PerType,
            Some("2 of 3 elements differ; the worst is [2]: 3.25, expected 4 (error 1.88e-1, allowed 1e-5)"),
        );
        check_floats(&[3.25], &[4.0], Tolerance::OfLargest(0.2), None);
    }

    #[test]
    fn floats_can_be_measured_one_by_one() {
        let close = |absolute, relative| Tolerance::PerElement { absolute, relative };
        check_floats(&[1000.0, 0.001], &[1001.0, 0.001], close(0.0, 1e-2), None);
        check_floats(
            &[1000.0, 0.001],
            &[1000.0, 0.002],
            close(0.0, 1e-2),
            Some(
                "1 of 2 elements differ; the worst is [1]: 0.0010000000474974513, \
                  expected 0.0020000000949949026 (error 1.00e-3, allowed 0e0)",
            ),
        );
        check_floats(&[1000.0, 0.001], &[1000.0, 0.002], close(1e-2, 0.0), None);
    }

    #[test]
    fn nan_and_infinity_keep_their_places() {
        let (nan, inf) = (f32::NAN, f32::INFINITY);
        check_floats(&[nan, inf, -inf], &[nan, inf, -inf], Tolerance::PerType, None);
        let message = "1 of 1 elements differ; the worst is [0]: NaN, expected 1";
        check_floats(&[nan], &[1.0], Tolerance::OfLargest(1e9), Some(message));
        let message = "1 of 1 elements differ; the worst is [0]: inf, expected -inf";
        let close = Tolerance::PerElement { absolute: 1e9, relative: 1e9 };
        check_floats(&[inf], &[-inf], close, Some(message));
    }

    #[test]
    fn the_index_has_every_dimension() {
        let (got, expected) = ([0_u8; 12], [0_u8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0]);
        let view = |bytes| TensorView { dtype: DType::U8, shape: &[2, 2, 3], bytes };
        let found = difference(view(&got), view(&expected), Tolerance::PerType).expect("different");
        assert_eq!(found.index, [1, 1, 1]);
    }
}
