//! Regions that are chosen or repeated, tuples and tokens.

use std::sync::Arc;

use super::{Types, ensure, reduce::body};
use crate::ir::{
    ElementType, Type,
    ops::view::{View, show, show_list},
};

fn operand_types(view: &View) -> Vec<Type> {
    view.operands.iter().map(|value| view.module.ty(*value).clone()).collect()
}

/// The operands' types.
pub fn forward(view: &View) -> Types {
    Ok(operand_types(view))
}

/// A token.
pub fn token(_: &View) -> Types {
    Ok(vec![Type::Dialect(Arc::from("stablehlo.token"))])
}

/// The last result is a token.
pub fn ends_with_token(view: &View) -> Result<(), String> {
    let last = view.results.last().map(|value| view.module.ty(*value));
    let is_token = last.is_some_and(|ty| matches!(ty, Type::Dialect(name) if &**name == "stablehlo.token"));
    ensure(is_token, || format!("the last result of {} should be a token", super::short_name(view)))
}

/// What the first branch gives; the others give the same, and none takes anything.
pub fn branches(view: &View) -> Types {
    let Some(first) = view.region_results(0) else {
        return Err(format!("{} has no terminator", super::reduce::region_name(view, 0)));
    };
    for region in 0..view.regions.len() {
        body(view, region, &[], Some(&first))?;
    }
    Ok(first.into_iter().cloned().collect())
}

/// The operands' types, which both regions take and the body gives.
pub fn while_loop(view: &View) -> Types {
    let types = operand_types(view);
    let carried: Vec<&Type> = types.iter().collect();
    let truth = Type::tensor(&[], ElementType::BOOL);
    body(view, 0, &carried, Some(&[&truth]))?;
    body(view, 1, &carried, Some(&carried))?;
    Ok(types)
}

/// A tuple of the operands' types.
pub fn tuple(view: &View) -> Types {
    Ok(vec![Type::Tuple(operand_types(view).into())])
}

/// The type at that place of the tuple.
pub fn get_tuple_element(view: &View) -> Types {
    let Type::Tuple(types) = view.ty(0)? else {
        return Err(format!("get_tuple_element takes a tuple, but has {}", show(view.ty(0)?)));
    };
    let index = view.int("index")?;
    let found = usize::try_from(index).ok().and_then(|index| types.get(index));
    found.map(|ty| vec![ty.clone()]).ok_or_else(|| {
        format!("get_tuple_element takes element {index} of a tuple of {}: ({})", types.len(), show_list(types.iter()))
    })
}

/// The region gives the results' types.
pub fn region_gives_results(view: &View) -> Types {
    let given = view.region_results(0);
    let given = given.ok_or_else(|| format!("{} has no terminator", super::reduce::region_name(view, 0)))?;
    Ok(given.into_iter().cloned().collect())
}

/// The region takes as many values as there are operands.
pub fn manual_computation(view: &View) -> Result<(), String> {
    let own = view.region_arguments(0).len();
    ensure(own == view.operands.len(), || {
        format!("manual_computation has {} operands, but its region takes {own}", view.operands.len())
    })
}

/// Operands and results correspond.
pub fn same_count(view: &View) -> Result<(), String> {
    ensure(view.operands.len() == view.results.len(), || {
        format!("{} has {} operands and {} results", super::short_name(view), view.operands.len(), view.results.len())
    })
}
