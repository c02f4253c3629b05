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

use crate::plan::{BufferId, Launch, Step};

/// How deep `While` and `Switch` may nest.
pub const DEPTH_MAX: usize = 64;

/// One token, as it is written. The variants and their order are those of [`Token`].
#[derive(Serialize)]
#[serde(rename = "Token")]
enum TokenRef<'a> {
    Launch(&'a Launch),
    While { predicate: BufferId },
    Body,
    Switch { index: BufferId },
    Branch,
    End,
}

/// One token, as it is read.
#[derive(Deserialize)]
#[allow(clippy::large_enum_variant, reason = "nearly all tokens are launches, and only one is held at a time")]
enum Token {
    /// A launch.
    Launch(Launch),
    /// Opens a loop; the steps that follow are its condition.
    While { predicate: BufferId },
    /// Ends the condition of the innermost loop and begins its body.
    Body,
    /// Opens a choice; a branch follows.
    Switch { index: BufferId },
    /// Begins a branch of the innermost choice.
    Branch,
    /// Closes the innermost loop or choice.
    End,
}

/// Writes steps as tokens.
pub fn serialize<S: Serializer>(steps: &[Step], serializer: S) -> Result<S::Ok, S::Error> {
    let mut sequence = serializer.serialize_seq(Some(token_count(steps, 0).map_err(S::Error::custom)?))?;
    write_steps(steps, &mut sequence)?;
    sequence.end()
}

/// Reads tokens back into steps.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Step>, D::Error> {
    deserializer.deserialize_seq(StepsVisitor)
}

/// Counts tokens, and refuses what [`deserialize`] would refuse, before anything is written.
fn token_count(steps: &[Step], depth: usize) -> Result<usize, String> {
    if depth > DEPTH_MAX {
        return Err(too_deep());
    }
    let mut count = 0;
    for step in steps {
        count += match step {
            Step::Launch(_) => 1,
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

fn write_steps<S: SerializeSeq>(steps: &[Step], sequence: &mut S) -> Result<(), S::Error> {
    for step in steps {
        match step {
            Step::Launch(launch) => sequence.serialize_element(&TokenRef::Launch(launch))?,
            Step::While { condition, predicate, body } => {
                sequence.serialize_element(&TokenRef::While { predicate: *predicate })?;
                write_steps(condition, sequence)?;
                sequence.serialize_element(&TokenRef::Body)?;
                write_steps(body, sequence)?;
                sequence.serialize_element(&TokenRef::End)?;
            }
            Step::Switch { index, branches } => {
                sequence.serialize_element(&TokenRef::Switch { index: *index })?;
                for branch in branches {
                    sequence.serialize_element(&TokenRef::Branch)?;
                    write_steps(branch, sequence)?;
                }
                sequence.serialize_element(&TokenRef::End)?;
            }
        }
    }
    Ok(())
}

/// A loop or choice that has not been closed yet.
enum Open {
    Condition { predicate: BufferId, condition: Vec<Step> },
    Body { predicate: BufferId, condition: Vec<Step>, body: Vec<Step> },
    Switch { index: BufferId, branches: Vec<Vec<Step>> },
}

struct StepsVisitor;

impl<'de> Visitor<'de> for StepsVisitor {
    type Value = Vec<Step>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row of step tokens")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut tokens: A) -> Result<Vec<Step>, A::Error> {
        let mut top = Vec::new();
        let mut open = Vec::new();
        while let Some(token) = tokens.next_element()? {
            take_token(token, &mut top, &mut open).map_err(A::Error::custom)?;
        }
        if open.is_empty() { Ok(top) } else { Err(A::Error::custom("a loop or choice is not closed")) }
    }
}

fn take_token(token: Token, top: &mut Vec<Step>, open: &mut Vec<Open>) -> Result<(), String> {
    match token {
        Token::Launch(launch) => push_step(Step::Launch(launch), top, open),
        Token::While { predicate } => push_open(Open::Condition { predicate, condition: Vec::new() }, open),
        Token::Switch { index } => push_open(Open::Switch { index, branches: Vec::new() }, open),
        Token::Body => match open.pop() {
            Some(Open::Condition { predicate, condition }) => {
                open.push(Open::Body { predicate, condition, body: Vec::new() });
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
            Some(Open::Body { predicate, condition, body }) => {
                push_step(Step::While { condition, predicate, body }, top, open)
            }
            Some(Open::Switch { index, branches }) => push_step(Step::Switch { index, branches }, top, open),
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

fn push_step(step: Step, top: &mut Vec<Step>, open: &mut [Open]) -> Result<(), String> {
    match open.last_mut() {
        None => top.push(step),
        Some(Open::Condition { condition, .. }) => condition.push(step),
        Some(Open::Body { body, .. }) => body.push(step),
        Some(Open::Switch { branches, .. }) => match branches.last_mut() {
            Some(branch) => branch.push(step),
            None => return Err("a choice has a step before its first branch".to_string()),
        },
    }
    Ok(())
}

fn too_deep() -> String {
    format!("steps nest deeper than {DEPTH_MAX} levels")
}
