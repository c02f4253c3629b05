use super::*;

fn sort_case(comparator: ScalarBody, inputs: Vec<Tensor>, dimension: i64) -> Case {
    let outputs = inputs.iter().map(|input| zeros(input.dtype, &input.shape)).collect();
    Case {
        kernel: "sort",
        attributes: vec![("dimension", KernelAttr::Int(dimension)), ("stable", KernelAttr::Bool(true))],
        bodies: vec![comparator],
        inputs,
        outputs,
    }
}

/// `a0 < b0`, or equal and `a1 > b1`: no function of one operand.
fn lexicographic() -> ScalarBody {
    ScalarBody {
        inputs: vec![DType::I32, DType::I32, DType::I64, DType::I64],
        instructions: vec![
            op(ScalarOp::Lt, DType::I1, &[0, 1]),
            op(ScalarOp::Eq, DType::I1, &[0, 1]),
            op(ScalarOp::Gt, DType::I1, &[2, 3]),
            op(ScalarOp::Select, DType::I1, &[5, 6, 4]),
        ],
        outputs: vec![7],
    }
}

#[test]
fn sorts_lines_along_any_dimension() {
    let values = tensor(&[3, 2], &[3i32, 1, 1, 2, 2, 0]);
    let less = body(ScalarOp::Lt, DType::I32, DType::I1);
    assert_eq!(sort_case(less.clone(), vec![values.clone()], 0).first::<i32>(), [1, 0, 2, 1, 3, 2]);
    assert_eq!(sort_case(less, vec![values.clone()], 1).first::<i32>(), [1, 3, 1, 2, 0, 2]);
    let greater = body(ScalarOp::Gt, DType::I32, DType::I1);
    assert_eq!(sort_case(greater, vec![values], 0).first::<i32>(), [3, 2, 2, 1, 1, 0]);
}

#[test]
fn keys_and_comparators_agree_and_are_stable() {
    let count = 5000u64;
    let keys: Vec<i32> = (0..count as i32).map(|k| k * 7919 % 101 - 50).collect();
    let positions: Vec<i64> = (0..count as i64).collect();
    let inputs = vec![tensor(&[count], &keys), tensor(&[count], &positions)];
    let mut want: Vec<(i32, i64)> = keys.iter().copied().zip(positions.iter().copied()).collect();
    want.sort();
    // By the negated key, backwards: a function of each operand.
    let by_key = ScalarBody {
        inputs: vec![DType::I32, DType::I32, DType::I64, DType::I64],
        instructions: vec![
            op(ScalarOp::Neg, DType::I32, &[0]),
            op(ScalarOp::Neg, DType::I32, &[1]),
            op(ScalarOp::Gt, DType::I1, &[4, 5]),
        ],
        outputs: vec![6],
    };
    let check = |comparator: ScalarBody, want: &[(i32, i64)]| {
        let got = sort_case(comparator, inputs.clone(), 0).run().expect("the call should run");
        let got: Vec<(i32, i64)> = got[0].values::<i32>().into_iter().zip(got[1].values::<i64>()).collect();
        assert!(got == want);
    };
    check(by_key, &want);
    want.sort_by_key(|(key, position)| (*key, -position));
    check(lexicographic(), &want);
    // The same comparator with its arguments' roles confused is not a function of each operand.
    let crossed = ScalarBody {
        inputs: vec![DType::I32, DType::I32, DType::I64, DType::I64],
        instructions: vec![op(ScalarOp::Lt, DType::I1, &[1, 0])],
        outputs: vec![4],
    };
    want.sort_by_key(|(key, position)| (-key, *position));
    check(crossed, &want);
}

#[test]
fn comparators_that_order_nothing_do_no_harm() {
    let always = ScalarBody {
        inputs: vec![DType::I32, DType::I32],
        instructions: vec![op(ScalarOp::Eq, DType::I1, &[0, 0])],
        outputs: vec![2],
    };
    let values: Vec<i32> = (0..100).collect();
    let mut got = sort_case(always, vec![tensor(&[100], &values)], 0).first::<i32>();
    got.sort_unstable();
    assert_eq!(got, values);
    let less = body(ScalarOp::Lt, DType::F32, DType::I1);
    let with_nan = vec![tensor(&[4], &[2.0, f32::NAN, 1.0, 0.5])];
    assert_eq!(sort_case(less, with_nan, 0).first::<f32>().iter().filter(|x| x.is_nan()).count(), 1);
    let total = body(ScalarOp::LtTotal, DType::F32, DType::I1);
    let signed = vec![tensor(&[5], &[f32::NAN, 0.0, -0.0, f32::NEG_INFINITY, -1.0])];
    let sorted = sort_case(total, signed, 0).first::<f32>();
    assert_eq!(sorted[..4].iter().map(|x| x.to_bits()).collect::<Vec<_>>(), [0xff80_0000, 0xbf80_0000, 0x8000_0000, 0]);
}

#[test]
fn sort_refusals() {
    let case = sort_case(body(ScalarOp::Lt, DType::I32, DType::I1), vec![tensor(&[2], &[1i32, 0])], 0);
    case.refuses(|case| case.outputs.clear(), "sort: takes as many inputs as outputs, not 1 and 0");
    case.refuses(|case| case.set("dimension", KernelAttr::Int(1)), "sort: cannot sort [2] along dimension 1");
    case.refuses(
        |case| case.bodies[0] = body(ScalarOp::Add, DType::I32, DType::I32),
        "sort: the comparator does not go from [I32, I32] to [I1]",
    );
    case.refuses(|case| case.outputs[0] = zeros(DType::I64, &[2]), "sort: output 0 is [2] of i64, not [2] of i32");
}

fn top_k_case(operand: Tensor, k: i64) -> Case {
    let mut shape = operand.shape.clone();
    if let Some(last) = shape.last_mut() {
        *last = k.max(0) as u64;
    }
    Case {
        kernel: "top_k",
        attributes: vec![("k", KernelAttr::Int(k))],
        bodies: vec![],
        outputs: vec![zeros(operand.dtype, &shape), zeros(DType::I32, &shape)],
        inputs: vec![operand],
    }
}

#[test]
fn finds_the_largest_in_order() {
    let rows = tensor(&[2, 4], &[1.0f32, 3.0, f32::NAN, 3.0, -0.0, 0.0, -1.0, f32::INFINITY]);
    let found = top_k_case(rows, 3).run().expect("the call should run");
    assert_eq!(found[1].values::<i32>(), [2, 1, 3, 3, 1, 0]);
    assert_eq!(found[0].values::<f32>()[1..], [3.0, 3.0, f32::INFINITY, 0.0, -0.0]);
    let large = top_k_case(tensor(&[3], &[1u64, u64::MAX, 2]), 3).run().expect("the call should run");
    assert_eq!(large[0].values::<u64>(), [u64::MAX, 2, 1]);
    assert_eq!(top_k_case(tensor(&[2], &[1i8, -1]), 0).first::<i8>(), []);
}

#[test]
fn top_k_refusals() {
    top_k_case(tensor(&[], &[1i32]), 1).refuses(|_| {}, "top_k: the operand is a scalar");
    top_k_case(tensor(&[2], &[1i32, 2]), 3).refuses(|_| {}, "top_k: k is 3, the last dimension has 2 elements");
    let complex = tensor(&[1], &[num_complex::Complex::new(1f32, 0.0)]);
    top_k_case(complex, 1).refuses(|_| {}, "top_k: complex<f32> has no order");
}
