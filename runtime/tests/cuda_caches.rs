//! Caches that grow and shrink on a GPU: over a thousand steps, in loops on the device, below a window.
//!
//! As in cuda.rs, each test says that it is skipped where there is no GPU, and `scripts/test driver` runs them without one.

mod support;

use std::time::Duration;

use pygraph_artifact::{
    deployment::Deployment,
    dtype::DType,
    plan::{Bind, BufferId, CacheLayout, KernelCall, KvArena, PositionSource, SlotRows, Spread, Step, Work},
    scalar::ScalarOp,
};
use pygraph_runtime::{
    caches::{CacheError, CacheOptions},
    host::RunError,
    memory::{Actor, Change, MemoryError},
    session::{Session, StepError, Ticket},
};
use support::{
    Builder, as_ints,
    gpu::{OnGpu, call, gpu},
    ints, launch, nodes,
};

const HANDLE_BYTES: u64 = 2 << 20;
const HANDLES: u64 = 16;
/// Rows have 64 numbers.
const ROW_BYTES: u64 = 256;
const ROWS_OF_HANDLE: u64 = HANDLE_BYTES / ROW_BYTES;
const ROWS: u64 = HANDLES * ROWS_OF_HANDLE;
const LONG: Duration = Duration::from_secs(10);

fn kernel(name: &str, inputs: Vec<BufferId>, output: BufferId) -> Step {
    let work =
        KernelCall { kernel: name.to_string(), inputs, outputs: vec![output], attributes: vec![], bodies: vec![] };
    launch(name, "model.mlir:1:1", Work::Kernel(work))
}

fn rows_at(source: PositionSource, window: Option<u64>) -> SlotRows {
    SlotRows { arena: 0, source: Some(source), spread: Spread::One, offsets: vec![0], window }
}

/// A builder with the cache `k`, which is parameter 0.
fn with_cache() -> (Builder, BufferId) {
    let mut b = Builder::new("main");
    let cache = b.param("k", DType::I32, &[ROWS, 64], Bind::State);
    let updated = b.result("k'", cache);
    b.update(0, updated);
    b.program.params[0].cache =
        Some(CacheLayout { arena: 0, offset: 0, strides: vec![64, 1], slot_dim: None, token_dim: 0 });
    (b, cache)
}

fn constant(b: &mut Builder, value: u64) -> BufferId {
    b.constant(DType::I32, &[], &(value as i32).to_le_bytes())
}

/// A launch of a kernel by 64 threads.
fn wide_call(name: &str, arguments: &[BufferId]) -> pygraph_artifact::device_code::DeviceLaunch {
    let mut launch = call(name, arguments);
    launch.calls[0].block = [64, 1, 1];
    launch
}

fn on_gpu(
    program: (pygraph_artifact::plan::Program, Vec<u8>),
    launches: Vec<pygraph_artifact::device_code::DeviceLaunch>,
) -> OnGpu {
    let arena = KvArena {
        name: "kv".to_string(),
        slots: 1,
        tokens_max: ROWS,
        token_bytes: ROW_BYTES,
        handle_bytes: HANDLE_BYTES,
    };
    OnGpu { arenas: vec![arena], ..OnGpu::new(program, launches) }
}

/// Adds one to row `pos` (parameter 1), and sums up the first numbers of the rows up to there, or of those in a window: result 1.
fn stepping(window: Option<u64>) -> OnGpu {
    let (mut b, cache) = with_cache();
    let pos = b.param("pos", DType::I32, &[], Bind::Host);
    let (zero, rows) = (constant(&mut b, 0), constant(&mut b, window.unwrap_or(ROWS)));
    let sum = b.arena(DType::I32, &[]);
    b.result("sum", sum);
    let positions = rows_at(PositionSource::Param { index: 1 }, window);
    b.program.retires.extend(window.map(|_| positions.clone()));
    b.program.ensures.push(positions);
    let steps = vec![
        kernel("add_to_row", vec![cache, pos], cache),
        b.copy(zero, sum),
        kernel("sum_rows", vec![cache, pos, rows], sum),
    ];
    let launches = vec![
        wide_call("add_to_row", &[cache, pos]),
        call("move", &[zero, sum]),
        wide_call("sum_rows", &[cache, pos, rows, sum]),
    ];
    on_gpu(b.finish(steps), launches)
}

/// Runs a step at a position; result 1.
fn step_at(session: &mut Session, pos: u64) -> Result<i32, StepError> {
    session.set(1, ints(&[], &[pos as i32])).expect("fits");
    let outputs = session.step().and_then(Ticket::wait)?;
    Ok(as_ints(outputs.get(1).expect("a sum").bytes)[0])
}

/// The first number of each row of the cache that was left.
fn firsts(session: &Session) -> Vec<i32> {
    as_ints(session.outputs().get(0).expect("a cache").bytes).chunks(64).map(|row| row[0]).collect()
}

#[test]
fn a_thousand_steps_grow_over_many_handles_and_each_is_right() {
    let Some((_gpu, _guard)) = gpu("a thousand steps") else { return };
    const STEPS: u64 = 1000;
    for handles_ahead in [0, 2] {
        let mut session = stepping(None).session_with(CacheOptions { handles_ahead, ..CacheOptions::default() });
        session.begin_fresh().expect("nothing to unmap");
        for step in 0..STEPS {
            // The last row is the cache's last.
            let pos = (step + 1) * ROWS / STEPS - 1;
            assert_eq!(step_at(&mut session, pos).expect("runs"), step as i32 + 1, "row {pos}");
        }
        let slots = session.caches().expect("caches").slots();
        assert_eq!((slots[0].tokens, slots[0].mapped_bytes), (ROWS, HANDLES * HANDLE_BYTES));
        assert_eq!(firsts(&session).iter().sum::<i32>(), STEPS as i32);
    }
}

#[test]
fn rows_below_a_window_are_unmapped_and_their_memory_used_again() {
    let Some((_gpu, _guard)) = gpu("a window") else { return };
    let (window, stride) = (ROWS_OF_HANDLE, 128);
    for poison in [false, true] {
        // A window lies in two handles, and rows are given up when the step is over.
        let options = CacheOptions { limit_bytes: Some(3 * HANDLE_BYTES), poison, ..CacheOptions::default() };
        let mut session = stepping(Some(window)).session_with(options);
        for _request in 0..2 {
            session.begin_fresh().expect("unmaps");
            for pos in (0..ROWS).step_by(stride as usize) {
                let expected = (pos / stride + 1).min(window / stride) as i32;
                assert_eq!(step_at(&mut session, pos).expect("runs"), expected, "row {pos}");
                let slots = session.caches().expect("caches").slots();
                assert!(slots[0].mapped_bytes <= 3 * HANDLE_BYTES, "{slots:?}");
            }
            let slots = session.caches().expect("caches").slots();
            let last = ROWS - stride;
            assert_eq!((slots[0].tokens, slots[0].retired), (last + 1, last + 1 - window));
            // What is gone reads as zero; what is in the window is there.
            let firsts = firsts(&session);
            assert!(firsts[..(last + 1 - window) as usize].iter().all(|value| *value == 0));
            assert_eq!(firsts.iter().sum::<i32>(), (window / stride) as i32);
            let error = step_at(&mut session, 5).expect_err("the row is gone");
            assert!(matches!(error, StepError::Caches(CacheError::Retired { needed: 0, .. })), "{error}");
        }
        let log = session.caches().expect("caches").events(0);
        assert!(log.events.iter().any(|event| event.change == Change::Unmapped));
    }
}

/// Adds one to row `start` (parameter 1) and to each `stride` rows on below `end` (parameter 2), in a loop; results: where it ended, that and
/// `end` together, computed behind the loop, and the sum of the first numbers of all rows up to the last, computed in it.
fn looping(deploy: Deployment, stride: u64) -> OnGpu {
    let (mut b, cache) = with_cache();
    let start = b.param("start", DType::I32, &[], Bind::Host);
    let end = b.param("end", DType::I32, &[], Bind::Host);
    let (zero, rows, stride) = (constant(&mut b, 0), constant(&mut b, ROWS), constant(&mut b, stride));
    let (pos, less, sum, both) =
        (b.arena(DType::I32, &[]), b.arena(DType::I1, &[]), b.arena(DType::I32, &[]), b.arena(DType::I32, &[]));
    b.result("pos", pos);
    b.result("both", both);
    b.result("sum", sum);
    let ensure = Step::Ensure(rows_at(PositionSource::Buffer(pos), None));
    let body = vec![
        ensure,
        kernel("add_to_row", vec![cache, pos], cache),
        b.copy(zero, sum),
        kernel("sum_rows", vec![cache, pos, rows], sum),
        b.map(ScalarOp::Add, &[pos, stride], pos),
    ];
    let steps = vec![
        b.copy(start, pos),
        Step::While {
            condition: nodes(vec![b.map(ScalarOp::Lt, &[pos, end], less)]),
            predicate: less,
            body: nodes(body),
        },
        b.map(ScalarOp::Add, &[pos, end], both),
    ];
    let (mut program, constants) = b.finish(steps);
    program.segments[0].deploy = deploy;
    let launches = vec![
        call("move", &[start, pos]),
        call("less", &[pos, end, less]),
        wide_call("add_to_row", &[cache, pos]),
        call("move", &[zero, sum]),
        wide_call("sum_rows", &[cache, pos, rows, sum]),
        call("sum_of", &[pos, stride, pos]),
        call("sum_of", &[pos, end, both]),
    ];
    on_gpu((program, constants), launches)
}

const STRIDE: u64 = 131;

/// Runs a loop over some rows of empty caches, and checks its results and the cache.
fn check_loop(session: &mut Session, start: u64, end: u64) {
    session.begin_fresh().expect("unmaps");
    session.set(1, ints(&[], &[start as i32])).expect("fits");
    session.set(2, ints(&[], &[end as i32])).expect("fits");
    let outputs = session.step().and_then(Ticket::wait).expect("runs");
    let result = |index| as_ints(outputs.get(index).expect("a result").bytes)[0] as u64;
    let count = (end - start).div_ceil(STRIDE);
    let ended = start + count * STRIDE;
    assert_eq!([result(1), result(2)], [ended, ended + end]);
    assert!(count == 0 || result(3) == count, "{} of {count}", result(3));
    for (row, value) in firsts(session).into_iter().enumerate() {
        let is_visited = (start..end).contains(&(row as u64)) && (row as u64 - start).is_multiple_of(STRIDE);
        assert_eq!(value, i32::from(is_visited), "row {row}");
    }
}

/// How many handles were mapped by whom.
fn mapped_by(session: &Session, actor: Actor) -> u64 {
    let log = session.caches().expect("caches").events(0);
    let mapped = log.events.iter().filter(|event| event.change == Change::Mapped && event.by == actor);
    mapped.map(|event| (event.bytes.end - event.bytes.start) / HANDLE_BYTES).sum()
}

#[test]
fn a_loop_waits_for_rows_that_are_mapped_while_it_runs() {
    let Some((_gpu, _guard)) = gpu("a gated loop") else { return };
    for poison in [false, true] {
        let options = CacheOptions {
            patience: Some(LONG),
            thread_delay: Duration::from_millis(5),
            poison,
            ..CacheOptions::default()
        };
        let mut session = looping(Deployment::DeviceLoop, STRIDE).session_with(options);
        check_loop(&mut session, 3, ROWS);
        // Nobody stepped in: the loop never stopped.
        assert_eq!((mapped_by(&session, Actor::Caller), mapped_by(&session, Actor::Thread)), (0, HANDLES));
        // Again, not from the start and not to the end.
        check_loop(&mut session, ROWS_OF_HANDLE + 5, 3 * ROWS_OF_HANDLE);
        let slots = session.caches().expect("caches").slots();
        let most = 3 * ROWS_OF_HANDLE;
        assert!(slots[0].tokens <= most && slots[0].tokens > most - STRIDE, "{slots:?}");
        check_loop(&mut session, 7, 7);
    }
}

#[test]
fn a_loop_that_waits_in_vain_is_left_and_taken_up_again() {
    let Some((_gpu, _guard)) = gpu("a stopped loop") else { return };
    let options = CacheOptions {
        patience: Some(Duration::from_millis(2)),
        thread_delay: Duration::from_secs(1000),
        ..CacheOptions::default()
    };
    let mut session = looping(Deployment::DeviceLoop, STRIDE).session_with(options);
    for _ in 0..2 {
        check_loop(&mut session, 0, ROWS);
    }
    assert_eq!((mapped_by(&session, Actor::Caller), mapped_by(&session, Actor::Thread)), (2 * HANDLES, 0));
}

#[test]
fn a_loop_needs_no_more_memory_than_its_rows_and_says_when_there_is_none() {
    let Some((_gpu, _guard)) = gpu("a loop's memory") else { return };
    let mut session = looping(Deployment::DeviceLoop, STRIDE).session();
    check_loop(&mut session, 0, 100);
    assert_eq!(mapped_by(&session, Actor::Caller), HANDLES, "there is memory for all rows, before the loop");
    let limit = 3 * HANDLE_BYTES;
    for patience in [None, Some(LONG)] {
        let options = CacheOptions { limit_bytes: Some(limit), patience, ..CacheOptions::default() };
        let mut session = looping(Deployment::DeviceLoop, STRIDE).session_with(options);
        check_loop(&mut session, 1, 3 * ROWS_OF_HANDLE);
        session.begin_fresh().expect("unmaps");
        session.set(2, ints(&[], &[ROWS as i32])).expect("fits");
        let error = session.step().and_then(Ticket::wait).map(|_| ()).expect_err("there is memory for three handles");
        let StepError::StateLost { source: RunError::Caches(CacheError::Memory(error)), .. } = error else {
            panic!("{error}")
        };
        assert!(matches!(error, MemoryError::Limit { live, .. } if live == limit), "{error}");
        // The session goes on.
        check_loop(&mut session, 1, 2 * ROWS_OF_HANDLE);
    }
}

#[test]
fn a_loop_on_the_gpu_takes_no_caches_of_which_rows_are_gone() {
    let Some((_gpu, _guard)) = gpu("a loop and retired rows") else { return };
    for patience in [None, Some(LONG)] {
        let mut loops = looping(Deployment::DeviceLoop, STRIDE);
        loops.program.retires.push(rows_at(PositionSource::Param { index: 1 }, Some(1)));
        let mut session = loops.session_with(CacheOptions { patience, ..CacheOptions::default() });
        session.begin_fresh().expect("nothing to unmap");
        session.set(1, ints(&[], &[ROWS_OF_HANDLE as i32])).expect("fits");
        session.set(2, ints(&[], &[ROWS_OF_HANDLE as i32 + 1])).expect("fits");
        session.step().and_then(Ticket::wait).expect("runs");
        let error = session.step().and_then(Ticket::wait).map(|_| ()).expect_err("rows are gone");
        assert!(
            matches!(error, StepError::Caches(CacheError::Retired { needed: 0, retired: ROWS_OF_HANDLE, .. })),
            "{error}"
        );
    }
}

#[test]
fn loops_of_the_host_map_what_each_iteration_needs() {
    let Some((_gpu, _guard)) = gpu("a loop of the host") else { return };
    for deploy in [Deployment::HostLoop, Deployment::Stream] {
        let mut session = looping(deploy, STRIDE).session();
        check_loop(&mut session, 2, 2 * ROWS_OF_HANDLE + STRIDE);
        assert_eq!(mapped_by(&session, Actor::Caller), 3);
    }
}

/// What CI without a GPU can say of these programs.
#[test]
fn programs_of_these_tests_are_valid() {
    for program in [stepping(None), stepping(Some(7)), looping(Deployment::DeviceLoop, 1)] {
        assert!(program.artifact("sm_90").device_code().is_some());
    }
}
