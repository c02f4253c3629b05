//! The report for a terminal.

use super::{Program, Report, kv::Kv};
use crate::diagnostic::DecisionKind;

/// The report as a table.
pub fn render(report: &Report) -> String {
    let mut text = format!("{}, costs of {}\n", report.file, report.device);
    for program in &report.programs {
        text += &table(program);
    }
    for (title, kind) in
        [("cuts", DecisionKind::Cut), ("rescued", DecisionKind::Rescue), ("refused", DecisionKind::Refusal)]
    {
        let lines: Vec<String> = report
            .decided(kind)
            .map(|decided| {
                let remedy = decided.remedy.as_ref().map_or(String::new(), |remedy| format!("; {remedy}"));
                format!("  {}: {}: {}{remedy}\n", decided.location, decided.op, decided.reason)
            })
            .collect();
        if !lines.is_empty() {
            text += &format!("{title} ({})\n{}", lines.len(), lines.concat());
        }
    }
    text
}

fn table(program: &Program) -> String {
    let share = |part: u64, whole: u64| if whole == 0 { 100.0 } else { 100.0 * part as f64 / whole as f64 };
    let in_graphs = share(program.launches_in_graphs(), program.device_ops());
    let rows = [
        ("segments", program.segments.len().to_string()),
        ("launches", format!("{} (of {} before fusion)", program.launches(), program.launches_before_fusion)),
        ("in graphs", format!("{in_graphs:.0} % of {} operations", program.device_ops())),
        ("a step", format!("{:.1} us estimated", program.step_us())),
        ("block", format!("{} in {} fields", bytes(program.block_bytes()), program.fields().count())),
        (
            "inputs copied",
            format!(
                "{} a step (static buffers: {})",
                bytes(program.input_bytes_copied),
                bytes(program.input_bytes_static_scheme)
            ),
        ),
        (
            "arena",
            format!("{} (lower bound {})", bytes(program.arena_bytes_peak), bytes(program.arena_bytes_lower_bound)),
        ),
        ("weights", bytes(program.weight_bytes)),
        ("state", bytes(program.state_bytes)),
    ];
    let mut text = format!("@{}\n", program.name);
    for (name, value) in rows {
        text += &format!("  {name:<14} {value}\n");
    }
    for segment in &program.segments {
        let times: Vec<String> = segment.estimates_us.iter().map(|(form, us)| format!("{form} {us:.1} us")).collect();
        text += &format!(
            "  segment @{:<5} {} launches, {}: {}\n",
            segment.name,
            segment.launches.len(),
            segment.deployment,
            times.join(", ")
        );
    }
    text + &kv_lines(&program.kv)
}

fn kv_lines(kv: &Kv) -> String {
    let mut text = String::new();
    for arena in &kv.arenas {
        let window = arena.window.map_or(String::new(), |window| format!(", the last {window} of them kept"));
        let bound = if arena.is_bounded { "as it grows" } else { "in full" };
        text += &format!(
            "  arena @{:<7} {} slots of {} tokens{window}, {} layers, {} a token; {} reserved, mapped {bound}: {} at 1 token, {} at {}\n",
            arena.name,
            arena.slots,
            arena.tokens_max,
            arena.layers,
            bytes(arena.token_bytes),
            bytes(arena.reservation_bytes()),
            bytes(arena.mapped_bytes(1)),
            bytes(arena.mapped_bytes(arena.tokens_max)),
            arena.tokens_max
        );
        let names: Vec<String> =
            arena.arguments.iter().map(|place| format!("{}:{}{}", place.argument, place.role, place.layer)).collect();
        text += &format!("    {}\n", names.join(" "));
    }
    if !kv.refusals.is_empty() {
        let names: Vec<&str> = kv.refusals.iter().map(|refused| refused.argument.as_str()).collect();
        text += &format!("  no caches      {}: see what was refused\n", names.join(", "));
    }
    text
}

/// A size for people: `512 B`, `1.5 MiB`.
pub fn bytes(count: u64) -> String {
    const UNITS: &[&str] = &["KiB", "MiB", "GiB", "TiB"];
    let mut value = count as f64;
    let mut unit = None;
    for name in UNITS {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = Some(*name);
    }
    unit.map_or_else(|| format!("{count} B"), |unit| format!("{value:.1} {unit}"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn sizes_for_people() {
        let shown = [0, 1023, 1024, 1_572_864, 1 << 40].map(super::bytes);
        assert_eq!(shown, ["0 B", "1023 B", "1.0 KiB", "1.5 MiB", "1.0 TiB"]);
    }
}
