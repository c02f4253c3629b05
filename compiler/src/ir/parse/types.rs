//! Types.

use std::sync::Arc;

use smallvec::SmallVec;

use super::{
    ParseResult, Parser,
    lexer::{Kind, closing_bracket, skip_blank},
};
use crate::ir::{
    OpId, ValueId,
    attribute::Attribute,
    module::OpParts,
    ops::view::View,
    syntax::symbols::{DIMS, replace_symbols, symbol_of, symbols_of},
    types::{Dim, ElementType, FloatKind, FunctionType, Signedness, Symbol, TensorType, Type},
};

/// The widest integer type that is read.
const INTEGER_WIDTH_MAX: u32 = 128;

/// Extents fit in 63 bits, as upstream's do.
const EXTENT_MAX: u64 = i64::MAX as u64;

/// A number above every `sN` of a source that names symbols, so that new names never meet those.
pub(super) fn first_unused_symbol(source: &str) -> u64 {
    if !source.contains(DIMS) {
        return 0;
    }
    let digits = |tail: &str| tail.bytes().take_while(u8::is_ascii_digit).count();
    source
        .match_indices('s')
        .filter_map(|(at, _)| source[at + 1..at + 1 + digits(&source[at + 1..])].parse::<u64>().ok())
        // Nobody writes larger numbers but to make the counter run over.
        .filter(|number| *number < 1 << 48)
        .max()
        .map_or(0, |largest| largest + 1)
}

impl<'s> Parser<'s> {
    /// Reads a type.
    pub fn parse_type(&mut self) -> ParseResult<Type> {
        match self.token.kind {
            Kind::Bare => self.parse_builtin_type(),
            Kind::Bang => self.parse_dialect_type(),
            Kind::Punct(b'(') => self.nested(Parser::parse_function_type),
            _ => self.unexpected("a type"),
        }
    }

    /// Reads `(types) -> types`.
    pub fn parse_function_signature(&mut self) -> ParseResult<FunctionType> {
        if !self.at_punct(b'(') {
            return self.unexpected("a function type such as `(tensor<2xf32>) -> tensor<2xf32>`");
        }
        self.nested(|parser| {
            parser.expect(b'(')?;
            let inputs = parser.parse_list(b')', Parser::parse_type)?;
            parser.expect_arrow()?;
            Ok(FunctionType { inputs, results: parser.parse_result_types()? })
        })
    }

    /// Reads one type, or several in parentheses.
    pub fn parse_result_types(&mut self) -> ParseResult<Vec<Type>> {
        if self.take(b'(') { self.parse_list(b')', Parser::parse_type) } else { Ok(vec![self.parse_type()?]) }
    }

    /// Reads types separated by commas, at least one.
    pub fn parse_type_list(&mut self) -> ParseResult<Vec<Type>> {
        let mut types = vec![self.parse_type()?];
        while self.take(b',') {
            types.push(self.parse_type()?);
        }
        Ok(types)
    }

    fn parse_function_type(&mut self) -> ParseResult<Type> {
        Ok(Type::Function(Arc::new(self.parse_function_signature()?)))
    }

    fn parse_builtin_type(&mut self) -> ParseResult<Type> {
        match self.text() {
            "tensor" => self.parse_tensor_type(),
            "tuple" => {
                self.advance();
                self.expect(b'<')?;
                let types = self.nested(|parser| parser.parse_list(b'>', Parser::parse_type))?;
                Ok(Type::Tuple(types.into()))
            }
            "none" => {
                self.advance();
                Ok(Type::None)
            }
            other @ ("vector" | "memref") => {
                self.fail(format!("`{other}` types are not read: a model graph holds tensors and scalars"))
            }
            _ => Ok(Type::Scalar(self.parse_element_type()?)),
        }
    }

    /// Reads the type of an element or a scalar.
    pub fn parse_element_type(&mut self) -> ParseResult<ElementType> {
        let text = match self.token.kind {
            Kind::Bare => self.text(),
            Kind::Bang => return self.parse_quantized_type(),
            _ => return self.unexpected("an element type"),
        };
        if text == "complex" {
            self.advance();
            self.expect(b'<')?;
            let part = self.parse_complex_part()?;
            self.expect(b'>')?;
            return Ok(ElementType::Complex(part));
        }
        let Some(element) = element_type(text) else {
            return self.unexpected("a type");
        };
        if matches!(element, ElementType::Integer { width, .. } if width == 0 || width > INTEGER_WIDTH_MAX) {
            return self.fail(format!("`{text}` is no integer type: widths are 1 to {INTEGER_WIDTH_MAX} bits"));
        }
        self.advance();
        Ok(element)
    }

    fn parse_complex_part(&mut self) -> ParseResult<FloatKind> {
        match element_type(self.text()) {
            Some(ElementType::Float(part)) => {
                self.advance();
                Ok(part)
            }
            _ => self.unexpected("a float type (the parts of a complex number are floats)"),
        }
    }

    fn parse_quantized_type(&mut self) -> ParseResult<ElementType> {
        let offset = self.offset();
        match self.parse_dialect_type()? {
            Type::Dialect(text) if text.starts_with("quant.") => Ok(ElementType::Quantized(text)),
            Type::Scalar(element) => Ok(element),
            _ => self.fail_at(offset, "expected an element type: of the dialects' types only `!quant.…` can be one"),
        }
    }

    /// `!dialect.name<…>`, or an alias.
    fn parse_dialect_type(&mut self) -> ParseResult<Type> {
        let name = &self.text()[1..];
        let open = self.token.end;
        if self.source.as_bytes().get(open) == Some(&b'<') {
            let body = self.take_bracketed(open)?;
            return Ok(Type::Dialect(Arc::from(format!("{name}{body}"))));
        }
        if let Some(alias) = self.type_aliases.get(name) {
            let (ty, nodes, depth) = (alias.value.clone(), alias.nodes, alias.depth);
            self.count_alias(nodes, depth)?;
            self.advance();
            return Ok(ty);
        }
        if !name.contains('.') {
            return self.fail(format!("the type alias `!{name}` is not defined before this use"));
        }
        let name = self.intern(name);
        self.advance();
        Ok(Type::Dialect(name))
    }

    /// Takes the text from the opening bracket at an offset to the one that closes it, both included.
    pub(super) fn take_bracketed(&mut self, open: usize) -> ParseResult<&'s str> {
        let Some(end) = closing_bracket(self.source, open) else {
            return self.fail_at(open, "the bracket opened here is not closed");
        };
        self.seek(end);
        Ok(&self.source[open..end])
    }

    fn parse_tensor_type(&mut self) -> ParseResult<Type> {
        let start = self.token.start;
        let open = self.token.end;
        if self.source.as_bytes().get(open) != Some(&b'<') {
            self.advance();
            return self.unexpected("`<` right after `tensor`");
        }
        let Some(plain) = plain_body(self.source, open + 1) else {
            return self.nested(|parser| parser.parse_tensor_body(start, open + 1));
        };
        if let Some(ty) = self.plain_tensors.get(plain) {
            let ty = ty.clone();
            self.seek(open + plain.len() + 2);
            return Ok(ty);
        }
        let ty = self.parse_tensor_body(start, open + 1)?;
        self.plain_tensors.insert(plain, ty.clone());
        Ok(ty)
    }

    fn parse_tensor_body(&mut self, start: usize, body: usize) -> ParseResult<Type> {
        let extents = self.parse_extents(body)?;
        let element = self.parse_element_type()?;
        let mut tensor = TensorType { shape: SmallVec::new(), element, encoding: None };
        let mut dims = TensorDims::default();
        if self.take(b',') {
            (dims, tensor.encoding) = self.parse_encoding(&extents)?;
        }
        self.expect(b'>')?;
        let mut symbols = dims.symbols.into_iter();
        for (position, extent) in extents.iter().enumerate() {
            let dim = match extent {
                Some(extent) => Dim::Static(*extent),
                None => Dim::Symbol(match symbols.next() {
                    Some(symbol) => symbol,
                    None => self.new_symbol(dims.bounds.get(position).copied().flatten()),
                }),
            };
            tensor.shape.push(dim);
        }
        let known = extents.iter().flatten();
        if known.clone().all(|extent| *extent != 0)
            && known.copied().try_fold(1u64, u64::checked_mul).is_none_or(|count| count > EXTENT_MAX)
        {
            return self.fail_at(start, "the type has more elements than 63 bits can count");
        }
        Ok(tensor.into())
    }

    /// Reads `2x?x` from an offset. Dimension lists are not made of tokens: `0x3` would be a hexadecimal number.
    fn parse_extents(&mut self, offset: usize) -> ParseResult<Vec<Option<u64>>> {
        let bytes = self.source.as_bytes();
        let mut extents = Vec::new();
        let mut at = skip_blank(bytes, offset);
        loop {
            let end = match bytes.get(at) {
                Some(b'?') => at + 1,
                Some(b'0'..=b'9') => {
                    at + bytes[at..].iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len() - at)
                }
                Some(b'*') => {
                    return self.fail_at(
                        at,
                        "unranked tensors are not supported: give the tensor a shape, with `?` for unknown extents",
                    );
                }
                _ => {
                    self.seek(at);
                    return Ok(extents);
                }
            };
            let text = &self.source[at..end];
            extents.push(match text {
                "?" => None,
                _ => match text.parse::<u64>() {
                    Ok(extent) if extent <= EXTENT_MAX => Some(extent),
                    _ => return self.fail_at(at, format!("the extent {text} is too large: at most {EXTENT_MAX}")),
                },
            });
            let cross = skip_blank(bytes, end);
            if bytes.get(cross) != Some(&b'x') {
                self.seek(cross);
                return self.unexpected("`x` after an extent");
            }
            at = skip_blank(bytes, cross + 1);
        }
    }

    /// Reads what stands after the comma in `tensor<…, …>`.
    fn parse_encoding(&mut self, extents: &[Option<u64>]) -> ParseResult<(TensorDims, Option<Attribute>)> {
        let start = self.offset();
        let name = if self.is(Kind::Hash) { self.text() } else { "" };
        let mut dims = TensorDims::default();
        match name {
            "#pyg.dims" => {
                self.advance();
                self.expect(b'<')?;
                let unknown = extents.iter().filter(|extent| extent.is_none()).count();
                let mut encoding = None;
                loop {
                    if self.take_word("encoding") {
                        self.expect(b'=')?;
                        encoding = Some(self.parse_attribute()?);
                    } else {
                        let symbol = self.parse_symbol()?;
                        dims.symbols.push(symbol);
                    }
                    if !self.take(b',') {
                        break;
                    }
                }
                self.expect(b'>')?;
                if dims.symbols.len() != unknown {
                    let named = dims.symbols.len();
                    return self.fail_at(start, format!("#pyg.dims names {named} dimensions, but {unknown} are `?`"));
                }
                Ok((dims, encoding))
            }
            "#stablehlo.bounds" | "#mhlo.bounds" => {
                self.advance();
                self.expect(b'<')?;
                dims.bounds = self.parse_list(b'>', Parser::parse_bound)?;
                self.check_bounds(start, &dims.bounds, extents)?;
                Ok((dims, None))
            }
            "#stablehlo.type_extensions" | "#mhlo.type_extensions" => {
                self.advance();
                self.expect(b'<')?;
                self.expect_word("bounds")?;
                self.expect(b'=')?;
                self.expect(b'[')?;
                dims.bounds = self.parse_list(b']', Parser::parse_bound)?;
                self.expect(b'>')?;
                self.check_bounds(start, &dims.bounds, extents)?;
                Ok((dims, None))
            }
            _ => Ok((dims, Some(self.parse_attribute()?))),
        }
    }

    fn check_bounds(&self, start: usize, bounds: &[Option<u64>], extents: &[Option<u64>]) -> ParseResult<()> {
        if bounds.len() != extents.len() {
            return self.fail_at(start, format!("{} bounds for a tensor of rank {}", bounds.len(), extents.len()));
        }
        match bounds.iter().zip(extents).position(|(bound, extent)| bound.is_some() && extent.is_some()) {
            Some(position) => {
                self.fail_at(start, format!("dimension {position} has an extent, so it can't have a bound"))
            }
            None => Ok(()),
        }
    }

    /// `5`, or `?` (in old text the smallest integer) for none.
    fn parse_bound(&mut self) -> ParseResult<Option<u64>> {
        if self.take(b'?') {
            return Ok(None);
        }
        let bound = self.parse_i64()?;
        Ok(u64::try_from(bound).ok())
    }

    /// `s0`, `s0 in [1, 8]`, `s0 in [1, *]`.
    fn parse_symbol(&mut self) -> ParseResult<Arc<Symbol>> {
        let start = self.offset();
        let name = self.expect_any_word("the name of a dimension such as `s0`")?;
        let name = self.intern(name);
        let mut symbol = Symbol { name: name.clone(), extent_min: 0, extent_max: None };
        if self.take_word("in") {
            self.expect(b'[')?;
            symbol.extent_min = self.parse_extent()?;
            self.expect(b',')?;
            if !self.take(b'*') {
                symbol.extent_max = Some(self.parse_extent()?);
            }
            self.expect(b']')?;
        }
        self.share_symbol(symbol, start)
    }

    /// The one symbol of that name.
    fn share_symbol(&mut self, symbol: Symbol, offset: usize) -> ParseResult<Arc<Symbol>> {
        let name = symbol.name.clone();
        match self.symbols.get(&name) {
            Some(known) if **known == symbol => Ok(known.clone()),
            Some(_) => self.fail_at(offset, format!("the dimension `{name}` has other bounds elsewhere in the file")),
            None => {
                let symbol = Arc::new(symbol);
                self.symbols.insert(name, symbol.clone());
                Ok(symbol)
            }
        }
    }

    /// Gives the unknown extents of an operation in generic form the names that `pyg.dims` has for them.
    pub(super) fn name_symbols(&mut self, parts: &mut OpParts, offset: usize) -> ParseResult<()> {
        let Some(names) = parts.attrs.remove(DIMS) else { return Ok(()) };
        let texts: Option<Vec<&str>> = match &names {
            Attribute::Array(items) => items.iter().map(Attribute::as_str).collect(),
            _ => None,
        };
        let symbols: Option<Vec<Symbol>> = texts.and_then(|texts| texts.into_iter().map(symbol_of).collect());
        let Some(symbols) = symbols else {
            return self
                .fail_at(offset, format!("`{DIMS}` is a list such as [\"s0\", \"s1 in [0, 8]\"], found {names}"));
        };
        let found = symbols_of(&self.module, &parts.result_types, &parts.regions, &parts.attrs).len();
        if found != symbols.len() {
            let named = symbols.len();
            return self.fail_at(offset, format!("`{DIMS}` names {named} extents, but {found} are `?`"));
        }
        let symbols =
            symbols.into_iter().map(|symbol| self.share_symbol(symbol, offset)).collect::<ParseResult<_>>()?;
        let OpParts { result_types, regions, attrs, .. } = parts;
        replace_symbols(&mut self.module, result_types, regions, attrs, symbols);
        Ok(())
    }

    /// Reads `(types) -> types` of an operation with these operands, and returns the types of its results.
    pub fn parse_operation_types(&mut self, operands: &[ValueId]) -> ParseResult<Vec<Type>> {
        let offset = self.offset();
        if !self.at_punct(b'(') {
            return self.unexpected("a function type such as `(tensor<2xf32>) -> tensor<2xf32>`");
        }
        self.advance();
        // What is unknown in the operands' types has its names already.
        let next_symbol = self.next_symbol;
        let inputs = self.parse_list(b')', Parser::parse_type)?;
        self.next_symbol = next_symbol;
        self.check_operand_types(operands, &inputs, offset)?;
        self.expect_arrow()?;
        self.parse_result_types()
    }

    /// Where the text says no more than `?` of an operation's results, gives them the symbols that the rules of the
    /// operation infer.
    pub(super) fn infer_symbols(&mut self, op: OpId) {
        let operation = self.module.op(op);
        let is_unnamed = |value: &ValueId| match self.module.ty(*value) {
            Type::Tensor(tensor) => tensor.shape.iter().any(|dim| self.is_unnamed(dim)),
            _ => false,
        };
        let Some(infer) = operation.opcode.def().infer.filter(|_| operation.results.iter().any(is_unnamed)) else {
            return;
        };
        let Ok(inferred) = infer(&View::of(&self.module, op)) else { return };
        for (result, inferred) in operation.results.clone().into_iter().zip(inferred) {
            let ty = self.adopt_symbols(self.module.ty(result), &inferred);
            self.module.value_mut(result).ty = ty;
        }
    }

    fn parse_extent(&mut self) -> ParseResult<u64> {
        let offset = self.offset();
        match u64::try_from(self.parse_i64()?) {
            Ok(extent) => Ok(extent),
            Err(_) => self.fail_at(offset, "an extent is not negative"),
        }
    }

    /// A symbol for a `?` that has no name.
    fn new_symbol(&mut self, extent_max: Option<u64>) -> Arc<Symbol> {
        let name: Arc<str> = Arc::from(format!("s{}", self.next_symbol));
        self.next_symbol += 1;
        self.unnamed_symbols.insert(name.clone());
        Arc::new(Symbol { name, extent_min: 0, extent_max })
    }

    /// The type that a value gets whose type is written `written` and is that of a value of type `known`: where the
    /// text only says `?`, it has the symbol of the other.
    pub fn adopt_symbols(&self, written: &Type, known: &Type) -> Type {
        let (Type::Tensor(written), Type::Tensor(known)) = (written, known) else { return written.clone() };
        if written.rank() != known.rank() || !written.shape.iter().any(|dim| self.is_unnamed(dim)) {
            return Type::Tensor(written.clone());
        }
        let mut adopted = (**written).clone();
        for (dim, known) in adopted.shape.iter_mut().zip(&known.shape) {
            // A bound that the text gives is worth more than a name.
            let is_better = match (&*dim, known) {
                (Dim::Symbol(dim), Dim::Symbol(known)) => {
                    &*known.name != "?" && (dim.extent_max.is_none() || known.extent_max.is_some())
                }
                _ => false,
            };
            if is_better && self.is_unnamed(dim) {
                *dim = known.clone();
            }
        }
        adopted.into()
    }

    fn is_unnamed(&self, dim: &Dim) -> bool {
        matches!(dim, Dim::Symbol(symbol) if self.unnamed_symbols.contains(&symbol.name))
    }
}

/// What an encoding says about the dimensions: names for each `?`, or a bound for each dimension.
#[derive(Default)]
struct TensorDims {
    symbols: Vec<Arc<Symbol>>,
    bounds: Vec<Option<u64>>,
}

/// The text up to `>` if nothing in it needs more than extents and an element type: such types are read once.
fn plain_body(source: &str, body: usize) -> Option<&str> {
    let end = source.as_bytes()[body..].iter().position(|byte| !byte.is_ascii_alphanumeric())?;
    (source.as_bytes()[body + end] == b'>').then(|| &source[body..body + end])
}

/// The element type of that name; integer widths are not checked.
fn element_type(text: &str) -> Option<ElementType> {
    let integer = |digits: &str, signedness| {
        let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| ElementType::Integer { width: digits.parse().unwrap_or(u32::MAX), signedness })
    };
    if text == "index" {
        return Some(ElementType::Index);
    }
    let integer = match text.as_bytes().first()? {
        b'i' => integer(&text[1..], Signedness::Signless),
        b's' if text.starts_with("si") => integer(&text[2..], Signedness::Signed),
        b'u' if text.starts_with("ui") => integer(&text[2..], Signedness::Unsigned),
        _ => None,
    };
    let float = || FloatKind::ALL.iter().find(|entry| entry.1 == text).map(|entry| ElementType::Float(entry.0));
    integer.or_else(float)
}
