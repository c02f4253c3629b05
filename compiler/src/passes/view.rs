//! Values seen through movement: which element of a base an index reads, whatever transposes, reshapes and broadcasts lie
//! between.
//!
//! A dimension is a list of digits, major first: an index is written in the mixed radix of their extents, and each digit
//! steps through the flat base by its stride; 0 repeats. Digits of extent 1 are left out. Transposes permute dimensions,
//! broadcasts add digits of stride 0, reshapes regroup digits: so that equal accesses look equal however they were spelled.

use super::build::{integers_attr, static_tensor};
use crate::ir::{Module, OpId, Opcode, ValueId};

/// One digit of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digit {
    /// How many values it takes.
    pub extent: u64,
    /// How far it steps, in elements of the base.
    pub stride: u64,
}

/// The digits of every dimension.
pub type Dims = Vec<Vec<Digit>>;

/// A value seen through movement.
#[derive(Debug, Clone)]
pub struct View {
    /// What is read.
    pub base: ValueId,
    /// Where.
    pub dims: Dims,
}

/// No chain of movement is followed further: work stays linear where many readers share one.
const CHAIN_MAX: usize = 64;

/// A dense row-major array of that shape, read as it lies; none where it is empty.
pub fn identity(shape: &[u64]) -> Option<Dims> {
    if shape.contains(&0) {
        return None;
    }
    let mut stride = 1;
    let mut dims: Dims = Vec::new();
    for extent in shape.iter().rev() {
        dims.push(if *extent == 1 { Vec::new() } else { vec![Digit { extent: *extent, stride }] });
        stride *= extent;
    }
    dims.reverse();
    Some(dims)
}

/// One digit that repeats, or none where the extent is 1.
pub fn repeated(extent: u64) -> Vec<Digit> {
    if extent == 1 { Vec::new() } else { vec![Digit { extent, stride: 0 }] }
}

/// What a value is, through movement and through the elementwise operations that `passes` accepts with their operand.
pub fn trace(
    module: &Module,
    value: ValueId,
    mut passes: impl FnMut(&Module, OpId) -> Option<ValueId>,
) -> Option<View> {
    let mut chain = Vec::new();
    let mut base = value;
    while chain.len() < CHAIN_MAX
        && let Some(op) = module.defining_op(base)
    {
        if is_movement(module.op(op).opcode) {
            chain.push(op);
            base = module.op(op).operands[0];
        } else if let Some(operand) = passes(module, op) {
            base = operand;
        } else {
            break;
        }
    }
    let mut dims = identity(&static_tensor(module, base)?.0)?;
    for op in chain.into_iter().rev() {
        dims = moved(module, op, &dims)?;
    }
    Some(View { base, dims })
}

/// What a value is, through movement alone.
pub fn seen_through(module: &Module, value: ValueId) -> Option<View> {
    trace(module, value, |_, _| None)
}

/// True for operations that only move elements.
pub fn is_movement(opcode: Opcode) -> bool {
    matches!(opcode, Opcode::StablehloReshape | Opcode::StablehloTranspose | Opcode::StablehloBroadcastInDim)
}

/// The dimensions of the result of a movement whose operand has these.
fn moved(module: &Module, op: OpId, dims: &Dims) -> Option<Dims> {
    let operation = module.op(op);
    let (shape, _) = static_tensor(module, operation.results[0])?;
    match operation.opcode {
        Opcode::StablehloReshape => regroup(dims.concat(), &shape),
        Opcode::StablehloTranspose => {
            let permutation = integers_attr(module, op, "permutation")?;
            permutation.iter().map(|dim| dims.get(usize::try_from(*dim).ok()?).cloned()).collect()
        }
        _ => {
            let mut moved: Dims = shape.iter().map(|extent| repeated(*extent)).collect();
            let (operand, _) = static_tensor(module, operation.operands[0])?;
            for (from, to) in integers_attr(module, op, "broadcast_dimensions")?.iter().enumerate() {
                let to = usize::try_from(*to).ok()?;
                if operand[from] == shape[to] {
                    moved[to] = dims[from].clone();
                }
            }
            Some(moved)
        }
    }
}

/// Digits in order, as one list of dimensions of these extents; none where an extent cuts a digit unevenly.
pub fn regroup(digits: Vec<Digit>, shape: &[u64]) -> Option<Dims> {
    let mut rest: Vec<Digit> = merge(digits);
    rest.reverse();
    let mut dims = Vec::with_capacity(shape.len());
    for extent in shape {
        let (mut needed, mut dim) = (*extent, Vec::new());
        while needed > 1 {
            let digit = rest.pop()?;
            if needed % digit.extent == 0 {
                needed /= digit.extent;
                dim.push(digit);
            } else if digit.extent % needed == 0 {
                let inner = digit.extent / needed;
                dim.push(Digit { extent: needed, stride: digit.stride * inner });
                rest.push(Digit { extent: inner, stride: digit.stride });
                needed = 1;
            } else {
                return None;
            }
        }
        dims.push(dim);
    }
    rest.is_empty().then_some(dims)
}

/// Neighbouring digits that step as one become one.
fn merge(digits: Vec<Digit>) -> Vec<Digit> {
    let mut merged: Vec<Digit> = Vec::with_capacity(digits.len());
    for digit in digits {
        match merged.last_mut() {
            Some(outer) if outer.stride == digit.extent * digit.stride => {
                *outer = Digit { extent: outer.extent * digit.extent, stride: digit.stride };
            }
            _ => merged.push(digit),
        }
    }
    merged
}

/// Digits that step through a flat array, as digits that step through what that array reads: its own dimensions are
/// `inner`.
pub fn compose(outer: &Dims, inner: &Dims) -> Option<Dims> {
    let mut own_stride = 1;
    let mut steps: Vec<(u64, u64, u64)> = Vec::new();
    for digit in inner.iter().rev().flat_map(|dim| dim.iter().rev()) {
        steps.push((own_stride, digit.extent, digit.stride));
        own_stride *= digit.extent;
    }
    outer
        .iter()
        .map(|dim| {
            let digits: Option<Vec<Vec<Digit>>> = dim.iter().map(|digit| through(*digit, &steps)).collect();
            Some(digits?.concat())
        })
        .collect()
}

/// One digit through an array whose digits are, minor first, own stride, extent and stride in what it reads.
fn through(digit: Digit, steps: &[(u64, u64, u64)]) -> Option<Vec<Digit>> {
    if digit.stride == 0 {
        return Some(vec![digit]);
    }
    let (mut at, mut remaining, mut digits) = (digit.stride, digit.extent, Vec::new());
    for (own_stride, extent, stride) in steps {
        if remaining == 1 || at < *own_stride || at >= own_stride * extent {
            continue;
        }
        let skipped = at / own_stride;
        if at % own_stride != 0 || extent % skipped != 0 {
            return None;
        }
        let available = extent / skipped;
        let taken = if remaining % available == 0 {
            available
        } else if available % remaining == 0 {
            remaining
        } else {
            return None;
        };
        digits.push(Digit { extent: taken, stride: stride * skipped });
        at *= taken;
        remaining /= taken;
    }
    digits.reverse();
    (remaining == 1).then_some(digits)
}

/// The other way round: for a view that reads every element of a base of that shape once, where in the view each element
/// of the base is.
pub fn inverse(dims: &Dims, base_shape: &[u64]) -> Option<Dims> {
    let mut own_stride = 1;
    let mut steps: Vec<(u64, Digit)> = Vec::new();
    for digit in dims.iter().rev().flat_map(|dim| dim.iter().rev()) {
        steps.push((digit.stride, Digit { extent: digit.extent, stride: own_stride }));
        own_stride *= digit.extent;
    }
    steps.sort_by_key(|(stride, _)| std::cmp::Reverse(*stride));
    let mut above: u64 = base_shape.iter().product();
    for (stride, digit) in &steps {
        if stride * digit.extent != above {
            return None;
        }
        above = *stride;
    }
    if above != 1 {
        return None;
    }
    regroup(steps.into_iter().map(|(_, digit)| digit).collect(), base_shape)
}

/// One index space read by several accesses: every dimension cut into axes so that each access steps evenly along each.
#[derive(Debug)]
pub struct Axes {
    /// Dimension and extent of every axis, major first.
    pub axes: Vec<(usize, u64)>,
    /// How many dimensions there are, those without an axis too.
    pub dim_count: usize,
    /// For every access, its stride along every axis.
    pub strides: Vec<Vec<u64>>,
}

impl Axes {
    /// Cuts as finely as the accesses ask for; none where their cuts do not fit one another.
    pub fn new(accesses: &[&Dims]) -> Option<Axes> {
        let dim_count = accesses.first()?.len();
        let mut axes = Axes { axes: Vec::new(), dim_count, strides: vec![Vec::new(); accesses.len()] };
        for dim in 0..dim_count {
            let mut cuts: Vec<u64> = vec![1];
            for access in accesses {
                let mut at = 1;
                for digit in access[dim].iter().rev() {
                    at *= digit.extent;
                    cuts.push(at);
                }
            }
            cuts.sort_unstable();
            cuts.dedup();
            if cuts.windows(2).any(|pair| pair[1] % pair[0] != 0) {
                return None;
            }
            for pair in cuts.windows(2).rev() {
                axes.axes.push((dim, pair[1] / pair[0]));
                for (access, strides) in accesses.iter().zip(&mut axes.strides) {
                    strides.push(stride_at(&access[dim], pair[0])?);
                }
            }
        }
        Some(axes)
    }
}

/// How far a dimension steps where its index grows by `cut`.
fn stride_at(digits: &[Digit], cut: u64) -> Option<u64> {
    let mut low = 1;
    for digit in digits.iter().rev() {
        if cut < low * digit.extent {
            return cut.is_multiple_of(low).then(|| digit.stride * (cut / low));
        }
        low *= digit.extent;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digit(extent: u64, stride: u64) -> Digit {
        Digit { extent, stride }
    }

    #[test]
    fn reshapes_regroup_digits_or_refuse() {
        let dims = identity(&[4, 6]).expect("a shape with elements");
        assert_eq!(regroup(dims.concat(), &[2, 12]), Some(vec![vec![digit(2, 12)], vec![digit(12, 1)]]));
        let turned = [dims[1].clone(), dims[0].clone()];
        assert_eq!(
            regroup(turned.concat(), &[3, 2, 4]),
            Some(vec![vec![digit(3, 2)], vec![digit(2, 1)], vec![digit(4, 6)]])
        );
        assert_eq!(regroup(turned.concat(), &[4, 6]), None);
    }

    #[test]
    fn a_permutation_and_its_inverse_compose_to_the_identity() {
        let shape = [2, 3, 4];
        let dims = identity(&shape).expect("a shape with elements");
        let turned = vec![dims[2].clone(), dims[0].clone(), dims[1].clone()];
        let back = inverse(&turned, &shape).expect("a permutation");
        assert_eq!(compose(&back, &turned).expect("they go together"), dims);
        assert_eq!(inverse(&vec![vec![digit(2, 0)], vec![digit(3, 1)]], &[3]), None);
    }

    #[test]
    fn axes_are_the_common_cuts() {
        let heads = vec![vec![digit(8, 16)]];
        let grouped = vec![vec![digit(2, 4), digit(4, 0)]];
        let axes = Axes::new(&[&heads, &grouped]).expect("the cuts fit");
        assert_eq!(axes.axes, [(0, 2), (0, 4)]);
        assert_eq!(axes.strides, [[64, 16], [4, 0]]);
        assert!(Axes::new(&[&vec![vec![digit(2, 3), digit(3, 1)]], &vec![vec![digit(3, 2), digit(2, 1)]]]).is_none());
    }
}
