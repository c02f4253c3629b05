//! Losses, for evaluation.

use super::{call::Call, promote::widen, table::Values};
use crate::{
    ir::{
        ElementType, Opcode, ValueId,
        enums::ComparisonDirection::{Eq, Ne},
    },
    passes::emit::{Emit, Number, Out, Refusal},
};

/// `mse_loss(x, target, reduction)`.
pub fn mse(e: &mut Emit, call: &Call) -> Values {
    elementwise(e, call, |e, distance| e.mul(distance, distance))
}

/// `l1_loss(x, target, reduction)`.
pub fn l1(e: &mut Emit, call: &Call) -> Values {
    elementwise(e, call, |e, distance| Ok(e.unary(Opcode::StablehloAbs, distance)))
}

fn elementwise(e: &mut Emit, call: &Call, step: fn(&mut Emit, ValueId) -> Out) -> Values {
    let (x, target) = (call.tensor(0, "self")?, call.tensor(1, "target")?);
    let (x, target) = (widen(e, x)?, widen(e, target)?);
    let distance = e.sub(x, target)?;
    let losses = step(e, distance)?;
    let y = reduced(e, losses, call.int(2, "reduction", 1)?)?;
    Ok(vec![e.convert(y, &call.element(0)?)?])
}

/// Reduction 0 none, 1 mean, 2 sum.
fn reduced(e: &mut Emit, losses: ValueId, reduction: i64) -> Out {
    let dims: Vec<i64> = (0..e.rank(losses)? as i64).collect();
    match reduction {
        0 => Ok(losses),
        1 => super::reduce::mean_of(e, losses, &dims),
        _ => e.fold(Opcode::StablehloAdd, losses, Number::Int(0), &dims),
    }
}

/// `nll_loss_forward(x, target, weight, reduction, ignore_index)` without weights: loss and total weight.
pub fn nll_loss(e: &mut Emit, call: &Call) -> Values {
    let (x, target) = (call.tensor(0, "self")?, call.tensor(1, "target")?);
    if call.has(2, "weight") {
        return Err(Refusal::from("class weights are not supported"));
    }
    let (reduction, ignored) = (call.int(3, "reduction", 1)?, call.int(4, "ignore_index", -100)?);
    let (loss, total) = negative_log_likelihood(e, x, target, reduction, ignored)?;
    Ok(vec![loss, if reduction == 0 { call.zeros(e, 1)? } else { total }])
}

/// Losses of rows of logarithms, joined as `reduction` says, and how many rows count.
fn negative_log_likelihood(
    e: &mut Emit,
    x: ValueId,
    target: ValueId,
    reduction: i64,
    ignored: i64,
) -> Result<(ValueId, ValueId), Refusal> {
    let shape = e.shape(x)?;
    let [rows, classes] = shape[..] else { return Err(Refusal::from("only a batch of rows is supported")) };
    let element = e.element(x)?;
    let names = e.iota(&shape, &ElementType::I64, 1);
    let wide = e.convert(target, &ElementType::I64)?;
    let counted = e.compare_number(Ne, wide, Number::Int(ignored))?;
    let counted = e.convert(counted, &element)?;
    let wide = e.broadcast_in_dim(wide, &[rows, classes], &[0])?;
    let hit = e.compare(Eq, names, wide)?;
    let zeros = e.splat(Number::Int(0), &element, &shape)?;
    let picked = e.select(hit, x, zeros)?;
    let losses = e.fold(Opcode::StablehloAdd, picked, Number::Int(0), &[1])?;
    let losses = e.unary(Opcode::StablehloNegate, losses);
    let losses = e.mul(losses, counted)?;
    let total = e.fold(Opcode::StablehloAdd, counted, Number::Int(0), &[0])?;
    if reduction == 0 {
        return Ok((losses, total));
    }
    let mut loss = e.fold(Opcode::StablehloAdd, losses, Number::Int(0), &[0])?;
    if reduction == 1 {
        loss = e.div(loss, total)?;
    }
    Ok((loss, total))
}

/// `smooth_l1_loss(x, target, reduction, beta)`.
pub fn smooth_l1(e: &mut Emit, call: &Call) -> Values {
    bent(e, call, 3, |e, near, beta| e.binary_number(Opcode::StablehloDivide, near, beta), |beta| (1.0, beta.as_f64() / 2.0))
}

/// `huber_loss(x, target, reduction, delta)`.
pub fn huber(e: &mut Emit, call: &Call) -> Values {
    bent(e, call, 3, |_, near, _| Ok(near), |delta| (delta.as_f64(), delta.as_f64() * delta.as_f64() / 2.0))
}

/// Half the square of a distance below a bend (made smaller by `near`), a line beyond it.
fn bent(
    e: &mut Emit,
    call: &Call,
    position: usize,
    near: fn(&mut Emit, ValueId, Number) -> Out,
    far: fn(Number) -> (f64, f64),
) -> Values {
    let bend = Number::Float(call.float(position, "bend", 1.0)?);
    let (x, target) = (call.tensor(0, "self")?, call.tensor(1, "target")?);
    let (x, target) = (widen(e, x)?, widen(e, target)?);
    let distance = e.sub(x, target)?;
    let distance = e.unary(Opcode::StablehloAbs, distance);
    let square = e.mul(distance, distance)?;
    let half = e.binary_number(Opcode::StablehloMultiply, square, Number::Float(0.5))?;
    let inner = near(e, half, bend)?;
    let (slope, start) = far(bend);
    let outer = e.binary_number(Opcode::StablehloMultiply, distance, Number::Float(slope))?;
    let outer = e.binary_number(Opcode::StablehloSubtract, outer, Number::Float(start))?;
    let is_near = e.compare_number(crate::ir::enums::ComparisonDirection::Lt, distance, bend)?;
    let losses = e.select(is_near, inner, outer)?;
    let y = reduced(e, losses, call.int(2, "reduction", 1)?)?;
    Ok(vec![e.convert(y, &call.element(0)?)?])
}

/// `binary_cross_entropy_with_logits(x, target, weight, pos_weight, reduction)` without weights.
pub fn binary_cross_entropy_with_logits(e: &mut Emit, call: &Call) -> Values {
    if call.has(2, "weight") || call.has(3, "pos_weight") {
        return Err(Refusal::from("weights are not supported"));
    }
    let (x, target) = (call.tensor(0, "self")?, call.tensor(1, "target")?);
    let (x, target) = (widen(e, x)?, widen(e, target)?);
    // (1 - target) * x - log(sigmoid(x))
    let element = e.element(target)?;
    let shape = e.shape(target)?;
    let one = e.splat(Number::Int(1), &element, &shape)?;
    let rest = e.sub(one, target)?;
    let product = e.mul(rest, x)?;
    let log = super::activation::log_sigmoid_of(e, x)?;
    let losses = e.sub(product, log)?;
    let y = reduced(e, losses, call.int(4, "reduction", 1)?)?;
    Ok(vec![e.convert(y, &call.element(0)?)?])
}

/// `cross_entropy_loss(x, target, weight, reduction, ignore_index, label_smoothing)` of class numbers.
pub fn cross_entropy(e: &mut Emit, call: &Call) -> Values {
    let (x, target) = (call.tensor(0, "self")?, call.tensor(1, "target")?);
    if call.has(2, "weight") || call.float(5, "label_smoothing", 0.0)? != 0.0 {
        return Err(Refusal::from("weights and smoothed labels are not supported"));
    }
    let x = widen(e, x)?;
    let logs = super::reduce::softmax_of(e, x, &[1], true)?;
    let (reduction, ignored) = (call.int(3, "reduction", 1)?, call.int(4, "ignore_index", -100)?);
    let (loss, _) = negative_log_likelihood(e, logs, target, reduction, ignored)?;
    Ok(vec![e.convert(loss, &call.element(0)?)?])
}
