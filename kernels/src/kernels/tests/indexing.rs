use super::*;

fn slice_case() -> Case {
    Case {
        kernel: "dynamic_slice",
        attributes: vec![("sizes", ints(&[2, 2]))],
        bodies: vec![],
        inputs: vec![
            tensor(&[3, 4], &[0i32, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
            tensor(&[], &[1i64]),
            tensor(&[], &[u64::MAX]),
        ],
        outputs: vec![zeros(DType::I32, &[2, 2])],
    }
}

#[test]
fn dynamic_slices_clamp_their_offsets() {
    assert_eq!(slice_case().first::<i32>(), [6, 7, 10, 11]);
    let mut negative = slice_case();
    (negative.inputs[1], negative.inputs[2]) = (tensor(&[], &[-5i8]), tensor(&[], &[-1i32]));
    assert_eq!(negative.first::<i32>(), [0, 1, 4, 5]);
}

#[test]
fn dynamic_slice_refusals() {
    let case = slice_case();
    case.refuses(|case| case.set("sizes", ints(&[2])), "dynamic_slice: sizes has 1 entries for 2 dimensions");
    case.refuses(|case| case.set("sizes", ints(&[2, 5])), "dynamic_slice: sizes [2, 5] exceed [3, 4] in dimension 1");
    case.refuses(
        |case| case.set("sizes", ints(&[2, -1])),
        "dynamic_slice: sizes has -1, which is not in 0 to 9223372036854775807",
    );
    case.refuses(|case| case.inputs[1] = tensor(&[], &[1f32]), "dynamic_slice: input 1 holds f32, not integers");
    case.refuses(|case| case.inputs[1] = tensor(&[1], &[1i32]), "dynamic_slice: input 1 is [1] of i32, not [] of i32");
}

#[test]
fn dynamic_updates_clamp_their_offsets() {
    let case = Case {
        kernel: "dynamic_update_slice",
        attributes: vec![],
        bodies: vec![],
        inputs: vec![
            tensor(&[2, 3], &[0i32, 1, 2, 3, 4, 5]),
            tensor(&[1, 2], &[8i32, 9]),
            tensor(&[], &[9i32]),
            tensor(&[], &[-9i32]),
        ],
        outputs: vec![zeros(DType::I32, &[2, 3])],
    };
    assert_eq!(case.first::<i32>(), [0, 1, 2, 8, 9, 5]);
    case.refuses(
        |case| case.inputs[1] = zeros(DType::I32, &[1, 4]),
        "dynamic_update_slice: an update of [1, 4] of i32 does not fit in [2, 3] of i32",
    );
}

fn gather_case() -> Case {
    // The example of StableHLO's specification, without batching.
    Case {
        kernel: "gather",
        attributes: vec![
            ("offset_dims", ints(&[2, 3])),
            ("collapsed_slice_dims", ints(&[0])),
            ("operand_batching_dims", ints(&[])),
            ("start_indices_batching_dims", ints(&[])),
            ("start_index_map", ints(&[1, 0])),
            ("slice_sizes", ints(&[1, 2, 2])),
            ("index_vector_dim", KernelAttr::Int(2)),
        ],
        bodies: vec![],
        inputs: vec![
            tensor(&[3, 4, 2], &(1..=24).collect::<Vec<i32>>()),
            tensor(&[2, 3, 2], &[0i64, 0, 1, 0, 2, 1, 0, 1, 1, 1, 0, 2]),
        ],
        outputs: vec![zeros(DType::I32, &[2, 3, 2, 2])],
    }
}

#[test]
fn gathers_slices() {
    let want = [1, 2, 3, 4, 3, 4, 5, 6, 13, 14, 15, 16, 9, 10, 11, 12, 11, 12, 13, 14, 17, 18, 19, 20];
    assert_eq!(gather_case().first::<i32>(), want);
    let mut clamped = gather_case();
    clamped.inputs[1] = tensor(&[2, 3, 2], &[99i64; 12]);
    assert_eq!(clamped.first::<i32>(), [21, 22, 23, 24].repeat(6));
}

#[test]
fn gathers_rows_and_batches() {
    let mut rows = gather_case();
    rows.attributes = vec![
        ("offset_dims", ints(&[1])),
        ("collapsed_slice_dims", ints(&[])),
        ("operand_batching_dims", ints(&[0])),
        ("start_indices_batching_dims", ints(&[0])),
        ("start_index_map", ints(&[1])),
        ("slice_sizes", ints(&[1, 1])),
        ("index_vector_dim", KernelAttr::Int(1)),
    ];
    rows.inputs = vec![tensor(&[2, 3], &[1i32, 2, 3, 4, 5, 6]), tensor(&[2], &[2i32, 0])];
    rows.outputs = vec![zeros(DType::I32, &[2, 1])];
    assert_eq!(rows.first::<i32>(), [3, 4]);

    // Enough for several threads: row k of the output is row (7 k) mod 1000.
    let table: Vec<f32> = (0..1000 * 64).map(|k| k as f32).collect();
    let ids: Vec<u32> = (0..8192).map(|k| k * 7 % 1000).collect();
    rows.attributes = vec![
        ("offset_dims", ints(&[1])),
        ("collapsed_slice_dims", ints(&[0])),
        ("operand_batching_dims", ints(&[])),
        ("start_indices_batching_dims", ints(&[])),
        ("start_index_map", ints(&[0])),
        ("slice_sizes", ints(&[1, 64])),
        ("index_vector_dim", KernelAttr::Int(1)),
    ];
    rows.inputs = vec![tensor(&[1000, 64], &table), tensor(&[8192, 1], &ids)];
    rows.outputs = vec![zeros(DType::F32, &[8192, 64])];
    let want: Vec<f32> =
        ids.iter().flat_map(|id| table[*id as usize * 64..(*id as usize + 1) * 64].iter().copied()).collect();
    assert!(rows.first::<f32>() == want);
}

#[test]
fn gather_refusals() {
    let case = gather_case();
    let refuses = |name: &'static str, value: KernelAttr, message: &str| {
        case.refuses(|case| case.set(name, value), message);
    };
    refuses("slice_sizes", ints(&[1, 5, 2]), "gather: slice_sizes [1, 5, 2] exceed [3, 4, 2] in dimension 1");
    refuses("slice_sizes", ints(&[2, 2, 2]), "gather: slice_sizes [2, 2, 2] should be 1 in the dropped dimension 0");
    refuses("index_vector_dim", KernelAttr::Int(4), "gather: index_vector_dim is 4, the indices have 3 dimensions");
    refuses("start_index_map", ints(&[1]), "gather: start_index_map has 1 entries, starts have 2 components");
    refuses("offset_dims", ints(&[3, 2]), "gather: offset_dims [3, 2] do not fit 2 kept of 4 dimensions");
    refuses(
        "operand_batching_dims",
        ints(&[2]),
        "gather: operand_batching_dims [2] do not go with start_indices_batching_dims []",
    );
    case.refuses(
        |case| {
            case.set("operand_batching_dims", ints(&[0]));
            case.set("start_indices_batching_dims", ints(&[1]));
        },
        "gather: start_index_map names a batching dimension",
    );
    case.refuses(
        |case| {
            case.set("collapsed_slice_dims", ints(&[0, 2]));
            case.set("operand_batching_dims", ints(&[2]));
            case.set("start_indices_batching_dims", ints(&[0]));
            case.set("slice_sizes", ints(&[1, 2, 1]));
        },
        "gather: an operand dimension is both collapsed and batching",
    );
    case.refuses(
        |case| case.inputs[1] = zeros(DType::F32, &[2, 3, 2]),
        "gather: the start indices holds f32, not integers",
    );
    case.refuses(
        |case| case.outputs[0] = zeros(DType::F32, &[2, 3, 2, 2]),
        "gather: the output is [2, 3, 2, 2] of f32, not [2, 3, 2, 2] of i32",
    );
}

fn scatter_case(operation: ScalarOp) -> Case {
    Case {
        kernel: "scatter",
        attributes: vec![
            ("update_window_dims", ints(&[1])),
            ("inserted_window_dims", ints(&[0])),
            ("input_batching_dims", ints(&[])),
            ("scatter_indices_batching_dims", ints(&[])),
            ("scatter_dims_to_operand_dims", ints(&[0, 1])),
            ("index_vector_dim", KernelAttr::Int(1)),
        ],
        bodies: vec![body(operation, DType::I32, DType::I32)],
        inputs: vec![
            tensor(&[3, 3], &[0i32, 1, 2, 3, 4, 5, 6, 7, 8]),
            tensor(&[4, 2], &[0i32, 0, 0, 1, 1, 2, -1, 0]),
            tensor(&[4, 2], &[10i32, 20, 30, 40, 50, 60, 70, 80]),
        ],
        outputs: vec![zeros(DType::I32, &[3, 3])],
    }
}

#[test]
fn scatters_windows_in_order_and_skips_what_falls_outside() {
    assert_eq!(scatter_case(ScalarOp::Add).first::<i32>(), [10, 51, 42, 3, 4, 55, 6, 7, 8]);
    let mut set = scatter_case(ScalarOp::Add);
    set.bodies[0] = ScalarBody { inputs: vec![DType::I32; 2], instructions: vec![], outputs: vec![1] };
    assert_eq!(set.first::<i32>(), [10, 30, 40, 3, 4, 50, 6, 7, 8]);
}

#[test]
fn scatters_with_batching_dimensions() {
    let mut case = scatter_case(ScalarOp::Add);
    case.attributes = vec![
        ("update_window_dims", ints(&[])),
        ("inserted_window_dims", ints(&[1])),
        ("input_batching_dims", ints(&[0])),
        ("scatter_indices_batching_dims", ints(&[0])),
        ("scatter_dims_to_operand_dims", ints(&[1])),
        ("index_vector_dim", KernelAttr::Int(2)),
    ];
    case.inputs = vec![
        zeros(DType::I32, &[2, 3]),
        tensor(&[2, 3, 1], &[0i32, 2, 2, 1, 1, 7]),
        tensor(&[2, 3], &[1i32, 2, 3, 4, 5, 6]),
    ];
    case.outputs = vec![zeros(DType::I32, &[2, 3])];
    assert_eq!(case.first::<i32>(), [1, 0, 5, 0, 9, 0]);
}

#[test]
fn scatter_refusals() {
    let case = scatter_case(ScalarOp::Add);
    case.refuses(
        |case| case.outputs.clear(),
        "scatter: takes n operands, indices and n updates for n outputs, not 3 for 0",
    );
    case.refuses(
        |case| case.inputs[1] = zeros(DType::F32, &[4, 2]),
        "scatter: the scatter indices holds f32, not integers",
    );
    case.refuses(
        |case| case.inputs[2] = zeros(DType::I32, &[5, 2]),
        "scatter: updates of [5, 2] with update_window_dims [1] do not fit windows of 1 dimensions for [4] indices",
    );
    case.refuses(
        |case| case.inputs[2] = zeros(DType::F32, &[4, 2]),
        "scatter: update 0 is [4, 2] of f32, not [4, 2] of i32",
    );
    case.refuses(
        |case| case.bodies[0] = body(ScalarOp::Add, DType::F32, DType::F32),
        "scatter: the body does not go from [I32, I32] to [I32]",
    );
    case.refuses(
        |case| case.bodies[0].instructions = vec![ScalarInst::Index { dimension: 0 }],
        "scatter: its body reads a position, and has none",
    );
    case.refuses(
        |case| {
            case.set("scatter_dims_to_operand_dims", ints(&[1]));
            case.set("index_vector_dim", KernelAttr::Int(2));
            case.set("input_batching_dims", ints(&[0]));
            case.set("scatter_indices_batching_dims", ints(&[1]));
            case.inputs[1] = zeros(DType::I32, &[4, 3]);
        },
        "scatter: an operand dimension is both inserted and batching",
    );
}
