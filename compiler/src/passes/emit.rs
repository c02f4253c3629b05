//! Writes StableHLO operations, with the types that follow from their operands, at a place in a module.
//!
//! For passes that expand one operation into several. Every function checks what it is given, since it may come from
//! the user's file, and refuses what does not fit: nothing here panics on IR that verifies.

use std::collections::HashMap;

use half::{bf16, f16};
use smallvec::SmallVec;

use crate::ir::{
    AttrMap, Attribute, BlockId, ElementType, Loc, Module, OpId, Opcode, RegionId, TensorType, Type, ValueId,
    attribute::{DenseElements, DotDimensions},
    enums::{ComparisonDirection, ComparisonType, EnumAttr},
    module::OpParts,
    types::{FloatKind, Signedness},
};

/// Why something can't be expressed: the text after `operator: `.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal(pub String);

impl From<String> for Refusal {
    fn from(reason: String) -> Refusal {
        Refusal(reason)
    }
}

impl From<&str> for Refusal {
    fn from(reason: &str) -> Refusal {
        Refusal(reason.to_string())
    }
}

/// A value, or why there is none.
pub type Out = Result<ValueId, Refusal>;

/// A constant before it has an element type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A real number.
    Float(f64),
}

impl Number {
    /// As a real number.
    pub fn as_f64(self) -> f64 {
        match self {
            Number::Bool(value) => f64::from(u8::from(value)),
            Number::Int(value) => value as f64,
            Number::Float(value) => value,
        }
    }

    /// As an integer; reals truncate.
    pub fn as_i64(self) -> i64 {
        match self {
            Number::Bool(value) => i64::from(value),
            Number::Int(value) => value,
            Number::Float(value) => value as i64,
        }
    }

    /// True unless zero.
    pub fn as_bool(self) -> bool {
        match self {
            Number::Bool(value) => value,
            Number::Int(value) => value != 0,
            Number::Float(value) => value != 0.0,
        }
    }
}

/// Where operations are put.
#[derive(Debug, Clone, Copy)]
pub enum Place {
    /// Before an operation.
    Before(OpId),
    /// At the end of a block.
    End(BlockId),
}

/// Puts operations at a place, all with one location and the same discardable attributes.
pub struct Emit<'m> {
    /// The module.
    pub module: &'m mut Module,
    /// Where the next operation goes.
    pub place: Place,
    /// Its location.
    pub loc: Loc,
    /// Discardable attributes that it gets.
    pub tags: AttrMap,
}

/// What a region computes from its arguments.
pub type Body<'b> = &'b mut dyn FnMut(&mut Emit, &[ValueId]) -> Result<Vec<ValueId>, Refusal>;

impl<'m> Emit<'m> {
    /// Writes before an operation, at its location.
    pub fn before(module: &'m mut Module, op: OpId) -> Emit<'m> {
        let loc = module.op(op).loc;
        Emit { module, place: Place::Before(op), loc, tags: AttrMap::default() }
    }

    // --- Any operation.

    /// An operation with one result.
    pub fn op(&mut self, opcode: Opcode, operands: &[ValueId], result: Type, attrs: Attrs) -> ValueId {
        self.op_with_regions(opcode, operands, vec![result], attrs, &[])[0]
    }

    /// An operation with any number of results and regions.
    pub fn op_with_regions(
        &mut self,
        opcode: Opcode,
        operands: &[ValueId],
        result_types: Vec<Type>,
        attrs: Attrs,
        regions: &[RegionId],
    ) -> Vec<ValueId> {
        let mut all = self.tags.clone();
        for (name, value) in attrs {
            all.set(*name, value.clone());
        }
        let parts = OpParts {
            operands: SmallVec::from_slice(operands),
            result_types,
            attrs: all,
            regions: SmallVec::from_slice(regions),
        };
        let op = self.module.create_op(opcode, parts, self.loc);
        match self.place {
            Place::Before(anchor) => self.module.insert_before(anchor, op),
            Place::End(block) => self.module.append(block, op),
        }
        self.module.op(op).results.to_vec()
    }

    /// A region of one block that ends in `stablehlo.return`.
    pub fn region(&mut self, arguments: &[Type], body: Body) -> Result<RegionId, Refusal> {
        let region = self.module.create_region();
        let block = self.module.create_block(region);
        let arguments: Vec<ValueId> = arguments.iter().map(|ty| self.module.add_argument(block, ty.clone())).collect();
        let outer = std::mem::replace(&mut self.place, Place::End(block));
        let results = body(self, &arguments);
        if let Ok(results) = &results {
            self.op_with_regions(Opcode::StablehloReturn, results, vec![], &[], &[]);
        }
        self.place = outer;
        results.map(|_| region)
    }

    // --- What values are.

    /// The tensor type of a value.
    pub fn tensor(&self, value: ValueId) -> Result<&TensorType, Refusal> {
        self.module.ty(value).as_tensor().ok_or_else(|| Refusal::from("an operand is not a tensor"))
    }

    /// The extents of a value.
    pub fn shape(&self, value: ValueId) -> Result<Vec<i64>, Refusal> {
        static_shape(self.tensor(value)?)
    }

    /// The element type of a value.
    pub fn element(&self, value: ValueId) -> Result<ElementType, Refusal> {
        Ok(self.tensor(value)?.element.clone())
    }

    /// Number of dimensions of a value.
    pub fn rank(&self, value: ValueId) -> Result<usize, Refusal> {
        Ok(self.tensor(value)?.rank())
    }

    // --- Constants.

    /// A tensor of one number everywhere.
    pub fn splat(&mut self, number: Number, element: &ElementType, shape: &[i64]) -> Out {
        let bytes = encode(number, element)?;
        Ok(self.dense(bytes, element, shape, true))
    }

    /// A constant of no dimensions.
    pub fn scalar(&mut self, number: Number, element: &ElementType) -> Out {
        self.splat(number, element, &[])
    }

    /// A tensor of numbers, row-major.
    pub fn numbers(&mut self, numbers: &[Number], element: &ElementType, shape: &[i64]) -> Out {
        let mut bytes = Vec::new();
        for number in numbers {
            bytes.extend(encode(*number, element)?);
        }
        Ok(self.dense(bytes, element, shape, false))
    }

    /// A list of 64-bit integers.
    pub fn indices(&mut self, values: &[i64]) -> Out {
        let numbers: Vec<Number> = values.iter().map(|value| Number::Int(*value)).collect();
        self.numbers(&numbers, &ElementType::I64, &[values.len() as i64])
    }

    fn dense(&mut self, bytes: Vec<u8>, element: &ElementType, shape: &[i64], is_splat: bool) -> ValueId {
        let ty = tensor_type(shape, element);
        let Type::Tensor(tensor) = &ty else { unreachable!("a tensor type should be a tensor type") };
        let value = Attribute::Dense(DenseElements { ty: tensor.clone(), bytes: bytes.into(), is_splat });
        self.op(Opcode::StablehloConstant, &[], ty, &[("value", value)])
    }

    /// Positions along a dimension.
    pub fn iota(&mut self, shape: &[i64], element: &ElementType, dimension: usize) -> ValueId {
        let attrs = [("iota_dimension", Attribute::i64(dimension as i64))];
        self.op(Opcode::StablehloIota, &[], tensor_type(shape, element), &attrs)
    }

    // --- Elementwise.

    /// An operation that keeps its operand's type.
    pub fn unary(&mut self, opcode: Opcode, x: ValueId) -> ValueId {
        let ty = self.module.ty(x).clone();
        self.op(opcode, &[x], ty, &[])
    }

    /// An operation on two values of one type.
    pub fn binary(&mut self, opcode: Opcode, lhs: ValueId, rhs: ValueId) -> Out {
        self.expect_same(lhs, rhs)?;
        let ty = self.module.ty(lhs).clone();
        Ok(self.op(opcode, &[lhs, rhs], ty, &[]))
    }

    /// The sum.
    pub fn add(&mut self, lhs: ValueId, rhs: ValueId) -> Out {
        self.binary(Opcode::StablehloAdd, lhs, rhs)
    }

    /// The difference.
    pub fn sub(&mut self, lhs: ValueId, rhs: ValueId) -> Out {
        self.binary(Opcode::StablehloSubtract, lhs, rhs)
    }

    /// The product.
    pub fn mul(&mut self, lhs: ValueId, rhs: ValueId) -> Out {
        self.binary(Opcode::StablehloMultiply, lhs, rhs)
    }

    /// The quotient.
    pub fn div(&mut self, lhs: ValueId, rhs: ValueId) -> Out {
        self.binary(Opcode::StablehloDivide, lhs, rhs)
    }

    /// The same operation with a number on the right.
    pub fn binary_number(&mut self, opcode: Opcode, lhs: ValueId, rhs: Number) -> Out {
        let (shape, element) = (self.shape(lhs)?, self.element(lhs)?);
        let rhs = self.splat(rhs, &element, &shape)?;
        self.binary(opcode, lhs, rhs)
    }

    /// A comparison of two values of one type.
    pub fn compare(&mut self, direction: ComparisonDirection, lhs: ValueId, rhs: ValueId) -> Out {
        self.expect_same(lhs, rhs)?;
        let tensor = self.tensor(lhs)?;
        let order = match &tensor.element {
            ElementType::Float(_) | ElementType::Complex(_) => ComparisonType::Float,
            ElementType::Integer { width: 1, .. } | ElementType::Integer { signedness: Signedness::Unsigned, .. } => {
                ComparisonType::Unsigned
            }
            _ => ComparisonType::Signed,
        };
        let ty = Type::from(tensor.with_element(ElementType::BOOL));
        let attrs = [
            ("comparison_direction", Attribute::Enum(EnumAttr::ComparisonDirection(direction))),
            ("compare_type", Attribute::Enum(EnumAttr::ComparisonType(order))),
        ];
        Ok(self.op(Opcode::StablehloCompare, &[lhs, rhs], ty, &attrs))
    }

    /// A comparison with a number.
    pub fn compare_number(&mut self, direction: ComparisonDirection, lhs: ValueId, rhs: Number) -> Out {
        let (shape, element) = (self.shape(lhs)?, self.element(lhs)?);
        let rhs = self.splat(rhs, &element, &shape)?;
        self.compare(direction, lhs, rhs)
    }

    /// True where a float is NaN.
    pub fn is_nan(&mut self, x: ValueId) -> Out {
        self.compare(ComparisonDirection::Ne, x, x)
    }

    /// The second value where the first is true, else the third.
    pub fn select(&mut self, predicate: ValueId, on_true: ValueId, on_false: ValueId) -> Out {
        self.expect_same(on_true, on_false)?;
        if self.shape(predicate)? != self.shape(on_true)? {
            return Err(Refusal::from("the condition has another shape than the values"));
        }
        let ty = self.module.ty(on_true).clone();
        Ok(self.op(Opcode::StablehloSelect, &[predicate, on_true, on_false], ty, &[]))
    }

    /// The value in another element type.
    pub fn convert(&mut self, x: ValueId, element: &ElementType) -> Out {
        let tensor = self.tensor(x)?;
        if tensor.element == *element {
            return Ok(x);
        }
        let ty = Type::from(tensor.with_element(element.clone()));
        Ok(self.op(Opcode::StablehloConvert, &[x], ty, &[]))
    }

    fn expect_same(&self, lhs: ValueId, rhs: ValueId) -> Result<(), Refusal> {
        let (lhs, rhs) = (self.tensor(lhs)?, self.tensor(rhs)?);
        if lhs.shape == rhs.shape && lhs.element == rhs.element {
            return Ok(());
        }
        Err(Refusal(format!(
            "operands of shapes {:?} and {:?} do not go together",
            static_shape(lhs)?,
            static_shape(rhs)?
        )))
    }

    // --- Shapes.

    /// The value with its dimensions put at `dims` of a larger shape.
    pub fn broadcast_in_dim(&mut self, x: ValueId, shape: &[i64], dims: &[i64]) -> Out {
        let own = self.shape(x)?;
        let fits = own.len() == dims.len()
            && own.iter().zip(dims).all(|(extent, dim)| {
                usize::try_from(*dim).ok().and_then(|dim| shape.get(dim)).is_some_and(|to| to == extent || *extent == 1)
            });
        if !fits {
            return Err(Refusal(format!("shape {own:?} does not broadcast to {shape:?}")));
        }
        if own == shape && dims.iter().enumerate().all(|(at, dim)| at as i64 == *dim) {
            return Ok(x);
        }
        let ty = tensor_type(shape, &self.element(x)?);
        let attrs = [("broadcast_dimensions", Attribute::i64_array(dims.iter().copied()))];
        Ok(self.op(Opcode::StablehloBroadcastInDim, &[x], ty, &attrs))
    }

    /// The value broadcast to a shape as PyTorch and NumPy do: dimensions meet from the right.
    pub fn broadcast(&mut self, x: ValueId, shape: &[i64]) -> Out {
        let own = self.shape(x)?;
        let Some(missing) = shape.len().checked_sub(own.len()) else {
            return Err(Refusal(format!("shape {own:?} does not broadcast to {shape:?}")));
        };
        let dims: Vec<i64> = (0..own.len()).map(|at| (at + missing) as i64).collect();
        self.broadcast_in_dim(x, shape, &dims)
    }

    /// A value that lacks the dimensions `missing` of `shape`, repeated along them.
    pub fn broadcast_along(&mut self, x: ValueId, shape: &[i64], missing: &[i64]) -> Out {
        let dims: Vec<i64> = (0..shape.len() as i64).filter(|dim| !missing.contains(dim)).collect();
        self.broadcast_in_dim(x, shape, &dims)
    }

    /// The same elements in another shape.
    pub fn reshape(&mut self, x: ValueId, shape: &[i64]) -> Out {
        let own = self.shape(x)?;
        if own == shape {
            return Ok(x);
        }
        if count(&own)? != count(shape)? {
            return Err(Refusal(format!("shape {own:?} does not have as many elements as {shape:?}")));
        }
        let ty = tensor_type(shape, &self.element(x)?);
        Ok(self.op(Opcode::StablehloReshape, &[x], ty, &[]))
    }

    /// Dimension `permutation[i]` of the operand becomes dimension `i`.
    pub fn transpose(&mut self, x: ValueId, permutation: &[i64]) -> Out {
        let own = self.shape(x)?;
        let mut sorted = permutation.to_vec();
        sorted.sort_unstable();
        if sorted.len() != own.len() || sorted.iter().enumerate().any(|(at, dim)| at as i64 != *dim) {
            return Err(Refusal(format!("{permutation:?} is no permutation of {} dimensions", own.len())));
        }
        if sorted == permutation {
            return Ok(x);
        }
        let shape: Vec<i64> = permutation.iter().map(|dim| own[*dim as usize]).collect();
        let ty = tensor_type(&shape, &self.element(x)?);
        let attrs = [("permutation", Attribute::i64_array(permutation.iter().copied()))];
        Ok(self.op(Opcode::StablehloTranspose, &[x], ty, &attrs))
    }

    /// Elements `start`, `start + stride`, … below `limit` of every dimension.
    pub fn slice(&mut self, x: ValueId, starts: &[i64], limits: &[i64], strides: &[i64]) -> Out {
        let own = self.shape(x)?;
        let fits = [starts.len(), limits.len(), strides.len()] == [own.len(); 3]
            && (0..own.len())
                .all(|at| 0 <= starts[at] && starts[at] <= limits[at] && limits[at] <= own[at] && strides[at] > 0);
        if !fits {
            return Err(Refusal(format!("no slice from {starts:?} to {limits:?} of shape {own:?}")));
        }
        let shape: Vec<i64> = (0..own.len())
            .map(|at| {
                (limits[at] - starts[at]).div_euclid(strides[at])
                    + i64::from((limits[at] - starts[at]) % strides[at] != 0)
            })
            .collect();
        if shape == own {
            return Ok(x);
        }
        let ty = tensor_type(&shape, &self.element(x)?);
        let attrs = [
            ("start_indices", Attribute::i64_array(starts.iter().copied())),
            ("limit_indices", Attribute::i64_array(limits.iter().copied())),
            ("strides", Attribute::i64_array(strides.iter().copied())),
        ];
        Ok(self.op(Opcode::StablehloSlice, &[x], ty, &attrs))
    }

    /// Elements `start`, `start + stride`, … below `limit` of one dimension.
    pub fn slice_dim(&mut self, x: ValueId, dim: usize, start: i64, limit: i64, stride: i64) -> Out {
        let mut limits = self.shape(x)?;
        let mut starts = vec![0; limits.len()];
        let mut strides = vec![1; limits.len()];
        if dim >= limits.len() {
            return Err(Refusal(format!("no dimension {dim} of {}", limits.len())));
        }
        (starts[dim], limits[dim], strides[dim]) = (start, limit, stride);
        self.slice(x, &starts, &limits, &strides)
    }

    /// The values one after the other along a dimension.
    pub fn concatenate(&mut self, values: &[ValueId], dim: usize) -> Out {
        let [first, rest @ ..] = values else { return Err(Refusal::from("there is nothing to concatenate")) };
        let mut shape = self.shape(*first)?;
        if dim >= shape.len() {
            return Err(Refusal(format!("no dimension {dim} of {}", shape.len())));
        }
        for value in rest {
            let other = self.shape(*value)?;
            let same = other.len() == shape.len()
                && (0..shape.len()).all(|at| at == dim || other[at] == shape[at])
                && self.element(*value)? == self.element(*first)?;
            if !same {
                return Err(Refusal(format!("shapes {shape:?} and {other:?} do not concatenate along {dim}")));
            }
            shape[dim] += other[dim];
        }
        if rest.is_empty() {
            return Ok(*first);
        }
        let ty = tensor_type(&shape, &self.element(*first)?);
        Ok(self.op(Opcode::StablehloConcatenate, values, ty, &[("dimension", Attribute::i64(dim as i64))]))
    }

    /// The value with `low` and `high` elements (negative: fewer) around and `interior` between those of a dimension.
    pub fn pad(&mut self, x: ValueId, with: ValueId, low: &[i64], high: &[i64], interior: &[i64]) -> Out {
        let own = self.shape(x)?;
        if [low.len(), high.len(), interior.len()] != [own.len(); 3] {
            return Err(Refusal::from("the padding has another number of dimensions than the operand"));
        }
        let shape: Option<Vec<i64>> = (0..own.len())
            .map(|at| {
                let inner = (own[at] - 1).max(0).checked_mul(interior[at])?.checked_add(own[at])?;
                inner.checked_add(low[at])?.checked_add(high[at]).filter(|extent| *extent >= 0)
            })
            .collect();
        let shape = shape.ok_or_else(|| Refusal(format!("padding {low:?} and {high:?} does not fit shape {own:?}")))?;
        if [low, high, interior].iter().all(|amounts| amounts.iter().all(|amount| *amount == 0)) {
            return Ok(x);
        }
        let ty = tensor_type(&shape, &self.element(x)?);
        let attrs = [
            ("edge_padding_low", Attribute::i64_array(low.iter().copied())),
            ("edge_padding_high", Attribute::i64_array(high.iter().copied())),
            ("interior_padding", Attribute::i64_array(interior.iter().copied())),
        ];
        Ok(self.op(Opcode::StablehloPad, &[x, with], ty, &attrs))
    }

    /// The value with dimensions turned round.
    pub fn reverse(&mut self, x: ValueId, dims: &[i64]) -> ValueId {
        if dims.is_empty() {
            return x;
        }
        let ty = self.module.ty(x).clone();
        self.op(Opcode::StablehloReverse, &[x], ty, &[("dimensions", Attribute::i64_array(dims.iter().copied()))])
    }

    // --- Products and folds.

    /// The general product of two tensors, in an element type.
    pub fn dot(&mut self, lhs: ValueId, rhs: ValueId, dims: DotDimensions, element: &ElementType) -> Out {
        let (left, right) = (self.shape(lhs)?, self.shape(rhs)?);
        let extents =
            |shape: &[i64], dims: &[i64]| dims.iter().map(|dim| shape.get(*dim as usize).copied()).collect::<Vec<_>>();
        let pairs = [(&dims.lhs_batching, &dims.rhs_batching), (&dims.lhs_contracting, &dims.rhs_contracting)];
        if pairs.iter().any(|(l, r)| extents(&left, l) != extents(&right, r) || extents(&left, l).contains(&None)) {
            return Err(Refusal(format!("shapes {left:?} and {right:?} do not multiply")));
        }
        let free = |shape: &[i64], batch: &[i64], contract: &[i64]| -> Vec<i64> {
            let kept =
                (0..shape.len()).filter(|at| !batch.contains(&(*at as i64)) && !contract.contains(&(*at as i64)));
            kept.map(|at| shape[at]).collect()
        };
        let mut shape: Vec<i64> = dims.lhs_batching.iter().map(|dim| left[*dim as usize]).collect();
        shape.extend(free(&left, &dims.lhs_batching, &dims.lhs_contracting));
        shape.extend(free(&right, &dims.rhs_batching, &dims.rhs_contracting));
        let ty = tensor_type(&shape, element);
        let attrs = [("dot_dimension_numbers", Attribute::DotDimensions(dims.into()))];
        Ok(self.op(Opcode::StablehloDotGeneral, &[lhs, rhs], ty, &attrs))
    }

    /// Folds several values of one shape together along dimensions. The body gets the values so far, then new ones.
    pub fn reduce(
        &mut self,
        inputs: &[ValueId],
        inits: &[ValueId],
        dims: &[i64],
        body: Body,
    ) -> Result<Vec<ValueId>, Refusal> {
        let mut types = Vec::new();
        for input in inputs {
            let tensor = self.tensor(*input)?.clone();
            let shape = static_shape(&tensor)?;
            let kept = (0..shape.len()).filter(|at| !dims.contains(&(*at as i64))).map(|at| shape[at]);
            types.push(tensor_type(&kept.collect::<Vec<_>>(), &tensor.element));
        }
        let scalars: Vec<Type> = inits.iter().map(|init| self.module.ty(*init).clone()).collect();
        let region = self.region(&[scalars.clone(), scalars].concat(), body)?;
        let attrs = [("dimensions", Attribute::i64_array(dims.iter().copied()))];
        let operands = [inputs, inits].concat();
        Ok(self.op_with_regions(Opcode::StablehloReduce, &operands, types, &attrs, &[region]))
    }

    /// Folds a value along dimensions by an operation such as `stablehlo.add`.
    pub fn fold(&mut self, opcode: Opcode, x: ValueId, init: Number, dims: &[i64]) -> Out {
        if dims.is_empty() {
            return Ok(x);
        }
        let element = self.element(x)?;
        let init = self.scalar(init, &element)?;
        Ok(self.reduce(&[x], &[init], dims, &mut |emit, args| Ok(vec![emit.binary(opcode, args[0], args[1])?]))?[0])
    }

    /// Calls a copy of the operations of a block, its arguments replaced, and returns what its terminator reads.
    pub fn inline_block(&mut self, block: BlockId, arguments: &[ValueId]) -> Vec<ValueId> {
        let own = self.module.block(block).arguments.clone();
        let mut mapping: HashMap<ValueId, ValueId> = own.into_iter().zip(arguments.iter().copied()).collect();
        let mut results = Vec::new();
        for op in self.module.block_op_ids(block) {
            if Some(op) == self.module.block(block).last() {
                let operands = self.module.op(op).operands.clone();
                results = operands.iter().map(|value| mapping.get(value).copied().unwrap_or(*value)).collect();
            } else {
                let copy = self.module.clone_op(op, &mut mapping);
                match self.place {
                    Place::Before(anchor) => self.module.insert_before(anchor, copy),
                    Place::End(block) => self.module.append(block, copy),
                }
            }
        }
        results
    }
}

/// Attributes of a new operation.
pub type Attrs<'a> = &'a [(&'static str, Attribute)];

/// A tensor type of static shape. Extents are not negative.
pub fn tensor_type(shape: &[i64], element: &ElementType) -> Type {
    let shape: Vec<u64> = shape.iter().map(|extent| u64::try_from(*extent).unwrap_or(0)).collect();
    Type::tensor(&shape, element.clone())
}

/// The extents of a type.
pub fn static_shape(tensor: &TensorType) -> Result<Vec<i64>, Refusal> {
    let shape = tensor.static_shape().ok_or_else(|| Refusal::from("a dimension is known only at run time"))?;
    let signed =
        |extent: &u64| i64::try_from(*extent).expect("extents should have 63 bits, since the parser takes no more");
    Ok(shape.iter().map(signed).collect())
}

/// The number of elements of a shape.
pub fn count(shape: &[i64]) -> Result<i64, Refusal> {
    shape
        .iter()
        .try_fold(1i64, |count, extent| count.checked_mul(*extent))
        .ok_or_else(|| Refusal(format!("shape {shape:?} has too many elements")))
}

/// The least number of an element type, `-inf` for floats; the start of a fold by maximum.
pub fn lowest(element: &ElementType) -> Number {
    match element {
        ElementType::Float(_) => Number::Float(f64::NEG_INFINITY),
        ElementType::Integer { width: 1, .. } | ElementType::Integer { signedness: Signedness::Unsigned, .. } => {
            Number::Int(0)
        }
        ElementType::Integer { width, .. } => Number::Int(i64::MIN >> (64 - (*width).clamp(1, 64))),
        _ => Number::Int(i64::MIN),
    }
}

/// The greatest number of an element type, `inf` for floats; the start of a fold by minimum.
pub fn highest(element: &ElementType) -> Number {
    match element {
        ElementType::Float(_) => Number::Float(f64::INFINITY),
        ElementType::Integer { width: 1, .. } => Number::Int(1),
        ElementType::Integer { signedness: Signedness::Unsigned, width: 64 } => Number::Int(-1),
        ElementType::Integer { signedness: Signedness::Unsigned, width } => Number::Int((1i64 << (*width).min(62)) - 1),
        ElementType::Integer { width, .. } => Number::Int(i64::MAX >> (64 - (*width).clamp(1, 64))),
        _ => Number::Int(i64::MAX),
    }
}

/// The storage of one element, as PyTorch converts a Python number: through f32 to the 16-bit floats.
pub fn encode(number: Number, element: &ElementType) -> Result<Vec<u8>, Refusal> {
    let float = number.as_f64();
    Ok(match element {
        ElementType::Integer { width: 1, .. } => vec![u8::from(number.as_bool())],
        ElementType::Integer { width: width @ (8 | 16 | 32 | 64), .. } => {
            number.as_i64().to_le_bytes()[..*width as usize / 8].to_vec()
        }
        ElementType::Index => number.as_i64().to_le_bytes().to_vec(),
        ElementType::Float(FloatKind::Bf16) => bf16::from_f32(float as f32).to_le_bytes().to_vec(),
        ElementType::Float(FloatKind::F16) => f16::from_f32(float as f32).to_le_bytes().to_vec(),
        ElementType::Float(FloatKind::F32) => (float as f32).to_le_bytes().to_vec(),
        ElementType::Float(FloatKind::F64) => float.to_le_bytes().to_vec(),
        ElementType::Complex(part) => {
            let mut bytes = encode(number, &ElementType::Float(*part))?;
            bytes.resize(bytes.len() * 2, 0);
            bytes
        }
        _ => return Err(Refusal::from("a constant of this element type does not run yet")),
    })
}
