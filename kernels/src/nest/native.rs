//! Nests whose points native code computes.

use std::ops::Range;

use rayon::prelude::*;

use super::{BLOCK_POINTS, Operand, PreparedNest, Shared, Strategy};
use crate::{memory::SharedBuffer, native::NativeFunction};

/// Points that one call computes at least, where code computes neighbours together.
const SIDE_BY_SIDE: u64 = 64;

impl PreparedNest {
    /// Computes points with this function from now on.
    pub(crate) fn use_native(&mut self, function: Option<NativeFunction>) {
        self.native = function;
    }

    /// Computes some of the parallel points. A parallel point is computed by one thread, however much it folds.
    pub(super) fn run_native(&self, native: &NativeFunction, shared: &Shared<'_>, range: Range<u64>) {
        let address = |(operand, buffer): (&Operand, &SharedBuffer<'_>)| {
            buffer.address_of(operand.shape.0, operand.dtype.size_bytes()) as usize
        };
        let inputs = self.inputs.iter().zip(&shared.inputs).map(address);
        let operands: Vec<usize> = inputs.chain(self.outputs.iter().zip(&shared.outputs).map(address)).collect();
        let points = range.end - range.start;
        // Points that are computed side by side need company.
        let along_rows = self.combine.as_ref().is_some_and(|combine| combine.strategy == Strategy::Rows);
        let company = if along_rows { 1 } else { SIDE_BY_SIDE };
        let step = (BLOCK_POINTS / self.reduction_points).max(1).next_multiple_of(company);
        // SAFETY: the function computes this nest, so it touches what `new` checked to lie in the buffers; what `share` says
        // of threads holds: every point is computed by one.
        let run = |range: Range<u64>| unsafe { native.call(&operands, range) };
        if points <= step {
            return run(range);
        }
        (0..points.div_ceil(step)).into_par_iter().for_each(|block| {
            let start = range.start + block * step;
            run(start..(start + step).min(range.end));
        });
    }
}
