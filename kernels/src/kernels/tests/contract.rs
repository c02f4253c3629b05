use super::*;

fn case(lists: [&[i64]; 4], lhs: Tensor, rhs: Tensor, output: Tensor) -> Case {
    let names = ["lhs_batch", "rhs_batch", "lhs_contract", "rhs_contract"];
    Case {
        kernel: "contract",
        attributes: names.into_iter().zip(lists.map(ints)).collect(),
        bodies: vec![],
        inputs: vec![lhs, rhs],
        outputs: vec![output],
    }
}

/// Small integers, exact in every type.
fn small(count: u64, seed: u64) -> Vec<f64> {
    (0..count).map(|idx| ((idx * 31 + seed * 17 + idx / 7) % 9) as f64 - 4.0).collect()
}

/// `[b, m, k] x [b, k, n]` by counting.
fn product(lhs: &[f64], rhs: &[f64], [b, m, n, k]: [u64; 4]) -> Vec<f64> {
    let mut out = Vec::new();
    for (batch, row, column) in (0..b * m * n).map(|idx| (idx / (m * n), idx / n % m, idx % n)) {
        let term = |of: u64| lhs[((batch * m + row) * k + of) as usize] * rhs[((batch * k + of) * n + column) as usize];
        out.push((0..k).map(term).sum());
    }
    out
}

/// Checks one shape with the right matrix stored both ways.
fn check<L: Element, R: Element, O: Element>(
    shape: [u64; 4],
    left: impl Fn(f64) -> L,
    right: impl Fn(f64) -> R,
    out: impl Fn(f64) -> O,
) {
    let [b, m, n, k] = shape;
    let (lhs, rhs) = (small(b * m * k, 1), small(b * k * n, 2));
    let want: Vec<O> = product(&lhs, &rhs, shape).into_iter().map(out).collect();
    let lhs = tensor(&[b, m, k], &lhs.into_iter().map(left).collect::<Vec<L>>());
    let right: Vec<R> = rhs.into_iter().map(right).collect();
    let output = zeros(O::DTYPE, &[b, m, n]);
    let plain = case([&[0], &[0], &[2], &[1]], lhs.clone(), tensor(&[b, k, n], &right), output.clone());
    assert!(plain.first::<O>() == want, "{shape:?}");
    let mut transposed = right.clone();
    for (batch, of, column) in (0..b * k * n).map(|idx| (idx / (k * n), idx / n % k, idx % n)) {
        transposed[((batch * n + column) * k + of) as usize] = right[((batch * k + of) * n + column) as usize];
    }
    let turned = case([&[0], &[0], &[2], &[2]], lhs, tensor(&[b, n, k], &transposed), output);
    assert!(turned.first::<O>() == want, "{shape:?} transposed");
}

#[test]
fn every_shape_and_type_agrees_with_counting() {
    for shape in
        [[1, 1, 1, 1], [2, 3, 5, 7], [1, 1, 70, 33], [1, 70, 2, 40], [3, 2, 1100, 37], [1, 130, 90, 65], [40, 4, 9, 8]]
    {
        check(shape, |x| x as f32, |x| x as f32, |x| x as f32);
        check(shape, |x| x, |x| x, |x| x);
        check(shape, bf16::from_f64, bf16::from_f64, |x| x as f32);
        check(shape, half::f16::from_f64, |x| x as f32, |x| x as f32);
        check(shape, bf16::from_f64, bf16::from_f64, bf16::from_f64);
        check(shape, |x| x as f32, bf16::from_f64, |x| x);
        check(shape, |x| x as i8, |x| x as i8, |x| x as i32);
        check(shape, |x| x as i64, |x| x as i64, |x| x as i64);
        check(shape, |x| x as i8, |x| x as f32, |x| x as f32);
        let complex = |x: f64| num_complex::Complex::new(x as f32, 0.0);
        check(shape, complex, complex, complex);
    }
}

#[test]
fn several_free_and_contracted_dimensions_in_any_order() {
    // out[b, i, j, l] = sum over p, q of lhs[p, i, b, q, j] * rhs[q, l, p, b]
    let (lhs_shape, rhs_shape) = ([2u64, 3, 2, 4, 5], [4u64, 6, 2, 2]);
    let (lhs, rhs) = (small(240, 3), small(96, 4));
    let mut want = Vec::new();
    for b in 0..2 {
        for (i, j) in (0..15).map(|idx| (idx / 5, idx % 5)) {
            for l in 0..6 {
                let term = |p: usize, q: usize| {
                    lhs[(((p * 3 + i) * 2 + b) * 4 + q) * 5 + j] * rhs[((q * 6 + l) * 2 + p) * 2 + b]
                };
                want.push((0..8).map(|idx| term(idx / 4, idx % 4)).sum::<f64>());
            }
        }
    }
    let lists: [&[i64]; 4] = [&[2], &[3], &[0, 3], &[2, 0]];
    let output = |dtype| zeros(dtype, &[2, 3, 5, 6]);
    let exact = case(lists, tensor(&lhs_shape, &lhs), tensor(&rhs_shape, &rhs), output(DType::F64));
    assert_eq!(exact.first::<f64>(), want);
    let narrow = |values: &[f64]| values.iter().map(|x| *x as i8).collect::<Vec<i8>>();
    let integers =
        case(lists, tensor(&lhs_shape, &narrow(&lhs)), tensor(&rhs_shape, &narrow(&rhs)), output(DType::I32));
    assert_eq!(integers.first::<i32>(), want.iter().map(|x| *x as i32).collect::<Vec<_>>());
}

#[test]
fn empty_sums_are_zero_and_truth_values_combine() {
    let lists: [&[i64]; 4] = [&[], &[], &[1], &[0]];
    let nothing = case(lists, tensor(&[2, 0], &[0f32; 0]), tensor(&[0, 1], &[0f32; 0]), tensor(&[2, 1], &[7f32; 2]));
    assert_eq!(nothing.first::<f32>(), [0.0, 0.0]);
    let truth = |values: &[u8]| typed(DType::I1, &[2, 2], values);
    let paths = case(lists, truth(&[1, 1, 0, 0]), truth(&[1, 0, 1, 0]), zeros(DType::I1, &[2, 2]));
    assert_eq!(paths.run().expect("the call should run")[0].bytes.as_slice(), [1, 0, 0, 0]);
}

#[test]
fn a_sum_that_begins_at_zero_is_never_minus_zero() {
    for contracted in [[1, 0], [0, 0], [1, 1]] {
        let lists: [&[i64]; 4] = [&[], &[], &contracted[..1], &contracted[1..]];
        let of_zeros =
            case(lists, tensor(&[2, 2], &[-1f32; 4]), tensor(&[2, 2], &[0f32; 4]), tensor(&[2, 2], &[7f32; 4]));
        assert_eq!(of_zeros.first::<f32>().into_iter().map(f32::to_bits).collect::<Vec<u32>>(), [0; 4]);
    }
}

#[test]
fn refusals() {
    let of = |shape: &[u64]| zeros(DType::F32, shape);
    let good = case([&[0], &[0], &[2], &[1]], of(&[2, 3, 4]), of(&[2, 4, 5]), of(&[2, 3, 5]));
    good.run().expect("the call should run");
    good.refuses(|case| case.inputs[1] = of(&[3, 4, 5]), "contract: batch extents [2] and [3] differ");
    good.refuses(|case| case.inputs[1] = of(&[2, 3, 5]), "contract: contracted extents [4] and [3] differ");
    good.refuses(
        |case| case.outputs[0] = of(&[2, 5, 3]),
        "contract: the output is [2, 5, 3] of f32, not [2, 3, 5] of f32",
    );
    good.refuses(|case| case.set("lhs_batch", ints(&[2])), "contract: dimension 2 is both batch and contracted");
    good.refuses(
        |case| case.set("lhs_contract", ints(&[-1])),
        "contract: lhs_contract has -1, which is twice there or no dimension of 3",
    );
    good.refuses(
        |case| case.outputs[0] = zeros(DType::I32, &[2, 3, 5]),
        "contract: f32 and f32 do not multiply to i32",
    );
}
