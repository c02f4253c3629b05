//! Native code for the loop nests of a plan, on the processors of one kind of machine.
//!
//! The code is an image: machine code and the constants that it reads, at fixed distances from each other, which runs
//! wherever it lies. It calls nothing but what [`HostCode::imports`] names, through a table that the runtime passes in.
//! What can be checked of it is checked; what it does when it runs cannot be: running an artifact that holds code is
//! trusting its maker.

use serde::{Deserialize, Serialize};

use crate::{
    plan::{Launch, Plan, launches},
    scalar::ScalarOp,
};

/// The largest image, in bytes.
pub const IMAGE_BYTES_MAX: usize = 1 << 30;

/// The section `host code` of an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostCode {
    /// What it runs on.
    pub target: Target,
    /// Operations on `f64` that it calls: entry `i` of the table that it is given computes the `i`th. Each once.
    pub imports: Vec<ScalarOp>,
    /// A [`Launch::functions`] entry is an index into it.
    pub functions: Vec<HostFunction>,
    /// Code and constants. It is loaded at a multiple of the size of a page.
    pub image: Vec<u8>,
}

/// A kind of machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// LLVM's name of the architecture, system and binary interface (`x86_64-unknown-linux-gnu`).
    pub triple: String,
    /// LLVM's name of the least processor (`x86-64-v3`).
    pub cpu: String,
}

/// One function of the image. It computes one loop nest for a range of its parallel points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostFunction {
    /// Where it begins in the image.
    pub offset: u64,
    /// How many arrays it is given: the inputs and then the outputs of the nest.
    pub operands: u32,
}

/// Checks code against the plan that names its functions.
pub fn validate(plan: &Plan, code: Option<&HostCode>) -> Result<(), InvalidHostCode> {
    let functions = match code {
        Some(code) => {
            check_image(code)?;
            code.functions.as_slice()
        }
        None => &[],
    };
    let segments = plan.programs.iter().flat_map(|program| &program.segments);
    segments.flat_map(|segment| launches(&segment.nodes)).try_for_each(|launch| check_launch(launch, functions))
}

fn check_image(code: &HostCode) -> Result<(), InvalidHostCode> {
    let bytes = code.image.len();
    if bytes > IMAGE_BYTES_MAX {
        return Err(InvalidHostCode::TooLarge { bytes });
    }
    if let Some(op) = code.imports.iter().enumerate().find(|(idx, op)| code.imports[..*idx].contains(op)) {
        return Err(InvalidHostCode::ImportedTwice { op: op.1.name() });
    }
    match code.functions.iter().position(|function| function.offset >= bytes as u64) {
        Some(function) => Err(InvalidHostCode::OutOfImage { function, offset: code.functions[function].offset, bytes }),
        None => Ok(()),
    }
}

fn check_launch(launch: &Launch, functions: &[HostFunction]) -> Result<(), InvalidHostCode> {
    let nests = launch.work.nests();
    if launch.functions.is_empty() {
        return Ok(());
    }
    if launch.functions.len() != nests.len() {
        let (launch, named) = (launch.name.clone(), launch.functions.len());
        return Err(InvalidHostCode::Count { launch, named, nests: nests.len() });
    }
    for (nest, number) in nests.into_iter().zip(&launch.functions) {
        let Some(number) = *number else { continue };
        let launch = || launch.name.clone();
        let function = functions
            .get(number as usize)
            .ok_or_else(|| InvalidHostCode::Missing { launch: launch(), function: number })?;
        let operands = nest.inputs.len() + nest.outputs.len();
        if function.operands as usize != operands {
            return Err(InvalidHostCode::Operands {
                launch: launch(),
                function: number,
                takes: function.operands,
                operands,
            });
        }
    }
    Ok(())
}

/// Code that must not run: why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each field is named in the message")]
pub enum InvalidHostCode {
    /// An image above the cap.
    #[error("the image has {bytes} bytes, at most {IMAGE_BYTES_MAX} are allowed")]
    TooLarge { bytes: usize },
    /// One entry of the table twice.
    #[error("`{op}` is imported twice")]
    ImportedTwice { op: &'static str },
    /// A function outside the image.
    #[error("function {function} begins at {offset}, outside the image of {bytes} bytes")]
    OutOfImage { function: usize, offset: u64, bytes: usize },
    /// A launch that names functions for some of its nests only.
    #[error("launch `{launch}` names {named} functions for {nests} loop nests")]
    Count { launch: String, named: usize, nests: usize },
    /// A function that does not exist.
    #[error("launch `{launch}` names function {function}, which does not exist")]
    Missing { launch: String, function: u32 },
    /// A function of another nest.
    #[error("launch `{launch}` gives function {function}, which takes {takes} arrays, {operands}")]
    Operands { launch: String, function: u32, takes: u32, operands: usize },
}
