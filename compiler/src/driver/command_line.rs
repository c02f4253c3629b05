//! From command-line arguments to [`Settings`], for all tools.

use std::path::{Path, PathBuf};

use clap::ArgMatches;
use pygraph_artifact::deployment::Deployment;

use super::{BindOverride, Inspection, RemarkFormat, Settings, bind, run::REPRODUCER_COMMENT};
use crate::{
    cost::{CostError, Costs, Profile},
    ir::print::PrintOptions,
    knobs,
    passes::{
        Boundaries, KvGrouping, PASSES, PassDef, PassOptions, Phase, fuse_launches, keep_excess_precision,
        recognize_attention,
    },
};

/// Exit code when the input is wrong.
pub const EXIT_INPUT: u8 = 1;
/// Exit code when the call is wrong.
pub const EXIT_USAGE: u8 = 2;

/// Why a command line makes no sense, as a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UsageError {
    /// `--pipeline` names no pass.
    #[error("no pass is named `{name}`; did you mean `{nearest}`? --list-passes shows all")]
    UnknownPass {
        /// What was written.
        name: String,
        /// What is spelled most like it.
        nearest: &'static str,
    },
    /// `--stop-after` names no phase.
    #[error("no phase is named `{name}`; there are {}", phase_names())]
    UnknownPhase {
        /// What was written.
        name: String,
    },
    /// Two ways to say which passes to run.
    #[error("{first} and {second} both say which passes to run; give one of them")]
    TwoPipelines {
        /// One.
        first: String,
        /// The other.
        second: String,
    },
    /// A value is not what the knob takes.
    #[error("--{knob}: {message}")]
    Value {
        /// Which knob.
        knob: &'static str,
        /// What is wrong.
        message: String,
    },
    /// The input has no comment of a reproducer.
    #[error("{name} does not start with `{REPRODUCER_COMMENT}…`, so it is no reproducer")]
    NoReproducer {
        /// The file.
        name: String,
    },
}

fn phase_names() -> String {
    Phase::ALL.iter().map(|phase| phase.name()).collect::<Vec<_>>().join(", ")
}

/// The passes of a list of names separated by commas. The empty list is empty text.
pub fn parse_pipeline(text: &str) -> Result<Vec<&'static PassDef>, UsageError> {
    text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(find_pass).collect()
}

fn find_pass(name: &str) -> Result<&'static PassDef, UsageError> {
    PASSES.iter().copied().find(|pass| pass.name == name).ok_or_else(|| {
        let nearest = PASSES
            .iter()
            .max_by(|a, b| strsim::jaro_winkler(a.name, name).total_cmp(&strsim::jaro_winkler(b.name, name)));
        UsageError::UnknownPass { name: name.to_owned(), nearest: nearest.map_or("", |pass| pass.name) }
    })
}

/// The phase of that name.
pub fn parse_phase(name: &str) -> Result<Phase, UsageError> {
    let phase = Phase::ALL.iter().copied().find(|phase| phase.name() == name);
    phase.ok_or_else(|| UsageError::UnknownPhase { name: name.to_owned() })
}

/// The pipeline that the first line of a reproducer names.
pub fn reproducer_pipeline(name: &str, text: &str) -> Result<Vec<&'static PassDef>, UsageError> {
    let first = text.lines().next().and_then(|line| line.strip_prefix(REPRODUCER_COMMENT));
    parse_pipeline(first.ok_or_else(|| UsageError::NoReproducer { name: name.to_owned() })?)
}

/// What all tools read from their command line in the same way; `passes` is what the tool decided to run.
pub fn settings(
    matches: &ArgMatches,
    mut passes: Vec<&'static PassDef>,
    print: PrintOptions,
) -> Result<Settings, UsageError> {
    let binds = knobs::BIND.values(matches).into_iter().map(bind::parse).collect::<Result<Vec<BindOverride>, String>>();
    let binds = binds.map_err(|message| UsageError::Value { knob: knobs::BIND.name, message })?;
    let verify_each = match knobs::VERIFY_EACH.value(matches) {
        None | Some("true") => true,
        Some("false") => false,
        Some(other) => {
            let message = format!("`{other}` is neither true nor false");
            return Err(UsageError::Value { knob: knobs::VERIFY_EACH.name, message });
        }
    };
    if knobs::STRICT_PRECISION.is_set(matches) {
        passes.retain(|pass| pass.name != keep_excess_precision::PASS.name);
    }
    if knobs::NO_FUSE.is_set(matches) {
        passes.retain(|pass| pass.name != fuse_launches::PASS.name);
    }
    if knobs::NO_RECOGNIZE.is_set(matches) {
        passes.retain(|pass| pass.name != recognize_attention::PASS.name);
    }
    let inspection = Inspection {
        verify_each,
        print_after_all: knobs::PRINT_IR_AFTER_ALL.is_set(matches),
        print_after_change: knobs::PRINT_IR_AFTER_CHANGE.is_set(matches),
        dump_folder: knobs::DUMP_PHASES.value(matches).map(PathBuf::from),
        reproducer: knobs::REPRODUCER.value(matches).map(PathBuf::from),
        print,
    };
    Ok(Settings { passes, binds, options: pass_options(matches)?, inspection })
}

fn pass_options(matches: &ArgMatches) -> Result<PassOptions, UsageError> {
    let keeps = matches.try_get_one::<bool>(knobs::KEEP_BOUNDARIES.name).ok().flatten().copied();
    let boundaries = if keeps.unwrap_or(true) { Boundaries::Keep } else { Boundaries::Refuse };
    let unreadable = |knob: &'static knobs::Knob| {
        move |error: CostError| UsageError::Value { knob: knob.name, message: error.to_string() }
    };
    let costs = knobs::COSTS.value(matches).map(|path| Costs::read(Path::new(path))).transpose();
    let profile = knobs::PROFILE.value(matches).map(|path| Profile::read(Path::new(path))).transpose();
    let deploy = knobs::DEPLOY.value(matches).map(|name| {
        Deployment::from_name(name).ok_or_else(|| {
            let known: Vec<&str> = Deployment::ALL.iter().map(|form| form.name()).collect();
            let message = format!("no form is named `{name}`; there are {}", known.join(", "));
            UsageError::Value { knob: knobs::DEPLOY.name, message }
        })
    });
    let (kv_handle_bytes, kv_grouping) = (kv_handle_bytes(matches)?, kv_grouping(matches)?);
    Ok(PassOptions {
        boundaries,
        strict: knobs::STRICT.is_set(matches),
        kv_handle_bytes,
        kv_grouping,
        kv_rows_kept: kv_rows_kept(matches)?,
        kv_share: knobs::KV_SHARE.is_set(matches),
        costs: costs.map_err(unreadable(&knobs::COSTS))?.unwrap_or_else(Costs::h100),
        profile: profile.map_err(unreadable(&knobs::PROFILE))?.unwrap_or_default(),
        deploy: deploy.transpose()?,
    })
}

fn kv_handle_bytes(matches: &ArgMatches) -> Result<i64, UsageError> {
    let Some(text) = knobs::KV_HANDLE_BYTES.value(matches) else { return Ok(PassOptions::default().kv_handle_bytes) };
    let message = || format!("`{text}` is no number of bytes above 0");
    let bytes = text.parse().ok().filter(|bytes| *bytes > 0);
    bytes.ok_or_else(|| UsageError::Value { knob: knobs::KV_HANDLE_BYTES.name, message: message() })
}

fn kv_rows_kept(matches: &ArgMatches) -> Result<i64, UsageError> {
    let Some(text) = knobs::KV_ROWS_KEPT.value(matches) else { return Ok(PassOptions::default().kv_rows_kept) };
    let rows = text.parse().ok().filter(|rows| *rows >= 0);
    let message = || format!("`{text}` is no number of rows");
    rows.ok_or_else(|| UsageError::Value { knob: knobs::KV_ROWS_KEPT.name, message: message() })
}

fn kv_grouping(matches: &ArgMatches) -> Result<KvGrouping, UsageError> {
    let Some(text) = knobs::KV_GROUPING.value(matches) else { return Ok(KvGrouping::default()) };
    let names: Vec<&str> = KvGrouping::ALL.iter().map(|(name, _)| *name).collect();
    let message = || format!("`{text}` is none of {}", names.join(", "));
    let found = KvGrouping::ALL.iter().find(|(name, _)| *name == text).map(|(_, grouping)| *grouping);
    found.ok_or_else(|| UsageError::Value { knob: knobs::KV_GROUPING.name, message: message() })
}

/// How remarks are shown, if they are.
pub fn remark_format(matches: &ArgMatches) -> Result<Option<RemarkFormat>, UsageError> {
    match knobs::REMARKS.value(matches) {
        None => Ok(None),
        Some("text") => Ok(Some(RemarkFormat::Text)),
        Some("json") => Ok(Some(RemarkFormat::Json)),
        Some(other) => {
            let message = format!("`{other}` is neither text nor json");
            Err(UsageError::Value { knob: knobs::REMARKS.name, message })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pipelines_keep_their_order_and_may_repeat() {
        let passes = parse_pipeline("drop-dead-ops,inline-calls, drop-dead-ops").expect("a pipeline");
        let names: Vec<&str> = passes.iter().map(|pass| pass.name).collect();
        assert_eq!(names, ["drop-dead-ops", "inline-calls", "drop-dead-ops"]);
        assert!(parse_pipeline("").expect("an empty pipeline").is_empty());
    }

    #[test]
    fn an_unknown_pass_suggests_the_nearest() {
        let error = parse_pipeline("drop-dead-op").expect_err("there is no such pass");
        let expected = "no pass is named `drop-dead-op`; did you mean `drop-dead-ops`? --list-passes shows all";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn an_unknown_phase_lists_all() {
        let error = parse_phase("kernels").expect_err("there is no such phase");
        assert_eq!(error.to_string(), "no phase is named `kernels`; there are import, tensor, kernel, plan");
    }

    #[test]
    fn a_reproducer_says_what_to_run() {
        let passes = reproducer_pipeline("r.mlir", "// pygraph-opt --pipeline=inline-calls\nfunc").expect("a pipeline");
        assert_eq!(passes.len(), 1);
        let error = reproducer_pipeline("r.mlir", "func").expect_err("there is no comment");
        assert!(error.to_string().starts_with("r.mlir does not start with"), "{error}");
    }
}
