//! Operators that read and store at computed positions.

use super::{
    call::{Arg, Call},
    promote::{join_shapes, materialize},
    shape::wrap_index,
    table::Values,
};
use crate::{
    ir::{
        Attribute, ElementType, Opcode, ValueId,
        attribute::{GatherDimensions, ScatterDimensions},
        enums::ComparisonDirection,
    },
    passes::emit::{Body, Emit, Number, Out, Refusal, highest, lowest, tensor_type},
};

/// Advanced indexing of some dimensions of a tensor, as `index` and `index_put` have it.
struct Positions {
    /// The dimensions that are indexed.
    dims: Vec<i64>,
    /// Positions in them: the shape that the indices share, and one more dimension of one position a dimension.
    starts: ValueId,
    /// The shape that the indices share.
    batch: Vec<i64>,
    /// The dimensions of the result that come from the operand's other dimensions.
    offset_dims: Vec<i64>,
    /// The result's shape.
    shape: Vec<i64>,
}

/// Brings the indices (none: the dimension is taken whole) of a tensor of that shape together.
fn positions(e: &mut Emit, shape: &[i64], indices: &[Option<ValueId>]) -> Result<Positions, Refusal> {
    let dims: Vec<usize> = (0..indices.len()).filter(|at| indices[*at].is_some()).collect();
    if indices.len() > shape.len() || dims.is_empty() {
        return Err(Refusal(format!("{} indices for {} dimensions", indices.len(), shape.len())));
    }
    let mut batch = Vec::new();
    for index in indices.iter().flatten() {
        batch = join_shapes(&batch, &e.shape(*index)?)?;
    }
    let mut parts = Vec::new();
    for dim in &dims {
        let Some(index) = indices[*dim] else { continue };
        let index = wrap_index(e, index, shape[*dim])?;
        let index = e.broadcast(index, &batch)?;
        parts.push(e.reshape(index, &[&batch[..], &[1]].concat())?);
    }
    let starts = e.concatenate(&parts, batch.len())?;
    // Indices of neighbouring dimensions stay in their place; else they come first.
    let together = dims.windows(2).all(|pair| pair[1] == pair[0] + 1);
    let first = if together { dims[0] } else { 0 };
    let rest: Vec<usize> = (0..shape.len()).filter(|at| !dims.contains(at)).collect();
    let mut result: Vec<i64> = rest[..first].iter().map(|at| shape[*at]).collect();
    result.extend(&batch);
    result.extend(rest[first..].iter().map(|at| shape[*at]));
    let offset_dims = (0..result.len()).filter(|at| *at < first || *at >= first + batch.len()).map(|at| at as i64);
    Ok(Positions {
        starts,
        offset_dims: offset_dims.collect(),
        dims: dims.into_iter().map(|dim| dim as i64).collect(),
        shape: result,
        batch,
    })
}

/// Reads the elements at positions.
fn gather_at(e: &mut Emit, x: ValueId, at: &Positions) -> Out {
    let mut sizes = e.shape(x)?;
    for dim in &at.dims {
        sizes[*dim as usize] = 1;
    }
    let dims = GatherDimensions {
        offset_dims: at.offset_dims.clone(),
        collapsed_slice_dims: at.dims.clone(),
        start_index_map: at.dims.clone(),
        index_vector_dim: at.batch.len() as i64,
        ..GatherDimensions::default()
    };
    let ty = tensor_type(&at.shape, &e.element(x)?);
    let attrs =
        [("dimension_numbers", Attribute::GatherDimensions(dims.into())), ("slice_sizes", Attribute::i64_array(sizes))];
    Ok(e.op(Opcode::StablehloGather, &[x, at.starts], ty, &attrs))
}

/// Stores values of the positions' shape; the body gets the element that is there and the new one.
fn scatter_at(e: &mut Emit, x: ValueId, at: &Positions, values: ValueId, body: Body) -> Out {
    let dims = ScatterDimensions {
        update_window_dims: at.offset_dims.clone(),
        inserted_window_dims: at.dims.clone(),
        scatter_dims_to_operand_dims: at.dims.clone(),
        index_vector_dim: at.batch.len() as i64,
        ..ScatterDimensions::default()
    };
    let scalar = tensor_type(&[], &e.element(x)?);
    let region = e.region(&[scalar.clone(), scalar], body)?;
    let ty = e.module.ty(x).clone();
    let attrs = [("scatter_dimension_numbers", Attribute::ScatterDimensions(dims.into()))];
    Ok(e.op_with_regions(Opcode::StablehloScatter, &[x, at.starts, values], vec![ty], &attrs, &[region])[0])
}

fn store(e: &mut Emit, x: ValueId, at: &Positions, values: ValueId, adds: bool) -> Out {
    if adds { scatter_at(e, x, at, values, &mut accumulate) } else { scatter_at(e, x, at, values, &mut replace) }
}

fn replace(_: &mut Emit, args: &[ValueId]) -> Result<Vec<ValueId>, Refusal> {
    Ok(vec![args[1]])
}

fn accumulate(e: &mut Emit, args: &[ValueId]) -> Result<Vec<ValueId>, Refusal> {
    Ok(vec![e.add(args[0], args[1])?])
}

/// Rows of a dimension at positions known now.
pub fn take(e: &mut Emit, x: ValueId, dim: usize, at: &[i64]) -> Out {
    let index = e.indices(at)?;
    take_at(e, x, dim, index)
}

/// Rows of a dimension; the index's dimensions take its place.
pub fn take_at(e: &mut Emit, x: ValueId, dim: usize, index: ValueId) -> Out {
    let shape = e.shape(x)?;
    let mut indices = vec![None; dim];
    indices.push(Some(index));
    let at = positions(e, &shape, &indices)?;
    gather_at(e, x, &at)
}

/// Replaces rows of a dimension at positions known now.
pub fn put_dim(e: &mut Emit, x: ValueId, dim: usize, at: &[i64], rows: ValueId) -> Out {
    let index = e.indices(at)?;
    let shape = e.shape(x)?;
    let mut indices = vec![None; dim];
    indices.push(Some(index));
    let at = positions(e, &shape, &indices)?;
    scatter_at(e, x, &at, rows, &mut replace)
}

/// The list of indices of `index` and `index_put`.
fn index_list(e: &Emit, call: &Call) -> Result<Vec<Option<ValueId>>, Refusal> {
    let Arg::List(list) = call.arg(1, "indices") else { return Err(Refusal::from("the indices should be a list")) };
    let mut indices = Vec::new();
    for arg in list {
        indices.push(match arg {
            Arg::None => None,
            Arg::Tensor(value, _) => {
                if e.element(*value)? == ElementType::BOOL {
                    return Err(Refusal::from(
                        "it indexes by a mask, so its size depends on the data, and pygraph runs static shapes",
                    ));
                }
                Some(*value)
            }
            _ => return Err(Refusal::from("an index should be a tensor or None")),
        });
    }
    while indices.last() == Some(&None) {
        indices.pop();
    }
    Ok(indices)
}

/// `index(x, indices)`.
pub fn index(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let indices = index_list(e, call)?;
    if indices.is_empty() {
        return Ok(vec![x]);
    }
    let at = positions(e, &e.shape(x)?, &indices)?;
    Ok(vec![gather_at(e, x, &at)?])
}

/// `index_put(x, indices, values, accumulate)`. One mask with values that broadcast is a select.
pub fn index_put(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let (shape, element) = (e.shape(x)?, e.element(x)?);
    let adds = call.flag(3, "accumulate", false)?;
    if let Some(result) = masked_put(e, call, x, adds)? {
        return Ok(vec![result]);
    }
    let indices = index_list(e, call)?;
    if indices.is_empty() {
        return Ok(vec![materialize(e, call.operand(2, "values")?, &element, &shape)?]);
    }
    let at = positions(e, &shape, &indices)?;
    let values = materialize(e, call.operand(2, "values")?, &element, &at.shape)?;
    Ok(vec![store(e, x, &at, values, adds)?])
}

fn masked_put(e: &mut Emit, call: &Call, x: ValueId, adds: bool) -> Result<Option<ValueId>, Refusal> {
    let Arg::List(list) = call.arg(1, "indices") else { return Ok(None) };
    let [Arg::Tensor(mask, _)] = list.as_slice() else { return Ok(None) };
    let value = call.tensor(2, "values")?;
    if e.element(*mask)? != ElementType::BOOL || e.shape(value)?.iter().product::<i64>() != 1 {
        return Ok(None);
    }
    let (shape, element) = (e.shape(x)?, e.element(x)?);
    let value = e.reshape(value, &[])?;
    let value = e.convert(value, &element)?;
    let mut value = e.broadcast(value, &shape)?;
    let dims: Vec<i64> = (0..e.rank(*mask)? as i64).collect();
    let mask = e.broadcast_in_dim(*mask, &shape, &dims)?;
    if adds {
        value = e.add(x, value)?;
    }
    Ok(Some(e.select(mask, value, x)?))
}

/// `index_select(x, dim, index)`.
pub fn index_select(e: &mut Emit, call: &Call) -> Values {
    let (x, index) = (call.tensor(0, "self")?, call.tensor(2, "index")?);
    let dim = call.dim(1, "dim", 0, e.rank(x)?)?;
    let y = if e.rank(x)? == 0 { x } else { take_at(e, x, dim, index)? };
    Ok(vec![e.reshape(y, &call.shape(0)?)?])
}

/// `index_add`, `index_copy`: rows `source` of a dimension at `index`. A Python number as source is a row of it.
pub fn index_rows(e: &mut Emit, call: &Call, adds: bool) -> Values {
    let x = call.tensor(0, "self")?;
    let (shape, element) = (e.shape(x)?, e.element(x)?);
    let dim = call.dim(1, "dim", 0, shape.len())?;
    let mut index = call.tensor(2, "index")?;
    if e.rank(index)? == 0 {
        index = e.reshape(index, &[1])?;
    }
    if shape.is_empty() {
        return Err(Refusal::from("its operand has no dimension"));
    }
    let mut indices = vec![None; dim];
    indices.push(Some(index));
    let at = positions(e, &shape, &indices)?;
    let mut source = materialize(e, call.operand(3, "source")?, &element, &at.shape)?;
    if let Some(alpha) = call.optional_number(4, "alpha")?.filter(|alpha| alpha.as_f64() != 1.0) {
        source = e.binary_number(Opcode::StablehloMultiply, source, alpha)?;
    }
    Ok(vec![store(e, x, &at, source, adds)?])
}

/// `index_fill(x, dim, index, value)`.
pub fn index_fill(e: &mut Emit, call: &Call) -> Values {
    index_rows(e, call, false)
}

/// `embedding(weight, indices)`.
pub fn embedding(e: &mut Emit, call: &Call) -> Values {
    let (weight, index) = (call.tensor(0, "weight")?, call.tensor(1, "indices")?);
    Ok(vec![take_at(e, weight, 0, index)?])
}

/// Positions of `gather` and `scatter`: in every dimension an element's own, but `index` in `dim`.
fn elementwise(e: &mut Emit, x: ValueId, dim: usize, index: ValueId) -> Result<Positions, Refusal> {
    let (shape, own) = (e.shape(index)?, e.shape(x)?);
    let indices = (0..own.len()).map(|at| Some(if at == dim { index } else { e.iota(&shape, &ElementType::I64, at) }));
    let indices: Vec<Option<ValueId>> = indices.collect();
    positions(e, &own, &indices)
}

/// `gather(x, dim, index)`.
pub fn gather(e: &mut Emit, call: &Call) -> Values {
    let (x, index) = (call.tensor(0, "self")?, call.tensor(2, "index")?);
    let (x, index) = (at_least_one_dim(e, x)?, at_least_one_dim(e, index)?);
    let dim = call.dim(1, "dim", 0, e.rank(x)?)?;
    let at = elementwise(e, x, dim, index)?;
    let y = gather_at(e, x, &at)?;
    Ok(vec![e.reshape(y, &call.shape(0)?)?])
}

/// `take_along_dim(x, indices, dim)`, whose operands broadcast.
pub fn take_along_dim(e: &mut Emit, call: &Call) -> Values {
    let (x, index) = (call.tensor(0, "self")?, call.tensor(1, "indices")?);
    let dim = call.dim(2, "dim", 0, e.rank(x)?)?;
    let (mut wide_x, mut wide_index) = (e.shape(x)?, e.shape(index)?);
    if wide_x.len() != wide_index.len() {
        return Err(Refusal::from("its operands have different numbers of dimensions"));
    }
    for at in (0..wide_x.len()).filter(|at| *at != dim) {
        let extent = wide_x[at].max(wide_index[at]);
        (wide_x[at], wide_index[at]) = (extent, extent);
    }
    let (x, index) = (e.broadcast(x, &wide_x)?, e.broadcast(index, &wide_index)?);
    let at = elementwise(e, x, dim, index)?;
    Ok(vec![gather_at(e, x, &at)?])
}

fn at_least_one_dim(e: &mut Emit, x: ValueId) -> Out {
    if e.rank(x)? == 0 { e.reshape(x, &[1]) } else { Ok(x) }
}

/// How a scatter joins the element that is there with the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Join {
    Replace,
    Fold(Opcode),
    Mean,
}

/// `scatter`, `scatter_add`, `scatter_reduce` in all overloads.
pub fn scatter(e: &mut Emit, call: &Call) -> Values {
    let join = join_of(call)?;
    let (x, index) = (call.tensor(0, "self")?, call.tensor(2, "index")?);
    let (shape, element) = (e.shape(x)?, e.element(x)?);
    let (x, index) = (at_least_one_dim(e, x)?, at_least_one_dim(e, index)?);
    let dim = call.dim(1, "dim", 0, e.rank(x)?)?;
    let at = elementwise(e, x, dim, index)?;
    let extents = e.shape(index)?;
    let values = match call.operand(3, "src")? {
        super::call::Operand::Tensor(source) => {
            let source = at_least_one_dim(e, source)?;
            let source = e.convert(source, &element)?;
            let full = e.shape(source)?;
            if full.iter().product::<i64>() == 1 {
                e.reshape(source, &[])?
            } else {
                e.slice(source, &vec![0; full.len()], &extents, &vec![1; full.len()])?
            }
        }
        number => materialize(e, number, &element, &[])?,
    };
    let values = e.broadcast(values, &extents)?;
    let includes_self = call.flag(usize::MAX, "include_self", true)?;
    let y = scatter_joined(e, x, &at, values, join, includes_self)?;
    Ok(vec![e.reshape(y, &shape)?])
}

fn join_of(call: &Call) -> Result<Join, Refusal> {
    if call.target.starts_with("aten.scatter_add") {
        return Ok(Join::Fold(Opcode::StablehloAdd));
    }
    let position = if call.target.starts_with("aten.scatter_reduce") { 4 } else { usize::MAX };
    match call.text(position, "reduce") {
        None => Ok(Join::Replace),
        Some("sum" | "add") => Ok(Join::Fold(Opcode::StablehloAdd)),
        Some("prod" | "multiply") => Ok(Join::Fold(Opcode::StablehloMultiply)),
        Some("amax") => Ok(Join::Fold(Opcode::StablehloMaximum)),
        Some("amin") => Ok(Join::Fold(Opcode::StablehloMinimum)),
        Some("mean") => Ok(Join::Mean),
        Some(other) => Err(Refusal(format!("there is no reduction `{other}`"))),
    }
}

fn scatter_joined(e: &mut Emit, x: ValueId, at: &Positions, values: ValueId, join: Join, includes_self: bool) -> Out {
    let opcode = match join {
        Join::Replace => return scatter_at(e, x, at, values, &mut replace),
        Join::Fold(opcode) => opcode,
        Join::Mean => Opcode::StablehloAdd,
    };
    let element = e.element(x)?;
    let mut start = x;
    if !includes_self {
        let neutral = match opcode {
            Opcode::StablehloMaximum => lowest(&element),
            Opcode::StablehloMinimum => highest(&element),
            Opcode::StablehloMultiply => Number::Int(1),
            _ => Number::Int(0),
        };
        let neutral = e.splat(neutral, &element, &at.shape)?;
        start = scatter_at(e, x, at, neutral, &mut replace)?;
    }
    let total = scatter_at(e, start, at, values, &mut |e, args| Ok(vec![e.binary(opcode, args[0], args[1])?]))?;
    if join != Join::Mean {
        return Ok(total);
    }
    let shape = e.shape(x)?;
    let counts = e.splat(Number::Int(i64::from(includes_self)), &element, &shape)?;
    let ones = e.splat(Number::Int(1), &element, &at.shape)?;
    let counts = scatter_at(e, counts, at, ones, &mut accumulate)?;
    let counts = e.binary_number(Opcode::StablehloMaximum, counts, Number::Int(1))?;
    super::pointwise::mean_divide(e, total, counts)
}

/// `one_hot(x, classes)`.
pub fn one_hot(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let shape = call.shape(0)?;
    let last = shape.len().checked_sub(1).ok_or_else(|| Refusal::from("its result has no dimension"))?;
    let classes = e.iota(&shape, &ElementType::I64, last);
    let x = e.convert(x, &ElementType::I64)?;
    let x = e.broadcast_along(x, &shape, &[last as i64])?;
    let equal = e.compare(ComparisonDirection::Eq, x, classes)?;
    Ok(vec![e.convert(equal, &call.element(0)?)?])
}

/// `bucketize(x, boundaries)` and `searchsorted(boundaries, x)` with boundaries of one dimension: how many lie below.
pub fn bucketize(e: &mut Emit, call: &Call) -> Values {
    let searches = call.target.starts_with("aten.searchsorted");
    let (first, second) = (call.operand(0, "self")?, call.operand(1, "boundaries")?);
    let (x, boundaries) = if searches { (second, first) } else { (first, second) };
    let super::call::Operand::Tensor(boundaries) = boundaries else {
        return Err(Refusal::from("the boundaries should be a tensor"));
    };
    let [count] = e.shape(boundaries)?[..] else {
        return Err(Refusal::from("boundaries of more than one dimension are not supported"));
    };
    let right = call.flag(usize::MAX, "right", false)? || call.text(usize::MAX, "side") == Some("right");
    let element = super::promote::result_type(e, &[x, super::call::Operand::Tensor(boundaries)])?;
    let shape = call.shape(0)?;
    let x = materialize(e, x, &element, &shape)?;
    let wide = [&shape[..], &[count]].concat();
    let x = e.broadcast_along(x, &wide, &[shape.len() as i64])?;
    let boundaries = e.convert(boundaries, &element)?;
    let boundaries = e.broadcast(boundaries, &wide)?;
    let direction = if right { ComparisonDirection::Le } else { ComparisonDirection::Lt };
    let below = e.compare(direction, boundaries, x)?;
    let below = e.convert(below, &call.element(0)?)?;
    Ok(vec![e.fold(Opcode::StablehloAdd, below, Number::Int(0), &[shape.len() as i64])?])
}

/// `take(x, index)`: of the flattened tensor.
pub fn take_flat(e: &mut Emit, call: &Call) -> Values {
    let (x, index) = (call.tensor(0, "self")?, call.tensor(1, "index")?);
    let count = e.shape(x)?.iter().product();
    let flat = e.reshape(x, &[count])?;
    Ok(vec![take_at(e, flat, 0, index)?])
}

/// Elements at positions of the first dimensions; all indices have one shape.
pub fn at_positions(e: &mut Emit, x: ValueId, indices: &[ValueId]) -> Out {
    let indices: Vec<Option<ValueId>> = indices.iter().copied().map(Some).collect();
    let shape = e.shape(x)?;
    let at = positions(e, &shape, &indices)?;
    gather_at(e, x, &at)
}

/// `_embedding_bag(weight, indices, offsets, scale_grad, mode, …)`: a row a bag, the sum (0), mean (1) or maximum (2)
/// of the rows from its offset to the next.
pub fn embedding_bag(e: &mut Emit, call: &Call) -> Values {
    let (weight, index, offsets) = (call.tensor(0, "weight")?, call.tensor(1, "indices")?, call.tensor(2, "offsets")?);
    let mode = call.int(4, "mode", 0)?;
    if call.has(6, "per_sample_weights") || mode > 1 {
        return Err(Refusal::from("weights of samples and maxima are not supported"));
    }
    let element = call.element(0)?;
    let shape = call.shape(0)?;
    let ([count], [bags, _]) = (&e.shape(index)?[..], &shape[..]) else {
        return Err(Refusal::from("its indices should have one dimension"));
    };
    let (count, bags) = (*count, *bags);
    let rows = take_at(e, weight, 0, index)?;
    // Bag `b` holds position `p` if offset[b] <= p < offset[b + 1].
    let offsets = e.convert(offsets, &ElementType::I64)?;
    let offsets = e.slice_dim(offsets, 0, 0, bags, 1)?;
    let places = e.iota(&[bags, count], &ElementType::I64, 1);
    let starts = e.broadcast_in_dim(offsets, &[bags, count], &[0])?;
    let end = e.splat(Number::Int(count), &ElementType::I64, &[1])?;
    let later = e.slice_dim(offsets, 0, 1, bags, 1)?;
    let ends = e.concatenate(&[later, end], 0)?;
    let ends = e.broadcast_in_dim(ends, &[bags, count], &[0])?;
    let begun = e.compare(ComparisonDirection::Ge, places, starts)?;
    let unfinished = e.compare(ComparisonDirection::Lt, places, ends)?;
    let held = e.binary(Opcode::StablehloAnd, begun, unfinished)?;
    let held = e.convert(held, &element)?;
    let mut y = super::linear::matmul_of(e, held, rows, &element)?;
    if mode == 1 {
        let sizes = e.fold(Opcode::StablehloAdd, held, Number::Int(0), &[1])?;
        let sizes = e.binary_number(Opcode::StablehloMaximum, sizes, Number::Int(1))?;
        let sizes = e.broadcast_in_dim(sizes, &shape, &[0])?;
        y = e.div(y, sizes)?;
    }
    let mut results = vec![y];
    for index in 1..call.results.len() {
        results.push(call.zeros(e, index)?);
    }
    Ok(results)
}
