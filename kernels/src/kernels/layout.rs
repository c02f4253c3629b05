//! Copies between rectangular parts of dense arrays.

use smallvec::SmallVec;

/// Row-major strides, in elements. Those of an empty array, which nobody uses, may wrap around.
pub fn strides(shape: &[u64]) -> Vec<usize> {
    let mut strides = vec![1usize; shape.len()];
    for dimension in (1..shape.len()).rev() {
        strides[dimension - 1] = strides[dimension].wrapping_mul(shape[dimension] as usize);
    }
    strides
}

/// Counts through a rectangular space in row-major order.
pub struct Counter {
    extents: Vec<usize>,
    /// The position; all zero at first.
    pub index: Vec<usize>,
}

impl Counter {
    /// At the first position. The space must not be empty.
    pub fn new(extents: Vec<usize>) -> Counter {
        let index = vec![0; extents.len()];
        Counter { extents, index }
    }

    /// Goes to the next position; false at the end.
    pub fn advance(&mut self) -> bool {
        for dimension in (0..self.extents.len()).rev() {
            self.index[dimension] += 1;
            if self.index[dimension] < self.extents[dimension] {
                return true;
            }
            self.index[dimension] = 0;
        }
        false
    }
}

/// A rectangular part of one array and where it goes in another; offsets come with each copy.
#[derive(Debug, Clone)]
pub struct Patch {
    element_bytes: usize,
    /// Bytes of the innermost contiguous run.
    run_bytes: usize,
    /// Extent, source stride and target stride in bytes, outermost first.
    dimensions: SmallVec<[(usize, usize, usize); 4]>,
    is_empty: bool,
}

impl Patch {
    /// A part of these extents, with strides in elements.
    pub fn new(element_bytes: usize, extents: &[usize], source: &[usize], target: &[usize]) -> Patch {
        let mut dimensions: SmallVec<[(usize, usize, usize); 4]> = SmallVec::new();
        for ((extent, source), target) in extents.iter().zip(source).zip(target) {
            let inner = (*extent, source * element_bytes, target * element_bytes);
            match dimensions.last_mut() {
                _ if *extent == 1 => {}
                Some(outer) if outer.1 == inner.0 * inner.1 && outer.2 == inner.0 * inner.2 => {
                    *outer = (outer.0 * inner.0, inner.1, inner.2);
                }
                _ => dimensions.push(inner),
            }
        }
        let mut run_bytes = element_bytes;
        if let Some(inner) = dimensions.last()
            && inner.1 == element_bytes
            && inner.2 == element_bytes
        {
            run_bytes *= inner.0;
            dimensions.pop();
        }
        Patch { element_bytes, run_bytes, dimensions, is_empty: extents.contains(&0) }
    }

    /// Copies the part; offsets are in elements.
    pub fn copy(&self, source: &[u8], source_offset: usize, target: &mut [u8], target_offset: usize) {
        if self.is_empty {
            return;
        }
        let from = source_offset * self.element_bytes;
        let to = target_offset * self.element_bytes;
        self.copy_dimensions(&self.dimensions, source, from, target, to);
    }

    fn copy_dimensions(
        &self,
        dimensions: &[(usize, usize, usize)],
        source: &[u8],
        from: usize,
        target: &mut [u8],
        to: usize,
    ) {
        match dimensions {
            [] => target[to..to + self.run_bytes].copy_from_slice(&source[from..from + self.run_bytes]),
            [(extent, source_stride, target_stride)] => {
                let copy_runs = |target: &mut [u8], run: usize| {
                    for idx in 0..*extent {
                        let (from, to) = (from + idx * source_stride, to + idx * target_stride);
                        target[to..to + run].copy_from_slice(&source[from..from + run]);
                    }
                };
                // Constant sizes make the copies of single elements plain moves.
                match self.run_bytes {
                    1 => copy_runs(target, 1),
                    2 => copy_runs(target, 2),
                    4 => copy_runs(target, 4),
                    8 => copy_runs(target, 8),
                    run => copy_runs(target, run),
                }
            }
            [(extent, source_stride, target_stride), inner @ ..] => {
                for idx in 0..*extent {
                    let (from, to) = (from + idx * source_stride, to + idx * target_stride);
                    self.copy_dimensions(inner, source, from, target, to);
                }
            }
        }
    }
}
