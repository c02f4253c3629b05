//! Loop nests that compute many operations at once, since compilers take long for each kernel.

use pygraph_artifact::{
    dtype::DType,
    plan::{Access, BufferId, Nest, Work},
    scalar::{ScalarBody, ScalarInst, ScalarOp, Signature},
};

use super::{
    tolerance::units_max,
    values::{edges, random},
};
use crate::support::Case;

/// Random elements beside the edges.
const RANDOM: usize = 400;
/// The most pairs of edges.
const PAIRS_MAX: usize = 6000;

/// What a case computes.
pub struct ScalarCase {
    /// One an output.
    pub results: Vec<ResultOf>,
}

/// One operation.
pub struct ResultOf {
    /// Its name.
    pub name: String,
    /// The type of its result.
    pub dtype: DType,
    /// How far it may be from what the interpreter gives.
    pub units_max: f64,
}

/// Every operation on every type that it accepts.
pub fn all_cases() -> Vec<(ScalarCase, Case)> {
    let of_one_type = DType::ALL.iter().flat_map(|dtype| [case_of(*dtype, 1), case_of(*dtype, 2)]);
    of_one_type.chain(DType::ALL.iter().map(|dtype| select_case(*dtype))).flatten().collect()
}

/// All operations of that many operands of one type.
fn case_of(dtype: DType, arity: usize) -> Option<(ScalarCase, Case)> {
    let operands = vec![dtype; arity];
    let mut instructions = Vec::new();
    let ops = ScalarOp::ALL.iter().copied().filter(|op| op.arity() == arity && op.signature() != Signature::Select);
    for op in ops {
        for result in DType::ALL.iter().copied().filter(|result| op.accepts(&operands, *result)) {
            let registers: Vec<u32> = (0..arity as u32).collect();
            for immediates in immediates(op) {
                instructions.push(ScalarInst::Op { op, dtype: result, operands: registers.clone(), immediates });
            }
        }
    }
    (!instructions.is_empty())
        .then(|| build(format!("{dtype}_{arity}"), operands.clone(), instructions, operand_values(&operands)))
}

fn select_case(dtype: DType) -> Option<(ScalarCase, Case)> {
    let operands = vec![DType::I1, dtype, dtype];
    let op = ScalarInst::Op { op: ScalarOp::Select, dtype, operands: vec![0, 1, 2], immediates: vec![] };
    Some(build(format!("{dtype}_select"), operands.clone(), vec![op], operand_values(&operands)))
}

/// Lists of immediates to try.
fn immediates(op: ScalarOp) -> Vec<Vec<i64>> {
    if op.immediate_count() == 0 {
        return vec![vec![]];
    }
    [(5, 10), (8, 7), (4, 3), (2, 0), (1, 1), (11, 52), (8, 0), (3, 40)]
        .map(|(exponent, mantissa)| vec![exponent, mantissa])
        .to_vec()
}

/// Elements of all operands: edges with edges, and random ones.
fn operand_values(operands: &[DType]) -> Vec<Vec<Vec<u8>>> {
    let mut state = 1;
    let mut columns: Vec<Vec<Vec<u8>>> = vec![Vec::new(); operands.len()];
    let all: Vec<Vec<Vec<u8>>> = operands.iter().map(|dtype| edges(*dtype)).collect();
    let count: usize = all.iter().map(Vec::len).product();
    // A step that has no factor in common with the count visits all pairs, or a share of them.
    let step = count.div_ceil(PAIRS_MAX) | 1;
    for pair in (0..count).step_by(step) {
        let mut rest = pair;
        for (column, edges) in columns.iter_mut().zip(&all) {
            column.push(edges[rest % edges.len()].clone());
            rest /= edges.len();
        }
    }
    for _ in 0..RANDOM {
        columns.iter_mut().zip(operands).for_each(|(column, dtype)| column.push(random(*dtype, &mut state)));
    }
    columns
}

fn build(
    name: String,
    operands: Vec<DType>,
    instructions: Vec<ScalarInst>,
    values: Vec<Vec<Vec<u8>>>,
) -> (ScalarCase, Case) {
    let count = values[0].len();
    let results: Vec<ResultOf> = instructions
        .iter()
        .map(|instruction| match instruction {
            ScalarInst::Op { op, dtype, operands: registers, .. } => {
                let units_max = units_max(*op, operands[registers[registers.len() - 1] as usize]);
                ResultOf { name: op.name().to_string(), dtype: *dtype, units_max }
            }
            _ => unreachable!("all instructions are operations"),
        })
        .collect();
    let inputs = operands.len() as u32;
    let access = |number: usize| Access { buffer: BufferId(number as u32), offset: 0, strides: vec![1] };
    let nest = Nest {
        extents: vec![count as u64],
        reduction_dims: 0,
        inputs: (0..operands.len()).map(access).collect(),
        outputs: (operands.len()..operands.len() + results.len()).map(access).collect(),
        map: ScalarBody {
            inputs: operands.clone(),
            outputs: (inputs..inputs + results.len() as u32).collect(),
            instructions,
        },
        combine: None,
    };
    let shape = vec![count as u64];
    let given = operands.iter().zip(values).map(|(dtype, values)| (*dtype, shape.clone(), values.concat()));
    let outputs =
        results.iter().map(|result| (result.dtype, shape.clone(), vec![0; count * result.dtype.size_bytes()]));
    let case = Case { shift: 0, name, work: Work::Nest(nest), arrays: given.chain(outputs).collect() };
    (ScalarCase { results }, case)
}
