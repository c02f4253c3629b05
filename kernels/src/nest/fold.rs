//! Folds of one associative and commutative operation, as tight loops.
//!
//! Float sums and products accumulate in `f64` and are rounded once, so that the order of the loops does not show.

use std::marker::PhantomData;

use bytemuck::Pod;
use half::{bf16, f16};
use num_complex::Complex;
use pygraph_artifact::{
    dtype::DType,
    scalar::{ScalarBody, ScalarInst, ScalarOp},
};

use crate::scalar::{
    integer::Integer,
    lanes, lanes_mut,
    real::{Arith, Real},
};

/// The loops of one fold. Accumulators are wide; `T` is the element's type, `A` the accumulator's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fold {
    /// Bytes an accumulator.
    pub wide_bytes: usize,
    /// Sets the first `count` accumulators to what changes nothing.
    pub clear: fn(accumulators: &mut [u128], count: usize),
    /// Folds rows of `row` elements, from element `start` on, each onto an accumulator from `first` on.
    pub rows: fn(values: &[u128], start: usize, row: usize, accumulators: &mut [u128], first: usize, count: usize),
    /// Folds elements from `start` on, each onto its accumulator from `first` on.
    pub lanes: fn(values: &[u128], start: usize, accumulators: &mut [u128], first: usize, count: usize),
    /// Folds accumulators onto accumulators.
    pub merge: fn(from: &[u128], accumulators: &mut [u128], count: usize),
    /// Folds accumulators, from `first` on, onto elements.
    pub finish: fn(accumulators: &[u128], first: usize, elements: &mut [u128], count: usize),
}

/// The folds that a body does on each accumulator apart; none if it does anything else.
pub(crate) fn simple_folds(body: &ScalarBody) -> Option<Vec<Fold>> {
    fold_ops(body)?.into_iter().map(|(op, dtype)| fold(op, dtype)).collect()
}

/// The operation and element type of each fold; none if the body does anything else.
pub(crate) fn fold_ops(body: &ScalarBody) -> Option<Vec<(ScalarOp, DType)>> {
    let count = body.outputs.len();
    let fold_of = |(idx, output): (usize, &u32)| {
        let instruction = body.instructions.get((*output as usize).checked_sub(body.inputs.len())?)?;
        let ScalarInst::Op { op, dtype, operands, .. } = instruction else { return None };
        let (accumulator, value) = (idx as u32, (count + idx) as u32);
        let folds = operands[..] == [accumulator, value] || operands[..] == [value, accumulator];
        (folds && fold(*op, *dtype).is_some()).then_some((*op, *dtype))
    };
    body.outputs.iter().enumerate().map(fold_of).collect()
}

fn fold(op: ScalarOp, dtype: DType) -> Option<Fold> {
    match dtype {
        DType::I1 => match op {
            ScalarOp::Add | ScalarOp::Or | ScalarOp::Max => Some(loops::<Or<u8>>()),
            ScalarOp::Mul | ScalarOp::And | ScalarOp::Min => Some(loops::<And<u8>>()),
            _ => None,
        },
        DType::I8 => integer::<i8>(op),
        DType::I16 => integer::<i16>(op),
        DType::I32 => integer::<i32>(op),
        DType::I64 => integer::<i64>(op),
        DType::U8 => integer::<u8>(op),
        DType::U16 => integer::<u16>(op),
        DType::U32 => integer::<u32>(op),
        DType::U64 => integer::<u64>(op),
        DType::Bf16 => float::<bf16>(op),
        DType::F16 => float::<f16>(op),
        DType::F32 => float::<f32>(op),
        DType::F64 => float::<f64>(op),
        DType::C64 if op == ScalarOp::Add => Some(loops::<ComplexSum<f32>>()),
        DType::C128 if op == ScalarOp::Add => Some(loops::<ComplexSum<f64>>()),
        _ => None,
    }
}

fn integer<T: Integer>(op: ScalarOp) -> Option<Fold> {
    match op {
        ScalarOp::Add => Some(loops::<IntegerSum<T>>()),
        ScalarOp::Mul => Some(loops::<IntegerProduct<T>>()),
        ScalarOp::Max => Some(loops::<IntegerMax<T>>()),
        ScalarOp::Min => Some(loops::<IntegerMin<T>>()),
        ScalarOp::And => Some(loops::<And<T>>()),
        ScalarOp::Or => Some(loops::<Or<T>>()),
        _ => None,
    }
}

fn float<T: Real>(op: ScalarOp) -> Option<Fold> {
    match op {
        ScalarOp::Add => Some(loops::<FloatSum<T>>()),
        ScalarOp::Mul => Some(loops::<FloatProduct<T>>()),
        ScalarOp::Max => Some(loops::<FloatMax<T>>()),
        ScalarOp::Min => Some(loops::<FloatMin<T>>()),
        _ => None,
    }
}

/// One fold's definition.
trait Folder {
    type T: Pod;
    type A: Pod;
    fn identity() -> Self::A;
    fn lift(value: Self::T) -> Self::A;
    fn fold(a: Self::A, b: Self::A) -> Self::A;
    fn lower(value: Self::A) -> Self::T;
}

macro_rules! folder {
    ($name:ident, $bound:ident, $element:ty, $wide:ty, $identity:expr, $lift:expr, $fold:expr, $lower:expr) => {
        struct $name<T>(PhantomData<T>);
        impl<T: $bound> Folder for $name<T>
        where
            $element: Pod,
        {
            type T = $element;
            type A = $wide;
            #[inline(always)]
            fn identity() -> $wide {
                $identity
            }
            #[inline(always)]
            fn lift(value: $element) -> $wide {
                $lift(value)
            }
            #[inline(always)]
            fn fold(a: $wide, b: $wide) -> $wide {
                $fold(a, b)
            }
            #[inline(always)]
            fn lower(value: $wide) -> $element {
                $lower(value)
            }
        }
    };
}
folder!(IntegerSum, Integer, T, T, T::zeroed(), |x| x, T::add, |x| x);
folder!(IntegerProduct, Integer, T, T, T::ONE, |x| x, T::mul, |x| x);
folder!(IntegerMax, Integer, T, T, T::LOWEST, |x| x, <T as Ord>::max, |x| x);
folder!(IntegerMin, Integer, T, T, T::HIGHEST, |x| x, <T as Ord>::min, |x| x);
folder!(And, Integer, T, T, T::zeroed().not(), |x| x, T::and, |x| x);
folder!(Or, Integer, T, T, T::zeroed(), |x| x, T::or, |x| x);
folder!(FloatSum, Real, T, f64, -0.0, T::to_f64, |a: f64, b: f64| a + b, T::from_f64);
folder!(FloatProduct, Real, T, f64, 1.0, T::to_f64, |a: f64, b: f64| a * b, T::from_f64);
folder!(FloatMax, Real, T, T::Arith, T::Arith::LOWEST, T::up, T::Arith::maximum, T::down);
folder!(FloatMin, Real, T, T::Arith, T::Arith::HIGHEST, T::up, T::Arith::minimum, T::down);
folder!(
    ComplexSum,
    Real,
    Complex<T>,
    Complex<f64>,
    Complex::new(-0.0, -0.0),
    |x: Complex<T>| Complex::new(x.re.to_f64(), x.im.to_f64()),
    |a: Complex<f64>, b: Complex<f64>| a + b,
    |x: Complex<f64>| Complex { re: T::from_f64(x.re), im: T::from_f64(x.im) }
);

fn loops<F: Folder>() -> Fold {
    Fold {
        wide_bytes: size_of::<F::A>(),
        clear: |accumulators, count| lanes_mut::<F::A>(accumulators)[..count].fill(F::identity()),
        rows: |values, start, row, accumulators, first, count| {
            let values = &lanes::<F::T>(values)[start..start + row * count];
            let accumulators = &mut lanes_mut::<F::A>(accumulators)[first..first + count];
            for (accumulator, row) in accumulators.iter_mut().zip(values.chunks_exact(row)) {
                *accumulator = F::fold(*accumulator, fold_row::<F>(row));
            }
        },
        lanes: |values, start, accumulators, first, count| {
            let values = &lanes::<F::T>(values)[start..start + count];
            let accumulators = &mut lanes_mut::<F::A>(accumulators)[first..first + count];
            for (accumulator, value) in accumulators.iter_mut().zip(values) {
                *accumulator = F::fold(*accumulator, F::lift(*value));
            }
        },
        merge: |from, accumulators, count| {
            let accumulators = &mut lanes_mut::<F::A>(accumulators)[..count];
            for (accumulator, from) in accumulators.iter_mut().zip(lanes::<F::A>(from)) {
                *accumulator = F::fold(*accumulator, *from);
            }
        },
        finish: |accumulators, first, elements, count| {
            let accumulators = &lanes::<F::A>(accumulators)[first..first + count];
            for (element, accumulator) in lanes_mut::<F::T>(elements)[..count].iter_mut().zip(accumulators) {
                *element = F::lower(F::fold(F::lift(*element), *accumulator));
            }
        },
    }
}

/// How many interleaved chains fold a row.
pub(super) const CHAINS: usize = 16;

/// Folds in interleaved chains, which vectorise, and then the chains as a tree.
fn fold_row<F: Folder>(row: &[F::T]) -> F::A {
    let mut chains = [F::identity(); CHAINS];
    let groups = row.chunks_exact(CHAINS);
    let rest = groups.remainder();
    for group in groups {
        for (chain, value) in chains.iter_mut().zip(group) {
            *chain = F::fold(*chain, F::lift(*value));
        }
    }
    for (chain, value) in chains.iter_mut().zip(rest) {
        *chain = F::fold(*chain, F::lift(*value));
    }
    let mut width = CHAINS;
    while width > 1 {
        width /= 2;
        for idx in 0..width {
            chains[idx] = F::fold(chains[idx], chains[idx + width]);
        }
    }
    chains[0]
}
