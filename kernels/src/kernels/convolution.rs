//! `convolution`: sums of products of a kernel with every window of an input.
//!
//! Windows become rows of a matrix (im2col), some images at a time, and [`super::contract`] multiplies them with the
//! kernel: types and accumulation are its.

use pygraph_artifact::{dtype::DType, plan::KernelAttr};
use rayon::prelude::*;

use super::{
    call::{check_counts, check_dimensions, check_ints, check_type, dimensions, int, int_attr, ints, ints_attr},
    contract,
    layout::{Counter, Patch, strides},
};
use crate::{
    manifest::{Call, CallType, InPlace, KernelDef, KernelError},
    memory::Bytes,
    tensor::{TensorMut, TensorRef, TensorType},
};

/// The definition.
pub static KERNEL: KernelDef = KernelDef {
    name: "convolution",
    summary: "Multiplies a kernel with every window of an input and sums up",
    attributes: &[
        ints_attr("window_strides", "steps from window to window, one a spatial dimension"),
        ints_attr("padding_low", "zeros before the first element; may be negative"),
        ints_attr("padding_high", "zeros after the last element; may be negative"),
        ints_attr("lhs_dilation", "distance of the input's elements, with zeros between them"),
        ints_attr("rhs_dilation", "distance of the kernel's elements"),
        ints_attr("window_reversal", "1 where the kernel runs backwards"),
        ints_attr("input_dims", "the input's dimensions: batch, feature, spatial ones"),
        ints_attr("kernel_dims", "the kernel's dimensions: input feature, output feature, spatial ones"),
        ints_attr("output_dims", "the output's dimensions: batch, feature, spatial ones"),
        int_attr("feature_group_count", "groups that features are split into"),
        int_attr("batch_group_count", "groups that the batch is split into"),
    ],
    body_count: 0,
    in_place: InPlace::Never,
    strided: &[],
    takes_stages: true,
    check,
    reference,
    cuda: super::convolution_cuda::CUDA,
};

/// Largest extent, stride, padding and dilation: their products with extents stay in an `i64`.
const EXTENT_MAX: i64 = 1 << 31;

fn check(call: &CallType<'_>) -> Result<(), String> {
    check_counts(call, 2, 1)?;
    let (input, kernel, output) = (call.inputs[0], call.inputs[1], call.outputs[0]);
    let rank = input.shape.len();
    if rank < 2 || kernel.shape.len() != rank || output.shape.len() != rank {
        let ranks = [rank, kernel.shape.len(), output.shape.len()];
        return Err(format!("ranks {ranks:?} of input, kernel and output should be one, and at least 2"));
    }
    for name in ["input_dims", "kernel_dims", "output_dims"] {
        let count = check_dimensions(call.attributes, name, rank)?.len();
        if count != rank {
            return Err(format!("{name} has {count} entries for {rank} dimensions"));
        }
    }
    for (name, least) in [("window_strides", 1), ("lhs_dilation", 1), ("rhs_dilation", 1), ("window_reversal", 0)] {
        check_ints(call.attributes, name, rank - 2, least..=EXTENT_MAX)?;
    }
    for name in ["padding_low", "padding_high"] {
        check_ints(call.attributes, name, rank - 2, -EXTENT_MAX..=EXTENT_MAX)?;
    }
    if let Some(extent) = [input, kernel].iter().flat_map(|ty| ty.shape).find(|extent| **extent > EXTENT_MAX as u64) {
        return Err(format!("extent {extent} is larger than {EXTENT_MAX}"));
    }
    check_groups(call, &Geometry::new(call.attributes, input.shape, kernel.shape, output.shape))?;
    let matrix = |ty: TensorType<'_>| TensorType::dense(ty.dtype, &[1, 1]);
    let product = CallType {
        inputs: &[matrix(input), matrix(kernel)],
        outputs: &[matrix(output)],
        attributes: &product_attributes(),
        bodies: &[],
        in_place: &[],
    };
    (contract::KERNEL.check)(&product)
}

fn check_groups(call: &CallType<'_>, geometry: &Geometry) -> Result<(), String> {
    let count = |name| match int(call.attributes, name) {
        count @ 1.. => Ok(count as u64),
        count => Err(format!("{name} is {count}, not positive")),
    };
    let (feature_groups, batch_groups) = (count("feature_group_count")?, count("batch_group_count")?);
    if feature_groups > 1 && batch_groups > 1 {
        return Err(format!("{feature_groups} feature groups and {batch_groups} batch groups do not go together"));
    }
    let ([batch, features, ..], [kernel_in, kernel_out, ..]) = (&geometry.input[..], &geometry.kernel[..]) else {
        unreachable!("ranks should be at least 2");
    };
    let divides = |what: &str, number: u64, groups: u64| match number % groups {
        0 => Ok(number / groups),
        _ => Err(format!("{groups} groups do not divide {what} {number}")),
    };
    let of_group = divides("input features", *features, feature_groups)?;
    if of_group != *kernel_in {
        return Err(format!("a group has {of_group} input features, the kernel {kernel_in}"));
    }
    let output_batch = divides("batch", *batch, batch_groups)?;
    divides("output features", *kernel_out, feature_groups * batch_groups)?;
    let window = geometry.kernel[2..].iter().copied().fold(1, u64::saturating_mul).saturating_mul(*kernel_in);
    let all = geometry.axes.iter().map(Axis::window_count).fold(1u64, u64::saturating_mul).saturating_mul(window);
    if all > WINDOW_ELEMENTS_MAX {
        return Err(format!("windows of one image have {all} elements, at most {WINDOW_ELEMENTS_MAX} are supported"));
    }
    let mut shape = vec![0; call.outputs[0].shape.len()];
    let windows = geometry.axes.iter().map(Axis::window_count);
    let extents = [output_batch, *kernel_out].into_iter().chain(windows);
    for (dimension, extent) in dimensions(call.attributes, "output_dims").into_iter().zip(extents) {
        shape[dimension] = extent;
    }
    check_type("the output", call.outputs[0], call.outputs[0].dtype, &shape)
}

/// Elements that the windows of one image may have together: 8 GiB of f32.
const WINDOW_ELEMENTS_MAX: u64 = 1 << 31;

/// Attributes of the product of windows and kernel.
fn product_attributes() -> Vec<(String, KernelAttr)> {
    [("lhs_batch", vec![]), ("lhs_contract", vec![1]), ("rhs_batch", vec![]), ("rhs_contract", vec![0])]
        .map(|(name, values)| (name.to_string(), KernelAttr::Ints(values)))
        .into()
}

/// Extents and strides in the order batch, feature, spatial (a kernel's: input feature, output feature, spatial).
struct Geometry {
    input: Vec<u64>,
    kernel: Vec<u64>,
    output: Vec<u64>,
    input_strides: Vec<usize>,
    kernel_strides: Vec<usize>,
    output_strides: Vec<usize>,
    axes: Vec<Axis>,
}

/// One spatial dimension.
struct Axis {
    input: i64,
    kernel: i64,
    stride: i64,
    padding: [i64; 2],
    input_dilation: i64,
    kernel_dilation: i64,
    is_reversed: bool,
}

impl Geometry {
    fn new(attributes: &[(String, KernelAttr)], input: &[u64], kernel: &[u64], output: &[u64]) -> Geometry {
        let ordered = |name: &str, values: &[u64]| -> Vec<u64> {
            dimensions(attributes, name).into_iter().map(|dimension| values[dimension]).collect()
        };
        let ordered_strides = |name: &str, shape: &[u64]| -> Vec<usize> {
            let strides = strides(shape);
            dimensions(attributes, name).into_iter().map(|dimension| strides[dimension]).collect()
        };
        let (in_extents, kernel_extents) = (ordered("input_dims", input), ordered("kernel_dims", kernel));
        let list = |name, axis: usize| ints(attributes, name)[axis];
        let axes = (0..input.len() - 2).map(|axis| Axis {
            input: in_extents[axis + 2] as i64,
            kernel: kernel_extents[axis + 2] as i64,
            stride: list("window_strides", axis),
            padding: [list("padding_low", axis), list("padding_high", axis)],
            input_dilation: list("lhs_dilation", axis),
            kernel_dilation: list("rhs_dilation", axis),
            is_reversed: list("window_reversal", axis) != 0,
        });
        Geometry {
            axes: axes.collect(),
            output: ordered("output_dims", output),
            input_strides: ordered_strides("input_dims", input),
            kernel_strides: ordered_strides("kernel_dims", kernel),
            output_strides: ordered_strides("output_dims", output),
            input: in_extents,
            kernel: kernel_extents,
        }
    }
}

impl Axis {
    fn window_count(&self) -> u64 {
        let dilated = |extent: i64, by: i64| if extent == 0 { 0 } else { (extent - 1) * by + 1 };
        let padded = dilated(self.input, self.input_dilation) + self.padding[0] + self.padding[1];
        let window = dilated(self.kernel, self.kernel_dilation);
        if padded < window || padded <= 0 { 0 } else { ((padded - window) / self.stride + 1) as u64 }
    }

    /// For every window and every element of the kernel, the input's element it meets.
    fn meetings(&self) -> Vec<Vec<Option<usize>>> {
        let meeting = |window: i64, element: i64| {
            let element = if self.is_reversed { self.kernel - 1 - element } else { element };
            let position = window * self.stride - self.padding[0] + element * self.kernel_dilation;
            let index = position / self.input_dilation;
            let is_element = position >= 0 && position % self.input_dilation == 0 && index < self.input;
            is_element.then_some(index as usize)
        };
        let windows = 0..self.window_count() as i64;
        windows.map(|window| (0..self.kernel).map(|element| meeting(window, element)).collect()).collect()
    }
}

/// Bytes of windows that are laid out at a time, unless one image has more.
const WINDOW_BYTES: usize = 64 << 20;

fn reference(call: &Call<'_>, outputs: &mut [TensorMut<'_>]) -> Result<(), KernelError> {
    let (input, kernel, output) = (&call.inputs[0], &call.inputs[1], &mut outputs[0]);
    if output.bytes.is_empty() {
        return Ok(());
    }
    if input.bytes.is_empty() || kernel.bytes.is_empty() {
        output.bytes.fill(0);
        return Ok(());
    }
    let geometry = Geometry::new(call.attributes, input.ty.shape, kernel.ty.shape, output.ty.shape);
    let feature_groups = int(call.attributes, "feature_group_count") as usize;
    let batch_groups = int(call.attributes, "batch_group_count") as usize;
    let (images, features) = (geometry.output[0] as usize, geometry.kernel[1] as usize);
    let group_features = features / (feature_groups * batch_groups);
    let windows = Windows::new(&geometry, input);
    let image_bytes = windows.rows * windows.columns * input.ty.dtype.size_bytes();
    let step = (WINDOW_BYTES / image_bytes.max(1)).clamp(1, images);
    for group in 0..feature_groups * batch_groups {
        let first_feature = group * group_features;
        let weights = group_weights(&geometry, kernel, first_feature, group_features);
        let (first_image, first_input) = match batch_groups {
            1 => (0, group * geometry.kernel[0] as usize),
            _ => (group * images, 0),
        };
        for start in (0..images).step_by(step) {
            let count = step.min(images - start);
            let rows = windows.lay_out(first_image + start, count, first_input);
            let types = [input.ty.dtype, kernel.ty.dtype, output.ty.dtype];
            let shape = [count * windows.rows, windows.columns, group_features];
            let products = multiply(types, shape, &rows, &weights)?;
            let offset = start * geometry.output_strides[0] + first_feature * geometry.output_strides[1];
            store(&geometry, count, group_features, &products, output, offset);
        }
    }
    Ok(())
}

/// The kernel's part for some output features as a matrix: spatial and input feature, by output feature.
fn group_weights(geometry: &Geometry, kernel: &TensorRef<'_>, first: usize, count: usize) -> Bytes {
    let order: Vec<usize> = (2..geometry.kernel.len()).chain([0]).collect();
    let mut extents: Vec<usize> = order.iter().map(|dimension| geometry.kernel[*dimension] as usize).collect();
    let mut source: Vec<usize> = order.iter().map(|dimension| geometry.kernel_strides[*dimension]).collect();
    extents.push(count);
    source.push(geometry.kernel_strides[1]);
    let shape: Vec<u64> = extents.iter().map(|extent| *extent as u64).collect();
    let size = kernel.ty.dtype.size_bytes();
    let mut weights = Bytes::zeroed(extents.iter().product::<usize>() * size);
    let patch = Patch::new(size, &extents, &source, &strides(&shape));
    patch.copy(kernel.bytes, first * geometry.kernel_strides[1], weights.as_mut_slice(), 0);
    weights
}

/// Product of a matrix of windows with a matrix of weights; `shape` is rows, what is summed, columns.
fn multiply(
    [lhs, rhs, out]: [DType; 3],
    shape: [usize; 3],
    rows: &Bytes,
    weights: &Bytes,
) -> Result<Bytes, KernelError> {
    let [m, k, n] = shape.map(|extent| extent as u64);
    if k <= IN_ORDER_MAX && [lhs, rhs, out] == [DType::F32; 3] {
        return Ok(multiply_in_order(shape, rows.as_slice(), weights.as_slice()));
    }
    let mut products = Bytes::zeroed(shape[0] * shape[2] * out.size_bytes());
    let call = Call {
        inputs: &[
            TensorRef { ty: TensorType { dtype: lhs, shape: &[m, k], strides: None }, bytes: rows.as_slice() },
            TensorRef { ty: TensorType { dtype: rhs, shape: &[k, n], strides: None }, bytes: weights.as_slice() },
        ],
        attributes: &product_attributes(),
        bodies: &[],
    };
    let ty = TensorType { dtype: out, shape: &[m, n], strides: None };
    (contract::KERNEL.reference)(&call, &mut [TensorMut { ty, bytes: products.as_mut_slice() }])?;
    Ok(products)
}

/// Windows of up to so many elements are summed in order, each product rounded: a fused multiplication keeps bits that their
/// users' numbers do not have, and where few terms cancel, these are all that is left.
pub(super) const IN_ORDER_MAX: u64 = 8;

/// The product of two row-major matrices of f32, each sum in order.
fn multiply_in_order([m, k, n]: [usize; 3], rows: &[u8], weights: &[u8]) -> Bytes {
    let (rows, weights): (&[f32], &[f32]) = (bytemuck::cast_slice(rows), bytemuck::cast_slice(weights));
    let mut products = Bytes::zeroed(m * n * size_of::<f32>());
    let row_bytes = n * size_of::<f32>();
    products.as_mut_slice().par_chunks_exact_mut(row_bytes).zip(rows.par_chunks_exact(k)).for_each(|(sums, row)| {
        for (column, sum) in sums.chunks_exact_mut(size_of::<f32>()).enumerate() {
            let terms = row.iter().zip(weights[column..].iter().step_by(n)).map(|(a, b)| a * b);
            sum.copy_from_slice(&terms.reduce(|sum, term| sum + term).unwrap_or(0.0).to_le_bytes());
        }
    });
    products
}

fn store(
    geometry: &Geometry,
    images: usize,
    features: usize,
    products: &Bytes,
    output: &mut TensorMut<'_>,
    offset: usize,
) {
    let spatial = geometry.output[2..].iter().map(|extent| *extent as usize);
    let extents: Vec<usize> = [images].into_iter().chain(spatial).chain([features]).collect();
    let order = [0].into_iter().chain(2..geometry.output.len()).chain([1]);
    let target: Vec<usize> = order.map(|dimension| geometry.output_strides[dimension]).collect();
    let shape: Vec<u64> = extents.iter().map(|extent| *extent as u64).collect();
    let patch = Patch::new(output.ty.dtype.size_bytes(), &extents, &strides(&shape), &target);
    patch.copy(products.as_slice(), 0, output.bytes, offset);
}

/// Lays windows out as rows of a matrix; a column is a spatial element of the kernel and an input feature.
struct Windows<'a> {
    input: &'a TensorRef<'a>,
    /// Strides of batch and feature, in elements.
    strides: [usize; 2],
    features: usize,
    /// Windows of an image.
    rows: usize,
    /// Elements of a window.
    columns: usize,
    /// For every window and spatial element of the kernel, the input's spatial element, as an offset.
    offsets: Vec<Option<usize>>,
}

impl<'a> Windows<'a> {
    fn new(geometry: &Geometry, input: &'a TensorRef<'a>) -> Windows<'a> {
        let meetings: Vec<Vec<Vec<Option<usize>>>> = geometry.axes.iter().map(Axis::meetings).collect();
        let windows: Vec<usize> = geometry.output[2..].iter().map(|extent| *extent as usize).collect();
        let elements: Vec<usize> = geometry.kernel[2..].iter().map(|extent| *extent as usize).collect();
        let (rows, spatial) = (windows.iter().product::<usize>(), elements.iter().product::<usize>());
        let mut offsets = Vec::with_capacity(rows * spatial);
        let mut counter = Counter::new(windows.into_iter().chain(elements).collect());
        let rank = geometry.axes.len();
        loop {
            let axis_offset = |axis: usize| {
                let index = meetings[axis][counter.index[axis]][counter.index[rank + axis]];
                index.map(|index| index * geometry.input_strides[axis + 2])
            };
            offsets.push((0..rank).map(axis_offset).sum::<Option<usize>>());
            if !counter.advance() {
                break;
            }
        }
        let features = geometry.kernel[0] as usize;
        let strides = [geometry.input_strides[0], geometry.input_strides[1]];
        Windows { input, strides, features, rows, columns: spatial * features, offsets }
    }

    /// The windows of some images, from some input feature on.
    fn lay_out(&self, first_image: usize, images: usize, first_feature: usize) -> Bytes {
        let size = self.input.ty.dtype.size_bytes();
        let mut matrix = Bytes::zeroed(images * self.rows * self.columns * size);
        let row_bytes = self.columns * size;
        matrix.as_mut_slice().par_chunks_exact_mut(row_bytes).enumerate().for_each(|(row, bytes)| {
            let (image, window) = (row / self.rows, row % self.rows);
            let base = (first_image + image) * self.strides[0] + first_feature * self.strides[1];
            let spatial = self.columns / self.features;
            let offsets = &self.offsets[window * spatial..(window + 1) * spatial];
            for (offset, elements) in offsets.iter().zip(bytes.chunks_exact_mut(self.features * size)) {
                if let Some(offset) = offset {
                    self.copy_features(base + offset, elements);
                }
            }
        });
        matrix
    }

    fn copy_features(&self, start: usize, elements: &mut [u8]) {
        let size = self.input.ty.dtype.size_bytes();
        let source = &self.input.bytes[start * size..];
        if self.strides[1] == 1 {
            elements.copy_from_slice(&source[..elements.len()]);
            return;
        }
        let step = self.strides[1] * size;
        for (feature, element) in elements.chunks_exact_mut(size).enumerate() {
            element.copy_from_slice(&source[feature * step..][..size]);
        }
    }
}
