//! Operations that compute each element from the elements at the same place.

use super::{Types, ensure, merge_shapes, one, result_element, short_name};
use crate::ir::{
    Attribute, ElementType, TensorType,
    enums::{ComparisonDirection, ComparisonType, EnumAttr},
    ops::{
        constraint::{element_set, sets},
        view::{View, elements_compatible, extent, show_element, show_shape},
    },
};

/// All operands and the result have one type. Quantized operands and results may differ in their scales.
pub fn same(view: &View) -> Types {
    let operands = view.tensors()?;
    let first = one_element(view, &operands)?;
    let element = if matches!(first, ElementType::Quantized(_)) { result_element(view, first) } else { first };
    one(merge_shapes(view, operands.iter().map(|operand| &operand.shape[..]))?, element)
}

fn one_element<'t>(view: &View, operands: &[&'t TensorType]) -> Result<&'t ElementType, String> {
    let first = &operands.first().ok_or("operand 0 is missing")?.element;
    for operand in operands {
        ensure(elements_compatible(first, &operand.element), || {
            let (first, other) = (show_element(first), show_element(&operand.element));
            format!("{} takes operands of one element type, but has {first} and {other}", short_name(view))
        })?;
    }
    Ok(first)
}

/// All operands have one type, the result is `i1`.
pub fn predicate(view: &View) -> Types {
    let operands = view.tensors()?;
    one_element(view, &operands)?;
    one(merge_shapes(view, operands.iter().map(|operand| &operand.shape[..]))?, &ElementType::BOOL)
}

/// A complex operand gives its part's type, any other its own.
pub fn part(view: &View) -> Types {
    let operand = view.tensor(0)?;
    let element = match &operand.element {
        ElementType::Complex(part) => &ElementType::Float(*part),
        ElementType::Quantized(_) => result_element(view, &operand.element),
        other => other,
    };
    one(operand.shape.iter().cloned(), element)
}

/// Two floats of one type to a complex number.
pub fn complex(view: &View) -> Types {
    let operands = view.tensors()?;
    let element = match one_element(view, &operands)? {
        ElementType::Float(part) => ElementType::Complex(*part),
        other => return Err(format!("complex takes floats, but has {}", show_element(other))),
    };
    one(merge_shapes(view, operands.iter().map(|operand| &operand.shape[..]))?, &element)
}

/// Like [`predicate`]; the order must suit the element type.
pub fn compare(view: &View) -> Types {
    let operand = &view.tensor(0)?.element;
    check_order(view, operand)?;
    predicate(view)
}

pub(super) fn check_order(view: &View, operand: &ElementType) -> Result<(), String> {
    let set = element_set(operand);
    let (order, wanted) = match view.attr("compare_type") {
        Some(Attribute::Enum(EnumAttr::ComparisonType(order))) => (
            order.name(),
            match order {
                ComparisonType::Float => sets::INEXACT | sets::QUANTIZED,
                ComparisonType::TotalOrder => sets::FLOAT,
                ComparisonType::Signed => sets::SIGNED,
                ComparisonType::Unsigned => sets::UNSIGNED | sets::BOOL,
                ComparisonType::NoType => u8::MAX,
            },
        ),
        _ => ("", u8::MAX),
    };
    ensure(set & wanted != 0, || format!("compare in order {order} does not suit {}", show_element(operand)))?;
    match view.attr("comparison_direction") {
        Some(Attribute::Enum(EnumAttr::ComparisonDirection(direction))) if set == sets::COMPLEX => {
            let equality = matches!(direction, ComparisonDirection::Eq | ComparisonDirection::Ne);
            ensure(equality, || format!("compare {} does not suit {}", direction.name(), show_element(operand)))
        }
        _ => Ok(()),
    }
}

/// The bounds have the operand's type, or are 0-dimensional.
pub fn clamp(view: &View) -> Types {
    let operands = view.tensors()?;
    let [min, operand, max] = operands[..] else { return Err("clamp takes three operands".to_string()) };
    let element = one_element(view, &operands)?;
    let mut shapes = vec![&operand.shape[..]];
    shapes.extend([min, max].iter().filter(|bound| bound.rank() > 0).map(|bound| &bound.shape[..]));
    let element = if matches!(element, ElementType::Quantized(_)) { result_element(view, element) } else { element };
    one(merge_shapes(view, shapes)?, element)
}

/// The truth values have the shape of the others, or are one.
pub fn select(view: &View) -> Types {
    let operands = view.tensors()?;
    let [pred, on_true, on_false] = operands[..] else { return Err("select takes three operands".to_string()) };
    let element = one_element(view, &[on_true, on_false])?;
    let mut shapes = vec![&on_true.shape[..], &on_false.shape[..]];
    if pred.rank() > 0 {
        shapes.push(&pred.shape[..]);
    }
    let element = if matches!(element, ElementType::Quantized(_)) { result_element(view, element) } else { element };
    one(merge_shapes(view, shapes)?, element)
}

/// At least one exponent bit; no negative number of mantissa bits.
pub fn reduce_precision(view: &View) -> Types {
    let (exponent, mantissa) = (view.int("exponent_bits")?, view.int("mantissa_bits")?);
    ensure(exponent >= 1, || format!("`exponent_bits` should be at least 1, but is {exponent}"))?;
    ensure(mantissa >= 0, || format!("`mantissa_bits` should be at least 0, but is {mantissa}"))?;
    same(view)
}

/// The result has the operand's shape.
pub fn same_shape(view: &View) -> Result<(), String> {
    let (operand, result) = (view.tensor(0)?, view.result_tensor(0)?);
    ensure(crate::ir::ops::view::shapes_compatible(&operand.shape, &result.shape), || {
        let (operand, result) = (show_shape(&operand.shape), show_shape(&result.shape));
        format!("{} gives a tensor of the operand's shape {operand}, but the result has {result}", short_name(view))
    })
}

/// Equal widths keep the shape; else the narrower side has one dimension more, innermost, that makes up for it.
pub fn bitcast_convert(view: &View) -> Result<(), String> {
    let (operand, result) = (view.tensor(0)?, view.result_tensor(0)?);
    let (from, to) = (element_bits(&operand.element), element_bits(&result.element));
    let (Some(from), Some(to)) = (from, to) else { return Ok(()) };
    let complex = [operand, result].map(|ty| matches!(ty.element, ElementType::Complex(_)));
    ensure(complex[0] == complex[1], || "bitcast_convert is not between complex and real types".to_string())?;
    let (wide, narrow) = if from >= to { (operand, result) } else { (result, operand) };
    let (more, less) = (from.max(to), from.min(to));
    if more == less {
        return same_shape(view);
    }
    let describe = || {
        let (from, to) = (show_shape(&operand.shape), show_shape(&result.shape));
        format!(
            "bitcast_convert of {} to {} needs an innermost dimension of {} on the narrower side, but goes from {from} to {to}",
            show_element(&operand.element),
            show_element(&result.element),
            more / less
        )
    };
    ensure(more % less == 0 && narrow.rank() == wide.rank() + 1, describe)?;
    let innermost = extent(&narrow.shape[wide.rank()]).is_none_or(|extent| extent == u64::from(more / less));
    let outer = crate::ir::ops::view::shapes_compatible(&wide.shape, &narrow.shape[..wide.rank()]);
    ensure(innermost && outer, describe)
}

/// Width of an element in bits; none where it is not fixed.
pub(super) fn element_bits(element: &ElementType) -> Option<u32> {
    match element {
        ElementType::Integer { width, .. } => Some(*width),
        ElementType::Float(kind) => Some(kind.bits()),
        ElementType::Complex(kind) => Some(2 * kind.bits()),
        ElementType::Index => Some(64),
        ElementType::Quantized(_) => None,
    }
}
