//! Rules about positions and shapes that turn out to be known.

use std::sync::Arc;

use super::super::build::{constant_before, constant_of, op_before, static_tensor};
use crate::ir::{AttrMap, Attribute, Module, OpId, Opcode, Type, ValueId, attribute::DenseElements};

type Rewritten = Option<Vec<ValueId>>;

/// StableHLO clamps the position so that the slice lies inside.
pub fn slice_known(module: &mut Module, op: OpId) -> Rewritten {
    let operation = module.op(op);
    let operand = operation.operands[0];
    let (shape, _) = static_tensor(module, operand)?;
    let sizes = operation.attr("slice_sizes")?.as_i64_slice()?.to_vec();
    let mut starts = Vec::new();
    for ((index, extent), size) in operation.operands[1..].iter().zip(&shape).zip(&sizes) {
        let start_max = i64::try_from(*extent).ok()? - size;
        // A slice of the whole extent starts at 0 wherever it is asked to.
        starts.push(if start_max == 0 { 0 } else { constant_of(module, *index)?.splat_integer()?.clamp(0, start_max.max(0)) });
    }
    let limits = starts.iter().zip(&sizes).map(|(start, size)| start + size);
    let attrs = [
        ("limit_indices", Attribute::i64_array(limits.collect::<Vec<_>>())),
        ("strides", Attribute::i64_array(starts.iter().map(|_| 1).collect::<Vec<_>>())),
        ("start_indices", Attribute::i64_array(starts)),
    ];
    Some(vec![rebuilt(module, op, Opcode::StablehloSlice, &[operand], &["slice_sizes"], attrs)])
}

/// An update as large as the operand replaces it, wherever it is asked to start.
pub fn update_all(module: &mut Module, op: OpId) -> Rewritten {
    let operation = module.op(op);
    let update = operation.operands[1];
    static_tensor(module, update)?;
    (module.ty(update) == module.ty(operation.results[0])).then(|| vec![update])
}

/// The result's type is static, so it says all.
pub fn reshape_known(module: &mut Module, op: OpId) -> Rewritten {
    let operation = module.op(op);
    let operand = operation.operands[0];
    static_tensor(module, operand)?;
    static_tensor(module, operation.results[0])?;
    Some(vec![rebuilt(module, op, Opcode::StablehloReshape, &[operand], &[], [])])
}

pub fn broadcast_known(module: &mut Module, op: OpId) -> Rewritten {
    let operation = module.op(op);
    let operand = operation.operands[0];
    static_tensor(module, operand)?;
    static_tensor(module, operation.results[0])?;
    let removed = ["known_expanding_dimensions", "known_nonexpanding_dimensions"];
    Some(vec![rebuilt(module, op, Opcode::StablehloBroadcastInDim, &[operand], &removed, [])])
}

pub fn iota_known(module: &mut Module, op: OpId) -> Rewritten {
    static_tensor(module, module.op(op).results[0])?;
    Some(vec![rebuilt(module, op, Opcode::StablehloIota, &[], &[], [])])
}

pub fn pad_known(module: &mut Module, op: OpId) -> Rewritten {
    let operands = module.op(op).operands.clone();
    static_tensor(module, operands[0])?;
    static_tensor(module, module.op(op).results[0])?;
    let amounts = |at: usize| constant_of(module, *operands.get(at)?)?.integers().map(Attribute::i64_array);
    let attrs =
        [("edge_padding_low", amounts(2)?), ("edge_padding_high", amounts(3)?), ("interior_padding", amounts(4)?)];
    Some(vec![rebuilt(module, op, Opcode::StablehloPad, &operands[..2], &[], attrs)])
}

pub fn real_slice_known(module: &mut Module, op: OpId) -> Rewritten {
    let operands = module.op(op).operands.clone();
    static_tensor(module, operands[0])?;
    static_tensor(module, module.op(op).results[0])?;
    let amounts = |at: usize| constant_of(module, *operands.get(at)?)?.integers().map(Attribute::i64_array);
    let attrs = [("start_indices", amounts(1)?), ("limit_indices", amounts(2)?), ("strides", amounts(3)?)];
    Some(vec![rebuilt(module, op, Opcode::StablehloSlice, &operands[..1], &[], attrs)])
}

/// The extent of a static dimension is a constant.
pub fn dimension_size(module: &mut Module, op: OpId) -> Rewritten {
    let operation = module.op(op);
    let dim = usize::try_from(operation.attr("dimension")?.as_i64()?).ok()?;
    let crate::ir::Dim::Static(extent) = module.ty(operation.operands[0]).as_tensor()?.shape.get(dim)?.clone() else {
        return None;
    };
    let Type::Tensor(ty) = module.ty(operation.results[0]) else { return None };
    let elements = DenseElements::splat(Arc::clone(ty), &i32::try_from(extent).ok()?.to_le_bytes());
    Some(vec![constant_before(module, op, elements)])
}

/// Counting up a dimension of extent 1 gives 0 everywhere.
pub fn iota_unit(module: &mut Module, op: OpId) -> Rewritten {
    let operation = module.op(op);
    let (shape, ty) = static_tensor(module, operation.results[0])?;
    let dim = usize::try_from(operation.attr("iota_dimension")?.as_i64()?).ok()?;
    if shape.get(dim) != Some(&1) || shape.contains(&0) {
        return None;
    }
    let zero = vec![0u8; ty.element.dtype()?.size_bytes()];
    Some(vec![constant_before(module, op, DenseElements::splat(ty, &zero))])
}

/// Another operation with the same result, location and marks.
fn rebuilt<const N: usize>(
    module: &mut Module,
    op: OpId,
    opcode: Opcode,
    operands: &[ValueId],
    removed: &[&str],
    added: [(&str, Attribute); N],
) -> ValueId {
    let mut attrs: AttrMap = module.op(op).attrs.clone();
    for name in removed {
        attrs.remove(name);
    }
    for (name, value) in added {
        attrs.set(name, value);
    }
    let ty = module.ty(module.op(op).results[0]).clone();
    op_before(module, op, opcode, operands, ty, attrs)
}
