use super::*;

/// One image, one feature, along one spatial dimension: `[1, 2, 3, 4]` with `[1, 10]`.
fn line_case() -> Case {
    Case {
        kernel: "convolution",
        attributes: vec![
            ("window_strides", ints(&[1])),
            ("padding_low", ints(&[0])),
            ("padding_high", ints(&[0])),
            ("lhs_dilation", ints(&[1])),
            ("rhs_dilation", ints(&[1])),
            ("window_reversal", ints(&[0])),
            ("input_dims", ints(&[0, 2, 1])),
            ("kernel_dims", ints(&[1, 2, 0])),
            ("output_dims", ints(&[0, 2, 1])),
            ("feature_group_count", KernelAttr::Int(1)),
            ("batch_group_count", KernelAttr::Int(1)),
        ],
        bodies: vec![],
        inputs: vec![tensor(&[1, 4, 1], &[1f32, 2.0, 3.0, 4.0]), tensor(&[2, 1, 1], &[1f32, 10.0])],
        outputs: vec![zeros(DType::F32, &[1, 3, 1])],
    }
}

fn line(changes: &[(&str, KernelAttr)], windows: u64) -> Vec<f32> {
    let mut case = line_case();
    changes.iter().for_each(|(name, value)| case.set(name, value.clone()));
    case.outputs[0] = zeros(DType::F32, &[1, windows, 1]);
    case.first()
}

#[test]
fn windows_step_pad_dilate_and_reverse() {
    assert_eq!(line(&[], 3), [21.0, 32.0, 43.0]);
    assert_eq!(line(&[("window_strides", ints(&[2]))], 2), [21.0, 43.0]);
    assert_eq!(line(&[("window_reversal", ints(&[1]))], 3), [12.0, 23.0, 34.0]);
    assert_eq!(line(&[("rhs_dilation", ints(&[2]))], 2), [31.0, 42.0]);
    assert_eq!(line(&[("lhs_dilation", ints(&[2]))], 6), [1.0, 20.0, 2.0, 30.0, 3.0, 40.0]);
    let padding = [("padding_low", ints(&[1])), ("padding_high", ints(&[-1]))];
    assert_eq!(line(&padding, 3), [10.0, 21.0, 32.0]);
}

#[test]
fn features_go_in_groups() {
    let mut case = line_case();
    case.set("feature_group_count", KernelAttr::Int(2));
    case.inputs = vec![tensor(&[1, 1, 2], &[3i32, 5]), tensor(&[1, 1, 4], &[1i32, 2, 3, 4])];
    case.outputs = vec![zeros(DType::I32, &[1, 1, 4])];
    assert_eq!(case.first::<i32>(), [3, 6, 15, 20]);
    case.refuses(
        |case| case.inputs[1] = tensor(&[1, 1, 3], &[1i32; 3]),
        "convolution: 2 groups do not divide output features 3",
    );
    case.refuses(
        |case| case.set("batch_group_count", KernelAttr::Int(2)),
        "convolution: 2 feature groups and 2 batch groups do not go together",
    );
}

#[test]
fn the_batch_goes_in_groups() {
    let mut case = line_case();
    case.set("batch_group_count", KernelAttr::Int(2));
    case.inputs = vec![tensor(&[2, 1, 1], &[3i32, 5]), tensor(&[1, 1, 2], &[10i32, 100])];
    case.outputs = vec![zeros(DType::I32, &[1, 1, 2])];
    assert_eq!(case.first::<i32>(), [30, 500]);
}

#[test]
fn convolution_refusals() {
    let case = line_case();
    case.refuses(
        |case| case.outputs[0] = zeros(DType::F32, &[1, 4, 1]),
        "convolution: the output is [1, 4, 1] of f32, not [1, 3, 1] of f32",
    );
    case.refuses(
        |case| case.set("window_strides", ints(&[0])),
        "convolution: window_strides has 0, which is not in 1 to 2147483648",
    );
    case.refuses(
        |case| case.inputs[0] = tensor(&[1, 4, 2], &[0f32; 8]),
        "convolution: a group has 2 input features, the kernel 1",
    );
    case.refuses(
        |case| case.set("feature_group_count", KernelAttr::Int(0)),
        "convolution: feature_group_count is 0, not positive",
    );
    case.refuses(
        |case| case.set("input_dims", ints(&[0, 2])),
        "convolution: input_dims has 2 entries for 3 dimensions",
    );
    case.refuses(
        |case| case.inputs[0] = tensor(&[4, 1], &[0f32; 4]),
        "convolution: ranks [2, 3, 3] of input, kernel and output should be one, and at least 2",
    );
    case.refuses(
        |case| case.set("padding_high", ints(&[1 << 31])),
        "convolution: windows of one image have 4294967302 elements, at most 2147483648 are supported",
    );
}
