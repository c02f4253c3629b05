//! Folds along dimensions. Sums of 16-bit floats are made in f32.

use super::{
    call::Call,
    promote::{accumulator, category},
    table::Values,
};
use crate::{
    ir::{ElementType, Opcode, ValueId, enums::ComparisonDirection},
    passes::emit::{Emit, Number, Out, Refusal, highest, lowest},
};

/// `sum`, `prod`: in the result's type. The dimensions are argument 1, where there are any.
pub fn accumulate(e: &mut Emit, call: &Call, opcode: Opcode, init: i64) -> Values {
    let element = call.element(0)?;
    let x = call.tensor(0, "self")?;
    let dims = dims_of(e, call, x)?;
    let x = e.convert(x, &accumulator(&element))?;
    let y = e.fold(opcode, x, Number::Int(init), &dims)?;
    let y = e.convert(y, &element)?;
    Ok(vec![e.reshape(y, &call.shape(0)?)?])
}

/// The dimensions that a call folds: argument 1 unless the overload has none.
fn dims_of(e: &Emit, call: &Call, x: ValueId) -> Result<Vec<i64>, Refusal> {
    let rank = e.rank(x)?;
    if call.target.ends_with(".default") && !takes_dims_by_default(&call.target) {
        return Ok((0..rank as i64).collect());
    }
    call.dims(1, "dim", rank)
}

/// Operators whose overload `default` has dimensions.
fn takes_dims_by_default(target: &str) -> bool {
    matches!(
        target,
        "aten.amax.default" | "aten.amin.default" | "aten.logsumexp.default" | "aten.count_nonzero.default"
    )
}

/// `mean`.
pub fn mean(e: &mut Emit, call: &Call) -> Values {
    let element = call.element(0)?;
    let x = call.tensor(0, "self")?;
    let dims = dims_of(e, call, x)?;
    let x = e.convert(x, &accumulator(&element))?;
    let y = mean_of(e, x, &dims)?;
    let y = e.convert(y, &element)?;
    Ok(vec![e.reshape(y, &call.shape(0)?)?])
}

/// The mean along dimensions, in the operand's type, without those dimensions.
pub fn mean_of(e: &mut Emit, x: ValueId, dims: &[i64]) -> Out {
    let shape = e.shape(x)?;
    let count: i64 = dims.iter().map(|dim| shape[*dim as usize]).product();
    let sum = e.fold(Opcode::StablehloAdd, x, Number::Int(0), dims)?;
    e.binary_number(Opcode::StablehloDivide, sum, Number::Int(count))
}

/// Mean and variance (divided by `count - correction`) along dimensions, without them.
pub fn moments_of(e: &mut Emit, x: ValueId, dims: &[i64], correction: f64) -> Result<(ValueId, ValueId), Refusal> {
    let shape = e.shape(x)?;
    let count: i64 = dims.iter().map(|dim| shape[*dim as usize]).product();
    let mean = mean_of(e, x, dims)?;
    let wide = e.broadcast_along(mean, &shape, dims)?;
    let distance = e.sub(x, wide)?;
    let square = e.mul(distance, distance)?;
    let sum = e.fold(Opcode::StablehloAdd, square, Number::Int(0), dims)?;
    let divisor = (count as f64 - correction).max(0.0);
    Ok((mean, e.binary_number(Opcode::StablehloDivide, sum, Number::Float(divisor))?))
}

/// `var`, `std`, `var_mean`, `std_mean` in all overloads.
pub fn variance(e: &mut Emit, call: &Call) -> Values {
    let name = call.target.split('.').nth(1).unwrap_or_default();
    let x = call.tensor(0, "self")?;
    let rank = e.rank(x)?;
    let overload = call.target.rsplit('.').next().unwrap_or_default();
    let (dims, correction) = match overload {
        "default" => ((0..rank as i64).collect(), f64::from(u8::from(call.flag(1, "unbiased", true)?))),
        "dim" => (call.dims(1, "dim", rank)?, f64::from(u8::from(call.flag(2, "unbiased", true)?))),
        _ => (call.dims(1, "dim", rank)?, call.float(usize::MAX, "correction", 1.0)?),
    };
    let x = e.convert(x, &accumulator(&call.element(0)?))?;
    let (mean, mut spread) = moments_of(e, x, &dims, correction)?;
    if name.starts_with("std") {
        spread = e.unary(Opcode::StablehloSqrt, spread);
    }
    let mut results = vec![spread];
    if name.ends_with("_mean") {
        results.push(mean);
    }
    finish(e, call, results)
}

/// Results in the types that the graph says.
fn finish(e: &mut Emit, call: &Call, values: Vec<ValueId>) -> Values {
    let mut results = Vec::new();
    for (index, value) in values.into_iter().enumerate() {
        let value = e.convert(value, &call.element(index)?)?;
        results.push(e.reshape(value, &call.shape(index)?)?);
    }
    Ok(results)
}

/// `amax`, `amin`, `max`, `min` without positions.
pub fn extremum(e: &mut Emit, call: &Call, opcode: Opcode) -> Values {
    let x = call.tensor(0, "self")?;
    let dims = dims_of(e, call, x)?;
    let y = extremum_of(e, x, opcode, &dims)?;
    Ok(vec![e.reshape(y, &call.shape(0)?)?])
}

/// The largest (`maximum`) or smallest element along dimensions.
pub fn extremum_of(e: &mut Emit, x: ValueId, opcode: Opcode, dims: &[i64]) -> Out {
    let element = e.element(x)?;
    let init = if opcode == Opcode::StablehloMaximum { lowest(&element) } else { highest(&element) };
    e.fold(opcode, x, init, dims)
}

/// `any` and `all`: in the result's type (`ui8` for `ui8`, else truth values).
pub fn truth(e: &mut Emit, call: &Call, opcode: Opcode) -> Values {
    let x = call.tensor(0, "self")?;
    let dims = dims_of(e, call, x)?;
    let x = e.convert(x, &ElementType::BOOL)?;
    let y = e.fold(opcode, x, Number::Bool(opcode == Opcode::StablehloAnd), &dims)?;
    finish(e, call, vec![y])
}

/// `count_nonzero`.
pub fn count_nonzero(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let dims = call.dims(1, "dim", e.rank(x)?)?;
    let x = e.convert(x, &ElementType::BOOL)?;
    let x = e.convert(x, &ElementType::I64)?;
    let y = e.fold(Opcode::StablehloAdd, x, Number::Int(0), &dims)?;
    Ok(vec![e.reshape(y, &call.shape(0)?)?])
}

/// `argmax` and `argmin`: of the flattened tensor where there is no dimension.
pub fn arg_extremum(e: &mut Emit, call: &Call, direction: ComparisonDirection) -> Values {
    let mut x = call.tensor(0, "self")?;
    let dim = if call.has(1, "dim") {
        call.dim(1, "dim", 0, e.rank(x)?)?
    } else {
        let count = e.shape(x)?.iter().product();
        x = e.reshape(x, &[count])?;
        0
    };
    let (_, index) = extremum_with_index(e, x, dim, direction)?;
    Ok(vec![e.reshape(index, &call.shape(0)?)?])
}

/// `max.dim` and `min.dim`: values and positions.
pub fn extremum_dim(e: &mut Emit, call: &Call, direction: ComparisonDirection) -> Values {
    let x = call.tensor(0, "self")?;
    let dim = call.dim(1, "dim", 0, e.rank(x)?)?;
    let (value, index) = extremum_with_index(e, x, dim, direction)?;
    finish(e, call, vec![value, index])
}

/// The largest (`GT`) or smallest (`LT`) element of a dimension and its first position; NaN comes before all.
fn extremum_with_index(
    e: &mut Emit,
    x: ValueId,
    dim: usize,
    direction: ComparisonDirection,
) -> Result<(ValueId, ValueId), Refusal> {
    let (shape, element) = (e.shape(x)?, e.element(x)?);
    if shape.is_empty() {
        let zero = e.scalar(Number::Int(0), &ElementType::I64)?;
        return Ok((x, zero));
    }
    let positions = e.iota(&shape, &ElementType::I64, dim);
    let worst = if direction == ComparisonDirection::Gt { lowest(&element) } else { highest(&element) };
    let inits = [e.scalar(worst, &element)?, e.scalar(Number::Int(i64::MAX), &ElementType::I64)?];
    let is_float = category(&element) == 2;
    let results = e.reduce(&[x, positions], &inits, &[dim as i64], &mut |e, args| {
        let [a, at_a, b, at_b] = args else { unreachable!("a fold of two values should have four arguments") };
        let mut a_wins = e.compare(direction, *a, *b)?;
        let mut tie = e.compare(ComparisonDirection::Eq, *a, *b)?;
        if is_float {
            let (a_is_nan, b_is_nan) = (e.is_nan(*a)?, e.is_nan(*b)?);
            let both = e.binary(Opcode::StablehloAnd, a_is_nan, b_is_nan)?;
            tie = e.binary(Opcode::StablehloOr, tie, both)?;
            a_wins = e.binary(Opcode::StablehloOr, a_wins, a_is_nan)?;
        }
        let earlier = e.compare(ComparisonDirection::Lt, *at_a, *at_b)?;
        let value = e.select(a_wins, *a, *b)?;
        let by_value = e.select(a_wins, *at_a, *at_b)?;
        let by_place = e.select(earlier, *at_a, *at_b)?;
        Ok(vec![value, e.select(tie, by_place, by_value)?])
    })?;
    Ok((results[0], results[1]))
}

/// `logsumexp(x, dims)`.
pub fn logsumexp(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let dims = call.dims(1, "dim", e.rank(x)?)?;
    let x = e.convert(x, &accumulator(&call.element(0)?))?;
    let y = logsumexp_of(e, x, &dims)?;
    finish(e, call, vec![y])
}

/// `log(sum(exp(x)))` along dimensions, without them.
pub fn logsumexp_of(e: &mut Emit, x: ValueId, dims: &[i64]) -> Out {
    let shape = e.shape(x)?;
    let largest = extremum_of(e, x, Opcode::StablehloMaximum, dims)?;
    let magnitude = e.unary(Opcode::StablehloAbs, largest);
    let infinite = e.compare_number(ComparisonDirection::Eq, magnitude, Number::Float(f64::INFINITY))?;
    let (own, element) = (e.shape(largest)?, e.element(largest)?);
    let zeros = e.splat(Number::Int(0), &element, &own)?;
    let largest = e.select(infinite, zeros, largest)?;
    let wide = e.broadcast_along(largest, &shape, dims)?;
    let moved = e.sub(x, wide)?;
    let powers = e.unary(Opcode::StablehloExponential, moved);
    let sum = e.fold(Opcode::StablehloAdd, powers, Number::Int(0), dims)?;
    let log = e.unary(Opcode::StablehloLog, sum);
    e.add(log, largest)
}

/// `norm`, `linalg_vector_norm(x, order, dims)`: orders 0, 1, 2, infinite and any other.
pub fn norm(e: &mut Emit, call: &Call) -> Values {
    let order = call.float(1, "ord", 2.0)?;
    let x = call.tensor(0, "self")?;
    let has_dims = !matches!(call.target.as_ref(), "aten.norm.Scalar");
    let dims = if has_dims { call.dims(2, "dim", e.rank(x)?)? } else { (0..e.rank(x)? as i64).collect() };
    let element = call.element(0)?;
    let x = e.convert(x, &accumulator(&element))?;
    let magnitude = e.unary(Opcode::StablehloAbs, x);
    let y = norm_of(e, magnitude, order, &dims)?;
    finish(e, call, vec![y])
}

/// The norm of that order of magnitudes along dimensions, without them.
pub fn norm_of(e: &mut Emit, magnitude: ValueId, order: f64, dims: &[i64]) -> Out {
    if order == f64::INFINITY {
        return extremum_of(e, magnitude, Opcode::StablehloMaximum, dims);
    }
    if order == f64::NEG_INFINITY {
        return extremum_of(e, magnitude, Opcode::StablehloMinimum, dims);
    }
    if order == 0.0 {
        let element = e.element(magnitude)?;
        let nonzero = e.compare_number(ComparisonDirection::Ne, magnitude, Number::Int(0))?;
        let ones = e.convert(nonzero, &element)?;
        return e.fold(Opcode::StablehloAdd, ones, Number::Int(0), dims);
    }
    power_mean(e, magnitude, order, dims)
}

fn power_mean(e: &mut Emit, x: ValueId, order: f64, dims: &[i64]) -> Out {
    let add = |e: &mut Emit, x| e.fold(Opcode::StablehloAdd, x, Number::Int(0), dims);
    if order == 1.0 {
        return add(e, x);
    }
    if order == 2.0 {
        let square = e.mul(x, x)?;
        let sum = add(e, square)?;
        return Ok(e.unary(Opcode::StablehloSqrt, sum));
    }
    let powers = e.binary_number(Opcode::StablehloPower, x, Number::Float(order))?;
    let sum = add(e, powers)?;
    e.binary_number(Opcode::StablehloPower, sum, Number::Float(1.0 / order))
}

/// `_softmax`, `softmax`, `_log_softmax`, `log_softmax`.
pub fn softmax(e: &mut Emit, call: &Call, is_log: bool) -> Values {
    let element = call.element(0)?;
    let x = call.tensor(0, "self")?;
    let rank = e.rank(x)?;
    let dim = call.dim(1, "dim", -1, rank)? as i64;
    let dims = if rank == 0 { vec![] } else { vec![dim] };
    let x = e.convert(x, &accumulator(&element))?;
    let y = softmax_of(e, x, &dims, is_log)?;
    Ok(vec![e.convert(y, &element)?])
}

/// The (logarithm of the) softmax along dimensions.
pub fn softmax_of(e: &mut Emit, x: ValueId, dims: &[i64], is_log: bool) -> Out {
    let shape = e.shape(x)?;
    let largest = extremum_of(e, x, Opcode::StablehloMaximum, dims)?;
    let wide = e.broadcast_along(largest, &shape, dims)?;
    let moved = e.sub(x, wide)?;
    let powers = e.unary(Opcode::StablehloExponential, moved);
    let sum = e.fold(Opcode::StablehloAdd, powers, Number::Int(0), dims)?;
    if is_log {
        let log = e.unary(Opcode::StablehloLog, sum);
        let wide = e.broadcast_along(log, &shape, dims)?;
        return e.sub(moved, wide);
    }
    let wide = e.broadcast_along(sum, &shape, dims)?;
    e.div(powers, wide)
}

/// `_safe_softmax`: 0 where every element is `-inf`.
pub fn safe_softmax(e: &mut Emit, call: &Call) -> Values {
    let element = call.element(0)?;
    let x = call.tensor(0, "self")?;
    let dim = call.dim(1, "dim", -1, e.rank(x)?)? as i64;
    let x = e.convert(x, &accumulator(&element))?;
    let y = safe_softmax_of(e, x, &[dim])?;
    Ok(vec![e.convert(y, &element)?])
}

/// The softmax along dimensions, 0 where every element is `-inf`.
pub fn safe_softmax_of(e: &mut Emit, x: ValueId, dims: &[i64]) -> Out {
    let (shape, element) = (e.shape(x)?, e.element(x)?);
    let y = softmax_of(e, x, dims, false)?;
    let largest = extremum_of(e, x, Opcode::StablehloMaximum, dims)?;
    let empty = e.compare_number(ComparisonDirection::Eq, largest, Number::Float(f64::NEG_INFINITY))?;
    let empty = e.broadcast_along(empty, &shape, dims)?;
    let zeros = e.splat(Number::Int(0), &element, &shape)?;
    e.select(empty, zeros, y)
}
