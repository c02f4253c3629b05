//! Sums of products, decompositions and transforms.

use super::{Shape, Types, ensure, merge_shapes, one, positions, result_element};
use crate::ir::{
    Attribute, Dim, ElementType, TensorType,
    enums::{EnumAttr, FftType, Transpose},
    ops::view::{
        View, dim_of, dims_compatible, elements_compatible, extent, merge_dims, show_dim, show_element, show_shape,
    },
};

/// Batch dimensions, then what is left of the left side, then what is left of the right side.
pub fn dot_general(view: &View) -> Types {
    let (lhs, rhs) = (view.tensor(0)?, view.tensor(1)?);
    let Some(Attribute::DotDimensions(dims)) = view.attr("dot_dimension_numbers") else {
        return Err("`dot_dimension_numbers` is missing".to_string());
    };
    let sides = [(lhs, &dims.lhs_batching, &dims.lhs_contracting), (rhs, &dims.rhs_batching, &dims.rhs_contracting)];
    let names = [
        ("lhs", "lhs_batching_dimensions", "lhs_contracting_dimensions"),
        ("rhs", "rhs_batching_dimensions", "rhs_contracting_dimensions"),
    ];
    for ((tensor, batching, contracting), (side, batching_name, contracting_name)) in sides.iter().zip(names) {
        positions(batching_name, batching, tensor.rank())?;
        positions(contracting_name, contracting, tensor.rank())?;
        let both = batching.iter().find(|d| contracting.contains(d));
        ensure(both.is_none(), || {
            format!("dot_general has dimension {} of {side} as a batch and contracts it", both.unwrap_or(&0))
        })?;
    }
    let mut shape = pair_up(lhs, rhs, &dims.lhs_batching, &dims.rhs_batching, "has batches of")?;
    pair_up(lhs, rhs, &dims.lhs_contracting, &dims.rhs_contracting, "contracts")?;
    for (tensor, batching, contracting) in sides {
        let free = (0..).zip(&tensor.shape).filter(|(d, _)| !batching.contains(d) && !contracting.contains(d));
        shape.extend(free.map(|(_, dim)| dim.clone()));
    }
    one(shape, result_element(view, &lhs.element))
}

fn pair_up(lhs: &TensorType, rhs: &TensorType, left: &[i64], right: &[i64], verb: &str) -> Result<Shape, String> {
    ensure(left.len() == right.len(), || {
        format!("dot_general {verb} {} dimensions of lhs and {} of rhs", left.len(), right.len())
    })?;
    let dims = left.iter().zip(right).map(|(l, r)| (&lhs.shape[*l as usize], &rhs.shape[*r as usize]));
    dims.map(|(l, r)| {
        let fits = dims_compatible(l, r);
        ensure(fits, || format!("dot_general {verb} {} with {}", show_dim(l), show_dim(r)))?;
        Ok(merge_dims(l, r))
    })
    .collect()
}

/// A vector or matrix by a vector or matrix.
pub fn dot(view: &View) -> Types {
    let (lhs, rhs) = (view.tensor(0)?, view.tensor(1)?);
    let ranks_fit = [lhs, rhs].iter().all(|side| (1..=2).contains(&side.rank()));
    ensure(ranks_fit, || {
        format!("dot takes vectors and matrices, but has {} and {}", show_shape(&lhs.shape), show_shape(&rhs.shape))
    })?;
    let (inner, outer) = (&lhs.shape[lhs.rank() - 1], &rhs.shape[0]);
    ensure(dims_compatible(inner, outer), || format!("dot contracts {} with {}", show_dim(inner), show_dim(outer)))?;
    let shape = lhs.shape[..lhs.rank() - 1].iter().chain(&rhs.shape[1..]).cloned();
    one(shape, result_element(view, &lhs.element))
}

/// Square matrices.
pub fn cholesky(view: &View) -> Types {
    let a = view.tensor(0)?;
    square("cholesky", a)?;
    one(a.shape.iter().cloned(), &a.element)
}

fn square(name: &str, a: &TensorType) -> Result<(), String> {
    let is_square = matches!(&a.shape[..], [.., rows, columns] if dims_compatible(rows, columns));
    ensure(is_square, || format!("{name} takes square matrices, but has {}", show_shape(&a.shape)))
}

/// Square matrices beside matrices that they can be multiplied with.
pub fn triangular_solve(view: &View) -> Types {
    let (a, b) = (view.tensor(0)?, view.tensor(1)?);
    square("triangular_solve", a)?;
    ensure(elements_compatible(&a.element, &b.element), || {
        format!("triangular_solve has {} and {}", show_element(&a.element), show_element(&b.element))
    })?;
    ensure(a.rank() == b.rank(), || {
        format!("triangular_solve has {} and {}", show_shape(&a.shape), show_shape(&b.shape))
    })?;
    let batch = a.rank() - 2;
    let batches = merge_shapes(view, [&a.shape[..batch], &b.shape[..batch]])?;
    let own = if view.flag("left_side") { &b.shape[batch] } else { &b.shape[batch + 1] };
    ensure(dims_compatible(&a.shape[batch], own), || {
        format!("triangular_solve has matrices of {} for a side of {}", show_dim(&a.shape[batch]), show_dim(own))
    })?;
    if let Some(Attribute::Enum(EnumAttr::Transpose(Transpose::Invalid))) = view.attr("transpose_a") {
        return Err("`transpose_a` is TRANSPOSE_INVALID".to_string());
    }
    one(batches.into_iter().chain(b.shape[batch..].iter().cloned()), &b.element)
}

/// Along the innermost one to three dimensions.
pub fn fft(view: &View) -> Types {
    let operand = view.tensor(0)?;
    let length = view.ints("fft_length")?;
    let Some(Attribute::Enum(EnumAttr::FftType(kind))) = view.attr("fft_type") else {
        return Err("`fft_type` is missing".to_string());
    };
    ensure((1..=3).contains(&length.len()) && length.len() <= operand.rank(), || {
        format!("`fft_length` has {} values for a tensor of {} dimensions", length.len(), operand.rank())
    })?;
    let (is_real, result) = match (kind, &operand.element) {
        (FftType::Fft | FftType::Ifft, ElementType::Complex(part)) => (false, ElementType::Complex(*part)),
        (FftType::Rfft, ElementType::Float(part)) => (true, ElementType::Complex(*part)),
        (FftType::Irfft, ElementType::Complex(part)) => (true, ElementType::Float(*part)),
        (kind, element) => return Err(format!("fft {} does not suit {}", kind.name(), show_element(element))),
    };
    let mut shape = operand.shape.clone();
    let first = operand.rank() - length.len();
    for (at, length) in (first..).zip(length) {
        let halved = is_real && at + 1 == operand.rank();
        let length = u64::try_from(*length).map_err(|_| format!("`fft_length` has {length}"))?;
        let (own, new) = match (kind, halved) {
            (FftType::Irfft, true) => (if length == 0 { 0 } else { length / 2 + 1 }, length),
            (_, true) => (length, if length == 0 { 0 } else { length / 2 + 1 }),
            _ => (length, length),
        };
        ensure(dims_compatible(&shape[at], &Dim::Static(own)), || {
            format!("fft {} of length {length} needs extent {own}, but has {}", kind.name(), show_dim(&shape[at]))
        })?;
        shape[at] = dim_of(Some(new));
    }
    one(shape, &result)
}

/// Rows in groups, each with a matrix of its own: only what the number of dimensions says.
pub fn ragged_dot(view: &View) -> Result<(), String> {
    let groups = view.tensor(2)?;
    ensure(groups.rank() >= 1 && groups.shape.iter().all(|dim| extent(dim) != Some(0)), || {
        format!("ragged_dot has groups of {}", show_shape(&groups.shape))
    })
}
