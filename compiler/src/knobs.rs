//! Every knob of the command-line tools, each defined once: the argument parser, `--help` and docs/debugging.md are made
//! from [`KNOBS`].

use clap::{Arg, ArgAction, ArgMatches, Command};

/// One option of a command line.
#[derive(Debug)]
pub struct Knob {
    /// Spelling without the leading `--`; the name in capitals for a positional argument.
    pub name: &'static str,
    /// One-letter spelling.
    pub short: Option<char>,
    /// What it takes.
    pub takes: Takes,
    /// Which tools have it.
    pub tools: &'static [Tool],
    /// Under which heading it is shown.
    pub group: Group,
    /// What it does, in a sentence.
    pub summary: &'static str,
}

/// What a knob takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Nothing: it is on or off.
    Nothing,
    /// One value, shown by this name.
    One(&'static str),
    /// One value, shown by this name, with a default.
    Default(&'static str, &'static str),
    /// A value each time it is given.
    Many(&'static str),
    /// Perhaps a value, shown by this name and written after `=`; without one it stands for the second.
    Optional(&'static str, &'static str),
    /// It is the argument without a name, and has to be there.
    Positional,
}

/// A command-line tool of the compiler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// `pygraph-opt`.
    Opt,
    /// `pygraph-compile`.
    Compile,
}

impl Tool {
    /// The name of the program.
    pub fn name(self) -> &'static str {
        match self {
            Tool::Opt => "pygraph-opt",
            Tool::Compile => "pygraph-compile",
        }
    }
}

/// Headings, in the order in which they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// What is read and written.
    Files,
    /// What is done.
    Pipeline,
    /// How the IR is printed.
    Printing,
    /// What is shown on the way.
    Inspection,
}

impl Group {
    /// Every heading.
    pub const ALL: &[Group] = &[Group::Files, Group::Pipeline, Group::Printing, Group::Inspection];

    /// The heading.
    pub fn name(self) -> &'static str {
        match self {
            Group::Files => "Files",
            Group::Pipeline => "Pipeline",
            Group::Printing => "Printing",
            Group::Inspection => "Inspection",
        }
    }
}

macro_rules! knobs {
    ($($constant:ident = $name:literal $(/ $short:literal)?, $takes:expr, [$($tool:ident)*], $group:ident, $summary:literal;)*) => {
        $(#[doc = $summary]
        pub static $constant: Knob = Knob {
            name: $name,
            short: [$(Some($short),)? None][0],
            takes: $takes,
            tools: &[$(Tool::$tool),*],
            group: Group::$group,
            summary: $summary,
        };)*

        /// All knobs, in the order in which they are shown.
        pub static KNOBS: &[&Knob] = &[$(&$constant),*];
    };
}

use Takes::{Default, Many, Nothing, One, Optional, Positional};

knobs! {
    INPUT = "FILE", Positional, [Opt Compile], Files, "the model as MLIR text; `-` is standard input";
    OUTPUT = "output" / 'o', One("FILE"), [Opt Compile], Files, "where the result goes; it appears whole or not at all";
    SPLIT_INPUT_FILE = "split-input-file", Nothing, [Opt Compile], Files, "take every part between lines `// -----` as an input of its own";
    VERIFY_DIAGNOSTICS = "verify-diagnostics", Nothing, [Opt], Files, "compare what is reported with comments `// expected-error @+1 {{…}}` in the input";
    PIPELINE = "pipeline", One("PASSES"), [Opt], Pipeline, "run these passes, separated by commas, in this order; `--pipeline=` runs none";
    RUN_REPRODUCER = "run-reproducer", Nothing, [Opt], Pipeline, "take the passes from the comment that `--reproducer` left in the input";
    STOP_AFTER = "stop-after", One("PHASE"), [Opt], Pipeline, "run the default pipeline up to this phase (import, tensor, kernel, plan); without it, up to plan";
    STRICT_PRECISION = "strict-precision", Nothing, [Opt Compile], Pipeline, "round every bf16 result, also where it is widened at once: leaves keep-excess-precision out";
    NO_FUSE = "no-fuse", Nothing, [Opt Compile], Pipeline, "one launch for each operation: leaves fuse-launches out";
    NO_RECOGNIZE = "no-recognize", Nothing, [Opt Compile], Pipeline, "keep attention as the operations that the model has: leaves recognize-attention out";
    NO_NATIVE = "no-native", Nothing, [Compile], Pipeline, "generate no native code for loop nests: the host device interprets them";
    HOST_CPU = "host-cpu", One("NAME"), [Compile], Pipeline, "the least processor, by LLVM's name, on which the artifact's native code runs (x86-64-v2, x86-64-v3, x86-64-v4); without it, x86-64-v3";
    TARGET = "target", One("NAME"), [Compile], Pipeline, "generate code for this GPU, by its compiler's name (sm_90), into the artifact; without it, there is none";
    NO_JOIN = "no-join", Nothing, [Compile], Pipeline, "one kernel for each launch on a GPU: small ones that do not wait for each other stay apart";
    NVRTC = "nvrtc", One("FILE"), [Compile], Pipeline, "the library that compiles code for GPUs (libnvrtc.so.13); without it, what PYGRAPH_NVRTC names or the system finds";
    STRICT = "strict", Nothing, [Opt Compile], Pipeline, "do nothing that rests on premises about values: no bounded attention";
    KV_HANDLE_BYTES = "kv-handle-bytes", Default("BYTES", "2097152"), [Opt Compile], Pipeline, "the pieces of physical memory that caches grow by";
    KV_GROUPING = "kv-grouping", Default("WHICH", "all"), [Opt Compile], Pipeline, "which caches share an arena: all that go together, those of a layer, or none";
    KV_ROWS_KEPT = "kv-rows-kept", Default("ROWS", "0"), [Opt Compile], Pipeline, "how many rows below the window of a cache stay, for callers whose positions go back by as many";
    KV_SHARE = "kv-share", Nothing, [Opt Compile], Pipeline, "let caches of several entry points (prefill and decode of one model) share an arena where they are alike, in order of arguments";
    BIND = "bind", Many("ARGUMENT=CLASS"), [Opt Compile], Pipeline, "give an argument of the entry function (by name or position, or all of FIRST..LAST) the class once, step, state or host; `state:N` says that result N replaces it in the next step";
    KEEP_BOUNDARIES = "keep-boundaries", Nothing, [Opt], Pipeline, "keep operations that no device runs as `pyg.boundary`, to see what is around them, in place of refusing them";
    DEPLOY = "deploy", One("FORM"), [Opt Compile], Pipeline, "run every segment in this form (stream, graph, graph-copies, device-loop, host-loop) where it has it, in place of the cheapest";
    COSTS = "costs", One("FILE"), [Opt Compile], Pipeline, "take the constants of the cost model from this file (JSON); without it, those of an H100";
    PROFILE = "profile", One("FILE"), [Opt Compile], Pipeline, "take times of segments from this file (JSON), where it has them, in place of estimates";
    VERIFY_EACH = "verify-each", Default("BOOL", "true"), [Opt Compile], Pipeline, "verify the IR after every pass";
    PRINT_GENERIC = "print-generic", Nothing, [Opt], Printing, "print every operation in MLIR's generic form";
    PRINT_LOCATIONS = "print-locations", Nothing, [Opt], Printing, "print where every operation comes from";
    ELIDE_CONSTANTS = "elide-constants", Nothing, [Opt], Printing, "leave the elements of large constants out; such output can't be read back";
    DOT = "dot", Nothing, [Opt], Printing, "print the graph in Graphviz's language, for people: `pygraph-opt --dot model.mlir | dot -Tsvg`";
    LIST_PASSES = "list-passes", Nothing, [Opt], Inspection, "describe every pass, in pipeline order, and stop";
    PRINT_IR_AFTER_ALL = "print-ir-after-all", Nothing, [Opt Compile], Inspection, "print the IR after every pass to standard error";
    PRINT_IR_AFTER_CHANGE = "print-ir-after-change", Nothing, [Opt Compile], Inspection, "print the IR after every pass that changed it to standard error";
    DUMP_PHASES = "dump-phases", One("DIR"), [Opt Compile], Inspection, "write the IR before the first and after every pass to numbered files, which can be fed back in";
    TIMING = "timing", Nothing, [Opt Compile], Inspection, "show on standard error how long each pass took and what it counted";
    REMARKS = "remarks", Optional("FORMAT", "text"), [Opt Compile], Inspection, "show on standard error what passes decided, and why: as text, or with `=json` one object a line";
    EMIT_CUDA = "emit-cuda", One("FILE"), [Compile], Inspection, "write the CUDA C++ of the model's kernels to this file, for people; it needs no compiler";
    REPORT = "report", Many("FILE"), [Compile], Inspection, "write what became of the program: `.html` is a page for people, `.json` for programs, `-` a table on standard output";
    REPRODUCER = "reproducer", One("FILE"), [Opt Compile], Inspection, "if a pass fails or panics, write the input with the passes up to it to this file, for `--run-reproducer`";
}

impl Knob {
    /// True if it was given. Only for knobs that take nothing.
    pub fn is_set(&self, matches: &ArgMatches) -> bool {
        matches.get_flag(self.name)
    }

    /// The value given, or its default.
    pub fn value<'a>(&self, matches: &'a ArgMatches) -> Option<&'a str> {
        matches.get_one::<String>(self.name).map(String::as_str)
    }

    /// All values given, in order.
    pub fn values<'a>(&self, matches: &'a ArgMatches) -> Vec<&'a str> {
        matches.get_many::<String>(self.name).into_iter().flatten().map(String::as_str).collect()
    }

    fn arg(&self) -> Arg {
        let arg = Arg::new(self.name).help(self.summary).help_heading(self.group.name());
        let arg = match self.takes {
            Takes::Positional => return arg.value_name(self.name).required(true),
            Takes::Nothing => arg.action(ArgAction::SetTrue),
            Takes::One(value) => arg.value_name(value),
            Takes::Default(value, default) => arg.value_name(value).default_value(default),
            Takes::Many(value) => arg.value_name(value).action(ArgAction::Append),
            Takes::Optional(value, meant) => {
                arg.value_name(value).num_args(0..=1).require_equals(true).default_missing_value(meant)
            }
        };
        let arg = arg.long(self.name);
        if let Some(short) = self.short { arg.short(short) } else { arg }
    }
}

/// The command-line parser of a tool.
pub fn command(tool: Tool, about: &'static str) -> Command {
    let knobs = KNOBS.iter().filter(|knob| knob.tools.contains(&tool));
    Command::new(tool.name()).about(about).version(env!("CARGO_PKG_VERSION")).args(knobs.map(|knob| knob.arg()))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_knob_has_its_own_name_a_tool_and_a_summary() {
        let names: HashSet<&str> = KNOBS.iter().map(|knob| knob.name).collect();
        assert_eq!(names.len(), KNOBS.len());
        for knob in KNOBS {
            assert!(!knob.tools.is_empty(), "no tool has {}", knob.name);
            assert!(!knob.summary.ends_with('.'), "{} ends with a full stop", knob.name);
        }
    }

    #[test]
    fn the_parsers_are_well_formed() {
        for tool in [Tool::Opt, Tool::Compile] {
            command(tool, "test").debug_assert();
        }
    }
}
