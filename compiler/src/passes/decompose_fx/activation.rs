//! Activations. Those of several operations are computed in f32 for 16-bit floats.

use super::{
    call::Call,
    pointwise::{composite, first, like, plus, scaled},
    promote::{accumulator, widen},
    table::Values,
};
use crate::{
    ir::{
        Opcode, ValueId,
        enums::ComparisonDirection::{Gt, Lt},
    },
    passes::emit::{Emit, Number, Out, Refusal},
};

/// `max(x, 0)`.
pub fn relu_of(e: &mut Emit, x: ValueId) -> Out {
    e.binary_number(Opcode::StablehloMaximum, x, Number::Int(0))
}

/// `x * sigmoid(x)`.
pub fn silu_of(e: &mut Emit, x: ValueId) -> Out {
    let gate = e.unary(Opcode::StablehloLogistic, x);
    e.mul(x, gate)
}

/// `log(1 + exp(x))` without overflow.
fn softplus_of(e: &mut Emit, x: ValueId) -> Out {
    let magnitude = e.unary(Opcode::StablehloAbs, x);
    let negative = e.unary(Opcode::StablehloNegate, magnitude);
    let decayed = e.unary(Opcode::StablehloExponential, negative);
    let tail = e.unary(Opcode::StablehloLogPlusOne, decayed);
    let head = relu_of(e, x)?;
    e.add(head, tail)
}

/// `x * tanh(softplus(x))`.
pub fn mish_of(e: &mut Emit, x: ValueId) -> Out {
    let soft = softplus_of(e, x)?;
    let gate = e.unary(Opcode::StablehloTanh, soft);
    e.mul(x, gate)
}

/// `log(sigmoid(x))`.
pub fn log_sigmoid_of(e: &mut Emit, x: ValueId) -> Out {
    let negative = e.unary(Opcode::StablehloNegate, x);
    let soft = softplus_of(e, negative)?;
    Ok(e.unary(Opcode::StablehloNegate, soft))
}

/// `x / (1 + |x|)`.
pub fn softsign_of(e: &mut Emit, x: ValueId) -> Out {
    let magnitude = e.unary(Opcode::StablehloAbs, x);
    let divisor = plus(e, magnitude, 1.0)?;
    e.div(x, divisor)
}

/// `min(max(x + 3, 0), 6) / 6`.
pub fn hardsigmoid_of(e: &mut Emit, x: ValueId) -> Out {
    let moved = plus(e, x, 3.0)?;
    let low = relu_of(e, moved)?;
    let clipped = e.binary_number(Opcode::StablehloMinimum, low, Number::Float(6.0))?;
    e.binary_number(Opcode::StablehloDivide, clipped, Number::Float(6.0))
}

/// `x * hardsigmoid(x)`.
pub fn hardswish_of(e: &mut Emit, x: ValueId) -> Out {
    let gate = hardsigmoid_of(e, x)?;
    e.mul(x, gate)
}

/// `min(max(x, 0), 6)`.
pub fn relu6_of(e: &mut Emit, x: ValueId) -> Out {
    let low = relu_of(e, x)?;
    e.binary_number(Opcode::StablehloMinimum, low, Number::Int(6))
}

/// `relu` of any type.
pub fn relu(e: &mut Emit, call: &Call) -> Values {
    let x = first(e, call)?;
    Ok(vec![relu_of(e, x)?])
}

/// `gelu` by `erf` or by `tanh`.
pub fn gelu(e: &mut Emit, call: &Call) -> Values {
    let by_tanh = match call.text(1, "approximate") {
        None | Some("none") => false,
        Some("tanh") => true,
        Some(other) => return Err(Refusal(format!("there is no approximation `{other}`"))),
    };
    composite(e, call, if by_tanh { gelu_tanh_of } else { gelu_erf_of })
}

fn gelu_erf_of(e: &mut Emit, x: ValueId) -> Out {
    let inner = scaled(e, x, std::f64::consts::FRAC_1_SQRT_2)?;
    let erf = e.unary(Opcode::ChloErf, inner);
    let gate = plus(e, erf, 1.0)?;
    let half = scaled(e, x, 0.5)?;
    e.mul(half, gate)
}

fn gelu_tanh_of(e: &mut Emit, x: ValueId) -> Out {
    let square = e.mul(x, x)?;
    let cube = e.mul(square, x)?;
    let small = scaled(e, cube, 0.044715)?;
    let sum = e.add(x, small)?;
    let inner = scaled(e, sum, (2.0 / std::f64::consts::PI).sqrt())?;
    let tanh = e.unary(Opcode::StablehloTanh, inner);
    let gate = plus(e, tanh, 1.0)?;
    let half = scaled(e, x, 0.5)?;
    e.mul(half, gate)
}

/// `elu(x, alpha, scale, input_scale)`, of which `selu` and `celu` are cases.
fn elu_of(e: &mut Emit, call: &Call, alpha: f64, scale: f64, input_scale: f64) -> Values {
    let element = call.element(0)?;
    let x = call.tensor(0, "self")?;
    let x = e.convert(x, &accumulator(&element))?;
    let inner = scaled(e, x, input_scale)?;
    let growth = e.unary(Opcode::StablehloExponentialMinusOne, inner);
    let negative = scaled(e, growth, alpha * scale)?;
    let positive = scaled(e, x, scale)?;
    let is_positive = e.compare_number(Gt, x, Number::Int(0))?;
    let y = e.select(is_positive, positive, negative)?;
    Ok(vec![e.convert(y, &element)?])
}

/// `elu`.
pub fn elu(e: &mut Emit, call: &Call) -> Values {
    elu_of(e, call, call.float(1, "alpha", 1.0)?, call.float(2, "scale", 1.0)?, call.float(3, "input_scale", 1.0)?)
}

/// `selu`.
pub fn selu(e: &mut Emit, call: &Call) -> Values {
    elu_of(e, call, 1.673_263_242_354_377_2, 1.050_700_987_355_480_5, 1.0)
}

/// `celu`.
pub fn celu(e: &mut Emit, call: &Call) -> Values {
    let alpha = call.float(1, "alpha", 1.0)?;
    elu_of(e, call, alpha, 1.0, 1.0 / alpha)
}

/// `leaky_relu`.
pub fn leaky_relu(e: &mut Emit, call: &Call) -> Values {
    let slope = call.float(1, "negative_slope", 0.01)?;
    let element = call.element(0)?;
    let x = call.tensor(0, "self")?;
    let x = e.convert(x, &accumulator(&element))?;
    let small = scaled(e, x, slope)?;
    let is_positive = e.compare_number(Gt, x, Number::Int(0))?;
    let y = e.select(is_positive, x, small)?;
    Ok(vec![e.convert(y, &element)?])
}

/// `prelu`: a slope a channel (dimension 1).
pub fn prelu(e: &mut Emit, call: &Call) -> Values {
    let (x, weight) = (call.tensor(0, "self")?, call.tensor(1, "weight")?);
    let shape = call.shape(0)?;
    let slopes = e.shape(weight)?.iter().product::<i64>();
    let weight = e.reshape(weight, &[slopes])?;
    let weight = match shape.len() {
        0 | 1 => e.broadcast(weight, &shape)?,
        _ if slopes == 1 => e.broadcast(weight, &shape)?,
        _ => e.broadcast_in_dim(weight, &shape, &[1])?,
    };
    let small = e.mul(x, weight)?;
    let is_positive = e.compare_number(Gt, x, Number::Int(0))?;
    Ok(vec![e.select(is_positive, x, small)?])
}

/// `softplus(x, beta, threshold)`.
pub fn softplus(e: &mut Emit, call: &Call) -> Values {
    let (beta, threshold) = (call.float(1, "beta", 1.0)?, call.float(2, "threshold", 20.0)?);
    let element = call.element(0)?;
    let x = call.tensor(0, "self")?;
    let x = e.convert(x, &accumulator(&element))?;
    let inner = scaled(e, x, beta)?;
    let soft = softplus_of(e, inner)?;
    let soft = e.binary_number(Opcode::StablehloDivide, soft, Number::Float(beta))?;
    let is_linear = e.compare_number(Gt, inner, Number::Float(threshold))?;
    let y = e.select(is_linear, x, soft)?;
    Ok(vec![e.convert(y, &element)?])
}

/// `log_sigmoid_forward`, whose second result is a buffer for training.
pub fn log_sigmoid_forward(e: &mut Emit, call: &Call) -> Values {
    let mut results = composite(e, call, log_sigmoid_of)?;
    results.push(call.zeros(e, 1)?);
    Ok(results)
}

/// `threshold(x, threshold, value)`.
pub fn threshold(e: &mut Emit, call: &Call) -> Values {
    let x = first(e, call)?;
    let (shape, element) = (call.shape(0)?, call.element(0)?);
    let value = e.splat(call.number(2, "value")?, &element, &shape)?;
    let above = e.compare_number(Gt, x, call.number(1, "threshold")?)?;
    Ok(vec![e.select(above, x, value)?])
}

/// `hardshrink` and `softshrink`: zero within `lambda`, outside `x` or `x` moved towards zero.
pub fn shrink(e: &mut Emit, call: &Call, moves: f64) -> Values {
    let lambda = call.float(1, "lambd", 0.5)?;
    let x = first(e, call)?;
    let zero = like(e, x, 0.0)?;
    let lower = plus(e, x, -lambda * moves)?;
    let upper = plus(e, x, lambda * moves)?;
    let above = e.compare_number(Gt, x, Number::Float(lambda))?;
    let below = e.compare_number(Lt, x, Number::Float(-lambda))?;
    let rest = e.select(below, upper, zero)?;
    Ok(vec![e.select(above, lower, rest)?])
}

/// `logit(x, eps)`.
pub fn logit(e: &mut Emit, call: &Call) -> Values {
    let element = call.element(0)?;
    let x = call.tensor(0, "self")?;
    let mut x = e.convert(x, &accumulator(&element))?;
    if let Some(eps) = call.optional_number(1, "eps")? {
        x = e.binary_number(Opcode::StablehloMaximum, x, eps)?;
        x = e.binary_number(Opcode::StablehloMinimum, x, Number::Float(1.0 - eps.as_f64()))?;
    }
    let one = like(e, x, 1.0)?;
    let rest = e.sub(one, x)?;
    let odds = e.div(x, rest)?;
    let y = e.unary(Opcode::StablehloLog, odds);
    Ok(vec![e.convert(y, &element)?])
}

/// `glu(x, dim)`: the first half times the sigmoid of the second.
pub fn glu(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let shape = e.shape(x)?;
    let dim = call.dim(1, "dim", -1, shape.len())?;
    let extent = *shape.get(dim).ok_or_else(|| Refusal::from("its operand has no dimension"))?;
    let value = e.slice_dim(x, dim, 0, extent / 2, 1)?;
    let gate = e.slice_dim(x, dim, extent / 2, extent, 1)?;
    let (value, gate) = (widen(e, value)?, widen(e, gate)?);
    let gate = e.unary(Opcode::StablehloLogistic, gate);
    let y = e.mul(value, gate)?;
    Ok(vec![e.convert(y, &call.element(0)?)?])
}

/// `hardtanh`, whose bounds have defaults.
pub fn hardtanh(e: &mut Emit, call: &Call) -> Values {
    let (low, high) = (call.float(1, "min_val", -1.0)?, call.float(2, "max_val", 1.0)?);
    let x = first(e, call)?;
    let x = e.binary_number(Opcode::StablehloMaximum, x, Number::Float(low))?;
    Ok(vec![e.binary_number(Opcode::StablehloMinimum, x, Number::Float(high))?])
}
