//! Native code for the loop nests of a plan, generated through MLIR and LLVM when a model is compiled.
//!
//! [`generate`] makes a function for each nest, all of them one image ([`pygraph_artifact::host_code`]). Nests that differ only in
//! their buffers and in where they begin share a function. Code computes what the interpreter in pygraph-kernels computes,
//! bit for bit; a nest for which no code is generated stays with the interpreter, and the caller is told why.
//!
//! The way: a function of `scf`, `arith`, `math` and `llvm` operations (`nest`, `scalar`), upstream's conversions to the `llvm`
//! dialect, LLVM's passes and code generation (`ffi`), and a small linker (`image`).

mod builder;
mod ffi;
mod image;
mod nest;
mod scalar;

use std::{collections::HashMap, ffi::CString};

use melior::{
    ir::{Location, Module, operation::OperationLike},
    pass::{PassManager, conversion},
};
use pygraph_artifact::{
    host_code::{HostCode, HostFunction, Target},
    plan::{Launch, Nest, Node, Plan, Step},
    scalar::ScalarOp,
};

/// LLVM's passes, after those that MLIR ran. None of them makes a call out of a loop.
const PASSES: &str = "function(sroa,early-cse,instcombine<no-verify-fixpoint>,simplifycfg,loop-mssa(licm),gvn,instcombine<no-verify-fixpoint>,simplifycfg,dce)";

/// Processors that code can be generated for.
pub fn processors() -> &'static [&'static str] {
    if cfg!(target_arch = "x86_64") { &["x86-64-v2", "x86-64-v3", "x86-64-v4"] } else { &[] }
}

/// The processor that code is generated for unless another is asked for; none if there is none for this architecture.
pub fn default_processor() -> Option<&'static str> {
    processors().get(1).copied()
}

/// A kind of machine of this architecture.
pub fn target(cpu: &str) -> Target {
    Target { triple: format!("{}-unknown-linux-gnu", std::env::consts::ARCH), cpu: cpu.to_string() }
}

/// What [`generate`] made.
#[derive(Debug, Clone, Default)]
pub struct Generated {
    /// The code; none if no nest has any.
    pub code: Option<HostCode>,
    /// Loop nests that a function computes.
    pub native_count: usize,
    /// Those that the interpreter computes, and why.
    pub interpreted: Vec<Interpreted>,
}

/// A loop nest for which no code was generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreted {
    /// The launch's name.
    pub launch: String,
    /// Where in the user's file it comes from.
    pub location: String,
    /// Why.
    pub reason: String,
}

/// LLVM or MLIR refused what was generated. A mistake of this crate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no native code is generated: {0}")]
pub struct GenerateError(String);

/// Generates code for all loop nests of a valid plan, and names each one's function in its launch.
pub fn generate(plan: &mut Plan, target: Target) -> Result<Generated, GenerateError> {
    let mut generated = Generated::default();
    let mut functions = Functions::default();
    let segments = plan.programs.iter_mut().flat_map(|program| &mut program.segments);
    segments.for_each(|segment| name_functions(&mut segment.nodes, &mut functions, &mut generated));
    if !functions.nests.is_empty() {
        generated.code = Some(compile(&functions, target)?);
    }
    Ok(generated)
}

/// Functions to generate.
#[derive(Default)]
struct Functions {
    numbers: HashMap<Vec<u8>, u32>,
    nests: Vec<Nest>,
}

fn name_functions(nodes: &mut [Node], functions: &mut Functions, generated: &mut Generated) {
    for node in nodes {
        if let Step::Launch(launch) = &mut node.step {
            name_of_launch(launch, functions, generated);
        }
        node.step.inside_mut().into_iter().for_each(|nodes| name_functions(nodes, functions, generated));
    }
}

fn name_of_launch(launch: &mut Launch, functions: &mut Functions, generated: &mut Generated) {
    let mut numbers = Vec::new();
    for nest in launch.work.nests() {
        match nest::refuse(nest) {
            None => {
                generated.native_count += 1;
                numbers.push(Some(functions.number(nest)));
            }
            Some(reason) => {
                let (launch, location) = (launch.name.clone(), launch.location.clone());
                generated.interpreted.push(Interpreted { launch, location, reason });
                numbers.push(None);
            }
        }
    }
    launch.functions = if numbers.iter().any(Option::is_some) { numbers } else { Vec::new() };
}

impl Functions {
    /// The function of a nest, the same for all that differ only in where their arrays are.
    fn number(&mut self, nest: &Nest) -> u32 {
        let mut nest = nest.clone();
        for access in nest.inputs.iter_mut().chain(&mut nest.outputs) {
            access.offset = 0;
            access.buffer.0 = 0;
        }
        let key = format!("{nest:?}").into_bytes();
        *self.numbers.entry(key).or_insert_with(|| {
            self.nests.push(nest);
            self.nests.len() as u32 - 1
        })
    }
}

fn compile(functions: &Functions, target: Target) -> Result<HostCode, GenerateError> {
    let mut imports: Vec<ScalarOp> = functions.nests.iter().flat_map(nest::imports).collect();
    imports.sort_unstable();
    imports.dedup();
    let places: HashMap<ScalarOp, usize> = imports.iter().enumerate().map(|(idx, op)| (*op, idx)).collect();

    let context = ffi::create_context();
    let mut module = Module::new(Location::unknown(&context));
    let name = |idx: usize| format!("nest_{idx}");
    for (idx, nest) in functions.nests.iter().enumerate() {
        nest::emit(&context, module.body(), &name(idx), nest, &places);
    }
    if !module.as_operation().verify() {
        return Err(GenerateError("the generated module does not verify".to_string()));
    }
    let passes = PassManager::new(&context);
    passes.add_pass(conversion::create_scf_to_control_flow());
    passes.add_pass(conversion::create_arith_to_llvm());
    passes.add_pass(conversion::create_math_to_llvm());
    passes.add_pass(conversion::create_control_flow_to_llvm());
    passes.add_pass(conversion::create_reconcile_unrealized_casts());
    passes.run(&mut module).map_err(|error| GenerateError(error.to_string()))?;

    let text = |text: &str| CString::new(text).map_err(|error| GenerateError(error.to_string()));
    let object = ffi::generate_object(&module, &text(&target.triple)?, &text(&target.cpu)?, &text(PASSES)?);
    let image = object.and_then(|object| image::link(&object)).map_err(GenerateError)?;
    let function = |(idx, nest): (usize, &Nest)| {
        let offset = image.functions.get(&name(idx)).copied();
        let operands = (nest.inputs.len() + nest.outputs.len()) as u32;
        offset
            .map(|offset| HostFunction { offset, operands })
            .ok_or_else(|| GenerateError(format!("function {idx} is missing")))
    };
    let functions = functions.nests.iter().enumerate().map(function).collect::<Result<_, _>>()?;
    Ok(HostCode { target, imports, functions, image: image.bytes })
}
