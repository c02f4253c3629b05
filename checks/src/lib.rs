//! Whole plans against the plain executor.
//!
//! A random program is computed twice, for a few steps: op by op, each operation of the input lowered by itself and executed
//! by its reference; and as users run it, through the default pipeline, an artifact's bytes, and a session of the host device,
//! once with loop nests interpreted and once with native code for them.
//! Results must be equal element for element, any NaN being any other.
//!
//! This is the one place that knows both the compiler and the runtime: neither knows the other.

#[path = "../../compiler/tests/random_program/mod.rs"]
pub mod random_program;

pub mod emulated;

use std::sync::Arc;

use pygraph_artifact::{
    bytes::AlignedBytes,
    container::{Artifact, Code, encode},
};
use pygraph_compiler::{
    diagnostic::Diagnostics,
    emit::emit,
    evaluate::evaluate_function,
    ir::{Module, parse::parse, verify::verify},
    passes::{PassContext, PassDef, Phase, assign_bindings, inline_calls, lower_to_launches, pipeline},
};
use pygraph_kernels::memory::Bytes;
use pygraph_native::{default_processor, generate, target};
use pygraph_runtime::{
    device::Device,
    host::{Loops, Order},
    model::Model,
    session::{Session, Ticket},
    tensor::Tensor,
};
use random_program::{Program, agree, random_program};

/// How often each program runs: state is carried, and memory that a step left behind must not show.
const STEPS: usize = 3;

/// Results by step, then in order.
type Results = Vec<Vec<Vec<u8>>>;

/// A program whose plan does not compute what its operations do.
#[derive(Debug)]
pub struct Mismatch {
    /// Its seed.
    pub seed: u64,
    /// How many operations it was asked to have: the fewest with which it fails.
    pub op_count: usize,
    /// Its text.
    pub text: String,
    /// What is wrong.
    pub reason: String,
}

/// Compares the program of a seed; on a mismatch looks for the shortest beginning of it that fails as well.
pub fn check_seed(seed: u64, op_count: usize) -> Result<(), Box<Mismatch>> {
    if check(&random_program(seed, op_count)).is_ok() {
        return Ok(());
    }
    let failing = |count: usize| {
        let program = random_program(seed, count);
        let reason = check(&program).err()?;
        Some(Box::new(Mismatch { seed, op_count: count, text: program.text, reason }))
    };
    let shortest = (1..=op_count).find_map(failing);
    Err(shortest.expect("the program should fail a second time: results are the same from run to run"))
}

/// Compares one program; the error says where it differs or why it does not run.
pub fn check(program: &Program) -> Result<(), String> {
    let expected = op_by_op(program)?;
    for (how, found) in
        [("interpreted", as_a_plan(program, Loops::Interpreted)?), ("native", as_a_plan(program, Loops::Native)?)]
    {
        compare(program, &expected, &found).map_err(|reason| format!("{how}: {reason}"))?;
    }
    Ok(())
}

fn compare(program: &Program, expected: &Results, found: &Results) -> Result<(), String> {
    for (step, (expected, found)) in expected.iter().zip(found).enumerate() {
        for (at, (expected, found)) in expected.iter().zip(found).enumerate() {
            if !agree(expected, found, program.results_are_float[at]) {
                return Err(format!("result {at} of step {step} is {found:?}, should be {expected:?}"));
            }
        }
    }
    Ok(())
}

fn compiled(program: &Program, passes: &[&PassDef]) -> Result<Module, String> {
    let shown = |errors: Diagnostics| errors.0.iter().map(|error| error.render(&program.text)).collect::<String>();
    let mut module = parse(&program.text, "random.mlir").map_err(shown)?;
    verify(&module).map_err(shown)?;
    for pass in passes {
        (pass.run)(&mut module, &PassContext::default())
            .map_err(|errors| format!("{}: {}", pass.name, shown(errors)))?;
        verify(&module).map_err(|errors| format!("{} leaves IR that does not verify: {}", pass.name, shown(errors)))?;
    }
    Ok(module)
}

fn op_by_op(program: &Program) -> Result<Results, String> {
    let module = compiled(program, &[&assign_bindings::PASS, &inline_calls::PASS, &lower_to_launches::PASS])?;
    let mut arguments: Vec<Bytes> = program.inputs.iter().map(|bytes| Bytes::copy_of(bytes)).collect();
    let mut results = Vec::new();
    for _ in 0..STEPS {
        let step = evaluate_function(&module, "main", &arguments).map_err(|error| error.to_string())?;
        for (argument, result) in &program.carried {
            arguments[*argument] = Bytes::copy_of(step[*result].as_slice());
        }
        results.push(step.iter().map(|bytes| bytes.as_slice().to_vec()).collect());
    }
    Ok(results)
}

fn as_a_plan(program: &Program, loops: Loops) -> Result<Results, String> {
    let module = compiled(program, &pipeline::default_passes(Phase::Plan))?;
    let mut emitted = emit(&module).map_err(|errors| format!("{errors:?}"))?;
    // The code lies in the artifact either way; only one of the two runs it.
    let code = match default_processor() {
        Some(processor) => generate(&mut emitted.plan, target(processor)).map_err(|error| error.to_string())?.code,
        None => None,
    };
    let file = encode(&emitted.plan, &emitted.constants, Code { host: code.as_ref(), device: None })
        .map_err(|error| error.to_string())?;
    let artifact = Artifact::from_bytes(&file).map_err(|error| error.to_string())?;
    // Another order of launches for each program.
    let order = Order::Random { seed: program.text.len() as u64 };
    let model = Model::load_in_order(Arc::new(artifact), None, Device::Host, order, loops)
        .map_err(|error| error.to_string())?;
    let mut session = Session::new(Arc::new(model)).map_err(|error| error.to_string())?;
    for (index, bytes) in program.inputs.iter().enumerate() {
        let param = session.model().program().params[index].clone();
        let aligned = AlignedBytes::copy_of(bytes).map_err(|error| error.to_string())?;
        let value = Tensor::new(param.dtype, &param.shape, aligned).map_err(|error| error.to_string())?;
        session.set(index, value).map_err(|error| error.to_string())?;
    }
    let mut results = Vec::new();
    for _ in 0..STEPS {
        let outputs = session.step().and_then(Ticket::wait).map_err(|error| error.to_string())?;
        let bytes = outputs.iter().map(|view| view.map(|view| view.bytes.to_vec()));
        results.push(bytes.collect::<Result<_, _>>().map_err(|error| error.to_string())?);
    }
    Ok(results)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_compute_what_their_operations_do() {
        for seed in 0..300 {
            if let Err(mismatch) = check_seed(seed, 1 + seed as usize % 40) {
                panic!("seed {}: {}\n{}", mismatch.seed, mismatch.reason, mismatch.text);
            }
        }
    }

    #[test]
    fn a_wrong_number_is_seen() {
        assert!(agree(&f32::NAN.to_le_bytes(), &(-f32::NAN).to_le_bytes(), true));
        assert!(!agree(&f32::NAN.to_le_bytes(), &(-f32::NAN).to_le_bytes(), false));
        assert!(!agree(&0f32.to_le_bytes(), &(-0f32).to_le_bytes(), true));
        let program = |op: &str| Program {
            text: format!(
                "func.func @main(%x: tensor<f32>) -> tensor<f32> {{\n  %0 = stablehlo.{op} %x, %x : tensor<f32>\n  return %0 : tensor<f32>\n}}\n"
            ),
            inputs: vec![1.5f32.to_le_bytes().to_vec()],
            results_are_float: vec![true],
            carried: Vec::new(),
        };
        let sum = op_by_op(&program("add"));
        for loops in [Loops::Interpreted, Loops::Native] {
            assert_eq!(sum, as_a_plan(&program("add"), loops));
            assert_ne!(sum, as_a_plan(&program("subtract"), loops));
        }
    }
}
