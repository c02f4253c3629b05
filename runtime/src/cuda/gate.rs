//! Loops on the GPU that grow caches: each iteration begins at gates, which wait until the host has mapped the rows that it needs.
//!
//! What the two tell each other lies in pinned memory, by gate and slot: the GPU writes how many rows it needs (`wanted`), the host how many are mapped,
//! open and zeroed (`granted`), which never goes back while the loop runs: it is of handles that were asked for, and the mapping thread takes back only what
//! nobody asked for. Pages are zeroed on a stream of their own, since the session's is busy with the loop; the host stores `granted` when that
//! has ended, and the gate's load of it orders what follows. A gate that waits too long stops the loop ([`super::lists::CudaList::gated`]): the host
//! then maps what is missing itself and takes the loop up again.

use std::{sync::atomic::Ordering, thread, time::Duration};

use pygraph_artifact::{
    device_code::Argument,
    dtype::Family,
    plan::{PositionSource, SlotRows, Spread},
};

use super::{
    driver::{CudaError, DeviceBytes, Event, GraphExec, PinnedBytes, Stream},
    libraries::LibraryProduct,
    lists::{CudaList, GateAddresses, GatedLoop},
    program::CudaProgram,
};
use crate::{
    caches::{CacheError, Caches},
    host::RunError,
    knobs::DebugLevel,
    memory::MemoryError,
};

/// How long a gate waits where nobody says so. To stop and begin again costs less than a step.
const PATIENCE: Duration = Duration::from_millis(10);

/// How often the host looks at what a loop needs.
const LOOK_EVERY: Duration = Duration::from_micros(20);

/// Words of a gate's description, in the order of `PygraphGate` in cuda/src/prelude/control.cu.
const DESCRIPTION_WORDS: u64 = 15;

/// The gates of a loop, and the graph that takes it up again.
#[derive(Debug)]
pub(super) struct Gates {
    // First: a graph goes before the memory that it names.
    rest: Option<GraphExec>,
    rest_list: CudaList,
    gates: Vec<Gate>,
    /// Whether the loop was stopped, then for each gate a word `seen` and a word `reached` a slot, then descriptions and offsets.
    memory: DeviceBytes,
    changing_words: u64,
    /// Whether waiting is of no use, then for each gate a word `granted` and a word `wanted` a slot.
    words: PinnedBytes,
    ended: Event,
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

impl Gates {
    /// Memory for the gates of a loop, described to the GPU.
    pub(super) fn new(
        program: &CudaProgram,
        rows: &[SlotRows],
        patience: Option<Duration>,
        resolve: &dyn Fn(Argument) -> u64,
    ) -> Result<Gates, CudaError> {
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
        let gates = Gates {
            rest: None,
            rest_list: CudaList { nodes: Vec::new(), conditionals: 0 },
            gates,
            memory,
            changing_words,
            words: pinned,
            ended: Event::new(context)?,
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
    pub(super) fn addresses(&self) -> GateAddresses {
        let description = |number| self.memory.address() + (self.changing_words + number * DESCRIPTION_WORDS) * 8;
        GateAddresses { stopped: self.memory.address(), gates: (0..self.gates.len() as u64).map(description).collect() }
    }

    /// What takes the loop up again.
    pub(super) fn set_rest(&mut self, list: CudaList) {
        self.rest_list = list;
    }

    /// Runs the graph of the loop's segment. If all of the caches is mapped, or can be now, it only gives it to the GPU; else it stays with the loop
    /// until that has ended, and maps.
    ///
    /// # Safety
    /// As for [`CudaProgram::instantiate`].
    pub(super) unsafe fn run(
        &mut self,
        program: &CudaProgram,
        exec: &mut GraphExec,
        caches: &Caches,
        debug: DebugLevel,
    ) -> Result<(), RunError> {
        let stream = program.gpu().stream();
        let (mut grants, mut stops) = (0, 0);
        let is_whole = self.map_whole(caches)?;
        self.begin(stream, caches)?;
        exec.launch(stream)?;
        if is_whole {
            return Ok(());
        }
        while self.serve(stream, caches, &mut grants)? {
            stops += 1;
            self.map_wanted(caches)?;
            self.begin(stream, caches)?;
            if self.rest.is_none() {
                // SAFETY: the caller's promise; the list's addresses are those of the whole graph.
                self.rest = Some(unsafe { program.instantiate(&self.rest_list) }?);
            }
            self.rest.as_mut().expect("it was just made").launch(stream)?;
        }
        debug.say(DebugLevel::TIMINGS, || {
            format!("a loop on the GPU was granted rows {grants} times while it ran, and was stopped and taken up again {stops} times")
        });
        Ok(())
    }

    /// Maps all rows before the loop, unless it is to wait for them or there is not enough memory: then it may still need fewer.
    fn map_whole(&self, caches: &Caches) -> Result<bool, RunError> {
        if caches.patience().is_some() {
            return Ok(false);
        }
        for gate in &self.gates {
            match caches.ensure_all(gate.arena) {
                Err(error) if error.is_shortage() => return Ok(false),
                ensured => ensured.map_err(CacheError::Memory)?,
            }
        }
        Ok(true)
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

    /// Grants what the gates want until the loop has ended. True if it was stopped.
    fn serve(&self, stream: &Stream, caches: &Caches, grants: &mut u64) -> Result<bool, RunError> {
        self.ended.record(stream)?;
        while !self.ended.is_reached()? {
            match self.grant_wanted(caches) {
                Ok(count) => *grants += count,
                // Waiting is of no use. Whether the rows can be mapped by other means shows when the loop has been left.
                Err(_) => self.words.word(0).store(1, Ordering::Release),
            }
            thread::sleep(LOOK_EVERY);
        }
        let mut bytes = vec![0; self.changing_words as usize * 8];
        // SAFETY: so many words lie there.
        unsafe { stream.download_now(self.memory.address(), &mut bytes) }?;
        let word = |at: u64| {
            let bytes = &bytes[at as usize * 8..][..8];
            u64::from_le_bytes(bytes.try_into().expect("a word should have its bytes"))
        };
        let is_stopped = word(0) != 0;
        for gate in &self.gates {
            for slot in 0..gate.slots {
                // Where it was stopped the last iteration has not run, and what it wanted is not there.
                let reached = word(gate.second(slot)).min(self.words.word(gate.first(slot)).load(Ordering::Acquire));
                caches.note_reached(gate.arena, slot as usize, reached);
            }
        }
        Ok(is_stopped)
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
    fn grant_wanted(&self, caches: &Caches) -> Result<u64, MemoryError> {
        let mut count = 0;
        for (arena, slot, granted, rows) in self.wanted() {
            if let Some(rows) = caches.grant(arena, slot, rows)? {
                self.words.word(granted).store(rows, Ordering::Release);
                count += 1;
            }
        }
        Ok(count)
    }

    /// Maps what a loop wanted that was stopped.
    fn map_wanted(&self, caches: &Caches) -> Result<(), RunError> {
        let mapped = self.wanted().try_for_each(|(arena, slot, _, rows)| caches.ensure_slot(arena, slot, rows));
        Ok(mapped.map_err(CacheError::Memory)?)
    }
}

/// The graph's list of a segment with a loop that can be stopped, and its gates.
pub(super) fn gated_list(
    program: &CudaProgram,
    segment: &pygraph_artifact::plan::Segment,
    part: &[pygraph_artifact::device_code::DeviceLaunch],
    products: &[Option<LibraryProduct>],
    patience: Option<Duration>,
    resolve: &dyn Fn(Argument) -> u64,
) -> Result<Option<(CudaList, Gates)>, CudaError> {
    let Some(looped) = GatedLoop::find(&segment.nodes) else { return Ok(None) };
    let mut gates = Gates::new(program, &looped.rows, patience, resolve)?;
    let (list, rest) = CudaList::gated(&segment.nodes, &looped, &gates.addresses(), part, products, resolve);
    gates.set_rest(rest);
    Ok(Some((list, gates)))
}
