//! Caches whose readers look at a window of rows: what is given up below it, what is left, and what dies.

mod support;

use std::{env, sync::Arc};

use pygraph_artifact::{
    bytes::AlignedBytes,
    container::{Artifact, Code, encode},
    dtype::DType,
};
use pygraph_compiler::{
    emit::{Emitted, emit},
    ir::{Opcode, parse::parse},
    passes::{PassContext, PassOptions, Phase, pipeline},
    report::kv::{self, Arena},
};
use pygraph_runtime::{
    caches::{CacheOptions, Caches, SlotState},
    device::Device,
    init::random,
    model::Model,
    session::{Session, Ticket},
    tensor::Tensor,
};

use self::support::{CHILD, in_child, session};

/// Two requests of 64 tokens, 512 bytes each in both arenas: 8 tokens a page. Layer 0 looks at the last 12.
const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../lit-tests/Inputs/windowed-decoder.mlir");
const TOKENS: i32 = 64;
const WINDOW: u64 = 12;
/// The first argument that is a cache; those before are weights.
const CACHES: usize = 3;
/// The argument behind the caches: a token for each request.
const TOKEN: usize = 7;
/// Their positions.
const POSITIONS: usize = 8;

/// The decoder with pages of 4096 bytes, and what the report says of its arenas.
fn compiled(kv_rows_kept: i64) -> (Emitted, Vec<Arena>) {
    let text = std::fs::read_to_string(MODEL).expect("the model should be there");
    let mut module = parse(&text, MODEL).expect("parses");
    let options = PassOptions { kv_handle_bytes: 4096, kv_share: true, kv_rows_kept, ..PassOptions::default() };
    let context = PassContext::new(options);
    for pass in pipeline::default_passes(Phase::Plan) {
        (pass.run)(&mut module, &context).expect("compiles");
    }
    let function = module.functions().find(|op| module.op(*op).opcode == Opcode::FuncFunc).expect("a function");
    let arenas = kv::gather(&module, function, &[]).arenas;
    (emit(&module).expect("emits"), arenas)
}

fn integers(shape: &[u64], values: &[i32]) -> Tensor {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    Tensor::new(DType::I32, shape, AlignedBytes::copy_of(&bytes).expect("memory")).expect("integers")
}

fn set_weights(session: &mut Session) {
    for index in 0..CACHES {
        let param = session.model().program().params[index].clone();
        let value = random(param.dtype, &param.shape, 5, index as u64).expect("memory");
        session.set(index, value).expect("fits");
    }
}

/// A session with empty caches.
fn grown(kept: i64) -> Session {
    of_plan(&compiled(kept).0)
}

fn of_plan(emitted: &Emitted) -> Session {
    let mut session =
        session(&emitted.plan, &emitted.constants, CacheOptions { poison: true, ..CacheOptions::default() });
    session.begin_fresh().expect("nothing to unmap");
    set_weights(&mut session);
    session
}

/// A session whose caches are handed in as zeros.
fn handed_in() -> Session {
    let mut session = grown(0);
    hand_in(&mut session);
    session
}

fn hand_in(session: &mut Session) {
    for index in CACHES..TOKEN {
        let param = session.model().program().params[index].clone();
        session.set(index, Tensor::zeros(param.dtype, &param.shape).expect("memory")).expect("fits");
    }
}

/// One step for both requests; its results, the caches last.
fn step(session: &mut Session, positions: [i32; 2]) -> Result<Vec<Vec<u8>>, String> {
    session.set(TOKEN, integers(&[2, 1], &positions.map(|at| (37 * (at & 0xff)) % 128))).expect("fits");
    session.set(POSITIONS, integers(&[2], &positions)).expect("fits");
    let outputs = session.step().and_then(Ticket::wait).map_err(|error| error.to_string())?;
    Ok(outputs.iter().map(|view| view.expect("a result").bytes.to_vec()).collect())
}

/// The slots of the arena of layer 0.
fn slots(session: &Session) -> Vec<SlotState> {
    session.caches().expect("caches").slots()[..2].to_vec()
}

/// Both results are the same, but that rows of the caches of layer 0 which were retired are zero in the first.
fn assert_same_but_retired(own: &[Vec<u8>], whole: &[Vec<u8>], retired: [u64; 2], at: i32) {
    for (number, (own, whole)) in own.iter().zip(whole).enumerate() {
        if ![1, 2].contains(&number) {
            assert_eq!(own, whole, "result {number} at {at}");
            continue;
        }
        let rows =
            |bytes: &[u8]| bytes.chunks(bytes.len() / (2 * TOKENS as usize)).map(<[u8]>::to_vec).collect::<Vec<_>>();
        for (row, (own, whole)) in rows(own).into_iter().zip(rows(whole)).enumerate() {
            let (slot, token) = (row / TOKENS as usize, row % TOKENS as usize);
            let is_gone = (token as u64) < retired[slot];
            let expected = if is_gone { vec![0; own.len()] } else { whole };
            assert_eq!(own, expected, "result {number} at {at}: token {token} of slot {slot}");
        }
    }
}

/// Steps to where the first page is given up, with a window that is smaller than attention's by `fewer` rows.
fn steps_with_smaller_window(fewer: u64) {
    let (mut emitted, _) = compiled(0);
    let program = &mut emitted.plan.programs[0];
    for rows in program.ensures.iter_mut().chain(&mut program.retires) {
        rows.window = rows.window.map(|window| window - fewer);
    }
    let mut session = of_plan(&emitted);
    for at in 0..=18 {
        step(&mut session, [at, at]).expect("runs");
    }
}

#[test]
fn reading_one_row_below_what_is_retired_kills() {
    const NAME: &str = "reading_one_row_below_what_is_retired_kills";
    const SEGMENTATION_FAULT: i32 = 11;
    match env::var(CHILD).as_deref() {
        // What a step leaves behind is a row less than what the next one would still be allowed to lose.
        Ok("last row") => steps_with_smaller_window(1),
        Ok("row below") => steps_with_smaller_window(2),
        _ => {
            assert_eq!(in_child(NAME, "last row"), (Some(0), None));
            assert_eq!(in_child(NAME, "row below"), (None, Some(SEGMENTATION_FAULT)));
        }
    }
}

#[test]
fn what_is_mapped_is_what_the_report_says_and_numbers_are_those_of_whole_caches() {
    for kept in [0, 5] {
        let (emitted, arenas) = compiled(kept);
        assert_eq!(arenas[0].window, Some(WINDOW + kept as u64));
        let (mut own, mut whole) = (of_plan(&emitted), handed_in());
        // The formula of the report is for all slots alike: here each has a length of its own.
        let mapped = |arena: usize, tokens| Arena { slots: 1, ..arenas[arena].clone() }.mapped_bytes(tokens);
        for at in 0..TOKENS - 9 {
            let positions = [at, at + 9];
            let outputs = step(&mut own, positions).expect("runs");
            let slots = own.caches().expect("caches").slots();
            let lengths = positions.map(|at| at as u64 + 1);
            let formula: Vec<u64> = (0..4).map(|slot| mapped(slot / 2, lengths[slot % 2])).collect();
            assert_eq!(slots.iter().map(|slot| slot.mapped_bytes).collect::<Vec<_>>(), formula, "at {at}");
            let retired = lengths.map(|length| length.saturating_sub(WINDOW + kept as u64));
            assert_eq!([slots[0].retired, slots[1].retired], retired);
            assert_same_but_retired(&outputs, &step(&mut whole, positions).expect("runs"), retired, at);
        }
    }
}

#[test]
fn a_position_that_goes_back_is_refused_and_nothing_changes() {
    let (mut own, mut other) = (grown(0), grown(0));
    for session in [&mut own, &mut other] {
        for at in 0..=20 {
            step(session, [at, at + 9]).expect("runs");
        }
    }
    let before = slots(&own);
    let lost = |slot: u64, needed: u64, retired: u64| {
        format!(
            "the step needs rows of @kv from {needed} on in slot {slot}, and those below {retired} were given up when a window \
             had left them: begin with empty caches, or compile with --kv-rows-kept for positions that go back"
        )
    };
    assert_eq!(step(&mut own, [20, 28]), Err(lost(1, 17, 18)));
    assert_eq!(step(&mut own, [0, 30]), Err(lost(0, 0, 9)));
    // Where a mask may show no key at all, all rows would be read.
    assert_eq!(step(&mut own, [-1, 30]), Err(lost(0, 0, 9)));
    assert_eq!(step(&mut own, [21, TOKENS]), Err(lost(1, 0, 18)));
    assert_eq!(step(&mut own, [21, i32::MAX]), Err(lost(1, 0, 18)));
    assert_eq!(slots(&own), before);
    // The same step again needs nothing that is gone, and the next one goes on.
    for at in [20, 21] {
        assert_eq!(step(&mut own, [at, at + 9]), step(&mut other, [at, at + 9]));
    }
}

#[test]
fn positions_go_back_by_as_many_rows_as_are_kept() {
    let (mut own, mut whole) = (grown(3), handed_in());
    for session in [&mut own, &mut whole] {
        for at in 0..=40 {
            step(session, [at, at]).expect("runs");
        }
    }
    assert!(step(&mut own, [36, 40]).is_err(), "four rows back");
    for at in [37, 38, 39, 40, 41] {
        let outputs = step(&mut own, [at, at]).expect("runs");
        let retired = (at as u64).max(40) + 1 - WINDOW - 3;
        assert_same_but_retired(&outputs, &step(&mut whole, [at, at]).expect("runs"), [retired; 2], at);
    }
}

#[test]
fn what_was_handed_in_stays_whole_until_caches_are_empty_again() {
    let mut session = handed_in();
    let before = session.copies().imported_bytes;
    for at in 0..=30 {
        step(&mut session, [at, at]).expect("runs");
    }
    assert!(session.copies().imported_bytes > before);
    let whole = u64::from(TOKENS.unsigned_abs()) * 512;
    assert!(slots(&session).iter().all(|slot| (slot.retired, slot.mapped_bytes) == (0, whole)));
    // Back to the start: everything is there, and every position means what it means.
    step(&mut session, [3, -1]).expect("runs");
    session.begin_fresh().expect("unmapped");
    for at in 0..=30 {
        step(&mut session, [at, at]).expect("runs");
    }
    assert!(
        slots(&session).iter().all(|slot| (slot.retired, slot.mapped_bytes) == (19, 2 * 4096)),
        "{:?}",
        slots(&session)
    );
    // One cache alone, while rows of the other are gone.
    hand_in(&mut session);
    let refused = step(&mut session, [31, 31]);
    let message =
        "caches are set in @kv, of which rows below 19 were given up in slot 0: begin with empty caches before";
    assert_eq!(refused, Err(message.to_string()));
    session.begin_fresh().expect("unmapped");
    hand_in(&mut session);
    assert_eq!(step(&mut session, [31, 5]), step(&mut handed_in(), [31, 5]));
    assert!(slots(&session).iter().all(|slot| slot.retired == 0));
}

/// A session of one of the decoder's programs.
fn begun(artifact: &Arc<Artifact>, entry: &str, caches: &Arc<Caches>) -> Session {
    let model = Model::load(artifact.clone(), Some(entry), Device::Host).expect("prepares");
    let mut session = Session::with_caches(Arc::new(model), caches.clone()).expect("memory");
    set_weights(&mut session);
    session
}

#[test]
fn steps_and_a_loop_that_share_caches_know_what_the_other_gave_up() {
    const STEPS: usize = POSITIONS + 1;
    let (Emitted { plan, constants }, _) = compiled(0);
    assert_eq!(plan.arenas.len(), 2, "both programs have the same arenas");
    let bytes = encode(&plan, &constants, Code::default()).expect("valid");
    let artifact = Arc::new(Artifact::from_bytes(&bytes).expect("loads"));
    let caches =
        Arc::new(Caches::new(&plan, CacheOptions { poison: true, ..CacheOptions::default() }).expect("addresses"));
    let [mut one, mut many] = ["main", "generate"].map(|entry| begun(&artifact, entry, &caches));
    let mut whole = handed_in();
    one.begin_fresh().expect("nothing to unmap");
    for at in 0..=20 {
        step(&mut one, [at, at + 9]).expect("runs");
        step(&mut whole, [at, at + 9]).expect("runs");
    }
    // Twenty rows in a loop, which gives up pages as it goes.
    let mut generate = |positions: [i32; 2], steps: i32| {
        many.set(TOKEN, integers(&[2, 1], &[1, 2])).expect("fits");
        many.set(POSITIONS, integers(&[2], &positions)).expect("fits");
        many.set(STEPS, integers(&[], &[steps])).expect("fits");
        many.step().map(|_| ()).map_err(|error| error.to_string())
    };
    generate([21, 30], 20).expect("runs");
    let state = caches.slots();
    assert_eq!([state[0].tokens, state[0].retired, state[0].mapped_bytes], [41, 29, 3 * 4096]);
    assert_eq!([state[1].tokens, state[1].retired, state[1].mapped_bytes], [50, 38, 3 * 4096]);
    // Back to where the loop began: the steps hear of what it gave up, and so does a loop, which has begun then.
    assert!(
        step(&mut one, [21, 30]).is_err_and(|message| message.contains("from 10 on in slot 0, and those below 29"))
    );
    step(&mut one, [41, 50]).expect("goes on");
    let lost = generate([21, 51], 2).expect_err("gone");
    assert!(
        lost.contains("those below 30 were given up") && lost.contains("state that was being updated is lost"),
        "{lost}"
    );
}
