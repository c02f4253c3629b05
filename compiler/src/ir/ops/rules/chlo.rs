//! Client operations that broadcast their operands.

use super::{Shape, Types, ensure, one, one_each, positions, short_name};
use crate::ir::{
    Dim, ElementType, TensorType,
    ops::view::{View, dims_compatible, extent, merge_dims, show_element, show_shape, unknown_dim},
};

/// Both operands have one element type, and so has the result.
pub fn binary(view: &View) -> Types {
    let (lhs, rhs) = (view.tensor(0)?, view.tensor(1)?);
    one_element(view, lhs, rhs)?;
    one(broadcast_pair(view, lhs, rhs)?, &lhs.element)
}

/// Truth values.
pub fn compare(view: &View) -> Types {
    let (lhs, rhs) = (view.tensor(0)?, view.tensor(1)?);
    one_element(view, lhs, rhs)?;
    super::elementwise::check_order(view, &lhs.element)?;
    one(broadcast_pair(view, lhs, rhs)?, &ElementType::BOOL)
}

/// Complex numbers of two floats.
pub fn complex(view: &View) -> Types {
    let (lhs, rhs) = (view.tensor(0)?, view.tensor(1)?);
    one_element(view, lhs, rhs)?;
    let ElementType::Float(part) = lhs.element else {
        return Err(format!("broadcast_complex takes floats, but has {}", show_element(&lhs.element)));
    };
    one(broadcast_pair(view, lhs, rhs)?, &ElementType::Complex(part))
}

/// All three are broadcast.
pub fn select(view: &View) -> Types {
    let (pred, on_true, on_false) = (view.tensor(0)?, view.tensor(1)?, view.tensor(2)?);
    one_element(view, on_true, on_false)?;
    let shape = trailing(view, &on_true.shape, &on_false.shape)?;
    one(trailing(view, &pred.shape, &shape)?, &on_true.element)
}

fn one_element(view: &View, lhs: &TensorType, rhs: &TensorType) -> Result<(), String> {
    ensure(lhs.element == rhs.element, || {
        let (lhs, rhs) = (show_element(&lhs.element), show_element(&rhs.element));
        format!("{} takes operands of one element type, but has {lhs} and {rhs}", short_name(view))
    })
}

/// The common shape; `broadcast_dimensions` says where the operand of lower rank goes, else it is aligned at the end.
fn broadcast_pair(view: &View, lhs: &TensorType, rhs: &TensorType) -> Result<Shape, String> {
    if view.attr("broadcast_dimensions").is_none() {
        return trailing(view, &lhs.shape, &rhs.shape);
    }
    let dims = view.ints("broadcast_dimensions")?;
    let (small, large) = if lhs.rank() <= rhs.rank() { (lhs, rhs) } else { (rhs, lhs) };
    one_each("broadcast_dimensions", dims, small.rank())?;
    let mut spread: Shape = large.shape.iter().map(|_| Dim::Static(1)).collect();
    for (from, to) in positions("broadcast_dimensions", dims, large.rank())?.into_iter().enumerate() {
        spread[to] = small.shape[from].clone();
    }
    trailing(view, &spread, &large.shape)
}

/// Shapes aligned at their ends; 1 stretches.
pub(super) fn trailing(view: &View, lhs: &[Dim], rhs: &[Dim]) -> Result<Shape, String> {
    let rank = lhs.len().max(rhs.len());
    let at = |shape: &[Dim], d: usize| (d + shape.len()).checked_sub(rank).map_or(Dim::Static(1), |d| shape[d].clone());
    (0..rank)
        .map(|d| {
            let (own, other) = (at(lhs, d), at(rhs, d));
            match (extent(&own), extent(&other)) {
                (Some(1), _) => Ok(other),
                (_, Some(1)) => Ok(own),
                (None, None) if own != other => Ok(unknown_dim()),
                _ if dims_compatible(&own, &other) => Ok(merge_dims(&own, &other)),
                _ => Err(format!(
                    "{} can't broadcast {} and {} to one shape",
                    short_name(view),
                    show_shape(lhs),
                    show_shape(rhs)
                )),
            }
        })
        .collect()
}
