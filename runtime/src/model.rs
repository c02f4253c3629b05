//! A program of an artifact, prepared for a device, with its weights. Shared by the sessions that run it.

use std::{sync::Arc, time::Instant};

use pygraph_artifact::{
    container::Artifact,
    plan::{Bind, Param, Program},
};
use pygraph_kernels::native::{NativeCode, NativeError};

use crate::{
    caches::Caches,
    cuda::{
        driver::{CudaError, Current},
        gpu::Gpu,
        program::CudaProgram,
        session::CudaSession,
        tensor::DeviceTensor,
    },
    device::Device,
    host::{HostProgram, HostSession, LaunchError, Loops, Order},
    knobs::{DebugLevel, time_text},
    session::{Backend, SessionError},
    tensor::{Array, TensorError, type_text},
};

/// A program that is ready to run. Weights are set once, before sessions begin.
#[derive(Debug)]
pub struct Model {
    artifact: Arc<Artifact>,
    program: usize,
    prepared: Prepared,
    weights: Vec<Option<Array>>,
}

/// A program on its device.
#[derive(Debug)]
enum Prepared {
    Host(Arc<HostProgram>),
    Cuda(Arc<CudaProgram>),
}

impl Model {
    /// Prepares the program named `entry` for a device; without a name `main`, or the only program.
    ///
    /// Native code in the artifact will run: that is trusting whoever made it. An artifact with code for another machine is refused.
    pub fn load(artifact: Arc<Artifact>, entry: Option<&str>, device: Device) -> Result<Model, ModelError> {
        Model::load_in_order(artifact, entry, device, Order::default(), Loops::default())
    }

    /// The same, with the order in which the host device runs what its graphs leave open, and how it runs loop nests.
    pub fn load_in_order(
        artifact: Arc<Artifact>,
        entry: Option<&str>,
        device: Device,
        order: Order,
        loops: Loops,
    ) -> Result<Model, ModelError> {
        let debug = DebugLevel::from_environment();
        debug.say(DebugLevel::DEVICES, || format!("device {}", device.describe()));
        let start = Instant::now();
        let program = find_program(&artifact.plan().programs, entry)?;
        let chosen = &artifact.plan().programs[program];
        let prepared = match device {
            Device::Host => {
                let code = match loops {
                    Loops::Native => artifact.host_code().map(NativeCode::load).transpose()?.map(Arc::new),
                    Loops::Interpreted => None,
                };
                Prepared::Host(Arc::new(HostProgram::record(chosen, order, code)?))
            }
            Device::Cuda(ordinal) => {
                if artifact.device_code().is_none() {
                    return Err(ModelError::NoDeviceCode);
                }
                let gpu = Gpu::open(ordinal)?;
                Prepared::Cuda(Arc::new(CudaProgram::load(gpu, artifact.clone(), program)?))
            }
        };
        debug.say(DebugLevel::TIMINGS, || format!("`{}` loaded in {}", chosen.name, time_text(start.elapsed())));
        let weights = vec![None; chosen.params.len()];
        Ok(Model { artifact, program, prepared, weights })
    }

    /// The program.
    pub fn program(&self) -> &Program {
        &self.artifact.plan().programs[self.program]
    }

    /// True if parameter `index` is fixed at load.
    pub fn is_weight(&self, index: usize) -> bool {
        self.program().params.get(index).is_some_and(|param| param.bind == Bind::Once)
    }

    /// Sets the value of parameter `index`, which must be one that is fixed at load. To a GPU it is copied now, once.
    pub fn set_weight(&mut self, index: usize, value: impl Into<Array>) -> Result<(), ArgumentError> {
        let mut value = value.into();
        let param = check_argument(self.program(), index, &value)?;
        self.check_device(index, &param.name, &value)?;
        if param.bind != Bind::Once {
            return Err(ArgumentError::NotAWeight { index, name: param.name.clone(), bind: param.bind.name() });
        }
        if let (Array::Host(tensor), Some(gpu)) = (&value, self.gpu()) {
            value = DeviceTensor::copy_of(gpu, tensor)?.into();
        }
        self.weights[index] = Some(value);
        Ok(())
    }

    /// The GPU that the model is prepared for; none on the host device.
    pub fn gpu(&self) -> Option<&Arc<Gpu>> {
        match &self.prepared {
            Prepared::Host(_) => None,
            Prepared::Cuda(program) => Some(program.gpu()),
        }
    }

    /// Makes the model's GPU that of this thread for as long as what is returned lives; nothing on the host device.
    pub(crate) fn make_current(&self) -> Result<Option<Current<'_>>, CudaError> {
        self.gpu().map(|gpu| gpu.context().make_current()).transpose()
    }

    /// The artifact that the program comes from.
    pub(crate) fn artifact(&self) -> &Arc<Artifact> {
        &self.artifact
    }

    /// What a session has on the model's device.
    pub(crate) fn new_backend(
        &self,
        caches: Option<&Caches>,
        debug: DebugLevel,
    ) -> Result<Box<dyn Backend>, SessionError> {
        Ok(match &self.prepared {
            Prepared::Host(host) => Box::new(HostSession::new(host.clone(), self.artifact.clone(), self.program())?),
            Prepared::Cuda(cuda) => Box::new(CudaSession::new(cuda.clone(), &self.weights, caches, debug)?),
        })
    }

    /// Refuses an array on a GPU that is not the model's.
    pub(crate) fn check_device(&self, index: usize, name: &str, value: &Array) -> Result<(), ArgumentError> {
        let Array::Device(tensor) = value else { return Ok(()) };
        let (found, expected) = (tensor.gpu().ordinal(), self.gpu().map(|gpu| gpu.ordinal()));
        if Some(found) == expected {
            return Ok(());
        }
        let expected = expected.map_or("host".to_string(), |ordinal| format!("cuda:{ordinal}"));
        Err(ArgumentError::OtherDevice { index, name: name.to_string(), found, expected })
    }

    pub(crate) fn weights(&self) -> &[Option<Array>] {
        &self.weights
    }
}

fn find_program(programs: &[Program], entry: Option<&str>) -> Result<usize, ModelError> {
    let names = || programs.iter().map(|program| program.name.clone()).collect::<Vec<_>>().join(", ");
    let position = |name: &str| programs.iter().position(|program| program.name == name);
    match entry {
        Some(name) => {
            position(name).ok_or_else(|| ModelError::NoSuchProgram { name: name.to_string(), programs: names() })
        }
        None if programs.len() == 1 => Ok(0),
        None => position("main").ok_or_else(|| ModelError::WhichProgram { programs: names() }),
    }
}

/// The parameter at `index`, if `value` has its type.
pub(crate) fn check_argument<'a>(
    program: &'a Program,
    index: usize,
    value: &Array,
) -> Result<&'a Param, ArgumentError> {
    let count = program.params.len();
    let param = program.params.get(index).ok_or(ArgumentError::NoSuchParam { index, count })?;
    if (value.dtype(), value.shape()) != (param.dtype, &param.shape) {
        return Err(ArgumentError::Type {
            index,
            name: param.name.clone(),
            found: type_text(value.dtype(), value.shape()),
            expected: type_text(param.dtype, &param.shape),
        });
    }
    Ok(param)
}

/// Why a model cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// No program of that name.
    #[error("there is no program `{name}`; there is: {programs}")]
    NoSuchProgram {
        /// The name.
        name: String,
        /// All names.
        programs: String,
    },
    /// Several programs, none of them `main`.
    #[error("no program is named `main`: choose one with --entry: {programs}")]
    WhichProgram {
        /// All names.
        programs: String,
    },
    /// A launch that the device cannot run.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// Native code that this machine cannot run.
    #[error(transparent)]
    HostCode(#[from] NativeError),
    /// No code for a GPU.
    #[error(
        "the artifact has no code for a GPU: compile it with --target=sm_90, or what `--devices` shows, or take --device=host"
    )]
    NoDeviceCode,
    /// The GPU refused.
    #[error(transparent)]
    Cuda(#[from] CudaError),
}

/// Why a value is not accepted for a parameter.
#[derive(Debug, thiserror::Error)]
pub enum ArgumentError {
    /// No such parameter.
    #[error("there is no argument {index}: the program takes {count}")]
    NoSuchParam {
        /// The index.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// No such result.
    #[error("there is no result {index}: the program has {count}")]
    NoSuchResult {
        /// The index.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// Another type.
    #[error("argument {index} `{name}` is a {found}, expected {expected}")]
    Type {
        /// The index.
        index: usize,
        /// The parameter's name.
        name: String,
        /// The value's type.
        found: String,
        /// The parameter's type.
        expected: String,
    },
    /// A parameter that changes was given as a weight.
    #[error("argument {index} `{name}` is bound as `{bind}`, not as `once`: give it to a session")]
    NotAWeight {
        /// The index.
        index: usize,
        /// The parameter's name.
        name: String,
        /// Its class.
        bind: &'static str,
    },
    /// An array that lies on another device.
    #[error("argument or result {index} `{name}` is given an array on cuda:{found}, and the model is on {expected}")]
    OtherDevice {
        /// The index.
        index: usize,
        /// The parameter's or result's name.
        name: String,
        /// The GPU that it lies on.
        found: u32,
        /// The model's device.
        expected: String,
    },
    /// Kernels write to memory of the GPU.
    #[error("result {index} `{name}` is given a buffer of the host, and the model is on a GPU: give a `DeviceTensor`")]
    OutputOnHost {
        /// The index.
        index: usize,
        /// The result's name.
        name: String,
    },
    /// No memory for a copy, or the GPU refused.
    #[error(transparent)]
    Tensor(#[from] TensorError),
}
