//! Attributes, but for the elements of constants and the attributes of dialects.

use std::sync::Arc;

use super::{ParseResult, Parser, lexer::Kind};
use crate::ir::{
    attribute::{AttrMap, Attribute},
    syntax::{floats, strings},
    types::{ElementType, FloatKind, Signedness, Type},
};

impl<'s> Parser<'s> {
    /// Reads an attribute.
    pub fn parse_attribute(&mut self) -> ParseResult<Attribute> {
        match self.token.kind {
            Kind::Bare => self.parse_word_attribute(),
            Kind::Integer | Kind::Float | Kind::Punct(b'-') => self.parse_number(),
            Kind::String => {
                let text = self.parse_string()?;
                if self.at_punct(b':') {
                    return self.fail("strings with a type are not read");
                }
                Ok(Attribute::String(Arc::from(text)))
            }
            Kind::At => Ok(Attribute::Symbol(self.parse_symbol_path()?)),
            Kind::Hash => self.parse_hash_attribute(),
            Kind::Bang => Ok(Attribute::Type(self.parse_type()?)),
            Kind::Punct(b'(') => Ok(Attribute::Type(self.parse_type()?)),
            Kind::Punct(b'[') => {
                self.advance();
                let items = self.nested(|parser| parser.parse_list(b']', Parser::parse_attribute))?;
                Ok(Attribute::Array(items.into()))
            }
            Kind::Punct(b'{') => Ok(Attribute::Dictionary(Arc::new(self.parse_attribute_dictionary()?))),
            _ => self.unexpected("an attribute"),
        }
    }

    /// Reads `{name = attribute, …}`.
    pub fn parse_attribute_dictionary(&mut self) -> ParseResult<AttrMap> {
        let mut attrs = AttrMap::default();
        self.parse_attributes_into(&mut attrs)?;
        Ok(attrs)
    }

    /// Reads `{name = attribute, …}` if it is next.
    pub fn parse_optional_attributes(&mut self, attrs: &mut AttrMap) -> ParseResult<()> {
        if self.at_punct(b'{') { self.parse_attributes_into(attrs) } else { Ok(()) }
    }

    /// Reads `{name = attribute, …}` into a map that may have other names already.
    pub fn parse_attributes_into(&mut self, attrs: &mut AttrMap) -> ParseResult<()> {
        self.expect(b'{')?;
        self.nested(|parser| {
            parser.parse_list(b'}', |parser| {
                let offset = parser.offset();
                let name = match parser.token.kind {
                    Kind::Bare => {
                        let text = parser.text();
                        parser.advance();
                        parser.intern(text)
                    }
                    Kind::String => Arc::from(parser.parse_string()?),
                    _ => return parser.unexpected("the name of an attribute"),
                };
                let value = if parser.take(b'=') { parser.parse_attribute()? } else { Attribute::Unit };
                match attrs.set(name.clone(), value) {
                    None => Ok(()),
                    Some(_) => parser.fail_at(offset, format!("the attribute `{name}` is given twice")),
                }
            })
        })?;
        Ok(())
    }

    /// Reads a string literal.
    pub fn parse_string(&mut self) -> ParseResult<String> {
        if !self.is(Kind::String) {
            return self.unexpected("a string");
        }
        let text = self.text();
        match strings::unescape(&text[1..text.len() - 1]) {
            Ok(string) => {
                self.advance();
                Ok(string)
            }
            Err(at) => self.fail_at(
                self.token.start + 1 + at,
                r#"unknown escape in a string: known are \", \\, \n, \t and two hexadecimal digits"#,
            ),
        }
    }

    /// Reads `@name`.
    pub fn parse_symbol_name(&mut self) -> ParseResult<Arc<str>> {
        if !self.is(Kind::At) {
            return self.unexpected("a name that begins with `@`");
        }
        let text = &self.text()[1..];
        let name = match text.strip_prefix('"') {
            None => self.intern(text),
            Some(quoted) => match strings::unescape(&quoted[..quoted.len() - 1]) {
                Ok(name) => Arc::from(name),
                Err(_) => return self.fail("unknown escape in a name"),
            },
        };
        self.advance();
        Ok(name)
    }

    fn parse_symbol_path(&mut self) -> ParseResult<Arc<[Arc<str>]>> {
        let mut path = vec![self.parse_symbol_name()?];
        while self.is(Kind::Colons) {
            self.advance();
            path.push(self.parse_symbol_name()?);
        }
        Ok(path.into())
    }

    fn parse_word_attribute(&mut self) -> ParseResult<Attribute> {
        let word = self.text();
        match word {
            "true" | "false" => {
                self.advance();
                Ok(Attribute::Bool(word == "true"))
            }
            "unit" => {
                self.advance();
                Ok(Attribute::Unit)
            }
            "dense" => self.parse_dense(),
            "dense_resource" => self.parse_dense_resource(),
            "array" => self.parse_dense_array(),
            "affine_map" => {
                self.advance();
                Ok(Attribute::AffineMap(Arc::new(self.parse_affine_map()?)))
            }
            "sparse" | "affine_set" | "strided" | "distinct" | "loc" | "opaque" | "dense_elided" => {
                self.fail(format!("`{word}` attributes are not read"))
            }
            _ => Ok(Attribute::Type(self.parse_type()?)),
        }
    }

    /// `-7 : i32`, `1.5`, `0x7FC00000 : f32`.
    fn parse_number(&mut self) -> ParseResult<Attribute> {
        let offset = self.offset();
        let negative = self.take(b'-');
        let kind = self.token.kind;
        let text = self.text();
        if !matches!(kind, Kind::Integer | Kind::Float) {
            return self.unexpected("a number");
        }
        self.advance();
        let ty = if self.take(b':') {
            self.parse_element_type()?
        } else if kind == Kind::Float {
            ElementType::F64
        } else {
            ElementType::I64
        };
        match &ty {
            ElementType::Float(float) => {
                let bits = self.float_bits(text, kind, negative, *float, offset)?;
                Ok(Attribute::Float { bits: floats::decode(bits, *float).to_bits(), ty })
            }
            ElementType::Integer { .. } | ElementType::Index if kind == Kind::Integer => {
                let value = self.integer_value(text, negative, &ty, offset)?;
                Ok(match ty {
                    ElementType::BOOL => Attribute::Bool(value != 0),
                    _ => Attribute::Integer { value, ty },
                })
            }
            _ => self.fail_at(offset, format!("`{text}` is no value of type `{ty}`")),
        }
    }

    /// The bits of a float literal.
    pub(super) fn float_bits(
        &self,
        text: &str,
        kind: Kind,
        negative: bool,
        float: FloatKind,
        offset: usize,
    ) -> ParseResult<u64> {
        let name = float.name();
        if kind == Kind::Float {
            return match text.parse::<f64>() {
                Ok(value) => Ok(floats::encode(if negative { -value } else { value }, float)),
                Err(_) => self.fail_at(offset, format!("`{text}` is no number")),
            };
        }
        let Some(digits) = text.strip_prefix("0x") else {
            return self.fail_at(
                offset,
                format!("`{text}` is an integer, expected a value of type `{name}` such as `{text}.0`"),
            );
        };
        match u64::from_str_radix(digits, 16) {
            Ok(_) if negative => self.fail_at(offset, "a hexadecimal float has its sign in its bits"),
            Ok(bits) if bits.checked_shr(float.bits()).unwrap_or(0) == 0 => Ok(bits),
            _ => self.fail_at(offset, format!("`{text}` has more bits than `{name}`")),
        }
    }

    /// The value of an integer literal, as a number of its type: `255 : i8` is -1.
    pub(super) fn integer_value(
        &self,
        text: &str,
        negative: bool,
        ty: &ElementType,
        offset: usize,
    ) -> ParseResult<i128> {
        let (width, signedness) = match ty {
            ElementType::Integer { width, signedness } => (*width, *signedness),
            _ => (64, Signedness::Signless),
        };
        let magnitude = match text.strip_prefix("0x") {
            Some(digits) => u128::from_str_radix(digits, 16),
            None => text.parse::<u128>(),
        };
        let signed = magnitude.ok().and_then(|magnitude| i128::try_from(magnitude).ok());
        let value = signed.map(|value| if negative { -value } else { value });
        let (smallest, largest) = match signedness {
            // No literal of these types is out of reach of the number that holds it.
            _ if width >= 127 => (i128::MIN, i128::MAX),
            Signedness::Unsigned => (0, (1 << width) - 1),
            Signedness::Signed => (-1 << (width - 1), (1 << (width - 1)) - 1),
            Signedness::Signless => (-1 << (width - 1), (1 << width) - 1),
        };
        match value {
            Some(value) if value < smallest || value > largest => {
                self.fail_at(offset, format!("{value} does not fit in `{ty}`"))
            }
            // What signless types can't tell apart has one form.
            Some(value) if signedness == Signedness::Signless && value > !smallest => Ok(value - (largest + 1)),
            Some(value) => Ok(value),
            None => self.fail_at(offset, format!("{text} does not fit in `{ty}`")),
        }
    }

    /// `array<i64: 1, 2>`.
    fn parse_dense_array(&mut self) -> ParseResult<Attribute> {
        self.advance();
        self.expect(b'<')?;
        let element = self.parse_element_type()?;
        match &element {
            ElementType::Integer { width, .. } if *width <= 64 => {
                let values = self.parse_array_items(|parser| parser.parse_array_integer(&element))?;
                Ok(Attribute::DenseArray { values: values.into(), element })
            }
            ElementType::Float(float) => {
                let float = *float;
                let values = self.parse_array_items(|parser| {
                    let offset = parser.offset();
                    let negative = parser.take(b'-');
                    let (text, kind) = (parser.text(), parser.token.kind);
                    if !matches!(kind, Kind::Integer | Kind::Float) {
                        return parser.unexpected("a number");
                    }
                    parser.advance();
                    let bits = parser.float_bits(text, kind, negative, float, offset)?;
                    Ok(floats::decode(bits, float).to_bits())
                })?;
                Ok(Attribute::DenseFloatArray { element, bits: values.into() })
            }
            _ => self.fail_at(
                self.last_end,
                format!("`array<{element}…>` is not read: its elements are integers or floats"),
            ),
        }
    }

    fn parse_array_items<T>(&mut self, parse: impl FnMut(&mut Self) -> ParseResult<T>) -> ParseResult<Vec<T>> {
        if self.take(b'>') {
            return Ok(Vec::new());
        }
        self.expect(b':')?;
        self.parse_list(b'>', parse)
    }

    fn parse_array_integer(&mut self, element: &ElementType) -> ParseResult<i64> {
        let offset = self.offset();
        if *element == ElementType::BOOL {
            if self.take_word("true") {
                return Ok(1);
            }
            if self.take_word("false") {
                return Ok(0);
            }
        }
        let negative = self.take(b'-');
        let text = self.text();
        if !self.is(Kind::Integer) {
            return self.unexpected("an integer");
        }
        self.advance();
        let value = self.integer_value(text, negative, element, offset)?;
        match i64::try_from(value) {
            Ok(value) if *element == ElementType::BOOL => Ok(i64::from(value != 0)),
            Ok(value) => Ok(value),
            Err(_) => self.fail_at(offset, format!("{value} is more than an array can hold")),
        }
    }

    /// Reads a number of type `f64` without its type.
    pub fn parse_f64(&mut self) -> ParseResult<Attribute> {
        let offset = self.offset();
        let negative = self.take(b'-');
        let (text, kind) = (self.text(), self.token.kind);
        if !matches!(kind, Kind::Integer | Kind::Float) {
            return self.unexpected("a number");
        }
        self.advance();
        let bits = self.float_bits(text, kind, negative, FloatKind::F64, offset)?;
        Ok(Attribute::Float { bits, ty: ElementType::F64 })
    }

    /// Reads an integer that fits in 64 bits.
    pub fn parse_i64(&mut self) -> ParseResult<i64> {
        let offset = self.offset();
        let negative = self.take(b'-');
        if !self.is(Kind::Integer) {
            return self.unexpected("an integer");
        }
        let text = self.text();
        self.advance();
        let signed = format!("{}{text}", if negative { "-" } else { "" });
        match signed.parse::<i64>() {
            Ok(value) => Ok(value),
            Err(_) => self.fail_at(offset, format!("{signed} does not fit in 64 bits")),
        }
    }

    /// Reads an integer that fits in 32 bits.
    pub(super) fn parse_u32(&mut self) -> ParseResult<u32> {
        let offset = self.offset();
        let value = self.parse_i64()?;
        match u32::try_from(value) {
            Ok(value) => Ok(value),
            Err(_) => self.fail_at(offset, format!("{value} does not fit in 32 bits")),
        }
    }

    /// Reads `[1, 2]`.
    pub fn parse_i64_list(&mut self) -> ParseResult<Vec<i64>> {
        self.expect(b'[')?;
        self.parse_list(b']', Parser::parse_i64)
    }

    /// Reads `[1, 2]` as `array<i64: 1, 2>`.
    pub fn parse_i64_array(&mut self) -> ParseResult<Attribute> {
        Ok(Attribute::i64_array(self.parse_i64_list()?))
    }

    /// Reads `: type` and returns the type.
    pub fn parse_colon_type(&mut self) -> ParseResult<Type> {
        self.expect(b':')?;
        self.parse_type()
    }
}
