//! What passes build and look up often.

use std::sync::Arc;

use crate::ir::{
    AttrMap, Attribute, Module, OpId, Opcode, TensorType, Type, ValueId,
    attribute::DenseElements,
    enums::{ComparisonDirection, EnumAttr},
    module::OpParts,
};

/// A new operation with one result before another, with its location.
pub fn op_before(
    module: &mut Module,
    anchor: OpId,
    opcode: Opcode,
    operands: &[ValueId],
    result_type: Type,
    attrs: AttrMap,
) -> ValueId {
    let parts = OpParts { operands: operands.into(), result_types: vec![result_type], attrs, ..OpParts::default() };
    let op = module.create_op(opcode, parts, module.op(anchor).loc);
    module.insert_before(anchor, op);
    module.op(op).results[0]
}

/// A new constant before an operation.
pub fn constant_before(module: &mut Module, anchor: OpId, elements: DenseElements) -> ValueId {
    let ty = Type::Tensor(elements.ty.clone());
    let attrs = AttrMap::from_iter([("value", Attribute::Dense(elements))]);
    op_before(module, anchor, Opcode::StablehloConstant, &[], ty, attrs)
}

/// The elements of a value that is a constant.
pub fn constant_of(module: &Module, value: ValueId) -> Option<&DenseElements> {
    let op = module.op(module.defining_op(value)?);
    if !matches!(op.opcode, Opcode::StablehloConstant | Opcode::ArithConstant) {
        return None;
    }
    if let Some(Attribute::Dense(elements)) = op.attr("value") { Some(elements) } else { None }
}

/// The operation that defines a value, if it is of that kind.
pub fn defined_by(module: &Module, value: ValueId, opcode: Opcode) -> Option<OpId> {
    module.defining_op(value).filter(|op| module.op(*op).opcode == opcode)
}

/// The static shape and the type of a tensor value.
pub fn static_tensor(module: &Module, value: ValueId) -> Option<(Vec<u64>, Arc<TensorType>)> {
    let Type::Tensor(tensor) = module.ty(value) else { return None };
    Some((tensor.static_shape()?, tensor.clone()))
}

/// An operation's list of integers.
pub fn integers_attr<'m>(module: &'m Module, op: OpId, name: &str) -> Option<&'m [i64]> {
    module.op(op).attr(name)?.as_i64_slice()
}

/// Which relation a comparison tests.
pub fn direction_of(module: &Module, compare: OpId) -> Option<ComparisonDirection> {
    match module.op(compare).attr("comparison_direction")? {
        Attribute::Enum(EnumAttr::ComparisonDirection(direction)) => Some(*direction),
        _ => None,
    }
}
