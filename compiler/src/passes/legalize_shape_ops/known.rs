//! Integers that operations on shapes compute, where their operands are known.

use std::collections::HashMap;

use crate::ir::{Attribute, ElementType, Module, OpId, Opcode, Type, ValueId, attribute::DenseElements};

/// Shapes and what is computed from them are short.
const LENGTH_MAX: u64 = 256;

/// The integers of each result of an operation, row-major; none if they are not known.
pub fn evaluate(module: &Module, op: OpId, known: &HashMap<ValueId, Vec<i64>>) -> Option<Vec<Vec<i64>>> {
    let operation = module.op(op);
    if !operation.results.iter().all(|result| is_integral(module.ty(*result))) {
        return None;
    }
    let operand = |at: usize| known.get(operation.operands.get(at)?).cloned();
    let int = |name: &str| operation.attr(name).and_then(Attribute::as_i64);
    let one = |values: Vec<i64>| Some(vec![values]);
    match operation.opcode {
        Opcode::ArithConstant | Opcode::StablehloConstant => one(constant(operation.attr("value")?)?),
        Opcode::TensorDim => {
            let dim = usize::try_from(*operand(1)?.first()?).ok()?;
            one(vec![extents(module, operation.operands[0])?.get(dim)?.to_owned()?])
        }
        Opcode::StablehloGetDimensionSize => {
            let dim = usize::try_from(int("dimension")?).ok()?;
            one(vec![extents(module, operation.operands[0])?.get(dim)?.to_owned()?])
        }
        Opcode::ShapeShapeOf => one(extents(module, operation.operands[0])?.into_iter().collect::<Option<_>>()?),
        Opcode::TensorFromElements => {
            let elements = (0..operation.operands.len()).map(|at| operand(at)?.first().copied());
            one(elements.collect::<Option<_>>()?)
        }
        Opcode::TensorExtract => one(vec![extract(module, op, &operand(0)?, known)?]),
        Opcode::ShapeNumElements => {
            one(vec![operand(0)?.iter().try_fold(1i64, |count, extent| count.checked_mul(*extent))?])
        }
        Opcode::ShapeBroadcast => {
            let shapes = (0..operation.operands.len()).map(operand).collect::<Option<Vec<_>>>()?;
            one(broadcast(&shapes)?)
        }
        Opcode::ShapeConcat => one([operand(0)?, operand(1)?].concat()),
        Opcode::ShapeSplitAt => {
            let (shape, at) = (operand(0)?, *operand(1)?.first()?);
            let at = usize::try_from(if at < 0 { at + shape.len() as i64 } else { at }).ok()?;
            let (head, tail) = shape.split_at_checked(at)?;
            Some(vec![head.to_vec(), tail.to_vec()])
        }
        Opcode::StablehloConcatenate => {
            let parts = (0..operation.operands.len()).map(operand).collect::<Option<Vec<_>>>()?;
            one(parts.concat())
        }
        Opcode::ShapeToExtentTensor
        | Opcode::ArithIndexCast
        | Opcode::ArithExtsi
        | Opcode::ArithTrunci
        | Opcode::StablehloConvert
        | Opcode::StablehloReshape
        | Opcode::TensorCast => one(operand(0)?),
        Opcode::StablehloSlice => one(slice(op, module, &operand(0)?)?),
        Opcode::ArithSelect | Opcode::StablehloSelect => {
            let (condition, yes, no) = (operand(0)?, operand(1)?, operand(2)?);
            let choose = |at: usize| if condition[at % condition.len()] != 0 { yes.get(at) } else { no.get(at) };
            if condition.is_empty() {
                None
            } else {
                one((0..yes.len()).map(|at| choose(at).copied()).collect::<Option<_>>()?)
            }
        }
        opcode => {
            let apply = binary(opcode)?;
            let (left, right) = (operand(0)?, operand(1)?);
            (left.len() == right.len()).then_some(())?;
            one(left.iter().zip(&right).map(|(left, right)| apply(*left, *right)).collect::<Option<_>>()?)
        }
    }
}

fn binary(opcode: Opcode) -> Option<fn(i64, i64) -> Option<i64>> {
    Some(match opcode {
        Opcode::ArithAddi | Opcode::StablehloAdd => i64::checked_add,
        Opcode::ArithSubi | Opcode::StablehloSubtract => i64::checked_sub,
        Opcode::ArithMuli | Opcode::StablehloMultiply => i64::checked_mul,
        Opcode::ArithDivsi | Opcode::ArithDivui | Opcode::StablehloDivide => i64::checked_div,
        Opcode::ArithRemsi | Opcode::StablehloRemainder => i64::checked_rem,
        Opcode::ArithMaxsi | Opcode::StablehloMaximum => |a, b| Some(a.max(b)),
        Opcode::ArithMinsi | Opcode::StablehloMinimum => |a, b| Some(a.min(b)),
        _ => return None,
    })
}

fn is_integral(ty: &Type) -> bool {
    let element = match ty {
        Type::Scalar(element) => element,
        Type::Tensor(tensor) if tensor.element_count().is_none_or(|count| count <= LENGTH_MAX) => &tensor.element,
        Type::Dialect(name) => return name.starts_with("shape."),
        _ => return false,
    };
    matches!(element, ElementType::Integer { .. } | ElementType::Index)
}

/// The extents of a tensor, where each is known.
fn extents(module: &Module, value: ValueId) -> Option<Vec<Option<i64>>> {
    use crate::ir::Dim;
    let tensor = module.ty(value).as_tensor()?;
    let extent = |dim: &Dim| if let Dim::Static(extent) = dim { i64::try_from(*extent).ok() } else { None };
    Some(tensor.shape.iter().map(extent).collect())
}

/// The integers of a constant, row-major.
fn constant(value: &Attribute) -> Option<Vec<i64>> {
    match value {
        Attribute::Dense(dense) => dense_integers(dense),
        Attribute::Bool(value) => Some(vec![i64::from(*value)]),
        other => Some(vec![other.as_i64()?]),
    }
}

fn dense_integers(dense: &DenseElements) -> Option<Vec<i64>> {
    let count = dense.ty.element_count().filter(|count| *count <= LENGTH_MAX)? as usize;
    let dtype = dense.ty.element.dtype()?;
    let signed = dtype.family() == pygraph_artifact::dtype::Family::Signed;
    let width = dtype.size_bytes();
    let integer = |bytes: &[u8]| {
        let mut wide = [if signed && bytes[width - 1] >= 128 { 255 } else { 0 }; 8];
        wide[..width].copy_from_slice(bytes);
        i64::from_le_bytes(wide)
    };
    if !(dtype.is_integer() || dtype.name() == "i1") || width > 8 {
        return None;
    }
    let values: Vec<i64> = dense.bytes.chunks_exact(width).map(integer).collect();
    if dense.is_splat { Some(vec![*values.first()?; count]) } else { Some(values) }
}

fn extract(module: &Module, op: OpId, values: &[i64], known: &HashMap<ValueId, Vec<i64>>) -> Option<i64> {
    let operation = module.op(op);
    let shape = module.ty(operation.operands[0]).as_tensor()?.static_shape()?;
    let mut at = 0usize;
    for (extent, index) in shape.iter().zip(operation.operands.iter().skip(1)) {
        let index = usize::try_from(*known.get(index)?.first()?).ok()?;
        at = at.checked_mul(usize::try_from(*extent).ok()?)?.checked_add(index)?;
    }
    values.get(at).copied()
}

fn slice(op: OpId, module: &Module, values: &[i64]) -> Option<Vec<i64>> {
    let list = |name: &str| module.op(op).attr(name).and_then(Attribute::as_i64_slice);
    let ([start], [limit], [stride]) = (list("start_indices")?, list("limit_indices")?, list("strides")?) else {
        return None;
    };
    let part = values.get(usize::try_from(*start).ok()?..usize::try_from(*limit).ok()?)?;
    Some(part.iter().copied().step_by(usize::try_from(*stride).ok().filter(|stride| *stride > 0)?).collect())
}

fn broadcast(shapes: &[Vec<i64>]) -> Option<Vec<i64>> {
    let rank = shapes.iter().map(Vec::len).max()?;
    (0..rank)
        .map(|at| {
            let mut extents = shapes.iter().filter_map(|shape| shape.get((at + shape.len()).checked_sub(rank)?));
            extents.try_fold(1, |joined, extent| match (joined, *extent) {
                (1, extent) => Some(extent),
                (joined, extent) if extent == 1 || extent == joined => Some(joined),
                _ => None,
            })
        })
        .collect()
}
