//! `chlo.broadcast_*`: operands stretched to one shape, then the operation.

use super::Parts;
use crate::{
    ir::{Attribute, OpId, Opcode, Type, ValueId},
    passes::emit::{Emit, Out, Refusal},
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
    let mut shape: Vec<i64> = Vec::new();
    for operand in &operands {
        shape = join(&shape, &e.shape(*operand)?)?;
    }
    let rank = shape.len();
    let stretch = |e: &mut Emit, value: ValueId| -> Out {
        match &dims {
            Some(dims) if e.rank(value)? == dims.len() && dims.len() < rank => e.broadcast_in_dim(value, &shape, dims),
            _ => e.broadcast(value, &shape),
        }
    };
    let values = operands.iter().map(|value| stretch(e, *value)).collect::<Result<Vec<_>, _>>()?;
    e.tags = attrs;
    let element = e.element(result)?;
    let ty = Type::from(crate::ir::TensorType::new(
        &shape.iter().map(|extent| extent.unsigned_abs()).collect::<Vec<_>>(),
        element,
    ));
    Ok(Some(vec![e.op(opcode, &values, ty, &[])]))
}

/// The shape to which two shapes broadcast.
fn join(left: &[i64], right: &[i64]) -> Result<Vec<i64>, Refusal> {
    let rank = left.len().max(right.len());
    let extent = |shape: &[i64], at: usize| (at + shape.len()).checked_sub(rank).map_or(1, |at| shape[at]);
    (0..rank)
        .map(|at| match (extent(left, at), extent(right, at)) {
            (a, b) if a == b || b == 1 => Ok(a),
            (1, b) => Ok(b),
            _ => Err(Refusal(format!("shapes {left:?} and {right:?} do not broadcast"))),
        })
        .collect()
}
