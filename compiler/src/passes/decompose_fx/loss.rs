//! Losses, for evaluation.

use super::{call::Call, promote::widen, table::Values};
use crate::{
    ir::{
        ElementType, Opcode, ValueId,
        enums::ComparisonDirection::{Eq, Ne},
    },
    passes::emit::{Emit, Number, Out, Refusal},
};

/// `mse_loss(x, target, reduction)`.
pub fn mse(e: &mut Emit, call: &Call) -> Values {
    elementwise(e, call, |e, distance| e.mul(distance, distance))
}

/// `l1_loss(x, target, reduction)`.
pub fn l1(e: &mut Emit, call: &Call) -> Values {
    elementwise(e, call, |e, distance| Ok(e.unary(Opcode::StablehloAbs, distance)))
}

fn elementwise(e: &mut Emit, call: &Call, step: fn(&mut Emit, ValueId) -> Out) -> Values {
    let (x, target) = (call.tensor(0, "self")?, call.tensor(1, "target")?);
    let (x, target) = (widen(e, x)?, widen(e, target)?);
    let distance = e.sub(x, target)?;
    let losses = step(e, distance)?;
    let y = reduced(e, losses, call.int(2, "reduction", 1)?)?;
    Ok(vec![e.convert(y, &call.element(0)?)?])
}

/// Reduction 0 none, 1 mean, 2 sum.
fn reduced(e: &mut Emit, losses: ValueId, reduction: i64) -> Out {
    let dims: Vec<i64> = (0..e.rank(losses)? as i64).collect();
    match reduction {
        0 => Ok(losses),
        1 => super::reduce::mean_of(e, losses, &dims),
        _ => e.fold(Opcode::StablehloAdd, losses, Number::Int(0), &dims),
    }
}

/// `nll_loss_forward(x, target, weight, reduction, ignore_index)` without weights: loss and total weight.
pub fn nll_loss(e: &mut Emit, call: &Call) -> Values {
    let (x, target) = (call.tensor(0, "self")?, call.tensor(1, "target")?);
    if call.has(2, "weight") {
        return Err(Refusal::from("class weights are not supported"));
    }
    let (reduction, ignored) = (call.int(3, "reduction", 1)?, call.int(4, "ignore_index", -100)?);
    let shape = e.shape(x)?;
    let [rows, classes] = shape[..] else { return Err(Refusal::from("only a batch of rows is supported")) };
    let element = e.element(x)?;
    let names = e.iota(&shape, &ElementType::I64, 1);
    let wide = e.convert(target, &ElementType::I64)?;
    let counted = e.compare_number(Ne, wide, Number::Int(ignored))?;
    let counted = e.convert(counted, &element)?;
    let wide = e.broadcast_in_dim(wide, &[rows, classes], &[0])?;
    let hit = e.compare(Eq, names, wide)?;
    let zeros = e.splat(Number::Int(0), &element, &shape)?;
    let picked = e.select(hit, x, zeros)?;
    let losses = e.fold(Opcode::StablehloAdd, picked, Number::Int(0), &[1])?;
    let losses = e.unary(Opcode::StablehloNegate, losses);
    let losses = e.mul(losses, counted)?;
    let total = e.fold(Opcode::StablehloAdd, counted, Number::Int(0), &[0])?;
    if reduction == 0 {
        let total = call.zeros(e, 1)?;
        return Ok(vec![losses, total]);
    }
    let mut loss = e.fold(Opcode::StablehloAdd, losses, Number::Int(0), &[0])?;
    if reduction == 1 {
        loss = e.div(loss, total)?;
    }
    Ok(vec![loss, total])
}
