//! Affine maps: put one behind another, and through a view.

use smallvec::smallvec;

use crate::ir::attribute::{AffineMap, LinearExpr};

/// The map with what does not matter taken out: steps along dimensions of one position.
pub fn canonical(map: &AffineMap, extents: &[u64]) -> AffineMap {
    let mut map = map.clone();
    for result in &mut map.results {
        for (coefficient, extent) in result.coefficients.iter_mut().zip(extents) {
            if *extent == 1 {
                *coefficient = 0;
            }
        }
    }
    map
}

/// True if the map goes through a tensor of this shape as the iteration space does: every element once, in order.
pub fn is_identity(map: &AffineMap, extents: &[u64], shape: &[u64]) -> bool {
    let own = |(d, result): (usize, &LinearExpr)| {
        let steps = |(at, coefficient): (usize, &i64)| *coefficient == i64::from(at == d) || extents[at] == 1;
        result.constant == 0 && result.coefficients.iter().enumerate().all(steps)
    };
    extents == shape && map.results.len() == shape.len() && map.results.iter().enumerate().all(own)
}

/// `outer` where its dimensions are what `point` says. None if a number is out of range.
pub fn compose(outer: &AffineMap, point: &AffineMap) -> Option<AffineMap> {
    let results = outer.results.iter().map(|result| combine(result, &point.results, point.dim_count));
    Some(AffineMap { dim_count: point.dim_count, results: results.collect::<Option<_>>()? })
}

/// `Σ coefficients[i] * values[i] + constant`.
fn combine(expr: &LinearExpr, values: &[LinearExpr], dim_count: usize) -> Option<LinearExpr> {
    let mut sum = LinearExpr { coefficients: smallvec![0; dim_count], constant: expr.constant };
    for (coefficient, value) in expr.coefficients.iter().zip(values) {
        sum.constant = sum.constant.checked_add(coefficient.checked_mul(value.constant)?)?;
        for (own, other) in sum.coefficients.iter_mut().zip(&value.coefficients) {
            *own = own.checked_add(coefficient.checked_mul(*other)?)?;
        }
    }
    Some(sum)
}

/// The map into a tensor of shape `to` that touches the element which `map` touches in the same bytes seen as shape `from`.
///
/// Each dimension of the iteration space has to step along one dimension of `to`; none where it runs through several.
pub fn through_view(map: &AffineMap, extents: &[u64], from: &[u64], to: &[u64]) -> Option<AffineMap> {
    let flat = combine(&flatten(from)?, &canonical(map, extents).results, map.dim_count)?;
    let mut rest = flat.constant;
    let steps = flatten(to)?.coefficients;
    let mut results = Vec::with_capacity(to.len());
    let mut taken = vec![false; map.dim_count];
    for (step, extent) in steps.iter().zip(to) {
        let mut result = LinearExpr { coefficients: smallvec![0; map.dim_count], constant: 0 };
        if *extent > 1 {
            for (d, coefficient) in flat.coefficients.iter().enumerate() {
                if !taken[d] && *coefficient != 0 && coefficient % step == 0 {
                    taken[d] = true;
                    result.coefficients[d] = coefficient / step;
                }
            }
            result.constant = rest / step;
            rest %= step;
        }
        results.push(result);
    }
    let is_whole = rest == 0 && taken.iter().zip(&flat.coefficients).all(|(taken, own)| *taken || *own == 0);
    let map = AffineMap { dim_count: map.dim_count, results };
    (is_whole && lies_within(&map, extents, to)).then_some(map)
}

/// From a position in a shape to the number of the element.
fn flatten(shape: &[u64]) -> Option<LinearExpr> {
    let (mut step, mut coefficients) = (1i64, smallvec![0; shape.len()]);
    for (coefficient, extent) in coefficients.iter_mut().zip(shape).rev() {
        *coefficient = step;
        step = step.checked_mul(i64::try_from(*extent).ok()?)?;
    }
    Some(LinearExpr { coefficients, constant: 0 })
}

/// True if every position is one of the shape: then positions and numbers of elements stand for each other.
fn lies_within(map: &AffineMap, extents: &[u64], shape: &[u64]) -> bool {
    map.results.iter().zip(shape).all(|(result, own)| {
        let (mut least, mut most) = (i128::from(result.constant), i128::from(result.constant));
        for (coefficient, extent) in result.coefficients.iter().zip(extents) {
            let reach = i128::from(*coefficient) * (i128::from(*extent) - 1);
            least += reach.min(0);
            most += reach.max(0);
        }
        least >= 0 && most < i128::from(*own)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lower::site::{dim, fixed, identity, strided};

    fn map(dim_count: usize, results: Vec<LinearExpr>) -> AffineMap {
        AffineMap { dim_count, results }
    }

    #[test]
    fn views_that_split_merge_insert_and_remove_dimensions_are_affine() {
        // Read as 2x3 what lies as 6: the number of the element.
        let merged = through_view(&identity(2), &[2, 3], &[2, 3], &[6]);
        assert_eq!(merged, Some(map(2, vec![LinearExpr { coefficients: smallvec![3, 1], constant: 0 }])));
        // Read as 2x1x3 what lies as 2x3, and the other way round.
        assert_eq!(
            through_view(&identity(3), &[2, 1, 3], &[2, 1, 3], &[2, 3]),
            Some(map(3, vec![dim(0, 3), dim(2, 3)]))
        );
        assert_eq!(
            through_view(&identity(2), &[2, 3], &[2, 3], &[2, 1, 3]),
            Some(map(2, vec![dim(0, 2), fixed(0, 2), dim(1, 2)]))
        );
        // A slice keeps its start, also where it begins in another row.
        assert_eq!(
            through_view(&map(1, vec![strided(0, 1, 3, 1)]), &[3], &[6], &[2, 3]),
            Some(map(1, vec![fixed(1, 1), dim(0, 1)]))
        );
    }

    #[test]
    fn a_dimension_that_runs_through_two_is_not_affine() {
        assert_eq!(through_view(&identity(1), &[6], &[6], &[2, 3]), None);
        // Backwards through a row is fine, backwards over its end is not.
        assert!(through_view(&map(1, vec![strided(0, -1, 2, 1)]), &[3], &[6], &[2, 3]).is_some());
        assert_eq!(through_view(&map(1, vec![strided(0, -1, 3, 1)]), &[3], &[6], &[2, 3]), None);
    }
}
