//! `fx`: graphs of PyTorch.

use super::{
    def::{Effect, Facts, op},
    names::Fx::{self, *},
};

pub(super) fn facts(name: Fx) -> Facts {
    match name {
        FxCall => op("calls an operator of PyTorch by name").effect(Effect::Operator),
        FxGetAttr => op("a parameter, buffer or sub-graph of the traced module"),
    }
}
