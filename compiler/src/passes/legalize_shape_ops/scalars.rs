//! Numbers outside tensors, as tensors of no dimensions.

use super::Rewrite;
use crate::{
    ir::{
        Attribute, ElementType, Module, OpId, Opcode, Type, ValueId,
        enums::{ComparisonDirection, EnumAttr},
        types::FunctionType,
    },
    passes::{
        emit::{Emit, Number, Out, Refusal, tensor_type},
        signature::{function_type, is_public},
    },
};

/// True for operations on numbers outside tensors, and `arith` on tensors.
pub fn concerns(opcode: Opcode) -> bool {
    opcode.name().starts_with("arith.") || matches!(opcode, Opcode::TensorExtract | Opcode::TensorFromElements)
}

/// Gives arguments of a public function that are numbers outside tensors the type of tensors of no dimensions, which is
/// what a caller hands in. True if there are any.
pub fn number_arguments(module: &mut Module, function: OpId) -> bool {
    let Some(block) = module.region_block(function, 0).filter(|_| is_public(module, function)) else { return false };
    let is_number = |ty: &Type| matches!(ty, Type::Scalar(element) if *element != ElementType::Index);
    let (mut inputs, results) = function_type(module, function);
    if !inputs.iter().any(is_number) {
        return false;
    }
    for (input, argument) in inputs.iter_mut().zip(module.block(block).arguments.clone()) {
        if let (true, Type::Scalar(element)) = (is_number(input), &*input) {
            *input = tensor_type(&[], element);
            module.value_mut(argument).ty = input.clone();
        }
    }
    let ty = Type::Function(FunctionType { inputs, results }.into());
    module.op_mut(function).attrs.set("function_type", Attribute::Type(ty));
    true
}

impl Rewrite<'_> {
    /// Writes an operation on numbers as one on tensors. What is only a shape is left, and dead once shapes are known.
    pub(super) fn scalar(&mut self, op: OpId) -> Result<(), Refusal> {
        let operation = self.module.op(op);
        let (opcode, result) = (operation.opcode, operation.results[0]);
        let ty = self.module.ty(result).clone();
        let is_shape = match &ty {
            Type::Scalar(element) => *element == ElementType::Index,
            Type::Tensor(tensor) => tensor.element == ElementType::Index,
            _ => true,
        };
        if is_shape && opcode != Opcode::TensorFromElements {
            return Ok(());
        }
        if let (Some(integers), Type::Tensor(tensor), true) =
            (self.known.get(&result).cloned(), &ty, opcode != Opcode::ArithConstant && !is_shape)
        {
            let shape = crate::passes::emit::static_shape(tensor)?;
            let numbers: Vec<Number> = integers.into_iter().map(Number::Int).collect();
            let value = Emit::before(self.module, op).numbers(&numbers, &tensor.element, &shape)?;
            self.replace(op, value);
            return Ok(());
        }
        let Some(operands) = self.as_tensors(op) else { return Ok(()) };
        let mut e = Emit::before(self.module, op);
        let Some(value) = tensor_form(&mut e, op, &operands)? else { return Ok(()) };
        match ty {
            Type::Tensor(_) => self.replace(op, value),
            _ => {
                self.scalars.insert(result, value);
            }
        }
        Ok(())
    }

    /// The operands, numbers as tensors; none if one has no tensor.
    fn as_tensors(&mut self, op: OpId) -> Option<Vec<ValueId>> {
        let operands = self.module.op(op).operands.clone();
        operands
            .iter()
            .map(|operand| match self.module.ty(*operand) {
                Type::Tensor(_) => Some(*operand),
                Type::Scalar(ElementType::Index) => Some(*operand),
                _ => self.scalars.get(operand).copied(),
            })
            .collect()
    }
}

/// The operation on tensors that does what one on numbers does, if there is one.
fn tensor_form(e: &mut Emit, op: OpId, operands: &[ValueId]) -> Result<Option<ValueId>, Refusal> {
    let operation = e.module.op(op);
    let ty = match e.module.ty(operation.results[0]) {
        Type::Scalar(element) => tensor_type(&[], element),
        other => other.clone(),
    };
    let Some(tensor) = ty.as_tensor().cloned() else { return Ok(None) };
    if operands.iter().any(|operand| matches!(e.module.ty(*operand), Type::Scalar(_))) {
        return Ok(None);
    }
    let binary = |e: &mut Emit, opcode| e.binary(opcode, operands[0], operands[1]).map(Some);
    match operation.opcode {
        Opcode::ArithConstant => constant(e, op, &tensor.element).map(Some),
        Opcode::TensorExtract if operands.len() == 1 => e.reshape(operands[0], &[]).map(Some),
        Opcode::TensorFromElements => {
            let shape = crate::passes::emit::static_shape(&tensor)?;
            let parts = operands.iter().map(|value| e.reshape(*value, &[1])).collect::<Result<Vec<_>, _>>()?;
            let joined = e.concatenate(&parts, 0)?;
            e.reshape(joined, &shape).map(Some)
        }
        Opcode::ArithIndexCast
        | Opcode::ArithExtf
        | Opcode::ArithTruncf
        | Opcode::ArithExtsi
        | Opcode::ArithTrunci
        | Opcode::ArithFptosi
        | Opcode::ArithSitofp => e.convert(operands[0], &tensor.element).map(Some),
        Opcode::ArithAddf | Opcode::ArithAddi => binary(e, Opcode::StablehloAdd),
        Opcode::ArithSubf | Opcode::ArithSubi => binary(e, Opcode::StablehloSubtract),
        Opcode::ArithMulf | Opcode::ArithMuli => binary(e, Opcode::StablehloMultiply),
        Opcode::ArithDivsi => binary(e, Opcode::StablehloDivide),
        Opcode::ArithRemsi => binary(e, Opcode::StablehloRemainder),
        Opcode::ArithMaxsi => binary(e, Opcode::StablehloMaximum),
        Opcode::ArithMinsi => binary(e, Opcode::StablehloMinimum),
        Opcode::ArithSelect => e.select(operands[0], operands[1], operands[2]).map(Some),
        Opcode::ArithCmpi => match direction(e, op) {
            Some(direction) => e.compare(direction, operands[0], operands[1]).map(Some),
            None => Ok(None),
        },
        _ => Ok(None),
    }
}

fn constant(e: &mut Emit, op: OpId, element: &ElementType) -> Out {
    match e.module.op(op).attr("value").cloned() {
        Some(Attribute::Float { bits, .. }) => e.scalar(Number::Float(f64::from_bits(bits)), element),
        Some(Attribute::Bool(value)) => e.scalar(Number::Bool(value), element),
        Some(value @ Attribute::Dense(_)) => {
            let ty = e.module.ty(e.module.op(op).results[0]).clone();
            Ok(e.op(Opcode::StablehloConstant, &[], ty, &[("value", value)]))
        }
        Some(value) => {
            let value = value.as_i64().ok_or_else(|| Refusal::from("its value has more than 64 bits"))?;
            e.scalar(Number::Int(value), element)
        }
        None => unreachable!("the verifier should have seen the value of a constant"),
    }
}

/// Which relation `arith.cmpi` tests, for signed integers.
fn direction(e: &Emit, op: OpId) -> Option<ComparisonDirection> {
    use ComparisonDirection::{Eq, Ge, Gt, Le, Lt, Ne};
    let predicate = match e.module.op(op).attr("predicate")? {
        Attribute::Enum(EnumAttr::ComparisonDirection(direction)) => return Some(*direction),
        other => other.as_i64()?,
    };
    [Eq, Ne, Lt, Le, Gt, Ge].get(usize::try_from(predicate).ok()?).copied()
}
