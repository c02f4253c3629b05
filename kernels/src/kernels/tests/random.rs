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
