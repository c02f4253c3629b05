//! Operations whose shape is known at run time: an operand gives it, the result type says what is known of it.

use super::{ensure, position, positions, shape::same_element};
use crate::ir::{
    TensorType,
    ops::view::{View, dims_compatible, extent, show_dim, show_shape},
};

/// The operand that gives a shape has one value for each dimension.
fn gives_shape(name: &str, shape: &TensorType, rank: usize) -> Result<(), String> {
    let count = shape.shape.first().and_then(extent);
    ensure(count.is_none_or(|count| count == rank as u64), || {
        let count = count.unwrap_or_default();
        format!("`{name}` has {count} values, but should have one for each of {rank} dimensions")
    })
}

/// Like `broadcast_in_dim`, where dimensions not known may be 1.
pub fn broadcast_in_dim(view: &View) -> Result<(), String> {
    let (operand, result) = (view.tensor(0)?, view.result_tensor(0)?);
    gives_shape("output_dimensions", view.tensor(1)?, result.rank())?;
    for name in ["known_expanding_dimensions", "known_nonexpanding_dimensions"] {
        if view.attr(name).is_some() {
            positions(name, view.ints(name)?, operand.rank())?;
        }
    }
    super::shape::broadcast_in_dim(view)
}

/// The dimension is one of the result.
pub fn iota(view: &View) -> Result<(), String> {
    gives_shape("output_shape", view.tensor(0)?, view.result_tensor(0)?.rank())?;
    super::shape::iota(view)
}

/// One amount for each dimension.
pub fn pad(view: &View) -> Result<(), String> {
    let (operand, value, result) = (view.tensor(0)?, view.tensor(1)?, view.result_tensor(0)?);
    same_element(view, &operand.element, &value.element)?;
    same_element(view, &operand.element, &result.element)?;
    ensure(operand.rank() == result.rank(), || {
        format!("dynamic_pad goes from {} to {} dimensions", operand.rank(), result.rank())
    })?;
    for (index, name) in [(2, "edge_padding_low"), (3, "edge_padding_high"), (4, "interior_padding")] {
        gives_shape(name, view.tensor(index)?, operand.rank())?;
    }
    Ok(())
}

/// The number of elements stays, where it is known.
pub fn reshape(view: &View) -> Result<(), String> {
    gives_shape("output_shape", view.tensor(1)?, view.result_tensor(0)?.rank())?;
    super::shape::reshape(view)
}

/// One bound for each dimension.
pub fn slice(view: &View) -> Result<(), String> {
    let (operand, result) = (view.tensor(0)?, view.result_tensor(0)?);
    same_element(view, &operand.element, &result.element)?;
    ensure(operand.rank() == result.rank(), || {
        format!("real_dynamic_slice goes from {} to {} dimensions", operand.rank(), result.rank())
    })?;
    for (index, name) in [(1, "start_indices"), (2, "limit_indices"), (3, "strides")] {
        gives_shape(name, view.tensor(index)?, operand.rank())?;
    }
    Ok(())
}

/// Dimensions of the wider type are groups of the narrower's neighbours.
pub fn reassociate(view: &View, wide: &TensorType, narrow: &TensorType) -> Result<(), String> {
    same_element(view, &wide.element, &narrow.element)?;
    let Some(crate::ir::Attribute::Array(groups)) = view.attr("reassociation") else {
        return Err("`reassociation` is missing".to_string());
    };
    ensure(groups.len() == narrow.rank(), || {
        format!("`reassociation` has {} groups for {} dimensions", groups.len(), narrow.rank())
    })?;
    let mut next = 0;
    for (group, dim) in groups.iter().zip(&narrow.shape) {
        let crate::ir::Attribute::Array(members) = group else { continue };
        let mut product = Some(1u64);
        for member in members.iter() {
            let at = position("reassociation", member.as_i64().unwrap_or(-1), wide.rank())?;
            ensure(at == next, || format!("`reassociation` names dimension {at} where {next} is next"))?;
            next += 1;
            product = product.zip(extent(&wide.shape[at])).and_then(|(product, extent)| product.checked_mul(extent));
        }
        ensure(product.is_none_or(|product| dims_compatible(&crate::ir::Dim::Static(product), dim)), || {
            let product = product.unwrap_or_default();
            format!("`reassociation` makes {product} of a group, but the dimension is {}", show_dim(dim))
        })?;
    }
    // A tensor without dimensions has no groups; all extents on the other side are then 1.
    ensure(next == wide.rank() || groups.is_empty(), || {
        format!("`reassociation` names {next} dimensions of {}", show_shape(&wide.shape))
    })
}
