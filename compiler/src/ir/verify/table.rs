//! One operation against its entry of the table.

use super::Report;
use crate::{
    diagnostic::Diagnostic,
    ir::{
        Module, OpId, Opcode, ValueId,
        ops::{
            constraint::AttrKind,
            def::{Count, OpDef, Presence, ValueDef},
            view::{View, group_sizes, segments, show, types_compatible},
        },
    },
};

/// Attributes that upstream's generic form gives to operations with several groups.
const SEGMENTS: &[&str] = &["operandSegmentSizes", "resultSegmentSizes"];

/// Counts and types first; the operation's own rules only where these are right.
pub(super) fn check(module: &Module, op: OpId, found: &mut Vec<Diagnostic>) {
    let def = module.op(op).opcode.def();
    let before = found.len();
    let mut report = Report { module, op, found };
    check_values(&mut report, &def.operands, "operand", &module.op(op).operands, SEGMENTS[0]);
    check_values(&mut report, &def.results, "result", &module.op(op).results, SEGMENTS[1]);
    check_attributes(&mut report, def);
    check_regions(&mut report, def);
    if report.found.len() == before {
        check_rules(&mut report, def);
    }
}

fn check_values(report: &mut Report, defs: &[ValueDef], kind: &str, values: &[ValueId], segment_name: &str) {
    let operation = report.module.op(report.op);
    let name = operation.opcode.name();
    let Some(sizes) = group_sizes(defs, values.len(), segments(&operation.attrs, segment_name)) else {
        report.error(format!("{name} has {} {kind}s, but takes {}", values.len(), expected_count(defs)));
        return;
    };
    let groups = defs.iter().zip(sizes).flat_map(|(def, size)| std::iter::repeat_n(def, size));
    for (index, (def, value)) in groups.zip(values).enumerate() {
        let ty = report.module.ty(*value);
        if !def.ty.accepts(ty) {
            let (wanted, own) = (def.ty.describe(), show(ty));
            report.error(format!("{kind} {index} (`{}`) of {name} should be a {wanted}, but is {own}", def.name));
        }
    }
}

/// `2 (lhs, rhs)`, `at least 2 (inputs…, init_values…)`.
fn expected_count(defs: &[ValueDef]) -> String {
    if defs.is_empty() {
        return "none".to_string();
    }
    let least = defs.iter().filter(|def| matches!(def.count, Count::One | Count::Some)).count();
    let is_open = defs.iter().any(|def| def.count != Count::One);
    let names: Vec<String> = defs.iter().map(value_group).collect();
    format!("{}{least} ({})", if is_open { "at least " } else { "" }, names.join(", "))
}

fn value_group(def: &ValueDef) -> String {
    match def.count {
        Count::One => def.name.to_string(),
        Count::Optional => format!("{}?", def.name),
        Count::Any | Count::Some => format!("{}…", def.name),
    }
}

fn check_attributes(report: &mut Report, def: &OpDef) {
    let operation = report.module.op(report.op);
    let name = operation.opcode.name();
    for wanted in &def.attributes {
        match operation.attr(wanted.name) {
            None if wanted.presence == Presence::Required => {
                report.error(format!("{name} needs the attribute `{}`: {}", wanted.name, wanted.kind.describe()));
            }
            Some(own) if !wanted.kind.accepts(own) => {
                report.error(format!("`{}` of {name} should be {}", wanted.name, wanted.kind.describe()));
            }
            _ => {}
        }
    }
    for (own, value) in operation.attrs.iter() {
        let is_segments = SEGMENTS.contains(&&**own) && AttrKind::I32Array.accepts(value);
        if def.attribute(own).is_none() && !own.contains('.') && !own.starts_with('_') && !is_segments {
            report.error(format!("{name} has no attribute `{own}`{}", known_attributes(def)));
        }
    }
}

fn known_attributes(def: &OpDef) -> String {
    if def.attributes.is_empty() {
        return "; its own have a dialect's prefix".to_string();
    }
    let names: Vec<&str> = def.attributes.iter().map(|attribute| attribute.name).collect();
    format!("; it has {}", names.join(", "))
}

fn check_regions(report: &mut Report, def: &OpDef) {
    let operation = report.module.op(report.op);
    let name = operation.opcode.name();
    let fixed = def.regions.iter().filter(|region| region.count == Count::One).count();
    let least = def.regions.iter().filter(|region| matches!(region.count, Count::One | Count::Some)).count();
    let own = operation.regions.len();
    let is_open = def.regions.len() > fixed;
    if own < least || (own > fixed && !is_open) {
        let at_least = if is_open { "at least " } else { "" };
        report.error(format!("{name} has {own} regions, but takes {at_least}{least}"));
        return;
    }
    for (index, region) in operation.regions.iter().enumerate() {
        let Some(wanted) = def.regions.get(index.min(def.regions.len() - 1)) else { continue };
        let [block] = report.module.region(*region).blocks[..] else {
            let count = report.module.region(*region).blocks.len();
            if count > 1 || !wanted.may_be_empty {
                report.error(format!("region `{}` of {name} has {count} blocks, but takes one", wanted.name));
            }
            continue;
        };
        check_terminators(report, block, wanted.name, wanted.terminator);
    }
}

fn check_terminators(report: &mut Report, block: crate::ir::BlockId, region: &str, wanted: Option<Opcode>) {
    let (module, name) = (report.module, report.module.op(report.op).opcode.name());
    let last = module.block(block).last();
    for op in module.block_ops(block) {
        let opcode = module.op(op).opcode;
        if opcode.def().is_terminator() && (Some(op) != last || wanted.is_none()) {
            report.found.push(module.error(op, format!("{} stands before the end of its block", opcode.name())));
        }
    }
    let Some(wanted) = wanted else { return };
    let own = last.map(|last| module.op(last).opcode);
    // A function ends in a `pyg.return` once it is a program.
    let ends_program = wanted == Opcode::FuncReturn && own == Some(Opcode::PygReturn);
    if own != Some(wanted) && !ends_program {
        let own = own.map_or("nothing", Opcode::name);
        report.error(format!("region `{region}` of {name} should end in {}, but ends in {own}", wanted.name()));
    }
}

fn check_rules(report: &mut Report, def: &OpDef) {
    let view = View::of(report.module, report.op);
    if let Some(infer) = def.infer {
        match infer(&view) {
            Err(message) => return report.error(message),
            Ok(types) => {
                if types.len() != view.results.len() {
                    let name = def.opcode.name();
                    report.error(format!("{name} has {} results, but gives {}", view.results.len(), types.len()));
                    return;
                }
                for (index, (wanted, value)) in types.iter().zip(view.results).enumerate() {
                    let own = report.module.ty(*value);
                    if !types_compatible(wanted, own) {
                        let (name, wanted, own) = (def.opcode.name(), show(wanted), show(own));
                        report.error(format!("result {index} of {name} should be {wanted}, but is {own}"));
                    }
                }
            }
        }
    }
    if let Some(Err(message)) = def.check.map(|check| check(&view)) {
        report.error(message);
    }
}
