//! Normalisations. 16-bit floats are normalised in f32.

use super::{
    call::Call,
    promote::{accumulator, widen},
    reduce::{mean_of, moments_of},
    table::Values,
};
use crate::{
    ir::{ElementType, Opcode, ValueId},
    passes::emit::{Emit, Number, Out, Refusal},
};

/// `1 / sqrt(variance + eps)`.
fn inverse_deviation(e: &mut Emit, variance: ValueId, eps: f64) -> Out {
    let moved = e.binary_number(Opcode::StablehloAdd, variance, Number::Float(eps))?;
    Ok(e.unary(Opcode::StablehloRsqrt, moved))
}

/// `(x - mean) * rstd`, both given without the dimensions `missing`.
fn normalized(e: &mut Emit, x: ValueId, mean: ValueId, rstd: ValueId, missing: &[i64]) -> Out {
    let shape = e.shape(x)?;
    let mean = e.broadcast_along(mean, &shape, missing)?;
    let rstd = e.broadcast_along(rstd, &shape, missing)?;
    let distance = e.sub(x, mean)?;
    e.mul(distance, rstd)
}

/// `x * weight + bias`, both of the dimensions `dims` of `x`, where they are given.
fn scaled_and_moved(e: &mut Emit, x: ValueId, weight: Option<ValueId>, bias: Option<ValueId>, dims: &[i64]) -> Out {
    let (shape, element) = (e.shape(x)?, e.element(x)?);
    let mut y = x;
    for (value, opcode) in [(weight, Opcode::StablehloMultiply), (bias, Opcode::StablehloAdd)] {
        let Some(value) = value else { continue };
        let value = e.convert(value, &element)?;
        let value = e.broadcast_in_dim(value, &shape, dims)?;
        y = e.binary(opcode, y, value)?;
    }
    Ok(y)
}

/// Results in the types that the graph says; those that it does not ask for are left out.
fn finish(e: &mut Emit, call: &Call, values: &[ValueId]) -> Values {
    let mut results = Vec::new();
    for (index, value) in values.iter().enumerate().take(call.results.len()) {
        let value = e.convert(*value, &call.element(index)?)?;
        results.push(e.reshape(value, &call.shape(index)?)?);
    }
    Ok(results)
}

/// `layer_norm(x, shape, weight, bias, eps)` and `native_layer_norm`, which also gives mean and 1 / deviation.
pub fn layer_norm(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "input")?;
    let (rank, inner) = (e.rank(x)?, call.ints(1, "normalized_shape")?.len());
    let outer = rank.checked_sub(inner).ok_or_else(|| Refusal::from("it normalises more dimensions than there are"))?;
    let dims: Vec<i64> = (outer as i64..rank as i64).collect();
    let (weight, bias) = (call.optional_tensor(2, "weight")?, call.optional_tensor(3, "bias")?);
    let x = widen(e, x)?;
    let (mean, variance) = moments_of(e, x, &dims, 0.0)?;
    let rstd = inverse_deviation(e, variance, call.float(4, "eps", 1e-5)?)?;
    let y = normalized(e, x, mean, rstd, &dims)?;
    let y = scaled_and_moved(e, y, weight, bias, &dims)?;
    finish(e, call, &[y, mean, rstd])
}

/// `rms_norm(x, shape, weight, eps)` and `_fused_rms_norm`, which also gives 1 / deviation.
pub fn rms_norm(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "input")?;
    let element = e.element(x)?;
    let (rank, inner) = (e.rank(x)?, call.ints(1, "normalized_shape")?.len());
    let outer = rank.checked_sub(inner).ok_or_else(|| Refusal::from("it normalises more dimensions than there are"))?;
    let dims: Vec<i64> = (outer as i64..rank as i64).collect();
    let default = if element == ElementType::F64 { f64::EPSILON } else { f64::from(f32::EPSILON) };
    let eps = call.float(3, "eps", default)?;
    let weight = call.optional_tensor(2, "weight")?;
    let x = widen(e, x)?;
    let square = e.mul(x, x)?;
    let mean = mean_of(e, square, &dims)?;
    let rstd = inverse_deviation(e, mean, eps)?;
    let shape = e.shape(x)?;
    let wide = e.broadcast_along(rstd, &shape, &dims)?;
    let y = e.mul(x, wide)?;
    let y = scaled_and_moved(e, y, weight, None, &dims)?;
    finish(e, call, &[y, rstd])
}

/// `native_group_norm(x, weight, bias, n, channels, inner, groups, eps)`.
pub fn native_group_norm(e: &mut Emit, call: &Call) -> Values {
    let (weight, bias) = (call.optional_tensor(1, "weight")?, call.optional_tensor(2, "bias")?);
    group_norm_of(e, call, call.int(6, "group", 1)?, weight, bias, call.float(7, "eps", 1e-5)?)
}

/// `group_norm(x, groups, weight, bias, eps)`.
pub fn group_norm(e: &mut Emit, call: &Call) -> Values {
    let (weight, bias) = (call.optional_tensor(2, "weight")?, call.optional_tensor(3, "bias")?);
    group_norm_of(e, call, call.int(1, "num_groups", 1)?, weight, bias, call.float(4, "eps", 1e-5)?)
}

fn group_norm_of(
    e: &mut Emit,
    call: &Call,
    groups: i64,
    weight: Option<ValueId>,
    bias: Option<ValueId>,
    eps: f64,
) -> Values {
    let x = call.tensor(0, "input")?;
    let shape = e.shape(x)?;
    let [batch, channels, ..] = shape.as_slice() else {
        return Err(Refusal::from("its operand has no channels"));
    };
    if groups < 1 || channels % groups != 0 {
        return Err(Refusal(format!("{channels} channels do not divide into {groups} groups")));
    }
    let inner: i64 = shape[1..].iter().product::<i64>() / groups;
    let wide = widen(e, x)?;
    let flat = e.reshape(wide, &[*batch, groups, inner])?;
    let (mean, variance) = moments_of(e, flat, &[2], 0.0)?;
    let rstd = inverse_deviation(e, variance, eps)?;
    let y = normalized(e, flat, mean, rstd, &[2])?;
    let y = e.reshape(y, &shape)?;
    let y = scaled_and_moved(e, y, weight, bias, &[1])?;
    finish(e, call, &[y, mean, rstd])
}

/// `instance_norm(x, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, cudnn)`.
pub fn instance_norm(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "input")?;
    let rank = e.rank(x)? as i64;
    let (weight, bias) = (call.optional_tensor(1, "weight")?, call.optional_tensor(2, "bias")?);
    if !call.flag(5, "use_input_stats", true)? {
        return Err(Refusal::from("running statistics are not supported"));
    }
    let dims: Vec<i64> = (2..rank).collect();
    let x = widen(e, x)?;
    let (mean, variance) = moments_of(e, x, &dims, 0.0)?;
    let rstd = inverse_deviation(e, variance, call.float(7, "eps", 1e-5)?)?;
    let y = normalized(e, x, mean, rstd, &dims)?;
    let y = scaled_and_moved(e, y, weight, bias, &[1])?;
    finish(e, call, &[y])
}

/// Where the arguments of a batch normalisation are.
struct BatchNorm {
    weight: Option<ValueId>,
    bias: Option<ValueId>,
    running_mean: Option<ValueId>,
    running_var: Option<ValueId>,
    training: bool,
    momentum: f64,
    eps: f64,
}

impl BatchNorm {
    fn read(call: &Call, training: bool, momentum: usize) -> Result<BatchNorm, Refusal> {
        Ok(BatchNorm {
            weight: call.optional_tensor(1, "weight")?,
            bias: call.optional_tensor(2, "bias")?,
            running_mean: call.optional_tensor(3, "running_mean")?,
            running_var: call.optional_tensor(4, "running_var")?,
            training,
            momentum: call.float(momentum, "momentum", 0.1)?,
            eps: call.float(momentum + 1, "eps", 1e-5)?,
        })
    }
}

/// `_native_batch_norm_legit_no_training`, `batch_norm`, `native_batch_norm`, `_native_batch_norm_legit`: in training
/// the running statistics are stored into.
pub fn batch_norm(e: &mut Emit, call: &Call) -> Values {
    let (training, momentum) = match call.target.as_ref() {
        "aten._native_batch_norm_legit_no_training.default" | "aten._batch_norm_no_update.default" => (false, 5),
        "aten._batch_norm_with_update.default" => (true, 5),
        _ => (call.flag(5, "training", false)?, 6),
    };
    let norm = BatchNorm::read(call, training, momentum)?;
    let [y, mean, rstd, new_mean, new_var] = batch_norm_of(e, call, &norm)?;
    if norm.training {
        for (position, value) in [(3, new_mean), (4, new_var)] {
            if let super::call::Arg::Tensor(_, operand) = call.arg(position, "") {
                call.writes.borrow_mut().push((*operand, value));
            }
        }
    }
    let mut results = vec![y];
    for (index, value) in [(1, mean), (2, rstd)] {
        if index < call.results.len() {
            let is_empty = call.shape(index)? == [0];
            results.push(if is_empty { call.zeros(e, index)? } else { e.convert(value, &call.element(index)?)? });
        }
    }
    for index in 3..call.results.len() {
        results.push(call.zeros(e, index)?);
    }
    Ok(results)
}

/// `_native_batch_norm_legit.no_stats(x, weight, bias, training, momentum, eps)`.
pub fn batch_norm_no_stats(e: &mut Emit, call: &Call) -> Values {
    let norm = BatchNorm {
        weight: call.optional_tensor(1, "weight")?,
        bias: call.optional_tensor(2, "bias")?,
        running_mean: None,
        running_var: None,
        training: true,
        momentum: 0.0,
        eps: call.float(5, "eps", 1e-5)?,
    };
    let [y, mean, rstd, ..] = batch_norm_of(e, call, &norm)?;
    finish(e, call, &[y, mean, rstd])
}

/// `_native_batch_norm_legit_functional`: the new running statistics are results.
pub fn batch_norm_functional(e: &mut Emit, call: &Call) -> Values {
    let norm = BatchNorm::read(call, call.flag(5, "training", true)?, 6)?;
    let results = batch_norm_of(e, call, &norm)?;
    finish(e, call, &results)
}

/// Output, mean and 1 / deviation of the batch, new running mean and variance.
fn batch_norm_of(e: &mut Emit, call: &Call, norm: &BatchNorm) -> Result<[ValueId; 5], Refusal> {
    let x = call.tensor(0, "input")?;
    let element = call.element(0)?;
    let shape = e.shape(x)?;
    let [_, channels, ..] = shape.as_slice() else { return Err(Refusal::from("its operand has no channels")) };
    let others: Vec<i64> = (0..shape.len() as i64).filter(|dim| *dim != 1).collect();
    let x = widen(e, x)?;
    let wide = accumulator(&element);
    let count: i64 = others.iter().map(|dim| shape[*dim as usize]).product();
    let mut running = Vec::new();
    for (value, start) in [(norm.running_mean, 0), (norm.running_var, 1)] {
        running.push(match value {
            Some(value) => e.convert(value, &wide)?,
            None => e.splat(Number::Int(start), &wide, &[*channels])?,
        });
    }
    let (mean, variance) = if norm.training { moments_of(e, x, &others, 0.0)? } else { (running[0], running[1]) };
    let rstd = inverse_deviation(e, variance, norm.eps)?;
    let y = normalized(e, x, mean, rstd, &others)?;
    let y = scaled_and_moved(e, y, norm.weight, norm.bias, &[1])?;
    let y = e.convert(y, &element)?;
    let mut results = [y, mean, rstd, running[0], running[1]];
    if norm.training {
        let unbiased = count as f64 / (count as f64 - 1.0).max(1.0);
        let spread = e.binary_number(Opcode::StablehloMultiply, variance, Number::Float(unbiased))?;
        results[3] = blend(e, running[0], mean, norm.momentum)?;
        results[4] = blend(e, running[1], spread, norm.momentum)?;
    }
    Ok(results)
}

/// `(1 - momentum) * old + momentum * new`.
fn blend(e: &mut Emit, old: ValueId, new: ValueId, momentum: f64) -> Out {
    let old = e.binary_number(Opcode::StablehloMultiply, old, Number::Float(1.0 - momentum))?;
    let new = e.binary_number(Opcode::StablehloMultiply, new, Number::Float(momentum))?;
    e.add(old, new)
}

/// `normalize`-like `x / max(norm, eps)` is made of core operators; `cosine_similarity(a, b, dim, eps)` is this.
pub fn cosine_similarity(e: &mut Emit, call: &Call) -> Values {
    let (a, b) = (call.tensor(0, "x1")?, call.tensor(1, "x2")?);
    let shape = super::pointwise::meeting_shape(e, a, b)?;
    let dim = call.dim(2, "dim", 1, shape.len())? as i64;
    let eps = call.float(3, "eps", 1e-8)?;
    let (a, b) = (widen(e, a)?, widen(e, b)?);
    let (a, b) = (e.broadcast(a, &shape)?, e.broadcast(b, &shape)?);
    let mut lengths = Vec::new();
    for x in [a, b] {
        let square = e.mul(x, x)?;
        let sum = e.fold(Opcode::StablehloAdd, square, Number::Int(0), &[dim])?;
        let length = e.unary(Opcode::StablehloSqrt, sum);
        lengths.push(e.binary_number(Opcode::StablehloMaximum, length, Number::Float(eps))?);
    }
    let product = e.mul(a, b)?;
    let sum = e.fold(Opcode::StablehloAdd, product, Number::Int(0), &[dim])?;
    let divisor = e.mul(lengths[0], lengths[1])?;
    let y = e.div(sum, divisor)?;
    finish(e, call, &[y])
}
