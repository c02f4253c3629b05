//! How `attention` is launched on a GPU.

use pygraph_artifact::plan::KernelAttr;

use super::{
    attention::{optional, repeating},
    call::{boolean, dimensions, float},
};
use crate::{
    cuda::{CudaDef, CudaOperand, CudaPlan, CudaStep},
    manifest::CallType,
    tensor::TensorType,
};

/// The definition.
pub(super) const CUDA: CudaDef = CudaDef {
    source: concat!(include_str!("layout.cuh"), include_str!("attention.cu")),
    plan,
    has_epilogue: true,
    has_prologue: false,
};

/// Warps of a block.
const WARPS: u64 = 4;
/// Blocks that the card runs at a time, with few rows and with many: one more would be waited for by all.
const BUSY_BLOCKS: [u64; 2] = [132 * 3, 132 * 2];
/// Rows from which on there are many, for a thread's registers.
const MANY_ROWS: u64 = 5;
/// Warps that keep the card busy.
const BUSY_WARPS: u64 = 132 * 16;
/// Tokens that a warp goes through at a time: more cost less each, and fewer are sooner done where warps have little to do.
const TOKENS_AT: [u64; 3] = [8, 16, 32];
/// Numbers of a row beside its sums of values.
const PART_HEAD: u64 = 4;
/// Rows of a block, at most.
const ROWS_MAX: u64 = 8;
/// Registers of a thread for queries, and for sums, at most.
const REGISTERS: u64 = 64;
/// Registers of a thread for parts of rows that are on their way, in parts of 16 bytes.
const BATCH_PARTS: u64 = 8;
/// Shared memory for sums, at most.
const SHARED_BYTES: u64 = 40 << 10;
/// Blocks along y of a grid, at most.
const GRID_MAX: u64 = 65535;

/// Extents and strides of batch, token, head and feature.
struct Roles {
    extents: [u64; 4],
    strides: [u64; 4],
}

impl Roles {
    fn new(attributes: &[(String, KernelAttr)], name: &str, ty: TensorType<'_>) -> Roles {
        let (of, strides) = (dimensions(attributes, name), ty.strides());
        Roles {
            extents: [0, 1, 2, 3].map(|role| ty.shape[of[role]]),
            strides: [0, 1, 2, 3].map(|role| strides[of[role]] as u64),
        }
    }

    /// Lanes that share a row, and how many of its elements each has.
    fn lanes(&self, element_bytes: usize) -> (u64, u64) {
        let vector = 16 / element_bytes as u64;
        let vectors = self.extents[3].div_ceil(vector).max(1);
        let lanes = vectors.next_power_of_two().min(32);
        (lanes, vectors.div_ceil(lanes) * vector)
    }
}

fn plan(call: &CallType<'_>) -> CudaPlan {
    let roles = |name, ty| Roles::new(call.attributes, name, ty);
    let (q, k, v) = (roles("q_dims", call.inputs[0]), roles("k_dims", call.inputs[1]), roles("v_dims", call.inputs[2]));
    let output = roles("output_dims", call.outputs[0]);
    let [batches, queries, heads, _] = q.extents;
    let (tokens, groups, value_features) = (k.extents[1], k.extents[2], v.extents[3]);
    let rows_all = heads / groups * queries;
    let of_key = k.lanes(call.inputs[1].dtype.size_bytes());
    let of_value = v.lanes(call.inputs[2].dtype.size_bytes());
    let registers = of_key.1.max(of_value.1);
    let row_bytes = 4 * (value_features + PART_HEAD);
    let warps = if WARPS * row_bytes <= SHARED_BYTES { WARPS } else { 1 };
    let most = (REGISTERS / registers).min(SHARED_BYTES / row_bytes / warps).clamp(1, ROWS_MAX);
    let rows = rows_all.div_ceil(rows_all.div_ceil(most).max(1)).max(1);
    let units = batches * groups * rows_all.div_ceil(rows);
    // A step of a warp takes a token for each row that its lanes share.
    let fewest = (units * tokens / BUSY_WARPS).max(32 / of_key.0.min(of_value.0));
    let tokens_at = TOKENS_AT.into_iter().find(|tokens| *tokens >= fewest).unwrap_or(32);
    let share_min = tokens_at * warps.min(64 / tokens_at);
    let splits =
        (BUSY_BLOCKS[usize::from(rows >= MANY_ROWS)] / units.max(1)).clamp(1, tokens.div_ceil(share_min).max(1));
    let numbers = optional(call.attributes).expect("attributes should be checked before they are read");
    let [mask, bias, positions, length] = numbers;
    let fill = float(call.attributes, "fill") as f32;
    let hides = fill == f32::NEG_INFINITY && !boolean(call.attributes, "mask_adds");

    let mut constants: Vec<(&'static str, i64)> = Vec::new();
    let mut add = |names: &[&'static str], values: &[u64]| {
        constants.extend(names.iter().zip(values).map(|(name, value)| (*name, *value as i64)));
    };
    add(&["BATCHES", "QUERIES", "HEADS", "FEATURES"], &q.extents);
    add(&["TOKENS", "GROUPS", "VALUE_FEATURES"], &[tokens, groups, value_features]);
    add(&["Q_BATCH", "Q_TOKEN", "Q_HEAD", "Q_FEATURE"], &q.strides);
    add(&["K_BATCH", "K_TOKEN", "K_HEAD", "K_FEATURE"], &k.strides);
    add(&["V_BATCH", "V_TOKEN", "V_HEAD", "V_FEATURE"], &v.strides);
    add(&["O_BATCH", "O_TOKEN", "O_HEAD", "O_FEATURE"], &output.strides);
    let has = |number: Option<usize>| u64::from(number.is_some());
    add(&["HAS_MASK", "HAS_BIAS", "HAS_POSITIONS", "HAS_LENGTH"], &[has(mask), has(bias), has(positions), has(length)]);
    add(&["MASK_BATCH", "MASK_HEAD", "MASK_QUERY", "MASK_TOKEN"], &repeated::<4>(call, mask));
    add(&["BIAS_BATCH", "BIAS_HEAD", "BIAS_QUERY", "BIAS_TOKEN"], &repeated::<4>(call, bias));
    add(&["POSITIONS_BATCH", "POSITIONS_QUERY"], &repeated::<2>(call, positions));
    add(&["LENGTH_BATCH"], &repeated::<1>(call, length));
    let skips = u64::from(boolean(call.attributes, "skips_below"));
    add(&["HIDES_WHOLLY", "SKIPS_BELOW"], &[u64::from(hides), skips]);
    add(&["ROWS", "WARPS", "SPLITS", "BATCH_PARTS"], &[rows, warps, splits, BATCH_PARTS]);
    add(&["TOKENS_AT", "SHARE_MIN"], &[tokens_at, share_min]);

    if call.outputs[0].element_count() == 0 {
        return CudaPlan { constants, ..CudaPlan::default() };
    }
    // What is not there is given as some other array, which nobody reads.
    let [mask, bias, positions, length] = numbers.map(|number| CudaOperand::Input(number.unwrap_or(0)));
    let [q, k, v] = [0, 1, 2].map(CudaOperand::Input);
    let (output, parts) = (CudaOperand::Output(0), CudaOperand::Scratch(0));
    let step = |function: &'static str, grid, operands| CudaStep {
        function: function.into(),
        grid,
        block: [32 * warps as u32, 1, 1],
        shared_bytes: 0,
        operands,
        waits: false,
    };
    let blocks = [splits as u32, units.min(GRID_MAX) as u32, 1];
    let steps = vec![step(
        "attend",
        blocks,
        vec![output, q, k, v, mask, bias, positions, length, parts, CudaOperand::Counters],
    )];
    let (scratch, counters) = if splits > 1 { (units * splits * rows * row_bytes, units) } else { (0, 0) };
    CudaPlan { constants, scratch: vec![scratch], counters, steps, ..CudaPlan::default() }
}

/// Strides of an input that repeats along its dimensions of extent 1.
fn repeated<const N: usize>(call: &CallType<'_>, number: Option<usize>) -> [u64; N] {
    number.map_or([0; N], |number| repeating::<N>(call.inputs[number].shape).map(|stride| stride as u64))
}
