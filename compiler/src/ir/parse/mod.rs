//! Reads MLIR text: pretty, generic, and the two mixed in one file (as JAX prints them).
//!
//! A recursive-descent parser over `lexer`'s tokens that builds the module as it reads; values must be defined before
//! they are used, so one pass is enough. Generic forms, regions and scopes are in `operations`; the pretty form of each
//! operation is in [`crate::ir::syntax`], its parse function beside its print function.
//!
//! The input is not trusted: nesting is bounded by [`DEPTH_MAX`], numbers and products of extents are checked for
//! overflow, and nothing is allocated whose size is not bounded by the size of the source.
//! The parser does not judge meaning: that is the verifier's.

mod affine;
mod attributes;
mod dense;
mod dialect_attributes;
mod lexer;
mod locations;
mod normalise;
mod operations;
mod resources;
mod scopes;
mod types;

use std::{
    cell::Cell,
    collections::{HashMap, HashSet},
    sync::Arc,
};

pub(crate) use self::operations::is_isolated;
use self::{
    lexer::{Kind, Token, token_at},
    scopes::Scopes,
};
use super::{
    attribute::Attribute,
    module::{Module, OpId, UserLocation},
    types::{Symbol, Type},
};
use crate::diagnostic::{Diagnostic, Diagnostics, Position};

/// How deeply regions, attributes, types and locations may nest in each other.
pub const DEPTH_MAX: u32 = 128;

/// Reads a whole file.
///
/// # Errors
/// What is wrong with the text, at its place. Reading stops at the first error.
pub fn parse(source: &str, file: &str) -> Result<Module, Diagnostics> {
    parse_at(source, file, 1)
}

/// Reads a part of a file that begins at a line of it, so that positions are those of the whole file.
///
/// # Errors
/// As [`parse`].
pub fn parse_at(source: &str, file: &str, first_line: u32) -> Result<Module, Diagnostics> {
    Parser::new(source, file, first_line).read_file().map_err(|diagnostic| Diagnostics::from(*diagnostic))
}

/// The text of a file's bytes.
///
/// # Errors
/// The file holds bytecode (with the command that converts it), or is not UTF-8.
pub fn source_text<'s>(bytes: &'s [u8], file: &str) -> Result<&'s str, Diagnostics> {
    let position = |line, column| Position { file: Arc::from(file), line, column };
    // JAX wraps bytecode in a container of its own. No UTF-8 text holds these bytes.
    if bytes.windows(4).take(4096).any(|window| window == b"ML\xefR") {
        return Err(Diagnostic::error(
            position(0, 0),
            format!(
                "the file holds MLIR bytecode, not text; convert it with \
                 `stablehlo-translate --deserialize {file} -o model.mlir`"
            ),
        )
        .into());
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let valid = &bytes[..error.valid_up_to()];
        let line_start = valid.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count();
        let column = 1 + String::from_utf8_lossy(&valid[line_start..]).chars().count();
        let byte = bytes[error.valid_up_to()];
        let at = position(u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX));
        Diagnostic::error(at, format!("byte 0x{byte:02X} is not UTF-8: an MLIR file is text")).into()
    })
}

/// What every parse function returns. The diagnostic is boxed because results are returned from every small step.
pub(crate) type ParseResult<T> = Result<T, Box<Diagnostic>>;

/// The state of one reading.
pub(crate) struct Parser<'s> {
    source: &'s str,
    file: Arc<str>,
    first_line: u32,
    token: Token,
    /// Where the token before the current one ends.
    last_end: usize,
    depth: u32,
    /// The deepest nesting since it was last reset, that of aliases used included.
    depth_reached: u32,
    /// How much the aliases used so far stand for.
    alias_nodes: u64,
    /// What is built.
    pub module: Module,
    line_cursor: Cell<LineCursor>,
    texts: HashMap<&'s str, Arc<str>>,
    plain_tensors: HashMap<&'s str, Type>,
    scopes: Scopes<'s>,
    attribute_aliases: HashMap<&'s str, Alias<Attribute>>,
    type_aliases: HashMap<&'s str, Alias<Type>>,
    location_aliases: HashMap<&'s str, UserLocation>,
    /// Parts of the location being read.
    location_nodes: usize,
    pending_locations: Vec<(OpId, &'s str, usize)>,
    resources: HashMap<&'s str, (&'s str, usize)>,
    resource_bytes: HashMap<&'s str, Arc<[u8]>>,
    symbols: HashMap<Arc<str>, Arc<Symbol>>,
    unnamed_symbols: HashSet<Arc<str>>,
    next_symbol: u64,
}

/// What an alias stands for. Aliases of aliases can make a short text stand for a huge or endlessly nested attribute,
/// so each knows how large and how deep it is.
struct Alias<T> {
    value: T,
    nodes: u64,
    depth: u32,
}

/// How much all uses of aliases in a file may stand for.
const ALIAS_NODES_MAX: u64 = 10_000_000;

/// The line and column of an offset; positions are mostly asked for in order, so counting goes on from the last.
#[derive(Debug, Clone, Copy)]
struct LineCursor {
    offset: usize,
    line: u32,
    column: u32,
}

impl<'s> Parser<'s> {
    fn new(source: &'s str, file: &str, first_line: u32) -> Parser<'s> {
        Parser {
            source,
            file: Arc::from(file),
            first_line,
            token: token_at(source, 0),
            last_end: 0,
            depth: 0,
            module: Module::new(file),
            line_cursor: Cell::new(LineCursor { offset: 0, line: first_line, column: 1 }),
            texts: HashMap::new(),
            plain_tensors: HashMap::new(),
            scopes: Scopes::new(),
            attribute_aliases: HashMap::new(),
            type_aliases: HashMap::new(),
            location_aliases: HashMap::new(),
            location_nodes: 0,
            pending_locations: Vec::new(),
            alias_nodes: 0,
            depth_reached: 0,
            resources: HashMap::new(),
            resource_bytes: HashMap::new(),
            symbols: HashMap::new(),
            unnamed_symbols: HashSet::new(),
            next_symbol: types::first_unused_symbol(source),
        }
    }

    fn read_file(mut self) -> ParseResult<Module> {
        if self.source.starts_with("ML\u{fffd}R") {
            return self.fail_at(
                0,
                "the file holds MLIR bytecode, not text; convert it with `stablehlo-translate --deserialize`",
            );
        }
        self.read_resources()?;
        self.parse_top_level()?;
        self.resolve_locations()?;
        Ok(self.module)
    }

    // Tokens.

    /// The text of the current token.
    pub fn text(&self) -> &'s str {
        &self.source[self.token.start..self.token.end]
    }

    /// Where the current token begins.
    pub fn offset(&self) -> usize {
        self.token.start
    }

    /// Goes to the next token.
    pub fn advance(&mut self) {
        self.last_end = self.token.end;
        self.token = token_at(self.source, self.token.end);
    }

    /// Goes to the first token at or after an offset.
    fn seek(&mut self, offset: usize) {
        self.last_end = offset;
        self.token = token_at(self.source, offset);
    }

    fn is(&self, kind: Kind) -> bool {
        self.token.kind == kind
    }

    /// True if the current token is that punctuation.
    pub fn at_punct(&self, punct: u8) -> bool {
        self.token.kind == Kind::Punct(punct)
    }

    /// True if the current token is that word.
    pub fn at_word(&self, word: &str) -> bool {
        self.is(Kind::Bare) && self.text() == word
    }

    /// True if the current token begins with `%`.
    pub fn at_value(&self) -> bool {
        self.is(Kind::Percent)
    }

    /// Takes that punctuation if it is next.
    pub fn take(&mut self, punct: u8) -> bool {
        let found = self.at_punct(punct);
        if found {
            self.advance();
        }
        found
    }

    /// Takes that word if it is next.
    pub fn take_word(&mut self, word: &str) -> bool {
        let found = self.at_word(word);
        if found {
            self.advance();
        }
        found
    }

    /// Takes `->` if it is next.
    pub fn take_arrow(&mut self) -> bool {
        let found = self.is(Kind::Arrow);
        if found {
            self.advance();
        }
        found
    }

    /// Takes that punctuation.
    pub fn expect(&mut self, punct: u8) -> ParseResult<()> {
        if self.take(punct) { Ok(()) } else { self.unexpected(&format!("`{}`", punct as char)) }
    }

    /// Takes that word.
    pub fn expect_word(&mut self, word: &str) -> ParseResult<()> {
        if self.take_word(word) { Ok(()) } else { self.unexpected(&format!("`{word}`")) }
    }

    /// Takes `->`.
    pub fn expect_arrow(&mut self) -> ParseResult<()> {
        if self.take_arrow() { Ok(()) } else { self.unexpected("`->`") }
    }

    /// Takes any word; `what` says what it is for.
    pub fn expect_any_word(&mut self, what: &str) -> ParseResult<&'s str> {
        if !self.is(Kind::Bare) {
            return self.unexpected(what);
        }
        let text = self.text();
        self.advance();
        Ok(text)
    }

    /// Reads items separated by commas up to a closing punctuation, which is taken too.
    pub fn parse_list<T>(
        &mut self,
        close: u8,
        mut parse_item: impl FnMut(&mut Self) -> ParseResult<T>,
    ) -> ParseResult<Vec<T>> {
        let mut items = Vec::new();
        if self.take(close) {
            return Ok(items);
        }
        loop {
            items.push(parse_item(self)?);
            if self.take(close) {
                return Ok(items);
            }
            if !self.take(b',') {
                return self.unexpected(&format!("`,` or `{}`", close as char));
            }
        }
    }

    /// Does something one level deeper.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> ParseResult<T>) -> ParseResult<T> {
        if self.depth >= DEPTH_MAX {
            return self.fail(format!("nested more than {DEPTH_MAX} levels deep"));
        }
        self.depth += 1;
        self.depth_reached = self.depth_reached.max(self.depth);
        let result = parse(self);
        self.depth -= 1;
        result
    }

    /// Counts a use of an alias of that size.
    fn count_alias(&mut self, nodes: u64, depth: u32) -> ParseResult<()> {
        self.alias_nodes = self.alias_nodes.saturating_add(nodes);
        self.depth_reached = self.depth_reached.max(self.depth + depth);
        if self.depth + depth > DEPTH_MAX {
            return self.fail(format!("the alias nests more than {DEPTH_MAX} levels deep"));
        }
        if self.alias_nodes > ALIAS_NODES_MAX {
            return self.fail(format!("the aliases used up to here stand for more than {ALIAS_NODES_MAX} attributes"));
        }
        Ok(())
    }

    /// Reads the value of an alias.
    fn parse_alias<T>(&mut self, parse: impl FnOnce(&mut Self) -> ParseResult<T>) -> ParseResult<Alias<T>> {
        let nodes = self.alias_nodes;
        self.depth_reached = self.depth;
        let value = parse(self)?;
        Ok(Alias { value, nodes: self.alias_nodes - nodes + 1, depth: self.depth_reached - self.depth })
    }

    /// The shared copy of a text.
    fn intern(&mut self, text: &'s str) -> Arc<str> {
        self.texts.entry(text).or_insert_with(|| Arc::from(text)).clone()
    }

    // Errors.

    /// The line and column of an offset.
    pub fn position(&self, offset: usize) -> Position {
        let mut cursor = self.line_cursor.get();
        if offset < cursor.offset {
            cursor = LineCursor { offset: 0, line: self.first_line, column: 1 };
        }
        for byte in &self.source.as_bytes()[cursor.offset..offset] {
            match byte {
                b'\n' => (cursor.line, cursor.column) = (cursor.line.saturating_add(1), 1),
                // A byte that goes on with a character adds no column.
                0x80..=0xbf => {}
                _ => cursor.column = cursor.column.saturating_add(1),
            }
        }
        cursor.offset = offset;
        self.line_cursor.set(cursor);
        Position { file: self.file.clone(), line: cursor.line, column: cursor.column }
    }

    /// An error at an offset.
    pub fn fail_at<T>(&self, offset: usize, message: impl Into<String>) -> ParseResult<T> {
        Err(Box::new(Diagnostic::error(self.position(offset), message)))
    }

    /// An error at the current token.
    pub fn fail<T>(&self, message: impl Into<String>) -> ParseResult<T> {
        self.fail_at(self.token.start, message)
    }

    /// The error that something else was expected than the current token.
    pub fn unexpected<T>(&self, expected: &str) -> ParseResult<T> {
        self.fail(format!("expected {expected}, found {}", self.describe_token()))
    }

    fn describe_token(&self) -> String {
        const SHOWN_MAX: usize = 40;
        match self.token.kind {
            Kind::End => "the end of the file".into(),
            Kind::UnterminatedString => "a string without a closing quote".into(),
            _ if self.text().chars().count() > SHOWN_MAX => {
                format!("`{}…`", self.text().chars().take(SHOWN_MAX).collect::<String>())
            }
            _ => format!("`{}`", self.text()),
        }
    }
}

#[cfg(test)]
mod tests;
