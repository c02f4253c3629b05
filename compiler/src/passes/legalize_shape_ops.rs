//! Gives operations that compute shapes, or take them as operands, their static form where the shape is known.
//!
//! Before: `%s = arith.constant dense<[2, 3]> : tensor<2xi64>`, `stablehlo.dynamic_broadcast_in_dim %x, %s, dims = [1]`.
//! After: `stablehlo.broadcast_in_dim %x, dims = [1]`. `shape.assuming` becomes its region; numbers outside tensors
//! (`tensor.extract`, `arith.addf`) become tensors of no dimensions; a result type with an unknown dimension is refined
//! where the shape is known, and so is what follows from it.
//! Leaves alone: operations whose shape depends on an argument's unknown dimension or on data.
//! Relies on: nothing beyond the verifier.   Guarantees: nothing is lost; operations that only computed shapes are dead.

mod known;
mod scalars;

use std::collections::HashMap;

use super::{
    Changed, PassContext, PassDef, Phase,
    emit::{Emit, Number, Out, Refusal, static_shape, tensor_type},
    signature::{self, function_type},
};
use crate::{
    diagnostic::Diagnostics,
    ir::{
        Attribute, Dim, Module, OpId, Opcode, TensorType, Type, ValueId, attribute::DenseElements, ops::view::View,
        types::FunctionType,
    },
};

/// The pass.
pub static PASS: PassDef = PassDef {
    name: "legalize-shape-ops",
    summary: "Turn operations on known shapes (dynamic_*, shape, tensor, arith) into their static forms",
    phase: Phase::Import,
    run,
};

fn run(module: &mut Module, ctx: &PassContext) -> Result<Changed, Diagnostics> {
    let mut errors = Vec::new();
    let mut changed = false;
    for function in module.functions().collect::<Vec<_>>() {
        let ops = module.walk(function);
        if scalars::number_arguments(module, function) {
            refine_results(module, function);
            changed = true;
        }
        if !ops.iter().any(|op| concerns(module.op(*op).opcode)) {
            continue;
        }
        let mut rewrite = Rewrite {
            module,
            known: HashMap::new(),
            scalars: HashMap::new(),
            replaced: HashMap::new(),
            dead: Vec::new(),
        };
        for op in ops {
            if let Err(Refusal(reason)) = rewrite.visit(op, ctx) {
                errors.push(rewrite.module.error(op, reason));
            }
        }
        changed |= rewrite.finish(function);
    }
    if errors.is_empty() { Ok(changed.into()) } else { Err(Diagnostics(errors)) }
}

/// True for operations that this pass is about.
fn concerns(opcode: Opcode) -> bool {
    let name = opcode.name();
    [
        "arith.",
        "tensor.",
        "shape.",
        "cf.",
        "stablehlo.dynamic_",
        "stablehlo.real_dynamic_slice",
        "stablehlo.get_dimension_size",
    ]
    .iter()
    .any(|prefix| name.starts_with(prefix))
        && !matches!(opcode, Opcode::StablehloDynamicSlice | Opcode::StablehloDynamicUpdateSlice)
}

/// The rewriting of one function.
struct Rewrite<'m> {
    module: &'m mut Module,
    /// Integers that a value is known to hold.
    known: HashMap<ValueId, Vec<i64>>,
    /// The tensor of no dimensions for a number outside tensors.
    scalars: HashMap<ValueId, ValueId>,
    /// Values that others stand for now.
    replaced: HashMap<ValueId, ValueId>,
    /// Operations without readers now.
    dead: Vec<OpId>,
}

impl Rewrite<'_> {
    fn visit(&mut self, op: OpId, ctx: &PassContext) -> Result<(), Refusal> {
        self.resolve_operands(op);
        self.refine(op);
        if let Some(integers) = known::evaluate(self.module, op, &self.known) {
            for (result, values) in self.module.op(op).results.clone().into_iter().zip(integers) {
                self.known.insert(result, values);
            }
        }
        let opcode = self.module.op(op).opcode;
        match opcode {
            Opcode::ShapeAssuming => self.inline_assuming(op),
            Opcode::ShapeCstrBroadcastable | Opcode::ShapeConstWitness => {
                self.dead.push(op);
                Ok(())
            }
            Opcode::CfAssert => self.assert(op, ctx),
            Opcode::FuncReturn => {
                self.return_numbers(op);
                Ok(())
            }
            _ if scalars::concerns(opcode) => self.scalar(op),
            _ => {
                if let Some(value) = self.static_form(op)? {
                    self.replace(op, value);
                }
                Ok(())
            }
        }
    }

    /// Numbers outside tensors that a public function gives are tensors of no dimensions, as those that it takes.
    fn return_numbers(&mut self, op: OpId) {
        let function = self.module.parent_op(op).expect("a return should be in a function");
        if signature::is_public(self.module, function) {
            for operand in &mut self.module.op_mut(op).operands {
                *operand = self.scalars.get(operand).copied().unwrap_or(*operand);
            }
        }
    }

    fn resolve_operands(&mut self, op: OpId) {
        if !self.replaced.is_empty() {
            for operand in &mut self.module.op_mut(op).operands {
                if let Some(value) = self.replaced.get(operand) {
                    *operand = *value;
                }
            }
        }
    }

    fn replace(&mut self, op: OpId, value: ValueId) {
        let result = self.module.op(op).results[0];
        if let Some(integers) = self.known.get(&result).cloned() {
            self.known.insert(value, integers);
        }
        self.replaced.insert(result, value);
        self.dead.push(op);
    }

    /// Fills in dimensions of the results that follow from operands refined before.
    fn refine(&mut self, op: OpId) {
        let operation = self.module.op(op);
        let unknown = |ty: &Type| ty.as_tensor().is_some_and(|tensor| tensor.static_shape().is_none());
        if !operation.results.iter().any(|result| unknown(self.module.ty(*result))) {
            return;
        }
        let Some(infer) = operation.opcode.def().infer else { return };
        let Ok(types) = infer(&View { results: &[], ..View::of(self.module, op) }) else { return };
        for (result, ty) in operation.results.clone().into_iter().zip(types) {
            let (Some(old), Some(new)) = (self.module.ty(result).as_tensor(), ty.as_tensor()) else { continue };
            if let Some(joined) = joined(old, new) {
                self.module.value_mut(result).ty = joined.into();
            }
        }
    }

    /// The static form of an operation that takes a shape, if the shape is known.
    fn static_form(&mut self, op: OpId) -> Result<Option<ValueId>, Refusal> {
        let opcode = self.module.op(op).opcode;
        match opcode {
            Opcode::StablehloDynamicIota => self.of_shape(op, 0, |e, op, shape| {
                let element = e.element(e.module.op(op).results[0])?;
                let dimension = e.module.op(op).attr("iota_dimension").and_then(Attribute::as_i64);
                let dimension = dimension.expect("the verifier should have seen the dimension of an iota");
                Ok(e.iota(shape, &element, dimension as usize))
            }),
            Opcode::StablehloDynamicReshape => self.of_shape(op, 1, |e, op, shape| {
                let operand = e.module.op(op).operands[0];
                e.reshape(operand, shape)
            }),
            Opcode::StablehloDynamicBroadcastInDim => self.of_shape(op, 1, |e, op, shape| {
                let operand = e.module.op(op).operands[0];
                let dims = e.module.op(op).attr("broadcast_dimensions").and_then(Attribute::as_i64_slice);
                let dims = dims.expect("the verifier should have seen the dimensions of a broadcast").to_vec();
                e.broadcast_in_dim(operand, shape, &dims)
            }),
            Opcode::StablehloRealDynamicSlice => self.slice(op),
            Opcode::StablehloDynamicPad => self.pad(op),
            Opcode::StablehloDynamicGather => self.gather(op),
            Opcode::StablehloDynamicConv => self.convolution(op),
            Opcode::StablehloGetDimensionSize => self.dimension_size(op),
            Opcode::TensorCast | Opcode::TensorCollapseShape | Opcode::TensorExpandShape => self.reshape(op),
            _ => Ok(None),
        }
    }

    /// Operations whose result's shape is an operand, or their type's.
    fn of_shape(
        &mut self,
        op: OpId,
        operand: usize,
        build: fn(&mut Emit, OpId, &[i64]) -> Out,
    ) -> Result<Option<ValueId>, Refusal> {
        let operation = self.module.op(op);
        let declared = self.module.ty(operation.results[0]).as_tensor().and_then(|tensor| static_shape(tensor).ok());
        let Some(shape) = declared.or_else(|| self.known.get(&operation.operands[operand]).cloned()) else {
            return Ok(None);
        };
        if shape.iter().any(|extent| *extent < 0) {
            return Err(Refusal(format!("its shape {shape:?} has a negative extent")));
        }
        if !self.is_static(op, 0) && operand > 0 {
            return Ok(None);
        }
        build(&mut Emit::before(self.module, op), op, &shape).map(Some)
    }

    fn is_static(&self, op: OpId, operand: usize) -> bool {
        let value = self.module.op(op).operands.get(operand);
        value.is_some_and(|value| self.module.ty(*value).as_tensor().is_some_and(|ty| ty.static_shape().is_some()))
    }

    /// The integers that operands from `first` on hold, if all are known and the operand 0 is static.
    fn known_operands<const N: usize>(&self, op: OpId, first: usize) -> Option<[Vec<i64>; N]> {
        let operands = &self.module.op(op).operands;
        let list: Option<Vec<Vec<i64>>> =
            (first..first + N).map(|at| self.known.get(operands.get(at)?).cloned()).collect();
        list.filter(|_| self.is_static(op, 0))?.try_into().ok()
    }

    fn slice(&mut self, op: OpId) -> Result<Option<ValueId>, Refusal> {
        let Some([starts, limits, strides]) = self.known_operands(op, 1) else { return Ok(None) };
        let mut e = Emit::before(self.module, op);
        let x = e.module.op(op).operands[0];
        e.slice(x, &starts, &limits, &strides).map(Some)
    }

    fn pad(&mut self, op: OpId) -> Result<Option<ValueId>, Refusal> {
        let Some([low, high, interior]) = self.known_operands(op, 2) else { return Ok(None) };
        let mut e = Emit::before(self.module, op);
        let (x, value) = (e.module.op(op).operands[0], e.module.op(op).operands[1]);
        e.pad(x, value, &low, &high, &interior).map(Some)
    }

    fn gather(&mut self, op: OpId) -> Result<Option<ValueId>, Refusal> {
        let Some([sizes]) = self.known_operands(op, 2) else { return Ok(None) };
        let operands = self.module.op(op).operands[..2].to_vec();
        self.as_op(op, Opcode::StablehloGather, &operands, "slice_sizes", Attribute::i64_array(sizes)).map(Some)
    }

    fn convolution(&mut self, op: OpId) -> Result<Option<ValueId>, Refusal> {
        let Some([amounts]) = self.known_operands(op, 2) else { return Ok(None) };
        let operands = self.module.op(op).operands[..2].to_vec();
        let Type::Tensor(ty) = tensor_type(&[amounts.len() as i64 / 2, 2], &crate::ir::ElementType::I64) else {
            return Ok(None);
        };
        let bytes: Vec<u8> = amounts.iter().flat_map(|amount| amount.to_le_bytes()).collect();
        let padding = Attribute::Dense(DenseElements::new(ty, bytes));
        self.as_op(op, Opcode::StablehloConvolution, &operands, "padding", padding).map(Some)
    }

    /// The same operation under another name, with an operand as an attribute.
    fn as_op(&mut self, op: OpId, opcode: Opcode, operands: &[ValueId], name: &'static str, value: Attribute) -> Out {
        let mut attrs = self.module.op(op).attrs.clone();
        attrs.set(name, value);
        let mut ty = self.module.ty(self.module.op(op).results[0]).clone();
        if let Some(infer) = opcode.def().infer {
            let view = View { module: self.module, opcode, operands, attrs: &attrs, regions: &[], results: &[] };
            ty = infer(&view).map_err(Refusal)?.into_iter().next().unwrap_or(ty);
        }
        let mut e = Emit::before(self.module, op);
        e.tags = attrs;
        Ok(e.op(opcode, operands, ty, &[]))
    }

    fn dimension_size(&mut self, op: OpId) -> Result<Option<ValueId>, Refusal> {
        let result = self.module.op(op).results[0];
        let Some([extent]) = self.known.get(&result).map(Vec::as_slice) else { return Ok(None) };
        let extent = Number::Int(*extent);
        let mut e = Emit::before(self.module, op);
        let element = e.element(result)?;
        e.scalar(extent, &element).map(Some)
    }

    fn reshape(&mut self, op: OpId) -> Result<Option<ValueId>, Refusal> {
        let operation = self.module.op(op);
        let (operand, result) = (operation.operands[0], operation.results[0]);
        if operation.opcode == Opcode::TensorCast && self.is_static(op, 0) {
            return Ok(Some(operand));
        }
        let shape = self.module.ty(result).as_tensor().and_then(|tensor| static_shape(tensor).ok());
        let Some(shape) = shape.filter(|_| self.is_static(op, 0)) else { return Ok(None) };
        Emit::before(self.module, op).reshape(operand, &shape).map(Some)
    }

    /// Puts the operations of `shape.assuming` in its place: what it relies on is checked by the verifier once static.
    fn inline_assuming(&mut self, op: OpId) -> Result<(), Refusal> {
        let Some(block) = self.module.region_block(op, 0) else { return Ok(()) };
        let Some(last) = self.module.block(block).last() else { return Ok(()) };
        for inner in self.module.block_op_ids(block) {
            if inner != last {
                self.module.detach(inner);
                self.module.insert_before(op, inner);
            }
        }
        let yielded = self.module.op(last).operands.clone();
        for (result, value) in self.module.op(op).results.clone().into_iter().zip(yielded) {
            self.replaced.insert(result, value);
        }
        self.dead.push(op);
        Ok(())
    }

    fn assert(&mut self, op: OpId, ctx: &PassContext) -> Result<(), Refusal> {
        match self.known.get(&self.module.op(op).operands[0]).map(Vec::as_slice) {
            Some([0]) => {
                let text = self.module.op(op).attr("msg").and_then(Attribute::as_str).unwrap_or_default();
                return Err(Refusal(format!("this check always fails: {text}")));
            }
            Some(_) => {}
            None => ctx.remark(self.module.remark(op, "this check of a computed value is left out")),
        }
        self.dead.push(op);
        Ok(())
    }

    /// Carries the replacements out; true if there were any.
    fn finish(self, function: OpId) -> bool {
        let Rewrite { module, replaced, dead, .. } = self;
        let changed = !dead.is_empty();
        module.replace_values(function, &replaced);
        for op in dead.into_iter().rev() {
            if !module.is_erased(op) {
                module.erase(op);
            }
        }
        refine_results(module, function);
        changed | erase_unread(module, function)
    }
}

/// Erases operations on shapes and numbers that nobody reads any more.
fn erase_unread(module: &mut Module, function: OpId) -> bool {
    let uses = module.uses();
    let mut erased = false;
    for op in module.walk(function).into_iter().rev() {
        let operation = module.op(op);
        let is_computation =
            ["arith.", "tensor.", "shape."].iter().any(|prefix| operation.opcode.name().starts_with(prefix));
        let is_read = |result: &ValueId| uses[result.index()].iter().any(|user| !module.is_erased(*user));
        if is_computation && !operation.opcode.def().is_terminator() && !operation.results.iter().any(is_read) {
            module.erase(op);
            erased = true;
        }
    }
    erased
}

/// A function gives what its terminator reads, whose types may be refined now.
fn refine_results(module: &mut Module, function: OpId) {
    let Some(terminator) = module.region_block(function, 0).and_then(|block| module.block(block).last()) else {
        return;
    };
    let (inputs, results) = function_type(module, function);
    let returned: Vec<Type> = module.op(terminator).operands.iter().map(|value| module.ty(*value).clone()).collect();
    if returned.len() == results.len() && returned != results {
        let ty = FunctionType { inputs, results: returned };
        module.op_mut(function).attrs.set("function_type", Attribute::Type(Type::Function(ty.into())));
    }
}

/// A type with the dimensions that either knows; none if that is no more than the first.
fn joined(old: &TensorType, new: &TensorType) -> Option<TensorType> {
    if old.rank() != new.rank() || old.element != new.element {
        return None;
    }
    let mut joined = old.clone();
    for (own, other) in joined.shape.iter_mut().zip(&new.shape) {
        if let (Dim::Symbol(_), Dim::Static(_)) = (&own, other) {
            *own = other.clone();
        }
    }
    (joined != *old).then_some(joined)
}
