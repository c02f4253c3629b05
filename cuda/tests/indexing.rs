//! Kernels that copy parts: in the emulator and by the plain executor.

mod support;

use pygraph_artifact::{
    dtype::DType,
    scalar::{ScalarBody, ScalarInst, ScalarOp},
};
use support::{
    Case,
    kernels::{Array, array, call, check, ints, output, random},
};

fn starts(dtype: DType, values: &[i64]) -> Vec<Array> {
    values.iter().map(|value| array(dtype, &[], [*value as f64])).collect()
}

fn slice(name: &str, dtype: DType, shape: &[u64], sizes: &[u64], at: Vec<Array>) -> Case {
    let signed: Vec<i64> = sizes.iter().map(|size| *size as i64).collect();
    let inputs = std::iter::once(random(dtype, shape, 3)).chain(at).collect();
    call(name, "dynamic_slice", &[("sizes", ints(&signed))], &[], inputs, vec![output(dtype, sizes)])
}

#[test]
fn slices_are_clamped_and_move_in_words() {
    use DType::{Bf16, C128, F32, F64, I1, I8, I32, I64, U64};
    check(
        &[
            slice("scalar", F32, &[], &[], vec![]),
            slice("word", F32, &[5, 8], &[2, 8], starts(I32, &[1, 3])),
            slice("bytes", I8, &[5, 3, 16], &[2, 3, 16], starts(I64, &[-9, 0, 0])),
            slice("elements", Bf16, &[5, 7], &[2, 3], starts(I8, &[9, 3])),
            slice("wide", C128, &[4, 3], &[2, 2], starts(I32, &[1, 1])),
            slice("past", F64, &[4], &[4], starts(U64, &[-1])),
            slice("truth", I1, &[300], &[257], starts(I32, &[40])),
            slice("empty", F32, &[4, 4], &[0, 4], starts(I32, &[2, 0])),
        ],
        0.0,
    );
}

fn update(name: &str, dtype: DType, shape: &[u64], part: &[u64], at: Vec<Array>) -> Case {
    let inputs = [random(dtype, shape, 3), random(dtype, part, 4)].into_iter().chain(at).collect();
    call(name, "dynamic_update_slice", &[], &[], inputs, vec![output(dtype, shape)])
}

#[test]
fn updates_are_clamped_and_leave_the_rest() {
    use DType::{Bf16, C64, F32, I8, I32, I64};
    check(
        &[
            update("scalar", F32, &[], &[], vec![]),
            update("word", F32, &[5, 8], &[2, 8], starts(I32, &[4, 3])),
            update("rows", Bf16, &[2, 9, 2, 4], &[2, 1, 2, 4], starts(I32, &[0, 5, 0, 0])),
            update("elements", I8, &[5, 7], &[2, 3], starts(I64, &[-1, 2])),
            update("complex", C64, &[5, 2], &[1, 2], starts(I32, &[3, 0])),
            update("nothing", F32, &[3, 2], &[0, 2], starts(I32, &[1, 0])),
        ],
        0.0,
    );
}

#[test]
fn gathers_follow_dimension_numbers() {
    let names = [
        "offset_dims",
        "collapsed_slice_dims",
        "operand_batching_dims",
        "start_indices_batching_dims",
        "start_index_map",
        "slice_sizes",
    ];
    let gather = |name: &str, operand: Array, indices: Array, lists: [&[i64]; 6], vector: i64, shape: &[u64]| {
        let mut attributes: Vec<_> = names.iter().zip(lists).map(|(name, list)| (*name, ints(list))).collect();
        attributes.push(("index_vector_dim", pygraph_artifact::plan::KernelAttr::Int(vector)));
        let dtype = operand.0;
        call(name, "gather", &attributes, &[], vec![operand, indices], vec![output(dtype, shape)])
    };
    use DType::{Bf16, F32, I32, I64, U8};
    let embedding = [&[1][..], &[0], &[], &[], &[0], &[1, 8]];
    let points = [&[][..], &[0, 1], &[], &[], &[1, 0], &[1, 1]];
    let batched = [&[1, 2][..], &[], &[0], &[1], &[2], &[1, 2, 3]];
    check(
        &[
            gather("rows", random(Bf16, &[10, 8], 1), array(I32, &[3], [2.0, -4.0, 99.0]), embedding, 1, &[3, 8]),
            gather("rows8", random(Bf16, &[10, 8], 1), array(U8, &[3, 1], [2.0, 7.0, 200.0]), embedding, 1, &[3, 8]),
            gather("points", random(F32, &[4, 5], 2), random(I64, &[2, 6], 3), points, 0, &[6]),
            gather(
                "batched",
                random(F32, &[2, 4, 7], 2),
                array(I32, &[3, 2], [0., 1., 2., 3., 4., 9.]),
                batched,
                2,
                &[3, 2, 3, 2],
            ),
            gather("none", random(F32, &[4, 5], 2), random(I64, &[2, 0], 3), points, 0, &[0]),
        ],
        0.0,
    );
}

fn fold(operation: Option<ScalarOp>, dtype: DType) -> ScalarBody {
    let op = |op| ScalarInst::Op { op, dtype, operands: vec![0, 1], immediates: vec![] };
    let output = if operation.is_some() { 2 } else { 1 };
    ScalarBody { inputs: vec![dtype; 2], instructions: operation.map(op).into_iter().collect(), outputs: vec![output] }
}

#[test]
fn scatters_apply_updates_in_order() {
    let names = [
        "update_window_dims",
        "inserted_window_dims",
        "input_batching_dims",
        "scatter_indices_batching_dims",
        "scatter_dims_to_operand_dims",
    ];
    let scatter = |name: &str, body: ScalarBody, inputs: Vec<Array>, lists: [&[i64]; 5], vector: i64| {
        let mut attributes: Vec<_> = names.iter().zip(lists).map(|(name, list)| (*name, ints(list))).collect();
        attributes.push(("index_vector_dim", pygraph_artifact::plan::KernelAttr::Int(vector)));
        let outputs = inputs[..inputs.len() / 2].iter().map(|(dtype, shape, _)| output(*dtype, shape)).collect();
        call(name, "scatter", &attributes, &[body], inputs, outputs)
    };
    use DType::{Bf16, F32, I8, I32, I64};
    let rows = [&[1][..], &[0], &[], &[], &[0]];
    let points = [&[][..], &[0, 1], &[], &[], &[1, 0]];
    let windows = [&[1, 2][..], &[], &[], &[], &[0, 1]];
    let batched = [&[2][..], &[1], &[0], &[0], &[1]];
    let two = ScalarBody {
        inputs: vec![F32, I32, F32, I32],
        instructions: vec![ScalarInst::Op { op: ScalarOp::Add, dtype: F32, operands: vec![0, 2], immediates: vec![] }],
        outputs: vec![4, 3],
    };
    let some = |values: &[f64], shape: &[u64]| array(I32, shape, values.iter().copied());
    let sum = |dtype| fold(Some(ScalarOp::Add), dtype);
    let many: Vec<f64> = (0..200).map(|at| f64::from(at * 37 % 23 - 2)).collect();
    check(
        &[
            scatter(
                "rows",
                sum(F32),
                vec![random(F32, &[6, 5], 1), some(&[2., 9., 2., -1.], &[4]), random(F32, &[4, 5], 2)],
                rows,
                1,
            ),
            scatter(
                "last",
                fold(None, Bf16),
                vec![random(Bf16, &[6, 5], 1), some(&[2., 3., 2.], &[3, 1]), random(Bf16, &[3, 5], 2)],
                rows,
                1,
            ),
            scatter(
                "replaces",
                fold(None, Bf16),
                vec![
                    random(Bf16, &[6, 5, 40], 1),
                    some(&[2., 3., 2., -1., 5., 9., 3.], &[7, 1]),
                    random(Bf16, &[5, 7, 40], 2),
                ],
                [&[0, 2], &[0], &[], &[], &[0]],
                1,
            ),
            scatter(
                "points",
                sum(I8),
                vec![random(I8, &[4, 5], 1), some(&many, &[2, 100]), random(I8, &[100], 2)],
                points,
                0,
            ),
            scatter(
                "windows",
                sum(F32),
                vec![random(F32, &[6, 6], 1), some(&[0., 1., 1., 0., 5., 5.], &[3, 2]), random(F32, &[3, 2, 3], 2)],
                windows,
                1,
            ),
            scatter(
                "batched",
                sum(F32),
                vec![random(F32, &[2, 4, 3], 1), some(&[0., 3., 3., 1.], &[2, 2]), random(F32, &[2, 2, 3], 2)],
                batched,
                2,
            ),
            scatter(
                "two",
                two,
                vec![
                    random(F32, &[6, 5], 1),
                    random(I32, &[6, 5], 4),
                    some(&[2., 2.], &[2]),
                    random(F32, &[2, 5], 2),
                    random(I32, &[2, 5], 3),
                ],
                rows,
                1,
            ),
            scatter(
                "nothing",
                sum(F32),
                vec![random(F32, &[6, 5], 1), random(I64, &[0], 1), random(F32, &[0, 5], 2)],
                rows,
                1,
            ),
        ],
        0.0,
    );
}

#[test]
fn in_place_only_what_changes_is_written() {
    use DType::{Bf16, F32, I32};
    let mut cases = [
        update("rows", Bf16, &[2, 9, 2, 4], &[2, 1, 2, 4], starts(I32, &[0, 5, 0, 0])),
        update("elements", F32, &[5, 7], &[2, 3], starts(I32, &[9, 2])),
    ];
    for case in &mut cases {
        let pygraph_artifact::plan::Work::Kernel(call) = &mut case.work else { unreachable!("it is a call") };
        call.outputs = vec![call.inputs[0]];
        case.arrays.pop();
    }
    check(&cases, 0.0);
}
