//! `fx`: graphs of PyTorch.

use super::{
    constraint::{ANY_TYPE, AttrKind},
    def::{Count, Effect, Facts, op},
    names::Fx::{self, *},
};

/// The operations, in order of name.
pub(super) fn facts(name: Fx) -> Facts {
    match name {
        FxCall => op("calls an operator of PyTorch by name")
            .effect(Effect::Operator)
            .operands("operands", ANY_TYPE, Count::Any)
            .results("results", ANY_TYPE, Count::Any)
            .attr("target", AttrKind::String)
            .default("args", AttrKind::Array, "[]")
            .default("kwargs", AttrKind::Dictionary, "{}")
            .optional("device", AttrKind::Any)
            .optional("stride", AttrKind::Any),
        FxGetAttr => op("a parameter, buffer or sub-graph of the traced module")
            .results("result", ANY_TYPE, Count::Any)
            .attr("target", AttrKind::String),
    }
}
