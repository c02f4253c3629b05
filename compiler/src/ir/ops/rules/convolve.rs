//! Convolution.

use super::{Types, ensure, one, positions, result_element, window::windows};
use crate::ir::{
    Attribute, Dim, TensorType,
    attribute::ConvDimensions,
    ops::view::{View, dim_of, extent, shapes_compatible, show_dim, show_shape, unknown_dim},
};

/// The result's extents follow from windows of the kernel over the input.
pub fn convolution(view: &View) -> Types {
    let (lhs, rhs) = (view.tensor(0)?, view.tensor(1)?);
    let dims = dimensions(view)?;
    let mut shape = features(view, dims, lhs, rhs)?;
    let sizes: Vec<Option<u64>> = dims.kernel_spatial.iter().map(|d| extent(&rhs.shape[*d as usize])).collect();
    let windows = windows(view, &sizes, "lhs_dilation", "rhs_dilation")?;
    if view.attr("window_reversal").is_some() {
        super::one_each("window_reversal", view.ints("window_reversal")?, sizes.len())?;
    }
    for (window, (input, output)) in windows.iter().zip(dims.input_spatial.iter().zip(&dims.output_spatial)) {
        let input = *input as usize;
        shape[*output as usize] = window.positions(input, &lhs.shape[input])?;
    }
    one(shape, result_element(view, &lhs.element))
}

/// The padding is an operand: one pair for each dimension of the window.
pub fn dynamic(view: &View) -> Result<(), String> {
    let (lhs, rhs, padding, result) = (view.tensor(0)?, view.tensor(1)?, view.tensor(2)?, view.result_tensor(0)?);
    let dims = dimensions(view)?;
    let wanted = [Dim::Static(dims.input_spatial.len() as u64), Dim::Static(2)];
    ensure(shapes_compatible(&padding.shape, &wanted), || {
        format!("`padding` should be {}, but is {}", show_shape(&wanted), show_shape(&padding.shape))
    })?;
    let shape = features(view, dims, lhs, rhs)?;
    ensure(shapes_compatible(&shape, &result.shape), || {
        format!("dynamic_conv gives {}, but the result has {}", show_shape(&shape), show_shape(&result.shape))
    })
}

/// The dimension numbers, each side's a permutation of its dimensions.
fn dimensions<'v>(view: &View<'v>) -> Result<&'v ConvDimensions, String> {
    let (lhs, rhs) = (view.tensor(0)?, view.tensor(1)?);
    let Some(Attribute::ConvDimensions(dims)) = view.attr("dimension_numbers") else {
        return Err("`dimension_numbers` is missing".to_string());
    };
    let rank = lhs.rank();
    ensure(rank == rhs.rank(), || {
        format!("convolution has {} and {}", show_shape(&lhs.shape), show_shape(&rhs.shape))
    })?;
    let sides = [
        ("input", dims.input_batch, dims.input_feature, &dims.input_spatial),
        ("kernel", dims.kernel_input_feature, dims.kernel_output_feature, &dims.kernel_spatial),
        ("output", dims.output_batch, dims.output_feature, &dims.output_spatial),
    ];
    for (side, first, second, spatial) in sides {
        let named: Vec<i64> = [first, second].into_iter().chain(spatial.iter().copied()).collect();
        ensure(named.len() == rank, || {
            format!("`dimension_numbers` name {} dimensions of the {side}, which has {rank}", named.len())
        })?;
        positions("dimension_numbers", &named, rank).map_err(|error| format!("{error} (the {side})"))?;
    }
    Ok(dims)
}

/// The result's batch and feature extents, in a shape that knows nothing of the others.
fn features(view: &View, dims: &ConvDimensions, lhs: &TensorType, rhs: &TensorType) -> Result<Vec<Dim>, String> {
    let feature_groups = count(view, "feature_group_count")?;
    let batch_groups = count(view, "batch_group_count")?;
    ensure(feature_groups == 1 || batch_groups == 1, || {
        format!("convolution has {feature_groups} feature groups and {batch_groups} batch groups, but one must be 1")
    })?;
    let input = |d: i64| &lhs.shape[d as usize];
    let kernel = |d: i64| &rhs.shape[d as usize];
    let divides = |dim: &Dim, groups: u64, what: &str| {
        ensure(extent(dim).is_none_or(|extent| extent % groups == 0), || {
            format!("convolution cannot divide {what} {} into {groups} groups", show_dim(dim))
        })
    };
    divides(input(dims.input_feature), feature_groups, "input features")?;
    divides(input(dims.input_batch), batch_groups, "batches")?;
    divides(kernel(dims.kernel_output_feature), feature_groups, "output features")?;
    divides(kernel(dims.kernel_output_feature), batch_groups, "output features")?;
    if let (Some(own), Some(taken)) = (extent(input(dims.input_feature)), extent(kernel(dims.kernel_input_feature))) {
        ensure(own / feature_groups == taken, || {
            format!("convolution has {own} input features in {feature_groups} groups, but its kernel takes {taken}")
        })?;
    }
    let mut shape = vec![unknown_dim(); lhs.rank()];
    shape[dims.output_batch as usize] = match extent(input(dims.input_batch)) {
        Some(batch) => dim_of(Some(batch / batch_groups)),
        None if batch_groups == 1 => input(dims.input_batch).clone(),
        None => unknown_dim(),
    };
    shape[dims.output_feature as usize] = kernel(dims.kernel_output_feature).clone();
    Ok(shape)
}

fn count(view: &View, name: &str) -> Result<u64, String> {
    let count = view.int(name)?;
    u64::try_from(count)
        .ok()
        .filter(|count| *count >= 1)
        .ok_or_else(|| format!("`{name}` should be at least 1, but is {count}"))
}
