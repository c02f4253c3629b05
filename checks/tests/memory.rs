//! What may be touched, and what dies: compiled decoders on memory that is taken away.

mod support;

use std::{env, path::Path, sync::Arc};

use pygraph_artifact::{
    bytes::AlignedBytes,
    container::{Artifact, Code, encode},
    plan::Bind,
};
use pygraph_compiler::{
    emit::{Emitted, emit},
    ir::parse::parse,
    passes::{PassContext, PassOptions, Phase, pipeline},
};
use pygraph_runtime::{
    caches::{CacheOptions, Caches},
    device::Device,
    model::Model,
    npz::NpzFile,
    session::{Outputs, Session, Ticket},
    tensor::{ForeignBytes, Tensor},
};
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};

use self::support::{CHILD, in_child, session};

/// A decoder of two layers, 512 bytes a token.
const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../lit-tests/models/stablehlo/small/llama_decode");
/// The same with a loop over layers, and all layers of its caches in one tensor.
const SCAN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../lit-tests/models/stablehlo/small/llama_decode_scan");

/// A model whose caches grow by pages: 8 tokens each.
fn compiled(model: &str) -> Emitted {
    let path = format!("{model}.mlir");
    let text = std::fs::read_to_string(&path).expect("the model should be there");
    let mut module = parse(&text, &path).expect("parses");
    let context = PassContext::new(PassOptions { kv_handle_bytes: 4096, ..PassOptions::default() });
    for pass in pipeline::default_passes(Phase::Plan) {
        (pass.run)(&mut module, &context).expect("compiles");
    }
    emit(&module).expect("emits")
}

/// The bytes of all results.
fn bytes(outputs: Outputs) -> Vec<Vec<u8>> {
    outputs.iter().map(|view| view.expect("a result").bytes.to_vec()).collect()
}

/// The results of one more step.
fn results(session: &mut Session) -> Vec<Vec<u8>> {
    bytes(session.step().and_then(Ticket::wait).expect("runs"))
}

fn inputs(model: &str, session: &Session) -> Vec<Tensor> {
    let mut file = NpzFile::open(Path::new(&format!("{model}.npz"))).expect("opens");
    let params = session.model().program().params.clone();
    let read = |(index, param): (usize, &pygraph_artifact::plan::Param)| {
        file.read(&format!("arg{index}"), param.dtype, &param.shape).expect("an argument")
    };
    params.iter().enumerate().map(read).collect()
}

fn position(value: i32) -> Tensor {
    let bytes = AlignedBytes::copy_of(&value.to_le_bytes()).expect("memory");
    Tensor::new(pygraph_artifact::dtype::DType::I32, &[], bytes).expect("a position")
}

/// Runs one step at position 9, which is an argument, with an empty cache, with `fewer` tokens ensured than are needed.
fn step_at_nine(model: &str, argument: usize, fewer: i64) {
    let mut emitted = compiled(model);
    let ensure = &mut emitted.plan.programs[0].ensures[0];
    ensure.offsets.iter_mut().for_each(|offset| *offset -= fewer);
    let mut session = session(&emitted.plan, &emitted.constants, CacheOptions::default());
    session.begin_fresh().expect("nothing to unmap");
    for (index, value) in inputs(model, &session).into_iter().enumerate() {
        if session.model().program().params[index].cache.is_none() {
            session.set(index, value).expect("fits");
        }
    }
    session.set(argument, position(9)).expect("fits");
    session.step().expect("runs");
}

#[test]
fn a_row_that_is_not_mapped_kills_whoever_touches_it() {
    const NAME: &str = "a_row_that_is_not_mapped_kills_whoever_touches_it";
    const SEGMENTATION_FAULT: i32 = 11;
    match env::var(CHILD).as_deref() {
        Ok("enough") => step_at_nine(MODEL, 26, 0),
        Ok("too few") => step_at_nine(MODEL, 26, 8),
        Ok("enough layers") => step_at_nine(SCAN, 15, 0),
        Ok("too few layers") => step_at_nine(SCAN, 15, 8),
        _ => {
            for (enough, too_few) in [("enough", "too few"), ("enough layers", "too few layers")] {
                assert_eq!(in_child(NAME, enough), (Some(0), None));
                assert_eq!(in_child(NAME, too_few), (None, Some(SEGMENTATION_FAULT)));
            }
        }
    }
}

/// Whole pages of memory that can be made inaccessible.
#[derive(Debug)]
struct Guarded {
    start: *mut std::ffi::c_void,
    pages_bytes: usize,
    bytes: usize,
}

// SAFETY: the memory belongs to this value; it is read until it is taken away, and then by nobody.
unsafe impl Send for Guarded {}
// SAFETY: as above.
unsafe impl Sync for Guarded {}

impl Guarded {
    fn copy_of(bytes: &[u8]) -> Guarded {
        let pages_bytes = bytes.len().max(1).next_multiple_of(rustix::param::page_size());
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: the system chooses fresh addresses, and this many bytes can be written there.
        let start = unsafe {
            let start = mmap_anonymous(std::ptr::null_mut(), pages_bytes, access, MapFlags::PRIVATE).expect("memory");
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), start.cast(), bytes.len());
            start
        };
        Guarded { start, pages_bytes, bytes: bytes.len() }
    }

    fn take_away(&self) {
        // SAFETY: the range was mapped by `copy_of`; nobody reads it from here on, or dies.
        unsafe { mprotect(self.start, self.pages_bytes, MprotectFlags::empty()) }.expect("taken away");
    }
}

impl ForeignBytes for Guarded {
    fn bytes(&self) -> &[u8] {
        // SAFETY: the bytes lie there until they are taken away.
        unsafe { std::slice::from_raw_parts(self.start.cast(), self.bytes) }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: the range was mapped by `copy_of` and is given back once.
        let _ = unsafe { munmap(self.start, self.pages_bytes) };
    }
}

#[test]
fn inputs_are_read_where_they_are_each_step() {
    let emitted = compiled(MODEL);
    let mut session = session(&emitted.plan, &emitted.constants, CacheOptions::default());
    let mut plain = support::session(&emitted.plan, &emitted.constants, CacheOptions::default());
    let values = inputs(MODEL, &session);
    for (index, value) in values.iter().enumerate() {
        session.set(index, value.clone()).expect("fits");
        plain.set(index, value.clone()).expect("fits");
    }
    let params = session.model().program().params.clone();
    let changing: Vec<usize> = (0..params.len()).filter(|index| params[*index].bind == Bind::Step).collect();
    assert!(changing.len() > 20, "the weights of a JAX function are new each step");
    let mut gone: Vec<Arc<Guarded>> = Vec::new();
    for step in 0..6 {
        // Every input has a new address, and those of the steps before can no longer be read.
        let mut fresh = Vec::new();
        for index in &changing {
            let memory = Arc::new(Guarded::copy_of(values[*index].bytes()));
            let value = Tensor::of_foreign(params[*index].dtype, &params[*index].shape, memory.clone()).expect("fits");
            session.set(*index, value).expect("fits");
            fresh.push(memory);
        }
        gone.iter().for_each(|memory| memory.take_away());
        for session in [&mut session, &mut plain] {
            session.set(26, position(9 + step)).expect("fits");
        }
        let before = session.copies();
        let own: Vec<Vec<u8>> = results(&mut session);
        let moved = session.copies().since(before);
        assert_eq!((moved.count, moved.bytes), (0, 0));
        assert_eq!(moved.imported_bytes, if step == 0 { 4 * 2 * 32 * 2 * 16 * 4 } else { 0 });
        assert!(moved.block_bytes < 512, "{} bytes", moved.block_bytes);
        let others: Vec<Vec<u8>> = results(&mut plain);
        assert_eq!(own, others, "step {step}");
        gone = fresh;
    }
}

#[test]
fn running_out_of_memory_leaves_everything_as_it_was() {
    let emitted = compiled(MODEL);
    let options = CacheOptions { limit_bytes: Some(4 * 4096), ..CacheOptions::default() };
    let mut limited = session(&emitted.plan, &emitted.constants, options);
    let mut free = session(&emitted.plan, &emitted.constants, CacheOptions::default());
    for session in [&mut limited, &mut free] {
        session.begin_fresh().expect("nothing to unmap");
        for (index, value) in inputs(MODEL, session).into_iter().enumerate() {
            if session.model().program().params[index].cache.is_none() {
                session.set(index, value).expect("fits");
            }
        }
    }
    let step = |session: &mut Session, at: i32| -> Result<Vec<Vec<u8>>, String> {
        session.set(26, position(at)).expect("fits");
        let outputs = session.step().and_then(Ticket::wait).map_err(|error| error.to_string())?;
        Ok(bytes(outputs))
    };
    for at in 14..16 {
        assert_eq!(step(&mut limited, at), step(&mut free, at));
    }
    let message = step(&mut limited, 16).expect_err("too much");
    assert_eq!(message, "cannot create 8192 bytes of memory: 16384 of at most 16384 bytes are in use");
    // The caches are what they were: a step that fits runs as if nothing had been tried.
    assert_eq!(step(&mut limited, 15), step(&mut free, 15));
}

/// The functions of two modules in one, those of the first named apart.
fn joined(prefill: &str, decode: &str) -> String {
    let inside = |text: &str| {
        let (_, rest) = text.split_once('\n').expect("a module");
        rest.trim_end().strip_suffix('}').expect("its end").to_string()
    };
    let prefill = inside(prefill).replace('@', "@prefill_").replace("@prefill_main", "@prefill");
    format!("module {{\n{prefill}\n{}}}\n", inside(decode))
}

#[test]
fn prefill_and_decode_share_their_caches() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../lit-tests/models/stablehlo/small/");
    let read = |name: &str| std::fs::read_to_string(format!("{folder}{name}.mlir")).expect("the model should be there");
    let text = joined(&read("llama_prefill_bf16"), &read("llama_decode_bf16"));
    let mut module = parse(&text, "both.mlir").expect("parses");
    let options = PassOptions { kv_handle_bytes: 4096, kv_share: true, ..PassOptions::default() };
    let context = PassContext::new(options);
    for pass in pipeline::default_passes(Phase::Plan) {
        (pass.run)(&mut module, &context).expect("compiles");
    }
    let Emitted { plan, constants } = emit(&module).expect("emits");
    assert_eq!(plan.arenas.len(), 1, "one arena for both");
    let artifact =
        Arc::new(Artifact::from_bytes(&encode(&plan, &constants, Code::default()).expect("valid")).expect("loads"));
    let caches = || Arc::new(Caches::new(artifact.plan(), CacheOptions::default()).expect("addresses"));
    let begin = |entry: &str, caches: Arc<Caches>, file: &str| {
        let model = Model::load(artifact.clone(), Some(entry), Device::Host).expect("prepares");
        let mut session = Session::with_caches(Arc::new(model), caches).expect("memory");
        let mut file = NpzFile::open(Path::new(&format!("{folder}{file}.npz"))).expect("opens");
        for (index, param) in session.model().program().params.clone().iter().enumerate() {
            if param.cache.is_none() {
                let value = file.read(&format!("arg{index}"), param.dtype, &param.shape).expect("an argument");
                session.set(index, value).expect("fits");
            }
        }
        session
    };
    // A request: twelve tokens at once, then one by one; the caches stay where they are.
    let shared = caches();
    let mut prefill = begin("prefill", shared.clone(), "llama_prefill_bf16");
    prefill.begin_fresh().expect("nothing to unmap");
    let filled = results(&mut prefill);
    let mut decode = begin("main", shared, "llama_decode_bf16");
    decode.set(26, position(12)).expect("fits");
    let own: Vec<Vec<u8>> = results(&mut decode);
    assert_eq!((decode.copies().bytes, decode.copies().imported_bytes), (0, 0));
    let slots = decode.caches().expect("caches").slots();
    assert!(slots.iter().all(|slot| (slot.tokens, slot.mapped_bytes) == (13, 4096)), "{slots:?}");
    // The same with caches that are handed over as arrays.
    let mut apart = begin("main", caches(), "llama_decode_bf16");
    apart.set(26, position(12)).expect("fits");
    let decode_params = apart.model().program().params.clone();
    for (index, param) in decode_params.iter().enumerate().filter(|(_, param)| param.cache.is_some()) {
        let result = param.updated_by.expect("a cache is updated") as usize;
        let bytes = AlignedBytes::copy_of(&filled[result]).expect("memory");
        apart.set(index, Tensor::new(param.dtype, &param.shape, bytes).expect("fits")).expect("fits");
    }
    let others: Vec<Vec<u8>> = results(&mut apart);
    assert_eq!(own, others);
}
