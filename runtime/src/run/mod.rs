//! What `pygraph-run` does: from its options to its exit status.

mod arguments;
mod compile;
mod expect;
mod options;
mod profile;
mod steps;

pub(crate) use arguments::Sources;
pub use compile::CompileError;
pub use options::{Init, Options};
pub(crate) use steps::result_key;

use std::{
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use pygraph_artifact::{
    atomic::write_atomically,
    container::{Artifact, OpenError, is_artifact},
    plan::Bind,
    validate::array_bytes,
};

use crate::{
    caches::{Caches, SlotState},
    cuda::tuning::TuningError,
    describe::describe,
    device::{Device, DeviceChoice, DeviceError},
    host::{Copies, first_elements},
    knobs::{DebugLevel, time_text},
    model::{ArgumentError, Model, ModelError},
    npz::{NpzError, NpzWriter},
    session::{OutputError, Session, SessionError, StepError},
    tensor::{TensorError, type_text},
    weights::WeightsError,
};
use expect::Expectations;
use profile::write_profile;
use steps::StepInputs;

/// Does what the options say; `out` is standard output.
pub fn run(options: &Options, out: &mut impl Write) -> Result<(), RunError> {
    if options.devices {
        for line in Device::describe_all() {
            writeln!(out, "{line}").map_err(RunError::Print)?;
        }
        return Ok(());
    }
    let choice: DeviceChoice = options.device.parse()?;
    let target = choice.target()?;
    let path = options.model.as_deref().ok_or(RunError::NoModel)?;
    let folder = tempfile::tempdir().map_err(RunError::TemporaryFolder)?;
    let artifacts = if has_artifact(path) {
        vec![path.to_path_buf()]
    } else {
        compile::compile(path, options, target.as_deref(), folder.path())?
    };
    let count = artifacts.len();
    let mut failed = 0;
    for (number, artifact) in artifacts.iter().enumerate() {
        let result = run_artifact(options, choice, artifact, out);
        match result {
            // The other chunks of a split file run all the same.
            Err(error) if options.split_input_file => {
                eprintln!("error: chunk {number}: {error}");
                failed += 1;
            }
            result => result?,
        }
    }
    if failed > 0 { Err(RunError::Chunks { failed, count }) } else { Ok(()) }
}

/// True if the file at `path` is meant to be an artifact: by its first bytes, or by its name.
fn has_artifact(path: &Path) -> bool {
    let mut beginning = [0; 8];
    let reads_as_one = path.is_file()
        && File::open(path).and_then(|mut file| file.read_exact(&mut beginning)).is_ok()
        && is_artifact(&beginning);
    reads_as_one || path.extension().is_some_and(|extension| extension == "pyg")
}

fn run_artifact(options: &Options, choice: DeviceChoice, path: &Path, out: &mut impl Write) -> Result<(), RunError> {
    let artifact = Arc::new(Artifact::open(path)?);
    if options.describe {
        return out.write_all(describe(&artifact).as_bytes()).map_err(RunError::Print);
    }
    let (device, why) = choice.resolve(artifact.device_code());
    if choice == DeviceChoice::Auto {
        DebugLevel::from_environment()
            .say(DebugLevel::DEVICES, || format!("device {} for auto: {why}", device.describe()));
    }
    for entry in entries(options, &artifact) {
        run_program(options, device, artifact.clone(), entry.as_deref(), out)?;
    }
    Ok(())
}

/// Which programs to run: the one that is asked for, or `main`, or the only one. A chunk of a split file may hold several
/// tests; these take no arguments.
fn entries(options: &Options, artifact: &Artifact) -> Vec<Option<String>> {
    let programs = &artifact.plan().programs;
    let has_main = programs.iter().any(|program| program.name == "main");
    let are_tests = programs.len() > 1 && programs.iter().all(|program| program.params.is_empty());
    if options.split_input_file && options.entry.is_none() && !has_main && are_tests {
        return programs.iter().map(|program| Some(program.name.clone())).collect();
    }
    vec![options.entry.clone()]
}

fn run_program(
    options: &Options,
    device: Device,
    artifact: Arc<Artifact>,
    entry: Option<&str>,
    out: &mut impl Write,
) -> Result<(), RunError> {
    if options.profile.is_some() && device == Device::Host {
        return Err(RunError::ProfileOnHost);
    }
    let _gpu = options.gpu.open::<RunError>(device)?;
    let mut model = Model::load_in_order(artifact, entry, device, options.order, options.loops())?;
    let caches = Caches::for_model(&model, options.caches()).map_err(SessionError::Memory)?;
    let mut steps = StepInputs::open(options.steps.as_deref())?;
    if let Some((index, result)) = steps.undecided(model.program()).first().copied() {
        let param = &model.program().params[index];
        let ty = type_text(param.dtype, &param.shape);
        return Err(RunError::UndecidedState { index, name: param.name.clone(), ty, result });
    }
    let mut expectations = Expectations::open(&options.expect, options.tolerance(), model.program(), steps.count())?;
    let values = Sources::open(options.inputs.as_deref(), options.weights.as_deref(), options.init, options.seed)?
        .values(model.program())?;
    let (weights, values): (Vec<_>, Vec<_>) = values.into_iter().partition(|(index, _)| model.is_weight(*index));
    for (index, value) in weights {
        model.set_weight(index, value)?;
    }
    let mut session = Session::with_caches(Arc::new(model), Arc::new(caches))?;
    session.remarks().iter().for_each(|remark| eprintln!("pygraph: {remark}"));
    if options.fresh_kv {
        if session.caches().is_none() {
            return Err(RunError::NoCaches);
        }
        session.begin_fresh().map_err(StepError::Memory)?;
    }
    for (index, value) in values {
        let is_cache = session.model().program().params[index].cache.is_some();
        if !(is_cache && options.fresh_kv) {
            session.set(index, value)?;
        }
    }

    let mut run_all = |writer: Option<&mut NpzWriter<&mut io::BufWriter<File>>>| {
        run_steps(options, &mut session, &mut steps, &mut expectations, writer, out)
    };
    match &options.outputs {
        None => run_all(None)?,
        Some(path) => write_atomically(path, |file| {
            let mut npz = NpzWriter::new(file);
            run_all(Some(&mut npz)).map_err(WriteFailure::Run)?;
            npz.finish().map(|_| ()).map_err(WriteFailure::Write)
        })
        .map_err(|failure| failure.at(path))?,
    }
    expectations.finish(out)?;
    if options.outputs.is_none() && options.expect.is_empty() {
        print_outputs(&session, out)?;
    }
    repeat(&mut session, options.repeat, out)?;
    options.profile.as_deref().map_or(Ok(()), |path| write_profile(&mut session, &device.describe(), path))
}

/// Runs step 0 and the steps of `--steps`, writing and comparing results as they come.
fn run_steps(
    options: &Options,
    session: &mut Session,
    steps: &mut StepInputs,
    expectations: &mut Expectations,
    mut writer: Option<&mut NpzWriter<&mut io::BufWriter<File>>>,
    out: &mut impl Write,
) -> Result<(), RunError> {
    for step in 0..=steps.count() {
        let before = session.copies();
        for (index, value) in steps.values(step, session.model().program())? {
            session.set(index, value)?;
        }
        let outputs = session.step()?.wait()?;
        for (index, array) in outputs.iter().enumerate() {
            let array = array?;
            if let Some(npz) = &mut writer {
                npz.add(&steps::result_key(step, index), array).map_err(RunError::WriteOutputs)?;
            }
            expectations.compare(step, index, array)?;
        }
        if options.moved {
            print_moved(session, step, session.copies().since(before), out).map_err(RunError::Print)?;
        }
        if options.kv_log {
            print_caches(session, step, out).map_err(RunError::Print)?;
        }
    }
    if options.kv_log {
        print_cache_events(session, out).map_err(RunError::Print)?;
    }
    Ok(())
}

/// What was mapped and unmapped in each cache arena, by whom, in order.
fn print_cache_events(session: &Session, out: &mut impl Write) -> io::Result<()> {
    let Some(caches) = session.caches() else { return Ok(()) };
    for (number, arena) in session.model().artifact().plan().arenas.iter().enumerate() {
        for line in caches.events(number).to_string().lines() {
            writeln!(out, "@{} {line}", arena.name)?;
        }
    }
    Ok(())
}

/// What a step moved beside the work of its launches, and what it would have with static buffers.
fn print_moved(session: &Session, step: u32, moved: Copies, out: &mut impl Write) -> io::Result<()> {
    let changing =
        session.model().program().params.iter().filter(|param| matches!(param.bind, Bind::Step | Bind::Host));
    let inputs: u64 = changing.filter_map(|param| array_bytes(param.dtype, &param.shape)).sum();
    let Copies { bytes, imported_bytes, block_bytes, .. } = moved;
    let imported = if imported_bytes > 0 { format!(", {imported_bytes} bytes imported") } else { String::new() };
    writeln!(
        out,
        "step {step}: parameter blocks {block_bytes} bytes, {bytes} bytes copied{imported}; static buffers would copy {inputs} bytes"
    )
}

/// How far each slot of each cache arena has grown.
fn print_caches(session: &Session, step: u32, out: &mut impl Write) -> io::Result<()> {
    let Some(caches) = session.caches() else { return writeln!(out, "step {step}: no cache lies in an arena") };
    for SlotState { arena, slot, tokens, retired, mapped_bytes } in caches.slots() {
        let retired = if retired > 0 { format!(", {retired} of them retired") } else { String::new() };
        writeln!(out, "step {step}: @{arena} slot {slot}: {tokens} tokens{retired}, {mapped_bytes} bytes mapped")?;
    }
    let (live, peak) = caches.physical_bytes();
    writeln!(out, "step {step}: {live} bytes of physical memory, at most {peak}")
}

/// Shows the beginning of each result of the last step, where nothing else was asked for.
fn print_outputs(session: &Session, out: &mut impl Write) -> Result<(), RunError> {
    for (index, (array, slot)) in session.outputs().iter().zip(&session.model().program().results).enumerate() {
        let array = array?;
        let ty = type_text(array.dtype, array.shape);
        writeln!(out, "out{index} `{}`: {ty} = {}", slot.name, first_elements(array)).map_err(RunError::Print)?;
    }
    Ok(())
}

/// Runs the step `count` times more and prints its time.
fn repeat(session: &mut Session, count: u32, out: &mut impl Write) -> Result<(), RunError> {
    let mut times: Vec<Duration> = Vec::with_capacity(count.min(1 << 20) as usize);
    for _ in 0..count {
        let start = Instant::now();
        session.step()?.wait()?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    let (Some(fastest), Some(median)) = (times.first(), times.get(times.len() / 2)) else { return Ok(()) };
    let (fastest, median) = (time_text(*fastest), time_text(*median));
    writeln!(out, "step time: median {median}, fastest {fastest}, of {count} steps").map_err(RunError::Print)
}

/// What can go wrong while outputs are written: the writing, or the run.
enum WriteFailure {
    Write(io::Error),
    Run(RunError),
}

impl From<io::Error> for WriteFailure {
    fn from(error: io::Error) -> WriteFailure {
        WriteFailure::Write(error)
    }
}

impl WriteFailure {
    fn at(self, path: &Path) -> RunError {
        match self {
            WriteFailure::Write(source) | WriteFailure::Run(RunError::WriteOutputs(source)) => {
                RunError::Outputs { path: path.to_path_buf(), source }
            }
            WriteFailure::Run(error) => error,
        }
    }
}

/// Why a run ends without success.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Neither a model nor `--devices`.
    #[error("no model is given: name an artifact, an MLIR file, or `-` for standard input")]
    NoModel,
    /// No such device.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// No folder to compile into.
    #[error("cannot make a temporary folder: {0}")]
    TemporaryFolder(io::Error),
    /// The model does not compile.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// The artifact does not load.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The tuning cache cannot be read.
    #[error(transparent)]
    Tuning(#[from] TuningError),
    /// The program is not there or cannot run here.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A value for an argument is not accepted.
    #[error(transparent)]
    Argument(#[from] ArgumentError),
    /// A step did not run to its end.
    #[error(transparent)]
    Step(#[from] StepError),
    /// A result cannot be read.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// An npz file is wrong.
    #[error(transparent)]
    Npz(#[from] NpzError),
    /// A weights file is wrong.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// No memory for a random array.
    #[error(transparent)]
    Tensor(#[from] TensorError),
    /// No memory for a session.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Forms differ on a GPU alone.
    #[error("--profile measures the forms of segments on a GPU: compile with --target, and run with --device=cuda")]
    ProfileOnHost,
    /// Nothing that could be fresh.
    #[error("--fresh-kv: no cache of the program lies in an arena; pygraph-compile --remarks says why")]
    NoCaches,
    /// Several steps of a program that does not say what it carries from step to step.
    #[error(
        "no argument is state, and --steps does not give arg{index} `{name}` ({ty}), which has the type of result {result}: \
         is that its value in the next step? then --bind arg{index}=state:{result}, else --bind arg{index}=once"
    )]
    UndecidedState {
        /// The argument.
        index: usize,
        /// Its name.
        name: String,
        /// Its type.
        ty: String,
        /// The result of its type.
        result: usize,
    },
    /// A file of expected values has none.
    #[error("{} has no key like out0 or step1_out0 to compare with", path.display())]
    NothingExpected {
        /// The file.
        path: PathBuf,
    },
    /// A file of expected values has more than the run computes.
    #[error("{} expects {key}, but the run ends at step {last_step} with {results} results a step", path.display())]
    NotComputed {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// Number of the last step.
        last_step: u32,
        /// Results of the program.
        results: usize,
    },
    /// Results differ from what was expected.
    #[error("{} of {compared} results differ:{}", differences.len(), lines(differences))]
    Differs {
        /// One line a result that differs.
        differences: Vec<String>,
        /// How many were compared.
        compared: usize,
    },
    /// Results cannot be written, seen from inside the file.
    #[error("cannot write outputs: {0}")]
    WriteOutputs(io::Error),
    /// Results cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Outputs {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Standard output is closed.
    #[error("cannot print: {0}")]
    Print(io::Error),
    /// Chunks of a split file failed; each was reported.
    #[error("{failed} of {count} chunks failed")]
    Chunks {
        /// How many failed.
        failed: usize,
        /// How many there are.
        count: usize,
    },
}

fn lines(differences: &[String]) -> String {
    differences.iter().map(|line| format!("\n  {line}")).collect()
}

impl RunError {
    /// The exit status: 2 for a wrong call, 1 for anything else.
    pub fn exit_code(&self) -> u8 {
        match self {
            RunError::NoModel | RunError::Device(DeviceError::Unknown { .. }) => 2,
            RunError::Compile(error) => error.exit_code(),
            _ => 1,
        }
    }

    /// False if the compiler has already said what is wrong.
    pub fn wants_message(&self) -> bool {
        !matches!(self, RunError::Compile(CompileError::Refused { .. }))
    }
}
