//! Code of a plan for one kind of GPU: modules that the driver loads, and which of their kernels a launch is.
//!
//! A kernel takes addresses alone, one an argument and the same at every step, so that a recorded graph is never patched: what
//! changes lies in a parameter block. Of a buffer that a field gives the address of, it is given the address of that field.
//! What can be checked of code is checked; what it does when it runs cannot be: running an artifact that holds code is
//! trusting its maker.

use serde::{Deserialize, Serialize};

use crate::{
    join,
    library::{Library, check_offer},
    plan::{BufferId, Plan, Program, launches},
};

/// The largest module, in bytes.
pub const MODULE_BYTES_MAX: usize = 1 << 30;

/// The most threads that a block may have.
pub const BLOCK_THREADS_MAX: u64 = 1024;

/// What the offsets of scratch memory are multiples of, in bytes.
pub const SCRATCH_ALIGNMENT: u64 = 256;

/// Size of a program's status, in bytes: a `u32` that is 0 or one more than the number of the launch whose comparison did not hold,
/// a `u32` that is 0 unless a kernel is just writing the others, and a `u64` that says at which element.
pub const STATUS_BYTES: u64 = 16;

/// The section `device code` of an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceCode {
    /// What it runs on, as its compiler names it (`sm_90`).
    pub target: String,
    /// Images that the driver loads.
    pub modules: Vec<Vec<u8>>,
    /// Functions of the modules.
    pub kernels: Vec<DeviceKernel>,
    /// The module that has the kernels of control flow ([`Control`]), if a program has any.
    pub control: Option<u32>,
    /// One a program of the plan, in its order.
    pub programs: Vec<DeviceProgram>,
}

/// A function of a module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceKernel {
    /// Index into [`DeviceCode::modules`].
    pub module: u32,
    /// Its name there.
    pub name: String,
    /// How many addresses it takes.
    pub arguments: u32,
}

/// Kernels that a runtime needs for loops, choices and waiting, by their names in [`DeviceCode::control`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Control {
    /// `(handle: u64, predicate: *const u8)`: a loop goes on if the predicate is not 0.
    While,
    /// `(handle: u64, index: *const i32, branches: u32)`: runs the branch of that index; out of range the last.
    Switch,
    /// `(handle: u64, predicate: *const u8, stopped: *const u32)`: the same for a loop that a gate may have stopped: then it ends.
    GatedWhile,
    /// `(handle: u64, gate: *const u64)`: branch 0 once the rows are mapped that an iteration of a loop needs; else, after a bounded time, branch 1,
    /// and the loop is stopped. What lies at `gate` is in cuda/src/prelude/control.cu.
    Gate,
}

impl Control {
    /// Every kernel.
    pub const ALL: &[Control] = &[Control::While, Control::Switch, Control::GatedWhile, Control::Gate];

    /// Its name in the module.
    pub fn name(self) -> &'static str {
        match self {
            Control::While => "pygraph_while",
            Control::Switch => "pygraph_switch",
            Control::GatedWhile => "pygraph_gated_while",
            Control::Gate => "pygraph_gate",
        }
    }
}

/// What a program needs beside its plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceProgram {
    /// Size of the memory that kernels use while they run ([`Argument::Scratch`]). Launches that may run at the same time use
    /// other parts of it.
    pub scratch_bytes: u64,
    /// How many bytes from the start of it are zero before the first step. Every launch leaves those that it uses zero.
    pub zeroed_bytes: u64,
    /// One a launch of the program, in the order of [`launches`] over its segments.
    pub launches: Vec<DeviceLaunch>,
}

impl DeviceProgram {
    /// Every call that may be made, those behind a library's product too.
    pub fn all_calls(&self) -> impl Iterator<Item = &DeviceCall> {
        self.launches.iter().flat_map(|launch| {
            let after = match &launch.library {
                Library::Offer(offer) => &offer.after[..],
                Library::Nothing | Library::Refused(_) => &[][..],
            };
            launch.calls.iter().chain(after)
        })
    }
}

/// What a launch of the plan is on the device.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DeviceLaunch {
    /// One after another, each when the one before has ended.
    pub calls: Vec<DeviceCall>,
    /// Whether a library may do the same.
    pub library: Library,
    /// If the calls of an earlier launch do this one's work too: how many launches before this one that is. They run when all that any of these launches
    /// waits for has ended ([`join::sets`]).
    pub joins: Option<u32>,
}

/// One kernel on a grid of blocks of threads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceCall {
    /// Index into [`DeviceCode::kernels`].
    pub kernel: u32,
    /// Blocks, in x, y and z.
    pub grid: [u32; 3],
    /// Threads of a block, in x, y and z.
    pub block: [u32; 3],
    /// Shared memory of a block beside what the kernel declares, in bytes.
    pub shared_bytes: u32,
    /// One an address that the kernel takes.
    pub arguments: Vec<Argument>,
}

/// An address that a kernel is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Argument {
    /// Where a buffer's bytes lie; if a field gives their address ([`crate::plan::Place::Field`]), where that field lies.
    Buffer(BufferId),
    /// A place in the program's scratch memory.
    Scratch {
        /// Offset in bytes.
        offset: u64,
    },
    /// The program's status, of [`STATUS_BYTES`], zero before a step.
    Status,
}

/// Checks code against the plan that it is for.
pub fn validate(plan: &Plan, code: Option<&DeviceCode>) -> Result<(), InvalidDeviceCode> {
    let Some(code) = code else { return Ok(()) };
    if let Some((module, bytes)) =
        code.modules.iter().map(Vec::len).enumerate().find(|(_, len)| *len > MODULE_BYTES_MAX)
    {
        return Err(InvalidDeviceCode::TooLarge { module, bytes });
    }
    let modules = code.modules.len();
    let named = code.kernels.iter().map(|kernel| kernel.module).chain(code.control);
    if let Some(module) = named.into_iter().find(|module| *module as usize >= modules) {
        return Err(InvalidDeviceCode::NoModule { module, modules });
    }
    if code.programs.len() != plan.programs.len() {
        return Err(InvalidDeviceCode::Programs { found: code.programs.len(), expected: plan.programs.len() });
    }
    plan.programs.iter().zip(&code.programs).try_for_each(|(program, device)| check_program(code, program, device))
}

fn check_program(code: &DeviceCode, program: &Program, device: &DeviceProgram) -> Result<(), InvalidDeviceCode> {
    let expected = program.segments.iter().map(|segment| launches(&segment.nodes).len()).sum();
    if device.launches.len() != expected {
        return Err(InvalidDeviceCode::Launches {
            program: program.name.clone(),
            found: device.launches.len(),
            expected,
        });
    }
    if device.zeroed_bytes > device.scratch_bytes {
        return Err(InvalidDeviceCode::Zeroed {
            program: program.name.clone(),
            zeroed: device.zeroed_bytes,
            of: device.scratch_bytes,
        });
    }
    device.all_calls().enumerate().try_for_each(|(number, call)| {
        check_call(code, program, device, call).map_err(|reason| {
            let program = program.name.clone();
            InvalidDeviceCode::Call { program, number, reason }
        })
    })?;
    join::check(program, &device.launches)
        .map_err(|reason| InvalidDeviceCode::Join { program: program.name.clone(), reason })?;
    device.launches.iter().enumerate().try_for_each(|(number, launch)| {
        let Library::Offer(offer) = &launch.library else { return Ok(()) };
        check_offer(offer, program, device).map_err(|reason| {
            let program = program.name.clone();
            InvalidDeviceCode::Library { program, number, reason }
        })
    })
}

fn check_call(code: &DeviceCode, program: &Program, device: &DeviceProgram, call: &DeviceCall) -> Result<(), String> {
    let kernel = code.kernels.get(call.kernel as usize).ok_or_else(|| format!("there is no kernel {}", call.kernel))?;
    if kernel.arguments as usize != call.arguments.len() {
        return Err(format!("`{}` takes {} addresses, not {}", kernel.name, kernel.arguments, call.arguments.len()));
    }
    let threads: u64 = call.block.iter().map(|extent| u64::from(*extent)).product();
    if !(1..=BLOCK_THREADS_MAX).contains(&threads) || call.grid.contains(&0) {
        return Err(format!("`{}` has blocks {:?} of {:?} threads", kernel.name, call.grid, call.block));
    }
    for argument in &call.arguments {
        match argument {
            Argument::Buffer(id) if id.0 as usize >= program.buffers.len() => {
                return Err(format!("`{}` is given buffer {}, which does not exist", kernel.name, id.0));
            }
            Argument::Scratch { offset } if *offset >= device.scratch_bytes || offset % SCRATCH_ALIGNMENT != 0 => {
                return Err(format!(
                    "`{}` is given scratch memory at {offset} of {}",
                    kernel.name, device.scratch_bytes
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Code that must not run: why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each field is named in the message")]
pub enum InvalidDeviceCode {
    /// A module above the cap.
    #[error("module {module} has {bytes} bytes, at most {MODULE_BYTES_MAX} are allowed")]
    TooLarge { module: usize, bytes: usize },
    /// More zeros than there is memory.
    #[error("program `{program}`: {zeroed} bytes of {of} are to be zero")]
    Zeroed { program: String, zeroed: u64, of: u64 },
    /// A module that does not exist.
    #[error("module {module} is named, and there are {modules}")]
    NoModule { module: u32, modules: usize },
    /// Code for another plan.
    #[error("it has {found} programs, the plan has {expected}")]
    Programs { found: usize, expected: usize },
    /// Code for another program.
    #[error("it has {found} launches for `{program}`, which has {expected}")]
    Launches { program: String, found: usize, expected: usize },
    /// A call that cannot be made.
    #[error("call {number} of `{program}`: {reason}")]
    Call { program: String, number: usize, reason: String },
    /// Launches that no kernel can do together.
    #[error("program `{program}`: {reason}")]
    Join { program: String, reason: String },
    /// A product that cannot be computed.
    #[error("launch {number} of `{program}`: {reason}")]
    Library { program: String, number: usize, reason: String },
}
