//! The manifest: every kernel that an artifact may name.
//!
//! Adding a kernel is one file with its [`KernelDef`] and one line in [`KERNELS`].

use pygraph_artifact::{plan::KernelAttr, scalar::ScalarBody};

use crate::cuda::CudaDef;
use crate::kernels;
use crate::tensor::{TensorMut, TensorRef, TensorType};

/// The kind of value that an attribute holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttrKind {
    /// [`KernelAttr::Bool`].
    Bool,
    /// [`KernelAttr::Int`].
    Int,
    /// [`KernelAttr::Ints`].
    Ints,
    /// [`KernelAttr::Float`].
    Float,
    /// [`KernelAttr::Text`].
    Text,
}

/// One attribute of a kernel; all are required.
#[derive(Debug)]
pub struct AttrDef {
    /// Name in the call.
    pub name: &'static str,
    /// Kind of its value.
    pub kind: AttrKind,
    /// What it means, in one line.
    pub doc: &'static str,
}

/// Everything there is to know about one kernel.
#[derive(Debug)]
pub struct KernelDef {
    /// Name in an artifact.
    pub name: &'static str,
    /// One line: what it computes.
    pub summary: &'static str,
    /// Its attributes.
    pub attributes: &'static [AttrDef],
    /// How many scalar programs a call brings.
    pub body_count: usize,
    /// Which inputs may lie where an output does.
    pub in_place: InPlace,
    /// Which inputs may have strides. An output may have some too, where it lies in such an input.
    pub strided: &'static [usize],
    /// True if stages of a fused launch may go on with its one output, part by part, in the order of its elements.
    pub takes_stages: bool,
    /// Refuses a call whose types, shapes or attributes do not fit, saying why. Runs before anything is executed.
    pub check: fn(&CallType) -> Result<(), String>,
    /// Computes the outputs from the inputs, plainly.
    pub reference: fn(&Call, &mut [TensorMut]) -> Result<(), KernelError>,
    /// Computes them on a GPU.
    pub cuda: CudaDef,
}

/// Which inputs of a kernel may lie where an output does, address for address.
///
/// The reference then sees no bytes of such an input, and the output holds its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InPlace {
    /// None.
    Never,
    /// The first input, where the first output lies.
    First,
    /// Each of the first inputs, where the output of the same number lies.
    Each,
}

/// A call without its data: what a check sees.
#[derive(Debug)]
pub struct CallType<'a> {
    /// Types of the inputs.
    pub inputs: &'a [TensorType<'a>],
    /// Types of the outputs.
    pub outputs: &'a [TensorType<'a>],
    /// Sorted by name.
    pub attributes: &'a [(String, KernelAttr)],
    /// Scalar programs, well formed.
    pub bodies: &'a [ScalarBody],
    /// True for the inputs that lie where an output does. Only a launch rule is told: others see none.
    pub in_place: &'a [bool],
}

/// A call that was checked, with its data: what a reference sees beside its outputs.
#[derive(Debug)]
pub struct Call<'a> {
    /// Inputs.
    pub inputs: &'a [TensorRef<'a>],
    /// Sorted by name.
    pub attributes: &'a [(String, KernelAttr)],
    /// Scalar programs.
    pub bodies: &'a [ScalarBody],
}

/// What can go wrong inside a kernel that was checked.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// A buffer is not as large as the type it was prepared with.
    #[error("buffer {buffer} has {found} bytes, its type needs {expected}")]
    BufferSize {
        /// Its number.
        buffer: usize,
        /// What the type needs.
        expected: usize,
        /// What it has.
        found: usize,
    },
    /// A buffer is written that may only be read.
    #[error("buffer {buffer} is written, but may only be read")]
    ReadOnly {
        /// Its number.
        buffer: usize,
    },
    /// What is written overlaps something else that the launch uses.
    #[error("buffer {written} is written where the launch also uses buffer {other}")]
    Overlap {
        /// Number of the buffer that is written.
        written: usize,
        /// Number of the other buffer.
        other: usize,
    },
    /// A comparison that the model asks for does not hold.
    #[error("{message}")]
    Assertion {
        /// What differs, with the values.
        message: String,
    },
}

/// All kernels, by name.
pub static KERNELS: &[&KernelDef] = &[
    &kernels::attention::KERNEL,
    &kernels::check_almost_equal::KERNEL,
    &kernels::check_close::KERNEL,
    &kernels::check_equal::KERNEL,
    &kernels::cholesky::KERNEL,
    &kernels::contract::KERNEL,
    &kernels::convolution::KERNEL,
    &kernels::dynamic_slice::KERNEL,
    &kernels::dynamic_update_slice::KERNEL,
    &kernels::fft::KERNEL,
    &kernels::gather::KERNEL,
    &kernels::random_bits::KERNEL,
    &kernels::scan::KERNEL,
    &kernels::scatter::KERNEL,
    &kernels::select_and_scatter::KERNEL,
    &kernels::sort::KERNEL,
    &kernels::top_k::KERNEL,
    &kernels::triangular_solve::KERNEL,
];

/// The kernel of that name.
pub fn find(name: &str) -> Option<&'static KernelDef> {
    KERNELS.iter().copied().find(|kernel| kernel.name == name)
}
