//! Kernel level: loop nests, named kernels, views, control flow.

use pygraph_artifact::{deployment::Deployment, dtype::DType, scalar::ScalarBody};
use pygraph_kernels::manifest::CallType;

use super::{Types, ensure, reduce::body};
use crate::{
    emit::launch::attribute_of,
    ir::{
        Attribute, ElementType, Opcode, RegionId, TensorType, Type, ValueId,
        attribute::AffineMap,
        ops::view::{View, show, show_shape, show_tensor, types_compatible},
    },
    lower::{
        body::{body_of, scalar_dtype},
        literal::attribute_bits,
    },
};

/// The type that a device stores, or that there is none.
fn device_type(ty: &TensorType) -> Result<(DType, Vec<u64>), String> {
    let dtype = ty.element.dtype().ok_or_else(|| format!("{} does not run yet", show_tensor(ty)))?;
    let shape = ty.static_shape().ok_or_else(|| format!("{} has a shape that is not known yet", show_tensor(ty)))?;
    Ok((dtype, shape))
}

/// The same bytes: equal sizes.
pub fn view(view: &View) -> Result<(), String> {
    let (from, to) = (view.tensor(0)?, view.result_tensor(0)?);
    let size = |ty: &TensorType| {
        let (dtype, shape) = device_type(ty)?;
        Ok::<u128, String>(
            shape.iter().map(|extent| u128::from(*extent)).fold(dtype.size_bytes() as u128, u128::saturating_mul),
        )
    };
    let (own, wanted) = (size(from)?, size(to)?);
    ensure(own == wanted, || {
        format!("view of {} ({own} bytes) as {} ({wanted} bytes)", show_tensor(from), show_tensor(to))
    })
}

/// One result for each init, of its type; every access in bounds; bodies that fit the element types.
pub fn nest(view: &View) -> Types {
    let extents = view.ints("extents")?;
    ensure(extents.iter().all(|extent| *extent >= 0), || format!("`extents` are {extents:?}"))?;
    let count = view.operands.len();
    let inputs = usize::try_from(view.int("input_count")?).ok().filter(|inputs| *inputs <= count);
    let inputs = inputs.ok_or_else(|| format!("`input_count` should be at most the {count} operands"))?;
    let reduced = usize::try_from(view.int("reduction_dims")?).ok().filter(|reduced| *reduced <= extents.len());
    let reduced = reduced.ok_or_else(|| format!("`reduction_dims` should be at most {}", extents.len()))?;
    ensure((reduced > 0) == (view.regions.len() == 2) || view.regions.len() == 2, || {
        format!("nest folds {reduced} dimensions, but has {} regions", view.regions.len())
    })?;
    let Some(Attribute::Array(maps)) = view.attr("maps") else { return Err("`maps` is missing".to_string()) };
    ensure(maps.len() == count, || format!("nest has {} maps for {count} operands", maps.len()))?;
    let mut scalars = Vec::with_capacity(count);
    for (index, map) in maps.iter().enumerate() {
        let Attribute::AffineMap(map) = map else { continue };
        let tensor = view.tensor(index)?;
        let (dtype, shape) = device_type(tensor)?;
        in_bounds(index, map, extents, &shape)?;
        let folded = extents.len() - reduced..extents.len();
        let moves = |d: usize| map.results.iter().any(|result| result.coefficients[d] != 0);
        ensure(index < inputs || !folded.clone().any(moves), || {
            format!("the map of operand {index}, which is written, depends on a folded dimension")
        })?;
        scalars.push(Type::Scalar(ElementType::of(dtype)));
    }
    let (read, written) = scalars.split_at(inputs);
    let (read, written): (Vec<&Type>, Vec<&Type>) = (read.iter().collect(), written.iter().collect());
    body(view, 0, &read, Some(&written))?;
    if view.regions.len() == 2 {
        let both: Vec<&Type> = written.iter().chain(&written).copied().collect();
        body(view, 1, &both, Some(&written))?;
    }
    Ok(view.operands[inputs..].iter().map(|value| view.module.ty(*value).clone()).collect())
}

/// Every index that the map computes is an index of the shape.
fn in_bounds(operand: usize, map: &AffineMap, extents: &[i64], shape: &[u64]) -> Result<(), String> {
    ensure(map.dim_count == extents.len(), || {
        format!("the map of operand {operand} takes {} dimensions of {}", map.dim_count, extents.len())
    })?;
    ensure(map.results.len() == shape.len(), || {
        format!("the map of operand {operand} gives {} positions for {} dimensions", map.results.len(), shape.len())
    })?;
    for (d, (result, own)) in map.results.iter().zip(shape).enumerate() {
        ensure(result.coefficients.len() == extents.len(), || {
            format!("the map of operand {operand} has {} coefficients", result.coefficients.len())
        })?;
        if extents.contains(&0) {
            continue;
        }
        let (mut least, mut most) = (i128::from(result.constant), i128::from(result.constant));
        for (coefficient, extent) in result.coefficients.iter().zip(extents) {
            let reach = i128::from(*coefficient) * i128::from(extent - 1);
            least = least.saturating_add(reach.min(0));
            most = most.saturating_add(reach.max(0));
        }
        ensure(least >= 0 && most < i128::from(*own), || {
            format!(
                "nest reads or writes {least} to {most} of dimension {d} of operand {operand}, which has extent {own}"
            )
        })?;
    }
    Ok(())
}

/// The kernel is one of the manifest, its attributes are of their kinds, and its own check passes.
pub fn kernel(view: &View) -> Result<(), String> {
    let name = view.attr("kernel").and_then(Attribute::as_str).ok_or("`kernel` is missing")?;
    let kernel = pygraph_kernels::manifest::find(name).ok_or_else(|| format!("no kernel is named `{name}`"))?;
    ensure(kernel.body_count == view.regions.len(), || {
        format!("kernel `{name}` takes {} bodies, but has {}", kernel.body_count, view.regions.len())
    })?;
    let Some(Attribute::Dictionary(attributes)) = view.attr("attributes") else {
        return Err("`attributes` is missing".to_string());
    };
    for wanted in kernel.attributes {
        let own = attributes.get(wanted.name).ok_or_else(|| format!("kernel `{name}` needs `{}`", wanted.name))?;
        ensure(kernel_attribute_fits(wanted.kind, own), || {
            format!("`{}` of kernel `{name}` should be of kind {:?}", wanted.name, wanted.kind)
        })?;
    }
    let unknown = attributes.iter().find(|(own, _)| !kernel.attributes.iter().any(|wanted| wanted.name == &***own));
    ensure(unknown.is_none(), || format!("kernel `{name}` has no attribute `{}`", unknown.map_or("", |(own, _)| own)))?;
    let types = |values: &[ValueId]| {
        let device = |value: &ValueId| {
            let ty = view.module.ty(*value);
            device_type(ty.as_tensor().ok_or_else(|| format!("kernel `{name}` has a {}", show(ty)))?)
        };
        values.iter().map(device).collect::<Result<Vec<(DType, Vec<u64>)>, String>>()
    };
    let (inputs, outputs) = (types(view.operands)?, types(view.results)?);
    let values = attributes.iter().filter_map(|(name, value)| Some((name.to_string(), attribute_of(value)?)));
    let Some(bodies) = scalar_bodies(view)? else { return Ok(()) };
    let call = CallType {
        inputs: &inputs.iter().map(tensor_type).collect::<Vec<_>>(),
        outputs: &outputs.iter().map(tensor_type).collect::<Vec<_>>(),
        attributes: &values.collect::<Vec<_>>(),
        bodies: &bodies,
        in_place: &[],
    };
    (kernel.check)(&call).map_err(|reason| format!("kernel `{name}`: {reason}"))
}

fn tensor_type((dtype, shape): &(DType, Vec<u64>)) -> pygraph_kernels::tensor::TensorType<'_> {
    pygraph_kernels::tensor::TensorType::dense(*dtype, shape)
}

/// The bodies of a launch that work on scalars of a device; none where an operation in one is wrong, which is said of it.
fn scalar_bodies(view: &View) -> Result<Option<Vec<ScalarBody>>, String> {
    for index in 0..view.regions.len() {
        let foreign = view.region_arguments(index).into_iter().find(|ty| scalar_dtype(ty).is_none());
        ensure(foreign.is_none(), || {
            let foreign = foreign.map(show).unwrap_or_default();
            format!("body {index} of the launch takes {foreign}, which is no scalar that a device has")
        })?;
    }
    let body = |(index, region): (usize, &RegionId)| body_of(view.module, view.module.region(*region).parent()?, index);
    let Some(bodies) = view.regions.iter().enumerate().map(body).collect::<Option<Vec<ScalarBody>>>() else {
        return Ok(None);
    };
    let wrong = bodies.iter().position(|body| body.output_types().is_none());
    ensure(wrong.is_none(), || format!("body {} of the launch is not well formed", wrong.unwrap_or(0)))?;
    Ok(Some(bodies))
}

fn kernel_attribute_fits(kind: pygraph_kernels::manifest::AttrKind, own: &Attribute) -> bool {
    use pygraph_kernels::manifest::AttrKind;
    match kind {
        AttrKind::Bool => matches!(own, Attribute::Bool(_)),
        AttrKind::Int => own.as_i64().is_some(),
        AttrKind::Ints => own.as_i64_slice().is_some(),
        AttrKind::Float => matches!(own, Attribute::Float { .. }),
        AttrKind::Text => matches!(own, Attribute::String(_)),
    }
}

/// A constant that a device can hold.
pub fn constant(view: &View) -> Types {
    let types = super::misc::constant(view)?;
    if let Some(Type::Tensor(tensor)) = types.first() {
        device_type(tensor)?;
    }
    Ok(types)
}

/// A tensor that a device can hold.
pub fn empty(view: &View) -> Result<(), String> {
    device_type(view.result_tensor(0)?).map(|_| ())
}

/// An operation of the scalar language on scalars of device types.
pub fn scalar(view: &View) -> Result<(), String> {
    let Opcode::Scalar(op) = view.opcode else { return Ok(()) };
    let dtype = |ty: &Type| match ty {
        Type::Scalar(element) => element.dtype().ok_or_else(|| format!("{} does not run yet", show(ty))),
        other => Err(format!("scalar operations take scalars, but one is {}", show(other))),
    };
    let operands: Vec<DType> =
        view.operands.iter().map(|value| dtype(view.module.ty(*value))).collect::<Result<_, _>>()?;
    let result = dtype(view.result(0)?)?;
    ensure(op.accepts(&operands, result), || {
        let operands: Vec<&str> = operands.iter().map(|dtype| dtype.name()).collect();
        format!("scalar.{} has no meaning from ({}) to {result}", op.name(), operands.join(", "))
    })?;
    if op.immediate_count() > 0 {
        super::one_each("immediates", view.ints("immediates")?, op.immediate_count())?;
    }
    Ok(())
}

/// The types that follow from the scalar language's own table; conversions leave them open.
pub fn scalar_result(view: &View) -> Types {
    use pygraph_artifact::scalar::Signature;
    let Opcode::Scalar(op) = view.opcode else { return Err("not a scalar operation".to_string()) };
    let element = |index: usize| match view.ty(index)? {
        Type::Scalar(element) => Ok(element.clone()),
        other => Err(format!("scalar operations take scalars, but one is {}", show(other))),
    };
    let last = view.operands.len().checked_sub(1).ok_or("operand 0 is missing")?;
    let part = |element: ElementType| match element {
        ElementType::Complex(kind) => ElementType::Float(kind),
        other => other,
    };
    let result = match (op.signature(), view.result(0)) {
        (Signature::Convert | Signature::Bitcast, Ok(Type::Scalar(own))) => own.clone(),
        (Signature::Convert | Signature::Bitcast, _) => return Err("the result type must be given".to_string()),
        (Signature::Same | Signature::Select, _) => element(last)?,
        (Signature::Predicate, _) => ElementType::BOOL,
        (Signature::Magnitude | Signature::Part, _) => part(element(0)?),
        (Signature::Combine, _) => match element(0)? {
            ElementType::Float(kind) => ElementType::Complex(kind),
            other => other,
        },
    };
    Ok(vec![Type::Scalar(result)])
}

/// The literal's type, which a device has.
pub fn scalar_constant(view: &View) -> Types {
    let types = super::misc::constant(view)?;
    let ty = match types.first() {
        Some(ty @ Type::Scalar(_)) => ty.clone(),
        // A complex literal has no spelling of its own but a dense one of no dimensions.
        Some(Type::Tensor(tensor)) if tensor.rank() == 0 => Type::Scalar(tensor.element.clone()),
        _ => return Err("scalar.constant takes one number".to_string()),
    };
    let dtype = scalar_dtype(&ty).ok_or_else(|| format!("{} does not run yet", show(&ty)))?;
    let bits = view.attr("value").and_then(|value| attribute_bits(value, dtype));
    ensure(bits.is_some(), || format!("`value` is no number of type {dtype}"))?;
    Ok(vec![ty])
}

/// Always `i64`.
pub fn scalar_index(view: &View) -> Types {
    let dimension = view.int("dimension")?;
    ensure(dimension >= 0, || format!("`dimension` is {dimension}"))?;
    Ok(vec![Type::Scalar(ElementType::I64)])
}

/// The region's values are the results'; the form is one of those there are.
pub fn segment(view: &View) -> Result<(), String> {
    if let Some(form) = view.attr("deploy").and_then(Attribute::as_str) {
        ensure(Deployment::from_name(form).is_some(), || {
            let known: Vec<&str> = Deployment::ALL.iter().map(|form| form.name()).collect();
            format!("`deploy` is `{form}`, which is none of {}", known.join(", "))
        })?;
    }
    super::block::changes_come_from_block(view)?;
    let Some(given) = view.region_results(0) else { return Ok(()) };
    let own: Vec<&Type> = view.results.iter().map(|value| view.module.ty(*value)).collect();
    let fit = own.len() == given.len() && own.iter().zip(&given).all(|(a, b)| types_compatible(a, b));
    ensure(fit, || format!("the segment gives {} values for {} results", given.len(), own.len()))
}

/// A tensor of one element.
pub fn one_element(view: &View, what: &str) -> Result<(), String> {
    let tensor = view.tensor(0)?;
    ensure(tensor.element_count() == Some(1), || {
        format!("{what} should be one element, but is {}", show_shape(&tensor.shape))
    })
}

/// What the first branch gives, chosen by one integer.
pub fn switch(view: &View) -> Types {
    one_element(view, "the index")?;
    device_type(view.tensor(0)?)?;
    super::control::branches(view)
}
