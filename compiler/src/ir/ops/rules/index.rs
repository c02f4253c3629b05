//! Operations at positions known at run time.

use super::{
    Shape, Types, ascending, ensure, merge_shapes, one, one_each, position, positions, result_element,
    shape::same_element,
};
use crate::ir::{
    Attribute, Dim, TensorType, Type,
    attribute::{GatherDimensions, ScatterDimensions},
    ops::view::{View, dim_of, dims_compatible, extent, show_dim, show_shape},
};

/// The dimensions that `gather` and `scatter` name alike.
struct Indexing<'a> {
    /// Dimensions of the slices in the result (`offset_dims`) or the updates (`update_window_dims`).
    window: (&'static str, &'a [i64]),
    /// Operand dimensions that a slice has not (`collapsed_slice_dims`, `inserted_window_dims`).
    dropped: (&'static str, &'a [i64]),
    operand_batching: &'a [i64],
    indices_batching: (&'static str, &'a [i64]),
    index_map: (&'static str, &'a [i64]),
    index_vector_dim: i64,
}

impl<'a> Indexing<'a> {
    fn of_gather(dims: &'a GatherDimensions) -> Indexing<'a> {
        Indexing {
            window: ("offset_dims", &dims.offset_dims),
            dropped: ("collapsed_slice_dims", &dims.collapsed_slice_dims),
            operand_batching: &dims.operand_batching_dims,
            indices_batching: ("start_indices_batching_dims", &dims.start_indices_batching_dims),
            index_map: ("start_index_map", &dims.start_index_map),
            index_vector_dim: dims.index_vector_dim,
        }
    }

    fn of_scatter(dims: &'a ScatterDimensions) -> Indexing<'a> {
        Indexing {
            window: ("update_window_dims", &dims.update_window_dims),
            dropped: ("inserted_window_dims", &dims.inserted_window_dims),
            operand_batching: &dims.input_batching_dims,
            indices_batching: ("scatter_indices_batching_dims", &dims.scatter_indices_batching_dims),
            index_map: ("scatter_dims_to_operand_dims", &dims.scatter_dims_to_operand_dims),
            index_vector_dim: dims.index_vector_dim,
        }
    }

    /// The shape of the indices without the dimension of the index vectors, after checks of all but the window.
    fn batch(&self, operand: &TensorType, indices: &TensorType) -> Result<Shape, String> {
        let vector = usize::try_from(self.index_vector_dim).ok().filter(|at| *at <= indices.rank());
        let vector = vector.ok_or_else(|| {
            let (dim, rank) = (self.index_vector_dim, indices.rank());
            format!("`index_vector_dim` is {dim}, but the indices have {rank} dimensions")
        })?;
        let length = if vector == indices.rank() { Some(1) } else { extent(&indices.shape[vector]) };
        ensure(length.is_none_or(|length| length == self.index_map.1.len() as u64), || {
            let (name, count) = (self.index_map.0, self.index_map.1.len());
            format!("`{name}` names {count} dimensions, but index vectors have {}", length.unwrap_or_default())
        })?;
        positions("operand_batching_dims", self.operand_batching, operand.rank())?;
        for (name, named) in [self.index_map, self.dropped] {
            positions(name, named, operand.rank())?;
            let both = named.iter().find(|d| self.operand_batching.contains(d));
            ensure(both.is_none(), || {
                format!("`{name}` names dimension {}, which is a batching dimension", both.unwrap_or(&0))
            })?;
        }
        ascending(self.dropped.0, self.dropped.1)?;
        ascending("operand_batching_dims", self.operand_batching)?;
        let (name, batching) = self.indices_batching;
        ensure(batching.len() == self.operand_batching.len(), || {
            format!("`{name}` names {} dimensions for {} of the operand", batching.len(), self.operand_batching.len())
        })?;
        for (own, other) in positions(name, batching, indices.rank())?.into_iter().zip(self.operand_batching) {
            ensure(own != vector, || format!("`{name}` names the dimension {own} of the index vectors"))?;
            let (own, other) = (&indices.shape[own], &operand.shape[*other as usize]);
            ensure(dims_compatible(own, other), || {
                format!("`{name}` pairs extent {} with {} of the operand", show_dim(own), show_dim(other))
            })?;
        }
        Ok(indices.shape.iter().enumerate().filter(|(d, _)| *d != vector).map(|(_, dim)| dim.clone()).collect())
    }

    /// The operand's dimensions that a slice has.
    fn kept(&self, rank: usize) -> impl Iterator<Item = usize> {
        (0..rank).filter(|d| {
            let d = *d as i64;
            !self.dropped.1.contains(&d) && !self.operand_batching.contains(&d)
        })
    }

    /// Batch and window dimensions in the order of the result.
    fn interleave(&self, batch: Shape, window: Shape) -> Result<Shape, String> {
        let (name, at) = self.window;
        ascending(name, at)?;
        let rank = batch.len() + at.len();
        let at = positions(name, at, rank)?;
        ensure(at.len() == window.len(), || {
            format!("`{name}` names {} dimensions, but slices have {}", at.len(), window.len())
        })?;
        let (mut batch, mut window) = (batch.into_iter(), window.into_iter());
        let dims = (0..rank).map(|d| if at.contains(&d) { window.next() } else { batch.next() });
        Ok(dims.flatten().collect())
    }
}

/// Batch dimensions of the indices and the dimensions of a slice.
pub fn gather(view: &View) -> Types {
    let (operand, indices) = (view.tensor(0)?, view.tensor(1)?);
    let sizes = view.ints("slice_sizes")?;
    one_each("slice_sizes", sizes, operand.rank())?;
    for (d, (size, dim)) in sizes.iter().zip(&operand.shape).enumerate() {
        let fits = *size >= 0 && extent(dim).is_none_or(|extent| *size as u64 <= extent);
        ensure(fits, || format!("gather takes slices of {size} in dimension {d}, which has extent {}", show_dim(dim)))?;
    }
    let sizes: Shape = sizes.iter().map(|size| Dim::Static(*size as u64)).collect();
    one(gathered(view, operand, indices, &sizes)?, result_element(view, &operand.element))
}

/// Like `gather`; the sizes are an operand.
pub fn dynamic_gather(view: &View) -> Result<(), String> {
    let (operand, indices, sizes, result) = (view.tensor(0)?, view.tensor(1)?, view.tensor(2)?, view.result_tensor(0)?);
    let count = sizes.shape.first().and_then(extent);
    ensure(count.is_none_or(|count| count == operand.rank() as u64), || {
        format!("`slice_sizes` has {} values for {} dimensions", count.unwrap_or_default(), operand.rank())
    })?;
    let unknown: Shape = operand.shape.iter().map(|_| dim_of(None)).collect();
    let shape = gathered(view, operand, indices, &unknown)?;
    same_element(view, &operand.element, &result.element)?;
    merge_shapes(view, [&shape[..], &result.shape[..]]).map(|_| ())
}

fn gathered(view: &View, operand: &TensorType, indices: &TensorType, sizes: &[Dim]) -> Result<Shape, String> {
    let Some(Attribute::GatherDimensions(dims)) = view.attr("dimension_numbers") else {
        return Err("`dimension_numbers` is missing".to_string());
    };
    let indexing = Indexing::of_gather(dims);
    let batch = indexing.batch(operand, indices)?;
    for d in dims.collapsed_slice_dims.iter().chain(&dims.operand_batching_dims) {
        let size = &sizes[*d as usize];
        ensure(extent(size).is_none_or(|size| size <= 1), || {
            format!("gather leaves out dimension {d}, so slices there have extent 1 and not {}", show_dim(size))
        })?;
    }
    let window = indexing.kept(operand.rank()).map(|d| sizes[d].clone()).collect();
    indexing.interleave(batch, window)
}

/// The types of the inputs; updates have the batch dimensions of the indices and those of a slice.
pub fn scatter(view: &View) -> Types {
    let (inputs, updates) = (view.group_tensors("inputs")?, view.group_tensors("updates")?);
    super::pairs(view, ("inputs", inputs.len()), ("updates", updates.len()))?;
    let (input, update) = (first(&inputs)?, first(&updates)?);
    let shape = merge_shapes(view, inputs.iter().map(|input| &input.shape[..]))?;
    merge_shapes(view, updates.iter().map(|update| &update.shape[..]))?;
    let indices = view.tensor(inputs.len())?;
    let Some(Attribute::ScatterDimensions(dims)) = view.attr("scatter_dimension_numbers") else {
        return Err("`scatter_dimension_numbers` is missing".to_string());
    };
    let indexing = Indexing::of_scatter(dims);
    let batch = indexing.batch(input, indices)?;
    let batch_rank = batch.len();
    let unknown: Shape = indexing.kept(input.rank()).map(|_| dim_of(None)).collect();
    let wanted = indexing.interleave(batch, unknown)?;
    let fits = wanted.len() == update.rank() && wanted.iter().zip(&update.shape).all(|(a, b)| dims_compatible(a, b));
    ensure(fits, || {
        format!("scatter takes updates of shape {}, but has {}", show_shape(&wanted), show_shape(&update.shape))
    })?;
    debug_assert!(batch_rank <= update.rank());
    for (at, d) in dims.update_window_dims.iter().zip(indexing.kept(input.rank())) {
        let (own, most) = (&update.shape[*at as usize], &input.shape[d]);
        let fits = extent(own).zip(extent(most)).is_none_or(|(own, most)| own <= most);
        ensure(fits, || {
            let (own, most) = (show_dim(own), show_dim(most));
            format!("scatter updates slices of {own} in dimension {d}, which has extent {most}")
        })?;
    }
    let bodies = super::reduce::scalar_body(view, 0, &inputs, &updates)?;
    Ok(bodies.iter().map(|element| super::tensor(shape.iter().cloned(), element)).collect())
}

fn first<'t>(tensors: &[&'t TensorType]) -> Result<&'t TensorType, String> {
    tensors.first().copied().ok_or_else(|| "operand 0 is missing".to_string())
}

/// One index for each dimension, all of one type; sizes in bounds.
pub fn dynamic_slice(view: &View) -> Types {
    let operand = view.tensor(0)?;
    let sizes = view.ints("slice_sizes")?;
    one_each("slice_sizes", sizes, operand.rank())?;
    start_indices(view, operand.rank())?;
    for (d, (size, dim)) in sizes.iter().zip(&operand.shape).enumerate() {
        let fits = *size >= 0 && extent(dim).is_none_or(|extent| *size as u64 <= extent);
        ensure(fits, || format!("dynamic_slice takes {size} of dimension {d}, which has extent {}", show_dim(dim)))?;
    }
    one(sizes.iter().map(|size| Dim::Static(*size as u64)), result_element(view, &operand.element))
}

/// One index for each dimension, all of one type; the update in bounds.
pub fn dynamic_update_slice(view: &View) -> Types {
    let (operand, update) = (view.tensor(0)?, view.tensor(1)?);
    same_element(view, &operand.element, &update.element)?;
    ensure(operand.rank() == update.rank(), || {
        let (operand, update) = (show_shape(&operand.shape), show_shape(&update.shape));
        format!("dynamic_update_slice puts {update} into {operand}")
    })?;
    start_indices(view, operand.rank())?;
    for (d, (own, most)) in update.shape.iter().zip(&operand.shape).enumerate() {
        let fits = extent(own).zip(extent(most)).is_none_or(|(own, most)| own <= most);
        ensure(fits, || {
            let (own, most) = (show_dim(own), show_dim(most));
            format!("dynamic_update_slice puts {own} into dimension {d}, which has extent {most}")
        })?;
    }
    Ok(vec![Type::from(operand.clone())])
}

fn start_indices(view: &View, rank: usize) -> Result<(), String> {
    let indices = view.group_tensors("start_indices")?;
    let name = super::short_name(view);
    ensure(indices.len() == rank, || format!("{name} has {} indices for {rank} dimensions", indices.len()))?;
    let alike = indices.windows(2).all(|pair| pair[0].element == pair[1].element);
    ensure(alike, || format!("{name} has indices of several types"))
}

/// The dimension is replaced by those of the index after its batch dimensions.
pub fn torch_index_select(view: &View) -> Types {
    let (operand, index) = (view.tensor(0)?, view.tensor(1)?);
    let dim = position("dim", view.int("dim")?, operand.rank())?;
    let batch = usize::try_from(view.int("batch_dims")?).ok().filter(|batch| *batch <= dim && *batch <= index.rank());
    let batch = batch.ok_or("`batch_dims` should be at most `dim` and the index's number of dimensions")?;
    merge_shapes(view, [&operand.shape[..batch], &index.shape[..batch]])?;
    let shape = operand.shape[..dim].iter().chain(&index.shape[batch..]).chain(&operand.shape[dim + 1..]);
    one(shape.cloned(), &operand.element)
}
