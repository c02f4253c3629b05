//! PyTorch's type promotion, and operands brought to one type and shape.

use crate::{
    ir::{
        ElementType, ValueId,
        types::{FloatKind, Signedness},
    },
    passes::emit::{Emit, Number, Out, Refusal},
};

use super::call::Operand;

/// The element type in which operands meet.
///
/// Tensors with dimensions come before those without, those before Python numbers: the later only raise the category
/// (truth value, integer, float, complex), never the width.
pub fn result_type(emit: &Emit, operands: &[Operand]) -> Result<ElementType, Refusal> {
    let mut groups: [Option<ElementType>; 3] = [None, None, None];
    for operand in operands {
        let (group, element) = match operand {
            Operand::Tensor(value) => (usize::from(emit.rank(*value)? == 0), emit.element(*value)?),
            Operand::Symbolic(value) => (2, weak(emit.element(*value)?)),
            Operand::Number(Number::Bool(_)) => (2, ElementType::BOOL),
            Operand::Number(Number::Int(_)) => (2, ElementType::I64),
            Operand::Number(Number::Float(_)) => (2, ElementType::F32),
        };
        groups[group] = Some(match groups[group].take() {
            Some(other) => promote(&other, &element),
            None => element,
        });
    }
    let [dims, zero, number] = groups;
    Ok(combine(dims, combine(zero, number)).expect("operands should meet where there are some"))
}

/// A Python float is of the default element type.
fn weak(element: ElementType) -> ElementType {
    if element == ElementType::F64 { ElementType::F32 } else { element }
}

fn combine(higher: Option<ElementType>, lower: Option<ElementType>) -> Option<ElementType> {
    let (Some(high), Some(low)) = (&higher, &lower) else { return higher.or(lower) };
    Some(match (category(high), category(low)) {
        (2, 3) => complex_of(high),
        (own, other) if own >= other => high.clone(),
        _ => promote(high, low),
    })
}

/// 0 truth value, 1 integer, 2 float, 3 complex.
pub fn category(element: &ElementType) -> u8 {
    match element {
        ElementType::Integer { width: 1, .. } => 0,
        ElementType::Float(_) => 2,
        ElementType::Complex(_) => 3,
        _ => 1,
    }
}

fn complex_of(element: &ElementType) -> ElementType {
    match element {
        ElementType::Float(FloatKind::F64) => ElementType::Complex(FloatKind::F64),
        _ => ElementType::Complex(FloatKind::F32),
    }
}

/// The smallest element type that holds both.
pub fn promote(left: &ElementType, right: &ElementType) -> ElementType {
    if left == right {
        return left.clone();
    }
    let (high, low) = if category(left) >= category(right) { (left, right) } else { (right, left) };
    if category(high) != category(low) {
        return match (high, low) {
            (ElementType::Complex(FloatKind::F32), ElementType::Float(FloatKind::F64)) => {
                ElementType::Complex(FloatKind::F64)
            }
            _ => high.clone(),
        };
    }
    match (left, right) {
        (ElementType::Float(a), ElementType::Float(b)) if a.bits() == b.bits() => ElementType::F32,
        (ElementType::Float(a) | ElementType::Complex(a), ElementType::Float(b) | ElementType::Complex(b)) => {
            if a.bits() > b.bits() { left.clone() } else { right.clone() }
        }
        (
            ElementType::Integer { width: a, signedness: sign_a },
            ElementType::Integer { width: b, signedness: sign_b },
        ) => {
            if sign_a == sign_b {
                return if a > b { left.clone() } else { right.clone() };
            }
            let (unsigned, signed) = if *sign_a == Signedness::Unsigned { (*a, *b) } else { (*b, *a) };
            let width = if signed > unsigned { signed } else { (unsigned * 2).min(64) };
            ElementType::Integer { width, signedness: Signedness::Signless }
        }
        _ => left.clone(),
    }
}

/// An operand as a tensor of that element type and shape.
pub fn materialize(emit: &mut Emit, operand: Operand, element: &ElementType, shape: &[i64]) -> Out {
    match operand {
        Operand::Number(number) => emit.splat(number, element, shape),
        Operand::Tensor(value) | Operand::Symbolic(value) => {
            let value = emit.convert(value, element)?;
            emit.broadcast(value, shape)
        }
    }
}

/// The shape to which operands broadcast.
pub fn broadcast_shape(emit: &Emit, operands: &[Operand]) -> Result<Vec<i64>, Refusal> {
    let mut shape: Vec<i64> = Vec::new();
    for operand in operands {
        if let Operand::Tensor(value) | Operand::Symbolic(value) = operand {
            shape = join_shapes(&shape, &emit.shape(*value)?)?;
        }
    }
    Ok(shape)
}

/// The shape to which two shapes broadcast.
pub fn join_shapes(left: &[i64], right: &[i64]) -> Result<Vec<i64>, Refusal> {
    let rank = left.len().max(right.len());
    let extent = |shape: &[i64], at: usize| (at + shape.len()).checked_sub(rank).map_or(1, |at| shape[at]);
    (0..rank)
        .map(|at| match (extent(left, at), extent(right, at)) {
            (a, b) if a == b || b == 1 => Ok(a),
            (1, b) => Ok(b),
            _ => Err(Refusal(format!("shapes {left:?} and {right:?} do not broadcast"))),
        })
        .collect()
}

/// The element type in which a 16-bit float is computed: f32; any other type is its own.
pub fn accumulator(element: &ElementType) -> ElementType {
    match element {
        ElementType::Float(FloatKind::Bf16 | FloatKind::F16) => ElementType::F32,
        other => other.clone(),
    }
}

/// A value, 16-bit floats as f32.
pub fn widen(emit: &mut Emit, x: ValueId) -> Out {
    let element = accumulator(&emit.element(x)?);
    emit.convert(x, &element)
}
