//! Fused nests, alone and around a product, against their stages one by one, and every refusal.

use proptest::prelude::*;
use pygraph_artifact::{
    dtype::DType,
    plan::{Access, BufferId, Fused, FusedOperand, KernelAttr, KernelCall, Nest, Work},
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
    Fused { rows, operands, prologue: vec![], kernel: None, stages: stages(rows, columns) }
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

/// `x[rows, depth] · y[depth, columns]`, from operands 0 and 1 to operand 2.
fn product() -> KernelCall {
    let ints = |name: &str, values: &[i64]| (name.to_string(), KernelAttr::Ints(values.to_vec()));
    KernelCall {
        kernel: "contract".to_string(),
        inputs: vec![BufferId(0), BufferId(1)],
        outputs: vec![BufferId(2)],
        attributes: vec![
            ints("lhs_batch", &[]),
            ints("lhs_contract", &[1]),
            ints("rhs_batch", &[]),
            ints("rhs_contract", &[0]),
        ],
        bodies: vec![],
    }
}

/// `exp` of operand 2, plus operand 3, the same in each row, to operand 4.
fn epilogue(rows: u64, columns: u64) -> Nest {
    let c = columns as i64;
    Nest {
        extents: vec![rows, columns],
        reduction_dims: 0,
        inputs: vec![access(2, &[c, 1]), access(3, &[0, 1])],
        outputs: vec![access(4, &[c, 1])],
        map: body(2, &[(ScalarOp::Exp, &[0]), (ScalarOp::Add, &[2, 1])], 3),
        combine: None,
    }
}

fn fused_product(rows: u64, columns: u64) -> Fused {
    let buffer = |number| FusedOperand::Buffer(BufferId(number));
    let result = FusedOperand::Temporary { dtype: DType::F32, shape: vec![rows, columns] };
    let operands = vec![buffer(0), buffer(1), result, buffer(3), buffer(4)];
    Fused {
        rows: rows * columns,
        operands,
        prologue: vec![],
        kernel: Some(product()),
        stages: vec![epilogue(rows, columns)],
    }
}

fn of_ones_and_others(count: u64) -> Bytes {
    let elements: Vec<f32> = (0..count).map(|i| ((i * 7919) % 31) as f32 / 31.0 - 0.3).collect();
    Bytes::copy_of(bytemuck::cast_slice(&elements))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn an_epilogue_computes_what_a_launch_behind_the_product_does(rows in 1u64..40, columns in 1u64..300, depth in 1u64..300) {
        let shapes = [vec![rows, depth], vec![depth, columns], vec![rows, columns], vec![columns], vec![rows, columns]];
        let types: Vec<TensorType<'_>> = shapes.iter().map(|shape| TensorType::dense(DType::F32, shape)).collect();
        let start: Vec<Bytes> = shapes.iter().map(|shape| of_ones_and_others(shape.iter().product())).collect();
        let mut single = start.clone();
        run_in_place(&Work::Kernel(product()), &types, &mut single);
        run_in_place(&Work::Nest(epilogue(rows, columns)), &types, &mut single);
        let mut together = start.clone();
        run_in_place(&Work::Fused(fused_product(rows, columns)), &types, &mut together);
        prop_assert!(single[4].as_slice() == together[4].as_slice());
        prop_assert!(start[2].as_slice() == together[2].as_slice(), "the product itself should stay inside");
        // One that is read outside too is stored.
        let mut whole = fused_product(rows, columns);
        whole.operands[2] = FusedOperand::Buffer(BufferId(2));
        let mut stored = start;
        run_in_place(&Work::Fused(whole), &types, &mut stored);
        prop_assert!(single[2].as_slice() == stored[2].as_slice() && single[4].as_slice() == stored[4].as_slice());
    }
}

/// `exp` of buffer 5, for the right side of the product, which lies nowhere else; with the epilogue or without.
fn product_behind(depth: u64, rows: u64, columns: u64, has_stages: bool) -> Fused {
    let c = columns as i64;
    let prologue = Nest {
        extents: vec![depth, columns],
        reduction_dims: 0,
        inputs: vec![access(5, &[c, 1])],
        outputs: vec![access(1, &[c, 1])],
        map: body(1, &[(ScalarOp::Exp, &[0])], 1),
        combine: None,
    };
    let mut fused = fused_product(rows, columns);
    fused.operands[1] = FusedOperand::Temporary { dtype: DType::F32, shape: vec![depth, columns] };
    fused.operands.push(FusedOperand::Buffer(BufferId(5)));
    fused.prologue.push(prologue);
    if !has_stages {
        fused.operands[2] = FusedOperand::Buffer(BufferId(2));
        fused.operands[4] = FusedOperand::Buffer(BufferId(4));
        (fused.rows, fused.stages) = (1, vec![]);
    }
    fused
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn a_prologue_computes_what_a_launch_before_the_product_does(rows in 1u64..20, columns in 1u64..200, depth in 1u64..200) {
        let (wide, deep) = (vec![rows, columns], vec![depth, columns]);
        let shapes = [vec![rows, depth], deep.clone(), wide.clone(), vec![columns], wide, deep];
        let types: Vec<TensorType<'_>> = shapes.iter().map(|shape| TensorType::dense(DType::F32, shape)).collect();
        let start: Vec<Bytes> = shapes.iter().map(|shape| of_ones_and_others(shape.iter().product())).collect();
        let mut single = start.clone();
        run_in_place(&Work::Nest(product_behind(depth, rows, columns, true).prologue.remove(0)), &types, &mut single);
        run_in_place(&Work::Kernel(product()), &types, &mut single);
        run_in_place(&Work::Nest(epilogue(rows, columns)), &types, &mut single);
        let mut together = start.clone();
        run_in_place(&Work::Fused(product_behind(depth, rows, columns, true)), &types, &mut together);
        prop_assert!(single[4].as_slice() == together[4].as_slice());
        prop_assert!(start[1].as_slice() == together[1].as_slice(), "what is multiplied should stay inside");
        let mut alone = start;
        run_in_place(&Work::Fused(product_behind(depth, rows, columns, false)), &types, &mut alone);
        prop_assert!(single[2].as_slice() == alone[2].as_slice());
    }
}

#[test]
fn what_is_no_prologue_is_refused() {
    let refusal = |change: fn(&mut Fused)| {
        let mut fused = product_behind(8, 4, 6, true);
        change(&mut fused);
        let shapes = [vec![4, 8], vec![8, 6], vec![4, 6], vec![6], vec![4, 6], vec![8, 6]];
        let types: Vec<TensorType<'_>> = shapes.iter().map(|shape| TensorType::dense(DType::F32, shape)).collect();
        work::prepare(&Work::Fused(fused), &types).expect_err("it should be refused")
    };
    assert_eq!(refusal(|fused| fused.kernel = None), "a prologue of no kernel");
    assert_eq!(
        refusal(|fused| fused.prologue[0].outputs[0].strides = vec![1, 8]),
        "prologue 0: it does not go through operand 1 in order"
    );
    assert_eq!(
        refusal(|fused| fused.prologue[0].inputs[0] = access(4, &[0, 1])),
        "prologue 0: it reads operand 4, which is made here"
    );
    assert_eq!(
        refusal(|fused| fused.stages[0].inputs[1] = access(1, &[0, 1])),
        "prologue 0: operand 1 is not made for the kernel alone"
    );
    assert_eq!(
        refusal(|fused| fused.operands[1] = FusedOperand::Buffer(BufferId(1))),
        "prologue 0: operand 1 is not made for the kernel alone"
    );
    assert_eq!(refusal(|fused| fused.prologue[0].outputs.clear()), "prologue 0: it has 0 outputs");
    let folds = |fused: &mut Fused| fused.prologue[0].combine = Some(body(2, &[(ScalarOp::Add, &[0, 1])], 2));
    assert_eq!(refusal(folds), "prologue 0: it folds");
}

#[test]
fn a_kernel_that_stages_cannot_follow_is_refused() {
    let refusal_of = |change: &dyn Fn(&mut Fused)| {
        let mut fused = fused_product(4, 6);
        change(&mut fused);
        let shapes = [vec![4, 8], vec![8, 6], vec![4, 6], vec![6], vec![4, 6]];
        let types: Vec<TensorType<'_>> = shapes.iter().map(|shape| TensorType::dense(DType::F32, shape)).collect();
        work::prepare(&Work::Fused(fused), &types).expect_err("it should be refused")
    };
    let refusal = |change: fn(&mut Fused)| refusal_of(&change);
    let call_refusal = |change: fn(&mut KernelCall)| {
        refusal_of(&|fused| change(fused.kernel.as_mut().expect("the launch should have a kernel")))
    };
    assert_eq!(
        refusal(|fused| fused.stages.push(Nest { outputs: vec![access(1, &[6, 1])], ..epilogue(4, 6) })),
        "contract reads operand 1, which is made here"
    );
    assert_eq!(refusal(|fused| fused.rows = 5), "operand 2 has 24 elements in 5 rows");
    assert_eq!(
        refusal(|fused| fused.stages[0].inputs[0].strides = vec![1, 4]),
        "stage 0: it touches operand 2 in other rows than its own"
    );
    assert_eq!(call_refusal(|call| call.outputs[0] = BufferId(9)), "operand 9 does not exist");
    assert_eq!(call_refusal(|call| call.inputs[0] = BufferId(9)), "buffer 9 of 5 does not exist");
    assert_eq!(call_refusal(|call| call.kernel = "sort".to_string()), "no stages can follow sort");
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
