//! What a mask means: `key <= position`, proved of the predicate's own operations and constants.

use pygraph_artifact::dtype::{DType, Family};

use super::{
    softmax::Mask,
};
use crate::passes::view::{Axes, Digit, Dims, compose, seen_through, trace};
use crate::{
    ir::{
        ElementType, Module, Opcode, ValueId,
        attribute::DenseElements,
        enums::ComparisonDirection,
    },
    lower::literal::{integers, splat_bits},
    passes::{
        build::{constant_of, defined_by, direction_of},
        positions::Lookup,
    },
};

/// A key is visible only up to a position: `key <= position + diagonal`.
#[derive(Debug, Clone)]
pub struct Prefix {
    /// The positions.
    pub positions: Positions,
    /// Added to them.
    pub diagonal: i64,
    /// How many keys up to there are visible, where not all are.
    pub window: Option<i64>,
    /// Whether this is all that the mask says: if not, it hides more keys.
    pub is_whole: bool,
}

/// The positions that queries have.
#[derive(Debug, Clone)]
pub enum Positions {
    /// Elements of a value, and where they are read, for each score.
    Read(ValueId, Dims),
    /// Known: one for each element that this access names, in that order.
    Known(Vec<i64>, Dims),
}

/// No constant with more elements is looked through.
const TABLE_MAX: u64 = 1 << 24;

/// The limit that a mask puts on keys, if one of its conjuncts is one. `keys` is which dimension of the scores they are.
pub fn prefix_of(module: &Module, mask: &Mask, keys: usize) -> Option<Prefix> {
    let mut pending = vec![(mask.predicate, mask.access.clone(), mask.hides)];
    let mut is_whole = true;
    let mut limits: [Option<Limit>; 2] = [None, None];
    let mut looked_at = 0;
    while let Some((value, access, negated)) = pending.pop() {
        looked_at += 1;
        if looked_at > 16 {
            is_whole = false;
            break;
        }
        let mut negated = negated;
        let view = trace(module, value, |module, op| {
            (module.op(op).opcode == Opcode::StablehloNot).then(|| {
                negated = !negated;
                module.op(op).operands[0]
            })
        })?;
        let access = compose(&access, &view.dims)?;
        let conjunction = if negated { Opcode::StablehloOr } else { Opcode::StablehloAnd };
        if let Some(op) = defined_by(module, view.base, conjunction) {
            pending.extend(module.op(op).operands.iter().map(|operand| (*operand, access.clone(), negated)));
            continue;
        }
        match limit(module, view.base, &access, negated, keys) {
            Some(limit) if limits[usize::from(limit.is_lower)].is_none() => {
                let place = usize::from(limit.is_lower);
                limits[place] = Some(limit);
            }
            _ => is_whole = false,
        }
    }
    let [upper, lower] = limits;
    let (upper, has_lower) = (upper?, lower.is_some());
    let extent = mask.access[keys].iter().map(|digit| digit.extent).product::<u64>() as i64;
    let window = lower.and_then(|lower| window_between(module, &upper, &lower, extent));
    let is_whole = is_whole && window.is_some() == has_lower;
    Some(Prefix { positions: upper.positions, diagonal: upper.shift, window, is_whole })
}

/// Keys up to a position plus a shift, or from there on.
#[derive(Debug)]
struct Limit {
    is_lower: bool,
    positions: Positions,
    shift: i64,
}

/// How many keys lie between two limits, if that is one number for all queries.
fn window_between(module: &Module, upper: &Limit, lower: &Limit, extent: i64) -> Option<i64> {
    let difference = match (&upper.positions, &lower.positions) {
        (Positions::Known(upper, above), Positions::Known(lower, below)) => {
            same_for_all(above, below, |above, below| upper.get(above)?.checked_sub(*lower.get(below)?))?
        }
        (Positions::Read(upper, above), Positions::Read(lower, below)) => {
            let mut lookup = Lookup::exact();
            let (upper, lower) = (lookup.of(module, *upper, extent)?, lookup.of(module, *lower, extent)?);
            same_for_all(above, below, |above, below| {
                let (upper, lower) = (upper.get(above)?, lower.get(below)?);
                let is_same = upper.root == lower.root && upper.root.is_some();
                if is_same { upper.offset.checked_sub(lower.offset) } else { None }
            })?
        }
        _ => return None,
    };
    let window = difference.checked_add(upper.shift)?.checked_sub(lower.shift)?.checked_add(1)?;
    (window > 0).then_some(window)
}

/// What is the same number for every pair of elements that two accesses read at one index.
fn same_for_all(above: &Dims, below: &Dims, number: impl Fn(usize, usize) -> Option<i64>) -> Option<i64> {
    let axes = Axes::new(&[above, below])?;
    let steps = axes.axes.iter().zip(axes.strides[0].iter().zip(&axes.strides[1]));
    let moving: Vec<(u64, u64, u64)> =
        steps.map(|((_, extent), (above, below))| (*extent, *above, *below)).filter(|step| (step.1, step.2) != (0, 0)).collect();
    let count = moving.iter().try_fold(1u64, |count, step| count.checked_mul(step.0)).filter(|count| *count <= TABLE_MAX)?;
    let at = |mut index: u64| {
        let mut places = (0, 0);
        for (extent, above, below) in moving.iter().rev() {
            places = (places.0 + index % extent * above, places.1 + index % extent * below);
            index /= extent;
        }
        number(usize::try_from(places.0).ok()?, usize::try_from(places.1).ok()?)
    };
    let first = at(0)?;
    (1..count).all(|index| at(index) == Some(first)).then_some(first)
}

/// The limit that one conjunct is.
fn limit(module: &Module, value: ValueId, access: &Dims, negated: bool, keys: usize) -> Option<Limit> {
    if let Some(elements) = constant_of(module, value) {
        return known_limit(elements, access, negated, keys);
    }
    let compare = defined_by(module, value, Opcode::StablehloCompare)?;
    let &[left, right] = &module.op(compare).operands[..] else { return None };
    let element = &module.ty(left).as_tensor()?.element;
    if element.dtype()?.family() != Family::Signed {
        return None;
    }
    let direction = direction_of(module, compare)?;
    let direction = if negated { opposite(direction)? } else { direction };
    let (small, large, slack) = match direction {
        ComparisonDirection::Le => (left, right, 0),
        ComparisonDirection::Lt => (left, right, 1),
        ComparisonDirection::Ge => (right, left, 0),
        ComparisonDirection::Gt => (right, left, 1),
        _ => return None,
    };
    let edge = match lower_of_difference(module, [small, large], slack, access, keys) {
        Some(edge) => edge,
        None => edge_of(module, [small, large], slack, access, keys)?,
    };
    let Edge { key_side, other, access, is_lower, slack } = edge;
    if let Some(other) = Linear::of(module, other, &access) {
        let positions = Positions::differences(&other, &key_side, keys)?;
        return Some(Limit { is_lower, positions, shift: slack });
    }
    if (0..access.len()).any(|dim| dim != keys && key_side.moves(dim)) {
        return None;
    }
    let (base, read, added) = if is_lower { before_spreading(module, other, &access, keys)? } else { read_of(module, other, &access)? };
    let shift = slack.checked_sub(key_side.start)?.checked_add(added)?;
    let is_for_all_keys = read[keys].iter().all(|digit| digit.stride == 0);
    is_for_all_keys.then_some(Limit { is_lower, positions: Positions::Read(base, read), shift })
}

/// What a comparison says of keys: `key <= other + slack`, or `key >= other + slack` where it is a lower edge.
struct Edge {
    key_side: Linear,
    other: ValueId,
    /// How both are read, for each score.
    access: Dims,
    is_lower: bool,
    slack: i64,
}

fn keys_of(module: &Module, value: ValueId, access: &Dims, keys: usize) -> Option<Linear> {
    Linear::of(module, value, access).filter(|linear| linear.steps_by_one(keys))
}

/// `small + slack <= large`, where one of them is `key + start + others`.
fn edge_of(module: &Module, [small, large]: [ValueId; 2], slack: i64, access: &Dims, keys: usize) -> Option<Edge> {
    let sides = [small, large].map(|value| keys_of(module, value, access, keys));
    let (key_side, other, is_lower) = match sides {
        [Some(key_side), None] => (key_side, large, false),
        [None, Some(key_side)] => (key_side, small, true),
        _ => return None,
    };
    let slack = if is_lower { slack } else { -slack };
    Some(Edge { key_side, other, access: access.clone(), is_lower, slack })
}

/// A lower edge as a difference against a constant: `key - other >= c`, or `other - key <= -c`.
///
/// An upper edge is not read in this way: a difference wraps where a position is so far below zero that no key is visible, and
/// would show some then. A lower edge only hides, and what it hides there the upper one hides too.
fn lower_of_difference(
    module: &Module,
    [small, large]: [ValueId; 2],
    slack: i64,
    access: &Dims,
    keys: usize,
) -> Option<Edge> {
    let (difference, least) = match (one_number(module, small), one_number(module, large)) {
        (Some(least), None) => (large, least.checked_add(slack)?),
        (None, Some(most)) => (small, slack.checked_sub(most)?),
        _ => return None,
    };
    let view = seen_through(module, difference)?;
    let access = compose(access, &view.dims)?;
    let op = defined_by(module, view.base, Opcode::StablehloSubtract)?;
    let &[of, minus] = &module.op(op).operands[..] else { return None };
    let (key, other) = if difference == large { (of, minus) } else { (minus, of) };
    let key_side = keys_of(module, key, &access, keys)?;
    Some(Edge { key_side, other, access, is_lower: true, slack: least })
}

/// The one number that all elements of a constant of signed integers are.
fn one_number(module: &Module, value: ValueId) -> Option<i64> {
    let view = seen_through(module, value)?;
    let elements = constant_of(module, view.base)?;
    let unused = 128 - 8 * elements.ty.element.dtype()?.size_bytes() as u32;
    i64::try_from((splat_bits(elements)? << unused) as i128 >> unused).ok()
}

/// What a value shows, how that is read, and what is added to it.
type Shown = (ValueId, Dims, i64);

fn read_of(module: &Module, value: ValueId, access: &Dims) -> Option<Shown> {
    let view = seen_through(module, value)?;
    Some((view.base, compose(access, &view.dims)?, 0))
}

/// The same where constants were added after a value was spread over the keys. (Where that wraps, no key is visible anyway.)
fn before_spreading(module: &Module, value: ValueId, access: &Dims, keys: usize) -> Option<Shown> {
    let (mut base, mut read, mut added) = read_of(module, value, access)?;
    while read[keys].iter().any(|digit| digit.stride != 0) {
        let op = module.defining_op(base)?;
        let &[a, b] = &module.op(op).operands[..] else { return None };
        let (inner, constant) = match (module.op(op).opcode, one_number(module, a), one_number(module, b)) {
            (Opcode::StablehloSubtract, _, Some(constant)) => (a, constant.checked_neg()?),
            (Opcode::StablehloAdd, _, Some(constant)) => (a, constant),
            (Opcode::StablehloAdd, Some(constant), _) => (b, constant),
            _ => return None,
        };
        added = added.checked_add(constant)?;
        (base, read, _) = read_of(module, inner, &read)?;
    }
    Some((base, read, added))
}

impl Positions {
    /// One linear thing minus another, which both do not depend on the keys but as `steps_by_one` says.
    fn differences(of: &Linear, minus: &Linear, keys: usize) -> Option<Positions> {
        if of.moves(keys) {
            return None;
        }
        let extents: Vec<u64> = of.digits.iter().map(|dim| dim.iter().map(|(extent, _)| extent).product()).collect();
        let moving: Vec<usize> =
            (0..extents.len()).filter(|dim| *dim != keys && (of.moves(*dim) || minus.moves(*dim))).collect();
        let count = moving.iter().try_fold(1u64, |count, dim| count.checked_mul(extents[*dim]))?;
        if count > TABLE_MAX {
            return None;
        }
        let mut read: Dims = extents.iter().map(|extent| crate::passes::view::repeated(*extent)).collect();
        let mut stride = 1;
        for dim in moving.iter().rev() {
            read[*dim].iter_mut().for_each(|digit| digit.stride = stride);
            stride *= extents[*dim];
        }
        let value = |row: u64| {
            let (mut index, mut rest) = (vec![0; extents.len()], row);
            for dim in moving.iter().rev() {
                index[*dim] = rest % extents[*dim];
                rest /= extents[*dim];
            }
            of.at(&index)?.checked_sub(minus.at(&index)?)
        };
        let values: Option<Vec<i64>> = (0..count).map(value).collect();
        Some(Positions::Known(values?, read))
    }
}

fn opposite(direction: ComparisonDirection) -> Option<ComparisonDirection> {
    Some(match direction {
        ComparisonDirection::Le => ComparisonDirection::Gt,
        ComparisonDirection::Lt => ComparisonDirection::Ge,
        ComparisonDirection::Ge => ComparisonDirection::Lt,
        ComparisonDirection::Gt => ComparisonDirection::Le,
        _ => return None,
    })
}

/// Extents of the digits of a dimension with their steps, major first.
type Steps = Vec<(u64, i64)>;

/// Integers that are linear in the digits of the index by which they are read.
struct Linear {
    start: i64,
    /// For every dimension of the access.
    digits: Vec<Steps>,
}

impl Linear {
    /// A value that is: an iota or a constant, or the sum or difference of two of them.
    fn of(module: &Module, value: ValueId, access: &Dims) -> Option<Linear> {
        let view = seen_through(module, value)?;
        let read = compose(access, &view.dims)?;
        let op = module.defining_op(view.base)?;
        let sign = match module.op(op).opcode {
            Opcode::StablehloAdd => 1,
            Opcode::StablehloSubtract => -1,
            _ => return Linear::known(module, value, access),
        };
        let &[a, b] = &module.op(op).operands[..] else { return None };
        let sum = Linear::known(module, a, &read)?.plus(&Linear::known(module, b, &read)?, sign)?;
        sum.fits(module.ty(view.base).as_tensor()?.element.dtype()?).then_some(sum)
    }

    fn known(module: &Module, value: ValueId, access: &Dims) -> Option<Linear> {
        let view = seen_through(module, value)?;
        let read = compose(access, &view.dims)?;
        let op = module.defining_op(view.base)?;
        let ty = module.ty(view.base).as_tensor()?;
        let shape = ty.static_shape()?;
        if module.op(op).opcode == Opcode::StablehloIota {
            let dim = usize::try_from(module.op(op).attr("iota_dimension")?.as_i64()?).ok()?;
            let below: u64 = shape[dim + 1..].iter().product();
            let within = below * shape[dim];
            // A digit that steps inside of the dimension counts, one above or below does not.
            return Linear::with_steps(0, &read, |digit| {
                if digit.stride >= within || digit.stride * digit.extent <= below {
                    Some(0)
                } else {
                    let is_inside = digit.stride % below == 0 && digit.stride * digit.extent <= within;
                    if is_inside { i64::try_from(digit.stride / below).ok() } else { None }
                }
            });
        }
        let elements = constant_of(module, view.base)?;
        let count = ty.element_count().filter(|count| *count <= TABLE_MAX)?;
        let table = integers(elements, usize::try_from(count).ok()?)?;
        let start = *table.first()?;
        let next = |digit: &Digit| table.get(usize::try_from(digit.stride).ok()?)?.checked_sub(start);
        describes(&table, &read, next)?;
        Linear::with_steps(start, &read, next)
    }

    fn with_steps(start: i64, read: &Dims, step: impl Fn(&Digit) -> Option<i64>) -> Option<Linear> {
        let of = |digit: &Digit| Some((digit.extent, if digit.stride == 0 { 0 } else { step(digit)? }));
        let digits: Option<Vec<Steps>> = read.iter().map(|dim| dim.iter().map(of).collect()).collect();
        Some(Linear { start, digits: digits? })
    }

    /// The sum with `sign` times the other, if in no dimension both move in digits of different extents.
    fn plus(&self, other: &Linear, sign: i64) -> Option<Linear> {
        let dimension = |(own, other): (&Steps, &Steps)| -> Option<Steps> {
            let is_still = |digits: &[(u64, i64)]| digits.iter().all(|(_, step)| *step == 0);
            if is_still(other) {
                return Some(own.clone());
            }
            let turned = other.iter().map(|(extent, step)| Some((*extent, step.checked_mul(sign)?)));
            let turned: Steps = turned.collect::<Option<_>>()?;
            if is_still(own) {
                return Some(turned);
            }
            let pairs = own.iter().zip(&turned);
            let sums = pairs.map(|(own, other)| Some((own.0, own.1.checked_add(other.1).filter(|_| own.0 == other.0)?)));
            sums.collect::<Option<_>>().filter(|_| own.len() == turned.len())
        };
        let digits = self.digits.iter().zip(&other.digits).map(dimension).collect::<Option<_>>()?;
        Some(Linear { start: self.start.checked_add(other.start.checked_mul(sign)?)?, digits })
    }

    /// True if no element wraps around in that type of signed integers.
    fn fits(&self, dtype: DType) -> bool {
        let (mut least, mut most) = (i128::from(self.start), i128::from(self.start));
        for (extent, step) in self.digits.iter().flatten() {
            let moved = i128::from(extent.saturating_sub(1)) * i128::from(*step);
            if moved < 0 { least += moved } else { most += moved }
        }
        let bound = 1i128 << (dtype.bits() - 1);
        dtype.family() == Family::Signed && (-bound..bound).contains(&least) && (-bound..bound).contains(&most)
    }

    /// True if it depends on that dimension.
    fn moves(&self, dim: usize) -> bool {
        self.digits[dim].iter().any(|(_, step)| *step != 0)
    }

    /// True if it grows by one from key to key.
    fn steps_by_one(&self, keys: usize) -> bool {
        let mut low = Some(1i64);
        self.digits[keys].iter().rev().all(|(extent, step)| {
            let fits = Some(*step) == low;
            low = low.and_then(|low| low.checked_mul(i64::try_from(*extent).ok()?));
            fits
        })
    }

    /// Its value at an index.
    fn at(&self, index: &[u64]) -> Option<i64> {
        let mut sum = self.start;
        for (digits, index) in self.digits.iter().zip(index) {
            let mut rest = *index;
            for (extent, step) in digits.iter().rev() {
                sum = sum.checked_add(i64::try_from(rest % extent).ok()?.checked_mul(*step)?)?;
                rest /= extent;
            }
        }
        Some(sum)
    }
}

/// That every element of the table is what the steps of the digits that read it give.
fn describes(table: &[i64], read: &Dims, step: impl Fn(&Digit) -> Option<i64>) -> Option<()> {
    let mut digits: Vec<Digit> = read.concat().into_iter().filter(|digit| digit.stride != 0).collect();
    digits.sort_by_key(|digit| std::cmp::Reverse(digit.stride));
    digits.dedup();
    let steps: Vec<(Digit, i64)> = digits.into_iter().map(|digit| Some((digit, step(&digit)?))).collect::<Option<_>>()?;
    let reached: u64 = steps.iter().map(|(digit, _)| digit.extent).product();
    let is_linear = |(at, element): (u64, &i64)| {
        let step = |(digit, step): &(Digit, i64)| (at / digit.stride % digit.extent) as i128 * i128::from(*step);
        i128::from(table[0]) + steps.iter().map(step).sum::<i128>() == i128::from(*element)
    };
    (reached == table.len() as u64 && (0u64..).zip(table).all(is_linear)).then_some(())
}

/// The limit that a known mask is: in every row, a run of visible keys from the first on.
fn known_limit(elements: &DenseElements, access: &Dims, negated: bool, keys: usize) -> Option<Limit> {
    if elements.ty.element != ElementType::BOOL || elements.is_splat {
        return None;
    }
    let axes = Axes::new(&[access])?;
    let is_visible = |at: u64| Some((*elements.bytes.get(usize::try_from(at).ok()?)? != 0) != negated);
    let strides = &axes.strides[0];
    let of = |is_key: bool| -> Vec<(u64, u64)> {
        let chosen = axes.axes.iter().zip(strides).filter(|((dim, _), _)| (*dim == keys) == is_key);
        chosen.filter(|(_, stride)| **stride != 0 || is_key).map(|((_, extent), stride)| (*extent, *stride)).collect()
    };
    let (key_axes, row_axes) = (of(true), of(false));
    if key_axes.iter().any(|(_, stride)| *stride == 0) {
        return None;
    }
    let size = |axes: &[(u64, u64)]| axes.iter().map(|(extent, _)| extent).product::<u64>();
    if size(&key_axes).checked_mul(size(&row_axes)).is_none_or(|count| count > TABLE_MAX) {
        return None;
    }
    let offset = |axes: &[(u64, u64)], mut index: u64| {
        let mut offset = 0;
        for (extent, stride) in axes.iter().rev() {
            offset += index % extent * stride;
            index /= extent;
        }
        offset
    };
    let mut limits = Vec::new();
    for row in 0..size(&row_axes) {
        let start = offset(&row_axes, row);
        let mut count = 0;
        let mut is_over = false;
        for key in 0..size(&key_axes) {
            match is_visible(start + offset(&key_axes, key))? {
                true if is_over => return None,
                true => count += 1,
                false => is_over = true,
            }
        }
        limits.push(count - 1);
    }
    // Rows in order of the axes that move: an access of its own.
    let mut next: u64 = size(&row_axes);
    let mut read: Dims = vec![Vec::new(); access.len()];
    for ((dim, extent), stride) in axes.axes.iter().zip(strides) {
        let is_row = *dim != keys && *stride != 0;
        if is_row {
            next /= extent;
        }
        read[*dim].push(Digit { extent: *extent, stride: if is_row { next } else { 0 } });
    }
    Some(Limit { is_lower: false, positions: Positions::Known(limits, read), shift: 0 })
}
