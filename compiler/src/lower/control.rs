//! `while`, `if` and `case`. Their regions move to the new operation as they are; what is in them is lowered in place.

use super::{Lowered, elementwise::index_of_predicate, site::Site};
use crate::ir::{Opcode, ValueId, module::OpParts};

/// `while`
pub fn while_loop(site: &mut Site) -> Lowered {
    let operands = site.operands();
    Ok(with_regions(site, Opcode::PygWhile, &operands))
}

/// `case`: an index out of range runs the last branch.
pub fn case(site: &mut Site) -> Lowered {
    let index = site.operand(0);
    Ok(with_regions(site, Opcode::PygSwitch, &[index]))
}

/// `if`: the first branch where the predicate is true.
pub fn if_else(site: &mut Site) -> Lowered {
    let predicate = site.operand(0);
    let index = index_of_predicate(site, predicate);
    Ok(with_regions(site, Opcode::PygSwitch, &[index]))
}

/// The end of a region.
pub fn region_end(site: &mut Site) -> Lowered {
    let operands = site.operands().into_iter().collect();
    Ok(site.put(Opcode::PygYield, OpParts { operands, ..OpParts::default() }))
}

fn with_regions(site: &mut Site, opcode: Opcode, operands: &[ValueId]) -> Vec<ValueId> {
    let result_types = site.results().iter().map(super::site::Tensor::ty).collect();
    let regions = std::mem::take(&mut site.module.op_mut(site.op).regions);
    let operands = operands.iter().copied().collect();
    site.put(opcode, OpParts { operands, result_types, regions, ..OpParts::default() })
}
