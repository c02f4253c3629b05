//! How `convolution` is launched on a GPU.

use pygraph_artifact::{dtype::DType, plan::KernelAttr};

use super::{
    call::{dimensions, int, ints},
    contract_cuda::{single_stride, sum_bytes, sum_kind},
    convolution::IN_ORDER_MAX,
    layout::strides,
};
use crate::{
    cuda::{CudaDef, CudaOperand, CudaPlan, CudaStep, GRID_MAX, MULTIPROCESSORS, THREADS, over_elements},
    manifest::CallType,
    tensor::TensorType,
};

/// The definition.
pub(super) const CUDA: CudaDef = CudaDef { has_epilogue: true, ..CudaDef::new(SOURCE, plan) };

const SOURCE: &str = concat!(
    include_str!("layout.cuh"),
    include_str!("product.cuh"),
    include_str!("fragments.cuh"),
    include_str!("tensor.cuh"),
    include_str!("convolution.cu"),
    include_str!("convolution_tensor.cu")
);

/// Rows and columns of a tile that is not on tensor cores, and terms of a split below which another does not pay.
const TILE: u64 = 64;
const TILE_SPLIT_TERMS: u64 = 64;
/// Features of a group up to which tiles would be mostly empty.
const FEW_FEATURES: u64 = 4;

/// Blocks that keep a card busy. With no more, kernels may also start before those before them have ended.
const BUSY_BLOCKS: u64 = MULTIPROCESSORS;
/// Tiles on tensor cores, in eight warps of 32 by 32 sums or less. Of equally fast ones the first is taken.
const TENSOR_TILES: [Tensor; 6] = [
    Tensor { features: 128, windows: 64, warps: [4, 2, 1] },
    Tensor { features: 64, windows: 128, warps: [2, 4, 1] },
    Tensor { features: 64, windows: 64, warps: [2, 2, 2] },
    Tensor { features: 32, windows: 128, warps: [1, 4, 2] },
    Tensor { features: 32, windows: 64, warps: [1, 2, 4] },
    Tensor { features: 16, windows: 128, warps: [1, 4, 2] },
];
/// Terms of a stage, and bytes of all stages: with two blocks on a multiprocessor, one of them that of the next kernel.
const STAGE_TERMS: u64 = 64;
const STAGES_BYTES: u64 = 64 << 10;
/// Stages, at most.
const STAGES_MAX: u64 = 4;
/// Steps before its own in which a thread loads what it gathers by element.
const LOADS_AHEAD: u64 = 2;
/// Splits of the terms, at most, and steps of a split, at least.
const SPLITS_MAX: u64 = 16;
const SPLIT_STEPS_MIN: u64 = 2;
/// Estimated clock cycles: of a block whatever it does, of a step whatever its tile, of a term of a sum, of an element that is copied with its neighbours and of one that is gathered
/// alone; of adding up splits whatever the tile, of adding up one sum of a split, and of storing a sum.
const BLOCK_CYCLES: f64 = 600.0;
const STEP_CYCLES: f64 = 120.0;
const TERM_CYCLES: f64 = 0.001;
const COPY_CYCLES: f64 = 0.008;
const GATHER_CYCLES: f64 = 0.035;
const SPLIT_CYCLES: f64 = 1200.0;
const PART_CYCLES: f64 = 0.06;
const SUM_CYCLES: f64 = 0.15;

/// A tile on tensor cores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tensor {
    features: u64,
    windows: u64,
    /// Warps along the features, along the windows, and that share the terms of the same sums.
    warps: [u64; 3],
}

impl Tensor {
    fn sums(self) -> u64 {
        self.features * self.windows
    }

    /// Tiles of a call.
    fn count(self, of: &Extents) -> u64 {
        of.features.div_ceil(self.features) * of.rows.div_ceil(self.windows) * of.groups
    }

    /// Bytes of a stage: both sides' elements, of two bytes.
    fn stage_bytes(self) -> u64 {
        (self.features + self.windows) * STAGE_TERMS * 2
    }

    fn stages(self) -> u64 {
        (STAGES_BYTES / self.stage_bytes()).min(STAGES_MAX)
    }

    /// Shared memory: of the stages, and behind them of the sums of all groups of warps, as the skeleton lays them out.
    fn shared_bytes(self, layout: &Layout) -> u64 {
        let (inner, outer) = match layout.features_together {
            true => (self.features, self.windows),
            false => (self.windows, self.features),
        };
        let sums = self.warps[2] * outer * (inner + 8) * 4;
        sums.max(self.stages() * self.stage_bytes())
    }
}

/// What is multiplied and summed.
#[derive(Debug, Clone, Copy)]
struct Extents {
    /// Windows of all images of a group.
    rows: u64,
    /// Windows of an image.
    windows: u64,
    /// Elements of a window.
    terms: u64,
    /// Output features of a group.
    features: u64,
    /// Groups of features or images.
    groups: u64,
}

impl Extents {
    fn of(call: &CallType<'_>) -> Extents {
        let of = |name| dimensions(call.attributes, name);
        let (kernel, output) = (call.inputs[1], call.outputs[0]);
        let (kernel_dims, output_dims) = (of("kernel_dims"), of("output_dims"));
        let windows: u64 = output_dims[2..].iter().map(|dimension| output.shape[*dimension]).product();
        let window = kernel_dims[2..].iter().map(|dimension| kernel.shape[*dimension]).product::<u64>();
        let groups = (int(call.attributes, "feature_group_count") * int(call.attributes, "batch_group_count")) as u64;
        Extents {
            rows: windows * output.shape[output_dims[0]],
            windows,
            terms: window * kernel.shape[kernel_dims[0]],
            features: kernel.shape[kernel_dims[1]] / groups,
            groups,
        }
    }
}

/// Which of the skeleton's functions, on how many blocks.
#[derive(Debug, Clone, Copy)]
struct Choice {
    function: &'static str,
    /// Blocks along x, which are tiles of a group, where the function has any.
    tiles: u64,
    /// Sums of a tile.
    sums: u64,
    splits: u64,
    tensor: Tensor,
}

fn plan(call: &CallType<'_>) -> CudaPlan {
    let (input, kernel, output) = (call.inputs[0], call.inputs[1], call.outputs[0]);
    let extents = Extents::of(call);
    let sum = sum_kind([input.dtype, kernel.dtype], output.dtype);
    let types = [input.dtype, kernel.dtype, output.dtype];
    let is_in_order = extents.terms <= IN_ORDER_MAX && types == [DType::F32; 3];
    let layout = Layout::of(call, &extents);
    let choice = choose(call, &extents, &layout, sum, is_in_order);
    let elements = output.element_count() as u64;
    let constants = vec![
        ("ACC", sum),
        ("OUT_BITS", i64::from(output.dtype.bits())),
        ("ROWS", extents.rows as i64),
        ("WINDOWS", extents.windows.max(1) as i64),
        ("TERMS", extents.terms as i64),
        ("IS_IN_ORDER", i64::from(is_in_order)),
        ("SPLITS", choice.splits as i64),
        ("TILE_ROWS", choice.tensor.features as i64),
        ("TILE_COLUMNS", choice.tensor.windows as i64),
        ("WARP_ROWS", choice.tensor.warps[0] as i64),
        ("WARP_COLUMNS", choice.tensor.warps[1] as i64),
        ("TERM_WARPS", choice.tensor.warps[2] as i64),
        ("STAGE_TERMS", STAGE_TERMS as i64),
        ("STAGES", choice.tensor.stages() as i64),
        ("LOADS_AHEAD", LOADS_AHEAD as i64),
        ("FEATURES_LAST", i64::from(layout.features_last)),
        ("KERNEL_TERM_STRIDE", layout.kernel_term_stride.map_or(-1, |stride| stride as i64)),
        ("KERNEL_IS_WHOLE", i64::from(layout.kernel_is_whole)),
        ("INPUT_IS_ALONG", i64::from(layout.input_is_along)),
        ("INPUT_PIECE_BYTES", layout.input_piece_bytes),
        ("OUTPUT_WINDOW_STRIDE", layout.output_window_stride.map_or(-1, |stride| stride as i64)),
        ("OUTPUT_RUN", layout.output_run),
        ("FEATURES_TOGETHER", i64::from(layout.features_together)),
    ];
    let operands = vec![CudaOperand::Output(0), CudaOperand::Input(0), CudaOperand::Input(1)];
    let mut plan = CudaPlan { constants, ..CudaPlan::default() };
    match choice.function {
        "clear" => plan.steps.extend(over_elements("clear", elements, operands[..1].to_vec())),
        "direct" => plan.steps.extend(over_elements("direct", elements, operands)),
        function => {
            let blocks_y = extents.groups.min(GRID_MAX);
            let (tiles, is_split) = (choice.tiles * extents.groups, choice.splits > 1);
            plan.scratch.push(if is_split { choice.splits * tiles * choice.sums * sum_bytes(sum) } else { 0 });
            plan.counters = if is_split { tiles } else { 0 };
            plan.steps.push(CudaStep {
                function: function.into(),
                grid: [choice.tiles as u32, blocks_y as u32, choice.splits as u32],
                block: [THREADS, 1, 1],
                shared_bytes: if function == "tensor" { choice.tensor.shared_bytes(&layout) as u32 } else { 0 },
                operands: operands.into_iter().chain([CudaOperand::Scratch(0), CudaOperand::Counters]).collect(),
                resident: 1,
                waits: function == "tensor",
            });
        }
    }
    plan
}

fn choose(call: &CallType<'_>, extents: &Extents, layout: &Layout, sum: i64, is_in_order: bool) -> Choice {
    let (input, output) = (call.inputs[0], call.outputs[0]);
    let none = Choice { function: "direct", tiles: 0, sums: 0, splits: 1, tensor: TENSOR_TILES[2] };
    if input.element_count() == 0 || extents.terms == 0 {
        return Choice { function: "clear", ..none };
    }
    if is_in_order || extents.features <= FEW_FEATURES || output.element_count() == 0 {
        return none;
    }
    let is_small_float = matches!(input.dtype, DType::Bf16 | DType::F16) && call.inputs[1].dtype == input.dtype;
    if sum == 0 && is_small_float && extents.groups <= GRID_MAX && fits_tensor(call, extents) {
        return tensor(extents, layout);
    }
    let tiles = extents.rows.div_ceil(TILE) * extents.features.div_ceil(TILE);
    let splits = (BUSY_BLOCKS / (tiles * extents.groups).max(1)).min(extents.terms / TILE_SPLIT_TERMS);
    // Counters are those of a tile of one group.
    let splits = if extents.groups > GRID_MAX { 1 } else { splits.clamp(1, SPLITS_MAX) };
    Choice { function: "tile", tiles, sums: TILE * TILE, splits, ..none }
}

/// True if the input has no gaps, and numbers of elements and of places around the input fit into 32 bits.
fn fits_tensor(call: &CallType<'_>, extents: &Extents) -> bool {
    let list = |name| ints(call.attributes, name);
    let is_dense = list("lhs_dilation").iter().all(|distance| *distance == 1);
    let input = call.inputs[0];
    let (input_strides, input_dims) = (strides(input.shape), dimensions(call.attributes, "input_dims"));
    let (kernel_dims, output_dims) =
        (dimensions(call.attributes, "kernel_dims"), dimensions(call.attributes, "output_dims"));
    let reach: i128 = (0..input_dims.len() - 2)
        .map(|axis| {
            let window =
                call.outputs[0].shape[output_dims[axis + 2]] as i128 * i128::from(list("window_strides")[axis]);
            let element = call.inputs[1].shape[kernel_dims[axis + 2]] as i128 * i128::from(list("rhs_dilation")[axis]);
            let outside = i128::from(list("padding_low")[axis].abs());
            (window + element + outside) * input_strides[input_dims[axis + 2]] as i128
        })
        .sum();
    let counts = [input, call.inputs[1], call.outputs[0]].map(|ty| ty.element_count() as i128);
    let largest = counts.into_iter().chain([i128::from(extents.rows) + 128]).max().unwrap_or(0);
    is_dense && largest + reach < 1 << 31
}

/// The tile and the splits that are estimated to take the least time.
fn tensor(extents: &Extents, layout: &Layout) -> Choice {
    let steps = extents.terms.div_ceil(STAGE_TERMS);
    let mut best: Option<(f64, Choice)> = None;
    for tensor in TENSOR_TILES {
        let tiles = tensor.count(extents);
        let most = (BUSY_BLOCKS / tiles).min(steps / SPLIT_STEPS_MIN).clamp(1, SPLITS_MAX);
        for splits in 1..=most {
            let own_steps = steps.div_ceil(splits);
            // Where steps do not divide, the last splits have none.
            let splits = steps.div_ceil(own_steps);
            let cycles = cycles(tensor, layout, [tiles, splits, own_steps]);
            if best.is_none_or(|(least, _)| cycles < least) {
                let tiles = tiles / extents.groups;
                best = Some((cycles, Choice { function: "tensor", tiles, sums: tensor.sums(), splits, tensor }));
            }
        }
    }
    best.expect("there should be tiles to choose from").1
}

/// What a call of so many tiles, splits and steps of each is estimated to take, in clock cycles.
fn cycles(tensor: Tensor, layout: &Layout, [tiles, splits, steps]: [u64; 3]) -> f64 {
    let element = |is_copied| if is_copied { COPY_CYCLES } else { GATHER_CYCLES };
    let kernel = tensor.features as f64 * element(layout.kernel_is_whole);
    let input = tensor.windows as f64 * element(layout.input_piece_bytes > 0);
    let sums = tensor.sums() as f64;
    let step = STEP_CYCLES + STAGE_TERMS as f64 * (kernel + input + sums * TERM_CYCLES);
    let joined = if splits > 1 { SPLIT_CYCLES + splits as f64 * sums * PART_CYCLES } else { 0.0 };
    let block = BLOCK_CYCLES + steps as f64 * step + sums * SUM_CYCLES;
    (tiles * splits).div_ceil(BUSY_BLOCKS) as f64 * block + joined
}

/// How arrays lie, as the skeleton's constants say it.
#[derive(Debug)]
struct Layout {
    features_last: bool,
    kernel_term_stride: Option<u64>,
    kernel_is_whole: bool,
    input_is_along: bool,
    input_piece_bytes: i64,
    output_window_stride: Option<u64>,
    output_run: i64,
    features_together: bool,
}

/// Elements of a piece.
const PIECE: u64 = 8;
/// Elements that are stored at once.
const RUN: u64 = 4;

impl Layout {
    fn of(call: &CallType<'_>, extents: &Extents) -> Layout {
        let (input, kernel, output) = (call.inputs[0], call.inputs[1], call.outputs[0]);
        let input = ordered(input, call.attributes, "input_dims");
        let kernel = ordered(kernel, call.attributes, "kernel_dims");
        let output = ordered(output, call.attributes, "output_dims");
        let features_last = kernel[2..].iter().all(|(extent, stride)| *extent == 1 || kernel[0].1 < *stride);
        let terms: Vec<(u64, u64)> = match features_last {
            true => kernel[2..].iter().chain(&kernel[..1]).copied().collect(),
            false => kernel[..1].iter().chain(&kernel[2..]).copied().collect(),
        };
        let kernel_term_stride = single_stride(&terms);
        let kernel_is_whole = match kernel_term_stride {
            Some(1) => extents.terms.is_multiple_of(PIECE) && kernel[1].1.is_multiple_of(PIECE),
            Some(stride) => kernel[1].1 == 1 && extents.features.is_multiple_of(PIECE) && stride.is_multiple_of(PIECE),
            None => false,
        };
        let is_multiple = |of: u64| move |(extent, stride): &(u64, u64)| *extent == 1 || stride.is_multiple_of(of);
        let is_along = features_last && input[0].0 > 0 && input[1].1 == 1 && kernel[0].0.is_multiple_of(PIECE);
        let input_is_along = is_along && input[2..].iter().chain(&input[..1]).all(is_multiple(PIECE));
        let together = is_pointwise(call, &input, &kernel) && single_stride(&input[2..]) == Some(1);
        let has_pieces = |of: u64| extents.windows.is_multiple_of(of) && input[..2].iter().all(is_multiple(of));
        let input_piece_bytes = match (input_is_along, together) {
            (true, _) => 16,
            (false, true) if has_pieces(PIECE) => 16,
            (false, true) if has_pieces(PIECE / 2) => 8,
            _ => 0,
        };
        let output_window_stride = single_stride(&output[2..]);
        let features_together = output[1].1 == 1 && output_window_stride != Some(1);
        let has_runs = match features_together {
            true => {
                extents.features.is_multiple_of(RUN) && output[2..].iter().chain(&output[..1]).all(is_multiple(RUN))
            }
            false => output_window_stride == Some(1) && extents.windows.is_multiple_of(RUN),
        };
        Layout {
            features_last,
            kernel_term_stride,
            kernel_is_whole,
            input_is_along,
            input_piece_bytes,
            output_window_stride,
            output_run: if has_runs { RUN as i64 } else { 1 },
            features_together,
        }
    }
}

/// Extents and strides in the order of an attribute.
fn ordered(ty: TensorType<'_>, attributes: &[(String, KernelAttr)], name: &str) -> Vec<(u64, u64)> {
    let strides = strides(ty.shape);
    dimensions(attributes, name).into_iter().map(|dimension| (ty.shape[dimension], strides[dimension] as u64)).collect()
}

/// True if each window is one element, and they are all the elements in order.
fn is_pointwise(call: &CallType<'_>, input: &[(u64, u64)], kernel: &[(u64, u64)]) -> bool {
    let is = |name, value| ints(call.attributes, name).iter().all(|own| *own == value);
    let is_one = kernel[2..].iter().all(|(extent, _)| *extent == 1);
    let is_dense = is("window_strides", 1) && is("padding_low", 0) && is("padding_high", 0);
    is_one && is_dense && is("lhs_dilation", 1) && !input.is_empty()
}
