//! An operation as its rules see it: in a module, or still to be made.

use std::sync::Arc;

use super::def::{Count, OpDef, ValueDef};
use crate::ir::{
    AttrMap, Attribute, BlockId, Dim, ElementType, Module, OpId, Opcode, RegionId, TensorType, Type, ValueId,
    attribute::DenseElements,
};

/// An operation as its rules see it.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Where its operands and regions live.
    pub module: &'a Module,
    /// Which operation.
    pub opcode: Opcode,
    /// Values read.
    pub operands: &'a [ValueId],
    /// Attributes.
    pub attrs: &'a AttrMap,
    /// Regions.
    pub regions: &'a [RegionId],
    /// Values defined; empty while the operation is still to be made.
    pub results: &'a [ValueId],
}

impl<'a> View<'a> {
    /// An operation of a module.
    pub fn of(module: &'a Module, op: OpId) -> View<'a> {
        let operation = module.op(op);
        View {
            module,
            opcode: operation.opcode,
            operands: &operation.operands,
            attrs: &operation.attrs,
            regions: &operation.regions,
            results: &operation.results,
        }
    }

    /// The entry of the table.
    pub fn def(&self) -> &'static OpDef {
        self.opcode.def()
    }

    /// The type of an operand.
    pub fn ty(&self, operand: usize) -> Result<&'a Type, String> {
        let value = self.operands.get(operand).ok_or_else(|| format!("operand {operand} is missing"))?;
        Ok(self.module.ty(*value))
    }

    /// The tensor type of an operand.
    pub fn tensor(&self, operand: usize) -> Result<&'a TensorType, String> {
        let ty = self.ty(operand)?;
        ty.as_tensor().ok_or_else(|| format!("operand {operand} should be a tensor, but is {}", show(ty)))
    }

    /// The tensor types of all operands.
    pub fn tensors(&self) -> Result<Vec<&'a TensorType>, String> {
        (0..self.operands.len()).map(|index| self.tensor(index)).collect()
    }

    /// The type of a result.
    pub fn result(&self, result: usize) -> Result<&'a Type, String> {
        let value = self.results.get(result).ok_or_else(|| format!("result {result} is missing"))?;
        Ok(self.module.ty(*value))
    }

    /// The tensor type of a result.
    pub fn result_tensor(&self, result: usize) -> Result<&'a TensorType, String> {
        let ty = self.result(result)?;
        ty.as_tensor().ok_or_else(|| format!("result {result} should be a tensor, but is {}", show(ty)))
    }

    /// The operands of a group.
    pub fn group(&self, name: &str) -> &'a [ValueId] {
        let defs = &self.def().operands;
        let Some(sizes) = group_sizes(defs, self.operands.len(), segments(self.attrs, "operandSegmentSizes")) else {
            return &[];
        };
        let mut start = 0;
        for (def, size) in defs.iter().zip(sizes) {
            if def.name == name {
                return &self.operands[start..start + size];
            }
            start += size;
        }
        &[]
    }

    /// The tensor types of the operands of a group.
    pub fn group_tensors(&self, name: &str) -> Result<Vec<&'a TensorType>, String> {
        let tensor = |value: &ValueId| {
            let ty = self.module.ty(*value);
            ty.as_tensor().ok_or_else(|| format!("{name} should be tensors, but one is {}", show(ty)))
        };
        self.group(name).iter().map(tensor).collect()
    }

    /// The attribute of that name.
    pub fn attr(&self, name: &str) -> Option<&'a Attribute> {
        self.attrs.get(name)
    }

    fn required<T>(&self, name: &str, value: Option<T>) -> Result<T, String> {
        value.ok_or_else(|| format!("attribute `{name}` is missing or of another kind"))
    }

    /// A required list of integers.
    pub fn ints(&self, name: &str) -> Result<&'a [i64], String> {
        self.required(name, self.attr(name).and_then(Attribute::as_i64_slice))
    }

    /// A list of integers, or as many times `default` where it is missing.
    pub fn ints_or(&self, name: &str, default: i64, count: usize) -> Result<Vec<i64>, String> {
        let values = match self.attr(name) {
            None => vec![default; count],
            Some(_) => self.ints(name)?.to_vec(),
        };
        if values.len() != count {
            return Err(format!("`{name}` has {}, but should have one for each of {count} dimensions", values.len()));
        }
        Ok(values)
    }

    /// A required integer.
    pub fn int(&self, name: &str) -> Result<i64, String> {
        self.required(name, self.attr(name).and_then(Attribute::as_i64))
    }

    /// A truth value; false where it is missing.
    pub fn flag(&self, name: &str) -> bool {
        self.attr(name).and_then(Attribute::as_bool).unwrap_or(false)
    }

    /// A matrix of two columns, or as many rows of zeros where it is missing.
    pub fn pairs(&self, name: &str, rows: usize) -> Result<Vec<(i64, i64)>, String> {
        let Some(attribute) = self.attr(name) else { return Ok(vec![(0, 0); rows]) };
        let Attribute::Dense(dense) = attribute else { return self.required(name, None) };
        let shape = dense.ty.static_shape();
        if shape.as_deref() != Some(&[rows as u64, 2]) {
            return Err(format!("`{name}` should be {rows}x2, but is {}", show_tensor(&dense.ty)));
        }
        let values = self.required(name, dense_i64(dense))?;
        Ok(values.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect())
    }

    /// The block of a region, where it has one.
    pub fn block(&self, region: usize) -> Option<BlockId> {
        self.module.region(*self.regions.get(region)?).blocks.first().copied()
    }

    /// Types of the arguments of a region.
    pub fn region_arguments(&self, region: usize) -> Vec<&'a Type> {
        let arguments = self.block(region).map(|block| &self.module.block(block).arguments);
        arguments.into_iter().flatten().map(|value| self.module.ty(*value)).collect()
    }

    /// Types of the values that a region's terminator gives; none where it has no terminator yet.
    pub fn region_results(&self, region: usize) -> Option<Vec<&'a Type>> {
        let last = self.module.block(self.block(region)?).last()?;
        let terminator = self.module.op(last);
        let is_terminator = terminator.opcode.def().is_terminator();
        is_terminator.then(|| terminator.operands.iter().map(|value| self.module.ty(*value)).collect())
    }
}

/// How many values each group takes; none where the number does not fit.
pub(in crate::ir) fn group_sizes(defs: &[ValueDef], total: usize, segments: Option<&[i64]>) -> Option<Vec<usize>> {
    if let Some(segments) = segments {
        let sizes: Vec<usize> = segments.iter().map(|size| usize::try_from(*size).ok()).collect::<Option<_>>()?;
        let sum = sizes.iter().try_fold(0usize, |sum, size| sum.checked_add(*size))?;
        let fits = |(def, size): (&ValueDef, &usize)| match def.count {
            Count::One => *size == 1,
            Count::Optional => *size <= 1,
            Count::Any => true,
            Count::Some => *size > 0,
        };
        let all_fit = sizes.len() == defs.len() && defs.iter().zip(&sizes).all(fits);
        return (all_fit && sum == total).then_some(sizes);
    }
    let fixed = defs.iter().filter(|def| def.count == Count::One).count();
    let rest = total.checked_sub(fixed)?;
    let variadic = defs.iter().filter(|def| matches!(def.count, Count::Any | Count::Some)).count();
    let optional = defs.iter().any(|def| def.count == Count::Optional);
    let (each, extra) = match (variadic, optional) {
        (0, false) if rest == 0 => (0, 0),
        (0, true) if rest <= 1 => (0, rest),
        (0, _) => return None,
        (count, _) if rest % count == 0 => (rest / count, 0),
        _ => return None,
    };
    let sizes = defs.iter().map(|def| match def.count {
        Count::One => 1,
        Count::Optional => extra,
        Count::Any | Count::Some => each,
    });
    let too_few = each == 0 && defs.iter().any(|def| def.count == Count::Some);
    (!too_few).then(|| sizes.collect())
}

/// The attribute that upstream uses where the sizes of groups do not follow from the number of operands.
pub(in crate::ir) fn segments<'a>(attrs: &'a AttrMap, name: &str) -> Option<&'a [i64]> {
    attrs.get(name).and_then(Attribute::as_i64_slice)
}

/// The elements of a constant of `i64` (at most 2^16 of them; attributes have few).
pub fn dense_i64(dense: &DenseElements) -> Option<Vec<i64>> {
    if dense.ty.element != ElementType::I64 {
        return None;
    }
    let count = usize::try_from(dense.ty.element_count()?).ok().filter(|count| *count <= 1 << 16)?;
    let read = |bytes: &[u8]| bytes.try_into().ok().map(i64::from_le_bytes);
    let values: Vec<i64> = dense.bytes.chunks_exact(8).map(read).collect::<Option<_>>()?;
    match (dense.is_splat, values.as_slice()) {
        (true, [value]) => Some(vec![*value; count]),
        _ => (values.len() == count).then_some(values),
    }
}

/// The extent, if it is known now.
pub fn extent(dim: &Dim) -> Option<u64> {
    if let Dim::Static(extent) = dim { Some(*extent) } else { None }
}

/// True if two dimensions can have one extent.
pub fn dims_compatible(a: &Dim, b: &Dim) -> bool {
    let bounds = |dim: &Dim| match dim {
        Dim::Static(extent) => (*extent, *extent),
        Dim::Symbol(symbol) => (symbol.extent_min, symbol.extent_max.unwrap_or(u64::MAX)),
    };
    let ((a_min, a_max), (b_min, b_max)) = (bounds(a), bounds(b));
    a_min <= b_max && b_min <= a_max
}

/// True if two shapes can be one.
pub fn shapes_compatible(a: &[Dim], b: &[Dim]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| dims_compatible(a, b))
}

/// True if a value of one type can be a value of the other.
pub fn types_compatible(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Tensor(a), Type::Tensor(b)) => {
            elements_compatible(&a.element, &b.element) && shapes_compatible(&a.shape, &b.shape)
        }
        (Type::Tuple(a), Type::Tuple(b)) => {
            a.len() == b.len() && a.iter().zip(&**b).all(|(a, b)| types_compatible(a, b))
        }
        _ => a == b,
    }
}

/// True if two element types are one, or both quantized (their scales are not compared).
pub fn elements_compatible(a: &ElementType, b: &ElementType) -> bool {
    a == b || matches!((a, b), (ElementType::Quantized(_), ElementType::Quantized(_)))
}

/// The more exact of two dimensions that are compatible.
pub fn merge_dims(a: &Dim, b: &Dim) -> Dim {
    match (a, b) {
        (Dim::Symbol(a), Dim::Symbol(b)) if b.extent_max.is_some() && a.extent_max.is_none() => Dim::Symbol(b.clone()),
        (Dim::Symbol(_), Dim::Static(_)) => b.clone(),
        _ => a.clone(),
    }
}

/// A dimension of which a rule knows nothing; the builder gives it a name of its own.
pub fn unknown_dim() -> Dim {
    Dim::Symbol(Arc::new(crate::ir::types::Symbol { name: Arc::from("?"), extent_min: 0, extent_max: None }))
}

/// The dimension of that extent, or an unknown one.
pub fn dim_of(extent: Option<u64>) -> Dim {
    extent.map_or_else(unknown_dim, Dim::Static)
}

/// A type as messages show it.
pub fn show(ty: &Type) -> String {
    match ty {
        Type::Tensor(tensor) => show_tensor(tensor),
        Type::Scalar(element) => show_element(element),
        Type::Tuple(types) => format!("tuple<{}>", show_list(types.iter())),
        Type::Function(function) => {
            format!("({}) -> ({})", show_list(&function.inputs), show_list(&function.results))
        }
        Type::None => "none".to_string(),
        Type::Dialect(name) => format!("!{name}"),
    }
}

/// Types as messages show them.
pub fn show_list<'t>(types: impl IntoIterator<Item = &'t Type>) -> String {
    types.into_iter().map(show).collect::<Vec<_>>().join(", ")
}

/// A tensor type as messages show it.
pub fn show_tensor(tensor: &TensorType) -> String {
    let dims: String = tensor.shape.iter().map(|dim| format!("{}x", show_dim(dim))).collect();
    format!("tensor<{dims}{}>", show_element(&tensor.element))
}

/// A shape as messages show it (`[2, ?]`).
pub fn show_shape(shape: &[Dim]) -> String {
    format!("[{}]", shape.iter().map(show_dim).collect::<Vec<_>>().join(", "))
}

/// A dimension as messages show it.
pub fn show_dim(dim: &Dim) -> String {
    match dim {
        Dim::Static(extent) => extent.to_string(),
        Dim::Symbol(_) => "?".to_string(),
    }
}

/// An element type as messages show it.
pub fn show_element(element: &ElementType) -> String {
    use crate::ir::types::Signedness;
    match element {
        ElementType::Integer { width, signedness } => {
            let prefix = match signedness {
                Signedness::Signless => "i",
                Signedness::Signed => "si",
                Signedness::Unsigned => "ui",
            };
            format!("{prefix}{width}")
        }
        ElementType::Float(kind) => kind.name().to_string(),
        ElementType::Complex(kind) => format!("complex<{}>", kind.name()),
        ElementType::Index => "index".to_string(),
        ElementType::Quantized(text) => format!("!{text}"),
    }
}
