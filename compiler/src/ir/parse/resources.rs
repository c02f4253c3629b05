//! `{-# dialect_resources: {builtin: {name: "0x…"}} #-}` at the end of a file: the bytes of `dense_resource<name>`.

use std::sync::Arc;

use super::{ParseResult, Parser, lexer::Kind};

/// Blobs begin with their alignment, 32 bits little-endian.
const ALIGNMENT_BYTES: usize = 4;

impl<'s> Parser<'s> {
    /// Reads the section, which stands behind its uses, before everything else.
    pub(super) fn read_resources(&mut self) -> ParseResult<()> {
        let Some(start) = self.source.rfind("{-#") else { return Ok(()) };
        // Between the section and the start of its line stands nothing, or the match is inside a string.
        let line_start = self.source[..start].rfind('\n').map_or(0, |at| at + 1);
        if !self.source[line_start..start].trim().is_empty() {
            return Ok(());
        }
        self.seek(start);
        self.parse_metadata(true)?;
        self.seek(0);
        Ok(())
    }

    /// Passes over the section when reading gets there.
    pub(super) fn skip_metadata(&mut self) -> ParseResult<()> {
        self.parse_metadata(false)
    }

    fn parse_metadata(&mut self, keep: bool) -> ParseResult<()> {
        self.advance();
        if self.is(Kind::MetadataClose) {
            self.advance();
            return Ok(());
        }
        loop {
            let section = self.expect_any_word("`dialect_resources`")?;
            self.expect(b':')?;
            self.expect(b'{')?;
            self.parse_list(b'}', |parser| parser.parse_resource_dialect(keep && section == "dialect_resources"))?;
            if self.take(b',') {
                continue;
            }
            if !self.is(Kind::MetadataClose) {
                return self.unexpected("`#-}`");
            }
            self.advance();
            return Ok(());
        }
    }

    fn parse_resource_dialect(&mut self, keep: bool) -> ParseResult<()> {
        self.expect_any_word("the name of a dialect")?;
        self.expect(b':')?;
        self.expect(b'{')?;
        self.parse_list(b'}', |parser| {
            let name = parser.parse_resource_name()?;
            parser.expect(b':')?;
            let (text, offset) = (parser.text(), parser.offset());
            match parser.token.kind {
                Kind::String => parser.advance(),
                Kind::Bare if matches!(text, "true" | "false") => parser.advance(),
                _ => return parser.unexpected("a string"),
            }
            if keep {
                parser.resources.insert(name, (text, offset));
            }
            Ok(())
        })?;
        Ok(())
    }

    /// A name, or a string that is one.
    pub(super) fn parse_resource_name(&mut self) -> ParseResult<&'s str> {
        let text = self.text();
        let name = match self.token.kind {
            Kind::Bare => text,
            Kind::String => &text[1..text.len() - 1],
            _ => return self.unexpected("the name of a resource"),
        };
        self.advance();
        Ok(name)
    }

    /// The bytes of a resource, without its alignment.
    pub(super) fn resource(&mut self, name: &'s str, use_offset: usize) -> ParseResult<Arc<[u8]>> {
        if let Some(bytes) = self.resource_bytes.get(name) {
            return Ok(bytes.clone());
        }
        let Some((text, offset)) = self.resources.get(name).copied() else {
            let why = match name {
                "__elided__" => {
                    "the constant's elements were left out when the file was printed; print it without elision"
                }
                _ => "the file has no `dialect_resources` section that defines it",
            };
            return self.fail_at(use_offset, format!("the resource `{name}` has no bytes: {why}"));
        };
        let Some(bytes) = hex_bytes(text.trim_matches('"')) else {
            return self.fail_at(offset, format!("the resource `{name}` is no string of hexadecimal digits"));
        };
        let Some(data) = bytes.get(ALIGNMENT_BYTES..) else {
            return self.fail_at(offset, format!("the resource `{name}` has no {ALIGNMENT_BYTES} bytes of alignment"));
        };
        let data: Arc<[u8]> = Arc::from(data);
        self.resource_bytes.insert(name, data.clone());
        Ok(data)
    }
}

/// The bytes of `0x…` with an even number of digits.
pub(super) fn hex_bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x")?.as_bytes();
    if digits.len() % 2 != 0 {
        return None;
    }
    digits.chunks_exact(2).map(|pair| Some(hex_digit(pair[0])? << 4 | hex_digit(pair[1])?)).collect()
}

fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
