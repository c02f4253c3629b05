//! Operators with chance in them. Their numbers are not PyTorch's: its generators are not part of the graph.

use super::{
    call::Call,
    promote::{accumulator, is_reduced_float},
    sort,
    table::Values,
};
use crate::{
    ir::{
        Attribute, ElementType, Opcode, ValueId,
        enums::{ComparisonDirection, EnumAttr, RngDistribution},
    },
    passes::emit::{Emit, Number, Out, Refusal, tensor_type},
};

/// Random numbers of a float type.
fn draw(e: &mut Emit, element: &ElementType, shape: &[i64], distribution: RngDistribution) -> Out {
    let wide = if is_reduced_float(element) { ElementType::F32 } else { element.clone() };
    let a = e.scalar(Number::Int(0), &wide)?;
    let b = e.scalar(Number::Int(1), &wide)?;
    let extents = e.indices(shape)?;
    let attrs = [("rng_distribution", Attribute::Enum(EnumAttr::RngDistribution(distribution)))];
    let numbers = e.op(Opcode::StablehloRng, &[a, b, extents], tensor_type(shape, &wide), &attrs);
    e.convert(numbers, element)
}

/// `rand`, `rand_like`.
pub fn uniform(e: &mut Emit, call: &Call) -> Values {
    Ok(vec![draw(e, &call.element(0)?, &call.shape(0)?, RngDistribution::Uniform)?])
}

/// `randn`, `randn_like`.
pub fn normal(e: &mut Emit, call: &Call) -> Values {
    Ok(vec![draw(e, &call.element(0)?, &call.shape(0)?, RngDistribution::Normal)?])
}

/// `uniform(x, low, high)`.
pub fn uniform_between(e: &mut Emit, call: &Call) -> Values {
    let (low, high) = (call.float(1, "from", 0.0)?, call.float(2, "to", 1.0)?);
    spread(e, call, RngDistribution::Uniform, high - low, low)
}

/// `normal(x, mean, std)` of a tensor's shape.
pub fn normal_of(e: &mut Emit, call: &Call) -> Values {
    let (mean, deviation) = (call.float(1, "mean", 0.0)?, call.float(2, "std", 1.0)?);
    spread(e, call, RngDistribution::Normal, deviation, mean)
}

fn spread(e: &mut Emit, call: &Call, distribution: RngDistribution, factor: f64, start: f64) -> Values {
    let numbers = draw(e, &call.element(0)?, &call.shape(0)?, distribution)?;
    let numbers = e.binary_number(Opcode::StablehloMultiply, numbers, Number::Float(factor))?;
    Ok(vec![e.binary_number(Opcode::StablehloAdd, numbers, Number::Float(start))?])
}

/// `randint(high, size)`, `randint.low(low, high, size)` and their `_like` kin.
pub fn integers(e: &mut Emit, call: &Call) -> Values {
    let first = usize::from(call.target.contains("_like"));
    let has_low = call.target.contains(".low");
    let low = if has_low { call.int(first, "low", 0)? } else { 0 };
    let high = call.int(first + usize::from(has_low), "high", 1)?;
    let shape = call.shape(0)?;
    let numbers = draw(e, &ElementType::F64, &shape, RngDistribution::Uniform)?;
    let range = high.saturating_sub(low) as f64;
    let numbers = e.binary_number(Opcode::StablehloMultiply, numbers, Number::Float(range))?;
    let numbers = e.unary(Opcode::StablehloFloor, numbers);
    let numbers = e.binary_number(Opcode::StablehloAdd, numbers, Number::Int(low))?;
    Ok(vec![e.convert(numbers, &call.element(0)?)?])
}

/// `randperm(n)`: positions in the order of random numbers.
pub fn permutation(e: &mut Emit, call: &Call) -> Values {
    let numbers = draw(e, &ElementType::F32, &call.shape(0)?, RngDistribution::Uniform)?;
    let (_, places) = sort::sorted(e, numbers, 0, false)?;
    Ok(vec![e.convert(places, &call.element(0)?)?])
}

/// `bernoulli(x)` and `bernoulli.p(x, p)`.
pub fn bernoulli(e: &mut Emit, call: &Call) -> Values {
    let (element, shape) = (call.element(0)?, call.shape(0)?);
    let wide = accumulator(&element);
    let numbers = draw(e, &wide, &shape, RngDistribution::Uniform)?;
    let chance = if call.target.ends_with(".p") { call.operand(1, "p")? } else { call.operand(0, "self")? };
    let chance = super::promote::materialize(e, chance, &wide, &shape)?;
    let hit = e.compare(ComparisonDirection::Lt, numbers, chance)?;
    Ok(vec![e.convert(hit, &element)?])
}

/// The value with elements set to zero with probability `p` and the others scaled, and which were kept.
pub fn dropped(e: &mut Emit, x: ValueId, p: f64) -> Result<(ValueId, ValueId), Refusal> {
    let (shape, element) = (e.shape(x)?, e.element(x)?);
    let wide = accumulator(&element);
    let numbers = draw(e, &wide, &shape, RngDistribution::Uniform)?;
    let keep = e.compare_number(ComparisonDirection::Ge, numbers, Number::Float(p))?;
    let value = e.convert(x, &wide)?;
    let factor = if p < 1.0 { 1.0 / (1.0 - p) } else { 0.0 };
    let scaled = e.binary_number(Opcode::StablehloMultiply, value, Number::Float(factor))?;
    let zeros = e.splat(Number::Int(0), &wide, &shape)?;
    let y = e.select(keep, scaled, zeros)?;
    Ok((e.convert(y, &element)?, keep))
}

/// `native_dropout(x, p, train)`: exact without chance.
pub fn native_dropout(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "input")?;
    let p = call.float(1, "p", 0.5)?;
    let (y, keep) = if call.flag(2, "train", true)? && p > 0.0 {
        dropped(e, x, p)?
    } else {
        let shape = e.shape(x)?;
        (x, e.splat(Number::Bool(true), &ElementType::BOOL, &shape)?)
    };
    Ok(vec![y, keep])
}

/// `multinomial(weights, count, replacement)`: the largest of `log(weight)` with Gumbel noise; without replacement the
/// `count` largest, with it one a draw.
pub fn multinomial(e: &mut Emit, call: &Call) -> Values {
    let weights = call.tensor(0, "self")?;
    let (count, replaces) = (call.int(1, "num_samples", 1)?, call.flag(2, "replacement", false)?);
    let weights = e.convert(weights, &ElementType::F32)?;
    let mut shape = e.shape(weights)?;
    let last = shape.len().checked_sub(1).ok_or_else(|| Refusal::from("its operand has no dimension"))?;
    let mut logs = e.unary(Opcode::StablehloLog, weights);
    if replaces {
        shape.insert(last, count);
        let dims: Vec<i64> = (0..last as i64).chain([last as i64 + 1]).collect();
        logs = e.broadcast_in_dim(logs, &shape, &dims)?;
    }
    let numbers = draw(e, &ElementType::F32, &shape, RngDistribution::Uniform)?;
    let inner = e.unary(Opcode::StablehloLog, numbers);
    let inner = e.unary(Opcode::StablehloNegate, inner);
    let outer = e.unary(Opcode::StablehloLog, inner);
    let noisy = e.sub(logs, outer)?;
    let places = sort::top(e, noisy, shape.len() - 1, if replaces { 1 } else { count }, true)?.1;
    Ok(vec![e.reshape(places, &call.shape(0)?)?])
}
