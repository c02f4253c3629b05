//! The regions of `reduce`, `sort`, `scatter` and their kin, as scalar bodies.
//!
//! Such a region works on tensors without dimensions. It may hold elementwise operations, constants, and operations
//! that only change how a single element is shaped; and it may read constants from outside.

use std::collections::HashMap;

use pygraph_artifact::scalar::ScalarBody;

use super::{
    body::{BodyBuilder, Register},
    literal, scalar,
    site::{constant_elements, tensor_of},
};
use crate::{
    diagnostic::Diagnostic,
    ir::{Module, OpId, Opcode, ValueId},
};

/// The body that region `region` of `owner` is: inputs are the block's arguments, in their order.
pub fn body_of_region(module: &Module, owner: OpId, region: usize) -> Result<ScalarBody, Diagnostic> {
    let block = module.region_block(owner, region).expect("the verifier should have seen the region's block");
    let arguments = &module.block(block).arguments;
    let mut inputs = Vec::with_capacity(arguments.len());
    for argument in arguments {
        let tensor = tensor_of(module.ty(*argument)).filter(|tensor| tensor.shape.iter().all(|extent| *extent == 1));
        let tensor = tensor.ok_or_else(|| {
            module.error(owner, "arguments of the region have to be single elements of types that run")
        })?;
        inputs.push(tensor.dtype);
    }
    let mut body = BodyBuilder::new(&inputs);
    let mut registers: HashMap<ValueId, Register> = HashMap::new();
    for (index, argument) in arguments.iter().enumerate() {
        registers.insert(*argument, body.input(index));
    }
    for op in module.block_op_ids(block) {
        let operation = module.op(op);
        let mut operands = Vec::with_capacity(operation.operands.len());
        for operand in &operation.operands {
            let register = match registers.get(operand) {
                Some(register) => *register,
                None => captured(module, op, *operand, &mut body)?,
            };
            registers.insert(*operand, register);
            operands.push(register);
        }
        if matches!(operation.opcode, Opcode::StablehloReturn | Opcode::ScalarYield | Opcode::PygYield) {
            return Ok(body.finish(&operands));
        }
        let result = append(module, op, &mut body, &operands)?;
        registers.insert(operation.results[0], result);
    }
    unreachable!("the verifier should have seen the region's terminator")
}

fn append(module: &Module, op: OpId, body: &mut BodyBuilder, operands: &[Register]) -> Result<Register, Diagnostic> {
    let operation = module.op(op);
    let refused = || {
        let parent = module.parent_op(op).map_or("a region", |parent| module.op(parent).opcode.name());
        let name = operation.opcode.name();
        module.error(
            op,
            format!(
                "`{name}` does not run in the body of `{parent}`: it needs elementwise operations on single elements"
            ),
        )
    };
    let [result] = operation.results[..] else { return Err(refused()) };
    let tensor = tensor_of(module.ty(result)).ok_or_else(refused)?;
    if tensor.shape.iter().any(|extent| *extent != 1) {
        return Err(refused());
    }
    match operation.opcode {
        Opcode::StablehloReshape | Opcode::StablehloBroadcastInDim | Opcode::StablehloOptimizationBarrier => {
            operands.first().copied().ok_or_else(refused)
        }
        Opcode::StablehloConstant | Opcode::ArithConstant => captured(module, op, result, body),
        _ => scalar::append(body, operation, operands, tensor.dtype).ok_or_else(refused),
    }
}

/// A constant that is defined outside of the region, or an operation of the region that is one.
fn captured(module: &Module, reader: OpId, value: ValueId, body: &mut BodyBuilder) -> Result<Register, Diagnostic> {
    let bits = constant_elements(module, value).and_then(|elements| {
        let bits = literal::splat_bits(&elements)?;
        Some((elements.ty.element.dtype()?, bits))
    });
    let (dtype, bits) = bits.ok_or_else(|| {
        module.error(
            reader,
            "the body of a launch reads a value from outside, which does not run unless it is a constant",
        )
    })?;
    Ok(body.constant(dtype, bits))
}
