//! `attention`: products of queries with keys, a softmax along the keys, and the values' sum weighted by it.
//!
//! Inputs: queries, keys, values, then those of mask, bias, positions, length and layer that `optional` names. With `H` heads of
//! queries on `G` of keys, `H / G` neighbouring heads share one; `heads` and `batches` say where
//! what is read begins in each input, which may have others: one array can have queries, keys and values side by side, or one behind the other. With `layer` keys and values have a fifth dimension, of which that
//! layer is read (clamped, as a slice would be). Per head and query, each step rounded to its type:
//!
//! 1. keys and values to `key_type` and `value_type`, keys times `key_scale`; products accumulate in f32 (`score_type`);
//! 2. in `logit_type`: times `scale`, divided by `divisor`, plus the bias, then masked. A key `s` is visible where the
//!    mask holds and `s <= position + diagonal`, by less than `window` if that is not 0; elsewhere its logit is `fill`, or
//!    has `fill` added (`mask_adds`);
//! 3. in `softmax_type`: minus the largest, exponential, divided by the sum, which accumulates in f64; with `safe`, zeros
//!    where every logit is minus infinity;
//! 4. in `probability_type`: times the values, accumulated in f32 in order of keys, rounded to the output's type.
//!
//! Rows of keys and values from `length` on are not read and count as probability zero. So do, with `skips_below`, rows below the windows of
//! all queries of a row of the batch, if each of these queries has a last key: `0 <= position + diagonal < tokens`. Elsewhere a query
//! may see no key at all, and then all rows count.

use std::ops::Range;

use half::{bf16, f16};
use pygraph_artifact::{dtype::DType, plan::KernelAttr};
use rayon::prelude::*;

use super::{
    call::{boolean, check_dimensions, check_index_type, check_type, dimensions, elements, float, index_values, int},
    call::{int_attr, ints, ints_attr, text},
    layout::strides,
};
use crate::{
    manifest::{AttrDef, AttrKind, Call, CallType, InPlace, KernelDef, KernelError},
    scalar::real::{Arith, Real},
    tensor::{TensorMut, TensorRef, TensorType},
};

const fn attr(name: &'static str, kind: AttrKind, doc: &'static str) -> AttrDef {
    AttrDef { name, kind, doc }
}

/// The definition.
pub static KERNEL: KernelDef = KernelDef {
    name: "attention",
    summary: "Weighs values by a softmax of products of queries and keys; rows from a length on are not read",
    attributes: &[
        ints_attr("batches", "how many batches there are; the first that is read of queries, of keys, of values"),
        int_attr("diagonal", "a key is visible up to its query's position plus this"),
        attr("divisor", AttrKind::Float, "what products are divided by"),
        attr("fill", AttrKind::Float, "the logit of a key that is not visible, or what is added to it"),
        ints_attr(
            "heads",
            "how many heads queries have, and keys; the first that is read of queries, of keys, of values",
        ),
        ints_attr(
            "k_dims",
            "which dimensions of the keys are batch, token, head and feature, and layer if there is one",
        ),
        attr("key_scale", AttrKind::Float, "what keys are multiplied by"),
        attr("key_type", AttrKind::Text, "what keys are rounded to first"),
        attr("logit_type", AttrKind::Text, "what scaled and masked products are rounded to"),
        attr("mask_adds", AttrKind::Bool, "whether `fill` is added to a hidden logit or replaces it"),
        ints_attr(
            "optional",
            "1 or 0 for each of mask, bias, positions, length, layer: whether there is such an input",
        ),
        ints_attr("output_dims", "which dimensions of the output are batch, token, head and feature"),
        attr("probability_type", AttrKind::Text, "what the softmax is rounded to last"),
        ints_attr("q_dims", "which dimensions of the queries are batch, token, head and feature"),
        attr("safe", AttrKind::Bool, "whether queries whose logits are all minus infinity get zeros"),
        attr("scale", AttrKind::Float, "what products are multiplied by"),
        attr("score_type", AttrKind::Text, "what products are rounded to first"),
        attr("skips_below", AttrKind::Bool, "whether rows below the windows of all queries are not read"),
        attr("softmax_type", AttrKind::Text, "what the steps of the softmax are rounded to"),
        ints_attr(
            "v_dims",
            "which dimensions of the values are batch, token, head and feature, and layer if there is one",
        ),
        attr("value_type", AttrKind::Text, "what values are rounded to first"),
        int_attr("window", "how many keys are visible up to there; 0 is all"),
    ],
    body_count: 0,
    in_place: InPlace::Never,
    strided: &[1, 2],
    takes_stages: false,
    check,
    reference,
    cuda: super::attention_cuda::CUDA,
};

/// The optional inputs, in order.
const OPTIONAL: [&str; 5] = ["mask", "bias", "positions", "length", "layer"];

/// What is read of queries, keys and values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reads {
    pub(super) batches: u64,
    /// Heads of queries, and of keys and values.
    pub(super) heads: u64,
    pub(super) groups: u64,
    /// The first batch and head of each.
    pub(super) first: [[u64; 2]; 3],
}

impl Reads {
    pub(super) fn of(attributes: &[(String, KernelAttr)]) -> Result<Reads, String> {
        let list = |name| -> Option<Vec<u64>> {
            ints(attributes, name).iter().map(|number| u64::try_from(*number).ok()).collect()
        };
        let (heads, batches) = (list("heads"), list("batches"));
        match (heads.as_deref(), batches.as_deref()) {
            (Some(&[heads, groups, q, k, v]), Some(&[batches, of_q, of_k, of_v])) => {
                Ok(Reads { batches, heads, groups, first: [[of_q, q], [of_k, k], [of_v, v]] })
            }
            _ => Err(format!(
                "heads and batches are {:?} and {:?}, not two numbers and three first heads, and one number and three first batches",
                ints(attributes, "heads"),
                ints(attributes, "batches")
            )),
        }
    }
}

/// Which number each optional input has, where it is there.
pub(super) fn optional(attributes: &[(String, KernelAttr)]) -> Result<[Option<usize>; OPTIONAL.len()], String> {
    let flags = ints(attributes, "optional");
    if flags.len() != OPTIONAL.len() || flags.iter().any(|flag| !matches!(flag, 0 | 1)) {
        return Err(format!("optional is {flags:?}, not a 0 or 1 for each of {}", OPTIONAL.join(", ")));
    }
    let mut next = 3;
    let mut numbers = [None; OPTIONAL.len()];
    for (number, flag) in numbers.iter_mut().zip(flags) {
        if *flag == 1 {
            *number = Some(next);
            next += 1;
        }
    }
    Ok(numbers)
}

fn check(call: &CallType<'_>) -> Result<(), String> {
    let window = int(call.attributes, "window");
    if window < 0 {
        return Err(format!("window is {window}, not at least 0"));
    }
    let optional = optional(call.attributes)?;
    if boolean(call.attributes, "skips_below") && (window == 0 || optional[2].is_none()) {
        return Err("skips_below goes with a window and positions".to_string());
    }
    super::call::check_counts(call, 3 + optional.iter().flatten().count(), 1)?;
    for name in ["key_type", "value_type", "score_type", "logit_type", "softmax_type", "probability_type"] {
        let given = text(call.attributes, name);
        given
            .parse::<DType>()
            .ok()
            .filter(is_float)
            .ok_or_else(|| format!("{name} is `{given}`, not f32, f16 or bf16"))?;
    }
    let reads = Reads::of(call.attributes)?;
    let roles = |name: &str, ty: TensorType<'_>| {
        if !is_float(&ty.dtype) {
            return Err(format!("{name} belongs to {}, not f32, f16 or bf16", ty.dtype));
        }
        let of = check_dimensions(call.attributes, name, ty.shape.len())?;
        let rank = if optional[4].is_some() && matches!(name, "k_dims" | "v_dims") { 5 } else { 4 };
        match of[..] {
            [batch, token, head, feature, ..] if of.len() == rank && ty.shape.len() == rank => {
                Ok([ty.shape[batch], ty.shape[token], ty.shape[head], ty.shape[feature]])
            }
            _ => Err(format!("{name} names {} of the {rank} dimensions of {:?}", of.len(), ty.shape)),
        }
    };
    let of_q = roles("q_dims", call.inputs[0])?;
    let of_k = roles("k_dims", call.inputs[1])?;
    let of_v = roles("v_dims", call.inputs[2])?;
    let output = roles("output_dims", call.outputs[0])?;
    let counts = [reads.heads, reads.groups, reads.groups];
    for (idx, (name, [batches, _, heads, _])) in
        [("queries", of_q), ("keys", of_k), ("values", of_v)].into_iter().enumerate()
    {
        let [first_batch, first_head] = reads.first[idx];
        for (what, all, first, count) in
            [("batches", batches, first_batch, reads.batches), ("heads", heads, first_head, counts[idx])]
        {
            if first.checked_add(count).is_none_or(|end| end > all) {
                return Err(format!("{name} have {all} {what}, not {count} from {first} on"));
            }
        }
    }
    let (batch, heads, groups) = (reads.batches, reads.heads, reads.groups);
    let ([_, queries, _, feature], [_, tokens, _, key_feature], [_, value_tokens, _, value_feature]) =
        (of_q, of_k, of_v);
    if key_feature != feature {
        return Err(format!("queries have {feature} features, keys {key_feature}"));
    }
    if value_tokens != tokens {
        return Err(format!("there are {tokens} keys and {value_tokens} values"));
    }
    if output != [batch, queries, heads, value_feature] {
        return Err(format!("the output is {output:?}, not {:?}", [batch, queries, heads, value_feature]));
    }
    if groups == 0 || !heads.is_multiple_of(groups) {
        return Err(format!("{heads} heads do not share {groups}"));
    }
    if optional[4].is_some() {
        let layers = ["k_dims", "v_dims"].map(|name| dimensions(call.attributes, name)[4]);
        let [of_keys, of_values] = [call.inputs[1].shape[layers[0]], call.inputs[2].shape[layers[1]]];
        if of_keys != of_values || of_keys == 0 {
            return Err(format!("keys are of {of_keys} layers, values of {of_values}"));
        }
    }
    for (number, name) in optional.into_iter().zip(OPTIONAL) {
        let Some(ty) = number.map(|number| call.inputs[number]) else { continue };
        let full = [batch, heads, queries, tokens];
        let wanted: &[u64] = match name {
            "positions" => &[batch, queries],
            "length" => &[batch],
            "layer" => &[],
            _ => &full,
        };
        let fits =
            ty.shape.len() == wanted.len() && ty.shape.iter().zip(wanted).all(|(own, of)| own == of || *own == 1);
        if !fits {
            return Err(format!("the {name} is {:?}, which does not go with {wanted:?}", ty.shape));
        }
        match name {
            "mask" => check_type("the mask", ty, DType::I1, ty.shape)?,
            "bias" if !is_float(&ty.dtype) => return Err(format!("the bias holds {}, not f32, f16 or bf16", ty.dtype)),
            "bias" => {}
            _ => check_index_type(&format!("the {name}"), ty.dtype)?,
        }
    }
    Ok(())
}

fn is_float(dtype: &DType) -> bool {
    matches!(dtype, DType::F32 | DType::F16 | DType::Bf16)
}

/// The nearest value of a type, wide.
fn round(dtype: DType, value: f32) -> f32 {
    match dtype {
        DType::F16 => <f16 as Real>::down(value).up(),
        DType::Bf16 => <bf16 as Real>::down(value).up(),
        _ => value,
    }
}

/// Where the elements of an array lie.
#[derive(Clone, Copy)]
struct Layout {
    /// Of batch, token, head and feature.
    strides: [usize; 4],
    /// The first element: of the layer, where there are several, the first batch and the first head.
    first: usize,
}

impl Layout {
    fn new(call: &Call<'_>, name: &str, ty: TensorType<'_>, [batch, head]: [u64; 2]) -> Layout {
        let (of, strides) = (dimensions(call.attributes, name), ty.strides());
        let layer = of.get(4).map_or(0, |dimension| strides[*dimension] * layer_of(call, ty.shape[*dimension]));
        let first = layer + strides[of[0]] * batch as usize + strides[of[2]] * head as usize;
        Layout { strides: [0, 1, 2, 3].map(|role| strides[of[role]]), first }
    }

    fn at(&self, batch: usize, token: usize, head: usize) -> usize {
        self.first + batch * self.strides[0] + token * self.strides[1] + head * self.strides[2]
    }

    /// One row, widened.
    fn load(&self, tensor: &TensorRef<'_>, start: usize, out: &mut [f32]) {
        if out.is_empty() {
            return;
        }
        let stride = self.strides[3];
        macro_rules! load {
            ($t:ty) => {{
                let from = &elements::<$t>(tensor)[start..];
                out.iter_mut().enumerate().for_each(|(idx, out)| *out = from[idx * stride].up());
            }};
        }
        match tensor.ty.dtype {
            DType::F16 => load!(f16),
            DType::Bf16 => load!(bf16),
            _ => load!(f32),
        }
    }
}

/// Which of so many layers is read.
fn layer_of(call: &Call<'_>, layers: u64) -> usize {
    let numbers = optional(call.attributes).expect("attributes should be checked before they are read");
    let layer = numbers[4].map_or(0, |number| index_values(&call.inputs[number])[0]);
    layer.clamp(0, layers as i64 - 1) as usize
}

/// Strides of an array that repeats along its dimensions of extent 1.
pub(super) fn repeating<const N: usize>(shape: &[u64]) -> [usize; N] {
    let strides = strides(shape);
    std::array::from_fn(|dimension| if shape[dimension] == 1 { 0 } else { strides[dimension] })
}

/// Everything that a call says, ready to be read often.
struct Problem<'a> {
    q: (&'a TensorRef<'a>, Layout),
    k: (&'a TensorRef<'a>, Layout),
    v: (&'a TensorRef<'a>, Layout),
    heads_per_group: usize,
    groups: usize,
    queries: usize,
    tokens: usize,
    features: [usize; 2],
    mask: Option<(&'a [u8], [usize; 4])>,
    bias: Option<(Vec<f32>, [usize; 4])>,
    positions: Option<(Vec<i64>, [usize; 2])>,
    lengths: Option<Vec<i64>>,
    diagonal: i64,
    window: i64,
    skips_below: bool,
    key_scale: f32,
    scale: f32,
    divisor: f32,
    fill: f32,
    mask_adds: bool,
    safe: bool,
    key_type: DType,
    value_type: DType,
    score_type: DType,
    logit_type: DType,
    softmax_type: DType,
    probability_type: DType,
}

impl<'a> Problem<'a> {
    fn new(call: &'a Call<'a>) -> Problem<'a> {
        let [q, k, v] = [0, 1, 2].map(|idx| &call.inputs[idx]);
        let reads = Reads::of(call.attributes).expect("attributes should be checked before they are read");
        let [of_q, of_k, of_v] = reads.first;
        let layouts = [("q_dims", q, of_q), ("k_dims", k, of_k), ("v_dims", v, of_v)]
            .map(|(name, of, first)| Layout::new(call, name, of.ty, first));
        let extent = |name, tensor: &TensorRef<'_>, role: usize| {
            tensor.ty.shape[dimensions(call.attributes, name)[role]] as usize
        };
        let dtype = |name| text(call.attributes, name).parse().expect("a type should be checked before it is read");
        let numbers = optional(call.attributes).expect("attributes should be checked before they are read");
        let [mask, bias, positions, length, _] = numbers.map(|number| number.map(|number| &call.inputs[number]));
        let number = |name| float(call.attributes, name) as f32;
        Problem {
            q: (q, layouts[0]),
            k: (k, layouts[1]),
            v: (v, layouts[2]),
            heads_per_group: (reads.heads / reads.groups) as usize,
            groups: reads.groups as usize,
            queries: extent("q_dims", q, 1),
            tokens: extent("k_dims", k, 1),
            features: [extent("q_dims", q, 3), extent("v_dims", v, 3)],
            mask: mask.map(|mask| (mask.bytes, repeating(mask.ty.shape))),
            bias: bias.map(|bias| (super::matrix::elements_as::<f32>(bias).into_owned(), repeating(bias.ty.shape))),
            positions: positions.map(|positions| (index_values(positions), repeating(positions.ty.shape))),
            lengths: length.map(index_values),
            diagonal: int(call.attributes, "diagonal"),
            window: int(call.attributes, "window"),
            skips_below: boolean(call.attributes, "skips_below"),
            key_scale: number("key_scale"),
            scale: number("scale"),
            divisor: number("divisor"),
            fill: number("fill"),
            mask_adds: boolean(call.attributes, "mask_adds"),
            safe: boolean(call.attributes, "safe"),
            key_type: dtype("key_type"),
            value_type: dtype("value_type"),
            score_type: dtype("score_type"),
            logit_type: dtype("logit_type"),
            softmax_type: dtype("softmax_type"),
            probability_type: dtype("probability_type"),
        }
    }

    /// The rows of keys and values that a row of the batch reads.
    fn range(&self, batch: usize) -> Range<usize> {
        let length = match &self.lengths {
            None => self.tokens,
            Some(lengths) => lengths[if lengths.len() == 1 { 0 } else { batch }].clamp(0, self.tokens as i64) as usize,
        };
        self.first(batch).min(length)..length
    }

    /// The first row that a query of a row of the batch can see.
    fn first(&self, batch: usize) -> usize {
        let of = |query: usize| self.last(batch, query).filter(|last| (0..self.tokens as i64).contains(last));
        let least = (0..self.queries).map(of).min().flatten().filter(|_| self.skips_below);
        least.map_or(0, |least| (least + 1).saturating_sub(self.window).max(0) as usize)
    }

    /// The last key that a query can see, if its position says so.
    fn last(&self, batch: usize, query: usize) -> Option<i64> {
        let (positions, [by_batch, by_query]) = self.positions.as_ref()?;
        Some(positions[batch * by_batch + query * by_query].saturating_add(self.diagonal))
    }

    /// These rows of one head of keys or values, widened and rounded.
    fn rows(&self, values: bool, batch: usize, group: usize, range: &Range<usize>) -> Vec<f32> {
        let ((tensor, layout), dtype) = if values { (self.v, self.value_type) } else { (self.k, self.key_type) };
        let width = self.features[usize::from(values)];
        let mut rows = vec![0f32; range.len() * width];
        for (token, row) in range.clone().zip(rows.chunks_exact_mut(width.max(1))) {
            layout.load(tensor, layout.at(batch, token, group), row);
            row.iter_mut().for_each(|element| *element = round(dtype, *element));
            if !values {
                row.iter_mut().for_each(|element| *element = round(dtype, *element * self.key_scale));
            }
        }
        rows
    }

    /// What one query gives, of keys and values in a range of rows.
    fn query(&self, [batch, head, query]: [usize; 3], keys: &[f32], values: &[f32], range: &Range<usize>) -> Vec<f32> {
        let [features, value_features] = self.features;
        let mut row = vec![0f32; features];
        self.q.1.load(self.q.0, self.q.1.at(batch, query, head), &mut row);
        let logit = |token: usize| {
            let key = &keys[(token - range.start) * features..][..features];
            let product = round(self.score_type, dot(&row, key));
            self.logit([batch, head, query, token], product)
        };
        let mut weights: Vec<f32> = range.clone().map(|token| round(self.softmax_type, logit(token))).collect();
        self.softmax(&mut weights);
        let mut sums = vec![0f32; value_features];
        for (weight, value) in weights.iter().zip(values.chunks_exact(value_features.max(1))) {
            sums.iter_mut().zip(value).for_each(|(sum, value)| *sum += weight * value);
        }
        sums
    }

    /// A product, scaled, biased and masked.
    fn logit(&self, index: [usize; 4], product: f32) -> f32 {
        let [batch, _, query, token] = index;
        let round = |value: f32| round(self.logit_type, value);
        let place =
            |strides: &[usize; 4]| index.iter().zip(strides).map(|(index, stride)| index * stride).sum::<usize>();
        let mut logit = round(round(round(product) * self.scale) / self.divisor);
        if let Some((bias, strides)) = &self.bias {
            logit = round(logit + bias[place(strides)]);
        }
        let by_mask = self.mask.as_ref().is_none_or(|(mask, strides)| mask[place(strides)] != 0);
        let is_visible = by_mask
            && self.last(batch, query).is_none_or(|last| {
                token as i64 <= last && (self.window == 0 || token as i64 > last.saturating_sub(self.window))
            });
        match (is_visible, self.mask_adds) {
            (true, false) => logit,
            (false, false) => self.fill,
            (true, true) => round(logit + 0.0),
            (false, true) => round(logit + self.fill),
        }
    }

    /// Logits to probabilities.
    fn softmax(&self, weights: &mut [f32]) {
        let round = |value: f32| round(self.softmax_type, value);
        let is_empty = weights.iter().all(|logit| *logit == f32::NEG_INFINITY);
        let largest = weights.iter().fold(f32::NEG_INFINITY, |largest, logit| Arith::maximum(largest, *logit));
        let exponential = |logit: f32| round(f64::from(round(logit - largest)).exp() as f32);
        weights.iter_mut().for_each(|weight| *weight = exponential(*weight));
        let sum = round(weights.iter().map(|weight| f64::from(*weight)).sum::<f64>() as f32);
        for weight in weights {
            let probability = if self.safe && is_empty { 0.0 } else { round(*weight / sum) };
            *weight = self::round(self.probability_type, probability);
        }
    }
}

/// Products of two rows, added in sixteen lanes and those as a tree: one order, and fast where the machine has vectors.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut sums = [0f32; LANES];
    let (a_groups, b_groups) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f32 = a_groups.remainder().iter().zip(b_groups.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a_groups.zip(b_groups) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let mut width = LANES;
    while width > 1 {
        width /= 2;
        for lane in 0..width {
            sums[lane] += sums[lane + width];
        }
    }
    sums[0] + rest
}

fn reference(call: &Call<'_>, outputs: &mut [TensorMut<'_>]) -> Result<(), KernelError> {
    let output = &mut outputs[0];
    if output.bytes.is_empty() {
        return Ok(());
    }
    let problem = Problem::new(call);
    let layout = Layout::new(call, "output_dims", output.ty, [0, 0]);
    let batches = output.ty.shape[dimensions(call.attributes, "output_dims")[0]] as usize;
    let one = |job: usize| {
        let (batch, group) = (job / problem.groups, job % problem.groups);
        let range = problem.range(batch);
        let keys = problem.rows(false, batch, group, &range);
        let values = problem.rows(true, batch, group, &range);
        let first = group * problem.heads_per_group;
        let heads = first..first + problem.heads_per_group;
        let queries: Vec<[usize; 3]> =
            heads.flat_map(|head| (0..problem.queries).map(move |query| [batch, head, query])).collect();
        let results: Vec<Vec<f32>> =
            queries.iter().map(|query| problem.query(*query, &keys, &values, &range)).collect();
        queries.into_iter().zip(results).collect::<Vec<_>>()
    };
    let results: Vec<_> = (0..batches * problem.groups).into_par_iter().map(one).collect();
    for ([batch, head, query], sums) in results.into_iter().flatten() {
        store(output, layout.at(batch, query, head), layout.strides[3], &sums);
    }
    Ok(())
}

/// Writes one row, rounded to the output's type.
fn store(output: &mut TensorMut<'_>, start: usize, stride: usize, row: &[f32]) {
    macro_rules! store {
        ($t:ty) => {{
            let to: &mut [$t] = bytemuck::cast_slice_mut(output.bytes);
            row.iter().enumerate().for_each(|(idx, value)| to[start + idx * stride] = <$t as Real>::down(*value));
        }};
    }
    match output.ty.dtype {
        DType::F16 => store!(f16),
        DType::Bf16 => store!(bf16),
        _ => store!(f32),
    }
}
