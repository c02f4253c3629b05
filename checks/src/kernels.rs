//! `pygraph-check-kernels`: runs the kernels that are generated for GPUs in the emulator, on models with expected results.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;
use pygraph_artifact::{
    dtype::DType,
    plan::{Plan, Program, Work, launches},
};
use pygraph_checks::emulated::Emulation;
use pygraph_compiler::{
    driver::{self, Inspection, Settings, Source},
    emit::{self, Emitted},
    passes::{PassOptions, Phase, pipeline},
};
use pygraph_cuda::emulate::{Emulator, clang};
use pygraph_runtime::{
    compare::{Tolerance, default_tolerance, difference},
    init,
    npz::NpzFile,
    tensor::TensorView,
};
use rayon::prelude::*;

/// Compile models (NAME.mlir with NAME.npz beside it), run their kernels in the emulator, and compare the results.
#[derive(Debug, Parser)]
#[command(name = "pygraph-check-kernels", version)]
struct Options {
    /// Models, and folders of them
    #[arg(required = true)]
    models: Vec<PathBuf>,

    /// Say of each model what became of it
    #[arg(long)]
    verbose: bool,

    /// Leave out models whose arguments and constants together have more bytes than this
    #[arg(long, default_value_t = 4 << 20)]
    bytes_max: u64,
}

/// What became of a model.
enum Outcome {
    Passed,
    Failed(String),
    /// The compiler refuses it, or it is too large: nothing is said about kernels.
    LeftOut(String),
}

fn main() -> ExitCode {
    let options = Options::parse();
    let mut models = Vec::new();
    options.models.iter().for_each(|path| collect(path, &mut models));
    models.sort();
    // Compilers of MLIR and of C++ run side by side; each model has threads with deep stacks only where it is parsed.
    let outcomes: Vec<(PathBuf, Outcome)> = models
        .into_par_iter()
        .map(|model| {
            let outcome = check(&model, options.bytes_max);
            (model, outcome)
        })
        .collect();
    let (mut passed, mut failed, mut left_out) = (0, 0, 0);
    for (model, outcome) in &outcomes {
        match outcome {
            Outcome::Passed => passed += 1,
            Outcome::Failed(reason) => {
                failed += 1;
                println!("FAILED {}: {reason}", model.display());
            }
            Outcome::LeftOut(reason) => {
                left_out += 1;
                if options.verbose {
                    println!("left out {}: {reason}", model.display());
                }
            }
        }
    }
    println!("{passed} passed, {failed} failed, {left_out} skipped");
    if failed == 0 && passed > 0 { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

fn collect(path: &Path, models: &mut Vec<PathBuf>) {
    if let Ok(entries) = std::fs::read_dir(path) {
        entries.flatten().for_each(|entry| collect(&entry.path(), models));
    } else if path.extension().is_some_and(|ending| ending == "mlir") {
        models.push(path.to_path_buf());
    }
}

fn check(model: &Path, bytes_max: u64) -> Outcome {
    let (emitted, npz) = match compiled(model).and_then(|emitted| Ok((emitted, values_of(model)?))) {
        Ok(both) => both,
        Err(reason) => return Outcome::LeftOut(reason),
    };
    let Emitted { plan, constants } = emitted;
    let Some(program) = plan.programs.first() else { return Outcome::LeftOut("it has no program".to_string()) };
    let size = |shape: &[u64], bytes: usize| shape.iter().product::<u64>() * bytes as u64;
    let bytes: u64 = program.params.iter().map(|param| size(&param.shape, param.dtype.size_bytes())).sum();
    if bytes + constants.len() as u64 + program.arena_bytes > bytes_max {
        return Outcome::LeftOut(format!("{bytes} bytes of arguments, {} of constants", constants.len()));
    }
    // Models that compute in bf16 inside differ by its rounding wherever sums are ordered differently, whatever their results' type.
    let is_bf16 = model.file_name().is_some_and(|name| name.to_string_lossy().contains("bf16"));
    let tolerance = if is_bf16 { Tolerance::OfLargest(default_tolerance(DType::Bf16)) } else { Tolerance::PerType };
    if npz.is_none() && !compares(program) {
        return Outcome::LeftOut("there is nothing to compare with".to_string());
    }
    match emulate(&plan, program, &constants, npz, tolerance) {
        Ok(()) => Outcome::Passed,
        Err(reason) => Outcome::Failed(reason),
    }
}

/// True if the program compares values of its own.
fn compares(program: &Program) -> bool {
    let all = program.segments.iter().flat_map(|segment| launches(&segment.nodes));
    all.into_iter().any(|launch| matches!(&launch.work, Work::Kernel(call) if call.kernel.starts_with("check_")))
}

fn compiled(model: &Path) -> Result<Emitted, String> {
    let source = driver::read_source(model).map_err(|error| error.to_string())?;
    let settings = Settings {
        passes: pipeline::default_passes(Phase::Plan),
        binds: Vec::new(),
        options: PassOptions::default(),
        inspection: Inspection::default(),
    };
    let compile = |source: &Source| {
        let chunk = source.whole().remove(0);
        let compiled =
            driver::compile_chunk(source, chunk, &settings, &mut std::io::sink()).map_err(|error| error.to_string())?;
        emit::emit(&compiled.module).map_err(|_| "it is not emitted".to_string())
    };
    driver::with_deep_stack(|| compile(&source))
}

/// The arrays beside a model, which its generic form shares; none if there are none.
fn values_of(model: &Path) -> Result<Option<NpzFile>, String> {
    let stem = model.with_extension("");
    let path = if stem.extension().is_some_and(|form| form == "generic") { stem } else { model.to_path_buf() };
    let path = path.with_extension("npz");
    if path.exists() { NpzFile::open(&path).map(Some).map_err(|error| error.to_string()) } else { Ok(None) }
}

/// Runs one step, and compares its results with those of the file.
fn emulate(
    plan: &Plan,
    program: &Program,
    constants: &[u8],
    mut npz: Option<NpzFile>,
    tolerance: Tolerance,
) -> Result<(), String> {
    let source =
        pygraph_cuda::source(plan, &pygraph_cuda::Options::default()).map_err(|refused| refused[0].to_string())?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let emulator = Emulator::compile(&source, &clang(), folder.path())?;
    let arguments =
        (0..program.params.len()).map(|index| argument(program, index, npz.as_mut())).collect::<Result<Vec<_>, _>>()?;
    let mut emulation = Emulation::new(program, &plan.arenas, &source.programs[0], &emulator, constants, &arguments);
    let found = emulation.step()?;
    let Some(npz) = npz.as_mut() else { return Ok(()) };
    for (index, (bytes, result)) in found.iter().zip(&program.results).enumerate() {
        let key = format!("out{index}");
        if !npz.contains(&key) {
            continue;
        }
        let expected = npz.read(&key, result.dtype, &result.shape).map_err(|error| error.to_string())?;
        let found = TensorView { dtype: result.dtype, shape: &result.shape, bytes };
        if let Some(difference) = difference(found, expected.view(), tolerance) {
            return Err(format!("result {index}: {difference}"));
        }
    }
    Ok(())
}

fn argument(program: &Program, index: usize, npz: Option<&mut NpzFile>) -> Result<Vec<u8>, String> {
    let param = &program.params[index];
    let key = format!("arg{index}");
    let value = match npz {
        Some(npz) if npz.contains(&key) => {
            npz.read(&key, param.dtype, &param.shape).map_err(|error| error.to_string())?
        }
        _ => init::random(param.dtype, &param.shape, 0, index as u64).map_err(|error| error.to_string())?,
    };
    Ok(value.bytes().to_vec())
}
