//! Rules about operations that only move elements.

use std::sync::Arc;

use pygraph_artifact::dtype::{DType, Family};

use super::super::build::{constant_before, constant_of, defined_by, integers_attr, op_before, static_tensor};
use crate::ir::{
    AttrMap, Attribute, ElementType, Module, OpId, Opcode, TensorType, Type, ValueId, attribute::DenseElements,
};

type Rewritten = Option<Vec<ValueId>>;

/// The operand, if it already has the result's type.
pub fn same_type(module: &mut Module, op: OpId) -> Rewritten {
    let operand = operand(module, op)?;
    (module.ty(operand) == result_type(module, op)).then(|| vec![operand])
}

pub fn pad_nothing(module: &mut Module, op: OpId) -> Rewritten {
    let operand = operand(module, op)?;
    let names = ["edge_padding_low", "edge_padding_high", "interior_padding"];
    let nothing = names.iter().all(|name| integers_attr(module, op, name).is_some_and(|all| all.iter().all(|n| *n == 0)));
    (nothing && module.ty(operand) == result_type(module, op)).then(|| vec![operand])
}

pub fn transpose_identity(module: &mut Module, op: OpId) -> Rewritten {
    if is_ascending(integers_attr(module, op, "permutation")?) { same_type(module, op) } else { None }
}

pub fn broadcast_identity(module: &mut Module, op: OpId) -> Rewritten {
    if is_ascending(integers_attr(module, op, "broadcast_dimensions")?) { same_type(module, op) } else { None }
}

/// Reversing a dimension of extent 1 does nothing.
pub fn reverse_unit(module: &mut Module, op: OpId) -> Rewritten {
    let operand = operand(module, op)?;
    let (shape, _) = static_tensor(module, operand)?;
    let dims = integers_attr(module, op, "dimensions")?;
    let kept: Vec<i64> = dims.iter().copied().filter(|dim| shape.get(*dim as usize) != Some(&1)).collect();
    if kept.len() == dims.len() {
        return None;
    }
    if kept.is_empty() {
        return same_type(module, op);
    }
    Some(vec![rebuilt(module, op, Opcode::StablehloReverse, operand, [("dimensions", Attribute::i64_array(kept))])])
}

pub fn concatenate_one(module: &mut Module, op: OpId) -> Rewritten {
    if module.op(op).operands.len() == 1 { same_type(module, op) } else { None }
}

/// Operands without elements add nothing.
pub fn concatenate_empty(module: &mut Module, op: OpId) -> Rewritten {
    let operands = module.op(op).operands.clone();
    let is_empty = |value: &ValueId| static_tensor(module, *value).is_some_and(|(shape, _)| shape.contains(&0));
    let kept: Vec<ValueId> = operands.iter().copied().filter(|value| !is_empty(value)).collect();
    if kept.len() == operands.len() || kept.is_empty() {
        return None;
    }
    let (ty, attrs) = (result_type(module, op).clone(), module.op(op).attrs.clone());
    Some(vec![op_before(module, op, Opcode::StablehloConcatenate, &kept, ty, attrs)])
}

/// The bytes of a constant do not depend on its shape.
pub fn reshape_constant(module: &mut Module, op: OpId) -> Rewritten {
    let elements = constant_of(module, operand(module, op)?)?;
    let Type::Tensor(ty) = result_type(module, op) else { return None };
    ty.static_shape()?;
    let elements = elements.with_type(ty.clone());
    Some(vec![constant_before(module, op, elements)])
}

/// Moving elements that are all equal gives the same element everywhere.
pub fn splat(module: &mut Module, op: OpId) -> Rewritten {
    let element = constant_of(module, operand(module, op)?)?.splat_bytes()?.to_vec();
    let Type::Tensor(ty) = result_type(module, op) else { return None };
    if ty.element_count()? == 0 {
        return None;
    }
    let elements = DenseElements::splat(ty.clone(), &element);
    Some(vec![constant_before(module, op, elements)])
}

pub fn reshape_twice(module: &mut Module, op: OpId) -> Rewritten {
    let source = source_of(module, op, Opcode::StablehloReshape)?;
    let ty = result_type(module, op).clone();
    Some(vec![op_before(module, op, Opcode::StablehloReshape, &[source], ty, module.op(op).attrs.clone())])
}

pub fn transpose_twice(module: &mut Module, op: OpId) -> Rewritten {
    let inner = defined_by(module, operand(module, op)?, Opcode::StablehloTranspose)?;
    let outer = integers_attr(module, op, "permutation")?;
    let composed = compose(integers_attr(module, inner, "permutation")?, outer)?;
    let source = module.op(inner).operands[0];
    let attr = [("permutation", Attribute::i64_array(composed))];
    Some(vec![rebuilt(module, op, Opcode::StablehloTranspose, source, attr)])
}

pub fn broadcast_twice(module: &mut Module, op: OpId) -> Rewritten {
    let inner = defined_by(module, operand(module, op)?, Opcode::StablehloBroadcastInDim)?;
    let outer = integers_attr(module, op, "broadcast_dimensions")?;
    let inner_dims = integers_attr(module, inner, "broadcast_dimensions")?;
    let composed = compose(outer, inner_dims)?;
    let source = module.op(inner).operands[0];
    let attr = [("broadcast_dimensions", Attribute::i64_array(composed))];
    Some(vec![rebuilt(module, op, Opcode::StablehloBroadcastInDim, source, attr)])
}

/// A product reads its operands along any dimensions, so it reads what is transposed where that lies. (The search of `simplify` knows this
/// too, for what it transposes itself; but a weight's transposition can stand far from its product, in another window.)
pub fn dot_of_transposed(module: &mut Module, op: OpId) -> Rewritten {
    let operands = module.op(op).operands.clone();
    let Attribute::DotDimensions(dims) = module.op(op).attr("dot_dimension_numbers")?.clone() else { return None };
    (0..2).find_map(|side| {
        let inner = defined_by(module, *operands.get(side)?, Opcode::StablehloTranspose)?;
        let dims = dims.of_transposed(side, integers_attr(module, inner, "permutation")?)?;
        let mut operands = operands.clone();
        operands[side] = module.op(inner).operands[0];
        let mut attrs = module.op(op).attrs.clone();
        attrs.set("dot_dimension_numbers", Attribute::DotDimensions(Arc::new(dims)));
        let ty = result_type(module, op).clone();
        Some(vec![op_before(module, op, Opcode::StablehloDotGeneral, &operands, ty, attrs)])
    })
}

/// A broadcast can place its dimensions in any order.
pub fn transpose_broadcast(module: &mut Module, op: OpId) -> Rewritten {
    let inner = defined_by(module, operand(module, op)?, Opcode::StablehloBroadcastInDim)?;
    let permutation = integers_attr(module, op, "permutation")?;
    let place = |dim: &i64| permutation.iter().position(|from| from == dim).map(|at| at as i64);
    let dims: Option<Vec<i64>> = integers_attr(module, inner, "broadcast_dimensions")?.iter().map(place).collect();
    let attr = [("broadcast_dimensions", Attribute::i64_array(dims?))];
    let source = module.op(inner).operands[0];
    Some(vec![rebuilt(module, op, Opcode::StablehloBroadcastInDim, source, attr)])
}

pub fn slice_twice(module: &mut Module, op: OpId) -> Rewritten {
    let inner = defined_by(module, operand(module, op)?, Opcode::StablehloSlice)?;
    let of = |op: OpId, name: &str| integers_attr(module, op, name);
    let (start, limit, step) = (of(op, "start_indices")?, of(op, "limit_indices")?, of(op, "strides")?);
    let (inner_start, inner_step) = (of(inner, "start_indices")?, of(inner, "strides")?);
    let (mut starts, mut limits, mut steps) = (Vec::new(), Vec::new(), Vec::new());
    for at in 0..start.len() {
        let position = |index: i64| index.checked_mul(*inner_step.get(at)?)?.checked_add(*inner_start.get(at)?);
        // One past the last element that is read; an empty slice stays empty.
        let last = if limit[at] > start[at] { position(limit[at] - 1)?.checked_add(1)? } else { position(start[at])? };
        starts.push(position(start[at])?.min(last));
        limits.push(last);
        steps.push(step[at].checked_mul(inner_step[at])?);
    }
    let source = module.op(inner).operands[0];
    let attrs = [
        ("start_indices", Attribute::i64_array(starts)),
        ("limit_indices", Attribute::i64_array(limits)),
        ("strides", Attribute::i64_array(steps)),
    ];
    Some(vec![rebuilt(module, op, Opcode::StablehloSlice, source, attrs)])
}

pub fn reverse_twice(module: &mut Module, op: OpId) -> Rewritten {
    let inner = defined_by(module, operand(module, op)?, Opcode::StablehloReverse)?;
    let mut dims = integers_attr(module, op, "dimensions")?.to_vec();
    for dim in integers_attr(module, inner, "dimensions")? {
        match dims.iter().position(|own| own == dim) {
            Some(at) => drop(dims.remove(at)),
            None => dims.push(*dim),
        }
    }
    let source = module.op(inner).operands[0];
    if dims.is_empty() {
        return (module.ty(source) == result_type(module, op)).then(|| vec![source]);
    }
    dims.sort_unstable();
    let attr = [("dimensions", Attribute::i64_array(dims))];
    Some(vec![rebuilt(module, op, Opcode::StablehloReverse, source, attr)])
}

/// A conversion that loses nothing can be left out before another.
pub fn convert_twice(module: &mut Module, op: OpId) -> Rewritten {
    let source = source_of(module, op, Opcode::StablehloConvert)?;
    let middle = element_dtype(module.ty(operand(module, op)?))?;
    let first = element_dtype(module.ty(source))?;
    if !holds_all(middle, first) {
        return None;
    }
    if module.ty(source) == result_type(module, op) {
        return Some(vec![source]);
    }
    let ty = result_type(module, op).clone();
    Some(vec![op_before(module, op, Opcode::StablehloConvert, &[source], ty, module.op(op).attrs.clone())])
}

/// True if every value of `narrow` is one of `wide`, and converting it on from there gives what converting it at once
/// gives. Integers to floats and signed to unsigned are left out: further conversions round or saturate differently.
fn holds_all(wide: DType, narrow: DType) -> bool {
    let bits = |dtype: DType| dtype.bits();
    match (narrow.family(), wide.family()) {
        _ if wide == narrow => true,
        (Family::Bool, Family::Signed | Family::Unsigned | Family::Float) => true,
        (Family::Signed, Family::Signed) | (Family::Unsigned, Family::Unsigned | Family::Signed) => bits(wide) > bits(narrow),
        (Family::Float, Family::Float) => {
            // f16 and bf16 hold different values.
            bits(wide) > bits(narrow)
        }
        _ => false,
    }
}

/// Moving only dimensions of extent 1 leaves the bytes in place.
pub fn transpose_to_reshape(module: &mut Module, op: OpId) -> Rewritten {
    let operand = operand(module, op)?;
    let (shape, _) = static_tensor(module, operand)?;
    let permutation = integers_attr(module, op, "permutation")?;
    let moved: Vec<i64> = permutation.iter().copied().filter(|dim| shape.get(*dim as usize) != Some(&1)).collect();
    if is_ascending_order(&moved) { Some(vec![reshaped(module, op, operand)]) } else { None }
}

/// A broadcast that only adds dimensions of extent 1 leaves the bytes in place.
pub fn broadcast_to_reshape(module: &mut Module, op: OpId) -> Rewritten {
    let operand = operand(module, op)?;
    let (shape, _) = static_tensor(module, operand)?;
    let (result, _) = static_tensor(module, *module.op(op).results.first()?)?;
    let dims = integers_attr(module, op, "broadcast_dimensions")?;
    let moved: Vec<i64> =
        dims.iter().zip(&shape).filter(|(_, extent)| **extent != 1).map(|(dim, _)| *dim).collect();
    let same_count = shape.iter().product::<u64>() == result.iter().product::<u64>();
    (same_count && is_ascending_order(&moved)).then(|| vec![reshaped(module, op, operand)])
}

fn reshaped(module: &mut Module, op: OpId, operand: ValueId) -> ValueId {
    let ty = result_type(module, op).clone();
    let mut attrs = module.op(op).attrs.clone();
    attrs.remove("permutation");
    attrs.remove("broadcast_dimensions");
    op_before(module, op, Opcode::StablehloReshape, &[operand], ty, attrs)
}

fn operand(module: &Module, op: OpId) -> Option<ValueId> {
    module.op(op).operands.first().copied()
}

fn result_type(module: &Module, op: OpId) -> &Type {
    module.ty(module.op(op).results[0])
}

/// What the operation's operand was made from, if by an operation of that kind.
fn source_of(module: &Module, op: OpId, opcode: Opcode) -> Option<ValueId> {
    let inner = defined_by(module, operand(module, op)?, opcode)?;
    operand(module, inner)
}

/// The operation with another operand and some attributes replaced; others (marks) stay.
fn rebuilt<const N: usize>(
    module: &mut Module,
    op: OpId,
    opcode: Opcode,
    operand: ValueId,
    changed: [(&str, Attribute); N],
) -> ValueId {
    let mut attrs: AttrMap = module.op(op).attrs.clone();
    attrs.remove("permutation");
    for (name, value) in changed {
        attrs.set(name, value);
    }
    let ty = result_type(module, op).clone();
    op_before(module, op, opcode, &[operand], ty, attrs)
}

fn is_ascending(dims: &[i64]) -> bool {
    dims.iter().copied().eq(0..dims.len() as i64)
}

fn is_ascending_order(dims: &[i64]) -> bool {
    dims.windows(2).all(|pair| pair[0] < pair[1])
}

/// `first[second[i]]` for every i.
fn compose(first: &[i64], second: &[i64]) -> Option<Vec<i64>> {
    second.iter().map(|at| first.get(usize::try_from(*at).ok()?).copied()).collect()
}

fn element_dtype(ty: &Type) -> Option<DType> {
    let tensor: &TensorType = ty.as_tensor()?;
    let element: &ElementType = &tensor.element;
    element.dtype()
}
