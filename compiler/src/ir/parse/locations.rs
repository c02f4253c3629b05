//! `loc(…)`: what the exporter says about where an operation comes from.

//!
//! Aliases can make a short text stand for a huge or endlessly nested location; what goes beyond [`NODES_MAX`] or
//! [`DEPTH_MAX`] is read as `unknown`: a location is no reason to refuse a model.

use std::sync::Arc;

use super::{ParseResult, Parser, lexer::Kind};
use crate::ir::{OpId, module::UserLocation};

/// How many parts a location may have.
const NODES_MAX: usize = 2000;

/// How deeply the location that an alias stands for may nest.
const DEPTH_MAX: usize = 100;

/// A location as written after an operation.
pub(super) enum WrittenLocation<'s> {
    /// `loc(#loc3)`; JAX defines it at the end of the file.
    Alias(&'s str, usize),
    /// Any other.
    Given(UserLocation),
}

impl<'s> Parser<'s> {
    /// Reads `loc(…)` if it is next.
    pub(super) fn parse_optional_location(&mut self) -> ParseResult<Option<WrittenLocation<'s>>> {
        if !self.at_word("loc") {
            return Ok(None);
        }
        self.advance();
        self.expect(b'(')?;
        let location = if self.is(Kind::Hash) {
            let alias = WrittenLocation::Alias(self.text(), self.offset());
            self.advance();
            alias
        } else {
            self.location_nodes = 0;
            WrittenLocation::Given(self.parse_location()?)
        };
        self.expect(b')')?;
        Ok(Some(location))
    }

    /// Reads the definition of a location alias, after `=`.
    pub(super) fn parse_location_alias(&mut self, name: &'s str) -> ParseResult<()> {
        self.expect_word("loc")?;
        self.expect(b'(')?;
        self.location_nodes = 0;
        let location = self.parse_location()?;
        self.expect(b')')?;
        let (_, depth) = measure(&location);
        self.location_aliases.insert(name, if depth > DEPTH_MAX { UserLocation::Unknown } else { location });
        Ok(())
    }

    /// Gives an operation the location that stands after it.
    pub(super) fn place_operation(&mut self, op: OpId, location: WrittenLocation<'s>) {
        match location {
            WrittenLocation::Alias(name, offset) => self.pending_locations.push((op, name, offset)),
            WrittenLocation::Given(user) => self.set_user_location(op, user),
        }
    }

    /// Gives the operations with aliases their locations, now that all aliases are known.
    pub(super) fn resolve_locations(&mut self) -> ParseResult<()> {
        for (op, name, offset) in std::mem::take(&mut self.pending_locations) {
            let Some(user) = self.location_aliases.get(name) else {
                return self.fail_at(offset, format!("the location `{name}` is not defined in the file"));
            };
            let user = user.clone();
            if !self.module.is_erased(op) {
                self.set_user_location(op, user);
            }
        }
        Ok(())
    }

    fn set_user_location(&mut self, op: OpId, user: UserLocation) {
        let mut location = self.module.location(self.module.op(op).loc).clone();
        location.user = Some(Arc::new(user));
        let loc = self.module.add_location(location);
        self.module.op_mut(op).loc = loc;
    }

    fn parse_location(&mut self) -> ParseResult<UserLocation> {
        self.nested(|parser| match parser.token.kind {
            Kind::Hash => {
                let name = parser.text();
                let Some(location) = parser.location_aliases.get(name) else {
                    return parser.fail(format!("the location `{name}` is not defined before this use"));
                };
                parser.location_nodes += measure(location).0;
                let fits = parser.location_nodes <= NODES_MAX;
                let location = if fits { location.clone() } else { UserLocation::Unknown };
                parser.advance();
                Ok(location)
            }
            Kind::String => parser.parse_string_location(),
            Kind::Bare => parser.parse_word_location(),
            _ => parser.unexpected("a location"),
        })
    }

    /// `"file":1:2`, `"file":1:2 to 3:4`, `"name"`, `"name"(child)`.
    fn parse_string_location(&mut self) -> ParseResult<UserLocation> {
        let text: Arc<str> = Arc::from(self.parse_string()?);
        if self.take(b':') {
            let start = self.parse_line_and_column()?;
            let mut end = None;
            if self.take_word("to") {
                let line = if self.at_punct(b':') { start.0 } else { self.parse_u32()? };
                self.expect(b':')?;
                end = Some((line, self.parse_u32()?));
            }
            return Ok(UserLocation::File { file: text, start, end });
        }
        let mut child = None;
        if self.take(b'(') {
            child = Some(Arc::new(self.parse_location()?));
            self.expect(b')')?;
        }
        Ok(UserLocation::Name { name: text, child })
    }

    fn parse_line_and_column(&mut self) -> ParseResult<(u32, u32)> {
        let line = self.parse_u32()?;
        self.expect(b':')?;
        Ok((line, self.parse_u32()?))
    }

    /// `unknown`, `callsite(a at b)`, `fused<metadata>[…]`.
    fn parse_word_location(&mut self) -> ParseResult<UserLocation> {
        if self.take_word("unknown") {
            return Ok(UserLocation::Unknown);
        }
        if self.take_word("callsite") {
            self.expect(b'(')?;
            let callee = Arc::new(self.parse_location()?);
            self.expect_word("at")?;
            let caller = Arc::new(self.parse_location()?);
            self.expect(b')')?;
            return Ok(UserLocation::CallSite { callee, caller });
        }
        if self.take_word("fused") {
            let mut metadata = None;
            if self.take(b'<') {
                metadata = Some(self.parse_attribute()?);
                self.expect(b'>')?;
            }
            self.expect(b'[')?;
            let parts = self.parse_list(b']', Parser::parse_location)?;
            return Ok(UserLocation::Fused { metadata, parts });
        }
        self.unexpected("a location")
    }
}

/// How many parts a location has, and how deeply they nest.
fn measure(location: &UserLocation) -> (usize, usize) {
    let children: Vec<&UserLocation> = match location {
        UserLocation::Unknown | UserLocation::File { .. } => Vec::new(),
        UserLocation::Name { child, .. } => child.iter().map(Arc::as_ref).collect(),
        UserLocation::CallSite { callee, caller } => vec![callee, caller],
        UserLocation::Fused { parts, .. } => parts.iter().collect(),
    };
    children.into_iter().map(measure).fold((1, 1), |(nodes, depth), child| (nodes + child.0, depth.max(child.1 + 1)))
}
