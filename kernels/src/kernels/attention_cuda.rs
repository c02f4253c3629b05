//! How `attention` is launched on a GPU.

use pygraph_artifact::{dtype::DType, plan::KernelAttr};

use super::{
    attention::{Reads, optional, repeating},
    call::{boolean, dimensions, float, text},
};
use crate::{
    cuda::{CudaDef, CudaOperand, CudaPlan, CudaStep, GRID_MAX, MULTIPROCESSORS},
    manifest::CallType,
    tensor::TensorType,
};

/// The definition.
pub(super) const CUDA: CudaDef = CudaDef { has_epilogue: true, remade, ..CudaDef::new(SOURCE, plan) };

const SOURCE: &str = concat!(
    include_str!("layout.cuh"),
    include_str!("fragments.cuh"),
    include_str!("attention.cu"),
    include_str!("attention_rows.cu"),
    include_str!("attention_splits.cu"),
    include_str!("attention_tiles.cu")
);

/// Warps of a block.
const WARPS: u64 = 4;
/// Blocks that a multiprocessor runs at a time, with few rows and with many: registers are few enough for that. One block more on the card would be waited for by all.
const RESIDENT: [u64; 2] = [3, 2];
/// Rows from which on there are many, for a thread's registers.
const MANY_ROWS: u64 = 5;
/// Warps that keep the card busy.
const BUSY_WARPS: u64 = MULTIPROCESSORS * 16;
/// Tokens that a warp goes through at a time: more cost less each, and fewer are sooner done where warps have little to do.
const TOKENS_AT: [u64; 3] = [8, 16, 32];
/// Tokens of a share, at most about, where the requests of a batch can have lengths of their own: shares even out what blocks have to do.
const EVEN_TOKENS: u64 = 512;
/// Shares of a request for that, at most: each has room for its sums.
const EVEN_SPLITS_MAX: u64 = 16;
/// Tokens of a share at least: short requests are not worth sharing.
const EVEN_TOKENS_MIN: u64 = 128;
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
/// Queries from which on tiles of them are worth it, with tensor cores.
const TILED_QUERIES: u64 = 32;
/// Features of a row, at most, for which a thread that uses tensor cores has the registers.
const TENSOR_FEATURES_MAX: u64 = 128;
/// Tokens that a warp goes through at a time on tensor cores.
const MATRIX_TOKENS: u64 = 16;
/// Queries of a tile, at most: 16 a warp, of [`WARPS`].
const TILE_QUERIES: u64 = 16 * WARPS;
/// Tokens of a tile; half as many where warps have all of them, of many features: their products take registers. (Two warps that shared 64 took 45 us where one with 32
/// took 32, for 512 queries of 32 heads, 128 features: blocks were one a multiprocessor then.)
const TILE_TOKENS: u64 = 64;
/// Features from which on they are many.
const MANY_FEATURES: u64 = 65;
/// Tiles that keep the card busy. With fewer, tiles have fewer queries, of which several warps share the tokens.
const BUSY_TILES: u64 = MULTIPROCESSORS;

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
    let reads = Reads::of(call.attributes).expect("attributes should be checked before they are read");
    let Reads { batches, heads, groups, .. } = reads;
    let [_, queries, _, features] = q.extents;
    let (tokens, value_features) = (k.extents[1], v.extents[3]);
    let rows_all = heads / groups * queries;
    let of_key = k.lanes(call.inputs[1].dtype.size_bytes());
    let of_value = v.lanes(call.inputs[2].dtype.size_bytes());
    let registers = of_key.1.max(of_value.1);
    let row_bytes = 4 * (value_features + PART_HEAD);
    let warps = if WARPS * row_bytes <= SHARED_BYTES { WARPS } else { 1 };
    let on_tensor_cores = has_tensor_types(call)
        && q.extents[3].is_multiple_of(32)
        && value_features.is_multiple_of(64)
        && (1..=TENSOR_FEATURES_MAX).contains(&q.extents[3].max(value_features))
        && value_features > 0;
    let in_registers = if on_tensor_cores { ROWS_MAX } else { REGISTERS / registers };
    let most = in_registers.min(SHARED_BYTES / row_bytes / warps).clamp(1, ROWS_MAX);
    let rows = rows_all.div_ceil(rows_all.div_ceil(most).max(1)).max(1);
    let units = batches * groups * rows_all.div_ceil(rows);
    // A step of a warp takes a token for each row that its lanes share.
    let fewest = (units * tokens / BUSY_WARPS).max(32 / of_key.0.min(of_value.0));
    let tokens_at = match on_tensor_cores {
        true => MATRIX_TOKENS,
        false => TOKENS_AT.into_iter().find(|tokens| *tokens >= fewest).unwrap_or(32),
    };
    let numbers = optional(call.attributes).expect("attributes should be checked before they are read");
    let [mask, bias, positions, length, layer] = numbers;
    let fill = float(call.attributes, "fill") as f32;
    // What is added to a score that is a number hides it as well.
    let hides = fill == f32::NEG_INFINITY;
    let is_uneven = batches > 1 && (positions.is_some() || length.is_some());
    let resident = RESIDENT[usize::from(rows >= MANY_ROWS)];
    let busy = MULTIPROCESSORS * resident / units.max(1);
    let (share_min, wanted) = match tokens_at * warps.min(64 / tokens_at) {
        share if is_uneven => (share.max(EVEN_TOKENS_MIN), busy.max((tokens / EVEN_TOKENS).min(EVEN_SPLITS_MAX))),
        share => (share, busy),
    };
    let splits = wanted.clamp(1, tokens.div_ceil(share_min).max(1));

    let mut constants: Vec<(&'static str, i64)> = Vec::new();
    let mut add = |names: &[&'static str], values: &[u64]| {
        constants.extend(names.iter().zip(values).map(|(name, value)| (*name, *value as i64)));
    };
    add(&["BATCHES", "QUERIES", "HEADS", "FEATURES"], &[batches, queries, heads, features]);
    add(&["TOKENS", "GROUPS", "VALUE_FEATURES"], &[tokens, groups, value_features]);
    add(&["Q_BATCH", "Q_TOKEN", "Q_HEAD", "Q_FEATURE"], &q.strides);
    add(&["K_BATCH", "K_TOKEN", "K_HEAD", "K_FEATURE"], &k.strides);
    add(&["V_BATCH", "V_TOKEN", "V_HEAD", "V_FEATURE"], &v.strides);
    let first = |roles: &Roles, [batch, head]: [u64; 2]| roles.strides[0] * batch + roles.strides[2] * head;
    let [of_q, of_k, of_v] = reads.first;
    add(&["Q_FIRST", "K_FIRST", "V_FIRST"], &[first(&q, of_q), first(&k, of_k), first(&v, of_v)]);
    add(&["O_BATCH", "O_TOKEN", "O_HEAD", "O_FEATURE"], &output.strides);
    let has = |number: Option<usize>| u64::from(number.is_some());
    add(&["HAS_MASK", "HAS_BIAS", "HAS_POSITIONS", "HAS_LENGTH"], &[has(mask), has(bias), has(positions), has(length)]);
    // Of what is not there nobody asks.
    let inputs = [positions, length, layer].map(|number| number.unwrap_or(0) as u64);
    add(&["POSITIONS_INPUT", "LENGTH_INPUT", "LAYER_INPUT"], &inputs);
    let of_layer = |name, ty: TensorType<'_>| {
        let dimension = dimensions(call.attributes, name).get(4).copied();
        dimension.map_or([1, 0], |dimension| [ty.shape[dimension], ty.strides()[dimension] as u64])
    };
    let [layers, k_layer] = of_layer("k_dims", call.inputs[1]);
    add(&["HAS_LAYER", "LAYERS", "K_LAYER"], &[has(layer), layers, k_layer]);
    add(&["V_LAYER"], &[of_layer("v_dims", call.inputs[2])[1]]);
    add(&["MASK_BATCH", "MASK_HEAD", "MASK_QUERY", "MASK_TOKEN"], &repeated::<4>(call, mask));
    add(&["BIAS_BATCH", "BIAS_HEAD", "BIAS_QUERY", "BIAS_TOKEN"], &repeated::<4>(call, bias));
    add(&["POSITIONS_BATCH", "POSITIONS_QUERY"], &repeated::<2>(call, positions));
    add(&["LENGTH_BATCH"], &repeated::<1>(call, length));
    let skips = u64::from(boolean(call.attributes, "skips_below"));
    add(&["HIDES_WHOLLY", "SKIPS_BELOW"], &[u64::from(hides), skips]);
    add(&["ROWS", "WARPS", "SPLITS", "BATCH_PARTS"], &[rows, warps, splits, BATCH_PARTS]);
    let tile_queries = tile_queries(batches * heads, queries);
    let has_products = tile_queries == TILE_QUERIES && features.max(value_features) >= MANY_FEATURES;
    let tile_tokens = if has_products { TILE_TOKENS / 2 } else { TILE_TOKENS };
    add(
        &["TOKENS_AT", "SHARE_MIN", "TILE_QUERIES", "TILE_TOKEN_COUNT", "TOKEN_WARPS"],
        &[tokens_at, share_min, tile_queries, tile_tokens, TILE_QUERIES / tile_queries],
    );

    if call.outputs[0].element_count() == 0 {
        return CudaPlan { constants, ..CudaPlan::default() };
    }
    // What is not there is given as some other array, which nobody reads.
    let [mask, bias, positions, length, layer] = numbers.map(|number| CudaOperand::Input(number.unwrap_or(0)));
    let [q_input, k_input, v_input] = [0, 1, 2].map(CudaOperand::Input);
    let (output, parts) = (CudaOperand::Output(0), CudaOperand::Scratch(0));
    let step = |function: &'static str, threads: u64, grid, operands| CudaStep {
        function: function.into(),
        grid,
        block: [threads as u32, 1, 1],
        shared_bytes: 0,
        operands,
        resident: 1,
        waits: false,
    };
    if is_tiled(call, &q, &v) {
        let blocks = [(batches * heads).min(1 << 20) as u32, queries.div_ceil(tile_queries) as u32, 1];
        let operands = vec![output, q_input, k_input, v_input, mask, bias, positions, length, layer];
        return CudaPlan {
            constants,
            steps: vec![CudaStep {
                shared_bytes: tile_bytes([tile_queries, tile_tokens], q.extents[3], value_features) as u32,
                ..step("attend_tiles", 32 * WARPS, blocks, operands)
            }],
            ..CudaPlan::default()
        };
    }
    let blocks = [splits as u32, units.min(GRID_MAX) as u32, 1];
    let mut operands = vec![output, q_input, k_input, v_input, mask, bias, positions, length, layer];
    operands.extend([parts, CudaOperand::Counters]);
    let function = if on_tensor_cores { "attend<true>" } else { "attend<false>" };
    let resident = resident as u32;
    let steps = vec![CudaStep { waits: true, resident, ..step(function, 32 * warps, blocks, operands) }];
    let (scratch, counters) = if splits > 1 { (units * splits * rows * row_bytes, units) } else { (0, 0) };
    CudaPlan { constants, scratch: vec![scratch], counters, steps, ..CudaPlan::default() }
}

/// Positions and lengths are read by their elements alone.
fn remade(call: &CallType<'_>) -> Vec<usize> {
    let [_, _, positions, length, _] =
        optional(call.attributes).expect("attributes should be checked before they are read");
    positions.into_iter().chain(length).collect()
}

/// True if tensor cores multiply these types: queries, keys and values of one type of two bytes, used in that type.
fn has_tensor_types(call: &CallType<'_>) -> bool {
    let dtype = call.inputs[0].dtype;
    let is_kept =
        |name: &str| matches!(text(call.attributes, name).parse::<DType>(), Ok(ty) if ty == dtype || ty == DType::F32);
    matches!(dtype, DType::Bf16 | DType::F16)
        && call.inputs[..3].iter().all(|input| input.dtype == dtype)
        && is_kept("key_type")
        && is_kept("value_type")
        && float(call.attributes, "key_scale") == 1.0
}

/// True if there are queries for whole tiles.
fn is_tiled(call: &CallType<'_>, q: &Roles, v: &Roles) -> bool {
    let [_, queries, _, features] = q.extents;
    has_tensor_types(call)
        && (TILED_QUERIES..=TILE_QUERIES * GRID_MAX).contains(&queries)
        && (1..=TENSOR_FEATURES_MAX).contains(&features)
        && v.extents[3] <= TENSOR_FEATURES_MAX
}

/// Queries of a tile, for so many pairs of a batch and a head.
fn tile_queries(pairs: u64, queries: u64) -> u64 {
    let is_busy = |tile: &u64| pairs * queries.div_ceil(*tile) >= BUSY_TILES;
    [TILE_QUERIES, TILE_QUERIES / 2].into_iter().find(is_busy).unwrap_or(TILE_QUERIES / 4)
}

/// Shared memory of a block of tiles: queries, and two tiles each of keys and of values, in lines of a power of two of elements of two bytes;
/// in the end, what warps have found that share tokens.
fn tile_bytes([queries, tokens]: [u64; 2], features: u64, value_features: u64) -> u64 {
    let line = |features: u64| features.next_power_of_two().max(16);
    let tiles = 2 * (queries * line(features) + 2 * tokens * (line(features) + line(value_features)));
    let joined = (WARPS - queries / 16) * 32 * 4 * (value_features.div_ceil(16) * 8 + 4);
    tiles.max(joined)
}

/// Strides of an input that repeats along its dimensions of extent 1.
fn repeated<const N: usize>(call: &CallType<'_>, number: Option<usize>) -> [u64; N] {
    number.map_or([0; N], |number| repeating::<N>(call.inputs[number].shape).map(|stride| stride as u64))
}
