//! `interpreter`: instruments of StableHLO's reference interpreter, in its own tests; read, not run.

use super::{
    constraint::{ANY_TYPE, AttrKind, TENSOR},
    def::{Count, Effect, Facts, op},
    names::Interpreter::{self, *},
    rules::control,
};

/// The operations, in order of name.
pub(super) fn facts(name: Interpreter) -> Facts {
    match name {
        InterpreterPrint => op("prints a tensor").effect(Effect::Some).operand("operand", TENSOR),
        InterpreterProbe => op("writes a tensor to a file and gives it")
            .effect(Effect::Some)
            .operand("operand", TENSOR)
            .result(TENSOR)
            .attr("probe_id", AttrKind::String)
            .infer(control::forward),
        InterpreterRunParallel => op("runs functions as processes")
            .effect(Effect::Some)
            .operands("inputs", ANY_TYPE, Count::Any)
            .results("results", ANY_TYPE, Count::Any)
            .attr("programs", AttrKind::Array)
            .optional("infeed", AttrKind::SymbolArray),
    }
}
