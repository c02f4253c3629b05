//! `func`: functions.

use super::{
    Opcode,
    constraint::{ANY_TYPE, AttrKind},
    def::{Count, Effect, Facts, op},
    names::Func::{self, *},
};

/// The operations, in order of name.
pub(super) fn facts(name: Func) -> Facts {
    match name {
        FuncFunc => op("a function")
            .symbol()
            .isolated()
            .attr("function_type", AttrKind::FunctionType)
            .optional("arg_attrs", AttrKind::DictionaryArray)
            .optional("res_attrs", AttrKind::DictionaryArray)
            .optional("no_inline", AttrKind::Unit)
            .region_or_declaration("body", Opcode::FuncReturn),
        FuncCall => op("calls a function")
            .effect(Effect::Callee)
            .operands("operands", ANY_TYPE, Count::Any)
            .results("results", ANY_TYPE, Count::Any)
            .attr("callee", AttrKind::Symbol)
            .optional("arg_attrs", AttrKind::DictionaryArray)
            .optional("res_attrs", AttrKind::DictionaryArray)
            .optional("no_inline", AttrKind::Unit),
        FuncReturn => {
            op("ends a function and gives its results").terminator().operands("operands", ANY_TYPE, Count::Any)
        }
    }
}
