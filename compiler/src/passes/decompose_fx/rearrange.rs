//! Operators that repeat, turn and rearrange elements: no views, always new tensors.

use super::{
    call::{Call, wrap_dim},
    promote::join_shapes,
    table::Values,
};
use crate::{
    ir::{ElementType, Opcode, ValueId, enums::ComparisonDirection},
    passes::emit::{Emit, Number, Out, Refusal},
};

/// `repeat(x, repeats)` and `tile`.
pub fn repeat(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let (own, shape) = (e.shape(x)?, call.shape(0)?);
    let missing =
        shape.len().checked_sub(own.len()).ok_or_else(|| Refusal::from("its result has too few dimensions"))?;
    let mut wide = Vec::new();
    let mut dims = Vec::new();
    for (at, extent) in shape.iter().enumerate() {
        let part = at.checked_sub(missing).map_or(1, |at| own[at]);
        wide.push(if part == 0 { 0 } else { extent / part });
        if at >= missing {
            dims.push(wide.len() as i64);
        }
        wide.push(part);
    }
    let wide = e.broadcast_in_dim(x, &wide, &dims)?;
    Ok(vec![e.reshape(wide, &shape)?])
}

/// `repeat_interleave(x, n, dim)` with a number.
pub fn repeat_interleave(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let count = call.int(1, "repeats", 1)?;
    let (x, dim) = if call.has(2, "dim") {
        (x, call.dim(2, "dim", 0, e.rank(x)?)?)
    } else {
        let flat = e.shape(x)?.iter().product();
        (e.reshape(x, &[flat])?, 0)
    };
    let rows = repeat_rows(e, x, dim, count)?;
    Ok(vec![e.reshape(rows, &call.shape(0)?)?])
}

/// Every row of a dimension so many times, one after the other.
pub fn repeat_rows(e: &mut Emit, x: ValueId, dim: usize, count: i64) -> Out {
    let mut shape = e.shape(x)?;
    if dim >= shape.len() || count < 0 {
        return Err(Refusal(format!("no dimension {dim} can be repeated {count} times")));
    }
    let dims: Vec<i64> = (0..shape.len()).map(|at| (at + usize::from(at > dim)) as i64).collect();
    let mut wide = shape.clone();
    wide.insert(dim + 1, count);
    let wide = e.broadcast_in_dim(x, &wide, &dims)?;
    shape[dim] = shape[dim].saturating_mul(count);
    e.reshape(wide, &shape)
}

/// `flip(x, dims)`.
pub fn flip(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let rank = e.rank(x)?;
    let dims = call.ints(1, "dims")?.into_iter().map(|dim| Ok(wrap_dim(dim, rank)? as i64));
    let mut dims = dims.collect::<Result<Vec<_>, Refusal>>()?;
    dims.retain(|_| rank > 0);
    Ok(vec![e.reverse(x, &dims)])
}

/// `roll(x, shifts, dims)`.
pub fn roll(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let shape = e.shape(x)?;
    let (shifts, dims) = (call.ints(1, "shifts")?, call.ints(2, "dims")?);
    if dims.is_empty() {
        let flat = e.reshape(x, &[shape.iter().product()])?;
        let rolled = roll_dim(e, flat, 0, shifts.first().copied().unwrap_or(0))?;
        return Ok(vec![e.reshape(rolled, &shape)?]);
    }
    let mut value = x;
    for (shift, dim) in shifts.iter().zip(&dims) {
        value = roll_dim(e, value, wrap_dim(*dim, shape.len())?, *shift)?;
    }
    Ok(vec![value])
}

fn roll_dim(e: &mut Emit, x: ValueId, dim: usize, shift: i64) -> Out {
    let extent = e.shape(x)?.get(dim).copied().unwrap_or(0);
    if extent == 0 {
        return Ok(x);
    }
    let cut = extent - shift.rem_euclid(extent);
    let (tail, head) = (e.slice_dim(x, dim, cut, extent, 1)?, e.slice_dim(x, dim, 0, cut, 1)?);
    e.concatenate(&[tail, head], dim)
}

/// `tril` and `triu`: zeros where column minus row is on the other side of the diagonal.
pub fn triangle(e: &mut Emit, call: &Call, direction: ComparisonDirection) -> Values {
    let x = call.tensor(0, "self")?;
    let (shape, element) = (e.shape(x)?, e.element(x)?);
    let rank = shape.len();
    if rank < 2 {
        return Err(Refusal::from("its operand is no matrix"));
    }
    let matrix = &shape[rank - 2..];
    let rows = e.iota(matrix, &ElementType::I64, 0);
    let columns = e.iota(matrix, &ElementType::I64, 1);
    let distance = e.sub(columns, rows)?;
    let keep = e.compare_number(direction, distance, Number::Int(call.int(1, "diagonal", 0)?))?;
    let keep = e.broadcast(keep, &shape)?;
    let zeros = e.splat(Number::Int(0), &element, &shape)?;
    Ok(vec![e.select(keep, x, zeros)?])
}

/// `diagonal(x, offset, dim1, dim2)` by a gather of its elements.
pub fn diagonal(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let rank = e.rank(x)?;
    let offset = call.int(1, "offset", 0)?;
    let (dim1, dim2) = (call.dim(2, "dim1", 0, rank)?, call.dim(3, "dim2", 1, rank)?);
    if dim1 == dim2 || rank < 2 {
        return Err(Refusal::from("a diagonal needs two dimensions"));
    }
    let mut order: Vec<i64> = (0..rank as i64).filter(|dim| *dim != dim1 as i64 && *dim != dim2 as i64).collect();
    order.extend([dim1 as i64, dim2 as i64]);
    let x = e.transpose(x, &order)?;
    let shape = e.shape(x)?;
    let columns = shape[rank - 1];
    let length = *call.shape(0)?.last().ok_or_else(|| Refusal::from("its result has no dimension"))?;
    let flat = e.reshape(x, &[&shape[..rank - 2], &[shape[rank - 2] * columns]].concat())?;
    let first = if offset >= 0 { offset } else { -offset * columns };
    let positions: Vec<i64> = (0..length).map(|at| first + at * (columns + 1)).collect();
    Ok(vec![super::index::take(e, flat, rank - 2, &positions)?])
}

/// `unfold(x, dim, size, step)`: windows of a dimension, put last.
pub fn unfold(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let dim = call.dim(1, "dimension", 0, e.rank(x)?)?;
    let (size, step) = (call.int(2, "size", 1)?, call.int(3, "step", 1)?);
    let shape = call.shape(0)?;
    let windows = *shape.get(dim).ok_or_else(|| Refusal::from("its result has too few dimensions"))?;
    let positions: Vec<i64> =
        (0..windows).flat_map(|window| (0..size).map(move |at| window.saturating_mul(step) + at)).collect();
    let taken = super::index::take(e, x, dim, &positions)?;
    let mut split = e.shape(taken)?;
    split[dim] = windows;
    split.insert(dim + 1, size);
    let split = e.reshape(taken, &split)?;
    let rank = shape.len() as i64;
    let mut order: Vec<i64> = (0..rank).filter(|at| *at != dim as i64 + 1).collect();
    order.push(dim as i64 + 1);
    Ok(vec![e.transpose(split, &order)?])
}

/// `pixel_shuffle(x, factor)`.
pub fn pixel_shuffle(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let shape = e.shape(x)?;
    let factor = call.int(1, "upscale_factor", 1)?;
    let [batch @ .., channels, height, width] = shape.as_slice() else {
        return Err(Refusal::from("its operand has fewer than 3 dimensions"));
    };
    if factor < 1 || channels % (factor * factor) != 0 {
        return Err(Refusal(format!("{channels} channels do not divide by {factor} squared")));
    }
    let split = [batch, &[channels / (factor * factor), factor, factor, *height, *width]].concat();
    let split = e.reshape(x, &split)?;
    let b = batch.len() as i64;
    let order: Vec<i64> = (0..b).chain([b, b + 3, b + 1, b + 4, b + 2]).collect();
    let moved = e.transpose(split, &order)?;
    Ok(vec![e.reshape(moved, &call.shape(0)?)?])
}

/// `diff(x, n, dim)`: truth values differ where they are unequal.
pub fn diff(e: &mut Emit, call: &Call) -> Values {
    let mut x = call.tensor(0, "self")?;
    let dim = call.dim(2, "dim", -1, e.rank(x)?)?;
    let mut parts = vec![x];
    for (position, name) in [(3, "prepend"), (4, "append")] {
        if let Some(more) = call.optional_tensor(position, name)? {
            if position == 3 { parts.insert(0, more) } else { parts.push(more) }
        }
    }
    x = e.concatenate(&parts, dim)?;
    for _ in 0..call.int(1, "n", 1)?.clamp(0, 1000) {
        let extent = e.shape(x)?.get(dim).copied().unwrap_or(0);
        if extent == 0 {
            break;
        }
        let (later, earlier) = (e.slice_dim(x, dim, 1, extent, 1)?, e.slice_dim(x, dim, 0, extent - 1, 1)?);
        x = if e.element(x)? == ElementType::BOOL {
            e.binary(Opcode::StablehloXor, later, earlier)?
        } else {
            e.sub(later, earlier)?
        };
    }
    Ok(vec![x])
}

/// `meshgrid(tensors, indexing)`.
pub fn meshgrid(e: &mut Emit, call: &Call) -> Values {
    let tensors = call.tensors(0, "tensors")?;
    let swaps = call.text(1, "indexing") == Some("xy") && tensors.len() > 1;
    let mut results = Vec::new();
    for (at, tensor) in tensors.into_iter().enumerate() {
        let dim = if swaps && at < 2 { 1 - at } else { at };
        let flat = e.shape(tensor)?.iter().product();
        let flat = e.reshape(tensor, &[flat])?;
        results.push(e.broadcast_in_dim(flat, &call.shape(at)?, &[dim as i64])?);
    }
    Ok(results)
}

/// `broadcast_tensors(tensors)`.
pub fn broadcast_tensors(e: &mut Emit, call: &Call) -> Values {
    let tensors = call.tensors(0, "tensors")?;
    let mut shape = Vec::new();
    for tensor in &tensors {
        shape = join_shapes(&shape, &e.shape(*tensor)?)?;
    }
    tensors.into_iter().map(|tensor| e.broadcast(tensor, &shape)).collect()
}

/// `constant_pad_nd(x, pad, value)` and `pad(x, pad, mode, value)`; amounts come in pairs from the last dimension.
pub fn pad(e: &mut Emit, call: &Call) -> Values {
    let general = call.target.starts_with("aten.pad.");
    match if general { call.text(2, "mode") } else { None } {
        None | Some("constant") => {}
        Some(_) => return super::resize::pad_by_index(e, call),
    }
    let x = call.tensor(0, "self")?;
    let (low, high) = pad_amounts(call, e.rank(x)?)?;
    let number = call.optional_number(if general { 3 } else { 2 }, "value")?.unwrap_or(Number::Int(0));
    let value = e.scalar(number, &call.element(0)?)?;
    let interior = vec![0; low.len()];
    Ok(vec![e.pad(x, value, &low, &high, &interior)?])
}

/// Amounts before and after each dimension, from the list that PyTorch starts at the last dimension.
pub fn pad_amounts(call: &Call, rank: usize) -> Result<(Vec<i64>, Vec<i64>), Refusal> {
    let amounts = call.ints(1, "pad")?;
    let (mut low, mut high) = (vec![0; rank], vec![0; rank]);
    for (at, pair) in amounts.chunks(2).enumerate() {
        let (Some(dim), [before, after]) = (rank.checked_sub(at + 1), pair) else {
            return Err(Refusal(format!("{} amounts of padding for {rank} dimensions", amounts.len())));
        };
        (low[dim], high[dim]) = (*before, *after);
    }
    Ok((low, high))
}

/// `pixel_unshuffle(x, factor)`.
pub fn pixel_unshuffle(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let shape = e.shape(x)?;
    let factor = call.int(1, "downscale_factor", 1)?;
    let [batch @ .., channels, height, width] = shape.as_slice() else {
        return Err(Refusal::from("its operand has fewer than 3 dimensions"));
    };
    if factor < 1 || height % factor != 0 || width % factor != 0 {
        return Err(Refusal(format!("{height} by {width} do not divide by {factor}")));
    }
    let split = [batch, &[*channels, height / factor, factor, width / factor, factor]].concat();
    let split = e.reshape(x, &split)?;
    let b = batch.len() as i64;
    let order: Vec<i64> = (0..b).chain([b, b + 2, b + 4, b + 1, b + 3]).collect();
    let moved = e.transpose(split, &order)?;
    Ok(vec![e.reshape(moved, &call.shape(0)?)?])
}

/// `channel_shuffle(x, groups)`.
pub fn channel_shuffle(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let shape = e.shape(x)?;
    let groups = call.int(1, "groups", 1)?;
    let [batch, channels, rest @ ..] = shape.as_slice() else {
        return Err(Refusal::from("its operand has no channels"));
    };
    if groups < 1 || channels % groups != 0 {
        return Err(Refusal(format!("{channels} channels do not divide into {groups} groups")));
    }
    let split = e.reshape(x, &[&[*batch, groups, channels / groups], rest].concat())?;
    let order: Vec<i64> = [0, 2, 1].into_iter().chain(3..3 + rest.len() as i64).collect();
    let moved = e.transpose(split, &order)?;
    Ok(vec![e.reshape(moved, &shape)?])
}

/// `hstack`, `vstack`, `column_stack`: tensors of at least one or two dimensions, joined.
pub fn stack_along(e: &mut Emit, call: &Call) -> Values {
    let rank = call.shape(0)?.len();
    let is_rows = call.target.starts_with("aten.vstack");
    let is_columns = call.target.starts_with("aten.column_stack");
    let mut values = Vec::new();
    for value in call.tensors(0, "tensors")? {
        let value = e.convert(value, &call.element(0)?)?;
        let shape = e.shape(value)?;
        let count: i64 = shape.iter().product();
        values.push(match shape.len() {
            0 | 1 if is_columns => e.reshape(value, &[count, 1])?,
            0 | 1 if is_rows => e.reshape(value, &[1, count])?,
            0 => e.reshape(value, &[1])?,
            _ => value,
        });
    }
    let dim = if is_rows || rank == 1 { 0 } else { 1 };
    Ok(vec![e.concatenate(&values, dim)?])
}

/// `rot90(x, times, dims)`.
pub fn rot90(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let rank = e.rank(x)?;
    let dims = if call.has(2, "dims") { call.ints(2, "dims")? } else { vec![0, 1] };
    let [first, second] = dims[..] else { return Err(Refusal::from("it turns two dimensions")) };
    let (first, second) = (wrap_dim(first, rank)? as i64, wrap_dim(second, rank)? as i64);
    let mut order: Vec<i64> = (0..rank as i64).collect();
    order.swap(first as usize, second as usize);
    Ok(vec![match call.int(1, "k", 1)?.rem_euclid(4) {
        0 => x,
        1 => {
            let turned = e.reverse(x, &[second]);
            e.transpose(turned, &order)?
        }
        2 => e.reverse(x, &[first, second]),
        _ => {
            let turned = e.reverse(x, &[first]);
            e.transpose(turned, &order)?
        }
    }])
}

/// `trace(x)`.
pub fn trace(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let shape = e.shape(x)?;
    let [rows, columns] = shape[..] else { return Err(Refusal::from("its operand is no matrix")) };
    let flat = e.reshape(x, &[rows * columns])?;
    let positions: Vec<i64> = (0..rows.min(columns)).map(|at| at * (columns + 1)).collect();
    let diagonal = super::index::take(e, flat, 0, &positions)?;
    let diagonal = e.convert(diagonal, &call.element(0)?)?;
    Ok(vec![e.fold(Opcode::StablehloAdd, diagonal, Number::Int(0), &[0])?])
}

/// `as_strided(x, size, stride, offset)` of a row-major tensor: a gather of its elements.
pub fn as_strided(e: &mut Emit, call: &Call) -> Values {
    const ELEMENTS_MAX: i64 = 1 << 20;
    let x = call.tensor(0, "self")?;
    let (size, stride) = (call.ints(1, "size")?, call.ints(2, "stride")?);
    let offset = call.int(3, "storage_offset", 0)?;
    let count = crate::passes::emit::count(&size)?;
    let own: i64 = e.shape(x)?.iter().product();
    if size.len() != stride.len() || count > ELEMENTS_MAX {
        return Err(Refusal(format!("a view of shape {size:?} with strides {stride:?} is not supported")));
    }
    let mut positions = vec![offset];
    for (extent, step) in size.iter().zip(&stride) {
        positions = positions.iter().flat_map(|at| (0..*extent).map(move |index| at.saturating_add(index.saturating_mul(*step)))).collect();
    }
    if positions.iter().any(|at| !(0..own).contains(at)) {
        return Err(Refusal::from("it reads outside its operand"));
    }
    let flat = e.reshape(x, &[own])?;
    let taken = super::index::take(e, flat, 0, &positions)?;
    Ok(vec![e.reshape(taken, &size)?])
}

/// `im2col(x, kernel, dilation, padding, stride)`: the windows of an image as columns.
pub fn im2col(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let (kernel, dilation) = (call.ints_of(1, "kernel_size", 2, 1)?, call.ints_of(2, "dilation", 2, 1)?);
    let (padding, stride) = (call.ints_of(3, "padding", 2, 0)?, call.ints_of(4, "stride", 2, 1)?);
    let [batch, channels, ..] = e.shape(x)?[..] else { return Err(Refusal::from("its operand is no batch of images")) };
    let zero = e.scalar(Number::Int(0), &call.element(0)?)?;
    let amounts = [0, 0, padding[0], padding[1]];
    let mut x = e.pad(x, zero, &amounts, &amounts, &[0; 4])?;
    let mut places = Vec::new();
    for (at, dim) in [2usize, 4].into_iter().enumerate() {
        let room = e.shape(x)?[dim] - dilation[at] * (kernel[at] - 1) - 1;
        if room < 0 || stride[at] < 1 {
            return Err(Refusal(format!("a kernel of {kernel:?} does not fit")));
        }
        let count = room / stride[at] + 1;
        let rows = (0..kernel[at]).flat_map(|tap| (0..count).map(move |place| (tap, place)));
        let positions: Vec<i64> = rows.map(|(tap, place)| tap * dilation[at] + place * stride[at]).collect();
        let taken = super::index::take(e, x, dim, &positions)?;
        let mut split = e.shape(taken)?;
        split[dim] = kernel[at];
        split.insert(dim + 1, count);
        x = e.reshape(taken, &split)?;
        places.push(count);
    }
    let moved = e.transpose(x, &[0, 1, 2, 4, 3, 5])?;
    let columns = e.reshape(moved, &[batch, channels * kernel[0] * kernel[1], places[0] * places[1]])?;
    Ok(vec![columns])
}
