//! `builtin`: the module.

use super::{
    constraint::{ANY_TYPE, AttrKind},
    def::{Count, Effect, Facts, op},
    names::Builtin::{self, *},
};

/// The operations, in order of name.
pub(super) fn facts(name: Builtin) -> Facts {
    match name {
        BuiltinModule => op("a whole input: functions and other symbols")
            .effect(Effect::Some)
            .isolated()
            .optional("sym_name", AttrKind::String)
            .optional("sym_visibility", AttrKind::String)
            .open_region("body"),
        BuiltinUnrealizedConversionCast => op("a value as another type, until a later pass resolves it")
            .operands("inputs", ANY_TYPE, Count::Any)
            .results("outputs", ANY_TYPE, Count::Some),
    }
}
