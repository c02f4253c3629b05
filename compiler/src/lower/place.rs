//! Where the result of an operation lies, as the attribute `places` spells it.

use std::{fmt, str::FromStr};

use crate::ir::{Attribute, Module, OpId};

/// The attribute of an operation that holds the place of each of its results.
pub const PLACES: &str = "places";

/// Where a value lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// In the arena, at an offset in bytes.
    Arena(u64),
    /// Where an argument lies, which it replaces.
    Argument(u32),
    /// In the buffer of a result of the function.
    Result(u32),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Arena(offset) => write!(f, "arena {offset}"),
            Place::Argument(index) => write!(f, "argument {index}"),
            Place::Result(index) => write!(f, "result {index}"),
        }
    }
}

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Place, NoPlace> {
        let (kind, number) = text.split_once(' ').ok_or(NoPlace)?;
        match kind {
            "arena" => number.parse().map(Place::Arena).map_err(|_| NoPlace),
            "argument" => number.parse().map(Place::Argument).map_err(|_| NoPlace),
            "result" => number.parse().map(Place::Result).map_err(|_| NoPlace),
            _ => Err(NoPlace),
        }
    }
}

/// A text that is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoPlace;

/// The places as an attribute.
pub fn places_attribute(places: impl IntoIterator<Item = Place>) -> Attribute {
    Attribute::Array(places.into_iter().map(|place| Attribute::string(&place.to_string())).collect())
}

/// The places of an operation's results; none if its memory is not planned. The verifier has checked the spelling.
pub fn places_of(module: &Module, op: OpId) -> Option<Vec<Place>> {
    let Some(Attribute::Array(places)) = module.op(op).attr(PLACES) else { return None };
    places.iter().map(|place| place.as_str()?.parse().ok()).collect()
}
