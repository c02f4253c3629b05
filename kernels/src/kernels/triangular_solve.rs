//! `triangular_solve`: solves `op(a) x = b` or `x op(a) = b` for triangular matrices, in double precision.
//!
//! Inputs: a, b, each a batch of matrices. The other triangle of a is not read.

use num_complex::Complex;

use super::{
    call::{boolean, check_counts, check_type, text},
    linear::{Wide, load, matrices, store, wide_bytes},
};
use crate::{
    cuda::{BLOCKS_MAX, CudaDef, CudaOperand, CudaPlan, CudaStep, THREADS, all_operands},
    manifest::{AttrDef, AttrKind, Call, CallType, InPlace, KernelDef, KernelError},
    tensor::TensorMut,
};

/// The definition.
pub static KERNEL: KernelDef = KernelDef {
    name: "triangular_solve",
    summary: "Solves triangular systems of equations",
    attributes: &[
        AttrDef { name: "left_side", kind: AttrKind::Bool, doc: "the triangular matrix is on the left" },
        AttrDef { name: "lower", kind: AttrKind::Bool, doc: "its lower triangle is read" },
        AttrDef { name: "transpose_a", kind: AttrKind::Text, doc: "`none`, `transpose` or `adjoint`" },
        AttrDef { name: "unit_diagonal", kind: AttrKind::Bool, doc: "its diagonal is taken to be 1" },
    ],
    body_count: 0,
    in_place: InPlace::Never,
    strided: &[],
    takes_stages: false,
    check,
    reference,
    cuda: CudaDef::new(concat!(include_str!("linear.cuh"), include_str!("triangular_solve.cu")), plan),
};

fn check(call: &CallType<'_>) -> Result<(), String> {
    check_counts(call, 2, 1)?;
    let (a, b) = (call.inputs[0], call.inputs[1]);
    let (left_side, transpose) = (boolean(call.attributes, "left_side"), text(call.attributes, "transpose_a"));
    if !a.dtype.is_float() && !a.dtype.is_complex() {
        return Err(format!("cannot solve in {}", a.dtype));
    }
    if !["none", "transpose", "adjoint"].contains(&transpose) {
        return Err(format!("transpose_a is `{transpose}`, not none, transpose or adjoint"));
    }
    let fits = match (a.shape, b.shape) {
        ([a_batch @ .., rows, columns], [b_batch @ .., b_rows, b_columns]) => {
            a_batch == b_batch && rows == columns && rows == if left_side { b_rows } else { b_columns }
        }
        _ => false,
    };
    if !fits {
        return Err(format!("matrices of {:?} and {:?} do not go together", a.shape, b.shape));
    }
    check_type("input 1", b, a.dtype, b.shape)?;
    check_type("the output", call.outputs[0], a.dtype, b.shape)
}

/// A block a few systems of one matrix, with neighbouring threads in neighbouring systems.
fn plan(call: &CallType<'_>) -> CudaPlan {
    let output = call.outputs[0];
    if output.element_count() == 0 {
        return CudaPlan::default();
    }
    let [batch, rows, columns] = matrices(output.shape).expect("a batch of matrices should have two dimensions");
    let left_side = boolean(call.attributes, "left_side");
    let transpose = text(call.attributes, "transpose_a");
    let (n, systems) = if left_side { (rows, columns) } else { (columns, rows) };
    let swaps = (transpose != "none") == left_side;
    let is_lower = boolean(call.attributes, "lower") != swaps;
    let lanes = systems.next_power_of_two().min(32);
    let tiles = batch as u64 * systems.div_ceil(lanes) as u64;
    let constants = vec![
        ("BATCH", batch as i64),
        ("N", n as i64),
        ("SYSTEMS", systems as i64),
        ("LANES", lanes as i64),
        ("SWAPS", i64::from(swaps)),
        ("IS_LOWER", i64::from(is_lower)),
        ("IS_ADJOINT", i64::from(transpose == "adjoint")),
    ];
    let step = CudaStep {
        function: "solve".into(),
        grid: [tiles.min(BLOCKS_MAX) as u32, 1, 1],
        block: [THREADS, 1, 1],
        shared_bytes: 0,
        operands: all_operands(call).into_iter().chain([CudaOperand::Scratch(0)]).collect(),
        resident: 1,
        waits: false,
    };
    let scratch = output.element_count() as u64 * wide_bytes(output.dtype);
    CudaPlan { constants, scratch: vec![scratch], steps: vec![step], ..CudaPlan::default() }
}

fn reference(call: &Call<'_>, outputs: &mut [TensorMut<'_>]) -> Result<(), KernelError> {
    if call.inputs[0].ty.dtype.is_complex() {
        solve::<Complex<f64>>(call, &mut outputs[0]);
    } else {
        solve::<f64>(call, &mut outputs[0]);
    }
    Ok(())
}

fn solve<T: Wide>(call: &Call<'_>, output: &mut TensorMut<'_>) {
    if output.bytes.is_empty() {
        return;
    }
    let [batch, rows, columns] = matrices(output.ty.shape).expect("a batch of matrices should have two dimensions");
    let left_side = boolean(call.attributes, "left_side");
    let transpose = text(call.attributes, "transpose_a");
    let unit = boolean(call.attributes, "unit_diagonal");
    let a = load::<T>(&call.inputs[0]);
    let mut x = load::<T>(&call.inputs[1]);
    let (n, systems) = if left_side { (rows, columns) } else { (columns, rows) };
    // A system on the right is the transposed one on the left.
    let (along, across) = if left_side { (columns, 1) } else { (1, columns) };
    let swaps = (transpose != "none") == left_side;
    let is_lower = boolean(call.attributes, "lower") != swaps;
    for idx in 0..batch {
        let a = &a[idx * n * n..(idx + 1) * n * n];
        let coefficient = |row: usize, column: usize| {
            let value = if swaps { a[column * n + row] } else { a[row * n + column] };
            if transpose == "adjoint" { value.conj() } else { value }
        };
        let x = &mut x[idx * rows * columns..(idx + 1) * rows * columns];
        for system in 0..systems {
            for step in 0..n {
                let row = if is_lower { step } else { n - 1 - step };
                let known = if is_lower { 0..row } else { row + 1..n };
                let at = |row: usize| row * along + system * across;
                let mut value = x[at(row)];
                for column in known {
                    value = value - coefficient(row, column) * x[at(column)];
                }
                x[at(row)] = if unit { value } else { value / coefficient(row, row) };
            }
        }
    }
    store(&x, output);
}
