//! Kernels on small calls, and every refusal.

use half::bf16;
use pygraph_artifact::{
    dtype::DType,
    plan::{BufferId, KernelAttr, KernelCall, Work},
    scalar::{ScalarBody, ScalarInst, ScalarOp},
};

use crate::{
    memory::{Arena, Bytes},
    tensor::TensorType,
    work::{self, ExecuteError},
};

mod attention;
mod contract;
mod convolution;
mod indexing;
mod ordering;
mod random;
mod solvers;
mod windows;

/// An array with its contents.
#[derive(Debug, Clone)]
struct Tensor {
    dtype: DType,
    shape: Vec<u64>,
    bytes: Bytes,
}

/// Rust types that elements of one type are stored as.
trait Element: bytemuck::Pod + PartialEq + std::fmt::Debug {
    const DTYPE: DType;
}

macro_rules! element {
    ($($t:ty, $dtype:ident;)*) => { $(impl Element for $t { const DTYPE: DType = DType::$dtype; })* };
}
element! {
    i8, I8; i32, I32; i64, I64; u8, U8; u32, U32; u64, U64; f32, F32; f64, F64; bf16, Bf16; half::f16, F16;
    num_complex::Complex<f32>, C64;
}

fn tensor<T: Element>(shape: &[u64], values: &[T]) -> Tensor {
    typed(T::DTYPE, shape, values)
}

fn typed<T: bytemuck::Pod>(dtype: DType, shape: &[u64], values: &[T]) -> Tensor {
    assert_eq!(shape.iter().product::<u64>(), values.len() as u64, "a tensor should have all its elements");
    Tensor { dtype, shape: shape.to_vec(), bytes: Bytes::copy_of(bytemuck::cast_slice(values)) }
}

fn zeros(dtype: DType, shape: &[u64]) -> Tensor {
    let count = shape.iter().product::<u64>() as usize;
    Tensor { dtype, shape: shape.to_vec(), bytes: Bytes::zeroed(count * dtype.size_bytes()) }
}

impl Tensor {
    fn values<T: Element>(&self) -> Vec<T> {
        bytemuck::cast_slice(self.bytes.as_slice()).to_vec()
    }
}

fn ints(values: &[i64]) -> KernelAttr {
    KernelAttr::Ints(values.to_vec())
}

fn op(op: ScalarOp, dtype: DType, operands: &[u32]) -> ScalarInst {
    ScalarInst::Op { op, dtype, operands: operands.to_vec(), immediates: vec![] }
}

/// A body of one operation on two inputs.
fn body(operation: ScalarOp, input: DType, output: DType) -> ScalarBody {
    ScalarBody { inputs: vec![input; 2], instructions: vec![op(operation, output, &[0, 1])], outputs: vec![2] }
}

/// A call as a test states it.
#[derive(Debug, Clone)]
struct Case {
    kernel: &'static str,
    attributes: Vec<(&'static str, KernelAttr)>,
    bodies: Vec<ScalarBody>,
    inputs: Vec<Tensor>,
    outputs: Vec<Tensor>,
}

impl Case {
    fn work(&self) -> Work {
        let count = self.inputs.len() as u32;
        let mut attributes: Vec<(String, KernelAttr)> =
            self.attributes.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
        attributes.sort_by(|a, b| a.0.cmp(&b.0));
        Work::Kernel(KernelCall {
            kernel: self.kernel.to_string(),
            inputs: (0..count).map(BufferId).collect(),
            outputs: (count..count + self.outputs.len() as u32).map(BufferId).collect(),
            attributes,
            bodies: self.bodies.clone(),
        })
    }

    fn run(&self) -> Result<Vec<Tensor>, ExecuteError> {
        let mut all: Vec<Tensor> = self.inputs.iter().chain(&self.outputs).cloned().collect();
        let mut contents: Vec<Bytes> = all.iter().map(|tensor| tensor.bytes.clone()).collect();
        let types: Vec<TensorType<'_>> =
            all.iter().map(|tensor| TensorType::dense(tensor.dtype, &tensor.shape)).collect();
        work::execute(&self.work(), &types, &mut contents)?;
        for (tensor, bytes) in all.iter_mut().zip(contents) {
            tensor.bytes = bytes;
        }
        Ok(all.split_off(self.inputs.len()))
    }

    /// The elements of the first output.
    fn first<T: Element>(&self) -> Vec<T> {
        self.run().expect("the call should run")[0].values()
    }

    /// Checks that a changed case is refused with a message.
    fn refuses(&self, change: impl FnOnce(&mut Case), message: &str) {
        let mut case = self.clone();
        change(&mut case);
        assert_eq!(case.run().expect_err("the call should be refused").to_string(), message);
    }

    fn set(&mut self, name: &str, value: KernelAttr) {
        let attribute = self.attributes.iter_mut().find(|(of, _)| *of == name);
        attribute.expect("the case should have the attribute").1 = value;
    }
}

fn check_case(kernel: &'static str, got: Tensor, want: Tensor) -> Case {
    let attributes = match kernel {
        "check_equal" => vec![],
        "check_almost_equal" => vec![("tolerance", KernelAttr::Float(1e-3))],
        _ => vec![("min_ulp_difference", KernelAttr::Int(0)), ("max_ulp_difference", KernelAttr::Int(3))],
    };
    Case { kernel, attributes, bodies: vec![], inputs: vec![got, want], outputs: vec![] }
}

#[test]
fn assertions_hold_or_say_where_they_do_not() {
    let of = |values: &[f32]| tensor(&[1, values.len() as u64], values);
    let up = |value: f32, ulps: u32| f32::from_bits(value.to_bits() + ulps);
    for kernel in ["check_equal", "check_almost_equal", "check_close"] {
        let same = of(&[1.0, f32::NAN, f32::INFINITY, -0.0]);
        check_case(kernel, same.clone(), same).run().expect("equal inputs should pass");
        check_case(kernel, tensor(&[0], &[0i32; 0]), tensor(&[0], &[0i32; 0]))
            .run()
            .expect("nothing differs in nothing");
    }
    check_case("check_close", of(&[1.0, -0.0]), of(&[up(1.0, 3), 0.0])).run().expect("3 units should pass");
    check_case("check_almost_equal", of(&[1.0]), of(&[1.0009])).run().expect("less than 1e-3 should pass");
    let fails = |case: Case, message: &str| case.refuses(|_| {}, message);
    fails(check_case("check_equal", of(&[0.0]), of(&[-0.0])), "at [0, 0], 0.0 is not equal to -0.0");
    fails(check_case("check_equal", tensor(&[], &[3i32]), tensor(&[], &[4])), "at [], 3 is not equal to 4");
    fails(
        check_case("check_close", of(&[2.0, 1.0]), of(&[2.0, up(1.0, 4)])),
        "at [0, 1], 1.0 is not 0 to 3 units in the last place from 1.0000005",
    );
    fails(
        check_case("check_almost_equal", of(&[f32::INFINITY]), of(&[1.0])),
        "at [0, 0], inf is not within 0.001 of 1.0",
    );
    let complex = num_complex::Complex::new;
    fails(
        check_case("check_equal", tensor(&[], &[complex(1f32, 2.0)]), tensor(&[], &[complex(1.0, 3.0)])),
        "at [], (1.0, 2.0) is not equal to (1.0, 3.0)",
    );
    fails(
        check_case("check_equal", of(&[1.0]), tensor(&[1, 1], &[1i32])),
        "check_equal: input 1 is [1, 1] of i32, not [1, 1] of f32",
    );
    let close = check_case("check_close", of(&[1.0]), of(&[1.0]));
    close.refuses(
        |case| case.set("min_ulp_difference", KernelAttr::Int(4)),
        "check_close: asks for a difference of 4 to 3 units",
    );
    let almost = check_case("check_almost_equal", of(&[1.0]), of(&[1.0]));
    almost.refuses(
        |case| case.set("tolerance", KernelAttr::Float(-1.0)),
        "check_almost_equal: tolerance is -1, not at least 0",
    );
}

#[test]
fn calls_that_do_not_fit_the_manifest_are_refused() {
    let case = check_case("check_close", tensor(&[], &[1i32]), tensor(&[], &[1i32]));
    case.refuses(|case| case.kernel = "frobnicate", "there is no kernel named `frobnicate`");
    case.refuses(|case| case.attributes.truncate(1), "check_close lacks the attribute `max_ulp_difference`");
    case.refuses(|case| case.attributes.push(("k", KernelAttr::Int(1))), "check_close has no attribute `k`");
    case.refuses(
        |case| case.set("max_ulp_difference", KernelAttr::Bool(true)),
        "check_close: attribute `max_ulp_difference` is Bool, not Int",
    );
    case.refuses(
        |case| case.attributes.push(("max_ulp_difference", KernelAttr::Int(1))),
        "check_close: its attributes are not sorted by name, each once",
    );
    case.refuses(|case| case.bodies.push(ScalarBody::default()), "check_close takes 0 bodies, not 1");
    case.refuses(
        |case| {
            case.inputs.pop();
        },
        "check_close: takes 2 inputs and 0 outputs, not 1 and 0",
    );
    let Work::Kernel(mut call) = case.work() else { unreachable!("a case should be a kernel call") };
    let refuses = |call: &KernelCall, shape: &[u64], message: &str| {
        let ty = TensorType::dense(DType::I32, shape);
        assert_eq!(work::prepare(&Work::Kernel(call.clone()), &[ty, ty]).expect_err("it should be refused"), message);
    };
    refuses(&call, &[u64::MAX, 2], "buffer 0 of shape [18446744073709551615, 2] is too large");
    call.inputs[1].0 = 5;
    refuses(&call, &[], "buffer 5 of 2 does not exist");
}

#[test]
fn the_manifest_is_sorted_and_finds_its_kernels() {
    let names: Vec<&str> = crate::manifest::KERNELS.iter().map(|kernel| kernel.name).collect();
    assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
    assert!(names.iter().all(|name| crate::manifest::find(name).is_some()));
}

#[test]
fn overlapping_buffers_are_refused_unless_the_kernel_works_in_place() {
    let offset = tensor(&[], &[1i32]);
    let update = Case {
        kernel: "dynamic_update_slice",
        attributes: vec![],
        bodies: vec![],
        inputs: vec![tensor(&[4], &[1i32, 2, 3, 4]), tensor(&[2], &[8i32, 9]), offset.clone()],
        outputs: vec![zeros(DType::I32, &[4])],
    };
    let types: Vec<TensorType<'_>> = update
        .inputs
        .iter()
        .chain(&update.outputs)
        .map(|tensor| TensorType::dense(tensor.dtype, &tensor.shape))
        .collect();
    let prepared = work::prepare(&update.work(), &types).expect("the call should be right");
    let mut memory = Bytes::copy_of(bytemuck::cast_slice(&[1i32, 2, 3, 4, 8, 9, 1, 0]));
    let arena = Arena::new(memory.as_mut_slice());
    let at = |offset: u64, size| arena.buffer(offset, size).expect("the buffer should fit");
    let mut buffers = [at(0, 16), at(16, 8), at(24, 4), at(0, 16)];
    // The update lies at a multiple of 8 only: it is copied to where a reference expects it.
    prepared.run(&buffers).expect("in place should work");
    buffers[1] = at(8, 8);
    let error = prepared.run(&buffers).expect_err("an overlapping update should be refused");
    assert_eq!(error.to_string(), "buffer 3 is written where the launch also uses buffer 1");
    assert_eq!(bytemuck::cast_slice::<u8, i32>(&memory.as_slice()[..16]), [1, 8, 9, 4]);
}
