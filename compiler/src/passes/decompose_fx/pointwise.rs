//! Elementwise operators.
//!
//! A single operation in a 16-bit float is rounded once and needs no more; an operator made of several is computed in
//! f32, as PyTorch does, and so is one that meets a Python number, which has more digits than the 16-bit float.

use super::{
    call::{Call, Operand},
    promote::{accumulator, broadcast_shape, category, materialize, result_type},
    table::Values,
};
use crate::{
    ir::{ElementType, Opcode, ValueId, enums::ComparisonDirection, types::Signedness},
    passes::emit::{Emit, Number, Out, Refusal},
};

use ComparisonDirection::{Eq, Ge, Lt, Ne};

/// How an elementwise operator of one value continues from the value in the type it is computed in.
pub type Step = fn(&mut Emit, ValueId) -> Out;

/// An operator that is one operation.
pub fn unary(e: &mut Emit, call: &Call, opcode: Opcode) -> Values {
    let x = first(e, call)?;
    Ok(vec![e.unary(opcode, x)])
}

/// An operator that leaves integers as they are (`floor`, `round`, …).
pub fn rounding(e: &mut Emit, call: &Call, opcode: Opcode) -> Values {
    let x = first(e, call)?;
    Ok(vec![if category(&e.element(x)?) == 2 { e.unary(opcode, x) } else { x }])
}

/// An operator of several operations, computed in f32 for 16-bit floats.
pub fn composite(e: &mut Emit, call: &Call, step: Step) -> Values {
    let element = call.element(0)?;
    let x = call.tensor(0, "self")?;
    let x = e.convert(x, &accumulator(&element))?;
    let y = step(e, x)?;
    Ok(vec![e.convert(y, &element)?])
}

/// The first operand in the result's element type and shape.
pub fn first(e: &mut Emit, call: &Call) -> Out {
    materialize(e, call.operand(0, "self")?, &call.element(0)?, &call.shape(0)?)
}

/// A number of the operand's type and shape.
pub fn like(e: &mut Emit, x: ValueId, number: f64) -> Out {
    let (shape, element) = (e.shape(x)?, e.element(x)?);
    e.splat(Number::Float(number), &element, &shape)
}

/// The value times a number.
pub fn scaled(e: &mut Emit, x: ValueId, factor: f64) -> Out {
    e.binary_number(Opcode::StablehloMultiply, x, Number::Float(factor))
}

/// The value plus a number.
pub fn plus(e: &mut Emit, x: ValueId, number: f64) -> Out {
    e.binary_number(Opcode::StablehloAdd, x, Number::Float(number))
}

/// Rounded towards zero.
pub fn trunc_of(e: &mut Emit, x: ValueId) -> Out {
    let below = e.unary(Opcode::StablehloFloor, x);
    let above = e.unary(Opcode::StablehloCeil, x);
    let negative = e.compare_number(Lt, x, Number::Int(0))?;
    e.select(negative, above, below)
}

/// `1 / x`.
pub fn reciprocal_of(e: &mut Emit, x: ValueId) -> Out {
    let one = like(e, x, 1.0)?;
    e.div(one, x)
}

/// `2^x`.
pub fn exp2_of(e: &mut Emit, x: ValueId) -> Out {
    let two = like(e, x, 2.0)?;
    e.binary(Opcode::StablehloPower, two, x)
}

/// `log(x) / log(base)`.
fn log_base(e: &mut Emit, x: ValueId, base: f64) -> Out {
    let log = e.unary(Opcode::StablehloLog, x);
    let divisor = like(e, log, base.ln())?;
    e.div(log, divisor)
}

/// Binary logarithm.
pub fn log2_of(e: &mut Emit, x: ValueId) -> Out {
    log_base(e, x, 2.0)
}

/// Decimal logarithm.
pub fn log10_of(e: &mut Emit, x: ValueId) -> Out {
    log_base(e, x, 10.0)
}

/// `x - trunc(x)`.
pub fn frac_of(e: &mut Emit, x: ValueId) -> Out {
    let whole = trunc_of(e, x)?;
    e.sub(x, whole)
}

/// `abs`: unsigned integers and truth values are their own.
pub fn abs(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let own = matches!(
        e.element(x)?,
        ElementType::Integer { width: 1, .. } | ElementType::Integer { signedness: Signedness::Unsigned, .. }
    );
    if own {
        return Ok(vec![x]);
    }
    let ty = crate::passes::emit::tensor_type(&call.shape(0)?, &call.element(0)?);
    Ok(vec![e.op(Opcode::StablehloAbs, &[x], ty, &[])])
}

/// `round(x, decimals)`.
pub fn round_decimals(e: &mut Emit, call: &Call) -> Values {
    let factor = 10f64.powi(call.int(1, "decimals", 0)?.clamp(-400, 400) as i32);
    let x = first(e, call)?;
    let moved = scaled(e, x, factor)?;
    let whole = e.unary(Opcode::StablehloRoundNearestEven, moved);
    Ok(vec![e.binary_number(Opcode::StablehloDivide, whole, Number::Float(factor))?])
}

/// `isnan`, `isinf`, … : a predicate of floats; integers are finite.
pub fn classify(e: &mut Emit, call: &Call, step: Step, of_integers: bool) -> Values {
    let x = call.tensor(0, "self")?;
    if category(&e.element(x)?) == 2 {
        return Ok(vec![step(e, x)?]);
    }
    Ok(vec![e.splat(Number::Bool(of_integers), &ElementType::BOOL, &call.shape(0)?)?])
}

/// True where finite.
pub fn is_finite_of(e: &mut Emit, x: ValueId) -> Out {
    let ty = crate::passes::emit::tensor_type(&e.shape(x)?, &ElementType::BOOL);
    Ok(e.op(Opcode::StablehloIsFinite, &[x], ty, &[]))
}

/// True where infinite.
pub fn is_inf_of(e: &mut Emit, x: ValueId) -> Out {
    let magnitude = e.unary(Opcode::StablehloAbs, x);
    e.compare_number(Eq, magnitude, Number::Float(f64::INFINITY))
}

/// True where `inf`.
pub fn is_pos_inf_of(e: &mut Emit, x: ValueId) -> Out {
    e.compare_number(Eq, x, Number::Float(f64::INFINITY))
}

/// True where `-inf`.
pub fn is_neg_inf_of(e: &mut Emit, x: ValueId) -> Out {
    e.compare_number(Eq, x, Number::Float(f64::NEG_INFINITY))
}

/// `signbit`, also of `-0.0`.
pub fn signbit(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    Ok(vec![is_negative(e, x)?])
}

/// True where the sign bit is set.
fn is_negative(e: &mut Emit, x: ValueId) -> Out {
    let element = e.element(x)?;
    let ElementType::Float(kind) = element else { return e.compare_number(Lt, x, Number::Int(0)) };
    let bits = ElementType::Integer { width: kind.bits(), signedness: Signedness::Signless };
    let ty = crate::passes::emit::tensor_type(&e.shape(x)?, &bits);
    let bits = e.op(Opcode::StablehloBitcastConvert, &[x], ty, &[]);
    e.compare_number(Lt, bits, Number::Int(0))
}

/// `nan_to_num(x, nan, posinf, neginf)`.
pub fn nan_to_num(e: &mut Emit, call: &Call) -> Values {
    let x = first(e, call)?;
    let (element, shape) = (call.element(0)?, call.shape(0)?);
    if category(&element) != 2 {
        return Ok(vec![x]);
    }
    let largest = largest_finite(&element);
    let nan = call.float(1, "nan", 0.0)?;
    let (high, low) = (call.float(2, "posinf", largest)?, call.float(3, "neginf", -largest)?);
    let mut y = x;
    for (test, number) in [(is_pos_inf_of as Step, high), (is_neg_inf_of, low), (|e, x| e.is_nan(x), nan)] {
        let found = test(e, x)?;
        let number = e.splat(Number::Float(number), &element, &shape)?;
        y = e.select(found, number, y)?;
    }
    Ok(vec![y])
}

/// The largest finite number of a float type.
pub fn largest_finite(element: &ElementType) -> f64 {
    use crate::ir::types::FloatKind;
    match element {
        ElementType::Float(FloatKind::F16) => 65504.0,
        ElementType::Float(FloatKind::Bf16) => f64::from(half::bf16::MAX),
        ElementType::Float(FloatKind::F64) => f64::MAX,
        _ => f64::from(f32::MAX),
    }
}

/// Both operands of an arithmetic operator in the type that it is computed in, and back.
pub fn arithmetic(e: &mut Emit, call: &Call, step: fn(&mut Emit, ValueId, ValueId) -> Out) -> Values {
    let operands = [call.operand(0, "self")?, call.operand(1, "other")?];
    arithmetic_on(e, call, operands, step)
}

fn arithmetic_on(
    e: &mut Emit,
    call: &Call,
    operands: [Operand; 2],
    step: fn(&mut Emit, ValueId, ValueId) -> Out,
) -> Values {
    let (element, shape) = (call.element(0)?, call.shape(0)?);
    let wide = wide_element(e, &element, &operands)?;
    let left = materialize(e, operands[0], &wide, &shape)?;
    let right = materialize(e, operands[1], &wide, &shape)?;
    let y = step(e, left, right)?;
    Ok(vec![e.convert(y, &element)?])
}

/// f32 where a 16-bit float meets a number or a tensor without dimensions, which keep their digits.
fn wide_element(e: &Emit, element: &ElementType, operands: &[Operand]) -> Result<ElementType, Refusal> {
    for operand in operands {
        let exact = match operand {
            Operand::Tensor(value) => e.element(*value)? == *element,
            _ => false,
        };
        if !exact {
            return Ok(accumulator(element));
        }
    }
    Ok(element.clone())
}

/// `add` and `sub` with `alpha`, `rsub` with the operands swapped.
pub fn add_scaled(e: &mut Emit, call: &Call, opcode: Opcode, swapped: bool) -> Values {
    let (element, shape) = (call.element(0)?, call.shape(0)?);
    let mut operands = [call.operand(0, "self")?, call.operand(1, "other")?];
    let alpha = call.optional_number(2, "alpha")?.filter(|alpha| alpha.as_f64() != 1.0);
    if swapped {
        operands.swap(0, 1);
    }
    let wide = if alpha.is_some() { accumulator(&element) } else { wide_element(e, &element, &operands)? };
    let left = materialize(e, operands[0], &wide, &shape)?;
    let mut right = materialize(e, operands[1], &wide, &shape)?;
    if let Some(alpha) = alpha {
        right = e.binary_number(Opcode::StablehloMultiply, right, alpha)?;
    }
    let y = e.binary(opcode, left, right)?;
    Ok(vec![e.convert(y, &element)?])
}

/// `div` with its rounding modes.
pub fn div(e: &mut Emit, call: &Call) -> Values {
    match call.text(2, "rounding_mode") {
        None => arithmetic(e, call, |e, a, b| e.div(a, b)),
        Some("floor") => arithmetic(e, call, floor_divide_of),
        Some("trunc") => arithmetic(e, call, |e, a, b| {
            let quotient = e.div(a, b)?;
            if category(&e.element(a)?) == 2 { trunc_of(e, quotient) } else { Ok(quotient) }
        }),
        Some(other) => Err(Refusal(format!("there is no rounding mode `{other}`"))),
    }
}

/// The quotient rounded down, as PyTorch computes it for floats: from the exact remainder.
pub fn floor_divide_of(e: &mut Emit, a: ValueId, b: ValueId) -> Out {
    let element = e.element(a)?;
    let remainder = e.binary(Opcode::StablehloRemainder, a, b)?;
    let off = signs_differ(e, remainder, b)?;
    let whole = e.sub(a, remainder)?;
    let quotient = e.div(whole, b)?;
    let lower = e.binary_number(Opcode::StablehloSubtract, quotient, Number::Int(1))?;
    let adjusted = e.select(off, lower, quotient)?;
    if category(&element) != 2 {
        return Ok(adjusted);
    }
    let nearest = e.unary(Opcode::StablehloRoundNearestEven, adjusted);
    let by_zero = e.compare_number(Eq, b, Number::Int(0))?;
    let plain = e.div(a, b)?;
    e.select(by_zero, plain, nearest)
}

/// True where a remainder is not zero and has another sign than the divisor.
fn signs_differ(e: &mut Emit, remainder: ValueId, divisor: ValueId) -> Out {
    let nonzero = e.compare_number(Ne, remainder, Number::Int(0))?;
    let left = e.compare_number(Lt, remainder, Number::Int(0))?;
    let right = e.compare_number(Lt, divisor, Number::Int(0))?;
    let differ = e.binary(Opcode::StablehloXor, left, right)?;
    e.binary(Opcode::StablehloAnd, nonzero, differ)
}

/// The remainder with the sign of the divisor.
pub fn remainder_of(e: &mut Emit, a: ValueId, b: ValueId) -> Out {
    let remainder = e.binary(Opcode::StablehloRemainder, a, b)?;
    let off = signs_differ(e, remainder, b)?;
    let moved = e.add(remainder, b)?;
    e.select(off, moved, remainder)
}

/// `pow`, with the exponents that PyTorch computes by products and roots.
pub fn pow(e: &mut Emit, call: &Call) -> Values {
    let element = call.element(0)?;
    let exponent = call.operand(1, "exponent")?;
    let operands = [call.operand(0, "self")?, exponent];
    let (Operand::Number(number), 2) = (exponent, category(&element)) else {
        return arithmetic_on(e, call, operands, |e, a, b| e.binary(Opcode::StablehloPower, a, b));
    };
    let wide = accumulator(&element);
    let x = materialize(e, operands[0], &wide, &call.shape(0)?)?;
    let y = power_of(e, x, number.as_f64())?;
    Ok(vec![e.convert(y, &element)?])
}

fn power_of(e: &mut Emit, x: ValueId, exponent: f64) -> Out {
    if exponent == 2.0 {
        return e.mul(x, x);
    }
    if exponent == 3.0 {
        let square = e.mul(x, x)?;
        return e.mul(square, x);
    }
    if exponent == 0.5 {
        return Ok(e.unary(Opcode::StablehloSqrt, x));
    }
    if exponent == -0.5 {
        return Ok(e.unary(Opcode::StablehloRsqrt, x));
    }
    if exponent == -1.0 {
        return reciprocal_of(e, x);
    }
    if exponent == -2.0 {
        let square = e.mul(x, x)?;
        return reciprocal_of(e, square);
    }
    e.binary_number(Opcode::StablehloPower, x, Number::Float(exponent))
}

/// `fmax` and `fmin`: the other operand where one is NaN.
pub fn extremum_ignoring_nan(e: &mut Emit, call: &Call, opcode: Opcode) -> Values {
    let (element, shape) = (call.element(0)?, call.shape(0)?);
    let a = materialize(e, call.operand(0, "self")?, &element, &shape)?;
    let b = materialize(e, call.operand(1, "other")?, &element, &shape)?;
    let both = e.binary(opcode, a, b)?;
    if category(&element) != 2 {
        return Ok(vec![both]);
    }
    let (a_is_nan, b_is_nan) = (e.is_nan(a)?, e.is_nan(b)?);
    let y = e.select(b_is_nan, a, both)?;
    Ok(vec![e.select(a_is_nan, b, y)?])
}

/// `sqrt(a² + b²)`.
pub fn hypot_of(e: &mut Emit, a: ValueId, b: ValueId) -> Out {
    let (a, b) = (e.mul(a, a)?, e.mul(b, b)?);
    let sum = e.add(a, b)?;
    Ok(e.unary(Opcode::StablehloSqrt, sum))
}

/// `log(exp(a) + exp(b))`.
pub fn logaddexp_of(e: &mut Emit, a: ValueId, b: ValueId) -> Out {
    let larger = e.binary(Opcode::StablehloMaximum, a, b)?;
    let distance = e.sub(a, b)?;
    let magnitude = e.unary(Opcode::StablehloAbs, distance);
    let negative = e.unary(Opcode::StablehloNegate, magnitude);
    let decayed = e.unary(Opcode::StablehloExponential, negative);
    let tail = e.unary(Opcode::StablehloLogPlusOne, decayed);
    let sum = e.add(larger, tail)?;
    let equal = e.compare(Eq, a, b)?;
    let doubled = plus(e, a, std::f64::consts::LN_2)?;
    e.select(equal, doubled, sum)
}

/// `|a|` with the sign of `b`.
pub fn copysign_of(e: &mut Emit, a: ValueId, b: ValueId) -> Out {
    let magnitude = e.unary(Opcode::StablehloAbs, a);
    let negated = e.unary(Opcode::StablehloNegate, magnitude);
    let negative = is_negative(e, b)?;
    e.select(negative, negated, magnitude)
}

/// `a * log(b)`, 0 where `a` is 0.
pub fn xlogy_of(e: &mut Emit, a: ValueId, b: ValueId) -> Out {
    let log = e.unary(Opcode::StablehloLog, b);
    let product = e.mul(a, log)?;
    let zero = e.compare_number(Eq, a, Number::Int(0))?;
    let zeros = like(e, a, 0.0)?;
    let y = e.select(zero, zeros, product)?;
    let nan = e.is_nan(b)?;
    e.select(nan, b, y)
}

/// A comparison in the type where the operands meet.
pub fn compare(e: &mut Emit, call: &Call, direction: ComparisonDirection) -> Values {
    let operands = [call.operand(0, "self")?, call.operand(1, "other")?];
    let element = result_type(e, &operands)?;
    let shape = call.shape(0)?;
    let left = materialize(e, operands[0], &element, &shape)?;
    let right = materialize(e, operands[1], &element, &shape)?;
    Ok(vec![e.compare(direction, left, right)?])
}

/// `logical_and`, …: on truth values.
pub fn logical(e: &mut Emit, call: &Call, opcode: Opcode) -> Values {
    let shape = call.shape(0)?;
    let left = materialize(e, call.operand(0, "self")?, &ElementType::BOOL, &shape)?;
    let right = materialize(e, call.operand(1, "other")?, &ElementType::BOOL, &shape)?;
    Ok(vec![e.binary(opcode, left, right)?])
}

/// `logical_not`.
pub fn logical_not(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let truth = e.convert(x, &ElementType::BOOL)?;
    let y = e.unary(Opcode::StablehloNot, truth);
    Ok(vec![e.convert(y, &call.element(0)?)?])
}

/// An operation on integers or truth values.
pub fn bitwise(e: &mut Emit, call: &Call, opcode: Opcode) -> Values {
    let (element, shape) = (call.element(0)?, call.shape(0)?);
    let left = materialize(e, call.operand(0, "self")?, &element, &shape)?;
    let right = materialize(e, call.operand(1, "other")?, &element, &shape)?;
    Ok(vec![e.binary(opcode, left, right)?])
}

/// `clamp` with numbers or tensors, `hardtanh`, `clamp_min`, `clamp_max`: the bounds are arguments `low` and `high`.
pub fn clamp(e: &mut Emit, call: &Call, low: (usize, &str), high: (usize, &str)) -> Values {
    let (element, shape) = (call.element(0)?, call.shape(0)?);
    let mut x = materialize(e, call.operand(0, "self")?, &element, &shape)?;
    for ((position, name), opcode) in [(low, Opcode::StablehloMaximum), (high, Opcode::StablehloMinimum)] {
        if call.has(position, name) {
            let bound = materialize(e, call.operand(position, name)?, &element, &shape)?;
            x = e.binary(opcode, x, bound)?;
        }
    }
    Ok(vec![x])
}

/// `where(condition, x, y)`.
pub fn where_self(e: &mut Emit, call: &Call) -> Values {
    let (element, shape) = (call.element(0)?, call.shape(0)?);
    let condition = materialize(e, call.operand(0, "condition")?, &ElementType::BOOL, &shape)?;
    let x = materialize(e, call.operand(1, "self")?, &element, &shape)?;
    let y = materialize(e, call.operand(2, "other")?, &element, &shape)?;
    Ok(vec![e.select(condition, x, y)?])
}

/// `masked_fill(x, mask, value)`.
pub fn masked_fill(e: &mut Emit, call: &Call) -> Values {
    let (element, shape) = (call.element(0)?, call.shape(0)?);
    let x = materialize(e, call.operand(0, "self")?, &element, &shape)?;
    let mask = materialize(e, call.operand(1, "mask")?, &ElementType::BOOL, &shape)?;
    let value = materialize(e, call.operand(2, "value")?, &element, &shape)?;
    Ok(vec![e.select(mask, value, x)?])
}

/// `lerp(start, end, weight)`: from the nearer end.
pub fn lerp(e: &mut Emit, call: &Call) -> Values {
    let (element, shape) = (call.element(0)?, call.shape(0)?);
    let wide = accumulator(&element);
    let start = materialize(e, call.operand(0, "self")?, &wide, &shape)?;
    let end = materialize(e, call.operand(1, "end")?, &wide, &shape)?;
    let weight = materialize(e, call.operand(2, "weight")?, &wide, &shape)?;
    let distance = e.sub(end, start)?;
    let step = e.mul(weight, distance)?;
    let from_start = e.add(start, step)?;
    let one = like(e, weight, 1.0)?;
    let rest = e.sub(one, weight)?;
    let back = e.mul(distance, rest)?;
    let from_end = e.sub(end, back)?;
    let magnitude = e.unary(Opcode::StablehloAbs, weight);
    let is_near = e.compare_number(Lt, magnitude, Number::Float(0.5))?;
    let y = e.select(is_near, from_start, from_end)?;
    Ok(vec![e.convert(y, &element)?])
}

/// `addcmul` and `addcdiv`: `x + value * (a op b)`.
pub fn add_combined(e: &mut Emit, call: &Call, opcode: Opcode) -> Values {
    let (element, shape) = (call.element(0)?, call.shape(0)?);
    let wide = accumulator(&element);
    let x = materialize(e, call.operand(0, "self")?, &wide, &shape)?;
    let a = materialize(e, call.operand(1, "tensor1")?, &wide, &shape)?;
    let b = materialize(e, call.operand(2, "tensor2")?, &wide, &shape)?;
    let mut term = e.binary(opcode, a, b)?;
    if let Some(value) = call.optional_number(3, "value")? {
        term = e.binary_number(Opcode::StablehloMultiply, term, value)?;
    }
    let y = e.add(x, term)?;
    Ok(vec![e.convert(y, &element)?])
}

/// `isclose(a, b, rtol, atol, equal_nan)`.
pub fn isclose(e: &mut Emit, call: &Call) -> Values {
    let operands = [call.operand(0, "self")?, call.operand(1, "other")?];
    let element = result_type(e, &operands)?;
    let element = if category(&element) == 2 { element } else { ElementType::F64 };
    let shape = call.shape(0)?;
    let a = materialize(e, operands[0], &element, &shape)?;
    let b = materialize(e, operands[1], &element, &shape)?;
    let (relative, absolute) = (call.float(2, "rtol", 1e-5)?, call.float(3, "atol", 1e-8)?);
    let magnitude = e.unary(Opcode::StablehloAbs, b);
    let allowed = scaled(e, magnitude, relative)?;
    let allowed = plus(e, allowed, absolute)?;
    let distance = e.sub(a, b)?;
    let distance = e.unary(Opcode::StablehloAbs, distance);
    let near = e.compare(ComparisonDirection::Le, distance, allowed)?;
    let finite = is_finite_of(e, distance)?;
    let near = e.binary(Opcode::StablehloAnd, near, finite)?;
    let equal = e.compare(Eq, a, b)?;
    let mut y = e.binary(Opcode::StablehloOr, near, equal)?;
    if call.flag(4, "equal_nan", false)? {
        let (a, b) = (e.is_nan(a)?, e.is_nan(b)?);
        let both = e.binary(Opcode::StablehloAnd, a, b)?;
        y = e.binary(Opcode::StablehloOr, y, both)?;
    }
    Ok(vec![y])
}

/// The shape to which the two operands broadcast.
pub fn meeting_shape(e: &Emit, a: ValueId, b: ValueId) -> Result<Vec<i64>, Refusal> {
    broadcast_shape(e, &[Operand::Tensor(a), Operand::Tensor(b)])
}

/// `heaviside(x, values)`.
pub fn heaviside_of(e: &mut Emit, x: ValueId, values: ValueId) -> Out {
    let positive = e.compare_number(Ge, x, Number::Int(0))?;
    let (zero, one) = (like(e, x, 0.0)?, like(e, x, 1.0)?);
    let step = e.select(positive, one, zero)?;
    let at_zero = e.compare_number(Eq, x, Number::Int(0))?;
    e.select(at_zero, values, step)
}

/// A mean from a sum and a count: integers round down.
pub fn mean_divide(e: &mut Emit, sum: ValueId, count: ValueId) -> Out {
    if category(&e.element(sum)?) == 2 { e.div(sum, count) } else { floor_divide_of(e, sum, count) }
}

/// Rounded towards zero; integers are their own.
pub fn trunc(e: &mut Emit, call: &Call) -> Values {
    let x = first(e, call)?;
    Ok(vec![if category(&e.element(x)?) == 2 { trunc_of(e, x)? } else { x }])
}

/// A shift right that copies the sign bit of signed integers.
pub fn shift_right(e: &mut Emit, call: &Call) -> Values {
    let unsigned = matches!(call.element(0)?, ElementType::Integer { signedness: Signedness::Unsigned, .. });
    bitwise(e, call, if unsigned { Opcode::StablehloShiftRightLogical } else { Opcode::StablehloShiftRightArithmetic })
}

/// `sign` and `sgn`: 0 for NaN, as PyTorch has it.
pub fn sign(e: &mut Emit, call: &Call) -> Values {
    let x = first(e, call)?;
    let element = e.element(x)?;
    if matches!(element, ElementType::Integer { signedness: Signedness::Unsigned, .. } | ElementType::Integer { width: 1, .. }) {
        let positive = e.convert(x, &ElementType::BOOL)?;
        return Ok(vec![e.convert(positive, &element)?]);
    }
    let sign = e.unary(Opcode::StablehloSign, x);
    if category(&element) != 2 {
        return Ok(vec![sign]);
    }
    let zero = like(e, x, 0.0)?;
    let nan = e.is_nan(x)?;
    Ok(vec![e.select(nan, zero, sign)?])
}
