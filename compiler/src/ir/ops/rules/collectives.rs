//! What processes do together.

use super::{Types, ensure, position, reduce::scalar_body, tensor};
use crate::ir::{
    Dim, ElementType, Type,
    ops::view::{View, dim_of, dims_compatible, extent, show_dim},
};

/// Results have the operands' shapes and the body's element types.
pub fn all_reduce(view: &View) -> Types {
    let operands = view.tensors()?;
    let mut results = Vec::with_capacity(operands.len());
    for operand in operands {
        let elements = scalar_body(view, 0, &[operand], &[operand])?;
        let element = elements.first().unwrap_or(&ElementType::BOOL);
        results.push(tensor(operand.shape.iter().cloned(), element));
    }
    Ok(results)
}

/// The dimension grows by the number of processes in a group.
pub fn all_gather(view: &View) -> Result<(), String> {
    super::control::same_count(view)?;
    for (index, operand) in view.tensors()?.into_iter().enumerate() {
        let result = view.result_tensor(index)?;
        let at = position("all_gather_dim", view.int("all_gather_dim")?, operand.rank())?;
        scaled(view, &operand.shape, &result.shape, at, true)?;
    }
    Ok(())
}

/// The dimension shrinks by the number of processes in a group.
pub fn reduce_scatter(view: &View) -> Result<(), String> {
    let (operand, result) = (view.tensor(0)?, view.result_tensor(0)?);
    let at = position("scatter_dimension", view.int("scatter_dimension")?, operand.rank())?;
    scalar_body(view, 0, &[operand], &[operand])?;
    scaled(view, &operand.shape, &result.shape, at, false)
}

fn scaled(view: &View, from: &[Dim], to: &[Dim], at: usize, grows: bool) -> Result<(), String> {
    let name = super::short_name(view);
    ensure(from.len() == to.len(), || format!("{name} goes from {} to {} dimensions", from.len(), to.len()))?;
    for (d, (from, to)) in from.iter().zip(to).enumerate() {
        let fits = match (extent(from), extent(to)) {
            (Some(from), Some(to)) if d == at && grows => from == to || (from != 0 && to % from == 0),
            (Some(from), Some(to)) if d == at => from == to || (to != 0 && from % to == 0),
            _ => dims_compatible(from, to) || d == at,
        };
        ensure(fits, || {
            format!("{name} along dimension {at} goes from {} to {} in dimension {d}", show_dim(from), show_dim(to))
        })?;
    }
    Ok(())
}

/// The split dimension shrinks and the concatenated one grows by `split_count`.
pub fn all_to_all(view: &View) -> Types {
    let count = u64::try_from(view.int("split_count")?).ok().filter(|count| *count >= 1);
    let count = count.ok_or("`split_count` should be at least 1")?;
    let mut results = Vec::new();
    for operand in view.tensors()? {
        let split = position("split_dimension", view.int("split_dimension")?, operand.rank())?;
        let concat = position("concat_dimension", view.int("concat_dimension")?, operand.rank())?;
        let mut shape = operand.shape.clone();
        let own = extent(&shape[split]);
        ensure(own.is_none_or(|own| own % count == 0), || {
            format!("all_to_all cannot split {} by {count}", show_dim(&operand.shape[split]))
        })?;
        shape[split] = dim_of(own.map(|own| own / count));
        shape[concat] = dim_of(extent(&shape[concat]).and_then(|extent| extent.checked_mul(count)));
        results.push(tensor(shape, &operand.element));
    }
    Ok(results)
}

/// The operands' types; pairs of processes, none twice on one side.
pub fn permute(view: &View) -> Types {
    if let Some(crate::ir::Attribute::Dense(pairs)) = view.attr("source_target_pairs") {
        let rows = pairs.ty.shape.first().and_then(extent).and_then(|rows| usize::try_from(rows).ok());
        let pairs = view.pairs("source_target_pairs", rows.unwrap_or_default())?;
        for side in [pairs.iter().map(|pair| pair.0).collect::<Vec<_>>(), pairs.iter().map(|pair| pair.1).collect()] {
            let mut sorted = side;
            sorted.sort_unstable();
            let twice = sorted.windows(2).find(|pair| pair[0] == pair[1]);
            ensure(twice.is_none(), || {
                format!("`source_target_pairs` names process {} twice", twice.unwrap_or(&[0])[0])
            })?;
        }
    }
    super::control::forward(view)
}

/// Results have the operands' types; with `has_dynamic_root` one more operand, the last, says whose value is given.
pub fn broadcast(view: &View) -> Result<(), String> {
    let root_count = usize::from(view.attr("has_dynamic_root").is_some());
    let (operands, results) = (view.operands.len(), view.results.len());
    ensure(operands == results + root_count, || {
        format!(
            "collective_broadcast has {operands} operands, but needs {} for {results} results",
            results + root_count
        )
    })?;
    for (operand, result) in view.operands.iter().zip(view.results) {
        let (operand, result): (&Type, &Type) = (view.module.ty(*operand), view.module.ty(*result));
        ensure(crate::ir::ops::view::types_compatible(operand, result), || {
            let (operand, result) = (crate::ir::ops::view::show(operand), crate::ir::ops::view::show(result));
            format!("{} gives the operand's type {operand}, but the result is {result}", super::short_name(view))
        })?;
    }
    Ok(())
}
