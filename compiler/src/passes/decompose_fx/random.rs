//! Operators with chance in them, as `stablehlo.rng`. The pass `thread-random-state` gives it PyTorch's state, and draws from it as
//! PyTorch's `rand`, `randn` and `randint` do on CUDA, element by element; the table of operators says whose numbers these are.

use super::{
    call::Call,
    promote::{accumulator, category},
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

/// Random numbers of an element type; what the two parameters are, the distribution says.
fn draw(
    e: &mut Emit,
    element: &ElementType,
    shape: &[i64],
    distribution: RngDistribution,
    (a, b): (Number, Number),
) -> Out {
    let (a, b) = (e.scalar(a, element)?, e.scalar(b, element)?);
    let extents = e.indices(shape)?;
    let attrs = [("rng_distribution", Attribute::Enum(EnumAttr::RngDistribution(distribution)))];
    Ok(e.op(Opcode::StablehloRng, &[a, b, extents], tensor_type(shape, element), &attrs))
}

/// Refuses what is no float.
fn check_float(element: &ElementType) -> Result<(), Refusal> {
    if category(element) == 2 {
        return Ok(());
    }
    Err(Refusal::from("only real floats are drawn: of complex numbers draw the parts, and convert for others"))
}

/// Floats of `[0, 1)`.
fn draw_unit(e: &mut Emit, element: &ElementType, shape: &[i64]) -> Out {
    check_float(element)?;
    draw(e, element, shape, RngDistribution::Uniform, (Number::Int(0), Number::Int(1)))
}

/// Normal numbers. 16-bit floats are drawn in f32, so that mean and deviation are not rounded before.
fn draw_normal(e: &mut Emit, call: &Call, mean: f64, deviation: f64) -> Out {
    let (element, shape) = (call.element(0)?, call.shape(0)?);
    check_float(&element)?;
    let parameters = (Number::Float(mean), Number::Float(deviation));
    let numbers = draw(e, &accumulator(&element), &shape, RngDistribution::Normal, parameters)?;
    e.convert(numbers, &element)
}

/// `rand`, `rand_like`.
pub fn uniform(e: &mut Emit, call: &Call) -> Values {
    Ok(vec![draw_unit(e, &call.element(0)?, &call.shape(0)?)?])
}

/// `randn`, `randn_like`.
pub fn normal(e: &mut Emit, call: &Call) -> Values {
    Ok(vec![draw_normal(e, call, 0.0, 1.0)?])
}

/// `uniform(x, low, high)`.
pub fn uniform_between(e: &mut Emit, call: &Call) -> Values {
    let (low, high) = (call.float(1, "from", 0.0)?, call.float(2, "to", 1.0)?);
    let (element, shape) = (call.element(0)?, call.shape(0)?);
    check_float(&element)?;
    let parameters = (Number::Float(low), Number::Float(high));
    Ok(vec![draw(e, &element, &shape, RngDistribution::Uniform, parameters)?])
}

/// `normal(x, mean, std)` of a tensor's shape.
pub fn normal_of(e: &mut Emit, call: &Call) -> Values {
    let (mean, deviation) = (call.float(1, "mean", 0.0)?, call.float(2, "std", 1.0)?);
    Ok(vec![draw_normal(e, call, mean, deviation)?])
}

/// `exponential(x, rate)` of a tensor's shape.
pub fn exponential(e: &mut Emit, call: &Call) -> Values {
    let rate = call.float(1, "lambd", 1.0)?;
    let element = call.element(0)?;
    let numbers = draw_exponential(e, &accumulator(&element), &call.shape(0)?)?;
    let numbers = e.binary_number(Opcode::StablehloDivide, numbers, Number::Float(rate))?;
    Ok(vec![e.convert(numbers, &element)?])
}

/// `-log(u)` of `u` in `(0, 1]`, which `[0, 1)` with 1 in the place of 0 is; where that is 0 or nearly, half an epsilon, as in PyTorch.
fn draw_exponential(e: &mut Emit, element: &ElementType, shape: &[i64]) -> Out {
    let epsilon = if *element == ElementType::F64 { f64::EPSILON } else { f64::from(f32::EPSILON) };
    let unit = draw_unit(e, element, shape)?;
    let (zero, least) = (e.splat(Number::Int(0), element, shape)?, e.splat(Number::Float(epsilon / 2.0), element, shape)?);
    let log = e.unary(Opcode::StablehloLog, unit);
    let numbers = e.unary(Opcode::StablehloNegate, log);
    let is_one = e.compare(ComparisonDirection::Eq, unit, zero)?;
    let is_nearly_one = e.compare_number(ComparisonDirection::Ge, unit, Number::Float(1.0 - epsilon / 2.0))?;
    let is_least = e.binary(Opcode::StablehloOr, is_one, is_nearly_one)?;
    e.select(is_least, least, numbers)
}

/// `randint(high, size)`, `randint.low(low, high, size)` and their `_like` kin.
pub fn integers(e: &mut Emit, call: &Call) -> Values {
    let first = usize::from(call.target.contains("_like"));
    let has_low = call.target.contains(".low");
    let low = if has_low { call.int(first, "low", 0)? } else { 0 };
    let high = call.int(first + usize::from(has_low), "high", 1)?;
    if low >= high {
        return Err(Refusal(format!("no integer is at least {low} and below {high}")));
    }
    let parameters = (Number::Int(low), Number::Int(high));
    let numbers = draw(e, &ElementType::I64, &call.shape(0)?, RngDistribution::Uniform, parameters)?;
    Ok(vec![e.convert(numbers, &call.element(0)?)?])
}

/// `randperm(n)`: positions in the order of random numbers, of which hardly two are equal.
pub fn permutation(e: &mut Emit, call: &Call) -> Values {
    let numbers = draw_unit(e, &ElementType::F64, &call.shape(0)?)?;
    let (_, places) = sort::sorted(e, numbers, 0, false)?;
    Ok(vec![e.convert(places, &call.element(0)?)?])
}

/// `bernoulli(x)` and `bernoulli.p(x, p)`.
pub fn bernoulli(e: &mut Emit, call: &Call) -> Values {
    let (element, shape) = (call.element(0)?, call.shape(0)?);
    let wide = accumulator(&element);
    let wide = if category(&wide) == 2 { wide } else { ElementType::F32 };
    let numbers = draw_unit(e, &wide, &shape)?;
    let chance = if call.target.ends_with(".p") { call.operand(1, "p")? } else { call.operand(0, "self")? };
    let chance = super::promote::materialize(e, chance, &wide, &shape)?;
    let hit = e.compare(ComparisonDirection::Lt, numbers, chance)?;
    Ok(vec![e.convert(hit, &element)?])
}

/// The value with elements set to zero with probability `p` and the others scaled, and which were kept.
pub fn dropped(e: &mut Emit, x: ValueId, p: f64) -> Result<(ValueId, ValueId), Refusal> {
    let (shape, element) = (e.shape(x)?, e.element(x)?);
    let wide = accumulator(&element);
    let numbers = draw_unit(e, &wide, &shape)?;
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

/// `multinomial(weights, count, replacement)`: the largest of the weights over exponential numbers; without replacement the
/// `count` largest, with it one a draw.
pub fn multinomial(e: &mut Emit, call: &Call) -> Values {
    let weights = call.tensor(0, "self")?;
    let (count, replaces) = (call.int(1, "num_samples", 1)?, call.flag(2, "replacement", false)?);
    let element = accumulator(&e.element(weights)?);
    let mut weights = e.convert(weights, &element)?;
    let mut shape = e.shape(weights)?;
    let last = shape.len().checked_sub(1).ok_or_else(|| Refusal::from("its operand has no dimension"))?;
    if replaces {
        shape.insert(last, count);
        let dims: Vec<i64> = (0..last as i64).chain([last as i64 + 1]).collect();
        weights = e.broadcast_in_dim(weights, &shape, &dims)?;
    }
    let numbers = draw_exponential(e, &element, &shape)?;
    let scores = e.div(weights, numbers)?;
    let places = sort::top(e, scores, shape.len() - 1, if replaces { 1 } else { count }, true)?.1;
    Ok(vec![e.reshape(places, &call.shape(0)?)?])
}
