//! The names of unknown extents in generic text.
//!
//! In short forms a type carries them: `tensor<?x4xf32, #pyg.dims<s0 in [0, 8]>>`. Upstream takes types with different
//! encodings for different types and refuses to return one where another is declared, so generic text has plain types,
//! and a list of names on each operation: `pyg.dims = ["s0 in [0, 8]"]`, for the types of its results, of the arguments
//! of its blocks, and of its `function_type`, in this order.

use std::sync::Arc;

use crate::ir::{
    AttrMap, Attribute, Module, RegionId, Type,
    types::{Dim, FunctionType, Symbol, TensorType},
};

/// The name of the attribute.
pub const DIMS: &str = "pyg.dims";

/// `s0`, `s1 in [1, 8]`, `s2 in [1, *]`.
pub fn symbol_text(symbol: &Symbol) -> String {
    let Symbol { name, extent_min, extent_max } = symbol;
    match extent_max {
        Some(extent_max) => format!("{name} in [{extent_min}, {extent_max}]"),
        None if *extent_min > 0 => format!("{name} in [{extent_min}, *]"),
        None => name.to_string(),
    }
}

/// The symbol of that text.
pub fn symbol_of(text: &str) -> Option<Symbol> {
    let (name, bounds) = text.split_once(" in ").map_or((text, None), |(name, bounds)| (name, Some(bounds)));
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !is_name {
        return None;
    }
    let mut symbol = Symbol { name: Arc::from(name), extent_min: 0, extent_max: None };
    if let Some(bounds) = bounds {
        let (low, high) = bounds.strip_prefix('[')?.strip_suffix(']')?.split_once(", ")?;
        symbol.extent_min = low.parse().ok()?;
        symbol.extent_max = if high == "*" { None } else { Some(high.parse().ok()?) };
    }
    Some(symbol)
}

/// The symbols of an operation's results, blocks and function type, each where it stands.
pub(crate) fn symbols_of(module: &Module, results: &[Type], regions: &[RegionId], attrs: &AttrMap) -> Vec<Arc<Symbol>> {
    let mut symbols = Vec::new();
    let mut collect = |ty: &Type| {
        map_symbols(ty, &mut |symbol| {
            symbols.push(symbol.clone());
            symbol.clone()
        });
    };
    results.iter().for_each(&mut collect);
    for region in regions {
        for block in &module.region(*region).blocks {
            module.block(*block).arguments.iter().for_each(|argument| collect(module.ty(*argument)));
        }
    }
    if let Some(Attribute::Type(ty)) = attrs.get("function_type") {
        collect(ty);
    }
    symbols
}

/// Replaces them, in the same order.
pub(crate) fn replace_symbols(
    module: &mut Module,
    results: &mut [Type],
    regions: &[RegionId],
    attrs: &mut AttrMap,
    symbols: Vec<Arc<Symbol>>,
) {
    let mut symbols = symbols.into_iter();
    let mut replace = |ty: &Type| map_symbols(ty, &mut |symbol| symbols.next().unwrap_or_else(|| symbol.clone()));
    for ty in results {
        *ty = replace(ty);
    }
    for region in regions {
        for block in module.region(*region).blocks.clone() {
            for argument in module.block(block).arguments.clone() {
                module.value_mut(argument).ty = replace(module.ty(argument));
            }
        }
    }
    if let Some(Attribute::Type(ty)) = attrs.get("function_type") {
        let ty = replace(ty);
        attrs.set("function_type", Attribute::Type(ty));
    }
}

/// A type with other symbols. Types without symbols are shared with the original.
fn map_symbols(ty: &Type, map: &mut impl FnMut(&Arc<Symbol>) -> Arc<Symbol>) -> Type {
    match ty {
        Type::Tensor(tensor) if tensor.shape.iter().any(|dim| matches!(dim, Dim::Symbol(_))) => {
            let shape = tensor.shape.iter().map(|dim| match dim {
                Dim::Static(extent) => Dim::Static(*extent),
                Dim::Symbol(symbol) => Dim::Symbol(map(symbol)),
            });
            TensorType { shape: shape.collect(), ..(**tensor).clone() }.into()
        }
        Type::Tuple(types) => Type::Tuple(types.iter().map(|ty| map_symbols(ty, map)).collect()),
        Type::Function(function) => {
            let inputs = function.inputs.iter().map(|ty| map_symbols(ty, map)).collect();
            let results = function.results.iter().map(|ty| map_symbols(ty, map)).collect();
            Type::Function(Arc::new(FunctionType { inputs, results }))
        }
        _ => ty.clone(),
    }
}
