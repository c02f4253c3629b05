//! What the table asks of the type of a value and of the value of an attribute.

use crate::ir::{
    Attribute, ElementType, Type,
    types::{Signedness, TensorType},
};

/// Sets of element types and of type constructors, one bit each.
pub mod sets {
    /// `i1`.
    pub const BOOL: u8 = 1;
    /// Signless and signed integers of more than one bit.
    pub const SIGNED: u8 = 2;
    /// Unsigned integers.
    pub const UNSIGNED: u8 = 4;
    /// Floats of every format.
    pub const FLOAT: u8 = 8;
    /// Complex numbers.
    pub const COMPLEX: u8 = 16;
    /// `index`.
    pub const INDEX: u8 = 32;
    /// Quantized types.
    pub const QUANTIZED: u8 = 64;
    /// Integers but `i1`.
    pub const INT: u8 = SIGNED | UNSIGNED;
    /// Integers.
    pub const LOGIC: u8 = BOOL | INT;
    /// Floats and complex numbers.
    pub const INEXACT: u8 = FLOAT | COMPLEX;
    /// Everything but `index`.
    pub const ANY: u8 = LOGIC | INEXACT | QUANTIZED;
    /// What positions and sizes are given in.
    pub const POSITION: u8 = INT | INDEX;

    /// The sets that have a name of their own in messages, largest first.
    pub(super) const NAMES: &[(u8, &str)] = &[
        (BOOL, "i1"),
        (SIGNED, "signed integer"),
        (UNSIGNED, "unsigned integer"),
        (FLOAT, "float"),
        (COMPLEX, "complex"),
        (INDEX, "index"),
        (QUANTIZED, "quantized"),
    ];
}

/// Which sort of type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A tensor.
    Tensor,
    /// A bare scalar.
    Scalar,
    /// A tensor or a bare scalar.
    TensorOrScalar,
    /// `!stablehlo.token`.
    Token,
    /// A tuple.
    Tuple,
    /// A dialect's type of that name.
    Dialect(&'static str),
    /// Anything.
    Any,
}

/// What the table asks of the type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeConstraint {
    /// Which sort of type.
    pub form: Form,
    /// For tensors and scalars: which element types, bits of [`sets`].
    pub elements: u8,
    /// For tensors: the number of dimensions, where it is fixed.
    pub rank: Option<usize>,
}

/// A tensor with elements of a set.
pub(super) const fn tensor_of(elements: u8) -> TypeConstraint {
    TypeConstraint { form: Form::Tensor, elements, rank: None }
}

/// A tensor of a fixed number of dimensions.
pub(super) const fn ranked(elements: u8, rank: usize) -> TypeConstraint {
    TypeConstraint { form: Form::Tensor, elements, rank: Some(rank) }
}

/// A bare scalar of a set, or a tensor of such.
pub(super) const fn scalar_or_tensor(elements: u8) -> TypeConstraint {
    TypeConstraint { form: Form::TensorOrScalar, elements, rank: None }
}

/// A bare scalar of a set.
pub(super) const fn scalar_of(elements: u8) -> TypeConstraint {
    TypeConstraint { form: Form::Scalar, elements, rank: None }
}

/// A type that is neither tensor nor scalar.
pub(super) const fn form(form: Form) -> TypeConstraint {
    TypeConstraint { form, elements: sets::ANY | sets::INDEX, rank: None }
}

/// A tensor of anything.
pub(super) const TENSOR: TypeConstraint = tensor_of(sets::ANY);
/// A token.
pub(super) const TOKEN: TypeConstraint = form(Form::Token);
/// Anything.
pub(super) const ANY_TYPE: TypeConstraint = form(Form::Any);

/// The bit of [`sets`] that an element type is in.
pub fn element_set(element: &ElementType) -> u8 {
    match element {
        ElementType::Integer { width: 1, signedness: Signedness::Signless } => sets::BOOL,
        ElementType::Integer { signedness: Signedness::Unsigned, .. } => sets::UNSIGNED,
        ElementType::Integer { .. } => sets::SIGNED,
        ElementType::Float(_) => sets::FLOAT,
        ElementType::Complex(_) => sets::COMPLEX,
        ElementType::Index => sets::INDEX,
        ElementType::Quantized(_) => sets::QUANTIZED,
    }
}

impl TypeConstraint {
    /// True if the type is as asked.
    pub fn accepts(&self, ty: &Type) -> bool {
        let tensor = |tensor: &TensorType| {
            self.elements & element_set(&tensor.element) != 0 && self.rank.is_none_or(|rank| rank == tensor.rank())
        };
        let scalar = |element: &ElementType| self.elements & element_set(element) != 0;
        match (self.form, ty) {
            (Form::Any, _) => true,
            (Form::Tensor | Form::TensorOrScalar, Type::Tensor(ty)) => tensor(ty),
            (Form::Scalar | Form::TensorOrScalar, Type::Scalar(element)) => scalar(element),
            (Form::Token, Type::Dialect(name)) => &**name == "stablehlo.token",
            (Form::Tuple, Type::Tuple(_)) => true,
            (Form::Dialect(wanted), Type::Dialect(name)) => &**name == wanted,
            _ => false,
        }
    }

    /// What is asked, in words (`0-dimensional tensor of signed integer or float`).
    pub fn describe(&self) -> String {
        let noun = match self.form {
            Form::Tensor => "tensor",
            Form::Scalar => "scalar",
            Form::TensorOrScalar => "tensor or scalar",
            Form::Token => return "token".to_string(),
            Form::Tuple => return "tuple".to_string(),
            Form::Dialect(name) => return format!("!{name}"),
            Form::Any => return "any type".to_string(),
        };
        let rank = self.rank.map_or(String::new(), |rank| format!("{rank}-dimensional "));
        let everything = sets::ANY & !self.elements == 0;
        if everything {
            return format!("{rank}{noun}");
        }
        let names: Vec<&str> =
            sets::NAMES.iter().filter(|(bit, _)| self.elements & bit != 0).map(|(_, name)| *name).collect();
        format!("{rank}{noun} of {}", join_words(&names, "or"))
    }
}

/// `a, b or c`.
pub(super) fn join_words(words: &[&str], conjunction: &str) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_string(),
        [init @ .., last] => format!("{} {conjunction} {last}", init.join(", ")),
    }
}

/// What the table asks of the value of an attribute.
///
/// The parser reads it too: where the text has an older spelling of a kind (`dense<[1, 2]> : tensor<2xi64>` for
/// [`AttrKind::I64Array`]) it brings it into the form that the kind names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttrKind {
    /// `unit`.
    Unit,
    /// `true`, `false`.
    Bool,
    /// An integer of that width, or of any (0).
    Integer(u32),
    /// A float.
    Float,
    /// A text.
    String,
    /// `@name`.
    Symbol,
    /// A type.
    Type,
    /// A function type.
    FunctionType,
    /// `array<i64: …>`.
    I64Array,
    /// `array<i32: …>`.
    I32Array,
    /// `array<i1: …>`.
    BoolArray,
    /// `dense<…>` of any type.
    Dense,
    /// `dense<…> : tensor<…xi64>` of two dimensions: pairs, process groups.
    I64Matrix,
    /// A literal of a tensor or of a scalar: `dense<…>`, an integer, a float or a truth value.
    Constant,
    /// One of the names of that mnemonic.
    Enum(&'static str),
    /// A list of names of that mnemonic.
    EnumArray(&'static str),
    /// How exact an elementary function has to be.
    ResultAccuracy,
    /// `#stablehlo.dot<…>`.
    DotDimensions,
    /// Algorithm of `dot_general`, kept as text.
    DotAlgorithm,
    /// `#stablehlo.gather<…>`.
    GatherDimensions,
    /// `#stablehlo.scatter<…>`.
    ScatterDimensions,
    /// `#stablehlo.conv<…>`.
    ConvDimensions,
    /// `#stablehlo.channel_handle<…>`.
    ChannelHandle,
    /// Which processes take part: a matrix, or axes of a mesh kept as text.
    ReplicaGroups,
    /// A list of `#stablehlo.output_operand_alias<…>`.
    OutputOperandAliases,
    /// A list of symbols.
    SymbolArray,
    /// A list of lists of integers.
    IntegerLists,
    /// A list of `dense<…> : tensor<…xindex>`, one an operand or result: layouts.
    Layouts,
    /// A list of affine maps.
    AffineMaps,
    /// A list of places: `"arena 64"`, `"argument 1"`, `"result 0"`.
    Places,
    /// A list of anything.
    Array,
    /// A list of dictionaries.
    DictionaryArray,
    /// `{…}`.
    Dictionary,
    /// An attribute of another dialect, kept as text.
    Foreign,
    /// Anything.
    Any,
}

impl AttrKind {
    /// True if the attribute is of this kind.
    pub fn accepts(self, attribute: &Attribute) -> bool {
        use Attribute as A;
        let all = |attribute: &Attribute, is: fn(&Attribute) -> bool| {
            if let A::Array(items) = attribute { items.iter().all(is) } else { false }
        };
        let array_of = |attribute: &Attribute, wanted: u32| match attribute {
            A::DenseArray { element: ElementType::Integer { width, .. }, .. } => *width == wanted,
            _ => false,
        };
        match self {
            AttrKind::Unit => matches!(attribute, A::Unit),
            AttrKind::Bool => matches!(attribute, A::Bool(_)),
            AttrKind::Integer(0) => matches!(attribute, A::Integer { .. }),
            AttrKind::Integer(wanted) => {
                matches!(attribute, A::Integer { ty: ElementType::Integer { width, .. }, .. } if *width == wanted)
            }
            AttrKind::Float => matches!(attribute, A::Float { .. }),
            AttrKind::String => matches!(attribute, A::String(_)),
            AttrKind::Symbol => matches!(attribute, A::Symbol(_)),
            AttrKind::Type => matches!(attribute, A::Type(_)),
            AttrKind::FunctionType => matches!(attribute, A::Type(Type::Function(_))),
            AttrKind::I64Array => array_of(attribute, 64),
            AttrKind::I32Array => array_of(attribute, 32),
            AttrKind::BoolArray => array_of(attribute, 1),
            AttrKind::Dense => matches!(attribute, A::Dense(_)),
            AttrKind::I64Matrix => {
                matches!(attribute, A::Dense(d) if d.ty.element == ElementType::I64 && d.ty.rank() == 2)
            }
            AttrKind::Constant => {
                matches!(attribute, A::Dense(_) | A::Integer { .. } | A::Float { .. } | A::Bool(_))
            }
            AttrKind::Enum(mnemonic) => matches!(attribute, A::Enum(case) if case.mnemonic() == mnemonic),
            AttrKind::EnumArray(mnemonic) => match attribute {
                A::Array(items) => {
                    items.iter().all(|item| matches!(item, A::Enum(case) if case.mnemonic() == mnemonic))
                }
                _ => false,
            },
            AttrKind::ResultAccuracy => match attribute {
                A::Enum(case) => case.mnemonic() == "result_accuracy_mode",
                other => matches!(other, A::Foreign(_)),
            },
            AttrKind::DotDimensions => matches!(attribute, A::DotDimensions(_)),
            AttrKind::GatherDimensions => matches!(attribute, A::GatherDimensions(_)),
            AttrKind::ScatterDimensions => matches!(attribute, A::ScatterDimensions(_)),
            AttrKind::ConvDimensions => matches!(attribute, A::ConvDimensions(_)),
            AttrKind::ChannelHandle => matches!(attribute, A::ChannelHandle { .. }),
            AttrKind::ReplicaGroups => AttrKind::I64Matrix.accepts(attribute) || matches!(attribute, A::Foreign(_)),
            AttrKind::OutputOperandAliases => all(attribute, |item| matches!(item, A::OutputOperandAlias(_))),
            AttrKind::SymbolArray => all(attribute, |item| matches!(item, A::Symbol(_))),
            AttrKind::Places => all(attribute, |item| {
                item.as_str().is_some_and(|text| text.parse::<crate::lower::place::Place>().is_ok())
            }),
            AttrKind::IntegerLists => all(
                attribute,
                |item| matches!(item, A::Array(inner) if inner.iter().all(|i| matches!(i, A::Integer { .. }))),
            ),
            AttrKind::Layouts => all(attribute, |item| matches!(item, A::Dense(_))),
            AttrKind::AffineMaps => all(attribute, |item| matches!(item, A::AffineMap(_))),
            AttrKind::Array => matches!(attribute, A::Array(_)),
            AttrKind::DictionaryArray => all(attribute, |item| matches!(item, A::Dictionary(_))),
            AttrKind::Dictionary => matches!(attribute, A::Dictionary(_)),
            AttrKind::DotAlgorithm | AttrKind::Foreign => matches!(attribute, A::Foreign(_)),
            AttrKind::Any => true,
        }
    }

    /// What is asked, in words.
    pub fn describe(self) -> String {
        match self {
            AttrKind::Unit => "unit",
            AttrKind::Bool => "true or false",
            AttrKind::Integer(0) => "an integer",
            AttrKind::Integer(width) => return format!("an i{width}"),
            AttrKind::Float => "a float",
            AttrKind::String => "a string",
            AttrKind::Symbol => "a symbol (@name)",
            AttrKind::Type => "a type",
            AttrKind::FunctionType => "a function type",
            AttrKind::I64Array => "a list of integers (array<i64: …>)",
            AttrKind::I32Array => "a list of integers (array<i32: …>)",
            AttrKind::BoolArray => "a list of truth values (array<i1: …>)",
            AttrKind::Dense => "a dense tensor",
            AttrKind::I64Matrix => "a dense matrix of i64",
            AttrKind::Constant => "a dense tensor or a number",
            AttrKind::Enum(mnemonic) => return format!("a {mnemonic} (one of {})", cases(mnemonic)),
            AttrKind::EnumArray(mnemonic) => return format!("a list of {mnemonic} (each one of {})", cases(mnemonic)),
            AttrKind::ResultAccuracy => "#stablehlo.result_accuracy<…>",
            AttrKind::DotDimensions => "#stablehlo.dot<…>",
            AttrKind::DotAlgorithm => "#stablehlo.dot_algorithm<…>",
            AttrKind::GatherDimensions => "#stablehlo.gather<…>",
            AttrKind::ScatterDimensions => "#stablehlo.scatter<…>",
            AttrKind::ConvDimensions => "#stablehlo.conv<…>",
            AttrKind::ChannelHandle => "#stablehlo.channel_handle<…>",
            AttrKind::ReplicaGroups => "a dense matrix of i64, or axes of a mesh",
            AttrKind::OutputOperandAliases => "a list of #stablehlo.output_operand_alias<…>",
            AttrKind::SymbolArray => "a list of symbols (@name)",
            AttrKind::Places => "a list of places (`arena OFFSET`, `argument N` or `result N`)",
            AttrKind::IntegerLists => "a list of lists of integers",
            AttrKind::Layouts => "a list of dense<…> : tensor<…xindex>",
            AttrKind::AffineMaps => "a list of affine maps",
            AttrKind::Array => "a list",
            AttrKind::DictionaryArray => "a list of dictionaries",
            AttrKind::Dictionary => "a dictionary",
            AttrKind::Foreign => "an attribute of a dialect (#dialect.name<…>)",
            AttrKind::Any => "anything",
        }
        .to_string()
    }
}

fn cases(mnemonic: &str) -> String {
    let entry = crate::ir::enums::EnumAttr::MNEMONICS.iter().find(|(own, _)| *own == mnemonic);
    entry.map_or_else(String::new, |(_, names)| names.join(", "))
}
