//! Kernels on windows: in the emulator and by the plain executor.

mod support;

use pygraph_artifact::{
    dtype::DType,
    plan::KernelAttr,
    scalar::{ScalarBody, ScalarInst, ScalarOp},
};
use support::{
    Case,
    kernels::{array, call, check, ints, output, random},
    source_of,
};

use DType::{Bf16, C64, F16, F32, I1, I8, I32};

/// A convolution's attributes beside its dimensions, one entry an axis.
#[derive(Clone)]
struct Windows {
    strides: Vec<i64>,
    low: Vec<i64>,
    high: Vec<i64>,
    input_dilation: Vec<i64>,
    kernel_dilation: Vec<i64>,
    reversal: Vec<i64>,
    groups: [i64; 2],
}

fn plain(axes: usize) -> Windows {
    Windows {
        strides: vec![1; axes],
        low: vec![0; axes],
        high: vec![0; axes],
        input_dilation: vec![1; axes],
        kernel_dilation: vec![1; axes],
        reversal: vec![0; axes],
        groups: [1, 1],
    }
}

fn convolution(types: [DType; 3], shapes: [&[u64]; 3], dims: [&[i64]; 3], of: &Windows) -> Case {
    let attributes = [
        ("window_strides", ints(&of.strides)),
        ("padding_low", ints(&of.low)),
        ("padding_high", ints(&of.high)),
        ("lhs_dilation", ints(&of.input_dilation)),
        ("rhs_dilation", ints(&of.kernel_dilation)),
        ("window_reversal", ints(&of.reversal)),
        ("input_dims", ints(dims[0])),
        ("kernel_dims", ints(dims[1])),
        ("output_dims", ints(dims[2])),
        ("feature_group_count", KernelAttr::Int(of.groups[0])),
        ("batch_group_count", KernelAttr::Int(of.groups[1])),
    ];
    let inputs = vec![random(types[0], shapes[0], 1), random(types[1], shapes[1], 2)];
    let name = format!("{}_{:?}_{:?}", types[0], shapes[0], shapes[1]);
    call(&name, "convolution", &attributes, &[], inputs, vec![output(types[2], shapes[2])])
}

#[test]
fn kernels_meet_every_window() {
    let (nchw, nhwc) = (NCHW, NHWC);
    let mut padded = plain(2);
    (padded.low, padded.high, padded.strides) = (vec![1, 1], vec![1, 2], vec![2, 1]);
    let mut dilated = plain(2);
    (dilated.input_dilation, dilated.kernel_dilation, dilated.reversal) = (vec![2, 1], vec![1, 2], vec![1, 0]);
    let mut depthwise = plain(2);
    (depthwise.groups, depthwise.low) = ([4, 1], vec![-1, 2]);
    let mut grouped = plain(2);
    grouped.groups = [2, 1];
    let mut batched = plain(2);
    batched.groups = [1, 2];
    let line: [&[i64]; 3] = [&[0, 1, 2], &[1, 0, 2], &[0, 1, 2]];
    check(
        &[
            convolution([F32; 3], [&[2, 3, 7, 6], &[8, 3, 3, 3], &[2, 8, 4, 7]], nchw, &padded),
            convolution([Bf16; 3], [&[2, 7, 6, 3], &[3, 3, 3, 8], &[2, 4, 7, 8]], nhwc, &padded),
            convolution([F32; 3], [&[1, 2, 4, 7], &[6, 2, 3, 2], &[1, 6, 5, 5]], nchw, &dilated),
            convolution([F32; 3], [&[2, 4, 6, 5], &[4, 1, 2, 2], &[2, 4, 4, 6]], nchw, &depthwise),
            convolution([F32; 3], [&[1, 4, 5, 5], &[12, 2, 2, 2], &[1, 12, 4, 4]], nchw, &grouped),
            convolution([F32; 3], [&[4, 3, 4, 4], &[12, 3, 2, 2], &[2, 12, 3, 3]], nchw, &batched),
            convolution([I8, I8, I32], [&[1, 9, 12], &[5, 9, 3], &[1, 5, 10]], line, &plain(1)),
            convolution([C64; 3], [&[1, 2, 5], &[5, 2, 2], &[1, 5, 4]], line, &plain(1)),
            convolution([F32; 3], [&[3, 4], &[6, 4], &[3, 6]], [&[0, 1], &[1, 0], &[0, 1]], &plain(0)),
            convolution([F32; 3], [&[1, 0, 5], &[5, 0, 2], &[1, 5, 4]], line, &plain(1)),
            convolution([F32; 3], [&[0, 2, 5], &[5, 2, 2], &[0, 5, 4]], line, &plain(1)),
        ],
        1e-2,
    );
}

const NCHW: [&[i64]; 3] = [&[0, 1, 2, 3], &[1, 0, 2, 3], &[0, 1, 2, 3]];
const NHWC: [&[i64]; 3] = [&[0, 3, 1, 2], &[2, 3, 0, 1], &[0, 3, 1, 2]];

/// Several strides, paddings and dilations, one of each axis.
fn windows(strides: [i64; 2], low: [i64; 2], high: [i64; 2], kernel_dilation: [i64; 2]) -> Windows {
    Windows {
        strides: strides.to_vec(),
        low: low.to_vec(),
        high: high.to_vec(),
        kernel_dilation: kernel_dilation.to_vec(),
        ..plain(2)
    }
}

#[test]
fn tensor_cores_meet_every_window() {
    let one = plain(2);
    let padded = windows([1, 1], [1, 1], [1, 1], [1, 1]);
    let strided = windows([2, 2], [3, 3], [3, 3], [1, 1]);
    let mut uneven = windows([1, 2], [0, 2], [3, -1], [2, 1]);
    uneven.reversal = vec![1, 0];
    let mut grouped = padded.clone();
    grouped.groups = [2, 1];
    let mut batched = padded.clone();
    batched.groups = [1, 2];
    let line: [&[i64]; 3] = [&[0, 1, 2], &[1, 0, 2], &[0, 1, 2]];
    let cases = [
        // One element a window: pieces of 16 bytes, of 8, and none; two images in one tile; more features than a tile.
        convolution([Bf16; 3], [&[1, 40, 4, 8], &[24, 40, 1, 1], &[1, 24, 4, 8]], NCHW, &one),
        convolution([F16; 3], [&[2, 36, 2, 6], &[70, 36, 1, 1], &[2, 70, 2, 6]], NCHW, &one),
        convolution([Bf16; 3], [&[2, 16, 3, 3], &[8, 16, 1, 1], &[2, 8, 3, 3]], NCHW, &one),
        convolution(
            [Bf16; 3],
            [&[1, 16, 5, 5], &[8, 16, 1, 1], &[1, 8, 3, 3]],
            NCHW,
            &windows([2; 2], [0; 2], [0; 2], [1; 2]),
        ),
        // Windows over the edges, with steps and distances, backwards, and three features, whose rows of terms are no whole pieces.
        convolution([Bf16; 3], [&[1, 8, 9, 7], &[40, 8, 3, 3], &[1, 40, 9, 7]], NCHW, &padded),
        convolution([F16, F16, F32], [&[2, 3, 12, 11], &[20, 3, 7, 7], &[2, 20, 6, 6]], NCHW, &strided),
        convolution([Bf16; 3], [&[1, 5, 6, 9], &[17, 5, 3, 2], &[1, 17, 5, 5]], NCHW, &uneven),
        convolution([F16; 3], [&[2, 6, 30], &[9, 6, 4], &[2, 9, 27]], line, &plain(1)),
        // Features last: whole pieces of them, and not.
        convolution([Bf16; 3], [&[2, 6, 5, 16], &[3, 3, 16, 24], &[2, 6, 5, 24]], NHWC, &padded),
        convolution([F16; 3], [&[1, 6, 5, 6], &[3, 3, 6, 10], &[1, 6, 5, 10]], NHWC, &padded),
        convolution([Bf16; 3], [&[1, 7, 7, 8], &[1, 1, 8, 72], &[1, 7, 7, 72]], NHWC, &one),
        // Features of the input last and those of the output before the windows; a kernel with output features inside.
        convolution(
            [F16; 3],
            [&[1, 6, 5, 8], &[8, 9, 3, 3], &[1, 9, 6, 5]],
            [NHWC[0], &[0, 1, 2, 3], NCHW[2]],
            &padded,
        ),
        // Groups of features, and of images.
        convolution([Bf16; 3], [&[1, 16, 5, 4], &[16, 8, 3, 3], &[1, 16, 5, 4]], NCHW, &grouped),
        convolution([Bf16; 3], [&[4, 8, 5, 4], &[16, 8, 3, 3], &[2, 16, 5, 4]], NCHW, &batched),
        // Gaps in the input, which no tensor core sees.
        convolution(
            [Bf16; 3],
            [&[1, 8, 4, 4], &[8, 8, 2, 2], &[1, 8, 6, 6]],
            NCHW,
            &Windows { input_dilation: vec![2; 2], ..one.clone() },
        ),
    ];
    let on_tensor_cores =
        source_of(&cases).kernels.iter().filter(|kernel| kernel.text.contains("_of::tensor(")).count();
    assert_eq!(on_tensor_cores, cases.len() - 1);
    check(&cases, 2e-2);
}

#[test]
fn arrays_may_lie_at_any_element() {
    let padded = windows([1, 1], [1, 1], [1, 1], [1, 1]);
    let mut cases = [
        convolution([Bf16; 3], [&[1, 40, 4, 8], &[24, 40, 1, 1], &[1, 24, 4, 8]], NCHW, &plain(2)),
        convolution([F16; 3], [&[2, 6, 5, 16], &[3, 3, 16, 24], &[2, 6, 5, 24]], NHWC, &padded),
    ];
    cases.iter_mut().for_each(|case| case.shift = 2);
    check(&cases, 2e-2);
}

#[test]
fn blocks_share_the_terms_of_long_sums() {
    let padded = windows([1, 1], [1, 1], [1, 1], [1, 1]);
    let cases = [
        convolution([Bf16; 3], [&[1, 112, 3, 4], &[9, 112, 3, 3], &[1, 9, 3, 4]], NCHW, &padded),
        convolution([F16; 3], [&[1, 3, 3, 1024], &[1, 1, 1024, 36], &[1, 3, 3, 36]], NHWC, &plain(2)),
        convolution([F32; 3], [&[1, 40, 4, 3], &[7, 40, 3, 3], &[1, 7, 4, 3]], NCHW, &padded),
        convolution([I8, I8, I32], [&[1, 40, 3, 3], &[7, 40, 3, 3], &[1, 7, 3, 3]], NCHW, &padded),
    ];
    let code = source_of(&cases);
    assert!(code.programs.iter().all(|program| program.launches[0].calls[0].grid[2] > 1));
    check(&cases, 2e-2);
}

#[test]
fn short_windows_are_summed_in_order() {
    let line: [&[i64]; 3] = [&[0, 1, 2], &[1, 0, 2], &[0, 1, 2]];
    check(&[convolution([F32; 3], [&[2, 2, 50], &[3, 2, 4], &[2, 3, 47]], line, &plain(1))], 0.0);
}

#[test]
fn windows_select_where_sources_go() {
    let binary = |of: ScalarOp, dtype: DType, result: DType| ScalarBody {
        inputs: vec![dtype; 2],
        instructions: vec![ScalarInst::Op { op: of, dtype: result, operands: vec![0, 1], immediates: vec![] }],
        outputs: vec![2],
    };
    let of =
        |dtype: DType, shape: &[u64], sizes: &[i64], strides: &[i64], low: &[i64], high: &[i64], source: &[u64]| {
            let attributes = [
                ("window_dimensions", ints(sizes)),
                ("window_strides", ints(strides)),
                ("padding_low", ints(low)),
                ("padding_high", ints(high)),
            ];
            let inputs = vec![random(dtype, shape, 1), random(dtype, source, 2), array(dtype, &[], [2.0])];
            let bodies = [binary(ScalarOp::Ge, dtype, I1), binary(ScalarOp::Add, dtype, dtype)];
            call("select", "select_and_scatter", &attributes, &bodies, inputs, vec![output(dtype, shape)])
        };
    check(
        &[
            of(F32, &[6, 7], &[2, 3], &[2, 2], &[0, 0], &[0, 0], &[3, 3]),
            of(F32, &[6, 7], &[3, 3], &[1, 1], &[1, 1], &[1, 1], &[6, 7]),
            of(I8, &[9], &[4], &[3], &[-2], &[5], &[3]),
            of(F32, &[3], &[5], &[1], &[0], &[0], &[0]),
            of(F32, &[], &[], &[], &[], &[], &[]),
        ],
        0.0,
    );
}
