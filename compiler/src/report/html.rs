//! The report as one page that needs nothing else.

use std::{collections::BTreeMap, fmt::Write};

use super::{
    Decided, Launch, Program, Report, Segment,
    kv::{Arena, Kv},
    text::bytes,
};
use crate::diagnostic::DecisionKind;

/// Rectangles that a drawing has at most: beyond, the largest are drawn and the rest counted.
const DRAWN_MAX: usize = 4000;

/// Rows of the table of launches.
const LAUNCHES_SHOWN: usize = 15;

/// The page.
pub fn render(report: &Report) -> String {
    let name = report.file.rsplit(['/', '\\']).next().unwrap_or(&report.file);
    let lead = format!(
        "What became of <code>{}</code>. Times are estimates for {}.",
        escape(&report.file),
        escape(&report.device)
    );
    let mut body: String = report.programs.iter().map(|program| program_text(program, report.programs.len())).collect();
    for (title, kind, empty) in [
        ("What cuts segments", DecisionKind::Cut, "Nothing cuts a segment."),
        ("What was rescued", DecisionKind::Rescue, "Nothing had to be."),
        ("What was refused", DecisionKind::Refusal, "Nothing was."),
    ] {
        body += &decisions(title, empty, &report.decided(kind).collect::<Vec<_>>());
    }
    include_str!("page.html").replace("{{title}}", &escape(name)).replace("{{lead}}", &lead).replace("{{body}}", &body)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn program_text(program: &Program, count: usize) -> String {
    let heading = if count > 1 { format!("<h2>@{}</h2>", escape(&program.name)) } else { String::new() };
    let segments: String = program.segments.iter().map(|segment| segment_card(segment, program.step_us())).collect();
    let slowest = slowest(program);
    format!(
        "{heading}<div class=\"tiles\">{}</div><h2>The step</h2>{segments}{slowest}<h2>Parameter block</h2>{}<h2>Arena over time</h2>{}{}",
        tiles(program),
        block_card(program),
        arena_card(program),
        kv_text(&program.kv)
    )
}

fn tiles(program: &Program) -> String {
    let (inside, all) = (program.launches_in_graphs(), program.device_ops());
    let share = if all == 0 { 100.0 } else { 100.0 * inside as f64 / all as f64 };
    let tile = |value: &str, class: &str, label: &str| {
        format!("<div class=\"tile\"><b class=\"{class}\">{value}</b><span>{label}</span></div>")
    };
    let is_good = |good: bool| if good { "good" } else { "bad" };
    [
        tile(&program.segments.len().to_string(), is_good(program.segments.len() <= 1), "segments a step"),
        tile(&format!("{share:.0} %"), is_good(inside == all), "of operations inside graphs"),
        tile(
            &program.launches().to_string(),
            "",
            &format!("launches, of {} before fusion", program.launches_before_fusion),
        ),
        tile(&time(program.step_us()), "", "a step, estimated"),
        tile(
            &bytes(program.input_bytes_copied),
            is_good(program.input_bytes_copied == 0),
            &format!("of inputs copied a step; static buffers: {}", bytes(program.input_bytes_static_scheme)),
        ),
        tile(&bytes(program.block_bytes()), "", &format!("parameter block, {} fields", program.fields().count())),
        tile(
            &bytes(program.arena_bytes_peak),
            "",
            &format!("arena; lower bound {}", bytes(program.arena_bytes_lower_bound)),
        ),
        tile(
            &bytes(program.weight_bytes + program.state_bytes),
            "",
            &format!("weights and state ({} state)", bytes(program.state_bytes)),
        ),
    ]
    .concat()
}

fn time(us: f64) -> String {
    match us {
        us if us >= 1e6 => format!("{:.2} s", us / 1e6),
        us if us >= 1e3 => format!("{:.2} ms", us / 1e3),
        us if us >= 1.0 || us == 0.0 => format!("{us:.1} µs"),
        us => format!("{:.0} ns", us * 1e3),
    }
}

/// Colours of the kinds of launches that take longest.
const COLOURS: &[&str] = &["#3b6fb6", "#1b9e77", "#e6a532", "#c2558f", "#7b5fb3", "#5aa9c4", "#a3733f"];
const OTHER: &str = "#9aa3ae";

/// The kinds of launches in order of their time together, each with a colour; the last stands for the rest.
fn kinds(launches: &[Launch]) -> Vec<(String, &'static str, f64)> {
    let mut together: BTreeMap<&str, f64> = BTreeMap::new();
    for launch in launches {
        *together.entry(&launch.name).or_default() += launch.work_us;
    }
    let mut kinds: Vec<(&str, f64)> = together.into_iter().collect();
    kinds.sort_by(|a, b| b.1.total_cmp(&a.1));
    let rest: f64 = kinds.iter().skip(COLOURS.len()).map(|(_, us)| us).sum();
    let mut listed: Vec<(String, &str, f64)> =
        kinds.iter().zip(COLOURS).map(|((name, us), colour)| (name.to_string(), *colour, *us)).collect();
    if kinds.len() > COLOURS.len() {
        listed.push((format!("{} other kinds", kinds.len() - COLOURS.len()), OTHER, rest));
    }
    listed
}

fn segment_card(segment: &Segment, step_us: f64) -> String {
    let slowest = segment.estimates_us.iter().map(|(_, us)| *us).fold(0.0, f64::max).max(1e-9);
    let mut forms = segment.estimates_us.clone();
    forms.sort_by(|a, b| a.1.total_cmp(&b.1));
    let bars: String = forms
        .iter()
        .map(|(form, us)| {
            let class = if *form == segment.deployment { "bar chosen" } else { "bar" };
            format!(
                "<div class=\"{class}\"><span>{form}</span><i style=\"width:{:.1}%\"></i><span>{}</span></div>",
                100.0 * us / slowest,
                time(*us)
            )
        })
        .collect();
    let share = if step_us > 0.0 { 100.0 * segment.estimate_us() / step_us } else { 0.0 };
    format!(
        "<div class=\"card\"><h3>segment @{} · {} launches · {} · {share:.0} % of the step</h3>{bars}{}</div>",
        escape(&segment.name),
        segment.launches.len(),
        segment.deployment,
        time_line(&segment.launches)
    )
}

/// Every launch as long as its own work takes, in order.
fn time_line(launches: &[Launch]) -> String {
    let total: f64 = launches.iter().map(|launch| launch.work_us).sum();
    if launches.is_empty() || total <= 0.0 {
        return String::new();
    }
    let kinds = kinds(launches);
    let colour = |name: &str| kinds.iter().find(|kind| kind.0 == name).map_or(OTHER, |kind| kind.1);
    let mut svg = String::from("<svg viewBox=\"0 0 1000 46\" role=\"img\" aria-label=\"launches in order\">");
    let mut x = 0.0;
    // Neighbours of one kind that would be too thin to see are one rectangle.
    let mut pending: Option<(f64, f64, &str, usize)> = None;
    let draw = |svg: &mut String, (x, width, name, count): (f64, f64, &str, usize)| {
        let many = if count > 1 { format!("{count} × ") } else { String::new() };
        let title = format!("{many}{}: {}", escape(name), time(width / 1000.0 * total));
        let _ = write!(
            svg,
            "<rect x=\"{x:.2}\" y=\"10\" width=\"{:.2}\" height=\"26\" fill=\"{}\"><title>{title}</title></rect>",
            width.max(0.05),
            colour(name)
        );
    };
    for launch in launches {
        let width = 1000.0 * launch.work_us / total;
        match &mut pending {
            Some((_, wide, name, count)) if *name == launch.name && (width < 1.0 || *wide < 1.0) => {
                *wide += width;
                *count += 1;
            }
            _ => {
                if let Some(done) = pending.replace((x, width, &launch.name, 1)) {
                    draw(&mut svg, done);
                }
            }
        }
        x += width;
    }
    if let Some(done) = pending {
        draw(&mut svg, done);
    }
    svg += "</svg><div class=\"legend\">";
    for (name, colour, us) in kinds {
        let _ = write!(svg, "<span><i style=\"background:{colour}\"></i>{} {}</span>", escape(&name), time(us));
    }
    svg + "</div><p class=\"note\">Each launch is as wide as its own work takes; loops are drawn once.</p>"
}

fn slowest(program: &Program) -> String {
    let mut launches: Vec<&Launch> = program.segments.iter().flat_map(|segment| &segment.launches).collect();
    launches.sort_by(|a, b| b.work_us.total_cmp(&a.work_us));
    if launches.is_empty() {
        return String::new();
    }
    let rows: String = launches
        .iter()
        .take(LAUNCHES_SHOWN)
        .map(|launch| {
            let looped = if launch.depth > 0 { " (in a loop)" } else { "" };
            format!(
                "<tr><td><code>{}</code>{looped}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td><code>{}</code></td></tr>",
                escape(&launch.name),
                time(launch.work_us),
                bytes(launch.bytes),
                escape(&launch.location)
            )
        })
        .collect();
    format!(
        "<div class=\"card\"><h3>the longest launches</h3><table><tr><th>launch</th><th class=\"n\">work</th><th class=\"n\">moved</th><th>from</th></tr>{rows}</table></div>"
    )
}

fn block_card(program: &Program) -> String {
    let field = |field: &super::Field| {
        let class = if field.kind == "address" { "" } else { " class=\"value\"" };
        format!(
            "<span{class} title=\"at {}, {} bytes\">{} : {}</span>",
            field.offset,
            field.bytes,
            escape(&field.name),
            escape(&field.kind)
        )
    };
    let fields: String = program.fields().map(|(_, own)| field(own)).collect();
    let empty = if fields.is_empty() {
        "Nothing changes from step to step."
    } else {
        "What changes from step to step is read from one struct: values by value, the rest by address."
    };
    format!("<div class=\"card\"><div class=\"block\">{fields}</div><p class=\"note\">{empty}</p></div>")
}

fn arena_card(program: &Program) -> String {
    let end = program.arena.iter().map(|tenant| tenant.end).max().unwrap_or(0);
    if program.arena.is_empty() || program.arena_bytes_peak == 0 {
        return "<div class=\"card\"><p class=\"note\">The program needs no arena.</p></div>".to_string();
    }
    let (width, height) = (1000.0, 260.0);
    let x = |position: f64| width * position / f64::from(end + 1);
    let y = |offset: u64| height * offset as f64 / program.arena_bytes_peak as f64;
    let mut drawn: Vec<_> = program.arena.iter().collect();
    drawn.sort_by_key(|tenant| std::cmp::Reverse(tenant.bytes));
    let left_out = drawn.len().saturating_sub(DRAWN_MAX);
    let mut svg =
        format!("<svg viewBox=\"0 -4 {width} {}\" role=\"img\" aria-label=\"the arena over time\">", height + 24.0);
    for (index, tenant) in drawn.iter().take(DRAWN_MAX).enumerate() {
        let (left, right) = (x(f64::from(tenant.start.saturating_sub(1))), x(f64::from(tenant.end)));
        let _ = write!(
            svg,
            "<rect x=\"{left:.2}\" y=\"{:.2}\" width=\"{:.2}\" height=\"{:.2}\" fill=\"{}\" fill-opacity=\".75\"><title>{} at {}, launches {} to {}</title></rect>",
            y(tenant.offset),
            (right - left).max(0.4),
            y(tenant.bytes).max(0.4),
            COLOURS[index % COLOURS.len()],
            bytes(tenant.bytes),
            tenant.offset,
            tenant.start,
            tenant.end
        );
    }
    let bound = y(program.arena_bytes_lower_bound.min(program.arena_bytes_peak));
    let _ = write!(
        svg,
        "<line x1=\"0\" x2=\"{width}\" y1=\"{bound:.1}\" y2=\"{bound:.1}\" stroke=\"currentColor\" stroke-dasharray=\"5 4\"/>"
    );
    let _ = write!(
        svg,
        "<text x=\"0\" y=\"{}\">launch 1</text><text x=\"{width}\" y=\"{}\" text-anchor=\"end\">launch {end}</text></svg>",
        height + 16.0,
        height + 16.0
    );
    let rest = if left_out > 0 { format!(" {left_out} small ones are not drawn.") } else { String::new() };
    format!(
        "<div class=\"card\">{svg}<p class=\"note\">{} buffers share {}: to the right goes time, downwards the address. The dashed line is the most that is needed at one time, {}.{rest}</p></div>",
        program.arena.len(),
        bytes(program.arena_bytes_peak),
        bytes(program.arena_bytes_lower_bound)
    )
}

/// Caches: a picture of each arena, how it grows, and what is none.
fn kv_text(kv: &Kv) -> String {
    if kv.arenas.is_empty() && kv.refusals.is_empty() {
        return String::new();
    }
    let arenas: String = kv.arenas.iter().map(kv_card).collect();
    let row = |refused: &super::kv::Refused| {
        format!(
            "<tr><td><code>{}</code></td><td class=\"n\">{}</td><td>{}</td></tr>",
            escape(&refused.argument),
            bytes(refused.bytes),
            escape(&refused.decided.reason)
        )
    };
    let rows: String = kv.refusals.iter().map(row).collect();
    let refused = if rows.is_empty() {
        String::new()
    } else {
        format!(
            "<div class=\"card\"><h3>state that lies in no arena</h3><table><tr><th>argument</th><th class=\"n\">size</th><th>why</th></tr>{rows}</table></div>"
        )
    };
    format!("<h2>Caches</h2>{arenas}{refused}")
}

fn kv_card(arena: &Arena) -> String {
    let window = arena.window.map_or(String::new(), |window| format!(" · window of {window}"));
    format!(
        "<div class=\"card\"><h3>arena @{} · {} slots of {} tokens · {} layers · {} a token{window}</h3>{}{}<p class=\"note\">{}</p></div>",
        escape(&arena.name),
        arena.slots,
        arena.tokens_max,
        arena.layers,
        bytes(arena.token_bytes),
        token_map(arena),
        growth_curve(arena),
        kv_note(arena)
    )
}

fn kv_note(arena: &Arena) -> String {
    let all = bytes(arena.reservation_bytes());
    if arena.is_bounded {
        let (first, handle) = (bytes(arena.mapped_bytes(1)), bytes(arena.handle_bytes));
        let window = arena.window.map_or(String::new(), |window| {
            format!(" Handles below the last {window} rows go back, since nobody reads there any more.")
        });
        format!(
            "{all} of addresses are reserved. Memory comes in handles of {handle} as every slot fills: {first} for the first token.{window} The dashed line is all of it."
        )
    } else {
        format!("All {all} are mapped from the first step: nothing proves that rows beyond the position are not read.")
    }
}

/// A token's bytes, from the left: each argument as wide as its share, keys and values in two colours.
fn token_map(arena: &Arena) -> String {
    let (width, count) = (1000.0, arena.arguments.len());
    let total: i64 = arena.features.iter().sum::<i64>().max(1);
    let mut svg = String::from("<svg viewBox=\"0 0 1000 58\" role=\"img\" aria-label=\"a token in the arena\">");
    svg += "<text x=\"0\" y=\"11\">one token, all its layers</text>";
    let mut x = 0.0;
    for (number, place) in arena.arguments.iter().enumerate().take(DRAWN_MAX) {
        let features = arena.features.get(number % arena.features.len().max(1)).copied().unwrap_or(total);
        let wide = width / arena.layers.max(1) as f64 * features as f64 / total as f64;
        let colour = COLOURS[if place.role == "v" { 1 } else { 0 }];
        let opacity = if place.layer % 2 == 0 { ".9" } else { ".6" };
        let _ = write!(
            svg,
            "<rect x=\"{x:.2}\" y=\"18\" width=\"{:.2}\" height=\"22\" rx=\"2\" fill=\"{colour}\" fill-opacity=\"{opacity}\"><title>{}: {} of layer {}, {}</title></rect>",
            (wide - 1.0).max(0.3),
            escape(&place.argument),
            escape(&place.role),
            place.layer,
            bytes(place.bytes)
        );
        if count <= 32 {
            let label = format!("{}{}", place.role, place.layer);
            let _ = write!(
                svg,
                "<text x=\"{:.1}\" y=\"54\" text-anchor=\"middle\">{}</text>",
                x + wide / 2.0,
                escape(&label)
            );
        }
        x += wide;
    }
    svg + "</svg>"
}

/// Bytes mapped over tokens: a stair of handles.
fn growth_curve(arena: &Arena) -> String {
    let (width, height) = (1000.0, 120.0);
    let all = arena.reservation_bytes().max(1) as f64;
    let x = |tokens: u64| width * tokens as f64 / arena.tokens_max.max(1) as f64;
    let y = |mapped: u64| height * (1.0 - mapped as f64 / all);
    let growth = arena.growth();
    let mut line = String::new();
    for (number, at) in growth.iter().enumerate() {
        // Up first, then along: a handle is there before the token that needs it.
        let command = if number == 0 {
            format!("M0 {:.2}", y(at.mapped_bytes))
        } else {
            format!("H{:.2}V{:.2}", x(at.tokens), y(at.mapped_bytes))
        };
        line += &command;
    }
    let end = growth.last().map_or(0, |at| at.mapped_bytes);
    format!(
        "<svg viewBox=\"0 -16 {width} {}\" role=\"img\" aria-label=\"bytes mapped as the cache grows\"><path d=\"{line}V{height}H0Z\" fill=\"{}\" fill-opacity=\".2\"/><path d=\"{line}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"/><line x1=\"0\" x2=\"{width}\" y1=\"0\" y2=\"0\" stroke=\"currentColor\" stroke-dasharray=\"5 4\"/><text x=\"0\" y=\"-5\">{} reserved</text><text x=\"{width}\" y=\"-5\" text-anchor=\"end\">{} mapped at the end</text><text x=\"0\" y=\"{}\">0 tokens</text><text x=\"{width}\" y=\"{}\" text-anchor=\"end\">{} tokens</text></svg>",
        height + 34.0,
        COLOURS[0],
        COLOURS[0],
        bytes(arena.reservation_bytes()),
        bytes(end),
        height + 14.0,
        height + 14.0,
        arena.tokens_max
    )
}

fn decisions(title: &str, empty: &str, decisions: &[&Decided]) -> String {
    if decisions.is_empty() {
        return format!("<h2>{title}</h2><div class=\"card\"><p class=\"note\">{empty}</p></div>");
    }
    let row = |decided: &&Decided| {
        let remedy = decided.remedy.as_deref().unwrap_or("");
        format!(
            "<tr><td><code>{}</code></td><td>{}</td><td>{}</td><td><code>{}</code></td></tr>",
            escape(&decided.op),
            escape(&decided.reason),
            escape(remedy),
            escape(&decided.location)
        )
    };
    let rows: String = decisions.iter().map(row).collect();
    format!(
        "<h2>{title} ({})</h2><div class=\"card\"><table><tr><th>what</th><th>why</th><th>what would change it</th><th>where</th></tr>{rows}</table></div>",
        decisions.len()
    )
}
