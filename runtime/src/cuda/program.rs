//! A program of an artifact on a GPU: its code and constants, loaded once and shared by sessions.

use std::sync::Arc;

use pygraph_artifact::{
    container::Artifact,
    device_code::{Argument, Control, DeviceCode, DeviceProgram},
    plan::{Node, Program, Step},
};

use super::{
    driver::{Conditional, CudaError, DeviceBytes, Function, Graph, GraphExec, GraphNode, Grid, Module},
    gpu::Gpu,
    libraries::LibraryProduct,
    lists::{CudaList, CudaNode, NodeWork},
};

/// Shared memory that the driver gives a block without being asked, in bytes.
const SHARED_BYTES_PLAIN: u32 = 48 << 10;

/// A program whose code is loaded.
#[derive(Debug)]
pub struct CudaProgram {
    gpu: Arc<Gpu>,
    artifact: Arc<Artifact>,
    program: usize,
    /// One a kernel of the code; none for those that this program does not call.
    kernels: Vec<Option<Function>>,
    set_while: Option<Function>,
    set_switch: Option<Function>,
    constants: DeviceBytes,
}

impl CudaProgram {
    /// Loads the code of program number `program`; the artifact must have some.
    pub fn load(gpu: Arc<Gpu>, artifact: Arc<Artifact>, program: usize) -> Result<CudaProgram, CudaError> {
        let code = artifact.device_code().expect("code should be asked for before it is loaded");
        check_card(&gpu, code)?;
        let context = gpu.context();
        let device = &code.programs[program];
        let control = Needs::of(&artifact.plan().programs[program]);
        let modules = load_modules(&gpu, code, device, &control)?;
        let kernels = load_kernels(code, device, &modules)?;
        let control_kernel = |is_needed: bool, kernel: Control| {
            let module = code.control.filter(|_| is_needed).and_then(|module| modules[module as usize].as_ref());
            module.map(|module| module.function(kernel.name())).transpose()
        };
        let constants = DeviceBytes::new(context, "constants", artifact.constants().len() as u64)?;
        // SAFETY: there are as many bytes as constants.
        unsafe { gpu.stream().upload_now(artifact.constants(), constants.address()) }?;
        Ok(CudaProgram {
            set_while: control_kernel(control.has_loop, Control::While)?,
            set_switch: control_kernel(control.has_choice, Control::Switch)?,
            gpu: gpu.clone(),
            artifact: artifact.clone(),
            program,
            kernels,
            constants,
        })
    }

    /// The GPU.
    pub fn gpu(&self) -> &Arc<Gpu> {
        &self.gpu
    }

    /// The program.
    pub fn program(&self) -> &Program {
        &self.artifact.plan().programs[self.program]
    }

    /// What it needs beside its plan.
    pub fn device(&self) -> &DeviceProgram {
        &self.artifact.device_code().expect("loaded code should be there").programs[self.program]
    }

    /// Where the constants lie.
    pub fn constants_address(&self) -> u64 {
        self.constants.address()
    }

    /// The constants on the host.
    pub fn constants(&self) -> &[u8] {
        self.artifact.constants()
    }

    /// True if a kernel can say that a comparison does not hold.
    pub fn uses_status(&self) -> bool {
        self.device().all_calls().any(|call| call.arguments.contains(&Argument::Status))
    }

    /// Makes a list a graph that can be launched.
    ///
    /// # Safety
    /// The addresses in the list are those of memory that is there, and as large as the plan says, whenever the graph is launched.
    pub unsafe fn instantiate(&self, list: &CudaList) -> Result<GraphExec, CudaError> {
        let mut graph = Graph::new(self.gpu.context())?;
        let mut conditionals = vec![None; list.conditionals];
        // SAFETY: the caller's promise.
        unsafe { self.fill(&mut graph, &list.nodes, &mut conditionals) }?;
        graph.instantiate(self.gpu.stream())
    }

    /// Recurses as deep as steps nest, which validation limits.
    ///
    /// # Safety
    /// As for [`CudaProgram::instantiate`].
    unsafe fn fill(
        &self,
        graph: &mut Graph,
        list: &[CudaNode],
        conditionals: &mut [Option<Conditional>],
    ) -> Result<(), CudaError> {
        for node in list {
            if let NodeWork::While { conditional, .. } | NodeWork::Switch { conditional, .. } = node.work {
                conditionals[conditional] = Some(graph.new_conditional()?);
            }
        }
        let mut added: Vec<GraphNode> = Vec::with_capacity(list.len());
        for node in list {
            let earlier: Vec<GraphNode> = node.after.iter().map(|earlier| added[*earlier]).collect();
            // Generated kernels wait themselves for what is before them; for all others the graph does.
            let starts_early = match (&node.work, &node.after[..]) {
                (NodeWork::Call { .. }, [one]) => match &list[*one].work {
                    NodeWork::Call { grid, .. } => {
                        self.gpu.starts_before_end_of(grid.blocks.iter().map(|count| u64::from(*count)).product())
                    }
                    _ => false,
                },
                _ => false,
            };
            let after = if starts_early { &[][..] } else { &earlier[..] };
            let condition = |conditional: usize| -> Conditional {
                conditionals[conditional].expect("a condition should be made with the list that it decides about")
            };
            let new = match &node.work {
                NodeWork::Call { kernel, grid, addresses } => {
                    // SAFETY: the caller's promise.
                    unsafe { graph.add_kernel(after, self.kernel(*kernel), *grid, addresses) }?
                }
                NodeWork::Product(LibraryProduct { prepared, addresses }) => graph.add_captured(&after, |stream| {
                    // SAFETY: the caller's promise: the addresses are those of matrices as large as a checked offer says.
                    unsafe { prepared.matrices.enqueue(&prepared.algorithm, *addresses, stream) }
                })?,
                NodeWork::SetWhile { conditional, predicate } => {
                    let arguments = [condition(*conditional).handle(), *predicate];
                    let function = self.set_while.as_ref().ok_or_else(no_control)?;
                    // SAFETY: the kernel takes a condition and the address of a predicate, which is in memory of the session.
                    unsafe { graph.add_kernel(after, function, Grid::ONE, &arguments) }?
                }
                NodeWork::SetSwitch { conditional, index, branches } => {
                    let arguments = [condition(*conditional).handle(), *index, u64::from(*branches)];
                    let function = self.set_switch.as_ref().ok_or_else(no_control)?;
                    // SAFETY: the kernel takes a condition, the address of an index and a count, of which it reads four bytes.
                    unsafe { graph.add_kernel(after, function, Grid::ONE, &arguments) }?
                }
                NodeWork::While { conditional, body, .. } => {
                    let (new, mut inside) = graph.add_while(after, condition(*conditional))?;
                    // SAFETY: the caller's promise.
                    unsafe { self.fill(&mut inside, body, conditionals) }?;
                    graph.keep(inside);
                    new
                }
                NodeWork::Switch { conditional, branches, .. } => {
                    let (new, bodies) = graph.add_switch(after, condition(*conditional), branches.len() as u32)?;
                    for (mut inside, branch) in bodies.into_iter().zip(branches) {
                        // SAFETY: the caller's promise.
                        unsafe { self.fill(&mut inside, branch, conditionals) }?;
                        graph.keep(inside);
                    }
                    new
                }
            };
            if starts_early {
                graph.let_start_early(&earlier, new)?;
            }
            added.push(new);
        }
        if list.is_empty() {
            graph.add_empty(&[])?;
        }
        Ok(())
    }

    /// Runs a list on the stream, one kernel after the other; loops and choices wait for what decides about them.
    ///
    /// # Safety
    /// As for [`CudaProgram::instantiate`], while this runs and until the stream is done.
    pub unsafe fn run_on_stream(&self, list: &[CudaNode]) -> Result<(), CudaError> {
        let stream = self.gpu.stream();
        for node in list {
            match &node.work {
                NodeWork::Call { kernel, grid, addresses } => {
                    // SAFETY: the caller's promise.
                    unsafe { self.kernel(*kernel).launch(stream, *grid, addresses) }?;
                }
                NodeWork::Product(LibraryProduct { prepared, addresses }) => {
                    // SAFETY: the caller's promise.
                    unsafe { prepared.matrices.enqueue(&prepared.algorithm, *addresses, stream) }?;
                }
                NodeWork::SetWhile { .. } | NodeWork::SetSwitch { .. } => {}
                NodeWork::While { predicate, body, .. } => loop {
                    let mut value = [0];
                    // SAFETY: a predicate is an `i1` in memory of the session.
                    unsafe { stream.download_now(*predicate, &mut value) }?;
                    if value == [0] {
                        break;
                    }
                    // SAFETY: the caller's promise.
                    unsafe { self.run_on_stream(body) }?;
                },
                NodeWork::Switch { index, branches, .. } => {
                    let (mut value, last) = ([0; 4], branches.len() - 1);
                    // SAFETY: an index is an `i32` in memory of the session.
                    unsafe { stream.download_now(*index, &mut value) }?;
                    let branch = usize::try_from(i32::from_le_bytes(value)).map_or(last, |index| index.min(last));
                    // SAFETY: the caller's promise.
                    unsafe { self.run_on_stream(&branches[branch]) }?;
                }
            }
        }
        Ok(())
    }

    fn kernel(&self, number: u32) -> &Function {
        self.kernels[number as usize].as_ref().expect("the kernels that a program calls should be loaded")
    }
}

fn no_control() -> CudaError {
    CudaError::Call {
        operation: "cuModuleGetFunction",
        name: "CUDA_ERROR_NOT_FOUND".into(),
        advice: "the artifact has loops or choices and no kernels for them: compile it again",
    }
}

/// What of control flow a program has.
#[derive(Debug, Default)]
struct Needs {
    has_loop: bool,
    has_choice: bool,
}

impl Needs {
    fn of(program: &Program) -> Needs {
        let mut needs = Needs::default();
        program.segments.iter().for_each(|segment| needs.look_at(&segment.nodes));
        needs
    }

    fn look_at(&mut self, nodes: &[Node]) {
        for node in nodes {
            self.has_loop |= matches!(node.step, Step::While { .. });
            self.has_choice |= matches!(node.step, Step::Switch { .. });
            node.step.inside().into_iter().for_each(|nodes| self.look_at(nodes));
        }
    }
}

/// Refuses code for another GPU.
pub fn check_card(gpu: &Gpu, code: &DeviceCode) -> Result<(), CudaError> {
    let properties = gpu.context().properties();
    if properties.runs(&code.target) {
        return Ok(());
    }
    Err(CudaError::OtherCard {
        target: code.target.as_str().into(),
        ordinal: properties.ordinal,
        name: properties.name.as_str().into(),
        found: properties.target().into(),
    })
}

/// The modules that a program needs.
fn load_modules(
    gpu: &Gpu,
    code: &DeviceCode,
    device: &DeviceProgram,
    control: &Needs,
) -> Result<Vec<Option<Arc<Module>>>, CudaError> {
    let mut is_needed = vec![false; code.modules.len()];
    for call in device.all_calls() {
        is_needed[code.kernels[call.kernel as usize].module as usize] = true;
    }
    if let Some(module) = code.control.filter(|_| control.has_loop || control.has_choice) {
        is_needed[module as usize] = true;
    }
    let load = |(image, is_needed): (&Vec<u8>, bool)| is_needed.then(|| Module::load(gpu.context(), image)).transpose();
    code.modules.iter().zip(is_needed).map(load).collect()
}

/// The kernels that a program calls, each allowed the most shared memory that a call gives it.
fn load_kernels(
    code: &DeviceCode,
    device: &DeviceProgram,
    modules: &[Option<Arc<Module>>],
) -> Result<Vec<Option<Function>>, CudaError> {
    let mut shared_bytes = vec![None; code.kernels.len()];
    for call in device.all_calls() {
        let most = &mut shared_bytes[call.kernel as usize];
        *most = (*most).max(Some(call.shared_bytes));
    }
    let load = |(kernel, shared_bytes): (&pygraph_artifact::device_code::DeviceKernel, Option<u32>)| {
        let Some((module, shared_bytes)) = modules[kernel.module as usize].as_ref().zip(shared_bytes) else {
            return Ok(None);
        };
        let function = module.function(&kernel.name)?;
        if shared_bytes > SHARED_BYTES_PLAIN {
            function.allow_shared_bytes(shared_bytes)?;
        }
        Ok(Some(function))
    };
    code.kernels.iter().zip(shared_bytes).map(load).collect()
}
