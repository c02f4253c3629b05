//! What one random operation draws from a state.
//!
//! Philox-4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3"), with the seed as its key and a counter of 128
//! bits: below, a quarter of the offset; above, the position of the element. So PyTorch deals out its stream on CUDA
//! (`ATen/native/cuda/DistributionTemplates.h`, and cuRAND for the distributions) as long as each thread has one element, which on an H100 is
//! up to 270,336 elements; beyond that PyTorch's numbers depend on the GPU, and these go on as they began.

use crate::{
    ir::{
        Attribute, ElementType, Module, OpId, Opcode, ValueId,
        enums::{ComparisonDirection, EnumAttr, RngDistribution},
        types::Signedness,
    },
    passes::emit::{Emit, Number, Out, Refusal, count, tensor_type},
};

/// The words of a state.
pub const U64: ElementType = ElementType::Integer { width: 64, signedness: Signedness::Unsigned };
const U32: ElementType = ElementType::Integer { width: 32, signedness: Signedness::Unsigned };

/// How far one operation advances the offset: four words a thread, of which an element takes one to four.
const ADVANCE: u64 = 4;

/// Integers of ranges below this are made of one word of 32 bits, others of two. PyTorch's limit.
const ONE_WORD_RANGE_MAX: i64 = 1 << 28;

/// Writes before a `stablehlo.rng` what it draws from a state whose offset has advanced by `drawn`. Its numbers, and how far it
/// advances the offset: not at all if there are none.
pub fn draw(module: &mut Module, op: OpId, state: ValueId, drawn: u64) -> Result<(ValueId, u64), Refusal> {
    let operation = module.op(op);
    let (a, b, result) = (operation.operands[0], operation.operands[1], operation.results[0]);
    let is_normal =
        operation.attr("rng_distribution") == Some(&Attribute::Enum(EnumAttr::RngDistribution(RngDistribution::Normal)));
    let mut e = Emit::before(module, op);
    let (shape, element) = (e.shape(result)?, e.element(result)?);
    if count(&shape)? == 0 {
        return Ok((e.splat(Number::Int(0), &element, &shape)?, 0));
    }
    let part = Part { state, drawn, shape };
    let numbers = match (&element, is_normal) {
        (ElementType::Float(_), true) => normal(&mut e, &part, &element, a, b)?,
        (ElementType::Float(_), false) => uniform(&mut e, &part, &element, a, b)?,
        _ => integers(&mut e, &part, &element, a, b)?,
    };
    Ok((numbers, ADVANCE))
}

/// A part of the stream, and the shape of the numbers made of it.
struct Part {
    state: ValueId,
    drawn: u64,
    shape: Vec<i64>,
}

/// The type in which floats are drawn.
fn wide(element: &ElementType) -> ElementType {
    if *element == ElementType::F64 { ElementType::F64 } else { ElementType::F32 }
}

/// Evenly from `[low, high)`. What rounds to the upper bound, or is it, becomes the lower one, as in PyTorch.
fn uniform(e: &mut Emit, part: &Part, element: &ElementType, low: ValueId, high: ValueId) -> Out {
    let wide = wide(element);
    let range = e.sub(high, low)?;
    let unit = samples(e, part, &wide, |e, words| unit(e, words, &wide))?;
    let value = scaled(e, part, unit, range, low)?;
    let value = e.convert(value, element)?;
    let (low, high) = (spread(e, part, low)?, spread(e, part, high)?);
    let is_high = e.compare(ComparisonDirection::Eq, value, high)?;
    e.select(is_high, low, value)
}

fn normal(e: &mut Emit, part: &Part, element: &ElementType, mean: ValueId, deviation: ValueId) -> Out {
    let wide = wide(element);
    let value = samples(e, part, &wide, |e, words| box_muller(e, words, &wide))?;
    let value = scaled(e, part, value, deviation, mean)?;
    e.convert(value, element)
}

/// `value * factor + start`, of scalars of another float type maybe.
fn scaled(e: &mut Emit, part: &Part, value: ValueId, factor: ValueId, start: ValueId) -> Out {
    let wide = e.element(value)?;
    let (factor, start) = (e.convert(factor, &wide)?, e.convert(start, &wide)?);
    let (factor, start) = (spread(e, part, factor)?, spread(e, part, start)?);
    let product = e.mul(value, factor)?;
    e.add(product, start)
}

/// Evenly from the integers in `[low, high)`: random words modulo the range. Without an integer in there, `low`.
fn integers(e: &mut Emit, part: &Part, element: &ElementType, low: ValueId, high: ValueId) -> Out {
    let words = samples(e, part, &U64, |e, words| {
        let (first, second) = (e.convert(words[0], &U64)?, e.convert(words[1], &U64)?);
        let first = e.binary_number(Opcode::StablehloShiftLeft, first, Number::Int(32))?;
        e.binary(Opcode::StablehloOr, first, second)
    })?;
    let (low, high) = (to_word(e, low)?, to_word(e, high)?);
    let range = e.sub(high, low)?;
    let range = e.binary_number(Opcode::StablehloMaximum, range, Number::Int(1))?;
    let is_small = e.compare_number(ComparisonDirection::Lt, range, Number::Int(ONE_WORD_RANGE_MAX))?;
    let (is_small, range, low) = (spread(e, part, is_small)?, spread(e, part, range)?, spread(e, part, low)?);
    let first = e.binary_number(Opcode::StablehloShiftRightLogical, words, Number::Int(32))?;
    let words = e.select(is_small, first, words)?;
    let above = e.binary(Opcode::StablehloRemainder, words, range)?;
    let value = e.add(above, low)?;
    from_word(e, value, element)
}

/// An integer as a word; a negative one as its complement.
fn to_word(e: &mut Emit, x: ValueId) -> Out {
    if is_unsigned(&e.element(x)?) {
        return e.convert(x, &U64);
    }
    let x = e.convert(x, &ElementType::I64)?;
    let ty = tensor_type(&e.shape(x)?, &U64);
    Ok(e.op(Opcode::StablehloBitcastConvert, &[x], ty, &[]))
}

fn from_word(e: &mut Emit, x: ValueId, element: &ElementType) -> Out {
    if is_unsigned(element) {
        return e.convert(x, element);
    }
    let ty = tensor_type(&e.shape(x)?, &ElementType::I64);
    let x = e.op(Opcode::StablehloBitcastConvert, &[x], ty, &[]);
    e.convert(x, element)
}

fn is_unsigned(element: &ElementType) -> bool {
    matches!(element, ElementType::Integer { width: 1, .. } | ElementType::Integer { signedness: Signedness::Unsigned, .. })
}

/// A scalar everywhere.
fn spread(e: &mut Emit, part: &Part, scalar: ValueId) -> Out {
    e.broadcast_in_dim(scalar, &part.shape, &[])
}

/// A number for each element, made of its four words: one `stablehlo.map`, which becomes one loop nest.
fn samples(
    e: &mut Emit,
    part: &Part,
    element: &ElementType,
    make: impl Fn(&mut Emit, &[ValueId; 4]) -> Out,
) -> Out {
    let count = count(&part.shape)?;
    let position = e.iota(&[count], &U64, 0);
    let (seed, offset) = (word_of(e, part, 0, count)?, word_of(e, part, 1, count)?);
    let word = tensor_type(&[], &U64);
    let region = e.region(&[word.clone(), word.clone(), word], &mut |e, arguments| {
        let offset = e.binary_number(Opcode::StablehloAdd, arguments[2], Number::Int(part.drawn as i64))?;
        let block = e.binary_number(Opcode::StablehloShiftRightLogical, offset, Number::Int(2))?;
        let words = philox(e, arguments[1], block, arguments[0])?;
        Ok(vec![make(e, &words)?])
    })?;
    let attrs = [("dimensions", Attribute::i64_array([0]))];
    let types = vec![tensor_type(&[count], element)];
    let numbers = e.op_with_regions(Opcode::StablehloMap, &[position, seed, offset], types, &attrs, &[region])[0];
    e.reshape(numbers, &part.shape)
}

/// A word of the state, for each element.
fn word_of(e: &mut Emit, part: &Part, index: i64, count: i64) -> Out {
    let word = e.slice(part.state, &[index], &[index + 1], &[1])?;
    let word = e.reshape(word, &[])?;
    e.broadcast_in_dim(word, &[count], &[])
}

/// Four random words of a key and the two halves of a counter.
fn philox(e: &mut Emit, key: ValueId, low: ValueId, high: ValueId) -> Result<[ValueId; 4], Refusal> {
    const ROUNDS: usize = 10;
    let word = |e: &mut Emit, number| e.scalar(Number::Int(number), &U32);
    let factors = [word(e, 0xD251_1F53)?, word(e, 0xCD9E_8D57)?];
    let steps = [word(e, 0x9E37_79B9)?, word(e, 0xBB67_AE85)?];
    let ([x0, x1], [x2, x3], mut key) = (halves(e, low)?, halves(e, high)?, halves(e, key)?);
    let mut x = [x0, x1, x2, x3];
    for round in 0..ROUNDS {
        if round > 0 {
            key = [e.add(key[0], steps[0])?, e.add(key[1], steps[1])?];
        }
        let high = [e.binary(Opcode::ChloMulhi, x[0], factors[0])?, e.binary(Opcode::ChloMulhi, x[2], factors[1])?];
        let low = [e.mul(x[0], factors[0])?, e.mul(x[2], factors[1])?];
        x = [xor(e, [high[1], x[1], key[0]])?, low[1], xor(e, [high[0], x[3], key[1]])?, low[0]];
    }
    Ok(x)
}

/// The lower and the upper half of a word of 64 bits.
fn halves(e: &mut Emit, word: ValueId) -> Result<[ValueId; 2], Refusal> {
    let high = e.binary_number(Opcode::StablehloShiftRightLogical, word, Number::Int(32))?;
    Ok([e.convert(word, &U32)?, e.convert(high, &U32)?])
}

fn xor(e: &mut Emit, [a, b, c]: [ValueId; 3]) -> Out {
    let ab = e.binary(Opcode::StablehloXor, a, b)?;
    e.binary(Opcode::StablehloXor, ab, c)
}

/// A number in `(0, 1]`: of 32 bits in f32, of 53 in f64.
fn unit(e: &mut Emit, words: &[ValueId], element: &ElementType) -> Out {
    let (bits, width) = if *element == ElementType::F64 { (word_of_53_bits(e, words)?, 53) } else { (words[0], 32) };
    let x = e.convert(bits, element)?;
    centred(e, x, 0.5f64.powi(width))
}

/// `(x + 1/2) * step`, where `step` is a power of two, or rounded twice.
fn centred(e: &mut Emit, x: ValueId, step: f64) -> Out {
    let x = e.binary_number(Opcode::StablehloMultiply, x, Number::Float(step))?;
    e.binary_number(Opcode::StablehloAdd, x, Number::Float(step / 2.0))
}

fn word_of_53_bits(e: &mut Emit, words: &[ValueId]) -> Out {
    let (first, second) = (e.convert(words[0], &U64)?, e.convert(words[1], &U64)?);
    let second = e.binary_number(Opcode::StablehloShiftLeft, second, Number::Int(53 - 32))?;
    e.binary(Opcode::StablehloXor, first, second)
}

/// A normal number, the first of the pair that two even ones make (Box and Muller, 1958). The second is not used.
fn box_muller(e: &mut Emit, words: &[ValueId; 4], element: &ElementType) -> Out {
    let radius = unit(e, &words[..2], element)?;
    let angle = if *element == ElementType::F64 {
        let bits = word_of_53_bits(e, &words[2..])?;
        let half_turns = e.convert(bits, element)?;
        let half_turns = centred(e, half_turns, 0.5f64.powi(52))?;
        e.binary_number(Opcode::StablehloMultiply, half_turns, Number::Float(std::f64::consts::PI))?
    } else {
        let turns = e.convert(words[1], element)?;
        centred(e, turns, f64::from(std::f32::consts::TAU) * 0.5f64.powi(32))?
    };
    let log = e.unary(Opcode::StablehloLog, radius);
    let square = e.binary_number(Opcode::StablehloMultiply, log, Number::Float(-2.0))?;
    let radius = e.unary(Opcode::StablehloSqrt, square);
    let sine = e.unary(Opcode::StablehloSine, angle);
    e.mul(radius, sine)
}
