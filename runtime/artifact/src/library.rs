//! Products that a library of the device may compute in place of a launch's own kernels.
//!
//! A library is given addresses by value, so it is offered what lies where it always does: in the arena, among weights and constants, in
//! scratch memory. The launch keeps its own kernels beside the offer; which of the two runs is for the runtime to say.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    device_code::{Argument, DeviceCall, DeviceProgram, SCRATCH_ALIGNMENT},
    dtype::DType,
    plan::{Place, Program},
};

/// The largest extent of a product: libraries count with 32 bits.
pub const EXTENT_MAX: u64 = i32::MAX as u64;

/// Whether a library may run a launch.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Library {
    /// The launch is no product.
    #[default]
    Nothing,
    /// It is one that is no library's: why.
    Refused(String),
    /// It may.
    Offer(Box<Offer>),
}

/// What a library and the kernels after it do in place of a launch's calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// What is computed.
    pub product: Product,
    /// Where the two sides lie.
    pub inputs: [Argument; 2],
    /// Where the product goes.
    pub output: Argument,
    /// What is left to do, one after another.
    pub after: Vec<DeviceCall>,
}

/// A product of matrices, for each of `batches`: `output[row][column]` is the sum over terms of `left(row, term) * right(column, term)`.
/// Sums are of f32. The output's rows lie together, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Product {
    /// The type of both sides: bf16, f16 or f32.
    pub dtype: DType,
    /// The type of the output: the same, or f32.
    pub output: DType,
    /// How many there are.
    pub batches: u64,
    /// Rows of the output.
    pub rows: u64,
    /// Columns of the output.
    pub columns: u64,
    /// Terms of a sum.
    pub terms: u64,
    /// The side of the rows.
    pub left: Side,
    /// The side of the columns.
    pub right: Side,
}

/// How one side of a product lies in memory; distances are in elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Side {
    /// True if its rows lie side by side and its terms `line` apart, false if it is the other way round.
    pub is_across: bool,
    /// From a line to the next.
    pub line: u64,
    /// From a batch to the next.
    pub batch: u64,
}

impl Side {
    /// Elements from the first to the last, and one; none if there are too many to count.
    fn span(&self, batches: u64, rows: u64, terms: u64) -> Option<u64> {
        let (lines, inner) = if self.is_across { (terms, rows) } else { (rows, terms) };
        let before = (batches - 1).checked_mul(self.batch)?.checked_add((lines - 1).checked_mul(self.line)?)?;
        before.checked_add(inner)
    }
}

impl Product {
    /// Bytes of left side, right side and output, of a product that was checked.
    pub fn bytes(&self) -> [u64; 3] {
        let span = |side: &Side, count: u64| side.span(self.batches, count, self.terms).unwrap_or(u64::MAX);
        let all = self.batches.saturating_mul(self.rows).saturating_mul(self.columns);
        let sized = [
            (span(&self.left, self.rows), self.dtype),
            (span(&self.right, self.columns), self.dtype),
            (all, self.output),
        ];
        sized.map(|(elements, dtype)| elements.saturating_mul(dtype.size_bytes() as u64))
    }
}

impl fmt::Display for Product {
    /// What a tuning cache knows it by.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Product { dtype, output, batches, rows, columns, terms, left, right } = self;
        let side = |of: &Side| format!("{}{}+{}", if of.is_across { "across" } else { "along" }, of.line, of.batch);
        write!(f, "{batches}x{rows}x{columns}x{terms} {dtype}-{output} {} {}", side(left), side(right))
    }
}

/// Checks an offer against the program that it is for; calls are checked like all others.
pub fn check_offer(offer: &Offer, program: &Program, device: &DeviceProgram) -> Result<(), String> {
    let Product { dtype, output, batches, rows, columns, terms, left, right } = offer.product;
    if !matches!(dtype, DType::Bf16 | DType::F16 | DType::F32) || (output != dtype && output != DType::F32) {
        return Err(format!("a library is offered a product of {dtype} in {output}"));
    }
    if [batches, rows, columns, terms].iter().any(|extent| !(1..=EXTENT_MAX).contains(extent)) {
        return Err(format!("a library is offered a product of {batches}x{rows}x{columns}x{terms}"));
    }
    for (side, count) in [(left, rows), (right, columns)] {
        let inner = if side.is_across { count } else { terms };
        if !(inner..=EXTENT_MAX).contains(&side.line) {
            return Err(format!("lines of {inner} elements lie {} apart", side.line));
        }
    }
    let spans = [left.span(batches, rows, terms), right.span(batches, columns, terms)];
    let all = batches.checked_mul(rows).and_then(|count| count.checked_mul(columns));
    let places = offer.inputs.iter().chain([&offer.output]).zip([spans[0], spans[1], all]).zip([dtype, dtype, output]);
    for ((argument, span), dtype) in places {
        let span = span.ok_or("a product has more elements than can be counted")?;
        check_place(*argument, dtype, span, program, device)?;
    }
    Ok(())
}

/// Refuses an argument behind which there are not as many elements, or that lies elsewhere in every step.
fn check_place(
    argument: Argument,
    dtype: DType,
    elements: u64,
    program: &Program,
    device: &DeviceProgram,
) -> Result<(), String> {
    match argument {
        Argument::Buffer(id) => {
            let buffer = program.buffers.get(id.0 as usize).ok_or_else(|| format!("there is no buffer {}", id.0))?;
            let count = buffer.shape.iter().try_fold(1_u64, |count, extent| count.checked_mul(*extent));
            if matches!(buffer.place, Place::Field { .. }) || program.strides(buffer).is_some() {
                return Err(format!("a library is offered buffer {}, which has no fixed address or is no array", id.0));
            }
            if buffer.dtype != dtype || count.is_none_or(|count| count < elements) {
                return Err(format!("a library is offered buffer {} as {elements} elements of {dtype}", id.0));
            }
            Ok(())
        }
        Argument::Scratch { offset } => {
            let end = elements.checked_mul(dtype.size_bytes() as u64).and_then(|bytes| bytes.checked_add(offset));
            if offset % SCRATCH_ALIGNMENT != 0 || end.is_none_or(|end| end > device.scratch_bytes) {
                return Err(format!("a library is offered scratch memory at {offset} of {}", device.scratch_bytes));
            }
            Ok(())
        }
        Argument::Status => Err("a library is offered the status".to_string()),
    }
}
