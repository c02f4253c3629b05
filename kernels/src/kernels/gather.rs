//! `gather`: a slice of the operand for every start index, with StableHLO's dimension numbers.
//!
//! Inputs: operand, start indices. Starts are clamped so that slices fit.

use rayon::prelude::*;

use super::{
    call::{
        check_counts, check_dimensions, check_index_type, check_ints, check_type, dimensions, index_values, int,
        int_attr, ints, ints_attr,
    },
    dynamic_slice::unit_elements,
    layout::{Counter, Patch, strides},
};
use crate::{
    cuda::{CudaDef, CudaPlan, all_operands, over_elements},
    manifest::{AttrDef, Call, CallType, InPlace, KernelDef, KernelError},
    tensor::TensorMut,
};

/// The definition.
pub static KERNEL: KernelDef = KernelDef {
    name: "gather",
    summary: "Copies a slice of the operand for every start index; starts are clamped",
    attributes: ATTRIBUTES,
    body_count: 0,
    in_place: InPlace::Never,
    strided: &[],
    takes_stages: false,
    check,
    reference,
    cuda: CudaDef::light(concat!(include_str!("layout.cuh"), include_str!("gather.cu")), plan),
};

/// A thread a word that a slice and the output hold in one piece.
fn plan(call: &CallType<'_>) -> CudaPlan {
    let (operand, output) = (call.inputs[0], call.outputs[0]);
    let offsets = dimensions(call.attributes, "offset_dims");
    let sizes = ints(call.attributes, "slice_sizes");
    let dropped = ["collapsed_slice_dims", "operand_batching_dims"].map(|name| dimensions(call.attributes, name));
    let mut together = 1;
    for (dimension, of) in (0..sizes.len()).rev().zip((0..output.shape.len()).rev()) {
        let is_kept = !dropped.iter().any(|dropped| dropped.contains(&dimension));
        if !is_kept || !offsets.contains(&of) || sizes[dimension] as u64 != operand.shape[dimension] {
            break;
        }
        together *= operand.shape[dimension].max(1);
    }
    let unit = unit_elements(output.dtype, together);
    let step = over_elements("gather", output.element_count() as u64 / unit, all_operands(call));
    CudaPlan { constants: vec![("UNIT", unit as i64)], steps: step.into_iter().collect(), ..CudaPlan::default() }
}

const ATTRIBUTES: &[AttrDef] = &[
    ints_attr("offset_dims", "output dimensions that run through a slice"),
    ints_attr("collapsed_slice_dims", "operand dimensions of slice size 1 that the output lacks"),
    ints_attr("operand_batching_dims", "operand dimensions that go with dimensions of the indices"),
    ints_attr("start_indices_batching_dims", "those dimensions of the indices"),
    ints_attr("start_index_map", "operand dimension of each component of a start"),
    ints_attr("slice_sizes", "extents of a slice, one an operand dimension"),
    int_attr("index_vector_dim", "dimension of the indices that holds a start's components; their rank if none"),
];

/// Bytes of output from which on threads share the work.
const PARALLEL_BYTES: usize = 1 << 20;

fn check(call: &CallType<'_>) -> Result<(), String> {
    check_counts(call, 2, 1)?;
    let (operand, indices, output) = (call.inputs[0], call.inputs[1], call.outputs[0]);
    let rank = operand.shape.len();
    check_index_type("the start indices", indices.dtype)?;
    let sizes = check_ints(call.attributes, "slice_sizes", rank, 0..=i64::MAX)?;
    if let Some(dimension) = (0..rank).find(|dimension| sizes[*dimension] as u64 > operand.shape[*dimension]) {
        return Err(format!("slice_sizes {sizes:?} exceed {:?} in dimension {dimension}", operand.shape));
    }
    let batch_shape = check_indices(call, indices.shape, operand.shape)?;
    let collapsed = check_dimensions(call.attributes, "collapsed_slice_dims", rank)?;
    let batching = check_dimensions(call.attributes, "operand_batching_dims", rank)?;
    if let Some(dimension) = collapsed.iter().chain(&batching).find(|dimension| sizes[**dimension] != 1) {
        return Err(format!("slice_sizes {sizes:?} should be 1 in the dropped dimension {dimension}"));
    }
    if collapsed.iter().any(|dimension| batching.contains(dimension)) {
        return Err("an operand dimension is both collapsed and batching".to_string());
    }
    let offsets = check_dimensions(call.attributes, "offset_dims", output.shape.len())?;
    let kept = kept_dimensions(rank, &collapsed, &batching);
    if offsets.len() != kept.len() || !offsets.is_sorted() || output.shape.len() != kept.len() + batch_shape.len() {
        return Err(format!(
            "offset_dims {offsets:?} do not fit {} kept of {} dimensions",
            kept.len(),
            output.shape.len()
        ));
    }
    let (mut kept, mut batch) = (kept.iter(), batch_shape.iter());
    let shape: Vec<u64> = (0..output.shape.len())
        .filter_map(|dimension| {
            if offsets.contains(&dimension) {
                kept.next().map(|dimension| sizes[*dimension] as u64)
            } else {
                batch.next().copied()
            }
        })
        .collect();
    check_type("the output", output, operand.dtype, &shape)
}

/// Checks how starts are held; gives the extents of the indices without their components.
fn check_indices(call: &CallType<'_>, shape: &[u64], operand: &[u64]) -> Result<Vec<u64>, String> {
    check_index_map(call, shape, operand, ["start_index_map", "operand_batching_dims", "start_indices_batching_dims"])
}

/// As gather and scatter share it: names of the index map, and of both sides' batching dimensions.
pub(super) fn check_index_map(
    call: &CallType<'_>,
    shape: &[u64],
    operand: &[u64],
    [map_name, operand_name, indices_name]: [&str; 3],
) -> Result<Vec<u64>, String> {
    let vector = int(call.attributes, "index_vector_dim");
    if vector < 0 || vector as usize > shape.len() {
        return Err(format!("index_vector_dim is {vector}, the indices have {} dimensions", shape.len()));
    }
    let vector = vector as usize;
    let map = check_dimensions(call.attributes, map_name, operand.len())?;
    let components = shape.get(vector).copied().unwrap_or(1);
    if map.len() as u64 != components {
        return Err(format!("{map_name} has {} entries, starts have {components} components", map.len()));
    }
    let batching = check_dimensions(call.attributes, operand_name, operand.len())?;
    let with = check_dimensions(call.attributes, indices_name, shape.len())?;
    let fits = |(operand_dimension, dimension): (&usize, &usize)| {
        *dimension != vector && operand[*operand_dimension] == shape[*dimension]
    };
    if batching.len() != with.len() || !batching.iter().zip(&with).all(fits) {
        return Err(format!("{operand_name} {batching:?} do not go with {indices_name} {with:?}"));
    }
    if batching.iter().any(|dimension| map.contains(dimension)) {
        return Err(format!("{map_name} names a batching dimension"));
    }
    Ok((0..shape.len()).filter(|dimension| *dimension != vector).map(|dimension| shape[dimension]).collect())
}

fn kept_dimensions(rank: usize, collapsed: &[usize], batching: &[usize]) -> Vec<usize> {
    (0..rank).filter(|dimension| !collapsed.contains(dimension) && !batching.contains(dimension)).collect()
}

/// Where each start is and which operand dimensions it sets.
pub(super) struct Starts {
    values: Vec<i64>,
    /// Stride from one component to the next.
    component_stride: usize,
    /// Stride of each batch dimension.
    batch_strides: Vec<usize>,
    /// Extents of the batch dimensions.
    pub batch_extents: Vec<usize>,
    map: Vec<usize>,
    /// Operand dimension and batch dimension.
    batching: Vec<(usize, usize)>,
}

impl Starts {
    pub(super) fn new(call: &Call<'_>, indices: usize, [map_name, operand_name, indices_name]: [&str; 3]) -> Starts {
        let tensor = &call.inputs[indices];
        let vector = int(call.attributes, "index_vector_dim") as usize;
        let all = strides(tensor.ty.shape);
        let batch: Vec<usize> = (0..tensor.ty.shape.len()).filter(|dimension| *dimension != vector).collect();
        let batch_position = |dimension: usize| dimension - usize::from(dimension > vector);
        let operand_batching = dimensions(call.attributes, operand_name);
        let with = dimensions(call.attributes, indices_name);
        Starts {
            values: index_values(tensor),
            component_stride: all.get(vector).copied().unwrap_or(0),
            batch_strides: batch.iter().map(|dimension| all[*dimension]).collect(),
            batch_extents: batch.iter().map(|dimension| tensor.ty.shape[*dimension] as usize).collect(),
            map: dimensions(call.attributes, map_name),
            batching: operand_batching.into_iter().zip(with.into_iter().map(batch_position)).collect(),
        }
    }

    /// Sets the operand position at which the slice of a batch position starts, unclamped.
    pub(super) fn start(&self, batch: &[usize], start: &mut [i64]) {
        start.fill(0);
        let first: usize = batch.iter().zip(&self.batch_strides).map(|(index, stride)| index * stride).sum();
        for (component, dimension) in self.map.iter().enumerate() {
            start[*dimension] = self.values[first + component * self.component_stride];
        }
        for (dimension, position) in &self.batching {
            start[*dimension] = batch[*position] as i64;
        }
    }
}

fn reference(call: &Call<'_>, outputs: &mut [TensorMut<'_>]) -> Result<(), KernelError> {
    let (operand, output) = (&call.inputs[0], &mut outputs[0]);
    if output.bytes.is_empty() {
        return Ok(());
    }
    let names = ["start_index_map", "operand_batching_dims", "start_indices_batching_dims"];
    let starts = Starts::new(call, 1, names);
    let sizes = ints(call.attributes, "slice_sizes");
    let collapsed = dimensions(call.attributes, "collapsed_slice_dims");
    let kept = kept_dimensions(sizes.len(), &collapsed, &dimensions(call.attributes, "operand_batching_dims"));
    let offsets = dimensions(call.attributes, "offset_dims");
    let (operand_strides, output_strides) = (strides(operand.ty.shape), strides(output.ty.shape));
    let patch = Patch::new(
        operand.ty.dtype.size_bytes(),
        &kept.iter().map(|dimension| sizes[*dimension] as usize).collect::<Vec<_>>(),
        &kept.iter().map(|dimension| operand_strides[*dimension]).collect::<Vec<_>>(),
        &offsets.iter().map(|dimension| output_strides[*dimension]).collect::<Vec<_>>(),
    );
    let batch_dimensions: Vec<usize> =
        (0..output_strides.len()).filter(|dimension| !offsets.contains(dimension)).collect();
    let source = |batch: &[usize], start: &mut [i64]| {
        starts.start(batch, start);
        let clamped = start.iter().zip(operand.ty.shape.iter().zip(sizes));
        let positions = clamped.map(|(start, (extent, size))| (*start).clamp(0, *extent as i64 - size) as usize);
        positions.zip(&operand_strides).map(|(position, stride)| position * stride).sum::<usize>()
    };
    let is_batch_outermost = batch_dimensions.iter().enumerate().all(|(position, dimension)| position == *dimension);
    let slices: usize = starts.batch_extents.iter().product();
    if is_batch_outermost && slices > 1 && output.bytes.len() >= PARALLEL_BYTES {
        let slice_bytes = output.bytes.len() / slices;
        let init = || vec![0; sizes.len()];
        output.bytes.par_chunks_mut(slice_bytes).enumerate().for_each_init(init, |start, (slice, target)| {
            let batch = position(slice, &starts.batch_extents);
            patch.copy(operand.bytes, source(&batch, start), target, 0);
        });
        return Ok(());
    }
    let mut start = vec![0; sizes.len()];
    let mut counter = Counter::new(starts.batch_extents.clone());
    loop {
        let target = counter.index.iter().zip(&batch_dimensions).map(|(index, of)| index * output_strides[*of]).sum();
        patch.copy(operand.bytes, source(&counter.index, &mut start), output.bytes, target);
        if !counter.advance() {
            return Ok(());
        }
    }
}

fn position(mut linear: usize, extents: &[usize]) -> Vec<usize> {
    let mut index = vec![0; extents.len()];
    for (index, extent) in index.iter_mut().zip(extents).rev() {
        *index = linear % extent;
        linear /= extent;
    }
    index
}
