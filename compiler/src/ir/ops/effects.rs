//! Whether a given operation does anything beside computing its results.

use std::collections::HashSet;

use super::{
    super::{Attribute, Module, OpId, Opcode},
    def::Effect,
};

/// True if the operation, with all that is in its regions and in the functions it calls, only computes results:
/// then it can be removed when nobody reads them, merged with an equal one, moved, or folded.
pub fn is_pure_op(module: &Module, op: OpId) -> bool {
    let mut entered = HashSet::new();
    let mut pending = vec![op];
    while let Some(op) = pending.pop() {
        match own_effect(module, op) {
            Own::Impure => return false,
            Own::Pure => {}
            Own::Inside(inner) => {
                if entered.insert(inner) {
                    let regions = module.op(inner).regions.iter();
                    let blocks = regions.flat_map(|region| module.region(*region).blocks.iter());
                    let ops = blocks.flat_map(|block| module.block_ops(*block));
                    // A terminator hands values on; that is part of the operation around it.
                    pending.extend(ops.filter(|op| !module.op(*op).opcode.def().is_terminator()));
                }
            }
        }
    }
    true
}

enum Own {
    Pure,
    Impure,
    Inside(OpId),
}

fn own_effect(module: &Module, op: OpId) -> Own {
    let operation = module.op(op);
    match operation.opcode.def().effect {
        Effect::None => Own::Pure,
        Effect::Some => Own::Impure,
        Effect::Regions => Own::Inside(op),
        Effect::Callee => match operation.attr("callee").or_else(|| operation.attr("decomposition")) {
            Some(Attribute::Symbol(path)) => path.last().and_then(|name| module.symbol(name)),
            _ => None,
        }
        .map_or(Own::Impure, Own::Inside),
        Effect::Declared => match operation.attr("has_side_effect").and_then(Attribute::as_bool) {
            Some(true) => Own::Impure,
            _ => Own::Pure,
        },
        Effect::Launch if operation.results.is_empty() => Own::Impure,
        Effect::Launch => Own::Inside(op),
        Effect::Operator => match operation.attr("target").and_then(Attribute::as_str) {
            Some(target) if is_pure_operator(target) => Own::Pure,
            _ => Own::Impure,
        },
    }
}

/// True for the operators of PyTorch that neither write to an operand nor draw random numbers nor check.
fn is_pure_operator(target: &str) -> bool {
    const IMPURE_PREFIXES: &[&str] = &[
        "rand",
        "bernoulli",
        "normal",
        "multinomial",
        "poisson",
        "exponential",
        "uniform",
        "_assert",
        "sym_constrain",
        "native_dropout",
        "dropout",
    ];
    let mut parts = target.split('.');
    let (Some(namespace), Some(name)) = (parts.next(), parts.next()) else {
        return matches!(target, "le" | "lt" | "ge" | "gt" | "eq" | "ne" | "add" | "sub" | "mul" | "getitem");
    };
    let writes = name.ends_with('_') && !name.ends_with("__");
    match namespace {
        "aten" | "prims" => !writes && !IMPURE_PREFIXES.iter().any(|prefix| name.starts_with(prefix)),
        "_operator" | "math" => true,
        _ => false,
    }
}

impl Opcode {
    /// True if an operation of this kind has regions whose values come from outside too (`stablehlo.while`, not
    /// `func.func`).
    pub fn captures(self) -> bool {
        !self.def().traits.isolated
    }
}
