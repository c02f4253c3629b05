//! The flat encoding of nested steps.
//!
//! Steps hold steps, and a derived decoder would call itself once a level: a small hostile file could use up the
//! stack. Here a list of steps is a row of tokens, and decoding keeps the open levels in a vector of at most
//! [`DEPTH_MAX`].

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, SeqAccess, Visitor},
    ser::{Error as _, SerializeSeq},
};

use crate::plan::{BufferId, Launch, Node, SlotRows, Step};

/// How deep `While` and `Switch` may nest.
pub const DEPTH_MAX: usize = 64;

/// One token, as it is written. The variants and their order are those of [`Token`].
#[derive(Serialize)]
#[serde(rename = "Token")]
enum TokenRef<'a> {
    Launch { after: &'a [u32], launch: &'a Launch },
    Ensure { after: &'a [u32], rows: &'a SlotRows },
    Retire { after: &'a [u32], rows: &'a SlotRows },
    While { after: &'a [u32], predicate: BufferId },
    Body,
    Switch { after: &'a [u32], index: BufferId },
    Branch,
    End,
}

/// One token, as it is read.
#[derive(Deserialize)]
#[allow(clippy::large_enum_variant, reason = "nearly all tokens are launches, and only one is held at a time")]
enum Token {
    /// A launch.
    Launch { after: Vec<u32>, launch: Launch },
    /// Rows that must be mapped.
    Ensure { after: Vec<u32>, rows: SlotRows },
    /// Rows below which none are touched from then on.
    Retire { after: Vec<u32>, rows: SlotRows },
    /// Opens a loop; the nodes that follow are its condition.
    While { after: Vec<u32>, predicate: BufferId },
    /// Ends the condition of the innermost loop and begins its body.
    Body,
    /// Opens a choice; a branch follows.
    Switch { after: Vec<u32>, index: BufferId },
    /// Begins a branch of the innermost choice.
    Branch,
    /// Closes the innermost loop or choice.
    End,
}

/// Writes nodes as tokens.
pub fn serialize<S: Serializer>(nodes: &[Node], serializer: S) -> Result<S::Ok, S::Error> {
    let mut sequence = serializer.serialize_seq(Some(token_count(nodes, 0).map_err(S::Error::custom)?))?;
    write_nodes(nodes, &mut sequence)?;
    sequence.end()
}

/// Reads tokens back into nodes.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Node>, D::Error> {
    deserializer.deserialize_seq(NodesVisitor)
}

/// Counts tokens, and refuses what [`deserialize`] would refuse, before anything is written.
fn token_count(nodes: &[Node], depth: usize) -> Result<usize, String> {
    if depth > DEPTH_MAX {
        return Err(too_deep());
    }
    let mut count = 0;
    for node in nodes {
        count += match &node.step {
            Step::Launch(_) | Step::Ensure(_) | Step::Retire(_) => 1,
            Step::While { condition, body, .. } => {
                3 + token_count(condition, depth + 1)? + token_count(body, depth + 1)?
            }
            Step::Switch { branches, .. } => {
                let mut inner = 2;
                for branch in branches {
                    inner += 1 + token_count(branch, depth + 1)?;
                }
                inner
            }
        };
    }
    Ok(count)
}

fn write_nodes<S: SerializeSeq>(nodes: &[Node], sequence: &mut S) -> Result<(), S::Error> {
    for Node { after, step } in nodes {
        match step {
            Step::Launch(launch) => sequence.serialize_element(&TokenRef::Launch { after, launch })?,
            Step::Ensure(rows) => sequence.serialize_element(&TokenRef::Ensure { after, rows })?,
            Step::Retire(rows) => sequence.serialize_element(&TokenRef::Retire { after, rows })?,
            Step::While { condition, predicate, body } => {
                sequence.serialize_element(&TokenRef::While { after, predicate: *predicate })?;
                write_nodes(condition, sequence)?;
                sequence.serialize_element(&TokenRef::Body)?;
                write_nodes(body, sequence)?;
                sequence.serialize_element(&TokenRef::End)?;
            }
            Step::Switch { index, branches } => {
                sequence.serialize_element(&TokenRef::Switch { after, index: *index })?;
                for branch in branches {
                    sequence.serialize_element(&TokenRef::Branch)?;
                    write_nodes(branch, sequence)?;
                }
                sequence.serialize_element(&TokenRef::End)?;
            }
        }
    }
    Ok(())
}

/// A loop or choice that has not been closed yet.
enum Open {
    Condition { after: Vec<u32>, predicate: BufferId, condition: Vec<Node> },
    Body { after: Vec<u32>, predicate: BufferId, condition: Vec<Node>, body: Vec<Node> },
    Switch { after: Vec<u32>, index: BufferId, branches: Vec<Vec<Node>> },
}

struct NodesVisitor;

impl<'de> Visitor<'de> for NodesVisitor {
    type Value = Vec<Node>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row of step tokens")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut tokens: A) -> Result<Vec<Node>, A::Error> {
        let mut top = Vec::new();
        let mut open = Vec::new();
        while let Some(token) = tokens.next_element()? {
            take_token(token, &mut top, &mut open).map_err(A::Error::custom)?;
        }
        if open.is_empty() { Ok(top) } else { Err(A::Error::custom("a loop or choice is not closed")) }
    }
}

fn take_token(token: Token, top: &mut Vec<Node>, open: &mut Vec<Open>) -> Result<(), String> {
    match token {
        Token::Launch { after, launch } => push_node(Node { after, step: Step::Launch(launch) }, top, open),
        Token::Ensure { after, rows } => push_node(Node { after, step: Step::Ensure(rows) }, top, open),
        Token::Retire { after, rows } => push_node(Node { after, step: Step::Retire(rows) }, top, open),
        Token::While { after, predicate } => {
            push_open(Open::Condition { after, predicate, condition: Vec::new() }, open)
        }
        Token::Switch { after, index } => push_open(Open::Switch { after, index, branches: Vec::new() }, open),
        Token::Body => match open.pop() {
            Some(Open::Condition { after, predicate, condition }) => {
                open.push(Open::Body { after, predicate, condition, body: Vec::new() });
                Ok(())
            }
            _ => Err("a loop body begins outside a loop's condition".to_string()),
        },
        Token::Branch => match open.last_mut() {
            Some(Open::Switch { branches, .. }) => {
                branches.push(Vec::new());
                Ok(())
            }
            _ => Err("a branch begins outside a choice".to_string()),
        },
        Token::End => match open.pop() {
            Some(Open::Body { after, predicate, condition, body }) => {
                push_node(Node { after, step: Step::While { condition, predicate, body } }, top, open)
            }
            Some(Open::Switch { after, index, branches }) => {
                push_node(Node { after, step: Step::Switch { index, branches } }, top, open)
            }
            Some(Open::Condition { .. }) => Err("a loop ends without a body".to_string()),
            None => Err("an end without a loop or choice".to_string()),
        },
    }
}

fn push_open(level: Open, open: &mut Vec<Open>) -> Result<(), String> {
    if open.len() >= DEPTH_MAX {
        return Err(too_deep());
    }
    open.push(level);
    Ok(())
}

fn push_node(node: Node, top: &mut Vec<Node>, open: &mut [Open]) -> Result<(), String> {
    match open.last_mut() {
        None => top.push(node),
        Some(Open::Condition { condition, .. }) => condition.push(node),
        Some(Open::Body { body, .. }) => body.push(node),
        Some(Open::Switch { branches, .. }) => match branches.last_mut() {
            Some(branch) => branch.push(node),
            None => return Err("a choice has a step before its first branch".to_string()),
        },
    }
    Ok(())
}

fn too_deep() -> String {
    format!("steps nest deeper than {DEPTH_MAX} levels")
}
