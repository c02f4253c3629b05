//! What a step on a GPU costs the host: which calls of the driver, and that it allocates nothing.
//!
//! As in cuda.rs, each test says that it is skipped where there is no GPU, and `scripts/test driver` runs them without one. The calls are known
//! of the driver of the tests alone.

mod support;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use pygraph_artifact::plan::Bind;
use pygraph_runtime::{
    cuda::{
        driver::{ForeignStream, Grid, Module, Stream},
        tensor::DeviceTensor,
    },
    session::{Session, Ticket},
    tensor::Array,
};
use support::{
    as_ints,
    decode::{ROWS_OF_HANDLE, decode},
    gpu::{PTX, driver_calls, gpu},
    ints,
};

/// The system's allocator, which counts what each thread asks of it.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: all of it is the system's allocator's work.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(start, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often this thread allocates in `work`.
fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

const OTHERS: usize = 200;

/// A session that has made some steps.
fn warm(bind: Bind) -> Session {
    let mut session = decode(OTHERS, bind).session();
    session.begin_fresh().expect("nothing to unmap");
    for index in 0..OTHERS {
        session.set(3 + index, ints(&[], &[100 + index as i32])).expect("fits");
    }
    for pos in 0..4 {
        set(&mut session, pos, 7);
        session.step().and_then(Ticket::wait).expect("runs");
    }
    session
}

fn set(session: &mut Session, pos: i32, token: i32) {
    session.set(1, ints(&[], &[pos])).expect("fits");
    session.set(2, ints(&[], &[token])).expect("fits");
}

fn sum(session: &Session) -> i32 {
    as_ints(session.outputs().get(1).expect("a sum").bytes)[0]
}

#[test]
fn a_step_of_a_decoder_makes_few_calls_of_the_driver() {
    let Some((_gpu, _guard)) = gpu("calls of the driver") else { return };
    const GIVE: [&str; 3] = ["cuMemcpyHtoDAsync_v2", "cuGraphLaunch", "cuEventRecord"];
    for bind in [Bind::Once, Bind::Step] {
        let mut session = warm(bind);
        let mut check = |pos: i32, expected: &[&str], waits: bool| {
            let calls = driver_calls(|| {
                set(&mut session, pos, pos * 10);
                let ticket = session.step().expect("runs");
                if waits {
                    ticket.wait().expect("runs");
                }
            });
            match calls {
                Some(calls) => assert_eq!(calls, expected, "at {pos}"),
                None => eprintln!("skipped calls of the driver: this one does not say"),
            }
            assert_eq!(sum(&session), pos * 10 + 100);
        };
        let waited = [&["cuCtxSetCurrent"][..], &GIVE, &["cuCtxSetCurrent", "cuEventSynchronize"]].concat();
        check(5, &waited, true);
        check(6, &waited, true);
        let ahead = [&["cuCtxSetCurrent"][..], &GIVE].concat();
        check(7, &ahead, false);
        check(8, &ahead, false);
        // Nobody has waited for these two: who makes a third has to wait until the first has ended.
        let behind = [&["cuCtxSetCurrent", "cuEventSynchronize"][..], &GIVE].concat();
        check(9, &behind, false);
        check(10, &behind, false);
        // A position in the next handle takes memory; the one behind it is an ordinary step again.
        set(&mut session, ROWS_OF_HANDLE as i32, 0);
        session.step().and_then(Ticket::wait).expect("runs");
        let mut check = |expected: &[&str]| {
            let calls = driver_calls(|| {
                set(&mut session, ROWS_OF_HANDLE as i32 + 1, 0);
                session.step().and_then(Ticket::wait).expect("runs");
            });
            assert!(calls.is_none_or(|calls| calls == expected));
        };
        check(&waited);
    }
}

#[test]
fn a_step_allocates_nothing() {
    let Some((_gpu, _guard)) = gpu("allocations of a step") else { return };
    for bind in [Bind::Once, Bind::Step] {
        let mut session = warm(bind);
        for pos in 5..9 {
            set(&mut session, pos, pos);
            let count = allocations(|| {
                session.step().and_then(Ticket::wait).expect("runs");
            });
            assert_eq!(count, 0, "at {pos}");
            assert_eq!(sum(&session), pos + 100);
        }
    }
}

#[test]
fn steps_are_ordered_with_a_stream_of_the_caller() {
    let Some((_gpu, _guard)) = gpu("a stream of the caller") else { return };
    let mut session = warm(Bind::Once);
    // SAFETY: the default stream is there as long as the driver.
    session.set_stream(Some(unsafe { ForeignStream::from_raw(std::ptr::null_mut()) })).expect("an event");
    let check = |session: &mut Session, expected: &[&str]| {
        let calls = driver_calls(|| {
            session.step().expect("runs");
        });
        assert!(calls.as_ref().is_none_or(|calls| calls == expected), "{calls:?}");
        session.step().and_then(Ticket::wait).expect("runs");
        assert_eq!(sum(session), 107);
    };
    let (record, wait, of_caller) = ("cuEventRecord", "cuStreamWaitEvent", "(on the default stream)");
    let step = ["cuMemcpyHtoDAsync_v2", "cuGraphLaunch", record];
    let ordered = [&["cuCtxSetCurrent", record, of_caller, wait], &step[..], &[wait, of_caller]].concat();
    check(&mut session, &ordered);
    session.set_stream(None).expect("nothing to do");
    check(&mut session, &[&["cuCtxSetCurrent"], &step[..]].concat());
    let (builder, steps) = support::counting_model();
    let error = builder.session(steps).set_stream(None).expect_err("the host has none");
    assert_eq!(error.to_string(), "the model runs on the host device, which has no streams");
}

#[test]
fn a_step_reads_what_the_callers_stream_writes_before_and_is_over_when_that_goes_on() {
    let Some((gpu, _guard)) = gpu("work on a stream of the caller") else { return };
    if gpu.context().properties().name.ends_with("a fake") {
        return eprintln!("skipped work on a stream of the caller: the driver of the tests does everything at once");
    }
    let context = gpu.context();
    let array = |value: i32| DeviceTensor::copy_of(&gpu, &ints(&[], &[value])).expect("memory");
    let (caller, other) = (Stream::new(context).expect("a stream"), Stream::new(context).expect("a stream"));
    let mut session = warm(Bind::Once);
    // SAFETY: the stream outlives the session's use of it.
    session.set_stream(Some(unsafe { ForeignStream::from_raw(caller.as_raw()) })).expect("an event");
    let (token, new, gate, copy) = (array(1), array(1000), array(0), array(0));
    session.set(2, token.clone()).expect("fits");
    let module = Module::load(context, PTX.as_bytes()).expect("loads");
    // SAFETY: the kernel reads one number until it is not 0; the arrays have four bytes, and live until the stream is done.
    unsafe {
        module.function("spin").expect("is there").launch(&caller, Grid::ONE, &[gate.address()]).expect("launches");
        caller.copy(new.address(), token.address(), 4).expect("copies");
    }
    session.step().expect("is given to the GPU");
    let Some(Array::Device(sum)) = session.outputs().hold(1) else { panic!("a result of a GPU should lie there") };
    // SAFETY: as above.
    unsafe {
        caller.copy(sum.address(), copy.address(), 4).expect("copies");
        other.upload_now(&1_i32.to_le_bytes(), gate.address()).expect("copies");
    }
    caller.synchronize().expect("ends");
    assert_eq!(as_ints(copy.to_host().expect("copies").bytes()), [1100]);
}

/// What CI without a GPU can say of these programs, and of the counting.
#[test]
fn programs_of_these_tests_are_valid() {
    for bind in [Bind::Once, Bind::Step] {
        assert!(decode(3, bind).artifact("sm_90").device_code().is_some());
    }
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new(1)))), 1);
}
