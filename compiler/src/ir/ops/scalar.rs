//! `scalar`: bodies of launches, from the scalar language's own table.

use pygraph_artifact::scalar::ScalarOp;

use super::{
    constraint::{AttrKind, TypeConstraint, scalar_of, sets::ANY},
    def::{Count, Facts, op},
    rules::launch,
};

const SCALAR: TypeConstraint = scalar_of(ANY);

/// Names of operands: no operation has more.
const OPERANDS: &[&str] = &["a", "b", "c"];

/// An operation of the scalar language.
pub(super) fn operation(operation: ScalarOp) -> Facts {
    use ScalarOp::{Add, And, Eq, Max, Min, Mul, Ne, Or, Xor};
    let operands = &OPERANDS[..operation.arity()];
    let facts = operands.iter().fold(op(operation.summary()), |facts, name| facts.operand(name, SCALAR));
    let facts = facts.elementwise().result(SCALAR).infer(launch::scalar_result).check(launch::scalar);
    let facts = if operation.immediate_count() > 0 { facts.attr("immediates", AttrKind::I64Array) } else { facts };
    match operation {
        Add | Mul | Max | Min | And | Or | Xor | Eq | Ne => facts.commutative(),
        _ => facts,
    }
}

/// `scalar.constant`.
pub(super) fn constant() -> Facts {
    op("a literal").result(SCALAR).attr("value", AttrKind::Constant).infer(launch::scalar_constant)
}

/// `scalar.index`.
pub(super) fn index() -> Facts {
    op("position along a dimension of the iteration space")
        .result(SCALAR)
        .attr("dimension", AttrKind::Integer(64))
        .infer(launch::scalar_index)
}

/// `scalar.yield`.
pub(super) fn terminator() -> Facts {
    op("ends a body and gives its values").terminator().operands("values", SCALAR, Count::Any)
}
