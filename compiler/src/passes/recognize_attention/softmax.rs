//! From a product with probabilities back to the product that made the scores: what was done to them, in which types.

use half::{bf16, f16};
use pygraph_artifact::dtype::DType;

use crate::passes::view::{Dims, compose, identity, seen_through, trace};
use crate::{
    ir::{
        ElementType, Module, OpId, Opcode, ValueId, attribute::DenseElements, enums::ComparisonDirection,
    },
    passes::build::{constant_of, defined_by, direction_of, integers_attr, static_tensor},
};

/// A softmax along one dimension of logits.
#[derive(Debug, Clone)]
pub struct Softmax {
    /// Its operand.
    pub logits: ValueId,
    /// Its result.
    pub probabilities: ValueId,
    /// Along which dimension.
    pub dim: usize,
    /// Whether rows whose logits are all minus infinity get zeros.
    pub safe: bool,
}

/// The softmax that a value is, as JAX and PyTorch write it.
pub fn softmax_of(module: &Module, value: ValueId) -> Option<Softmax> {
    if let Some(select) = defined_by(module, value, Opcode::StablehloSelect) {
        let &[guard, on_true, on_false] = &module.op(select).operands[..] else { return None };
        let (weights, when_empty) = if splat_number(module, on_true) == Some(0.0) {
            (on_false, true)
        } else if splat_number(module, on_false) == Some(0.0) {
            (on_true, false)
        } else {
            return None;
        };
        let found = quotient(module, weights)?;
        is_empty_guard(module, guard, when_empty, &found)?;
        return Some(Softmax { probabilities: value, safe: true, ..found });
    }
    quotient(module, value)
}

/// `exp(x - max x) / sum(exp(x - max x))`
fn quotient(module: &Module, value: ValueId) -> Option<Softmax> {
    let divide = defined_by(module, value, Opcode::StablehloDivide)?;
    let &[weights, sums] = &module.op(divide).operands[..] else { return None };
    let exponential = defined_by(module, weights, Opcode::StablehloExponential)?;
    let subtract = defined_by(module, module.op(exponential).operands[0], Opcode::StablehloSubtract)?;
    let &[logits, largest] = &module.op(subtract).operands[..] else { return None };
    let (summed, dim) = row_reduction(module, sums, Opcode::StablehloAdd, 0.0, |_, _| None)?;
    let at_least_lowest = |module: &Module, op: OpId| {
        let &[a, b] = &module.op(op).operands[..] else { return None };
        if module.op(op).opcode != Opcode::StablehloMaximum {
            return None;
        }
        let is_lowest = |value: ValueId| splat_number(module, value) == Some(f64::NEG_INFINITY);
        if is_lowest(a) { Some(b) } else { is_lowest(b).then_some(a) }
    };
    let (compared, max_dim) =
        row_reduction(module, largest, Opcode::StablehloMaximum, f64::NEG_INFINITY, at_least_lowest)?;
    let is_one = summed == weights && compared == logits && dim == max_dim;
    is_one.then_some(Softmax { logits, probabilities: value, dim, safe: false })
}

/// The operand and dimension of a reduction whose result a value repeats along that dimension.
fn row_reduction(
    module: &Module,
    value: ValueId,
    combine: Opcode,
    init: f64,
    passes: impl FnMut(&Module, OpId) -> Option<ValueId>,
) -> Option<(ValueId, usize)> {
    let view = trace(module, value, passes)?;
    let reduce = defined_by(module, view.base, Opcode::StablehloReduce)?;
    let (operand, dim) = reduction(module, reduce, combine, |start| splat_number(module, start) == Some(init))?;
    (view.dims == rows_repeated(module, operand, dim)? && same_shape(module, value, operand)).then_some((operand, dim))
}

/// A reduction of one array along one dimension.
fn reduction(
    module: &Module,
    reduce: OpId,
    combine: Opcode,
    is_init: impl Fn(ValueId) -> bool,
) -> Option<(ValueId, usize)> {
    let &[operand, init] = &module.op(reduce).operands[..] else { return None };
    let &[dim] = integers_attr(module, reduce, "dimensions")? else { return None };
    let block = module.region_block(reduce, 0)?;
    let first = module.block(block).first()?;
    let body = module.op(first);
    let end = module.op(body.next()?);
    let arguments = &module.block(block).arguments;
    let combines = body.opcode == combine
        && body.operands.len() == 2
        && arguments.iter().all(|argument| body.operands.contains(argument))
        && end.operands[..] == body.results[..];
    (combines && is_init(init)).then_some((operand, usize::try_from(dim).ok()?))
}

/// How an array of that shape reads what has one element for each of its rows along a dimension.
fn rows_repeated(module: &Module, operand: ValueId, dim: usize) -> Option<Dims> {
    let (mut shape, _) = static_tensor(module, operand)?;
    let extent = *shape.get(dim)?;
    shape[dim] = 1;
    let mut dims = identity(&shape)?;
    dims[dim] = crate::passes::view::repeated(extent);
    Some(dims)
}

fn same_shape(module: &Module, a: ValueId, b: ValueId) -> bool {
    matches!((static_tensor(module, a), static_tensor(module, b)), (Some(a), Some(b)) if a.0 == b.0)
}

/// That a guard says whether all logits of a row are minus infinity, or that it says the opposite.
fn is_empty_guard(module: &Module, guard: ValueId, when_empty: bool, softmax: &Softmax) -> Option<()> {
    let mut says_empty = when_empty;
    let passes_not = |says: &mut bool, module: &Module, op: OpId| {
        (module.op(op).opcode == Opcode::StablehloNot).then(|| {
            *says = !*says;
            module.op(op).operands[0]
        })
    };
    let view = trace(module, guard, |module, op| passes_not(&mut says_empty, module, op))?;
    if let Some(compare) = defined_by(module, view.base, Opcode::StablehloCompare) {
        return is_largest_lowest(module, compare, says_empty, &view.dims, softmax);
    }
    let reduce = defined_by(module, view.base, Opcode::StablehloReduce)?;
    // All are: a conjunction; none is not: a disjunction.
    let (combine, init) =
        if says_empty { (Opcode::StablehloAnd, 1) } else { (Opcode::StablehloOr, 0) };
    let is_init = |value: ValueId| constant_of(module, value).and_then(DenseElements::splat_integer) == Some(init);
    let (operand, dim) = reduction(module, reduce, combine, is_init)?;
    let mut says_lowest = says_empty;
    let inner = trace(module, operand, |module, op| passes_not(&mut says_lowest, module, op))?;
    let compare = defined_by(module, inner.base, Opcode::StablehloCompare)?;
    let &[a, b] = &module.op(compare).operands[..] else { return None };
    let wanted = if says_lowest { ComparisonDirection::Eq } else { ComparisonDirection::Ne };
    let other = if a == softmax.logits { b } else { a };
    let holds = [a, b].contains(&softmax.logits)
        && splat_number(module, other) == Some(f64::NEG_INFINITY)
        && direction_of(module, compare)? == wanted
        && dim == softmax.dim
        && inner.dims == identity(&static_tensor(module, softmax.logits)?.0)?
        && view.dims == rows_repeated(module, softmax.logits, dim)?;
    holds.then_some(())
}

/// That a comparison says whether the largest logit of a row is minus infinity.
fn is_largest_lowest(module: &Module, compare: OpId, when: bool, read: &Dims, softmax: &Softmax) -> Option<()> {
    let &[a, b] = &module.op(compare).operands[..] else { return None };
    let largest = match (splat_number(module, a), splat_number(module, b)) {
        (None, Some(f64::NEG_INFINITY)) => a,
        (Some(f64::NEG_INFINITY), None) => b,
        _ => return None,
    };
    let view = seen_through(module, largest)?;
    let reduce = defined_by(module, view.base, Opcode::StablehloReduce)?;
    let is_init = |start| splat_number(module, start) == Some(f64::NEG_INFINITY);
    let (operand, dim) = reduction(module, reduce, Opcode::StablehloMaximum, is_init)?;
    let wanted = if when { ComparisonDirection::Eq } else { ComparisonDirection::Ne };
    let holds = operand == softmax.logits
        && dim == softmax.dim
        && direction_of(module, compare)? == wanted
        && compose(read, &view.dims)? == rows_repeated(module, operand, dim)?;
    holds.then_some(())
}

/// The number that a float value is everywhere, through movement and conversions.
pub fn splat_number(module: &Module, value: ValueId) -> Option<f64> {
    let mut roundings: Vec<DType> = Vec::new();
    let view = trace(module, value, |module, op| {
        let operand = float_conversion(module, op)?;
        roundings.push(module.ty(module.op(op).results[0]).as_tensor()?.element.dtype()?);
        Some(operand)
    })?;
    let elements = constant_of(module, view.base)?;
    if !elements.is_splat && elements.ty.element_count() != Some(1) {
        return None;
    }
    let bytes = &elements.bytes;
    let number = match elements.ty.element.dtype()? {
        DType::F64 => f64::from_le_bytes(bytes[..].try_into().ok()?),
        DType::F32 => f64::from(f32::from_le_bytes(bytes[..].try_into().ok()?)),
        DType::F16 => f64::from(f16::from_le_bytes(bytes[..].try_into().ok()?)),
        DType::Bf16 => f64::from(bf16::from_le_bytes(bytes[..].try_into().ok()?)),
        _ => return None,
    };
    Some(roundings.into_iter().rev().fold(number, rounded))
}

fn rounded(number: f64, dtype: DType) -> f64 {
    match dtype {
        DType::F32 => f64::from(number as f32),
        DType::F16 => f64::from(f16::from_f64(number)),
        DType::Bf16 => f64::from(bf16::from_f64(number)),
        _ => number,
    }
}

/// The operand of a conversion from one of the float types that attention computes in to another.
pub fn float_conversion(module: &Module, op: OpId) -> Option<ValueId> {
    let operand = *module.op(op).operands.first()?;
    let is_conversion = module.op(op).opcode == Opcode::StablehloConvert;
    (is_conversion && is_float(module, operand) && is_float(module, module.op(op).results[0])).then_some(operand)
}

/// True for tensors of the float types that attention computes in.
pub fn is_float(module: &Module, value: ValueId) -> bool {
    let dtype = module.ty(value).as_tensor().and_then(|tensor| tensor.element.dtype());
    matches!(dtype, Some(DType::F32 | DType::F16 | DType::Bf16))
}

/// What hides keys from queries.
#[derive(Debug, Clone)]
pub struct Mask {
    /// A truth value for each logit.
    pub predicate: ValueId,
    /// Where it is read, for each score.
    pub access: Dims,
    /// Whether a key is hidden where it holds.
    pub hides: bool,
    /// The logit of a hidden key, or what is added to it.
    pub fill: f64,
    /// Whether `fill` is added.
    pub adds: bool,
}

/// From scores to logits.
#[derive(Debug, Clone)]
pub struct Scores {
    /// The product that made them.
    pub dot: OpId,
    /// Where in the product each score is; scores have the shape of the softmax.
    pub access: Dims,
    /// What they are multiplied by, if anything.
    pub scale: Option<f64>,
    /// What they are divided by then, if anything.
    pub divisor: Option<f64>,
    /// What is added then, and where it is read.
    pub bias: Option<(ValueId, Dims)>,
    /// What hides keys then.
    pub mask: Option<Mask>,
    /// The type of all this; none while it is the softmax's.
    pub logit_type: Option<ElementType>,
    /// Whether the product was converted to that type: then nothing but the product may follow.
    is_product_next: bool,
}

/// Follows logits back to the product that made them.
pub fn scores_of(module: &Module, logits: ValueId) -> Option<Scores> {
    let access = identity(&static_tensor(module, logits)?.0)?;
    let start = Scores {
        dot: module.defining_op(logits)?,
        access,
        scale: None,
        divisor: None,
        bias: None,
        mask: None,
        logit_type: None,
        is_product_next: false,
    };
    follow(module, logits, start)
}

/// One step back. A sum has two sides to try, and at most two sums are met, so this is short.
fn follow(module: &Module, value: ValueId, mut scores: Scores) -> Option<Scores> {
    let view = seen_through(module, value)?;
    scores.access = compose(&scores.access, &view.dims)?;
    let op = module.defining_op(view.base)?;
    let operands = module.op(op).operands.clone();
    match module.op(op).opcode {
        Opcode::StablehloDotGeneral => return Some(Scores { dot: op, ..scores }),
        _ if scores.is_product_next => return None,
        _ => {}
    }
    let is_raw = scores.scale.is_none() && scores.divisor.is_none();
    match module.op(op).opcode {
        Opcode::StablehloConvert => {
            let operand = float_conversion(module, op)?;
            let element = module.ty(operand).as_tensor()?.element.clone();
            let untouched = is_raw && scores.bias.is_none() && scores.mask.is_none();
            if untouched && scores.logit_type.is_none() {
                scores.logit_type = Some(element);
            } else {
                scores.is_product_next = true;
                if scores.logit_type.is_none() {
                    scores.logit_type = Some(module.ty(view.base).as_tensor()?.element.clone());
                }
            }
            follow(module, operand, scores)
        }
        Opcode::StablehloMultiply if is_raw || scores.scale.is_none() => {
            let (factor, other) = with_number(module, operands[0], operands[1])?;
            if factor != 1.0 {
                scores.scale = Some(factor);
            }
            follow(module, other, scores)
        }
        Opcode::StablehloDivide if is_raw => {
            scores.divisor = Some(splat_number(module, operands[1])?);
            follow(module, operands[0], scores)
        }
        Opcode::StablehloSelect if is_raw && scores.mask.is_none() && scores.bias.is_none() => {
            let (other, fill, hides) = match (splat_number(module, operands[1]), splat_number(module, operands[2])) {
                (None, Some(fill)) => (operands[1], fill, false),
                (Some(fill), None) => (operands[2], fill, true),
                _ => return None,
            };
            let (predicate, access) = (operands[0], scores.access.clone());
            scores.mask = Some(Mask { predicate, access, hides, fill, adds: false });
            follow(module, other, scores)
        }
        Opcode::StablehloAdd if is_raw && scores.bias.is_none() => {
            let [a, b] = [operands[0], operands[1]];
            [(a, b), (b, a)].into_iter().find_map(|(other, added)| {
                let mut scores = scores.clone();
                match added_mask(module, added, &scores.access) {
                    Some(mask) if scores.mask.is_none() => scores.mask = Some(mask),
                    _ => {
                        let view = seen_through(module, added)?;
                        scores.bias = Some((view.base, compose(&scores.access, &view.dims)?));
                    }
                }
                follow(module, other, scores)
            })
        }
        _ => None,
    }
}

/// The number that one of two values is everywhere, and the other value.
fn with_number(module: &Module, a: ValueId, b: ValueId) -> Option<(f64, ValueId)> {
    match splat_number(module, b) {
        Some(number) => Some((number, a)),
        None => Some((splat_number(module, a)?, b)),
    }
}

/// A mask that is added: zero where a key is visible, one other number where it is not.
fn added_mask(module: &Module, added: ValueId, access: &Dims) -> Option<Mask> {
    let mut roundings = Vec::new();
    let view = trace(module, added, |module, op| {
        let operand = float_conversion(module, op)?;
        roundings.push(module.ty(module.op(op).results[0]).as_tensor()?.element.dtype()?);
        Some(operand)
    })?;
    let select = defined_by(module, view.base, Opcode::StablehloSelect)?;
    let &[predicate, on_true, on_false] = &module.op(select).operands[..] else { return None };
    let (fill, hides) = match (splat_number(module, on_true)?, splat_number(module, on_false)?) {
        (0.0, fill) => (fill, false),
        (fill, 0.0) => (fill, true),
        _ => return None,
    };
    let fill = roundings.into_iter().rev().fold(fill, rounded);
    Some(Mask { predicate, access: compose(access, &view.dims)?, hides, fill, adds: true })
}
