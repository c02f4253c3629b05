//! How many rows attention reads, as operations.

use pygraph_artifact::plan::Spread;

use super::source::Source;
use crate::{
    ir::{Attribute, ElementType, Module, OpId, Opcode, ValueId, enums::ComparisonDirection},
    passes::{
        emit::{self, Emit, Number, Out},
        positions::Position,
    },
};

/// The length of each slot: `p < 0 ? S : min(p + 1, S)` for the largest position.
pub(super) fn bound_length(
    e: &mut Emit,
    rows: &[Vec<Position>],
    tokens: i64,
    source: Option<Source>,
) -> Out {
    let shape = [rows.len() as i64, rows[0].len() as i64];
    let offsets: Vec<Number> = rows.iter().flatten().map(|position| Number::Int(position.offset)).collect();
    let Some(Source { root, spread, .. }) = source else {
        let length = |row: &Vec<Position>| {
            let all = || row.iter().map(|position| position.offset);
            let most = all().max().unwrap_or(0);
            Number::Int(if all().any(|offset| offset < 0) { tokens } else { most.saturating_add(1).min(tokens) })
        };
        let lengths: Vec<Number> = rows.iter().map(length).collect();
        return e.numbers(&lengths, &ElementType::I32, &[shape[0]]);
    };
    let own = match spread {
        Spread::One => [1, 1],
        Spread::Slots => [shape[0], 1],
        Spread::Tokens => [1, shape[1]],
    };
    let mut positions = e.reshape(root, &own)?;
    if offsets.iter().any(|offset| *offset != Number::Int(0)) || own != shape {
        let element = e.element(positions)?;
        positions = e.broadcast_in_dim(positions, &shape, &[0, 1])?;
        let offsets = e.numbers(&offsets, &element, &shape)?;
        positions = e.add(positions, offsets)?;
    }
    length_of(e, positions, tokens)
}

fn length_of(e: &mut Emit, positions: ValueId, tokens: i64) -> Out {
    let shape = e.shape(positions)?;
    let element = e.element(positions)?;
    let by_slot = |e: &mut Emit, opcode, init| {
        if shape[1] == 1 { e.reshape(positions, &shape[..1]) } else { e.fold(opcode, positions, init, &[1]) }
    };
    let most = by_slot(e, Opcode::StablehloMaximum, emit::lowest(&element))?;
    let least = by_slot(e, Opcode::StablehloMinimum, emit::highest(&element))?;
    // Least of all so that adding one does not wrap.
    let inside = e.binary_number(Opcode::StablehloMinimum, most, Number::Int(tokens - 1))?;
    let length = e.binary_number(Opcode::StablehloAdd, inside, Number::Int(1))?;
    let is_negative = e.compare_number(ComparisonDirection::Lt, least, Number::Int(0))?;
    let all = e.splat(Number::Int(tokens), &element, &shape[..1])?;
    e.select(is_negative, all, length)
}

/// Gives an attention its length, once.
pub(super) fn set_length(module: &mut Module, attention: OpId, length: ValueId) {
    let Some(Attribute::DenseArray { element, values }) = module.op(attention).attr("operandSegmentSizes").cloned() else {
        unreachable!("the verifier should have seen how many operands of each sort an attention has");
    };
    let mut sizes = values.to_vec();
    if sizes[6] == 0 {
        sizes[6] = 1;
        let segments = Attribute::DenseArray { element, values: sizes.into() };
        module.op_mut(attention).attrs.set("operandSegmentSizes", segments);
        module.op_mut(attention).operands.push(length);
    }
}
