//! Random numbers, transforms, solvers and comparisons: generated kernels against their plain references, in the emulator and through
//! NVRTC.

mod numeric;
mod support;

use std::path::Path;

use numeric::{check_cases, linear_cases, random_cases};
use pygraph_artifact::{
    device_code::STATUS_BYTES,
    plan::{BufferId, Plan},
};
use pygraph_cuda::{
    Options,
    emulate::{Emulator, clang},
    module_text,
    nvrtc::Nvrtc,
    source,
};
use pygraph_kernels::{tensor::TensorType, work};
use support::{Case, emulated, emulated_with_status, source_of};

/// Runs cases both ways, and compares the arrays. `tolerance` is relative to the largest number of an array.
fn compare(cases: &[Case], tolerance: &dyn Fn(&Case) -> f64) {
    let folder = tempfile::tempdir().expect("a folder");
    let found = emulated(cases, folder.path());
    for (case, found) in cases.iter().zip(found) {
        for (number, (found, expected)) in found.iter().zip(case.expected()).enumerate() {
            let apart = numeric::distance(case.arrays[number].0, found, &expected);
            let allowed = tolerance(case);
            assert!(apart <= allowed, "{}: array {number} is {apart:e} apart, not {allowed:e}", case.name);
        }
    }
}

#[test]
fn random_numbers_are_the_references() {
    compare(&random_cases(), &|_| 0.0);
}

#[test]
fn transforms_and_solvers_agree_with_their_references() {
    // Sums run in another order, in double precision.
    compare(&linear_cases(), &|case| {
        if numeric::unit(case) == f64::EPSILON { 16.0 * f64::EPSILON } else { numeric::unit(case) }
    });
}

#[test]
fn comparisons_report_the_first_element_that_differs() {
    let cases = check_cases();
    let folder = tempfile::tempdir().expect("a folder");
    for (case, (_, status)) in cases.iter().zip(emulated_with_status(&cases, folder.path())) {
        let word = |at: usize| u32::from_le_bytes(status[at..at + 4].try_into().expect("four bytes"));
        let element = u64::from_le_bytes(status[8..].try_into().expect("eight bytes"));
        assert_eq!(word(4), 0, "{}: the status is still taken", case.name);
        let types: Vec<TensorType<'_>> =
            case.arrays.iter().map(|(dtype, shape, _)| TensorType::dense(*dtype, shape)).collect();
        let mut contents: Vec<_> =
            case.arrays.iter().map(|(_, _, bytes)| pygraph_kernels::memory::Bytes::copy_of(bytes)).collect();
        match work::execute(&case.work, &types, &mut contents) {
            Ok(()) => assert_eq!(word(0), 0, "{} should hold, element {element}", case.name),
            Err(error) => {
                assert_eq!(word(0), 1, "{}: {error}", case.name);
                let position = numeric::position(element, &case.arrays[0].1);
                assert!(
                    error.to_string().starts_with(&format!("at {position:?},")),
                    "{}: {error}, {element}",
                    case.name
                );
            }
        }
    }
}

#[test]
fn the_first_launch_that_fails_stays_in_the_status() {
    let case = check_cases().into_iter().find(|case| case.name == "equal_f32_[1500, 701, 1999]");
    let case = case.expect("there should be a comparison that fails");
    let mut program = case.program();
    let nodes = &mut program.segments[0].nodes;
    *nodes = vec![nodes[0].clone(); 3];
    let plan = Plan { programs: vec![program], arenas: Vec::new() };
    let source = source(&plan, &Options::default()).expect("comparisons should have code");
    let folder = tempfile::tempdir().expect("a folder");
    let emulator = Emulator::compile(&source, &clang(), folder.path()).unwrap_or_else(|log| panic!("{log}"));
    let mut arrays: Vec<Vec<u8>> = case.arrays.iter().map(|(_, _, bytes)| bytes.clone()).collect();
    let addresses: Vec<*mut u8> = arrays.iter_mut().map(|bytes| bytes.as_mut_ptr()).collect();
    for order in [[0, 1, 2], [1, 2, 0], [2, 1, 0]] {
        let mut status = [0; STATUS_BYTES as usize];
        for launch in order {
            let call = &source.programs[0].launches[launch].calls[0];
            // SAFETY: the arrays are as large as the program says, and there is no scratch memory.
            unsafe { emulator.run(call, &|id: BufferId| addresses[id.0 as usize], &mut [], &mut status) };
        }
        assert_eq!(status[..8], [1, 0, 0, 0, 0, 0, 0, 0], "{order:?}");
        assert_eq!(status[8..], 701u64.to_le_bytes());
    }
}

#[test]
fn nvrtc_compiles_every_kernel() {
    let Some(path) = std::env::var_os("PYGRAPH_NVRTC") else {
        eprintln!("skipped: PYGRAPH_NVRTC does not name NVRTC's library");
        return;
    };
    let nvrtc = Nvrtc::load(Some(Path::new(&path))).expect("PYGRAPH_NVRTC should name NVRTC's library");
    for cases in [random_cases(), linear_cases(), check_cases()] {
        // Kernels of all sorts, but few of each: the others differ in numbers alone.
        let some: Vec<Case> = cases.into_iter().step_by(5).collect();
        for kernels in source_of(&some).kernels.chunks(40) {
            nvrtc.compile(&module_text(kernels), "sm_90").unwrap_or_else(|error| panic!("{error}"));
        }
    }
}
