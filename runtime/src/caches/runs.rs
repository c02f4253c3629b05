//! How a cache in an arena and a dense array of it lie to each other.

use pygraph_artifact::plan::{CacheLayout, Param};

/// Bytes from the first element of a cache to its last.
pub(super) fn span_bytes(param: &Param, layout: &CacheLayout) -> usize {
    let last: u64 = param.shape.iter().zip(&layout.strides).map(|(extent, stride)| (extent - 1) * stride).sum();
    (last as usize + 1) * param.dtype.size_bytes()
}

/// Elements of a cache that lie one after another, both in a dense array and in the arena.
pub(super) struct Run {
    pub(super) slot: usize,
    /// The row of the slot.
    pub(super) token: u64,
    /// Where they lie in the arena, in bytes.
    pub(super) offset: u64,
    /// Where they lie in the dense array, in bytes.
    pub(super) dense: usize,
    /// How many they are together.
    pub(super) bytes: usize,
}

/// Visits all runs of a cache, in order of the dense array.
pub(super) fn each_run(param: &Param, layout: &CacheLayout, visit: &mut dyn FnMut(Run)) {
    let element = param.dtype.size_bytes();
    let rank = param.shape.len();
    // The last dimension is one run where its elements lie together.
    let is_run =
        layout.strides[rank - 1] == 1 && ![layout.slot_dim, Some(layout.token_dim)].contains(&Some(rank as u32 - 1));
    let (outer, run) = if is_run { (rank - 1, param.shape[rank - 1] as usize) } else { (rank, 1) };
    let mut index = vec![0_u64; outer];
    let at = |index: &[u64], dim: u32| index.get(dim as usize).copied().unwrap_or(0);
    for number in 0.. {
        let elements: u64 = index.iter().zip(&layout.strides).map(|(index, stride)| index * stride).sum();
        visit(Run {
            slot: layout.slot_dim.map_or(0, |dim| at(&index, dim) as usize),
            token: at(&index, layout.token_dim),
            offset: layout.offset + elements * element as u64,
            dense: number * run * element,
            bytes: run * element,
        });
        let Some(dim) = (0..outer).rev().find(|dim| index[*dim] + 1 < param.shape[*dim]) else { return };
        index[dim] += 1;
        index[dim + 1..].fill(0);
    }
}
