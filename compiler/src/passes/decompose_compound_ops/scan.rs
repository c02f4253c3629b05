//! `chlo.scan`, written out: its body once a position, each with the carried values of the one before.

use super::Refusal;
use crate::{
    ir::{Attribute, OpId, ValueId, ops::view::View},
    passes::emit::Emit,
};

/// More positions would make a program that is too large.
const POSITIONS_MAX: i64 = 4096;

/// Outputs joined along the dimension, then the last carried values.
pub fn scan(e: &mut Emit, op: OpId) -> Result<Vec<ValueId>, Refusal> {
    let operation = e.module.op(op);
    let dim = operation.attr("dimension").and_then(Attribute::as_i64).unwrap_or(0) as usize;
    let backwards = operation.attr("is_reverse").and_then(Attribute::as_bool).unwrap_or(false);
    let (operands, results) = (operation.operands.to_vec(), operation.results.to_vec());
    let block = e.module.region_block(op, 0).expect("the verifier should have seen the body of a scan");
    let carried_count = View::of(e.module, op).group("inits").len();
    let (inputs, inits) = operands.split_at(operands.len() - carried_count);
    let outputs_count = results.len() - carried_count;
    let extent = e.shape(inputs[0])?[dim];
    if !(1..=POSITIONS_MAX).contains(&extent) {
        return Err(Refusal(format!("{extent} positions can't be written out (1 to {POSITIONS_MAX} can)")));
    }
    let mut carried = inits.to_vec();
    let mut rows: Vec<Vec<ValueId>> = vec![Vec::new(); outputs_count];
    for position in 0..extent {
        let at = if backwards { extent - 1 - position } else { position };
        let mut values = Vec::new();
        for input in inputs {
            let part = e.slice_dim(*input, dim, at, at + 1, 1)?;
            let mut shape = e.shape(part)?;
            shape.remove(dim);
            values.push(e.reshape(part, &shape)?);
        }
        values.extend(&carried);
        let given = e.inline_block(block, &values);
        carried = given[outputs_count..].to_vec();
        rows.iter_mut().zip(given).for_each(|(list, value)| list.push(value));
    }
    let mut joined = Vec::new();
    for (mut list, result) in rows.into_iter().zip(&results) {
        if backwards {
            list.reverse();
        }
        let mut row = e.shape(*result)?;
        row[dim] = 1;
        let parts = list.into_iter().map(|value| e.reshape(value, &row)).collect::<Result<Vec<_>, _>>()?;
        joined.push(e.concatenate(&parts, dim)?);
    }
    joined.extend(carried);
    Ok(joined)
}
