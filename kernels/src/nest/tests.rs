//! Nests against plain counting, and every refusal.

use proptest::prelude::*;
use pygraph_artifact::{
    dtype::DType,
    plan::{Access, BufferId, Nest, Work},
    scalar::{ScalarBody, ScalarInst, ScalarOp},
};

use crate::{
    manifest::KernelError,
    memory::{Arena, Buffer, Bytes},
    tensor::TensorType,
    work,
};

fn access(buffer: u32, offset: i64, strides: &[i64]) -> Access {
    Access { buffer: BufferId(buffer), offset, strides: strides.to_vec() }
}

fn op(op: ScalarOp, dtype: DType, operands: &[u32]) -> ScalarInst {
    ScalarInst::Op { op, dtype, operands: operands.to_vec(), immediates: vec![] }
}

fn body(inputs: &[DType], instructions: Vec<ScalarInst>, outputs: &[u32]) -> ScalarBody {
    ScalarBody { inputs: inputs.to_vec(), instructions, outputs: outputs.to_vec() }
}

fn identity(dtype: DType) -> ScalarBody {
    body(&[dtype], vec![], &[0])
}

fn fold_with(operation: ScalarOp, dtype: DType) -> ScalarBody {
    body(&[dtype, dtype], vec![op(operation, dtype, &[0, 1])], &[2])
}

fn bytes<T: bytemuck::Pod>(values: &[T]) -> Bytes {
    Bytes::copy_of(bytemuck::cast_slice(values))
}

fn values<T: bytemuck::Pod>(bytes: &Bytes) -> Vec<T> {
    bytemuck::cast_slice(bytes.as_slice()).to_vec()
}

/// Runs a nest whose buffer 0 and on are inputs and the last the output.
fn run<T: bytemuck::Pod, R: bytemuck::Pod>(
    nest: &Nest,
    types: &[TensorType<'_>],
    inputs: &[&[T]],
    out: &[R],
) -> Vec<R> {
    let mut contents: Vec<Bytes> = inputs.iter().map(|input| bytes(input)).collect();
    contents.push(bytes(out));
    work::execute(&Work::Nest(nest.clone()), types, &mut contents).expect("the nest should run");
    values(contents.last().expect("there should be an output"))
}

fn nest(extents: &[u64], inputs: Vec<Access>, outputs: Vec<Access>, map: ScalarBody) -> Nest {
    Nest { extents: extents.to_vec(), reduction_dims: 0, inputs, outputs, map, combine: None }
}

#[test]
fn a_transposed_broadcast_sum() {
    let ty = |shape| TensorType::dense(DType::F32, shape);
    let map = body(&[DType::F32, DType::F32], vec![op(ScalarOp::Add, DType::F32, &[0, 1])], &[2]);
    let sum = nest(&[2, 3], vec![access(0, 0, &[1, 2]), access(1, 0, &[0, 1])], vec![access(2, 0, &[3, 1])], map);
    let got = run(
        &sum,
        &[ty(&[3, 2]), ty(&[3]), ty(&[2, 3])],
        &[&[1f32, 2.0, 3.0, 4.0, 5.0, 6.0], &[10.0, 20.0, 30.0]],
        &[0f32; 6],
    );
    assert_eq!(got, [11.0, 23.0, 35.0, 12.0, 24.0, 36.0]);
}

#[test]
fn positions_and_negative_strides() {
    let map = body(&[], vec![ScalarInst::Index { dimension: 1 }], &[0]);
    let iota = nest(&[2, 3], vec![], vec![access(0, 5, &[-3, -1])], map);
    let ty = TensorType::dense(DType::I64, &[6]);
    assert_eq!(run::<i64, i64>(&iota, &[ty], &[], &[9; 6]), [2, 1, 0, 2, 1, 0]);
}

#[test]
fn an_output_may_lie_on_the_input_it_is_computed_from() {
    let map = body(&[DType::I32], vec![op(ScalarOp::Neg, DType::I32, &[0])], &[1]);
    let negate = nest(&[4], vec![access(0, 0, &[1])], vec![access(1, 0, &[1])], map);
    let ty = TensorType::dense(DType::I32, &[4]);
    let prepared = work::prepare(&Work::Nest(negate), &[ty, ty]).expect("the nest should be right");
    let mut memory = bytes(&[1i32, 2, 3, 4, 5]);
    let arena = Arena::new(memory.as_mut_slice());
    let at = |offset| arena.buffer(offset, 16).expect("the buffer should fit");
    prepared.run(&[at(0), at(0)]).expect("in place should work");
    let error = prepared.run(&[at(0), at(4)]).expect_err("a shifted overlap should be refused");
    assert_eq!(error.to_string(), "buffer 1 is written where the launch also uses buffer 0");
    assert!(arena.buffer(8, 16).is_none());
    assert_eq!(values::<i32>(&memory), [-1, -2, -3, -4, 5]);
}

#[test]
fn running_refuses_buffers_that_do_not_fit() {
    let ty = TensorType::dense(DType::U8, &[4]);
    let copy = nest(&[4], vec![access(0, 0, &[1])], vec![access(1, 0, &[1])], identity(DType::U8));
    let prepared = work::prepare(&Work::Nest(copy), &[ty, ty]).expect("the nest should be right");
    let (input, mut output) = ([1u8; 4], [0u8; 4]);
    let read_only = Buffer::read_only(&input);
    let error = prepared.run(&[read_only, read_only]).expect_err("constants should stay");
    assert_eq!(error.to_string(), "buffer 1 is written, but may only be read");
    let short = Buffer::writable(&mut output[..3]);
    let error = prepared.run(&[read_only, short]).expect_err("a short buffer should be refused");
    assert!(matches!(error, KernelError::BufferSize { buffer: 1, expected: 4, found: 3 }));
    assert_eq!(error.to_string(), "buffer 1 has 3 bytes, its type needs 4");
}

/// Checks a reduction of `parallel` by `reduced` values, in both layouts, against `want` on each row.
fn check_reduction<T, R>(parallel: usize, reduced: usize, dtype: DType, combine: &ScalarBody, want: R)
where
    T: bytemuck::Pod + TryFrom<u64> + PartialEq + std::fmt::Debug,
    R: Fn(&[T]) -> T,
{
    let element = |point: usize| T::try_from((point as u64 * 7919) % 101).ok().expect("a small number should fit");
    let row = |parallel: usize| -> Vec<T> { (0..reduced).map(|k| element(parallel * reduced + k)).collect() };
    let expected: Vec<T> = (0..parallel).map(|parallel| want(&row(parallel))).collect();
    let (p, r) = (parallel as i64, reduced as i64);
    for (layout, strides) in [("rows", [r, 1]), ("columns", [1, p])] {
        let mut input = vec![element(0); parallel * reduced];
        for point in 0..parallel * reduced {
            let at = (point / reduced) * strides[0] as usize + (point % reduced) * strides[1] as usize;
            input[at] = element(point);
        }
        let nest = Nest {
            extents: vec![parallel as u64, reduced as u64],
            reduction_dims: 1,
            inputs: vec![access(0, 0, &strides)],
            outputs: vec![access(1, 0, &[1, 0])],
            map: identity(dtype),
            combine: Some(combine.clone()),
        };
        let (whole, kept) = ([(parallel * reduced) as u64], [parallel as u64]);
        let types = [TensorType::dense(dtype, &whole), TensorType::dense(dtype, &kept)];
        let start = vec![element(0); parallel];
        assert_eq!(run(&nest, &types, &[&input], &start), expected, "{layout} of {parallel} by {reduced}");
    }
}

#[test]
fn reductions_of_every_shape() {
    // Two instructions: no simple fold, yet a sum.
    let slow_sum = body(
        &[DType::I64, DType::I64],
        vec![op(ScalarOp::Neg, DType::I64, &[1]), op(ScalarOp::Sub, DType::I64, &[0, 2])],
        &[3],
    );
    // Associative, not commutative: the last value wins.
    let last = body(&[DType::I64, DType::I64], vec![op(ScalarOp::Max, DType::I64, &[1, 1])], &[2]);
    for (parallel, reduced) in
        [(1, 1), (1, 5), (3, 1), (7, 33), (1, 200_000), (3, 70_000), (600, 129), (2000, 40), (40, 3000), (5000, 2)]
    {
        check_reduction::<i64, _>(parallel, reduced, DType::I64, &fold_with(ScalarOp::Add, DType::I64), |row| {
            row.iter().sum()
        });
        check_reduction::<i64, _>(parallel, reduced, DType::I64, &slow_sum, |row| row.iter().sum());
        check_reduction::<i64, _>(parallel, reduced, DType::I64, &last, |row| row[row.len() - 1]);
        check_reduction::<u8, _>(parallel, reduced, DType::U8, &fold_with(ScalarOp::Max, DType::U8), |row| {
            *row.iter().max().expect("a row should have elements")
        });
    }
}

#[test]
fn float_sums_are_rounded_once() {
    let count = 100_000;
    let nest = Nest {
        extents: vec![count],
        reduction_dims: 1,
        inputs: vec![access(0, 0, &[1])],
        outputs: vec![access(1, 0, &[0])],
        map: identity(DType::Bf16),
        combine: Some(fold_with(ScalarOp::Add, DType::Bf16)),
    };
    let shape = [count];
    let types = [TensorType::dense(DType::Bf16, &shape), TensorType::dense(DType::Bf16, &[])];
    let ones = vec![half::bf16::ONE; count as usize];
    assert_eq!(run(&nest, &types, &[&ones], &[half::bf16::ONE]), [half::bf16::from_f64(count as f64 + 1.0)]);
}

#[test]
fn an_empty_reduction_keeps_what_the_output_held() {
    let nest = Nest {
        extents: vec![2, 0],
        reduction_dims: 1,
        inputs: vec![access(0, 0, &[0, 1])],
        outputs: vec![access(1, 0, &[1, 0])],
        map: identity(DType::I32),
        combine: Some(fold_with(ScalarOp::Add, DType::I32)),
    };
    let types = [TensorType::dense(DType::I32, &[2, 0]), TensorType::dense(DType::I32, &[2])];
    assert_eq!(run::<i32, i32>(&nest, &types, &[&[]], &[3, 4]), [3, 4]);
}

fn refusal(change: impl FnOnce(&mut Nest)) -> String {
    let mut nest = Nest {
        extents: vec![2, 3],
        reduction_dims: 1,
        inputs: vec![access(0, 0, &[3, 1])],
        outputs: vec![access(1, 0, &[1, 0])],
        map: identity(DType::I32),
        combine: Some(fold_with(ScalarOp::Add, DType::I32)),
    };
    change(&mut nest);
    let types = [
        TensorType::dense(DType::I32, &[2, 3]),
        TensorType::dense(DType::I32, &[2]),
        TensorType::dense(DType::I32, &[u64::MAX, 2]),
    ];
    work::prepare(&Work::Nest(nest), &types).expect_err("the nest should be refused")
}

#[test]
fn refusals() {
    let check = |change: &dyn Fn(&mut Nest), message: &str| assert_eq!(refusal(|nest| change(nest)), message);
    check(&|nest| nest.reduction_dims = 3, "nest reduces 3 of its 2 dimensions");
    check(&|nest| nest.combine = None, "nest reduces 1 dimensions without a combine");
    check(&|nest| nest.map.outputs[0] = 7, "map: scalar body yields register 7 of 1");
    check(
        &|nest| nest.map.instructions = vec![op(ScalarOp::Not, DType::F32, &[0])],
        "map: scalar body is not well typed",
    );
    check(
        &|nest| nest.map.instructions = vec![ScalarInst::Index { dimension: 2 }; 1 << 17],
        "map: scalar body has 131073 registers, at most 65536 are supported",
    );
    check(
        &|nest| nest.map.instructions = vec![ScalarInst::Index { dimension: 2 }],
        "map reads the position along dimension 2 of 2",
    );
    check(&|nest| nest.combine = Some(identity(DType::I32)), "combine does not take two sets of [I32] and give one");
    check(
        &|nest| {
            let position = ScalarInst::Index { dimension: 0 };
            nest.combine = Some(body(&[DType::I32, DType::I32], vec![position], &[0]));
        },
        "combine reads a position",
    );
    check(
        &|nest| nest.extents = vec![1 << 40, 1 << 40],
        "iteration space [1099511627776, 1099511627776] has too many points",
    );
    check(&|nest| nest.inputs.clear(), "nest has 0 inputs, its map 1");
    check(&|nest| nest.inputs[0].buffer.0 = 9, "input 0: buffer 9 of 3 does not exist");
    check(&|nest| nest.inputs[0].buffer.0 = 2, "input 0: buffer 2 of shape [18446744073709551615, 2] is too large");
    check(&|nest| nest.inputs[0].strides = vec![1], "input 0: 1 strides for 2 dimensions");
    check(
        &|nest| nest.inputs[0].offset = 1,
        "input 0: offset 1 and strides [3, 1] over [2, 3] leave the 6 elements of buffer 0",
    );
    check(
        &|nest| nest.inputs[0].strides = vec![-1, i64::MAX],
        "input 0: offset 0 and strides [-1, 9223372036854775807] over [2, 3] leave the 6 elements of buffer 0",
    );
    check(
        &|nest| (nest.extents, nest.outputs[0].strides) = (vec![1, 2], vec![0, 1]),
        "output 0 moves along the reduced dimension 1",
    );
    check(&|nest| nest.outputs[0].strides = vec![0, 0], "output 0 stores twice to one element: strides [0, 0]");
    check(
        &|nest| {
            nest.map = body(&[DType::I32], vec![op(ScalarOp::Convert, DType::F32, &[0])], &[1]);
            nest.combine = Some(fold_with(ScalarOp::Add, DType::F32));
        },
        "output 0: buffer 1 holds i32, the map has f32",
    );
}

/// A random permutation of a random view: extents, and strides of a dense array in another order, some broadcast.
fn any_view() -> impl Strategy<Value = (Vec<u64>, Vec<i64>, Vec<i64>, i64)> {
    proptest::collection::vec(1u64..9, 1..5).prop_flat_map(|extents| {
        let rank = extents.len();
        let order = Just((0..rank).collect::<Vec<usize>>()).prop_shuffle();
        let signs = proptest::collection::vec(-1i64..=1, rank);
        (Just(extents), order, signs).prop_map(|(extents, order, signs)| {
            let dense = |order: &[usize], signs: &dyn Fn(usize) -> i64| {
                let (mut strides, mut next, mut offset) = (vec![0; extents.len()], 1i64, 0);
                for dimension in order.iter().rev() {
                    strides[*dimension] = next * signs(*dimension);
                    if strides[*dimension] < 0 {
                        offset += next * (extents[*dimension] as i64 - 1);
                    }
                    next *= extents[*dimension] as i64;
                }
                (strides, offset)
            };
            let plain: Vec<usize> = (0..extents.len()).rev().collect();
            let (input, offset) = dense(&order, &|dimension| signs[dimension]);
            let (output, _) = dense(&plain, &|_| 1);
            (extents.clone(), input, output, offset)
        })
    })
}

proptest! {
    #[test]
    fn random_nests_agree_with_counting((extents, input, output, offset) in any_view(), reduced in 0usize..3) {
        let count: u64 = extents.iter().product();
        let reduced = reduced.min(extents.len());
        let kept = extents.len() - reduced;
        let data: Vec<i32> = (0..count as i32).map(|k| k * k % 1009 - 500).collect();
        let mut output = output;
        output[kept..].fill(0);
        // An output of the same size as the space, so that strides of the parallel dimensions need no repacking.
        let map = body(&[DType::I32], vec![op(ScalarOp::Mul, DType::I32, &[0, 0])], &[1]);
        let combine = (reduced > 0).then(|| fold_with(ScalarOp::Add, DType::I32));
        let nest = Nest {
            extents: extents.clone(),
            reduction_dims: reduced as u32,
            inputs: vec![access(0, offset, &input)],
            outputs: vec![access(1, 0, &output)],
            map,
            combine,
        };
        let mut want = vec![0i32; count as usize];
        for point in 0..count {
            let mut rest = point;
            let (mut from, mut to) = (offset, 0);
            for dimension in (0..extents.len()).rev() {
                let position = (rest % extents[dimension]) as i64;
                rest /= extents[dimension];
                from += input[dimension] * position;
                to += output[dimension] * position;
            }
            let value = data[from as usize] * data[from as usize];
            want[to as usize] = if reduced > 0 { want[to as usize] + value } else { value };
        }
        let shape = [count];
        let ty = TensorType::dense(DType::I32, &shape);
        prop_assert_eq!(run(&nest, &[ty, ty], &[&data], &vec![0i32; count as usize]), want);
    }
}
