//! Keeps a half-precision result in the precision it is widened to, instead of rounding it in between.
//!
//! Before: `%1 = stablehlo.add %a, %b : tensor<4xbf16>`, `%2 = stablehlo.convert %1 : … -> tensor<4xf32>`.
//! After: `%2` is the sum of `%a` and `%b` in f32, never rounded to bf16; other readers of `%1` still see it rounded.
//! So is `convert(convert(%x : f32 to bf16) to f32)` just `%x`.
//! Leaves alone: operations that do not compute element by element, and every rounding that the program does not undo
//! at once.
//! Relies on: calls inlined.   Guarantees: no reader sees a less precise value than before.
//!
//! This is the one pass that changes numbers, and on purpose: XLA does the same by default
//! (`xla_allow_excess_precision`), so the numbers that a JAX user expects have it. `--strict-precision` leaves it out;
//! the results are then those of XLA with `xla_allow_excess_precision=false`.

use std::collections::HashMap;

use super::{Changed, PassContext, PassDef, Phase};
use crate::{
    diagnostic::Diagnostics,
    ir::{ElementType, Module, OpId, Opcode, ValueId, build::Builder, types::FloatKind},
};

/// See the module.
pub static PASS: PassDef = PassDef {
    name: "keep-excess-precision",
    summary: "Keep half-precision results unrounded where the program widens them at once",
    phase: Phase::Tensor,
    run,
};

fn run(module: &mut Module, _: &PassContext) -> Result<Changed, Diagnostics> {
    let mut replacements = HashMap::new();
    for op in module.walk(module.root()) {
        if let Some(wide) = widening_source(module, op).and_then(|source| unrounded(module, op, source)) {
            replacements.insert(module.op(op).results[0], wide);
        }
    }
    module.replace_values(module.root(), &replacements);
    Ok((!replacements.is_empty()).into())
}

fn element(module: &Module, value: ValueId) -> Option<&ElementType> {
    module.ty(value).as_tensor().map(|tensor| &tensor.element)
}

fn is_half(element: &ElementType) -> bool {
    matches!(element, ElementType::Float(FloatKind::Bf16 | FloatKind::F16))
}

/// The operation whose half-precision result `op` widens to f32.
fn widening_source(module: &Module, op: OpId) -> Option<OpId> {
    let operation = module.op(op);
    let [operand] = operation.operands[..] else { return None };
    let widens = operation.opcode == Opcode::StablehloConvert
        && is_half(element(module, operand)?)
        && *element(module, operation.results[0])? == ElementType::F32;
    if widens { module.defining_op(operand) } else { None }
}

/// What `source` computes, in f32 and unrounded; put before `op`.
fn unrounded(module: &mut Module, op: OpId, source: OpId) -> Option<ValueId> {
    let operation = module.op(source).clone();
    if operation.opcode == Opcode::StablehloConvert {
        let wide = operation.operands[0];
        return (*element(module, wide)? == ElementType::F32).then_some(wide);
    }
    let moves = matches!(operation.opcode, Opcode::StablehloSelect | Opcode::StablehloBitcastConvert);
    let all_half = operation.operands.iter().all(|value| element(module, *value).is_some_and(is_half));
    if moves || !all_half || !operation.opcode.def().is_elementwise() || !operation.regions.is_empty() {
        return None;
    }
    let result = module.ty(module.op(op).results[0]).clone();
    let mut builder = Builder::before(module, op);
    let operands: Vec<ValueId> = operation
        .operands
        .iter()
        .map(|value| {
            let wide = builder.ty(*value).as_tensor().map(|tensor| tensor.with_element(ElementType::F32));
            let wide = wide.expect("an operand with half-precision elements should be a tensor");
            builder.typed_value::<&str>(Opcode::StablehloConvert, &[*value], [], wide)
        })
        .collect();
    let attrs = operation.attrs.iter().map(|(name, value)| (name.clone(), value.clone()));
    Some(builder.typed_value(operation.opcode, &operands, attrs, result))
}
