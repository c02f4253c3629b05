//! Operators that move elements: views, slices, joins, and how a store into a view changes the whole.

use super::{
    call::{Arg, Call, wrap_dim},
    promote::materialize,
    table::Values,
};
use crate::{
    ir::{ElementType, Opcode, ValueId, enums::ComparisonDirection},
    passes::emit::{Emit, Number, Out, Refusal},
};

/// The operand itself (`alias`, `detach`, `contiguous`, …) in the result's element type (`to`, `_to_copy`).
pub fn same(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    Ok(vec![e.convert(x, &call.element(0)?)?])
}

/// An operator that may train: the identity when it does not.
pub fn dropout(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "input")?;
    let p = call.float(1, "p", 0.5)?;
    if !call.flag(2, "train", false)? || p == 0.0 {
        return Ok(vec![x]);
    }
    if call.target.as_ref() != "aten.dropout.default" {
        return Err(Refusal::from("in training it is not supported: export the model in eval mode"));
    }
    Ok(vec![super::random::dropped(e, x, p)?.0])
}

/// `view`, `unsqueeze`, `squeeze`, `flatten`, …: the result's type says which shape.
pub fn reshape(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    Ok(vec![e.reshape(x, &call.shape(0)?)?])
}

/// `view.dtype`: the same bits.
pub fn view_dtype(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let (from, to) = (e.element(x)?, call.element(0)?);
    if from.dtype().map(|dtype| dtype.bits()) != to.dtype().map(|dtype| dtype.bits()) {
        return Err(Refusal::from("the element types have different widths"));
    }
    let ty = crate::passes::emit::tensor_type(&e.shape(x)?, &to);
    Ok(vec![e.op(Opcode::StablehloBitcastConvert, &[x], ty, &[])])
}

/// `expand`.
pub fn expand(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    Ok(vec![e.broadcast(x, &call.shape(0)?)?])
}

/// `copy(self, src)`: the source in the type of the first operand.
pub fn copy(e: &mut Emit, call: &Call) -> Values {
    Ok(vec![materialize(e, call.operand(1, "src")?, &call.element(0)?, &call.shape(0)?)?])
}

/// The permutation of `permute`, `transpose`, `t`, `movedim`, `swapaxes`.
fn permutation(call: &Call, rank: usize) -> Result<Vec<i64>, Refusal> {
    let mut order: Vec<i64> = (0..rank as i64).collect();
    let name = call.target.split('.').nth(1).unwrap_or_default();
    match name {
        "t" | "numpy_T" | "mT" if rank < 2 => {}
        "t" | "mT" | "adjoint" => order.swap(rank - 1, rank.saturating_sub(2)),
        "numpy_T" => order.reverse(),
        "movedim" | "moveaxis" => return moved(call, rank),
        "transpose" | "swapaxes" | "swapdims" | "transpose_copy" if rank > 0 => {
            let (a, b) = (call.dim(1, "dim0", 0, rank)?, call.dim(2, "dim1", 0, rank)?);
            order.swap(a, b);
        }
        "permute" | "permute_copy" => {
            let dims = call.ints(1, "dims")?;
            return dims.into_iter().map(|dim| Ok(wrap_dim(dim, rank)? as i64)).collect();
        }
        _ => {}
    }
    Ok(order)
}

fn moved(call: &Call, rank: usize) -> Result<Vec<i64>, Refusal> {
    let wrap = |dims: Vec<i64>| dims.into_iter().map(|dim| wrap_dim(dim, rank)).collect::<Result<Vec<_>, _>>();
    let (from, to) = (wrap(call.ints(1, "source")?)?, wrap(call.ints(2, "destination")?)?);
    let mut order = vec![None; rank];
    for (from, to) in from.iter().zip(&to) {
        if let Some(place) = order.get_mut(*to) {
            *place = Some(*from as i64);
        }
    }
    let mut rest = (0..rank as i64).filter(|dim| !from.contains(&(*dim as usize)));
    order
        .into_iter()
        .map(|dim| dim.or_else(|| rest.next()).ok_or_else(|| Refusal::from("a dimension is moved twice")))
        .collect()
}

/// `permute`, `transpose`, `t`, `movedim`, ….
pub fn permute(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let order = permutation(call, e.rank(x)?)?;
    Ok(vec![e.transpose(x, &order)?])
}

/// Start, limit and step of `slice(x, dim, start, end, step)` on a dimension of that extent.
fn slice_bounds(call: &Call, first: usize, extent: i64) -> Result<(i64, i64, i64), Refusal> {
    let wrap = |at: i64| if at < 0 { at.saturating_add(extent) } else { at }.clamp(0, extent);
    let start = wrap(call.int(first, "start", 0)?);
    let limit = wrap(call.int(first + 1, "end", i64::MAX)?).max(start);
    let step = call.int(first + 2, "step", 1)?;
    if step < 1 {
        return Err(Refusal(format!("a step of {step} is not above 0")));
    }
    Ok((start, limit, step))
}

/// `slice(x, dim, start, end, step)`. A start that is computed works where the result's extent is known.
pub fn slice(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let shape = e.shape(x)?;
    let dim = call.dim(1, "dim", 0, shape.len())?;
    if shape.is_empty() {
        return Err(Refusal::from("a tensor of no dimensions has no slice"));
    }
    if let Arg::Symbolic(start) = call.arg(2, "start") {
        return Ok(vec![slice_from(e, x, dim, *start, call.shape(0)?[dim])?]);
    }
    let limited = matches!(call.arg(3, "end"), Arg::Symbolic(_));
    let (start, limit, step) = if limited {
        let (start, extent) = (call.int(2, "start", 0)?, call.shape(0)?[dim]);
        (start, start.saturating_add(extent), 1)
    } else {
        slice_bounds(call, 2, shape[dim])?
    };
    Ok(vec![e.slice_dim(x, dim, start, limit, step)?])
}

/// `extent` elements of a dimension from a computed start; negative ones count from the end.
pub fn slice_from(e: &mut Emit, x: ValueId, dim: usize, start: ValueId, extent: i64) -> Out {
    let mut sizes = e.shape(x)?;
    let whole = *sizes.get(dim).ok_or_else(|| Refusal(format!("there is no dimension {dim}")))?;
    let start = wrap_index(e, start, whole)?;
    let zero = e.scalar(Number::Int(0), &ElementType::I64)?;
    let mut operands = vec![x];
    operands.extend((0..sizes.len()).map(|at| if at == dim { start } else { zero }));
    sizes[dim] = extent;
    let ty = crate::passes::emit::tensor_type(&sizes, &e.element(x)?);
    let attrs = [("slice_sizes", crate::ir::Attribute::i64_array(sizes))];
    Ok(e.op(Opcode::StablehloDynamicSlice, &operands, ty, &attrs))
}

/// Indices in i64, negative ones counted from the end.
pub fn wrap_index(e: &mut Emit, index: ValueId, extent: i64) -> Out {
    let index = e.convert(index, &ElementType::I64)?;
    let negative = e.compare_number(ComparisonDirection::Lt, index, Number::Int(0))?;
    let moved = e.binary_number(Opcode::StablehloAdd, index, Number::Int(extent))?;
    e.select(negative, moved, index)
}

/// `select(x, dim, index)`.
pub fn select(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let shape = e.shape(x)?;
    let dim = call.dim(1, "dim", 0, shape.len())?;
    let part = match call.arg(2, "index") {
        Arg::Symbolic(index) => slice_from(e, x, dim, *index, 1)?,
        _ => {
            let at = wrap_dim(call.int(2, "index", 0)?, *shape.get(dim).unwrap_or(&0) as usize)?;
            e.slice_dim(x, dim, at as i64, at as i64 + 1, 1)?
        }
    };
    Ok(vec![e.reshape(part, &call.shape(0)?)?])
}

/// `narrow(x, dim, start, length)`.
pub fn narrow(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let shape = e.shape(x)?;
    let dim = call.dim(1, "dim", 0, shape.len())?;
    let length = *call.shape(0)?.get(dim).ok_or_else(|| Refusal::from("its result has too few dimensions"))?;
    if let Arg::Symbolic(start) | Arg::Tensor(start, _) = call.arg(2, "start") {
        let start = e.reshape(*start, &[])?;
        return Ok(vec![slice_from(e, x, dim, start, length)?]);
    }
    let start = call.int(2, "start", 0)?;
    let extent = *shape.get(dim).ok_or_else(|| Refusal::from("its operand has no dimension"))?;
    let start = if start < 0 { start.saturating_add(extent) } else { start };
    Ok(vec![e.slice_dim(x, dim, start, start.saturating_add(length), 1)?])
}

/// `split`, `split_with_sizes`, `chunk`, `tensor_split`, `unbind`: the results' shapes say where the cuts are.
pub fn split(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let (dim, mut at) = (split_dim(call, e.rank(x)?)?, 0);
    let mut parts = Vec::new();
    for index in 0..call.results.len() {
        let shape = call.shape(index)?;
        let extent = part_extent(call, &shape, dim)?;
        let part = e.slice_dim(x, dim, at, at + extent, 1)?;
        parts.push(e.reshape(part, &shape)?);
        at += extent;
    }
    Ok(parts)
}

fn is_unbind(call: &Call) -> bool {
    call.target.starts_with("aten.unbind")
}

fn split_dim(call: &Call, rank: usize) -> Result<usize, Refusal> {
    call.dim(if is_unbind(call) { 1 } else { 2 }, "dim", 0, rank)
}

fn part_extent(call: &Call, shape: &[i64], dim: usize) -> Result<i64, Refusal> {
    if is_unbind(call) {
        return Ok(1);
    }
    shape.get(dim).copied().ok_or_else(|| Refusal::from("a part has too few dimensions"))
}

/// `cat`, in the type where the tensors meet. Empty tensors of one dimension are left out, as PyTorch does.
pub fn cat(e: &mut Emit, call: &Call) -> Values {
    let element = call.element(0)?;
    let rank = call.shape(0)?.len();
    let mut values = Vec::new();
    for value in call.tensors(0, "tensors")? {
        if rank == 1 || e.shape(value)? != [0] {
            values.push(e.convert(value, &element)?);
        }
    }
    if values.is_empty() {
        return Ok(vec![call.zeros(e, 0)?]);
    }
    Ok(vec![e.concatenate(&values, call.dim(1, "dim", 0, rank)?)?])
}

/// `stack`.
pub fn stack(e: &mut Emit, call: &Call) -> Values {
    let shape = call.shape(0)?;
    let dim = call.dim(1, "dim", 0, shape.len())?;
    let mut part = shape.clone();
    *part.get_mut(dim).ok_or_else(|| Refusal::from("its result has no dimension"))? = 1;
    let mut values = Vec::new();
    for value in call.tensors(0, "tensors")? {
        let value = e.convert(value, &call.element(0)?)?;
        values.push(e.reshape(value, &part)?);
    }
    Ok(vec![e.concatenate(&values, dim)?])
}

/// `slice_scatter(x, part, dim, start, end, step)`.
pub fn slice_scatter(e: &mut Emit, call: &Call) -> Values {
    let (whole, part) = (call.tensor(0, "self")?, call.tensor(1, "src")?);
    let shape = e.shape(whole)?;
    let dim = call.dim(2, "dim", 0, shape.len())?;
    if let Arg::Symbolic(start) = call.arg(3, "start") {
        return Ok(vec![store_at(e, whole, part, dim, *start)?]);
    }
    let bounds = slice_bounds(call, 3, *shape.get(dim).unwrap_or(&0))?;
    Ok(vec![store_slice(e, whole, part, dim, bounds)?])
}

/// `select_scatter(x, part, dim, index)`.
pub fn select_scatter(e: &mut Emit, call: &Call) -> Values {
    let (whole, part) = (call.tensor(0, "self")?, call.tensor(1, "src")?);
    let shape = e.shape(whole)?;
    let dim = call.dim(2, "dim", 0, shape.len())?;
    let mut row = shape.clone();
    *row.get_mut(dim).ok_or_else(|| Refusal::from("its operand has no dimension"))? = 1;
    let part = e.reshape(part, &row)?;
    if let Arg::Symbolic(index) = call.arg(3, "index") {
        return Ok(vec![store_at(e, whole, part, dim, *index)?]);
    }
    let at = wrap_dim(call.int(3, "index", 0)?, shape[dim] as usize)? as i64;
    Ok(vec![store_slice(e, whole, part, dim, (at, at + 1, 1))?])
}

/// The whole with a part at a computed place of a dimension.
fn store_at(e: &mut Emit, whole: ValueId, part: ValueId, dim: usize, start: ValueId) -> Out {
    let extent = e.shape(whole)?.get(dim).copied().unwrap_or(0);
    let start = wrap_index(e, start, extent)?;
    update(e, whole, part, dim, start)
}

/// The whole with a part from `start` to `limit` of a dimension, every `step` elements.
fn store_slice(e: &mut Emit, whole: ValueId, part: ValueId, dim: usize, bounds: (i64, i64, i64)) -> Out {
    let (start, limit, step) = bounds;
    let part = e.convert(part, &e.element(whole)?)?;
    let shape = e.shape(whole)?;
    let mut part_shape = shape.clone();
    let extent = part_shape.get_mut(dim).ok_or_else(|| Refusal(format!("there is no dimension {dim}")))?;
    *extent = (limit - start) / step + i64::from((limit - start) % step != 0);
    let part = e.broadcast(part, &part_shape)?;
    if part_shape == shape {
        return Ok(part);
    }
    if part_shape[dim] == 0 {
        return Ok(whole);
    }
    if step == 1 {
        let start = e.scalar(Number::Int(start), &ElementType::I64)?;
        return update(e, whole, part, dim, start);
    }
    let positions: Vec<i64> = (0..part_shape[dim]).map(|at| start + at * step).collect();
    super::index::put_dim(e, whole, dim, &positions, part)
}

fn update(e: &mut Emit, whole: ValueId, part: ValueId, dim: usize, start: ValueId) -> Out {
    let zero = e.scalar(Number::Int(0), &ElementType::I64)?;
    let mut operands = vec![whole, part];
    operands.extend((0..e.rank(whole)?).map(|at| if at == dim { start } else { zero }));
    let ty = e.module.ty(whole).clone();
    Ok(e.op(Opcode::StablehloDynamicUpdateSlice, &operands, ty, &[]))
}

// --- Stores into views: the new whole from the old one and the new contents of result `index`.

/// Of a view that is all of the tensor.
pub fn replace_same(_: &mut Emit, _: &Call, _: ValueId, _: usize, part: ValueId) -> Out {
    Ok(part)
}

/// Of a reshaped view.
pub fn replace_reshaped(e: &mut Emit, _: &Call, whole: ValueId, _: usize, part: ValueId) -> Out {
    let shape = e.shape(whole)?;
    e.reshape(part, &shape)
}

/// Of a permuted view.
pub fn replace_permuted(e: &mut Emit, call: &Call, whole: ValueId, _: usize, part: ValueId) -> Out {
    let order = permutation(call, e.rank(whole)?)?;
    let mut inverse = vec![0; order.len()];
    for (at, dim) in order.iter().enumerate() {
        inverse[*dim as usize] = at as i64;
    }
    e.transpose(part, &inverse)
}

/// Of a slice.
pub fn replace_slice(e: &mut Emit, call: &Call, whole: ValueId, _: usize, part: ValueId) -> Out {
    let shape = e.shape(whole)?;
    let dim = call.dim(1, "dim", 0, shape.len())?;
    if let Arg::Symbolic(start) = call.arg(2, "start") {
        return store_at(e, whole, part, dim, *start);
    }
    if call.target.starts_with("aten.narrow") {
        let start = call.int(2, "start", 0)?;
        let start = if start < 0 { start.saturating_add(shape[dim]) } else { start };
        let extent = e.shape(part)?[dim];
        return store_slice(e, whole, part, dim, (start, start + extent, 1));
    }
    if matches!(call.arg(3, "end"), Arg::Symbolic(_)) {
        let (start, extent) = (call.int(2, "start", 0)?, e.shape(part)?[dim]);
        return store_slice(e, whole, part, dim, (start, start + extent, 1));
    }
    let bounds = slice_bounds(call, 2, *shape.get(dim).unwrap_or(&0))?;
    store_slice(e, whole, part, dim, bounds)
}

/// Of a row.
pub fn replace_selected(e: &mut Emit, call: &Call, whole: ValueId, _: usize, part: ValueId) -> Out {
    let shape = e.shape(whole)?;
    let dim = call.dim(1, "dim", 0, shape.len())?;
    let mut row = shape.clone();
    row[dim] = 1;
    let part = e.reshape(part, &row)?;
    if let Arg::Symbolic(index) = call.arg(2, "index") {
        return store_at(e, whole, part, dim, *index);
    }
    let at = wrap_dim(call.int(2, "index", 0)?, shape[dim] as usize)? as i64;
    store_slice(e, whole, part, dim, (at, at + 1, 1))
}

/// Of one part of a split.
pub fn replace_part(e: &mut Emit, call: &Call, whole: ValueId, index: usize, part: ValueId) -> Out {
    let rank = e.rank(whole)?;
    let dim = split_dim(call, rank)?;
    let mut at = 0;
    for earlier in 0..index {
        at += part_extent(call, &call.shape(earlier)?, dim)?;
    }
    let extent = part_extent(call, &call.shape(index)?, dim)?;
    let mut shape = e.shape(whole)?;
    shape[dim] = extent;
    let part = e.reshape(part, &shape)?;
    store_slice(e, whole, part, dim, (at, at + extent, 1))
}

/// Of an expanded view: only where nothing is repeated.
pub fn replace_expanded(e: &mut Emit, call: &Call, whole: ValueId, index: usize, part: ValueId) -> Out {
    if e.shape(whole)?.iter().product::<i64>() == e.shape(part)?.iter().product::<i64>() {
        return replace_reshaped(e, call, whole, index, part);
    }
    Err(Refusal::from("it is stored into, and elements that are repeated can't be: clone it first"))
}

/// Of a view whose place in the whole is not followed.
pub fn replace_unknown(_: &mut Emit, _: &Call, _: ValueId, _: usize, _: ValueId) -> Out {
    Err(Refusal::from("it is stored into, and stores through this view are not followed: clone it first"))
}
