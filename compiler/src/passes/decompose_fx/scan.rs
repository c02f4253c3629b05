//! Running folds (`cumsum`, `cumprod`, `cummax`, …), in log₂(n) steps that each join elements a power of two apart
//! (Hillis and Steele, 1986): StableHLO's own spelling, a padded `reduce_window`, reads n elements for each one.

use super::{
    call::Call,
    promote::{accumulator, category},
    table::Values,
};
use crate::{
    ir::{ElementType, Opcode, ValueId, enums::ComparisonDirection},
    passes::emit::{Emit, Number, Refusal, highest, lowest},
};

/// Joins earlier and later running values, one a tensor.
type Join<'a> = &'a dyn Fn(&mut Emit, &[ValueId], &[ValueId]) -> Result<Vec<ValueId>, Refusal>;

/// The running fold of tensors along a dimension. `starts` are neutral.
fn running(e: &mut Emit, tensors: &[ValueId], starts: &[Number], dim: usize, join: Join) -> Values {
    let mut values = tensors.to_vec();
    let shape = e.shape(tensors[0])?;
    let Some(extent) = shape.get(dim).copied() else { return Ok(values) };
    let mut distance = 1;
    while distance < extent {
        let mut earlier = Vec::new();
        for (value, start) in values.iter().zip(starts) {
            let head = e.slice_dim(*value, dim, 0, extent - distance, 1)?;
            let element = e.element(*value)?;
            let start = e.scalar(*start, &element)?;
            let zeros = vec![0; shape.len()];
            let mut low = zeros.clone();
            low[dim] = distance;
            earlier.push(e.pad(head, start, &low, &zeros, &zeros)?);
        }
        values = join(e, &earlier, &values)?;
        distance *= 2;
    }
    Ok(values)
}

/// `cumsum` and `cumprod`.
pub fn cumulate(e: &mut Emit, call: &Call, opcode: Opcode, start: i64) -> Values {
    let element = call.element(0)?;
    let x = call.tensor(0, "self")?;
    let dim = call.dim(1, "dim", 0, e.rank(x)?)?;
    let x = e.convert(x, &accumulator(&element))?;
    let y = running(e, &[x], &[Number::Int(start)], dim, &|e, a, b| Ok(vec![e.binary(opcode, a[0], b[0])?]))?;
    Ok(vec![e.convert(y[0], &element)?])
}

/// `logcumsumexp`.
pub fn logcumsumexp(e: &mut Emit, call: &Call) -> Values {
    let element = call.element(0)?;
    let x = call.tensor(0, "self")?;
    let dim = call.dim(1, "dim", 0, e.rank(x)?)?;
    let x = e.convert(x, &accumulator(&element))?;
    let start = [Number::Float(f64::NEG_INFINITY)];
    let y = running(e, &[x], &start, dim, &|e, a, b| Ok(vec![super::pointwise::logaddexp_of(e, a[0], b[0])?]))?;
    Ok(vec![e.convert(y[0], &element)?])
}

/// `cummax` and `cummin`: values and the last position where each was reached.
pub fn running_extremum(e: &mut Emit, call: &Call, direction: ComparisonDirection) -> Values {
    let x = call.tensor(0, "self")?;
    let (shape, element) = (e.shape(x)?, e.element(x)?);
    let dim = call.dim(1, "dim", 0, shape.len())?;
    if shape.is_empty() {
        return Ok(vec![x, call.zeros(e, 1)?]);
    }
    let positions = e.iota(&shape, &ElementType::I64, dim);
    let worst = if direction == ComparisonDirection::Ge { lowest(&element) } else { highest(&element) };
    let is_float = category(&element) == 2;
    running(e, &[x, positions], &[worst, Number::Int(0)], dim, &|e, a, b| {
        let mut later = e.compare(direction, b[0], a[0])?;
        if is_float {
            let nan = e.is_nan(b[0])?;
            later = e.binary(Opcode::StablehloOr, later, nan)?;
        }
        Ok(vec![e.select(later, b[0], a[0])?, e.select(later, b[1], a[1])?])
    })
}
