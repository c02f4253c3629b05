//! How an access goes through its buffer as the points of an iteration space are counted off.

use smallvec::SmallVec;

/// An affine walk over a rectangular space whose points are numbered row-major.
///
/// Dimensions that the walk treats as one are merged, so that runs are as long as the access allows, whatever the
/// other accesses of the nest look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Walk {
    offset: i64,
    /// Extent and stride, outermost first; at least one.
    dimensions: SmallVec<[(u64, i64); 4]>,
}

/// Consecutive points whose elements are equally spaced.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    /// Position of the first point, from the first one asked for.
    pub position: usize,
    /// Its element.
    pub first: i64,
    /// From one element to the next.
    pub stride: i64,
    /// How many points.
    pub count: usize,
}

impl Walk {
    /// The walk `offset + Σ strides[d] * index[d]` over these extents, all of them at least 1.
    pub fn new(offset: i64, extents: &[u64], strides: &[i64]) -> Walk {
        let mut dimensions: SmallVec<[(u64, i64); 4]> = SmallVec::new();
        for (extent, stride) in extents.iter().zip(strides) {
            if *extent == 1 {
                continue;
            }
            match dimensions.last_mut() {
                Some(outer) if i128::from(outer.1) == i128::from(*stride) * i128::from(*extent) => {
                    *outer = (outer.0 * extent, *stride);
                }
                _ => dimensions.push((*extent, *stride)),
            }
        }
        if dimensions.is_empty() {
            dimensions.push((1, 0));
        }
        Walk { offset, dimensions }
    }

    /// Extent and stride of the innermost dimension.
    pub fn innermost(&self) -> (u64, i64) {
        self.dimensions[self.dimensions.len() - 1]
    }

    /// Calls `visit` for every run of the points `start .. start + count`, which must lie in the space.
    pub fn for_runs(&self, start: u64, count: usize, mut visit: impl FnMut(Run)) {
        let (extent, stride) = self.innermost();
        if self.dimensions.len() == 1 {
            visit(Run { position: 0, first: self.offset + stride * start as i64, stride, count });
            return;
        }
        let mut index: SmallVec<[u64; 8]> = SmallVec::from_elem(0, self.dimensions.len());
        let mut rest = start;
        let mut row = self.offset;
        for (idx, (extent, stride)) in self.dimensions.iter().enumerate().rev() {
            index[idx] = rest % extent;
            rest /= extent;
            row += stride * index[idx] as i64;
        }
        let inner = self.dimensions.len() - 1;
        let mut position = 0;
        while position < count {
            let run = ((extent - index[inner]) as usize).min(count - position);
            visit(Run { position, first: row, stride, count: run });
            position += run;
            index[inner] += run as u64;
            row += stride * run as i64;
            let mut idx = inner;
            while idx > 0 && index[idx] == self.dimensions[idx].0 {
                row -= self.dimensions[idx].1 * index[idx] as i64;
                index[idx] = 0;
                idx -= 1;
                index[idx] += 1;
                row += self.dimensions[idx].1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elements(walk: &Walk, start: u64, count: usize) -> Vec<i64> {
        let mut elements = vec![i64::MIN; count];
        walk.for_runs(start, count, |run| {
            for idx in 0..run.count {
                elements[run.position + idx] = run.first + run.stride * idx as i64;
            }
        });
        elements
    }

    #[test]
    fn walks_agree_with_plain_counting() {
        let extents = [2, 3, 1, 4];
        for strides in [[12, 4, 7, 1], [1, 2, 0, 6], [0, 0, 0, 1], [-12, 4, 3, -1], [0, 1, 5, 0]] {
            let walk = Walk::new(5, &extents, &strides);
            let mut plain = Vec::new();
            for (a, b, d) in (0..24).map(|point| (point / 12, point / 4 % 3, point % 4)) {
                plain.push(5 + strides[0] * a + strides[1] * b + strides[3] * d);
            }
            for start in 0..24 {
                for count in 1..=24 - start {
                    assert_eq!(elements(&walk, start as u64, count), plain[start..start + count]);
                }
            }
        }
    }

    #[test]
    fn dimensions_merge_where_the_access_allows() {
        assert_eq!(Walk::new(0, &[2, 3, 4], &[12, 4, 1]).innermost(), (24, 1));
        assert_eq!(Walk::new(0, &[2, 3, 4], &[0, 0, 0]).innermost(), (24, 0));
        assert_eq!(Walk::new(0, &[2, 3, 4], &[0, 4, 1]).innermost(), (12, 1));
        assert_eq!(Walk::new(0, &[1, 1], &[7, 9]).innermost(), (1, 0));
    }
}
