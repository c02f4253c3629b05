//! `chlo.broadcast_*`: operands stretched to one shape, then the operation.

use super::Parts;
use crate::{
    ir::{Attribute, OpId, Opcode, ValueId},
    passes::emit::{Emit, tensor_type},
};

/// The operation that a broadcasting one applies.
fn inner(opcode: Opcode) -> Option<Opcode> {
    Some(match opcode {
        Opcode::ChloBroadcastAdd => Opcode::StablehloAdd,
        Opcode::ChloBroadcastAnd => Opcode::StablehloAnd,
        Opcode::ChloBroadcastAtan2 => Opcode::StablehloAtan2,
        Opcode::ChloBroadcastCompare => Opcode::StablehloCompare,
        Opcode::ChloBroadcastComplex => Opcode::StablehloComplex,
        Opcode::ChloBroadcastDivide => Opcode::StablehloDivide,
        Opcode::ChloBroadcastMaximum => Opcode::StablehloMaximum,
        Opcode::ChloBroadcastMinimum => Opcode::StablehloMinimum,
        Opcode::ChloBroadcastMultiply => Opcode::StablehloMultiply,
        Opcode::ChloBroadcastNextAfter => Opcode::ChloNextAfter,
        Opcode::ChloBroadcastOr => Opcode::StablehloOr,
        Opcode::ChloBroadcastPolygamma => Opcode::ChloPolygamma,
        Opcode::ChloBroadcastPower => Opcode::StablehloPower,
        Opcode::ChloBroadcastRemainder => Opcode::StablehloRemainder,
        Opcode::ChloBroadcastSelect => Opcode::StablehloSelect,
        Opcode::ChloBroadcastShiftLeft => Opcode::StablehloShiftLeft,
        Opcode::ChloBroadcastShiftRightArithmetic => Opcode::StablehloShiftRightArithmetic,
        Opcode::ChloBroadcastShiftRightLogical => Opcode::StablehloShiftRightLogical,
        Opcode::ChloBroadcastSubtract => Opcode::StablehloSubtract,
        Opcode::ChloBroadcastXor => Opcode::StablehloXor,
        Opcode::ChloBroadcastZeta => Opcode::ChloZeta,
        _ => return None,
    })
}

/// Stretches the operands and applies the operation; none if it is no broadcasting one.
pub fn broadcasting(e: &mut Emit, op: OpId) -> Parts {
    let operation = e.module.op(op);
    let Some(opcode) = inner(operation.opcode) else { return Ok(None) };
    let (operands, mut attrs, result) = (operation.operands.to_vec(), operation.attrs.clone(), operation.results[0]);
    let dims = match attrs.remove("broadcast_dimensions") {
        Some(Attribute::DenseArray { values, .. }) => Some(values),
        _ => None,
    };
    let ranks = operands.iter().map(|operand| e.rank(*operand)).collect::<Result<Vec<_>, _>>()?;
    let rank = ranks.iter().copied().max().unwrap_or(0);
    // The dimensions of the first operand of the lowest rank lie where the operation says, others at the end.
    let least = ranks.iter().position(|own| Some(own) == ranks.iter().min());
    let placed = |(at, own): (usize, &usize)| match &dims {
        Some(dims) if Some(at) == least => dims.to_vec(),
        _ => (rank - own..rank).map(|dim| dim as i64).collect(),
    };
    let places: Vec<Vec<i64>> = ranks.iter().enumerate().map(placed).collect();
    let mut shape = vec![1; rank];
    for (operand, dims) in operands.iter().zip(&places) {
        for (extent, dim) in e.shape(*operand)?.into_iter().zip(dims).filter(|(extent, _)| *extent != 1) {
            shape[*dim as usize] = extent;
        }
    }
    let stretch = |(value, dims): (&ValueId, &Vec<i64>)| e.broadcast_in_dim(*value, &shape, dims);
    let values = operands.iter().zip(&places).map(stretch).collect::<Result<Vec<_>, _>>()?;
    e.tags = attrs;
    let ty = tensor_type(&shape, &e.element(result)?);
    Ok(Some(vec![e.op(opcode, &values, ty, &[])]))
}
