//! What is left of a fused product when a library computes the product: its elementwise work, as a kernel of its own.

use pygraph_artifact::plan::{Access, BufferId, Fused, FusedOperand, KernelCall, Nest, Place, Program};

use crate::{
    address,
    fused::points_call,
    kernel::{LaunchCode, LaunchLibrary, Operand, Parameter},
};

/// Adds the epilogue, which is the one stage of `fused`, to what a library leaves of the launch. The product lies where the stage puts its
/// result, if each element can be replaced there, else in scratch memory.
pub fn add_epilogue(program: &Program, fused: &Fused, kernel: &KernelCall, launch: &mut LaunchCode) {
    let LaunchLibrary::Product { output: None, .. } = &launch.library else { return };
    let (stage, product) = (&fused.stages[0], kernel.outputs[0]);
    let FusedOperand::Temporary { dtype, shape } = &fused.operands[product.0 as usize] else { return };
    let bytes = shape.iter().product::<u64>() * dtype.size_bytes() as u64;
    let (place, is_aligned) = match replaced(program, fused, kernel, stage) {
        Some(buffer) => (Operand::Buffer(buffer), address::is_aligned(program, buffer)),
        None => (launch.add_scratch(bytes), true),
    };
    let accesses = stage.inputs.iter().chain(&stage.outputs).enumerate();
    let (parameters, operands): (Vec<Parameter>, Vec<Operand>) = accesses
        .map(|(number, access)| {
            let name = format!("p{number}");
            match &fused.operands[access.buffer.0 as usize] {
                FusedOperand::Temporary { dtype, .. } => (Parameter::new(name, *dtype, false, is_aligned), place),
                FusedOperand::Buffer(id) => (Parameter::of_buffer(name, program, *id), Operand::Buffer(*id)),
            }
        })
        .unzip();
    let call = points_call(stage, &parameters, operands);
    if let LaunchLibrary::Product { output, after, .. } = &mut launch.library {
        *output = Some(place);
        after.push(call);
    }
}

/// The buffer in which each element of the product can lie until the stage replaces it by its result.
fn replaced(program: &Program, fused: &Fused, kernel: &KernelCall, stage: &Nest) -> Option<BufferId> {
    let product = kernel.outputs[0];
    let FusedOperand::Temporary { dtype, shape } = &fused.operands[product.0 as usize] else { return None };
    let [result] = &stage.outputs[..] else { return None };
    let FusedOperand::Buffer(id) = fused.operands[result.buffer.0 as usize] else { return None };
    let buffer = &program.buffers[id.0 as usize];
    let is_fixed = !matches!(buffer.place, Place::Field { .. }) && program.strides(buffer).is_none();
    let is_as_large = buffer.dtype == *dtype && buffer.shape.iter().product::<u64>() == shape.iter().product::<u64>();
    let reads = |access: &&Access| access.buffer == product;
    let source = stage.inputs.iter().find(reads)?;
    let is_same_element = (source.offset, &source.strides) == (result.offset, &result.strides);
    let others = stage.inputs.iter().filter(|access| access.buffer != product).map(|access| access.buffer);
    let is_read = others.chain(kernel.inputs.iter().copied()).any(|other| match fused.operands[other.0 as usize] {
        FusedOperand::Buffer(other) => address::may_overlap(program, other, id),
        FusedOperand::Temporary { .. } => false,
    });
    (is_fixed && is_as_large && is_same_element && !is_read).then_some(id)
}
