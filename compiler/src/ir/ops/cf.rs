//! `cf`: what torch-mlir leaves of run-time checks.

use super::{
    constraint::{AttrKind, scalar_of, sets::BOOL},
    def::{Effect, Facts, op},
    names::Cf::{self, *},
};

/// The operations, in order of name.
pub(super) fn facts(name: Cf) -> Facts {
    match name {
        CfAssert => op("checks that a truth value is true")
            .effect(Effect::Some)
            .operand("arg", scalar_of(BOOL))
            .attr("msg", AttrKind::String),
    }
}
