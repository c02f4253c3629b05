//! The order in which a nest goes through its points, for those who generate code that must give the same bits.

use pygraph_artifact::{dtype::DType, plan::Nest, scalar::ScalarOp};

use super::{BLOCK_POINTS, Strategy, choose, fold};
use crate::scalar::LANES_MAX;

/// How many interleaved chains fold a row.
pub const CHAINS: u64 = fold::CHAINS as u64;

/// The order of a nest. Points are numbered row-major; of a part, only the last may be shorter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoldOrder {
    /// There is no combine: each point by itself.
    Points,
    /// For each parallel point, its reduced points are cut into parts and those into chunks. A chunk is folded in
    /// [`CHAINS`] interleaved chains, and then the chains as a tree, halves onto each other. Chunks are folded onto their
    /// part's accumulator and parts onto the first, in order; the result onto the element of the output.
    Rows {
        /// One an output.
        folds: Vec<(ScalarOp, DType)>,
        /// Points of a chunk.
        chunk: u64,
        /// Points of a part.
        part: u64,
    },
    /// For each parallel point, its reduced points are cut into parts. Values are folded onto their part's accumulator and
    /// parts onto the first, in order; the result onto the element of the output.
    Lanes {
        /// One an output.
        folds: Vec<(ScalarOp, DType)>,
        /// Points of a part.
        part: u64,
    },
    /// As [`FoldOrder::Lanes`], with the combine's body in place of folds. There is no accumulator before the first value.
    Bodies {
        /// Points of a part.
        part: u64,
    },
    /// As a tree of neighbours, with the combine's body.
    Tree,
}

/// The order of a nest that has points.
pub fn fold_order(nest: &Nest) -> FoldOrder {
    let Some(combine) = &nest.combine else { return FoldOrder::Points };
    let reduced = nest.reduction_dims as usize;
    let folds = fold::fold_ops(combine).unwrap_or_default();
    let (parallel, folded) = nest.extents.split_at(nest.extents.len() - reduced);
    let (parallel_points, reduction_points) = (parallel.iter().product(), folded.iter().product());
    let part = lanes_part(parallel_points, reduction_points);
    match choose(&nest.extents, reduced, &nest.inputs, !folds.is_empty()) {
        Strategy::Rows => FoldOrder::Rows { folds, chunk: LANES_MAX as u64, part: BLOCK_POINTS },
        Strategy::Lanes => FoldOrder::Lanes { folds, part },
        Strategy::LaneBody => FoldOrder::Bodies { part },
        Strategy::RowTree => FoldOrder::Tree,
    }
}

/// Reduced points of a part where parallel points are folded side by side.
pub(super) fn lanes_part(parallel_points: u64, reduction_points: u64) -> u64 {
    let width = parallel_points.min(LANES_MAX as u64);
    if parallel_points > 8 * width { reduction_points } else { (4 * BLOCK_POINTS / width).max(1) }
}
