use super::*;

fn convolution(input: Tensor, kernel: Tensor, output: Tensor) -> Case {
    Case {
        kernel: "convolution",
        attributes: vec![
            ("batch_group_count", KernelAttr::Int(1)),
            ("feature_group_count", KernelAttr::Int(1)),
            ("input_dims", ints(&[0, 3, 1, 2])),
            ("kernel_dims", ints(&[2, 3, 0, 1])),
            ("output_dims", ints(&[0, 3, 1, 2])),
            ("window_strides", ints(&[1, 1])),
            ("padding_low", ints(&[0, 0])),
            ("padding_high", ints(&[0, 0])),
            ("lhs_dilation", ints(&[1, 1])),
            ("rhs_dilation", ints(&[1, 1])),
            ("window_reversal", ints(&[0, 0])),
        ],
        bodies: vec![],
        inputs: vec![input, kernel],
        outputs: vec![output],
    }
}

fn numbers(count: u64) -> Vec<i64> {
    (0..count as i64).map(|k| (k * 7 + k / 5) % 11 - 5).collect()
}

/// What a convolution of `[n, h, w, c]` with `[kh, kw, ci, co]` should give, by its definition.
struct Plain<'a> {
    case: &'a Case,
}

impl Plain<'_> {
    fn int(&self, name: &str) -> i64 {
        let value = &self.case.attributes.iter().find(|(of, _)| *of == name).expect("it should be there").1;
        if let KernelAttr::Int(value) = value { *value } else { unreachable!("it should be an integer") }
    }

    fn list(&self, name: &str) -> Vec<i64> {
        let value = &self.case.attributes.iter().find(|(of, _)| *of == name).expect("it should be there").1;
        if let KernelAttr::Ints(values) = value { values.clone() } else { unreachable!("it should be a list") }
    }

    fn compute(&self, input: &[i64], kernel: &[i64]) -> Vec<i64> {
        let shape = |tensor: &Tensor| tensor.shape.iter().map(|extent| *extent as i64).collect::<Vec<i64>>();
        let (x, k, y) = (shape(&self.case.inputs[0]), shape(&self.case.inputs[1]), shape(&self.case.outputs[0]));
        let (batch_groups, feature_groups) = (self.int("batch_group_count"), self.int("feature_group_count"));
        let of = |name| self.list(name);
        let (stride, low, base) = (of("window_strides"), of("padding_low"), of("lhs_dilation"));
        let (dilation, reversal) = (of("rhs_dilation"), of("window_reversal"));
        let mut out = Vec::new();
        for at in 0..y.iter().product() {
            let (n, h, w, co) = (at / (y[1] * y[2] * y[3]), at / (y[2] * y[3]) % y[1], at / y[3] % y[2], at % y[3]);
            let mut sum = 0;
            for tap in 0..k[0] * k[1] * k[2] {
                let (kh, kw, ci) = (tap / (k[1] * k[2]), tap / k[2] % k[1], tap % k[2]);
                let position = [h * stride[0] + kh * dilation[0] - low[0], w * stride[1] + kw * dilation[1] - low[1]];
                let inside =
                    |d: usize| position[d] >= 0 && position[d] % base[d] == 0 && position[d] / base[d] < x[1 + d];
                if !inside(0) || !inside(1) {
                    continue;
                }
                let n = n + co / (k[3] / batch_groups) * (x[0] / batch_groups) * i64::from(batch_groups > 1);
                let c = ci + co / (k[3] / feature_groups) * k[2];
                let from = ((n * x[1] + position[0] / base[0]) * x[2] + position[1] / base[1]) * x[3] + c;
                let (kh, kw) = (
                    if reversal[0] == 1 { k[0] - 1 - kh } else { kh },
                    if reversal[1] == 1 { k[1] - 1 - kw } else { kw },
                );
                sum += input[from as usize] * kernel[(((kh * k[1] + kw) * k[2] + ci) * k[3] + co) as usize];
            }
            out.push(sum);
        }
        out
    }
}

fn check(shapes: [[u64; 4]; 3], attributes: &[(&'static str, KernelAttr)]) {
    let [x, k, y] = shapes;
    let (input, kernel) = (numbers(x.iter().product()), numbers(k.iter().product()));
    let mut case = convolution(tensor(&x, &input), tensor(&k, &kernel), zeros(DType::I64, &y));
    attributes.iter().for_each(|(name, value)| case.set(name, value.clone()));
    let want = Plain { case: &case }.compute(&input, &kernel);
    assert_eq!(case.first::<i64>(), want);
    let floats = |values: &[i64]| values.iter().map(|x| bf16::from_f32(*x as f32)).collect::<Vec<_>>();
    case.inputs = vec![tensor(&x, &floats(&input)), tensor(&k, &floats(&kernel))];
    case.outputs = vec![zeros(DType::F32, &y)];
    assert_eq!(case.first::<f32>(), want.iter().map(|x| *x as f32).collect::<Vec<_>>());
}

#[test]
fn convolutions_agree_with_their_definition() {
    check([[2, 5, 6, 3], [3, 2, 3, 4], [2, 3, 5, 4]], &[]);
    check(
        [[1, 5, 6, 2], [3, 3, 2, 2], [1, 3, 4, 2]],
        &[
            ("window_strides", ints(&[2, 3])),
            ("padding_low", ints(&[1, 2])),
            ("padding_high", ints(&[1, 4])),
            ("window_reversal", ints(&[1, 0])),
        ],
    );
    check(
        [[1, 4, 4, 1], [2, 2, 1, 3], [1, 5, 4, 3]],
        &[("lhs_dilation", ints(&[2, 1])), ("rhs_dilation", ints(&[2, 3])), ("padding_high", ints(&[0, 3]))],
    );
    check([[2, 3, 3, 4], [2, 2, 2, 6], [2, 2, 2, 6]], &[("feature_group_count", KernelAttr::Int(2))]);
    check([[4, 3, 3, 2], [2, 2, 2, 6], [2, 2, 2, 6]], &[("batch_group_count", KernelAttr::Int(2))]);
    check([[1, 3, 3, 1], [2, 2, 1, 1], [1, 1, 2, 1]], &[("padding_low", ints(&[-1, 0]))]);
}

fn select_and_scatter() -> Case {
    Case {
        kernel: "select_and_scatter",
        attributes: vec![
            ("window_dimensions", ints(&[3, 1])),
            ("window_strides", ints(&[2, 1])),
            ("padding_low", ints(&[0, 0])),
            ("padding_high", ints(&[1, 0])),
        ],
        bodies: vec![body(ScalarOp::Ge, DType::I64, DType::I1), body(ScalarOp::Add, DType::I64, DType::I64)],
        inputs: vec![
            tensor(&[4, 2], &[1i64, 5, 2, 5, 3, 6, 4, 4]),
            tensor(&[2, 2], &[5i64, 6, 7, 8]),
            tensor(&[], &[0i64]),
        ],
        outputs: vec![zeros(DType::I64, &[4, 2])],
    }
}

#[test]
fn selects_and_scatters() {
    // The example of StableHLO's specification.
    assert_eq!(select_and_scatter().first::<i64>(), [0, 0, 0, 0, 5, 14, 7, 0]);
    let case = select_and_scatter();
    case.refuses(
        |case| case.inputs[1] = zeros(DType::I64, &[3, 2]),
        "select_and_scatter: the source is [3, 2] of i64, not [2, 2] of i64",
    );
    case.refuses(
        |case| case.bodies.swap(0, 1),
        "select_and_scatter: the selection does not go from [I64, I64] to [I1]",
    );
    case.refuses(
        |case| case.set("padding_high", ints(&[i64::MAX, 0])),
        "select_and_scatter: its windows are too large",
    );
}

fn scan(operation: ScalarOp, inclusive: bool, reverse: bool) -> Case {
    Case {
        kernel: "scan",
        attributes: vec![
            ("dimension", KernelAttr::Int(0)),
            ("inclusive", KernelAttr::Bool(inclusive)),
            ("reverse", KernelAttr::Bool(reverse)),
        ],
        bodies: vec![body(operation, DType::I32, DType::I32)],
        inputs: vec![tensor(&[3, 2], &[1i32, 10, 2, 20, 3, 30]), tensor(&[], &[100i32])],
        outputs: vec![zeros(DType::I32, &[3, 2])],
    }
}

#[test]
fn scans_fold_prefixes() {
    assert_eq!(scan(ScalarOp::Add, true, false).first::<i32>(), [101, 110, 103, 130, 106, 160]);
    assert_eq!(scan(ScalarOp::Add, false, false).first::<i32>(), [100, 100, 101, 110, 103, 130]);
    assert_eq!(scan(ScalarOp::Add, true, true).first::<i32>(), [106, 160, 105, 150, 103, 130]);
    // No simple fold: subtraction runs the body at every step.
    assert_eq!(scan(ScalarOp::Sub, true, false).first::<i32>(), [99, 90, 97, 70, 94, 40]);
    assert_eq!(scan(ScalarOp::Sub, false, false).first::<i32>(), [100, 100, 99, 90, 97, 70]);
    let case = scan(ScalarOp::Add, true, false);
    case.refuses(|case| case.set("dimension", KernelAttr::Int(2)), "scan: cannot scan [3, 2] along dimension 2");
    case.refuses(|case| case.outputs.clear(), "scan: takes n operands and n initial values for n outputs, not 2 for 0");
    case.refuses(|case| case.bodies[0].outputs.clear(), "scan: the body does not go from [I32, I32] to [I32]");
}
