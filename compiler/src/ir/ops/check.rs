//! `check`: assertions of StableHLO's own tests.

use super::{
    def::{Effect, Facts, op},
    names::Check::{self, *},
};

pub(super) fn facts(name: Check) -> Facts {
    match name {
        CheckExpectAlmostEq => op("checks that two tensors differ by at most a tolerance").effect(Effect::Some),
        CheckExpectAlmostEqConst => {
            op("checks that a tensor differs from a constant by at most a tolerance").effect(Effect::Some)
        }
        CheckExpectClose => {
            op("checks that two tensors differ by at most some units in the last place").effect(Effect::Some)
        }
        CheckExpectEq => op("checks that two tensors are equal").effect(Effect::Some),
        CheckExpectEqConst => op("checks that a tensor equals a constant").effect(Effect::Some),
    }
}
