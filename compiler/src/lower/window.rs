//! `reduce_window`, in one of three ways.
//!
//! - A small window is unrolled: one nest reads all its elements and combines them one after another. That is what the
//!   specification's interpreter does, so that even the roundings of its sums are met.
//! - A window over all that comes before or after (a cumulative sum) is a scan: each step combines elements that are
//!   twice as far apart (Hillis and Steele, Data Parallel Algorithms, 1986).
//! - Any other is a fold along the window's dimensions.

use pygraph_artifact::{dtype::DType, scalar::ScalarBody, validate::array_bytes};
use smallvec::smallvec;

use super::{
    Lowered,
    body::{self, BodyBuilder},
    elementwise::Sources,
    movement::{Padding, padded},
    reduction::{Fold, combine_body, fold_operands, operands_and_inits},
    site::{NestParts, Site, Tensor, identity, to_scalar},
};
use crate::ir::{
    ValueId,
    attribute::{AffineMap, LinearExpr},
};

/// The most elements of all windows that an unrolled nest reads.
const UNROLLED_MAX: u64 = 64;

/// What `reduce_window` says of its windows, one number a dimension.
struct Windows {
    extents: Vec<i64>,
    strides: Vec<i64>,
    dilations: Vec<i64>,
    paddings: Vec<Padding>,
}

/// `reduce_window`
pub fn reduce_window(site: &mut Site) -> Lowered {
    let windows = windows(site);
    let (mut operands, inits) = operands_and_inits(site);
    let size = windows.extents.iter().try_fold(operands.len() as u64, |size, extent| size.checked_mul(*extent as u64));
    let is_small = size.is_some_and(|size| size <= UNROLLED_MAX);
    if !is_small && let Some(scan) = scan_of(site, &windows, operands[0]) {
        return scanned(site, operands, &inits, &scan);
    }
    if windows.paddings.iter().any(|padding| *padding != Padding::NONE) {
        for (operand, init) in operands.iter_mut().zip(&inits) {
            let source = site.tensor(*operand);
            let init = converted_scalar(site, *init, source.dtype);
            let shape = padded_shape(&source, &windows.paddings).ok_or("the padded operand is too large")?;
            let result = Tensor { dtype: source.dtype, shape };
            *operand = padded(site, *operand, init, &windows.paddings, &result);
        }
    }
    if is_small { unrolled(site, &operands, &inits, &windows) } else { folded(site, operands, &inits, &windows) }
}

fn windows(site: &Site) -> Windows {
    let extents = site.int_list("window_dimensions");
    let rank = extents.len();
    let base_dilations = site.int_list_or("base_dilations", rank, 1);
    let padding = site.pairs_or_zero("padding", rank);
    let paddings = padding
        .iter()
        .zip(&base_dilations)
        .map(|((low, high), dilation)| Padding { low: *low, high: *high, interior: dilation - 1 })
        .collect();
    let strides = site.int_list_or("window_strides", rank, 1);
    let dilations = site.int_list_or("window_dilations", rank, 1);
    Windows { extents, strides, dilations, paddings }
}

fn padded_shape(source: &Tensor, paddings: &[Padding]) -> Option<Vec<u64>> {
    let shape: Option<Vec<u64>> =
        source.shape.iter().zip(paddings).map(|(extent, padding)| padding.extent(*extent)).collect();
    shape.filter(|shape| array_bytes(source.dtype, shape).is_some())
}

/// One nest without a fold: its inputs are the elements of the window.
fn unrolled(site: &mut Site, operands: &[ValueId], inits: &[ValueId], windows: &Windows) -> Lowered {
    let results = site.results();
    let rank = results[0].rank();
    let combine = combine_body(site, &results)?;
    let sources = Sources::of(site, inits);
    let mut dtypes = sources.dtypes.clone();
    let first = dtypes.len();
    let points = points(&windows.extents);
    for _ in &points {
        dtypes.extend(operands.iter().map(|operand| site.tensor(*operand).dtype));
    }
    let mut body = BodyBuilder::new(&dtypes);
    let mut values = sources.registers(&mut body);
    let mut inputs = sources.inputs_from(|_| to_scalar(rank));
    for (value, result) in values.iter_mut().zip(&results) {
        *value = body.convert(*value, result.dtype);
    }
    for (number, point) in points.iter().enumerate() {
        let map = AffineMap { dim_count: rank, results: window_map(windows, rank, point) };
        for (index, (operand, result)) in operands.iter().zip(&results).enumerate() {
            inputs.push((*operand, map.clone()));
            let element = body.input(first + number * operands.len() + index);
            values.push(body.convert(element, result.dtype));
        }
        values = body.inline(&combine, &values);
    }
    let outputs = results.iter().map(|result| (site.empty(result), identity(rank))).collect();
    let extents = results[0].shape.clone();
    let map = body.finish(&values);
    Ok(site.nest(NestParts { extents, reduction_dims: 0, inputs, outputs, map, combine: None }))
}

/// Every position in a window, in order.
fn points(extents: &[i64]) -> Vec<Vec<i64>> {
    let mut points = vec![Vec::new()];
    for extent in extents {
        let longer = |point: &Vec<i64>| {
            let point = point.clone();
            (0..*extent).map(move |position| point.iter().copied().chain([position]).collect())
        };
        points = points.iter().flat_map(longer).collect();
    }
    points
}

fn window_map(windows: &Windows, rank: usize, point: &[i64]) -> Vec<LinearExpr> {
    let result = |d: usize| {
        let mut coefficients = smallvec![0; rank];
        coefficients[d] = windows.strides[d];
        LinearExpr { coefficients, constant: point[d] * windows.dilations[d] }
    };
    (0..rank).map(result).collect()
}

fn folded(site: &mut Site, operands: Vec<ValueId>, inits: &[ValueId], windows: &Windows) -> Lowered {
    let rank = windows.extents.len();
    let result_shape = site.result(0).shape;
    let extents: Vec<u64> =
        result_shape.iter().copied().chain(windows.extents.iter().map(|extent| *extent as u64)).collect();
    let dim_count = extents.len();
    let results = (0..rank)
        .map(|d| {
            let mut coefficients = smallvec![0; dim_count];
            coefficients[d] = windows.strides[d];
            coefficients[rank + d] = windows.dilations[d];
            LinearExpr { coefficients, constant: 0 }
        })
        .collect();
    let fold = Fold { extents, result_rank: rank, source: AffineMap { dim_count, results } };
    fold_operands(site, operands, inits, fold)
}

/// A window from the first element to the current one, or from the current one to the last.
struct Scan {
    dimension: usize,
    extent: u64,
    is_reverse: bool,
}

fn scan_of(site: &Site, windows: &Windows, operand: ValueId) -> Option<Scan> {
    let source = site.tensor(operand);
    let mut wide = (0..windows.extents.len()).filter(|d| windows.extents[*d] != 1);
    let (dimension, None) = (wide.next()?, wide.next()) else { return None };
    let extent = source.shape[dimension];
    let reach = i64::try_from(extent).ok()? - 1;
    let is_plain = windows.strides.iter().chain(&windows.dilations).all(|number| *number == 1);
    let others = windows.paddings.iter().enumerate().filter(|(d, _)| *d != dimension);
    let is_along =
        windows.extents[dimension] == reach + 1 && others.clone().all(|(_, padding)| *padding == Padding::NONE);
    let is_reverse = match windows.paddings[dimension] {
        Padding { low, high: 0, interior: 0 } if low == reach => false,
        Padding { low: 0, high, interior: 0 } if high == reach => true,
        _ => return None,
    };
    (is_plain && is_along && extent > 0).then_some(Scan { dimension, extent, is_reverse })
}

fn scanned(site: &mut Site, operands: Vec<ValueId>, inits: &[ValueId], scan: &Scan) -> Lowered {
    let results = site.results();
    let combine = combine_body(site, &results)?;
    let mut values = combined_with_inits(site, &operands, inits, &results, &combine);
    let mut distance = 1;
    while distance < scan.extent {
        values = scan_step(site, &values, &results, &combine, scan, distance);
        distance *= 2;
    }
    Ok(values)
}

/// Each element combined with the initial value.
fn combined_with_inits(
    site: &mut Site,
    operands: &[ValueId],
    inits: &[ValueId],
    results: &[Tensor],
    combine: &ScalarBody,
) -> Vec<ValueId> {
    let rank = results[0].rank();
    let values: Vec<ValueId> = inits.iter().chain(operands).copied().collect();
    let sources = Sources::of(site, &values);
    let mut body = BodyBuilder::new(&sources.dtypes);
    let mut registers = sources.registers(&mut body);
    for (register, result) in registers.iter_mut().zip(results.iter().chain(results)) {
        *register = body.convert(*register, result.dtype);
    }
    let combined = body.inline(combine, &registers);
    let map = body.finish(&combined);
    let inputs = sources.inputs_from(|tensor| if tensor.rank() == rank { identity(rank) } else { to_scalar(rank) });
    let outputs = results.iter().map(|result| (site.empty(result), identity(rank))).collect();
    let extents = results[0].shape.clone();
    site.nest(NestParts { extents, reduction_dims: 0, inputs, outputs, map, combine: None })
}

/// Combines what lies `distance` apart; the elements without a partner are copied.
fn scan_step(
    site: &mut Site,
    values: &[ValueId],
    results: &[Tensor],
    combine: &ScalarBody,
    scan: &Scan,
    distance: u64,
) -> Vec<ValueId> {
    let rank = results[0].rank();
    let moved = |by: u64| {
        let mut map = identity(rank);
        map.results[scan.dimension].constant = by as i64;
        map
    };
    let rest = scan.extent - distance;
    // Where the copied elements begin, and those that have a partner.
    let (copied, paired) = if scan.is_reverse { (rest, 0) } else { (0, distance) };
    let dtypes: Vec<DType> = results.iter().map(|result| result.dtype).collect();
    let with_extent = |extent: u64| {
        let mut extents = results[0].shape.clone();
        extents[scan.dimension] = extent;
        extents
    };
    let outputs = results.iter().map(|result| (site.empty(result), moved(copied))).collect();
    let copies = site.nest(NestParts {
        extents: with_extent(distance),
        reduction_dims: 0,
        inputs: values.iter().map(|value| (*value, moved(copied))).collect(),
        outputs,
        map: body::identities(&dtypes),
        combine: None,
    });
    let earlier = values.iter().map(|value| (*value, moved(0)));
    let later = values.iter().map(|value| (*value, moved(distance)));
    site.nest(NestParts {
        extents: with_extent(rest),
        reduction_dims: 0,
        inputs: earlier.chain(later).collect(),
        outputs: copies.into_iter().map(|value| (value, moved(paired))).collect(),
        map: combine.clone(),
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
