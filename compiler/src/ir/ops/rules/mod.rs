//! Shape rules: how result types follow from operands and attributes, and what does not fit.
//!
//! A rule says what is wrong with the values in it (`dot_general contracts 64 with 128`); the verifier and the builder
//! add where. A rule may rely on the table: operands, attributes and regions are there and of their kind. It may not
//! rely on values: every rank, position and size is checked, and arithmetic on them does not overflow.

pub(super) mod arith;
pub(super) mod attention;
pub(super) mod block;
pub(super) mod chlo;
pub(super) mod collectives;
pub(super) mod contract;
pub(super) mod control;
pub(super) mod convolve;
pub(super) mod dynamic;
pub(super) mod elementwise;
pub(super) mod fused;
pub(super) mod index;
pub(super) mod launch;
pub(super) mod misc;
pub(super) mod normalise;
pub(super) mod reduce;
pub(super) mod shape;
pub(super) mod window;

use smallvec::SmallVec;

use super::view::{View, dims_compatible, merge_dims, show_shape};
use crate::ir::{Dim, ElementType, TensorType, Type};

/// What a rule that infers gives.
pub(super) type Types = Result<Vec<Type>, String>;

/// A shape.
pub(super) type Shape = SmallVec<[Dim; 4]>;

/// The error of that text unless the condition holds.
pub(super) fn ensure(condition: bool, message: impl FnOnce() -> String) -> Result<(), String> {
    if condition { Ok(()) } else { Err(message()) }
}

/// A tensor of that shape and element type, as the only result.
pub(super) fn one(shape: impl IntoIterator<Item = Dim>, element: &ElementType) -> Types {
    Ok(vec![tensor(shape, element)])
}

/// A tensor of that shape and element type.
pub(super) fn tensor(shape: impl IntoIterator<Item = Dim>, element: &ElementType) -> Type {
    TensorType { shape: shape.into_iter().collect(), element: element.clone(), encoding: None }.into()
}

/// The positions that an attribute names: each in range, none twice.
pub(super) fn positions(name: &str, values: &[i64], rank: usize) -> Result<Vec<usize>, String> {
    let mut seen = vec![false; rank];
    let mut found = Vec::with_capacity(values.len().min(rank));
    for value in values {
        let at = position(name, *value, rank)?;
        ensure(!seen[at], || format!("`{name}` names dimension {value} twice"))?;
        seen[at] = true;
        found.push(at);
    }
    Ok(found)
}

/// The position that an attribute names, in range.
pub(super) fn position(name: &str, value: i64, rank: usize) -> Result<usize, String> {
    usize::try_from(value)
        .ok()
        .filter(|at| *at < rank)
        .ok_or_else(|| format!("`{name}` names dimension {value} of a tensor that has {rank}"))
}

/// The error unless the values ascend.
pub(super) fn ascending(name: &str, values: &[i64]) -> Result<(), String> {
    ensure(values.is_sorted(), || format!("`{name}` should ascend, but is {values:?}"))
}

/// The list has one value for each dimension.
pub(super) fn one_each(name: &str, values: &[i64], rank: usize) -> Result<(), String> {
    ensure(values.len() == rank, || {
        format!("`{name}` has {} values, but should have one for each of {rank} dimensions", values.len())
    })
}

/// Two groups of operands go in pairs, whatever `operandSegmentSizes` says.
pub(super) fn pairs(view: &View, (first, own): (&str, usize), (second, other): (&str, usize)) -> Result<(), String> {
    ensure(own == other, || format!("{} has {own} {first}, but {other} {second}", short_name(view)))
}

/// The shape that all these shapes can be, as exactly as any of them says it.
pub(super) fn merge_shapes<'t>(view: &View, shapes: impl IntoIterator<Item = &'t [Dim]>) -> Result<Shape, String> {
    let mut shapes = shapes.into_iter();
    let mut merged: Shape = shapes.next().unwrap_or_default().iter().cloned().collect();
    for shape in shapes {
        let fits = shape.len() == merged.len() && shape.iter().zip(&merged).all(|(a, b)| dims_compatible(a, b));
        ensure(fits, || {
            let (name, first, other) = (short_name(view), show_shape(&merged), show_shape(shape));
            format!("{name} takes tensors of one shape, but has {first} and {other}")
        })?;
        merged = merged.iter().zip(shape).map(|(a, b)| merge_dims(a, b)).collect();
    }
    Ok(merged)
}

/// The operation's name without its dialect.
pub(super) fn short_name(view: &View) -> &'static str {
    let name = view.opcode.name();
    name.split_once('.').map_or(name, |(_, short)| short)
}

/// The element type of the first result where the operation exists, else `otherwise`: for operations that leave it
/// open.
pub(super) fn result_element<'v>(view: &View<'v>, otherwise: &'v ElementType) -> &'v ElementType {
    view.result_tensor(0).map_or(otherwise, |tensor| &tensor.element)
}
