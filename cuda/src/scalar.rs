//! Scalar programs as C++ statements.

use std::fmt::Write as _;

use pygraph_artifact::{
    dtype::{DType, Family},
    scalar::{ScalarBody, ScalarInst, ScalarOp},
};

use crate::types;

/// Statements that compute a body, and the names of its results.
///
/// Registers are named `{prefix}{number}`; `inputs` are expressions for those of the body, and `index` is one for the position along
/// a dimension of the iteration space. `types` are those of the body's registers.
pub fn statements(
    body: &ScalarBody,
    types: &[DType],
    prefix: &str,
    inputs: &[String],
    index: &dyn Fn(u32) -> String,
) -> (String, Vec<String>) {
    let mut text = String::new();
    let mut names: Vec<String> = inputs.to_vec();
    for (instruction, dtype) in body.instructions.iter().zip(&types[body.inputs.len()..]) {
        let value = match instruction {
            ScalarInst::Constant { dtype, bits } => types::literal(*dtype, *bits),
            ScalarInst::Index { dimension } => format!("i64({})", index(*dimension)),
            ScalarInst::Op { op, dtype, operands, immediates } => {
                let arguments: Vec<&str> = operands.iter().map(|register| names[*register as usize].as_str()).collect();
                operation(*op, *dtype, types[operands[0] as usize], immediates, &arguments.join(", "))
            }
        };
        let register = format!("{prefix}{}", names.len());
        writeln!(text, "const {} {register} = {value};", types::name(*dtype))
            .expect("writing to a text should not fail");
        names.push(register);
    }
    let results = body.outputs.iter().map(|register| names[*register as usize].clone()).collect();
    (text, results)
}

/// A call of the function of the prelude that computes an operation.
fn operation(op: ScalarOp, result: DType, operand: DType, immediates: &[i64], arguments: &str) -> String {
    let (name, bits) = (op.name(), result.bits());
    let target = types::name(result);
    match op {
        ScalarOp::Convert => format!("convert<{target}, {bits}>({arguments})"),
        ScalarOp::Bitcast => format!("bitcast<{target}, {bits}>({arguments})"),
        ScalarOp::ReducePrecision => {
            let [exponent, mantissa] = immediates else { unreachable!("a valid body should have both immediates") };
            format!("op_{name}<{exponent}, {mantissa}>({arguments})")
        }
        // What these give depends on the width of the value, not of its storage.
        ScalarOp::Clz | ScalarOp::Popcnt | ScalarOp::ShrLogical => {
            narrowed(result, format!("op_{name}<{}>({arguments})", operand.bits()))
        }
        _ => narrowed(result, format!("op_{name}({arguments})")),
    }
}

/// Wraps around what exceeds an integer's width.
fn narrowed(dtype: DType, value: String) -> String {
    match dtype.family() {
        _ if !types::is_narrow(dtype) => value,
        Family::Signed => format!("wrap_signed<{}>({value})", dtype.bits()),
        _ => format!("wrap_unsigned<{}>({value})", dtype.bits()),
    }
}
