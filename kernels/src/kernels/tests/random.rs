use super::*;

fn bits_case(algorithm: &str, state: &[u64], bits: Tensor) -> Case {
    Case {
        kernel: "random_bits",
        attributes: vec![("algorithm", KernelAttr::Text(algorithm.to_string()))],
        bodies: vec![],
        inputs: vec![tensor(&[state.len() as u64], state)],
        outputs: vec![zeros(DType::U64, &[state.len() as u64]), bits],
    }
}

#[test]
fn bits_are_those_of_xla() {
    let state = [1 | 2 << 32, 3 | 4 << 32];
    let run = |algorithm, state: &[u64], bits| bits_case(algorithm, state, bits).run().expect("the call should run");
    let three_fry = run("three_fry", &state, zeros(DType::U32, &[8]));
    assert_eq!(three_fry[0].values::<u64>(), [state[0], state[1] + 4]);
    assert_eq!(
        three_fry[1].values::<u32>(),
        [1576285164, 2249660814, 740599976, 2425682526, 2436392515, 1497962777, 1335360347, 2260235687]
    );
    // Halves lie along the first even dimension, and an odd end is cut off.
    let turned = run("three_fry", &state, zeros(DType::U32, &[1, 2]))[1].values::<u32>();
    assert_eq!(turned, [1576285164, 2249660814]);
    let odd = run("three_fry", &state, zeros(DType::U32, &[3]));
    assert_eq!(odd[1].values::<u32>(), [1576285164, 2249660814, 740599976]);
    assert_eq!(odd[0].values::<u64>()[1], state[1] + 2);
    let wide = run("three_fry", &state, zeros(DType::U64, &[2]))[1].values::<u64>();
    assert_eq!(wide, [1576285164 | 2249660814 << 32, 740599976 | 2425682526 << 32]);

    let philox = run("philox", &state, zeros(DType::U32, &[8]));
    assert_eq!(philox[0].values::<u64>(), [state[0], state[1] + 2]);
    let words = [512747620, 1298009047, 1267190206, 761827841, 1383286907, 1639995030, 2756207988, 2154813423];
    assert_eq!(philox[1].values::<u32>(), words);
    let same = run("default", &[state[0], state[1], state[0]], zeros(DType::U32, &[7]));
    assert_eq!(same[1].values::<u32>(), words[..7]);
    let carried = run("philox", &[0, u64::MAX, 1], zeros(DType::U8, &[4]));
    assert_eq!(carried[0].values::<u64>(), [0, 0, 2]);
}

#[test]
fn random_bits_refusals() {
    let case = bits_case("three_fry", &[1, 2], zeros(DType::U32, &[8]));
    case.refuses(
        |case| case.set("algorithm", KernelAttr::Text("dice".to_string())),
        "random_bits: there is no algorithm `dice`, only three_fry, philox and default",
    );
    case.refuses(
        |case| case.inputs[0] = zeros(DType::U64, &[3]),
        "random_bits: three_fry cannot take [3] of ui64 as its state",
    );
    case.refuses(
        |case| case.outputs[1] = zeros(DType::F32, &[8]),
        "random_bits: f32 are no random bits, only integers of 8 to 64 bits are",
    );
}

fn drawn(kernel: &'static str, first: Tensor, second: Tensor, output: Tensor) -> Case {
    Case { kernel, attributes: vec![], bodies: vec![], inputs: vec![first, second], outputs: vec![output] }
}

#[test]
fn draws_have_the_moments_they_should() {
    let count = 10_000u64;
    let moments = |values: &[f32]| {
        let mean = values.iter().sum::<f32>() / count as f32;
        (mean, values.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / count as f32)
    };
    let scalar = |value: f32| tensor(&[], &[value]);
    let uniform = drawn("random_uniform", scalar(-1.0), scalar(3.0), zeros(DType::F32, &[count])).first::<f32>();
    assert!(uniform.iter().all(|x| (-1.0..3.0).contains(x)));
    let (mean, variance) = moments(&uniform);
    assert!((mean - 1.0).abs() < 0.05 && (variance - 16.0 / 12.0).abs() < 0.05, "{mean} {variance}");
    let normal = drawn("random_normal", scalar(2.0), scalar(0.5), zeros(DType::F32, &[count])).first::<f32>();
    let (mean, variance) = moments(&normal);
    assert!((mean - 2.0).abs() < 0.02 && (variance - 0.25).abs() < 0.02, "{mean} {variance}");
    let dice = drawn("random_uniform", tensor(&[], &[1i32]), tensor(&[], &[7i32]), zeros(DType::I32, &[count]));
    assert!(
        (1..7).all(|side| dice.first::<i32>().contains(&side))
            && dice.first::<i32>().iter().all(|x| (1..7).contains(x))
    );
}

#[test]
fn draw_refusals() {
    let scalar = || tensor(&[], &[0f32]);
    let uniform = drawn("random_uniform", scalar(), scalar(), zeros(DType::F32, &[2]));
    uniform
        .refuses(|case| case.outputs[0] = zeros(DType::C64, &[2]), "random_uniform: cannot draw complex<f32> evenly");
    uniform.refuses(
        |case| case.inputs[0] = zeros(DType::F32, &[1]),
        "random_uniform: the lower bound is [1] of f32, not [] of f32",
    );
    let normal = drawn("random_normal", scalar(), scalar(), zeros(DType::F32, &[2]));
    normal.refuses(|case| case.outputs[0] = zeros(DType::I32, &[2]), "random_normal: cannot draw i32 normally");
}
