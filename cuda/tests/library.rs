//! Products that a library is offered: what it is told of them, and what the kernels after it do. The product itself is computed here, as
//! a library would.

mod support;

use pygraph_artifact::{
    device_code::{Argument, STATUS_BYTES},
    dtype::DType,
    library::{Library, Offer, Product, Side, check_offer},
    plan::{Access, BufferId, Fused, FusedOperand, Nest, Place, Program, Work},
    scalar::{ScalarBody, ScalarInst, ScalarOp},
};
use pygraph_cuda::{Source, emulate::Emulator};
use support::{
    Case,
    kernels::{Array, call, ints, output, random},
    source_of,
};

/// Which dimensions are of the batch and which are contracted, of the left side and of the right one.
type Dims = [&'static [i64]; 4];

const ALONG: Dims = [&[], &[1], &[], &[1]];
const ACROSS: Dims = [&[], &[1], &[], &[0]];

fn contract(dtype: DType, lhs: &[u64], rhs: &[u64], out: &[u64], dims: Dims) -> Case {
    let names = ["lhs_batch", "lhs_contract", "rhs_batch", "rhs_contract"];
    let attributes: Vec<_> = names.into_iter().zip(dims).map(|(name, list)| (name, ints(list))).collect();
    let inputs = vec![random(dtype, lhs, 1), random(dtype, rhs, 2)];
    call("product", "contract", &attributes, &[], inputs, vec![output(DType::F32, out)])
}

/// A product in f32 and a residual that is added; the sum lies as `strides` say.
fn with_residual(strides: [i64; 2]) -> Case {
    let case = contract(DType::F32, &[64, 40], &[72, 40], &[64, 72], ALONG);
    let Work::Kernel(mut kernel) = case.work else { panic!("a call should be a kernel") };
    kernel.outputs = vec![BufferId(4)];
    let access = |buffer, strides: [i64; 2]| Access { buffer: BufferId(buffer), offset: 0, strides: strides.to_vec() };
    let add = ScalarInst::Op { op: ScalarOp::Add, dtype: DType::F32, operands: vec![0, 1], immediates: vec![] };
    let stage = Nest {
        extents: vec![64, 72],
        reduction_dims: 0,
        inputs: vec![access(4, [72, 1]), access(2, [72, 1])],
        outputs: vec![access(3, strides)],
        map: ScalarBody { inputs: vec![DType::F32; 2], instructions: vec![add], outputs: vec![2] },
        combine: None,
    };
    let operands = (0..4).map(|number| FusedOperand::Buffer(BufferId(number)));
    let product = FusedOperand::Temporary { dtype: DType::F32, shape: vec![64, 72] };
    let operands = operands.chain([product]).collect();
    let fused = Fused { rows: 1, operands, prologue: vec![], kernel: Some(kernel), stages: vec![stage] };
    let mut arrays: Vec<Array> = case.arrays[..2].to_vec();
    arrays.extend([random(DType::F32, &[64, 72], 3), output(DType::F32, &[4608])]);
    Case { shift: 0, name: "residual".to_string(), work: Work::Fused(fused), arrays }
}

fn library_of(source: &Source) -> &Library {
    &source.programs[0].launches[0].library
}

fn offer_of(source: &Source) -> &Offer {
    match library_of(source) {
        Library::Offer(offer) => offer,
        other => panic!("a library should be offered it: {other:?}"),
    }
}

fn arena_offset(program: &Program, id: BufferId) -> usize {
    match program.buffers[id.0 as usize].place {
        Place::Arena { offset } => offset as usize,
        _ => unreachable!("arrays of a case lie in its arena"),
    }
}

/// What a library does: `read` and `write` are at bytes of where the sides and the output lie.
fn compute(product: &Product, inputs: [usize; 2], output: usize, memory: &mut [Vec<u8>; 2], output_in: usize) {
    assert_eq!((product.dtype, product.output), (DType::F32, DType::F32));
    let number = |memory: &[u8], from: usize, at: u64| {
        let at = from + at as usize * 4;
        f64::from(f32::from_le_bytes(memory[at..at + 4].try_into().expect("four bytes")))
    };
    let at = |side: &Side, batch: u64, row: u64, term: u64| {
        let (line, inner) = if side.is_across { (term, row) } else { (row, term) };
        batch * side.batch + line * side.line + inner
    };
    for batch in 0..product.batches {
        for row in 0..product.rows {
            for column in 0..product.columns {
                let term = |term| {
                    let left = number(&memory[0], inputs[0], at(&product.left, batch, row, term));
                    left * number(&memory[0], inputs[1], at(&product.right, batch, column, term))
                };
                let sum = (0..product.terms).map(term).sum::<f64>() as f32;
                let to = output + ((batch * product.rows + row) * product.columns + column) as usize * 4;
                memory[output_in][to..to + 4].copy_from_slice(&sum.to_le_bytes());
            }
        }
    }
}

/// Compares what a library and the kernels after it give with the plain executor.
fn check(case: &Case) {
    let (source, program) = (source_of(std::slice::from_ref(case)), case.program());
    let (offer, device) = (offer_of(&source), &source.programs[0]);
    check_offer(offer, &program, device).expect("an offer should be valid");
    let mut arena = vec![0_u8; program.arena_bytes as usize];
    for (number, (_, _, bytes)) in case.arrays.iter().enumerate() {
        let offset = arena_offset(&program, BufferId(number as u32));
        arena[offset..offset + bytes.len()].copy_from_slice(bytes);
    }
    let place = |argument: Argument| match argument {
        Argument::Buffer(id) => (0, arena_offset(&program, id)),
        Argument::Scratch { offset } => (1, offset as usize),
        Argument::Status => unreachable!("no product is a status"),
    };
    let mut memory = [arena, vec![0xa5; device.scratch_bytes as usize]];
    let (output_in, output) = place(offer.output);
    compute(&offer.product, offer.inputs.map(|input| place(input).1), output, &mut memory, output_in);
    let folder = tempfile::tempdir().expect("a temporary folder should be made");
    let emulator = Emulator::compile(&source, &pygraph_cuda::emulate::clang(), folder.path()).expect("it compiles");
    let [arena, scratch] = &mut memory;
    let base = arena.as_mut_ptr();
    for call in &offer.after {
        let buffer = |id: BufferId| base.wrapping_add(arena_offset(&program, id));
        // SAFETY: buffers lie in the arena, which is as large as the program says.
        unsafe { emulator.run(call, &buffer, scratch, &mut [0; STATUS_BYTES as usize]) };
    }
    for (number, want) in case.expected().iter().enumerate() {
        let offset = arena_offset(&program, BufferId(number as u32));
        let floats = |bytes: &[u8]| -> Vec<f32> {
            bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().expect("four bytes"))).collect()
        };
        for (got, want) in floats(&arena[offset..offset + want.len()]).iter().zip(floats(want)) {
            assert!((got - want).abs() <= 1e-4 * want.abs().max(1.0), "array {number}: {got} is not {want}");
        }
    }
}

#[test]
fn products_lie_as_a_library_is_told() {
    check(&contract(DType::F32, &[64, 40], &[72, 40], &[64, 72], ALONG));
    check(&contract(DType::F32, &[64, 40], &[40, 72], &[64, 72], ACROSS));
    check(&contract(DType::F32, &[40, 2, 32], &[72, 40], &[2, 32, 72], [&[], &[0], &[], &[1]]));
    // Heads are batches, apart by their features.
    check(&contract(DType::F32, &[64, 3, 8], &[80, 3, 8], &[3, 64, 80], [&[1], &[2], &[1], &[2]]));
}

#[test]
fn elementwise_work_behind_a_library_is_a_kernel_of_its_own() {
    let source = source_of(&[with_residual([72, 1])]);
    // The product lies where the sum will: there is no other memory for it.
    assert_eq!(offer_of(&source).output, Argument::Buffer(BufferId(3)));
    check(&with_residual([72, 1]));
    let source = source_of(&[with_residual([1, 64])]);
    assert!(matches!(offer_of(&source).output, Argument::Scratch { .. }));
    check(&with_residual([1, 64]));
}

#[test]
fn what_is_no_librarys_says_why() {
    let reason = |case: Case| match library_of(&source_of(&[case])).clone() {
        Library::Refused(reason) => reason,
        other => panic!("it should be refused: {other:?}"),
    };
    assert_eq!(reason(contract(DType::F32, &[63, 40], &[72, 40], &[63, 72], ALONG)), "it has few rows");
    let types = "its types are not those of a library's products";
    assert_eq!(reason(contract(DType::F64, &[64, 40], &[72, 40], &[64, 72], ALONG)), types);
    // Terms that lie in two dimensions with a gap between.
    let gaps = contract(DType::F32, &[4, 64, 10], &[72, 4, 10], &[64, 72], [&[], &[0, 2], &[], &[1, 2]]);
    assert_eq!(reason(gaps), "its matrices do not lie as a library takes them");
}

#[test]
fn offers_that_reach_beyond_their_arrays_are_refused() {
    let case = contract(DType::F32, &[64, 40], &[72, 40], &[64, 72], ALONG);
    let (source, program) = (source_of(std::slice::from_ref(&case)), case.program());
    let refused = |change: &dyn Fn(&mut Offer)| {
        let mut offer = offer_of(&source).clone();
        change(&mut offer);
        check_offer(&offer, &program, &source.programs[0]).expect_err("it should be refused")
    };
    assert_eq!(refused(&|offer| offer.product.rows = 65), "a library is offered buffer 0 as 2600 elements of f32");
    assert_eq!(refused(&|offer| offer.product.left.line = 41), "a library is offered buffer 0 as 2623 elements of f32");
    assert_eq!(refused(&|offer| offer.product.left.line = 39), "lines of 40 elements lie 39 apart");
    assert_eq!(refused(&|offer| offer.product.batches = 0), "a library is offered a product of 0x64x72x40");
    assert_eq!(refused(&|offer| offer.product.dtype = DType::I32), "a library is offered a product of i32 in f32");
    assert_eq!(refused(&|offer| offer.inputs[0] = Argument::Status), "a library is offered the status");
    assert_eq!(refused(&|offer| offer.output = Argument::Buffer(BufferId(9))), "there is no buffer 9");
    let scratch = refused(&|offer| offer.output = Argument::Scratch { offset: 1 << 40 });
    assert!(scratch.starts_with("a library is offered scratch memory at 1099511627776 of "), "{scratch}");
    let batches = |offer: &mut Offer| {
        offer.product.batches = 3;
        offer.product.left.batch = u64::MAX;
    };
    assert_eq!(refused(&batches), "a product has more elements than can be counted");
}
