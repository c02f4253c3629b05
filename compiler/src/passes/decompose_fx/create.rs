//! Operators that make tensors from numbers.

use super::{
    call::{Arg, Call},
    promote::materialize,
    table::Values,
};
use crate::{
    ir::{ElementType, Opcode, enums::ComparisonDirection},
    passes::emit::{Emit, Number, Refusal},
};

/// `zeros`, `ones`, `empty` and their `_like` and `new_` kin: one number everywhere.
///
/// What `empty` holds is not defined; zero is the same from run to run.
pub fn constant(e: &mut Emit, call: &Call, number: i64) -> Values {
    Ok(vec![e.splat(Number::Int(number), &call.element(0)?, &call.shape(0)?)?])
}

/// `full(size, value)`, `full_like(x, value)`, `new_full(x, size, value)`, `fill(x, value)`.
pub fn full(e: &mut Emit, call: &Call, position: usize) -> Values {
    let name = if call.target.starts_with("aten.fill") { "value" } else { "fill_value" };
    Ok(vec![materialize(e, call.operand(position, name)?, &call.element(0)?, &call.shape(0)?)?])
}

/// `scalar_tensor(value)`, `lift_fresh_copy` of numbers, `tensor(value)`.
pub fn scalar_tensor(e: &mut Emit, call: &Call) -> Values {
    full(e, call, 0)
}

/// `arange` in its three overloads.
pub fn arange(e: &mut Emit, call: &Call) -> Values {
    let overload = call.target.rsplit('.').next().unwrap_or_default();
    let (start, step) = match overload {
        "default" => (Number::Int(0), Number::Int(1)),
        "start" => (call.number(0, "start")?, Number::Int(1)),
        _ => (call.number(0, "start")?, call.optional_number(2, "step")?.unwrap_or(Number::Int(1))),
    };
    let (element, shape) = (call.element(0)?, call.shape(0)?);
    let integral = !matches!(element, ElementType::Float(_) | ElementType::Complex(_));
    // Floats are computed in f64, as PyTorch does, and rounded once.
    let wide = if integral { ElementType::I64 } else { ElementType::F64 };
    let [_] = shape[..] else { return Err(Refusal::from("its result should have one dimension")) };
    let mut values = e.iota(&shape, &wide, 0);
    let is = |number: Number, value: f64| number.as_f64() == value;
    if !is(step, 1.0) {
        values = e.binary_number(Opcode::StablehloMultiply, values, step)?;
    }
    if !is(start, 0.0) {
        values = e.binary_number(Opcode::StablehloAdd, values, start)?;
    }
    Ok(vec![e.convert(values, &element)?])
}

/// `linspace(start, end, steps)`.
pub fn linspace(e: &mut Emit, call: &Call) -> Values {
    let (start, end) = (call.number(0, "start")?.as_f64(), call.number(1, "end")?.as_f64());
    let (element, shape) = (call.element(0)?, call.shape(0)?);
    let [steps] = shape[..] else { return Err(Refusal::from("its result should have one dimension")) };
    const STEPS_MAX: i64 = 1 << 24;
    if steps > STEPS_MAX {
        return Err(Refusal(format!("{steps} steps are more than {STEPS_MAX}")));
    }
    let step = if steps > 1 { (end - start) / (steps - 1) as f64 } else { 0.0 };
    let value = |at: i64| if at < steps / 2 { start + step * at as f64 } else { end - step * (steps - 1 - at) as f64 };
    let numbers: Vec<Number> = (0..steps).map(|at| Number::Float(if steps == 1 { start } else { value(at) })).collect();
    Ok(vec![e.numbers(&numbers, &element, &shape)?])
}

/// `eye(n)` and `eye(n, m)`.
pub fn eye(e: &mut Emit, call: &Call) -> Values {
    let (element, shape) = (call.element(0)?, call.shape(0)?);
    let [_, _] = shape[..] else { return Err(Refusal::from("its result should have two dimensions")) };
    let rows = e.iota(&shape, &ElementType::I64, 0);
    let columns = e.iota(&shape, &ElementType::I64, 1);
    let same = e.compare(ComparisonDirection::Eq, rows, columns)?;
    Ok(vec![e.convert(same, &element)?])
}

/// `item()`: the one element as a Python number.
pub fn item(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let x = e.reshape(x, &[])?;
    Ok(vec![e.convert(x, &call.element(0)?)?])
}

/// `sym_size(x, dim)`.
pub fn sym_size(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let shape = e.shape(x)?;
    let dim = call.dim(1, "dim", 0, shape.len())?;
    let extent = *shape.get(dim).ok_or_else(|| Refusal::from("its operand has no dimension"))?;
    Ok(vec![e.scalar(Number::Int(extent), &ElementType::I64)?])
}

/// `sym_numel(x)`.
pub fn sym_numel(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let count = e.shape(x)?.iter().product();
    Ok(vec![e.scalar(Number::Int(count), &ElementType::I64)?])
}

/// Assertions and hints: nothing to compute. A constant condition that is false is an error now.
pub fn nothing(_: &mut Emit, call: &Call) -> Values {
    match (call.target.as_ref(), call.arg(0, "self")) {
        ("aten._assert_scalar.default", Arg::Number(number)) if !number.as_bool() => {
            Err(Refusal(format!("it always fails: {}", call.text(1, "assert_msg").unwrap_or("no message"))))
        }
        _ => Ok(vec![]),
    }
}

/// `tril_indices(rows, columns, offset)` and `triu_indices`: rows, then columns of the elements.
pub fn triangle_indices(e: &mut Emit, call: &Call) -> Values {
    let (rows, columns, offset) = (call.int(0, "row", 0)?, call.int(1, "col", 0)?, call.int(2, "offset", 0)?);
    if rows.saturating_mul(columns) > 1 << 22 {
        return Err(Refusal(format!("{rows} by {columns} elements are too many to list")));
    }
    let is_lower = call.target.starts_with("aten.tril");
    let all = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
    let kept: Vec<(i64, i64)> =
        all.filter(|(row, column)| if is_lower { column - row <= offset } else { column - row >= offset }).collect();
    let numbers: Vec<Number> =
        kept.iter().map(|at| Number::Int(at.0)).chain(kept.iter().map(|at| Number::Int(at.1))).collect();
    Ok(vec![e.numbers(&numbers, &call.element(0)?, &call.shape(0)?)?])
}
