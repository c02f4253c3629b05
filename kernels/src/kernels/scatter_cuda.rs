//! How `scatter` is launched on a GPU.

use super::{
    call::{dimensions, int},
    layout::strides,
};
use crate::{
    cuda::{CudaDef, CudaOperand, CudaPlan, CudaStep, THREADS, over_elements},
    manifest::CallType,
};

/// The definition.
pub(super) const CUDA: CudaDef =
    CudaDef::light(concat!(include_str!("layout.cuh"), include_str!("pack.cuh"), include_str!("scatter.cu")), plan);

/// Threads that go through the updates, at most, where one an element of a window is not enough.
const THREADS_MAX: u64 = 8192;

/// Updates, at most, that are each compared with all later ones.
const REPLACING_MAX: u64 = 2048;
/// Elements of an update, at least, for which a block is worth it.
const REPLACED_MIN: u64 = 32;

/// True if an update puts its element in the place of what is there, whatever that is.
fn replaces(call: &CallType<'_>, count: usize) -> bool {
    let [body] = call.bodies else { return false };
    count == 1 && body.outputs == [1] && call.inputs[2].dtype == call.outputs[0].dtype
}

fn plan(call: &CallType<'_>) -> CudaPlan {
    let count = call.outputs.len();
    let (operand, indices, update) = (call.outputs[0], call.inputs[count], call.inputs[count + 1]);
    let of = |name| dimensions(call.attributes, name);
    let (window_dims, inserted, batching) =
        (of("update_window_dims"), of("inserted_window_dims"), of("input_batching_dims"));
    let map = of("scatter_dims_to_operand_dims");
    let vector = int(call.attributes, "index_vector_dim") as usize;
    let (index_strides, update_strides) = (strides(indices.shape), strides(update.shape));

    let rank = operand.shape.len();
    let (mut extents, mut window_strides, mut is_bound) = (vec![1; rank], vec![0; rank], vec![0; rank]);
    let windowed = (0..rank).filter(|dimension| !inserted.contains(dimension) && !batching.contains(dimension));
    for (dimension, of) in windowed.zip(&window_dims) {
        extents[dimension] = update.shape[*of] as i64;
        window_strides[dimension] = update_strides[*of] as i64;
        is_bound[dimension] = i64::from(map.contains(&dimension));
    }
    let outside = |dimension: &usize| !window_dims.contains(dimension);
    let batch: Vec<usize> = (0..update.shape.len()).filter(outside).collect();
    let batch_extents: Vec<i64> = batch.iter().map(|dimension| update.shape[*dimension] as i64).collect();
    let batch_strides = batch.iter().map(|dimension| update_strides[*dimension] as i64).collect();
    let index_dims = (0..indices.shape.len()).filter(|dimension| *dimension != vector);
    let index_strides_of_batch = index_dims.map(|dimension| index_strides[dimension] as i64).collect();
    let product = |bound: i64| -> u64 {
        extents.iter().zip(&is_bound).filter(|(_, of)| **of == bound).map(|(extent, _)| *extent as u64).product()
    };
    let (free, bound, batches) = (product(0), product(1), batch_extents.iter().product::<i64>() as u64);
    let classes = (batches * bound / 4).min(THREADS_MAX / free.max(1)).max(1);

    let constants = vec![
        ("COUNT", count as i64),
        ("FREE", free as i64),
        ("BOUND", bound as i64),
        ("BATCH_COUNT", batches as i64),
        ("BATCH_RANK", batch.len() as i64),
        ("CLASSES", classes as i64),
        ("COMPONENT_STRIDE", index_strides.get(vector).map_or(0, |stride| *stride as i64)),
    ];
    let lists = vec![
        ("WINDOW_EXTENTS", extents),
        ("WINDOW_STRIDES", window_strides),
        ("IS_BOUND", is_bound),
        ("BATCH_EXTENTS", batch_extents),
        ("BATCH_STRIDES", batch_strides),
        ("INDEX_STRIDES", index_strides_of_batch),
    ];
    let elements = operand.element_count() as u64;
    let outputs: Vec<CudaOperand> = (0..count).map(CudaOperand::Output).collect();
    let operands = (0..count).map(CudaOperand::Input);
    let is_there = call.in_place[..count].iter().all(|is_there| *is_there);
    let copied = if is_there { 0 } else { elements };
    let mut steps: Vec<_> =
        over_elements("copy", copied, outputs.iter().copied().chain(operands).collect()).into_iter().collect();
    if elements > 0 && update.element_count() > 0 {
        let updates = (count + 1..2 * count + 1).map(CudaOperand::Input);
        let all = std::iter::once(CudaOperand::Input(count)).chain(outputs).chain(updates).collect();
        if bound == 1 && replaces(call, count) && batches <= REPLACING_MAX && free >= REPLACED_MIN {
            let block = [THREADS, 1, 1];
            let function = "replace".into();
            let grid = [batches as u32, 1, 1];
            steps.push(CudaStep { function, grid, block, shared_bytes: 0, operands: all, resident: 1, waits: false });
            return CudaPlan { constants, lists, steps, ..CudaPlan::default() };
        }
        // Each thread has its element: the grid is as large as it must be.
        let mut step = over_elements("scatter", free * classes, all);
        step.iter_mut().for_each(|step| step.grid[0] = (free * classes).div_ceil(u64::from(step.block[0])) as u32);
        steps.extend(step);
    }
    CudaPlan { constants, lists, steps, ..CudaPlan::default() }
}
