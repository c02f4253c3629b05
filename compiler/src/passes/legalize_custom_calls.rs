//! Writes custom calls that a table knows as operations.
//!
//! Before: `stablehlo.custom_call @mhlo.erf(%x)`, `@annotate_device_placement(%x) {mhlo.frontend_attributes = …}`.
//! After: `chlo.erf %x`; `stablehlo.optimization_barrier %x` with the same attributes, since later passes live on them.
//! Leaves alone: assertions (`check.*`), which run as they are, and calls without an entry, which are refused by name
//! when they are lowered.   Relies on: nothing beyond the verifier.   Guarantees: no call in the table is left.

use std::collections::HashMap;

use super::{
    Changed, PassContext, PassDef, Phase,
    emit::{Emit, Number, Refusal, tensor_type},
};
use crate::{
    diagnostic::Diagnostics,
    ir::{
        AttrMap, Attribute, ElementType, Module, OpId, Opcode, Type, ValueId,
        enums::{EnumAttr, Transpose},
    },
};

/// The pass.
pub static PASS: PassDef = PassDef {
    name: "legalize-custom-calls",
    summary: "Write custom calls that JAX makes (placement, sharding, mhlo.*, linear algebra, threefry) as operations",
    phase: Phase::Import,
    run,
};

/// Writes what a call computes, one value a result.
type Write = fn(&mut Emit, OpId) -> Result<Vec<ValueId>, Refusal>;

/// Every call, in order of name.
static TABLE: &[(&str, Write)] = &[
    ("LayoutConstraint", placed),
    ("MoveToDevice", placed),
    ("MoveToHost", placed),
    ("SPMDFullToShardShape", placed),
    ("SPMDShardToFullShape", placed),
    ("Sharding", placed),
    ("annotate_device_placement", placed),
    ("cu_threefry2x32", threefry),
    ("cu_threefry2x32_ffi", threefry),
    ("cusolver_potrf_ffi", cholesky),
    ("lapack_dpotrf_ffi", cholesky),
    ("lapack_dtrsm_ffi", triangular_solve),
    ("lapack_spotrf_ffi", cholesky),
    ("lapack_strsm_ffi", triangular_solve),
    ("mhlo.acos", |e, op| unary(e, op, Opcode::ChloAcos)),
    ("mhlo.acosh", |e, op| unary(e, op, Opcode::ChloAcosh)),
    ("mhlo.asin", |e, op| unary(e, op, Opcode::ChloAsin)),
    ("mhlo.asinh", |e, op| unary(e, op, Opcode::ChloAsinh)),
    ("mhlo.atanh", |e, op| unary(e, op, Opcode::ChloAtanh)),
    ("mhlo.cosh", |e, op| unary(e, op, Opcode::ChloCosh)),
    ("mhlo.erf", |e, op| unary(e, op, Opcode::ChloErf)),
    ("mhlo.sinh", |e, op| unary(e, op, Opcode::ChloSinh)),
    ("mhlo.tan", |e, op| unary(e, op, Opcode::StablehloTan)),
    ("mhlo.topk", top_k),
    ("threefry2x32", threefry),
];

fn run(module: &mut Module, _: &PassContext) -> Result<Changed, Diagnostics> {
    let (mut errors, mut replaced, mut dead) = (Vec::new(), HashMap::new(), Vec::new());
    for op in module.walk(module.root()) {
        for operand in &mut module.op_mut(op).operands {
            if let Some(value) = replaced.get(operand) {
                *operand = *value;
            }
        }
        let Some((name, write)) = entry(module, op) else { continue };
        match write(&mut Emit::before(module, op), op) {
            Ok(values) => {
                replaced.extend(module.op(op).results.iter().copied().zip(values));
                dead.push(op);
            }
            Err(Refusal(reason)) => errors.push(module.error(op, format!("custom call @{name}: {reason}"))),
        }
    }
    if !errors.is_empty() {
        return Err(Diagnostics(errors));
    }
    module.replace_values(module.root(), &replaced);
    for op in dead.iter().rev() {
        module.erase(*op);
    }
    Ok((!dead.is_empty()).into())
}

fn entry(module: &Module, op: OpId) -> Option<(&'static str, Write)> {
    let operation = module.op(op);
    if operation.opcode != Opcode::StablehloCustomCall {
        return None;
    }
    let target = operation.attr("call_target_name").and_then(Attribute::as_str)?;
    let is_static = |value: &ValueId| module.ty(*value).as_tensor().is_some_and(|ty| ty.static_shape().is_some());
    if !operation.operands.iter().chain(&operation.results).all(is_static) {
        return None;
    }
    TABLE.binary_search_by(|(name, _)| (*name).cmp(target)).ok().map(|at| TABLE[at])
}

fn operands<const N: usize>(e: &Emit, op: OpId) -> Result<[ValueId; N], Refusal> {
    let operands = e.module.op(op).operands.as_slice();
    operands.try_into().map_err(|_| Refusal(format!("it should have {N} operands, not {}", operands.len())))
}

fn result_type(e: &Emit, op: OpId, index: usize) -> Result<Type, Refusal> {
    let result = e.module.op(op).results.get(index);
    result.map(|result| e.module.ty(*result).clone()).ok_or_else(|| Refusal(format!("it has no result {index}")))
}

/// The number or text of the call's configuration under a name.
fn config(e: &Emit, op: OpId, name: &str) -> Option<Attribute> {
    let from = |map: Option<&Attribute>| match map {
        Some(Attribute::Dictionary(map)) => map.get(name).cloned(),
        _ => None,
    };
    let operation = e.module.op(op);
    ["mhlo.backend_config", "backend_config", "mhlo.attributes"].iter().find_map(|key| from(operation.attr(key)))
}

/// The operand, behind a barrier that carries what the call says of place or layout.
fn placed(e: &mut Emit, op: OpId) -> Result<Vec<ValueId>, Refusal> {
    let [x] = operands(e, op)?;
    let ty = result_type(e, op, 0)?;
    if e.module.ty(x) != &ty {
        return Err(Refusal::from(
            "its result has another type than its operand: programs over several devices do not run yet",
        ));
    }
    let kept = e.module.op(op).attrs.iter().filter(|(name, _)| name.contains('.'));
    e.tags = kept.map(|(name, value)| (name.clone(), value.clone())).collect::<AttrMap>();
    Ok(vec![e.op(Opcode::StablehloOptimizationBarrier, &[x], ty, &[])])
}

fn unary(e: &mut Emit, op: OpId, opcode: Opcode) -> Result<Vec<ValueId>, Refusal> {
    let [x] = operands(e, op)?;
    Ok(vec![e.unary(opcode, x)])
}

fn top_k(e: &mut Emit, op: OpId) -> Result<Vec<ValueId>, Refusal> {
    let [x] = operands(e, op)?;
    let k = config(e, op, "k").ok_or_else(|| Refusal::from("`k` is missing"))?;
    if config(e, op, "largest").and_then(|largest| largest.as_bool()) == Some(false) {
        return Err(Refusal::from("the smallest elements are not supported"));
    }
    let k = Attribute::i64(k.as_i64().ok_or_else(|| Refusal::from("`k` is no number"))?);
    let types = vec![result_type(e, op, 0)?, result_type(e, op, 1)?];
    Ok(e.op_with_regions(Opcode::ChloTopK, &[x], types, &[("k", k)], &[]))
}

/// The factor, and for each matrix 0, or 1 where there is none (the factor is NaN then).
fn cholesky(e: &mut Emit, op: OpId) -> Result<Vec<ValueId>, Refusal> {
    let [x] = operands(e, op)?;
    let lower = match config(e, op, "lower").and_then(|lower| lower.as_bool()) {
        Some(lower) => lower,
        None => config(e, op, "uplo").and_then(|uplo| uplo.as_i64()) != Some(i64::from(b'U')),
    };
    let ty = e.module.ty(x).clone();
    let factor = e.op(Opcode::StablehloCholesky, &[x], ty, &[("lower", Attribute::Bool(lower))]);
    let rank = e.rank(x)? as i64;
    let failed = e.is_nan(factor)?;
    let failed = e.fold(Opcode::StablehloOr, failed, Number::Bool(false), &[rank - 2, rank - 1])?;
    let status = result_type(e, op, 1)?;
    let element = status.as_tensor().map_or(ElementType::I32, |ty| ty.element.clone());
    Ok(vec![factor, e.convert(failed, &element)?])
}

fn triangular_solve(e: &mut Emit, op: OpId) -> Result<Vec<ValueId>, Refusal> {
    let [a, b] = operands(e, op)?;
    let letter = |e: &Emit, name: &str| config(e, op, name).and_then(|value| value.as_i64()).unwrap_or(0) as u8;
    let transpose = match letter(e, "trans_x") {
        b'T' => Transpose::Transpose,
        b'C' => Transpose::Adjoint,
        _ => Transpose::No,
    };
    let attrs = [
        ("left_side", Attribute::Bool(letter(e, "side") != b'R')),
        ("lower", Attribute::Bool(letter(e, "uplo") != b'U')),
        ("unit_diagonal", Attribute::Bool(letter(e, "diag") == b'U')),
        ("transpose_a", Attribute::Enum(EnumAttr::Transpose(transpose))),
    ];
    let ty = e.module.ty(b).clone();
    Ok(vec![e.op(Opcode::StablehloTriangularSolve, &[a, b], ty, &attrs)])
}

/// Threefry-2x32 with 20 rounds (Salmon et al., SC 2011): two words of key, two of counter.
fn threefry(e: &mut Emit, op: OpId) -> Result<Vec<ValueId>, Refusal> {
    let [k0, k1, x0, x1] = operands(e, op)?;
    result_type(e, op, 0)?;
    let shape = e.shape(e.module.op(op).results[0])?;
    let expected = tensor_type(&shape, &e.element(e.module.op(op).results[0])?);
    if [k0, k1, x0, x1].iter().any(|value| *e.module.ty(*value) != expected) {
        return Err(Refusal::from("keys and counters of different shapes are not supported"));
    }
    let mixed = e.binary(Opcode::StablehloXor, k0, k1)?;
    let k2 = e.binary_number(Opcode::StablehloXor, mixed, Number::Int(0x1BD1_1BDA))?;
    let keys = [k0, k1, k2];
    let (mut left, mut right) = (e.add(x0, k0)?, e.add(x1, k1)?);
    for group in 0..5usize {
        for distance in [[13, 15, 26, 6], [17, 29, 16, 24]][group % 2] {
            left = e.add(left, right)?;
            let high = e.binary_number(Opcode::StablehloShiftLeft, right, Number::Int(distance))?;
            let low = e.binary_number(Opcode::StablehloShiftRightLogical, right, Number::Int(32 - distance))?;
            let turned = e.binary(Opcode::StablehloOr, high, low)?;
            right = e.binary(Opcode::StablehloXor, turned, left)?;
        }
        left = e.add(left, keys[(group + 1) % 3])?;
        right = e.add(right, keys[(group + 2) % 3])?;
        right = e.binary_number(Opcode::StablehloAdd, right, Number::Int(group as i64 + 1))?;
    }
    Ok(vec![left, right])
}

#[cfg(test)]
mod tests {
    use super::TABLE;

    #[test]
    fn the_table_is_sorted_and_names_each_call_once() {
        assert!(TABLE.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
