//! Caches that grow and shrink on a GPU: over a thousand steps, in loops on the device, below a window.
//!
//! As in cuda.rs, each test says that it is skipped where there is no GPU, and `scripts/test driver` runs them without one.

mod support;

use std::time::Duration;

use pygraph_artifact::{
    deployment::Deployment,
    dtype::DType,
    plan::{Bind, BufferId, KvArena, PositionSource, Step},
    scalar::ScalarOp,
};
use pygraph_runtime::{
    caches::{CacheError, CacheOptions},
    memory::{Actor, Change, MemoryError},
    session::{LoopStop, Session, StepError, Ticket},
};
use support::{
    Builder, as_ints,
    gpu::{OnGpu, call, gpu},
    ints, kernel, nodes, rows_at,
};

const HANDLE_BYTES: u64 = 2 << 20;
const HANDLES: u64 = 16;
/// Rows have 64 numbers.
const ROW_BYTES: u64 = 256;
const ROWS_OF_HANDLE: u64 = HANDLE_BYTES / ROW_BYTES;
const ROWS: u64 = HANDLES * ROWS_OF_HANDLE;
const LONG: Duration = Duration::from_secs(10);

/// A builder with the cache `k`, which is parameter 0.
fn with_cache() -> (Builder, BufferId) {
    let mut b = Builder::new("main");
    let cache = b.row_cache(ROWS);
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

/// Empty caches, and the rows that the next step goes over.
fn begin_loop(session: &mut Session, start: u64, end: u64) {
    session.begin_fresh().expect("unmaps");
    session.set(1, ints(&[], &[start as i32])).expect("fits");
    session.set(2, ints(&[], &[end as i32])).expect("fits");
}

/// Runs a loop over some rows of empty caches, and checks its results and the cache.
fn check_loop(session: &mut Session, start: u64, end: u64) {
    begin_loop(session, start, end);
    session.step().and_then(Ticket::wait).expect("runs");
    check_results(session, start, end, (end - start).div_ceil(STRIDE));
}

/// Checks the results and the cache behind so many iterations.
fn check_results(session: &Session, start: u64, end: u64, count: u64) {
    let outputs = session.outputs();
    let result = |index| as_ints(outputs.get(index).expect("a result").bytes)[0] as u64;
    let ended = start + count * STRIDE;
    assert_eq!([result(1), result(2)], [ended, ended + end]);
    assert!(count == 0 || result(3) == count, "{} of {count}", result(3));
    for (row, value) in firsts(session).into_iter().enumerate() {
        let is_visited = (start..ended).contains(&(row as u64)) && (row as u64 - start).is_multiple_of(STRIDE);
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
    for patience in [None, Some(LONG)] {
        let mut session = limited_loop(patience);
        check_loop(&mut session, 1, 3 * ROWS_OF_HANDLE);
        let stop = stopped_loop(&mut session);
        let CacheError::Memory(error) = &stop.source else { panic!("{stop}") };
        assert!(matches!(error, MemoryError::Limit { live, .. } if *live == LIMIT), "{error}");
        assert_eq!((stop.segment.as_str(), stop.iterations), ("s0", ITERATIONS_WITHIN_LIMIT));
        let text = stop.to_string();
        let expected = "a loop of segment `s0` was stopped after 188 iterations, and their work is kept: make room and call `resume`, \
                        call `leave_loop` for the results so far, or `abandon` it";
        assert!(text.ends_with(expected), "{text}");
        // Who begins anew gives it up.
        check_loop(&mut session, 1, 2 * ROWS_OF_HANDLE);
    }
}

const LIMIT: u64 = 3 * HANDLE_BYTES;
/// Of those that begin in row 1.
const ITERATIONS_WITHIN_LIMIT: u64 = (3 * ROWS_OF_HANDLE - 1).div_ceil(STRIDE);

/// A loop whose caches may have three handles.
fn limited_loop(patience: Option<Duration>) -> Session {
    let options = CacheOptions { limit_bytes: Some(LIMIT), patience, ..CacheOptions::default() };
    looping(Deployment::DeviceLoop, STRIDE).session_with(options)
}

/// Why a step did not come to its end: its loop was stopped.
fn stop_of(result: Result<Ticket<'_>, StepError>) -> LoopStop {
    match result.map(|_| ()) {
        Err(StepError::LoopStopped(stop)) => stop,
        Err(error) => panic!("{error}"),
        Ok(()) => panic!("there should not be memory for all rows"),
    }
}

/// Has a limited loop begin that goes over all rows, from row 1 on.
fn stopped_loop(session: &mut Session) -> LoopStop {
    begin_loop(session, 1, ROWS);
    stop_of(session.step())
}

#[test]
fn a_stopped_loop_does_not_go_on_over_caches_that_were_emptied() {
    let Some((_gpu, _guard)) = gpu("a loop whose caches are emptied") else { return };
    let mut session = limited_loop(None);
    stopped_loop(&mut session);
    session.caches().expect("caches").begin(0).expect("nothing runs");
    let error = session.leave_loop().map(|_| ()).expect_err("its rows are gone");
    assert!(matches!(error, StepError::CachesEmptied), "{error}");
    assert!(matches!(session.resume().map(|_| ()), Err(StepError::NotStopped)), "it was given up");
    assert!(matches!(session.step().map(|_| ()), Err(StepError::Missing { .. })), "what is in the cache is lost");
}

#[test]
fn a_loop_without_memory_goes_on_when_there_is_some() {
    let Some((_gpu, _guard)) = gpu("a loop that goes on") else { return };
    for patience in [None, Some(LONG)] {
        let mut session = limited_loop(patience);
        let first = stopped_loop(&mut session);
        assert!(matches!(session.step().map(|_| ()), Err(StepError::Stopped)), "the step is not over");
        assert_eq!(session.outputs().count(), 0);
        // There still is none, however often somebody asks.
        for _ in 0..2 {
            assert_eq!(stop_of(session.resume()).iterations, first.iterations);
        }
        let caches = session.caches().expect("caches").clone();
        for handles in [5, 6] {
            caches.set_limit_bytes(Some(handles * HANDLE_BYTES));
            let made = (handles * ROWS_OF_HANDLE - 1).div_ceil(STRIDE);
            assert_eq!(stop_of(session.resume()).iterations, made);
        }
        // What is set meanwhile counts from the next step on.
        session.set(2, ints(&[], &[5])).expect("fits");
        caches.set_limit_bytes(None);
        session.resume().and_then(Ticket::wait).expect("there is memory now");
        check_results(&session, 1, ROWS, (ROWS - 1).div_ceil(STRIDE));
        let error = session.resume().map(|_| ()).expect_err("nothing is stopped");
        assert_eq!(error.to_string(), "no step was stopped: there is nothing to resume or to leave");
        check_loop(&mut session, 3, ROWS);
    }
}

#[test]
fn a_loop_without_memory_is_left_with_the_results_so_far() {
    let Some((_gpu, _guard)) = gpu("a loop that is left") else { return };
    for patience in [None, Some(LONG)] {
        let mut session = limited_loop(patience);
        for _request in 0..2 {
            stopped_loop(&mut session);
            session.leave_loop().and_then(Ticket::wait).expect("what is behind the loop needs no rows");
            check_results(&session, 1, ROWS, ITERATIONS_WITHIN_LIMIT);
            assert!(matches!(session.leave_loop().map(|_| ()), Err(StepError::NotStopped)));
            // The next step goes on from the cache that is there.
            session.set(2, ints(&[], &[5])).expect("fits");
            session.step().and_then(Ticket::wait).expect("the rows are there");
            assert_eq!(firsts(&session)[..3], [0, 2, 0]);
        }
        stopped_loop(&mut session);
        session.abandon();
        let error = session.step().map(|_| ()).expect_err("its state is gone");
        assert!(error.to_string().starts_with("no value for arg0 `k`"), "{error}");
    }
}

/// Two loops one behind the other in one segment, each as that of `looping`: below `middle` (parameter 2), then below `end` (parameter 3). Results:
/// where they ended.
fn looping_twice() -> OnGpu {
    let (mut b, cache) = with_cache();
    let [start, middle, end] = ["start", "middle", "end"].map(|name| b.param(name, DType::I32, &[], Bind::Host));
    let stride = constant(&mut b, STRIDE);
    let (pos, first, less) = (b.arena(DType::I32, &[]), b.arena(DType::I32, &[]), b.arena(DType::I1, &[]));
    b.result("first", first);
    b.result("pos", pos);
    let looped = |limit| Step::While {
        condition: nodes(vec![b.map(ScalarOp::Lt, &[pos, limit], less)]),
        predicate: less,
        body: nodes(vec![
            Step::Ensure(rows_at(PositionSource::Buffer(pos), None)),
            kernel("add_to_row", vec![cache, pos], cache),
            b.map(ScalarOp::Add, &[pos, stride], pos),
        ]),
    };
    let steps = vec![b.copy(start, pos), looped(middle), b.copy(pos, first), looped(end)];
    let (mut program, constants) = b.finish(steps);
    program.segments[0].deploy = Deployment::DeviceLoop;
    let of_loop = |limit| {
        let add = wide_call("add_to_row", &[cache, pos]);
        [call("less", &[pos, limit, less]), add, call("sum_of", &[pos, stride, pos])]
    };
    let launches = [vec![call("move", &[start, pos])], of_loop(middle).to_vec(), vec![call("move", &[pos, first])]];
    on_gpu((program, constants), [launches.concat(), of_loop(end).to_vec()].concat())
}

fn begin_two_loops(session: &mut Session, middle: u64, end: u64) {
    session.begin_fresh().expect("unmaps");
    for (index, value) in [(1, 0), (2, middle), (3, end)] {
        session.set(index, ints(&[], &[value as i32])).expect("fits");
    }
}

/// Checks where both loops have ended, and which rows they went over.
fn check_two_loops(session: &Session, first: u64, pos: u64) {
    let outputs = session.outputs();
    let result = |index| as_ints(outputs.get(index).expect("a result").bytes)[0] as u64;
    assert_eq!([result(1), result(2)], [first, pos]);
    for (row, value) in firsts(session).into_iter().enumerate() {
        let is_visited = (row as u64) < pos && (row as u64).is_multiple_of(STRIDE);
        assert_eq!(value, i32::from(is_visited), "row {row}");
    }
}

#[test]
fn each_of_two_loops_waits_stops_and_goes_on() {
    let Some((_gpu, _guard)) = gpu("two loops") else { return };
    let behind = |row: u64| row.next_multiple_of(STRIDE);
    let (middle, end) = (2 * ROWS_OF_HANDLE, 5 * ROWS_OF_HANDLE);
    let wait = CacheOptions { patience: Some(LONG), thread_delay: Duration::from_millis(2), ..CacheOptions::default() };
    let mut session = looping_twice().session_with(wait);
    assert!(session.remarks().is_empty(), "{:?}", session.remarks());
    begin_two_loops(&mut session, middle, end);
    session.step().and_then(Ticket::wait).expect("runs");
    check_two_loops(&session, behind(middle), behind(end));
    assert_eq!(mapped_by(&session, Actor::Caller), 0, "neither loop stopped");
    for patience in [None, Some(LONG)] {
        let limited = |handles| {
            let limit_bytes = Some(handles * HANDLE_BYTES);
            let options = CacheOptions { limit_bytes, patience, ..CacheOptions::default() };
            let mut session = looping_twice().session_with(options);
            begin_two_loops(&mut session, middle, end);
            let stop = stop_of(session.step());
            (session, stop)
        };
        let give = |session: &Session, handles| {
            session.caches().expect("caches").set_limit_bytes(Some(handles * HANDLE_BYTES))
        };
        let made = |handles: u64| (handles * ROWS_OF_HANDLE).div_ceil(STRIDE);
        // The first stops, then the second.
        let (mut session, stop) = limited(1);
        assert_eq!(stop.iterations, made(1));
        give(&session, 4);
        assert_eq!(stop_of(session.resume()).iterations, made(4) - made(2));
        give(&session, 5);
        session.resume().and_then(Ticket::wait).expect("there is memory");
        check_two_loops(&session, behind(middle), behind(end));
        // The first is left, and the second needs the same row; it is left, too.
        let (mut session, stop) = limited(1);
        assert_eq!((stop.iterations, stop_of(session.leave_loop()).iterations), (made(1), 0));
        session.leave_loop().and_then(Ticket::wait).expect("no more rows are needed");
        check_two_loops(&session, behind(ROWS_OF_HANDLE), behind(ROWS_OF_HANDLE));
        // The second alone stops.
        let (mut session, stop) = limited(3);
        assert_eq!(stop.iterations, made(3) - made(2));
        give(&session, 5);
        session.resume().and_then(Ticket::wait).expect("there is memory");
        check_two_loops(&session, behind(middle), behind(end));
    }
}

/// A loop that adds one to row `pos` once it has moved `pos` on, from 0 until `end` (parameter 1) is reached.
fn computing() -> OnGpu {
    let (mut b, cache) = with_cache();
    let end = b.param("end", DType::I32, &[], Bind::Host);
    let (zero, stride) = (constant(&mut b, 0), constant(&mut b, STRIDE));
    let (pos, less) = (b.arena(DType::I32, &[]), b.arena(DType::I1, &[]));
    b.result("pos", pos);
    let body = vec![
        b.map(ScalarOp::Add, &[pos, stride], pos),
        Step::Ensure(rows_at(PositionSource::Buffer(pos), None)),
        kernel("add_to_row", vec![cache, pos], cache),
    ];
    let condition = nodes(vec![b.map(ScalarOp::Lt, &[pos, end], less)]);
    let steps = vec![b.copy(zero, pos), Step::While { condition, predicate: less, body: nodes(body) }];
    let (mut program, constants) = b.finish(steps);
    program.segments[0].deploy = Deployment::DeviceLoop;
    let launches = vec![
        call("move", &[zero, pos]),
        call("less", &[pos, end, less]),
        call("sum_of", &[pos, stride, pos]),
        wide_call("add_to_row", &[cache, pos]),
    ];
    on_gpu((program, constants), launches)
}

#[test]
fn caches_that_are_mapped_whole_are_named_with_the_reason() {
    let Some((_gpu, _guard)) = gpu("whole caches") else { return };
    let mut session = computing().session();
    let expected = "all rows of @kv are mapped before each step of `main`: a loop on the GPU grows it at positions that each iteration computes";
    assert_eq!(session.remarks(), [expected]);
    session.begin_fresh().expect("nothing to unmap");
    session.set(1, ints(&[], &[2])).expect("fits");
    session.step().and_then(Ticket::wait).expect("runs");
    assert_eq!(firsts(&session)[STRIDE as usize], 1);
    assert_eq!(mapped_by(&session, Actor::Caller), HANDLES);
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
        // The body is one graph, behind the mapping; so are the copy and the condition before the loop.
        let counts = session.step_counts();
        let expected = if deploy == Deployment::HostLoop { (2, 7, 0) } else { (0, 0, 1) };
        assert_eq!((counts.graphs, counts.nodes, counts.streams), expected);
    }
}

/// What CI without a GPU can say of these programs.
#[test]
fn programs_of_these_tests_are_valid() {
    for program in [stepping(None), stepping(Some(7)), looping(Deployment::DeviceLoop, 1), looping_twice(), computing()]
    {
        assert!(program.artifact("sm_90").device_code().is_some());
    }
}
