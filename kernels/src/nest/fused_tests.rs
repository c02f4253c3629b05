//! Fused nests against their stages one by one, and every refusal.

use proptest::prelude::*;
use pygraph_artifact::{
    dtype::DType,
    plan::{Access, BufferId, Fused, FusedOperand, Nest, Work},
    scalar::{ScalarBody, ScalarInst, ScalarOp},
};

use crate::{
    memory::{Arena, Bytes},
    tensor::TensorType,
    work,
};

fn access(buffer: u32, strides: &[i64]) -> Access {
    Access { buffer: BufferId(buffer), offset: 0, strides: strides.to_vec() }
}

fn body(inputs: usize, ops: &[(ScalarOp, &[u32])], output: u32) -> ScalarBody {
    let op = |(op, operands): &(ScalarOp, &[u32])| ScalarInst::Op {
        op: *op,
        dtype: DType::F32,
        operands: operands.to_vec(),
        immediates: vec![],
    };
    ScalarBody { inputs: vec![DType::F32; inputs], instructions: ops.iter().map(op).collect(), outputs: vec![output] }
}

/// Buffer 0 is the input, 1 a sum for each row, 2 the result: `exp(x)` over its sum.
fn stages(rows: u64, columns: u64) -> Vec<Nest> {
    let c = columns as i64;
    let zero = ScalarBody {
        inputs: vec![],
        instructions: vec![ScalarInst::Constant { dtype: DType::F32, bits: 0 }],
        outputs: vec![0],
    };
    let whole = |inputs, outputs, map| Nest {
        extents: vec![rows, columns],
        reduction_dims: 0,
        inputs,
        outputs,
        map,
        combine: None,
    };
    vec![
        whole(vec![access(0, &[c, 1])], vec![access(2, &[c, 1])], body(1, &[(ScalarOp::Exp, &[0])], 1)),
        Nest {
            extents: vec![rows],
            reduction_dims: 0,
            inputs: vec![],
            outputs: vec![access(1, &[1])],
            map: zero,
            combine: None,
        },
        Nest {
            reduction_dims: 1,
            combine: Some(body(2, &[(ScalarOp::Add, &[0, 1])], 2)),
            ..whole(vec![access(2, &[c, 1])], vec![access(1, &[1, 0])], body(1, &[], 0))
        },
        whole(
            vec![access(2, &[c, 1]), access(1, &[1, 0])],
            vec![access(2, &[c, 1])],
            body(2, &[(ScalarOp::Div, &[0, 1])], 2),
        ),
    ]
}

fn fused(rows: u64, columns: u64) -> Fused {
    let operands = vec![
        FusedOperand::Buffer(BufferId(0)),
        FusedOperand::Temporary { dtype: DType::F32, shape: vec![rows] },
        FusedOperand::Buffer(BufferId(2)),
    ];
    Fused { rows, operands, stages: stages(rows, columns) }
}

fn refusal(change: impl FnOnce(&mut Fused)) -> String {
    let mut fused = fused(4, 3);
    change(&mut fused);
    let ty = |shape| TensorType::dense(DType::F32, shape);
    work::prepare(&Work::Fused(fused), &[ty(&[4, 3]), ty(&[4]), ty(&[4, 3])]).expect_err("it should be refused")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn rows_compute_what_stages_one_by_one_do(rows in 1u64..70, columns in 1u64..5000, seed in any::<u32>()) {
        let (whole, per_row) = ([rows, columns], [rows]);
        let ty = |shape| TensorType::dense(DType::F32, shape);
        let types = [ty(&whole), ty(&per_row), ty(&whole)];
        let elements: Vec<f32> =
            (0..rows * columns).map(|i| ((i as u32).wrapping_mul(2_654_435_761) ^ seed) as f32 / 4e9).collect();
        let start = [Bytes::copy_of(bytemuck::cast_slice(&elements)), Bytes::zeroed(4 * rows as usize),
                     Bytes::zeroed(4 * elements.len())];
        let mut single = start.clone();
        for stage in stages(rows, columns) {
            run_in_place(&Work::Nest(stage), &types, &mut single);
        }
        let mut together = start;
        run_in_place(&Work::Fused(fused(rows, columns)), &types, &mut together);
        prop_assert!(single[2].as_slice() == together[2].as_slice());
    }
}

fn run_in_place(work: &Work, types: &[TensorType<'_>], contents: &mut [Bytes]) {
    work::execute(work, types, contents).expect("the work should run");
}

#[test]
fn what_is_no_row_is_refused() {
    assert_eq!(refusal(|fused| fused.rows = 0), "4 stages in 0 rows");
    assert_eq!(refusal(|fused| fused.stages.clear()), "0 stages in 4 rows");
    assert_eq!(refusal(|fused| fused.rows = 3), "operand 1 has 4 elements in 3 rows");
    assert_eq!(refusal(|fused| fused.rows = 2), "stage 0: the first of its extents [4, 3] do not count 2 rows");
    assert_eq!(
        refusal(|fused| fused.stages[3].inputs[1].strides = vec![0, 1]),
        "stage 3: it touches operand 1 in other rows than its own"
    );
    assert_eq!(
        refusal(|fused| fused.stages[3].inputs[0] = Access { buffer: BufferId(2), offset: 2, strides: vec![3, -1] }),
        "stage 3: it writes operand 2 where it uses it otherwise"
    );
    assert_eq!(refusal(|fused| fused.stages[0].extents[1] = 0), "stage 0: it has no points");
    assert_eq!(refusal(|fused| fused.operands.truncate(2)), "operand 2 does not exist");
    assert_eq!(refusal(|fused| fused.operands[0] = FusedOperand::Buffer(BufferId(7))), "buffer 7 of 3 does not exist");
    assert_eq!(
        refusal(|fused| fused.operands.push(FusedOperand::Temporary { dtype: DType::F32, shape: vec![1 << 30] })),
        "its temporaries take 1073741828 bytes a row, at most 16777216 are allowed"
    );
    let too_large = FusedOperand::Temporary { dtype: DType::F32, shape: vec![u64::MAX] };
    assert_eq!(
        refusal(|fused| fused.operands.push(too_large)),
        "operand 3 of shape [18446744073709551615] is too large"
    );
}

#[test]
fn running_refuses_buffers_that_do_not_fit() {
    let ty = |shape| TensorType::dense(DType::F32, shape);
    let types = [ty(&[4, 3]), ty(&[4]), ty(&[4, 3])];
    let prepared = work::prepare(&Work::Fused(fused(4, 3)), &types).expect("it should be right");
    let mut memory = Bytes::zeroed(256);
    let arena = Arena::new(memory.as_mut_slice());
    let at = |offset, size| arena.buffer(offset, size).expect("the buffer should fit");
    prepared.run(&[at(0, 48), at(48, 16), at(64, 48)]).expect("it should run");
    let message =
        |buffers: &[crate::memory::Buffer<'_>]| prepared.run(buffers).expect_err("it should fail").to_string();
    assert_eq!(message(&[at(0, 48), at(48, 16), at(0, 48)]), "buffer 2 is written where the launch also uses buffer 0");
    assert_eq!(message(&[at(0, 44), at(48, 16), at(64, 48)]), "buffer 0 has 44 bytes, its type needs 48");
    let zeros = [0; 48];
    let constant = crate::memory::Buffer::read_only(&zeros);
    assert_eq!(message(&[at(0, 48), at(48, 16), constant]), "buffer 2 is written, but may only be read");
}
