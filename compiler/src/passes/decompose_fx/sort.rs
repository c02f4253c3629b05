//! Orders. NaN is larger than any number, as PyTorch has it; equal elements keep their order.

use super::{call::Call, promote::category, table::Values};
use crate::{
    ir::{Attribute, ElementType, Opcode, ValueId, enums::ComparisonDirection},
    passes::emit::{Emit, Out, Refusal, tensor_type},
};

/// Sorted values of a dimension and where they were.
pub fn sorted(e: &mut Emit, x: ValueId, dim: usize, descending: bool) -> Result<(ValueId, ValueId), Refusal> {
    let (shape, element) = (e.shape(x)?, e.element(x)?);
    if shape.is_empty() {
        let zero = e.scalar(crate::passes::emit::Number::Int(0), &ElementType::I64)?;
        return Ok((x, zero));
    }
    let positions = e.iota(&shape, &ElementType::I64, dim);
    let (value, place) = (tensor_type(&[], &element), tensor_type(&[], &ElementType::I64));
    let arguments = [value.clone(), value, place.clone(), place];
    let region = e.region(&arguments, &mut |e, args| Ok(vec![comes_first(e, args[0], args[1], descending)?]))?;
    let types = vec![tensor_type(&shape, &element), tensor_type(&shape, &ElementType::I64)];
    let attrs = [("dimension", Attribute::i64(dim as i64)), ("is_stable", Attribute::Bool(true))];
    let results = e.op_with_regions(Opcode::StablehloSort, &[x, positions], types, &attrs, &[region]);
    Ok((results[0], results[1]))
}

fn comes_first(e: &mut Emit, a: ValueId, b: ValueId, descending: bool) -> Out {
    let (small, large) = if descending { (b, a) } else { (a, b) };
    let less = e.compare(ComparisonDirection::Lt, small, large)?;
    if category(&e.element(a)?) != 2 {
        return Ok(less);
    }
    let (small_is_nan, large_is_nan) = (e.is_nan(small)?, e.is_nan(large)?);
    let small_is_number = e.unary(Opcode::StablehloNot, small_is_nan);
    let by_nan = e.binary(Opcode::StablehloAnd, large_is_nan, small_is_number)?;
    e.binary(Opcode::StablehloOr, less, by_nan)
}

/// `sort(x, dim, descending)` and `sort.stable(x, stable, dim, descending)`.
pub fn sort(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let first = if call.target.ends_with(".stable") { (usize::MAX, usize::MAX) } else { (1, 2) };
    let dim = call.dim(first.0, "dim", -1, e.rank(x)?)?;
    let (values, places) = sorted(e, x, dim, call.flag(first.1, "descending", false)?)?;
    Ok(vec![values, places])
}

/// `argsort`.
pub fn argsort(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let first = if call.target.ends_with(".stable") { (usize::MAX, usize::MAX) } else { (1, 2) };
    let dim = call.dim(first.0, "dim", -1, e.rank(x)?)?;
    Ok(vec![sorted(e, x, dim, call.flag(first.1, "descending", false)?)?.1])
}

/// `topk(x, k, dim, largest, sorted)`.
pub fn topk(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let rank = e.rank(x)?;
    let dim = call.dim(2, "dim", -1, rank)?;
    if rank == 0 {
        let (values, places) = sorted(e, x, 0, true)?;
        return Ok(vec![values, places]);
    }
    top(e, x, dim, call.int(1, "k", 1)?, call.flag(3, "largest", true)?).map(|(values, places)| vec![values, places])
}

/// The first `count` of a sorted dimension.
pub fn top(e: &mut Emit, x: ValueId, dim: usize, count: i64, largest: bool) -> Result<(ValueId, ValueId), Refusal> {
    let (values, places) = sorted(e, x, dim, largest)?;
    Ok((e.slice_dim(values, dim, 0, count, 1)?, e.slice_dim(places, dim, 0, count, 1)?))
}

/// `kthvalue(x, k, dim)` and `median.dim`, `median`: one of a sorted dimension.
pub fn kth_value(e: &mut Emit, call: &Call) -> Values {
    let mut x = call.tensor(0, "self")?;
    let is_median = call.target.starts_with("aten.median");
    let is_flat = call.target.as_ref() == "aten.median.default";
    if is_flat || e.rank(x)? == 0 {
        let count = e.shape(x)?.iter().product();
        x = e.reshape(x, &[count])?;
    }
    let rank = e.rank(x)?;
    let dim = match (is_flat, is_median) {
        (true, _) => 0,
        (false, true) => call.dim(1, "dim", -1, rank)?,
        (false, false) => call.dim(2, "dim", -1, rank)?,
    };
    let extent = e.shape(x)?[dim];
    let at = if is_median { (extent - 1) / 2 } else { call.int(1, "k", 1)?.saturating_sub(1) };
    let (values, places) = sorted(e, x, dim, false)?;
    let mut results = Vec::new();
    for (index, value) in [values, places].into_iter().enumerate().take(call.results.len()) {
        let one = e.slice_dim(value, dim, at, at + 1, 1)?;
        results.push(e.reshape(one, &call.shape(index)?)?);
    }
    Ok(results)
}

/// `msort(x)`: along the first dimension.
pub fn msort(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    Ok(vec![sorted(e, x, 0, false)?.0])
}
