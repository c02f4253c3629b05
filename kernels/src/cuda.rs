//! How a kernel of the manifest runs on a GPU: a skeleton in CUDA C++ and the rule by which it is launched.
//!
//! A skeleton lies beside its kernel's reference (`gather.cu` beside `gather.rs`). It is compiled for each call anew, behind
//! constants that say what the call is:
//!
//! - of input 0 `typedef … In0`, `IN0_RANK`, `IN0_COUNT`, `IN0_SHAPE[]`, `IN0_STRIDES[]` (in elements), `IN0_IS_DENSE`, `IN0_IS_ALIGNED` (it begins at
//!   a multiple of 16 bytes), and of inputs alone `IN0_IN_PLACE` (it lies where an output does), `IN0_IS_FIXED` (no kernel of the
//!   program writes it; `INPUTS_ARE_FIXED[0]` too) and `IN0_IS_MADE` (a prologue makes its elements); of outputs the others with `Out0` and `OUT0_`;
//! - of attributes `A_name`: a `bool`, an `i64`, an array with `A_name_COUNT`, for a float its bits `A_name_BITS`, for a text that
//!   names a type that type;
//! - of a scalar program `Body0::apply(inputs…, outputs&…)`;
//! - what the launch rule adds as `i64` constants and lists of them;
//! - `LAUNCH_NUMBER` if a step takes the status.
//!
//! Functions take the arrays that their step names, as pointers; scratch memory as `u8*`, the counters and the status as `u32*`. Every kernel waits once
//! for those before it (`wait_for_earlier()`, see [`CudaStep::waits`]); blocks that share a result end it in the one that comes last (`comes_last()`).

use std::borrow::Cow;

use pygraph_artifact::library::Product;

use crate::manifest::CallType;

/// Code for GPUs.
#[derive(Debug)]
pub struct CudaDef {
    /// The skeleton's text.
    pub source: &'static str,
    /// The launch rule, for a call that was checked.
    pub plan: fn(&CallType<'_>) -> CudaPlan,
    /// True if functions hand each element of output 0 once to `store(output, number, value)`, or in runs to `store_run`, of whatever type
    /// `output` is: elementwise work behind the call is then done there.
    pub has_epilogue: bool,
    /// True if functions use inputs by `[element]`, `+` and `*` alone where `IN0_IS_MADE` (and so on) says that an input lies nowhere, of
    /// whatever type it is: elementwise work before the call is then done there.
    pub has_prologue: bool,
    /// True if blocks of its kernels use no shared memory, and their grids go along x alone: blocks of other launches may then be the same kernel's.
    pub is_light: bool,
    /// Small inputs that functions use by `[element]` alone, of whatever type they are: what makes them out of what no kernel writes is computed again
    /// there, so that nothing is waited for.
    pub remade: fn(&CallType<'_>) -> Vec<usize>,
}

impl CudaDef {
    /// Code with neither prologues nor an epilogue.
    pub const fn new(source: &'static str, plan: fn(&CallType<'_>) -> CudaPlan) -> CudaDef {
        CudaDef { source, plan, has_epilogue: false, has_prologue: false, is_light: false, remade: |_| Vec::new() }
    }

    /// The same where blocks use no shared memory, and grids go along x alone.
    pub const fn light(source: &'static str, plan: fn(&CallType<'_>) -> CudaPlan) -> CudaDef {
        CudaDef { is_light: true, ..CudaDef::new(source, plan) }
    }
}

/// How one call is launched.
#[derive(Debug, Clone, Default)]
pub struct CudaPlan {
    /// Further constants.
    pub constants: Vec<(&'static str, i64)>,
    /// Further lists of constants.
    pub lists: Vec<(&'static str, Vec<i64>)>,
    /// Sizes of parts of scratch memory, in bytes. Their content is unspecified at first.
    pub scratch: Vec<u64>,
    /// How many numbers of 32 bits there are in [`CudaOperand::Counters`]: zero before the call, which leaves them zero.
    pub counters: u64,
    /// Kernels, one after another.
    pub steps: Vec<CudaStep>,
    /// Whether a library may do the same.
    pub library: CudaLibrary,
}

/// Whether a library may compute a call: output 0 from inputs 0 and 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CudaLibrary {
    /// It is no product.
    #[default]
    Nothing,
    /// It is one that is no library's: why.
    Refused(&'static str),
    /// It may.
    Product(Product),
}

/// One function of the skeleton on a grid.
#[derive(Debug, Clone)]
pub struct CudaStep {
    /// Its name, with template arguments if it takes any.
    pub function: Cow<'static, str>,
    /// Blocks.
    pub grid: [u32; 3],
    /// Threads of a block.
    pub block: [u32; 3],
    /// Dynamic shared memory of a block, in bytes (`PYGRAPH_DYNAMIC_SHARED`); at most 99 KiB, which every GPU from sm_80 on has for a block,
    /// with what the skeleton declares.
    pub shared_bytes: u32,
    /// What it is given, in order.
    pub operands: Vec<CudaOperand>,
    /// Blocks that a multiprocessor has room for at a time, at least: what limits registers. 1 where nothing is asked.
    pub resident: u32,
    /// True if the function says `wait_for_earlier()` itself, in every thread of each block that touches memory which other kernels write, before it does; else
    /// its kernel does, before it calls the function. Blocks that have nothing to do may end at once, if another one waits.
    pub waits: bool,
}

/// What a function is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CudaOperand {
    /// An input of the call.
    Input(usize),
    /// An output.
    Output(usize),
    /// A part of scratch memory.
    Scratch(usize),
    /// The counters.
    Counters,
    /// The program's status.
    Status,
}

/// Multiprocessors of the card that launch rules have in mind, an H100.
pub const MULTIPROCESSORS: u64 = 132;

/// Threads of a block where nothing asks for another number.
pub const THREADS: u32 = 256;

/// Blocks along y and z of a grid, at most, as CUDA says.
pub const GRID_MAX: u64 = 65535;

/// Blocks of a grid, at most, of steps whose threads go on with further elements.
pub const BLOCKS_MAX: u64 = 2112;

/// A step of a thread an element, in a loop that strides over the grid; none if there are no elements.
pub fn over_elements(
    function: impl Into<Cow<'static, str>>,
    elements: u64,
    operands: Vec<CudaOperand>,
) -> Option<CudaStep> {
    let function = function.into();
    let blocks = elements.div_ceil(u64::from(THREADS)).min(BLOCKS_MAX) as u32;
    (blocks > 0).then_some(CudaStep {
        function,
        grid: [blocks, 1, 1],
        block: [THREADS, 1, 1],
        shared_bytes: 0,
        operands,
        resident: 1,
        waits: false,
    })
}

/// All inputs and then all outputs of a call.
pub fn all_operands(call: &CallType<'_>) -> Vec<CudaOperand> {
    let inputs = (0..call.inputs.len()).map(CudaOperand::Input);
    inputs.chain((0..call.outputs.len()).map(CudaOperand::Output)).collect()
}
