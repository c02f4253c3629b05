//! Scalar arithmetic and conversions as `arith`, `tensor` and `shape` have them: on bare scalars or on tensors.

use super::{Types, ensure, short_name};
use crate::ir::{
    ElementType, Type,
    ops::view::{View, elements_compatible, extent, shapes_compatible, show, types_compatible},
};

/// The element type of a scalar or of a tensor.
fn element(ty: &Type) -> Option<&ElementType> {
    match ty {
        Type::Scalar(element) => Some(element),
        Type::Tensor(tensor) => Some(&tensor.element),
        _ => None,
    }
}

/// All operands have the first one's type.
fn alike(view: &View, operands: std::ops::Range<usize>) -> Result<Type, String> {
    let first = view.ty(operands.start)?;
    for index in operands {
        let own = view.ty(index)?;
        ensure(types_compatible(first, own), || {
            format!("{} takes operands of one type, but has {} and {}", short_name(view), show(first), show(own))
        })?;
    }
    Ok(first.clone())
}

/// All operands and the result have one type.
pub fn same(view: &View) -> Types {
    Ok(vec![alike(view, 0..view.operands.len())?])
}

/// Both operands have one type; the result is of truth values.
pub fn compare(view: &View) -> Types {
    let predicate = view.int("predicate")?;
    let most = if view.opcode == crate::ir::Opcode::ArithCmpi { 9 } else { 15 };
    ensure((0..=most).contains(&predicate), || format!("`predicate` should be 0 to {most}, but is {predicate}"))?;
    Ok(vec![match alike(view, 0..view.operands.len())? {
        Type::Tensor(tensor) => tensor.with_element(ElementType::BOOL).into(),
        _ => Type::Scalar(ElementType::BOOL),
    }])
}

/// The type of the second and third operand.
pub fn select(view: &View) -> Types {
    Ok(vec![alike(view, 1..view.operands.len())?])
}

/// The result is as the operand but for the element type.
pub fn cast(view: &View) -> Result<(), String> {
    let (from, to) = (view.ty(0)?, view.result(0)?);
    let fits = match (from, to) {
        (Type::Tensor(from), Type::Tensor(to)) => shapes_compatible(&from.shape, &to.shape),
        (Type::Scalar(_), Type::Scalar(_)) => true,
        _ => false,
    };
    ensure(fits, || format!("{} does not go from {} to {}", short_name(view), show(from), show(to)))
}

/// A wider type.
pub fn widen(view: &View) -> Result<(), String> {
    cast(view)?;
    let bits = |ty: &Type| element(ty).and_then(super::elementwise::element_bits);
    let (from, to) = (view.ty(0)?, view.result(0)?);
    ensure(bits(from) < bits(to), || {
        format!("{} goes from {} to {}, which is not wider", short_name(view), show(from), show(to))
    })
}

/// A narrower type.
pub fn narrow(view: &View) -> Result<(), String> {
    cast(view)?;
    let bits = |ty: &Type| element(ty).and_then(super::elementwise::element_bits);
    let (from, to) = (view.ty(0)?, view.result(0)?);
    ensure(bits(from) > bits(to), || {
        format!("{} goes from {} to {}, which is not narrower", short_name(view), show(from), show(to))
    })
}

/// `index` to an integer, or back.
pub fn index_cast(view: &View) -> Result<(), String> {
    cast(view)?;
    let is_index = |ty: &Type| element(ty) == Some(&ElementType::Index);
    let (from, to) = (view.ty(0)?, view.result(0)?);
    ensure(is_index(from) != is_index(to), || format!("index_cast does not go from {} to {}", show(from), show(to)))
}

/// Both shapes can be one.
pub fn tensor_cast(view: &View) -> Result<(), String> {
    let (from, to) = (view.ty(0)?, view.result(0)?);
    ensure(types_compatible(from, to), || format!("cast does not go from {} to {}", show(from), show(to)))
}

/// An `index`.
pub fn index(_: &View) -> Types {
    Ok(vec![Type::Scalar(ElementType::Index)])
}

/// One index for each dimension; the element.
pub fn extract(view: &View) -> Types {
    let tensor = view.tensor(0)?;
    let count = view.operands.len() - 1;
    ensure(count == tensor.rank(), || format!("extract has {count} indices for {} dimensions", tensor.rank()))?;
    Ok(vec![Type::Scalar(tensor.element.clone())])
}

/// As many scalars as the result has elements.
pub fn from_elements(view: &View) -> Result<(), String> {
    let result = view.result_tensor(0)?;
    let count = view.operands.len() as u64;
    ensure(result.element_count() == Some(count), || {
        format!("from_elements has {count} elements for {}", show(view.result(0).unwrap_or(&Type::None)))
    })?;
    for index in 0..view.operands.len() {
        let own = view.ty(index)?;
        ensure(element(own).is_some_and(|own| elements_compatible(own, &result.element)), || {
            format!("from_elements has {} as element {index}", show(own))
        })?;
    }
    Ok(())
}

/// Dimensions are merged.
pub fn collapse_shape(view: &View) -> Result<(), String> {
    super::dynamic::reassociate(view, view.tensor(0)?, view.result_tensor(0)?)
}

/// Dimensions are split.
pub fn expand_shape(view: &View) -> Result<(), String> {
    super::dynamic::reassociate(view, view.result_tensor(0)?, view.tensor(0)?)
}

/// The shape of a tensor has one extent for each dimension.
pub fn shape_of(view: &View) -> Result<(), String> {
    let Ok(operand) = view.tensor(0) else { return Ok(()) };
    if let Type::Tensor(result) = view.result(0)? {
        let count = result.shape.first().and_then(extent);
        ensure(result.rank() == 1 && count.is_none_or(|count| count == operand.rank() as u64), || {
            format!("shape_of gives {} for {} dimensions", show(view.result(0).unwrap_or(&Type::None)), operand.rank())
        })?;
    }
    Ok(())
}
