//! Products: in the emulator and by the plain executor.

mod support;

use pygraph_artifact::dtype::DType;
use support::{
    Case,
    kernels::{array, call, check, ints, output, random},
};

use DType::{Bf16, C64, C128, F16, F32, F64, I1, I4, I8, I32, I64, U8};

/// Batch and contracted dimensions of both sides.
type Lists<'a> = [&'a [i64]; 4];

fn contract(types: [DType; 3], lhs: &[u64], rhs: &[u64], lists: Lists<'_>, shape: &[u64]) -> Case {
    let names = ["lhs_batch", "lhs_contract", "rhs_batch", "rhs_contract"];
    let attributes: Vec<_> = names.into_iter().zip(lists).map(|(name, list)| (name, ints(list))).collect();
    let inputs = vec![random(types[0], lhs, 1), random(types[1], rhs, 2)];
    let name = format!("{}_{}_{lhs:?}_{rhs:?}", types[0], types[1]);
    call(&name, "contract", &attributes, &[], inputs, vec![output(types[2], shape)])
}

/// `[m, k]` times `[n, k]`.
fn along(types: [DType; 3], [m, n, k]: [u64; 3]) -> Case {
    contract(types, &[m, k], &[n, k], [&[], &[1], &[], &[1]], &[m, n])
}

/// `[m, k]` times `[k, n]`.
fn across(types: [DType; 3], [m, n, k]: [u64; 3]) -> Case {
    contract(types, &[m, k], &[k, n], [&[], &[1], &[], &[0]], &[m, n])
}

#[test]
fn few_rows_read_the_big_matrix_once() {
    check(
        &[
            along([Bf16, Bf16, F32], [1, 24, 1024]),
            along([Bf16, Bf16, Bf16], [3, 17, 264]),
            along([F16, F16, F16], [12, 18, 2048]),
            along([F32, Bf16, F32], [2, 9, 77]),
            along([Bf16, F32, F32], [2, 9, 80]),
            along([F32, F32, F32], [33, 5, 516]),
            across([Bf16, Bf16, F32], [1, 72, 600]),
            across([F16, F16, F16], [9, 64, 64]),
            across([F32, F32, F32], [2, 50, 129]),
            across([Bf16, F32, F32], [3, 40, 65]),
            // The few rows are on the right.
            contract([F32, F32, F32], &[64, 96], &[64, 2], [&[], &[0], &[], &[0]], &[96, 2]),
            // A batch, as attention has it.
            contract(
                [Bf16, Bf16, Bf16],
                &[2, 3, 2, 64],
                &[2, 40, 3, 64],
                [&[0, 1], &[3], &[0, 2], &[3]],
                &[2, 3, 2, 40],
            ),
        ],
        1e-2,
    );
}

#[test]
fn sums_of_f32_are_sums_of_f32() {
    check(
        &[
            along([F32, F32, F32], [2, 30, 700]),
            across([F32, F32, F32], [2, 60, 700]),
            along([F32, F32, F32], [20, 30, 700]),
            along([F64, F32, F32], [3, 4, 50]),
            along([F32, F32, F64], [3, 4, 50]),
        ],
        2e-5,
    );
}

#[test]
fn every_type_multiplies() {
    check(
        &[
            along([I8, I8, I32], [5, 70, 40]),
            along([I8, U8, I8], [5, 6, 40]),
            along([I4, I4, I4], [5, 6, 40]),
            along([I1, I1, I1], [5, 6, 4]),
            along([I64, I32, I64], [5, 6, 1500]),
            along([C64, C64, C64], [5, 6, 7]),
            along([F32, C128, C128], [3, 2, 7]),
            along([I32, Bf16, F32], [3, 2, 7]),
            along([F64, F64, Bf16], [3, 2, 7]),
        ],
        1e-2,
    );
}

#[test]
fn products_of_any_layout() {
    check(
        &[
            // Rows in the middle, terms in two dimensions out of order.
            contract([F32, F32, F32], &[3, 20, 5], &[5, 3, 18], [&[], &[2, 0], &[], &[0, 1]], &[20, 18]),
            contract([F32, F32, F32], &[4, 1], &[3, 1], [&[], &[1], &[], &[1]], &[4, 3]),
            contract([F32, F32, F32], &[], &[], [&[], &[], &[], &[]], &[]),
            contract([Bf16, Bf16, F32], &[4, 0], &[3, 0], [&[], &[1], &[], &[1]], &[4, 3]),
            contract([F32, F32, F32], &[0, 2], &[3, 2], [&[], &[1], &[], &[1]], &[0, 3]),
        ],
        1e-5,
    );
}

#[test]
fn tiles_fill_tensor_cores() {
    check(
        &[
            along([Bf16, Bf16, F32], [70, 90, 72]),
            across([Bf16, Bf16, Bf16], [64, 64, 1200]),
            contract([F16, F16, F16], &[40, 100], &[40, 65], [&[], &[0], &[], &[0]], &[100, 65]),
            contract([Bf16, Bf16, F32], &[2, 33, 24], &[2, 24, 66], [&[0], &[2], &[0], &[1]], &[2, 33, 66]),
            // One side is narrow: lines of 128 terms, shared by several blocks.
            along([Bf16, Bf16, Bf16], [17, 40, 1100]),
            along([F16, F16, F32], [48, 70, 520]),
            contract([Bf16, Bf16, Bf16], &[90, 640], &[8, 640], [&[], &[1], &[], &[1]], &[90, 8]),
            across([Bf16, Bf16, F32], [20, 136, 512]),
        ],
        1e-2,
    );
}

#[test]
fn a_sum_is_never_minus_zero() {
    let tiny = |shape: &[u64], value: f64| array(F32, shape, vec![value; shape.iter().product::<u64>() as usize]);
    let attributes = [
        ("lhs_batch", ints(&[])),
        ("lhs_contract", ints(&[1])),
        ("rhs_batch", ints(&[])),
        ("rhs_contract", ints(&[1])),
    ];
    let of = |m: u64, left: f64| {
        call(
            "zero",
            "contract",
            &attributes,
            &[],
            vec![tiny(&[m, 1], left), tiny(&[40, 1], 1e-30)],
            vec![output(F32, &[m, 40])],
        )
    };
    check(&[of(1, -1e-30), of(20, -1e-30), of(1, -0.0)], 0.0);
}
