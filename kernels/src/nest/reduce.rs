//! Nests with a combine.
//!
//! Four strategies, chosen by shape: along rows or across parallel points, with the tight loops of a simple fold or
//! with any body. Work is cut into tasks by shape alone; partial results are merged in order.

use std::ops::Range;

use rayon::prelude::*;

use super::{BLOCK_POINTS, Combine, PreparedNest, Shared, Strategy, order};
use crate::scalar::{Registers, lanes, lanes_mut};

/// A part of a reduction: some parallel points, over some of the reduced ones.
#[derive(Debug, Clone)]
struct Task {
    parallel: Range<u64>,
    reduction: Range<u64>,
}

/// What a task found, one an output: accumulators of a fold, or elements.
type Partial = Vec<Vec<u128>>;

impl PreparedNest {
    /// Folds for some of the parallel points. The order is that of the whole: it does not depend on which points those are.
    pub(super) fn run_reduction(&self, combine: &Combine, shared: &Shared<'_>, range: Range<u64>) {
        let points = range.end - range.start;
        let (parallel_step, reduction_step) = self.task_size(combine);
        let parts = self.reduction_points.div_ceil(reduction_step);
        let groups = points.div_ceil(parallel_step);
        let task = |group: u64, part: u64| Task {
            parallel: range.start + group * parallel_step..(range.start + (group + 1) * parallel_step).min(range.end),
            reduction: part * reduction_step..((part + 1) * reduction_step).min(self.reduction_points),
        };
        let compute = |task: &Task| match combine.strategy {
            Strategy::Rows => self.fold_rows(combine, shared, task),
            Strategy::Lanes => self.fold_lanes(combine, shared, task),
            Strategy::RowTree => self.combine_row(combine, shared, task),
            Strategy::LaneBody => self.combine_lanes(combine, shared, task),
        };
        let finish_group = |group: u64| {
            let first = task(group, 0);
            let mut result = compute(&first);
            if parts > 1 {
                // Enough parts at a time to keep threads busy, few enough to bound the memory for what they found.
                for batch in (1..parts).step_by(64) {
                    let batch: Vec<u64> = (batch..(batch + 64).min(parts)).collect();
                    let partials: Vec<Partial> = batch.par_iter().map(|part| compute(&task(group, *part))).collect();
                    partials.iter().for_each(|partial| self.merge(combine, &mut result, partial, &first));
                }
            }
            self.finish(combine, shared, &result, &first);
        };
        if groups > 1 && points.saturating_mul(self.reduction_points) > BLOCK_POINTS {
            (0..groups).into_par_iter().for_each(finish_group);
        } else {
            (0..groups).for_each(finish_group);
        }
    }

    /// How many parallel and how many reduced points a task has.
    fn task_size(&self, combine: &Combine) -> (u64, u64) {
        match combine.strategy {
            Strategy::Rows => (
                (BLOCK_POINTS / self.reduction_points).clamp(1, self.chunk as u64),
                self.reduction_points.min(BLOCK_POINTS),
            ),
            Strategy::RowTree => (1, self.reduction_points.min(BLOCK_POINTS)),
            Strategy::Lanes | Strategy::LaneBody => (
                self.parallel_points.min(self.chunk as u64),
                order::lanes_part(self.parallel_points, self.reduction_points),
            ),
        }
    }

    fn folds_cleared(&self, combine: &Combine, count: usize) -> Partial {
        let cleared = |fold: &super::Fold| {
            let mut accumulators = vec![0; (fold.wide_bytes * count).div_ceil(16)];
            (fold.clear)(&mut accumulators, count);
            accumulators
        };
        combine.folds.iter().map(cleared).collect()
    }

    fn fold_rows(&self, combine: &Combine, shared: &Shared<'_>, task: &Task) -> Partial {
        let row = task.reduction.end - task.reduction.start;
        let rows = task.parallel.end - task.parallel.start;
        let mut accumulators = self.folds_cleared(combine, rows as usize);
        let mut registers = self.body.registers(self.chunk.min((rows * row) as usize));
        if row == self.reduction_points && row <= self.chunk as u64 {
            let step = self.chunk as u64 / row;
            for first in task.parallel.clone().step_by(step as usize) {
                let count = step.min(task.parallel.end - first) as usize;
                self.evaluate(shared, &mut registers, first * row, count * row as usize);
                for (idx, (fold, accumulators)) in combine.folds.iter().zip(&mut accumulators).enumerate() {
                    let values = self.body.output(&registers, idx);
                    (fold.rows)(values, 0, row as usize, accumulators, (first - task.parallel.start) as usize, count);
                }
            }
            return accumulators;
        }
        for (position, parallel) in task.parallel.clone().enumerate() {
            for start in task.reduction.clone().step_by(self.chunk) {
                let count = (self.chunk as u64).min(task.reduction.end - start) as usize;
                self.evaluate(shared, &mut registers, parallel * self.reduction_points + start, count);
                for (idx, (fold, accumulators)) in combine.folds.iter().zip(&mut accumulators).enumerate() {
                    (fold.rows)(self.body.output(&registers, idx), 0, count, accumulators, position, 1);
                }
            }
        }
        accumulators
    }

    /// Evaluates chunks of whole rows of parallel points where those are short, else one row of the task's at a time.
    fn for_lanes(&self, shared: &Shared<'_>, task: &Task, mut visit: impl FnMut(&Registers, usize, usize)) {
        let width = (task.parallel.end - task.parallel.start) as usize;
        let step = if width as u64 == self.parallel_points { (self.chunk / width).max(1) } else { 1 };
        let mut registers = self.body.registers(width * step);
        for start in task.reduction.clone().step_by(step) {
            let rows = (step as u64).min(task.reduction.end - start) as usize;
            self.evaluate(shared, &mut registers, start * self.parallel_points + task.parallel.start, rows * width);
            (0..rows).for_each(|row| visit(&registers, row * width, width));
        }
    }

    fn fold_lanes(&self, combine: &Combine, shared: &Shared<'_>, task: &Task) -> Partial {
        let mut accumulators = self.folds_cleared(combine, (task.parallel.end - task.parallel.start) as usize);
        self.for_lanes(shared, task, |registers, start, width| {
            for (idx, (fold, accumulators)) in combine.folds.iter().zip(&mut accumulators).enumerate() {
                (fold.lanes)(self.body.output(registers, idx), start, accumulators, 0, width);
            }
        });
        accumulators
    }

    fn combine_lanes(&self, combine: &Combine, shared: &Shared<'_>, task: &Task) -> Partial {
        let width = (task.parallel.end - task.parallel.start) as usize;
        let sizes: Vec<usize> = self.outputs.iter().map(|output| output.dtype.size_bytes()).collect();
        let mut result: Partial = sizes.iter().map(|size| vec![0; (size * width).div_ceil(16)]).collect();
        let mut registers = combine.body.registers(width);
        let mut is_first = true;
        self.for_lanes(shared, task, |values, start, width| {
            for (idx, size) in sizes.iter().enumerate() {
                let value = self.body.output(values, idx);
                if is_first {
                    copy_lanes(*size, value, start, &mut result[idx], 0, width);
                    continue;
                }
                copy_lanes(*size, &result[idx], 0, combine.body.input_mut(&mut registers, idx), 0, width);
                let other = combine.body.input_mut(&mut registers, sizes.len() + idx);
                copy_lanes(*size, value, start, other, 0, width);
            }
            if !is_first {
                self.run_combine(combine, &mut registers, &sizes, &mut result, width);
            }
            is_first = false;
        });
        result
    }

    fn combine_row(&self, combine: &Combine, shared: &Shared<'_>, task: &Task) -> Partial {
        let sizes: Vec<usize> = self.outputs.iter().map(|output| output.dtype.size_bytes()).collect();
        let mut registers = self.body.registers(self.chunk);
        let mut tree = combine.body.registers(self.chunk);
        let mut result: Option<Partial> = None;
        for start in task.reduction.clone().step_by(self.chunk) {
            let mut count = (self.chunk as u64).min(task.reduction.end - start) as usize;
            let first = task.parallel.start * self.reduction_points + start;
            self.evaluate(shared, &mut registers, first, count);
            let mut values: Partial = (0..sizes.len()).map(|idx| self.body.output(&registers, idx).to_vec()).collect();
            while count > 1 {
                let pairs = count / 2;
                for (idx, size) in sizes.iter().enumerate() {
                    split_pairs(*size, &values[idx], pairs, 0, combine.body.input_mut(&mut tree, idx));
                    let right = combine.body.input_mut(&mut tree, sizes.len() + idx);
                    split_pairs(*size, &values[idx], pairs, 1, right);
                    if count % 2 == 1 {
                        let source = values[idx].clone();
                        copy_lanes(*size, &source, count - 1, &mut values[idx], pairs, 1);
                    }
                }
                self.run_combine(combine, &mut tree, &sizes, &mut values, pairs);
                count = pairs + count % 2;
            }
            match &mut result {
                None => result = Some(values),
                Some(result) => self.combine_partials(combine, &mut tree, result, &values, 1),
            }
        }
        result.expect("a task should have points")
    }

    /// Runs the combine on filled registers and copies what it yields.
    fn run_combine(
        &self,
        combine: &Combine,
        registers: &mut Registers,
        sizes: &[usize],
        result: &mut Partial,
        count: usize,
    ) {
        combine.body.run(registers, count);
        for (idx, size) in sizes.iter().enumerate() {
            copy_lanes(*size, combine.body.output(registers, idx), 0, &mut result[idx], 0, count);
        }
    }

    /// `result = combine(result, later)`.
    fn combine_partials(
        &self,
        combine: &Combine,
        registers: &mut Registers,
        result: &mut Partial,
        later: &Partial,
        count: usize,
    ) {
        let sizes: Vec<usize> = self.outputs.iter().map(|output| output.dtype.size_bytes()).collect();
        for (idx, size) in sizes.iter().enumerate() {
            copy_lanes(*size, &result[idx], 0, combine.body.input_mut(registers, idx), 0, count);
            copy_lanes(*size, &later[idx], 0, combine.body.input_mut(registers, sizes.len() + idx), 0, count);
        }
        self.run_combine(combine, registers, &sizes, result, count);
    }

    fn merge(&self, combine: &Combine, result: &mut Partial, later: &Partial, task: &Task) {
        let count = (task.parallel.end - task.parallel.start) as usize;
        if matches!(combine.strategy, Strategy::Rows | Strategy::Lanes) {
            for (fold, (result, later)) in combine.folds.iter().zip(result.iter_mut().zip(later)) {
                (fold.merge)(later, result, count);
            }
        } else {
            let mut registers = combine.body.registers(count);
            self.combine_partials(combine, &mut registers, result, later, count);
        }
    }

    /// Folds what was found onto the elements that the outputs hold.
    fn finish(&self, combine: &Combine, shared: &Shared<'_>, result: &Partial, task: &Task) {
        let (start, count) = (task.parallel.start, (task.parallel.end - task.parallel.start) as usize);
        let mut elements: Partial = Vec::new();
        for (operand, buffer) in self.outputs.iter().zip(&shared.outputs) {
            let mut lanes = vec![0; (operand.dtype.size_bytes() * count).div_ceil(16)];
            operand.load(*buffer, start, count, &mut lanes);
            elements.push(lanes);
        }
        if combine.folds.is_empty() {
            let mut registers = combine.body.registers(count);
            self.combine_partials(combine, &mut registers, &mut elements, result, count);
        } else {
            for (fold, (result, elements)) in combine.folds.iter().zip(result.iter().zip(&mut elements)) {
                (fold.finish)(result, 0, elements, count);
            }
        }
        for ((operand, buffer), elements) in self.outputs.iter().zip(&shared.outputs).zip(&elements) {
            operand.store(*buffer, start, count, elements);
        }
    }
}

macro_rules! by_size {
    ($size:expr, $t:ident => $body:expr) => {
        match $size {
            1 => {
                type $t = u8;
                $body
            }
            2 => {
                type $t = u16;
                $body
            }
            4 => {
                type $t = u32;
                $body
            }
            8 => {
                type $t = u64;
                $body
            }
            _ => {
                type $t = u128;
                $body
            }
        }
    };
}

fn copy_lanes(size: usize, from: &[u128], start: usize, to: &mut [u128], to_start: usize, count: usize) {
    by_size!(size, T => {
        lanes_mut::<T>(to)[to_start..to_start + count].copy_from_slice(&lanes::<T>(from)[start..start + count]);
    });
}

/// Copies every second element, from `parity` on.
fn split_pairs(size: usize, from: &[u128], pairs: usize, parity: usize, to: &mut [u128]) {
    by_size!(size, T => {
        let from = lanes::<T>(from)[..2 * pairs].chunks_exact(2);
        lanes_mut::<T>(to).iter_mut().zip(from).for_each(|(to, pair)| *to = pair[parity]);
    });
}
