//! Keeps a bf16 result in the precision it is widened to, instead of rounding it in between.
//!
//! Before: `%1 = stablehlo.add %a, %b : tensor<4xbf16>`, `%2 = stablehlo.convert %1 : … -> tensor<4xf32>`.
//! After: `%2` is the sum of `%a` and `%b` in f32, never rounded to bf16; other readers of `%1` still see it rounded.
//! Leaves alone: operations that do not compute element by element; roundings that the program writes as a `convert`,
//! or does not undo at once; f16; what JAX did not write: PyTorch rounds every result.
//! Relies on: calls inlined.   Guarantees: no reader sees a less precise value than before.
//!
//! This is the one pass that changes numbers, and on purpose: XLA on a CPU does the same by default
//! (`xla_allow_excess_precision`), so the numbers that a JAX user expects have it. `--strict-precision` leaves it out;
//! the results are then those of XLA with `xla_allow_excess_precision=false`.

use std::collections::HashMap;

use super::{Changed, PassContext, PassDef, Phase};
use crate::{
    diagnostic::Diagnostics,
    ir::{AttrMap, Attribute, ElementType, Module, OpId, Opcode, ValueId, build::Builder, types::FloatKind},
};

/// See the module.
pub static PASS: PassDef = PassDef {
    name: "keep-excess-precision",
    summary: "Keep bf16 results unrounded where the program widens them at once",
    phase: Phase::Tensor,
    run,
};

fn run(module: &mut Module, _: &PassContext) -> Result<Changed, Diagnostics> {
    if !is_of_jax(module) {
        return Ok(Changed::No);
    }
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

const BF16: ElementType = ElementType::Float(FloatKind::Bf16);

/// True if JAX wrote the module: its modules say how many partitions they are for, or carry attributes of its own. Graphs
/// of PyTorch that torch-mlir lowered carry neither.
fn is_of_jax(module: &Module) -> bool {
    let attrs = &module.op(module.root()).attrs;
    let is_of_jax = |map: &AttrMap| map.iter().any(|(name, _)| name.starts_with("jax."));
    let dictionaries = module.functions().flat_map(|function| {
        ["arg_attrs", "res_attrs"].into_iter().filter_map(move |list| match module.op(function).attr(list) {
            Some(Attribute::Array(maps)) => Some(maps),
            _ => None,
        })
    });
    attrs.get("mhlo.num_partitions").is_some()
        || is_of_jax(attrs)
        || dictionaries.flat_map(|maps| maps.iter()).any(|map| matches!(map, Attribute::Dictionary(map) if is_of_jax(map)))
}

/// The operation whose bf16 result `op` widens to f32.
fn widening_source(module: &Module, op: OpId) -> Option<OpId> {
    let operation = module.op(op);
    let [operand] = operation.operands[..] else { return None };
    let widens = operation.opcode == Opcode::StablehloConvert
        && *element(module, operand)? == BF16
        && *element(module, operation.results[0])? == ElementType::F32;
    if widens { module.defining_op(operand) } else { None }
}

/// What `source` computes, in f32 and unrounded; put before `op`.
fn unrounded(module: &mut Module, op: OpId, source: OpId) -> Option<ValueId> {
    let operation = module.op(source).clone();
    let moves = matches!(operation.opcode, Opcode::StablehloSelect | Opcode::StablehloBitcastConvert);
    let all_bf16 = operation.operands.iter().all(|value| element(module, *value) == Some(&BF16));
    if moves || !all_bf16 || !operation.opcode.def().is_elementwise() || !operation.regions.is_empty() {
        return None;
    }
    let result = module.ty(module.op(op).results[0]).clone();
    let mut builder = Builder::before(module, op);
    let operands: Vec<ValueId> = operation
        .operands
        .iter()
        .map(|value| {
            let wide = builder.ty(*value).as_tensor().map(|tensor| tensor.with_element(ElementType::F32));
            let wide = wide.expect("an operand with elements should be a tensor");
            builder.typed_value::<&str>(Opcode::StablehloConvert, &[*value], [], wide)
        })
        .collect();
    let attrs = operation.attrs.iter().map(|(name, value)| (name.clone(), value.clone()));
    Some(builder.typed_value(operation.opcode, &operands, attrs, result))
}
