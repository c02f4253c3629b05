//! What people call what the stages of a launch compute.

use pygraph_artifact::scalar::{ScalarBody, ScalarInst, ScalarOp};

use crate::lower::site::NestParts;

/// A name by what is computed and folded: `softmax`, `rms_norm`, …; else `fused_` and the last operation.
pub fn name_of(stages: &[&NestParts]) -> String {
    use ScalarOp::{Add, Div, Exp, Log, Max, Mul, Rsqrt, Sqrt};
    let folds = |op: ScalarOp| {
        let combines = stages.iter().filter_map(|stage| stage.combine.as_ref());
        combines.filter(|combine| combine.outputs.len() == 1 && has(combine, op)).count()
    };
    let maps = |op: ScalarOp| stages.iter().any(|stage| has(&stage.map, op));
    let (sums, maxima) = (folds(Add), folds(Max));
    let is_scaled = maps(Rsqrt) || maps(Sqrt);
    if maxima == 1 && sums == 1 && maps(Exp) {
        return if maps(Log) { "log_softmax".into() } else { "softmax".into() };
    }
    let picks = stages.iter().any(|stage| stage.combine.as_ref().is_some_and(|combine| combine.outputs.len() > 1));
    match (sums, is_scaled) {
        (1, true) if maps(Mul) && (maps(Add) || maps(Div)) => "rms_norm".into(),
        (1, true) => "l2_norm".into(),
        (2, true) => "layer_norm".into(),
        (2, false) if maps(Mul) => "variance".into(),
        _ if picks => "arg_reduce".into(),
        _ => format!("fused_{}", last_operation(stages)),
    }
}

fn has(body: &ScalarBody, wanted: ScalarOp) -> bool {
    body.instructions.iter().any(|instruction| matches!(instruction, ScalarInst::Op { op, .. } if *op == wanted))
}

/// The last operation that computes something.
pub fn last_operation(stages: &[&NestParts]) -> &'static str {
    let bodies = stages.iter().rev().flat_map(|stage| stage.combine.iter().chain([&stage.map]));
    let operations =
        bodies.flat_map(|body| body.instructions.iter().rev()).filter_map(|instruction| match instruction {
            ScalarInst::Op { op: ScalarOp::Convert | ScalarOp::Select, .. } => None,
            ScalarInst::Op { op, .. } => Some(op.name()),
            _ => None,
        });
    operations.into_iter().next().unwrap_or("copy")
}
