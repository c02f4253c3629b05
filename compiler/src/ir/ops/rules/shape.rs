//! Operations that move elements, with a shape known at compile time.

use super::{Types, ensure, merge_shapes, one, one_each, position, positions, result_element};
use crate::ir::{
    Dim, ElementType,
    ops::view::{View, dim_of, dims_compatible, elements_compatible, extent, show_dim, show_element, show_shape},
};

/// New outermost dimensions.
pub fn broadcast(view: &View) -> Types {
    let operand = view.tensor(0)?;
    let sizes = view.ints("broadcast_sizes")?;
    let sizes: Option<Vec<Dim>> = sizes.iter().map(|size| u64::try_from(*size).ok().map(Dim::Static)).collect();
    let sizes = sizes.ok_or("`broadcast_sizes` should not be negative")?;
    one(sizes.into_iter().chain(operand.shape.iter().cloned()), result_element(view, &operand.element))
}

/// Operand dimension `d` is result dimension `broadcast_dimensions[d]`, or is 1.
pub fn broadcast_in_dim(view: &View) -> Result<(), String> {
    let (operand, result) = (view.tensor(0)?, view.result_tensor(0)?);
    let dims = view.ints("broadcast_dimensions")?;
    one_each("broadcast_dimensions", dims, operand.rank())?;
    for (from, to) in positions("broadcast_dimensions", dims, result.rank())?.into_iter().enumerate() {
        let (own, wanted) = (&operand.shape[from], &result.shape[to]);
        ensure(extent(own) == Some(1) || dims_compatible(own, wanted), || {
            let (own, wanted) = (show_dim(own), show_dim(wanted));
            format!("broadcast_in_dim maps dimension {from} of extent {own} to dimension {to} of extent {wanted}")
        })?;
    }
    same_element(view, &operand.element, &result.element)
}

/// Both element types are one.
pub(super) fn same_element(view: &View, operand: &ElementType, result: &ElementType) -> Result<(), String> {
    ensure(elements_compatible(operand, result), || {
        let (operand, result) = (show_element(operand), show_element(result));
        format!("{} keeps the element type, but goes from {operand} to {result}", super::short_name(view))
    })
}

/// Extents add up along the dimension and agree elsewhere.
pub fn concatenate(view: &View) -> Types {
    let inputs = view.tensors()?;
    let first = inputs.first().ok_or("concatenate takes at least one operand")?;
    let at = position("dimension", view.int("dimension")?, first.rank())?;
    let mut shape = first.shape.clone();
    let mut total = Some(0u64);
    for input in &inputs {
        let fits = input.rank() == shape.len()
            && input.shape.iter().zip(&shape).enumerate().all(|(d, (a, b))| d == at || dims_compatible(a, b));
        ensure(fits, || {
            let (first, other) = (show_shape(&first.shape), show_shape(&input.shape));
            format!("concatenate along dimension {at} does not fit {first} and {other}")
        })?;
        same_element(view, &first.element, &input.element)?;
        total = total.zip(extent(&input.shape[at])).and_then(|(sum, extent)| sum.checked_add(extent));
        shape = shape.iter().zip(&input.shape).map(|(a, b)| super::merge_dims(a, b)).collect();
    }
    shape[at] = dim_of(total);
    one(shape, result_element(view, &first.element))
}

/// The dimension is one of the result.
pub fn iota(view: &View) -> Result<(), String> {
    position("iota_dimension", view.int("iota_dimension")?, view.result_tensor(0)?.rank()).map(|_| ())
}

/// Every extent grows by the padding at both ends and between elements; padding at the ends may be negative.
pub fn pad(view: &View) -> Types {
    let (operand, value) = (view.tensor(0)?, view.tensor(1)?);
    same_element(view, &operand.element, &value.element)?;
    let (low, high) = (view.ints("edge_padding_low")?, view.ints("edge_padding_high")?);
    let interior = view.ints("interior_padding")?;
    for (name, values) in [("edge_padding_low", low), ("edge_padding_high", high), ("interior_padding", interior)] {
        one_each(name, values, operand.rank())?;
    }
    let mut shape = operand.shape.clone();
    for (d, dim) in shape.iter_mut().enumerate() {
        ensure(interior[d] >= 0, || format!("`interior_padding` of dimension {d} is {}", interior[d]))?;
        let Some(extent) = extent(dim) else {
            if (low[d], high[d], interior[d]) != (0, 0, 0) {
                *dim = dim_of(None);
            }
            continue;
        };
        let between = i128::from(extent.saturating_sub(1)) * i128::from(interior[d]);
        let padded = i128::from(extent) + between + i128::from(low[d]) + i128::from(high[d]);
        let padded = u64::try_from(padded).map_err(|_| {
            format!("pad by {} and {} makes dimension {d} of extent {extent} negative", low[d], high[d])
        })?;
        *dim = dim_of(Some(padded));
    }
    one(shape, result_element(view, &operand.element))
}

/// The number of elements stays.
pub fn reshape(view: &View) -> Result<(), String> {
    let (operand, result) = (view.tensor(0)?, view.result_tensor(0)?);
    same_element(view, &operand.element, &result.element)?;
    if let (Some(from), Some(to)) = (operand.element_count(), result.element_count()) {
        ensure(from == to, || {
            let (from_shape, to_shape) = (show_shape(&operand.shape), show_shape(&result.shape));
            format!("reshape from {from_shape} ({from} elements) to {to_shape} ({to} elements)")
        })?;
    }
    Ok(())
}

/// The type stays.
pub fn reverse(view: &View) -> Types {
    let operand = view.tensor(0)?;
    positions("dimensions", view.ints("dimensions")?, operand.rank())?;
    one(operand.shape.iter().cloned(), result_element(view, &operand.element))
}

/// From start to limit by strides, in bounds.
pub fn slice(view: &View) -> Types {
    let operand = view.tensor(0)?;
    let (start, limit) = (view.ints("start_indices")?, view.ints("limit_indices")?);
    let strides = view.ints("strides")?;
    for (name, values) in [("start_indices", start), ("limit_indices", limit), ("strides", strides)] {
        one_each(name, values, operand.rank())?;
    }
    let mut shape = operand.shape.clone();
    for (d, dim) in shape.iter_mut().enumerate() {
        let (start, limit, stride) = (start[d], limit[d], strides[d]);
        let most = extent(dim).map_or(i128::from(i64::MAX), i128::from);
        ensure(0 <= start && start <= limit && i128::from(limit) <= most, || {
            format!("slice takes {start} to {limit} of dimension {d}, which has extent {}", show_dim(dim))
        })?;
        ensure(stride >= 1, || format!("slice has stride {stride} in dimension {d}"))?;
        *dim = Dim::Static(((limit - start) as u64).div_ceil(stride as u64));
    }
    one(shape, result_element(view, &operand.element))
}

/// Result dimension `d` is operand dimension `permutation[d]`.
pub fn transpose(view: &View) -> Types {
    let operand = view.tensor(0)?;
    let permutation = view.ints("permutation")?;
    one_each("permutation", permutation, operand.rank())?;
    let permutation = positions("permutation", permutation, operand.rank())?;
    one(permutation.into_iter().map(|d| operand.shape[d].clone()), result_element(view, &operand.element))
}

/// The dimension is one of the operand.
pub fn get_dimension_size(view: &View) -> Types {
    position("dimension", view.int("dimension")?, view.tensor(0)?.rank())?;
    one([], result_element(view, &ElementType::I32))
}

/// The other extents stay.
pub fn set_dimension_size(view: &View) -> Result<(), String> {
    let (operand, result) = (view.tensor(0)?, view.result_tensor(0)?);
    let at = position("dimension", view.int("dimension")?, operand.rank())?;
    same_element(view, &operand.element, &result.element)?;
    ensure(operand.rank() == result.rank(), || "set_dimension_size keeps the number of dimensions".to_string())?;
    let others =
        |shape: &[Dim]| shape.iter().enumerate().filter(|(d, _)| *d != at).map(|(_, dim)| dim.clone()).collect();
    let (from, to): (Vec<Dim>, Vec<Dim>) = (others(&operand.shape), others(&result.shape));
    merge_shapes(view, [&from[..], &to[..]]).map(|_| ())
}
