//! Short forms that are alike: operands, then attributes by name, then other attributes in braces, then types.
//!
//! `stablehlo.pad %x, %p, low = [0], high = [1], interior = [0] : (tensor<2xf32>, tensor<f32>) -> tensor<3xf32>`

use std::sync::Arc;

use super::{operand_types, result_types};
use crate::ir::{
    Attribute, OpId, Opcode, Type, ValueId,
    enums::EnumAttr,
    module::OpParts,
    parse::{ParseResult, Parser},
    print::Printer,
    types::{Dim, ElementType, TensorType},
};

/// How the types are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Types {
    /// `(operands) -> results`.
    Functional,
    /// One type for all operands and the result; else as [`Types::Functional`].
    Same,
    /// Of a complex result, whose parts the operands are; else as [`Types::Functional`].
    ComplexResult,
    /// Of the first operand and of all others and the result; else as [`Types::Functional`].
    Select,
    /// Of the result, when operands have none or say nothing about it.
    Result,
    /// Of the result, a tuple of the operands' types.
    Tuple,
    /// Of the result, a tensor whose elements the operands are.
    Elements,
    /// One for all operands; no result.
    SameOperands,
    /// One an operand; no result. Left out where there are no operands.
    Operands,
    /// One an operand, and results of the same types.
    Pairwise,
    /// `operands -> results`.
    Arrow,
    /// `operand to result`.
    To,
    /// Of the first operand; the result is an `index`.
    FirstToIndex,
    /// Of the operands; the result is a witness.
    Witness,
}

/// How an attribute by name is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `dim = 1`
    Integer,
    /// `dims = [0, 1]`
    List,
    /// `distribution = UNIFORM`, an enum of that mnemonic.
    Enum(&'static str),
    /// `config = "ab,bc->ac"`
    Text,
    /// `lower = true`
    Truth,
    /// `tolerance = 0.1`, of type `f64`.
    Float,
}

/// `, keyword = value`.
#[derive(Debug)]
struct Clause {
    keyword: &'static str,
    attribute: &'static str,
    form: Form,
    required: bool,
}

/// A short form.
#[derive(Debug)]
pub(super) struct Row {
    clauses: &'static [Clause],
    types: Types,
}

const fn clause(keyword: &'static str, attribute: &'static str, form: Form) -> Clause {
    Clause { keyword, attribute, form, required: true }
}

const fn optional(keyword: &'static str, form: Form) -> Clause {
    Clause { keyword, attribute: keyword, form, required: false }
}

const fn row(types: Types) -> Option<&'static Row> {
    macro_rules! rows {
        ($($variant:ident)*) => {
            match types { $(Types::$variant => Some(&Row { clauses: &[], types: Types::$variant }),)* }
        };
    }
    rows!(Functional Same ComplexResult Select Result Tuple Elements SameOperands Operands Pairwise Arrow To FirstToIndex Witness)
}

macro_rules! row {
    ($types:ident, $($keyword:literal $attribute:literal $form:expr),*) => {
        Some(const { &Row { clauses: &[$(clause($keyword, $attribute, $form)),*], types: Types::$types } })
    };
}

/// The short form of an operation, if it is in this table.
pub(super) fn row_of(opcode: Opcode) -> Option<&'static Row> {
    use Form::{Enum, Float, Integer, List, Text, Truth};
    use Opcode as O;
    match opcode {
        O::StablehloIota => row!(Result, "dim" "iota_dimension" Integer),
        O::StablehloDynamicIota => row!(Functional, "dim" "iota_dimension" Integer),
        O::StablehloBroadcast => row!(Functional, "sizes" "broadcast_sizes" List),
        O::StablehloBroadcastInDim | O::StablehloDynamicBroadcastInDim => {
            row!(Functional, "dims" "broadcast_dimensions" List)
        }
        O::StablehloTranspose => row!(Functional, "dims" "permutation" List),
        O::StablehloReverse => row!(Same, "dims" "dimensions" List),
        O::StablehloConcatenate => row!(Functional, "dim" "dimension" Integer),
        O::StablehloPad => {
            row!(Functional, "low" "edge_padding_low" List, "high" "edge_padding_high" List, "interior" "interior_padding" List)
        }
        O::StablehloDynamicSlice => row!(Functional, "sizes" "slice_sizes" List),
        O::StablehloGetDimensionSize | O::StablehloSetDimensionSize => row!(Functional, "dim" "dimension" Integer),
        O::StablehloFft => row!(Functional, "type" "fft_type" Enum("fft_type"), "length" "fft_length" List),
        O::StablehloRng => row!(Functional, "distribution" "rng_distribution" Enum("rng_distribution")),
        O::StablehloRngBitGenerator => row!(Functional, "algorithm" "rng_algorithm" Enum("rng_algorithm")),
        O::StablehloEinsum | O::StablehloUnaryEinsum => row!(Functional, "config" "einsum_config" Text),
        O::StablehloTorchIndexSelect => row!(Functional, "dim" "dim" Integer, "batch_dims" "batch_dims" Integer),
        O::StablehloCholesky => Some(const { &Row { clauses: &[optional("lower", Truth)], types: Types::Same } }),
        O::CheckExpectAlmostEq => {
            Some(const { &Row { clauses: &[optional("tolerance", Float)], types: Types::SameOperands } })
        }
        O::CheckExpectClose => Some(
            const {
                &Row {
                    clauses: &[optional("max_ulp_difference", Integer), optional("min_ulp_difference", Integer)],
                    types: Types::Operands,
                }
            },
        ),
        O::CheckExpectSerializedEq => Some(
            const {
                &Row {
                    clauses: &[clause("probe_id", "probe_id", Text), optional("iter", Integer)],
                    types: Types::SameOperands,
                }
            },
        ),
        O::InterpreterProbe => row!(Same, "probe_id" "probe_id" Text),
        O::InterpreterPrint => row(Types::SameOperands),
        O::CheckExpectEq => row(Types::SameOperands),
        O::StablehloSelect | O::ArithSelect => row(Types::Select),
        O::StablehloComplex => row(Types::ComplexResult),
        O::StablehloTuple => row(Types::Tuple),
        O::StablehloCreateToken | O::StablehloPartitionId | O::StablehloReplicaId => row(Types::Result),
        O::StablehloOptimizationBarrier => row(Types::Pairwise),
        O::FuncReturn
        | O::StablehloReturn
        | O::ShapeAssumingYield
        | O::SdyReturn
        | O::ScalarYield
        | O::PygYield
        | O::PygReturn => row(Types::Operands),
        O::TensorFromElements => row(Types::Elements),
        O::TensorDim => row(Types::FirstToIndex),
        O::ShapeCstrBroadcastable => row(Types::Witness),
        O::ShapeShapeOf | O::ShapeBroadcast | O::ShapeNumElements | O::ShapeToExtentTensor => row(Types::Arrow),
        O::TensorCast
        | O::ArithExtf
        | O::ArithExtsi
        | O::ArithTruncf
        | O::ArithTrunci
        | O::ArithFptosi
        | O::ArithSitofp
        | O::ArithIndexCast => row(Types::To),
        O::StablehloBitcastConvert
        | O::StablehloReshape
        | O::StablehloDynamicReshape
        | O::StablehloDynamicPad
        | O::StablehloDynamicUpdateSlice
        | O::StablehloRealDynamicSlice
        | O::StablehloIsFinite
        | O::StablehloUniformQuantize
        | O::StablehloUniformDequantize
        | O::PygEmpty
        | O::PygView => row(Types::Functional),
        _ => row_by_dialect(opcode),
    }
}

fn row_by_dialect(opcode: Opcode) -> Option<&'static Row> {
    let name = opcode.name();
    let (dialect, mnemonic) = name.split_once('.')?;
    match dialect {
        "chlo" if mnemonic.starts_with("broadcast_") => row(Types::Functional),
        "chlo" if !matches!(mnemonic, "ragged_dot" | "constant_like" | "mulhi") => row(Types::Arrow),
        "arith" => row(Types::Same),
        "scalar" if matches!(opcode, Opcode::Scalar(_)) => row(Types::Same),
        "stablehlo" if is_elementwise(opcode) => row(Types::Same),
        _ => None,
    }
}

fn is_elementwise(opcode: Opcode) -> bool {
    use Opcode as O;
    matches!(
        opcode,
        O::StablehloAbs
            | O::StablehloAdd
            | O::StablehloAfterAll
            | O::StablehloAnd
            | O::StablehloAtan2
            | O::StablehloCbrt
            | O::StablehloCeil
            | O::StablehloClamp
            | O::StablehloConvert
            | O::StablehloCosine
            | O::StablehloCountLeadingZeros
            | O::StablehloDivide
            | O::StablehloExponential
            | O::StablehloExponentialMinusOne
            | O::StablehloFloor
            | O::StablehloImag
            | O::StablehloLog
            | O::StablehloLogPlusOne
            | O::StablehloLogistic
            | O::StablehloMaximum
            | O::StablehloMinimum
            | O::StablehloMultiply
            | O::StablehloNegate
            | O::StablehloNot
            | O::StablehloOr
            | O::StablehloPopcnt
            | O::StablehloPower
            | O::StablehloReal
            | O::StablehloRemainder
            | O::StablehloRoundNearestAfz
            | O::StablehloRoundNearestEven
            | O::StablehloRsqrt
            | O::StablehloShiftLeft
            | O::StablehloShiftRightArithmetic
            | O::StablehloShiftRightLogical
            | O::StablehloSign
            | O::StablehloSine
            | O::StablehloSqrt
            | O::StablehloSubtract
            | O::StablehloTan
            | O::StablehloTanh
            | O::StablehloXor
    )
}

/// Reads a row's short form.
pub(super) fn parse_plain(parser: &mut Parser<'_>, opcode: Opcode, parts: &mut OpParts) -> ParseResult<()> {
    let row = row_of(opcode).expect("only operations of the table should come here");
    let mut operands: Vec<ValueId> = Vec::new();
    let mut clause_follows = !parser.at_value() && row.clauses.iter().any(|clause| parser.at_word(clause.keyword));
    while parser.at_value() {
        operands.push(parser.parse_operand()?);
        if !parser.take(b',') {
            break;
        }
        clause_follows = !parser.at_value();
    }
    while clause_follows {
        parse_clause(parser, row, parts)?;
        clause_follows = parser.take(b',');
    }
    if let Some(missing) =
        row.clauses.iter().find(|clause| clause.required && parts.attrs.get(clause.attribute).is_none())
    {
        return parser.unexpected(&format!("`{} = …`", missing.keyword));
    }
    parse_flags(parser, parts)?;
    parser.parse_optional_attributes(&mut parts.attrs)?;
    if row.types == Types::Operands && operands.is_empty() {
        return Ok(());
    }
    parser.expect(b':')?;
    parse_types(parser, row.types, &operands, parts)?;
    parts.operands = operands.into();
    Ok(())
}

fn parse_clause(parser: &mut Parser<'_>, row: &Row, parts: &mut OpParts) -> ParseResult<()> {
    let Some(clause) = row.clauses.iter().find(|clause| parser.at_word(clause.keyword)) else {
        let keywords: Vec<String> = row.clauses.iter().map(|clause| format!("`{} = …`", clause.keyword)).collect();
        let expected = if keywords.is_empty() { "a value such as `%0`".into() } else { keywords.join(" or ") };
        return parser.unexpected(&expected);
    };
    let offset = parser.offset();
    parser.advance();
    parser.expect(b'=')?;
    let value = match clause.form {
        Form::Integer => Attribute::i64(parser.parse_i64()?),
        Form::List => parser.parse_i64_array()?,
        Form::Enum(mnemonic) => Attribute::Enum(parser.parse_enum_case(mnemonic)?),
        Form::Text => Attribute::String(Arc::from(parser.parse_string()?)),
        Form::Truth => match (parser.take_word("true"), parser.take_word("false")) {
            (true, _) => Attribute::Bool(true),
            (_, true) => Attribute::Bool(false),
            _ => return parser.unexpected("`true` or `false`"),
        },
        Form::Float => parser.parse_f64()?,
    };
    parser.set_attribute(&mut parts.attrs, clause.attribute, value, offset)
}

/// `overflow<nsw>` and `fastmath<fast>` of arith, kept as they are.
fn parse_flags(parser: &mut Parser<'_>, parts: &mut OpParts) -> ParseResult<()> {
    for (keyword, attribute) in [("overflow", "overflowFlags"), ("fastmath", "fastmath")] {
        let offset = parser.offset();
        if parser.take_word(keyword) {
            let body = parser.parse_in_brackets(b'<')?;
            let value = Attribute::Foreign(Arc::from(format!("arith.{keyword}{body}")));
            parser.set_attribute(&mut parts.attrs, attribute, value, offset)?;
        }
    }
    Ok(())
}

fn parse_types(parser: &mut Parser<'_>, types: Types, operands: &[ValueId], parts: &mut OpParts) -> ParseResult<()> {
    let offset = parser.offset();
    if parser.at_punct(b'(') && types != Types::Operands && types != Types::SameOperands {
        parts.result_types = parser.parse_operation_types(operands)?;
        return Ok(());
    }
    let written = parser.parse_type_list()?;
    let first = written[0].clone();
    let expect_count = |parser: &Parser<'_>, count: usize| {
        if written.len() == count {
            return Ok(());
        }
        parser.fail_at(offset, format!("{} types, expected {count}", written.len()))
    };
    match types {
        Types::Functional => {
            return parser
                .fail_at(offset, format!("expected `(types of operands) -> types of results`, found `{first}`"));
        }
        Types::Same | Types::SameOperands => {
            expect_count(parser, 1)?;
            operands.iter().try_for_each(|operand| parser.check_type(*operand, &first, offset))?;
            if types == Types::Same {
                let known = operands.first().map(|operand| parser.module.ty(*operand).clone());
                parts.result_types = vec![known.map_or(first.clone(), |known| parser.adopt_symbols(&first, &known))];
            }
        }
        Types::ComplexResult => {
            expect_count(parser, 1)?;
            let part = part_type(&first);
            operands.iter().try_for_each(|operand| parser.check_type(*operand, &part, offset))?;
            parts.result_types = vec![first];
        }
        Types::Select => parse_select_types(parser, &written, operands, offset, parts)?,
        Types::Result | Types::Elements => {
            expect_count(parser, 1)?;
            parts.result_types = vec![first];
        }
        Types::Tuple => {
            expect_count(parser, 1)?;
            let Type::Tuple(elements) = &first else {
                return parser.fail_at(offset, format!("expected a tuple type, found `{first}`"));
            };
            parser.check_operand_types(operands, elements, offset)?;
            parts.result_types = vec![first];
        }
        Types::Operands => parser.check_operand_types(operands, &written, offset)?,
        Types::Pairwise => {
            parser.check_operand_types(operands, &written, offset)?;
            parts.result_types = operands.iter().map(|operand| parser.module.ty(*operand).clone()).collect();
        }
        Types::Arrow | Types::To => {
            parser.check_operand_types(operands, &written, offset)?;
            match types {
                Types::To => parser.expect_word("to")?,
                _ => parser.expect_arrow()?,
            }
            parts.result_types = parser.parse_result_types()?;
        }
        Types::FirstToIndex => {
            operands.first().map_or(Ok(()), |operand| parser.check_type(*operand, &first, offset))?;
            parts.result_types = vec![Type::Scalar(ElementType::Index)];
        }
        Types::Witness => {
            parser.check_operand_types(operands, &written, offset)?;
            parts.result_types = vec![witness()];
        }
    }
    Ok(())
}

fn parse_select_types(
    parser: &mut Parser<'_>,
    written: &[Type],
    operands: &[ValueId],
    offset: usize,
    parts: &mut OpParts,
) -> ParseResult<()> {
    let result = match written {
        // arith leaves the type of a scalar condition out.
        [result] => result,
        [condition, result] => {
            operands.first().map_or(Ok(()), |operand| parser.check_type(*operand, condition, offset))?;
            result
        }
        _ => {
            return parser
                .fail_at(offset, format!("{} types, expected the condition's and the result's", written.len()));
        }
    };
    operands.iter().skip(1).try_for_each(|operand| parser.check_type(*operand, result, offset))?;
    let known = operands.get(1).map(|operand| parser.module.ty(*operand).clone());
    parts.result_types = vec![known.map_or(result.clone(), |known| parser.adopt_symbols(result, &known))];
    Ok(())
}

/// `!shape.witness`
pub(super) fn witness() -> Type {
    Type::Dialect(Arc::from("shape.witness"))
}

/// The type of the parts of a tensor of complex numbers; other types as they are.
fn part_type(ty: &Type) -> Type {
    match ty {
        Type::Tensor(tensor) => match &tensor.element {
            ElementType::Complex(part) => tensor.with_element(ElementType::Float(*part)).into(),
            _ => ty.clone(),
        },
        Type::Scalar(ElementType::Complex(part)) => Type::Scalar(ElementType::Float(*part)),
        _ => ty.clone(),
    }
}

/// Prints a row's short form.
pub(super) fn print_plain(printer: &mut Printer<'_>, op: OpId) -> Option<()> {
    let module = printer.module;
    let operation = module.op(op);
    let row = row_of(operation.opcode)?;
    if !operation.regions.is_empty()
        || operation.attrs.get("overflowFlags").is_some()
        || operation.attrs.get("fastmath").is_some()
    {
        return None;
    }
    let (operands, results) = (operand_types(module, op), result_types(module, op));
    if operands.is_empty()
        && !matches!(row.types, Types::Functional | Types::Result | Types::Operands | Types::Elements | Types::Same)
    {
        return None;
    }
    printer.name(op);
    if !operands.is_empty() {
        printer.text(" ");
        printer.operands(op);
    }
    let mut hidden = Vec::new();
    for clause in row.clauses {
        let Some(value) = operation.attrs.get(clause.attribute) else {
            if clause.required {
                return None;
            }
            continue;
        };
        let first = operands.is_empty() && hidden.is_empty();
        printer.text(if first { " " } else { ", " });
        printer.text(clause.keyword);
        printer.text(" = ");
        print_value(printer, clause.form, value)?;
        hidden.push(clause.attribute);
    }
    printer.attributes(op, &hidden);
    print_types(printer, row.types, op, &operands, &results)
}

fn print_value(printer: &mut Printer<'_>, form: Form, value: &Attribute) -> Option<()> {
    match (form, value) {
        (Form::Integer, Attribute::Integer { value, ty: ElementType::I64 }) => printer.text(&value.to_string()),
        (Form::List, Attribute::DenseArray { element: ElementType::I64, values }) => printer.i64_list(values),
        (Form::Enum(mnemonic), Attribute::Enum(case)) if case.mnemonic() == mnemonic => printer.text(case.name()),
        (Form::Text, Attribute::String(_)) | (Form::Truth, Attribute::Bool(_)) => printer.attribute(value),
        (Form::Float, Attribute::Float { bits, ty: ElementType::F64 }) => printer.f64(f64::from_bits(*bits)),
        _ => return None,
    }
    Some(())
}

fn print_types(printer: &mut Printer<'_>, types: Types, op: OpId, operands: &[Type], results: &[Type]) -> Option<()> {
    if types == Types::Operands && operands.is_empty() {
        return results.is_empty().then_some(());
    }
    printer.text(" : ");
    let one_result = results.len() == 1;
    match types {
        Types::Same if one_result && operands.iter().all(|ty| *ty == results[0]) => printer.ty(&results[0]),
        Types::ComplexResult
            if one_result && operands.iter().all(|ty| *ty == part_type(&results[0]) && *ty != results[0]) =>
        {
            printer.ty(&results[0]);
        }
        Types::Select if one_result && operands.len() > 1 && operands[1..].iter().all(|ty| *ty == results[0]) => {
            let hides_condition =
                printer.module.op(op).opcode == Opcode::ArithSelect && operands[0] == Type::Scalar(ElementType::BOOL);
            printer.types(if hides_condition { &results[..1] } else { &[] });
            if !hides_condition {
                printer.types(&[operands[0].clone(), results[0].clone()]);
            }
        }
        Types::Same | Types::ComplexResult | Types::Select | Types::Functional => {
            printer.function_type(operands, results);
        }
        Types::Result if one_result && operands.is_empty() => printer.ty(&results[0]),
        Types::Elements if one_result => {
            let element = results[0].as_tensor().map(|tensor: &TensorType| tensor.element.clone())?;
            if operands.iter().any(|ty| *ty != Type::Scalar(element.clone())) || has_symbols(&results[0]) {
                return None;
            }
            printer.ty(&results[0]);
        }
        Types::Tuple if one_result && matches!(&results[0], Type::Tuple(tys) if tys[..] == *operands) => {
            printer.ty(&results[0]);
        }
        Types::SameOperands if results.is_empty() && operands.iter().all(|ty| *ty == operands[0]) => {
            printer.ty(&operands[0]);
        }
        Types::Operands if results.is_empty() => printer.types(operands),
        Types::Pairwise if operands == results => printer.types(operands),
        Types::Arrow | Types::To if !results.is_empty() => {
            printer.types(operands);
            printer.text(if types == Types::To { " to " } else { " -> " });
            printer.result_types(results);
        }
        Types::FirstToIndex
            if *results == [Type::Scalar(ElementType::Index)]
                && operands.len() == 2
                && operands[1] == Type::Scalar(ElementType::Index) =>
        {
            printer.ty(&operands[0])
        }
        Types::Witness if *results == [witness()] => printer.types(operands),
        _ => return None,
    }
    Some(())
}

fn has_symbols(ty: &Type) -> bool {
    ty.as_tensor().is_some_and(|tensor| tensor.shape.iter().any(|dim| matches!(dim, Dim::Symbol(_))))
}

impl Parser<'_> {
    /// Reads the name of a case of an enum.
    pub(super) fn parse_enum_case(&mut self, mnemonic: &str) -> ParseResult<EnumAttr> {
        let offset = self.offset();
        let text = self.expect_any_word(mnemonic)?;
        match EnumAttr::parse(mnemonic, text) {
            Some(case) => Ok(case),
            None => {
                let known =
                    EnumAttr::MNEMONICS.iter().find(|entry| entry.0 == mnemonic).map_or(&[][..], |entry| entry.1);
                self.fail_at(offset, format!("`{text}` is no {mnemonic}: known are {}", known.join(", ")))
            }
        }
    }
}
