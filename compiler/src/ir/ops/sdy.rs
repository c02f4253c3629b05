//! `sdy`: shardings, kept and shown.

use super::{
    Opcode,
    constraint::{ANY_TYPE, AttrKind, TENSOR},
    def::{Count, Effect, Facts, op},
    names::Sdy::{self, *},
    rules::control,
};

/// The operations, in order of name.
pub(super) fn facts(name: Sdy) -> Facts {
    match name {
        SdyMesh => op("a named mesh of devices").symbol().attr("mesh", AttrKind::Foreign),
        SdyReturn => op("ends sdy.manual_computation and gives its values").terminator().operands(
            "results",
            ANY_TYPE,
            Count::Any,
        ),
        SdyShardingConstraint => op("operand with a required sharding")
            .operand("input", TENSOR)
            .result(TENSOR)
            .attr("sharding", AttrKind::Foreign)
            .infer(control::forward),
        SdyManualComputation => op("a region on one shard")
            .effect(Effect::Regions)
            .operands("tensors", TENSOR, Count::Any)
            .results("results", TENSOR, Count::Any)
            .attr("in_shardings", AttrKind::Foreign)
            .attr("out_shardings", AttrKind::Foreign)
            .attr("manual_axes", AttrKind::Foreign)
            .region("body", Opcode::SdyReturn)
            .check(control::manual_computation),
    }
}
