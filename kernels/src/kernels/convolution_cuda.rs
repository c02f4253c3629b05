//! How `convolution` is launched on a GPU.

use pygraph_artifact::dtype::DType;

use super::{
    call::{dimensions, int},
    contract_cuda::sum_kind,
    convolution::IN_ORDER_MAX,
};
use crate::{
    cuda::{CudaDef, CudaOperand, CudaPlan, CudaStep, THREADS, over_elements},
    manifest::CallType,
};

/// The definition.
pub(super) const CUDA: CudaDef = CudaDef {
    source: concat!(include_str!("layout.cuh"), include_str!("product.cuh"), include_str!("convolution.cu")),
    plan,
    has_epilogue: true,
    has_prologue: false,
};

/// Rows and columns of a tile.
const TILE: u64 = 64;
/// Features of a group up to which tiles would be mostly empty.
const FEW_FEATURES: u64 = 4;
/// Blocks along y of a grid, at most.
const GRID_MAX: u64 = 65535;

fn plan(call: &CallType<'_>) -> CudaPlan {
    let (input, kernel, output) = (call.inputs[0], call.inputs[1], call.outputs[0]);
    let of = |name| dimensions(call.attributes, name);
    let (kernel_dims, output_dims) = (of("kernel_dims"), of("output_dims"));
    let windows: u64 = output_dims[2..].iter().map(|dimension| output.shape[*dimension]).product();
    let rows = windows * output.shape[output_dims[0]];
    let terms = kernel_dims[2..].iter().map(|dimension| kernel.shape[*dimension]).product::<u64>()
        * kernel.shape[kernel_dims[0]];
    let groups = (int(call.attributes, "feature_group_count") * int(call.attributes, "batch_group_count")) as u64;
    let features = kernel.shape[kernel_dims[1]] / groups;
    let types = [input.dtype, kernel.dtype, output.dtype];
    let is_in_order = terms <= IN_ORDER_MAX && types == [DType::F32; 3];
    let constants = vec![
        ("ACC", sum_kind([input.dtype, kernel.dtype], output.dtype)),
        ("OUT_BITS", i64::from(output.dtype.bits())),
        ("ROWS", rows as i64),
        ("WINDOWS", windows.max(1) as i64),
        ("TERMS", terms as i64),
        ("IS_IN_ORDER", i64::from(is_in_order)),
    ];
    let elements = output.element_count() as u64;
    let operands = vec![CudaOperand::Output(0), CudaOperand::Input(0), CudaOperand::Input(1)];
    let step = if input.element_count() == 0 || terms == 0 {
        over_elements("clear", elements, vec![CudaOperand::Output(0)])
    } else if is_in_order || features <= FEW_FEATURES || elements == 0 {
        over_elements("direct", elements, operands)
    } else {
        let tiles = rows.div_ceil(TILE) * features.div_ceil(TILE);
        let grid = [tiles as u32, groups.min(GRID_MAX) as u32, 1];
        Some(CudaStep {
            function: "tile".into(),
            grid,
            block: [THREADS, 1, 1],
            shared_bytes: 0,
            operands,
            waits: false,
        })
    };
    CudaPlan { constants, steps: step.into_iter().collect(), ..CudaPlan::default() }
}
