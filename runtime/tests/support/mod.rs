//! Builds small plans by hand, and arrays for them.
#![allow(dead_code, reason = "each test file uses its own part")]

pub mod decode;
pub mod gpu;

use std::sync::Arc;

use pygraph_artifact::{
    bytes::AlignedBytes,
    container::{Artifact, Code, encode},
    deployment::Deployment,
    dtype::DType,
    order::add_edges,
    plan::{
        Access, Bind, Buffer, BufferId, CacheLayout, Field, FieldSource, KernelCall, Launch, Nest, Node, Param,
        ParamBlock, Place, Plan, PositionSource, Program, ResultSlot, Segment, SlotRows, Spread, Step, Work,
    },
    scalar::{ScalarBody, ScalarInst, ScalarOp},
    validate::array_bytes,
};
use pygraph_runtime::{device::Device, model::Model, session::Session, tensor::Tensor};

/// A program in the making. Every arena buffer has a place of its own.
pub struct Builder {
    pub program: Program,
    pub constants: Vec<u8>,
}

impl Builder {
    pub fn new(name: &str) -> Builder {
        let program = Program {
            name: name.to_string(),
            params: Vec::new(),
            results: Vec::new(),
            buffers: Vec::new(),
            arena_bytes: 0,
            blocks: Vec::new(),
            device: 0,
            ensures: Vec::new(),
            retires: Vec::new(),
            segments: Vec::new(),
        };
        Builder { program, constants: Vec::new() }
    }

    fn buffer(&mut self, dtype: DType, shape: &[u64], place: Place) -> BufferId {
        self.program.buffers.push(Buffer { dtype, shape: shape.to_vec(), place });
        BufferId(self.program.buffers.len() as u32 - 1)
    }

    pub fn param(&mut self, name: &str, dtype: DType, shape: &[u64], bind: Bind) -> BufferId {
        let index = self.program.params.len() as u32;
        let param = Param {
            name: name.to_string(),
            dtype,
            shape: shape.to_vec(),
            bind,
            updated_by: None,
            cache: None,
            initial: None,
        };
        self.program.params.push(param);
        match bind {
            Bind::Once | Bind::State => self.buffer(dtype, shape, Place::Param { index }),
            Bind::Step => self.field(name, dtype, shape, FieldSource::ParamAddress { param: index }),
            Bind::Host => self.field(name, dtype, shape, FieldSource::Value { param: index }),
        }
    }

    /// Adds a field to the one parameter block.
    fn field(&mut self, name: &str, dtype: DType, shape: &[u64], source: FieldSource) -> BufferId {
        if self.program.blocks.is_empty() {
            self.program.blocks.push(ParamBlock { name: "s0".to_string(), bytes: 0, fields: Vec::new() });
        }
        let block = &mut self.program.blocks[0];
        let bytes = match source {
            FieldSource::Value { .. } => array_bytes(dtype, shape).expect("a small array"),
            _ => 8,
        };
        let offset = block.bytes.next_multiple_of(16);
        block.bytes = offset + bytes;
        block.fields.push(Field { name: name.to_string(), offset, source });
        let field = block.fields.len() as u32 - 1;
        self.buffer(dtype, shape, Place::Field { block: 0, field })
    }

    /// A result that is written where its caller wants it.
    pub fn output(&mut self, name: &str, dtype: DType, shape: &[u64]) -> BufferId {
        let result = self.program.results.len() as u32;
        let buffer = BufferId(self.program.buffers.len() as u32);
        let slot = ResultSlot { name: name.to_string(), dtype, shape: shape.to_vec(), buffer };
        self.program.results.push(slot);
        self.field(name, dtype, shape, FieldSource::ResultAddress { result })
    }

    pub fn arena(&mut self, dtype: DType, shape: &[u64]) -> BufferId {
        let offset = self.program.arena_bytes.next_multiple_of(64);
        self.program.arena_bytes = offset + array_bytes(dtype, shape).expect("a small array");
        self.buffer(dtype, shape, Place::Arena { offset })
    }

    pub fn constant(&mut self, dtype: DType, shape: &[u64], bytes: &[u8]) -> BufferId {
        let offset = self.constants.len().next_multiple_of(64);
        self.constants.resize(offset, 0);
        self.constants.extend_from_slice(bytes);
        self.buffer(dtype, shape, Place::Constant { offset: offset as u64 })
    }

    /// Returns the result's index.
    pub fn result(&mut self, name: &str, buffer: BufferId) -> u32 {
        let Buffer { dtype, shape, .. } = self.program.buffers[buffer.0 as usize].clone();
        self.program.results.push(ResultSlot { name: name.to_string(), dtype, shape, buffer });
        self.program.results.len() as u32 - 1
    }

    pub fn update(&mut self, param: usize, result: u32) {
        self.program.params[param].updated_by = Some(result);
    }

    /// The first parameter, a cache `k` of so many rows of 64 numbers in arena 0, and its result.
    pub fn row_cache(&mut self, rows: u64) -> BufferId {
        let cache = self.param("k", DType::I32, &[rows, 64], Bind::State);
        let updated = self.result("k'", cache);
        self.update(0, updated);
        self.program.params[0].cache =
            Some(CacheLayout { arena: 0, offset: 0, strides: vec![64, 1], slot_dim: None, token_dim: 0 });
        cache
    }

    /// `out = op(inputs…)`, element by element; an input of one element is spread.
    pub fn map(&self, op: ScalarOp, inputs: &[BufferId], out: BufferId) -> Step {
        let buffer = |id: BufferId| &self.program.buffers[id.0 as usize];
        let count = |id: BufferId| buffer(id).shape.iter().product::<u64>();
        let access = |id: BufferId| {
            let stride = i64::from(count(id) == count(out));
            Access { buffer: id, offset: 0, strides: vec![stride] }
        };
        let operation = ScalarInst::Op {
            op,
            dtype: buffer(out).dtype,
            operands: (0..inputs.len() as u32).collect(),
            immediates: Vec::new(),
        };
        let nest = Nest {
            extents: vec![count(out)],
            reduction_dims: 0,
            inputs: inputs.iter().map(|id| access(*id)).collect(),
            outputs: vec![access(out)],
            map: ScalarBody {
                inputs: inputs.iter().map(|id| buffer(*id).dtype).collect(),
                instructions: vec![operation],
                outputs: vec![inputs.len() as u32],
            },
            combine: None,
        };
        let line = out.0;
        launch(&format!("{}_{}", op.name(), out.0), &format!("model.mlir:{line}:3"), Work::Nest(nest))
    }

    /// `out = input`: a conversion to its own type.
    pub fn copy(&self, input: BufferId, out: BufferId) -> Step {
        self.map(ScalarOp::Convert, &[input], out)
    }

    /// Ends the program with one segment.
    pub fn finish(mut self, steps: Vec<Step>) -> (Program, Vec<u8>) {
        let nodes = nodes(steps);
        let block = (!self.program.blocks.is_empty()).then_some(0);
        self.program.segments.push(Segment { name: "s0".to_string(), deploy: Deployment::Graph, block, nodes });
        add_edges(&mut self.program);
        (self.program, self.constants)
    }

    /// Ends the program, the only one of its artifact.
    pub fn encode(self, steps: Vec<Step>) -> Vec<u8> {
        let (program, constants) = self.finish(steps);
        encode(&Plan { programs: vec![program], arenas: Vec::new() }, &constants, Code::default())
            .expect("the plan should be valid")
    }

    /// Ends the program and begins a session of it.
    pub fn session(self, steps: Vec<Step>) -> Session {
        session_of(&self.encode(steps))
    }
}

/// Nodes whose edges are still missing.
pub fn nodes(steps: Vec<Step>) -> Vec<Node> {
    steps.into_iter().map(|step| Node { after: Vec::new(), step }).collect()
}

pub fn session_of(bytes: &[u8]) -> Session {
    let artifact = Arc::new(Artifact::from_bytes(bytes).expect("loads"));
    let model = Model::load(artifact, None, Device::Host).expect("prepares");
    Session::new(Arc::new(model)).expect("memory")
}

pub fn launch(name: &str, location: &str, work: Work) -> Step {
    Step::Launch(Launch { name: name.to_string(), location: location.to_string(), work, functions: Vec::new() })
}

/// A launch of a kernel without attributes.
pub fn kernel(name: &str, inputs: Vec<BufferId>, output: BufferId) -> Step {
    let work =
        KernelCall { kernel: name.to_string(), inputs, outputs: vec![output], attributes: vec![], bodies: vec![] };
    launch(name, "model.mlir:1:1", Work::Kernel(work))
}

/// The rows of arena 0 up to a position, or of a window up to there.
pub fn rows_at(source: PositionSource, window: Option<u64>) -> SlotRows {
    SlotRows { arena: 0, source: Some(source), spread: Spread::One, offsets: vec![0], window }
}

pub fn floats(shape: &[u64], values: &[f32]) -> Tensor {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensor(DType::F32, shape, &bytes)
}

pub fn ints(shape: &[u64], values: &[i32]) -> Tensor {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensor(DType::I32, shape, &bytes)
}

pub fn tensor(dtype: DType, shape: &[u64], bytes: &[u8]) -> Tensor {
    Tensor::new(dtype, shape, AlignedBytes::copy_of(bytes).expect("memory")).expect("bytes of that type")
}

pub fn as_floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

pub fn as_ints(bytes: &[u8]) -> Vec<i32> {
    bytes.chunks_exact(4).map(|b| i32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

/// `y = x + w` with a weight, and a state `n` that counts steps: `n' = n + 1`.
pub fn counting_model() -> (Builder, Vec<Step>) {
    let mut b = Builder::new("main");
    let x = b.param("x", DType::F32, &[2, 2], Bind::Step);
    let w = b.param("w", DType::F32, &[2, 2], Bind::Once);
    let n = b.param("n", DType::I32, &[], Bind::State);
    let one = b.constant(DType::I32, &[], &1_i32.to_le_bytes());
    let y = b.arena(DType::F32, &[2, 2]);
    let next = b.arena(DType::I32, &[]);
    b.result("y", y);
    let counted = b.result("n'", next);
    b.update(2, counted);
    let steps = vec![b.map(ScalarOp::Add, &[x, w], y), b.map(ScalarOp::Add, &[n, one], next)];
    (b, steps)
}
