//! Code for GPUs, generated from the launches of a plan when a model is compiled.
//!
//! [`source()`] writes CUDA C++: loop nests as loops of threads (`nest`, `fused`), kernels of the manifest as their skeletons behind
//! constants that say what the call is (`call`), both on top of a prelude of element types and scalar operations
//! (`prelude/`). Launches that come to the same text share a kernel. [`compile()`] has NVRTC make modules of it
//! ([`pygraph_artifact::device_code`]).

mod address;
mod arrays;
mod call;
pub mod emulate;
mod epilogue;
mod fused;
mod join;
mod kernel;
mod library;
mod nest;
pub mod nvrtc;
mod prelude;
mod prologue;
mod remake;
mod scalar;
mod split_fold;
mod types;

use std::collections::HashMap;

use pygraph_artifact::{
    device_code::{Argument, DeviceCall, DeviceCode, DeviceKernel, DeviceLaunch, DeviceProgram, SCRATCH_ALIGNMENT},
    library::{Library, Offer, Product},
    plan::{Launch, Node, Plan, Program, Step, Work, launches},
};
use rayon::prelude::*;

pub use self::prelude::PRELUDE;
use self::{
    call::Around,
    kernel::{CallCode, KernelText, LaunchCode, LaunchLibrary, NAME, Operand},
    nvrtc::{CompileError, Nvrtc},
    prologue::Prologue,
    remake::Makers,
};

/// Kernels that are compiled together: NVRTC reads the prelude once for each module, and modules are compiled side by side.
const MODULE_KERNELS: usize = 12;

/// CUDA C++ for all launches of a plan, and how they are launched.
#[derive(Debug, Clone)]
pub struct Source {
    /// One text a kernel, without the prelude.
    pub kernels: Vec<KernelSource>,
    /// One a program of the plan.
    pub programs: Vec<DeviceProgram>,
    /// True if a program has loops, choices or waits.
    pub has_control: bool,
}

/// One kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KernelSource {
    /// Its name.
    pub name: String,
    /// Its text.
    pub text: String,
    /// How many addresses it takes.
    pub arguments: u32,
}

/// A launch that has no code for GPUs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{location}: launch `{launch}`: {reason}")]
pub struct Refused {
    /// The launch's name.
    pub launch: String,
    /// Where in the user's file it comes from.
    pub location: String,
    /// Why.
    pub reason: String,
}

/// What can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// True if small launches that do not wait for each other are one kernel.
    pub joins: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options { joins: true }
    }
}

/// Writes code for every launch of a valid plan, or says for which there is none.
pub fn source(plan: &Plan, options: &Options) -> Result<Source, Vec<Refused>> {
    let mut kernels = Kernels::default();
    let mut refused = Vec::new();
    let code = |program| program_code(program, options, &mut kernels, &mut refused);
    let programs = plan.programs.iter().map(code).collect();
    let segments = plan.programs.iter().flat_map(|program| &program.segments);
    let has_control = segments.flat_map(|segment| &segment.nodes).any(|node| !node.step.inside().is_empty());
    if refused.is_empty() { Ok(Source { kernels: kernels.sources, programs, has_control }) } else { Err(refused) }
}

/// Has NVRTC compile a source for a target (`sm_90`).
pub fn compile(source: Source, target: &str, nvrtc: &Nvrtc) -> Result<DeviceCode, CompileError> {
    let mut texts: Vec<String> = source.kernels.chunks(MODULE_KERNELS).map(module_text).collect();
    let control = source.has_control.then_some(texts.len() as u32);
    texts.extend(control.map(|_| prelude::CONTROL.to_string()));
    let modules = texts.par_iter().map(|text| nvrtc.compile(text, target)).collect::<Result<_, _>>()?;
    let kernels = source.kernels.into_iter().enumerate().map(|(number, kernel)| DeviceKernel {
        module: (number / MODULE_KERNELS) as u32,
        name: kernel.name,
        arguments: kernel.arguments,
    });
    Ok(DeviceCode {
        target: target.to_string(),
        modules,
        kernels: kernels.collect(),
        control,
        programs: source.programs,
    })
}

/// A translation unit of these kernels.
pub fn module_text(kernels: &[KernelSource]) -> String {
    let texts = kernels.iter().map(|kernel| kernel.text.as_str());
    std::iter::once(PRELUDE).chain(texts).collect::<Vec<_>>().join("\n")
}

/// The kernels so far, by their texts.
#[derive(Default)]
struct Kernels {
    numbers: HashMap<String, u32>,
    sources: Vec<KernelSource>,
}

impl Kernels {
    /// The number of the kernel of that text; it is named after the first launch that has it.
    fn number(&mut self, text: String, launch: &str, arguments: u32) -> u32 {
        if let Some(number) = self.numbers.get(&text) {
            return *number;
        }
        let number = self.sources.len() as u32;
        let readable: String =
            launch.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).take(60).collect();
        let name = format!("k{number}_{readable}");
        self.sources.push(KernelSource { text: text.replace(NAME, &name), name, arguments });
        self.numbers.insert(text, number);
        number
    }
}

fn program_code(
    program: &Program,
    options: &Options,
    kernels: &mut Kernels,
    refused: &mut Vec<Refused>,
) -> DeviceProgram {
    let all: Vec<&Launch> = program.segments.iter().flat_map(|segment| launches(&segment.nodes)).collect();
    let mut makers = Makers::new(program);
    let mut lowered = Vec::with_capacity(all.len());
    for ((number, launch), is_inside) in (0..).zip(&all).zip(are_inside(program)) {
        lowered.push(lower(program, launch, number, (!is_inside).then_some(&makers)).unwrap_or_else(|reason| {
            refused.push(Refused { launch: launch.name.clone(), location: launch.location.clone(), reason });
            LaunchCode::default()
        }));
        makers.note(launch, is_inside);
    }
    let groups = if options.joins { join::groups(program, &lowered) } else { Vec::new() };
    // Counters first: they are what has to be zero.
    let zeroed_bytes: u64 = lowered.iter().map(|code| aligned(code.counters)).sum();
    let mut places = Places { counters: 0, scratch_bytes: zeroed_bytes };
    let mut placed: Vec<PlacedLaunch> = lowered
        .into_iter()
        .zip(&all)
        .map(|(code, launch)| PlacedLaunch::new(code, launch.name.clone(), &mut places))
        .collect();
    groups.iter().for_each(|group| join::join(&mut placed, group));
    let launches = placed.into_iter().map(|launch| launch.finish(kernels)).collect();
    DeviceProgram { scratch_bytes: places.scratch_bytes, zeroed_bytes, launches }
}

/// For each launch of a program whether a loop or a choice has it. What lies in memory then depends on more than the order of launches.
fn are_inside(program: &Program) -> Vec<bool> {
    let nodes = program.segments.iter().flat_map(|segment| &segment.nodes);
    let of = |node: &Node| match node.step {
        Step::Launch(_) => vec![false],
        _ => vec![true; launches(std::slice::from_ref(node)).len()],
    };
    nodes.flat_map(of).collect()
}

fn lower(program: &Program, launch: &Launch, number: u32, makers: Option<&Makers<'_>>) -> Result<LaunchCode, String> {
    match &launch.work {
        Work::Nest(nest) => Ok(fused::lower_nest(program, nest)),
        Work::Fused(fused) => fused::lower_fused(program, fused, makers),
        Work::Kernel(call) => {
            let mut code = LaunchCode { number, ..LaunchCode::default() };
            let remade = |input: usize| Some(Prologue::remade(program, makers?.get(call.inputs[input])?, input));
            let array = |id| call::Array::of_buffer(program, id);
            call::lower_call(call, &array, Around::default(), &remade, &mut code)?;
            Ok(code)
        }
    }
}

/// What is taken of scratch memory so far.
struct Places {
    counters: u64,
    scratch_bytes: u64,
}

fn aligned(bytes: u64) -> u64 {
    bytes.next_multiple_of(SCRATCH_ALIGNMENT)
}

/// A kernel of a launch, whose scratch memory has its place.
struct PlacedCall {
    text: KernelText,
    grid: [u32; 3],
    block: [u32; 3],
    shared_bytes: u32,
    arguments: Vec<Argument>,
}

/// A launch whose scratch memory has its place.
struct PlacedLaunch {
    /// What kernels are named after.
    name: String,
    calls: Vec<PlacedCall>,
    library: PlacedLibrary,
    /// How many launches before it one is whose calls do its work.
    joins: Option<u32>,
}

enum PlacedLibrary {
    Nothing,
    Refused(&'static str),
    Product { product: Product, inputs: [Argument; 2], output: Argument, after: Vec<PlacedCall> },
}

impl PlacedLaunch {
    /// Places scratch memory. Each launch has parts of its own, since any two may run at the same time.
    fn new(code: LaunchCode, name: String, places: &mut Places) -> PlacedLaunch {
        let mut place = |bytes: &u64| {
            let offset = places.scratch_bytes;
            places.scratch_bytes += aligned(*bytes.max(&1));
            offset
        };
        let offsets: Vec<u64> = code.scratch.iter().map(&mut place).collect();
        let counters = places.counters;
        places.counters += aligned(code.counters);
        let argument = |operand: &Operand| match *operand {
            Operand::Buffer(id) => Argument::Buffer(id),
            Operand::Scratch(part) => Argument::Scratch { offset: offsets[part] },
            Operand::Counters => Argument::Scratch { offset: counters },
            Operand::Status => Argument::Status,
        };
        let call = |call: CallCode| PlacedCall {
            arguments: call.operands.iter().map(argument).collect(),
            text: call.text,
            grid: call.grid,
            block: call.block,
            shared_bytes: call.shared_bytes,
        };
        let library = match code.library {
            LaunchLibrary::Product { product, inputs, output: Some(output), after } => PlacedLibrary::Product {
                product,
                inputs: inputs.map(|input| argument(&input)),
                output: argument(&output),
                after: after.into_iter().map(call).collect(),
            },
            LaunchLibrary::Refused(reason) => PlacedLibrary::Refused(reason),
            LaunchLibrary::Nothing | LaunchLibrary::Product { .. } => PlacedLibrary::Nothing,
        };
        PlacedLaunch { name, calls: code.calls.into_iter().map(call).collect(), library, joins: None }
    }

    /// Gives its kernels their numbers.
    fn finish(self, kernels: &mut Kernels) -> DeviceLaunch {
        let mut calls = |calls: Vec<PlacedCall>| {
            let one = |call: PlacedCall| DeviceCall {
                kernel: kernels.number(call.text.kernel(), &self.name, call.arguments.len() as u32),
                arguments: call.arguments,
                grid: call.grid,
                block: call.block,
                shared_bytes: call.shared_bytes,
            };
            calls.into_iter().map(one).collect::<Vec<_>>()
        };
        let library = match self.library {
            PlacedLibrary::Nothing => Library::Nothing,
            PlacedLibrary::Refused(reason) => Library::Refused(reason.to_string()),
            PlacedLibrary::Product { product, inputs, output, after } => {
                Library::Offer(Box::new(Offer { product, inputs, output, after: calls(after) }))
            }
        };
        DeviceLaunch { calls: calls(self.calls), library, joins: self.joins }
    }
}
