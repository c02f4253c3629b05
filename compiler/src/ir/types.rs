//! Types of values.

use std::sync::Arc;

use pygraph_artifact::dtype::DType;
use smallvec::SmallVec;

use super::attribute::Attribute;

/// How the bits of an integer are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Signedness {
    /// `i32`: StableHLO reads it as signed.
    Signless,
    /// `si32`: PyTorch's signed integers.
    Signed,
    /// `ui32`.
    Unsigned,
}

/// Floating-point formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are MLIR's")]
pub enum FloatKind {
    F4E2M1FN,
    F6E2M3FN,
    F6E3M2FN,
    F8E3M4,
    F8E4M3,
    F8E4M3FN,
    F8E4M3FNUZ,
    F8E4M3B11FNUZ,
    F8E5M2,
    F8E5M2FNUZ,
    F8E8M0FNU,
    Bf16,
    F16,
    Tf32,
    F32,
    F64,
}

impl FloatKind {
    /// Every format with its MLIR spelling and its width in bits.
    pub const ALL: &[(FloatKind, &'static str, u32)] = &[
        (FloatKind::F4E2M1FN, "f4E2M1FN", 4),
        (FloatKind::F6E2M3FN, "f6E2M3FN", 6),
        (FloatKind::F6E3M2FN, "f6E3M2FN", 6),
        (FloatKind::F8E3M4, "f8E3M4", 8),
        (FloatKind::F8E4M3, "f8E4M3", 8),
        (FloatKind::F8E4M3FN, "f8E4M3FN", 8),
        (FloatKind::F8E4M3FNUZ, "f8E4M3FNUZ", 8),
        (FloatKind::F8E4M3B11FNUZ, "f8E4M3B11FNUZ", 8),
        (FloatKind::F8E5M2, "f8E5M2", 8),
        (FloatKind::F8E5M2FNUZ, "f8E5M2FNUZ", 8),
        (FloatKind::F8E8M0FNU, "f8E8M0FNU", 8),
        (FloatKind::Bf16, "bf16", 16),
        (FloatKind::F16, "f16", 16),
        (FloatKind::Tf32, "tf32", 19),
        (FloatKind::F32, "f32", 32),
        (FloatKind::F64, "f64", 64),
    ];

    fn entry(self) -> &'static (FloatKind, &'static str, u32) {
        Self::ALL.iter().find(|entry| entry.0 == self).expect("every float format should be listed")
    }

    /// The MLIR spelling.
    pub fn name(self) -> &'static str {
        self.entry().1
    }

    /// Width in bits.
    pub fn bits(self) -> u32 {
        self.entry().2
    }
}

/// Type of one element of a tensor, or of a scalar.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ElementType {
    /// `i1`, `i32`, `si64`, `ui8`.
    Integer {
        /// Width in bits.
        width: u32,
        /// How the bits are read.
        signedness: Signedness,
    },
    /// `f32`, `bf16`, …
    Float(FloatKind),
    /// `complex<f32>`.
    Complex(FloatKind),
    /// `index`.
    Index,
    /// `!quant.uniform<…>`: kept as text, does not run.
    Quantized(Arc<str>),
}

impl ElementType {
    /// `i1`.
    pub const BOOL: ElementType = ElementType::Integer { width: 1, signedness: Signedness::Signless };
    /// `i32`.
    pub const I32: ElementType = ElementType::Integer { width: 32, signedness: Signedness::Signless };
    /// `i64`.
    pub const I64: ElementType = ElementType::Integer { width: 64, signedness: Signedness::Signless };
    /// `f32`.
    pub const F32: ElementType = ElementType::Float(FloatKind::F32);
    /// `f64`.
    pub const F64: ElementType = ElementType::Float(FloatKind::F64);

    /// The type that a device stores it as; none for types that do not run yet.
    ///
    /// `si32` and `i32` are one there; `index` is `i64`.
    pub fn dtype(&self) -> Option<DType> {
        Some(match self {
            ElementType::Integer { width, signedness } => match (width, signedness) {
                (1, Signedness::Signless) => DType::I1,
                (2, Signedness::Unsigned) => DType::U2,
                (4, Signedness::Unsigned) => DType::U4,
                (8, Signedness::Unsigned) => DType::U8,
                (16, Signedness::Unsigned) => DType::U16,
                (32, Signedness::Unsigned) => DType::U32,
                (64, Signedness::Unsigned) => DType::U64,
                (2, _) => DType::I2,
                (4, _) => DType::I4,
                (8, _) => DType::I8,
                (16, _) => DType::I16,
                (32, _) => DType::I32,
                (64, _) => DType::I64,
                _ => return None,
            },
            ElementType::Float(FloatKind::Bf16) => DType::Bf16,
            ElementType::Float(FloatKind::F16) => DType::F16,
            ElementType::Float(FloatKind::F32) => DType::F32,
            ElementType::Float(FloatKind::F64) => DType::F64,
            ElementType::Float(kind) => return kind.name().parse().ok(),
            ElementType::Complex(FloatKind::F32) => DType::C64,
            ElementType::Complex(FloatKind::F64) => DType::C128,
            ElementType::Index => DType::I64,
            ElementType::Complex(_) | ElementType::Quantized(_) => return None,
        })
    }

    /// The (signless) type that StableHLO uses for a device type.
    pub fn of(dtype: DType) -> ElementType {
        let integer = |signedness| ElementType::Integer { width: dtype.bits(), signedness };
        match dtype {
            DType::I1 | DType::I2 | DType::I4 | DType::I8 | DType::I16 | DType::I32 | DType::I64 => {
                integer(Signedness::Signless)
            }
            DType::U2 | DType::U4 | DType::U8 | DType::U16 | DType::U32 | DType::U64 => integer(Signedness::Unsigned),
            DType::Bf16 => ElementType::Float(FloatKind::Bf16),
            DType::F16 => ElementType::Float(FloatKind::F16),
            DType::F32 => ElementType::F32,
            DType::F64 => ElementType::F64,
            DType::C64 => ElementType::Complex(FloatKind::F32),
            DType::C128 => ElementType::Complex(FloatKind::F64),
            DType::F4E2M1Fn => ElementType::Float(FloatKind::F4E2M1FN),
            DType::F6E2M3Fn => ElementType::Float(FloatKind::F6E2M3FN),
            DType::F6E3M2Fn => ElementType::Float(FloatKind::F6E3M2FN),
            DType::F8E3M4 => ElementType::Float(FloatKind::F8E3M4),
            DType::F8E4M3 => ElementType::Float(FloatKind::F8E4M3),
            DType::F8E4M3Fn => ElementType::Float(FloatKind::F8E4M3FN),
            DType::F8E4M3Fnuz => ElementType::Float(FloatKind::F8E4M3FNUZ),
            DType::F8E4M3B11Fnuz => ElementType::Float(FloatKind::F8E4M3B11FNUZ),
            DType::F8E5M2 => ElementType::Float(FloatKind::F8E5M2),
            DType::F8E5M2Fnuz => ElementType::Float(FloatKind::F8E5M2FNUZ),
            DType::F8E8M0Fnu => ElementType::Float(FloatKind::F8E8M0FNU),
        }
    }
}

/// A dimension whose extent is known when the model runs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Symbol {
    /// Unique in the module for dimensions that are equal (`s0`).
    pub name: Arc<str>,
    /// Smallest extent.
    pub extent_min: u64,
    /// Largest extent, where one is known.
    pub extent_max: Option<u64>,
}

/// One dimension of a tensor.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Dim {
    /// Known now.
    Static(u64),
    /// Known when the model runs.
    Symbol(Arc<Symbol>),
}

/// A ranked tensor type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TensorType {
    /// Extents, outermost first.
    pub shape: SmallVec<[Dim; 4]>,
    /// Element type.
    pub element: ElementType,
    /// A foreign encoding (`#stablehlo.bounds<…>` becomes bounds of symbols and is not kept here).
    pub encoding: Option<Attribute>,
}

impl TensorType {
    /// A tensor of static shape.
    pub fn new(shape: &[u64], element: ElementType) -> TensorType {
        TensorType { shape: shape.iter().map(|extent| Dim::Static(*extent)).collect(), element, encoding: None }
    }

    /// Number of dimensions.
    pub fn rank(&self) -> usize {
        self.shape.len()
    }

    /// The extents, if all are known now.
    pub fn static_shape(&self) -> Option<Vec<u64>> {
        self.shape.iter().map(|dim| if let Dim::Static(extent) = dim { Some(*extent) } else { None }).collect()
    }

    /// Product of the extents, if all are known now and it fits.
    pub fn element_count(&self) -> Option<u64> {
        self.static_shape()?.iter().try_fold(1u64, |count, extent| count.checked_mul(*extent))
    }

    /// The same shape with another element type.
    pub fn with_element(&self, element: ElementType) -> TensorType {
        TensorType { element, ..self.clone() }
    }
}

/// Type of a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Type {
    /// `tensor<2x3xf32>`.
    Tensor(Arc<TensorType>),
    /// `f32`, `i64`, `index` outside a tensor.
    Scalar(ElementType),
    /// `tuple<…>`.
    Tuple(Arc<[Type]>),
    /// `(…) -> (…)`.
    Function(Arc<FunctionType>),
    /// `none`.
    None,
    /// A type of a dialect, kept as written without the leading `!` (`stablehlo.token`, `shape.witness`).
    Dialect(Arc<str>),
}

/// Type of a function.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FunctionType {
    /// Types of the arguments.
    pub inputs: Vec<Type>,
    /// Types of the results.
    pub results: Vec<Type>,
}

impl Type {
    /// A tensor of static shape.
    pub fn tensor(shape: &[u64], element: ElementType) -> Type {
        Type::Tensor(Arc::new(TensorType::new(shape, element)))
    }

    /// The tensor type, if it is one.
    pub fn as_tensor(&self) -> Option<&TensorType> {
        if let Type::Tensor(tensor) = self { Some(tensor) } else { None }
    }
}

impl From<TensorType> for Type {
    fn from(tensor: TensorType) -> Type {
        Type::Tensor(Arc::new(tensor))
    }
}

/// The type of a value that holds an attribute: of constants, numbers and truth values.
pub fn type_of_attribute(value: &Attribute) -> Option<Type> {
    match value {
        Attribute::Dense(elements) => Some(Type::Tensor(elements.ty.clone())),
        Attribute::Integer { ty, .. } | Attribute::Float { ty, .. } => Some(Type::Scalar(ty.clone())),
        Attribute::Bool(_) => Some(Type::Scalar(ElementType::BOOL)),
        _ => None,
    }
}
