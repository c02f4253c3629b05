//! `func`: functions.

use super::{
    def::{Effect, Facts, op},
    names::Func::{self, *},
};

pub(super) fn facts(name: Func) -> Facts {
    match name {
        FuncFunc => op("a function").symbol().isolated(),
        FuncCall => op("calls a function").effect(Effect::Callee),
        FuncReturn => op("ends a function and gives its results").terminator(),
    }
}
