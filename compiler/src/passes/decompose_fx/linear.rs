//! Matrix products. Products of 16-bit floats are added up in f32; the result is rounded once.

use super::{
    call::Call,
    promote::{accumulator, join_shapes, materialize},
    table::Values,
};
use crate::{
    ir::{ElementType, Opcode, ValueId, attribute::DotDimensions},
    passes::emit::{Emit, Number, Out, Refusal},
};

/// `mm`, `bmm`, `mv`, `dot`, `matmul`: the ranks say which.
pub fn matmul(e: &mut Emit, call: &Call) -> Values {
    let (a, b) = (call.tensor(0, "self")?, call.tensor(1, "mat2")?);
    let element = call.element(0)?;
    let y = matmul_of(e, a, b, &element)?;
    Ok(vec![e.reshape(y, &call.shape(0)?)?])
}

/// The product as `torch.matmul` has it, in an element type.
pub fn matmul_of(e: &mut Emit, a: ValueId, b: ValueId, element: &ElementType) -> Out {
    let (left, right) = (e.shape(a)?, e.shape(b)?);
    match (left.len(), right.len()) {
        (0, _) | (_, 0) => Err(Refusal::from("an operand has no dimension")),
        (rank, 1 | 2) => {
            let dims = DotDimensions {
                lhs_contracting: vec![rank as i64 - 1],
                rhs_contracting: vec![0],
                ..DotDimensions::default()
            };
            e.dot(a, b, dims, element)
        }
        (1, rank) => {
            let row = e.reshape(a, &[1, left[0]])?;
            let product = matmul_of(e, row, b, element)?;
            let mut shape = right[..rank - 2].to_vec();
            shape.push(right[rank - 1]);
            e.reshape(product, &shape)
        }
        (rank_a, rank_b) => {
            let batch = join_shapes(&left[..rank_a - 2], &right[..rank_b - 2])?;
            let a = e.broadcast(a, &[&batch, &left[rank_a - 2..]].concat())?;
            let b = e.broadcast(b, &[&batch, &right[rank_b - 2..]].concat())?;
            let batching: Vec<i64> = (0..batch.len() as i64).collect();
            let at = batch.len() as i64;
            let dims = DotDimensions {
                lhs_batching: batching.clone(),
                rhs_batching: batching,
                lhs_contracting: vec![at + 1],
                rhs_contracting: vec![at],
            };
            e.dot(a, b, dims, element)
        }
    }
}

/// `linear(x, weight, bias)`: `x @ weight.T + bias`.
pub fn linear(e: &mut Emit, call: &Call) -> Values {
    let (x, weight) = (call.tensor(0, "input")?, call.tensor(1, "weight")?);
    let bias = call.optional_tensor(2, "bias")?;
    Ok(vec![linear_of(e, x, weight, bias, &call.element(0)?)?])
}

/// `x @ weight.T + bias`.
pub fn linear_of(e: &mut Emit, x: ValueId, weight: ValueId, bias: Option<ValueId>, element: &ElementType) -> Out {
    let (rank, contracted) = (e.rank(x)? as i64, e.rank(weight)? as i64 - 1);
    let dims = DotDimensions {
        lhs_contracting: vec![rank - 1],
        rhs_contracting: vec![contracted],
        ..DotDimensions::default()
    };
    let Some(bias) = bias else { return e.dot(x, weight, dims, element) };
    let wide = accumulator(element);
    let product = e.dot(x, weight, dims, &wide)?;
    let shape = e.shape(product)?;
    let bias = e.convert(bias, &wide)?;
    let bias = e.broadcast(bias, &shape)?;
    let sum = e.add(product, bias)?;
    e.convert(sum, element)
}

/// `addmm`, `baddbmm`, `addmv`: `beta * x + alpha * (a @ b)`.
pub fn add_matmul(e: &mut Emit, call: &Call) -> Values {
    let (element, shape) = (call.element(0)?, call.shape(0)?);
    let wide = accumulator(&element);
    let (a, b) = (call.tensor(1, "mat1")?, call.tensor(2, "mat2")?);
    let product = matmul_of(e, a, b, &wide)?;
    let product = scale(e, product, call.optional_number(usize::MAX, "alpha")?)?;
    let beta = call.optional_number(usize::MAX, "beta")?;
    if beta.is_some_and(|beta| beta.as_f64() == 0.0) {
        return Ok(vec![e.convert(product, &element)?]);
    }
    let x = materialize(e, call.operand(0, "self")?, &wide, &shape)?;
    let x = scale(e, x, beta)?;
    let sum = e.add(x, product)?;
    Ok(vec![e.convert(sum, &element)?])
}

/// `addr`: `beta * x + alpha * outer(a, b)`.
pub fn outer(e: &mut Emit, call: &Call) -> Values {
    let shape = call.shape(0)?;
    let element = call.element(0)?;
    let a = call.tensor(0, "self")?;
    let b = call.tensor(1, "vec2")?;
    let (a, b) = (e.convert(a, &element)?, e.convert(b, &element)?);
    let a = e.broadcast_in_dim(a, &shape, &[0])?;
    let b = e.broadcast_in_dim(b, &shape, &[1])?;
    Ok(vec![e.mul(a, b)?])
}

fn scale(e: &mut Emit, x: ValueId, factor: Option<Number>) -> Out {
    match factor.filter(|factor| factor.as_f64() != 1.0) {
        Some(factor) => e.binary_number(Opcode::StablehloMultiply, x, factor),
        None => Ok(x),
    }
}

/// `einsum(equation, tensors)`.
pub fn einsum(e: &mut Emit, call: &Call) -> Values {
    let equation = call.text(0, "equation").ok_or_else(|| Refusal::from("the equation is missing"))?;
    let tensors = call.tensors(1, "tensors")?;
    Ok(vec![crate::passes::einsum::einsum(e, equation, &tensors, &call.element(0)?)?])
}

/// `cdist(a, b, p)`: distances between the rows of two stacks of matrices.
pub fn cdist(e: &mut Emit, call: &Call) -> Values {
    let (a, b) = (call.tensor(0, "x1")?, call.tensor(1, "x2")?);
    let order = call.float(2, "p", 2.0)?;
    let shape = call.shape(0)?;
    let width = e.shape(a)?.last().copied().unwrap_or(0);
    let wide = [&shape[..], &[width]].concat();
    let (own, other) = (e.shape(a)?, e.shape(b)?);
    if own.len() < 2 || other.len() < 2 || shape.len() < 2 {
        return Err(Refusal::from("its operands are no matrices"));
    }
    let (last, before) = (own.len() - 1, other.len() - 2);
    let a = e.reshape(a, &[&own[..last], &[1], &own[last..]].concat())?;
    let b = e.reshape(b, &[&other[..before], &[1], &other[before..]].concat())?;
    let (a, b) = (e.broadcast(a, &wide)?, e.broadcast(b, &wide)?);
    let distance = e.sub(a, b)?;
    let magnitude = e.unary(Opcode::StablehloAbs, distance);
    Ok(vec![super::reduce::norm_of(e, magnitude, order, &[shape.len() as i64])?])
}
