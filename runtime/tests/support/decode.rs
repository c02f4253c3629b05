//! A step as a decoder's on a GPU: many arguments that stay, few that change, a cache that grows, a result in a caller's buffer.

use pygraph_artifact::{
    dtype::DType,
    plan::{Bind, BufferId, KvArena, PositionSource, Step},
    scalar::ScalarOp,
};

use super::{
    Builder,
    gpu::{OnGpu, call},
    kernel, rows_at,
};

/// Rows of the cache have 64 numbers.
const ROW_BYTES: u64 = 256;
/// Rows that lie in one handle.
pub const ROWS_OF_HANDLE: u64 = (2 << 20) / ROW_BYTES;
const ROWS: u64 = 4 * ROWS_OF_HANDLE;

/// Arguments: the cache, the position, the token, and `others` more that are bound as `bind` says. The results are the cache, which has one more in
/// row `pos`, and the sum of `token` and the first of the others (or itself).
pub fn decode(others: usize, bind: Bind) -> OnGpu {
    let mut b = Builder::new("main");
    let cache = b.row_cache(ROWS);
    let pos = b.param("pos", DType::I32, &[], Bind::Host);
    let token = b.param("token", DType::I32, &[], Bind::Step);
    let others: Vec<BufferId> =
        (0..others).map(|number| b.param(&format!("w{number}"), DType::I32, &[], bind)).collect();
    let zero = b.constant(DType::I32, &[], &0_i32.to_le_bytes());
    let total = b.arena(DType::I32, &[]);
    let sum = b.output("sum", DType::I32, &[]);
    b.program.ensures.push(rows_at(PositionSource::Param { index: 1 }, None));
    let mut steps = vec![kernel("add_to_row", vec![cache, pos], cache)];
    let mut launches = vec![call("add_to_row", &[cache, pos])];
    launches[0].calls[0].block = [64, 1, 1];
    let mut add = |step: Step, name: &str, arguments: &[BufferId]| {
        steps.push(step);
        launches.push(call(name, arguments));
    };
    add(b.map(ScalarOp::Add, &[zero, token], total), "add_through", &[zero, token, total]);
    if let Some(first) = others.first() {
        let kernel = if bind == Bind::Once { "sum_of" } else { "add_through" };
        let [from, to] = if bind == Bind::Once { [*first, total] } else { [total, *first] };
        add(b.map(ScalarOp::Add, &[from, to], total), kernel, &[from, to, total]);
    }
    add(b.copy(total, sum), "store", &[total, sum]);
    let arena =
        KvArena { name: "kv".to_string(), slots: 1, tokens_max: ROWS, token_bytes: ROW_BYTES, handle_bytes: 2 << 20 };
    OnGpu { arenas: vec![arena], ..OnGpu::new(b.finish(steps), launches) }
}
