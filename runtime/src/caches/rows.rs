//! Where the elements of a cache lie in its arena, run by run and many runs at once.

use std::ops::Range;

use pygraph_artifact::plan::{CacheLayout, Param};

use crate::cuda::driver::Rows;

/// From the first element of a cache to its last, in bytes.
pub(super) fn span_bytes(param: &Param, layout: &CacheLayout) -> usize {
    let last: u64 = param.shape.iter().zip(&layout.strides).map(|(extent, stride)| (extent - 1) * stride).sum();
    (last as usize + 1) * param.dtype.size_bytes()
}

/// Elements of a cache that lie one after another, both in a dense array and in the arena.
pub(super) struct Run {
    pub(super) slot: usize,
    pub(super) token: u64,
    /// Where they lie in the arena, in bytes.
    pub(super) offset: u64,
    /// Where they lie in the dense array, in bytes.
    pub(super) dense: usize,
    pub(super) bytes: usize,
}

/// All runs of a cache, in order of the dense array.
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

/// Many runs of a cache at once, at equal distances both in a dense array and in the arena.
pub(super) struct RowsAt {
    /// Where the first lies in the arena, in bytes.
    pub(super) offset: u64,
    /// Where it lies in the dense array, in bytes.
    pub(super) dense: u64,
    pub(super) rows: Rows,
}

/// The whole cache, or some tokens of each slot, in as few pieces as one dimension of it allows.
pub(super) fn each_rows<E>(
    param: &Param,
    layout: &CacheLayout,
    tokens: Option<&[Range<u64>]>,
    visit: &mut dyn FnMut(RowsAt) -> Result<(), E>,
) -> Result<(), E> {
    let element = param.dtype.size_bytes() as u64;
    let rank = param.shape.len();
    let is_run =
        layout.strides[rank - 1] == 1 && ![layout.slot_dim, Some(layout.token_dim)].contains(&Some(rank as u32 - 1));
    let (outer, run) = if is_run { (rank - 1, param.shape[rank - 1]) } else { (rank, 1) };
    let high = (0..outer).filter(|dim| layout.slot_dim != Some(*dim as u32)).max_by_key(|dim| param.shape[*dim]);
    let dense_stride = |dim: usize| param.shape[dim + 1..].iter().product::<u64>();
    let mut index = vec![0_u64; outer];
    loop {
        let at = |dim: u32| index.get(dim as usize).copied().unwrap_or(0);
        let slot = layout.slot_dim.map_or(0, at) as usize;
        let kept = tokens.map_or(0..u64::MAX, |tokens| tokens[slot].clone());
        let is_token = high == Some(layout.token_dim as usize);
        let extent = high.map_or(1, |dim| param.shape[dim]);
        let lines = if is_token { kept.start.min(extent)..kept.end.min(extent) } else { 0..extent };
        let height = lines.end.saturating_sub(lines.start);
        if height > 0 && (is_token || kept.contains(&at(layout.token_dim))) {
            let first = |dim: usize| if high == Some(dim) { lines.start } else { index[dim] };
            let sum = |stride: &dyn Fn(usize) -> u64| (0..outer).map(|dim| first(dim) * stride(dim)).sum::<u64>();
            let width = run * element;
            visit(RowsAt {
                offset: layout.offset + sum(&|dim| layout.strides[dim]) * element,
                dense: sum(&dense_stride) * element,
                rows: Rows {
                    width,
                    height,
                    host_pitch: high.map_or(width, |dim| dense_stride(dim) * element),
                    device_pitch: high.map_or(width, |dim| layout.strides[dim] * element),
                },
            })?;
        }
        let next = (0..outer).rev().find(|dim| Some(*dim) != high && index[*dim] + 1 < param.shape[*dim]);
        let Some(dim) = next else { return Ok(()) };
        index[dim] += 1;
        index[dim + 1..].fill(0);
    }
}

#[cfg(test)]
mod tests {
    use pygraph_artifact::{dtype::DType, plan::Bind};

    use super::*;

    /// What is copied row by row, and what run by run, for a cache of 2 slots, 3 heads, 5 tokens and 4 features.
    #[test]
    fn rows_are_the_runs_of_a_cache() {
        let (shape, strides) = (vec![2, 3, 5, 4], vec![1000, 4, 12, 1]);
        let param = Param {
            name: "k".into(),
            dtype: DType::F16,
            shape,
            bind: Bind::State,
            updated_by: None,
            cache: None,
            initial: None,
        };
        let layout = CacheLayout { arena: 0, offset: 64, strides, slot_dim: Some(0), token_dim: 2 };
        let mut runs = Vec::new();
        each_run(&param, &layout, &mut |run| {
            runs.push((run.slot, run.token, run.offset, run.dense as u64, run.bytes as u64))
        });
        for tokens in [[0..5, 0..5], [0..0, 0..3], [0..1, 0..0], [2..4, 3..9], [4..4, 6..7]] {
            let mut expected: Vec<_> =
                runs.iter().filter(|run| tokens[run.0].contains(&run.1)).map(|run| (run.2, run.3, run.4)).collect();
            let mut found = Vec::new();
            let mut pieces = 0;
            let visited: Result<(), ()> = each_rows(&param, &layout, Some(&tokens), &mut |at| {
                pieces += 1;
                found.extend((0..at.rows.height).map(|row| {
                    (at.offset + row * at.rows.device_pitch, at.dense + row * at.rows.host_pitch, at.rows.width)
                }));
                Ok(())
            });
            assert_eq!(visited, Ok(()));
            expected.sort_unstable();
            found.sort_unstable();
            assert_eq!(found, expected, "{tokens:?}");
            assert!(pieces <= 6, "one a slot and head");
        }
    }
}
