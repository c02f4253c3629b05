//! `pyg.attention`: shapes by role. `pyg.kv`: sizes of arenas, and who names them.

use pygraph_artifact::{dtype::DType, plan::Spread};

use super::{ensure, position, positions};
use crate::ir::{
    Attribute, Dim, ElementType, Opcode, TensorType, Type,
    ops::view::{View, dims_compatible, show_dim, show_element, show_shape},
};

/// The number of dimensions of queries, keys, values and the result.
const RANK: usize = 4;

/// Every role has its dimension, the same everywhere, and what is optional repeats or fits.
pub fn attention(view: &View) -> Result<(), String> {
    let roles = |name, tensor| roles::<RANK>(view, name, tensor);
    let [batch, queries, heads, feature] = roles("q_dims", view.tensor(0)?)?;
    let (keys, values) = match view.group("layer").is_empty() {
        true => (roles("k_dims", view.tensor(1)?)?, roles("v_dims", view.tensor(2)?)?),
        false => {
            let [keys @ .., of_keys] = self::roles::<{ RANK + 1 }>(view, "k_dims", view.tensor(1)?)?;
            let [values @ .., of_values] = self::roles::<{ RANK + 1 }>(view, "v_dims", view.tensor(2)?)?;
            let fits = dims_compatible(of_keys, of_values) && *of_keys != Dim::Static(0);
            ensure(fits, || {
                format!("layers of keys and values are {} and {}", show_dim(of_keys), show_dim(of_values))
            })?;
            (keys, values)
        }
    };
    let [key_batch, tokens, groups, key_feature] = keys;
    let [value_batch, value_tokens, value_groups, value_feature] = values;
    let output = roles("output_dims", view.result_tensor(0)?)?;
    for name in ["key_type", "value_type", "score_type", "logit_type", "softmax_type", "probability_type"] {
        let is_float = matches!(view.attr(name), Some(Attribute::Type(Type::Scalar(element))) if is_computed(element));
        ensure(is_float, || format!("`{name}` should be f32, f16 or bf16"))?;
    }
    let floats = view.tensors()?.into_iter().take(3).chain(view.group_tensors("bias")?).chain([view.result_tensor(0)?]);
    let other = floats.map(|tensor| &tensor.element).find(|element| !is_computed(element));
    ensure(other.is_none(), || {
        format!("attention computes on f32, f16 and bf16, not {}", other.map(show_element).unwrap_or_default())
    })?;
    let same = |what: &str, a: &Dim, b: &Dim| {
        ensure(dims_compatible(a, b), || format!("{what} are {} and {}", show_dim(a), show_dim(b)))
    };
    same("batches of queries and keys", batch, key_batch)?;
    same("features of queries and keys", feature, key_feature)?;
    same("batches of keys and values", key_batch, value_batch)?;
    same("tokens of keys and values", tokens, value_tokens)?;
    same("heads of keys and values", groups, value_groups)?;
    let wanted = [batch, queries, heads, value_feature];
    for (what, (own, of)) in ["batches", "tokens", "heads", "features"].into_iter().zip(output.into_iter().zip(wanted))
    {
        same(&format!("{what} of the result and of what it comes from"), own, of)?;
    }
    if let (Dim::Static(heads), Dim::Static(groups)) = (heads, groups) {
        ensure(*groups > 0 && heads % groups == 0, || format!("{heads} heads do not share {groups}"))?;
    }
    let repeats = |name: &str, dims: &[&Dim]| {
        for tensor in view.group_tensors(name)? {
            let fits = |(own, of): (&Dim, &&Dim)| *own == Dim::Static(1) || dims_compatible(own, of);
            ensure(tensor.rank() == dims.len() && tensor.shape.iter().zip(dims).all(fits), || {
                let wanted: Vec<Dim> = dims.iter().map(|dim| (*dim).clone()).collect();
                format!("the {name} is {}, which does not go with {}", show_shape(&tensor.shape), show_shape(&wanted))
            })?;
        }
        ensure(view.group(name).len() <= 1, || format!("there are {} of {name}", view.group(name).len()))
    };
    positive_window(view)?;
    ensure(
        !view.flag("skips_below") || (view.attr("window").is_some() && !view.group("positions").is_empty()),
        || "`skips_below` goes with `window` and positions".to_string(),
    )?;
    repeats("mask", &[batch, heads, queries, tokens])?;
    repeats("bias", &[batch, heads, queries, tokens])?;
    repeats("positions", &[batch, queries])?;
    repeats("length", &[batch])?;
    repeats("layer", &[])
}

/// True for the element types that attention computes on.
fn is_computed(element: &ElementType) -> bool {
    matches!(element.dtype(), Some(DType::F32 | DType::F16 | DType::Bf16))
}

/// A window shows at least one key.
fn positive_window(view: &View) -> Result<(), String> {
    let window = view.attr("window").and_then(Attribute::as_i64);
    ensure(window.is_none_or(|window| window > 0), || {
        format!("`window` is {}, but should be positive", window.unwrap_or(0))
    })
}

/// Sizes that go together.
pub fn arena(view: &View) -> Result<(), String> {
    positive_window(view)?;
    for name in ["slots", "tokens_max", "layers", "heads", "token_bytes", "handle_bytes"] {
        let value = view.int(name)?;
        ensure(value > 0, || format!("`{name}` is {value}, but should be positive"))?;
    }
    let features = view.ints("features")?;
    ensure((1..=2).contains(&features.len()) && features.iter().all(|extent| *extent > 0), || {
        format!("`features` is {features:?}, but should be those of a key, of a value, or of both")
    })?;
    let Some(Attribute::Type(Type::Scalar(element))) = view.attr("element") else {
        return Err("`element` should be an element type".to_string());
    };
    let dtype = element.dtype().ok_or_else(|| format!("no device stores {}", show_element(element)))?;
    let features = features.iter().map(|extent| i128::from(*extent)).sum::<i128>();
    let row = features * i128::from(view.int("heads")?) * dtype.size_bytes() as i128;
    let wanted = row.saturating_mul(i128::from(view.int("layers")?));
    let given = view.int("token_bytes")?;
    ensure(wanted == i128::from(given), || format!("`token_bytes` is {given}, but a token of all layers has {wanted}"))
}

/// The arena is one; the source has one position, or one for each slot or token; there are as many offsets for each slot.
pub fn rows(view: &View) -> Result<(), String> {
    positive_window(view)?;
    let Some(Attribute::Symbol(path)) = view.attr("arena") else { return Err("`arena` is missing".to_string()) };
    let name = path.join("::@");
    let arena = view.module.symbol(&name).filter(|op| view.module.op(*op).opcode == Opcode::PygKvArena);
    let arena = arena.ok_or_else(|| format!("@{name} is no arena"))?;
    let slots = view.module.op(arena).attr("slots").and_then(Attribute::as_i64).unwrap_or(0).unsigned_abs();
    let count = view.ints("offsets")?.len() as u64;
    ensure(count > 0 && slots > 0 && count.is_multiple_of(slots), || {
        format!("{count} offsets are not as many for each of the {slots} slots of @{name}")
    })?;
    let spelling = view.attr("spread").and_then(Attribute::as_str).unwrap_or_default();
    let spread = Spread::ALL.iter().find(|(known, _)| *known == spelling).map(|(_, spread)| *spread);
    let wanted = match spread.ok_or_else(|| format!("`spread` is `{spelling}`, which is none of one, slots, tokens"))? {
        Spread::One => 1,
        Spread::Slots => slots,
        Spread::Tokens => count / slots,
    };
    ensure(view.operands.len() <= 1, || "positions come from one source".to_string())?;
    let Some(source) = view.tensors()?.into_iter().next() else { return Ok(()) };
    ensure(source.element.dtype().is_some(), || format!("no device stores {}", show_element(&source.element)))?;
    ensure(source.element_count() == Some(wanted), || {
        format!("positions are {}, but should be {wanted}", show_shape(&source.shape))
    })
}

/// Extents of batch, token, head and feature, and of layer where that is a role.
fn roles<'t, const N: usize>(view: &View, name: &str, tensor: &'t TensorType) -> Result<[&'t Dim; N], String> {
    let dims = view.ints(name)?;
    ensure(dims.len() == N && tensor.rank() == N, || {
        format!("`{name}` names {} of {} dimensions, but should name {N} of {N}", dims.len(), tensor.rank())
    })?;
    positions(name, dims, tensor.rank())?;
    let mut roles = [&tensor.shape[0]; N];
    for (role, dim) in roles.iter_mut().zip(dims) {
        *role = &tensor.shape[position(name, *dim, tensor.rank())?];
    }
    Ok(roles)
}
