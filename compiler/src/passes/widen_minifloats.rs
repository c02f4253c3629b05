//! Computes in `f64` what is written on floats of eight bits and fewer.
//!
//! Before: `%2 = stablehlo.add %0, %1 : tensor<4xf8E4M3FN>`.
//! After: `%0` and `%1` are converted to `f64` and added, and the sum is converted back: it is rounded once.
//! Leaves alone: what moves elements without computing (constants, slices, transposes, `select`), and operations with
//! regions, which the lowering refuses on these types.
//! Relies on: nothing beyond the verifier.   Guarantees: a device only stores these types and converts them from and
//! to `f64`.

use std::collections::HashMap;

use pygraph_artifact::dtype::{DType, Family};

use super::{Changed, PassContext, PassDef, Phase};
use crate::{
    diagnostic::Diagnostics,
    ir::{Attribute, ElementType, Module, OpId, Opcode, TensorType, ValueId, attribute::DenseElements, build::Builder},
};

/// See the module.
pub static PASS: PassDef = PassDef {
    name: "widen-minifloats",
    summary: "Compute in f64 what is written on floats of eight bits and fewer",
    phase: Phase::Kernel,
    run,
};

fn run(module: &mut Module, _: &PassContext) -> Result<Changed, Diagnostics> {
    let narrow: Vec<OpId> = module.walk(module.root()).into_iter().filter(|op| computes_narrow(module, *op)).collect();
    let mut narrowed = HashMap::new();
    for op in &narrow {
        widen_constant(module, *op);
        widen_operands(module, *op);
        narrow_results(module, *op, &mut narrowed);
    }
    replace_readers(module, &narrowed);
    Ok((!narrow.is_empty()).into())
}

/// True if the operation computes with a small float and is not the conversion from or to `f64` itself.
fn computes_narrow(module: &Module, op: OpId) -> bool {
    let operation = module.op(op);
    let computes = match operation.opcode {
        Opcode::StablehloSelect | Opcode::StablehloBitcastConvert => false,
        Opcode::StablehloDotGeneral
        | Opcode::StablehloConvolution
        | Opcode::CheckExpectAlmostEq
        | Opcode::CheckExpectAlmostEqConst
        | Opcode::CheckExpectClose => true,
        opcode => opcode.def().is_elementwise() && operation.regions.is_empty(),
    };
    let any = |test: fn(&Module, ValueId) -> bool| {
        operation.operands.iter().chain(&operation.results).any(|value| test(module, *value))
    };
    computes && any(is_narrow) && !(operation.opcode == Opcode::StablehloConvert && any(is_f64))
}

fn tensor_with(module: &Module, value: ValueId, test: impl Fn(&ElementType) -> bool) -> Option<TensorType> {
    module.ty(value).as_tensor().filter(|tensor| test(&tensor.element)).cloned()
}

fn is_narrow(module: &Module, value: ValueId) -> bool {
    tensor_with(module, value, |element| minifloat(element).is_some()).is_some()
}

fn is_f64(module: &Module, value: ValueId) -> bool {
    tensor_with(module, value, |element| *element == ElementType::F64).is_some()
}

fn minifloat(element: &ElementType) -> Option<DType> {
    element.dtype().filter(|dtype| dtype.family() == Family::MiniFloat)
}

/// The expected value of a `check` operation.
fn widen_constant(module: &mut Module, op: OpId) {
    let Some(Attribute::Dense(elements)) = module.op(op).attr("value") else { return };
    let Some(format) = minifloat(&elements.ty.element).and_then(DType::minifloat) else { return };
    let bytes = elements.bytes.iter().flat_map(|pattern| format.decode(*pattern).to_le_bytes()).collect();
    let ty = elements.ty.with_element(ElementType::F64).into();
    let wide = DenseElements { ty, bytes, is_splat: elements.is_splat };
    module.op_mut(op).attrs.set("value", Attribute::Dense(wide));
}

fn widen_operands(module: &mut Module, op: OpId) {
    for idx in 0..module.op(op).operands.len() {
        let operand = module.op(op).operands[idx];
        let Some(tensor) = tensor_with(module, operand, |element| minifloat(element).is_some()) else { continue };
        let wide = tensor.with_element(ElementType::F64);
        let mut builder = Builder::before(module, op);
        let converted = builder.typed_value::<&str>(Opcode::StablehloConvert, &[operand], [], wide);
        module.op_mut(op).operands[idx] = converted;
    }
}

/// Adds the conversions of an operation's results back from what they will be in `f64`.
fn narrow_results(module: &mut Module, op: OpId, narrowed: &mut HashMap<ValueId, ValueId>) {
    for result in module.op(op).results.clone() {
        let Some(narrow) = tensor_with(module, result, |element| minifloat(element).is_some()) else { continue };
        let next = module.op(op).next().expect("an operation with results should come before its block's terminator");
        let mut builder = Builder::before(module, next);
        let converted = builder.typed_value::<&str>(Opcode::StablehloConvert, &[result], [], narrow);
        narrowed.insert(result, converted);
    }
}

/// Gives the operations results in `f64`, and lets everybody but the conversions read the conversions.
fn replace_readers(module: &mut Module, narrowed: &HashMap<ValueId, ValueId>) {
    module.replace_values(module.root(), narrowed);
    for (result, converted) in narrowed {
        let conversion = module.defining_op(*converted).expect("the conversion should be an operation");
        module.op_mut(conversion).operands[0] = *result;
        let tensor = module.ty(*result).as_tensor().expect("a small float should be an element of a tensor");
        module.value_mut(*result).ty = tensor.with_element(ElementType::F64).into();
    }
}
