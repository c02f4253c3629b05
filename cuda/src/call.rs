//! Kernels of the manifest.

use std::fmt::Write as _;

use pygraph_artifact::{
    dtype::DType,
    plan::{BufferId, KernelAttr, KernelCall, Place, Program},
};
use pygraph_kernels::{
    cuda::{CudaLibrary, CudaOperand},
    manifest::{self, CallType},
    tensor::TensorType,
};

use crate::{
    address::{is_aligned, is_fixed, is_indirect},
    arrays::Arrays,
    epilogue::Epilogue,
    kernel::{CallCode, LaunchCode, LaunchLibrary, NAME, Operand, Parameter, Start, global},
    nest::line,
    prologue::Prologue,
    scalar, types,
};

/// An array that a call reads or writes.
#[derive(Debug, Clone)]
pub struct Array {
    dtype: DType,
    shape: Vec<u64>,
    strides: Option<Vec<u64>>,
    /// None if it lies nowhere: a prologue makes its elements, or an epilogue takes them.
    operand: Option<Operand>,
    is_indirect: bool,
    /// Where it lies, if that is a place of the program.
    place: Option<Place>,
    /// True if no kernel of the program writes it.
    is_fixed: bool,
    /// True if it begins at a multiple of 16 bytes.
    is_aligned: bool,
}

impl Array {
    /// A buffer of a program.
    pub fn of_buffer(program: &Program, id: BufferId) -> Array {
        let buffer = &program.buffers[id.0 as usize];
        Array {
            dtype: buffer.dtype,
            shape: buffer.shape.clone(),
            strides: program.strides(buffer).map(<[u64]>::to_vec),
            operand: Some(Operand::Buffer(id)),
            is_indirect: is_indirect(program, id),
            place: Some(buffer.place),
            is_fixed: is_fixed(program, id),
            is_aligned: is_aligned(program, id),
        }
    }

    /// An array in scratch memory, or nowhere.
    pub fn temporary(dtype: DType, shape: Vec<u64>, operand: Option<Operand>) -> Array {
        Array {
            dtype,
            shape,
            strides: None,
            operand,
            is_indirect: false,
            place: None,
            is_fixed: false,
            is_aligned: false,
        }
    }

    fn ty(&self) -> TensorType<'_> {
        TensorType { dtype: self.dtype, shape: &self.shape, strides: self.strides.as_deref() }
    }
}

/// Elementwise work that a call's kernels do where they load and store.
#[derive(Debug, Default)]
pub struct Around {
    /// What makes inputs.
    pub prologues: Vec<Prologue>,
    /// What takes the result.
    pub epilogue: Option<Epilogue>,
}

impl Around {
    fn prologue(&self, input: usize) -> Option<&Prologue> {
        self.prologues.iter().find(|prologue| prologue.input() == input)
    }

    /// The struct that stands for an operand: its name, its first value, and the arrays that are the others.
    fn of(&self, operand: CudaOperand) -> Option<(String, Option<&'static str>, &Arrays)> {
        match operand {
            // Its elements are numbered from the first on.
            CudaOperand::Input(input) => {
                self.prologue(input).map(|prologue| (format!("Prologue{input}"), Some("0"), prologue.arrays()))
            }
            CudaOperand::Output(0) => {
                self.epilogue.as_ref().map(|epilogue| ("Epilogue".to_string(), None, epilogue.arrays()))
            }
            _ => None,
        }
    }
}

/// The kernels of a call. `array` finds what its operands are, `remade` what can make an input once more.
pub fn lower_call(
    call: &KernelCall,
    array: &dyn Fn(BufferId) -> Array,
    mut around: Around,
    remade: &dyn Fn(usize) -> Option<Prologue>,
    launch: &mut LaunchCode,
) -> Result<(), String> {
    let kernel = manifest::find(&call.kernel).ok_or_else(|| format!("there is no kernel `{}`", call.kernel))?;
    let cuda = &kernel.cuda;
    let inputs: Vec<Array> = call.inputs.iter().map(|id| array(*id)).collect();
    let outputs: Vec<Array> = call.outputs.iter().map(|id| array(*id)).collect();
    let input_types: Vec<TensorType<'_>> = inputs.iter().map(Array::ty).collect();
    let output_types: Vec<TensorType<'_>> = outputs.iter().map(Array::ty).collect();
    let lies_in = |input: &Array| outputs.iter().any(|output| input.place.is_some() && input.place == output.place);
    let in_place: Vec<bool> = inputs.iter().map(lies_in).collect();
    let ty = CallType {
        inputs: &input_types,
        outputs: &output_types,
        attributes: &call.attributes,
        bodies: &call.bodies,
        in_place: &in_place,
    };
    around.prologues.extend((cuda.remade)(&ty).into_iter().filter_map(remade));
    let is_fixed: Vec<bool> = inputs
        .iter()
        .enumerate()
        .map(|(number, input)| around.prologue(number).map_or(input.is_fixed, |made| made.arrays().are_fixed()))
        .collect();
    let plan = (cuda.plan)(&ty);
    launch.counters = 4 * plan.counters;
    let scratch: Vec<Operand> = plan.scratch.iter().map(|bytes| launch.add_scratch(*bytes)).collect();

    let mut common = format!("namespace {NAME}_of {{\n");
    inputs.iter().enumerate().for_each(|(number, array)| describe(&mut common, "In", number, array));
    outputs.iter().enumerate().for_each(|(number, array)| describe(&mut common, "Out", number, array));
    for number in 0..inputs.len() {
        line!(common, "constexpr bool IN{number}_IN_PLACE = {};", in_place[number]);
        line!(common, "constexpr bool IN{number}_IS_FIXED = {};", is_fixed[number]);
        line!(common, "constexpr bool IN{number}_IS_MADE = {};", around.prologue(number).is_some());
    }
    let all_fixed: Vec<&str> = is_fixed.iter().map(|is_fixed| if *is_fixed { "true" } else { "false" }).collect();
    line!(
        common,
        "constexpr bool INPUTS_ARE_FIXED[] = {{{}}};",
        if all_fixed.is_empty() { "false".to_string() } else { all_fixed.join(", ") }
    );
    call.attributes.iter().for_each(|(name, value)| describe_attribute(&mut common, name, value));
    for (name, value) in &plan.constants {
        line!(common, "constexpr i64 {name} = {value};");
    }
    plan.lists.iter().for_each(|(name, values)| constants(&mut common, name, values));
    // Kernels that do not report stay the same in every launch.
    if plan.steps.iter().any(|step| step.operands.contains(&CudaOperand::Status)) {
        line!(common, "constexpr i64 LAUNCH_NUMBER = {};", launch.number);
    }
    call.bodies.iter().enumerate().for_each(|(number, body)| describe_body(&mut common, number, body));
    around.prologues.iter().for_each(|prologue| common.push_str(prologue.text()));
    common.push_str(cuda.source);
    common.push_str(around.epilogue.as_ref().map_or("", Epilogue::text));
    common.push_str("}\n");
    call.attributes.iter().for_each(|(name, value)| forget_attribute(&mut common, name, value));

    let find = |operand: CudaOperand| match operand {
        CudaOperand::Input(number) => Some((&inputs[number], format!("In{number}"))),
        CudaOperand::Output(number) => Some((&outputs[number], format!("Out{number}"))),
        CudaOperand::Scratch(_) | CudaOperand::Counters | CudaOperand::Status => None,
    };
    for step in &plan.steps {
        let (mut parameters, mut operands, mut given) = (Vec::new(), Vec::new(), Vec::new());
        for operand in &step.operands {
            if let Some((name, first, arrays)) = around.of(*operand) {
                let fields: Vec<Parameter> = arrays.parameters(parameters.len()).collect();
                let values = first.into_iter().chain(fields.iter().map(|field| field.name.as_str()));
                given.push(format!("{NAME}_of::{name}{{{}}}", values.collect::<Vec<_>>().join(", ")));
                parameters.extend(fields);
                operands.extend(arrays.operands());
                continue;
            }
            let (element, is_indirect, own) = match (*operand, find(*operand)) {
                (_, Some((array, element))) => {
                    let own = array.operand.expect("what lies nowhere should be made or taken where it is used");
                    (format!("{NAME}_of::{element}"), array.is_indirect, own)
                }
                (CudaOperand::Scratch(of), _) => ("u8".to_string(), false, scratch[of]),
                (CudaOperand::Counters, _) => ("u32".to_string(), false, Operand::Counters),
                _ => ("u32".to_string(), false, Operand::Status),
            };
            let name = format!("p{}", parameters.len());
            given.push(name.clone());
            parameters.push(Parameter { name, element, is_indirect, is_aligned: false, is_fixed: false });
            operands.push(own);
        }
        let body = format!("{NAME}_of::{}({});\n", step.function, given.join(", "));
        let start = if step.waits { Start::OfItsOwn } else { Start::Late };
        let kernel = global(&parameters, step.block.iter().product(), start, &body);
        launch.calls.push(CallCode {
            text: kernel.behind(common.clone()).resident(step.resident),
            grid: step.grid,
            block: step.block,
            shared_bytes: step.shared_bytes,
            operands,
            is_light: cuda.is_light,
            is_free: false,
        });
    }
    launch.library = library(plan.library, &inputs, &outputs);
    Ok(())
}

/// The call for a library: it takes addresses that are always the same, of arrays without gaps.
fn library(found: CudaLibrary, inputs: &[Array], outputs: &[Array]) -> LaunchLibrary {
    let product = match found {
        CudaLibrary::Nothing => return LaunchLibrary::Nothing,
        CudaLibrary::Refused(reason) => return LaunchLibrary::Refused(reason),
        CudaLibrary::Product(product) => product,
    };
    let is_field = |array: &Array| array.is_indirect || matches!(array.place, Some(Place::Field { .. }));
    if inputs.iter().chain(outputs).any(is_field) {
        return LaunchLibrary::Refused("an address of it changes from step to step");
    }
    if inputs.iter().chain(outputs).any(|array| array.strides.is_some()) {
        return LaunchLibrary::Refused("an array of it is a cache");
    }
    let [Some(left), Some(right)] = [inputs[0].operand, inputs[1].operand] else {
        return LaunchLibrary::Nothing;
    };
    LaunchLibrary::Product { product, inputs: [left, right], output: outputs[0].operand, after: Vec::new() }
}

/// Type, rank, extents and strides of an array, as constants.
fn describe(text: &mut String, role: &str, number: usize, array: &Array) {
    let upper = format!("{}{number}", role.to_uppercase());
    let ty = array.ty();
    line!(text, "typedef {} {role}{number};", types::name(array.dtype));
    line!(text, "constexpr int {upper}_RANK = {};", array.shape.len());
    line!(text, "constexpr i64 {upper}_COUNT = {};", ty.element_count());
    line!(text, "constexpr bool {upper}_IS_DENSE = {};", array.strides.is_none());
    line!(text, "constexpr bool {upper}_IS_ALIGNED = {};", array.is_aligned);
    constants(text, &format!("{upper}_SHAPE"), &array.shape.iter().map(|extent| *extent as i64).collect::<Vec<_>>());
    constants(text, &format!("{upper}_STRIDES"), &ty.strides().iter().map(|stride| *stride as i64).collect::<Vec<_>>());
}

/// An array of integers; one of none has one element that nobody reads, since C++ has no such arrays.
fn constants(text: &mut String, name: &str, values: &[i64]) {
    let shown = if values.is_empty() {
        "0".to_string()
    } else {
        values.iter().map(i64::to_string).collect::<Vec<_>>().join(", ")
    };
    line!(text, "constexpr i64 {name}[] = {{{shown}}};");
}

fn describe_attribute(text: &mut String, name: &str, value: &KernelAttr) {
    match value {
        KernelAttr::Bool(value) => line!(text, "constexpr bool A_{name} = {value};"),
        KernelAttr::Int(value) => line!(text, "constexpr i64 A_{name} = {};", literal(*value)),
        KernelAttr::Ints(values) => {
            line!(text, "constexpr int A_{name}_COUNT = {};", values.len());
            constants(text, &format!("A_{name}"), values);
        }
        // Not every compiler takes infinities and the like as constants: bits are exact everywhere.
        KernelAttr::Float(value) => line!(text, "constexpr u64 A_{name}_BITS = 0x{:x}ull;", value.to_bits()),
        // A text names a type or a choice.
        KernelAttr::Text(value) => match value.parse::<DType>() {
            Ok(dtype) => line!(text, "typedef {} A_{name};", types::name(dtype)),
            Err(_) => line!(text, "#define A_{name}_IS_{value} 1"),
        },
    }
}

/// Macros know no namespaces: they end where the skeleton does.
fn forget_attribute(text: &mut String, name: &str, value: &KernelAttr) {
    if let KernelAttr::Text(value) = value
        && value.parse::<DType>().is_err()
    {
        line!(text, "#undef A_{name}_IS_{value}");
    }
}

fn literal(value: i64) -> String {
    if value == i64::MIN { "(-9223372036854775807ll - 1)".to_string() } else { format!("{value}ll") }
}

/// A scalar program as a struct `Body0` with a function `apply(inputs…, outputs&…)`.
fn describe_body(text: &mut String, number: usize, body: &pygraph_artifact::scalar::ScalarBody) {
    let types = body.register_types().expect("a valid call should have valid bodies");
    let names: Vec<String> = (0..body.inputs.len()).map(|input| format!("x{input}")).collect();
    let (statements, results) = scalar::statements(body, &types, "r", &names, &|_| "0".to_string());
    let inputs = names.iter().zip(&body.inputs).map(|(name, dtype)| format!("{} {name}", types::name(*dtype)));
    let outputs = body
        .outputs
        .iter()
        .enumerate()
        .map(|(output, register)| format!("{}& y{output}", types::name(types[*register as usize])));
    let parameters: Vec<String> = inputs.chain(outputs).collect();
    line!(text, "struct Body{number} {{\nstatic void apply({}) {{", parameters.join(", "));
    text.push_str(&statements);
    results.iter().enumerate().for_each(|(output, result)| line!(text, "y{output} = {result};"));
    line!(text, "}}\n}};");
}
