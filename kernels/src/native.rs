//! Native code of an artifact: loading it, and the functions that it calls.

use std::{ffi::c_void, fmt, ops::Range, sync::Arc};

use memmap2::{Mmap, MmapMut};
use pygraph_artifact::{
    host_code::{HostCode, HostFunction, Target},
    scalar::ScalarOp,
};

use crate::scalar::f64_function;

/// A function of an image: `operands` are the addresses of the elements at index zero that its accesses name, inputs and
/// then outputs; `imports` is the table of what it calls; it computes the parallel points `from .. to`.
type Entry = unsafe extern "C" fn(operands: *const usize, imports: *const Import, from: u64, to: u64);

/// A function of the table, as an address: with as many `f64` as the operation has operands, and an `f64` result.
type Import = *const c_void;

/// Code that was loaded, executable.
pub struct NativeCode {
    image: Mmap,
    functions: Vec<HostFunction>,
    imports: Vec<Import>,
}

// SAFETY: the image and the functions that the table points to never change.
unsafe impl Send for NativeCode {}
// SAFETY: as above.
unsafe impl Sync for NativeCode {}

impl fmt::Debug for NativeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NativeCode({} functions, {} bytes)", self.functions.len(), self.image.len())
    }
}

impl NativeCode {
    /// Copies validated code to memory from which it can be executed, if this machine can execute it.
    pub fn load(code: &HostCode) -> Result<NativeCode, NativeError> {
        if !runs_here(&code.target) {
            let Target { triple, cpu } = code.target.clone();
            return Err(NativeError::Target { triple, cpu });
        }
        let import = |op: &ScalarOp| f64_function(*op).ok_or(NativeError::Import { op: op.name() });
        let imports = code.imports.iter().map(import).collect::<Result<_, _>>()?;
        let map = || {
            let mut image = MmapMut::map_anon(code.image.len().max(1))?;
            image[..code.image.len()].copy_from_slice(&code.image);
            image.make_exec()
        };
        let image = map().map_err(|source| NativeError::Map { source })?;
        Ok(NativeCode { image, functions: code.functions.clone(), imports })
    }

    /// A function of validated code.
    pub fn function(self: &Arc<Self>, number: u32) -> NativeFunction {
        NativeFunction { code: self.clone(), function: self.functions[number as usize] }
    }
}

/// One function of loaded code.
#[derive(Debug, Clone)]
pub struct NativeFunction {
    code: Arc<NativeCode>,
    function: HostFunction,
}

impl NativeFunction {
    /// Computes these parallel points of its nest.
    ///
    /// # Safety
    /// `operands` are what the nest of this function accesses, at index zero; nobody else writes what it touches.
    pub(crate) unsafe fn call(&self, operands: &[usize], points: Range<u64>) {
        assert_eq!(
            operands.len(),
            self.function.operands as usize,
            "a function should be given what its nest accesses"
        );
        let address = self.code.image.as_ptr().wrapping_add(self.function.offset as usize);
        // SAFETY: the maker of the code promises that a function with this signature begins at this offset.
        let entry = unsafe { std::mem::transmute::<*const u8, Entry>(address) };
        // SAFETY: the caller's promises are those that the code needs.
        unsafe { entry(operands.as_ptr(), self.code.imports.as_ptr(), points.start, points.end) }
    }
}

/// True if this machine executes code for that one.
fn runs_here(target: &Target) -> bool {
    target.triple.strip_prefix(std::env::consts::ARCH).is_some_and(|rest| rest.starts_with('-')) && has(&target.cpu)
}

#[cfg(target_arch = "x86_64")]
fn has(cpu: &str) -> bool {
    let v2 = || {
        is_x86_feature_detected!("sse4.2")
            && is_x86_feature_detected!("popcnt")
            && is_x86_feature_detected!("cmpxchg16b")
    };
    let v3 = || {
        is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("f16c")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("movbe")
    };
    let v4 = || {
        is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512cd")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
    };
    match cpu {
        "x86-64-v2" => v2(),
        "x86-64-v3" => v2() && v3(),
        "x86-64-v4" => v2() && v3() && v4(),
        _ => false,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn has(cpu: &str) -> bool {
    cpu == "generic"
}

/// Why code cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum NativeError {
    /// For another machine.
    #[error(
        "the artifact's host code is for {triple} with {cpu}, which this machine is not: compile the model again, or run it with --interpret"
    )]
    Target {
        /// LLVM's name of the architecture, system and binary interface.
        triple: String,
        /// LLVM's name of the least processor.
        cpu: String,
    },
    /// It calls what there is not.
    #[error("the artifact's host code calls `{op}` on f64, which is no function: compile the model again")]
    Import {
        /// The operation.
        op: &'static str,
    },
    /// No executable memory.
    #[error("cannot load the artifact's host code: {source}: --interpret runs the model without it")]
    Map {
        /// What the system says.
        source: std::io::Error,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(triple: &str, cpu: &str, import: ScalarOp) -> String {
        let target = Target { triple: triple.to_string(), cpu: cpu.to_string() };
        let code = HostCode { target, imports: vec![import], functions: Vec::new(), image: vec![0xc3] };
        NativeCode::load(&code).expect_err("it should be refused").to_string()
    }

    #[test]
    fn code_for_another_machine_is_refused_by_name() {
        let advice = "which this machine is not: compile the model again, or run it with --interpret";
        for (triple, cpu) in [("riscv64-unknown-linux-gnu", "generic-rv64"), ("x86_64-unknown-linux-gnu", "x86-64-v9")]
        {
            let expected = format!("the artifact's host code is for {triple} with {cpu}, {advice}");
            assert_eq!(refusal(triple, cpu, ScalarOp::Exp), expected);
        }
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn code_that_calls_what_there_is_not_is_refused() {
        assert_eq!(
            refusal("x86_64-unknown-linux-gnu", "x86-64-v2", ScalarOp::Select),
            "the artifact's host code calls `select` on f64, which is no function: compile the model again"
        );
    }
}
