//! What a launch becomes: kernels one after another, each with its grid and what it is given.

use std::fmt::Write as _;

use pygraph_artifact::{
    dtype::DType,
    library::Product,
    plan::{BufferId, Program},
};

use crate::{
    address::{is_aligned, is_fixed, is_indirect},
    nest::Source,
    types,
};

/// Stands for a kernel's name in its text: kernels of one text are one kernel.
pub const NAME: &str = "KERNEL_NAME";

/// The kernels of a launch.
#[derive(Debug, Clone, Default)]
pub struct LaunchCode {
    /// Its number in the program, for what it writes into the status.
    pub number: u32,
    /// One after another.
    pub calls: Vec<CallCode>,
    /// Whether a library may do the same.
    pub library: LaunchLibrary,
    /// Sizes of the parts of scratch memory that they use, in bytes.
    pub scratch: Vec<u64>,
    /// Size of the part that is zero before and after them, in bytes.
    pub counters: u64,
}

impl LaunchCode {
    /// A part of scratch memory, as an operand.
    pub fn add_scratch(&mut self, bytes: u64) -> Operand {
        self.scratch.push(bytes);
        Operand::Scratch(self.scratch.len() - 1)
    }
}

/// Whether a library may run a launch.
#[derive(Debug, Clone, Default)]
pub enum LaunchLibrary {
    /// It is no product.
    #[default]
    Nothing,
    /// It is one that is no library's: why.
    Refused(&'static str),
    /// It may.
    Product {
        /// What is computed.
        product: Product,
        /// Where the two sides lie.
        inputs: [Operand; 2],
        /// Where the product goes; none if its own kernels hand its elements on.
        output: Option<Operand>,
        /// What is left to do.
        after: Vec<CallCode>,
    },
}

/// One kernel on a grid.
#[derive(Debug, Clone)]
pub struct CallCode {
    /// C++ text.
    pub text: KernelText,
    /// Blocks.
    pub grid: [u32; 3],
    /// Threads of a block.
    pub block: [u32; 3],
    /// Dynamic shared memory of a block, in bytes.
    pub shared_bytes: u32,
    /// One a parameter.
    pub operands: Vec<Operand>,
    /// True if blocks of other launches may be the same kernel's: the grid goes along x, and a block uses next to no shared memory.
    pub is_light: bool,
    /// True if threads wait for none of other warps: all blocks of a small grid can then be one.
    pub is_free: bool,
}

/// What a kernel is given the address of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operand {
    /// A buffer of the program.
    Buffer(BufferId),
    /// A part of the launch's scratch memory, by number.
    Scratch(usize),
    /// The launch's counters.
    Counters,
    /// The program's status.
    Status,
}

/// A parameter: an address, or the address of an address.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// The name of the array inside of the kernel.
    pub name: String,
    /// Its elements' C++ type.
    pub element: String,
    /// True if the kernel is given the address of its address.
    pub is_indirect: bool,
    /// True if the array is known to begin at a multiple of 16 bytes.
    pub is_aligned: bool,
    /// True if no kernel of the program writes the array.
    pub is_fixed: bool,
}

impl Parameter {
    /// An array of elements of a type, which kernels may write.
    pub fn new(name: String, dtype: DType, is_indirect: bool, is_aligned: bool) -> Parameter {
        Parameter { name, element: types::name(dtype).to_string(), is_indirect, is_aligned, is_fixed: false }
    }

    /// Where its elements are found.
    pub fn source(&self) -> Source {
        let Parameter { name, is_aligned, is_fixed, .. } = self;
        Source::Array { name: name.clone(), is_aligned: *is_aligned, is_fixed: *is_fixed }
    }

    /// A buffer of a program.
    pub fn of_buffer(name: String, program: &Program, id: BufferId) -> Parameter {
        let dtype = program.buffers[id.0 as usize].dtype;
        let parameter = Parameter::new(name, dtype, is_indirect(program, id), is_aligned(program, id));
        Parameter { is_fixed: is_fixed(program, id), ..parameter }
    }
}

/// When a kernel waits for those that its graph has before it. With programmatic dependent launches its blocks come to the card
/// while the last blocks of those still run; every kernel waits in some block, or what runs after it could run too early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Before anything of `body`.
    Late,
    /// Where `body` says `wait_for_earlier()`.
    OfItsOwn,
}

/// The text of a kernel, in which it is named [`NAME`].
#[derive(Debug, Clone)]
pub struct KernelText {
    /// What stands before it.
    before: String,
    /// What it does with its parameters.
    body: String,
    /// How many parameters it has.
    parameters: usize,
    /// Threads of a block, and how many blocks a multiprocessor has room for at least.
    threads: u32,
    resident: u32,
}

impl KernelText {
    /// A kernel of this many threads a block, whose `body` hands its parameters on, `a0` and so on.
    pub fn of_parts(before: String, body: String, parameters: usize, threads: u32) -> KernelText {
        KernelText { before, body, parameters, threads, resident: 1 }
    }

    /// The same behind another text.
    pub fn behind(self, before: String) -> KernelText {
        KernelText { before: before + &self.before, ..self }
    }

    /// The same with few enough registers for so many blocks a multiprocessor.
    pub fn resident(self, resident: u32) -> KernelText {
        KernelText { resident, ..self }
    }

    /// The kernel.
    pub fn kernel(&self) -> String {
        let (before, parameters, body) = (&self.before, parameters(0..self.parameters), &self.body);
        let bounds = match self.resident {
            0 | 1 => format!("__launch_bounds__({})", self.threads),
            resident => format!("__launch_bounds__({}, {resident})", self.threads),
        };
        format!("{before}extern \"C\" __global__ void {bounds} {NAME}({parameters}) {{\n{body}}}\n")
    }

    /// The same as a function of another name.
    pub fn function(&self, name: &str) -> String {
        let (before, parameters, body) = (&self.before, parameters(0..self.parameters), &self.body);
        format!("{before}inline void {NAME}({parameters}) {{\n{body}}}\n").replace(NAME, name)
    }
}

/// Parameters of a kernel: addresses.
pub fn parameters(numbers: std::ops::Range<usize>) -> String {
    numbers.map(|number| format!("void* a{number}")).collect::<Vec<_>>().join(", ")
}

/// A kernel of this many threads a block, with its parameters loaded before `body`.
///
/// Addresses of addresses are those of fields of a parameter block, which no kernel writes: they are loaded before it waits.
pub fn global(parameters: &[Parameter], threads: u32, start: Start, body: &str) -> KernelText {
    let mut text = String::new();
    for (number, Parameter { name, element, is_indirect, .. }) in parameters.iter().enumerate() {
        let address = if *is_indirect { format!("*({element}**)a{number}") } else { format!("({element}*)a{number}") };
        writeln!(text, "{element}* const {name} = {address};").expect("writing to a text should not fail");
    }
    text.push_str("let_later_start();\n");
    if start == Start::Late {
        text.push_str("wait_for_earlier();\n");
    }
    text.push_str(body);
    KernelText { before: String::new(), body: text, parameters: parameters.len(), threads, resident: 1 }
}
