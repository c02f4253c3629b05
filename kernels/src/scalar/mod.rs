//! Evaluates scalar programs on lanes: many elements an operation, one dispatch an operation and chunk.
//!
//! [`PreparedBody::new`] resolves every operation to a function on typed slices and gives registers to slots;
//! [`PreparedBody::run`] then calls one function an operation. Nothing is looked up for each element.

mod bits;
mod complex;
mod convert;
mod functions;
pub(crate) mod integer;
mod minifloat;
pub(crate) mod real;
mod resolve;
mod special;

use bytemuck::Pod;
use pygraph_artifact::{
    dtype::DType,
    scalar::{ScalarBody, ScalarInst},
};

pub(crate) use self::functions::f64_function;
pub use self::functions::is_f64_function;
use self::resolve::{Narrow, resolve};

/// No body may have more registers; keeps the memory for lanes in bounds.
pub const REGISTERS_MAX: usize = 1 << 16;

/// Lanes that are evaluated together at most.
pub const LANES_MAX: usize = 1024;

/// Memory that the lanes of a body should fit in: a part of a core's second-level cache.
const LANE_MEMORY_BYTES: usize = 256 << 10;

/// What a resolved operation sees.
#[derive(Clone, Copy)]
pub(crate) struct Operands<'a> {
    registers: [&'a [u128]; 3],
    count: usize,
    immediates: [i64; 2],
}

impl<'a> Operands<'a> {
    /// The lanes of one operand.
    fn lanes<T: Pod>(&self, operand: usize) -> &'a [T] {
        &bytemuck::cast_slice(self.registers[operand])[..self.count]
    }
}

/// An operation on lanes: reads operands, writes the result's lanes.
pub(crate) type LaneFn = fn(Operands<'_>, &mut [u128]);

/// The lanes of a register as elements.
pub(crate) fn lanes<T: Pod>(register: &[u128]) -> &[T] {
    bytemuck::cast_slice(register)
}

/// The lanes of a register as elements, to write.
pub(crate) fn lanes_mut<T: Pod>(register: &mut [u128]) -> &mut [T] {
    bytemuck::cast_slice_mut(register)
}

fn unary<T: Pod, R: Pod>(operands: Operands<'_>, out: &mut [u128], f: impl Fn(T) -> R) {
    let values = operands.lanes::<T>(0);
    for (result, value) in lanes_mut::<R>(out)[..values.len()].iter_mut().zip(values) {
        *result = f(*value);
    }
}

fn binary<T: Pod, R: Pod>(operands: Operands<'_>, out: &mut [u128], f: impl Fn(T, T) -> R) {
    let (left, right) = (operands.lanes::<T>(0), operands.lanes::<T>(1));
    for ((result, left), right) in lanes_mut::<R>(out)[..left.len()].iter_mut().zip(left).zip(right) {
        *result = f(*left, *right);
    }
}

struct Step {
    function: LaneFn,
    operands: [usize; 3],
    out: usize,
    immediates: [i64; 2],
    narrow: Narrow,
}

/// A register's place among the lanes.
#[derive(Debug, Clone, Copy)]
struct Slot {
    index: usize,
    dtype: DType,
}

/// A scalar program, ready to run on lanes.
pub struct PreparedBody {
    /// Bytes an element of each slot.
    slot_bytes: Vec<usize>,
    inputs: Vec<Slot>,
    constants: Vec<(Slot, u128)>,
    indices: Vec<(Slot, u32)>,
    steps: Vec<Step>,
    outputs: Vec<Slot>,
}

impl std::fmt::Debug for PreparedBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PreparedBody").field("inputs", &self.inputs).field("outputs", &self.outputs).finish()
    }
}

/// The lanes that a body computes with.
pub struct Registers {
    slots: Vec<Vec<u128>>,
}

impl PreparedBody {
    /// Checks a body and resolves its operations; says why where it is not well formed.
    pub fn new(body: &ScalarBody) -> Result<PreparedBody, String> {
        let register_count = body.inputs.len().saturating_add(body.instructions.len());
        if register_count > REGISTERS_MAX {
            return Err(format!("scalar body has {register_count} registers, at most {REGISTERS_MAX} are supported"));
        }
        let types = body.register_types().ok_or("scalar body is not well typed")?;
        if let Some(register) = body.outputs.iter().find(|register| **register as usize >= types.len()) {
            return Err(format!("scalar body yields register {register} of {}", types.len()));
        }
        Ok(assign(body, &types))
    }

    /// Types of the inputs.
    pub fn input_types(&self) -> impl Iterator<Item = DType> {
        self.inputs.iter().map(|slot| slot.dtype)
    }

    /// Types of the results.
    pub fn output_types(&self) -> impl Iterator<Item = DType> {
        self.outputs.iter().map(|slot| slot.dtype)
    }

    /// True if the body computes nothing and yields its inputs.
    pub fn is_identity(&self) -> bool {
        self.steps.is_empty()
            && self.inputs.len() == self.outputs.len()
            && self.inputs.iter().zip(&self.outputs).all(|(input, output)| input.index == output.index)
    }

    /// The dimensions whose positions the body reads, one a use.
    pub fn index_dimensions(&self) -> impl Iterator<Item = u32> {
        self.indices.iter().map(|(_, dimension)| *dimension)
    }

    /// How many lanes to evaluate together so that all registers stay in cache.
    pub fn preferred_lanes(&self) -> usize {
        let bytes: usize = self.slot_bytes.iter().sum();
        (LANE_MEMORY_BYTES / bytes.max(1)).clamp(16, LANES_MAX)
    }

    /// Room for `lane_count` lanes, with the constants filled in.
    pub fn registers(&self, lane_count: usize) -> Registers {
        let words = |bytes: &usize| vec![0; (bytes * lane_count).div_ceil(16)];
        let mut registers = Registers { slots: self.slot_bytes.iter().map(words).collect() };
        for (slot, bits) in &self.constants {
            fill(&mut registers.slots[slot.index], slot.dtype.size_bytes(), *bits);
        }
        registers
    }

    /// Where the lanes of an input go.
    pub fn input_mut<'a>(&self, registers: &'a mut Registers, input: usize) -> &'a mut [u128] {
        &mut registers.slots[self.inputs[input].index]
    }

    /// Where the positions of the `use_idx`th index instruction go, as `i64`.
    pub(crate) fn index_mut<'a>(&self, registers: &'a mut Registers, use_idx: usize) -> &'a mut [i64] {
        lanes_mut(&mut registers.slots[self.indices[use_idx].0.index])
    }

    /// The lanes of a result, after [`PreparedBody::run`].
    pub fn output<'a>(&self, registers: &'a Registers, output: usize) -> &'a [u128] {
        &registers.slots[self.outputs[output].index]
    }

    /// Evaluates the first `count` lanes. Inputs must be written again before the next run.
    pub fn run(&self, registers: &mut Registers, count: usize) {
        for step in &self.steps {
            let mut out = std::mem::take(&mut registers.slots[step.out]);
            let operand = |idx: usize| registers.slots[step.operands[idx]].as_slice();
            let operands = [operand(0), operand(1), operand(2)];
            (step.function)(Operands { registers: operands, count, immediates: step.immediates }, &mut out);
            step.narrow.apply(&mut out, count);
            registers.slots[step.out] = out;
        }
    }
}

/// Writes one element to all lanes.
pub(crate) fn fill(register: &mut [u128], size_bytes: usize, bits: u128) {
    match size_bytes {
        1 => lanes_mut::<u8>(register).fill(bits as u8),
        2 => lanes_mut::<u16>(register).fill(bits as u16),
        4 => lanes_mut::<u32>(register).fill(bits as u32),
        8 => lanes_mut::<u64>(register).fill(bits as u64),
        _ => register.fill(bits),
    }
}

/// Gives every register a slot, and a slot to the next register once its last reader has run.
fn assign(body: &ScalarBody, types: &[DType]) -> PreparedBody {
    let mut last_use = vec![0; types.len()];
    for (idx, instruction) in body.instructions.iter().enumerate() {
        if let ScalarInst::Op { operands, .. } = instruction {
            operands.iter().for_each(|register| last_use[*register as usize] = idx);
        }
    }
    body.outputs.iter().for_each(|register| last_use[*register as usize] = usize::MAX);

    let mut prepared = PreparedBody {
        slot_bytes: Vec::new(),
        inputs: Vec::new(),
        constants: Vec::new(),
        indices: Vec::new(),
        steps: Vec::new(),
        outputs: Vec::new(),
    };
    let mut free: Vec<usize> = Vec::new();
    let mut slots: Vec<Slot> = Vec::new();
    for dtype in &body.inputs {
        prepared.slot_bytes.push(dtype.size_bytes());
        slots.push(Slot { index: prepared.slot_bytes.len() - 1, dtype: *dtype });
    }
    prepared.inputs.clone_from(&slots);
    for (idx, instruction) in body.instructions.iter().enumerate() {
        let dtype = types[slots.len()];
        let bytes = dtype.size_bytes();
        let reusable = matches!(instruction, ScalarInst::Op { .. })
            .then(|| free.iter().position(|slot| prepared.slot_bytes[*slot] == bytes))
            .flatten();
        let index = match reusable {
            Some(position) => free.swap_remove(position),
            None => {
                prepared.slot_bytes.push(bytes);
                prepared.slot_bytes.len() - 1
            }
        };
        let slot = Slot { index, dtype };
        match instruction {
            ScalarInst::Constant { bits, .. } => prepared.constants.push((slot, *bits)),
            ScalarInst::Index { dimension } => prepared.indices.push((slot, *dimension)),
            ScalarInst::Op { op, operands, immediates, .. } => {
                let operand_types: Vec<DType> = operands.iter().map(|register| types[*register as usize]).collect();
                let (function, narrow) =
                    resolve(*op, &operand_types, dtype).expect("an accepted operation should have a function");
                let operand = |idx: usize| operands.get(idx).map_or(0, |register| slots[*register as usize].index);
                prepared.steps.push(Step {
                    function,
                    operands: [operand(0), operand(1), operand(2)],
                    out: index,
                    immediates: [0, 1].map(|idx| immediates.get(idx).copied().unwrap_or(0)),
                    narrow,
                });
                release(body, operands, &last_use, idx, &slots, &mut free);
            }
        }
        slots.push(slot);
    }
    prepared.outputs = body.outputs.iter().map(|register| slots[*register as usize]).collect();
    prepared
}

/// Frees the slots of operands that nobody reads any more. Constants stay: they are filled in once.
fn release(body: &ScalarBody, operands: &[u32], last_use: &[usize], idx: usize, slots: &[Slot], free: &mut Vec<usize>) {
    for register in operands {
        let register = *register as usize;
        let instruction = register.checked_sub(body.inputs.len()).map(|idx| &body.instructions[idx]);
        let is_constant = matches!(instruction, Some(ScalarInst::Constant { .. }));
        let slot = slots[register].index;
        if last_use[register] == idx && !is_constant && !free.contains(&slot) {
            free.push(slot);
        }
    }
}
