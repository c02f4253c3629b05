//! Attributes of a function's arguments and results, as the dictionaries of `arg_attrs` and `res_attrs`.

use std::sync::Arc;

use pygraph_artifact::plan::Bind;

use crate::ir::{AttrMap, Attribute, Definition, Module, OpId, Type, ValueId};

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

/// How an argument is bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// When its bytes change.
    pub bind: Bind,
    /// The result that replaces it after a step.
    pub updated_by: Option<u32>,
}

/// The bindings of a function's arguments. One that nothing is said of is state if a result updates it, else new each step.
pub fn bindings(module: &Module, function: OpId) -> Vec<Binding> {
    let count = module.region_block(function, 0).map_or(0, |block| module.block(block).arguments.len());
    let binding = |attrs: &AttrMap| {
        let updated_by = attrs.get("pyg.updated_by").and_then(Attribute::as_i64);
        let updated_by = updated_by.and_then(|result| u32::try_from(result).ok());
        let unstated = if updated_by.is_some() { Bind::State } else { Bind::Step };
        let bind = text(attrs, "pyg.bind").and_then(|name| Bind::from_name(&name)).unwrap_or(unstated);
        Binding { bind, updated_by }
    };
    dictionaries(module, function, "arg_attrs", count).iter().map(binding).collect()
}

/// Which argument of a function a value is; none if it is something else.
pub fn argument_index(module: &Module, function: OpId, value: ValueId) -> Option<usize> {
    match module.value(value).definition {
        Definition::Argument { block, index } if module.region_block(function, 0) == Some(block) => {
            Some(index as usize)
        }
        _ => None,
    }
}
