//! Nests without a combine: every point on its own.

use rayon::prelude::*;

use super::{BLOCK_POINTS, PreparedNest, Shared};
use crate::scalar::Registers;

impl PreparedNest {
    pub(super) fn run_map(&self, shared: &Shared<'_>) {
        let points = self.parallel_points;
        let registers = || self.body.registers((points.min(self.chunk as u64)) as usize);
        if points <= BLOCK_POINTS {
            return self.map_points(shared, &mut registers(), 0, points);
        }
        (0..points.div_ceil(BLOCK_POINTS)).into_par_iter().for_each_init(registers, |registers, block| {
            let start = block * BLOCK_POINTS;
            self.map_points(shared, registers, start, (start + BLOCK_POINTS).min(points));
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
