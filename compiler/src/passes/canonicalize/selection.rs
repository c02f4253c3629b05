//! Rules about choosing between values.

use std::sync::Arc;

use pygraph_artifact::dtype::Family;

use super::super::build::{constant_before, constant_of, defined_by, op_before};
use crate::ir::{
    Attribute, Module, OpId, Opcode, Type, ValueId,
    attribute::DenseElements,
    enums::{ComparisonDirection, EnumAttr},
};

type Rewritten = Option<Vec<ValueId>>;

pub fn select_known(module: &mut Module, op: OpId) -> Rewritten {
    let operands = &module.op(op).operands;
    let predicate = constant_of(module, operands[0])?.splat_integer()?;
    checked(module, op, operands[if predicate != 0 { 1 } else { 2 }])
}

pub fn select_same(module: &mut Module, op: OpId) -> Rewritten {
    let operands = &module.op(op).operands;
    if operands[1] == operands[2] { checked(module, op, operands[1]) } else { None }
}

pub fn select_not(module: &mut Module, op: OpId) -> Rewritten {
    let operands = module.op(op).operands.clone();
    let not = defined_by(module, operands[0], Opcode::StablehloNot)?;
    let predicate = module.op(not).operands[0];
    let (ty, attrs) = (module.ty(module.op(op).results[0]).clone(), module.op(op).attrs.clone());
    Some(vec![op_before(module, op, Opcode::StablehloSelect, &[predicate, operands[2], operands[1]], ty, attrs)])
}

/// Integers are equal to themselves; a float may be NaN.
pub fn compare_self(module: &mut Module, op: OpId) -> Rewritten {
    let operation = module.op(op);
    let &[left, right] = &operation.operands[..] else { return None };
    let element = &module.ty(left).as_tensor()?.element;
    let is_exact = matches!(element.dtype()?.family(), Family::Bool | Family::Signed | Family::Unsigned);
    let Type::Tensor(ty) = module.ty(operation.results[0]) else { return None };
    if left != right || !is_exact || ty.element_count()? == 0 {
        return None;
    }
    let Attribute::Enum(EnumAttr::ComparisonDirection(direction)) = operation.attr("comparison_direction")? else {
        return None;
    };
    let holds = matches!(direction, ComparisonDirection::Eq | ComparisonDirection::Le | ComparisonDirection::Ge);
    let elements = DenseElements::splat(Arc::clone(ty), &[u8::from(holds)]);
    Some(vec![constant_before(module, op, elements)])
}

pub fn element_of_tuple(module: &mut Module, op: OpId) -> Rewritten {
    let tuple = defined_by(module, module.op(op).operands[0], Opcode::StablehloTuple)?;
    let index = usize::try_from(module.op(op).attr("index")?.as_i64()?).ok()?;
    checked(module, op, *module.op(tuple).operands.get(index)?)
}

pub fn part_of_complex(module: &mut Module, op: OpId) -> Rewritten {
    let complex = defined_by(module, module.op(op).operands[0], Opcode::StablehloComplex)?;
    let index = usize::from(module.op(op).opcode == Opcode::StablehloImag);
    checked(module, op, module.op(complex).operands[index])
}

fn checked(module: &Module, op: OpId, value: ValueId) -> Rewritten {
    (module.ty(value) == module.ty(module.op(op).results[0])).then(|| vec![value])
}
