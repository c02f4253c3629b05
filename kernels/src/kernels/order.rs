//! How lines are ordered on a GPU, by a sorting network over the numbers of their elements (`order.cuh`).

use crate::cuda::{CudaOperand, CudaStep, THREADS, over_elements};

/// Numbers that a block sorts in shared memory, as a power of two.
const CHUNK_BITS: u32 = 11;

/// Lines to order.
#[derive(Debug, Clone, Copy)]
pub struct Lines {
    /// How many.
    pub count: u64,
    /// Elements of each, at least 1.
    pub length: u64,
}

impl Lines {
    fn padded_bits(&self) -> u32 {
        self.length.next_power_of_two().trailing_zeros()
    }

    fn chunk_bits(&self) -> u32 {
        self.padded_bits().min(CHUNK_BITS)
    }

    /// Constants of the skeleton.
    pub fn constants(&self) -> Vec<(&'static str, i64)> {
        vec![
            ("LINES", self.count as i64),
            ("LENGTH", self.length as i64),
            ("PADDED", 1 << self.padded_bits()),
            ("CHUNK", 1 << self.chunk_bits()),
            ("CHUNK_BITS", i64::from(self.chunk_bits())),
        ]
    }

    /// Bytes of the numbers.
    pub fn scratch_bytes(&self) -> u64 {
        self.count * (4 << self.padded_bits())
    }

    /// The steps that order the numbers, given to functions with these operands.
    pub fn steps(&self, operands: &[CudaOperand]) -> Vec<CudaStep> {
        let chunks = self.count << (self.padded_bits() - self.chunk_bits());
        let chunk_step = |run_bits: u32| CudaStep {
            function: format!("chunks<{run_bits}>").into(),
            grid: [chunks.min(1 << 20) as u32, 1, 1],
            block: [THREADS, 1, 1],
            shared_bytes: 0,
            operands: operands.to_vec(),
            resident: 1,
            waits: false,
        };
        let mut steps = vec![chunk_step(0)];
        for run_bits in self.chunk_bits() + 1..=self.padded_bits() {
            for distance_bits in (self.chunk_bits()..run_bits).rev() {
                let function = format!("pairs<{run_bits}, {distance_bits}>");
                steps.extend(over_elements(function, self.count << (self.padded_bits() - 1), operands.to_vec()));
            }
            steps.push(chunk_step(run_bits));
        }
        steps
    }
}
