//! Rules about how elements move. All are exact: they compute the same elements in another place.
//!
//! Movement goes outwards, past arithmetic: so broadcasts come late (less to compute), and movements meet and cancel.

use std::sync::Arc;

use egg::Id;

use super::graph::{Graph, Node, add_op, constant_in, constant_node, parts, ty_of};
use super::graph::Head;
use crate::ir::{
    AttrMap, Attribute, Opcode, TensorType, Type,
    attribute::DenseElements,
};

/// Its operand, if that has the result's type already.
pub fn same_type(graph: &mut Graph, node: &Node) -> Option<Id> {
    let (payload, operands) = parts(graph, node);
    let operand = *operands.first()?;
    match payload {
        Some(payload) => (*ty_of(graph, operand) == payload.ty).then_some(operand),
        None => Some(operand),
    }
}

pub fn transpose_identity(graph: &mut Graph, node: &Node) -> Option<Id> {
    let is_identity = integers(parts(graph, node).0?, "permutation")?.iter().copied().eq(0..rank(graph, node)?);
    if is_identity { same_type(graph, node) } else { None }
}

fn rank(graph: &Graph, node: &Node) -> Option<i64> {
    Some(parts(graph, node).0?.ty.as_tensor()?.rank() as i64)
}

pub fn transpose_twice(graph: &mut Graph, node: &Node) -> Option<Id> {
    let (inner, source) = movement_in(graph, *parts(graph, node).1.first()?, Opcode::StablehloTranspose)?;
    let payload = parts(graph, node).0?;
    let (outer, ty) = (integers(payload, "permutation")?.to_vec(), payload.ty.clone());
    let composed = compose(integers_of(&inner, "permutation")?, &outer)?;
    let attrs = AttrMap::from_iter([("permutation", Attribute::i64_array(composed))]);
    Some(add_op(graph, Opcode::StablehloTranspose, attrs, &[source], ty))
}

pub fn reshape_twice(graph: &mut Graph, node: &Node) -> Option<Id> {
    let (_, source) = movement_in(graph, *parts(graph, node).1.first()?, Opcode::StablehloReshape)?;
    let ty = parts(graph, node).0?.ty.clone();
    Some(add_op(graph, Opcode::StablehloReshape, AttrMap::default(), &[source], ty))
}

pub fn broadcast_twice(graph: &mut Graph, node: &Node) -> Option<Id> {
    let (inner, source) = movement_in(graph, *parts(graph, node).1.first()?, Opcode::StablehloBroadcastInDim)?;
    let payload = parts(graph, node).0?;
    let ty = payload.ty.clone();
    let composed = compose(integers(payload, "broadcast_dimensions")?, integers_of(&inner, "broadcast_dimensions")?)?;
    let attrs = AttrMap::from_iter([("broadcast_dimensions", Attribute::i64_array(composed))]);
    Some(add_op(graph, Opcode::StablehloBroadcastInDim, attrs, &[source], ty))
}

pub fn after_broadcast(graph: &mut Graph, node: &Node) -> Option<Id> {
    after_movement(graph, node, Opcode::StablehloBroadcastInDim)
}

pub fn after_transpose(graph: &mut Graph, node: &Node) -> Option<Id> {
    after_movement(graph, node, Opcode::StablehloTranspose)
}

pub fn after_reshape(graph: &mut Graph, node: &Node) -> Option<Id> {
    after_movement(graph, node, Opcode::StablehloReshape)
}

/// `f(move x, move y, constant)` is `move f(x, y, constant)`, where all move in the same way from the same shape and the
/// constant is the same everywhere.
fn after_movement(graph: &mut Graph, node: &Node, movement: Opcode) -> Option<Id> {
    let Head::Op(opcode) = node.head else { return None };
    let (payload, operands) = parts(graph, node);
    let (attrs, operands) = (payload.map(|payload| payload.attrs.clone()).unwrap_or_default(), operands.to_vec());
    let id = graph.lookup(node.clone())?;
    let result = ty_of(graph, id).as_tensor()?.clone();

    // Where the elements come from, as the first operand that moves has it.
    let (moved, source) = operands.iter().find_map(|operand| movement_in(graph, *operand, movement))?;
    let shape = ty_of(graph, source).as_tensor()?.shape.clone();
    let mut sources = Vec::new();
    for operand in operands {
        let ty = ty_of(graph, operand).as_tensor()?.clone();
        if ty.shape != result.shape {
            return None;
        }
        let found = movements_in(graph, operand, movement).into_iter().find(|(attrs, source)| {
            *attrs == moved && ty_of(graph, *source).as_tensor().is_some_and(|source| source.shape == shape)
        });
        match found {
            Some((_, source)) => sources.push(source),
            None => {
                let element = constant_in(graph, operand)?.splat_bytes()?.to_vec();
                let small = TensorType { shape: shape.clone(), ..ty };
                small.element_count().filter(|count| *count > 0)?;
                let constant = constant_node(graph, DenseElements::splat(Arc::new(small), &element));
                sources.push(graph.add(constant));
            }
        }
    }
    let inner = Type::from(TensorType { shape, ..result.clone() });
    let computed = add_op(graph, opcode, attrs, &sources, inner);
    Some(add_op(graph, movement, moved, &[computed], Type::from(result)))
}

pub fn dot_of_transposed_lhs(graph: &mut Graph, node: &Node) -> Option<Id> {
    dot_of_transposed(graph, node, 0)
}

pub fn dot_of_transposed_rhs(graph: &mut Graph, node: &Node) -> Option<Id> {
    dot_of_transposed(graph, node, 1)
}

/// A product can read its operands along any dimensions: `dot(transpose x, y)` names those of `x`.
fn dot_of_transposed(graph: &mut Graph, node: &Node, side: usize) -> Option<Id> {
    let (payload, operands) = parts(graph, node);
    let payload = payload?.clone();
    let mut operands = operands.to_vec();
    let (inner, source) = movement_in(graph, *operands.get(side)?, Opcode::StablehloTranspose)?;
    let permutation = integers_of(&inner, "permutation")?;
    let Attribute::DotDimensions(dims) = payload.attrs.get("dot_dimension_numbers")? else { return None };
    let dims = dims.of_transposed(side, permutation)?;
    operands[side] = source;
    let mut attrs = payload.attrs;
    attrs.set("dot_dimension_numbers", Attribute::DotDimensions(Arc::new(dims)));
    Some(add_op(graph, Opcode::StablehloDotGeneral, attrs, &operands, payload.ty))
}

/// A movement that a class is: its attributes and what it moves.
fn movement_in(graph: &Graph, id: Id, opcode: Opcode) -> Option<(AttrMap, Id)> {
    movements_in(graph, id, opcode).into_iter().next()
}

fn movements_in(graph: &Graph, id: Id, opcode: Opcode) -> Vec<(AttrMap, Id)> {
    let nodes = graph[id].nodes.iter().filter(|node| node.head == Head::Op(opcode));
    nodes
        .filter_map(|node| {
            let (payload, operands) = parts(graph, node);
            Some((payload.map(|payload| payload.attrs.clone()).unwrap_or_default(), *operands.first()?))
        })
        // A class that moves itself into itself would go round for ever.
        .filter(|(_, source)| graph.find(*source) != graph.find(id))
        .collect()
}

fn integers<'p>(payload: &'p super::graph::Payload, name: &str) -> Option<&'p [i64]> {
    integers_of(&payload.attrs, name)
}

fn integers_of<'a>(attrs: &'a AttrMap, name: &str) -> Option<&'a [i64]> {
    attrs.get(name)?.as_i64_slice()
}

/// `first[second[i]]` for every i.
fn compose(first: &[i64], second: &[i64]) -> Option<Vec<i64>> {
    second.iter().map(|at| first.get(usize::try_from(*at).ok()?).copied()).collect()
}
