//! `scalar`: bodies of launches, from the scalar language's own table.

use pygraph_artifact::scalar::ScalarOp;

use super::def::{Facts, op};

pub(super) fn operation(operation: ScalarOp) -> Facts {
    use ScalarOp::{Add, And, Eq, Max, Min, Mul, Ne, Or, Xor};
    let facts = op(operation.summary()).elementwise();
    match operation {
        Add | Mul | Max | Min | And | Or | Xor | Eq | Ne => facts.commutative(),
        _ => facts,
    }
}

pub(super) fn constant() -> Facts {
    op("a literal")
}

pub(super) fn index() -> Facts {
    op("position along a dimension of the iteration space")
}

pub(super) fn terminator() -> Facts {
    op("ends a body and gives its values").terminator()
}
