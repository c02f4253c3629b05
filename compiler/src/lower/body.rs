//! Scalar bodies: built instruction by instruction, and between [`ScalarBody`] and the region that a launch holds.
//!
//! Lowering works on [`ScalarBody`], the form that the artifact has; the region of `scalar.*` operations is how the IR
//! shows it.

use std::{collections::HashMap, sync::Arc};

use pygraph_artifact::{
    dtype::{DType, Family},
    scalar::{ScalarBody, ScalarInst, ScalarOp},
};

use super::literal;
use crate::ir::{
    AttrMap, Attribute, ElementType, Loc, Module, OpId, Opcode, RegionId, TensorType, Type, ValueId,
    attribute::DenseElements, module::OpParts,
};

/// A register of a [`ScalarBody`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Register(u32);

/// A [`ScalarBody`] in the making.
#[derive(Debug)]
pub struct BodyBuilder {
    body: ScalarBody,
    types: Vec<DType>,
}

impl BodyBuilder {
    /// A body that reads elements of these types.
    pub fn new(inputs: &[DType]) -> BodyBuilder {
        let body = ScalarBody { inputs: inputs.to_vec(), ..ScalarBody::default() };
        BodyBuilder { body, types: inputs.to_vec() }
    }

    /// The register of an input.
    pub fn input(&self, index: usize) -> Register {
        assert!(index < self.body.inputs.len(), "a body should read only inputs that it has");
        Register(index as u32)
    }

    /// The type of a register.
    pub fn dtype(&self, register: Register) -> DType {
        self.types[register.0 as usize]
    }

    /// An operation whose result has the type `dtype`.
    pub fn op(&mut self, op: ScalarOp, dtype: DType, operands: &[Register]) -> Register {
        self.op_with(op, dtype, operands, Vec::new())
    }

    /// An operation with integers fixed at compile time.
    pub fn op_with(&mut self, op: ScalarOp, dtype: DType, operands: &[Register], immediates: Vec<i64>) -> Register {
        let operands = operands.iter().map(|register| register.0).collect();
        self.push(ScalarInst::Op { op, dtype, operands, immediates }, dtype)
    }

    /// An operation on two operands of one type, with a result of that type.
    pub fn binary(&mut self, op: ScalarOp, a: Register, b: Register) -> Register {
        self.op(op, self.dtype(a), &[a, b])
    }

    /// A literal, as its storage.
    pub fn constant(&mut self, dtype: DType, bits: u128) -> Register {
        self.push(ScalarInst::Constant { dtype, bits }, dtype)
    }

    /// A literal of any type, rounded from a number.
    pub fn number(&mut self, dtype: DType, number: f64) -> Register {
        self.constant(dtype, literal::encode(dtype, number))
    }

    /// The position along a dimension of the iteration space, as `i64`.
    pub fn index(&mut self, dimension: usize) -> Register {
        self.push(ScalarInst::Index { dimension: dimension as u32 }, DType::I64)
    }

    /// The value in another type; itself where it has that type.
    pub fn convert(&mut self, value: Register, dtype: DType) -> Register {
        let source = self.dtype(value);
        if source == dtype {
            return value;
        }
        // The small floats convert from and to `f64` alone.
        let is_small = |dtype: DType| dtype.family() == Family::MiniFloat;
        let is_direct = source == DType::F64 || dtype == DType::F64 || !(is_small(source) || is_small(dtype));
        let value = if is_direct { value } else { self.op(ScalarOp::Convert, DType::F64, &[value]) };
        self.op(ScalarOp::Convert, dtype, &[value])
    }

    /// What another body computes from these values.
    pub fn inline(&mut self, body: &ScalarBody, arguments: &[Register]) -> Vec<Register> {
        let mut registers: Vec<u32> = arguments.iter().map(|register| register.0).collect();
        for instruction in &body.instructions {
            let (instruction, dtype) = match instruction {
                ScalarInst::Op { op, dtype, operands, immediates } => {
                    let operands = operands.iter().map(|register| registers[*register as usize]).collect();
                    (ScalarInst::Op { op: *op, dtype: *dtype, operands, immediates: immediates.clone() }, *dtype)
                }
                ScalarInst::Constant { dtype, .. } => (instruction.clone(), *dtype),
                ScalarInst::Index { .. } => (instruction.clone(), DType::I64),
            };
            registers.push(self.push(instruction, dtype).0);
        }
        body.outputs.iter().map(|register| Register(registers[*register as usize])).collect()
    }

    /// The finished body.
    pub fn finish(mut self, outputs: &[Register]) -> ScalarBody {
        self.body.outputs = outputs.iter().map(|register| register.0).collect();
        self.body
    }

    fn push(&mut self, instruction: ScalarInst, dtype: DType) -> Register {
        self.body.instructions.push(instruction);
        self.types.push(dtype);
        Register(self.types.len() as u32 - 1)
    }
}

/// The body that hands its input on.
pub fn identity(dtype: DType) -> ScalarBody {
    identities(&[dtype])
}

/// The body that hands its inputs on.
pub fn identities(dtypes: &[DType]) -> ScalarBody {
    ScalarBody { inputs: dtypes.to_vec(), instructions: Vec::new(), outputs: (0..dtypes.len() as u32).collect() }
}

/// The body that gives one value, whatever the point.
pub fn constant(dtype: DType, bits: u128) -> ScalarBody {
    ScalarBody { inputs: Vec::new(), instructions: vec![ScalarInst::Constant { dtype, bits }], outputs: vec![0] }
}

/// The type of a scalar in a body.
pub fn scalar_type(dtype: DType) -> Type {
    Type::Scalar(ElementType::of(dtype))
}

/// Makes the region that shows a body.
pub fn region_of(module: &mut Module, body: &ScalarBody, loc: Loc) -> RegionId {
    let region = module.create_region();
    let block = module.create_block(region);
    let mut values: Vec<ValueId> =
        body.inputs.iter().map(|dtype| module.add_argument(block, scalar_type(*dtype))).collect();
    for instruction in &body.instructions {
        let (opcode, operands, dtype, attrs): (_, &[u32], _, _) = match instruction {
            ScalarInst::Constant { dtype, bits } => {
                (Opcode::ScalarConstant, &[], *dtype, AttrMap::from_iter([("value", literal_attribute(*dtype, *bits))]))
            }
            ScalarInst::Index { dimension } => {
                let dimension = Attribute::i64(i64::from(*dimension));
                (Opcode::ScalarIndex, &[], DType::I64, AttrMap::from_iter([("dimension", dimension)]))
            }
            ScalarInst::Op { op, dtype, operands, immediates } => {
                (Opcode::Scalar(*op), operands, *dtype, immediates_attrs(immediates))
            }
        };
        let parts = OpParts {
            operands: operands.iter().map(|register| values[*register as usize]).collect(),
            result_types: vec![scalar_type(dtype)],
            attrs,
            ..OpParts::default()
        };
        let op = module.create_op(opcode, parts, loc);
        module.append(block, op);
        values.push(module.op(op).results[0]);
    }
    let operands = body.outputs.iter().map(|register| values[*register as usize]).collect();
    let terminator = module.create_op(Opcode::ScalarYield, OpParts { operands, ..OpParts::default() }, loc);
    module.append(block, terminator);
    region
}

fn literal_attribute(dtype: DType, bits: u128) -> Attribute {
    let ty = Arc::new(TensorType::new(&[], ElementType::of(dtype)));
    let bytes = Arc::from(&bits.to_le_bytes()[..dtype.size_bytes()]);
    Attribute::Dense(DenseElements { ty, bytes, is_splat: true })
}

fn immediates_attrs(immediates: &[i64]) -> AttrMap {
    if immediates.is_empty() {
        return AttrMap::default();
    }
    AttrMap::from_iter([("immediates", Attribute::i64_array(immediates.iter().copied()))])
}

/// Reads the body that a region of a launch shows; none if it does not verify.
pub fn body_of(module: &Module, launch: OpId, region: usize) -> Option<ScalarBody> {
    let block = module.region_block(launch, region)?;
    let mut body = ScalarBody::default();
    let mut registers: HashMap<ValueId, u32> = HashMap::new();
    for argument in &module.block(block).arguments {
        registers.insert(*argument, registers.len() as u32);
        body.inputs.push(scalar_dtype(module.ty(*argument))?);
    }
    for op in module.block_ops(block) {
        let operation = module.op(op);
        let mut operands = Vec::with_capacity(operation.operands.len());
        for operand in &operation.operands {
            operands.push(*registers.get(operand)?);
        }
        let instruction = match operation.opcode {
            Opcode::ScalarYield => {
                body.outputs = operands;
                break;
            }
            Opcode::ScalarConstant => {
                let dtype = scalar_dtype(module.ty(*operation.results.first()?))?;
                ScalarInst::Constant { dtype, bits: literal::attribute_bits(operation.attr("value")?, dtype)? }
            }
            Opcode::ScalarIndex => {
                let dimension = operation.attr("dimension").and_then(Attribute::as_i64)?;
                ScalarInst::Index { dimension: u32::try_from(dimension).ok()? }
            }
            Opcode::Scalar(scalar) => {
                let dtype = scalar_dtype(module.ty(*operation.results.first()?))?;
                let immediates = operation.attr("immediates").and_then(Attribute::as_i64_slice).unwrap_or(&[]);
                ScalarInst::Op { op: scalar, dtype, operands, immediates: immediates.to_vec() }
            }
            _ => return None,
        };
        registers.insert(*operation.results.first()?, registers.len() as u32);
        body.instructions.push(instruction);
    }
    Some(body)
}

/// The type, if it is that of a scalar which a device has.
pub fn scalar_dtype(ty: &Type) -> Option<DType> {
    if let Type::Scalar(element) = ty { element.dtype() } else { None }
}
