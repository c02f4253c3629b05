//! Products with elementwise work behind them, and before them: in the emulator and by the plain executor.

mod support;

use pygraph_artifact::{
    dtype::DType,
    plan::{Access, BufferId, Fused, FusedOperand, KernelAttr, KernelCall, Nest, Work},
    scalar::{ScalarBody, ScalarInst, ScalarOp},
};
use support::{
    Case,
    kernels::{Array, call, check, ints, output, random},
    source_of,
};

use DType::{Bf16, F16, F32, I32};

/// Adds a bias to the product, and to the product times two another array, in two results.
fn body(dtype: DType) -> ScalarBody {
    let op = |op, operands: &[u32]| ScalarInst::Op { op, dtype, operands: operands.to_vec(), immediates: vec![] };
    ScalarBody {
        inputs: vec![dtype; 3],
        instructions: vec![op(ScalarOp::Add, &[0, 1]), op(ScalarOp::Add, &[0, 0]), op(ScalarOp::Add, &[4, 2])],
        outputs: vec![3, 5],
    }
}

fn kernel_of(case: Case) -> KernelCall {
    let Work::Kernel(kernel) = case.work else { panic!("a call should be a kernel") };
    kernel
}

/// `[m, k]` times `[n, k]` or `[k, n]`, plus a bias `[n]`, and with an array that lies as `[n, m]`.
fn fused([dtype, result]: [DType; 2], [m, n, k]: [u64; 3], is_along: bool) -> Case {
    let (rhs, term): (Vec<u64>, i64) = if is_along { (vec![n, k], 1) } else { (vec![k, n], 0) };
    let lists = [("lhs_batch", vec![]), ("lhs_contract", vec![1]), ("rhs_batch", vec![]), ("rhs_contract", vec![term])];
    let attributes: Vec<_> = lists.iter().map(|(name, list)| (*name, ints(list))).collect();
    let inputs = vec![random(dtype, &[m, k], 1), random(dtype, &rhs, 2)];
    let mut kernel =
        kernel_of(call("product", "contract", &attributes, &[], inputs.clone(), vec![output(result, &[m, n])]));
    kernel.outputs = vec![BufferId(6)];
    let access = |buffer, strides: [u64; 2]| Access {
        buffer: BufferId(buffer),
        offset: 0,
        strides: strides.iter().map(|stride| *stride as i64).collect(),
    };
    let stage = Nest {
        extents: vec![m, n],
        reduction_dims: 0,
        inputs: vec![access(6, [n, 1]), access(2, [0, 1]), access(3, [1, m])],
        outputs: vec![access(4, [n, 1]), access(5, [n, 1])],
        map: body(result),
        combine: None,
    };
    let operands = (0..6).map(|number| FusedOperand::Buffer(BufferId(number)));
    let product = FusedOperand::Temporary { dtype: result, shape: vec![m, n] };
    let fused = Fused {
        rows: m,
        operands: operands.chain([product]).collect(),
        prologue: vec![],
        kernel: Some(kernel),
        stages: vec![stage],
    };
    let others =
        [random(result, &[n], 3), random(result, &[n, m], 4), output(result, &[m, n]), output(result, &[m, n])];
    let arrays: Vec<Array> = inputs.into_iter().chain(others).collect();
    Case { shift: 0, name: format!("{dtype}_{m}_{n}_{k}_{is_along}"), work: Work::Fused(fused), arrays }
}

#[test]
fn each_element_of_a_product_goes_through_its_epilogue_once() {
    check(
        &[
            // Few rows, along and across the big matrix; with its terms split too.
            fused([Bf16, Bf16], [1, 24, 1024], true),
            fused([F32, F32], [3, 17, 260], true),
            fused([F16, F32], [2, 40, 640], false),
            fused([Bf16, F32], [1, 16, 4096], false),
            // Tiles, on tensor cores and not.
            fused([Bf16, F32], [40, 72, 96], true),
            fused([F16, F16], [70, 33, 512], false),
            fused([F32, F32], [70, 65, 33], false),
            fused([I32, I32], [5, 6, 7], true),
        ],
        2e-2,
    );
}

/// The same product, of `[n, k]` numbers that are added to themselves before: in its launch, alone or with its epilogue.
fn behind(types: [DType; 2], [m, n, k]: [u64; 3], has_stages: bool) -> Case {
    let mut case = fused(types, [m, n, k], true);
    let Work::Fused(work) = &mut case.work else { panic!("the case should be fused") };
    let strides = vec![k as i64, 1];
    let access = |buffer| Access { buffer: BufferId(buffer), offset: 0, strides: strides.clone() };
    let twice = ScalarInst::Op { op: ScalarOp::Add, dtype: types[0], operands: vec![0, 0], immediates: vec![] };
    work.prologue.push(Nest {
        extents: vec![n, k],
        reduction_dims: 0,
        inputs: vec![access(1)],
        outputs: vec![access(7)],
        map: ScalarBody { inputs: vec![types[0]], instructions: vec![twice], outputs: vec![1] },
        combine: None,
    });
    work.operands.push(FusedOperand::Temporary { dtype: types[0], shape: vec![n, k] });
    let kernel = work.kernel.as_mut().expect("the case should have a product");
    kernel.inputs[1] = BufferId(7);
    if !has_stages {
        kernel.outputs[0] = BufferId(4);
        (work.rows, work.stages) = (1, vec![]);
    }
    case.name = format!("behind_{}_{has_stages}", case.name);
    case
}

#[test]
fn a_product_reads_what_its_prologue_makes() {
    let cases =
        [([Bf16, Bf16], [1, 24, 512]), ([F32, F32], [3, 17, 260]), ([F16, F16], [12, 40, 96]), ([I32, I32], [5, 6, 7])];
    let cases: Vec<Case> =
        cases.into_iter().flat_map(|(types, sizes)| [true, false].map(|stages| behind(types, sizes, stages))).collect();
    check(&cases, 2e-2);
}

#[test]
fn the_kernels_of_a_product_do_its_epilogue() {
    // One kernel where terms are not split, and no memory for the product.
    let code = source_of(&[fused([Bf16, Bf16], [1, 24, 1024], true)]);
    let launch = &code.programs[0].launches[0];
    assert_eq!((launch.calls.len(), code.programs[0].scratch_bytes <= 256), (1, true));
    let code = source_of(&[behind([Bf16, Bf16], [1, 24, 1024], true)]);
    assert_eq!((code.programs[0].launches[0].calls.len(), code.programs[0].scratch_bytes <= 256), (1, true));
}

/// A convolution of `[1, c, h, w]` with `[o, c, k, k]` to `[1, o, h, w]`, or the same with features last, times a factor a feature, plus another
/// array of its shape.
fn convolved(types: [DType; 2], [c, o, h, w, k]: [u64; 5], features_last: bool) -> Case {
    let [input, weights, result] = match features_last {
        true => [[1, h, w, c], [k, k, c, o], [1, h, w, o]],
        false => [[1, c, h, w], [o, c, k, k], [1, o, h, w]],
    };
    let dims = if features_last { [[0, 3, 1, 2], [2, 3, 0, 1]] } else { [[0, 1, 2, 3], [1, 0, 2, 3]] };
    let padding = (k / 2) as i64;
    let attributes = [
        ("window_strides", ints(&[1, 1])),
        ("padding_low", ints(&[padding; 2])),
        ("padding_high", ints(&[padding; 2])),
        ("lhs_dilation", ints(&[1, 1])),
        ("rhs_dilation", ints(&[1, 1])),
        ("window_reversal", ints(&[0, 0])),
        ("input_dims", ints(&dims[0])),
        ("kernel_dims", ints(&dims[1])),
        ("output_dims", ints(&dims[0])),
        ("feature_group_count", KernelAttr::Int(1)),
        ("batch_group_count", KernelAttr::Int(1)),
    ];
    let [dtype, out] = types;
    let inputs = vec![random(dtype, &input, 1), random(dtype, &weights, 2)];
    let mut kernel =
        kernel_of(call("product", "convolution", &attributes, &[], inputs.clone(), vec![output(out, &result)]));
    kernel.outputs = vec![BufferId(5)];
    let access = |buffer, strides: [u64; 4]| Access {
        buffer: BufferId(buffer),
        offset: 0,
        strides: strides.iter().map(|stride| *stride as i64).collect(),
    };
    let dense = [result[1] * result[2] * result[3], result[2] * result[3], result[3], 1];
    let op = |op, operands: &[u32]| ScalarInst::Op { op, dtype: out, operands: operands.to_vec(), immediates: vec![] };
    let stage = Nest {
        extents: result.to_vec(),
        reduction_dims: 0,
        inputs: vec![
            access(5, dense),
            access(2, if features_last { [0, 0, 0, 1] } else { [0, 1, 0, 0] }),
            access(3, dense),
        ],
        outputs: vec![access(4, dense)],
        map: ScalarBody {
            inputs: vec![out; 3],
            instructions: vec![op(ScalarOp::Mul, &[0, 1]), op(ScalarOp::Add, &[3, 2])],
            outputs: vec![4],
        },
        combine: None,
    };
    let fused = Fused {
        rows: 1,
        operands: (0..5)
            .map(|number| FusedOperand::Buffer(BufferId(number)))
            .chain([FusedOperand::Temporary { dtype: out, shape: result.to_vec() }])
            .collect(),
        prologue: vec![],
        kernel: Some(kernel),
        stages: vec![stage],
    };
    let others = [random(out, &[o], 3), random(out, &result, 4), output(out, &result)];
    let name = format!("{dtype}_{out}_{c}_{o}_{h}_{w}_{k}_{features_last}");
    Case { shift: 0, name, work: Work::Fused(fused), arrays: inputs.into_iter().chain(others).collect() }
}

#[test]
fn each_element_of_a_convolution_goes_through_its_epilogue_once() {
    check(
        &[
            // In runs of four and one by one; whole and split sums; other tiles; in tiles of no tensor core.
            convolved([Bf16, Bf16], [16, 24, 4, 6, 1], false),
            convolved([F16, F32], [24, 10, 3, 5, 3], false),
            convolved([Bf16, Bf16], [64, 40, 2, 4, 3], false),
            convolved([Bf16, Bf16], [8, 70, 8, 10, 1], false),
            convolved([Bf16, Bf16], [16, 24, 3, 5, 3], true),
            convolved([F16, F16], [8, 17, 5, 3, 1], true),
            convolved([F32, F32], [24, 10, 3, 4, 3], false),
        ],
        2e-2,
    );
    let code = source_of(&[convolved([Bf16, Bf16], [64, 40, 2, 4, 3], false)]);
    assert_eq!(code.programs[0].launches[0].calls.len(), 1);
}
