//! Batch normalisation.

use super::{Types, ensure, position, tensor};
use crate::ir::{
    Dim, TensorType, Type,
    ops::view::{View, dims_compatible, show_dim, show_element},
};

/// The operand and its feature extent, after checks of all vectors against it.
fn feature<'v>(view: &View<'v>, vectors: &[usize]) -> Result<(&'v TensorType, &'v Dim), String> {
    let operand = view.tensor(0)?;
    let at = position("feature_index", view.int("feature_index")?, operand.rank())?;
    for index in vectors {
        let vector = view.tensor(*index)?;
        let own = vector.shape.first().ok_or("operands should be vectors")?;
        ensure(dims_compatible(own, &operand.shape[at]), || {
            let (name, own) = (super::short_name(view), show_dim(own));
            format!("{name} has {} features, but operand {index} has {own}", show_dim(&operand.shape[at]))
        })?;
        ensure(vector.element == operand.element, || {
            let (own, wanted) = (show_element(&vector.element), show_element(&operand.element));
            format!("{} has {wanted} and {own}", super::short_name(view))
        })?;
    }
    Ok((operand, &operand.shape[at]))
}

fn with_vectors(operand: &TensorType, feature: &Dim) -> Vec<Type> {
    let vector = tensor([feature.clone()], &operand.element);
    vec![tensor(operand.shape.iter().cloned(), &operand.element), vector.clone(), vector]
}

/// The operand's type and two vectors.
pub fn training(view: &View) -> Types {
    let (operand, feature) = feature(view, &[1, 2])?;
    Ok(with_vectors(operand, feature))
}

/// The operand's type.
pub fn inference(view: &View) -> Types {
    let (operand, _) = feature(view, &[1, 2, 3, 4])?;
    Ok(vec![tensor(operand.shape.iter().cloned(), &operand.element)])
}

/// The operand's type and two vectors.
pub fn grad(view: &View) -> Types {
    let (operand, feature) = feature(view, &[1, 2, 3])?;
    super::merge_shapes(view, [&operand.shape[..], &view.tensor(4)?.shape[..]])?;
    Ok(with_vectors(operand, feature))
}
