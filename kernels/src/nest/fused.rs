//! Several nests as one launch, row by row, alone or behind a product.
//!
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
    /// With the launch: the result of its kernel, of all rows.
    Result { size_bytes: usize },
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

impl PreparedFused {
    /// Checks the stages against the types of the program's buffers, by number.
    pub fn new(fused: &Fused, buffers: &[TensorType<'_>]) -> Result<PreparedFused, String> {
        if fused.rows == 0 || fused.stages.is_empty() {
            return Err(format!("{} stages in {} rows", fused.stages.len(), fused.rows));
        }
        let types = operand_types(fused, buffers)?;
        let mut is_written = vec![false; types.len()];
        for access in fused.stages.iter().flat_map(|stage| &stage.outputs) {
            let operand = access.buffer.0 as usize;
            *is_written.get_mut(operand).ok_or_else(|| format!("operand {operand} does not exist"))? = true;
        }
        for output in fused.kernel.iter().flat_map(|call| &call.outputs) {
            let operand = output.0 as usize;
            *is_written.get_mut(operand).ok_or_else(|| format!("operand {operand} does not exist"))? = true;
        }
        let places = places(fused, &types, &is_written)?;
        let kernel = fused.kernel.as_ref().map(|call| check_kernel(call, &types, &places)).transpose()?;
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
        Ok(PreparedFused { rows: fused.rows, block_rows, places, kernel, stages })
    }

    /// The nests, in order.
    pub(crate) fn stages_mut(&mut self) -> impl Iterator<Item = &mut PreparedNest> {
        self.stages.iter_mut().map(|stage| &mut stage.nest)
    }

    /// Runs all stages on all rows. `buffers` are the program's, by number.
    pub fn run(&self, buffers: &[Buffer<'_>]) -> Result<(), KernelError> {
        self.check_buffers(buffers)?;
        let mut result = Bytes::zeroed(self.result_bytes());
        let result = Buffer::writable(result.as_mut_slice());
        if let Some(call) = &self.kernel {
            let operand = |place: &Place| match place {
                Place::Buffer { number, .. } => buffers[*number],
                Place::Result { .. } => result,
                Place::Temporary { .. } => Buffer::read_only(&[]), // the kernel names none
            };
            call.run(&self.places.iter().map(operand).collect::<Vec<Buffer<'_>>>())?;
        }
        let blocks = self.rows.div_ceil(self.block_rows);
        let operands: Vec<Option<SharedBuffer<'_>>> = self
            .places
            .iter()
            .map(|place| match place {
                // SAFETY: `new` made sure that every stage touches what is written in its own row alone, and a row is run by one
                // thread; `check_buffers`, that what is written overlaps nothing else.
                Place::Buffer { number, .. } => Some(unsafe { SharedBuffer::new(buffers[*number]) }),
                // SAFETY: as above; nobody else has it.
                Place::Result { .. } => Some(unsafe { SharedBuffer::new(result) }),
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

    /// Size of the kernel's result, if that is no buffer.
    fn result_bytes(&self) -> usize {
        let size = |place: &Place| if let Place::Result { size_bytes } = place { Some(*size_bytes) } else { None };
        self.places.iter().find_map(size).unwrap_or(0)
    }

    fn temporaries(&self) -> Vec<Bytes> {
        let bytes = |place: &Place| match place {
            Place::Buffer { .. } | Place::Result { .. } => Bytes::default(),
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

/// The kernel may be followed by stages, and reads nothing that is written here.
fn check_kernel(call: &KernelCall, types: &[TensorType<'_>], places: &[Place]) -> Result<PreparedCall, String> {
    if !manifest::find(&call.kernel).is_some_and(|kernel| kernel.takes_stages) {
        return Err(format!("no stages can follow {}", call.kernel));
    }
    let prepared = PreparedCall::new(call, types)?;
    let is_read_only =
        |operand: &&BufferId| matches!(places[operand.0 as usize], Place::Buffer { is_written: false, .. });
    match call.inputs.iter().find(|operand| !is_read_only(operand)) {
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
                let elements = (size / dtype.size_bytes()) as u64;
                if !elements.is_multiple_of(fused.rows) {
                    return Err(format!("operand {idx} has {elements} elements in {} rows", fused.rows));
                }
                if fused.kernel.as_ref().is_some_and(|call| call.outputs.iter().any(|output| output.0 as usize == idx))
                {
                    Place::Result { size_bytes: size }
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
        Place::Buffer { .. } | Place::Result { .. } => 0,
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
