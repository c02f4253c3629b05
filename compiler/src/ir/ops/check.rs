//! `check`: assertions of StableHLO's own tests.

use super::{
    constraint::{AttrKind, TENSOR, sets::FLOAT, sets::INEXACT, tensor_of},
    def::{Effect, Facts, op},
    names::Check::{self, *},
    rules::misc,
};

/// The operations, in order of name.
pub(super) fn facts(name: Check) -> Facts {
    match name {
        CheckExpectAlmostEq => {
            pair("checks that two tensors differ by at most a tolerance").default("tolerance", AttrKind::Float, "0.001")
        }
        CheckExpectAlmostEqConst => constant(
            "checks that a tensor differs from a constant by at most a tolerance",
            tensor_of(INEXACT),
        )
        .default("tolerance", AttrKind::Float, "0.001"),
        CheckExpectClose => op("checks that two tensors differ by at most some units in the last place")
            .effect(Effect::Some)
            .operand("actual", tensor_of(FLOAT))
            .operand("expected", tensor_of(FLOAT))
            .default("max_ulp_difference", AttrKind::Integer(64), "3")
            .default("min_ulp_difference", AttrKind::Integer(64), "0")
            .check(misc::same_operands),
        CheckExpectEq => pair("checks that two tensors are equal"),
        CheckExpectEqConst => constant("checks that a tensor equals a constant", TENSOR),
        CheckExpectSerializedEq => op("checks that a tensor equals one that a probe wrote")
            .effect(Effect::Some)
            .operand("expected", TENSOR)
            .attr("probe_id", AttrKind::String)
            .default("iteration", AttrKind::Integer(32), "0")
            .optional("iter", AttrKind::Integer(0)),
    }
}

fn pair(summary: &'static str) -> Facts {
    op(summary).effect(Effect::Some).operand("lhs", TENSOR).operand("rhs", TENSOR).check(misc::same_operands)
}

fn constant(summary: &'static str, ty: super::constraint::TypeConstraint) -> Facts {
    op(summary).effect(Effect::Some).operand("lhs", ty).attr("value", AttrKind::Dense).check(misc::same_as_value)
}
