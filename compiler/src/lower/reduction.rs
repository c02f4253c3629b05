//! `reduce` and `reduce_window`: a fill with the initial values, then a nest that folds.

use pygraph_artifact::{dtype::DType, scalar::ScalarBody};

use super::{
    Lowered, Refusal,
    body::BodyBuilder,
    literal,
    movement::{Padding, padded},
    region::body_of_region,
    site::{NestParts, Site, Tensor, dim, fixed, to_scalar},
};
use crate::ir::{
    Attribute, ValueId,
    attribute::{AffineMap, LinearExpr},
};

/// `reduce`
pub fn reduce(site: &mut Site) -> Lowered {
    let dims = site.int_list("dimensions")?;
    let (operands, inits) = operands_and_inits(site)?;
    let source = site.tensor(operands[0]);
    let (reduced, kept): (Vec<usize>, Vec<usize>) = (0..source.rank()).partition(|d| dims.contains(&(*d as i64)));
    let space: Vec<usize> = kept.iter().chain(&reduced).copied().collect();
    let mut extents: Vec<u64> = space.iter().map(|d| source.shape[*d]).collect();
    if reduced.is_empty() {
        extents.push(1); // a nest that folds has a dimension to fold
    }
    let dim_count = extents.len();
    let mut results = vec![fixed(0, dim_count); source.rank()];
    for (position, d) in space.iter().enumerate() {
        results[*d] = dim(position, dim_count);
    }
    let fold = Fold { extents, result_rank: kept.len(), source: AffineMap { dim_count, results } };
    fold_operands(site, operands, &inits, fold)
}

/// `reduce_window`
pub fn reduce_window(site: &mut Site) -> Lowered {
    let window = site.int_list("window_dimensions")?;
    let rank = window.len();
    let strides = site.int_list_or("window_strides", rank, 1);
    let base_dilations = site.int_list_or("base_dilations", rank, 1);
    let window_dilations = site.int_list_or("window_dilations", rank, 1);
    let padding = site.pairs_or_zero("padding", rank)?;
    let paddings: Vec<Padding> = padding
        .iter()
        .zip(&base_dilations)
        .map(|((low, high), dilation)| Padding { low: *low, high: *high, interior: dilation - 1 })
        .collect();
    let (mut operands, inits) = operands_and_inits(site)?;
    if paddings.iter().any(|padding| *padding != Padding::NONE) {
        for (operand, init) in operands.iter_mut().zip(&inits) {
            let source = site.tensor(*operand);
            let init = converted_scalar(site, *init, source.dtype);
            let shape = padded_shape(&source, &paddings).ok_or("the padded operand is too large")?;
            let result = Tensor { dtype: source.dtype, shape };
            *operand = padded(site, *operand, init, &paddings, &result);
        }
    }
    let result_shape = site.result(0).shape;
    let extents: Vec<u64> = result_shape.iter().copied().chain(window.iter().map(|extent| *extent as u64)).collect();
    let dim_count = extents.len();
    let results = (0..rank)
        .map(|d| {
            let mut coefficients = vec![0; dim_count];
            coefficients[d] = strides[d];
            coefficients[rank + d] = window_dilations[d];
            LinearExpr { coefficients, constant: 0 }
        })
        .collect();
    let mut fold = Fold { extents, result_rank: rank, source: AffineMap { dim_count, results } };
    if rank == 0 {
        fold.extents.push(1);
        fold.source.dim_count = 1;
    }
    fold_operands(site, operands, &inits, fold)
}

fn padded_shape(source: &Tensor, paddings: &[Padding]) -> Option<Vec<u64>> {
    let shape: Option<Vec<u64>> =
        source.shape.iter().zip(paddings).map(|(extent, padding)| padding.extent(*extent)).collect();
    shape.filter(|shape| pygraph_artifact::validate::array_bytes(source.dtype, shape).is_some())
}

/// The iteration space of a fold: first the result's dimensions, then those that are folded.
struct Fold {
    extents: Vec<u64>,
    result_rank: usize,
    /// Where the operands are read.
    source: AffineMap,
}

fn operands_and_inits(site: &Site) -> Result<(Vec<ValueId>, Vec<ValueId>), Refusal> {
    let operands = site.operands();
    if operands.is_empty() || !operands.len().is_multiple_of(2) {
        return Err("it needs as many initial values as operands".into());
    }
    let (operands, inits) = operands.split_at(operands.len() / 2);
    Ok((operands.to_vec(), inits.to_vec()))
}

fn fold_operands(site: &mut Site, operands: Vec<ValueId>, inits: &[ValueId], fold: Fold) -> Lowered {
    let results = site.results();
    let combine = body_of_region(site.module, site.op, 0)?;
    let expected: Vec<DType> = results.iter().chain(&results).map(|result| result.dtype).collect();
    if combine.inputs != expected || combine.output_types().as_deref() != Some(&expected[..results.len()]) {
        return Err("the types in its body differ from those of its results".into());
    }
    let dim_count = fold.extents.len();
    let outputs = initial_values(site, inits, &results)
        .into_iter()
        .map(|value| {
            let results = (0..fold.result_rank).map(|d| dim(d, dim_count)).collect();
            (value, AffineMap { dim_count, results })
        })
        .collect();
    let map = conversions(site, &operands, &results);
    let inputs = operands.into_iter().map(|operand| (operand, fold.source.clone())).collect();
    let reduction_dims = dim_count - fold.result_rank;
    Ok(site.nest(NestParts { extents: fold.extents, reduction_dims, inputs, outputs, map, combine: Some(combine) }))
}

/// The body that converts each operand's element to its result's type: a fold may work in a wider type.
fn conversions(site: &Site, operands: &[ValueId], results: &[Tensor]) -> ScalarBody {
    let dtypes: Vec<DType> = operands.iter().map(|operand| site.tensor(*operand).dtype).collect();
    let mut map = BodyBuilder::new(&dtypes);
    let values: Vec<_> =
        results.iter().enumerate().map(|(index, result)| map.convert(map.input(index), result.dtype)).collect();
    map.finish(&values)
}

/// Tensors of the results' types that hold the initial values everywhere, written by one nest.
fn initial_values(site: &mut Site, inits: &[ValueId], results: &[Tensor]) -> Vec<ValueId> {
    let rank = results[0].rank();
    let literals: Vec<Option<(DType, u128)>> = inits
        .iter()
        .map(|init| {
            let bits = site.constant_elements(*init).and_then(|elements| literal::splat_bits(&elements))?;
            Some((site.tensor(*init).dtype, bits))
        })
        .collect();
    let read: Vec<ValueId> =
        inits.iter().zip(&literals).filter(|(_, literal)| literal.is_none()).map(|(init, _)| *init).collect();
    let dtypes: Vec<DType> = read.iter().map(|init| site.tensor(*init).dtype).collect();
    let mut map = BodyBuilder::new(&dtypes);
    let mut next_input = 0;
    let mut values = Vec::with_capacity(results.len());
    for (literal, result) in literals.iter().zip(results) {
        let value = match literal {
            Some((dtype, bits)) => map.constant(*dtype, *bits),
            None => {
                next_input += 1;
                map.input(next_input - 1)
            }
        };
        values.push(map.convert(value, result.dtype));
    }
    let map = map.finish(&values);
    let outputs = results.iter().map(|result| (site.empty(result), super::site::identity(rank))).collect();
    site.nest(NestParts {
        extents: results[0].shape.clone(),
        reduction_dims: 0,
        inputs: read.into_iter().map(|init| (init, to_scalar(rank))).collect(),
        outputs,
        map,
        combine: None,
    })
}

/// A value without dimensions, in another type if need be.
fn converted_scalar(site: &mut Site, value: ValueId, dtype: DType) -> ValueId {
    let source = site.tensor(value);
    if source.dtype == dtype {
        return value;
    }
    let mut body = BodyBuilder::new(&[source.dtype]);
    let converted = body.convert(body.input(0), dtype);
    let body = body.finish(&[converted]);
    site.generate(&Tensor { dtype, shape: Vec::new() }, vec![(value, to_scalar(0))], body)
}

impl Site<'_> {
    /// A list of integers, or `count` times the default where the operation has none.
    pub(super) fn int_list_or(&self, name: &str, count: usize, default: i64) -> Vec<i64> {
        self.int_list(name).unwrap_or_else(|_| vec![default; count])
    }

    /// The rows of an attribute of shape `count` x 2; zeros where the operation has none.
    pub(super) fn pairs_or_zero(&self, name: &str, count: usize) -> Result<Vec<(i64, i64)>, Refusal> {
        let Some(attribute) = self.module.op(self.op).attr(name) else { return Ok(vec![(0, 0); count]) };
        let numbers = match attribute {
            Attribute::Dense(elements) => literal::integers(elements, 2 * count),
            Attribute::DenseArray { values, .. } => Some(values.to_vec()).filter(|values| values.len() == 2 * count),
            _ => None,
        };
        let numbers = numbers.ok_or_else(|| Refusal::from(format!("`{name}` has no {count} pairs of integers")))?;
        Ok(numbers.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect())
    }
}
