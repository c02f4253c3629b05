//! Nests without a combine: every point on its own.

use std::ops::Range;

use rayon::prelude::*;

use super::{BLOCK_POINTS, PreparedNest, Shared};
use crate::scalar::Registers;

impl PreparedNest {
    /// Evaluates some of the points.
    pub(super) fn run_map(&self, shared: &Shared<'_>, range: Range<u64>) {
        let points = range.end - range.start;
        let registers = || self.body.registers((points.min(self.chunk as u64)) as usize);
        if points <= BLOCK_POINTS {
            return self.map_points(shared, &mut registers(), range.start, range.end);
        }
        (0..points.div_ceil(BLOCK_POINTS)).into_par_iter().for_each_init(registers, |registers, block| {
            let start = range.start + block * BLOCK_POINTS;
            self.map_points(shared, registers, start, (start + BLOCK_POINTS).min(range.end));
        });
    }

    fn map_points(&self, shared: &Shared<'_>, registers: &mut Registers, start: u64, end: u64) {
        let mut point = start;
        while point < end {
            let count = (end - point).min(self.chunk as u64) as usize;
            self.evaluate(shared, registers, point, count);
            for (idx, (operand, buffer)) in self.outputs.iter().zip(&shared.outputs).enumerate() {
                operand.store(*buffer, point, count, self.body.output(registers, idx));
            }
            point += count as u64;
        }
    }
}
