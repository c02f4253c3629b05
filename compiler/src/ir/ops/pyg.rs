//! `pyg`: launches and plans.

use super::{
    Opcode,
    constraint::{
        ANY_TYPE, AttrKind, TENSOR, ranked,
        sets::{BOOL, FLOAT, INT, LOGIC},
        tensor_of,
    },
    def::{Count, Effect, Facts, op},
    names::Pyg::{self, *},
    rules::{attention, block, control, fused, launch},
};

/// The operations, in order of name.
pub(super) fn facts(name: Pyg) -> Facts {
    match name {
        PygBoundary => op("an operation of the input that no device runs: segments end at it")
            .effect(Effect::Some)
            .operands("operands", ANY_TYPE, Count::Any)
            .results("results", ANY_TYPE, Count::Any)
            .attr("what", AttrKind::String)
            .attr("reason", AttrKind::String)
            .optional("remedy", AttrKind::String),
        PygAttention => op("values weighted by a softmax of scaled, masked products of queries and keys")
            .operand("q", ranked(FLOAT, 4))
            .operand("k", tensor_of(FLOAT))
            .operand("v", tensor_of(FLOAT))
            .operands("mask", ranked(BOOL, 4), Count::Any)
            .operands("bias", ranked(FLOAT, 4), Count::Any)
            .operands("positions", ranked(INT, 2), Count::Any)
            .operands("length", ranked(INT, 1), Count::Any)
            .operands("layer", ranked(INT, 0), Count::Any)
            .result(ranked(FLOAT, 4))
            .attr("q_dims", AttrKind::I64Array)
            .attr("k_dims", AttrKind::I64Array)
            .attr("v_dims", AttrKind::I64Array)
            .attr("output_dims", AttrKind::I64Array)
            .attr("key_type", AttrKind::Type)
            .attr("value_type", AttrKind::Type)
            .attr("score_type", AttrKind::Type)
            .attr("logit_type", AttrKind::Type)
            .attr("softmax_type", AttrKind::Type)
            .attr("probability_type", AttrKind::Type)
            .default("key_scale", AttrKind::Float, "1.0")
            .default("scale", AttrKind::Float, "1.0")
            .default("divisor", AttrKind::Float, "1.0")
            .default("fill", AttrKind::Float, "minus infinity")
            .default("mask_adds", AttrKind::Bool, "false")
            .default("diagonal", AttrKind::Integer(64), "0")
            .optional("window", AttrKind::Integer(64))
            .default("safe", AttrKind::Bool, "false")
            .default("skips_below", AttrKind::Bool, "false")
            .check(attention::attention),
        PygKvArena => op("reserved addresses for the rows of caches, mapped as they grow")
            .symbol()
            .attr("slots", AttrKind::Integer(64))
            .attr("tokens_max", AttrKind::Integer(64))
            .attr("layers", AttrKind::Integer(64))
            .attr("heads", AttrKind::Integer(64))
            .attr("features", AttrKind::I64Array)
            .attr("element", AttrKind::Type)
            .attr("token_bytes", AttrKind::Integer(64))
            .attr("handle_bytes", AttrKind::Integer(64))
            .attr("bounded", AttrKind::Bool)
            .optional("window", AttrKind::Integer(64))
            .check(attention::arena),
        PygKvEnsure => op("rows of an arena that must be mapped before the next launch")
            .effect(Effect::Some)
            .operands("source", tensor_of(INT), Count::Any)
            .attr("arena", AttrKind::Symbol)
            .attr("spread", AttrKind::String)
            .attr("offsets", AttrKind::I64Array)
            .optional("window", AttrKind::Integer(64))
            .check(attention::rows),
        PygKvRetire => op("rows of an arena, up to positions, below which no later step of the request reads")
            .effect(Effect::Some)
            .operands("source", tensor_of(INT), Count::Any)
            .attr("arena", AttrKind::Symbol)
            .attr("spread", AttrKind::String)
            .attr("offsets", AttrKind::I64Array)
            .attr("window", AttrKind::Integer(64))
            .check(attention::rows),
        PygEmpty => op("a tensor whose elements nobody has set").result(TENSOR).check(launch::empty),
        PygNest => op("a launch: a loop nest with a scalar body")
            .effect(Effect::Regions)
            .operands("operands", TENSOR, Count::Some)
            .results("results", TENSOR, Count::Some)
            .attr("extents", AttrKind::I64Array)
            .attr("input_count", AttrKind::Integer(64))
            .attr("reduction_dims", AttrKind::Integer(64))
            .attr("maps", AttrKind::AffineMaps)
            .optional("places", AttrKind::Places)
            .regions("map", Opcode::ScalarYield, Count::Some)
            .infer(launch::nest),
        PygFused => op("a launch: loop nests that run one after another, row by row, alone or around a product")
            .isolated()
            .effect(Effect::Regions)
            .operands("inputs", TENSOR, Count::Any)
            .results("results", TENSOR, Count::Some)
            .attr("rows", AttrKind::Integer(64))
            .attr("name", AttrKind::String)
            .optional("places", AttrKind::Places)
            .region("stages", Opcode::PygYield)
            .check(fused::fused),
        PygKernel => op("a launch of a named kernel")
            .effect(Effect::Launch)
            .operands("inputs", TENSOR, Count::Any)
            .results("results", TENSOR, Count::Any)
            .attr("kernel", AttrKind::String)
            .attr("attributes", AttrKind::Dictionary)
            .optional("places", AttrKind::Places)
            .regions("bodies", Opcode::ScalarYield, Count::Any)
            .check(launch::kernel),
        PygView => op("the same bytes in another shape, or another type of equal width")
            .operand("operand", TENSOR)
            .result(TENSOR)
            .check(launch::view),
        PygConstant => {
            op("a constant of the artifact").result(TENSOR).attr("value", AttrKind::Dense).infer(launch::constant)
        }
        PygWhile => op("a region repeated while another gives true")
            .effect(Effect::Regions)
            .operands("operands", ANY_TYPE, Count::Any)
            .results("results", ANY_TYPE, Count::Any)
            .optional("places", AttrKind::Places)
            .region("condition", Opcode::PygYield)
            .region("body", Opcode::PygYield)
            .infer(control::while_loop),
        PygSwitch => op("one of several regions, by an index; out of range is the last")
            .effect(Effect::Regions)
            .operand("index", tensor_of(LOGIC))
            .results("results", ANY_TYPE, Count::Any)
            .optional("places", AttrKind::Places)
            .regions("branches", Opcode::PygYield, Count::Some)
            .infer(launch::switch),
        PygSegment => op("launches between two points where the host takes part")
            .symbol()
            .operands("operands", ANY_TYPE, Count::Any)
            .results("results", ANY_TYPE, Count::Any)
            .optional("block", AttrKind::Symbol)
            .optional("deploy", AttrKind::String)
            .optional("estimates_us", AttrKind::Dictionary)
            .region("body", Opcode::PygYield)
            .check(launch::segment),
        PygParamBlock => {
            op("a struct in the device's memory that holds what changes from step to step: values, and addresses")
                .symbol()
                .attr("bytes", AttrKind::Integer(64))
                .attr("fields", AttrKind::DictionaryArray)
                .check(block::param_block)
        }
        PygBlockWrite => op("the host fills a parameter block and sends it, before the launches that read it")
            .effect(Effect::Some)
            .operands("arguments", TENSOR, Count::Any)
            .attr("block", AttrKind::Symbol)
            .check(block::write),
        PygBlockField => {
            op("what a field of the segment's parameter block says: its value, or the tensor at its address")
                .result(TENSOR)
                .attr("block", AttrKind::Symbol)
                .attr("field", AttrKind::String)
                .check(block::field)
        }
        PygYield => op("ends a region and gives its values").terminator().operands("operands", ANY_TYPE, Count::Any),
        PygReturn => op("ends a program and gives its results").terminator().operands("results", ANY_TYPE, Count::Any),
    }
}
