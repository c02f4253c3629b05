//! Choosing one node for every class: the cheapest graph, with shared work counted once.
//!
//! egg's own extractor costs trees. This one keeps, for each class, the set of classes that its cheapest known graph
//! needs, each with its own cost (the greedy method known from the extraction gym): not always the optimum, but never
//! counting a class twice.

use std::collections::HashMap;

use egg::{Id, Language};
use pygraph_artifact::dtype::DType;

use super::graph::{Graph, Head, Node, parts, ty_of};
use crate::ir::{Opcode, Type};

/// The node chosen for every class that has one.
pub type Choices = HashMap<Id, Node>;

/// The cheapest graph known of one class.
struct Best {
    node: Node,
    /// The class itself and all it needs, with their own costs.
    needs: HashMap<Id, u64>,
    total: u64,
}

/// Chooses a node for every class. Of equals, `preferred` nodes (canonical) win.
pub fn choose(graph: &Graph, preferred: &HashMap<Node, crate::ir::OpId>) -> Choices {
    let mut best: HashMap<Id, Best> = HashMap::new();
    // Classes in order of id, so that the choice does not depend on hashing.
    let mut ids: Vec<Id> = graph.classes().map(|class| class.id).collect();
    ids.sort_unstable();
    loop {
        let mut improved = false;
        for id in &ids {
            for node in &graph[*id].nodes {
                let Some(candidate) = candidate(graph, *id, node, &best) else { continue };
                let is_better = match best.get(id) {
                    None => true,
                    Some(known) => {
                        let rank = |node: &Node| !preferred.contains_key(&canonical(graph, node));
                        (candidate.total, rank(&candidate.node)) < (known.total, rank(&known.node))
                    }
                };
                if is_better {
                    best.insert(*id, candidate);
                    improved = true;
                }
            }
        }
        if !improved {
            return best.into_iter().map(|(id, best)| (id, best.node)).collect();
        }
    }
}

fn candidate(graph: &Graph, id: Id, node: &Node, best: &HashMap<Id, Best>) -> Option<Best> {
    let mut needs = HashMap::new();
    for child in node.children() {
        needs.extend(&best.get(&graph.find(*child))?.needs);
    }
    // A graph that needs itself is no graph.
    if needs.contains_key(&id) {
        return None;
    }
    needs.insert(id, cost(graph, id, node));
    let total = needs.values().sum();
    Some(Best { node: node.clone(), needs, total })
}

/// The node with the present names of its operands.
pub fn canonical(graph: &Graph, node: &Node) -> Node {
    node.clone().map_children(|child| graph.find(child))
}

/// Time in picoseconds on the card that DESIGN.md measures: a node of a graph, and the bytes it moves.
pub fn cost(graph: &Graph, id: Id, node: &Node) -> u64 {
    const LAUNCH: u64 = 1_000_000;
    const BYTES_PER_NANOSECOND: u64 = 3110;
    match node.head {
        Head::Payload(_) | Head::Leaf(_) => 0,
        Head::Constant(_) | Head::Op(Opcode::StablehloReshape) => 1,
        Head::Op(_) | Head::Opaque(_) => {
            let operands = parts(graph, node).1.iter().map(|operand| bytes(ty_of(graph, *operand)));
            let bytes = operands.fold(bytes(ty_of(graph, id)), u64::saturating_add);
            let slow = match node.head {
                Head::Op(Opcode::StablehloDivide) => 1000,
                Head::Op(Opcode::StablehloPower) => 2000,
                _ => 0,
            };
            (bytes.saturating_mul(1000) / BYTES_PER_NANOSECOND).saturating_add(LAUNCH + slow)
        }
    }
}

fn bytes(ty: &Type) -> u64 {
    let Some(tensor) = ty.as_tensor() else { return 0 };
    let size = tensor.element.dtype().map_or(4, DType::size_bytes) as u64;
    // A dimension that is not known yet counts as one.
    tensor.element_count().unwrap_or(1).saturating_mul(size).min(1 << 50)
}
