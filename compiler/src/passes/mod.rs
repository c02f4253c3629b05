//! All passes, one file each, and the pipelines that they form.

pub mod form_segments;
pub mod lower_to_launches;
pub mod plan_memory;
pub mod widen_minifloats;

use crate::{
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

/// What passes are told and where they leave remarks.
#[derive(Debug, Default)]
pub struct PassContext {
    remarks: std::cell::RefCell<Vec<Diagnostic>>,
}

impl PassContext {
    /// Leaves a remark for the user.
    pub fn remark(&self, remark: Diagnostic) {
        self.remarks.borrow_mut().push(remark);
    }

    /// Takes the remarks left so far.
    pub fn take_remarks(&self) -> Vec<Diagnostic> {
        self.remarks.take()
    }
}

/// All passes, in pipeline order. Adding a pass means adding its file and one line here.
pub static PASSES: &[&PassDef] =
    &[&widen_minifloats::PASS, &lower_to_launches::PASS, &form_segments::PASS, &plan_memory::PASS];
