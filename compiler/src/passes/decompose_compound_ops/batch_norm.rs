//! `batch_norm_inference`, `batch_norm_training` and `batch_norm_grad`, as StableHLO's specification defines them.

use super::Refusal;
use crate::{
    ir::{Attribute, OpId, Opcode, ValueId},
    passes::emit::{Emit, Number, Out},
};

/// The feature dimension of an operation, its other dimensions, how many elements these have, and its epsilon.
struct Shape {
    extents: Vec<i64>,
    feature: i64,
    others: Vec<i64>,
    count: i64,
    epsilon: f64,
}

impl Shape {
    fn of(e: &Emit, op: OpId) -> Result<Shape, Refusal> {
        let extents = e.shape(e.module.op(op).operands[0])?;
        let feature = e.module.op(op).attr("feature_index").and_then(Attribute::as_i64).unwrap_or(0);
        let epsilon = match e.module.op(op).attr("epsilon") {
            Some(Attribute::Float { bits, .. }) => f64::from_bits(*bits),
            _ => unreachable!("the verifier should have seen `epsilon`"),
        };
        let others: Vec<i64> = (0..extents.len() as i64).filter(|dim| *dim != feature).collect();
        let count = others.iter().map(|dim| extents[*dim as usize]).product();
        Ok(Shape { extents, feature, others, count, epsilon })
    }

    fn broadcast(&self, e: &mut Emit, x: ValueId) -> Out {
        e.broadcast_in_dim(x, &self.extents, &[self.feature])
    }

    /// `sqrt(variance + epsilon)` of every element.
    fn deviation(&self, e: &mut Emit, variance: ValueId) -> Out {
        let wide = self.broadcast(e, variance)?;
        let moved = e.binary_number(Opcode::StablehloAdd, wide, Number::Float(self.epsilon))?;
        Ok(e.unary(Opcode::StablehloSqrt, moved))
    }

    fn mean(&self, e: &mut Emit, x: ValueId) -> Out {
        let sum = e.fold(Opcode::StablehloAdd, x, Number::Int(0), &self.others)?;
        e.binary_number(Opcode::StablehloDivide, sum, Number::Int(self.count))
    }

    fn normalize(&self, e: &mut Emit, operands: [ValueId; 5]) -> Out {
        let [x, scale, offset, mean, variance] = operands;
        let mean = self.broadcast(e, mean)?;
        let distance = e.sub(x, mean)?;
        let deviation = self.deviation(e, variance)?;
        let normalized = e.div(distance, deviation)?;
        let scale = self.broadcast(e, scale)?;
        let offset = self.broadcast(e, offset)?;
        let scaled = e.mul(normalized, scale)?;
        e.add(scaled, offset)
    }
}

fn operands<const N: usize>(e: &Emit, op: OpId) -> [ValueId; N] {
    let operands = e.module.op(op).operands.as_slice().try_into();
    operands.expect("the verifier should have seen the operands that an operation has")
}

/// With a given mean and variance.
pub fn inference(e: &mut Emit, op: OpId) -> Result<Vec<ValueId>, Refusal> {
    let shape = Shape::of(e, op)?;
    let operands = operands(e, op);
    Ok(vec![shape.normalize(e, operands)?])
}

/// With the mean and variance of the batch, which are results.
pub fn training(e: &mut Emit, op: OpId) -> Result<Vec<ValueId>, Refusal> {
    let shape = Shape::of(e, op)?;
    let [x, scale, offset] = operands(e, op);
    let mean = shape.mean(e, x)?;
    let wide = shape.broadcast(e, mean)?;
    let distance = e.sub(x, wide)?;
    let square = e.mul(distance, distance)?;
    let variance = shape.mean(e, square)?;
    let y = shape.normalize(e, [x, scale, offset, mean, variance])?;
    Ok(vec![y, mean, variance])
}

/// Gradients of operand, scale and offset.
pub fn gradient(e: &mut Emit, op: OpId) -> Result<Vec<ValueId>, Refusal> {
    let shape = Shape::of(e, op)?;
    let [x, scale, mean, variance, gradient] = operands(e, op);
    let wide_mean = shape.broadcast(e, mean)?;
    let distance = e.sub(x, wide_mean)?;
    let deviation = shape.deviation(e, variance)?;
    let product = e.mul(gradient, distance)?;
    let product_sum = e.fold(Opcode::StablehloAdd, product, Number::Int(0), &shape.others)?;
    let offset_gradient = e.fold(Opcode::StablehloAdd, gradient, Number::Int(0), &shape.others)?;
    let per_feature = e.binary_number(Opcode::StablehloAdd, variance, Number::Float(shape.epsilon))?;
    let narrow_deviation = e.unary(Opcode::StablehloSqrt, per_feature);
    let scale_gradient = e.div(product_sum, narrow_deviation)?;
    // scale / deviation / count * (count * gradient - Σ gradient - distance * Σ(gradient * distance) / (variance + epsilon))
    let counted = e.binary_number(Opcode::StablehloMultiply, gradient, Number::Int(shape.count))?;
    let total = shape.broadcast(e, offset_gradient)?;
    let rest = e.sub(counted, total)?;
    let slope = e.div(product_sum, per_feature)?;
    let slope = shape.broadcast(e, slope)?;
    let pull = e.mul(distance, slope)?;
    let rest = e.sub(rest, pull)?;
    let wide_scale = shape.broadcast(e, scale)?;
    let factor = e.div(wide_scale, deviation)?;
    let factor = e.binary_number(Opcode::StablehloDivide, factor, Number::Int(shape.count))?;
    Ok(vec![e.mul(factor, rest)?, scale_gradient, offset_gradient])
}
