//! Operations that are one call of a named kernel.

use pygraph_artifact::{dtype::DType, scalar::ScalarBody};

use super::{
    Lowered,
    body::BodyBuilder,
    region::body_of_region,
    site::{Site, Tensor, identity},
};
use crate::ir::{
    Attribute, ElementType, Type, ValueId,
    attribute::{ConvDimensions, DotDimensions, GatherDimensions, ScatterDimensions},
    enums::{EnumAttr, FftType, RngAlgorithm, Transpose},
    ops::view::View,
};

fn ints(values: &[i64]) -> Attribute {
    Attribute::i64_array(values.iter().copied())
}

/// Calls a kernel whose inputs are the operation's operands and whose outputs are its results.
fn call(site: &mut Site, kernel: &str, attributes: &[(&str, Attribute)], bodies: &[ScalarBody]) -> Lowered {
    let (operands, results) = (site.operands(), site.results());
    Ok(site.kernel(kernel, &operands, &results, attributes, bodies))
}

/// `dot_general`
pub fn dot_general(site: &mut Site) -> Lowered {
    let Some(Attribute::DotDimensions(dims)) = site.attr("dot_dimension_numbers") else {
        unreachable!("the verifier should have seen the dimensions of a product");
    };
    contract(site, &dims)
}

/// `dot`: the last dimension of the left operand with the first of the right.
pub fn dot(site: &mut Site) -> Lowered {
    let lhs_rank = site.tensor(site.operand(0)).rank() as i64;
    let dims = DotDimensions { lhs_contracting: vec![lhs_rank - 1], rhs_contracting: vec![0], ..Default::default() };
    contract(site, &dims)
}

fn contract(site: &mut Site, dims: &DotDimensions) -> Lowered {
    let attributes = [
        ("lhs_batch", ints(&dims.lhs_batching)),
        ("lhs_contract", ints(&dims.lhs_contracting)),
        ("rhs_batch", ints(&dims.rhs_batching)),
        ("rhs_contract", ints(&dims.rhs_contracting)),
    ];
    let (operands, result) = (common_operands(site), site.result(0));
    Ok(site.kernel("contract", &operands, &[result], &attributes, &[]))
}

/// The two operands in one element type: where they differ, both in the result's.
fn common_operands(site: &mut Site) -> Vec<ValueId> {
    let (lhs, rhs) = (site.operand(0), site.operand(1));
    if site.tensor(lhs).dtype == site.tensor(rhs).dtype {
        return vec![lhs, rhs];
    }
    let dtype = site.result(0).dtype;
    [lhs, rhs].map(|value| converted(site, value, dtype)).to_vec()
}

fn converted(site: &mut Site, value: ValueId, dtype: DType) -> ValueId {
    let source = site.tensor(value);
    if source.dtype == dtype {
        return value;
    }
    let mut body = BodyBuilder::new(&[source.dtype]);
    let element = body.convert(body.input(0), dtype);
    let body = body.finish(&[element]);
    let inputs = vec![(value, identity(source.rank()))];
    site.generate(&Tensor { dtype, shape: source.shape }, inputs, body)
}

/// `pyg.attention`
pub fn attention(site: &mut Site) -> Lowered {
    let flags = ["mask", "bias", "positions", "length", "layer"].map(|name| {
        let count = View::of(site.module, site.op).group(name).len();
        count as i64
    });
    let mut attributes = vec![("optional", ints(&flags))];
    for name in ["q_dims", "k_dims", "v_dims", "output_dims"] {
        attributes.push((name, ints(&site.int_list(name))));
    }
    // All of each operand is read.
    let [[batches, heads], [_, groups]] = [("q_dims", 0), ("k_dims", 1)].map(|(name, operand)| {
        let (dims, shape) = (site.int_list(name), site.tensor(site.operand(operand)).shape);
        [0, 2].map(|role| shape[dims[role] as usize] as i64)
    });
    attributes.push(("heads", ints(&[heads, groups, 0, 0, 0])));
    attributes.push(("batches", ints(&[batches, 0, 0, 0])));
    for name in ["key_type", "value_type", "score_type", "logit_type", "softmax_type", "probability_type"] {
        let dtype = match site.attr(name) {
            Some(Attribute::Type(Type::Scalar(element))) => element.dtype(),
            _ => None,
        };
        let dtype = dtype.expect("the verifier should have seen that attention rounds to types of a device");
        attributes.push((name, Attribute::string(dtype.name())));
    }
    for (name, default) in [("key_scale", 1.0), ("scale", 1.0), ("divisor", 1.0), ("fill", f64::NEG_INFINITY)] {
        let bits = match site.attr(name) {
            Some(Attribute::Float { bits, .. }) => bits,
            _ => f64::to_bits(default),
        };
        attributes.push((name, Attribute::Float { bits, ty: ElementType::F64 }));
    }
    for name in ["mask_adds", "safe", "skips_below"] {
        attributes.push((name, Attribute::Bool(site.flag(name))));
    }
    for name in ["diagonal", "window"] {
        attributes.push((name, Attribute::i64(site.int_or(name, 0))));
    }
    call(site, "attention", &attributes, &[])
}

/// `convolution`
pub fn convolution(site: &mut Site) -> Lowered {
    let Some(Attribute::ConvDimensions(dims)) = site.attr("dimension_numbers") else {
        unreachable!("the verifier should have seen the dimensions of a convolution");
    };
    let spatial = dims.input_spatial.len();
    let (low, high): (Vec<i64>, Vec<i64>) = site.pairs_or_zero("padding", spatial).into_iter().unzip();
    let ConvDimensions { input_batch, input_feature, kernel_input_feature, kernel_output_feature, .. } = *dims;
    let dim_list = |first: i64, second: i64, spatial: &[i64]| {
        ints(&[first, second].into_iter().chain(spatial.iter().copied()).collect::<Vec<i64>>())
    };
    let attributes = [
        ("batch_group_count", Attribute::i64(site.int("batch_group_count"))),
        ("feature_group_count", Attribute::i64(site.int("feature_group_count"))),
        ("input_dims", dim_list(input_batch, input_feature, &dims.input_spatial)),
        ("kernel_dims", dim_list(kernel_input_feature, kernel_output_feature, &dims.kernel_spatial)),
        ("lhs_dilation", ints(&site.int_list_or("lhs_dilation", spatial, 1))),
        ("output_dims", dim_list(dims.output_batch, dims.output_feature, &dims.output_spatial)),
        ("padding_high", ints(&high)),
        ("padding_low", ints(&low)),
        ("rhs_dilation", ints(&site.int_list_or("rhs_dilation", spatial, 1))),
        ("window_reversal", ints(&site.int_list_or("window_reversal", spatial, 0))),
        ("window_strides", ints(&site.int_list_or("window_strides", spatial, 1))),
    ];
    let (operands, result) = (common_operands(site), site.result(0));
    Ok(site.kernel("convolution", &operands, &[result], &attributes, &[]))
}

/// `gather`
pub fn gather(site: &mut Site) -> Lowered {
    let Some(Attribute::GatherDimensions(dims)) = site.attr("dimension_numbers") else {
        unreachable!("the verifier should have seen the dimensions of a gather");
    };
    let GatherDimensions {
        offset_dims,
        collapsed_slice_dims,
        operand_batching_dims,
        start_indices_batching_dims,
        start_index_map,
        index_vector_dim,
    } = &*dims;
    let attributes = [
        ("collapsed_slice_dims", ints(collapsed_slice_dims)),
        ("index_vector_dim", Attribute::i64(*index_vector_dim)),
        ("offset_dims", ints(offset_dims)),
        ("operand_batching_dims", ints(operand_batching_dims)),
        ("slice_sizes", ints(&site.int_list("slice_sizes"))),
        ("start_index_map", ints(start_index_map)),
        ("start_indices_batching_dims", ints(start_indices_batching_dims)),
    ];
    call(site, "gather", &attributes, &[])
}

/// `scatter`
pub fn scatter(site: &mut Site) -> Lowered {
    let Some(Attribute::ScatterDimensions(dims)) = site.attr("scatter_dimension_numbers") else {
        unreachable!("the verifier should have seen the dimensions of a scatter");
    };
    let ScatterDimensions {
        update_window_dims,
        inserted_window_dims,
        input_batching_dims,
        scatter_indices_batching_dims,
        scatter_dims_to_operand_dims,
        index_vector_dim,
    } = &*dims;
    let attributes = [
        ("index_vector_dim", Attribute::i64(*index_vector_dim)),
        ("input_batching_dims", ints(input_batching_dims)),
        ("inserted_window_dims", ints(inserted_window_dims)),
        ("scatter_dims_to_operand_dims", ints(scatter_dims_to_operand_dims)),
        ("scatter_indices_batching_dims", ints(scatter_indices_batching_dims)),
        ("update_window_dims", ints(update_window_dims)),
    ];
    let body = body_of_region(site.module, site.op, 0)?;
    // A body may compute in wider types than the inputs have; results have the wider types then.
    let (operands, results) = (site.operands(), site.results());
    let count = results.len();
    let mut inputs = Vec::with_capacity(operands.len());
    for (index, operand) in operands.iter().enumerate() {
        let is_indices = index == count;
        let dtype = if is_indices { None } else { body.inputs.get(if index < count { index } else { index - 1 }) };
        inputs.push(match dtype {
            Some(dtype) => converted(site, *operand, *dtype),
            None => *operand,
        });
    }
    Ok(site.kernel("scatter", &inputs, &results, &attributes, &[body]))
}

/// `sort`
pub fn sort(site: &mut Site) -> Lowered {
    let rank = site.result(0).rank() as i64;
    let dimension = site.int_or("dimension", -1);
    let dimension = if dimension < 0 { dimension + rank } else { dimension };
    let attributes = [("dimension", Attribute::i64(dimension)), ("stable", Attribute::Bool(site.flag("is_stable")))];
    let comparator = body_of_region(site.module, site.op, 0)?;
    call(site, "sort", &attributes, &[comparator])
}

/// `top_k`
pub fn top_k(site: &mut Site) -> Lowered {
    let k = site.int("k");
    call(site, "top_k", &[("k", Attribute::i64(k))], &[])
}

/// `select_and_scatter`
pub fn select_and_scatter(site: &mut Site) -> Lowered {
    let rank = site.result(0).rank();
    let (low, high): (Vec<i64>, Vec<i64>) = site.pairs_or_zero("padding", rank).into_iter().unzip();
    let attributes = [
        ("padding_high", ints(&high)),
        ("padding_low", ints(&low)),
        ("window_dimensions", ints(&site.int_list_or("window_dimensions", rank, 1))),
        ("window_strides", ints(&site.int_list_or("window_strides", rank, 1))),
    ];
    let select = body_of_region(site.module, site.op, 0)?;
    let scatter = body_of_region(site.module, site.op, 1)?;
    let result = site.result(0);
    let operands = site.operands();
    let inputs: Vec<ValueId> = operands.iter().map(|value| converted(site, *value, result.dtype)).collect();
    Ok(site.kernel("select_and_scatter", &inputs, &[result], &attributes, &[select, scatter]))
}

/// `dynamic_slice`
pub fn dynamic_slice(site: &mut Site) -> Lowered {
    let sizes = site.int_list("slice_sizes");
    call(site, "dynamic_slice", &[("sizes", ints(&sizes))], &[])
}

/// `dynamic_update_slice`
pub fn dynamic_update_slice(site: &mut Site) -> Lowered {
    call(site, "dynamic_update_slice", &[], &[])
}

/// `rng_bit_generator`
pub fn random_bits(site: &mut Site) -> Lowered {
    let algorithm = match site.attr("rng_algorithm") {
        Some(Attribute::Enum(EnumAttr::RngAlgorithm(RngAlgorithm::Philox))) => "philox",
        Some(Attribute::Enum(EnumAttr::RngAlgorithm(RngAlgorithm::ThreeFry))) => "three_fry",
        _ => "default",
    };
    call(site, "random_bits", &[("algorithm", Attribute::string(algorithm))], &[])
}

/// `triangular_solve`
pub fn triangular_solve(site: &mut Site) -> Lowered {
    let transpose = match site.attr("transpose_a") {
        Some(Attribute::Enum(EnumAttr::Transpose(Transpose::Transpose))) => "transpose",
        Some(Attribute::Enum(EnumAttr::Transpose(Transpose::Adjoint))) => "adjoint",
        _ => "none",
    };
    let attributes = [
        ("left_side", Attribute::Bool(site.flag("left_side"))),
        ("lower", Attribute::Bool(site.flag("lower"))),
        ("transpose_a", Attribute::string(transpose)),
        ("unit_diagonal", Attribute::Bool(site.flag("unit_diagonal"))),
    ];
    call(site, "triangular_solve", &attributes, &[])
}

/// `cholesky`
pub fn cholesky(site: &mut Site) -> Lowered {
    let lower = site.flag("lower");
    call(site, "cholesky", &[("lower", Attribute::Bool(lower))], &[])
}

/// `fft`
pub fn fft(site: &mut Site) -> Lowered {
    let Some(Attribute::Enum(EnumAttr::FftType(ty))) = site.attr("fft_type") else {
        unreachable!("the verifier should have seen which transform it is");
    };
    let ty = match ty {
        FftType::Fft => "fft",
        FftType::Ifft => "ifft",
        FftType::Rfft => "rfft",
        FftType::Irfft => "irfft",
    };
    let length = site.int_list("fft_length");
    call(site, "fft", &[("length", ints(&length)), ("type", Attribute::string(ty))], &[])
}
