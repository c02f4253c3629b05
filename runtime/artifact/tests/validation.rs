//! Every reason for which a plan is refused, and the plan that has none of them.

mod support;

use pygraph_artifact::{
    dtype::DType,
    order::add_edges,
    plan::{
        Bind, BufferId, CacheLayout, FieldSource, Fused, FusedOperand, Initial, KernelCall, KvArena, Node, Param,
        Place, Plan, PositionSource, Program, SlotRows, Spread, Step, Work,
    },
    steps::DEPTH_MAX,
    validate::{array_bytes, validate},
};

/// Breaks the plan and compares the message.
fn check(break_it: impl FnOnce(&mut Program), expected: &str) {
    let mut plan = support::plan();
    break_it(&mut plan.programs[0]);
    let error = validate(&plan, support::constants().len() as u64).expect_err(expected);
    assert_eq!(error.to_string(), format!("program `main`: {expected}"));
}

fn kernel_call(program: &mut Program) -> &mut pygraph_artifact::plan::KernelCall {
    match program.segments[0].nodes.last_mut().map(|node| &mut node.step) {
        Some(Step::Launch(launch)) => match &mut launch.work {
            Work::Kernel(call) => call,
            _ => panic!("the last step should be a kernel call"),
        },
        _ => panic!("the last step should be a launch"),
    }
}

fn nest(program: &mut Program) -> &mut pygraph_artifact::plan::Nest {
    match &mut program.segments[0].nodes[0].step {
        Step::Launch(launch) => match &mut launch.work {
            Work::Nest(nest) => nest,
            _ => panic!("the first step should be a nest"),
        },
        _ => panic!("the first step should be a launch"),
    }
}

#[test]
fn the_plan_itself_is_valid() {
    assert_eq!(validate(&support::plan(), 16), Ok(()));
    assert_eq!(validate(&Plan::default(), 0), Ok(()));
}

#[test]
fn names_are_unique() {
    let mut plan = support::plan();
    plan.programs.push(plan.programs[0].clone());
    assert_eq!(validate(&plan, 16).map_err(|e| e.to_string()), Err("two programs are named `main`".to_string()));
    check(|p| p.params[1].name = "x".to_string(), "two parameters are named `x`");
    check(|p| p.results.push(p.results[0].clone()), "two results are named `y`");
    check(|p| p.segments.push(p.segments[0].clone()), "two segments are named `s0`");
    check(|p| p.blocks.push(p.blocks[0].clone()), "two parameter blocks are named `b0`");
}

#[test]
fn sizes_are_capped() {
    check(|p| p.device = 1, "device 1 is asked for, this release has device 0 only");
    check(|p| p.arena_bytes = (1 << 40) + 1, "the arena has 1099511627777 bytes, at most 1099511627776 are allowed");
    check(
        |p| p.params[0].shape = vec![1 << 20, 1 << 20],
        "parameter 0 has type f32 and shape [1048576, 1048576], more than 64 dimensions or 1099511627776 bytes",
    );
    check(
        |p| p.buffers[2].shape = vec![u64::MAX, u64::MAX, 0],
        "buffer 2 has type f32 and shape [18446744073709551615, 18446744073709551615, 0], \
         more than 64 dimensions or 1099511627776 bytes",
    );
    assert_eq!(array_bytes(DType::F32, &[3, 0, 5]), Some(0));
    assert_eq!(array_bytes(DType::F64, &[]), Some(8));
    assert_eq!(array_bytes(DType::F64, &[1; 64]), Some(8));
    assert_eq!(array_bytes(DType::F64, &[1; 65]), None);
}

#[test]
fn updates_fit() {
    check(|p| p.params[1].updated_by = Some(1), "parameter 1 is updated by result 1, which does not exist");
    check(|p| p.params[1].dtype = DType::I32, "parameter 1 is updated by result 0 of another type");
    check(|p| p.params[1].shape = vec![2, 2], "parameter 1 is updated by result 0 of another type");
    check(|p| p.params[1].bind = Bind::Once, "parameter 1 is updated by a result but bound as `once`");
}

#[test]
fn states_of_random_generators_are_state_of_two_words() {
    let refusal =
        "parameter 1 begins as the state of a random generator, but is not bound as state, or no two words of ui64";
    check(|p| p.params[1].initial = Some(Initial::RandomState), refusal);
    let as_words = |p: &mut Program, bind| {
        p.params[0] = Param { dtype: DType::U64, shape: vec![2], bind, ..p.params[0].clone() };
        p.params[0].initial = Some(Initial::RandomState);
    };
    check(|p| as_words(p, Bind::Step), &refusal.replace('1', "0"));
}

#[test]
fn buffers_lie_in_their_region() {
    check(|p| p.buffers[1].place = Place::Param { index: 2 }, "buffer 1 lies in parameter 2, which does not exist");
    check(|p| p.buffers[1].shape = vec![5], "buffer 1 has 20 bytes, which is not the size of parameter 1");
    check(
        |p| p.buffers[0].place = Place::Param { index: 0 },
        "buffer 0 lies in parameter 0, which is bound as `step` and has no address that stays",
    );
    check(
        |p| p.buffers[0].shape = vec![5],
        "buffer 0 has 20 bytes, which is not the size of what field `x` stands for",
    );
    check(
        |p| p.buffers[0].place = Place::Field { block: 0, field: 1 },
        "buffer 0 lies behind field 1 of parameter block 0, which does not exist",
    );
    check(
        |p| p.buffers[2].place = Place::Arena { offset: 16 },
        "buffer 2 lies at offset 16, which is no multiple of 64",
    );
    check(|p| p.arena_bytes = 207, "buffer 6 of 16 bytes at offset 192 leaves the arena of 207 bytes");
    check(
        |p| p.buffers[2].place = Place::Arena { offset: u64::MAX - 63 },
        "buffer 2 of 16 bytes at offset 18446744073709551552 leaves the arena of 208 bytes",
    );
    check(
        |p| p.buffers[5].place = Place::Constant { offset: 64 },
        "buffer 5 of 16 bytes at offset 64 leaves the constants of 16 bytes",
    );
}

#[test]
fn results_have_the_type_of_their_buffer() {
    check(|p| p.results[0].buffer = BufferId(4), "result 0 has another type than its buffer 4");
    check(|p| p.results[0].buffer = BufferId(7), "result 0 names buffer 7, which does not exist");
    check(
        |p| {
            let old = pygraph_artifact::plan::ResultSlot {
                name: "old".to_string(),
                buffer: BufferId(1),
                ..p.results[0].clone()
            };
            p.results.push(old);
        },
        "result 1 lies in parameter 1, which another result replaces",
    );
}

#[test]
fn launches_name_buffers_they_may_use() {
    check(|p| nest(p).inputs[0].buffer = BufferId(9), "launch `add_0` names buffer 9, which does not exist");
    check(|p| nest(p).outputs[0].buffer = BufferId(9), "launch `add_0` names buffer 9, which does not exist");
    check(|p| kernel_call(p).inputs[0] = BufferId(9), "launch `copy_0` names buffer 9, which does not exist");
    check(
        |p| nest(p).outputs[0].buffer = BufferId(0),
        "launch `add_0` writes buffer 0, which is only read: an input, a weight, a constant or state of another result",
    );
    check(
        |p| kernel_call(p).outputs[0] = BufferId(5),
        "launch `copy_0` writes buffer 5, which is only read: an input, a weight, a constant or state of another result",
    );
}

/// Makes the first step a fused launch of its nest.
fn fused(program: &mut Program, operands: &[FusedOperand]) {
    let stages = vec![nest(program).clone()];
    let Step::Launch(launch) = &mut program.segments[0].nodes[0].step else {
        panic!("the first step should be a launch")
    };
    launch.work = Work::Fused(Fused { rows: 1, operands: operands.to_vec(), prologue: vec![], kernel: None, stages });
}

#[test]
fn fused_launches_name_what_exists() {
    let buffers = |ids: &[u32]| ids.iter().map(|id| FusedOperand::Buffer(BufferId(*id))).collect::<Vec<_>>();
    let mut plan = support::plan();
    fused(&mut plan.programs[0], &buffers(&[0, 1, 2]));
    assert_eq!(validate(&plan, 16), Ok(()));
    check(|p| fused(p, &buffers(&[0, 1])), "a stage of launch `add_0` names operand 2, which does not exist");
    check(
        |p| {
            let kernel = kernel_call(p).clone();
            fused(p, &buffers(&[0, 1, 2]));
            let Step::Launch(launch) = &mut p.segments[0].nodes[0].step else { panic!("the first step is a launch") };
            let Work::Fused(fused) = &mut launch.work else { panic!("the launch is fused") };
            fused.kernel = Some(KernelCall { inputs: vec![BufferId(5)], ..kernel });
        },
        "a stage of launch `add_0` names operand 5, which does not exist",
    );
    check(|p| fused(p, &buffers(&[0, 99, 2])), "launch `add_0` names buffer 99, which does not exist");
    check(
        |p| fused(p, &buffers(&[2, 1, 0])),
        "launch `add_0` writes buffer 0, which is only read: an input, a weight, a constant or state of another result",
    );
    let huge = FusedOperand::Temporary { dtype: DType::F32, shape: vec![1 << 40] };
    check(
        |p| fused(p, &[buffers(&[0, 1, 2]), vec![huge]].concat()),
        "operand 3 of launch `add_0` has type f32 and shape [1099511627776], \
         more than 64 dimensions or 1099511627776 bytes",
    );
}

#[test]
fn control_flow_is_well_formed() {
    let predicate = |p: &mut Program, id| match &mut p.segments[0].nodes[1].step {
        Step::While { predicate, .. } => *predicate = BufferId(id),
        _ => panic!("the second step should be a loop"),
    };
    check(|p| predicate(p, 4), "the predicate in segment `s0`, buffer 4, is not one i1");
    check(|p| predicate(p, 7), "a predicate in segment `s0` names buffer 7, which does not exist");
    check(
        |p| match &mut p.segments[0].nodes[2].step {
            Step::Switch { index, .. } => *index = BufferId(3),
            _ => panic!("the third step should be a choice"),
        },
        "the index in segment `s0`, buffer 3, is not one i32",
    );
    check(
        |p| match &mut p.segments[0].nodes[2].step {
            Step::Switch { branches, .. } => branches.clear(),
            _ => panic!("the third step should be a choice"),
        },
        "a choice in segment `s0` has no branch",
    );
}

#[test]
fn steps_nest_to_the_limit_and_no_deeper() {
    let nested = |depth: usize| {
        let mut steps = vec![support::add_launch()];
        for _ in 0..depth {
            steps = vec![Step::Switch { index: BufferId(4), branches: vec![support::nodes(steps)] }];
        }
        support::nodes(steps)
    };
    let mut plan = support::plan();
    plan.programs[0].segments[0].nodes = nested(DEPTH_MAX);
    assert_eq!(validate(&plan, 16), Ok(()));
    check(|p| p.segments[0].nodes = nested(DEPTH_MAX + 1), "steps of segment `s0` nest deeper than 64 levels");
}

#[test]
fn fields_lie_in_their_block_and_stand_for_what_changes() {
    let field = "field `x` of parameter block `b0`";
    let source = |source| move |p: &mut Program| p.blocks[0].fields[0].source = source;
    check(source(FieldSource::ParamAddress { param: 9 }), &format!("{field} has a source that does not exist"));
    check(source(FieldSource::ResultAddress { result: 9 }), &format!("{field} has a source that does not exist"));
    check(source(FieldSource::ParamAddress { param: 1 }), &format!("{field} has a source that does not change so"));
    check(source(FieldSource::Value { param: 0 }), &format!("{field} has a source that does not change so"));
    let misplaced = format!("{field} does not lie in the block, aligned and behind the fields before it");
    check(|p| p.blocks[0].fields[0].offset = 4, &misplaced);
    check(|p| p.blocks[0].fields[0].offset = 16, &misplaced);
    check(|p| p.blocks[0].fields[0].offset = u64::MAX - 7, &misplaced);
    check(
        |p| {
            let again = p.blocks[0].fields[0].clone();
            p.blocks[0].fields.push(again);
        },
        &misplaced,
    );
    check(
        |p| p.blocks[0].bytes = 1 << 41,
        "parameter block `b0` has 2199023255552 bytes, at most 1099511627776 are allowed",
    );
    check(|p| p.segments[0].block = Some(7), "segment `s0` reads parameter block 7, which does not exist");
    check(
        |p| p.segments[0].block = None,
        "launch `add_0` names buffer 0 in a parameter block that segment `s0` does not read",
    );
}

#[test]
fn state_is_written_only_where_its_own_update_lies() {
    let mut plan = support::plan();
    let in_place = |p: &mut Program| {
        p.results[0].buffer = BufferId(1);
        nest(p).outputs[0].buffer = BufferId(1);
        for at in 1..3 {
            p.segments[0].nodes.remove(3 - at);
        }
        add_edges(p);
    };
    in_place(&mut plan.programs[0]);
    assert_eq!(validate(&plan, 16), Ok(()));
    let refused =
        "launch `add_0` writes buffer 1, which is only read: an input, a weight, a constant or state of another result";
    check(
        |p| {
            in_place(p);
            p.params[1].updated_by = None;
        },
        refused,
    );
    check(
        |p| {
            in_place(p);
            p.results[0].buffer = BufferId(2);
        },
        refused,
    );
}

#[test]
fn edges_lead_back_and_cover_every_conflict() {
    let wrong = "the edges of node 1 in segment `s0` do not lead to earlier nodes, in order, each once";
    check(|p| p.segments[0].nodes[1].after = vec![1], wrong);
    check(|p| p.segments[0].nodes[1].after = vec![0, 0], wrong);
    check(
        |p| p.segments[0].nodes[1].after.clear(),
        "in segment `s0` node 1 touches bytes of node 0 and has no edge to it",
    );
    // An edge too many is an order, and no error.
    let mut plan = support::plan();
    plan.programs[0].segments[0].nodes[3].after = vec![0, 1, 2];
    assert_eq!(validate(&plan, 16), Ok(()));
}

/// Makes the state a cache: two slots of two tokens.
fn with_cache(plan: &mut Plan) {
    let arena = KvArena { name: "kv".to_string(), slots: 2, tokens_max: 2, token_bytes: 8, handle_bytes: 4096 };
    plan.arenas = vec![arena];
    let program = &mut plan.programs[0];
    program.params[1].shape = vec![2, 2];
    program.results[0].shape = vec![2, 2];
    program.buffers[1..3].iter_mut().for_each(|buffer| buffer.shape = vec![2, 2]);
    program.params[1].cache =
        Some(CacheLayout { arena: 0, offset: 4, strides: vec![1024, 2], slot_dim: Some(0), token_dim: 1 });
    let offsets = vec![0, 0];
    let spread = Spread::One;
    program.ensures = vec![SlotRows { arena: 0, source: None, spread, offsets, window: None }];
    program.retires = vec![SlotRows { window: Some(1), ..program.ensures[0].clone() }];
}

fn check_cache(break_it: impl FnOnce(&mut Plan), expected: &str) {
    let mut plan = support::plan();
    with_cache(&mut plan);
    break_it(&mut plan);
    assert_eq!(validate(&plan, 16).map_err(|error| error.to_string()), Err(expected.to_string()));
}

#[test]
fn caches_lie_in_rows_of_their_arena() {
    let mut plan = support::plan();
    with_cache(&mut plan);
    assert_eq!(validate(&plan, 16), Ok(()));
    check_cache(|plan| plan.arenas[0].slots = 0, "cache arena `kv` has a size of 0");
    check_cache(|plan| plan.arenas[0].slots = (1 << 16) + 1, "cache arena `kv` has more slots than any arena may");
    check_cache(|plan| plan.arenas[0].tokens_max = 1 << 50, "cache arena `kv` is larger than any arena may be");
    check_cache(
        |plan| {
            let again = plan.arenas[0].clone();
            plan.arenas.push(again);
        },
        "two cache arenas are named `kv`",
    );
    check_cache(
        |plan| {
            let other = KvArena { name: "other".to_string(), handle_bytes: 8192, ..plan.arenas[0].clone() };
            plan.arenas.push(other);
        },
        "cache arena `other` has handles of another size than the first",
    );
    fn layout(plan: &mut Plan) -> &mut CacheLayout {
        plan.programs[0].params[1].cache.as_mut().expect("a cache")
    }
    let cache = |why: &str| format!("program `main`: parameter 1 is a cache and {why}");
    let apart = cache("does not lie in the rows of its arena");
    check_cache(|plan| layout(plan).arena = 1, &cache("lies in an arena that does not exist"));
    check_cache(|plan| layout(plan).offset = 8, &apart);
    check_cache(|plan| layout(plan).offset = 2, &apart);
    check_cache(|plan| layout(plan).strides = vec![1024, 1], &apart);
    check_cache(|plan| layout(plan).strides = vec![512, 2], &apart);
    check_cache(|plan| layout(plan).slot_dim = None, &apart);
    let dims = cache("has not one stride a dimension, and dimensions of slots and tokens");
    check_cache(|plan| layout(plan).slot_dim = Some(1), &dims);
    check_cache(|plan| layout(plan).token_dim = 7, &dims);
    check_cache(|plan| layout(plan).strides = vec![1024], &dims);
    check_cache(
        |plan| {
            plan.programs[0].params[1].bind = Bind::Once;
            plan.programs[0].params[1].updated_by = None;
        },
        &cache("is no state with elements"),
    );
    check_cache(
        |plan| plan.programs[0].buffers[1].shape = vec![4],
        "program `main`: buffer 1 lies in parameter 1, a cache, and has another type",
    );
}

#[test]
fn what_is_ensured_exists() {
    fn ensure(plan: &mut Plan) -> &mut SlotRows {
        &mut plan.programs[0].ensures[0]
    }
    let arena = |number: u32, why: &str| format!("program `main`: cache arena {number} {why}");
    check_cache(|plan| ensure(plan).arena = 3, &arena(3, "does not exist"));
    check_cache(
        |plan| {
            let other = KvArena { name: "other".to_string(), ..plan.arenas[0].clone() };
            plan.arenas.push(other);
            ensure(plan).arena = 1;
        },
        &arena(1, "has no cache of the program, which asks for its rows"),
    );
    let counts = arena(0, "has rows by offsets that are not as many for each slot");
    check_cache(|plan| ensure(plan).offsets.clear(), &counts);
    check_cache(|plan| ensure(plan).offsets.push(0), &counts);
    check_cache(
        |plan| ensure(plan).source = Some(PositionSource::Param { index: 0 }),
        &arena(0, "has rows by positions of no argument that the host has"),
    );
    check_cache(
        |plan| ensure(plan).source = Some(PositionSource::Buffer(BufferId(3))),
        &arena(0, "has rows by positions of another type"),
    );
    check_cache(
        |plan| {
            ensure(plan).source = Some(PositionSource::Buffer(BufferId(4)));
            ensure(plan).spread = Spread::Slots;
        },
        &arena(0, "has rows by positions of another type"),
    );
    check_cache(
        |plan| ensure(plan).source = Some(PositionSource::Buffer(BufferId(99))),
        "program `main`: an `ensure` or `retire` names buffer 99, which does not exist",
    );
}

#[test]
fn what_is_retired_exists_and_is_below_a_window() {
    fn retire(plan: &mut Plan) -> &mut SlotRows {
        &mut plan.programs[0].retires[0]
    }
    let arena = |number: u32, why: &str| format!("program `main`: cache arena {number} {why}");
    check_cache(|plan| retire(plan).arena = 3, &arena(3, "does not exist"));
    check_cache(|plan| retire(plan).window = None, &arena(0, "is retired below no window"));
    check_cache(|plan| retire(plan).window = Some(0), &arena(0, "has a window of no rows"));
    check_cache(|plan| plan.programs[0].ensures[0].window = Some(0), &arena(0, "has a window of no rows"));
    // The same in a graph, where it has its edges too.
    let in_graph = |window| {
        move |plan: &mut Plan| {
            let rows = SlotRows { window, ..plan.programs[0].retires[0].clone() };
            plan.programs[0].segments[0].nodes.push(Node { after: Vec::new(), step: Step::Retire(rows) });
        }
    };
    check_cache(in_graph(None), &arena(0, "is retired below no window"));
    check_cache(
        in_graph(Some(1)),
        "program `main`: in segment `s0` node 4 touches bytes of node 0 and has no edge to it",
    );
}

#[test]
fn rows_follow_from_positions() {
    let arena = KvArena { name: "kv".to_string(), slots: 2, tokens_max: 8, token_bytes: 8, handle_bytes: 4096 };
    let rows = |window, spread, offsets: &[i64], positions: &[i64]| {
        let source = Some(PositionSource::Param { index: 0 });
        SlotRows { arena: 0, source, spread, offsets: offsets.to_vec(), window }.ranges(&arena, positions)
    };
    assert_eq!(rows(None, Spread::One, &[0, 0], &[3]), [0..4, 0..4]);
    assert_eq!(rows(None, Spread::One, &[0, 1, 0, 2], &[3]), [0..5, 0..6]);
    assert_eq!(rows(None, Spread::Slots, &[0, 0], &[3, 5]), [0..4, 0..6]);
    assert_eq!(rows(None, Spread::Tokens, &[0, 0, 0, 0], &[6, 2]), [0..7, 0..7]);
    assert_eq!(rows(None, Spread::One, &[0, 0], &[-1]), [0..8, 0..8], "a negative position counts from the end");
    assert_eq!(rows(None, Spread::Slots, &[0, 0], &[-1, 0]), [0..8, 0..1]);
    assert_eq!(rows(None, Spread::One, &[0, 0], &[i64::MAX]), [0..8, 0..8]);
    // A window begins where that of the least position does.
    assert_eq!(rows(Some(3), Spread::Slots, &[0, 0], &[2, 5]), [0..3, 3..6]);
    assert_eq!(rows(Some(1), Spread::Slots, &[0, 0], &[0, 7]), [0..1, 7..8]);
    assert_eq!(rows(Some(3), Spread::One, &[0, 1, 0, 2], &[3]), [1..5, 1..6]);
    assert_eq!(rows(Some(3), Spread::Tokens, &[0, 0, 0, 0], &[6, 2]), [0..7, 0..7]);
    assert_eq!(rows(Some(u64::MAX), Spread::One, &[0, 0], &[7]), [0..8, 0..8]);
    // Positions that are not there count as all rows.
    assert_eq!(rows(Some(3), Spread::Slots, &[0, 0], &[-1, 8]), [0..8, 0..8]);
    assert_eq!(rows(Some(3), Spread::Tokens, &[0, 0, 0, 0], &[6, 8]), [0..8, 0..8]);
}
