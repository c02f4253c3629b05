//! Plain execution of loop nests.
//!
//! [`PreparedNest::new`] checks everything that could go wrong, so that running cannot: types, bounds of every access
//! over the whole iteration space, and that no two points store to one element.
//! Points are numbered row-major and evaluated in chunks; each access has its own walk, merged as far as that
//! access allows, so a chunk is loaded by few long runs and computed by one call an operation.
//! Big nests are cut into blocks whose size does not depend on the number of threads, and neither do results.

pub(crate) mod fold;
mod fused;
mod map;
mod native;
mod order;
mod reduce;
pub(crate) mod walk;

use std::ops::Range;

use pygraph_artifact::{
    dtype::DType,
    plan::{Access, Nest},
    scalar::ScalarBody,
};

use self::{fold::Fold, walk::Walk};
pub use self::{
    fused::{PreparedFused, TEMPORARY_BYTES_MAX, row_dims, walks_in_order, walks_its_row},
    order::{CHAINS, FoldOrder, fold_order},
};
use crate::{
    manifest::KernelError,
    memory::{Buffer, SharedBuffer},
    native::NativeFunction,
    scalar::{LANES_MAX, PreparedBody, Registers, lanes_mut},
    tensor::TensorType,
};

/// Points that one thread takes at a time.
const BLOCK_POINTS: u64 = 32 * LANES_MAX as u64;

/// A nest that was checked, ready to run.
#[derive(Debug)]
pub struct PreparedNest {
    body: PreparedBody,
    inputs: Vec<Operand>,
    outputs: Vec<Operand>,
    /// One an index instruction of the body; its elements are the positions themselves.
    positions: Vec<Walk>,
    /// Points of the parallel dimensions.
    parallel_points: u64,
    /// Points of the reduced dimensions.
    reduction_points: u64,
    /// Lanes evaluated together.
    chunk: usize,
    combine: Option<Combine>,
    /// Code that computes the same, if there is any.
    native: Option<NativeFunction>,
}

/// One access, resolved.
#[derive(Debug)]
struct Operand {
    buffer: usize,
    dtype: DType,
    buffer_bytes: usize,
    /// Over all points in the order in which they are evaluated; outputs of a reduction walk parallel points only.
    walk: Walk,
    /// Extents and strides as given, without extents of 1: tells whether two accesses are the same.
    shape: (i64, Vec<(u64, i64)>),
    /// Lowest and highest element touched.
    span: (i64, i64),
}

/// How values are folded.
#[derive(Debug)]
struct Combine {
    strategy: Strategy,
    /// Of the outputs, the width of an element.
    folds: Vec<Fold>,
    body: PreparedBody,
}

/// The order in which a reduction goes through its points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strategy {
    /// Simple folds along rows: reduced dimensions innermost.
    Rows,
    /// Simple folds across parallel points: reduced dimensions outermost.
    Lanes,
    /// Any body, along rows as a tree.
    RowTree,
    /// Any body across parallel points.
    LaneBody,
}

impl PreparedNest {
    /// Checks a nest against the types of the program's buffers, by buffer number.
    pub fn new(nest: &Nest, buffers: &[TensorType<'_>]) -> Result<PreparedNest, String> {
        let body = PreparedBody::new(&nest.map).map_err(|error| format!("map: {error}"))?;
        let rank = nest.extents.len();
        let reduced = nest.reduction_dims as usize;
        if reduced > rank {
            return Err(format!("nest reduces {reduced} of its {rank} dimensions"));
        }
        if reduced > 0 && nest.combine.is_none() {
            return Err(format!("nest reduces {reduced} dimensions without a combine"));
        }
        if let Some(dimension) = body.index_dimensions().find(|dimension| *dimension as usize >= rank) {
            return Err(format!("map reads the position along dimension {dimension} of {rank}"));
        }
        let points = |extents: &[u64]| {
            let product = extents.iter().try_fold(1u64, |product, extent| product.checked_mul(*extent));
            product.filter(|points| i64::try_from(*points).is_ok())
        };
        let (parallel, folded) = nest.extents.split_at(rank - reduced);
        let total = if nest.extents.contains(&0) { Some(0) } else { points(&nest.extents) };
        if total.is_none() {
            return Err(format!("iteration space {:?} has too many points", nest.extents));
        }
        let combine = nest.combine.as_ref().map(|combine| check_combine(combine, &body)).transpose()?;
        let mut prepared = PreparedNest {
            // A fold's order must not depend on what makes its elements.
            chunk: if combine.is_some() { LANES_MAX } else { body.preferred_lanes() },
            parallel_points: points(parallel).unwrap_or(0),
            reduction_points: points(folded).unwrap_or(0),
            inputs: check_accesses(&nest.inputs, &nest.map.inputs, "input", &nest.extents, buffers)?,
            outputs: check_outputs(nest, &body, buffers)?,
            positions: Vec::new(),
            combine,
            native: None,
            body,
        };
        if total != Some(0) {
            prepared.lay_out(nest);
        }
        Ok(prepared)
    }

    /// Computes the outputs. `buffers` are the program's, by number.
    pub fn run(&self, buffers: &[Buffer<'_>]) -> Result<(), KernelError> {
        if self.parallel_points == 0 || self.reduction_points == 0 {
            return Ok(());
        }
        let shared = self.share(buffers)?;
        self.run_points(&shared, 0..self.parallel_points);
        Ok(())
    }

    /// Computes some of the parallel points.
    fn run_points(&self, shared: &Shared<'_>, range: Range<u64>) {
        match (&self.native, &self.combine) {
            (Some(native), _) => self.run_native(native, shared, range),
            (None, None) => self.run_map(shared, range),
            (None, Some(combine)) => self.run_reduction(combine, shared, range),
        }
    }

    /// Chooses the strategy, and the walks in its order.
    fn lay_out(&mut self, nest: &Nest) {
        let reduced = nest.reduction_dims as usize;
        let parallel = nest.extents.len() - reduced;
        let mut order: Vec<usize> = (0..nest.extents.len()).collect();
        if let Some(combine) = &mut self.combine {
            let is_simple = !combine.folds.is_empty();
            combine.strategy = choose(&nest.extents, reduced, &nest.inputs, is_simple);
            if matches!(combine.strategy, Strategy::Lanes | Strategy::LaneBody) {
                order.rotate_left(parallel);
            }
        }
        let extents: Vec<u64> = order.iter().map(|dimension| nest.extents[*dimension]).collect();
        for (input, access) in self.inputs.iter_mut().zip(&nest.inputs) {
            let strides: Vec<i64> = order.iter().map(|dimension| access.strides[*dimension]).collect();
            input.walk = Walk::new(access.offset, &extents, &strides);
        }
        for (output, access) in self.outputs.iter_mut().zip(&nest.outputs) {
            output.walk = Walk::new(access.offset, &nest.extents[..parallel], &access.strides[..parallel]);
        }
        let position_walk = |dimension: u32| {
            let strides: Vec<i64> = order.iter().map(|of| i64::from(*of == dimension as usize)).collect();
            Walk::new(0, &extents, &strides)
        };
        self.positions = self.body.index_dimensions().map(position_walk).collect();
    }

    /// The buffers that the accesses name, for several threads, if these buffers allow it.
    fn share<'a>(&self, buffers: &[Buffer<'a>]) -> Result<Shared<'a>, KernelError> {
        for operand in self.inputs.iter().chain(&self.outputs) {
            let size = buffers.get(operand.buffer).map(Buffer::size_bytes);
            if size != Some(operand.buffer_bytes) {
                return Err(KernelError::BufferSize {
                    buffer: operand.buffer,
                    expected: operand.buffer_bytes,
                    found: size.unwrap_or(0),
                });
            }
        }
        for (idx, output) in self.outputs.iter().enumerate() {
            if !buffers[output.buffer].is_writable() {
                return Err(KernelError::ReadOnly { buffer: output.buffer });
            }
            let others = self.outputs[..idx].iter().map(|other| (other, false));
            let inputs = self.inputs.iter().map(|input| (input, self.combine.is_none()));
            for (other, may_coincide) in others.chain(inputs) {
                if clash(output, other, may_coincide, buffers) {
                    return Err(KernelError::Overlap { written: output.buffer, other: other.buffer });
                }
            }
        }
        let share = |operand: &Operand| {
            // SAFETY: `check_outputs` made sure that no two points store to one element; blocks of points are given
            // to one thread each; what is stored overlaps what is read only where the same point does both.
            unsafe { SharedBuffer::new(buffers[operand.buffer]) }
        };
        Ok(Shared {
            inputs: self.inputs.iter().map(share).collect(),
            outputs: self.outputs.iter().map(share).collect(),
        })
    }

    /// Loads the inputs of the points `start .. start + count` and evaluates the map.
    fn evaluate(&self, shared: &Shared<'_>, registers: &mut Registers, start: u64, count: usize) {
        for (idx, (operand, buffer)) in self.inputs.iter().zip(&shared.inputs).enumerate() {
            operand.load(*buffer, start, count, self.body.input_mut(registers, idx));
        }
        for (idx, walk) in self.positions.iter().enumerate() {
            let positions = self.body.index_mut(registers, idx);
            walk.for_runs(start, count, |run| {
                for (idx, position) in positions[run.position..][..run.count].iter_mut().enumerate() {
                    *position = run.first + run.stride * idx as i64;
                }
            });
        }
        self.body.run(registers, count);
    }
}

/// The buffers of a running nest.
struct Shared<'a> {
    inputs: Vec<SharedBuffer<'a>>,
    outputs: Vec<SharedBuffer<'a>>,
}

impl Operand {
    fn load(&self, buffer: SharedBuffer<'_>, start: u64, count: usize, lanes: &mut [u128]) {
        macro_rules! load {
            ($t:ty) => {{
                let lanes = lanes_mut::<$t>(lanes);
                self.walk.for_runs(start, count, |run| {
                    buffer.read_run(run.first, run.stride, &mut lanes[run.position..][..run.count]);
                });
            }};
        }
        match self.dtype.size_bytes() {
            1 => load!(u8),
            2 => load!(u16),
            4 => load!(u32),
            8 => load!(u64),
            _ => load!(u128),
        }
        if self.dtype == DType::I1 {
            lanes_mut::<u8>(lanes)[..count].iter_mut().for_each(|lane| *lane = u8::from(*lane != 0));
        }
    }

    fn store(&self, buffer: SharedBuffer<'_>, start: u64, count: usize, lanes: &[u128]) {
        macro_rules! store {
            ($t:ty) => {{
                let lanes = crate::scalar::lanes::<$t>(lanes);
                self.walk.for_runs(start, count, |run| {
                    buffer.write_run(run.first, run.stride, &lanes[run.position..][..run.count]);
                });
            }};
        }
        match self.dtype.size_bytes() {
            1 => store!(u8),
            2 => store!(u16),
            4 => store!(u32),
            8 => store!(u64),
            _ => store!(u128),
        }
    }

    /// The first and one past the last address touched.
    fn addresses(&self, buffers: &[Buffer<'_>]) -> (usize, usize) {
        let base = buffers[self.buffer].addresses().start;
        let bytes = self.dtype.size_bytes();
        (base + self.span.0 as usize * bytes, base + (self.span.1 as usize + 1) * bytes)
    }
}

/// True if an output touches what the other access touches, and not because both are the same access.
fn clash(output: &Operand, other: &Operand, may_coincide: bool, buffers: &[Buffer<'_>]) -> bool {
    let (start, end) = output.addresses(buffers);
    let (other_start, other_end) = other.addresses(buffers);
    let overlaps = start < other_end && other_start < end;
    let coincides = may_coincide
        && output.dtype.size_bytes() == other.dtype.size_bytes()
        && output.shape.1 == other.shape.1
        && start == other_start;
    overlaps && !coincides
}

fn check_combine(combine: &ScalarBody, map: &PreparedBody) -> Result<Combine, String> {
    let values: Vec<DType> = map.output_types().collect();
    let inputs: Vec<DType> = values.iter().chain(&values).copied().collect();
    let body = PreparedBody::new(combine).map_err(|error| format!("combine: {error}"))?;
    if !body.input_types().eq(inputs) || !body.output_types().eq(values.iter().copied()) {
        return Err(format!("combine does not take two sets of {values:?} and give one"));
    }
    if body.index_dimensions().next().is_some() {
        return Err("combine reads a position".to_string());
    }
    let folds = fold::simple_folds(combine).unwrap_or_default();
    Ok(Combine { strategy: Strategy::Rows, folds, body })
}

/// True if two nests with these extents and this combine fold in one order, whichever of two sets of elements they read: then
/// equal elements give equal results, to the last bit.
pub fn folds_alike(extents: &[u64], reduction_dims: usize, combine: &ScalarBody, a: &[Access], b: &[Access]) -> bool {
    let is_simple = fold::simple_folds(combine).is_some();
    choose(extents, reduction_dims, a, is_simple) == choose(extents, reduction_dims, b, is_simple)
}

/// Chooses by what moves along the folded dimensions; the rest, such as a mean of each row, is small.
fn choose(extents: &[u64], reduced: usize, inputs: &[Access], is_simple: bool) -> Strategy {
    let parallel = extents.len() - reduced;
    let parallel_points = extents[..parallel].iter().fold(1u64, |points, extent| points.saturating_mul(*extent));
    if !is_simple {
        return if parallel_points < 32 { Strategy::RowTree } else { Strategy::LaneBody };
    }
    let innermost = |access: &Access, from: usize, to: usize| {
        let dimension = (from..to).rev().find(|dimension| extents[*dimension] > 1);
        dimension.map_or(0, |dimension| access.strides[dimension].unsigned_abs())
    };
    let (mut across, mut along) = (0, 0);
    for access in inputs {
        let along_step = innermost(access, parallel, extents.len());
        along += usize::from(along_step == 1);
        across += usize::from(along_step != 0 && innermost(access, 0, parallel) == 1);
    }
    if parallel_points > 1 && across > along { Strategy::Lanes } else { Strategy::Rows }
}

fn check_outputs(nest: &Nest, body: &PreparedBody, buffers: &[TensorType<'_>]) -> Result<Vec<Operand>, String> {
    let types: Vec<DType> = body.output_types().collect();
    let outputs = check_accesses(&nest.outputs, &types, "output", &nest.extents, buffers)?;
    let parallel = nest.extents.len() - nest.reduction_dims as usize;
    for (idx, access) in nest.outputs.iter().enumerate() {
        if let Some(dimension) = (parallel..nest.extents.len()).find(|dimension| access.strides[*dimension] != 0) {
            return Err(format!("output {idx} moves along the reduced dimension {dimension}"));
        }
        if !nest.extents.contains(&0) && !stores_once(&nest.extents[..parallel], &access.strides[..parallel]) {
            return Err(format!("output {idx} stores twice to one element: strides {:?}", access.strides));
        }
    }
    Ok(outputs)
}

/// True if no two points touch one element, by the rule that each stride steps over all that smaller ones reach.
fn stores_once(extents: &[u64], strides: &[i64]) -> bool {
    let mut dimensions: Vec<(u64, u64)> = strides
        .iter()
        .zip(extents)
        .filter(|(_, extent)| **extent > 1)
        .map(|(stride, extent)| (stride.unsigned_abs(), *extent))
        .collect();
    dimensions.sort_unstable();
    let mut reach = 0u128;
    dimensions.iter().all(|(stride, extent)| {
        let steps_over = u128::from(*stride) > reach;
        reach = reach.saturating_add(u128::from(*stride) * u128::from(extent - 1));
        steps_over
    })
}

fn check_accesses(
    accesses: &[Access],
    types: &[DType],
    what: &str,
    extents: &[u64],
    buffers: &[TensorType<'_>],
) -> Result<Vec<Operand>, String> {
    if accesses.len() != types.len() {
        return Err(format!("nest has {} {what}s, its map {}", accesses.len(), types.len()));
    }
    let check = |(idx, (access, dtype)): (usize, (&Access, &DType))| {
        check_access(access, *dtype, extents, buffers).map_err(|error| format!("{what} {idx}: {error}"))
    };
    accesses.iter().zip(types).enumerate().map(check).collect()
}

fn check_access(access: &Access, dtype: DType, extents: &[u64], buffers: &[TensorType<'_>]) -> Result<Operand, String> {
    let buffer = access.buffer.0 as usize;
    let ty = buffers.get(buffer).ok_or_else(|| format!("buffer {buffer} of {} does not exist", buffers.len()))?;
    if ty.dtype != dtype {
        return Err(format!("buffer {buffer} holds {}, the map has {dtype}", ty.dtype));
    }
    if access.strides.len() != extents.len() {
        return Err(format!("{} strides for {} dimensions", access.strides.len(), extents.len()));
    }
    let buffer_bytes =
        ty.checked_size_bytes().ok_or_else(|| format!("buffer {buffer} of shape {:?} is too large", ty.shape))?;
    let mut operand = Operand {
        buffer,
        dtype,
        buffer_bytes,
        walk: Walk::new(0, &[], &[]),
        shape: (access.offset, Vec::new()),
        span: (0, 0),
    };
    if extents.contains(&0) {
        return Ok(operand);
    }
    let (mut low, mut high) = (Some(i128::from(access.offset)), Some(i128::from(access.offset)));
    for (extent, stride) in extents.iter().zip(&access.strides) {
        let reach = i128::from(extent - 1).checked_mul(i128::from(*stride));
        let end = if *stride < 0 { &mut low } else { &mut high };
        *end = end.zip(reach).and_then(|(end, reach)| end.checked_add(reach));
        if *extent > 1 {
            operand.shape.1.push((*extent, *stride));
        }
    }
    let elements = (buffer_bytes / dtype.size_bytes()) as i128;
    match (low, high) {
        (Some(low), Some(high)) if low >= 0 && high < elements => {
            operand.span = (low as i64, high as i64);
            Ok(operand)
        }
        _ => Err(format!(
            "offset {} and strides {:?} over {extents:?} leave the {elements} elements of buffer {buffer}",
            access.offset, access.strides
        )),
    }
}

#[cfg(test)]
mod fused_tests;
#[cfg(test)]
mod tests;
