//! Makes random small programs, runs every pass of the tensor level and the default pipeline on them, verifies, and compares
//! what they compute, element for element.

#[allow(dead_code, reason = "checks of whole plans read the rest")]
mod random_program;

use proptest::prelude::*;
use pygraph_compiler::{
    diagnostic::Diagnostics,
    evaluate::evaluate_function,
    ir::{Module, parse::parse, print::print, verify::verify},
    passes::{PASSES, PassContext, PassDef, Phase, fuse_launches, inline_calls, lower_to_launches, pipeline},
};
use pygraph_kernels::memory::Bytes;
use random_program::{Program, agree, random_program};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn passes_keep_what_a_program_computes(seed in any::<u64>(), op_count in 1usize..24) {
        let program = random_program(seed, op_count);
        let before = compute(&program, &[]);
        for pass in PASSES.iter().filter(|pass| pass.phase == Phase::Tensor) {
            check(&program, &before, &[pass], pass.name)?;
        }
        check(&program, &before, &pipeline::default_passes(Phase::Tensor), "the default pipeline")?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Bit for bit: fusion may not even change which NaN it is.
    #[test]
    fn fused_launches_compute_what_single_ones_do(seed in any::<u64>(), op_count in 1usize..40) {
        let program = random_program(seed, op_count);
        for passes in [Vec::new(), pipeline::default_passes(Phase::Tensor)] {
            let single = compute_by_launches(&program, &passes, &[]);
            let fused = compute_by_launches(&program, &passes, &[&fuse_launches::PASS]);
            for (at, (single, fused)) in single.iter().zip(&fused).enumerate() {
                prop_assert_eq!(single.as_slice(), fused.as_slice(), "fusion changes result {}\n{}", at, program.text);
            }
        }
    }
}

fn check(program: &Program, before: &[Bytes], passes: &[&PassDef], what: &str) -> Result<(), TestCaseError> {
    let after = compute(program, passes);
    prop_assert_eq!(before.len(), after.len());
    for (at, (old, new)) in before.iter().zip(&after).enumerate() {
        let is_float = program.results_are_float[at];
        prop_assert!(
            agree(old.as_slice(), new.as_slice(), is_float),
            "{} changes result {}: {:?} becomes {:?}\n{}",
            what,
            at,
            old.as_slice(),
            new.as_slice(),
            program.text
        );
    }
    Ok(())
}

/// Runs the passes, verifies after each, lowers and evaluates.
fn compute(program: &Program, passes: &[&PassDef]) -> Vec<Bytes> {
    let mut module = parse(&program.text, "random.mlir").unwrap_or_else(|errors| panic!("{}", show(&errors, program)));
    verify(&module).unwrap_or_else(|errors| panic!("{}", show(&errors, program)));
    for pass in passes {
        run(pass, &mut module, program);
        verify(&module).unwrap_or_else(|errors| {
            let after = print(&module, &Default::default());
            panic!("{} leaves IR that does not verify\n{}\nafter:\n{after}", pass.name, show(&errors, program))
        });
    }
    compute_module(module, program, &[])
}

/// The same, with passes between launches and numbers.
fn compute_by_launches(program: &Program, passes: &[&PassDef], launch_passes: &[&PassDef]) -> Vec<Bytes> {
    let mut module = parse(&program.text, "random.mlir").unwrap_or_else(|errors| panic!("{}", show(&errors, program)));
    passes.iter().for_each(|pass| run(pass, &mut module, program));
    compute_module(module, program, launch_passes)
}

fn compute_module(mut module: Module, program: &Program, launch_passes: &[&PassDef]) -> Vec<Bytes> {
    run(&inline_calls::PASS, &mut module, program);
    run(&lower_to_launches::PASS, &mut module, program);
    for pass in launch_passes {
        run(pass, &mut module, program);
        verify(&module).unwrap_or_else(|errors| {
            let after = print(&module, &Default::default());
            panic!("{} leaves IR that does not verify\n{}\nafter:\n{after}", pass.name, show(&errors, program))
        });
    }
    let inputs: Vec<Bytes> = program.inputs.iter().map(|bytes| Bytes::copy_of(bytes)).collect();
    evaluate_function(&module, "main", &inputs).unwrap_or_else(|error| panic!("{error}\n{}", program.text))
}

fn run(pass: &PassDef, module: &mut Module, program: &Program) {
    (pass.run)(module, &PassContext::default())
        .unwrap_or_else(|errors| panic!("{} fails\n{}", pass.name, show(&errors, program)));
}

fn show(errors: &Diagnostics, program: &Program) -> String {
    let errors: String = errors.0.iter().map(|error| error.render(&program.text)).collect();
    format!("{errors}\n{}", program.text)
}
