//! Elementwise operations and `iota`: one nest, its body the operation.

use pygraph_artifact::{dtype::DType, scalar::ScalarOp};

use super::{
    Lowered,
    body::{BodyBuilder, Register},
    literal, region, scalar,
    site::{Site, Tensor, identity, to_scalar},
};
use crate::ir::{ValueId, attribute::AffineMap};

/// Any operation that [`scalar::append`] knows.
pub fn elementwise(site: &mut Site) -> Option<ValueId> {
    let result = site.results().first().cloned()?;
    let sources = Sources::of(site, &site.operands());
    let mut body = BodyBuilder::new(&sources.dtypes);
    let operands = sources.registers(&mut body);
    let value = scalar::append(&mut body, site.module.op(site.op), &operands, result.dtype)?;
    // A scalar predicate of `select`, scalar bounds of `clamp`.
    let rank = result.rank();
    let inputs = sources.inputs_from(|tensor| if tensor.rank() == rank { identity(rank) } else { to_scalar(rank) });
    Some(site.generate(&result, inputs, body.finish(&[value])))
}

/// Where the values of a body come from.
pub struct Sources {
    sources: Vec<Source>,
    inputs: Vec<(ValueId, Tensor)>,
    /// The types of the inputs that are read.
    pub dtypes: Vec<DType>,
}

enum Source {
    /// An input of the nest.
    Input(usize),
    /// A constant that is one value everywhere: a literal in the body, and no tensor to read.
    Constant { dtype: DType, bits: u128 },
}

impl Sources {
    /// The sources of an element of each of these values.
    pub fn of(site: &Site, values: &[ValueId]) -> Sources {
        let mut sources = Sources { sources: Vec::new(), inputs: Vec::new(), dtypes: Vec::new() };
        for value in values {
            let tensor = site.tensor(*value);
            let literal = site.constant_elements(*value).and_then(|elements| literal::splat_bits(&elements));
            let known = sources.inputs.iter().position(|(input, _)| input == value);
            sources.sources.push(match (literal, known) {
                (Some(bits), _) => Source::Constant { dtype: tensor.dtype, bits },
                (None, Some(index)) => Source::Input(index),
                (None, None) => {
                    sources.dtypes.push(tensor.dtype);
                    sources.inputs.push((*value, tensor));
                    Source::Input(sources.inputs.len() - 1)
                }
            });
        }
        sources
    }

    /// A register for each value.
    pub fn registers(&self, body: &mut BodyBuilder) -> Vec<Register> {
        let register = |source: &Source| match source {
            Source::Input(index) => body.input(*index),
            Source::Constant { dtype, bits } => body.constant(*dtype, *bits),
        };
        self.sources.iter().map(register).collect()
    }

    /// The inputs of the nest, each with its map.
    pub fn inputs_from(self, map: impl Fn(&Tensor) -> AffineMap) -> Vec<(ValueId, AffineMap)> {
        self.inputs.into_iter().map(|(value, tensor)| (value, map(&tensor))).collect()
    }
}

/// `iota`
pub fn iota(site: &mut Site) -> Lowered {
    let result = site.result(0);
    let dimension = site.int("iota_dimension") as usize;
    let mut body = BodyBuilder::new(&[]);
    let index = body.index(dimension);
    let value = body.convert(index, result.dtype);
    Ok(vec![site.generate(&result, Vec::new(), body.finish(&[value]))])
}

/// `map`: its region is the body.
pub fn map(site: &mut Site) -> Lowered {
    let result = site.result(0);
    let body = region::body_of_region(site.module, site.op, 0)?;
    let inputs = site.operands().into_iter().map(|value| (value, identity(result.rank()))).collect();
    Ok(vec![site.generate(&result, inputs, body)])
}

/// A value that is true where the operation's predicate is false, as an `i32` of 0 and 1: the index of a choice.
pub fn index_of_predicate(site: &mut Site, predicate: ValueId) -> ValueId {
    let tensor = site.tensor(predicate);
    let mut body = BodyBuilder::new(&[tensor.dtype]);
    let otherwise = body.op(ScalarOp::Not, tensor.dtype, &[body.input(0)]);
    let index = body.convert(otherwise, DType::I32);
    let body = body.finish(&[index]);
    let index = Tensor { dtype: DType::I32, shape: tensor.shape };
    let inputs = vec![(predicate, identity(index.rank()))];
    site.generate(&index, inputs, body)
}
