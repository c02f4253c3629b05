//! Where positions come from: every element of an integer tensor as an element of a root plus a constant.

use std::{collections::HashMap, rc::Rc};

use pygraph_artifact::dtype::Family;

use super::{
    build::{constant_of, defined_by, direction_of, integers_attr, static_tensor},
    view::{is_movement, seen_through},
};
use crate::{
    ir::{Module, OpId, Opcode, ValueId, enums::ComparisonDirection},
    lower::literal::integers,
};

/// An integer: a root's element, if any, plus a constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// The value and the flat index of its element.
    pub root: Option<(ValueId, u64)>,
    /// Added to it.
    pub offset: i64,
}

impl Position {
    /// That far behind it.
    pub fn plus(self, offset: i64) -> Option<Position> {
        Some(Position { offset: self.offset.checked_add(offset)?, ..self })
    }
}

/// Positions of all elements of a tensor, row-major.
pub type Positions = Rc<Vec<Position>>;

/// Tensors with more elements are not looked into.
const ELEMENTS_MAX: u64 = 1 << 16;

/// Looks positions up, each value once for each extent of caches.
///
/// Wraps of negative positions (`p < 0 ? p + extent : p`) and clamps to the cache do not show, unless the lookup is exact: a
/// position outside of the cache stands for itself, and whoever uses it says what happens then.
#[derive(Debug, Default)]
pub struct Lookup {
    is_exact: bool,
    known: HashMap<(ValueId, i64), Option<Positions>>,
}

impl Lookup {
    /// A lookup to which wraps and clamps do show.
    pub fn exact() -> Lookup {
        Lookup { is_exact: true, ..Lookup::default() }
    }

    /// The positions that a value holds, as a cache of that extent is indexed by them.
    pub fn of(&mut self, module: &Module, value: ValueId, extent: i64) -> Option<Positions> {
        if let Some(known) = self.known.get(&(value, extent)) {
            return known.clone();
        }
        let found = self.find(module, value, extent).or_else(|| own(module, value));
        self.known.insert((value, extent), found.clone());
        found
    }

    /// Through one operation; none where it is not one that positions pass.
    fn find(&mut self, module: &Module, value: ValueId, extent: i64) -> Option<Positions> {
        let op = module.defining_op(value)?;
        let (shape, ty) = static_tensor(module, value)?;
        let count = ty.element_count().filter(|count| *count <= ELEMENTS_MAX)?;
        let operation = module.op(op);
        if let Some(elements) = constant_of(module, value) {
            let table = integers(elements, usize::try_from(count).ok()?)?;
            return Some(Rc::new(table.into_iter().map(|offset| Position { root: None, offset }).collect()));
        }
        if is_movement(operation.opcode) {
            let view = seen_through(module, value)?;
            let base = self.of(module, view.base, extent)?;
            let mut places = vec![0u64];
            for digit in view.dims.iter().flatten() {
                places =
                    places.iter().flat_map(|at| (0..digit.extent).map(move |idx| at + idx * digit.stride)).collect();
            }
            return places
                .into_iter()
                .map(|at| base.get(at as usize).copied())
                .collect::<Option<Vec<_>>>()
                .map(Rc::new);
        }
        match operation.opcode {
            Opcode::StablehloIota => {
                let dim = usize::try_from(operation.attr("iota_dimension")?.as_i64()?).ok()?;
                let below: u64 = shape[dim + 1..].iter().product();
                let at = |idx: u64| Position { root: None, offset: (idx / below % shape[dim]) as i64 };
                Some(Rc::new((0..count).map(at).collect()))
            }
            Opcode::StablehloConvert => {
                let operand = operation.operands[0];
                let (from, to) = (static_tensor(module, operand)?.1.element.dtype()?, ty.element.dtype()?);
                let keeps =
                    from.family() == Family::Signed && to.family() == Family::Signed && from.bits() <= to.bits();
                if keeps { self.of(module, operand, extent) } else { None }
            }
            Opcode::StablehloSlice => {
                let (from, _) = static_tensor(module, operation.operands[0])?;
                let base = self.of(module, operation.operands[0], extent)?;
                let starts = integers_attr(module, op, "start_indices")?;
                let strides = integers_attr(module, op, "strides")?;
                let mut places = vec![0u64];
                for (dim, count) in shape.iter().enumerate() {
                    let (own, start, stride) = (from[dim], starts[dim] as u64, strides[dim] as u64);
                    let along = |at: &u64| {
                        let first = at * own + start;
                        (0..*count).map(move |idx| first + idx * stride)
                    };
                    places = places.iter().flat_map(along).collect();
                }
                places.into_iter().map(|at| base.get(at as usize).copied()).collect::<Option<Vec<_>>>().map(Rc::new)
            }
            Opcode::StablehloConcatenate => self.concatenation(module, op, &shape, extent),
            Opcode::StablehloAdd => self.pairs(module, op, extent, |a, b| match (a.root, b.root) {
                (_, None) => a.plus(b.offset),
                (None, _) => b.plus(a.offset),
                _ => None,
            }),
            Opcode::StablehloSubtract => {
                self.pairs(
                    module,
                    op,
                    extent,
                    |a, b| {
                        if b.root.is_none() { a.plus(b.offset.checked_neg()?) } else { None }
                    },
                )
            }
            Opcode::StablehloMaximum | Opcode::StablehloMinimum | Opcode::StablehloClamp | Opcode::StablehloSelect
                if self.is_exact =>
            {
                None
            }
            Opcode::StablehloMaximum => {
                self.pairs(module, op, extent, |a, b| at_least(a, b).or_else(|| at_least(b, a)))
            }
            Opcode::StablehloMinimum => {
                self.pairs(module, op, extent, |a, b| at_most(a, b, extent).or_else(|| at_most(b, a, extent)))
            }
            Opcode::StablehloClamp => {
                let &[low, value, high] = &operation.operands[..] else { return None };
                let of = [low, value, high].map(|value| self.of(module, value, extent));
                let [Some(low), Some(value), Some(high)] = of else { return None };
                let at = |list: &Positions, idx: usize| list.get(if list.len() == 1 { 0 } else { idx }).copied();
                let result = operation.results[0];
                let clamped = |idx: usize| {
                    let raised = at_least(at(&value, idx)?, at(&low, idx)?);
                    let known = raised.and_then(|raised| at_most(raised, at(&high, idx)?, extent));
                    Some(known.unwrap_or(Position { root: Some((result, idx as u64)), offset: 0 }))
                };
                (0..value.len()).map(clamped).collect::<Option<Vec<_>>>().map(Rc::new)
            }
            Opcode::StablehloSelect => self.wrap(module, op, extent),
            _ => None,
        }
    }

    fn concatenation(&mut self, module: &Module, op: OpId, shape: &[u64], extent: i64) -> Option<Positions> {
        let dim = usize::try_from(module.op(op).attr("dimension")?.as_i64()?).ok()?;
        let below: u64 = shape[dim + 1..].iter().product();
        let mut pieces = Vec::new();
        for operand in module.op(op).operands.clone() {
            let (own, _) = static_tensor(module, operand)?;
            pieces.push((self.of(module, operand, extent)?, (own[dim] * below) as usize));
        }
        let above: u64 = shape[..dim].iter().product();
        let mut all = Vec::new();
        for row in 0..above as usize {
            for (piece, length) in &pieces {
                all.extend_from_slice(piece.get(row * length..(row + 1) * length)?);
            }
        }
        Some(Rc::new(all))
    }

    fn pairs(
        &mut self,
        module: &Module,
        op: OpId,
        extent: i64,
        combine: impl Fn(Position, Position) -> Option<Position>,
    ) -> Option<Positions> {
        let &[a, b] = &module.op(op).operands[..] else { return None };
        let (a, b) = (self.of(module, a, extent)?, self.of(module, b, extent)?);
        let result = module.op(op).results[0];
        let own = |idx| Position { root: Some((result, idx)), offset: 0 };
        let pairs = (0u64..).zip(a.iter().zip(b.iter()));
        Some(Rc::new(pairs.map(|(idx, (a, b))| combine(*a, *b).unwrap_or(own(idx))).collect()))
    }

    /// `p < 0 ? p + extent : p`
    fn wrap(&mut self, module: &Module, select: OpId, extent: i64) -> Option<Positions> {
        let &[negative, wrapped, plain] = &module.op(select).operands[..] else { return None };
        let compare = defined_by(module, negative, Opcode::StablehloCompare)?;
        let add = defined_by(module, wrapped, Opcode::StablehloAdd)?;
        let &[compared, zero] = &module.op(compare).operands[..] else { return None };
        let direction = direction_of(module, compare)?;
        let is = |lookup: &mut Lookup, value: ValueId, wanted: i64| {
            let found = lookup.of(module, value, extent);
            found.is_some_and(|all| all.iter().all(|of| of.root.is_none() && of.offset == wanted))
        };
        let &[a, b] = &module.op(add).operands[..] else { return None };
        let other = if a == plain { b } else { a };
        let holds = direction == ComparisonDirection::Lt
            && compared == plain
            && [a, b].contains(&plain)
            && is(self, zero, 0)
            && is(self, other, extent);
        if holds { self.of(module, plain, extent) } else { None }
    }
}

/// A bound from below that changes nothing of a position that is not negative.
fn at_least(position: Position, low: Position) -> Option<Position> {
    match (position.root, low.root) {
        (None, None) => Some(Position { root: None, offset: position.offset.max(low.offset) }),
        (Some(_), None) if low.offset <= 0 => Some(position),
        _ => None,
    }
}

/// A bound from above that changes nothing of a position inside of the cache.
fn at_most(position: Position, high: Position, extent: i64) -> Option<Position> {
    match (position.root, high.root) {
        (None, None) => Some(Position { root: None, offset: position.offset.min(high.offset) }),
        (Some(_), None) if high.offset >= extent - 1 => Some(position),
        _ => None,
    }
}

/// A value of which nothing more is known: its elements are roots themselves.
fn own(module: &Module, value: ValueId) -> Option<Positions> {
    let (_, ty) = static_tensor(module, value)?;
    let count = ty.element_count().filter(|count| *count <= ELEMENTS_MAX)?;
    let is_integer = ty.element.dtype().is_some_and(|dtype| dtype.family() == Family::Signed);
    let at = |idx| Position { root: Some((value, idx)), offset: 0 };
    is_integer.then(|| Rc::new((0..count).map(at).collect()))
}
