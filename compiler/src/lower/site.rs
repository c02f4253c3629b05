//! Where lowering puts launches: before the operation that it replaces, at its location.

use std::sync::Arc;

use pygraph_artifact::{dtype::DType, scalar::ScalarBody, validate::array_bytes};
use smallvec::smallvec;

use super::body::region_of;
use crate::ir::{
    AttrMap, Attribute, ElementType, Module, OpId, Opcode, RegionId, TensorType, Type, ValueId,
    attribute::{AffineMap, DenseElements, LinearExpr},
    module::OpParts,
};

/// Element type and extents of a tensor that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor {
    /// Element type.
    pub dtype: DType,
    /// Extents, outermost first.
    pub shape: Vec<u64>,
}

impl Tensor {
    /// Number of dimensions.
    pub fn rank(&self) -> usize {
        self.shape.len()
    }

    /// The type in the IR.
    pub fn ty(&self) -> Type {
        Type::tensor(&self.shape, ElementType::of(self.dtype))
    }

    /// Size of its elements, one behind the other, in bytes; none if an artifact has no tensors of that size.
    pub fn size_bytes(&self) -> Option<u64> {
        array_bytes(self.dtype, &self.shape)
    }

    /// True if it has no element.
    pub fn is_empty(&self) -> bool {
        self.shape.contains(&0)
    }
}

/// A loop nest in the making; see `pyg.nest`.
#[derive(Debug, Clone)]
pub struct NestParts {
    /// Extents of the iteration space, outermost first.
    pub extents: Vec<u64>,
    /// How many of the last dimensions are folded.
    pub reduction_dims: usize,
    /// What `map` reads.
    pub inputs: Vec<(ValueId, AffineMap)>,
    /// What is written, each with what the tensor holds before.
    pub outputs: Vec<(ValueId, AffineMap)>,
    /// From input elements to values.
    pub map: ScalarBody,
    /// Folds values along the reduced dimensions.
    pub combine: Option<ScalarBody>,
}

/// The place of an operation that is being lowered.
#[derive(Debug)]
pub struct Site<'m> {
    /// The module.
    pub module: &'m mut Module,
    /// The operation that is replaced; launches are put before it.
    pub op: OpId,
}

impl Site<'_> {
    /// The operation's operand.
    pub fn operand(&self, index: usize) -> ValueId {
        self.module.op(self.op).operands[index]
    }

    /// The operation's operands.
    pub fn operands(&self) -> Vec<ValueId> {
        self.module.op(self.op).operands.to_vec()
    }

    /// Type of a value that was found to run.
    pub fn tensor(&self, value: ValueId) -> Tensor {
        tensor_of(self.module.ty(value)).expect("types should be checked before an operation is lowered")
    }

    /// Type of the operation's result.
    pub fn result(&self, index: usize) -> Tensor {
        self.tensor(self.module.op(self.op).results[index])
    }

    /// Types of the operation's results.
    pub fn results(&self) -> Vec<Tensor> {
        self.module.op(self.op).results.iter().map(|value| self.tensor(*value)).collect()
    }

    /// The elements of a value that is constant.
    pub fn constant_elements(&self, value: ValueId) -> Option<DenseElements> {
        constant_elements(self.module, value)
    }

    /// `pyg.empty`
    pub fn empty(&mut self, tensor: &Tensor) -> ValueId {
        self.put(Opcode::PygEmpty, OpParts { result_types: vec![tensor.ty()], ..OpParts::default() })[0]
    }

    /// `pyg.constant`
    pub fn constant(&mut self, elements: DenseElements) -> ValueId {
        let result_types = vec![Type::Tensor(elements.ty.clone())];
        let attrs = AttrMap::from_iter([("value", Attribute::Dense(elements))]);
        self.put(Opcode::PygConstant, OpParts { result_types, attrs, ..OpParts::default() })[0]
    }

    /// `pyg.constant` of no dimensions.
    pub fn scalar_constant(&mut self, dtype: DType, bits: u128) -> ValueId {
        let ty = Arc::new(TensorType::new(&[], ElementType::of(dtype)));
        let bytes = Arc::from(&bits.to_le_bytes()[..dtype.size_bytes()]);
        self.constant(DenseElements { ty, bytes, is_splat: true })
    }

    /// `pyg.view`
    pub fn view(&mut self, value: ValueId, ty: Type) -> ValueId {
        let parts = OpParts { operands: [value].into_iter().collect(), result_types: vec![ty], ..OpParts::default() };
        self.put(Opcode::PygView, parts)[0]
    }

    /// `pyg.nest`; its results.
    pub fn nest(&mut self, nest: NestParts) -> Vec<ValueId> {
        let parts = self.nest_op(nest);
        self.put(Opcode::PygNest, parts)
    }

    /// Makes the operation, which is a `pyg.nest`, another one with the same results.
    pub fn renest(&mut self, nest: NestParts) {
        let parts = self.nest_op(nest);
        self.module.rebuild(self.op, parts);
    }

    fn nest_op(&mut self, nest: NestParts) -> OpParts {
        let mut bodies = vec![nest.map];
        bodies.extend(nest.combine);
        let regions = self.regions(&bodies);
        let input_count = nest.inputs.len() as i64;
        let result_types = nest.outputs.iter().map(|(value, _)| self.module.ty(*value).clone()).collect();
        let (operands, maps): (_, Vec<_>) = nest
            .inputs
            .into_iter()
            .chain(nest.outputs)
            .map(|(value, map)| (value, Attribute::AffineMap(Arc::new(map))))
            .unzip();
        let attrs = AttrMap::from_iter([
            ("extents", Attribute::i64_array(nest.extents.iter().map(|extent| *extent as i64))),
            ("input_count", Attribute::i64(input_count)),
            ("maps", Attribute::Array(maps.into())),
            ("reduction_dims", Attribute::i64(nest.reduction_dims as i64)),
        ]);
        OpParts { operands, result_types, attrs, regions }
    }

    /// `pyg.kernel`; its results.
    pub fn kernel(
        &mut self,
        name: &str,
        inputs: &[ValueId],
        results: &[Tensor],
        attributes: &[(&str, Attribute)],
        bodies: &[ScalarBody],
    ) -> Vec<ValueId> {
        let regions = self.regions(bodies);
        let attributes = AttrMap::from_iter(attributes.iter().cloned());
        let attrs = AttrMap::from_iter([
            ("attributes", Attribute::Dictionary(Arc::new(attributes))),
            ("kernel", Attribute::string(name)),
        ]);
        let result_types = results.iter().map(Tensor::ty).collect();
        let operands = inputs.iter().copied().collect();
        self.put(Opcode::PygKernel, OpParts { operands, result_types, attrs, regions })
    }

    /// A new tensor that one nest writes whole, walking it in order; its elements come from `map`.
    pub fn generate(&mut self, tensor: &Tensor, inputs: Vec<(ValueId, AffineMap)>, map: ScalarBody) -> ValueId {
        let init = self.empty(tensor);
        let outputs = vec![(init, identity(tensor.rank()))];
        let extents = tensor.shape.clone();
        self.nest(NestParts { extents, reduction_dims: 0, inputs, outputs, map, combine: None })[0]
    }

    /// Puts an operation here; its results.
    pub fn put(&mut self, opcode: Opcode, parts: OpParts) -> Vec<ValueId> {
        let loc = self.module.op(self.op).loc;
        let op = self.module.create_op(opcode, parts, loc);
        self.module.insert_before(self.op, op);
        self.module.op(op).results.to_vec()
    }

    fn regions(&mut self, bodies: &[ScalarBody]) -> smallvec::SmallVec<[RegionId; 1]> {
        let loc = self.module.op(self.op).loc;
        bodies.iter().map(|body| region_of(self.module, body, loc)).collect()
    }
}

/// The type, if a device has it and its shape is known.
pub fn tensor_of(ty: &Type) -> Option<Tensor> {
    let tensor = ty.as_tensor()?;
    Some(Tensor { dtype: tensor.element.dtype()?, shape: tensor.static_shape()? })
}

/// Size in bytes of a tensor that a device can hold; none of any other type.
pub fn size_bytes(ty: &Type) -> Option<u64> {
    tensor_of(ty)?.size_bytes()
}

/// The elements of a value that a constant of any dialect defines.
pub fn constant_elements(module: &Module, value: ValueId) -> Option<DenseElements> {
    let op = module.op(module.defining_op(value)?);
    match op.opcode {
        Opcode::StablehloConstant | Opcode::ArithConstant | Opcode::ChloConstant | Opcode::PygConstant => {
            if let Some(Attribute::Dense(elements)) = op.attr("value") { Some(elements.clone()) } else { None }
        }
        _ => None,
    }
}

/// `d`
pub fn dim(d: usize, dim_count: usize) -> LinearExpr {
    strided(d, 1, 0, dim_count)
}

/// `d * coefficient + constant`
pub fn strided(d: usize, coefficient: i64, constant: i64, dim_count: usize) -> LinearExpr {
    let mut coefficients = smallvec![0; dim_count];
    coefficients[d] = coefficient;
    LinearExpr { coefficients, constant }
}

/// `constant`
pub fn fixed(constant: i64, dim_count: usize) -> LinearExpr {
    LinearExpr { coefficients: smallvec![0; dim_count], constant }
}

/// `(d0, d1, …) -> (d0, d1, …)`
pub fn identity(rank: usize) -> AffineMap {
    AffineMap { dim_count: rank, results: (0..rank).map(|d| dim(d, rank)).collect() }
}

/// `(d0, d1, …) -> ()`
pub fn to_scalar(dim_count: usize) -> AffineMap {
    AffineMap { dim_count, results: Vec::new() }
}
