//! Plans that were built by hand, run by sessions.

mod support;

use std::sync::Arc;

use pygraph_artifact::{
    container::{Artifact, encode},
    dtype::DType,
    plan::{Bind, BufferId, KernelCall, Plan, Step, Work},
    scalar::ScalarOp,
};
use pygraph_runtime::{device::Device, model::Model, session::Session};
use support::{Builder, as_floats, as_ints, floats, ints, tensor};

/// Runs one step and compares its `i32` results.
fn check(session: &mut Session, expected: &[&[i32]]) {
    let outputs = session.step().expect("runs").wait();
    let got: Vec<Vec<i32>> = outputs.iter().map(|array| as_ints(array.bytes)).collect();
    assert_eq!(got, expected);
}

#[test]
fn launches_read_arguments_and_constants_and_write_the_arena() {
    let (b, steps) = support::counting_model();
    let mut session = b.session(steps);
    session.set(0, floats(&[2, 2], &[1.0, 2.0, 3.0, 4.0])).expect("fits");
    session.set(1, floats(&[2, 2], &[0.5; 4])).expect("fits");
    session.set(2, ints(&[], &[7])).expect("fits");
    let outputs = session.step().expect("runs").wait();
    assert_eq!(outputs.count(), 2);
    assert_eq!(as_floats(outputs.get(0).expect("y").bytes), [1.5, 2.5, 3.5, 4.5]);
    assert_eq!(as_ints(outputs.get(1).expect("n'").bytes), [8]);
    assert!(outputs.get(2).is_none());
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
        let outputs = session.step().expect("runs").wait();
        assert_eq!(as_ints(outputs.get(1).expect("n'").bytes), [7 + step]);
    }
    assert_eq!(as_ints(count.bytes()), [7]);
    // One copy a step: the state. Inputs, weights and outputs are not copied.
    assert_eq!((session.copies().count, session.copies().bytes), (3, 12));
    session.set(2, ints(&[], &[100])).expect("fits");
    let outputs = session.step().expect("runs").wait();
    assert_eq!(as_ints(outputs.get(1).expect("n'").bytes), [101]);
}

#[test]
fn states_can_change_places() {
    let mut b = Builder::new("main");
    let left = b.param("left", DType::I32, &[2], Bind::State);
    let right = b.param("right", DType::I32, &[2], Bind::State);
    let (to_left, to_right) = (b.result("l", right), b.result("r", left));
    b.update(0, to_left);
    b.update(1, to_right);
    let mut session = b.session(vec![]);
    session.set(0, ints(&[2], &[1, 2])).expect("fits");
    session.set(1, ints(&[2], &[3, 4])).expect("fits");
    check(&mut session, &[&[3, 4], &[1, 2]]);
    check(&mut session, &[&[1, 2], &[3, 4]]);
    check(&mut session, &[&[3, 4], &[1, 2]]);
    assert_eq!(session.copies().count, 0);
}

#[test]
fn a_result_that_is_old_state_keeps_its_value() {
    let mut b = Builder::new("main");
    let n = b.param("n", DType::I32, &[], Bind::State);
    let one = b.constant(DType::I32, &[], &1_i32.to_le_bytes());
    let next = b.arena(DType::I32, &[]);
    b.result("before", n);
    let after = b.result("after", next);
    b.result("one", one);
    b.update(0, after);
    let add = b.map(ScalarOp::Add, &[n, one], next);
    let mut session = b.session(vec![add]);
    session.set(0, ints(&[], &[0])).expect("fits");
    check(&mut session, &[&[0], &[1], &[1]]);
    check(&mut session, &[&[1], &[2], &[1]]);
    check(&mut session, &[&[2], &[3], &[1]]);
}

#[test]
fn state_can_become_a_constant() {
    let mut b = Builder::new("main");
    b.param("n", DType::I32, &[], Bind::State);
    let zero = b.constant(DType::I32, &[], &0_i32.to_le_bytes());
    b.result("before", BufferId(0));
    let after = b.result("after", zero);
    b.update(0, after);
    let mut session = b.session(vec![]);
    session.set(0, ints(&[], &[5])).expect("fits");
    check(&mut session, &[&[5], &[0]]);
    check(&mut session, &[&[0], &[0]]);
}

/// Doubles `x` until it is at least `limit`.
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
            condition: vec![b.map(ScalarOp::Lt, &[value, limit], less)],
            predicate: less,
            body: vec![b.map(ScalarOp::Add, &[value, value], value)],
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
        vec![b.copy(value, out)]
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
        let outputs = session.step().expect("runs").wait();
        assert_eq!(as_floats(outputs.get(0).expect("y").bytes), [10.0 + start; 4]);
    }
}

#[test]
fn the_program_is_chosen_by_name() {
    let program = |name: &str| Builder::new(name).finish(vec![]).0;
    let load = |names: &[&str], entry| {
        let plan = Plan { programs: names.iter().map(|name| program(name)).collect() };
        let artifact = Artifact::from_bytes(&encode(&plan, &[]).expect("valid")).expect("loads");
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
