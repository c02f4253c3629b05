//! The CUDA device on a real GPU, apart from generated code: kernels are a small text of PTX that the driver compiles.
//!
//! Without a driver or a GPU each test says that it is skipped. `cargo test -p pygraph-runtime --test cuda -- --nocapture` shows which.
//! `scripts/test driver` runs them on a driver that needs no GPU.

mod support;

use std::{sync::Arc, time::Duration};

use pygraph_artifact::{
    container::{Artifact, Code, encode},
    deployment::Deployment,
    device_code::{Argument, DeviceCode, DeviceProgram},
    dtype::DType,
    library::{Library, Offer, Product, Side},
    plan::{Bind, KernelAttr, KernelCall, KvArena, Plan, PositionSource, Step, Work},
    scalar::ScalarOp,
};
use pygraph_runtime::{
    caches::{CacheError, CacheOptions},
    cuda::{
        driver::{
            AddressRange, Blas, Context, CudaError, DeviceBytes, Event, Graph, Grid, Module, PhysicalHandle,
            PinnedBytes, Stream, granularity,
        },
        gpu::Gpu,
        libraries::LibraryChoice,
        tensor::DeviceTensor,
        tuning::TuningCache,
    },
    device::Device,
    memory::MemoryError,
    model::Model,
    session::{Measure, Session, StepError, Ticket},
    tensor::Array,
};
use support::{
    Builder, as_floats, as_ints, floats,
    gpu::{OnGpu, PTX, call, gpu},
    ints, kernel, launch, nodes, rows_at,
};

fn grid(blocks: u32, threads: u32) -> Grid {
    Grid { blocks: [blocks, 1, 1], threads: [threads, 1, 1], shared_bytes: 0 }
}

fn device_ints(context: &Arc<Context>, stream: &Stream, values: &[i32]) -> DeviceBytes {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let device = DeviceBytes::new(context, "a test", bytes.len() as u64).expect("memory");
    // SAFETY: there are as many bytes.
    unsafe { stream.upload_now(&bytes, device.address()) }.expect("copies");
    device
}

fn read_ints(stream: &Stream, address: u64, count: usize) -> Vec<i32> {
    let mut bytes = vec![0; count * 4];
    // SAFETY: tests give addresses of as many numbers.
    unsafe { stream.download_now(address, &mut bytes) }.expect("copies");
    as_ints(&bytes)
}

#[test]
fn memory_is_counted_limited_copied_and_given_back() {
    let Some((gpu, _guard)) = gpu("memory") else { return };
    let (context, stream) = (gpu.context(), gpu.stream());
    let before = context.memory().live;
    let device = DeviceBytes::new(context, "a test", 1 << 20).expect("memory");
    assert_eq!((context.memory().live - before, device.address() % 256), (1 << 20, 0));
    context.set_memory_limit(Some(before + (1 << 20) + 100));
    let error = DeviceBytes::new(context, "another", 101).expect_err("beyond the limit");
    let (live, limit) = (before + (1 << 20), before + (1 << 20) + 100);
    assert_eq!(error, CudaError::Limit { what: "another", asked: 101, live, limit });
    context.set_memory_limit(None);
    let error = DeviceBytes::new(context, "far too much", 1 << 50).expect_err("no GPU has so much");
    assert!(matches!(error, CudaError::OutOfMemory { what: "far too much", asked, .. } if asked == 1 << 50), "{error}");

    let mut pinned = PinnedBytes::zeroed(context, 1 << 20).expect("pinned memory");
    // SAFETY: the GPU does nothing with it yet.
    unsafe { pinned.bytes_mut() }.iter_mut().enumerate().for_each(|(at, byte)| *byte = (at * 7) as u8);
    let back = PinnedBytes::zeroed(context, 1 << 20).expect("pinned memory");
    let event = Event::new(context).expect("an event");
    stream.upload(&pinned, 0, &device, 0, 1 << 20).expect("copies");
    stream.download(&device, 256, &back, 0, (1 << 20) - 256).expect("copies");
    event.record(stream).expect("records");
    event.synchronize().expect("is reached");
    assert!(event.is_reached().expect("asks"));
    // SAFETY: the event is reached.
    let (sent, got) = unsafe { (pinned.bytes(), back.bytes()) };
    assert!(sent[256..] == got[..got.len() - 256]);
    drop(device);
    assert_eq!(context.memory().live, before);
}

#[test]
fn a_kernel_is_loaded_launched_and_named() {
    let Some((gpu, _guard)) = gpu("kernels") else { return };
    let (context, stream) = (gpu.context(), gpu.stream());
    let module = Module::load(context, PTX.as_bytes()).expect("loads");
    let add_one = module.function("add_one").expect("is there");
    let numbers = device_ints(context, stream, &[5; 64]);
    // SAFETY: the kernel adds one to as many numbers as there are threads.
    unsafe { add_one.launch(stream, grid(2, 32), &[numbers.address()]) }.expect("launches");
    assert_eq!(read_ints(stream, numbers.address(), 64), [6; 64]);
    let error = module.function("no_such").map(|_| ()).expect_err("there is none");
    assert!(error.to_string().starts_with("cuModuleGetFunction: CUDA_ERROR_NOT_FOUND: "), "{error}");
    let error = Module::load(context, b"no code").map(|_| ()).expect_err("no code");
    assert!(error.to_string().starts_with("cuModuleLoadData: CUDA_ERROR_"), "{error}");
    // SAFETY: no block may have so many threads: nothing runs.
    let error = unsafe { add_one.launch(stream, grid(1, 5000), &[numbers.address()]) }.expect_err("too many threads");
    assert!(error.to_string().starts_with("cuLaunchKernel: CUDA_ERROR_INVALID_VALUE: "), "{error}");
}

#[test]
fn handles_are_mapped_where_a_graph_reads_them_and_unmapped() {
    let Some((gpu, _guard)) = gpu("virtual memory") else { return };
    let (context, stream) = (gpu.context(), gpu.stream());
    let handle_bytes = granularity(context).expect("asks");
    assert!(handle_bytes.is_power_of_two() && handle_bytes >= 1 << 16, "{handle_bytes}");
    let module = Module::load(context, PTX.as_bytes()).expect("loads");
    let range = AddressRange::reserve(context, 4 * handle_bytes).expect("reserves");
    let second = range.start() + handle_bytes;
    // Recorded before anything is mapped.
    let mut graph = Graph::new(context).expect("a graph");
    let add_one = module.function("add_one").expect("is there");
    // SAFETY: the graph is launched when the numbers are mapped.
    unsafe { graph.add_kernel(&[], &add_one, grid(1, 32), &[second]) }.expect("adds");
    let mut graph = graph.instantiate(stream).expect("instantiates");
    let live = context.memory().live;
    let handle = PhysicalHandle::create(context, handle_bytes).expect("creates");
    assert_eq!(context.memory().live, live + handle_bytes);
    range.map(handle_bytes, &handle).expect("maps");
    assert!(range.map(handle_bytes, &handle).is_err(), "something is mapped there");
    // SAFETY: the handle was just mapped.
    unsafe { stream.fill(second, 0, handle_bytes) }.expect("fills");
    for expected in 1..=3 {
        graph.launch(stream).expect("launches");
        assert_eq!(read_ints(stream, second, 32), [expected; 32]);
    }
    range.unmap(handle_bytes, handle_bytes).expect("unmaps");
    let other = PhysicalHandle::create(context, handle_bytes).expect("creates");
    range.map(handle_bytes, &other).expect("maps again");
    drop(range);
    drop((handle, other));
    assert_eq!(context.memory().live, live);
}

#[test]
fn graphs_keep_their_edges_and_loops_and_choices_run_on_the_gpu() {
    let Some((gpu, _guard)) = gpu("graphs") else { return };
    let (context, stream) = (gpu.context(), gpu.stream());
    let module = Module::load(context, PTX.as_bytes()).expect("loads");
    let function = |name| module.function(name).expect("is there");
    // value, limit, predicate, index
    let memory = device_ints(context, stream, &[1, 100, 0, 1]);
    let at = |number: u64| memory.address() + 4 * number;
    let mut graph = Graph::new(context).expect("a graph");
    let condition = graph.new_conditional().expect("a condition");
    // SAFETY: all kernels take addresses of numbers of `memory`, which outlives the graph.
    let (node, mut body) = unsafe {
        let less = graph.add_kernel(&[], &function("less"), Grid::ONE, &[at(0), at(1), at(2)]).expect("adds");
        let set = graph
            .add_kernel(&[less], &function("pygraph_while"), Grid::ONE, &[condition.handle(), at(2)])
            .expect("adds");
        graph.add_while(&[set], condition).expect("adds a loop")
    };
    // SAFETY: as above.
    unsafe {
        let twice = body.add_kernel(&[], &function("sum_of"), Grid::ONE, &[at(0), at(0), at(0)]).expect("adds");
        let less = body.add_kernel(&[twice], &function("less"), Grid::ONE, &[at(0), at(1), at(2)]).expect("adds");
        let set = function("pygraph_while");
        body.add_kernel(&[less], &set, Grid::ONE, &[condition.handle(), at(2)]).expect("adds");
    }
    graph.keep(body);
    let choice = graph.new_conditional().expect("a condition");
    // SAFETY: as above.
    let set = unsafe {
        graph.add_kernel(&[node], &function("pygraph_switch"), Grid::ONE, &[choice.handle(), at(3), 3]).expect("adds")
    };
    let (_, branches) = graph.add_switch(&[set], choice, 3).expect("adds a choice");
    for (mut branch, times) in branches.into_iter().zip(1..) {
        let mut last = Vec::new();
        for _ in 0..times {
            // SAFETY: as above; one number is changed.
            last = vec![unsafe { branch.add_kernel(&last, &function("add_one"), grid(1, 1), &[at(0)]) }.expect("adds")];
        }
        graph.keep(branch);
    }
    let mut graph = graph.instantiate(stream).expect("instantiates");
    for (value, index, expected) in [(1, 1, 130), (3, 0, 193), (100, 2, 103), (500, 7, 503), (99, -1, 201)] {
        let bytes: Vec<u8> = [value, 100, 0, index].iter().flat_map(|value: &i32| value.to_le_bytes()).collect();
        // SAFETY: there are as many bytes.
        unsafe { stream.upload_now(&bytes, memory.address()) }.expect("copies");
        graph.launch(stream).expect("launches");
        assert_eq!(read_ints(stream, memory.address(), 1), [expected], "from {value}, branch {index}");
    }
}

fn step(session: &mut Session) -> Vec<Vec<i32>> {
    let outputs = session.step().and_then(Ticket::wait).expect("runs");
    outputs.iter().map(|array| as_ints(array.expect("a result").bytes)).collect()
}

/// `k' = k + x` where `k` lies, and `y = k' + x` where the caller wants it; `x` and `y` are reached through the block.
fn in_place() -> OnGpu {
    let mut b = Builder::new("main");
    let k = b.param("k", DType::I32, &[], Bind::State);
    let x = b.param("x", DType::I32, &[], Bind::Step);
    let updated = b.result("k'", k);
    b.update(0, updated);
    let y = b.output("y", DType::I32, &[]);
    let total = b.arena(DType::I32, &[]);
    let steps = vec![b.map(ScalarOp::Add, &[k, x], k), b.map(ScalarOp::Add, &[k, x], total), b.copy(total, y)];
    let launches =
        vec![call("add_through", &[k, x, k]), call("add_through", &[k, x, total]), call("store", &[total, y])];
    OnGpu::new(b.finish(steps), launches)
}

#[test]
fn a_session_updates_state_in_place_and_reads_and_writes_through_the_block() {
    let Some((_gpu, _guard)) = gpu("sessions") else { return };
    let mut session = in_place().session();
    session.set(0, ints(&[], &[100])).expect("fits");
    for x in [1, 2, 3] {
        session.set(1, ints(&[], &[x])).expect("fits");
        let k = 100 + x * (x + 1) / 2;
        assert_eq!(step(&mut session), [vec![k], vec![k + x]]);
    }
    // The state once, and an argument of four bytes a step; nothing else.
    let copies = session.copies();
    assert_eq!((copies.count, copies.imported_bytes, copies.block_bytes), (0, 4 + 3 * 4, 3 * 16));
    let counts = session.step_counts();
    assert_eq!((counts.graphs, counts.nodes, counts.streams), (1, 3, 0));
    // State that is set anew counts.
    session.set(0, ints(&[], &[0])).expect("fits");
    assert_eq!(step(&mut session), [vec![3], vec![6]]);
}

#[test]
fn arrays_on_the_gpu_are_read_in_place_and_held_results_keep_their_values() {
    let Some((gpu, _guard)) = gpu("arrays") else { return };
    let mut session = in_place().session();
    session.set(0, ints(&[], &[0])).expect("fits");
    let mut held = Vec::new();
    let before = session.copies();
    for x in [5, 7] {
        session.set(1, DeviceTensor::copy_of(&gpu, &ints(&[], &[x])).expect("memory")).expect("fits");
        let outputs = session.step().and_then(Ticket::wait).expect("runs");
        assert!(outputs.hold(0).is_none(), "state stays with the session");
        held.push(outputs.hold(1).expect("y"));
    }
    assert_eq!(session.copies().since(before).imported_bytes, 4, "the state alone");
    let value = |array: &Array| as_ints(array.to_host().expect("copies").bytes());
    assert_eq!(held.iter().map(value).collect::<Vec<_>>(), [[10], [19]]);
    let message = session.step().map(|_| ()).map_err(|error| error.to_string());
    assert!(message.is_err_and(|message| message.starts_with("result `y` has 2 buffers, and all are held")));
    held.remove(0);
    assert_eq!(step(&mut session), [vec![19], vec![26]]);
    assert_eq!(value(&held[0]), [19]);
    let buffer = DeviceTensor::zeros(&gpu, DType::I32, &[]).expect("memory");
    let address = buffer.address();
    session.set_output(1, buffer).expect("fits");
    let outputs = session.step().and_then(Ticket::wait).expect("runs");
    let Some(Array::Device(y)) = outputs.hold(1) else { panic!("a result of a GPU should lie there") };
    assert_eq!((y.address(), as_ints(y.to_host().expect("copies").bytes())), (address, vec![33]));
    let message = session.set_output(1, ints(&[], &[0])).map_err(|error| error.to_string());
    assert!(message.is_err_and(|message| message.contains("is given a buffer of the host")));
}

#[test]
fn the_host_runs_two_steps_ahead_of_a_blocked_stream() {
    let Some((gpu, _guard)) = gpu("running ahead") else { return };
    if gpu.context().properties().name.ends_with("a fake") {
        return eprintln!("skipped running ahead: the driver of the tests does everything at once");
    }
    let mut session = in_place().session();
    session.set(0, ints(&[], &[0])).expect("fits");
    session.set(1, ints(&[], &[1])).expect("fits");
    assert_eq!(step(&mut session), [vec![1], vec![2]]);
    // Buffers of results are made in the first two steps.
    assert_eq!(step(&mut session), [vec![2], vec![3]]);
    let module = Module::load(gpu.context(), PTX.as_bytes()).expect("loads");
    let gate = device_ints(gpu.context(), gpu.stream(), &[0]);
    let done = Event::new(gpu.context()).expect("an event");
    let inputs: Vec<DeviceTensor> =
        [10, 20].map(|x| DeviceTensor::copy_of(&gpu, &ints(&[], &[x])).expect("memory")).to_vec();
    // SAFETY: the kernel reads one number until it is not 0.
    unsafe { module.function("spin").expect("is there").launch(gpu.stream(), Grid::ONE, &[gate.address()]) }
        .expect("launches");
    done.record(gpu.stream()).expect("records");
    let mut held = Vec::new();
    for x in &inputs {
        session.set(1, x.clone()).expect("fits");
        session.step().expect("is given to the GPU");
        held.push(session.outputs().hold(1).expect("y"));
    }
    assert!(!done.is_reached().expect("asks"), "the stream should still be blocked");
    let other = Stream::new(gpu.context()).expect("a stream");
    // SAFETY: the gate has four bytes.
    unsafe { other.upload_now(&1_i32.to_le_bytes(), gate.address()) }.expect("copies");
    let values: Vec<i32> = held.iter().map(|y| as_ints(y.to_host().expect("copies").bytes())[0]).collect();
    assert_eq!(values, [2 + 10 + 10, 12 + 20 + 20]);
}

/// `n' = n + w`, computed in the arena and carried.
fn counting() -> OnGpu {
    let mut b = Builder::new("main");
    let n = b.param("n", DType::I32, &[], Bind::State);
    let w = b.param("w", DType::I32, &[], Bind::Once);
    let next = b.arena(DType::I32, &[]);
    let counted = b.result("n'", next);
    b.update(0, counted);
    let steps = vec![b.map(ScalarOp::Add, &[n, w], next)];
    OnGpu::new(b.finish(steps), vec![call("sum_of", &[n, w, next])])
}

/// `y = x`, then a comparison that does not hold if `x` is negative.
fn comparing() -> OnGpu {
    let mut b = Builder::new("main");
    let x = b.param("x", DType::I32, &[], Bind::Host);
    let y = b.arena(DType::I32, &[]);
    b.result("y", y);
    let steps = vec![b.copy(x, y), b.copy(x, y)];
    let mut check = call("check", &[x]);
    check.calls[0].arguments.push(Argument::Status);
    OnGpu::new(b.finish(steps), vec![call("move", &[x, y]), check])
}

/// `z = x y`, which a library is offered; the launch's own kernel, to be told apart, moves the first element of `x` to `z`.
fn offered() -> OnGpu {
    let mut b = Builder::new("main");
    let x = b.param("x", DType::F32, &[2, 3], Bind::Once);
    let y = b.param("y", DType::F32, &[3, 4], Bind::Once);
    let z = b.arena(DType::F32, &[2, 4]);
    b.result("z", z);
    let names = ["lhs_batch", "lhs_contract", "rhs_batch", "rhs_contract"];
    let lists = [vec![], vec![1], vec![], vec![0]];
    let attributes = names.into_iter().map(str::to_string).zip(lists.map(KernelAttr::Ints)).collect();
    let work =
        KernelCall { kernel: "contract".to_string(), inputs: vec![x, y], outputs: vec![z], attributes, bodies: vec![] };
    let mut own = call("move", &[x, z]);
    let side = |is_across, line| Side { is_across, line, batch: 0 };
    let (dtype, output) = (DType::F32, DType::F32);
    let product = Product {
        dtype,
        output,
        batches: 1,
        rows: 2,
        columns: 4,
        terms: 3,
        left: side(false, 3),
        right: side(true, 4),
    };
    let (inputs, output) = ([x, y].map(Argument::Buffer), Argument::Buffer(z));
    own.library = Library::Offer(Box::new(Offer { product, inputs, output, after: vec![] }));
    OnGpu::new(b.finish(vec![launch("product", "m.mlir:1:1", Work::Kernel(work))]), vec![own])
}

#[test]
fn a_library_computes_what_it_is_offered_or_it_is_said_why_not() {
    let Some((gpu, _guard)) = gpu("libraries") else { return };
    let run = |choice: LibraryChoice| {
        gpu.libraries().set(choice, TuningCache::default());
        let mut session = offered().session();
        session.set(0, floats(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])).expect("set");
        session.set(1, floats(&[3, 4], &[1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0])).expect("set");
        let result = session
            .step()
            .and_then(Ticket::wait)
            .map(|outputs| as_floats(outputs.iter().next().expect("a result").expect("a result").bytes));
        result.map(|z| (z, session.libraries().expect("graphs are made").clone()))
    };
    let (z, report) = run(LibraryChoice::Off).expect("runs");
    assert_eq!(
        (z[0], report.to_string().as_str()),
        (1.0, "no library computes 0 products, 0 of them tuned; own kernels 1: --libraries=off")
    );
    let (auto, required) = (run(LibraryChoice::Auto).expect("runs"), run(LibraryChoice::Require));
    gpu.libraries().set(LibraryChoice::Auto, TuningCache::default());
    match Blas::open(gpu.context()) {
        Ok(blas) => {
            let z = vec![1.0, 2.0, 3.0, 6.0, 4.0, 5.0, 6.0, 15.0];
            assert_eq!((&auto.0, auto.1.taken, &required.expect("runs").0), (&z, 1, &z), "cuBLASLt {}", blas.version());
        }
        Err(error) => {
            eprintln!("skipped products of cuBLASLt: {error}");
            assert_eq!((auto.0[0], auto.1.left), (1.0, [(error.to_string(), 1)].into()));
            let required = required.expect_err("it is not there").to_string();
            assert!(required.contains(&error.to_string()), "{required}");
        }
    }
}

/// What CI without a GPU can say of these programs.
#[test]
fn programs_of_these_tests_are_valid() {
    let loops = [Deployment::DeviceLoop, Deployment::HostLoop, Deployment::Stream].map(doubling);
    for program in [in_place(), counting(), comparing(), growing(), offered()].into_iter().chain(loops) {
        assert!(program.artifact("sm_90").device_code().is_some());
    }
}

/// Doubles `x` until it is at least 100.
fn doubling(deploy: Deployment) -> OnGpu {
    let mut b = Builder::new("main");
    let x = b.param("x", DType::I32, &[], Bind::Host);
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
    let (mut program, constants) = b.finish(steps);
    program.segments[0].deploy = deploy;
    let launches =
        vec![call("move", &[x, value]), call("less", &[value, limit, less]), call("sum_of", &[value, value, value])];
    OnGpu::new((program, constants), launches)
}

#[test]
fn loops_run_on_the_gpu_and_stepped_by_the_host() {
    let Some((_gpu, _guard)) = gpu("loops") else { return };
    for deploy in [Deployment::DeviceLoop, Deployment::HostLoop, Deployment::Stream] {
        let mut session = doubling(deploy).session();
        for (x, expected) in [(1, 128), (3, 192), (99, 198), (100, 100), (500, 500)] {
            session.set(0, ints(&[], &[x])).expect("fits");
            assert_eq!(step(&mut session), [[expected]], "{}", deploy.name());
        }
    }
}

#[test]
fn steps_are_timed_by_the_gpu() {
    let Some((_gpu, _guard)) = gpu("times") else { return };
    let mut session = in_place().session();
    session.time_steps().expect("events");
    session.set(0, ints(&[], &[0])).expect("fits");
    session.set(1, ints(&[], &[1])).expect("fits");
    assert_eq!(session.device_time().expect("asks"), None);
    step(&mut session);
    let time = session.device_time().expect("asks").expect("the step has ended");
    assert!(time > Duration::ZERO);
}

#[test]
fn launches_and_segments_are_measured_and_compute_the_same() {
    let Some((_gpu, _guard)) = gpu("measurements") else { return };
    let mut session = doubling(Deployment::DeviceLoop).session();
    session.set(0, ints(&[], &[3])).expect("fits");
    session.measure(Measure::Launches).expect("events");
    for _ in 0..2 {
        assert_eq!(step(&mut session), [[192]]);
        // One copy, a comparison before each of six doublings and behind the last.
        let kernels: Vec<u32> = session.launch_times().iter().map(|launch| launch.kernels).collect();
        assert_eq!(kernels, [1, 7, 6]);
        assert!(session.launch_times().iter().all(|launch| launch.time > Duration::ZERO && launch.segment == "s0"));
    }
    for (form, measured) in
        [(Deployment::Stream, 1), (Deployment::HostLoop, 1), (Deployment::DeviceLoop, 1), (Deployment::Graph, 0)]
    {
        session.measure(Measure::Segments(form)).expect("events");
        assert_eq!(step(&mut session), [[192]]);
        let times = session.segment_times().expect("the step has ended");
        assert_eq!(times.len(), measured, "{}", form.name());
        assert!(times.iter().all(|time| time.form == form && time.time > Duration::ZERO));
        assert!(session.launch_times().is_empty());
    }
}

#[test]
fn state_that_lies_elsewhere_is_carried_and_weights_are_shared() {
    let Some((_gpu, _guard)) = gpu("state") else { return };
    let mut session = counting().session();
    session.set(0, ints(&[], &[7])).expect("fits");
    let message = session.step().map(|_| ()).map_err(|error| error.to_string());
    assert!(message.is_err_and(|message| message.starts_with("no value for arg1 `w`")));
    session.set(1, ints(&[], &[10])).expect("fits");
    assert_eq!([step(&mut session), step(&mut session)], [[[17]], [[27]]]);
    assert_eq!((session.copies().count, session.copies().bytes), (2, 8));
    // Another weight lies elsewhere: the graph is made anew.
    session.set(1, ints(&[], &[1])).expect("fits");
    assert_eq!(step(&mut session), [[28]]);
}

#[test]
fn a_comparison_that_does_not_hold_is_the_error_of_its_launch() {
    let Some((_gpu, _guard)) = gpu("comparisons") else { return };
    let mut session = comparing().session();
    for (x, fails) in [(1, false), (-1, true), (2, false)] {
        session.set(0, ints(&[], &[x])).expect("fits");
        match session.step().and_then(Ticket::wait) {
            Ok(_) => assert!(!fails, "{x}"),
            Err(StepError::Run(error)) => {
                assert!(fails, "{x}: {error}");
                let expected = "model.mlir:1:3: convert_1: the comparison does not hold at element 3";
                assert_eq!(error.to_string(), expected);
            }
            Err(error) => panic!("{x}: {error}"),
        }
    }
}

#[test]
fn code_for_another_card_and_arrays_of_other_devices_are_refused() {
    let Some((gpu, _guard)) = gpu("refusals") else { return };
    let error = Gpu::open(1000).map(|_| ()).expect_err("nobody has so many");
    assert!(matches!(error, CudaError::NoDevice { ordinal: 1000, .. }), "{error}");
    let (b, steps) = support::counting_model();
    let mut session = b.session(steps);
    let array = DeviceTensor::copy_of(&gpu, &floats(&[2, 2], &[0.0; 4])).expect("memory");
    let message = session.set(0, array).map_err(|error| error.to_string());
    let expected = "argument or result 0 `x` is given an array on cuda:0, and the model is on host";
    assert_eq!(message, Err(expected.to_string()));

    let program = Builder::new("main").finish(vec![]).0;
    let code = DeviceCode {
        target: "sm_10".to_string(),
        modules: vec![],
        kernels: vec![],
        control: None,
        programs: vec![DeviceProgram { scratch_bytes: 0, zeroed_bytes: 0, launches: vec![] }],
    };
    let plan = Plan { programs: vec![program], arenas: Vec::new() };
    let bytes = encode(&plan, &[], Code { host: None, device: Some(&code) }).expect("valid");
    let artifact = Arc::new(Artifact::from_bytes(&bytes).expect("loads"));
    let message = Model::load(artifact, None, Device::Cuda(0)).map(|_| ()).map_err(|error| error.to_string());
    assert!(message.is_err_and(|message| message.starts_with("the code is for sm_10, and GPU 0 (")));
}

/// Tokens of a cache whose rows have 256 bytes: four handles of 2 MiB.
const TOKENS: u64 = 4 * TOKENS_OF_HANDLE;
const TOKENS_OF_HANDLE: u64 = (2 << 20) / 256;

/// Adds one to row `pos` of a cache that grows, of 64 numbers a token.
fn growing() -> OnGpu {
    let mut b = Builder::new("main");
    let cache = b.row_cache(TOKENS);
    let pos = b.param("pos", DType::I32, &[], Bind::Host);
    b.program.ensures.push(rows_at(PositionSource::Param { index: 1 }, None));
    let steps = vec![kernel("add_to_row", vec![cache, pos], cache)];
    let (program, constants) = b.finish(steps);
    let mut add = call("add_to_row", &[cache, pos]);
    add.calls[0].block = [64, 1, 1];
    let arena =
        KvArena { name: "kv".to_string(), slots: 1, tokens_max: TOKENS, token_bytes: 256, handle_bytes: 2 << 20 };
    OnGpu { arenas: vec![arena], ..OnGpu::new((program, constants), vec![add]) }
}

/// Adds one to a row, and returns the rows that were reached: how often each was added to.
fn add_to_row(session: &mut Session, pos: u64) -> Result<Vec<i32>, StepError> {
    session.set(1, ints(&[], &[pos as i32])).expect("fits");
    let outputs = session.step().and_then(Ticket::wait)?;
    let rows = as_ints(outputs.get(0).expect("a cache").bytes);
    Ok(rows.chunks(64).map(|row| if row.iter().all(|value| *value == row[0]) { row[0] } else { -1 }).collect())
}

#[test]
fn caches_grow_handle_by_handle_and_rows_that_nobody_wrote_are_zero() {
    let Some((_gpu, _guard)) = gpu("caches") else { return };
    for handles_ahead in [0, 2] {
        let mut session = growing().session_with(CacheOptions { handles_ahead, ..CacheOptions::default() });
        session.begin_fresh().expect("nothing to unmap");
        let mut expected = vec![0; TOKENS as usize];
        // Within a handle, over its end, far beyond it, and back.
        for pos in [0, 1, TOKENS_OF_HANDLE - 1, TOKENS_OF_HANDLE, 3 * TOKENS_OF_HANDLE + 7, 5, 5] {
            expected[pos as usize] += 1;
            assert!(add_to_row(&mut session, pos).expect("runs") == expected, "row {pos}");
        }
        let slots = session.caches().expect("caches").slots();
        assert_eq!((slots[0].tokens, slots[0].mapped_bytes), (3 * TOKENS_OF_HANDLE + 8, 8 << 20));
        // A fresh request has none of it.
        session.begin_fresh().expect("unmaps");
        let mut expected = vec![0; TOKENS as usize];
        expected[3] = 1;
        assert!(add_to_row(&mut session, 3).expect("runs") == expected);
    }
}

#[test]
fn running_out_of_memory_for_caches_is_an_error_before_the_step() {
    let Some((gpu, _guard)) = gpu("limits") else { return };
    let mut session = growing().session_with(CacheOptions { limit_bytes: Some(2 << 20), ..CacheOptions::default() });
    session.begin_fresh().expect("nothing to unmap");
    let mut expected = vec![0; TOKENS as usize];
    let mut check = |session: &mut Session, pos: u64| {
        expected[pos as usize] += 1;
        assert!(add_to_row(session, pos).expect("runs") == expected, "row {pos}");
    };
    check(&mut session, 1);
    let error = add_to_row(&mut session, TOKENS_OF_HANDLE).expect_err("beyond the limit of caches");
    assert!(matches!(error, StepError::Caches(CacheError::Memory(MemoryError::Limit { .. }))), "{error}");
    check(&mut session, 2);
    // The GPU's own limit, in growth as at the start.
    let mut session = growing().session();
    session.begin_fresh().expect("nothing to unmap");
    add_to_row(&mut session, 1).expect("runs");
    let live = gpu.context().memory().live;
    gpu.context().set_memory_limit(Some(live));
    let error = add_to_row(&mut session, TOKENS_OF_HANDLE).expect_err("beyond the limit of the GPU");
    let array = DeviceTensor::zeros(&gpu, DType::I8, &[1]).expect_err("beyond the limit of the GPU");
    gpu.context().set_memory_limit(None);
    let is_limit = matches!(
        error,
        StepError::Caches(CacheError::Memory(MemoryError::Cuda(CudaError::Limit { what: "caches", .. })))
    );
    assert!(is_limit, "{error}");
    assert!(array.to_string().starts_with("no device memory for an array: 1 bytes"), "{array}");
    add_to_row(&mut session, TOKENS_OF_HANDLE).expect("runs with the memory there again");
}

#[test]
fn a_cache_that_is_handed_in_is_laid_out_once() {
    let Some((_gpu, _guard)) = gpu("imports of caches") else { return };
    let mut session = growing().session();
    let values: Vec<i32> = (0..TOKENS as i32).flat_map(|row| [row; 64]).collect();
    session.set(0, ints(&[TOKENS, 64], &values)).expect("fits");
    let mut expected: Vec<i32> = (0..TOKENS as i32).collect();
    for pos in [0, TOKENS - 1] {
        expected[pos as usize] += 1;
        assert!(add_to_row(&mut session, pos).expect("runs") == expected, "row {pos}");
    }
    assert_eq!((session.copies().count, session.copies().imported_bytes), (0, 8 << 20));
}
