//! Folds: a fill with the initial values, then a nest that folds onto them. `reduce` is one.

use pygraph_artifact::{dtype::DType, scalar::ScalarBody};

use super::{
    Lowered, Refusal,
    body::BodyBuilder,
    elementwise::Sources,
    region::body_of_region,
    site::{NestParts, Site, Tensor, dim, fixed, identity, to_scalar},
};
use crate::ir::{ValueId, attribute::AffineMap};

/// `reduce`
pub fn reduce(site: &mut Site) -> Lowered {
    let dims = site.int_list("dimensions");
    let (operands, inits) = operands_and_inits(site);
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

/// The iteration space of a fold: first the result's dimensions, then those that are folded.
pub struct Fold {
    /// Extents.
    pub extents: Vec<u64>,
    /// How many of the dimensions are the result's.
    pub result_rank: usize,
    /// Where the operands are read.
    pub source: AffineMap,
}

/// The operands, and as many initial values.
pub fn operands_and_inits(site: &Site) -> (Vec<ValueId>, Vec<ValueId>) {
    let mut operands = site.operands();
    let inits = operands.split_off(operands.len() / 2);
    (operands, inits)
}

/// Folds the operands onto the initial values with the operation's body.
pub fn fold_operands(site: &mut Site, operands: Vec<ValueId>, inits: &[ValueId], fold: Fold) -> Lowered {
    let results = site.results();
    let combine = combine_body(site, &results)?;
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

/// The operation's body: from accumulators and values, of the results' types, to accumulators.
pub fn combine_body(site: &Site, results: &[Tensor]) -> Result<ScalarBody, Refusal> {
    let combine = body_of_region(site.module, site.op, 0)?;
    let expected: Vec<DType> = results.iter().chain(results).map(|result| result.dtype).collect();
    if combine.inputs != expected || combine.output_types().as_deref() != Some(&expected[..results.len()]) {
        return Err("the types in its body differ from those of its results".into());
    }
    Ok(combine)
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
    let sources = Sources::of(site, inits);
    let mut map = BodyBuilder::new(&sources.dtypes);
    let mut values = sources.registers(&mut map);
    for (value, result) in values.iter_mut().zip(results) {
        *value = map.convert(*value, result.dtype);
    }
    let map = map.finish(&values);
    let outputs = results.iter().map(|result| (site.empty(result), identity(rank))).collect();
    let extents = results[0].shape.clone();
    let inputs = sources.inputs_from(|_| to_scalar(rank));
    site.nest(NestParts { extents, reduction_dims: 0, inputs, outputs, map, combine: None })
}
