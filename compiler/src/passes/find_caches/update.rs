//! Which rows of a cache an operation writes.

use super::Obstacle;
use crate::{
    ir::{Attribute, Module, OpId, Opcode, ValueId, attribute::ScatterDimensions},
    passes::{
        build::static_tensor,
        positions::{Lookup, Position},
    },
};

/// Rows of a cache that are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// Which operation writes.
    pub op: OpId,
    /// Which dimension the rows are along.
    pub token_dim: usize,
    /// The positions of the rows, by row of the batch; one list where all have the same.
    pub rows: Vec<Vec<Position>>,
    /// Which layer, where the cache is a stack of them: its first dimension.
    pub layer: Option<ValueId>,
}

/// The rows that an operation writes into `cache` (or into a layer of it), or why it is none that writes rows at positions.
pub fn update_of(
    module: &Module,
    lookup: &mut Lookup,
    op: OpId,
    cache: ValueId,
    layer: Option<ValueId>,
) -> Result<Update, Obstacle> {
    let is_written = module.op(op).operands.first() == Some(&cache);
    match module.op(op).opcode {
        Opcode::StablehloDynamicUpdateSlice | Opcode::StablehloScatter if !is_written => {
            Err(Obstacle::new("is not what the update that makes its new value writes to", "write the new rows to the argument itself"))
        }
        Opcode::StablehloDynamicUpdateSlice => slice_update(module, lookup, op, layer),
        Opcode::StablehloScatter => scatter_update(module, lookup, op),
        Opcode::StablehloWhile => Err(Obstacle::new("is updated in a loop, whose positions the device computes", "let nothing but the loop read it; until then it is copied each step")),
        Opcode::StablehloConcatenate => Err(Obstacle::new("grows by concatenation", "write to a cache of full length at a position")),
        _ => Err(Obstacle::new("is replaced by something other than an update at a position", "write whole rows to it at a position, if it is a cache")),
    }
}

fn two_dims() -> Obstacle {
    Obstacle::new("is updated along more than one dimension", "write whole rows at a position, and give every layer an argument of its own")
}

fn unknown() -> Obstacle {
    Obstacle::new("is updated at positions that are no signed integers, or too many to look at", "make the positions i32 or i64")
}

fn unknown_shape() -> Obstacle {
    Obstacle::new("is updated by rows whose shape is not known yet", "give every dimension a number")
}

fn slice_update(module: &Module, lookup: &mut Lookup, op: OpId, layer: Option<ValueId>) -> Result<Update, Obstacle> {
    let operands = &module.op(op).operands;
    let shapes = (static_tensor(module, operands[0]), static_tensor(module, operands[1]));
    let (Some((cache, _)), Some((update, _))) = shapes else { return Err(unknown_shape()) };
    let first = usize::from(layer.is_some());
    let mut partial = (first..cache.len()).filter(|dim| cache[*dim] != update[*dim]);
    let (Some(token_dim), None) = (partial.next(), partial.next()) else {
        return Err(Obstacle::new("is replaced whole, or updated along more than one dimension", "write whole rows at a position, and give every layer an argument of its own"));
    };
    let start = lookup.of(module, operands[2 + token_dim], cache[token_dim] as i64).ok_or_else(unknown)?;
    let rows: Option<Vec<Position>> = (0..update[token_dim] as i64).map(|row| start[0].plus(row)).collect();
    Ok(Update { op, token_dim, rows: vec![rows.ok_or_else(unknown)?], layer })
}

fn scatter_update(module: &Module, lookup: &mut Lookup, op: OpId) -> Result<Update, Obstacle> {
    let operation = module.op(op);
    let &[cache, indices, updates] = &operation.operands[..] else { return Err(Obstacle::new("is updated together with another", "update each in an operation of its own")) };
    let dims = match operation.attr("scatter_dimension_numbers") {
        Some(Attribute::ScatterDimensions(dims)) => dims,
        _ => unreachable!("the verifier should reject a scatter without dimensions"),
    };
    if !replaces(module, op) {
        return Err(Obstacle::new("is combined with what is written, not replaced", "write the rows in place of what was there"));
    }
    let shapes = (static_tensor(module, cache), static_tensor(module, indices), static_tensor(module, updates));
    let (Some((cache, _)), Some((index_shape, _)), Some((update, _))) = shapes else {
        return Err(unknown_shape());
    };
    let Points { columns, batch_of } = points(module, lookup, indices, &index_shape, dims, &cache)?;
    let window = window(dims, &update, cache.len());
    let (mut token, mut batch) = (None, batch_of);
    for (column, dim) in dims.scatter_dims_to_operand_dims.iter().enumerate() {
        let dim = *dim as usize;
        let values: Vec<Position> = columns.iter().map(|point| point[column]).collect();
        if window[dim] == cache[dim] {
            if values.iter().any(|value| *value != Position { root: None, offset: 0 }) {
                return Err(Obstacle::new("is updated by windows that may leave it", "write whole rows, with indices in the dimension of tokens alone"));
            }
        } else if window[dim] == 1 && dim == 0 && counts_up(&values, cache[0]) {
            batch = Some((0..cache[0]).collect());
        } else if token.replace((column, dim)).is_some() {
            return Err(two_dims());
        }
    }
    let is_whole = |dim: &usize| {
        let indexed = dims.scatter_dims_to_operand_dims.contains(&(*dim as i64));
        indexed || dims.input_batching_dims.contains(&(*dim as i64)) || window[*dim] == cache[*dim]
    };
    let (Some((column, token_dim)), true) = (token, (0..cache.len()).all(|dim| is_whole(&dim))) else {
        return Err(Obstacle::new("is replaced whole, or updated in part of each row", "write whole rows at a position"));
    };
    let row_count = window[token_dim] as i64;
    let mut rows = vec![Vec::new(); if batch.is_some() { cache[0] as usize } else { 1 }];
    for (number, point) in columns.iter().enumerate() {
        let to = batch.as_ref().map_or(0, |batch| batch[number] as usize);
        for row in 0..row_count {
            rows[to].push(point[column].plus(row).ok_or_else(unknown)?);
        }
    }
    Ok(Update { op, token_dim, rows, layer: None })
}

/// True if a scatter puts what is written in place of what was there.
fn replaces(module: &Module, scatter: OpId) -> bool {
    let Some(block) = module.region_block(scatter, 0) else { return false };
    let (Some(end), arguments) = (module.block(block).last(), &module.block(block).arguments) else { return false };
    arguments.len() == 2 && module.op(end).operands[..] == arguments[1..]
}

/// Extents of what one index writes, in dimensions of the cache.
fn window(dims: &ScatterDimensions, update: &[u64], rank: usize) -> Vec<u64> {
    let mut own = dims.update_window_dims.iter().map(|dim| update[*dim as usize]);
    let is_missing =
        |dim: i64| dims.inserted_window_dims.contains(&dim) || dims.input_batching_dims.contains(&dim);
    (0..rank as i64).map(|dim| if is_missing(dim) { 1 } else { own.next().unwrap_or(1) }).collect()
}

/// The indices of a scatter.
struct Points {
    /// For every index its columns.
    columns: Vec<Vec<Position>>,
    /// For every index the row of the batch that it belongs to, where a batching dimension says so.
    batch_of: Option<Vec<u64>>,
}

fn points(
    module: &Module,
    lookup: &mut Lookup,
    indices: ValueId,
    shape: &[u64],
    dims: &ScatterDimensions,
    cache: &[u64],
) -> Result<Points, Obstacle> {
    let vector = dims.index_vector_dim as usize;
    let width = shape.get(vector).copied().unwrap_or(1);
    let count: u64 = shape.iter().product::<u64>() / width.max(1);
    let below: u64 = shape.get(vector + 1..).unwrap_or_default().iter().product();
    // Every column is a position in a dimension of its own extent, and wraps there.
    let mut by_column = Vec::new();
    for dim in &dims.scatter_dims_to_operand_dims {
        by_column.push(lookup.of(module, indices, cache[*dim as usize] as i64).ok_or_else(unknown)?);
    }
    let place = |point: u64, column: u64| (point / below * width * below + column * below + point % below) as usize;
    let columns = (0..count)
        .map(|point| (0u64..).zip(&by_column).map(|(column, all)| all[place(point, column)]).collect())
        .collect();
    let batch_of = match (&dims.input_batching_dims[..], &dims.scatter_indices_batching_dims[..]) {
        ([], _) => None,
        ([0], [at]) => {
            let at = *at as usize;
            let others: Vec<u64> = (0..shape.len()).filter(|dim| *dim != vector).map(|dim| shape[dim]).collect();
            let at = if at > vector { at - 1 } else { at };
            let below: u64 = others[at + 1..].iter().product();
            Some((0..count).map(|point| point / below % others[at]).collect())
        }
        _ => return Err(two_dims()),
    };
    Ok(Points { columns, batch_of })
}

/// True if these are 0, 1, … up to a count.
fn counts_up(values: &[Position], count: u64) -> bool {
    values.len() as u64 == count
        && (0i64..).zip(values).all(|(at, value)| *value == Position { root: None, offset: at })
}
