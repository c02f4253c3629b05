//! Loops on the GPU that grow caches: each iteration begins at gates, which wait until the host has mapped the rows that it needs.
//!
//! What the two tell each other lies in pinned memory, by gate and slot: the GPU writes how many rows it needs (`wanted`), the host how many are mapped,
//! open and zeroed (`granted`), which never goes back while the loop runs: it is of handles that were asked for, and the mapping thread takes back only what
//! nobody asked for. Pages are zeroed on a stream of their own, since the session's is busy with the loop; the host stores `granted` when that
//! has ended, and the gate's load of it orders what follows. A gate that waits too long stops the loop ([`super::lists::CudaList::gated`]): the host
//! then maps what is missing itself and takes the loop up again. If there is no memory, the loop stays stopped before that iteration, for the caller to go on.

use std::{sync::atomic::Ordering, thread, time::Duration};

use pygraph_artifact::{
    device_code::Argument,
    dtype::Family,
    plan::{PositionSource, SlotRows, Spread},
};

use super::{
    driver::{CudaError, DeviceBytes, Event, GraphExec, PinnedBytes, Stream},
    libraries::LibraryProduct,
    lists::{CudaList, GateAddresses, GatedLoop, LoopParts},
    program::CudaProgram,
};
use crate::{
    caches::{CacheError, Caches},
    host::RunError,
    knobs::DebugLevel,
    memory::MemoryError,
    session::{LoopStop, Resume},
};

/// How long a gate waits where nobody says so. To stop and begin again costs less than a step.
const PATIENCE: Duration = Duration::from_millis(10);

/// How often the host looks at what a loop needs.
const LOOK_EVERY: Duration = Duration::from_micros(20);

/// Words of a gate's description, in the order of `PygraphGate` in cuda/src/prelude/control.cu.
const DESCRIPTION_WORDS: u64 = 15;

/// The loops of a segment that wait for rows.
#[derive(Debug)]
pub(super) struct Gates {
    loops: Vec<LoopGates>,
    /// The loop that was stopped and not taken up again.
    stopped: Option<usize>,
    ended: Event,
    segment: String,
}

/// The gates of a loop, and what goes on when they have stopped it.
#[derive(Debug)]
struct LoopGates {
    // First: graphs go before the memory that they name.
    resumed: Part,
    behind: Part,
    gates: Vec<Gate>,
    /// Whether the loop was stopped and how many iterations it has made, 4 bytes each, then for each gate a word `seen` and a word `reached` a slot, then
    /// descriptions and offsets.
    memory: DeviceBytes,
    changing_words: u64,
    /// Whether waiting is of no use, then for each gate a word `granted` and a word `wanted` a slot.
    words: PinnedBytes,
    /// How many iterations it has made in this step, as far as the host has looked.
    iterations: u64,
}

/// A part of the segment's graph, which becomes one of its own when it is first needed.
#[derive(Debug)]
struct Part {
    exec: Option<GraphExec>,
    list: CudaList,
}

impl Part {
    fn new(list: CudaList) -> Part {
        Part { exec: None, list }
    }

    /// # Safety
    /// As for [`CudaProgram::instantiate`].
    unsafe fn launch(&mut self, program: &CudaProgram) -> Result<(), CudaError> {
        if self.list.nodes.is_empty() {
            return Ok(());
        }
        if self.exec.is_none() {
            // SAFETY: the caller's promise.
            self.exec = Some(unsafe { program.instantiate(&self.list) }?);
        }
        self.exec.as_mut().expect("it was just made").launch(program.gpu().stream())
    }
}

/// Who runs a segment with loops that wait.
pub(super) struct Attendant<'a> {
    pub(super) program: &'a CudaProgram,
    pub(super) caches: &'a Caches,
    pub(super) debug: DebugLevel,
}

/// A gate: rows of one arena.
#[derive(Debug)]
struct Gate {
    arena: u32,
    slots: u64,
    /// Its first word in both memories; those of the slots' second words follow those of the first.
    at: u64,
}

impl Gate {
    fn first(&self, slot: u64) -> u64 {
        self.at + slot
    }

    fn second(&self, slot: u64) -> u64 {
        self.at + self.slots + slot
    }
}

impl LoopGates {
    /// Memory for the gates of a loop, described to the GPU. Its parts are empty yet.
    fn new(
        program: &CudaProgram,
        rows: &[SlotRows],
        patience: Option<Duration>,
        resolve: &dyn Fn(Argument) -> u64,
    ) -> Result<LoopGates, CudaError> {
        let context = program.gpu().context();
        let mut gates = Vec::new();
        let mut changing_words = 1;
        for rows in rows {
            let slots = program.arenas()[rows.arena as usize].slots;
            gates.push(Gate { arena: rows.arena, slots, at: changing_words });
            changing_words += 2 * slots;
        }
        let offsets: u64 = rows.iter().map(|rows| rows.offsets.len() as u64).sum();
        let words = changing_words + rows.len() as u64 * DESCRIPTION_WORDS + offsets;
        let memory = DeviceBytes::new(context, "gates of a loop", words * 8)?;
        let pinned = PinnedBytes::zeroed(context, changing_words * 8)?;
        let nothing = || Part::new(CudaList { nodes: Vec::new(), conditionals: 0 });
        let gates = LoopGates {
            resumed: nothing(),
            behind: nothing(),
            gates,
            memory,
            changing_words,
            words: pinned,
            iterations: 0,
        };
        let patience_ns = patience.unwrap_or(PATIENCE).as_nanos().min(u128::from(u64::MAX)) as u64;
        let text = gates.describe(program, rows, patience_ns, resolve);
        let bytes: Vec<u8> = text.iter().flat_map(|word| word.to_le_bytes()).collect();
        // SAFETY: the memory has as many words behind those that change.
        unsafe { program.gpu().stream().upload_now(&bytes, gates.memory.address() + changing_words * 8) }?;
        Ok(gates)
    }

    /// All descriptions, then all offsets.
    fn describe(
        &self,
        program: &CudaProgram,
        rows: &[SlotRows],
        patience_ns: u64,
        resolve: &dyn Fn(Argument) -> u64,
    ) -> Vec<u64> {
        let (mut words, mut offsets) = (Vec::new(), Vec::new());
        let on_gpu = |word: u64| self.memory.address() + word * 8;
        let pinned = |word: u64| self.words.address() + word * 8;
        let offsets_at = self.changing_words + rows.len() as u64 * DESCRIPTION_WORDS;
        for (gate, rows) in self.gates.iter().zip(rows) {
            let (positions, dtype) = match rows.source {
                Some(PositionSource::Buffer(id)) => {
                    (resolve(Argument::Buffer(id)), Some(program.program().buffers[id.0 as usize].dtype))
                }
                _ => (0, None),
            };
            words.extend([
                positions,
                on_gpu(offsets_at + offsets.len() as u64),
                dtype.map_or(0, |dtype| dtype.size_bytes() as u64),
                u64::from(dtype.is_some_and(|dtype| dtype.family() == Family::Signed)),
                match rows.spread {
                    Spread::One => 0,
                    Spread::Slots => 1,
                    Spread::Tokens => 2,
                },
                gate.slots,
                rows.offsets.len() as u64 / gate.slots.max(1),
                program.arenas()[rows.arena as usize].tokens_max,
                patience_ns,
                on_gpu(0),
                on_gpu(gate.first(0)),
                on_gpu(gate.second(0)),
                pinned(gate.first(0)),
                pinned(gate.second(0)),
                pinned(0),
            ]);
            offsets.extend(rows.offsets.iter().map(|offset| *offset as u64));
        }
        words.extend(offsets);
        words
    }

    /// Where the loop's kernels find them.
    fn addresses(&self) -> GateAddresses {
        let description = |number| self.memory.address() + (self.changing_words + number * DESCRIPTION_WORDS) * 8;
        GateAddresses { stopped: self.memory.address(), gates: (0..self.gates.len() as u64).map(description).collect() }
    }

    /// Before the loop runs, or runs on: no gate has seen anything, and all that was asked for is granted.
    fn begin(&self, stream: &Stream, caches: &Caches) -> Result<(), RunError> {
        self.words.word(0).store(0, Ordering::Release);
        for gate in &self.gates {
            let granted = caches.lend(gate.arena).map_err(CacheError::Memory)?;
            for (slot, rows) in (0..).zip(granted) {
                self.words.word(gate.first(slot)).store(rows, Ordering::Release);
                self.words.word(gate.second(slot)).store(0, Ordering::Release);
            }
        }
        // SAFETY: so many words lie there, and whoever drops them waits for the GPU.
        Ok(unsafe { stream.fill(self.memory.address(), 0, self.changing_words * 8) }?)
    }

    /// The slots for which a gate waits: the arena, the slot, the word of what is granted, and how many rows are wanted.
    fn wanted(&self) -> impl Iterator<Item = (u32, usize, u64, u64)> {
        self.gates.iter().flat_map(move |gate| {
            let slot = move |slot| {
                let wanted = self.words.word(gate.second(slot)).load(Ordering::Acquire);
                let is_waiting = wanted > self.words.word(gate.first(slot)).load(Ordering::Acquire);
                is_waiting.then_some((gate.arena, slot as usize, gate.first(slot), wanted))
            };
            (0..gate.slots).filter_map(slot)
        })
    }

    /// Asks the mapping thread for what is wanted, and grants what it has mapped: to how many slots.
    fn grant_wanted(&self, caches: &Caches) -> u64 {
        let mut count = 0;
        for (arena, slot, granted, rows) in self.wanted() {
            match caches.grant(arena, slot, rows) {
                Ok(Some(rows)) => {
                    self.words.word(granted).store(rows, Ordering::Release);
                    count += 1;
                }
                Ok(None) => {}
                // Waiting is of no use. Whether the rows can be mapped by other means shows when the loop has been left.
                Err(_) => self.words.word(0).store(1, Ordering::Release),
            }
        }
        count
    }

    /// Maps what a loop wanted that was stopped.
    fn map_wanted(&self, caches: &Caches) -> Result<(), MemoryError> {
        self.wanted().try_for_each(|(arena, slot, _, rows)| caches.ensure_slot(arena, slot, rows))
    }

    /// Notes how far the loop has come, which runs no longer. True if it was stopped.
    fn look(&mut self, stream: &Stream, caches: &Caches) -> Result<bool, CudaError> {
        let mut bytes = vec![0; self.changing_words as usize * 8];
        // SAFETY: so many words lie there.
        unsafe { stream.download_now(self.memory.address(), &mut bytes) }?;
        let word = |at: u64| {
            let bytes = &bytes[at as usize * 8..][..8];
            u64::from_le_bytes(bytes.try_into().expect("a word should have its bytes"))
        };
        for gate in &self.gates {
            for slot in 0..gate.slots {
                // Where it was stopped the last iteration has not run, and what it wanted is not there.
                let reached = word(gate.second(slot)).min(self.words.word(gate.first(slot)).load(Ordering::Acquire));
                caches.note_reached(gate.arena, slot as usize, reached);
            }
        }
        let (is_stopped, iterations) = (word(0) as u32 != 0, word(0) >> 32);
        self.iterations += iterations;
        Ok(is_stopped)
    }
}

impl Gates {
    /// Runs the graph of a segment with loops. If all of their caches are mapped, or can be now, it only gives it to the GPU; else it stays with the
    /// loops until they have ended, and maps. If there is no memory for an iteration, its loop stays stopped, and [`Gates::resume`] goes on.
    ///
    /// # Safety
    /// As for [`CudaProgram::instantiate`].
    pub(super) unsafe fn run(&mut self, exec: &mut GraphExec, by: &Attendant<'_>) -> Result<(), RunError> {
        self.loops.iter_mut().for_each(|gates| gates.iterations = 0);
        let is_whole = self.map_whole(by.caches)?;
        self.begin(by)?;
        exec.launch(by.program.gpu().stream())?;
        if is_whole {
            return Ok(());
        }
        // SAFETY: the caller's promise.
        unsafe { self.attend(by) }
    }

    /// Goes on with a loop that was stopped, or behind it.
    ///
    /// # Safety
    /// As for [`Gates::run`]; the memory is as that has left it.
    pub(super) unsafe fn resume(&mut self, from: Resume, by: &Attendant<'_>) -> Result<(), RunError> {
        let number = self.stopped.take().expect("a loop should be stopped before it is taken up again");
        if from == Resume::Loop {
            // SAFETY: the caller's promise.
            unsafe { self.take_up(number, by) }?;
        } else {
            self.begin(by)?;
            // SAFETY: the caller's promise; the list's addresses are those of the whole graph.
            unsafe { self.loops[number].behind.launch(by.program) }?;
        }
        // SAFETY: the caller's promise.
        unsafe { self.attend(by) }
    }

    /// Maps all rows before the loops, unless these are to wait for them or there is not enough memory: then they may still need fewer.
    fn map_whole(&self, caches: &Caches) -> Result<bool, RunError> {
        if caches.patience().is_some() {
            return Ok(false);
        }
        for gate in self.loops.iter().flat_map(|gates| &gates.gates) {
            match caches.ensure_all(gate.arena) {
                Err(error) if error.is_shortage() => return Ok(false),
                ensured => ensured.map_err(CacheError::Memory)?,
            }
        }
        Ok(true)
    }

    fn begin(&self, by: &Attendant<'_>) -> Result<(), RunError> {
        self.loops.iter().try_for_each(|gates| gates.begin(by.program.gpu().stream(), by.caches))
    }

    /// Stays with the loops until what was launched last has ended, and takes up those that stop.
    ///
    /// # Safety
    /// As for [`Gates::run`].
    unsafe fn attend(&mut self, by: &Attendant<'_>) -> Result<(), RunError> {
        let (mut grants, mut stops) = (0, 0);
        while let Some(number) = self.serve(by, &mut grants)? {
            stops += 1;
            // SAFETY: the caller's promise.
            unsafe { self.take_up(number, by) }?;
        }
        by.debug.say(DebugLevel::TIMINGS, || {
            format!("loops on the GPU were granted rows {grants} times while they ran, and were stopped and taken up again {stops} times")
        });
        Ok(())
    }

    /// Maps what a loop wanted that was stopped, and takes it up again. Without memory for that it stays stopped.
    ///
    /// # Safety
    /// As for [`Gates::run`].
    unsafe fn take_up(&mut self, number: usize, by: &Attendant<'_>) -> Result<(), RunError> {
        let gates = &self.loops[number];
        match gates.map_wanted(by.caches) {
            Err(error) if error.is_shortage() => {
                self.stopped = Some(number);
                let (segment, iterations) = (self.segment.clone(), gates.iterations);
                return Err(LoopStop { segment, iterations, source: error.into() }.into());
            }
            mapped => mapped.map_err(CacheError::Memory)?,
        }
        self.begin(by)?;
        // SAFETY: the caller's promise; the list's addresses are those of the whole graph.
        Ok(unsafe { self.loops[number].resumed.launch(by.program) }?)
    }

    /// Grants what the gates want until the loops have ended. Says which was stopped.
    fn serve(&mut self, by: &Attendant<'_>, grants: &mut u64) -> Result<Option<usize>, RunError> {
        let stream = by.program.gpu().stream();
        self.ended.record(stream)?;
        while !self.ended.is_reached()? {
            *grants += self.loops.iter().map(|gates| gates.grant_wanted(by.caches)).sum::<u64>();
            thread::sleep(LOOK_EVERY);
        }
        let mut stopped = None;
        for (number, gates) in self.loops.iter_mut().enumerate() {
            if gates.look(stream, by.caches)? {
                stopped = Some(number);
            }
        }
        Ok(stopped)
    }
}

/// The graph's list of a segment with loops that can be stopped, and their gates.
pub(super) fn gated_list(
    program: &CudaProgram,
    segment: &pygraph_artifact::plan::Segment,
    part: &[pygraph_artifact::device_code::DeviceLaunch],
    products: &[Option<LibraryProduct>],
    patience: Option<Duration>,
    resolve: &dyn Fn(Argument) -> u64,
) -> Result<Option<(CudaList, Gates)>, CudaError> {
    let (mut loops, mut gated) = (Vec::new(), Vec::new());
    for looped in GatedLoop::all(&segment.nodes) {
        let gates = LoopGates::new(program, &looped.rows, patience, resolve)?;
        gated.push((looped, gates.addresses()));
        loops.push(gates);
    }
    if loops.is_empty() {
        return Ok(None);
    }
    let (list, parts) = CudaList::gated(&segment.nodes, &gated, part, products, resolve);
    for (gates, LoopParts { resumed, behind }) in loops.iter_mut().zip(parts) {
        (gates.resumed, gates.behind) = (Part::new(resumed), Part::new(behind));
    }
    let ended = Event::new(program.gpu().context())?;
    Ok(Some((list, Gates { loops, stopped: None, ended, segment: segment.name.clone() })))
}
