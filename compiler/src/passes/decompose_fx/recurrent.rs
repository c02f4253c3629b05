//! Recurrent layers, written out step by step: `gru`, `lstm`, `rnn_tanh`, `rnn_relu` on dense input.

use super::{
    activation::relu_of,
    call::{Arg, Call},
    linear::linear_of,
    table::Values,
};
use crate::{
    ir::{Opcode, ValueId},
    passes::emit::{Emit, Out, Refusal},
};

/// A cell: new state from the input's and the state's products and the state.
type Cell = fn(&mut Emit, ValueId, &[ValueId], &Weights) -> Result<Vec<ValueId>, Refusal>;

/// Weights of one layer in one direction.
struct Weights {
    input: ValueId,
    hidden: ValueId,
    bias: Option<(ValueId, ValueId)>,
}

impl Weights {
    fn input(&self, e: &mut Emit, x: ValueId) -> Out {
        let element = e.element(x)?;
        linear_of(e, x, self.input, self.bias.map(|bias| bias.0), &element)
    }

    fn hidden(&self, e: &mut Emit, x: ValueId) -> Out {
        let element = e.element(x)?;
        linear_of(e, x, self.hidden, self.bias.map(|bias| bias.1), &element)
    }
}

/// `gru.input(x, h, weights, has_biases, layers, dropout, train, bidirectional, batch_first)`.
pub fn gru(e: &mut Emit, call: &Call) -> Values {
    recurrent(e, call, 1, gru_cell)
}

/// `lstm.input(x, [h, c], weights, …)`.
pub fn lstm(e: &mut Emit, call: &Call) -> Values {
    recurrent(e, call, 2, lstm_cell)
}

/// `rnn_tanh.input`.
pub fn rnn_tanh(e: &mut Emit, call: &Call) -> Values {
    recurrent(e, call, 1, |e, x, state, weights| {
        let sum = rnn_sum(e, x, state, weights)?;
        Ok(vec![e.unary(Opcode::StablehloTanh, sum)])
    })
}

/// `rnn_relu.input`.
pub fn rnn_relu(e: &mut Emit, call: &Call) -> Values {
    recurrent(e, call, 1, |e, x, state, weights| {
        let sum = rnn_sum(e, x, state, weights)?;
        Ok(vec![relu_of(e, sum)?])
    })
}

fn rnn_sum(e: &mut Emit, x: ValueId, state: &[ValueId], weights: &Weights) -> Out {
    let (x, h) = (weights.input(e, x)?, weights.hidden(e, state[0])?);
    e.add(x, h)
}

fn gates(e: &mut Emit, x: ValueId, count: i64) -> Values {
    let [_, width] = e.shape(x)?[..] else { return Err(Refusal::from("its weights are no matrices")) };
    let width = width / count;
    (0..count).map(|at| e.slice_dim(x, 1, at * width, (at + 1) * width, 1)).collect()
}

fn gru_cell(e: &mut Emit, x: ValueId, state: &[ValueId], weights: &Weights) -> Result<Vec<ValueId>, Refusal> {
    let (x, h) = (weights.input(e, x)?, weights.hidden(e, state[0])?);
    let (x, h) = (gates(e, x, 3)?, gates(e, h, 3)?);
    let reset = e.add(x[0], h[0])?;
    let reset = e.unary(Opcode::StablehloLogistic, reset);
    let update = e.add(x[1], h[1])?;
    let update = e.unary(Opcode::StablehloLogistic, update);
    let kept = e.mul(reset, h[2])?;
    let new = e.add(x[2], kept)?;
    let new = e.unary(Opcode::StablehloTanh, new);
    let distance = e.sub(state[0], new)?;
    let step = e.mul(update, distance)?;
    Ok(vec![e.add(new, step)?])
}

fn lstm_cell(e: &mut Emit, x: ValueId, state: &[ValueId], weights: &Weights) -> Result<Vec<ValueId>, Refusal> {
    let sum = rnn_sum(e, x, state, weights)?;
    let parts = gates(e, sum, 4)?;
    let input = e.unary(Opcode::StablehloLogistic, parts[0]);
    let forget = e.unary(Opcode::StablehloLogistic, parts[1]);
    let new = e.unary(Opcode::StablehloTanh, parts[2]);
    let output = e.unary(Opcode::StablehloLogistic, parts[3]);
    let (old, new) = (e.mul(forget, state[1])?, e.mul(input, new)?);
    let cell = e.add(old, new)?;
    let shown = e.unary(Opcode::StablehloTanh, cell);
    Ok(vec![e.mul(output, shown)?, cell])
}

fn recurrent(e: &mut Emit, call: &Call, states: usize, cell: Cell) -> Values {
    let (mut x, weights) = (call.tensor(0, "input")?, call.tensors(2, "params")?);
    let (has_biases, layers) = (call.flag(3, "has_biases", true)?, call.int(4, "num_layers", 1)?);
    let (dropout, train) = (call.float(5, "dropout", 0.0)?, call.flag(6, "train", false)?);
    let directions = 1 + usize::from(call.flag(7, "bidirectional", false)?);
    let batch_first = call.flag(8, "batch_first", false)?;
    let starts = match call.arg(1, "hx") {
        Arg::List(_) => call.tensors(1, "hx")?,
        _ => vec![call.tensor(1, "hx")?],
    };
    if e.rank(x)? != 3 || starts.len() != states || (train && dropout > 0.0) {
        return Err(Refusal::from("only batches of dense sequences without dropout are supported"));
    }
    let per_cell = if has_biases { 4 } else { 2 };
    let cells = usize::try_from(layers).unwrap_or(0) * directions;
    if weights.len() != cells * per_cell || cells == 0 {
        return Err(Refusal(format!(
            "{} weights do not make {cells} layers (projections are not supported)",
            weights.len()
        )));
    }
    if batch_first {
        x = e.transpose(x, &[1, 0, 2])?;
    }
    let mut last: Vec<Vec<ValueId>> = vec![Vec::new(); states];
    for layer in 0..cells / directions {
        let mut outputs = Vec::new();
        for direction in 0..directions {
            let at = layer * directions + direction;
            let own = &weights[at * per_cell..(at + 1) * per_cell];
            let bias = has_biases.then(|| (own[2], own[3]));
            let own = Weights { input: own[0], hidden: own[1], bias };
            let state = starts.iter().map(|start| row(e, *start, at as i64)).collect::<Result<Vec<_>, _>>()?;
            let (output, state) = run(e, x, state, &own, direction == 1, cell)?;
            outputs.push(output);
            last.iter_mut().zip(state).for_each(|(list, value)| list.push(value));
        }
        x = e.concatenate(&outputs, 2)?;
    }
    if batch_first {
        x = e.transpose(x, &[1, 0, 2])?;
    }
    let mut results = vec![x];
    for list in last {
        results.push(join(e, &list)?);
    }
    Ok(results)
}

/// One layer in one direction: all outputs and the last state.
fn run(
    e: &mut Emit,
    x: ValueId,
    mut state: Vec<ValueId>,
    weights: &Weights,
    backwards: bool,
    cell: Cell,
) -> Result<(ValueId, Vec<ValueId>), Refusal> {
    const STEPS_MAX: i64 = 4096;
    let steps = e.shape(x)?[0];
    if !(1..=STEPS_MAX).contains(&steps) {
        return Err(Refusal(format!("a sequence of {steps} steps can't be written out (1 to {STEPS_MAX} can)")));
    }
    let mut outputs = Vec::new();
    for step in 0..steps {
        let at = if backwards { steps - 1 - step } else { step };
        let input = row(e, x, at)?;
        state = cell(e, input, &state, weights)?;
        outputs.push(state[0]);
    }
    if backwards {
        outputs.reverse();
    }
    Ok((join(e, &outputs)?, state))
}

fn row(e: &mut Emit, x: ValueId, at: i64) -> Out {
    let part = e.slice_dim(x, 0, at, at + 1, 1)?;
    let shape = e.shape(part)?;
    e.reshape(part, &shape[1..])
}

fn join(e: &mut Emit, rows: &[ValueId]) -> Out {
    let mut parts = Vec::new();
    for value in rows {
        let shape = e.shape(*value)?;
        parts.push(e.reshape(*value, &[&[1], &shape[..]].concat())?);
    }
    e.concatenate(&parts, 0)
}
