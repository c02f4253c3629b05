//! Folds of many points into few: every parallel point is cut into parts, which blocks all over the card fold, and then the parts are
//! folded in order, so results are the same from run to run.

use pygraph_artifact::{
    dtype::DType,
    plan::{Access, Nest, Program},
};
use pygraph_kernels::cuda::{BLOCKS_MAX, THREADS};

use crate::{
    fused::{parameters_of, source_of},
    kernel::{CallCode, LaunchCode, Operand, Parameter, Start, global},
    nest::{Folded, NestText, POINT, Split, Vector, index_type, is_commutative, line},
};
use std::fmt::Write as _;

/// Folded points of a parallel point below which a second kernel costs more than one block's time.
const POINTS_MIN: u64 = 1 << 15;
/// Folded points of a part, at least: a few loads for each thread.
const PART_MIN: u64 = 4096;
/// Points along the inner dimensions below which a block has too little to do for one of the outer.
const INNER_MIN: u64 = 2 * THREADS as u64;

/// How a parallel point is cut.
struct Cut {
    /// Into how many parts.
    parts: u64,
    /// What a part counts: points of so many of the outer folded dimensions, each with all points of the others; with none of
    /// them, the folded points themselves.
    outer_dims: usize,
    /// Of those in a part, but for the last.
    each: u64,
    /// Of those in a parallel point.
    count: u64,
}

/// Two kernels for a nest of `points` parallel points; none if one block for each of them serves as well.
pub fn lower(program: &Program, nest: &Nest, points: u64) -> Option<LaunchCode> {
    let cut = cut(nest, points)?;
    let (parameters, operands) = parameters_of(program, nest);
    let source = |access: &Access| source_of(nest, &parameters, access);
    let mut text = NestText::new(nest, "n", &source);
    let mut launch = LaunchCode::default();
    let scratch = launch.add_scratch(points * cut.parts * text.value_bytes_max());
    let (inputs, outputs) = (0..nest.inputs.len(), nest.inputs.len()..operands.len());
    let folded = fold_outputs(&text, nest, &cut);
    let parts = fold_inputs(&mut text, nest, &cut);
    for (body, blocks, own) in [(parts, points * cut.parts, inputs), (folded, points, outputs)] {
        let array = Parameter::new("parts".to_string(), DType::U8, false, true);
        let parameters: Vec<Parameter> = parameters[own.clone()].iter().cloned().chain([array]).collect();
        launch.calls.push(CallCode {
            text: global(&parameters, THREADS, Start::Late, &body),
            grid: [blocks as u32, 1, 1],
            block: [THREADS, 1, 1],
            shared_bytes: 0,
            operands: operands[own].iter().copied().chain([scratch]).collect::<Vec<Operand>>(),
            is_light: false,
            is_free: false,
        });
    }
    Some(launch)
}

fn cut(nest: &Nest, points: u64) -> Option<Cut> {
    let rank = nest.extents.len() - nest.reduction_dims as usize;
    let folded = &nest.extents[rank..];
    let count: u64 = folded.iter().product();
    let parts_max = BLOCKS_MAX / points;
    if count < POINTS_MIN || parts_max < 2 {
        return None;
    }
    let cut_of = |outer_dims: usize, count: u64, each_min: u64| {
        let each = count.div_ceil(parts_max).max(each_min);
        Cut { parts: count.div_ceil(each), outer_dims, each, count }
    };
    // What does not change along the inner dimensions is then loaded once for all of them.
    let outer = |dims: &usize| {
        let (outer, inner): (u64, u64) = (folded[..*dims].iter().product(), folded[*dims..].iter().product());
        outer >= parts_max.min(64) && inner >= INNER_MIN
    };
    let by_rows = (1..folded.len()).find(outer).filter(|_| is_commutative(nest));
    let cut = match by_rows {
        Some(dims) => {
            let inner: u64 = folded[dims..].iter().product();
            cut_of(dims, folded[..dims].iter().product(), PART_MIN.div_ceil(inner))
        }
        None => cut_of(0, count, PART_MIN),
    };
    (cut.parts > 1).then_some(cut)
}

/// The kernel that folds parts: a block a part.
fn fold_inputs(text: &mut NestText<'_>, nest: &Nest, cut: &Cut) -> String {
    let rank = nest.extents.len() - nest.reduction_dims as usize;
    let Cut { parts, outer_dims, each, count } = *cut;
    let mut body = head(nest);
    line!(body, "const index first = index(blockIdx.x % {parts}) * {each};");
    line!(body, "const index end = first + {each} < {count} ? first + {each} : {count};");
    body.push_str(&text.split(&format!("blockIdx.x / {parts}"), 0..rank));
    let cut_points =
        |dims| Folded { first: "first".to_string(), end: "end".to_string(), count: each, dims, vector: POINT };
    let all_points = |dims: std::ops::Range<usize>, vector: Vector| {
        let count = nest.extents[dims.clone()].iter().product::<u64>() / vector.width;
        Folded { first: "0".to_string(), end: count.to_string(), count, dims, vector }
    };
    let (middle, last) = (rank + outer_dims, nest.extents.len());
    let (outer, inner) = match outer_dims {
        0 => (all_points(rank..rank, POINT), cut_points(rank..last)),
        _ => {
            let vector = text.fold_vector(Split::Group(THREADS), middle..last);
            (cut_points(rank..middle), all_points(middle..last, vector))
        }
    };
    body + &text.fold_part(THREADS, &outer, &inner, "parts", "blockIdx.x")
}

/// The kernel that folds what the parts gave: a block a parallel point.
fn fold_outputs(text: &NestText<'_>, nest: &Nest, cut: &Cut) -> String {
    let rank = nest.extents.len() - nest.reduction_dims as usize;
    let body = head(nest) + &text.split("blockIdx.x", 0..rank);
    body + &text.fold_parts(THREADS, cut.parts, "parts", &format!("u64(blockIdx.x) * {}", cut.parts))
}

fn head(nest: &Nest) -> String {
    format!("typedef {} index;\nconst int lane = group_lane<{THREADS}>();\n", index_type(std::slice::from_ref(nest)))
}
