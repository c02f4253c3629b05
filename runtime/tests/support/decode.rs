//! A step as a decoder's on a GPU: many arguments that stay, few that change, a cache that grows, a result in a caller's buffer.

use pygraph_artifact::{
    dtype::DType,
    plan::{Bind, BufferId, CacheLayout, KernelCall, KvArena, PositionSource, SlotRows, Spread, Step, Work},
    scalar::ScalarOp,
};

use super::{
    Builder,
    gpu::{OnGpu, call},
    launch,
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
    let cache = b.param("k", DType::I32, &[ROWS, 64], Bind::State);
    let updated = b.result("k'", cache);
    b.update(0, updated);
    b.program.params[0].cache =
        Some(CacheLayout { arena: 0, offset: 0, strides: vec![64, 1], slot_dim: None, token_dim: 0 });
    let pos = b.param("pos", DType::I32, &[], Bind::Host);
    let token = b.param("token", DType::I32, &[], Bind::Step);
    let others: Vec<BufferId> =
        (0..others).map(|number| b.param(&format!("w{number}"), DType::I32, &[], bind)).collect();
    let zero = b.constant(DType::I32, &[], &0_i32.to_le_bytes());
    let total = b.arena(DType::I32, &[]);
    let sum = b.output("sum", DType::I32, &[]);
    let ensure = SlotRows {
        arena: 0,
        source: Some(PositionSource::Param { index: 1 }),
        spread: Spread::One,
        offsets: vec![0],
        window: None,
    };
    b.program.ensures.push(ensure);
    let work = KernelCall {
        kernel: "add_to_row".to_string(),
        inputs: vec![cache, pos],
        outputs: vec![cache],
        attributes: vec![],
        bodies: vec![],
    };
    let mut steps = vec![launch("add_to_row", "model.mlir:1:1", Work::Kernel(work))];
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
