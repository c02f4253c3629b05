//! `stablehlo`: what is computed, with StableHLO's names and meaning.

use super::{
    Opcode::StablehloReturn as RETURN,
    constraint::{
        ANY_TYPE,
        AttrKind::{
            Any, Array, Bool, BoolArray, ChannelHandle, ConvDimensions, Dense, Dictionary, DotAlgorithm, DotDimensions,
            Enum, EnumArray, GatherDimensions, I64Array, I64Matrix, Integer, Layouts, OutputOperandAliases,
            ReplicaGroups, ResultAccuracy, ScatterDimensions, String, Symbol, SymbolArray, Unit,
        },
        Form, TENSOR, TOKEN, TypeConstraint, form, ranked,
        sets::{ANY, BOOL, COMPLEX, FLOAT, INEXACT, INT, LOGIC, POSITION, QUANTIZED, SIGNED, UNSIGNED},
        tensor_of,
    },
    def::{Count, Effect, Facts, op},
    names::Stablehlo::{self, *},
    rules::{collectives, contract, control, convolve, dynamic, elementwise, index, misc, normalise, reduce, shape},
};

/// The operations, in order of name.
pub(super) fn facts(name: Stablehlo) -> Facts {
    match name {
        StablehloAbs => unary("absolute value", SIGNED | INEXACT | QUANTIZED).infer(elementwise::part),
        StablehloAdd => binary("sum, logical or on `i1`", ANY).commutative(),
        StablehloAfterAll => op("a token that orders after others")
            .operands("inputs", TOKEN, Count::Any)
            .result(TOKEN)
            .infer(control::token),
        StablehloAllGather => collective("concatenation of the operands of a group of processes")
            .operands("operands", TENSOR, Count::Some)
            .results("results", TENSOR, Count::Some)
            .attr("all_gather_dim", Integer(64))
            .optional("use_global_device_ids", Unit)
            .check(collectives::all_gather),
        StablehloAllReduce => collective("reduction over a group of processes")
            .operands("operands", TENSOR, Count::Some)
            .results("results", TENSOR, Count::Some)
            .optional("use_global_device_ids", Unit)
            .region("computation", RETURN)
            .infer(collectives::all_reduce),
        StablehloAllToAll => collective("exchange of slices in a group of processes")
            .operands("operands", TENSOR, Count::Some)
            .results("results", TENSOR, Count::Some)
            .attr("split_dimension", Integer(64))
            .attr("concat_dimension", Integer(64))
            .attr("split_count", Integer(64))
            .infer(collectives::all_to_all),
        StablehloAnd => binary("bitwise and, logical on `i1`", LOGIC).commutative(),
        StablehloAtan2 => binary("angle of the point (rhs, lhs)", INEXACT | QUANTIZED),
        StablehloBatchNormGrad => batch_norm("gradients of batch_norm_training")
            .operand("mean", ranked(FLOAT, 1))
            .operand("variance", ranked(FLOAT, 1))
            .operand("grad_output", tensor_of(FLOAT))
            .results("grad_operand", tensor_of(FLOAT), Count::One)
            .results("grad_scale", ranked(FLOAT, 1), Count::One)
            .results("grad_offset", ranked(FLOAT, 1), Count::One)
            .infer(normalise::grad),
        StablehloBatchNormInference => batch_norm("normalisation with a given mean and variance")
            .operand("offset", ranked(FLOAT, 1))
            .operand("mean", ranked(FLOAT, 1))
            .operand("variance", ranked(FLOAT, 1))
            .result(tensor_of(FLOAT))
            .infer(normalise::inference),
        StablehloBatchNormTraining => batch_norm("normalisation with the batch's mean and variance, and these")
            .operand("offset", ranked(FLOAT, 1))
            .results("output", tensor_of(FLOAT), Count::One)
            .results("batch_mean", ranked(FLOAT, 1), Count::One)
            .results("batch_var", ranked(FLOAT, 1), Count::One)
            .infer(normalise::training),
        StablehloBitcastConvert => op("the same bits as another element type")
            .operand("operand", TENSOR)
            .result(TENSOR)
            .check(elementwise::bitcast_convert),
        StablehloBroadcast => op("operand repeated along new outermost dimensions")
            .operand("operand", TENSOR)
            .result(TENSOR)
            .attr("broadcast_sizes", I64Array)
            .infer(shape::broadcast),
        StablehloBroadcastInDim => op("operand repeated along new and unit dimensions")
            .operand("operand", TENSOR)
            .result(TENSOR)
            .attr("broadcast_dimensions", I64Array)
            .check(shape::broadcast_in_dim),
        StablehloCase => op("one of several regions, by an index; out of range is the last")
            .effect(Effect::Regions)
            .operand("index", index_scalar())
            .results("results", ANY_TYPE, Count::Any)
            .regions("branches", RETURN, Count::Some)
            .infer(control::branches),
        StablehloCbrt => unary("cube root", INEXACT | QUANTIZED).result_accuracy(),
        StablehloCeil => unary("smallest integer not below", FLOAT | QUANTIZED),
        StablehloCholesky => op("Cholesky decomposition of a batch of matrices")
            .operand("a", tensor_of(INEXACT))
            .result(tensor_of(INEXACT))
            .default("lower", Bool, "false")
            .infer(contract::cholesky),
        StablehloClamp => op("operand limited to an interval")
            .elementwise()
            .operand("min", TENSOR)
            .operand("operand", TENSOR)
            .operand("max", TENSOR)
            .result(TENSOR)
            .infer(elementwise::clamp),
        StablehloCollectiveBroadcast => collective("value of one process given to its group")
            .operands("operands", TENSOR, Count::Some)
            .results("results", TENSOR, Count::Some)
            .optional("has_dynamic_root", Unit)
            .check(collectives::broadcast),
        StablehloCollectivePermute => op("value of another process")
            .effect(Effect::Some)
            .operands("operands", TENSOR, Count::Some)
            .results("results", TENSOR, Count::Some)
            .attr("source_target_pairs", I64Matrix)
            .optional("channel_handle", ChannelHandle)
            .infer(collectives::permute),
        StablehloCollectiveReduce => collective("reduction over a group of processes, given to its first")
            .operands("operands", TENSOR, Count::Some)
            .results("results", TENSOR, Count::Some)
            .optional("use_global_device_ids", Unit)
            .region("computation", RETURN)
            .infer(collectives::all_reduce),
        StablehloCompare => op("relation of two tensors, element by element")
            .elementwise()
            .operand("lhs", TENSOR)
            .operand("rhs", TENSOR)
            .result(tensor_of(BOOL))
            .attr("comparison_direction", Enum("comparison_direction"))
            .optional("compare_type", Enum("comparison_type"))
            .infer(elementwise::compare),
        StablehloComplex => op("complex number of a real and an imaginary part")
            .elementwise()
            .operand("lhs", tensor_of(FLOAT))
            .operand("rhs", tensor_of(FLOAT))
            .result(tensor_of(COMPLEX))
            .infer(elementwise::complex),
        StablehloComposite => op("an operation made of others, with their function")
            .effect(Effect::Callee)
            .operands("inputs", ANY_TYPE, Count::Any)
            .results("results", ANY_TYPE, Count::Any)
            .attr("name", String)
            .default("composite_attributes", Dictionary, "{}")
            .attr("decomposition", Symbol)
            .default("version", Integer(32), "0"),
        StablehloConcatenate => op("operands one after another along a dimension")
            .operands("inputs", TENSOR, Count::Some)
            .result(TENSOR)
            .attr("dimension", Integer(64))
            .infer(shape::concatenate),
        StablehloConstant => op("a constant").result(TENSOR).attr("value", Dense).infer(misc::constant),
        StablehloConvert => op("values in another element type")
            .elementwise()
            .operand("operand", TENSOR)
            .result(TENSOR)
            .check(elementwise::same_shape),
        StablehloConvolution => convolution("convolution").optional("padding", I64Matrix).infer(convolve::convolution),
        StablehloCosine => unary("cosine", INEXACT | QUANTIZED).result_accuracy(),
        StablehloCountLeadingZeros => unary("number of leading zero bits", INT),
        StablehloCreateToken => op("a token that orders after nothing").result(TOKEN).infer(control::token),
        StablehloCustomCall => op("a call of something outside the program, by name")
            .effect(Effect::Declared)
            .operands("inputs", ANY_TYPE, Count::Any)
            .results("results", ANY_TYPE, Count::Any)
            .attr("call_target_name", String)
            .default("has_side_effect", Bool, "false")
            .optional("backend_config", Any)
            .optional("error_message", String)
            .default("api_version", Enum("custom_call_api_version"), "API_VERSION_ORIGINAL")
            .default("called_computations", SymbolArray, "[]")
            .optional("operand_layouts", Layouts)
            .optional("result_layouts", Layouts)
            .default("output_operand_aliases", OutputOperandAliases, "[]")
            .check(misc::custom_call),
        StablehloDivide => binary("quotient; integers truncate", INT | INEXACT | QUANTIZED),
        StablehloDot => op("matrix and vector products")
            .operand("lhs", TENSOR)
            .operand("rhs", TENSOR)
            .result(TENSOR)
            .optional("precision_config", EnumArray("precision"))
            .infer(contract::dot),
        StablehloDotGeneral => op("sum of products along contracted dimensions, for each batch")
            .operand("lhs", TENSOR)
            .operand("rhs", TENSOR)
            .result(TENSOR)
            .attr("dot_dimension_numbers", DotDimensions)
            .optional("precision_config", EnumArray("precision"))
            .optional("algorithm", DotAlgorithm)
            .infer(contract::dot_general),
        StablehloDynamicBroadcastInDim => op("broadcast_in_dim to a shape known at run time")
            .operand("operand", TENSOR)
            .operand("output_dimensions", ranked(POSITION, 1))
            .result(TENSOR)
            .attr("broadcast_dimensions", I64Array)
            .optional("known_expanding_dimensions", I64Array)
            .optional("known_nonexpanding_dimensions", I64Array)
            .check(dynamic::broadcast_in_dim),
        StablehloDynamicConv => convolution("convolution with padding known at run time")
            .operand("padding", ranked(POSITION, 2))
            .check(convolve::dynamic),
        StablehloDynamicGather => op("gather with slice sizes known at run time")
            .operand("operand", TENSOR)
            .operand("start_indices", tensor_of(POSITION))
            .operand("slice_sizes", ranked(POSITION, 1))
            .result(TENSOR)
            .attr("dimension_numbers", GatherDimensions)
            .default("indices_are_sorted", Bool, "false")
            .check(index::dynamic_gather),
        StablehloDynamicIota => op("iota of a shape known at run time")
            .operand("output_shape", ranked(POSITION, 1))
            .result(tensor_of(INT | INEXACT | QUANTIZED))
            .attr("iota_dimension", Integer(64))
            .check(dynamic::iota),
        StablehloDynamicPad => op("pad by amounts known at run time")
            .operand("operand", TENSOR)
            .operand("padding_value", ranked(ANY, 0))
            .operand("edge_padding_low", ranked(POSITION, 1))
            .operand("edge_padding_high", ranked(POSITION, 1))
            .operand("interior_padding", ranked(POSITION, 1))
            .result(TENSOR)
            .check(dynamic::pad),
        StablehloDynamicReshape => op("reshape to a shape known at run time")
            .operand("operand", TENSOR)
            .operand("output_shape", ranked(POSITION, 1))
            .result(TENSOR)
            .check(dynamic::reshape),
        StablehloDynamicSlice => op("slice of fixed size at a position known at run time")
            .operand("operand", TENSOR)
            .operands("start_indices", ranked(INT, 0), Count::Any)
            .result(TENSOR)
            .attr("slice_sizes", I64Array)
            .infer(index::dynamic_slice),
        StablehloDynamicUpdateSlice => op("operand with a slice replaced at a position known at run time")
            .operand("operand", TENSOR)
            .operand("update", TENSOR)
            .operands("start_indices", ranked(INT, 0), Count::Any)
            .result(TENSOR)
            .infer(index::dynamic_update_slice),
        StablehloEinsum => op("product by Einstein's summation convention")
            .operand("lhs", TENSOR)
            .operand("rhs", TENSOR)
            .result(TENSOR)
            .attr("einsum_config", String),
        StablehloExponential => unary("exponential", INEXACT | QUANTIZED).result_accuracy(),
        StablehloExponentialMinusOne => {
            unary("exponential minus one, accurate near 0", INEXACT | QUANTIZED).result_accuracy()
        }
        StablehloFft => op("Fourier transform")
            .operand("operand", tensor_of(INEXACT))
            .result(tensor_of(INEXACT))
            .attr("fft_type", Enum("fft_type"))
            .attr("fft_length", I64Array)
            .infer(contract::fft),
        StablehloFloor => unary("largest integer not above", FLOAT | QUANTIZED),
        StablehloGather => op("slices at positions known at run time")
            .operand("operand", TENSOR)
            .operand("start_indices", tensor_of(POSITION))
            .result(TENSOR)
            .attr("dimension_numbers", GatherDimensions)
            .attr("slice_sizes", I64Array)
            .default("indices_are_sorted", Bool, "false")
            .infer(index::gather),
        StablehloGetDimensionSize => op("extent of a dimension")
            .operand("operand", TENSOR)
            .result(ranked(SIGNED, 0))
            .attr("dimension", Integer(64))
            .infer(shape::get_dimension_size),
        StablehloGetTupleElement => op("an element of a tuple")
            .operand("operand", form(Form::Tuple))
            .result(ANY_TYPE)
            .attr("index", Integer(32))
            .infer(control::get_tuple_element),
        StablehloIf => op("one of two regions, by a truth value")
            .effect(Effect::Regions)
            .operand("pred", truth_value())
            .results("results", ANY_TYPE, Count::Any)
            .region("true_branch", RETURN)
            .region("false_branch", RETURN)
            .infer(control::branches),
        StablehloImag => unary("imaginary part", INEXACT).infer(elementwise::part),
        StablehloInfeed => op("data from outside")
            .effect(Effect::Some)
            .operand("token", TOKEN)
            .results("results", ANY_TYPE, Count::Some)
            .default("infeed_config", String, "\"\"")
            .optional("layout", Array)
            .check(control::ends_with_token),
        StablehloIota => op("positions along a dimension")
            .result(tensor_of(INT | INEXACT | QUANTIZED))
            .attr("iota_dimension", Integer(64))
            .check(shape::iota),
        StablehloIsFinite => {
            unary_to("neither infinite nor NaN", FLOAT | QUANTIZED, BOOL).infer(elementwise::predicate)
        }
        StablehloLog => unary("natural logarithm", INEXACT | QUANTIZED).result_accuracy(),
        StablehloLogPlusOne => {
            unary("natural logarithm of one plus the operand, accurate near 0", INEXACT | QUANTIZED).result_accuracy()
        }
        StablehloLogistic => unary("1 / (1 + exp(-x))", INEXACT | QUANTIZED).result_accuracy(),
        StablehloMap => op("a computation applied to each element")
            .effect(Effect::Regions)
            .operands("inputs", TENSOR, Count::Some)
            .result(TENSOR)
            .attr("dimensions", I64Array)
            .region("computation", RETURN)
            .infer(reduce::map),
        StablehloMaximum => binary("larger operand; NaN if either is NaN", ANY).commutative(),
        StablehloMinimum => binary("smaller operand; NaN if either is NaN", ANY).commutative(),
        StablehloMultiply => binary("product, logical and on `i1`", ANY).commutative(),
        StablehloNegate => unary("negation", INT | INEXACT | QUANTIZED),
        StablehloNot => unary("bitwise complement, logical on `i1`", LOGIC),
        StablehloOptimizationBarrier => op("operands, computed before anything that reads the results")
            .operands("operand", ANY_TYPE, Count::Any)
            .results("results", ANY_TYPE, Count::Any)
            .infer(control::forward),
        StablehloOr => binary("bitwise or, logical on `i1`", LOGIC).commutative(),
        StablehloOutfeed => op("data to outside")
            .effect(Effect::Some)
            .operands("inputs", ANY_TYPE, Count::Any)
            .operand("token", TOKEN)
            .result(TOKEN)
            .default("outfeed_config", String, "\"\"")
            .infer(control::token),
        StablehloPad => op("operand with padding around and between its elements")
            .operand("operand", TENSOR)
            .operand("padding_value", ranked(ANY, 0))
            .result(TENSOR)
            .attr("edge_padding_low", I64Array)
            .attr("edge_padding_high", I64Array)
            .attr("interior_padding", I64Array)
            .infer(shape::pad),
        StablehloPartitionId => op("number of this partition").result(ranked(UNSIGNED, 0)).infer(misc::process_id),
        StablehloPopcnt => unary("number of bits set", INT),
        StablehloPower => binary("power", INT | INEXACT | QUANTIZED),
        StablehloReal => unary("real part", INEXACT).infer(elementwise::part),
        StablehloRealDynamicSlice => op("slice with bounds known at run time")
            .operand("operand", TENSOR)
            .operand("start_indices", ranked(POSITION, 1))
            .operand("limit_indices", ranked(POSITION, 1))
            .operand("strides", ranked(POSITION, 1))
            .result(TENSOR)
            .check(dynamic::slice),
        StablehloRecv => op("data from a channel")
            .effect(Effect::Some)
            .operand("token", TOKEN)
            .results("results", ANY_TYPE, Count::Some)
            .attr("channel_handle", ChannelHandle)
            .default("is_host_transfer", Bool, "false")
            .optional("source_target_pairs", I64Matrix)
            .check(control::ends_with_token),
        StablehloReduce => op("reduction along dimensions")
            .effect(Effect::Regions)
            .operands("inputs", TENSOR, Count::Some)
            .operands("init_values", ranked(ANY, 0), Count::Some)
            .results("results", TENSOR, Count::Some)
            .attr("dimensions", I64Array)
            .region("body", RETURN)
            .infer(reduce::reduce),
        StablehloReducePrecision => unary("values rounded to a smaller format and back", FLOAT | QUANTIZED)
            .attr("exponent_bits", Integer(32))
            .attr("mantissa_bits", Integer(32))
            .infer(elementwise::reduce_precision),
        StablehloReduceScatter => collective("reduction over a group of processes, scattered")
            .operand("operand", TENSOR)
            .result(TENSOR)
            .attr("scatter_dimension", Integer(64))
            .optional("use_global_device_ids", Unit)
            .region("computation", RETURN)
            .check(collectives::reduce_scatter),
        StablehloReduceWindow => op("reduction of windows")
            .effect(Effect::Regions)
            .operands("inputs", TENSOR, Count::Some)
            .operands("init_values", ranked(ANY, 0), Count::Some)
            .results("results", TENSOR, Count::Some)
            .attr("window_dimensions", I64Array)
            .optional("window_strides", I64Array)
            .optional("base_dilations", I64Array)
            .optional("window_dilations", I64Array)
            .optional("padding", I64Matrix)
            .region("body", RETURN)
            .infer(reduce::reduce_window),
        StablehloRemainder => binary("remainder with the sign of the dividend", INT | INEXACT | QUANTIZED),
        StablehloReplicaId => op("number of this replica").result(ranked(UNSIGNED, 0)).infer(misc::process_id),
        StablehloReshape => {
            op("the same elements in another shape").operand("operand", TENSOR).result(TENSOR).check(shape::reshape)
        }
        StablehloReturn => {
            op("ends a region and gives its values").terminator().operands("results", ANY_TYPE, Count::Any)
        }
        StablehloReverse => op("operand with the order along dimensions reversed")
            .operand("operand", TENSOR)
            .result(TENSOR)
            .attr("dimensions", I64Array)
            .infer(shape::reverse),
        StablehloRng => op("random numbers of a distribution")
            .effect(Effect::Some)
            .operand("a", ranked(LOGIC | FLOAT, 0))
            .operand("b", ranked(LOGIC | FLOAT, 0))
            .operand("shape", ranked(POSITION, 1))
            .result(tensor_of(LOGIC | FLOAT))
            .attr("rng_distribution", Enum("rng_distribution"))
            .check(misc::rng),
        StablehloRngBitGenerator => op("random bits and the next state of the generator")
            .operand("initial_state", ranked(INT, 1))
            .results("output_state", ranked(INT, 1), Count::One)
            .results("output", tensor_of(INT | FLOAT), Count::One)
            .attr("rng_algorithm", Enum("rng_algorithm"))
            .check(misc::rng_bit_generator),
        StablehloRoundNearestAfz => unary("nearest integer, halves away from zero", FLOAT | QUANTIZED),
        StablehloRoundNearestEven => unary("nearest integer, halves to even", FLOAT | QUANTIZED),
        StablehloRsqrt => unary("reciprocal of the square root", INEXACT | QUANTIZED).result_accuracy(),
        StablehloScatter => op("inputs with slices at positions known at run time updated")
            .effect(Effect::Regions)
            .operands("inputs", TENSOR, Count::Some)
            .operand("scatter_indices", tensor_of(POSITION))
            .operands("updates", TENSOR, Count::Some)
            .results("results", TENSOR, Count::Some)
            .attr("scatter_dimension_numbers", ScatterDimensions)
            .default("indices_are_sorted", Bool, "false")
            .default("unique_indices", Bool, "false")
            .region("update_computation", RETURN)
            .infer(index::scatter),
        StablehloSelect => op("second operand where the first is true, else the third")
            .elementwise()
            .operand("pred", tensor_of(BOOL))
            .operand("on_true", TENSOR)
            .operand("on_false", TENSOR)
            .result(TENSOR)
            .infer(elementwise::select),
        StablehloSelectAndScatter => op("adds each source element where its window's selected element lies")
            .effect(Effect::Regions)
            .operand("operand", TENSOR)
            .operand("source", TENSOR)
            .operand("init_value", ranked(ANY, 0))
            .result(TENSOR)
            .optional("window_dimensions", I64Array)
            .optional("window_strides", I64Array)
            .optional("padding", I64Matrix)
            .region("select", RETURN)
            .region("scatter", RETURN)
            .infer(reduce::select_and_scatter),
        StablehloSend => op("data to a channel")
            .effect(Effect::Some)
            .operands("inputs", ANY_TYPE, Count::Any)
            .operand("token", TOKEN)
            .result(TOKEN)
            .attr("channel_handle", ChannelHandle)
            .default("is_host_transfer", Bool, "false")
            .optional("source_target_pairs", I64Matrix)
            .infer(control::token),
        StablehloSetDimensionSize => op("operand with the extent of a dimension set")
            .operand("operand", TENSOR)
            .operand("size", ranked(SIGNED, 0))
            .result(TENSOR)
            .attr("dimension", Integer(64))
            .check(shape::set_dimension_size),
        StablehloShiftLeft => binary("shift left", INT),
        StablehloShiftRightArithmetic => binary("shift right copying the sign bit", INT),
        StablehloShiftRightLogical => binary("shift right filling with 0", INT),
        StablehloSign => unary("-1, 0 or 1", SIGNED | INEXACT | QUANTIZED),
        StablehloSine => unary("sine", INEXACT | QUANTIZED).result_accuracy(),
        StablehloSlice => op("slice at a fixed position")
            .operand("operand", TENSOR)
            .result(TENSOR)
            .attr("start_indices", I64Array)
            .attr("limit_indices", I64Array)
            .attr("strides", I64Array)
            .infer(shape::slice),
        StablehloSort => op("operands sorted along a dimension by a comparator")
            .effect(Effect::Regions)
            .operands("inputs", TENSOR, Count::Some)
            .results("results", TENSOR, Count::Some)
            .default("dimension", Integer(64), "-1")
            .default("is_stable", Bool, "false")
            .region("comparator", RETURN)
            .infer(reduce::sort),
        StablehloSqrt => unary("square root", INEXACT | QUANTIZED).result_accuracy(),
        StablehloSubtract => binary("difference", INT | INEXACT | QUANTIZED),
        StablehloTan => unary("tangent", INEXACT | QUANTIZED).result_accuracy(),
        StablehloTanh => unary("hyperbolic tangent", INEXACT | QUANTIZED).result_accuracy(),
        StablehloTorchIndexSelect => op("slices along a dimension by index")
            .operand("operand", TENSOR)
            .operand("index", tensor_of(INT))
            .result(TENSOR)
            .attr("dim", Integer(64))
            .attr("batch_dims", Integer(64))
            .infer(index::torch_index_select),
        StablehloTranspose => op("operand with its dimensions permuted")
            .operand("operand", TENSOR)
            .result(TENSOR)
            .attr("permutation", I64Array)
            .infer(shape::transpose),
        StablehloTriangularSolve => op("solution of a batch of triangular systems")
            .operand("a", tensor_of(INEXACT))
            .operand("b", tensor_of(INEXACT))
            .result(tensor_of(INEXACT))
            .attr("left_side", Bool)
            .attr("lower", Bool)
            .attr("unit_diagonal", Bool)
            .attr("transpose_a", Enum("transpose"))
            .infer(contract::triangular_solve),
        StablehloTuple => op("a tuple of values")
            .operands("val", ANY_TYPE, Count::Any)
            .result(form(Form::Tuple))
            .infer(control::tuple),
        StablehloUnaryEinsum => op("reduction by Einstein's summation convention")
            .operand("operand", TENSOR)
            .result(TENSOR)
            .attr("einsum_config", String),
        StablehloUniformDequantize => op("float values of a quantized tensor")
            .elementwise()
            .operand("operand", tensor_of(QUANTIZED))
            .result(tensor_of(FLOAT))
            .check(elementwise::same_shape),
        StablehloUniformQuantize => op("quantized values of a float tensor")
            .elementwise()
            .operand("operand", tensor_of(FLOAT | QUANTIZED))
            .result(tensor_of(QUANTIZED))
            .check(elementwise::same_shape),
        StablehloWhile => op("a region repeated while another gives true")
            .effect(Effect::Regions)
            .operands("operand", ANY_TYPE, Count::Any)
            .results("results", ANY_TYPE, Count::Any)
            .region("cond", RETURN)
            .region("body", RETURN)
            .infer(control::while_loop),
        StablehloXor => binary("bitwise exclusive or, logical on `i1`", LOGIC).commutative(),
    }
}

/// One tensor to one of the same type.
fn unary(summary: &'static str, elements: u8) -> Facts {
    let ty = tensor_of(elements);
    op(summary).elementwise().operand("operand", ty).result(ty).infer(elementwise::same)
}

/// One tensor to one of the same shape.
fn unary_to(summary: &'static str, elements: u8, result: u8) -> Facts {
    op(summary).elementwise().operand("operand", tensor_of(elements)).result(tensor_of(result))
}

/// Two tensors of one type to a third.
fn binary(summary: &'static str, elements: u8) -> Facts {
    let ty = tensor_of(elements);
    op(summary).elementwise().operand("lhs", ty).operand("rhs", ty).result(ty).infer(elementwise::same)
}

/// What processes do together.
fn collective(summary: &'static str) -> Facts {
    op(summary).effect(Effect::Some).attr("replica_groups", ReplicaGroups).optional("channel_handle", ChannelHandle)
}

fn batch_norm(summary: &'static str) -> Facts {
    op(summary)
        .operand("operand", tensor_of(FLOAT))
        .operand("scale", ranked(FLOAT, 1))
        .attr("epsilon", super::constraint::AttrKind::Float)
        .attr("feature_index", Integer(64))
}

fn convolution(summary: &'static str) -> Facts {
    op(summary)
        .operand("lhs", TENSOR)
        .operand("rhs", TENSOR)
        .result(TENSOR)
        .optional("window_strides", I64Array)
        .optional("lhs_dilation", I64Array)
        .optional("rhs_dilation", I64Array)
        .optional("window_reversal", BoolArray)
        .attr("dimension_numbers", ConvDimensions)
        .attr("feature_group_count", Integer(64))
        .attr("batch_group_count", Integer(64))
        .optional("precision_config", EnumArray("precision"))
}

fn index_scalar() -> TypeConstraint {
    ranked(SIGNED, 0)
}

fn truth_value() -> TypeConstraint {
    ranked(BOOL, 0)
}

impl Facts {
    /// How exact an elementary function has to be.
    fn result_accuracy(self) -> Facts {
        self.optional("result_accuracy", ResultAccuracy)
    }
}
