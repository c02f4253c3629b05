//! All passes, one file each, and the pipelines that they form.

mod build;
mod einsum;
mod emit;
pub mod pipeline;
mod positions;
pub mod signature;
mod view;

use std::{cell::RefCell, collections::BTreeMap};

use pygraph_artifact::deployment::Deployment;

use crate::{
    cost::{Costs, Profile},
    diagnostic::{Diagnostic, Diagnostics},
    ir::Module,
};

/// Whether a pass did anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// It did.
    Yes,
    /// The module is as it was.
    No,
}

impl From<bool> for Changed {
    fn from(changed: bool) -> Changed {
        if changed { Changed::Yes } else { Changed::No }
    }
}

/// Where in the way of the data a pass belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// From what the frontends read to StableHLO alone.
    Import,
    /// What is computed.
    Tensor,
    /// By which launches.
    Kernel,
    /// When, where, under which addresses.
    Plan,
}

impl Phase {
    /// Every phase, in order.
    pub const ALL: &[Phase] = &[Phase::Import, Phase::Tensor, Phase::Kernel, Phase::Plan];

    /// The spelling in `--stop-after`.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Import => "import",
            Phase::Tensor => "tensor",
            Phase::Kernel => "kernel",
            Phase::Plan => "plan",
        }
    }
}

/// Everything there is to know about one pass. `--list-passes`, docs/passes.md and the tests read this.
#[derive(Debug)]
pub struct PassDef {
    /// Command-line name: the file's name in kebab-case.
    pub name: &'static str,
    /// One line, verb first.
    pub summary: &'static str,
    /// Where it belongs.
    pub phase: Phase,
    /// Does it. On an error the module may be half changed and is thrown away.
    pub run: fn(&mut Module, &PassContext) -> Result<Changed, Diagnostics>,
}

/// What becomes of an operation that no device runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Boundaries {
    /// It is an error.
    #[default]
    Refuse,
    /// It becomes a `pyg.boundary`, so that the rest of the program can be looked at.
    Keep,
}

/// How caches of one arena are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KvGrouping {
    /// All layers that go together.
    #[default]
    All,
    /// The keys and values of a layer.
    Layer,
    /// Each by itself.
    None,
}

impl KvGrouping {
    /// Every case, by its spelling.
    pub const ALL: &[(&str, KvGrouping)] =
        &[("all", KvGrouping::All), ("layer", KvGrouping::Layer), ("none", KvGrouping::None)];
}

/// What the command line tells passes.
#[derive(Debug, Clone)]
pub struct PassOptions {
    /// What becomes of an operation that no device runs.
    pub boundaries: Boundaries,
    /// What launches cost.
    pub costs: Costs,
    /// What segments were measured to take.
    pub profile: Profile,
    /// The form that every segment should have; none leaves it to its cost.
    pub deploy: Option<Deployment>,
    /// Refuse what rests on premises about values.
    pub strict: bool,
    /// Size of the pieces of physical memory that arenas grow by, in bytes.
    pub kv_handle_bytes: i64,
    /// Which caches share an arena.
    pub kv_grouping: KvGrouping,
    /// How many rows below the window of a cache stay when the window has left them.
    pub kv_rows_kept: i64,
    /// Whether caches of several functions share an arena where they are alike.
    pub kv_share: bool,
}

impl Default for PassOptions {
    fn default() -> PassOptions {
        PassOptions {
            boundaries: Boundaries::default(),
            costs: Costs::h100(),
            profile: Profile::default(),
            deploy: None,
            strict: false,
            kv_handle_bytes: 2 << 20,
            kv_grouping: KvGrouping::default(),
            kv_rows_kept: 0,
            kv_share: false,
        }
    }
}

/// What passes are told and where they leave remarks and counts.
#[derive(Debug, Default)]
pub struct PassContext {
    /// What the command line says.
    pub options: PassOptions,
    remarks: RefCell<Vec<Diagnostic>>,
    statistics: RefCell<BTreeMap<String, u64>>,
}

impl PassContext {
    /// A context for passes that are told this.
    pub fn new(options: PassOptions) -> PassContext {
        PassContext { options, ..PassContext::default() }
    }

    /// Leaves a remark for the user.
    pub fn remark(&self, remark: Diagnostic) {
        self.remarks.borrow_mut().push(remark);
    }

    /// Takes the remarks left so far.
    pub fn take_remarks(&self) -> Vec<Diagnostic> {
        self.remarks.take()
    }

    /// Adds to what `--timing` shows of the current pass under that name.
    pub fn count(&self, name: &str, count: u64) {
        if count > 0 {
            *self.statistics.borrow_mut().entry(name.to_owned()).or_default() += count;
        }
    }

    /// Takes the counts left since the last call, by name.
    pub fn take_statistics(&self) -> Vec<(String, u64)> {
        self.statistics.take().into_iter().collect()
    }
}

macro_rules! passes {
    ($($module:ident = $file:literal,)*) => {
        $(pub mod $module;)*

        /// All passes, in pipeline order. Adding a pass means adding its file and one line here.
        pub static PASSES: &[&PassDef] = &[$(&$module::PASS),*];

        /// The file of every pass, by the pass's name: the module doc is its documentation.
        pub(crate) static PASS_SOURCES: &[(&str, &str)] = &[$(($module::PASS.name, include_str!($file))),*];
    };
}

passes! {
    decompose_fx = "decompose_fx.rs",
    legalize_shape_ops = "legalize_shape_ops.rs",
    decompose_compound_ops = "decompose_compound_ops.rs",
    legalize_custom_calls = "legalize_custom_calls.rs",
    assign_bindings = "assign_bindings.rs",
    inline_calls = "inline_calls.rs",
    make_graphable = "make_graphable.rs",
    thread_random_state = "thread_random_state.rs",
    keep_excess_precision = "keep_excess_precision.rs",
    canonicalize = "canonicalize.rs",
    eliminate_common_subexpressions = "eliminate_common_subexpressions.rs",
    fold_constants = "fold_constants.rs",
    simplify = "simplify.rs",
    recognize_attention = "recognize_attention.rs",
    drop_dead_ops = "drop_dead_ops.rs",
    find_caches = "find_caches.rs",
    widen_minifloats = "widen_minifloats.rs",
    lower_to_launches = "lower_to_launches.rs",
    fuse_launches = "fuse_launches.rs",
    form_segments = "form_segments.rs",
    plan_memory = "plan_memory.rs",
    place_caches = "place_caches.rs",
    write_blocks = "write_blocks.rs",
    choose_deployment = "choose_deployment.rs",
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, path::Path};

    use super::*;

    #[test]
    fn every_pass_has_its_own_name_a_doc_and_a_lit_file() {
        let names: HashSet<&str> = PASSES.iter().map(|pass| pass.name).collect();
        assert_eq!(names.len(), PASSES.len());
        for (pass, (_, source)) in PASSES.iter().zip(PASS_SOURCES) {
            assert!(source.starts_with("//! ") && source.contains("Before:"), "{} lacks its doc", pass.name);
            let lit = format!("{}/../lit-tests/passes/{}.mlir", env!("CARGO_MANIFEST_DIR"), pass.name);
            assert!(Path::new(&lit).exists(), "{lit} is missing");
        }
    }
}
