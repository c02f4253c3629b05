//! `cholesky`: the triangular factor of symmetric or Hermitian matrices, in double precision.
//!
//! Only one triangle of the input is read; the other of the output is zero. A matrix without a factor gives NaN.

use num_complex::Complex;

use super::{
    call::{boolean, check_counts, check_type},
    linear::{Wide, load, matrices, store, wide_bytes},
};
use crate::{
    cuda::{BLOCKS_MAX, CudaDef, CudaOperand, CudaPlan, CudaStep, THREADS},
    manifest::{AttrDef, AttrKind, Call, CallType, InPlace, KernelDef, KernelError},
    tensor::TensorMut,
};

/// The definition.
pub static KERNEL: KernelDef = KernelDef {
    name: "cholesky",
    summary: "Factors positive definite matrices into a triangle and its adjoint",
    attributes: &[AttrDef { name: "lower", kind: AttrKind::Bool, doc: "the lower triangle is read and written" }],
    body_count: 0,
    in_place: InPlace::Never,
    strided: &[],
    takes_stages: false,
    check,
    reference,
    cuda: CudaDef::new(concat!(include_str!("linear.cuh"), include_str!("cholesky.cu")), plan),
};

fn check(call: &CallType<'_>) -> Result<(), String> {
    check_counts(call, 1, 1)?;
    let a = call.inputs[0];
    let _ = boolean(call.attributes, "lower");
    let is_square = matches!(a.shape, [.., rows, columns] if rows == columns);
    if !is_square || !a.dtype.is_float() && !a.dtype.is_complex() {
        return Err(format!("cannot factor {:?} of {}", a.shape, a.dtype));
    }
    check_type("the output", call.outputs[0], a.dtype, a.shape)
}

/// A block a matrix.
fn plan(call: &CallType<'_>) -> CudaPlan {
    let output = call.outputs[0];
    let [batch, n, _] = matrices(output.shape).expect("a batch of matrices should have two dimensions");
    if output.element_count() == 0 {
        return CudaPlan::default();
    }
    let step = CudaStep {
        function: "factor".into(),
        grid: [(batch as u64).min(BLOCKS_MAX) as u32, 1, 1],
        block: [n.next_multiple_of(32).min(THREADS as usize) as u32, 1, 1],
        shared_bytes: 0,
        operands: vec![CudaOperand::Input(0), CudaOperand::Output(0), CudaOperand::Scratch(0)],
        resident: 1,
        waits: false,
    };
    let scratch = output.element_count() as u64 * wide_bytes(output.dtype);
    CudaPlan { scratch: vec![scratch], steps: vec![step], ..CudaPlan::default() }
}

fn reference(call: &Call<'_>, outputs: &mut [TensorMut<'_>]) -> Result<(), KernelError> {
    if call.inputs[0].ty.dtype.is_complex() {
        factor::<Complex<f64>>(call, &mut outputs[0]);
    } else {
        factor::<f64>(call, &mut outputs[0]);
    }
    Ok(())
}

fn factor<T: Wide>(call: &Call<'_>, output: &mut TensorMut<'_>) {
    if output.bytes.is_empty() {
        return;
    }
    let [batch, n, _] = matrices(output.ty.shape).expect("a batch of matrices should have two dimensions");
    let lower = boolean(call.attributes, "lower");
    let a = load::<T>(&call.inputs[0]);
    let mut factors = vec![T::zero(); a.len()];
    for idx in 0..batch {
        let a = &a[idx * n * n..(idx + 1) * n * n];
        // The factor of the lower triangle; an upper one is its adjoint.
        let at = |row: usize, column: usize| if lower { row * n + column } else { column * n + row };
        let seen = |value: T| if lower { value } else { value.conj() };
        let l = &mut factors[idx * n * n..(idx + 1) * n * n];
        for column in 0..n {
            for row in column..n {
                let mut value = seen(a[at(row, column)]);
                for k in 0..column {
                    value = value - seen(l[at(row, k)]) * seen(l[at(column, k)]).conj();
                }
                let entry =
                    if row == column { T::of_real(value.re().sqrt()) } else { value / seen(l[at(column, column)]) };
                l[at(row, column)] = seen(entry);
            }
        }
        if (0..n).any(|idx| l[idx * n + idx].is_nan()) {
            l.fill(T::of_real(f64::NAN));
        }
    }
    store(&factors, output);
}
