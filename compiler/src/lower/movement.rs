//! Operations that only move elements: nests that copy through affine maps, and views.

use super::{
    Lowered, body, literal,
    site::{NestParts, Site, Tensor, dim, fixed, identity, strided, to_scalar},
};
use crate::ir::{
    ValueId,
    attribute::{AffineMap, LinearExpr},
};

/// `broadcast_in_dim`
pub fn broadcast_in_dim(site: &mut Site) -> Lowered {
    let dims = site.int_list("broadcast_dimensions");
    Ok(vec![broadcast(site, &dims)])
}

/// `broadcast`: the operand's dimensions are the last of the result.
pub fn broadcast_prefix(site: &mut Site) -> Lowered {
    let new_dims = site.result(0).rank() - site.tensor(site.operand(0)).rank();
    let dims: Vec<i64> = (new_dims as i64..site.result(0).rank() as i64).collect();
    Ok(vec![broadcast(site, &dims)])
}

fn broadcast(site: &mut Site, dims: &[i64]) -> ValueId {
    let (result, operand) = (site.result(0), site.operand(0));
    let source = site.tensor(operand);
    if let Some(bits) = site.constant_elements(operand).and_then(|elements| literal::splat_bits(&elements)) {
        return site.generate(&result, Vec::new(), body::constant(result.dtype, bits));
    }
    let rank = result.rank();
    let position = |(extent, d): (&u64, &i64)| if *extent == 1 { fixed(0, rank) } else { dim(*d as usize, rank) };
    let results = source.shape.iter().zip(dims).map(position).collect();
    gather_copy(site, operand, &result, results)
}

/// `transpose`
pub fn transpose(site: &mut Site) -> Lowered {
    let permutation = site.int_list("permutation");
    let result = site.result(0);
    let mut results = vec![fixed(0, result.rank()); result.rank()];
    for (to, from) in permutation.iter().enumerate() {
        results[*from as usize] = dim(to, result.rank());
    }
    let operand = site.operand(0);
    Ok(vec![gather_copy(site, operand, &result, results)])
}

/// `slice`
pub fn slice(site: &mut Site) -> Lowered {
    let (starts, strides) = (site.int_list("start_indices"), site.int_list("strides"));
    let result = site.result(0);
    let bounds = starts.iter().zip(&strides).enumerate();
    let results = bounds.map(|(d, (start, stride))| strided(d, *stride, *start, result.rank())).collect();
    let operand = site.operand(0);
    Ok(vec![gather_copy(site, operand, &result, results)])
}

/// `reverse`
pub fn reverse(site: &mut Site) -> Lowered {
    let reversed = site.int_list("dimensions");
    let result = site.result(0);
    let backwards = |d: usize| strided(d, -1, result.shape[d] as i64 - 1, result.rank());
    let results = (0..result.rank())
        .map(|d| if reversed.contains(&(d as i64)) { backwards(d) } else { dim(d, result.rank()) })
        .collect();
    let operand = site.operand(0);
    Ok(vec![gather_copy(site, operand, &result, results)])
}

/// A new tensor whose element at a point is the operand's element where `results` say.
fn gather_copy(site: &mut Site, operand: ValueId, tensor: &Tensor, results: Vec<LinearExpr>) -> ValueId {
    let map = AffineMap { dim_count: tensor.rank(), results };
    site.generate(tensor, vec![(operand, map)], body::identity(tensor.dtype))
}

/// `reshape`, and casts between types that a device stores in one way: no launch.
pub fn view(site: &mut Site) -> Lowered {
    let ty = site.module.ty(site.module.op(site.op).results[0]).clone();
    let operand = site.operand(0);
    Ok(vec![site.view(operand, ty)])
}

/// `concatenate`: each operand is copied into its part of one tensor.
pub fn concatenate(site: &mut Site) -> Lowered {
    let dimension = site.int("dimension") as usize;
    let result = site.result(0);
    let mut whole = site.empty(&result);
    let mut offset = 0;
    for operand in site.operands() {
        let part = site.tensor(operand);
        let extent = part.shape[dimension] as i64;
        if !part.is_empty() {
            let mut map = identity(part.rank());
            map.results[dimension].constant = offset;
            whole = scatter_copy(site, operand, &part, identity(part.rank()), whole, map);
        }
        offset += extent;
    }
    Ok(vec![whole])
}

/// Copies over an iteration space of the extents of `space`, into a tensor that keeps its other elements.
fn scatter_copy(
    site: &mut Site,
    operand: ValueId,
    space: &Tensor,
    from: AffineMap,
    whole: ValueId,
    to: AffineMap,
) -> ValueId {
    site.nest(NestParts {
        extents: space.shape.clone(),
        reduction_dims: 0,
        inputs: vec![(operand, from)],
        outputs: vec![(whole, to)],
        map: body::identity(space.dtype),
        combine: None,
    })[0]
}

/// Padding of one dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Padding {
    /// Elements before the first; negative removes.
    pub low: i64,
    /// Elements after the last; negative removes.
    pub high: i64,
    /// Elements between two.
    pub interior: i64,
}

impl Padding {
    /// No padding.
    pub const NONE: Padding = Padding { low: 0, high: 0, interior: 0 };

    /// Extent of a padded dimension; none if it is out of range.
    pub fn extent(self, extent: u64) -> Option<u64> {
        let gaps = i64::try_from(extent).ok()?.saturating_sub(1).max(0);
        let inner = gaps.checked_mul(self.interior)?.checked_add(extent as i64)?;
        u64::try_from(inner.checked_add(self.low)?.checked_add(self.high)?).ok()
    }
}

/// `pad`
pub fn pad(site: &mut Site) -> Lowered {
    let low = site.int_list("edge_padding_low");
    let high = site.int_list("edge_padding_high");
    let interior = site.int_list("interior_padding");
    let paddings: Vec<Padding> = low
        .iter()
        .zip(&high)
        .zip(&interior)
        .map(|((low, high), interior)| Padding { low: *low, high: *high, interior: *interior })
        .collect();
    let (operand, value) = (site.operand(0), site.operand(1));
    let result = site.result(0);
    Ok(vec![padded(site, operand, value, &paddings, &result)])
}

/// The operand with `value` around and between its elements: a fill and a copy.
pub fn padded(site: &mut Site, operand: ValueId, value: ValueId, paddings: &[Padding], result: &Tensor) -> ValueId {
    let source = site.tensor(operand);
    let rank = source.rank();
    let mut space = Tensor { dtype: source.dtype, shape: Vec::with_capacity(rank) };
    let (mut from, mut to) = (Vec::with_capacity(rank), Vec::with_capacity(rank));
    for (d, padding) in paddings.iter().enumerate() {
        let kept = kept_elements(*padding, source.shape[d], result.shape[d]);
        space.shape.push(kept.count);
        from.push(strided(d, 1, kept.first, rank));
        to.push(strided(d, kept.step, kept.position, rank));
    }
    let from = AffineMap { dim_count: rank, results: from };
    let to = AffineMap { dim_count: rank, results: to };
    let is_covered = space.shape == result.shape;
    let whole = if is_covered { site.empty(result) } else { fill(site, value, result) };
    if space.is_empty() {
        return whole;
    }
    scatter_copy(site, operand, &space, from, whole, to)
}

/// Which elements of a padded dimension are in the result.
struct Kept {
    count: u64,
    first: i64,
    /// Where the first of them is in the result, and how far the next.
    position: i64,
    step: i64,
}

/// Works in 128 bits: extents are small, but paddings may be any numbers that cancel out.
fn kept_elements(padding: Padding, extent: u64, result_extent: u64) -> Kept {
    let (low, step) = (i128::from(padding.low), i128::from(padding.interior) + 1);
    let rounded_up = |number: i128| (number + step - 1) / step;
    let first = if low < 0 { rounded_up(-low) } else { 0 };
    let position = low + first * step;
    let room = i128::from(result_extent) - position;
    let fitting = if room > 0 { rounded_up(room) } else { 0 };
    let count = fitting.min(i128::from(extent) - first).max(0);
    if count == 0 {
        return Kept { count: 0, first: 0, position: 0, step: 1 };
    }
    let step = if count == 1 { 1 } else { step };
    let [first, position, step] = [first, position, step].map(|number| number as i64);
    Kept { count: count as u64, first, position, step }
}

/// A tensor that holds one element everywhere.
pub fn fill(site: &mut Site, value: ValueId, tensor: &Tensor) -> ValueId {
    if let Some(bits) = site.constant_elements(value).and_then(|elements| literal::splat_bits(&elements)) {
        return site.generate(tensor, Vec::new(), body::constant(tensor.dtype, bits));
    }
    site.generate(tensor, vec![(value, to_scalar(tensor.rank()))], body::identity(tensor.dtype))
}

/// `bitcast_convert`: a view where both types fill their bytes, else a nest.
pub fn bitcast(site: &mut Site) -> Lowered {
    let (from, to) = (site.tensor(site.operand(0)), site.result(0));
    let fills_bytes = |tensor: &Tensor| tensor.dtype.bits() as usize == 8 * tensor.dtype.size_bytes();
    if from.dtype == to.dtype || (fills_bytes(&from) && fills_bytes(&to)) {
        return view(site);
    }
    if from.dtype.bits() == to.dtype.bits() {
        let value = super::elementwise::elementwise(site);
        return Ok(vec![value.expect("types of equally many bits should be each other's bits")]);
    }
    super::packing::bitcast(site, &from, &to)
}
