//! The e-graph: what operations of a window look like to egg.
//!
//! A node is an operation with, as its first child, a payload (attributes and result type) unless the operation has no
//! attributes and its result has the type of its last operand: so `(add ?x ?y)` and `(transpose ?p ?x)` are patterns.
//! Equal nodes are one node, which merges equal operations. Operations that no rule knows are opaque: they keep their
//! identity and only their operands change.

use std::{collections::HashMap, fmt, hash::Hash};

use egg::{Analysis, DidMerge, EGraph, FromOp, FromOpError, Id, Language};
use smallvec::SmallVec;

use crate::ir::{AttrMap, OpId, Opcode, Type, ValueId, attribute::DenseElements};

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Head {
    /// An operation that rules know.
    Op(Opcode),
    /// Attributes and result type, by position in [`Tables::payloads`].
    Payload(u32),
    /// A constant, by position in [`Tables::constants`].
    Constant(u32),
    /// A value from outside the window, by position in [`Tables::leaves`].
    Leaf(u32),
    /// An operation that no rule knows, by position in [`Tables::opaques`].
    Opaque(u32),
}

/// A node of the e-graph.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// What it is.
    pub head: Head,
    /// The payload, if it has one, and the operands.
    pub children: SmallVec<[Id; 4]>,
}

impl Language for Node {
    type Discriminant = Head;

    fn discriminant(&self) -> Head {
        self.head
    }

    fn matches(&self, other: &Node) -> bool {
        self.head == other.head && self.children.len() == other.children.len()
    }

    fn children(&self) -> &[Id] {
        &self.children
    }

    fn children_mut(&mut self) -> &mut [Id] {
        &mut self.children
    }
}

impl FromOp for Node {
    type Error = FromOpError;

    fn from_op(op: &str, children: Vec<Id>) -> Result<Node, FromOpError> {
        match Opcode::from_name(&format!("stablehlo.{op}")) {
            Some(opcode) => Ok(Node { head: Head::Op(opcode), children: children.into() }),
            None => Err(FromOpError::new(op, children)),
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.head {
            Head::Op(opcode) => f.write_str(opcode.name()),
            head => write!(f, "{head:?}"),
        }
    }
}

/// What an operation is beside its operands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Payload {
    /// Its attributes.
    pub attrs: AttrMap,
    /// The type of its result.
    pub ty: Type,
}

/// Everything that nodes name by position.
#[derive(Debug, Default)]
pub struct Tables {
    /// Attributes and result types.
    pub payloads: Interned<Payload>,
    /// Constants.
    pub constants: Interned<DenseElements>,
    /// Values from outside, with their types.
    pub leaves: Interned<(ValueId, Type)>,
    /// Opaque operations, with the types of their results.
    pub opaques: Interned<(OpId, Type)>,
}

/// Things by position, each once.
#[derive(Debug)]
pub struct Interned<T> {
    items: Vec<T>,
    positions: HashMap<T, u32>,
}

impl<T> Default for Interned<T> {
    fn default() -> Interned<T> {
        Interned { items: Vec::new(), positions: HashMap::new() }
    }
}

impl<T: Clone + Eq + Hash> Interned<T> {
    fn add(&mut self, item: T) -> u32 {
        if let Some(position) = self.positions.get(&item) {
            return *position;
        }
        let position = self.items.len() as u32;
        self.items.push(item.clone());
        self.positions.insert(item, position);
        position
    }

    /// The item at a position.
    pub fn get(&self, position: u32) -> &T {
        &self.items[position as usize]
    }
}

/// What is known of all nodes of a class.
#[derive(Debug, Clone)]
pub struct Fact {
    /// The type of the value; none for payloads.
    pub ty: Option<Type>,
    /// Which payload it is.
    pub payload: Option<u32>,
    /// Which constant it is.
    pub constant: Option<u32>,
}

impl Analysis<Node> for Tables {
    type Data = Fact;

    fn make(graph: &mut Graph, node: &Node) -> Fact {
        let tables = &graph.analysis;
        let typed = |ty: Type| Fact { ty: Some(ty), payload: None, constant: None };
        match node.head {
            Head::Payload(at) => Fact { ty: None, payload: Some(at), constant: None },
            Head::Constant(at) => {
                Fact { constant: Some(at), ..typed(Type::Tensor(tables.constants.get(at).ty.clone())) }
            }
            Head::Leaf(at) => typed(tables.leaves.get(at).1.clone()),
            Head::Opaque(at) => typed(tables.opaques.get(at).1.clone()),
            Head::Op(_) => {
                let first = node.children.first().and_then(|child| graph[*child].data.payload);
                match first {
                    Some(payload) => typed(tables.payloads.get(payload).ty.clone()),
                    None => Fact {
                        ty: node.children.last().and_then(|child| graph[*child].data.ty.clone()),
                        payload: None,
                        constant: None,
                    },
                }
            }
        }
    }

    fn merge(&mut self, kept: &mut Fact, other: Fact) -> DidMerge {
        debug_assert_eq!(kept.ty, other.ty, "a rule should not change a type");
        match (kept.constant, other.constant) {
            (None, Some(_)) => {
                kept.constant = other.constant;
                DidMerge(true, false)
            }
            (Some(_), None) => DidMerge(false, true),
            _ => DidMerge(false, false),
        }
    }
}

/// An e-graph of one window.
pub type Graph = EGraph<Node, Tables>;

/// The type of a class of values.
pub fn ty_of(graph: &Graph, id: Id) -> &Type {
    graph[id].data.ty.as_ref().expect("a value's class should have a type")
}

/// The constant that a class is.
pub fn constant_in(graph: &Graph, id: Id) -> Option<&DenseElements> {
    graph[id].data.constant.map(|at| graph.analysis.constants.get(at))
}

/// The payload of a node and its operands.
pub fn parts<'g>(graph: &'g Graph, node: &'g Node) -> (Option<&'g Payload>, &'g [Id]) {
    match node.children.split_first() {
        Some((first, rest)) => match graph[*first].data.payload {
            Some(payload) => (Some(graph.analysis.payloads.get(payload)), rest),
            None => (None, &node.children),
        },
        None => (None, &[]),
    }
}

/// Adds an operation that rules know.
pub fn add_op(graph: &mut Graph, opcode: Opcode, attrs: AttrMap, operands: &[Id], ty: Type) -> Id {
    let node = op_node(graph, opcode, attrs, operands, ty);
    graph.add(node)
}

/// The node of an operation that rules know.
pub fn op_node(graph: &mut Graph, opcode: Opcode, attrs: AttrMap, operands: &[Id], ty: Type) -> Node {
    let mut children = SmallVec::new();
    let is_plain = attrs.is_empty() && operands.last().is_some_and(|last| *ty_of(graph, *last) == ty);
    if !is_plain {
        let payload = graph.analysis.payloads.add(Payload { attrs, ty });
        children.push(graph.add(Node { head: Head::Payload(payload), children: SmallVec::new() }));
    }
    children.extend_from_slice(operands);
    Node { head: Head::Op(opcode), children }
}

/// The node of a constant.
pub fn constant_node(graph: &mut Graph, elements: DenseElements) -> Node {
    Node { head: Head::Constant(graph.analysis.constants.add(elements)), children: SmallVec::new() }
}

/// The node of a value from outside.
pub fn leaf_node(graph: &mut Graph, value: ValueId, ty: Type) -> Node {
    Node { head: Head::Leaf(graph.analysis.leaves.add((value, ty))), children: SmallVec::new() }
}

/// The node of an operation that no rule knows.
pub fn opaque_node(graph: &mut Graph, op: OpId, operands: &[Id], ty: Type) -> Node {
    Node { head: Head::Opaque(graph.analysis.opaques.add((op, ty))), children: operands.into() }
}
