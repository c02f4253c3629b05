//! Gives every argument of every public function its binding class and its name, printed in the signature.
//!
//! Before: `%p: tensor<4xf32> {fx.kind = "parameter", fx.target = "fc.weight"}`, `%k: … {tf.aliasing_output = 0 : i32}`.
//! After: the same with `pyg.bind = "once", pyg.name = "fc.weight"`, and `pyg.bind = "state", pyg.updated_by = 0 : i64`.
//! The class is what `pyg.bind` says (a caller's attribute or `--bind`); else `state` for what a result replaces in the
//! next step, by `tf.aliasing_output`, `pyg.updated_by` or the mutations of FX, and for what `jax.buffer_donor` gives
//! away to a result of its type; else `once` for parameters, buffers and constants of FX; else `step`.
//! The name is `pyg.name`, the target or the name in FX, or `arg0`, `arg1`, ….
//! Leaves alone: private functions.   Relies on: the verifier for what `pyg.*` and `tf.aliasing_output` name; mutations being
//! results (`decompose-fx`).
//! Guarantees: `pyg.bind` and `pyg.name` on every argument, `pyg.updated_by` only with `state` and the result's type.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use pygraph_artifact::plan::Bind;

use super::{
    Changed, PassContext, PassDef, Phase,
    signature::{dictionaries, function_type, is_public, set_dictionaries, text},
};
use crate::{
    diagnostic::{Diagnostic, Diagnostics},
    ir::{AttrMap, Attribute, Module, OpId, Type},
};

/// The pass.
pub static PASS: PassDef = PassDef {
    name: "assign-bindings",
    summary: "Give every argument its binding class (once, step, state, host), its name, and the result that replaces it",
    phase: Phase::Import,
    run,
};

fn run(module: &mut Module, _: &PassContext) -> Result<Changed, Diagnostics> {
    let (mut errors, mut changed) = (Vec::new(), false);
    for function in module.functions().collect::<Vec<_>>() {
        if is_public(module, function) && module.region_block(function, 0).is_some() {
            changed |= bind(module, function, &mut errors);
        }
    }
    if errors.is_empty() { Ok(changed.into()) } else { Err(Diagnostics(errors)) }
}

/// What one function says of its arguments and results.
struct Signature {
    inputs: Vec<Type>,
    results: Vec<Type>,
    arguments: Vec<AttrMap>,
    result_attrs: Vec<AttrMap>,
}

fn bind(module: &mut Module, function: OpId, errors: &mut Vec<Diagnostic>) -> bool {
    let (inputs, results) = function_type(module, function);
    let arguments = dictionaries(module, function, "arg_attrs", inputs.len());
    let result_attrs = dictionaries(module, function, "res_attrs", results.len());
    let signature = Signature { inputs, results, arguments, result_attrs };
    let mut report = |message: String| errors.push(module.error(function, message));
    let replaced = replacements(&signature, &mut report);
    let mut bound = signature.arguments.clone();
    let mut names: HashMap<Arc<str>, usize> = HashMap::new();
    for (index, attrs) in bound.iter_mut().enumerate() {
        let name = name_of(attrs, index);
        if let Some(other) = names.insert(name.clone(), index) {
            report(format!("arguments {other} and {index} are both named `{name}`: give one another `pyg.name`"));
        }
        match class_of(attrs, replaced[index]) {
            Ok((class, updated_by)) => {
                attrs.set("pyg.bind", Attribute::string(class.name()));
                attrs.remove("pyg.updated_by");
                if let Some(result) = updated_by {
                    attrs.set("pyg.updated_by", Attribute::i64(result as i64));
                }
            }
            Err(message) => report(format!("argument {index} (`{name}`) {message}")),
        }
        attrs.set("pyg.name", Attribute::String(name));
    }
    let changed = bound != signature.arguments;
    set_dictionaries(module, function, "arg_attrs", bound);
    changed
}

/// The class of an argument, and the result that replaces it where it is `state`.
fn class_of(attrs: &AttrMap, replaced_by: Option<usize>) -> Result<(Bind, Option<usize>), String> {
    let given = text(attrs, "pyg.bind").and_then(|name| Bind::from_name(&name));
    let class = given.unwrap_or(match (replaced_by, text(attrs, "fx.kind").as_deref()) {
        (Some(_), _) => Bind::State,
        (None, Some("parameter" | "buffer" | "constant_tensor")) => Bind::Once,
        (None, _) => Bind::Step,
    });
    match (class, replaced_by) {
        (Bind::Once, Some(result)) => {
            Err(format!("is bound as `once`, but result {result} replaces it in the next step: bind it as `state`"))
        }
        (Bind::State, result) => Ok((class, result)),
        _ => Ok((class, None)),
    }
}

fn name_of(attrs: &AttrMap, index: usize) -> Arc<str> {
    let names = ["pyg.name", "fx.target", "fx.name"];
    names.iter().find_map(|name| text(attrs, name)).unwrap_or_else(|| Arc::from(format!("arg{index}")))
}

/// For every argument the result that replaces it in the next step.
fn replacements(signature: &Signature, report: &mut dyn FnMut(String)) -> Vec<Option<usize>> {
    let mut replaced: Vec<Option<usize>> = vec![None; signature.inputs.len()];
    let mut taken: HashSet<usize> = HashSet::new();
    for (index, attrs) in signature.arguments.iter().enumerate() {
        let stated = ["pyg.updated_by", "tf.aliasing_output"].iter().find_map(|name| attrs.get(name)?.as_i64());
        let Some(result) = stated.map(|result| usize::try_from(result).unwrap_or(usize::MAX)) else { continue };
        replaced[index] = Some(result);
        taken.insert(result);
    }
    for (result, attrs) in signature.result_attrs.iter().enumerate() {
        let Some(index) = mutated_argument(signature, attrs) else { continue };
        if signature.results[result] != signature.inputs[index] {
            report(format!("result {result} is the new contents of argument {index}, but has another type"));
        } else if replaced[index].is_none() && taken.insert(result) {
            replaced[index] = Some(result);
        }
    }
    for (index, attrs) in signature.arguments.iter().enumerate() {
        if replaced[index].is_none() && attrs.get("jax.buffer_donor").and_then(Attribute::as_bool) == Some(true) {
            let free =
                |result: &usize| !taken.contains(result) && signature.results[*result] == signature.inputs[index];
            if let Some(result) = (0..signature.results.len()).find(free) {
                replaced[index] = Some(result);
                taken.insert(result);
            }
        }
    }
    replaced
}

/// The argument whose new contents a result of FX is.
fn mutated_argument(signature: &Signature, result: &AttrMap) -> Option<usize> {
    let key = match text(result, "fx.kind")?.as_ref() {
        "buffer_mutation" | "parameter_mutation" => "fx.target",
        "user_input_mutation" => "fx.name",
        _ => return None,
    };
    let target = text(result, "fx.target")?;
    signature.arguments.iter().position(|attrs| text(attrs, key).as_ref() == Some(&target))
}
