//! `builtin`: the module.

use super::{
    def::{Effect, Facts, op},
    names::Builtin::{self, *},
};

pub(super) fn facts(name: Builtin) -> Facts {
    match name {
        BuiltinModule => op("a whole input: functions and other symbols").effect(Effect::Some).isolated(),
        BuiltinUnrealizedConversionCast => op("a value as another type, until a later pass resolves it"),
    }
}
