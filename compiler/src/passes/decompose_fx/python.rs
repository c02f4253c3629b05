//! Arithmetic of Python numbers that a graph computes (`item()`, sizes): tensors of no dimensions, i64 or f64.

use super::{
    call::{Call, Operand},
    pointwise::Step,
    promote::{category, materialize, result_type},
    table::Values,
};
use crate::{
    ir::{ElementType, ValueId, enums::ComparisonDirection},
    passes::emit::{Emit, Number, Out, Refusal},
};

/// Arithmetic of Python numbers that are computed (`add` on `item()`).
pub fn python(e: &mut Emit, call: &Call, step: fn(&mut Emit, ValueId, ValueId) -> Out) -> Values {
    let operands = [call.operand(0, "a")?, call.operand(1, "b")?];
    let element = call.element(0)?;
    let element = if element == ElementType::BOOL { python_meeting(e, &operands)? } else { element };
    let a = materialize(e, operands[0], &element, &[])?;
    let b = materialize(e, operands[1], &element, &[])?;
    Ok(vec![step(e, a, b)?])
}

/// A comparison or a logical operation of Python numbers.
pub fn python_compare(e: &mut Emit, call: &Call, direction: ComparisonDirection) -> Values {
    let operands = [call.operand(0, "a")?, call.operand(1, "b")?];
    let element = python_meeting(e, &operands)?;
    let a = materialize(e, operands[0], &element, &[])?;
    let b = materialize(e, operands[1], &element, &[])?;
    Ok(vec![e.compare(direction, a, b)?])
}

/// Python numbers meet in f64 if one is a float, else in i64.
fn python_meeting(e: &Emit, operands: &[Operand]) -> Result<ElementType, Refusal> {
    Ok(match category(&result_type(e, operands)?) {
        0 => ElementType::BOOL,
        1 => ElementType::I64,
        _ => ElementType::F64,
    })
}

/// A Python number in another type (`sym_float`, `sym_int`, `sym_not`, `neg`).
pub fn python_unary(e: &mut Emit, call: &Call, step: Step) -> Values {
    let x = materialize(e, call.operand(0, "a")?, &call.element(0)?, &[])?;
    Ok(vec![step(e, x)?])
}

/// A number that an operator computes from numbers known now, for the arithmetic of sizes.
fn known(call: &Call) -> Option<(Number, Number)> {
    match (call.operand(0, "a").ok()?, call.operand(1, "b").ok()?) {
        (Operand::Number(a), Operand::Number(b)) => Some((a, b)),
        _ => None,
    }
}

/// `add`, `mul`, `floordiv`, … of sizes: computed now where both are known.
pub fn sizes(
    e: &mut Emit,
    call: &Call,
    fold: fn(i64, i64) -> Option<i64>,
    step: fn(&mut Emit, ValueId, ValueId) -> Out,
) -> Values {
    if let Some((Number::Int(a), Number::Int(b))) = known(call) {
        let value = fold(a, b).ok_or_else(|| Refusal(format!("{a} and {b} have no such result in 64 bits")))?;
        return Ok(vec![e.scalar(Number::Int(value), &call.element(0)?)?]);
    }
    python(e, call, step)
}

/// Python's `//`.
pub fn floor_divide(a: i64, b: i64) -> Option<i64> {
    let quotient = a.checked_div(b)?;
    if a % b != 0 && (a < 0) != (b < 0) { quotient.checked_sub(1) } else { Some(quotient) }
}

/// Python's `%`.
pub fn floor_modulo(a: i64, b: i64) -> Option<i64> {
    let remainder = a.checked_rem(b)?;
    if remainder != 0 && (remainder < 0) != (b < 0) { remainder.checked_add(b) } else { Some(remainder) }
}
