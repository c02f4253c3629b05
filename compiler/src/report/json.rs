//! The report for programs.
//!
//! The fields of the default entry point stand at the top; `programs` has those of all.

use serde_json::{Value, json};

use super::{
    Decided, Program, Report, Segment,
    kv::{Arena, Kv},
};
use crate::diagnostic::DecisionKind;

/// The report as JSON, indented.
pub fn render(report: &Report) -> String {
    let mut object = report.programs.first().map_or_else(|| json!({}), program);
    object["file"] = report.file.as_str().into();
    object["costs_of"] = report.device.as_str().into();
    let decisions = |kind| report.decided(kind).map(decided).collect::<Vec<Value>>();
    object["cuts"] = decisions(DecisionKind::Cut).into();
    object["rescues"] = decisions(DecisionKind::Rescue).into();
    object["refusals"] = decisions(DecisionKind::Refusal).into();
    object["programs"] = report.programs.iter().map(program).collect();
    format!("{object:#}\n")
}

fn program(program: &Program) -> Value {
    json!({
        "program": program.name,
        "segments": program.segments.len(),
        "launches_before_fusion": program.launches_before_fusion,
        "launches": program.launches(),
        "device_ops": program.device_ops(),
        "device_ops_in_graphs": program.launches_in_graphs(),
        "step_us": program.step_us(),
        "block_bytes": program.block_bytes(),
        "block": program.fields().map(|(segment, field)| json!({
            "segment": segment,
            "name": field.name, "kind": field.kind, "offset": field.offset, "bytes": field.bytes,
        })).collect::<Vec<Value>>(),
        "input_bytes_copied": program.input_bytes_copied,
        "input_bytes_static_scheme": program.input_bytes_static_scheme,
        "weight_bytes": program.weight_bytes,
        "state_bytes": program.state_bytes,
        "arena_bytes_peak": program.arena_bytes_peak,
        "arena_bytes_lower_bound": program.arena_bytes_lower_bound,
        "kv": kv(&program.kv),
        "deployment": program.segments.iter().map(deployment).collect::<Vec<Value>>(),
    })
}

fn deployment(segment: &Segment) -> Value {
    let rivals = segment.estimates_us.iter().filter(|(form, _)| *form != segment.deployment);
    let rivals: serde_json::Map<String, Value> = rivals.map(|(form, us)| (form.clone(), json!(us))).collect();
    json!({
        "segment": segment.name,
        "launches": segment.launches.len(),
        "choice": segment.deployment,
        "estimate_us": segment.estimate_us(),
        "rivals_us": rivals,
    })
}

fn kv(kv: &Kv) -> Value {
    json!({
        "arenas": kv.arenas.iter().map(arena).collect::<Vec<Value>>(),
        "refusals": kv.refusals.iter().map(|refused| json!({
            "argument": refused.argument,
            "bytes": refused.bytes,
            "location": refused.decided.location,
            "reason": refused.decided.reason,
            "remedy": refused.decided.remedy,
        })).collect::<Vec<Value>>(),
    })
}

fn arena(arena: &Arena) -> Value {
    json!({
        "name": arena.name,
        "slots": arena.slots,
        "tokens_max": arena.tokens_max,
        "layers": arena.layers,
        "token_bytes": arena.token_bytes,
        "handle_bytes": arena.handle_bytes,
        "features": arena.features,
        "bounded": arena.is_bounded,
        "window": arena.window,
        "arguments": arena.arguments.iter().map(|place| json!({
            "argument": place.argument, "layer": place.layer, "role": place.role, "bytes": place.bytes,
        })).collect::<Vec<Value>>(),
        "reservation_bytes": arena.reservation_bytes(),
        "growth": arena.growth().iter().map(|at| json!({
            "tokens": at.tokens, "mapped_bytes": at.mapped_bytes,
        })).collect::<Vec<Value>>(),
    })
}

fn decided(decided: &Decided) -> Value {
    json!({
        "op": decided.op, "location": decided.location, "reason": decided.reason, "remedy": decided.remedy,
    })
}
