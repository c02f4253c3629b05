//! docs/dialect.md: the operation table as a page.

use std::fmt::Write as _;

use super::{
    Opcode,
    def::{AttrDef, Count, Effect, OpDef, Presence, RegionDef, ValueDef},
};

/// What dialects are for, in the order of the page.
const DIALECTS: &[(&str, &str)] = &[
    ("builtin", "The module, and conversions between passes."),
    (
        "func",
        "Functions and calls. Arguments carry their bindings (`pyg.bind`, `pyg.name`, `pyg.updated_by`, `pyg.initial`).",
    ),
    ("stablehlo", "What is computed, with StableHLO's names and meaning: the tensor level."),
    ("chlo", "Client operations, as JAX and torch-mlir leave them; expanded into StableHLO."),
    ("check", "Assertions of StableHLO's own tests. They run."),
    ("arith", "What torch-mlir leaves of scalars and constants."),
    ("cf", "What torch-mlir leaves of run-time checks."),
    ("tensor", "What torch-mlir leaves of tensors."),
    ("shape", "What torch-mlir leaves of shapes known at run time."),
    ("sdy", "Shardings, kept and shown."),
    ("interpreter", "Instruments of StableHLO's reference interpreter, in its own tests. Read, not run."),
    ("fx", "Graphs of PyTorch: one operation that names an ATen operator."),
    ("pyg", "Launches and plans: the kernel level and the plan level."),
    ("scalar", "Bodies of launches. Every operation is total; the scalar language's table is in pygraph-artifact."),
];

/// The page.
pub fn dialect_md() -> String {
    let mut page = String::from(
        "# Operations\n\n\
         <!-- Made from compiler/src/ir/ops by `UPDATE_DOCS=1 cargo test -p pygraph-compiler --test docs`. -->\n\n\
         Every operation that pygraph reads. `name…` is any number of values, `name?` one or none; attributes with a\n\
         dialect's prefix (`mhlo.sharding`) are kept on any operation. \"Same type\" and other rules that take more than\n\
         a line are in compiler/src/ir/ops/rules, and every one says with values what does not fit.\n",
    );
    for (dialect, purpose) in DIALECTS {
        write!(page, "\n## {dialect}\n\n{purpose}\n").expect("a string should take text");
        for opcode in Opcode::all().filter(|opcode| opcode.name().split('.').next() == Some(dialect)) {
            page += &section(opcode.def());
        }
    }
    page
}

fn section(def: &OpDef) -> String {
    let mut text = format!("\n### {}\n\n{}.\n", def.opcode.name(), capitalised(def.summary));
    let facts = facts(def);
    if !facts.is_empty() {
        text += &format!("{}.\n", capitalised(&facts.join("; ")));
    }
    let values = |title: &str, defs: &[ValueDef]| -> Vec<String> {
        defs.iter().map(|def| format!("- {title} `{}{}`: {}\n", def.name, mark(def.count), def.ty.describe())).collect()
    };
    let lines: Vec<String> = values("operand", &def.operands)
        .into_iter()
        .chain(def.attributes.iter().map(attribute))
        .chain(def.regions.iter().map(region))
        .chain(values("result", &def.results))
        .collect();
    if !lines.is_empty() {
        text.push('\n');
        text += &lines.concat();
    }
    text
}

fn facts(def: &OpDef) -> Vec<&'static str> {
    let effect = match def.effect {
        Effect::None => None,
        Effect::Regions => Some("pure if its regions are"),
        Effect::Callee => Some("pure if the function is"),
        Effect::Declared => Some("pure unless `has_side_effect`"),
        Effect::Operator => Some("pure unless the operator writes, checks or draws random numbers"),
        Effect::Launch => Some("pure unless it gives no result"),
        Effect::Some => (!def.is_terminator() && !def.traits.symbol).then_some("not pure"),
    };
    let traits = [
        (def.is_elementwise(), "elementwise"),
        (def.is_commutative(), "commutative"),
        (def.is_terminator(), "ends a block"),
        (def.traits.symbol, "a symbol"),
        (def.traits.isolated, "its regions see nothing of the outside"),
    ];
    traits.into_iter().filter(|(holds, _)| *holds).map(|(_, name)| name).chain(effect).collect()
}

fn attribute(def: &AttrDef) -> String {
    let presence = match def.presence {
        Presence::Required => String::new(),
        Presence::Optional => ", optional".to_string(),
        Presence::Default(value) => format!(", `{value}` if missing"),
    };
    format!("- attribute `{}`: {}{presence}\n", def.name, def.kind.describe())
}

fn region(def: &RegionDef) -> String {
    let end = def.terminator.map_or("without terminator".to_string(), |end| format!("ends in `{}`", end.name()));
    let declared = if def.may_be_empty { ", missing in a declaration" } else { "" };
    format!("- region `{}{}`: {end}{declared}\n", def.name, mark(def.count))
}

fn mark(count: Count) -> &'static str {
    match count {
        Count::One => "",
        Count::Optional => "?",
        Count::Any | Count::Some => "…",
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    // A formula (`1 / (1 + exp(-x))`) and a code span stay as they are.
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dialect_is_on_the_page() {
        for opcode in Opcode::all() {
            let dialect = opcode.name().split('.').next();
            assert!(DIALECTS.iter().any(|(name, _)| Some(*name) == dialect), "{} is on no page", opcode.name());
        }
    }
}
