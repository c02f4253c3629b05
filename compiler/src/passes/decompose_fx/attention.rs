//! Scaled dot-product attention, in the forms that the exporter and the backends of PyTorch have.
//!
//! Scores, mask and softmax are in f32 for 16-bit floats. A row that is masked whole gives 0, as `_safe_softmax` has it.

use super::{
    call::Call,
    promote::{accumulator, join_shapes},
    reduce::{logsumexp_of, safe_softmax_of},
    rearrange,
    table::Values,
};
use crate::{
    ir::{ElementType, Opcode, ValueId, attribute::DotDimensions, enums::ComparisonDirection},
    passes::emit::{Emit, Number, Out, Refusal},
};

/// Where the arguments of an attention operator are.
struct Attention {
    mask: Option<ValueId>,
    is_causal: bool,
    dropout: f64,
    scale: f64,
}

impl Attention {
    fn read(
        e: &Emit,
        call: &Call,
        mask: (usize, &str),
        dropout: usize,
        is_causal: usize,
    ) -> Result<Attention, Refusal> {
        let query = call.tensor(0, "query")?;
        let width = e.shape(query)?.last().copied().unwrap_or(1);
        Ok(Attention {
            mask: call.optional_tensor(mask.0, mask.1)?,
            is_causal: call.flag(is_causal, "is_causal", false)?,
            dropout: call.float(dropout, "dropout_p", 0.0)?,
            scale: call.float(usize::MAX, "scale", 1.0 / (width.max(1) as f64).sqrt())?,
        })
    }
}

/// `scaled_dot_product_attention(q, k, v, attn_mask, dropout_p, is_causal, *, scale, enable_gqa)`.
pub fn scaled_dot_product(e: &mut Emit, call: &Call) -> Values {
    let attention = Attention::read(e, call, (3, "attn_mask"), 4, 5)?;
    let (y, _) = attend(e, call, &attention)?;
    Ok(vec![y])
}

/// `_scaled_dot_product_attention_math(q, k, v, attn_mask, dropout_p, is_causal, dropout_mask, *, scale, enable_gqa)`.
pub fn math(e: &mut Emit, call: &Call) -> Values {
    let attention = Attention::read(e, call, (3, "attn_mask"), 4, 5)?;
    let (y, weights) = attend(e, call, &attention)?;
    let weights = e.convert(weights.1, &call.element(1)?)?;
    Ok(vec![y, e.reshape(weights, &call.shape(1)?)?])
}

/// `_scaled_dot_product_flash_attention_for_cpu(q, k, v, dropout_p, is_causal, *, attn_mask, scale)`.
pub fn flash_for_cpu(e: &mut Emit, call: &Call) -> Values {
    let attention = Attention::read(e, call, (usize::MAX, "attn_mask"), 3, 4)?;
    with_training_results(e, call, &attention)
}

/// `_scaled_dot_product_flash_attention(q, k, v, dropout_p, is_causal, return_debug_mask, *, scale)`.
pub fn flash(e: &mut Emit, call: &Call) -> Values {
    let attention = Attention::read(e, call, (usize::MAX, ""), 3, 4)?;
    with_training_results(e, call, &attention)
}

/// `_scaled_dot_product_efficient_attention(q, k, v, bias, compute_log_sumexp, dropout_p, is_causal, *, scale)`;
/// the cuDNN and overrideable forms have their mask there too.
pub fn efficient(e: &mut Emit, call: &Call) -> Values {
    let fused = call.target.contains("overrideable");
    let (dropout, is_causal) = if fused { (4, 5) } else { (5, 6) };
    let attention = Attention::read(e, call, (3, "attn_bias"), dropout, is_causal)?;
    with_training_results(e, call, &attention)
}

/// The attention, the logarithm of its normaliser, and zeros for what only a backward pass reads.
fn with_training_results(e: &mut Emit, call: &Call, attention: &Attention) -> Values {
    let (y, (scores, _)) = attend(e, call, attention)?;
    let mut results = vec![y];
    for index in 1..call.results.len() {
        if call.results[index] == crate::ir::Type::None {
            continue;
        }
        let is_normaliser = index == 1 && e.shape(scores)?[..3.min(e.rank(scores)?)] == call.shape(1)?[..];
        results.push(if is_normaliser {
            let dim = e.rank(scores)? as i64 - 1;
            let normaliser = logsumexp_of(e, scores, &[dim])?;
            e.convert(normaliser, &call.element(1)?)?
        } else {
            call.zeros(e, index)?
        });
    }
    Ok(results)
}

/// The attention, and its masked scores and its weights.
fn attend(e: &mut Emit, call: &Call, attention: &Attention) -> Result<(ValueId, (ValueId, ValueId)), Refusal> {
    let (query, mut key, mut value) = (call.tensor(0, "query")?, call.tensor(1, "key")?, call.tensor(2, "value")?);
    if attention.dropout > 0.0 {
        return Err(Refusal::from("dropout in attention is not supported: export the model in eval mode"));
    }
    let element = call.element(0)?;
    let wide = accumulator(&element);
    let shape = e.shape(query)?;
    if call.flag(usize::MAX, "enable_gqa", false)? {
        (key, value) = (repeat_heads(e, key, &shape)?, repeat_heads(e, value, &shape)?);
    }
    let keys = e.shape(key)?;
    let rank = shape.len();
    if rank < 2 || keys.len() < 2 {
        return Err(Refusal::from("an operand has fewer than two dimensions"));
    }
    let batch = join_shapes(&shape[..rank - 2], &keys[..keys.len() - 2])?;
    let [query, key, value] = [query, key, value].map(|x| {
        let own = e.shape(x)?;
        e.broadcast(x, &[&batch, &own[own.len().saturating_sub(2)..]].concat())
    });
    let (query, key, value) = (query?, key?, value?);
    let scores = batched(e, query, key, 1, &wide)?;
    let scores = e.binary_number(Opcode::StablehloMultiply, scores, Number::Float(attention.scale))?;
    let scores = masked(e, scores, attention)?;
    let last = batch.len() as i64 + 1;
    let weights = safe_softmax_of(e, scores, &[last])?;
    let narrow = e.convert(weights, &element)?;
    let y = batched(e, narrow, value, 0, &element)?;
    let y = e.reshape(y, &call.shape(0)?)?;
    Ok((y, (scores, weights)))
}

/// The product of stacks of matrices; `contracted` says which of the right's two dimensions is added up.
fn batched(e: &mut Emit, a: ValueId, b: ValueId, contracted: i64, element: &ElementType) -> Out {
    let batch = e.rank(a)? as i64 - 2;
    let dims = DotDimensions {
        lhs_batching: (0..batch).collect(),
        rhs_batching: (0..batch).collect(),
        lhs_contracting: vec![batch + 1],
        rhs_contracting: vec![batch + contracted],
    };
    e.dot(a, b, dims, element)
}

/// Scores with `-inf` where the mask is false, or the mask added, or what comes later left out.
fn masked(e: &mut Emit, scores: ValueId, attention: &Attention) -> Out {
    let (shape, element) = (e.shape(scores)?, e.element(scores)?);
    let rank = shape.len();
    let mut scores = scores;
    let mut keep = Vec::new();
    if attention.is_causal {
        let matrix = &shape[rank - 2..];
        let rows = e.iota(matrix, &ElementType::I64, 0);
        let columns = e.iota(matrix, &ElementType::I64, 1);
        keep.push(e.compare(ComparisonDirection::Le, columns, rows)?);
    }
    match attention.mask {
        Some(mask) if e.element(mask)? == ElementType::BOOL => keep.push(mask),
        Some(mask) => {
            let mask = e.convert(mask, &element)?;
            let mask = e.broadcast(mask, &shape)?;
            scores = e.add(scores, mask)?;
        }
        None => {}
    }
    for mask in keep {
        let mask = e.broadcast(mask, &shape)?;
        let lowest = e.splat(Number::Float(f64::NEG_INFINITY), &element, &shape)?;
        scores = e.select(mask, scores, lowest)?;
    }
    Ok(scores)
}

/// Heads of keys and values repeated until there are as many as of queries.
fn repeat_heads(e: &mut Emit, x: ValueId, query: &[i64]) -> Out {
    let own = e.shape(x)?;
    let (Some(at), Some(heads)) = (own.len().checked_sub(3), query.len().checked_sub(3).map(|at| query[at])) else {
        return Ok(x);
    };
    if own[at] == heads {
        return Ok(x);
    }
    if own[at] < 1 || heads % own[at] != 0 {
        return Err(Refusal(format!("{} heads do not divide {heads}", own[at])));
    }
    rearrange::repeat_rows(e, x, at, heads / own[at])
}
