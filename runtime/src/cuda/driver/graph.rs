//! Graphs of explicit nodes.

use std::{ffi::c_void, ptr, sync::Arc};

use cudarc::driver::sys::{
    self, CUDA_CONDITIONAL_NODE_PARAMS, CUDA_KERNEL_NODE_PARAMS, CUgraph, CUgraphConditionalNodeType,
    CUgraphDependencyType, CUgraphEdgeData, CUgraphExec, CUgraphNode, CUgraphNodeParams, CUgraphNodeType,
};

use super::{
    context::Context,
    error::{CudaError, check},
    module::{Function, Grid},
    stream::Stream,
};

/// A graph in the making, or the body of a conditional node of one.
#[derive(Debug)]
pub struct Graph {
    context: Arc<Context>,
    raw: CUgraph,
    /// A body belongs to the graph around it.
    is_owned: bool,
    functions: Vec<Function>,
}

/// A node of a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GraphNode(CUgraphNode);

/// What decides whether the bodies of a conditional node run. Kernels set it: to 0 or 1 for a loop, to a number for a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conditional(u64);

impl Conditional {
    /// What a kernel that sets it takes.
    pub fn handle(self) -> u64 {
        self.0
    }
}

impl Graph {
    /// An empty graph.
    pub fn new(context: &Arc<Context>) -> Result<Graph, CudaError> {
        context.bind()?;
        let mut raw = ptr::null_mut();
        // SAFETY: the place is valid.
        check("cuGraphCreate", unsafe { sys::cuGraphCreate(&mut raw, 0) })?;
        Ok(Graph { context: context.clone(), raw, is_owned: true, functions: Vec::new() })
    }

    /// Adds a kernel that runs after `after`. Its arguments are fixed.
    ///
    /// # Safety
    /// The kernel takes these arguments, and what it does with them is right whenever the graph is launched.
    pub unsafe fn add_kernel(
        &mut self,
        after: &[GraphNode],
        function: &Function,
        grid: Grid,
        arguments: &[u64],
    ) -> Result<GraphNode, CudaError> {
        self.context.bind()?;
        let mut values = arguments.to_vec();
        let mut places: Vec<*mut c_void> = values.iter_mut().map(|value| ptr::from_mut(value).cast()).collect();
        let Grid { blocks, threads, shared_bytes } = grid;
        let params = CUDA_KERNEL_NODE_PARAMS {
            func: function.raw(),
            gridDimX: blocks[0],
            gridDimY: blocks[1],
            gridDimZ: blocks[2],
            blockDimX: threads[0],
            blockDimY: threads[1],
            blockDimZ: threads[2],
            sharedMemBytes: shared_bytes,
            kernelParams: places.as_mut_ptr(),
            extra: ptr::null_mut(),
            kern: ptr::null_mut(),
            ctx: ptr::null_mut(),
        };
        let (after, mut node) = (raw_nodes(after), ptr::null_mut());
        // SAFETY: all places are valid, and the driver copies the arguments before it returns.
        let added = unsafe { sys::cuGraphAddKernelNode_v2(&mut node, self.raw, after.as_ptr(), after.len(), &params) };
        check("cuGraphAddKernelNode", added)?;
        self.functions.push(function.clone());
        Ok(GraphNode(node))
    }

    /// Lets `later`, a kernel, come to the card when all blocks of `earlier`, kernels too, have allowed it or ended (a programmatic dependent
    /// launch). It has to wait itself for what they do; GPUs of capability 9.0 and later can.
    pub fn let_start_early(&mut self, earlier: &[GraphNode], later: GraphNode) -> Result<(), CudaError> {
        self.context.bind()?;
        let edge = CUgraphEdgeData {
            from_port: sys::CU_GRAPH_KERNEL_NODE_PORT_PROGRAMMATIC as u8,
            to_port: 0,
            type_: CUgraphDependencyType::CU_GRAPH_DEPENDENCY_TYPE_PROGRAMMATIC as u8,
            reserved: [0; 5],
        };
        let (from, to, edges) = (raw_nodes(earlier), vec![later.0; earlier.len()], vec![edge; earlier.len()]);
        // SAFETY: all lists are as long as is said.
        let added = unsafe {
            sys::cuGraphAddDependencies_v2(self.raw, from.as_ptr(), to.as_ptr(), edges.as_ptr(), earlier.len())
        };
        check("cuGraphAddDependencies", added)
    }

    /// Adds what `work` gives to a stream as a node that runs after `after`: for libraries, which know streams alone.
    pub fn add_captured(
        &mut self,
        after: &[GraphNode],
        work: impl FnOnce(&Stream) -> Result<(), CudaError>,
    ) -> Result<GraphNode, CudaError> {
        let captured = Captured { graph: Stream::new(&self.context)?.capture(work)? };
        let (after, mut node) = (raw_nodes(after), ptr::null_mut());
        // SAFETY: all places are valid; the driver copies the graph.
        let added =
            unsafe { sys::cuGraphAddChildGraphNode(&mut node, self.raw, after.as_ptr(), after.len(), captured.graph) };
        check("cuGraphAddChildGraphNode", added)?;
        Ok(GraphNode(node))
    }

    /// Adds a node that does nothing and runs after `after`.
    pub fn add_empty(&mut self, after: &[GraphNode]) -> Result<GraphNode, CudaError> {
        self.context.bind()?;
        let (after, mut node) = (raw_nodes(after), ptr::null_mut());
        // SAFETY: all places are valid.
        let added = unsafe { sys::cuGraphAddEmptyNode(&mut node, self.raw, after.as_ptr(), after.len()) };
        check("cuGraphAddEmptyNode", added)?;
        Ok(GraphNode(node))
    }

    /// What a conditional node of this graph will go by. A kernel must set it in every run, before the node.
    pub fn new_conditional(&mut self) -> Result<Conditional, CudaError> {
        self.context.bind()?;
        let mut handle = 0;
        // SAFETY: the place is valid.
        let created = unsafe { sys::cuGraphConditionalHandleCreate(&mut handle, self.raw, self.context.raw(), 0, 0) };
        check("cuGraphConditionalHandleCreate", created)?;
        Ok(Conditional(handle))
    }

    /// Adds a loop: its body runs, again and again, while the condition is not 0. The body is empty yet.
    pub fn add_while(&mut self, after: &[GraphNode], condition: Conditional) -> Result<(GraphNode, Graph), CudaError> {
        let (node, mut bodies) =
            self.add_conditional(after, condition, CUgraphConditionalNodeType::CU_GRAPH_COND_TYPE_WHILE, 1)?;
        Ok((node, bodies.pop().expect("a loop should have one body")))
    }

    /// Adds a choice: the body of the condition's number runs. All are empty yet; there is at least one.
    pub fn add_switch(
        &mut self,
        after: &[GraphNode],
        condition: Conditional,
        count: u32,
    ) -> Result<(GraphNode, Vec<Graph>), CudaError> {
        self.add_conditional(after, condition, CUgraphConditionalNodeType::CU_GRAPH_COND_TYPE_SWITCH, count)
    }

    fn add_conditional(
        &mut self,
        after: &[GraphNode],
        condition: Conditional,
        kind: CUgraphConditionalNodeType,
        count: u32,
    ) -> Result<(GraphNode, Vec<Graph>), CudaError> {
        self.context.bind()?;
        // SAFETY: the driver's struct is plain numbers and pointers; what is not used has to be zero.
        let mut params: CUgraphNodeParams = unsafe { std::mem::zeroed() };
        params.type_ = CUgraphNodeType::CU_GRAPH_NODE_TYPE_CONDITIONAL;
        params.__bindgen_anon_1.conditional = CUDA_CONDITIONAL_NODE_PARAMS {
            handle: condition.0,
            type_: kind,
            size: count,
            phGraph_out: ptr::null_mut(),
            ctx: self.context.raw(),
        };
        let (after, mut node) = (raw_nodes(after), ptr::null_mut());
        // SAFETY: all places are valid; without data of edges they are plain ones.
        let added = unsafe {
            sys::cuGraphAddNode_v2(&mut node, self.raw, after.as_ptr(), ptr::null(), after.len(), &mut params)
        };
        check("cuGraphAddNode", added)?;
        // SAFETY: the driver has filled in its own array of as many bodies, which lives as long as the node.
        let bodies =
            unsafe { std::slice::from_raw_parts(params.__bindgen_anon_1.conditional.phGraph_out, count as usize) };
        let body =
            |raw: &CUgraph| Graph { context: self.context.clone(), raw: *raw, is_owned: false, functions: Vec::new() };
        Ok((GraphNode(node), bodies.iter().map(body).collect()))
    }

    /// Takes over what a body that is finished must keep alive.
    pub fn keep(&mut self, mut body: Graph) {
        self.functions.append(&mut body.functions);
    }

    /// Makes the graph ready to be launched. It stays as it is now.
    pub fn instantiate(mut self, stream: &Stream) -> Result<GraphExec, CudaError> {
        self.context.bind()?;
        let mut raw = ptr::null_mut();
        // SAFETY: the place is valid.
        check("cuGraphInstantiate", unsafe { sys::cuGraphInstantiateWithFlags(&mut raw, self.raw, 0) })?;
        let exec = GraphExec { context: self.context.clone(), raw, _functions: std::mem::take(&mut self.functions) };
        // SAFETY: both are alive.
        check("cuGraphUpload", unsafe { sys::cuGraphUpload(exec.raw, stream.raw()) })?;
        Ok(exec)
    }
}

/// A graph that a stream has recorded.
struct Captured {
    graph: CUgraph,
}

impl Drop for Captured {
    fn drop(&mut self) {
        // SAFETY: nobody else has it.
        let _ = unsafe { sys::cuGraphDestroy(self.graph) };
    }
}

fn raw_nodes(nodes: &[GraphNode]) -> Vec<CUgraphNode> {
    nodes.iter().map(|node| node.0).collect()
}

impl Drop for Graph {
    fn drop(&mut self) {
        if self.is_owned && self.context.bind().is_ok() {
            // SAFETY: nobody else has it; what was instantiated from it is apart.
            let _ = unsafe { sys::cuGraphDestroy(self.raw) };
        }
    }
}

/// A graph that can be launched, one launch at a time.
#[derive(Debug)]
pub struct GraphExec {
    context: Arc<Context>,
    raw: CUgraphExec,
    _functions: Vec<Function>,
}

// SAFETY: an instantiated graph may be launched from any thread, one at a time, which `&mut self` says.
unsafe impl Send for GraphExec {}
// SAFETY: nothing is done with a shared reference.
unsafe impl Sync for GraphExec {}

impl GraphExec {
    /// Launches it.
    pub fn launch(&mut self, stream: &Stream) -> Result<(), CudaError> {
        self.context.bind()?;
        // SAFETY: both are alive; what its kernels do was promised when they were added.
        check("cuGraphLaunch", unsafe { sys::cuGraphLaunch(self.raw, stream.raw()) })
    }
}

impl Drop for GraphExec {
    fn drop(&mut self) {
        if self.context.synchronize().is_ok() {
            // SAFETY: nobody else has it, and it does not run.
            let _ = unsafe { sys::cuGraphExecDestroy(self.raw) };
        }
    }
}
