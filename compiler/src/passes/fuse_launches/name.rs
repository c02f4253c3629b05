//! What people call what the stages of a launch compute.

use pygraph_artifact::scalar::{ScalarBody, ScalarInst, ScalarOp};

use crate::lower::site::NestParts;

/// What a name tells of one stage.
#[derive(Debug, Clone, Copy)]
pub struct Computed {
    /// What is computed of elements, a bit an operation.
    maps: u8,
    /// The same of what folds them; nothing where nothing is folded.
    folds: u8,
    /// How many values are folded.
    folded: usize,
    /// The last operation that computes something.
    last: Option<&'static str>,
}

impl Computed {
    /// What a nest computes.
    pub fn of(stage: &NestParts) -> Computed {
        let bodies = || stage.combine.iter().chain([&stage.map]);
        let last = bodies().flat_map(|body| body.instructions.iter().rev()).find_map(|instruction| match instruction {
            ScalarInst::Op { op: ScalarOp::Convert | ScalarOp::Select, .. } => None,
            ScalarInst::Op { op, .. } => Some(op.name()),
            _ => None,
        });
        Computed {
            maps: bits(&stage.map),
            folds: stage.combine.as_ref().map_or(0, bits),
            folded: stage.combine.as_ref().map_or(0, |combine| combine.outputs.len()),
            last,
        }
    }
}

/// The operations that names go by, one bit each; no bit for others.
fn bit(op: ScalarOp) -> u8 {
    match op {
        ScalarOp::Add => 1,
        ScalarOp::Div => 2,
        ScalarOp::Exp => 4,
        ScalarOp::Log => 8,
        ScalarOp::Max => 16,
        ScalarOp::Mul => 32,
        ScalarOp::Rsqrt => 64,
        ScalarOp::Sqrt => 128,
        _ => 0,
    }
}

fn bits(body: &ScalarBody) -> u8 {
    body.instructions.iter().fold(0, |bits, instruction| match instruction {
        ScalarInst::Op { op, .. } => bits | bit(*op),
        _ => bits,
    })
}

/// A name by what is computed and folded: `softmax`, `rms_norm`, …; else `fused_` and the last operation.
pub fn name_of(stages: &[Computed]) -> String {
    use ScalarOp::{Add, Div, Exp, Log, Max, Mul, Rsqrt, Sqrt};
    let folds = |op: ScalarOp| stages.iter().filter(|stage| stage.folded == 1 && stage.folds & bit(op) != 0).count();
    let maps = |op: ScalarOp| stages.iter().any(|stage| stage.maps & bit(op) != 0);
    let (sums, maxima) = (folds(Add), folds(Max));
    let is_scaled = maps(Rsqrt) || maps(Sqrt);
    if maxima == 1 && sums == 1 && maps(Exp) {
        return if maps(Log) { "log_softmax".into() } else { "softmax".into() };
    }
    let picks = stages.iter().any(|stage| stage.folded > 1);
    match (sums, is_scaled) {
        (1, true) if maps(Mul) && (maps(Add) || maps(Div)) => "rms_norm".into(),
        (1, true) => "l2_norm".into(),
        (2, true) => "layer_norm".into(),
        (2, false) if maps(Mul) => "variance".into(),
        _ if picks => "arg_reduce".into(),
        _ => format!("fused_{}", last_operation(stages)),
    }
}

/// The last operation that computes something.
pub fn last_operation(stages: &[Computed]) -> &'static str {
    stages.iter().rev().find_map(|stage| stage.last).unwrap_or("copy")
}
