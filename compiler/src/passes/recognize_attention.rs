//! Finds attention, however it is spelled, and writes it as one operation.
//!
//! Before: `dot_general` of queries and keys, a scale, a mask, `exponential`, `divide`, `dot_general` with values, and perhaps a
//! rounding and movement of the result.
//! After: `pyg.attention`, which does the same steps with the same roundings, and says which dimension is what.
//!
//! The roles of dimensions follow from who reads them: a dimension of scores that only queries have is a query or a head
//! that shares keys, one that all have is a row of the batch or a head of keys, the one that the softmax goes along is the
//! keys'. Transposes, reshapes and broadcasts between do not matter. A mask is looked into: where it is
//! `key <= position + d` for positions that are an input, a constant or known, perhaps by less than a window, the operation has
//! the positions instead.
//! Leaves alone: probabilities that something else reads too; scores that go through anything but a scale, a bias and a
//! mask, in this order; products in other types than f32, f16 and bf16; a softmax that is none.
//! Relies on: `simplify`, which leaves one spelling of constants.   Guarantees: one visit of each product; what became unused
//! is left for `drop-dead-ops`.

mod mask;
mod softmax;

use std::{collections::HashMap, sync::Arc};

use pygraph_artifact::dtype::DType;
use smallvec::SmallVec;

use self::{
    mask::{Positions, Prefix, prefix_of},
    softmax::{Scores, Softmax, float_conversion, is_float, scores_of, softmax_of, splat_number},
};
use super::{
    Changed, PassContext, PassDef, Phase,
    build::static_tensor,
    emit::{Emit, Number},
    view::{self, Axes, Digit, Dims, View, compose, identity, inverse, repeated, seen_through, trace},
};
use crate::{
    diagnostic::Diagnostics,
    ir::{
        Attribute, ElementType, Module, OpId, Opcode, TensorType, Type, ValueId,
        attribute::DotDimensions,
    },
};

/// The pass.
pub static PASS: PassDef = PassDef {
    name: "recognize-attention",
    summary: "Write products, mask and softmax of attention as one operation",
    phase: Phase::Tensor,
    run,
};

fn run(module: &mut Module, context: &PassContext) -> Result<Changed, Diagnostics> {
    let uses = module.uses();
    let mut replaced: HashMap<ValueId, ValueId> = HashMap::new();
    for op in module.walk(module.root()) {
        if module.op(op).opcode == Opcode::StablehloDotGeneral
            && let Some(found) = find(module, op, &uses)
            && let Some((old, new)) = write(module, &found, &uses)
        {
            replaced.insert(old, new);
        }
    }
    context.count("attentions", replaced.len() as u64);
    module.replace_values(module.root(), &replaced);
    Ok(Changed::from(!replaced.is_empty()))
}

type Uses = [SmallVec<[OpId; 2]>];

/// An operand of the operation: a value, and its stride along every axis.
#[derive(Debug)]
struct Operand {
    value: ValueId,
    strides: Vec<u64>,
}

/// Attention that was found.
#[derive(Debug)]
struct Found {
    /// The product of probabilities and values.
    dot: OpId,
    softmax: Softmax,
    scores: Scores,
    prefix: Option<Prefix>,
    /// The extent of every axis.
    extents: Vec<u64>,
    /// Axes by role.
    roles: Roles,
    q: Operand,
    k: Operand,
    v: Operand,
    /// Strides of the product's result.
    output: Vec<u64>,
    mask: Option<Operand>,
    bias: Option<Operand>,
    positions: Option<Vec<u64>>,
    key_scale: f64,
    key_type: ElementType,
    value_type: ElementType,
    probability_type: ElementType,
}

/// Which axes have which role, major first.
#[derive(Debug, Default)]
struct Roles {
    batch: Vec<usize>,
    group: Vec<usize>,
    shared: Vec<usize>,
    query: Vec<usize>,
    key: Vec<usize>,
    feature: Vec<usize>,
    value_feature: Vec<usize>,
}

impl Roles {
    fn heads(&self) -> Vec<usize> {
        [&self.group[..], &self.shared].concat()
    }
}

/// A product as one of its operands takes part in it.
struct Side {
    view: View,
    batch: Vec<usize>,
    contract: Vec<usize>,
    free: Vec<usize>,
}

impl Side {
    fn new(module: &Module, dot: OpId, operand: usize, view: View) -> Option<Side> {
        let Some(Attribute::DotDimensions(dims)) = module.op(dot).attr("dot_dimension_numbers") else { return None };
        let DotDimensions { lhs_batching, rhs_batching, lhs_contracting, rhs_contracting } = &**dims;
        let (batch, contract) =
            if operand == 0 { (lhs_batching, lhs_contracting) } else { (rhs_batching, rhs_contracting) };
        let of = |dims: &[i64]| dims.iter().map(|dim| usize::try_from(*dim).ok()).collect::<Option<Vec<usize>>>();
        let (batch, contract) = (of(batch)?, of(contract)?);
        let free = (0..view.dims.len()).filter(|dim| !batch.contains(dim) && !contract.contains(dim)).collect();
        Some(Side { view, batch, contract, free })
    }

    fn digits(&self, dims: &[usize]) -> Dims {
        dims.iter().map(|dim| self.view.dims[*dim].clone()).collect()
    }

    /// Extents of its free dimensions, with nothing to read there.
    fn absent(&self) -> Dims {
        let extent = |digits: &Vec<Digit>| digits.iter().map(|digit| digit.extent).product();
        self.digits(&self.free).iter().map(|digits| repeated(extent(digits))).collect()
    }
}

fn find(module: &Module, dot: OpId, uses: &Uses) -> Option<Found> {
    (0..2).find_map(|side| find_with(module, dot, side, uses))
}

/// Attention whose probabilities are that operand of the product.
fn find_with(module: &Module, dot: OpId, side: usize, uses: &Uses) -> Option<Found> {
    let operands = &module.op(dot).operands;
    let [weights, values] = [operands[side], operands[1 - side]];
    let element = |value: ValueId| Some(module.ty(value).as_tensor()?.element.clone());
    if element(weights)? != element(values)? || !is_float(module, weights) || !is_float(module, module.op(dot).results[0]) {
        return None;
    }
    let weights_view = trace(module, weights, float_conversion_once(&mut 0))?;
    let softmax = softmax_of(module, weights_view.base)?;
    if !is_float(module, softmax.logits) || uses[softmax.probabilities.index()].len() != 1 {
        return None;
    }
    let mut scores = scores_of(module, softmax.logits)?;
    let (shape, _) = static_tensor(module, softmax.logits)?;

    // From scores to values and to the result.
    let from_scores = inverse(&weights_view.dims, &shape)?;
    let values_view = trace(module, values, float_conversion_once(&mut 0))?;
    let weights_side = Side::new(module, dot, side, weights_view)?;
    let values_side = Side::new(module, dot, 1 - side, values_view)?;
    let (result_shape, _) = static_tensor(module, module.op(dot).results[0])?;
    let result = identity(&result_shape)?;
    let rank = weights_side.view.dims.len();
    let (mut in_values, mut in_result) = (vec![Vec::new(); rank], weights_side.view.dims.clone());
    in_result.iter_mut().flatten().for_each(|digit| digit.stride = 0);
    for (own, other) in
        weights_side.batch.iter().zip(&values_side.batch).chain(weights_side.contract.iter().zip(&values_side.contract))
    {
        in_values[*own] = values_side.view.dims[*other].clone();
    }
    weights_side.free.iter().zip(weights_side.absent()).for_each(|(dim, absent)| in_values[*dim] = absent);
    let batch_count = weights_side.batch.len();
    weights_side.batch.iter().enumerate().for_each(|(at, dim)| in_result[*dim] = result[at].clone());
    let (lhs_free, rhs_free) = result[batch_count..].split_at(if side == 0 {
        weights_side.free.len()
    } else {
        values_side.free.len()
    });
    let (own_free, value_free) = if side == 0 { (lhs_free, rhs_free) } else { (rhs_free, lhs_free) };
    weights_side.free.iter().zip(own_free).for_each(|(dim, digits)| in_result[*dim] = digits.clone());
    let (v_access, o_access) = (compose(&from_scores, &in_values)?, compose(&from_scores, &in_result)?);
    let v_features = values_side.digits(&values_side.free).concat();
    let o_features = value_free.concat();

    // From scores to queries and keys.
    let ([queries, keys], scale) = query_and_key(module, &scores, &softmax)?;
    if scale != 1.0 {
        scores.scale = Some(f64::from((scale * scores.scale.unwrap_or(1.0)) as f32));
    }
    let (q_access, k_access) = (through_dot(module, &scores, &queries)?, through_dot(module, &scores, &keys)?);
    let features = |factor: &Factor| factor.side.digits(&factor.side.contract).concat();
    let (q_features, k_features) = (features(&queries), features(&keys));

    // One index space for all: the scores', then the features of keys, then those of values.
    let absent = |digits: &[Digit]| repeated(digits.iter().map(|digit| digit.extent).product());
    let with = |access: &Dims, features: Vec<Digit>, value_features: Vec<Digit>| {
        let mut dims = access.clone();
        dims.extend([features, value_features]);
        dims
    };
    let no_features = (absent(&k_features), absent(&v_features));
    let plain = |access: &Dims| with(access, no_features.0.clone(), no_features.1.clone());
    let prefix = scores.mask.as_ref().and_then(|mask| prefix_of(module, mask, softmax.dim));
    let mut accesses = vec![
        with(&q_access, q_features, no_features.1.clone()),
        with(&k_access, k_features.clone(), no_features.1.clone()),
        with(&v_access, no_features.0.clone(), v_features.clone()),
        with(&o_access, no_features.0.clone(), o_features),
    ];
    let mask_view = match &scores.mask {
        Some(mask) if prefix.as_ref().is_none_or(|prefix| !prefix.is_whole) => {
            let view = seen_through(module, mask.predicate)?;
            Some((view.base, compose(&mask.access, &view.dims)?))
        }
        _ => None,
    };
    let positions = prefix.as_ref().map(|prefix| match &prefix.positions {
        Positions::Read(_, read) | Positions::Known(_, read) => read,
    });
    accesses.extend(mask_view.iter().map(|(_, access)| plain(access)));
    accesses.extend(scores.bias.iter().map(|(_, access)| plain(access)));
    accesses.extend(positions.map(plain));
    let axes = Axes::new(&accesses.iter().collect::<Vec<_>>())?;
    let mut strides = axes.strides.clone().into_iter();
    let [q, k, v, output] = std::array::from_fn(|_| strides.next().unwrap_or_default());
    let mask = mask_view.and_then(|(value, _)| Some(Operand { value, strides: strides.next()? }));
    let bias = scores.bias.as_ref().and_then(|(value, _)| Some(Operand { value: *value, strides: strides.next()? }));
    let positions = positions.and_then(|_| strides.next());
    let roles = roles_of(module, &axes, softmax.dim, [&q, &k, &v, &output], keys.side.view.base)?;
    Some(Found {
        dot,
        prefix,
        extents: axes.axes.iter().map(|(_, extent)| *extent).collect(),
        roles,
        q: Operand { value: queries.side.view.base, strides: q },
        k: Operand { value: keys.side.view.base, strides: k },
        v: Operand { value: values_side.view.base, strides: v },
        output,
        mask,
        bias,
        positions,
        key_scale: keys.scale,
        key_type: keys.element,
        value_type: element(values)?,
        probability_type: element(weights)?,
        softmax,
        scores,
    })
}

/// Lets the first conversion between floats pass.
fn float_conversion_once(count: &mut usize) -> impl FnMut(&Module, OpId) -> Option<ValueId> + use<'_> {
    move |module, op| {
        let operand = float_conversion(module, op).filter(|_| *count == 0)?;
        *count += 1;
        Some(operand)
    }
}

/// A side of the product of queries and keys.
struct Factor {
    side: Side,
    /// What it is multiplied by.
    scale: f64,
    /// Its type in the product.
    element: ElementType,
    /// Which operand of the product it is.
    operand: usize,
}

impl Factor {
    /// The operand as it is.
    fn plain(module: &Module, scores: &Scores, operand: usize) -> Option<Factor> {
        let value = module.op(scores.dot).operands[operand];
        let side = Side::new(module, scores.dot, operand, seen_through(module, value)?)?;
        Some(Factor { side, scale: 1.0, element: element_of(module, value)?, operand })
    }

    /// What lies before one conversion, and after it one multiplication by a number.
    fn scaled(module: &Module, scores: &Scores, operand: usize) -> Option<Factor> {
        let value = module.op(scores.dot).operands[operand];
        let (mut scale, mut converted) = (None, false);
        let view = trace(module, value, |module, op| {
            if let Some(operand) = float_conversion(module, op).filter(|_| !converted) {
                converted = true;
                return Some(operand);
            }
            if module.op(op).opcode != Opcode::StablehloMultiply || scale.is_some() || converted {
                return None;
            }
            let &[a, b] = &module.op(op).operands[..] else { return None };
            let (number, other) = match (splat_number(module, a), splat_number(module, b)) {
                (None, Some(number)) => (number, a),
                (Some(number), None) => (number, b),
                _ => return None,
            };
            scale = Some(number);
            Some(other)
        })?;
        let side = Side::new(module, scores.dot, operand, view)?;
        Some(Factor { side, scale: scale.unwrap_or(1.0), element: element_of(module, value)?, operand })
    }

    /// The type of two bytes in which it lies, if it takes part in f32.
    fn widened(&self, module: &Module) -> Option<DType> {
        let dtype = element_of(module, self.side.view.base)?.dtype()?;
        let is_small = matches!(dtype, DType::Bf16 | DType::F16);
        (is_small && self.element == ElementType::F32).then_some(dtype)
    }
}

fn element_of(module: &Module, value: ValueId) -> Option<ElementType> {
    Some(module.ty(value).as_tensor()?.element.clone())
}

/// The two sides of the product that made the scores, the one with the dimension of the softmax having the keys; and a number that the
/// products are multiplied by.
///
/// Numbers that widened queries and keys are multiplied by move to the products where all is f32: products of two elements of two bytes are
/// exact in f32, unless they leave its range, so that this rounds once in place of three times, and both sides are read as they lie.
fn query_and_key(module: &Module, scores: &Scores, softmax: &Softmax) -> Option<([Factor; 2], f64)> {
    let operands = &module.op(scores.dot).operands;
    let product = module.op(scores.dot).results[0];
    let is_known = is_float(module, product) && is_float(module, operands[0]);
    if !is_known || element_of(module, operands[0])? != element_of(module, operands[1])? {
        return None;
    }
    let (lhs, rhs) = (Factor::plain(module, scores, 0)?, Factor::plain(module, scores, 1)?);
    let reads_keys = |factor: &Factor| {
        let access = through_dot(module, scores, factor)?;
        Some(access[softmax.dim].iter().any(|digit| digit.stride != 0))
    };
    let (key, plain_query) = match (reads_keys(&lhs)?, reads_keys(&rhs)?) {
        (true, false) => (0, rhs),
        (false, true) => (1, lhs),
        _ => return None,
    };
    let keys = Factor::scaled(module, scores, key)?;
    let logits = scores.logit_type.clone().or_else(|| element_of(module, softmax.logits))?;
    let is_wide = element_of(module, product)? == ElementType::F32 && logits == ElementType::F32;
    // A query that repeats where it lies shows less of its axes than the product's operand.
    let is_whole = |query: &Factor| query.side.view.dims.iter().flatten().all(|digit| digit.stride != 0 || digit.extent == 1);
    if let Some(query) = Factor::scaled(module, scores, 1 - key).filter(|query| is_wide && is_whole(query)) {
        let scale = query.scale * keys.scale;
        let is_alike = query.widened(module).is_some() && query.widened(module) == keys.widened(module);
        if is_alike && (scale as f32).is_normal() {
            return Some(([Factor { scale: 1.0, ..query }, Factor { scale: 1.0, ..keys }], scale));
        }
    }
    Some(([plain_query, keys], 1.0))
}

/// Where in what a side reads each score comes from.
fn through_dot(module: &Module, scores: &Scores, Factor { side, operand, .. }: &Factor) -> Option<Dims> {
    let (shape, _) = static_tensor(module, module.op(scores.dot).results[0])?;
    let own = side.digits(&side.free);
    let batch = side.digits(&side.batch);
    let other_count = shape.len().checked_sub(batch.len() + own.len())?;
    let absent = |from: usize, count: usize| shape[from..from + count].iter().map(|extent| repeated(*extent));
    let mut inner = batch.clone();
    if *operand == 0 {
        inner.extend(own);
        inner.extend(absent(batch.len() + side.free.len(), other_count));
    } else {
        inner.extend(absent(batch.len(), other_count));
        inner.extend(own);
    }
    compose(&scores.access, &inner)
}

/// Who reads an axis decides its role.
fn roles_of(
    module: &Module,
    axes: &Axes,
    keys: usize,
    [q, k, v, output]: [&[u64]; 4],
    key_base: ValueId,
) -> Option<Roles> {
    // The two dimensions after those of the scores are features.
    let features = axes.dim_count - 2;
    let (base_shape, _) = static_tensor(module, key_base)?;
    let below_first: u64 = base_shape.iter().skip(1).product();
    let last_row = (0..features).rev().find(|dim| *dim != keys);
    let mut roles = Roles::default();
    let mut batching = Vec::new();
    for (axis, (dim, _)) in axes.axes.iter().enumerate() {
        let reads = [q[axis], k[axis], v[axis], output[axis]].map(|stride| stride != 0);
        match reads {
            [true, true, false, false] if *dim == features => roles.feature.push(axis),
            [false, false, true, true] if *dim == features + 1 => roles.value_feature.push(axis),
            [false, true, true, false] if *dim == keys => roles.key.push(axis),
            [true, true, true, true] if *dim != keys => batching.push(axis),
            [true, false, false, true] if Some(*dim) == last_row => roles.query.push(axis),
            [true, false, false, true] if *dim != keys => roles.shared.push(axis),
            _ => return None,
        }
    }
    let is_first = |axis: &usize| base_shape.len() > 2 && k[*axis] >= below_first;
    if batching.iter().any(is_first) {
        (roles.batch, roles.group) = batching.into_iter().partition(is_first);
    } else {
        let batch_count = usize::from(batching.len() > 1);
        roles.group = batching.split_off(batch_count);
        roles.batch = batching;
    }
    Some(roles)
}

/// Writes the operation; the value that it stands for, and its own.
fn write(module: &mut Module, found: &Found, uses: &Uses) -> Option<(ValueId, ValueId)> {
    let end = end_of_movement(module, module.op(found.dot).results[0], uses);
    let output = output_strides(module, found, end).map_or_else(
        || (module.op(found.dot).results[0], found.output.clone()),
        |strides| (end, strides),
    );
    let (end, output) = output;
    let roles = &found.roles;
    let tags = module
        .op(found.dot)
        .attrs
        .iter()
        .filter(|(name, _)| name.contains('.') && &***name != "fx.stride")
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let mut e = Emit::before(module, found.dot);
    e.tags = tags;
    let extents = &found.extents;
    let heads = roles.heads();
    let (batch, group, query, key) = (&roles.batch, &roles.group, &roles.query, &roles.key);
    let (q, q_dims) = arrange(&mut e, &found.q, extents, [batch, query, &heads, &roles.feature])?;
    let (k, k_dims) = arrange(&mut e, &found.k, extents, [batch, key, group, &roles.feature])?;
    let (v, v_dims) = arrange(&mut e, &found.v, extents, [batch, key, group, &roles.value_feature])?;
    let mut operands = vec![q, k, v];
    let mut segments = vec![1, 1, 1];
    let score_roles: [&[usize]; 4] = [batch, &heads, query, key];
    for operand in [&found.mask, &found.bias] {
        segments.push(i64::from(operand.is_some()));
        if let Some(operand) = operand {
            operands.push(repeat(&mut e, operand, extents, &score_roles)?);
        }
    }
    segments.push(i64::from(found.positions.is_some()));
    if let (Some(strides), Some(prefix)) = (&found.positions, &found.prefix) {
        let value = match &prefix.positions {
            Positions::Read(value, _) => *value,
            Positions::Known(values, _) => {
                let numbers: Vec<Number> = values.iter().map(|value| Number::Int(*value)).collect();
                let are_small = values.iter().all(|value| i32::try_from(*value).is_ok());
                let element = if are_small { ElementType::I32 } else { ElementType::I64 };
                e.numbers(&numbers, &element, &[numbers.len() as i64]).ok()?
            }
        };
        let operand = Operand { value, strides: strides.clone() };
        operands.push(repeat(&mut e, &operand, extents, &[batch, query])?);
    }
    segments.extend([0, 0]);

    let order = Arrangement::new(&output, extents, [batch, query, &heads, &roles.value_feature])?;
    let element = e.element(end).ok()?;
    let ty = Type::from(TensorType::new(&order.shape, element));
    let softmax_type = e.element(found.softmax.logits).ok()?;
    let score_type = e.element(e.module.op(found.scores.dot).results[0]).ok()?;
    let logit_type = found.scores.logit_type.clone().unwrap_or_else(|| softmax_type.clone());
    let float = |value: f64, ty: &ElementType| Attribute::Float { bits: value.to_bits(), ty: ty.clone() };
    let scalar = |element: ElementType| Attribute::Type(Type::Scalar(element));
    let ints = |dims: [i64; 4]| Attribute::i64_array(dims);
    let segments =
        Attribute::DenseArray { element: ElementType::I32, values: Arc::from(segments) };
    let mut attrs = vec![
        ("operandSegmentSizes", segments),
        ("q_dims", ints(q_dims)),
        ("k_dims", ints(k_dims)),
        ("v_dims", ints(v_dims)),
        ("output_dims", ints(order.dims)),
        ("key_type", scalar(found.key_type.clone())),
        ("value_type", scalar(found.value_type.clone())),
        ("score_type", scalar(score_type)),
        ("logit_type", scalar(logit_type.clone())),
        ("softmax_type", scalar(softmax_type)),
        ("probability_type", scalar(found.probability_type.clone())),
    ];
    let numbers = [
        ("key_scale", Some(found.key_scale).filter(|scale| *scale != 1.0), &found.key_type),
        ("scale", found.scores.scale, &logit_type),
        ("divisor", found.scores.divisor, &logit_type),
        ("fill", found.scores.mask.as_ref().map(|mask| mask.fill), &logit_type),
    ];
    attrs.extend(numbers.into_iter().filter_map(|(name, number, ty)| Some((name, float(number?, ty)))));
    if found.scores.mask.as_ref().is_some_and(|mask| mask.adds) {
        attrs.push(("mask_adds", Attribute::Bool(true)));
    }
    if found.softmax.safe {
        attrs.push(("safe", Attribute::Bool(true)));
    }
    if let Some(diagonal) = found.prefix.as_ref().map(|prefix| prefix.diagonal).filter(|diagonal| *diagonal != 0) {
        attrs.push(("diagonal", Attribute::i64(diagonal)));
    }
    if let Some(window) = found.prefix.as_ref().and_then(|prefix| prefix.window) {
        attrs.push(("window", Attribute::i64(window)));
    }
    let result = e.op(Opcode::PygAttention, &operands, ty, &attrs);
    let result = order.restore(&mut e, result, end)?;
    Some((end, result))
}

/// The last value of a chain of movement, and of rounding, that only one operation reads at a time.
fn end_of_movement(module: &Module, mut value: ValueId, uses: &Uses) -> ValueId {
    while let [reader] = uses[value.index()][..]
        && (matches!(module.op(reader).opcode, Opcode::StablehloReshape | Opcode::StablehloTranspose)
            || rounded(module, reader).is_some())
    {
        value = module.op(reader).results[0];
    }
    value
}

/// What an operation rounds from f32 to a smaller type, as attention rounds its sums, which accumulate in f32.
fn rounded(module: &Module, op: OpId) -> Option<ValueId> {
    let operand = float_conversion(module, op)?;
    let dtype = |value: ValueId| module.ty(value).as_tensor().and_then(|tensor| tensor.element.dtype());
    let is_small = matches!(dtype(module.op(op).results[0]), Some(DType::Bf16 | DType::F16));
    (dtype(operand) == Some(DType::F32) && is_small).then_some(operand)
}

/// Strides of the axes in a value that shows the product's result.
fn output_strides(module: &Module, found: &Found, end: ValueId) -> Option<Vec<u64>> {
    let result = module.op(found.dot).results[0];
    let view = trace(module, end, rounded)?;
    if view.base != result {
        return None;
    }
    let inverse = inverse(&view.dims, &static_tensor(module, result)?.0)?;
    let axes: Dims =
        found.output.iter().zip(&found.extents).map(|(stride, extent)| vec![Digit { extent: *extent, stride: *stride }]).collect();
    let moved = compose(&axes, &inverse)?;
    moved
        .iter()
        .zip(&found.extents)
        .map(|(digits, extent)| {
            let merged = view::regroup(digits.clone(), &[*extent])?;
            match merged[0][..] {
                [digit] => Some(digit.stride),
                _ => None,
            }
        })
        .collect()
}

/// How four groups of axes lie in an array: as dimensions of it, or behind a transpose.
struct Arrangement {
    /// All axes in the order of the array, with their extents.
    sorted: Vec<usize>,
    /// Their extents.
    extents: Vec<i64>,
    /// The order of axes that puts groups next to each other, as positions in `sorted`.
    permutation: Vec<i64>,
    /// Extents of the groups, in the order of `dims`.
    shape: Vec<u64>,
    /// Which dimension of `shape` each group is.
    dims: [i64; 4],
}

impl Arrangement {
    /// None unless the axes are all that the array has.
    fn new(strides: &[u64], extents: &[u64], groups: [&[usize]; 4]) -> Option<Arrangement> {
        let mut sorted: Vec<usize> = groups.concat();
        sorted.sort_by_key(|axis| std::cmp::Reverse(strides[*axis]));
        let mut below = 1;
        for axis in sorted.iter().rev() {
            if strides[*axis] != below {
                return None;
            }
            below *= extents[*axis];
        }
        let group_of = |axis: usize| groups.iter().position(|group| group.contains(&axis));
        let mut order: Vec<usize> = Vec::new();
        for axis in &sorted {
            let group = group_of(*axis)?;
            if order.last() != Some(&group) {
                order.push(group);
            }
        }
        let is_in_order = |order: &[usize]| order.iter().flat_map(|group| groups[*group]).copied().eq(sorted.iter().copied());
        let mut seen = order.clone();
        seen.sort_unstable();
        seen.dedup();
        if seen.len() != order.len() || !is_in_order(&order) {
            order = (0..4).collect();
        }
        for missing in (0..4).filter(|group| !order.contains(group)).collect::<Vec<_>>() {
            order.insert(missing.min(order.len()), missing);
        }
        let extent = |group: usize| groups[group].iter().map(|axis| extents[*axis]).product::<u64>();
        let place = |axis: &usize| sorted.iter().position(|own| own == axis).map(|at| at as i64);
        let permutation: Option<Vec<i64>> = order.iter().flat_map(|group| groups[*group]).map(place).collect();
        let mut dims = [0; 4];
        order.iter().enumerate().for_each(|(at, group)| dims[*group] = at as i64);
        Some(Arrangement {
            extents: sorted.iter().map(|axis| extents[*axis] as i64).collect(),
            sorted,
            permutation: permutation?,
            shape: order.iter().map(|group| extent(*group)).collect(),
            dims,
        })
    }

    fn is_transposed(&self) -> bool {
        !self.permutation.is_sorted()
    }

    /// A value of four dimensions, from one that lies as the axes do.
    fn gather(&self, e: &mut Emit, mut value: ValueId) -> Option<ValueId> {
        if self.is_transposed() {
            value = e.reshape(value, &self.extents).ok()?;
            value = e.transpose(value, &self.permutation).ok()?;
        }
        let shape: Vec<i64> = self.shape.iter().map(|extent| *extent as i64).collect();
        e.reshape(value, &shape).ok()
    }

    /// The other way round, in the shape of another value.
    fn restore(&self, e: &mut Emit, mut value: ValueId, like: ValueId) -> Option<ValueId> {
        if self.is_transposed() {
            let shape: Vec<i64> = self.permutation.iter().map(|at| self.extents[*at as usize]).collect();
            value = e.reshape(value, &shape).ok()?;
            let mut back = vec![0; self.sorted.len()];
            self.permutation.iter().enumerate().for_each(|(at, from)| back[*from as usize] = at as i64);
            value = e.transpose(value, &back).ok()?;
        }
        let shape = e.shape(like).ok()?;
        e.reshape(value, &shape).ok()
    }
}

/// An operand in four dimensions, and which is which.
fn arrange(e: &mut Emit, operand: &Operand, extents: &[u64], groups: [&[usize]; 4]) -> Option<(ValueId, [i64; 4])> {
    let arrangement = Arrangement::new(&operand.strides, extents, groups)?;
    let shape: Vec<u64> = e.shape(operand.value).ok()?.into_iter().map(|extent| extent as u64).collect();
    // As it is, where its dimensions of extent 1 can stand for the groups that have no axis.
    if shape.len() == 4
        && !arrangement.is_transposed()
        && let Some(dims) = own_dims(&shape, &operand.strides, extents, groups)
    {
        return Some((operand.value, dims));
    }
    Some((arrangement.gather(e, operand.value)?, arrangement.dims))
}

/// Which dimension of an array of four each group is.
fn own_dims(shape: &[u64], strides: &[u64], extents: &[u64], groups: [&[usize]; 4]) -> Option<[i64; 4]> {
    let mut own = [1u64; 4];
    for dim in (1..4).rev() {
        own[dim - 1] = own[dim] * shape[dim];
    }
    let mut dims = [-1; 4];
    let mut free: Vec<usize> = (0..4).filter(|dim| shape[*dim] == 1).collect();
    free.reverse();
    for (group, dim) in groups.iter().zip(&mut dims) {
        let Some(last) = group.last() else { continue };
        let extent: u64 = group.iter().map(|axis| extents[*axis]).product();
        let at = (0..4).find(|at| shape[*at] == extent && own[*at] == strides[*last])?;
        *dim = at as i64;
    }
    for dim in dims.iter_mut().filter(|dim| **dim < 0) {
        *dim = free.pop()? as i64;
    }
    Some(dims)
}

/// An operand whose dimensions are these groups, each of extent 1 where it does not depend on it.
fn repeat(e: &mut Emit, operand: &Operand, extents: &[u64], groups: &[&[usize]]) -> Option<ValueId> {
    let depends = |axis: &usize| operand.strides[*axis] != 0;
    let (mut shape, mut order) = (Vec::new(), Vec::new());
    for group in groups {
        if group.iter().any(depends) {
            if !group.iter().all(depends) {
                return None;
            }
            order.extend_from_slice(group);
            shape.push(group.iter().map(|axis| extents[*axis] as i64).product());
        } else {
            shape.push(1);
        }
    }
    if (0..operand.strides.len()).any(|axis| depends(&axis) && !order.contains(&axis)) {
        return None;
    }
    let arrangement = Arrangement::new(&operand.strides, extents, [&order, &[], &[], &[]])?;
    let mut value = operand.value;
    if arrangement.is_transposed() {
        value = e.reshape(value, &arrangement.extents).ok()?;
        value = e.transpose(value, &arrangement.permutation).ok()?;
    }
    e.reshape(value, &shape).ok()
}
