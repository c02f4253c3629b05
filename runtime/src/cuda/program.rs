//! A program of an artifact on a GPU: its code and constants, loaded once and shared by sessions.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use pygraph_artifact::{
    container::Artifact,
    device_code::{Argument, Control, DeviceCode, DeviceProgram},
    plan::{KvArena, Node, Program, Step},
};

use super::{
    driver::{Conditional, CudaError, DeviceBytes, Function, Graph, GraphExec, GraphNode, Grid, Module},
    gpu::Gpu,
    libraries::LibraryProduct,
    lists::{CudaList, CudaNode, GatedLoop, NodeWork},
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
    /// Kernels that decide what a graph does next, those that this program needs.
    controls: BTreeMap<Control, Function>,
    constants: DeviceBytes,
}

impl CudaProgram {
    /// Loads the code of program number `program`; the artifact must have some.
    pub fn load(gpu: Arc<Gpu>, artifact: Arc<Artifact>, program: usize) -> Result<CudaProgram, CudaError> {
        let code = artifact.device_code().expect("code should be asked for before it is loaded");
        check_card(&gpu, code)?;
        let context = gpu.context();
        let device = &code.programs[program];
        let control = needed_controls(&artifact.plan().programs[program]);
        let modules = load_modules(&gpu, code, device, &control)?;
        let kernels = load_kernels(code, device, &modules)?;
        let control_module = code.control.and_then(|module| modules[module as usize].as_ref());
        let mut controls = BTreeMap::new();
        for kernel in control {
            let module = control_module.ok_or_else(|| no_control(kernel))?;
            controls.insert(kernel, module.function(kernel.name()).map_err(|_| no_control(kernel))?);
        }
        let constants = DeviceBytes::new(context, "constants", artifact.constants().len() as u64)?;
        // SAFETY: there are as many bytes as constants.
        unsafe { gpu.stream().upload_now(artifact.constants(), constants.address()) }?;
        Ok(CudaProgram { controls, gpu: gpu.clone(), artifact: artifact.clone(), program, kernels, constants })
    }

    /// The GPU.
    pub fn gpu(&self) -> &Arc<Gpu> {
        &self.gpu
    }

    /// The program.
    pub fn program(&self) -> &Program {
        &self.artifact.plan().programs[self.program]
    }

    /// The arenas that its caches lie in.
    pub fn arenas(&self) -> &[KvArena] {
        &self.artifact.plan().arenas
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
                (NodeWork::Call { grid, .. }, [one]) => match &list[*one].work {
                    NodeWork::Call { grid: earlier, .. } => {
                        self.gpu.starts_early(grid.shared_bytes.max(earlier.shared_bytes))
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
                NodeWork::Call { kernel, grid, addresses, .. } => {
                    // SAFETY: the caller's promise.
                    unsafe { graph.add_kernel(after, self.kernel(*kernel), *grid, addresses) }?
                }
                NodeWork::Product { product: LibraryProduct { prepared, addresses }, .. } => {
                    graph.add_captured(after, |stream| {
                        // SAFETY: the caller's promise: the addresses are those of matrices as large as a checked offer says.
                        unsafe { prepared.matrices.enqueue(&prepared.algorithm, *addresses, stream) }
                    })?
                }
                NodeWork::SetWhile { conditional, predicate } => {
                    let arguments = [condition(*conditional).handle(), *predicate];
                    let function = self.control(Control::While)?;
                    // SAFETY: the kernel takes a condition and the address of a predicate, which is in memory of the session.
                    unsafe { graph.add_kernel(after, function, Grid::ONE, &arguments) }?
                }
                NodeWork::SetSwitch { conditional, index, branches } => {
                    let arguments = [condition(*conditional).handle(), *index, u64::from(*branches)];
                    let function = self.control(Control::Switch)?;
                    // SAFETY: the kernel takes a condition, the address of an index and a count, of which it reads four bytes.
                    unsafe { graph.add_kernel(after, function, Grid::ONE, &arguments) }?
                }
                NodeWork::SetGatedWhile { conditional, predicate, stopped } => {
                    let arguments = [condition(*conditional).handle(), *predicate, *stopped];
                    let function = self.control(Control::GatedWhile)?;
                    // SAFETY: the kernel takes a condition and the addresses of a predicate and of what its gates write.
                    unsafe { graph.add_kernel(after, function, Grid::ONE, &arguments) }?
                }
                NodeWork::Gate { conditional, gate } => {
                    let arguments = [condition(*conditional).handle(), *gate];
                    // SAFETY: the kernel takes a condition and the address of a description, which the session has filled in.
                    unsafe { graph.add_kernel(after, self.control(Control::Gate)?, Grid::ONE, &arguments) }?
                }
                NodeWork::Ensure { .. } | NodeWork::Retire { .. } => {
                    unreachable!("only a list that is run kernel by kernel should have steps of the host")
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

    fn control(&self, kernel: Control) -> Result<&Function, CudaError> {
        self.controls.get(&kernel).ok_or_else(|| no_control(kernel))
    }

    /// A kernel that this program calls.
    pub(super) fn kernel(&self, number: u32) -> &Function {
        self.kernels[number as usize].as_ref().expect("the kernels that a program calls should be loaded")
    }
}

fn no_control(kernel: Control) -> CudaError {
    CudaError::Call {
        operation: "cuModuleGetFunction",
        name: format!("CUDA_ERROR_NOT_FOUND ({})", kernel.name()).into(),
        advice: "the artifact has loops or choices and no kernels for them: compile it again",
    }
}

/// The kernels that decide about the control flow that a program has.
fn needed_controls(program: &Program) -> BTreeSet<Control> {
    fn look(nodes: &[Node], found: &mut BTreeSet<Control>) {
        for node in nodes {
            match node.step {
                Step::While { .. } => found.extend([Control::While]),
                Step::Switch { .. } => found.extend([Control::Switch]),
                _ => {}
            }
            node.step.inside().into_iter().for_each(|nodes| look(nodes, found));
        }
    }
    let mut found = BTreeSet::new();
    for segment in &program.segments {
        look(&segment.nodes, &mut found);
        if !GatedLoop::all(&segment.nodes).is_empty() {
            found.extend(Control::ALL);
        }
    }
    found
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
    control: &BTreeSet<Control>,
) -> Result<Vec<Option<Arc<Module>>>, CudaError> {
    let mut is_needed = vec![false; code.modules.len()];
    for call in device.all_calls() {
        is_needed[code.kernels[call.kernel as usize].module as usize] = true;
    }
    if let Some(module) = code.control.filter(|_| !control.is_empty()) {
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
