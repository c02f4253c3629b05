//! Attributes: what is known about an operation at compile time. Every one is typed.

use std::sync::Arc;

use smallvec::SmallVec;

use super::{
    enums::EnumAttr,
    syntax::elements::element_bytes,
    types::{ElementType, TensorType, Type},
};

/// A compile-time value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Attribute {
    /// `unit`.
    Unit,
    /// `true`, `false`.
    Bool(bool),
    /// `7 : i64`. Values of unsigned types are not negative.
    Integer {
        /// The value.
        value: i128,
        /// Its type: an integer type or `index`.
        ty: ElementType,
    },
    /// `1.5 : f32`.
    Float {
        /// IEEE binary64 bits of the value (so that NaN equals itself).
        bits: u64,
        /// Its type.
        ty: ElementType,
    },
    /// `"text"`.
    String(Arc<str>),
    /// A type.
    Type(Type),
    /// `[…]`.
    Array(Arc<[Attribute]>),
    /// `{…}`.
    Dictionary(Arc<AttrMap>),
    /// `array<i64: 1, 2>`: integers or booleans.
    DenseArray {
        /// Integer type or `i1`.
        element: ElementType,
        /// Values.
        values: Arc<[i64]>,
    },
    /// `array<f32: 1.0>`: floats, as IEEE binary64 bits.
    DenseFloatArray {
        /// Float type.
        element: ElementType,
        /// Values.
        bits: Arc<[u64]>,
    },
    /// `dense<…> : tensor<…>`, also from `dense_resource`.
    Dense(DenseElements),
    /// `@name::@nested`.
    Symbol(Arc<[Arc<str>]>),
    /// `affine_map<(d0, d1) -> (d1 * 2 + 1)>`.
    AffineMap(Arc<AffineMap>),
    /// One of a few names.
    Enum(EnumAttr),
    /// `#stablehlo.dot<…>`.
    DotDimensions(Arc<DotDimensions>),
    /// `#stablehlo.gather<…>`.
    GatherDimensions(Arc<GatherDimensions>),
    /// `#stablehlo.scatter<…>`.
    ScatterDimensions(Arc<ScatterDimensions>),
    /// `#stablehlo.conv<[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]>`.
    ConvDimensions(Arc<ConvDimensions>),
    /// `#stablehlo.output_operand_alias<…>`.
    OutputOperandAlias(Arc<OutputOperandAlias>),
    /// `#stablehlo.channel_handle<handle = 1, type = 2>`.
    ChannelHandle {
        /// Which channel.
        handle: i64,
        /// Between which sorts of endpoints.
        channel_type: i64,
    },
    /// An attribute of a dialect that pygraph keeps and shows but does not read (`#sdy.sharding<…>`),
    /// as written without the leading `#`.
    Foreign(Arc<str>),
}

impl Attribute {
    /// A text.
    pub fn string(text: &str) -> Attribute {
        Attribute::String(Arc::from(text))
    }

    /// `value : i64`.
    pub fn i64(value: i64) -> Attribute {
        Attribute::Integer { value: i128::from(value), ty: ElementType::I64 }
    }

    /// `array<i64: …>`.
    pub fn i64_array(values: impl IntoIterator<Item = i64>) -> Attribute {
        Attribute::DenseArray { element: ElementType::I64, values: values.into_iter().collect() }
    }

    /// The integer, if it is one that fits.
    pub fn as_i64(&self) -> Option<i64> {
        if let Attribute::Integer { value, .. } = self { i64::try_from(*value).ok() } else { None }
    }

    /// The integers of a dense array, if it is one.
    pub fn as_i64_slice(&self) -> Option<&[i64]> {
        if let Attribute::DenseArray { values, .. } = self { Some(values) } else { None }
    }

    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        if let Attribute::String(text) = self { Some(text) } else { None }
    }

    /// The truth value, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        if let Attribute::Bool(value) = self { Some(*value) } else { None }
    }
}

/// The elements of a constant tensor.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DenseElements {
    /// Type; the shape is static.
    pub ty: Arc<TensorType>,
    /// Row-major little-endian storage as a device holds it (`i1` one byte, `i4` one byte);
    /// one element only where all are equal ([`DenseElements::is_splat`]).
    pub bytes: Arc<[u8]>,
    /// True if `bytes` holds one element that stands for all.
    pub is_splat: bool,
}

impl DenseElements {
    /// The constant of that type with these bytes: those of all elements, or of one that stands for all.
    ///
    /// Equal constants are equal however they were written: elements that are all the same are kept once.
    pub fn new(ty: Arc<TensorType>, mut bytes: Vec<u8>) -> DenseElements {
        let size = element_bytes(&ty.element).unwrap_or(1);
        let is_splat =
            !bytes.is_empty() && bytes.chunks(size).all(|element| *element == bytes[..size.min(bytes.len())]);
        if is_splat {
            bytes.truncate(size);
        }
        DenseElements { ty, bytes: bytes.into(), is_splat }
    }
}

/// Names of dimensions in `dot_general`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[allow(missing_docs, reason = "the names are StableHLO's")]
pub struct DotDimensions {
    pub lhs_batching: Vec<i64>,
    pub rhs_batching: Vec<i64>,
    pub lhs_contracting: Vec<i64>,
    pub rhs_contracting: Vec<i64>,
}

impl DotDimensions {
    /// The dimensions of the same product, for what operand `side` was before its transposition: `permutation[i]` is where dimension `i` comes
    /// from. What is summed, and in which order, stays. None if the dimensions that are neither contracted nor batched, which are the
    /// result's, would change their order.
    pub fn of_transposed(&self, side: usize, permutation: &[i64]) -> Option<DotDimensions> {
        let before = |dims: &[i64]| -> Option<Vec<i64>> {
            dims.iter().map(|dim| permutation.get(usize::try_from(*dim).ok()?).copied()).collect()
        };
        let mut dims = self.clone();
        let (batching, contracting) = match side {
            0 => (&mut dims.lhs_batching, &mut dims.lhs_contracting),
            _ => (&mut dims.rhs_batching, &mut dims.rhs_contracting),
        };
        let is_free = |dim: &i64| !batching.contains(dim) && !contracting.contains(dim);
        let free: Vec<i64> = (0..permutation.len() as i64).filter(is_free).collect();
        if !before(&free)?.windows(2).all(|pair| pair[0] < pair[1]) {
            return None;
        }
        *batching = before(batching)?;
        *contracting = before(contracting)?;
        Some(dims)
    }
}

/// Names of dimensions in `gather`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[allow(missing_docs, reason = "the names are StableHLO's")]
pub struct GatherDimensions {
    pub offset_dims: Vec<i64>,
    pub collapsed_slice_dims: Vec<i64>,
    pub operand_batching_dims: Vec<i64>,
    pub start_indices_batching_dims: Vec<i64>,
    pub start_index_map: Vec<i64>,
    pub index_vector_dim: i64,
}

/// Names of dimensions in `scatter`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[allow(missing_docs, reason = "the names are StableHLO's")]
pub struct ScatterDimensions {
    pub update_window_dims: Vec<i64>,
    pub inserted_window_dims: Vec<i64>,
    pub input_batching_dims: Vec<i64>,
    pub scatter_indices_batching_dims: Vec<i64>,
    pub scatter_dims_to_operand_dims: Vec<i64>,
    pub index_vector_dim: i64,
}

/// Names of dimensions in `convolution`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[allow(missing_docs, reason = "the names are StableHLO's")]
pub struct ConvDimensions {
    pub input_batch: i64,
    pub input_feature: i64,
    pub input_spatial: Vec<i64>,
    pub kernel_input_feature: i64,
    pub kernel_output_feature: i64,
    pub kernel_spatial: Vec<i64>,
    pub output_batch: i64,
    pub output_feature: i64,
    pub output_spatial: Vec<i64>,
}

/// Says that a result of a custom call lies in the memory of an operand.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[allow(missing_docs, reason = "the names are StableHLO's")]
pub struct OutputOperandAlias {
    pub output_tuple_indices: Vec<i64>,
    pub operand_index: i64,
    pub operand_tuple_indices: Vec<i64>,
}

/// A map from dimensions to linear expressions of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AffineMap {
    /// How many dimensions it takes.
    pub dim_count: usize,
    /// Its results.
    pub results: Vec<LinearExpr>,
}

/// `Σ coefficients[d] * d + constant`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LinearExpr {
    /// One a dimension.
    pub coefficients: SmallVec<[i64; 4]>,
    /// Added at the end.
    pub constant: i64,
}

/// Attributes by name, in order of name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct AttrMap(Vec<(Arc<str>, Attribute)>);

impl AttrMap {
    /// The attribute of that name.
    pub fn get(&self, name: &str) -> Option<&Attribute> {
        self.position(name).ok().map(|at| &self.0[at].1)
    }

    /// Sets the attribute of that name and returns the one it had.
    pub fn set(&mut self, name: impl Into<Arc<str>>, value: Attribute) -> Option<Attribute> {
        let name = name.into();
        match self.position(&name) {
            Ok(at) => Some(std::mem::replace(&mut self.0[at].1, value)),
            Err(at) => {
                self.0.insert(at, (name, value));
                None
            }
        }
    }

    /// Removes the attribute of that name.
    pub fn remove(&mut self, name: &str) -> Option<Attribute> {
        self.position(name).ok().map(|at| self.0.remove(at).1)
    }

    /// All of them, in order of name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Arc<str>, &Attribute)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(own, _)| own.as_ref().cmp(name))
    }
}

impl<N: Into<Arc<str>>> FromIterator<(N, Attribute)> for AttrMap {
    fn from_iter<I: IntoIterator<Item = (N, Attribute)>>(pairs: I) -> AttrMap {
        let mut map = AttrMap::default();
        for (name, value) in pairs {
            map.set(name, value);
        }
        map
    }
}
