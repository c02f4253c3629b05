//! Windows that move over a tensor, as `convolution`, `reduce_window` and `select_and_scatter` have them.

use super::ensure;
use crate::ir::{
    Dim,
    ops::view::{View, dim_of, extent},
};

/// How a window moves along one dimension.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// Extent of the window.
    pub size: Option<u64>,
    /// Step from one position to the next.
    pub stride: i64,
    /// Padding before the first element; may be negative.
    pub low: i64,
    /// Padding after the last element; may be negative.
    pub high: i64,
    /// Distance of the input's elements.
    pub base_dilation: i64,
    /// Distance of the window's elements.
    pub window_dilation: i64,
}

impl Window {
    /// How many positions it has along a dimension.
    pub fn positions(&self, dimension: usize, input: &Dim) -> Result<Dim, String> {
        for (what, value) in
            [("stride", self.stride), ("base dilation", self.base_dilation), ("window dilation", self.window_dilation)]
        {
            ensure(value >= 1, || format!("the window has {what} {value} in dimension {dimension}"))?;
        }
        ensure(self.size != Some(0), || format!("the window has extent 0 in dimension {dimension}"))?;
        let (Some(input), Some(size)) = (extent(input), self.size) else { return Ok(dim_of(None)) };
        let dilated = |extent: u64, dilation: i64| match extent {
            0 => 0,
            _ => i128::from(extent - 1) * i128::from(dilation) + 1,
        };
        let padded = dilated(input, self.base_dilation) + i128::from(self.low) + i128::from(self.high);
        let window = dilated(size, self.window_dilation);
        let count = if padded <= 0 || window > padded { 0 } else { (padded - window) / i128::from(self.stride) + 1 };
        u64::try_from(count)
            .map(|count| dim_of(Some(count)))
            .map_err(|_| format!("the window has {count} positions in dimension {dimension}"))
    }
}

/// The attributes of windows over `sizes.len()` dimensions; missing ones mean the plainest window.
pub fn windows(
    view: &View,
    sizes: &[Option<u64>],
    base_dilations: &str,
    window_dilations: &str,
) -> Result<Vec<Window>, String> {
    let rank = sizes.len();
    let strides = view.ints_or("window_strides", 1, rank)?;
    let base = view.ints_or(base_dilations, 1, rank)?;
    let window = view.ints_or(window_dilations, 1, rank)?;
    let padding = view.pairs("padding", rank)?;
    Ok((0..rank)
        .map(|d| Window {
            size: sizes[d],
            stride: strides[d],
            low: padding[d].0,
            high: padding[d].1,
            base_dilation: base[d],
            window_dilation: window[d],
        })
        .collect())
}
