//! The documents that are made from tables: `--list-passes`, docs/passes.md and docs/debugging.md.

use crate::{
    knobs::{Group, KNOBS, Takes},
    passes::{PASS_SOURCES, PASSES, PassDef, Phase, pipeline},
};

/// What `--list-passes` shows.
pub fn list_passes() -> String {
    let mut text = String::new();
    for pass in PASSES {
        text += &format!("{} ({} level): {}\n", pass.name, pass.phase.name(), pass.summary);
        for line in pass_doc(pass).lines() {
            text += format!("    {line}").trim_end();
            text.push('\n');
        }
        text.push('\n');
    }
    text
}

/// docs/passes.md.
pub fn passes_md() -> String {
    let mut text = String::from(
        "# Passes\n\n<!-- Made from compiler/src/passes by `UPDATE_DOCS=1 cargo test -p pygraph-compiler --test docs`. -->\n\n\
         The default pipeline, phase by phase. `pygraph-opt` stops after the tensor level unless `--stop-after` says otherwise.\n",
    );
    for phase in Phase::ALL {
        let steps: Vec<_> = pipeline::DEFAULT.iter().filter(|step| step.pass.phase == *phase).collect();
        if !steps.is_empty() {
            text += &format!("\n**{}**\n\n", phase.name());
        }
        for step in steps {
            text += &format!("1. `{}`: {}\n", step.pass.name, step.why);
        }
    }
    for pass in PASSES {
        text += &format!(
            "\n## {}\n\n{} ({} level)\n\n```text\n{}\n```\n",
            pass.name,
            pass.summary,
            pass.phase.name(),
            pass_doc(pass)
        );
    }
    text
}

/// The module doc of a pass's file.
fn pass_doc(pass: &PassDef) -> String {
    let source = PASS_SOURCES.iter().find(|(name, _)| *name == pass.name).map_or("", |(_, source)| *source);
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

/// docs/debugging.md.
pub fn debugging_md() -> String {
    let mut text = String::from(
        "# Seeing inside\n\n<!-- Made from compiler/src/knobs.rs by `UPDATE_DOCS=1 cargo test -p pygraph-compiler --test docs`. -->\n\n\
         Every option of the compiler's tools. Exit codes: 0; 1 if the input is wrong (every diagnostic goes to standard\n\
         error with its source line); 2 if the call is wrong.\n",
    );
    for group in Group::ALL {
        text += &format!("\n## {}\n\n| option | tools | what it does |\n| --- | --- | --- |\n", group.name());
        for knob in KNOBS.iter().filter(|knob| knob.group == *group) {
            let tools: Vec<&str> = knob.tools.iter().map(|tool| tool.name()).collect();
            let option = match knob.takes {
                Takes::Positional => knob.name.to_owned(),
                Takes::Nothing => format!("--{}", knob.name),
                Takes::One(value) | Takes::Many(value) => format!("--{}={value}", knob.name),
                Takes::Default(value, default) => format!("--{}={value} (default {default})", knob.name),
                Takes::Optional(value, _) => format!("--{}[={value}]", knob.name),
            };
            let short = knob.short.map_or(String::new(), |short| format!(", `-{short}`"));
            text += &format!("| `{option}`{short} | {} | {} |\n", tools.join(", "), knob.summary.replace('|', "\\|"));
        }
        if *group == Group::Pipeline {
            text += "\nEvery pass is an option of `pygraph-opt` too: `--inline-calls --drop-dead-ops` runs these two, in this order.\n";
        }
    }
    text
}
