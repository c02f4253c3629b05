//! Constants, calls of things outside, random numbers, comparisons in tests.

use super::{Types, ensure, merge_shapes, one};
use crate::ir::{
    Attribute, ElementType, Type,
    enums::{EnumAttr, RngAlgorithm, RngDistribution},
    ops::{
        constraint::{element_set, sets},
        view::{View, elements_compatible, extent, show, show_element, show_shape, types_compatible},
    },
    types::Signedness,
};

/// The type of the value.
pub fn constant(view: &View) -> Types {
    match view.attr("value") {
        Some(Attribute::Dense(dense)) => {
            check_bytes(dense)?;
            let element = &dense.ty.element;
            // A quantized constant is written as the integers that store it.
            let element = match view.result_tensor(0).map(|result| &result.element) {
                Ok(own @ ElementType::Quantized(_)) => own,
                _ => element,
            };
            one(dense.ty.shape.iter().cloned(), element)
        }
        Some(Attribute::Integer { ty, .. } | Attribute::Float { ty, .. }) => Ok(vec![Type::Scalar(ty.clone())]),
        Some(Attribute::Bool(_)) => Ok(vec![Type::Scalar(ElementType::BOOL)]),
        _ => Err("`value` is missing".to_string()),
    }
}

/// A constant's bytes are as many as its type needs.
pub(super) fn check_bytes(dense: &crate::ir::attribute::DenseElements) -> Result<(), String> {
    let count = if dense.is_splat { Some(1) } else { dense.ty.element_count() };
    let Some(count) = count.filter(|_| dense.ty.static_shape().is_some()) else {
        return Err(format!("a constant has a shape known at compile time, not {}", show_shape(&dense.ty.shape)));
    };
    let Some(dtype) = dense.ty.element.dtype() else { return Ok(()) };
    let wanted = u128::from(count) * dtype.size_bytes() as u128;
    ensure(dense.bytes.len() as u128 == wanted, || {
        format!("the constant has {} bytes, but its type needs {wanted}", dense.bytes.len())
    })
}

/// A constant of the operand's shape.
pub fn constant_like(view: &View) -> Types {
    let operand = view.tensor(0)?;
    let element = match view.attr("value") {
        Some(Attribute::Integer { ty, .. } | Attribute::Float { ty, .. }) => ty,
        Some(Attribute::Bool(_)) => &ElementType::BOOL,
        _ => super::result_element(view, &operand.element),
    };
    one(operand.shape.iter().cloned(), element)
}

/// Layouts, where they are given, are one an operand and a result, and aliases name existing ones.
pub fn custom_call(view: &View) -> Result<(), String> {
    let is_tuple = |ty: &Type| matches!(ty, Type::Tuple(_));
    let result_count = match view.results {
        [only] if is_tuple(view.module.ty(*only)) => None,
        results => Some(results.len()),
    };
    ensure(view.attr("operand_layouts").is_some() == view.attr("result_layouts").is_some(), || {
        "`operand_layouts` and `result_layouts` come together".to_string()
    })?;
    for (name, count) in [("operand_layouts", Some(view.operands.len())), ("result_layouts", result_count)] {
        if let (Some(Attribute::Array(layouts)), Some(count)) = (view.attr(name), count) {
            ensure(layouts.len() == count, || format!("`{name}` has {} layouts for {count} values", layouts.len()))?;
        }
    }
    let Some(Attribute::Array(aliases)) = view.attr("output_operand_aliases") else { return Ok(()) };
    for alias in aliases.iter() {
        let Attribute::OutputOperandAlias(alias) = alias else { continue };
        let exists = usize::try_from(alias.operand_index).is_ok_and(|index| index < view.operands.len());
        ensure(exists, || {
            format!("`output_operand_aliases` names operand {} of {}", alias.operand_index, view.operands.len())
        })?;
    }
    Ok(())
}

/// A number as an unsigned 32-bit integer.
pub fn process_id(_: &View) -> Types {
    one([], &ElementType::Integer { width: 32, signedness: Signedness::Unsigned })
}

/// Bounds and result have one element type that suits the distribution.
pub fn rng(view: &View) -> Result<(), String> {
    let (a, b, shape, result) = (view.tensor(0)?, view.tensor(1)?, view.tensor(2)?, view.result_tensor(0)?);
    let alike = a.element == b.element && a.element == result.element;
    ensure(alike, || {
        let [a, b, result] = [a, b, result].map(|ty| show_element(&ty.element));
        format!("rng takes and gives one element type, but has {a}, {b} and {result}")
    })?;
    let count = shape.shape.first().and_then(extent);
    ensure(count.is_none_or(|count| count == result.rank() as u64), || {
        format!("`shape` has {} values for {} dimensions", count.unwrap_or_default(), result.rank())
    })?;
    let is_normal =
        view.attr("rng_distribution") == Some(&Attribute::Enum(EnumAttr::RngDistribution(RngDistribution::Normal)));
    ensure(!is_normal || element_set(&a.element) == sets::FLOAT, || {
        format!("rng NORMAL does not suit {}", show_element(&a.element))
    })
}

/// The state keeps its type and has the algorithm's size.
pub fn rng_bit_generator(view: &View) -> Result<(), String> {
    let (before, after) = (view.tensor(0)?, view.result_tensor(0)?);
    let (before_ty, after_ty) = (view.ty(0)?, view.result(0)?);
    ensure(types_compatible(before_ty, after_ty), || {
        format!("rng_bit_generator keeps the state's type {}, but gives {}", show(before_ty), show(after_ty))
    })?;
    let Some(Attribute::Enum(EnumAttr::RngAlgorithm(algorithm))) = view.attr("rng_algorithm") else { return Ok(()) };
    let bits = super::elementwise::element_bits(&before.element).unwrap_or(64);
    let words = before.shape.first().and_then(extent).map(|extent| extent.saturating_mul(u64::from(bits)) / 64);
    let fits = match (algorithm, words) {
        (_, None) | (RngAlgorithm::Default, _) => true,
        (RngAlgorithm::ThreeFry, Some(words)) => words == 2,
        (RngAlgorithm::Philox, Some(words)) => words == 2 || words == 3,
    };
    let _ = after;
    ensure(fits, || format!("rng_bit_generator {} does not suit a state of {}", algorithm.name(), show(before_ty)))
}

/// Two tensors of one type.
pub fn same_operands(view: &View) -> Result<(), String> {
    let (lhs, rhs) = (view.tensor(0)?, view.tensor(1)?);
    merge_shapes(view, [&lhs.shape[..], &rhs.shape[..]])?;
    ensure(elements_compatible(&lhs.element, &rhs.element), || {
        let (lhs, rhs) = (show_element(&lhs.element), show_element(&rhs.element));
        format!("{} compares {lhs} with {rhs}", super::short_name(view))
    })
}

/// A tensor and a constant of its type.
pub fn same_as_value(view: &View) -> Result<(), String> {
    let lhs = view.tensor(0)?;
    let Some(Attribute::Dense(value)) = view.attr("value") else { return Err("`value` is missing".to_string()) };
    check_bytes(value)?;
    merge_shapes(view, [&lhs.shape[..], &value.ty.shape[..]])?;
    let quantized = matches!(lhs.element, ElementType::Quantized(_));
    ensure(quantized || elements_compatible(&lhs.element, &value.ty.element), || {
        let (lhs, rhs) = (show_element(&lhs.element), show_element(&value.ty.element));
        format!("{} compares {lhs} with {rhs}", super::short_name(view))
    })
}
