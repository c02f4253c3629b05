//! How `contract` is launched on a GPU: which of the skeleton's functions, on how many blocks.

use pygraph_artifact::{
    dtype::{DType, Family},
    library::{self, EXTENT_MAX, Product},
};

use super::{call::dimensions, layout::strides};
use crate::{
    cuda::{CudaDef, CudaLibrary, CudaOperand, CudaPlan, CudaStep, GRID_MAX, MULTIPROCESSORS, THREADS, over_elements},
    manifest::CallType,
    tensor::TensorType,
};

/// The definition.
pub(super) const CUDA: CudaDef = CudaDef { has_epilogue: true, has_prologue: true, ..CudaDef::new(SOURCE, plan) };

const SOURCE: &str = concat!(
    include_str!("layout.cuh"),
    include_str!("product.cuh"),
    include_str!("fragments.cuh"),
    include_str!("tensor.cuh"),
    include_str!("contract.cu")
);

/// Warps that keep the card's memory busy.
const BUSY_WARPS: u64 = MULTIPROCESSORS * 16;
/// Blocks of a tile each that keep the card's arithmetic busy.
const BUSY_TILES: u64 = MULTIPROCESSORS;
/// Warps of a block of `along`.
const ALONG_WARPS: u64 = 4;
/// Rows of a side that is small.
const FEW_ROWS_MAX: u64 = 16;
/// The same where tensor cores could take it, and the big side's terms lie together.
const FEW_ROWS_ALONG: u64 = 4;
/// Rows and columns of a tile.
const TILE: u64 = 64;

/// The type in which products of these types accumulate, as the skeleton numbers them.
pub(super) fn sum_kind(inputs: [DType; 2], output: DType) -> i64 {
    let is_wide = |dtype: DType| matches!(dtype, DType::F64 | DType::C128) || dtype.is_integer() && dtype.bits() >= 32;
    let wide = inputs.into_iter().any(is_wide);
    match output.family() {
        Family::Float if wide || output == DType::F64 => 1,
        Family::Float => 0,
        Family::Complex if wide || output == DType::C128 => 3,
        Family::Complex => 2,
        _ if output.bits() == 64 => 5,
        _ => 4,
    }
}

/// Bytes of that type.
pub(super) fn sum_bytes(kind: i64) -> u64 {
    [4, 8, 8, 16, 4, 8][kind as usize]
}

/// One input as a matrix for each batch: free dimensions are rows, contracted ones terms.
struct Side {
    dtype: DType,
    rows: u64,
    terms: u64,
    /// From one batch to the next, where it is one stride for all.
    batch_stride: Option<u64>,
    /// From one row or term to the next, where it is one stride for all.
    row_stride: Option<u64>,
    term_stride: Option<u64>,
}

impl Side {
    fn new(ty: TensorType<'_>, batch: &[usize], contract: &[usize]) -> Side {
        let strides = strides(ty.shape);
        let of = |dimension: &usize| (ty.shape[*dimension], strides[*dimension] as u64);
        let free: Vec<(u64, u64)> = (0..ty.shape.len())
            .filter(|dimension| !batch.contains(dimension) && !contract.contains(dimension))
            .map(|dimension| of(&dimension))
            .collect();
        let contracted: Vec<(u64, u64)> = contract.iter().map(of).collect();
        let batches: Vec<(u64, u64)> = batch.iter().map(of).collect();
        let count = |dimensions: &[(u64, u64)]| dimensions.iter().map(|(extent, _)| extent).product();
        Side {
            dtype: ty.dtype,
            rows: count(&free),
            terms: count(&contracted),
            batch_stride: single_stride(&batches),
            row_stride: single_stride(&free),
            term_stride: single_stride(&contracted),
        }
    }

    fn is_small_float(&self) -> bool {
        matches!(self.dtype, DType::Bf16 | DType::F16 | DType::F32)
    }

    /// The same for a library, if its lines or its rows lie together.
    fn as_library_knows_it(&self, batches: u64) -> Option<library::Side> {
        let (is_across, line) = match (self.row_stride?, self.term_stride?) {
            (line, 1) => (false, line),
            (1, line) => (true, line),
            _ => return None,
        };
        let inner = if is_across { self.rows } else { self.terms };
        let batch = if batches == 1 { 0 } else { self.batch_stride? };
        (inner..=EXTENT_MAX).contains(&line).then_some(library::Side { is_across, line, batch })
    }

    /// True if the matrix can be read in vectors, along its terms or across them.
    fn streams(&self) -> bool {
        self.is_small_float() && matches!((self.row_stride, self.term_stride), (Some(_), Some(1)) | (Some(1), Some(_)))
    }
}

/// The stride that goes through all these dimensions in order, if there is one. One element has every stride.
pub(super) fn single_stride(dimensions: &[(u64, u64)]) -> Option<u64> {
    let mut inner: Option<(u64, u64)> = None;
    for (extent, stride) in dimensions.iter().rev().filter(|(extent, _)| *extent != 1) {
        match inner {
            None => inner = Some((*extent, *stride)),
            Some((count, step)) if count * step == *stride => inner = Some((count * extent, step)),
            Some(_) => return None,
        }
    }
    Some(inner.map_or(1, |(_, step)| step))
}

/// What the skeleton's constants say beside the call.
#[derive(Debug, Clone, Copy)]
struct Choice {
    function: &'static str,
    is_left_small: bool,
    few_rows: u64,
    per_warp: u64,
    team: u64,
    splits: u64,
    /// Blocks along x.
    blocks: u64,
    threads: u32,
    shared_bytes: u32,
    tensor: Tensor,
}

/// Tiles on tensor cores.
#[derive(Debug, Clone, Copy)]
struct Tensor {
    rows: u64,
    columns: u64,
    /// Warps along the rows.
    warp_rows: u64,
    /// Warps along the columns.
    warp_columns: u64,
    /// Terms of a stage.
    terms: u64,
    stages: u64,
}

impl Tensor {
    /// Bytes of a stage: both sides' elements, of two bytes.
    fn stage_bytes(&self) -> u64 {
        (self.rows + self.columns) * self.terms * 2
    }

    /// With as many stages as there is room for and any use of.
    fn with_stages(self) -> Tensor {
        Tensor { stages: (STAGES_BYTES / self.stage_bytes()).min(STAGES_MAX), ..self }
    }

    /// Blocks that a multiprocessor runs at a time, by their shared memory.
    fn resident(&self) -> u64 {
        (MULTIPROCESSOR_BYTES / (self.stages * self.stage_bytes() + RESERVED_BYTES)).min(4)
    }
}

/// What stands in the constants where there are none.
const NO_TENSOR: Tensor = Tensor { rows: 64, columns: 64, warp_rows: 2, warp_columns: 4, terms: 32, stages: 2 };

impl Choice {
    fn of(function: &'static str, blocks: u64, splits: u64) -> Choice {
        Choice {
            function,
            is_left_small: true,
            few_rows: 1,
            per_warp: 1,
            team: 1,
            splits,
            blocks,
            threads: THREADS,
            shared_bytes: 0,
            tensor: NO_TENSOR,
        }
    }
}

fn plan(call: &CallType<'_>) -> CudaPlan {
    let of = |name| dimensions(call.attributes, name);
    let (lhs, rhs, output) = (call.inputs[0], call.inputs[1], call.outputs[0]);
    let batch = of("lhs_batch");
    let batches: u64 = batch.iter().map(|dimension| lhs.shape[*dimension]).product();
    let left = Side::new(lhs, &batch, &of("lhs_contract"));
    let right = Side::new(rhs, &of("rhs_batch"), &of("rhs_contract"));
    let sum = sum_kind([lhs.dtype, rhs.dtype], output.dtype);
    let elements = output.element_count() as u64;
    let choice = match elements {
        0 => Choice::of("clear", 0, 1),
        _ => choose(&left, &right, sum, batches),
    };
    // Counters are those of a tile of one batch.
    let choice = if batches > GRID_MAX { Choice { splits: 1, ..choice } } else { choice };
    let stride = |stride: Option<u64>| stride.map_or(-1, |stride| stride as i64);
    let constants = vec![
        ("ACC", sum),
        ("OUT_BITS", i64::from(output.dtype.bits())),
        ("BATCHES", batches as i64),
        ("ROWS", left.rows as i64),
        ("COLUMNS", right.rows as i64),
        ("TERMS", left.terms as i64),
        ("LHS_ROW_STRIDE", stride(left.row_stride)),
        ("LHS_TERM_STRIDE", stride(left.term_stride)),
        ("RHS_ROW_STRIDE", stride(right.row_stride)),
        ("RHS_TERM_STRIDE", stride(right.term_stride)),
        ("IS_LEFT_SMALL", i64::from(choice.is_left_small)),
        ("FEW_ROWS", choice.few_rows as i64),
        ("PER_WARP", choice.per_warp as i64),
        ("TEAM", choice.team as i64),
        ("SPLITS", choice.splits as i64),
        ("TILE_ROWS", choice.tensor.rows as i64),
        ("TILE_COLUMNS", choice.tensor.columns as i64),
        ("WARP_ROWS", choice.tensor.warp_rows as i64),
        ("WARP_COLUMNS", choice.tensor.warp_columns as i64),
        ("TERM_WARPS", 1),
        ("STAGE_TERMS", choice.tensor.terms as i64),
        ("STAGES", choice.tensor.stages as i64),
    ];
    if elements == 0 {
        return CudaPlan { constants, ..CudaPlan::default() };
    }
    if left.terms == 0 {
        let clear = over_elements("clear", elements, vec![CudaOperand::Output(0)]);
        return CudaPlan { constants, steps: clear.into_iter().collect(), ..CudaPlan::default() };
    }
    let sums = match choice.function {
        "tile" => choice.blocks * batches * TILE * TILE,
        "tensor" => choice.blocks * batches * choice.tensor.rows * choice.tensor.columns,
        _ => elements,
    };
    let scratch = if choice.splits > 1 { choice.splits * sums * sum_bytes(sum) } else { 0 };
    let inputs = if choice.is_left_small { [0, 1] } else { [1, 0] };
    let operands = [CudaOperand::Output(0), CudaOperand::Input(inputs[0]), CudaOperand::Input(inputs[1])];
    let steps = vec![CudaStep {
        function: choice.function.into(),
        grid: [choice.blocks as u32, batches.min(GRID_MAX) as u32, choice.splits as u32],
        block: [choice.threads, 1, 1],
        shared_bytes: choice.shared_bytes,
        operands: operands.into_iter().chain([CudaOperand::Scratch(0), CudaOperand::Counters]).collect(),
        resident: 1,
        waits: matches!(choice.function, "along" | "across"),
    }];
    let library = library(&left, &right, sum, batches, output.dtype);
    let counters = if choice.splits > 1 { choice.blocks * batches } else { 0 };
    CudaPlan { constants, scratch: vec![scratch], counters, steps, library, ..CudaPlan::default() }
}

/// Rows of either side from which on a library's tiles are worth it; fewer read the other side once, as own kernels do it best.
const LIBRARY_ROWS: u64 = 64;

/// The call as libraries know products.
fn library(left: &Side, right: &Side, sum: i64, batches: u64, output: DType) -> CudaLibrary {
    let dtype = left.dtype;
    if sum != 0 || right.dtype != dtype || !left.is_small_float() || (output != dtype && output != DType::F32) {
        return CudaLibrary::Refused("its types are not those of a library's products");
    }
    if left.rows.min(right.rows) < LIBRARY_ROWS {
        return CudaLibrary::Refused("it has few rows");
    }
    let sides = [left, right].map(|side| side.as_library_knows_it(batches));
    let ([Some(left_side), Some(right_side)], true) =
        (sides, [batches, left.rows, right.rows, left.terms].iter().all(|extent| *extent <= EXTENT_MAX))
    else {
        return CudaLibrary::Refused("its matrices do not lie as a library takes them");
    };
    CudaLibrary::Product(Product {
        dtype,
        output,
        batches,
        rows: left.rows,
        columns: right.rows,
        terms: left.terms,
        left: left_side,
        right: right_side,
    })
}

fn choose(left: &Side, right: &Side, sum: i64, batches: u64) -> Choice {
    let is_left_small = left.rows <= right.rows;
    let (small, big) = if is_left_small { (left, right) } else { (right, left) };
    let is_along = big.term_stride == Some(1);
    let has_tensors = sum == 0 && left.dtype == right.dtype && matches!(left.dtype, DType::Bf16 | DType::F16);
    let most = if !has_tensors {
        FEW_ROWS_MAX
    } else if is_along {
        FEW_ROWS_ALONG
    } else {
        1
    };
    if sum == 0 && small.is_small_float() && small.rows <= most && big.streams() {
        let choice = if is_along { along(small, big, batches) } else { across(small, big, batches) };
        return Choice { is_left_small, ..choice };
    }
    if has_tensors {
        return tensor(left, right, batches);
    }
    let tiles = left.rows.div_ceil(TILE) * right.rows.div_ceil(TILE);
    let splits = (BUSY_TILES / (tiles * batches).max(1)).min(left.terms / 512).clamp(1, 16);
    Choice::of("tile", tiles, splits)
}

/// Bytes of all stages of a block: two blocks share a multiprocessor.
const STAGES_BYTES: u64 = 96 << 10;
/// More stages hide nothing more.
const STAGES_MAX: u64 = 4;
/// Shared memory of a multiprocessor, and what it keeps for itself of each block's.
const MULTIPROCESSOR_BYTES: u64 = 227 << 10;
const RESERVED_BYTES: u64 = 1 << 10;
/// Rows of a side that one tile takes whole, so that the other side is read once.
const NARROW_ROWS: u64 = 64;

/// Tiles on tensor cores, narrow where one side is; blocks share the terms where there are few tiles.
fn tensor(left: &Side, right: &Side, batches: u64) -> Choice {
    let tensor = if left.rows.min(right.rows) <= NARROW_ROWS {
        narrow(left, right, batches)
    } else {
        wide(left, right, batches)
    };
    let tiles = left.rows.div_ceil(tensor.rows) * right.rows.div_ceil(tensor.columns);
    let splits = tensor.resident() * BUSY_TILES / (tiles * batches).max(1);
    let splits = splits.min(left.terms / (4 * tensor.terms)).clamp(1, 32);
    let threads = 32 * (tensor.warp_rows * tensor.warp_columns) as u32;
    let shared_bytes = (tensor.stages * tensor.stage_bytes()) as u32;
    Choice { tensor, threads, shared_bytes, ..Choice::of("tensor", tiles, splits) }
}

/// A tile that takes all of the small side. Measured on an H100, 32 rows: lines of 256 bytes of the big side, in tiles of 64 rows, or of 32
/// where those are few, read it at 1.8 TB/s (34 MB) to 2.8 (1 GB); lines of 64 bytes in tiles of 128 rows at 0.7 to 1.9.
fn narrow(left: &Side, right: &Side, batches: u64) -> Tensor {
    let is_left_small = left.rows <= right.rows;
    let (small, big) = if is_left_small { (left, right) } else { (right, left) };
    let few = [16, 32].into_iter().find(|few| small.rows <= *few).unwrap_or(NARROW_ROWS);
    let is_along = big.term_stride == Some(1);
    let many = if is_along && big.rows.div_ceil(64) * batches < 2 * BUSY_TILES { 32 } else { 64 };
    let terms = [128, 64].into_iter().find(|terms| 4 * terms <= big.terms).unwrap_or(32);
    let (few_warps, many_warps) = (few.min(32) / 16, many / 16);
    let tensor = if is_left_small {
        Tensor { rows: few, columns: many, warp_rows: few_warps, warp_columns: many_warps, terms, stages: 1 }
    } else {
        Tensor { rows: many, columns: few, warp_rows: many_warps, warp_columns: few_warps, terms, stages: 1 }
    };
    tensor.with_stages()
}

fn wide(left: &Side, right: &Side, batches: u64) -> Tensor {
    let tiles = left.rows.div_ceil(128) * right.rows.div_ceil(128) * batches;
    let edge = if tiles >= BUSY_TILES { 128 } else { 64 };
    let terms = if left.terms >= 256 { 64 } else { 32 };
    Tensor { rows: edge, columns: edge, warp_rows: 2, warp_columns: 4, terms, stages: 1 }.with_stages()
}

/// Rows of the small side at a time: as even parts as fit in registers.
fn few_rows(small: &Side, most: u64) -> u64 {
    small.rows.div_ceil(small.rows.div_ceil(most))
}

/// The warps of a block fold rows of the big matrix, together if rows are long.
fn along(small: &Side, big: &Side, batches: u64) -> Choice {
    let few_rows = few_rows(small, 8);
    let chunks = small.rows.div_ceil(few_rows);
    let vector = 16 / big.dtype.size_bytes() as u64;
    // Rows of the small side are loaded for each row of the big one.
    let per_warp = if big.rows * batches >= 2 * BUSY_WARPS && few_rows <= 4 { 2 } else { 1 };
    let warps = big.rows.div_ceil(per_warp) * batches * chunks;
    let useful = (big.terms / (32 * vector)).max(1);
    let team = [4, 2].into_iter().find(|team| *team <= useful).unwrap_or(1);
    let splits = (BUSY_WARPS / (warps * team)).min(useful / team / 2).clamp(1, 16);
    let blocks = big.rows.div_ceil(per_warp * (ALONG_WARPS / team)) * chunks;
    Choice { few_rows, per_warp, team, threads: 32 * ALONG_WARPS as u32, ..Choice::of("along", blocks, splits) }
}

/// Threads own rows of the big matrix, and blocks share its terms.
fn across(small: &Side, big: &Side, batches: u64) -> Choice {
    let few_rows = few_rows(small, if big.dtype == DType::F32 { 8 } else { 4 });
    let vector = 16 / big.dtype.size_bytes() as u64;
    let blocks = big.rows.div_ceil(8 * vector) * small.rows.div_ceil(few_rows);
    let splits = (BUSY_WARPS / 4 / (blocks * batches).max(1)).min(big.terms / 256).clamp(1, 64);
    Choice { few_rows, ..Choice::of("across", blocks, splits) }
}
