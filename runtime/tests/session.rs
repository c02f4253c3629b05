//! Plans that were built by hand, run by sessions.

mod support;

use std::sync::Arc;

use pygraph_artifact::bytes::AlignedBytes;
use pygraph_artifact::{
    container::{Artifact, Code, encode},
    dtype::DType,
    plan::{Bind, BufferId, Initial, KernelCall, Plan, Step, Work},
    scalar::ScalarOp,
};
use pygraph_kernels::memory::Buffer;
use pygraph_runtime::{
    device::Device,
    host::{HostProgram, Loops, Memory, Order},
    knobs::DebugLevel,
    model::Model,
    random_state::random_state,
    session::Session,
    tensor::Array,
};
use support::{Builder, as_floats, as_ints, floats, ints, nodes, tensor};

/// Runs one step and compares its `i32` results.
fn check(session: &mut Session, expected: &[&[i32]]) {
    let outputs = session.step().expect("runs").wait().expect("ends");
    let got: Vec<Vec<i32>> = outputs.iter().map(|array| as_ints(array.expect("a result").bytes)).collect();
    assert_eq!(got, expected);
}

#[test]
fn launches_read_arguments_and_constants_and_write_the_arena() {
    let (b, steps) = support::counting_model();
    let mut session = b.session(steps);
    session.set(0, floats(&[2, 2], &[1.0, 2.0, 3.0, 4.0])).expect("fits");
    session.set(1, floats(&[2, 2], &[0.5; 4])).expect("fits");
    session.set(2, ints(&[], &[7])).expect("fits");
    let outputs = session.step().expect("runs").wait().expect("ends");
    assert_eq!(outputs.count(), 2);
    assert_eq!(as_floats(outputs.get(0).expect("y").bytes), [1.5, 2.5, 3.5, 4.5]);
    assert_eq!(as_ints(outputs.get(1).expect("n'").bytes), [8]);
    let message = outputs.get(2).map(|_| ()).map_err(|error| error.to_string());
    assert_eq!(message, Err("there is no result 2: the program has 2".to_string()));
}

#[test]
fn state_is_carried_and_the_callers_array_is_left_alone() {
    let (b, steps) = support::counting_model();
    let mut session = b.session(steps);
    let count = ints(&[], &[7]);
    session.set(0, floats(&[2, 2], &[0.0; 4])).expect("fits");
    session.set(1, floats(&[2, 2], &[0.0; 4])).expect("fits");
    session.set(2, count.clone()).expect("fits");
    for step in 1..=3 {
        let outputs = session.step().expect("runs").wait().expect("ends");
        assert_eq!(as_ints(outputs.get(1).expect("n'").bytes), [7 + step]);
    }
    assert_eq!(as_ints(count.bytes()), [7]);
    // One copy a step: the state, which lies elsewhere than its new value. Inputs, weights and outputs are not copied.
    assert_eq!((session.copies().count, session.copies().bytes), (3, 12));
    session.set(2, ints(&[], &[100])).expect("fits");
    let outputs = session.step().expect("runs").wait().expect("ends");
    assert_eq!(as_ints(outputs.get(1).expect("n'").bytes), [101]);
}

/// The value of an `i32` argument.
fn value(session: &Session, index: usize) -> Option<Vec<i32>> {
    session.value(index).and_then(Array::host).map(|tensor| as_ints(tensor.bytes()))
}

/// Doubles `x` until it is at least `limit`.
/// The state of a generator that every step advances by 4, and gives.
fn drawing() -> Session {
    let mut b = Builder::new("main");
    let state = b.param("rng_state", DType::U64, &[2], Bind::State);
    b.program.params[0].initial = Some(Initial::RandomState);
    let advance: Vec<u8> = [0u64, 4].map(u64::to_le_bytes).concat();
    let advance = b.constant(DType::U64, &[2], &advance);
    let step = b.map(ScalarOp::Add, &[state, advance], state);
    let after = b.result("rng_state", state);
    b.update(0, after);
    b.session(vec![step])
}

#[test]
fn the_state_of_a_generator_begins_with_a_seed_or_is_any_that_is_set() {
    let mut session = drawing();
    let next = |session: &mut Session| -> Vec<u64> {
        let outputs = session.step().expect("runs").wait().expect("ends");
        let bytes = outputs.get(0).expect("the state").bytes;
        bytes.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().expect("a word"))).collect()
    };
    let missing = session.step().map(|_| ()).expect_err("no state").to_string();
    assert!(missing.contains("no value for arg0 `rng_state` (2xui64, state)"), "{missing}");
    session.seed(u64::MAX).expect("memory");
    assert_eq!(next(&mut session), [u64::MAX, 4]);
    assert_eq!(next(&mut session), [u64::MAX, 8]);
    session.set(0, random_state(7, 1 << 40).expect("memory")).expect("fits");
    assert_eq!(next(&mut session), [7, (1 << 40) + 4]);
    session.seed(7).expect("memory");
    assert_eq!(next(&mut session), [7, 4]);
}

fn doubling() -> Session {
    let mut b = Builder::new("main");
    let x = b.param("x", DType::I32, &[], Bind::Step);
    let limit = b.constant(DType::I32, &[], &100_i32.to_le_bytes());
    let value = b.arena(DType::I32, &[]);
    let less = b.arena(DType::I1, &[]);
    b.result("value", value);
    let steps = vec![
        b.copy(x, value),
        Step::While {
            condition: nodes(vec![b.map(ScalarOp::Lt, &[value, limit], less)]),
            predicate: less,
            body: nodes(vec![b.map(ScalarOp::Add, &[value, value], value)]),
        },
    ];
    b.session(steps)
}

#[test]
fn a_loop_runs_while_its_predicate_holds() {
    let mut session = doubling();
    for (x, expected) in [(1, 128), (3, 192), (99, 198), (100, 100), (500, 500)] {
        session.set(0, ints(&[], &[x])).expect("fits");
        check(&mut session, &[&[expected]]);
    }
}

#[test]
fn a_choice_runs_one_branch_and_the_last_if_out_of_range() {
    let mut b = Builder::new("main");
    let index = b.param("index", DType::I32, &[], Bind::Host);
    let out = b.arena(DType::I32, &[]);
    let branches = [10_i32, 20, 30].map(|value| {
        let value = b.constant(DType::I32, &[], &value.to_le_bytes());
        nodes(vec![b.copy(value, out)])
    });
    b.result("out", out);
    let mut session = b.session(vec![Step::Switch { index, branches: branches.to_vec() }]);
    for (index, expected) in [(0, 10), (1, 20), (2, 30), (3, 30), (-1, 30), (i32::MAX, 30), (i32::MIN, 30)] {
        session.set(0, ints(&[], &[index])).expect("fits");
        check(&mut session, &[&[expected]]);
    }
}

#[test]
fn arguments_must_fit_and_all_be_there() {
    let (b, steps) = support::counting_model();
    let mut session = b.session(steps);
    let message = session.set(0, floats(&[4], &[0.0; 4])).map_err(|error| error.to_string());
    assert_eq!(message, Err("argument 0 `x` is a 4xf32, expected 2x2xf32".to_string()));
    let message = session.set(2, tensor(DType::U32, &[], &[0; 4])).map_err(|error| error.to_string());
    assert_eq!(message, Err("argument 2 `n` is a ui32, expected i32".to_string()));
    let message = session.set(3, ints(&[], &[0])).map_err(|error| error.to_string());
    assert_eq!(message, Err("there is no argument 3: the program takes 3".to_string()));
    session.set(0, floats(&[2, 2], &[0.0; 4])).expect("fits");
    let message = session.step().map(|_| ()).map_err(|error| error.to_string());
    let expected = "no value for arg1 `w` (2x2xf32, once), arg2 `n` (i32, state): \
                    give --inputs, --weights or --init random:SEED";
    assert_eq!(message, Err(expected.to_string()));
}

#[test]
fn weights_belong_to_the_model_and_sessions_share_them() {
    let (b, steps) = support::counting_model();
    let artifact = Arc::new(Artifact::from_bytes(&b.encode(steps)).expect("loads"));
    let mut model = Model::load(artifact, Some("main"), Device::Host).expect("prepares");
    let message = model.set_weight(0, floats(&[2, 2], &[0.0; 4])).map_err(|error| error.to_string());
    assert_eq!(message, Err("argument 0 `x` is bound as `step`, not as `once`: give it to a session".to_string()));
    model.set_weight(1, floats(&[2, 2], &[10.0; 4])).expect("fits");
    let model = Arc::new(model);
    for start in [0.0, 1.0] {
        let mut session = Session::new(model.clone()).expect("memory");
        session.set(0, floats(&[2, 2], &[start; 4])).expect("fits");
        session.set(2, ints(&[], &[0])).expect("fits");
        let outputs = session.step().expect("runs").wait().expect("ends");
        assert_eq!(as_floats(outputs.get(0).expect("y").bytes), [10.0 + start; 4]);
    }
}

#[test]
fn the_program_is_chosen_by_name() {
    let program = |name: &str| Builder::new(name).finish(vec![]).0;
    let load = |names: &[&str], entry| {
        let plan = Plan { programs: names.iter().map(|name| program(name)).collect(), arenas: Vec::new() };
        let artifact = Artifact::from_bytes(&encode(&plan, &[], Code::default()).expect("valid")).expect("loads");
        Model::load(Arc::new(artifact), entry, Device::Host)
            .map(|model| model.program().name.clone())
            .map_err(|error| error.to_string())
    };
    assert_eq!(load(&["other"], None), Ok("other".to_string()));
    assert_eq!(load(&["other", "main"], None), Ok("main".to_string()));
    assert_eq!(load(&["other", "main"], Some("other")), Ok("other".to_string()));
    assert_eq!(load(&["a", "b"], None), Err("no program is named `main`: choose one with --entry: a, b".to_string()));
    assert_eq!(load(&["a", "b"], Some("c")), Err("there is no program `c`; there is: a, b".to_string()));
}

#[test]
fn a_launch_that_does_not_fit_is_refused_at_load() {
    let load = |work: Work| {
        let mut b = Builder::new("main");
        b.arena(DType::F32, &[4]);
        b.arena(DType::F32, &[8]);
        let bytes = b.encode(vec![support::launch("wrong_0", "model.mlir:7:3", work)]);
        let artifact = Artifact::from_bytes(&bytes).expect("loads");
        let error = Model::load(Arc::new(artifact), None, Device::Host).expect_err("refused");
        error.to_string()
    };
    let call = KernelCall {
        kernel: "no.such.kernel".to_string(),
        inputs: vec![],
        outputs: vec![],
        attributes: vec![],
        bodies: vec![],
    };
    let expected = "model.mlir:7:3: launch `wrong_0`: there is no kernel named `no.such.kernel`";
    assert_eq!(load(Work::Kernel(call)), expected);

    let mut b = Builder::new("main");
    let (small, large) = (b.arena(DType::F32, &[4]), b.arena(DType::F32, &[8]));
    let Step::Launch(mut launch) = b.map(ScalarOp::Neg, &[large], large) else { panic!("a map is a launch") };
    if let Work::Nest(nest) = &mut launch.work {
        nest.outputs[0].buffer = small;
    }
    let message = load(launch.work);
    assert!(message.starts_with("model.mlir:7:3: launch `wrong_0`: output 0: "), "{message}");
    assert!(message.ends_with("leave the 4 elements of buffer 0"), "{message}");
}

/// `k' = k + x` where `k` lies, and `y = k' + x` where the caller wants it.
fn in_place() -> (Builder, Vec<Step>) {
    let mut b = Builder::new("main");
    let k = b.param("k", DType::I32, &[2], Bind::State);
    let x = b.param("x", DType::I32, &[2], Bind::Step);
    let updated = b.result("k'", k);
    b.update(0, updated);
    let y = b.output("y", DType::I32, &[2]);
    let steps = vec![b.map(ScalarOp::Add, &[k, x], k), b.map(ScalarOp::Add, &[k, x], y)];
    (b, steps)
}

#[test]
fn state_is_updated_in_place_and_nothing_is_copied() {
    let (b, steps) = in_place();
    let mut session = b.session(steps);
    session.set(0, ints(&[2], &[1, 2])).expect("fits");
    for step in 1..=3 {
        session.set(1, ints(&[2], &[10, 20])).expect("fits");
        check(&mut session, &[&[1 + 10 * step, 2 + 20 * step], &[11 + 10 * step, 22 + 20 * step]]);
    }
    let copies = session.copies();
    assert_eq!((copies.count, copies.bytes, copies.imported_bytes, copies.block_bytes), (0, 0, 0, 3 * 16));
}

#[test]
fn state_that_a_caller_holds_is_imported_once() {
    let (b, steps) = in_place();
    let mut session = b.session(steps);
    let held = ints(&[2], &[1, 2]);
    session.set(0, held.clone()).expect("fits");
    session.set(1, ints(&[2], &[1, 1])).expect("fits");
    check(&mut session, &[&[2, 3], &[3, 4]]);
    check(&mut session, &[&[3, 4], &[4, 5]]);
    assert_eq!(as_ints(held.bytes()), [1, 2]);
    assert_eq!((session.copies().count, session.copies().imported_bytes), (0, 8));
    assert_eq!(value(&session, 0), Some(vec![3, 4]));
}

#[test]
fn held_outputs_keep_their_values_and_are_an_error_when_all_are_held() {
    let (b, steps) = in_place();
    let mut session = b.session(steps);
    session.set(0, ints(&[2], &[0, 0])).expect("fits");
    session.set(1, ints(&[2], &[1, 2])).expect("fits");
    let mut held = Vec::new();
    for _ in 0..2 {
        let outputs = session.step().expect("runs").wait().expect("ends");
        assert!(outputs.hold(0).is_none(), "state stays with the session");
        held.push(outputs.hold(1).and_then(|y| y.host().cloned()).expect("y"));
    }
    assert_eq!(held.iter().map(|y| as_ints(y.bytes())).collect::<Vec<_>>(), [[2, 4], [3, 6]]);
    let message = session.step().map(|_| ()).map_err(|error| error.to_string());
    let expected = "result `y` has 2 buffers, and all are held: drop one, or give another with `set_output`";
    assert_eq!(message, Err(expected.to_string()));
    assert_eq!(value(&session, 0), Some(vec![2, 4]), "the step did not begin");
    held.remove(0);
    check(&mut session, &[&[3, 6], &[4, 8]]);
    assert_eq!(as_ints(held[0].bytes()), [3, 6]);
}

#[test]
fn results_are_written_to_the_callers_buffer() {
    let (b, steps) = in_place();
    let mut session = b.session(steps);
    session.set(0, ints(&[2], &[0, 0])).expect("fits");
    session.set(1, ints(&[2], &[1, 2])).expect("fits");
    let buffer = ints(&[2], &[-1, -1]);
    let address = buffer.bytes().as_ptr();
    session.set_output(1, buffer).expect("fits");
    let outputs = session.step().expect("runs").wait().expect("ends");
    let y = outputs.get(1).expect("y").bytes;
    assert_eq!((y.as_ptr(), as_ints(y)), (address, vec![2, 4]));
    let message = session.set_output(2, ints(&[2], &[0, 0])).map_err(|error| error.to_string());
    assert_eq!(message, Err("there is no result 2: the program has 2".to_string()));
    let message = session.set_output(1, ints(&[1], &[0])).map_err(|error| error.to_string());
    assert_eq!(message, Err("argument 1 `y` is a 1xi32, expected 2xi32".to_string()));
}

#[test]
fn every_order_that_edges_allow_gives_the_same_and_a_missing_edge_shows() {
    // Four independent sums over one state, then a product of them: many orders.
    let program = || {
        let mut b = Builder::new("main");
        let k = b.param("k", DType::I32, &[], Bind::State);
        let x = b.param("x", DType::I32, &[], Bind::Step);
        let parts: Vec<BufferId> = (0..4).map(|_| b.arena(DType::I32, &[])).collect();
        let mut steps: Vec<Step> = parts.iter().map(|part| b.map(ScalarOp::Add, &[k, x], *part)).collect();
        let y = b.output("y", DType::I32, &[]);
        let updated = b.result("k'", k);
        b.update(0, updated);
        steps.push(b.map(ScalarOp::Add, &[parts[0], parts[1]], parts[0]));
        steps.push(b.map(ScalarOp::Add, &[parts[2], parts[3]], parts[2]));
        steps.push(b.map(ScalarOp::Add, &[k, x], k));
        steps.push(b.map(ScalarOp::Mul, &[parts[0], parts[2]], y));
        b.finish(steps).0
    };
    let run = |program: pygraph_artifact::plan::Program, seed| {
        let order = Order::Random { seed };
        let artifact = Artifact::from_bytes(&encode(
            &Plan { programs: vec![program], arenas: Vec::new() },
            &[],
            Code::default(),
        )?)?;
        let model =
            Model::load_in_order(Arc::new(artifact), None, Device::Host, order, Loops::Native).expect("prepares");
        let mut session = Session::new(Arc::new(model)).expect("memory");
        session.set(0, ints(&[], &[1])).expect("fits");
        session.set(1, ints(&[], &[2])).expect("fits");
        let outputs = session.step().expect("runs").wait().expect("ends");
        Ok::<_, Box<dyn std::error::Error>>(
            outputs.iter().map(|array| as_ints(array.expect("a result").bytes)[0]).collect::<Vec<i32>>(),
        )
    };
    for seed in 0..50 {
        assert_eq!(run(program(), seed).expect("valid"), [36, 3], "seed {seed}");
    }
    // The update of the state must wait for those who read it: without its edges the file is refused …
    let mut broken = program();
    broken.segments[0].nodes[6].after.clear();
    let message = run(broken.clone(), 0).map_err(|error| error.to_string());
    assert_eq!(
        message,
        Err("invalid plan: program `main`: in segment `s0` node 6 touches bytes of node 0 and has no edge to it"
            .to_string())
    );
    // … and a device that runs it all the same gives other numbers in some order.
    let orders = (0..50).map(|seed| run_unchecked(&broken, Order::Random { seed }));
    assert!(orders.into_iter().any(|value| value != 36));
    assert_eq!(run_unchecked(&broken, Order::Plan), 36);
}

/// Runs a plan of one state, one input and one result that no loader would take.
fn run_unchecked(program: &pygraph_artifact::plan::Program, order: Order) -> i32 {
    let host = HostProgram::record(program, order, None).expect("prepares");
    let mut arena = AlignedBytes::zeroed(program.arena_bytes).expect("memory");
    let (mut k, x, mut y) = (1_i32.to_le_bytes(), 2_i32.to_le_bytes(), [0; 4]);
    let mut block = AlignedBytes::zeroed(program.blocks[0].bytes).expect("memory");
    let addresses = [Buffer::read_only(&x).address(), Buffer::writable(&mut y).address()];
    for (field, address) in program.blocks[0].fields.iter().zip(addresses) {
        block[field.offset as usize..][..8].copy_from_slice(&address.to_le_bytes());
    }
    let params = vec![Buffer::writable(&mut k), Buffer::read_only(&x)];
    let memory = Memory { arena: &mut arena, params, constants: &[], blocks: &[block], caches: None };
    // SAFETY: the block holds the addresses of `x` and `y`, four bytes each.
    unsafe { host.run(program, memory, DebugLevel::default()) }.expect("runs");
    i32::from_le_bytes(y)
}
