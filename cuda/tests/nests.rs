//! Loop nests: generated kernels against the plain executor, in the emulator.

mod support;

use pygraph_artifact::{
    dtype::DType,
    plan::{Access, BufferId, Fused, FusedOperand, Nest, Place, Plan, Work},
    scalar::{ScalarBody, ScalarInst, ScalarOp},
};
use pygraph_cuda::{Options, source};
use support::{Case, bytes_of, emulated, source_of};

fn access(buffer: u32, offset: i64, strides: &[i64]) -> Access {
    Access { buffer: BufferId(buffer), offset, strides: strides.to_vec() }
}

fn op(op: ScalarOp, dtype: DType, operands: &[u32]) -> ScalarInst {
    ScalarInst::Op { op, dtype, operands: operands.to_vec(), immediates: vec![] }
}

fn binary(of: ScalarOp, dtype: DType) -> ScalarBody {
    ScalarBody { inputs: vec![dtype; 2], instructions: vec![op(of, dtype, &[0, 1])], outputs: vec![2] }
}

fn identity(dtype: DType) -> ScalarBody {
    ScalarBody { inputs: vec![dtype], instructions: vec![], outputs: vec![0] }
}

fn floats(count: usize, seed: u32) -> Vec<u8> {
    let value =
        |idx: usize| ((idx as u32).wrapping_mul(2_654_435_761).wrapping_add(seed) >> 8) as f32 / (1 << 23) as f32 - 1.0;
    bytes_of(&(0..count).map(value).collect::<Vec<_>>(), f32::to_le_bytes)
}

fn zeros(count: usize) -> Vec<u8> {
    vec![0; 4 * count]
}

/// Sums over `reduced` extents, of an array whose dimensions lie as `strides` says.
fn sum(name: &str, extents: &[u64], reduced: usize, strides: &[i64], of: ScalarOp) -> Case {
    let elements = extents.iter().zip(strides).map(|(extent, stride)| (extent - 1) * *stride as u64).sum::<u64>() + 1;
    let rank = extents.len() - reduced;
    let points: u64 = extents[..rank].iter().product();
    let mut out = vec![0; extents.len()];
    let mut step = 1;
    for dim in (0..rank).rev() {
        out[dim] = step;
        step *= extents[dim] as i64;
    }
    let nest = Nest {
        extents: extents.to_vec(),
        reduction_dims: reduced as u32,
        inputs: vec![access(0, 0, strides)],
        outputs: vec![access(1, 0, &out)],
        map: identity(DType::F32),
        combine: Some(binary(of, DType::F32)),
    };
    let shape = extents[..rank].to_vec();
    Case {
        shift: 0,
        name: name.to_string(),
        work: Work::Nest(nest),
        arrays: vec![
            (DType::F32, vec![elements], floats(elements as usize, 7)),
            (DType::F32, shape, zeros(points as usize)),
        ],
    }
}

/// Sums of an array of rows, each element times a number of its row: that is the same along the inner dimension.
fn weighted_sum(name: &str, extents: [u64; 3]) -> Case {
    let [_, rows, columns] = extents.map(|extent| extent as i64);
    let mut case = sum(name, &extents, 2, &[rows * columns, columns, 1], ScalarOp::Add);
    let Work::Nest(nest) = &mut case.work else { panic!("a sum should be a nest") };
    nest.inputs.push(access(2, 1, &[0, 1, 0]));
    nest.map = binary(ScalarOp::Mul, DType::F32);
    case.arrays.push((DType::F32, vec![extents[1] + 1], floats(rows as usize + 1, 11)));
    case
}

/// The place of the largest element: an order that matters, since the first of equals wins.
fn argmax(rows: u64, columns: u64) -> Case {
    use DType::{F32, I1, I32};
    let map = ScalarBody {
        inputs: vec![F32],
        instructions: vec![ScalarInst::Index { dimension: 1 }, op(ScalarOp::Convert, I32, &[1])],
        outputs: vec![0, 2],
    };
    let combine = ScalarBody {
        inputs: vec![F32, I32, F32, I32],
        instructions: vec![
            op(ScalarOp::Ge, I1, &[0, 2]),
            op(ScalarOp::Select, F32, &[4, 0, 2]),
            op(ScalarOp::Select, I32, &[4, 1, 3]),
        ],
        outputs: vec![5, 6],
    };
    let nest = Nest {
        extents: vec![rows, columns],
        reduction_dims: 1,
        inputs: vec![access(0, 0, &[columns as i64, 1])],
        outputs: vec![access(1, 0, &[1, 0]), access(2, 0, &[1, 0])],
        map,
        combine: Some(combine),
    };
    // Few different values, so that many are equal.
    let values: Vec<f32> = (0..rows * columns).map(|idx| ((idx * 7919) % 13) as f32).collect();
    let lowest = bytes_of(&vec![f32::NEG_INFINITY; rows as usize], f32::to_le_bytes);
    Case {
        shift: 0,
        name: format!("argmax_{rows}_{columns}"),
        work: Work::Nest(nest),
        arrays: vec![
            (F32, vec![rows, columns], bytes_of(&values, f32::to_le_bytes)),
            (F32, vec![rows], lowest),
            (I32, vec![rows], zeros(rows as usize)),
        ],
    }
}

/// `a[i, j] * b[j] + transposed c[j, i]`, reversed in j.
fn elementwise(rows: u64, columns: u64) -> Case {
    let map = ScalarBody {
        inputs: vec![DType::F32; 3],
        instructions: vec![op(ScalarOp::Mul, DType::F32, &[0, 1]), op(ScalarOp::Add, DType::F32, &[3, 2])],
        outputs: vec![4],
    };
    let (r, c) = (rows as i64, columns as i64);
    let nest = Nest {
        extents: vec![rows, columns],
        reduction_dims: 0,
        inputs: vec![access(0, c - 1, &[c, -1]), access(1, 0, &[0, 1]), access(2, 0, &[1, r])],
        outputs: vec![access(3, 0, &[c, 1])],
        map,
        combine: None,
    };
    let count = (rows * columns) as usize;
    Case {
        shift: 0,
        name: format!("elementwise_{rows}_{columns}"),
        work: Work::Nest(nest),
        arrays: vec![
            (DType::F32, vec![rows, columns], floats(count, 1)),
            (DType::F32, vec![columns], floats(columns as usize, 2)),
            (DType::F32, vec![columns, rows], floats(count, 3)),
            (DType::F32, vec![rows, columns], zeros(count)),
        ],
    }
}

/// `(a[i, j] + b[j]) * c[i] + j`, of numbers of these types, in rows of `a` that lie `line` apart from element `first` on.
fn neighbours(name: &str, [rows, columns]: [u64; 2], line: i64, first: i64, shift: u64, types: [DType; 2]) -> Case {
    use DType::{F32, I64};
    let convert = |operand| op(ScalarOp::Convert, F32, &[operand]);
    let map = ScalarBody {
        inputs: vec![types[0], types[1], F32],
        instructions: vec![
            convert(0),
            convert(1),
            op(ScalarOp::Add, F32, &[3, 4]),
            op(ScalarOp::Mul, F32, &[5, 2]),
            ScalarInst::Index { dimension: 1 },
            convert(7),
            op(ScalarOp::Add, F32, &[6, 8]),
        ],
        outputs: vec![9],
    };
    assert_eq!(map.register_types().expect("the body should be valid")[7], I64);
    let nest = Nest {
        extents: vec![rows, columns, 1],
        reduction_dims: 0,
        inputs: vec![access(0, first, &[line, 1, 0]), access(1, 0, &[0, 1, 0]), access(2, 0, &[1, 0, 0])],
        outputs: vec![access(3, 0, &[columns as i64, 1, 0])],
        map,
        combine: None,
    };
    // Small integers, which both types hold and whose sums are exact.
    let numbers = |dtype: DType, count: u64, seed: u64| {
        let value = |idx: u64| ((idx * 7919 + seed) % 61) as u8;
        let bytes = (0..count).flat_map(|idx| match dtype {
            DType::U8 => vec![value(idx)],
            F32 => f32::from(value(idx)).to_le_bytes().to_vec(),
            _ => (f32::from(value(idx)).to_bits() >> 16).to_le_bytes()[..2].to_vec(),
        });
        (dtype, vec![count], bytes.collect())
    };
    let count = rows * columns;
    Case {
        shift,
        name: format!("neighbours_{name}"),
        work: Work::Nest(nest),
        arrays: vec![
            numbers(types[0], (first + line * rows as i64) as u64, 1),
            numbers(types[1], columns, 2),
            numbers(F32, rows, 3),
            (F32, vec![count], zeros(count as usize)),
        ],
    }
}

/// Each row over the root of its mean square, times weights that rows share; in the first array if `is_in_place`.
fn norm(rows: u64, columns: u64, is_in_place: bool) -> Case {
    use DType::{Bf16, F32};
    let c = columns as i64;
    let row = |buffer| access(buffer, 0, &[c, 1]);
    let one = |buffer| access(buffer, 0, &[1, 0]);
    let constant = |value: f32| ScalarInst::Constant { dtype: F32, bits: u128::from(value.to_bits()) };
    let of_row = |inputs: Vec<Access>, buffer, map: ScalarBody| Nest {
        extents: vec![rows],
        reduction_dims: 0,
        inputs,
        outputs: vec![access(buffer, 0, &[1])],
        map,
        combine: None,
    };
    let zero = ScalarBody { inputs: vec![], instructions: vec![constant(0.0)], outputs: vec![0] };
    let square =
        ScalarBody { inputs: vec![F32], instructions: vec![op(ScalarOp::Mul, F32, &[0, 0])], outputs: vec![1] };
    let squares = Nest {
        extents: vec![rows, columns],
        reduction_dims: 1,
        inputs: vec![row(0)],
        outputs: vec![one(3)],
        map: square,
        combine: Some(binary(ScalarOp::Add, F32)),
    };
    let root = ScalarBody {
        inputs: vec![F32],
        instructions: vec![
            constant(columns as f32),
            op(ScalarOp::Div, F32, &[0, 1]),
            constant(1e-5),
            op(ScalarOp::Add, F32, &[2, 3]),
            op(ScalarOp::Rsqrt, F32, &[4]),
        ],
        outputs: vec![5],
    };
    let scaled = ScalarBody {
        inputs: vec![F32, F32, Bf16],
        instructions: vec![
            op(ScalarOp::Mul, F32, &[0, 1]),
            op(ScalarOp::Convert, F32, &[2]),
            op(ScalarOp::Mul, F32, &[3, 4]),
        ],
        outputs: vec![5],
    };
    let result = Nest {
        extents: vec![rows, columns],
        reduction_dims: 0,
        inputs: vec![row(0), one(4), access(1, 0, &[0, 1])],
        outputs: vec![row(if is_in_place { 0 } else { 2 })],
        map: scaled,
        combine: None,
    };
    let of_each_row = || FusedOperand::Temporary { dtype: F32, shape: vec![rows] };
    let buffers = (0..3).map(|number| FusedOperand::Buffer(BufferId(number)));
    let fused = Fused {
        rows,
        operands: buffers.chain([of_each_row(), of_each_row()]).collect(),
        prologue: vec![],
        kernel: None,
        stages: vec![of_row(vec![], 3, zero), squares, of_row(vec![access(3, 0, &[1])], 4, root), result],
    };
    let count = (rows * columns) as usize;
    let weights = (0..columns).flat_map(|idx| ((idx % 5) as f32 + 0.5).to_le_bytes()[2..].to_vec()).collect();
    Case {
        shift: 0,
        name: format!("norm_{rows}_{columns}_{is_in_place}"),
        work: Work::Fused(fused),
        arrays: vec![
            (F32, vec![rows, columns], floats(count, 5)),
            (Bf16, vec![columns], weights),
            (F32, vec![rows, columns], zeros(count)),
        ],
    }
}

/// Pairs of a row's halves, turned by angles that are in a table: `[rows, 2 * half]` in bf16, through a temporary in f32.
fn rotation(rows: u64, half: u64, is_in_place: bool) -> Case {
    use DType::{Bf16, F32};
    let h = half as i64;
    let part = |buffer, offset, line| access(buffer, offset, &[line, 1]);
    let nest = |extent, inputs: Vec<Access>, output, map| Nest {
        extents: vec![rows, extent],
        reduction_dims: 0,
        inputs,
        outputs: vec![output],
        map,
        combine: None,
    };
    let turned = |of: ScalarOp| ScalarBody {
        inputs: vec![Bf16, F32, Bf16, F32],
        instructions: vec![
            op(ScalarOp::Convert, F32, &[0]),
            op(ScalarOp::Mul, F32, &[4, 1]),
            op(ScalarOp::Convert, F32, &[2]),
            op(ScalarOp::Mul, F32, &[6, 3]),
            op(of, F32, &[5, 7]),
        ],
        outputs: vec![8],
    };
    let turn = |first, second, of| {
        let inputs = vec![part(0, first, 2 * h), part(1, 0, h), part(0, second, 2 * h), part(2, 0, h)];
        nest(half, inputs, part(4, first, 2 * h), turned(of))
    };
    let rounded =
        ScalarBody { inputs: vec![F32], instructions: vec![op(ScalarOp::Convert, Bf16, &[0])], outputs: vec![1] };
    let result = part(if is_in_place { 0 } else { 3 }, 0, 2 * h);
    let stages = vec![
        turn(0, h, ScalarOp::Sub),
        turn(h, 0, ScalarOp::Add),
        nest(2 * half, vec![part(4, 0, 2 * h)], result, rounded),
    ];
    let buffers = (0..4).map(|number| FusedOperand::Buffer(BufferId(number)));
    let temporary = FusedOperand::Temporary { dtype: F32, shape: vec![rows, 2 * half] };
    let fused = Fused { rows, operands: buffers.chain([temporary]).collect(), prologue: vec![], kernel: None, stages };
    let count = (rows * half) as usize;
    let halves = (0..2 * count).flat_map(|idx| ((idx % 251) as f32 - 100.0).to_le_bytes()[2..].to_vec()).collect();
    Case {
        shift: 0,
        name: format!("rotation_max_{rows}_{half}_{is_in_place}"),
        work: Work::Fused(fused),
        arrays: vec![
            (Bf16, vec![rows, 2 * half], halves),
            (F32, vec![rows, half], floats(count, 2)),
            (F32, vec![rows, half], floats(count, 3)),
            (Bf16, vec![rows, 2 * half], zeros(count)),
        ],
    }
}

/// Softmax without its division: the largest, the exponentials' sum and the exponentials, with a temporary a row.
fn softmax(rows: u64, columns: u64) -> Case {
    use DType::F32;
    let c = columns as i64;
    let row = |buffer| access(buffer, 0, &[c, 1]);
    let one = |buffer| access(buffer, 0, &[1, 0]);
    let stage = |inputs: Vec<Access>, outputs: Vec<Access>, map: ScalarBody, combine: Option<ScalarBody>| Nest {
        extents: vec![rows, columns],
        reduction_dims: u32::from(combine.is_some()),
        inputs,
        outputs,
        map,
        combine,
    };
    let fill = |buffer, value: f32| Nest {
        extents: vec![rows],
        reduction_dims: 0,
        inputs: vec![],
        outputs: vec![access(buffer, 0, &[1])],
        map: ScalarBody {
            inputs: vec![],
            instructions: vec![ScalarInst::Constant { dtype: F32, bits: u128::from(value.to_bits()) }],
            outputs: vec![0],
        },
        combine: None,
    };
    let exponential = ScalarBody {
        inputs: vec![F32; 2],
        instructions: vec![op(ScalarOp::Sub, F32, &[0, 1]), op(ScalarOp::Exp, F32, &[2])],
        outputs: vec![3],
    };
    let temporary = |shape: &[u64]| FusedOperand::Temporary { dtype: F32, shape: shape.to_vec() };
    let fused = Fused {
        rows,
        operands: vec![
            FusedOperand::Buffer(BufferId(0)),
            FusedOperand::Buffer(BufferId(1)),
            temporary(&[rows]),
            temporary(&[rows, columns]),
            temporary(&[rows]),
        ],
        prologue: vec![],
        kernel: None,
        stages: vec![
            fill(2, f32::NEG_INFINITY),
            stage(vec![row(0)], vec![one(2)], identity(F32), Some(binary(ScalarOp::Max, F32))),
            stage(vec![row(0), one(2)], vec![row(3)], exponential, None),
            fill(4, 0.0),
            stage(vec![row(3)], vec![one(4)], identity(F32), Some(binary(ScalarOp::Add, F32))),
            stage(vec![row(3), one(4)], vec![row(1)], binary(ScalarOp::Div, F32), None),
        ],
    };
    let count = (rows * columns) as usize;
    Case {
        shift: 0,
        name: format!("softmax_{rows}_{columns}"),
        work: Work::Fused(fused),
        arrays: vec![(F32, vec![rows, columns], floats(count, 5)), (F32, vec![rows, columns], zeros(count))],
    }
}

/// Within a few units in the last place, or equal.
fn is_near(found: &[u8], expected: &[u8], tolerance: f32) -> bool {
    let number = |bytes: &[u8]| f32::from_le_bytes(bytes.try_into().expect("four bytes"));
    found.chunks_exact(4).zip(expected.chunks_exact(4)).all(|(found, expected)| {
        let (found, expected) = (number(found), number(expected));
        found.to_bits() == expected.to_bits() || (found - expected).abs() <= tolerance * expected.abs().max(1.0)
    })
}

#[test]
fn nests_compute_what_the_plain_executor_computes() {
    let cases = vec![
        elementwise(3, 5),
        elementwise(70, 129),
        neighbours("few", [3, 8], 8, 0, 0, [DType::Bf16, DType::Bf16]),
        neighbours("two", [130, 264], 264, 0, 0, [DType::Bf16, DType::U8]),
        neighbours("four", [130, 1000], 1024, 12, 0, [DType::Bf16, DType::F32]),
        neighbours("many", [600, 4096], 4100, 4, 0, [DType::U8, DType::Bf16]),
        neighbours("odd_extent", [130, 1001], 1004, 4, 0, [DType::Bf16, DType::F32]),
        neighbours("odd_offset", [130, 1000], 1004, 3, 0, [DType::Bf16, DType::F32]),
        neighbours("odd_line", [130, 1000], 1001, 4, 0, [DType::Bf16, DType::F32]),
        neighbours("odd_address", [130, 1000], 1004, 4, 4, [DType::Bf16, DType::F32]),
        argmax(1, 1),
        argmax(3, 1000),
        argmax(70, 37),
        sum("short_rows", &[100, 7], 1, &[7, 1], ScalarOp::Add),
        sum("long_rows", &[5, 3000], 1, &[3000, 1], ScalarOp::Add),
        sum("columns", &[40, 300], 1, &[1, 40], ScalarOp::Max),
        sum("rows_of_words", &[200, 4096], 1, &[4096, 1], ScalarOp::Add),
        sum("rows_with_gaps", &[9, 1000], 1, &[1004, 1], ScalarOp::Add),
        sum("two_dims", &[6, 11, 90], 2, &[990, 90, 1], ScalarOp::Min),
        sum("all", &[5000], 1, &[1], ScalarOp::Add),
        sum("many", &[100_003], 1, &[1], ScalarOp::Add),
        sum("many_each", &[3, 40_000], 1, &[1, 3], ScalarOp::Max),
        weighted_sum("many_rows", [1, 70, 700]),
        weighted_sum("many_rows_each", [2, 67, 600]),
        argmax(1, 50_000),
        argmax(3, 33_333),
        // Groups of a warp and of many, with all vectors and with some left over; and more rows than blocks.
        norm(1, 2048, false),
        norm(1, 768, false),
        norm(1, 5000, false),
        norm(5, 33, false),
        norm(3, 8, true),
        norm(200, 96, true),
        norm(140, 1500, true),
        norm(2200, 516, false),
        norm(2120, 640, false),
        norm(17000, 8, false),
        rotation(1, 32, false),
        rotation(33, 64, true),
        rotation(300, 7, false),
        rotation(6000, 16, true),
        softmax(1, 1),
        softmax(9, 33),
        softmax(3, 2000),
        softmax(2, 12000),
    ];
    for kernel in source_of(&cases).kernels {
        assert_eq!(kernel.text.matches("wait_for_earlier()").count(), 1, "{}", kernel.text);
    }
    let folder = tempfile::tempdir().expect("a folder");
    let found = emulated(&cases, folder.path());
    for (case, found) in cases.iter().zip(found) {
        for (number, (found, expected)) in found.iter().zip(case.expected()).enumerate() {
            // Sums run in another order.
            let tolerance = if case.name.contains("max") && !case.name.contains("soft") { 0.0 } else { 1e-5 };
            assert!(is_near(found, &expected, tolerance), "{}: array {number}", case.name);
        }
    }
}

#[test]
fn rows_are_loaded_once_and_held() {
    let text = |case: Case| source_of(&[case]).kernels[0].text.clone();
    let held = text(norm(7, 2048, false));
    // The row and the weights, both before the one barrier, which is that of the fold.
    assert_eq!((held.matches("read_run").count(), held.matches("group_sync").count()), (2, 0));
    assert_eq!(held.matches("group_fold_all<512, 512>").count(), 1);
    // More rows than blocks: nobody goes on to the next before all have read what was folded.
    assert_eq!(text(norm(2200, 2048, false)).matches("group_sync").count(), 1);
    // Halves of rows are parts of their own: each is loaded once and stored once, and nobody waits.
    let turned = text(rotation(512, 64, false));
    let counts = ["read_run<true>", "write_run<true>", "sync"].map(|of| turned.matches(of).count());
    assert_eq!(counts, [4, 2, 0]);
    // Too long for registers.
    assert!(text(softmax(2, 12000)).contains("group_fold<"));
}

#[test]
fn only_what_nobody_writes_is_loaded_before_earlier_kernels_have_ended() {
    // In front of the wait, and behind it.
    let loads = |case: &Case, constant: Option<usize>| {
        let mut program = case.program();
        if let Some(number) = constant {
            program.buffers[number].place = Place::Constant { offset: 0 };
        }
        let plan = Plan { programs: vec![program], arenas: Vec::new() };
        let source = source(&plan, &Options::default()).expect("there should be code for the case");
        let parts = source.kernels[0].text.split("wait_for_earlier()").map(|part| part.matches("read_run").count());
        parts.collect::<Vec<_>>()
    };
    let norm = norm(7, 2048, false);
    assert_eq!(loads(&norm, None), [0, 2]);
    assert_eq!(loads(&norm, Some(1)), [1, 1]);
    // A row's elements are not what rows share.
    assert_eq!(loads(&norm, Some(0)), [0, 2]);
    let nest = neighbours("", [264, 1024], 1024, 0, 0, [DType::Bf16, DType::Bf16]);
    assert_eq!(loads(&nest, None), [0, 2]);
    assert_eq!(loads(&nest, Some(1)), [1, 1]);
    assert_eq!(loads(&nest, Some(0)), [1, 1]);
}

#[test]
fn neighbours_are_moved_at_once_where_they_lie_at_multiples_of_their_bytes() {
    let width = |case: Case| {
        let source = source_of(&[case]);
        let text = &source.kernels[0].text;
        let declared = text.split("ny0[").nth(1).and_then(|rest| rest.split(']').next());
        declared.map_or(1, |width| width.parse::<u32>().expect("a width should be a number"))
    };
    let case = |extents, line, first, shift, types| neighbours("", extents, line, first, shift, types);
    const HALVES: [DType; 2] = [DType::Bf16, DType::Bf16];
    // The result is of four bytes.
    assert_eq!(width(case([600, 4096], 4096, 0, 0, HALVES)), 4);
    assert_eq!(width(case([600, 4096], 4098, 2, 0, HALVES)), 2);
    assert_eq!(width(case([600, 4098], 4100, 0, 0, HALVES)), 2);
    // An odd line, first element, address and extent.
    assert_eq!(width(case([600, 4096], 4097, 0, 0, HALVES)), 1);
    assert_eq!(width(case([600, 4096], 4096, 1, 0, HALVES)), 1);
    assert_eq!(width(case([600, 4096], 4096, 0, 4, HALVES)), 1);
    assert_eq!(width(case([600, 4095], 4096, 0, 0, HALVES)), 1);
    // So few points that threads which take several would leave multiprocessors idle.
    assert_eq!(width(case([12, 1024], 1024, 0, 0, HALVES)), 1);
    assert_eq!(width(case([40, 1024], 1024, 0, 0, HALVES)), 2);
}
