//! Operations in generic form, regions, blocks, and what stands at the top of a file.

use std::sync::Arc;

use smallvec::SmallVec;

use super::{ParseResult, Parser, lexer::Kind, normalise::normalise, scopes::Values};
use crate::ir::{
    AttrMap, Attribute, BlockId, Opcode, RegionId, ValueId,
    module::{Loc, Location, OpParts},
    ops::view::types_compatible,
    syntax::{func::adopt_argument_types, syntax_of},
    types::Type,
};

/// The names that an operation's results are given.
#[derive(Default)]
struct ResultNames<'s> {
    /// Each with the number of results it names and its place.
    groups: SmallVec<[(&'s str, usize, usize); 1]>,
}

/// More results than any operation has; `%x:99999999999` must not be believed.
const RESULTS_MAX: i64 = 1 << 20;

/// An argument of a block as written: its name, where that stands, and its type.
pub(crate) type WrittenArgument<'s> = (&'s str, usize, Type);

impl<'s> Parser<'s> {
    /// Reads operations, aliases and resources up to the end of the file.
    pub(super) fn parse_top_level(&mut self) -> ParseResult<()> {
        let body = self.module.body();
        loop {
            match self.token.kind {
                Kind::End => break,
                Kind::Hash => self.parse_attribute_alias()?,
                Kind::Bang => self.parse_type_alias()?,
                Kind::MetadataOpen => self.skip_metadata()?,
                _ => self.parse_operation(body)?,
            }
        }
        self.unwrap_module(body)
    }

    /// Makes a module that stands alone at the top of the file the module itself.
    fn unwrap_module(&mut self, body: BlockId) -> ParseResult<()> {
        let modules: Vec<_> =
            self.module.block_ops(body).filter(|op| self.module.op(*op).opcode == Opcode::BuiltinModule).collect();
        let Some(inner) = modules.first().copied() else { return Ok(()) };
        if let Some(other) = self.module.block_op_ids(body).into_iter().find(|op| *op != inner) {
            let message = "a file holds one module and nothing beside it; cut others off with lines of `// -----` and \
                           `--split-input-file`";
            return Err(Box::new(self.module.error(other, message)));
        }
        if let Some(inner_body) = self.module.region_block(inner, 0) {
            self.module.splice(inner_body, body);
        }
        let (attrs, loc) = (self.module.op(inner).attrs.clone(), self.module.op(inner).loc);
        let root = self.module.root();
        self.module.op_mut(root).attrs = attrs;
        self.module.op_mut(root).loc = loc;
        for pending in &mut self.pending_locations {
            if pending.0 == inner {
                pending.0 = root;
            }
        }
        self.module.erase(inner);
        Ok(())
    }

    fn parse_attribute_alias(&mut self) -> ParseResult<()> {
        let name = self.text();
        self.advance();
        self.expect(b'=')?;
        if self.at_word("loc") {
            return self.parse_location_alias(name);
        }
        let alias = self.parse_alias(Parser::parse_attribute)?;
        self.attribute_aliases.insert(&name[1..], alias);
        Ok(())
    }

    fn parse_type_alias(&mut self) -> ParseResult<()> {
        let name = &self.text()[1..];
        self.advance();
        self.expect(b'=')?;
        let alias = self.parse_alias(Parser::parse_type)?;
        self.type_aliases.insert(name, alias);
        Ok(())
    }

    /// Reads an operation with the names of its results and its location, to the end of a block.
    fn parse_operation(&mut self, block: BlockId) -> ParseResult<()> {
        let names = self.parse_result_names()?;
        let offset = self.offset();
        let loc = self.location_at(offset);
        let (opcode, parts) = match self.token.kind {
            Kind::String => self.parse_generic()?,
            Kind::Bare => self.parse_pretty()?,
            _ => return self.unexpected("an operation"),
        };
        let op = self.module.create_op(opcode, parts, loc);
        self.module.append(block, op);
        self.infer_symbols(op);
        if let Some(location) = self.parse_optional_location()? {
            self.place_operation(op, location);
        }
        let results = self.module.op(op).results.clone();
        self.bind_results(opcode, offset, &names, &results)
    }

    /// `%a, %b:2 =`
    fn parse_result_names(&mut self) -> ParseResult<ResultNames<'s>> {
        let mut names = ResultNames::default();
        if !self.at_value() {
            return Ok(names);
        }
        loop {
            let (name, offset) = (self.text(), self.offset());
            if !self.at_value() {
                return self.unexpected("the name of a value");
            }
            self.advance();
            let mut count = 1;
            if self.take(b':') {
                let offset = self.offset();
                count = self.parse_i64()?;
                if !(1..=RESULTS_MAX).contains(&count) {
                    return self.fail_at(offset, format!("{count} results can't share a name: expected 1 or more"));
                }
            }
            names.groups.push((name, count as usize, offset));
            if !self.take(b',') {
                break;
            }
        }
        self.expect(b'=')?;
        Ok(names)
    }

    fn bind_results(
        &mut self,
        opcode: Opcode,
        offset: usize,
        names: &ResultNames<'s>,
        results: &[ValueId],
    ) -> ParseResult<()> {
        let named: usize = names.groups.iter().map(|group| group.1).sum();
        if names.groups.is_empty() {
            return Ok(());
        }
        if named != results.len() {
            let (name, found) = (opcode.name(), results.len());
            return self.fail_at(offset, format!("`{name}` has {found} results, but {named} are named"));
        }
        let mut rest = results;
        for (name, count, offset) in &names.groups {
            let (group, others) = rest.split_at(*count);
            rest = others;
            self.name_values(name, group);
            self.define(name, group.into(), *offset)?;
        }
        Ok(())
    }

    /// Notes the user's name on values: `x`, then `x#1`, … for the other results that share it.
    fn name_values(&mut self, name: &'s str, values: &[ValueId]) {
        let name = &name[1..];
        if name.starts_with(|first: char| first.is_ascii_digit()) {
            return;
        }
        let shared = self.intern(name);
        for (position, value) in values.iter().enumerate() {
            let name = if position == 0 { shared.clone() } else { Arc::from(format!("{name}#{position}")) };
            self.module.value_mut(*value).name = Some(name);
        }
    }

    /// Binds a name to values.
    fn define(&mut self, name: &'s str, values: Values, offset: usize) -> ParseResult<()> {
        if let Some(binding) = self.scopes.get(name) {
            let first = self.position(binding.offset);
            let message = format!("`{name}` is defined twice");
            let error = Err(Box::new(
                crate::diagnostic::Diagnostic::error(self.position(offset), message)
                    .with_note(first, "first defined here"),
            ));
            return error;
        }
        self.scopes.bind(name, values, offset);
        Ok(())
    }

    fn parse_pretty(&mut self) -> ParseResult<(Opcode, OpParts)> {
        let name = match self.text() {
            "module" => "builtin.module",
            "return" => "func.return",
            "call" => "func.call",
            name => name,
        };
        let opcode = self.find_opcode(name)?;
        let Some(syntax) = syntax_of(opcode) else {
            return self.fail(format!("`{name}` has no short form that is known: write it as `\"{name}\"(…)`"));
        };
        self.advance();
        let mut parts = OpParts::default();
        (syntax.parse)(self, opcode, &mut parts)?;
        normalise(opcode, &mut parts.attrs);
        Ok((opcode, parts))
    }

    fn find_opcode(&self, name: &str) -> ParseResult<Opcode> {
        if let Some(opcode) = Opcode::from_name(name) {
            return Ok(opcode);
        }
        let advice = match name.split_once('.') {
            Some(("vhlo", _)) => {
                "; VHLO is StableHLO's serialised form: convert it with `stablehlo-translate --deserialize`"
            }
            Some(("torch", _)) => "; lower it to StableHLO with torch-mlir, or export the FX graph",
            Some(("mhlo", _)) => "; convert it to StableHLO with `mlir-hlo-opt --hlo-legalize-to-stablehlo`",
            _ => "",
        };
        self.fail(format!("unknown operation `{name}`{advice}"))
    }

    /// `"name"(%a) <{…}> ({…}) {…} : (…) -> …`
    fn parse_generic(&mut self) -> ParseResult<(Opcode, OpParts)> {
        let offset = self.offset();
        let text = self.text();
        let opcode = self.find_opcode(&text[1..text.len() - 1])?;
        self.advance();
        let mut parts = OpParts::default();
        self.expect(b'(')?;
        let operands = self.parse_list(b')', Parser::parse_operand)?;
        if self.at_punct(b'[') {
            return self.fail("control flow between blocks is not supported: use `stablehlo.if`, `case` or `while`");
        }
        if self.take(b'<') {
            self.parse_attributes_into(&mut parts.attrs)?;
            self.expect(b'>')?;
        }
        if self.take(b'(') {
            let isolated = is_isolated(opcode);
            parts.regions = self.parse_list(b')', |parser| parser.parse_region_of(isolated, Vec::new()))?.into();
        }
        self.parse_optional_attributes(&mut parts.attrs)?;
        self.expect(b':')?;
        parts.result_types = self.parse_operation_types(&operands)?;
        parts.operands = operands.into();
        normalise(opcode, &mut parts.attrs);
        if opcode == Opcode::FuncFunc {
            adopt_argument_types(self, &mut parts);
        }
        self.name_symbols(&mut parts, offset)?;
        Ok((opcode, parts))
    }

    // Values.

    /// Reads `%x` or `%x#1`, which must be defined.
    pub fn parse_operand(&mut self) -> ParseResult<ValueId> {
        if !self.at_value() {
            return self.unexpected("a value such as `%0`");
        }
        let (name, offset) = (self.text(), self.offset());
        self.advance();
        let mut index = 0;
        if self.is(Kind::Hash) && self.token.start == self.last_end {
            let digits = &self.text()[1..];
            let Ok(number) = digits.parse::<usize>() else {
                return self.unexpected("the number of a result after `#`");
            };
            index = number;
            self.advance();
        }
        let Some(binding) = self.scopes.get(name) else {
            return self.fail_at(offset, format!("`{name}` is not defined before this use"));
        };
        match binding.values.get(index) {
            Some(value) => Ok(*value),
            None => {
                let count = binding.values.len();
                self.fail_at(offset, format!("`{name}#{index}` does not exist: `{name}` stands for {count} values"))
            }
        }
    }

    /// Reads values separated by commas, at least one.
    pub fn parse_operands(&mut self) -> ParseResult<Vec<ValueId>> {
        let mut operands = vec![self.parse_operand()?];
        while self.take(b',') {
            operands.push(self.parse_operand()?);
        }
        Ok(operands)
    }

    /// Checks that values have the types that are written for them.
    pub fn check_operand_types(&self, operands: &[ValueId], types: &[Type], offset: usize) -> ParseResult<()> {
        if operands.len() != types.len() {
            return self.fail_at(offset, format!("{} operands, but {} operand types", operands.len(), types.len()));
        }
        operands.iter().zip(types).try_for_each(|(operand, ty)| self.check_type(*operand, ty, offset))
    }

    /// Checks that a value has the type that is written for it.
    pub fn check_type(&self, value: ValueId, ty: &Type, offset: usize) -> ParseResult<()> {
        let known = self.module.ty(value);
        if types_compatible(known, ty) {
            return Ok(());
        }
        let name = self.scopes.name_of(value).unwrap_or_else(|| "%unknown".into());
        self.fail_at(offset, format!("`{name}` has type `{known}`, but `{ty}` is written here"))
    }

    /// Takes the name of a value, whatever it stands for.
    pub fn take_value_name(&mut self) -> &'s str {
        let name = self.text();
        self.advance();
        name
    }

    /// True if the current token begins with `@`.
    pub fn at_symbol(&self) -> bool {
        self.is(Kind::At)
    }

    /// Takes the text in the brackets that open here with that one, brackets included.
    pub fn parse_in_brackets(&mut self, open: u8) -> ParseResult<&'s str> {
        if !self.at_punct(open) {
            return self.unexpected(&format!("`{}`", open as char));
        }
        self.take_bracketed(self.offset())
    }

    /// Reads a location, which is not kept, if it is next.
    pub fn skip_location(&mut self) -> ParseResult<()> {
        self.parse_optional_location().map(|_| ())
    }

    /// The location of an operation that stands at an offset.
    pub fn location_at(&mut self, offset: usize) -> Loc {
        let position = self.position(offset);
        self.module.add_location(Location { position, user: None })
    }

    // Regions.

    /// Reads a region that sees the values around it. `arguments` are those of its block that the operation's short form
    /// names; where there are none, the block may begin with `^name(…):`.
    pub fn parse_region(&mut self, arguments: Vec<WrittenArgument<'s>>) -> ParseResult<RegionId> {
        self.parse_region_of(false, arguments)
    }

    /// Reads a region that sees no values around it.
    pub fn parse_isolated_region(&mut self, arguments: Vec<WrittenArgument<'s>>) -> ParseResult<RegionId> {
        self.parse_region_of(true, arguments)
    }

    fn parse_region_of(&mut self, isolated: bool, arguments: Vec<WrittenArgument<'s>>) -> ParseResult<RegionId> {
        if isolated {
            self.scopes.enter_isolated();
        } else {
            self.scopes.enter();
        }
        let region = self.nested(|parser| parser.parse_region_body(arguments))?;
        if isolated {
            self.scopes.leave_isolated();
        } else {
            self.scopes.leave();
        }
        Ok(region)
    }

    fn parse_region_body(&mut self, arguments: Vec<WrittenArgument<'s>>) -> ParseResult<RegionId> {
        self.expect(b'{')?;
        let region = self.module.create_region();
        if arguments.is_empty() && self.take(b'}') {
            return Ok(region);
        }
        let block = self.module.create_block(region);
        self.add_arguments(block, arguments)?;
        if self.is(Kind::Caret) && self.module.block(block).arguments.is_empty() {
            self.advance();
            if self.take(b'(') {
                let arguments = self.parse_list(b')', Parser::parse_argument)?;
                self.add_arguments(block, arguments)?;
            }
            self.expect(b':')?;
        }
        while !self.take(b'}') {
            if self.is(Kind::Caret) {
                return self.fail("a second block: control flow between blocks is not supported");
            }
            if self.is(Kind::End) {
                return self.unexpected("`}` or an operation");
            }
            self.parse_operation(block)?;
        }
        Ok(region)
    }

    /// `%x: type`, perhaps with a location, which is not kept.
    pub fn parse_argument(&mut self) -> ParseResult<WrittenArgument<'s>> {
        if !self.at_value() {
            return self.unexpected("an argument such as `%arg0`");
        }
        let (name, offset) = (self.text(), self.offset());
        self.advance();
        let ty = self.parse_colon_type()?;
        self.skip_location()?;
        Ok((name, offset, ty))
    }

    fn add_arguments(&mut self, block: BlockId, arguments: Vec<WrittenArgument<'s>>) -> ParseResult<()> {
        for (name, offset, ty) in arguments {
            let value = self.module.add_argument(block, ty);
            if name.is_empty() {
                continue;
            }
            self.name_values(name, &[value]);
            self.define(name, SmallVec::from_slice(&[value]), offset)?;
        }
        Ok(())
    }

    /// Reads `attributes {…}` if it is next.
    pub fn parse_attributes_keyword(&mut self, attrs: &mut AttrMap) -> ParseResult<()> {
        if self.take_word("attributes") { self.parse_attributes_into(attrs) } else { Ok(()) }
    }

    /// Sets an attribute that the short form has a place of its own for.
    pub fn set_attribute(&self, attrs: &mut AttrMap, name: &str, value: Attribute, offset: usize) -> ParseResult<()> {
        match attrs.set(name, value) {
            None => Ok(()),
            Some(_) => self.fail_at(offset, format!("the attribute `{name}` is given twice")),
        }
    }
}

/// True for operations whose regions see no value around them.
pub(crate) fn is_isolated(opcode: Opcode) -> bool {
    matches!(opcode, Opcode::FuncFunc | Opcode::BuiltinModule)
}
