//! What `pygraph-bench` does: it times the steps of an artifact on a device.
//!
//! Each timed step is run twice: once waited for, which gives its latency, and once given to the device without waiting, which gives the
//! throughput. The time of the call is what the host spends (blocks, rows of caches, launches). Then the last step is run as often again, and the
//! device's own clock says how long it takes there: to ask it for that takes the host longer, so it is not done in the steps before.

mod changing;
mod launches;
mod options;
mod report;

pub use launches::Launches;
pub use options::{Advance, Options};
pub use report::{Report, Summary};

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use pygraph_artifact::{
    atomic::write_atomically,
    container::{Artifact, OpenError},
};

use changing::Changing;

use crate::{
    caches::{CacheOptions, Caches},
    cuda::{gpu::Gpu, tuning::TuningError},
    device::{Device, DeviceChoice, DeviceError},
    host::Order,
    model::{ArgumentError, Model, ModelError},
    npz::NpzWriter,
    run::{RunError, Sources, result_key},
    session::{Measure, OutputError, Session, SessionError, StepError},
    tensor::TensorError,
};

/// Steps whose launches are timed by themselves.
const LAUNCH_STEPS_MAX: u32 = 20;

/// Does what the options say; `out` is standard output.
pub fn bench(options: &Options, out: &mut impl Write) -> Result<(), BenchError> {
    let choice: DeviceChoice = options.device.parse()?;
    choice.target()?;
    let report = measure(options, choice)?;
    write!(out, "{report}").map_err(BenchError::Print)?;
    if let Some(path) = &options.json {
        let text = format!("{:#}\n", report.json());
        let written = write_atomically(path, |file| file.write_all(text.as_bytes()));
        written.map_err(|source: io::Error| BenchError::Json { path: path.clone(), source })?;
    }
    Ok(())
}

fn measure(options: &Options, choice: DeviceChoice) -> Result<Report, BenchError> {
    let artifact = Arc::new(Artifact::open(&options.artifact)?);
    let (device, _) = choice.resolve(artifact.device_code());
    if options.launches && device == Device::Host {
        return Err(BenchError::LaunchesOnHost);
    }
    let gpu = options.gpu.open::<BenchError>(device)?;
    if let Some(gpu) = gpu.as_ref().filter(|_| options.tune) {
        tune(options, gpu, &artifact)?;
    }
    let start = Instant::now();
    let mut session = load(options, artifact, device)?;
    let load = start.elapsed();
    let mut changing = Changing::new(options, &session)?;
    let start = Instant::now();
    changing.step(&mut session)?.wait()?;
    let first = start.elapsed();
    for _ in 0..options.warmup {
        changing.step(&mut session)?.wait()?;
    }
    let gpu = session.model().gpu().cloned();
    let memory = || gpu.as_ref().map(|gpu| gpu.context().memory());
    let (copies, allocations) = (session.copies(), memory().map(|memory| memory.allocations));
    let timed = time_synchronised(options, &mut session, &mut changing)?;
    let (pipelined, pipelined_host) = time_pipelined(options, &mut session, &mut changing)?;
    if let Some(path) = &options.outputs {
        save_results(&session, path)?;
    }
    let (copies, allocations) =
        (session.copies().since(copies), memory().zip(allocations).map(|(memory, before)| memory.allocations - before));
    let counts = session.step_counts();
    let on_gpu = time_on_gpu(options, &mut session, &mut changing)?;
    let launches = if options.launches { time_launches(options, &mut session, &mut changing)? } else { None };
    let summary = |times: &[Duration]| Summary::of(times).expect("at least one step should be timed");
    Ok(Report {
        artifact: options.artifact.display().to_string(),
        program: session.model().program().name.clone(),
        device: device.describe(),
        load,
        first,
        steps: options.steps,
        warmup: options.warmup,
        synchronised: summary(&timed.whole),
        host: summary(&timed.calls),
        gpu: Summary::of(&on_gpu),
        pipelined,
        pipelined_host: summary(&pipelined_host),
        copies,
        counts,
        libraries: session.libraries().cloned(),
        device_memory_peak: memory().map(|memory| memory.peak),
        device_allocations: allocations,
        cache_bytes: session.caches().map_or(0, |caches| caches.physical_bytes().0),
        launches,
    })
}

/// Fills the tuning cache for all products of the artifact, and says on standard error what was found.
fn tune(options: &Options, gpu: &Gpu, artifact: &Artifact) -> Result<(), BenchError> {
    for program in artifact.device_code().into_iter().flat_map(|code| &code.programs) {
        let (cache, lines) = gpu.libraries().tune(gpu, program).map_err(ModelError::Cuda)?;
        lines.iter().for_each(|line| eprintln!("pygraph: {line}"));
        let path = cache.save(options.gpu.tuning.as_deref())?;
        eprintln!("pygraph: noted in {}", path.display());
    }
    Ok(())
}

fn load(options: &Options, artifact: Arc<Artifact>, device: Device) -> Result<Session, BenchError> {
    let entry = options.entry.as_deref();
    let mut model = Model::load_in_order(artifact, entry, device, Order::default(), options.loops())?;
    let cache_options = CacheOptions { handles_ahead: options.kv_ahead, ..CacheOptions::default() };
    let caches = Caches::for_model(&model, cache_options).map_err(SessionError::Memory)?;
    let mut sources = Sources::open(options.inputs.as_deref(), options.weights.as_deref(), options.init, None)?;
    let values = sources.values(model.program())?;
    let (weights, values): (Vec<_>, Vec<_>) = values.into_iter().partition(|(index, _)| model.is_weight(*index));
    for (index, value) in weights {
        model.set_weight(index, value)?;
    }
    let mut session = Session::with_caches(Arc::new(model), Arc::new(caches))?;
    session.remarks().iter().for_each(|remark| eprintln!("pygraph: {remark}"));
    if options.fresh_kv {
        if session.caches().is_none() {
            return Err(RunError::NoCaches.into());
        }
        session.begin_fresh().map_err(StepError::Memory)?;
    }
    for (index, value) in values {
        let is_cache = session.model().program().params[index].cache.is_some();
        if !(is_cache && options.fresh_kv) {
            session.set(index, value)?;
        }
    }
    Ok(session)
}

/// Times of steps that were waited for.
#[derive(Default)]
struct Timed {
    whole: Vec<Duration>,
    calls: Vec<Duration>,
}

fn time_synchronised(options: &Options, session: &mut Session, changing: &mut Changing) -> Result<Timed, BenchError> {
    let mut timed = Timed::default();
    for _ in 0..options.steps {
        changing.set(session)?;
        let start = Instant::now();
        let ticket = session.step()?;
        timed.calls.push(start.elapsed());
        ticket.wait()?;
        timed.whole.push(start.elapsed());
    }
    Ok(timed)
}

/// Times of the last step on the device's own clock; none on the host device.
fn time_on_gpu(options: &Options, session: &mut Session, changing: &mut Changing) -> Result<Vec<Duration>, BenchError> {
    let mut times = Vec::new();
    if session.model().gpu().is_none() {
        return Ok(times);
    }
    session.time_steps()?;
    for _ in 0..options.steps {
        changing.repeat(session)?;
        session.step()?.wait()?;
        times.extend(session.device_time()?);
    }
    Ok(times)
}

fn time_pipelined(
    options: &Options,
    session: &mut Session,
    changing: &mut Changing,
) -> Result<(Duration, Vec<Duration>), BenchError> {
    let mut calls = Vec::with_capacity(options.steps as usize);
    let start = Instant::now();
    for number in 0..options.steps {
        changing.set(session)?;
        let call = Instant::now();
        let ticket = session.step()?;
        calls.push(call.elapsed());
        if number + 1 == options.steps {
            ticket.wait()?;
        }
    }
    Ok((start.elapsed() / options.steps, calls))
}

/// Writes the results of the last step to an npz file, but for those that replace state, under the keys of `pygraph-run --outputs`.
fn save_results(session: &Session, path: &Path) -> Result<(), BenchError> {
    let outputs = session.outputs();
    let is_state = |index| session.model().program().params.iter().any(|param| param.updated_by == Some(index as u32));
    let arrays = (0..outputs.count()).filter(|index| !is_state(*index)).map(|index| Ok((index, outputs.get(index)?)));
    let arrays = arrays.collect::<Result<Vec<_>, OutputError>>()?;
    let written = write_atomically(path, |file| {
        let mut npz = NpzWriter::new(file);
        arrays.iter().try_for_each(|(index, array)| npz.add(&result_key(0, *index), *array))?;
        npz.finish().map(|_| ())
    });
    written.map_err(|source: io::Error| BenchError::Outputs { path: path.to_path_buf(), source })
}

/// The launches of some more steps, each timed by itself.
fn time_launches(
    options: &Options,
    session: &mut Session,
    changing: &mut Changing,
) -> Result<Option<Launches>, BenchError> {
    session.measure(Measure::Launches)?;
    let mut steps = Vec::new();
    for number in 0..=options.steps.min(LAUNCH_STEPS_MAX) {
        changing.step(session)?.wait()?;
        // The first makes its lists anew.
        if number > 0 {
            steps.push(session.launch_times());
        }
    }
    Ok(Launches::of(&steps))
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// No such device.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The artifact does not load.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The program is not there or cannot run here.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// No memory for a session.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A value for an argument is not accepted.
    #[error(transparent)]
    Argument(#[from] ArgumentError),
    /// A step did not run to its end.
    #[error(transparent)]
    Step(#[from] StepError),
    /// No memory for an array, or the GPU refused.
    #[error(transparent)]
    Tensor(#[from] TensorError),
    /// Values for arguments cannot be read.
    #[error(transparent)]
    Values(#[from] RunError),
    /// No such argument.
    #[error("--advance: there is no argument `{argument}`: give argN, or a name that `pygraph-run --describe` shows")]
    NoSuchArgument {
        /// What was given.
        argument: String,
    },
    /// An argument that cannot be counted up.
    #[error("--advance: argument `{argument}` has no integers")]
    NotAnInteger {
        /// What was given.
        argument: String,
    },
    /// A result cannot be read.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// Results cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Outputs {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The host device has no clock of its own.
    #[error("--launches needs a GPU; on the host device PYGRAPH_DEBUG=3 shows the time of every launch")]
    LaunchesOnHost,
    /// The JSON cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The tuning cache cannot be read or written.
    #[error(transparent)]
    Tuning(#[from] TuningError),
    /// Standard output is closed.
    #[error("cannot print: {0}")]
    Print(io::Error),
}

impl BenchError {
    /// The exit status: 2 for a wrong call, 1 for anything else.
    pub fn exit_code(&self) -> u8 {
        match self {
            BenchError::Device(DeviceError::Unknown { .. })
            | BenchError::LaunchesOnHost
            | BenchError::NoSuchArgument { .. }
            | BenchError::NotAnInteger { .. } => 2,
            _ => 1,
        }
    }
}
