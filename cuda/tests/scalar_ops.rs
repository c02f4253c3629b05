//! Every operation of the scalar language on every type that it accepts: generated code against the interpreter, and through NVRTC.

mod scalar;
mod support;

use std::path::Path;

use pygraph_artifact::{dtype::DType, plan::Work};
use pygraph_cuda::{module_text, nvrtc::Nvrtc};
use scalar::{
    cases::{ScalarCase, all_cases},
    tolerance::{difference, element, is_settled},
};
use support::{Case, emulated, source_of};

/// Operations and elements at which the results are further apart than they may be.
fn differences<'a>(scalar: &ScalarCase, case: &'a Case, found: &[Vec<u8>], expected: &[Vec<u8>]) -> Vec<String> {
    let Work::Nest(nest) = &case.work else { unreachable!("scalar cases are nests") };
    let inputs = nest.inputs.len();
    let mut wrong = Vec::new();
    for (number, result) in scalar.results.iter().enumerate() {
        let at = inputs + number;
        let (found, expected) = (&found[at], &expected[at]);
        let size = result.dtype.size_bytes();
        let pairs = found.chunks_exact(size).zip(expected.chunks_exact(size)).enumerate();
        let operands = |idx: usize| -> Vec<(DType, &'a [u8])> {
            let element = |size: usize, bytes: &'a [u8]| &bytes[idx * size..][..size];
            case.arrays[..inputs].iter().map(|(dtype, _, bytes)| (*dtype, element(dtype.size_bytes(), bytes))).collect()
        };
        let apart: Vec<(usize, f64)> = pairs
            .filter(|(idx, _)| is_settled(&result.name, &operands(*idx)))
            .map(|(idx, (found, expected))| (idx, difference(result.dtype, found, expected)))
            .filter(|(_, units)| units.is_nan() || *units > result.units_max)
            .collect();
        let Some((idx, units)) = apart.iter().copied().max_by(|one, other| one.1.total_cmp(&other.1)) else { continue };
        let operands: Vec<String> = operands(idx).into_iter().map(|(dtype, bytes)| element(dtype, bytes)).collect();
        let show = |bytes: &[u8]| element(result.dtype, &bytes[idx * size..][..size]);
        wrong.push(format!(
            "{} of {}: {} elements; at ({}) {} is {units} units from {}",
            result.name,
            case.name,
            apart.len(),
            operands.join(", "),
            show(found),
            show(expected),
        ));
    }
    wrong
}

#[test]
fn operations_compute_what_the_interpreter_computes() {
    let (scalars, cases): (Vec<ScalarCase>, Vec<Case>) = all_cases().into_iter().unzip();
    let folder = tempfile::tempdir().expect("a folder");
    let found = emulated(&cases, folder.path());
    let wrong: Vec<String> = (scalars.iter().zip(&cases).zip(&found))
        .flat_map(|((scalar, case), found)| differences(scalar, case, found, &case.expected()))
        .collect();
    assert!(wrong.is_empty(), "{} operations differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn nvrtc_compiles_every_operation() {
    let Some(path) = std::env::var_os("PYGRAPH_NVRTC") else {
        eprintln!("skipped: PYGRAPH_NVRTC does not name NVRTC's library");
        return;
    };
    let nvrtc = Nvrtc::load(Some(Path::new(&path))).expect("PYGRAPH_NVRTC should name NVRTC's library");
    let cases: Vec<Case> = all_cases().into_iter().map(|(_, case)| case).collect();
    for kernels in source_of(&cases).kernels.chunks(12) {
        nvrtc.compile(&module_text(kernels), "sm_90").unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn every_operation_is_compared() {
    use pygraph_artifact::scalar::ScalarOp;
    let cases = all_cases();
    for op in ScalarOp::ALL {
        let mut results = cases.iter().flat_map(|(scalar, _)| &scalar.results);
        assert!(results.any(|result| result.name == op.name()), "{} is not compared", op.name());
    }
    assert!(DType::ALL.iter().all(|dtype| cases.iter().any(|(_, case)| case.arrays[0].0 == *dtype)));
}
