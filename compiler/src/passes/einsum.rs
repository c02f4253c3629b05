//! Einstein's summation convention as general products.

use super::emit::{Emit, Number, Out, Refusal};
use crate::ir::{ElementType, Opcode, ValueId, attribute::DotDimensions};

/// The tensors multiplied and added up as an equation (`ab,bc->ac`) says, one product after the other.
///
/// Without an ellipsis, and with each dimension named once a term.
pub fn einsum(e: &mut Emit, equation: &str, tensors: &[ValueId], element: &ElementType) -> Out {
    let equation = equation.replace(' ', "");
    let (inputs, output) = equation
        .split_once("->")
        .filter(|_| !equation.contains('.'))
        .ok_or_else(|| Refusal(format!("equation {equation} has no `->`, or an ellipsis")))?;
    let labels: Vec<Vec<char>> = inputs.split(',').map(|input| input.chars().collect()).collect();
    let output: Vec<char> = output.chars().collect();
    if labels.len() != tensors.len() {
        return Err(Refusal(format!("equation {equation} does not fit {} tensors", tensors.len())));
    }
    for (names, tensor) in labels.iter().zip(tensors) {
        check_labels(e, names, *tensor)?;
    }
    let (mut names, mut value) = (labels[0].clone(), tensors[0]);
    for at in 1..labels.len() {
        let later: Vec<char> = labels[at + 1..].iter().flatten().chain(&output).copied().collect();
        (names, value) = multiply(e, (&names, value), (&labels[at], tensors[at]), &later, element)?;
    }
    let value = e.convert(value, element)?;
    finish(e, &names, value, &output)
}

fn check_labels(e: &Emit, names: &[char], value: ValueId) -> Result<(), Refusal> {
    let distinct = names.iter().enumerate().all(|(at, name)| !names[..at].contains(name));
    if distinct && names.len() == e.rank(value)? {
        return Ok(());
    }
    Err(Refusal::from("a term names a dimension twice, or not each"))
}

type Labelled<'a> = (&'a [char], ValueId);

/// Multiplies two terms and adds up what they share and nobody `later` needs.
fn multiply(
    e: &mut Emit,
    (left, a): Labelled,
    (right, b): Labelled,
    later: &[char],
    element: &ElementType,
) -> Result<(Vec<char>, ValueId), Refusal> {
    let at = |names: &[char], name: char| names.iter().position(|own| *own == name).map(|at| at as i64);
    let mut dims = DotDimensions::default();
    let mut batch = Vec::new();
    for (position, name) in left.iter().enumerate() {
        let Some(other) = at(right, *name) else { continue };
        if later.contains(name) {
            dims.lhs_batching.push(position as i64);
            dims.rhs_batching.push(other);
            batch.push(*name);
        } else {
            dims.lhs_contracting.push(position as i64);
            dims.rhs_contracting.push(other);
        }
    }
    let free = |names: &[char], other: &[char]| -> Vec<char> {
        names.iter().copied().filter(|name| !other.contains(name)).collect()
    };
    let names = [batch, free(left, right), free(right, left)].concat();
    Ok((names, e.dot(a, b, dims, element)?))
}

fn finish(e: &mut Emit, names: &[char], value: ValueId, output: &[char]) -> Out {
    let extra: Vec<i64> = (0..names.len()).filter(|at| !output.contains(&names[*at])).map(|at| at as i64).collect();
    let value = e.fold(Opcode::StablehloAdd, value, Number::Int(0), &extra)?;
    let kept: Vec<char> = names.iter().copied().filter(|name| output.contains(name)).collect();
    let order: Option<Vec<i64>> =
        output.iter().map(|name| kept.iter().position(|own| own == name).map(|at| at as i64)).collect();
    let order = order.ok_or_else(|| Refusal::from("the output names a dimension that no term has"))?;
    e.transpose(value, &order)
}
