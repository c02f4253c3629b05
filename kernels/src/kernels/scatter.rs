//! `scatter`: combines windows of updates into copies of the operands, with StableHLO's dimension numbers.
//!
//! Inputs: n operands, scatter indices, n updates. The body takes n current elements and n updates and gives n elements.
//! Updates are applied in the order of their positions; elements of a window that fall outside are skipped.
//! Where an operand lies in its output already, only the updates are written.

use super::{
    call::{check_body, check_dimensions, check_index_type, check_type, dimensions, int_attr, ints_attr, prepared},
    gather::{Starts, check_index_map},
    layout::Counter,
};
use crate::{
    manifest::{AttrDef, Call, CallType, InPlace, KernelDef, KernelError},
    scalar::{LANES_MAX, PreparedBody, Registers},
    tensor::{TensorMut, TensorRef, TensorType},
};

/// The definition.
pub static KERNEL: KernelDef = KernelDef {
    name: "scatter",
    summary: "Combines windows of updates into the operands, in order; what falls outside is skipped",
    attributes: ATTRIBUTES,
    body_count: 1,
    in_place: InPlace::Each,
    strided: &[0],
    takes_stages: false,
    check,
    reference,
    cuda: super::scatter_cuda::CUDA,
};

const ATTRIBUTES: &[AttrDef] = &[
    ints_attr("update_window_dims", "dimensions of the updates that run through a window"),
    ints_attr("inserted_window_dims", "operand dimensions that windows lack"),
    ints_attr("input_batching_dims", "operand dimensions that go with dimensions of the indices"),
    ints_attr("scatter_indices_batching_dims", "those dimensions of the indices"),
    ints_attr("scatter_dims_to_operand_dims", "operand dimension of each component of a start"),
    int_attr("index_vector_dim", "dimension of the indices that holds a start's components; their rank if none"),
];

const MAP_NAMES: [&str; 3] = ["scatter_dims_to_operand_dims", "input_batching_dims", "scatter_indices_batching_dims"];

fn check(call: &CallType<'_>) -> Result<(), String> {
    let count = call.outputs.len();
    if count == 0 || call.inputs.len() != 2 * count + 1 {
        return Err(format!(
            "takes n operands, indices and n updates for n outputs, not {} for {count}",
            call.inputs.len()
        ));
    }
    let (operands, indices, updates) = (&call.inputs[..count], call.inputs[count], &call.inputs[count + 1..]);
    check_index_type("the scatter indices", indices.dtype)?;
    let operand = operands[0].shape;
    let rank = operand.len();
    let batch = check_index_map(call, indices.shape, operand, MAP_NAMES)?;
    let inserted = check_dimensions(call.attributes, "inserted_window_dims", rank)?;
    let batching = check_dimensions(call.attributes, "input_batching_dims", rank)?;
    if inserted.iter().any(|dimension| batching.contains(dimension)) {
        return Err("an operand dimension is both inserted and batching".to_string());
    }
    let update = updates[0].shape;
    let window = check_dimensions(call.attributes, "update_window_dims", update.len())?;
    let windowed = rank - inserted.len() - batching.len();
    let extents: Vec<u64> =
        (0..update.len()).filter(|dimension| !window.contains(dimension)).map(|dimension| update[dimension]).collect();
    if window.len() != windowed || !window.is_sorted() || extents != batch {
        return Err(format!(
            "updates of {update:?} with update_window_dims {window:?} do not fit windows of {windowed} dimensions for {batch:?} indices"
        ));
    }
    let types: Vec<_> = operands.iter().map(|operand| operand.dtype).collect();
    for (idx, dtype) in types.iter().enumerate() {
        check_type(&format!("operand {idx}"), operands[idx], *dtype, operand)?;
        check_type(&format!("update {idx}"), updates[idx], *dtype, update)?;
        check_type(&format!("output {idx}"), call.outputs[idx], *dtype, operand)?;
    }
    if count > 1 && call.outputs.iter().any(|output| output.strides.is_some()) {
        return Err("several operands have one layout".to_string());
    }
    let inputs: Vec<_> = types.iter().chain(&types).copied().collect();
    check_body("the body", &call.bodies[0], &inputs, &types)
}

fn reference(call: &Call<'_>, outputs: &mut [TensorMut<'_>]) -> Result<(), KernelError> {
    let count = outputs.len();
    for (operand, output) in call.inputs.iter().zip(outputs.iter_mut()) {
        if !operand.bytes.is_empty() {
            output.bytes.copy_from_slice(operand.bytes);
        }
    }
    let updates = &call.inputs[count + 1..];
    if updates[0].bytes.is_empty() || outputs[0].bytes.is_empty() {
        return Ok(());
    }
    let starts = Starts::new(call, count, MAP_NAMES);
    let geometry = Geometry::new(call, outputs[0].ty, updates[0].ty);
    let body = prepared(&call.bodies[0]);
    let mut registers = body.registers(geometry.window_elements().min(LANES_MAX));
    let mut lanes = Vec::with_capacity(LANES_MAX);
    let mut start = vec![0; geometry.extents.len()];
    let mut counter = Counter::new(starts.batch_extents.clone());
    loop {
        starts.start(&counter.index, &mut start);
        let first = counter.index.iter().zip(&geometry.batch_strides).map(|(index, stride)| index * stride).sum();
        geometry.for_elements(&start, first, |target, source| {
            lanes.push((target, source));
            if lanes.len() == LANES_MAX {
                apply(&body, &mut registers, updates, outputs, &lanes);
                lanes.clear();
            }
        });
        // Within one window no element comes twice, so its lanes are independent; the next window's may not be.
        apply(&body, &mut registers, updates, outputs, &lanes);
        lanes.clear();
        if !counter.advance() {
            return Ok(());
        }
    }
}

/// Where the elements of a window lie among the updates and in the operand.
struct Geometry {
    /// Extents of the operand.
    extents: Vec<usize>,
    operand_strides: Vec<usize>,
    /// Strides of the updates' dimensions outside of windows.
    batch_strides: Vec<usize>,
    /// Operand dimension, extent in the window and stride among the updates.
    window: Vec<(usize, usize, usize)>,
}

impl Geometry {
    fn new(call: &Call<'_>, operand: TensorType<'_>, update: TensorType<'_>) -> Geometry {
        let (operand_strides, update_strides) = (operand.strides(), update.strides());
        let (operand, update) = (operand.shape, update.shape);
        let window_dimensions = dimensions(call.attributes, "update_window_dims");
        let dropped: Vec<usize> = ["inserted_window_dims", "input_batching_dims"]
            .iter()
            .flat_map(|name| dimensions(call.attributes, name))
            .collect();
        let windowed = (0..operand.len()).filter(|dimension| !dropped.contains(dimension));
        Geometry {
            extents: operand.iter().map(|extent| *extent as usize).collect(),
            operand_strides,
            batch_strides: (0..update.len())
                .filter(|dimension| !window_dimensions.contains(dimension))
                .map(|dimension| update_strides[dimension])
                .collect(),
            window: windowed
                .zip(&window_dimensions)
                .map(|(dimension, of)| (dimension, update[*of] as usize, update_strides[*of]))
                .collect(),
        }
    }

    fn window_elements(&self) -> usize {
        self.window.iter().map(|(_, extent, _)| extent).product()
    }

    /// Calls `visit` with the operand's and the updates' element for every element of a window that falls inside.
    fn for_elements(&self, start: &[i64], first: usize, mut visit: impl FnMut(usize, usize)) {
        let inside = |dimension: usize, position: i64| position >= 0 && position < self.extents[dimension] as i64;
        let is_windowed = |dimension: usize| self.window.iter().any(|(of, ..)| *of == dimension);
        let mut base = 0;
        for (dimension, position) in start.iter().enumerate() {
            if is_windowed(dimension) {
                continue;
            }
            if !inside(dimension, *position) {
                return;
            }
            base += *position as usize * self.operand_strides[dimension];
        }
        let mut counter = Counter::new(self.window.iter().map(|(_, extent, _)| *extent).collect());
        loop {
            let (mut target, mut source, mut falls_inside) = (base, first, true);
            for (index, (dimension, _, stride)) in counter.index.iter().zip(&self.window) {
                let position = start[*dimension].saturating_add(*index as i64);
                falls_inside &= inside(*dimension, position);
                source += index * stride;
                target = target.wrapping_add((position as usize).wrapping_mul(self.operand_strides[*dimension]));
            }
            if falls_inside {
                visit(target, source);
            }
            if !counter.advance() {
                return;
            }
        }
    }
}

/// Runs the body on current elements and updates, and stores what it gives.
fn apply(
    body: &PreparedBody,
    registers: &mut Registers,
    updates: &[TensorRef<'_>],
    outputs: &mut [TensorMut<'_>],
    lanes: &[(usize, usize)],
) {
    if lanes.is_empty() {
        return;
    }
    let count = updates.len();
    for (idx, update) in updates.iter().enumerate() {
        let size = update.ty.dtype.size_bytes();
        load(size, outputs[idx].bytes, lanes.iter().map(|lane| lane.0), body.input_mut(registers, idx));
        load(size, update.bytes, lanes.iter().map(|lane| lane.1), body.input_mut(registers, count + idx));
    }
    body.run(registers, lanes.len());
    for (idx, output) in outputs.iter_mut().enumerate() {
        let size = output.ty.dtype.size_bytes();
        let results: &[u8] = bytemuck::cast_slice(body.output(registers, idx));
        for ((target, _), result) in lanes.iter().zip(results.chunks_exact(size)) {
            output.bytes[target * size..(target + 1) * size].copy_from_slice(result);
        }
    }
}

fn load(size: usize, bytes: &[u8], elements: impl Iterator<Item = usize>, register: &mut [u128]) {
    let register: &mut [u8] = bytemuck::cast_slice_mut(register);
    for (lane, element) in register.chunks_exact_mut(size).zip(elements) {
        lane.copy_from_slice(&bytes[element * size..(element + 1) * size]);
    }
}
