//! `contract`: products of two arrays, summed over the dimensions they share (`dot_general`).
//!
//! Output dimensions: batch, free ones of the left input, free ones of the right.
//! Products of bf16, f16 and f32 accumulate in f32, those with f64 in f64, integers exactly modulo their width.
//! Few rows against a big matrix go through loops of their own, which read the matrix as it is stored; everything else
//! through the `gemm` crate, converted block by block where types or strides ask for it.

use pygraph_artifact::dtype::{DType, Family};
use rayon::prelude::*;

use super::{
    call::{check_counts, check_dimensions, check_type, dimensions, elements, ints_attr},
    layout::{Counter, strides},
    matrix::{self, Number, Side},
};
use crate::{
    manifest::{Call, CallType, InPlace, KernelDef, KernelError},
    scalar::real::Real,
    tensor::{TensorMut, TensorRef, TensorType},
};

/// The definition.
pub static KERNEL: KernelDef = KernelDef {
    name: "contract",
    summary: "Sums products of two arrays over the dimensions they share",
    attributes: &[
        ints_attr("lhs_batch", "dimensions of the left input that go with the right's batch dimensions"),
        ints_attr("rhs_batch", "those of the right input"),
        ints_attr("lhs_contract", "dimensions of the left input that are summed over"),
        ints_attr("rhs_contract", "those of the right input"),
    ],
    body_count: 0,
    in_place: InPlace::Never,
    strided: &[],
    takes_stages: true,
    check,
    reference,
    cuda: super::contract_cuda::CUDA,
};

fn check(call: &CallType<'_>) -> Result<(), String> {
    check_counts(call, 2, 1)?;
    let (lhs, rhs, output) = (call.inputs[0], call.inputs[1], call.outputs[0]);
    let [lhs_batch, lhs_contract, lhs_free] = split(call, ["lhs_batch", "lhs_contract"], lhs)?;
    let [rhs_batch, rhs_contract, rhs_free] = split(call, ["rhs_batch", "rhs_contract"], rhs)?;
    let extents =
        |ty: TensorType<'_>, of: &[usize]| of.iter().map(|dimension| ty.shape[*dimension]).collect::<Vec<_>>();
    for (what, left, right) in [("batch", &lhs_batch, &rhs_batch), ("contracted", &lhs_contract, &rhs_contract)] {
        if extents(lhs, left) != extents(rhs, right) {
            let (left, right) = (extents(lhs, left), extents(rhs, right));
            return Err(format!("{what} extents {left:?} and {right:?} differ"));
        }
    }
    let shape = [extents(lhs, &lhs_batch), extents(lhs, &lhs_free), extents(rhs, &rhs_free)].concat();
    if [lhs, rhs, output].iter().any(|ty| ty.dtype.family() == Family::MiniFloat) {
        return Err(format!("{} and {} are stored and converted only, never multiplied", lhs.dtype, rhs.dtype));
    }
    let rank = |dtype: DType| match dtype.family() {
        Family::Bool | Family::Signed | Family::Unsigned => 0,
        Family::Float | Family::MiniFloat => 1,
        Family::Complex => 2,
    };
    if rank(lhs.dtype).max(rank(rhs.dtype)) > rank(output.dtype) {
        return Err(format!("{} and {} do not multiply to {}", lhs.dtype, rhs.dtype, output.dtype));
    }
    check_type("the output", output, output.dtype, &shape)
}

/// Batch, contracted and free dimensions of one input.
fn split(call: &CallType<'_>, [batch, contract]: [&str; 2], ty: TensorType<'_>) -> Result<[Vec<usize>; 3], String> {
    let rank = ty.shape.len();
    let batch = check_dimensions(call.attributes, batch, rank)?;
    let contract = check_dimensions(call.attributes, contract, rank)?;
    if let Some(both) = batch.iter().find(|dimension| contract.contains(dimension)) {
        return Err(format!("dimension {both} is both batch and contracted"));
    }
    let free = (0..rank).filter(|dimension| !batch.contains(dimension) && !contract.contains(dimension)).collect();
    Ok([batch, contract, free])
}

fn reference(call: &Call<'_>, outputs: &mut [TensorMut<'_>]) -> Result<(), KernelError> {
    let output = &mut outputs[0];
    let (lhs, rhs) = (&call.inputs[0], &call.inputs[1]);
    if output.bytes.is_empty() {
        return Ok(());
    }
    if lhs.bytes.is_empty() || rhs.bytes.is_empty() {
        output.bytes.fill(0);
        return Ok(());
    }
    let problem = Problem::new(call, lhs.ty.shape, rhs.ty.shape);
    let inputs = [lhs.ty.dtype, rhs.ty.dtype];
    let is_wide = |dtype: &DType| matches!(dtype, DType::F64 | DType::C128) || dtype.is_integer() && dtype.bits() >= 32;
    let wide = inputs.iter().any(is_wide);
    macro_rules! products {
        ($t:ty, $multiply:expr, $out:ty, $narrow:expr) => {
            problem.run::<$t, $out>(output, |batch, out| $multiply(&problem, lhs, rhs, batch, out), $narrow)
        };
    }
    // A sum of floats begins at zero, so that it is never -0, however it was computed: hence `+ 0.0`.
    match output.ty.dtype {
        DType::Bf16 if wide => products!(f64, multiply_wide, half::bf16, |x| <half::bf16 as Real>::from_f64(x + 0.0)),
        DType::F16 if wide => products!(f64, multiply_wide, half::f16, |x| <half::f16 as Real>::from_f64(x + 0.0)),
        DType::F32 if wide => products!(f64, multiply_wide, f32, |x| (x + 0.0) as f32),
        DType::Bf16 => products!(f32, multiply_f32, half::bf16, |x| Real::down(x + 0.0)),
        DType::F16 => products!(f32, multiply_f32, half::f16, |x| Real::down(x + 0.0)),
        DType::F32 => products!(f32, multiply_f32, f32, |x| x + 0.0),
        DType::F64 => products!(f64, multiply_wide, f64, |x| x + 0.0),
        DType::C64 if wide => {
            products!(num_complex::Complex<f64>, multiply_wide, num_complex::Complex<f32>, matrix::narrow_complex)
        }
        DType::C64 => products!(num_complex::Complex<f32>, multiply_wide, num_complex::Complex<f32>, |x| x),
        DType::C128 => products!(num_complex::Complex<f64>, multiply_wide, num_complex::Complex<f64>, |x| x),
        DType::I1 => products!(i32, multiply_integers, u8, |x| u8::from(x != 0)),
        DType::I2 => products!(i32, multiply_integers, i8, |x| (x as i8) << 6 >> 6),
        DType::I4 => products!(i32, multiply_integers, i8, |x| (x as i8) << 4 >> 4),
        DType::I8 => products!(i32, multiply_integers, i8, |x| x as i8),
        DType::I16 => products!(i32, multiply_integers, i16, |x| x as i16),
        DType::I32 => products!(i32, multiply_integers, i32, |x| x),
        DType::I64 => products!(i64, multiply_integers, i64, |x| x),
        DType::U2 => products!(i32, multiply_integers, u8, |x| x as u8 & 3),
        DType::U4 => products!(i32, multiply_integers, u8, |x| x as u8 & 15),
        DType::U8 => products!(i32, multiply_integers, u8, |x| x as u8),
        DType::U16 => products!(i32, multiply_integers, u16, |x| x as u16),
        DType::U32 => products!(i32, multiply_integers, u32, |x| x as u32),
        DType::U64 => products!(i64, multiply_integers, u64, |x| x as u64),
        _ => unreachable!("the check should refuse small floats"),
    }
    Ok(())
}

/// A contraction as a batch of matrix products.
struct Problem {
    lhs: Side,
    rhs: Side,
    batch_extents: Vec<usize>,
    /// Strides of the batch dimensions in both inputs.
    batch_strides: [Vec<usize>; 2],
}

/// Where one batch's matrices start.
#[derive(Clone, Copy)]
struct Batch {
    lhs: usize,
    rhs: usize,
    parallelism: gemm::Parallelism,
}

/// Multiplications that one thread does rather than share.
const SERIAL_PRODUCTS: usize = 1 << 17;

impl Problem {
    fn new(call: &Call<'_>, lhs: &[u64], rhs: &[u64]) -> Problem {
        let of = |name| dimensions(call.attributes, name);
        let side = |shape: &[u64], batch: &[usize], contract: Vec<usize>| {
            let free: Vec<usize> = (0..shape.len())
                .filter(|dimension| !batch.contains(dimension) && !contract.contains(dimension))
                .collect();
            Side::new(shape, &free, &contract)
        };
        let (lhs_batch, rhs_batch) = (of("lhs_batch"), of("rhs_batch"));
        let batch_strides = |shape: &[u64], batch: &[usize]| {
            let strides = strides(shape);
            batch.iter().map(|dimension| strides[*dimension]).collect::<Vec<usize>>()
        };
        Problem {
            batch_extents: lhs_batch.iter().map(|dimension| lhs[*dimension] as usize).collect(),
            batch_strides: [batch_strides(lhs, &lhs_batch), batch_strides(rhs, &rhs_batch)],
            lhs: side(lhs, &lhs_batch, of("lhs_contract")),
            rhs: side(rhs, &rhs_batch, of("rhs_contract")),
        }
    }

    /// Multiplies every batch in `T` and stores it as `R`.
    fn run<T: bytemuck::Pod + Send + Sync, R: bytemuck::Pod + Send + Sync>(
        &self,
        output: &mut TensorMut<'_>,
        multiply: impl Fn(Batch, &mut [T]) + Sync,
        narrow: impl Fn(T) -> R + Sync,
    ) {
        let size = self.lhs.free_count() * self.rhs.free_count();
        let batches = self.batches();
        let products = size * self.lhs.contract_count();
        let is_same = std::any::TypeId::of::<T>() == std::any::TypeId::of::<R>();
        let one = |batch: Batch, out: &mut [R]| {
            if is_same {
                multiply(batch, bytemuck::cast_slice_mut(out));
                return out.iter_mut().for_each(|out| *out = narrow(bytemuck::cast(*out)));
            }
            let mut wide = vec![T::zeroed(); size];
            multiply(batch, &mut wide);
            out.iter_mut().zip(&wide).for_each(|(out, wide)| *out = narrow(*wide));
        };
        let parallel = |batch: Batch| Batch { parallelism: gemm::Parallelism::Rayon(0), ..batch };
        let out = bytemuck::cast_slice_mut::<u8, R>(output.bytes);
        if products.saturating_mul(batches.len()) <= SERIAL_PRODUCTS {
            out.chunks_mut(size).zip(batches).for_each(|(out, batch)| one(batch, out));
        } else if products < 32 * SERIAL_PRODUCTS && batches.len() > 1 {
            out.par_chunks_mut(size).zip(batches).for_each(|(out, batch)| one(batch, out));
        } else {
            out.chunks_mut(size).zip(batches).for_each(|(out, batch)| one(parallel(batch), out));
        }
    }

    fn batches(&self) -> Vec<Batch> {
        let mut batches = Vec::new();
        let mut counter = Counter::new(self.batch_extents.clone());
        loop {
            let start =
                |strides: &[usize]| counter.index.iter().zip(strides).map(|(index, stride)| index * stride).sum();
            let [lhs, rhs] = &self.batch_strides;
            batches.push(Batch { lhs: start(lhs), rhs: start(rhs), parallelism: gemm::Parallelism::None });
            if !counter.advance() {
                return batches;
            }
        }
    }
}

fn multiply_f32(problem: &Problem, lhs: &TensorRef<'_>, rhs: &TensorRef<'_>, batch: Batch, out: &mut [f32]) {
    const FEW_ROWS: usize = 4;
    let (m, n) = (problem.lhs.free_count(), problem.rhs.free_count());
    let few_left = m <= FEW_ROWS && n >= 4 * m;
    let few_right = n <= FEW_ROWS && m > 4 * n;
    if few_left {
        let rows = problem.lhs.pack_rows::<f32>(lhs, batch.lhs, 0..m);
        if let Some(()) = matrix::rows_times(&rows, m, &problem.rhs, rhs, batch.rhs, |row, column, values| {
            out[row * n + column..][..values.len()].copy_from_slice(values);
        }) {
            return;
        }
    } else if few_right {
        let rows = problem.rhs.pack_rows::<f32>(rhs, batch.rhs, 0..n);
        if let Some(()) = matrix::rows_times(&rows, n, &problem.lhs, lhs, batch.lhs, |column, row, values| {
            values.iter().enumerate().for_each(|(idx, value)| out[(row + idx) * n + column] = *value);
        }) {
            return;
        }
    }
    multiply_wide(problem, lhs, rhs, batch, out);
}

fn multiply_wide<T: Number + crate::memory::MatrixElement>(
    problem: &Problem,
    lhs: &TensorRef<'_>,
    rhs: &TensorRef<'_>,
    batch: Batch,
    out: &mut [T],
) {
    let (m, n) = (problem.lhs.free_count(), problem.rhs.free_count());
    for left in problem.lhs.blocks::<T>(lhs) {
        let left_block = problem.lhs.matrix(lhs, batch.lhs, left.clone());
        for right in problem.rhs.blocks::<T>(rhs) {
            let right_block = problem.rhs.matrix(rhs, batch.rhs, right.clone());
            let shape = [left.len(), right.len(), problem.lhs.contract_count()];
            let products = shape.iter().product::<usize>();
            let parallelism = if products <= SERIAL_PRODUCTS { gemm::Parallelism::None } else { batch.parallelism };
            let tile = &mut out[left.start * n + right.start..(left.end - 1) * n + right.end];
            let rhs = right_block.as_matrix().transposed();
            crate::memory::multiply(shape, tile, n, left_block.as_matrix(), rhs, parallelism);
        }
    }
    debug_assert_eq!(out.len(), m * n, "an output should have a place for every product");
}

fn multiply_integers<T: Number + crate::scalar::integer::Integer>(
    problem: &Problem,
    lhs: &TensorRef<'_>,
    rhs: &TensorRef<'_>,
    batch: Batch,
    out: &mut [T],
) {
    let (m, n, k) = (problem.lhs.free_count(), problem.rhs.free_count(), problem.lhs.contract_count());
    let left = problem.lhs.pack_rows::<T>(lhs, batch.lhs, 0..m);
    let right = problem.rhs.pack_rows::<T>(rhs, batch.rhs, 0..n);
    let row_of = |(row, out): (usize, &mut [T])| {
        let left = &left[row * k..(row + 1) * k];
        for (out, right) in out.iter_mut().zip(right.chunks_exact(k)) {
            *out = left.iter().zip(right).fold(T::zeroed(), |sum, (a, b)| sum.add(a.mul(*b)));
        }
    };
    if m * n * k <= SERIAL_PRODUCTS {
        out.chunks_mut(n).enumerate().for_each(row_of);
    } else {
        out.par_chunks_mut(n).enumerate().for_each(row_of);
    }
}

/// The elements of an input whose type is `T` already.
pub(super) fn typed<'a, T: 'static + bytemuck::Pod>(tensor: &TensorRef<'a>) -> Option<&'a [T]> {
    use std::any::TypeId;
    let of = TypeId::of::<T>();
    let is_same = match tensor.ty.dtype {
        DType::F32 => of == TypeId::of::<f32>(),
        DType::F64 => of == TypeId::of::<f64>(),
        DType::C64 => of == TypeId::of::<num_complex::Complex<f32>>(),
        DType::C128 => of == TypeId::of::<num_complex::Complex<f64>>(),
        _ => false,
    };
    is_same.then(|| elements(tensor))
}
