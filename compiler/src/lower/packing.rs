//! `bitcast_convert` with elements of 1, 2 and 4 bits, which lie unpacked in bytes: shifts instead of a view.

use pygraph_artifact::{dtype::DType, scalar::ScalarOp};

use super::{
    Lowered,
    body::{self, BodyBuilder, Register},
    site::{NestParts, Site, Tensor, dim, identity},
};
use crate::ir::attribute::AffineMap;

/// Between types of different widths, the wider one a multiple of the narrower.
pub fn bitcast(site: &mut Site, from: &Tensor, to: &Tensor) -> Lowered {
    let wide = from.dtype.bits().max(to.dtype.bits());
    let (Some(wide_word), Some(narrow_word)) = (unsigned(wide), unsigned(from.dtype.bits().min(to.dtype.bits())))
    else {
        return Err(format!("bits of {} as {} do not run yet", from.dtype, to.dtype).into());
    };
    if from.dtype.bits() == wide {
        split(site, to, wide_word, narrow_word)
    } else {
        join(site, from, to, wide_word, narrow_word)
    }
}

/// One element becomes a row of narrower ones, the lowest bits first.
fn split(site: &mut Site, to: &Tensor, wide: DType, narrow: DType) -> Lowered {
    let (operand, rank) = (site.operand(0), to.rank());
    let dtype = site.tensor(operand).dtype;
    let mut body = BodyBuilder::new(&[dtype]);
    let word = body.op(ScalarOp::Bitcast, wide, &[body.input(0)]);
    let distance = bit_distance(&mut body, rank - 1, to.dtype.bits(), wide);
    let shifted = body.binary(ScalarOp::ShrLogical, word, distance);
    let part = if to.dtype == DType::I1 {
        let one = body.number(wide, 1.0);
        let bit = body.binary(ScalarOp::And, shifted, one);
        body.convert(bit, DType::I1)
    } else {
        let part = body.convert(shifted, narrow);
        body.op(ScalarOp::Bitcast, to.dtype, &[part])
    };
    let map = AffineMap { dim_count: rank, results: (0..rank - 1).map(|d| dim(d, rank)).collect() };
    Ok(vec![site.generate(to, vec![(operand, map)], body.finish(&[part]))])
}

/// A row of elements becomes one, the first in the lowest bits.
fn join(site: &mut Site, from: &Tensor, to: &Tensor, wide: DType, narrow: DType) -> Lowered {
    let (operand, rank) = (site.operand(0), from.rank());
    let word = Tensor { dtype: wide, shape: to.shape.clone() };
    let mut body = BodyBuilder::new(&[from.dtype]);
    let part =
        if from.dtype == DType::I1 { body.input(0) } else { body.op(ScalarOp::Bitcast, narrow, &[body.input(0)]) };
    let part = body.convert(part, wide);
    let distance = bit_distance(&mut body, rank - 1, from.dtype.bits(), wide);
    let part = body.binary(ScalarOp::Shl, part, distance);
    let map = body.finish(&[part]);
    let mut combine = BodyBuilder::new(&[wide, wide]);
    let joined = combine.binary(ScalarOp::Or, combine.input(0), combine.input(1));

    let zeros = site.generate(&word, Vec::new(), body::constant(wide, 0));
    let kept = AffineMap { dim_count: rank, results: (0..rank - 1).map(|d| dim(d, rank)).collect() };
    let words = site.nest(NestParts {
        extents: from.shape.clone(),
        reduction_dims: 1,
        inputs: vec![(operand, identity(rank))],
        outputs: vec![(zeros, kept)],
        map,
        combine: Some(combine.finish(&[joined])),
    })[0];
    if wide == to.dtype {
        return Ok(vec![words]);
    }
    let mut body = BodyBuilder::new(&[wide]);
    let value = body.op(ScalarOp::Bitcast, to.dtype, &[body.input(0)]);
    Ok(vec![site.generate(to, vec![(words, identity(to.rank()))], body.finish(&[value]))])
}

fn bit_distance(body: &mut BodyBuilder, dimension: usize, bits: u32, word: DType) -> Register {
    let index = body.index(dimension);
    let index = body.convert(index, word);
    let bits = body.number(word, f64::from(bits));
    body.binary(ScalarOp::Mul, index, bits)
}

/// The type whose bits are shifted; a truth value is its own.
fn unsigned(bits: u32) -> Option<DType> {
    Some(match bits {
        1 => DType::I1,
        2 => DType::U2,
        4 => DType::U4,
        8 => DType::U8,
        16 => DType::U16,
        32 => DType::U32,
        64 => DType::U64,
        _ => return None,
    })
}
