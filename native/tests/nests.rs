//! Random loop nests give the same bytes natively and interpreted.

use std::sync::Arc;

use proptest::{
    prelude::*,
    test_runner::{RngAlgorithm, TestRng},
};
use pygraph_artifact::{
    deployment::Deployment,
    dtype::DType,
    plan::{Access, BufferId, Launch, Nest, Node, Plan, Program, Segment, Step, Work},
    scalar::{ScalarBody, ScalarInst, ScalarOp, Signature},
};
use pygraph_kernels::{
    memory::{Buffer, Bytes},
    native::NativeCode,
    tensor::TensorType,
    work::prepare,
};
use pygraph_native::{Generated, default_processor, generate, target};
use rand_like::Numbers;

/// The element types that code is generated for.
const TYPES: &[DType] = &[
    DType::I1,
    DType::I2,
    DType::I4,
    DType::I8,
    DType::I16,
    DType::I32,
    DType::I64,
    DType::U2,
    DType::U4,
    DType::U8,
    DType::U16,
    DType::U32,
    DType::U64,
    DType::Bf16,
    DType::F16,
    DType::F32,
    DType::F64,
];

mod rand_like {
    use super::*;

    /// Numbers from a seed.
    pub struct Numbers(TestRng);

    impl Numbers {
        pub fn new(seed: u64) -> Numbers {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&seed.to_le_bytes());
            Numbers(TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
        }

        pub fn next(&mut self) -> u64 {
            self.0.next_u64()
        }

        pub fn below(&mut self, end: usize) -> usize {
            (self.next() % end as u64) as usize
        }

        pub fn one_of<T: Copy>(&mut self, values: &[T]) -> T {
            values[self.below(values.len())]
        }
    }
}

/// One element's bits: small numbers often, any pattern now and then.
fn element(numbers: &mut Numbers, dtype: DType) -> u128 {
    let any = numbers.next();
    let small =
        [0.0, -0.0, 1.0, -1.0, 0.5, 1.5, -2.5, 3.0, 1e-3, 100.0, -7.25, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
    let is_any = numbers.below(4) == 0;
    let value = if numbers.below(3) == 0 { numbers.one_of(&small) } else { (any % 2000) as f64 / 200.0 - 5.0 };
    match dtype {
        DType::I1 => u128::from(any & 1),
        DType::I2 | DType::I4 => {
            let unused = 8 - dtype.bits();
            u128::from(((any as i8) << unused >> unused) as u8)
        }
        DType::U2 | DType::U4 => u128::from(any as u8 >> (8 - dtype.bits())),
        _ if dtype.is_integer() && !is_any => {
            let value = (any % 41) as i64 - 20;
            u128::from(value as u64 & u64::MAX >> (64 - dtype.bits()))
        }
        DType::F32 if !is_any => u128::from((value as f32).to_bits()),
        DType::F64 if !is_any => u128::from(value.to_bits()),
        DType::Bf16 if !is_any => u128::from(half::bf16::from_f64(value).to_bits()),
        DType::F16 if !is_any => u128::from(half::f16::from_f64(value).to_bits()),
        _ => u128::from(any & u64::MAX >> (64 - dtype.bits())),
    }
}

fn bytes(numbers: &mut Numbers, dtype: DType, count: usize) -> Vec<u8> {
    (0..count).flat_map(|_| element(numbers, dtype).to_le_bytes()[..dtype.size_bytes()].to_vec()).collect()
}

/// An operation on some of the registers, if `op` accepts any.
fn instruction(numbers: &mut Numbers, types: &[DType]) -> Option<ScalarInst> {
    let op = numbers.one_of(ScalarOp::ALL);
    let first = numbers.below(types.len());
    let of_type = |dtype: DType| -> Vec<u32> {
        (0..types.len() as u32).filter(|register| types[*register as usize] == dtype).collect()
    };
    let value = types[first];
    let mut operands = vec![first as u32; op.arity()];
    operands.iter_mut().for_each(|operand| *operand = numbers.one_of(&of_type(value)));
    let result = match op.signature() {
        Signature::Predicate => DType::I1,
        Signature::Convert | Signature::Bitcast => numbers.one_of(TYPES),
        Signature::Select => {
            operands[0] = *of_type(DType::I1).first()?;
            value
        }
        _ => value,
    };
    let operand_types: Vec<DType> = operands.iter().map(|register| types[*register as usize]).collect();
    let immediates = (0..op.immediate_count()).map(|_| 1 + numbers.below(10) as i64).collect();
    op.accepts(&operand_types, result).then_some(ScalarInst::Op { op, dtype: result, operands, immediates })
}

fn body(numbers: &mut Numbers, rank: usize, output_count: usize) -> ScalarBody {
    let inputs: Vec<DType> = (0..1 + numbers.below(3)).map(|_| numbers.one_of(TYPES)).collect();
    let mut types = inputs.clone();
    let mut instructions = Vec::new();
    for _ in 0..numbers.below(12) {
        let (next, dtype) = match numbers.below(8) {
            0 => {
                let dtype = numbers.one_of(TYPES);
                (ScalarInst::Constant { dtype, bits: element(numbers, dtype) }, dtype)
            }
            1 if rank > 0 => (ScalarInst::Index { dimension: numbers.below(rank) as u32 }, DType::I64),
            _ => match instruction(numbers, &types) {
                Some(ScalarInst::Op { op, dtype, operands, immediates }) => {
                    (ScalarInst::Op { op, dtype, operands, immediates }, dtype)
                }
                _ => continue,
            },
        };
        instructions.push(next);
        types.push(dtype);
    }
    let outputs =
        (0..output_count).map(|_| types.len() as u32 - 1 - numbers.below(types.len().min(4)) as u32).collect();
    ScalarBody { inputs, instructions, outputs }
}

/// Row-major strides of the extents in a random order, or of some of them.
fn strides(numbers: &mut Numbers, extents: &[u64], is_whole: bool) -> Vec<i64> {
    let mut order: Vec<usize> = (0..extents.len()).collect();
    if numbers.below(3) == 0 {
        (0..order.len()).for_each(|idx| order.swap(idx, numbers.below(idx + 1)));
    }
    let mut step = if is_whole || numbers.below(5) > 0 { 1 } else { 2 };
    let mut strides = vec![0; extents.len()];
    for dimension in order.into_iter().rev() {
        if !is_whole && numbers.below(4) == 0 {
            continue;
        }
        strides[dimension] = step;
        step *= extents[dimension] as i64;
    }
    strides
}

fn reach(extents: &[u64], strides: &[i64]) -> u64 {
    1 + extents.iter().zip(strides).map(|(extent, stride)| (extent - 1) * *stride as u64).sum::<u64>()
}

struct Case {
    nest: Nest,
    types: Vec<(DType, Vec<u64>)>,
    contents: Vec<Vec<u8>>,
}

fn fold_of(numbers: &mut Numbers, types: &[DType]) -> ScalarBody {
    let mut body = ScalarBody { inputs: [types, types].concat(), ..ScalarBody::default() };
    let count = types.len() as u32;
    for (idx, dtype) in types.iter().enumerate() {
        let (a, b) = (idx as u32, count + idx as u32);
        let ops = [ScalarOp::Add, ScalarOp::Mul, ScalarOp::Max, ScalarOp::Min, ScalarOp::And, ScalarOp::Or];
        let op = numbers.one_of(&ops[..if dtype.is_float() { 4 } else { 6 }]);
        body.outputs.push(2 * count + body.instructions.len() as u32);
        body.instructions.push(ScalarInst::Op { op, dtype: *dtype, operands: vec![a, b], immediates: vec![] });
    }
    if numbers.below(5) == 0 {
        // No plain fold: the last value goes through a second operation.
        let last = *body.outputs.last().expect("a value");
        let dtype = *types.last().expect("a type");
        let again = ScalarInst::Op { op: ScalarOp::Max, dtype, operands: vec![last, 0], immediates: vec![] };
        if dtype == types[0] {
            body.instructions.push(again);
            *body.outputs.last_mut().expect("a value") = 2 * count + body.instructions.len() as u32 - 1;
        }
    }
    body
}

fn case(seed: u64) -> Case {
    let numbers = &mut Numbers::new(seed);
    let rank = numbers.below(4);
    let extents: Vec<u64> = (0..rank).map(|_| numbers.one_of(&[1, 2, 3, 5, 8, 16, 17, 40, 64])).collect();
    let reduced = if rank > 0 && numbers.below(2) == 0 { 1 + numbers.below(rank) } else { 0 };
    let mut extents = extents;
    if reduced > 0 && numbers.below(4) == 0 {
        let long = numbers.one_of(&[1000, 1024, 1030, 2100, 33_000]);
        extents = vec![numbers.one_of(&[1, 3, 40]), long];
    }
    let reduced = reduced.min(extents.len());
    let rank = extents.len();
    let output_count = 1 + numbers.below(2);
    let map = body(numbers, rank, output_count);
    let outputs = map.output_types().expect("well typed");
    let combine = (reduced > 0).then(|| fold_of(numbers, &outputs));
    let (mut types, mut contents) = (Vec::new(), Vec::new());
    let mut access = |numbers: &mut Numbers, dtype: DType, strides: Vec<i64>| {
        let offset = numbers.below(3) as u64;
        let count = reach(&extents, &strides) + offset;
        types.push((dtype, vec![count]));
        contents.push(bytes(numbers, dtype, count as usize));
        Access { buffer: BufferId(types.len() as u32 - 1), offset: offset as i64, strides }
    };
    let inputs: Vec<Access> = map
        .inputs
        .iter()
        .map(|dtype| {
            let strides = strides(numbers, &extents, false);
            access(numbers, *dtype, strides)
        })
        .collect();
    let outputs = outputs
        .iter()
        .map(|dtype| {
            let mut strides = strides(numbers, &extents[..rank - reduced], true);
            strides.resize(rank, 0);
            access(numbers, *dtype, strides)
        })
        .collect();
    let nest = Nest { extents: extents.clone(), reduction_dims: reduced as u32, inputs, outputs, map, combine };
    Case { nest, types, contents }
}

/// The bytes of all buffers after the work, natively if there is code.
fn run(case: &Case, native: Option<(&Arc<NativeCode>, &[Option<u32>])>) -> Vec<Vec<u8>> {
    let types: Vec<TensorType<'_>> = case.types.iter().map(|(dtype, shape)| TensorType::dense(*dtype, shape)).collect();
    let mut prepared = prepare(&Work::Nest(case.nest.clone()), &types).expect("the nest should be sound");
    if let Some((code, functions)) = native {
        // SAFETY: the functions were generated for this nest.
        unsafe { prepared.use_native(code, functions) };
    }
    let mut contents: Vec<Bytes> = case.contents.iter().map(|bytes| Bytes::copy_of(bytes)).collect();
    let buffers: Vec<Buffer<'_>> = contents.iter_mut().map(|bytes| Buffer::writable(bytes.as_mut_slice())).collect();
    prepared.run(&buffers).expect("the nest should run");
    contents.iter().map(|bytes| bytes.as_slice().to_vec()).collect()
}

/// True if both are the same bytes, any NaN being any other.
fn agree(dtype: DType, a: &[u8], b: &[u8]) -> bool {
    let size = dtype.size_bytes();
    a.chunks(size).zip(b.chunks(size)).all(|(a, b)| a == b || is_nan(dtype, a) && is_nan(dtype, b))
}

fn is_nan(dtype: DType, bytes: &[u8]) -> bool {
    let mut bits = [0; 8];
    bits[..bytes.len()].copy_from_slice(bytes);
    let bits = u64::from_le_bytes(bits);
    match dtype {
        DType::F64 => f64::from_bits(bits).is_nan(),
        DType::F32 => f32::from_bits(bits as u32).is_nan(),
        DType::Bf16 => half::bf16::from_bits(bits as u16).is_nan(),
        DType::F16 => half::f16::from_bits(bits as u16).is_nan(),
        _ => false,
    }
}

fn generated(nests: Vec<Nest>) -> (Plan, Generated) {
    let launch = |nest| {
        let (name, location) = ("nest_0".to_string(), "model.mlir:1:1".to_string());
        let step = Step::Launch(Launch { name, location, work: Work::Nest(nest), functions: Vec::new() });
        Node { after: Vec::new(), step }
    };
    let nodes = nests.into_iter().map(launch).collect();
    let program = Program {
        name: "main".to_string(),
        params: Vec::new(),
        results: Vec::new(),
        buffers: Vec::new(),
        arena_bytes: 0,
        blocks: Vec::new(),
        device: 0,
        ensures: Vec::new(),
        retires: Vec::new(),
        segments: vec![Segment { name: "s0".to_string(), deploy: Deployment::Stream, block: None, nodes }],
    };
    let mut plan = Plan { programs: vec![program], arenas: Vec::new() };
    let processor = default_processor().expect("a processor");
    let generated = generate(&mut plan, target(processor)).expect("code should be generated");
    (plan, generated)
}

/// Compares the nests of these seeds; gives how many of them had code.
fn check(seeds: std::ops::Range<u64>) -> usize {
    let cases: Vec<Case> = seeds.clone().map(case).collect();
    let (plan, generated) = generated(cases.iter().map(|case| case.nest.clone()).collect());
    let code = Arc::new(NativeCode::load(&generated.code.expect("some code")).expect("this machine should run it"));
    for ((seed, case), node) in seeds.zip(&cases).zip(&plan.programs[0].segments[0].nodes) {
        let Step::Launch(launch) = &node.step else { continue };
        let (expected, found) = (run(case, None), run(case, Some((&code, &launch.functions))));
        for (access, dtype) in case.nest.outputs.iter().zip(case.nest.map.output_types().expect("well typed")) {
            let buffer = access.buffer.0 as usize;
            assert!(
                agree(dtype, &expected[buffer], &found[buffer]),
                "seed {seed}: buffer {buffer} is {:?}, should be {:?}: {:#?}",
                found[buffer],
                expected[buffer],
                case.nest
            );
        }
    }
    generated.native_count
}

#[test]
fn random_nests_give_the_same_bytes() {
    let native_count: usize = (0..20).map(|batch| check(batch * 50..(batch + 1) * 50)).sum();
    assert!(native_count > 800, "only {native_count} of 1000 nests had code");
}

#[test]
fn folds_keep_their_order() {
    // Sums of f64 whose magnitudes differ: another order rounds otherwise.
    let numbers = &mut Numbers::new(1);
    let identity = ScalarBody { inputs: vec![DType::F64], instructions: Vec::new(), outputs: vec![0] };
    let sum = ScalarInst::Op { op: ScalarOp::Add, dtype: DType::F64, operands: vec![0, 1], immediates: Vec::new() };
    let sum = ScalarBody { inputs: vec![DType::F64; 2], instructions: vec![sum], outputs: vec![2] };
    let mut cases = Vec::new();
    for (parallel, reduced) in [(3, 7), (3, 100), (2, 1024), (3, 5000), (2, 70_001), (40, 3000), (9000, 40), (20, 9000)]
    {
        for strides in [vec![reduced, 1], vec![1, parallel]] {
            let access = |buffer, strides: Vec<i64>| Access { buffer: BufferId(buffer), offset: 0, strides };
            let nest = Nest {
                extents: vec![parallel as u64, reduced as u64],
                reduction_dims: 1,
                inputs: vec![access(0, strides)],
                outputs: vec![access(1, vec![1, 0])],
                map: identity.clone(),
                combine: Some(sum.clone()),
            };
            let element = |numbers: &mut Numbers| {
                let bits = numbers.next();
                (bits as i32 as f64) * 2f64.powi((bits >> 60) as i32 * 3)
            };
            let elements = (0..parallel * reduced).flat_map(|_| element(numbers).to_le_bytes()).collect();
            let types = vec![(DType::F64, vec![(parallel * reduced) as u64]), (DType::F64, vec![parallel as u64])];
            cases.push(Case { nest, types, contents: vec![elements, vec![0; 8 * parallel as usize]] });
        }
    }
    let (plan, generated) = generated(cases.iter().map(|case| case.nest.clone()).collect());
    assert_eq!(generated.interpreted, []);
    let code = Arc::new(NativeCode::load(&generated.code.expect("some code")).expect("this machine should run it"));
    for (case, node) in cases.iter().zip(&plan.programs[0].segments[0].nodes) {
        let Step::Launch(launch) = &node.step else { continue };
        let (expected, found) = (run(case, None), run(case, Some((&code, &launch.functions))));
        assert!(expected[1] == found[1], "{:?} by {:?}", case.nest.extents, case.nest.inputs[0].strides);
    }
}

/// A nest of one dimension, or of two of which the second is folded.
fn plain(map: ScalarBody, combine: Option<ScalarBody>) -> Nest {
    let types = map.output_types().expect("well typed");
    let access = |strides: &[i64]| Access { buffer: BufferId(0), offset: 0, strides: strides.to_vec() };
    let (extents, whole, kept): (&[u64], &[i64], &[i64]) =
        if combine.is_some() { (&[4, 8], &[8, 1], &[1, 0]) } else { (&[4], &[1], &[1]) };
    Nest {
        extents: extents.to_vec(),
        reduction_dims: u32::from(combine.is_some()),
        inputs: map.inputs.iter().map(|_| access(whole)).collect(),
        outputs: types.iter().map(|_| access(kept)).collect(),
        map,
        combine,
    }
}

#[test]
fn what_is_interpreted_says_why() {
    let of_two = |op, dtype: DType, count: usize| ScalarBody {
        inputs: vec![dtype; 2],
        instructions: vec![ScalarInst::Op { op, dtype, operands: vec![0, 1], immediates: Vec::new() }; count],
        outputs: vec![2],
    };
    let identity = ScalarBody { inputs: vec![DType::I32], instructions: Vec::new(), outputs: vec![0] };
    let cases = [
        (plain(of_two(ScalarOp::Add, DType::C64, 1), None), "it computes with complex<f32>"),
        (plain(of_two(ScalarOp::Pow, DType::I32, 1), None), "it computes `pow` on i32"),
        (plain(of_two(ScalarOp::NextAfter, DType::F32, 1), None), "it computes `next_after` on f32"),
        (plain(of_two(ScalarOp::Add, DType::F32, 5000), None), "its body has 5000 operations, more than 4096"),
        (
            plain(identity.clone(), Some(of_two(ScalarOp::Sub, DType::I32, 1))),
            "it folds few rows with a body that is no plain fold",
        ),
        (Nest { extents: vec![0], ..plain(identity, None) }, "it has no points"),
    ];
    for (nest, reason) in cases {
        let (plan, generated) = generated(vec![nest]);
        let Step::Launch(launch) = &plan.programs[0].segments[0].nodes[0].step else { panic!("it should be a launch") };
        assert_eq!((launch.functions.as_slice(), &generated.code, generated.native_count), ([].as_slice(), &None, 0));
        assert_eq!(generated.interpreted[0].reason, reason);
    }
}

#[test]
fn nests_that_differ_in_their_buffers_share_a_function() {
    let add = plain(
        ScalarBody {
            inputs: vec![DType::F32; 2],
            instructions: vec![ScalarInst::Op {
                op: ScalarOp::Add,
                dtype: DType::F32,
                operands: vec![0, 1],
                immediates: Vec::new(),
            }],
            outputs: vec![2],
        },
        None,
    );
    let mut elsewhere = add.clone();
    elsewhere.outputs[0] = Access { buffer: BufferId(7), offset: 3, strides: vec![1] };
    let mut apart = add.clone();
    apart.outputs[0].strides = vec![2];
    let (_, generated) = generated(vec![add, elsewhere, apart]);
    assert_eq!((generated.native_count, generated.code.expect("some code").functions.len()), (3, 2));
}
