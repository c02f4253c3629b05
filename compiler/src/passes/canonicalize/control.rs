//! Rules about branches and loops: whose way is known, or what they hand on unchanged.

use std::collections::HashMap;

use super::super::build::constant_of;
use crate::ir::{Module, OpId, Opcode, ValueId, module::OpParts};

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

/// What every iteration hands on unchanged need not be carried: JAX's loops carry all weights.
pub fn while_invariant(module: &mut Module, op: OpId) -> Rewritten {
    let [condition, body] = [module.region_block(op, 0)?, module.region_block(op, 1)?];
    let end = module.block(body).last()?;
    let inits = module.op(op).operands.to_vec();
    let is_carried: Vec<bool> = (0..inits.len())
        .map(|slot| {
            let argument = module.block(body).arguments[slot];
            let same_type = module.ty(argument) == module.ty(inits[slot])
                && module.ty(module.op(op).results[slot]) == module.ty(inits[slot]);
            module.op(end).operands.get(slot) != Some(&argument) || !same_type
        })
        .collect();
    if is_carried.iter().all(|carried| *carried) {
        return None;
    }
    let slots: Vec<usize> = (0..inits.len()).collect();
    let mut outside: HashMap<ValueId, ValueId> = HashMap::new();
    for slot in slots.iter().filter(|slot| !is_carried[**slot]) {
        for block in [condition, body] {
            outside.insert(module.block(block).arguments[*slot], inits[*slot]);
        }
    }
    let kept = |values: &[ValueId]| slots.iter().filter(|slot| is_carried[**slot]).map(|slot| values[*slot]).collect();
    let yielded = kept(&module.op(end).operands);
    module.op_mut(end).operands = yielded;
    module.replace_values(op, &outside);
    for block in [condition, body] {
        module.retain_arguments(block, |slot| is_carried[slot]);
    }
    let old_results = module.op(op).results.to_vec();
    let result_types = slots.iter().filter(|slot| is_carried[**slot]).map(|slot| module.ty(old_results[*slot]).clone());
    let result_types = result_types.collect();
    let operands = kept(&inits);
    let regions = std::mem::take(&mut module.op_mut(op).regions);
    let (attrs, loc) = (module.op(op).attrs.clone(), module.op(op).loc);
    let narrowed = module.create_op(Opcode::StablehloWhile, OpParts { operands, result_types, attrs, regions }, loc);
    module.insert_before(op, narrowed);
    let mut results = module.op(narrowed).results.iter().copied();
    let value = |slot: usize| if is_carried[slot] { results.next() } else { Some(inits[slot]) };
    slots.into_iter().map(value).collect()
}
