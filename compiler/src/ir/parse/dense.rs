//! The elements of constants: `dense<…> : tensor<…>` in every form, and `dense_resource<…>`.

use std::sync::Arc;

use super::{
    ParseResult, Parser,
    lexer::{Kind, skip_blank},
    resources::hex_bytes,
};
use crate::ir::{
    attribute::{Attribute, DenseElements},
    syntax::elements::{element_bytes, push_bytes, read_integer},
    types::{ElementType, FloatKind, TensorType, Type},
};

/// The extents and the element type of the constant being read.
struct Literal<'t> {
    shape: &'t [u64],
    element: &'t ElementType,
    /// Bytes of an element.
    size: usize,
}

impl<'s> Parser<'s> {
    /// `dense<…> : tensor<…>`. The type, which stands behind the elements, is read first.
    pub(super) fn parse_dense(&mut self) -> ParseResult<Attribute> {
        let start = self.offset();
        self.advance();
        if !self.at_punct(b'<') {
            return self.unexpected("`<`");
        }
        let body = self.token.end;
        let Some(end) = dense_end(self.source, body) else {
            return self.fail_at(start, "the elements of the constant have no end: expected `>`");
        };
        self.seek(end);
        self.expect(b'>')?;
        let (ty, shape) = self.parse_dense_type()?;
        let (after, last_end) = (self.token, self.last_end);
        let Some(size) = element_bytes(&ty.element) else {
            return self.fail_at(start, format!("constants of type `{}` are not read", ty.element));
        };
        self.seek(body);
        let literal = Literal { shape: &shape, element: &ty.element, size };
        let bytes = self.parse_dense_body(start, &literal)?;
        if self.offset() != end {
            return self.unexpected("`>`");
        }
        (self.token, self.last_end) = (after, last_end);
        Ok(Attribute::Dense(DenseElements::new(ty, bytes)))
    }

    /// `: tensor<…>` of static shape.
    fn parse_dense_type(&mut self) -> ParseResult<(Arc<TensorType>, Vec<u64>)> {
        self.expect(b':')?;
        let offset = self.offset();
        let Type::Tensor(ty) = self.parse_type()? else {
            return self.fail_at(offset, "expected a tensor type");
        };
        match ty.static_shape() {
            Some(shape) => Ok((ty, shape)),
            None => self
                .fail_at(offset, format!("the shape of a constant is known: `{}` has a `?`", Type::Tensor(ty.clone()))),
        }
    }

    /// The elements up to `>`: all of them, or one that stands for all.
    fn parse_dense_body(&mut self, start: usize, literal: &Literal<'_>) -> ParseResult<Vec<u8>> {
        let mut bytes = Vec::new();
        match self.token.kind {
            Kind::Punct(b'>') if literal.shape.contains(&0) => {}
            Kind::Punct(b'>') => return self.fail_at(start, "the constant has no elements, but its type has some"),
            Kind::String => return self.parse_hex(literal),
            Kind::Punct(b'[') => self.parse_nested(literal, 0, &mut bytes)?,
            _ => {
                self.parse_element(literal, &mut bytes)?;
                if literal.shape.contains(&0) {
                    bytes.clear();
                }
            }
        }
        Ok(bytes)
    }

    /// `[…]` at a level of nesting.
    fn parse_nested(&mut self, literal: &Literal<'_>, level: usize, bytes: &mut Vec<u8>) -> ParseResult<()> {
        let start = self.offset();
        let Some(extent) = literal.shape.get(level).copied() else {
            return self.fail(format!("the constant's elements nest deeper than its rank {}", literal.shape.len()));
        };
        self.expect(b'[')?;
        let mut count = 0u64;
        self.nested(|parser| {
            parser.parse_list(b']', |parser| {
                count += 1;
                if level + 1 == literal.shape.len() {
                    return parser.parse_element(literal, bytes);
                }
                if !parser.at_punct(b'[') {
                    return parser.unexpected("`[`");
                }
                parser.parse_nested(literal, level + 1, bytes)
            })
        })?;
        if count != extent {
            return self
                .fail_at(start, format!("{count} elements along dimension {level}, but its extent is {extent}"));
        }
        Ok(())
    }

    fn parse_element(&mut self, literal: &Literal<'_>, bytes: &mut Vec<u8>) -> ParseResult<()> {
        match literal.element {
            ElementType::Float(kind) => self.parse_float_part(*kind, literal.size, bytes),
            ElementType::Complex(kind) => {
                self.expect(b'(')?;
                self.parse_float_part(*kind, literal.size / 2, bytes)?;
                self.expect(b',')?;
                self.parse_float_part(*kind, literal.size / 2, bytes)?;
                self.expect(b')')
            }
            element => {
                let offset = self.offset();
                let negative = self.take(b'-');
                let text = self.text();
                let value = match (self.token.kind, text) {
                    (Kind::Bare, "true") if *element == ElementType::BOOL && !negative => 1,
                    (Kind::Bare, "false") if *element == ElementType::BOOL && !negative => 0,
                    (Kind::Integer, _) => match self.integer_value(text, negative, element, offset)? {
                        value if *element == ElementType::BOOL => i128::from(value != 0),
                        value => value,
                    },
                    _ => return self.unexpected(&format!("an element of type `{element}`")),
                };
                self.advance();
                push_bytes(bytes, value as u128, literal.size);
                Ok(())
            }
        }
    }

    fn parse_float_part(&mut self, kind: FloatKind, size: usize, bytes: &mut Vec<u8>) -> ParseResult<()> {
        let offset = self.offset();
        let negative = self.take(b'-');
        if !matches!(self.token.kind, Kind::Integer | Kind::Float) {
            return self.unexpected(&format!("an element of type `{}`", kind.name()));
        }
        let bits = self.float_bits(self.text(), self.token.kind, negative, kind, offset)?;
        self.advance();
        push_bytes(bytes, u128::from(bits), size);
        Ok(())
    }

    /// `"0x…"`.
    fn parse_hex(&mut self, literal: &Literal<'_>) -> ParseResult<Vec<u8>> {
        let offset = self.offset();
        let text = self.text();
        let Some(bytes) = hex_bytes(&text[1..text.len() - 1]) else {
            return self.fail("expected a string of hexadecimal digits such as \"0x00FF\"");
        };
        self.advance();
        self.check_raw(bytes, literal, offset)
    }

    /// `dense_resource<name> : tensor<…>`.
    pub(super) fn parse_dense_resource(&mut self) -> ParseResult<Attribute> {
        let start = self.offset();
        self.advance();
        self.expect(b'<')?;
        let name = self.parse_resource_name()?;
        self.expect(b'>')?;
        let (ty, shape) = self.parse_dense_type()?;
        let Some(size) = element_bytes(&ty.element) else {
            return self.fail_at(start, format!("constants of type `{}` are not read", ty.element));
        };
        let raw = self.resource(name, start)?;
        let literal = Literal { shape: &shape, element: &ty.element, size };
        let bytes = self.check_raw(raw.to_vec(), &literal, start)?;
        Ok(Attribute::Dense(DenseElements::new(ty, bytes)))
    }

    /// Raw bytes as elements lie in memory: upstream packs `i1` eight to a byte, and leaves the sign of `i4` out.
    fn check_raw(&self, raw: Vec<u8>, literal: &Literal<'_>, offset: usize) -> ParseResult<Vec<u8>> {
        let count = literal.shape.iter().try_fold(1u64, |count, extent| count.checked_mul(*extent)).unwrap_or(u64::MAX);
        let found = raw.len() as u64;
        let bytes = match literal.element {
            ElementType::Integer { width: 1, .. } => match found {
                // One byte for all: 0 or, packed, 0xFF.
                1 if count != 1 && (raw[0] == 0 || raw[0] == 0xff) => vec![raw[0] & 1],
                _ if found == count => raw.iter().map(|byte| u8::from(*byte != 0)).collect(),
                _ if found == count.div_ceil(8) => (0..count as usize).map(|at| raw[at / 8] >> (at % 8) & 1).collect(),
                _ => {
                    let packed = count.div_ceil(8);
                    let message =
                        format!("{found} bytes of data for {count} truth values: expected {count}, or {packed} packed");
                    return self.fail_at(offset, message);
                }
            },
            _ if found != literal.size as u64 && count.checked_mul(literal.size as u64) != Some(found) => {
                let message = format!("{found} bytes of data for {count} elements of {} bytes", literal.size);
                return self.fail_at(offset, message);
            }
            element @ ElementType::Integer { width, .. } if *width < 8 * literal.size as u32 => {
                let mut bytes = Vec::with_capacity(raw.len());
                for stored in raw.chunks_exact(literal.size) {
                    push_bytes(&mut bytes, read_integer(stored, element) as u128, literal.size);
                }
                bytes
            }
            _ => raw,
        };
        Ok(if count == 0 { Vec::new() } else { bytes })
    }
}

/// The offset of the `>` that ends a literal's elements.
fn dense_end(source: &str, body: usize) -> Option<usize> {
    let bytes = source.as_bytes();
    let mut at = body;
    loop {
        match bytes.get(at)? {
            b'>' => return Some(at),
            b'"' => at += 2 + bytes[at + 1..].iter().position(|byte| *byte == b'"')?,
            b'/' => at = skip_blank(bytes, at).max(at + 1),
            _ => at += 1,
        }
    }
}
