//! Kernels that order, select and fold lines: in the emulator and by the plain executor.

mod support;

use pygraph_artifact::{
    dtype::DType,
    plan::KernelAttr,
    scalar::{ScalarBody, ScalarInst, ScalarOp},
};
use support::{
    Case,
    kernels::{Array, array, call, check, output, random},
};

use DType::{Bf16, C64, F16, F32, F64, I1, I8, I32, I64, U8, U64};

fn op(op: ScalarOp, dtype: DType, operands: &[u32]) -> ScalarInst {
    ScalarInst::Op { op, dtype, operands: operands.to_vec(), immediates: vec![] }
}

fn binary(of: ScalarOp, input: DType, result: DType) -> ScalarBody {
    ScalarBody { inputs: vec![input; 2], instructions: vec![op(of, result, &[0, 1])], outputs: vec![2] }
}

fn sort(name: &str, comparator: ScalarBody, inputs: Vec<Array>, dimension: i64) -> Case {
    let outputs = inputs.iter().map(|(dtype, shape, _)| output(*dtype, shape)).collect();
    let attributes = [("dimension", KernelAttr::Int(dimension)), ("stable", KernelAttr::Bool(true))];
    call(name, "sort", &attributes, &[comparator], inputs, outputs)
}

/// `a0 < b0`, or equal and `a1 > b1`: no function of one operand.
fn lexicographic() -> ScalarBody {
    ScalarBody {
        inputs: vec![I32, I32, I64, I64],
        instructions: vec![
            op(ScalarOp::Lt, I1, &[0, 1]),
            op(ScalarOp::Eq, I1, &[0, 1]),
            op(ScalarOp::Gt, I1, &[2, 3]),
            op(ScalarOp::Select, I1, &[5, 6, 4]),
        ],
        outputs: vec![7],
    }
}

/// Numbers of which many are equal.
fn few(dtype: DType, shape: &[u64], different: u64) -> Array {
    array(dtype, shape, (0..shape.iter().product::<u64>()).map(|at| ((at * 7919) % different) as f64))
}

#[test]
fn lines_are_sorted_stably() {
    let less = |dtype| binary(ScalarOp::Lt, dtype, I1);
    let by_first = |dtype: DType, other: DType| ScalarBody {
        inputs: vec![dtype, dtype, other, other],
        instructions: vec![op(ScalarOp::Gt, I1, &[0, 1])],
        outputs: vec![4],
    };
    let counted = |shape: &[u64]| array(I32, shape, (0..shape.iter().product::<u64>()).map(|at| at as f64));
    check(
        &[
            sort("one", less(F32), vec![random(F32, &[3, 1], 5)], 1),
            sort("line", less(F32), vec![random(F32, &[37], 5)], 0),
            sort("middle", less(I8), vec![random(I8, &[2, 9, 3], 5)], 1),
            sort("stable", by_first(I32, I32), vec![few(I32, &[2, 100], 7), counted(&[2, 100])], 1),
            sort("pairs", lexicographic(), vec![few(I32, &[60], 5), few(I64, &[60], 11)], 0),
            sort("long", by_first(Bf16, I32), vec![few(Bf16, &[4100], 50), counted(&[4100])], 0),
            sort("empty", less(F32), vec![random(F32, &[0, 3], 5)], 1),
        ],
        0.0,
    );
}

#[test]
fn a_comparator_without_an_order_still_permutes() {
    let values = array(F32, &[64], (0..64).map(|at| if at % 5 == 0 { f64::NAN } else { f64::from(64 - at) }));
    let case = sort("nan", binary(ScalarOp::Lt, F32, I1), vec![values], 0);
    let folder = tempfile::tempdir().expect("a temporary folder should be made");
    let got = &support::emulated(std::slice::from_ref(&case), folder.path())[0];
    let sorted = |bytes: &[u8]| {
        let mut words: Vec<[u8; 4]> = bytes.chunks_exact(4).map(|word| word.try_into().expect("four bytes")).collect();
        words.sort_unstable();
        words
    };
    assert_eq!(sorted(&got[1]), sorted(&got[0]));
}

#[test]
fn the_largest_come_first() {
    let top_k = |name: &str, operand: Array, k: u64| {
        let shape = [&operand.1[..operand.1.len() - 1], &[k]].concat();
        let outputs = vec![output(operand.0, &shape), output(I32, &shape)];
        call(name, "top_k", &[("k", KernelAttr::Int(k as i64))], &[], vec![operand], outputs)
    };
    let odd = [f64::NAN, -0.0, 0.0, f64::INFINITY, -f64::NAN, f64::NEG_INFINITY, 1.0, -1.0];
    check(
        &[
            top_k("ties", few(F32, &[3, 50], 6), 8),
            top_k("floats", array(F32, &[8], odd), 8),
            top_k("halves", array(F16, &[2, 8], odd.into_iter().chain(odd)), 5),
            top_k("doubles", array(F64, &[8], odd), 8),
            top_k("signed", random(I8, &[40], 2), 40),
            top_k("unsigned", array(U64, &[3], [-1.0, 5.0, 7.0]), 2),
            top_k("truth", random(I1, &[9], 2), 3),
            top_k("long", random(F32, &[2500], 3), 3),
            top_k("none", random(F32, &[2, 5], 3), 0),
        ],
        0.0,
    );
}

fn scan(name: &str, body: ScalarBody, operands: Vec<Array>, dimension: i64, inclusive: bool, reverse: bool) -> Case {
    let outputs = operands.iter().map(|(dtype, shape, _)| output(*dtype, shape)).collect();
    let initial: Vec<Array> = operands.iter().map(|(dtype, ..)| array(*dtype, &[], [1.0])).collect();
    let attributes = [
        ("dimension", KernelAttr::Int(dimension)),
        ("inclusive", KernelAttr::Bool(inclusive)),
        ("reverse", KernelAttr::Bool(reverse)),
    ];
    call(name, "scan", &attributes, &[body], operands.into_iter().chain(initial).collect(), outputs)
}

#[test]
fn prefixes_are_folded() {
    let of = |of: ScalarOp, dtype: DType| binary(of, dtype, dtype);
    // `a - b` in two operands: no fold.
    let differences = ScalarBody {
        inputs: vec![F32, I32, F32, I32],
        instructions: vec![op(ScalarOp::Sub, F32, &[0, 2]), op(ScalarOp::Sub, I32, &[3, 1])],
        outputs: vec![4, 5],
    };
    check(
        &[
            scan("sum", of(ScalarOp::Add, F32), vec![random(F32, &[2, 700], 1)], 1, true, false),
            scan("before", of(ScalarOp::Add, Bf16), vec![random(Bf16, &[300, 2], 1)], 0, false, true),
            scan("product", of(ScalarOp::Mul, F64), vec![random(F64, &[3, 5], 1)], 1, true, true),
            scan("largest", of(ScalarOp::Max, F16), vec![random(F16, &[400], 1)], 0, true, false),
            scan("integers", of(ScalarOp::Add, U8), vec![random(U8, &[2, 9], 1)], 1, false, false),
            scan("long_integers", of(ScalarOp::Add, I32), vec![random(I32, &[999], 1)], 0, false, false),
            scan("complex", of(ScalarOp::Add, C64), vec![random(C64, &[2, 9], 1)], 1, true, false),
            scan("two", differences, vec![random(F32, &[3, 7], 1), random(I32, &[3, 7], 2)], 1, true, false),
            scan("empty", of(ScalarOp::Add, F32), vec![random(F32, &[2, 0], 1)], 1, true, false),
        ],
        1e-6,
    );
}
