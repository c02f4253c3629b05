//! Rules about branches and loops whose way is known.

use super::super::build::constant_of;
use crate::ir::{Module, OpId, Opcode, ValueId};

type Rewritten = Option<Vec<ValueId>>;

/// A branch with a known index is what its region does.
pub fn branch_known(module: &mut Module, op: OpId) -> Rewritten {
    let operation = module.op(op);
    let index = constant_of(module, *operation.operands.first()?)?.splat_integer()?;
    let region = match operation.opcode {
        Opcode::StablehloIf => usize::from(index == 0),
        // An index out of range takes the last branch.
        _ => usize::try_from(index).ok().filter(|at| *at < operation.regions.len()).unwrap_or(operation.regions.len() - 1),
    };
    let block = module.region_block(op, region)?;
    let terminator = module.block(block).last()?;
    let values = module.op(terminator).operands.to_vec();
    let types_agree =
        values.iter().zip(&operation.results).all(|(value, result)| module.ty(*value) == module.ty(*result));
    if !types_agree || values.len() != operation.results.len() {
        return None;
    }
    for inner in module.block_op_ids(block) {
        if inner != terminator {
            module.detach(inner);
            module.insert_before(op, inner);
        }
    }
    Some(values)
}

/// A loop whose condition is false at once returns what it was given.
pub fn while_never(module: &mut Module, op: OpId) -> Rewritten {
    let condition = module.block(module.region_block(op, 0)?).last()?;
    let predicate = *module.op(condition).operands.first()?;
    let operation = module.op(op);
    let agree =
        operation.operands.iter().zip(&operation.results).all(|(init, result)| module.ty(*init) == module.ty(*result));
    (agree && constant_of(module, predicate)?.splat_integer()? == 0).then(|| operation.operands.to_vec())
}
