//! Windows that slide along dimensions, over a base that padding makes longer or shorter.

/// One dimension of a window.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// Positions in the window.
    pub size: u64,
    /// From one window to the next.
    pub stride: i64,
    /// Added before; may be negative.
    pub low: i64,
    /// Added after; may be negative.
    pub high: i64,
}

impl Window {
    /// How many windows fit along a base of that extent; none if the sizes are beyond counting.
    pub fn count(&self, extent: u64) -> Option<u64> {
        let bound = i128::from(i64::MAX / 8);
        let (base, window) = (i128::from(extent), i128::from(self.size));
        let (low, high) = (i128::from(self.low), i128::from(self.high));
        if [base, window, low.abs(), high.abs()].iter().any(|size| *size > bound) {
            return None;
        }
        let base = base + low + high;
        if base < window { Some(0) } else { u64::try_from((base - window) / i128::from(self.stride) + 1).ok() }
    }

    /// The base's element under a position of a window, if there is one.
    pub fn element(&self, window: usize, position: usize, extent: usize) -> Option<usize> {
        let element = usize::try_from(window as i64 * self.stride + position as i64 - self.low).ok()?;
        (element < extent).then_some(element)
    }
}
