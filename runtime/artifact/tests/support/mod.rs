//! A small valid plan, and a way to break it.

use pygraph_artifact::{
    deployment::Deployment,
    dtype::DType,
    order::add_edges,
    plan::{
        Access, Bind, Buffer, BufferId, Field, FieldSource, KernelCall, Launch, Nest, Node, Param, ParamBlock, Place,
        Plan, Program, ResultSlot, Segment, Step, Work,
    },
    scalar::{ScalarBody, ScalarInst, ScalarOp},
};

/// `main(x: 4xf32, s: 4xf32 state) -> (y = x + s, updates s)`, a loop, a choice and a kernel call.
///
/// Buffers: 0 param x through the block, 1 param s, 2 arena y, 3 arena i1, 4 arena i32, 5 constant, 6 arena 4xf32.
pub fn plan() -> Plan {
    Plan { programs: vec![program("main")], arenas: Vec::new() }
}

/// As many constants as [`plan`] refers to.
pub fn constants() -> Vec<u8> {
    (0..16).collect()
}

fn program(name: &str) -> Program {
    let buffer = |dtype, shape: &[u64], place| Buffer { dtype, shape: shape.to_vec(), place };
    let mut program = Program {
        name: name.to_string(),
        params: vec![param("x", Bind::Step, None), param("s", Bind::State, Some(0))],
        results: vec![ResultSlot { name: "y".to_string(), dtype: DType::F32, shape: vec![4], buffer: BufferId(2) }],
        buffers: vec![
            buffer(DType::F32, &[4], Place::Field { block: 0, field: 0 }),
            buffer(DType::F32, &[4], Place::Param { index: 1 }),
            buffer(DType::F32, &[4], Place::Arena { offset: 0 }),
            buffer(DType::I1, &[], Place::Arena { offset: 64 }),
            buffer(DType::I32, &[], Place::Arena { offset: 128 }),
            buffer(DType::F32, &[4], Place::Constant { offset: 0 }),
            buffer(DType::F32, &[4], Place::Arena { offset: 192 }),
        ],
        arena_bytes: 208,
        blocks: vec![block()],
        device: 0,
        ensures: Vec::new(),
        retires: Vec::new(),
        segments: Vec::new(),
    };
    let nodes = nodes(steps());
    program.segments = vec![Segment { name: "s0".to_string(), deploy: Deployment::DeviceLoop, block: Some(0), nodes }];
    add_edges(&mut program);
    program
}

/// The address of x, and room for another.
fn block() -> ParamBlock {
    let x = Field { name: "x".to_string(), offset: 0, source: FieldSource::ParamAddress { param: 0 } };
    ParamBlock { name: "b0".to_string(), bytes: 16, fields: vec![x] }
}

/// Nodes whose edges are still missing.
pub fn nodes(steps: Vec<Step>) -> Vec<Node> {
    steps.into_iter().map(|step| Node { after: Vec::new(), step }).collect()
}

fn steps() -> Vec<Step> {
    let call = KernelCall {
        kernel: "copy".to_string(),
        inputs: vec![BufferId(5)],
        outputs: vec![BufferId(6)],
        attributes: Vec::new(),
        bodies: Vec::new(),
    };
    vec![
        add_launch(),
        Step::While { condition: nodes(vec![add_launch()]), predicate: BufferId(3), body: nodes(vec![add_launch()]) },
        Step::Switch { index: BufferId(4), branches: vec![vec![], nodes(vec![add_launch()])] },
        Step::Launch(Launch {
            name: "copy_0".to_string(),
            location: "model.mlir:2:3".to_string(),
            work: Work::Kernel(call),
            functions: Vec::new(),
        }),
    ]
}

fn param(name: &str, bind: Bind, updated_by: Option<u32>) -> Param {
    Param { name: name.to_string(), dtype: DType::F32, shape: vec![4], bind, updated_by, cache: None, initial: None }
}

/// `y = x + s`.
pub fn add_launch() -> Step {
    let access = |buffer| Access { buffer: BufferId(buffer), offset: 0, strides: vec![1] };
    let sum = ScalarInst::Op { op: ScalarOp::Add, dtype: DType::F32, operands: vec![0, 1], immediates: Vec::new() };
    let nest = Nest {
        extents: vec![4],
        reduction_dims: 0,
        inputs: vec![access(0), access(1)],
        outputs: vec![access(2)],
        map: ScalarBody { inputs: vec![DType::F32; 2], instructions: vec![sum], outputs: vec![2] },
        combine: None,
    };
    Step::Launch(Launch {
        name: "add_0".to_string(),
        location: "model.mlir:1:3".to_string(),
        work: Work::Nest(nest),
        functions: Vec::new(),
    })
}
