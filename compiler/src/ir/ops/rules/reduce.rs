//! Operations with a body on scalars: reductions, windows, sorting.

use super::{Types, ensure, merge_shapes, pairs, positions, short_name, tensor, window::windows};
use crate::ir::{
    Dim, ElementType, TensorType, Type,
    ops::{
        constraint::element_set,
        view::{View, dim_of, elements_compatible, show, show_element, show_shape, types_compatible},
    },
};

/// The inputs without the reduced dimensions.
pub fn reduce(view: &View) -> Types {
    let (inputs, inits) = (view.group_tensors("inputs")?, view.group_tensors("init_values")?);
    pairs(view, ("inputs", inputs.len()), ("init_values", inits.len()))?;
    let shape = merge_shapes(view, inputs.iter().map(|input| &input.shape[..]))?;
    let reduced = positions("dimensions", view.ints("dimensions")?, shape.len())?;
    let elements = scalar_body(view, 0, &inits, &inputs)?;
    let kept = shape.iter().enumerate().filter(|(d, _)| !reduced.contains(d)).map(|(_, dim)| dim.clone());
    Ok(elements.iter().map(|element| tensor(kept.clone(), element)).collect())
}

/// One element for each position of the window.
pub fn reduce_window(view: &View) -> Types {
    let (inputs, inits) = (view.group_tensors("inputs")?, view.group_tensors("init_values")?);
    pairs(view, ("inputs", inputs.len()), ("init_values", inits.len()))?;
    let shape = merge_shapes(view, inputs.iter().map(|input| &input.shape[..]))?;
    let shape = windowed(view, &shape)?;
    let elements = scalar_body(view, 0, &inits, &inputs)?;
    Ok(elements.iter().map(|element| tensor(shape.iter().cloned(), element)).collect())
}

fn windowed(view: &View, shape: &[Dim]) -> Result<Vec<Dim>, String> {
    let sizes = view.ints_or("window_dimensions", 1, shape.len())?;
    let sizes: Option<Vec<Option<u64>>> = sizes.iter().map(|size| u64::try_from(*size).ok().map(Some)).collect();
    let sizes = sizes.ok_or("`window_dimensions` should not be negative")?;
    let windows = windows(view, &sizes, "base_dilations", "window_dilations")?;
    windows.iter().zip(shape).enumerate().map(|(d, (window, dim))| window.positions(d, dim)).collect()
}

/// The operand's type; the source has one element for each position of the window.
pub fn select_and_scatter(view: &View) -> Types {
    let (operand, source, init) = (view.tensor(0)?, view.tensor(1)?, view.tensor(2)?);
    let wanted = windowed(view, &operand.shape)?;
    merge_shapes(view, [&wanted[..], &source.shape[..]])?;
    body(view, 0, &[&scalar(&operand.element), &scalar(&operand.element)], Some(&[&scalar(&ElementType::BOOL)]))?;
    let elements = scalar_body(view, 1, &[init], &[source])?;
    Ok(elements.iter().map(|element| tensor(operand.shape.iter().cloned(), element)).collect())
}

/// The inputs' types; the comparator takes a pair of elements from each.
pub fn sort(view: &View) -> Types {
    let inputs = view.tensors()?;
    let shape = merge_shapes(view, inputs.iter().map(|input| &input.shape[..]))?;
    let (dimension, rank) = (view.int("dimension").unwrap_or(-1), shape.len() as i64);
    ensure((-rank..rank.max(1)).contains(&dimension), || {
        format!("`dimension` names dimension {dimension} of a tensor that has {rank}")
    })?;
    let scalars: Vec<Type> = inputs.iter().map(|input| scalar(&input.element)).collect();
    let arguments: Vec<&Type> = scalars.iter().flat_map(|ty| [ty, ty]).collect();
    body(view, 0, &arguments, Some(&[&scalar(&ElementType::BOOL)]))?;
    Ok(inputs.iter().map(|input| tensor(shape.iter().cloned(), &input.element)).collect())
}

/// The inputs' shape, with the body's element type.
pub fn map(view: &View) -> Types {
    let inputs = view.tensors()?;
    let shape = merge_shapes(view, inputs.iter().map(|input| &input.shape[..]))?;
    let dims = view.ints("dimensions")?;
    ensure(dims.iter().copied().eq(0..shape.len() as i64), || {
        format!("`dimensions` should name all dimensions of {} in order, but is {dims:?}", show_shape(&shape))
    })?;
    let scalars: Vec<Type> = inputs.iter().map(|input| scalar(&input.element)).collect();
    body(view, 0, &scalars.iter().collect::<Vec<_>>(), None)?;
    match view.region_results(0).as_deref() {
        Some([Type::Tensor(result)]) if result.rank() == 0 => super::one(shape, &result.element),
        Some(results) => Err(format!("the body of map gives {} values, but should give one scalar", results.len())),
        None => Err("the body of map has no terminator".to_string()),
    }
}

/// A 0-dimensional tensor.
fn scalar(element: &ElementType) -> Type {
    tensor([], element)
}

/// Checks a body that folds `values` onto `accumulators` and gives its accumulators' element types.
///
/// They are what the body gives; StableHLO lets them be wider than the operands.
pub(super) fn scalar_body(
    view: &View,
    region: usize,
    accumulators: &[&TensorType],
    values: &[&TensorType],
) -> Result<Vec<ElementType>, String> {
    let name = short_name(view);
    let arguments = view.region_arguments(region);
    ensure(arguments.len() == accumulators.len() + values.len(), || {
        let count = accumulators.len() + values.len();
        format!("the body of {name} takes {} arguments, but should take {count}", arguments.len())
    })?;
    for (index, (argument, operand)) in arguments.iter().zip(accumulators.iter().chain(values)).enumerate() {
        let fits = |own: &TensorType| {
            own.rank() == 0
                && (elements_compatible(&own.element, &operand.element)
                    || element_set(&own.element) == element_set(&operand.element))
        };
        ensure(argument.as_tensor().is_some_and(fits), || {
            let wanted = show_element(&operand.element);
            format!("argument {index} of the body of {name} should be tensor<{wanted}>, but is {}", show(argument))
        })?;
    }
    let results = view.region_results(region).ok_or_else(|| format!("the body of {name} has no terminator"))?;
    ensure(results.len() == accumulators.len(), || {
        format!("the body of {name} gives {} values, but should give {}", results.len(), accumulators.len())
    })?;
    let pairs = results.iter().zip(&arguments).enumerate();
    pairs
        .map(|(index, (result, argument))| {
            ensure(types_compatible(result, argument), || {
                let (result, argument) = (show(result), show(argument));
                format!("the body of {name} gives {result} for its argument {index} of type {argument}")
            })?;
            Ok(result.as_tensor().map_or(ElementType::BOOL, |tensor| tensor.element.clone()))
        })
        .collect()
}

/// Checks the arguments of a region and, where they are given, the values that it gives.
pub(super) fn body(view: &View, region: usize, wanted: &[&Type], given: Option<&[&Type]>) -> Result<(), String> {
    let region_name = region_name(view, region);
    let own = view.region_arguments(region);
    let fit = own.len() == wanted.len() && own.iter().zip(wanted).all(|(a, b)| types_compatible(a, b));
    let list = |types: &[&Type]| types.iter().map(|ty| show(ty)).collect::<Vec<_>>().join(", ");
    ensure(fit, || format!("{region_name} takes ({}), but should take ({})", list(&own), list(wanted)))?;
    let Some(given) = given else { return Ok(()) };
    let own = view.region_results(region).ok_or_else(|| format!("{region_name} has no terminator"))?;
    let fit = own.len() == given.len() && own.iter().zip(given).all(|(a, b)| types_compatible(a, b));
    ensure(fit, || format!("{region_name} gives ({}), but should give ({})", list(&own), list(given)))
}

/// The name of a region in messages (``region `body` of while``).
pub(super) fn region_name(view: &View, region: usize) -> String {
    let defs = &view.def().regions;
    let def = defs.get(region.min(defs.len().saturating_sub(1)));
    let name = def.map_or("body", |def| def.name);
    match defs.len() {
        _ if region >= defs.len() => format!("region {region} (`{name}`) of {}", short_name(view)),
        _ => format!("region `{name}` of {}", short_name(view)),
    }
}

/// The values and positions of the largest elements along the last dimension.
pub fn top_k(view: &View) -> Types {
    let operand = view.tensor(0)?;
    let k = view.int("k")?;
    let last = operand.shape.last().ok_or("top_k takes a tensor of at least one dimension")?;
    let fits = k >= 0 && crate::ir::ops::view::extent(last).is_none_or(|extent| k as u64 <= extent);
    ensure(fits, || format!("top_k takes {k} of {}", crate::ir::ops::view::show_dim(last)))?;
    let mut shape = operand.shape.clone();
    let last = shape.len() - 1;
    shape[last] = dim_of(Some(k as u64));
    let indices = view.result_tensor(1).map_or(ElementType::I32, |tensor| tensor.element.clone());
    Ok(vec![tensor(shape.iter().cloned(), &operand.element), tensor(shape.iter().cloned(), &indices)])
}

/// Outputs along the dimension, then carries; the body takes slices and carries and gives outputs and carries.
pub fn scan(view: &View) -> Result<(), String> {
    let (inputs, inits) = (view.group_tensors("inputs")?, view.group_tensors("inits")?);
    let first = inputs.first().ok_or("scan takes at least one input")?;
    let at = super::position("dimension", view.int("dimension")?, first.rank())?;
    let slice = |input: &TensorType| {
        let kept = input.shape.iter().enumerate().filter(|(d, _)| *d != at).map(|(_, dim)| dim.clone());
        tensor(kept, &input.element)
    };
    for input in &inputs {
        ensure(input.rank() > at && crate::ir::ops::view::dims_compatible(&input.shape[at], &first.shape[at]), || {
            format!("scan along dimension {at} has {} and {}", show_shape(&first.shape), show_shape(&input.shape))
        })?;
    }
    let slices: Vec<Type> = inputs.iter().map(|input| slice(input)).collect();
    let carries: Vec<Type> = inits.iter().map(|init| Type::from((*init).clone())).collect();
    body(view, 0, &slices.iter().chain(&carries).collect::<Vec<_>>(), None)?;
    let given = view.region_results(0).ok_or("the body of scan has no terminator")?;
    ensure(given.len() == view.results.len() && given.len() >= carries.len(), || {
        format!("the body of scan gives {} values for {} results", given.len(), view.results.len())
    })?;
    let outputs = given.len() - carries.len();
    for (index, own) in given.iter().enumerate() {
        let result = view.result_tensor(index)?;
        let wanted = if index < outputs {
            ensure(result.rank() > at, || format!("scan along dimension {at} gives {}", show_shape(&result.shape)))?;
            slice(result)
        } else {
            Type::from(result.clone())
        };
        ensure(types_compatible(own, &wanted), || {
            format!("the body of scan gives {} as value {index}, but should give {}", show(own), show(&wanted))
        })?;
    }
    Ok(())
}
