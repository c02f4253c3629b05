//! Moves what the program has on the host to where it does not cut a segment.
//!
//! Before: `%s: tensor<f32> {fx.device = "cpu"}` read by `stablehlo.multiply … {fx.device = "cuda:0"}`; a sort on the CPU
//! between two products; a result with `mhlo.memory_kind = "pinned_host"`.
//! After: `%s … {pyg.bind = "host"}`, a field of the parameter block; the sort computed on the device; the result with
//! `pyg.place = "host"`, copied after the last segment. A larger CPU argument that is new each step has
//! `pyg.place = "host"` too: it is uploaded before the first segment. One that is fixed is uploaded when the model is loaded.
//! Each of these is a remark. What operations that only compute say of devices and strides is dropped then, since it would
//! keep equal operations apart; arguments and results keep theirs.
//! Leaves alone: programs that are all on the CPU, or say nothing of devices; operations that do more than compute.
//! Relies on: calls inlined, and binding classes (`assign-bindings`).
//! Guarantees: no operation that only computes belongs to the host; times are linear. This is PyGraph's transformation of
//! CPU scalars (Ghosh et al., arXiv 2503.19779, section 4), for tensors, results and computation as well.

use std::collections::HashSet;

use pygraph_artifact::plan::Bind;

use super::{
    Changed, PassContext, PassDef, Phase,
    signature::{dictionaries, function_type, is_public, set_dictionaries, text},
};
use crate::{
    diagnostic::{Decision, DecisionKind, Diagnostic, Diagnostics},
    ir::{AttrMap, Attribute, BlockId, Loc, Module, OpId, Opcode, ops::effects::is_pure_op},
    lower::site::size_bytes,
};

/// The pass.
pub static PASS: PassDef = PassDef {
    name: "make-graphable",
    summary: "Move CPU scalars, tensors, results and computation to where they do not cut a segment",
    phase: Phase::Tensor,
    run,
};

/// The attribute of an argument or result that the caller has in host memory.
pub const PLACE: &str = "pyg.place";

const FRONTEND: &str = "mhlo.frontend_attributes";
const COMPUTE_TYPE: &str = "_xla_compute_type";

/// Arguments of up to so many bytes go into the parameter block by value: what a launch parameter of a kernel would be.
const BLOCK_VALUE_BYTES_MAX: u64 = 64;

fn run(module: &mut Module, context: &PassContext) -> Result<Changed, Diagnostics> {
    let mut changed = false;
    for function in module.functions().collect::<Vec<OpId>>() {
        let Some(block) = module.region_block(function, 0) else { continue };
        if is_public(module, function) {
            let is_mixed = names_accelerator(module, function);
            changed |= place_arguments(module, function, block, is_mixed, context);
            remark_computation(module, block, is_mixed, context);
            changed |= place_results(module, function, is_mixed, context);
            changed |= drop_placement(module, function);
        }
    }
    Ok(changed.into())
}

/// True if the program names a device that is no CPU: only then does `cpu` mean the host.
fn names_accelerator(module: &Module, function: OpId) -> bool {
    let is_accelerator = |device: Option<&Attribute>| {
        device.and_then(Attribute::as_str).is_some_and(|device| !device.starts_with("cpu"))
    };
    let (inputs, results) = function_type(module, function);
    let arguments = dictionaries(module, function, "arg_attrs", inputs.len());
    let results = dictionaries(module, function, "res_attrs", results.len());
    arguments.iter().chain(&results).any(|attrs| is_accelerator(attrs.get("fx.device")))
        || module.walk(function).into_iter().any(|op| is_accelerator(module.op(op).attr("fx.device")))
}

/// True if an argument or result lies in host memory.
fn is_on_host(attrs: &AttrMap, is_mixed: bool) -> bool {
    let is_cpu = is_mixed && text(attrs, "fx.device").is_some_and(|device| device.starts_with("cpu"));
    // A Python number has no device.
    let is_number = is_mixed && attrs.get("fx.kind").is_some() && attrs.get("fx.device").is_none();
    is_cpu || is_number || text(attrs, "mhlo.memory_kind").is_some_and(|kind| kind.contains("host"))
}

/// Decides what becomes of each argument in host memory.
fn place_arguments(
    module: &mut Module,
    function: OpId,
    block: BlockId,
    is_mixed: bool,
    context: &PassContext,
) -> bool {
    let arguments = module.block(block).arguments.clone();
    let uses = module.uses();
    let mut dictionaries = dictionaries(module, function, "arg_attrs", arguments.len());
    let mut changed = false;
    for (argument, attrs) in arguments.into_iter().zip(&mut dictionaries) {
        let (Some(bytes), true) = (size_bytes(module.ty(argument)), is_on_host(attrs, is_mixed)) else { continue };
        if uses[argument.index()].is_empty() {
            continue;
        }
        let bind = text(attrs, "pyg.bind").and_then(|name| Bind::from_name(&name)).unwrap_or(Bind::Step);
        let (reason, remedy) = match bind {
            Bind::Once => (format!("it is on the CPU and fixed: its {bytes} bytes are uploaded once, when the model is loaded"), None),
            Bind::State => ("it is on the CPU and updated: it is kept on the device".to_string(), None),
            Bind::Step | Bind::Host if bytes <= BLOCK_VALUE_BYTES_MAX => {
                changed |= attrs.set("pyg.bind", Attribute::string(Bind::Host.name())) != Some(Attribute::string(Bind::Host.name()));
                (format!("it is on the CPU and read by the device: its {bytes} bytes become a field of the parameter block"), None)
            }
            Bind::Step | Bind::Host => {
                changed |= attrs.set(PLACE, Attribute::string("host")).is_none();
                let remedy = "give it in the device's memory, and nothing is copied".to_string();
                (format!("it is on the CPU and read by the device: its {bytes} bytes are uploaded once a step, before the first segment"), Some(remedy))
            }
        };
        let name = text(attrs, "pyg.name").unwrap_or_default();
        context.remark(rescue(module, function, format!("argument `{name}`"), reason, remedy));
    }
    if changed {
        set_dictionaries(module, function, "arg_attrs", dictionaries);
    }
    changed
}

/// Says of operations that the program has on the host where they are computed: once for each place in the input.
fn remark_computation(module: &Module, block: BlockId, is_mixed: bool, context: &PassContext) {
    let mut pending = vec![block];
    let mut said: HashSet<Loc> = HashSet::new();
    while let Some(block) = pending.pop() {
        let mut made_here: Vec<OpId> = Vec::new();
        for op in module.block_ops(block) {
            let operation = module.op(op);
            if matches!(operation.opcode, Opcode::StablehloWhile | Opcode::StablehloIf | Opcode::StablehloCase) {
                let regions = 0..operation.regions.len();
                pending.extend(regions.filter_map(|region| module.region_block(op, region)));
            } else if is_host_op(module, op, is_mixed) && is_pure_op(module, op) {
                made_here.push(op);
            }
        }
        // The last operation at a location is what the call there came to; constants count where nothing else stands.
        let (constants, computed): (Vec<OpId>, Vec<OpId>) = made_here.iter().partition(|op| is_constant(module, **op));
        let told: HashSet<OpId> =
            computed.into_iter().rev().chain(constants).filter(|op| said.insert(module.op(*op).loc)).collect();
        for op in made_here.into_iter().filter(|op| told.contains(op)) {
            let reason = if is_constant(module, op) {
                "it is made on the CPU: it becomes a constant of the device"
            } else {
                "it is computed on the CPU, and does nothing else: it is computed on the device, without a copy there and back"
            };
            let name = module.op(op).opcode.name().to_string();
            context.remark(rescue(module, op, name, reason.to_string(), None));
        }
    }
}

/// Takes devices, strides and compute types off operations that only compute.
fn drop_placement(module: &mut Module, function: OpId) -> bool {
    let mut changed = false;
    for op in module.walk(function) {
        if op == function || !is_placed(module, op) || !is_pure_or_inner(module, op) {
            continue;
        }
        let attrs = &mut module.op_mut(op).attrs;
        attrs.remove("fx.device");
        attrs.remove("fx.stride");
        if let Some(Attribute::Dictionary(frontend)) = attrs.get(FRONTEND) {
            let mut left = frontend.as_ref().clone();
            left.remove(COMPUTE_TYPE);
            if left.is_empty() {
                attrs.remove(FRONTEND);
            } else {
                attrs.set(FRONTEND, Attribute::Dictionary(left.into()));
            }
        }
        changed = true;
    }
    changed
}

fn is_placed(module: &Module, op: OpId) -> bool {
    let attrs = &module.op(op).attrs;
    let has_compute_type =
        matches!(attrs.get(FRONTEND), Some(Attribute::Dictionary(frontend)) if frontend.get(COMPUTE_TYPE).is_some());
    attrs.get("fx.device").is_some() || attrs.get("fx.stride").is_some() || has_compute_type
}

/// A terminator hands values on: it is as pure as the operation around it.
fn is_pure_or_inner(module: &Module, op: OpId) -> bool {
    module.op(op).opcode.def().is_terminator() || is_pure_op(module, op)
}

fn is_constant(module: &Module, op: OpId) -> bool {
    matches!(module.op(op).opcode, Opcode::StablehloConstant | Opcode::StablehloIota)
}

fn is_host_op(module: &Module, op: OpId, is_mixed: bool) -> bool {
    let operation = module.op(op);
    let is_cpu = operation.attr("fx.device").and_then(Attribute::as_str).is_some_and(|device| device.starts_with("cpu"));
    let is_host_compute = match operation.attr(FRONTEND) {
        Some(Attribute::Dictionary(attrs)) => text(attrs, COMPUTE_TYPE).as_deref() == Some("host"),
        _ => false,
    };
    (is_mixed && is_cpu) || is_host_compute
}

/// Marks results that are wanted in host memory.
fn place_results(module: &mut Module, function: OpId, is_mixed: bool, context: &PassContext) -> bool {
    let (_, types) = function_type(module, function);
    let mut dictionaries = dictionaries(module, function, "res_attrs", types.len());
    let mut changed = false;
    for (index, (ty, attrs)) in types.iter().zip(&mut dictionaries).enumerate() {
        let is_kept = matches!(text(attrs, "fx.kind").as_deref(), Some("buffer_mutation" | "user_input_mutation"));
        let says_device = attrs.get("fx.device").is_some() || attrs.get("mhlo.memory_kind").is_some();
        if is_kept || !says_device || !is_on_host(attrs, is_mixed) {
            continue;
        }
        changed |= attrs.set(PLACE, Attribute::string("host")).is_none();
        let bytes = size_bytes(ty).map_or("its".to_string(), |bytes| format!("its {bytes}"));
        let reason =
            format!("it is wanted on the CPU: it is computed on the device, and {bytes} bytes are copied after the last segment");
        context.remark(rescue(module, function, format!("result {index}"), reason, None));
    }
    if changed {
        set_dictionaries(module, function, "res_attrs", dictionaries);
    }
    changed
}

fn rescue(module: &Module, op: OpId, what: String, reason: String, remedy: Option<String>) -> Diagnostic {
    let decision = Decision { kind: DecisionKind::Rescue, op: what, reason, remedy };
    module.decision(op, decision)
}
