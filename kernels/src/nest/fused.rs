//! Several nests as one launch, row by row, alone or around a product.
//!
//! What a prologue makes is computed whole before the product, into memory of the launch: this device gains the launch by that, and
//! no bytes. (Blocks of a product that make what they read would make it again where a block of rows is read by several.)
//! A product is computed whole before the first row: its blocks depend on all of its shape, and so would its sums. The device
//! that gains nothing by that is this one; a result that nobody else needs lies in memory of the launch.
//! Every stage is prepared as a nest over all rows, so that it computes as it would alone, and run for a block of rows at a
//! time. Blocks depend on the shape alone; each worker has temporaries for one block.

use std::ops::Range;

use pygraph_artifact::plan::{Access, BufferId, Fused, FusedOperand, KernelCall, Nest};
use rayon::prelude::*;

use super::{BLOCK_POINTS, Operand, PreparedNest, Shared};
use crate::{
    manifest::{self, KernelError},
    memory::{Buffer, Bytes, SharedBuffer},
    tensor::TensorType,
    work::PreparedCall,
};

/// The most bytes that the temporaries of one row may take together.
pub const TEMPORARY_BYTES_MAX: u64 = 16 << 20;

/// Fused nests that were checked, ready to run.
#[derive(Debug)]
pub struct PreparedFused {
    rows: u64,
    /// How many rows are run together.
    block_rows: u64,
    places: Vec<Place>,
    prologue: Vec<PreparedNest>,
    kernel: Option<PreparedCall>,
    stages: Vec<Stage>,
}

#[derive(Debug)]
struct Stage {
    nest: PreparedNest,
    /// Parallel points of a row.
    row_points: u64,
}

/// Where an operand's bytes are.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// In a buffer of the program.
    Buffer { number: usize, size_bytes: usize, is_written: bool },
    /// With the worker: so many elements a row, of so many bytes.
    Temporary { row_elements: u64, element_bytes: usize },
    /// With the launch, whole: what its prologue makes, and the result of its kernel.
    Whole { size_bytes: usize },
}

impl Place {
    /// Memory for what lies with the launch.
    fn whole(&self) -> Bytes {
        match self {
            Place::Whole { size_bytes } => Bytes::zeroed(*size_bytes),
            Place::Buffer { .. } | Place::Temporary { .. } => Bytes::default(),
        }
    }
}

/// How many of the first parallel dimensions count these rows; none if no number of them does.
pub fn row_dims(extents: &[u64], reduction_dims: usize, rows: u64) -> Option<usize> {
    let parallel = extents.len().checked_sub(reduction_dims)?;
    let mut count = 1u64;
    for (d, extent) in extents[..parallel].iter().enumerate() {
        if count == rows {
            return Some(d);
        }
        count = count.checked_mul(*extent)?;
    }
    (count == rows).then_some(parallel)
}

/// True if an access of a nest, whose first `row_dims` dimensions count `rows` rows, touches only the part of an array of
/// `elements` elements that belongs to the row: the array has as many equal parts, in order.
pub fn walks_its_row(access: &Access, extents: &[u64], row_dims: usize, rows: u64, elements: u64) -> bool {
    if rows == 0 || !elements.is_multiple_of(rows) || access.strides.len() != extents.len() || extents.contains(&0) {
        return false;
    }
    let row_elements = i128::from(elements / rows);
    let mut step = row_elements;
    for (extent, stride) in extents.iter().zip(&access.strides).take(row_dims).rev() {
        if *extent > 1 && i128::from(*stride) != step {
            return false;
        }
        step = step.saturating_mul(i128::from(*extent));
    }
    let (mut low, mut high) = (i128::from(access.offset), i128::from(access.offset));
    for (extent, stride) in extents.iter().zip(&access.strides).skip(row_dims) {
        let reach = i128::from(*stride).saturating_mul(i128::from(extent - 1));
        low = low.saturating_add(reach.min(0));
        high = high.saturating_add(reach.max(0));
    }
    low >= 0 && high < row_elements
}

/// True if an access of a nest goes through an array of `elements` elements from first to last, point by point.
pub fn walks_in_order(access: &Access, extents: &[u64], elements: u64) -> bool {
    let mut step = 1u64;
    if access.offset != 0 || access.strides.len() != extents.len() {
        return false;
    }
    for (extent, stride) in extents.iter().zip(&access.strides).rev() {
        if *extent > 1 && u64::try_from(*stride) != Ok(step) {
            return false;
        }
        step = step.saturating_mul(*extent);
    }
    step == elements
}

impl PreparedFused {
    /// Checks the stages against the types of the program's buffers, by number.
    pub fn new(fused: &Fused, buffers: &[TensorType<'_>]) -> Result<PreparedFused, String> {
        if fused.rows == 0 || (fused.stages.is_empty() && fused.prologue.is_empty()) {
            return Err(format!("{} stages in {} rows", fused.stages.len(), fused.rows));
        }
        if fused.kernel.is_none() && !fused.prologue.is_empty() {
            return Err("a prologue of no kernel".to_string());
        }
        let types = operand_types(fused, buffers)?;
        let mut is_written = vec![false; types.len()];
        for access in fused.nests().flat_map(|nest| &nest.outputs) {
            let operand = access.buffer.0 as usize;
            *is_written.get_mut(operand).ok_or_else(|| format!("operand {operand} does not exist"))? = true;
        }
        for output in fused.kernel.iter().flat_map(|call| &call.outputs) {
            let operand = output.0 as usize;
            *is_written.get_mut(operand).ok_or_else(|| format!("operand {operand} does not exist"))? = true;
        }
        let places = places(fused, &types, &is_written)?;
        let prologue = |(idx, nest): (usize, &Nest)| {
            check_prologue(fused, nest, &types, &places).map_err(|error| format!("prologue {idx}: {error}"))
        };
        let prologue =
            fused.prologue.iter().enumerate().map(prologue).collect::<Result<Vec<PreparedNest>, String>>()?;
        let kernel = fused.kernel.as_ref().map(|call| check_kernel(fused, call, &types, &places)).transpose()?;
        let stage = |(idx, nest): (usize, &Nest)| {
            check_stage(fused.rows, nest, &types, &places).map_err(|error| format!("stage {idx}: {error}"))
        };
        let stages = fused.stages.iter().enumerate().map(stage).collect::<Result<Vec<Stage>, String>>()?;
        let row_points = stages
            .iter()
            .map(|stage| stage.row_points.saturating_mul(stage.nest.reduction_points))
            .fold(1, u64::saturating_add);
        let row_bytes = temporary_bytes(&places).max(1);
        let block_rows = (BLOCK_POINTS / row_points).min(TEMPORARY_BYTES_MAX / row_bytes).clamp(1, fused.rows);
        Ok(PreparedFused { rows: fused.rows, block_rows, places, prologue, kernel, stages })
    }

    /// The nests, in order.
    pub(crate) fn nests_mut(&mut self) -> impl Iterator<Item = &mut PreparedNest> {
        self.prologue.iter_mut().chain(self.stages.iter_mut().map(|stage| &mut stage.nest))
    }

    /// Runs all stages on all rows. `buffers` are the program's, by number.
    pub fn run(&self, buffers: &[Buffer<'_>]) -> Result<(), KernelError> {
        self.check_buffers(buffers)?;
        let mut whole: Vec<Bytes> = self.places.iter().map(Place::whole).collect();
        let mut operands: Vec<Buffer<'_>> =
            whole.iter_mut().map(|bytes| Buffer::writable(bytes.as_mut_slice())).collect();
        for (place, operand) in self.places.iter().zip(&mut operands) {
            if let Place::Buffer { number, .. } = place {
                *operand = buffers[*number];
            }
        }
        self.prologue.iter().try_for_each(|nest| nest.run(&operands))?;
        self.kernel.iter().try_for_each(|call| call.run(&operands))?;
        if self.stages.is_empty() {
            return Ok(());
        }
        let blocks = self.rows.div_ceil(self.block_rows);
        let operands: Vec<Option<SharedBuffer<'_>>> = self
            .places
            .iter()
            .zip(&operands)
            .map(|(place, operand)| match place {
                // SAFETY: `new` made sure that every stage touches what is written in its own row alone, and a row is run by one
                // thread; `check_buffers`, that what is written overlaps nothing else.
                // What lies with the launch nobody else has.
                Place::Buffer { .. } | Place::Whole { .. } => Some(unsafe { SharedBuffer::new(*operand) }),
                Place::Temporary { .. } => None,
            })
            .collect();
        let block = |temporaries: &mut Vec<Bytes>, block: u64| {
            let start = block * self.block_rows;
            self.run_rows(&operands, temporaries, start..(start + self.block_rows).min(self.rows));
        };
        if blocks == 1 {
            block(&mut self.temporaries(), 0);
        } else {
            (0..blocks).into_par_iter().for_each_init(|| self.temporaries(), block);
        }
        Ok(())
    }

    fn temporaries(&self) -> Vec<Bytes> {
        let bytes = |place: &Place| match place {
            Place::Buffer { .. } | Place::Whole { .. } => Bytes::default(),
            Place::Temporary { row_elements, element_bytes } => {
                Bytes::zeroed((row_elements * self.block_rows) as usize * element_bytes)
            }
        };
        self.places.iter().map(bytes).collect()
    }

    fn run_rows(&self, operands: &[Option<SharedBuffer<'_>>], temporaries: &mut [Bytes], rows: Range<u64>) {
        let operands: Vec<SharedBuffer<'_>> = self
            .places
            .iter()
            .zip(operands)
            .zip(temporaries)
            .map(|((place, operand), bytes)| match (place, operand) {
                (Place::Temporary { row_elements, .. }, _) => {
                    let buffer = Buffer::writable(bytes.as_mut_slice());
                    // SAFETY: the bytes are this worker's; the threads of one stage store to different elements, as
                    // in a nest alone.
                    let shared = unsafe { SharedBuffer::new(buffer) };
                    shared.starting_at((rows.start * row_elements) as i64)
                }
                (_, operand) => operand.expect("a buffer should be shared before rows are run"),
            })
            .collect();
        for Stage { nest, row_points } in &self.stages {
            if nest.reduction_points == 0 {
                continue;
            }
            let of = |accesses: &[Operand]| accesses.iter().map(|access| operands[access.buffer]).collect();
            let shared = Shared { inputs: of(&nest.inputs), outputs: of(&nest.outputs) };
            let points = rows.start * row_points..rows.end * row_points;
            nest.run_points(&shared, points);
        }
    }

    /// Sizes, and that what is written overlaps nothing else.
    fn check_buffers(&self, buffers: &[Buffer<'_>]) -> Result<(), KernelError> {
        let mut used = Vec::new();
        for place in &self.places {
            let Place::Buffer { number, size_bytes, is_written } = *place else { continue };
            let found = buffers.get(number).map(Buffer::size_bytes);
            if found != Some(size_bytes) {
                let found = found.unwrap_or(0);
                return Err(KernelError::BufferSize { buffer: number, expected: size_bytes, found });
            }
            if is_written && !buffers[number].is_writable() {
                return Err(KernelError::ReadOnly { buffer: number });
            }
            used.push((number, is_written));
        }
        for (idx, (written, _)) in used.iter().enumerate().filter(|(_, (_, is_written))| *is_written) {
            let own = buffers[*written].addresses();
            for (_, (other, _)) in used.iter().enumerate().filter(|(other, _)| *other != idx) {
                let range = buffers[*other].addresses();
                if own.start < range.end && range.start < own.end {
                    return Err(KernelError::Overlap { written: *written, other: *other });
                }
            }
        }
        Ok(())
    }
}

fn operand_types<'a>(fused: &'a Fused, buffers: &[TensorType<'a>]) -> Result<Vec<TensorType<'a>>, String> {
    let ty = |operand: &'a FusedOperand| match operand {
        FusedOperand::Temporary { dtype, shape } => Ok(TensorType::dense(*dtype, shape)),
        FusedOperand::Buffer(buffer) => {
            let number = buffer.0 as usize;
            buffers.get(number).copied().ok_or_else(|| format!("buffer {number} of {} does not exist", buffers.len()))
        }
    };
    fused.operands.iter().map(ty).collect()
}

/// The nest makes a temporary element by element, for the kernel alone, from what is not written here.
fn check_prologue(
    fused: &Fused,
    nest: &Nest,
    types: &[TensorType<'_>],
    places: &[Place],
) -> Result<PreparedNest, String> {
    let [output] = &nest.outputs[..] else { return Err(format!("it has {} outputs", nest.outputs.len())) };
    if nest.combine.is_some() {
        return Err("it folds".to_string());
    }
    let prepared = PreparedNest::new(nest, types)?;
    let made = output.buffer;
    let elements = (prepared.outputs[0].buffer_bytes / prepared.outputs[0].dtype.size_bytes()) as u64;
    if !walks_in_order(output, &nest.extents, elements) {
        return Err(format!("it does not go through operand {} in order", made.0));
    }
    let users = fused.nests().flat_map(|nest| nest.inputs.iter().chain(&nest.outputs));
    let results = fused.kernel.iter().flat_map(|call| &call.outputs);
    let named = users.map(|access| access.buffer).chain(results.copied()).filter(|operand| *operand == made).count();
    if !matches!(places[made.0 as usize], Place::Whole { .. }) || named != 1 {
        return Err(format!("operand {} is not made for the kernel alone", made.0));
    }
    match nest.inputs.iter().find(|input| !is_read_only(places, input.buffer)) {
        Some(input) => Err(format!("it reads operand {}, which is made here", input.buffer.0)),
        None => Ok(prepared),
    }
}

fn is_read_only(places: &[Place], operand: BufferId) -> bool {
    matches!(places[operand.0 as usize], Place::Buffer { is_written: false, .. })
}

fn is_of_prologue(fused: &Fused, operand: BufferId) -> bool {
    fused.prologue.iter().flat_map(|nest| &nest.outputs).any(|output| output.buffer == operand)
}

/// The kernel may be followed by stages, and reads nothing that is written here but by its prologue.
fn check_kernel(
    fused: &Fused,
    call: &KernelCall,
    types: &[TensorType<'_>],
    places: &[Place],
) -> Result<PreparedCall, String> {
    if !manifest::find(&call.kernel).is_some_and(|kernel| kernel.takes_stages) {
        return Err(format!("no stages can follow {}", call.kernel));
    }
    let prepared = PreparedCall::new(call, types)?;
    let is_made = |operand: BufferId| is_read_only(places, operand) || is_of_prologue(fused, operand);
    match call.inputs.iter().find(|operand| !is_made(**operand)) {
        Some(operand) => Err(format!("{} reads operand {}, which is made here", call.kernel, operand.0)),
        None => Ok(prepared),
    }
}

fn places(fused: &Fused, types: &[TensorType<'_>], is_written: &[bool]) -> Result<Vec<Place>, String> {
    let mut places = Vec::with_capacity(types.len());
    for (idx, (operand, ty)) in fused.operands.iter().zip(types).enumerate() {
        let size =
            ty.checked_size_bytes().ok_or_else(|| format!("operand {idx} of shape {:?} is too large", ty.shape))?;
        places.push(match operand {
            FusedOperand::Buffer(buffer) => {
                Place::Buffer { number: buffer.0 as usize, size_bytes: size, is_written: is_written[idx] }
            }
            FusedOperand::Temporary { dtype, .. } => {
                let own = BufferId(idx as u32);
                let is_prologue = is_of_prologue(fused, own);
                let elements = (size / dtype.size_bytes()) as u64;
                if !is_prologue && !elements.is_multiple_of(fused.rows) {
                    return Err(format!("operand {idx} has {elements} elements in {} rows", fused.rows));
                }
                if is_prologue || fused.kernel.iter().any(|call| call.outputs.contains(&own)) {
                    Place::Whole { size_bytes: size }
                } else {
                    Place::Temporary { row_elements: elements / fused.rows, element_bytes: dtype.size_bytes() }
                }
            }
        });
    }
    let bytes = temporary_bytes(&places);
    if bytes > TEMPORARY_BYTES_MAX {
        return Err(format!("its temporaries take {bytes} bytes a row, at most {TEMPORARY_BYTES_MAX} are allowed"));
    }
    Ok(places)
}

/// Bytes of all temporaries of one row.
fn temporary_bytes(places: &[Place]) -> u64 {
    let bytes = |place: &Place| match place {
        Place::Buffer { .. } | Place::Whole { .. } => 0,
        Place::Temporary { row_elements, element_bytes } => row_elements.saturating_mul(*element_bytes as u64),
    };
    places.iter().map(bytes).fold(0, u64::saturating_add)
}

fn check_stage(rows: u64, nest: &Nest, types: &[TensorType<'_>], places: &[Place]) -> Result<Stage, String> {
    if nest.extents.contains(&0) {
        return Err("it has no points".to_string());
    }
    let prepared = PreparedNest::new(nest, types)?;
    let row_dims = row_dims(&nest.extents, nest.reduction_dims as usize, rows)
        .ok_or_else(|| format!("the first of its extents {:?} do not count {rows} rows", nest.extents))?;
    for (access, operand) in nest.inputs.iter().zip(&prepared.inputs).chain(nest.outputs.iter().zip(&prepared.outputs))
    {
        let is_of_a_row = !matches!(places[operand.buffer], Place::Buffer { is_written: false, .. });
        let elements = (operand.buffer_bytes / operand.dtype.size_bytes()) as u64;
        if is_of_a_row && !walks_its_row(access, &nest.extents, row_dims, rows, elements) {
            return Err(format!("it touches operand {} in other rows than its own", operand.buffer));
        }
    }
    for (idx, output) in prepared.outputs.iter().enumerate() {
        let others = prepared.outputs[..idx].iter().map(|other| (other, false));
        let inputs = prepared.inputs.iter().map(|input| (input, nest.combine.is_none()));
        for (other, may_coincide) in others.chain(inputs).filter(|(other, _)| other.buffer == output.buffer) {
            let overlaps = output.span.0 <= other.span.1 && other.span.0 <= output.span.1;
            if overlaps && !(may_coincide && output.shape == other.shape) {
                return Err(format!("it writes operand {} where it uses it otherwise", output.buffer));
            }
        }
    }
    Ok(Stage { row_points: prepared.parallel_points / rows, nest: prepared })
}
