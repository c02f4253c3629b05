//! Inputs of a contraction as matrices: free dimensions are rows, contracted ones columns.

use std::{array, ops::Range};

use half::{bf16, f16};
use num_complex::Complex;
use pygraph_artifact::dtype::DType;
use rayon::prelude::*;

use super::{call::elements, contract::typed, layout::strides};
use crate::{memory::Matrix, nest::walk::Walk, scalar::real::Real, tensor::TensorRef};

/// A type that products are computed in.
pub trait Number: bytemuck::Pod + Send + Sync {
    /// The number itself, wrapped or rounded.
    fn from_integer(value: i64) -> Self;
    /// The number itself.
    fn from_f32(value: f32) -> Self;
    /// The number, rounded.
    fn from_f64(value: f64) -> Self;
    /// The number, rounded; a real type takes the real part.
    fn from_complex(value: Complex<f64>) -> Self;
}

macro_rules! number {
    ($t:ty, $integer:expr, $f32:expr, $f64:expr, $complex:expr) => {
        impl Number for $t {
            #[inline(always)]
            fn from_integer(value: i64) -> $t {
                $integer(value)
            }
            #[inline(always)]
            fn from_f32(value: f32) -> $t {
                $f32(value)
            }
            #[inline(always)]
            fn from_f64(value: f64) -> $t {
                $f64(value)
            }
            #[inline(always)]
            fn from_complex(value: Complex<f64>) -> $t {
                $complex(value)
            }
        }
    };
}
number!(i32, |x| x as i32, |x| x as i32, |x| x as i32, |x: Complex<f64>| x.re as i32);
number!(i64, |x| x, |x| x as i64, |x| x as i64, |x: Complex<f64>| x.re as i64);
number!(f32, |x| x as f32, |x| x, |x| x as f32, |x: Complex<f64>| x.re as f32);
number!(f64, |x| x as f64, f64::from, |x| x, |x: Complex<f64>| x.re);
number!(
    Complex<f32>,
    |x| Complex::new(x as f32, 0.0),
    |x| Complex::new(x, 0.0),
    |x| Complex::new(x as f32, 0.0),
    narrow_complex
);
number!(
    Complex<f64>,
    |x| Complex::new(x as f64, 0.0),
    |x| Complex::new(f64::from(x), 0.0),
    |x| Complex::new(x, 0.0),
    |x| x
);

/// Both parts, rounded.
pub fn narrow_complex(value: Complex<f64>) -> Complex<f32> {
    Complex::new(value.re as f32, value.im as f32)
}

/// The free and contracted dimensions of one input.
pub struct Side {
    free: Vec<(u64, i64)>,
    contract: Vec<(u64, i64)>,
}

/// A block of rows, in place or converted.
pub enum Block<'a, T> {
    /// As stored.
    Stored(Matrix<'a, T>),
    /// Converted, with the strides from row to row and from column to column.
    Packed(Vec<T>, usize, usize),
}

impl<T> Block<'_, T> {
    /// It, as a matrix.
    pub fn as_matrix(&self) -> Matrix<'_, T> {
        match self {
            Block::Stored(Matrix { elements, row_stride, column_stride }) => {
                Matrix { elements, row_stride: *row_stride, column_stride: *column_stride }
            }
            Block::Packed(elements, row_stride, column_stride) => {
                Matrix { elements, row_stride: *row_stride, column_stride: *column_stride }
            }
        }
    }
}

impl<'a, T> Matrix<'a, T> {
    /// Rows as columns.
    pub fn transposed(self) -> Matrix<'a, T> {
        Matrix { elements: self.elements, row_stride: self.column_stride, column_stride: self.row_stride }
    }
}

/// Elements that are converted at a time.
const BLOCK_ELEMENTS: usize = 1 << 22;

impl Side {
    /// The dimensions of an input of that shape.
    pub fn new(shape: &[u64], free: &[usize], contract: &[usize]) -> Side {
        let strides = strides(shape);
        let of = |dimension: &usize| (shape[*dimension], strides[*dimension] as i64);
        Side { free: free.iter().map(of).collect(), contract: contract.iter().map(of).collect() }
    }

    /// How many rows.
    pub fn free_count(&self) -> usize {
        self.free.iter().map(|(extent, _)| *extent as usize).product()
    }

    /// How many columns.
    pub fn contract_count(&self) -> usize {
        self.contract.iter().map(|(extent, _)| *extent as usize).product()
    }

    /// From row to row and from column to column, where each is one stride.
    fn strides(&self) -> Option<(usize, usize)> {
        Some((single_stride(&self.free)?, single_stride(&self.contract)?))
    }

    /// The rows, cut so that one block's conversion stays small; all at once where none is needed.
    pub fn blocks<T: 'static + bytemuck::Pod>(&self, tensor: &TensorRef<'_>) -> Vec<Range<usize>> {
        let rows = self.free_count();
        let is_stored = typed::<T>(tensor).is_some() && self.strides().is_some();
        let step = if is_stored { rows } else { (BLOCK_ELEMENTS / self.contract_count()).clamp(1, rows) };
        (0..rows).step_by(step).map(|start| start..(start + step).min(rows)).collect()
    }

    /// Some rows as a matrix of `T`, from element `base` on.
    pub fn matrix<'a, T: Number>(&self, tensor: &TensorRef<'a>, base: usize, rows: Range<usize>) -> Block<'a, T> {
        if let (Some(elements), Some((row_stride, column_stride))) = (typed::<T>(tensor), self.strides()) {
            let elements = &elements[base + rows.start * row_stride..];
            return Block::Stored(Matrix { elements, row_stride, column_stride });
        }
        let columns = self.contract_count();
        let is_row_contiguous = self.contract.iter().rev().find(|(extent, _)| *extent > 1).is_none_or(|of| of.1 == 1);
        if is_row_contiguous {
            return Block::Packed(self.pack_rows(tensor, base, rows), columns, 1);
        }
        let dimensions = [&self.contract[..], &self.free[..]].concat();
        let (all, count) = (self.free_count(), rows.len());
        let packed = pack(tensor, base, &dimensions, columns, count, |column| column * all + rows.start);
        Block::Packed(packed, 1, count)
    }

    /// Some rows, one after the other.
    pub fn pack_rows<T: Number>(&self, tensor: &TensorRef<'_>, base: usize, rows: Range<usize>) -> Vec<T> {
        let columns = self.contract_count();
        let dimensions = [&self.free[..], &self.contract[..]].concat();
        pack(tensor, base, &dimensions, rows.len(), columns, |row| (rows.start + row) * columns)
    }
}

/// The stride that goes through all these dimensions in order, if there is one.
fn single_stride(dimensions: &[(u64, i64)]) -> Option<usize> {
    let (extents, strides): (Vec<u64>, Vec<i64>) = dimensions.iter().copied().unzip();
    let walk = Walk::new(0, &extents, &strides);
    let (extent, stride) = walk.innermost();
    (extent == extents.iter().product::<u64>()).then_some(stride as usize)
}

/// Converts `count` lines of `length` points each; `start` gives the first point of a line.
fn pack<T: Number>(
    tensor: &TensorRef<'_>,
    base: usize,
    dimensions: &[(u64, i64)],
    count: usize,
    length: usize,
    start: impl Fn(usize) -> usize + Sync,
) -> Vec<T> {
    let (extents, strides): (Vec<u64>, Vec<i64>) = dimensions.iter().copied().unzip();
    let walk = Walk::new(base as i64, &extents, &strides);
    let mut packed = vec![T::zeroed(); count * length];
    let convert = |(line, out): (usize, &mut [T])| {
        walk.for_runs(start(line) as u64, length, |run| {
            load_run(tensor, run.first as usize, run.stride as usize, &mut out[run.position..][..run.count]);
        });
    };
    if packed.len() < 1 << 15 {
        packed.chunks_mut(length).enumerate().for_each(convert);
    } else {
        packed.par_chunks_mut(length).enumerate().for_each(convert);
    }
    packed
}

fn load_run<T: Number>(tensor: &TensorRef<'_>, first: usize, stride: usize, out: &mut [T]) {
    macro_rules! load {
        ($t:ty, $convert:expr) => {{
            let elements = &elements::<$t>(tensor)[first..];
            if stride == 1 {
                out.iter_mut().zip(elements).for_each(|(out, element)| *out = $convert(*element));
            } else {
                for (idx, out) in out.iter_mut().enumerate() {
                    *out = $convert(elements[idx * stride]);
                }
            }
        }};
    }
    match tensor.ty.dtype {
        DType::I1 | DType::U2 | DType::U4 | DType::U8 => load!(u8, |x| T::from_integer(i64::from(x))),
        DType::I2 | DType::I4 | DType::I8 => load!(i8, |x| T::from_integer(i64::from(x))),
        DType::I16 => load!(i16, |x| T::from_integer(i64::from(x))),
        DType::I32 => load!(i32, |x| T::from_integer(i64::from(x))),
        DType::I64 => load!(i64, T::from_integer),
        DType::U16 => load!(u16, |x| T::from_integer(i64::from(x))),
        DType::U32 => load!(u32, |x| T::from_integer(i64::from(x))),
        DType::U64 => load!(u64, |x| T::from_integer(x as i64)),
        DType::Bf16 => load!(bf16, |x: bf16| T::from_f32(x.up())),
        DType::F16 => load!(f16, |x: f16| T::from_f32(x.up())),
        DType::F32 => load!(f32, T::from_f32),
        DType::F64 => load!(f64, T::from_f64),
        DType::C64 => {
            load!(Complex<f32>, |x: Complex<f32>| T::from_complex(Complex::new(f64::from(x.re), f64::from(x.im))))
        }
        DType::C128 => load!(Complex<f64>, T::from_complex),
        _ => unreachable!("the check should refuse small floats"),
    }
}

/// Products of a few packed rows with every row of a big matrix, read as it is stored.
///
/// Calls `store` with the number of a packed row, the first of some rows of the big matrix, and their products.
/// None where the matrix has no layout for it.
pub fn rows_times(
    rows: &[f32],
    row_count: usize,
    side: &Side,
    tensor: &TensorRef<'_>,
    base: usize,
    store: impl FnMut(usize, usize, &[f32]),
) -> Option<()> {
    let (row_stride, column_stride) = side.strides()?;
    let is_along = column_stride == 1 || side.contract_count() == 1;
    if !is_along && row_stride != 1 {
        return None;
    }
    let shape = Shape { row_count, big_rows: side.free_count(), columns: side.contract_count() };
    let stride = if is_along { row_stride } else { column_stride };
    match tensor.ty.dtype {
        DType::Bf16 => shape.run(&elements::<bf16>(tensor)[base..], stride, is_along, rows, store),
        DType::F16 => shape.run(&elements::<f16>(tensor)[base..], stride, is_along, rows, store),
        DType::F32 => shape.run(&elements::<f32>(tensor)[base..], stride, is_along, rows, store),
        _ => return None,
    }
    Some(())
}

/// Sums of so many terms are in order, as XLA's are: where a result is rounded to f16, another order shows now and then.
/// Longer ones are split over lanes, for speed.
const IN_ORDER_MAX: usize = 256;

#[derive(Clone, Copy)]
struct Shape {
    row_count: usize,
    big_rows: usize,
    columns: usize,
}

impl Shape {
    fn run<W: Real<Arith = f32>>(
        self,
        matrix: &[W],
        stride: usize,
        is_along: bool,
        rows: &[f32],
        mut store: impl FnMut(usize, usize, &[f32]),
    ) {
        let arch = pulp::Arch::new();
        let step = if is_along { 64 } else { 1024 };
        let block = |start: usize| {
            let count = step.min(self.big_rows - start);
            let mut products = vec![0.0; self.row_count * count];
            if is_along {
                arch.dispatch(|| self.along(matrix, stride, rows, start, count, &mut products));
            } else {
                arch.dispatch(|| self.across(matrix, stride, rows, start, count, &mut products));
            }
            products
        };
        let starts: Vec<usize> = (0..self.big_rows).step_by(step).collect();
        let blocks: Vec<Vec<f32>> = if self.big_rows * self.columns < 1 << 15 {
            starts.iter().map(|start| block(*start)).collect()
        } else {
            starts.par_iter().map(|start| block(*start)).collect()
        };
        for (start, products) in starts.iter().zip(&blocks) {
            for (row, products) in products.chunks_exact(products.len() / self.row_count).enumerate() {
                store(row, *start, products);
            }
        }
    }

    /// Rows of the big matrix are contiguous: dot products, short ones in order.
    #[inline(always)]
    fn along<W: Real<Arith = f32>>(
        self,
        matrix: &[W],
        stride: usize,
        rows: &[f32],
        start: usize,
        count: usize,
        products: &mut [f32],
    ) {
        const WIDTH: usize = 32;
        if self.columns <= IN_ORDER_MAX {
            return self.along_in_order(matrix, stride, rows, start, count, products);
        }
        for idx in 0..count {
            let big = &matrix[(start + idx) * stride..][..self.columns];
            for row in 0..self.row_count {
                let small = &rows[row * self.columns..][..self.columns];
                let mut sums = [0f32; WIDTH];
                let (big_groups, small_groups) = (big.chunks_exact(WIDTH), small.chunks_exact(WIDTH));
                let rest = big_groups.remainder().iter().zip(small_groups.remainder());
                let last: f32 = rest.map(|(a, b)| a.up() * b).sum();
                for (big, small) in big_groups.zip(small_groups) {
                    for lane in 0..WIDTH {
                        sums[lane] += big[lane].up() * small[lane];
                    }
                }
                products[row * count + idx] = tree_sum(&mut sums) + last;
            }
        }
    }

    /// Short dot products, each in order; several at a time, so that one does not wait for the other.
    #[inline(always)]
    fn along_in_order<W: Real<Arith = f32>>(
        self,
        matrix: &[W],
        stride: usize,
        rows: &[f32],
        start: usize,
        count: usize,
        products: &mut [f32],
    ) {
        const TOGETHER: usize = 8;
        for first in (0..count).step_by(TOGETHER) {
            let together = TOGETHER.min(count - first);
            let big: [&[W]; TOGETHER] =
                array::from_fn(|of| &matrix[(start + first + of.min(together - 1)) * stride..][..self.columns]);
            for row in 0..self.row_count {
                let small = &rows[row * self.columns..][..self.columns];
                let mut sums = [0f32; TOGETHER];
                for (column, factor) in small.iter().enumerate() {
                    for (sum, big) in sums.iter_mut().zip(&big) {
                        *sum += big[column].up() * factor;
                    }
                }
                products[row * count + first..][..together].copy_from_slice(&sums[..together]);
            }
        }
    }

    /// Columns of the big matrix are contiguous: four of them at a time are added onto the sums, in order.
    #[inline(always)]
    fn across<W: Real<Arith = f32>>(
        self,
        matrix: &[W],
        stride: usize,
        rows: &[f32],
        start: usize,
        count: usize,
        products: &mut [f32],
    ) {
        let column = |column: usize| &matrix[column * stride + start..][..count];
        for first in (0..self.columns).step_by(4) {
            for row in 0..self.row_count {
                let factors = &rows[row * self.columns..][..self.columns][first..];
                let sums = &mut products[row * count..][..count];
                if factors.len() >= 4 {
                    let (a, b, c, d) = (column(first), column(first + 1), column(first + 2), column(first + 3));
                    for idx in 0..count {
                        let sum = sums[idx] + a[idx].up() * factors[0] + b[idx].up() * factors[1];
                        sums[idx] = sum + c[idx].up() * factors[2] + d[idx].up() * factors[3];
                    }
                } else {
                    for (of, factor) in factors.iter().enumerate() {
                        let elements = column(first + of);
                        sums.iter_mut().zip(elements).for_each(|(sum, element)| *sum += element.up() * factor);
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn tree_sum(sums: &mut [f32; 32]) -> f32 {
    let mut width = sums.len();
    while width > 1 {
        width /= 2;
        for idx in 0..width {
            sums[idx] += sums[idx + width];
        }
    }
    sums[0]
}

/// All elements of an array as `T`, as they are stored where that is their type.
pub fn elements_as<'a, T: Number>(tensor: &TensorRef<'a>) -> std::borrow::Cow<'a, [T]> {
    if let Some(elements) = typed::<T>(tensor) {
        return elements.into();
    }
    let mut converted = vec![T::zeroed(); tensor.ty.element_count()];
    converted.par_chunks_mut(1 << 14).enumerate().for_each(|(chunk, out)| load_run(tensor, chunk << 14, 1, out));
    converted.into()
}
