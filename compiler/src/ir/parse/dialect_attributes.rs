//! `#name`: aliases, the attributes of StableHLO that pygraph reads, and all others as text.

use std::sync::Arc;

use super::{ParseResult, Parser, lexer::Kind};
use crate::ir::{
    attribute::{Attribute, ConvDimensions, DotDimensions, GatherDimensions, OutputOperandAlias, ScatterDimensions},
    enums::EnumAttr,
};

impl<'s> Parser<'s> {
    /// Reads an attribute that begins with `#`.
    pub(super) fn parse_hash_attribute(&mut self) -> ParseResult<Attribute> {
        let name = &self.text()[1..];
        let open = self.token.end;
        if self.source.as_bytes().get(open) != Some(&b'<') {
            return self.parse_bare_hash(name);
        }
        match name {
            "stablehlo" | "chlo" => return self.parse_enum_attribute(name, open),
            "stablehlo.dot" => return self.parse_braced(|parser| dot_attribute(parser)),
            "stablehlo.gather" => return self.parse_braced(Parser::parse_gather),
            "stablehlo.scatter" => return self.parse_braced(Parser::parse_scatter),
            "stablehlo.conv" => return self.parse_braced(Parser::parse_conv),
            "stablehlo.output_operand_alias" => return self.parse_braced(Parser::parse_output_operand_alias),
            "stablehlo.channel_handle" => return self.parse_braced(Parser::parse_channel_handle),
            _ => {}
        }
        let body = self.take_bracketed(open)?;
        Ok(Attribute::Foreign(Arc::from(format!("{name}{body}"))))
    }

    /// An alias, or an attribute without parameters.
    fn parse_bare_hash(&mut self, name: &'s str) -> ParseResult<Attribute> {
        if let Some(alias) = self.attribute_aliases.get(name) {
            let (value, nodes, depth) = (alias.value.clone(), alias.nodes, alias.depth);
            self.count_alias(nodes, depth)?;
            self.advance();
            return Ok(value);
        }
        if !name.contains('.') {
            return self.fail(format!("the attribute alias `#{name}` is not defined before this use"));
        }
        self.advance();
        Ok(Attribute::Foreign(self.intern(name)))
    }

    /// `#stablehlo<comparison_direction LT>`.
    fn parse_enum_attribute(&mut self, dialect: &str, open: usize) -> ParseResult<Attribute> {
        let start = self.offset();
        let body = self.take_bracketed(open)?;
        let mut words = body[1..body.len() - 1].split_whitespace();
        if let (Some(mnemonic), Some(case), None) = (words.next(), words.next(), words.next()) {
            if let Some(parsed) = EnumAttr::parse(mnemonic, case) {
                return Ok(Attribute::Enum(parsed));
            }
            if let Some((_, cases)) = EnumAttr::MNEMONICS.iter().find(|entry| entry.0 == mnemonic) {
                let known = cases.join(", ");
                return self.fail_at(start, format!("`{case}` is no {mnemonic}: known are {known}"));
            }
        }
        Ok(Attribute::Foreign(Arc::from(format!("{dialect}{body}"))))
    }

    fn parse_braced(&mut self, parse: impl FnOnce(&mut Self) -> ParseResult<Attribute>) -> ParseResult<Attribute> {
        self.advance();
        self.expect(b'<')?;
        parse(self)
    }

    /// `name = value, … >`, where `read` reads the value of a name that it knows.
    fn parse_fields(&mut self, mut read: impl FnMut(&mut Self, &str) -> ParseResult<bool>) -> ParseResult<()> {
        self.parse_list(b'>', |parser| {
            let offset = parser.offset();
            let name = parser.expect_any_word("the name of a parameter")?;
            parser.expect(b'=')?;
            match read(parser, name)? {
                true => Ok(()),
                false => parser.fail_at(offset, format!("the attribute has no parameter `{name}`")),
            }
        })?;
        Ok(())
    }

    fn parse_gather(&mut self) -> ParseResult<Attribute> {
        let mut dims = GatherDimensions::default();
        self.parse_fields(|parser, name| {
            let list = match name {
                "offset_dims" => &mut dims.offset_dims,
                "collapsed_slice_dims" => &mut dims.collapsed_slice_dims,
                "operand_batching_dims" => &mut dims.operand_batching_dims,
                "start_indices_batching_dims" => &mut dims.start_indices_batching_dims,
                "start_index_map" => &mut dims.start_index_map,
                "index_vector_dim" => {
                    dims.index_vector_dim = parser.parse_i64()?;
                    return Ok(true);
                }
                _ => return Ok(false),
            };
            *list = parser.parse_i64_list()?;
            Ok(true)
        })?;
        Ok(Attribute::GatherDimensions(Arc::new(dims)))
    }

    fn parse_scatter(&mut self) -> ParseResult<Attribute> {
        let mut dims = ScatterDimensions::default();
        self.parse_fields(|parser, name| {
            let list = match name {
                "update_window_dims" => &mut dims.update_window_dims,
                "inserted_window_dims" => &mut dims.inserted_window_dims,
                "input_batching_dims" => &mut dims.input_batching_dims,
                "scatter_indices_batching_dims" => &mut dims.scatter_indices_batching_dims,
                "scatter_dims_to_operand_dims" => &mut dims.scatter_dims_to_operand_dims,
                "index_vector_dim" => {
                    dims.index_vector_dim = parser.parse_i64()?;
                    return Ok(true);
                }
                _ => return Ok(false),
            };
            *list = parser.parse_i64_list()?;
            Ok(true)
        })?;
        Ok(Attribute::ScatterDimensions(Arc::new(dims)))
    }

    fn parse_output_operand_alias(&mut self) -> ParseResult<Attribute> {
        let mut alias = OutputOperandAlias::default();
        self.parse_fields(|parser, name| {
            match name {
                "output_tuple_indices" => alias.output_tuple_indices = parser.parse_i64_list()?,
                "operand_index" => alias.operand_index = parser.parse_i64()?,
                "operand_tuple_indices" => alias.operand_tuple_indices = parser.parse_i64_list()?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(Attribute::OutputOperandAlias(Arc::new(alias)))
    }

    fn parse_channel_handle(&mut self) -> ParseResult<Attribute> {
        let (mut handle, mut channel_type) = (0, 0);
        self.parse_fields(|parser, name| {
            match name {
                "handle" => handle = parser.parse_i64()?,
                "type" => channel_type = parser.parse_i64()?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(Attribute::ChannelHandle { handle, channel_type })
    }

    fn parse_conv(&mut self) -> ParseResult<Attribute> {
        let dims = self.parse_conv_dimensions()?;
        self.expect(b'>')?;
        Ok(Attribute::ConvDimensions(Arc::new(dims)))
    }

    /// Reads `[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]`.
    pub fn parse_conv_dimensions(&mut self) -> ParseResult<ConvDimensions> {
        if self.at_word("raw") {
            return self
                .fail("`raw` convolution dimensions are not read: write them as `[b, 0, f]x[0, i, o]->[b, 0, f]`");
        }
        let mut dims = ConvDimensions::default();
        (dims.input_batch, dims.input_feature, dims.input_spatial) = self.parse_conv_side("b", "f")?;
        self.expect_word("x")?;
        (dims.kernel_input_feature, dims.kernel_output_feature, dims.kernel_spatial) =
            self.parse_conv_side("i", "o")?;
        self.expect_arrow()?;
        (dims.output_batch, dims.output_feature, dims.output_spatial) = self.parse_conv_side("b", "f")?;
        Ok(dims)
    }

    /// `[b, 0, 1, f]`: the positions of the two letters and of 0, 1, ….
    fn parse_conv_side(&mut self, first: &str, second: &str) -> ParseResult<(i64, i64, Vec<i64>)> {
        let start = self.offset();
        self.expect(b'[')?;
        let (mut letters, mut spatial) = ([None, None], Vec::new());
        let mut position = 0;
        self.parse_list(b']', |parser| {
            match parser.text() {
                text if text == first && letters[0].is_none() => letters[0] = Some(position),
                text if text == second && letters[1].is_none() => letters[1] = Some(position),
                _ if parser.is(Kind::Integer) => spatial.push((parser.parse_i64()?, position)),
                _ => return parser.unexpected(&format!("`{first}`, `{second}` or a spatial dimension")),
            }
            if !matches!(spatial.last(), Some((_, last)) if *last == position) {
                parser.advance();
            }
            position += 1;
            Ok(())
        })?;
        spatial.sort_unstable();
        let in_order = spatial.iter().zip(0..).all(|((dim, _), expected)| *dim == expected);
        match letters {
            [Some(one), Some(two)] if in_order => Ok((one, two, spatial.into_iter().map(|entry| entry.1).collect())),
            _ => self
                .fail_at(start, format!("each of `{first}`, `{second}` and the spatial dimensions from 0 stands once")),
        }
    }
}

fn dot_attribute(parser: &mut Parser<'_>) -> ParseResult<Attribute> {
    let mut dims = DotDimensions::default();
    parser.parse_fields(|parser, name| {
        let list = match name {
            "lhs_batching_dimensions" => &mut dims.lhs_batching,
            "rhs_batching_dimensions" => &mut dims.rhs_batching,
            "lhs_contracting_dimensions" => &mut dims.lhs_contracting,
            "rhs_contracting_dimensions" => &mut dims.rhs_contracting,
            _ => return Ok(false),
        };
        *list = parser.parse_i64_list()?;
        Ok(true)
    })?;
    Ok(Attribute::DotDimensions(Arc::new(dims)))
}
