//! Attributes of a function's arguments and results, as the dictionaries of `arg_attrs` and `res_attrs`.

use std::sync::Arc;

use crate::ir::{AttrMap, Attribute, Module, OpId, Type};

/// The dictionaries of `arg_attrs` or `res_attrs`, as many as `count`; empty where there is none.
pub fn dictionaries(module: &Module, function: OpId, name: &str, count: usize) -> Vec<AttrMap> {
    let list = match module.op(function).attr(name) {
        Some(Attribute::Array(list)) => list.clone(),
        _ => Arc::from([]),
    };
    (0..count)
        .map(|at| match list.get(at) {
            Some(Attribute::Dictionary(map)) => map.as_ref().clone(),
            _ => AttrMap::default(),
        })
        .collect()
}

/// Sets `arg_attrs` or `res_attrs`.
pub fn set_dictionaries(module: &mut Module, function: OpId, name: &str, maps: Vec<AttrMap>) {
    if maps.iter().all(AttrMap::is_empty) {
        module.op_mut(function).attrs.remove(name);
        return;
    }
    let list = maps.into_iter().map(|map| Attribute::Dictionary(Arc::new(map))).collect();
    module.op_mut(function).attrs.set(name, Attribute::Array(list));
}

/// Types of the arguments and results of a function.
pub fn function_type(module: &Module, function: OpId) -> (Vec<Type>, Vec<Type>) {
    match module.op(function).attr("function_type") {
        Some(Attribute::Type(Type::Function(ty))) => (ty.inputs.clone(), ty.results.clone()),
        _ => (Vec::new(), Vec::new()),
    }
}

/// True unless the function is private.
pub fn is_public(module: &Module, function: OpId) -> bool {
    !matches!(module.op(function).attr("sym_visibility").and_then(Attribute::as_str), Some("private" | "nested"))
}

/// The text of an attribute in a dictionary.
pub fn text(map: &AttrMap, name: &str) -> Option<Arc<str>> {
    if let Some(Attribute::String(text)) = map.get(name) { Some(text.clone()) } else { None }
}
